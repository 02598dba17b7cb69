"""BDCNN against its definition by loops over images and blocks, and its colours against OpenCV."""

import cv2
import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from learnet.networks.bdcnn import BDCNN, flow_colours


def colours(u: np.ndarray, v: np.ndarray) -> np.ndarray:
    """Return OpenCV's picture of a flow field, (H, W, 3), 0..1."""
    magnitude, degrees = cv2.cartToPolar(u, v, angleInDegrees=True)
    value = magnitude / max(float(magnitude.max()), 1e-6)
    return cv2.cvtColor(np.dstack([degrees, np.ones_like(u), value]), cv2.COLOR_HSV2RGB)


def pictures(image: Tensor) -> list[np.ndarray]:
    """Return the four pictures of an image, (120, 120, 3), -1..1, scaled by OpenCV."""
    u, v, strain = image.numpy()
    four = [np.dstack([channel] * 3) for channel in (u, v, strain)]
    four.append(2 * colours(u, v) - 1)
    return [cv2.resize(picture, (120, 120)) for picture in four]


def composed(state: dict[str, Tensor], images: Tensor) -> Tensor:
    """Compute the scores: each block of each picture by itself, in the order of the concatenation."""
    rows = []
    for image in images:
        maps = []
        for picture in pictures(image):
            channels = torch.from_numpy(picture).double().permute(2, 0, 1)
            for top in range(0, 120, 10):
                for left in range(0, 120, 10):
                    block = channels[None, :, top : top + 10, left : left + 10]
                    block = F.conv2d(block, state["conv1.weight"], state["conv1.bias"], padding=1).relu()
                    padded = F.pad(block, (1, 1, 1, 1), value=-torch.inf)
                    maps.append(padded.unfold(2, 3, 3).unfold(3, 3, 3).amax(dim=(4, 5)))
        rows.append(torch.cat(maps, dim=1))
    x = torch.cat(rows)
    x = torch.einsum("oi,bihw->bohw", state["conv2.weight"][:, :, 0, 0], x)
    x = (x + state["conv2.bias"][:, None, None]).relu().flatten(1)
    for name in ("fc1", "fc2"):
        x = F.linear(x, state[f"{name}.weight"], state[f"{name}.bias"]).relu()
    return F.linear(x, state["fc.weight"], state["fc.bias"])


@pytest.mark.parametrize("size", [28, 112, 120, 150])
def test_scores_equal_the_definition(size: int) -> None:
    generator = torch.Generator().manual_seed(0)
    net = BDCNN(3, size, seed=1).eval()
    for tensor in net.parameters():
        if tensor.ndim > 1:  # larger than the initial weights, so that the scores differ between images
            tensor.data *= 2
    images = torch.rand(2, 3, size, size, generator=generator) * 2 - 1
    state = {name: tensor.double() for name, tensor in net.state_dict().items()}
    with torch.inference_mode():
        expected = composed(state, images)
        torch.testing.assert_close(net(images).double(), expected, atol=1e-4, rtol=1e-4)
        assert (expected[0] - expected[1]).abs().min() > 1e-3


def test_colours_are_those_of_opencv(rng: np.random.Generator) -> None:
    u, v = rng.normal(size=(2, 3, 20, 30)).astype(np.float32)
    u[0, 0, :3], v[0, 0, :3] = [0, 2, -2], [0, 0, 0]
    u[1], v[1] = 0, 0
    found = flow_colours(torch.from_numpy(u), torch.from_numpy(v)).permute(0, 2, 3, 1).numpy()
    for picture, image_u, image_v in zip(found, u, v, strict=True):
        # OpenCV's angles are exact to 0.01 degrees.
        np.testing.assert_allclose(picture, colours(image_u, image_v), atol=6 * 0.02 / 360)


def test_colours_by_hand() -> None:
    """To the right is red, down is half yellow and half green, to the left is cyan."""
    u, v = torch.tensor([[[2.0, 0.0, -1.0, 0.0]]]), torch.tensor([[[0.0, 2.0, 0.0, 0.0]]])
    expected = torch.tensor([[1, 0, 0], [0.5, 1, 0], [0, 0.5, 0.5], [0, 0, 0]])
    torch.testing.assert_close(flow_colours(u, v)[0, :, 0].T, expected)


def test_no_block_sees_its_neighbour_before_the_second_convolution() -> None:
    """A change of the second block of u reaches the maps of this block of u and of the colours only."""
    net = BDCNN(3, 120).eval()
    maps: list[Tensor] = []
    net.conv2.register_forward_pre_hook(lambda layer, inputs: maps.append(inputs[0]))
    images = torch.rand(1, 3, 120, 120, generator=torch.Generator().manual_seed(0)) - 0.5
    images[0, :2, 60, 60] = 1.0  # the largest movement stays where it is
    net(images)
    images[0, 0, :10, 10:20] *= -1
    net(images)
    changed = (maps[0] != maps[1]).reshape(4, 144, -1).any(dim=2)
    assert changed.nonzero().tolist() == [[0, 1], [3, 1]]


def test_number_of_parameters_by_hand() -> None:
    """The authors' table: 4,608 maps into 512 and 8,192 numbers into 1,024, for blocks of 10 pixels."""
    expected = (3 * 8 * 9 + 8) + (4608 * 512 + 512) + (8192 * 1024 + 1024) + (1024 * 128 + 128) + 3 * 129
    for size in (28, 112):
        assert sum(parameter.numel() for parameter in BDCNN(3, size).parameters()) == expected == 10_881_251
