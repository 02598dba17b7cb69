"""Part A of CAS(ME)^3: published repairs, versions of the workbook, macro-expressions."""

from collections.abc import Iterable
from pathlib import Path

import pytest

from learnet.core.errors import BadInput
from learnet.core.labels import UnknownLabel
from learnet.core.settings import DatasetSubset
from learnet.datasets.readers.casme3 import read
from tests.builders.written_by_hand import clips, images, kinds, of_kind
from tests.datasets.readers.casme3.written import (
    ALL_V2,
    EXPECTED,
    HEADER,
    MACRO,
    ROWS,
    V2,
    Cells,
    all_book,
    book,
    cut,
    database,
    frames_of,
    recorded,
)

REPAIRED: list[Cells] = [
    ("spNO.149", "d", 112, 83, 190, "4", "V", "disgust"),
    ("spNO.216", "d", 3647, 2655, 2660, "4", "V", "disgust"),
    ("spNO.216", "e", 0, 0, 16, "4", "V", "disgust"),
    ("spNO.214", "c", 20, 26, 3460, "4", "V", "disgust"),
    ("spNO.40", "e", 1812, 1824, 0, "4", "V", "disgust"),
    ("spNO.40", "e", 2327, 2363, 0, "4", "V", "disgust"),
]
"""Subject, letter and the wrong frames are from the table of facts, the others invented."""


@pytest.mark.parametrize("tree", ["raw", "clips"])
def test_the_published_repairs(tmp_path: Path, tree: str) -> None:
    """In the tree of clips the folder is called by the onset as the workbook has it, or as it should be."""
    book(tmp_path / V2, REPAIRED)
    for subject, letter, onset, first, last in (
        ("149", "d", 112, 100, 200), ("216", "d", 2647, 2600, 2700), ("216", "e", 0, 1, 30),
        ("214", "c", 20, 8, 60),
        ("40", "e", 1812, 1810, 1860), ("40", "e", 2327, 2320, 2420),
    ):  # fmt: skip
        folder = (
            f"spNo.{subject}_{letter}_{onset}" if tree == "clips" else f"part_A/spNO.{subject}/{letter}/color"
        )
        images(tmp_path / folder, range(first, last + 1), "{}.jpg")
    reading = read(tmp_path)
    assert [
        (clip.subject, clip.name, clip.onset, clip.apex, clip.offset, clip.apex_source)
        for clip in reading.clips
    ] == [
        ("spNO.149", "d_112", 112, 160, 190, "repaired"),
        ("spNO.216", "d_3647", 2647, 2655, 2660, "file"),
        ("spNO.216", "e_0", 1, 1, 16, "repaired"),
        ("spNO.214", "c_20", 20, 26, 34, "file"),
        ("spNO.40", "e_1812", 1812, 1824, 1845, "file"),
        ("spNO.40", "e_2327", 2327, 2363, 2403, "file"),
    ]
    sources = []
    for finding in reading.findings:
        if finding.kind.endswith("repaired"):
            sources.append((finding.kind, "by meb" in finding.what, "by the owners" in finding.what))
    assert sources == [
        ("apex repaired", False, True),
        ("onset repaired", False, True),
        ("onset and apex repaired", True, False),
        ("offset repaired", True, False),
        ("offset repaired", False, True),
        ("offset repaired", False, True),
    ]
    change = f"{V2} row 2: apex 83 becomes 160"
    assert reading.findings[0].what == f"{change}, as corrected by the owners in {ALL_V2}"


WITHOUT_EMOTION = (*HEADER[:6], "Expression type", "Objective class")


def owners_book(path: Path, micro: Iterable[Cells] = ROWS, macro: Iterable[Cells] = MACRO) -> Path:
    """The workbook of both kinds as the owners publish it: it has no emotions."""
    rows = [(*row[:6], "Macro-expression", row[6]) for row in macro]
    rows += [(*row[:6], "Micro-expression", row[6]) for row in micro]
    return book(path, rows, WITHOUT_EMOTION, ("AU+Emotion", "eye blink"))


def test_what_the_owners_have_beside_is_right_against_a_guess_of_others(tmp_path: Path) -> None:
    """meb guesses an offset of 34; the owners have 40 in their workbook of all expressions."""
    rows = [("spNO.214", "c", 20, 26, 3460, "4", "V", "disgust")]
    book(tmp_path / V2, rows)
    images(tmp_path / "part_A" / "spNO.214" / "c" / "color", range(8, 60), "{}.jpg")
    assert frames_of(read(tmp_path), "c_20") == (20, 26, 34, "file")
    owners_book(tmp_path / "owners" / ALL_V2, [("spNO.214", "c", 20, 26, 40, "4", "V")])
    reading = read(tmp_path)
    assert frames_of(reading, "c_20") == (20, 26, 40, "file")
    assert of_kind(reading, "offset repaired").what.endswith(f"as corrected by the owners in {ALL_V2}")
    assert kinds(reading, serious=True) == []
    owners_book(tmp_path / "owners" / ALL_V2, rows)  # they have not corrected it
    assert frames_of(read(tmp_path), "c_20") == (20, 26, 34, "file")


def test_the_owners_workbook_of_all_expressions_has_no_emotions(tmp_path: Path) -> None:
    """Macro-expressions have that of their objective class, micro-expressions that of the label file."""
    database(tmp_path)
    owners_book(tmp_path / "annotation" / ALL_V2, ROWS, [*MACRO, ("spNO.902", "b", 200, 210, 230, "9", "IV")])
    cut(tmp_path / "Part_A_MaE_clip" / "frame", [*MACRO, ("spNO.902", "b", 200, 210, 230)])
    micro, macro, both = (
        read(tmp_path, DatasetSubset(expressions=wish)) for wish in ("micro", "macro", "all")
    )
    assert clips(micro) == EXPECTED and kinds(micro, serious=True) == []
    assert [(clip.name, clip.emotion, clip.kind) for clip in macro.clips] == [
        ("a_400", "happiness", "macro"),
        ("b_50", "sadness", "macro"),
        ("b_200", "disgust", "macro"),
    ]
    finding = of_kind(macro, "emotion by objective class")
    assert "3 macro-expressions" in finding.what and not finding.serious
    assert both.clips == macro.clips + micro.clips
    assert kinds(macro, serious=True) == kinds(both, serious=True) == []
    assert "emotion by objective class" not in kinds(micro)


def test_without_the_label_file_there_are_macro_expressions_only(tmp_path: Path) -> None:
    owners_book(tmp_path / ALL_V2)
    recorded(tmp_path / "part_A", [*ROWS, *MACRO])
    macro = read(tmp_path, DatasetSubset(expressions="macro"))
    assert [clip.emotion for clip in macro.clips] == ["happiness", "sadness"]
    assert kinds(macro, serious=True) == []
    for expressions in ("micro", "all"):
        with pytest.raises(BadInput, match="no column `emotion`") as refusal:
            read(tmp_path, DatasetSubset(expressions=expressions))
        assert V2 in refusal.value.hint


def test_micro_expressions_find_their_emotion_where_the_workbooks_differ_in_frames(tmp_path: Path) -> None:
    """The onset was corrected in one of the two; a row that the label file lacks is reported."""
    book(tmp_path / V2, [("spNO.901", "a", 955, 359, 366, "5", "II", "fear")])
    owners_book(
        tmp_path / ALL_V2,
        [("spNO.901", "a", 355, 359, 366, "5", "II"), ("spNO.901", "a", 500, 505, 510, "5", "II")],
    )
    recorded(tmp_path / "part_A", [("spNO.901", "a", 355, 0, 600), *MACRO])
    both = read(tmp_path, DatasetSubset(expressions="all"))
    assert [(clip.name, clip.emotion) for clip in both.clips if clip.kind == "micro"] == [("a_355", "fear")]
    (unusable,) = [finding for finding in both.findings if finding.serious]
    assert "no emotion is given" in unusable.what


def test_a_repair_takes_only_the_row_that_is_still_wrong(tmp_path: Path) -> None:
    """Another subject, another letter, another frame, or a row that is right already."""
    rows = [("spNO.148", "d", 112, 83, 130, "4", "V", "fear"),
            ("spNO.149", "c", 112, 83, 130, "4", "V", "fear"),
            ("spNO.149", "d", 112, 115, 130, "4", "V", "fear"),
            ("spNO.216", "d", 2647, 2655, 2660, "4", "V", "fear")]  # fmt: skip
    book(tmp_path / V2, rows)
    recorded(tmp_path / "part_A", rows)
    reading = read(tmp_path)
    assert [(clip.onset, clip.apex, clip.apex_source) for clip in reading.clips] == [
        (112, 121, "midpoint"), (112, 121, "midpoint"), (112, 115, "file"), (2647, 2655, "file"),
    ]  # fmt: skip
    assert not any("meb" in finding.what for finding in reading.findings)


def test_a_repair_that_makes_no_sense_is_not_applied(tmp_path: Path) -> None:
    """34 can be the offset of spNO.214 c only if its onset, which was not published, is before 34."""
    rows = [
        ("spNO.214", "c", 3450, 3455, 3460, "4", "V", "fear"),
        ("spNO.149", "d", 112, 83, 120, "4", "V", "fear"),
    ]
    book(tmp_path / V2, rows)
    cut(tmp_path / "frame", rows)
    reading = read(tmp_path)
    assert frames_of(reading, "c_3450") == (3450, 3455, 3460, "file")
    assert frames_of(reading, "d_112") == (112, 116, 120, "midpoint")
    assert kinds(reading).count("repair not applied") == 2


V1 = ("cas(me)3_part_A_ME_label_JpgIndex_v1.xls", "CAS(ME)3_part_A_v1.xls")


def first_version(root: Path, name: str) -> Path:
    """Version 1 has a row that version 2 calls a macro-expression, and two columns without a name."""
    rows = [*ROWS, ("spNO.901", "a", 400, 430, 470, "12", "I", "happy")]
    if "JpgIndex" in name:
        return book(root / name, [(*row, "", "1") for row in rows], (*HEADER, "", ""))
    return all_book(root / name, rows, MACRO[1:])


@pytest.mark.parametrize("name", V1)
def test_version_1_is_used_only_if_nothing_else_is_there_and_then_reported_as_serious(
    tmp_path: Path, name: str
) -> None:
    database(tmp_path)
    cut(tmp_path / "Part_A_ME_clip" / "Part_A_ME_clip" / "frame", MACRO[:1])
    first_version(tmp_path, name)
    reading = read(tmp_path)
    assert clips(reading) == EXPECTED
    assert reading.about["workbook"].startswith(V2) and reading.about["other workbooks"] == name
    assert kinds(reading, serious=True) == []
    finding = of_kind(reading, "version superseded")
    assert (
        finding.where == name
        and "version 1, in which macro-expressions are labelled micro" in finding.what
        and finding.what.endswith("it is not used")
    )
    assert of_kind(reading, "versions differ in rows").where == "casme3/spNO.901/a_400"

    (tmp_path / V2).unlink()
    reading = read(tmp_path)
    assert len(reading.clips) == 6
    assert of_kind(reading, "version superseded").serious and of_kind(
        reading, "version superseded"
    ).what.endswith("it is used")


def test_version_2_under_another_name_goes_before_version_1(tmp_path: Path) -> None:
    database(tmp_path)
    (tmp_path / V2).rename(tmp_path / "labels.xlsx")
    first_version(tmp_path, V1[0])
    assert read(tmp_path).about["workbook"].startswith("labels.xlsx")


def test_version_1_under_another_name_is_recognised_by_its_rows(tmp_path: Path) -> None:
    rows = [
        ("spNO.901", "a", onset, onset + 2, onset + 5, "4", "V", "fear") for onset in range(100, 100 + 921)
    ]
    book(tmp_path / "labels.xlsx", rows)
    images(tmp_path / "part_A" / "spNO.901" / "a" / "color", range(8, 1100), "{}.jpg")
    assert of_kind(read(tmp_path), "version superseded").serious
    book(tmp_path / "labels.xlsx", rows[:860])
    assert "version superseded" not in kinds(read(tmp_path))


def test_the_list_of_what_version_1_has_wrong_is_no_workbook(tmp_path: Path) -> None:
    database(tmp_path)
    wrong = "CAS(ME)3_part_A_wrongly_labeled_me_in_V1.xlsx"
    book(tmp_path / wrong, MACRO)
    assert kinds(read(tmp_path), serious=True) == [] and "workbook not used" not in kinds(read(tmp_path))
    (tmp_path / V2).unlink()
    with pytest.raises(
        BadInput, match="lists rows that are wrong in version 1, not labels. Use cas\\(me\\)3_part_A_ME_label"
    ):
        read(tmp_path)


@pytest.mark.parametrize(
    "words",
    [
        ("Micro-expression", "Macro-expression"),
        ("micro", "macro"),
        ("ME", "MaE"),
        (" MICRO EXPRESSION", "macroexpression "),
    ],
)
def test_macro_expressions_are_in_the_workbook_of_all(tmp_path: Path, words: Cells) -> None:
    database(tmp_path)
    all_book(tmp_path / ALL_V2, words=words)
    cut(tmp_path / "Part_A_MaE_clip" / "frame", MACRO)
    micro, macro, both = (
        read(tmp_path, DatasetSubset(expressions=wish)) for wish in ("micro", "macro", "all")
    )
    assert clips(micro) == EXPECTED and kinds(micro, serious=True) == []
    assert clips(macro) == [
        ("spNO.901", "a_400", "happiness", 400, 430, 470, "file", "12"),
        ("spNO.902", "b_50", "anger", 50, 80, 120, "file", "4+7"),
    ]
    assert {clip.kind for clip in macro.clips} == {"macro"} and {clip.kind for clip in micro.clips} == {
        "micro"
    }
    assert both.clips == macro.clips + micro.clips  # in the workbook's order
    assert macro.published == {}  # nobody counted them by emotion
    assert both.about["workbook"].startswith(ALL_V2) and micro.about["workbook"].startswith(V2)
    assert kinds(macro, serious=True) == kinds(both, serious=True) == []
    (tmp_path / V2).unlink()
    assert clips(read(tmp_path)) == EXPECTED  # its micro-expressions are those of the other workbook


def test_all_expressions_of_recordings_leave_no_recording_without_a_row(tmp_path: Path) -> None:
    book(tmp_path / V2)
    all_book(tmp_path / ALL_V2)
    recorded(tmp_path / "part_A", [*ROWS, *MACRO, ("spNO.905", "c", 20, 25, 30)])
    both = read(tmp_path, DatasetSubset(expressions="all"))
    assert len(both.clips) == 6
    assert [finding.where for finding in both.findings if finding.kind == "folder without row"] == [
        "part_A/spNO.905/c/color"
    ]


def test_a_frame_at_which_a_micro_and_a_macro_expression_begin_is_reported_as_serious(tmp_path: Path) -> None:
    database(tmp_path)
    all_book(tmp_path / ALL_V2, macro=[*MACRO, ("spNO.901", "a", 355, 380, 399, "12", "I", "happy")])
    cut(tmp_path / "Part_A_MaE_clip" / "frame", MACRO)
    both = read(tmp_path, DatasetSubset(expressions="all"))
    assert len({clip.key for clip in both.clips}) == len(both.clips) == 7
    assert [finding.where for finding in both.findings if finding.kind == "row twice"] == [
        "casme3/spNO.901/a_355"
    ]


def test_macro_expressions_need_their_workbook_and_their_column(tmp_path: Path) -> None:
    database(tmp_path)
    with pytest.raises(
        BadInput,
        match=(
            "has no column `Expression type`, so no macro-expressions. They are in CAS\\(ME\\)3_part_A_v2.xls"
        ),
    ):
        read(tmp_path, DatasetSubset(expressions="macro"))
    all_book(tmp_path / ALL_V2, words=("Micro-expression", "blink"))
    reported = [
        finding
        for finding in read(tmp_path, DatasetSubset(expressions="micro")).findings
        if finding.kind == "row not usable"
    ]
    assert not reported  # of a workbook that is not used
    (tmp_path / V2).unlink()
    reported = [finding for finding in read(tmp_path).findings if finding.kind == "row not usable"]
    assert (
        len(reported) == 2
        and reported[0].serious
        and "'blink' is neither a micro- nor a macro-expression" in reported[0].what
    )


def test_a_row_that_does_not_say_its_kind_is_reported(tmp_path: Path) -> None:
    database(tmp_path).joinpath(V2).unlink()
    all_book(tmp_path / ALL_V2, macro=[], words=("Micro-expression", ""))
    assert clips(read(tmp_path)) == EXPECTED
    all_book(tmp_path / ALL_V2, micro=ROWS[1:], macro=ROWS[:1], words=("Micro-expression", ""))
    assert clips(read(tmp_path)) == EXPECTED[1:]
    assert "'' is neither a micro- nor a macro-expression" in of_kind(read(tmp_path), "row not usable").what


def test_for_all_expressions_a_recording_goes_before_clips(tmp_path: Path) -> None:
    """With clips of micro-expressions and recordings, macro-expressions are in the recordings only."""
    database(tmp_path)
    all_book(tmp_path / ALL_V2)
    recorded(tmp_path / "part_A", [*ROWS, *MACRO])
    for wish, number in (("micro", 5), ("macro", 2), ("all", 6)):
        reading = read(tmp_path, DatasetSubset(expressions=wish))
        assert (len(reading.clips), reading.about["tree"].split(",")[0]) == (
            number,
            "clips" if wish == "micro" else "raw",
        )


def test_a_workbook_of_all_expressions_without_their_type_is_refused(tmp_path: Path) -> None:
    rows = [
        ("spNO.901", "a", onset, onset + 2, onset + 5, "4", "V", "fear") for onset in range(100, 100 + 922)
    ]
    book(tmp_path / "labels.xlsx", rows)
    images(tmp_path / "part_A" / "spNO.901" / "a" / "color", range(8, 1100), "{}.jpg")
    with pytest.raises(BadInput, match="has 922 rows and no column `Expression type`"):
        read(tmp_path)


def test_rows_that_cannot_be_used_are_reported_not_lost(tmp_path: Path) -> None:
    database(tmp_path)
    book(tmp_path / V2, [*ROWS, ("nobody", "a", 1, 2, 3, "4", "V", "fear"),
                         ("spNO.901", "a2", 1, 2, 3, "4", "V", "fear"),
                         ("spNO.901", "a", "/", 2, 3, "4", "V", "fear"),
                         ("spNO.901", "a", "x", 2, 3, "4", "V", "fear"),
                         ("spNO.901", "a", 1, 2, 3, "4", "V", "/"),
                         ("spNO.901", "", 1, 2, 3, "4", "V", "fear")])  # fmt: skip
    reading = read(tmp_path)
    assert clips(reading) == EXPECTED
    assert kinds(reading, serious=True) == ["row not usable"] * 5 + ["row passed over"]
    said = " ".join(finding.what for finding in reading.findings)
    assert (
        "'nobody' is not a subject such as spNO.1" in said and "'a2' is not the letter of a recording" in said
    )
    assert (
        "no onset is given" in said and "'x' is not a whole number" in said and "no emotion is given" in said
    )


def test_an_unknown_label_stops_with_its_row(tmp_path: Path) -> None:
    database(tmp_path)
    book(tmp_path / V2, [*ROWS, ("spNO.901", "b", 1, 2, 3, "4", "V", "bewilderment")])
    with pytest.raises(UnknownLabel, match=r"v2.xlsx row 7: the label 'bewilderment' is not known"):
        read(tmp_path)
