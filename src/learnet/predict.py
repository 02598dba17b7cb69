"""A video to named micro-expressions: read in windows of time, an answer for each, the strongest first in the summary.

Every window is treated as a clip of its own, by the same path as the clips the network has learned from (`prepare.make_image`): its
face is found anew, so its answer depends neither on what comes before it nor on how the rest of the video is cut.
"""

import csv
import io
import json
import math
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float64, UInt8
from torch import nn

from learnet import augment
from learnet.checkpoint import Facts, load_checkpoint
from learnet.errors import BadCheckpoint, LearnetError, NoFace, TooFewFrames
from learnet.face import STILL_PX, Face, FaceFinder, face_finder
from learnet.networks import as_input
from learnet.prepare import Made, make_image
from learnet.settings import Windows
from learnet.video import Frame, Video, VideoInfo, open_video

Progress = Callable[[int, int], None]  # windows done, windows in all as far as can be told

EARLY = 1e-3  # seconds by which a time stamp may lie beside its true time: containers round to milliseconds
LOW_FPS = 60  # frames per second below which the shortest micro-expressions, of 1/25 s, span no more than two frames


@dataclass(frozen=True)
class Answer:
    """What the network says about one window."""

    window: int  # from 0, in time order
    start_s: float  # seconds since the first frame of the video
    end_s: float  # exclusive
    first: int  # number of the first frame: its position in a file, or the number in an image's name
    last: int  # number of the last frame, inclusive
    frames: int  # frames used
    label: str | None  # the class with the highest score; None where there is no answer
    scores: dict[str, float]  # probability of each class, adding up to 1; empty where there is no answer
    reason: str  # why there is no answer; empty where there is one
    face: Face | None  # in pixels of the frame; None where there is no answer, or the frames were face crops already
    head_px: float | None  # how far the head moves, in pixels of the crop; None where that could not be measured
    warnings: tuple[str, ...]  # what may have spoilt this answer

    @property
    def score(self) -> float:
        """Probability of the label; 0 where there is no answer."""
        return self.scores[self.label] if self.label is not None else 0.0


@dataclass(frozen=True)
class Shown:
    """What the network saw in one window."""

    crop: UInt8[np.ndarray, "S S 3"]  # the face in the middle frame, RGB
    image: UInt8[np.ndarray, "S S 3"]  # the motion image, 0..255


@dataclass(frozen=True)
class Recognition:
    """All answers to one video."""

    source: str
    info: VideoInfo
    frames: int  # that could be read
    duration_s: float
    weights: str  # file of the network
    facts: Facts  # what that file says of itself
    windows: Windows
    answers: tuple[Answer, ...]  # in time order; at least one has a label
    warnings: tuple[str, ...]  # about the video as a whole
    shown: Shown = field(repr=False, compare=False)  # of the strongest window

    @property
    def ranking(self) -> tuple[Answer, ...]:
        """The windows that have an answer, the highest score of the label first, the earlier of equals first.

        The score is the network's probability of that class among its own; it does not say whether there was an expression at all.
        """
        return tuple(sorted((a for a in self.answers if a.label is not None), key=lambda a: (-a.score, a.window)))

    @property
    def strongest(self) -> Answer:
        """The first of the ranking: the answer to the whole video."""
        return self.ranking[0]

    def to_json(self) -> str:
        """Everything but the pictures: the strongest answer, a summary with the strongest first, every window in time order."""
        brief = ("window", "start_s", "end_s", "label", "score")
        ranked = [_plain(answer) for answer in self.ranking]
        content = {
            "video": self.source,
            "label": ranked[0]["label"],
            "score": ranked[0]["score"],
            "fps": round(self.info.fps, 4),
            "frames": self.frames,
            "duration_s": round(self.duration_s, 4),
            "warnings": list(self.warnings),
            "summary": [{key: answer[key] for key in brief} for answer in ranked],
            "cut": asdict(self.windows),
            "network": _about_network(self.weights, self.facts),
            "answers": [_plain(answer) for answer in self.answers],
        }
        return json.dumps(content, indent=1, ensure_ascii=False)

    def to_csv(self) -> str:
        """A row per window in time order, a column per class; cells are empty where there is nothing to say."""
        columns = ("window", "start_s", "end_s", "first", "last", "frames", "label", "score")
        ending = ("face_x", "face_y", "face_width", "face_height", "head_px", "reason", "warnings")
        text = io.StringIO()
        rows = csv.writer(text, lineterminator="\n")
        rows.writerow([*columns, *self.facts.classes, *ending])
        for answer in self.answers:
            plain = _plain(answer)
            scores = [plain["scores"].get(name) for name in self.facts.classes]
            box = plain["face"]["box"] if plain["face"] else [None] * 4
            rows.writerow([*(plain[key] for key in columns), *scores, *box, plain["head_px"], answer.reason, "; ".join(answer.warnings)])
        return text.getvalue()


@dataclass(frozen=True)
class Recogniser:
    """A trained network and all that it needs to look at videos: `Recogniser.load(weights)(video)`."""

    module: nn.Module
    facts: Facts
    finder: FaceFinder | None  # None: the network was trained on clips that are face crops, and the video must be one
    weights: str  # where the network came from

    @classmethod
    def load(cls, weights: Path, face_model: Path | None = None) -> "Recogniser":
        """Read a checkpoint; faces will be found as for the clips that it learned from.

        Args:
            weights: file of `learnet train`, or of a fold of `learnet study`.
            face_model: YuNet's file; without one see `face.find_model`.

        Raises:
            BadCheckpoint: not a checkpoint, or of a network that learned from imported images, which no video can be made into.
            LearnetError: it needs the face finder yunet, and there is no model.
        """
        module, facts = load_checkpoint(weights)
        if facts.preparation is None:
            wrong = "it learned from motion images that were made elsewhere, so how to make one of a video is not known"
            raise BadCheckpoint(weights, wrong, "Train on a folder of `learnet prepare`.")
        kind = facts.preparation.face
        return cls(module, facts, None if kind == "none" else face_finder(kind, face_model), str(weights))

    def __call__(
        self,
        video: Path,
        windows: Windows = Windows(),  # noqa: B008 (frozen)
        fps: float | None = None,
        progress: Progress | None = None,
    ) -> Recognition:
        """Name the micro-expressions in a video. One window of frames is in memory at a time.

        Args:
            video: file, or folder of images.
            windows: how the video is cut.
            fps: true frame rate, where the video is silent or wrong about it (folders of images carry none).
            progress: called after each window.

        Raises:
            BadVideo: not a video.
            NoFace: no face in any window.
            LearnetError: no window holds two frames or more.
        """
        answers: list[Answer] = []
        best, shown, frames, end_s = -1.0, None, 0, 0.0
        finder = _Counted(self.finder) if self.finder else None
        with open_video(video, fps) as opened:
            for window in _cut(opened, windows, opened.info.fps):
                answer, seen = self._look(window, finder, len(answers))
                answers.append(answer)
                if answer.score > best and seen is not None:
                    best, shown = answer.score, seen
                frames, end_s = window.frames_so_far, window.end_s
                if progress:
                    progress(len(answers), max(_expected(opened.info, windows), len(answers)))
            if shown is None:
                raise _no_answer(answers, opened, finder)
            said = _warnings(opened, answers, self.facts)
            return Recognition(str(video), opened.info, frames, end_s, self.weights, self.facts, windows, tuple(answers), said, shown)

    def _look(self, window: "_Window", finder: FaceFinder | None, number: int) -> tuple[Answer, Shown | None]:
        """The answer to one window, and what the network saw of it."""
        place = {"window": number, "start_s": window.start_s, "end_s": window.end_s}
        place |= {"first": window.numbers[0], "last": window.numbers[-1], "frames": len(window.numbers)}
        try:
            made = make_image(window.pixels, self.facts.preparation, finder)
        except (NoFace, TooFewFrames) as error:
            return Answer(**place, label=None, scores={}, reason=error.what, face=None, head_px=None, warnings=()), None
        return self._answer(place, made), Shown(made.aligned.crops[len(window.numbers) // 2].copy(), made.image)
