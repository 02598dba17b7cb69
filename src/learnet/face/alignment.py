"""From frames to aligned face crops.

The face is detected once in a clip, rotated and scaled by its eyes, and cropped from all frames alike.
Detecting it anew in every frame would shake it by more than a micro-expression moves it. Head motion that
remains can be removed as estimated on the rigid parts of the face.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float32, Float64, Real, UInt8

from learnet.core.errors import LearnetError, NoFace, TooFewFrames
from learnet.face.geometry import (
    compose,
    from_region,
    inverse,
    similarity_transform,
    source_region,
    transform_points,
    warp,
)
from learnet.face.haar import HAAR_CONFIDENCE, Haar
from learnet.face.head import HeadMotion, head_motion, head_shift
from learnet.face.records import Face, FaceFinder

# Positions of the eyes in crop widths. The eyes of an adult are 63 mm apart; brows reach 0.5 and a raised
# brow 0.7 of that distance above the pupils, the chin 1.8 to 1.9 below, the cheekbones 1.1 to each side
# (rounded). So the crop shows brow to chin and both cheeks, tight, as in the paper's figures: 0.75 eye
# distances above the eyes, 2.03 below, 0.89 outside each.
EYE_ROW = 0.27  # from the top
EYE_COLUMNS = (0.32, 0.68)  # from the left
EYE_DISTANCE = EYE_COLUMNS[1] - EYE_COLUMNS[0]

# Frames searched for a face: the first ones one by one, then further ones in even steps to the end.
FIRST_SEARCHED_FRAMES = 5
FURTHER_SEARCHED_FRAMES = 25
# Frames besides the first in which head motion is measured where it is not removed.
MEASURED_FRAMES = 3
# Beyond these limits, removing the head motion is uncertain. Set on 152 overlapping half-second parts of a
# video of a freely moving head: 32 give a warning, and of the others one leaves the eyes more than 3 of 112
# pixels off (3.2).
MIN_RIGID_CORRELATION = 0.89  # noise of 8 grey levels leaves 0.99, a hand on the face 0.61 to 0.88
MAX_ROTATION_DEG = 6.0  # out of the picture plane, which no similarity undoes
MAX_SHIFT = 0.5  # of eyes or mouth, in distances of the eyes
# Head motion in pixels of a 112-pixel crop above which it hides a micro-expression (0.5 to 2.5 pixels).
HEAD_MOTION_LIMIT_PX = 1.0
MIN_FACE_PX = 60  # width of a face below which small movements are hardly visible
MAX_OUTSIDE = 0.02  # share of the crop outside the picture that is tolerated without a warning


@dataclass(frozen=True)
class Remark:
    """Something that could spoil the motion image, and where in the clip."""

    text: str  # a sentence, in which {frame} stands for the number of the frame
    frame: int | None = None  # index among the aligned frames


@dataclass(frozen=True)
class AlignedFaces:
    """The transforms that crop the face from every frame of a clip, so that it stays in place."""

    size: int  # height and width of the crops in pixels
    face: Face | None  # None: the frames are face crops already
    face_frame: int  # index of the frame in which the face was detected
    transforms: Float64[np.ndarray, "T 2 3"]  # from frame t to its crop
    # Largest head motion in pixels of the crop: removed by `stabilise`, otherwise remaining. None: unknown.
    drift_px: float | None
    remarks: tuple[Remark, ...]

    @property
    def warnings(self) -> tuple[str, ...]:
        """The remarks as sentences; frames are counted from 0, the first that was aligned."""
        return self.warnings_for(range(len(self.transforms)))

    def warnings_for(self, numbers: Sequence[int]) -> tuple[str, ...]:
        """Return the remarks as sentences that name frames by their numbers.

        Args:
            numbers: number of each aligned frame.
        """
        sentences = []
        for remark in self.remarks:
            if remark.frame is None:
                sentences.append(remark.text)
            else:
                sentences.append(remark.text.format(frame=numbers[remark.frame]))
        return tuple(sentences)

    def crop(self, frames: Real[np.ndarray, "T H W 3"], index: int) -> Real[np.ndarray, "S S 3"]:
        """Return the face of one frame, read with a single interpolation (`geometry.warp`)."""
        return warp(frames[index], self.transforms[index], self.size, self.size)

    def crops(self, frames: Real[np.ndarray, "T H W 3"]) -> Real[np.ndarray, "T S S 3"]:
        """Return the face of every frame."""
        crops = []
        for index in range(len(frames)):
            crops.append(self.crop(frames, index))
        return np.stack(crops)

    def resized(self, size: int) -> "AlignedFaces":
        """Return the same crops with another number of pixels; the remarks still name pixels of these."""
        if size == self.size:
            return self
        factor = size / self.size
        shift = (factor - 1) / 2
        resizing = np.array([[factor, 0, shift], [0, factor, shift]])
        transforms = [compose(resizing, transform) for transform in self.transforms]
        drift_px = None if self.drift_px is None else self.drift_px * factor
        return replace(self, size=size, transforms=np.stack(transforms), drift_px=drift_px)

    def crop_of_sum(
        self,
        frames: Real[np.ndarray, "T H W 3"],
        weighted_sum: Callable[[Real[np.ndarray, "T H W 3"]], Float32[np.ndarray, "H W 3"]],
    ) -> Float32[np.ndarray, "S S 3"]:
        """Return the crop of a weighted sum of the frames.

        Cropping is linear, so where one transform applies to the whole clip, this equals the weighted sum of
        the crops except for the rounding of those to bytes. It takes a third of the time.

        Args:
            frames: RGB, in time order.
            weighted_sum: sums frames with weights that do not depend on their content.
        """
        size = self.size
        to_crop = self.transforms[0]
        rows, columns = source_region(frames.shape[1:3], to_crop, size, size)
        image = weighted_sum(frames[:, rows, columns])
        region_to_crop = from_region(to_crop, rows, columns)
        return warp(image, region_to_crop, size, size)


def eye_transform(face: Face, size: int) -> Float64[np.ndarray, "2 3"]:
    """Return the similarity from the frame to a square crop that maps the eyes to EYE_COLUMNS, EYE_ROW."""
    eyes = np.array(face.eyes)
    left, right = EYE_COLUMNS
    positions = [[left, EYE_ROW], [right, EYE_ROW]]
    target = np.array(positions) * size - 0.5
    return similarity_transform(eyes, target)


def align(
    frames: UInt8[np.ndarray, "T H W 3"], finder: FaceFinder | None, size: int = 112, stabilise: bool = False
) -> AlignedFaces:
    """Determine how to crop the face from every frame of a clip.

    One transform is used for the whole clip, computed from the eyes in the first frame with a face.

    Args:
        frames: RGB, in time order.
        finder: from `face_finder`; None: the frames are face crops already and are only resized.
        size: height and width of the crops in pixels.
        stabilise: remove the remaining head motion, as estimated on the rigid parts of the face.

    Returns:
        The transforms (all equal unless head motion is removed), and remarks about what could spoil the
        motion.

    Raises:
        TooFewFrames: there is no frame.
        NoFace: none of the searched frames (the first ones, then in even steps) shows a face.
        LearnetError: `stabilise` without a finder.
    """
    if len(frames) == 0:
        raise TooFewFrames(found=0, needed=1)
    if finder is None:
        return _resize_only(frames, size, stabilise)
    face_frame, face = _first_face(frames, finder)
    to_crop = eye_transform(face, size)
    eyes = np.array(face.eyes)
    transforms = np.tile(to_crop, (len(frames), 1, 1))
    if stabilise:
        motion = head_motion(frames, eyes, face_frame)
        undone = [compose(to_crop, inverse(moved)) for moved in motion.transforms]
        transforms = np.stack(undone)
        drift_px, motion_remarks = _removed_motion(motion, eyes, size)
        edge_remarks = _edge_remarks(frames[0], transforms, size)
    else:
        drift_px, motion_remarks = _remaining_motion(frames, eyes, face_frame, size)
        edge_remarks = _edge_remarks(frames[0], transforms[:1], size)
    face_remarks = _face_remarks(face, face_frame)
    return AlignedFaces(
        size=size,
        face=face,
        face_frame=face_frame,
        transforms=transforms,
        drift_px=drift_px,
        remarks=(*face_remarks, *edge_remarks, *motion_remarks),
    )


def _resize_only(frames: UInt8[np.ndarray, "T H W 3"], size: int, stabilise: bool) -> AlignedFaces:
    if stabilise:
        raise LearnetError(
            "Head motion cannot be removed from face crops: the positions of the eyes are unknown.",
            "Choose a face finder, or leave stabilise (--stabilise) out.",
        )
    height, width = frames.shape[1:3]
    scale = np.array([size / width, size / height])
    transform = np.column_stack([np.diag(scale), scale / 2 - 0.5])
    return AlignedFaces(
        size=size,
        face=None,
        face_frame=0,
        transforms=np.tile(transform, (len(frames), 1, 1)),
        drift_px=None,
        remarks=(),
    )


def _first_face(frames: UInt8[np.ndarray, "T H W 3"], finder: FaceFinder) -> tuple[int, Face]:
    """Return the index of the first searched frame that shows a face, and the face."""
    last = len(frames) - 1
    first_searched = min(FIRST_SEARCHED_FRAMES, len(frames))
    steps = np.linspace(first_searched - 1, last, FURTHER_SEARCHED_FRAMES + 1)
    evenly_spaced = steps.round().astype(int).tolist()
    searched = sorted({*range(first_searched), *evenly_spaced})
    for index in searched:
        face = finder(frames[index])
        if face is not None:
            return index, face
    raise NoFace("This clip", len(searched))


def _removed_motion(
    motion: HeadMotion, eyes: Float64[np.ndarray, "2 2"], size: int
) -> tuple[float | None, tuple[Remark, ...]]:
    """Return the largest removed head motion in pixels of the crop, and a remark where it is uncertain."""
    is_visible = motion.correlation >= MIN_RIGID_CORRELATION
    rotation_deg = np.linalg.norm(motion.rotations_deg, axis=1)
    shift = head_shift(motion, eyes)
    shift_px = shift * EYE_DISTANCE * size
    drift_px = float(shift_px[is_visible].max())
    is_certain = is_visible & (rotation_deg <= MAX_ROTATION_DEG) & (shift <= MAX_SHIFT)
    if is_certain.all():
        return drift_px, ()
    uncertain = (~is_certain).sum()
    text = (
        "the head turns too fast for its motion to be removed well, or something covers the face: "
        f"uncertain in {uncertain} of {len(shift)} frames, from frame {{frame}} "
        f"(correlation of the rigid parts down to {motion.correlation.min():.0%}, "
        f"turned by up to {rotation_deg.max():.1f} degrees, "
        f"moved by up to {shift_px.max():.1f} pixels of the crop)"
    )
    return drift_px, (Remark(text, int(np.argmin(is_certain))),)


def _remaining_motion(
    frames: UInt8[np.ndarray, "T H W 3"], eyes: Float64[np.ndarray, "2 2"], anchor: int, size: int
) -> tuple[float | None, tuple[Remark, ...]]:
    """Return the largest head motion in pixels of the crop, and a remark where it matters.

    It is measured in a few frames only, and coarsely.
    """
    last = len(frames) - 1
    steps = np.linspace(0, last, MEASURED_FRAMES + 1)
    evenly_spaced = steps.round().astype(int).tolist()
    measured = sorted({anchor, *evenly_spaced})
    motion = head_motion(frames[measured], eyes, measured.index(anchor), fine=False)
    is_lost = motion.correlation < MIN_RIGID_CORRELATION
    if is_lost.any():
        text = "the head turns so far, or something covers the face, that its motion cannot be measured"
        return None, (Remark(text),)
    shift_px = head_shift(motion, eyes) * EYE_DISTANCE * size
    drift_px = float(shift_px.max())
    limit_px = HEAD_MOTION_LIMIT_PX * size / 112
    if drift_px <= limit_px:
        return drift_px, ()
    text = f"the head moves by {drift_px:.1f} pixels of the crop, as much as an expression"
    return drift_px, (Remark(text),)


def _face_remarks(face: Face, face_frame: int) -> tuple[Remark, ...]:
    """Return remarks about the detection of the face."""
    remarks = []
    if face_frame > 0:
        remarks.append(Remark("the first frames show no face: it was found in frame {frame}", face_frame))
    width_px = face.box[2]
    if width_px < MIN_FACE_PX:
        text = f"the face is only {width_px:.0f} pixels wide; small movements need {MIN_FACE_PX} or more"
        remarks.append(Remark(text))
    no_eye, one_eye, both_eyes = HAAR_CONFIDENCE
    if face.finder == Haar.kind and face.confidence < both_eyes:
        undetected = "one eye was" if face.confidence == one_eye else "the eyes were"
        remarks.append(Remark(f"{undetected} not seen but placed by the proportions of the face"))
    return tuple(remarks)


def _edge_remarks(
    frame: UInt8[np.ndarray, "H W 3"], transforms: Float64[np.ndarray, "T 2 3"], size: int
) -> tuple[Remark, ...]:
    """Return a remark where the crop extends beyond the frame, whose border pixels are repeated there.

    The frame is named only where the crops move.
    """
    steps = (np.arange(16) + 0.5) * size / 16 - 0.5
    columns, rows = np.meshgrid(steps, steps)
    crop_points = np.stack([columns, rows], axis=-1).reshape(-1, 2)
    height, width = frame.shape[:2]
    limit = np.array([width, height]) - 0.5
    outside = []
    for transform in transforms:
        to_frame = inverse(transform)
        points = transform_points(to_frame, crop_points)
        inside_axes = (points >= -0.5) & (points <= limit)
        share_inside = inside_axes.all(axis=1).mean()
        outside.append(1 - share_inside)
    worst = int(np.argmax(outside))
    if outside[worst] <= MAX_OUTSIDE:
        return ()
    text = f"{outside[worst]:.0%} of the face crop lies outside the picture"
    if len(transforms) > 1:
        return (Remark(f"{text} (frame {{frame}})", worst),)
    return (Remark(text),)
