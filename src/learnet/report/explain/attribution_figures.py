"""Figures of attributions, each with its table: over the motion image, per region, and their checks."""

from collections.abc import Mapping, Sequence

import matplotlib as mpl
import numpy as np
import pandas as pd
from jaxtyping import Float32
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from learnet.core.figure_style import CELL, INK, MUTED, RULE, STYLE
from learnet.report.explain.activation_figures import cell_table, draw_background
from learnet.report.explain.background import Background
from learnet.report.explain.explanation_figure import ExplanationFigure
from learnet.report.explain.face_regions import (
    REGION_NAMES,
    FacePlacement,
    sum_per_region,
    units_per_region,
)
from learnet.report.explain.sanity_checks import PerturbationCurve, SanityChecks

Maps = Mapping[str, Float32[np.ndarray, "S S"]]  # name of the method -> attribution
DASHES = ("-", (0, (4, 2)), (0, (1, 1.5)))  # dash patterns and hatches differ without colour
HATCHES = ("", "////", "....")


def attribution_figure(maps: Maps, background: Background, title: str) -> ExplanationFigure:
    """Draw attributions over the grey motion image: purple supports the class, orange opposes it.

    Strong values are more opaque. If the background is anonymous, the maps are coarse and drawn over the
    average face.

    Returns:
        The table has a row per pixel or coarse cell: method, row, column, value.
    """
    maps = {name: background.prepare_maps(values) for name, values in maps.items()}
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(2.5 * (1 + len(maps)), 3.3), layout="constrained")
        first, *others = figure.subplots(1, 1 + len(maps))
        draw_background(first, background)
        for axes, (name, values) in zip(others, maps.items(), strict=True):
            limit = float(np.abs(values).max()) or 1.0
            background.draw(axes, grey=True)
            background.draw_map(axes, values, limit)
            scale = f"up to {limit:.2g}" if values.any() else "empty: nothing supports the class"
            axes.set_title(f"{name}\n{scale}", size=8, loc="center", weight="normal")
        figure.suptitle(title, x=0.01, ha="left", size=10, weight="bold")
        figure.supxlabel("purple: supports the class   ·   orange: opposes it", size=8, color=MUTED)
    return ExplanationFigure(figure, cell_table(maps, "method"))


def regions_figure(maps: Maps, placement: FacePlacement, title: str) -> ExplanationFigure:
    """Draw the share of each attribution in each region of the face, beside the area of the region.

    Returns:
        The tables of `sum_per_region`, one after the other, with the column method.
    """
    tables = [sum_per_region(values, placement) for values in maps.values()]
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(8.2, 0.55 * len(REGION_NAMES) + 1.4), layout="constrained")
        axes = figure.subplots()
        _draw_shares(axes, list(maps), tables)
        axes.set_yticks(range(len(REGION_NAMES)), [_region_label(name) for name in REGION_NAMES])
        limits = {"ylim": (len(REGION_NAMES) - 0.4, -0.6), "xlim": (0, None)}
        axes.set(**limits, xlabel="share of the absolute attribution")
        axes.grid(axis="x", color=RULE, linewidth=0.6)
        axes.set_axisbelow(True)
        axes.tick_params(length=0)
        figure.legend(frameon=False, fontsize=8, loc="outside lower center", ncols=1 + len(tables))
        figure.suptitle(title, x=0.01, ha="left", size=10, weight="bold")
    table = pd.concat(tables, keys=list(maps), names=["method", None]).reset_index("method")
    return ExplanationFigure(figure, table.reset_index(drop=True))


def checks_figure(checks: Mapping[str, SanityChecks], title: str) -> ExplanationFigure:
    """Draw the probability of the class while pixels are removed and inserted, below the rank correlations.

    Returns:
        The table has a row per point of a curve: method, way (deletion or insertion), share of pixels,
        probability, area under the curve, area_by_chance (mean over random orders), and
        rank_correlation_in_disorder, the mean absolute rank correlation with maps of networks with permuted
        weights (empty for an empty map).
    """
    tables = []
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(8.6, 3.6), layout="constrained")
        deletion_axes, insertion_axes = figure.subplots(1, 2, sharey=True)
        for (name, result), dash in zip(checks.items(), DASHES, strict=False):
            _draw_curve(deletion_axes, name, result.deletion, dash)
            _draw_curve(insertion_axes, name, result.insertion, dash)

        for axes, way in ((deletion_axes, "deletion"), (insertion_axes, "insertion")):
            chance = np.nan
            for name, result in checks.items():
                table, chance = _curve_table(name, result, way)
                tables.append(table)
            axes.set_title(f"{way}: area by chance {chance:.2f}")
            axes.set(xlabel="share of the pixels", ylim=(-0.02, 1.02))
            axes.legend(frameon=False, fontsize=7.5)
            axes.grid(color=RULE, linewidth=0.6)

        deletion_axes.set_ylabel("probability of the class")
        heading = "Rank correlation with maps of networks with permuted weights (near 0 for a good map):"
        lines = (title, heading, _correlations_text(checks))
        figure.suptitle("\n".join(lines), x=0.01, ha="left", size=9)
    return ExplanationFigure(figure, pd.concat(tables, ignore_index=True))


def _draw_shares(axes: Axes, methods: Sequence[str], tables: Sequence[pd.DataFrame]) -> None:
    """Draw a bar for each method and region, and a vertical line at the area of each region."""
    height = 0.8 / len(tables)
    region_rows = np.arange(len(REGION_NAMES))
    for index, (method, table, hatch) in enumerate(zip(methods, tables, HATCHES, strict=False)):
        shift = (index - (len(tables) - 1) / 2) * height
        axes.barh(
            region_rows + shift,
            table["share"],
            height=0.9 * height,
            color=CELL,
            alpha=0.9,
            hatch=hatch,
            edgecolor="white",
            label=method,
        )
    for row, area in enumerate(tables[0]["area"]):
        label = "area of the region" if row == 0 else None
        axes.plot([area, area], [row - 0.45, row + 0.45], color=INK, linewidth=1.2, label=label)


def _region_label(region: str) -> str:
    """Return the name of a region with the numbers of its action units."""
    units = units_per_region().get(region, ())
    if not units:
        return region
    return f"{region}  (AU {', '.join(map(str, units))})"


def _draw_curve(axes: Axes, method: str, curve: PerturbationCurve, dash: object) -> None:
    label = f"{method}: area {curve.area:.2f}"
    axes.plot(curve.share, curve.probability, color=INK, linestyle=dash, linewidth=1.3, label=label)


def _curve_table(method: str, result: SanityChecks, way: str) -> tuple[pd.DataFrame, float]:
    """Return the table of one curve, and the mean area over random orders."""
    curve, random_area = result.deletion, result.random_deletion_area
    if way == "insertion":
        curve, random_area = result.insertion, result.random_insertion_area
    columns = {
        "method": method,
        "way": way,
        "share": curve.share,
        "probability": curve.probability,
        "area": curve.area,
        "area_by_chance": random_area,
        "rank_correlation_in_disorder": _mean_correlation(result),
    }
    return pd.DataFrame(columns), random_area


def _mean_correlation(result: SanityChecks) -> float:
    """Return the mean absolute rank correlation; NaN for an empty map."""
    if result.empty:
        return float("nan")
    return float(np.mean(np.abs(result.rank_correlations)))


def _correlations_text(checks: Mapping[str, SanityChecks]) -> str:
    texts = []
    for name, result in checks.items():
        value = "empty" if result.empty else f"{_mean_correlation(result):.2f}"
        texts.append(f"{name} {value}")
    return ", ".join(texts)
