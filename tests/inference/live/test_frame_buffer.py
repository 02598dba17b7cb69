"""The buffer of frames for the recognition of events, against the frames that it was given."""

from collections.abc import Iterator

import numpy as np
import pytest

from learnet.core.records import Event
from learnet.face.geometry import inverse, transform_points
from learnet.inference.event_clips import clip_numbers
from learnet.inference.live import frame_buffer
from learnet.inference.live.frame_buffer import DENSE_S, KEPT_S, FrameBuffer
from learnet.inference.spotting.motion import TRACKED_PX
from learnet.inference.spotting.spotter import MAX_RATE
from learnet.video.base import Frame

FPS = 200.0
TO_CROP = np.array([[4.0, 0.0, -80.0], [0.0, 4.0, -100.0]])  # a face crop of 32 pixels, from (20, 25) on
MEASURED = 3  # of so many frames, one is measured


def event(onset: int, apex: int, offset: int) -> Event:
    return Event(onset, apex, offset, onset / FPS, apex / FPS, offset / FPS)


def noise(count: int, shape: tuple[int, int] = (80, 90)) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (count, *shape, 3), dtype=np.uint8)


def filled(pixels: np.ndarray, to_crop: np.ndarray = TO_CROP) -> FrameBuffer:
    buffer = FrameBuffer()
    for number, picture in enumerate(pixels):
        buffer.add(Frame(number, number / FPS, picture), to_crop, number % MEASURED == 0)
    return buffer


def small(count: int) -> Iterator[Frame]:
    pixels = np.zeros((4, 4, 3), np.uint8)
    for number in range(count):
        yield Frame(number, number / FPS, pixels)


def test_around_the_face_a_clip_is_what_the_stream_showed() -> None:
    """The crop and its margins are rows 15 to 59 and columns 15 to 57."""
    pixels = noise(260)
    clip = filled(pixels).clip(event(205, 215, 230), FPS)
    assert clip.numbers == tuple(range(205, 231))
    np.testing.assert_array_equal(clip.pixels[:, 16:58, 16:56], pixels[205:231, 16:58, 16:56])
    corners = transform_points(inverse(TO_CROP), np.array([[0.0, 0.0], [TRACKED_PX, TRACKED_PX]]))
    (left, top), (right, bottom) = corners.astype(int).tolist()
    assert left >= 16 + 0.1 * 32 and top >= 16 + 0.25 * 32 and right <= 56 and bottom <= 58
    for picture in clip.pixels:  # the rest is of the last frame that was kept whole
        np.testing.assert_array_equal(picture[:10], pixels[200, :10])
    np.testing.assert_allclose(clip.times, np.arange(205, 231) / FPS)


def test_memory_does_not_grow() -> None:
    """All frames of DENSE_S, and a third of those before, however long the stream is."""
    buffer = FrameBuffer()
    kept, held = [], []
    for frame in small(12_000):
        buffer.add(frame, np.eye(2, 3), frame.number % MEASURED == 0)
        kept.append(buffer.kept)
        held.append(buffer.bytes)
    expected = FPS * (DENSE_S + (KEPT_S - DENSE_S) / MEASURED)
    assert abs(max(kept) - expected) <= 3
    assert max(kept[6000:]) == max(kept[:6000]) and max(held[6000:]) == max(held[:6000])
    assert held[-1] == kept[-1] * 4 * 4 * 3


def test_frames_that_were_not_measured_are_left_out_where_memory_is_short(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(frame_buffer, "MAX_BYTES", 48 * 1000)
    buffer = FrameBuffer()
    assert KEPT_S * FPS / MEASURED < 1000 < DENSE_S * FPS
    for frame in small(6000):
        buffer.add(frame, np.eye(2, 3), frame.number % MEASURED == 0)
        assert buffer.bytes <= 48 * 1001
    clip = buffer.clip(event(5900, 5920, 5960), FPS)
    assert {5900, 5920, 5960} <= set(clip.numbers)


def test_a_slow_movement_begins_at_the_nearest_measured_frame() -> None:
    """Its onset is 13 s ago, so only frames 3 k are left of that time; each is used once."""
    buffer = FrameBuffer()
    values = np.arange(3000) % 251
    for number, value in enumerate(values.tolist()):
        picture = np.full((4, 4, 3), value, np.uint8)
        buffer.add(Frame(number, number / FPS, picture), np.eye(2, 3), number % MEASURED == 0)
    slow = event(400, 1300, 1400)
    clip = buffer.clip(slow, FPS)
    assert {400, 1300, 1400} <= set(clip.numbers) <= set(clip_numbers(slow, FPS))
    onset, apex, offset = (clip.pixels[clip.numbers.index(mark), 0, 0, 0] for mark in (400, 1300, 1400))
    assert onset == values[399] and apex == values[1300] and offset == values[1400]
    assert clip.pixels[clip.numbers.index(401), 0, 0, 0] == values[402]
    shown = clip.pixels[:, 0, 0, 0].tolist()
    assert all(first != second for first, second in zip(shown, shown[1:], strict=False))


def test_a_large_face_is_kept_at_a_lower_resolution() -> None:
    """The eyes of a face 700 pixels wide are 252 pixels apart: a third of the resolution is enough."""
    y, x = np.mgrid[:800, :900]
    smooth = (
        (128 + 100 * np.sin(x / 60) * np.cos(y / 70)).astype(np.uint8)[None, ..., None].repeat(3, axis=-1)
    )
    to_crop = np.array([[TRACKED_PX / 700, 0.0, -15.0], [0.0, TRACKED_PX / 700, -10.0]])
    buffer = filled(smooth, to_crop)
    assert buffer.bytes <= smooth.nbytes / 9
    pair = np.concatenate([np.zeros_like(smooth), smooth])  # the first shows the rest of the second
    clip = filled(pair, to_crop).clip(event(0, 1, 1), FPS)
    difference = np.abs(clip.pixels[1, :700, 100:750].astype(int) - smooth[0, :700, 100:750])
    assert difference.max() <= 4 and not clip.pixels[0].any()


def test_without_a_face_nothing_is_kept() -> None:
    buffer = FrameBuffer()
    for frame in small(10):
        buffer.add(frame, None, is_measured=True)
    assert (buffer.kept, buffer.bytes) == (0, 0)


def test_at_200_frames_a_second_the_limit_is_not_reached() -> None:
    """Eyes 100 pixels apart, beyond which a face is reduced; four pixels more are for interpolation."""
    crop_px = frame_buffer.MAX_EYE_DISTANCE_PX / 0.36
    part_bytes = 3 * (1.3 * crop_px + 4) * (1.35 * crop_px + 4)
    frames = DENSE_S * 200 + (KEPT_S - DENSE_S) * MAX_RATE
    assert frames * part_bytes < frame_buffer.MAX_BYTES
