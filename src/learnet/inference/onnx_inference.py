"""Networks stored as ONNX files, run by onnxruntime: this module and its imports do not load torch.

`onnx_export` writes such files. What a file must contain is defined here, beside the code that reads it.
"""

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float32

from learnet.core.errors import BadCheckpoint
from learnet.inference.onnx_file import check_file
from learnet.training.metadata import CheckpointMetadata, read_metadata
from learnet.training.scorer import Scorer

INPUT = "images"
OUTPUT = "class_logits"

NORMALISATION = {"input": "float32 (batch, 3, size, size), RGB", "scale": 1 / 127.5, "offset": -1.0}
"""Input of the graph: pixels 0..255 times scale plus offset (`scorer.scale`). Stored as JSON in the file."""

KEYS = {"metadata": "learnet", "normalisation": "normalisation"}
"""Metadata entries that are read. `onnx_export` writes more, for people and other programs."""

MOST_MEMORY = 3 * 2**30
"""Bytes that all networks of a process may use for weights and maps: a few nodes of a graph can ask for any
number."""

HOW_TO_MAKE = "Write a readable file with `learnet export`."


def is_onnx(path: Path) -> bool:
    """Return whether a file of weights is ONNX, by its suffix or its first bytes.

    A safetensors file has a brace after its eight bytes of length, and is not ONNX whatever its name. An ONNX
    file begins with its field 1, a small number: the byte 8.
    """
    head = b""
    if path.is_file():
        with path.open("rb") as handle:
            head = handle.read(9)
    if head[8:] == b"{":
        return False
    return path.suffix.lower() == ".onnx" or head[:1] == b"\x08"


@dataclass(frozen=True)
class OnnxNetwork:
    """A network run by onnxruntime on one thread: the same numbers on any number of cores."""

    path: Path  # of the file, for error messages
    session: Any  # onnxruntime.InferenceSession
    outputs: int  # number of logits of an image

    def __call__(self, batch: Float32[np.ndarray, "B 3 S S"]) -> Float32[np.ndarray, "B K"]:
        """Return the logits of each class.

        Args:
            batch: scaled images, -1..1.

        Raises:
            BadCheckpoint: the graph does not run, or needs too much memory, or it returns something else than
                finite logits of each image.
        """
        try:
            logits = self.session.run([OUTPUT], {INPUT: np.ascontiguousarray(batch)})[0]
        except _onnxruntime_errors() as error:
            problem = f"onnxruntime cannot run it ({_first_line(error)})"
            raise BadCheckpoint(self.path, problem, HOW_TO_MAKE) from None
        if logits.shape != (len(batch), self.outputs):
            expected = [len(batch), self.outputs]
            problem = f"the shape of its scores is {list(logits.shape)}, and should be {expected}"
            raise BadCheckpoint(self.path, problem, HOW_TO_MAKE)
        if not np.isfinite(logits).all():
            raise BadCheckpoint(self.path, "its class scores are not finite", "Export it again, as float32.")
        return logits


def load_onnx(path: Path) -> tuple[Scorer, CheckpointMetadata]:
    """Read a file written by `learnet export`.

    Returns:
        The scorer of prepared images, and the metadata of the file.

    Raises:
        BadCheckpoint: the file is missing, damaged, not ONNX, or not written by learnet; or its graph does
            not fit its metadata.
    """
    if not path.is_file():
        problem = "this is not a file" if path.exists() else "there is no such file"
        raise BadCheckpoint(path, problem, HOW_TO_MAKE)
    return scorer_from_bytes(path, path.read_bytes())


def scorer_from_bytes(path: Path, content: bytes) -> tuple[Scorer, CheckpointMetadata]:
    """Read the content of an ONNX file as `load_onnx` does; `path` is for error messages."""
    check_file(path, content)
    session = _open_session(path, content)
    try:
        entries = session.get_modelmeta().custom_metadata_map
    except UnicodeDecodeError:
        raise BadCheckpoint(path, "its metadata are damaged: they are not UTF-8", HOW_TO_MAKE) from None
    if KEYS["metadata"] not in entries:
        problem = "learnet did not write this: its classes and its kind of image are not recorded"
        raise BadCheckpoint(path, problem, HOW_TO_MAKE)
    metadata = read_metadata(path, entries[KEYS["metadata"]])
    normalisation = entries.get(KEYS["normalisation"])
    if normalisation != json.dumps(NORMALISATION):
        problem = f"the scaling of its input is not known here ({normalisation})"
        raise BadCheckpoint(path, problem, "Use the learnet version that wrote it, or export again.")
    _check_graph(path, session, metadata)
    network = OnnxNetwork(path, session, metadata.outputs)
    scorer = Scorer(network, metadata.mirror, metadata.detrend_percentile, metadata.views)
    return scorer, metadata


def _check_graph(path: Path, session: Any, metadata: CheckpointMetadata) -> None:
    """Check that input and output fit the metadata; the batch axis may have any size."""
    expected = {
        INPUT: ("tensor(float)", 3, metadata.size, metadata.size),
        OUTPUT: ("tensor(float)", metadata.outputs),
    }
    actual = {}
    for tensor in (*session.get_inputs(), *session.get_outputs()):
        actual[tensor.name] = (tensor.type, *tensor.shape[1:])
    if actual != expected:
        problem = (
            f"its graph does not fit {metadata.size} pixels and {len(metadata.classes)} classes: {actual}"
        )
        raise BadCheckpoint(path, problem, "Export it again.")


def _open_session(path: Path, content: bytes) -> Any:
    import onnxruntime  # here: a tenth of a second that nothing else waits for

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = 4  # what onnxruntime refuses, it also raises
    options.add_session_config_entry("session.use_env_allocators", "1")
    _limit_memory()
    try:
        return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    except _onnxruntime_errors() as error:
        problem = f"not an ONNX file, damaged, or of a newer format ({_first_line(error)})"
        raise BadCheckpoint(path, problem, HOW_TO_MAKE) from None


@cache
def _limit_memory() -> None:
    """Let onnxruntime allocate at most MOST_MEMORY, once in each process."""
    import onnxruntime

    kind = onnxruntime.OrtAllocatorType.ORT_ARENA_ALLOCATOR
    processor = onnxruntime.OrtMemoryInfo("Cpu", kind, 0, onnxruntime.OrtMemType.DEFAULT)
    limit = onnxruntime.OrtArenaCfg({"max_mem": MOST_MEMORY})
    onnxruntime.create_and_register_allocator(processor, limit)


def _onnxruntime_errors() -> tuple[type[Exception], ...]:
    """Return the errors that onnxruntime raises about a graph; they have no common base class."""
    from onnxruntime.capi import onnxruntime_pybind11_state as state

    return (
        state.Fail,
        state.InvalidArgument,
        state.InvalidGraph,
        state.InvalidProtobuf,
        state.NotImplemented,
        state.RuntimeException,
    )


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0][:200]
