"""How the head moves over a clip, seen only on parts of the face that an expression leaves still.

Places are given in head units: the origin lies between the eyes of the anchor frame, x goes towards the eye further right in the picture,
y towards the mouth, and the distance of the eyes is 1. Every frame is compared with the anchor frame itself, so errors do not add up.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Bool, Float32, Float64, UInt8

from learnet.face.geometry import compose, inverse, similarity_transform, transform_points, warp

# What the skull carries along, in head units: left, right, top, bottom. Brows, lids, cheeks, mouth and chin are left out. The
# nose tip stays although a wrinkled nose pulls at it (by 0.2 pixels at the eyes for 1.5 at the nose): without it a turning head
# is followed worse.
RIGID = (
    (-0.75, 0.75, -1.20, -0.72),  # forehead above the brows
    (-0.25, 0.25, -0.12, 0.72),  # nose, from its root between the eyes to its tip
    (-0.34, -0.18, -0.08, 0.22),  # inner corners of the eyes, tied to the bone
    (0.18, 0.34, -0.08, 0.22),
    (
        -0.85,
        -0.75,
        -0.12,
        0.30,
    ),  # temples, well inside the outline of the face, which slides over the skin when the head turns
    (0.75, 0.85, -0.12, 0.30),
)
LEFT, RIGHT, TOP, BOTTOM = -1.05, 1.05, -1.25, 1.0  # the part of the head that is looked at, head units
SOFT = 0.04  # the regions fade out over about this much, head units
COARSE, FINE = (
    (16, 1.5e-3),
    (32, 2e-4),
)  # two passes: pixels per head unit (a face crop of 112 pixels has 40); step that ends it, head units
LOCAL = 0.15  # light is taken out as the mean over a Gaussian of this width, head units
REJECT = 4.6  # robust standard deviations at which a pixel stops to count (Tukey's biweight; 95 % efficient)
FLAT = 0.1  # grey levels; differences as small as this are rounding, not texture
GREY_NOISE = 1.0  # least standard deviation assumed of a pixel, grey levels
USUAL_TURN = 0.1  # radians; the fit prefers turns about this small
STEPS = 15  # most Gauss-Newton steps in one pass
FURTHEST = 0.75  # a jump by more than this between two frames, head units, is a failure and not a movement
EYES_AND_MOUTH = np.array(
    [[-0.5, 0.0], [0.5, 0.0], [0.0, 1.1]]
)  # eyes and mouth: how far these are carried is called how far the head moved


@dataclass(frozen=True)
class HeadMotion:
    """Where the head of the anchor frame went in other frames."""

    transforms: Float64[
        np.ndarray, "T 2 3"
    ]  # similarity from places in the anchor frame to places in frame t, pixels
    rotations_deg: Float64[
        np.ndarray, "T 2"
    ]  # degrees since the anchor frame: to the right in the picture, down; a rough measure, by an average face
    correlation: Float64[
        np.ndarray, "T"
    ]  # -1..1: correlation of the rigid parts with those of the anchor frame, after the move is undone


class _Pass:
    """The rigid parts of the anchor frame at one resolution, ready to be found again (inverse compositional, Baker & Matthews 2004)."""

    def __init__(
        self,
        grey: UInt8[np.ndarray, "H W"],
        to_frame: Float64[np.ndarray, "2 3"],
        resolution: int,
        still: float,
    ) -> None:
        self.to_frame = to_frame  # head units of the anchor frame to its pixels
        self.resolution = resolution
        self.still = still  # a step this small ends the search, head units
        x, y = _grid(resolution)
        weight = _rigid(x, y)
        self.inside: Bool[np.ndarray, "h w"] = weight > 0.02
        x, y, self.weight = x[self.inside], y[self.inside], weight[self.inside]
        view = self._view(grey, np.eye(2, 3))
        self.values = view[self.inside].astype(np.float64)
        across = cv2.Sobel(view, cv2.CV_32F, 1, 0, scale=resolution / 8)[self.inside].astype(np.float64)
        down = cv2.Sobel(view, cv2.CV_32F, 0, 1, scale=resolution / 8)[self.inside].astype(np.float64)
        depth = _depth(x, y)
        # Change of the values with growth, roll, shift right, shift down (of the view); turn right, nod down (of the face); contrast,
        # brightness.
        light = [self.values, np.ones_like(self.values)]
        self.change = np.stack(
            [
                across * x + down * y,
                down * x - across * y,
                across,
                down,
                -across * depth,
                -down * depth,
                *light,
            ],
            axis=1,
        )

    def find(
        self, grey: UInt8[np.ndarray, "H W"], pose: Float64[np.ndarray, "2 3"], turn: Float64[np.ndarray, "2"]
    ) -> tuple[Float64[np.ndarray, "2 3"], Float64[np.ndarray, "2"]]:
        """The pose (anchor head units to head units of this frame) and turn (radians) that fit best, starting from near ones."""
        light = np.zeros(2)
        for _ in range(STEPS):
            rest = self._view(grey, pose)[self.inside] - self._expected(turn) - self.change[:, 6:] @ light
            spread = 1.4826 * np.median(np.abs(rest[self.weight > 0.5])) + GREY_NOISE
            trust = self.weight * np.clip(1 - (rest / (REJECT * spread)) ** 2, 0, None) ** 2
            weighted = self.change * trust[:, None]
            normal, pull = weighted.T @ self.change, weighted.T @ rest
            prior = (spread / USUAL_TURN) ** 2
            normal[[4, 5], [4, 5]] += prior
            pull[4:6] -= prior * turn
            normal[np.diag_indices(8)] += 1e-6 * (
                1 + np.trace(normal)
            )  # a face without any texture must not divide by zero
            step = np.linalg.solve(normal, pull)
            turn, light = turn + step[4:6], light + step[6:]
            growth, roll, right, down = step[:4]
            pose = compose(pose, inverse(np.array([[1 + growth, -roll, right], [roll, 1 + growth, down]])))
            if np.abs(step[:6]).max() < self.still or not _plausible(pose):
                break
        return pose, turn

    def agreement(
        self, grey: UInt8[np.ndarray, "H W"], pose: Float64[np.ndarray, "2 3"], turn: Float64[np.ndarray, "2"]
    ) -> float:
        """Correlation -1..1 of the rigid parts with those of the anchor frame. No pixel is rejected here: a hand must show."""
        here, there = self._view(grey, pose)[self.inside], self._expected(turn)
        power = np.sqrt((self.weight * here**2).sum() * (self.weight * there**2).sum())
        return float((self.weight * here * there).sum() / (power + self.weight.sum() * FLAT**2))

    def _expected(self, turn: Float64[np.ndarray, "2"]) -> Float64[np.ndarray, "P"]:
        """What the rigid parts look like after a small turn."""
        return self.values + self.change[:, 4:6] @ turn

    def _view(
        self, grey: UInt8[np.ndarray, "H W"], pose: Float64[np.ndarray, "2 3"]
    ) -> Float32[np.ndarray, "h w"]:
        """The head part of the frame as it would look in the anchor frame, less slow changes of light."""
        height, width = self.inside.shape
        pixels = np.array(
            [
                [self.resolution, 0, -LEFT * self.resolution - 0.5],
                [0, self.resolution, -TOP * self.resolution - 0.5],
            ]
        )
        view = warp(
            grey, compose(pixels, inverse(compose(self.to_frame, pose))), width, height
        ).astype(np.float32)
        view -= cv2.GaussianBlur(view, (0, 0), LOCAL * self.resolution, borderType=cv2.BORDER_REFLECT)
        return cv2.GaussianBlur(view, (0, 0), 0.8)


def _grid(resolution: int) -> tuple[Float64[np.ndarray, "h w"], Float64[np.ndarray, "h w"]]:
    """x and y of the pixel centres, head units."""
    width, height = round((RIGHT - LEFT) * resolution), round((BOTTOM - TOP) * resolution)
    x, y = np.meshgrid(
        LEFT + (np.arange(width) + 0.5) / resolution, TOP + (np.arange(height) + 0.5) / resolution
    )
    return x, y


def _rigid(x: Float64[np.ndarray, "h w"], y: Float64[np.ndarray, "h w"]) -> Float64[np.ndarray, "h w"]:
    """1 inside the rigid regions, 0 outside, soft in between."""
    weight = np.zeros_like(x)
    for left, right, top, bottom in RIGID:
        depth = np.minimum.reduce([x - left, right - x, y - top, bottom - y])  # how far inside
        weight = np.maximum(weight, np.clip(0.5 + depth / (2 * SOFT), 0, 1))
    return weight


def _depth(x: Float64[np.ndarray, "P"], y: Float64[np.ndarray, "P"]) -> Float64[np.ndarray, "P"]:
    """How far an average face stands out before the plane of the eyes, head units: curved like a head, with the ridge of the nose."""
    return 0.12 - 0.55 * x**2 + 0.42 * np.exp(-((x / 0.2) ** 2)) * np.clip((y + 0.15) / 0.7, 0, 1)


def _plausible(pose: Float64[np.ndarray, "2 3"], before: Float64[np.ndarray, "2 3"] | None = None) -> bool:
    """Whether a head can have gone there: no wild change of size, no jump since the frame before."""
    size = np.hypot(pose[0, 0], pose[1, 0])
    jump = 0.0 if before is None else np.linalg.norm(transform_points(pose, EYES_AND_MOUTH) - transform_points(before, EYES_AND_MOUTH), axis=1).max()
    return bool(np.isfinite(pose).all() and 0.6 < size < 1.6 and jump < FURTHEST)


def head_motion(
    frames: UInt8[np.ndarray, "T H W 3"], eyes: Float64[np.ndarray, "2 2"], anchor: int, fine: bool = True
) -> HeadMotion:
    """Follow the head from the anchor frame on, forwards and backwards, each frame starting where its neighbour ended.

    A robust least-squares fit of shift, roll and scale to the grey levels of the rigid parts, to a few hundredths of a pixel. Turning
    to the side and nodding move the nose before the eyes, so they are fitted along with the depth of an average face; but no
    similarity can undo them, and the moves hold for the plane of the eyes.

    Args:
        frames: RGB, in time order, near enough in time for the head to move less than about a third of the distance of the eyes.
        eyes: in the anchor frame, one (x, y) a row, pixels; the eye further left in the picture first.
        anchor: index of the frame that the others are compared with.
        fine: two passes; one coarse pass, four times as fast, where it is only asked how far the head moves.

    Returns:
        Moves and agreement per frame. Where no plausible move is found, the neighbour's is repeated and the agreement is 0.
    """
    greys = [cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY) for frame in frames]
    to_frame = similarity_transform(np.array([[-0.5, 0.0], [0.5, 0.0]]), eyes)
    passes = [_Pass(greys[anchor], to_frame, *which) for which in ((COARSE, FINE) if fine else (COARSE,))]
    moves, turns, agreement = (
        np.tile(np.eye(2, 3), (len(frames), 1, 1)),
        np.zeros((len(frames), 2)),
        np.ones(len(frames)),
    )
    for way in (range(anchor + 1, len(frames)), range(anchor - 1, -1, -1)):
        pose, turn = np.eye(2, 3), np.zeros(2)
        for number in way:
            before = pose, turn
            for step in passes:
                if _plausible(pose):  # not after a coarse pass that went astray
                    pose, turn = step.find(greys[number], pose, turn)
            good = _plausible(pose, before[0])
            pose, turn = (pose, turn) if good else before
            agreement[number] = passes[-1].agreement(greys[number], pose, turn) if good else 0.0
            moves[number], turns[number] = (
                compose(to_frame, compose(pose, inverse(to_frame))),
                np.degrees(turn),
            )
    return HeadMotion(moves, turns, agreement)


def head_shift(motion: HeadMotion, eyes: Float64[np.ndarray, "2 2"]) -> Float64[np.ndarray, "T"]:
    """How far the eyes or the mouth were carried in each frame, whichever went furthest, in distances of the eyes.

    Args:
        motion: from `head_motion`.
        eyes: in the anchor frame, as given there.
    """
    places = transform_points(similarity_transform(np.array([[-0.5, 0.0], [0.5, 0.0]]), eyes), EYES_AND_MOUTH)
    shifts = [np.linalg.norm(transform_points(there, places) - places, axis=1).max() for there in motion.transforms]
    return np.array(shifts) / np.linalg.norm(eyes[1] - eyes[0])
