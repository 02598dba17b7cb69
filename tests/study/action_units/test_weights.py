"""Weights in evaluations of action units: those that are shipped, and those that name no units."""

from pathlib import Path

import pandas as pd
import pytest

from learnet.datasets.prepared.importing import import_images
from learnet.inference.action_units import DEFAULT_WEIGHTS
from learnet.study.action_units.evaluate import evaluate_action_units
from learnet.training.pretrained import FOLDER
from tests.builders.annotated import write_annotated
from tests.builders.commands import learnet
from tests.builders.core_only import run_commands

SHIPPED = FOLDER / f"{DEFAULT_WEIGHTS}.onnx"
needs_weights = pytest.mark.skipif(not SHIPPED.is_file(), reason=f"{SHIPPED.name} is not there yet")


def test_weights_of_emotions_are_refused(tmp_path: Path) -> None:
    folder = write_annotated(tmp_path / "prepared", ["4", "12"], ["a", "b"]).folder
    words = ("evaluate", folder, tmp_path / "out", "--action-units", "--weights", "ststnet-flow-28")
    said = learnet(*words, code=2).stderr
    assert "it names the classes negative, positive, surprise, none and no action units" in said
    assert said.count("\n") == 1 and not (tmp_path / "out").exists()


@needs_weights
def test_the_shipped_weights_are_evaluated_without_pytorch(tmp_path: Path) -> None:
    commands = (
        ("simulate", tmp_path / "flow", "--images", 8, "--jobs", 1),
        ("evaluate", tmp_path / "flow", tmp_path / "out", "--action-units"),
    )
    for code, said in run_commands(*commands):
        assert code == 0, said
    assert len((tmp_path / "out" / "action_units.csv").read_text().splitlines()) == 9


@needs_weights
def test_the_shipped_weights_name_the_units_of_real_clips(shared: Path, tmp_path: Path) -> None:
    """145 clips of CASME II, of people whom the weights have not seen. Chance has 0.5 twice."""
    folder = shared / "real" / "megc2019_flow"
    annotations = pd.read_csv(folder / "action_units_casme2.csv", dtype=str)
    annotations.drop(columns="clip").to_csv(tmp_path / "labels.csv", index=False)
    import_images(folder / "images", tmp_path / "labels.csv", tmp_path / "flow", kind="flow")
    metrics = evaluate_action_units(tmp_path / "flow", None, tmp_path / "out").metrics
    assert metrics.clips == 145 and metrics.mean["auc"].value > 0.8
    assert metrics.right_side / metrics.one_sided > 0.8
