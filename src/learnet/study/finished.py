"""The finished trainings of an interrupted study: rows in three files, of which a kill may have cut the last
and a disk may have damaged any.

A training counts as finished if its rows are exactly those of the plan. Everything from the first other one
on is done again.
"""

import csv
import io
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from learnet.core.csv_files import csv_text, unescape_formula
from learnet.core.errors import BadInput
from learnet.core.files import append_durably, sha256_hex, write_atomically
from learnet.core.printable import encode_text, storable
from learnet.core.records import Outcome
from learnet.study.outcomes import COLUMNS, outcome_rows, parse_outcome

OUTCOMES_FILE = "outcomes.csv"
TRAININGS_FILE = "trainings.csv"
DIGESTS_FILE = "digests.csv"  # earlier studies have none
TRAININGS_COLUMNS = ("fold", "seed", "train_clips", "test_clips", "epochs", "last_loss")
DIGESTS_COLUMNS = ("fold", "seed", "sha256")
DECIMALS = 1e-6  # of the scores in a file

Identity = tuple[str, str, int, str, str, str, str]
"""Study, fold, seed, clip, dataset, person and true class of an outcome."""


@dataclass(frozen=True)
class PlannedFold:
    """What is known of a training before it runs."""

    fold: str
    seed: int
    train_clips: int
    outcomes: Callable[[], Sequence[Identity]]  # of the test clips, in order


@dataclass(frozen=True)
class FinishedFold:
    """The rows of a finished training."""

    training: Sequence[object]  # with TRAININGS_COLUMNS
    outcomes: Sequence[Outcome]

    @property
    def digest_row(self) -> list[object]:
        """The row in `digests.csv`."""
        rows = csv_text([self.training]) + outcome_rows(self.outcomes)
        return [*self.training[:2], sha256_hex(encode_text(rows))]


def finished_folds(out: Path, planned: Sequence[PlannedFold]) -> list[FinishedFold]:
    """Return the first trainings of a plan whose rows are complete and undamaged in a study folder."""
    outcome_table = _readable_rows(out / OUTCOMES_FILE)
    trainings = _readable_rows(out / TRAININGS_FILE)[1:]
    digests = _readable_rows(out / DIGESTS_FILE)[1:]
    has_digests = (out / DIGESTS_FILE).is_file()
    header, rows = outcome_table[:1], outcome_table[1:]
    if not header or tuple(header[0][: len(COLUMNS)]) != COLUMNS:
        return []
    finished: list[FinishedFold] = []
    start = 0
    for index, (plan, training) in enumerate(zip(planned, trainings, strict=False)):
        identities = plan.outcomes()
        end = start + len(identities)
        fold = _finished_fold(plan, training, rows[start:end], identities, header[0][len(COLUMNS) :])
        if fold is None or (has_digests and digests[index : index + 1] != [_as_text(fold.digest_row)]):
            break
        finished.append(fold)
        start = end
    return finished


def write_finished(out: Path, outcomes_header: str, finished: Sequence[FinishedFold]) -> None:
    """Write the files of a study with the trainings that are finished, and with nothing else."""
    has_digests = not finished or (out / DIGESTS_FILE).is_file()
    outcomes = [outcome_rows(fold.outcomes) for fold in finished]
    write_atomically(out / OUTCOMES_FILE, outcomes_header + "".join(outcomes))
    trainings = [fold.training for fold in finished]
    write_atomically(out / TRAININGS_FILE, csv_text([TRAININGS_COLUMNS, *trainings]))
    if has_digests:
        digests = [fold.digest_row for fold in finished]
        write_atomically(out / DIGESTS_FILE, csv_text([DIGESTS_COLUMNS, *digests]))


def append_finished(out: Path, fold: FinishedFold) -> None:
    """Add the rows of a training to the files of a study."""
    append_durably(out / TRAININGS_FILE, csv_text([fold.training]))
    if (out / DIGESTS_FILE).is_file():
        append_durably(out / DIGESTS_FILE, csv_text([fold.digest_row]))
    # Last, since a fold counts as finished once its outcomes are on disk.
    append_durably(out / OUTCOMES_FILE, outcome_rows(fold.outcomes))


def has_no_rows(file: Path) -> bool:
    """Return whether a file of a study is not there, or has no row below its header."""
    return len(_readable_rows(file)) <= 1


def _finished_fold(
    plan: PlannedFold,
    training: Sequence[str],
    rows: Sequence[Sequence[str]],
    identities: Sequence[Identity],
    classes: Sequence[str],
) -> FinishedFold | None:
    """Return a training from its rows; None unless they are those of the plan."""
    key = [storable(plan.fold), plan.seed, plan.train_clips, len(identities)]
    if len(training) != len(TRAININGS_COLUMNS) or list(training[:4]) != _as_text(key):
        return None
    if not training[4].isdecimal() or len(rows) != len(identities):
        return None
    outcomes = []
    for row, identity in zip(rows, identities, strict=True):
        try:
            outcome = parse_outcome(Path(OUTCOMES_FILE), list(row), classes)
        except BadInput:
            return None
        if _identity(outcome) != _as_stored(identity) or not _is_consistent(outcome, classes):
            return None
        outcomes.append(outcome)
    return FinishedFold(training, outcomes)


def _identity(outcome: Outcome) -> Identity:
    key = (outcome.study, outcome.fold, outcome.seed)
    return (*key, outcome.clip, outcome.dataset, outcome.person, outcome.truth)


def _as_stored(identity: Identity) -> tuple[object, ...]:
    """Return an identity as it is read back: of names that are not UTF-8, bytes are escaped."""
    return tuple(storable(value) if isinstance(value, str) else value for value in identity)


def _is_consistent(outcome: Outcome, classes: Sequence[str]) -> bool:
    """Return whether the scores sum to 1 and the prediction has the highest, as far as they are rounded."""
    highest = max(outcome.scores) - outcome.scores[classes.index(outcome.prediction)] <= DECIMALS
    return highest and abs(sum(outcome.scores) - 1) <= len(classes) * DECIMALS


def _readable_rows(file: Path) -> list[list[str]]:
    """Return the rows of a CSV file up to the first that cannot be read. A last line that was cut is none."""
    if not file.is_file():
        return []
    text = file.read_bytes().decode("utf-8", errors="replace")
    whole = text[: text.rfind("\n") + 1]
    rows: list[list[str]] = []
    with suppress(csv.Error):
        for cells in csv.reader(io.StringIO(whole, newline="")):
            rows.append(list(map(unescape_formula, cells)))
    return rows


def _as_text(cells: Sequence[object]) -> list[str]:
    return list(map(str, cells))
