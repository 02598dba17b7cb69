"""What is wrong with a log, on logs that have one thing wrong each."""

from pathlib import Path

import pytest

from learnet.core.records import Finding
from learnet.metrics.spotting.findings import find_problems
from learnet.metrics.spotting.log import read_spotting_log

GOOD = "006_1,10,20,11,21,TP\n007_1,10,20,,,FN\n007_1,,,40,50,FP\n"


def findings(tmp_path: Path, text: str, **options: object) -> list[Finding]:
    log = tmp_path / "log.csv"
    log.write_text(text, encoding="utf-8")
    return find_problems(read_spotting_log(log, **options))  # type: ignore[arg-type]


def test_a_good_log_has_no_findings(tmp_path: Path) -> None:
    assert findings(tmp_path, GOOD, fps=25.0) == []


@pytest.mark.parametrize(
    ("row", "kind", "what"),
    [
        (
            "006_1,,,90,80,FP",
            "onset after offset",
            "The onset of the prediction 90 to 80 is after its offset",
        ),
        ("006_1,-5,3,,,FN", "outside the video", "The event -5 to 3 begins before the video"),
        ("006_1,10,20,11,21,TP", "row repeated", "It has the same interval as line 1"),
        ("006_1,50,60,58,80,TP", "flag contradicts its row", "the overlap is 0.097, below 0.5"),
        ("006_1,50,60,,,FP", "flag contradicts its row", "FP needs a prediction; the row has an event"),
        ("006_1,50,60,51,61,FN", "flag contradicts its row", "FN has an event only; the row has both"),
        ("006_1,50,60,,,TP", "flag contradicts its row", "TP needs an event and a prediction"),
    ],
)
def test_serious_findings(tmp_path: Path, row: str, kind: str, what: str) -> None:
    (finding,) = findings(tmp_path, GOOD + row + "\n", fps=25.0)
    assert (finding.kind, finding.serious) == (kind, True)
    assert what in finding.what and finding.where == "line 4: 006_1"


def test_a_kind_that_the_frame_rate_contradicts(tmp_path: Path) -> None:
    text = "video,gt_onset,gt_offset,gt_type,onset,offset,type\n006_1,0,14,micro,0,14,macro\n"
    (finding,) = findings(tmp_path, text, fps=25.0)
    assert finding.kind == "kind contradicts the duration" and finding.serious
    assert "event 0 to 14 is called micro and lasts 0.56 s at 25 fps" in finding.what


def test_the_table_of_videos_shows_what_is_outside_or_unknown(tmp_path: Path) -> None:
    videos = tmp_path / "videos.csv"
    videos.write_text("video,frames\n006_1,15\n", encoding="utf-8")
    found = findings(tmp_path, GOOD, videos=videos)
    assert [finding.kind for finding in found] == ["outside the video"] * 2 + ["unknown video"]
    assert all(finding.serious for finding in found)
    assert found[0].what == "The event 10 to 20 ends after the last frame, 15."
    assert (found[2].where, found[2].what) == ("007_1", "It is not in the table of videos; 2 intervals.")


def test_what_is_only_to_know(tmp_path: Path) -> None:
    """Overlaps; a video without an event; a person without a prediction."""
    text = "1_a,10,20,11,21,TP\n1_a,15,30,,,FN\n1_a,,,12,40,FP\n1_b,,,1,9,FP\n2_a,1,9,,,FN\n"
    found = {finding.kind: finding for finding in findings(tmp_path, text)}
    assert not any(finding.serious for finding in found.values())
    assert found["events overlap"].what.startswith("1 of 2 do")
    assert found["predictions overlap"].where == "1_a"
    assert (found["video without an event"].where, found["person without a prediction"].where) == ("1_b", "2")
