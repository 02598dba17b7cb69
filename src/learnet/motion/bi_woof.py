"""Bi-weighted oriented optical flow (Bi-WOOF): histograms of directions, weighed by magnitude and by strain.

Source: Liong, See, Wong, Phan, Less is more: Micro-expression recognition from video using apex frame, Signal
    Processing: Image Communication 62:82-92, 2018. Blocks, bins, weights and scaling as in the MATLAB code
    published by the authors, but for the borders of the blocks, which overlap by a few pixels there.
"""

import numpy as np
from jaxtyping import Float32, Float64, UInt8

from learnet.core.errors import LearnetError
from learnet.motion.flow import Estimator, flow_image, flow_tvl1
from learnet.motion.lbp_top import enlarge

BLOCKS = 5  # in a row, and in a column
BINS = 8  # of 45 degrees, from -180; 0 is to the right, 90 down
BLOCK_CELLS = 3  # cells of a block in a row
CELLS = BLOCKS * BLOCK_CELLS
RING = ((1, 0), (0, 0), (0, 1), (0, 2), (1, 2), (2, 2), (2, 1), (2, 0))
"""Cell (row, column) of each bin in its block: it lies where the smallest angle of the bin points."""

NO_STRAIN = 1e-9  # summed over the face: below this, nothing moves


def bi_woof(
    crops: UInt8[np.ndarray, "T S S 3"], apex: int | None, estimator: Estimator = flow_tvl1
) -> Float32[np.ndarray, "S S 3"]:
    """Compute the Bi-WOOF histograms of the flow from the onset to the apex as a picture.

    A block of the face is 3x3 cells at its own position. Around its middle are the eight directions, each
    where it points. The value of a cell is a square root: in red of the feature, in green of the share of the
    direction in its block by magnitude, in blue (all cells of the block) of the strain of the block. In
    red and green the middle is 0.

    Args:
        crops: aligned faces in time order, RGB, 0..255; the first is the onset.
        apex: position of the apex among them, from 1.
        estimator: of optical flow.

    Returns:
        Square roots of numbers in 0..1; all 0 where nothing moves.

    Raises:
        LearnetError: no apex after the onset, or crops of fewer pixels than there are cells.
        MissingLibrary: scikit-image is not installed.
    """
    size = crops.shape[1]
    if size < CELLS:
        raise LearnetError(
            f"Bi-WOOF is drawn in {CELLS} cells a side, and a crop of {size} pixels is too small for them."
        )
    flow = flow_image(crops, apex, estimator)
    shares = direction_shares(flow[..., :2])
    weights = strain_weights(flow[..., 2])
    features = bi_woof_features(shares, weights)
    cells = np.zeros((BLOCKS, BLOCK_CELLS, BLOCKS, BLOCK_CELLS, 3))
    for direction, (row, column) in enumerate(RING):
        cells[:, row, :, column, 0] = features[..., direction]
        cells[:, row, :, column, 1] = shares[..., direction]
    cells[..., 2] = weights[:, None, :, None]
    roots = np.sqrt(cells).reshape(CELLS, CELLS, 3)
    return enlarge(roots.astype(np.float32), size)


def direction_shares(field: Float32[np.ndarray, "S S 2"]) -> Float64[np.ndarray, "5 5 8"]:
    """Return the share of each direction in each block (row, column), by magnitude (the local weight).

    Args:
        field: u and v in pixels.

    Returns:
        Shares that add up to 1 in a block; all 0 in a block in which nothing moves.
    """
    u, v = field[..., 0].astype(np.float64), field[..., 1].astype(np.float64)
    magnitude = np.hypot(u, v)
    turn = np.arctan2(v, u) / (2 * np.pi) + 0.5  # 0..1 from -180 to 180 degrees
    direction = np.minimum((turn * BINS).astype(np.int64), BINS - 1)  # 180 degrees are in the last bin
    bins = _blocks(len(field)) * BINS + direction
    sums = np.bincount(bins.ravel(), magnitude.ravel(), BLOCKS**2 * BINS).reshape(BLOCKS, BLOCKS, BINS)
    wholes = sums.sum(axis=2, keepdims=True)
    return np.divide(sums, wholes, out=np.zeros_like(sums), where=wholes > 0)


def strain_weights(strain: Float32[np.ndarray, "S S"]) -> Float64[np.ndarray, "5 5"]:
    """Return the strain of each block, summed, as a share of that of the face (the global weight)."""
    blocks = _blocks(len(strain)).ravel()
    sums = np.bincount(blocks, strain.ravel(), BLOCKS**2).reshape(BLOCKS, BLOCKS)
    whole = sums.sum()
    return sums / whole if whole > NO_STRAIN else np.zeros_like(sums)


def bi_woof_features(
    shares: Float64[np.ndarray, "5 5 8"], weights: Float64[np.ndarray, "5 5"]
) -> Float64[np.ndarray, "5 5 8"]:
    """Return the shares times the weight of their block, divided by the Euclidean norm of all 200.

    Only the ratios of the weights matter. All are 0 where nothing moves.
    """
    products = shares * weights[..., None]
    norm = np.linalg.norm(products)
    return products / norm if norm > 0 else products


def _blocks(size: int) -> np.ndarray:
    """Return the block of each pixel, 0..24 row by row, (S, S)."""
    block = np.arange(size) * BLOCKS // size
    return block[:, None] * BLOCKS + block
