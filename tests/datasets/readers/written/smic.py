"""A SMIC of invented people and clips."""

from collections.abc import Iterable
from pathlib import Path

from learnet.core.records import DatasetIndex
from tests.builders.written_by_hand import images

CLIPS: list[tuple[str, str, str, int, int]] = [
    ("s1", "micro/negative", "s1_ne_91", 76518, 76530),
    ("s3", "micro/positive", "s3_po_92", 559740, 559773),
    ("s12", "micro/negative", "s12_ne_91", 1000020, 1000050),
    ("s20", "micro/surprise", "s20_sur_92", 17581039, 17581055),
]
EXPECTED = [
    ("s01", "s1_ne_91", "negative", 76518, 76524, 76530, "midpoint", ""),
    ("s03", "s3_po_92", "positive", 559740, 559756, 559773, "midpoint", ""),
    ("s12", "s12_ne_91", "negative", 1000020, 1000035, 1000050, "midpoint", ""),
    ("s20", "s20_sur_92", "surprise", 17581039, 17581047, 17581055, "midpoint", ""),
]
STILL = ("s1", "non_micro", "s1_non_91", 76600, 76620)
CROPPED, RAW = "reg_image{:06d}.bmp", "image{:06d}.bmp"


def tree(
    root: Path, rows: Iterable[tuple[str, str, str, int, int]] = (*CLIPS, STILL), pattern: str = CROPPED
) -> Path:
    for subject, label, name, first, last in rows:
        images(root / subject / label / name, range(first, last + 1), pattern)
    return root


def slow(rows: Iterable[tuple[str, str, str, int, int]], start: int) -> list[tuple[str, str, str, int, int]]:
    """The same clips as a camera of a quarter of the frames filmed them, counting from START."""
    return [
        (subject, label, name, start, start + (last - first) // 4)
        for subject, label, name, first, last in rows
    ]


def owners(root: Path) -> Path:
    """Crops and whole images of three cameras. The slow ones have people from s11 on, and blanks in names."""
    for name, pattern in (("SMIC_all_cropped", "reg_image"), ("SMIC_all_raw", "image")):
        tree(root / name / "HS", pattern=pattern + "{:06d}.bmp")
        tree(root / name / "VIS", slow(CLIPS[2:], 500), pattern + " {:06d}.bmp")
        tree(root / name / "NIR", slow(CLIPS[2:], 700), pattern + " {:06d}.bmp")
    (root / "SMIC_all_cropped" / "HS" / "s1" / "Thumbs.db").touch()
    return root


def frames(reading: DatasetIndex) -> list[tuple[int, int, float]]:
    return [(clip.onset, clip.offset, clip.fps) for clip in reading.clips]
