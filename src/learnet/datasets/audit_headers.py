"""The deep audit: the header of every image of every clip, not only its name."""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from PIL import Image, UnidentifiedImageError

from learnet.core.parallel import parallel_map
from learnet.core.records import Clip, DatasetIndex, Finding
from learnet.video.images import image_files

Progress = Callable[[int, int], None]  # clips done, clips in all

BATCH = 64  # clips that one process looks at before it answers


def with_headers(reading: DatasetIndex, jobs: int = -1, progress: Progress | None = None) -> DatasetIndex:
    """READING with what the headers of its clips' images say: files that are no images, empty files, sizes that change inside a clip.

    Args:
        reading: from a loader; clips that are video files are passed over.
        jobs: processes; -1 is one per core.
        progress: called after every `BATCH` clips.
    """
    clips = [clip for clip in reading.clips if clip.path.is_dir()]
    batches = [clips[first : first + BATCH] for first in range(0, len(clips), BATCH)]
    findings: list[Finding] = []
    sizes: Counter[str] = Counter()
    for done, (found, seen) in enumerate(parallel_map(_look, batches, jobs), start=1):
        findings += found
        sizes += seen
        if progress:
            progress(min(done * BATCH, len(clips)), len(clips))
    common = ", ".join(f"{kind} ({number})" for kind, number in sizes.most_common(5)) + (
        ", …" if len(sizes) > 5 else ""
    )
    return replace(
        reading,
        findings=[*reading.findings, *findings],
        about=reading.about | {"images": f"{sizes.total()}: {common}"},
    )


def _look(clips: list[Clip]) -> tuple[list[Finding], Counter[str]]:
    """Findings about these clips, and how many images there are of each kind and size."""
    findings: list[Finding] = []
    total: Counter[str] = Counter()
    for clip in clips:
        paths = [
            path for number, path in image_files(clip.path).items() if clip.onset <= number <= clip.offset
        ]
        kinds = [_header(path) for path in paths]
        for word, wrong in (
            ("damaged", "are no images inside, or cut short"),
            ("closed", "may not be read; change their permissions"),
        ):
            if names := [path.name for path, kind in zip(paths, kinds, strict=True) if kind == word]:
                what = f"{len(names)} of {len(paths)} files {wrong}: {', '.join(names[:3])}"
                findings.append(
                    Finding(
                        f"images {word}", clip.key, what + (", …" if len(names) > 3 else ""), serious=True
                    )
                )
        seen = Counter(kind for kind in kinds if kind not in ("damaged", "closed"))
        if len({kind.split()[1] for kind in seen}) > 1:
            what = f"its images are {' and '.join(f'{kind} ({number})' for kind, number in seen.items())}"
            findings.append(Finding("image sizes differ", clip.key, what, serious=True))
        total += seen
    return findings, total


def _header(path: Path) -> str:
    """`jpeg 640x480`: what the first bytes say the file is, whatever its suffix; `damaged` where they are of no image, or `closed`."""
    try:
        with Image.open(path) as image:
            return f"{(image.format or 'unknown').lower()} {image.width}x{image.height}"
    except PermissionError:
        return "closed"
    except (UnidentifiedImageError, OSError):  # OSError: cut short inside the header
        return "damaged"
