"""A file, folder or camera, read ahead by a thread of its own, and answered as it comes."""

import sys
import threading
import time
from collections import Counter, deque
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import cv2
from threadpoolctl import threadpool_limits

from learnet.core.errors import BadVideo
from learnet.core.settings import LiveSettings
from learnet.inference.live.recogniser import LiveAnswer, LiveRecogniser
from learnet.inference.recogniser import Recogniser, video_warnings
from learnet.video.base import Frame, Video

AHEAD = 16  # frames that are decoded ahead of a file
WAITING = 8  # frames of a camera that may wait, 40 ms at 200 a second; beyond, the oldest is skipped


@dataclass(frozen=True)
class Summary:
    """What came of a stream."""

    frames: int  # taken
    answers: int
    skipped: int  # frames not taken, because they came faster than they could be
    median_ms: float | None  # latency of an answer; None where there was none
    p99_ms: float | None  # latency that 99 of 100 answers stay below or at
    warnings: tuple[str, ...]  # about the stream as a whole

    def __str__(self) -> str:
        """One line: frames, answers, what was skipped and why, and two numbers of the latency where there are any."""
        skipped = f"{self.skipped} frames skipped" + (
            ", as they came faster than they could be taken" if self.skipped else ""
        )
        waited = (
            ""
            if self.median_ms is None
            else f"; from frame to answer {self.median_ms:.1f} ms, 99 % within {self.p99_ms:.1f} ms"
        )
        return f"{self.frames} frames, {self.answers} answers, {skipped}{waited}"


class Watch:
    """The answers to a video: `with open_video(source) as video, Watch(recogniser, video) as live: for answer in live: ...`.

    A thread reads ahead. Of a file or folder no frame is ever skipped: its reader waits. A camera does not wait: where frames come faster
    than they can be taken the oldest of those that wait is skipped, and counted.

    Until it is closed OpenCV, numpy and PyTorch do everything on one thread: decoding, face and network share the cores already, and a
    network that waits for its second thread to get a core is late by as long as the other work takes.
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
            settings: length of the window, and how often there is an answer.
            pace: let the frames of a file come at the times in their stamps, as a camera would give them, and not as fast as they can be
                read. Latency then counts from when a frame is due, decoding included.

        Raises:
            LearnetError: see `LiveRecogniser`.
        """
        self.video, self.facts = video, recogniser.facts
        camera = video.info.kind == "camera"
        self.recogniser = LiveRecogniser(recogniser, settings, video.info.fps, wait=not (camera or pace))
        self._threads = _OneThread()
        self.reader = _Reader(
            video, WAITING if camera else AHEAD, drops=camera, stamps=camera or pace, pace=pace and not camera
        )
        self.frames = self.answers = 0
        self._latencies: Counter[float] = (
            Counter()
        )  # by tenths of a millisecond, so that it does not grow with time

    def __enter__(self) -> "Watch":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Stop reading and end both threads."""
        self.reader.close()
        self.recogniser.close()
        self._threads.restore()

    def __iter__(self) -> Iterator[LiveAnswer]:
        """Answers as they come, the last one to the last frames.

        Raises:
            BadVideo: a camera gives no more pictures, or the video breaks off in a way that its reader refuses. All frames that came
                before have been answered by then.
        """
        last_s = 0.0
        while (arrived := self.reader.take()) is not None:
            frame, came_s = arrived
            self.frames, last_s = self.frames + 1, frame.time_s
            answer = self.recogniser.add(frame, came_s, self.reader.skipped)
            if answer is not None:
                yield self._counted(answer)
        answer = self.recogniser.finish(self.reader.skipped)
        if answer is not None:
            yield self._counted(answer)
        self.reader.outcome()
        if self.video.info.kind == "camera" and not self.reader.closed:
            wrong = f"it gives no more pictures, after {self.frames} frames in {last_s:.1f} s"
            raise BadVideo(self.video.info.source, wrong, "Is it still plugged in? The answers so far stand.")

    def summary(self) -> Summary:
        """What came of it so far."""
        said = tuple(video_warnings(self.video, self.facts))
        return Summary(
            self.frames, self.answers, self.reader.skipped, self._latency(0.5), self._latency(0.99), said
        )

    def _counted(self, answer: LiveAnswer) -> LiveAnswer:
        self.answers += 1
        self._latencies[round(answer.latency_ms, 1)] += 1
        return answer

    def _latency(self, share: float) -> float | None:
        """The latency that this share of the answers stays below or at."""
        passed = 0
        for latency_ms, count in sorted(self._latencies.items()):
            passed += count
            if passed >= share * self.answers:
                return latency_ms
        return None


class _OneThread:
    """OpenCV, numpy's algebra and PyTorch (where it is there) on one thread each, until `restore`."""

    def __init__(self) -> None:
        self.torch = sys.modules.get("torch")
        self.pictures, self.networks = cv2.getNumThreads(), self.torch.get_num_threads() if self.torch else 1
        self.algebra = threadpool_limits(1)
        self._set(1, 1)

    def restore(self) -> None:
        self.algebra.restore_original_limits()
        self._set(self.pictures, self.networks)

    def _set(self, for_pictures: int, for_networks: int) -> None:
        cv2.setNumThreads(for_pictures)
        if self.torch:
            self.torch.set_num_threads(for_networks)


class _Reader:
    """A thread that reads frames into a short queue."""

    def __init__(self, video: Video, room: int, drops: bool, stamps: bool, pace: bool) -> None:
        self.video, self.room, self.drops, self.stamps, self.pace = video, room, drops, stamps, pace
        self.skipped = 0
        self.closed = self.ended = False
        self.queue: deque[tuple[Frame, float | None]] = deque()
        self.changed = threading.Condition()
        self.thread = ThreadPoolExecutor(1, "learnet-frames")
        self.work = self.thread.submit(self._read)

    def take(self) -> tuple[Frame, float | None] | None:
        """The next frame, and when it was there (None: it is only now); None where there are no more."""
        with self.changed:
            self.changed.wait_for(lambda: self.queue or self.ended or self.closed)
            if not self.queue or self.closed:
                return None
            arrived = self.queue.popleft()
            self.changed.notify_all()
            return arrived

    def outcome(self) -> None:
        """Raise what ended the reading, if it was an error."""
        self.work.result()

    def close(self) -> None:
        """Stop reading, and wait until the frame in hand is there, so that the video can be closed."""
        with self.changed:
            self.closed = True
            self.changed.notify_all()
        self.thread.shutdown()

    def _read(self) -> None:
        try:
            start_s = None
            for frame in self.video:
                now_s = time.perf_counter()
                if self.pace:
                    start_s = now_s - frame.time_s if start_s is None else start_s
                    now_s = start_s + frame.time_s
                if not self._put(frame, now_s):
                    return
        finally:
            with self.changed:
                self.ended = True
                self.changed.notify_all()

    def _put(self, frame: Frame, came_s: float) -> bool:
        """Put a frame into the queue, at its time and when there is room; False where nobody wants frames any more."""
        with self.changed:
            if self.pace:
                self.changed.wait_for(lambda: self.closed, timeout=max(0.0, came_s - time.perf_counter()))
            if self.drops and len(self.queue) == self.room:
                self.queue.popleft()
                self.skipped += 1
            self.changed.wait_for(lambda: self.closed or len(self.queue) < self.room)
            if self.closed:
                return False
            self.queue.append((frame, came_s if self.stamps else None))
            self.changed.notify_all()
            return True
