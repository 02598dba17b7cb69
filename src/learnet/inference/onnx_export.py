"""Export of a checkpoint as an ONNX file, which is compared with PyTorch before it is kept."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float32, UInt8
from torch import nn

from learnet.core.errors import BadCheckpoint, LearnetError, OutputTaken, UnknownName
from learnet.core.extras import missing_library
from learnet.core.files import absolute_path, write_atomically
from learnet.core.output_checks import ONNX, check_suffix
from learnet.datasets.prepared.store import load_prepared
from learnet.inference.onnx_file import add_checksum
from learnet.inference.onnx_graph import (
    build_graph,
    describe_graph,
    opset_of,
    store_float16,
    to_float16,
    to_int8,
)
from learnet.inference.onnx_inference import scorer_from_bytes
from learnet.motion.detrend import EvaluationImages, StoredImages
from learnet.training.checkpoint import load_checkpoint
from learnet.training.compatibility import check_compatible
from learnet.training.metadata import CheckpointMetadata
from learnet.training.scorer import Scorer
from learnet.training.torch_logits import module_logits

PRECISIONS = ("float32", "float16", "int8")
OPSET = 18  # written by torch without a conversion; read by onnxruntime since 1.14
TOLERANCE = 1e-4  # largest difference of a logit that is allowed in float32 ...
RELATIVE_TOLERANCE = 1e-6  # ... or this share of the largest logit: float32 has no more digits beyond 100
RANDOM_IMAGES = 16  # images of random pixels
MOST_COMPARED = 1000  # prepared images to compare on, evenly spaced in a folder that has more
MOST_CALIBRATING = 200  # images that determine the ranges of int8


@dataclass(frozen=True)
class Agreement:
    """Agreement of the ONNX form with PyTorch on some images."""

    kind: str  # "random"; or of a prepared folder: "synthetic" if its images are, else "prepared"
    images: int  # number of images
    logits: float  # largest difference of a logit
    reach: float  # largest absolute logit of PyTorch
    probabilities: float  # largest difference of a probability, as of `learnet predict`
    labels: float  # share of images with the same label, 0..1


@dataclass(frozen=True)
class Exported:
    """Result of an export."""

    path: Path
    precision: str  # one of PRECISIONS
    opset: int
    size_bytes: int
    agreements: tuple[Agreement, ...]  # on random images, then on prepared ones if a folder was named


@dataclass(frozen=True)
class _ExportImages:
    """Images that an export needs. No person's images are in both parts."""

    calibrating: UInt8[np.ndarray, "N S S 3"]  # for the ranges of int8; empty for other precisions
    compared: Mapping[str, UInt8[np.ndarray, "_ S S 3"]]  # by `Agreement.kind`


def export_onnx(
    weights: str | Path,
    out: str | Path,
    precision: str = "float32",
    images: str | Path | None = None,
    opset: int = OPSET,
) -> Exported:
    """Write a checkpoint as an ONNX file, which is kept only if it agrees with PyTorch.

    The input of the graph is `images`, float32 (batch, 3, size, size) from -1 to 1, RGB, with a batch of any
    size. Its output is `class_logits`, (batch, K), the class scores before softmax. The file's metadata
    contain those of the checkpoint (`learnet`), the `classes` in order, the `normalisation`, the `precision`,
    the measured `agreement`, and a checksum of the file (`sha256`).

    Args:
        weights: checkpoint.
        out: file to write, ending in .onnx.
        precision: float32; float16, half the size; or int8, a quarter of it: weights and activations in 8
            bits, with ranges from half of the people in `images`, except for the class layer. The agreement
            of the last two is measured and not limited. The weights of a checkpoint in half precision are
            stored in 16 bits in any case.
        images: prepared folder to compare on, prepared as the weights require; needed for int8.
        opset: version of the ONNX operators.

    Returns:
        What was written, with the agreement on random images, and on prepared ones if given. For int8 these
        show people whose images determine no range.

    Raises:
        MissingLibrary: a library of the extra `onnx` is missing.
        LearnetError: an unknown precision or opset; a network that
            cannot be exported or has no form in this precision, or differs from PyTorch by more than the
            tolerance. Nothing is written then.
        BadInput, BadCheckpoint: `weights` or `images` cannot be read, or do not fit each other.
    """
    weights, out = Path(weights), Path(out)
    images = Path(images) if images else None
    _check_request(weights, out, precision, images)
    try:
        import onnx  # noqa: F401 (the graph is made of its classes)
        import onnxscript  # noqa: F401 (torch needs it, and says so late and at length)
    except ModuleNotFoundError as error:
        raise missing_library(error, "An export") from None

    module, metadata = load_checkpoint(weights)
    chosen = _choose_images(weights, metadata, images, precision == "int8")
    graph = describe_graph(build_graph(weights, module, metadata, opset), metadata, "float32")
    if precision == "float32":
        graph = store_float16(graph)
    agreements = _compare(out, graph, module, chosen.compared)
    _refuse_disagreement(weights, agreements)
    if precision != "float32":
        calibration = _network_inputs(module, metadata, chosen.calibrating)
        graph = _reduce_precision(weights, graph, metadata, calibration, precision)
        agreements = _compare(out, graph, module, chosen.compared)
    content = _checked_content(out, graph, agreements)
    write_atomically(out, content)
    return Exported(out, precision, opset_of(graph), len(content), agreements)


def _checked_content(out: Path, graph: Any, agreements: Sequence[Agreement]) -> bytes:
    """Return the content of the file: the graph with its agreements, checked to be readable."""
    from onnx.checker import check_model  # an optional dependency

    records = [asdict(agreement) for agreement in agreements]
    graph.metadata_props.add(key="agreement", value=json.dumps(records))
    check_model(graph, full_check=True)  # onnxruntime tolerates what other readers do not
    content = add_checksum(graph.SerializeToString(deterministic=True))
    scorer_from_bytes(out, content)  # it must be readable
    return content


def _check_request(weights: Path, out: Path, precision: str, images: Path | None) -> None:
    """Check everything that can be checked before any work."""
    if precision not in PRECISIONS:
        raise UnknownName("precision", precision, PRECISIONS)
    check_suffix(out, ONNX)
    if out.is_dir():
        raise OutputTaken(out, "this is a folder", "Name a new file.")
    if absolute_path(out) == absolute_path(weights):
        raise OutputTaken(out, "these are the weights to export", "Name a new file.")
    if precision == "int8" and images is None:
        raise LearnetError(
            "int8 needs images, from which the ranges of the layers are measured.",
            "Name a prepared folder as images (--images).",
        )


def _reduce_precision(
    weights: Path,
    graph: Any,
    metadata: CheckpointMetadata,
    calibration: Iterator[Float32[np.ndarray, "1 3 S S"]],
    precision: str,
) -> Any:
    """Return the graph in float16 or int8."""
    if all(node.op_type != "Conv" for node in graph.graph.node):
        problem = f"{metadata.network} has no convolutions, and so no form in {precision}"
        raise BadCheckpoint(weights, problem, "Export it as float32.")
    if precision == "float16":
        return describe_graph(to_float16(graph), metadata, precision)
    return describe_graph(to_int8(graph, calibration), metadata, precision)


def _network_inputs(
    module: nn.Module, metadata: CheckpointMetadata, images: UInt8[np.ndarray, "N S S 3"]
) -> Iterator[Float32[np.ndarray, "1 3 S S"]]:
    """Yield one network input after another; a mirror image that is scored, too, follows its image."""
    scorer = Scorer.from_module(module, metadata.mirror, metadata.detrend_percentile)
    for image in StoredImages(images).for_evaluation(scorer.detrend_percentile).pixels:
        for network_input in scorer.network_input(image[None]):
            yield np.ascontiguousarray(network_input[None])


def _choose_images(
    weights: Path, metadata: CheckpointMetadata, folder: Path | None, calibrate: bool
) -> _ExportImages:
    """Choose images for the ranges of int8, and images to compare on."""
    shape = (RANDOM_IMAGES, metadata.size, metadata.size, 3)
    noise = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    if folder is None:
        return _ExportImages(noise[:0], {"random": noise})
    prepared = load_prepared(folder)
    check_compatible(prepared, weights, metadata)
    people = prepared.clips["person"]
    calibrating = np.zeros(len(people), dtype=bool)
    if calibrate:
        calibrating = people.isin(sorted(set(people))[::2]).to_numpy()
    if calibrating.all():
        raise LearnetError(
            f"{folder}: int8 needs two people: one for the ranges of the layers, one to compare on.",
            "Name a folder with more people.",
        )
    kind = "synthetic" if prepared.record.synthetic else "prepared"
    compared_rows = _evenly_spaced(np.flatnonzero(~calibrating), MOST_COMPARED)
    calibrating_rows = _evenly_spaced(np.flatnonzero(calibrating), MOST_CALIBRATING)
    compared = {"random": noise, kind: np.asarray(prepared.images[compared_rows])}
    return _ExportImages(np.asarray(prepared.images[calibrating_rows]), compared)


def _evenly_spaced(positions: np.ndarray, most: int) -> np.ndarray:
    if len(positions) <= most:
        return positions
    return positions[np.linspace(0, len(positions) - 1, most).astype(int)]


def _compare(
    out: Path, graph: Any, module: nn.Module, compared: Mapping[str, np.ndarray]
) -> tuple[Agreement, ...]:
    scorer, _ = scorer_from_bytes(out, graph.SerializeToString())
    return tuple(_agreement(kind, module, scorer, images) for kind, images in compared.items())


def _agreement(
    kind: str, module: nn.Module, scorer: Scorer, images: UInt8[np.ndarray, "N S S 3"]
) -> Agreement:
    """Compare logits of the images as they are, and scores of the images as they are tested."""
    as_they_are = EvaluationImages(images)
    expected_logits = Scorer(module_logits(module)).logits(
        as_they_are
    )  # not `from_module`: before any fusion
    logits_error = np.abs(expected_logits - scorer.logits(as_they_are)).max()
    stored = StoredImages(images)
    expected = Scorer.from_module(module, scorer.mirror, scorer.detrend_percentile, scorer.views).scores(
        stored
    )
    scores = scorer.scores(stored)
    same_label = expected.argmax(axis=1) == scores.argmax(axis=1)
    return Agreement(
        kind=kind,
        images=len(images),
        logits=float(logits_error),
        reach=float(np.abs(expected_logits).max()),
        probabilities=float(np.abs(expected - scores).max()),
        labels=float(same_label.mean()),
    )


def _refuse_disagreement(weights: Path, agreements: Sequence[Agreement]) -> None:
    for agreement in agreements:
        allowed = max(TOLERANCE, RELATIVE_TOLERANCE * agreement.reach)
        if not agreement.logits <= allowed:
            difference = (
                f"logits differ by up to {agreement.logits:.2g} on {agreement.images} {agreement.kind} "
                f"images, and {allowed:.2g} is allowed"
            )
            problem = f"its ONNX form disagrees with PyTorch ({difference}); it was not kept"
            raise BadCheckpoint(weights, problem, "Try another opset (--opset).")
