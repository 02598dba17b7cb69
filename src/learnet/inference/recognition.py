"""What was recognised in one video, and its form as JSON and CSV."""

import io
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float64

from learnet.core.csv_files import csv_text
from learnet.core.errors import LearnetError, counted
from learnet.core.records import Event, UnjudgedStretch
from learnet.core.settings import Windows
from learnet.core.shipped_weights import weights_name
from learnet.inference.action_unit_text import UNIT_COLUMNS, facs_code, unit_cells, unit_columns, unit_to_dict
from learnet.inference.decision import NO_EXPRESSION
from learnet.inference.emotion_criteria import emotions_from_units
from learnet.inference.events import find_events, unjudged_stretches
from learnet.inference.prediction import Prediction, WindowImages
from learnet.inference.selected_face import FaceChoice
from learnet.inference.spotting import RecordedMotion, Spotting
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
    *("kind", "regions", "label", "score", "strength_px", "reason"),
)
NOTHING_FOUND = "No movement of the face was found."
TEXT_COLUMNS = ("kind", "regions", "label", "reason", "warnings", *UNIT_COLUMNS)
JUDGED_S = 0.5  # shortest time from which something could be judged
SUMMARY_KEYS = ("window", "start_s", "end_s", "label", "score", "reason")


@dataclass(frozen=True)
class Recognition:
    """What was recognised in one video: the events, and the predictions they follow from."""

    source: str
    info: VideoInfo
    frames: int  # number of readable frames
    duration_s: float
    weights: str  # file of the network
    metadata: CheckpointMetadata  # of that file
    windows: Windows | None  # how the video was cut; None: movements were spotted
    # In time order: of every window, or of every spotted movement that is no blink.
    predictions: tuple[Prediction, ...]
    warnings: tuple[str, ...]  # about the video as a whole
    # Of the strongest prediction; None: no movement was spotted.
    strongest_images: WindowImages | None = field(repr=False, compare=False)
    action_unit_metadata: CheckpointMetadata | None = None  # None: no action units were scored
    action_unit_weights: str = ""  # file of the network of action units
    spotting: Spotting | None = None  # the spotted movements, with what was recognised; None: windows
    stated_fps: float | None = None  # frame rate that the user gave; None: that of the file
    face: FaceChoice = 1  # number of the face that was judged; "none": the video shows a face crop
    motion: RecordedMotion | None = field(
        default=None, repr=False, compare=False
    )  # None: it was not recorded

    @property
    def ranking(self) -> tuple[Prediction, ...]:
        """The predictions with a label, by descending strength; the earlier of equal ones first."""
        labelled = [prediction for prediction in self.predictions if prediction.label is not None]
        labelled.sort(key=lambda prediction: (-prediction.strength, prediction.window))
        return tuple(labelled)

    @property
    def strongest(self) -> Prediction:
        """The first of the ranking; without one, the first prediction in which a face is seen.

        Raises:
            LearnetError: there is neither, as no movement was spotted.
        """
        if self.ranking:
            return self.ranking[0]
        for prediction in self.predictions:
            if prediction.motion is not None:
                return prediction
        raise LearnetError(f"{self.source}: no movement was spotted.", "`Recognition.events` is empty.")

    @property
    def units(self) -> tuple[int, ...]:
        """Numbers of the action units that were scored."""
        metadata = self.action_unit_metadata
        return metadata.action_units.units if metadata and metadata.action_units else ()

    @property
    def label(self) -> str | None:
        """Label of the strongest prediction; `none` where no movement was recognised; None: nothing was
        judged."""
        if self._has_answer:
            return self.strongest.label
        return NO_EXPRESSION if self.judged_s >= JUDGED_S else None

    @property
    def score(self) -> float | None:
        """Highest probability of the strongest prediction; None where no network was asked."""
        return self.strongest.score if self._has_answer else None

    @property
    def reason(self) -> str:
        """Why the label is not simply the class with the highest score; empty if it is."""
        if self._has_answer:
            return self.strongest.reason
        if self.judged_s < JUDGED_S:
            return "nothing can be judged"
        return f"no expression in the {self.judged_s:.1f} s that can be judged"

    @property
    def _has_answer(self) -> bool:
        """Whether the strongest prediction answers for the video: a spotted movement may have no label."""
        return self.spotting is None or bool(self.ranking)

    @property
    def judged_s(self) -> float:
        """How many seconds of the video can be judged."""
        unjudged_s = 0.0
        for stretch in self.unjudged:  # one may lie behind the last frame, where frames are missing
            unjudged_s += max(0.0, min(stretch.end_s, self.duration_s) - stretch.start_s)
        return max(0.0, self.duration_s - unjudged_s)

    @cached_property
    def events(self) -> tuple[Event, ...]:
        """The facial movements in time order.

        Those that were spotted; of windows, those in which an expression was recognised
        (`events.find_events`).
        """
        return find_events(self.predictions) if self.spotting is None else self.spotting.events

    @cached_property
    def unjudged(self) -> tuple[UnjudgedStretch, ...]:
        """The stretches of the video that cannot be judged, in time order."""
        return unjudged_stretches(self.predictions) if self.spotting is None else self.spotting.unjudged

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
            table = f"<p>{NOTHING_FOUND}</p>"
        picture = io.BytesIO()
        self.plot().savefig(picture, format="svg")
        return f"<p>{escape(repr(self))}</p>{picture.getvalue().decode()}{table}"

    def plot(self) -> "Figure":
        """Draw events, scores and unjudged stretches over time."""
        return timeline_figure(timeline(self))

    def to_json(self) -> str:
        """Return everything except images: events and unjudged stretches in time order.

        With windows, also the ranked summary, and the windows in time order.
        """
        content: dict[str, object] = {
            "video": self.source,
            "label": self.label,
            "score": None if self.score is None else round(self.score, 6),
            "reason": self.reason or None,
            "fps": round(self.info.fps, 4),
            "frames": self.frames,
            "duration_s": round(self.duration_s, 4),
            "warnings": list(self.warnings),
            "events": [event_to_dict(event) for event in self.events],
            "unjudged": [stretch_to_dict(stretch) for stretch in self.unjudged],
            "cut": asdict(self.windows) if self.windows else None,
            "network": self.metadata.to_dict(weights_name(self.weights)),
            "action_unit_network": _unit_network_to_dict(self),
        }
        if self.windows:
            ranked = [prediction.to_dict() for prediction in self.ranking]
            content["summary"] = [{key: record[key] for key in SUMMARY_KEYS} for record in ranked]
            content["answers"] = [prediction.to_dict() for prediction in self.predictions]
        return _format_json(content)

    def to_csv(self, windows: bool = False) -> str:
        """Return a row per event in time order, or per window; cells without a value are empty.

        There is a column with the probability of each class, and of each action unit (`AU4`). `action_units`
        has the named units as FACS coders write them, `4+L10`; `regions` is separated by semicolons.

        Args:
            windows: a row per window.

        Raises:
            LearnetError: `windows`, but the video was not cut into windows.
        """
        rows: list[Sequence[object]]
        if windows:
            self._check_windows()
            rows = [window_columns(self.metadata.classes, self.units)]
            for prediction in self.predictions:
                rows.append(window_row(prediction, self.metadata.classes, self.units))
        else:
            rows = [event_columns(self.metadata.classes, self.units)]
            for event in self.events:
                rows.append(event_row(event, self.metadata.classes, self.units))
        return csv_text(rows)

    def to_dataframe(self, windows: bool = False) -> "pd.DataFrame":
        """Return the table of `to_csv`: a row per event, or per window.

        Args:
            windows: a row per window.

        Returns:
            Times in seconds since the first frame; a column per class with its probability; `action_units`
            with the named units, `4+L10`, and a column per unit with its probability, `AU4`.

        Raises:
            LearnetError: `windows`, but the video was not cut into windows.
        """
        import pandas as pd  # here: it takes half a second to load, and predictions do not need it

        table = io.StringIO(self.to_csv(windows))
        texts = dict.fromkeys(TEXT_COLUMNS, str)
        return pd.read_csv(table, keep_default_na=False, na_values=[""], dtype=texts)

    def _check_windows(self) -> None:
        if self.windows is None:
            raise LearnetError(
                "The video was searched for movements and not cut into windows.",
                "Pass `windows=Windows()` to `predict` for a prediction of every window.",
            )


def timeline(recognition: Recognition) -> Timeline:
    """Return what the timeline of a recognition shows."""
    answered = recognition.predictions
    times_s = np.array([_middle_s(prediction) for prediction in answered])
    scores = {}
    for name in recognition.metadata.classes:
        scores[name] = np.array([prediction.scores.get(name, np.nan) for prediction in answered])
    events = []
    for event in recognition.events:
        units = facs_code(event.action_units)
        score = event.score if event.emotions else None
        events.append(Span(event.onset_s, event.offset_s, event.label or event.kind, score, units=units))
    unjudged = [Span(stretch.start_s, stretch.end_s, stretch.reason) for stretch in recognition.unjudged]
    movement_px, limit_px = _movement_and_limit(recognition)
    return Timeline(
        duration_s=recognition.duration_s,
        times_s=times_s,
        scores=scores,
        events=events,
        unjudged=unjudged,
        title=recognition.source,
        movement_px=movement_px,
        limit_px=limit_px,
        separate=recognition.spotting is not None,
    )


def _movement_and_limit(
    recognition: Recognition,
) -> tuple[Float64[np.ndarray, "N"], Float64[np.ndarray, "N"] | None]:
    """Return how far skin moves in each window or event, and the limit below which a window is still."""
    if recognition.spotting is not None:
        strengths = [event.strength_px for event in recognition.events if not event.is_blink]
        return np.array(strengths, dtype=np.float64), None
    values = []
    for prediction in recognition.predictions:
        motion = prediction.motion
        is_known = motion is not None and motion.head_is_followed
        values.append((motion.skin_px, motion.limit_px) if motion and is_known else (np.nan, np.nan))
    movement_px, limit_px = np.array(values).T
    return movement_px, limit_px


def _middle_s(prediction: Prediction) -> float:
    """Return the middle of a window, or of a spotted movement."""
    return (prediction.start_s + prediction.end_s) / 2


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


def event_columns(classes: tuple[str, ...], units: tuple[int, ...] = ()) -> list[str]:
    """Return the names of the columns of `event_row`."""
    return [*EVENT_COLUMNS, *classes, *unit_columns(units)]


def event_row(event: Event, classes: tuple[str, ...], units: tuple[int, ...]) -> list[Any]:
    """Return an event as a row of a table; None where there is no value."""
    record = event_to_dict(event)
    record["regions"] = "; ".join(event.regions)
    row = [record[key] for key in EVENT_COLUMNS]
    row += [record["emotions"].get(name) for name in classes]
    return row + unit_cells(event.action_units, event.action_unit_scores, units)


def event_to_dict(event: Event) -> dict[str, Any]:
    """Return an event for JSON, rounded like a prediction."""
    return {
        "onset": event.onset,
        "apex": event.apex,
        "offset": event.offset,
        "onset_s": round(event.onset_s, 4),
        "apex_s": round(event.apex_s, 4),
        "offset_s": round(event.offset_s, 4),
        "kind": event.kind,
        "regions": list(event.regions),
        "label": event.label or None,
        "score": round(event.score, 6) if event.emotions else None,
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
    described = metadata.to_dict(weights_name(recognition.action_unit_weights))
    del described["classes"]
    thresholds = dict(zip(map(str, settings.units), settings.thresholds, strict=True))
    return {**described, "thresholds": thresholds, "wrong_share": settings.wrong_share}


def stretch_to_dict(stretch: UnjudgedStretch) -> dict[str, Any]:
    """Return an unjudged stretch for JSON."""
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
