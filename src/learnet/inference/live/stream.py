"""Live recognition of a file, folder or camera, which a thread reads ahead."""

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from learnet.core.errors import BadVideo, counted
from learnet.core.live_settings import LiveSettings
from learnet.inference.live.recogniser import LivePrediction, LiveRecogniser
from learnet.inference.live.spotter import LiveEvent, LiveResult, LiveSpotter
from learnet.inference.read_ahead import ReadAhead, SingleThreadLibraries
from learnet.inference.recogniser import Recogniser
from learnet.inference.spotting import missing_end
from learnet.inference.video_warnings import video_warnings
from learnet.video.base import Frame, Video

READ_AHEAD = 16  # frames decoded ahead of a file
CAMERA_QUEUE = 8  # frames of a camera that may wait, 40 ms at 200 a second; beyond, the oldest is skipped
# The same where movements are spotted: a search, or the recognition of an event, takes up to a second.
SPOTTING_QUEUE_S = 1.0

Result = TypeVar("Result")


@dataclass(frozen=True)
class Summary:
    """Statistics of a stream."""

    frames: int  # frames processed
    predictions: int  # or events
    skipped: int  # frames that arrived faster than they could be processed
    median_ms: float | None  # latency of a prediction or event; None: there was none
    p99_ms: float | None  # 99th percentile of the latency
    warnings: tuple[str, ...]  # about the stream as a whole
    unit: str = "prediction"  # what is counted

    def __str__(self) -> str:
        """Return one line: frames, predictions, skipped frames, and the latency if there is any."""
        results = counted(self.predictions, self.unit)
        text = f"{self.frames} frames, {results}, {self.skipped} frames skipped"
        if self.skipped:
            text += ", as they arrived faster than they could be processed"
        if self.median_ms is not None and self.p99_ms is not None:
            text += f"; median latency {_duration(self.median_ms)}, 99 % within {_duration(self.p99_ms)}"
        return text


def _duration(milliseconds: float) -> str:
    return f"{milliseconds:.1f} ms" if milliseconds < 1000 else f"{milliseconds / 1000:.1f} s"


class _Stream(ABC, Generic[Result]):
    """Results for the frames of a video, which a thread reads ahead.

    Until `close`, OpenCV, numpy and PyTorch use one thread each. Decoding, face and network already share the
    cores, and a network that waits for a core for its second thread is delayed by other work.
    """

    unit = "prediction"

    def __init__(self, recogniser: Recogniser, video: Video, pace: bool, camera_queue: int) -> None:
        """Start to read.

        Args:
            recogniser: from `Recogniser.load`.
            video: from `open_video`; it must stay open until this is closed.
            pace: deliver the frames of a file at the times of their stamps.
            camera_queue: frames of a camera that may wait.
        """
        camera = video.info.kind == "camera"
        self.video = video
        self.metadata = recogniser.metadata
        self._threads = SingleThreadLibraries()
        self.reader = ReadAhead(
            video,
            capacity=camera_queue if camera else READ_AHEAD,
            skips=camera,
            records_arrival=camera or pace,
            pace=pace and not camera,
        )
        self.frames = 0
        self.predictions = 0
        # By tenths of a millisecond, so that memory does not grow.
        self._latencies: Counter[float] = Counter()

    def close(self) -> None:
        """Stop reading and end the threads."""
        self.reader.close()
        self._threads.restore()

    def stop(self) -> None:
        """Stop reading: the iteration ends with what the frames so far show."""
        self.reader.stop()

    def __iter__(self) -> Iterator[Result]:
        """Yield results when they are made, the last ones for the last frames.

        Raises:
            BadVideo: a camera delivers no more frames, or the video is damaged. What all earlier frames show
                has been yielded by then.
        """
        last_s = 0.0
        while (arrival := self.reader.take()) is not None:
            frame, came_s = arrival
            self.frames += 1
            last_s = frame.time_s
            yield from self._add(frame, came_s)
        yield from self._finish()
        self.reader.raise_error()
        if self.video.info.kind == "camera" and not self.reader.closed:
            raise BadVideo(
                self.video.info.source,
                f"it delivers no more frames, after {self.frames} frames in {last_s:.1f} s",
                f"Check that it is plugged in. The {self.unit}s so far are valid.",
            )

    @abstractmethod
    def _add(self, frame: Frame, came_s: float | None) -> Sequence[Result]:
        """Return the results of the next frame."""

    @abstractmethod
    def _finish(self) -> Sequence[Result]:
        """Return the results that remain."""

    @abstractmethod
    def _face_warnings(self) -> tuple[str, ...]:
        """Return warnings about the faces in the video."""

    def summary(self) -> Summary:
        """Return the statistics so far."""
        return Summary(
            frames=self.frames,
            predictions=self.predictions,
            skipped=self.reader.skipped,
            median_ms=self._latency(0.5),
            p99_ms=self._latency(0.99),
            warnings=(*self._face_warnings(), *video_warnings(self.video, self.metadata)),
            unit=self.unit,
        )

    def _count(self, latency_ms: float) -> None:
        self.predictions += 1
        self._latencies[round(latency_ms, 1)] += 1

    def _latency(self, share: float) -> float | None:
        """Return the smallest latency that at least this share of the predictions does not exceed."""
        count = 0
        for latency_ms, occurrences in sorted(self._latencies.items()):
            count += occurrences
            if count >= share * self.predictions:
                return latency_ms
        return None


class EventStream(_Stream[LiveResult]):
    """Iterate over the movements of the face in a video, and the stretches that cannot be judged.

    `with open_video(source) as video, EventStream(recogniser, video) as stream: for result in stream: ...`

    A thread reads ahead. No frame of a file or folder is skipped: the reader waits. A camera does not wait:
    if frames arrive faster than they can be processed, the oldest waiting frame is skipped, and counted.
    """

    unit = "event"

    def __init__(self, recogniser: Recogniser, video: Video, pace: bool = False) -> None:
        """Start to read.

        Args:
            recogniser: from `Recogniser.load`.
            video: from `open_video`; it must stay open until this is closed.
            pace: deliver the frames of a file at the times of their stamps, as a camera would, not as fast as
                they can be read. The results are the same.
        """
        queue = max(CAMERA_QUEUE, round(SPOTTING_QUEUE_S * video.info.fps))
        super().__init__(recogniser, video, pace, queue)
        self.spotter = LiveSpotter(recogniser, video.info.fps)

    def __enter__(self) -> "EventStream":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _add(self, frame: Frame, came_s: float | None) -> list[LiveResult]:
        return self._counted(self.spotter.add(frame, came_s, self.reader.skipped))

    def _finish(self) -> list[LiveResult]:
        return self._counted(self.spotter.finish(self.reader.skipped, missing_end(self.video)))

    def _counted(self, results: list[LiveResult]) -> list[LiveResult]:
        for result in results:
            if isinstance(result, LiveEvent):
                self._count(1000 * result.latency_s)
        return results

    def _face_warnings(self) -> tuple[str, ...]:
        return self.spotter.finder.warnings if self.spotter.finder else ()


class LiveStream(_Stream[LivePrediction]):
    """Iterate over predictions for the most recent window of a video.

    `with open_video(source) as video, LiveStream(recogniser, video) as live: for prediction in live: ...`

    Frames are read and skipped as in `EventStream`.
    """

    def __init__(
        self,
        recogniser: Recogniser,
        video: Video,
        settings: LiveSettings = LiveSettings(),
        pace: bool = False,
    ) -> None:
        """Start to read.

        Args:
            recogniser: from `Recogniser.load`.
            video: from `open_video`; it must stay open until this is closed.
            settings: length of the window, and frames between predictions.
            pace: deliver the frames of a file at the times of their stamps, as a camera would, not as fast as
                they can be read. Latency is then measured from the time a frame is due, and includes
                decoding.

        Raises:
            LearnetError: see `LiveRecogniser`.
        """
        is_waiting = video.info.kind != "camera" and not pace
        self.recogniser = LiveRecogniser(recogniser, settings, video.info.fps, wait=is_waiting)
        super().__init__(recogniser, video, pace, CAMERA_QUEUE)

    def __enter__(self) -> "LiveStream":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Stop reading and end both threads."""
        self.reader.close()
        self.recogniser.close()
        super().close()

    def _add(self, frame: Frame, came_s: float | None) -> list[LivePrediction]:
        return self._counted(self.recogniser.add(frame, came_s, self.reader.skipped))

    def _finish(self) -> list[LivePrediction]:
        return self._counted(self.recogniser.finish(self.reader.skipped))

    def _counted(self, prediction: LivePrediction | None) -> list[LivePrediction]:
        if prediction is None:
            return []
        self._count(prediction.latency_ms)
        return [prediction]

    def _face_warnings(self) -> tuple[str, ...]:
        return self.recogniser.finder.warnings if self.recogniser.finder else ()
