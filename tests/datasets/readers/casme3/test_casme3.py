"""CAS(ME)^3 as a whole: both parts, and what is not the database."""

from pathlib import Path

import pytest

from learnet.core.errors import BadInput, LearnetError
from learnet.core.settings import DatasetSubset
from learnet.datasets import read_dataset
from learnet.datasets.readers.casme3 import CASME3, read
from learnet.datasets.readers.casme3.part_a import PUBLISHED
from learnet.datasets.readers.casme3.part_c import PUBLISHED as PUBLISHED_C
from tests.builders.written_by_hand import clips, kinds
from tests.datasets.readers.casme3.written import EXPECTED, EXPECTED_C, V2, book, database, part_c, recorded


def test_both_parts_in_one_folder_are_kept_apart(tmp_path: Path) -> None:
    part_c(database(tmp_path))
    recorded(tmp_path / "part_A")
    a, c = read(tmp_path), read(tmp_path, DatasetSubset(part="C"))
    assert clips(a) == EXPECTED and clips(c) == EXPECTED_C
    assert read(tmp_path, DatasetSubset(part="A")) == a
    assert not {clip.person for clip in a.clips} & {clip.person for clip in c.clips}
    assert kinds(c) == ["apex not given"] * 4 and "workbook not used" not in kinds(a)
    assert (a.published, c.published) == (PUBLISHED, PUBLISHED_C)
    with pytest.raises(
        LearnetError, match="Part C of CAS\\(ME\\)\\^3 has micro-expressions only. Leave expressions out"
    ):
        read(tmp_path, DatasetSubset(part="C", expressions="all"))


@pytest.mark.parametrize("way", ["spNO.901", "spNO.901/a", "spNO.901/a/color"])
def test_one_subject_or_clip_is_not_the_database(tmp_path: Path, way: str) -> None:
    book(tmp_path / V2)
    recorded(tmp_path / "part_A")
    with pytest.raises(BadInput, match="this is a single subject or clip, not the database"):
        read(tmp_path / "part_A" / way)


def test_another_database_and_what_casme3_is_not(tmp_path: Path) -> None:
    database(tmp_path)
    with pytest.raises(BadInput, match=r"this looks like CAS\(ME\)\^3, not CASME II"):
        read_dataset("casme2", tmp_path)
    with pytest.raises(LearnetError, match=r"CAS\(ME\)\^3 has no part 'B'. Choose from A, C"):
        read_dataset("casme3", tmp_path, DatasetSubset(part="B"))


def test_a_lock_file_and_a_damaged_workbook(tmp_path: Path) -> None:
    database(tmp_path)
    (tmp_path / f"~${V2}").write_bytes(b"\x04Anna" + bytes(160))
    reading = read(tmp_path)
    assert clips(reading) == EXPECTED and "workbook is open" in kinds(reading)
    data = (tmp_path / V2).read_bytes()
    (tmp_path / V2).write_bytes(data[: len(data) // 2])
    with pytest.raises(BadInput, match="is damaged or cut short"):
        read(tmp_path)


def test_published_numbers_add_up() -> None:
    assert (sum(PUBLISHED.values()), sum(PUBLISHED_C.values())) == (860, 165)
    assert PUBLISHED == {
        "disgust": 250,
        "surprise": 187,
        "others": 158 + 3,
        "fear": 86,
        "anger": 64,
        "sadness": 57,
        "happiness": 55,
    }
    assert (CASME3.people, CASME3.fps, CASME3.default_scheme) == (94, 30.0, "casme3-7")
