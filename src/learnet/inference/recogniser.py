"""A video to named micro-expressions: read in windows of time, an answer for each, the strongest first in the summary.

Every window is treated as a clip of its own, by the same path as the clips the network has learned from (`network_input.make_image`): its
face is found anew, so its answer depends neither on what comes before it nor on how the rest of the video is cut.
"""

import csv
import io
import json
import math
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import UInt8

from learnet.core.errors import BadCheckpoint, LearnetError, NoFace, TooFewFrames
from learnet.core.settings import Windows
from learnet.face import HEAD_MOTION_LIMIT_PX, Face, FaceFinder, face_finder
from learnet.inference.onnx_inference import is_onnx, load_onnx
from learnet.motion.detrend import StoredImages
from learnet.motion.pipeline import make_image
from learnet.training.metadata import CheckpointMetadata
from learnet.training.scorer import Scorer
from learnet.video.base import Frame, Video, VideoInfo
from learnet.video.reader import open_video

Progress = Callable[[int, int], None]  # windows done, windows in all as far as can be told

NOTHING = "none"  # the class of a network that can say that nothing is expressed
EARLY = 1e-3  # seconds by which a time stamp may lie beside its true time: containers round to milliseconds
FEW_FRAMES = 6  # a dynamic image of fewer is nearly a difference of two frames, noise and all
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
    face: (
        Face | None
    )  # in pixels of the frame; None where there is no answer, or the frames were face crops already
    head_px: (
        float | None
    )  # how far the head moves, in pixels of the crop; None where that could not be measured
    warnings: tuple[str, ...]  # what may have spoilt this answer
    apex: int | None = (
        None  # number of the frame that was found to be the apex, where the motion image needs one
    )

    @property
    def score(self) -> float:
        """Probability of the label; 0 where there is no answer."""
        return self.scores[self.label] if self.label is not None else 0.0

    @property
    def strength(self) -> float:
        """The score, from 0 to 1; where the answer is that nothing is expressed, the score less 1, which is below every expression."""
        return self.score - (self.label == NOTHING)


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
    facts: CheckpointMetadata  # what that file says of itself
    windows: Windows
    answers: tuple[Answer, ...]  # in time order; at least one has a label
    warnings: tuple[str, ...]  # about the video as a whole
    shown: Shown = field(repr=False, compare=False)  # of the strongest window

    @property
    def ranking(self) -> tuple[Answer, ...]:
        """The windows that have an answer, the highest score of the label first, the earlier of equals first; those without any
        expression last.

        The score is the network's probability of that class among its own; only a network that knows `none` can say that there was no
        expression at all.
        """
        return tuple(
            sorted((a for a in self.answers if a.label is not None), key=lambda a: (-a.strength, a.window))
        )

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
            "network": self.facts.to_dict(self.weights),
            "answers": [_plain(answer) for answer in self.answers],
        }
        return _json(content)

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
            rows.writerow(
                [
                    *(plain[key] for key in columns),
                    *scores,
                    *box,
                    plain["head_px"],
                    answer.reason,
                    "; ".join(answer.warnings),
                ]
            )
        return text.getvalue()


@dataclass(frozen=True)
class Recogniser:
    """A trained network and all that it needs to look at videos: `Recogniser.load(weights)(video)`."""

    scorer: Scorer
    facts: CheckpointMetadata
    finder: (
        FaceFinder | None
    )  # None: the network was trained on clips that are face crops, and the video must be one
    weights: str  # where the network came from

    @classmethod
    def load(cls, weights: Path, face_model: Path | None = None) -> "Recogniser":
        """Read a file of weights; faces will be found as for the clips that it learned from.

        Args:
            weights: file of `learnet train`, of a fold of `learnet study`, or of `learnet export`, which runs without torch.
            face_model: YuNet's file; without one see `face.find_model`.

        Raises:
            BadCheckpoint: not a file of weights, or of a network that learned from imported images, which no video can be made into.
            LearnetError: it needs the face finder yunet, and there is no model.
        """
        scorer, known = _load_scorer(weights)
        facts = known.resolve_for_video()
        if facts.preparation is None:
            wrong = "it learned from motion images that were made elsewhere, so how to make one of a video is not known"
            raise BadCheckpoint(weights, wrong, "Train on a folder of `learnet prepare`.")
        kind = facts.preparation.face
        return cls(scorer, facts, None if kind == "none" else face_finder(kind, face_model), str(weights))

    def __call__(
        self,
        video: Path,
        windows: Windows = Windows(),
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
        best, shown, frames, duration_s = -2.0, None, 0, 0.0
        finder = _Counted(self.finder) if self.finder else None
        with open_video(video, fps) as opened:
            for window in _cut(opened, windows, opened.info.fps):
                answer, seen = self._look(window, finder, len(answers), opened.info.fps)
                answers.append(answer)
                if answer.strength > best and seen is not None:
                    best, shown = answer.strength, seen
                frames, duration_s = window.frames_so_far, window.seconds_so_far
                if progress:
                    progress(len(answers), max(_expected(opened.info, windows), len(answers)))
            if shown is None:
                raise _no_answer(answers, opened, finder)
            said = _warnings(opened, answers, self.facts)
            return Recognition(
                str(video),
                opened.info,
                frames,
                duration_s,
                self.weights,
                self.facts,
                windows,
                tuple(answers),
                said,
                shown,
            )

    def _look(
        self, window: "_Window", finder: FaceFinder | None, number: int, fps: float
    ) -> tuple[Answer, Shown | None]:
        """The answer to one window, and what the network saw of it."""
        numbers = window.numbers
        unknown = Answer(
            number,
            window.start_s,
            window.end_s,
            numbers[0],
            numbers[-1],
            len(numbers),
            None,
            {},
            "",
            None,
            None,
            (),
        )
        assert self.facts.preparation is not None, "`load` refuses such weights"
        try:
            made = make_image(window.pixels, self.facts.preparation, finder, fps=fps)
        except (NoFace, TooFewFrames) as error:
            return replace(unknown, reason=error.what), None
        found = self.scorer.scores(StoredImages(made.image[None]))[0]
        scores = dict(zip(self.facts.classes, found.tolist(), strict=True))
        aligned = made.aligned
        few = (
            (f"only {len(numbers)} frames: too few to tell a movement from chance",)
            if len(numbers) < FEW_FRAMES
            else ()
        )
        answer = replace(unknown, label=max(scores, key=scores.__getitem__), scores=scores, face=aligned.face,
                         head_px=aligned.drift_px, warnings=aligned.warnings_for(numbers) + few,
                         apex=None if made.apex is None else numbers[made.apex])  # fmt: skip
        return answer, Shown(aligned.crop(window.pixels, len(numbers) // 2), made.image)


def _load_scorer(weights: Path) -> tuple[Scorer, CheckpointMetadata]:
    """Read a file of weights; torch, which takes a second to load, is not loaded for ONNX files."""
    if is_onnx(weights):
        return load_onnx(weights)
    from learnet.training.checkpoint import load_checkpoint

    module, metadata = load_checkpoint(weights)
    return Scorer.from_module(module, metadata.mirror, metadata.detrend_percentile), metadata


class _Counted:
    """A face finder that counts the frames it has searched."""

    def __init__(self, finder: FaceFinder) -> None:
        self.finder, self.kind, self.searched = finder, finder.kind, 0

    def __call__(self, frame: UInt8[np.ndarray, "H W 3"]) -> Face | None:
        self.searched += 1
        return self.finder(frame)


# ---- cutting a stream of frames into windows


@dataclass(frozen=True)
class _Window:
    """Some frames of the stream. The pixels are a view that holds only until the next window is asked for."""

    start_s: float
    end_s: float
    numbers: tuple[int, ...]
    pixels: UInt8[np.ndarray, "T H W 3"]
    frames_so_far: int  # read from the stream since it began
    seconds_so_far: float  # to the end of the newest frame read


class _Held:
    """The frames that windows still need, in one array, so that a window is a view of it and not a copy."""

    def __init__(self, fps: float) -> None:
        self.period_s = 1 / fps
        self.pixels = np.empty((0, 0, 0, 3), np.uint8)
        self.numbers: list[int] = []
        self.times: list[float] = []
        self.dropped = 0

    def add(self, frame: Frame) -> None:
        count = len(self.times)
        if count == len(self.pixels):
            larger = np.empty((max(16, count * 3 // 2), *frame.pixels.shape), np.uint8)
            if count:
                larger[:count] = self.pixels
            self.pixels = larger
        self.pixels[count] = frame.pixels
        self.numbers.append(frame.number)
        self.times.append(frame.time_s)

    def drop_before(self, time_s: float) -> None:
        gone = bisect_left(self.times, time_s - EARLY)
        for place in range(gone, len(self.times)):
            self.pixels[place - gone] = self.pixels[place]
        del self.numbers[:gone], self.times[:gone]
        self.dropped += gone

    def window(self, start_s: float, end_s: float) -> _Window:
        """The frames before the end; those before the start have been dropped."""
        count = bisect_left(self.times, end_s - EARLY)
        so_far = self.dropped + len(self.times), self.times[-1] + self.period_s
        return _Window(start_s, end_s, tuple(self.numbers[:count]), self.pixels[:count], *so_far)


def _cut(frames: Iterable[Frame], windows: Windows, fps: float) -> Iterator[_Window]:
    """Windows of a stream, each as soon as it is complete. Those without any frame are passed over; the last one may be shorter."""
    held, place, whole, end_s = _Held(fps), 0, True, 0.0
    step_s = windows.window_s * (1 - windows.overlap)
    for frame in frames:
        end_s = frame.time_s + 1 / fps
        whole = whole and end_s <= windows.whole_s + EARLY
        while not whole and frame.time_s >= place * step_s + windows.window_s - EARLY:
            if held.times and held.times[0] < place * step_s + windows.window_s - EARLY:
                yield held.window(place * step_s, place * step_s + windows.window_s)
            place += 1
            held.drop_before(place * step_s)
            if (
                not held.times
            ):  # a gap in the stream: on to just before the first window that holds this frame
                place = max(place, math.floor((frame.time_s + EARLY - windows.window_s) / step_s))
        held.add(frame)
    if whole:
        yield held.window(0.0, end_s)
    else:
        yield held.window(place * step_s, min(place * step_s + windows.window_s, end_s))


def _expected(info: VideoInfo, windows: Windows) -> int:
    """How many windows there will be, by what the video says of its length; 1 where it says nothing."""
    duration_s = (info.frames or 0) / info.fps
    if duration_s <= windows.whole_s + EARLY:
        return 1
    return 1 + max(
        0, math.ceil((duration_s - windows.window_s - EARLY) / (windows.window_s * (1 - windows.overlap)))
    )


# ---- what is said beside the answers


def _no_answer(answers: list[Answer], video: Video, finder: _Counted | None) -> LearnetError:
    """Why no window has an answer."""
    if finder and finder.searched:
        return NoFace(
            video.info.source, min(finder.searched, answers[-1].last - answers[0].first + 1)
        )  # windows overlap
    frames, fps = max(answer.frames for answer in answers), video.info.fps
    return LearnetError(
        f"{video.info.source}: no window holds more than {frames} frame at {fps:g} frames per second; motion needs two.",
        "Give longer windows (--window-s), or a longer video.",
    )


def video_warnings(video: Video, facts: CheckpointMetadata) -> list[str]:
    """What to know about a video as a whole, whatever the answers; of its losses those so far."""
    info, said = (
        video.info,
        [*video.notes, *(f"{count} {what}" for what, count in video.losses.items() if count)],
    )
    if info.fps < LOW_FPS:
        said.append(
            f"{info.fps:.4g} frames per second: a micro-expression lasts 1/25 to 1/2 s, so below {LOW_FPS} it may pass between frames"
        )
    if info.variable_rate:
        said.append(f"the frame rate varies; {info.fps:.4g} per second is its mean")
    if (synthetic := facts.data.get("synthetic", "no")) != "no":
        said.append(
            f"the network has learned from synthetic faces{' only' if synthetic == 'yes' else ', too'}"
        )
    return said


def _warnings(video: Video, answers: list[Answer], facts: CheckpointMetadata) -> tuple[str, ...]:
    """What to know about the video and its answers."""
    said, of = video_warnings(video, facts), f"of {len(answers)} windows" if len(answers) > 1 else "window"
    if facts.data.get("faces") in ("given", "both") and any(answer.face for answer in answers):
        said.append(
            "the network has learned from faces that the owners of the clips had cropped; here the face is cropped by other marks"
        )
    for before, after in zip(answers, answers[1:], strict=False):
        if after.start_s > before.end_s + EARLY:
            said.append(f"there are no frames from {before.end_s:.2f} to {after.start_s:.2f} s")
    assert facts.preparation is not None, "`load` refuses such weights"
    limit = HEAD_MOTION_LIMIT_PX * facts.size / 112
    moved = [
        a
        for a in answers
        if a.face and (a.head_px is None or (a.head_px > limit and not facts.preparation.steady))
    ]
    if moved:
        said.append(f"the head moves or turns in {len(moved)} {of}, which can pass for an expression")
    for reason, count in Counter(answer.reason for answer in answers if answer.reason).items():
        said.append(f"{count} {of} without an answer: {reason}")
    return tuple(said)


def _json(content: dict[str, object]) -> str:
    """JSON with a line for each key, and one for each entry of a list: a person can read it too."""
    lines = []
    for key, value in content.items():
        entries = (
            [json.dumps(entry, ensure_ascii=False) for entry in value] if isinstance(value, list) else []
        )
        text = "[\n  " + ",\n  ".join(entries) + "\n ]" if entries else json.dumps(value, ensure_ascii=False)
        lines.append(f" {json.dumps(key)}: {text}")
    return "{\n" + ",\n".join(lines) + "\n}"


def _plain(answer: Answer) -> dict[str, Any]:
    """An answer as JSON, in digits that mean something: 0.1 ms, 0.1 pixel, a millionth of a score."""
    face = answer.face
    place = {"window": answer.window, "start_s": round(answer.start_s, 4), "end_s": round(answer.end_s, 4)}
    frames = {"first": answer.first, "last": answer.last, "frames": answer.frames}
    said = {
        "apex": answer.apex,
        "label": answer.label,
        "score": round(answer.score, 6) if answer.label is not None else None,
    }
    scores = {
        "scores": {name: round(score, 6) for name, score in answer.scores.items()},
        "reason": answer.reason or None,
    }
    seen = face and {
        "box": [round(value, 1) for value in face.box],
        "eyes": [[round(value, 1) for value in eye] for eye in face.eyes],
        "confidence": round(face.confidence, 3),
        "finder": face.finder,
    }
    head = None if answer.head_px is None else round(answer.head_px, 2)
    return {
        **place,
        **frames,
        **said,
        **scores,
        "face": seen,
        "head_px": head,
        "warnings": list(answer.warnings),
    }
