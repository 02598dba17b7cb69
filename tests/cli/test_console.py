"""Terminal tables: scores of a study and of its databases, and the alignment of numbers."""

import re

import pytest

from learnet.cli import console
from learnet.core.records import Outcome
from learnet.metrics.summary import summarise


def answers(*bases: str) -> list[Outcome]:
    """Four people a database, every answer right but the first; of `b` nobody is surprised."""
    words = {"a": ("negative", "surprise"), "b": ("negative", "positive")}
    return [
        Outcome(
            "s",
            "f",
            0,
            f"{base}/{i}/x",
            base,
            f"{base}/{i}",
            words[base][i % 2],
            words[base][(i + (i == 0)) % 2],
            (1.0, 0.0, 0.0),
        )
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
    assert (
        rows[1].split(" ")[5] == f"{(2 / 3 + 4 / 5) / 3:.3f}"
    )  # UF1: negative 2/3, surprise 4/5, positive 0
    assert "mine: no clip of a has the class positive, which counts as zero there." in lines
    assert "mine: no clip of b has the class surprise, which counts as zero there." in lines
    assert [line for line in lines if line.startswith("4 ")] == ["4 clips", "4 people"] * 2


def test_one_person_is_no_people() -> None:
    lines = shown(answers("a")[:1])
    assert any(line.startswith("1 clip ") or line == "1 clip" for line in lines) and "1 person" in {
        line[:8] for line in lines
    }


def test_one_database_needs_no_row_of_its_own() -> None:
    lines = shown(answers("a"))
    assert len([line for line in lines if re.search(r"0\.\d+ \[", line)]) == 1 and not [
        line for line in lines if "counts as zero" in line
    ]


@pytest.mark.parametrize(
    "cells",
    [
        ["12", "-"],
        ["0.729 [0.66, 0.79]\n±0.012", "1.000 [1.00, 1.00]"],
        ["+0.012\n[-0.01, +0.03]\np 0.034\nHolm <0.001"],
        ["145", "12, not 145"],
        ["1.2e-07", "3"],
        ["–", "0.5000"],
        ["0.729 ±0.010\n[0.70, 0.75]"],
    ],
)
def test_columns_of_numbers_stand_on_the_right(cells: list[str]) -> None:
    """All forms that the tables use; each stands under the end of its long heading."""
    for first in (line for cell in cells for line in cell.splitlines()[:1]):
        assert re.search(rf" +{re.escape(first)}$", drawn(cells, first)), cells


@pytest.mark.parametrize(
    "cells", [["4dme/S13: the middle frame is taken"], ["1", "2 of 3 clips"], ["-", "–x"], ["12%", "3 px"]]
)
def test_columns_of_words_that_begin_with_a_number_stand_on_the_left(cells: list[str]) -> None:
    for cell in cells:
        assert drawn(cells, cell) == f" a   {cell}"


def drawn(cells: list[str], part: str) -> str:
    """The line with PART of a table whose second column holds CELLS under a heading wider than any."""
    with console.out.capture() as capture:
        console.table(
            "t", ["x", "a heading that is wider than all of its cells"], [["a", cell] for cell in cells]
        )
    return next(line.rstrip() for line in capture.get().splitlines() if part in line)


def test_numbers_are_whole_in_a_terminal_that_is_too_narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    from io import StringIO

    text = StringIO()
    narrow = console.new_console(file=text)
    narrow.width = 20
    monkeypatch.setattr(console, "out", narrow)
    console.table("Wide", ["name", *"abcdef"], [["one two three", *range(123450, 123456)]])
    for number in range(123450, 123456):
        assert str(number) in text.getvalue()


def test_names_in_the_first_column_are_not_broken_into_lines(capsys: pytest.CaptureFixture[str]) -> None:
    """The table of `learnet select` with ten groups is wider than the terminal; columns of text give way."""
    scores = [f"0.{number}" for number in range(790, 800)]
    rows = [["linear-svm-clipped-98", *scores, "0, 1, 4, 7"], ["two\nlines", *scores, ""]]
    console.table("UF1", ["candidate", *map(str, range(10)), "selected for"], rows)
    assert "linear-svm-clipped-98 " in capsys.readouterr().out
