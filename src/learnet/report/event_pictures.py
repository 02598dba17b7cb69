"""Small pictures of the events of a video: the face at onset and apex, and how the skin moved in between."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import matplotlib as mpl
import numpy as np
from jaxtyping import Bool, Float32, Float64, UInt8
from matplotlib.figure import Figure

from learnet.core.figure_style import INK, MUTED, STYLE
from learnet.core.records import Event
from learnet.face import Face, align
from learnet.inference.prediction import Prediction
from learnet.motion.evidence import FACE_CENTRE, FACE_RADII
from learnet.motion.flow import flow_dis, remove_global_motion
from learnet.report.explain.background import CELLS, coarsen, draw_average_face
from learnet.report.explain.face_regions import face_placement
from learnet.video.reader import open_video

CROP_PX = 224  # height and width of the crops in which movement is measured
UNIT_PX = 112  # width of the crops whose pixels are the unit of movement everywhere
LONGEST_ARROW = 2.5  # cells of the map
SHORTEST_SHARE = 0.15  # of the longest arrow; shorter ones are mostly noise and are not drawn


@dataclass(frozen=True)
class EventPictures:
    """The face at the onset and the apex of an event, and how it moved in between."""

    onset: UInt8[np.ndarray, "S S 3"]  # RGB
    apex: UInt8[np.ndarray, "S S 3"]
    movement: Float32[np.ndarray, "S S 2"]  # (x, y) in pixels of a crop UNIT_PX wide, without head motion
    cropped: bool  # whether the video shows nothing but a face crop


class _KnownFace:
    """A face finder that returns a face that is known already."""

    def __init__(self, face: Face) -> None:
        self.face = face
        self.kind = face.finder

    def __call__(self, frame: UInt8[np.ndarray, "H W 3"]) -> Face:
        return self.face


def event_pictures(
    video: Path, fps: float, events: Sequence[Event], predictions: Sequence[Prediction]
) -> list[EventPictures]:
    """Read the pictures of events from their video.

    Args:
        video: that was recognised.
        fps: its frame rate.
        events: that were found in it.
        predictions: of all windows, which know where the face is.

    Raises:
        BadVideo: the video can no longer be read.
    """
    wanted = {number for event in events for number in (event.onset, event.apex)}
    frames = {}
    with open_video(video, fps) as opened:
        for frame in opened:
            if frame.number in wanted:
                frames[frame.number] = frame.pixels.copy()
            if len(frames) == len(wanted):
                break
    pictures = []
    for event in events:
        pair = np.stack([frames[event.onset], frames[event.apex]])
        pictures.append(_pictures(pair, _face_of(event, predictions)))
    return pictures


def _face_of(event: Event, predictions: Sequence[Prediction]) -> Face | None:
    """Return the face in the window that contains the apex; None where frames are face crops."""
    for prediction in predictions:
        if prediction.first <= event.apex <= prediction.last and prediction.face:
            return prediction.face
    return None


def _pictures(pair: UInt8[np.ndarray, "2 H W 3"], face: Face | None) -> EventPictures:
    finder = None if face is None else _KnownFace(face)
    onset, apex = align(pair, finder, CROP_PX).crops(pair)
    movement = remove_global_motion(flow_dis(onset, apex))
    return EventPictures(onset, apex, movement * np.float32(UNIT_PX / CROP_PX), cropped=face is None)


def movement_figure(pictures: EventPictures) -> Figure:
    """Draw arrows of the movement over the average face, so that the picture shows nobody.

    The arrows are enlarged; the caption says how long the longest really is.
    """
    cells = CROP_PX / CELLS
    u, v = (coarsen(np.ascontiguousarray(pictures.movement[..., axis])) for axis in (0, 1))
    lengths = np.hypot(u, v)
    centres = (np.arange(CELLS) + 0.5) * cells - 0.5
    x, y = np.meshgrid(centres, centres)
    in_face = _face_ellipse(x / CROP_PX, y / CROP_PX)
    longest = float(lengths[in_face].max()) or 1.0
    shown = in_face & (lengths >= SHORTEST_SHARE * longest)
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(1.5, 1.68), layout="constrained")
        axes = figure.add_subplot()
        draw_average_face(axes, face_placement("given" if pictures.cropped else "found", CROP_PX))
        axes.quiver(
            x[shown],
            y[shown],
            u[shown],
            v[shown],
            angles="xy",
            scale_units="xy",
            scale=longest / (LONGEST_ARROW * cells),
            color=INK,
            width=0.011,
        )
        axes.set_axis_off()
        figure.supxlabel(f"longest arrow: {longest:.1f} px", size=7.5, color=MUTED)
    return figure


def _face_ellipse(x: Float64[np.ndarray, "N N"], y: Float64[np.ndarray, "N N"]) -> Bool[np.ndarray, "N N"]:
    """Return where a crop shows the face and not the background, as `motion.evidence` assumes it."""
    across = (x - FACE_CENTRE[0]) / FACE_RADII[0]
    along = (y - FACE_CENTRE[1]) / FACE_RADII[1]
    return np.hypot(across, along) <= 1
