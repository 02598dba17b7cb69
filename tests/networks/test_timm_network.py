"""`timm:NAME` with a substitute for timm that has the few functions that are called."""

import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from learnet import cli
from learnet.core.errors import LearnetError, pick
from learnet.core.settings import Preparation, Training
from learnet.networks import NETWORKS, timm_network
from learnet.training.checkpoint import load_checkpoint, save_checkpoint
from learnet.training.examples import TrainingSet
from learnet.training.metadata import CheckpointMetadata
from learnet.training.train import train, train_together

FAKE = """
from dataclasses import dataclass
import torch
from torch import nn

@dataclass
class Cfg:
    fixed_input_size: bool = False

class AnySize(nn.Module):
    def __init__(self, classes):
        super().__init__()
        self.conv, self.bn, self.drop = nn.Conv2d(3, 8, 3, 2, 1), nn.BatchNorm2d(8), nn.Dropout(0.0)
        self.head = nn.Linear(8, classes)

    def forward(self, x):
        return self.head(self.drop(self.bn(self.conv(x)).relu().mean((2, 3))))

class Embed(nn.Module):
    patch_size = (8, 8)

class Patches(nn.Module):
    def __init__(self, classes, img_size):
        super().__init__()
        self.patch_embed, self.side = Embed(), img_size
        self.proj, self.head = nn.Conv2d(3, 4, 8, 8), nn.Linear(4 * (img_size // 8) ** 2, classes)

    def forward(self, x):
        assert x.shape[-1] == self.side, f"Input height ({x.shape[-1]}) doesn't match model ({self.side})."
        return self.head(self.proj(x).flatten(1))

class Large(AnySize):
    def forward(self, x):
        return super().forward(nn.functional.max_pool2d(x, 64))

def list_models():
    return ["anysize", "large", "patches8", "untold"]

def get_pretrained_cfg(name):
    return {"patches8": Cfg(True), "untold": None}.get(name, Cfg())

def create_model(name, pretrained=False, num_classes=1000, **words):
    assert not pretrained and name in list_models()
    if name == "patches8":
        return Patches(num_classes, **words)
    if words:
        raise TypeError(f"{name} got an unexpected keyword argument")
    return (Large if name == "large" else AnySize)(num_classes)
"""


@pytest.fixture
def timm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    (tmp_path / "library" / "timm").mkdir(parents=True)
    (tmp_path / "library" / "timm" / "__init__.py").write_text(FAKE)
    monkeypatch.syspath_prepend(tmp_path / "library")
    monkeypatch.delitem(sys.modules, "timm", raising=False)
    yield
    sys.modules.pop("timm", None)


@pytest.mark.usefixtures("timm")
def test_a_network_of_timm_is_constructed_like_any_other() -> None:
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    make = pick(NETWORKS, "timm:anysize", "network")
    first, again, other = (make(4, 30, seed=seed) for seed in (1, 1, 2))
    assert torch.equal(torch.rand(3), expected)
    for name, tensor in first.state_dict().items():
        assert torch.equal(tensor, again.state_dict()[name])
    assert not torch.equal(first.conv.weight, other.conv.weight)
    assert first.training and first.bn.num_batches_tracked == 0  # the trial image left no trace
    assert first(torch.zeros(2, 3, 30, 30)).shape == (2, 4)
    assert NETWORKS["timm:untold"](2, 28)(torch.zeros(2, 3, 28, 28)).shape == (2, 2)
    assert not any(name.startswith("timm:") for name in NETWORKS)  # nothing is listed that may be missing


@pytest.mark.usefixtures("timm")
def test_a_network_of_patches_is_constructed_for_the_size() -> None:
    assert NETWORKS["timm:patches8"](3, 40)(torch.zeros(1, 3, 40, 40)).shape == (1, 3)
    with pytest.raises(LearnetError, match=r"timm:patches8 .* 45 pixels, .* It accepts multiples of 8\.$"):
        NETWORKS["timm:patches8"](3, 45)


@pytest.mark.usefixtures("timm")
def test_a_failure_of_the_network_is_one_line() -> None:
    assert NETWORKS["timm:large"](3, 64)(torch.zeros(2, 3, 64, 64)).shape == (2, 3)
    with pytest.raises(LearnetError, match="timm:large cannot take images of 28 pixels: ") as caught:
        NETWORKS["timm:large"](3, 28)
    assert "\n" not in str(caught.value)


@pytest.mark.usefixtures("timm")
def test_names_that_timm_does_not_have() -> None:
    for name, message in (
        ("anysise", "timm has no network called 'anysise'. Did you mean 'timm:anysize'?"),
        ("", "timm has no network called ''. In Python, timm.list_models() lists them."),
        ("hf-hub:someone/something", "In Python, timm.list_models() lists them."),
        ("anysize.a1_in1k", "Did you mean 'timm:anysize'?"),  # a tag names weights, and none are loaded
    ):
        with pytest.raises(LearnetError) as caught:
            pick(NETWORKS, f"timm:{name}", "network")
        assert str(caught.value).endswith(message)


def test_without_timm_the_error_names_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capfd: pytest.CaptureFixture
) -> None:
    monkeypatch.setattr(timm_network, "find_spec", lambda name: None)
    with pytest.raises(LearnetError, match="timm:resnet18 .* pip install timm"):
        NETWORKS["timm:resnet18"]
    with pytest.raises(SystemExit) as ended:
        cli.main(["study", str(tmp_path / "prepared"), str(tmp_path / "out"), "--network", "timm:resnet18"])
    stderr = capfd.readouterr().err
    assert ended.value.code == 2 and stderr.count("\n") == 1 and "pip install timm" in stderr
    assert not (tmp_path / "out").exists()


@pytest.mark.usefixtures("timm")
def test_it_is_trained_and_saved_like_any_other(tmp_path: Path, rng: np.random.Generator) -> None:
    """Also as an ensemble: the dropout of timm is off by default, and a layer with rate 0 draws nothing."""
    images = rng.integers(0, 256, (12, 28, 28, 3), dtype=np.uint8)
    part = TrainingSet(images, np.arange(12) % 3, [f"d/{i}" for i in range(12)], 3)
    # AdamW would magnify the rounding of gradients that are zero.
    training = Training(epochs=2, mirror="none", detrend=False, batch_size=6, optimiser="sgd")
    module = train("timm:anysize", part, training).module
    beside = train_together("timm:anysize", [part, part], [training, replace(training, seed=1)])[0].module
    for name, tensor in module.state_dict().items():
        torch.testing.assert_close(beside.state_dict()[name], tensor, atol=1e-4, rtol=1e-3)
    facts = CheckpointMetadata(
        "timm:anysize", ("a", "b", "c"), 28, Preparation(size=28), training, {"images_kind": "image"}, {}
    )
    save_checkpoint(tmp_path / "w.safetensors", module, facts)
    loaded, found = load_checkpoint(tmp_path / "w.safetensors")
    assert found.network == "timm:anysize"
    with torch.inference_mode():
        assert torch.equal(loaded(torch.ones(1, 3, 28, 28)), module(torch.ones(1, 3, 28, 28)))
