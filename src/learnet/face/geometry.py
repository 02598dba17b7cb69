"""Similarity transforms as 2x3 matrices, and reading a picture through one. The lowest part of this package: knows nothing of faces.

Points are (x, y) in pixels and whole numbers are pixel centres, so the first pixel of a row reaches from -0.5 to 0.5.
"""

import cv2
import numpy as np
from jaxtyping import Float64, Real


def similarity_transform(
    source: Float64[np.ndarray, "2 2"], target: Float64[np.ndarray, "2 2"]
) -> Float64[np.ndarray, "2 3"]:
    """The one turn, scale and shift that takes two points to two others.

    Args:
        source: two different points, one (x, y) a row.
        target: where they go.

    Returns:
        The 2x3 matrix M with target = M[:, :2] @ source + M[:, 2].
    """
    (from_x, from_y), (to_x, to_y) = source[1] - source[0], target[1] - target[0]
    square = from_x**2 + from_y**2
    cosine = (from_x * to_x + from_y * to_y) / square  # times the scale, like the sine
    sine = (from_x * to_y - from_y * to_x) / square
    turn = np.array([[cosine, -sine], [sine, cosine]])
    return np.column_stack([turn, target[0] - turn @ source[0]])


def compose(
    after: Float64[np.ndarray, "2 3"], before: Float64[np.ndarray, "2 3"]
) -> Float64[np.ndarray, "2 3"]:
    """One matrix that does `before`, then `after`."""
    both = after[:, :2] @ before
    both[:, 2] += after[:, 2]
    return both


def inverse(transform: Float64[np.ndarray, "2 3"]) -> Float64[np.ndarray, "2 3"]:
    """The matrix that undoes `transform`."""
    return cv2.invertAffineTransform(transform)


def transform_points(
    transform: Float64[np.ndarray, "2 3"], points: Float64[np.ndarray, "P 2"]
) -> Float64[np.ndarray, "P 2"]:
    """Where the transform takes points, one (x, y) a row."""
    return points @ transform[:, :2].T + transform[:, 2]


def warp(
    picture: Real[np.ndarray, "H W *C"], transform: Float64[np.ndarray, "2 3"], width: int, height: int
) -> Real[np.ndarray, "h w *C"]:
    """Read a picture through a transform, in one interpolation, averaging over about the area of each new pixel.

    Reading every third pixel of a face would turn fine texture into false movement (aliasing), so where the picture is made
    smaller it is first averaged over boxes as large as a new pixel. Only the part that is read is averaged.

    Args:
        picture: grey or colour; bytes are rounded to bytes again, floats stay as they are.
        transform: from places in the picture to places in the new picture; a similarity, or a growth that differs by axis.
        width: of the new picture in pixels.
        height: of the new picture in pixels.

    Returns:
        The new picture; beyond the edge of the old one its edge pixels are repeated.
    """
    rows, columns = source_region(picture.shape[:2], transform, width, height)
    part, (across, down) = picture[rows, columns], _covered(transform)
    if max(across, down) > 1:
        part = cv2.blur(
            part, (across, down), anchor=(across // 2, down // 2), borderType=cv2.BORDER_REPLICATE
        )
    centre = np.array(
        [0.0 if across % 2 else 0.5, 0.0 if down % 2 else 0.5]
    )  # an even box has its centre between two pixels
    shifted = from_region(transform, rows, columns)
    shifted[:, 2] -= transform[:, :2] @ centre
    return cv2.warpAffine(
        part, shifted, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )


def source_region(
    shape: tuple[int, ...], transform: Float64[np.ndarray, "2 3"], width: int, height: int
) -> tuple[slice, slice]:
    """Rows and columns of a picture that `warp` looks at; nothing outside them changes what it returns."""
    box = np.array(_covered(transform))
    corners = np.array([[-0.5, -0.5], [width - 0.5, -0.5], [-0.5, height - 0.5], [width - 0.5, height - 0.5]])
    there = transform_points(inverse(transform), corners)
    limit = np.array([shape[1] - 1, shape[0] - 1])
    left, top = np.clip(np.floor(there.min(axis=0)) - box - 1, 0, limit).astype(int).tolist()
    right, bottom = np.clip(np.ceil(there.max(axis=0)) + box + 1, 0, limit).astype(int).tolist()
    return slice(top, bottom + 1), slice(left, right + 1)


def from_region(
    transform: Float64[np.ndarray, "2 3"], rows: slice, columns: slice
) -> Float64[np.ndarray, "2 3"]:
    """The transform for places counted from the corner of a part of the picture."""
    shifted = transform.copy()
    shifted[:, 2] += transform[:, :2] @ np.array([columns.start, rows.start], dtype=np.float64)
    return shifted


def _covered(transform: Float64[np.ndarray, "2 3"]) -> tuple[int, int]:
    """Width and height in pixels of what one new pixel covers."""
    across, down = np.maximum(1, np.round(1 / np.hypot(*transform[:, :2]))).astype(int).tolist()
    return across, down
