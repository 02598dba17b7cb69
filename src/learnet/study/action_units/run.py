"""A study of linear models that are trained on annotated action units, to compare other models with.

Every person is tested by models that were trained on other people, with settings that were fixed beforehand.
"""

from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path

import numpy as np
from jaxtyping import Bool, UInt8

from learnet.core.errors import BadInput, LearnetError
from learnet.core.labels import parse_action_units
from learnet.core.parallel import parallel_map
from learnet.core.records import Fold
from learnet.core.settings import Study
from learnet.datasets.prepared.concat import open_datasets
from learnet.datasets.prepared.duplicates import check_shared_images
from learnet.datasets.splits import limit_training_people, make_folds
from learnet.metrics.action_units import ScoredUnits, annotated_sides, score_action_units
from learnet.study.action_units.dataset import AnnotatedDataset, annotated_dataset
from learnet.study.action_units.files import (
    ActionUnitDescription,
    ActionUnitResult,
    ClipScores,
    codes_digest,
    save_result,
    untrusted,
)
from learnet.study.describe import describe_folds, describe_images, versions
from learnet.study.folder import POOLED, check_new_folder
from learnet.training.linear_action_units import C, LinearScores, linear_unit_scores

Progress = Callable[[int, int], None]  # folds done, folds in all

MODEL = "linear SVM for each unit, trained on annotated units"
THRESHOLD = 0.5  # of the score; the margin is 0 there
PROTOCOLS = ("loso", "groups", "lodo", "across")
LEAST_PEOPLE = 2  # who show a unit: it is tested on one and learned from another
DETREND_PERCENTILE = 100  # of flow images, as of `motion.detrend`


def run_action_unit_study(
    folder: str | Path | Sequence[str | Path],
    out: str | Path,
    study: Study,
    seed: int = 0,
    jobs: int = -1,
    progress: Progress | None = None,
) -> ActionUnitResult:
    """Train and test a linear model for each action unit and fold, and write a study folder about it.

    Units that a single person shows are left out, because nobody else shows what to learn.

    Args:
        folder: prepared folder whose `clips.csv` has action units, or several, which are pooled.
        out: study folder; must be new or empty.
        study: protocol and its settings, `train_people`, `distinct_people` and
            `shared_images`; nothing else of it is used.
        seed: of the protocol `groups`, and of the draw of `train_people`.
        jobs: processes; -1 is one per core.
        progress: called after each fold.

    Raises:
        BadInput: there is no prepared folder, no clip has action units, or no unit is shown by two people.
        LearnetError: a leaky protocol, or one that does not fit the people and databases.
        OutputTaken: `out` is not empty.
    """
    out = Path(out)
    if study.protocol not in PROTOCOLS:
        wrong = f"There is no protocol {study.protocol} for action units."
        raise LearnetError(wrong, f"Choose from {', '.join(PROTOCOLS)}.")
    data = annotated_dataset(open_datasets(folder, out / POOLED))
    units = _learnable_units(data)
    whole_folds = _folds(data, study, seed)
    folds = limit_training_people(whole_folds, study.train_people, seed)
    check_new_folder(out)
    linear = _cross_validate(data, units, folds, jobs, progress)
    fold_of = {position: fold.name for fold in folds for position in fold.test}
    tested = sorted(fold_of)
    tested_data = replace(data, rows=tuple(data.rows[position] for position in tested))
    present = linear.present[tested]
    clip_scores = ClipScores(
        units=units,
        scores=present,
        named=tuple(_named(units, row >= THRESHOLD) for row in present),
        folds=tuple(fold_of[position] for position in tested),
        reasons=untrusted(tested_data),
    )
    scored = ScoredUnits(
        units=units,
        people=tested_data.people,
        truth=annotated_sides(tested_data.codes, units),
        scores=present,
        thresholds=(THRESHOLD,) * len(units),
        sides=linear.sides[tested],
    )
    description = _describe(out.name, data, units, study, seed)
    description = replace(description, folds=describe_folds(whole_folds, study, [seed]), clips=len(tested))
    result = ActionUnitResult(score_action_units(scored), description)
    save_result(out, tested_data, clip_scores, result)
    return result


def _learnable_units(data: AnnotatedDataset) -> tuple[int, ...]:
    """Return the units that at least LEAST_PEOPLE people show, in ascending order."""
    units = tuple(unit for unit, people in data.people_with_unit().items() if people >= LEAST_PEOPLE)
    if not units:
        folders = ", ".join(map(str, data.prepared.folders))
        wrong = "no action unit is shown by two people, so none can be learned from others"
        raise BadInput(folders, wrong, "Use the clips of more people.")
    return units


def _folds(data: AnnotatedDataset, study: Study, seed: int) -> list[Fold]:
    """Return the folds of the protocol; groups of people are stratified by the first unit of each code.

    Raises:
        LearnetError: one person may have two names, or two people have one image.
    """
    if not study.shared_images:
        source = data.prepared
        check_shared_images(source.take, source.clips, source.record, data.rows)
    first_units = []
    for code in data.codes:
        units = parse_action_units(code)
        first_units.append(str(units[0].number) if units else "none")
    return make_folds(study, data.people, first_units, data.column("dataset"), seed)


def _cross_validate(
    data: AnnotatedDataset,
    units: tuple[int, ...],
    folds: Sequence[Fold],
    jobs: int,
    progress: Progress | None,
) -> LinearScores:
    """Return the scores of all clips, each by models that were trained in the fold that tests it."""
    pixels = data.images.for_evaluation(_detrend_percentile(data)).pixels
    truth = annotated_sides(data.codes, units)
    work = partial(_score_fold, pixels=pixels, truth=truth, mirror=_mirror(data))
    present = np.full((len(pixels), len(units)), np.nan)
    sides = np.full((len(pixels), len(units), 2), np.nan)
    names = [f"fold {fold.name}" for fold in folds]
    with closing(parallel_map(work, folds, jobs, names=names)) as results:
        for done, (fold, scores) in enumerate(zip(folds, results, strict=True), start=1):
            test = list(fold.test)
            present[test], sides[test] = scores.present, scores.sides
            if progress:
                progress(done, len(folds))
    return LinearScores(present, sides)


def _score_fold(
    fold: Fold, pixels: UInt8[np.ndarray, "N S S 3"], truth: Bool[np.ndarray, "N U 2"], mirror: str
) -> LinearScores:
    train, test = list(fold.train), list(fold.test)
    return linear_unit_scores(pixels[train], truth[train], pixels[test], mirror)


def _detrend_percentile(data: AnnotatedDataset) -> int:
    return DETREND_PERCENTILE if data.prepared.record.images_kind == "flow" else 0


def _mirror(data: AnnotatedDataset) -> str:
    kind = data.prepared.record.images_kind
    return kind if kind in ("flow", "image") else "none"


def _named(units: Sequence[int], is_named: Bool[np.ndarray, "U"]) -> str:
    return "+".join(str(unit) for unit, reached in zip(units, is_named, strict=True) if reached)


def _describe(
    name: str, data: AnnotatedDataset, units: tuple[int, ...], study: Study, seed: int
) -> ActionUnitDescription:
    """Return the description of a study, without its folds."""
    used = ("groups", "train_on", "test_on", "train_people", "distinct_people", "shared_images")
    settings = {key: value for key, value in asdict(study).items() if key in used}
    model_settings = {
        "seed": seed,
        "detrend_percentile": _detrend_percentile(data),
        "mirror": _mirror(data),
        "C": C,
        "class_weight": "balanced",
    }
    clips, reasons = data.column("clip"), untrusted(data)
    return ActionUnitDescription(
        study=name,
        protocol=study.protocol,
        model=MODEL,
        settings={**settings, **model_settings},
        units=list(units),
        thresholds=[THRESHOLD] * len(units),
        prepared=describe_images(data.prepared),
        annotations=codes_digest(data),
        folds=[],
        clips=len(data.rows),
        left_out=data.left_out,
        not_scored={str(u): number for u, number in data.clips_with_unit().items() if u not in units},
        untrusted_clips=[clip for clip, reason in zip(clips, reasons, strict=True) if reason],
        versions=versions(),
    )
