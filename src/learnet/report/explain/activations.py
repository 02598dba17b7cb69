"""What the layers of a network answer, by name: LEARNet's own `stage_outputs`, and of any other network what its modules give."""

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
NORMALISATIONS = ("norm", "bn")  # how their names begin
TOLD = 12  # stages named in an error where none is near


def stage_outputs(module: nn.Module, images: Float[Tensor, "B 3 S S"]) -> dict[str, Tensor]:
    """What every layer answers, by name, in the order of computation; the class scores last, as `logits`.

    LEARNet names its stages itself. Of other networks a stage is what a module gives, under the module's name (`layer2.0.conv1`,
    `features.7`); a module that is used again gets a number, `act:2`.

    Args:
        module: network in eval mode.
        images: -1..1, RGB.
    """
    if isinstance(module, LEARNet):
        return module.stages(images)
    found: dict[str, Tensor] = {}

    def keep(name: str) -> Callable[[nn.Module, tuple, object], Tensor | None]:
        def note(layer: nn.Module, given: tuple, answer: object) -> Tensor | None:
            if not isinstance(answer, Tensor):
                return None
            uses = 1 + sum(other.split(":")[0] == name for other in found)
            found[name if uses == 1 else f"{name}:{uses}"] = answer
            return answer.clone()  # a later layer that works in place changes the copy

        return note

    handles = [part.register_forward_hook(keep(name)) for name, part in module.named_modules() if name]
    try:
        logits = module(images)
    finally:
        for handle in handles:
            handle.remove()
    return {**found, LOGITS: logits}


def stages_with_maps(answers: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The stages whose answers are maps, (B, C, h, w)."""
    return {name: answer for name, answer in answers.items() if answer.ndim == 4}


def select_maps(answers: Mapping[str, Tensor], stage: str) -> Tensor:
    """The maps of one stage.

    Raises:
        LearnetError: no stage of that name, or one without maps; what is there is told.
    """
    known = stages_with_maps(answers)
    if stage in known:
        return known[stage]
    if not known:
        raise LearnetError(
            "This network has no maps: it reads all pixels at once.",
            "`learnet report STUDY` draws where it looks, by occlusion.",
        )
    near = difflib.get_close_matches(stage, known, n=1)
    there = list(known) if len(known) <= 3 * TOLD else [*list(known)[:TOLD], "…", *list(known)[-TOLD:]]
    what = (
        f"The stage {stage!r} has no maps"
        if stage in answers
        else f"This network has no stage called {stage!r}"
    )
    raise LearnetError(
        f"{what}.", f"{f'Did you mean {near[0]!r}? ' if near else ''}It has {', '.join(there)}."
    )


def stage_activations(
    module: nn.Module, images: UInt8[np.ndarray, "B S S 3"]
) -> dict[str, Float32[np.ndarray, "B ..."]]:
    """The answers of all stages to prepared images (0..255), as arrays, in the order of computation."""
    with torch.inference_mode():
        return {
            name: answer.contiguous().numpy()
            for name, answer in stage_outputs(module.eval(), as_input(images)).items()
        }


def compute_maps(
    module: nn.Module, images: UInt8[np.ndarray, "B S S 3"], stage: str
) -> Float32[np.ndarray, "B C h w"]:
    """The maps of one stage for prepared images (0..255).

    Raises:
        LearnetError: as `select_maps`.
    """
    with torch.inference_mode():
        return select_maps(stage_outputs(module.eval(), as_input(images)), stage).contiguous().numpy()


def stage_at_depth(module: nn.Module, size: int, depth: int) -> str:
    """The stage that stands for a depth: the last one whose maps have the side that DEPTH halvings leave, or the nearest to it.

    Normalisations are passed over, and rectified maps come before those that can be negative: these are half of a step. So of LEARNet
    the accretion layers of the second pair are taken, of ResNet the ends of its stages.

    Args:
        module: network in eval mode.
        size: height and width of its images in pixels.
        depth: 1 to 5 for LEARNet: stem, first to third level, conv5.

    Raises:
        LearnetError: a network without maps.
    """
    with torch.inference_mode():
        noise = torch.rand(2, 3, size, size, generator=torch.Generator().manual_seed(0)) * 2 - 1
        known = stages_with_maps(stage_outputs(module.eval(), noise))
    known = {name: maps for name, maps in known.items() if not name.split(".")[-1].startswith(NORMALISATIONS)}
    if not known:
        select_maps(known, "")
    wanted = -(-size // 2**depth)
    plain = {name for name, maps in known.items() if bool((maps >= 0).all())}
    away = {name: abs(maps.shape[-1] - wanted) for name, maps in known.items()}
    nearest = [name for name in known if away[name] == min(away.values())]
    return next((name for name in reversed(nearest) if name in plain), nearest[-1])


def strongest_maps(maps: Float32[np.ndarray, "C h w"], most: int) -> Int64[np.ndarray, "M"]:
    """Which maps respond most on average, at most MOST of them, the strongest first; equal ones in their order."""
    mean = np.abs(maps).mean(axis=(1, 2))
    return np.argsort(-mean, kind="stable")[:most]


def mean_activation(maps: Float32[np.ndarray, "*N C h w"]) -> Float32[np.ndarray, "*N h w"]:
    """How much a stage responds at each place: the mean over its maps of their size, whatever their sign."""
    return np.abs(maps).mean(axis=-3)


def upsample(places: Float32[np.ndarray, "h w"], size: int) -> Float32[np.ndarray, "S S"]:
    """A map brought to the size of the image, each cell over the square of the image that it stands for, straight lines in between."""
    given = torch.from_numpy(np.ascontiguousarray(places))[None, None]
    return F.interpolate(given, size=(size, size), mode="bilinear", align_corners=False)[0, 0].numpy()


def accretion_maps(
    answers: Mapping[str, Float32[np.ndarray, "B ..."]], pair: str, level: int
) -> tuple[Float32[np.ndarray, "C h w"], Float32[np.ndarray, "C h w"], Float32[np.ndarray, "C h w"]]:
    """The maps of the plain column, of the accreting one, and of the accretion layer, which is to be their sum, for the first image.

    Args:
        answers: of `stage_activations`.
        pair: "one" or "two".
        level: 1 or 2.

    Raises:
        LearnetError: a network without this accretion layer, or one of LEARNet's variants whose layer adds nothing.
    """
    names = [f"{pair}.{part}_{level}" for part in ("plain", "accreting", "accretion")]
    lost = [name for name in names if name not in answers]
    if lost:
        raise LearnetError(
            f"This network has no {', '.join(lost)}.",
            "Accretion is LEARNet's; its layers are one and two, level 1 and 2.",
        )
    plain, accreting, total = (answers[name][0] for name in names)
    if not np.allclose(plain + accreting, total, atol=1e-6):
        raise LearnetError(
            "In this network the second column takes in nothing from the first.",
            "Take a LEARNet with accretion.",
        )
    return plain, accreting, total
