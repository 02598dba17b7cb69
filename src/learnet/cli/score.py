"""The command that scores anyone's predictions."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from learnet.cli import console
from learnet.cli.app import STUDIES, app
from learnet.core.output_checks import check_outputs

if TYPE_CHECKING:
    from learnet.metrics.score import Pooled, Scored

NAMES = {"accuracy": "accuracy", "uf1": "UF1", "uar": "UAR"}
MOST = 10  # clips named of each kind


@app.command(group=STUDIES)
def score(
    log: Path,
    /,
    *,
    listed: Annotated[Path | None, Parameter(name="--list")] = None,
    classes: str = "auto",
    table: Annotated[Path | None, Parameter(name="--csv")] = None,
    check: bool = True,
) -> None:
    """Score anyone's predictions under every way of averaging, and find clips that are missing, twice, or not the challenge's.

    Parameters
    ----------
    log
        Log of MEGC2019 (`database subject` lines, below each `clip truth prediction` lines), table with the columns clip, truth,
        prediction (and dataset, subject, seed, fold), or study folder.
    listed
        The organisers' list (combined_3class_gt.csv), to check every clip and its truth.
    classes
        Class scheme (`learnet datasets` lists them) in which labels are words or places; auto takes 0, 1, 2 for negative, positive,
        surprise.
    table
        Also write every number to this CSV file.
    check
        Exit with code 1 where a clip is missing, answered twice, or not as in the list.
    """
    from learnet.core.files import write_atomically
    from learnet.metrics.score import as_csv
    from learnet.metrics.score import score as scored

    check_outputs([table], [log / "outcomes.csv" if log.is_dir() else log, listed])
    found = scored(log, listed, classes)
    if table:
        write_atomically(table, as_csv(found))
    _show_scores(found)
    good = _show_clips(found)
    console.paths(*([table] if table else []))
    if check and not good:
        raise SystemExit(1)


def _show_scores(found: "Scored") -> None:
    averages = [[one.name, *(_value(one.values.get(name)) for name in ("accuracy", "F1", "recall", "precision")), one.meaning]
                for one in found.conventions]  # fmt: skip
    console.table(
        "Every average of the same answers",
        ["average", "accuracy", "F1", "recall", "precision", "what it is"],
        averages,
    )
    pooled = [_row(part) for part in (found.whole, *found.databases)]
    console.table(
        "Pooled, mean over classes [95 % interval over people]", ["database", *NAMES.values()], pooled
    )
    rates = [[name, clips, *map(_value, values)] for name, clips, *values in found.classes]
    console.table("Classes", ["class", "clips", "precision", "recall", "F1"], rates)
    seeds = len({o.seed for o in found.answers.outcomes})
    console.out.print(
        found.answers.chosen + (f" All scores are means over {seeds} seeds." if seeds > 1 else ""),
        markup=False,
    )
    for part in (found.whole, *found.databases):
        if part.absent:
            where = "" if part is found.whole else f" of {part.name}"
            console.out.print(
                f"No clip{where} has the class {', '.join(part.absent)}, which counts as zero.", markup=False
            )
    if found.whole.people is None:
        console.out.print(
            "The file does not say whose clips these are: no intervals, no averages over people.",
            markup=False,
        )


def _show_clips(found: "Scored") -> bool:
    """What is wrong with the clips; whether nothing is."""
    for part in found.counts[:1]:
        rows = [
            [one.name, *(_beside(one.here[key], one.official[key]) for key in part.here)]
            for one in found.counts
        ]
        console.table("Clips beside MEGC2019's", ["database", *part.here], rows)
    if any(one.here != one.official for one in found.counts):
        console.out.print(
            "These are not the clips that MEGC2019 counts: scores cannot be compared with its.", markup=False
        )
    checked = found.check
    told = [("answered more than once, and counted as often", found.repeated)]
    if checked:
        console.out.print(
            f"{checked.answered} of the {checked.listed} clips of the list are answered.", markup=False
        )
        told += [("in the list and not answered", checked.missing), ("answered and not in the list", checked.unknown),
                 ("with another truth than in the list", checked.differ)]  # fmt: skip
    for what, clips in told:
        _name(what, clips)
    return not found.repeated and (checked is None or checked.agrees)


def _name(what: str, clips: Sequence[str]) -> None:
    if clips:
        more = f"; and {len(clips) - MOST} more" if len(clips) > MOST else ""
        console.out.print(f"{len(clips)} {what}: {'; '.join(clips[:MOST])}{more}", markup=False)


def _row(part: "Pooled") -> list[str]:
    from learnet.metrics.scores import interval_text  # numpy loads here, so `learnet --help` stays instant

    people = "" if part.people is None else f", {part.people} people"
    scores = []
    for measure in NAMES:
        below = (
            "\n" + interval_text(*part.limits.get(measure, (None, None))) if part.people is not None else ""
        )
        scores.append(_value(part.values[measure]) + below)
    return [f"{part.name}\n{part.clips} clips{people}", *scores]


def _beside(here: int, official: int) -> str:
    return str(here) if here == official else f"{here}, not {official}"


def _value(value: float | None) -> str:
    return "–" if value is None else f"{value:.4f}"
