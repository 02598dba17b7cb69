"""Local binary patterns on three orthogonal planes (LBP-TOP): how often each small pattern of grey levels occurs, part by part of the face.

A clip becomes histograms, no picture of a face: for each of 5x5 blocks and each of the planes XY, XT and YT, the shares of 16 codes, 1200
numbers. They are drawn as a picture of 20x20 cells, so that they go the way of every motion image.

Sources: Zhao and Pietikainen, Dynamic Texture Recognition Using Local Binary Patterns with an Application to Facial Expressions, TPAMI
2007; blocks, radii and number of neighbours as in the baseline of MEGC2019; temporal interpolation: Zhou et al., Towards a Practical
Lipreading System, CVPR 2011, and Pfister et al., Recognising Spontaneous Facial Micro-expressions, ICCV 2011.
"""

import cv2
import numpy as np
from jaxtyping import Float32, Float64, UInt8

from learnet.core.errors import LearnetError, TooFewFrames

FRAMES = 10  # that a clip is brought to
RADII = (4, 1, 1)  # frames, rows, columns from a place to its neighbours
PLANES = ((2, 1), (2, 0), (1, 0))  # the two axes of XY, XT, YT
BLOCKS = 5  # in a row, and in a column
SIDE = 4  # cells of a block in a row: one for each of 16 codes
CELLS = BLOCKS * SIDE


def lbp_top(crops: UInt8[np.ndarray, "T S S 3"]) -> Float32[np.ndarray, "S S 3"]:
    """The histograms as a picture: red is XY, green XT, blue YT.

    A block of the face is 4x4 cells at its own place, one for each code, row by row. A cell has the square root of its code's share:
    rare codes stay apart when 0..1 becomes 0..255. The cells are enlarged to the width of the crops: a pixel is of the cell that
    its middle lies in.

    Args:
        crops: aligned faces in time order, RGB, 0..255; at least two.

    Returns:
        Square roots of shares, 0..1.

    Raises:
        TooFewFrames: fewer than two, which show no motion.
        LearnetError: crops of fewer pixels than there are cells.
    """
    if len(crops) < 2:
        raise TooFewFrames(found=len(crops), needed=2)
    size = crops.shape[1]
    if size < CELLS:
        raise LearnetError(
            f"LBP-TOP is drawn in {CELLS} cells a side, and a crop of {size} pixels has no room for them."
        )
    grey = cv2.cvtColor(np.ascontiguousarray(crops).reshape(-1, size, 3), cv2.COLOR_RGB2GRAY).reshape(
        -1, size, size
    )
    tiles = np.sqrt(lbp_histograms(lbp_codes(interpolate_frames(grey)), size)).reshape(BLOCKS, BLOCKS, 3, SIDE, SIDE)
    cells = tiles.transpose(0, 3, 1, 4, 2).reshape(CELLS, CELLS, 3).astype(np.float32)
    at = (
        (2 * np.arange(size) + 1) * CELLS // (2 * size)
    )  # in whole numbers: libraries differ where a pixel's middle is on an edge
    return cells[at][:, at]


def interpolate_frames(grey: UInt8[np.ndarray, "T H W"], count: int = FRAMES) -> UInt8[np.ndarray, "count H W"]:
    """Bring a clip of any length to COUNT frames, the first and the last among them, in whole grey levels.

    This is the temporal interpolation model (TIM), not interpolation by straight lines. The model embeds the frames as the nodes of a path
    graph and learns the linear map from that curve back to the frames. The graph's eigenvectors are the cosines
    cos(pi k (t + 1/2) / T), and where T frames are linearly independent the map is exact, so the model is the frames' cosine
    transform, read between the frames as well. Written so, it needs no inverse, and holds for a still clip and for two frames too.
    """
    frames = len(grey)
    waves, at = np.arange(1, frames), np.linspace(0, frames - 1, count)
    there, here = (np.cos(np.pi * waves * (time[:, None] + 0.5) / frames) for time in (at, np.arange(frames)))
    weights = (1 + 2 * there @ here.T) / frames
    return np.clip(np.rint(np.tensordot(weights, grey, axes=1)), 0, 255).astype(np.uint8)


def lbp_codes(grey: UInt8[np.ndarray, "T H W"]) -> UInt8[np.ndarray, "3 t h w"]:
    """The code, 0..15, of each place that has all its neighbours, on XY, XT and YT: t = T - 8, h = H - 2, w = W - 2.

    A neighbour at least as bright as the place sets a bit: 1 and 4 the ones ahead and behind along the first letter of the plane, 2 and
    8 along the second. Another order of bits only renames codes. The radii differ between space and time, but four neighbours lie on
    the axes of a plane, so at pixels of frames: nothing is interpolated between pixels.
    """

    def near(axis: int, side: int) -> UInt8[np.ndarray, "t h w"]:
        """The neighbour of every place."""
        steps = [side * radius * (axis == other) for other, radius in enumerate(RADII)]
        cut = zip(RADII, steps, grey.shape, strict=True)
        return grey[tuple(slice(radius + step, length - radius + step) for radius, step, length in cut)]

    place = near(0, 0)
    ahead, behind = ([(near(axis, side) >= place).astype(np.uint8) for axis in range(3)] for side in (1, -1))
    return np.stack([ahead[a] + 2 * ahead[b] + 4 * behind[a] + 8 * behind[b] for a, b in PLANES])


def lbp_histograms(found: UInt8[np.ndarray, "3 t h w"], size: int) -> Float64[np.ndarray, "5 5 3 16"]:
    """Shares of the 16 codes in each block (row, column) and plane; those of one histogram add up to 1.

    A block is a fifth of the crop each way, which is SIZE pixels wide; the codes are taken before the blocks, so a neighbour may lie in
    the next one. Codes of all times fall into one histogram.
    """
    fifth = (np.arange(size - 2 * RADII[1]) + RADII[1]) * BLOCKS // size
    block = fifth[:, None] * BLOCKS + fifth
    bins = 16 * (3 * block + np.arange(3)[:, None, None, None]) + found
    counts = np.bincount(bins.ravel(), minlength=16 * 3 * BLOCKS**2).reshape(BLOCKS, BLOCKS, 3, 16)
    return counts / counts.sum(axis=-1, keepdims=True)
