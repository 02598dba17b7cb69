"""ONNX files against PyTorch: run by onnxruntime as any other program would, with pixels scaled by hand."""

import json
import logging
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from torch import nn

from learnet import cli
from learnet.core.errors import BadCheckpoint, BadInput, LearnetError, OutputTaken, UnknownName
from learnet.inference.onnx_export import export_onnx
from learnet.networks import NETWORKS
from learnet.training.checkpoint import load_checkpoint, save_checkpoint
from learnet.training.metadata import metadata_to_json
from tests.builders.weights_to_export import (
    CLASSES,
    SIZE,
    make_metadata,
    pictures,
    trained,
    write_prepared,
    write_weights,
)


def logits(file: Path, images: np.ndarray) -> np.ndarray:
    """Run the graph as documented."""
    session = onnxruntime.InferenceSession(str(file))
    scaled = images.astype(np.float64).transpose(0, 3, 1, 2) / 127.5 - 1
    return session.run(None, {"images": scaled.astype(np.float32)})[0]


def wanted(module: nn.Module, images: np.ndarray) -> np.ndarray:
    scaled = images.astype(np.float64).transpose(0, 3, 1, 2) / 127.5 - 1
    with torch.no_grad():
        return module(torch.from_numpy(scaled.astype(np.float32))).numpy()


def probabilities(logits: np.ndarray) -> np.ndarray:
    return torch.from_numpy(logits).double().softmax(dim=1).numpy()


def about(file: Path) -> dict[str, str]:
    return {entry.key: entry.value for entry in onnx.load(file).metadata_props}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Weights of a LEARNet and a prepared folder that fits them."""
    folder = tmp_path_factory.mktemp("export")
    write_weights(folder / "w.safetensors", make_metadata("learnet", mirror="image"))
    write_prepared(folder / "prepared", make_metadata("learnet"))
    return folder


@pytest.fixture(scope="module")
def whole(place: Path) -> Path:
    export_onnx(place / "w.safetensors", place / "whole.onnx", images=place / "prepared")
    return place / "whole.onnx"


SMALL_OF_EACH_KIND = ("learnet", "ststnet", "linear-svm", "rbf-svm", "lda", "logistic", "lbp-top", "majority")
EXPORTED = [
    pytest.param(name, marks=() if name in SMALL_OF_EACH_KIND else pytest.mark.slow)
    for name in NETWORKS
    if not name.startswith("vgg")  # a file of 550 MB
]


@pytest.mark.parametrize("network", EXPORTED)
def test_every_network_answers_as_in_torch_whatever_the_batch(tmp_path: Path, network: str) -> None:
    weights = write_weights(tmp_path / "w.safetensors", make_metadata(network))
    exported = export_onnx(weights, tmp_path / "new folder" / "net.onnx")
    module = trained(network)
    for count in (1, 2, 5):
        images = pictures(count, seed=9)
        np.testing.assert_allclose(logits(exported.path, images), wanted(module, images), atol=1e-4)
    if network != "majority":
        assert np.ptp(wanted(module, pictures(5, seed=9)), axis=0).min() > 0.01  # or any answer would do
    assert [found.kind for found in exported.agreements] == ["random"]
    assert (exported.opset, exported.precision, exported.size_bytes) == (
        18,
        "float32",
        exported.path.stat().st_size,
    )


def test_weights_in_half_precision_are_stored_so_and_give_the_same_numbers(
    place: Path, tmp_path: Path
) -> None:
    module, metadata = load_checkpoint(place / "w.safetensors")
    save_checkpoint(tmp_path / "half.safetensors", module, metadata, half=True)
    exported = export_onnx(tmp_path / "half.safetensors", tmp_path / "half.onnx")
    whole = export_onnx(place / "w.safetensors", tmp_path / "whole.onnx")
    assert exported.size_bytes < 0.51 * whole.size_bytes and exported.precision == "float32"
    rounded, _ = load_checkpoint(tmp_path / "half.safetensors")
    images = pictures(5, seed=9)
    np.testing.assert_allclose(logits(exported.path, images), wanted(rounded, images), atol=1e-5)
    assert np.abs(wanted(rounded, images) - wanted(module, images)).max() > 1e-4  # or nothing was rounded


def test_the_file_says_all_that_its_user_needs(place: Path, whole: Path) -> None:
    model = onnx.load(whole)
    onnx.checker.check_model(model, full_check=True)
    output, (module, weights) = about(whole), load_checkpoint(place / "w.safetensors")
    assert output["learnet"] == metadata_to_json(weights)
    assert json.loads(output["classes"]) == list(CLASSES)
    assert json.loads(output["normalisation"]) == {
        "input": "float32 (batch, 3, size, size), RGB",
        "scale": 1 / 127.5,
        "offset": -1.0,
    }
    assert output["precision"] == "float32"
    shapes = [
        [d.dim_param or d.dim_value for d in v.type.tensor_type.shape.dim]
        for v in (*model.graph.input, *model.graph.output)
    ]
    assert shapes == [["batch", 3, SIZE, SIZE], ["batch", 3]]
    assert [(used.domain, used.version) for used in model.opset_import] == [("", 18)]
    assert (model.producer_name, model.graph.name) == ("learnet", "learnet")
    random, real = json.loads(output["agreement"])
    images = np.load(place / "prepared" / "images.npy")
    apart = np.abs(probabilities(logits(whole, images)) - probabilities(wanted(module, images))).max()
    assert (real["kind"], real["images"], real["labels"], random["kind"]) == ("prepared", 12, 1.0, "random")
    assert 0 < real["logits"] < 2e-5 and apart < 5e-6 and real["probabilities"] < 5e-6
    assert real["reach"] == pytest.approx(np.abs(wanted(module, images)).max(), rel=1e-6)


def test_nothing_of_this_machine_is_in_the_file_and_the_same_weights_give_the_same_bytes(
    place: Path, whole: Path, tmp_path: Path
) -> None:
    content = whole.read_bytes()
    assert str(Path(cli.__file__).parents[1]).encode() not in content and b"stack_trace" not in content
    export_onnx(place / "w.safetensors", tmp_path / "again.onnx", images=place / "prepared")
    assert (tmp_path / "again.onnx").read_bytes() == content


def test_the_opset_is_the_one_asked_for(tmp_path: Path) -> None:
    weights = write_weights(tmp_path / "w.safetensors", make_metadata("majority"))  # the quickest
    exported = export_onnx(weights, tmp_path / "net.onnx", opset=20)
    assert exported.opset == 20 and [used.version for used in onnx.load(exported.path).opset_import] == [20]
    np.testing.assert_allclose(
        logits(exported.path, pictures(3)), wanted(trained("majority"), pictures(3)), atol=1e-4
    )
    with pytest.raises(
        LearnetError, match="torch writes this network in opset 18 here, and not in 99. Choose opset 18"
    ):
        export_onnx(weights, tmp_path / "unborn.onnx", opset=99)
    assert not (tmp_path / "unborn.onnx").exists()


@pytest.mark.parametrize(
    ("precision", "kind", "size", "compared"), [("float16", 10, 0.55, 12), ("int8", 3, 0.35, 6)]
)
def test_smaller_forms_say_what_they_lose(
    place: Path, whole: Path, tmp_path: Path, precision: str, kind: int, size: float, compared: int
) -> None:
    exported = export_onnx(place / "w.safetensors", tmp_path / "small.onnx", precision, place / "prepared")
    model = onnx.load(exported.path)
    onnx.checker.check_model(model, full_check=True)
    assert exported.size_bytes < size * whole.stat().st_size
    stored = sum(np.prod(weight.dims) for weight in model.graph.initializer if weight.data_type == kind)
    assert stored > 0.95 * sum(weight.numel() for weight in trained("learnet").parameters())
    real = exported.agreements[1]
    assert json.loads(about(exported.path)["agreement"])[1]["probabilities"] == real.probabilities
    assert (about(exported.path)["precision"], real.kind, real.images) == (precision, "prepared", compared)
    images = np.load(place / "prepared" / "images.npy")
    if precision == "int8":
        images = images[1::2]  # of four people in turn the first and third set the ranges
    scores, found = wanted(trained("learnet"), images), logits(exported.path, images)
    assert real.logits == pytest.approx(np.abs(scores - found).max(), rel=0.1) and real.logits > 1e-4
    flipped = images[:, :, ::-1]  # the weights average the scores of an image and its mirror image
    pairs = [(probabilities(a) + probabilities(b)) / 2 for a, b in (
        (scores, wanted(trained("learnet"), flipped)), (found, logits(exported.path, flipped)))]  # fmt: skip
    assert real.probabilities == pytest.approx(np.abs(pairs[0] - pairs[1]).max(), rel=0.1)
    assert real.labels == (pairs[0].argmax(axis=1) == pairs[1].argmax(axis=1)).mean()
    assert real.probabilities < {"float16": 0.005, "int8": 0.1}[precision]


class Liar(nn.Module):
    """Has other logits in its exported form."""

    def __init__(self, classes: int, size: int = 112, seed: int = 0) -> None:
        super().__init__()
        self.dense = nn.Linear(3, classes)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.dense(images.mean(dim=(2, 3))) + (3e-4 if torch.compiler.is_exporting() else 0)


class Brancher(Liar):
    """Cannot be exported: it branches on a value."""

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.dense(images.mean(dim=(2, 3))) * (2 if images.sum() > 0 else 1)


@pytest.mark.parametrize(
    ("network", "says"),
    [(Liar, "disagrees with PyTorch .logits differ by up to 0.0003 on 16"), (Brancher, "no ONNX form")],
)
def test_what_disagrees_is_not_kept(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture,
    network: type[nn.Module],
    says: str,
) -> None:
    monkeypatch.setitem(NETWORKS, "odd", network)
    save_checkpoint(tmp_path / "w.safetensors", network(3), make_metadata("odd"))
    (tmp_path / "net.onnx").write_bytes(b"as it was")
    with pytest.raises(LearnetError, match=says):
        export_onnx(tmp_path / "w.safetensors", tmp_path / "net.onnx")
    assert (tmp_path / "net.onnx").read_bytes() == b"as it was"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["net.onnx", "w.safetensors"]
    assert capfd.readouterr() == ("", "")  # the exporter says a lot when it fails
    assert logging.root.manager.disable == 0


def test_mistakes_are_refused_before_anything_is_written(
    place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    weights, out = place / "w.safetensors", tmp_path / "net.onnx"
    floor = write_weights(tmp_path / "floor.safetensors", make_metadata("majority"))
    one = write_prepared(tmp_path / "one", make_metadata("learnet"), people=1)
    small = write_prepared(tmp_path / "small", make_metadata("learnet", size=28))
    other = write_prepared(tmp_path / "other", make_metadata("learnet", motion="dynamic-linear"))
    flow = write_prepared(tmp_path / "flow", replace(make_metadata("learnet"), data={"images_kind": "flow"}))
    for kind, says, asked in (
        (UnknownName, "Did you mean 'float16'", (weights, out, "floa16")),
        (LearnetError, "int8 needs images", (weights, out, "int8")),
        (LearnetError, "int8 needs two people", (weights, out, "int8", one)),
        (LearnetError, "majority has no convolutions", (floor, out, "float16")),
        (LearnetError, "ends in .onnx", (weights, tmp_path / "net.pb")),
        (OutputTaken, "a folder", (weights, tmp_path / "there.onnx")),
        (OutputTaken, "the weights to export", (out, out)),
        (BadCheckpoint, "no such file", (tmp_path / "none.safetensors", out)),
        (BadInput, "not a prepared folder", (weights, out, "float32", tmp_path)),
        (BadCheckpoint, "accepts images of 32 pixels, and these have 28", (weights, out, "float32", small)),
        (BadCheckpoint, "trained on .*dynamic-linear", (weights, out, "float32", other)),
        (BadCheckpoint, "these are", (weights, out, "float32", flow)),
    ):
        (tmp_path / "there.onnx").mkdir(exist_ok=True)
        with pytest.raises(kind, match=says) as caught:
            export_onnx(*asked)
        assert "\n" not in str(caught.value)
        assert not out.exists() and not list(tmp_path.glob("*.part"))
    monkeypatch.setitem(sys.modules, "onnxscript", None)
    with pytest.raises(
        LearnetError,
        match=r"An export needs ONNX Script, .* Install it: pip install 'learnet\[onnx\]'",
    ):
        export_onnx(weights, out)


def test_the_command_tells_the_agreement_and_nothing_else(
    place: Path, tmp_path: Path, capfd: pytest.CaptureFixture
) -> None:
    weights = write_weights(tmp_path / "w.safetensors", make_metadata("majority"))
    with pytest.raises(SystemExit) as ended:
        cli.main(["export", str(weights), str(tmp_path / "net.onnx"), "--images", str(place / "prepared")])
    output, errors = capfd.readouterr()
    assert ended.value.code == 0 and errors == ""
    assert "16 random" in output and "12 prepared" in output
    assert f"-> {tmp_path / 'net.onnx'}" in output
    with pytest.raises(SystemExit) as ended:
        cli.main(["export", str(place / "w.safetensors"), str(tmp_path / "net.onnx"), "--precision", "int8"])
    output, errors = capfd.readouterr()
    assert ended.value.code == 2 and output == "" and errors.count("\n") == 1 and "--images" in errors
