"""Points of the face whose motion is measured: patches of skin that expressions move, and rigid parts of
the head.

Positions are in head units, as in `learnet.face.head`: the origin lies between the eyes, x points to the
right of the picture (the person's left), y to the mouth, and the distance of the eyes is 1. They are those
of the average face (`learnet.simulation.geometry` measured them on a portrait); faces differ from it by
about 0.05.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64, Int64

# Offsets of the points of a patch from its centre.
PATCH_OFFSETS = ((-0.05, -0.03), (0.05, -0.03), (-0.05, 0.03), (0.05, 0.03))


@dataclass(frozen=True)
class Patch:
    """A patch of skin. A paired one is that of the person's left side, where x is positive; there is another
    on the right side."""

    name: str
    region: str  # of `learnet.core.records.FACE_REGIONS`; "brow" for "left brow" and "right brow"
    centre: tuple[float, float]  # x, y
    paired: bool = True


UPPER_LID = "upper lid"
LOWER_LID = "lower lid"
UPPER_LIP = "upper lip"
LOWER_LIP = "lower lip"
CHIN = "chin"

PATCHES = (
    Patch("inner brow", "brow", (0.28, -0.22)),
    Patch("middle brow", "brow", (0.53, -0.28)),
    Patch("outer brow", "brow", (0.76, -0.20)),
    Patch("forehead", "brow", (0.36, -0.42)),
    Patch("nose root", "middle brow", (0.0, -0.18), paired=False),
    Patch(UPPER_LID, "lids", (0.50, -0.12)),
    Patch(LOWER_LID, "lids", (0.50, 0.17)),
    Patch("outer eye", "lids", (0.80, 0.05)),
    Patch("nose wing", "nose wing", (0.22, 0.55)),
    Patch("upper cheek", "cheek", (0.60, 0.36)),
    Patch("lower cheek", "cheek", (0.56, 0.60)),
    Patch("mouth corner", "mouth corner", (0.37, 0.96)),
    Patch("beside the mouth", "mouth corner", (0.56, 0.92)),
    Patch(UPPER_LIP, "lips", (0.16, 0.83)),
    Patch(LOWER_LIP, "lips", (0.16, 1.12)),
    Patch(CHIN, "chin", (0.16, 1.38)),
)

# Ridge of the nose and cheekbones beside the eyes. Not the forehead, which moves with the brows; not the
# tip and the wings of the nose, which a wrinkled nose pulls up; and not the corners of the eyes: they are
# attached to the bone, but so near the lids that a blink in the window of a point moves it.
RIGID_CENTRES = (
    (0.0, 0.10), (0.0, 0.17), (0.0, 0.24), (0.0, 0.31), (0.0, 0.38), (0.09, 0.16), (0.09, 0.25), (0.09, 0.34),
    (0.90, 0.08), (0.92, 0.17), (0.92, 0.26), (0.92, 0.35),
)  # fmt: skip
"""Centres of the points on rigid parts of the head. Those with x > 0 have a mirror image."""

RIGID_OFFSETS = ((0.0, -0.03), (0.0, 0.03))


@dataclass(frozen=True)
class FacePoints:
    """All points, those of the patches first."""

    positions: Float64[np.ndarray, "P 2"]  # head units
    patch_of_point: Int64[
        np.ndarray, "M"
    ]  # index of the patch of each of the first M points; others are rigid
    names: tuple[str, ...]  # of the patches: "left inner brow"
    regions: tuple[str, ...]  # of the patches, names of FACE_REGIONS

    @property
    def moves(self) -> Float64[np.ndarray, "P 2"]:
        """1 for each axis along which the motion of a patch counts, else 0: the lids move up and down.

        What moves sideways there is the iris, when the person looks to the side.
        """
        axes = np.ones((self.patches, 2))
        for name in (UPPER_LID, LOWER_LID):
            axes[self.both(name), 0] = 0.0
        return axes

    @property
    def patches(self) -> int:
        """Number of patches."""
        return len(self.names)

    @property
    def rigid_points(self) -> int:
        """Number of points on rigid parts of the head."""
        return len(self.positions) - len(self.patch_of_point)

    def index(self, name: str, side: str = "") -> int:
        """Return the index of a patch."""
        return self.names.index(f"{side} {name}".strip())

    def both(self, name: str) -> list[int]:
        """Return the indices of the left and the right patch of a name."""
        return [self.index(name, "left"), self.index(name, "right")]


def face_points() -> FacePoints:
    """Return the points of both sides of the face."""
    positions = []
    patch_of_point = []
    names: list[str] = []
    regions = []
    for patch in PATCHES:
        for side, sign in (("left", 1.0), ("right", -1.0)) if patch.paired else (("", 1.0),):
            x, y = patch.centre
            positions += [(sign * x + dx, y + dy) for dx, dy in PATCH_OFFSETS]
            patch_of_point += [len(names)] * len(PATCH_OFFSETS)
            names.append(f"{side} {patch.name}".strip())
            is_sided = patch.region not in ("middle brow", "lips", "chin")
            regions.append(f"{side} {patch.region}" if is_sided else patch.region)
    for x, y in RIGID_CENTRES:
        for sign in (1.0, -1.0) if x > 0 else (1.0,):
            positions += [(sign * x + dx, y + dy) for dx, dy in RIGID_OFFSETS]
    return FacePoints(
        positions=np.array(positions),
        patch_of_point=np.array(patch_of_point),
        names=tuple(names),
        regions=tuple(regions),
    )
