"""How fast are many trainings at once on a GPU? The folds of a study side by side, against one after the
other, on the same GPU.

    python benchmarks/gpu.py                # writes benchmarks/results/<date>-<commit>-gpu.json; needs a GPU

CASME II's size: 26 people, 247 images of 112 x 112, five classes, LEARNet. The matrix rate is that of a
product of two float32 matrices on the same GPU in the same run, with its rounded inputs (TF32) where the
convolutions use them. Epochs cost the same one by one, so fewer than the study's 60 are timed; the recording
at the start, which counts, weighs more in them than in a study. How far the two ways' networks end up apart
is measured as well, without rounded inputs; beside it, how far one way ends up from itself when it is done
twice, as a GPU adds up in no fixed order."""

import time
from collections.abc import Callable

import measure
import numpy as np
import torch
from network import operations
from torch import Tensor, nn

from learnet.core.settings import Training
from learnet.networks import NETWORKS
from learnet.training.examples import TrainingExamples, TrainingSet
from learnet.training.loop import fit, fit_ensemble

PEOPLE, CLIPS, SIZE, CLASSES = 26, 247, 112, 5
ALONE, TOGETHER = "after each other", "together"


def folds() -> list[TrainingExamples]:
    """What each fold learns from: everybody but one."""
    numbers = np.random.default_rng(0)
    images = numbers.integers(0, 256, (CLIPS, SIZE, SIZE, 3), dtype=np.uint8)
    labels, people = numbers.integers(0, CLASSES, CLIPS), np.arange(CLIPS) % PEOPLE
    everybody = TrainingSet(images, labels, [str(person) for person in people], CLASSES)
    sets = [everybody.take(np.flatnonzero(people != person).tolist()) for person in range(PEOPLE)]
    return [data.examples(data.stored.for_training(Training(detrend=False))) for data in sets]


def fresh(network: str) -> list[nn.Module]:
    return [NETWORKS[network](CLASSES, SIZE, seed=0).cuda() for _ in range(PEOPLE)]


def seconds_of(way: Callable[[], object]) -> float:
    torch.cuda.synchronize()
    start = time.perf_counter()
    way()
    torch.cuda.synchronize()
    return time.perf_counter() - start


def in_turn(
    network: str, epochs: int, ways: tuple[str, ...] = (ALONE, TOGETHER)
) -> tuple[dict[str, float], list[list[Tensor]]]:
    """Seconds of each way, and the parameters that each way's networks ended with."""
    sets, training = folds(), Training(epochs=epochs, mirror="image", optimiser="sgd", learning_rate=1e-4)

    def after_each_other(modules: list[nn.Module]) -> None:
        for module, data in zip(modules, sets, strict=True):
            fit(module, data, training, epochs)

    def together(modules: list[nn.Module]) -> None:
        fit_ensemble(modules, sets, [training] * PEOPLE, [epochs] * PEOPLE)

    seconds, ended = {}, []
    for name in ways:
        modules, way = fresh(network), {ALONE: after_each_other, TOGETHER: together}[name]
        seconds[name] = seconds_of(lambda way=way, modules=modules: way(modules))
        ended.append(
            [torch.cat([values.detach().flatten() for values in module.parameters()]) for module in modules]
        )
    return seconds, ended


def apart(network: str, other: str) -> list[float]:
    """How far networks trained the OTHER way end up from those trained alone, as a share of how far they
    went: each fold, sorted."""
    tf32 = torch.backends.cudnn.allow_tf32
    torch.backends.cudnn.allow_tf32 = False
    _, (alone, beside) = in_turn(network, 2, (ALONE, other))
    torch.backends.cudnn.allow_tf32 = tf32
    began = torch.cat([values.detach().flatten() for values in fresh(network)[0].parameters()])
    return sorted(
        float((found - own).norm() / (own - began).norm()) for own, found in zip(alone, beside, strict=True)
    )


def matrix_rate(side: int = 8192, rounds: int = 10) -> float:
    """Operations a second of a float32 product, its inputs rounded to TF32."""
    a, b = torch.randn(side, side, device="cuda"), torch.randn(side, side, device="cuda")
    torch.backends.cuda.matmul.allow_tf32 = True
    seconds_of(lambda: a @ b)
    taken = seconds_of(lambda: [a @ b for _ in range(rounds)])
    torch.backends.cuda.matmul.allow_tf32 = False
    return rounds * 2 * side**3 / taken


def main() -> None:
    parser = measure.options(__doc__, rounds=3)
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--networks", nargs="+", default=["learnet", "ststnet", "resnet18"])
    chosen = parser.parse_args()
    about, rate = measure.machine() | {"gpu": torch.cuda.get_device_name()}, matrix_rate()
    rows, details = [], {"epochs": chosen.epochs, "matrix rate, TFLOP/s": round(rate / 1e12, 1)}
    for network in chosen.networks:
        in_turn(network, 1)  # what is compiled and chosen once does not count
        taken = [in_turn(network, chosen.epochs)[0] for _ in range(chosen.rounds)]
        seconds = {name: [each[name] for each in taken] for name in taken[0]}
        images = sum(len(data.labels) for data in folds()) * chosen.epochs
        share = (
            3 * operations(NETWORKS[network](CLASSES, SIZE), SIZE) * images / min(seconds[TOGETHER]) / rate
        )
        times = measure.ratio(seconds, ALONE, TOGETHER)
        what = f"{PEOPLE} folds of {network}, {CLIPS} x {SIZE} px, side by side, GPU"
        rows.append(
            measure.Row(what, "one after the other, GPU", round(times, 2), 8.0, "the matrix rate", share)
        )
        details[network] = {name: [round(value, 3) for value in values] for name, values in seconds.items()}
        found, again = apart(network, TOGETHER), apart(network, ALONE)
        details[network] |= {"apart": found, "apart when done the same way twice": again}
        what = f"how far {network}'s parameters end up apart"
        rows.append(measure.Row(what, "how far they went", found[-1], 1e-2, smaller_is_better=True))
        measure.save(
            "gpu", chosen.out, about, rows, details
        )  # after each, as a GPU may be lent for minutes only


if __name__ == "__main__":
    main()
