"""What all annotation files have in common: entries with times or frames, and the events they describe."""

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from learnet.core.errors import BadInput, counted
from learnet.core.frame_rates import check_frame_rate
from learnet.core.records import FACE_REGIONS, ActionUnitScore, Event, UnjudgedStretch

MAX_TIME_S = 1e7  # 115 days; more is no time in a video
NO_SOURCE = "annotation"  # source of events whose file names nobody
UNJUDGED = "unjudged"  # tier of the stretches in which no event can be spotted
ROUNDING_S = 0.0011  # ELAN and WebVTT have whole milliseconds
# By how much frames and seconds may differ where both are given: less than 25 and 30 frames a second do.
RATE_TOLERANCE = 0.15
FRAME_TOLERANCE = 2.0


@dataclass(frozen=True)
class Recording:
    """What must be known of a video to turn seconds into frames and to find events outside of it."""

    fps: float | None = None  # frames per second; None: unknown
    first: int = 0  # number of the first frame
    frames: int | None = None  # number of frames; None: unknown
    name: str = ""  # file name
    variable_rate: bool = False  # `fps` is a mean, which frames and seconds of an event need not agree with
    unjudged: tuple[UnjudgedStretch, ...] = ()  # in which no event can be spotted


@dataclass(frozen=True)
class Entry:
    """An annotation as a file has it. Frames, seconds or both are given."""

    where: str  # in the file: "line 3", "tier events, annotation 2"
    onset: int | None = None  # frame
    apex: int | None = None
    offset: int | None = None
    onset_s: float | None = None  # seconds since the first frame
    apex_s: float | None = None
    offset_s: float | None = None
    kind: str = ""  # "micro", "macro" or "blink"; empty: by the duration
    label: str = ""
    score: float = 0.0
    action_units: tuple[ActionUnitScore, ...] = ()
    regions: tuple[str, ...] = ()
    strength_px: float = 0.0
    source: str = ""  # annotator, tier or subject
    reason: str = ""
    status: str = ""  # of EVENT_STATUSES; empty: unknown


@dataclass(frozen=True)
class AnnotationFile:
    """The events of an annotation file, in time order."""

    path: Path
    events: tuple[Event, ...]
    notes: tuple[str, ...] = ()  # sentences about what was assumed or left out
    fps: float | None = None  # with which seconds became frames, or frames seconds; None: unknown
    apex_given: tuple[bool, ...] = ()  # of each event; False where the middle is taken


@dataclass(frozen=True)
class Entries:
    """What a reader of a format returns."""

    entries: Sequence[Entry]
    recording: Recording = Recording()  # as far as the file describes it
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Mark:
    """An onset, apex or offset."""

    frame: int
    time_s: float


def unjudged_note(number: int) -> tuple[str, ...]:
    """Return a note about annotations of the tier UNJUDGED, which are no events; none if there are none."""
    if not number:
        return ()
    return (f"{counted(number, 'stretch', 'stretches')} that cannot be judged left out.",)


def build_events(path: Path, read: Entries, recording: Recording) -> AnnotationFile:
    """Turn the entries of a file into events.

    An entry without an apex has it in the middle. Seconds become the nearest frame, frames the time at which
    they are shown at a constant rate.

    Args:
        path: the file, for errors.
        read: its entries.
        recording: the video; what it leaves open is taken from the file.

    Raises:
        BadInput: an onset after its offset, an apex outside of them, an event outside the video, a number
            that is none, neither frames nor a frame rate, or frames and seconds that contradict the rate.
    """
    known = _combine(recording, read.recording)
    if not recording.fps and known.fps:
        check_frame_rate(path, known.fps)
    built: list[tuple[Event, bool]] = []
    notes: Counter[str] = Counter()
    for entry in read.entries:
        _check_values(path, entry)
        event = _event(path, entry, known)
        _check_rate(path, entry, event, known)
        _check_inside(path, entry, event, known)
        has_apex = entry.apex is not None or entry.apex_s is not None
        if not has_apex:
            notes["without an apex: the middle is taken"] += 1
        if entry.kind and entry.kind != event.kind:
            notes[f"called {entry.kind}, and by the duration {event.kind}"] += 1
        built.append((event, has_apex))
    built.sort(key=lambda pair: (pair[0].onset_s, pair[0].offset_s))
    events = tuple(event for event, _ in built)
    apex_given = tuple(has_apex for _, has_apex in built)
    sentences = [f"{number} of {len(events)} {text}." for text, number in notes.items()]
    return AnnotationFile(path, events, (*read.notes, *sentences), known.fps, apex_given)


def _combine(recording: Recording, stated: Recording) -> Recording:
    """Return what is known of the video: by the user first, then by the file."""
    return replace(
        recording,
        fps=recording.fps or stated.fps,
        frames=stated.frames if recording.frames is None else recording.frames,
        name=recording.name or stated.name,
        variable_rate=recording.variable_rate or stated.variable_rate,
    )


def _check_values(path: Path, entry: Entry) -> None:
    numbers = {
        "onset": entry.onset_s,
        "apex": entry.apex_s,
        "offset": entry.offset_s,
        "score": entry.score,
    }
    for name, value in numbers.items():
        if value is not None and not (math.isfinite(value) and abs(value) < MAX_TIME_S):
            raise BadInput(f"{path} {entry.where}", f"the {name} {value} is not a number", "Correct it.")
    if not 0 <= entry.score <= 1:
        problem = f"the score {entry.score:g} is not from 0 to 1"
        raise BadInput(f"{path} {entry.where}", problem, "Correct it.")
    unknown = set(entry.regions) - set(FACE_REGIONS)
    if unknown:
        known = f"Known: {', '.join(FACE_REGIONS)}."
        raise BadInput(f"{path} {entry.where}", f"there is no region {sorted(unknown)[0]!r}", known)


def _mark(path: Path, frame: int | None, time_s: float | None, recording: Recording) -> Mark | None:
    """Return a mark of which the frame, the time or both are known; None where neither is.

    Raises:
        BadInput: one must be computed from the other and the frame rate is not known.
    """
    if frame is not None and time_s is not None:
        return Mark(frame, time_s)
    if frame is None and time_s is None:
        return None
    if recording.fps is None:
        hint = "Give the frame rate (--fps) or the video (--video)."
        raise BadInput(path, "the frame rate of the video is not known", hint)
    if frame is not None:
        return Mark(frame, (frame - recording.first) / recording.fps)
    assert time_s is not None
    return Mark(recording.first + round(time_s * recording.fps), time_s)


def _event(path: Path, entry: Entry, recording: Recording) -> Event:
    onset = _mark(path, entry.onset, entry.onset_s, recording)
    apex = _mark(path, entry.apex, entry.apex_s, recording)
    offset = _mark(path, entry.offset, entry.offset_s, recording)
    if onset is None or offset is None:
        raise BadInput(f"{path} {entry.where}", "the onset or the offset is missing", "Fill it in.")
    if apex is None:
        apex = Mark((onset.frame + offset.frame) // 2, (onset.time_s + offset.time_s) / 2)
    apex = _undo_rounding(apex, onset, offset)
    _check_order(path, entry, onset, apex, offset)
    return Event(
        onset=onset.frame,
        apex=apex.frame,
        offset=offset.frame,
        onset_s=onset.time_s,
        apex_s=apex.time_s,
        offset_s=offset.time_s,
        label=entry.label,
        score=entry.score,
        strength_px=entry.strength_px,
        source=entry.source or NO_SOURCE,
        action_units=entry.action_units,
        reason=entry.reason,
        regions=entry.regions,
        is_blink=entry.kind == "blink",
        status=entry.status,
    )


def _undo_rounding(apex: Mark, onset: Mark, offset: Mark) -> Mark:
    """Return the apex inside onset and offset where only rounding to milliseconds has put it outside."""
    nearest = apex
    if apex.time_s < onset.time_s:
        nearest = onset
    elif apex.time_s > offset.time_s:
        nearest = offset
    return nearest if abs(apex.time_s - nearest.time_s) <= ROUNDING_S else apex


def _check_order(path: Path, entry: Entry, onset: Mark, apex: Mark, offset: Mark) -> None:
    """Refuse marks that are out of order."""
    frames_agree = onset.frame <= apex.frame <= offset.frame
    if frames_agree and onset.time_s <= apex.time_s <= offset.time_s:
        return
    limits = f"onset ({onset.time_s:.3f} s) and offset ({offset.time_s:.3f} s)"
    problem = f"the apex ({apex.time_s:.3f} s) is not between {limits}"
    if onset.frame > offset.frame or onset.time_s > offset.time_s:
        problem = f"the onset ({onset.time_s:.3f} s) is after the offset ({offset.time_s:.3f} s)"
    raise BadInput(f"{path} {entry.where}", problem, "Correct it.")


def _check_rate(path: Path, entry: Entry, event: Event, recording: Recording) -> None:
    """Refuse frames and seconds of one event that contradict the frame rate.

    Without the video the number of its first frame is not known, so only the duration is compared.
    """
    if recording.fps is None or recording.variable_rate:
        return
    frames = {"duration": (event.offset - event.onset, event.offset_s - event.onset_s)}
    if recording.frames is not None:
        frames["onset"] = (event.onset - recording.first, event.onset_s)
        frames["offset"] = (event.offset - recording.first, event.offset_s)
    for name, (number, time_s) in frames.items():
        difference = abs(number - recording.fps * time_s)
        if difference > max(FRAME_TOLERANCE, RATE_TOLERANCE * number):
            rate = f"{recording.fps:g} frames a second"
            problem = f"the {name} is {number} frames and {time_s:.3f} s, which contradicts {rate}"
            hint = "Correct the row, or give the right rate (--fps)."
            raise BadInput(f"{path} {entry.where}", problem, hint)


def _check_inside(path: Path, entry: Entry, event: Event, recording: Recording) -> None:
    """Refuse an event outside its video."""
    last = None if recording.frames is None else recording.first + recording.frames - 1
    if event.onset >= recording.first and (last is None or event.offset <= last):
        return
    limits = f"{recording.first} to {'the end' if last is None else last}"
    times = f"{event.onset_s:.3f} to {event.offset_s:.3f} s"
    raise BadInput(
        f"{path} {entry.where}",
        f"the event from frame {event.onset} to {event.offset} ({times}) is outside the video, "
        f"which has frames {limits}",
        "Correct it, or give the video to which it belongs.",
    )


def merge_tiers(entries: Iterable[Entry]) -> list[Entry]:
    """Merge entries of different sources that have the same onset and offset.

    Coders put the action units, the emotion and the kind of one event into several tiers.
    """
    merged: dict[tuple, Entry] = {}
    for entry in entries:
        limits = (entry.onset, entry.offset, entry.onset_s, entry.offset_s)
        first = merged.get(limits)
        if first is None or first.source == entry.source:
            key = limits if first is None else (*limits, len(merged))
            merged[key] = entry
            continue
        labels = [label for label in (first.label, entry.label) if label]
        merged[limits] = replace(
            first,
            apex_s=entry.apex_s if first.apex_s is None else first.apex_s,
            kind=first.kind or entry.kind,
            label="; ".join(labels),
            score=max(first.score, entry.score),
            action_units=first.action_units or entry.action_units,
            regions=first.regions or entry.regions,
            status=first.status or entry.status,
        )
    return list(merged.values())
