"""SMIC-E on disk, written cell by cell with invented clips: long clips of several expressions, 3 cameras."""

from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from learnet.core.errors import BadInput
from learnet.core.labels import UnknownLabel
from learnet.datasets.readers.smic_e import read
from tests.builders.written_by_hand import clips, images, kinds, of_kind
from tests.datasets.readers.written.smic_e import (
    EXPECTED,
    HEADER,
    NAME,
    NOTES,
    ROWS,
    WAY,
    database,
    narrow,
    tree,
    workbook,
)


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


def test_notes_below_the_table_are_reported_and_harmless(tmp_path: Path) -> None:
    reading = read(database(tmp_path))
    reported = [finding for finding in reading.findings if finding.kind == "row passed over"]
    assert [finding.what.split(" names")[0] for finding in reported] == [
        f"{NAME} row {line}" for line in (6, 7, 8, 9)
    ]
    assert "'Note: free text about lost clips'" in reported[0].what
    assert not any(finding.serious for finding in reported)


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
    """They are in the place of the third pair, and hold frame numbers. An added apex is not the owners'."""
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
        match=(
            r"lacks the columns onset 1 \(onset...\), offset 1 \(offset...\)"
            r".*The columns .* 'FirstF', 'LastF'"
        ),
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


def test_a_blank_emotion_is_the_names_and_another_one_is_reported(tmp_path: Path) -> None:
    reading = read(database(tmp_path, [(*ROWS[0][:12], None), (*ROWS[1][:12], "Negative "), ROWS[2]]))
    assert [clip.emotion for clip in reading.clips] == ["negative", "negative", "negative", "surprise"]
    finding = of_kind(reading, "emotion and name differ")
    assert finding.serious and finding.where == "smic-e/s03/s3_po_92"
    assert "the emotion is negative, and the clip's name says positive; the emotion is used" in finding.what


def test_an_unknown_label_stops(tmp_path: Path) -> None:
    with pytest.raises(UnknownLabel, match=f"{NAME} row 2: the label 'gloomy' is not known"):
        read(database(tmp_path, [(*ROWS[0][:12], "gloomy"), *ROWS[1:]]))


def test_frames_outside_the_long_clip_are_reported(tmp_path: Path) -> None:
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
    assert [(fields[0], fields[1].lower(), *fields[2:]) for fields in clips(reading)] == EXPECTED
    assert kinds(reading, serious=True) == []


def _like(cell: str | float, number: int) -> str | float:
    """NUMBER written as CELL writes 1."""
    return cell.replace("1", str(number)) if isinstance(cell, str) else type(cell)(number)


@given(
    st.lists(
        st.one_of(st.none(), st.tuples(st.integers(100, 399), st.integers(100, 399)),
                  st.tuples(st.integers(100, 399), st.none())),
        min_size=1, max_size=3,
    ),
    st.sampled_from([None, "", "/", "nan", 0]),
)  # fmt: skip
@settings(max_examples=40, deadline=None)
def test_any_number_of_pairs_and_any_way_to_leave_one_out(tmp_path_factory, pairs, blank) -> None:
    """Each complete pair in order is a clip of its own; each other pair is reported and hides no clip."""
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
