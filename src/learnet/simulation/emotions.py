"""Emotions as combinations of action units, and how one person acts them.

Which units belong to which emotion follows the criteria by which CASME II was labelled, as the literature quotes them (Yan et al., PLOS ONE
9(1): e86041, 2014) and, for what these leave open, EMFACS (Friesen and Ekman 1983; Ekman, Friesen, Hager, FACS Investigator's Guide, 2002).
The shares are ours: single units and pairs far more often than the full prototypes, as in all spontaneous databases.
"""

from dataclasses import dataclass, replace

import numpy as np

from learnet.core.errors import pick
from learnet.simulation.geometry import Geometry, crop_view
from learnet.simulation.movement import MODEL_FACE_PX, displacement, min_area_ratio
from learnet.simulation.units import UNITS, Activation, both_sides


@dataclass(frozen=True)
class Combination:
    """Action units that occur together, and how often among the expressions of the emotion."""

    units: tuple[int, ...]
    share: float


def _combinations(shares: str) -> tuple[Combination, ...]:
    """ "6+12 0.3" reads: units 6 and 12 together in three of ten."""
    pairs = (entry.split() for entry in shares.split(","))
    return tuple(
        Combination(tuple(int(unit) for unit in units.split("+")), float(share)) for units, share in pairs
    )


EMOTIONS: dict[str, tuple[Combination, ...]] = {
    "happiness": _combinations("12 0.45, 6+12 0.40, 6 0.07, 12+25 0.08"),
    "disgust": _combinations("4+7 0.34, 4+9 0.18, 9 0.10, 10 0.16, 4+7+9 0.10, 4+7+10 0.12"),
    "repression": _combinations("15 0.25, 17 0.32, 15+17 0.23, 17+24 0.12, 14+17 0.08"),
    "surprise": _combinations("1+2 0.62, 1+2+25 0.14, 2 0.10, 1+2+5 0.08, 25 0.06"),
    "others": _combinations("4 0.42, 14 0.22, 20 0.08, 1+4 0.08, 23 0.08, 24 0.06, 7 0.06"),
    "sadness": _combinations("1 0.35, 1+4 0.35, 1+15 0.15, 1+4+15 0.15"),
    "fear": _combinations("1+2+4 0.40, 20 0.15, 4+20 0.15, 1+2+4+5 0.15, 5+25 0.15"),
    "anger": _combinations("4+7 0.30, 4+5 0.20, 4+23 0.20, 4+7+23 0.15, 4+24 0.15"),
    "contempt": _combinations("14 0.60, 12+14 0.30, 10 0.10"),
    "tense": _combinations("4 0.30, 4+14 0.20, 14+24 0.15, 4+20 0.15, 4+24 0.10, 23 0.10"),
}
"""Emotion -> its combinations. CASME II: happiness 6 or 12; disgust 9, 10 or 4+7; repression 15, 17; surprise 1+2, 2 or 25; sadness 1; fear
1+2+4 or 20; others: the rest, here mostly 4 or 14 alone. 5, 23, 24, anger and contempt: EMFACS. Tense is CASME's word; no source at hand
says which units it is, so both units and shares are ours: a frown, and lips drawn in or pressed."""

ONE_SIDED_SHARES = {"contempt": 0.8, "happiness": 0.2, "disgust": 0.2, "others": 0.25}
"""Share of expressions that show on one side only, where it is not 0.1; contempt is one-sided by definition (EMFACS: R12+R14)."""

MICRO_PEAK_PX = (0.5, 2.5)
"""Weakest and strongest peak displacement of a micro-expression, in pixels of a face 112 pixels wide."""

MACRO_PEAK_PX = (4.0, 8.0)
"""The same of a macro-expression; our choice: 5 to 10 mm on a real face. Lips and lids stop sooner, see LEAST_STRETCH."""

MIN_AREA_RATIO = 0.2
"""No expression squeezes skin to less than this share of its area: beyond it would fold. Micro-expressions never come so far."""


@dataclass(frozen=True)
class ExpressionStyle:
    """How one person acts: personal variation that a network must see through."""

    expressive: float  # factor on all strengths
    balance: float  # -1..1: the left side is stronger by this share
    habits: int  # seed of the personal preference among an emotion's combinations


def make_style(rng: np.random.Generator) -> ExpressionStyle:
    """Somebody's manner."""
    return ExpressionStyle(
        float(np.exp(rng.normal(0, 0.2))),
        float(np.clip(rng.normal(0, 0.15), -0.4, 0.4)),
        int(rng.integers(2**31)),
    )


def draw_expression(
    emotion: str,
    manner: ExpressionStyle,
    geometry: Geometry,
    rng: np.random.Generator,
    peak_px: tuple[float, float] = MICRO_PEAK_PX,
) -> tuple[Activation, ...]:
    """One expression of an emotion on a face: units, sides and strengths.

    Args:
        emotion: a name of EMOTIONS.
        peak_px: its largest displacement lies between these two, PEAK_PX or MACRO_PX; less where the skin would fold.

    Raises:
        UnknownName: no such emotion in the table.
    """
    combinations = pick(EMOTIONS, emotion, "simulated emotion")
    taste = np.random.default_rng([manner.habits, sorted(EMOTIONS).index(emotion)])
    shares = np.array([combination.share for combination in combinations])
    liking = shares * taste.gamma(2.0, 0.5, len(shares))  # each person prefers some of the combinations
    units = combinations[rng.choice(len(shares), p=liking / liking.sum())].units
    strongest = float(np.clip(rng.uniform(*peak_px) * manner.expressive, *peak_px))
    side = None
    if rng.random() < ONE_SIDED_SHARES.get(emotion, 0.1) and all(UNITS[unit].paired for unit in units):
        side = "left" if rng.random() < 0.5 + 0.5 * manner.balance else "right"
    activations: list[Activation] = []
    for position, unit in enumerate(units):
        strength = 1.0 if position == 0 else rng.uniform(0.45, 1.0)
        uneven = (
            float(np.clip(manner.balance + rng.normal(0, 0.08), -0.5, 0.5)) if UNITS[unit].paired else 0.0
        )
        activations += [one for one in both_sides(unit, strength, uneven) if side in (None, one.side)]
    return _scaled(activations, geometry, strongest)


def _scaled(activations: list[Activation], geometry: Geometry, peak_px: float) -> tuple[Activation, ...]:
    """The same expression, as strong as to move some point of this face by PEAK_PX and none further, or as the skin bears."""
    view = crop_view(MODEL_FACE_PX, MODEL_FACE_PX)
    shape = displacement(geometry, activations, view)
    field = shape * np.float32(MODEL_FACE_PX / view.face_px)
    factor = peak_px / float(np.hypot(field[..., 0], field[..., 1]).max())
    while min_area_ratio(shape * np.float32(factor)) < MIN_AREA_RATIO:
        factor *= 0.95
    return tuple(replace(one, peak_px=one.peak_px * factor) for one in activations)
