"""Training on a GPU against the same training on the CPU, or network by network. Skipped without a GPU."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from learnet.core.errors import LearnetError
from learnet.core.settings import Training
from learnet.networks import NETWORKS
from learnet.training import schedule, steppers
from learnet.training.examples import TrainingExamples, TrainingSet
from learnet.training.loop import fit, fit_ensemble
from learnet.training.train import train, train_leaky, train_together
from tests.builders.scores import predict_scores

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")

SHORT = Training(epochs=4, batch_size=8, mirror="image", mixup=0.3, optimiser="sgd", learning_rate=1e-3)


def data(rng: np.random.Generator, count: int = 24, size: int = 28) -> TrainingSet:
    """Return three classes that differ in the position of a bright band, of six people."""
    labels = np.arange(count) % 3
    images = rng.integers(40, 160, (count, size, size, 3), dtype=np.uint8)
    for image, label in zip(images, labels, strict=True):
        image[size // 3 * label : size // 3 * (label + 1)] += 90
    return TrainingSet(images, labels, [str(index % 6) for index in range(count)], 3)


def examples(dataset: TrainingSet) -> TrainingExamples:
    return dataset.examples(dataset.stored.for_training(SHORT))


@pytest.fixture
def in_double(monkeypatch: pytest.MonkeyPatch) -> None:
    """Train in double precision, where equal computations give equal numbers; floats differ by rounding."""
    loss = F.cross_entropy
    monkeypatch.setattr(schedule, "as_input", lambda pixels: pixels.permute(0, 3, 1, 2).double() / 127.5 - 1)
    monkeypatch.setattr(
        steppers.F,
        "cross_entropy",
        lambda x, targets, weights, **rest: loss(x, targets.double(), weights.double(), **rest),
    )


def weights_of(module: nn.Module) -> np.ndarray:
    return torch.cat([values.detach().flatten() for values in module.parameters()]).cpu().numpy()


@pytest.mark.parametrize("optimiser", ["sgd", "adamw"])
@pytest.mark.parametrize("network", ["learnet", "ststnet", "resnet18"])
def test_a_recorded_step_is_the_step_itself(
    network: str, optimiser: str, rng: np.random.Generator, in_double: None
) -> None:
    """Ten networks on eight streams, one of which ends early, against each of them alone: every parameter."""
    sets, epochs = [examples(data(rng, 18 + index)) for index in range(10)], [4, 2] + 8 * [4]
    trainings = [replace(SHORT, augment="none", optimiser=optimiser, seed=seed) for seed in range(10)]
    modules, alone = (
        [NETWORKS[network](3, 28, seed=training.seed).double().cuda() for training in trainings]
        for _ in range(2)
    )
    losses = fit_ensemble(modules, sets, trainings, epochs)
    for single, dataset, training, passes, beside, loss in zip(
        alone, sets, trainings, epochs, modules, losses, strict=True
    ):
        np.testing.assert_allclose(loss, fit(single, dataset, training, passes), rtol=1e-7)
        np.testing.assert_allclose(weights_of(beside), weights_of(single), rtol=0, atol=1e-7)
        began = weights_of(NETWORKS[network](3, 28, seed=training.seed))
        assert (
            np.abs(weights_of(beside) - began).max() > 1e-3
        )  # or nothing would have been learned that could differ


@pytest.mark.parametrize(
    "network", ["learnet", "resnet18"]
)  # others have dropout, whose masks are drawn on the device
def test_the_gpu_learns_what_the_cpu_learns(network: str, rng: np.random.Generator, in_double: None) -> None:
    dataset, training = examples(data(rng, 48)), replace(SHORT, augment="none")
    on_cpu, on_gpu = NETWORKS[network](3, 28).double(), NETWORKS[network](3, 28).double().cuda()
    np.testing.assert_allclose(
        fit(on_gpu, dataset, training, 4), fit(on_cpu, dataset, training, 4), rtol=1e-7
    )
    np.testing.assert_allclose(weights_of(on_gpu), weights_of(on_cpu), rtol=0, atol=1e-7)


@pytest.mark.parametrize("network", ["learnet", "learnet-paper", "ststnet", "majority", "linear-svm"])
def test_a_network_answers_where_it_is(network: str, rng: np.random.Generator) -> None:
    dataset = data(rng)
    module = NETWORKS[network](3, 28).eval()
    on_cpu = predict_scores(module, dataset.images, "image")
    np.testing.assert_allclose(predict_scores(module.cuda(), dataset.images, "image"), on_cpu, atol=1e-3)


def test_epochs_are_chosen_and_leak_on_a_gpu_as_on_the_cpu(rng: np.random.Generator) -> None:
    dataset, training = data(rng, 48), replace(SHORT, optimiser="adamw", inner_groups=2)
    trained = [train("learnet", dataset, training, device=device) for device in ("cpu", "cuda")]
    assert all(1 <= network_trained.epochs <= 4 for network_trained in trained)
    np.testing.assert_allclose(trained[1].losses[:1], trained[0].losses[:1], rtol=0.02)
    leaky = train_leaky("learnet", dataset, data(rng, 12), replace(training, inner_groups=0), "cuda")
    assert next(leaky.module.parameters()).device.type == "cpu"
    assert predict_scores(leaky.module, dataset.images).argmax(axis=1).shape == (48,)


def reserved_by(count: int, dataset: TrainingSet) -> int:
    """Return the bytes reserved on the GPU for a number of networks side by side."""
    torch.cuda.empty_cache()
    torch.cuda.reset_peak_memory_stats()
    train_together("resnet18", [dataset] * count, [SHORT] * count, "cuda")
    return torch.cuda.max_memory_reserved()


def test_a_gpu_that_is_too_small_says_so_and_can_go_on(rng: np.random.Generator) -> None:
    """A real shortage, during the recording of the graph, raises its error, and the memory is free again."""
    dataset = data(rng, size=112)
    single, many = reserved_by(1, dataset), reserved_by(8, dataset)
    assert many > 1.5 * single
    torch.cuda.empty_cache()
    torch.cuda.set_per_process_memory_fraction(
        (single + many) / 2 / torch.cuda.get_device_properties(0).total_memory
    )
    try:
        with pytest.raises(torch.OutOfMemoryError):
            train_together("resnet18", [dataset] * 8, [SHORT] * 8, "cuda")
        assert len(train_together("resnet18", [dataset], [SHORT], "cuda")) == 1
        torch.cuda.empty_cache()
        torch.cuda.set_per_process_memory_fraction(1e-4)
        with pytest.raises(LearnetError, match="too little memory to train one network"):
            train("resnet18", dataset, SHORT, device="cuda")
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0)
