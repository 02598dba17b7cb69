"""Figures of a page, each with its numbers: as a link in the page, so that one file is enough, and as a CSV file beside it."""

import csv
import io
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from urllib.parse import quote

import pandas as pd
from markupsafe import Markup
from matplotlib.figure import Figure

from learnet.core.errors import OutputTaken
from learnet.core.files import write_atomically
from learnet.report.style import inline_svg

INDEX = "index.csv"
HEAD = ["file", "figure"]


@dataclass(frozen=True)
class PageFigure:
    """A figure, and the numbers that it is drawn from."""

    name: str  # unique on the page; letters, digits and dashes
    svg: Markup
    said: str  # what it shows, for a reader who cannot see it
    table: pd.DataFrame
    broad: bool = False  # keeps its size on a narrow screen, where one then moves it sideways

    @cached_property
    def csv(self) -> str:
        """The numbers, with six digits."""
        return str(self.table.to_csv(index=False, lineterminator="\n", float_format="%.6g"))

    @property
    def address(self) -> str:
        """The CSV as a `data:` address."""
        return "data:text/csv;charset=utf-8," + quote(self.csv, safe="/,:;=+()!*'")


def make_page_figure(
    figure: Figure, name: str, said: str, table: pd.DataFrame, broad: bool = False
) -> PageFigure:
    """A figure made ready for a page."""
    return PageFigure(name, Markup(inline_svg(figure, name, said)), said, table, broad)


def folder_of(page: Path) -> Path:
    """The folder beside a page that has the CSV of each of its figures."""
    return page.with_name(f"{page.stem}-csv")


def check_tables(folder: Path) -> None:
    """Refuse a folder that holds something else than the tables of an earlier page.

    Raises:
        OutputTaken: with the folder.
    """
    if folder.exists() and (not folder.is_dir() or (any(folder.iterdir()) and not _listed(folder))):
        raise OutputTaken(
            folder,
            "the numbers of the figures belong here, and something else is there",
            "Name another page.",
        )


def write_tables(folder: Path, drawings: Iterable[PageFigure]) -> None:
    """Write the numbers of each figure, and `index.csv`, which says what each file is; files of an earlier page are replaced."""
    known = {f"{one.name}.csv": one for one in drawings}
    folder.mkdir(parents=True, exist_ok=True)
    for name in set(_listed(folder)) - set(known):
        (folder / name).unlink(missing_ok=True)
    for name, one in known.items():
        write_atomically(folder / name, one.csv)
    index = io.StringIO()
    csv.writer(index, lineterminator="\n").writerows(
        [HEAD, *([name, one.said] for name, one in known.items())]
    )
    write_atomically(folder / INDEX, index.getvalue())


def _listed(folder: Path) -> list[str]:
    """The files that an earlier page left; none where the folder is not of a page."""
    index = folder / INDEX
    rows = (
        list(csv.reader(io.StringIO(index.read_text(encoding="utf-8", errors="replace"), newline="")))
        if index.is_file()
        else []
    )
    if not rows or rows[0] != HEAD:
        return []
    return [INDEX, *(row[0] for row in rows[1:] if row and re.fullmatch(r"[a-z0-9-]+\.csv", row[0]))]
