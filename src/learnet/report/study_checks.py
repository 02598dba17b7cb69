"""Check the guarantees of a study on its own files."""

from dataclasses import dataclass

from learnet.core.errors import BadInput
from learnet.core.files import shortened_list
from learnet.core.serialisation import read_json
from learnet.metrics.scores import MEASURES
from learnet.metrics.study_metrics import MeanScore, StudyMetrics
from learnet.report.study_record import StudyRecord
from learnet.study.description import shared_people

NO_FOLDS = "study.json does not list the folds"
TOLERANCE = 1e-9  # between a stored and a recomputed measure


@dataclass(frozen=True)
class Check:
    """A guarantee, and whether the files satisfy it."""

    claim: str
    passed: bool | None  # None: the files do not tell
    evidence: str


def check(record: StudyRecord) -> list[Check]:
    """Return all guarantees of a study."""
    return [
        _people_are_disjoint(record),
        _people_are_tested_in_their_fold(record),
        _is_complete(record),
        _scores_are_reproduced(record),
        _images_are_unchanged(record),
    ]


def _people_are_disjoint(record: StudyRecord) -> Check:
    claim = "No person is on both sides of a fold"
    folds = record.folds
    if not folds:
        return Check(claim, None, NO_FOLDS)
    shared = shared_people(folds)
    if shared:
        name, people = next(iter(shared.items()))
        names = shortened_list(people)
        return Check(claim, False, f"{len(shared)} of {len(folds)} folds; fold {name}: {names}")
    if any(fold.train_clips and not fold.train_people for fold in folds):
        return Check(claim, True, "none of the test people is among the people the weights were trained on")
    tested = {person for fold in folds for person in fold.test_people}
    return Check(claim, True, f"lists of people compared in {len(folds)} folds, {len(tested)} people")


def _people_are_tested_in_their_fold(record: StudyRecord) -> Check:
    claim = "Every prediction comes from a fold that tests its person"
    tested = {fold.name: set(fold.test_people) for fold in record.folds}
    if not tested:
        return Check(claim, None, NO_FOLDS)
    wrong = [o for o in record.outcomes if o.person not in tested.get(o.fold, ())]
    if wrong:
        first = f"{wrong[0].clip} in fold {wrong[0].fold}"
        evidence = f"{len(wrong)} of {len(record.outcomes)} predictions do not; first: {first}"
        return Check(claim, False, evidence)
    return Check(claim, True, f"all {len(record.outcomes)} predictions")


def _is_complete(record: StudyRecord) -> Check:
    claim = "Every clip has one prediction per seed"
    if record.expected is None:
        return Check(claim, None, NO_FOLDS)
    number = len(record.outcomes)
    return Check(claim, number == record.expected, f"{number} of {record.expected} predictions")


def _scores_are_reproduced(record: StudyRecord) -> Check:
    claim = "The scores follow from the predictions"
    file = record.folder / "metrics.json"
    if not file.is_file():
        return Check(claim, True, "computed from outcomes.csv for this page; there is no metrics.json")
    try:
        stored = read_json(file, StudyMetrics)
    except BadInput as error:
        evidence = f"metrics.json cannot be read ({error}); this page shows the scores of outcomes.csv"
        return Check(claim, False, evidence)
    recomputed = record.summary.mean
    different = []
    for measure in MEASURES:
        if measure not in stored.mean or not _agree(stored.mean[measure], recomputed[measure]):
            different.append(measure)
    if different:
        names = ", ".join(different)
        evidence = f"metrics.json differs in {names}; this page shows the scores of outcomes.csv"
        return Check(claim, False, evidence)
    return Check(claim, True, "recomputed from outcomes.csv; metrics.json agrees")


def _agree(stored: MeanScore, recomputed: MeanScore) -> bool:
    return abs(stored.value - recomputed.value) <= TOLERANCE


def _images_are_unchanged(record: StudyRecord) -> Check:
    claim = "The images are those of the study"
    if record.prepared is None:
        return Check(claim, None, "the prepared folder is missing or has changed")
    return Check(claim, True, f"fingerprint {record.prepared.record.fingerprint[:12]}")
