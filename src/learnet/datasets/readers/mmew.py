"""MMEW as its owners ship it: the micro-expressions, as face crops in folders by emotion, with or without a level of subjects.

A clip is found by its name alone: the folder of its emotion may be called otherwise than its label. The macro-expressions beside are single
pictures, and nothing of them is read. `docs/datasets/mmew.md` says what is assumed and how sure it is.
"""

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from learnet.core.labels import ALIASES, EMOTIONS
from learnet.core.records import Clip, DatasetIndex, Finding
from learnet.core.settings import DatasetSubset
from learnet.datasets.readers.reading.dataset import Dataset
from learnet.datasets.readers.reading.folder_tree import checked_root, same, subject_number, survey
from learnet.datasets.readers.reading.matching import Row, Source
from learnet.datasets.readers.reading.reader import Placed, Plan, collect_from
from learnet.datasets.readers.reading.spreadsheet import Form
from learnet.datasets.readers.reading.workbooks import COLUMNS, NEEDED, Books, by_name, row_of, subject_of

OTHERS = ("others", "repression")
"""One class under two words: copies differ in which one the workbook and the folder have."""

WORDS = ("happiness", "surprise", "disgust", *OTHERS, "fear", "sadness", "anger")

FORM = Form(COLUMNS, NEEDED)
WORKBOOKS = ("mmewmicroexpv2", "mmewmicroexp")

TREES = ("cropped",)
"""Nobody is known to have anything but the face crops of 231 x 231."""

CLIP = re.compile(r"s[0-9]{1,3}-[0-9]{1,3}-[0-9]{1,4}")
"""Subject, number of the emotion, sample. The single pictures of macro-expressions are called like this too, but they are no folders."""

_CLASSES = {*EMOTIONS, *ALIASES}


def _person(clip: str) -> int | None:
    """3 for S03-07-093."""
    return subject_number(clip.partition("-")[0])


def _rows(cells: dict[str, str], where: str) -> list[Row]:
    number = subject_of(cells, named=_person(cells["name"]))
    return [row_of(cells, where, f"S{number:02d}")]


def _place(way: Sequence[str]) -> Placed | None:
    """A clip's folder, below the levels of its emotion and its subject in any order, doubled or missing; one level below it may follow."""
    names = [same(name) for name in way]
    places = [place for place, name in enumerate(names) if CLIP.fullmatch(name)]
    if (
        not places
        or places[-1] < len(names) - 2
        or any("macro" in name and "micro" not in name for name in names)
    ):
        return None
    top, clip = places[-1], names[places[-1]]
    while top and _is_level(names[top - 1], clip):
        top -= 1
    strangers = [name for name in way[top : places[-1]] if subject_number(name) not in (None, _person(clip))]
    odd = f"it lies with {strangers[-1]}, and is taken for the subject's in its name" if strangers else ""
    return Placed(top, (clip,), odd)


def _is_level(name: str, clip: str) -> bool:
    """Whether a folder above a clip is the one of its emotion, a subject or itself; a mere number is a subject only if it is the clip's."""
    number = subject_number(name)
    return name in (*_CLASSES, clip) or (
        number is not None and (name.startswith("s") or number == _person(clip))
    )


PLAN = Plan(
    books=Books(
        dataset="mmew",
        title="MMEW",
        example="MMEW_Micro_Exp.xlsx",
        form=FORM,
        emotions=WORDS,
        rows=_rows,
        preferred=WORKBOOKS,
        beside=("macro",),
        key=by_name,
    ),
    example="Micro_Expression/happiness/S01-01-001",
    place=_place,
    trees=TREES,
    kind=lambda way, folders: TREES[0],
    source=lambda tree: Source("mmew", 90.0, cropped=True, renumbered=True),
)


def read(root: Path, selection: DatasetSubset = DatasetSubset()) -> DatasetIndex:
    """Every labelled micro-expression of an MMEW folder; `collect` says how."""
    found = survey(checked_root(root))
    reading = collect_from(found, selection, PLAN)
    lie = {clip.key: _class_above(clip.path, found.root) for clip in reading.clips}
    doubts = [doubt for clip in reading.clips for doubt in _doubts(clip, lie[clip.key])]
    words = {"workbook": {clip.emotion for clip in reading.clips}, "folders": set(lie.values())}
    others = [
        f"{' and '.join(sorted(said & set(OTHERS)))} in the {place}"
        for place, said in words.items()
        if said & set(OTHERS)
    ]
    return replace(
        reading,
        findings=[*reading.findings, *doubts],
        about=reading.about | {"others are called": ", ".join(others) or "nothing"},
    )


def _class_above(folder: Path, root: Path) -> str:
    """The emotion after which a folder above the clip is called; "" where none is."""
    names = [same(name) for name in folder.relative_to(root).parts]
    word = next((name for name in reversed(names) if name in _CLASSES), "")
    return ALIASES.get(word, word)


def _doubts(clip: Clip, lies_in: str) -> list[Finding]:
    """A label against the folder it lies in: the workbook is what everybody goes by, but one of them is wrong."""
    if lies_in in ("", clip.emotion) or {lies_in, clip.emotion} == set(OTHERS):
        return []
    what = f"it lies in {lies_in}, and the workbook says {clip.emotion}, which is taken"
    return [Finding("folder and label differ", clip.key, what, serious=True)]


MMEW = Dataset(
    name="mmew",
    title="MMEW",
    read=read,
    fps=90.0,
    people=36,
    counted="300 clips in all, certain; how many of each class nobody is sure; how many people, likely",
    apply="http://www.dpailab.com/database.html",
    signs=(r"mmew[ _-]*micro.*", r"(.*/)?s\d{2}-\d{2}-\d{3}"),
)
