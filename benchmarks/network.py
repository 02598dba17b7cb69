"""How fast is LEARNet? The fused form against the plain one, a training step against the matrix rate, many
networks at once.

    python benchmarks/network.py            # writes benchmarks/results/<date>-<commit>-network.json

The plain form is `LEARNet.stages`, which computes all that the paper's figure shows; networks train by
`LEARNet.forward`, which leaves out what no column sees of the stem. Operations are those of the latter, for
both. The matrix rate is that of a product of two 1536 x 1536 matrices on the same threads, in the same run.
Operations are counted from the layers' sizes; a training step has three times those of an answer. Run it on a
machine that does nothing else."""

import statistics
from collections.abc import Callable

import measure
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from learnet.core.malloc import keep_freed_memory
from learnet.core.settings import Training
from learnet.networks import NETWORKS, as_input, for_inference
from learnet.training.examples import TrainingSet
from learnet.training.loop import fit, fit_ensemble


def operations(net: nn.Module, size: int = 112) -> int:
    """Multiplications and additions of one answer, in convolutions and dense layers."""
    found = 0

    def count(layer: nn.Module, given: tuple[Tensor, ...], answer: Tensor) -> None:
        nonlocal found
        found += 2 * answer.numel() * layer.weight[0].numel()  # type: ignore[index, operator]

    handles = [
        layer.register_forward_hook(count)
        for layer in net.modules()
        if isinstance(layer, nn.Conv2d | nn.Linear)
    ]
    with torch.inference_mode():
        net.eval()(torch.zeros(1, 3, size, size))
    for handle in handles:
        handle.remove()
    return found


def answers(rounds: int) -> tuple[list[measure.Row], dict[str, object]]:
    """The fused form and the plain one, a single image and 32."""
    keep_freed_memory()  # as the command line and its worker processes do
    plain = NETWORKS["learnet"](5).eval()
    fused, work, (product, in_product) = for_inference(plain), operations(plain), measure.matrix_product()
    rows, details = [], {"operations of an answer": work}
    for batch in (1, 32):
        images = as_input(torch.randint(0, 256, (batch, 112, 112, 3), dtype=torch.uint8))
        with torch.inference_mode():
            assert torch.allclose(plain.stages(images)["logits"], fused(images), atol=1e-5)
            ways = {
                "plain": lambda x=images: plain.stages(x)["logits"],
                "fused": lambda x=images: fused(x),
                "matrix product": product,
            }
            seconds = measure.take_turns(ways, rounds, warm=10)
        typical = {name: statistics.median(values) for name, values in seconds.items()}
        share = measure.ratio(seconds, "matrix product", "fused") * batch * work / in_product
        times = measure.ratio(seconds, "plain", "fused")
        rows.append(
            measure.Row(
                f"LEARNet, batch of {batch}, fused",
                "the plain form",
                round(times, 2),
                1.5,
                "the matrix rate",
                share,
            )
        )
        details[f"batch of {batch}, ms"] = {name: round(1e3 * value, 3) for name, value in typical.items()}
    return rows, details


def training_step(rounds: int, batch: int = 32) -> tuple[list[measure.Row], dict[str, object]]:
    """Forward, backward and AdamW, as networks train and with every stage computed."""
    product, in_product = measure.matrix_product()
    images, labels = torch.rand(batch, 3, 112, 112) * 2 - 1, torch.arange(batch) % 5

    def stepping(answer: Callable[[nn.Module, Tensor], Tensor]) -> Callable[[], None]:
        net = NETWORKS["learnet"](5).train()
        optimiser = torch.optim.AdamW(net.parameters(), 1e-5, fused=True)

        def step() -> None:
            F.cross_entropy(answer(net, images), labels).backward()
            optimiser.step()
            optimiser.zero_grad(set_to_none=True)

        return step

    ways = {
        "step": stepping(lambda net, given: net(given)),
        "every stage": stepping(lambda net, given: net.stages(given)["logits"]),
    }
    seconds = measure.take_turns({**ways, "matrix product": product}, rounds, warm=5)
    typical = {name: statistics.median(values) for name, values in seconds.items()}
    share = (
        measure.ratio(seconds, "matrix product", "step")
        * batch
        * 3
        * operations(NETWORKS["learnet"](5))
        / in_product
    )
    what, times = f"LEARNet, training step of {batch}", measure.ratio(seconds, "every stage", "step")
    return [
        measure.Row(what, "the plain form", round(times, 2), 1.0, "the matrix rate", share),
        measure.Row(what, "the matrix rate", round(share, 3), 0.6, "the matrix rate", share),
    ], {
        "training step, ms": {name: round(1e3 * typical[name], 2) for name in ways},
        "matrix rate, GFLOP/s": round(in_product / typical["matrix product"] / 1e9, 1),
    }


def at_once(rounds: int, networks: int = 4, size: int = 112) -> tuple[list[measure.Row], dict[str, object]]:
    """Trainings side by side against the same ones after each other, in one process."""
    numbers = torch.Generator().manual_seed(0)
    images = torch.randint(0, 256, (32, size, size, 3), generator=numbers, dtype=torch.uint8).numpy()
    stored = TrainingSet(images, (torch.arange(32) % 3).numpy(), ["one"] * 32, 3)
    trainings = [Training(epochs=1, mirror="image", seed=seed) for seed in range(networks)]
    data = stored.examples(stored.stored.for_training(trainings[0]))

    def fresh() -> list[nn.Module]:
        return [NETWORKS["learnet"](3, size, seed=own.seed) for own in trainings]

    def after_each_other() -> None:
        for module, own in zip(fresh(), trainings, strict=True):
            fit(module, data, own, 1)

    def together() -> None:
        fit_ensemble(fresh(), [data] * networks, trainings, [1] * networks)

    seconds = measure.take_turns({"after each other": after_each_other, "together": together}, rounds)
    times = measure.ratio(seconds, "after each other", "together")
    what = f"{networks} trainings of LEARNet in one pass, {size} px, CPU"
    return [measure.Row(what, "after each other (auto: one at a time)", round(times, 2), 1.0)], {
        name: round(statistics.median(values), 3) for name, values in seconds.items()
    }


def main() -> None:
    parser = measure.options(__doc__, rounds=40)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    chosen = parser.parse_args()
    torch.set_num_threads(chosen.threads)
    about = measure.machine() | {"threads": chosen.threads}
    parts = [answers(chosen.rounds), training_step(chosen.rounds), at_once(5)]
    details = {name: value for _, found in parts for name, value in found.items()}
    measure.save("network", chosen.out, about, [row for rows, _ in parts for row in rows], details)


if __name__ == "__main__":
    main()
