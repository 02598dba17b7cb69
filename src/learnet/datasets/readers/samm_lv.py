"""Read the SAMM Long Videos: whole recordings as images, and a workbook of micro- and macro-movements.

The workbook has no emotions. `docs/datasets/samm-lv.md` says what is assumed.
"""

import re
from dataclasses import dataclass
from pathlib import Path

from learnet.core.errors import BadInput, counted
from learnet.core.records import Clip, Finding
from learnet.datasets.readers.reading.cells import normalise_header, whole_number
from learnet.datasets.readers.reading.folder_tree import FolderScan, scan_folders, validate_root
from learnet.datasets.readers.reading.sheet import Rows
from learnet.datasets.readers.reading.spreadsheet import sheets
from learnet.datasets.readers.reading.table import Cells, other_sheets
from learnet.video.images import image_files

DATASET = "samm-lv"
FPS = 200.0
PUBLISHED = {"micro": 159, "macro": 343}
"""Movements per kind in 147 recordings (Yap et al., FG 2020)."""

COLUMNS = (
    *("subject", "name", "inducement", "onset", "apex", "offset"),
    *("duration", "kind", "action_units", "notes"),
)
"""By their position: the copies have the same columns, below a varying number of lines."""

WORKBOOK = re.compile(r"sammlongvideosv([0-9]+)")
RECORDING = re.compile(r"([0-9]{3})_[0-9]{1,2}")
MOVEMENT = re.compile(r"([0-9]{3}_[0-9]{1,2})_[0-9]{1,3}")


@dataclass(frozen=True)
class _Row:
    """A row of the workbook. Frames count from 1; None: not inside the recording, or not given."""

    name: str
    recording: str
    kind: str
    onset: int | None
    apex: int | None
    offset: int | None
    action_units: str
    location: str


def read(root: Path) -> tuple[dict[str, Path], list[Clip], list[Finding]]:
    """Read the recordings and movements below a folder.

    A movement that begins before the recording or ends after it (0 in the workbook) has the first or the last
    frame; an apex that is missing (-1) or outside becomes the middle.

    Returns:
        Name of each recording -> its folder; the movements, with an empty emotion; the findings.

    Raises:
        BadInput: there is no such folder, no workbook of the Long Videos or no recording in it.
    """
    scan = scan_folders(validate_root(root))
    workbook, workbook_findings = _find_workbook(scan)
    folders, folder_findings = _find_recordings(scan)
    clips: list[Clip] = []
    findings: list[Finding] = [*workbook_findings, *folder_findings]
    frames = {name: list(image_files(folder)) for name, folder in folders.items()}
    for name in [name for name in folders if not frames[name]]:
        del folders[name]
        findings.append(Finding("recording without images", name, "the folder is empty", serious=True))
    rows, sheet_findings = _read_rows(workbook)
    findings += sheet_findings
    for row in rows:
        clip, found = _clip(row, folders.get(row.recording), frames.get(row.recording, []))
        findings += found
        clips += [clip] if clip else []
    return dict(sorted(folders.items())), clips, findings


def _find_recordings(scan: FolderScan) -> tuple[dict[str, Path], list[Finding]]:
    """Return name of each recording -> its folder, and findings about second folders of one.

    Raises:
        BadInput: there is no recording.
    """
    folders: dict[str, Path] = {}
    findings = []
    for parts in scan.leaves:
        names = [name for name in parts if RECORDING.fullmatch(name)]
        if not names:
            continue
        folder = scan.root.joinpath(*parts)
        used = folders.setdefault(names[-1], folder)
        if used is folder:
            continue
        missing = image_files(folder).keys() - image_files(used).keys()
        message = f"{folder} is the same recording and is not used"
        if missing:
            message += f", and has {counted(len(missing), 'image')} more; put all into one folder"
        findings.append(Finding("recording twice", str(used), message, serious=bool(missing)))
    if not folders:
        problem = "no recording such as 006_1 with images is in it"
        raise BadInput(scan.root, problem, "Unpack SAMM_longvideos.")
    return folders, findings


def _find_workbook(scan: FolderScan) -> tuple[Path, list[Finding]]:
    """Return the workbook of the highest version, and findings about others of this version.

    Raises:
        BadInput: there is none, or none that can be read.
    """
    versions: dict[int, list[Path]] = {}
    for path in scan.spreadsheets:
        match = WORKBOOK.match(normalise_header(path.stem))
        if match:
            versions.setdefault(int(match[1]), []).append(path)
    if not versions:
        hint = "Put SAMM_LongVideos_V3_Release.xlsx beside the recordings."
        raise BadInput(scan.root, "there is no workbook of the SAMM Long Videos", hint)
    best, *others = sorted(versions[max(versions)], key=_number_of_movements, reverse=True)
    findings = []
    for other in others:
        message = f"{best.name} has as many movements or more and is used"
        findings.append(Finding("workbook not used", other.name, message))
    return best, findings


def _number_of_movements(path: Path) -> int:
    """Return how many rows a workbook has, -1 where it cannot be read."""
    try:
        return max(len(_movements(sheet.rows)) for sheet in sheets(path).values())
    except BadInput:
        return -1


def _read_rows(path: Path) -> tuple[list[_Row], list[Finding]]:
    """Read the movements of the first sheet that has any. Its other lines are notes and headers.

    Raises:
        BadInput: the workbook cannot be read, or no sheet has any.
    """
    movements = {name: _movements(sheet.rows) for name, sheet in sheets(path).items()}
    used = next((name for name, rows in movements.items() if rows), None)
    if used is None:
        problem = "it has no row with a movement such as 006_1_2 and Micro or Macro"
        raise BadInput(path, problem, "Is this the workbook of the Long Videos?")
    rows = []
    for number, cells in movements[used].items():
        match = MOVEMENT.fullmatch(cells["name"])
        assert match
        rows.append(_row(cells, match[1], cells["kind"].lower()[:5], f"{path.name} row {number}"))
    tables = {name: list(cells.values()) for name, cells in movements.items()}
    return rows, list(other_sheets(path, used, tables))


def _movements(rows: Rows) -> dict[int, Cells]:
    """Return the cells of the rows with a movement, by their number."""
    movements = {}
    for number, texts in enumerate(rows, start=1):
        padded = (*texts, *[""] * len(COLUMNS))
        cells = dict(zip(COLUMNS, padded, strict=False))
        is_movement = MOVEMENT.fullmatch(cells["name"]) is not None
        if is_movement and cells["kind"].lower().startswith(("micro", "macro")):
            movements[number] = cells
    return movements


def _row(cells: dict[str, str], recording: str, kind: str, location: str) -> _Row:
    try:
        onset, apex, offset = (whole_number(cells[name]) for name in ("onset", "apex", "offset"))
    except ValueError as error:
        raise BadInput(location, str(error), "Correct the workbook.") from None
    return _Row(
        name=cells["name"],
        recording=recording,
        kind=kind,
        onset=onset or None,
        apex=apex if apex and apex > 0 else None,
        offset=offset or None,
        action_units=cells["action_units"],
        location=location,
    )


def _clip(row: _Row, folder: Path | None, frames: list[int]) -> tuple[Clip | None, list[Finding]]:
    subject = row.recording.partition("_")[0]
    key = f"{DATASET}/{subject}/{row.name}"
    if folder is None or not frames:
        message = f"{row.location}: there is no folder {row.recording} with images"
        return None, [Finding("row without folder", key, message, serious=True)]
    findings = []
    onset = frames[0] if row.onset is None else row.onset
    offset = frames[-1] if row.offset is None else row.offset
    if row.onset is None or row.offset is None:
        message = f"{row.location}: it is cut off by the recording; {onset} to {offset} is used"
        findings.append(Finding("movement cut off", key, message))
    if not frames[0] <= onset <= offset <= frames[-1]:
        message = f"{row.location}: {onset} to {offset} is not inside {frames[0]} to {frames[-1]}"
        return None, [Finding("movement outside its recording", key, message, serious=True)]
    apex, source = row.apex, "file"
    if apex is None or not onset <= apex <= offset:
        apex, source = (onset + offset) // 2, "midpoint"
        findings.append(Finding("apex repaired", key, f"{row.location}: {row.apex}; the middle is used"))
    clip = Clip(
        path=folder,
        dataset=DATASET,
        subject=subject,
        name=row.name,
        emotion="",
        onset=onset,
        apex=apex,
        offset=offset,
        fps=FPS,
        apex_source=source,
        action_units=row.action_units,
        kind=row.kind,
    )
    return clip, findings
