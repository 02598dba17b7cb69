"""The literal reading of Table VII against the table's own numbers, and against functions of PyTorch."""

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from learnet.core.errors import LearnetError
from learnet.networks import NETWORKS, for_inference
from learnet.networks.learnet import LEARNet
from learnet.networks.learnet_keras import to_keras

PRINTED = {
    "stem": 432 + 16,
    "0": 4 * (256 + 16),
    "1": 4 * (4608 + 32),
    "2": 4 * (51200 + 64),
    "conv5": 589824 + 256,
    "dense": 589824 + 256,
}  # parameters of Table VII by layer, or by step of the columns; without LRN, to which 256 + 256 are printed


def drawn(size: int) -> LEARNet:
    """Return a network with biases that are not zero."""
    net = LEARNet(3, size, "literal", seed=1).eval()
    generator = torch.Generator().manual_seed(0)
    for name, tensor in net.state_dict().items():
        if name.endswith("bias"):
            tensor.normal_(0, 0.1, generator=generator)
    return net


def half(state: dict[str, Tensor], name: str, maps: Tensor) -> Tensor:
    """Convolve with stride 2 and as much padding as keeps every row, the odd zero at the end."""
    weight = state[f"{name}.weight"]
    total = max((-(-maps.shape[-1] // 2) - 1) * 2 + weight.shape[-1] - maps.shape[-1], 0)
    before, after = total // 2, total - total // 2
    padded = F.pad(maps, (before, after, before, after))
    return F.relu(F.conv2d(padded, weight, state[f"{name}.bias"], stride=2))


def composed(state: dict[str, Tensor], images: Tensor) -> Tensor:
    """Compute the scores by the rows of the table."""
    stem = half(state, "stem", images)
    last = []
    for pair in ("one", "two"):
        plain, accreting = half(state, f"{pair}.plain.0", stem), half(state, f"{pair}.accreting.0", stem)
        for step in (1, 2):
            added = plain + accreting
            plain = half(state, f"{pair}.plain.{step}", plain)
            accreting = half(state, f"{pair}.accreting.{step}", added)
        last += [plain, accreting]
    normalised = F.local_response_norm(torch.cat(last, 1), 5, alpha=5e-4, beta=0.75, k=2.0)
    conv5 = half(state, "conv5", normalised)
    if conv5.shape[-1] < 3:  # one zero before and one after a single row; one after two rows
        conv5 = F.pad(conv5, (1, 1, 1, 1) if conv5.shape[-1] == 1 else (0, 1, 0, 1))
    window = conv5[:, :, :3, :3].flatten(1)  # a layer that is connected to 3x3x256 numbers
    dense = F.relu(F.linear(window, state["dense.weight"].flatten(1), state["dense.bias"]))
    return F.linear(dense, state["classify.weight"], state["classify.bias"])


@pytest.mark.parametrize("size", [112, 80, 45, 28])  # 4, 3, 2 and 1 row before the FC layer
def test_scores_equal_the_table_row_by_row(size: int) -> None:
    net = drawn(size)
    state = {name: tensor.double() for name, tensor in net.state_dict().items()}
    images = torch.rand(3, 3, size, size, generator=torch.Generator().manual_seed(2)) * 2 - 1
    with torch.inference_mode():
        expected = composed(state, images.double())
        torch.testing.assert_close(net(images).double(), expected, atol=1e-4, rtol=1e-4)
        assert expected.std(dim=0).min() > 1e-3
        assert for_inference(net) is net


def test_parameters_are_those_printed_without_those_of_lrn() -> None:
    found = dict.fromkeys(PRINTED, 0)
    for name, parameter in LEARNet(7, variant="literal").named_parameters():
        parts = name.split(".")
        layer = parts[2] if parts[0] in ("one", "two") else parts[0]
        if layer != "classify":
            found[layer] += parameter.numel()
    assert found == PRINTED
    assert sum(PRINTED.values()) + 256 + 256 == 1_405_824  # "1.4 M" in the paper


def test_the_layers_have_the_printed_output_sizes() -> None:
    stages = LEARNet(5, variant="literal").eval().stages(torch.zeros(1, 3, 112, 112))
    printed = {"concat": (256, 7, 7), "norm": (256, 7, 7), "conv5": (256, 4, 4), "dense": (256,)}
    assert {name: tuple(stages[name].shape[1:]) for name in printed} == printed


def test_images_that_leave_more_than_four_rows_are_refused() -> None:
    NETWORKS["learnet-literal"](3, 128)
    with pytest.raises(
        LearnetError, match=r"129 pixels\. It accepts sizes that are 128 or less; nearest: 128"
    ):
        NETWORKS["learnet-literal"](3, 129)


def test_it_has_no_form_in_keras() -> None:
    with pytest.raises(LearnetError, match="not in the authors' Keras file"):
        to_keras(LEARNet(3, variant="literal"))
