"""The table of each action unit alone: ranks and sides by hand, and what the shipped network must reach."""

import importlib
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from learnet.inference.action_units import ActionUnitScores, shipped_action_units
from tests.builders.action_units import StandIn, stand_in

PEOPLE = 12


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(Path(__file__).resolve().parents[2] / "benchmarks"))
    return importlib.import_module("action_units_alone")


def test_ranks_sides_and_rivals_are_counted(bench: ModuleType) -> None:
    """The stand-in always answers 1 with 0.9, 12 with 0.8 (on the side with more strain) and 2 with 0.75."""
    recogniser = stand_in(StandIn())
    inner_brow = bench.measure_unit(recogniser, 1, "both", PEOPLE)
    assert (inner_brow.first, inner_brow.worst_rank, inner_brow.else_first) == (PEOPLE, 1, "")
    assert (inner_brow.named, inner_brow.right_side) == (PEOPLE, PEOPLE)
    assert inner_brow.median_score == pytest.approx(0.9)
    smile = bench.measure_unit(recogniser, 12, "left", PEOPLE)
    assert (smile.first, smile.worst_rank, smile.else_first) == (0, 2, f"AU 1 ({PEOPLE})")
    chin = bench.measure_unit(recogniser, 17, "both", PEOPLE)
    assert (chin.worst_rank, chin.named, chin.right_side) == (5, 0, 0)


def test_sides_are_those_of_the_named_unit(bench: ModuleType) -> None:
    scores = ActionUnitScores(
        (1, 12),
        np.array([[0.9, 0.8], [0.9, 0.4], [0.1, 0.7]]),
        np.array([[[0.9, 0.9], [0.9, 0.1]], [[0.9, 0.9], [0.9, 0.1]], [[0.9, 0.9], [0.2, 0.8]]]),
    )
    recogniser = replace(stand_in(), units=(1, 12), thresholds={1: 0.5, 12: 0.5})
    assert bench.named_sides(recogniser, scores, 12) == ["left", "right"]


def test_the_table_has_a_row_for_each_unit_and_side(bench: ModuleType) -> None:
    rows = bench.all_rows(stand_in(), 2)
    assert [(row.unit, row.side) for row in rows] == [
        *((unit, side) for unit in (1, 2, 4, 12) for side in ("both", "left", "right")),
        (17, "both"),
    ]
    lines = bench.markdown(rows).splitlines()
    assert len(lines) == 2 + len(rows) and len({line.count("|") for line in lines}) == 1
    assert lines[2].startswith("| AU 1 | inner brow raiser | both sides | 2 of 2 | 1 | 0.90 |")
    assert lines[-1].startswith("| AU 17 | chin raiser | – | 0 of 2 | 5 |")


def test_the_shipped_network_names_each_unit_first_at_1_pixel(bench: ModuleType) -> None:
    """On both sides, for most people; but for AU 5, which lids that open a little look like (docs)."""
    recogniser = shipped_action_units()
    rows = {unit: bench.measure_unit(recogniser, unit, "both", PEOPLE) for unit in recogniser.units}
    assert [unit for unit, row in rows.items() if 2 * row.first <= PEOPLE] == [5]
