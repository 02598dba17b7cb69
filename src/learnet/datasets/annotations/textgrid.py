"""Events as Praat writes them (TextGrid), by praatio. Times are seconds; the file has no frame rate."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from learnet.core.errors import BadInput, counted
from learnet.core.records import Event
from learnet.datasets.annotations.lanes import end_of, lanes, source_of
from learnet.datasets.annotations.record import UNJUDGED, Entries, Recording, merge_tiers, unjudged_note
from learnet.datasets.annotations.text import event_text, text_entry

if TYPE_CHECKING:
    from praatio.textgrid import Textgrid

_HINT = "Save it again in Praat, as text."
_TIERS = re.compile(r"<exists>\s+(?:size = )?(\d+)")  # number of tiers, in the long and the short form
_LONG_SIZE = r"(?:intervals|points): size = (\d+)"  # number of intervals of a tier
_SHORT_SIZE = r'"(?:IntervalTier|TextTier)"\s+"(?:[^"]|"")*"\s+[-.\d]+\s+[-.\d]+\s+(\d+)'
_SIZES = re.compile(f"{_LONG_SIZE}|{_SHORT_SIZE}")


def save_textgrid(path: Path, events: Sequence[Event], recording: Recording) -> None:
    """Write a TextGrid: an interval tier for each source, or several where its events overlap, and one for
    what cannot be judged.

    It ends with the recording, or with the last interval where the length of the recording is not known.
    """
    from praatio import textgrid  # here: commands that write no annotations do not need it

    unjudged = [(stretch.start_s, stretch.end_s, stretch.reason) for stretch in recording.unjudged]
    end_s = max([*map(end_of, events), *(end_s for _, end_s, _ in unjudged)], default=1.0)
    if recording.frames and recording.fps:
        end_s = max(end_s, recording.frames / recording.fps)
    grid = textgrid.Textgrid(0.0, end_s)
    for lane, members in lanes(events).items():
        intervals = [(event.onset_s, end_of(event), event_text(event)) for event in members]
        grid.addTier(textgrid.IntervalTier(lane, intervals, 0.0, end_s))
    if unjudged:
        grid.addTier(textgrid.IntervalTier(UNJUDGED, unjudged, 0.0, end_s))
    if not events:
        grid.addTier(textgrid.IntervalTier("events", [], 0.0, end_s))
    grid.save(str(path), format="long_textgrid", includeBlankSpaces=True)


def read_textgrid(path: Path) -> Entries:
    """Read the interval tiers of a TextGrid. Intervals of several tiers with the same times are one event.

    Raises:
        BadInput: the file is no TextGrid, or an interval cannot be read.
    """
    from praatio import textgrid
    from praatio.utilities.errors import PraatioException

    try:
        grid = textgrid.openTextgrid(
            str(path), includeEmptyIntervals=True, reportingMode="silence", duplicateNamesMode="rename"
        )
    except (PraatioException, IndexError, KeyError, TypeError, ValueError):
        is_textgrid = b"ooTextFile" in path.read_bytes().replace(b"\0", b"")  # also as UTF-16
        problem = "this TextGrid is damaged or incomplete" if is_textgrid else "this is no TextGrid"
        raise BadInput(path, problem, _HINT) from None
    _check_complete(path, grid)
    entries = []
    points = unjudged = 0
    for tier in grid.tiers:
        if not isinstance(tier, textgrid.IntervalTier):
            points += len(tier.entries)
            continue
        labelled = [interval for interval in tier.entries if interval[2].strip()]
        if tier.name == UNJUDGED:
            unjudged = len(labelled)
            continue
        for number, (start_s, end_s, text) in enumerate(labelled, start=1):
            where = f"tier {tier.name}, interval {number}"
            entries.append(text_entry(path, where, (start_s, end_s), text, source_of(tier.name)))
    notes = (f"{counted(points, 'point')} left out: an event is an interval.",) if points else ()
    return Entries(merge_tiers(entries), notes=(*notes, *unjudged_note(unjudged)))


def _check_complete(path: Path, grid: "Textgrid") -> None:
    """Refuse a file that ends early: praatio reads what there is.

    Raises:
        BadInput: it has fewer tiers or intervals than it states, or its last text is not closed.
    """
    text = path.read_bytes().replace(b"\0", b"").decode("utf-8", "replace")
    tiers = _TIERS.search(text)
    sizes = [int(long or short) for long, short in _SIZES.findall(text)]
    is_whole = tiers is not None and int(tiers[1]) == len(sizes) == len(grid.tiers)
    if not is_whole or sum(sizes) != sum(len(tier.entries) for tier in grid.tiers) or text.count('"') % 2:
        raise BadInput(path, "this TextGrid ends before its last interval", _HINT)
