"""The command that scores predictions of any origin."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from learnet.cli import console
from learnet.cli.app import STUDIES, app
from learnet.core.files import absolute_path
from learnet.core.output_checks import CSV, check_outputs

if TYPE_CHECKING:
    from learnet.metrics.score import PooledScores, ScoreReport

AVERAGES = ("accuracy", "F1", "recall", "precision")
MAX_CLIPS = 10  # clips that are named in each note


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
    """Score predictions of any origin under every averaging convention; report missing, repeated and unknown
    clips.

    Parameters
    ----------
    log
        MEGC2019 log (`database subject` lines, each followed by `clip truth prediction` lines), log with the
        lists of STSTNet and HTNet (`Subject: 01`, `Predicted: [...]`, `Ground Truth: [...]`), table with the
        columns clip, truth, prediction (and dataset, subject, seed, fold), or study folder.
    listed
        The organisers' list (combined_3class_gt.csv), to check every clip and its true class.
    classes
        Class scheme (`learnet datasets` lists them) of labels given as words or indices; auto reads 0, 1, 2
        as negative, positive, surprise, and in the log of a study as its classes.
    table
        Also write all numbers to this CSV file.
    check
        Exit with code 1 if a clip is missing, repeated, or differs from the list.
    """
    from learnet.core.files import write_atomically
    from learnet.metrics.score import score as score_log
    from learnet.metrics.score import scores_to_csv

    predictions = log / "outcomes.csv" if log.is_dir() else log
    check_outputs([(table, CSV)], [predictions, listed])
    scored = score_log(log, listed, classes)
    if table:
        write_atomically(table, scores_to_csv(scored))
    _print_scores(scored)
    _warn_of_leak(log)
    clips_agree = _print_clips(scored)
    console.paths(*([table] if table else []))
    if check and not clips_agree:
        raise SystemExit(1)


def _warn_of_leak(log: Path) -> None:
    """Print in red that the scores of a study folder are too high, where it says so."""
    from learnet.study.description import DESCRIPTION_FILE, read_description

    if (log / DESCRIPTION_FILE).is_file():
        leak = read_description(log).leak
        if leak:
            console.leak_warning(absolute_path(log).name, leak)


def _print_scores(scored: "ScoreReport") -> None:
    """Print all averages, the pooled scores and the rates of each class."""
    from learnet.metrics.scores import MEASURE_NAMES

    averages = []
    for convention in scored.conventions:
        values = [_number(convention.values.get(name)) for name in AVERAGES]
        averages.append([convention.name, *values, convention.meaning])
    console.table("All averages of the same predictions", ["average", *AVERAGES, "definition"], averages)
    parts = (scored.whole, *scored.databases)
    title = "Pooled, mean over classes [95 % interval over people]"
    console.table(title, ["database", *MEASURE_NAMES.values()], [_pooled_row(part) for part in parts])
    rates = [
        [c.name, c.clips, _number(c.precision), _number(c.recall), _number(c.f1)] for c in scored.classes
    ]
    console.table("Classes", ["class", "clips", "precision", "recall", "F1"], rates)
    for note in _score_notes(scored):
        console.out.print(note, markup=False)


def _score_notes(scored: "ScoreReport") -> list[str]:
    """Return what must be known to read the scores."""
    from learnet.metrics.scores import INTERVAL_NOTE
    from learnet.report.remarks import chance_text, other_text

    seeds = len({outcome.seed for outcome in scored.predictions.outcomes})
    means = f" All scores are means over {seeds} seeds." if seeds > 1 else ""
    notes = [scored.predictions.class_source + means, *scored.predictions.notes]
    for part in (scored.whole, *scored.databases):
        if part.absent:
            where = "" if part is scored.whole else f" of {part.name}"
            notes.append(f"No clip{where} has the class {', '.join(part.absent)}, which counts as zero.")
    notes.append(other_text(scored.other))
    if scored.chance:
        notes.append(f"The predictions {chance_text(scored.chance)}")
    if scored.whole.limits:
        notes.append(INTERVAL_NOTE)
    if scored.whole.people is None:
        notes.append("The file does not name the people: no intervals and no averages over people.")
    return notes


def _print_clips(scored: "ScoreReport") -> bool:
    """Print deviations of the clips from the official ones. Return whether there are none."""
    if scored.counts:
        classes = list(scored.counts[0].here)
        rows = []
        for database in scored.counts:
            cells = [_compared_count(database.here[name], database.official[name]) for name in classes]
            rows.append([database.name, *cells])
        console.table("Clips beside those of MEGC2019", ["database", *classes], rows)
    if any(database.here != database.official for database in scored.counts):
        console.out.print("These are not the clips of MEGC2019: its scores are not comparable.", markup=False)
    _print_clip_names("predicted more than once, and counted as often", scored.repeated)
    check = scored.check
    if check is None:
        return not scored.repeated
    console.out.print(
        f"{check.answered} of the {check.listed} clips of the list have a prediction.", markup=False
    )
    _print_clip_names("in the list and without a prediction", check.missing)
    _print_clip_names("predicted and not in the list", check.unknown)
    _print_clip_names("with another true class than in the list", check.differ)
    return not scored.repeated and check.agrees


def _print_clip_names(description: str, clips: Sequence[str]) -> None:
    """Print how many clips a description applies to, and the first of them."""
    if clips:
        more = f"; and {len(clips) - MAX_CLIPS} more" if len(clips) > MAX_CLIPS else ""
        console.out.print(f"{len(clips)} {description}: {'; '.join(clips[:MAX_CLIPS])}{more}", markup=False)


def _pooled_row(part: "PooledScores") -> list[str]:
    """Return the cells of a database: its name and counts, then each measure with its interval."""
    # numpy loads here, so `learnet --help` stays instant
    from learnet.metrics.scores import MEASURES, interval_text

    if part.people is None:
        values = [_number(part.values[measure]) for measure in MEASURES]
        return [f"{part.name}\n{part.clips} clips", *values]
    cells = [f"{part.name}\n{part.clips} clips, {part.people} people"]
    for measure in MEASURES:
        limits = part.limits.get(measure, (None, None))
        cells.append(f"{_number(part.values[measure])}\n{interval_text(*limits)}")
    return cells


def _compared_count(count: int, official: int) -> str:
    return str(count) if count == official else f"{count}, not {official}"


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.4f}"
