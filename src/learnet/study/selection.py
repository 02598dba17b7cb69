"""Selection of training settings: train every candidate, score it on other people, keep the result."""

from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from pathlib import Path

from learnet.core.automatic_settings import resolve_detrend
from learnet.core.errors import BadInput, LearnetError
from learnet.core.files import write_atomically
from learnet.core.network_info import uses_setting
from learnet.core.people import check_spellings
from learnet.core.records import Fold
from learnet.core.serialisation import read_json, to_json
from learnet.core.settings import Resources, Study, Training
from learnet.networks import without_values
from learnet.study.candidates import (
    SELECTION_FILE,
    SEPARATOR,
    Candidates,
    Selection,
    best_candidates,
    candidate_scores,
    leave_two_groups_out,
    network_of,
)
from learnet.study.describe import describe_study
from learnet.study.description import DESCRIPTION_FILE, read_description
from learnet.study.jobs import FoldJob
from learnet.study.labelled import LabelledDataset
from learnet.study.outcomes import read_outcomes
from learnet.study.plan import initial_weights
from learnet.study.run import Progress, StudyPlan, load_study_dataset, run_jobs_to_disk
from learnet.training.initial_weights import InitialWeights
from learnet.training.train import resolve_training

TRAININGS = "trainings"  # in the folder of a selection: the outcomes of every candidate


def select_settings(
    folder: str | Path | Sequence[str | Path],
    out: str | Path,
    candidates: Candidates,
    study: Study,
    resources: Resources = Resources(),
    progress: Progress | None = None,
) -> Selection:
    """Compare settings and select for each group of people those with the best score on the other groups.

    Args:
        folder: prepared folder, or several, which are concatenated.
        out: folder to write: `choice.json`, and in `trainings` every outcome; continued where the same
            selection was interrupted.
        candidates: the settings that are compared (`candidates.read_candidates`).
        study: network, classes, seeds, and in `groups` the number of groups of people.
        resources: where the trainings run.
        progress: called after each training.

    Raises:
        OutputTaken: `out` holds another selection.
        LearnetError: the folders, the candidates or the settings do not work.
    """
    out = Path(out)
    data = load_study_dataset(folder, out / TRAININGS, study)
    first_seed = candidates.base.seed
    networks = {name: network_of(name, candidates.networks, study.network) for name in candidates.settings}
    settings = _resolved(candidates, data, networks)
    if not study.distinct_people:
        check_spellings(data.people)
    data.check_people_apart(study)
    groups, folds = leave_two_groups_out(data.people, data.truth, study.groups, first_seed)
    _check_inner_groups(settings, folds)
    starts = _initial_weights(candidates, settings, data, networks)
    seeds = range(first_seed, first_seed + study.seeds)
    jobs = _jobs(out.name, settings, networks, starts, folds, seeds)
    own_networks = candidates.networks or None
    records = {name: start.record for name, start in starts.items()}
    base = resolve_detrend(candidates.base, data.prepared.record.images_kind)
    description = describe_study(out.name, data, study, base, folds, None)
    description = replace(description, candidates=settings, networks=own_networks, starts=records)
    run_jobs_to_disk(StudyPlan(out / TRAININGS, description, jobs, data), resources, progress)
    scores = candidate_scores(read_outcomes(out / TRAININGS), groups, list(settings), data.scheme.classes)
    selection = Selection(
        network=study.network,
        classes=list(data.scheme.classes),
        fingerprint=data.prepared.record.fingerprint,
        seeds=list(seeds),
        starts=records,
        candidates=settings,
        networks=own_networks,
        groups=groups,
        scores=scores,
        selected=best_candidates(scores, list(settings)),
    )
    write_atomically(out / SELECTION_FILE, to_json(selection))
    return selection


def _jobs(
    study: str,
    settings: Mapping[str, Training],
    networks: Mapping[str, str],
    starts: Mapping[str, InitialWeights],
    folds: Sequence[Fold],
    seeds: Sequence[int],
) -> list[FoldJob]:
    """Return the trainings of all candidates, by seed, candidate and pair of groups."""
    jobs: list[FoldJob] = []
    for seed in seeds:
        for name, training in settings.items():
            tensors = starts[name].tensors if name in starts else None
            for index, fold in enumerate(folds):
                named = replace(fold, name=f"{name}{SEPARATOR}{fold.name}")
                seeded = replace(training, seed=seed)
                # Candidates share the seed of a fold, so that they differ in nothing but their settings.
                jobs.append(FoldJob(study, networks[name], named, seeded, tensors, None, index))
    return jobs


def _resolved(
    candidates: Candidates, data: LabelledDataset, networks: Mapping[str, str]
) -> dict[str, Training]:
    """Return the candidates with definite settings for these images, by name; refuse equal ones."""
    settings = {}
    classes, size = len(data.scheme.classes), data.prepared.size
    for name, candidate in candidates.settings.items():
        with candidates.named(name):
            settings[name] = resolve_training(candidate, data.prepared, networks[name])
            without_values(networks[name], classes, size)  # refuses an image size that it does not accept
    _check_distinct(networks, settings)
    return settings


def _initial_weights(
    candidates: Candidates,
    settings: Mapping[str, Training],
    data: LabelledDataset,
    networks: Mapping[str, str],
) -> dict[str, InitialWeights]:
    """Return the initial weights of the candidates that have some, by name."""
    starts = {}
    for name, candidate in settings.items():
        with candidates.named(name):
            start = initial_weights(candidate, networks[name], data)
        if start:
            starts[name] = start
    return starts


def read_selection(folder: str | Path) -> Selection:
    """Read the selection that `learnet select` made in a folder, or with which a study was made.

    Args:
        folder: of a selection, or of a study with a selection, which keeps all of it in `study.json`.

    Raises:
        BadInput: there is none, it was not finished, or it is damaged.
    """
    folder = Path(folder)
    file = folder / SELECTION_FILE
    if file.is_file():
        return read_json(file, Selection, "Select the settings again.")
    selection = read_description(folder).choice if (folder / DESCRIPTION_FILE).is_file() else None
    if selection is None:
        hint = "`learnet select` makes it; the same command continues where it stopped."
        raise BadInput(folder, f"there is no {SELECTION_FILE}", hint)
    return selection


def _check_inner_groups(settings: Mapping[str, Training], folds: Sequence[Fold]) -> None:
    fewest = min(len(fold.learned) for fold in folds)
    most = max(one.inner_groups for one in settings.values())
    if most > fewest:
        what = f"inner_groups {most} needs as many training people, and one pair of groups leaves {fewest}."
        raise LearnetError(what)


def _check_distinct(networks: Mapping[str, str], settings: Mapping[str, Training]) -> None:
    """Raise LearnetError where a network would be the same under two candidates."""
    names: dict[tuple[object, ...], str] = {}
    for name, candidate in settings.items():
        network = networks[name]
        used = [setting.name for setting in fields(Training) if uses_setting(network, setting.name)]
        values = tuple(getattr(candidate, setting) for setting in used)
        first = names.setdefault((network, *values), name)
        if first != name:
            what = f"{first} and {name} are the same settings for {network}."
            raise LearnetError(what, "Let candidates differ in a setting that it uses, or leave one out.")
