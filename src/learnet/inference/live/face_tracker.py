"""Where the face is, while frames come: found once, then followed, found anew where it has moved too far for its crops.

Finding a face takes longer than a fast camera gives from frame to frame, so a second thread does it. The crops of a window must all
go by one transform (a jump between two of them would be motion), so when the face has moved all frames of the window are cropped
again, in that thread too, while the answers go on by the old transform; then the new ones take the place of the old.
"""

import os
import sys
import threading
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float64, UInt8

from learnet.core.errors import NoFace
from learnet.face import EYE_DISTANCE, MIN_RIGID_CORRELATION, AlignedFaces, FaceFinder, align
from learnet.face.geometry import similarity_transform, transform_points
from learnet.face.head import EYES_AND_MOUTH, head_motion
from learnet.inference.live.crops import Crops
from learnet.video.base import Frame

LOOKS = 4  # looks at the face in a window: how far the head moves is measured between them
DELAY = 0.2  # of a window: after so much video a look must have ended, where it is waited for. 0.1 s is five times what finding takes
MOVED = 0.1  # distances of the eyes by which the face may move before its frames are cropped anew: 4 of 112 pixels


@dataclass(frozen=True)
class Anchor:
    """The face that crops go by, and the frame that later ones are compared with."""

    aligned: AlignedFaces  # of one frame
    pixels: UInt8[np.ndarray, "H W 3"]  # the frame of reference
    eyes: Float64[np.ndarray, "2 2"]  # in it
    marks: Float64[np.ndarray, "3 2"]  # eyes and mouth in it, as followed from the frames before
    chain: int  # counts up where the face was lost, so that nothing is known of its way


@dataclass(frozen=True)
class Look:
    """What one look at one frame says."""

    time_s: float
    anchor: Anchor | None  # the one to go on with; None: no face was seen
    marks: Float64[np.ndarray, "3 2"] | None  # eyes and mouth, pixels of the frame


@dataclass(frozen=True)
class Pace:
    """How often the face is looked at, and when what was seen is taken on."""

    look: int  # frames from one look to the next
    delay: int  # frames after which the second thread's work is taken on
    wait: bool  # until it is done: so that the same frames have the same answers; else it is taken on when it is done
    window: int  # frames expected in a window


class Follower:
    """The crops of the frames that are wanted (`now`), all by one transform that fits; None while there is no face."""

    def __init__(self, finder: FaceFinder | None, size: int, pace: Pace) -> None:
        self.finder, self.size, self.pace = finder, size, pace
        self.now: Crops | None = None
        self.anchor: Anchor | None = None
        self.looks: deque[Look] = deque(maxlen=4 * LOOKS)
        self.free = (
            threading.Event()
        )  # unset while an answer is made: crops can wait for it, and it not for them
        self.free.set()
        self.moves = 0  # how often the crops began anew because the face had moved
        self._next: Crops | None = None
        self._look: Future[Look] | None = None
        self._crop: Future[None] | None = None
        self._count, self._looked, self._due = 0, -pace.look, 0
        self._thread = ThreadPoolExecutor(1, "learnet-face", initializer=_step_back)

    def close(self) -> None:
        """End the second thread, when what it has in hand is done."""
        self._thread.shutdown(cancel_futures=True)

    def add(self, kept: Sequence[Frame]) -> None:
        """Take the newest frame.

        Args:
            kept: all frames that are still wanted, in time order, the newest last.
        """
        newest = kept[-1]
        if self.finder is None and self.now is None:
            self.now = Crops(align(newest.pixels[None], None, self.size), self.pace.window)
        if (
            self._next is not None and self._next.full
        ):  # the second thread is behind by a window: its places must not be moved
            self._take_crops()
        for crops in (self.now, self._next):
            if crops is not None:
                crops.add(newest.pixels, len(kept) - 1)
        if self.finder is None:
            return
        self._count += 1
        if self._look or self._crop:
            if self._count >= self._due or not self.pace.wait:
                self._take(kept, self.pace.wait)
        elif self._count - self._looked >= self.pace.look:
            self._looked, self._due = self._count, self._count + self.pace.delay
            self._look = self._thread.submit(look, newest, self.anchor, self.finder, self.size)

    def settle(self, kept: Sequence[Frame]) -> None:
        """Wait for the second thread and take on what it found: no frame comes after the newest of KEPT."""
        while self._look or self._crop:
            self._take(kept, wait=True)

    def head_px(self, since_s: float) -> float | None:
        """How far the head has moved since a time, in pixels of the crop; None where that could not be measured."""
        seen = [look for look in self.looks if look.time_s >= since_s]
        known = [
            (look.marks, look.anchor.chain)
            for look in seen
            if look.marks is not None and look.anchor is not None
        ]
        if self.anchor is None or len(known) < max(2, len(seen)) or len({chain for _, chain in known}) > 1:
            return None
        apart = max(float(np.linalg.norm(marks - known[0][0], axis=1).max()) for marks, _ in known)
        return apart / _apart(self.anchor) * EYE_DISTANCE * self.size

    @property
    def there(self) -> bool:
        """Whether the newest look saw the face."""
        return bool(self.looks) and self.looks[-1].anchor is not None

    def last_seen_s(self) -> float | None:
        """Time of the last look that saw the face; None where none did."""
        return max((look.time_s for look in self.looks if look.anchor is not None), default=None)

    def lose(self) -> None:
        """Forget a face that has gone."""
        self.now = self.anchor = None

    def _take(self, kept: Sequence[Frame], wait: bool) -> None:
        """Take on what the second thread has done, where it has done it."""
        if self._crop:
            if wait or self._crop.done():
                self._take_crops()
        elif self._look and (wait or self._look.done()):
            found, self._look = self._look.result(), None
            self.looks.append(found)
            if found.anchor is None:
                return
            self.anchor = found.anchor
            if self.now is None or self.now.aligned is not found.anchor.aligned:
                self._crop_anew(found.anchor.aligned, [frame.pixels for frame in kept])

    def _crop_anew(self, aligned: AlignedFaces, frames: list[UInt8[np.ndarray, "H W 3"]]) -> None:
        self._next = crops = Crops(aligned, max(self.pace.window, len(frames)))
        crops.end = len(frames)  # their places; the frames that come go behind them

        def fill() -> None:
            for place, frame in enumerate(frames):
                self.free.wait()
                crops.put(place, frame)

        self._crop, self._due = self._thread.submit(fill), self._count + self.pace.delay

    def _take_crops(self) -> None:
        assert self._crop is not None
        self._crop.result()
        self.moves += self.now is not None
        self.now, self._next, self._crop = self._next, None, None


def _step_back() -> None:
    """Let this thread wait for those that frames and answers hang on: a face may be looked for a little longer."""
    if sys.platform == "linux":  # elsewhere a priority is that of the whole process
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), 10)


def look(frame: Frame, anchor: Anchor | None, finder: FaceFinder, size: int) -> Look:
    """Follow the face from the anchor's frame to this one; find it anew where it was lost, or has moved too far.

    Args:
        frame: to be looked at.
        anchor: of the look before; None where there is no face yet.
        finder: finds a face.
        size: height and width of the crops in pixels.
    """
    chain, marks = (0, None) if anchor is None else (anchor.chain + 1, None)
    if anchor is not None and frame.pixels.shape == anchor.pixels.shape:
        motion = head_motion(np.stack([anchor.pixels, frame.pixels]), anchor.eyes, 0, fine=False)
        if motion.correlation[1] >= MIN_RIGID_CORRELATION:
            chain, marks = anchor.chain, transform_points(motion.transforms[1], anchor.marks)
            eyes = transform_points(motion.transforms[1], anchor.eyes)
            if np.linalg.norm(eyes - _cropped_by(anchor), axis=1).max() <= MOVED * _apart(anchor):
                return Look(frame.time_s, anchor, marks)
    try:
        aligned = align(frame.pixels[None], finder, size)
    except NoFace:
        return Look(frame.time_s, None, None)
    assert aligned.face is not None
    eyes = np.array(aligned.face.eyes)
    if marks is None:
        marks = transform_points(
            similarity_transform(np.array([[-0.5, 0.0], [0.5, 0.0]]), eyes), EYES_AND_MOUTH
        )
    found = Anchor(aligned, frame.pixels, eyes, marks, chain)
    if anchor is not None and np.linalg.norm(eyes - _cropped_by(anchor), axis=1).max() <= MOVED * _apart(
        anchor
    ):
        found = replace(
            found, aligned=anchor.aligned
        )  # where it was: another look, as after a blink, but the same crops
    return Look(frame.time_s, found, marks)


def _cropped_by(anchor: Anchor) -> Float64[np.ndarray, "2 2"]:
    """The eyes that the crops go by."""
    assert anchor.aligned.face is not None
    return np.array(anchor.aligned.face.eyes)


def _apart(anchor: Anchor) -> float:
    """Distance of these eyes in pixels of the frame."""
    return float(np.linalg.norm(np.diff(_cropped_by(anchor), axis=0)))
