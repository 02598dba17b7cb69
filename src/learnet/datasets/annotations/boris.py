"""Events as BORIS writes them: a project (JSON), and its export of aggregated events (CSV).

Times are seconds.
"""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from learnet.core.csv_files import decode_text, read_csv_rows
from learnet.core.errors import BadInput, counted
from learnet.core.records import Event
from learnet.datasets.annotations.lanes import end_of, lanes, source_of
from learnet.datasets.annotations.record import Entries, Entry, Recording
from learnet.datasets.annotations.text import event_text, text_entry

OBSERVATION = "learnet"
BEHAVIORS = {"micro": "m", "macro": "a", "blink": "b"}
"""Behaviour of a project, as the kind of an event -> its key in BORIS."""

_PLAYERS = tuple(map(str, range(1, 9)))
_COLUMNS = ("behavior", "start (s)", "stop (s)")
_HINT = "Give a BORIS project, or its export of aggregated events as CSV."


def boris_text(events: Sequence[Event], recording: Recording) -> str:
    """Return a BORIS project with one observation.

    Behaviours are the kinds of events, as state events; the comment has the rest. A subject is a source, or
    several where its events overlap: BORIS cannot start a behaviour of a subject twice.
    """
    rows: list[tuple[float, str, str, str, str, int]] = []
    for lane, members in lanes(events).items():
        for event in members:
            rows.append((event.onset_s, lane, event.kind, "", event_text(event), event.onset))
            rows.append((end_of(event), lane, event.kind, "", "", event.offset))
    rows.sort(key=lambda row: row[0])
    project = {
        "time_format": "s",
        "project_date": "2000-01-01T00:00:00",
        "project_name": recording.name or OBSERVATION,
        "project_description": "Events written by learnet",
        "project_format_version": "7.0",
        "subjects_conf": _numbered(_subject(lane) for lane in lanes(events)),
        "behaviors_conf": _numbered(_behavior(kind, key) for kind, key in BEHAVIORS.items()),
        "observations": {OBSERVATION: _observation(rows, recording)},
        "behavioral_categories": [],
        "independent_variables": {},
        "coding_map": {},
        "behaviors_coding_map": [],
        "converters": {},
    }
    return json.dumps(project, indent=1, ensure_ascii=False) + "\n"


def _numbered(items: Any) -> dict[str, Any]:
    return {str(number): item for number, item in enumerate(items)}


def _subject(name: str) -> dict[str, str]:
    return {"key": "", "name": name, "description": ""}


def _behavior(kind: str, key: str) -> dict[str, str]:
    empty = dict.fromkeys(("description", "color", "category", "modifiers", "excluded", "coding map"), "")
    return {"type": "State event", "key": key, "code": kind, **empty}


def _observation(rows: Sequence[tuple], recording: Recording) -> dict[str, Any]:
    media = recording.name
    info: dict[str, Any] = {"length": {}, "fps": {}, "hasVideo": {}, "hasAudio": {}}
    if media and recording.fps:
        length_s = recording.frames / recording.fps if recording.frames else 0.0
        info = {
            "length": {media: length_s},
            "fps": {media: recording.fps},
            "hasVideo": {media: True},
            "hasAudio": {media: False},
        }
    return {
        "file": {player: [media] if media and player == "1" else [] for player in _PLAYERS},
        "type": "MEDIA" if media else "LIVE",
        "date": "2000-01-01T00:00:00",
        "description": "",
        "time offset": 0.0,
        "events": rows,
        "observation time interval": [0, 0],
        "independent_variables": {},
        "visualize_spectrogram": False,
        "visualize_waveform": False,
        "close_behaviors_between_videos": False,
        "media_info": info,
    }


def read_boris_project(path: Path, project: Mapping[str, Any]) -> Entries:
    """Read the state events of a BORIS project.

    Args:
        path: the file, for errors.
        project: its content.

    Raises:
        BadInput: the content is not that of a project, it has several observations, or a state event does
            not end.
    """
    observations = project.get("observations")
    if not isinstance(observations, dict) or not observations:
        raise BadInput(path, "this BORIS project has no observation", _HINT)
    if len(observations) > 1:
        named = ", ".join(map(str, observations))[:80]
        hint = "Export each observation to a file of its own (aggregated events)."
        raise BadInput(path, f"this BORIS project has several observations: {named}", hint)
    (observation,) = observations.values()
    try:
        points = {
            behavior["code"]
            for behavior in project["behaviors_conf"].values()
            if behavior["type"].lower().startswith("point")
        }
        rows = sorted(observation["events"], key=lambda row: float(row[0]))
        rates = [*observation.get("media_info", {}).get("fps", {}).values()]
        fps = float(rates[0]) if rates else None
        entries, left_out = _pair_states(path, rows, points)
    except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
        raise BadInput(path, f"this BORIS project is damaged ({error!r})", _HINT) from None
    notes = (f"{counted(left_out, 'point event')} left out: an event has a duration.",) if left_out else ()
    return Entries(entries, Recording(fps=fps or None), notes)


def _pair_states(path: Path, rows: Sequence[Sequence], points: set[str]) -> tuple[list[Entry], int]:
    """Return an entry for each start and stop of a behaviour of a subject, and the number of point events."""
    open_states: dict[tuple, list[Sequence]] = defaultdict(list)
    entries = []
    left_out = 0
    for row in rows:
        _, subject, behavior, modifiers, *_ = row
        key = (subject, behavior, modifiers)
        if behavior in points:
            left_out += 1
        elif open_states[key]:
            start = open_states[key].pop()
            entries.append(_state(path, start, float(row[0])))
        else:
            open_states[key].append(row)
    for (_, behavior, _), rows_left in open_states.items():
        for row in rows_left:
            problem = f"the behaviour {behavior!r} that starts at {float(row[0]):.3f} s does not stop"
            raise BadInput(path, problem, "Fix the unpaired event in BORIS.")
    return entries, left_out


def _state(path: Path, start: Sequence, stop_s: float) -> Entry:
    onset_s, subject, behavior, modifiers, comment, *_ = start
    text = "; ".join(filter(None, map(str, (behavior, modifiers, _without_kind(behavior, str(comment))))))
    where = f"{behavior} at {float(onset_s):.3f} s"
    return text_entry(path, where, (float(onset_s), stop_s), text, source_of(str(subject)))


def _without_kind(behavior: str, comment: str) -> str:
    """Return a comment that learnet wrote without the kind, which is the behaviour as well."""
    return comment.removeprefix(f"{behavior}; ")


def is_boris_export(header: Sequence[str]) -> bool:
    """Return whether a header is that of aggregated events."""
    return set(_COLUMNS) <= {cell.lower() for cell in header}


def read_boris_export(path: Path) -> Entries:
    """Read aggregated events (CSV).

    Raises:
        BadInput: a row has no start or stop, several observations are in the file, or a text cannot be read.
    """
    rows = read_csv_rows(path, decode_text(path, path.read_bytes()), line_breaks=True)
    header = [cell.lower() for cell in rows[0][1]]
    entries = []
    observations = set()
    left_out = 0
    fps = None
    for number, cells in rows[1:]:
        row = dict(zip(header, cells, strict=False))
        if not any(cells):
            continue
        observations.add(row.get("observation id", ""))
        if row.get("behavior type", "").upper() == "POINT":
            left_out += 1
            continue
        fps = _number_or_none(row.get("fps (frame/s)") or row.get("fps", "")) or fps
        entries.append(_exported_state(path, f"line {number}", row))
    if len(observations) > 1:
        problem = f"several observations are in the file: {', '.join(sorted(observations))[:80]}"
        raise BadInput(path, problem, "Export each observation to a file of its own.")
    notes = (f"{counted(left_out, 'point event')} left out: an event has a duration.",) if left_out else ()
    return Entries(entries, Recording(fps=fps), notes)


def _exported_state(path: Path, where: str, row: Mapping[str, str]) -> Entry:
    times = []
    for name in ("start (s)", "stop (s)"):
        value = _number_or_none(row.get(name, ""))
        if value is None:
            problem = f"{row.get(name, '')[:40]!r} in the column {name!r} is not a number"
            raise BadInput(f"{path} {where}", problem, "Correct it.")
        times.append(value)
    modifiers = [row[name] for name in row if name.startswith("modifier") and row[name]]
    comment = _without_kind(row["behavior"], row.get("comment start", ""))
    text = "; ".join(filter(None, (row["behavior"], *modifiers, comment)))
    return text_entry(path, where, (times[0], times[1]), text, source_of(row.get("subject", "")))


def _number_or_none(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
