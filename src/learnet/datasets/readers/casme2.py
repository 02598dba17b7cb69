"""CASME II as its owners ship it: every known version of the label workbook, and the raw, selected and cropped trees.

Nothing is taken from a version's name that its content can tell. `docs/datasets/casme2.md` says what is assumed and how sure it is.
"""

import re
from dataclasses import replace
from pathlib import Path

from learnet.core.errors import BadVideo
from learnet.core.records import DatasetIndex, Finding
from learnet.core.settings import DatasetSubset
from learnet.datasets.readers.reading.dataset import Dataset
from learnet.datasets.readers.reading.folder_tree import same
from learnet.datasets.readers.reading.matching import Row, Source
from learnet.datasets.readers.reading.reader import Plan, collect, place_below_subject
from learnet.datasets.readers.reading.spreadsheet import Form, Table, is_missing
from learnet.datasets.readers.reading.workbooks import COLUMNS, NEEDED, Books, Labels, row_of, subject_of
from learnet.video.images import image_files

PUBLISHED = {
    "others": 99,
    "disgust": 63,
    "happiness": 32,
    "repression": 27,
    "surprise": 25,
    "sadness": 7,
    "fear": 2,
}
"""Clips per emotion of the 20140508 workbook: 255, of which 246 in the five classes (247 where sub24/EP02_07 has a row)."""

FORM = Form(COLUMNS, NEEDED)
WORKBOOKS = (
    "casme2coding20140508",
    "casme2coding20190701",
    "casme2codingupdated",
    "casme2coding",
    "casme2labelver2",
)
"""Order of preference where several workbooks lie together. The first is the one whose counts are published."""

TREES = ("cropped", "cropped-updated", "raw-selected", "raw")
"""Order of preference where several trees lie together. The owners' registered crops are what most results rest on."""

REPAIRS_ROWS = 256
REPAIRED_APEXES = {
    29: 279, 35: 68, 43: 77, 45: 81, 51: 166, 53: 100, 60: 78, 117: 187, 118: 89, 126: 80, 136: 88, 147: 134, 155: 231, 168: 53,
    170: 329, 177: 111, 202: 91, 203: 103, 234: 98, 237: 153, 238: 98,
}  # fmt: skip
REPAIRED_OFFSETS = {60: 91}
"""Position among the 256 rows (from 0) -> frame. Estimates by optical flow, not the owners'. Source: github.com/tvaranka/meb."""

_SURPRISE = {
    "as in 20140508 (with sub24/EP07_01, EP07_04f, EP10_03)": (
        (24, "ep07_01"),
        (24, "ep07_04f"),
        (24, "ep10_03"),
    ),
    "as in Ver_2 (with sub03/EP01_2, sub15/EP04_02, sub17/EP01_13)": (
        (3, "ep01_2"),
        (15, "ep04_02"),
        (17, "ep01_13"),
    ),
}  # two lists of 25 surprises are in use; results on one are not results on the other


def _rows(cells: dict[str, str], where: str) -> list[Row]:
    # text `01` in the workbook, `1` where a spreadsheet program has been at it
    return [row_of(cells, where, f"{subject_of(cells):02d}")]


def _repaired(table: Table, rows: list[Row]) -> tuple[list[Row], list[Finding]]:
    """ROWS with the published repairs of the 256-row workbook, and only of that one.

    The repairs name rows by position, so they hold only where the rows without an apex are exactly the repaired ones, and each is
    taken only where its row still lacks the value and the frame lies in the clip. Otherwise the middle frame serves, as always.
    """
    if len(table.rows) != REPAIRS_ROWS:
        return rows, []
    bare = {
        line - 2 for line, cells in zip(table.lines, table.rows, strict=True) if is_missing(cells["apex"])
    }
    if bare != set(REPAIRED_APEXES):
        what = f"{len(bare)} rows lack an apex, and not those for which repairs are published; middle frames are taken instead"
        return rows, [Finding("repairs not applied", table.path.name, what)]
    position = {table.where(index): line - 2 for index, line in enumerate(table.lines)}
    fixed, findings = [], []
    for row in rows:
        apex, offset = REPAIRED_APEXES.get(position[row.where]), REPAIRED_OFFSETS.get(position[row.where])
        key = f"casme2/{row.subject}/{row.name}"
        if offset is not None and (row.offset is None or (apex is not None and row.offset < apex)):
            findings.append(
                Finding(
                    "offset repaired", key, f"{row.where}: {row.offset} becomes {offset}, as published by meb"
                )
            )
            row = replace(row, offset=offset)
        if (
            apex is not None
            and row.onset is not None
            and row.offset is not None
            and row.onset <= apex <= row.offset
        ):
            findings.append(Finding("apex repaired", key, f"{row.where}: {apex}, as published by meb"))
            row = replace(row, apex=apex, apex_source="repaired")
        fixed.append(row)
    return fixed, findings


def _kind(way: str, folders: list[tuple[Row, Path]]) -> str:
    """Which of TREES this is: by the prefix of the owners' crops, else by the folders' names, else by where the numbers begin."""
    for row, folder in folders[:20]:
        try:
            images = image_files(folder)
        except BadVideo:  # told when the clip is matched
            continue
        if not images:
            continue
        first, path = next(iter(images.items()))
        if path.name.lower().startswith("reg_") or "crop" in way:
            return "cropped-updated" if "updat" in way else "cropped"
        if "select" in way:
            return "raw-selected"
        if row.onset is not None and row.onset > 1:
            return "raw" if first <= 1 else "raw-selected"
    return "raw"


def _about(labels: Labels) -> dict[str, str]:
    sided = any(re.search(r"[LRlr]\d", row.action_units) for row in labels.rows)
    surprised = {(int(row.subject), same(row.name)) for row in labels.rows if row.emotion == "surprise"}
    kind = next(
        (kind for kind, keys in _SURPRISE.items() if surprised >= set(keys)),
        "in neither of the two known lists",
    )
    return {"action units": "with sides (L10)" if sided else "without sides", "surprises": kind}


PLAN = Plan(
    books=Books(
        dataset="casme2",
        title="CASME II",
        example="CASME2-coding-20140508.xlsx",
        form=FORM,
        emotions=PUBLISHED,
        rows=_rows,
        preferred=WORKBOOKS,
        beside=("objectiveclass",),  # lies beside every workbook, and holds no frames and no emotions
        repair=_repaired,
    ),
    example="sub01/EP02_01f",
    place=place_below_subject,
    trees=TREES,
    kind=_kind,
    source=lambda tree: Source("casme2", 200.0, cropped=tree.startswith("cropped")),
    about=_about,
)


def read(root: Path, selection: DatasetSubset = DatasetSubset()) -> DatasetIndex:
    """Every labelled clip of a CASME II folder; `collect` says how. The tree is one of TREES."""
    return collect(root, selection, PLAN)


CASME2 = Dataset(
    name="casme2",
    title="CASME II",
    read=read,
    fps=200.0,
    published=PUBLISHED,
    people=26,
    counted="the 20140508 workbook; certain",
    apply="http://casme.psych.ac.cn/casme/e2",
    hidden=("12", "22"),
    takes={"tree": TREES},
    signs=(r"casme2[ _-]*(coding|label|raw|objective).*", r"(.*/)?sub0?\d+/ep\d+_\d\df?"),
)
