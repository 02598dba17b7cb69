"""Emotions as combinations of action units, and how one person expresses them.

The units of each emotion follow the criteria by which CASME II was labelled, as the literature quotes them
(Yan et al., PLOS ONE 9(1): e86041, 2014), and, where these are silent, EMFACS (Friesen and Ekman 1983;
Ekman, Friesen, Hager, FACS Investigator's Guide, 2002). The shares are ours: single units and pairs are far
more frequent than the full prototypes, as in all spontaneous databases.
"""

from dataclasses import dataclass, replace

import numpy as np

from learnet.core.errors import pick
from learnet.simulation.geometry import Geometry, crop_view
from learnet.simulation.movement import MODEL_FACE_PX, displacement, min_area_ratio
from learnet.simulation.units import UNITS, Activation, both_sides


@dataclass(frozen=True)
class Combination:
    """Action units that occur together, and their share among the expressions of an emotion."""

    units: tuple[int, ...]
    share: float


def _combinations(shares: str) -> tuple[Combination, ...]:
    """Parse the combinations of an emotion: "6+12 0.3" means units 6 and 12 together in 30 %."""
    combinations = []
    for entry in shares.split(","):
        units, share = entry.split()
        numbers = tuple(map(int, units.split("+")))
        combinations.append(Combination(numbers, float(share)))
    return tuple(combinations)


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
"""Emotion -> its combinations of action units.

CASME II: happiness 6 or 12; disgust 9, 10 or 4+7; repression 15, 17; surprise 1+2, 2 or 25; sadness 1; fear
1+2+4 or 20; others: the rest, here mostly 4 or 14 alone. EMFACS: 5, 23, 24, anger and contempt. Tense is a
label of CASME; no source we know gives its units, so both units and shares are ours: a frown, and lips drawn
in or pressed.
"""

ONE_SIDED_SHARES = {
    "contempt": 0.8, "happiness": 0.2, "disgust": 0.2, "others": 0.25, "any": 0.25, "alone": 0.25,
}  # fmt: skip
"""Emotion -> share of its expressions that show on one side only; DEFAULT_ONE_SIDED_SHARE for the others.

Contempt is one-sided by definition (EMFACS: R12+R14).
"""

ANY_UNITS = "any"
"""In place of an emotion: one to four action units that need not occur together in any emotion."""

ONE_UNIT = "alone"
"""In place of an emotion: a single action unit, each equally frequent."""

COUNT_SHARES = (0.35, 0.35, 0.20, 0.10)
"""Share of one, two, three and four units."""

UNIT_FREQUENCIES = {
    1: 1.0, 2: 1.0, 4: 1.5, 5: 0.7, 6: 1.0, 7: 1.2, 9: 0.8, 10: 1.0, 12: 1.3, 14: 1.0, 15: 1.0, 17: 1.2,
    20: 0.6, 23: 0.6, 24: 0.6, 25: 0.6, 26: 0.4,
}  # fmt: skip
"""Unit -> its relative frequency among ANY_UNITS. Ours: nearly equal, so that rare units are learned, too."""

DEFAULT_ONE_SIDED_SHARE = 0.1

MICRO_PEAK_PX = (0.5, 2.5)
"""Smallest and largest peak displacement of a micro-expression, in pixels of a face 112 pixels wide."""

MACRO_PEAK_PX = (4.0, 8.0)
"""The same for a macro-expression. Our choice: 5 to 10 mm on a real face, and less where skin would fold."""

MIN_AREA_RATIO = 0.2
"""No expression squeezes skin to a smaller share of its area, because the skin would fold.

Micro-expressions never come close to this limit.
"""


@dataclass(frozen=True)
class ExpressionStyle:
    """How one person expresses emotions: personal variation that a network must be invariant to."""

    expressiveness: float  # factor on all strengths
    balance: float  # -1..1: share by which the left side is stronger
    preference_seed: int  # of the person's preferences among the combinations of an emotion


def make_style(rng: np.random.Generator) -> ExpressionStyle:
    """Draw the style of one person."""
    expressiveness = np.exp(rng.normal(0, 0.2))
    balance = np.clip(rng.normal(0, 0.15), -0.4, 0.4)
    preference_seed = rng.integers(2**31)
    return ExpressionStyle(float(expressiveness), float(balance), int(preference_seed))


def draw_expression(
    emotion: str,
    style: ExpressionStyle,
    geometry: Geometry,
    rng: np.random.Generator,
    peak_px: tuple[float, float] = MICRO_PEAK_PX,
) -> tuple[Activation, ...]:
    """Draw an expression of an emotion on a face: units, sides and strengths.

    Args:
        emotion: a key of EMOTIONS, ANY_UNITS, or ONE_UNIT.
        style: of the person.
        geometry: of the face.
        rng: source of all other random numbers.
        peak_px: range of the largest displacement, MICRO_PEAK_PX or MACRO_PEAK_PX; it is smaller where
            the skin would fold.

    Raises:
        UnknownName: there is no such emotion in the table.
    """
    units = _draw_units(emotion, style, rng)
    largest_px = float(np.clip(rng.uniform(*peak_px) * style.expressiveness, *peak_px))
    sides = _draw_sides(emotion, units, style, rng)
    activations: list[Activation] = []
    for position, unit in enumerate(units):
        strength = 1.0
        if position > 0:
            strength = rng.uniform(0.45, 1.0)
        balance = 0.0
        if UNITS[unit].paired:
            noise = rng.normal(0, 0.08)
            balance = float(np.clip(style.balance + noise, -0.5, 0.5))
        for activation in both_sides(unit, strength, balance):
            if sides[unit] in (None, activation.side):
                activations.append(activation)
    return _scale_to_peak(activations, geometry, largest_px)


def _draw_units(emotion: str, style: ExpressionStyle, rng: np.random.Generator) -> tuple[int, ...]:
    """Draw one combination of the emotion. Each person prefers some of the combinations."""
    if emotion == ANY_UNITS:
        return draw_any_units(rng)
    if emotion == ONE_UNIT:
        return (int(rng.choice(list(UNIT_FREQUENCIES))),)
    combinations = pick(EMOTIONS, emotion, "simulated emotion")
    shares = np.array([combination.share for combination in combinations])
    position = sorted(EMOTIONS).index(emotion)
    preferences = np.random.default_rng([style.preference_seed, position])
    weights = shares * preferences.gamma(2.0, 0.5, len(shares))
    probabilities = weights / weights.sum()
    choice = rng.choice(len(shares), p=probabilities)
    return combinations[choice].units


def draw_any_units(rng: np.random.Generator) -> tuple[int, ...]:
    """Draw one to four units that need not occur together in an emotion; the first is the strongest."""
    count = rng.choice(len(COUNT_SHARES), p=COUNT_SHARES) + 1
    units = list(UNIT_FREQUENCIES)
    frequencies = np.array(list(UNIT_FREQUENCIES.values()))
    drawn = rng.choice(units, count, replace=False, p=frequencies / frequencies.sum())
    return tuple(drawn.tolist())


def _draw_sides(
    emotion: str, units: tuple[int, ...], style: ExpressionStyle, rng: np.random.Generator
) -> dict[int, str | None]:
    """Draw the only side on which each unit shows, or None for both.

    An emotion shows on one side altogether, independent units each on their own.
    """
    if emotion not in (ANY_UNITS, ONE_UNIT):
        return dict.fromkeys(units, _draw_side(emotion, units, style, rng))
    return {unit: _draw_side(emotion, (unit,), style, rng) for unit in units}


def _draw_side(
    emotion: str, units: tuple[int, ...], style: ExpressionStyle, rng: np.random.Generator
) -> str | None:
    """Draw the only side that shows the expression, or None for both."""
    share = ONE_SIDED_SHARES.get(emotion, DEFAULT_ONE_SIDED_SHARE)
    one_sided = rng.random() < share
    paired = all(UNITS[unit].paired for unit in units)
    if not one_sided or not paired:
        return None
    left_probability = 0.5 + 0.5 * style.balance
    return "left" if rng.random() < left_probability else "right"


def _scale_to_peak(
    activations: list[Activation], geometry: Geometry, peak_px: float
) -> tuple[Activation, ...]:
    """Scale an expression to a largest displacement of `peak_px` on this face, or less if skin would fold."""
    view = crop_view(MODEL_FACE_PX, MODEL_FACE_PX)
    view_field = displacement(geometry, activations, view)
    face_scale = np.float32(MODEL_FACE_PX / view.face_px)
    field = view_field * face_scale
    lengths = np.hypot(field[..., 0], field[..., 1])
    largest = float(lengths.max())
    factor = peak_px / largest
    while min_area_ratio(view_field * np.float32(factor)) < MIN_AREA_RATIO:
        factor *= 0.95
    scaled = []
    for activation in activations:
        scaled.append(replace(activation, peak_px=activation.peak_px * factor))
    return tuple(scaled)
