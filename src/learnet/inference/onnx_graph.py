"""ONNX graphs of networks: in float32 by PyTorch's exporter, then in float16 or int8."""

import contextlib
import io
import json
import logging
import tempfile
import warnings
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float32
from torch import nn

from learnet import __version__
from learnet.core.errors import BadCheckpoint, LearnetError
from learnet.inference.onnx_inference import INPUT, KEYS, NORMALISATION, OUTPUT
from learnet.training.metadata import CheckpointMetadata, metadata_to_json


def build_graph(weights: Path, module: nn.Module, metadata: CheckpointMetadata, opset: int) -> Any:
    """Return the network as an ONNX model in float32, without paths and stack traces of this machine.

    Args:
        weights: file of the network, for error messages.
        module: network in eval mode.
        metadata: of the checkpoint.
        opset: version of the ONNX operators.

    Raises:
        LearnetError: torch cannot export this network, or not in this opset.
    """
    example = torch.zeros(
        2, 3, metadata.size, metadata.size
    )  # a batch of one would be exported as a constant
    try:
        with _quiet():
            program = torch.onnx.export(
                module,
                (example,),
                dynamo=True,
                opset_version=opset,
                verbose=False,
                input_names=[INPUT],
                output_names=[OUTPUT],
                dynamic_shapes=({0: torch.export.Dim("batch")},),
            )
    except torch.onnx.OnnxExporterError:
        problem = f"torch finds no ONNX form of the network {metadata.network}"
        raise BadCheckpoint(weights, problem, "Keep the checkpoint.") from None
    assert program is not None, "torch returns None only if it writes the file itself"
    model = program.model_proto
    written = opset_of(model)  # torch does not raise if it cannot write the requested one
    if written != opset:
        raise LearnetError(
            f"torch writes this network in opset {written} here, and not in {opset}.",
            f"Choose opset {written} (--opset).",
        )
    _remove_traces(model)
    return model


def _remove_traces(model: Any) -> None:
    """Remove stack traces, which contain paths of this machine."""
    graph = model.graph
    tensors = (*graph.input, *graph.output, *graph.value_info, *graph.initializer)
    for part in (model, graph, *graph.node, *tensors):
        del part.metadata_props[:]
        part.doc_string = ""


def store_float16(model: Any) -> Any:
    """Return the model with its weights stored in 16 bits, if that changes none of them.

    So it is for weights that were read from half precision. A cast in the graph makes them float32 again;
    onnxruntime does so once, when it opens the file.
    """
    from onnx import TensorProto, helper, numpy_helper

    constants = [tensor for tensor in model.graph.initializer if tensor.data_type == TensorProto.FLOAT]
    values = [numpy_helper.to_array(tensor) for tensor in constants]
    with np.errstate(over="ignore"):
        halves = [array.astype(np.float16) for array in values]
    if not all(map(np.array_equal, halves, values)):
        return model
    casts = []
    for tensor, half in zip(constants, halves, strict=True):
        stored = f"{tensor.name}.float16"
        casts.append(helper.make_node("Cast", [stored], [tensor.name], to=TensorProto.FLOAT))
        tensor.CopyFrom(numpy_helper.from_array(half, stored))
    nodes = [*casts, *model.graph.node]
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    return model


def to_float16(model: Any) -> Any:
    """Return the model with weights and activations in 16 bits; input and output stay float32."""
    from onnxruntime.transformers.float16 import convert_float_to_float16

    with _quiet():
        half = convert_float_to_float16(model, keep_io_types=True)
    _sort_nodes(half.graph)
    return half


def _sort_nodes(graph: Any) -> None:
    """Put every node after those that it depends on, as ONNX requires; the conversion appends casts."""
    nodes = list(graph.node)
    producer = {}
    for index, node in enumerate(nodes):
        for name in node.output:
            producer[name] = index
    dependencies = {}
    for index, node in enumerate(nodes):
        dependencies[index] = [producer[name] for name in node.input if name in producer]
    del graph.node[:]
    graph.node.extend(nodes[index] for index in TopologicalSorter(dependencies).static_order())


def to_int8(model: Any, calibration: Iterator[Float32[np.ndarray, "1 3 S S"]]) -> Any:
    """Return the model with weights and activations in 8 bits (static quantisation).

    Ranges are those that occur on the calibration images. Ranges measured anew for each image (ONNX's dynamic
    quantisation) need no images, but make convolutions slower than in float32. The class layer stays in
    float32, so that no logit is cut off. Weights use 7 of the 8 bits: on processors without VNNI the sum of
    two products of full range overflows, and the agreement measured here would not hold there.

    Args:
        model: in float32.
        calibration: network inputs, one image at a time.
    """
    import onnx
    from onnxruntime.quantization import QuantFormat, QuantType, quantize_static

    class_layer = [node.name for node in model.graph.node if node.op_type in ("Gemm", "MatMul")][-1:]
    with tempfile.TemporaryDirectory() as folder, _quiet():
        float32_file = Path(folder) / "float32.onnx"
        int8_file = Path(folder) / "int8.onnx"
        onnx.save(model, float32_file)
        quantize_static(
            float32_file,
            int8_file,
            _calibration_reader(calibration),
            quant_format=QuantFormat.QDQ,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            reduce_range=True,
            nodes_to_exclude=class_layer,
        )
        return onnx.load(int8_file)


def _calibration_reader(calibration: Iterator[Float32[np.ndarray, "1 3 S S"]]) -> Any:
    """Wrap an iterator of network inputs in the class that onnxruntime expects."""
    from onnxruntime.quantization import CalibrationDataReader

    class Reader(CalibrationDataReader):
        def get_next(self) -> dict[str, np.ndarray] | None:
            """Return the next input, or None at the end."""
            batch = next(calibration, None)
            return None if batch is None else {INPUT: batch}

    return Reader()


def describe_graph(model: Any, metadata: CheckpointMetadata, precision: str) -> Any:
    """Replace the model's metadata by all that a reader, a person or another program needs to use it."""
    del model.metadata_props[:]
    model.producer_name = "learnet"
    model.producer_version = __version__
    model.graph.name = metadata.network
    model.doc_string = (
        f"{INPUT}: pixels 0..255 / 127.5 - 1, RGB. "
        f"{OUTPUT}: class scores before softmax, in the order of `classes`."
    )
    entries = {
        KEYS["metadata"]: metadata_to_json(metadata),
        KEYS["normalisation"]: json.dumps(NORMALISATION),
        "classes": json.dumps(metadata.classes),
        "precision": precision,
    }
    for key, text in entries.items():
        model.metadata_props.add(key=key, value=text)
    return model


def opset_of(model: Any) -> int:
    """Return the version of the ONNX operators that a model uses."""
    return next(opset.version for opset in model.opset_import if opset.domain in ("", "ai.onnx"))


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Suppress output, log messages and warnings of the exporters; errors are raised."""
    disabled_level = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        with (
            warnings.catch_warnings(),
            contextlib.redirect_stdout(io.StringIO()),
            contextlib.redirect_stderr(io.StringIO()),
        ):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(disabled_level)
