"""Frame rates that videos of faces have."""

from pathlib import Path

from learnet.core.errors import BadInput

MIN_FPS = 0.1  # frames per second; an expression is over long before the next frame
MAX_FPS = 10_000  # frames per second; faster cameras do not produce video files of faces


def check_frame_rate(source: str | Path, fps: float) -> None:
    """Refuse a frame rate that no video of faces has.

    Raises:
        BadInput: it is not a number from MIN_FPS to MAX_FPS.
    """
    if not MIN_FPS <= fps <= MAX_FPS:
        hint = f"Give the actual frames per second (fps, --fps), from {MIN_FPS:g} to {MAX_FPS:,}."
        raise BadInput(source, f"{fps:g} is no frame rate", hint)
