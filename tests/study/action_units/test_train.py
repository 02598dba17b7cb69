"""Training of a network of action units on a prepared folder, and what cannot be trained."""

from pathlib import Path

import numpy as np
import pytest

from learnet.cli.app import app
from learnet.core.errors import BadInput, LearnetError
from learnet.core.settings import Training
from learnet.datasets.synthetic.dynamic_images import simulate_dynamic
from learnet.datasets.synthetic.flow_images import simulate_flow
from learnet.inference.action_units import ActionUnitRecogniser
from learnet.motion.detrend import StoredImages
from learnet.study.action_units.train import train_action_units
from learnet.training.checkpoint import load_checkpoint
from learnet.training.scorer import Scorer

SETTINGS = Training(epochs=2, batch_size=32, detrend=True, views_at_test="many")


@pytest.fixture(scope="module")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("units") / "simulated"
    simulate_flow(folder, 120, ("any", "none"), variation="wide", jobs=1)
    return folder


def test_the_weights_carry_units_and_thresholds(simulated: Path, tmp_path: Path) -> None:
    trained = train_action_units(simulated, "mlp", SETTINGS)
    assert trained.images == 108  # every tenth person is kept for the thresholds
    file = tmp_path / "units.safetensors"
    trained.save(file, half=True)
    recogniser = ActionUnitRecogniser.load(file)
    metadata = recogniser.metadata
    assert {1, 4, 12, 17} <= set(recogniser.units)
    assert metadata.classes == tuple(f"AU{unit}" for unit in recogniser.units)
    assert metadata.simulated and metadata.views == "many" and metadata.mirror == "flow"
    assert all(0.3 <= threshold <= 0.9 for threshold in recogniser.thresholds.values())


def test_scores_are_those_of_the_module(simulated: Path, tmp_path: Path) -> None:
    """The unit scores of one view are the logistic function of the first third of the outputs."""
    settings = Training(epochs=2, batch_size=32, mirror_at_test=False, detrend=False)
    trained = train_action_units(simulated, "mlp", settings)
    trained.save(tmp_path / "units.safetensors")
    recogniser = ActionUnitRecogniser.load(tmp_path / "units.safetensors")
    module, _ = load_checkpoint(tmp_path / "units.safetensors")
    images = np.random.default_rng(0).integers(0, 256, (5, 28, 28, 3), dtype=np.uint8)
    mirrored = images[:, :, ::-1].copy()
    mirrored[..., 0] = 255 - mirrored[..., 0]
    logits = [Scorer.from_module(module).logits(StoredImages(part)) for part in (images, mirrored)]
    units = len(recogniser.units)
    expected = np.mean([1 / (1 + np.exp(-part[:, :units].astype(float))) for part in logits], axis=0)
    np.testing.assert_allclose(recogniser.scores(StoredImages(images)).present, expected, atol=1e-6)


def test_the_command_writes_weights_that_evaluate_reads(
    simulated: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    weights = tmp_path / "units.safetensors"
    options = ["--network", "mlp", "--target", "action-units", "--epochs", "1", "--detrend"]
    app(["train", str(simulated), str(weights), *options], exit_on_error=False, result_action="return_value")
    assert "for the action units 1, 2, 4" in " ".join(capsys.readouterr().out.split())
    command = ["evaluate", str(simulated), str(tmp_path / "out"), "--action-units", "--weights", str(weights)]
    app(command, exit_on_error=False, result_action="return_value")
    assert (tmp_path / "out" / "action_units.csv").is_file()


def test_what_cannot_be_trained(simulated: Path, tmp_path: Path) -> None:
    simulate_dynamic(tmp_path / "dynamic", 8, jobs=1)
    with pytest.raises(LearnetError, match="from flow images, and these are none"):
        train_action_units(tmp_path / "dynamic", "mlp", Training())
    simulate_flow(tmp_path / "rest", 8, ("none",), jobs=1)
    with pytest.raises(BadInput, match="action_units of clips.csv is empty"):
        train_action_units(tmp_path / "rest", "mlp", Training())
    with pytest.raises(LearnetError, match="cannot be trained on action units"):
        train_action_units(simulated, "linear-svm", Training())


@pytest.mark.parametrize(
    ("options", "named"),
    [
        (["--mixup", "0.4"], "--mixup has"),
        (["--label-smoothing", "0", "--init", "pretrained"], "--label-smoothing, --init have"),
        (["--classes", "megc-3"], "--classes has"),
    ],
)
def test_options_without_effect_are_refused(
    simulated: Path, tmp_path: Path, options: list[str], named: str
) -> None:
    command = ["train", str(simulated), str(tmp_path / "w.safetensors"), "--target", "action-units", *options]
    with pytest.raises(LearnetError, match=f"{named} no effect on --target action-units"):
        app(command, exit_on_error=False, result_action="return_value")
