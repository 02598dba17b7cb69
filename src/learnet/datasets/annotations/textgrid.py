"""Events as Praat writes them (TextGrid), by praatio. Times are seconds; the file has no frame rate."""

from collections.abc import Sequence
from pathlib import Path

from learnet.core.errors import BadInput
from learnet.core.records import Event
from learnet.datasets.annotations.lanes import end_of, lanes, source_of
from learnet.datasets.annotations.record import Entries, Recording, merge_tiers
from learnet.datasets.annotations.text import event_text, text_entry


def save_textgrid(path: Path, events: Sequence[Event], recording: Recording) -> None:
    """Write a TextGrid: an interval tier for each source, or several where its events overlap.

    It ends with the recording, or with the last event where the length of the recording is not known.
    """
    from praatio import textgrid  # here: commands that write no annotations do not need it

    end_s = max(map(end_of, events), default=1.0)
    if recording.frames and recording.fps:
        end_s = max(end_s, recording.frames / recording.fps)
    grid = textgrid.Textgrid(0.0, end_s)
    for lane, members in lanes(events).items():
        intervals = [(event.onset_s, end_of(event), event_text(event)) for event in members]
        grid.addTier(textgrid.IntervalTier(lane, intervals, 0.0, end_s))
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
            str(path), includeEmptyIntervals=False, reportingMode="silence", duplicateNamesMode="rename"
        )
    except (PraatioException, IndexError, KeyError, TypeError, ValueError) as error:
        reason = " ".join(str(error).split())[:80]
        raise BadInput(path, f"this is no TextGrid ({reason})", "Save it as text in Praat.") from None
    entries = []
    points = 0
    for tier in grid.tiers:
        if not isinstance(tier, textgrid.IntervalTier):
            points += len(tier.entries)
            continue
        for number, (start_s, end_s, text) in enumerate(tier.entries, start=1):
            where = f"tier {tier.name}, interval {number}"
            entries.append(text_entry(path, where, (start_s, end_s), text, source_of(tier.name)))
    notes = (f"{points} points are left out: an event is an interval.",) if points else ()
    return Entries(merge_tiers(entries), notes=notes)
