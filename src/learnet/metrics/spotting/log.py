"""Read spotting logs: pairs of events and predictions with flags, or predictions beside a file of events."""

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from learnet.core.csv_files import check_thousands, decimal_number, decode_text, read_csv_rows
from learnet.core.errors import BadInput, counted
from learnet.core.files import check_input
from learnet.core.frame_rates import check_frame_rate
from learnet.core.people import first_spellings
from learnet.core.records import MICRO_MAX_S
from learnet.metrics.spotting.columns import (
    FLAGS,
    FORMAT,
    check_columns,
    column_index,
    columns_without_header,
)
from learnet.metrics.spotting.intervals import Interval

EMPTY = frozenset({"", "-", "/", "nan", "none"})
"""Cells that stand for no value."""

BLINK = "blink"
KIND_WORDS = {"me": "micro", "mae": "macro", "micro": "micro", "macro": "macro"}


@dataclass(frozen=True)
class LogRow:
    """A row of a log: an event, a prediction, or a pair of both."""

    line: int
    event: Interval | None
    prediction: Interval | None
    flag: str = ""  # one of FLAGS; empty where the log has none


@dataclass(frozen=True)
class VideoLength:
    """A line of the table of videos."""

    frames: int  # number of the last frame
    fps: float | None = None


@dataclass(frozen=True)
class SpottingLog:
    """The events and predictions of a log."""

    path: Path
    rows: tuple[LogRow, ...]
    events: tuple[Interval, ...]  # each once, in the order of the file
    predictions: tuple[Interval, ...]
    people_source: str  # a sentence: where the people come from
    videos: Mapping[str, VideoLength]  # empty where no table of videos was given
    fps: float | None = None
    notes: tuple[str, ...] = ()  # sentences about what was assumed or left out

    @property
    def has_kinds(self) -> bool:
        """Whether the kind of every interval is known, by the log or by the frame rate."""
        return all(interval.kind for interval in (*self.events, *self.predictions))

    @property
    def flags(self) -> tuple[str, ...]:
        """The flags of all rows; none unless every row has one."""
        flags = tuple(row.flag for row in self.rows)
        return flags if all(flags) else ()

    def frame_rate(self, video: str) -> float | None:
        """Return the frame rate of a video, if known."""
        length = self.videos.get(video)
        return self.fps if length is None or length.fps is None else length.fps


def read_spotting_log(
    path: Path, truth: Path | None = None, videos: Path | None = None, fps: float | None = None
) -> SpottingLog:
    """Read a spotting log.

    Intervals without a kind are micro up to MICRO_MAX_S from onset to offset and macro above, if the frame
    rate is known.

    Args:
        path: pairs of events and predictions (PAIR_COLUMNS, with or without a header), or a table of
            predictions with a header, such as the CSV of `learnet predict`. Without a column for the video,
            it is of the only video with events, or of the one that the file is named after. Blinks are left
            out.
        truth: table of events with the columns video, onset, offset; optional: subject, kind, emotion.
        videos: table with the columns video and frames (number of the last frame), and optionally fps.
        fps: frame rate of all videos that `videos` does not give one for.

    Raises:
        BadInput: a file is missing or not such a table, or a row cannot be read.
    """
    lengths = _read_videos(videos) if videos else {}
    true_rows, truth_notes = _read_rows(truth, is_truth=True) if truth else ([], [])
    rows, notes = _read_rows(path, False, [row.event for row in true_rows if row.event])
    if truth and any(row.event for row in rows):
        raise BadInput(path, "this log has the events already", "Leave out --truth.")
    rows = true_rows + rows
    if not any(row.event for row in rows):
        raise BadInput(path, "it contains no events to compare with", "Give them with --truth.")
    people_source = _people_source(rows, path, truth)
    rows, lengths, spelling_notes = _with_one_spelling(rows, lengths)
    log = SpottingLog(path, (), (), (), people_source, lengths, fps)
    rows = [_complete_row(row, log) for row in rows]
    events = _distinct(row.event for row in rows)
    predictions = _distinct(row.prediction for row in rows)
    all_notes = tuple(truth_notes + notes + spelling_notes)
    return replace(log, rows=tuple(rows), events=events, predictions=predictions, notes=all_notes)


def kind_by_duration(onset: float, offset: float, fps: float) -> str:
    """Return "micro" for half a second or less from onset to offset, "macro" for more."""
    return "micro" if (offset - onset) / fps <= MICRO_MAX_S else "macro"


def person_of_video(video: str) -> str:
    """Return what the name of a video begins with, up to the first / or _."""
    return re.split(r"[/_\\]", video, maxsplit=1)[0]


def _people_source(rows: Sequence[LogRow], path: Path, truth: Path | None) -> str:
    """Return where the people come from.

    Raises:
        BadInput: only some of the rows name a person.
    """
    named = set()
    for row in rows:
        named |= {bool(interval.person) for interval in (row.event, row.prediction) if interval}
    if len(named) > 1:
        files = f"{path} and {truth}" if truth else path
        raise BadInput(files, "only some of the rows name a subject", "Give all of them a subject, or none.")
    if True in named:
        return "People are those of the subject column."
    return "People are what the names of the videos begin with, up to the first / or _."


def _with_one_spelling(
    rows: Sequence[LogRow], lengths: Mapping[str, VideoLength]
) -> tuple[list[LogRow], dict[str, VideoLength], list[str]]:
    """Return the rows and the table of videos with one name for each person, and notes about the others.

    Videos are named after their people, so that `6/a` of a prediction is the video `006/a` of an event.
    """
    people = [interval.person for row in rows for interval in (row.event, row.prediction) if interval]
    people += [video.partition("/")[0] for video in lengths if "/" in video and any(people)]
    first = first_spellings(list(filter(None, people)))

    def rename(video: str) -> str:
        person, separator, name = video.partition("/")
        return f"{first.get(person, person)}{separator}{name}"

    def respell(interval: Interval | None) -> Interval | None:
        if interval is None or interval.person not in first:
            return interval
        return replace(interval, person=first[interval.person], video=rename(interval.video))

    renamed = [replace(row, event=respell(row.event), prediction=respell(row.prediction)) for row in rows]
    notes = [f"{other!r} and {kept!r} are counted as one person." for other, kept in first.items()]
    return renamed, {rename(video): length for video, length in lengths.items()}, notes


def _distinct(intervals: Iterable[Interval | None]) -> tuple[Interval, ...]:
    """Return each interval of a video once: a log repeats a prediction for each event that it hits."""
    first: dict[tuple[str, float, float, str], Interval] = {}
    for interval in intervals:
        if interval is not None:
            first.setdefault((interval.video, *interval.limits, interval.kind), interval)
    return tuple(first.values())


def _complete_row(row: LogRow, log: SpottingLog) -> LogRow:
    """Fill in kinds and people."""
    event = _complete(row.event, log) if row.event else None
    prediction = _complete(row.prediction, log) if row.prediction else None
    return replace(row, event=event, prediction=prediction)


def _complete(interval: Interval, log: SpottingLog) -> Interval:
    fps = log.frame_rate(interval.video)
    kind = interval.kind
    if not kind and fps:
        kind = kind_by_duration(interval.onset, interval.offset, fps)
    return replace(interval, kind=kind, person=interval.person or person_of_video(interval.video))


def _read_table(path: Path) -> list[tuple[int, list[str]]]:
    """Return the lines that are not empty."""
    check_input(path, "Give a CSV file.")
    rows = read_csv_rows(path, decode_text(path, path.read_bytes()))
    lines = [(number, cells) for number, cells in rows if any(cells)]
    if not lines:
        raise BadInput(path, "it is empty", FORMAT)
    if all(len(cells) == 1 for _, cells in lines):  # separated by blanks
        return [(number, cells[0].split()) for number, cells in lines]
    return lines


def _read_rows(path: Path, is_truth: bool, events: Sequence[Interval] = ()) -> tuple[list[LogRow], list[str]]:
    """Return the rows of a file, without blinks, and notes about it.

    Args:
        path: the file.
        is_truth: whether its intervals are events.
        events: of all videos, for a file without a column for the video.
    """
    lines = _read_table(path)
    _, first = lines[0]
    positions = column_index(first)
    notes = []
    common: dict[str, str] = {}
    if {"onset", "offset"} <= positions.keys() and "video" not in positions:
        common = _only_video(path, events)
        notes.append(f"{path.name} has no column for the video; it is {_video_name(common)}.")
    if "video" in positions or common:
        lines = lines[1:]
    else:
        columns = columns_without_header(path, first)
        positions = {name: position for position, name in enumerate(columns)}
        if len(first) > len(columns):
            notes.append(f"The columns of {path.name} after {columns[-1]} are not read; a header names them.")
    if not {"onset", "offset"} <= positions.keys():
        raise BadInput(path, "a column for the onset or the offset is missing", FORMAT)
    check_columns(path, lines, columns=len(first), needed=max(positions.values()) + 1)
    rows = []
    for number, cells in lines:
        named = {**_named_cells(positions, cells), **common}
        if named.get("kind", "").lower() != BLINK:
            rows.append(_read_row(f"{path} line {number}", number, named, is_truth))
    read = [interval for row in rows for interval in (row.event, row.prediction) if interval]
    if any(not float(mark).is_integer() for interval in read for mark in (interval.onset, interval.offset)):
        notes.append(
            f"Some onsets or offsets of {path.name} have fractions; they count as frames, not seconds."
        )
    if len(rows) < len(lines):
        notes.append(f"{counted(len(lines) - len(rows), 'blink')} of {path.name} left out.")
    return rows, notes


def _only_video(path: Path, events: Sequence[Interval]) -> dict[str, str]:
    """Return video and person of the only video that has events, or of the one after which a file is named.

    Raises:
        BadInput: there are several, and none has this name.
    """
    videos = {}
    for event in events:
        name = event.video.removeprefix(f"{event.person}/") if event.person else event.video
        videos[event.video] = {"video": name, "person": event.person}
    named = [cells for cells in videos.values() if len(videos) == 1 or cells["video"] == path.stem]
    if len(named) == 1:
        return named[0]
    problem = f"it has no column for the video, and {path.stem!r} is not one video of the events"
    raise BadInput(path, problem, "Add a column video, or name the file after its video.")


def _named_cells(positions: Mapping[str, int], cells: Sequence[str]) -> dict[str, str]:
    named = {}
    for name, position in positions.items():
        cell = cells[position] if position < len(cells) else ""
        named[name] = "" if cell.lower() in EMPTY else cell
    return named


def _read_row(where: str, line: int, cells: Mapping[str, str], is_truth: bool) -> LogRow:
    if not cells["video"]:
        raise BadInput(where, "the video is empty", "Fill it in, or remove the line.")
    prediction = _interval(where, line, cells, "")
    if is_truth:
        if prediction is None:
            raise BadInput(where, "onset and offset are empty", "Fill them in, or remove the line.")
        return LogRow(line, event=prediction, prediction=None)
    event = _interval(where, line, cells, "truth_")
    flag = cells.get("flag", "").upper()
    if flag and flag not in FLAGS:
        raise BadInput(where, f"{flag[:20]!r} is none of {', '.join(FLAGS)}", "Correct it.")
    if event is None and prediction is None:
        raise BadInput(where, "there is neither an event nor a prediction", "Remove the line.")
    return LogRow(line, event, prediction, flag)


def _interval(where: str, line: int, cells: Mapping[str, str], prefix: str) -> Interval | None:
    """Return the event (prefix "truth_") or the prediction (prefix "") of a row; None where it has none."""
    onset, offset = cells.get(f"{prefix}onset", ""), cells.get(f"{prefix}offset", "")
    if not onset and not offset:
        return None
    score = cells.get("score", "")
    return Interval(
        video=_video_name(cells),
        onset=_number(where, f"{prefix}onset", onset),
        offset=_number(where, f"{prefix}offset", offset),
        kind=_kind(where, cells.get(f"{prefix}kind", "")),
        label=cells.get(f"{prefix}label", "").lower(),
        score=_number(where, "score", score) if score and not prefix else None,
        person=cells.get("person", ""),
        line=line,
    )


def _video_name(cells: Mapping[str, str]) -> str:
    """Return the name of a video, below that of its person where there is one: names are repeated then."""
    person = cells.get("person", "")
    return f"{person}/{cells['video']}" if person else cells["video"]


def _number(where: str, name: str, text: str) -> float:
    if name != "score":  # nobody writes scores of thousands
        check_thousands(where, text)
    try:
        value = decimal_number(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        name = name.replace("_", " ")
        raise BadInput(where, f"the {name} {text[:40]!r} is not a number", "Correct it, or leave both empty.")
    return value


def _kind(where: str, text: str) -> str:
    """Return "micro" or "macro" for the words of databases and challenges: me, Micro - 1/2, macro-expression.

    Raises:
        BadInput: it is another word.
    """
    if not text:
        return ""
    word = re.split(r"[^a-z]", text.lower(), maxsplit=1)[0]
    if word not in KIND_WORDS:
        raise BadInput(where, f"the kind {text[:40]!r} is neither micro nor macro", "Use one of the two.")
    return KIND_WORDS[word]


def _read_videos(path: Path) -> dict[str, VideoLength]:
    """Read the table of videos."""
    (_, header), *lines = _read_table(path)
    names = [re.sub(r"[^a-z]", "", cell.lower()) for cell in header]
    if not {"video", "frames"} <= set(names):
        raise BadInput(path, "the columns video and frames are missing", "Optional: subject, fps.")
    check_columns(
        path, lines, columns=len(names), needed=max(names.index("video"), names.index("frames")) + 1
    )
    lengths = {}
    for number, cells in lines:
        where = f"{path} line {number}"
        row = dict(zip(names, cells, strict=False))
        row["person"] = row.get("subject", "")
        frames = _number(where, "number of frames", row.get("frames", ""))
        fps = _number(where, "frame rate", row["fps"]) if row.get("fps") else None
        if fps is not None:
            check_frame_rate(where, fps)
        lengths[_video_name(row)] = VideoLength(int(frames), fps)
    return lengths
