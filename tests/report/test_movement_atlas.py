"""The figures of the movement model: what stands in them, and that arrows and lines go where the bumps of the
units push."""

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


def words(figure: Figure) -> str:
    return "\n".join(
        [text.get_text() for text in figure.texts] + [figure.get_suptitle(), figure.get_supxlabel()]
    )


def titled(figure: Figure, start: str) -> Axes:
    (axes,) = [axes for axes in figure.axes if axes.get_title("left").startswith(start)]
    return axes


def arrows(axes: Axes) -> Quiver:
    (found,) = [artist for artist in axes.collections if isinstance(artist, Quiver)]
    return found


def pushed(unit: int, place: tuple[float, float]) -> np.ndarray:
    """Where both sides of a unit of 2.5 pixels push a place of the average face, bump by bump: (right, down)
    in pixels."""
    face, moved = average_face(), np.zeros(2)
    for side, outward in (("left", 1), ("right", -1)):
        for bump in UNITS[unit].bumps:
            name = f"{side} {bump.landmark}" if f"{side} {bump.landmark}" in face.points else bump.landmark
            u, v = np.array(face.points[name]) + (outward * bump.shift[0], bump.shift[1])
            near = np.exp(
                -((place[0] - u) ** 2) / (2 * bump.sd_across**2)
                - (place[1] - v) ** 2 / (2 * bump.sd_along**2)
            )
            moved += 2.5 * near * np.array([outward * bump.outward, bump.down])
    return moved


@pytest.mark.parametrize("unit", UNITS)
def test_arrows_of_a_unit_are_its_displacement(unit: int) -> None:
    """At the arrow nearest to each landmark that the unit pushes; v grows downwards on the sheet, as in a
    picture."""
    figure = unit_figure(unit)
    axes = titled(figure, "Displacement")
    drawn = arrows(axes)
    for bump in UNITS[unit].bumps:
        u, v = average_face().at(
            bump.landmark, "left" if f"left {bump.landmark}" in average_face().points else ""
        )
        near = np.hypot(drawn.X - u, drawn.Y - v).argmin()
        expected = pushed(unit, (drawn.X[near], drawn.Y[near]))
        np.testing.assert_allclose([drawn.U[near], drawn.V[near]], expected, atol=2e-3)
    assert axes.yaxis_inverted() and not axes.xaxis_inverted()
    assert (drawn.angles, drawn.scale_units, drawn.scale) == (
        "xy",
        "xy",
        112 / 4,
    )  # 4 times as long as the skin moves
    assert {f"AU {unit}, {UNITS[unit].name}"} <= {text.get_text() for text in figure.texts} | {
        figure.get_suptitle()
    }
    assert (
        UNITS[unit].muscle in words(figure)
        and UNITS[unit].description in words(figure)
        and "2.5 pixels" in words(figure)
    )


def test_the_sheet_is_mirrored_as_the_face_is() -> None:
    drawn = arrows(titled(unit_figure(12), "Displacement"))
    there = {
        (round(x, 4), round(y, 4)): (u, v)
        for x, y, u, v in zip(drawn.X, drawn.Y, drawn.U, drawn.V, strict=True)
    }
    for (x, y), (u, v) in there.items():
        np.testing.assert_allclose(there[(-x, y)], (-u, v), atol=1e-4)


def test_the_moved_face_smiles() -> None:
    """The dark lines are the pale ones moved by four times what the bumps push."""
    lines = [line.get_xydata() for line in titled(unit_figure(12), "The face moved").lines]
    rest, moved = lines[: len(lines) // 2], lines[len(lines) // 2 :]
    for before, after in zip(rest, moved, strict=True):
        expected = [np.array(place) + 4 / 112 * pushed(12, place) for place in before]
        np.testing.assert_allclose(after, expected, atol=2e-3)


def test_lines_of_the_face_run_through_its_landmarks() -> None:
    face, points = average_face(), np.vstack(face_lines(average_face()))
    for name in (
        "inner brow",
        "outer brow",
        "upper lid",
        "lower lid",
        "outer eye",
        "nostril",
        "lip corner",
        "upper lip",
        "jaw",
        "fringe",
    ):
        for side in ("left", "right"):
            assert np.abs(points - face.at(name, side)).sum(axis=1).min() < 1e-9, f"{side} {name}"
    mirrored = points * (-1, 1)
    assert all(np.abs(mirrored - point).sum(axis=1).min() < 1e-9 for point in points)


@pytest.mark.parametrize("unit", [12, 45])
def test_channels_are_the_movement(unit: int) -> None:
    """u and v in pixels, strain the root of squared slopes; what a network is fed has the full range."""
    figure = unit_figure(unit)
    u, v, strain = (
        np.asarray(titled(figure, title).images[0].get_array()) for title in ("u,", "v,", "strain")
    )
    row, column = 51 + 40, 76 + 15
    np.testing.assert_allclose(
        [u[row, column], v[row, column]], pushed(unit, (15 / 112, 40 / 112)), atol=1e-3
    )
    (uy, ux), (vy, vx) = np.gradient(u), np.gradient(v)
    np.testing.assert_allclose(strain, np.sqrt(ux**2 + vy**2 + (uy + vx) ** 2 / 2), atol=1e-5)
    fed = np.asarray(titled(figure, "As fed").images[0].get_array())
    assert fed.shape == (28, 28, 3) and fed.min() == 0 and fed.max() == 255


@pytest.mark.parametrize("emotion", EMOTIONS)
def test_an_emotion_is_drawn_with_its_combinations(emotion: str) -> None:
    figure = emotion_figure(emotion, moments=2)
    said = [text.get_text().replace("\n", " ") for text in titled(figure, "Combinations").texts]
    for combination in EMOTIONS[emotion]:
        spelled = "+".join(map(str, combination.units))
        assert any(
            text.startswith(f"{spelled}: ") and all(UNITS[unit].name in text for unit in combination.units)
            for text in said
        )
        assert f"{round(100 * combination.share)}%" in said
    assert figure.get_suptitle().lower() == emotion and "mean of 2 simulated people" in words(figure)
    bars = sorted(bar.get_width() for bar in titled(figure, "Combinations").patches)
    assert bars == sorted(combination.share for combination in EMOTIONS[emotion])


def test_the_mean_of_happy_people_smiles() -> None:
    """Lip corners up and outward in the mean of 40, as AU 12 moves them; the image that is fed has their mean
    range."""
    mean, fed = mean_flow("happiness", 40, 0)
    row, left, right = (
        round(place) for place in (25.92 + 0.46 * 57.6, 35.5 + 0.21 * 57.6, 35.5 - 0.21 * 57.6)
    )
    assert mean[row, left, 0] > 0.2 and mean[row, right, 0] < -0.2
    assert mean[row, left, 1] < -0.3 and mean[row, right, 1] < -0.3
    assert mean.shape == (72, 72, 3) and fed.shape == (28, 28, 3) and 0 < fed.min() < fed.max() < 255
    again, _ = mean_flow("happiness", 40, 0)
    np.testing.assert_array_equal(mean, again)


def test_all_units_are_on_one_sheet() -> None:
    titles = [axes.get_title("left") for axes in units_figure().axes]
    assert titles == [f"AU {number}, {unit.name}" for number, unit in UNITS.items()]


def test_what_cannot_be_drawn_is_named() -> None:
    with pytest.raises(LearnetError, match="no action unit 3"):
        unit_figure(3)
    with pytest.raises(UnknownName, match="Did you mean 'surprise'"):
        emotion_figure("surprize")


def test_an_atlas_is_written_and_may_be_written_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(atlas, "UNITS", {12: UNITS[12]})
    monkeypatch.setattr(atlas, "EMOTIONS", {})
    out, told = tmp_path / "new" / "atlas", []
    files = write_atlas(out, lambda done, of: told.append((done, of)))
    assert sorted(path.name for path in files) == ["unit-12.png", "unit-12.svg", "units.png", "units.svg"]
    assert sorted(out.iterdir()) == sorted(files) and told == [(1, 2), (2, 2)]
    assert (out / "unit-12.png").read_bytes().startswith(b"\x89PNG") and "zygomaticus major" in (
        out / "unit-12.svg"
    ).read_text()
    assert write_atlas(out) == files
    (out / "mine.txt").write_text("kept")
    with pytest.raises(OutputTaken, match="something else"):
        write_atlas(out)
    with pytest.raises(OutputTaken):
        write_atlas(out / "mine.txt")
    assert (out / "mine.txt").read_text() == "kept"
