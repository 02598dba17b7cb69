"""Frames of a video that a second thread reads ahead."""

import sys
import threading
import time
from collections import deque
from concurrent.futures import ThreadPoolExecutor

import cv2
from threadpoolctl import threadpool_limits

from learnet.video.base import Frame, Video


class ReadAhead:
    """A thread that reads frames into a short queue."""

    def __init__(
        self, video: Video, *, capacity: int, skips: bool, records_arrival: bool, pace: bool
    ) -> None:
        """Start to read.

        Args:
            video: open video.
            capacity: frames in the queue.
            skips: skip the oldest frame of a full queue; otherwise wait until there is room.
            records_arrival: hand out the time at which a frame arrived.
            pace: wait until a frame is due, by its time stamp.
        """
        self.video = video
        self.capacity = capacity
        self.skips = skips
        self.records_arrival = records_arrival
        self.pace = pace
        self.skipped = 0
        self.closed = False
        self.ended = False
        self.queue: deque[tuple[Frame, float | None]] = deque()
        self.changed = threading.Condition()
        self.thread = ThreadPoolExecutor(1, "learnet-frames")
        self.reading = self.thread.submit(self._read)

    def take(self) -> tuple[Frame, float | None] | None:
        """Return the next frame and its arrival time (None: now); None at the end of the stream."""
        with self.changed:
            self.changed.wait_for(lambda: self.queue or self.ended or self.closed)
            if not self.queue or self.closed:
                return None
            arrival = self.queue.popleft()
            self.changed.notify_all()
            return arrival

    def raise_error(self) -> None:
        """Raise the error that ended the reading, if there was one."""
        self.reading.result()

    def stop(self) -> None:
        """Stop reading. A signal handler may call it."""
        with self.changed:
            self.closed = True
            self.changed.notify_all()

    def close(self) -> None:
        """Stop reading, and wait for the current frame, so that the video can be closed."""
        self.stop()
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
        """Put a frame into the queue when it is due and there is room; return False if closed."""
        with self.changed:
            if self.pace:
                self.changed.wait_for(lambda: self.closed, timeout=max(0.0, came_s - time.perf_counter()))
            if self.skips and len(self.queue) == self.capacity:
                self.queue.popleft()
                self.skipped += 1
            self.changed.wait_for(lambda: self.closed or len(self.queue) < self.capacity)
            if self.closed:
                return False
            self.queue.append((frame, came_s if self.records_arrival else None))
            self.changed.notify_all()
            return True


class SingleThreadLibraries:
    """OpenCV, numpy's linear algebra and PyTorch (if loaded) on one thread each, until `restore`."""

    def __init__(self) -> None:
        self.torch = sys.modules.get("torch")
        self.opencv_threads = cv2.getNumThreads()
        self.torch_threads = self.torch.get_num_threads() if self.torch else 1
        self.linear_algebra = threadpool_limits(1)
        self._set(1, 1)

    def restore(self) -> None:
        """Return to the numbers of threads from before."""
        self.linear_algebra.restore_original_limits()
        self._set(self.opencv_threads, self.torch_threads)

    def _set(self, opencv_threads: int, torch_threads: int) -> None:
        cv2.setNumThreads(opencv_threads)
        if self.torch:
            self.torch.set_num_threads(torch_threads)
