"""The events in the JSON that `learnet predict` writes."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from learnet.core.errors import BadInput
from learnet.core.records import ActionUnitScore
from learnet.datasets.annotations.record import Entries, Entry, Recording

SOURCE = "learnet"


def read_predictions(path: Path, content: Mapping[str, Any]) -> Entries:
    """Read the events of a prediction.

    Args:
        path: the file, for errors.
        content: of the file.

    Raises:
        BadInput: an event lacks a value.
    """
    entries = []
    try:
        for number, event in enumerate(content["events"], start=1):
            entries.append(_entry(f"event {number}", event))
        recording = Recording(fps=float(content["fps"]), variable_rate=True)  # its times are the video's own
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise BadInput(
            path, f"these events are damaged ({error!r})", "Run `learnet predict` again."
        ) from None
    return Entries(entries, recording)


def _entry(where: str, event: Mapping[str, Any]) -> Entry:
    units = []
    for unit in event.get("action_units", ()):
        score = None if unit["score"] is None else float(unit["score"])
        units.append(ActionUnitScore(int(unit["unit"]), unit["side"] or "", score))
    return Entry(
        where=where,
        onset=int(event["onset"]),
        apex=int(event["apex"]),
        offset=int(event["offset"]),
        onset_s=float(event["onset_s"]),
        apex_s=float(event["apex_s"]),
        offset_s=float(event["offset_s"]),
        kind=str(event["kind"]),
        label=str(event["label"] or ""),
        score=_number(event["score"]),
        action_units=tuple(units),
        regions=tuple(event.get("regions", ())),
        strength_px=_number(event["strength_px"]),
        source=SOURCE,
        reason=str(event["reason"] or ""),
    )


def _number(value: Any) -> float:
    """Return a number; 0 for what a blink, or a movement that was not recognised, does not have."""
    return 0.0 if value is None else float(value)
