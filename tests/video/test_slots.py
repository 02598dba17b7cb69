"""AVI numbers slots of equal length, of which some are empty: a picture was skipped, or none is due."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from learnet.video.libav import MISSING_FRAMES
from learnet.video.reader import open_video, read_frames
from tests.builders.videos import cut, numbered


def avi(path: Path, slots: list[int], rate: int, codec: str = "mpeg4", **options: str) -> Path:
    """Write one picture into each of some slots.

    Args:
        path: of the file.
        slots: their numbers.
        rate: slots a second.
        codec: of the pictures.
        options: of the codec.
    """
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=rate)
        stream.height, stream.width = 48, 64
        stream.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
        stream.options = options
        for slot, pixels in zip(slots, numbered(len(slots), step=1), strict=True):
            frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
            frame.pts, frame.time_base = slot, Fraction(1, rate)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    with av.open(str(path)) as container:
        assert container.streams.video[0].frames > len(slots)  # or the test would show nothing
    return path


EVERY_OTHER = [slot for slot in range(0, 400, 2) if not 100 < slot < 140]
"""Slots of 1/200 s of a film of 100 frames a second, which was interrupted for 0.2 s."""


@pytest.mark.parametrize("codec", ["mjpeg", "mpeg4"])
def test_an_interrupted_film_lacks_nothing_at_its_end(tmp_path: Path, codec: str) -> None:
    with open_video(avi(tmp_path / "drop.avi", EVERY_OTHER, 200, codec)) as video:
        assert video.info.fps == pytest.approx(100) and video.info.frames == len(EVERY_OTHER)
        times_s = [frame.time_s for frame in video]
        assert video.losses == video.structural_losses() == {}
        assert "19 slots of the file are empty: the recorder skipped pictures there." in video.notes
    np.testing.assert_allclose(times_s, np.array(EVERY_OTHER) / 200, atol=1e-6)


@pytest.mark.parametrize("codec", ["mjpeg", "libx264"])
@pytest.mark.parametrize("skipped", [(1,), (12, 37, 61)])
def test_skipped_pictures_are_not_missing(tmp_path: Path, codec: str, skipped: tuple[int, ...]) -> None:
    """The second slot stays empty, too, where the codec reorders the pictures."""
    slots = [slot for slot in range(75) if slot not in skipped]
    path = avi(tmp_path / "skipped.avi", slots, 25, codec)
    with open_video(path) as video:
        assert len(list(video)) == video.info.frames == len(slots) and video.losses == {}
        told = [note for note in video.notes if "empty: the recorder skipped pictures there" in note]
        assert bool(told) == (codec == "mjpeg")  # the other reorders pictures, and leaves slots empty for it
        assert not told or told[0].startswith(f"{len(skipped)} slot")
    assert len(read_frames(path)) == len(slots)


def test_reordered_pictures_have_the_rate_of_the_film(tmp_path: Path) -> None:
    """Not that of the slots."""
    path = avi(tmp_path / "reordered.avi", list(range(0, 200, 2)), 200, "libx264", bf="2")
    with open_video(path) as video:
        assert video.info.fps == pytest.approx(100, rel=1e-3)
        assert len(list(video)) == 100 and video.losses == {}


@pytest.mark.parametrize("share", [0.4, 0.6, 0.8])
def test_what_a_cut_film_lacks_is_counted_by_its_slots(tmp_path: Path, share: float) -> None:
    whole = avi(tmp_path / "drop.avi", EVERY_OTHER, 200, "mjpeg")
    with open_video(cut(whole, share)) as video:
        delivered = list(video)
        last = EVERY_OTHER[len(delivered) - 1]
        assert len(delivered) < len(EVERY_OTHER)
        assert video.losses[MISSING_FRAMES] == pytest.approx((399 - last - 1) / 2, abs=1)
