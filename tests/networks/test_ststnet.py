"""STSTNet against names and sizes in the authors' PyTorch file, and their definition in numpy."""

import numpy as np
import pytest
import torch

from learnet.core.errors import LearnetError
from learnet.networks.ststnet import STSTNet


def with_drawn_weights(size: int, classes: int = 3) -> STSTNet:
    """Return a network with non-trivial normalisations."""
    net, generator = STSTNet(classes, size, seed=1).eval(), torch.Generator().manual_seed(0)
    for name, tensor in net.state_dict().items():
        if "bn" in name and tensor.is_floating_point():
            tensor.uniform_(0.5, 1.5, generator=generator)
    return net


def convolved(image: np.ndarray, kernel: np.ndarray, bias: np.ndarray) -> np.ndarray:
    """Convolve 3x3 with two zeros on each side: (3, S, S) becomes (F, S + 2, S + 2)."""
    padded = np.pad(image, ((0, 0), (2, 2), (2, 2)))
    side = image.shape[1] + 2
    maps = np.empty((len(kernel), side, side))
    for y in range(side):
        for x in range(side):
            maps[:, y, x] = np.tensordot(kernel, padded[:, y : y + 3, x : x + 3], axes=3) + bias
    return maps


def max_pool(maps: np.ndarray) -> np.ndarray:
    """Pool 3x3. Windows begin at -1, 2, 5, ... and end at most one row after the maps."""
    starts = [start for start in range(-1, maps.shape[1], 3) if start + 3 <= maps.shape[1] + 1]
    pooled = np.empty((len(maps), len(starts), len(starts)))
    for row, y in enumerate(starts):
        for column, x in enumerate(starts):
            pooled[:, row, column] = maps[:, max(y, 0) : y + 3, max(x, 0) : x + 3].max(axis=(1, 2))
    return pooled


def composed(net: STSTNet, image: np.ndarray) -> dict[str, np.ndarray]:
    state = {name: tensor.double().numpy() for name, tensor in net.state_dict().items()}
    streams = []
    for number in (1, 2, 3):
        maps = np.maximum(convolved(image, state[f"conv{number}.weight"], state[f"conv{number}.bias"]), 0)
        mean, variance, gain, shift = (
            state[f"bn{number}.{part}"][:, None, None]
            for part in ("running_mean", "running_var", "weight", "bias")
        )
        streams.append(max_pool((maps - mean) / np.sqrt(variance + 1e-5) * gain + shift))
    pooled = np.concatenate(streams)
    halves = pooled.reshape(16, pooled.shape[1] // 2, 2, pooled.shape[2] // 2, 2).mean(axis=(2, 4))
    return {"pooled": pooled, "logits": state["fc.weight"] @ halves.ravel() + state["fc.bias"]}


@pytest.mark.parametrize(("size", "side"), [(28, 10), (27, 10), (32, 12), (45, 16)])
def test_scores_equal_the_definition(size: int, side: int) -> None:
    net = with_drawn_weights(size)
    images = torch.rand(2, 3, size, size, generator=torch.Generator().manual_seed(0)) * 2 - 1
    with torch.inference_mode():
        found = net(images).numpy()
    for image, scores in zip(images.double().numpy(), found, strict=True):
        expected = composed(net, image)
        assert expected["pooled"].shape == (16, side, side)
        np.testing.assert_allclose(scores, expected["logits"], atol=1e-5)
    assert np.ptp(found, axis=0).min() > 1e-3


def test_names_and_shapes_are_those_of_the_authors_file() -> None:
    """The class STSTNet of their main.py: 84 + 140 + 224 in convolutions, 32 in norms, 1,203 in the last."""
    expected: dict[str, tuple[int, ...]] = {"fc.weight": (3, 400), "fc.bias": (3,)}
    for number, filters in ((1, 3), (2, 5), (3, 8)):
        expected |= {
            f"conv{number}.weight": (filters, 3, 3, 3),
            f"conv{number}.bias": (filters,),
            f"bn{number}.num_batches_tracked": (),
        }
        expected |= {
            f"bn{number}.{part}": (filters,) for part in ("weight", "bias", "running_mean", "running_var")
        }
    net = STSTNet(3, 28)
    assert {name: tuple(tensor.shape) for name, tensor in net.state_dict().items()} == expected
    assert sum(parameter.numel() for parameter in net.parameters()) == 1683 == 84 + 140 + 224 + 32 + 1203


def test_initial_weights_are_those_of_pytorch() -> None:
    state = STSTNet(300, 28, seed=3).state_dict()
    for name, limit in (("conv1", 27**-0.5), ("conv3", 27**-0.5), ("fc", 400**-0.5)):
        assert 0.8 * limit < state[f"{name}.weight"].abs().max() <= limit
        assert 0.2 * limit < state[f"{name}.bias"].abs().max() <= limit
    assert state["fc.weight"].std().item() == pytest.approx(400**-0.5 / 3**0.5, rel=0.02)


def test_half_of_the_pooled_maps_are_dropped_in_training() -> None:
    """Single values, not whole maps, and before average pooling."""
    net = with_drawn_weights(28)
    image = torch.rand(1, 3, 28, 28, generator=torch.Generator().manual_seed(0)) * 2 - 1
    pooled = composed(net, image[0].double().numpy())["pooled"]
    net.dropout.train()
    assert (net.dropout.rate, net.dropout.features) == (0.5, 1600)
    net.dropout.mask = net.dropout.draw_mask(1, torch.Generator().manual_seed(2))
    kept = pooled * net.dropout.mask.numpy().reshape(16, 10, 10)
    halves = kept.reshape(16, 5, 2, 5, 2).mean(axis=(2, 4))
    expected = net.fc.weight.detach().numpy() @ halves.ravel() + net.fc.bias.detach().numpy()
    np.testing.assert_allclose(net(image)[0].detach(), expected, atol=1e-5)


def test_sizes_that_would_lose_rows_are_refused_with_the_nearest_valid_ones() -> None:
    for size in range(2, 130):
        responses = torch.zeros(1, 1, size + 2, size + 2)
        even = torch.nn.functional.max_pool2d(responses, 3, 3, padding=1).shape[-1] % 2 == 0
        if even:
            STSTNet(2, size)
        else:
            with pytest.raises(LearnetError, match=f"{size} pixels.*leave 2, 3 or 4 when divided by 6"):
                STSTNet(2, size)
    with pytest.raises(LearnetError, match=r"12 pixels.*nearest: 10 and 14\.$"):
        STSTNet(3, 12)
    with pytest.raises(LearnetError, match=r"nearest: 2\.$"):
        STSTNet(3, 0)


@pytest.mark.parametrize("size", [26, 27, 28, 112])
def test_every_pixel_has_an_effect(size: int) -> None:
    """Also at the border, where at 28 pixels the pools leave out a row of maps."""
    net = with_drawn_weights(size)
    with torch.inference_mode():
        blank = net(torch.zeros(1, 3, size, size))
        for y, x in ((0, 0), (size - 1, size - 1), (size - 1, 0), (size // 2, size - 1)):
            image = torch.zeros(1, 3, size, size)
            image[0, :, y, x] = 5
            assert (net(image) - blank).abs().max() > 1e-3
