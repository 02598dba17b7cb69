"""Facial action units as smooth displacement fields.

Each side of a unit is a sum of a few bumps. A bump moves the skin at a landmark outward (away from the
midline) and down, both as shares of the unit's strength, and the displacement decreases around the
landmark like a Gaussian. Muscle and direction of each unit follow the FACS manual (Ekman, Friesen, Hager:
Facial Action Coding System, 2002), in our words. Widths and shares are ours, from the anatomy of the
muscle and from looking at the fields. Only the displacement of the skin is modelled, not the furrows,
which a movement this small hardly makes.
"""

import math
from dataclasses import dataclass

from learnet.core.errors import LearnetError
from learnet.core.records import FACE_REGIONS
from learnet.simulation.geometry import SIDES


@dataclass(frozen=True)
class Bump:
    """A Gaussian displacement of the skin around a landmark, for the person's left; the right mirrors it."""

    landmark: str
    outward: float  # displacement away from the midline, share of the unit's strength
    down: float  # displacement down the face, share of the unit's strength
    sd_across: float  # standard deviation along u, face widths
    sd_along: float  # standard deviation along v, face widths
    shift: tuple[float, float] = (0.0, 0.0)  # from the landmark to the centre: (outward, down), face widths


@dataclass(frozen=True)
class ActionUnit:
    """An action unit of FACS."""

    name: str  # as FACS calls it
    muscle: str
    description: str  # section of the FACS manual, and the visible change
    bumps: tuple[Bump, ...]
    paired: bool = True  # each side can move alone


UNITS = {
    1: ActionUnit(
        "inner brow raiser",
        "frontalis, pars medialis",
        "upper face: pulls the inner portion of the brows upwards",
        (
            Bump("inner brow", 0.0, -0.81, 0.085, 0.075),
            Bump("forehead", 0.0, -0.36, 0.10, 0.08, (-0.05, -0.02)),
            Bump("upper lid", 0.0, -0.10, 0.07, 0.04, (-0.06, -0.02)),
        ),
    ),
    2: ActionUnit(
        "outer brow raiser",
        "frontalis, pars lateralis",
        "upper face: pulls the lateral portion of the brow upwards",
        (
            Bump("outer brow", 0.0, -0.67, 0.09, 0.075, (-0.03, 0.0)),
            Bump("middle brow", 0.0, -0.32, 0.08, 0.07),
            Bump("forehead", 0.0, -0.28, 0.10, 0.08, (0.15, -0.02)),
            Bump("upper lid", 0.0, -0.12, 0.08, 0.04, (0.05, -0.02)),
        ),
    ),
    4: ActionUnit(
        "brow lowerer",
        "corrugator and depressor supercilii, procerus",
        "upper face: lowers the brows, draws them together",
        (
            Bump("inner brow", -0.38, 0.64, 0.085, 0.07),
            Bump("middle brow", -0.26, 0.34, 0.08, 0.065),
            Bump("nose root", -0.02, 0.26, 0.05, 0.05, (0.04, -0.06)),
            Bump("forehead", -0.09, 0.21, 0.10, 0.08, (-0.06, 0.0)),
        ),
    ),
    5: ActionUnit(
        "upper lid raiser",
        "levator palpebrae superioris",
        "upper face: raises the upper lid, widens the eye opening",
        (Bump("upper lid", 0.0, -1.0, 0.085, 0.036),),
    ),
    6: ActionUnit(
        "cheek raiser",
        "orbicularis oculi, pars orbitalis",
        "upper face: lifts the cheeks, draws skin towards the eye",
        (
            Bump("cheek", -0.16, -0.98, 0.11, 0.085, (0.02, -0.05)),
            Bump("lower lid", 0.0, -0.33, 0.09, 0.045, (0.02, 0.02)),
            Bump("outer eye", -0.54, 0.05, 0.06, 0.07, (0.05, 0.02)),
            Bump("outer brow", -0.11, 0.22, 0.07, 0.05),
        ),
    ),
    7: ActionUnit(
        "lid tightener",
        "orbicularis oculi, pars palpebralis",
        "upper face: tightens the lids, narrows the eye opening",
        (
            Bump("lower lid", 0.0, -1.01, 0.095, 0.042),
            Bump("upper lid", 0.0, 0.37, 0.085, 0.034),
            Bump("outer eye", -0.21, 0.0, 0.05, 0.05),
        ),
    ),
    9: ActionUnit(
        "nose wrinkler",
        "levator labii superioris alaeque nasi",
        "lower face: pulls the skin along the nose up, the brows down",
        (
            Bump("nostril", 0.06, -1.00, 0.07, 0.085, (0.0, -0.04)),
            Bump("nose root", 0.0, 0.35, 0.06, 0.06, (0.05, -0.02)),
            Bump("inner brow", -0.18, 0.53, 0.08, 0.06),
            Bump("upper lip", 0.0, -0.59, 0.07, 0.05),
            Bump("lower lid", 0.0, -0.29, 0.09, 0.05, (-0.04, 0.05)),
        ),
    ),
    10: ActionUnit(
        "upper lip raiser",
        "levator labii superioris",
        "lower face: raises the upper lip, deepens the nasolabial furrow",
        (
            Bump("upper lip", 0.0, -0.95, 0.075, 0.05, (0.02, 0.0)),
            Bump("nostril", 0.12, -0.50, 0.07, 0.065, (0.06, 0.03)),
            Bump("cheek", 0.0, -0.25, 0.09, 0.08, (-0.05, 0.02)),
        ),
    ),
    12: ActionUnit(
        "lip corner puller",
        "zygomaticus major",
        "lower face: pulls the lip corners back and upwards (obliquely)",
        (
            Bump("lip corner", 0.64, -0.61, 0.08, 0.075),
            Bump("cheek", 0.09, -0.34, 0.10, 0.085, (-0.01, 0.03)),
            Bump("lower lip", 0.22, -0.13, 0.06, 0.05, (0.03, 0.0)),
            Bump("jaw", 0.13, -0.13, 0.09, 0.10, (-0.12, 0.02)),
        ),
    ),
    14: ActionUnit(
        "dimpler",
        "buccinator",
        "lower face: tightens the corners, draws the skin beyond them inwards",
        (
            Bump("lip corner", 0.77, -0.15, 0.05, 0.055, (-0.03, 0.0)),
            Bump("lip corner", -1.03, 0.0, 0.06, 0.08, (0.09, 0.0)),
            Bump("lip corner", -0.13, -0.51, 0.06, 0.05, (0.03, 0.10)),
        ),
    ),
    15: ActionUnit(
        "lip corner depressor",
        "depressor anguli oris",
        "lower face: pulls the lip corners down",
        (
            Bump("lip corner", 0.11, 0.86, 0.07, 0.07, (0.0, 0.01)),
            Bump("lower lip", 0.14, 0.18, 0.06, 0.05, (0.04, 0.0)),
            Bump("chin boss", 0.05, 0.18, 0.08, 0.08, (0.06, -0.04)),
        ),
    ),
    17: ActionUnit(
        "chin raiser",
        "mentalis",
        "lower face: pushes the chin boss and the lower lip upwards",
        (
            Bump("chin boss", 0.0, -0.65, 0.075, 0.08, (-0.03, 0.0)),
            Bump("lower lip", 0.0, -0.42, 0.07, 0.05, (-0.02, 0.01)),
            Bump("lip corner", 0.0, 0.12, 0.05, 0.05),
        ),
        paired=False,
    ),
    20: ActionUnit(
        "lip stretcher",
        "risorius, platysma",
        "lower face: pulls the lips back sideways, flattens the chin boss",
        (
            Bump("lip corner", 0.87, 0.13, 0.085, 0.07),
            Bump("lower lip", 0.27, 0.09, 0.06, 0.05, (0.03, 0.0)),
            Bump("chin boss", 0.27, 0.09, 0.08, 0.08, (0.06, -0.02)),
        ),
    ),
    23: ActionUnit(
        "lip tightener",
        "orbicularis oris",
        "lower face: tightens and narrows the lips, red parts roll in",
        (
            Bump("lip corner", -0.98, 0.0, 0.065, 0.06),
            Bump("upper lip", -0.23, 0.46, 0.065, 0.035, (-0.02, 0.0)),
            Bump("lower lip", -0.23, -0.52, 0.065, 0.04, (-0.02, 0.01)),
        ),
        paired=False,
    ),
    24: ActionUnit(
        "lip pressor",
        "orbicularis oris",
        "lower face: presses the lips together",
        (
            Bump("upper lip", 0.0, 0.68, 0.075, 0.036, (-0.02, 0.0)),
            Bump("lower lip", 0.0, -0.75, 0.075, 0.04, (-0.02, 0.0)),
            Bump("chin boss", 0.0, -0.24, 0.07, 0.07, (-0.02, 0.0)),
            Bump("lip corner", -0.16, 0.05, 0.05, 0.05),
        ),
        paired=False,
    ),
    25: ActionUnit(
        "lips part",
        "depressor labii or relaxed mentalis",
        "lower face: parts the lips",
        (
            Bump("lower lip", 0.0, 0.62, 0.075, 0.055, (-0.03, 0.0)),
            Bump("upper lip", 0.0, -0.28, 0.075, 0.045, (-0.03, 0.0)),
            Bump("chin boss", 0.0, 0.25, 0.08, 0.08, (-0.03, 0.0)),
        ),
        paired=False,
    ),
    26: ActionUnit(
        "jaw drop",
        "masseter relaxed",
        "lower face: chin and lower lip go down as the jaw relaxes",
        (
            Bump("chin boss", 0.0, 0.66, 0.13, 0.13, (0.0, 0.05)),
            Bump("lower lip", 0.0, 0.28, 0.08, 0.06, (-0.02, 0.0)),
            Bump("low jaw", 0.0, 0.25, 0.10, 0.12),
        ),
        paired=False,
    ),
    45: ActionUnit(
        "blink",
        "levator palpebrae relaxed, orbicularis oculi",
        "upper face: both lids close and open again",
        (
            Bump("upper lid", 0.0, 1.0, 0.095, 0.052, (0.0, 0.004)),
            Bump("lower lid", 0.0, -0.12, 0.08, 0.03),
        ),
    ),
}
"""Number of the unit -> the unit."""


@dataclass(frozen=True)
class Activation:
    """One side of an active action unit."""

    unit: int  # key of UNITS
    side: str  # "left" or "right", the person's own
    peak_px: float  # about the largest displacement, in pixels of a face 112 pixels wide

    def __post_init__(self) -> None:
        if self.unit in UNITS and self.side in SIDES:
            return
        numbers = ", ".join(map(str, UNITS))
        raise LearnetError(
            f"There is no action unit {self.unit} on the {self.side!r} side.",
            f"Units: {numbers}; sides: left, right.",
        )


def both_sides(unit: int, peak_px: float, balance: float = 0.0) -> tuple[Activation, Activation]:
    """Return the activations of both sides of a unit.

    Args:
        unit: key of UNITS.
        peak_px: mean strength of the two sides, in pixels of a face 112 pixels wide.
        balance: share in -1..1 by which the left side is stronger and the right side weaker.
    """
    left_px = peak_px * (1 + balance)
    right_px = peak_px * (1 - balance)
    left = Activation(unit, "left", left_px)
    right = Activation(unit, "right", right_px)
    return left, right


def format_units(activations: tuple[Activation, ...]) -> str:
    """Return the units as FACS coders write them.

    Ascending numbers joined by `+`; "L" or "R" before a unit that is active on one side only ("4+L10").
    """
    sides: dict[int, set[str]] = {}
    for activation in activations:
        sides.setdefault(activation.unit, set()).add(activation.side)
    codes = []
    for unit in sorted(sides):
        letter = ""
        if len(sides[unit]) == 1:
            (side,) = sides[unit]
            letter = side[0].upper()
        codes.append(f"{letter}{unit}")
    return "+".join(codes)


LANDMARK_REGIONS = {
    "inner brow": "brow", "middle brow": "brow", "outer brow": "brow", "nose root": "middle brow",
    "upper lid": "lids", "lower lid": "lids", "outer eye": "lids",
    "nostril": "nose wing", "cheek": "cheek", "lip corner": "mouth corner",
    "upper lip": "lips", "lower lip": "lips", "chin boss": "chin", "low jaw": "chin",
}  # fmt: skip
"""Landmark -> region of the face (`learnet.core.records.FACE_REGIONS`), without its side."""

MOVING_SHARE = 0.5  # of the largest displacement, from which a region is said to move


def moving_regions(activations: tuple[Activation, ...]) -> tuple[str, ...]:
    """Return the regions of the face that move at least half as far as the one that moves furthest.

    They are names of `learnet.core.records.FACE_REGIONS`, in that order.
    """
    largest: dict[str, float] = {}
    for activation in activations:
        for bump in UNITS[activation.unit].bumps:
            name = LANDMARK_REGIONS.get(bump.landmark)
            if name is None:
                continue
            sided = f"{activation.side} {name}"
            region = sided if sided in FACE_REGIONS else name
            moved_px = activation.peak_px * math.hypot(bump.outward, bump.down)
            largest[region] = max(moved_px, largest.get(region, 0.0))
    limit = MOVING_SHARE * max(largest.values(), default=0.0)
    return tuple(region for region in FACE_REGIONS if largest.get(region, -1.0) >= limit)
