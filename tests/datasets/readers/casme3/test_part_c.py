"""Part C of CAS(ME)^3, a mock crime."""

from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from learnet.core.labels import parse_action_units, resolve_class_scheme
from learnet.core.settings import DatasetSubset
from learnet.datasets.readers.casme3 import read
from tests.builders.written_by_hand import clips, images, kinds, of_kind
from tests.datasets.readers.casme3.written import (
    ALL_V2,
    BOOK_C,
    EXPECTED,
    EXPECTED_C,
    HEADER_C,
    ROWS_C,
    V2,
    all_book,
    book,
    cut,
    part_c,
)


def test_part_c_as_meb_keeps_it(tmp_path: Path) -> None:
    reading = read(part_c(tmp_path), DatasetSubset(part="C"))
    assert clips(reading) == EXPECTED_C
    assert all((clip.fps, clip.cropped, clip.kind) == (30.0, False, "micro") for clip in reading.clips)
    assert reading.about["part"] == "C" and reading.about["tree"] == "clips, ME_C, 4 clip folders"
    assert reading.about["workbook"] == "CAS(ME)3_part_C_ME.xlsx, sheet mockCrimeME, 6 columns, 4 rows"
    assert kinds(reading) == ["apex not given"] * 4
    assert [[unit.number for unit in parse_action_units(clip.action_units)] for clip in reading.clips] == [
        [4, 5],
        [14, 24],
        [1, 2],
        [12],
    ]
    assert (
        resolve_class_scheme("auto", ["casme3"], [clip.emotion for clip in reading.clips]).name == "casme3-4"
    )


@given(
    st.sampled_from(["{:02d}/{}/color", "{}/{}/color", "{:02d}/{}", "sub{:02d}/{:02d}", "spNO.{}/{}/rgb",
                    "{0:02d}/{0:02d}/{1}",
                     "{:02d}_{:02d}", "spNo.{0}/spNo.{0}_{1}/color"]),
    st.lists(st.sampled_from(["part_C", "frame", "C", "Part_C_ME_clip"]), max_size=3),
)  # fmt: skip
@settings(max_examples=40, deadline=None)
def test_padding_and_nesting_of_part_c_do_not_matter(tmp_path_factory, folder, above) -> None:
    root = part_c(tmp_path_factory.mktemp("c"), folder="/".join([*above, folder]))
    assert clips(read(root, DatasetSubset(part="C"))) == EXPECTED_C


def test_part_c_as_whole_recordings(tmp_path: Path) -> None:
    """Nobody tells how the owners lay part C out; a folder per person is reported by what the rows name."""
    part_c(tmp_path)
    (tmp_path / "ME_C").rename(tmp_path.parent / f"{tmp_path.name}-away")
    for subject, first, last in ((1, 100, 400), (2, 100, 200), (23, 8990, 9100)):
        images(tmp_path / "part_C" / f"{subject}" / "color", range(first, last), "{}.jpg")
        images(tmp_path / "part_C" / f"{subject}" / "depth", range(first, last), "{}.png")
    reading = read(tmp_path, DatasetSubset(part="C"))
    assert clips(reading) == EXPECTED_C
    assert reading.about["tree"] == "raw, part_C, 3 clip folders"


def test_a_damaged_preferred_workbook_is_serious_where_another_is_used(tmp_path: Path) -> None:
    cut(tmp_path / "Part_A_ME_clip" / "frame")
    all_book(tmp_path / ALL_V2)
    (tmp_path / V2).write_bytes(book(tmp_path / "whole.xlsx").read_bytes()[:3000])
    (tmp_path / "whole.xlsx").unlink()
    reading = read(tmp_path)
    assert clips(reading) == EXPECTED
    finding = of_kind(reading, "workbook not used")
    assert (
        finding.where == V2 and finding.serious and finding.what.endswith(f"{ALL_V2} is used in its place.")
    )


def test_the_other_list_of_part_c_is_named_and_not_used(tmp_path: Path) -> None:
    part_c(tmp_path)
    rows = [(1, 120, 131, 12, 1, ""), (1, 300, 303, 4, 1, ""), (2, 500, 540, 41, 0, "")]
    book(
        tmp_path / "CAS(ME)3_part_C.xls",
        rows,
        ("Subject", "Onset", "Offset", "diff", "Exp_type", "risk"),
        ("organize",),
    )
    reading = read(tmp_path, DatasetSubset(part="C"))
    assert clips(reading) == EXPECTED_C
    finding = of_kind(reading, "workbook not used")
    assert finding.where == "CAS(ME)3_part_C.xls" and not finding.serious
    assert (
        "has 2 micro-expressions without the numbers of their clips; CAS(ME)3_part_C_ME.xlsx has 165"
        in finding.what
    )


def test_rows_of_part_c_that_cannot_be_used_are_reported(tmp_path: Path) -> None:
    bad = [
        ("x", 1, 5, 9, "4", "negative"),
        (1, "a", 5, 9, "4", "negative"),
        (3, 1, 5, 9, "4", ""),
        (23, 11, 9000, 9034, 12, "negative"),
    ]
    part_c(tmp_path)
    book(tmp_path / BOOK_C, [*ROWS_C, *bad], HEADER_C, ("mockCrimeME",))
    reading = read(tmp_path, DatasetSubset(part="C"))
    assert clips(reading) == EXPECTED_C
    assert kinds(reading, serious=True) == ["row not usable"] * 3 + ["row twice"]
