"""MMEW on disk, in both forms of its tree, with invented clips: each trap has its test."""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from learnet.core.errors import BadInput, LearnetError
from learnet.core.labels import SCHEMES, UnknownLabel
from learnet.core.settings import DatasetSubset
from learnet.datasets import read_dataset
from learnet.datasets.readers.mmew import MMEW, read
from learnet.datasets.synthetic.layouts import LAYOUTS
from tests.builders.written_by_hand import clip_fields, clips, images, kinds, of_kind

HEADER = (
    "Subject",
    "Filename",
    "OnsetFrame",
    "ApexFrame",
    "OffsetFrame",
    "Action Units",
    "Estimated Emotion",
    "remarks",
)
ROWS: list[tuple] = [
    (1, "S01-01-091", 1, 12, 30, "6+12", "happiness", None),
    (1, "S01-02-092", 1, 40, 25, "1+2", "surprise", "apex wrong"),
    (3, "S03-07-093", 5, 9, 99, 4, "others", "folder holds 20 frames only"),
    (30, "S30-03-094", 4, 20, 31, "4+7", "anger", None),
]
LAST = {"S01-01-091": 30, "S01-02-092": 25, "S03-07-093": 20, "S30-03-094": 40}
"""The last frame of each folder; all begin at 1."""
EXPECTED = [
    ("S01", "S01-01-091", "happiness", 1, 12, 30, "file", "6+12"),
    ("S01", "S01-02-092", "surprise", 1, 13, 25, "midpoint", "1+2"),
    ("S03", "S03-07-093", "others", 5, 9, 20, "file", "4"),
    ("S30", "S30-03-094", "anger", 4, 20, 31, "file", "4+7"),
]
FOUND = ["apex outside the clip", "frames missing"]
NAME = "MMEW_Micro_Exp.xlsx"
MICRO, MACRO = Path("MMEW_Final", "Micro_Expression"), Path("MMEW_Final", "Macro_Expression")
FORMS = {"by emotion": "{emotion}", "by subject": "S{subject:02d}/{emotion}"}


def workbook(path: Path, rows: Iterable[Sequence] = ROWS, header: Sequence = HEADER) -> Path:
    book = openpyxl.Workbook()
    book.active.append(list(header))
    for row in rows:
        book.active.append(list(row))
    path.parent.mkdir(parents=True, exist_ok=True)
    book.save(path)
    return path


def tree(root: Path, form: str = FORMS["by emotion"], others: str = "repression") -> Path:
    """All frames of the clips of ROWS. The folder of the label others has another name, as in some copies."""
    for subject, name, *_, emotion, _ in ROWS:
        level = form.format(subject=subject, emotion=others if emotion == "others" else emotion)
        images(root / level / name, range(1, LAST[name] + 1), "{}.jpg")
    return root


def macro(root: Path) -> Path:
    """Single pictures of macro-expressions, called like clips."""
    for number in range(1, 4):
        images(root / "S01" / "anger", [number], "S01-03-{:03d}.jpg")
        images(root / "S30" / "happiness", [number], "S30-01-{:03d}.jpg")
    return root


def database(root: Path, form: str = FORMS["by emotion"]) -> Path:
    workbook(root / NAME)
    tree(root / MICRO, form)
    macro(root / MACRO)
    return root


def changed(place: int, **cells: object) -> list[tuple]:
    """ROWS with cells of one row changed."""
    places = {"subject": 0, "name": 1, "onset": 2, "apex": 3, "offset": 4, "units": 5, "emotion": 6}
    rows = [list(row) for row in ROWS]
    for name, value in cells.items():
        rows[place][places[name]] = value
    return [tuple(row) for row in rows]


@pytest.mark.parametrize("form", FORMS)
def test_both_forms_of_the_tree(tmp_path: Path, form: str) -> None:
    reading = read(database(tmp_path, FORMS[form]))
    assert clips(reading) == EXPECTED
    assert all(clip.cropped and clip.fps == 90.0 and clip.kind == "micro" for clip in reading.clips)
    level = "S01/happiness" if form == "by subject" else "happiness"
    assert (
        reading.clips[0].path == tmp_path / MICRO / level / "S01-01-091"
        and reading.clips[0].key == "mmew/S01/S01-01-091"
    )
    assert kinds(reading) == FOUND and kinds(reading, serious=True) == ["frames missing"]
    assert reading.about["workbook"] == f"{NAME}, sheet Sheet, 8 columns, 4 rows"
    assert reading.about["tree"] == f"cropped, {MICRO}, 4 clip folders"


@pytest.mark.parametrize(
    "macros",
    [("S01/anger", "S01-03-{:03d}.jpg"), ("S01/anger/S01-01-091", "{}.jpg"), ("S01-01-091", "{}.jpg")],
)
def test_macro_expressions_are_no_clips_and_no_folders_without_row(
    tmp_path: Path, macros: tuple[str, str]
) -> None:
    """Should a copy have folders instead of pictures, their names would be those of micro-expressions."""
    database(tmp_path)
    images(tmp_path / "MMEW_Final" / "A_Macro_Expression" / macros[0], range(1, 50), macros[1])
    reading = read(tmp_path)
    assert clips(reading) == EXPECTED and kinds(reading) == FOUND
    assert reading.about["tree"].endswith(" 4 clip folders") and reading.about["other trees"] == "none"


def test_macro_expressions_alone_are_not_the_database(tmp_path: Path) -> None:
    macro(tmp_path / MACRO)
    workbook(tmp_path / NAME)
    with pytest.raises(
        BadInput, match=r"there are no folders of clips \(such as Micro_Expression/happiness/S01-01-001\)"
    ):
        read(tmp_path)


@pytest.mark.parametrize(
    "folder, label",
    [("repression", "others"), ("others", "repression"), ("others", "others"), ("Other", "Others ")],
)
def test_the_folder_of_the_last_class_may_be_called_otherwise(
    tmp_path: Path, folder: str, label: str
) -> None:
    tree(tmp_path / MICRO, others=folder)
    workbook(tmp_path / NAME, changed(2, emotion=label))
    reading = read(tmp_path)
    word = "repression" if label == "repression" else "others"
    assert clips(reading) == [*EXPECTED[:2], ("S03", "S03-07-093", word, *EXPECTED[2][3:]), EXPECTED[3]]
    assert kinds(reading) == FOUND
    lies = "repression" if folder == "repression" else "others"
    assert reading.about["others are called"] == f"{word} in the workbook, {lies} in the folders"
    assert {SCHEMES[scheme].of[word] for scheme in ("mmew-7", "mmew-4")} == {
        "others"
    }  # one class in both copies


def test_a_clip_is_found_by_its_name_in_any_folder(tmp_path: Path) -> None:
    """A folder of another emotion is reported, since one of the two labels is wrong; one of none is not."""
    database(tmp_path)
    (tmp_path / MICRO / "anger" / "S30-03-094").rename(tmp_path / MICRO / "disgust-S30-03-094")
    (tmp_path / MICRO / "more").mkdir()
    (tmp_path / MICRO / "disgust-S30-03-094").rename(tmp_path / MICRO / "more" / "S30-03-094")
    (tmp_path / MICRO / "happiness" / "S01-01-091").rename(tmp_path / MICRO / "surprise" / "S01-01-091")
    reading = read(tmp_path)
    assert clips(reading) == EXPECTED
    assert kinds(reading) == sorted([*FOUND, "folder and label differ"])
    finding = of_kind(reading, "folder and label differ")
    assert (
        finding.serious
        and finding.what == "it is stored in surprise, and the workbook says happiness, which is used"
    )
    assert finding.where == "mmew/S01/S01-01-091"


def test_a_clip_in_another_persons_folder_is_used_where_it_belongs(tmp_path: Path) -> None:
    database(tmp_path, FORMS["by subject"])
    (tmp_path / MICRO / "S30" / "anger" / "S30-03-094").rename(tmp_path / MICRO / "S01" / "S30-03-094")
    reading = read(tmp_path)
    assert clips(reading) == EXPECTED
    assert of_kind(reading, "folder misplaced").where == f"{MICRO}/S01/S30-03-094"


def test_a_clip_that_is_stored_twice_is_one(tmp_path: Path) -> None:
    """A copy in which somebody made the folder that his program expects."""
    database(tmp_path)
    images(tmp_path / MICRO / "others" / "S03-07-093", range(1, 21), "{}.jpg")
    reading = read(tmp_path)
    assert clips(reading) == EXPECTED
    assert of_kind(reading, "clip folder twice").where == f"{MICRO}/repression/S03-07-093"


def test_images_far_below_a_clip_are_not_its_frames(tmp_path: Path) -> None:
    database(tmp_path)
    images(tmp_path / MICRO / "fear" / "S02-05-099" / "old" / "small", range(1, 9), "{}.jpg")
    assert kinds(read(tmp_path)) == FOUND


@pytest.mark.parametrize(
    "name", [NAME, "MMEW_Micro_Exp (20).xlsx", "MMEW_Micro_Exp_v2.xlsx", "mmew micro exp.XLSX", "labels.xlsx"]
)
def test_workbooks_under_any_name(tmp_path: Path, name: str) -> None:
    tree(tmp_path / MICRO)
    workbook(tmp_path / name)
    assert clips(read(tmp_path)) == EXPECTED


def test_copies_by_a_browser_are_versions(tmp_path: Path) -> None:
    """The one called v2 comes first, and what the copies say otherwise is reported."""
    database(tmp_path)
    workbook(tmp_path / "MMEW_Micro_Exp (20).xlsx", changed(3, emotion="disgust"))
    workbook(tmp_path / "MMEW_Micro_Exp_v2.xlsx", changed(0, apex=14))
    reading = read(tmp_path)
    assert reading.about["workbook"].startswith("MMEW_Micro_Exp_v2.xlsx, ")
    assert reading.about["other workbooks"] == f"MMEW_Micro_Exp (20).xlsx, {NAME}"
    assert (reading.clips[0].apex, reading.clips[3].emotion) == (14, "anger")
    assert kinds(reading) == sorted(
        [*FOUND, "versions differ in emotion", *["versions differ in frames"] * 2]
    )


@pytest.mark.parametrize(
    "marks, last, taken, found",
    [
        ((1, 12, 31), 30, (1, 12, 30, "file"), {"frames missing": False}),
        ((1, 12, 75), 30, (1, 12, 30, "file"), {"frames missing": True}),
        ((1, 56, 75), 30, (1, 15, 30, "midpoint"), {"frames missing": True, "apex outside the clip": False}),
        ((1, None, 75), 30, (1, 15, 30, "midpoint"), {"frames missing": True, "apex not given": False}),
        ((1, 0, 30), 30, (1, 15, 30, "midpoint"), {"apex outside the clip": False}),
        ((3, 31, 30), 30, (3, 16, 30, "midpoint"), {"apex outside the clip": False}),
        ((0, 12, 30), 30, (1, 12, 30, "file"), {"frames missing": False}),
    ],
)
def test_marks_beyond_the_folder(
    tmp_path: Path, marks: tuple, last: int, taken: tuple, found: dict[str, bool]
) -> None:
    """An offset after the last file becomes the last file, an apex outside becomes the middle frame."""
    images(tmp_path / MICRO / "happiness" / "S01-01-091", range(1, last + 1), "{}.jpg")
    workbook(tmp_path / NAME, changed(0, onset=marks[0], apex=marks[1], offset=marks[2])[:1])
    reading = read(tmp_path)
    assert clip_fields(reading.clips[0])[3:7] == taken
    assert {finding.kind: finding.serious for finding in reading.findings} == found


@pytest.mark.parametrize("apex, taken", [(52, 12), (None, 15), (90, 15)])
def test_a_folder_that_is_cut_to_its_clip_is_used_one_to_one(
    tmp_path: Path, apex: int | None, taken: int
) -> None:
    """Rows that count from the recording: 41..70 are 30 frames, and so are 1..30."""
    tree(tmp_path / MICRO)
    workbook(tmp_path / NAME, changed(0, onset=41, apex=apex, offset=70))
    reading = read(tmp_path)
    assert clip_fields(reading.clips[0])[3:6] == (1, taken, 30)
    assert (
        of_kind(reading, "frames renumbered").what
        == f"{NAME} row 2: 41..70 are stored here as 1..30, one to one"
    )


def test_a_cut_folder_of_another_length_is_no_clip(tmp_path: Path) -> None:
    tree(tmp_path / MICRO)
    workbook(tmp_path / NAME, changed(0, onset=41, apex=52, offset=75))
    reading = read(tmp_path)
    assert clips(reading) == EXPECTED[1:]
    assert "no frame has a number from 41 to 75; there are 1 to 30" in of_kind(reading, "clip left out").what


def test_rows_that_cannot_be_used_are_reported(tmp_path: Path) -> None:
    """A clip under another person's number would stand on both sides of a split."""
    rows = [*ROWS, (2, "S01-01-095", 1, 2, 3, 4, "fear"), ("he", "S02-01-095", 1, 2, 3, 4, "fear"),
            (2, "S02-01-096", 1, 2, 3, 4, None),
            (2, "S02-01-097", 1.5, 2, 3, 4, "fear"), (2, "S02-01-098", 1, 2, 3, 4, "fear"),
            (None, "300 clips")]  # fmt: skip
    tree(tmp_path / MICRO)
    images(tmp_path / MICRO / "fear" / "S02-01-099", range(1, 9), "{}.jpg")
    workbook(tmp_path / NAME, rows)
    reading = read(tmp_path)
    assert clips(reading) == EXPECTED
    assert kinds(reading, serious=True) == ["frames missing"] + ["row not usable"] * 4 + [
        "row without folder"
    ]
    assert of_kind(reading, "folder without row").where == f"{MICRO}/fear/S02-01-099"
    said = " ".join(finding.what for finding in reading.findings)
    assert "subject 2 cannot have the clip S01-01-095" in said and "'he' is not a subject's number" in said
    assert "no emotion is given" in said and "'1.5' is not a whole number" in said and "300 clips" in said


def test_an_unknown_label_stops(tmp_path: Path) -> None:
    tree(tmp_path / MICRO)
    workbook(tmp_path / NAME, changed(0, emotion="joy"))
    with pytest.raises(UnknownLabel, match=f"{NAME} row 2: the label 'joy' is not known"):
        read(tmp_path)
    workbook(tmp_path / NAME, changed(0, emotion="tense"))
    with pytest.raises(BadInput, match="has the emotions tense, which MMEW does not use"):
        read(tmp_path)


def test_there_is_nothing_to_select(tmp_path: Path) -> None:
    with pytest.raises(LearnetError, match="MMEW has no expressions. It accepts no selection"):
        read_dataset("mmew", database(tmp_path), DatasetSubset(expressions="macro"))
    assert (MMEW.people, MMEW.default_scheme, dict(MMEW.published)) == (36, "mmew-7", {})


LEVELS = ["{e}", "s{s}/{e}", "S{s:02d}/{e}", "{e}/S{s:02d}", "sub{s:02d}", ".", "{E}/{E}", "{s}/{e}"]


@given(
    st.lists(st.sampled_from(LEVELS), min_size=4, max_size=4),
    st.sampled_from([str, str.upper, str.lower]),
    st.sampled_from(["{}.jpg", "{:03d}.JPG", "img{}.png", "{}.jpg.jpg"]),
    st.lists(st.sampled_from(["MMEW", "MMEW_Final", "Micro_Expression", "Micro_and_Macro"]), max_size=3),
    st.sampled_from(["{}", "{0}/{0}", "{}/frames"]),
    st.sampled_from([str, "{:02d}".format, "S{:02d}".format, " s{} ".format, int]),
)
@settings(max_examples=40, deadline=None)
def test_padding_case_and_levels_do_not_matter(
    tmp_path_factory, levels, case, pattern, above, clip, cell
) -> None:
    root = tmp_path_factory.mktemp("levels")
    workbook(root / NAME, [(cell(row[0]), case(row[1]), *row[2:]) for row in ROWS])
    for level, (subject, name, *_, emotion, _) in zip(levels, ROWS, strict=True):
        folder = level.format(s=subject, e=emotion, E=emotion.title())
        images(root.joinpath(*above, folder) / clip.format(case(name)), range(1, LAST[name] + 1), pattern)
    reading = read(root)
    assert [(one[0], one[1].upper(), *one[2:]) for one in clips(reading)] == EXPECTED
    assert kinds(reading) == FOUND
    assert len(reading.about["tree"].split(", ")) == 3  # one tree, whatever lies between it and its clips


MARKS = st.one_of(st.none(), st.sampled_from(["/", ""]), st.integers(-1, 80))


@given(st.sets(st.integers(1, 40), min_size=1), MARKS, MARKS, MARKS)
@settings(max_examples=80, deadline=None)
def test_a_clip_never_points_at_frames_that_are_not_there(
    tmp_path_factory, there, onset, apex, offset
) -> None:
    """Whatever is missing or wrong, there is a clip of frames that are there, or a serious finding."""
    root = tmp_path_factory.mktemp("frames")
    tree(root / MICRO)
    images(root / MICRO / "fear" / "S09-05-099", there, "{}.jpg")
    workbook(root / NAME, [*ROWS, (9, "S09-05-099", onset, apex, offset, 4, "fear")])
    reading = read(root)
    found = [clip for clip in reading.clips if clip.name == "S09-05-099"]
    assert found or any(
        finding.serious and finding.where == "mmew/S09/S09-05-099" for finding in reading.findings
    )
    for clip in found:
        assert {clip.onset, clip.apex, clip.offset} <= there


@pytest.mark.parametrize(
    "form, insides",
    [("by emotion", ["happiness", "happiness/S01-01-091"]), ("by subject", ["S01", "S01/happiness"])],
)
def test_a_part_of_the_tree_is_not_the_database(tmp_path: Path, form: str, insides: list[str]) -> None:
    """One emotion or one subject alone would be a shorter list without a word."""
    database(tmp_path, FORMS[form])
    for inside in insides:
        with pytest.raises(BadInput, match="not the database") as refusal:
            read(tmp_path / MICRO / inside)
        assert f"Give {tmp_path / MICRO}" in refusal.value.hint
    assert clips(read(tmp_path / MICRO)) == EXPECTED  # the workbook is above
    with pytest.raises(BadInput, match="this looks like MMEW, not CASME"):
        read_dataset("casme", tmp_path)


def test_workbooks_that_are_open_cut_short_or_away_and_links_in_a_circle(tmp_path: Path) -> None:
    database(tmp_path)
    (tmp_path / MICRO / "loop").symlink_to(tmp_path)
    (tmp_path / f"~${NAME}").write_bytes(b"\x04Anna" + bytes(160))
    assert (clips(read(tmp_path)), kinds(read(tmp_path))) == (EXPECTED, [*FOUND, "workbook is open"])
    whole = (tmp_path / NAME).read_bytes()
    (tmp_path / NAME).write_bytes(whole[: len(whole) // 2])
    with pytest.raises(BadInput, match=f"{NAME}: is damaged or cut short"):
        read(tmp_path)
    (tmp_path / NAME).unlink()
    with pytest.raises(BadInput, match=f"there is no label workbook \\({NAME}"):
        read(tmp_path / MICRO)


def test_the_synthetic_database_is_read_as_it_was_played(synthetic_database: Callable[..., Path]) -> None:
    root = synthetic_database("mmew", 2, 5, 3)
    reading = read(root)
    scenes = LAYOUTS["mmew"].scenes(2, 5, 3)
    assert len(reading.clips) == len(scenes) == 10
    assert kinds(reading) == ["apex outside the clip", "frames missing"]
    for clip, scene in zip(reading.clips, scenes, strict=True):
        assert (clip.subject, clip.emotion, clip.onset, clip.offset) == (
            f"S{scene.person:02d}",
            scene.emotion,
            scene.onset,
            scene.offset,
        )
        assert clip.apex == scene.apex or clip.apex_source == "midpoint"
        assert clip.action_units == scene.action_units
