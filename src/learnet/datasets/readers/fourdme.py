"""4DME, the grey pictures: micro clips whole or cropped, or the long videos, with the workbook of micro-expressions.

Little is known for certain of how it lies on disk, so everything is found by content, and the audit says what was found.
`docs/datasets/4dme.md` says what is assumed.
"""

import re
from collections.abc import Sequence
from pathlib import Path

from learnet.core.errors import BadInput
from learnet.core.labels import parse_emotion
from learnet.core.records import DatasetIndex, Finding
from learnet.core.settings import DatasetSubset
from learnet.datasets.readers.reading.dataset import Dataset
from learnet.datasets.readers.reading.folder_tree import named_clip, same, subject_clip, subject_number
from learnet.datasets.readers.reading.matching import Row, Source
from learnet.datasets.readers.reading.reader import Placed, Plan, collect
from learnet.datasets.readers.reading.spreadsheet import (
    Form,
    Table,
    is_missing,
    normalise,
    read_table,
    whole_number,
)
from learnet.datasets.readers.reading.workbooks import NEEDED, Books, Labels, by_name

EMOTIONS = ("surprise", "repression", "positive", "negative", "others")
"""4DME's words, in the order in which the first of several becomes the clip's one emotion: `Surprise+Positive` is a surprise. The more
particular word goes before the broader one, and others last; the rule is ours, for no published one is known."""

FORM = Form(
    columns={
        "subject": ("subid", "subject"),
        "name": ("foldname", "filename"),
        "onset": ("onset", "onsetframe"),
        "apex": ("apex", "apexframe"),
        "offset": ("offset", "offsetframe"),
        "action_units": ("aus", "actionunits"),
        "emotion": ("emotion", "emotions"),
        **{word: (word,) for word in EMOTIONS},  # one flag each
    },
    needed=NEEDED,
)
WORKBOOKS = ("4dmelabellingmicro", "4dmelabelingmicro")

TREES = ("micro", "micro-cropped", "long", "other")
"""gray_micro, gray_micro_crop, the long grey videos; other is colour or depth, of which nobody says how it lies. Whole pictures come first:
who made the crops is not known."""

CLIP = re.compile(r"s?[0-9]{1,3}(_[0-9a-z]+){2,}")
"""S13_1st_001_01_1 is the one known example. A clip of another form is found below the folder of its subject."""

_COUNTS = (
    "onset",
    "apex",
    "offset",
    "emotion",
)  # what a clip's row has, and the row of sums at the end of pre-release copies has not


def _rows(cells: dict[str, str], where: str) -> list[Row]:
    if _is_summary(cells):
        return []
    words = _words(cells["emotion"], where)
    if not words:
        raise ValueError("no emotion is given")
    row = Row(
        subject=_subject(cells["subject"]),
        name=cells["name"],
        emotion=words[0],
        onset=whole_number(cells["onset"]),
        apex=whole_number(cells["apex"]),
        offset=whole_number(cells["offset"]),
        where=where,
        action_units=cells["action_units"],
        also="+".join(words[1:]),
    )
    return [row]


def _is_summary(cells: dict[str, str]) -> bool:
    return all(is_missing(cells[name]) for name in _COUNTS)


def _subject(text: str) -> str:
    """`S07` for S07, S7, 7 and the 7.0 that pre-release copies have; other words as they are."""
    number = subject_number(re.sub(r"\.0*$", "", text))
    return text if number is None else f"S{number:02d}"


def _words(text: str, where: str) -> list[str]:
    """The emotions of a cell such as `Surprise+Positive`, in the order of EMOTIONS."""
    found = {parse_emotion(word, where) for word in re.split(r"[+,/&]", text) if not is_missing(word)}
    if foreign := sorted(found - set(EMOTIONS)):
        raise ValueError(f"4DME has no emotion {' and '.join(foreign)}")
    return [word for word in EMOTIONS if word in found]


def _checked(table: Table, rows: list[Row]) -> tuple[list[Row], list[Finding]]:
    """ROWS as they are; what the flags say against the emotions, and which rows were taken for sums."""
    findings = []
    cells_of = {table.where(index): cells for index, cells in enumerate(table.rows)}
    for where, cells in cells_of.items():
        if _is_summary(cells):
            text = " ".join(filter(None, cells.values()))[:80]
            findings.append(
                Finding(
                    "row passed over", table.path.name, f"{where} has neither frames nor an emotion: {text!r}"
                )
            )
    for row in rows:
        words = {row.emotion, *filter(None, row.also.split("+"))}
        flags = {word for word in EMOTIONS if _is_set(cells_of[row.where][word])}
        if flags and flags != words:
            said = ["+".join(word for word in EMOTIONS if word in each) for each in (words, flags)]
            what = f"{row.where}: the emotion is {said[0]}, the flags say {said[1]}; the emotion is taken"
            findings.append(
                Finding("emotion and flags differ", f"4dme/{row.subject}/{row.name}", what, serious=True)
            )
    return rows, findings


def _is_set(cell: str) -> bool:
    return not is_missing(cell) and cell.strip("0.") != ""


def _read(path: Path) -> Table:
    """The table of a workbook.

    Raises:
        BadInput: see `read_table`; or it is the one of the long videos, by its name.
    """
    if "macro" in normalise(path.stem):
        wrong = (
            "is the workbook of the long videos, whose macro-expressions would be taken for micro-expressions"
        )
        raise BadInput(
            path,
            wrong,
            "Put the workbook of micro-expressions (4DME_Labelling_Micro_release v1.xlsx) beside the clips.",
        )
    return read_table(path, FORM)


def _place(way: Sequence[str]) -> Placed | None:
    if found := named_clip(way, CLIP):
        return Placed(found[0], (same(found[1]),))
    placed = subject_clip(way)
    return Placed(placed[0], (same(placed[2]),)) if placed else None


def _kind(way: str, folders: list[tuple[Row, Path]]) -> str:
    """By the names of the folders; where they say nothing it is taken for the micro clips."""
    if any(piece in way for piece in ("rgb", "colour", "color", "depth", "kinect")):
        return "other"
    if "long" in way:
        return "long"
    return "micro-cropped" if "crop" in way else "micro"


def _about(labels: Labels) -> dict[str, str]:
    several = sum(bool(row.also) for row in labels.rows)
    return {
        "emotions": f"{several} of {len(labels.rows)} rows have several; the first of {', '.join(EMOTIONS)} is taken"
    }


PLAN = Plan(
    books=Books(
        dataset="4dme",
        title="4DME",
        example="4DME_Labelling_Micro_release v1.xlsx",
        form=FORM,
        emotions=EMOTIONS,
        rows=_rows,
        preferred=WORKBOOKS,
        beside=("macro",),
        read=_read,
        repair=_checked,
        key=by_name,
    ),
    example="S13/S13_1st_001_01_1",
    place=_place,
    trees=TREES,
    kind=_kind,
    source=lambda tree: Source("4dme", 60.0, cropped=tree == "micro-cropped", renumbered=tree != "long"),
    about=_about,
)


def read(root: Path, selection: DatasetSubset = DatasetSubset()) -> DatasetIndex:
    """Every labelled clip of a 4DME folder; `collect` says how. The tree is one of TREES."""
    return collect(root, selection, PLAN)


FOURDME = Dataset(
    name="4dme",
    title="4DME",
    read=read,
    fps=60.0,
    counted="267 clips, of classes that nobody counted; one loader, likely",
    apply="University of Oulu, Center for Machine Vision and Signal Analysis, as SMIC; doi 10.1109/TAFFC.2022.3182342",
    takes={"tree": TREES},
    signs=(
        r"4dme[ _-]*labell?ing.*",
        r"(.*/)?s\d{1,3}_\d+(st|nd|rd|th)_\d+_\d+_\d+",
        r"(.*/)?gray_micro(_crop)?/.*",
    ),
)
