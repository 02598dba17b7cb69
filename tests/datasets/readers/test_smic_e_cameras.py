"""The cameras and folders of SMIC-E."""

from pathlib import Path

import pytest

from learnet.core.errors import BadInput, LearnetError
from learnet.core.labels import SCHEMES
from learnet.core.records import DatasetIndex
from learnet.core.settings import DatasetSubset
from learnet.datasets import read_dataset
from learnet.datasets.readers.smic_e import PUBLISHED, SMIC_E, read
from tests.builders.written_by_hand import clips, images, kinds, of_kind
from tests.datasets.readers.written.smic_e import (
    EXPECTED,
    NAME,
    NOTES,
    ROWS,
    WAY,
    database,
    slow,
    tree,
    workbook,
)


def three_cameras(root: Path) -> Path:
    database(root)
    for camera, start, book in (
        ("VIS", 500, "SMIC_VIS_E_annotation.xlsx"),
        ("NIR", 700, "SMIC-NIR-E_annotation.xlsx"),
    ):
        workbook(root / f"{camera}_long" / book, [*slow(ROWS[1:], start), *NOTES])
        tree(
            root / f"{camera}_long" / f"SMIC-{camera}-E" / camera,
            slow(ROWS[1:], start),
            pattern="image {:06d}.jpg",
        )
    return root


def frames(reading: DatasetIndex) -> list[tuple]:
    return [(clip.name, clip.onset, clip.offset, clip.fps) for clip in reading.clips]


@pytest.mark.parametrize(
    "camera, start, book",
    [("VIS", 500, "SMIC_VIS_E_annotation.xlsx"), ("NIR", 700, "SMIC-NIR-E_annotation.xlsx")],
)
def test_each_camera_has_its_workbook_and_its_frames(
    tmp_path: Path, camera: str, start: int, book: str
) -> None:
    """All three have the same clips; 20010..20030 of 20000.. is 2..7 of a quarter of the frames."""
    three_cameras(tmp_path)
    expected = [("s3_po_92", start + 2, start + 7, 25.0), ("s3_po_92-2", start + 12, start + 20, 25.0),
                ("s20_sur_93", start + 5, start + 9, 25.0)]  # fmt: skip
    for way, part in (
        (".", camera),
        (f"{camera}_long", None),
        (f"{camera}_long/SMIC-{camera}-E/{camera}", None),
    ):
        reading = read(tmp_path / way, DatasetSubset(part=part))
        assert frames(reading) == expected
        assert reading.about["workbook"].startswith(book)
        assert kinds(reading, serious=True) == []
    assert clips(read(tmp_path)) == EXPECTED
    assert {clip.person for clip in reading.clips} <= {clip.person for clip in read(tmp_path).clips}
    with pytest.raises(BadInput, match=f"there are no clips of the HS camera. There are clips of {camera}"):
        read(tmp_path / f"{camera}_long", DatasetSubset(part="HS"))


def test_a_damaged_preferred_workbook_is_serious_where_another_is_used(tmp_path: Path) -> None:
    newer = database(tmp_path) / "HS_long" / "SMIC-HS-E_annotation_2019.xlsx"
    newer.write_bytes((tmp_path / "HS_long" / NAME).read_bytes()[:3000])
    reading = read(tmp_path)
    assert clips(reading) == EXPECTED
    finding = of_kind(reading, "workbook not used")
    assert (
        finding.where == newer.name
        and finding.serious
        and finding.what.endswith(f"{NAME} is used in its place.")
    )


def test_the_workbooks_of_all_cameras_may_be_together(tmp_path: Path) -> None:
    for book in list(three_cameras(tmp_path).rglob("*.xlsx")):
        book.rename(tmp_path / book.name)
    for camera, first in (("HS", 559440), ("VIS", 502), ("NIR", 702)):
        reading = read(tmp_path, DatasetSubset(part=camera))
        assert reading.clips[0].onset == first
        assert camera in reading.about["workbook"] and reading.about["other workbooks"] == "none"
        assert "workbook not used" not in kinds(reading) and kinds(reading, serious=True) == []


def test_another_cameras_workbook_will_not_do(tmp_path: Path) -> None:
    tree(tmp_path / WAY)
    workbook(tmp_path / "VIS_long" / "SMIC_VIS_E_annotation.xlsx")
    with pytest.raises(
        BadInput, match="SMIC_VIS_E_annotation.xlsx: is the workbook of the VIS camera, not of HS"
    ):
        read(tmp_path)


def test_a_workbook_of_any_name_and_a_tree_without_a_camera(tmp_path: Path) -> None:
    workbook(tmp_path / "labels.xlsx")
    tree(tmp_path / "images")
    reading = read(tmp_path)
    assert clips(reading) == EXPECTED
    assert (
        "no folder says which camera filmed 4 clips; HS is assumed"
        in of_kind(reading, "camera not named").what
    )


def test_the_2019_workbook_first_copies_last_and_differences_reported(tmp_path: Path) -> None:
    """Only the 2019 one is sure to have emotions."""
    database(tmp_path)
    moved = [(*ROWS[0][:4], 559470, *ROWS[0][5:]), (*ROWS[1][:12], "surprise"), ROWS[2]]
    workbook(tmp_path / "HS_long" / "SMIC-HS-E_annotation_2019.xlsx", ROWS)
    workbook(tmp_path / "HS_long" / "SMIC-HS-E_annotation_orig.xlsx", moved)
    reading = read(tmp_path)
    assert clips(reading) == EXPECTED
    assert reading.about["workbook"].startswith("SMIC-HS-E_annotation_2019.xlsx")
    assert reading.about["other workbooks"] == "SMIC-HS-E_annotation.xlsx, SMIC-HS-E_annotation_orig.xlsx"
    differ = [
        (finding.kind, finding.where)
        for finding in reading.findings
        if finding.kind.startswith("versions differ")
    ]
    assert differ == [
        ("versions differ in frames", "smic-e/s01/s1_ne_91"),
        ("versions differ in emotion", "smic-e/s03/s3_po_92"),
        ("versions differ in emotion", "smic-e/s03/s3_po_92-2"),
    ]
    (tmp_path / "HS_long" / "SMIC-HS-E_annotation_2019.xlsx").unlink()
    assert clips(read(tmp_path)) == EXPECTED


def test_rows_without_folder_and_folders_without_row(tmp_path: Path) -> None:
    """Seven clips of SMIC have no row in SMIC-E."""
    database(tmp_path, ROWS[1:])
    workbook(tmp_path / "HS_long" / NAME, ROWS)
    images(tmp_path / WAY / "s01" / "s1_ne_92", range(5, 20), "image{:06d}.jpg")
    reading = read(tmp_path)
    assert clips(reading) == EXPECTED[1:]
    assert of_kind(reading, "row without folder").where == "smic-e/s01/s1_ne_91"
    assert of_kind(reading, "folder without row").where == f"{WAY}/s01/s1_ne_92"


def test_frames_that_are_not_there(tmp_path: Path) -> None:
    database(tmp_path)
    for number in (20030, 20031, 17580928):
        next((tmp_path / WAY).rglob(f"image{number:06d}.jpg")).unlink()
    reading = read(tmp_path)
    assert [(clip.onset, clip.apex, clip.offset) for clip in reading.clips[1:]] == [
        (20010, 20019, 20029),  # the middle of the frames that are there
        (20050, 20065, 20081),
        (17580920, 17580929, 17580936),
    ]
    assert kinds(reading).count("frames missing") == 2


def test_smic_beside_is_none_of_it(tmp_path: Path) -> None:
    """The cut clips have the same names, cameras and frame numbers."""
    database(tmp_path)
    for tree_of in ("SMIC_all_raw", "SMIC_all_cropped"):
        images(
            tmp_path / tree_of / "HS" / "s1" / "micro" / "negative" / "s1_ne_91",
            range(559440, 559476),
            "image{:06d}.bmp",
        )
        images(tmp_path / tree_of / "VIS" / "s1" / "non_micro" / "s1_ne_91", range(5), "image{:06d}.bmp")
    reading = read(tmp_path)
    assert clips(reading) == EXPECTED
    assert reading.clips[0].path == tmp_path / WAY / "s01" / "s1_ne_91"
    assert reading.about["other trees"] == "none"
    with pytest.raises(BadInput, match="there are no clips of the VIS camera"):
        read(tmp_path, DatasetSubset(part="VIS"))


def test_a_clip_that_is_stored_with_somebody_else_is_reported(tmp_path: Path) -> None:
    database(tmp_path)
    (tmp_path / WAY / "s01" / "s1_ne_91").rename(tmp_path / WAY / "s03" / "s1_ne_91")
    reading = read(tmp_path)
    assert clips(reading) == EXPECTED
    assert "it is stored with s03, and its name is s01's" in of_kind(reading, "folder misplaced").what


@pytest.mark.parametrize("inside", ["s01", "s01/s1_ne_91"])
def test_a_level_too_deep(tmp_path: Path, inside: str) -> None:
    database(tmp_path)
    with pytest.raises(BadInput, match="this is a single subject or clip, not the database"):
        read(tmp_path / WAY / inside)


def test_a_lock_file_a_damaged_workbook_and_none(tmp_path: Path) -> None:
    database(tmp_path)
    book = tmp_path / "HS_long" / NAME
    (book.parent / f"~${NAME}").write_bytes(b"\x04Anna" + bytes(160))
    reading = read(tmp_path)
    assert (clips(reading), of_kind(reading, "workbook is open").where) == (EXPECTED, f"~${NAME}")
    book.write_bytes(book.read_bytes()[:3000])
    with pytest.raises(BadInput, match=f"{NAME}: is damaged or cut short"):
        read(tmp_path)


def test_smic_and_smic_e_are_distinguished(tmp_path: Path) -> None:
    database(tmp_path / "e")
    images(
        tmp_path / "smic" / "HS" / "s1" / "micro" / "negative" / "s1_ne_91", range(5), "reg_image{:06d}.bmp"
    )
    with pytest.raises(
        BadInput, match="this looks like SMIC, not SMIC-E: HS/s1/micro/negative/s1_ne_91. Read it as `smic`"
    ):
        read_dataset("smic-e", tmp_path / "smic")
    with pytest.raises(BadInput, match="this looks like SMIC-E, not SMIC: .*. Read it as `smic-e`"):
        read_dataset("smic", tmp_path / "e")
    with pytest.raises(LearnetError, match=r"SMIC-E has no tree. It accepts part HS|VIS|NIR"):
        read_dataset("smic-e", tmp_path / "e", DatasetSubset(tree="raw"))


def test_published_numbers_add_up() -> None:
    """164 less s01_ne_02, s02_sur_05, s03_ne_03, s03_ne_20, s04_ne_05, s04_ne_06 and s09_sur_02."""
    assert (sum(PUBLISHED.values()), PUBLISHED["negative"], PUBLISHED["surprise"]) == (157, 70 - 5, 43 - 2)
    assert set(SCHEMES[SMIC_E.default_scheme].classes) == set(PUBLISHED)
