"""Audit the header of every image of every clip, and not only its name; and one image of each clip, whole."""

import hashlib
import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image, UnidentifiedImageError

from learnet.core.parallel import parallel_map
from learnet.core.records import Clip, DatasetIndex, Finding
from learnet.datasets.prepared.duplicates import FINDING as IMAGE_OF_TWO
from learnet.video.images import image_files, read_image
from learnet.video.picture import MAX_PIXELS

Progress = Callable[[int, int], None]
"""Called with the number of clips done and of all clips."""

BATCH = 64
"""Clips that a process audits at a time."""

_MAX_SIZES = 5
_MAX_NAMES = 3

_PROBLEMS = {
    "damaged": "are no images inside, or cut short",
    "huge": "announce more pixels than can be read",
    "closed": "may not be read; change their permissions",
}
"""Description of a file that is not a readable image -> what is wrong with it."""


def with_headers(reading: DatasetIndex, jobs: int = -1, progress: Progress | None = None) -> DatasetIndex:
    """Add what images say: damaged and empty files, sizes that change within a clip, clips of two people that
    have the same image in their middle.

    Args:
        reading: from a reader. Clips that are video files are not audited.
        jobs: number of processes; -1 is one per core.
        progress: called after every `BATCH` clips.

    Returns:
        The index with more findings, and the frequent sizes of images in `about`.
    """
    clips = [clip for clip in reading.clips if clip.path.is_dir()]
    batches = [clips[first : first + BATCH] for first in range(0, len(clips), BATCH)]
    findings = list(reading.findings)
    sizes: Counter[str] = Counter()
    digests: list[str] = []
    for done, result in enumerate(parallel_map(_audit_clips, batches, jobs), start=1):
        batch_findings, batch_sizes, batch_digests = result
        findings += batch_findings
        sizes += batch_sizes
        digests += batch_digests
        if progress:
            progress(min(done * BATCH, len(clips)), len(clips))
    findings += _images_of_two_people(clips, digests)
    frequent = _count_sizes(sizes.most_common(_MAX_SIZES), ", ")
    if len(sizes) > _MAX_SIZES:
        frequent += ", …"
    about = reading.about | {"images": f"{sizes.total()}: {frequent}"}
    return replace(reading, findings=findings, about=about)


def _count_sizes(sizes: Iterable[tuple[str, int]], separator: str) -> str:
    return separator.join(f"{size} ({number})" for size, number in sizes)


def _images_of_two_people(clips: Sequence[Clip], digests: Sequence[str]) -> list[Finding]:
    """Return a serious finding for each clip with the middle image of an earlier clip of another person.

    Args:
        clips: whose images were read.
        digests: of each, see `_middle_image_digest`.
    """
    first_clip: dict[str, Clip] = {}
    findings = []
    for clip, digest in zip(clips, digests, strict=True):
        first = first_clip.setdefault(digest, clip) if digest else clip
        if first.person != clip.person:
            what = f"the image in its middle is also that of {first.key}: one recording of two people"
            findings.append(Finding(IMAGE_OF_TWO, clip.key, what, serious=True))
    return findings


def _middle_image_digest(clip: Clip) -> str:
    """Return the SHA-256 of the pixels in the middle of a clip; "" where there is no image or it is of one
    colour.
    """
    images = [path for number, path in image_files(clip.path).items() if clip.onset <= number <= clip.offset]
    pixels = read_image(images[len(images) // 2]) if images else None
    if pixels is None or not np.ptp(pixels):
        return ""
    content = np.ascontiguousarray(pixels)
    return hashlib.sha256(f"{content.shape}".encode() + content.tobytes()).hexdigest()


def _audit_clips(clips: list[Clip]) -> tuple[list[Finding], Counter[str], list[str]]:
    """Return findings about clips, the number of images of each format and size, and a digest per clip."""
    findings: list[Finding] = []
    total: Counter[str] = Counter()
    digests = []
    for clip in clips:
        clip_findings, sizes = _audit_clip(clip)
        findings += clip_findings
        total += sizes
        digests.append(_middle_image_digest(clip))
    return findings, total, digests


def _audit_clip(clip: Clip) -> tuple[list[Finding], Counter[str]]:
    names_by_problem: dict[str, list[str]] = {}
    sizes: Counter[str] = Counter()
    total = 0
    for number, path in image_files(clip.path).items():
        if not clip.onset <= number <= clip.offset:
            continue
        total += 1
        description = _describe_image(path)
        if description in _PROBLEMS:
            names_by_problem.setdefault(description, []).append(path.name)
        else:
            sizes[description] += 1

    findings = []
    for problem, explanation in _PROBLEMS.items():
        names = names_by_problem.get(problem)
        if not names:
            continue
        message = f"{len(names)} of {total} files {explanation}: {', '.join(names[:_MAX_NAMES])}"
        if len(names) > _MAX_NAMES:
            message += ", …"
        findings.append(Finding(f"images {problem}", clip.key, message, serious=True))
    pixel_sizes = {description.split()[1] for description in sizes}
    if len(pixel_sizes) > 1:
        message = f"its images are {_count_sizes(sizes.items(), ' and ')}"
        findings.append(Finding("image sizes differ", clip.key, message, serious=True))
    return findings, sizes


def _describe_image(path: Path) -> str:
    """Return format and size by the first bytes of a file, such as `jpeg 640x480`, whatever its suffix.

    Returns `damaged` where it is not an image, `huge` where it is too large to be read, and `closed` where it
    may not be read.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with Image.open(path) as image:
                image_format = image.format or "unknown"
                width, height = image.size
    except PermissionError:
        return "closed"
    except Image.DecompressionBombError:
        return "huge"
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError):  # cut off or invalid within the header
        return "damaged"
    return "huge" if width * height > MAX_PIXELS else f"{image_format.lower()} {width}x{height}"
