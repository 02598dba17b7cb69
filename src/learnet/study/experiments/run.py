"""A series: all studies that a recipe names, from the databases to the tables. What is finished is not done
again."""

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
from learnet.training.train import resolve_mirror

CLIPS = 6  # of each synthetic person: every usual class of a database occurs, or nearly

Progress = Callable[[int, int], None]  # done, in all
Bar = Callable[[str], AbstractContextManager[Progress]]  # title -> what is called as the work goes on


@dataclass(frozen=True)
class Means:
    """With what a series is run; this changes no result."""

    bar: Bar
    resources: Resources = Resources()
    face_model: Path | None = None


def check(recipe: Recipe, where: Path | str) -> None:
    """Refuse a recipe that names what does not exist, or what does not go together, before anything is made.

    Raises:
        BadInput: with the file WHERE.
    """
    try:
        for network in recipe.networks:
            pick(NETWORKS, network, "network")
        for preparation in recipe.preparations.values():
            pick(MOTION_IMAGES, preparation.motion, "motion image")
        for database in recipe.databases:
            pick({**SCHEMES, "auto": None}, database.classes, "class scheme")
            check_selection(pick(DATASETS, database.name, "dataset"), database.subset())
        for setting in recipe.settings:
            if setting.training.phases:
                check_phases_allowed(setting.preparation.motion)
            resolve_mirror(
                setting.training, MOTION_IMAGES[setting.preparation.motion].family, setting.study.network
            )
        for network, size in {
            (setting.study.network, setting.preparation.size) for setting in recipe.settings
        }:
            NETWORKS[network](2, size)
    except LearnetError as error:
        raise BadInput(where, error.what.rstrip("."), error.hint) from None


def synthetic(recipe: Recipe, out: Path, people: int, means: Means) -> AvailableData:
    """Synthetic databases in the layouts that a recipe needs, in OUT/synthetic; those that are there already
    as they are.

    Raises:
        OutputTaken: another number of people is there.
        UnknownName: a database whose layout cannot be written.
    """
    roots = {}
    for name in dict.fromkeys(database.name for database in recipe.databases):
        roots[name] = out / "synthetic" / name
        notice = roots[name] / "SYNTHETIC.txt"
        if not notice.is_file():
            with means.bar(f"Rendering {name}") as progress:
                synthesize(roots[name], name, people, CLIPS, jobs=means.resources.jobs, progress=progress)
        elif f"people={people}, clips_per_person={CLIPS}, seed=0" not in notice.read_text(encoding="utf-8"):
            raise OutputTaken(
                roots[name],
                f"synthetic clips of another number than {people} people are there",
                "Name a new folder.",
            )
    return AvailableData(roots)


def run_experiments(recipe: Recipe, out: Path, sources: Sources, means: Means) -> None:
    """Make what the recipe names and is not there: prepared folders in OUT/prepared, then studies in
    OUT/studies.

    Args:
        recipe: checked already.
        out: new folder, or that of a run which was cut off.
        sources: where the images of each set and preparation come from.
        means: with what.

    Raises:
        OutputTaken: something else is in the way.
        LearnetError: whatever is wrong with the databases or the studies.
    """
    check_room_above(out)
    ready = {key: _ready(recipe, out, key, parts, means) for key, parts in sources.items()}
    names = {preparation: name for name, preparation in recipe.preparations.items()}
    total, done = len(recipe.sets) * len(recipe.settings), 0
    for label, databases in recipe.sets.items():
        for setting in recipe.settings:
            done += 1
            study = replace(setting.study, classes=databases[0].classes)
            folder = ready[label, names[setting.preparation]]
            with means.bar(f"{done}/{total} {label} {setting.name}") as progress:
                run_study(
                    folder,
                    study_folder(out, label, setting.name),
                    study,
                    setting.training,
                    means.resources,
                    progress,
                )


def _ready(recipe: Recipe, out: Path, key: tuple[str, str], parts: tuple[Part, ...], means: Means) -> Path:
    """The prepared folder of a set and preparation, made where it is not there; several databases are
    pooled."""
    label, name = key
    places = {
        database: _place(out, each, name)
        for database, each in zip(recipe.databases, recipe.labels, strict=True)
    }
    folders = []
    for part in parts:
        if isinstance(part, PreparedDataset):
            folders.append(part.folder)
            continue
        reading = read_dataset(part.database.name, part.folder, part.database.subset(part.listed))
        place, preparation = places[part.database], recipe.preparations[name]
        with means.bar(f"Folding {place.name}") as progress:
            jobs, phases = means.resources.jobs, True in recipe.training.get("phases", ())
            made = prepare(
                reading,
                place,
                preparation,
                phases=phases,
                jobs=jobs,
                face_model=means.face_model,
                progress=progress,
            )
            folders.append(made.folder)
    return (
        folders[0]
        if len(folders) == 1
        else save_concatenated(concatenate(folders, _place(out, label, name))).folder
    )


def _place(out: Path, label: str, name: str) -> Path:
    return out / "prepared" / folder_name([label, *([name] if name else [])])
