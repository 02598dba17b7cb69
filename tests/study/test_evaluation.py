"""Evaluations of given weights: whom the weights have seen in training, and the batches of images."""

import errno
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from learnet.core.errors import BadCheckpoint
from learnet.core.settings import Study, Training
from learnet.datasets.prepared.record import PrepareRecord
from learnet.datasets.synthetic.flow_images import simulate_flow
from learnet.study.action_units.evaluate import evaluate_action_units
from learnet.study.action_units.train import train_action_units
from learnet.study.description import read_description
from learnet.study.evaluate import evaluate
from learnet.study.evaluation import batches, seen_in_training
from learnet.study.train_on_all import train_on_all
from learnet.training.metadata import CheckpointMetadata
from learnet.training.scorer import Scorer
from tests.builders.annotated import reading_recogniser

QUICK = Training(epochs=1)
ALL = "test people were also trained on (24 of 24)"


@pytest.fixture(scope="module")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Three folders of 24 simulated images, of other people each."""
    place = tmp_path_factory.mktemp("simulated")
    folders = [place / f"seed-{seed}" for seed in range(3)]
    for seed, folder in enumerate(folders):
        simulate_flow(folder, 24, ("negative", "positive"), seed=seed, jobs=1)
    return folders


def test_classes_of_simulated_images_that_were_trained_on_leak(simulated: list[Path], tmp_path: Path) -> None:
    """Trained on the first two folders; nobody is named in the weights."""
    weights = tmp_path / "classes.safetensors"
    study = Study(network="majority", classes="megc-3")
    train_on_all(simulated[:2], study, QUICK).save(weights)
    leaks = []
    for number, folder in enumerate(simulated):
        evaluate(folder, weights, tmp_path / f"out-{number}", "megc-3")
        leaks.append(read_description(tmp_path / f"out-{number}").leak)
    assert leaks == [ALL, ALL, ""]


def test_units_of_simulated_images_that_were_trained_on_leak(simulated: list[Path], tmp_path: Path) -> None:
    weights = tmp_path / "units.safetensors"
    train_action_units(simulated[0], "mlp", QUICK).save(weights)
    descriptions = []
    for number, folder in enumerate(simulated[:2]):
        result = evaluate_action_units(folder, weights, tmp_path / f"out-{number}")
        descriptions.append((result.description.protocol, result.description.leak))
    assert descriptions == [("leaky-evaluation", ALL), ("evaluation", "")]


@pytest.mark.parametrize(
    ("trained_on", "tested_on", "seen"),
    [
        ("no", False, ["casme2/02"]),
        ("yes", True, ["casme2/02"]),
        ("partly", False, ["casme2/02"]),
        ("yes", False, []),  # a synthetic person is nobody real, whatever the name
        ("no", True, []),
    ],
)
def test_people_of_the_training_are_known_by_name(trained_on: str, tested_on: bool, seen: list[str]) -> None:
    metadata: CheckpointMetadata = replace(
        reading_recogniser().metadata, data={"synthetic": trained_on, "people": "casme2/02\nsamm/01"}
    )
    record = PrepareRecord(preparation=None, images_kind="flow", synthetic=tested_on, fingerprint="")
    assert seen_in_training(metadata, record, ["casme2/01", "casme2/02", "casme2/02"]) == seen


def test_batches_are_all_images_once_and_tell_the_progress() -> None:
    told: list[tuple[int, int]] = []
    parts = list(batches(130, lambda done, total: told.append((done, total))))
    assert [number for part in parts for number in part] == list(range(130))
    assert told == [(64, 130), (128, 130), (130, 130)]
    assert not list(batches(0, None))


def test_an_evaluation_that_fails_leaves_nothing(
    simulated: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Scores that are not finite, or a full disk before the last file: the same command works then."""
    weights, out = tmp_path / "classes.safetensors", tmp_path / "out"
    train_on_all(simulated[0], Study(network="majority", classes="megc-3"), QUICK).save(weights)
    with monkeypatch.context() as patch:
        patch.setattr(Scorer, "scores", lambda self, images: np.full((len(images.pixels), 3), np.nan))
        with pytest.raises(BadCheckpoint, match="not finite"):
            evaluate(simulated[1], weights, out, "megc-3")

    def full(*arguments: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    for step in ("write_description", "write_run", "close_study"):
        with monkeypatch.context() as patch:
            patch.setattr(f"learnet.study.evaluate.{step}", full)
            with pytest.raises(OSError, match="No space"):
                evaluate(simulated[1], weights, out, "megc-3")
    assert [path.name for path in tmp_path.iterdir()] == ["classes.safetensors"]
    evaluate(simulated[1], weights, out, "megc-3")
    assert (out / "metrics.json").is_file()
