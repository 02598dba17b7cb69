"""The one photograph behind all synthetic faces, brought to rest: measured landmarks, closed mouth, and what is skin, hair and cloth.

The portrait is `skimage.data.astronaut()`: Eileen Collins, photographed for NASA, in the public domain, shipped inside scikit-image.
All coordinates are pixels of that 512 x 512 picture; YuNet's five points and enlargements gave them, to about half a pixel.
"""

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
import skimage.data
from jaxtyping import Bool, Float32, Float64, UInt8

CORNER = (100, 0)  # (x, y) of the part that is used
SIZE = (250, 208)  # width, height of the part that is used
ENLARGED = 3  # the part is enlarged once, so that later warps lose little

PAIRS = {
    "inner brow": ((213, 92.3), (238, 93.6)), "middle brow": ((201, 88.7), (250, 92)), "outer brow": ((190.5, 91), (263, 95.6)),
    "inner eye": ((213, 103.2), (236.5, 104.2)), "outer eye": ((192.5, 101.6), (258.5, 104.8)),
    "upper lid": ((202.3, 96.8), (247.2, 99.1)), "lower lid": ((202.3, 104.9), (247.2, 106.8)),
    "nostril": ((212.2, 129.2), (235.6, 129.9)), "lip corner": ((203.8, 140.3), (245.2, 140.5)),
    "temple": ((183.5, 100), (268, 103)), "side": ((180.5, 118), (270, 120)), "jaw": ((183, 140), (267, 140)),
    "low jaw": ((189.5, 158), (260, 156)), "chin side": ((203, 172), (248.5, 170)), "neck": ((185.5, 170), (257, 172)),
    "fringe": ((205, 79.5), (245, 85)), "hair side": ((153.5, 75), (301, 87)), "hair top side": ((174, 45), (283, 35)),
    "hair low": ((170, 118), (281, 124)),
}  # fmt: skip
"""Landmark -> the person's right (left in the picture), the person's left."""

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
"""The lips' inner edges along the smile: x, y."""

CLOSED_Y = 145.0  # where the lips meet in the middle once the mouth is closed
STILL_ABOVE, STILL_BELOW = 130.0, 173.0  # rows that closing the mouth does not move: base of the nose, chin

LIPS = {
    "upper lip": (140.4, 12.0),
    "lower lip": (152.2, 12.0),
    "upper lip middle": (141.2, 0.0),
    "lower lip middle": (154.2, 0.0),
}
"""Outer edges of the lips in the smile: y and distance from the middle (x = 224.5)."""

SKIN = ((186, 75), (195, 78), (205, 80), (217, 82), (228, 80.5), (240, 84), (250, 87), (262, 89), (267, 92), (270, 104), (270.5, 120),
        (268, 127), (285, 127), (281, 131), (275, 135.5), (268, 137), (266, 145), (261, 157), (257, 163), (253.5, 178), (252, 186),
        (245, 188.5), (235, 190), (225, 187.5), (200, 184.5), (190, 182), (186, 177), (185.5, 153), (183, 142), (182, 132), (177, 131.5),
        (172, 126), (170, 119), (180, 117), (181, 108), (183, 95), (185, 85))  # fmt: skip
CLOTH = ((100, 201), (118, 195), (140, 187), (160, 180), (176, 174), (186, 169), (186, 177), (190, 182), (200, 184.5), (225, 187.5),
         (235, 190), (245, 188.5), (252, 186), (256, 170), (268, 175), (285, 182), (305, 189), (330, 197), (350, 202), (350, 208),
         (100, 208))  # fmt: skip
HAIR_ENDS = 133  # no hair below this row
"""Outlines in the picture: face, ears and neck; shoulders as they would be in a jumper (the suit's collar ring is not used)."""


@dataclass(frozen=True)
class Portrait:
    """The used part, enlarged, mouth closed. Masks add up to at most 1; the rest is background."""

    pixels: Float32[np.ndarray, "H W 3"]  # RGB, grey levels 0..255
    skin: Float32[np.ndarray, "H W"]  # share of skin, 0..1
    hair: Float32[np.ndarray, "H W"]
    cloth: Float32[np.ndarray, "H W"]
    points: dict[str, tuple[float, float]]  # landmark -> (x, y) in the enlarged part


@lru_cache(maxsize=1)
def portrait() -> Portrait:
    """Cut, enlarge and bring to rest; computed once per process (0.1 s)."""
    (x, y), (width, height) = CORNER, SIZE
    photo = skimage.data.astronaut()[y : y + height, x : x + width]
    backdrop = _backdrop(photo)
    large = cv2.resize(photo, None, fx=ENLARGED, fy=ENLARGED, interpolation=cv2.INTER_CUBIC).astype(
        np.float32
    )
    skin, cloth = _filled(SKIN), _filled(CLOTH)
    backdrop = cv2.resize(backdrop, None, fx=ENLARGED, fy=ENLARGED, interpolation=cv2.INTER_CUBIC)
    backdrop = np.clip(cv2.GaussianBlur(backdrop, (0, 0), 2.0), 0, 1) * (1 - np.maximum(skin, cloth))
    cloth = cloth * (1 - skin)
    above = np.clip((_enlarged(0, HAIR_ENDS)[1] - np.arange(len(skin), dtype=np.float32)) / ENLARGED, 0, 1)[
        :, None
    ]
    hair = np.clip(1 - skin - cloth - backdrop, 0, 1) * above
    return Portrait(
        _bleed(_close_mouth(large), (skin + hair > 0.9) & (backdrop < 0.05)), skin, hair, cloth, _landmarks()
    )


def _enlarged(x: float | int, y: float | int) -> tuple[float, float]:
    """Place in the enlarged part (pixel centres: an enlargement by 3 puts pixel 0's centre at 1)."""
    return (x - CORNER[0] + 0.5) * ENLARGED - 0.5, (y - CORNER[1] + 0.5) * ENLARGED - 0.5


def _backdrop(photo: UInt8[np.ndarray, "H W 3"]) -> Float32[np.ndarray, "H W"]:
    """1 on the studio's pale grey backdrop: bright, hardly coloured, and joined to the upper corners."""
    hsv = cv2.cvtColor(photo, cv2.COLOR_RGB2HSV)
    pale = ((hsv[..., 1] < 45) & (hsv[..., 2] > 140)).astype(np.uint8)
    _, parts = cv2.connectedComponents(pale, connectivity=4)
    joined = np.isin(parts, [parts[0, 0], parts[0, -1]]) & (pale > 0)
    return cv2.dilate(joined.astype(np.float32), np.ones((2, 2), np.uint8))


def _bleed(
    pixels: Float32[np.ndarray, "H W 3"], head: Bool[np.ndarray, "H W"]
) -> Float32[np.ndarray, "H W 3"]:
    """Carry the colours at the rim of the head outwards, so that no rim of the old backdrop shows on a new one."""
    inside = cv2.erode(head.astype(np.float32), np.ones((5, 5), np.uint8))[..., None]
    near = (
        cv2.GaussianBlur(pixels * inside, (0, 0), 4.0)
        / np.maximum(cv2.GaussianBlur(inside, (0, 0), 4.0), 1e-4)[..., None]
    )
    return np.where(inside > 0, pixels, np.where(near.sum(axis=-1, keepdims=True) > 0, near, pixels)).astype(
        np.float32
    )


def _filled(outline: tuple[tuple[float | int, float | int], ...]) -> Float32[np.ndarray, "H W"]:
    """1 inside an outline, with a soft edge about one portrait pixel wide."""
    mask = np.zeros((SIZE[1] * ENLARGED, SIZE[0] * ENLARGED), np.float32)
    corners = np.array([_enlarged(x, y) for x, y in outline])
    cv2.fillPoly(mask, [np.round(corners).astype(np.int32)], 1.0)
    return cv2.GaussianBlur(mask, (0, 0), 0.9 * ENLARGED)


def _closed_row(y: float, x: float | int) -> float:
    """The row a point of the smiling mouth region has once the mouth is closed; rows inside the mouth collapse onto the meeting line."""
    upper, lower, line = (float(value) for value in _mouth_rows(np.array([x])).T[0])
    if y <= upper:
        return STILL_ABOVE + (y - STILL_ABOVE) * (line - STILL_ABOVE) / (upper - STILL_ABOVE)
    return line + max(0.0, y - lower) * (STILL_BELOW - line) / (STILL_BELOW - lower)


def _mouth_rows(x: Float64[np.ndarray, "W"]) -> Float64[np.ndarray, "3 W"]:
    """Upper inner lip edge, lower inner lip edge, and the line where they meet when closed, per column."""
    upper, lower = np.interp(x, *UPPER_TEETH), np.interp(x, *LOWER_TEETH)
    share = np.clip((lower - upper) / (149.8 - 143.9), 0, 1)
    return np.stack([upper, lower, upper + share * (CLOSED_Y - 143.9)])


def _close_mouth(large: Float32[np.ndarray, "H W 3"]) -> Float32[np.ndarray, "H W 3"]:
    """Bring the lips together column by column: the skin above and below stretches, the teeth vanish into a dark line."""
    height, width = large.shape[:2]
    x = (np.arange(width) + 0.5) / ENLARGED - 0.5 + CORNER[0]
    y = ((np.arange(height) + 0.5) / ENLARGED - 0.5 + CORNER[1])[:, None]
    upper, lower, line = _mouth_rows(x)
    above = STILL_ABOVE + (y - STILL_ABOVE) * (upper - STILL_ABOVE) / (line - STILL_ABOVE)
    below = STILL_BELOW + (y - STILL_BELOW) * (lower - STILL_BELOW) / (line - STILL_BELOW)
    source = np.where(y < line, np.where(y > STILL_ABOVE, above, y), np.where(y < STILL_BELOW, below, y))
    back_y = ((source - CORNER[1] + 0.5) * ENLARGED - 0.5).astype(np.float32)
    back_x = np.broadcast_to(np.arange(width, dtype=np.float32), back_y.shape)
    closed = cv2.remap(large, back_x, back_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    between = np.clip((x - 203.5) / 5, 0, 1) * np.clip((245.7 - x) / 5, 0, 1)
    dark = (0.62 * between * np.exp(-0.5 * ((y - line) / 0.75) ** 2))[..., None]
    return (closed * (1 - dark) + np.array([70, 30, 30]) * dark).astype(np.float32)


def _landmarks() -> dict[str, tuple[float, float]]:
    """All measured landmarks in the enlarged part, those of the mouth where closing it has put them."""
    points = {name: _enlarged(*place) for name, place in MIDLINE.items()}
    for name, (right, left) in PAIRS.items():
        points[f"right {name}"], points[f"left {name}"] = _enlarged(*right), _enlarged(*left)
    for name, (y, aside) in LIPS.items():
        for side, sign in (("right ", -1), ("left ", 1)) if aside else (("", 1),):
            x = 224.5 + sign * aside
            points[side + name] = _enlarged(x, _closed_row(y, x))
    points["mouth"] = _enlarged(224.5, CLOSED_Y)
    return points
