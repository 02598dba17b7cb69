"""Local binary patterns on five intersecting planes (LBP-FIP): LBP-TOP and two oblique planes.

To the 1200 shares of LBP-TOP come, for each block, the shares of 59 patterns of eight vertices: the corners
of a box around the point, which lie on two planes that cross it obliquely.

Source: Wei, Zheng et al., Micro-expression recognition using local binary pattern from five intersecting
    planes, Multimedia Tools and Applications 2022 (doi 10.1007/s11042-022-12360-x); the order of the vertices
    as in the authors' MATLAB code. Uniform patterns: Ojala, Pietikainen, Maenpaa, Multiresolution Gray-scale
    and Rotation Invariant Texture Classification with Local Binary Patterns, TPAMI 2002.
"""

import cv2
import numpy as np
from jaxtyping import Float32, UInt8

from learnet.core.errors import LearnetError, TooFewFrames
from learnet.motion.lbp_top import (
    BLOCKS,
    RADII,
    enlarge,
    interpolate_frames,
    lbp_codes,
    lbp_histograms,
)

VERTICES = (
    (1, 1, -1),
    (1, 1, 1),
    (-1, -1, 1),
    (-1, -1, -1),
    (1, -1, -1),
    (1, -1, 1),
    (-1, 1, 1),
    (-1, 1, -1),
)
"""Side of each vertex: later or earlier, below or above, right or left. The first four are on one plane."""

PATTERNS = 59  # 58 uniform ones and one for all others
BLOCK_CELLS = 8  # cells of a block in a row
CELLS = BLOCKS * BLOCK_CELLS


def lbp_fip(crops: UInt8[np.ndarray, "T S S 3"]) -> Float32[np.ndarray, "S S 3"]:
    """Compute the LBP-FIP histograms as a picture.

    A block of the face is 8x8 cells at its own position, filled row by row: in red the 16 codes of XY, XT and
    YT of LBP-TOP, in green the 59 patterns of the eight vertices. Other cells, and blue, are 0. The value
    of a cell is the square root of the share.

    Args:
        crops: aligned faces in time order, RGB, 0..255; at least two.

    Returns:
        Square roots of shares, 0..1.

    Raises:
        TooFewFrames: fewer than two frames, so there is no motion.
        LearnetError: crops of fewer pixels than there are cells.
    """
    if len(crops) < 2:
        raise TooFewFrames(found=len(crops), needed=2)
    size = crops.shape[1]
    if size < CELLS:
        raise LearnetError(
            f"LBP-FIP is drawn in {CELLS} cells a side, and a crop of {size} pixels is too small for them."
        )
    grey = np.stack([cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY) for crop in crops])
    frames = interpolate_frames(grey)
    orthogonal = lbp_histograms(lbp_codes(frames), size)  # (5, 5, 3, 16)
    oblique = lbp_histograms(vertex_patterns(frames)[None], size, PATTERNS)  # (5, 5, 1, 59)
    shares = np.zeros((BLOCKS, BLOCKS, BLOCK_CELLS**2, 3))
    shares[:, :, : orthogonal[0, 0].size, 0] = orthogonal.reshape(BLOCKS, BLOCKS, -1)
    shares[:, :, :PATTERNS, 1] = oblique[:, :, 0]
    blocks = np.sqrt(shares).reshape(BLOCKS, BLOCKS, BLOCK_CELLS, BLOCK_CELLS, 3)
    cells = blocks.transpose(0, 2, 1, 3, 4).reshape(CELLS, CELLS, 3)
    return enlarge(cells.astype(np.float32), size)


def vertex_patterns(grey: UInt8[np.ndarray, "T H W"]) -> UInt8[np.ndarray, "t h w"]:
    """Compute the uniform pattern, 0..58, of the eight vertices around each point that has them all.

    A vertex at least as bright as the point sets a bit. The vertices are four frames, one row and one column
    away, so none is interpolated. In the authors' code they are as many frames away as the neighbours of
    LBP-TOP.

    Returns:
        Patterns for t = T - 8, h = H - 2, w = W - 2 points.
    """
    inner = tuple(slice(radius, -radius) for radius in RADII)
    point = grey[inner]
    code = np.zeros(point.shape, np.uint8)
    for bit, sides in enumerate(VERTICES):
        shifted = []
        for side, radius, length in zip(sides, RADII, grey.shape, strict=True):
            start = radius + side * radius
            shifted.append(slice(start, start + length - 2 * radius))
        is_bright = grey[tuple(shifted)] >= point
        code |= is_bright.astype(np.uint8) << bit
    return UNIFORM[code]


def _uniform_patterns() -> UInt8[np.ndarray, "256"]:
    """Return the pattern of each code: uniform ones, which change at most twice around, in their order."""
    code = np.arange(256)
    neighbour = code >> 1 | (code & 1) << 7
    changes = np.array([int(bits).bit_count() for bits in code ^ neighbour])
    is_uniform = changes <= 2
    return np.where(is_uniform, np.cumsum(is_uniform) - 1, PATTERNS - 1).astype(np.uint8)


UNIFORM = _uniform_patterns()
