"""Figures of the movement model: their texts, and arrows and lines compared with the action units."""

from pathlib import Path

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.quiver import Quiver

from learnet.core.errors import LearnetError, OutputTaken, UnknownName
from learnet.report import movement_atlas as atlas
from learnet.report.movement_atlas import (
    emotion_figure,
    face_lines,
    mean_flow,
    unit_figure,
    units_figure,
    write_atlas,
)
from learnet.simulation.emotions import EMOTIONS
from learnet.simulation.geometry import average_face
from learnet.simulation.units import UNITS

PAIRED_LANDMARKS = (
    "inner brow", "outer brow", "upper lid", "lower lid", "outer eye",
    "nostril", "lip corner", "upper lip", "jaw", "fringe",
)  # fmt: skip


def texts(figure: Figure) -> str:
    """Return title and caption of a figure."""
    return f"{figure.get_suptitle()}\n{figure.get_supxlabel()}"


def axes_titled(figure: Figure, start: str) -> Axes:
    (axes,) = [axes for axes in figure.axes if axes.get_title("left").startswith(start)]
    return axes


def arrows(axes: Axes) -> Quiver:
    (quiver,) = [artist for artist in axes.collections if isinstance(artist, Quiver)]
    return quiver


def expected_displacement(unit: int, point: tuple[float, float]) -> np.ndarray:
    """Sum the bumps of both sides of a unit of 2.5 pixels at a point of the average face: (right, down)."""
    face, total = average_face(), np.zeros(2)
    for side, outward in (("left", 1), ("right", -1)):
        for bump in UNITS[unit].bumps:
            name = f"{side} {bump.landmark}"
            if name not in face.points:
                name = bump.landmark
            u, v = np.array(face.points[name]) + (outward * bump.shift[0], bump.shift[1])
            du, dv = point[0] - u, point[1] - v
            strength = np.exp(-(du**2) / (2 * bump.sd_across**2) - dv**2 / (2 * bump.sd_along**2))
            total += 2.5 * strength * np.array([outward * bump.outward, bump.down])
    return total


@pytest.mark.parametrize("unit", UNITS)
def test_arrows_of_a_unit_are_its_displacement(unit: int) -> None:
    """Compared at the arrow nearest to each landmark of the unit; v points down, as in an image."""
    figure = unit_figure(unit)
    axes = axes_titled(figure, "Displacement")
    quiver = arrows(axes)
    face = average_face()
    for bump in UNITS[unit].bumps:
        paired = f"left {bump.landmark}" in face.points
        u, v = face.at(bump.landmark, "left" if paired else "")
        nearest = np.hypot(quiver.X - u, quiver.Y - v).argmin()
        expected = expected_displacement(unit, (quiver.X[nearest], quiver.Y[nearest]))
        np.testing.assert_allclose([quiver.U[nearest], quiver.V[nearest]], expected, atol=2e-3)
    assert axes.yaxis_inverted()
    assert not axes.xaxis_inverted()
    assert (quiver.angles, quiver.scale_units) == ("xy", "xy")
    assert quiver.scale == 112 / 4  # four times as long as the skin moves


@pytest.mark.parametrize("unit", UNITS)
def test_texts_of_a_unit(unit: int) -> None:
    text = texts(unit_figure(unit))
    assert f"AU {unit}, {UNITS[unit].name}" in text
    assert UNITS[unit].muscle in text
    assert UNITS[unit].description in text
    assert "2.5 pixels" in text


def test_arrows_are_symmetric() -> None:
    quiver = arrows(axes_titled(unit_figure(12), "Displacement"))
    displacements = {}
    for x, y, u, v in zip(quiver.X, quiver.Y, quiver.U, quiver.V, strict=True):
        displacements[round(x, 4), round(y, 4)] = (u, v)
    for (x, y), (u, v) in displacements.items():
        np.testing.assert_allclose(displacements[-x, y], (-u, v), atol=1e-4)


def test_dark_lines_are_the_pale_ones_moved_by_the_unit() -> None:
    """Four times the sum of the bumps."""
    lines = [line.get_xydata() for line in axes_titled(unit_figure(12), "The face moved").lines]
    pale, dark = lines[: len(lines) // 2], lines[len(lines) // 2 :]
    for before, after in zip(pale, dark, strict=True):
        expected = [point + 4 / 112 * expected_displacement(12, point) for point in before]
        np.testing.assert_allclose(after, expected, atol=2e-3)


def test_face_lines_pass_through_the_landmarks() -> None:
    face = average_face()
    points = np.vstack(face_lines(face))
    for name in PAIRED_LANDMARKS:
        for side in ("left", "right"):
            distances = np.abs(points - face.at(name, side)).sum(axis=1)
            assert distances.min() < 1e-9, f"{side} {name}"


def test_face_lines_are_symmetric() -> None:
    points = np.vstack(face_lines(average_face()))
    mirrored = points * (-1, 1)
    for point in points:
        assert np.abs(mirrored - point).sum(axis=1).min() < 1e-9


@pytest.mark.parametrize("unit", [12, 45])
def test_channels_are_displacement_and_strain(unit: int) -> None:
    """u and v are in pixels, strain is the root of squared gradients; the input has the full range."""
    figure = unit_figure(unit)
    u, v, strain = (
        np.asarray(axes_titled(figure, title).images[0].get_array()) for title in ("u,", "v,", "strain")
    )
    row, column = 51 + 40, 76 + 15
    expected = expected_displacement(unit, (15 / 112, 40 / 112))
    np.testing.assert_allclose([u[row, column], v[row, column]], expected, atol=1e-3)
    (uy, ux), (vy, vx) = np.gradient(u), np.gradient(v)
    np.testing.assert_allclose(strain, np.sqrt(ux**2 + vy**2 + (uy + vx) ** 2 / 2), atol=1e-5)
    network_input = np.asarray(axes_titled(figure, "Network input").images[0].get_array())
    assert network_input.shape == (28, 28, 3)
    assert (network_input.min(), network_input.max()) == (0, 255)


@pytest.mark.parametrize("emotion", EMOTIONS)
def test_an_emotion_is_drawn_with_its_combinations(emotion: str) -> None:
    figure = emotion_figure(emotion, people=2)
    axes = axes_titled(figure, "Combinations")
    labels = [text.get_text().replace("\n", " ") for text in axes.texts]
    for combination in EMOTIONS[emotion]:
        numbers = "+".join(map(str, combination.units))
        names = ", ".join(UNITS[unit].name for unit in combination.units)
        assert f"{numbers}: {names}" in labels
        assert f"{round(100 * combination.share)}%" in labels
    assert figure.get_suptitle().lower() == emotion
    assert "mean of 2 simulated people" in texts(figure)
    widths = sorted(bar.get_width() for bar in axes.patches)
    assert widths == sorted(combination.share for combination in EMOTIONS[emotion])


def test_the_mean_flow_of_happiness_raises_the_lip_corners() -> None:
    """Up and outward in the mean of 40 people, as AU 12 moves them."""
    mean, network_input = mean_flow("happiness", 40, 0)
    row = round(25.92 + 0.46 * 57.6)
    left, right = mean[row, round(35.5 + 0.21 * 57.6)], mean[row, round(35.5 - 0.21 * 57.6)]
    assert left[0] > 0.2
    assert right[0] < -0.2
    assert left[1] < -0.3
    assert right[1] < -0.3
    assert mean.shape == (72, 72, 3)
    assert network_input.shape == (28, 28, 3)
    assert 0 < network_input.min() < network_input.max() < 255


def test_the_seed_determines_the_mean_flow() -> None:
    first, second, other = (mean_flow("happiness", 2, seed)[0] for seed in (0, 0, 1))
    np.testing.assert_array_equal(first, second)
    assert not np.array_equal(first, other)


def test_all_units_are_on_one_sheet() -> None:
    titles = [axes.get_title("left") for axes in units_figure().axes]
    assert titles == [f"AU {number}, {unit.name}" for number, unit in UNITS.items()]


def test_unknown_units_and_emotions_are_refused() -> None:
    with pytest.raises(LearnetError, match="no action unit 3"):
        unit_figure(3)
    with pytest.raises(UnknownName, match="Did you mean 'surprise'"):
        emotion_figure("surprize")


@pytest.fixture
def one_unit(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reduce the movement model to AU 12, so that an atlas is drawn fast."""
    monkeypatch.setattr(atlas, "UNITS", {12: UNITS[12]})
    monkeypatch.setattr(atlas, "EMOTIONS", {})


@pytest.mark.usefixtures("one_unit")
def test_an_atlas_can_be_written_twice(tmp_path: Path) -> None:
    out, progress = tmp_path / "new" / "atlas", []
    files = write_atlas(out, lambda done, total: progress.append((done, total)))
    assert sorted(path.name for path in files) == ["unit-12.png", "unit-12.svg", "units.png", "units.svg"]
    assert sorted(out.iterdir()) == sorted(files)
    assert progress == [(1, 2), (2, 2)]
    assert (out / "unit-12.png").read_bytes().startswith(b"\x89PNG")
    assert "zygomaticus major" in (out / "unit-12.svg").read_text()
    assert write_atlas(out) == files


@pytest.mark.usefixtures("one_unit")
def test_other_files_are_not_replaced(tmp_path: Path) -> None:
    file = tmp_path / "notes.txt"
    file.write_text("kept")
    with pytest.raises(OutputTaken):
        write_atlas(tmp_path)
    with pytest.raises(OutputTaken):
        write_atlas(file)
    assert file.read_text() == "kept"
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]
