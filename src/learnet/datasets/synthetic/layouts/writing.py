"""Shared by the layouts of synthetic databases: the record of a layout, and files without timestamps."""

import re
import zipfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

import cv2
import numpy as np
import openpyxl
from jaxtyping import UInt8, UInt16

from learnet.core.errors import LearnetError
from learnet.simulation.render import Camera
from learnet.simulation.scenes import DatabasePlan, EmotionMix, LongScene, Scene

JPEG_QUALITY = 88  # percent
SEED_SPACE_SIZE = 2**32  # seeds of one layout; a larger seed gives the people of another layout

Cell = str | int | float | None
AnyScene = TypeVar("AnyScene", Scene, LongScene)


def _no_scenes(seed: int) -> list[AnyScene]:
    return []


@dataclass(frozen=True)
class Layout(Generic[AnyScene]):
    """Files and labels of a database. Its scenes are all `Scene`s (clips) or all `LongScene`s (videos)."""

    title: str
    seed_space: int  # different for every layout, so that the same seed gives different people
    camera: Camera
    emotions: EmotionMix
    plan: Callable[[DatabasePlan], list[AnyScene]]

    write_clip: Callable[[Path, AnyScene], None]
    """Write the files of one scene below a root folder. Runs in any process, in any order."""

    write_labels: Callable[[Path, Sequence[AnyScene]], None]
    """Write the label files of all labelled scenes, in order, after all clips are written."""

    unlabelled: Callable[[int], list[AnyScene]] = _no_scenes
    """Seed -> scenes that are rendered but have no label."""

    emotion_word: Callable[[str], str] = str
    """Emotion of a scene -> the word for it in this database."""

    has_xls: bool = False
    """Whether a workbook is in the old format, which requires xlwt."""

    has_films: bool = False
    """Whether recordings can have a given length, with disturbances between the expressions."""

    megc_entry: Callable[[AnyScene], str] | None = None
    """Scene -> its clip as the list of MEGC2019 writes it: "sub01,EP02_01f"."""

    def scenes(
        self, people: int, clips_per_person: int, seed: int, recording_s: float | None = None
    ) -> list[AnyScene]:
        """Return the labelled scenes: the ground truth of the database.

        Raises:
            LearnetError: fewer than one person or clip, a negative seed, or a length of recordings that are
                too short or that this layout does not have.
        """
        if recording_s is not None and not self.has_films:
            raise LearnetError(
                f"The layout of {self.title} has no long recordings of a given length.",
                "Use --layout samm-lv, casme-sq, casme3 or smic-e.",
            )
        DatabasePlan(people, clips_per_person, seed)  # refuses a seed that would become valid by the offset
        layout_seed = self._layout_seed(seed)
        plan = DatabasePlan(people, clips_per_person, layout_seed, self.camera, self.emotions, recording_s)
        return self.plan(plan)

    def unlabelled_scenes(self, seed: int) -> list[AnyScene]:
        """Return the scenes that are on disk but in no label file."""
        return self.unlabelled(self._layout_seed(seed))

    def _layout_seed(self, seed: int) -> int:
        return seed + SEED_SPACE_SIZE * self.seed_space


def unit_cell(action_units: str) -> Cell:
    """Return the cell of a workbook for action units: a number where there is only one."""
    if action_units.isdigit():
        return int(action_units)
    return action_units


def write_image(path: Path, frame: UInt8[np.ndarray, "H W 3"], *, grey: bool = False) -> None:
    """Write one RGB frame in the format of the suffix (.jpg, .bmp or .png), in colour or as grey levels."""
    conversion = cv2.COLOR_RGB2GRAY if grey else cv2.COLOR_RGB2BGR
    pixels = cv2.cvtColor(frame, conversion)
    options = []
    if path.suffix == ".jpg":
        options = [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY]
    _, data = cv2.imencode(path.suffix, pixels, options)
    path.write_bytes(data.tobytes())


def write_depth_map(path: Path, depth: UInt16[np.ndarray, "H W"]) -> None:
    """Write one depth map as a PNG file of 16 bits per pixel; the unit is the database's."""
    _, data = cv2.imencode(".png", depth)
    path.write_bytes(data.tobytes())


def write_workbook(path: Path, sheets: Mapping[str, Iterable[Sequence[Cell]]]) -> None:
    """Write sheets of rows as an .xlsx workbook, or as an old workbook where the name ends in .xls.

    Cells keep their type; None is an empty cell. The same rows give the same bytes at any time.

    Raises:
        LearnetError: an .xls workbook is to be written, and xlwt is not installed.
    """
    if path.suffix == ".xls":
        _write_xls(path, sheets)
        return
    book = openpyxl.Workbook()
    book.remove(book.active)
    for title, rows in sheets.items():
        sheet = book.create_sheet(title)
        for row in rows:
            sheet.append(row)
    _save_without_timestamps(book, path)


def check_xls_available() -> None:
    """Check that .xls workbooks can be written.

    Raises:
        LearnetError: xlwt is not installed.
    """
    try:
        import xlwt  # noqa: F401
    except ImportError as error:
        raise LearnetError(
            "This layout has an old workbook (.xls), which requires xlwt, which is not installed.",
            "Install it: pip install xlwt",
        ) from error


def _write_xls(path: Path, sheets: Mapping[str, Iterable[Sequence[Cell]]]) -> None:
    check_xls_available()
    import xlwt  # optional: only synthetic databases with old workbooks need it

    book = xlwt.Workbook()
    for title, rows in sheets.items():
        sheet = book.add_sheet(title)
        for row_index, row in enumerate(rows):
            for column, value in enumerate(row):
                if value is not None:
                    sheet.write(row_index, column, value)
    book.save(str(path))


def _save_without_timestamps(book: openpyxl.Workbook, path: Path) -> None:
    """Save a workbook without the time of day, which openpyxl writes into the document and the archive."""
    draft = path.with_suffix(".draft")
    book.save(draft)
    with zipfile.ZipFile(draft) as source, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as target:
        for entry in source.infolist():
            content = source.read(entry)
            if entry.filename == "docProps/core.xml":
                content = re.sub(
                    rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ",
                    b"2014-05-08T00:00:00Z",
                    content,
                )
            undated = zipfile.ZipInfo(entry.filename)
            target.writestr(undated, content, zipfile.ZIP_DEFLATED)
    draft.unlink()
