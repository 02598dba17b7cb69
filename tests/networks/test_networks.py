"""What all networks of the table have in common, and what the list, the help and the docs say about them."""

import inspect
import itertools
import re
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from learnet.cli import app
from learnet.core.errors import LearnetError, UnknownName, pick
from learnet.core.network_info import NETWORK_INFO, NetworkInfo, network_info
from learnet.networks import NETWORKS, as_input

ROOT = Path(__file__).resolve().parents[2]
LIGHT = [  # without vgg19, which is constructed like vgg16; either draws half a gigabyte each time
    pytest.param(name, marks=pytest.mark.slow if name == "vgg16" else ())
    for name in NETWORKS
    if name != "vgg19"
]
BASELINES = ("linear-svm", "rbf-svm", "lda", "logistic", "lbp-top", "lbp-fip", "bi-woof", "majority")
RESNETS = ("resnet18", "resnet34", "resnet50")  # most of the time to construct them is spent on weights


def without_weights(name: str, classes: int, size: int) -> nn.Module:
    """Construct a network on torch's meta device: shapes, types and errors are real, no number is drawn."""
    with torch.device("meta"):
        return NETWORKS[name](classes, size, seed=1)


def with_weights(name: str, classes: int, size: int, drawn: dict[str, torch.Tensor]) -> nn.Module:
    """Construct a network; a ResNet with the weights drawn for another size."""
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
def test_the_seed_determines_the_weights_and_the_global_generator_stays(name: str) -> None:
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    first = NETWORKS[name](4, 28, seed=1).state_dict()
    assert torch.equal(torch.rand(3), expected)
    again = NETWORKS[name](4, 28, seed=1).state_dict()
    other = NETWORKS[name](4, 28, seed=2).state_dict()
    assert all(torch.equal(first[key], again[key]) for key in first)
    drawn = []
    for key, tensor in first.items():
        if tensor.is_floating_point() and tensor.ndim > 1 and tensor.any():
            drawn.append(key)
    assert not any(torch.equal(first[key], other[key]) for key in drawn)
    assert bool(drawn) is (name not in BASELINES)


@pytest.mark.parametrize("name", [case for case in LIGHT if case.values[0] not in BASELINES])
def test_the_scores_of_an_image_do_not_depend_on_the_batch(name: str) -> None:
    net = NETWORKS[name](3, 28).eval()
    images = torch.rand(5, 3, 28, 28, generator=torch.Generator().manual_seed(0)) * 2 - 1
    with torch.inference_mode():
        torch.testing.assert_close(net(images)[2:3], net(images[2:3]), atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("name", [name for name in NETWORKS if not name.startswith("vgg")])
def test_border_pixels_matter_or_the_size_is_refused(name: str) -> None:
    """The last three rows and columns have an effect, because LEARNet ignores the very last.

    Otherwise the size is refused with the nearest valid ones.
    """
    drawn: dict[str, torch.Tensor] = {}
    for size in range(28, 36):
        try:
            net = with_weights(name, 3, size, drawn).eval()
        except LearnetError as error:
            assert not NETWORK_INFO[name].sizes.accepts(size)
            assert f"{name} cannot take images of {size} pixels" in str(error)
            for valid in re.findall(r"nearest: (\d+) and (\d+)", str(error))[0]:
                NETWORKS[name](3, int(valid))
            continue
        assert NETWORK_INFO[name].sizes.accepts(size)
        blank, corner = torch.zeros(2, 3, size, size)
        corner[:, -3:, -3:] = 50
        with torch.inference_mode():
            scores = net(torch.stack([blank, corner]))
        assert name in BASELINES or not torch.equal(scores[0], scores[1]), size


def test_unknown_names() -> None:
    with pytest.raises(UnknownName, match="Did you mean 'ststnet'"):
        pick(NETWORKS, "stsnet", "network")
    assert "stsnet" not in NETWORKS
    with pytest.raises(UnknownName):
        NETWORKS["stsnet"]


def test_every_network_has_an_entry_in_the_list() -> None:
    assert list(NETWORK_INFO) == list(NETWORKS)


@pytest.mark.parametrize("name", NETWORKS)
def test_non_iterative_networks_are_those_with_a_method_fit(name: str) -> None:
    assert NETWORK_INFO[name].non_iterative is hasattr(without_weights(name, 3, 40), "fit")


@pytest.mark.parametrize("name", BASELINES)
def test_whether_scores_are_votes_and_depend_on_the_image(name: str) -> None:
    """Votes of 3 pairs of classes: each score is within 1/3 of a whole number, and these add up to 3."""
    generator = torch.Generator().manual_seed(0)
    images = torch.rand(30, 3, 40, 40, generator=generator) * 2 - 1
    labels = torch.arange(30) % 3
    net = NETWORKS[name](3, 40)
    net.fit(images, labels)
    scores = net(images)
    votes = scores.round()
    are_votes = bool((votes.sum(dim=1) == 3).all() and ((scores - votes).abs() < 1 / 3).all())
    assert NETWORK_INFO[name].pairwise_votes is are_votes
    assert NETWORK_INFO[name].uses_image is not bool((scores == scores[0]).all())


def test_a_class_with_a_method_fit_is_listed_as_non_iterative(monkeypatch: pytest.MonkeyPatch) -> None:
    class NearestMean(nn.Module):
        def fit(self, images: torch.Tensor, labels: torch.Tensor) -> None: ...

    monkeypatch.setitem(NETWORK_INFO, "listed", NetworkInfo(uses_image=False))
    monkeypatch.setitem(NETWORK_INFO, "nearest-mean", NetworkInfo())  # removed after the test
    del NETWORK_INFO["nearest-mean"]
    for name in ("nearest-mean", "listed", "plain"):
        monkeypatch.setitem(NETWORKS, name, nn.Module if name == "plain" else NearestMean)
    assert network_info("nearest-mean").non_iterative
    assert not network_info("plain").non_iterative
    assert network_info("listed") == NetworkInfo(uses_image=False)


def test_networks_that_are_not_in_the_list_have_the_defaults() -> None:
    assert network_info("timm:resnet18") == network_info("my-own") == NetworkInfo()
    assert not NetworkInfo().non_iterative
    assert "histograms" not in NetworkInfo().images_kinds


def parameters(name: str, classes: int, size: int) -> int:
    """Count the parameters; those of a VGG from the tested counts, with 4,097 for each of 1,000 classes."""
    whole = {"vgg16": 138_357_544, "vgg19": 143_667_240}
    if name in whole:
        return whole[name] - (1000 - classes) * 4097
    module = without_weights(name, classes, size)
    trained = sum(tensor.numel() for tensor in module.parameters())
    return trained or sum(tensor.numel() for tensor in module.state_dict().values())


def test_the_page_of_networks_lists_each_with_its_parameters() -> None:
    page = (ROOT / "docs" / "networks.md").read_text(encoding="utf-8")
    table = {}
    for line in page.splitlines():
        if line.startswith("| `"):
            cells = [cell.strip() for cell in line.strip("|\n").split("|")]
            table[cells[0].strip("`")] = cells
    assert table.keys() == {*NETWORKS, "timm:NAME"}
    for name in NETWORKS:
        at_112, at_28 = table[name][-2:]
        assert at_112 == f"{parameters(name, 5, 112):,}"
        assert at_28 == f"{parameters(name, 3, 28):,}"


@pytest.mark.parametrize("command", ["study", "train", "select"])
def test_the_help_lists_every_network(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    app([command, "--help"], exit_on_error=False, result_action="return_value")
    text = re.sub(r"[│\s]+", " ", capsys.readouterr().out)
    description = text.split("--network ")[1].split("[default:")[0]
    assert set(re.findall(r"[a-z0-9-]+", description)) >= set(NETWORKS)
    assert "timm:NAME" in description


def test_input_is_scaled_to_one_around_zero_and_channels_come_first(rng: np.random.Generator) -> None:
    images = rng.integers(0, 256, (2, 4, 5, 3), dtype=np.uint8)
    images[0, 0, 0] = [0, 255, 51]
    images.flags.writeable = False  # as in a prepared folder
    scaled = as_input(images)
    assert scaled.shape == (2, 3, 4, 5)
    torch.testing.assert_close(scaled[0, :, 0, 0], torch.tensor([-1.0, 1.0, -0.6]))
    for image, pixels in itertools.product(range(2), range(3)):
        expected = images[image, :, :, pixels]
        np.testing.assert_allclose((scaled[image, pixels].numpy() + 1) * 127.5, expected, atol=1e-4)
    assert torch.equal(scaled, as_input(torch.from_numpy(images.copy())))


def test_input_from_a_memory_mapped_file(
    tmp_path: Path, rng: np.random.Generator, recwarn: pytest.WarningsRecorder
) -> None:
    images = rng.integers(0, 256, (3, 4, 4, 3), dtype=np.uint8)
    torch.set_warn_always(True)  # otherwise once per process
    np.save(tmp_path / "images.npy", images)
    assert torch.equal(as_input(np.load(tmp_path / "images.npy", mmap_mode="r")[1:]), as_input(images[1:]))
    torch.set_warn_always(False)
    assert not recwarn.list  # torch warns of arrays that cannot be written
