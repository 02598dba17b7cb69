"""Events as WebVTT, which players show as subtitles of the video. Times are milliseconds."""

import re
from collections.abc import Sequence
from html import escape, unescape
from pathlib import Path

from learnet.core.csv_files import decode_text
from learnet.core.errors import BadInput
from learnet.core.records import Event
from learnet.datasets.annotations.lanes import MIN_S, end_of
from learnet.datasets.annotations.record import UNJUDGED, Entries, Entry, Recording, unjudged_note
from learnet.datasets.annotations.text import event_text, text_entry

_TIME = r"(?:(\d+):)?([0-5]\d):([0-5]\d)\.(\d{3})"
_TIMES = re.compile(rf"{_TIME}[ \t]+-->[ \t]+{_TIME}(?:[ \t].*)?")
_RATE = re.compile(r"NOTE (\d+(?:\.\d+)?) frames per second")
_VOICE = re.compile(r"<v(?:\.\S+)? ([^>]*)>")
_TAG = re.compile(r"<[^>]*>")


def webvtt_text(events: Sequence[Event], recording: Recording) -> str:
    """Return the content of a WebVTT file: a cue for each event, spoken by its source, and for each stretch
    that cannot be judged."""
    blocks = ["WEBVTT"]
    if recording.fps:
        blocks.append(f"NOTE {recording.fps!r} frames per second")
    for event in sorted(events, key=lambda event: event.onset_s):
        times = f"{_time(event.onset_s)} --> {_time(end_of(event))}"
        text = escape(event_text(event), quote=False)
        blocks.append(f"{times}\n<v {escape(event.source)}>{text}")
    for stretch in recording.unjudged:
        times = f"{_time(stretch.start_s)} --> {_time(max(stretch.end_s, stretch.start_s + MIN_S))}"
        blocks.append(f"{times}\n<v {UNJUDGED}>not judged: {escape(stretch.reason, quote=False)}")
    return "\n\n".join(blocks) + "\n"


def read_webvtt(path: Path) -> Entries:
    """Read a WebVTT file.

    Raises:
        BadInput: the file is not WebVTT, or a cue cannot be read.
    """
    text = decode_text(path, path.read_bytes())
    blocks = re.split(r"\n{2,}", text.replace("\r\n", "\n").replace("\r", "\n").strip("\n"))
    if not re.match(r"WEBVTT(?:[ \t\n]|$)", blocks[0]):
        raise BadInput(path, "this is not WebVTT: it does not begin with WEBVTT", "Give a .vtt file.")
    fps = None
    entries: list[Entry] = []
    for block in blocks[1:]:
        if match := _RATE.fullmatch(block.strip()):
            fps = float(match[1])
        elif not block.startswith(("NOTE", "STYLE", "REGION")):
            entries.append(_cue(path, f"cue {len(entries) + 1}", block))
    events = [entry for entry in entries if entry.source != UNJUDGED]
    return Entries(events, Recording(fps=fps), unjudged_note(len(entries) - len(events)))


def _cue(path: Path, where: str, block: str) -> Entry:
    lines = block.split("\n")
    if "-->" not in lines[0]:
        lines = lines[1:]  # the first line is the identifier
    match = _TIMES.fullmatch(lines[0].strip()) if lines else None
    if match is None:
        shown = (lines or [block])[0][:60]
        raise BadInput(f"{path} {where}", f"{shown!r} is no line of times", "Write 00:01.000 --> 00:01.500.")
    onset_s, offset_s = _seconds(match.groups()[:4]), _seconds(match.groups()[4:])
    content = "\n".join(lines[1:])
    voice = _VOICE.match(content)
    source = unescape(voice[1]) if voice else ""
    return text_entry(path, where, (onset_s, offset_s), unescape(_TAG.sub("", content)), source)


def _time(time_s: float) -> str:
    """Return a time as 00:00:07.320."""
    minutes, milliseconds = divmod(round(1000 * time_s), 60_000)
    hours, minutes = divmod(minutes, 60)
    seconds, milliseconds = divmod(milliseconds, 1000)
    return f"{hours:02}:{minutes:02}:{seconds:02}.{milliseconds:03}"


def _seconds(parts: Sequence[str | None]) -> float:
    hours, minutes, seconds, milliseconds = (int(part or 0) for part in parts)
    return (1000 * (3600 * hours + 60 * minutes + seconds) + milliseconds) / 1000
