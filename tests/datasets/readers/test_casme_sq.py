"""CAS(ME)^2 on disk, written cell by cell and file by file: the workbook without headers, and four trees."""

from pathlib import Path
from zipfile import ZipFile

import openpyxl
import pytest

from learnet.core.errors import BadInput, LearnetError
from learnet.core.labels import UnknownLabel
from learnet.core.settings import DatasetSubset
from learnet.datasets import read_dataset
from learnet.datasets.readers.casme_sq import CASME_SQ, read
from tests.builders.written_by_hand import images, kinds, of_kind
from tests.datasets.readers.written.casme_sq import (
    BOOK,
    MICRO,
    ROWS,
    RULE_2,
    clips,
    cut,
    database,
    long,
    workbook,
)


def test_first_row_is_a_clip_and_the_sheets_have_no_header(tmp_path: Path) -> None:
    reading = read(database(tmp_path))
    assert clips(reading) == MICRO
    assert reading.clips[0].path == tmp_path / "selectedpic" / "s15" / "anger1_1"
    assert reading.clips[0].key == "casme-sq/15/anger1_1"
    assert all(clip.fps == 30.0 and not clip.cropped and clip.dataset == "casme-sq" for clip in reading.clips)
    assert kinds(reading) == []
    assert reading.about["workbook"] == f"{BOOK}, sheet CASFEcode_final, 9 columns, 6 rows"
    assert reading.about["tree"] == "selectedpic, selectedpic, 6 clip folders"
    assert reading.about["expressions in the workbook"] == "4 micro, 2 macro, of 3 people"
    assert reading.about["clips"] == "4 from 6 rows, 3 people"


def test_a_header_that_somebody_added_is_no_clip_and_no_trouble(tmp_path: Path) -> None:
    header = ("Subject", "Code", "Onset", "Apex", "Offset", "AU", "Emotion", "Type", "Self-report")
    workbook(tmp_path / BOOK, [header, *ROWS])
    cut(tmp_path / "selectedpic")
    reading = read(tmp_path)
    assert (clips(reading), kinds(reading)) == (MICRO, [])


@pytest.mark.parametrize(
    "name", ["CAS(ME)^2code_final(Updated).xlsx", "CAS(ME)2code_final.xlsx", "code_final.xlsx", "labels.xlsx"]
)
def test_the_workbook_under_any_name_and_with_a_tenth_column(tmp_path: Path, name: str) -> None:
    rows = [(*row, row[4] - row[2]) for row in ROWS]
    workbook(tmp_path / name, rows, names=("CASMEcode_final", "naming rule1", "naming rule2"))
    cut(tmp_path / "selectedpic")
    reading = read(tmp_path)
    assert (clips(reading), kinds(reading)) == (MICRO, [])
    assert reading.about["workbook"] == f"{name}, sheet CASMEcode_final, 10 columns, 6 rows"


def test_the_updated_workbook_is_preferred_and_differences_are_reported(tmp_path: Path) -> None:
    (database(tmp_path) / BOOK).rename(
        tmp_path / "CAS(ME)2code_final.xlsx"
    )  # before the updated one in alphabetical order
    workbook(
        tmp_path / "CAS(ME)^2code_final(Updated).xlsx", [(*ROWS[0][:6], "positive", *ROWS[0][7:]), *ROWS[1:]]
    )
    reading = read(tmp_path)
    assert reading.clips[0].emotion == "positive"
    assert reading.about["other workbooks"] == "CAS(ME)2code_final.xlsx"
    finding = of_kind(reading, "versions differ in emotion")
    assert (
        finding.serious
        and "(Updated).xlsx says positive, CAS(ME)2code_final.xlsx says negative" in finding.what
    )


def test_sheets_are_known_by_what_is_in_them(tmp_path: Path) -> None:
    """Other names, another order, and a sheet of notes before them."""
    book = openpyxl.load_workbook(workbook(tmp_path / BOOK, names=("Sheet1", "Sheet2", "Sheet3")))
    book.move_sheet("Sheet1", offset=2)
    book.create_sheet("notes", 0).append(["15 long videos", "see the paper", None, 2016])
    book.save(tmp_path / BOOK)
    long(tmp_path / "rawpic")
    reading = read(tmp_path)
    assert (clips(reading), kinds(reading, serious=True)) == (MICRO, [])
    assert reading.about["workbook"] == f"{BOOK}, sheet Sheet1, 9 columns, 6 rows"


def test_another_sheet_with_other_clips_is_a_serious_finding(tmp_path: Path) -> None:
    workbook(tmp_path / BOOK)
    cut(tmp_path / "selectedpic")
    book = openpyxl.load_workbook(tmp_path / BOOK)
    page = book.create_sheet("old")
    for row in [*ROWS[:2], (7, "happy1_2", 2, 3, 4, "4", "others", "micro-expression", "anger")]:
        page.append(list(row))
    book.save(tmp_path / BOOK)
    finding = of_kind(read(tmp_path), "another sheet of labels")
    assert finding.serious and "3 rows, 1 of them not in the first" in finding.what
    del book["old"]
    book.create_sheet("extract").append(list(ROWS[0]))
    book.save(tmp_path / BOOK)
    assert "another sheet of labels" not in kinds(read(tmp_path))


def test_subjects_are_indices_until_the_naming_rule_gives_them_a_folder(tmp_path: Path) -> None:
    """Index 15 is s32, while folder s15 is index 1; leave-one-subject-out goes by the folder's number."""
    rows = [
        (15, "anger1_1", 5, 7, 13, "4", "others", "micro-expression", ""),
        (1, "anger1_1", 5, 7, 13, "4", "negative", "micro-expression", ""),
    ]
    workbook(tmp_path / BOOK, rows, rules=([(15, "s15", 1), (32, "s32", 15)], RULE_2))
    for folder in ("s15", "s32"):
        images(tmp_path / "selectedpic" / folder / "anger1_1", range(5, 14))
    reading = read(tmp_path)
    assert [(clip.person, clip.path.parent.name, clip.emotion) for clip in reading.clips] == [
        ("casme-sq/32", "s32", "others"), ("casme-sq/15", "s15", "negative"),
    ]  # fmt: skip
    assert kinds(reading) == []


INDICES = {1: 15, 2: 16, 3: 19, 4: 20, 5: 21, 6: 22, 7: 23, 8: 24, 9: 25, 10: 26, 11: 27, 12: 29,
           13: 30, 14: 31, 15: 32, 16: 33, 17: 34, 18: 35, 19: 36, 20: 37, 21: 38, 22: 40}  # fmt: skip


CODES = {"disgust1": "0101", "disgust2": "0102", "anger1": "0401", "anger2": "0402", "happy1": "0502",
         "happy2": "0503", "happy3": "0505",
         "happy4": "0507", "happy5": "0508"}  # fmt: skip


def test_without_naming_sheets_the_known_names_serve_and_that_is_reported(tmp_path: Path) -> None:
    """Every index and every film; both tables are copied from the page of facts, not from the reader."""
    films = list(CODES)
    rows = [
        (index, f"{films[index % 9]}_1", 5, 7, 13, "4", "others", "micro-expression", "") for index in INDICES
    ]
    workbook(tmp_path / BOOK, rows, rules=([], []))
    for index, number in INDICES.items():
        images(
            tmp_path / "rawpic" / f"s{number}" / f"{number}_{CODES[films[index % 9]]}whatever",
            range(1, 20),
            "img{:03d}.jpg",
        )
    reading = read(tmp_path)
    assert [clip.subject for clip in reading.clips] == [str(number) for number in INDICES.values()]
    assert kinds(reading) == ["naming rule incomplete"] * 2 and kinds(reading, serious=True) == []


def test_a_naming_sheet_that_differs_from_the_known_one_is_followed_and_serious(tmp_path: Path) -> None:
    workbook(tmp_path / BOOK, ROWS[:3], rules=([(16, "s16", 1)], RULE_2))
    for _, name, onset, apex, offset, *_ in ROWS[:3]:
        images(
            tmp_path / "selectedpic" / "s16" / str(name),
            range(int(onset), int(offset or 2 * apex - onset) + 1),
        )
    reading = read(tmp_path)
    assert {clip.subject for clip in reading.clips} == {"16"}
    finding = of_kind(reading, "naming rule differs")
    assert finding.serious and "1 is 16, not 15" in finding.what


def test_an_index_that_is_unknown_is_reported(tmp_path: Path) -> None:
    database(tmp_path)
    workbook(tmp_path / BOOK, [*ROWS, (25, "anger1_1", 5, 7, 13, "4", "others", "micro-expression", "")])
    reading = read(tmp_path)
    assert clips(reading) == MICRO
    assert of_kind(reading, "row not usable").what.endswith(
        "row 7: no naming rule gives the subject of index 25 a folder"
    )


def test_rows_that_cannot_be_used_are_reported_not_lost(tmp_path: Path) -> None:
    rows = [*ROWS, (1, "anger2_1", "x", 2, 3, "4", "others", "micro-expression"),
            (1, "anger2_2", 1, 2, 3, "4", "/", "micro-expression"),
            (1, "anger2_3", 1, 2, 3, "4", "others", "unclear"),
            ("a", "anger2_4", 1, 2, 3, "4", "others", "micro-expression"), (),
            (None, "anger2_5", 1, 2, 3, "4", "others", "micro-expression"), ("357 clips",),
            (1, "anger2_6")]  # fmt: skip
    database(tmp_path)
    workbook(tmp_path / BOOK, rows)
    reading = read(tmp_path)
    assert clips(reading) == MICRO
    assert kinds(reading) == ["row not usable"] * 5 + ["row passed over"] * 2
    said = " ".join(finding.what for finding in reading.findings)
    assert "'x' is not a whole number" in said and "row 8: no emotion is given" in said
    assert (
        "row 9: 'unclear' is neither a micro- nor a macro-expression" in said and "index a a folder" in said
    )
    assert "row 12 names no subject" in said and "row 13 names no name" in said and "row 14" in said


def test_an_unknown_label_stops(tmp_path: Path) -> None:
    database(tmp_path)
    workbook(tmp_path / BOOK, [*ROWS, (1, "anger2_1", 1, 2, 3, "4", "bewilderment", "micro-expression", "")])
    with pytest.raises(UnknownLabel, match="row 7: the label 'bewilderment' is not known"):
        read(tmp_path)


def test_a_workbook_of_another_databases_emotions_is_refused(tmp_path: Path) -> None:
    database(tmp_path)
    workbook(
        tmp_path / BOOK, [(*row[:6], row[8], *row[7:]) for row in ROWS]
    )  # the self-report where the emotion should be
    with pytest.raises(BadInput, match="has the emotions anger, disgust, happiness"):
        read(tmp_path)


def test_the_workbook_of_blinks_is_not_the_labels(tmp_path: Path) -> None:
    database(tmp_path)
    (tmp_path / BOOK).unlink()
    with pytest.raises(BadInput, match=r"blink-code.xlsx: has no sheet of clips"):
        read(tmp_path)


@pytest.mark.parametrize(
    "level",
    [
        "selectedpic/s15",
        "selectedpic/s15/anger1_1",
        "rawpic/s15",
        "rawpic/s19",
        "rawpic/s15/15_0401girlcrashing",
    ],
)
def test_one_level_too_deep(tmp_path: Path, level: str) -> None:
    with pytest.raises(BadInput, match="this is a single subject or clip"):
        read(database(tmp_path) / level)


@pytest.mark.parametrize("tree", ["selectedpic", "cropped", "rawpic"])
def test_a_tree_itself_is_a_root_that_works(tmp_path: Path, tree: str) -> None:
    reading = read(database(tmp_path) / tree)
    assert clips(reading) == MICRO and reading.about["tree"].startswith(tree)


def test_bad_files_get_a_sentence(tmp_path: Path) -> None:
    database(tmp_path)
    whole = (tmp_path / BOOK).read_bytes()
    (tmp_path / f"~${BOOK}").write_bytes(b"\x05user")
    assert of_kind(read(tmp_path), "workbook is open").where == f"~${BOOK}"
    (tmp_path / BOOK).write_bytes(whole[: len(whole) // 2])
    with pytest.raises(BadInput, match="damaged or cut short"):
        read(tmp_path)
    with ZipFile(tmp_path / "CASME2.zip", "w") as packed:
        packed.writestr("selectedpic/s15/anger1_1/img557.jpg", b"")
    with pytest.raises(BadInput, match="packed archive"):
        read(tmp_path / "CASME2.zip")


def test_the_wrong_database_is_named_both_ways(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"this looks like CAS\(ME\)\^2, not CASME II"):
        read_dataset("casme2", database(tmp_path))
    images(tmp_path / "other" / "sub01" / "EP02_01f", [1, 2])
    with pytest.raises(BadInput, match=r"this looks like CASME II, not CAS\(ME\)\^2"):
        read_dataset("casme-sq", tmp_path / "other")


def test_selections_that_it_has_not(tmp_path: Path) -> None:
    database(tmp_path)
    with pytest.raises(LearnetError, match=r"CAS\(ME\)\^2 has no tree 'raw'"):
        read_dataset("casme-sq", tmp_path, DatasetSubset(tree="raw"))
    with pytest.raises(LearnetError, match=r"has no part.*expressions micro\|macro\|all"):
        read_dataset("casme-sq", tmp_path, DatasetSubset(part="HS"))


def test_published_numbers() -> None:
    assert (CASME_SQ.people, CASME_SQ.fps, CASME_SQ.default_scheme, dict(CASME_SQ.published)) == (
        22,
        30.0,
        "casme-sq-4",
        {},
    )
    assert "57 micro" in CASME_SQ.published_source and "300 macro" in CASME_SQ.published_source


@pytest.mark.parametrize("shift", [1, 10])
def test_labels_at_other_columns_are_a_serious_finding(tmp_path: Path, shift: int) -> None:
    """On a sheet of their own, or beside the others."""
    path = database(tmp_path) / BOOK
    book = openpyxl.load_workbook(path)
    page = book.create_sheet("more") if shift == 1 else book.worksheets[0]
    for column, cell in enumerate((7, "happy2_1", 20, 30, 40, "12", "positive", "macro-expression")):
        page.cell(3, 1 + shift + column, cell)
    book.save(path)
    reading = read(tmp_path)
    assert len(reading.clips) == len(MICRO)
    finding = of_kind(reading, "rows that are not read")
    assert finding.serious and "row 3: " in finding.what
