"""What the layers see, as figures, each with the numbers that it is drawn from: the paper's three figures, and the whole network.

Maps that are never negative are drawn from white to dark blue, others from orange (negative) over white to purple.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pandas as pd
from jaxtyping import Float, Float32
from matplotlib.axes import Axes
from matplotlib.colors import Colormap, LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.image import AxesImage

from learnet.report.explain.activations import mean_activation, strongest_maps
from learnet.report.explain.background import SIGNED, Background, draw_average_face
from learnet.report.explain.face_regions import FacePlacement, brow_eye_box, mouth_ring
from learnet.report.style import CELL, INK, MUTED, STYLE, save_figure

STRENGTH: Colormap = LinearSegmentedColormap.from_list("strength", ["#ffffff", CELL, INK])
ACROSS = 8  # tiles in a row, where a network has no figure of its own

_COLUMNS = {
    "one.plain": 0,
    "one.accreting": 1,
    "two.accreting": 2,
    "two.plain": 3,
}  # rows of LEARNet's figure, as the paper numbers them
LEARNET_FIGURE: dict[str, tuple[float, int]] = {
    "stem": (1.5, 1),
    **{f"{column}_{level}": (row, 2 * level) for column, row in _COLUMNS.items() for level in (1, 2, 3)},
    **{f"{pair}.accretion_{level}": (row, 2 * level + 1) for pair, row in (("one", 1), ("two", 2)) for level in (1, 2)},
    "concat": (1.5, 7), "norm": (1.5, 8), "conv5": (1.5, 9),
}  # fmt: skip
"""Where each stage stands in LEARNet's figure, (row, column): from left to right, the four lateral columns from top to bottom."""


@dataclass(frozen=True)
class ExplanationFigure:
    """A figure, and the numbers that it is drawn from."""

    figure: Figure
    table: pd.DataFrame


@dataclass(frozen=True)
class NetworkMaps:
    """What one network sees in one clip at one stage."""

    network: str
    stage: str
    maps: Float32[np.ndarray, "C h w"]


@dataclass(frozen=True)
class ClipRow:
    """One clip and what several networks see in it."""

    title: str
    ground: Background
    seen: tuple[NetworkMaps, ...]


def mosaic_figure(
    maps: Float32[np.ndarray, "C h w"], ground: Background, title: str, most: int = 16
) -> ExplanationFigure:
    """The strongest maps of a stage, the strongest first, beside the motion image; all in one range, so that they can be compared.

    Where the person is hidden, here and below, maps are coarse and lie under the lines of the average face.

    Returns:
        The table has a row for each cell drawn: map, row, column, value.
    """
    chosen, maps = strongest_maps(maps, most), ground.prepare_maps(maps)
    across = int(np.ceil(len(chosen) ** 0.5))
    down = -(-len(chosen) // across)
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(2.6 + 1.15 * across, max(2.9, 1.28 * down + 0.6)), layout="constrained")
        left, right = figure.subfigures(1, 2, width_ratios=[2.3, 1.15 * across + 0.3])
        alone = left.subplots()
        draw_background(alone, ground)
        places = right.subplots(down, across, squeeze=False)
        for axes in places.flat:
            axes.set_axis_off()
        for axes, which in zip(places.flat, chosen, strict=False):
            look = _tile(axes, maps[which], maps[chosen], f"map {which}", ground)
        right.colorbar(look, ax=list(places.flat), shrink=0.7, aspect=30, label="response")
        figure.suptitle(title, x=0.01, ha="left", size=10, weight="bold")
    return ExplanationFigure(figure, cell_table({f"{which}": maps[which] for which in chosen}, "map"))


def accretion_figure(
    plain: Float32[np.ndarray, "C h w"],
    accreting: Float32[np.ndarray, "C h w"],
    total: Float32[np.ndarray, "C h w"],
    ground: Background,
    title: str,
    most: int = 4,
) -> ExplanationFigure:
    """Accretion made visible: the maps of one column, plus those of its neighbour, equal the maps of the accretion layer.

    Returns:
        The table has a row for each cell drawn: map, row, column, value of the plain column, of the accreting one, and the sum.
    """
    chosen = strongest_maps(total, most)
    plain, accreting, total = (
        ground.prepare_maps(maps) for maps in (plain, accreting, total)
    )  # means, so the sum still holds
    names = ("plain column", "accreting column", "accretion layer")
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(5.6, 1.55 * len(chosen) + 0.7), layout="constrained")
        places = figure.subplots(len(chosen), 3, squeeze=False)
        for line, which in zip(places, chosen, strict=True):
            three = np.stack([plain[which], accreting[which], total[which]])
            for axes, one, name, sign in zip(line, three, names, ("", "+", "="), strict=True):
                _tile(axes, one, three, name if which == chosen[0] else "", ground)
                axes.text(-0.1, 0.5, sign, transform=axes.transAxes, ha="center", va="center", size=15)
            line[0].text(
                -0.3, 0.5, f"map {which}", transform=line[0].transAxes, ha="right", va="center", size=8
            )
        figure.suptitle(title, x=0.01, ha="left", size=10, weight="bold")
        off = float(np.abs(plain + accreting - total).max())
        figure.supxlabel(
            f"Largest difference between sum and layer over all {len(total)} maps: {off:.1g}",
            size=8,
            color=MUTED,
        )
    parts = [
        cell_table({f"{which}": maps[which] for which in chosen}, "map") for maps in (plain, accreting, total)
    ]
    table = (
        parts[0]
        .rename(columns={"value": "plain"})
        .assign(accreting=parts[1]["value"], accretion=parts[2]["value"])
    )
    return ExplanationFigure(figure, table)


def network_figure(
    answers: Mapping[str, Float32[np.ndarray, "B ..."]], ground: Background, title: str
) -> ExplanationFigure:
    """The whole network for one clip: of each stage the mean size of its maps, in the order of the network's figure.

    LEARNet stands as in the paper's figure; of other networks every stage with maps follows in the order of computation. Each tile has its
    own range, which is told below it.

    Args:
        answers: of `stages.responses`; the first image is drawn.
        ground: the motion image.
        title: heading.

    Returns:
        The table has a row for each cell drawn: stage, row, column, value.
    """
    maps = {
        name: ground.prepare_maps(mean_activation(answer[0])) for name, answer in answers.items() if answer.ndim == 4
    }
    places = _places(maps)
    drawn = {name: maps[name] for name in places}
    rows, columns = (
        int(np.ceil(max((place[i] for place in places.values()), default=0))) + 1 for i in (0, 1)
    )
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(1.25 * columns + 0.2, 1.55 * rows + 0.5))
        head = 0.45 / figure.get_figheight()
        for name, (row, column) in {"": (_centre(places), 0), **places}.items():
            wide, high = 1 / columns, (1 - head) / rows
            axes = figure.add_axes(
                (column * wide + 0.08 * wide, 1 - head - (row + 0.84) * high, 0.84 * wide, 0.68 * high)
            )
            if name:
                _tile(
                    axes,
                    maps[name],
                    maps[name],
                    name.replace(".", "\n", 1) if len(name) > 14 else name,
                    ground,
                )
                axes.text(
                    0.5,
                    -0.04,
                    f"0 to {maps[name].max():.3g}",
                    transform=axes.transAxes,
                    ha="center",
                    va="top",
                    size=6.5,
                    color=MUTED,
                )
            else:
                draw_background(axes, ground, size=7.5)
        figure.suptitle(title, x=0.01, ha="left", size=10, weight="bold")
    return ExplanationFigure(figure, cell_table(drawn, "stage"))


def comparison_figure(rows: Sequence[ClipRow], title: str, each: int = 2) -> ExplanationFigure:
    """A row for each clip: its motion image, then the strongest maps of each network, with brows and eyes boxed and the mouth ringed.

    Returns:
        The table has a row for each cell drawn: clip, network, stage, map, row, column, value.
    """
    columns = 1 + sum(min(each, len(seen.maps)) for seen in rows[0].seen)
    tables = []
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(1.4 * columns + 0.3, 1.62 * len(rows) + 0.5), layout="constrained")
        for place, (row, line) in enumerate(
            zip(rows, figure.subplots(len(rows), columns, squeeze=False), strict=True)
        ):
            draw_background(line[0], row.ground, row.title)
            _mark(line[0], row.ground.placement, row.ground.placement.size if row.ground.placement else 0)
            tiles = iter(line[1:])
            for seen in row.seen:
                maps = row.ground.prepare_maps(seen.maps)
                for which in strongest_maps(seen.maps, each):
                    axes = next(tiles)
                    heading = f"{seen.network}\n{seen.stage} map {which}" if place == 0 else f"map {which}"
                    _tile(axes, maps[which], maps[which], heading, row.ground)
                    _mark(
                        axes,
                        row.ground.placement,
                        row.ground.placement.size
                        if row.ground.anonymous and row.ground.placement
                        else maps.shape[-1],
                    )
                    drawn = cell_table({f"{which}": maps[which]}, "map")
                    tables.append(drawn.assign(clip=row.title, network=seen.network, stage=seen.stage))
        figure.suptitle(title, x=0.01, ha="left", size=10, weight="bold")
    table = pd.concat(tables, ignore_index=True)
    return ExplanationFigure(figure, table[["clip", "network", "stage", "map", "row", "column", "value"]])


def write_figures(folder: Path, plates: Mapping[str, ExplanationFigure]) -> list[Path]:
    """Write each figure as PNG and SVG, and its numbers as CSV, under its name.

    Returns:
        The PNG files.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for name, plate in plates.items():
        save_figure(plate.figure, folder / f"{name}.png")
        save_figure(plate.figure, folder / f"{name}.svg")
        plate.table.to_csv(folder / f"{name}.csv", index=False, lineterminator="\n", float_format="%.6g")
    return [folder / f"{name}.png" for name in plates]


def _places(maps: Mapping[str, np.ndarray]) -> dict[str, tuple[float, int]]:
    """Row and column of each stage that is drawn; the motion image stands before them, in the first column."""
    if "one.plain_1" in maps:
        return {name: place for name, place in LEARNET_FIGURE.items() if name in maps}
    blocks = [name for name in maps if name.count(".") <= 1]
    return {name: (float(place // ACROSS), 1 + place % ACROSS) for place, name in enumerate(blocks)}


def _centre(places: Mapping[str, tuple[float, int]]) -> float:
    return places["stem"][0] if "stem" in places else 0.0


def draw_background(axes: Axes, ground: Background, title: str = "", size: float = 8.0) -> None:
    """What maps lie over, without axes, its title centred above it."""
    ground.draw(axes)
    axes.set_title(title or ground.title, size=size, loc="center", weight="normal")


def _tile(
    axes: Axes,
    drawn: Float[np.ndarray, "h w"],
    alike: Float[np.ndarray, "..."],
    title: str,
    ground: Background,
) -> AxesImage:
    """One map, in the range of all that are to look alike; where the person is hidden, the average face in lines over it."""
    limit, signed = float(np.abs(alike).max()) or 1.0, bool((alike < 0).any())
    axes.set_axis_off()
    axes.set_title(title, size=7.5, loc="center", weight="normal")
    size = ground.placement.size if ground.anonymous and ground.placement else 0
    look = axes.imshow(drawn, cmap=SIGNED if signed else STRENGTH, vmin=-limit if signed else 0.0, vmax=limit, interpolation="nearest",
                       extent=(-0.5, size - 0.5, size - 0.5, -0.5) if size else None)  # fmt: skip
    if size:
        draw_average_face(axes, ground.placement)
    edge = mpl.patches.Rectangle(
        (0, 0), 1, 1, transform=axes.transAxes, fill=False, edgecolor=MUTED, linewidth=0.5, clip_on=False
    )
    axes.add_patch(edge)  # a map that is all zero would have no border
    return look


def _mark(axes: Axes, where: FacePlacement | None, side: int) -> None:
    """Box the brows and eyes and ring the mouth, in an image or map of SIDE cells; nothing where nobody knows where they are."""
    if where is None:
        return
    small = side / where.size
    left, top, wide, high = brow_eye_box(where)
    corner = ((left + 0.5) * small - 0.5, (top + 0.5) * small - 0.5)
    axes.add_patch(
        mpl.patches.Rectangle(corner, wide * small, high * small, fill=False, edgecolor=INK, linewidth=1.0)
    )
    x, y, wide, high = mouth_ring(where)
    centre = ((x + 0.5) * small - 0.5, (y + 0.5) * small - 0.5)
    axes.add_patch(
        mpl.patches.Ellipse(centre, wide * small, high * small, fill=False, edgecolor=INK, linewidth=1.0)
    )


def cell_table(maps: Mapping[str, Float[np.ndarray, "h w"]], what: str) -> pd.DataFrame:
    """A row for each cell of each map."""
    parts = []
    for name, one in maps.items():
        rows, columns = np.indices(one.shape)
        parts.append(
            pd.DataFrame({what: name, "row": rows.ravel(), "column": columns.ravel(), "value": one.ravel()})
        )
    return pd.concat(parts, ignore_index=True)
