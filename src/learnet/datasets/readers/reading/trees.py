"""Find the folder trees of a database, group them by kind, and select the group to read."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from learnet.core.errors import BadInput, pick
from learnet.core.records import Finding
from learnet.datasets.readers.reading.folder_names import FolderKey, PathParts, normalise_name
from learnet.datasets.readers.reading.folder_tree import MAX_DEPTH, FolderScan, FolderTree
from learnet.datasets.readers.reading.label_sources import Labels, LabelWorkbooks
from learnet.datasets.readers.reading.layout import ClipLocation, DatabaseLayout, FolderMatch


@dataclass(frozen=True)
class TreeGroup:
    """The trees of one kind that hold labelled clips, as parts of one database: they share no clip."""

    kind: str
    """One of DatabaseLayout.tree_kinds."""

    trees: list[FolderTree]
    clip_folders: Mapping[FolderKey, Path]

    matched_rows: int
    """Number of rows with a folder here."""

    is_outside: bool = False
    """Reported, but never used: a workbook in use is stored beside or above other trees, not these."""

    def paths(self, root: Path) -> str:
        """Return the paths of the trees, for messages."""
        return ", ".join(relative_path(tree.root, root) for tree in self.trees)


def relative_path(path: Path, root: Path) -> str:
    """Return a path below the root for messages; the name of the root for the root itself."""
    return path.name if path == root else str(path.relative_to(root))


def find_trees(scan: FolderScan, layout: DatabaseLayout) -> list[FolderTree]:
    """Find the trees of clip folders below the root.

    Raises:
        BadInput: there is none, or the root is inside one.
    """
    located = []
    for parts in sorted(scan.clip_candidates):
        location = layout.locate_clip(parts)
        if location:
            located.append((parts, location))
    located.sort(key=lambda item: bool(item[1].problem))
    trees: dict[PathParts, FolderTree] = {}
    for parts, location in located:
        top = parts[: location.depth]
        if top not in trees:
            trees[top] = FolderTree(scan.root.joinpath(*top))
        _add_folder(trees[top], scan.root.joinpath(*parts), location)
    if not trees:
        raise _no_tree(scan, layout)
    if trees.keys() == {()}:
        levels = _levels_inside_tree(scan, layout)
        if levels:
            raise _root_too_deep(scan.root, scan.root.parents[levels - 1])
    return list(trees.values())


def _add_folder(tree: FolderTree, folder: Path, location: ClipLocation) -> None:
    """Add a clip folder to its tree, or to the duplicates where the clip has one already."""
    used = tree.clip_folders.setdefault(location.key, folder)
    if used is not folder:
        tree.duplicates.append((used, folder))
    elif location.problem:
        tree.misplaced.append((folder, location.problem))


def _levels_inside_tree(scan: FolderScan, layout: DatabaseLayout) -> int:
    """Return how many levels the root is inside the tree itself.

    It is 1 for the folder of a subject whose clips are identified by their names alone.
    """
    clips = [parts for parts in scan.clip_candidates if layout.locate_clip(parts)]
    names = scan.root.parts[1:]
    for levels in range(1, len(names) + 1):
        for parts in clips:
            location = layout.locate_clip((*names[-levels:], *parts))
            if location is None or location.depth > 0:
                return levels - 1
    return len(names)


def _root_too_deep(root: Path, suggestion: Path) -> BadInput:
    problem = "this is a single subject or clip, not the database"
    return BadInput(root, problem, f"Give {suggestion}, or the folder above it.")


def _no_tree(scan: FolderScan, layout: DatabaseLayout) -> BadInput:
    """Return the error that explains why there are no clip folders."""
    names = scan.root.parts[1:]
    for parts in scan.leaves:
        location = layout.locate_clip((*names, *parts))
        if location and location.depth < len(names):
            return _root_too_deep(scan.root, Path(scan.root.anchor, *names[: location.depth]))
    if scan.archives:
        archives = ", ".join(path.name for path in scan.archives[:3])
        problem = f"there are no folders of clips, but packed archives ({archives})"
        return BadInput(scan.root, problem, "Unpack them.")
    problem = f"there are no folders of clips (such as {layout.example}) in it or below it"
    if scan.too_deep:
        problem += f", as far as {MAX_DEPTH} folders down"
    return BadInput(scan.root, problem, f"Give the folder into which {layout.labels.title} was unpacked.")


def group_trees(
    scan: FolderScan, trees: list[FolderTree], labels: Labels, layout: DatabaseLayout
) -> list[TreeGroup]:
    """Group the trees that hold labelled clips by kind, the preferred kind first.

    Where there are such trees beside or below a workbook in use, only those count. Others come after them
    if rows name most of their clips (a clip or two may have the same name in another database). They may
    be used in a database with `workbooks_inside_trees`; in others they are only reported.
    """
    folders = [table.path.parent for table in labels.used]
    near = []
    for tree in trees:
        if any(tree.root.is_relative_to(folder) for folder in folders):
            near.append(tree)
    if not any(_matches(tree, labels, layout) for tree in near):
        near = trees
    far = [tree for tree in trees if tree not in near]

    groups: list[TreeGroup] = []
    for tree in [*near, *far]:
        matches = _matches(tree, labels, layout)
        is_far = tree in far
        if not matches or (is_far and 2 * len(matches) < len(tree.clip_folders)):
            continue
        path = normalise_name(relative_path(tree.root, _reference_folder(tree, folders)))
        group = TreeGroup(
            kind=layout.kind_of_tree(path, matches),
            trees=[tree],
            clip_folders=tree.clip_folders,
            matched_rows=len(matches),
            is_outside=is_far and not layout.workbooks_inside_trees,
        )
        _add_group(groups, group)

    def preference(group: TreeGroup) -> tuple[bool, int, int]:
        is_far = all(tree in far for tree in group.trees)
        return is_far, layout.tree_kinds.index(group.kind), -group.matched_rows

    return sorted(groups, key=preference)


def _matches(tree: FolderTree, labels: Labels, layout: DatabaseLayout) -> list[FolderMatch]:
    """Return the rows that have a folder in a tree."""
    matches = []
    for row in labels.rows:
        key = layout.labels.find_key(row, tree.clip_folders)
        if key:
            matches.append((row, tree.clip_folders[key]))
    return matches


def _reference_folder(tree: FolderTree, folders: list[Path]) -> Path:
    """Return the nearest folder above a tree that holds a workbook, or the folder around the tree."""
    above = [folder for folder in folders if tree.root.is_relative_to(folder)]
    return max(above, key=lambda folder: len(folder.parts), default=tree.root.parent)


def _add_group(groups: list[TreeGroup], new: TreeGroup) -> None:
    """Merge a group into one of the same kind with which it shares no clip, or append it."""
    for group in groups:
        is_same = group.kind == new.kind and group.is_outside == new.is_outside
        if is_same and not group.clip_folders.keys() & new.clip_folders.keys():
            groups.remove(group)
            merged = replace(
                group,
                trees=[*group.trees, *new.trees],
                clip_folders={**group.clip_folders, **new.clip_folders},
                matched_rows=group.matched_rows + new.matched_rows,
            )
            groups.append(merged)
            return
    groups.append(new)


def other_folders(key: FolderKey, selected: TreeGroup, groups: list[TreeGroup]) -> list[Path]:
    """Return the folders of a clip that are not used, in trees of the kind that is."""
    folders = []
    for group in groups:
        if group is not selected and group.kind == selected.kind and key in group.clip_folders:
            folders.append(group.clip_folders[key])
    for tree in selected.trees:
        for used, unused in tree.duplicates:
            if used == selected.clip_folders[key]:
                folders.append(unused)
    return folders


def select_group(root: Path, groups: list[TreeGroup], kind: str | None, layout: DatabaseLayout) -> TreeGroup:
    """Return the preferred group of trees, or the first of a requested kind.

    Raises:
        BadInput: there is none.
        UnknownName: the database has no trees of that kind.
    """
    groups = [group for group in groups if not group.is_outside]
    if not groups:
        is_workbook = isinstance(layout.labels, LabelWorkbooks)
        label = "row of the workbook" if is_workbook else "name of a folder"
        raise BadInput(root, f"no {label} that can be used has a clip here")
    if kind is None:
        return groups[0]
    pick(dict.fromkeys(layout.tree_kinds), kind, f"{layout.labels.title} tree")
    for group in groups:
        if group.kind == kind:
            return group
    kinds = ", ".join(sorted({group.kind for group in groups}))
    raise BadInput(root, f"there is no {kind} tree", f"There is {kinds}.")


def check_unreadable_folders(scan: FolderScan, selected: TreeGroup) -> list[Finding]:
    """Report folders that cannot be read, except those of clips, which are reported with their rows, and
    folders that are not scanned.

    Raises:
        BadInput: an unreadable folder is inside the selected trees, such as a subject's folder.
    """
    clip_folders = set(selected.clip_folders.values())
    findings = []
    for parts in scan.unreadable:
        folder = scan.root.joinpath(*parts)
        if folder in clip_folders:
            continue
        if any(folder.is_relative_to(tree.root) for tree in selected.trees):
            hint = "Change its permissions, or copy the database again."
            raise BadInput(folder, "this folder cannot be read", hint)
        path = relative_path(folder, scan.root)
        message = "it may hold clips or a workbook"
        findings.append(Finding("folder not readable", path, message, serious=True))
    if scan.too_deep:
        path = relative_path(scan.root.joinpath(*scan.too_deep[0]), scan.root)
        message = f"what is more than {MAX_DEPTH} folders below the root is not read, as here"
        findings.append(Finding("folders too deep", path, message))
    return findings
