"""Coarse maps of an event, which show nobody: how the skin moved, and what the network responded to."""

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Float32, UInt8

from learnet.face import Face, align
from learnet.motion.detrend import StoredImages
from learnet.motion.flow import flow_dis, remove_global_motion
from learnet.training.scorer import Scorer

CROP_PX = 224  # height and width of the crops in which movement is measured
UNIT_PX = 112  # width of the crops whose pixels are the unit of movement everywhere
MOVEMENT_CELLS = 14  # of the map of the movement; finer maps can show the edges of the face of the person
RESPONSE_CELLS = 7  # of the map of the response, in each direction
OCCLUDED_CELLS = 2  # width of the square that is hidden around each
MIN_ODDS = 1e-9  # scores nearer to 0 or 1 count as this


@dataclass(frozen=True)
class EventMaps:
    """Maps of one event over its face crop."""

    # From onset to apex, without the motion of the head: (x, y) in pixels of a crop UNIT_PX wide.
    movement: Float32[np.ndarray, "C C 2"]
    # By how much the log-odds of the highest score fall where the motion there is hidden; None: no scores.
    response: Float32[np.ndarray, "R R"] | None


@dataclass(frozen=True)
class MeasuredPair:
    """The face at the onset and the apex of an event, and how it moved in between."""

    onset: UInt8[np.ndarray, "S S 3"]  # RGB
    apex: UInt8[np.ndarray, "S S 3"]
    movement: Float32[np.ndarray, "S S 2"]  # (x, y) in pixels of a crop UNIT_PX wide, without head motion
    cropped: bool  # whether the frames show nothing but a face crop


class _KnownFace:
    """A face finder that returns a face that is known already."""

    def __init__(self, face: Face) -> None:
        self.face = face
        self.kind = face.finder

    def __call__(self, frame: UInt8[np.ndarray, "H W 3"]) -> Face:
        return self.face


def measure_pair(pair: UInt8[np.ndarray, "2 H W 3"], face: Face | None) -> MeasuredPair:
    """Measure the movement of the skin between two frames.

    Args:
        pair: frames at the onset and at the apex.
        face: in the first; None: the frames are face crops.
    """
    finder = None if face is None else _KnownFace(face)
    onset, apex = align(pair, finder, CROP_PX).crops(pair)
    movement = remove_global_motion(flow_dis(onset, apex))
    return MeasuredPair(onset, apex, movement * np.float32(UNIT_PX / CROP_PX), cropped=face is None)


def coarse_movement(pair: UInt8[np.ndarray, "2 H W 3"], face: Face | None) -> Float32[np.ndarray, "C C 2"]:
    """Return the movement of the skin between two frames as means over cells; see `measure_pair`."""
    movement = measure_pair(pair, face).movement
    cells = (MOVEMENT_CELLS, MOVEMENT_CELLS)
    return cv2.resize(np.ascontiguousarray(movement), cells, interpolation=cv2.INTER_AREA)


def response_map(scorer: Scorer, image: UInt8[np.ndarray, "S S 3"]) -> Float32[np.ndarray, "R R"]:
    """Compute by how much the log-odds of the highest score fall where the motion around a cell is hidden.

    Log-odds, unlike probabilities, also fall where the network is very sure. What is hidden gets the median
    of each channel, the value where nothing moves. This needs no gradient, so it works for networks of ONNX
    too.

    Args:
        scorer: gives the scores.
        image: prepared image, 0..255.

    Returns:
        Differences of the natural log-odds; negative where they rise without the square.

    References:
        Zeiler and Fergus, Visualizing and Understanding Convolutional Networks, ECCV 2014.
    """
    size = image.shape[0]
    cell = size / RESPONSE_CELLS
    margin = (OCCLUDED_CELLS - 1) / 2 * cell
    still = np.median(image, axis=(0, 1)).astype(np.uint8)
    images = np.repeat(image[None], 1 + RESPONSE_CELLS**2, axis=0)
    for index in range(RESPONSE_CELLS**2):
        row, column = divmod(index, RESPONSE_CELLS)
        top, bottom = round(max(0.0, row * cell - margin)), round((row + 1) * cell + margin)
        left, right = round(max(0.0, column * cell - margin)), round((column + 1) * cell + margin)
        images[1 + index, top:bottom, left:right] = still
    scores = scorer.scores(StoredImages(images))
    of_class = scores[:, scores[0].argmax()].clip(MIN_ODDS, 1 - MIN_ODDS)
    log_odds = np.log(of_class / (1 - of_class))
    falls = log_odds[0] - log_odds[1:]
    return falls.reshape(RESPONSE_CELLS, RESPONSE_CELLS).astype(np.float32)
