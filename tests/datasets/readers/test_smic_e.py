"""SMIC-E on disk, written cell by cell with invented clips: long clips of several expressions, three cameras. Each trap has its test."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from learnet.core.errors import BadInput, LearnetError
from learnet.core.labels import SCHEMES, UnknownLabel
from learnet.core.records import DatasetIndex
from learnet.core.settings import DatasetSubset
from learnet.datasets import read_dataset
from learnet.datasets.readers.smic_e import PUBLISHED, SMIC_E, read
from tests.builders.written_by_hand import clips, images, kinds, of_kind

HEADER = (
    "Subject", "Filename", "Session", "OnsetF", "OffsetF", "OnsetF2", "OffsetF2", "OnsetF3", "OffsetF3", "TotalF", "FirstF", "LastF",
    "Emotion",
)  # fmt: skip
ROWS: list[tuple] = [
    (1, "s1_ne_91", None, 559440, 559475, None, None, None, None, 100, 559400, 559499, "negative"),
    (3, "s3_po_92", None, 20010, 20030, 20050, 20081, None, None, 100, 20000, 20099, "positive"),
    (20, "s20_sur_93", None, 17580920, 17580936, None, None, None, None, 60, 17580900, 17580959, "surprise"),
]
NOTES: list[tuple] = [
    (None,),
    ("Note:", "free text about lost clips"),
    ("three of the clips", None),
    (None, "Total", None, None),
    ("157", "long clips in all"),
]
EXPECTED = [
    ("s01", "s1_ne_91", "negative", 559440, 559457, 559475, "midpoint", ""),
    ("s03", "s3_po_92", "positive", 20010, 20020, 20030, "midpoint", ""),
    ("s03", "s3_po_92-2", "positive", 20050, 20065, 20081, "midpoint", ""),
    ("s20", "s20_sur_93", "surprise", 17580920, 17580928, 17580936, "midpoint", ""),
]
NAME = "SMIC-HS-E_annotation.xlsx"
WAY = Path("HS_long", "SMIC-HS-E")


def workbook(path: Path, rows: Iterable[Sequence] = (*ROWS, *NOTES), header: Sequence = HEADER) -> Path:
    book = openpyxl.Workbook()
    book.active.append(list(header))
    for row in rows:
        book.active.append(list(row))
    book.create_sheet("Sheet2")
    path.parent.mkdir(parents=True, exist_ok=True)
    book.save(path)
    return path


def tree(
    root: Path, rows: Iterable[Sequence] = ROWS, subject: str = "s{:02d}", pattern: str = "image{:06d}.jpg"
) -> Path:
    """Whole long clips, from FirstF to LastF; the subject padded, the clip not."""
    for row in rows:
        images(root / subject.format(row[0]) / row[1], range(row[10], row[11] + 1), pattern)
    return root


def database(root: Path, rows: Sequence[Sequence] = ROWS) -> Path:
    workbook(root / "HS_long" / NAME, [*rows, *NOTES])
    tree(root / WAY, rows)
    return root


def slow(rows: Iterable[Sequence], start: int) -> list[tuple]:
    """The rows of a camera that counts from START, a quarter of the frames."""
    found = []
    for row in rows:
        frames = [None if mark is None else start + (mark - row[10]) // 4 for mark in row[3:9]]
        found.append((*row[:3], *frames, row[9] // 4, start, start + (row[11] - row[10]) // 4, row[12]))
    return found


def narrow(rows: Iterable[Sequence], columns: Sequence[int]) -> list[tuple]:
    return [tuple(row[column] for column in columns) for row in rows]


def test_long_clips_and_their_expressions(tmp_path: Path) -> None:
    reading = read(database(tmp_path))
    assert clips(reading) == EXPECTED
    assert all(
        not clip.cropped and clip.fps == 100.0 and clip.dataset == "smic-e" and clip.kind == "micro"
        for clip in reading.clips
    )
    assert reading.clips[0].path == tmp_path / WAY / "s01" / "s1_ne_91"
    assert reading.clips[1].path == reading.clips[2].path == tmp_path / WAY / "s03" / "s3_po_92"
    assert kinds(reading, serious=True) == []
    assert reading.about["workbook"] == "SMIC-HS-E_annotation.xlsx, sheet Sheet, 13 columns, 3 rows"
    assert reading.about["expressions"] == "4 in 3 long clips"
    assert reading.about["camera"] == "HS, 100 frames per second"


def test_notes_below_the_table_are_told_and_harmless(tmp_path: Path) -> None:
    reading = read(database(tmp_path))
    told = [finding for finding in reading.findings if finding.kind == "row passed over"]
    assert [finding.what.split(" names")[0] for finding in told] == [
        f"{NAME} row {line}" for line in (6, 7, 8, 9)
    ]
    assert "'Note: free text about lost clips'" in told[0].what
    assert not any(finding.serious for finding in told)


@pytest.mark.parametrize(
    "row, wrong",
    [
        (("x", "s1_ne_95", None, 559440, 559475), "'x' is not a subject's number"),
        ((1, "s1_ne_95", None, None, None), "no onset and no offset is given"),
        ((1, "s1_ne_95", None, 0, 0), "no onset and no offset is given"),
        ((1, "s1_ne_95", None, "early", 559475), "'early' is not a whole number"),
        (
            (2, "s1_ne_95", None, 559440, 559475),
            "subject 2 cannot have the clip s1_ne_95, which is another's",
        ),
        ((1, "s1_95", None, 559440, 559475), "no emotion is given, and the name s1_95 says none"),
    ],
)
def test_a_row_that_is_no_note_and_no_clip_is_serious(tmp_path: Path, row: tuple, wrong: str) -> None:
    database(tmp_path)
    workbook(tmp_path / "HS_long" / NAME, [*ROWS, row])
    reading = read(tmp_path)
    assert clips(reading) == EXPECTED
    finding = of_kind(reading, "row not usable")
    assert finding.serious and wrong in finding.what and f"{NAME} row 5" in finding.what


HEADERS = [
    ("OnsetF", "OffsetF", "OnsetF", "OffsetF", "OnsetF", "OffsetF"),
    ("Onset Frame ", "Offset Frame", "Onset Frame 2", "Offset Frame 2", "onset_frame_3", "OFFSET frame 3"),
    ("Onset1", "Offset1", "Onset2", "Offset2", "Onset3", "Offset3"),
]


@pytest.mark.parametrize("frames", HEADERS)
def test_columns_of_frames_are_found_by_how_they_begin(tmp_path: Path, frames: Sequence[str]) -> None:
    database(tmp_path)
    workbook(tmp_path / "HS_long" / NAME, ROWS, (*HEADER[:3], *frames, *HEADER[9:]))
    assert clips(read(tmp_path)) == EXPECTED


def test_first_last_and_total_are_never_a_pair(tmp_path: Path) -> None:
    """They stand where the third pair is elsewhere, and hold frame numbers too. An apex that a user added is not the owners'."""
    database(tmp_path)
    columns = (0, 1, 3, 4, 5, 6, 10, 11, 9)
    header = [HEADER[column] for column in columns]
    workbook(
        tmp_path / "HS_long" / NAME, [(*row, 559450) for row in narrow(ROWS, columns)], [*header, "ApexF"]
    )
    assert clips(read(tmp_path)) == EXPECTED


def test_columns_may_stand_elsewhere(tmp_path: Path) -> None:
    """As is said of NIR: the first frame in column 8, the onsets beside each other."""
    database(tmp_path)
    columns = (12, 1, 0, 3, 5, 4, 6, 9, 10, 11)
    workbook(tmp_path / "HS_long" / NAME, narrow(ROWS, columns), [HEADER[column] for column in columns])
    assert clips(read(tmp_path)) == EXPECTED


def test_a_third_expression_and_a_blank_second(tmp_path: Path) -> None:
    rows = [
        (*ROWS[0][:5], None, None, 559480, 559490, *ROWS[0][9:]),
        (*ROWS[1][:7], 20085, 20095, *ROWS[1][9:]),
    ]
    reading = read(database(tmp_path, rows))
    assert [(clip.name, clip.onset, clip.offset) for clip in reading.clips] == [
        ("s1_ne_91", 559440, 559475),
        ("s1_ne_91-3", 559480, 559490),
        ("s3_po_92", 20010, 20030),
        ("s3_po_92-2", 20050, 20081),
        ("s3_po_92-3", 20085, 20095),
    ]
    assert len({clip.key for clip in reading.clips}) == 5


def test_onsets_without_offsets_are_not_paired_by_guess(tmp_path: Path) -> None:
    database(tmp_path)
    workbook(tmp_path / "HS_long" / NAME, ROWS, [*HEADER[:6], "End2", *HEADER[7:]])
    with pytest.raises(
        BadInput, match="has 3 columns of onsets and 2 of offsets.*Its columns are Subject, Filename.*End2"
    ):
        read(tmp_path)
    workbook(
        tmp_path / "HS_long" / NAME, narrow(ROWS, (0, 1, 10, 11)), ("Subject", "Filename", "FirstF", "LastF")
    )
    with pytest.raises(
        BadInput,
        match=r"lacks the columns onset 1 \(onset...\), offset 1 \(offset...\).*The columns .* 'FirstF', 'LastF'",
    ):
        read(tmp_path)


def test_a_pair_with_one_end_is_left_out_and_the_other_pair_stays(tmp_path: Path) -> None:
    rows = [ROWS[0], (*ROWS[1][:6], None, *ROWS[1][7:]), ROWS[2]]
    reading = read(database(tmp_path, rows))
    assert clips(reading) == [EXPECTED[0], EXPECTED[1], EXPECTED[3]]
    assert of_kind(reading, "clip left out").where == "smic-e/s03/s3_po_92-2"
    assert "offset is not given" in of_kind(reading, "clip left out").what


def test_without_a_column_of_emotions_the_names_say_them(tmp_path: Path) -> None:
    database(tmp_path)
    workbook(tmp_path / "HS_long" / NAME, [*[row[:12] for row in ROWS], *NOTES], HEADER[:12])
    assert clips(read(tmp_path)) == EXPECTED


def test_a_blank_emotion_is_the_names_and_another_one_is_told(tmp_path: Path) -> None:
    reading = read(database(tmp_path, [(*ROWS[0][:12], None), (*ROWS[1][:12], "Negative "), ROWS[2]]))
    assert [clip.emotion for clip in reading.clips] == ["negative", "negative", "negative", "surprise"]
    finding = of_kind(reading, "emotion and name differ")
    assert finding.serious and finding.where == "smic-e/s03/s3_po_92"
    assert "the emotion is negative, and the clip's name says positive; the emotion is used" in finding.what


def test_a_label_nobody_knows_stops(tmp_path: Path) -> None:
    with pytest.raises(UnknownLabel, match=f"{NAME} row 2: nobody knows the label 'gloomy'"):
        read(database(tmp_path, [(*ROWS[0][:12], "gloomy"), *ROWS[1:]]))


def test_frames_outside_the_long_clip_are_told(tmp_path: Path) -> None:
    """A sign that columns are not what their headers say."""
    rows = [(*ROWS[0][:10], 559450, *ROWS[0][11:]), *ROWS[1:]]
    reading = read(database(tmp_path, rows))
    finding = of_kind(reading, "outside the long clip")
    assert finding.serious and "559440..559475 is not inside 559450..559499" in finding.what
    assert kinds(read(database(tmp_path / "b")), serious=True) == []
    workbook(tmp_path / "b" / "HS_long" / NAME, [(*row[:10], "?", "", row[12]) for row in ROWS])
    assert clips(read(tmp_path / "b")) == EXPECTED


@given(
    st.lists(st.sampled_from([1, "1", "01", "s1", "S01", " 1 ", 1.0]), min_size=3, max_size=3),
    st.sampled_from(["s{:02d}", "s{}", "S{:02d}", "{}", "s{:03d}"]),
    st.sampled_from(["image{:06d}.jpg", "image {:06d}.jpg", "image{}.JPG", "reg_image{:09d}.bmp", "{}.png"]),
    st.lists(st.sampled_from(["{}", "HS", "{}"]), max_size=2),
    st.booleans(),
    st.booleans(),
)
@settings(max_examples=25, deadline=None)
def test_padding_case_and_nesting_do_not_matter(
    tmp_path_factory, cells, folder: str, pattern: str, levels, doubled: bool, high: bool
) -> None:
    root = tmp_path_factory.mktemp("padding")
    written = [_like(cell, row[0]) for cell, row in zip(cells, ROWS, strict=True)]
    rows = [
        (cell, row[1].upper() if doubled else row[1], *row[2:])
        for cell, row in zip(written, ROWS, strict=True)
    ]
    below = root / "HS_long" / "SMIC-HS-E" / "/".join(name.format("SMIC-HS-E") for name in levels)
    workbook((root if high else below) / NAME, rows)
    for row in ROWS:
        parts = [folder.format(row[0])] * (1 + doubled) + [row[1].replace("s", "s0", 1) if high else row[1]]
        images(below.joinpath(*parts), range(row[10], row[11] + 1), pattern)
    reading = read(root)
    assert [(told[0], told[1].lower(), *told[2:]) for told in clips(reading)] == EXPECTED
    assert kinds(reading, serious=True) == []


def _like(cell: str | float, number: int) -> str | float:
    """NUMBER written as CELL writes 1."""
    return cell.replace("1", str(number)) if isinstance(cell, str) else type(cell)(number)


@given(
    st.lists(
        st.one_of(st.none(), st.tuples(st.integers(100, 399), st.integers(100, 399)), st.tuples(st.integers(100, 399), st.none())),
        min_size=1, max_size=3,
    ),
    st.sampled_from([None, "", "/", "nan", 0]),
)  # fmt: skip
@settings(max_examples=40, deadline=None)
def test_any_number_of_pairs_and_any_way_to_leave_one_out(tmp_path_factory, pairs, blank) -> None:
    """Each whole pair in order is a clip under its own name; whatever is not is told, and hides none of the others."""
    root = tmp_path_factory.mktemp("pairs")
    cells = [
        blank if mark is None else mark
        for pair in (*pairs, None, None)[:3]
        for mark in (pair or (None, None))
    ]
    rows = [("1", "s1_ne_95", None, *cells, 300, 100, 399, "negative"), *ROWS]
    workbook(root / "HS_long" / NAME, rows)
    tree(root / WAY, [(int(row[0]), *row[1:]) for row in rows])
    reading = read(root)
    found = {
        clip.name: (clip.onset, clip.offset) for clip in reading.clips if clip.name.startswith("s1_ne_95")
    }
    wanted = {
        f"s1_ne_95-{place}" if place > 1 else "s1_ne_95": pair
        for place, pair in enumerate(pairs, start=1)
        if pair
    }
    assert found == {
        name: pair for name, pair in wanted.items() if pair[1] is not None and pair[0] <= pair[1]
    }
    assert len(reading.clips) == 4 + len(found)
    assert kinds(reading, serious=True).count("clip left out") == len(wanted) - len(found)
    assert ("row not usable" in kinds(reading)) == (not wanted)


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


def test_a_damaged_preferred_workbook_is_serious_where_another_is_taken(tmp_path: Path) -> None:
    newer = database(tmp_path) / "HS_long" / "SMIC-HS-E_annotation_2019.xlsx"
    newer.write_bytes((tmp_path / "HS_long" / NAME).read_bytes()[:3000])
    reading = read(tmp_path)
    assert clips(reading) == EXPECTED
    told = of_kind(reading, "workbook not used")
    assert told.where == newer.name and told.serious and told.what.endswith(f"{NAME} is used in its place.")


def test_the_workbooks_of_all_cameras_may_lie_together(tmp_path: Path) -> None:
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


def test_the_2019_workbook_first_copies_last_and_differences_told(tmp_path: Path) -> None:
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


def test_a_clip_that_lies_with_somebody_else_is_told(tmp_path: Path) -> None:
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


def test_smic_and_smic_e_are_told_apart(tmp_path: Path) -> None:
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
    with pytest.raises(LearnetError, match=r"SMIC-E has no --tree. It accepts --part HS|VIS|NIR"):
        read_dataset("smic-e", tmp_path / "e", DatasetSubset(tree="raw"))


def test_published_numbers_add_up() -> None:
    """164 less s01_ne_02, s02_sur_05, s03_ne_03, s03_ne_20, s04_ne_05, s04_ne_06 and s09_sur_02."""
    assert (sum(PUBLISHED.values()), PUBLISHED["negative"], PUBLISHED["surprise"]) == (157, 70 - 5, 43 - 2)
    assert set(SCHEMES[SMIC_E.default_scheme].classes) == set(PUBLISHED)
