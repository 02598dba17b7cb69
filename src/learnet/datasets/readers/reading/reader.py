"""From the folder a user names to clips: the trees in it, the workbook, the rows, and everything that was found on the way.

One road for all databases, whether their labels stand in workbooks or in the names of folders; what a database has of its own stands in
its `Plan`.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

from learnet.core.errors import BadInput, counted, pick
from learnet.core.labels import UnknownLabel
from learnet.core.records import Clip, DatasetIndex, Finding
from learnet.core.settings import DatasetSubset
from learnet.datasets.readers.reading.folder_tree import (
    Key,
    Survey,
    Tree,
    Way,
    checked_root,
    same,
    subject_clip,
    survey,
)
from learnet.datasets.readers.reading.matching import Row, Source, distinct, match, without_row
from learnet.datasets.readers.reading.spreadsheet import Table
from learnet.datasets.readers.reading.workbooks import Books, Labelling, Labels, read_labels
from learnet.video.images import image_files

RECORDINGS_KEPT = (
    16  # listings of thousands of images each; the clips of a recording stand together in the workbook
)


@dataclass(frozen=True)
class Placed:
    """What a way to images says: the clip they are of, and how many names of the way stand above the tree's clips."""

    above: int
    key: Key
    odd: str = ""  # what is wrong with the place where it lies; another folder of the clip comes first


Place = Callable[
    [Sequence[str]], Placed | None
]  # way to a folder of images -> its clip; None where it is none of the database


def place_below_subject(way: Sequence[str]) -> Placed | None:
    """The Place of folders SUBJECT/CLIP in a database that writes its subjects with two digits; `by_subject_and_name` finds them."""
    found = subject_clip(way)
    return Placed(found[0], (f"{found[1]:02d}", same(found[2]))) if found else None


@dataclass(frozen=True, kw_only=True)
class Folders(Labelling):
    """Labels that stand in the names of folders, without a workbook: every clip's folder is its own row."""

    row: Callable[[Way], Row]  # way to a clip's folder -> its row; ValueError where unusable
    emotions: Collection[str]  # that the database uses


@dataclass(frozen=True)
class Plan:
    """What a loader knows of a database before it looks into a folder."""

    books: Books | Folders
    example: str  # how a clip's folder is called, for messages: "sub01/EP02_01f"
    place: Place
    trees: tuple[str, ...]  # kinds of trees that occur, in order of preference
    kind: Callable[
        [str, list[tuple[Row, Path]]], str
    ]  # way to a tree (or its name), some rows and their folders -> one of `trees`
    source: Callable[[str], Source]  # kind of tree -> what its clips have in common
    about: Callable[[Labels], dict[str, str]] = lambda labels: {}  # what else the audit says
    published: Mapping[str, int] | None = None  # as Reading.published
    scattered: bool = (
        False  # workbooks lie inside the trees, so trees of other kinds lie beside them and have none
    )


@dataclass(frozen=True)
class Kind:
    """All trees of one kind that hold clips of the rows; parts of one database where they share no clip."""

    name: str  # one of Plan.trees
    trees: list[Tree]
    clips: Mapping[Key, Path]
    hits: int  # rows that have a folder here
    beyond: bool = False  # beside no workbook that is used, where other trees are: told, never used


def collect(root: Path, selection: DatasetSubset, plan: Plan) -> DatasetIndex:
    """Every labelled clip below a folder.

    Args:
        root: the folder that was unpacked, or one above it, or a tree of clips inside it (then this tree is used).
        selection: its `tree` is one of the plan's; the first of them that is there, if none is named. Rows of other kinds than its
            `expressions` give no clips and no findings; their folders are known all the same.
        plan: what is known of the database.

    Returns:
        The clips in the workbook's order, what was found on the way, and which workbook and tree were used.

    Raises:
        BadInput: no such folder, no workbook or tree of the database in it, a workbook that cannot be used, no such tree, or no
            such expressions.
        UnknownLabel: an emotion nobody knows.
    """
    return collect_from(survey(checked_root(root)), selection, plan)


def collect_from(found: Survey, selection: DatasetSubset, plan: Plan) -> DatasetIndex:
    """`collect` of a folder that was looked through already."""
    trees = plant(found, plan)
    if isinstance(plan.books, Books):
        labels, findings = read_labels(found, plan.books, {key for tree in trees for key in tree.clips})
    else:
        labels, findings = labels_of(found.root, trees, plan.books)
    kinds = sort_trees(found, trees, labels, plan)
    chosen = choose(found.root, kinds, selection.tree, plan)
    findings += closed_folders(found, chosen)
    others = {_key(row, plan) for row in labels.rows if selection.expressions not in (row.kind, "all")}
    clips, problems = clips_of(found.root, labels.rows, kinds, chosen, plan)
    clips = [clip for clip in clips if clip.key not in others]
    findings = [finding for finding in findings + problems if finding.where not in others]
    if not clips:
        names = " of " * bool(labels.used) + " and ".join(table.path.name for table in labels.used)
        why = (
            findings[-1].what
            if len(others) < len(labels.rows)
            else f"they have no {selection.expressions}-expressions"
        )
        raise BadInput(found.root, f"none of the {labels.counted}{names} gives a clip; {why}")
    count = f"{len(clips)} from {labels.counted}, {counted(len({clip.person for clip in clips}), 'person', 'people')}"
    return DatasetIndex(
        clips, findings, _about(found.root, labels, kinds, chosen, plan) | {"clips": count}, plan.published
    )


def plant(found: Survey, plan: Plan) -> list[Tree]:
    """The trees of clip folders below the root.

    Raises:
        BadInput: there is none, or the root lies inside one.
    """
    trees: dict[Way, Tree] = {}
    places = [(way, placed) for way in sorted(found.leaves + found.closed) if (placed := plan.place(way))]
    for way, placed in sorted(places, key=lambda place: bool(place[1].odd)):
        top = way[: placed.above]
        tree = trees.setdefault(top, Tree(found.root.joinpath(*top)))
        folder = found.root.joinpath(*way)
        if placed.key in tree.clips:
            tree.twice.append((tree.clips[placed.key], folder))
            continue
        tree.clips[placed.key] = folder
        if placed.odd:
            tree.odd.append((folder, placed.odd))
    if not trees:
        raise _no_tree(found, plan)
    if trees.keys() == {()} and (levels := _levels_inside(found, plan)):
        raise _too_deep(found.root, found.root.parents[levels - 1])
    return list(trees.values())


def _levels_inside(found: Survey, plan: Plan) -> int:
    """How many levels the root lies inside the tree itself: 1 for a subject's folder, whose clips are known by their names alone."""
    clips = [way for way in found.leaves + found.closed if plan.place(way)]
    names = found.root.parts[1:]
    for levels in range(1, len(names) + 1):
        with_root = [plan.place((*names[-levels:], *way)) for way in clips]
        if not all(placed is not None and placed.above == 0 for placed in with_root):
            return levels - 1
    return len(names)


def _too_deep(root: Path, right: Path) -> BadInput:
    return BadInput(
        root, "this is a single subject or clip, not the database", f"Give {right}, or the folder above it."
    )


def _no_tree(found: Survey, plan: Plan) -> BadInput:
    for way in found.leaves:
        parts = found.root.parts[1:]
        if (placed := plan.place((*parts, *way))) and placed.above < len(parts):
            return _too_deep(found.root, Path(found.root.anchor, *parts[: placed.above]))
    if found.archives:
        names = ", ".join(path.name for path in found.archives[:3])
        return BadInput(
            found.root, f"there are no folders of clips, but packed archives ({names})", "Unpack them."
        )
    wrong = f"there are no folders of clips (such as {plan.example}) in it, nor below"
    return BadInput(found.root, wrong, f"Give the folder into which {plan.books.title} was unpacked.")


def labels_of(root: Path, trees: list[Tree], folders: Folders) -> tuple[Labels, list[Finding]]:
    """The rows that the folders of clips are; of several folders of one clip the first one's."""
    rows: dict[Key, Row] = {}
    findings = []
    for folder in [
        folder for tree in trees for folder in (*tree.clips.values(), *(left for _, left in tree.twice))
    ]:
        try:
            row = folders.row(folder.relative_to(root).parts)
        except UnknownLabel as unknown:
            raise UnknownLabel(unknown.label, str(folder), folders.emotions) from unknown
        except ValueError as wrong:
            findings.append(Finding("folder not usable", _way(folder, root), str(wrong), serious=True))
            continue
        first = rows.setdefault(folders.key(row), row)
        if first.emotion != row.emotion:
            what = f"{first.where} says {first.emotion}, {row.where} says {row.emotion}; the first is taken"
            findings.append(
                Finding(
                    "folders differ in emotion",
                    f"{folders.dataset}/{row.subject}/{row.name}",
                    what,
                    serious=True,
                )
            )
    kept, repeats = distinct([rows[key] for key in sorted(rows)], folders.dataset)
    return Labels([], [], kept), findings + repeats


def sort_trees(found: Survey, trees: list[Tree], labels: Labels, plan: Plan) -> list[Kind]:
    """The trees that hold clips of the rows, by kind, in the order of preference.

    Where any lies beside or below a workbook that is used, only those count. Others come after them if rows name most of what they hold
    (a clip or two may be called alike in another database): to be used in a database whose trees are scattered, else to be told.
    """
    bases = {table.path.parent for table in labels.used}
    near = [tree for tree in trees if any(tree.root.is_relative_to(base) for base in bases)]
    if not any(plan.books.found(row, tree.clips) for tree in near for row in labels.rows):
        near = trees
    kinds: list[Kind] = []
    for tree in [*near, *(tree for tree in trees if tree not in near)]:
        folders = [
            (row, tree.clips[key]) for row in labels.rows if (key := plan.books.found(row, tree.clips))
        ]
        if not folders or (tree not in near and 2 * len(folders) < len(tree.clips)):
            continue
        base = max(
            (base for base in bases if tree.root.is_relative_to(base)),
            key=lambda base: len(base.parts),
            default=tree.root.parent,
        )
        name = plan.kind(same(_way(tree.root, base)), folders)
        beyond = tree not in near and not plan.scattered
        alike = (kind for kind in kinds if kind.name == name and kind.beyond == beyond)
        part = next((kind for kind in alike if not kind.clips.keys() & tree.clips.keys()), None)
        if part:
            kinds.remove(part)
            kinds.append(
                replace(
                    part,
                    trees=[*part.trees, tree],
                    clips={**part.clips, **tree.clips},
                    hits=part.hits + len(folders),
                )
            )
        else:
            kinds.append(Kind(name, [tree], tree.clips, len(folders), beyond))
    return sorted(
        kinds,
        key=lambda kind: (
            all(tree not in near for tree in kind.trees),
            plan.trees.index(kind.name),
            -kind.hits,
        ),
    )


def choose(root: Path, kinds: list[Kind], name: str | None, plan: Plan) -> Kind:
    """The kind of trees called NAME, or the preferred one.

    Raises:
        BadInput: there is none. UnknownName: the database has no such trees.
    """
    kinds = [kind for kind in kinds if not kind.beyond]
    if not kinds:
        label = "row of the workbook" if isinstance(plan.books, Books) else "name of a folder"
        raise BadInput(root, f"no {label} that can be used has a clip here")
    if name is None:
        return kinds[0]
    pick(dict.fromkeys(plan.trees), name, f"{plan.books.title} tree")
    for kind in kinds:
        if kind.name == name:
            return kind
    raise BadInput(
        root, f"there is no {name} tree", f"There is {', '.join(sorted({kind.name for kind in kinds}))}."
    )


def closed_folders(found: Survey, chosen: Kind) -> list[Finding]:
    """What to say of folders that cannot be read; those of clips are told with their rows.

    Raises:
        BadInput: one of them holds clips of the tree that is used, as a subject's folder does.
    """
    findings = []
    for way in found.closed:
        folder = found.root.joinpath(*way)
        if folder in chosen.clips.values():
            continue
        if any(folder.is_relative_to(tree.root) for tree in chosen.trees):
            raise BadInput(
                folder, "this folder cannot be read", "Change its permissions, or copy the database again."
            )
        findings.append(
            Finding(
                "folder not readable",
                _way(folder, found.root),
                "it may hold clips or a workbook",
                serious=True,
            )
        )
    return findings


def clips_of(
    root: Path, rows: Sequence[Row], kinds: list[Kind], chosen: Kind, plan: Plan
) -> tuple[list[Clip], list[Finding]]:
    """The clips of ROWS in the chosen trees, and what did not fit."""
    source, found = plan.source(chosen.name), plan.books.found
    findings = [
        Finding("clip folder twice", _way(left, root), f"{_way(kept, root)} is the same clip and is used")
        for tree in chosen.trees
        for kept, left in tree.twice
    ]
    findings += [
        Finding("folder misplaced", _way(folder, root), why)
        for tree in chosen.trees
        for folder, why in tree.odd
    ]
    clips, used = [], set()
    look = lru_cache(maxsize=RECORDINGS_KEPT)(image_files)
    for row in rows:
        key = found(row, chosen.clips)
        if key is None:
            others = [kind for kind in kinds if kind is not chosen and found(row, kind.clips)]
            elsewhere = sorted(
                {kind.name if kind.name != chosen.name else _ways(kind, root) for kind in others}
            )
            what = f"{row.where}: the {chosen.name} tree has no such folder" + (
                f", but {' and '.join(elsewhere)} has" if elsewhere else ""
            )
            findings.append(Finding("row without folder", _key(row, plan), what, serious=True))
            continue
        used.add(key)
        clip, problems = match(row, chosen.clips[key], source, look)
        findings += problems
        if clip:
            clips.append(clip)
    if isinstance(plan.books, Folders):  # a folder that gives no row was told already
        return clips, findings
    return clips, findings + [
        without_row(_way(folder, root)) for key, folder in chosen.clips.items() if key not in used
    ]


def _about(root: Path, labels: Labels, kinds: list[Kind], chosen: Kind, plan: Plan) -> dict[str, str]:
    books = [_book(table) for table in labels.used]
    return {
        "workbook": "; ".join(books) or "none; the folders are the labels",
        **plan.about(labels),
        **(
            {"other workbooks": ", ".join(other.path.name for other in labels.others) or "none"}
            if books
            else {}
        ),
        "tree": f"{_trees(chosen, root)}, {counted(len(chosen.clips), 'clip folder')}",
        "other trees": ", ".join(_trees(other, root) for other in kinds if other is not chosen) or "none",
    }


def _book(table: Table) -> str:
    sheet = f", sheet {table.sheet}" if table.sheet else ""
    return f"{table.path.name}{sheet}, {len(table.headers)} columns, {counted(len(table.rows), 'row')}"


def _trees(kind: Kind, root: Path) -> str:
    return f"{kind.name}, {_ways(kind, root)}"


def _ways(kind: Kind, root: Path) -> str:
    return ", ".join(_way(tree.root, root) for tree in kind.trees)


def _key(row: Row, plan: Plan) -> str:
    """As Clip.key."""
    return f"{plan.books.dataset}/{row.subject}/{row.name}"


def _way(path: Path, root: Path) -> str:
    return path.name if path == root else str(path.relative_to(root))
