"""A network as an ONNX file, run by onnxruntime alone: neither this module nor what it imports loads torch.

`export.py` writes such files; what they must hold is laid down here, beside the code that reads them.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float32, Float64, UInt8

from learnet.core.errors import BadCheckpoint, LearnetError
from learnet.motion.detrend import detrend
from learnet.training.metadata import CheckpointMetadata, read_metadata

INPUT, OUTPUT = "images", "class_logits"
NORMALISATION = {"input": "float32 (batch, 3, size, size), RGB", "scale": 1 / 127.5, "offset": -1.0}
"""What the graph is fed: pixels 0..255 times scale plus offset, as `networks.as_input` makes it. Stands in the metadata as JSON."""

KEYS = {"facts": "learnet", "normalisation": "normalisation"}
"""Entries of the metadata that are read. `export.py` writes more, for people and other programs."""

BATCH = 64  # images at a time
MAKE_ONE = "`learnet export` makes files that can be read."
INSTALL = "Install it: pip install 'learnet[onnx]'"


def is_onnx(path: Path) -> bool:
    """Whether to read a file of weights as ONNX: by its name or its first bytes.

    A safetensors file, which has a brace behind its eight bytes of length, is none whatever its name. An ONNX file begins with its
    field 1, a small number: the byte 8.
    """
    head = b""
    if path.is_file():
        with path.open("rb") as handle:
            head = handle.read(9)
    return head[8:] != b"{" and (path.suffix.lower() == ".onnx" or head[:1] == b"\x08")


@dataclass(frozen=True)
class OnnxScorer:
    """Prepared images to the probability of each class, by onnxruntime on one thread: the same numbers on any number of cores."""

    path: Path  # where it came from, for errors
    session: Any  # onnxruntime.InferenceSession
    facts: CheckpointMetadata

    def __call__(self, images: UInt8[np.ndarray, "N S S 3"]) -> Float64[np.ndarray, "N K"]:
        """Probabilities as `torch_scores.predict_scores` computes them: softmax in 64 bits, the mean with the mirror image where due.

        Raises:
            BadCheckpoint: the network answers with values that are no numbers.
        """
        images = detrend(images, self.facts.level)
        found = np.empty((len(images), len(self.facts.classes)))
        for start in range(0, len(images), BATCH):
            batch = as_input(images[start : start + BATCH])
            scores = softmax(self.logits(batch))
            if self.facts.mirror != "none":
                scores = (scores + softmax(self.logits(mirror_images(batch, self.facts.mirror)))) / 2
            found[start : start + BATCH] = scores
        return found

    def logits(self, batch: Float32[np.ndarray, "B 3 S S"]) -> Float32[np.ndarray, "B K"]:
        """What the graph answers: class scores before softmax.

        Args:
            batch: normalised images, -1..1.

        Raises:
            BadCheckpoint: the graph does not run, or answers with values that are no numbers.
        """
        try:
            answer = self.session.run([OUTPUT], {INPUT: np.ascontiguousarray(batch)})[0]
        except _refusals() as error:
            raise BadCheckpoint(
                self.path, f"onnxruntime cannot run it ({_first_line(error)})", MAKE_ONE
            ) from None
        if not np.isfinite(answer).all():
            raise BadCheckpoint(
                self.path, "it answers with values that are no numbers", "Export it again, as float32."
            )
        return answer


def load_onnx(path: Path) -> tuple[OnnxScorer, CheckpointMetadata]:
    """Read what `learnet export` wrote.

    Returns:
        What turns prepared images into probabilities, and what the file says of itself.

    Raises:
        LearnetError: onnxruntime is not installed.
        BadCheckpoint: no such file; not ONNX, or damaged; ONNX that learnet did not write; a graph that does not fit what it says.
    """
    if not path.is_file():
        raise BadCheckpoint(
            path, "this is not a file" if path.exists() else "there is no such file", MAKE_ONE
        )
    return from_content(path, path.read_bytes())


def from_content(path: Path, content: bytes) -> tuple[OnnxScorer, CheckpointMetadata]:
    """As `load_onnx`, of a file's content; PATH is named in errors."""
    session = _session(path, content)
    about = session.get_modelmeta().custom_metadata_map
    if KEYS["facts"] not in about:
        wrong = (
            "learnet did not write this: it does not say which classes it tells apart, and of which images"
        )
        raise BadCheckpoint(path, wrong, MAKE_ONE)
    facts = read_metadata(path, about[KEYS["facts"]])
    if about.get(KEYS["normalisation"]) != json.dumps(NORMALISATION):
        wrong = f"it wants its images scaled in a way not known here ({about.get(KEYS['normalisation'])})"
        raise BadCheckpoint(path, wrong, "Use the learnet that wrote it, or export again.")
    found = {
        given.name: (given.type, *given.shape[1:])
        for given in (*session.get_inputs(), *session.get_outputs())
    }
    wanted = {
        INPUT: ("tensor(float)", 3, facts.size, facts.size),
        OUTPUT: ("tensor(float)", len(facts.classes)),
    }
    if found != wanted:
        wrong = f"its graph does not fit {facts.size} pixels and {len(facts.classes)} classes: it has {found}"
        raise BadCheckpoint(path, wrong, "Export it again.")
    return OnnxScorer(path, session, facts), facts


def as_input(images: UInt8[np.ndarray, "B S S 3"]) -> Float32[np.ndarray, "B 3 S S"]:
    """Prepared images as the graph takes them: 0..255 becomes -1..1, to the same bits as `networks.as_input`."""
    return np.ascontiguousarray(images.transpose(0, 3, 1, 2)).astype(np.float32) / np.float32(
        127.5
    ) - np.float32(1)


def mirror_images(batch: Float32[np.ndarray, "B 3 S S"], kind: str) -> Float32[np.ndarray, "B 3 S S"]:
    """Each face mirrored, left to right, as `augment.mirror` does: "flow" also negates the first channel, the horizontal movement."""
    flipped = batch[..., ::-1].copy()
    if kind == "flow":
        flipped[:, 0] *= -1
    return flipped


def softmax(logits: Float32[np.ndarray, "B K"]) -> Float64[np.ndarray, "B K"]:
    """Logits to probabilities, in 64 bits; the largest is taken off first, so that none overflows."""
    powers = np.exp(logits.astype(np.float64) - logits.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def _session(path: Path, content: bytes) -> Any:
    try:
        import onnxruntime  # here: an extra, and needed by those only who have such a file
    except ModuleNotFoundError:
        raise LearnetError(
            f"{path}: to run an ONNX file takes onnxruntime, which is not installed.", INSTALL
        ) from None
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 4  # what it refuses, it raises too
    try:
        return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    except _refusals() as error:
        raise BadCheckpoint(
            path, f"this is no ONNX file, or damaged, or too new here ({_first_line(error)})", MAKE_ONE
        ) from None


def _refusals() -> tuple[type[Exception], ...]:
    """The errors of onnxruntime about a graph; they have no common kind of their own."""
    from onnxruntime.capi import onnxruntime_pybind11_state as kinds

    return (
        kinds.Fail,
        kinds.InvalidArgument,
        kinds.InvalidGraph,
        kinds.InvalidProtobuf,
        kinds.NotImplemented,
        kinds.RuntimeException,
    )


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0][:200]
