"""Studies of spotting on synthetic recordings in the layout of CAS(ME)^2: thresholds, logs, scores."""

import csv
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from learnet.core.errors import BadInput, LearnetError, OutputTaken
from learnet.core.serialisation import read_json
from learnet.datasets.recordings import read_recordings
from learnet.datasets.synthetic import layouts
from learnet.datasets.synthetic.databases import synthesize
from learnet.face import face_finder
from learnet.inference.spotting import spot
from learnet.inference.spotting.movements import SHIPPED, Thresholds
from learnet.simulation.render import Camera
from learnet.study.spotting import files
from learnet.study.spotting import run as run_module
from learnet.study.spotting.run import run_spotting_study
from learnet.study.spotting.search import FINDER, with_class
from learnet.study.spotting.settings import SpottingSettings
from learnet.study.spotting.thresholds import CANDIDATES, choose_on_others
from learnet.video.reader import open_video
from tests.builders.annotated_events import event
from tests.builders.commands import learnet

SECONDS = 12.0
OTHERS = SpottingSettings(thresholds="other-people", weights="none")


@pytest.fixture(scope="module")
def recordings(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One recording of each of three people, 30 frames a second, 320 x 240 pixels."""
    small = replace(layouts.LAYOUTS["casme-sq"], camera=Camera(240, 320, 30.0, 125.0))
    root = tmp_path_factory.mktemp("recordings") / "casme-sq"
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(layouts.LAYOUTS, "casme-sq", small)
        synthesize(root, "casme-sq", 3, 2, 9, recording_s=SECONDS, jobs=1)
    return root


@pytest.fixture(scope="module")
def study(recordings: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("study") / "spotting"
    learnet("study", "--task", "spotting", "casme-sq", recordings, out, "--jobs", 1)
    return out


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as handle:
        return list(csv.DictReader(handle))


def test_every_spotted_interval_is_in_the_log_with_its_truth(recordings: Path, study: Path) -> None:
    """The log has what the spotter finds in each recording, frame by frame, and every labelled movement."""
    log = rows_of(study / "spotted.csv")
    for recording in read_recordings("casme-sq", recordings).recordings:
        with open_video(recording.path, recording.fps) as video:
            spotting = spot(video, face_finder(FINDER))
        own = [row for row in log if (row["subject"], row["video"]) == (recording.subject, recording.name)]
        spotted = {(row["onset"], row["offset"]) for row in own if row["onset"]}
        events = [event for event in spotting.events if not event.is_blink]
        assert spotted == {(str(event.onset), str(event.offset)) for event in events}
        labelled = {(row["truth_onset"], row["truth_offset"], row["truth_kind"]) for row in own} - {("",) * 3}
        assert labelled == {(str(clip.onset), str(clip.offset), clip.kind) for clip in recording.clips}


def test_score_spotting_reads_the_log_and_finds_nothing_wrong(study: Path, tmp_path: Path) -> None:
    scores = tmp_path / "scores.json"
    learnet("score-spotting", study / "spotted.csv", "--videos", study / "videos.csv", "--json", scores)
    read = json.loads(scores.read_text())
    written = json.loads((study / "scores.json").read_text())
    assert read["conventions"] == written["conventions"] and read["strs"] == written["strs"]
    assert read["strs"] is not None and read["people"] == 3
    typed = read["conventions"][0]["kinds"]["all"]
    people = rows_of(study / "people.csv")
    for key in ("hits", "false_alarms", "misses"):
        assert sum(int(row[key]) for row in people) == typed[key]
    assert typed["f1"] > 0.5  # most of what these easy recordings show is found


def test_thresholds_of_a_person_come_from_the_others(
    recordings: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Half of the candidates find nothing, so the others are chosen; what was measured is kept."""
    useless = Thresholds(noise_factor=1e6)
    monkeypatch.setattr(run_module, "CANDIDATES", (useless, SHIPPED))
    result = run_spotting_study("casme-sq", recordings, tmp_path / "out", OTHERS, jobs=1)
    assert {person.thresholds for person in result.people} == {SHIPPED}
    assert result.shipped_f1 == 0.0  # of the first candidate, which are the shipped ones outside of this test
    assert result.report.strs is None
    assert [row["subject"] for row in rows_of(tmp_path / "out" / "people.csv")] == ["15", "16", "19"]
    before = (tmp_path / "out" / "spotted.csv").read_bytes()
    measured = sorted((tmp_path / "out" / "measured").rglob("*.npz"))
    times = [file.stat().st_mtime_ns for file in measured]
    again = run_spotting_study("casme-sq", recordings, tmp_path / "out", OTHERS, jobs=1)
    assert again.people == result.people and (tmp_path / "out" / "spotted.csv").read_bytes() == before
    assert [file.stat().st_mtime_ns for file in measured] == times  # nothing was measured again
    with pytest.raises(OutputTaken, match="another study of spotting is there already; it differs in thresh"):
        run_spotting_study("casme-sq", recordings, tmp_path / "out", SpottingSettings(weights="none"))


def test_a_persons_own_recordings_have_no_influence() -> None:
    """Counts by hand: candidate 1 is perfect on the first person and useless on the others."""
    counts = np.zeros((2, 3, 3, 3), dtype=np.int64)
    counts[0, :, 0] = [[0, 5, 5], [3, 1, 2], [3, 1, 2]]
    counts[1, :, 0] = [[9, 0, 0], [0, 9, 5], [1, 9, 4]]
    assert choose_on_others(counts) == [0, 1, 1]
    changed = counts.copy()
    changed[:, 0, 0] = [[9, 0, 0], [0, 9, 9]]
    assert choose_on_others(changed)[0] == 0
    equal = np.tile(counts[:1], (2, 1, 1, 1))
    assert choose_on_others(equal) == [0, 0, 0]  # the shipped ones, which come first


def test_candidates_begin_with_the_shipped_ones_and_are_different() -> None:
    assert CANDIDATES[0] == SHIPPED == Thresholds()
    assert len(set(CANDIDATES)) == len(CANDIDATES) == 20


def test_labelled_movements_are_recognised_in_classes(recordings: Path, study: Path) -> None:
    index = read_recordings("casme-sq", recordings)
    words = {clip.emotion for recording in index.recordings for clip in recording.clips}
    assert words <= {"positive", "negative", "surprise", "others"}
    log = rows_of(study / "spotted.csv")
    assert {row["truth_label"] for row in log} <= {"", "positive", "negative", "surprise"}
    described = json.loads((study / "spotting_study.json").read_text())
    assert (described["classes"], described["dataset"]) == ("casme-sq-3", "casme-sq")
    assert all(row["label"] for row in log if row["onset"])
    assert any(row["action_units"] for row in log)


def test_a_class_that_only_the_weights_have_is_left_out() -> None:
    """`none` would be read as an empty cell of the log, and its movement is labelled in any case."""
    scores = {"none": 0.6, "positive": 0.1, "negative": 0.3}
    recognised = event(1, 2, 3, label="uncertain", emotions=scores)
    assert with_class(recognised, ("negative", "positive", "surprise")).label == "negative"
    assert with_class(event(1, 2, 3), ("negative", "positive")).label == "uncertain"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--network", "ststnet", "--epochs", 3), "--network, --epochs have no effect on --task spotting"),
        (("--target", "action-units"), "--target has no effect on --task spotting"),
        (("--thresholds", "best"), "Did you mean|Choose from|best"),
    ],
)
def test_options_that_do_not_go_together(
    recordings: Path, tmp_path: Path, words: tuple[object, ...], message: str
) -> None:
    error = learnet("study", "--task", "spotting", "casme-sq", recordings, tmp_path / "o", *words, code=2)
    assert error.stderr.count("\n") == 1 and any(part in error.stderr for part in message.split("|"))
    assert not (tmp_path / "o").exists()


def test_what_is_refused_in_one_line(recordings: Path, tmp_path: Path) -> None:
    error = learnet("study", recordings, tmp_path / "o", "--thresholds", "other-people", code=2).stderr
    assert "--thresholds applies to --task spotting only. Leave it out." in error
    error = learnet("study", "--task", "spotting", recordings, tmp_path / "o", code=2).stderr
    assert "takes the name of a database, its folder and the study folder to write" in error
    error = learnet("study", "--task", "spotting", "casme2", recordings, tmp_path / "o", code=2).stderr
    assert "no database with long recordings called 'casme2'" in error
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "x").write_text("")
    with pytest.raises(OutputTaken, match="something else is there already"):
        run_spotting_study("casme-sq", recordings, tmp_path / "taken")


def test_one_person_has_no_others_and_known_people_are_no_test(
    recordings: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    index = read_recordings("casme-sq", recordings)
    alone = replace(index, recordings=index.recordings[:1])
    monkeypatch.setattr(run_module, "read_recordings", lambda *words: alone)
    with pytest.raises(BadInput, match="one person only, so there are no other people. Use --thresh"):
        run_spotting_study("casme-sq", recordings, tmp_path / "out", OTHERS)

    class Known:
        class metadata:  # noqa: N801
            people = {"casme-sq/15"}
            classes = ("negative", "positive", "surprise")

    monkeypatch.setattr(run_module, "load_recogniser", lambda weights: Known)
    with pytest.raises(LearnetError, match="trained on people of these recordings: casme-sq/15 .1 in all"):
        run_spotting_study("casme-sq", recordings, tmp_path / "out")


@pytest.mark.slow
def test_a_synthetic_samm_long_videos_of_real_size(tmp_path: Path) -> None:
    """Two people, 20 s each at 200 frames a second: most movements are found, and few others."""
    root = synthesize(tmp_path / "samm-lv", "samm-lv", 2, 2, recording_s=20.0, jobs=-1)
    result = run_spotting_study("samm-lv", root, tmp_path / "out")
    whole = result.report.conventions[0].kinds[0]
    assert result.report.strs is None  # its movements have no emotions
    assert whole.f1 is not None and whole.f1 >= 0.7


def test_what_a_kill_left_before_the_description_is_no_obstacle(
    recordings: Path, study: Path, tmp_path: Path
) -> None:
    description = read_json(study / files.DESCRIPTION_FILE, files.SpottingDescription)
    (tmp_path / ".lock").touch()
    (tmp_path / ".spotting_study.json.learnet-0123456789abcdef.part").touch()
    files.check_same_study(tmp_path, description)
    (tmp_path / "mine.txt").touch()
    with pytest.raises(OutputTaken, match="something else is there"):
        files.check_same_study(tmp_path, description)
