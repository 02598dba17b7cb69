"""Predictions for a video, and their form as JSON and CSV."""

import csv
import io
import json
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from jaxtyping import UInt8

from learnet.core.settings import Windows
from learnet.face import Face
from learnet.training.metadata import CheckpointMetadata
from learnet.video.base import VideoInfo

NO_EXPRESSION = "none"  # class of networks that can predict that nothing is expressed
PREDICTION_COLUMNS = ("window", "start_s", "end_s", "first", "last", "frames", "label", "score")
FACE_COLUMNS = ("face_x", "face_y", "face_width", "face_height", "head_px", "reason", "warnings")
SUMMARY_KEYS = ("window", "start_s", "end_s", "label", "score")


@dataclass(frozen=True)
class Prediction:
    """Prediction for one window of a video."""

    window: int  # from 0, in time order
    start_s: float  # seconds since the first frame of the video
    end_s: float  # exclusive
    first: int  # number of the first frame: its position in a file, or the number in an image's name
    last: int  # number of the last frame, inclusive
    frames: int  # number of frames
    label: str | None  # class with the highest score; None: no prediction
    scores: dict[str, float]  # probability of each class, with a sum of 1; empty: no prediction
    reason: str  # why there is no prediction; empty if there is one
    face: Face | None  # in pixels of the frame; None: no prediction, or the frames are face crops
    head_px: float | None  # head motion in pixels of the crop; None: it could not be measured
    warnings: tuple[str, ...]  # what may have affected the prediction
    apex: int | None = None  # number of the apex frame, if the motion image needs one

    @property
    def score(self) -> float:
        """Probability of the label; 0 without a prediction."""
        return self.scores[self.label] if self.label is not None else 0.0

    @property
    def strength(self) -> float:
        """The score; for the class "none" the score minus 1, which is below the score of every expression."""
        return self.score - (self.label == NO_EXPRESSION)


@dataclass(frozen=True)
class WindowImages:
    """Images of one window."""

    crop: UInt8[np.ndarray, "S S 3"]  # the face in the middle frame, RGB
    image: UInt8[np.ndarray, "S S 3"]  # the motion image, 0..255


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
    predictions: tuple[Prediction, ...]  # in time order; at least one has a label
    warnings: tuple[str, ...]  # about the video as a whole
    strongest_images: WindowImages = field(repr=False, compare=False)  # of the strongest window

    @property
    def ranking(self) -> tuple[Prediction, ...]:
        """The windows with a prediction, by descending strength; the earlier of equal ones first.

        A score is the probability of a class among the network's classes. Only a network with the class
        "none" can predict that there was no expression; such windows are last.
        """
        labelled = [prediction for prediction in self.predictions if prediction.label is not None]
        labelled.sort(key=lambda prediction: (-prediction.strength, prediction.window))
        return tuple(labelled)

    @property
    def strongest(self) -> Prediction:
        """The first of the ranking: the prediction for the whole video."""
        return self.ranking[0]

    def to_json(self) -> str:
        """Return everything except images: strongest prediction, ranked summary, windows in time order."""
        ranked = [_to_dict(prediction) for prediction in self.ranking]
        content = {
            "video": self.source,
            "label": ranked[0]["label"],
            "score": ranked[0]["score"],
            "fps": round(self.info.fps, 4),
            "frames": self.frames,
            "duration_s": round(self.duration_s, 4),
            "warnings": list(self.warnings),
            "summary": [{key: record[key] for key in SUMMARY_KEYS} for record in ranked],
            "cut": asdict(self.windows),
            "network": self.metadata.to_dict(self.weights),
            "answers": [_to_dict(prediction) for prediction in self.predictions],
        }
        return _format_json(content)

    def to_csv(self) -> str:
        """Return a row per window in time order, with a column per class; cells without a value are empty."""
        text = io.StringIO()
        rows = csv.writer(text, lineterminator="\n")
        classes = self.metadata.classes
        rows.writerow([*PREDICTION_COLUMNS, *classes, *FACE_COLUMNS])
        for prediction in self.predictions:
            record = _to_dict(prediction)
            row = [record[key] for key in PREDICTION_COLUMNS]
            row += [record["scores"].get(name) for name in classes]
            row += record["face"]["box"] if record["face"] else [None] * 4
            row += [record["head_px"], prediction.reason, "; ".join(prediction.warnings)]
            rows.writerow(row)
        return text.getvalue()


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


def _to_dict(prediction: Prediction) -> dict[str, Any]:
    """Return a prediction for JSON, rounded to meaningful digits: 0.1 ms, 0.1 pixels, 1e-6 of a score."""
    has_label = prediction.label is not None
    head_px = prediction.head_px
    return {
        "window": prediction.window,
        "start_s": round(prediction.start_s, 4),
        "end_s": round(prediction.end_s, 4),
        "first": prediction.first,
        "last": prediction.last,
        "frames": prediction.frames,
        "apex": prediction.apex,
        "label": prediction.label,
        "score": round(prediction.score, 6) if has_label else None,
        "scores": {name: round(score, 6) for name, score in prediction.scores.items()},
        "reason": prediction.reason or None,
        "face": _face_to_dict(prediction.face) if prediction.face else None,
        "head_px": None if head_px is None else round(head_px, 2),
        "warnings": list(prediction.warnings),
    }


def _face_to_dict(face: Face) -> dict[str, Any]:
    eyes = []
    for x, y in face.eyes:
        eyes.append([round(x, 1), round(y, 1)])
    return {
        "box": [round(value, 1) for value in face.box],
        "eyes": eyes,
        "confidence": round(face.confidence, 3),
        "finder": face.finder,
    }
