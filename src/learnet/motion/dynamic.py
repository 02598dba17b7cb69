"""The dynamic image: a clip folded into one picture of its motion by rank pooling.

Every kind is a weighted sum of the frames. Three have fixed weights (`rank_weights`), the fourth solves for them.

| kind | weight of frame t of T | of a still clip |
|---|---|---|
| dynamic | sum over i = t..T of (2i - T - 1) / i | exactly 0 |
| dynamic-released | sum over i = t..T of (2i - T) / i | T times the frame |
| dynamic-linear | 2t - T - 1 | exactly 0 |
| dynamic-exact | those of the ranking machine, see `dynamic_image_exact` | exactly 0 |

Sources: Bilen et al., Dynamic Image Networks for Action Recognition, CVPR 2016; Fernando et al., Modeling Video Evolution for
Action Recognition, CVPR 2015; `dynamic-released` is what the Python that the LEARNet authors published computes.
"""

from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
from jaxtyping import Float, Float32, Float64, Int64, UInt8

from learnet.core.errors import LearnetError, TooFewFrames, pick

Frames = UInt8[np.ndarray, "T H W C"] | Float[np.ndarray, "T H W C"]
Frame = UInt8[np.ndarray, "H W C"] | Float[np.ndarray, "H W C"]

OFFSETS = {"dynamic": 1, "dynamic-released": 0}  # what is taken from 2i - T before the division by i

TILE = (
    61440  # pixels x channels summed at once: two running means of them (float64) stay in the cache of a core
)
BLOCK = 8  # frames summed at once where they are floats
ROUNDING = (
    2.0**-43
)  # grey levels by which one step of a running mean of grey levels in float64 may be off, amply
MANY = 2**24  # pixels x channels x frames from which a second thread pays
THREADS = 4  # more of them only wait for the memory


def rank_weights(frames: int, kind: str = "dynamic") -> Float64[np.ndarray, "T"]:
    """The weights of a clip's frames, in time order.

    Args:
        frames: T, how many frames the clip has.
        kind: dynamic, dynamic-released or dynamic-linear.

    Returns:
        T weights. They add up to zero (but for the rounding of floats), those of dynamic-released to T: one term is missing
        there, so a share of the plain face stays in the image, the more the shorter the clip.

    Raises:
        TooFewFrames: fewer than two frames, so there is no motion to fold.
        LearnetError: kind is dynamic-exact, whose weights depend on the frames.
        UnknownName: no such kind.
    """
    if frames < 2:
        raise TooFewFrames(found=frames, needed=2)
    if kind == "dynamic-exact":
        raise LearnetError(
            "The weights of dynamic-exact depend on all frames, so there are none for a length.",
            "Fold the whole clip.",
        )
    t = np.arange(1, frames + 1, dtype=np.float64)
    if kind == "dynamic-linear":
        return 2 * t - frames - 1
    offset = pick(OFFSETS | {"dynamic-linear": 0, "dynamic-exact": 0}, kind, "dynamic image")
    return np.cumsum(((2 * t - frames - offset) / t)[::-1])[::-1].copy()


def dynamic_image(frames: Frames) -> Float32[np.ndarray, "H W C"]:
    """Fold a clip into one image by approximate rank pooling.

    Frame t of T weighs the sum over i = t..T of (2i - T - 1) / i. The weights add up to zero, so what stays
    still vanishes (exactly: a pixel that never changes gives 0) and what moves remains.

    Args:
        frames: aligned faces in time order, RGB, grey levels 0..255; floats may have any range.

    Returns:
        The weighted sum in grey levels: signed, and not limited to 0..255 (`motion.normalise` makes network input of it).
        Beside it
        under 15 MB of memory are used for each of at most four threads, whatever the length.

    Raises:
        TooFewFrames: fewer than two frames, so there is no motion to fold.

    Source: Bilen et al., Dynamic Image Networks for Action Recognition, CVPR 2016; weights as in the authors' MATLAB.
    """
    return _weighted_sum(frames, rank_weights(len(frames)))


def dynamic_image_released(frames: Frames) -> Float32[np.ndarray, "H W C"]:
    """Fold a clip as the released LEARNet Python does: frame t of T weighs the sum over i = t..T of (2i - T) / i.

    The "- 1" of Bilen et al. is missing, so the weights add up to T: a still clip gives T times its frame, not zero, and
    the image shows the face as well as its motion. Otherwise as `dynamic_image`.
    """
    return _weighted_sum(frames, rank_weights(len(frames), "dynamic-released"), total=len(frames))


def dynamic_image_linear(frames: Frames) -> Float32[np.ndarray, "H W C"]:
    """Fold a clip with the weights 2t - T - 1 (t = 1..T), rank pooling without the averages over time. Otherwise as `dynamic_image`.

    Source: the simplification in Bilen et al., CVPR 2016: the frames themselves are ranked, not their means.
    """
    return _weighted_sum(frames, rank_weights(len(frames), "dynamic-linear"))


def dynamic_image_exact(frames: Frames, softness: float = 1.0) -> Float32[np.ndarray, "H W C"]:
    """Fold a clip by rank pooling itself: the image d whose product with the clip so far grows with time.

    With V_t the mean of the first t frames and v the mean of |V_q - V_t|^2 over all pairs, d is the one minimum of

        v/2 |d|^2 + C * sum over t < q of max(0, 1 - <d, V_q - V_t>),    C = softness,

    the ranking machine of Fernando et al. and Bilen et al. (their lambda is v / C over the number of pairs; with v the
    result does not depend on the contrast of the clip but for its scale). As C goes to 0, d becomes a multiple of `dynamic_image`.
    It is solved over the T weights of the frames, not over the pixels, until primal and dual agree to 1e-9 of their value.

    Args:
        frames: aligned faces in time order, grey levels 0..255; floats may have any range.
        softness: C above; the larger, the more the order of every pair counts.

    Returns:
        d, in 1 / grey levels: signed, values are small. Zero for a still clip. Time grows with T^3, memory with T^2 (4 MB at 200 frames).

    Raises:
        TooFewFrames: fewer than two frames, so there is no motion to fold.
        LearnetError: softness is not above zero.
    """
    if len(frames) < 2:
        raise TooFewFrames(found=len(frames), needed=2)
    if not softness > 0:
        raise LearnetError(f"The softness of dynamic-exact must be above 0, not {softness}.")
    averaging = (
        np.tril(np.ones((len(frames), len(frames)))) / np.arange(1, len(frames) + 1)[:, None]
    )  # V = averaging @ frames
    gram = averaging @ _gram(frames) @ averaging.T
    first, later = np.triu_indices(len(frames), 1)
    spread = float(np.mean(np.diag(gram)[first] + np.diag(gram)[later] - 2 * gram[first, later]))
    if spread <= 0:  # a still clip: no order to find
        return np.zeros(frames.shape[1:], dtype=np.float32)
    return _weighted_sum(frames, averaging.T @ _rank_machine(gram / spread, softness) / spread)


def dynamic_image_rise(frames: Frames, apex: int | None) -> Float32[np.ndarray, "H W C"]:
    """The `dynamic_image` of the movement's rise alone: the frames from the onset to the apex.

    Args:
        frames: aligned faces in time order; the first is the onset.
        apex: position of the apex among them.

    Raises:
        TooFewFrames: fewer than two frames there, or no apex.
    """
    rise = frames[: (apex or 0) + 1]
    if len(rise) < 2:
        raise TooFewFrames(found=len(rise), needed=2, part="The part from the onset to the apex")
    return dynamic_image(rise)


def dynamic_image_fall(frames: Frames, apex: int | None) -> Float32[np.ndarray, "H W C"]:
    """The `dynamic_image` of the movement's fall alone: from the apex to the last frame. Otherwise as `dynamic_image_rise`."""
    fall = frames[len(frames) if apex is None else apex :]
    if len(fall) < 2:
        raise TooFewFrames(found=len(fall), needed=2, part="The part from the apex to the offset")
    return dynamic_image(fall)


class Accumulator:
    """The dynamic image of frames that come one at a time. It holds three images in float64, however long the clip is."""

    def __init__(self, frames: int, kind: str = "dynamic") -> None:
        """Prepare for FRAMES frames; the kinds and errors are those of `rank_weights`."""
        self.weights = rank_weights(frames, kind)
        self.total = (
            frames if kind == "dynamic-released" else 0
        )  # of the weights, without the rounding of floats
        self.added = 0

    def add(self, frame: Frame) -> None:
        """Add the next frame in time order, grey levels 0..255 (floats: any range).

        Raises:
            LearnetError: one frame too many, or of another size than the first.
        """
        if self.added == len(self.weights):
            raise LearnetError(
                f"This dynamic image is of {len(self.weights)} frames, and all are there.",
                "Start another Accumulator.",
            )
        if self.added == 0:
            self.first, self.change = frame.astype(np.float64), np.empty(frame.shape)
            self.sum = (
                self.total * self.first
            )  # the others then add how they differ from it, so that nothing is lost to rounding
        if frame.shape != self.first.shape:
            raise LearnetError(
                f"Frame {self.added + 1} is {frame.shape}, the first was {self.first.shape}.",
                "Frames must be of one size.",
            )
        np.subtract(frame, self.first, out=self.change)
        self.change *= self.weights[self.added]
        self.sum += self.change
        self.added += 1

    def image(self) -> Float32[np.ndarray, "H W C"]:
        """The dynamic image, as the function of its kind returns it (but for the last digit of a float32).

        Raises:
            LearnetError: not all frames have been added.
        """
        if self.added < len(self.weights):
            raise LearnetError(
                f"{self.added} of {len(self.weights)} frames have been added.",
                "Add the others, in time order.",
            )
        return self.sum.astype(np.float32)


def _weighted_sum(
    frames: Frames, weights: Float64[np.ndarray, "T"], total: int = 0
) -> Float32[np.ndarray, "H W C"]:
    """Sum weight times frame, exactly zero where weights that add up to zero (the total) meet a pixel that never changes.

    Floating weights that should cancel do not, quite, so each way of summing has its own way to make that true. Rows are done in
    tiles that fit the cache; the tiles are the same however many threads share them, so the result is too.
    """
    image = np.empty(frames.shape[1:], dtype=np.float32)
    rows = max(1, TILE // max(1, frames[0, 0].size))
    way = _sum_levels if frames.dtype == np.uint8 else _sum_changes

    def fill(row: int) -> None:
        image[row : row + rows] = way(frames[:, row : row + rows], weights, total)

    starts = range(0, len(image), rows)
    threads = min(
        THREADS, cv2.getNumThreads()
    )  # one, where processes share the cores and have told OpenCV so
    if frames.size < MANY or threads < 2:
        for row in starts:
            fill(row)
    else:
        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(fill, starts))
    return image


def _sum_levels(
    frames: UInt8[np.ndarray, "T h W C"], weights: Float64[np.ndarray, "T"], total: int
) -> Float64[np.ndarray, "h W C"]:
    """Weighted sum of grey levels: a running mean of the frames that count up, less one of those that count down.

    OpenCV adds bytes to floats in one pass, without an array of floats in between, which is what makes this fast.
    """
    up, down = means = np.zeros((2, *frames.shape[1:]))
    sums = [0.0, 0.0]  # of the weights so far, up and down
    for frame, weight in zip(frames, weights.tolist(), strict=True):
        side = int(weight < 0)
        sums[side] += abs(weight)
        if weight:
            cv2.accumulateWeighted(frame, means[side], abs(weight) / sums[side])
    up *= sums[0]
    down *= sums[1]
    up -= down
    if total == 0:
        up[np.abs(up) <= sum(sums) * len(frames) * ROUNDING] = (
            0  # what rounding can leave of a pixel that never changes
        )
    return up


def _sum_changes(
    frames: Float[np.ndarray, "T h W C"], weights: Float64[np.ndarray, "T"], total: int
) -> Float64[np.ndarray, "h W C"]:
    """Weighted sum of floating frames: the first frame once for all weights, then how the others differ from it."""
    first = frames[0].astype(np.float64)
    sums = total * first
    for start in range(0, len(frames), BLOCK):
        changes = frames[start : start + BLOCK] - first
        sums += np.tensordot(weights[start : start + BLOCK], changes, axes=1)
    return sums


def _gram(frames: Frames) -> Float64[np.ndarray, "T T"]:
    """Products of every two frames, each taken as the change since the first frame (so nothing is lost of a small motion)."""
    gram = np.zeros((len(frames), len(frames)))
    rows = max(1, 4 * TILE // max(1, len(frames) * frames[0, 0].size))  # 6 MB, whatever the length
    for row in range(0, frames.shape[1], rows):
        part = frames[:, row : row + rows].astype(np.float64)
        changes = (part - part[0]).reshape(len(frames), -1)
        gram += changes @ changes.T
    return gram


def _rank_machine(gram: Float64[np.ndarray, "T T"], softness: float) -> Float64[np.ndarray, "T"]:
    """Weights b of the means V that solve the ranking machine: d = sum of b_t V_t, given the products of every two V.

    A primal-dual interior point method over the multipliers a of the pairs, 0 < a < C. With how far a pair is `past` its margin
    or `short` of it, past * a = short * (C - a) = goal is solved for a goal that shrinks to 0. A step is one linear system of
    size T, because the pairs meet only in the frames (Ferris and Munson, SIAM J. Optim. 13(3), 2002).
    """
    first, later = np.triu_indices(len(gram), 1)
    values, vectors = np.linalg.eigh(gram)
    points = vectors * np.sqrt(
        np.clip(values, 0, None)
    )  # points @ points.T is the Gram matrix, so they stand for the V
    rank = points.T @ _balance(np.ones(len(first)), first, later)
    a = np.full(
        len(first), min(len(first) / (rank @ rank), softness / 2)
    )  # the best of equal multipliers: already near
    margin = _differences(points @ (points.T @ _balance(a, first, later)), first, later)
    past, short = np.clip(margin - 1, 0, None) + 0.1, np.clip(1 - margin, 0, None) + 0.1
    for _ in range(1000):  # 15 to 150 are enough
        balance = _balance(a, first, later)
        rank = points.T @ balance
        margin = _differences(points @ rank, first, later)
        length = rank @ rank
        primal, dual = length / 2 + softness * np.clip(1 - margin, 0, None).sum(), a.sum() - length / 2
        if primal - dual <= 1e-9 * primal:
            return balance
        goal = 0.2 * (past @ a + short @ (softness - a)) / (2 * len(a))
        spread = past / a + short / (softness - a)
        pull = 1 - margin + goal / a - goal / (softness - a)
        system = np.eye(len(gram)) + points.T @ _laplacian(1 / spread, first, later) @ points
        turn = np.linalg.solve(system, points.T @ _balance(pull / spread, first, later))
        step = (pull - _differences(points @ turn, first, later)) / spread
        past_step = goal / a - past - past / a * step
        short_step = goal / (softness - a) - short + short / (softness - a) * step
        size = _longest([(a, step), (softness - a, -step), (past, past_step), (short, short_step)])
        a, past, short = a + size * step, past + size * past_step, short + size * short_step
    raise LearnetError(
        "Rank pooling of this clip could not be solved.", "Take the motion image `dynamic`, or less softness."
    )


def _balance(
    a: Float64[np.ndarray, "P"], first: Int64[np.ndarray, "P"], later: Int64[np.ndarray, "P"]
) -> Float64[np.ndarray, "T"]:
    """Sum over the pairs of a times (later frame - first frame)."""
    frames = int(later.max()) + 1
    return np.bincount(later, a, frames) - np.bincount(first, a, frames)


def _differences(
    score: Float64[np.ndarray, "T"], first: Int64[np.ndarray, "P"], later: Int64[np.ndarray, "P"]
) -> Float64[np.ndarray, "P"]:
    """How far the later frame of each pair scores above the first."""
    return score[later] - score[first]


def _laplacian(
    a: Float64[np.ndarray, "P"], first: Int64[np.ndarray, "P"], later: Int64[np.ndarray, "P"]
) -> Float64[np.ndarray, "T T"]:
    """Sum over the pairs of a times e e^T, e = later - first: the matrix through which the pairs meet in the frames."""
    frames = int(later.max()) + 1
    edges = np.zeros((frames, frames))
    edges[first, later] = a
    edges += edges.T
    return np.diag(edges.sum(axis=0)) - edges


def _longest(moves: list[tuple[Float64[np.ndarray, "P"], Float64[np.ndarray, "P"]]]) -> float:
    """The longest step, at most 1, after which every value is still above zero (and keeps a hundredth of itself)."""
    reach = [np.min(value[step < 0] / -step[step < 0], initial=np.inf) for value, step in moves]
    return min(1.0, 0.99 * float(min(reach)))
