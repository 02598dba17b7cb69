"""Share of an activation or attribution that lies where the face moves, with an interval over people."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float, Float32
from torch import nn

from learnet.metrics.scores import DRAWS, ends
from learnet.report.explain.activations import compute_maps, mean_activation, stage_at_depth, upsample
from learnet.report.explain.ground_truth import MOVING_FRACTION, GroundTruthClip

MapFunction = Callable[[GroundTruthClip], Float32[np.ndarray, "S S"]]
"""Function from a clip to the map that is measured, an activation or an attribution."""

SEED = 20200  # of the bootstrap, so that the same clips have the same interval


def share_inside(values: Float[np.ndarray, "S S"], region: Bool[np.ndarray, "S S"]) -> float:
    """Return the share of the absolute values of a map inside a region; its area if the map is zero."""
    magnitude = np.abs(values).astype(float)
    total = magnitude.sum()
    if total > 0:
        return float(magnitude[region].sum() / total)
    return float(region.mean())


def bootstrap_over_people(
    values: Float[np.ndarray, "N"], people: Sequence[str], draws: int = DRAWS
) -> tuple[float, float, float]:
    """Compute the mean over clips with its 95 % interval, by a bootstrap over people (`ends`).

    Each person is drawn with all of their clips.

    Args:
        values: one value per clip.
        people: person of each clip.
        draws: number of resamples.

    Returns:
        Mean, lower and upper end of the interval; the ends are NaN where there is one person.
    """
    names, person_index = np.unique(np.array(people), return_inverse=True)
    totals = np.bincount(person_index, weights=values)
    counts = np.bincount(person_index)
    equal = np.full(len(names), 1 / len(names))
    drawn = np.random.default_rng(SEED).multinomial(len(names), equal, size=draws)
    means = (drawn @ totals) / (drawn @ counts)
    low, high = ends(means, len(names))
    return float(np.mean(values)), float(low), float(high)


def measure_shares(
    clips: Sequence[GroundTruthClip], maps: Mapping[str, MapFunction], fraction: float = MOVING_FRACTION
) -> pd.DataFrame:
    """Compute for each clip the share of each map that lies where the face moves.

    Args:
        clips: synthetic clips of people who were not used for training.
        maps: name -> function that computes the map of a clip.
        fraction: a pixel is moving from this fraction of the largest displacement of the clip.

    Returns:
        A row per clip and map: look (name of the map), clip, person, emotion, action_units, share, area
        (share of the moving pixels, which a uniform map would have).
    """
    rows = []
    for name, compute in maps.items():
        for number, clip in enumerate(clips):
            region = clip.moving_region(fraction)
            row = {
                "look": name,
                "clip": number,
                "person": clip.person,
                "emotion": clip.emotion,
                "action_units": clip.action_units,
                "share": share_inside(compute(clip), region),
                "area": float(region.mean()),
            }
            rows.append(row)
    return pd.DataFrame(rows)


def summarise_shares(measured: pd.DataFrame) -> pd.DataFrame:
    """Compute means over clips with 95 % intervals over people, and differences from the first map.

    Args:
        measured: result of `measure_shares`.

    Returns:
        A row per map: look, share, low, high, area, times_even (share over area), clips, people, more,
        more_low, more_high (its share minus that of the first map; NaN for the first). Ends of intervals
        are NaN where there is one person.
    """
    rows = []
    first_values = None
    for name, part in measured.groupby("look", sort=False):
        values, people = part["share"].to_numpy(), part["person"].tolist()
        share, low, high = bootstrap_over_people(values, people)
        difference = (np.nan, np.nan, np.nan)
        if first_values is None:
            first_values = values
        else:
            difference = bootstrap_over_people(values - first_values, people)
        area = float(part["area"].mean())
        row = {
            "look": name,
            "share": share,
            "low": low,
            "high": high,
            "area": area,
            "times_even": share / area,
            "clips": len(part),
            "people": len(set(people)),
            "more": difference[0],
            "more_low": difference[1],
            "more_high": difference[2],
        }
        rows.append(row)
    return pd.DataFrame(rows)


def activation_at_depth(module: nn.Module, size: int, depth: int) -> tuple[str, MapFunction]:
    """Return the stage at a depth, and a function that computes its mean activation for each pixel."""
    stage = stage_at_depth(module, size, depth)

    def activation(clip: GroundTruthClip) -> Float32[np.ndarray, "S S"]:
        maps = compute_maps(module, clip.image[None], stage)[0]
        return upsample(mean_activation(maps), size)

    return stage, activation
