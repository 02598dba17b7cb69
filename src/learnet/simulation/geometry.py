"""Facial landmarks in face widths, their variation between people, and their position in an image.

Coordinates: the origin is midway between the pupils, u points to the right of the image, v down, and the
unit is the width of the face at the cheekbones (about 14 cm). Left and right are the person's own, as in
FACS: the person's left is on the right of the image (u > 0).
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

SIDES = ("left", "right")

AVERAGE_PAIRS = {
    "inner brow": (0.139, -0.106), "middle brow": (0.273, -0.137), "outer brow": (0.404, -0.103),
    "inner eye": (0.131, 0.014), "outer eye": (0.367, 0.006),
    "upper lid": (0.250, -0.048), "lower lid": (0.250, 0.037), "nostril": (0.128, 0.300),
    "lip corner": (0.190, 0.485), "upper lip": (0.090, 0.438), "lower lip": (0.090, 0.545),
    "cheek": (0.290, 0.230), "temple": (0.470, -0.010), "side": (0.497, 0.183),
    "jaw": (0.462, 0.420), "low jaw": (0.385, 0.610), "chin side": (0.250, 0.765),
    "chin boss": (0.090, 0.680), "forehead": (0.180, -0.200), "fringe": (0.223, -0.275),
    "neck": (0.397, 0.770), "hair side": (0.700, -0.240), "hair top side": (0.560, -0.700),
    "hair low": (0.580, 0.140),
}  # fmt: skip
"""Landmark -> (distance from the midline, v), both in face widths.

Measured on the scikit-image portrait, made symmetric, with the smile relaxed.
"""

AVERAGE_MIDLINE = {
    "nose root": (0.0, 0.006), "nose tip": (0.0, 0.272),
    "upper lip middle": (0.0, 0.434), "mouth": (0.0, 0.482), "lower lip middle": (0.0, 0.556),
    "chin": (0.0, 0.845), "hairline": (0.0, -0.290), "hair top": (0.0, -0.900),
}  # fmt: skip
"""Landmark on the midline -> (u, v) in face widths."""

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
    "nose length": {
        "nose tip": (0.0, 0.022), "nostril": (0.0, 0.020),
        "upper lip": (0.0, 0.006), "upper lip middle": (0.0, 0.006),
    },
    "nose width": {"nostril": (0.014, 0.0)},
    "mouth height": dict.fromkeys(_MOUTH, (0.0, 0.017)),
    "mouth width": {"lip corner": (0.018, 0.0), "upper lip": (0.008, 0.0), "lower lip": (0.008, 0.0)},
    "mouth curve": {"lip corner": (0.0, 0.008)},
    "lip fullness": {
        "upper lip": (0.0, -0.008), "upper lip middle": (0.0, -0.008),
        "lower lip": (0.0, 0.009), "lower lip middle": (0.0, 0.009),
    },
    "face length": {
        "chin": (0.0, 0.040), "chin side": (0.0, 0.038), "low jaw": (0.0, 0.025),
        "jaw": (0.0, 0.012), "neck": (0.0, 0.030), "chin boss": (0.0, 0.020),
    },
    "jaw width": {"jaw": (0.016, 0.0), "low jaw": (0.028, 0.0), "chin side": (0.024, 0.0)},
    "forehead": {"fringe": (0.0, -0.040), "hairline": (0.0, -0.045)},
    "hair width": {"hair side": (0.055, 0.0), "hair top side": (0.035, 0.0), "hair low": (0.020, 0.0)},
    "hair length": {"hair side": (0.030, 0.020), "hair low": (0.020, 0.060)},
    "hair height": {"hair top": (0.0, -0.040), "hair top side": (0.0, -0.030)},
}  # fmt: skip
"""Trait -> landmark -> (outward, down) in face widths that one standard deviation of the trait moves it.

We chose the sizes by looking at the rendered faces.
"""

ASYMMETRY_SD = 0.004
"""Standard deviation in face widths by which each landmark departs from symmetry (no face is symmetric)."""


@dataclass(frozen=True)
class Geometry:
    """The landmarks of one face at rest."""

    points: Mapping[str, tuple[float, float]]  # "left lip corner" or "chin" -> (u, v) in face widths

    def at(self, landmark: str, side: str = "") -> tuple[float, float]:
        """Return (u, v) of a landmark. Paired landmarks need the person's "left" or "right"."""
        name = f"{side} {landmark}"
        return self.points[name.strip()]

    def mirrored(self) -> "Geometry":
        """Return the mirrored face: left and right swap names, and u changes its sign."""
        points = {}
        for name, (u, v) in self.points.items():
            points[_other_side(name)] = (-u, v)
        return Geometry(points)


def _other_side(name: str) -> str:
    side, _, landmark = name.partition(" ")
    if side == "left":
        return f"right {landmark}"
    if side == "right":
        return f"left {landmark}"
    return name


def average_face() -> Geometry:
    """Return the average face, which is exactly symmetric."""
    points = dict(AVERAGE_MIDLINE)
    for landmark, (outward, down) in AVERAGE_PAIRS.items():
        points[f"left {landmark}"] = (outward, down)
        points[f"right {landmark}"] = (-outward, down)
    return Geometry(points)


def vary_face(rng: np.random.Generator, spread: float = 1.0) -> Geometry:
    """Draw a face at random around the average face.

    Each trait follows a normal distribution, cut off at two standard deviations. Each landmark also
    receives a small random shift, so that the face is not symmetric.

    Args:
        rng: source of all random numbers.
        spread: factor on all deviations from the average face.
    """
    amounts = {}
    for trait in TRAITS:
        deviation = np.clip(rng.normal(), -2, 2)
        amounts[trait] = spread * float(deviation)
    points = {}
    for name, (u, v) in average_face().points.items():
        outward, down = _trait_shift(amounts, name)
        asymmetry = np.clip(rng.normal(size=2), -2, 2)
        du, dv = spread * ASYMMETRY_SD * asymmetry
        side = float(np.sign(u))
        new_u = u + side * outward + float(du)
        new_v = v + down + float(dv)
        points[name] = (new_u, new_v)
    return Geometry(points)


def _trait_shift(amounts: Mapping[str, float], name: str) -> tuple[float, float]:
    """Return how far all traits move a landmark: (outward, down) in face widths."""
    landmark = name.removeprefix("left ").removeprefix("right ")
    outward = down = 0.0
    for trait, shifts in TRAITS.items():
        if landmark not in shifts:
            continue
        shift_outward, shift_down = shifts[landmark]
        outward += amounts[trait] * shift_outward
        down += amounts[trait] * shift_down
    return outward, down


@dataclass(frozen=True)
class View:
    """Position, size and roll of the face in an image: the similarity transform from face widths to pixels.

    Pixel centres have integer coordinates.
    """

    height: int  # of the image, pixels
    width: int  # of the image, pixels
    face_px: float  # pixels per face width
    origin: tuple[float, float]  # (x, y) in pixels of the point midway between the pupils
    roll_deg: float = 0.0  # rotation of the face in the image plane, clockwise

    @property
    def rotation(self) -> Float64[np.ndarray, "2 2"]:
        """Rotation matrix from (u, v) directions to image directions."""
        angle = np.deg2rad(self.roll_deg)
        cosine = np.cos(angle)
        sine = np.sin(angle)
        return np.array(
            [
                [cosine, -sine],
                [sine, cosine],
            ]
        )

    def to_pixels(self, points: Float64[np.ndarray, "N 2"]) -> Float64[np.ndarray, "N 2"]:
        """Convert (u, v) in face widths to (x, y) in pixels."""
        rotated = self.face_px * points @ self.rotation.T
        return rotated + np.array(self.origin)

    def face_grid(self) -> tuple[Float64[np.ndarray, "H W"], Float64[np.ndarray, "H W"]]:
        """Return u and v of every pixel."""
        origin_x, origin_y = self.origin
        dx = np.arange(self.width)[None, :] - origin_x
        dy = np.arange(self.height)[:, None] - origin_y
        (u_dx, u_dy), (v_dx, v_dy) = self.rotation.T / self.face_px
        u = u_dx * dx + u_dy * dy
        v = v_dx * dx + v_dy * dy
        return u, v

    def matrix_from(self, other: "View") -> Float64[np.ndarray, "2 3"]:
        """Return the affine matrix that maps pixels (x, y, 1) of `other` to pixels of this view."""
        scale = self.face_px / other.face_px
        linear = scale * self.rotation @ other.rotation.T
        shift = np.array(self.origin) - linear @ np.array(other.origin)
        return np.column_stack([linear, shift])

    def coarser(self, step: int) -> "View":
        """Return the view of the same image reduced by `step` as an area resize reduces it."""
        x, y = self.origin
        origin = ((x + 0.5) / step - 0.5, (y + 0.5) / step - 0.5)
        height = -(-self.height // step)  # rounded up
        width = -(-self.width // step)
        return View(height, width, self.face_px / step, origin, self.roll_deg)


def crop_view(height: int, width: int) -> View:
    """Return the view of a registered face crop, brow to chin.

    It is 1.1 face widths wide, with the eyes at 30 % of the height, like the crops of CASME II (about
    280 x 340). A square crop does not squeeze the face: it shows less above and below.
    """
    origin = ((width - 1) / 2, 0.30 * height)
    return View(height, width, width / 1.1, origin)
