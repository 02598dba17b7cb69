"""The device of a training: choice, memory, threads."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

import torch
from torch import Tensor, nn

from learnet.core.errors import LearnetError
from learnet.networks import device_of


def resolve_device(device: str) -> Literal["cpu", "cuda"]:
    """Return the device to train on; "auto" is a GPU if there is one.

    Raises:
        LearnetError: a GPU is requested, and there is none.
    """
    if device == "cuda" and not torch.cuda.is_available():
        raise LearnetError(
            "There is no GPU that this PyTorch can use.", "Choose the device auto or cpu (--device cpu)."
        )
    return "cuda" if device != "cpu" and torch.cuda.is_available() else "cpu"


def out_of_memory_error() -> LearnetError:
    """Return the error for a GPU that cannot hold even one network."""
    return LearnetError(
        "The GPU has too little memory to train one network.",
        "Choose the device cpu (--device cpu), or a smaller batch size (--batch-size).",
    )


def networks_that_fit(module: nn.Module, size: int, batch: int, free_bytes: int) -> int:
    """Estimate how many networks can be trained side by side in the given memory; at least 1.

    Each parameter counts four times (with its gradient and two moments), the output of each layer three times
    (with its gradient and intermediate values). Half of the memory is left to libraries.

    Args:
        module: one of the networks.
        size: height and width of the images in pixels.
        batch: images in a batch.
        free_bytes: memory of the device.
    """
    outputs = 0

    def count_outputs(layer: nn.Module, inputs: tuple, output: Tensor) -> None:
        nonlocal outputs
        outputs += output.numel()

    leaves = [layer for layer in module.modules() if not list(layer.children())]
    handles = [layer.register_forward_hook(count_outputs) for layer in leaves]
    with torch.inference_mode():
        module.eval()(torch.zeros(1, 3, size, size, device=device_of(module)))
    for handle in handles:
        handle.remove()
    parameters = sum(parameter.numel() for parameter in module.parameters())
    bytes_per_network = 4 * (4 * parameters + 3 * batch * outputs)
    return max(1, free_bytes // 2 // bytes_per_network)


@contextmanager
def one_thread() -> Iterator[None]:
    """Limit PyTorch to one thread inside the block, so that results do not depend on the number of cores."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
