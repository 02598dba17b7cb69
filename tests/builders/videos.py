"""Small video files and folders of images whose frames are known."""

from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np

RED, GREEN, BLUE, WHITE = (220, 30, 30), (30, 200, 30), (30, 30, 220), (230, 230, 230)


def colours(height: int = 48, width: int = 64) -> np.ndarray:
    """Return red and green above blue and white: every rotation and mirror image is different."""
    image = np.zeros((height, width, 3), np.uint8)
    image[: height // 2, : width // 2], image[: height // 2, width // 2 :] = RED, GREEN
    image[height // 2 :, : width // 2], image[height // 2 :, width // 2 :] = BLUE, WHITE
    return image


def numbered(count: int, height: int = 48, width: int = 64, step: int = 2) -> list[np.ndarray]:
    """Return frames whose grey level follows from their number: step * number + 10."""
    return [np.full((height, width, 3), step * i + 10, np.uint8) for i in range(count)]


def mux(
    path: Path,
    frames: list[np.ndarray],
    stamps: list[int] | None = None,
    codec: str = "libx264",
    **options: str,
) -> Path:
    """Write a file with PyAV alone: time stamps in milliseconds, or 25 frames per second."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=25)
        stream.height, stream.width = frames[0].shape[:2]
        stream.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
        stream.options = options
        if stamps:
            stream.codec_context.time_base = Fraction(1, 1000)
        for i, pixels in enumerate(frames):
            frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
            if stamps:
                frame.pts, frame.time_base = stamps[i], Fraction(1, 1000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def cut(path: Path, share: float) -> Path:
    """Write the first part of a file beside it, as an interrupted copy leaves it."""
    data = path.read_bytes()
    part = path.with_stem(f"{path.stem}-cut")
    part.write_bytes(data[: int(len(data) * share)])
    return part


def write_images(folder: Path, names: dict[str, np.ndarray]) -> Path:
    """Write images, by file name, into a folder."""
    folder.mkdir(exist_ok=True)
    for name, image in names.items():
        cv2.imencode(Path(name).suffix.lower(), image[..., ::-1])[1].tofile(folder / name)
    return folder
