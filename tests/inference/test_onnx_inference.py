"""The reader of ONNX files against PyTorch, and against a graph written by hand whose output is known."""

import json
import os
import resource
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from learnet.core.errors import BadCheckpoint
from learnet.inference.onnx_export import export_onnx
from learnet.inference.onnx_inference import (
    NORMALISATION,
    is_onnx,
    load_onnx,
)
from learnet.inference.recogniser import Recogniser
from learnet.motion.detrend import StoredImages
from learnet.training.metadata import CheckpointMetadata, metadata_to_json
from tests.builders.scores import predict_scores
from tests.builders.weights_to_export import SIZE, make_metadata, pictures, trained, write_weights

METADATA = make_metadata("learnet")
SOURCE = Path(__file__).resolve().parents[2] / "src"


def by_hand(path: Path, metadata: dict[str, str], weights: np.ndarray, size: int = SIZE) -> Path:
    """Write a network that multiplies all values of an image by `weights` (3 * size * size, K)."""
    whole = helper.make_graph(
        [
            helper.make_node("Flatten", ["images"], ["flat"]),
            helper.make_node("MatMul", ["flat", "weights"], ["class_logits"]),
        ],
        "by hand",
        [helper.make_tensor_value_info("images", TensorProto.FLOAT, ["batch", 3, size, size])],
        [helper.make_tensor_value_info("class_logits", TensorProto.FLOAT, ["batch", weights.shape[1]])],
        [numpy_helper.from_array(weights.astype(np.float32), "weights")],
    )
    model = helper.make_model(whole, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    helper.set_model_props(model, metadata)
    path.write_bytes(model.SerializeToString())
    return path


def metadata_entries(metadata: CheckpointMetadata = METADATA) -> dict[str, str]:
    return {"learnet": metadata_to_json(metadata), "normalisation": json.dumps(NORMALISATION)}


def weights(classes: int = 3, size: int = SIZE) -> np.ndarray:
    return np.random.default_rng(4).normal(0, 0.1, (3 * size * size, classes))


@pytest.mark.parametrize("mirror", ["none", "image", "flow"])
def test_scores_are_those_of_the_graph_worked_by_hand(tmp_path: Path, mirror: str) -> None:
    images = pictures(70)  # more than go through at once
    scorer, metadata = load_onnx(
        by_hand(tmp_path / "net.onnx", metadata_entries(make_metadata("learnet", mirror=mirror)), weights())
    )
    assert metadata == make_metadata("learnet", mirror=mirror)
    seen = [images / 127.5 - 1]
    if mirror != "none":
        seen.append(seen[0][:, :, ::-1] * ([-1, 1, 1] if mirror == "flow" else [1, 1, 1]))
    scores = [np.exp(each.transpose(0, 3, 1, 2).reshape(70, -1) @ weights()) for each in seen]
    expected = sum(each / each.sum(axis=1, keepdims=True) for each in scores) / len(scores)
    np.testing.assert_allclose(scorer.scores(StoredImages(images)), expected, atol=1e-5)
    assert np.ptp(expected, axis=0).min() > 0.5
    assert scorer.scores(StoredImages(images[:0])).shape == (0, 3)


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A network for videos of faces, as checkpoint and as ONNX file."""
    folder = tmp_path_factory.mktemp("onnx")
    write_weights(folder / "w.safetensors", make_metadata("learnet", mirror="image", face="haar"))
    export_onnx(folder / "w.safetensors", folder / "net.onnx")
    return folder


def test_scores_are_those_of_torch(exported: Path) -> None:
    scorer, metadata = load_onnx(exported / "net.onnx")
    assert metadata == make_metadata("learnet", mirror="image", face="haar")
    np.testing.assert_allclose(
        scorer.scores(StoredImages(pictures(9))),
        predict_scores(trained("learnet"), pictures(9), "image"),
        atol=1e-6,
    )


WITHOUT_TORCH = """
import sys

class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "torch":
            raise ModuleNotFoundError("torch is not installed", name="torch")

sys.meta_path.insert(0, Blocked())
from learnet.cli import main
main(sys.argv[1:])
"""


def test_a_video_is_answered_without_torch_as_with_it(exported: Path) -> None:
    from learnet.datasets.synthetic.databases import synthetic_video

    film = exported / "stranger.mp4"
    synthetic_video(film, seed=6, emotion="surprise", duration_s=0.6)
    arguments = ["predict", str(film), "--windows", "--window-s", "0.25", "--whole-s", "0", "--weights"]
    command = [sys.executable, "-c", WITHOUT_TORCH, *arguments]
    environment = {**os.environ, "PYTHONPATH": str(SOURCE)}
    blocked = subprocess.run(
        [*command, exported / "w.safetensors"], capture_output=True, text=True, env=environment, timeout=600
    )
    assert "needs PyTorch, which is not installed" in blocked.stderr  # the block works
    done = subprocess.run(
        [*command, exported / "net.onnx"], capture_output=True, text=True, env=environment, timeout=600
    )
    assert done.returncode == 0 and "Traceback" not in done.stderr, done.stderr
    output, wanted = json.loads(done.stdout), Recogniser.load(exported / "w.safetensors")(film, _windows())
    assert len(output["answers"]) == len(wanted.predictions) >= 3
    for from_onnx, from_torch in zip(output["answers"], wanted.predictions, strict=True):
        assert from_onnx["label"] == from_torch.label is not None
        np.testing.assert_allclose(
            list(from_onnx["scores"].values()), list(from_torch.scores.values()), atol=2e-6
        )
    assert len({tuple(answer.scores.values()) for answer in wanted.predictions}) > 1


def _windows() -> object:
    from learnet.core.settings import Windows

    return Windows(window_s=0.25, whole_s=0.0)


def test_files_are_told_apart_by_what_is_in_them(exported: Path, tmp_path: Path) -> None:
    checkpoint, network = (exported / "w.safetensors").read_bytes(), (exported / "net.onnx").read_bytes()
    for name, content, onnx_inside in (
        ("a.onnx", network, True),
        ("a.bin", network, True),
        ("A.ONNX", b"not at all", True),
        ("none.onnx", None, True),
        ("b.safetensors", checkpoint, False),
        ("b.onnx", checkpoint, False),
        ("b.bin", b"not at all", False),
        ("none", None, False),
    ):
        if content is not None:
            (tmp_path / name).write_bytes(content)
        assert is_onnx(tmp_path / name) == onnx_inside, name
    assert Recogniser.load(tmp_path / "a.bin").metadata == Recogniser.load(tmp_path / "b.onnx").metadata


def refused(path: Path, says: str) -> None:
    with pytest.raises(BadCheckpoint, match=says) as caught:
        Recogniser.load(path)
    assert str(path) in str(caught.value) and "\n" not in str(caught.value) and len(str(caught.value)) < 700


def test_files_that_cannot_be_read_are_refused(
    exported: Path, tmp_path: Path, capfd: pytest.CaptureFixture
) -> None:
    path, whole = tmp_path / "net.onnx", (exported / "net.onnx").read_bytes()
    refused(path, "no such file.*learnet export")
    for content in (b"", b"some text", whole[:-1000], whole[:200], b"\x08\x0a" + bytes(500)):
        path.write_bytes(content)
        refused(path, "not an ONNX file, damaged")
    path.unlink()
    path.mkdir()
    refused(path, "not a file")
    model = onnx.load(exported / "net.onnx")
    onnx.save(
        model, tmp_path / "apart.onnx", save_as_external_data=True, location="apart.data", size_threshold=0
    )
    (tmp_path / "apart.data").unlink()
    refused(tmp_path / "apart.onnx", "damaged or changed after it was written")
    assert capfd.readouterr() == ("", "")


def test_graphs_of_others_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "net.onnx"
    refused(by_hand(path, {}, weights()), "learnet did not write this")
    refused(by_hand(path, {**metadata_entries(), "learnet": "{"}, weights()), "cannot be read")
    refused(
        by_hand(
            path,
            {**metadata_entries(), "learnet": metadata_to_json(METADATA).replace("learnet-1", "learnet-9")},
            weights(),
        ),
        "learnet-9",
    )
    refused(by_hand(path, {"learnet": metadata_to_json(METADATA)}, weights()), "not known here .None")
    refused(
        by_hand(
            path,
            {**metadata_entries(), "normalisation": json.dumps({**NORMALISATION, "scale": 1})},
            weights(),
        ),
        "not known here",
    )
    refused(by_hand(path, metadata_entries(), weights(4)), "does not fit 32 pixels and 3 classes")
    refused(
        by_hand(path, metadata_entries(), weights(3, 28), size=28), "does not fit 32 pixels and 3 classes"
    )
    refused(
        by_hand(path, metadata_entries(replace(METADATA, preparation=None)), weights()),
        "imported motion images",
    )


def test_networks_that_answer_nonsense_are_refused(tmp_path: Path) -> None:
    broken = weights()
    broken[5, 1] = np.nan
    scorer, _ = load_onnx(by_hand(tmp_path / "net.onnx", metadata_entries(), broken))
    with pytest.raises(BadCheckpoint, match="not finite"):
        scorer.scores(StoredImages(pictures(2)))
    misfit = weights(size=16)  # the graph's own sizes do not fit: found only when it runs
    model = onnx.load(by_hand(tmp_path / "net.onnx", metadata_entries(), misfit, size=16))
    for side in model.graph.input[0].type.tensor_type.shape.dim[2:]:
        side.dim_value = SIZE
    (tmp_path / "net.onnx").write_bytes(model.SerializeToString())
    with pytest.raises(BadCheckpoint, match="net.onnx: "):
        load_onnx(tmp_path / "net.onnx")[0].scores(StoredImages(pictures(2)))


def hostile(path: Path, nodes: list, tensors: list, metadata: CheckpointMetadata = METADATA) -> Path:
    """Write a graph of any nodes with the inputs, outputs and metadata that are required."""
    whole = helper.make_graph(
        nodes,
        "hostile",
        [helper.make_tensor_value_info("images", TensorProto.FLOAT, ["batch", 3, SIZE, SIZE])],
        [helper.make_tensor_value_info("class_logits", TensorProto.FLOAT, ["any", 3])],
        tensors,
    )
    model = helper.make_model(whole, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    helper.set_model_props(model, metadata_entries(metadata))
    path.write_bytes(model.SerializeToString())
    return path


def numbers(name: str, *values: int) -> TensorProto:
    return numpy_helper.from_array(np.array(values, np.int64), name)


def test_a_graph_that_could_run_without_end_is_refused(tmp_path: Path) -> None:
    condition = helper.make_tensor_value_info("again", TensorProto.BOOL, [])
    body = helper.make_graph(
        [helper.make_node("Identity", ["go"], ["again"])],
        "body",
        [
            helper.make_tensor_value_info("turn", TensorProto.INT64, []),
            helper.make_tensor_value_info("go", TensorProto.BOOL, []),
        ],
        [condition],
    )
    endless = [helper.make_node("Loop", ["", "yes"], [], body=body)]
    yes = numpy_helper.from_array(np.array(True), "yes")
    path = hostile(
        tmp_path / "net.onnx", [*endless, helper.make_node("Sum", ["yes"], ["class_logits"])], [yes]
    )
    with pytest.raises(BadCheckpoint, match="could run without end"):
        load_onnx(path)


@pytest.mark.parametrize(
    "nodes",
    [
        [helper.make_node("ConstantOfShape", ["shape"], ["class_logits"])],
        [
            helper.make_node("ReduceMax", ["images"], ["largest"], keepdims=0),
            helper.make_node("Expand", ["largest", "shape"], ["class_logits"]),
        ],
        [
            helper.make_node("Reshape", ["images", "column"], ["first"]),
            helper.make_node("Tile", ["first", "shape"], ["class_logits"]),
        ],
    ],
    ids=["ConstantOfShape", "Expand", "Tile"],
)
def test_a_graph_that_asks_for_too_much_memory_is_refused(tmp_path: Path, nodes: list) -> None:
    """6 GB, of which nothing is allocated."""
    tensors = [numbers("shape", 500_000_000, 3), numbers("column", -1, 1)]
    scorer, _ = load_onnx(hostile(tmp_path / "net.onnx", nodes, tensors))
    with pytest.raises(BadCheckpoint, match="cannot run it"):
        scorer.scores(StoredImages(pictures(2)))
    largest_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert largest_kb < 4_000_000


def test_a_graph_that_answers_for_another_number_of_images_is_refused(tmp_path: Path) -> None:
    nodes = [helper.make_node("ConstantOfShape", ["shape"], ["class_logits"])]
    scorer, _ = load_onnx(hostile(tmp_path / "net.onnx", nodes, [numbers("shape", 7, 3)]))
    with pytest.raises(BadCheckpoint, match=r"is \[7, 3\], and should be \[2, 3\]"):
        scorer.scores(StoredImages(pictures(2)))


@pytest.mark.parametrize("location", ["beside.bin", "../beside.bin", "/etc/hostname"])
def test_weights_in_another_file_are_not_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, location: str
) -> None:
    """Also not in the working directory, where onnxruntime would look for them."""
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    for folder in (tmp_path, tmp_path / "here"):
        (folder / "beside.bin").write_bytes(bytes(3 * SIZE * SIZE * 3 * 4))
    path = by_hand(tmp_path / "net.onnx", metadata_entries(), weights())
    model = onnx.load(path)
    tensor = model.graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value=location)
    path.write_bytes(model.SerializeToString())
    with pytest.raises(BadCheckpoint, match="in another file, which is not opened"):
        load_onnx(path)


def test_a_flipped_bit_of_an_exported_file_is_noticed(exported: Path, tmp_path: Path) -> None:
    content = (exported / "net.onnx").read_bytes()
    path = tmp_path / "net.onnx"
    for position in np.random.default_rng(2).integers(0, len(content) - 80, 60):
        damaged = bytearray(content)
        damaged[position] ^= 1 << (position % 8)
        path.write_bytes(damaged)
        with pytest.raises(BadCheckpoint):
            load_onnx(path)


def test_metadata_that_are_not_utf_8_are_refused(tmp_path: Path) -> None:
    path = by_hand(tmp_path / "net.onnx", metadata_entries(), weights())
    path.write_bytes(path.read_bytes().replace(b"normalisation", b"normalisati\xffn", 1))
    with pytest.raises(BadCheckpoint, match="not UTF-8"):
        load_onnx(path)
