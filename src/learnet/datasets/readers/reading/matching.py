"""Rows of a label workbook and folders of images become clips; what does not fit is repaired or left out, and always told.

Frame numbers in a row are the numbers in the file names, onset and offset included. Nothing here knows a particular database.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from learnet.core.errors import BadVideo
from learnet.core.records import Clip, Finding
from learnet.video.images import image_files

Look = Callable[[Path], Mapping[int, Path]]  # folder -> its images by number, in numeric order
SERIOUS_SHARE = 0.1  # of a clip's frames: when more are missing, the motion image is of another movement


@dataclass(frozen=True)
class Row:
    """One row of a label workbook, with numbers where numbers belong. None is what the workbook leaves out."""

    subject: str  # as Clip.subject
    name: str
    emotion: str
    onset: int | None  # frame
    apex: int | None  # frame
    offset: int | None  # frame, inclusive
    where: str  # "CASME2-coding-20140508.xlsx row 12"
    action_units: str = ""
    apex_source: str = "file"  # "repaired" where a published repair stands in `apex`
    kind: str = "micro"  # as Clip.kind
    also: str = ""  # as Clip.also
    folder: str = ""  # what finds the clip's folder, where that is not its name (several clips in one folder)
    duration: int | None = None  # frames from onset to offset as the workbook counts them, a check on both
    whole: bool = False  # nobody wrote frames down: the clip is its folder, from the first image to the last


@dataclass(frozen=True)
class Source:
    """What all clips of one tree have in common."""

    dataset: str
    fps: float  # frames per second
    cropped: bool  # the images are face crops
    midpoint: bool = True  # an apex nobody gave becomes the middle frame; otherwise it stays None
    mirrored: bool = False  # an offset nobody gave is as far behind the apex as the onset is before it
    cut: bool = (
        False  # a folder holds its clip from onset to offset and nothing else, so its ends check the row's
    )
    renumbered: bool = (
        False  # a folder with as many images as its row has frames may count from somewhere else
    )
    most_missing: float = SERIOUS_SHARE  # of a clip's frames: missing ones are serious above this share


def match(
    row: Row, folder: Path, source: Source, look: Look = image_files
) -> tuple[Clip | None, list[Finding]]:
    """The clip of ROW, whose images lie in FOLDER (which LOOK lists), and what was found; None where the two do not fit together."""
    try:
        images = look(folder)
    except BadVideo as trouble:
        return None, [Finding("clip left out", _key(row, source), str(trouble), serious=True)]
    if not images:
        return None, [Finding("clip left out", _key(row, source), f"{folder} holds no images", serious=True)]
    return fit(row, folder, list(images), source)


def fit(row: Row, path: Path, numbers: Sequence[int], source: Source) -> tuple[Clip | None, list[Finding]]:
    """The clip of ROW in the frames NUMBERS (ascending, at least one) of PATH, and what was found; None where they do not fit.

    A missing frame at onset, apex or offset is replaced by the nearest one there is. An apex that is not given, or lies outside
    the clip or far from its frames, becomes the middle one of them; one on onset or offset stays; a clip without an expression has none.
    What a folder can mend is SOURCE's to say (`_mended`).
    """
    key = _key(row, source)
    if row.whole:
        row = replace(row, onset=numbers[0], offset=numbers[-1])
    row, mended = _mended(row, numbers, source, key)
    wrong = _unfit(row, numbers)
    if wrong or row.onset is None or row.offset is None:
        return None, [Finding("clip left out", key, f"{row.where}: {wrong} ({path})", serious=True)]
    marks = row.onset, row.offset
    onset, offset = _nearest(numbers, row.onset), _nearest(numbers, row.offset, early=True)
    apex, apex_source, findings = _apex(
        row, marks, (onset, offset), source.midpoint and row.kind != "none", key
    )
    findings = [*mended, *_ends(row, numbers, marks, source, key), *findings]
    findings += _gaps(row, numbers, marks, (onset, offset), source)
    if apex is not None:
        there = _nearest(numbers[bisect_left(numbers, onset) : bisect_right(numbers, offset)], apex)
        if there != apex and apex_source != "midpoint":
            findings.append(
                Finding("apex moved", key, f"{row.where}: there is no frame {apex}; the nearest is {there}")
            )
            apex_source = "repaired"
        apex = there
    clip = Clip(
        path, source.dataset, row.subject, row.name, row.emotion, onset, apex, offset, source.fps,
        apex_source=apex_source, action_units=row.action_units, cropped=source.cropped,
        kind=row.kind, also=row.also,
    )  # fmt: skip
    return clip, findings


def _key(row: Row, source: Source) -> str:
    return f"{source.dataset}/{row.subject}/{row.name}"


def _mended(row: Row, numbers: Sequence[int], source: Source, key: str) -> tuple[Row, list[Finding]]:
    """ROW with what its folder can say better: the last image of a cut clip for an offset that cannot be, other numbers by their count."""
    if row.onset is None:
        return row, []
    first, last = numbers[0], numbers[-1]
    if (
        source.mirrored
        and row.offset is None
        and row.apex is not None
        and row.onset < row.apex
        and row.onset <= last
    ):
        offset = 2 * row.apex - row.onset
        ends = f"; the images end before, so it is {last}" if last < offset else ""
        what = f"{row.where}: the offset is not given; {offset}, as far from the apex as the onset, is taken{ends}"
        return replace(row, offset=min(offset, last)), [Finding("offset mirrored", key, what)]
    if source.cut and (row.offset is None or row.offset < row.onset) and first <= row.onset <= last:
        wrong = "is not given" if row.offset is None else f"{row.offset} comes before the onset {row.onset}"
        what = f"{row.where}: the offset {wrong}; the last image of the folder, {last}, is taken"
        return replace(row, offset=last), [Finding("offset from the folder", key, what)]
    shift = first - row.onset
    if (
        source.renumbered
        and shift
        and row.offset is not None
        and len(numbers) == row.offset - row.onset + 1 == last - first + 1
    ):
        what = f"{row.where}: {row.onset}..{row.offset} lie here as {first}..{last}, one to one"
        apex = None if row.apex is None else row.apex + shift
        return replace(row, onset=first, apex=apex, offset=last), [Finding("frames renumbered", key, what)]
    return row, []


def _ends(
    row: Row, numbers: Sequence[int], marks: tuple[int, int], source: Source, key: str
) -> list[Finding]:
    """What the workbook's count of frames, and the ends of a folder that is cut to its clip, say against onset and offset."""
    findings = []
    ends = numbers[0], numbers[-1]
    frames = marks[1] - marks[0] + 1
    if row.duration not in (None, frames):
        counted = f"{marks[0]}..{marks[1]} are {frames} frames, and its duration is {row.duration}"
        what = f"{row.where}: {counted}; the images are {ends[0]}..{ends[1]}"
        findings.append(Finding("duration differs", key, what, serious=not (source.cut and ends == marks)))
    beyond = max(marks[0] - ends[0], 0) + max(ends[1] - marks[1], 0)
    if source.cut and beyond:
        what = f"{row.where}: {marks[0]}..{marks[1]} are taken, but the folder holds {ends[0]}..{ends[1]}"
        findings.append(Finding("images beyond the clip", key, what, serious=beyond > SERIOUS_SHARE * frames))
    return findings


def _unfit(row: Row, numbers: Sequence[int]) -> str:
    """Why ROW cannot be made a clip of these frames, or ""."""
    if row.onset is None or row.offset is None:
        return f"{'onset' if row.onset is None else 'offset'} is not given"
    if row.onset > row.offset:
        return f"onset {row.onset} comes after offset {row.offset}"
    if bisect_left(numbers, row.onset) == bisect_right(numbers, row.offset):
        return f"no frame has a number from {row.onset} to {row.offset}; there are {numbers[0]} to {numbers[-1]}, perhaps renumbered"
    return ""


def _nearest(numbers: Sequence[int], frame: int, early: bool = False) -> int:
    """The one of NUMBERS (ascending) nearest to FRAME; of two equally near ones the later, or with EARLY the earlier."""
    place = bisect_left(numbers, frame)
    around = numbers[max(place - 1, 0) : place + 1]
    return min(around, key=lambda number: (abs(number - frame), number if early else -number))


def _apex(
    row: Row, marks: tuple[int, int], taken: tuple[int, int], midpoint: bool, key: str
) -> tuple[int | None, str, list[Finding]]:
    """The apex frame, before looking whether that frame is there; where it comes from; and what is to be told.

    TAKEN are the first and the last frame of the clip that are there. Farther from them than a tenth of the clip, the nearest frame
    would be no apex.
    """
    onset, offset = marks
    middle = taken[0] + (taken[1] - taken[0]) // 2
    if row.apex is None and not midpoint:
        return None, "none", []
    if row.apex is None:
        return (
            middle,
            "midpoint",
            [Finding("apex not given", key, f"{row.where}: the middle frame {middle} is taken")],
        )
    if not onset <= row.apex <= offset:
        what = f"{row.where}: {row.apex} is not in {onset}..{offset}; the middle frame {middle} is taken"
        return middle, "midpoint", [Finding("apex outside the clip", key, what)]
    if row.apex in marks:
        what = f"{row.where}: the apex {row.apex} is the {'onset' if row.apex == onset else 'offset'}; kept"
        return row.apex, row.apex_source, [Finding("apex on the border", key, what)]
    if max(taken[0] - row.apex, row.apex - taken[1]) > SERIOUS_SHARE * (offset - onset + 1):
        what = f"{row.where}: {row.apex} is far from the frames there are, {taken[0]}..{taken[1]}; the middle one, {middle}, is taken"
        return middle, "midpoint", [Finding("apex outside the clip", key, what)]
    return row.apex, row.apex_source, []


def _gaps(
    row: Row, numbers: Sequence[int], marks: tuple[int, int], taken: tuple[int, int], source: Source
) -> list[Finding]:
    """One finding about all frames of the clip that are not there."""
    wanted = marks[1] - marks[0] + 1
    missing = wanted - (bisect_right(numbers, marks[1]) - bisect_left(numbers, marks[0]))
    if not missing:
        return []
    what = f"{row.where}: {missing} of the {wanted} frames {marks[0]}..{marks[1]} are not there"
    if taken != marks:
        what += f"; the nearest ones, {taken[0]}..{taken[1]}, are taken"
    return [
        Finding("frames missing", _key(row, source), what, serious=missing > source.most_missing * wanted)
    ]


def without_row(folder: str) -> Finding:
    """A clip folder that no row of the workbook names: it carries no label and is not used."""
    return Finding("folder without row", folder, "no row of the workbook names this clip; it is not used")


def distinct(rows: list[Row], dataset: str) -> tuple[list[Row], list[Finding]]:
    """ROWS with one per clip: the first. Repeats are serious where they say something else."""
    kept: dict[tuple[str, str], Row] = {}
    findings = []
    for row in rows:
        first = kept.setdefault((row.subject, row.name), row)
        if first is not row:
            alike = replace(row, where=first.where) == first
            what = f"{row.where} repeats {first.where}{'' if alike else ' and says something else'}; the first is taken"
            findings.append(
                Finding("row twice", f"{dataset}/{row.subject}/{row.name}", what, serious=not alike)
            )
    return list(kept.values()), findings
