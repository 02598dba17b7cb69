"""Nothing of a person is in anonymous pictures: two different images that are explained alike give the same bytes."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from learnet.report.explain.activation_figures import ClipRow, NetworkMaps, comparison_figure, write_figures
from learnet.report.explain.background import CELLS, Background, coarsen
from learnet.report.explain.clips import ExplainedClip
from learnet.report.explain.face_regions import face_placement
from learnet.report.explain.figures import attribution_figures, class_figures, clip_figures
from tests.report.explain.test_attribution import OneSpot
from tests.training.test_initial_weights import FACTS

SIZE = 28


class Gate(OneSpot):
    """Only what lies in the spot reaches the first stage with a name that is asked for, `gate`, and with it the answer."""

    def __init__(self) -> None:
        super().__init__()
        self.gate = nn.Identity()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        looked = self.gate(
            torch.relu(self.maps(x.sum(dim=1, keepdim=True).expand(-1, 3, -1, -1)))[:, :1]
            * self.last.weight[1].view(1, 1, SIZE, SIZE)
        )
        return torch.cat([torch.zeros(len(x), 1), looked.sum(dim=(2, 3))], dim=1)


@pytest.fixture
def cases(rng: np.random.Generator) -> list[ExplainedClip]:
    """Two people: the same spot and the same medians, everything else another noise."""
    images = []
    for _ in range(2):
        image = np.full((SIZE, SIZE, 3), 128, np.uint8)
        image[18:, :9] = rng.integers(0, 256, (10, 9, 3))
        image[8:14, 16:22] = 220
        images.append(image)
    facts = replace(FACTS, classes=("a", "b"), data={})
    return [
        ExplainedClip(
            Gate().eval(), facts, image, "own/1/one", "own/1", "b", face_placement("found", SIZE), ()
        )
        for image in images
    ]


def written(folder: Path, plates: dict) -> dict[str, bytes]:
    files = write_figures(folder, plates)
    return {path.name: path.read_bytes() for file in files for path in (file, file.with_suffix(".csv"))}


@pytest.mark.parametrize("anonymous", [True, False])
def test_where_it_looked_shows_nothing_of_the_person(
    cases: list[ExplainedClip], anonymous: bool, tmp_path: Path
) -> None:
    """Attributions and class activation are equal by the making of the network; the motion images are not."""
    one, other = (
        written(tmp_path / f"{place}", attribution_figures(case, "gate", anonymous))
        for place, case in enumerate(cases)
    )
    assert set(one) == {
        f"{name}.{kind}" for name in ("where", "checks", "regions") for kind in ("png", "csv")
    }
    assert (one["where.png"] == other["where.png"]) is anonymous
    if anonymous:  # the checks put the weights in disorder: such networks look elsewhere too, and so their numbers differ
        assert all(one[name] == other[name] for name in one if not name.startswith("checks"))


@pytest.mark.parametrize("anonymous", [True, False])
def test_nor_do_maps_of_a_stage_a_class_and_networks(
    cases: list[ExplainedClip], anonymous: bool, tmp_path: Path
) -> None:
    for number, make in enumerate((mosaic_of, class_of, row_of)):
        one, other = (
            written(tmp_path / f"{number}-{place}", make(case, anonymous)) for place, case in enumerate(cases)
        )
        assert (one == other) is anonymous


def mosaic_of(case: ExplainedClip, anonymous: bool) -> dict:
    return {"mosaic": clip_figures(case, "gate", anonymous)["mosaic"]}


def class_of(case: ExplainedClip, anonymous: bool) -> dict:
    return class_figures([case], "gate", anonymous)


def row_of(case: ExplainedClip, anonymous: bool) -> dict:
    maps = np.zeros((2, SIZE, SIZE), np.float32)
    maps[:, 8:14, 16:22] = 1
    return {
        "row": comparison_figure(
            [ClipRow("clip", case.background(anonymous), (NetworkMaps("own", "gate", maps),))], "rows"
        )
    }


def test_all_maps_are_coarse_over_the_average_face(cases: list[ExplainedClip]) -> None:
    """Of the network, a mosaic and attributions no table has more than so many rows and columns; without hiding they have all."""
    for plates in (clip_figures(cases[0], "gate", True), attribution_figures(cases[0], "gate", True)):
        for name in set(plates) & {"network", "mosaic", "where"}:
            assert plates[name].table[["row", "column"]].to_numpy().max() == CELLS - 1
    assert attribution_figures(cases[0], "gate")["where"].table["row"].max() == SIZE - 1


def test_coarse_maps_by_hand() -> None:
    maps = np.arange(16, dtype=np.float32).reshape(1, 4, 4)
    np.testing.assert_allclose(coarsen(maps, 2), [[[2.5, 4.5], [10.5, 12.5]]])
    assert coarsen(maps, 4) is maps and coarsen(np.ones((3, 2, 30, 30), np.float32)).shape == (
        3,
        2,
        CELLS,
        CELLS,
    )


def test_the_lines_lie_where_the_face_lies() -> None:
    """The brows of the average face are drawn where the crop of a found face has brows; where nobody knows nothing is drawn."""
    from matplotlib.figure import Figure

    where = face_placement("found", 112)
    assert where is not None
    axes = Figure().subplots()
    Background(None, where).draw(axes)
    drawn = np.vstack([line.get_xydata() for line in axes.lines])
    brow = where.to_pixels(np.array([[0.273, -0.137]]))[0]  # the middle of a brow, in face widths
    assert (
        np.hypot(*(drawn - brow).T).min() < 0.5
        and axes.get_xlim() == (-0.5, 111.5)
        and axes.get_ylim() == (111.5, -0.5)
    )
    bare = Figure().subplots()
    Background(None, None).draw(bare)
    assert not bare.lines and not bare.images
