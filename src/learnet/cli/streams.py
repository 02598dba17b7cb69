"""The standard streams: names that their encoding lacks, readers that close them, and streams that are not
there."""

import io
import json
import os
import re
import sys
from pathlib import Path


def prepare_streams() -> None:
    """Let stdout and stderr accept every name, whatever their encoding is.

    A character that the encoding lacks is written as its escape. A stream that the caller closed accepts
    everything and keeps nothing.
    """
    if sys.stdout is None:
        sys.stdout = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 (open to the end)
    if sys.stderr is None:
        sys.stderr = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def print_json(text: str) -> bool:
    """Print JSON that is valid whatever the encoding of stdout is.

    Returns:
        Whether somebody still reads stdout. Once its reader has closed it, it keeps nothing.
    """
    encoding = (getattr(sys.stdout, "encoding", None) or "utf-8").lower()
    is_utf8 = encoding.replace("_", "-") in ("utf-8", "utf8")
    try:
        sys.stdout.write(text if is_utf8 else escape_json(text))
        sys.stdout.flush()
    except BrokenPipeError:
        discard_stdout()
        return False
    return True


def escape_json(text: str) -> str:
    r"""Return JSON in ASCII. Other characters only occur in its texts, and become escapes like `\u5e27`."""
    return re.sub(r"[^\x00-\x7f]", lambda match: json.dumps(match[0])[1:-1], text)


def flush_stdout() -> None:
    """Write what stdout still holds, so that an error of the disk is reported like any other.

    Raises:
        OSError: it cannot be written. Python would try again at the end, and is kept from it.
    """
    try:
        sys.stdout.flush()
    except OSError:
        discard_stdout()
        raise


def discard_stdout() -> None:
    """Let stdout keep nothing from now on: its reader has gone, or its disk is full."""
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, sys.stdout.fileno())
    os.close(null)
