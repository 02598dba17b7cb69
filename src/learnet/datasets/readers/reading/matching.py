"""Combine the row of a clip with the images in its folder.

What does not fit is repaired or left out, and always reported as a finding. Frame numbers in a row are the
numbers in the file names, onset and offset included. Nothing here depends on a particular database.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from learnet.core.errors import BadVideo, counted
from learnet.core.records import Clip, Finding
from learnet.datasets.readers.reading.rows import LabelRow
from learnet.video.images import image_files

ListImages = Callable[[Path], Mapping[int, Path]]
"""Folder -> its images by number, in numeric order."""

INCOMPLETE = ("frames missing", "clip left out")
"""Findings about clips of which frames may be elsewhere."""

SERIOUS_SHARE = 0.1
"""Share of a clip's frames. Where more are missing, the motion image shows another movement."""


@dataclass(frozen=True)
class TreeProperties:
    """What all clips of one folder tree have in common."""

    dataset: str
    fps: float  # frames per second

    cropped: bool
    """The images are face crops."""

    midpoint_apex: bool = True
    """A missing apex becomes the middle frame; otherwise it stays None."""

    mirror_offset: bool = False
    """A missing offset is as many frames after the apex as the onset is before it."""

    trimmed: bool = False
    """A folder holds its clip from onset to offset and nothing else, which checks the row."""

    renumbered: bool = False
    """A folder with as many images as its row has frames may count from another number."""

    max_missing: float = SERIOUS_SHARE
    """Share of a clip's frames. Missing frames are a serious finding above it."""


@dataclass(frozen=True)
class _Span:
    """A range of frames, both ends inclusive."""

    first: int
    last: int

    def __len__(self) -> int:
        return self.last - self.first + 1

    def __str__(self) -> str:
        return f"{self.first}..{self.last}"


def clip_from_folder(
    row: LabelRow, folder: Path, properties: TreeProperties, list_images: ListImages = image_files
) -> tuple[Clip | None, list[Finding]]:
    """Combine a row with the images in its folder.

    Args:
        row: label of the clip.
        folder: where its images are stored.
        properties: of the tree of the folder.
        list_images: lists the images of a folder.

    Returns:
        The clip, or None where row and images do not fit together, and the findings about it.
    """
    key = clip_key(row, properties.dataset)
    try:
        images = list_images(folder)
    except BadVideo as error:
        return None, [Finding("clip left out", key, str(error), serious=True)]
    if not images:
        return None, [Finding("clip left out", key, f"{folder} holds no images", serious=True)]
    return clip_from_frames(row, folder, list(images), properties)


def clip_from_frames(
    row: LabelRow, path: Path, numbers: Sequence[int], properties: TreeProperties
) -> tuple[Clip | None, list[Finding]]:
    """Combine a row with the frames of its clip.

    Onset, apex and offset become the nearest existing frames. An apex that is missing, outside the clip or
    far from its frames becomes the middle frame; an apex on onset or offset is kept; a clip without an
    expression has none. `properties` say which errors of the row may be repaired.

    Args:
        row: label of the clip.
        path: folder or video file.
        numbers: frame numbers, ascending, at least one.
        properties: of the tree.

    Returns:
        The clip, or None where row and frames do not fit together, and the findings about it.
    """
    key = clip_key(row, properties.dataset)
    if row.whole_folder:
        row = replace(row, onset=numbers[0], offset=numbers[-1])
    row, findings = _repair_row(row, numbers, properties)
    mismatch = _mismatch(row, numbers)
    if mismatch or row.onset is None or row.offset is None:
        message = f"{row.location}: {mismatch} ({path})"
        return None, [Finding("clip left out", key, message, serious=True)]

    labelled = _Span(row.onset, row.offset)
    existing = _Span(_nearest(numbers, row.onset), _nearest(numbers, row.offset, prefer_earlier=True))
    images = _Span(numbers[0], numbers[-1])
    findings += _check_ends(row, labelled, images, properties)
    apex, apex_source, apex_findings = _choose_apex(row, labelled, existing, properties)
    findings += apex_findings
    findings += _missing_frames(row, numbers, labelled, existing, properties)
    if apex is not None:
        apex, apex_source, moved = _move_apex(row, apex, apex_source, numbers, existing, key)
        findings += moved
    clip = Clip(
        path=path,
        dataset=properties.dataset,
        subject=row.subject,
        name=row.name,
        emotion=row.emotion,
        onset=existing.first,
        apex=apex,
        offset=existing.last,
        fps=properties.fps,
        apex_source=apex_source,
        action_units=row.action_units,
        cropped=properties.cropped,
        kind=row.kind,
        also=row.also,
    )
    return clip, findings


def clip_key(row: LabelRow, dataset: str) -> str:
    """Return the `Clip.key` of the clip that a row labels."""
    return f"{dataset}/{row.subject}/{row.name}"


def unlabelled_folder(folder: str) -> Finding:
    """Return the finding about a clip folder that no row names: it has no label and is not used."""
    return Finding("folder without row", folder, "no row of the workbook names this clip; it is not used")


def frames_elsewhere(
    row: LabelRow, folder: Path, others: Sequence[Path], dataset: str, list_images: ListImages = image_files
) -> list[Finding]:
    """Report frames of a clip that are in another folder of it: archives are downloaded in several parts.

    Args:
        row: label of the clip.
        folder: the folder that is used.
        others: further folders of the clip in trees of the same kind.
        dataset: of the clip.
        list_images: lists the images of a folder.
    """
    findings = []
    for other in others:
        try:
            numbers = set(list_images(other)) - set(list_images(folder))
        except BadVideo:  # a folder that is not used may be damaged
            continue
        if not row.whole_folder and row.onset is not None and row.offset is not None:
            numbers = {number for number in numbers if row.onset <= number <= row.offset}
        if numbers:
            message = (
                f"{row.location}: {counted(len(numbers), 'frame')} that {folder} lacks are in {other}; was "
                "the clip split into two downloads? Put all its images into one folder"
            )
            findings.append(Finding("clip in two parts", clip_key(row, dataset), message, serious=True))
    return findings


def _repair_row(
    row: LabelRow, numbers: Sequence[int], properties: TreeProperties
) -> tuple[LabelRow, list[Finding]]:
    """Correct a row by its folder, in the ways that `properties` allow."""
    repairs = []
    if properties.mirror_offset:
        repairs.append(_mirror_offset)
    if properties.trimmed:
        repairs.append(_offset_from_folder)
    if properties.renumbered:
        repairs.append(_renumber)
    images = _Span(numbers[0], numbers[-1])
    for repair in repairs:
        result = repair(row, images, len(numbers))
        if result:
            repaired_row, kind, message = result
            key = clip_key(row, properties.dataset)
            return repaired_row, [Finding(kind, key, f"{row.location}: {message}")]
    return row, []


def _mirror_offset(row: LabelRow, images: _Span, count: int) -> tuple[LabelRow, str, str] | None:
    """Return the row with its missing offset, the kind of finding and its message; None where impossible."""
    if row.offset is not None or row.onset is None or row.apex is None:
        return None
    if row.onset >= row.apex or row.onset > images.last:
        return None
    offset = 2 * row.apex - row.onset
    message = f"the offset is not given; {offset}, as far from the apex as the onset, is used"
    if images.last < offset:
        message += f"; the images end before, so it is {images.last}"
    return replace(row, offset=min(offset, images.last)), "offset mirrored", message


def _offset_from_folder(row: LabelRow, images: _Span, count: int) -> tuple[LabelRow, str, str] | None:
    """As `_mirror_offset`, with the last image of a trimmed folder for an offset that cannot be right."""
    if row.onset is None or not images.first <= row.onset <= images.last:
        return None
    if row.offset is None:
        problem = "is not given"
    elif row.offset < row.onset:
        problem = f"{row.offset} comes before the onset {row.onset}"
    else:
        return None
    message = f"the offset {problem}; the last image of the folder, {images.last}, is used"
    return replace(row, offset=images.last), "offset from the folder", message


def _renumber(row: LabelRow, images: _Span, count: int) -> tuple[LabelRow, str, str] | None:
    """As `_mirror_offset`, with the numbers of a folder that has as many images as the row has frames."""
    if row.onset is None or row.offset is None or row.onset == images.first:
        return None
    labelled = _Span(row.onset, row.offset)
    if row.offset < row.onset or not count == len(labelled) == len(images):
        return None
    shift = images.first - row.onset
    apex = None if row.apex is None else row.apex + shift
    message = f"{labelled} are stored here as {images}, one to one"
    return replace(row, onset=images.first, apex=apex, offset=images.last), "frames renumbered", message


def _check_ends(row: LabelRow, labelled: _Span, images: _Span, properties: TreeProperties) -> list[Finding]:
    """Check onset and offset against the row's duration and the ends of a trimmed folder."""
    key = clip_key(row, properties.dataset)
    findings = []
    frames = len(labelled)
    if row.duration not in (None, frames):
        message = (
            f"{row.location}: {labelled} are {frames} frames, and its duration is {row.duration}; "
            f"the images are {images}"
        )
        is_confirmed = properties.trimmed and images == labelled
        findings.append(Finding("duration differs", key, message, serious=not is_confirmed))
    beyond = max(labelled.first - images.first, 0) + max(images.last - labelled.last, 0)
    if properties.trimmed and beyond:
        message = f"{row.location}: {labelled} are used, but the folder holds {images}"
        is_serious = beyond > SERIOUS_SHARE * frames
        findings.append(Finding("images beyond the clip", key, message, serious=is_serious))
    return findings


def _mismatch(row: LabelRow, numbers: Sequence[int]) -> str:
    """Return why a row cannot be combined with these frames, or ""."""
    if row.onset is None:
        return "onset is not given"
    if row.offset is None:
        return "offset is not given"
    if row.onset > row.offset:
        return f"onset {row.onset} comes after offset {row.offset}"
    if bisect_left(numbers, row.onset) == bisect_right(numbers, row.offset):
        return (
            f"no frame has a number from {row.onset} to {row.offset}; "
            f"there are {numbers[0]} to {numbers[-1]}, perhaps renumbered"
        )
    return ""


def _nearest(numbers: Sequence[int], frame: int, prefer_earlier: bool = False) -> int:
    """Return the number nearest to a frame; of two equally near ones the later, or else the earlier."""
    index = bisect_left(numbers, frame)
    neighbours = numbers[max(index - 1, 0) : index + 1]
    sign = 1 if prefer_earlier else -1
    return min(neighbours, key=lambda number: (abs(number - frame), sign * number))


def _choose_apex(
    row: LabelRow, labelled: _Span, existing: _Span, properties: TreeProperties
) -> tuple[int | None, str, list[Finding]]:
    """Choose the apex of a clip, which need not be an existing frame.

    More than a tenth of the clip away from the first or last existing frame, the nearest frame would not
    show an apex.

    Returns:
        The frame, `Clip.apex_source`, and findings.
    """
    middle = existing.first + (existing.last - existing.first) // 2
    if row.apex is None:
        if not properties.midpoint_apex or row.kind == "none":
            return None, "none", []
        kind = "apex not given"
        message = f"the middle frame {middle} is used"
    elif not labelled.first <= row.apex <= labelled.last:
        kind = "apex outside the clip"
        message = f"{row.apex} is not in {labelled}; the middle frame {middle} is used"
    elif row.apex in (labelled.first, labelled.last):
        mark = "onset" if row.apex == labelled.first else "offset"
        message = f"{row.location}: the apex {row.apex} is the {mark}; kept"
        finding = Finding("apex on the border", clip_key(row, properties.dataset), message)
        return row.apex, row.apex_source, [finding]
    elif max(existing.first - row.apex, row.apex - existing.last) > SERIOUS_SHARE * len(labelled):
        kind = "apex outside the clip"
        message = f"{row.apex} is far from the existing frames {existing}; the middle one, {middle}, is used"
    else:
        return row.apex, row.apex_source, []
    finding = Finding(kind, clip_key(row, properties.dataset), f"{row.location}: {message}")
    return middle, "midpoint", [finding]


def _move_apex(
    row: LabelRow, apex: int, apex_source: str, numbers: Sequence[int], existing: _Span, key: str
) -> tuple[int, str, list[Finding]]:
    """Move the apex to the nearest existing frame of the clip."""
    first = bisect_left(numbers, existing.first)
    end = bisect_right(numbers, existing.last)
    nearest = _nearest(numbers[first:end], apex)
    if nearest == apex or apex_source == "midpoint":
        return nearest, apex_source, []
    message = f"{row.location}: there is no frame {apex}; the nearest is {nearest}"
    return nearest, "repaired", [Finding("apex moved", key, message)]


def _missing_frames(
    row: LabelRow,
    numbers: Sequence[int],
    labelled: _Span,
    existing: _Span,
    properties: TreeProperties,
) -> list[Finding]:
    """Return one finding about all frames of the clip that do not exist."""
    count = len(labelled)
    present = bisect_right(numbers, labelled.last) - bisect_left(numbers, labelled.first)
    missing = count - present
    if not missing:
        return []
    message = f"{row.location}: {missing} of the {count} frames {labelled} do not exist"
    if existing != labelled:
        message += f"; the nearest ones, {existing}, are used"
    is_serious = missing > properties.max_missing * count
    return [Finding("frames missing", clip_key(row, properties.dataset), message, serious=is_serious)]
