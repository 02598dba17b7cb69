"""Text of any origin, such as names of files, made safe to write and to print."""

import re
from pathlib import Path

OBEYED = "\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff"
"""Control characters that a terminal obeys, those that reverse the direction of writing, and bytes of names
that are not UTF-8, which Python keeps as surrogates."""

LINE_BREAKS = "\t\n\u2028\u2029"

_OBEYED = re.compile(f"[{OBEYED}]")
_OBEYED_OR_BREAK = re.compile(f"[{OBEYED}{LINE_BREAKS}]")

_STORED_BYTE = re.compile(r"\\u(dc[89a-f][0-9a-f])")


def encode_text(text: str) -> bytes:
    r"""Return text in UTF-8. A byte of a name that is not UTF-8, such as 0xC4, is written as `\udcc4`.

    In JSON this is the escape of that byte, so the name is read back as it was.
    """
    return text.encode("utf-8", errors="backslashreplace")


def storable(text: str) -> str:
    r"""Return text that UTF-8 can hold; see `encode_text`."""
    return encode_text(text).decode("utf-8")


def stored_path(text: str) -> Path:
    """Return the path that `storable` made a text of."""
    return Path(_STORED_BYTE.sub(lambda match: chr(int(match[1], 16)), text))


def printable(text: str) -> str:
    r"""Return text in one line, with every character that a terminal obeys as its escape, such as `\x1b`."""
    return _OBEYED_OR_BREAK.sub(_escape, text)


def printable_lines(text: str) -> str:
    """Return text as `printable` does, and keep its lines."""
    return _OBEYED.sub(_escape, text)


def _escape(match: re.Match[str]) -> str:
    return match[0].encode("unicode_escape").decode("ascii")
