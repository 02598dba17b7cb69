"""Figures of clips, classes and networks, and their tables."""

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from learnet.cli import app, console
from learnet.core.errors import BadCheckpoint, LearnetError
from learnet.core.settings import Resources, Study, Training
from learnet.networks import as_input
from learnet.report.explain import figures as figures_module
from learnet.report.explain.clips import open_explained_clips
from learnet.report.explain.explanation_figure import write_figures
from learnet.report.explain.face_regions import face_placement
from learnet.report.explain.figures import (
    attribution_figures,
    class_figures,
    clip_figures,
    measurement_figures,
    network_figures,
)
from learnet.study.run import run_study
from learnet.training.checkpoint import load_checkpoint, save_checkpoint
from tests.builders.explained import checkpoint_for
from tests.builders.written_study import write_prepared

ONE_EPOCH = Training(epochs=1, augment="none", mirror_at_test=False)
ONE_JOB = Resources(jobs=1)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with prepared noise, two studies of it, and weights that list its people."""
    home = tmp_path_factory.mktemp("figures")
    prepared = write_prepared(home / "prepared", people=3, clips=6)
    for network in ("learnet", "ststnet"):
        run_study(prepared, home / network, Study(network=network, classes="auto"), ONE_EPOCH, ONE_JOB)
    checkpoint_for(home / "all.safetensors", prepared)
    return home


def test_figures_of_a_clip(home: Path, tmp_path: Path) -> None:
    figures = clip_figures(open_explained_clips(home / "learnet").get("casme2/01/EP00"))
    assert set(figures) == {
        "network", "mosaic", "accretion-one-1", "accretion-one-2", "accretion-two-1", "accretion-two-2",
    }  # fmt: skip
    for picture in write_figures(tmp_path / "out", figures):
        for suffix in (".png", ".svg", ".csv"):
            assert picture.with_suffix(suffix).stat().st_size > 500
    table = pd.read_csv(tmp_path / "out" / "accretion-one-1.csv")
    np.testing.assert_allclose(table["plain"] + table["accreting"], table["accretion"], rtol=1e-4, atol=1e-6)
    mosaic = figures["mosaic"].table
    assert mosaic["map"].nunique() == 16
    assert len(mosaic) == 16 * 7 * 7
    assert figures["network"].table["stage"].nunique() == 1 + 12 + 4 + 3


def test_figures_of_attributions(home: Path) -> None:
    """There are regions only where the position of the face is known; shares sum to 1 for each method."""
    clip = open_explained_clips(home / "ststnet").get("casme2/01/EP00")
    figures = attribution_figures(clip)
    assert set(figures) == {"where", "checks"}
    assert len(figures["where"].table) == 3 * 28 * 28
    assert set(figures["checks"].table["way"]) == {"deletion", "insertion"}
    figures = attribution_figures(replace(clip, placement=face_placement("given", 28)))
    regions = figures["regions"].table
    np.testing.assert_allclose(regions.groupby("method")["share"].sum(), 1)
    assert list(regions.columns[:2]) == ["method", "region"]


def test_the_figure_of_a_class_has_the_mean_over_its_clips(home: Path) -> None:
    clips = open_explained_clips(home / "learnet").of_class("others")
    table = class_figures(clips, "stem")["class"].table
    stems = []
    for clip in clips:
        stems.append(clip.module.stages(as_input(clip.image[None]))["stem"][0].detach().numpy())
    mean = np.mean(stems, axis=0)
    index = int(table["map"].iloc[0])
    drawn = table[table["map"] == str(index)]["value"].to_numpy().reshape(14, 14)
    np.testing.assert_allclose(drawn, mean[index], atol=1e-6)


def test_networks_side_by_side(home: Path) -> None:
    sources = [(name, open_explained_clips(home / name)) for name in ("learnet", "ststnet")]
    figure = network_figures(sources, ["casme2/01/EP00", "casme2/02/EP01"])["networks"]
    assert set(figure.table["network"]) == {"learnet", "ststnet"}
    assert figure.table["clip"].nunique() == 2
    assert "unknown" in figure.figure.get_suptitle()  # noise has no face
    examples = sources[0][1].examples()
    assert len(network_figures(sources, [])["networks"].figure.axes) == 5 * len(examples)


def test_studies_of_different_images_are_not_compared(home: Path, tmp_path: Path) -> None:
    other = write_prepared(tmp_path / "prepared", people=3, clips=6, seed=5)
    run_study(other, tmp_path / "other", Study(network="majority"), ONE_EPOCH, ONE_JOB)
    sources = [
        ("learnet", open_explained_clips(home / "learnet")),
        ("other", open_explained_clips(tmp_path / "other")),
    ]
    with pytest.raises(LearnetError, match="study of other images"):
        network_figures(sources, [])


def test_weights_that_cannot_be_measured_together(home: Path, tmp_path: Path) -> None:
    weights = home / "all.safetensors"
    module, metadata = load_checkpoint(weights)
    assert metadata.preparation is not None
    save_checkpoint(tmp_path / "imported.safetensors", module, replace(metadata, preparation=None))
    with pytest.raises(BadCheckpoint, match="imported"):
        measurement_figures([tmp_path / "imported.safetensors"], 1)
    preparation = replace(metadata.preparation, motion="dynamic-linear")
    save_checkpoint(tmp_path / "linear.safetensors", module, replace(metadata, preparation=preparation))
    with pytest.raises(BadCheckpoint, match="linear"):
        measurement_figures([weights, tmp_path / "linear.safetensors"], 1)
    shutil.copy(weights, tmp_path / "all.safetensors")
    with pytest.raises(LearnetError, match="the same name"):
        measurement_figures([weights, tmp_path / "all.safetensors"], 1)
    with pytest.raises(LearnetError, match="Name checkpoints"):
        measurement_figures([], 1)


def test_one_person_has_no_interval(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither in the table, nor in the figure, nor in the terminal."""
    results = []

    def recorded(*arguments: object) -> object:
        results.append(measurement_figures(*arguments))  # type: ignore[arg-type]
        return results[-1]

    monkeypatch.setattr(figures_module, "measurement_figures", recorded)
    monkeypatch.setattr(console.out, "width", 200)
    weights, out = str(home / "all.safetensors"), str(tmp_path / "out")
    command = ["explain", "measure", weights, "--out", out, "--people", "1"]
    app(command, exit_on_error=False, result_action="return_value")
    printed = capsys.readouterr().out
    assert "no interval: one person" in printed
    assert "[" not in printed
    (figures,) = results
    summary, per_clip = figures["measured"].table, figures["measured-clips"].table
    assert summary[["low", "high"]].isna().all(axis=None)
    assert figures["measured"].figure.get_supxlabel().endswith("no interval: one person")
    assert len(per_clip) == 5
    assert summary["share"].iloc[0] == pytest.approx(per_clip["share"].mean())
    assert summary["look"].iloc[0] == "all, two.accretion_1"
