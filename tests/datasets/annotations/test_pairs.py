"""Which annotation files of two folders are of one recording, and numbers of other countries in them."""

import unicodedata
from pathlib import Path

import pytest

from learnet.core.errors import BadInput
from learnet.datasets.annotations.files import read_annotations
from learnet.datasets.annotations.pairs import describe_recording, read_pairs
from learnet.datasets.annotations.record import Recording

TABLE = "onset_s;offset_s;label\n1,25;1,5;fear\n"


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    for coder in ("first", "second"):
        (tmp_path / coder).mkdir()
    return tmp_path / "first", tmp_path / "second"


@pytest.mark.parametrize("ending", ["", "-corrected", "_events", ".annotations", " corrected"])
def test_the_corrected_file_is_of_the_same_recording(folders: tuple[Path, Path], ending: str) -> None:
    first, second = folders
    (first / "Zoë.csv").write_text(TABLE)
    (second / f"{unicodedata.normalize('NFD', 'Zoë')}{ending}.csv").write_text(TABLE)
    (pair,) = read_pairs(first, second, Recording(fps=100.0))
    assert pair.name == "Zoë"
    assert [(event.onset, event.offset) for event in pair.first.events] == [(125, 150)]


def test_two_files_of_one_recording_are_refused(folders: tuple[Path, Path]) -> None:
    first, second = folders
    for name in ("a.csv", "a-corrected.csv"):
        (first / name).write_text(TABLE)
    (second / "a.csv").write_text(TABLE)
    with pytest.raises(BadInput, match="are of the same recording"):
        read_pairs(first, second, Recording(fps=100.0))


@pytest.mark.parametrize("header", ["onset;offset", "onset_frame;offset_frame", "start;end"])
def test_frames_whose_comma_may_separate_thousands_are_refused(tmp_path: Path, header: str) -> None:
    path = tmp_path / "a.csv"
    path.write_text(f"{header};label\n1,000;1,040;fear\n")
    with pytest.raises(BadInput, match=r"a\.csv line 2: '1,000' may be 1000 or 1\b"):
        read_annotations(path, Recording(fps=25.0))


@pytest.mark.parametrize("table", ["onset_s;offset_s\n1,250;1,500\n", "start;end\n1,250;1,5\n"])
def test_seconds_keep_their_decimal_commas(tmp_path: Path, table: str) -> None:
    path = tmp_path / "a.csv"
    path.write_text(table)
    (event,) = read_annotations(path, Recording(fps=100.0)).events
    assert (event.onset_s, event.offset_s) == (1.25, 1.5)


@pytest.mark.parametrize("fps", [1e999, 1e300, 1e-300, 0.0, -25.0, float("nan"), 0.09, 10_001.0])
def test_rates_that_no_video_has_are_refused(fps: float) -> None:
    with pytest.raises(BadInput, match="--fps.* is no frame rate"):
        describe_recording(None, fps)


def test_the_slowest_and_the_fastest_rate() -> None:
    assert [describe_recording(None, fps).fps for fps in (0.1, 10_000.0)] == [0.1, 10_000.0]
