"""Live recognition of a file, folder or camera, which a thread reads ahead."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from learnet.core.errors import BadVideo
from learnet.core.settings import LiveSettings
from learnet.inference.live.recogniser import LivePrediction, LiveRecogniser
from learnet.inference.read_ahead import ReadAhead, SingleThreadLibraries
from learnet.inference.recogniser import Recogniser
from learnet.inference.video_warnings import video_warnings
from learnet.video.base import Video

READ_AHEAD = 16  # frames decoded ahead of a file
CAMERA_QUEUE = 8  # frames of a camera that may wait, 40 ms at 200 a second; beyond, the oldest is skipped


@dataclass(frozen=True)
class Summary:
    """Statistics of a stream."""

    frames: int  # frames processed
    predictions: int
    skipped: int  # frames that arrived faster than they could be processed
    median_ms: float | None  # latency of a prediction; None: no predictions
    p99_ms: float | None  # 99th percentile of the latency
    warnings: tuple[str, ...]  # about the stream as a whole

    def __str__(self) -> str:
        """Return one line: frames, predictions, skipped frames, and the latency if there is any."""
        text = f"{self.frames} frames, {self.predictions} predictions, {self.skipped} frames skipped"
        if self.skipped:
            text += ", as they arrived faster than they could be processed"
        if self.median_ms is not None:
            text += f"; median latency {self.median_ms:.1f} ms, 99 % within {self.p99_ms:.1f} ms"
        return text


class LiveStream:
    """Iterate over the predictions for a video.

    `with open_video(source) as video, LiveStream(recogniser, video) as live: for prediction in live: ...`

    A thread reads ahead. No frame of a file or folder is skipped: the reader waits. A camera does not wait:
    if frames arrive faster than they can be processed, the oldest waiting frame is skipped, and counted.

    Until `close`, OpenCV, numpy and PyTorch use one thread each. Decoding, face and network already share the
    cores, and a network that waits for a core for its second thread is delayed by other work.
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
        self.video = video
        self.metadata = recogniser.metadata
        camera = video.info.kind == "camera"
        self.recogniser = LiveRecogniser(recogniser, settings, video.info.fps, wait=not (camera or pace))
        self._threads = SingleThreadLibraries()
        self.reader = ReadAhead(
            video,
            capacity=CAMERA_QUEUE if camera else READ_AHEAD,
            skips=camera,
            records_arrival=camera or pace,
            pace=pace and not camera,
        )
        self.frames = 0
        self.predictions = 0
        self._latencies: Counter[float] = (
            Counter()
        )  # by tenths of a millisecond, so that memory does not grow

    def __enter__(self) -> "LiveStream":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Stop reading and end both threads."""
        self.reader.close()
        self.recogniser.close()
        self._threads.restore()

    def __iter__(self) -> Iterator[LivePrediction]:
        """Yield predictions when they are made, the last one for the last frames.

        Raises:
            BadVideo: a camera delivers no more frames, or the video is damaged. Predictions for all earlier
                frames have been yielded by then.
        """
        last_s = 0.0
        while (arrival := self.reader.take()) is not None:
            frame, came_s = arrival
            self.frames += 1
            last_s = frame.time_s
            prediction = self.recogniser.add(frame, came_s, self.reader.skipped)
            if prediction is not None:
                yield self._counted(prediction)
        prediction = self.recogniser.finish(self.reader.skipped)
        if prediction is not None:
            yield self._counted(prediction)
        self.reader.raise_error()
        if self.video.info.kind == "camera" and not self.reader.closed:
            raise BadVideo(
                self.video.info.source,
                f"it delivers no more frames, after {self.frames} frames in {last_s:.1f} s",
                "Check that it is plugged in. The predictions so far are valid.",
            )

    def summary(self) -> Summary:
        """Return the statistics so far."""
        return Summary(
            frames=self.frames,
            predictions=self.predictions,
            skipped=self.reader.skipped,
            median_ms=self._latency(0.5),
            p99_ms=self._latency(0.99),
            warnings=(*self._face_warnings(), *video_warnings(self.video, self.metadata)),
        )

    def _face_warnings(self) -> tuple[str, ...]:
        return self.recogniser.finder.warnings if self.recogniser.finder else ()

    def _counted(self, prediction: LivePrediction) -> LivePrediction:
        self.predictions += 1
        self._latencies[round(prediction.latency_ms, 1)] += 1
        return prediction

    def _latency(self, share: float) -> float | None:
        """Return the smallest latency that at least this share of the predictions does not exceed."""
        count = 0
        for latency_ms, occurrences in sorted(self._latencies.items()):
            count += occurrences
            if count >= share * self.predictions:
                return latency_ms
        return None
