"""Face detection by the YuNet network, which needs a model file (`learnet face-model`)."""

from pathlib import Path

import cv2
import numpy as np
from jaxtyping import Float64, UInt8

from learnet.core.errors import BadInput
from learnet.face.geometry import inverse, similarity_transform, transform_points, warp
from learnet.face.records import MIN_WIDTH_SHARE, Face, by_size, eyes_are_usable


class YuNet:
    """The YuNet network (`cv2.FaceDetectorYN`), of whose five landmarks the eyes are used.

    The eyes of the first detection are off by 5 % of their distance, and by half of it where the head is
    tilted by 30 degrees. So the face is rotated upright, scaled and detected again until the eyes stay; then
    they are off by 3 %.

    Source: Wu, Peng, Yu: YuNet, a tiny millisecond-level face detector, Machine Intelligence Research 20
    (2023).
    """

    kind = "yunet"
    # Lowest score of a face. Textures, an animal and letters reached 0.60; a portrait rotated by 90 degrees
    # has 0.79.
    MIN_SCORE = 0.7
    # Longer side of the searched frame in pixels; the larger is used only where the smaller shows no face.
    SEARCH_PX = (256, 640)
    # Distance of the eyes in pixels in each of the repeated detections.
    REFINED_EYE_DISTANCES_PX = (40, 48, 40, 48)
    # Half width of the square of a repeated detection, in distances of the eyes.
    REFINED_HALF_WIDTH = 2
    # Repetition stops when the eyes moved by less than this, in distances of the eyes.
    CONVERGED = 0.07
    # Networks that are kept, one for each size of picture; a clip needs three.
    MAX_NETWORKS = 8
    # OpenCV returns meaningless numbers for pictures as small as one cell of the network (32 pixels).
    MIN_PICTURE_PX = 64

    def __init__(self, model: Path) -> None:
        self.model = model
        self._networks: dict[tuple[int, int], cv2.FaceDetectorYN] = {}
        side = self.MIN_PICTURE_PX
        try:
            self._network(side, side).detect(np.zeros((side, side, 3), np.uint8))
        except cv2.error as error:  # OpenCV only says that an assertion failed
            raise BadInput(
                model,
                "this is not a YuNet model that OpenCV can read",
                "`learnet face-model` downloads one.",
            ) from error

    def __reduce__(self) -> tuple[type["YuNet"], tuple[Path]]:
        """Load the model again where a worker process receives it: the network itself cannot be copied."""
        return YuNet, (self.model,)

    def __call__(self, frame: UInt8[np.ndarray, "H W 3"]) -> Face | None:
        """Return the largest face in an RGB frame, or None where there is none."""
        detections = self._usable_detections(frame)
        if not detections:
            return None
        largest = max(detections, key=lambda detection: detection[2] * detection[3])
        return self._refine(largest, frame)

    def faces(self, frame: UInt8[np.ndarray, "H W 3"]) -> list[Face]:
        """Return the faces in an RGB frame that are at least half as wide as the largest, which is first."""
        detections = self._usable_detections(frame)
        widest = max((detection[2] for detection in detections), default=0.0)
        large = [detection for detection in detections if detection[2] >= MIN_WIDTH_SHARE * widest]
        return by_size(self._refine(detection, frame) for detection in large)

    def _usable_detections(self, frame: UInt8[np.ndarray, "H W 3"]) -> list[Float64[np.ndarray, "15"]]:
        """Return the faces that can be aligned, from the smallest search that shows any."""
        for side in self.SEARCH_PX:
            usable = []
            for detection in self._detect(frame, side):
                eyes = detection[4:8].reshape(2, 2)
                if eyes_are_usable(eyes, detection[2], frame):
                    usable.append(detection)
            if usable:
                return usable
        return []

    def _refine(self, detection: Float64[np.ndarray, "15"], frame: UInt8[np.ndarray, "H W 3"]) -> Face:
        """Return the face of a detection, with its eyes as the mean of the last two repeated detections."""
        previous = eyes = detection[4:8].reshape(2, 2)
        for repetition, eye_distance_px in enumerate(self.REFINED_EYE_DISTANCES_PX):
            previous = eyes
            eyes = self._detect_upright(frame, eyes, eye_distance_px)
            change = np.abs(eyes - previous).max()
            if repetition > 0 and change < self.CONVERGED * np.linalg.norm(eyes[1] - eyes[0]):
                break
        eyes = (previous + eyes) / 2
        left, right = eyes[np.argsort(eyes[:, 0])].tolist()
        box = tuple(detection[:4].tolist())
        return Face(box, (tuple(left), tuple(right)), float(detection[14]), self.kind)

    def _detect_upright(
        self, frame: UInt8[np.ndarray, "H W 3"], eyes: Float64[np.ndarray, "2 2"], eye_distance_px: int
    ) -> Float64[np.ndarray, "2 2"]:
        """Detect the eyes again in a square around them in which they are level and a given distance apart.

        Where no face is detected there, the eyes are returned unchanged.
        """
        side = 2 * self.REFINED_HALF_WIDTH * eye_distance_px
        half = eye_distance_px / 2
        # The eyes above the middle, so that the middle of the face is in the middle of the square.
        offsets = np.array([[-half, -half], [half, -half]])
        expected = (side - 1) / 2 + offsets
        to_square = similarity_transform(eyes, expected)
        square = warp(frame, to_square, side, side)
        detections = self._detect(square, side)
        nearest = None
        smallest_error = 0.75 * eye_distance_px
        for detected_eyes in detections[:, 4:8].reshape(-1, 2, 2):
            error = np.abs(detected_eyes - expected).max()
            if error < smallest_error:
                nearest = detected_eyes
                smallest_error = error
        if nearest is None:
            return eyes
        return transform_points(inverse(to_square), nearest)

    def _network(self, width: int, height: int) -> cv2.FaceDetectorYN:
        """Return the network for a size of picture; to change its size would cost as much as a detection."""
        size = (width, height)
        if size not in self._networks:
            if len(self._networks) >= self.MAX_NETWORKS:
                self._networks.clear()
            self._networks[size] = cv2.FaceDetectorYN.create(
                model=str(self.model),
                config="",
                input_size=size,
                score_threshold=self.MIN_SCORE,
            )
        return self._networks[size]

    def _detect(self, frame: UInt8[np.ndarray, "H W 3"], side: int) -> Float64[np.ndarray, "F 15"]:
        """Detect faces in a frame whose longer side is reduced to `side` pixels.

        Returns:
            One row for each face, in pixels of the frame: box, five landmarks (eyes first), score.
        """
        small, to_frame = _shrink(frame, side)
        height, width = small.shape[:2]
        bottom = max(0, self.MIN_PICTURE_PX - height)
        right = max(0, self.MIN_PICTURE_PX - width)
        padded = cv2.copyMakeBorder(small, 0, bottom, 0, right, cv2.BORDER_CONSTANT)
        padded_height, padded_width = padded.shape[:2]
        network = self._network(padded_width, padded_height)
        bgr = cv2.cvtColor(padded, cv2.COLOR_RGB2BGR)
        _, detections = network.detect(bgr)
        if detections is None:
            return np.empty((0, 15))
        rows = detections.astype(np.float64)
        scale = np.diag(to_frame[:, :2])
        rows[:, 2:4] *= scale
        for column in (0, *range(4, 14, 2)):  # corner of the box, landmarks
            point = slice(column, column + 2)
            rows[:, point] = transform_points(to_frame, rows[:, point])
        return rows


def _shrink(
    frame: UInt8[np.ndarray, "H W *C"], side: int
) -> tuple[UInt8[np.ndarray, "h w *C"], Float64[np.ndarray, "2 3"]]:
    """Return the frame with its longer side at most `side`, and the transform back to the frame."""
    frame_height, frame_width = frame.shape[:2]
    factor = min(1.0, side / max(frame_height, frame_width))
    height = max(1, round(frame_height * factor))
    width = max(1, round(frame_width * factor))
    small = cv2.resize(frame, (width, height), interpolation=cv2.INTER_AREA)
    scale = np.array([frame_width / width, frame_height / height])
    # Whole numbers are pixel centres: (x + 1/2) * scale - 1/2.
    return small, np.column_stack([np.diag(scale), scale / 2 - 0.5])
