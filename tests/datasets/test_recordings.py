"""Long recordings of databases against what was written, and as material for scoring."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from learnet.core.errors import BadInput, LearnetError, UnknownName
from learnet.core.records import Clip
from learnet.datasets.recordings import (
    RECORDING_READERS,
    LongRecording,
    RecordingIndex,
    events_to_csv,
    read_recordings,
    videos_to_csv,
)
from learnet.datasets.synthetic.layouts import LAYOUTS, casme_sq, samm_lv
from learnet.metrics.spotting.score import score_spotting
from tests.builders.commands import learnet
from tests.builders.written_by_hand import images
from tests.datasets.readers import test_fourdme

Database = Callable[..., Path]


def movements(recording: LongRecording) -> list[tuple[int, int, str]]:
    return [(clip.onset, clip.offset, clip.kind) for clip in recording.clips]


def test_casme_sq_has_every_expression_of_a_video_at_its_place(synthetic_database: Database) -> None:
    root = synthetic_database("casme-sq")
    index = read_recordings("casme-sq", root)
    scenes = LAYOUTS["casme-sq"].scenes(3, 4, 1)
    found = {(recording.subject, recording.name): recording for recording in index.recordings}
    assert len(found) == len(index.recordings) == len(scenes)
    for scene in scenes:
        person = casme_sq.subject(scene.person)
        recording = found[str(person), f"{person}_{casme_sq.FILMS[casme_sq.film(scene)]}"]
        shown = [(e.onset, e.offset, e.kind) for e in scene.expressions]
        # The offset of the first macro-expression is 0 in the workbook, and mirrored at the apex.
        pairs = list(zip(movements(recording), shown, strict=True))
        assert all(one[0] == other[0] and one[2] == other[2] for one, other in pairs)
        assert sum(one != other for one, other in pairs) <= 1
        assert (recording.first, recording.fps) == (1, 30.0)


def test_a_subject_under_two_names_is_one_person(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The spelling of the labels counts, for recordings without labels too."""
    clip = Clip(tmp_path, "d", "s06", "a", "fear", 1, 2, 3, 30.0)
    recordings = [
        LongRecording(tmp_path, "d", subject, name, 30.0, 1, 9, clips)
        for subject, name, clips in (("6", "b", ()), ("s06", "a", (clip,)), ("s07", "c", ()))
    ]
    index = RecordingIndex(tuple(recordings), ())
    monkeypatch.setitem(RECORDING_READERS, "d", lambda root, part: index)
    read = read_recordings("d", tmp_path)
    assert [recording.subject for recording in read.recordings] == ["s06", "s06", "s07"]


def test_a_video_in_which_nothing_is_labelled_is_a_recording(
    synthetic_database: Database, tmp_path: Path
) -> None:
    root = synthetic_database("casme-sq")
    for source in ("rawpic", "CAS(ME)^2code_final.xlsx"):
        (tmp_path / source).symlink_to(root / source)
    (tmp_path / "rawpic").unlink()
    (tmp_path / "rawpic").mkdir()
    for folder in (root / "rawpic").iterdir():
        (tmp_path / "rawpic" / folder.name).mkdir()
        for video in folder.iterdir():
            (tmp_path / "rawpic" / folder.name / video.name).symlink_to(video)
    images(tmp_path / "rawpic" / "s15" / "15_0508donkey", range(1, 51), "img{:03d}.jpg")
    index = read_recordings("casme-sq", tmp_path)
    (silent,) = [recording for recording in index.recordings if not recording.clips]
    assert (silent.subject, silent.name, silent.first, silent.last) == ("15", "15_0508donkey", 1, 50)
    assert silent.duration_s == pytest.approx(50 / 30)
    assert not [finding for finding in index.findings if finding.kind == "folder without row"]


def test_casme3_and_smic_e(synthetic_database: Database) -> None:
    casme3 = read_recordings("casme3", synthetic_database("casme3"))
    assert {len(recording.name) for recording in casme3.recordings} == {1}  # the letter of the video
    assert {clip.kind for recording in casme3.recordings for clip in recording.clips} == {"micro", "macro"}
    smic_e = read_recordings("smic-e", synthetic_database("smic-e"))
    assert max(len(recording.clips) for recording in smic_e.recordings) > 1
    for recording in smic_e.recordings:
        assert all(
            recording.first < onset < offset < recording.last for onset, offset, _ in movements(recording)
        )


def test_4dme_by_hand(tmp_path: Path) -> None:
    test_fourdme.workbook(tmp_path / test_fourdme.NAME)
    test_fourdme.tree(tmp_path / "long_gray_video" / "long gray video", more=50)
    index = read_recordings("4dme", tmp_path)
    found = [(r.subject, r.first, r.last, movements(r)) for r in index.recordings]
    assert found == [
        ("S91", 51, 170, [(101, 120, "micro")]),
        ("S91", 1, 90, [(20, 40, "micro")]),
        ("S92", 1, 68, [(5, 18, "micro")]),
    ]


def test_clips_that_are_cut_are_no_recordings(tmp_path: Path) -> None:
    test_fourdme.workbook(tmp_path / test_fourdme.NAME)
    test_fourdme.tree(tmp_path / "long_gray_video", more=0)
    with pytest.raises(BadInput, match="the clips are cut from onset to offset"):
        read_recordings("4dme", tmp_path)
    with pytest.raises(LearnetError, match="4DME has no part"):
        read_recordings("4dme", tmp_path, "VIS")
    with pytest.raises(UnknownName, match="no database with long recordings called 'mmew'"):
        read_recordings("mmew", tmp_path)


@pytest.fixture
def samm_long(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The synthetic layout with pictures of four pixels: only their names matter here."""

    def frames(recording: object) -> list[np.ndarray]:
        return [np.zeros((2, 2, 3), np.uint8)] * lengths[id(recording)]

    scenes = LAYOUTS["samm-lv"].scenes(2, 4, 0)
    lengths = {id(scene.recording): scene.expressions[-1].offset + 40 for scene in scenes}
    monkeypatch.setattr(samm_lv, "render", frames)
    for scene in scenes:
        samm_lv.write_clip(tmp_path, scene)
    samm_lv.write_labels(tmp_path, scenes)
    return tmp_path


def test_the_synthetic_samm_long_videos(samm_long: Path) -> None:
    scenes = LAYOUTS["samm-lv"].scenes(2, 4, 0)
    index = read_recordings("samm-lv", samm_long)
    assert [r.name for r in index.recordings] == [samm_lv.recording_name(scene) for scene in scenes]
    for recording, scene in zip(index.recordings, scenes, strict=True):
        expected = [(e.onset, e.offset, e.kind) for e in scene.expressions]
        if scene is scenes[-1]:
            expected[-1] = (expected[-1][0], recording.last, expected[-1][2])  # its offset is missing
        assert movements(recording) == expected
    assert [finding.kind for finding in index.findings] == ["apex repaired", "movement cut off"]


def test_tables_for_scoring(samm_long: Path, tmp_path: Path) -> None:
    """Predictions that are the events score 1, and one after the end of its recording is found."""
    events, videos = tmp_path / "events.csv", tmp_path / "videos.csv"
    said = learnet("recordings", "samm-lv", samm_long, "--events", events, "--videos", videos).stdout
    assert f"-> {events}" in said and "2 findings, 0 serious" in said
    index = read_recordings("samm-lv", samm_long)
    assert events.read_text() == events_to_csv(index) and videos.read_text() == videos_to_csv(index)
    report = score_spotting(events, truth=events, videos=videos)
    assert all(kind.f1 == 1 for scores in report.conventions for kind in scores.kinds)
    assert not [finding for finding in report.findings if finding.kind == "outside the video"]
    predictions = tmp_path / "predictions.csv"
    predictions.write_text(events.read_text() + "001,001_1,5000,5000,5010,micro,,\n")
    (finding,) = [
        f for f in score_spotting(predictions, events, videos).findings if f.serious and "5010" in f.what
    ]
    assert finding.kind == "outside the video"
