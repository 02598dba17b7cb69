"""How much of what a network does lies where the face truly moves: a share for each clip, and its mean with an interval over people."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float, Float32
from torch import nn

from learnet.metrics.scores import DRAWS, ends
from learnet.report.explain.activations import compute_maps, mean_activation, stage_at_depth, upsample
from learnet.report.explain.ground_truth import MOVING_FRACTION, GroundTruthClip

MapFunction = Callable[
    [GroundTruthClip], Float32[np.ndarray, "S S"]
]  # what of a network's work is measured: a response, an attribution


def share_inside(found: Float[np.ndarray, "S S"], inside: Bool[np.ndarray, "S S"]) -> float:
    """The share of a map's size, whatever its sign, that lies in a part of the image; the part's area where the map is empty."""
    size = np.abs(found).astype(float)
    return float(size[inside].sum() / size.sum()) if size.sum() > 0 else float(inside.mean())


def bootstrap_over_people(
    values: Float[np.ndarray, "N"], people: Sequence[str], draws: int = DRAWS
) -> tuple[float, float, float]:
    """Mean over clips with its 95 % interval: percentile bootstrap over people, each drawn with all clips, from a fixed seed.

    The ends are NaN where there is one person.
    """
    names = sorted(set(people))
    belongs = np.array([names.index(person) for person in people])
    totals, counts = np.bincount(belongs, weights=values), np.bincount(belongs)
    drawn = np.random.default_rng(20200).multinomial(
        len(names), np.full(len(names), 1 / len(names)), size=draws
    )
    low, high = ends(drawn @ totals / (drawn @ counts), len(names))
    return float(np.mean(values)), float(low), float(high)


def measure_shares(
    clips: Sequence[GroundTruthClip], looks: Mapping[str, MapFunction], part: float = MOVING_FRACTION
) -> pd.DataFrame:
    """The share of each look that lies where each clip truly moves.

    Args:
        clips: synthetic clips, of people the networks do not know.
        looks: name -> what is measured.
        part: a place counts as moving from this share of the clip's largest displacement on.

    Returns:
        A row per clip and look: look, clip, person, emotion, action_units, share, area (share of the image that moves: what an even
        look would have).
    """
    rows = []
    for name, look in looks.items():
        for number, clip in enumerate(clips):
            inside = clip.moving(part)
            told = {
                "look": name,
                "clip": number,
                "person": clip.person,
                "emotion": clip.emotion,
                "action_units": clip.action_units,
            }
            rows.append({**told, "share": share_inside(look(clip), inside), "area": float(inside.mean())})
    return pd.DataFrame(rows)


def summarise_shares(measured: pd.DataFrame) -> pd.DataFrame:
    """Means over clips with 95 % intervals over people, and how much each look differs from the first, over the same clips and draws.

    Returns:
        A row per look: look, share, low, high, area, times_even (share over area), clips, people, more, more_low, more_high (its share
        less that of the first look; NaN for the first). Ends of intervals are NaN where there is one person.
    """
    rows, first = [], None
    for name, part in measured.groupby("look", sort=False):
        values, people = part["share"].to_numpy(), part["person"].tolist()
        share, low, high = bootstrap_over_people(values, people)
        more = (np.nan,) * 3 if first is None else bootstrap_over_people(values - first, people)
        first = values if first is None else first
        area = float(part["area"].mean())
        rows.append({"look": name, "share": share, "low": low, "high": high, "area": area, "times_even": share / area, "clips": len(part),
                     "people": len(set(people)), "more": more[0], "more_low": more[1], "more_high": more[2]})  # fmt: skip
    return pd.DataFrame(rows)


def activation_at_depth(module: nn.Module, size: int, depth: int) -> tuple[str, MapFunction]:
    """The stage that stands for a depth (`stages.stage_at_depth`), and its response brought to the size of the image."""
    stage = stage_at_depth(module, size, depth)
    return stage, lambda clip: upsample(
        mean_activation(compute_maps(module, clip.image[None], stage)[0]), size
    )
