"""The photograph behind all synthetic faces, made neutral, with landmarks and masks.

The photograph is NASA's portrait of Eileen Collins, which is in the public domain. `portrait.png` is the part
that is used of `skimage.data.astronaut()`, pixel by pixel, so that scikit-image need not be installed. All
coordinates are pixels of that 512 x 512 image; YuNet's five points and enlargements gave them, to about half
a pixel.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
from jaxtyping import Bool, Float64, Shaped, UInt8

from learnet.video.images import read_image

CORNER = (100, 0)  # (x, y) of the part that is used
SIZE = (250, 208)  # width, height of the part that is used
PHOTOGRAPH = Path(__file__).with_name("portrait.png")
ENLARGED = 3  # factor by which the part is enlarged once, so that later warps lose little

PAIRS = {
    "inner brow": ((213, 92.3), (238, 93.6)),
    "middle brow": ((201, 88.7), (250, 92)),
    "outer brow": ((190.5, 91), (263, 95.6)),
    "inner eye": ((213, 103.2), (236.5, 104.2)),
    "outer eye": ((192.5, 101.6), (258.5, 104.8)),
    "upper lid": ((202.3, 96.8), (247.2, 99.1)),
    "lower lid": ((202.3, 104.9), (247.2, 106.8)),
    "nostril": ((212.2, 129.2), (235.6, 129.9)),
    "lip corner": ((203.8, 140.3), (245.2, 140.5)),
    "temple": ((183.5, 100), (268, 103)),
    "side": ((180.5, 118), (270, 120)),
    "jaw": ((183, 140), (267, 140)),
    "low jaw": ((189.5, 158), (260, 156)),
    "chin side": ((203, 172), (248.5, 170)),
    "neck": ((185.5, 170), (257, 172)),
    "fringe": ((205, 79.5), (245, 85)),
    "hair side": ((153.5, 75), (301, 87)),
    "hair top side": ((174, 45), (283, 35)),
    "hair low": ((170, 118), (281, 124)),
}
"""Landmark -> (x, y) on the person's right (left in the image) and on the person's left."""

MIDLINE = {
    "nose root": (225, 103),
    "nose tip": (224.3, 127),
    "chin": (225, 178.5),
    "hairline": (225, 80.5),
    "hair top": (230, 16),
}

UPPER_TEETH = (
    (203.0, 208.7, 215, 221.5, 229, 235.6, 242, 246),
    (140.1, 141.4, 142.7, 143.9, 143.9, 142.7, 141, 140.4),
)
LOWER_TEETH = (
    (203.0, 206.8, 213.8, 221.5, 229.2, 237, 242, 246),
    (140.1, 144, 148.5, 149.8, 149.6, 146.5, 143.3, 140.4),
)
"""Inner edges of the lips along the smile: all x, all y."""

MOUTH_X = 224.5  # middle of the mouth
CLOSED_Y = 145.0  # meeting point of the lips at MOUTH_X once the mouth is closed
STILL_ABOVE, STILL_BELOW = 130.0, 173.0  # rows beyond which closing the mouth moves nothing: nose, chin

LIPS = {
    "upper lip": (140.4, 12.0),
    "lower lip": (152.2, 12.0),
    "upper lip middle": (141.2, 0.0),
    "lower lip middle": (154.2, 0.0),
}
"""Outer edges of the lips in the smile: y, and distance from MOUTH_X."""

SKIN = (
    (186, 75), (195, 78), (205, 80), (217, 82), (228, 80.5), (240, 84), (250, 87), (262, 89),
    (267, 92), (270, 104), (270.5, 120), (268, 127), (285, 127), (281, 131), (275, 135.5), (268, 137),
    (266, 145), (261, 157), (257, 163), (253.5, 178), (252, 186), (245, 188.5), (235, 190), (225, 187.5),
    (200, 184.5), (190, 182), (186, 177), (185.5, 153), (183, 142), (182, 132), (177, 131.5), (172, 126),
    (170, 119), (180, 117), (181, 108), (183, 95), (185, 85),
)  # fmt: skip
"""Outline of face, ears and neck in the image."""

CLOTH = (
    (100, 201), (118, 195), (140, 187), (160, 180), (176, 174), (186, 169), (186, 177), (190, 182),
    (200, 184.5), (225, 187.5), (235, 190), (245, 188.5), (252, 186), (256, 170), (268, 175), (285, 182),
    (305, 189), (330, 197), (350, 202), (350, 208), (100, 208),
)  # fmt: skip
"""Outline of the shoulders as they would be in a jumper; the collar ring of the suit is not used."""

HAIR_ENDS = 133  # there is no hair below this row


@dataclass(frozen=True)
class Portrait:
    """The used part, enlarged, with the mouth closed. The masks add up to 1 at most; the rest is wall."""

    pixels: Float64[np.ndarray, "H W 3"]  # RGB, grey levels 0..255
    skin: Float64[np.ndarray, "H W"]  # share of skin, 0..1
    hair: Float64[np.ndarray, "H W"]  # share of hair, 0..1
    cloth: Float64[np.ndarray, "H W"]  # share of cloth, 0..1
    points: dict[str, tuple[float, float]]  # landmark -> (x, y) in the enlarged part


@lru_cache(maxsize=1)
def portrait() -> Portrait:
    """Cut out, enlarge and neutralise the portrait. Computed once per process (0.1 s)."""
    photo = read_image(PHOTOGRAPH)
    assert photo is not None, "the file is part of the package"
    backdrop = _enlarge(_backdrop(photo))
    enlarged = np.clip(_enlarge(photo), 0, 255)
    skin = _fill(SKIN)
    cloth = _fill(CLOTH)
    backdrop = cv2.GaussianBlur(backdrop, (0, 0), 2.0)
    person = np.maximum(skin, cloth)
    backdrop = np.clip(backdrop, 0, 1) * (1 - person)
    cloth = cloth * (1 - skin)
    hair = np.clip(1 - skin - cloth - backdrop, 0, 1)
    hair = hair * _above_hair_end(len(skin))
    head = (skin + hair > 0.9) & (backdrop < 0.05)
    pixels = _extend_colours(_close_mouth(enlarged), head)
    return Portrait(pixels, skin, hair, cloth, _landmarks())


def _enlarge(image: Shaped[np.ndarray, "H W *C"]) -> Float64[np.ndarray, "..."]:
    """Return the image ENLARGED times as large, in 64 bits: with fewer, processors round differently."""
    return cv2.resize(
        image.astype(np.float64),
        None,
        fx=ENLARGED,
        fy=ENLARGED,
        interpolation=cv2.INTER_CUBIC,
    )


def _above_hair_end(height: int) -> Float64[np.ndarray, "H 1"]:
    """Return 1 in the rows above HAIR_ENDS and 0 below."""
    _, last_row = _to_enlarged(0, HAIR_ENDS)
    rows = np.arange(height, dtype=np.float64)
    above = (last_row - rows) / ENLARGED
    return np.clip(above, 0, 1)[:, None]


def _to_enlarged(x: float | int, y: float | int) -> tuple[float, float]:
    """Convert a position in the image to the enlarged part.

    Pixel centres are integers: enlargement by 3 moves the centre of pixel 0 to 1.
    """
    left, top = CORNER
    enlarged_x = (x - left + 0.5) * ENLARGED - 0.5
    enlarged_y = (y - top + 0.5) * ENLARGED - 0.5
    return enlarged_x, enlarged_y


def _from_enlarged(positions: Float64[np.ndarray, "N"], corner: int) -> Float64[np.ndarray, "N"]:
    """Convert rows or columns of the enlarged part to the image."""
    return (positions + 0.5) / ENLARGED - 0.5 + corner


def _backdrop(photo: UInt8[np.ndarray, "H W 3"]) -> Float64[np.ndarray, "H W"]:
    """Return 1 on the pale grey backdrop: bright, hardly coloured, and connected to an upper corner."""
    hsv = cv2.cvtColor(photo, cv2.COLOR_RGB2HSV)
    saturation = hsv[..., 1]
    value = hsv[..., 2]
    pale = (saturation < 45) & (value > 140)
    _, components = cv2.connectedComponents(pale.astype(np.uint8), connectivity=4)
    corners = [components[0, 0], components[0, -1]]
    connected = np.isin(components, corners) & pale
    kernel = np.ones((2, 2), np.uint8)
    return cv2.dilate(connected.astype(np.float64), kernel)


def _extend_colours(
    pixels: Float64[np.ndarray, "H W 3"], head: Bool[np.ndarray, "H W"]
) -> Float64[np.ndarray, "H W 3"]:
    """Extend the colours at the edge of the head outwards, so that no edge of the old backdrop remains."""
    mask = head.astype(np.float64)
    kernel = np.ones((5, 5), np.uint8)
    inside = cv2.erode(mask, kernel)
    colour_sum = cv2.GaussianBlur(pixels * inside[..., None], (0, 0), 4.0)
    weight = cv2.GaussianBlur(inside, (0, 0), 4.0)
    weight = np.maximum(weight, 1e-4)
    nearby = colour_sum / weight[..., None]
    has_colour = nearby.sum(axis=-1, keepdims=True) > 0
    extended = np.where(has_colour, nearby, pixels)
    return np.where(inside[..., None] > 0, pixels, extended)


def _fill(outline: Sequence[tuple[float | int, float | int]]) -> Float64[np.ndarray, "H W"]:
    """Return 1 inside an outline, with a soft edge about one pixel of the portrait wide."""
    width, height = SIZE
    shape = (height * ENLARGED, width * ENLARGED)
    mask = np.zeros(shape, np.float64)
    corners = [_to_enlarged(x, y) for x, y in outline]
    polygon = np.round(corners)
    cv2.fillPoly(mask, [polygon.astype(np.int32)], 1.0)
    return cv2.GaussianBlur(mask, (0, 0), 0.9 * ENLARGED)


def _closed_row(y: float, x: float | int) -> float:
    """Return the row of a point near the mouth after the mouth is closed.

    Rows inside the mouth collapse onto the line where the lips meet.
    """
    rows = _mouth_rows(np.array([x]))
    upper, lower, line = rows[:, 0].tolist()
    if y <= upper:
        shift = (y - STILL_ABOVE) * (line - STILL_ABOVE)
        return STILL_ABOVE + shift / (upper - STILL_ABOVE)
    shift = max(0.0, y - lower) * (STILL_BELOW - line)
    return line + shift / (STILL_BELOW - lower)


def _mouth_rows(x: Float64[np.ndarray, "W"]) -> Float64[np.ndarray, "3 W"]:
    """Return, per column, the inner edges of the upper and the lower lip and the line where they meet."""
    upper = np.interp(x, *UPPER_TEETH)
    lower = np.interp(x, *LOWER_TEETH)
    opening = (lower - upper) / (149.8 - 143.9)
    opening = np.clip(opening, 0, 1)
    line = upper + opening * (CLOSED_Y - 143.9)
    return np.stack([upper, lower, line])


def _close_mouth(enlarged: Float64[np.ndarray, "H W 3"]) -> Float64[np.ndarray, "H W 3"]:
    """Close the mouth: the skin above and below stretches, and a dark line replaces the teeth."""
    height, width = enlarged.shape[:2]
    left, top = CORNER
    x = _from_enlarged(np.arange(width).astype(float), left)
    y = _from_enlarged(np.arange(height).astype(float), top)[:, None]
    source_rows = _source_rows(x, y)
    map_y = ((source_rows - top + 0.5) * ENLARGED - 0.5).astype(np.float32)
    map_x = np.broadcast_to(np.arange(width, dtype=np.float32), map_y.shape)
    closed = cv2.remap(
        enlarged,
        map_x,
        map_y,
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )
    dark = _mouth_line(x, y)[..., None]
    line_colour = np.array([70, 30, 30])
    return closed * (1 - dark) + line_colour * dark


def _source_rows(x: Float64[np.ndarray, "W"], y: Float64[np.ndarray, "H 1"]) -> Float64[np.ndarray, "H W"]:
    """Return the row of the smiling mouth that each pixel of the closed mouth shows."""
    upper, lower, line = _mouth_rows(x)
    above = (y - STILL_ABOVE) * (upper - STILL_ABOVE)
    above = STILL_ABOVE + above / (line - STILL_ABOVE)
    below = (y - STILL_BELOW) * (lower - STILL_BELOW)
    below = STILL_BELOW + below / (line - STILL_BELOW)
    upper_part = np.where(y > STILL_ABOVE, above, y)
    lower_part = np.where(y < STILL_BELOW, below, y)
    return np.where(y < line, upper_part, lower_part)


def _mouth_line(x: Float64[np.ndarray, "W"], y: Float64[np.ndarray, "H 1"]) -> Float64[np.ndarray, "H W"]:
    """Return the weight of the dark line between the closed lips, at most 0.62."""
    _, _, line = _mouth_rows(x)
    fade_left = np.clip((x - 203.5) / 5, 0, 1)
    fade_right = np.clip((245.7 - x) / 5, 0, 1)
    fade = fade_left * fade_right
    distance = (y - line) / 0.75
    profile = np.exp(-0.5 * distance**2)
    return 0.62 * fade * profile


def _landmarks() -> dict[str, tuple[float, float]]:
    """Return all landmarks in the enlarged part, those of the mouth as after closing it."""
    points = {}
    for name, (x, y) in MIDLINE.items():
        points[name] = _to_enlarged(x, y)
    for name, (right, left) in PAIRS.items():
        points[f"right {name}"] = _to_enlarged(*right)
        points[f"left {name}"] = _to_enlarged(*left)
    for name, (y, distance) in LIPS.items():
        if distance:
            right_x = MOUTH_X - distance
            left_x = MOUTH_X + distance
            points[f"right {name}"] = _closed_point(right_x, y)
            points[f"left {name}"] = _closed_point(left_x, y)
        else:
            points[name] = _closed_point(MOUTH_X, y)
    points["mouth"] = _to_enlarged(MOUTH_X, CLOSED_Y)
    return points


def _closed_point(x: float, y: float) -> tuple[float, float]:
    """Return a point of the smiling mouth in the enlarged part after the mouth is closed."""
    closed_y = _closed_row(y, x)
    return _to_enlarged(x, closed_y)
