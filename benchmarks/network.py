"""How fast is LEARNet? Fused against plain form, training step against the matrix rate, ensemble training.

    python benchmarks/network.py            # writes benchmarks/results/<date>-<commit>-network.json

The plain form is `LEARNet.stages`, which computes everything in the figure of the paper. Networks train
with `LEARNet.forward`, which leaves out the pixels of the stem that no column reads. Operations are those
of `forward`, for both forms, counted from the sizes of the layers; a training step has three times those of
inference. The matrix rate is that of a product of two 1536 x 1536 matrices on the same threads in the same
run. Run it on an idle machine.
"""

import statistics
from collections.abc import Callable
from dataclasses import replace

import measure
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from learnet.core.malloc import keep_freed_memory
from learnet.core.settings import Training
from learnet.networks import NETWORKS, as_input, for_inference
from learnet.networks.learnet import LEARNet
from learnet.training.examples import TrainingSet
from learnet.training.loop import fit, fit_ensemble

Result = tuple[list[measure.Row], dict[str, object]]  # rows and details of the table of results


def operations(net: nn.Module, size: int = 112) -> int:
    """Count the multiplications and additions of convolutions and dense layers for one image."""
    total = 0

    def count(layer: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        nonlocal total
        total += 2 * output.numel() * layer.weight[0].numel()  # type: ignore[index, operator]

    handles = []
    for layer in net.modules():
        if isinstance(layer, nn.Conv2d | nn.Linear):
            handles.append(layer.register_forward_hook(count))
    with torch.inference_mode():
        net.eval()(torch.zeros(1, 3, size, size))
    for handle in handles:
        handle.remove()
    return total


def inference(rounds: int) -> Result:
    """Measure the fused and the plain form, for a single image and for 32."""
    keep_freed_memory()  # as the command line and its worker processes do
    plain = LEARNet(5).eval()
    fused = for_inference(plain)
    work = operations(plain)
    product, product_operations = measure.matrix_product()
    rows: list[measure.Row] = []
    details: dict[str, object] = {"operations of an answer": work}
    for batch in (1, 32):
        images = as_input(torch.randint(0, 256, (batch, 112, 112, 3), dtype=torch.uint8))
        with torch.inference_mode():
            assert torch.allclose(plain.stages(images)["logits"], fused(images), atol=1e-5)
            ways = {
                "plain": lambda images=images: plain.stages(images)["logits"],
                "fused": lambda images=images: fused(images),
                "matrix product": product,
            }
            seconds = measure.take_turns(ways, rounds, warm=10)
        share = measure.ratio(seconds, "matrix product", "fused") * batch * work / product_operations
        times = round(measure.ratio(seconds, "plain", "fused"), 2)
        name = f"LEARNet, batch of {batch}, fused"
        rows.append(measure.Row(name, "the plain form", times, 1.5, "the matrix rate", share))
        details[f"batch of {batch}, ms"] = _milliseconds(seconds, digits=3)
    return rows, details


def training_step(rounds: int, batch: int = 32) -> Result:
    """Measure forward, backward and AdamW, as in training and with every stage computed."""
    product, product_operations = measure.matrix_product()
    images = torch.rand(batch, 3, 112, 112) * 2 - 1
    labels = torch.arange(batch) % 5

    def stepping(logits: Callable[[LEARNet, Tensor], Tensor]) -> Callable[[], None]:
        net = LEARNet(5).train()
        optimiser = torch.optim.AdamW(net.parameters(), 1e-5, fused=True)

        def step() -> None:
            F.cross_entropy(logits(net, images), labels).backward()
            optimiser.step()
            optimiser.zero_grad(set_to_none=True)

        return step

    ways = {
        "step": stepping(lambda net, images: net(images)),
        "every stage": stepping(lambda net, images: net.stages(images)["logits"]),
    }
    seconds = measure.take_turns({**ways, "matrix product": product}, rounds, warm=5)
    work = batch * 3 * operations(NETWORKS["learnet"](5))
    share = measure.ratio(seconds, "matrix product", "step") * work / product_operations
    times = round(measure.ratio(seconds, "every stage", "step"), 2)
    name = f"LEARNet, training step of {batch}"
    rows = [
        measure.Row(name, "the plain form", times, 1.0, "the matrix rate", share),
        measure.Row(name, "the matrix rate", round(share, 3), 0.6, "the matrix rate", share),
    ]
    milliseconds = _milliseconds(seconds, digits=2)
    product_seconds = statistics.median(seconds["matrix product"])
    details: dict[str, object] = {
        "training step, ms": {way: milliseconds[way] for way in ways},
        "matrix rate, GFLOP/s": round(product_operations / product_seconds / 1e9, 1),
    }
    return rows, details


def ensemble(rounds: int, networks: int = 4, size: int = 112) -> Result:
    """Measure several networks trained together in one pass against one after the other, in one process."""
    generator = torch.Generator().manual_seed(0)
    images = torch.randint(0, 256, (32, size, size, 3), generator=generator, dtype=torch.uint8).numpy()
    labels = (torch.arange(32) % 3).numpy()
    training_set = TrainingSet(images, labels, ["one"] * 32, 3)
    settings = Training(epochs=1, mirror="image", detrend=False)
    trainings = [replace(settings, seed=seed) for seed in range(networks)]
    data = training_set.examples(training_set.stored.for_training(trainings[0]))

    def new_networks() -> list[nn.Module]:
        return [NETWORKS["learnet"](3, size, seed=training.seed) for training in trainings]

    def one_by_one() -> None:
        for module, training in zip(new_networks(), trainings, strict=True):
            fit(module, data, training, 1)

    def together() -> None:
        fit_ensemble(new_networks(), [data] * networks, trainings, [1] * networks)

    seconds = measure.take_turns({"after each other": one_by_one, "together": together}, rounds)
    times = round(measure.ratio(seconds, "after each other", "together"), 2)
    name = f"{networks} trainings of LEARNet in one pass, {size} px, CPU"
    row = measure.Row(name, "after each other (auto: one at a time)", times, 1.0)
    return [row], {way: round(statistics.median(values), 3) for way, values in seconds.items()}


def _milliseconds(seconds: dict[str, list[float]], digits: int) -> dict[str, float]:
    """Return the median of each way."""
    return {way: round(1e3 * statistics.median(values), digits) for way, values in seconds.items()}


def main() -> None:
    """Run all measurements and write the table of results."""
    parser = measure.options(__doc__, rounds=40)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    about = measure.machine() | {"threads": options.threads}
    rows: list[measure.Row] = []
    details: dict[str, object] = {}
    for part_rows, part_details in (inference(options.rounds), training_step(options.rounds), ensemble(5)):
        rows += part_rows
        details |= part_details
    measure.save("network", options.out, about, rows, details)


if __name__ == "__main__":
    main()
