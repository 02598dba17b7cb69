"""What all networks of the table promise alike, and what is written about them."""

import inspect
import re
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from learnet.cli import studies
from learnet.core import settings
from learnet.core.errors import LearnetError, UnknownName, pick
from learnet.networks import NETWORKS, as_input

ROOT = Path(__file__).resolve().parents[2]
LIGHT = [  # without vgg19, which is made as vgg16 is; either draws half a gigabyte each time
    pytest.param(name, marks=pytest.mark.slow if name == "vgg16" else ())
    for name in NETWORKS
    if name != "vgg19"
]
FLOORS = ("linear-svm", "lbp-top", "majority")
RESNETS = ("resnet18", "resnet34", "resnet50")  # most of the time to make them goes into weights


def without_weights(name: str, classes: int, size: int) -> nn.Module:
    """A network on torch's meta device: every shape, type and refusal is as it is, and no number is drawn."""
    with torch.device("meta"):
        return NETWORKS[name](classes, size, seed=1)


def with_weights(name: str, classes: int, size: int, drawn: dict[str, torch.Tensor]) -> nn.Module:
    """A network made for SIZE; a ResNet with the weights DRAWN for another size, if they fit."""
    if name not in RESNETS:
        return NETWORKS[name](classes, size)
    module = without_weights(name, classes, size)
    if not drawn:
        drawn.update(NETWORKS[name](classes, size).state_dict())
    module.load_state_dict(drawn, assign=True)
    return module


@pytest.mark.parametrize("name", LIGHT)
def test_classes_size_and_seed_make_a_network(name: str) -> None:
    for classes, size in ((2, 28), (5, 44), (3, 64)):
        device = "meta" if name in RESNETS else "cpu"
        with torch.device(device):
            net = NETWORKS[name](classes, size, seed=1).eval()
            scores = net(torch.zeros(2, 3, size, size))
        assert scores.shape == (2, classes)
        assert scores.dtype == torch.float32
    assert inspect.signature(NETWORKS[name]).parameters["size"].default == 112


@pytest.mark.parametrize("name", LIGHT)
def test_same_seed_same_weights_and_the_global_generator_stays(name: str) -> None:
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    first = NETWORKS[name](4, 28, seed=1).state_dict()
    assert torch.equal(torch.rand(3), expected)
    again, other = NETWORKS[name](4, 28, seed=1).state_dict(), NETWORKS[name](4, 28, seed=2).state_dict()
    assert all(torch.equal(first[key], again[key]) for key in first)
    drawn = [
        key for key in first if first[key].is_floating_point() and first[key].ndim > 1 and first[key].any()
    ]
    assert not any(torch.equal(first[key], other[key]) for key in drawn)
    assert bool(drawn) is (name not in FLOORS)


@pytest.mark.parametrize("name", [case for case in LIGHT if case.values[0] not in FLOORS])
def test_an_image_is_answered_alike_alone_and_in_company(name: str) -> None:
    net = NETWORKS[name](3, 28).eval()
    images = torch.rand(5, 3, 28, 28, generator=torch.Generator().manual_seed(0)) * 2 - 1
    with torch.inference_mode():
        torch.testing.assert_close(net(images)[2:3], net(images[2:3]), atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("name", [name for name in NETWORKS if not name.startswith("vgg")])
def test_every_size_is_taken_whole_or_refused(name: str) -> None:
    """The last rows and columns have a say, or the size is refused with one that is not. Three, as LEARNet takes no notice of the last."""
    drawn: dict[str, torch.Tensor] = {}
    for size in range(28, 36):
        try:
            net = with_weights(name, 3, size, drawn).eval()
        except LearnetError as error:
            assert re.search(rf"{name} cannot take images of {size} pixels", str(error))
            for other in re.findall(r"nearest: (\d+) and (\d+)", str(error))[0]:
                NETWORKS[name](3, int(other))
            continue
        blank, corner = torch.zeros(2, 3, size, size)
        corner[:, -3:, -3:] = 50
        with torch.inference_mode():
            scores = net(torch.stack([blank, corner]))
        assert name in FLOORS or not torch.equal(scores[0], scores[1]), size


def test_names_that_are_not_there() -> None:
    with pytest.raises(UnknownName, match="Did you mean 'ststnet'"):
        pick(NETWORKS, "stsnet", "network")
    assert "stsnet" not in NETWORKS
    with pytest.raises(KeyError):
        NETWORKS["stsnet"]


def parameters(name: str, classes: int, size: int) -> int:
    """Count the parameters; those of a VGG from the counts that its own test checks, 4,097 for each of 1,000 classes."""
    whole = {"vgg16": 138_357_544, "vgg19": 143_667_240}
    if name in whole:
        return whole[name] - (1000 - classes) * 4097
    module = without_weights(name, classes, size)
    trained = sum(tensor.numel() for tensor in module.parameters())
    return trained or sum(tensor.numel() for tensor in module.state_dict().values())


def test_the_page_of_networks_lists_each_with_its_parameters() -> None:
    page = (ROOT / "docs" / "networks.md").read_text(encoding="utf-8")
    rows = [
        [cell.strip() for cell in line.strip("|\n").split("|")]
        for line in page.splitlines()
        if line.startswith("| `")
    ]
    table = {row[0].strip("`"): row for row in rows}
    assert table.keys() == {*NETWORKS, "timm:NAME"}
    for name in NETWORKS:
        at_112, at_28 = table[name][-2:]
        assert (at_112, at_28) == (f"{parameters(name, 5, 112):,}", f"{parameters(name, 3, 28):,}"), name


@pytest.mark.parametrize("module", [settings, studies])
def test_the_help_names_every_network(module: object) -> None:
    text = inspect.getsource(module)
    said = text[text.index("Network (docs/networks.md)") :].split(", where timm is installed")[0]
    assert set(re.findall(r"[a-z]+[a-z0-9-]*\d*", said)) >= set(NETWORKS)
    assert "timm:NAME" in said


def test_input_is_scaled_to_one_around_zero_and_colours_come_first(rng: np.random.Generator) -> None:
    images = rng.integers(0, 256, (2, 4, 5, 3), dtype=np.uint8)
    images[0, 0, 0] = [0, 255, 51]
    images.flags.writeable = False  # as a prepared folder gives them
    found = as_input(images)
    assert found.shape == (2, 3, 4, 5)
    torch.testing.assert_close(found[0, :, 0, 0], torch.tensor([-1.0, 1.0, -0.6]))
    np.testing.assert_allclose((found.numpy() + 1) * 127.5, images.transpose(0, 3, 1, 2), atol=1e-4)
    assert torch.equal(found, as_input(torch.from_numpy(images.copy())))


def test_input_from_a_file_mapped_into_memory(
    tmp_path: Path, rng: np.random.Generator, recwarn: pytest.WarningsRecorder
) -> None:
    images = rng.integers(0, 256, (3, 4, 4, 3), dtype=np.uint8)
    torch.set_warn_always(True)  # otherwise once a process
    np.save(tmp_path / "images.npy", images)
    assert torch.equal(as_input(np.load(tmp_path / "images.npy", mmap_mode="r")[1:]), as_input(images[1:]))
    torch.set_warn_always(False)
    assert not recwarn.list  # torch warns of arrays that cannot be written
