"""From frames to a face that stays in its place: find it once, turn and scale it by its eyes, crop all frames alike.

One transform per clip, from the first frame with a face: finding the face anew in every frame would shake it by more than a
micro-expression moves it. Head motion that is left can be removed as seen on the rigid parts of the face (`steady`).

The members: `geometry` (transforms; used by the others), `finder`, `head` and `model`, which do not know each other and meet here.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float32, Float64, Real, UInt8

from learnet.core.errors import LearnetError, NoFace, TooFewFrames, pick
from learnet.face.finder import HAAR_CONFIDENCE, Face, FaceFinder, Haar, ModelFaceFinder, YuNet
from learnet.face.geometry import (
    compose,
    from_region,
    inverse,
    similarity_transform,
    source_region,
    transform_points,
    warp,
)
from learnet.face.head import head_motion, head_shift
from learnet.face.model import MODEL_NAME, MODEL_VARIABLE, fetch_model, find_model

__all__ = [
    "AlignedFaces",
    "Face",
    "FaceFinder",
    "ModelFaceFinder",
    "Remark",
    "align",
    "eye_transform",
    "face_finder",
    "fetch_model",
    "find_model",
]

# Where the eyes go, in crop widths. The eyes of an adult are 63 mm apart; brows reach 0.5 and a raised brow 0.7 of that above
# the pupils, the chin 1.8 to 1.9 below, the cheekbones 1.1 to each side (rounded). So the crop holds brow to chin and
# both cheeks, tight, as in the paper's figures: 0.75 eye distances above the eyes, 2.03 below, 0.89 outside each.
EYE_ROW = 0.27  # from the top
EYE_COLUMNS = (0.32, 0.68)  # from the left
EYE_DISTANCE = EYE_COLUMNS[1] - EYE_COLUMNS[0]

SEARCHED_ALL = 5  # the first frames are searched one by one,
SEARCHED_MORE = 25  # then up to so many in even steps to the end
LOOKS = 3  # frames besides the first in which head motion is measured where it is not removed
# Beyond these, removing the head motion is uncertain. Set on 152 overlapping half-second cuts of one film of a freely moving head: 32 are
# warned about, and of the others one leaves the eyes more than 3 of 112 pixels off (3.2).
MIN_RIGID_CORRELATION = (
    0.89  # least agreement of the rigid parts. Grey noise of 8 leaves 0.99, a hand on the face 0.61 to 0.88
)
TURNED_DEG = 6.0  # most turn out of the picture plane, which no similarity undoes
FAR = 0.5  # furthest move of eyes or mouth, in distances of the eyes
HEAD_MOTION_LIMIT_PX = (
    1.0  # head motion in pixels of a 112-pixel crop above which it hides a micro-expression (0.5 to 2.5)
)
SMALL_PX = 60  # width of a face in pixels below which there is little to see


@dataclass(frozen=True)
class Remark:
    """Something that could spoil the motion, and where in the clip."""

    text: str  # a sentence, in which {frame} stands for the number of the frame
    frame: int | None = None  # index among the frames that were aligned


@dataclass(frozen=True)
class AlignedFaces:
    """Where the face of a clip is in every frame, so that all crops show it in the same place."""

    size: int  # height and width of the crops in pixels
    face: Face | None  # None: the frames were face crops already
    face_frame: int  # index of the frame in which the face was found
    transforms: Float64[np.ndarray, "T 2 3"]  # from places in frame t to places in its crop
    drift_px: (
        float | None
    )  # largest head motion in pixels of the crop: removed if steady, else left in; None where not measurable
    remarks: tuple[Remark, ...]

    @property
    def warnings(self) -> tuple[str, ...]:
        """The remarks as sentences; frames are counted from 0, the first that was aligned."""
        return self.warnings_for(range(len(self.transforms)))

    def warnings_for(self, numbers: Sequence[int]) -> tuple[str, ...]:
        """The remarks as sentences, for a reader who knows the frames by these NUMBERS, one for each."""
        return tuple(
            one.text if one.frame is None else one.text.format(frame=numbers[one.frame])
            for one in self.remarks
        )

    def crop(self, frames: Real[np.ndarray, "T H W 3"], number: int) -> Real[np.ndarray, "S S 3"]:
        """The face in frame NUMBER, read in one interpolation, averaged over the area of a pixel where it is made smaller."""
        return warp(frames[number], self.transforms[number], self.size, self.size)

    def crops(self, frames: Real[np.ndarray, "T H W 3"]) -> Real[np.ndarray, "T S S 3"]:
        """The face in every frame."""
        return np.stack([self.crop(frames, number) for number in range(len(frames))])

    def crop_of_sum(
        self,
        frames: Real[np.ndarray, "T H W 3"],
        fold: Callable[[Real[np.ndarray, "T H W 3"]], Float32[np.ndarray, "H W 3"]],
    ) -> Float32[np.ndarray, "S S 3"]:
        """The crop of a weighted sum of the frames: the same weighted sum of their crops, but for the rounding of those to bytes.

        Cropping is linear, so where one transform holds for the whole clip the sum may come first. That takes a third of the time.

        Args:
            frames: RGB, in time order.
            fold: sums the frames with weights that do not depend on what they show.
        """
        rows, columns = source_region(frames.shape[1:3], self.transforms[0], self.size, self.size)
        folded = fold(frames[:, rows, columns])
        return warp(folded, from_region(self.transforms[0], rows, columns), self.size, self.size)


def face_finder(kind: str, model: Path | None = None) -> FaceFinder:
    """A face finder.

    Args:
        kind: "yunet", "haar", or "auto": yunet where its model is found, else haar.
        model: YuNet's file; without one see `find_model`.

    Raises:
        LearnetError: no such kind; yunet is asked for and there is no model; the model cannot be read.
    """
    return pick(_FINDERS, kind, "face finder")(model)


def _auto(model: Path | None) -> FaceFinder:
    found = find_model(model)
    return YuNet(found) if found else Haar()


def _yunet(model: Path | None) -> FaceFinder:
    found = find_model(model)
    if found is None:
        raise LearnetError(
            f"The face finder yunet needs its model {MODEL_NAME}, which is not here.",
            f"`learnet face-model` fetches it, --face-model or {MODEL_VARIABLE} names it; --face haar needs none.",
        )
    return YuNet(found)


def _haar(model: Path | None) -> FaceFinder:
    return Haar()  # a model that is given for yunet is no mistake: the same options go with every finder


_FINDERS: dict[str, Callable[[Path | None], FaceFinder]] = {"auto": _auto, "yunet": _yunet, "haar": _haar}


def eye_transform(face: Face, size: int) -> Float64[np.ndarray, "2 3"]:
    """The similarity from places in the frame to places in a crop of size x size that puts the eyes at EYE_COLUMNS, EYE_ROW."""
    target = np.array([[column * size - 0.5, EYE_ROW * size - 0.5] for column in EYE_COLUMNS])
    return similarity_transform(np.array(face.eyes), target)


def align(
    frames: UInt8[np.ndarray, "T H W 3"], finder: FaceFinder | None, size: int = 112, steady: bool = False
) -> AlignedFaces:
    """Find out how to crop the face from every frame of a clip: one transform, taken from the eyes in the first frame with a face.

    Args:
        frames: RGB, in time order.
        finder: from `face_finder`; None: the frames are face crops already and are only brought to size.
        size: height and width of the crops in pixels.
        steady: remove the head motion that is left, as seen on the rigid parts of the face.

    Returns:
        Transforms (all equal, but where head motion is removed), and remarks about all that could spoil the motion.

    Raises:
        TooFewFrames: there is no frame.
        NoFace: none of the frames searched (all of the first, then in even steps) shows a face.
        LearnetError: steady is asked for without a finder.
    """
    if len(frames) == 0:
        raise TooFewFrames(found=0, needed=1)
    if finder is None:
        return _resized(frames, size, steady)
    number, face = _first_face(frames, finder)
    onto, eyes = eye_transform(face, size), np.array(face.eyes)
    transforms = np.tile(onto, (len(frames), 1, 1))
    if steady:
        drift_px, moves, said = _removed(frames, eyes, number, size)
        transforms = np.stack([compose(onto, inverse(there)) for there in moves])
    else:
        drift_px, said = _left_in(frames, eyes, number, size)
    said = (
        *_about_face(face, number),
        *_about_edges(frames[0], transforms if steady else transforms[:1], size),
        *said,
    )
    return AlignedFaces(size, face, number, transforms, drift_px, said)


def _resized(frames: UInt8[np.ndarray, "T H W 3"], size: int, steady: bool) -> AlignedFaces:
    if steady:
        raise LearnetError(
            "Head motion cannot be removed from face crops: where the eyes are is not known.",
            "Choose a face finder, or not steady.",
        )
    height, width = frames.shape[1:3]
    scale = np.array([size / width, size / height])
    transform = np.column_stack([np.diag(scale), scale / 2 - 0.5])
    return AlignedFaces(size, None, 0, np.tile(transform, (len(frames), 1, 1)), None, ())


def _first_face(frames: UInt8[np.ndarray, "T H W 3"], finder: FaceFinder) -> tuple[int, Face]:
    """Index of the first frame searched that shows a face, and the face."""
    steps = (
        np.linspace(min(SEARCHED_ALL, len(frames)) - 1, len(frames) - 1, SEARCHED_MORE + 1)
        .round()
        .astype(int)
    )
    searched = sorted({*range(min(SEARCHED_ALL, len(frames))), *steps.tolist()})
    for number in searched:
        if (face := finder(frames[number])) is not None:
            return number, face
    raise NoFace("This clip", len(searched))


def _removed(
    frames: UInt8[np.ndarray, "T H W 3"], eyes: Float64[np.ndarray, "2 2"], anchor: int, size: int
) -> tuple[float | None, Float64[np.ndarray, "T 2 3"], tuple[Remark, ...]]:
    """Head motion of all frames: the largest in pixels of the crop, the moves, and where they are uncertain."""
    motion = head_motion(frames, eyes, anchor)
    seen, turned, shift = (
        motion.correlation >= MIN_RIGID_CORRELATION,
        np.linalg.norm(motion.rotations_deg, axis=1),
        head_shift(motion, eyes),
    )
    sure = seen & (turned <= TURNED_DEG) & (shift <= FAR)
    shift_px = shift * EYE_DISTANCE * size
    said = (
        f"the head turns too fast for its motion to be removed well, or something covers the face: uncertain in {(~sure).sum()} of "
        f"{len(frames)} frames, from frame {{frame}} (agreement of the rigid parts down to {motion.correlation.min():.0%}, "
        f"turned by up to {turned.max():.1f} degrees, moved by up to {shift_px.max():.1f} pixels of the crop)"
    )
    return (
        float(shift_px[seen].max()),
        motion.transforms,
        () if sure.all() else (Remark(said, int(np.argmin(sure))),),
    )


def _left_in(
    frames: UInt8[np.ndarray, "T H W 3"], eyes: Float64[np.ndarray, "2 2"], anchor: int, size: int
) -> tuple[float | None, tuple[Remark, ...]]:
    """Head motion seen in a few frames only, coarsely: the largest in pixels of the crop, and a warning if it matters."""
    looked = sorted({anchor, *np.linspace(0, len(frames) - 1, LOOKS + 1).round().astype(int).tolist()})
    motion = head_motion(frames[looked], eyes, looked.index(anchor), fine=False)
    if (motion.correlation < MIN_RIGID_CORRELATION).any():
        return None, (
            Remark(
                "the head turns so far, or something covers the face, that how far the head moves cannot be measured"
            ),
        )
    drift_px = float((head_shift(motion, eyes) * EYE_DISTANCE * size).max())
    if drift_px <= HEAD_MOTION_LIMIT_PX * size / 112:
        return drift_px, ()
    return drift_px, (
        Remark(
            f"the head moves by {drift_px:.1f} pixels of the crop, as much as an expression; steady removes it"
        ),
    )


def _about_face(face: Face, number: int) -> tuple[Remark, ...]:
    """Remarks about how the face was found."""
    said = []
    if number > 0:
        said.append(Remark("the first frames show no face: it was found in frame {frame}", number))
    if face.box[2] < SMALL_PX:
        said.append(
            Remark(f"the face is only {face.box[2]:.0f} pixels wide; small movements need {SMALL_PX} or more")
        )
    if face.finder == Haar.kind and face.confidence < HAAR_CONFIDENCE[2]:
        seen = "one eye was" if face.confidence == HAAR_CONFIDENCE[1] else "the eyes were"
        said.append(Remark(f"{seen} not seen but placed by the proportions of the face"))
    return tuple(said)


def _about_edges(
    frame: UInt8[np.ndarray, "H W 3"], transforms: Float64[np.ndarray, "T 2 3"], size: int
) -> tuple[Remark, ...]:
    """A remark where the crop reaches beyond the frame, whose edge pixels were repeated there; the frame only where crops move."""
    steps = (np.arange(16) + 0.5) * size / 16 - 0.5
    places = np.stack(np.meshgrid(steps, steps), axis=-1).reshape(-1, 2)
    limit = np.array([frame.shape[1], frame.shape[0]]) - 0.5
    outside = []
    for transform in transforms:
        there = transform_points(inverse(transform), places)
        outside.append(1 - ((there >= -0.5) & (there <= limit)).all(axis=1).mean())
    worst = int(np.argmax(outside))
    said = f"{outside[worst]:.0%} of the face crop lies outside the picture"
    moving = Remark(f"{said} (frame {{frame}})", worst) if len(transforms) > 1 else Remark(said)
    return (moving,) if outside[worst] > 0.02 else ()
