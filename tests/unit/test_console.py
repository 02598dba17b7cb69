"""The terminal's table of scores: a study, and below it each of its databases."""

import re

from learnet import console
from learnet.clip import Outcome
from learnet.metrics import summarise


def answers(*bases: str) -> list[Outcome]:
    """Four people a database, every answer right but the first; of `b` nobody is surprised."""
    words = {"a": ("negative", "surprise"), "b": ("negative", "positive")}
    return [
        Outcome("s", "f", 0, f"{base}/{i}/x", base, f"{base}/{i}", words[base][i % 2], words[base][(i + (i == 0)) % 2], (1.0, 0.0, 0.0))
        for base in bases
        for i in range(4)
    ]


def shown(outcomes: list[Outcome]) -> list[str]:
    with console.out.capture() as capture:
        console.scores([("mine", summarise(outcomes, ("negative", "positive", "surprise")))])
    return [" ".join(line.split()) for line in capture.get().splitlines()]


def test_databases_stand_below_their_study() -> None:
    lines = shown(answers("a", "b"))
    rows = [line for line in lines if re.search(r"0\.\d+ \[", line)]
    assert [row.split()[:2] for row in rows] == [["mine", "0.750"], ["-", "a"], ["-", "b"]]
    assert rows[1].split(" ")[5] == f"{(2 / 3 + 4 / 5) / 3:.3f}"  # UF1: negative 2/3, surprise 4/5, positive 0
    assert "mine: no clip of a has the class positive, which counts as zero there." in lines
    assert "mine: no clip of b has the class surprise, which counts as zero there." in lines
    assert [line for line in lines if line.startswith("4 ")] == ["4 clips", "4 people"] * 2


def test_one_database_needs_no_row_of_its_own() -> None:
    lines = shown(answers("a"))
    assert len([line for line in lines if re.search(r"0\.\d+ \[", line)]) == 1 and not [line for line in lines if "counts as zero" in line]
