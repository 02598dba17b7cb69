"""The folders of CASME: packages beside the sections, names of folders, frames that exist."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from learnet.core.errors import BadInput
from learnet.core.settings import DatasetSubset
from learnet.datasets.readers.casme import read
from tests.builders.written_by_hand import clips, images, kinds, nine_columns, of_kind
from tests.datasets.readers.written.casme import (
    EXPECTED,
    FRAMES,
    ROWS,
    WAY_A,
    WAY_B,
    clip,
    database,
    package,
    section_b,
    workbook,
)


def test_packages_beside_the_sections(tmp_path: Path) -> None:
    """The workbooks lie inside the sections, so nothing but the rows says that these trees belong to them."""
    database(tmp_path)
    package(tmp_path / "CASME_raw_selected", "{}-{{}}.jpg")
    package(tmp_path / "CASME_cropped_selected" / "CASME_cropped_selected")
    assert clips(read(tmp_path)) == EXPECTED
    assert (
        read(tmp_path).about["other trees"]
        == "raw-selected, CASME_raw_selected, cropped, CASME_cropped_selected/CASME_cropped_selected"
    )
    for tree, way in (("raw-selected", "CASME_raw_selected"), ("cropped", "CASME_cropped_selected")):
        reading = read(tmp_path, DatasetSubset(tree=tree))
        assert clips(reading) == EXPECTED
        assert {clip.cropped for clip in reading.clips} == {tree == "cropped"}
        assert all(clip.path.is_relative_to(tmp_path / way) for clip in reading.clips)
        assert kinds(reading) == ["offset mirrored"]


@pytest.mark.parametrize(
    "name, pattern",
    [("Cropped", "{}-{{}}.jpg"), ("faces", "reg_{}-{{}}.jpg"), ("CASME_cropped_selected", "{}-{{}}.jpg")],
)
def test_crops_are_recognised_by_their_prefix_or_their_tree(tmp_path: Path, name: str, pattern: str) -> None:
    package(tmp_path / name, pattern)
    workbook(tmp_path / "CASME_SectionA.xls", ROWS[:3])
    workbook(tmp_path / "CASME_SectionB.xls", ROWS[3:])
    for root in (tmp_path, tmp_path / name):
        reading = read(root)
        assert clips(reading) == EXPECTED
        assert all(clip.cropped for clip in reading.clips) and reading.about["tree"].startswith("cropped, ")


def test_a_section_may_be_far_from_its_workbook(tmp_path: Path) -> None:
    database(tmp_path)
    (tmp_path / "labels").mkdir()
    (tmp_path / WAY_B / "Section B.xls").rename(tmp_path / "labels" / "Section B.xls")
    reading = read(tmp_path)
    assert clips(reading) == EXPECTED and kinds(reading, serious=True) == []


def test_the_tree_with_the_workbook_goes_before_a_copy_of_it(tmp_path: Path) -> None:
    database(tmp_path)
    package(tmp_path / "backup", "{}-{{}}.jpg")
    folder = tmp_path / WAY_A / "sub02" / "EP93_1"
    folder.rename(tmp_path / "moved away")
    reading = read(tmp_path)
    assert clips(reading) == [*EXPECTED[:2], EXPECTED[3]] and reading.about["other trees"] == "raw, backup"
    assert of_kind(reading, "row without folder").where == "casme/02/EP93_1"


def test_another_database_beside_is_none_of_it(tmp_path: Path) -> None:
    """CASME II calls its folders alike; one of its clips may even have the name of one of CASME's."""
    database(tmp_path / "CASME")
    other = [
        ("01", "EP91_5", 1, 2, 9, "4", "others"),
        ("02", "EP91_01", 1, 2, 9, "4", "others"),
        ("09", "EP99f", 1, 2, 9, "4", "fear"),
    ]
    nine_columns(tmp_path / "CASME2" / "CASME2-coding-20140508.xlsx", other)
    for subject, name, *_ in other:
        images(tmp_path / "CASME2" / "Cropped" / f"sub{subject}" / name, range(1, 10), "reg_img{}.jpg")
    reading = read(tmp_path)
    assert clips(reading) == EXPECTED and reading.about["other trees"] == "none"
    assert kinds(reading, serious=True) == []
    with pytest.raises(BadInput, match="there is no cropped tree"):
        read(tmp_path, DatasetSubset(tree="cropped"))


SUBJECTS = ["sub{:02d}", "sub{}", "{}", "{:02d}", "Sub{:03d}", "sub{0:02d}/sub{0:02d}"]


@given(
    st.lists(st.sampled_from(SUBJECTS), min_size=4, max_size=4),
    st.lists(
        st.sampled_from(["{}-{{}}.jpg", "{}-{{:03d}}.jpg", "img{{}}.jpg", "img{{:05d}}.JPG", "{}-{{}}.png"]),
        min_size=4,
        max_size=4,
    ),
    st.sampled_from([str, str.upper, str.lower]),
    st.lists(st.sampled_from(["CASME", "Section A", "Section B", "1"]), max_size=3),
    st.sampled_from([str, "{:02d}".format, "sub{:02d}".format, " {} ".format, int]),
)
@settings(max_examples=40, deadline=None)
def test_padding_case_and_levels_do_not_matter(
    tmp_path_factory, folders, patterns, case, above, cell
) -> None:
    root = tmp_path_factory.mktemp("padding")
    for way, name, rows in ((WAY_A, "Section A.xls", ROWS[:3]), (WAY_B, "Section B.xls", ROWS[3:])):
        workbook(root.joinpath(*above, way) / name, [(cell(row[0]), *row[1:]) for row in rows])
    for row, folder, pattern in zip(ROWS, folders, patterns, strict=True):
        way = WAY_A if row[0] < 8 else WAY_B
        images(
            root.joinpath(*above, way) / folder.format(row[0]) / case(row[1]),
            FRAMES[row[1]],
            pattern.format(row[1]),
        )
    reading = read(root)
    assert clips(reading) == EXPECTED
    assert kinds(reading) == ["offset mirrored"]


MARKS = st.one_of(st.sampled_from(["\\", "", "/"]), st.integers(-1, 80))


@given(st.sets(st.integers(20, 60), min_size=1), MARKS, MARKS, MARKS)
@settings(max_examples=80, deadline=None)
def test_a_clip_never_points_at_frames_that_are_not_there(
    tmp_path_factory, there, onset, apex, offset
) -> None:
    """Whatever is missing or wrong, there is a clip of frames that are there, or a serious finding."""
    root = tmp_path_factory.mktemp("frames")
    section_b(root)
    workbook(
        root / WAY_A / "Section A.xls",
        [ROWS[0], (3, "EP97_1", "", onset, apex, "\\", offset, "", "", "", 4, "fear")],
    )
    clip(root / WAY_A, ROWS[0])
    images(root / WAY_A / "sub03" / "EP97_1", there, "EP97_1-{}.jpg")
    reading = read(root)
    found = [clip for clip in reading.clips if clip.name == "EP97_1"]
    about = {finding.kind: finding for finding in reading.findings if finding.where == "casme/03/EP97_1"}
    assert found or about["clip left out"].serious
    for each in found:
        assert {each.onset, each.apex, each.offset} <= there
        if not isinstance(offset, int):
            mirrored = 2 * apex - onset
            nearest = min(abs(frame - mirrored) for frame in there)
            assert (
                each.offset <= mirrored or each.offset - mirrored == nearest
            ) and "offset mirrored" in about
