"""Similarity transforms as 2x3 matrices, and reading a picture through one.

Points are (x, y) in pixels. Whole numbers are pixel centres, so the first pixel of a row extends from -0.5 to
0.5.
"""

import cv2
import numpy as np
from jaxtyping import Float64, Real


def similarity_transform(
    source: Float64[np.ndarray, "2 2"], target: Float64[np.ndarray, "2 2"]
) -> Float64[np.ndarray, "2 3"]:
    """Return the rotation, scale and shift that maps two points to two others.

    Args:
        source: two different points, one (x, y) a row.
        target: the points they are mapped to.

    Returns:
        The 2x3 matrix M with target = M[:, :2] @ source + M[:, 2].
    """
    from_x, from_y = source[1] - source[0]
    to_x, to_y = target[1] - target[0]
    squared_length = from_x**2 + from_y**2
    # Cosine and sine of the angle, times the scale.
    cosine = (from_x * to_x + from_y * to_y) / squared_length
    sine = (from_x * to_y - from_y * to_x) / squared_length
    rotation = np.array([[cosine, -sine], [sine, cosine]])
    return np.column_stack([rotation, target[0] - rotation @ source[0]])


def compose(
    after: Float64[np.ndarray, "2 3"], before: Float64[np.ndarray, "2 3"]
) -> Float64[np.ndarray, "2 3"]:
    """Return the matrix that applies `before`, then `after`."""
    linear, shift = after[:, :2], after[:, 2]
    composed = linear @ before
    composed[:, 2] += shift
    return composed


def inverse(transform: Float64[np.ndarray, "2 3"]) -> Float64[np.ndarray, "2 3"]:
    """Return the inverse of a transform."""
    return cv2.invertAffineTransform(transform)


def transform_points(
    transform: Float64[np.ndarray, "2 3"], points: Float64[np.ndarray, "P 2"]
) -> Float64[np.ndarray, "P 2"]:
    """Apply a transform to points, one (x, y) a row."""
    return points @ transform[:, :2].T + transform[:, 2]


def warp(
    picture: Real[np.ndarray, "H W *C"], transform: Float64[np.ndarray, "2 3"], width: int, height: int
) -> Real[np.ndarray, "h w *C"]:
    """Read a picture through a transform with a single interpolation.

    Reading every third pixel of a face would turn fine texture into false movement (aliasing). So where the
    picture is reduced, it is first averaged over boxes about as large as a new pixel. Only the region that is
    read is averaged.

    Args:
        picture: grey or colour. Bytes are rounded to bytes again; floats stay floats.
        transform: from the picture to the new picture; a similarity, or one with a different scale for each
            axis.
        width: of the new picture in pixels.
        height: of the new picture in pixels.

    Returns:
        The new picture. Beyond the border of the old one, its border pixels are repeated.
    """
    rows, columns = source_region(picture.shape[:2], transform, width, height)
    region = picture[rows, columns]
    box_width, box_height = _pixel_size(transform)
    if max(box_width, box_height) > 1:
        region = cv2.blur(
            region,
            (box_width, box_height),
            anchor=(box_width // 2, box_height // 2),
            borderType=cv2.BORDER_REPLICATE,
        )
    # The centre of an even box lies between two pixels.
    centre_x = 0.0 if box_width % 2 else 0.5
    centre_y = 0.0 if box_height % 2 else 0.5
    shifted = from_region(transform, rows, columns)
    shifted[:, 2] -= transform[:, :2] @ np.array([centre_x, centre_y])
    return cv2.warpAffine(
        region, shifted, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )


def source_region(
    shape: tuple[int, ...], transform: Float64[np.ndarray, "2 3"], width: int, height: int
) -> tuple[slice, slice]:
    """Return the rows and columns of a picture that `warp` reads; no other pixel affects its result."""
    right_edge, bottom_edge = width - 0.5, height - 0.5
    corners = np.array([[-0.5, -0.5], [right_edge, -0.5], [-0.5, bottom_edge], [right_edge, bottom_edge]])
    source_corners = transform_points(inverse(transform), corners)
    margin = np.array(_pixel_size(transform)) + 1
    limit = np.array([shape[1] - 1, shape[0] - 1])
    upper_left = np.floor(source_corners.min(axis=0)) - margin
    lower_right = np.ceil(source_corners.max(axis=0)) + margin
    left, top = np.clip(upper_left, 0, limit).astype(int).tolist()
    right, bottom = np.clip(lower_right, 0, limit).astype(int).tolist()
    return slice(top, bottom + 1), slice(left, right + 1)


def from_region(
    transform: Float64[np.ndarray, "2 3"], rows: slice, columns: slice
) -> Float64[np.ndarray, "2 3"]:
    """Return a transform for points counted from the corner of a region of the picture."""
    corner = np.array([columns.start, rows.start], dtype=np.float64)
    shift = transform[:, :2] @ corner
    shifted = transform.copy()
    shifted[:, 2] += shift
    return shifted


def _pixel_size(transform: Float64[np.ndarray, "2 3"]) -> tuple[int, int]:
    """Return the width and height in source pixels of the area that one new pixel covers."""
    scale = np.hypot(*transform[:, :2])
    width, height = np.maximum(1, np.round(1 / scale)).astype(int).tolist()
    return width, height
