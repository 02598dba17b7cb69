"""Emotions that action units speak for, by published criteria: a transparent answer beside the network's.

There is no probability in it. A combination of units is met, or it is not, and the reader sees which.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from learnet.core.records import ActionUnitScore
from learnet.simulation.emotions import EMOTIONS

CASME2 = "CASME II"
EMFACS = "EMFACS"

CASME2_CRITERIA: dict[str, tuple[frozenset[int], ...]] = {
    "happiness": (frozenset({6}), frozenset({12})),
    "disgust": (frozenset({9}), frozenset({10}), frozenset({4, 7})),
    "repression": (frozenset({15}), frozenset({17})),
    "surprise": (frozenset({1, 2}), frozenset({2}), frozenset({25})),
    "sadness": (frozenset({1}),),
    "fear": (frozenset({1, 2, 4}), frozenset({20})),
}
"""Emotion -> units of which CASME II asks for one set at least (Yan et al., PLOS ONE 9(1): e86041, 2014)."""

NO_CRITERIA = ("others", "tense")
"""Emotions of `EMOTIONS` without a published criterion: the rest of CASME II, and a label of CASME."""

ONE_SIDED = "contempt"
"""The emotion that shows on one side of the face by definition (EMFACS: R12+R14)."""


@dataclass(frozen=True)
class CriterionMatch:
    """An emotion that action units speak for, and why."""

    emotion: str  # key of EMOTIONS
    units: tuple[ActionUnitScore, ...]  # the combination that is met, in ascending order
    source: Literal["CASME II", "EMFACS"]  # of the criterion
    complete: bool  # whether the combination has all units that were named; otherwise some are left over

    @property
    def code(self) -> str:
        """The combination as FACS coders write it: "4+7", or "R12+R14"."""
        return "+".join(unit.code for unit in self.units)

    def to_dict(self) -> dict[str, Any]:
        """Return the match for JSON."""
        return {
            "emotion": self.emotion,
            "action_units": self.code,
            "source": self.source,
            "complete": self.complete,
        }


def emotions_from_units(units: Iterable[ActionUnitScore]) -> tuple[CriterionMatch, ...]:
    """Return the emotions that action units speak for, by the criteria of CASME II and EMFACS.

    A criterion is met if all units of one of its combinations (`simulation.emotions.EMOTIONS`) are named. A
    combination that is part of a larger one that is met, too, does not count: 1+2+4 speaks for fear, and not
    for surprise (1+2) or sadness (1). Contempt needs units on one and the same side. Other units do not speak
    against an emotion; `complete` is False where there are any.

    Args:
        units: that are named, each once.

    Returns:
        Complete matches first, then larger combinations, then in the order of EMOTIONS; none if no criterion
        is met.
    """
    named = {unit.unit: unit for unit in units}
    met = []
    for emotion, combinations in EMOTIONS.items():
        if emotion in NO_CRITERIA:
            continue
        for combination in combinations:
            numbers = sorted(combination.units)
            if not named.keys() >= set(numbers):
                continue
            members = tuple(named[number] for number in numbers)
            if emotion == ONE_SIDED and not _on_one_side(members):
                continue
            complete = len(numbers) == len(named)
            met.append(CriterionMatch(emotion, members, _source(emotion, numbers), complete))
    largest = [match for match in met if not _is_part_of_another(match, met)]
    largest.sort(key=lambda match: (not match.complete, -len(match.units)))
    return tuple(largest)


def criteria_sentence(matches: Sequence[CriterionMatch]) -> str:
    """Return what action units speak for in a sentence without a full stop; empty if that is nothing.

    For example "AU 4+7 speak for disgust or anger (criteria of CASME II, EMFACS)".
    """
    if not matches:
        return ""
    emotions: dict[str, list[str]] = {}
    sizes = {}
    for match in matches:
        emotions.setdefault(match.code, []).append(match.emotion)
        sizes[match.code] = len(match.units)
    parts = []
    for code, names in emotions.items():
        verb = "speaks" if sizes[code] == 1 else "speak"
        parts.append(f"AU {code} {verb} for {' or '.join(names)}")
    sources = sorted({match.source for match in matches})
    return f"{', '.join(parts)} (criteria of {', '.join(sources)})"


def _source(emotion: str, units: Sequence[int]) -> Literal["CASME II", "EMFACS"]:
    """Return whose criterion a combination is: that of CASME II if it meets one, which came first."""
    criteria = CASME2_CRITERIA.get(emotion, ())
    return "CASME II" if any(criterion <= set(units) for criterion in criteria) else "EMFACS"


def _on_one_side(units: Sequence[ActionUnitScore]) -> bool:
    sides = {unit.side for unit in units}
    return len(sides) == 1 and sides <= {"left", "right"}


def _is_part_of_another(match: CriterionMatch, matches: Iterable[CriterionMatch]) -> bool:
    units = {unit.unit for unit in match.units}
    return any(units < {unit.unit for unit in other.units} for other in matches)
