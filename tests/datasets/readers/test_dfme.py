"""DFME as three programs of others read it, written by hand."""

from collections.abc import Sequence
from pathlib import Path

import openpyxl
import pytest

from learnet.core.errors import BadInput
from learnet.datasets.readers.dfme import read
from tests.builders.written_by_hand import images

HEADER = ["Subject", "Filename", "Onset", "Apex", "Offset", "Emotion", "AU1", "AU2"]


def workbook(path: Path, rows: Sequence[Sequence[object]], header: Sequence[str]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    book = openpyxl.Workbook()
    for row in (header, *rows):
        book.active.append([cell or None for cell in row])
    book.save(path)


def database(root: Path, rows: list[list[object]], header: list[str] = HEADER) -> Path:
    for row in rows:
        images(root / "train_data" / "train_data" / str(row[1]), range(1, 31), "{:05d}.png")
    workbook(root / "full_release_annotation" / "training_full_with_AU.xlsx", rows, header)
    return root


def test_clips_by_hand(tmp_path: Path) -> None:
    rows: list[list[object]] = [
        ["sub0003", "sub0003_01", 3, 9, 20, "Happiness", 6, 12],
        ["sub0003", "sub0003_02", 1, 5, 30, "contempt", "L14", ""],
        ["0004", "sub0004_01", 2, 7, 9, "Surprise", "", ""],
    ]
    index = read(database(tmp_path, rows))
    found = [
        (c.person, c.name, c.emotion, c.onset, c.apex, c.offset, c.action_units, c.fps) for c in index.clips
    ]
    assert found == [
        ("dfme/sub0003", "sub0003_01", "happiness", 3, 9, 20, "6+12", 200.0),
        ("dfme/sub0003", "sub0003_02", "contempt", 1, 5, 30, "L14", 200.0),
        ("dfme/sub0004", "sub0004_01", "surprise", 2, 7, 9, "", 200.0),
    ]
    assert [finding.kind for finding in index.findings if not finding.serious] == ["frame rate assumed"]
    assert not [finding for finding in index.findings if finding.serious]


def test_training_and_tests_complete_each_other(tmp_path: Path) -> None:
    root = database(tmp_path, [["sub0003", "sub0003_01", 3, 9, 20, "anger", 4, ""]])
    images(root / "test_data_A" / "sub0500_01", range(1, 31), "{:05d}.png")
    images(root / "test_data_B" / "sub0600_01", range(1, 31), "{:05d}.png")
    for part, clip in (("A", "sub0500_01"), ("B", "sub0600_01")):
        book = root / "full_release_annotation" / f"test{part}_full_with_AU.xlsx"
        workbook(book, [[clip[:7], clip, 1, 2, 3, "fear", "1+2", ""]], HEADER)
    index = read(root)
    assert sorted(clip.name for clip in index.clips) == ["sub0003_01", "sub0500_01", "sub0600_01"]


def test_a_clip_of_somebody_else_and_one_without_a_row(tmp_path: Path) -> None:
    root = database(
        tmp_path,
        [
            ["sub0003", "sub0003_01", 3, 9, 20, "anger", 4, ""],
            ["sub0009", "sub0004_01", 3, 9, 20, "anger", 4, ""],
        ],
    )
    images(root / "train_data" / "train_data" / "sub0007_01", range(1, 31), "{:05d}.png")
    index = read(root)
    assert [clip.name for clip in index.clips] == ["sub0003_01"]
    kinds = {finding.kind for finding in index.findings}
    assert "folder without row" in kinds
    assert any(finding.serious and "another's" in finding.what for finding in index.findings)


def test_a_workbook_without_emotions_is_refused(tmp_path: Path) -> None:
    root = database(tmp_path, [["sub0003", "sub0003_01", 3, 9, 20, "x"]], HEADER[:5])
    with pytest.raises(BadInput, match="emotion"):
        read(root)
