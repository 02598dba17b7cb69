"""Is each action unit, simulated alone at 1 pixel, the first that the shipped network names?

    python benchmarks/action_units_alone.py [PEOPLE] [--weights FILE] [--out TABLE.md]

Each unit that the network names is simulated alone on the faces of PEOPLE people who are in no training set:
on both sides, and on each side where it has two. Its largest displacement is 1 pixel of a face 112 pixels
wide; lids and head are still; the flow has the errors of an imitated estimator. The table has a row for
each unit and side: for how many people the unit has the highest score of all, its worst rank, its median
score, how often it is named (its score reaches the shipped threshold) and on which side, and which other unit
has the highest score most often.
"""

import argparse
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from measure import RESULTS

from learnet.datasets.synthetic.unit_images import draw_unit_image
from learnet.inference.action_units import ActionUnitRecogniser, ActionUnitScores
from learnet.motion.detrend import StoredImages
from learnet.simulation.geometry import SIDES
from learnet.simulation.units import UNITS, Activation

PEOPLE = 40
SEED = 77_000_000  # of no training
PEAK_PX = 1.0
COLUMNS = (
    *("unit", "name", "simulated", "first", "worst rank", "median score", "named"),
    *("side as simulated", "else first"),
)


@dataclass(frozen=True)
class Row:
    """Results of one unit on one or both sides."""

    unit: int
    side: str  # "left", "right", or "both"
    people: int
    first: int  # people for whom the unit has the highest score
    worst_rank: int
    median_score: float
    named: int
    right_side: int  # of those for whom it is named, on the simulated side
    else_first: str  # other unit that has the highest score most often, and how often


def unit_images(unit: int, side: str, people: int, size: int, seed: int = SEED) -> np.ndarray:
    """Return an image of a unit alone for each person."""
    sides = SIDES if side == "both" else (side,)
    activations = [Activation(unit, name, 1.0) for name in sides]
    images = []
    for person in range(people):
        rng = np.random.default_rng([seed, person])  # the same people for all units
        images.append(draw_unit_image(activations, PEAK_PX, size, rng))
    return np.stack(images)


def measure_unit(recogniser: ActionUnitRecogniser, unit: int, side: str, people: int) -> Row:
    """Score a unit alone."""
    images = StoredImages(unit_images(unit, side, people, recogniser.metadata.size))
    scores = recogniser.scores(images)
    column = recogniser.units.index(unit)
    ranks = 1 + (scores.present > scores.present[:, [column]]).sum(axis=1)
    named = named_sides(recogniser, scores, unit)
    others = Counter(scores.units[best] for best in scores.present.argmax(axis=1) if best != column)
    else_first = ", ".join(f"AU {other} ({count})" for other, count in others.most_common(2))
    expected = side if UNITS[unit].paired else ""
    return Row(
        unit=unit,
        side=side,
        people=people,
        first=int((ranks == 1).sum()),
        worst_rank=int(ranks.max()),
        median_score=float(np.median(scores.present[:, column])),
        named=len(named),
        right_side=named.count(expected),
        else_first=else_first,
    )


def named_sides(recogniser: ActionUnitRecogniser, scores: ActionUnitScores, unit: int) -> list[str]:
    """Return the side of a unit in each image in which it is named."""
    sides: list[str] = []
    for index in range(len(scores.present)):
        sides += [found.side for found in recogniser.named(scores, index) if found.unit == unit]
    return sides


def all_rows(recogniser: ActionUnitRecogniser, people: int) -> list[Row]:
    """Score each unit alone on both sides, and on each side if it has two."""
    rows = []
    for unit in recogniser.units:
        for side in ("both", *SIDES) if UNITS[unit].paired else ("both",):
            rows.append(measure_unit(recogniser, unit, side, people))
    return rows


def markdown(rows: Sequence[Row]) -> str:
    """Return the rows as a table."""
    lines = ["| " + " | ".join(COLUMNS) + " |", "|" + "---|" * len(COLUMNS)]
    for row in rows:
        side = "both sides" if row.side == "both" else f"{row.side} side"
        cells = [
            f"AU {row.unit}",
            UNITS[row.unit].name,
            side if UNITS[row.unit].paired else "–",
            f"{row.first} of {row.people}",
            str(row.worst_rank),
            f"{row.median_score:.2f}",
            f"{row.named} of {row.people}",
            f"{row.right_side} of {row.named}" if UNITS[row.unit].paired else "–",
            row.else_first or "–",
        ]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("people", type=int, nargs="?", default=PEOPLE)
    parser.add_argument("--weights", type=Path, help="default: the shipped ones")
    parser.add_argument("--out", type=Path, default=RESULTS / "action_units_alone.md")
    chosen = parser.parse_args()
    recogniser = ActionUnitRecogniser.load(chosen.weights)
    rows = all_rows(recogniser, chosen.people)
    heading = f"# Each action unit alone at {PEAK_PX:g} pixel, {chosen.people} simulated people\n\n"
    table = markdown(rows)
    chosen.out.write_text(heading + table, encoding="utf-8")
    print(table)
    both = [row for row in rows if row.side == "both"]
    first = [row for row in both if 2 * row.first > row.people]
    print(f"{len(first)} of {len(both)} units are the first for most people, on both sides; {chosen.out}")


if __name__ == "__main__":
    main()
