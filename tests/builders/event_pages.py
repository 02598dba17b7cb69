"""Recognitions of small videos whose frames carry their number, without a network, for the page of events."""

from dataclasses import replace
from pathlib import Path

import av
import cv2
import numpy as np

from learnet.core.records import FACE_REGIONS, ActionUnitScore, Event, UnjudgedStretch
from learnet.inference.event_maps import EventMaps
from learnet.inference.prediction import Movement, Prediction
from learnet.inference.recogniser import Recogniser
from learnet.inference.recognition import Recognition
from learnet.inference.spotting import MotionRecorder, RecordedMotion, Spotting
from learnet.video.base import VideoInfo
from learnet.video.reader import open_video
from tests.builders.videos import mux

MOVFLAGS = "frag_keyframe+empty_moov"
BITS = 10
BIT_PX = 24
HEIGHT, WIDTH = 192, 288
EMOTIONS = {"negative": 0.05, "positive": 0.83, "surprise": 0.1, "none": 0.02}
REASON = "the head turns or moves too far"


def number_picture(number: int) -> np.ndarray:
    """Return a frame that shows its number as white and black squares, the lowest bit on the left."""
    image = np.full((HEIGHT, WIDTH, 3), 90, np.uint8)
    for bit in range(BITS):
        left = 24 + bit * BIT_PX
        image[72:120, left : left + BIT_PX] = 255 * (number >> bit & 1)
    return image


def read_number(png: bytes) -> int:
    """Return the number that a picture of such a frame shows, whatever its size."""
    image = cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_GRAYSCALE)
    height, width = image.shape
    number = 0
    for bit in range(BITS):
        column = round((24 + (bit + 0.5) * BIT_PX) / WIDTH * width)
        number |= int(image[height // 2, column] > 128) << bit
    return number


def numbered_video(path: Path, stamps_ms: list[int]) -> Path:
    """Write a video whose frames carry their number, shown at these times."""
    frames = [number_picture(number) for number in range(len(stamps_ms))]
    return mux(path, frames, stamps_ms, bf="2", g="40")


def fragmented(path: Path) -> Path:
    """Copy a video into fragments, without an edit list: its first time stamps are not zero, and players that
    seek by the time of decoding show what is after a key frame instead of what is before it."""
    copy = path.with_stem(f"{path.stem}-fragments")
    with av.open(str(path)) as source, av.open(str(copy), "w", options={"movflags": MOVFLAGS}) as target:
        stream = target.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(source.streams.video[0]):
            if packet.dts is not None:
                packet.stream = stream
                target.mux(packet)
    return copy


def synthetic_motion(
    times_s: np.ndarray, frames: np.ndarray, media_s: np.ndarray, step: int = 1
) -> RecordedMotion:
    """Return curves of a face in the middle: the left brow moves around 2 s; no face from 4 to 4.4 s.

    Every `step`-th frame is measured.
    """
    samples_s = times_s[::step]
    samples_s = samples_s[(samples_s < 4.0) | (samples_s >= 4.4)]
    regions_px = np.full((len(samples_s), len(FACE_REGIONS)), 0.05, np.float32)
    regions_px[:, 0] += 1.5 * np.exp(-(((samples_s - 2.0) / 0.15) ** 2)).astype(np.float32)
    eyes = np.tile(np.array([[110, 40], [178, 40]], np.float32), (len(samples_s), 1, 1))
    tracks = np.where(samples_s < 4.2, 1, 2).astype(np.int64)
    return RecordedMotion(frames, times_s, media_s, samples_s, regions_px, eyes, tracks)


def read_motion(path: Path, fps: float | None = None) -> tuple[VideoInfo, RecordedMotion]:
    """Return the true frames and times of a file, with synthetic curves."""
    recorder = MotionRecorder(2)
    with open_video(path, fps) as video:
        for frame in video:
            recorder.add_frame(frame)
    read = recorder.recorded()
    return video.info, synthetic_motion(read.frames_s, read.frames, read.media_s)


def some_events(motion: RecordedMotion) -> tuple[Event, ...]:
    """Return a micro-expression at 2 s, a blink at 3 s, and a longer expression without a label at 5 s."""

    def marks(*seconds: float) -> dict[str, float]:
        indices = [int(np.abs(motion.frames_s - time_s).argmin()) for time_s in seconds]
        named = {}
        for name, index in zip(("onset", "apex", "offset"), indices, strict=True):
            named[name] = int(motion.frames[index])
            named[f"{name}_s"] = float(motion.frames_s[index])
        return named

    units = (ActionUnitScore(12, "left", 0.91), ActionUnitScore(6, "both", 0.75))
    smile = Event(
        **marks(1.8, 2.0, 2.2),
        label="positive",
        score=0.83,
        emotions=EMOTIONS,
        strength_px=1.5,
        action_units=units,
        regions=("left brow", "left mouth corner"),
    )
    blink = Event(**marks(2.9, 3.0, 3.1), strength_px=2.0, regions=("left lids", "right lids"), is_blink=True)
    long = Event(
        **marks(4.8, 5.0, 5.6), strength_px=0.8, regions=("chin",), reason="the movement is too weak"
    )
    return smile, blink, long


def _prediction(event: Event, index: int) -> Prediction:
    marks = (event.onset, event.apex, event.offset, event.onset_s, event.apex_s, event.offset_s)
    return Prediction(
        window=index,
        start_s=event.onset_s,
        end_s=event.offset_s,
        first=event.onset,
        last=event.offset,
        frames=event.offset - event.onset + 1,
        label=None,
        scores={},
        reason="",
        face=None,
        head_px=None,
        warnings=(),
        movement=Movement(*marks),
    )


def some_maps() -> EventMaps:
    """Return maps of a movement upwards on the left of the picture."""
    movement = np.zeros((14, 14, 2), np.float32)
    movement[3:6, 3:6, 1] = -1.5
    response = np.zeros((7, 7), np.float32)
    response[1, 1], response[5, 5] = 0.4, -0.1
    return EventMaps(movement, response)


def some_recognition(path: Path, info: VideoInfo, motion: RecordedMotion) -> Recognition:
    """Return a recognition with these frames, three events and a stretch that is not judged."""
    events = some_events(motion)
    smile, _, long = events
    recognised = replace(_prediction(smile, 0), label="positive", scores=EMOTIONS, maps=some_maps())
    predictions = (recognised, replace(_prediction(long, 1), reason=long.reason))
    recogniser = Recogniser.load()
    return Recognition(
        source=str(path),
        info=info,
        frames=len(motion.frames),
        duration_s=float(motion.frames_s[-1]) + 1 / info.fps,
        weights=recogniser.weights,
        metadata=recogniser.metadata,
        windows=None,
        predictions=predictions,
        warnings=(),
        strongest_images=None,
        spotting=Spotting(events, (UnjudgedStretch(4.0, 4.4, REASON),)),
        motion=motion,
    )
