"""An event in one line of text: `micro; AU 4+L10; negative 0.83; left brow, lips; apex 7.320 s`.

Annotations of ELAN, Praat, BORIS and WebVTT have one text each. What people write there is read in the same
way: a word for the kind, units of FACS, regions, and anything else as the label.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from learnet.core.errors import BadInput
from learnet.core.labels import (
    HOW_TO_WRITE_UNITS,
    ActionUnit,
    parse_action_units,
    problem_of_action_unit_code,
)
from learnet.core.records import FACE_REGIONS, ActionUnitScore, Event
from learnet.datasets.annotations.record import Entry
from learnet.simulation.units import UNITS

KINDS = {
    "micro": "micro",
    "micro-expression": "micro",
    "macro": "macro",
    "macro-expression": "macro",
    "blink": "blink",
}
"""Word for a kind, in lower case -> kind."""

_UNITS = re.compile(r"AUs?\s*([LR]?\d.*)", re.IGNORECASE)
_APEX = re.compile(r"apex\s+(\d+(?:\.\d+)?)\s*s?", re.IGNORECASE)
_LABEL = re.compile(r"(?P<label>.*?)(?:\s+(?P<score>0?\.\d+|0|1|1\.0+))?")


@dataclass(frozen=True)
class EventText:
    """What the text of an annotation says."""

    kind: str = ""
    label: str = ""
    score: float = 0.0
    action_units: tuple[ActionUnitScore, ...] = ()
    regions: tuple[str, ...] = ()
    apex_s: float | None = None


def event_text(event: Event) -> str:
    """Return an event in one line."""
    parts: list[str] = [event.kind]
    if event.action_units:
        parts.append(f"AU {facs_text(event.action_units)}")
    if event.label:
        parts.append(f"{event.label} {event.score:.2f}" if event.score else event.label)
    if event.regions:
        parts.append(", ".join(event.regions))
    parts.append(f"apex {event.apex_s:.3f} s")
    return "; ".join(parts)


def facs_text(units: Iterable[ActionUnitScore]) -> str:
    """Return units as FACS coders write them, `4+L10`, in ascending order."""
    return "+".join(unit.code for unit in sorted(units, key=lambda unit: unit.unit))


def parse_event_text(text: str) -> EventText:
    """Read the text of an annotation.

    Raises:
        ValueError: units that are not written as FACS coders write them, with what is wrong.
    """
    kind = ""
    labels: list[str] = []
    score = 0.0
    units: tuple[ActionUnitScore, ...] = ()
    regions: tuple[str, ...] = ()
    apex_s = None
    for part in filter(None, map(str.strip, re.split(r"[;\n]", text))):
        if part.lower() in KINDS:
            kind = KINDS[part.lower()]
        elif match := _UNITS.fullmatch(part):
            units = parse_units(match[1])
        elif match := _APEX.fullmatch(part):
            apex_s = float(match[1])
        elif names := _regions(part):
            regions = names
        else:
            match = _LABEL.fullmatch(part)
            assert match is not None
            labels.append(match["label"] if match["score"] else part)
            score = float(match["score"] or score)
    return EventText(kind, "; ".join(labels), score, units, regions, apex_s)


def text_entry(path: Path, where: str, limits_s: tuple[float, float], text: str, source: str) -> Entry:
    """Return the entry of an annotation that has times and a text.

    Raises:
        BadInput: the text names action units in another way than FACS coders do.
    """
    try:
        content = parse_event_text(text)
    except ValueError as error:
        raise BadInput(f"{path} {where}", str(error), HOW_TO_WRITE_UNITS) from None
    onset_s, offset_s = limits_s
    return Entry(
        where=where,
        onset_s=onset_s,
        apex_s=content.apex_s,
        offset_s=offset_s,
        kind=content.kind,
        label=content.label,
        score=content.score,
        action_units=content.action_units,
        regions=content.regions,
        source=source,
    )


def parse_units(text: str, scores: tuple[float, ...] = ()) -> tuple[ActionUnitScore, ...]:
    """Return the units of a FACS code, the surest first; without scores in the order of the code.

    Args:
        text: as `4+L10`. A unit without a letter moves on both sides, if it has sides.
        scores: one for each unit, or none.

    Raises:
        ValueError: it is not written so, with what is wrong.
    """
    if not text:
        return ()
    if problem := problem_of_action_unit_code(text):
        raise ValueError(f"{text[:60]!r} is no code of action units: {problem}")
    units = parse_action_units(text)
    known: Sequence[float | None] = scores or (None,) * len(units)
    if len(known) != len(units):
        raise ValueError(f"{text[:60]!r} has {len(units)} units and {len(known)} scores")
    scored = []
    for unit, score in zip(units, known, strict=True):
        scored.append(ActionUnitScore(unit.number, _side(unit), score))
    return tuple(sorted(scored, key=lambda unit: -(unit.score or 0.0)))


def _side(unit: ActionUnit) -> Literal["left", "right", "both", ""]:
    if unit.side:
        return "left" if unit.side == "L" else "right"
    described = UNITS.get(unit.number)
    return "both" if described and described.paired else ""


def _regions(part: str) -> tuple[str, ...]:
    """Return the regions that a text names; none if it names anything else."""
    names = tuple(name.strip().lower() for name in part.split(","))
    return names if set(names) <= set(FACE_REGIONS) else ()
