"""Write frames as a video file."""

from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path

import av
import av.container

from learnet.core.errors import BadInput, pick
from learnet.core.files import atomic_file
from learnet.video.base import Pixels

CODECS = {"h264": "libx264", "mjpeg": "mjpeg", "ffv1": "ffv1"}  # our names and libav's
CONTAINERS = (".mp4", ".avi", ".mkv", ".mov")

THREADS = 4  # of the encoder: libx264 and ffv1 write other bytes with another number of threads

ENCODER_OPTIONS: dict[str, dict[str, str]] = {
    # Without cpu-independent, libx264 writes other bytes on other processors, and at times on the same one.
    "libx264": {"crf": "10", "preset": "veryfast", "x264-params": "cpu-independent=1"},
    "mjpeg": {"qmin": "1", "qmax": "2"},
    "ffv1": {},
}


def write_video(path: str | Path, frames: Iterable[Pixels], fps: float, codec: str = "h264") -> None:
    """Write frames as a video file that appears whole or not at all.

    The same frames give the same bytes, whatever the number of cores.

    Args:
        path: ends in .mp4, .mkv, .avi or .mov, which selects the container.
        frames: at least one, RGB, 0..255, of one size. An odd height or width is kept (h264 then without
            chroma subsampling).
        fps: frames per second.
        codec: h264 (visually lossless, crf 10), mjpeg, or ffv1 (lossless except for the colour conversion;
            mkv and avi).

    Raises:
        BadInput: no frames, frames of different size, an unknown suffix, or a file that cannot be written.
        UnknownName: no such codec.
    """
    path = Path(path)
    if path.suffix.lower() not in CONTAINERS:
        raise BadInput(
            path,
            f"{path.suffix or 'no suffix'} names no video format to write",
            f"Choose from {', '.join(CONTAINERS)}.",
        )
    encoder = pick(CODECS, codec, "codec")
    if not path.parent.is_dir():
        raise BadInput(path, "the folder of the video does not exist", "Create the folder first.")
    try:
        with atomic_file(path, path.suffix, private=True) as draft:
            _encode(draft, frames, Fraction(fps).limit_denominator(1001), encoder)
    except (av.FFmpegError, OSError) as error:
        raise BadInput(path, f"the video cannot be written ({error.strerror})") from error


def _encode(path: Path, frames: Iterable[Pixels], rate: Fraction, codec: str) -> None:
    """Write frames to a new file; an unfinished file is left for the caller to remove."""
    shape = None
    without_dates = {"fflags": "bitexact"}  # nor random numbers
    with av.open(f"file:{path}", "w", container_options=without_dates) as container:
        for pixels in frames:
            if shape is None:
                shape = pixels.shape
                stream = _new_stream(container, shape, rate, codec, path.suffix.lower())
            if pixels.shape != shape:
                raise BadInput(
                    path,
                    f"a frame of {pixels.shape[1]}x{pixels.shape[0]} follows one of {shape[1]}x{shape[0]}",
                )
            container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        if shape is None:
            raise BadInput(path, "there are no frames to write")
        container.mux(stream.encode())


def _new_stream(
    container: av.container.OutputContainer,
    shape: tuple[int, ...],
    rate: Fraction,
    codec: str,
    suffix: str,
) -> av.VideoStream:
    stream = container.add_stream(codec, rate=rate)
    assert isinstance(stream, av.VideoStream)
    stream.height, stream.width = shape[:2]
    even_size = shape[0] % 2 == 0 and shape[1] % 2 == 0
    h264_format = "yuv420p" if even_size else "yuv444p"
    stream.pix_fmt = {"libx264": h264_format, "mjpeg": "yuvj444p", "ffv1": "bgr0"}[codec]
    options: dict[str, object] = {"threads": str(THREADS), **ENCODER_OPTIONS[codec]}
    if suffix == ".avi":
        options["bf"] = "0"  # AVI cannot store the times of reordered pictures (B-frames)
    stream.options = options
    return stream
