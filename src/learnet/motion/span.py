"""Onset and offset of a movement, from the path of the skin that moves furthest."""

from collections.abc import Sequence

import cv2
import numpy as np
from jaxtyping import Float32, Float64, UInt8

from learnet.face import AlignedFaces
from learnet.motion.apex import detect_onset_and_offset
from learnet.motion.evidence import MotionEvidence, face_crops, skin_mask
from learnet.motion.flow import fit_similarity

WINDOW_PX = 15  # of the tracker
GRID_PX = 12  # distance of the points that show the motion of the head
PATCH_POINTS = np.array([[x, y] for x in (-3, 0, 3) for y in (-3, 0, 3)], np.float32)
TIME_BLUR = 1.0  # standard deviation of the smoothing over time, frames


def movement_span(
    frames: Sequence[UInt8[np.ndarray, "H W 3"]], aligned: AlignedFaces, evidence: MotionEvidence
) -> tuple[int, int]:
    """Return the positions of onset and offset of the movement that peaks at the apex.

    Points in the patch of skin that moves furthest are tracked from the first frame to every other one, and
    the motion of the whole face, as most points agree on it, is subtracted. What remains in the direction of
    the movement at the apex is the path; `detect_onset_and_offset` finds where it is at rest.

    Args:
        frames: RGB, 0..255, in time order.
        aligned: position of the face in them.
        evidence: of the same frames, in which the skin moves.
    """
    path = movement_path(face_crops(frames, aligned), evidence, aligned.face is not None)
    return detect_onset_and_offset(path, evidence.apex)


def movement_path(
    crops: UInt8[np.ndarray, "T S S 3"], evidence: MotionEvidence, has_eyes: bool
) -> Float64[np.ndarray, "T"]:
    """Return how far the patch has moved in each frame, in pixels of the crop.

    Args:
        crops: from `evidence.face_crops`.
        evidence: of the same frames, in which the skin moves.
        has_eyes: whether the positions of the eyes are known.

    Source: Lucas and Kanade, An Iterative Image Registration Technique, IJCAI 1981; pyramids as in OpenCV.
    """
    row, column = evidence.patch
    patch = PATCH_POINTS + np.array([column, row], np.float32)
    points = np.concatenate([patch, _grid(has_eyes)])
    greys = [cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY) for crop in crops]
    motions = np.zeros((len(crops), 2))
    for index in range(1, len(greys)):
        shift = _track(greys[0], greys[index], points)
        residual = _without_head(points, shift)
        motions[index] = residual[: len(patch)].mean(axis=0)
    direction = motions[evidence.apex] / max(float(np.linalg.norm(motions[evidence.apex])), 1e-6)
    return _smooth(motions @ direction)


def _grid(has_eyes: bool) -> Float32[np.ndarray, "P 2"]:
    """Return points (x, y) on the skin of the crop."""
    mask = skin_mask(has_eyes)
    steps = np.arange(GRID_PX // 2, len(mask), GRID_PX)
    columns, rows = np.meshgrid(steps, steps)
    on_skin = mask[rows, columns] > 0
    return np.stack([columns[on_skin], rows[on_skin]], axis=-1).astype(np.float32)


def _track(
    before: UInt8[np.ndarray, "S S"], after: UInt8[np.ndarray, "S S"], points: Float32[np.ndarray, "P 2"]
) -> Float64[np.ndarray, "P 2"]:
    """Return how far each point has moved; points that are lost have not moved."""
    start = points[:, None]
    tracked, found, _ = cv2.calcOpticalFlowPyrLK(
        before, after, start, start.copy(), winSize=(WINDOW_PX, WINDOW_PX), maxLevel=3
    )
    shift = (tracked[:, 0] - points).astype(np.float64)
    return shift * (found == 1)


def _without_head(
    points: Float32[np.ndarray, "P 2"], shift: Float64[np.ndarray, "P 2"]
) -> Float64[np.ndarray, "P 2"]:
    """Return the motion of points without the similarity that most of them agree on."""
    places = points[:, 0].astype(np.float64) + 1j * points[:, 1]
    centred = (places - places.mean()) / 100
    motion = shift[:, 0] + 1j * shift[:, 1]
    offset, slope = fit_similarity(centred, motion)
    remaining = motion - (offset + slope * centred)
    return np.stack([remaining.real, remaining.imag], axis=-1)


def _smooth(path: Float64[np.ndarray, "T"]) -> Float64[np.ndarray, "T"]:
    column = path[:, None]
    return cv2.GaussianBlur(column, (1, 5), 0, sigmaY=TIME_BLUR, borderType=cv2.BORDER_REPLICATE)[:, 0]
