"""Individual variation of the action units: in no two faces do the muscles lie and pull in the same way.

The amounts are ours. They make a network depend less on the exact shapes in `units.UNITS`, which are a model.
"""

from dataclasses import dataclass, replace

import numpy as np

from learnet.simulation.geometry import SIDES
from learnet.simulation.units import UNITS, Bump

STRENGTH_SD = 0.35  # of the logarithm of a bump's displacement
WIDTH_SD = 0.25  # of the logarithm of its width along each axis
SHIFT_SD = 0.02  # of its position along each axis, face widths
ANGLE_SD = 0.25  # of the direction in which it moves the skin, radians
SIDE_STRENGTH_SD = 0.15  # difference between the two sides of a face: of the logarithm of the displacement,
SIDE_SHIFT_SD = 0.008  # and of the position


@dataclass(frozen=True)
class Muscles:
    """How the muscles of one person differ from those of the average face.

    Args:
        seed: of the person. The same seed gives the same face.
    """

    seed: int

    def bumps(self, unit: int, side: str) -> tuple[Bump, ...]:
        """Return the displacements that one side of a unit makes in this face.

        Args:
            unit: key of UNITS.
            side: "left" or "right", the person's own.
        """
        both = np.random.default_rng([self.seed, unit])
        one = np.random.default_rng([self.seed, unit, 1 + SIDES.index(side)])
        return tuple(_vary(bump, both, one) for bump in UNITS[unit].bumps)


def _vary(bump: Bump, both: np.random.Generator, one: np.random.Generator) -> Bump:
    """Return a bump with a strength, width, position and direction of its own.

    Args:
        bump: of the average face.
        both: source of what the two sides of a face share.
        one: source of what differs between the sides.
    """
    strength = np.exp(both.normal(0, STRENGTH_SD) + one.normal(0, SIDE_STRENGTH_SD))
    across, along = np.exp(both.normal(0, WIDTH_SD, 2)).tolist()
    shift = np.array(bump.shift) + both.normal(0, SHIFT_SD, 2) + one.normal(0, SIDE_SHIFT_SD, 2)
    angle = both.normal(0, ANGLE_SD)
    cosine = strength * np.cos(angle)
    sine = strength * np.sin(angle)
    shift_outward, shift_down = shift.tolist()
    return replace(
        bump,
        outward=float(cosine * bump.outward - sine * bump.down),
        down=float(sine * bump.outward + cosine * bump.down),
        sd_across=bump.sd_across * across,
        sd_along=bump.sd_along * along,
        shift=(shift_outward, shift_down),
    )
