"""Studies with initial weights: for which classes they are used, and never from people who are tested."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load

from learnet.core.errors import BadCheckpoint, LearnetError, OutputTaken
from learnet.core.seeds import purpose_seed
from learnet.core.settings import Resources, Study, Training
from learnet.networks import NETWORKS
from learnet.study.labelled import LabelledDataset, load_labelled_dataset
from learnet.study.run import run_study
from learnet.training.checkpoint import save_checkpoint
from learnet.training.initial_weights import load_initial_weights
from learnet.training.metadata import CheckpointMetadata
from learnet.training.train import recompute_batch_norm, train, train_together
from tests.study.test_run import QUICK, write_prepared

STILL = replace(
    QUICK, epochs=1, learning_rate=1e-30, mirror="none", detrend=False
)  # nothing can be learned: what comes out is what went in
METADATA = CheckpointMetadata(
    network="learnet",
    classes=("surprise", "none", "disgust", "happiness", "sadness"),
    size=28,
    preparation=None,
    training=None,
    data={"images_kind": "image", "synthetic": "yes", "people": "simulated/1\nsimulated/2"},
    versions={},
)


@pytest.fixture
def data(tmp_path: Path, rng: np.random.Generator) -> LabelledDataset:
    return load_labelled_dataset(write_prepared(tmp_path / "prepared", rng, dataset="own"), "auto")


def write_initial(tmp_path: Path, metadata: CheckpointMetadata = METADATA) -> Path:
    save_checkpoint(
        tmp_path / "w.safetensors",
        NETWORKS[metadata.network](len(metadata.classes), metadata.size, seed=9),
        metadata,
    )
    return tmp_path / "w.safetensors"


def initial_tensors(weights: Path, data: LabelledDataset, network: str = "learnet") -> bytes:
    return load_initial_weights(
        str(weights), network, data.prepared, data.scheme.classes, data.people
    ).tensors


def test_everything_is_taken_and_each_class_brings_its_own_weights(
    tmp_path: Path, data: LabelledDataset
) -> None:
    assert data.scheme.classes == ("disgust", "happiness", "sadness", "surprise")
    other = NETWORKS["learnet"](5, 28, seed=9).state_dict()
    trained = train(
        "learnet",
        data.training_set(range(len(data.rows))),
        STILL,
        initial_weights=initial_tensors(write_initial(tmp_path), data),
    ).module
    own = dict(trained.named_parameters())
    for index, name in enumerate(data.scheme.classes):
        assert torch.equal(
            own["classify.weight"][index], other["classify.weight"][METADATA.classes.index(name)]
        )
    assert all(
        torch.allclose(own[name], other[name], rtol=0, atol=1e-20)
        for name in own
        if not name.startswith("classify")
    )


def test_an_unknown_class_makes_the_class_layer_new(tmp_path: Path, data: LabelledDataset) -> None:
    start = initial_tensors(
        write_initial(tmp_path, replace(METADATA, classes=("surprise", "none", "disgust", "happiness"))), data
    )
    fresh = NETWORKS["learnet"](4, 28, seed=purpose_seed(STILL.seed, "weights"))
    other = NETWORKS["learnet"](4, 28, seed=9)
    trained = train("learnet", data.training_set(range(len(data.rows))), STILL, initial_weights=start).module
    assert torch.equal(trained.classify.weight, fresh.classify.weight) and torch.equal(
        trained.stem.weight, other.stem.weight
    )
    assert not any(name.startswith("classify") for name in load(start))


@pytest.mark.parametrize("known", [True, False])
def test_what_is_kept_of_the_start_is_a_share_of_each_weight(
    tmp_path: Path, data: LabelledDataset, known: bool
) -> None:
    """Weights are a quarter initial, three quarters trained; batch statistics are those of these weights."""
    metadata = METADATA if known else replace(METADATA, classes=("surprise", "none", "disgust", "happiness"))
    start, training_set = (
        initial_tensors(write_initial(tmp_path, metadata), data),
        data.training_set(range(len(data.rows))),
    )
    training = replace(
        QUICK, init="w.safetensors", optimiser="sgd", learning_rate=0.01, mirror="none", detrend=False
    )
    initial, trained = load(start), train("learnet", training_set, training, initial_weights=start).module
    seeds = [training, replace(training, seed=5)]
    interpolated = train_together(
        "learnet",
        [training_set] * 2,
        [replace(own, interpolate_init=0.25) for own in seeds],
        initial_weights=start,
    )[0].module
    moved = 0.0
    for (name, trained_value), interpolated_value in zip(
        trained.named_parameters(), interpolated.parameters(), strict=True
    ):
        expected = 0.25 * initial[name] + 0.75 * trained_value if name in initial else trained_value
        torch.testing.assert_close(interpolated_value, expected, rtol=1e-3, atol=1e-5)
        moved = max(moved, float((interpolated_value - trained_value).detach().abs().max()))
    assert moved > 1e-3 and ("classify.weight" in initial) == known
    trained.load_state_dict(interpolated.state_dict())
    recompute_batch_norm(trained, training_set.examples(training_set.stored.for_training(training)), training)
    for name, numbers in interpolated.named_buffers():
        torch.testing.assert_close(numbers, dict(trained.named_buffers())[name], msg=name)


def test_to_keep_a_share_of_no_start_or_of_a_tested_epoch_is_refused(
    tmp_path: Path, data: LabelledDataset
) -> None:
    with pytest.raises(LearnetError, match="init .--init"):
        Training(interpolate_init=0.3)
    with pytest.raises(LearnetError, match="from 0 to below 1, not 1"):
        Training(interpolate_init=1.0, init="w")
    with pytest.raises(LearnetError, match="inner_groups.*leave one of them out"):
        Training(interpolate_init=0.3, init="w", inner_groups=3)
    training = replace(QUICK, init=str(write_initial(tmp_path)), interpolate_init=0.5)
    with pytest.raises(LearnetError, match="Leave interpolate_init out"):
        run_study(
            tmp_path / "prepared",
            tmp_path / "study",
            Study(protocol="leaky-epoch"),
            training,
            Resources(jobs=1),
        )


def test_a_study_says_where_it_started_and_another_start_is_another_study(
    tmp_path: Path, data: LabelledDataset
) -> None:
    training = replace(QUICK, init=str(write_initial(tmp_path)))
    run_study(
        tmp_path / "prepared",
        tmp_path / "study",
        Study(protocol="groups", groups=2),
        training,
        Resources(jobs=1),
    )
    record = json.loads((tmp_path / "study" / "study.json").read_text())
    assert record["start"]["class layer"] == "taken" and record["start"]["file"] == "w.safetensors"
    assert (
        "people" not in record["start"]["learned from"]
        and record["start"]["learned from"]["synthetic"] == "yes"
    )
    run_study(
        tmp_path / "prepared",
        tmp_path / "random",
        Study(protocol="groups", groups=2),
        QUICK,
        Resources(jobs=1),
    )
    assert (tmp_path / "study" / "outcomes.csv").read_text() != (
        tmp_path / "random" / "outcomes.csv"
    ).read_text()
    write_initial(tmp_path, replace(METADATA, data={**METADATA.data, "note": "another"}))
    with pytest.raises(OutputTaken, match="start"):
        run_study(
            tmp_path / "prepared",
            tmp_path / "study",
            Study(protocol="groups", groups=2),
            training,
            Resources(jobs=1),
        )


def test_a_study_starts_from_weights_that_come_with_learnet_by_their_name(
    tmp_path: Path, rng: np.random.Generator
) -> None:
    flow = load_labelled_dataset(write_prepared(tmp_path / "flow", rng, dataset="own", kind="flow"), "auto")
    by_name, by_fit = (
        load_initial_weights(training, "learnet", flow.prepared, flow.scheme.classes, ())
        for training in ("learnet-flow-28", "pretrained")
    )
    assert by_name.tensors == by_fit.tensors
    assert replace(by_name.record, weights="pretrained") == by_fit.record


def test_weights_that_have_seen_a_person_of_the_study_are_refused(
    tmp_path: Path, data: LabelledDataset
) -> None:
    """The prepared folder is synthetic, so only synthetic people can be the same people."""
    seen = {**METADATA.data, "people": "own/02\nown/77"}
    with pytest.raises(BadCheckpoint, match=r"1 of the people who would be tested \(own/02\)"):
        initial_tensors(write_initial(tmp_path, replace(METADATA, data=seen)), data)
    assert initial_tensors(
        write_initial(tmp_path, replace(METADATA, data={**seen, "synthetic": "no"})), data
    )  # somebody real who is called the same


@pytest.mark.parametrize(("changed", "message"), [
    ({"size": 32}, "accepts images of 32 pixels"),
    ({"network": "ststnet"}, "the network 'ststnet', not 'learnet'"),
    ({"data": {"images_kind": "flow"}}, "trained on flow images, and these are imported images"),
])  # fmt: skip
def test_weights_that_do_not_fit(tmp_path: Path, data: LabelledDataset, changed: dict, message: str) -> None:
    with pytest.raises(BadCheckpoint, match=message):
        initial_tensors(write_initial(tmp_path, replace(METADATA, **changed)), data)


def test_what_cannot_start_from_weights(data: LabelledDataset) -> None:
    with pytest.raises(LearnetError, match="linear-svm is a closed-form estimator"):
        load_initial_weights("pretrained", "linear-svm", data.prepared, data.scheme.classes, data.people)
    with pytest.raises(LearnetError, match="no shipped weights for resnet18 on dynamic images of 28 pixels"):
        load_initial_weights("pretrained", "resnet18", data.prepared, data.scheme.classes, data.people)
