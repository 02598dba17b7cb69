"""Where things are in a face: landmarks in face widths, how they differ between people, and where a picture puts them.

Coordinates: the origin lies midway between the pupils, u runs to the right of the picture, v down, and the unit is the width of the
face at the cheekbones (about 14 cm). Left and right are the person's own, as in FACS: left is on the right of the picture (u > 0).
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Float64

SIDES = ("left", "right")

AVERAGE_PAIRS = {
    "inner brow": (0.139, -0.106), "middle brow": (0.273, -0.137), "outer brow": (0.404, -0.103),
    "inner eye": (0.131, 0.014), "outer eye": (0.367, 0.006), "upper lid": (0.250, -0.048), "lower lid": (0.250, 0.037),
    "nostril": (0.128, 0.300), "lip corner": (0.190, 0.485), "upper lip": (0.090, 0.438), "lower lip": (0.090, 0.545),
    "cheek": (0.290, 0.230), "temple": (0.470, -0.010), "side": (0.497, 0.183), "jaw": (0.462, 0.420), "low jaw": (0.385, 0.610),
    "chin side": (0.250, 0.765), "chin boss": (0.090, 0.680), "forehead": (0.180, -0.200),
    "fringe": (0.223, -0.275), "neck": (0.397, 0.770), "hair side": (0.700, -0.240), "hair top side": (0.560, -0.700),
    "hair low": (0.580, 0.140),
}  # fmt: skip
"""Landmark -> (distance from the midline, v), both in face widths: the scikit-image portrait made symmetric, its smile relaxed."""

AVERAGE_MIDLINE = {
    "nose root": (0.0, 0.006), "nose tip": (0.0, 0.272), "upper lip middle": (0.0, 0.434), "mouth": (0.0, 0.482),
    "lower lip middle": (0.0, 0.556), "chin": (0.0, 0.845), "hairline": (0.0, -0.290), "hair top": (0.0, -0.900),
}  # fmt: skip

_BROW = ("inner brow", "middle brow", "outer brow")
_EYE = ("inner eye", "outer eye", "upper lid", "lower lid")
_MOUTH = ("lip corner", "upper lip", "lower lip", "upper lip middle", "lower lip middle", "mouth")

TRAITS: dict[str, dict[str, tuple[float, float]]] = {
    "eye distance": dict.fromkeys((*_EYE, "inner brow", "middle brow"), (0.012, 0.0)),
    "eye width": {"inner eye": (-0.006, 0.0), "outer eye": (0.009, 0.0), "outer brow": (0.007, 0.0)},
    "eye opening": {"upper lid": (0.0, -0.005), "lower lid": (0.0, 0.003)},
    "eye slant": {"outer eye": (0.0, -0.010), "inner eye": (0.0, 0.005), "outer brow": (0.0, -0.006)},
    "brow height": dict.fromkeys(_BROW, (0.0, -0.014)),
    "brow slope": {"inner brow": (0.0, 0.008), "outer brow": (0.0, -0.010)},
    "nose length": {"nose tip": (0.0, 0.022), "nostril": (0.0, 0.020), "upper lip": (0.0, 0.006), "upper lip middle": (0.0, 0.006)},
    "nose width": {"nostril": (0.014, 0.0)},
    "mouth height": dict.fromkeys(_MOUTH, (0.0, 0.017)),
    "mouth width": {"lip corner": (0.018, 0.0), "upper lip": (0.008, 0.0), "lower lip": (0.008, 0.0)},
    "mouth curve": {"lip corner": (0.0, 0.008)},
    "lip fullness": {
        "upper lip": (0.0, -0.008), "upper lip middle": (0.0, -0.008), "lower lip": (0.0, 0.009), "lower lip middle": (0.0, 0.009),
    },
    "face length": {
        "chin": (0.0, 0.040), "chin side": (0.0, 0.038), "low jaw": (0.0, 0.025), "jaw": (0.0, 0.012), "neck": (0.0, 0.030),
        "chin boss": (0.0, 0.020),
    },
    "jaw width": {"jaw": (0.016, 0.0), "low jaw": (0.028, 0.0), "chin side": (0.024, 0.0)},
    "forehead": {"fringe": (0.0, -0.040), "hairline": (0.0, -0.045)},
    "hair width": {"hair side": (0.055, 0.0), "hair top side": (0.035, 0.0), "hair low": (0.020, 0.0)},
    "hair length": {"hair side": (0.030, 0.020), "hair low": (0.020, 0.060)},
    "hair height": {"hair top": (0.0, -0.040), "hair top side": (0.0, -0.030)},
}  # fmt: skip
"""Trait -> landmark -> (outward, down) in face widths that one standard deviation moves it; sizes ours, from looking at the faces."""

LOPSIDED = 0.004
"""Standard deviation in face widths by which each landmark departs from symmetry (no face is symmetric)."""


@dataclass(frozen=True)
class Geometry:
    """The landmarks of one face at rest."""

    points: Mapping[str, tuple[float, float]]  # "left lip corner" or "chin" -> (u, v) in face widths

    def at(self, landmark: str, side: str = "") -> tuple[float, float]:
        """(u, v) of a landmark, of the person's "left" or "right" where there are two."""
        return self.points[f"{side} {landmark}".strip()]

    def mirrored(self) -> "Geometry":
        """The same face in a mirror: left and right change places and u its sign."""
        return Geometry({_other_side(name): (-u, v) for name, (u, v) in self.points.items()})


def _other_side(name: str) -> str:
    side, _, landmark = name.partition(" ")
    return {"left": f"right {landmark}", "right": f"left {landmark}"}.get(side, name)


def average_face() -> Geometry:
    """The face that all others vary from; exactly symmetric."""
    points = dict(AVERAGE_MIDLINE)
    for landmark, (out, down) in AVERAGE_PAIRS.items():
        points[f"left {landmark}"], points[f"right {landmark}"] = (out, down), (-out, down)
    return Geometry(points)


def vary_face(rng: np.random.Generator, spread: float = 1.0) -> Geometry:
    """Somebody: every trait drawn from a normal distribution cut at two standard deviations, times SPREAD, and a little asymmetry."""
    amount = {trait: spread * float(np.clip(rng.normal(), -2, 2)) for trait in TRAITS}
    points = {}
    for name, (u, v) in average_face().points.items():
        landmark = name.removeprefix("left ").removeprefix("right ")
        pushes = [
            (amount[trait] * move[landmark][0], amount[trait] * move[landmark][1])
            for trait, move in TRAITS.items()
            if landmark in move
        ]
        outward, down = (sum(push[i] for push in pushes) for i in (0, 1))
        du, dv = spread * LOPSIDED * np.clip(rng.normal(size=2), -2, 2)
        points[name] = (u + float(np.sign(u)) * outward + float(du), v + down + float(dv))
    return Geometry(points)


@dataclass(frozen=True)
class View:
    """Where a picture puts the face: the similarity from face widths to pixels. Pixel centres lie on whole numbers."""

    height: int  # of the picture, pixels
    width: int
    face_px: float  # pixels per face width
    origin: tuple[float, float]  # (x, y) in pixels of the point midway between the pupils
    roll_deg: float = 0.0  # turn of the face in the picture, clockwise as seen

    @property
    def turn(self) -> Float64[np.ndarray, "2 2"]:
        """The rotation that takes (u, v) to picture directions."""
        angle = np.deg2rad(self.roll_deg)
        return np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])

    def to_pixels(self, points: Float64[np.ndarray, "N 2"]) -> Float64[np.ndarray, "N 2"]:
        """(u, v) in face widths to (x, y) in pixels."""
        return self.face_px * points @ self.turn.T + np.array(self.origin)

    def face_grid(self) -> tuple[Float32[np.ndarray, "H W"], Float32[np.ndarray, "H W"]]:
        """u and v of every pixel."""
        dx = np.arange(self.width)[None, :] - self.origin[0]
        dy = np.arange(self.height)[:, None] - self.origin[1]
        back = self.turn.T / self.face_px
        return tuple((back[i, 0] * dx + back[i, 1] * dy).astype(np.float32) for i in (0, 1))

    def matrix_from(self, other: "View") -> Float64[np.ndarray, "2 3"]:
        """The affine map that takes OTHER's pixels (x, y, 1) to this view's."""
        linear = self.face_px / other.face_px * self.turn @ other.turn.T
        return np.column_stack([linear, np.array(self.origin) - linear @ np.array(other.origin)])

    def coarser(self, step: int) -> "View":
        """The same picture sampled at every STEP-th pixel centre in the manner of an area resize."""
        x, y = ((c + 0.5) / step - 0.5 for c in self.origin)
        return View(
            -(-self.height // step), -(-self.width // step), self.face_px / step, (x, y), self.roll_deg
        )


def crop_view(height: int, width: int) -> View:
    """The usual registered face crop, brow to chin: 1.1 face widths across, the eyes at 30 % of the height.

    CASME II's crops (about 280 x 340) look like this. A square SIZE x SIZE picture squeezes nothing: it shows less above and below.
    """
    return View(height, width, width / 1.1, ((width - 1) / 2, 0.30 * height))
