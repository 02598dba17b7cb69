"""The training loop against the same arithmetic in numpy, and on networks whose behaviour is known."""

import platform
import subprocess
import sys
from dataclasses import replace
from typing import Literal

import numpy as np
import pytest
import torch
from torch import nn

from learnet.core.errors import LearnetError
from learnet.core.settings import Training
from learnet.networks import NETWORKS, as_input
from learnet.training import schedule
from learnet.training import train as train_module
from learnet.training.examples import TrainingExamples, TrainingSet
from learnet.training.loop import fit, fit_ensemble
from learnet.training.schedule import BatchSchedule, class_weights
from learnet.training.train import (
    check_histograms_read,
    recompute_batch_norm,
    resolve_automatic,
    train,
    train_together,
)
from tests.builders.scores import predict_scores

PLAIN = Training(
    epochs=5,
    augment="none",
    mirror="none",
    detrend=False,
    label_smoothing=0.2,
    batch_size=64,
    optimiser="sgd",
    schedule="constant",
    learning_rate=0.05,
)


STEADY = """
import resource
import numpy, torch
from learnet.training.examples import TrainingSet
from learnet.training.loop import fit
from learnet.core.malloc import keep_freed_memory
from learnet.networks import NETWORKS
from learnet.core.settings import Training

torch.set_num_threads(1)
keep_freed_memory()
images = numpy.random.default_rng(0).integers(0, 256, (160, 28, 28, 3), dtype=numpy.uint8)
faults = []
data = TrainingSet(images, numpy.arange(160) % 3, ["one"] * 160, 3)
examples = data.examples(data.stored.for_training(Training(detrend=False)))
note = lambda done: faults.append(resource.getrusage(resource.RUSAGE_SELF).ru_minflt)
fit(NETWORKS["learnet"](3, 28), examples, Training(epochs=12, batch_size=16, mirror="none"), 12, note)
print(faults[-1] - faults[-5])
"""


@pytest.mark.slow
@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="other C libraries are left as they are")
def test_a_steady_training_asks_the_system_for_no_memory() -> None:
    """Count page faults in 40 steps: a few a step, but 500 to 1,600 if memory is returned each time."""
    run = subprocess.run([sys.executable, "-c", STEADY], capture_output=True, text=True, check=True)
    assert int(run.stdout) < 40 * 100


class Planes(nn.Module):
    """Softmax regression on the pixels, with initial weights of zero."""

    def __init__(self, classes: int, size: int = 4, *, seed: int = 0) -> None:
        super().__init__()
        self.planes = nn.Linear(3 * size * size, classes)
        nn.init.zeros_(self.planes.weight)
        nn.init.zeros_(self.planes.bias)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.planes(images.flatten(1))


class RightAtEpoch(nn.Module):
    """Predicts correctly (the label is in the first pixel) only after exactly three training passes."""

    def __init__(self, classes: int, size: int = 4, *, seed: int = 0) -> None:
        super().__init__()
        self.classes, self.passes = classes, 0
        self.weight = nn.Parameter(torch.zeros(1))

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        if self.training:
            self.passes += 1  # one batch an epoch in these tests
        label = ((images[:, 0, 0, 0] + 1) * 127.5).round().long()
        predicted = label if self.passes == 3 else (label + 1) % self.classes
        return nn.functional.one_hot(predicted, self.classes).float() + 0 * self.weight


def data(
    rng: np.random.Generator, count: int = 24, people: int = 6, classes: int = 3, size: int = 4
) -> TrainingSet:
    labels = np.arange(count, dtype=np.int64) % classes
    images = rng.integers(0, 256, (count, size, size, 3), dtype=np.uint8)
    images[:, 0, 0, 0] = labels
    return TrainingSet(images, labels, [f"d/{i % people}" for i in range(count)], classes)


def examples(dataset: TrainingSet, settings: Training = PLAIN) -> TrainingExamples:
    return dataset.examples(dataset.stored.for_training(settings))


def by_hand(dataset: TrainingSet, settings: Training) -> tuple[np.ndarray, np.ndarray, list[float]]:
    """Gradient descent with momentum on weighted, smoothed cross-entropy, with analytic gradients."""
    pixels = (
        (dataset.images.astype(np.float64) / 127.5 - 1).transpose(0, 3, 1, 2).reshape(len(dataset.labels), -1)
    )
    rows = np.c_[pixels, np.ones(len(pixels))]
    counts = np.bincount(dataset.labels, minlength=dataset.classes)
    weight = len(dataset.labels) / (dataset.classes * counts)
    targets = (
        np.eye(dataset.classes)[dataset.labels] * (1 - settings.label_smoothing)
        + settings.label_smoothing / dataset.classes
    ) * weight
    planes, speed, losses = np.zeros((dataset.classes, rows.shape[1])), 0.0, []
    for _ in range(settings.epochs):
        scores = rows @ planes.T
        share = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
        losses.append(float(-(targets * np.log(share)).sum() / len(rows)))
        slope = (share * targets.sum(axis=1, keepdims=True) - targets).T @ rows / len(
            rows
        ) + settings.weight_decay * planes
        speed = 0.9 * speed + slope
        planes = planes - settings.learning_rate * speed
    return planes[:, :-1], planes[:, -1], losses


def test_descent_equals_the_arithmetic_by_hand(rng: np.random.Generator) -> None:
    dataset = data(rng, count=25)  # 9, 8, 8 of the classes: the weights differ
    module = Planes(3)
    losses = fit(module, examples(dataset), PLAIN, PLAIN.epochs)
    planes, offsets, expected = by_hand(dataset, PLAIN)
    np.testing.assert_allclose(module.planes.weight.detach(), planes, atol=1e-5)
    np.testing.assert_allclose(module.planes.bias.detach(), offsets, atol=1e-5)
    np.testing.assert_allclose(losses, expected, rtol=1e-5)


def test_a_training_that_diverges_is_refused(rng: np.random.Generator) -> None:
    """Its weights would be no numbers, and so would the scores of every image."""
    images = examples(data(rng, count=8, people=4, classes=2, size=28))
    training = replace(PLAIN, epochs=3, learning_rate=1e30)
    with pytest.raises(LearnetError, match="diverged: the loss of epoch . is .*Lower the learning rate"):
        fit(NETWORKS["mlp"](2, 28), images, training, epochs=3)


def test_class_weights_by_hand() -> None:
    """Six clips: 3 of class 0, 1 of class 1, 2 of class 3, none of class 2. N / (3 classes * count)."""
    np.testing.assert_allclose(
        class_weights(np.array([0, 0, 0, 1, 3, 3]), 4), [6 / 9, 6 / 3, 0, 6 / 6], rtol=1e-6
    )


def test_inner_groups_find_the_epoch_that_is_best_on_people_left_out(
    rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(train_module, "NETWORKS", {"right-at-three": RightAtEpoch})
    trained = train("right-at-three", data(rng), replace(PLAIN, epochs=6, inner_groups=3))
    assert trained.epochs == 3
    assert trained.module.passes == 3
    assert len(trained.losses) == 3


def test_inner_choice_is_along_the_same_schedule(
    rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An early stop does not shorten the cosine schedule, because the epochs were chosen on the long one."""
    dataset, settings = examples(data(rng)), replace(PLAIN, epochs=6, schedule="cosine")
    long, short = Planes(3), Planes(3)
    rates: list[float] = []
    monkeypatch.setattr(
        schedule,
        "learning_rate_factor",
        lambda epoch, training: rates.append((epoch, training.epochs)) or 1.0,
    )
    fit(short, dataset, settings, 2)
    assert {epochs for _, epochs in rates} == {6}
    fit(long, dataset, settings, 6)
    assert not torch.equal(short.planes.weight, long.planes.weight)


def test_same_seed_same_network_and_the_global_generator_is_left_alone(rng: np.random.Generator) -> None:
    dataset = TrainingSet(
        rng.integers(0, 256, (12, 28, 28, 3), dtype=np.uint8),
        np.arange(12) % 3,
        [f"d/{i}" for i in range(12)],
        3,
    )
    settings = Training(epochs=2, mirror="image", detrend=False, mixup=0.4, batch_size=4)
    torch.manual_seed(7)
    before = torch.random.get_rng_state()
    first = train("learnet", dataset, settings).module.state_dict()
    assert torch.equal(before, torch.random.get_rng_state())
    torch.rand(5)
    again = train("learnet", dataset, settings).module.state_dict()
    other = train("learnet", dataset, replace(settings, seed=1)).module.state_dict()
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert any(not torch.equal(first[name], other[name]) for name in first)


def test_learnet_learns_what_can_be_learned(rng: np.random.Generator) -> None:
    """Three classes that differ in which third of the image is bright."""
    labels = np.arange(48, dtype=np.int64) % 3
    images = rng.integers(100, 156, (48, 28, 28, 3), dtype=np.uint8)
    for image, label in zip(images, labels, strict=True):
        image[9 * label : 9 * label + 9] += 60
    dataset = TrainingSet(images, labels, ["d/1"] * 48, 3)
    settings = Training(epochs=15, mirror="image", detrend=False, batch_size=8)
    module = train("learnet", dataset.take(range(24)), settings).module
    assert (predict_scores(module, images[24:]).argmax(axis=1) == labels[24:]).mean() > 0.9


def test_scores_are_probabilities_and_the_mirror_is_averaged(rng: np.random.Generator) -> None:
    module = Planes(3)
    nn.init.normal_(module.planes.weight, generator=torch.Generator().manual_seed(0))
    images = rng.integers(0, 256, (70, 4, 4, 3), dtype=np.uint8)  # more than one batch
    scores = predict_scores(module, images)
    np.testing.assert_allclose(scores.sum(axis=1), 1)
    both = (scores + predict_scores(module, np.ascontiguousarray(images[:, :, ::-1]))) / 2
    np.testing.assert_allclose(predict_scores(module, images, "image"), both, atol=1e-6)
    negated = np.ascontiguousarray(images[:, :, ::-1])
    negated[..., 0] = 255 - negated[..., 0]
    np.testing.assert_allclose(
        predict_scores(module, images, "flow"), (scores + predict_scores(module, negated)) / 2, atol=1e-6
    )


def test_mirror_is_resolved_by_what_the_images_are() -> None:
    assert resolve_automatic(Training(), "image", "learnet").mirror == "image"
    assert resolve_automatic(Training(), "flow", "learnet-paper").mirror == "flow"
    assert resolve_automatic(Training(), "unknown", "learnet").mirror == "none"
    assert resolve_automatic(Training(mirror="flow"), "image", "learnet").mirror == "flow"
    assert resolve_automatic(Training(), "flow", "linear-svm").mirror == "flow"
    assert resolve_automatic(Training(), "flow", "majority").mirror == "none"  # it ignores the image
    for network in ("linear-svm", "lbp-top"):  # a mirrored picture of histograms is no face's
        assert resolve_automatic(Training(), "histograms", network).mirror == "none"
        with pytest.raises(LearnetError, match="mirror image: these images are histograms"):
            resolve_automatic(Training(mirror="image"), "histograms", network)


@pytest.mark.parametrize("network", ["linear-svm", "rbf-svm", "lda", "logistic"])
@pytest.mark.parametrize("kind", ["image", "flow"])
def test_a_network_without_epochs_is_fitted_to_mirrored_images_too(
    rng: np.random.Generator, network: str, kind: Literal["image", "flow"]
) -> None:
    dataset = data(rng, count=24)
    mirrored = np.ascontiguousarray(dataset.images[:, :, ::-1])
    if kind == "flow":
        mirrored[..., 0] = 255 - mirrored[..., 0]
    expected = NETWORKS[network](dataset.classes, dataset.images.shape[1])
    both = np.concatenate([dataset.images, mirrored])
    expected.fit(as_input(both), torch.from_numpy(np.tile(dataset.labels, 2)))
    found = train(network, dataset, Training(mirror=kind, detrend=False)).module
    alone = train(network, dataset, Training(mirror="none", detrend=False)).module
    inputs = as_input(dataset.images)
    torch.testing.assert_close(found(inputs), expected(inputs), atol=1e-4, rtol=1e-4)
    assert not torch.allclose(found(inputs), alone(inputs), atol=1e-3)


def test_settings_of_the_fit_reach_the_network(rng: np.random.Generator) -> None:
    dataset = data(rng, count=24)
    inputs = as_input(dataset.images)
    for network, settings in (
        ("linear-svm", {"regularisation_c": 1e-6}),
        ("rbf-svm", {"regularisation_c": 0.01}),
        ("rbf-svm", {"rbf_gamma": 3.0}),
        ("lda", {"pca_components": 2}),
        ("logistic", {"regularisation_c": 10.0}),
        ("lbp-top", {"regularisation_c": 1e-6}),
        ("lbp-fip", {"regularisation_c": 1e-6}),
        ("bi-woof", {"regularisation_c": 1e-6}),
    ):
        found = train(network, dataset, Training(mirror="none", detrend=False, **settings)).module
        usual = train(network, dataset, Training(mirror="none", detrend=False)).module
        assert not torch.allclose(found(inputs), usual(inputs), atol=1e-3), (network, settings)


def test_histograms_and_their_network_go_together() -> None:
    for network in ("lbp-top", "linear-svm", "majority"):
        assert resolve_automatic(Training(), "histograms", network).mirror == "none"
    for network in ("learnet", "learnet-paper", "resnet18", "ststnet"):
        with pytest.raises(
            LearnetError, match=f"{network} expects images of a face. Choose the network that has the name"
        ):
            resolve_automatic(Training(), "histograms", network)
    for kind in ("image", "flow", "unknown"):
        with pytest.raises(
            LearnetError,
            match="lbp-top accepts histograms.*--motion lbp-top",
        ):
            resolve_automatic(Training(), kind, "lbp-top")
    assert Training(mirror="flow").mirror_when_tested == "flow"
    assert Training(mirror="flow", mirror_at_test=False).mirror_when_tested == "none"
    assert Training().mirror_when_tested == "none"


def test_batch_statistics_are_those_of_the_training_images(rng: np.random.Generator) -> None:
    """The first normalisation layer has the mean and variance of its input, computed in numpy."""
    dataset = data(rng, count=24)
    module = nn.Sequential(nn.BatchNorm2d(3, momentum=0.01), nn.Flatten(), nn.Linear(48, 3))
    module(torch.rand(8, 3, 4, 4))  # running averages that are far off
    recompute_batch_norm(module, examples(dataset), replace(PLAIN, batch_size=24))
    pixels = dataset.images.astype(np.float64) / 127.5 - 1
    np.testing.assert_allclose(module[0].running_mean, pixels.mean(axis=(0, 1, 2)), atol=1e-5)
    np.testing.assert_allclose(module[0].running_var, pixels.reshape(-1, 3).var(axis=0, ddof=1), rtol=1e-4)
    assert module[0].momentum == 0.01


def test_training_ends_with_settled_statistics(rng: np.random.Generator) -> None:
    """After two steps only, with the authors' momentum, the running variance would still be near 1."""
    dataset = TrainingSet(
        rng.integers(0, 256, (12, 28, 28, 3), dtype=np.uint8),
        np.arange(12) % 3,
        [f"d/{i}" for i in range(12)],
        3,
    )
    settings = Training(epochs=2, mirror="none", detrend=False, batch_size=12)
    module = train("learnet", dataset, settings).module
    before = {name: value.clone() for name, value in module.state_dict().items() if "running" in name}
    recompute_batch_norm(module, examples(dataset), Training(batch_size=12))
    assert all(torch.allclose(before[name], module.state_dict()[name], atol=1e-6) for name in before)


@pytest.mark.parametrize(
    ("network", "rate", "near"),
    [
        ("learnet", 1e-3, 1e-3),
        ("learnet-paper", 1e-3, 1e-3),
        ("learnet-lrn", 1e-3, 1e-3),
        ("learnet-gap", 1e-3, 1e-3),
        ("ststnet", 1e-3, 1e-3),
        ("off-apexnet", 1e-3, 1e-3),
        ("rcn-a", 1e-3, 1e-3),
        ("originet", 1e-3, 1e-3),
        pytest.param("bdcnn", 1e-3, 1e-3, marks=pytest.mark.slow),
        pytest.param("dual-inception", 1e-3, 1e-3, marks=pytest.mark.slow),
        pytest.param("resnet18", 1e-5, 0.05, marks=pytest.mark.slow),
    ],
)
def test_networks_side_by_side_are_each_as_if_alone(
    network: str, rate: float, near: float, rng: np.random.Generator
) -> None:
    """Compare the change of every parameter in three epochs, for three networks with different sets.

    The rounding of floats differs. Where it changes the sign before a ReLU or the maximum of a pool, the
    difference grows with the learning rate.
    """
    sets = []
    for count in (21, 17, 26):  # with batches of 8: 3, 3 and 4 steps an epoch
        images = rng.integers(0, 256, (count, 28, 28, 3), dtype=np.uint8)
        sets.append(TrainingSet(images, np.arange(count) % 3, [f"d/{i % 5}" for i in range(count)], 3))
    settings = Training(
        epochs=3,
        batch_size=8,
        mirror="image",
        detrend=False,
        mixup=0.3,
        optimiser="sgd",
        learning_rate=rate,
        weight_decay=0.0,
    )
    trainings = [replace(settings, seed=seed) for seed in (0, 5, 6)]
    together = train_together(network, sets, trainings)
    for dataset, training, beside in zip(sets, trainings, together, strict=True):
        alone = train(network, dataset, training)
        np.testing.assert_allclose(beside.losses, alone.losses, rtol=1e-4)
        start = NETWORKS[network](3, 28, seed=training.seed).state_dict()
        state = beside.module.state_dict()
        for name, expected in alone.module.state_dict().items():
            went = (expected - start[name]).float()
            difference = float((state[name] - expected).float().norm())
            assert difference <= near * float(went.norm()) + 1e-6, (
                f"{name}: {difference} of {float(went.norm())}"
            )
    first, second = (made.module.state_dict() for made in together[:2])
    assert any((first[name] != second[name]).any() for name in first)


def test_adamw_side_by_side_keeps_each_network_s_own_state(rng: np.random.Generator) -> None:
    """Softmax regression does not amplify rounding; here with AdamW, and with different numbers of steps."""
    sets = [examples(data(rng, count)) for count in (24, 18, 31)]
    modules, alone = [Planes(3) for _ in sets], [Planes(3) for _ in sets]
    trainings = [
        Training(epochs=6, batch_size=8, mirror="none", augment="none", seed=seed) for seed in range(3)
    ]
    losses = fit_ensemble(modules, sets, trainings, [6, 4, 6])
    for one, dataset, training, epochs, beside, loss in zip(
        alone, sets, trainings, [6, 4, 6], modules, losses, strict=True
    ):
        np.testing.assert_allclose(loss, fit(one, dataset, training, epochs), rtol=1e-5)
        np.testing.assert_allclose(beside.planes.weight.detach(), one.planes.weight.detach(), atol=1e-5)


def test_every_image_is_seen_in_every_epoch_and_batches_are_of_one_size(rng: np.random.Generator) -> None:
    dataset = examples(data(rng, count=21))
    batch_schedule = BatchSchedule(dataset, Training(batch_size=8), 2)
    for _ in range(2):
        positions = [batch_schedule.next_batch()[0] for _ in range(batch_schedule.steps_per_epoch)]
        assert [len(batch) for batch in positions] == [8, 8, 8]
        assert set(torch.cat(positions).tolist()) == set(range(21))
    assert batch_schedule.finished


def test_too_few_images_is_said(rng: np.random.Generator) -> None:
    with pytest.raises(LearnetError, match="too few"):
        train("learnet", data(rng).take([0]), Training())


def test_a_network_of_histograms_reads_no_others() -> None:
    for network in ("lbp-top", "lbp-fip", "bi-woof"):
        check_histograms_read(network, network)
        check_histograms_read("linear-svm", network)
    for network, motion in (("lbp-top", "bi-woof"), ("bi-woof", "lbp-fip"), ("lbp-fip", "lbp-top")):
        with pytest.raises(
            LearnetError, match=f"{network} reads .* these are of {motion}. Choose .*{motion}"
        ):
            check_histograms_read(network, motion)
