"""Terminal output of the commands: progress bars on stderr, tables on stdout."""

import io
import re
import sys
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal, NoReturn

from rich import box
from rich.console import Console, ConsoleRenderable, RenderHook
from rich.table import Table
from rich.text import Text

from learnet.cli.log_progress import LogProgress
from learnet.cli.streams import discard_stdout
from learnet.core.errors import counted
from learnet.core.printable import printable, printable_lines

if TYPE_CHECKING:
    from learnet.metrics.study_metrics import DatasetMetrics, MeanScore, SeedMetrics, StudyMetrics
    from learnet.report.comparison.compare import Comparison
    from learnet.report.comparison.tables import Table as TextTable


class _Console(Console):
    """A console whose reader may close it at any time."""

    def on_broken_pipe(self) -> None:
        """Print nothing from now on; the command goes on."""
        self.quiet = True
        if not self.stderr:
            discard_stdout()


class _ControlCharacters(RenderHook):
    """Keep control characters of names from the terminal, which would obey them."""

    def process_renderables(self, renderables: list[ConsoleRenderable]) -> list[ConsoleRenderable]:
        """Escape them in each text. `table` escapes those in cells."""
        return list(map(_escape_text, renderables))


def _escape_text(renderable: ConsoleRenderable) -> ConsoleRenderable:
    if not isinstance(renderable, Text):
        return renderable
    escaped = printable_lines(renderable.plain)
    return renderable if escaped == renderable.plain else Text(escaped, style=renderable.style)


def new_console(
    stderr: bool = False, file: io.TextIOWrapper | io.StringIO | None = None, soft_wrap: bool = True
) -> Console:
    """Return a console that prints text as it is, without control characters."""
    console = _Console(stderr=stderr, file=file, markup=False, highlight=False, soft_wrap=soft_wrap)
    console.push_render_hook(_ControlCharacters())
    return console


out = new_console()
err = new_console(stderr=True)
pages = new_console(soft_wrap=False)  # of `--help`

WIDEST = 10_000  # columns of a table that is wider than the terminal
LONGEST_NAME = 24  # characters of the first column of a table that are not broken into lines

NUMBERS = re.compile(
    r"[<+\-–±]?\d+(?:[.,]\d+)*(?:e[+-]?\d+)?"  # 12, 0.729, ±0.012, <0.001, 1,000, 1e-5
    r"|\b(?:p|Holm|not)\b"  # p <0.001; 12, not 145
    r"|[-–\[\],\s]"  # [0.66, 0.79], a dash for a missing value
)
"""Matches the parts of a cell that is read as a number."""


class _CapturedText(io.StringIO):
    """What is printed on stderr while `captured` collects it."""


@contextmanager
def captured() -> Iterator[io.StringIO]:
    """Collect what is printed on stderr in place of printing it, without progress bars.

    Yields:
        The text so far.
    """
    global err
    before = err
    text = _CapturedText()
    err = new_console(file=text)
    try:
        yield text
    finally:
        err = before


@contextmanager
def bar(title: str) -> Iterator[Callable[[int, int], None]]:
    """Show progress on stderr: a bar on a terminal, and elsewhere a plain line now and then.

    Yields:
        A function of (done, total), as library calls accept it for `progress`.
    """
    if isinstance(err.file, _CapturedText):
        yield lambda done, total: None
        return
    if not err.is_terminal or err.is_dumb_terminal:
        yield LogProgress(title, err.print)
        return
    from rich import progress as rich_progress  # not needed for `--help`

    columns = (
        rich_progress.TextColumn("{task.description}", markup=False),
        rich_progress.BarColumn(),
        rich_progress.MofNCompleteColumn(),
        rich_progress.TimeElapsedColumn(),
        rich_progress.TimeRemainingColumn(),
    )
    with rich_progress.Progress(*columns, console=err) as progress:
        task = progress.add_task(title, total=None)
        yield lambda done, total: progress.update(task, completed=done, total=total)


def table(
    title: str, columns: Sequence[str], rows: Iterable[Sequence[object]], red: Container[int] = ()
) -> None:
    """Print a table.

    Columns after the first are right-aligned if all of their cells are numbers.

    Args:
        title: printed above the table.
        columns: headings.
        rows: cells of each row.
        red: positions of the rows that are printed in red.
    """
    cells = [[printable_lines(str(cell)) for cell in row] for row in rows]
    rich_table = Table(
        title=printable_lines(title),
        title_justify="left",
        title_style="bold",
        box=box.SIMPLE_HEAD,
        pad_edge=False,
    )
    for position, name in enumerate(columns):
        numeric = position > 0 and all(_is_numeric(row[position]) for row in cells)
        justify: Literal["left", "right"] = "right" if numeric else "left"
        unbroken = None
        if position == 0:
            lines = [line for row in cells for line in row[0].splitlines()]
            unbroken = min(max(map(len, lines), default=0), LONGEST_NAME)
        rich_table.add_column(name, justify=justify, overflow="fold", no_wrap=numeric, min_width=unbroken)
    for position, row in enumerate(cells):
        rich_table.add_row(*row, style="red" if position in red else None)
    # Rich cuts numbers off where a table does not fit; a line that the terminal breaks keeps them.
    needed = out.measure(rich_table, options=out.options.update(max_width=WIDEST)).minimum
    if needed > out.width:
        rich_table.width = needed
    out.print(rich_table, soft_wrap=False, crop=False)


def text_table(shown: "TextTable", without: Container[str] = ()) -> None:
    """Print a table of a comparison; rows of leaky studies are red.

    Args:
        shown: the table.
        without: headings of columns that are left out.
    """
    kept = [position for position, name in enumerate(shown.columns) if name not in without]
    rows = [[line.cells[position] for position in kept] for line in shown.lines]
    red = {position for position, line in enumerate(shown.lines) if line.leaky}
    table(shown.title, [shown.columns[position] for position in kept], rows, red)


def _is_numeric(cell: str) -> bool:
    """Return whether a cell consists of numbers only; the name `4dme/S13` does not."""
    return not NUMBERS.sub("", cell)


def measure(score: "MeanScore") -> str:
    """Return a measure with its 95 % interval, such as `0.729 [0.66, 0.79]`, and its spread over seeds below
    it."""
    from learnet.metrics.scores import interval_text  # numpy loads here, so `learnet --help` stays instant

    separator = " " if score.low is not None else "\n"
    text = f"{score.value:.3f}{separator}{interval_text(score.low, score.high)}"
    return text if score.spread is None else f"{text}\n±{score.spread:.3f}"


def scores(
    studies: Sequence[tuple[str, "StudyMetrics"]], leaks: Mapping[str, str] = MappingProxyType({})
) -> None:
    """Print the scores of studies, and below each study those of its databases.

    Accuracy, UF1 and UAR are means over seeds, with 95 % intervals over people.

    Args:
        studies: name and content of `metrics.json` of each study.
        leaks: why the scores of a study are too high, by its name, for those that leak (`leak_warning`).
    """
    from learnet.metrics.scores import MEASURE_NAMES

    rows: list[list[str]] = []
    red: set[int] = set()
    notes: list[str] = []
    for name, summary in studies:
        if name in leaks:
            red.update(range(len(rows), len(rows) + 1 + len(summary.datasets or ())))
        seeds = summary.seeds
        clips, people = _counts(next(iter(seeds.values())))
        runs = f", {len(seeds)} seeds" if len(seeds) > 1 else ""
        tag = "\nleaky" if name in leaks else ""
        rows.append([f"{name}{tag}\n{clips}\n{people}{runs}", *_measures(summary.mean)])
        for dataset, part in (summary.datasets or {}).items():
            clips, people = _counts(part)
            rows.append([f"- {dataset}\n  {clips}\n  {people}", *_measures(part.mean)])
            if part.absent:
                absent = ", ".join(part.absent)
                notes.append(
                    f"{name}: no clip of {dataset} has the class {absent}, which counts as zero there."
                )
    title = "Pooled over all folds [95 % interval over people]"
    if any(len(summary.seeds) > 1 for _, summary in studies):
        title += ", ± over seeds"
    table(title, ["study", *MEASURE_NAMES.values()], rows, red)
    for name, reason in leaks.items():
        leak_warning(name, reason)
    for note in (*notes, *_score_notes(studies)):
        out.print(note)


def _score_notes(studies: Sequence[tuple[str, "StudyMetrics"]]) -> list[str]:
    """Return what is to be said of each study beside its scores, and how intervals are to be read."""
    from learnet.metrics.scores import INTERVAL_NOTE
    from learnet.report.remarks import study_remarks

    notes = []
    for name, summary in studies:
        notes += study_remarks(name, summary)
    if any(summary.mean["uf1"].low is not None for _, summary in studies):
        notes.append(INTERVAL_NOTE)
    return notes


def leak_warning(name: str, reason: str) -> None:
    """Print in red that the scores of a study are too high, for the reason of `StudyDescription.leak`."""
    from learnet.study.description import LEAK_CONSEQUENCE

    red_note(f"{name} leaks: {reason}. {LEAK_CONSEQUENCE}")


def red_note(sentence: str) -> None:
    """Print a sentence in red."""
    out.print(sentence, style="bold red")


def comparison_notes(comparison: "Comparison") -> None:
    """Print what must be known to read the tables of a comparison; what says that a study leaks is red."""
    from learnet.report.comparison.tables import leak_notes, notes

    leaks = leak_notes(comparison)
    for note in leaks:
        red_note(note)
    for note in notes(comparison):
        if note not in leaks:
            out.print(note)


def _counts(part: "SeedMetrics | DatasetMetrics") -> tuple[str, str]:
    return counted(part.clips, "clip"), counted(part.people, "person", "people")


def _measures(mean: "Mapping[str, MeanScore]") -> list[str]:
    return list(map(measure, mean.values()))


def command(words: str) -> None:
    """Print a command as the user would type it."""
    out.print(f"\n$ {words}", style="bold")


def paths(*written: Path, to: Console = out) -> None:
    """Print the paths of the files that were written."""
    for path in written:
        to.print(f"-> {printable(str(path))}")


def stop(message: str, hint: str = "", code: int = 2) -> NoReturn:
    """Exit with one line on stderr."""
    sys.stderr.write(printable(f"learnet: {message} {hint}".strip()) + "\n")
    raise SystemExit(code)
