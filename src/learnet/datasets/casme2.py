"""CASME II as its owners ship it: every known version of the label workbook, and the raw, selected and cropped trees.

Nothing is taken from a version's name that its content can tell. `docs/datasets/casme2.md` says what is assumed and how sure it is.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from learnet.clip import Clip, Finding, Reading
from learnet.datasets.dataset import Dataset
from learnet.datasets.match import Row, Source, distinct, match, without_row
from learnet.datasets.tree import Listing, Tree, checked_root, images_in, is_tree, read_tree, readable, same, subject_number, walk
from learnet.datasets.workbook import Form, Table, is_missing, normalise, read_table, whole_number
from learnet.errors import BadInput, BadVideo, pick
from learnet.labels import ALIASES, EMOTIONS, emotion

PUBLISHED = {"others": 99, "disgust": 63, "happiness": 32, "repression": 27, "surprise": 25, "sadness": 7, "fear": 2}
"""Clips per emotion of the 20140508 workbook: 255, of which 246 in the five classes (247 where sub24/EP02_07 has a row)."""

FORM = Form(
    columns={
        "subject": ("subject", "sub", "subjects"),
        "name": ("filename", "file", "filenames"),
        "onset": ("onsetframe", "onset"),
        "apex": ("apexframe", "apex"),
        "offset": ("offsetframe", "offset"),
        "action_units": ("actionunits", "actionunit", "aus", "au"),
        "emotion": ("estimatedemotion", "emotion", "estimatedemotions", "emotions"),
    },
    needed=("subject", "name", "onset", "apex", "offset", "emotion"),
)
WORKBOOKS = ("casme2coding20140508", "casme2coding20190701", "casme2codingupdated", "casme2coding", "casme2labelver2")
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
    "as in 20140508 (with sub24/EP07_01, EP07_04f, EP10_03)": ((24, "ep07_01"), (24, "ep07_04f"), (24, "ep10_03")),
    "as in Ver_2 (with sub03/EP01_2, sub15/EP04_02, sub17/EP01_13)": ((3, "ep01_2"), (15, "ep04_02"), (17, "ep01_13")),
}  # two lists of 25 surprises are in use; results on one are not results on the other
_LEVELS = 4  # below the root; ROOT/CASME2/Cropped-updated/Cropped is the deepest known way to pack a tree
_PARENTS = 3  # above the root, where the workbook lies if the root is a tree

Key = tuple[int, str]  # subject number, clip name as `same` writes it


@dataclass(frozen=True)
class _Kind:
    """A tree that holds clips of the workbook."""

    name: str  # one of TREES
    tree: Tree
    hits: int  # rows that have a folder in it


def read(root: Path, tree: str | None = None) -> Reading:
    """Every labelled clip of a CASME II folder.

    Args:
        root: the folder that was unpacked, or one above it, or a tree of clips inside it (then this tree is used).
        tree: one of TREES; the first of them that is there, if none is named.

    Returns:
        The clips in the workbook's order, what was found on the way, and which workbook and tree were used.

    Raises:
        BadInput: no such folder, no workbook or tree of CASME II in it, a workbook that cannot be used, or no such tree.
        UnknownLabel: an emotion nobody knows.
    """
    root = checked_root(root)
    places, closed = walk(root, _LEVELS)
    trees = [read_tree(path, found) for path, found in places.items() if is_tree(found)]
    if not any(each.clips for each in trees):
        raise _no_tree(root, places)
    tables, findings = _workbooks(root, places, {key for each in trees for key in each.clips})
    table = tables[0]
    rows, problems = _rows(table)
    findings += [Finding("folder not readable", _way(path, root), "it may hold clips or a workbook", serious=True) for path in closed]
    findings += problems + [finding for other in tables[1:] for finding in _compare(table, other)]
    kinds = _kinds(root, trees, table, rows)
    chosen = _choose(root, kinds, tree)
    clips, problems = _clips(root, rows, chosen, kinds)
    findings += problems
    if not clips:
        raise BadInput(root, f"none of the {len(table.rows)} rows of {table.path.name} gives a clip; {findings[-1].what}")
    return Reading(clips, findings, _about(root, tables, kinds, chosen) | {"clips": _count(clips, table)})


def _no_tree(root: Path, places: dict[Path, Listing]) -> BadInput:
    for above in root.parents[:2]:
        if (found := readable(above)) and is_tree(found):
            return BadInput(root, "this is a single subject or clip, not the database", f"Give {above}, or the folder above it.")
    packed = [name for found in places.values() for name in found.files if name.lower().endswith((".zip", ".rar", ".7z"))]
    if packed:
        return BadInput(root, f"there are no folders of clips, but packed archives ({', '.join(packed[:3])})", "Unpack them.")
    wrong = "there are no folders of clips (such as sub01/EP02_01f) in it, nor up to four levels below"
    return BadInput(root, wrong, "Give the folder into which CASME II was unpacked.")


def _workbooks(root: Path, places: dict[Path, Listing], folders: set[Key]) -> tuple[list[Table], list[Finding]]:
    """The workbooks that name clips in FOLDERS, the preferred one first. Above ROOT only where there is none in it."""
    refused: list[BadInput] = []
    findings: list[Finding] = []
    above = ({parent: found} for parent in root.parents[:_PARENTS] if (found := readable(parent)))
    for group in (places, *above):
        tables = []
        for path in _candidates(group, findings):
            try:
                tables.append(_usable(path, folders))
            except BadInput as wrong:
                refused.append(wrong)
        if tables:
            findings += [Finding("workbook not used", wrong.path.name, str(wrong)) for wrong in refused if not _is_classes(wrong.path)]
            return tables, findings
    named = [wrong for wrong in refused if _rank(wrong.path) < len(WORKBOOKS)]
    if named or refused:
        raise (named or refused)[0]
    hint = "Put it beside the folders of clips." + (" Its lock file is there: was it moved?" if findings else "")
    raise BadInput(root, "there is no label workbook (CASME2-coding-20140508.xlsx or another version)", hint)


def _candidates(places: dict[Path, Listing], findings: list[Finding]) -> list[Path]:
    """The workbooks in these folders, the preferred version first, then the one nearest to the root; lock files become findings."""
    ranked = []
    for folder, found in places.items():
        for name in found.files:
            if name.startswith("~$"):
                what = "a spreadsheet program has this workbook open; changes that are not saved are not read"
                findings.append(Finding("workbook is open", name, what))
            elif name.lower().endswith((".xlsx", ".xls")):
                ranked.append((_rank(folder / name), len(folder.parts), folder / name))
    return [path for *_, path in sorted(ranked)]


def _rank(path: Path) -> int:
    stem = normalise(path.stem)
    return next((rank for rank, known in enumerate(WORKBOOKS) if stem.startswith(known)), len(WORKBOOKS))


def _is_classes(path: Path) -> bool:
    """`CASME2-ObjectiveClasses.xlsx` lies beside every workbook, and holds no frames and no emotions."""
    return "objectiveclass" in normalise(path.stem)


def _usable(path: Path, folders: set[Key]) -> Table:
    """The table of a workbook; refused where it is another database's (SAMM and MMEW have the same columns)."""
    table = read_table(path, FORM)
    words = {ALIASES.get(word, word) for word in (row["emotion"].lower() for row in table.rows)}
    foreign = sorted(words & set(EMOTIONS) - set(PUBLISHED))
    if foreign:
        raise BadInput(path, f"has the emotions {', '.join(foreign)}, which CASME II does not use", "Is it another database's?")
    if not folders & _by_key(table).keys():
        raise BadInput(path, f"names no clip that has a folder (it has {len(table.rows)} rows)", "Do the clips lie where it expects them?")
    return table


def _by_key(table: Table) -> dict[Key, dict[str, str]]:
    """The rows by clip; the first of several."""
    numbered = ((subject_number(row["subject"]), row) for row in reversed(table.rows))
    return {(number, same(row["name"])): row for number, row in numbered if number is not None}


def _rows(table: Table) -> tuple[list[Row], list[Finding]]:
    """The rows as values, one per clip, with the published repairs where they are safe; a row that cannot be used is a finding."""
    rows, findings = [], []
    for line, cells in table.notes.items():
        filled = sum(bool(cells[name]) for name in FORM.needed)
        what = f"{table.path.name} row {line} names no {' and no '.join(key for key in FORM.keys if not cells[key])}"
        findings.append(Finding("row passed over", table.path.name, f"{what}: {' '.join(filter(None, cells.values()))[:80]!r}", filled > 2))
    for index, cells in enumerate(table.rows):
        try:
            rows.append(_row(cells, table.where(index)))
        except ValueError as wrong:
            findings.append(Finding("row not usable", f"casme2/{cells['subject']}/{cells['name']}", f"{table.where(index)}: {wrong}", True))
    rows, repairs = _repaired(table, rows)
    rows, repeats = distinct(rows, "casme2")
    return rows, findings + repairs + repeats


def _row(cells: dict[str, str], where: str) -> Row:
    number = subject_number(cells["subject"])
    if number is None:
        raise ValueError(f"{cells['subject']!r} is not a subject's number")
    if is_missing(cells["emotion"]):
        raise ValueError("no emotion is given")
    return Row(
        subject=f"{number:02d}",  # text `01` in the workbook, `1` where a spreadsheet program has been at it
        name=cells["name"],
        emotion=emotion(cells["emotion"], where),
        onset=whole_number(cells["onset"]),
        apex=whole_number(cells["apex"]),
        offset=whole_number(cells["offset"]),
        where=where,
        action_units=cells["action_units"],
    )


def _repaired(table: Table, rows: list[Row]) -> tuple[list[Row], list[Finding]]:
    """ROWS with the published repairs of the 256-row workbook, and only of that one.

    The repairs name rows by position, so they hold only where the rows without an apex are exactly the repaired ones, and each is
    taken only where its row still lacks the value and the frame lies in the clip. Otherwise the middle frame serves, as always.
    """
    if len(table.rows) != REPAIRS_ROWS:
        return rows, []
    bare = {line - 2 for line, cells in zip(table.lines, table.rows, strict=True) if is_missing(cells["apex"])}
    if bare != set(REPAIRED_APEXES):
        what = f"{len(bare)} rows lack an apex, and not those for which repairs are published; middle frames are taken instead"
        return rows, [Finding("repairs not applied", table.path.name, what)]
    position = {table.where(index): line - 2 for index, line in enumerate(table.lines)}
    fixed, findings = [], []
    for row in rows:
        apex, offset = REPAIRED_APEXES.get(position[row.where]), REPAIRED_OFFSETS.get(position[row.where])
        key = f"casme2/{row.subject}/{row.name}"
        if offset is not None and (row.offset is None or (apex is not None and row.offset < apex)):
            findings.append(Finding("offset repaired", key, f"{row.where}: {row.offset} becomes {offset}, as published by meb"))
            row = replace(row, offset=offset)
        if apex is not None and row.onset is not None and row.offset is not None and row.onset <= apex <= row.offset:
            findings.append(Finding("apex repaired", key, f"{row.where}: {apex}, as published by meb"))
            row = replace(row, apex=apex, apex_source="repaired")
        fixed.append(row)
    return fixed, findings


def _compare(used: Table, other: Table) -> Iterator[Finding]:
    """What another workbook says differently about the same clips. Tables that share few clips are not of one database."""
    ours, theirs = _by_key(used), _by_key(other)
    both = ours.keys() & theirs.keys()
    if 2 * len(both) < min(len(ours), len(theirs)):
        return
    for key in sorted(ours.keys() | theirs.keys()):
        mine, its = ours.get(key), theirs.get(key)
        where = f"casme2/{key[0]:02d}/{(mine or its or {})['name']}"
        if mine is None or its is None:
            there, absent = (used, other) if its is None else (other, used)
            yield Finding("versions differ in rows", where, f"{there.path.name} has this clip, {absent.path.name} has not", serious=True)
            continue
        words = [row["emotion"].lower() for row in (mine, its)]
        if words[0] != words[1]:
            what = f"{used.path.name} says {words[0]}, {other.path.name} says {words[1]}; the first is taken"
            yield Finding("versions differ in emotion", where, what, serious=True)
        frames = ["/".join(row[mark].removesuffix(".0") or "none" for mark in ("onset", "apex", "offset")) for row in (mine, its)]
        if frames[0] != frames[1]:
            what = f"onset/apex/offset are {frames[0]} in {used.path.name}, {frames[1]} in {other.path.name}; the first is taken"
            yield Finding("versions differ in frames", where, what)


def _kinds(root: Path, trees: list[Tree], table: Table, rows: list[Row]) -> list[_Kind]:
    """The trees that hold clips of the workbook, in the order of TREES; where any lies beside or below the workbook, only those."""
    base = table.path.parent
    near = [tree for tree in trees if tree.root.is_relative_to(base)]
    kinds = []
    for tree in near if any(_folders(tree, rows) for tree in near) else trees:
        folders = _folders(tree, rows)
        if folders:
            way = tree.root.relative_to(base) if tree in near else Path(tree.root.name)
            kinds.append(_Kind(_kind(same(str(way)), folders), tree, len(folders)))
    return sorted(kinds, key=lambda kind: (TREES.index(kind.name), -kind.hits))


def _folders(tree: Tree, rows: list[Row]) -> list[tuple[Row, Path]]:
    keys = ((row, tree.clips.get((int(row.subject), same(row.name)))) for row in rows)
    return [(row, folder) for row, folder in keys if folder]


def _kind(way: str, folders: list[tuple[Row, Path]]) -> str:
    """Which of TREES this is: by the prefix of the owners' crops, else by the folders' names, else by where the numbers begin."""
    for row, folder in folders[:20]:
        try:
            images = images_in(folder)
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


def _choose(root: Path, kinds: list[_Kind], name: str | None) -> _Kind:
    if not kinds:
        raise BadInput(root, "no row of the workbook that can be used has a folder")
    if name is None:
        return kinds[0]
    pick(dict.fromkeys(TREES), name, "CASME II tree")
    for kind in kinds:
        if kind.name == name:
            return kind
    raise BadInput(root, f"there is no {name} tree", f"There is {', '.join(sorted({kind.name for kind in kinds}))}.")


def _clips(root: Path, rows: list[Row], chosen: _Kind, kinds: list[_Kind]) -> tuple[list[Clip], list[Finding]]:
    source = Source("casme2", 200.0, cropped=chosen.name.startswith("cropped"))
    clips, used = [], set()
    findings = [
        Finding("clip folder twice", _way(left, root), f"{_way(kept, root)} is the same clip and is used")
        for kept, left in chosen.tree.twice
    ]
    for row in rows:
        key = (int(row.subject), same(row.name))
        folder = chosen.tree.clips.get(key)
        if folder is None:
            elsewhere = sorted({kind.name for kind in kinds if key in kind.tree.clips})
            what = f"{row.where}: the {chosen.name} tree has no such folder" + (f", but {' and '.join(elsewhere)} has" if elsewhere else "")
            findings.append(Finding("row without folder", f"casme2/{row.subject}/{row.name}", what, serious=True))
            continue
        used.add(key)
        clip, problems = match(row, folder, source)
        findings += problems
        if clip:
            clips.append(clip)
    findings += [without_row(_way(folder, root)) for key, folder in chosen.tree.clips.items() if key not in used]
    return clips, findings


def _about(root: Path, tables: list[Table], kinds: list[_Kind], chosen: _Kind) -> dict[str, str]:
    table = tables[0]
    sided = any(re.search(r"[LRlr]\d", row["action_units"]) for row in table.rows)
    surprised = {key for key, row in _by_key(table).items() if row["emotion"].lower() == "surprise"}
    kind = next((kind for kind, keys in _SURPRISE.items() if surprised >= set(keys)), "in neither of the two known lists")
    return {
        "workbook": f"{table.path.name}, sheet {table.sheet}, {len(table.headers)} columns, {len(table.rows)} rows",
        "action units": "with sides (L10)" if sided else "without sides",
        "surprises": kind,
        "other workbooks": ", ".join(other.path.name for other in tables[1:]) or "none",
        "tree": f"{chosen.name}, {_way(chosen.tree.root, root)}, {len(chosen.tree.clips)} clip folders",
        "other trees": ", ".join(f"{other.name}, {_way(other.tree.root, root)}" for other in kinds if other is not chosen) or "none",
    }


def _way(path: Path, root: Path) -> str:
    return path.name if path == root else str(path.relative_to(root))


def _count(clips: list[Clip], table: Table) -> str:
    return f"{len(clips)} from {len(table.rows)} rows, {len({clip.person for clip in clips})} people"


CASME2 = Dataset(
    name="casme2",
    title="CASME II",
    read=read,
    fps=200.0,
    classes="casme2-5",
    published=PUBLISHED,
    people=26,
    apply="http://casme.psych.ac.cn/casme/e2",
    hidden=("12", "22"),
)
