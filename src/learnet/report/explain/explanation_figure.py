"""A figure with the numbers that it shows, and its files."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from learnet.core.csv_files import escape_formula
from learnet.report.style import save_figure


@dataclass(frozen=True)
class ExplanationFigure:
    """A figure, and the numbers that it shows."""

    figure: Figure
    table: pd.DataFrame


def write_figures(folder: Path, figures: Mapping[str, ExplanationFigure]) -> list[Path]:
    """Write each figure as PNG and SVG, and its table as CSV, under its name.

    Returns:
        The PNG files.
    """
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name, figure in figures.items():
        picture = folder / f"{name}.png"
        save_figure(figure.figure, picture, private=True)
        save_figure(figure.figure, folder / f"{name}.svg", private=True)
        table = figure.table.map(escape_formula)
        table.to_csv(folder / f"{name}.csv", index=False, lineterminator="\n", float_format="%.6g")
        written.append(picture)
    return written
