"""Read the clips of a database from the folder that a user names.

All databases are read by the same steps: scan the folders, find the trees of clips, read the labels, select
a tree, combine each row with its folder. What is particular to a database is in its `DatabaseLayout`.
"""

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

from learnet.core.errors import BadInput, counted
from learnet.core.labels import UnknownLabel
from learnet.core.records import Clip, DatasetIndex, Finding
from learnet.core.settings import DatasetSubset
from learnet.datasets.readers.reading.folder_names import FolderKey
from learnet.datasets.readers.reading.folder_tree import (
    FolderScan,
    FolderTree,
    scan_folders,
    validate_root,
)
from learnet.datasets.readers.reading.label_sources import FolderLabels, Labels
from learnet.datasets.readers.reading.layout import DatabaseLayout
from learnet.datasets.readers.reading.matching import (
    INCOMPLETE,
    clip_from_folder,
    clip_key,
    frames_elsewhere,
    unlabelled_folder,
)
from learnet.datasets.readers.reading.rows import LabelRow, drop_repeated_rows
from learnet.datasets.readers.reading.table import Table
from learnet.datasets.readers.reading.trees import (
    TreeGroup,
    check_unreadable_folders,
    find_trees,
    group_trees,
    other_folders,
    relative_path,
    select_group,
)
from learnet.datasets.readers.reading.workbooks import read_labels
from learnet.video.images import image_files

CACHED_LISTINGS = 16
"""Listings kept in memory, of thousands of images each. Clips of one recording are adjacent in a workbook."""


def read_clips(root: Path, selection: DatasetSubset, layout: DatabaseLayout) -> DatasetIndex:
    """Read every labelled clip below a folder.

    Args:
        root: the folder that was unpacked, or one above it, or a tree of clips inside it, which is then used.
        selection: its `tree` is one of the layout's kinds of trees; None selects the preferred one that
            exists. Rows of other kinds than its `expressions` give neither clips nor findings, but their
            folders count as labelled.
        layout: of the database.

    Returns:
        The clips in the workbook's order, the findings, and which workbook and tree were used.

    Raises:
        BadInput: there is no such folder, no workbook, tree or expressions of the database in it, or the
            workbook cannot be used.
        UnknownLabel: an emotion is unknown.
    """
    return read_scanned_clips(scan_folders(validate_root(root)), selection, layout)


def read_scanned_clips(scan: FolderScan, selection: DatasetSubset, layout: DatabaseLayout) -> DatasetIndex:
    """Read every labelled clip of a folder that was scanned already; see `read_clips`."""
    root = scan.root
    trees = find_trees(scan, layout)
    if isinstance(layout.labels, FolderLabels):
        labels, findings = _labels_from_folders(root, trees, layout.labels)
    else:
        keys: set[FolderKey] = set()
        for tree in trees:
            keys.update(tree.clip_folders)
        labels, findings = read_labels(scan, layout.labels, keys)
    groups = group_trees(scan, trees, labels, layout)
    selected = select_group(root, groups, selection.tree, layout)
    findings += check_unreadable_folders(scan, selected)
    findings += _tree_findings(root, selected)
    clips, row_findings = _match_rows(root, labels.rows, groups, selected, layout)
    findings += row_findings

    excluded = set()
    for row in labels.rows:
        if selection.expressions not in (row.kind, "all"):
            excluded.add(clip_key(row, layout.labels.dataset))
    clips = [clip for clip in clips if clip.key not in excluded]
    findings = [finding for finding in findings if finding.where not in excluded]
    if not clips:
        reason = f"they have no {selection.expressions}-expressions"
        if len(excluded) < len(labels.rows):
            reason = next((finding.what for finding in findings if finding.serious), findings[-1].what)
        raise _no_clip(root, labels, reason)
    people = {clip.person for clip in clips}
    about = _describe(root, labels, groups, selected, layout)
    about["clips"] = f"{len(clips)} from {labels.count}, {counted(len(people), 'person', 'people')}"
    return DatasetIndex(clips, findings, about, layout.published)


def _no_clip(root: Path, labels: Labels, reason: str) -> BadInput:
    workbooks = " and ".join(table.path.name for table in labels.used)
    source = f"{labels.count} of {workbooks}" if workbooks else labels.count
    return BadInput(root, f"none of the {source} gives a clip; {reason}")


def _labels_from_folders(
    root: Path, trees: list[FolderTree], folder_labels: FolderLabels
) -> tuple[Labels, list[Finding]]:
    """Return the rows in the names of clip folders. Of several folders of one clip the first counts."""
    rows: dict[FolderKey, LabelRow] = {}
    findings = []
    for folder in _labelled_folders(trees):
        try:
            row = folder_labels.parse_path(folder.relative_to(root).parts)
        except UnknownLabel as unknown:
            raise UnknownLabel(unknown.label, str(folder), folder_labels.emotions) from unknown
        except ValueError as error:
            path = relative_path(folder, root)
            findings.append(Finding("folder not usable", path, str(error), serious=True))
            continue
        first = rows.setdefault(folder_labels.key(row), row)
        if first.emotion != row.emotion:
            message = (
                f"{first.location} says {first.emotion}, {row.location} says {row.emotion}; the first is used"
            )
            key = clip_key(row, folder_labels.dataset)
            findings.append(Finding("folders differ in emotion", key, message, serious=True))
    ordered = [rows[key] for key in sorted(rows)]
    kept, repeated = drop_repeated_rows(ordered, folder_labels.dataset)
    return Labels([], [], kept), findings + repeated


def _labelled_folders(trees: list[FolderTree]) -> list[Path]:
    """Return all clip folders, of each tree the duplicates last."""
    folders: list[Path] = []
    for tree in trees:
        folders += tree.clip_folders.values()
        folders += [unused for _, unused in tree.duplicates]
    return folders


def _tree_findings(root: Path, selected: TreeGroup) -> list[Finding]:
    """Report the duplicate and misplaced clip folders of the selected trees."""
    duplicates = []
    misplaced = []
    for tree in selected.trees:
        for used, unused in tree.duplicates:
            message = f"{relative_path(used, root)} is the same clip and is used"
            duplicates.append(Finding("clip folder twice", relative_path(unused, root), message))
        for folder, problem in tree.misplaced:
            misplaced.append(Finding("folder misplaced", relative_path(folder, root), problem))
    return duplicates + misplaced


def _match_rows(
    root: Path,
    rows: Sequence[LabelRow],
    groups: list[TreeGroup],
    selected: TreeGroup,
    layout: DatabaseLayout,
) -> tuple[list[Clip], list[Finding]]:
    """Combine the rows with the folders of the selected trees."""
    properties = layout.properties(selected.kind)
    list_images = lru_cache(maxsize=CACHED_LISTINGS)(image_files)
    clips = []
    findings = []
    used: set[FolderKey] = set()
    for row in rows:
        key = layout.labels.find_key(row, selected.clip_folders)
        if key is None:
            findings.append(_row_without_folder(root, row, groups, selected, layout))
            continue
        used.add(key)
        folder = selected.clip_folders[key]
        clip, problems = clip_from_folder(row, folder, properties, list_images)
        findings += problems
        if row.whole_folder or any(problem.kind in INCOMPLETE for problem in problems):
            others = other_folders(key, selected, groups)
            findings += frames_elsewhere(row, folder, others, layout.labels.dataset, list_images)
        if clip:
            clips.append(clip)
    if isinstance(layout.labels, FolderLabels):  # folders without a label are reported already
        return clips, findings
    for key, folder in selected.clip_folders.items():
        if key not in used:
            findings.append(unlabelled_folder(relative_path(folder, root)))
    return clips, findings


def _row_without_folder(
    root: Path, row: LabelRow, groups: list[TreeGroup], selected: TreeGroup, layout: DatabaseLayout
) -> Finding:
    """Return the finding about a row without a folder. It names other trees that have one."""
    elsewhere = set()
    for group in groups:
        if group is not selected and layout.labels.find_key(row, group.clip_folders):
            elsewhere.add(group.paths(root) if group.kind == selected.kind else group.kind)
    message = f"{row.location}: the {selected.kind} tree has no such folder"
    if elsewhere:
        message += f", but {' and '.join(sorted(elsewhere))} has"
    key = clip_key(row, layout.labels.dataset)
    return Finding("row without folder", key, message, serious=True)


def _describe(
    root: Path,
    labels: Labels,
    groups: list[TreeGroup],
    selected: TreeGroup,
    layout: DatabaseLayout,
) -> dict[str, str]:
    """Return which workbooks and trees were found and used."""
    workbooks = "; ".join(_describe_table(table) for table in labels.used)
    about = {"workbook": workbooks or "none; the folders are the labels"}
    about |= layout.describe(labels)
    if workbooks:
        unused = ", ".join(table.path.name for table in labels.unused)
        about["other workbooks"] = unused or "none"
    folders = counted(len(selected.clip_folders), "clip folder")
    about["tree"] = f"{selected.kind}, {selected.paths(root)}, {folders}"
    others = [f"{group.kind}, {group.paths(root)}" for group in groups if group is not selected]
    about["other trees"] = ", ".join(others) or "none"
    return about


def _describe_table(table: Table) -> str:
    sheet = f", sheet {table.sheet}" if table.sheet else ""
    columns = len(table.headers)
    return f"{table.path.name}{sheet}, {columns} columns, {counted(len(table.rows), 'row')}"
