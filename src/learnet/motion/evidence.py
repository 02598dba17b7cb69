"""Evidence of facial movement in a clip, measured in pixels before a motion image is scaled.

Motion images are scaled to their own range, so the image of a clip in which nothing moves shows its noise as
strongly as another shows an expression. This module measures how far the skin moves between the first frame
and the apex, after the motion of the head and of the camera is removed, and compares it with the noise of the
recording. All lengths are in pixels of a face crop 112 pixels wide, whatever the size of the motion image.

The limits were set on still photographs and simulated faces, with sensor noise, compression, flicker, pans,
zooms and blinks (docs/motion.md, `benchmarks/motion_evidence.py`).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Float32, Float64, UInt8

from learnet.face.alignment import (
    EYE_DISTANCE,
    MIN_RIGID_CORRELATION,
    AlignedFaces,
    align,
    eye_transform,
)
from learnet.face.geometry import compose, inverse, transform_points, warp
from learnet.face.head import head_motion, head_shift
from learnet.motion.apex import eye_mask, find_apex
from learnet.motion.flow import flow_dis, remove_global_motion
from learnet.motion.pipeline import EYE_POSITIONS

CROP_PX = 112

NOTHING_MOVES = "nothing moves"
ONLY_EYES_MOVE = "only the eyes move, as in a blink"
ONLY_HEAD_MOVES = "only the head or the camera moves"

# The skin moves if a patch of it moves further than this, and than the noise by this factor. Weaker movements
# are as small as what remains of a head that drifts, or of strong sensor noise.
MIN_SKIN_PX = 0.2
NOISE_FACTOR = 2.0
# A compressed still changes once, within a few frames, and stays so. A change of which less than this share
# is undone at the end of the clip must be larger.
MIN_RETURNED = 0.15
MIN_LASTING_PX = 0.6
# A blink moves the lids by 2 to 3 pixels. It smears over neighbouring skin, so more of that is ignored then.
BLINK_PX = 1.2
BLINK_MARGIN = 0.06  # crop widths
# Head motion from which "nothing moves" would be untrue.
HEAD_MOVES_PX = 0.5
# A turn to the side or a nod moves nose and cheeks against each other by about 0.3 pixels a degree.
MAX_ROTATION_DEG = 2.0

PATCH_PX = 15  # width of the patches over which motion is averaged
TEXTURE_PX = 9  # width of the area in which texture is measured
MIN_TEXTURE = 3.0  # squared grey levels per pixel, at which a point has half of its full weight
MIN_COVERAGE = 0.4  # share of a patch that must be visible skin
EMPTY_PATCH = 0.05  # weight of the assumption that nothing moves, which decides in patches without texture
STEPS = 4  # intermediate frames in which the head is followed
MIN_FRAMES_FOR_NOISE = 10  # of fewer, neighbours are far apart in a movement

# Where skin is looked at: an ellipse inside the crop, whose corners show background. Crop widths.
FACE_CENTRE = (0.5, 0.47)
FACE_RADII = (0.42, 0.47)

Frame = UInt8[np.ndarray, "H W 3"]
Crop = UInt8[np.ndarray, "S S 3"]
Weights = Float32[np.ndarray, "S S"]
Field = Float32[np.ndarray, "S S 2"]


@dataclass(frozen=True)
class MotionEvidence:
    """Motion between the first frame of a clip and its apex, in pixels of a face crop 112 pixels wide."""

    skin_px: float  # largest mean motion of a patch of skin outside the eyes
    eyes_px: float  # the same around the eyes
    # The same between neighbouring frames, where no movement is expected, and the share of the motion of the
    # skin that is undone in the last frame: 1 all, 0 nothing. None: not needed.
    noise_px: float | None
    returned: float | None
    head_px: float  # motion of the head or the camera, which is removed from the others
    rotation_deg: float  # rotation of the head out of the picture plane, which cannot be removed
    head_is_followed: bool  # False: the head was lost, and the other values mean nothing
    apex: int  # position of the apex among the frames
    patch: tuple[int, int] = (0, 0)  # row and column of the patch that moves furthest, in the crop

    @property
    def limit_px(self) -> float:
        """Motion of the skin below which it is not distinguished from noise."""
        smallest = MIN_SKIN_PX
        if self.returned is not None and self.returned < MIN_RETURNED:
            smallest = MIN_LASTING_PX
        return max(smallest, NOISE_FACTOR * (self.noise_px or 0.0))

    @property
    def skin_moves(self) -> bool:
        """Whether the skin moves further than the noise."""
        return self.skin_px >= self.limit_px

    @property
    def obstacle(self) -> str:
        """Why the motion of the skin cannot be judged; empty if it can."""
        if not self.head_is_followed:
            return "the head moves too far to be followed, or something covers the face"
        if self.rotation_deg > MAX_ROTATION_DEG:
            return "the head turns, which looks like an expression"
        return ""

    @property
    def why_none(self) -> str:
        """What is seen instead of a moving skin; empty if the skin moves."""
        if self.skin_moves:
            return ""
        if self.eyes_px >= BLINK_PX:
            return ONLY_EYES_MOVE
        if self.head_px >= HEAD_MOVES_PX:
            return ONLY_HEAD_MOVES
        return NOTHING_MOVES


def motion_evidence(
    frames: Sequence[Frame], aligned: AlignedFaces, apex: int | None, ends_at_rest: bool = True
) -> MotionEvidence:
    """Measure how far the skin moves between the first frame of a clip and its apex.

    Args:
        frames: RGB, 0..255, in time order; at least two.
        aligned: position of the face in them.
        apex: position of the apex among the frames; None: it is detected.
        ends_at_rest: whether a movement is expected to be undone at the end. False: the clip is known to end
            in the middle of one.
    """
    to_crop = _crop_transform(frames[0], aligned)
    if apex is None:
        apex = find_apex(face_crops(frames, aligned), EYE_POSITIONS if aligned.face else ())
    head = _follow_head(frames, apex, aligned)
    if not head.is_followed:
        return MotionEvidence(0.0, 0.0, None, None, head.shift_px, head.rotation_deg, False, apex)
    onset = warp(frames[0], to_crop, CROP_PX, CROP_PX)
    apex_to_crop = compose(to_crop, inverse(head.apex_transform))
    visible = _visible(frames[0], [to_crop, apex_to_crop])
    apex_field = _skin_flow(onset, warp(frames[apex], apex_to_crop, CROP_PX, CROP_PX))
    eyes_px = _eye_motion(apex_field, visible) if aligned.face else 0.0
    skin = visible * skin_mask(aligned.face is not None, margin=BLINK_MARGIN * (eyes_px >= BLINK_PX))
    texture = _texture_weight(onset)
    motion = _patch_motion(apex_field, skin, texture)
    skin_px = _largest(motion)
    noise_px = returned = None
    if skin_px >= MIN_SKIN_PX:
        noise_px = _noise_px(frames, to_crop, skin, texture)
    if skin_px >= MIN_SKIN_PX and ends_at_rest:
        last_to_crop = compose(to_crop, inverse(head.last_transform))
        last_field = _skin_flow(onset, warp(frames[-1], last_to_crop, CROP_PX, CROP_PX))
        returned = _returned(motion, _patch_motion(last_field, skin, texture))
    return MotionEvidence(
        skin_px=skin_px,
        eyes_px=eyes_px,
        noise_px=noise_px,
        returned=returned,
        head_px=head.shift_px,
        rotation_deg=head.rotation_deg,
        head_is_followed=True,
        apex=apex,
        patch=_place(motion),
    )


@dataclass(frozen=True)
class _Head:
    """Motion of the head since the first frame."""

    apex_transform: Float64[np.ndarray, "2 3"]  # from the first frame to the apex, pixels
    last_transform: Float64[np.ndarray, "2 3"]
    shift_px: float  # largest
    rotation_deg: float  # at the apex
    is_followed: bool


def _follow_head(frames: Sequence[Frame], apex: int, aligned: AlignedFaces) -> _Head:
    """Follow the head from the first frame to the apex and to the last frame."""
    if aligned.face is None:
        unmoved = np.eye(2, 3)
        return _Head(unmoved, unmoved, 0.0, 0.0, is_followed=True)
    last = len(frames) - 1
    steps = np.linspace(0, last, STEPS + 2).astype(int).tolist()
    followed = sorted({0, apex, last, *steps})
    eyes = np.array(aligned.face.eyes)
    motion = head_motion(np.stack([frames[index] for index in followed]), eyes, 0)
    at_apex = followed.index(apex)
    shift_px = head_shift(motion, eyes) * EYE_DISTANCE * CROP_PX
    return _Head(
        apex_transform=motion.transforms[at_apex],
        last_transform=motion.transforms[-1],
        shift_px=float(shift_px.max()),
        rotation_deg=float(np.linalg.norm(motion.rotations_deg[at_apex])),
        is_followed=bool(motion.correlation.min() >= MIN_RIGID_CORRELATION),
    )


def _crop_transform(frame: Frame, aligned: AlignedFaces) -> Float64[np.ndarray, "2 3"]:
    """Return the transform from the frame to a crop of CROP_PX pixels."""
    if aligned.face is None:
        return align(frame[None], None, CROP_PX).transforms[0]
    return eye_transform(aligned.face, CROP_PX)


def face_crops(frames: Sequence[Frame], aligned: AlignedFaces) -> UInt8[np.ndarray, "T S S 3"]:
    """Return the crops, CROP_PX wide, by one transform for all frames."""
    to_crop = _crop_transform(frames[0], aligned)
    return np.stack([warp(frame, to_crop, CROP_PX, CROP_PX) for frame in frames])


def _visible(frame: Frame, to_crops: Sequence[Float64[np.ndarray, "2 3"]]) -> Weights:
    """Return 1 where a point of the crop lies inside the frame for every transform, else 0."""
    rows, columns = np.mgrid[:CROP_PX, :CROP_PX]
    points = np.stack([columns, rows], axis=-1).reshape(-1, 2).astype(np.float64)
    limit = np.array([frame.shape[1], frame.shape[0]]) - 1
    inside = np.ones(len(points), dtype=bool)
    for to_crop in to_crops:
        sources = transform_points(inverse(to_crop), points)
        inside &= ((sources >= 0) & (sources <= limit)).all(axis=1)
    return inside.reshape(CROP_PX, CROP_PX).astype(np.float32)


def skin_mask(has_eyes: bool, margin: float = 0.0) -> Weights:
    """Return 1 on skin, 0 outside the face and on the eyes.

    Args:
        has_eyes: whether the positions of the eyes are known.
        margin: by which the area around an eye is larger, crop widths.
    """
    positions = (np.arange(CROP_PX) + 0.5) / CROP_PX
    x = (positions - FACE_CENTRE[0]) / FACE_RADII[0]
    y = (positions - FACE_CENTRE[1]) / FACE_RADII[1]
    face = (x[None, :] ** 2 + y[:, None] ** 2 < 1).astype(np.float32)
    if not has_eyes:
        return face
    return face * eye_mask(EYE_POSITIONS, CROP_PX, margin)


def _eye_motion(field: Field, visible: Weights) -> float:
    """Return the largest mean motion of a patch around the eyes, pixels."""
    eyes = visible * (1 - eye_mask(EYE_POSITIONS, CROP_PX))
    return _largest(_patch_motion(field, eyes, np.ones_like(eyes)))


def _noise_px(
    frames: Sequence[Frame], to_crop: Float64[np.ndarray, "2 3"], skin: Weights, texture: Weights
) -> float:
    """Return the motion of the skin between the first two or the last two frames, whichever is smaller."""
    last = len(frames) - 1
    if last < MIN_FRAMES_FOR_NOISE:
        return 0.0
    motions = []
    for index in (0, last - 1):
        before = warp(frames[index], to_crop, CROP_PX, CROP_PX)
        after = warp(frames[index + 1], to_crop, CROP_PX, CROP_PX)
        motions.append(_largest(_patch_motion(_skin_flow(before, after), skin, texture)))
    return min(motions)


def _skin_flow(onset: Crop, later: Crop) -> Field:
    """Return the flow between two crops that is no motion of the whole face, in pixels."""
    return remove_global_motion(flow_dis(onset, _match_brightness(later, onset)))


def _match_brightness(crop: Crop, reference: Crop) -> Crop:
    """Return a crop with the mean and the contrast of another, which undoes flicker."""
    level = crop.mean(dtype=np.float64)
    gain = reference.std(dtype=np.float64) / max(crop.std(dtype=np.float64), 1e-6)
    offset = reference.mean(dtype=np.float64) - gain * level
    return cv2.convertScaleAbs(crop, alpha=float(gain), beta=float(offset))


def _texture_weight(crop: Crop) -> Weights:
    """Return 0..1: how well the motion of a point is determined in both directions.

    It grows with the smaller eigenvalue of the structure tensor (Shi and Tomasi, Good Features to Track,
    CVPR 1994).
    """
    brightness = cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY).astype(np.float32)
    grey = cv2.GaussianBlur(brightness, (0, 0), 1)
    gradient_x = cv2.Sobel(grey, cv2.CV_32F, 1, 0, scale=1 / 8)
    gradient_y = cv2.Sobel(grey, cv2.CV_32F, 0, 1, scale=1 / 8)
    area = (TEXTURE_PX, TEXTURE_PX)
    xx = cv2.blur(gradient_x * gradient_x, area)
    xy = cv2.blur(gradient_x * gradient_y, area)
    yy = cv2.blur(gradient_y * gradient_y, area)
    eigenvalue = (xx + yy) / 2 - np.sqrt(((xx - yy) / 2) ** 2 + xy**2)
    return (eigenvalue / (eigenvalue + MIN_TEXTURE)).astype(np.float32)


def _patch_motion(field: Field, region: Weights, weights: Weights) -> Field:
    """Return the weighted mean of the flow in the patch around each point; 0 outside the region."""
    patch = (PATCH_PX, PATCH_PX)
    point_weights = region * weights
    total = cv2.blur(point_weights, patch) + EMPTY_PATCH
    weighted = field * point_weights[..., None]
    means = cv2.blur(weighted, patch) / total[..., None]
    is_covered = cv2.blur(region, patch) >= MIN_COVERAGE
    return means * is_covered[..., None]


def _largest(motion: Field) -> float:
    """Return the length of the longest vector."""
    return float(np.linalg.norm(motion, axis=-1).max())


def _place(motion: Field) -> tuple[int, int]:
    """Return row and column of the longest vector."""
    lengths = np.linalg.norm(motion, axis=-1)
    row, column = np.unravel_index(lengths.argmax(), lengths.shape)
    return int(row), int(column)


def _returned(motion: Field, lasting: Field) -> float:
    """Return the share of the largest motion that is undone in the last frame; 0 where nothing moves."""
    largest = _place(motion)
    squared = float(motion[largest] @ motion[largest])
    if squared == 0:
        return 0.0
    return 1 - float(lasting[largest] @ motion[largest]) / squared
