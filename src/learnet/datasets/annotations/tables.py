"""Events in CSV tables: those of learnet with frames and seconds, any with a part of these, pyfeat-live's."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from learnet.core.csv_files import check_thousands, csv_text, decimal_number, is_thousands
from learnet.core.errors import BadInput, counted
from learnet.core.files import shortened_list
from learnet.core.labels import HOW_TO_WRITE_UNITS
from learnet.core.records import EVENT_STATUSES, ActionUnitScore, Event
from learnet.datasets.annotations.record import Entries, Entry
from learnet.datasets.annotations.text import KINDS, facs_text, parse_units

COLUMNS = (
    *("onset", "apex", "offset", "onset_s", "apex_s", "offset_s", "kind"),
    *("regions", "action_units", "action_unit_scores", "label", "score", "strength_px", "source", "reason"),
)
"""Columns of the table that learnet writes."""

STATUS = "status"
"""Column that follows them where a person has corrected events, as the event page writes it."""

ALIASES = {
    "start_frame": "onset",
    "onset_frame": "onset",
    "onsetframe": "onset",
    "apex_frame": "apex",
    "apexframe": "apex",
    "end_frame": "offset",
    "offset_frame": "offset",
    "offsetframe": "offset",
    "start_s": "onset_s",
    "end_s": "offset_s",
    "emotion": "label",
    "estimated_emotion": "label",
    "coder": "source",
    "annotator": "source",
    "au": "action_units",
    "aus": "action_units",
}
"""Other names of columns."""

PREDICTED = "emotions_by_units"
"""Column by which a table of `learnet predict` is known; its events have no column `source`."""

UNIT_UNKNOWN = {"start": "onset", "end": "offset"}
"""Columns that may be frames or seconds."""

PYFEAT_LIVE = ("annotation_id", "kind", "start_frame", "end_frame")
"""Columns by which a table of pyfeat-live is known."""

Rows = Sequence[tuple[int, list[str]]]  # line and cells, as `read_csv_rows` returns them


def table_text(events: Sequence[Event]) -> str:
    """Return events as CSV with the columns of `COLUMNS`, and STATUS if one has a status, in time order."""
    columns = (*COLUMNS, STATUS) if any(event.status for event in events) else COLUMNS
    rows: list[Sequence[object]] = [columns]
    for event in sorted(events, key=lambda event: (event.onset_s, event.offset_s)):
        units = sorted(event.action_units, key=lambda unit: unit.unit)
        row: dict[str, object] = {
            "onset": event.onset,
            "apex": event.apex,
            "offset": event.offset,
            "onset_s": round(event.onset_s, 6),
            "apex_s": round(event.apex_s, 6),
            "offset_s": round(event.offset_s, 6),
            "kind": event.kind,
            "regions": "; ".join(event.regions),
            "action_units": facs_text(units),
            "action_unit_scores": _unit_scores(units),
            "label": event.label,
            "score": f"{event.score:.6g}" if event.label and event.score else "",
            "strength_px": f"{event.strength_px:.6g}" if event.strength_px else "",
            "source": event.source,
            "reason": event.reason,
            STATUS: event.status,
        }
        rows.append([row[name] for name in columns])
    return csv_text(rows)


def _unit_scores(units: Sequence[ActionUnitScore]) -> str:
    """Return the scores of units, in their order; empty if one of them has none."""
    scores = [unit.score for unit in units if unit.score is not None]
    return "; ".join(f"{score:.6g}" for score in scores) if len(scores) == len(units) else ""


def read_table(path: Path, rows: Rows) -> Entries:
    """Read a table with the columns onset and offset (frames), or onset_s and offset_s (seconds), or both.

    Raises:
        BadInput: these columns are missing, or a cell cannot be read.
    """
    header = [_column(cell) for cell in rows[0][1]]
    header, notes = _with_units(path, header, rows[1:])
    if not ({"onset", "offset"} <= set(header) or {"onset_s", "offset_s"} <= set(header)):
        named = ", ".join(rows[0][1])[:120]
        problem = f"this table has neither onset and offset nor onset_s and offset_s; it has {named}"
        raise BadInput(path, problem, "Name the columns in the first line.")
    repeated = [name for name in ("onset", "offset", "onset_s", "offset_s") if header.count(name) > 1]
    if repeated:
        problem = f"the column {repeated[0]} is there twice, so that events may lie beside each other"
        raise BadInput(path, problem, "Write one event in each line.")
    entries, read = [], []
    for number, cells in rows[1:]:
        if any(cells[len(header) :]):
            problem = f"it has more values than columns ({len(header)})"
            raise BadInput(
                f"{path} line {number}", problem, "Write decimals with a point, or quote the value."
            )
        if any(cells):
            row = dict(reversed(list(zip(header, cells, strict=False))))  # of two with one name the first
            if PREDICTED in header:
                row.setdefault("source", Event.source)
            read.append(row)
            entries.append(_entry(f"{path} line {number}", f"line {number}", row))
    return Entries(entries, notes=(*notes, *_unread_columns(header, rows[0][1]), *_other_statuses(read)))


def _unread_columns(header: Sequence[str], names: Sequence[str]) -> tuple[str, ...]:
    """Return a note about the columns that are not read; a table of `learnet predict` has more on purpose."""
    if PREDICTED in header:
        return ()
    unread = [name for column, name in zip(header, names, strict=True) if column not in (*COLUMNS, STATUS)]
    unread = [name.strip() for name in unread if name.strip()]
    return (f"columns that are not read: {shortened_list(unread)}.",) if unread else ()


def _with_units(path: Path, header: list[str], rows: Rows) -> tuple[list[str], tuple[str, ...]]:
    """Return the header with `start` and `end` as seconds, if their numbers have fractions, and a note.

    Raises:
        BadInput: all of them are whole numbers or may be, so they may be frames as well.
    """
    positions = [header.index(name) for name in UNIT_UNKNOWN if name in header]
    if len(positions) < len(UNIT_UNKNOWN) or {"onset", "onset_s"} & set(header):
        return header, ()
    fractions = []
    for line, cells in rows:
        texts = [cells[position] for position in positions if position < len(cells)]
        fractions += [(line, text) for text in texts if "." in text or "," in text]
    if all(is_thousands(text) for _, text in fractions):
        for line, text in fractions:
            check_thousands(f"{path} line {line}", text)
        problem = "start and end are whole numbers, which may be frames or seconds"
        hint = "Name the columns onset and offset (frames), or onset_s and offset_s (seconds)."
        raise BadInput(path, problem, hint)
    named = [f"{UNIT_UNKNOWN[name]}_s" if name in UNIT_UNKNOWN else name for name in header]
    return named, ("start and end are read as seconds, because some of them have a fraction.",)


def _column(name: str) -> str:
    """Return the name of a column as in COLUMNS: `Onset (s)` is `onset_s`."""
    name = name.strip().lower().replace("(s)", "_s").replace(" ", "_").replace("__", "_")
    return ALIASES.get(name, name)


def _entry(place: str, where: str, row: Mapping[str, str]) -> Entry:
    kind = row.get("kind", "").lower()
    if kind and kind not in KINDS:
        known = ", ".join(dict.fromkeys(KINDS.values()))
        raise BadInput(place, f"the kind {kind[:40]!r} is not known", f"Write {known}, or leave it empty.")
    try:
        unit_scores = tuple(float(part) for part in _parts(row, "action_unit_scores"))
        units = parse_units(row.get("action_units", ""), unit_scores)
    except ValueError as error:
        raise BadInput(place, str(error), HOW_TO_WRITE_UNITS) from None
    return Entry(
        where=where,
        onset=_frame(place, row, "onset"),
        apex=_frame(place, row, "apex"),
        offset=_frame(place, row, "offset"),
        onset_s=_number(place, row, "onset_s"),
        apex_s=_number(place, row, "apex_s"),
        offset_s=_number(place, row, "offset_s"),
        kind=KINDS.get(kind, ""),
        label=row.get("label", ""),
        score=_number(place, row, "score") or 0.0,
        action_units=units,
        regions=tuple(_parts(row, "regions")),
        strength_px=_number(place, row, "strength_px") or 0.0,
        source=row.get("source", ""),
        reason=row.get("reason", ""),
        status=_status(row),
    )


def _status(row: Mapping[str, str]) -> str:
    """Return the status of an event; empty if it is none of EVENT_STATUSES."""
    status = row.get(STATUS, "").strip().lower()
    return status if status in EVENT_STATUSES else ""


def _other_statuses(rows: Iterable[Mapping[str, str]]) -> tuple[str, ...]:
    """Return a note about the values of the column STATUS that are left out; none if there are none."""
    left_out = sum(bool(row.get(STATUS, "").strip()) and not _status(row) for row in rows)
    if not left_out:
        return ()
    known = ", ".join(EVENT_STATUSES)
    return (f"{counted(left_out, 'status', 'statuses')} left out; known are {known}.",)


def _parts(row: Mapping[str, str], name: str) -> list[str]:
    return [part.strip() for part in row.get(name, "").split(";") if part.strip()]


def _number(place: str, row: Mapping[str, str], name: str) -> float | None:
    text = row.get(name, "")
    if not text:
        return None
    try:
        return decimal_number(text)
    except ValueError:
        raise BadInput(place, f"the {name} {text[:40]!r} is not a number", "Correct it.") from None


def _frame(place: str, row: Mapping[str, str], name: str) -> int | None:
    check_thousands(place, row.get(name, ""))
    value = _number(place, row, name)
    if value is None:
        return None
    if value != value // 1 or abs(value) > 1e12:
        raise BadInput(place, f"the frame {row[name][:40]!r} is not a whole number", "Correct it.")
    return int(value)


def is_pyfeat_live(header: Sequence[str]) -> bool:
    """Return whether a header is that of pyfeat-live."""
    return set(PYFEAT_LIVE) <= {cell.lower() for cell in header}


def read_pyfeat_live(path: Path, rows: Rows) -> Entries:
    """Read the annotations.csv of a session of pyfeat-live. Ranges to exclude are no events.

    References:
        cosanlab/pyfeat-live, pyfeatlive_core/annotations.py: kinds event, exclude and custom.
    """
    header = [cell.lower() for cell in rows[0][1]]
    entries = []
    excluded = 0
    for number, cells in rows[1:]:
        row = dict(zip(header, cells, strict=False))
        if row.get("kind", "").lower() == "exclude":
            excluded += 1
        elif any(cells):
            place, where = f"{path} line {number}", f"line {number}"
            label = row.get("label", "") or row.get("tag", "")
            onset, offset = _frame(place, row, "start_frame"), _frame(place, row, "end_frame")
            entries.append(
                Entry(where, onset=onset, offset=offset, label=label, source=row.get("source", ""))
            )
    notes = (f"{counted(excluded, 'range')} to exclude left out.",) if excluded else ()
    return Entries(entries, notes=notes)
