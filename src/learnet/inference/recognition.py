"""All predictions for one video, and their form as JSON and CSV."""

import csv
import io
import json
from dataclasses import asdict, dataclass, field
from functools import cached_property
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np

from learnet.core.errors import counted
from learnet.core.records import Event, UnjudgedStretch
from learnet.core.settings import Windows
from learnet.inference.action_unit_text import UNIT_COLUMNS, facs_code, unit_cells, unit_columns, unit_to_dict
from learnet.inference.emotion_criteria import emotions_from_units
from learnet.inference.events import find_events, unjudged_stretches
from learnet.inference.prediction import Prediction, WindowImages
from learnet.inference.timeline import Span, Timeline, timeline_figure
from learnet.training.metadata import CheckpointMetadata
from learnet.video.base import VideoInfo

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

WINDOW_COLUMNS = (
    *("window", "start_s", "end_s", "first", "last", "frames"),
    *("onset", "apex", "offset", "label", "score"),
)
FACE_COLUMNS = ("face_x", "face_y", "face_width", "face_height", "head_px")
MOTION_COLUMNS = ("skin_px", "limit_px")
LAST_COLUMNS = ("reason", "warnings")
EVENT_COLUMNS = (
    *("onset", "apex", "offset", "onset_s", "apex_s", "offset_s"),
    *("kind", "label", "score", "strength_px", "reason"),
)
SUMMARY_KEYS = ("window", "start_s", "end_s", "label", "score", "reason")


@dataclass(frozen=True)
class Recognition:
    """All predictions for one video."""

    source: str
    info: VideoInfo
    frames: int  # number of readable frames
    duration_s: float
    weights: str  # file of the network
    metadata: CheckpointMetadata  # of that file
    windows: Windows
    predictions: tuple[Prediction, ...]  # in time order
    warnings: tuple[str, ...]  # about the video as a whole
    strongest_images: WindowImages = field(repr=False, compare=False)  # of the strongest window
    action_unit_metadata: CheckpointMetadata | None = None  # None: no action units were scored
    action_unit_weights: str = ""  # file of the network of action units

    @property
    def ranking(self) -> tuple[Prediction, ...]:
        """The windows with a label, by descending strength; the earlier of equal ones first."""
        labelled = [prediction for prediction in self.predictions if prediction.label is not None]
        labelled.sort(key=lambda prediction: (-prediction.strength, prediction.window))
        return tuple(labelled)

    @property
    def strongest(self) -> Prediction:
        """The first of the ranking; without one, the first window that shows a face."""
        if self.ranking:
            return self.ranking[0]
        return next(prediction for prediction in self.predictions if prediction.motion is not None)

    @property
    def units(self) -> tuple[int, ...]:
        """Numbers of the action units that were scored."""
        metadata = self.action_unit_metadata
        return metadata.action_units.units if metadata and metadata.action_units else ()

    @property
    def label(self) -> str | None:
        """Label of the strongest window; None where no window can be judged."""
        return self.strongest.label

    @cached_property
    def events(self) -> tuple[Event, ...]:
        """The movements in which an expression was recognised, in time order (`events.find_events`)."""
        return find_events(self.predictions)

    @cached_property
    def unjudged(self) -> tuple[UnjudgedStretch, ...]:
        """The stretches of the video that cannot be judged, in time order."""
        return unjudged_stretches(self.predictions)

    def __repr__(self) -> str:
        video = f"{self.source}, {self.duration_s:.2f} s"
        events = counted(len(self.events), "event")
        unjudged = "nothing"
        if self.unjudged:
            unjudged = counted(len(self.unjudged), "stretch", "stretches")
        return f"<Recognition of {video}: {events}, {unjudged} unjudged>"

    def _repr_html_(self) -> str:
        """Return the events as a table for notebooks, below the timeline."""
        scores_of_units = unit_columns(self.units)[len(UNIT_COLUMNS) :]  # too many columns for a notebook
        events = self.to_dataframe().drop(columns=scores_of_units)
        table = events.round(3).to_html(index=False, border=0)
        if not self.events:
            table = "<p>No expression.</p>"
        picture = io.BytesIO()
        self.plot().savefig(picture, format="svg")
        return f"<p>{escape(repr(self))}</p>{picture.getvalue().decode()}{table}"

    def plot(self) -> "Figure":
        """Draw events, scores and unjudged stretches over time."""
        return timeline_figure(timeline(self))

    def to_json(self) -> str:
        """Return everything except images: events, ranked summary, windows in time order."""
        strongest = self.strongest.to_dict()
        ranked = [prediction.to_dict() for prediction in self.ranking]
        content = {
            "video": self.source,
            "label": strongest["label"],
            "score": strongest["score"],
            "reason": strongest["reason"],
            "fps": round(self.info.fps, 4),
            "frames": self.frames,
            "duration_s": round(self.duration_s, 4),
            "warnings": list(self.warnings),
            "events": [_event_to_dict(event) for event in self.events],
            "unjudged": [_stretch_to_dict(stretch) for stretch in self.unjudged],
            "summary": [{key: record[key] for key in SUMMARY_KEYS} for record in ranked],
            "cut": asdict(self.windows),
            "network": self.metadata.to_dict(self.weights),
            "action_unit_network": _unit_network_to_dict(self),
            "answers": [prediction.to_dict() for prediction in self.predictions],
        }
        return _format_json(content)

    def to_csv(self) -> str:
        """Return a row per window in time order; cells without a value are empty.

        There is a column with the probability of each class, and of each action unit (`AU4`). `action_units`
        has the named units as FACS coders write them, `4+L10`.
        """
        text = io.StringIO()
        rows = csv.writer(text, lineterminator="\n")
        rows.writerow(window_columns(self.metadata.classes, self.units))
        for prediction in self.predictions:
            rows.writerow(window_row(prediction, self.metadata.classes, self.units))
        return text.getvalue()

    def to_dataframe(self, windows: bool = False) -> "pd.DataFrame":
        """Return a table with a row per event, or per window.

        Args:
            windows: a row per window, with the columns of `to_csv`.

        Returns:
            Times in seconds since the first frame; a column per class with its probability; `action_units`
            with the named units, `4+L10`, and a column per unit with its probability, `AU4`.
        """
        import pandas as pd  # here: it takes half a second to load, and predictions do not need it

        if windows:
            return pd.read_csv(io.StringIO(self.to_csv()), keep_default_na=False, na_values=[""])
        rows = []
        for event in self.events:
            record = _event_to_dict(event)
            columns = unit_columns(self.units)
            cells = unit_cells(event.action_units, event.action_unit_scores, self.units)
            rows.append({**record, **record["emotions"], **dict(zip(columns, cells, strict=True))})
        return pd.DataFrame(rows, columns=[*EVENT_COLUMNS, *self.metadata.classes, *unit_columns(self.units)])


def timeline(recognition: Recognition) -> Timeline:
    """Return what the timeline of a recognition shows."""
    answered = recognition.predictions
    times_s = np.array([(prediction.start_s + prediction.end_s) / 2 for prediction in answered])
    scores = {}
    for name in recognition.metadata.classes:
        scores[name] = np.array([prediction.scores.get(name, np.nan) for prediction in answered])
    events = []
    for event in recognition.events:
        units = facs_code(event.action_units)
        events.append(Span(event.onset_s, event.offset_s, event.label, event.score, units=units))
    unjudged = [Span(stretch.start_s, stretch.end_s, stretch.reason) for stretch in recognition.unjudged]
    movement = []
    for prediction in answered:
        motion = prediction.motion
        is_known = motion is not None and motion.head_is_followed
        movement.append((motion.skin_px, motion.limit_px) if motion and is_known else (np.nan, np.nan))
    movement_px, limit_px = np.array(movement).T
    return Timeline(
        duration_s=recognition.duration_s,
        times_s=times_s,
        scores=scores,
        events=events,
        unjudged=unjudged,
        title=recognition.source,
        movement_px=movement_px,
        limit_px=limit_px,
    )


def window_columns(classes: tuple[str, ...], units: tuple[int, ...] = ()) -> list[str]:
    """Return the names of the columns of `window_row`."""
    measured = (*FACE_COLUMNS, *MOTION_COLUMNS, *LAST_COLUMNS)
    return [*WINDOW_COLUMNS, *classes, *unit_columns(units), *measured]


def window_row(prediction: Prediction, classes: tuple[str, ...], units: tuple[int, ...] = ()) -> list[Any]:
    """Return a prediction as a row of a table; None where there is no value."""
    record = prediction.to_dict()
    row = [record[key] for key in WINDOW_COLUMNS]
    row += [record["scores"].get(name) for name in classes]
    row += unit_cells(prediction.action_units, prediction.action_unit_scores, units)
    row += record["face"]["box"] if record["face"] else [None] * 4
    row.append(record["head_px"])
    row += [record["motion"][key] if record["motion"] else None for key in MOTION_COLUMNS]
    return [*row, prediction.reason, "; ".join(prediction.warnings)]


def _event_to_dict(event: Event) -> dict[str, Any]:
    """Return an event for JSON, rounded like a prediction."""
    return {
        "onset": event.onset,
        "apex": event.apex,
        "offset": event.offset,
        "onset_s": round(event.onset_s, 4),
        "apex_s": round(event.apex_s, 4),
        "offset_s": round(event.offset_s, 4),
        "kind": event.kind,
        "label": event.label,
        "score": round(event.score, 6),
        "emotions": {name: round(score, 6) for name, score in event.emotions.items()},
        "strength_px": round(event.strength_px, 2),
        "action_units": [unit_to_dict(unit) for unit in event.action_units],
        "emotions_by_units": [match.to_dict() for match in emotions_from_units(event.action_units)],
        "reason": event.reason or None,
    }


def _unit_network_to_dict(recognition: Recognition) -> dict[str, Any] | None:
    """Return a description of the network of action units for JSON; None where none were scored."""
    metadata = recognition.action_unit_metadata
    if metadata is None or metadata.action_units is None:
        return None
    settings = metadata.action_units
    described = metadata.to_dict(recognition.action_unit_weights)
    del described["classes"]
    thresholds = dict(zip(map(str, settings.units), settings.thresholds, strict=True))
    return {**described, "thresholds": thresholds, "wrong_share": settings.wrong_share}


def _stretch_to_dict(stretch: UnjudgedStretch) -> dict[str, Any]:
    return {
        "start_s": round(stretch.start_s, 4),
        "end_s": round(stretch.end_s, 4),
        "reason": stretch.reason,
    }


def _format_json(content: dict[str, object]) -> str:
    """Return JSON with a line for each key and for each entry of a list, so that people can read it, too."""
    lines = []
    for key, value in content.items():
        text = json.dumps(value, ensure_ascii=False)
        if isinstance(value, list) and value:
            entries = [json.dumps(entry, ensure_ascii=False) for entry in value]
            text = "[\n  " + ",\n  ".join(entries) + "\n ]"
        lines.append(f" {json.dumps(key)}: {text}")
    return "{\n" + ",\n".join(lines) + "\n}"
