"""RCN-A against its definition written out in functions, in evaluation and in training."""

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from learnet.core.errors import LearnetError
from learnet.networks.rcn_a import RCNA, cell_means


def norm(state: dict[str, Tensor], name: str, maps: Tensor, training: bool) -> Tensor:
    if training:
        mean, variance = maps.mean((0, 2, 3)), maps.var((0, 2, 3), unbiased=False)
    else:
        mean, variance = state[f"{name}.running_mean"], state[f"{name}.running_var"]
    scaled = (maps - mean[:, None, None]) / (variance[:, None, None] + 1e-5).sqrt()
    return (scaled * state[f"{name}.weight"][:, None, None] + state[f"{name}.bias"][:, None, None]).relu()


def attended(cells: Tensor, state: dict[str, Tensor]) -> Tensor:
    """Return the attention by loops over images and classes."""
    result = torch.zeros(len(cells), 1, 5, 5, dtype=cells.dtype)
    weights = state["classify.weight"]
    for image, maps in enumerate(cells):
        for weight in weights:
            activation = (weight.reshape(32, 5, 5) * maps).mean(dim=0)
            above = activation - activation.min()
            result[image, 0] += above / above.max() / len(weights)
    return result


def composed(state: dict[str, Tensor], images: Tensor, masks: tuple[Tensor, Tensor] | None = None) -> Tensor:
    def conv(name: str, maps: Tensor, padding: int) -> Tensor:
        return F.conv2d(maps, state[f"{name}.weight"], state[f"{name}.bias"], padding=padding)

    def halved(maps: Tensor, mask: Tensor | None) -> Tensor:
        pooled = maps.unfold(2, 2, 2).unfold(3, 2, 2).amax(dim=(4, 5))
        return pooled if mask is None else pooled * mask.double().reshape(pooled.shape)

    first_mask, last_mask = masks or (None, None)
    training = masks is not None
    x = halved(norm(state, "norm1", conv("conv1", images, 0), training), first_mask)
    y = norm(state, "norm2", conv("feedforward", x, 0), training)
    y = norm(state, "norm3", conv("recurrent", x + y, 1), training)
    y = norm(state, "norm3", conv("recurrent", x + y, 1), training)
    pooled = F.adaptive_avg_pool2d(halved(y, last_mask), 5)
    weighted = pooled * attended(F.adaptive_avg_pool2d(x, 5), state)
    return F.linear(weighted.flatten(1), state["classify.weight"], state["classify.bias"])


def drawn(size: int, classes: int = 3) -> tuple[RCNA, dict[str, Tensor], Tensor]:
    net, generator = RCNA(classes, size, seed=1).eval(), torch.Generator().manual_seed(0)
    for name, tensor in net.state_dict().items():
        if name.endswith("running_var") or "norm" in name and name.endswith("weight"):
            tensor.uniform_(0.5, 1.5, generator=generator)
        elif name.endswith(("bias", "running_mean", "classify.weight")):
            tensor.normal_(0, 0.1, generator=generator)
    images = torch.rand(4, 3, size, size, generator=generator) * 2 - 1
    return net, {name: tensor.double() for name, tensor in net.state_dict().items()}, images


@pytest.mark.parametrize(("size", "classes"), [(28, 3), (44, 5), (12, 2)])
def test_scores_equal_the_definition(size: int, classes: int) -> None:
    net, state, images = drawn(size, classes)
    with torch.inference_mode():
        expected = composed(state, images.double())
        torch.testing.assert_close(net(images).double(), expected, atol=1e-4, rtol=1e-4)
        assert expected.std(dim=0).min() > 1e-2


def test_training_drops_half_of_the_maps_twice_and_normalises_by_the_batch() -> None:
    net, state, images = drawn(28)
    generator = torch.Generator().manual_seed(5)
    for layer in (net.dropout1, net.dropout2):
        layer.mask = layer.draw_mask(4, generator)
        assert layer.rate == 0.5
    expected = composed(state, images.double(), (net.dropout1.mask, net.dropout2.mask))
    torch.testing.assert_close(net.train()(images).double(), expected, atol=1e-3, rtol=1e-3)


@pytest.mark.parametrize("length", [1, 3, 5, 6, 12, 54])
def test_cells_are_those_of_adaptive_pooling(length: int) -> None:
    line = torch.rand(2, 1, length, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(line @ cell_means(length).T, F.adaptive_avg_pool1d(line, 5))


def test_attention_by_hand() -> None:
    """One map has the value 2 in one cell and 1 in another, weighed 32 and 16 by class 0, 0 by class 1."""
    net = RCNA(2, 28)
    torch.nn.init.zeros_(net.classify.weight)
    cells = torch.zeros(1, 32, 5, 5)
    cells[0, 3, 0, 0], cells[0, 3, 1, 1] = 2, 1
    with torch.no_grad():
        weights = net.classify.weight[0].view(32, 5, 5)
        weights[3, 0, 0], weights[3, 1, 1] = 32, 16
        attention = net.attention(cells)
    expected = torch.zeros(5, 5)
    expected[0, 0], expected[1, 1] = 0.5, 0.125  # 64 and 16 of 64, and nothing of class 1; half of it
    torch.testing.assert_close(attention[0, 0], expected)


def test_a_blank_image_has_finite_scores_and_gradients() -> None:
    net = RCNA(3, 28).train()
    net(torch.zeros(2, 3, 28, 28)).sum().backward()
    assert all(bool(parameter.grad.isfinite().all()) for parameter in net.parameters())


def test_number_of_parameters_by_hand() -> None:
    convolutions = (3 * 25 * 32 + 32) + (32 * 32 + 32) + (32 * 32 * 9 + 32)
    for size in (28, 112):
        found = sum(parameter.numel() for parameter in RCNA(3, size).parameters())
        assert found == convolutions + 3 * 64 + 3 * (800 + 1) == 15_331


def test_sizes_that_cannot_be_halved_twice_are_refused() -> None:
    RCNA(3, 8)
    with pytest.raises(LearnetError, match=r"30 pixels\. .* multiples of 4 from 8; nearest: 28 and 32\.$"):
        RCNA(3, 30)
    with pytest.raises(LearnetError, match=r"4 pixels\. .* nearest: 8\.$"):
        RCNA(3, 4)
