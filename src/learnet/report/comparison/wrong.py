"""The clips of a comparison that no study predicts correctly: what more of the same methods will not mend."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from learnet.core.csv_files import csv_text
from learnet.core.errors import counted
from learnet.core.records import Outcome
from learnet.report.comparison.tables import Line, Table
from learnet.report.study_record import StudyRecord


@dataclass(frozen=True)
class WrongClip:
    """A clip that every study predicts wrongly."""

    clip: str
    person: str
    truth: str
    predictions: Mapping[str, str]  # study -> its prediction; of several seeds that of their mean scores


def counted_studies(records: Sequence[StudyRecord]) -> list[StudyRecord]:
    """Return the studies that count: those that do not leak and whose predictions depend on the images."""
    return [record for record in records if record.looks and not record.leaky]


def wrong_in_every_study(records: Sequence[StudyRecord]) -> list[WrongClip]:
    """Return the clips that each of the studies that count predicts wrongly, in the order of the first study.

    With fewer than two such studies there is nothing in common, and the list is empty.
    """
    studies = counted_studies(records)
    if len(studies) < 2:
        return []
    outcomes_of: dict[str, dict[str, Outcome]] = {}
    for record in studies:
        outcomes_of[record.name] = {outcome.clip: outcome for outcome in record.answers}
    wrong = []
    for clip, first in outcomes_of[studies[0].name].items():
        predictions = {name: outcomes[clip].prediction for name, outcomes in outcomes_of.items()}
        if first.truth not in predictions.values():
            wrong.append(WrongClip(clip, first.person, first.truth, predictions))
    return wrong


def wrong_text(records: Sequence[StudyRecord]) -> str:
    """Return how many clips are wrong in every study, as a sentence; empty with fewer than two studies."""
    studies = counted_studies(records)
    if len(studies) < 2:
        return ""
    wrong = len(wrong_in_every_study(records))
    verb = "is" if wrong == 1 else "are"
    return f"{wrong} of {counted(len(studies[0].answers), 'clip')} {verb} wrong in all {len(studies)} studies"


def wrong_table(records: Sequence[StudyRecord]) -> Table:
    """Return a row for each clip that is wrong in every study, with what was predicted by which of them."""
    lines = []
    for wrong in wrong_in_every_study(records):
        lines.append(Line((wrong.clip, wrong.person, wrong.truth, _grouped(wrong.predictions))))
    title = f"{wrong_text(records)}, those that leak or ignore the image left out"
    return Table(title, ("clip", "person", "truth", "predicted"), tuple(lines), ("predicted",))


def wrong_csv(records: Sequence[StudyRecord]) -> str:
    """Return the clips that are wrong in every study as CSV, with a column for the prediction of each."""
    names = [record.name for record in counted_studies(records)]
    rows = []
    for wrong in wrong_in_every_study(records):
        rows.append((wrong.clip, wrong.person, wrong.truth, *(wrong.predictions[name] for name in names)))
    return csv_text([("clip", "person", "truth", *names), *rows])


def _grouped(predictions: Mapping[str, str]) -> str:
    """Return the predictions with the studies that made each: "negative (a, b), surprise (c)"."""
    if len(set(predictions.values())) == 1:
        return f"{next(iter(predictions.values()))} (all)"
    studies: dict[str, list[str]] = {}
    for study, prediction in predictions.items():
        studies.setdefault(prediction, []).append(study)
    return ", ".join(f"{prediction} ({', '.join(names)})" for prediction, names in studies.items())
