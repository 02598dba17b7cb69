"""What is wrong with a spotting log, and what to know about it."""

from collections import Counter
from collections.abc import Iterable, Sequence

from learnet.core.errors import counted
from learnet.core.records import Finding
from learnet.metrics.spotting.conventions import IOU, group_videos
from learnet.metrics.spotting.intervals import Interval, limits_of, overlaps
from learnet.metrics.spotting.log import LogRow, SpottingLog, kind_by_duration


def find_problems(log: SpottingLog) -> list[Finding]:
    """Return the findings about a log, the serious ones first.

    Serious: an onset after its offset, an interval outside its video, a kind that the frame rate contradicts,
    a row that is repeated, a flag that its row contradicts, a video that is not in the table of videos.
    """
    findings = [
        *_repeated_rows(log),
        *_wrong_intervals(log),
        *_wrong_flags(log),
        *_unknown_videos(log),
        *_overlapping(log.events, "events overlap", "which hit belongs to which is ambiguous"),
        *_overlapping(log.predictions, "predictions overlap", "only one of them can hit an event"),
        *_one_sided(log),
    ]
    return sorted(findings, key=lambda finding: not finding.serious)


def _repeated_rows(log: SpottingLog) -> Iterable[Finding]:
    contents = Counter(_content(row) for row in log.rows)
    first_lines: dict[tuple, int] = {}
    for row in log.rows:
        content = _content(row)
        first = first_lines.setdefault(content, row.line)
        if contents[content] > 1 and first != row.line:
            what = f"It has the same interval as line {first}; it is counted once."
            yield Finding("row repeated", _where(row), what, serious=True)


def _content(row: LogRow) -> tuple:
    """Return what makes two rows the same."""
    sides = []
    for interval in (row.event, row.prediction):
        sides.append((interval.video, *interval.limits, interval.kind) if interval else None)
    return tuple(sides)


def _wrong_intervals(log: SpottingLog) -> Iterable[Finding]:
    for role, intervals in (("event", log.events), ("prediction", log.predictions)):
        for interval in intervals:
            where = f"line {interval.line}: {interval.video}"
            limits = f"{role} {interval.onset:g} to {interval.offset:g}"
            if interval.onset > interval.offset:
                what = f"The onset of the {limits} is after its offset; it matches nothing."
                yield Finding("onset after offset", where, what, serious=True)
                continue
            yield from _outside(log, interval, where, limits)
            fps = log.frame_rate(interval.video)
            if fps and interval.kind != kind_by_duration(*interval.limits, fps):
                duration_s = (interval.offset - interval.onset) / fps
                what = f"The {limits} is called {interval.kind} and lasts {duration_s:.2f} s at {fps:g} fps."
                yield Finding("kind contradicts the duration", where, what, serious=True)


def _outside(log: SpottingLog, interval: Interval, where: str, limits: str) -> Iterable[Finding]:
    length = log.videos.get(interval.video)
    if interval.onset < 0:
        yield Finding("outside the video", where, f"The {limits} begins before the video.", serious=True)
    elif length and interval.offset > length.frames:
        what = f"The {limits} ends after the last frame, {length.frames}."
        yield Finding("outside the video", where, what, serious=True)


def _wrong_flags(log: SpottingLog) -> Iterable[Finding]:
    """Compare the flags of a log of pairs with its rows: TP has both intervals, FP and FN one."""
    if not log.flags:
        return
    for row in log.rows:
        sides = {"TP": (True, True), "FP": (False, True), "FN": (True, False)}[row.flag]
        if sides != (row.event is not None, row.prediction is not None):
            what = f"{row.flag} needs {_sides(*sides)}; the row has {_sides(not sides[0], not sides[1])}."
            if row.event and row.prediction:
                what = f"{row.flag} has {_sides(*sides)} only; the row has both."
            yield Finding("flag contradicts its row", _where(row), what, serious=True)
        elif row.event and row.prediction:
            yield from _hit_without_overlap(row, row.event, row.prediction)


def _sides(event: bool, prediction: bool) -> str:
    if event and prediction:
        return "an event and a prediction"
    return "an event" if event else "a prediction"


def _hit_without_overlap(row: LogRow, event: Interval, prediction: Interval) -> Iterable[Finding]:
    overlap = overlaps(limits_of([event]), limits_of([prediction]), unit=1.0)[0, 0]
    if overlap < IOU:
        what = f"TP, but the overlap is {overlap:.3f}, below {IOU}."
        yield Finding("flag contradicts its row", _where(row), what, serious=True)


def _unknown_videos(log: SpottingLog) -> Iterable[Finding]:
    if not log.videos:
        return
    videos = Counter(interval.video for interval in (*log.events, *log.predictions))
    for video, number in videos.items():
        if video not in log.videos:
            what = f"It is not in the table of videos; {counted(number, 'interval')}."
            yield Finding("unknown video", video, what, serious=True)


def _overlapping(intervals: Sequence[Interval], kind: str, consequence: str) -> Iterable[Finding]:
    """Name the videos in which intervals of one side overlap. This is allowed, so it is not serious."""
    for of_video, _ in group_videos(intervals, []):
        ordered = sorted(of_video, key=lambda interval: interval.limits)
        latest = float("-inf")
        pairs = 0
        for interval in ordered:
            pairs += interval.onset <= latest
            latest = max(latest, interval.offset)
        if pairs:
            yield Finding(kind, of_video[0].video, f"{pairs} of {len(of_video)} do; {consequence}.")


def _one_sided(log: SpottingLog) -> Iterable[Finding]:
    """Name what the public STRS script skips: videos without an event, people without a prediction."""
    predicted = Counter(prediction.video for prediction in log.predictions)
    for video in sorted(predicted.keys() - {event.video for event in log.events}):
        number = counted(predicted[video], "prediction")
        yield Finding("video without an event", video, f"{number}, all of them false alarms.")
    of_person = Counter(event.person for event in log.events)
    for person in sorted(of_person.keys() - {prediction.person for prediction in log.predictions}):
        number = counted(of_person[person], "event")
        yield Finding("person without a prediction", person, f"{number}, all of them missed.")


def _where(row: LogRow) -> str:
    interval = row.event or row.prediction
    return f"line {row.line}: {interval.video}" if interval else f"line {row.line}"
