"""What only a GPU can show, against the same work on the CPU or network by network. Skipped where there is none."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from learnet.descent import TrainingSet, descend, descend_together
from learnet.errors import LearnetError
from learnet.networks import NETWORKS
from learnet.settings import Training
from learnet.torch_scores import predict_scores
from learnet.training import train, train_leaky, train_together

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")

SHORT = Training(epochs=4, batch=8, mirror="image", mix=0.3, optimiser="sgd", learning_rate=1e-3)


def data(rng: np.random.Generator, count: int = 24, size: int = 28) -> TrainingSet:
    """Three classes that a bright band tells apart, six people."""
    labels = np.arange(count) % 3
    images = rng.integers(40, 160, (count, size, size, 3), dtype=np.uint8)
    for image, label in zip(images, labels, strict=True):
        image[size // 3 * label : size // 3 * (label + 1)] += 90
    return TrainingSet(images, labels, [str(place % 6) for place in range(count)], 3)


@pytest.mark.parametrize("network", ["learnet", "ststnet", "resnet18"])
def test_a_recorded_step_is_the_step_itself(network: str, rng: np.random.Generator) -> None:
    """Networks whose steps are recorded and played, of which one ends early, against each of them alone."""
    sets = [data(rng, count) for count in (24, 18, 31)]
    trainings = [replace(SHORT, seed=seed) for seed in range(3)]
    modules, alone = ([NETWORKS[network](3, 28, seed=own.seed).cuda() for own in trainings] for _ in range(2))
    losses = descend_together(modules, sets, trainings, [4, 2, 4])
    for one, part, own, epochs, found, loss in zip(alone, sets, trainings, [4, 2, 4], modules, losses, strict=True):
        np.testing.assert_allclose(loss, descend(one, part, own, epochs), rtol=1e-2)
        start = NETWORKS[network](3, 28, seed=own.seed).cuda()
        ended, expected, began = (torch.cat([value.flatten() for value in each.parameters()]) for each in (found, one, start))
        assert float((ended - expected).norm()) < 0.05 * float((expected - began).norm())


@pytest.mark.parametrize("network", ["learnet", "learnet-paper", "ststnet", "majority", "linear-svm"])
def test_a_network_answers_where_it_is(network: str, rng: np.random.Generator) -> None:
    part = data(rng)
    module = NETWORKS[network](3, 28).eval()
    on_cpu = predict_scores(module, part.images, "image")
    np.testing.assert_allclose(predict_scores(module.cuda(), part.images, "image"), on_cpu, atol=1e-3)


def test_epochs_are_chosen_and_leak_on_a_gpu_as_on_the_cpu(rng: np.random.Generator) -> None:
    part, training = data(rng, 48), replace(SHORT, optimiser="adamw", inner_groups=2)
    learned = [train("learnet", part, training, device=device) for device in ("cpu", "cuda")]
    assert all(1 <= each.epochs <= 4 for each in learned)
    np.testing.assert_allclose(learned[1].losses[:1], learned[0].losses[:1], rtol=0.02)
    leaky = train_leaky("learnet", part, data(rng, 12), replace(training, inner_groups=0), "cuda")
    assert next(leaky.module.parameters()).device.type == "cpu"
    assert predict_scores(leaky.module, part.images).argmax(axis=1).shape == (48,)


def test_the_gpu_learns_what_the_cpu_learns(rng: np.random.Generator) -> None:
    part, training = data(rng, 48), replace(SHORT, optimiser="adamw", mix=0.0)
    on_cpu, on_gpu = (train("learnet", part, training, device=device) for device in ("cpu", "cuda"))
    np.testing.assert_allclose(on_gpu.losses, on_cpu.losses, rtol=0.05)


def reserved_by(count: int, part: TrainingSet) -> int:
    """Bytes that the GPU sets aside for so many networks side by side."""
    torch.cuda.empty_cache()
    torch.cuda.reset_peak_memory_stats()
    train_together("resnet18", [part] * count, [SHORT] * count, "cuda")
    return torch.cuda.max_memory_reserved()


def test_a_gpu_that_is_too_small_says_so_and_can_go_on(rng: np.random.Generator) -> None:
    """A real shortage, in the middle of the recording: it surfaces as one, and what the attempt took is free again."""
    part = data(rng, size=112)
    one, many = reserved_by(1, part), reserved_by(8, part)
    assert many > 1.5 * one
    torch.cuda.empty_cache()
    torch.cuda.set_per_process_memory_fraction((one + many) / 2 / torch.cuda.get_device_properties(0).total_memory)
    try:
        with pytest.raises(torch.OutOfMemoryError):
            train_together("resnet18", [part] * 8, [SHORT] * 8, "cuda")
        assert len(train_together("resnet18", [part], [SHORT], "cuda")) == 1
        torch.cuda.empty_cache()
        torch.cuda.set_per_process_memory_fraction(1e-4)
        with pytest.raises(LearnetError, match="too little memory to train one network"):
            train("resnet18", part, SHORT, device="cuda")
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0)
