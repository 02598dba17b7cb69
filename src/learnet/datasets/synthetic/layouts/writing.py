"""What the layouts of the synthetic database share: the record of a layout, and files without a time of day in them."""

import re
import zipfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

import cv2
import numpy as np
import openpyxl
import xlwt
from jaxtyping import UInt8, UInt16

from learnet.simulation.render import Camera
from learnet.simulation.scenes import EmotionMix, LongScene, Scene, check_plan

QUALITY = 88  # of JPEG files, percent
SEED_SPACE_SIZE = 2**32  # seeds of one realm; whoever chooses a greater seed meets the people of another layout

Cell = str | int | float | None
AnyScene = TypeVar("AnyScene", Scene, LongScene)


def _nothing(seed: int) -> list[AnyScene]:
    return []


@dataclass(frozen=True)
class Layout(Generic[AnyScene]):
    """How one database lies on disk. Its scenes are all `Scene`s (cut clips) or all `LongScene`s (long videos)."""

    title: str
    realm: int  # another for every layout: the same seed gives each its own people
    camera: Camera
    repertoire: EmotionMix
    plan: Callable[
        [int, int, int, Camera, EmotionMix], list[AnyScene]
    ]  # people, clips per person, seed; see simulate.script
    write_clip: Callable[
        [Path, AnyScene], None
    ]  # root folder; makes the scene's own folders; runs in any process, in any order
    write_labels: Callable[
        [Path, Sequence[AnyScene]], None
    ]  # all scenes but the extra ones, in order, when all clips are there
    extra: Callable[[int], list[AnyScene]] = _nothing  # seed -> scenes that are rendered but have no label
    named: Callable[[str], str] = str  # emotion of a scene -> the word this database has for it
    listed: Callable[[AnyScene], str] | None = (
        None  # a scene's clip as the list of MEGC2019 writes it: "sub01,EP02_01f"
    )

    def scenes(self, people: int, clips_per_person: int, seed: int) -> list[AnyScene]:
        """The labelled scenes, by which whoever reads the database back can be judged.

        Raises:
            LearnetError: fewer than one person or clip, or a negative seed.
        """
        check_plan(people, clips_per_person, seed)
        return self.plan(people, clips_per_person, self._own(seed), self.camera, self.repertoire)

    def extra_scenes(self, seed: int) -> list[AnyScene]:
        """Scenes that are on disk and in no label file."""
        return self.extra(self._own(seed))

    def _own(self, seed: int) -> int:
        return seed + SEED_SPACE_SIZE * self.realm


def write_image(path: Path, frame: UInt8[np.ndarray, "H W 3"], *, grey: bool = False) -> None:
    """One RGB frame as the kind of file that its name asks for (.jpg, .bmp, .png), in colour or as one grey channel."""
    pixels = cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY if grey else cv2.COLOR_RGB2BGR)
    _, data = cv2.imencode(
        path.suffix, pixels, [cv2.IMWRITE_JPEG_QUALITY, QUALITY] if path.suffix == ".jpg" else []
    )
    path.write_bytes(data.tobytes())


def write_depth_map(path: Path, depth: UInt16[np.ndarray, "H W"]) -> None:
    """One depth map as a PNG file of 16 bits per pixel; the unit is the database's."""
    _, data = cv2.imencode(".png", depth)
    path.write_bytes(data.tobytes())


def write_workbook(path: Path, sheets: Mapping[str, Iterable[Sequence[Cell]]]) -> None:
    """Sheets of rows as an .xlsx or, where the name ends in .xls, an old workbook; cells keep their type, None is an empty one.

    The same rows give the same bytes at any time.
    """
    if path.suffix == ".xls":
        _write_old(path, sheets)
        return
    book = openpyxl.Workbook()
    book.remove(book.active)
    for title, rows in sheets.items():
        sheet = book.create_sheet(title)
        for row in rows:
            sheet.append(row)
    _save_undated(book, path)


def _write_old(path: Path, sheets: Mapping[str, Iterable[Sequence[Cell]]]) -> None:
    book = xlwt.Workbook()
    for title, rows in sheets.items():
        sheet = book.add_sheet(title)
        for i, row in enumerate(rows):
            for k, value in enumerate(row):
                if value is not None:
                    sheet.write(i, k, value)
    book.save(str(path))


def _save_undated(book: openpyxl.Workbook, path: Path) -> None:
    """Save without the time of day, which openpyxl writes into the document and into every entry of the archive."""
    draft = path.with_suffix(".draft")
    book.save(draft)
    with zipfile.ZipFile(draft) as old, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as new:
        for entry in old.infolist():
            content = old.read(entry)
            if entry.filename == "docProps/core.xml":
                content = re.sub(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", b"2014-05-08T00:00:00Z", content)
            new.writestr(zipfile.ZipInfo(entry.filename), content, zipfile.ZIP_DEFLATED)
    draft.unlink()
