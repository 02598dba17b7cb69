"""Events in words, for people."""

from collections.abc import Sequence

from learnet.core.errors import counted
from learnet.core.records import ActionUnitScore, Event, UnjudgedStretch
from learnet.inference.action_unit_text import side_text

PLURALS = {
    "brow": "brows",
    "lids": "lids",
    "nose wing": "nose wings",
    "cheek": "cheeks",
    "mouth corner": "mouth corners",
}
MIDDLE_BROW = "middle brow"
MAX_REASONS = 3  # that are listed


def event_line(event: Event) -> str:
    """Return an event in a line: `0:07.32 micro, 0.24 s, brows, AU 4 both sides 0.91, negative 0.83`."""
    parts = [f"{time_text(event.onset_s)} {event.kind}", f"{event.offset_s - event.onset_s:.2f} s"]
    if event.regions and not event.is_blink:
        parts.append(regions_text(event.regions))
    parts += [unit_text(unit) for unit in event.action_units]
    if event.emotions:
        parts.append(f"{event.label} {event.score:.2f}")
    elif not event.is_blink:
        parts.append(event.label or "not recognised")
    return ", ".join(parts)


def unit_text(unit: ActionUnitScore) -> str:
    """Return an action unit with side and score: `AU 4 both sides 0.91`."""
    words = ["AU", str(unit.unit), side_text(unit), f"{unit.score:.2f}"]
    return " ".join(filter(None, words))


def time_text(seconds: float) -> str:
    """Return a time as minutes and seconds, `1:07.32`, with hours if there are any, `2:01:07.32`."""
    hundredths = round(100 * seconds)
    minutes, rest = divmod(hundredths, 6000)
    hours, minutes = divmod(minutes, 60)
    clock = f"{minutes:02d}" if hours else f"{minutes}"
    text = f"{clock}:{rest / 100:05.2f}"
    return f"{hours}:{text}" if hours else text


def regions_text(regions: Sequence[str]) -> str:
    """Return regions in words, with those of both sides as one: `brows, left mouth corner`.

    Args:
        regions: of `FACE_REGIONS`, the furthest first.
    """
    names = []
    for region in regions:
        side, _, name = region.partition(" ")
        other = {"left": "right", "right": "left"}.get(side)
        is_both = other is not None and f"{other} {name}" in regions
        names.append(PLURALS[name] if is_both else region)
    if PLURALS["brow"] in names:
        names = [name for name in names if name != MIDDLE_BROW]
    return ", ".join(dict.fromkeys(names))


def unjudged_text(unjudged: Sequence[UnjudgedStretch], judged_s: float, duration_s: float) -> str:
    """Return a line on how much of a video could not be judged, and why, the longest first; empty if all was.

    Args:
        unjudged: stretches of the video, in time order and without overlaps; the last may be one that the
            file announces and does not have.
        judged_s: seconds that could be judged.
        duration_s: length of the video.
    """
    if not unjudged:
        return ""
    seconds: dict[str, float] = {}
    for stretch in unjudged:
        length_s = stretch.end_s - stretch.start_s
        seconds[stretch.reason] = seconds.get(stretch.reason, 0.0) + length_s
    ranked = sorted(seconds.items(), key=lambda item: -item[1])
    reasons = [f"{reason} ({total_s:.1f} s)" for reason, total_s in ranked[:MAX_REASONS]]
    further = len(ranked) - MAX_REASONS
    if further > 0:
        reasons.append(counted(further, "further reason"))
    announced_s = max(duration_s, unjudged[-1].end_s)
    return f"{announced_s - judged_s:.1f} of {announced_s:.1f} s could not be judged: {', '.join(reasons)}"
