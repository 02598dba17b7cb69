"""What the commands show in a terminal: progress bars on stderr, tables on stdout."""

import re
import sys
from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

from cyclopts import CycloptsError, MissingArgumentError, UnusedCliTokensError
from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from learnet.core.errors import counted

out = Console(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, soft_wrap=True)

_NUMBER = re.compile(r"[<+\-–±]?\d+(?:[.,]\d+)*(?:e[+-]?\d+)?|\b(?:p|Holm|not)\b|[-–\[\],\s]")
"""What a cell of numbers is made of: 12, 0.729 [0.66, 0.79], ±0.012, p <0.001, 12, not 145, and a dash where there is none."""


@contextmanager
def bar(title: str) -> Iterator[Callable[[int, int], None]]:
    """A progress bar on stderr, where that is a terminal; yields what library calls take as `progress`: a function of (done, total)."""
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )  # help has no bar

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=err, disable=not err.is_terminal) as progress:
        task = progress.add_task(title, total=None)
        yield lambda done, total: progress.update(task, completed=done, total=total)


def table(
    title: str, columns: Sequence[str], rows: Iterable[Sequence[object]], red: Container[int] = ()
) -> None:
    """Print a table, the rows at the places RED in red; columns after the first are right-aligned where every cell reads as a number."""
    cells = [[str(cell) for cell in row] for row in rows]
    drawn = Table(
        title=escape(title), title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, pad_edge=False
    )
    for place, name in enumerate(columns):
        numbers = place > 0 and all(_is_number(row[place]) for row in cells)
        drawn.add_column(name, justify="right" if numbers else "left", overflow="fold", no_wrap=numbers)
    for place, row in enumerate(cells):
        drawn.add_row(*map(escape, row), style="red" if place in red else None)
    out.print(drawn, soft_wrap=False)


def _is_number(cell: str) -> bool:
    """Whether nothing but numbers stands in a cell: `4dme/S13` begins with one and is a name."""
    return not _NUMBER.sub("", cell)


def measure(value: dict) -> str:
    """A measure with its 95 % interval, `0.729 [0.66, 0.79]`, or that one person gives none; below it the spread over several seeds."""
    spread = f"\n±{value['spread']:.3f}" if value.get("spread") is not None else ""
    from learnet.metrics.scores import interval_text  # numpy loads here, so `learnet --help` stays instant

    between = " " if value["low"] is not None else "\n"
    return f"{value['value']:.3f}{between}{interval_text(value['low'], value['high'])}{spread}"


def scores(studies: Sequence[tuple[str, dict]]) -> None:
    """The table of studies: accuracy, UF1 and UAR, mean over seeds, with 95 % intervals over people; below a study, its databases."""
    rows, notes = [], []
    for name, summary in studies:
        first = next(iter(summary["seeds"].values()))
        runs = f", {len(summary['seeds'])} seeds" if len(summary["seeds"]) > 1 else ""
        clips, people = _counts(first)
        rows.append([f"{name}\n{clips}\n{people}{runs}", *_measures(summary["mean"])])
        for dataset, part in summary.get("datasets", {}).items():
            clips, people = _counts(part)
            rows.append([f"- {dataset}\n  {clips}\n  {people}", *_measures(part["mean"])])
            if part["absent"]:
                notes.append(
                    f"{name}: no clip of {dataset} has the class {', '.join(part['absent'])}, which counts as zero there."
                )
    seeds = any(len(summary["seeds"]) > 1 for _, summary in studies)
    title = "Pooled over all folds [95 % interval over people]" + (", ± over seeds" if seeds else "")
    table(title, ["study", "accuracy", "UF1", "UAR"], rows)
    for note in notes:
        out.print(note, markup=False)


def _counts(part: dict) -> tuple[str, str]:
    return counted(part["clips"], "clip"), counted(part["people"], "person", "people")


def _measures(mean: dict) -> list[str]:
    return [measure(mean[key]) for key in ("accuracy", "uf1", "uar")]


def command(words: str) -> None:
    """Show a command as the user would type it."""
    out.print(f"\n[bold]$ {escape(words)}[/bold]")


def paths(*written: Path, to: Console = out) -> None:
    """Name the files that were written."""
    for path in written:
        to.print(f"-> {path}", markup=False)


def stop(what: str, hint: str = "", code: int = 2) -> NoReturn:
    """End the program with one line on stderr."""
    sys.stderr.write(f"learnet: {what} {hint}".strip() + "\n")
    raise SystemExit(code)


def plain_words(mistake: CycloptsError) -> str:
    """What is wrong with the words of a command, without the parser's own terms."""
    if isinstance(mistake, MissingArgumentError) and mistake.argument:
        return f"{mistake.argument.name} is missing."
    if isinstance(mistake, UnusedCliTokensError) and mistake.unused_tokens:
        return f"There is no place for {' '.join(map(repr, mistake.unused_tokens))}."
    return " ".join(str(mistake).split())
