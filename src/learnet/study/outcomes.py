"""Answers on disk: `outcomes.csv` of a study folder, and the log format of the MEGC2019 challenge."""

import csv
import io
import itertools
from collections.abc import Iterable, Sequence
from pathlib import Path

from learnet.core.errors import BadInput
from learnet.core.records import Outcome

COLUMNS = ("study", "fold", "seed", "clip", "dataset", "person", "truth", "prediction")


def outcomes_header(classes: Sequence[str]) -> str:
    """First line of `outcomes.csv`: the columns above, then one score column for each class."""
    return _lines([[*COLUMNS, *classes]])


def outcome_rows(outcomes: Iterable[Outcome]) -> str:
    """Lines of `outcomes.csv`; scores with six decimals."""
    return _lines(
        [*(str(getattr(o, column)) for column in COLUMNS), *(f"{score:.6f}" for score in o.scores)]
        for o in outcomes
    )


def read_outcomes(study: Path) -> list[Outcome]:
    """The answers of a study folder, in the order they were given.

    Raises:
        BadInput: no outcomes there, or a row that cannot be read.
    """
    file = study / "outcomes.csv"
    if not file.is_file():
        raise BadInput(
            study, "this is not a study folder: outcomes.csv is missing", "`learnet study` makes one."
        )
    return parse_outcomes(file, file.read_text(encoding="utf-8"))


def parse_outcomes(file: Path, text: str) -> list[Outcome]:
    """Outcomes from the content of FILE, which is named when a row cannot be read."""
    rows = csv.reader(io.StringIO(text, newline=""))
    columns = next(rows, [])
    if tuple(columns[: len(COLUMNS)]) != COLUMNS:
        raise BadInput(
            file,
            f"the columns are {', '.join(columns) or 'missing'}",
            f"They should begin {', '.join(COLUMNS)}.",
        )
    return [_outcome(file, row, len(columns)) for row in rows]


def complete_folds(file: Path, expected: Sequence[tuple[str, int, int]]) -> list[list[Outcome]]:
    """The folds that a study which was cut off had finished.

    Args:
        file: its `outcomes.csv`; a last line that was cut in the middle is passed over.
        expected: fold name, seed and number of test clips, in the order in which they are run.

    Returns:
        The outcomes of the first folds that are complete.
    """
    text = file.read_text(encoding="utf-8") if file.is_file() else ""
    text = text[: text.rfind("\n") + 1]
    if not text:
        return []
    parts = [
        list(part)
        for _, part in itertools.groupby(parse_outcomes(file, text), key=lambda o: (o.fold, o.seed))
    ]
    whole = itertools.takewhile(
        lambda pair: (pair[0][0].fold, pair[0][0].seed, len(pair[0])) == pair[1],
        zip(parts, expected, strict=False),
    )
    return [part for part, _ in whole]


def megc_log(outcomes: Iterable[Outcome], classes: Sequence[str]) -> str:
    """Answers of one seed in the format of the MEGC2019 challenge: a line `dataset subject`, then `clip truth
    prediction` lines.

    Classes are written as their positions in CLASSES (MEGC2019: 0 negative, 1 positive, 2 surprise).

    Source: challenge description of MEGC2019, submission format.
    """
    lines = []
    for person, answers in itertools.groupby(
        sorted(outcomes, key=lambda o: (o.person, o.clip)), key=lambda o: o.person
    ):
        lines.append(person.replace("/", " ", 1))
        lines += [
            f"{o.clip.split('/', 2)[-1]} {classes.index(o.truth)} {classes.index(o.prediction)}"
            for o in answers
        ]
    return "\n".join(lines) + "\n"


def _outcome(file: Path, row: list[str], width: int) -> Outcome:
    try:
        study, fold, seed, clip, dataset, person, truth, prediction, *scores = row
        found = tuple(map(float, scores))
        if len(row) != width or not all(0 <= score <= 1 for score in found):  # nor is NaN a score
            raise ValueError
        return Outcome(study, fold, int(seed), clip, dataset, person, truth, prediction, found)
    except ValueError:
        raise BadInput(
            file, f"cannot read the row {','.join(row)[:80]!r}", "Remove the file and run the study again."
        ) from None


def _lines(rows: Iterable[Sequence[str]]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()
