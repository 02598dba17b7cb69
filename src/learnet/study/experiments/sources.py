"""The data of a user, matched with what a recipe names: databases as their owners ship them, and prepared
folders."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path

from learnet.core.errors import BadInput, LearnetError, pick
from learnet.core.files import absolute_path
from learnet.core.settings import Preparation
from learnet.datasets import DATASETS, recognise_databases
from learnet.datasets.prepared.store import PreparedDataset, load_prepared
from learnet.datasets.readers.megc2019 import PARTS
from learnet.datasets.synthetic.databases import MEGC_LIST_FILE
from learnet.motion import MOTION_IMAGES
from learnet.study.experiments.recipe import Database, Recipe

COMPOSITE = "megc2019"


@dataclass(frozen=True)
class AvailableData:
    """The data of a user."""

    roots: Mapping[str, Path]  # database -> folder
    prepared: tuple[PreparedDataset, ...] = ()


@dataclass(frozen=True)
class Root:
    """A database that is still to be prepared."""

    database: Database
    folder: Path

    @property
    def listed(self) -> Path | None:
        """The organisers' list, where the database is their composite."""
        return self.folder / MEGC_LIST_FILE if self.database.name == COMPOSITE else None


Part = Root | PreparedDataset
Sources = dict[tuple[str, str], tuple[Part, ...]]
"""Label of a set and name of a preparation, as in the recipe -> where its images come from."""


def find_available_data(words: Sequence[str]) -> AvailableData:
    """Return the data that the words after --data name.

    Args:
        words: each a folder that is recognised by its content (a database, several below one folder, a
            prepared folder), or NAME=DIR.

    Raises:
        BadInput: no such folder, or it is not recognised.
        LearnetError: a database is there twice, or its name is not known.
    """
    roots: dict[str, Path] = {}
    prepared = []
    for word in words:
        name, folder = _name_and_folder(word)
        if not folder.is_dir():
            hint = "Give the folder of a database, or a prepared folder."
            raise BadInput(folder, "there is no such folder", hint)
        if (folder / "prepare.json").is_file():
            prepared.append(load_prepared(folder))
            continue
        for database in [name] if name else _databases_in(folder):
            _check_one_root(roots, database, folder)
            roots[database] = folder
    return AvailableData(roots, tuple(prepared))


def _check_one_root(roots: Mapping[str, Path], database: str, folder: Path) -> None:
    if database in roots and absolute_path(roots[database]) != absolute_path(folder):
        what = f"Both {roots[database]} and {folder} look like {DATASETS[database].title}."
        hint = f"Say which is meant, as in --data {database}={folder}, and leave the other out."
        raise LearnetError(what, hint)


def _name_and_folder(word: str) -> tuple[str | None, Path]:
    """Return the database and the folder that a word names; a folder may have = in its own name."""
    name, equals, rest = word.partition("=")
    if not equals or (name not in DATASETS and Path(word).exists()):
        return None, Path(word).expanduser()
    pick(DATASETS, name, "dataset")
    return name, Path(rest).expanduser()


def _databases_in(folder: Path) -> list[str]:
    """Return the databases that are recognised in a folder, and the composite where its list is there."""
    names = list(recognise_databases(folder))
    if (folder / MEGC_LIST_FILE).is_file():
        names.append(COMPOSITE)
    if not names:
        hint = f"Say which one it is, as in --data casme2={folder}."
        raise BadInput(folder, "no database is recognised in it", hint)
    return names


def resolve_sources(recipe: Recipe, available: AvailableData) -> Sources:
    """Return where the images of every set and preparation come from: fitting prepared folders, else the
    databases.

    Raises:
        LearnetError: a database of the recipe is not available, or is in two prepared folders.
    """
    sources: Sources = {}
    missing: dict[str, None] = {}
    for label, databases in recipe.sets.items():
        for name, preparation in recipe.preparations.items():
            fitting = []
            for dataset in available.prepared:
                if not _misfit(dataset, databases, preparation, recipe.imported):
                    fitting.append(dataset)
            _check_databases_are_disjoint(fitting)
            prepared = set().union(*map(_datasets_of, fitting))
            parts: list[Part] = [*fitting]
            for database in databases:
                if _names_of_clips(database) <= prepared:
                    continue
                if database.name in available.roots:
                    parts.append(Root(database, available.roots[database.name]))
                else:
                    missing[database.name] = None
            sources[label, name] = tuple(parts)
    if missing:
        raise _missing_error(list(missing), recipe, available)
    return sources


def _names_of_clips(database: Database) -> set[str]:
    """Return the databases that the clips of a database name: several for the composite."""
    return set(PARTS) if database.name == COMPOSITE else {database.name}


def _datasets_of(dataset: PreparedDataset) -> set[str]:
    return set(dataset.clips["dataset"])


def _misfit(
    dataset: PreparedDataset, databases: Sequence[Database], preparation: Preparation, imported: bool
) -> str:
    """Return why a prepared folder is not of these databases prepared in this way; "" where it is."""
    names, record = _datasets_of(dataset), dataset.record
    within = [database for database in databases if _names_of_clips(database) <= names]
    if set().union(*map(_names_of_clips, within)) != names:
        return f"it is of {', '.join(sorted(names))}"
    by_list = "list" in (record.reading or {})
    wants_list = any(database.name == COMPOSITE for database in within)
    if not record.imported and by_list != wants_list:
        return f"its clips are {'' if by_list else 'not '}chosen by the organisers' list of MEGC2019"
    kinds = set(dataset.clips["kind"]) - {""}
    only_micro = kinds <= {"micro"}
    if any(only_micro != (database.expressions == "micro") for database in within):
        return f"its clips are {', '.join(sorted(kinds)) or 'micro'}"
    return "; ".join(_differences(dataset, preparation, imported))


def _differences(dataset: PreparedDataset, wanted: Preparation, imported: bool) -> Iterator[str]:
    """Yield in words what was prepared otherwise. The face finder counts only where the recipe names one."""
    record, wanted = dataset.record, wanted.settled
    if record.preparation is None:
        kind = MOTION_IMAGES[wanted.motion].family
        if not imported:
            yield "its images were imported"
        if record.images_kind != kind:
            yield f"its images are {record.images_kind}, not {kind}"
        if dataset.size != wanted.size:
            yield f"size is {dataset.size}, not {wanted.size}"
        return
    actual = record.preparation.settled
    if wanted.face == "auto":
        actual = replace(actual, face="auto")
    for setting in fields(Preparation):
        value, wanted_value = getattr(actual, setting.name), getattr(wanted, setting.name)
        if value != wanted_value:
            yield f"{setting.name} is {value}, not {wanted_value}"


def _check_databases_are_disjoint(datasets: Sequence[PreparedDataset]) -> None:
    known: dict[str, PreparedDataset] = {}
    for dataset in datasets:
        for name in sorted(_datasets_of(dataset)):
            if name in known:
                what = f"{known[name].folder} and {dataset.folder} both hold {name}, prepared alike."
                raise LearnetError(what, "Name one of them.")
            known[name] = dataset


def unused_data(recipe: Recipe, available: AvailableData, sources: Sources) -> list[str]:
    """Return a sentence for each folder of which nothing is used, and why."""
    used = {part.folder for parts in sources.values() for part in parts}
    requested = {database.name for database in recipe.databases}
    sentences = []
    for folder in dict.fromkeys(available.roots.values()):
        names = []
        for name, root in available.roots.items():
            if root == folder:
                names.append(name)
        titles = ", ".join(DATASETS[name].title for name in names)
        reason = f"the recipe does not name {titles}"
        if requested & {*names}:
            reason = f"{titles} is prepared already"
        if folder not in used:
            sentences.append(f"{folder} is not used: {reason}.")
    for dataset in available.prepared:
        if dataset.folder not in used:
            sentences.append(f"{dataset.folder} is not used: {_best_reason(dataset, recipe)}.")
    return sentences


def _best_reason(dataset: PreparedDataset, recipe: Recipe) -> str:
    """Return why a prepared folder does not fit the set and preparation to which it comes nearest."""
    reasons = []
    for databases in recipe.sets.values():
        for preparation in recipe.preparations.values():
            reasons.append(_misfit(dataset, databases, preparation, recipe.imported))
    return min(reasons, key=lambda reason: (reason.startswith("it is of"), reason.count(";")))


def _missing_error(names: Sequence[str], recipe: Recipe, available: AvailableData) -> LearnetError:
    """Return the error for databases that are not available. It names prepared folders of them that do not
    fit."""
    titles = ", ".join(f"{DATASETS[name].title} ({name})" for name in names)
    wanted: set[str] = set()
    for database in recipe.databases:
        if database.name in names:
            wanted |= _names_of_clips(database)
    hints = []
    for dataset in available.prepared:
        reason = _best_reason(dataset, recipe)
        if wanted & _datasets_of(dataset) and reason:
            hints.append(f"{dataset.folder} does not fit: {reason}.")
    rest = [database.name for database in recipe.databases if database.name not in names]
    alternative = "or try it with --synthetic"
    if rest:
        alternative = f"or run the rest: --only {' '.join(dict.fromkeys(rest))}"
    hints.append(f"Add its folder to --data; {alternative}.")
    return LearnetError(f"The recipe needs {titles}, which --data does not name.", " ".join(hints))


def study_folder(out: Path, label: str, name: str) -> Path:
    """Return the folder of the study of a set under a setting."""
    return out / "studies" / label / name
