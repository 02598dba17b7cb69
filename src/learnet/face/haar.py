"""Face detection by the Viola-Jones cascades that come with OpenCV, which need no model file."""

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from jaxtyping import Float64, UInt8

from learnet.core.errors import LearnetError
from learnet.face.geometry import compose, inverse, similarity_transform, transform_points, warp
from learnet.face.records import Face, by_size, eyes_are_usable

# Confidence of a face by the number of eyes that were detected (0, 1, 2). The positions of the others follow
# from the proportions of the box.
HAAR_CONFIDENCE = (0.4, 0.6, 0.9)


@dataclass(frozen=True)
class _Search:
    """One search of a frame for faces."""

    rotations_deg: tuple[int, ...]  # the frame is rotated by each of these
    min_windows: int  # windows that must agree on a face
    min_face_px: int  # smallest face


@dataclass(frozen=True)
class _Detection:
    """A face box in the rotated frame."""

    windows: int  # that agreed
    x: float  # upper left corner
    y: float
    side: float  # width and height
    rotation_deg: int  # of the frame

    @property
    def rank(self) -> tuple[int, float, float, float, int]:
        """Key by which the best detection is the largest."""
        return self.windows, self.x, self.y, self.side, self.rotation_deg


class Haar:
    """Viola-Jones cascades: frontal face (alt2), then each eye. Detects frontal faces only.

    Source: Viola, Jones: Rapid object detection using a boosted cascade of simple features, CVPR 2001.
    """

    kind = "haar"
    # Longer side of the searched frame in pixels; at 640, letters and textures begin to pass for faces.
    SEARCH_PX = 320
    # The cascade's own window in pixels.
    WINDOW_PX = 20
    # Each search runs only where those before it find no face. Textures reached 2 agreeing windows upright
    # and 7 rotated, portraits 5 and 23.
    SEARCHES = (
        _Search((0,), 5, 64),
        _Search((0,), 5, WINDOW_PX),
        _Search((-15, 15), 10, WINDOW_PX),
        _Search((-30, 30), 10, WINDOW_PX),
    )
    # Usual positions of the eyes in face boxes, measured on a video of a moving head (standard deviation 0.02
    # and 0.03).
    EYES = np.array([[0.30, 0.395], [0.68, 0.395]])
    # An eye is searched this far around its usual position, in face boxes.
    EYE_RADIUS = 0.2
    # Side of the patch in which an eye is searched, in pixels.
    EYE_PATCH_PX = 64

    def __init__(self) -> None:
        self._face = self._cascade("haarcascade_frontalface_alt2.xml")
        # Of the four eye cascades this one misses the fewest eyes, also closed ones.
        self._eye = self._cascade("haarcascade_eye.xml")

    def __reduce__(self) -> tuple[type["Haar"], tuple[()]]:
        """Load the cascades again where a worker process receives them: they cannot be copied."""
        return Haar, ()

    @staticmethod
    def _cascade(name: str) -> cv2.CascadeClassifier:
        cascade = cv2.CascadeClassifier(str(Path(cv2.__file__).with_name("data") / name))
        if cascade.empty():
            raise LearnetError(
                f"This OpenCV comes without {name}.",
                "Install opencv-python-headless 4.x, or choose the face finder yunet (--face yunet).",
            )
        return cascade

    def __call__(self, frame: UInt8[np.ndarray, "H W 3"]) -> Face | None:
        """Return the largest face in an RGB frame, or None where there is none."""
        grey = cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY)
        detections = self._search(grey)
        if not detections:
            return None
        face = self._with_eyes(grey, detections[0])
        return face if eyes_are_usable(np.array(face.eyes), face.box[2], frame) else None

    def faces(self, frame: UInt8[np.ndarray, "H W 3"]) -> list[Face]:
        """Return the faces in an RGB frame that are at least half as wide as the largest, which is first."""
        grey = cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY)
        faces = [self._with_eyes(grey, detection) for detection in self._search(grey)]
        return by_size(face for face in faces if eyes_are_usable(np.array(face.eyes), face.box[2], frame))

    def _search(self, grey: UInt8[np.ndarray, "H W"]) -> list[_Detection]:
        """Return the faces of the first search that finds any, the best first, all in one rotation."""
        for search in self.SEARCHES:
            found = [self._detect(grey, rotation_deg, search) for rotation_deg in search.rotations_deg]
            rotations = [detections for detections in found if detections]
            if rotations:
                return max(rotations, key=lambda detections: detections[0].rank)
        return []

    def _detect(self, grey: UInt8[np.ndarray, "H W"], rotation_deg: int, search: _Search) -> list[_Detection]:
        """Return the faces in the rotated frame, the largest first."""
        height, width, to_frame = self._rotate(grey, rotation_deg)
        picture = warp(grey, inverse(to_frame), width, height)
        smallest = search.min_face_px
        boxes, window_counts = self._face.detectMultiScale2(
            picture,
            scaleFactor=1.1,
            minNeighbors=search.min_windows,
            minSize=(smallest, smallest),
        )
        detections = []
        for (x, y, side, _), windows in zip(boxes, window_counts, strict=True):
            detections.append(_Detection(int(windows), float(x), float(y), float(side), rotation_deg))
        detections.sort(key=lambda detection: detection.side, reverse=True)
        if detections and self.WINDOW_PX < smallest > 0.8 * detections[0].side:
            return []  # about the smallest size searched, so the face may be smaller than this box
        return detections

    def _rotate(
        self, grey: UInt8[np.ndarray, "H W"], rotation_deg: int
    ) -> tuple[int, int, Float64[np.ndarray, "2 3"]]:
        """Return the size of a picture that holds the whole frame, reduced and rotated, and the way back.

        Returns:
            Height, width, and the transform from the picture to the frame.
        """
        frame_height, frame_width = grey.shape
        angle = np.radians(rotation_deg)
        scale = min(1.0, self.SEARCH_PX / max(grey.shape))
        cosine, sine = scale * np.cos(angle), scale * np.sin(angle)
        width = max(1, round(frame_width * abs(cosine) + frame_height * abs(sine)))
        height = max(1, round(frame_width * abs(sine) + frame_height * abs(cosine)))
        rotation = np.array([[cosine, sine], [-sine, cosine]])
        frame_centre = np.array([frame_width - 1, frame_height - 1]) / 2
        shift = np.array([width - 1, height - 1]) / 2 - rotation @ frame_centre
        return height, width, inverse(np.column_stack([rotation, shift]))

    def _with_eyes(self, grey: UInt8[np.ndarray, "H W"], detection: _Detection) -> Face:
        """Return the face of a detection, its eyes as detected, otherwise by the proportions of the box."""
        *_, to_frame = self._rotate(grey, detection.rotation_deg)
        corner, side = np.array([detection.x, detection.y]), detection.side
        expected = corner + self.EYES * side
        eyes, eyes_seen = self._eyes(grey, to_frame, expected, side)
        centre_x, centre_y = transform_points(to_frame, corner[None] + side / 2)[0]
        width = float(side * np.linalg.norm(to_frame[:, 0]))
        left, right = transform_points(to_frame, eyes).tolist()
        return Face(
            box=(float(centre_x - width / 2), float(centre_y - width / 2), width, width),
            eyes=(tuple(left), tuple(right)),
            confidence=HAAR_CONFIDENCE[eyes_seen],
            finder=self.kind,
        )

    def _eyes(
        self,
        grey: UInt8[np.ndarray, "H W"],
        to_frame: Float64[np.ndarray, "2 3"],
        expected: Float64[np.ndarray, "2 2"],
        side: float,
    ) -> tuple[Float64[np.ndarray, "2 2"], int]:
        """Return both eyes in the rotated frame, and how many of them were detected."""
        detected = [self._detect_eye(grey, to_frame, position, side) for position in expected]
        offsets = []
        for eye, position in zip(detected, expected, strict=True):
            if eye is not None:
                offsets.append(eye - position)
        # Where one eye was detected, the other is assumed to be off by as much.
        shift = np.mean(offsets, axis=0) if offsets else np.zeros(2)
        eyes = expected + shift
        for index, eye in enumerate(detected):
            if eye is not None:
                eyes[index] = eye
        across, down = eyes[1] - eyes[0]
        if 0.25 * side < across < 0.55 * side and abs(down) < 0.5 * across:
            return eyes, len(offsets)
        return expected, 0  # a brow or a nostril was taken for an eye

    def _detect_eye(
        self,
        grey: UInt8[np.ndarray, "H W"],
        to_frame: Float64[np.ndarray, "2 3"],
        expected: Float64[np.ndarray, "2"],
        side: float,
    ) -> Float64[np.ndarray, "2"] | None:
        """Return the centre of the eye near its expected position in the rotated frame, or None.

        It is searched in the resolution of the frame.
        """
        radius = self.EYE_RADIUS * side
        edge = self.EYE_PATCH_PX - 0.5
        corners = np.array([expected - radius, expected + radius])
        to_patch = similarity_transform(corners, np.array([[-0.5, -0.5], [edge, edge]]))
        frame_to_patch = compose(to_patch, inverse(to_frame))
        patch = warp(grey, frame_to_patch, self.EYE_PATCH_PX, self.EYE_PATCH_PX)
        boxes, window_counts = self._eye.detectMultiScale2(patch, 1.1, 2, minSize=(22, 22))
        if not len(boxes):
            return None
        x, y, width, height = boxes[int(np.argmax(window_counts))]
        centre = np.array([[x + (width - 1) / 2, y + (height - 1) / 2]])
        return transform_points(inverse(to_patch), centre)[0]
