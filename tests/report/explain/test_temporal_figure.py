"""Figures of a clip over time show a face only where it is requested."""

from pathlib import Path
from typing import get_args

import numpy as np
import pytest

from learnet.inference.decision import Decision
from learnet.inference.window_units import WindowUnits
from learnet.report.explain.explanation_figure import write_figures
from learnet.report.explain.temporal import TemporalExplanation
from learnet.report.explain.temporal_figure import (
    PICTURES,
    Strip,
    _round_frame_numbers,
    _spread_levels,
    temporal_figure,
)
from learnet.report.explain.temporal_segments import KeyFrame
from learnet.report.explain.temporal_windows import growing_windows, temporal_weights


def explanation(crops: np.ndarray) -> TemporalExplanation:
    """Return an analysis in which everything but the faces is fixed."""
    count = len(crops)
    starts, ends = np.array(growing_windows(0, count, count - 1)).T
    return TemporalExplanation(
        name="clip",
        network="learnet",
        motion="dynamic",
        classes=("a", "b"),
        fps=100.0,
        frame_numbers=tuple(range(count)),
        crops=crops,
        movement=np.linspace(0, 4, count),
        key_frames={
            "onset": KeyFrame(0, "file"),
            "apex": KeyFrame(3, "midpoint"),
            "offset": KeyFrame(count - 1, "file"),
        },
        chosen=len(starts) - 1,
        apex=3,
        weights=temporal_weights("dynamic", count, 3),
        starts=starts,
        ends=ends,
        scores=np.tile([0.25, 0.75], (len(starts), 1)),
        decisions=(Decision("b"),) * len(starts),
        units=(WindowUnits(),) * len(starts),
        cropped=True,
        notes=(),
    )


@pytest.fixture
def faces(rng: np.random.Generator) -> list[np.ndarray]:
    """Return two faces of different colours that change in the same way."""
    change = rng.integers(0, 40, (9, 112, 112, 1))
    faces = []
    for _ in range(2):
        face = rng.integers(0, 200, (112, 112, 3)) + change
        faces.append(face.astype(np.uint8))
    return faces


@pytest.mark.parametrize("strip", get_args(Strip))
def test_figures_differ_by_the_face_only_where_faces_are_requested(
    strip: Strip, faces: list[np.ndarray], tmp_path: Path
) -> None:
    pictures, tables = set(), set()
    for number, crops in enumerate(faces):
        (picture,) = write_figures(
            tmp_path / f"{number}", {"when": temporal_figure(explanation(crops), strip)}
        )
        pictures.add(picture.read_bytes())
        tables.add(picture.with_suffix(".csv").read_bytes())
    assert len(tables) == 1
    assert len(pictures) == (2 if strip == "faces" else 1)


def test_requested_faces_are_those_of_the_clip(faces: list[np.ndarray]) -> None:
    boxes = temporal_figure(explanation(faces[0]), "faces").figure.axes[0].child_axes
    shown = [box.images[0].get_array() for box in boxes if box.images]
    assert len(shown) == PICTURES
    for picture in shown:
        assert any(np.array_equal(picture, crop) for crop in faces[0])


def test_anonymous_changes_are_coarse(rng: np.random.Generator) -> None:
    crops = rng.integers(0, 256, (9, 112, 112, 3), dtype=np.uint8)
    boxes = temporal_figure(explanation(crops), "lines").figure.axes[0].child_axes
    shapes = {box.images[0].get_array().shape for box in boxes if box.images}
    assert shapes == {(14, 14)}


def test_labels_of_lines_keep_their_distance() -> None:
    np.testing.assert_allclose(_spread_levels(np.array([0.0, 0.05, 0.9]), 0.1), [0, 0.1, 0.9])
    np.testing.assert_allclose(_spread_levels(np.array([0.5, 0.95, 1.0]), 0.1), [0.5, 0.9, 1])


def test_frame_numbers_on_the_axis_are_round() -> None:
    assert _round_frame_numbers(11, 26) == list(range(11, 27, 1))
    assert _round_frame_numbers(3, 91) == [20, 40, 60, 80]
    assert _round_frame_numbers(0, 400) == list(range(0, 401, 50))
