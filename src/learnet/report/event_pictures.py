"""Small pictures of the events of a video: the face at onset and apex, and how the skin moved in between."""

from collections.abc import Sequence
from pathlib import Path

import matplotlib as mpl
import numpy as np
from jaxtyping import Bool, Float64
from matplotlib.figure import Figure

from learnet.core.figure_style import INK, MUTED, STYLE
from learnet.core.records import Event
from learnet.face import Face
from learnet.inference.event_maps import CROP_PX, MeasuredPair, measure_pair
from learnet.inference.prediction import Prediction
from learnet.motion.evidence import FACE_CENTRE, FACE_RADII
from learnet.report.explain.background import CELLS, coarsen, draw_average_face
from learnet.report.explain.face_regions import face_placement
from learnet.video.reader import open_video

LONGEST_ARROW = 2.5  # cells of the map
SHORTEST_SHARE = 0.15  # of the longest arrow; shorter ones are mostly noise and are not drawn


def event_pictures(
    video: Path, fps: float, events: Sequence[Event], predictions: Sequence[Prediction]
) -> list[MeasuredPair]:
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
        pictures.append(measure_pair(pair, _face_of(event, predictions)))
    return pictures


def _face_of(event: Event, predictions: Sequence[Prediction]) -> Face | None:
    """Return the face in the window that contains the apex; None where frames are face crops."""
    for prediction in predictions:
        if prediction.first <= event.apex <= prediction.last and prediction.face:
            return prediction.face
    return None


def movement_figure(pictures: MeasuredPair) -> Figure:
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
