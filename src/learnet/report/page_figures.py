"""Figures of a page, each with its data: as a link in the page, and as a CSV file beside it."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from urllib.parse import quote

import pandas as pd
from markupsafe import Markup
from matplotlib.figure import Figure

from learnet.core.csv_files import csv_text, escape_formula, parse_csv
from learnet.core.errors import BadInput, OutputTaken
from learnet.core.files import is_draft, write_atomically
from learnet.report.style import inline_svg

INDEX = "index.csv"
INDEX_COLUMNS = ["file", "figure"]


@dataclass(frozen=True)
class PageFigure:
    """A figure, and the data it shows."""

    name: str  # unique on the page; letters, digits and dashes
    svg: Markup
    said: str  # description for readers who cannot see the figure
    table: pd.DataFrame
    broad: bool = False  # keeps its width on a narrow screen and scrolls sideways

    @cached_property
    def csv(self) -> str:
        """The data as CSV, with six significant digits."""
        table = self.table.map(escape_formula)
        return str(table.to_csv(index=False, lineterminator="\n", float_format="%.6g"))

    @property
    def address(self) -> str:
        """The CSV as a `data:` URI."""
        return "data:text/csv;charset=utf-8," + quote(self.csv, safe="/,:;=+()!*'")


def make_page_figure(
    figure: Figure, name: str, said: str, table: pd.DataFrame, broad: bool = False
) -> PageFigure:
    """Prepare a figure for a page."""
    return PageFigure(name, Markup(inline_svg(figure, name, said)), said, table, broad)


def folder_of(page: Path) -> Path:
    """Return the folder beside a page that contains the data of its figures."""
    return page.with_name(f"{page.stem}-csv")


def check_tables(folder: Path) -> None:
    """Refuse a folder that contains anything but the tables of an earlier page.

    Raises:
        OutputTaken: it does.
    """
    if not folder.exists():
        return
    is_free = folder.is_dir() and (all(map(is_draft, folder.iterdir())) or _earlier_files(folder))
    if not is_free:
        raise OutputTaken(
            folder, "the data of the figures are written here, and it is in use", "Choose another page."
        )


def write_tables(folder: Path, figures: Iterable[PageFigure]) -> None:
    """Write the data of each figure, and `index.csv`, which describes the files. Replace those of an earlier
    page.

    The index is there whenever other files are: it tells that the folder belongs to a page.
    """
    by_file = {f"{figure.name}.csv": figure for figure in figures}
    folder.mkdir(parents=True, exist_ok=True)
    for name in set(_earlier_files(folder)) - {INDEX, *by_file}:
        (folder / name).unlink(missing_ok=True)
    rows = [[name, figure.said] for name, figure in by_file.items()]
    write_atomically(folder / INDEX, csv_text([INDEX_COLUMNS, *rows]))
    for name, figure in by_file.items():
        write_atomically(folder / name, figure.csv)


def _earlier_files(folder: Path) -> list[str]:
    """Return the files that an earlier page wrote; empty if the folder does not belong to a page."""
    index = folder / INDEX
    if not index.is_file():
        return []
    try:
        rows = parse_csv(index, index.read_text(encoding="utf-8", errors="replace"))
    except BadInput:
        return []  # of somebody else
    if not rows or rows[0] != INDEX_COLUMNS:
        return []
    names = [row[0] for row in rows[1:] if row]
    return [INDEX, *(name for name in names if re.fullmatch(r"[a-z0-9-]+\.csv", name))]
