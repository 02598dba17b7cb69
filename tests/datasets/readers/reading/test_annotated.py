"""Annotated videos of one's own: which events become clips, of whom, and what is refused."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from learnet.core.errors import BadAnnotation, BadInput, LearnetError
from learnet.core.labels import UnknownLabel
from learnet.core.records import ActionUnitScore
from learnet.core.settings import DatasetSubset
from learnet.datasets.annotations.files import write_annotations
from learnet.datasets.annotations.record import Recording
from learnet.datasets.readers.folder import read
from learnet.datasets.readers.reading import annotated as annotated_module
from learnet.video.writer import write_video
from tests.builders.annotated_events import event
from tests.builders.commands import learnet

FPS = 50.0
FRAMES = 60
RECORDING = Recording(fps=FPS, frames=FRAMES)
TABLE = "onset,apex,offset,emotion,action_units,source\n"


@pytest.fixture(scope="module")
def movie(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Noise that changes in every frame."""
    path = tmp_path_factory.mktemp("movie") / "movie.avi"
    rng = np.random.default_rng(0)
    write_video(path, rng.integers(0, 256, (FRAMES, 32, 32, 3), np.uint8), FPS, "mjpeg")
    return path.read_bytes()


@pytest.fixture
def put(tmp_path: Path, movie: bytes) -> Callable[[str, str], Path]:
    """Write a video and a table of events beside it."""

    def write(video: str, events: str) -> Path:
        path = tmp_path / video
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(movie)
        path.with_suffix(".csv").write_text(TABLE + events, encoding="utf-8")
        return path

    return write


Put = Callable[[str, str], Path]


def test_events_of_every_format_become_clips_of_the_folders_people(
    tmp_path: Path, put: Put, movie: bytes
) -> None:
    """By hand: frames and seconds, with and without apex, emotion, action units; the rate of the video."""
    put("ann/monday.avi", "5,9,20,Happy,6+12,\n30,,45,,4,\n")
    for name in ("elan.avi", "praat.avi"):
        (tmp_path / "ben").mkdir(exist_ok=True)
        (tmp_path / "ben" / name).write_bytes(movie)
    units = (ActionUnitScore(4, "left", None),)
    write_annotations(
        tmp_path / "ben" / "elan.eaf",
        [event(10, 12, 20, FPS, label="disgust", action_units=units, source="coder")],
        RECORDING,
    )
    write_annotations(
        tmp_path / "ben" / "praat-events.TextGrid",
        [event(2, 4, 9, FPS, label="surprise", source="coder")],
        RECORDING,
    )
    reading = read(tmp_path)
    assert [
        (c.person, c.name, c.emotion, c.onset, c.apex, c.offset, c.fps, c.action_units, c.kind)
        for c in reading.clips
    ] == [
        ("folder/ann", "monday-5-20", "happiness", 5, 9, 20, FPS, "6+12", "micro"),
        ("folder/ann", "monday-30-45", "", 30, None, 45, FPS, "4", "micro"),
        ("folder/ben", "elan-10-20", "disgust", 10, 12, 20, FPS, "L4", "micro"),
        ("folder/ben", "praat-2-9", "surprise", 2, 4, 9, FPS, "", "micro"),
    ]
    assert [clip.apex_source for clip in reading.clips] == ["file", "none", "file", "file"]
    assert reading.about["labels"] == "annotation files (.csv, .eaf, .textgrid) beside 3 videos"


def test_what_nobody_confirmed_and_what_is_no_expression_is_left_out_and_told(
    tmp_path: Path, put: Put
) -> None:
    path = put("ann/a.avi", "")
    events = [
        event(1, 2, 4, FPS, label="negative", source="learnet"),
        event(5, 6, 9, FPS, is_blink=True, source="coder"),
        event(10, 12, 19, FPS, label="uncertain", source="coder"),
        event(20, 22, 59, FPS, label="positive", source="coder"),
        event(30, 32, 40, FPS, label="positive", source="coder"),
    ]
    write_annotations(path.with_suffix(".csv"), events, RECORDING)
    reading = read(tmp_path)
    assert [clip.name for clip in reading.clips] == ["a-30-40"]
    told = [finding.what for finding in reading.findings]
    assert told == [
        "1 event: spotted by learnet and confirmed by nobody",
        "1 event: a blink",
        "1 event: neither an emotion nor action units are given",
        "1 event: a macro-expression; --expressions macro or all reads it",
    ]
    both = read(tmp_path, DatasetSubset(expressions="all")).clips
    assert [(clip.name, clip.kind) for clip in both] == [("a-20-59", "macro"), ("a-30-40", "micro")]


def test_what_has_no_partner_is_told(tmp_path: Path, put: Put) -> None:
    path = put("ann/a.avi", "5,9,20,fear,,\n")
    (path.parent / "b.avi").write_bytes(path.read_bytes())
    (tmp_path / "ann" / "c.eaf").write_text("")
    reading = read(tmp_path)
    assert len(reading.clips) == 1
    assert [(finding.kind, Path(finding.where).name) for finding in reading.findings] == [
        ("video without annotations", "b.avi"),
        ("file passed over", "c.eaf"),
    ]


def test_a_video_of_varying_rate_is_a_serious_finding(
    tmp_path: Path, put: Put, monkeypatch: pytest.MonkeyPatch
) -> None:
    put("ann/a.avi", "5,9,20,fear,,\n")
    varying = replace(RECORDING, variable_rate=True)
    monkeypatch.setattr(annotated_module, "describe_recording", lambda video, fps: varying)
    (finding,) = read(tmp_path).findings
    assert finding.serious and finding.kind == "frame rate varies"


def test_people_of_a_table(tmp_path: Path, put: Put) -> None:
    """A rate in the table replaces that of the video: slow motion that was stored at another rate."""
    put("a.avi", "5,9,20,fear,,\n")
    put("b/c.avi", "5,9,20,fear,,\n")
    (tmp_path / "subjects.csv").write_text("path;subject;fps\na.avi;P1;\nb\\c.avi;P2;100\n")
    assert [(clip.person, clip.fps) for clip in read(tmp_path).clips] == [
        ("folder/P1", FPS),
        ("folder/P2", 100.0),
    ]
    (tmp_path / "subjects.csv").write_text("path,subject\na.avi,P1\n")
    with pytest.raises(BadInput, match=r"subjects.csv: it names no subject for c.avi. Add a row for each"):
        read(tmp_path)
    (tmp_path / "subjects.csv").write_text("path,subject\na.avi,P1\na.avi,P2\n")
    with pytest.raises(BadInput, match="row 3: 'a.avi' has two subjects, 'P1' and 'P2'"):
        read(tmp_path)


def test_nobody_is_guessed(tmp_path: Path, put: Put) -> None:
    put("films/a.avi", "5,9,20,fear,,\n")
    put("films/b.avi", "5,9,20,fear,,\n")
    error = learnet("prepare", "folder", tmp_path / "films", tmp_path / "out", code=2).stderr
    assert error.count("\n") == 1
    assert "whose face is in a.avi, b.avi is not told. Put the videos of each person into a folder" in error
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(("first", "second"), [("P01", "p1"), ("Zoe B", "zoe_b"), ("s-003", "S03")])
def test_two_spellings_of_a_person_are_a_serious_finding(
    tmp_path: Path, put: Put, first: str, second: str
) -> None:
    put(f"{first}/a.avi", "5,9,20,fear,,\n")
    put(f"{second}x/b.avi", "5,9,20,fear,,\n")
    assert read(tmp_path).findings == []
    put(f"{second}/b.avi", "5,9,20,fear,,\n")
    (finding,) = read(tmp_path).findings
    assert finding.serious and finding.kind == "person spelled twice"
    assert repr(first) in finding.what and repr(second) in finding.what


def test_a_movement_that_two_coders_saw_does_not_count_twice(tmp_path: Path, put: Put) -> None:
    put("ann/a.avi", "5,9,20,fear,,eva\n30,35,40,fear,,ben\n")
    assert len(read(tmp_path).clips) == 2
    put("ann/a.avi", "5,9,20,fear,,eva\n8,9,20,fear,,ben\n")
    message = "'eva' and 'ben' annotated the same movement, 0.10 to 0.40 s. Keep the events of one coder."
    with pytest.raises(BadAnnotation, match=message):
        read(tmp_path)
    put("ann/a.avi", "5,9,20,fear,,eva\n8,9,20,fear,,eva\n")
    message = "'eva' annotated the same movement twice, 0.10 to 0.40 s. Keep one of the events."
    with pytest.raises(BadAnnotation, match=message):
        read(tmp_path)


def test_what_is_wrong_is_named(tmp_path: Path, put: Put) -> None:
    path = put("ann/a.avi", "5,9,20,fear,,\n50,55,60,fear,,\n")
    with pytest.raises(BadInput, match=r"a.csv line 3: the event from frame 50 to 60 .* is outside"):
        read(tmp_path)
    put("ann/a.avi", "5,9,20,glee,,\n")
    with pytest.raises(UnknownLabel, match="'glee' .*at 0.100 s"):
        read(tmp_path)
    put("ann/a.avi", "5,9,20,,,\n")
    with pytest.raises(BadAnnotation, match="no event gives a clip .1: neither an emotion nor action units"):
        read(tmp_path)
    path.with_suffix(".tsv").write_text("onset\toffset\n1\t2\n")
    with pytest.raises(BadInput, match="a.tsv: it and a.csv annotate the same video, a.avi"):
        read(tmp_path)
    path.with_suffix(".tsv").unlink()
    (tmp_path / "labels.csv").write_text("path,subject,emotion\nann/a.avi,ann,fear\n")
    with pytest.raises(LearnetError, match="--expressions applies to annotated videos of your own only"):
        read(tmp_path, DatasetSubset(expressions="all"))
