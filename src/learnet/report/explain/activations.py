"""Activations of the layers of a network by name, and what is computed from them.

A *stage* is a named intermediate result of a network. LEARNet names its stages itself; the stages of other
networks are the outputs of their modules. A *map* is one channel of a stage with rows and columns.
"""

import difflib
from collections.abc import Callable, Mapping

import numpy as np
import torch
from jaxtyping import Float, Float32, Int64, UInt8
from torch import Tensor, nn
from torch.nn import functional as F

from learnet.core.errors import LearnetError
from learnet.networks import as_input
from learnet.networks.learnet import LEARNet

LOGITS = "logits"
NORMALISATIONS = ("norm", "bn")  # prefixes of the names of normalisation layers
MAX_LISTED = 12  # stages listed at either end of a long list in an error message


def stage_outputs(module: nn.Module, images: Float[Tensor, "B 3 S S"]) -> dict[str, Tensor]:
    """Return the output of every stage by name, in the order of computation.

    The class scores come last, as `logits`.
    Stages of networks other than LEARNet have the names of their modules (`layer2.0.conv1`, `features.7`).
    The second use of a module is numbered, as in `act:2`.

    Args:
        module: network in evaluation mode.
        images: RGB, -1 to 1.
    """
    if isinstance(module, LEARNet):
        return module.stages(images)
    outputs: dict[str, Tensor] = {}
    handles = []
    for name, layer in module.named_modules():
        if name:
            handles.append(layer.register_forward_hook(_recording_hook(name, outputs)))
    try:
        logits = module(images)
    finally:
        for handle in handles:
            handle.remove()
    return {**outputs, LOGITS: logits}


def _recording_hook(
    name: str, outputs: dict[str, Tensor]
) -> Callable[[nn.Module, tuple, object], Tensor | None]:
    """Return a forward hook that stores the output of a layer in `outputs`."""

    def record(layer: nn.Module, inputs: tuple, output: object) -> Tensor | None:
        if not isinstance(output, Tensor):
            return None
        earlier_uses = sum(stage.split(":")[0] == name for stage in outputs)
        key = f"{name}:{earlier_uses + 1}" if earlier_uses else name
        outputs[key] = output
        return output.clone()  # a later in-place layer then changes the copy, not the recorded output

    return record


def stages_with_maps(outputs: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the stages whose outputs are maps, (B, C, h, w)."""
    with_maps = {}
    for name, output in outputs.items():
        if output.ndim == 4:
            with_maps[name] = output
    return with_maps


def select_maps(outputs: Mapping[str, Tensor], stage: str) -> Tensor:
    """Return the maps of one stage, (B, C, h, w).

    Raises:
        LearnetError: there is no stage of this name, or it has no maps; the message lists the stages that
            have.
    """
    with_maps = stages_with_maps(outputs)
    if stage in with_maps:
        return with_maps[stage]
    if not with_maps:
        raise LearnetError(
            "This network has no maps: its layers connect to all pixels.",
            "`learnet report STUDY` shows occlusion, which needs no maps.",
        )
    names = list(with_maps)
    listed = names
    if len(names) > 3 * MAX_LISTED:
        listed = [*names[:MAX_LISTED], "…", *names[-MAX_LISTED:]]
    hint = f"It has {', '.join(listed)}."
    close_names = difflib.get_close_matches(stage, names, n=1)
    if close_names:
        hint = f"Did you mean {close_names[0]!r}? {hint}"
    problem = f"This network has no stage called {stage!r}."
    if stage in outputs:
        problem = f"The stage {stage!r} has no maps."
    raise LearnetError(problem, hint)


def stage_activations(
    module: nn.Module, images: UInt8[np.ndarray, "B S S 3"]
) -> dict[str, Float32[np.ndarray, "B ..."]]:
    """Return the outputs of all stages for prepared images (0 to 255), in the order of computation."""
    with torch.inference_mode():
        outputs = stage_outputs(module.eval(), as_input(images))
    activations = {}
    for name, output in outputs.items():
        activations[name] = output.contiguous().numpy()
    return activations


def compute_maps(
    module: nn.Module, images: UInt8[np.ndarray, "B S S 3"], stage: str
) -> Float32[np.ndarray, "B C h w"]:
    """Return the maps of one stage for prepared images (0 to 255).

    Raises:
        LearnetError: as `select_maps`.
    """
    with torch.inference_mode():
        outputs = stage_outputs(module.eval(), as_input(images))
        maps = select_maps(outputs, stage)
    return maps.contiguous().numpy()


def stage_at_depth(module: nn.Module, size: int, depth: int) -> str:
    """Return the stage that represents a depth, so that networks can be compared at the same depth.

    This is the last stage whose maps have the side that remains after `depth` halvings of the image, or the
    nearest side. Normalisations are skipped, and stages that are never negative are preferred to those
    before their ReLU. The result is an accretion layer of the second pair for LEARNet, and the end of a
    stage for ResNet.

    Args:
        module: network in evaluation mode.
        size: height and width of its images in pixels.
        depth: number of halvings; 1 to 5 for LEARNet: stem, first to third level, conv5.

    Raises:
        LearnetError: the network has no maps.
    """
    maps_by_stage = _maps_of_noise(module, size)
    wanted_side = -(-size // 2**depth)
    distances = {}
    for stage, maps in maps_by_stage.items():
        distances[stage] = abs(maps.shape[-1] - wanted_side)
    smallest = min(distances.values())
    nearest = [stage for stage, distance in distances.items() if distance == smallest]

    for stage in reversed(nearest):
        never_negative = bool((maps_by_stage[stage] >= 0).all())
        if never_negative:
            return stage
    return nearest[-1]


def _maps_of_noise(module: nn.Module, size: int) -> dict[str, Tensor]:
    """Return the maps of every stage but normalisations for two images of fixed noise."""
    generator = torch.Generator().manual_seed(0)
    with torch.inference_mode():
        noise = torch.rand(2, 3, size, size, generator=generator) * 2 - 1
        outputs = stage_outputs(module, noise)
    maps_by_stage = {}
    for stage, maps in stages_with_maps(outputs).items():
        layer = stage.split(".")[-1]
        if not layer.startswith(NORMALISATIONS):
            maps_by_stage[stage] = maps
    if not maps_by_stage:
        select_maps({}, "")
    return maps_by_stage


def strongest_maps(maps: Float32[np.ndarray, "C h w"], limit: int) -> Int64[np.ndarray, "M"]:
    """Return the indices of the `limit` maps with the largest mean absolute activation, in descending order.

    Equal maps keep their order.
    """
    mean = np.abs(maps).mean(axis=(1, 2))
    return np.argsort(-mean, kind="stable")[:limit]


def mean_activation(maps: Float32[np.ndarray, "*N C h w"]) -> Float32[np.ndarray, "*N h w"]:
    """Return the mean absolute activation over the maps of a stage, at each position."""
    return np.abs(maps).mean(axis=-3)


def upsample(small_map: Float32[np.ndarray, "h w"], size: int) -> Float32[np.ndarray, "S S"]:
    """Enlarge a map to the size of the image by bilinear interpolation."""
    batch = torch.from_numpy(np.ascontiguousarray(small_map))[None, None]
    enlarged = F.interpolate(batch, size=(size, size), mode="bilinear", align_corners=False)
    return enlarged[0, 0].numpy()


def accretion_maps(
    activations: Mapping[str, Float32[np.ndarray, "B ..."]], pair: str, level: int
) -> tuple[Float32[np.ndarray, "C h w"], Float32[np.ndarray, "C h w"], Float32[np.ndarray, "C h w"]]:
    """Return the maps of the plain column, of the accreting column and of the accretion layer, their sum.

    Args:
        activations: result of `stage_activations`; the first image is used.
        pair: "one" or "two".
        level: 1 or 2.

    Raises:
        LearnetError: the network has no such accretion layer, or is a variant of LEARNet whose layer adds
            nothing.
    """
    names = [f"{pair}.{part}_{level}" for part in ("plain", "accreting", "accretion")]
    missing = sorted(set(names) - set(activations), key=names.index)
    if missing:
        raise LearnetError(
            f"This network has no {', '.join(missing)}.",
            "Accretion layers exist in LEARNet only, in the pairs one and two at the levels 1 and 2.",
        )
    plain, accreting, accretion = (activations[name][0] for name in names)
    if not np.allclose(plain + accreting, accretion, atol=1e-6):
        raise LearnetError(
            "In this network the accreting column receives nothing from the plain one.",
            "Use a LEARNet with accretion.",
        )
    return plain, accreting, accretion
