"""Where a network looks, as figures, each with its numbers: attributions over the motion image, per part of the face, and their checks."""

from collections.abc import Mapping

import matplotlib as mpl
import numpy as np
import pandas as pd
from jaxtyping import Float32
from matplotlib.figure import Figure

from learnet.report.explain.activation_figures import ExplanationFigure, cell_table, draw_background
from learnet.report.explain.background import Background
from learnet.report.explain.face_regions import REGION_NAMES, FacePlacement, sum_per_region, units_per_region
from learnet.report.explain.sanity_checks import SanityChecks
from learnet.report.style import CELL, INK, MUTED, RULE, STYLE

Maps = Mapping[str, Float32[np.ndarray, "S S"]]  # name of the method -> attribution
DASHES = ("-", (0, (4, 2)), (0, (1, 1.5)))  # lines that are told apart without their colour
HATCHES = ("", "////", "....")


def attribution_figure(maps: Maps, ground: Background, title: str) -> ExplanationFigure:
    """Attributions over the motion image, in grey: purple speaks for the class, orange against it, the stronger the denser.

    Where the person is hidden, they are coarse and lie over the average face.

    Returns:
        The table has a row for each pixel, or coarse cell: method, row, column, value.
    """
    maps = {name: ground.prepare_maps(found) for name, found in maps.items()}
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(2.5 * (1 + len(maps)), 3.3), layout="constrained")
        first, *others = figure.subplots(1, 1 + len(maps))
        draw_background(first, ground)
        for axes, (name, found) in zip(others, maps.items(), strict=True):
            limit = float(np.abs(found).max()) or 1.0
            ground.draw(axes, grey=True)
            ground.draw_map(axes, found, limit)
            most = f"up to {limit:.2g}" if found.any() else "empty: nothing speaks for the class"
            axes.set_title(f"{name}\n{most}", size=8, loc="center", weight="normal")
        figure.suptitle(title, x=0.01, ha="left", size=10, weight="bold")
        figure.supxlabel("purple: speaks for the class   ·   orange: against it", size=8, color=MUTED)
    return ExplanationFigure(figure, cell_table(maps, "method"))


def regions_figure(maps: Maps, where: FacePlacement, title: str) -> ExplanationFigure:
    """The share of each attribution in each part of the face, beside the area of the part, with the action units that live there.

    Returns:
        The table of `regions.sum_per_region`, a part for each method.
    """
    tables = [sum_per_region(found, where).assign(method=name) for name, found in maps.items()]
    high = 0.8 / len(tables)
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(8.2, 0.55 * len(REGION_NAMES) + 1.4), layout="constrained")
        axes = figure.subplots()
        for place, (name, table, hatch) in enumerate(zip(maps, tables, HATCHES, strict=False)):
            rows = np.arange(len(REGION_NAMES)) + (place - (len(tables) - 1) / 2) * high
            axes.barh(
                rows,
                table["share"],
                height=0.9 * high,
                color=CELL,
                alpha=0.9,
                hatch=hatch,
                edgecolor="white",
                label=name,
            )
        for row, area in enumerate(tables[0]["area"]):
            axes.plot(
                [area, area],
                [row - 0.45, row + 0.45],
                color=INK,
                linewidth=1.2,
                label="its area" if row == 0 else None,
            )
        living = [", ".join(map(str, units_per_region().get(name, ()))) for name in REGION_NAMES]
        axes.set_yticks(
            range(len(REGION_NAMES)),
            [
                f"{name}  (AU {units})" if units else name
                for name, units in zip(REGION_NAMES, living, strict=True)
            ],
        )
        axes.set(
            ylim=(len(REGION_NAMES) - 0.4, -0.6),
            xlim=(0, None),
            xlabel="share of the attribution, whatever its sign",
        )
        axes.grid(axis="x", color=RULE, linewidth=0.6)
        axes.set_axisbelow(True)
        axes.tick_params(length=0)
        figure.legend(frameon=False, fontsize=8, loc="outside lower center", ncols=1 + len(tables))
        figure.suptitle(title, x=0.01, ha="left", size=10, weight="bold")
    table = pd.concat(tables, ignore_index=True)
    return ExplanationFigure(figure, table[["method", *[name for name in table.columns if name != "method"]]])


def checks_figure(checks: Mapping[str, SanityChecks], title: str) -> ExplanationFigure:
    """The probability of the class as pixels go and come, and how much of each map is left when the weights are in disorder.

    Returns:
        The table has a row for each point of a curve: method, way, share of pixels, probability, area of
        the whole curve, area by chance, and the method's mean rank correlation with maps of networks in
        disorder, empty where the map itself is.
    """
    parts = []
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(8.6, 3.6), layout="constrained")
        for axes, way in zip(figure.subplots(1, 2, sharey=True), ("deletion", "insertion"), strict=True):
            for (name, found), dash in zip(checks.items(), DASHES, strict=False):
                line = found.insertion if way == "insertion" else found.deletion
                chance = found.random_insertion_area if way == "insertion" else found.random_deletion_area
                axes.plot(
                    line.share,
                    line.probability,
                    color=INK,
                    linestyle=dash,
                    linewidth=1.3,
                    label=f"{name}: area {line.area:.2f}",
                )
                kept = np.nan if found.empty else float(np.mean(np.abs(found.rank_correlations)))
                told = {
                    "method": name,
                    "way": way,
                    "share": line.share,
                    "probability": line.probability,
                    "area": line.area,
                }
                parts.append(
                    pd.DataFrame({**told, "area_by_chance": chance, "rank_correlation_in_disorder": kept})
                )
            axes.set(
                title=f"{way}: area by chance {chance:.2f}", xlabel="share of the pixels", ylim=(-0.02, 1.02)
            )
            axes.legend(frameon=False, fontsize=7.5)
            axes.grid(color=RULE, linewidth=0.6)
        figure.axes[0].set_ylabel("probability of the class")
        left = {
            name: "empty" if found.empty else f"{np.mean(np.abs(found.rank_correlations)):.2f}"
            for name, found in checks.items()
        }
        remains = ", ".join(f"{name} {value}" for name, value in left.items())
        lost = f"Rank correlation with networks in disorder (0: the map is lost, as it should):\n{remains}"
        figure.suptitle(f"{title}\n{lost}", x=0.01, ha="left", size=9)
    return ExplanationFigure(figure, pd.concat(parts, ignore_index=True))
