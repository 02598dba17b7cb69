"""Figures of the movement model: one for every action unit and every emotion.

All faces are line drawings of the average face, which shows nobody. Displacements are in pixels of a face
112 pixels wide.
"""

import textwrap
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import matplotlib as mpl
import numpy as np
from jaxtyping import Float32, UInt8
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from learnet.core.errors import LearnetError, OutputTaken, pick
from learnet.core.figure_style import CELL, INK, MUTED, STYLE
from learnet.core.files import is_draft
from learnet.datasets.synthetic.flow_images import draw_flow, grid_view
from learnet.motion.flow import append_strain
from learnet.motion.normalise import per_channel
from learnet.report.style import save_figure
from learnet.simulation.emotions import EMOTIONS, MICRO_PEAK_PX, ONE_SIDED_SHARES
from learnet.simulation.geometry import View, average_face
from learnet.simulation.imitated_flow import ESTIMATOR_MODEL, Crop, crop_and_resize, draw_crop
from learnet.simulation.movement import MODEL_FACE_PX, displacement, sample_image
from learnet.simulation.outline import Line, face_lines
from learnet.simulation.units import UNITS, both_sides

Progress = Callable[[int, int], None]  # figures drawn, figures in all
Channels = Float32[np.ndarray, "H W 3"]  # horizontal and vertical displacement, strain

VIEW = View(153, 153, float(MODEL_FACE_PX), (76.0, 51.0))
"""Part of the face that is drawn, from the hairline to below the chin; the midline is a column of pixels."""

PEAK_PX = MICRO_PEAK_PX[1]  # the largest of a micro-expression; used for all units, so that figures compare
ENLARGEMENT = 4.0  # of arrows and of the moved face
PEOPLE = 40  # in the mean of an emotion
SIZE = 28  # pixels a side of the network input
SUFFIXES = (".png", ".svg")
ONE_SIDED_SHARE = 0.1  # of expressions whose emotion is not in ONE_SIDED_SHARES
UNIT_COLUMNS = 6  # of the sheet of all units
CHANNEL_TITLES = {"u": "u, to the right", "v": "v, down", "strain": "strain, no unit"}
_CROP = Crop(1.04, 1.2, 0.34, 0.0)  # the mean of the crops of `draw_crop`


def unit_figure(unit: int) -> Figure:
    """Draw an action unit on both sides: displacement, moved face, flow image and network input.

    Args:
        unit: a key of UNITS.

    Raises:
        LearnetError: there is no such unit.
    """
    if unit not in UNITS:
        raise LearnetError(
            f"There is no action unit {unit} in the movement model.",
            f"Choose from {', '.join(map(str, UNITS))}.",
        )
    action_unit = UNITS[unit]
    field = displacement(average_face(), both_sides(unit, PEAK_PX), VIEW)
    channels = append_strain(field)
    model = replace(ESTIMATOR_MODEL, subsampled_share=0.0)
    network_input = per_channel(crop_and_resize(channels, VIEW, _CROP, SIZE, np.random.default_rng(0), model))
    caption = (
        f"Muscle: {action_unit.muscle}.  FACS, {action_unit.description}.\n"
        f"Both sides, {PEAK_PX:g} pixels: the most of a micro-expression. "
        f"Arrows are {ENLARGEMENT:g} times as long as the skin moves."
    )
    with mpl.rc_context(STYLE):
        figure, axes = _sheet(f"AU {unit}, {action_unit.name}", caption)
        draw_field(axes["field"], field, VIEW, PEAK_PX)
        axes["field"].set_title("Displacement, pixels of a face 112 wide")
        _draw_colour_bar(figure, axes["field"], PEAK_PX)
        draw_moved_face(axes["second"], field)
        axes["second"].set_title(f"The face moved {ENLARGEMENT:g} times as far")
        _draw_channels(figure, axes, channels, VIEW)
        _draw_network_input(axes["input"], network_input, f"Network input, {SIZE} x {SIZE}")
    return figure


def emotion_figure(emotion: str, people: int = PEOPLE, seed: int = 0) -> Figure:
    """Draw an emotion: its combinations of action units with their shares, and the mean flow of many people.

    Args:
        emotion: a name from EMOTIONS.
        people: number of people, each with other blinks, head motion and errors of the flow estimator.
        seed: of these people.

    Raises:
        UnknownName: there is no such emotion.
    """
    pick(EMOTIONS, emotion, "simulated emotion")
    mean, network_input = mean_flow(emotion, people, seed)
    view = grid_view(SIZE)
    limit = float(np.hypot(mean[..., 0], mean[..., 1]).max())
    enlargement = ENLARGEMENT * PEAK_PX / limit
    lowest, highest = MICRO_PEAK_PX
    one_sided = ONE_SIDED_SHARES.get(emotion, ONE_SIDED_SHARE)
    caption = (
        f"Strongest displacement of each expression: {lowest:g} to {highest:g} pixels. "
        f"On one side only where all units have sides: {one_sided:.0%}.\n"
        f"Flow: mean of {people} simulated people, with blinks, head motion and the errors of an estimator. "
        f"Arrows are {enlargement:.0f} times as long."
    )
    with mpl.rc_context(STYLE):
        figure, axes = _sheet(emotion[:1].upper() + emotion[1:], caption)
        draw_field(axes["field"], mean[..., :2], view, limit, enlargement)
        axes["field"].set_title("Mean flow, pixels of a face 112 wide")
        _draw_colour_bar(figure, axes["field"], limit)
        _draw_combinations(axes["second"], emotion)
        _draw_channels(figure, axes, mean, view)
        _draw_network_input(axes["input"], network_input, f"Mean network input, {SIZE} x {SIZE}")
    return figure


def units_figure() -> Figure:
    """Draw all action units on one sheet, each as arrows over the average face."""
    rows = -(-len(UNITS) // UNIT_COLUMNS)
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(12.0, 2.55 * rows), layout="constrained")
        grid = figure.subplots(rows, UNIT_COLUMNS)
        for axes, (unit, action_unit) in zip(grid.flat, UNITS.items(), strict=False):
            field = displacement(average_face(), both_sides(unit, PEAK_PX), VIEW)
            draw_field(axes, field, VIEW, PEAK_PX, spacing_px=9.0)
            axes.set_title(f"AU {unit}, {action_unit.name}")
    return figure


def write_atlas(out: Path, progress: Progress | None = None) -> list[Path]:
    """Write every figure as PNG and SVG: units, unit-01 to unit-45, emotion-anger to emotion-tense.

    Args:
        out: new or empty folder, or one with nothing but an earlier atlas, which is then replaced.
        progress: called after each figure.

    Returns:
        The files written.

    Raises:
        OutputTaken: the folder holds something else.
    """
    figures: dict[str, Callable[[], Figure]] = {"units": units_figure}
    for unit in UNITS:
        figures[f"unit-{unit:02d}"] = partial(unit_figure, unit)
    for emotion in sorted(EMOTIONS):
        figures[f"emotion-{emotion}"] = partial(emotion_figure, emotion)
    _check_folder(out, set(figures))
    written = []
    for name, draw in figures.items():
        figure = draw()
        for suffix in SUFFIXES:
            path = out / f"{name}{suffix}"
            save_figure(figure, path)
            written.append(path)
        if progress:
            progress(len(written) // len(SUFFIXES), len(figures))
    return written


def mean_flow(
    emotion: str, people: int, seed: int
) -> tuple[Float32[np.ndarray, "H W 3"], UInt8[np.ndarray, "S S 3"]]:
    """Compute the mean flow image of people who show an emotion, and the mean of their network inputs.

    Returns:
        u, v (pixels of a face 112 pixels wide) and strain on the grid of `grid_view`; and the mean image, 0
        to 255.
    """
    view = grid_view(SIZE)
    to_model_px = MODEL_FACE_PX / view.face_px
    scale = np.array([to_model_px, to_model_px, 1], np.float32)
    flows, network_inputs = [], []
    for person in range(people):
        rng = np.random.default_rng([seed, person])
        channels = append_strain(draw_flow(emotion, view, rng)[0])
        flows.append(channels * scale)
        network_inputs.append(per_channel(crop_and_resize(channels, view, draw_crop(rng), SIZE, rng)))
    mean = np.mean(flows, axis=0).astype(np.float32)
    return mean, np.mean(network_inputs, axis=0).round().astype(np.uint8)


def draw_field(
    axes: Axes,
    field: Float32[np.ndarray, "H W 2"],
    view: View,
    limit: float,
    enlargement: float = ENLARGEMENT,
    spacing_px: float = 7.0,
) -> None:
    """Draw a displacement over the average face: its length as colour, and enlarged arrows.

    Args:
        axes: to draw in.
        field: displacement in pixels of a face 112 pixels wide.
        view: position of the face in the field.
        limit: length with the darkest colour, in the same unit.
        enlargement: length of an arrow over that of the displacement.
        spacing_px: between two arrows, in the same unit.
    """
    length = np.hypot(field[..., 0], field[..., 1])
    axes.imshow(
        length, cmap="Blues", vmin=0, vmax=limit * 1.25, extent=_extent(view), interpolation="bilinear"
    )
    _draw_lines(axes, face_lines(average_face()), MUTED)
    step = round(spacing_px * view.face_px / MODEL_FACE_PX)
    left, top = (int(coordinate) % step for coordinate in view.origin)  # a column of arrows on the midline
    shown = np.zeros(length.shape, bool)
    shown[top::step, left::step] = True
    shown &= length > 0.06 * limit
    u, v = view.face_grid()
    axes.quiver(
        u[shown],
        v[shown],
        field[shown, 0],
        field[shown, 1],
        angles="xy",
        scale_units="xy",
        scale=MODEL_FACE_PX / enlargement,
        color=INK,
        width=0.006,
        headwidth=3.6,
        headlength=4,
        headaxislength=3.6,
        minlength=0.5,
    )
    _hide_axes(axes, view)


def draw_moved_face(axes: Axes, field: Float32[np.ndarray, "H W 2"]) -> None:
    """Draw the average face at rest in a pale colour, and moved by the enlarged displacement in a dark one.

    Args:
        axes: to draw in.
        field: displacement in pixels of VIEW.
    """
    lines = face_lines(average_face())
    _draw_lines(axes, lines, CELL)
    moved = []
    for line in lines:
        pixels = VIEW.to_pixels(line).astype(np.float32)[None]
        shift_px = sample_image(field, pixels, cv2.INTER_LINEAR)[0]
        moved.append(line + ENLARGEMENT / MODEL_FACE_PX * shift_px)
    _draw_lines(axes, moved, INK)
    _hide_axes(axes, VIEW)


def _check_folder(out: Path, names: set[str]) -> None:
    """Refuse to write into a folder with files that are no figures of the atlas."""
    if not out.exists():
        return
    problem = OutputTaken(out, "it holds something else", "Name a new or an empty folder.")
    if not out.is_dir():
        raise problem
    for path in out.iterdir():
        is_figure = path.stem in names and path.suffix in SUFFIXES
        if not (is_figure or is_draft(path)):
            raise problem


def _sheet(title: str, caption: str) -> tuple[Figure, dict[str, Axes]]:
    """Return a figure with two large axes, field and second, and four small ones, u, v, strain and input."""
    figure = Figure(figsize=(12.0, 4.5), layout="constrained")
    layout: list[Any] = [
        ["field", "field", "second", "second", "u", "v"],
        ["field", "field", "second", "second", "strain", "input"],
    ]
    axes = figure.subplot_mosaic(layout)
    figure.suptitle(title, x=0.006, ha="left", size=13, weight="bold")
    figure.supxlabel(caption, x=0.006, ha="left", size=8.5, color=MUTED)
    return figure, axes


def _draw_colour_bar(figure: Figure, axes: Axes, limit: float) -> None:
    figure.colorbar(
        axes.images[0],
        ax=axes,
        location="left",
        shrink=0.6,
        aspect=25,
        boundaries=np.linspace(0, limit, 101),
        ticks=[0, limit / 2, limit],
        format=_two_digits,
    )


def _draw_channels(figure: Figure, axes: dict[str, Axes], channels: Channels, view: View) -> None:
    """Draw u and v on one signed colour scale, and strain from white on."""
    for index, (name, title) in enumerate(CHANNEL_TITLES.items()):
        signed = name != "strain"
        limit = float(np.abs(channels[..., :2]).max() if signed else channels[..., 2].max())
        image = axes[name].imshow(
            channels[..., index],
            cmap="PuOr" if signed else "Blues",
            vmin=-limit if signed else 0,
            vmax=limit,
            extent=_extent(view),
        )
        _draw_lines(axes[name], face_lines(average_face()), MUTED, 0.5)
        _hide_axes(axes[name], view)
        axes[name].set_title(title)
        ticks = [-limit, 0, limit] if signed else [0, limit]
        figure.colorbar(
            image, ax=axes[name], location="right", shrink=0.8, aspect=18, format=_two_digits, ticks=ticks
        )


def _two_digits(value: float, position: int) -> str:
    """Format a tick of a colour bar."""
    return f"{value:.2g}"


def _draw_network_input(axes: Axes, image: UInt8[np.ndarray, "S S 3"], title: str) -> None:
    axes.imshow(image, interpolation="nearest")
    axes.set(xticks=[], yticks=[])
    axes.spines[:].set_visible(False)
    axes.set_title(title)


def _draw_combinations(axes: Axes, emotion: str) -> None:
    """Draw the share of each combination of units as a bar, the largest first, with their names."""
    combinations = sorted(EMOTIONS[emotion], key=lambda combination: -combination.share)
    for row, combination in enumerate(combinations):
        share = combination.share
        axes.barh(row, share, height=0.3, color=CELL)
        numbers = "+".join(map(str, combination.units))
        names = ", ".join(UNITS[unit].name for unit in combination.units)
        axes.text(0, row - 0.24, textwrap.fill(f"{numbers}: {names}", 60), size=7.5, va="bottom")
        axes.text(share + 0.01, row, f"{share:.0%}", size=8, va="center", color=MUTED)
    axes.set(xlim=(0, 0.72), ylim=(len(combinations) - 0.6, -0.75), xticks=[], yticks=[])
    axes.spines[:].set_visible(False)
    axes.set_title("Combinations of units, and their shares")


def _draw_lines(axes: Axes, lines: list[Line], colour: str, width: float = 0.9) -> None:
    for line in lines:
        axes.plot(line[:, 0], line[:, 1], color=colour, linewidth=width, solid_capstyle="round")


def _hide_axes(axes: Axes, view: View) -> None:
    """Show exactly the view, without axis lines and ticks."""
    left, right, bottom, top = _extent(view)
    axes.set(xlim=(left, right), ylim=(bottom, top), aspect="equal", xticks=[], yticks=[])
    axes.spines[:].set_visible(False)


def _extent(view: View) -> tuple[float, float, float, float]:
    """Return left, right, lower and upper border of a view in face widths, v pointing down."""
    x, y = view.origin
    left, right = -0.5 - x, view.width - 0.5 - x
    top, bottom = -0.5 - y, view.height - 0.5 - y
    return left / view.face_px, right / view.face_px, bottom / view.face_px, top / view.face_px
