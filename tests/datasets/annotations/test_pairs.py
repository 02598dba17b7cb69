"""Which annotation files of two folders are of one recording, and numbers of other countries in them."""

import unicodedata
from pathlib import Path

import pytest

from learnet.core.errors import BadInput
from learnet.datasets.annotations.pairs import read_pairs
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
    (pair,) = read_pairs(first, second, Recording(fps=100))
    assert pair.name == "Zoë"
    assert [(event.onset, event.offset) for event in pair.first.events] == [(125, 150)]


def test_two_files_of_one_recording_are_refused(folders: tuple[Path, Path]) -> None:
    first, second = folders
    for name in ("a.csv", "a-corrected.csv"):
        (first / name).write_text(TABLE)
    (second / "a.csv").write_text(TABLE)
    with pytest.raises(BadInput, match="are of the same recording"):
        read_pairs(first, second, Recording(fps=100))
