"""Predictions on disk: `outcomes.csv` of a study folder, and the log format of the MEGC2019 challenge."""

import itertools
from collections.abc import Iterable, Sequence
from pathlib import Path

from learnet.core.csv_files import csv_text, parse_csv
from learnet.core.errors import BadInput
from learnet.core.records import Outcome

RUN_AGAIN = "Remove the file and run the study again."
COLUMNS = ("study", "fold", "seed", "clip", "dataset", "person", "truth", "prediction")


def outcomes_header(classes: Sequence[str]) -> str:
    """Return the first line of `outcomes.csv`: the COLUMNS, then one score column for each class."""
    return csv_text([[*COLUMNS, *classes]])


def outcome_rows(outcomes: Iterable[Outcome]) -> str:
    """Return lines of `outcomes.csv`; scores with six decimals."""
    rows = []
    for outcome in outcomes:
        cells = [
            outcome.study,
            outcome.fold,
            str(outcome.seed),
            outcome.clip,
            outcome.dataset,
            outcome.person,
            outcome.truth,
            outcome.prediction,
        ]
        rows.append(cells + [f"{score:.6f}" for score in outcome.scores])
    return csv_text(rows)


def read_outcomes(study: str | Path) -> list[Outcome]:
    """Read the outcomes of a study folder, in their order.

    Raises:
        BadInput: there are none, or a row cannot be read.
    """
    study = Path(study)
    file = study / "outcomes.csv"
    if (study / "action_units.csv").is_file():
        wrong = "it holds scores of action units, not of classes"
        raise BadInput(study, wrong, "They are in action_units_metrics.csv.")
    if not file.is_file():
        wrong = "this is not a study folder: outcomes.csv is missing"
        raise BadInput(study, wrong, "`learnet study` makes one.")
    return parse_outcomes(file, _decoded(file))


def _decoded(file: Path) -> str:
    """Return the content of a file; line ends that are part of a name stay."""
    try:
        return file.read_bytes().decode("utf-8")
    except UnicodeDecodeError:
        raise BadInput(file, "this is not UTF-8 text", RUN_AGAIN) from None


def parse_outcomes(file: Path, text: str) -> list[Outcome]:
    """Parse the content of `file`, which is named when a row cannot be read."""
    columns, *rows = parse_csv(file, text) or [[]]
    if tuple(columns[: len(COLUMNS)]) != COLUMNS:
        wrong = f"the columns are {', '.join(columns) or 'missing'}"
        raise BadInput(file, wrong, f"They should begin {', '.join(COLUMNS)}.")
    return [parse_outcome(file, row, columns[len(COLUMNS) :]) for row in rows]


def megc_log(outcomes: Iterable[Outcome], classes: Sequence[str]) -> str:
    """Return the predictions of one seed in the format of the MEGC2019 challenge.

    A line `dataset subject` is followed by lines `clip truth prediction`. Classes are written as their
    positions in `classes` (MEGC2019: 0 negative, 1 positive, 2 surprise).

    Source: challenge description of MEGC2019, submission format.
    """
    lines = []
    by_person = sorted(outcomes, key=lambda outcome: (outcome.person, outcome.clip))
    for person, of_person in itertools.groupby(by_person, key=lambda outcome: outcome.person):
        lines.append(person.replace("/", " ", 1))
        for outcome in of_person:
            name = outcome.clip.split("/", 2)[-1]
            truth, prediction = classes.index(outcome.truth), classes.index(outcome.prediction)
            lines.append(f"{name} {truth} {prediction}")
    return "\n".join(lines) + "\n"


def parse_outcome(file: Path, row: list[str], classes: Sequence[str]) -> Outcome:
    """Parse a row of `file`, which has the scores of these classes.

    Raises:
        BadInput: it cannot be read, or names another class.
    """
    try:
        study, fold, seed, clip, dataset, person, truth, prediction, *cells = row
        scores = tuple(map(float, cells))
        is_complete = len(scores) == len(classes) and {truth, prediction} <= set(classes)
        if not is_complete or not all(0 <= score <= 1 for score in scores):  # NaN is no score either
            raise ValueError
        return Outcome(study, fold, int(seed), clip, dataset, person, truth, prediction, scores)
    except ValueError:
        wrong = f"cannot read the row {','.join(row)[:80]!r}"
        raise BadInput(file, wrong, RUN_AGAIN) from None
