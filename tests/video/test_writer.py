"""Written video files, read back by OpenCV and PyAV."""

from collections.abc import Iterator
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from learnet.core.errors import BadInput, UnknownName
from learnet.simulation.film import plan_film
from learnet.simulation.render import Camera, render
from learnet.video.reader import read_frames
from learnet.video.writer import ENCODER_OPTIONS, write_video
from tests.builders.videos import colours


@pytest.mark.parametrize(
    "name, codec",
    [("a.mp4", "h264"), ("a.avi", "mjpeg"), ("a.mkv", "ffv1"), ("a.avi", "h264"), ("a.mov", "mjpeg")],
)
@pytest.mark.parametrize("size", [(48, 64), (47, 63)])
def test_written_video_comes_back(
    tmp_path: Path, name: str, codec: str, size: tuple[int, int], rng: np.random.Generator
) -> None:
    """Read back by OpenCV, an independent decoder: same count, size and order, small loss."""
    base = cv2.resize(
        rng.integers(0, 256, (6, 8, 3), dtype=np.uint8), size[::-1], interpolation=cv2.INTER_CUBIC
    )
    frames = [np.roll(base, i, axis=1) for i in range(12)]
    write_video(tmp_path / name, iter(frames), 50.0, codec)
    reader, count = cv2.VideoCapture(str(tmp_path / name)), 0
    assert reader.get(cv2.CAP_PROP_FPS) == pytest.approx(50)
    while (result := reader.read())[0]:
        assert np.abs(result[1][..., ::-1].astype(int) - frames[count]).mean() < (
            8 if codec == "h264" else 4
        )  # colours are at half size there
        count += 1
    assert count == 12
    stamps = [frame.time for frame in av.open(str(tmp_path / name)).decode(video=0)]
    np.testing.assert_allclose(
        np.subtract(stamps, stamps[0]), np.arange(12) / 50, atol=1e-3
    )  # as other programs see them
    assert [path.name for path in tmp_path.iterdir()] == [name]
    if codec == "ffv1":
        assert (read_frames(tmp_path / name) == np.stack(frames)).all()


@pytest.mark.parametrize("name, codec", [("a.mp4", "h264"), ("a.avi", "mjpeg"), ("a.mkv", "ffv1")])
def test_same_frames_give_the_same_bytes(tmp_path: Path, name: str, codec: str) -> None:
    """Before, libx264 wrote these frames in one of several ways from one call to the next."""
    plan = plan_film(4, ("fear", "happiness", "surprise"), Camera(120, 160, 50.0, 62.0))
    contents = set()
    for _ in range(4):
        write_video(tmp_path / name, render(plan.recording), 50.0, codec)
        contents.add((tmp_path / name).read_bytes())
    assert len(contents) == 1


def test_h264_is_that_of_a_processor_without_extensions(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = plan_film(4, ("fear", "happiness", "surprise"), Camera(120, 160, 50.0, 62.0))
    frames = list(render(plan.recording, range(60)))
    write_video(tmp_path / "fast.mp4", frames, 50.0)
    options = ENCODER_OPTIONS["libx264"]
    plain = options["x264-params"] + ":asm=0"
    monkeypatch.setitem(ENCODER_OPTIONS, "libx264", {**options, "x264-params": plain})
    write_video(tmp_path / "plain.mp4", frames, 50.0)
    assert (tmp_path / "plain.mp4").read_bytes() == (tmp_path / "fast.mp4").read_bytes()


def failing() -> Iterator[np.ndarray]:
    yield colours()
    raise RuntimeError("the renderer broke")


def test_nothing_half_written(tmp_path: Path) -> None:
    (tmp_path / "old.mp4").write_bytes(b"what was there before")
    with pytest.raises(RuntimeError, match="renderer"):
        write_video(tmp_path / "old.mp4", failing(), 25.0, "mjpeg")  # which writes each frame at once
    with pytest.raises(BadInput, match="no frames"):
        write_video(tmp_path / "old.mp4", [], 25.0)
    with pytest.raises(BadInput, match="a frame of 64x40 follows one of 64x48"):
        write_video(tmp_path / "old.mp4", [colours(), colours(40, 64)], 25.0)
    assert [path.name for path in tmp_path.iterdir()] == ["old.mp4"]
    assert (tmp_path / "old.mp4").read_bytes() == b"what was there before"
    with pytest.raises(BadInput, match="folder of the video does not exist"):
        write_video(tmp_path / "nowhere" / "a.mp4", [colours()], 25.0)
    with pytest.raises(BadInput, match=r"\.gif names no video format"):
        write_video(tmp_path / "a.gif", [colours()], 25.0)
    with pytest.raises(UnknownName, match="h264"):
        write_video(tmp_path / "a.mp4", [colours()], 25.0, "h246")
