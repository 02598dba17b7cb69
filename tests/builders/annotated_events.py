"""Events for annotation files: overlapping, recognised, without duration, of several sources."""

from learnet.core.records import ActionUnitScore, Event
from learnet.datasets.annotations.record import Recording

RECORDING = Recording(fps=200.0, frames=1000, name="film.mp4")


def event(onset: int, apex: int, offset: int, fps: float = 200.0, **fields: object) -> Event:
    """Return an event at a constant frame rate."""
    return Event(onset, apex, offset, onset / fps, apex / fps, offset / fps, **fields)  # type: ignore[arg-type]


EVENTS = (
    event(
        *(10, 15, 30),
        label="negative",
        score=0.83,
        action_units=(ActionUnitScore(12, "left", None), ActionUnitScore(4, "both", None)),
        regions=("left brow", "lips"),
    ),
    event(20, 26, 160, source="coder"),  # overlaps the first, by another source
    event(24, 28, 60),  # overlaps the first, by the same source
    event(400, 410, 420, is_blink=True, source="a & b <c>"),
    event(600, 600, 600, label="others"),
)
"""In time order, at 200 frames a second."""
