"""Wrong frames in the label file of part A, and what they should be: by the owners, or else by others."""

from dataclasses import dataclass, replace

from learnet.core.records import Finding
from learnet.datasets.readers.casme3.common import WORKBOOK_OF_ALL
from learnet.datasets.readers.reading.label_sources import OwnersRows
from learnet.datasets.readers.reading.matching import clip_key
from learnet.datasets.readers.reading.rows import LabelRow
from learnet.datasets.readers.reading.table import Table

_OWNERS = f"as corrected by the owners in {WORKBOOK_OF_ALL}"
_MEB = "as published by meb"


@dataclass(frozen=True)
class _Repair:
    """One published repair of the label file, version 2."""

    subject: str
    letter: str  # "" for any
    wrong: dict[str, int | None]  # onset, apex, offset in version 2
    right: dict[str, int]
    source: str


REPAIRS = (
    _Repair("spNO.149", "d", {"onset": 112, "apex": 83}, {"apex": 160}, _OWNERS),
    _Repair("spNO.216", "d", {"onset": 3647}, {"onset": 2647}, _OWNERS),
    _Repair("spNO.216", "e", {"onset": 0, "apex": 0}, {"onset": 1, "apex": 1}, _MEB),
    _Repair("spNO.214", "c", {"offset": 3460}, {"offset": 34}, _MEB),
    _Repair("spNO.40", "e", {"onset": 1812, "apex": 1824, "offset": None}, {"offset": 1845}, _OWNERS),
    _Repair("spNO.40", "", {"onset": 2327, "apex": 2363, "offset": None}, {"offset": 2403}, _OWNERS),
)
"""The owners corrected these numbers in their workbook of all expressions, and not in the label file. Repairs
of others are guesses; source: github.com/tvaranka/meb."""


def repair(table: Table, rows: list[LabelRow], owners: OwnersRows) -> tuple[list[LabelRow], list[Finding]]:
    """Apply the repairs to rows that still have the wrong values.

    Args:
        table: the workbook of the rows.
        rows: to repair.
        owners: name of another workbook of the owners -> its rows, whose values are preferred to REPAIRS.
    """
    repaired_rows = []
    findings = []
    for row in rows:
        published = _find_repair(row)
        if published:
            row, finding = _repair_row(row, _correction_of_owners(row, published, owners) or published)
            findings.append(finding)
        repaired_rows.append(row)
    return repaired_rows, findings


def _marks(row: LabelRow) -> dict[str, int | None]:
    return {"onset": row.onset, "apex": row.apex, "offset": row.offset}


def _find_repair(row: LabelRow) -> _Repair | None:
    marks = _marks(row)
    for published in REPAIRS:
        is_recording = row.subject == published.subject and published.letter in ("", row.folder_name)
        if is_recording and published.wrong.items() <= marks.items():
            return published
    return None


def _correction_of_owners(row: LabelRow, published: _Repair, owners: OwnersRows) -> _Repair | None:
    """Return what another workbook of the owners has for the frames that a repair changes."""
    marks = _marks(row)
    unchanged = [mark for mark in marks if mark not in published.right]
    for name, other_rows in owners.items():
        for other in other_rows:
            other_marks = _marks(other)
            is_recording = other.subject == row.subject and published.letter in ("", other.folder_name)
            is_same = is_recording and all(marks[mark] == other_marks[mark] for mark in unchanged)
            right = {mark: frame for mark in published.right if (frame := other_marks[mark]) is not None}
            if is_same and len(right) == len(published.right) and not right.items() <= marks.items():
                return replace(published, right=right, source=f"as corrected by the owners in {name}")
    return None


def _repair_row(row: LabelRow, published: _Repair) -> tuple[LabelRow, Finding]:
    """Apply a repair, unless the frames would then be out of order."""
    marks = _marks(row)
    changes = []
    for mark, frame in published.right.items():
        changes.append(f"{mark} {marks[mark] or 0} becomes {frame}")
    change = ", ".join(changes)
    key = clip_key(row, "casme3")
    onset, apex, offset = (marks | published.right).values()
    if onset is None or apex is None or offset is None or not onset <= apex <= offset:
        message = (
            f"{row.location}: {change}, {published.source}; but then onset, apex and offset are out of order"
        )
        return row, Finding("repair not applied", key, message)
    apex_source = "repaired" if "apex" in published.right else "file"
    repaired = replace(row, onset=onset, apex=apex, offset=offset, apex_source=apex_source)
    kind = f"{' and '.join(published.right)} repaired"
    return repaired, Finding(kind, key, f"{row.location}: {change}, {published.source}")
