"""A checkpoint as one ONNX file, compared with torch before it is kept. `onnx_scores.py` reads it without torch."""

import contextlib
import io
import json
import logging
import tempfile
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from graphlib import TopologicalSorter
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float32, UInt8
from torch import nn

from learnet import __version__
from learnet.core.errors import LearnetError, OutputTaken, UnknownName
from learnet.core.files import write_atomically
from learnet.datasets.prepared.store import load_prepared
from learnet.inference.onnx_inference import (
    INPUT,
    INSTALL,
    KEYS,
    NORMALISATION,
    OUTPUT,
    OnnxScorer,
    from_content,
    mirror_images,
)
from learnet.motion.detrend import detrend
from learnet.networks import as_input
from learnet.training.checkpoint import load_checkpoint
from learnet.training.compatibility import check_compatible
from learnet.training.metadata import CheckpointMetadata, metadata_to_json
from learnet.training.torch_scores import predict_scores

LIBRARIES = ("onnx", "onnxscript", "onnxruntime")
PRECISIONS = ("float32", "float16", "int8")
OPSET = (
    18  # the one torch writes of itself; to others it converts, where it can. onnxruntime reads it since 1.14
)
TOLERANCE = 1e-4  # largest difference of a logit that float32 may show ...
RELATIVE = 1e-6  # ... or this share of the largest logit: beyond 100, float32 has no digits left to agree in
RANDOM = 16  # images that nobody took
MOST = 1000  # prepared images that are compared, spread evenly over the folder where it holds more
CALIBRATING = 200  # images that int8 takes its ranges from


@dataclass(frozen=True)
class Agreement:
    """How near the ONNX form comes to torch, over some images."""

    kind: str  # "random", or of a prepared folder: "synthetic" where it says that it is, else "prepared"
    images: int  # how many
    logits: float  # largest difference of a class score before softmax
    reach: float  # largest of torch's class scores, as a size
    probabilities: float  # largest difference of a probability, as `predict` gives it
    labels: float  # share of images with the same label, 0..1


@dataclass(frozen=True)
class Exported:
    """What was written."""

    path: Path
    precision: str  # one of PRECISIONS
    opset: int
    size_bytes: int
    agreements: tuple[Agreement, ...]  # on random images; then, where a folder was named, on prepared ones


def export_onnx(
    weights: Path, out: Path, precision: str = "float32", images: Path | None = None, opset: int = OPSET
) -> Exported:
    """Write a checkpoint as an ONNX file, which is kept only if it agrees with torch.

    The graph takes `images`, float32 (batch, 3, size, size) from -1 to 1, RGB, the batch of any size, and answers `class_logits`,
    (batch, K): class scores before softmax, as the network gives them. Its metadata hold the facts of the checkpoint (`learnet`), the
    `classes` in order, the `normalisation`, the `precision`, and the `agreement` that was measured.

    Args:
        weights: checkpoint.
        out: file to write, ending in .onnx.
        precision: float32; float16, half the size; or int8, a quarter of it: weights and maps in 8 bits with ranges taken from half
            of the people in IMAGES, all but the class layer. The loss of agreement of the last two is measured, and not limited.
        images: prepared folder to compare on, made as the weights want it; int8 needs one.
        opset: version of ONNX's operators.

    Returns:
        What was written, with the agreement on random images, and on prepared ones where they are given. For int8 these are of people
        whose images set no range.

    Raises:
        LearnetError: a library of the extra `onnx` is missing; no such precision or opset; a network that cannot be exported, has no
            smaller form, or disagrees with torch by more than TOLERANCE (RELATIVE). Nothing is written then.
        BadInput, BadCheckpoint: WEIGHTS or IMAGES cannot be read, or do not fit each other.
    """
    _check(weights, out, precision, images)
    import onnx  # here, as all of the extra: `_check` says if it is missing

    module, facts = load_checkpoint(weights)
    calibrating, compared = _images(weights, facts, images, precision == "int8")
    graph = _describe(_graph(weights, module, facts, opset), facts, "float32")
    whole = _compare(out, graph, module, compared)
    _refuse_disagreement(weights, whole)
    if precision != "float32":
        if all(node.op_type != "Conv" for node in graph.graph.node):
            raise LearnetError(
                f"{weights}: {facts.network} has no convolutions, and so no form in {precision}.",
                "Export it as float32.",
            )
        graph = _describe(
            _half(graph)
            if precision == "float16"
            else _eighth(graph, detrend(calibrating, facts.level), facts.mirror),
            facts,
            precision,
        )
        whole = _compare(out, graph, module, compared)
    graph.metadata_props.add(key="agreement", value=json.dumps([asdict(found) for found in whole]))
    onnx.checker.check_model(graph, full_check=True)  # onnxruntime overlooks what others do not
    content = graph.SerializeToString(deterministic=True)
    from_content(out, content)  # as its reader will
    write_atomically(out, content)
    return Exported(out, precision, _opset(graph), len(content), whole)


def _check(weights: Path, out: Path, precision: str, images: Path | None) -> None:
    """What can be said before any work."""
    if precision not in PRECISIONS:
        raise UnknownName("precision", precision, PRECISIONS)
    if missing := [name for name in LIBRARIES if find_spec(name) is None]:
        raise LearnetError(f"To export takes {', '.join(missing)}, not installed here.", INSTALL)
    if out.suffix.lower() != ".onnx":
        raise LearnetError(f"{out}: an ONNX file is known by its ending.", "Name it ….onnx.")
    if out.is_dir() or out.resolve() == weights.resolve():
        raise OutputTaken(
            out,
            "this is a folder" if out.is_dir() else "these are the weights themselves",
            "Name a new file.",
        )
    if precision == "int8" and images is None:
        raise LearnetError(
            "int8 needs images to see how far the values of a layer reach.",
            "Name a prepared folder with --images.",
        )


# ---- images to compare on


def _images(
    weights: Path, facts: CheckpointMetadata, folder: Path | None, calibrate: bool
) -> tuple[UInt8[np.ndarray, "N S S 3"], dict[str, UInt8[np.ndarray, "_ S S 3"]]]:
    """Images that int8 takes its ranges from, and those to compare on by kind: no person's images are in both."""
    noise = np.random.default_rng(0).integers(0, 256, (RANDOM, facts.size, facts.size, 3), dtype=np.uint8)
    if folder is None:
        return noise[:0], {"random": noise}
    prepared = load_prepared(folder)
    check_compatible(prepared, weights, facts)
    people = prepared.clips["person"]
    chosen = (
        people.isin(sorted(set(people))[::2]).to_numpy() if calibrate else np.zeros(len(people), dtype=bool)
    )
    if chosen.all():
        raise LearnetError(
            f"{folder}: int8 needs two people: one to set the ranges of the layers, one to compare on.",
            "Name more clips.",
        )
    spread = [_spread(np.flatnonzero(part), most) for part, most in ((chosen, CALIBRATING), (~chosen, MOST))]
    kind = "synthetic" if prepared.about.get("synthetic") else "prepared"
    return np.asarray(prepared.images[spread[0]]), {
        "random": noise,
        kind: np.asarray(prepared.images[spread[1]]),
    }


def _spread(positions: np.ndarray, most: int) -> np.ndarray:
    return (
        positions
        if len(positions) <= most
        else positions[np.linspace(0, len(positions) - 1, most).astype(int)]
    )


def _compare(
    out: Path, graph: Any, module: nn.Module, compared: Mapping[str, np.ndarray]
) -> tuple[Agreement, ...]:
    scorer, _ = from_content(out, graph.SerializeToString())
    return tuple(_agreement(kind, module, scorer, images) for kind, images in compared.items())


def _agreement(
    kind: str, module: nn.Module, scorer: OnnxScorer, images: UInt8[np.ndarray, "N S S 3"]
) -> Agreement:
    logits = reach = 0.0
    with torch.inference_mode():
        for start in range(0, len(images), 64):
            batch = as_input(images[start : start + 64])
            wanted = module(batch).numpy()
            reach = max(reach, float(np.abs(wanted).max()))
            logits = max(
                logits, float(np.abs(wanted - scorer.logits(batch.numpy())).max())
            )  # finite: the scorer sees to it
    scores, found = predict_scores(module, images, scorer.facts.mirror, scorer.facts.level), scorer(images)
    labels = float((scores.argmax(axis=1) == found.argmax(axis=1)).mean())
    return Agreement(kind, len(images), logits, reach, float(np.abs(scores - found).max()), labels)


def _refuse_disagreement(weights: Path, found: Sequence[Agreement]) -> None:
    for one in found:
        allowed = max(TOLERANCE, RELATIVE * one.reach)
        if not one.logits <= allowed:
            wrong = f"logits differ by up to {one.logits:.2g} on {one.images} {one.kind} images, and {allowed:.2g} is allowed"
            raise LearnetError(
                f"{weights}: its ONNX form disagrees with torch ({wrong}); it was not kept.",
                "Try another --opset.",
            )


# ---- graphs


def _graph(weights: Path, module: nn.Module, facts: CheckpointMetadata, opset: int) -> Any:
    """The network as an ONNX model in float32, without what the exporter notes about this machine."""
    example = torch.zeros(
        2, 3, facts.size, facts.size
    )  # two, because a batch of one would be taken for a constant
    batch = {INPUT: {0: torch.export.Dim("batch")}}
    try:
        with _quiet():
            program = torch.onnx.export(
                module, (example,), dynamo=True, opset_version=opset, verbose=False,
                input_names=[INPUT], output_names=[OUTPUT], dynamic_shapes=tuple(batch.values()),
            )  # fmt: skip
    except torch.onnx.OnnxExporterError:
        raise LearnetError(
            f"{weights}: torch finds no ONNX form of the network {facts.network}.", "Keep the checkpoint."
        ) from None
    assert program is not None, "torch gives none only where it writes the file itself"
    model = program.model_proto
    if _opset(model) != opset:  # what it cannot write, it leaves at the number it can
        wrong = f"torch writes this network in opset {_opset(model)} here, and not in {opset}"
        raise LearnetError(f"{wrong}.", f"Choose --opset {_opset(model)}.")
    graph = model.graph
    for part in (
        model,
        graph,
        *graph.node,
        *graph.input,
        *graph.output,
        *graph.value_info,
        *graph.initializer,
    ):
        del part.metadata_props[:]  # stack traces, with the paths of this machine
        part.doc_string = ""
    return model


def _half(graph: Any) -> Any:
    """Weights and maps in 16 bits; input and output stay as they are."""
    from onnxruntime.transformers.float16 import convert_float_to_float16

    with _quiet():
        half = convert_float_to_float16(graph, keep_io_types=True)
    nodes = list(
        half.graph.node
    )  # the changes of type were put at the end, and ONNX wants every node behind those that feed it
    maker = {name: place for place, node in enumerate(nodes) for name in node.output}
    feeds = {place: [maker[name] for name in node.input if name in maker] for place, node in enumerate(nodes)}
    del half.graph.node[:]
    half.graph.node.extend(nodes[place] for place in TopologicalSorter(feeds).static_order())
    return half


def _eighth(graph: Any, images: UInt8[np.ndarray, "N S S 3"], mirror: str) -> Any:
    """Weights and maps in 8 bits, with ranges that are fixed beforehand.

    They are those that occur on IMAGES, and on their mirror images where those are scored too. Ranges taken anew for each image (ONNX's
    dynamic form) need no images but make convolutions slower than in float32. The class layer stays as it was, so that no logit is cut
    off. Weights use 7 of the 8 bits: on processors without VNNI the sum of two products of full range overflows, and the agreement
    measured here would not hold there.
    """
    import onnx
    from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static

    class Reader(CalibrationDataReader):
        """Hands out one image after another."""

        def __init__(self) -> None:
            self.left = (
                {INPUT: one} for image in images for one in _seen(as_input(image[None]).numpy(), mirror)
            )

        def get_next(self) -> dict[str, np.ndarray] | None:
            return next(self.left, None)

    last = [node.name for node in graph.graph.node if node.op_type in ("Gemm", "MatMul")][-1:]
    with tempfile.TemporaryDirectory() as place, _quiet():
        whole, small = Path(place) / "whole.onnx", Path(place) / "small.onnx"
        onnx.save(graph, whole)
        quantize_static(
            whole, small, Reader(), quant_format=QuantFormat.QDQ, activation_type=QuantType.QUInt8, weight_type=QuantType.QInt8,
            reduce_range=True, nodes_to_exclude=last,
        )  # fmt: skip
        return onnx.load(small)


def _seen(batch: Float32[np.ndarray, "B 3 S S"], mirror: str) -> list[np.ndarray]:
    return [batch] if mirror == "none" else [batch, mirror_images(batch, mirror)]


def _describe(graph: Any, facts: CheckpointMetadata, precision: str) -> Any:
    """The graph with all that its reader, a person or another program needs to use it; what stood there goes."""
    del graph.metadata_props[:]
    graph.producer_name, graph.producer_version, graph.graph.name = "learnet", __version__, facts.network
    graph.doc_string = f"{INPUT}: pixels 0..255 / 127.5 - 1, RGB. {OUTPUT}: class scores before softmax, in the order of `classes`."
    about = {KEYS["facts"]: metadata_to_json(facts), KEYS["normalisation"]: json.dumps(NORMALISATION)}
    for key, text in {**about, "classes": json.dumps(facts.classes), "precision": precision}.items():
        graph.metadata_props.add(key=key, value=text)
    return graph


def _opset(graph: Any) -> int:
    return next(used.version for used in graph.opset_import if used.domain in ("", "ai.onnx"))


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep to itself what the exporters say while they work; what comes of it is compared, and what fails is raised."""
    before = logging.root.manager.disable
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
        logging.disable(before)
