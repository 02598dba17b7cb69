"""Action units in words, tables and JSON."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from learnet.core.records import ActionUnitScore
from learnet.inference.emotion_criteria import emotions_from_units
from learnet.simulation.units import UNITS

UNIT_COLUMNS = ("action_units", "emotions_by_units")


def unit_columns(units: Sequence[int]) -> list[str]:
    """Return the names of the columns of `unit_cells`; those of single units are `AU4` and so on."""
    return [*UNIT_COLUMNS, *(f"AU{unit}" for unit in units)]


def unit_cells(
    named: Sequence[ActionUnitScore], scores: Mapping[int, float], units: Sequence[int]
) -> list[str | float | None]:
    """Return the cells of a row about action units.

    Args:
        named: the units that are named.
        scores: probability of each unit; empty where they were not scored.
        units: that have a column.

    Returns:
        The named units as FACS coders write them (`4+L10`, as in `clips.csv`), the emotions they speak for
        (`disgust; anger`), and the probability of each unit, None without one.
    """
    emotions = dict.fromkeys(match.emotion for match in emotions_from_units(named))  # each once, in order
    rounded = scores_to_dict(scores)
    probabilities = [rounded.get(str(unit)) for unit in units]
    return [facs_code(named), "; ".join(emotions), *probabilities]


def facs_code(units: Iterable[ActionUnitScore]) -> str:
    """Return units as FACS coders write them: ascending numbers, `4+L10`; empty for none."""
    ascending = sorted(units, key=lambda unit: unit.unit)
    return "+".join(unit.code for unit in ascending)


def short_text(units: Sequence[ActionUnitScore]) -> str:
    """Return units with their scores, the surest first: `AU 4 0.94, L12 0.81`; empty for none."""
    texts = [f"{unit.code} {unit.score:.2f}" for unit in units]
    return f"AU {', '.join(texts)}" if texts else ""


def long_text(units: Sequence[ActionUnitScore]) -> str:
    """Return units with side and score, the surest first: `AU 4 both sides, 0.94; AU 17, 0.81`."""
    texts = []
    for unit in units:
        name = f"AU {unit.unit} {side_text(unit)}".rstrip()
        texts.append(f"{name}, {unit.score:.2f}")
    return "; ".join(texts)


def side_text(unit: ActionUnitScore) -> str:
    """Return the side of a unit in words; empty for a unit without sides."""
    return {"left": "left side", "right": "right side", "both": "both sides"}.get(unit.side, "")


def unit_to_dict(unit: ActionUnitScore) -> dict[str, Any]:
    """Return a unit for JSON, with its name and muscle, rounded to meaningful digits."""
    described = UNITS[unit.unit]
    return {
        "unit": unit.unit,
        "side": unit.side or None,
        "name": described.name,
        "muscle": described.muscle,
        "score": None if unit.score is None else round(unit.score, 6),
    }


def scores_to_dict(scores: Mapping[int, float]) -> dict[str, float]:
    """Return the scores of all units for JSON, rounded like those of classes."""
    return {str(unit): round(score, 6) for unit, score in scores.items()}
