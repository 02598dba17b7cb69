"""Anonymous figures show nothing of a person: two images with equal explanations give equal files."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from matplotlib.figure import Figure
from torch import nn

from learnet.report.explain.activation_figures import (
    ClipRow,
    NetworkMaps,
    comparison_figure,
)
from learnet.report.explain.background import CELLS, Background, coarsen
from learnet.report.explain.clips import ExplainedClip
from learnet.report.explain.explanation_figure import ExplanationFigure, write_figures
from learnet.report.explain.face_regions import face_placement
from learnet.report.explain.figures import attribution_figures, class_figures, clip_figures
from tests.builders.explained import METADATA
from tests.report.explain.test_attribution import OneSpot

SIZE = 28
Figures = dict[str, ExplanationFigure]


class Gate(OneSpot):
    """Only the spot reaches the first named stage, `gate`, and with it the prediction."""

    def __init__(self) -> None:
        super().__init__()
        self.gate = nn.Identity()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        grey = x.sum(dim=1, keepdim=True).expand(-1, 3, -1, -1)
        spot = torch.relu(self.maps(grey))[:, :1] * self.last.weight[1].view(1, 1, SIZE, SIZE)
        return torch.cat([torch.zeros(len(x), 1), self.gate(spot).sum(dim=(2, 3))], dim=1)


@pytest.fixture
def clips(rng: np.random.Generator) -> list[ExplainedClip]:
    """Return clips of two people: the same spot and the same medians, and different noise elsewhere."""
    metadata = replace(METADATA, classes=("a", "b"), data={})
    placement = face_placement("found", SIZE)
    clips = []
    for _ in range(2):
        image = np.full((SIZE, SIZE, 3), 128, np.uint8)
        image[18:, :9] = rng.integers(0, 256, (10, 9, 3))
        image[8:14, 16:22] = 220
        clips.append(ExplainedClip(Gate().eval(), metadata, image, "own/1/one", "own/1", "b", placement, ()))
    return clips


def written(folder: Path, figures: Figures) -> dict[str, bytes]:
    """Write figures, and return the content of the PNG and CSV files by name."""
    contents = {}
    for picture in write_figures(folder, figures):
        for path in (picture, picture.with_suffix(".csv")):
            contents[path.name] = path.read_bytes()
    return contents


@pytest.mark.parametrize("anonymous", [True, False])
def test_anonymous_attributions_show_nothing_of_the_person(
    clips: list[ExplainedClip], anonymous: bool, tmp_path: Path
) -> None:
    """Attributions are equal by the design of the network; the motion images are not."""
    first = written(tmp_path / "first", attribution_figures(clips[0], "gate", anonymous))
    second = written(tmp_path / "second", attribution_figures(clips[1], "gate", anonymous))
    assert sorted(first) == [
        "checks.csv", "checks.png", "regions.csv", "regions.png", "where.csv", "where.png",
    ]  # fmt: skip
    assert (first["where.png"] == second["where.png"]) is anonymous
    if anonymous:  # networks with permuted weights depend on other pixels, so the checks differ
        for name in ("regions.csv", "regions.png", "where.csv"):
            assert first[name] == second[name], name


def mosaic(clip: ExplainedClip, anonymous: bool) -> Figures:
    return {"mosaic": clip_figures(clip, "gate", anonymous)["mosaic"]}


def class_mean(clip: ExplainedClip, anonymous: bool) -> Figures:
    return class_figures([clip], "gate", anonymous)


def comparison(clip: ExplainedClip, anonymous: bool) -> Figures:
    maps = np.zeros((2, SIZE, SIZE), np.float32)
    maps[:, 8:14, 16:22] = 1
    row = ClipRow("clip", clip.background(anonymous), (NetworkMaps("own", "gate", maps),))
    return {"networks": comparison_figure([row], "title")}


@pytest.mark.parametrize("anonymous", [True, False])
@pytest.mark.parametrize("draw", [mosaic, class_mean, comparison])
def test_anonymous_maps_show_nothing_of_the_person(
    draw: Callable[[ExplainedClip, bool], Figures],
    anonymous: bool,
    clips: list[ExplainedClip],
    tmp_path: Path,
) -> None:
    first = written(tmp_path / "first", draw(clips[0], anonymous))
    second = written(tmp_path / "second", draw(clips[1], anonymous))
    assert (first == second) is anonymous


def test_anonymous_tables_are_coarse(clips: list[ExplainedClip]) -> None:
    """No table has more than CELLS rows and columns; without `anonymous` the tables have all pixels."""
    activations = clip_figures(clips[0], "gate", True)
    attributions = attribution_figures(clips[0], "gate", True)
    for figure in (activations["network"], activations["mosaic"], attributions["where"]):
        assert figure.table[["row", "column"]].to_numpy().max() == CELLS - 1
    assert attribution_figures(clips[0], "gate")["where"].table["row"].max() == SIZE - 1


def test_coarse_maps_by_hand() -> None:
    maps = np.arange(16, dtype=np.float32).reshape(1, 4, 4)
    np.testing.assert_allclose(coarsen(maps, 2), [[[2.5, 4.5], [10.5, 12.5]]])
    assert coarsen(maps, 4) is maps
    assert coarsen(np.ones((3, 2, 30, 30), np.float32)).shape == (3, 2, CELLS, CELLS)


def test_the_average_face_is_drawn_at_the_position_of_the_face() -> None:
    """The middle of a brow is at (0.273, -0.137) in face widths; without a position nothing is drawn."""
    placement = face_placement("found", 112)
    assert placement is not None
    axes = Figure().subplots()
    Background(None, placement).draw(axes)
    points = np.vstack([line.get_xydata() for line in axes.lines])
    brow = placement.to_pixels(np.array([[0.273, -0.137]]))[0]
    assert np.hypot(*(points - brow).T).min() < 0.5
    assert axes.get_xlim() == (-0.5, 111.5)
    assert axes.get_ylim() == (111.5, -0.5)

    empty = Figure().subplots()
    Background(None, None).draw(empty)
    assert not empty.lines
    assert not empty.images
