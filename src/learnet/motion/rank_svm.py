"""The dynamic image by exact rank pooling: the normal vector of a ranking support vector machine."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Float64

from learnet.core.errors import LearnetError, TooFewFrames
from learnet.motion.weighted_sum import TILE_SIZE, Frames, weighted_sum

MAX_ITERATIONS = 1000  # 15 to 150 are enough
RELATIVE_GAP = 1e-9  # of primal and dual value at which the solution is accepted
STEP_SHARE = 0.99  # of the longest step that keeps all values above zero


def dynamic_image_exact(frames: Frames, penalty: float = 1.0) -> Float32[np.ndarray, "H W C"]:
    """Compute the dynamic image by rank pooling itself: the image d whose product with the clip so far grows.

    With V_t the mean of the first t frames and v the mean of |V_q - V_t|^2 over all pairs, d is the unique
    minimum of

        v/2 |d|^2 + C * sum over t < q of max(0, 1 - <d, V_q - V_t>),    C = penalty,

    the ranking machine of Fernando et al. and Bilen et al. (their lambda is v / C over the number of pairs;
    with v the result does not depend on the contrast of the clip except for its scale). As C approaches 0, d
    becomes a multiple of `dynamic_image`. The problem is solved for the T weights of the frames instead of
    the pixels, until primal and dual value agree to 1e-9 of their value.

    Args:
        frames: aligned faces in time order, grey levels 0..255; floats may have any range.
        penalty: C above; the larger, the more the order of every pair counts.

    Returns:
        d, in 1 / grey levels: signed, with small values. Zero for a static clip. Time grows with T^3, memory
        with T^2 (4 MB at 200 frames).

    Raises:
        TooFewFrames: fewer than two frames, so there is no motion.
        LearnetError: penalty is not above zero.

    References:
        Fernando et al., Modeling Video Evolution for Action Recognition, CVPR 2015.
        Bilen et al., Dynamic Image Networks for Action Recognition, CVPR 2016.
    """
    count = len(frames)
    if count < 2:
        raise TooFewFrames(found=count, needed=2)
    if not penalty > 0:
        raise LearnetError(f"The penalty of dynamic-exact must be above 0, not {penalty}.")
    lengths = np.arange(1, count + 1)
    lower_triangle = np.tril(np.ones((count, count)))
    averaging = lower_triangle / lengths[:, None]  # V = averaging @ frames
    gram = averaging @ _gram_of_changes(frames) @ averaging.T
    scale = _mean_squared_distance(gram)
    if scale <= 0:  # a static clip has no order
        return np.zeros(frames.shape[1:], dtype=np.float32)
    mean_weights = _RankSVM(gram / scale, penalty).solve()
    frame_weights = averaging.T @ mean_weights / scale
    return weighted_sum(frames, frame_weights)


def _gram_of_changes(frames: Frames) -> Float64[np.ndarray, "T T"]:
    """Return the products of every two frames, each as the change since the first frame.

    The change is used so that no precision is lost for a small motion.
    """
    count = len(frames)
    gram = np.zeros((count, count))
    row_size = count * frames[0, 0].size
    rows = max(1, 4 * TILE_SIZE // max(1, row_size))  # 6 MB, whatever the length
    height = frames.shape[1]
    for start in range(0, height, rows):
        part = frames[:, start : start + rows]
        values = part.astype(np.float64)
        changes = values - values[0]
        vectors = changes.reshape(count, -1)
        products = vectors @ vectors.T
        gram += products
    return gram


def _mean_squared_distance(gram: Float64[np.ndarray, "T T"]) -> float:
    """Return the mean of |V_q - V_t|^2 over all pairs, from the products of every two V."""
    first, later = np.triu_indices(len(gram), 1)
    squares = np.diag(gram)
    distances = squares[first] + squares[later] - 2 * gram[first, later]
    return float(np.mean(distances))


@dataclass(frozen=True)
class _Iterate:
    """A point inside the feasible region."""

    multipliers: Float64[np.ndarray, "P"]  # a of each pair, 0 < a < C
    excess: Float64[np.ndarray, "P"]  # by how much a pair exceeds its margin, above 0
    shortfall: Float64[np.ndarray, "P"]  # by how much it falls short of its margin, above 0


class _RankSVM:
    """The ranking machine, solved for weights b of the means V: d = sum of b_t V_t.

    A primal-dual interior point method over the multipliers a of the pairs, 0 < a < C. With the excess of a
    pair over its margin, or its shortfall, excess * a = shortfall * (C - a) = target is solved for a target
    that shrinks to 0. A step is one linear system of size T, because the pairs interact only through the
    frames.

    Source: Ferris and Munson, Interior-Point Methods for Massive Support Vector Machines, SIAM J. Optim.
    13(3), 2002.
    """

    def __init__(self, gram: Float64[np.ndarray, "T T"], penalty: float) -> None:
        """Set up the problem.

        Args:
            gram: products of every two means V.
            penalty: C.
        """
        self.count = len(gram)
        self.penalty = penalty
        self.first, self.later = np.triu_indices(self.count, 1)
        values, vectors = np.linalg.eigh(gram)
        # points @ points.T is the Gram matrix, so the rows stand for the V.
        lengths = np.sqrt(np.clip(values, 0, None))
        self.points = vectors * lengths

    def solve(self) -> Float64[np.ndarray, "T"]:
        """Return the weights b.

        Raises:
            LearnetError: the method does not converge.
        """
        iterate = self._start()
        for _ in range(MAX_ITERATIONS):
            weights = self._weights(iterate.multipliers)
            normal = self.points.T @ weights
            margins = self._differences(self.points @ normal)
            squared_norm = normal @ normal
            hinge_loss = np.clip(1 - margins, 0, None).sum()
            primal = squared_norm / 2 + self.penalty * hinge_loss
            dual = iterate.multipliers.sum() - squared_norm / 2
            if primal - dual <= RELATIVE_GAP * primal:
                return weights
            iterate = self._step(iterate, margins)
        raise LearnetError(
            "Exact rank pooling of this clip did not converge.",
            "Use the motion image `dynamic`, or a smaller penalty.",
        )

    def _start(self) -> _Iterate:
        """Return the best of equal multipliers, which is already near the solution."""
        pairs = len(self.first)
        weights = self._weights(np.ones(pairs))
        normal = self.points.T @ weights
        best_value = pairs / (normal @ normal)
        multipliers = np.full(pairs, min(best_value, self.penalty / 2))
        weights = self._weights(multipliers)
        normal = self.points.T @ weights
        margins = self._differences(self.points @ normal)
        excess = np.clip(margins - 1, 0, None) + 0.1
        shortfall = np.clip(1 - margins, 0, None) + 0.1
        return _Iterate(multipliers, excess, shortfall)

    def _step(self, iterate: _Iterate, margins: Float64[np.ndarray, "P"]) -> _Iterate:
        """Return the next iterate: one Newton step, as long as all values stay above zero."""
        lower = iterate.multipliers  # distance to the lower bound 0
        upper = self.penalty - iterate.multipliers  # distance to the upper bound C
        excess, shortfall = iterate.excess, iterate.shortfall
        target = 0.2 * (excess @ lower + shortfall @ upper) / (2 * len(lower))
        diagonal = excess / lower + shortfall / upper
        residual = 1 - margins + target / lower - target / upper
        laplacian = self._laplacian(1 / diagonal)
        system = np.eye(self.count) + self.points.T @ laplacian @ self.points
        right_side = self.points.T @ self._weights(residual / diagonal)
        normal_step = np.linalg.solve(system, right_side)
        margin_step = self._differences(self.points @ normal_step)
        step = (residual - margin_step) / diagonal
        excess_step = target / lower - excess - excess / lower * step
        shortfall_step = target / upper - shortfall + shortfall / upper * step
        longest = min(
            _distance_to_zero(lower, step),
            _distance_to_zero(upper, -step),
            _distance_to_zero(excess, excess_step),
            _distance_to_zero(shortfall, shortfall_step),
        )
        length = min(1.0, STEP_SHARE * longest)
        return _Iterate(
            multipliers=lower + length * step,
            excess=excess + length * excess_step,
            shortfall=shortfall + length * shortfall_step,
        )

    def _weights(self, multipliers: Float64[np.ndarray, "P"]) -> Float64[np.ndarray, "T"]:
        """Return the sum over the pairs of multiplier times (later frame - first frame)."""
        added = np.bincount(self.later, multipliers, self.count)
        subtracted = np.bincount(self.first, multipliers, self.count)
        return added - subtracted

    def _differences(self, scores: Float64[np.ndarray, "T"]) -> Float64[np.ndarray, "P"]:
        """Return by how much the later frame of each pair scores above the first."""
        return scores[self.later] - scores[self.first]

    def _laplacian(self, pair_weights: Float64[np.ndarray, "P"]) -> Float64[np.ndarray, "T T"]:
        """Return the sum over the pairs of weight times e e^T, e = later - first."""
        shape = (self.count, self.count)
        edges = np.zeros(shape)
        edges[self.first, self.later] = pair_weights
        edges += edges.T
        degrees = edges.sum(axis=0)
        return np.diag(degrees) - edges


def _distance_to_zero(values: Float64[np.ndarray, "P"], step: Float64[np.ndarray, "P"]) -> float:
    """Return the step length at which the first of the values reaches zero."""
    shrinking = step < 0
    speeds = -step[shrinking]
    lengths = values[shrinking] / speeds
    return float(np.min(lengths, initial=np.inf))
