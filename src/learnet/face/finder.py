"""Where the face is in one frame, and where its eyes are: the YuNet network, or Viola-Jones cascades that need no model file.

The LEARNet authors name Viola-Jones and not how they cropped, so the finder is a choice that every prepared folder states.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, runtime_checkable

import cv2
import numpy as np
from jaxtyping import Float, Float64, UInt8

from learnet.core.errors import BadInput, LearnetError
from learnet.face.geometry import compose, inverse, similarity_transform, transform_points, warp

NARROWEST = 0.25  # eyes nearer than this many face widths are those of a profile (0.45 to 0.5 in a frontal face), of no use here


@dataclass(frozen=True)
class Face:
    """One face in one frame, in pixels of the frame (whole numbers are pixel centres)."""

    box: tuple[float, float, float, float]  # x and y of the upper left corner, width, height
    eyes: tuple[
        tuple[float, float], tuple[float, float]
    ]  # centres (x, y); the one further left in the picture first
    confidence: float  # 0..1; yunet: the network's score, haar: see HAAR_CONFIDENCE
    finder: str  # `FaceFinder.kind` of the finder that found it


@runtime_checkable
class FaceFinder(Protocol):
    """What finds the largest face in a frame; `face_finder` makes one."""

    kind: str  # its name, a value of `Preparation.face`, under which prepared folders record it

    def __call__(self, frame: UInt8[np.ndarray, "H W 3"]) -> Face | None:
        """The largest face in an RGB frame, None where there is none."""
        ...


@runtime_checkable
class ModelFaceFinder(FaceFinder, Protocol):
    """A face finder that reads a model file, whose digest prepared folders record."""

    model: Path


def _shrunk(
    frame: UInt8[np.ndarray, "H W *C"], side: int
) -> tuple[UInt8[np.ndarray, "h w *C"], Float64[np.ndarray, "2 3"]]:
    """The frame with its longer side at most `side`, and the way back to places in the frame."""
    shrink = min(1.0, side / max(frame.shape[:2]))
    height, width = (max(1, round(length * shrink)) for length in frame.shape[:2])
    small = cv2.resize(frame, (width, height), interpolation=cv2.INTER_AREA)
    scale = np.array([frame.shape[1] / width, frame.shape[0] / height])
    return small, np.column_stack([np.diag(scale), scale / 2 - 0.5])  # pixel centres: (x + 1/2) * scale - 1/2


def _usable(eyes: Float[np.ndarray, "2 2"], face_px: float, frame: UInt8[np.ndarray, "H W 3"]) -> bool:
    """Both eyes are in the frame, and apart as in a face that looks this way."""
    inside = (eyes >= -0.5).all() and (eyes <= [frame.shape[1] - 0.5, frame.shape[0] - 0.5]).all()
    return bool(
        np.isfinite(eyes).all() and inside and np.linalg.norm(eyes[1] - eyes[0]) >= NARROWEST * face_px
    )


class YuNet:
    """The YuNet network (`cv2.FaceDetectorYN`), with five landmarks of which the eyes are used.

    Source: Wu, Peng, Yu: YuNet, a tiny millisecond-level face detector, Machine Intelligence Research 20 (2023).
    """

    kind = "yunet"
    SCORE = 0.7  # below: not a face. Textures, an animal and letters reached 0.60; a portrait turned by 90 degrees has 0.79
    SIDES = (
        256,
        640,
    )  # longer side of the frame as searched; the larger only where the smaller shows no face
    # The first look is off by 5 % of the distance of the eyes, and by half of it where the head is tilted by 30 degrees. So the
    # face is turned upright and looked at closely, at these distances of the eyes in pixels, until the eyes stay; then 3 %.
    CLOSE = (40, 48, 40, 48)
    AROUND = 2  # distances of the eyes that a close look sees to each side of the middle between them
    SETTLED = 0.07  # the eyes have stayed when they moved by less than this, in their distances
    KEPT = 8  # networks, one for each size of picture; a clip needs three
    LEAST = 64  # OpenCV returns numbers without meaning for pictures as small as one cell of the network (32 pixels)

    def __init__(self, model: Path) -> None:
        self.model = model
        self._networks: dict[tuple[int, int], cv2.FaceDetectorYN] = {}
        try:
            self._network(self.LEAST, self.LEAST).detect(np.zeros((self.LEAST, self.LEAST, 3), np.uint8))
        except cv2.error as error:  # OpenCV says no more than that an assertion failed
            raise BadInput(
                model, "this is not a YuNet model that OpenCV can read", "`learnet face-model` fetches one."
            ) from error

    def __reduce__(self) -> tuple[type["YuNet"], tuple[Path]]:
        """Loaded again where a worker process receives it: the network itself cannot be copied."""
        return YuNet, (self.model,)

    def __call__(self, frame: UInt8[np.ndarray, "H W 3"]) -> Face | None:
        """The largest face in an RGB frame, None where there is none."""
        for side in self.SIDES:
            found = self._look(frame, side)
            usable = [row for row in found if _usable(row[4:8].reshape(2, 2), row[2], frame)]
            if usable:
                return self._face(max(usable, key=lambda row: row[2] * row[3]), frame)
        return None

    def _face(self, row: Float64[np.ndarray, "15"], frame: UInt8[np.ndarray, "H W 3"]) -> Face:
        """The face of a row, with its eyes as the mean of the last two close looks."""
        before = eyes = row[4:8].reshape(2, 2)
        for number, apart in enumerate(self.CLOSE):
            before, eyes = eyes, self._look_closely(frame, eyes, apart)
            if number > 0 and np.abs(eyes - before).max() < self.SETTLED * np.linalg.norm(eyes[1] - eyes[0]):
                break
        eyes = (before + eyes) / 2
        left, right = (tuple(eye) for eye in eyes[np.argsort(eyes[:, 0])].tolist())
        return Face(tuple(row[:4].tolist()), (left, right), float(row[14]), self.kind)

    def _look_closely(
        self, frame: UInt8[np.ndarray, "H W 3"], eyes: Float64[np.ndarray, "2 2"], apart: int
    ) -> Float64[np.ndarray, "2 2"]:
        """The eyes, seen in a square around them in which they are level and this many pixels apart; as they were if no face is seen."""
        side = 2 * self.AROUND * apart
        usual = (side - 1) / 2 + np.array(
            [[-apart / 2, -apart / 2], [apart / 2, -apart / 2]]
        )  # so that the face is in the middle
        onto = similarity_transform(eyes, usual)
        seen = self._look(warp(frame, onto, side, side), side)[:, 4:8].reshape(-1, 2, 2)
        near = [pair for pair in seen if np.abs(pair - usual).max() < 0.75 * apart]
        if not near:
            return eyes
        return transform_points(inverse(onto), min(near, key=lambda pair: np.abs(pair - usual).max()))

    def _network(self, width: int, height: int) -> cv2.FaceDetectorYN:
        """The network for one size of picture, kept: to change the size of one costs as much as to look."""
        if (width, height) not in self._networks:
            if len(self._networks) >= self.KEPT:
                self._networks.clear()
            self._networks[width, height] = cv2.FaceDetectorYN.create(
                str(self.model), "", (width, height), self.SCORE
            )
        return self._networks[width, height]

    def _look(self, frame: UInt8[np.ndarray, "H W 3"], side: int) -> Float64[np.ndarray, "F 15"]:
        """The network's rows, in pixels of the frame: box, five landmarks (eyes first), score."""
        small, back = _shrunk(frame, side)
        down, right = (max(0, self.LEAST - length) for length in small.shape[:2])
        small = cv2.copyMakeBorder(small, 0, down, 0, right, cv2.BORDER_CONSTANT)
        _, found = self._network(small.shape[1], small.shape[0]).detect(
            cv2.cvtColor(small, cv2.COLOR_RGB2BGR)
        )
        if found is None:
            return np.empty((0, 15))
        rows = found.astype(np.float64)
        rows[:, 2:4] *= np.diag(back[:, :2])
        rows[:, :2] = transform_points(back, rows[:, :2])
        for mark in range(4, 14, 2):
            rows[:, mark : mark + 2] = transform_points(back, rows[:, mark : mark + 2])
        return rows


HAAR_CONFIDENCE = (
    0.4,
    0.6,
    0.9,
)  # by how many eyes were seen: the places of the others come from the proportions of the box


class Haar:
    """Viola-Jones cascades that come with OpenCV: frontal face (alt2), then each eye. Needs no file, sees only frontal faces.

    Source: Viola, Jones: Rapid object detection using a boosted cascade of simple features, CVPR 2001.
    """

    kind = "haar"
    SIDE = 320  # longer side of the frame as searched; with 640, letters and textures begin to pass for faces
    # Each search only where those before it show no face: degrees that the frame is turned by; how many windows must agree on a
    # face (textures reached 2 upright and 7 turned, portraits 5 and 23); the smallest face in pixels.
    OWN = 20  # the cascade's own window
    SEARCHES = (((0,), 5, 64), ((0,), 5, OWN), ((-15, 15), 10, OWN), ((-30, 30), 10, OWN))
    EYES = np.array(
        [[0.30, 0.395], [0.68, 0.395]]
    )  # in face boxes; measured on a film of a moving head, sd 0.02 and 0.03
    REACH = 0.2  # an eye is looked for this far around, in face boxes
    PATCH = 64  # pixels: what the eye cascade searches

    def __init__(self) -> None:
        self._face = self._cascade("haarcascade_frontalface_alt2.xml")
        self._eye = self._cascade(
            "haarcascade_eye.xml"
        )  # of the four eye cascades the one that misses fewest, closed eyes too

    def __reduce__(self) -> tuple[type["Haar"], tuple[()]]:
        """Loaded again where a worker process receives it: cascades cannot be copied."""
        return Haar, ()

    @staticmethod
    def _cascade(name: str) -> cv2.CascadeClassifier:
        cascade = cv2.CascadeClassifier(str(Path(cv2.__file__).with_name("data") / name))
        if cascade.empty():
            raise LearnetError(
                f"This OpenCV comes without {name}.",
                "Install opencv-python-headless 4.x, or use --face yunet.",
            )
        return cascade

    def __call__(self, frame: UInt8[np.ndarray, "H W 3"]) -> Face | None:
        """The largest face in an RGB frame, None where there is none."""
        grey = cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY)
        for turns, agree, smallest in self.SEARCHES:
            found = [box for turn in turns if (box := self._search(grey, turn, agree, smallest)) is not None]
            if found:
                face = self._with_eyes(grey, *max(found)[1:])
                return face if _usable(np.array(face.eyes), face.box[2], frame) else None
        return None

    def _search(
        self, grey: UInt8[np.ndarray, "H W"], turn: int, agree: int, smallest: int
    ) -> tuple[int, float, float, float, int] | None:
        """The largest face in the turned frame: windows that agree; x, y of its corner and its width there; the turn."""
        height, width, back = self._turned(grey, turn)
        picture = warp(grey, inverse(back), width, height)
        boxes, agreeing = self._face.detectMultiScale2(picture, 1.1, agree, minSize=(smallest, smallest))
        if not len(boxes):
            return None
        x, y, side, _, together = max(
            ((*box, count) for box, count in zip(boxes, agreeing, strict=True)), key=lambda row: row[2]
        )
        if (
            self.OWN < smallest > 0.8 * side
        ):  # as small as was searched for, so the face may be smaller than this box
            return None
        return int(together), float(x), float(y), float(side), turn

    def _turned(
        self, grey: UInt8[np.ndarray, "H W"], turn: int
    ) -> tuple[int, int, Float64[np.ndarray, "2 3"]]:
        """Height and width of the picture that holds the whole frame shrunk and turned, and the way back to the frame."""
        frame_height, frame_width = grey.shape
        angle, shrink = np.radians(turn), min(1.0, self.SIDE / max(grey.shape))
        cosine, sine = shrink * np.cos(angle), shrink * np.sin(angle)
        width = max(1, round(frame_width * abs(cosine) + frame_height * abs(sine)))
        height = max(1, round(frame_width * abs(sine) + frame_height * abs(cosine)))
        rotation = np.array([[cosine, sine], [-sine, cosine]])
        middle = np.array([width - 1, height - 1]) / 2 - rotation @ (
            np.array([frame_width - 1, frame_height - 1]) / 2
        )
        return height, width, inverse(np.column_stack([rotation, middle]))

    def _with_eyes(self, grey: UInt8[np.ndarray, "H W"], x: float, y: float, side: float, turn: int) -> Face:
        """The face of a box in the turned frame: its eyes where the cascade sees them, else by proportion."""
        *_, back = self._turned(grey, turn)
        usual = np.array([x, y]) + self.EYES * side
        seen = [self._see_eye(grey, back, place, side) for place in usual]
        offsets = [eye - place for eye, place in zip(seen, usual, strict=True) if eye is not None]
        shift = (
            np.mean(offsets, axis=0) if offsets else np.zeros(2)
        )  # one eye seen: the other is off by as much
        eyes = np.array(
            [place + shift if eye is None else eye for eye, place in zip(seen, usual, strict=True)]
        )
        across, down = eyes[1] - eyes[0]
        if not (
            0.25 * side < across < 0.55 * side and abs(down) < 0.5 * across
        ):  # a brow or a nostril was taken for an eye
            eyes, offsets = usual, []
        centre = transform_points(back, np.array([[x, y]]) + side / 2)[0]
        width = side * np.linalg.norm(back[:, 0])
        left, right = (tuple(eye) for eye in transform_points(back, eyes).tolist())
        box = (float(centre[0] - width / 2), float(centre[1] - width / 2), float(width), float(width))
        return Face(box, (left, right), HAAR_CONFIDENCE[len(offsets)], self.kind)

    def _see_eye(
        self,
        grey: UInt8[np.ndarray, "H W"],
        back: Float64[np.ndarray, "2 3"],
        usual: Float64[np.ndarray, "2"],
        side: float,
    ) -> Float64[np.ndarray, "2"] | None:
        """Centre of the eye near its usual place, in the turned frame; searched in the frame's own resolution."""
        corners = np.array([usual - self.REACH * side, usual + self.REACH * side])
        onto = similarity_transform(corners, np.array([[-0.5, -0.5], [self.PATCH - 0.5, self.PATCH - 0.5]]))
        patch = warp(grey, compose(onto, inverse(back)), self.PATCH, self.PATCH)
        boxes, agree = self._eye.detectMultiScale2(patch, 1.1, 2, minSize=(22, 22))
        if not len(boxes):
            return None
        x, y, width, height = boxes[int(np.argmax(agree))]
        return transform_points(inverse(onto), np.array([[x + (width - 1) / 2, y + (height - 1) / 2]]))[0]
