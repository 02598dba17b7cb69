"""What all networks of the table promise alike."""

import inspect
from pathlib import Path

import numpy as np
import pytest
import torch

from learnet.networks import NETWORKS, as_input


@pytest.mark.parametrize("name", NETWORKS)
def test_classes_size_and_seed_make_a_network(name: str) -> None:
    for classes, size in ((2, 28), (5, 45), (3, 64)):
        net = NETWORKS[name](classes, size, seed=1).eval()
        scores = net(torch.zeros(2, 3, size, size))
        assert scores.shape == (2, classes)
        assert scores.dtype == torch.float32
    assert inspect.signature(NETWORKS[name]).parameters["size"].default == 112


@pytest.mark.parametrize("name", NETWORKS)
def test_same_seed_same_weights_and_the_global_generator_stays(name: str) -> None:
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    first = NETWORKS[name](4, 28, seed=1).state_dict()
    assert torch.equal(torch.rand(3), expected)
    again, other = NETWORKS[name](4, 28, seed=1).state_dict(), NETWORKS[name](4, 28, seed=2).state_dict()
    assert all(torch.equal(first[key], again[key]) for key in first)
    drawn = [key for key in first if first[key].is_floating_point() and first[key].ndim > 1 and first[key].any()]
    assert not any(torch.equal(first[key], other[key]) for key in drawn)
    assert bool(drawn) is (name not in ("linear-svm", "majority"))


@pytest.mark.parametrize("name", [name for name in NETWORKS if name not in ("linear-svm", "majority")])
def test_an_image_is_answered_alike_alone_and_in_company(name: str) -> None:
    net = NETWORKS[name](3, 28).eval()
    images = torch.rand(5, 3, 28, 28, generator=torch.Generator().manual_seed(0)) * 2 - 1
    with torch.inference_mode():
        torch.testing.assert_close(net(images)[2:3], net(images[2:3]), atol=1e-5, rtol=1e-5)


def test_input_is_scaled_to_one_around_zero_and_colours_come_first(rng: np.random.Generator) -> None:
    images = rng.integers(0, 256, (2, 4, 5, 3), dtype=np.uint8)
    images[0, 0, 0] = [0, 255, 51]
    images.flags.writeable = False  # as a prepared folder gives them
    found = as_input(images)
    assert found.shape == (2, 3, 4, 5)
    torch.testing.assert_close(found[0, :, 0, 0], torch.tensor([-1.0, 1.0, -0.6]))
    np.testing.assert_allclose((found.numpy() + 1) * 127.5, images.transpose(0, 3, 1, 2), atol=1e-4)
    assert torch.equal(found, as_input(torch.from_numpy(images.copy())))


def test_input_from_a_file_mapped_into_memory(tmp_path: Path, rng: np.random.Generator, recwarn: pytest.WarningsRecorder) -> None:
    images = rng.integers(0, 256, (3, 4, 4, 3), dtype=np.uint8)
    torch.set_warn_always(True)  # otherwise once a process
    np.save(tmp_path / "images.npy", images)
    assert torch.equal(as_input(np.load(tmp_path / "images.npy", mmap_mode="r")[1:]), as_input(images[1:]))
    torch.set_warn_always(False)
    assert not recwarn.list  # torch warns of arrays that cannot be written
