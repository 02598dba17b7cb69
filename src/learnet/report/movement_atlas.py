"""The movement model drawn: a figure for every action unit and for every emotion, to look at and to judge.

All faces are line drawings through the landmarks of the average face, which is nobody's. Displacements are in pixels of a face 112 wide.
"""

import textwrap
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import cv2
import matplotlib as mpl
import numpy as np
from jaxtyping import Float32, UInt8
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from learnet.core.errors import LearnetError, OutputTaken, pick
from learnet.datasets.synthetic.flow_images import draw_flow, grid_view
from learnet.motion.flow import append_strain
from learnet.motion.normalise import per_channel
from learnet.report.style import CELL, INK, MUTED, STYLE, save_figure
from learnet.simulation.emotions import EMOTIONS, MICRO_PEAK_PX, ONE_SIDED_SHARES
from learnet.simulation.geometry import View, average_face
from learnet.simulation.imitated_flow import ESTIMATOR_MODEL, Crop, crop_and_resize, draw_crop
from learnet.simulation.movement import MODEL_FACE_PX, displacement, sample_image
from learnet.simulation.outline import Line, face_lines
from learnet.simulation.units import UNITS, both_sides

Progress = Callable[[int, int], None]  # figures drawn, figures in all

VIEW = View(153, 153, float(MODEL_FACE_PX), (76.0, 51.0))
"""Hairline to chin and a little more, one pixel being the unit of the figures; the midline lies on a column of pixels."""

STRONG_PX = MICRO_PEAK_PX[
    1
]  # all units are drawn as strong as a micro-expression may be, so that the figures compare
TIMES = 4.0  # arrows and moved faces go this many times as far as the skin
MOMENTS = 40  # people in the mean of an emotion
SIZE = 28  # pixels of the image that a network is fed
FORMATS = (".png", ".svg")
NAMES = {"u": "u, to the right", "v": "v, down", "strain": "strain, no unit"}
_CROP = Crop(1.04, 1.2, 0.34, 0.0)  # the middle of those that `draw_crop` makes


def unit_figure(unit: int) -> Figure:
    """An action unit on both sides: the displacement as arrows over the average face, the face moved, the flow image that comes of it.

    Args:
        unit: a key of UNITS.

    Raises:
        LearnetError: no such unit.
    """
    if unit not in UNITS:
        raise LearnetError(
            f"There is no action unit {unit} in the movement model.",
            f"Choose from {', '.join(map(str, UNITS))}.",
        )
    about, face = UNITS[unit], average_face()
    field = displacement(face, both_sides(unit, STRONG_PX), VIEW)
    image = append_strain(field)
    fed = per_channel(
        crop_and_resize(
            image, VIEW, _CROP, SIZE, np.random.default_rng(0), replace(ESTIMATOR_MODEL, subsampled_share=0.0)
        )
    )
    with mpl.rc_context(STYLE):
        how = f"Both sides, {STRONG_PX:g} pixels: the most of a micro-expression. Arrows are {TIMES:g} times as long as the skin moves."
        figure, axes = _sheet(
            f"AU {unit}, {about.name}", f"Muscle: {about.muscle}.  FACS, {about.description}.\n{how}"
        )
        draw_field(axes["field"], field, VIEW, STRONG_PX)
        axes["field"].set_title("Displacement, pixels of a face 112 wide")
        _legend(figure, axes["field"], STRONG_PX)
        draw_moved(axes["second"], field)
        axes["second"].set_title(f"The face moved {TIMES:g} times as far")
        _draw_channels(figure, axes, image, VIEW)
        _draw_fed(axes["fed"], fed, f"As fed, {SIZE} x {SIZE}")
    return figure


def emotion_figure(emotion: str, moments: int = MOMENTS, seed: int = 0) -> Figure:
    """An emotion: the combinations of units it is made of and their shares, and the mean flow image of many people showing it.

    Args:
        emotion: a name of EMOTIONS.
        moments: how many people, each another one with blinks, head motion and the errors of an estimator.
        seed: of these people.

    Raises:
        UnknownName: no such emotion.
    """
    pick(EMOTIONS, emotion, "simulated emotion")
    mean, fed = mean_flow(emotion, moments, seed)
    view, limit = grid_view(SIZE), float(np.hypot(mean[..., 0], mean[..., 1]).max())
    times, (low, high) = TIMES * STRONG_PX / limit, MICRO_PEAK_PX
    said = (
        f"Strongest displacement of each expression: {low:g} to {high:g} pixels. "
        f"On one side only where all units have sides: {ONE_SIDED_SHARES.get(emotion, 0.1):.0%}.\n"
        f"Flow: mean of {moments} simulated people, with blinks, head motion and the errors of an estimator. "
        f"Arrows are {times:.0f} times as long."
    )
    with mpl.rc_context(STYLE):
        figure, axes = _sheet(emotion[:1].upper() + emotion[1:], said)
        draw_field(axes["field"], mean[..., :2], view, limit, times)
        axes["field"].set_title("Mean flow, pixels of a face 112 wide")
        _legend(figure, axes["field"], limit)
        _draw_combinations(axes["second"], emotion)
        _draw_channels(figure, axes, mean, view)
        _draw_fed(axes["fed"], fed, f"Mean as fed, {SIZE} x {SIZE}")
    return figure


def units_figure() -> Figure:
    """All units on one sheet, each as arrows over the average face."""
    columns = 6
    rows = -(-len(UNITS) // columns)
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(12.0, 2.55 * rows), layout="constrained")
        for axes, (unit, about) in zip(figure.subplots(rows, columns).flat, UNITS.items(), strict=False):
            draw_field(
                axes,
                displacement(average_face(), both_sides(unit, STRONG_PX), VIEW),
                VIEW,
                STRONG_PX,
                every_px=9.0,
            )
            axes.set_title(f"AU {unit}, {about.name}")
    return figure


def write_atlas(out: Path, progress: Progress | None = None) -> list[Path]:
    """Write every figure as PNG and SVG: units, unit-01 to unit-45, emotion-anger to emotion-tense.

    Args:
        out: folder to write; new or empty, or one that holds nothing but an atlas, which is then drawn again.
        progress: called as figures are drawn.

    Returns:
        The files written.

    Raises:
        OutputTaken: something else is there.
    """
    drawings: dict[str, Callable[[], Figure]] = {"units": units_figure}
    drawings |= {f"unit-{unit:02d}": lambda unit=unit: unit_figure(unit) for unit in UNITS}  # type: ignore[misc]
    drawings |= {
        f"emotion-{emotion}": lambda emotion=emotion: emotion_figure(emotion) for emotion in sorted(EMOTIONS)
    }  # type: ignore[misc]
    files = {name: [out / f"{name}{suffix}" for suffix in FORMATS] for name in drawings}
    known = {path.name for paths in files.values() for path in paths}
    if out.exists() and (not out.is_dir() or any(path.name not in known for path in out.iterdir())):
        raise OutputTaken(out, "something else is there already", "Name a new or an empty folder.")
    for done, (name, draw) in enumerate(drawings.items(), 1):
        figure = draw()
        for path in files[name]:
            save_figure(figure, path)
        if progress:
            progress(done, len(drawings))
    return [path for paths in files.values() for path in paths]


def mean_flow(
    emotion: str, moments: int, seed: int
) -> tuple[Float32[np.ndarray, "H W 3"], UInt8[np.ndarray, "S S 3"]]:
    """Mean u, v (pixels of a face 112 wide) and strain on the grid of `simulated.grid_view`, and the mean of what networks are fed."""
    view, flows, fed = grid_view(SIZE), [], []
    for number in range(moments):
        rng = np.random.default_rng([seed, number])
        image = append_strain(draw_flow(emotion, view, rng)[0])
        flows.append(image * np.array([*[MODEL_FACE_PX / view.face_px] * 2, 1], np.float32))
        fed.append(per_channel(crop_and_resize(image, view, draw_crop(rng), SIZE, rng)))
    return np.mean(flows, axis=0).astype(np.float32), np.mean(fed, axis=0).round().astype(np.uint8)


def draw_field(
    axes: Axes,
    field: Float32[np.ndarray, "H W 2"],
    view: View,
    limit: float,
    times: float = TIMES,
    every_px: float = 7.0,
) -> None:
    """Length in colour, and arrows some times as long, over the average face.

    Args:
        field: displacement in pixels of a face 112 wide.
        limit: length that has the darkest colour, same unit.
        times: length of an arrow, in that of the movement.
        every_px: between two arrows, in the same unit.
    """
    length = np.hypot(field[..., 0], field[..., 1])
    axes.imshow(
        length, cmap="Blues", vmin=0, vmax=limit * 1.25, extent=_extent(view), interpolation="bilinear"
    )
    _draw_lines(axes, face_lines(average_face()), MUTED)
    step = round(every_px * view.face_px / MODEL_FACE_PX)
    left, top = (int(place) % step for place in view.origin)  # a column of arrows on the midline
    here = np.zeros(length.shape, bool)
    here[top::step, left::step] = True
    here &= length > 0.06 * limit
    u, v = view.face_grid()
    axes.quiver(u[here], v[here], field[here, 0], field[here, 1], angles="xy", scale_units="xy", scale=MODEL_FACE_PX / times,
                color=INK, width=0.006, headwidth=3.6, headlength=4, headaxislength=3.6, minlength=0.5)  # fmt: skip
    _bare(axes, view)


def draw_moved(axes: Axes, field: Float32[np.ndarray, "H W 2"]) -> None:
    """The average face at rest, pale, and TIMES as far as the field moves it, dark; the field in pixels of VIEW."""
    lines = face_lines(average_face())
    _draw_lines(axes, lines, CELL)
    moves = [
        sample_image(field, VIEW.to_pixels(line).astype(np.float32)[None], cv2.INTER_LINEAR)[0]
        for line in lines
    ]
    _draw_lines(
        axes, [line + TIMES / MODEL_FACE_PX * move for line, move in zip(lines, moves, strict=True)], INK
    )
    _bare(axes, VIEW)


def _sheet(title: str, said: str) -> tuple[Figure, dict[str, Axes]]:
    figure = Figure(figsize=(12.0, 4.5), layout="constrained")
    axes = figure.subplot_mosaic("AABBuv;AABBsn")
    figure.suptitle(title, x=0.006, ha="left", size=13, weight="bold")
    figure.supxlabel(said, x=0.006, ha="left", size=8.5, color=MUTED)
    return figure, dict(
        zip(("field", "second", "u", "v", "strain", "fed"), (axes[place] for place in "ABuvsn"), strict=True)
    )


def _legend(figure: Figure, axes: Axes, limit: float) -> None:
    look = axes.images[0]
    figure.colorbar(look, ax=axes, location="left", shrink=0.6, aspect=25, boundaries=np.linspace(0, limit, 101),
                    ticks=[0, limit / 2, limit], format=lambda value, _: f"{value:.2g}")  # fmt: skip


def _draw_channels(
    figure: Figure, axes: dict[str, Axes], image: Float32[np.ndarray, "H W 3"], view: View
) -> None:
    """u and v in the same colours, strain from white on."""
    limit = float(np.abs(image[..., :2]).max())
    for place, (name, title) in enumerate(NAMES.items()):
        most = limit if place < 2 else float(image[..., 2].max())
        look = axes[name].imshow(image[..., place], cmap="PuOr" if place < 2 else "Blues", vmin=-most if place < 2 else 0, vmax=most,
                                 extent=_extent(view))  # fmt: skip
        _draw_lines(axes[name], face_lines(average_face()), MUTED, 0.5)
        _bare(axes[name], view)
        axes[name].set_title(title)
        figure.colorbar(look, ax=axes[name], location="right", shrink=0.8, aspect=18, format=lambda value, _: f"{value:.2g}",
                        ticks=[-most, 0, most] if place < 2 else [0, most])  # fmt: skip


def _draw_fed(axes: Axes, image: UInt8[np.ndarray, "S S 3"], title: str) -> None:
    axes.imshow(image, interpolation="nearest")
    axes.set(xticks=[], yticks=[])
    axes.spines[:].set_visible(False)
    axes.set_title(title)


def _draw_combinations(axes: Axes, emotion: str) -> None:
    """A bar for each combination, from the commonest on, the names of its units beside it."""
    ranked = sorted(EMOTIONS[emotion], key=lambda combination: -combination.share)
    for place, combination in enumerate(ranked):
        axes.barh(place, combination.share, height=0.3, color=CELL)
        names = ", ".join(UNITS[unit].name for unit in combination.units)
        text = textwrap.fill(f"{'+'.join(map(str, combination.units))}: {names}", 60)
        axes.text(0, place - 0.24, text, size=7.5, va="bottom")
        axes.text(
            combination.share + 0.01, place, f"{combination.share:.0%}", size=8, va="center", color=MUTED
        )
    axes.set(xlim=(0, 0.72), ylim=(len(ranked) - 0.6, -0.75), xticks=[], yticks=[])
    axes.spines[:].set_visible(False)
    axes.set_title("Combinations of units, and their shares")


def _draw_lines(axes: Axes, lines: list[Line], colour: str, width: float = 0.9) -> None:
    for line in lines:
        axes.plot(line[:, 0], line[:, 1], color=colour, linewidth=width, solid_capstyle="round")


def _bare(axes: Axes, view: View) -> None:
    left, right, bottom, top = _extent(view)
    axes.set(xlim=(left, right), ylim=(bottom, top), aspect="equal", xticks=[], yticks=[])
    axes.spines[:].set_visible(False)


def _extent(view: View) -> tuple[float, float, float, float]:
    """Left, right, lower and upper border of a view in face widths, v growing downwards; the borders of its outer pixels."""
    x, y = view.origin
    return (
        (-0.5 - x) / view.face_px,
        (view.width - 0.5 - x) / view.face_px,
        (view.height - 0.5 - y) / view.face_px,
        (-0.5 - y) / view.face_px,
    )
