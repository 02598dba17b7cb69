"""Experiments: all studies that a recipe names, from the databases to the outcomes. What is finished is not
done again."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path

from learnet.core.errors import BadInput, LearnetError, OutputTaken, pick
from learnet.core.labels import SCHEMES
from learnet.core.output_checks import check_room_above
from learnet.core.settings import Resources
from learnet.datasets import DATASETS, check_selection, read_dataset
from learnet.datasets.prepared.concat import concatenate, save_concatenated
from learnet.datasets.prepared.prepare import prepare
from learnet.datasets.prepared.store import PreparedDataset
from learnet.datasets.synthetic.databases import synthesize
from learnet.motion import MOTION_IMAGES
from learnet.motion.phases import check_phases_allowed
from learnet.networks import NETWORKS
from learnet.study.experiments.recipe import Recipe, folder_name
from learnet.study.experiments.sources import AvailableData, Part, Sources, study_folder
from learnet.study.run import run_study
from learnet.training.train import check_histograms_read, resolve_automatic

CLIPS_PER_PERSON = 6  # of synthetic databases: every usual class occurs, or nearly

Progress = Callable[[int, int], None]  # done, in all
Bar = Callable[[str], AbstractContextManager[Progress]]  # title -> what is called as the work goes on


@dataclass(frozen=True)
class Means:
    """With what experiments are run; no result depends on it."""

    bar: Bar
    resources: Resources = Resources()
    face_model: Path | None = None


def check(recipe: Recipe, file: Path | str) -> None:
    """Refuse a recipe that names what does not exist, or what does not go together, before anything is made.

    Raises:
        BadInput: with the recipe's file.
    """
    try:
        _check_names(recipe)
        for setting in recipe.settings:
            motion = setting.preparation.motion
            if setting.training.phases:
                check_phases_allowed(motion)
            check_histograms_read(setting.study.network, motion)
            resolve_automatic(setting.training, MOTION_IMAGES[motion].family, setting.study.network)
        networks = {(setting.study.network, setting.preparation.size) for setting in recipe.settings}
        for network, size in networks:
            NETWORKS[network](2, size)  # refuses a size that it does not accept
    except LearnetError as error:
        raise BadInput(file, error.what.rstrip("."), error.hint) from None


def _check_names(recipe: Recipe) -> None:
    for network in recipe.networks:
        pick(NETWORKS, network, "network")
    for preparation in recipe.preparations.values():
        pick(MOTION_IMAGES, preparation.motion, "motion image")
    for database in recipe.databases:
        pick({**SCHEMES, "auto": None}, database.classes, "class scheme")
        check_selection(pick(DATASETS, database.name, "dataset"), database.subset())


def synthetic(recipe: Recipe, out: Path, people: int, means: Means) -> AvailableData:
    """Make synthetic databases in the layouts that a recipe needs, in `out/synthetic`, where they are not
    there yet.

    Raises:
        OutputTaken: they are there with another number of people.
        UnknownName: a database whose layout cannot be written.
    """
    roots = {}
    made_with = f"people={people}, clips_per_person={CLIPS_PER_PERSON}, seed=0"
    for name in dict.fromkeys(database.name for database in recipe.databases):
        roots[name] = out / "synthetic" / name
        notice = roots[name] / "SYNTHETIC.txt"
        if not notice.is_file():
            jobs = means.resources.jobs
            with means.bar(f"Rendering {name}") as progress:
                synthesize(roots[name], name, people, CLIPS_PER_PERSON, jobs=jobs, progress=progress)
        elif made_with not in notice.read_text(encoding="utf-8"):
            wrong = f"synthetic clips of another number than {people} people are there"
            raise OutputTaken(roots[name], wrong, "Name a new folder.")
    return AvailableData(roots)


def run_experiments(recipe: Recipe, out: Path, sources: Sources, means: Means) -> None:
    """Make the prepared folders and studies of a recipe that are not there: in `out/prepared` and
    `out/studies`.

    Args:
        recipe: checked already.
        out: new folder, or that of a run which was interrupted.
        sources: where the images of each set and preparation come from.
        means: with what.

    Raises:
        OutputTaken: something else is in the way.
        LearnetError: the databases or the studies do not work.
    """
    check_room_above(out)
    prepared = {key: _prepared_folder(recipe, out, key, parts, means) for key, parts in sources.items()}
    names = {preparation: name for name, preparation in recipe.preparations.items()}
    total, done = len(recipe.sets) * len(recipe.settings), 0
    for label, databases in recipe.sets.items():
        for setting in recipe.settings:
            done += 1
            study = replace(setting.study, classes=databases[0].classes)
            folder = prepared[label, names[setting.preparation]]
            target = study_folder(out, label, setting.name)
            with means.bar(f"{done}/{total} {label} {setting.name}") as progress:
                run_study(folder, target, study, setting.training, means.resources, progress)


def _prepared_folder(
    recipe: Recipe, out: Path, key: tuple[str, str], parts: tuple[Part, ...], means: Means
) -> Path:
    """Return the prepared folder of a set and preparation, made where it is not there; databases are
    concatenated."""
    label, name = key
    targets = {}
    for database, database_label in zip(recipe.databases, recipe.labels, strict=True):
        targets[database] = _target(out, database_label, name)
    folders = []
    for part in parts:
        if isinstance(part, PreparedDataset):
            folders.append(part.folder)
            continue
        reading = read_dataset(part.database.name, part.folder, part.database.subset(part.listed))
        target = targets[part.database]
        with means.bar(f"Computing motion images of {target.name}") as progress:
            dataset = prepare(
                reading,
                target,
                recipe.preparations[name],
                phases=True in recipe.training.get("phases", ()),
                jobs=means.resources.jobs,
                face_model=means.face_model,
                progress=progress,
            )
        folders.append(dataset.folder)
    if len(folders) == 1:
        return folders[0]
    return save_concatenated(concatenate(folders, _target(out, label, name))).folder


def _target(out: Path, label: str, name: str) -> Path:
    return out / "prepared" / folder_name([label, name])
