"""Figures of the activations of a network, each with the table of its numbers.

They show the maps of one stage, an accretion layer, the whole network, and several networks side by side.
Maps that are never negative are drawn from white to dark blue, others from orange (negative) over white to
purple.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import matplotlib as mpl
import numpy as np
import pandas as pd
from jaxtyping import Float, Float32
from matplotlib.axes import Axes
from matplotlib.colors import Colormap, LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.patches import Ellipse, Rectangle

from learnet.core.figure_style import CELL, INK, MUTED, STYLE
from learnet.report.explain.activations import mean_activation, strongest_maps
from learnet.report.explain.background import SIGNED, Background, draw_average_face
from learnet.report.explain.explanation_figure import ExplanationFigure
from learnet.report.explain.face_regions import FacePlacement, brow_eye_box, mouth_ring

BLUES: Colormap = LinearSegmentedColormap.from_list("strength", ["#ffffff", CELL, INK])
COLUMNS = 8  # of the figure of a network other than LEARNet
LONG_NAME = 14  # characters; longer names of stages are broken at their first dot

LEARNET_FIGURE: dict[str, tuple[float | int, int]] = {
    "stem": (1.5, 1),
    "one.plain_1": (0, 2), "one.plain_2": (0, 4), "one.plain_3": (0, 6),
    "one.accreting_1": (1, 2), "one.accreting_2": (1, 4), "one.accreting_3": (1, 6),
    "two.accreting_1": (2, 2), "two.accreting_2": (2, 4), "two.accreting_3": (2, 6),
    "two.plain_1": (3, 2), "two.plain_2": (3, 4), "two.plain_3": (3, 6),
    "one.accretion_1": (1, 3), "one.accretion_2": (1, 5),
    "two.accretion_1": (2, 3), "two.accretion_2": (2, 5),
    "concat": (1.5, 7), "norm": (1.5, 8), "conv5": (1.5, 9),
}  # fmt: skip
"""Stage -> (row, column) in the figure of LEARNet, with the lateral columns in the order of the paper."""


@dataclass(frozen=True)
class NetworkMaps:
    """Maps of one stage of a network for one clip."""

    network: str
    stage: str
    maps: Float32[np.ndarray, "C h w"]


@dataclass(frozen=True)
class ClipRow:
    """One clip, and maps of several networks for it."""

    title: str
    background: Background
    networks: tuple[NetworkMaps, ...]


def mosaic_figure(
    maps: Float32[np.ndarray, "C h w"], background: Background, title: str, limit: int = 16
) -> ExplanationFigure:
    """Draw the strongest maps of a stage beside the motion image, in descending order on one colour scale.

    Here and below, maps are coarse and drawn under the lines of the average face if the background is
    anonymous.

    Args:
        maps: of the stage.
        background: drawn on the left.
        title: heading.
        limit: largest number of maps.

    Returns:
        The table has a row per cell: map, row, column, value.
    """
    chosen = strongest_maps(maps, limit)
    maps = background.prepare_maps(maps)
    columns = int(np.ceil(len(chosen) ** 0.5))
    rows = -(-len(chosen) // columns)
    with mpl.rc_context(STYLE):
        size = (2.6 + 1.15 * columns, max(2.9, 1.28 * rows + 0.6))
        figure = Figure(figsize=size, layout="constrained")
        left, right = figure.subfigures(1, 2, width_ratios=[2.3, 1.15 * columns + 0.3])
        draw_background(left.subplots(), background)
        grid = list(right.subplots(rows, columns, squeeze=False).flat)
        for axes in grid:
            axes.set_axis_off()
        for axes, index in zip(grid, chosen, strict=False):
            image = _draw_map(axes, maps[index], maps[chosen], f"map {index}", background)
        right.colorbar(image, ax=grid, shrink=0.7, aspect=30, label="activation")
        _add_title(figure, title)
    return ExplanationFigure(figure, cell_table({f"{index}": maps[index] for index in chosen}, "map"))


def accretion_figure(
    maps: tuple[Float32[np.ndarray, "C h w"], Float32[np.ndarray, "C h w"], Float32[np.ndarray, "C h w"]],
    background: Background,
    title: str,
    limit: int = 4,
) -> ExplanationFigure:
    """Draw maps of the plain and of the accreting column beside those of the accretion layer, their sum.

    Args:
        maps: of the plain column, of the accreting column and of the accretion layer (`accretion_maps`).
        background: the motion image or the average face.
        title: heading.
        limit: number of maps, the strongest of the accretion layer.

    Returns:
        The table has a row per cell: map, row, column, plain, accreting, accretion.
    """
    chosen = strongest_maps(maps[2], limit)
    parts = np.stack([background.prepare_maps(part) for part in maps])  # means, so the sum still holds
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(5.6, 1.55 * len(chosen) + 0.7), layout="constrained")
        grid = figure.subplots(len(chosen), 3, squeeze=False)
        for row_axes, index in zip(grid.tolist(), chosen, strict=True):
            _draw_sum(row_axes, parts[:, index], background, headings=bool(index == chosen[0]))
            row_axes[0].text(
                -0.3, 0.5, f"map {index}", transform=row_axes[0].transAxes, ha="right", va="center", size=8
            )
        _add_title(figure, title)
        plain, accreting, accretion = parts
        error = float(np.abs(plain + accreting - accretion).max())
        note = f"Largest difference between sum and layer over all {len(accretion)} maps: {error:.1g}"
        figure.supxlabel(note, size=8, color=MUTED)
    tables = [cell_table({f"{index}": part[index] for index in chosen}, "map") for part in parts]
    table = tables[0].rename(columns={"value": "plain"})
    table["accreting"] = tables[1]["value"]
    table["accretion"] = tables[2]["value"]
    return ExplanationFigure(figure, table)


def network_figure(
    activations: Mapping[str, Float32[np.ndarray, "B ..."]], background: Background, title: str
) -> ExplanationFigure:
    """Draw the mean absolute activation of each stage of a network for one clip.

    LEARNet is drawn as in the figure of its paper. Stages of other networks follow in the order of
    computation. Each tile has its own colour scale, whose largest value is printed below it.

    Args:
        activations: result of `stage_activations`; the first image is drawn.
        background: the motion image or the average face.
        title: heading.

    Returns:
        The table has a row per cell: stage, row, column, value.
    """
    maps = {}
    for stage, activation in activations.items():
        if activation.ndim == 4:
            maps[stage] = background.prepare_maps(mean_activation(activation[0]))
    positions = _stage_positions(list(maps))
    last_row = max((row for row, _ in positions.values()), default=0)
    last_column = max((column for _, column in positions.values()), default=0)
    rows = int(np.ceil(last_row)) + 1
    columns = last_column + 1
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(1.25 * columns + 0.2, 1.55 * rows + 0.5))
        first_row = positions["stem"][0] if "stem" in positions else 0.0
        axes = _add_tile(figure, (first_row, 0), rows, columns)
        draw_background(axes, background, size=7.5)
        for stage, position in positions.items():
            axes = _add_tile(figure, position, rows, columns)
            heading = stage.replace(".", "\n", 1) if len(stage) > LONG_NAME else stage
            _draw_map(axes, maps[stage], maps[stage], heading, background)
            scale = f"0 to {maps[stage].max():.3g}"
            axes.text(
                0.5, -0.04, scale, transform=axes.transAxes, ha="center", va="top", size=6.5, color=MUTED
            )
        _add_title(figure, title)
    return ExplanationFigure(figure, cell_table({stage: maps[stage] for stage in positions}, "stage"))


def comparison_figure(rows: Sequence[ClipRow], title: str, limit: int = 2) -> ExplanationFigure:
    """Draw a row for each clip: its motion image, then the strongest maps of each network.

    Brows and eyes are in a box and the mouth in a ring, where the position of the face is known.

    Args:
        rows: clips with the maps of the same networks.
        title: heading.
        limit: number of maps of each network.

    Returns:
        The table has a row per cell: clip, network, stage, map, row, column, value.
    """
    columns = 1 + sum(min(limit, len(network.maps)) for network in rows[0].networks)
    tables = []
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(1.4 * columns + 0.3, 1.62 * len(rows) + 0.5), layout="constrained")
        grid = figure.subplots(len(rows), columns, squeeze=False)
        for row, row_axes in zip(rows, grid.tolist(), strict=True):
            tables += _draw_clip_row(row_axes, row, limit, first=row is rows[0])
        _add_title(figure, title)
    table = pd.concat(tables, ignore_index=True)
    return ExplanationFigure(figure, table[["clip", "network", "stage", "map", "row", "column", "value"]])


def draw_background(axes: Axes, background: Background, title: str = "", size: float = 8.0) -> None:
    """Draw a background without axes, under a centred title."""
    background.draw(axes)
    axes.set_title(title or background.title, size=size, loc="center", weight="normal")


def cell_table(maps: Mapping[str, Float[np.ndarray, "h w"]], name_column: str) -> pd.DataFrame:
    """Return a row per cell of each map: its name in `name_column`, row, column, value."""
    tables = []
    for name, values in maps.items():
        rows, columns = np.indices(values.shape)
        cells = {
            name_column: name,
            "row": rows.ravel(),
            "column": columns.ravel(),
            "value": values.ravel(),
        }
        tables.append(pd.DataFrame(cells))
    return pd.concat(tables, ignore_index=True)


def _draw_sum(
    row_axes: Sequence[Axes], maps: Float[np.ndarray, "3 h w"], background: Background, headings: bool
) -> None:
    """Draw the maps of plain column, accreting column and accretion layer as a sum."""
    names = ("plain column", "accreting column", "accretion layer")
    for axes, values, name, sign in zip(row_axes, maps, names, ("", "+", "="), strict=True):
        _draw_map(axes, values, maps, name if headings else "", background)
        axes.text(-0.1, 0.5, sign, transform=axes.transAxes, ha="center", va="center", size=15)


def _draw_clip_row(row_axes: Sequence[Axes], row: ClipRow, limit: int, first: bool) -> list[pd.DataFrame]:
    """Draw one row of a comparison, and return the tables of its maps; `first` names networks and stages."""
    background = row.background
    draw_background(row_axes[0], background, row.title)
    _mark_features(row_axes[0], background.placement, background.side)

    tables = []
    remaining_axes = iter(row_axes[1:])
    for network in row.networks:
        maps = background.prepare_maps(network.maps)
        side = background.side if background.anonymous else maps.shape[-1]
        for index in strongest_maps(network.maps, limit):
            axes = next(remaining_axes)
            heading = f"map {index}"
            if first:
                heading = f"{network.network}\n{network.stage} map {index}"
            _draw_map(axes, maps[index], maps[index], heading, background)
            _mark_features(axes, background.placement, side)
            table = cell_table({f"{index}": maps[index]}, "map")
            tables.append(table.assign(clip=row.title, network=network.network, stage=network.stage))
    return tables


def _stage_positions(stages: Sequence[str]) -> dict[str, tuple[float | int, int]]:
    """Return row and column of each stage that is drawn; column 0 is left for the motion image."""
    if "one.plain_1" in stages:
        return {stage: position for stage, position in LEARNET_FIGURE.items() if stage in stages}

    positions = {}
    blocks = [stage for stage in stages if stage.count(".") <= 1]
    for index, stage in enumerate(blocks):
        row, column = divmod(index, COLUMNS)
        positions[stage] = (float(row), 1 + column)
    return positions


def _add_tile(figure: Figure, position: tuple[float | int, int], rows: int, columns: int) -> Axes:
    """Add axes at a position in the grid of a network figure, below its title."""
    row, column = position
    title_height = 0.45 / figure.get_figheight()
    width, height = 1 / columns, (1 - title_height) / rows
    left = column * width + 0.08 * width
    bottom = 1 - title_height - (row + 0.84) * height
    return figure.add_axes((left, bottom, 0.84 * width, 0.68 * height))


def _add_title(figure: Figure, title: str) -> None:
    figure.suptitle(title, x=0.01, ha="left", size=10, weight="bold")


def _draw_map(
    axes: Axes,
    values: Float[np.ndarray, "h w"],
    same_scale: Float[np.ndarray, "..."],
    title: str,
    background: Background,
) -> AxesImage:
    """Draw one map on the colour scale of all values in `same_scale`; over the average face if anonymous."""
    limit = float(np.abs(same_scale).max()) or 1.0
    signed = bool((same_scale < 0).any())
    axes.set_axis_off()
    axes.set_title(title, size=7.5, loc="center", weight="normal")
    over_face = background.anonymous and background.placement is not None
    end = background.side - 0.5
    image = axes.imshow(
        values,
        cmap=SIGNED if signed else BLUES,
        vmin=-limit if signed else 0.0,
        vmax=limit,
        interpolation="nearest",
        extent=(-0.5, end, end, -0.5) if over_face else None,
    )
    if over_face:
        draw_average_face(axes, background.placement)
    border = Rectangle((0, 0), 1, 1, transform=axes.transAxes, fill=False)
    border.set(edgecolor=MUTED, linewidth=0.5, clip_on=False)
    axes.add_patch(border)  # a map of zeros would have no visible edge
    return image


def _mark_features(axes: Axes, placement: FacePlacement | None, side: int) -> None:
    """Draw the box of brows and eyes and the ring of the mouth, in an image or map of `side` cells."""
    if placement is None:
        return
    scale = side / placement.size
    left, top, width, height = brow_eye_box(placement)
    corner = ((left + 0.5) * scale - 0.5, (top + 0.5) * scale - 0.5)
    axes.add_patch(Rectangle(corner, width * scale, height * scale, fill=False, edgecolor=INK, linewidth=1.0))
    x, y, width, height = mouth_ring(placement)
    centre = ((x + 0.5) * scale - 0.5, (y + 0.5) * scale - 0.5)
    axes.add_patch(Ellipse(centre, width * scale, height * scale, fill=False, edgecolor=INK, linewidth=1.0))
