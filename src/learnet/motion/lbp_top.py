"""Local binary patterns on three orthogonal planes (LBP-TOP): frequencies of local grey level patterns.

A clip becomes histograms instead of a picture of a face: for each of 5x5 blocks of the face and each of the
    planes XY,
XT and YT, the shares of 16 codes, 1200 numbers. They are drawn as a picture of 20x20 cells, so that they are
processed like every other motion image.

Sources: Zhao and Pietikainen, Dynamic Texture Recognition Using Local Binary Patterns with an Application to
    Facial
Expressions, TPAMI 2007; blocks, radii and number of neighbours as in the baseline of MEGC2019; temporal
interpolation: Zhou et al., Towards a Practical Lipreading System, CVPR 2011, and Pfister et al., Recognising
Spontaneous Facial Micro-expressions, ICCV 2011.
"""

import cv2
import numpy as np
from jaxtyping import Float32, Float64, UInt8

from learnet.core.errors import LearnetError, TooFewFrames

FRAMES = 10  # to which a clip is interpolated
RADII = (4, 1, 1)  # frames, rows, columns from a point to its neighbours
PLANES = ((2, 1), (2, 0), (1, 0))  # the two axes of XY, XT, YT
BLOCKS = 5  # in a row, and in a column
CODES = 16  # of four neighbours
BLOCK_CELLS = 4  # cells of a block in a row: one for each of 16 codes
CELLS = BLOCKS * BLOCK_CELLS


def lbp_top(crops: UInt8[np.ndarray, "T S S 3"]) -> Float32[np.ndarray, "S S 3"]:
    """Compute the LBP-TOP histograms as a picture: red is XY, green XT, blue YT.

    A block of the face is 4x4 cells at its own position, one for each code, row by row. The value of a cell
    is the
    square root of the share of its code: rare codes stay distinct when 0..1 becomes 0..255. The cells are
        enlarged to
    the width of the crops: a pixel belongs to the cell that contains its centre.

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
            f"LBP-TOP is drawn in {CELLS} cells a side, and a crop of {size} pixels is too small for them."
        )
    stacked = np.ascontiguousarray(crops).reshape(-1, size, 3)
    grey = cv2.cvtColor(stacked, cv2.COLOR_RGB2GRAY)
    frames = interpolate_frames(grey.reshape(-1, size, size))
    codes = lbp_codes(frames)
    roots = np.sqrt(lbp_histograms(codes, size))
    blocks = roots.reshape(BLOCKS, BLOCKS, 3, BLOCK_CELLS, BLOCK_CELLS)
    by_position = blocks.transpose(0, 3, 1, 4, 2)
    cells = by_position.reshape(CELLS, CELLS, 3).astype(np.float32)
    return enlarge(cells, size)


def enlarge(cells: Float32[np.ndarray, "n n 3"], size: int) -> Float32[np.ndarray, "S S 3"]:
    """Draw cells as an image of `size` pixels a side: a pixel has the value of the cell below its centre."""
    # In integers, because libraries differ where the centre of a pixel is on an edge.
    cell_of_pixel = (2 * np.arange(size) + 1) * len(cells) // (2 * size)
    return cells[cell_of_pixel][:, cell_of_pixel]


def interpolate_frames(
    grey: UInt8[np.ndarray, "T H W"], count: int = FRAMES
) -> UInt8[np.ndarray, "count H W"]:
    """Interpolate a clip of any length to a number of frames, including the first and the last.

    This is the temporal interpolation model (TIM), not linear interpolation. The model embeds the frames as
    the nodes of a path graph and fits the linear map from that curve back to the frames. The eigenvectors of
    the graph are the cosines cos(pi k (t + 1/2) / T), and where T frames are linearly independent the map is
    exact, so the model equals the cosine transform of the frames, evaluated between the frames as well. In
    this form it needs no inverse, and also holds for a static clip and for two frames.

    Args:
        grey: frames in time order.
        count: number of frames to return.

    Returns:
        The frames, rounded to whole grey levels.
    """
    frames = len(grey)
    source_times = np.arange(frames)
    target_times = np.linspace(0, frames - 1, count)
    source_waves = _cosines(source_times, frames)
    target_waves = _cosines(target_times, frames)
    products = 2 * target_waves @ source_waves.T
    weights = (1 + products) / frames
    interpolated = np.tensordot(weights, grey, axes=1)
    levels = np.rint(interpolated).clip(0, 255)
    return levels.astype(np.uint8)


def _cosines(times: np.ndarray, frames: int) -> Float64[np.ndarray, "N K"]:
    """Return the eigenvectors of the path graph of the frames at some times (0 is the first frame)."""
    waves = np.arange(1, frames)
    return np.cos(np.pi * waves * (times[:, None] + 0.5) / frames)


def lbp_codes(grey: UInt8[np.ndarray, "T H W"]) -> UInt8[np.ndarray, "3 t h w"]:
    """Compute the code, 0..15, of each point that has all its neighbours, on XY, XT and YT.

    A neighbour at least as bright as the point sets a bit: 1 and 4 the ones ahead and behind along the first
    letter of the plane, 2 and 8 along the second. Another order of the bits would only rename the codes. The
    radii differ between space and time, but four neighbours are on the axes of a plane, that is at pixels of
    frames: nothing is interpolated between pixels.

    Returns:
        Codes for t = T - 8, h = H - 2, w = W - 2 points on each plane.
    """
    point = _neighbour(grey, axis=0, offset=0)
    ahead, behind = [], []
    for axis, radius in enumerate(RADII):
        is_ahead_bright = _neighbour(grey, axis, radius) >= point
        is_behind_bright = _neighbour(grey, axis, -radius) >= point
        ahead.append(is_ahead_bright.astype(np.uint8))
        behind.append(is_behind_bright.astype(np.uint8))
    planes = []
    for first, second in PLANES:
        codes = ahead[first] + 2 * ahead[second] + 4 * behind[first] + 8 * behind[second]
        planes.append(codes)
    return np.stack(planes)


def _neighbour(grey: UInt8[np.ndarray, "T H W"], axis: int, offset: int) -> UInt8[np.ndarray, "t h w"]:
    """Return the grey levels at an offset along an axis from every point that has all its neighbours."""
    slices = []
    for current_axis, radius in enumerate(RADII):
        shift = offset if current_axis == axis else 0
        start = radius + shift
        stop = grey.shape[current_axis] - radius + shift
        slices.append(slice(start, stop))
    return grey[tuple(slices)]


def lbp_histograms(
    codes: UInt8[np.ndarray, "P t h w"], size: int, count: int = CODES
) -> Float64[np.ndarray, "5 5 P {count}"]:
    """Compute the shares of the codes in each block (row, column) and plane.

    A block is a fifth of the crop in each direction. The codes are computed before the blocks are cut, so a
    neighbour may be in the next block. One histogram contains the codes of all times.

    Args:
        codes: from `lbp_codes`, or other codes of the points that have all their neighbours.
        size: width of the crop in pixels.
        count: number of different codes.

    Returns:
        Shares; those of one histogram add up to 1.
    """
    pixels = np.arange(size - 2 * RADII[1]) + RADII[1]
    block_of_pixel = pixels * BLOCKS // size
    block = block_of_pixel[:, None] * BLOCKS + block_of_pixel
    planes = len(codes)
    plane = np.arange(planes)[:, None, None, None]
    bins = count * (planes * block + plane) + codes
    counts = np.bincount(bins.ravel(), minlength=count * planes * BLOCKS**2)
    histograms = counts.reshape(BLOCKS, BLOCKS, planes, count)
    return histograms / histograms.sum(axis=-1, keepdims=True)
