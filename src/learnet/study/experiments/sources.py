"""What a user has, matched with what a recipe names: databases as their owners ship them, and folders that
are prepared already."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from learnet.core.errors import BadInput, LearnetError, pick
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
    """What a user has."""

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
"""Label of a set and name of a preparation, as the recipe has them -> where its images come from."""


def find_available_data(words: Sequence[str]) -> AvailableData:
    """What the words after --data stand for.

    Args: words: each a folder that is recognised by what lies in it (a database, several below one folder, a
            prepared folder), or NAME=DIR.

    Raises:
        BadInput: no such folder, or nobody knows what it is.
        LearnetError: a database twice, or the name of none.
    """
    roots: dict[str, Path] = {}
    prepared = []
    for word in words:
        name, folder = _said(word)
        if not folder.is_dir():
            raise BadInput(
                folder, "there is no such folder", "Give the folder of a database, or a prepared folder."
            )
        if (folder / "prepare.json").is_file():
            prepared.append(load_prepared(folder))
            continue
        for one in [name] if name else _names(folder):
            if one in roots and roots[one].resolve() != folder.resolve():
                hint = f"Say which is meant, as in --data {one}={folder}, and leave the other out."
                raise LearnetError(f"Both {roots[one]} and {folder} look like {DATASETS[one].title}.", hint)
            roots[one] = folder
    return AvailableData(roots, tuple(prepared))


def _said(word: str) -> tuple[str | None, Path]:
    """The database and the folder that a word names; a folder may have = in its own name."""
    name, sign, rest = word.partition("=")
    if not sign or (name not in DATASETS and Path(word).exists()):
        return None, Path(word).expanduser()
    pick(DATASETS, name, "dataset")
    return name, Path(rest).expanduser()


def _names(folder: Path) -> list[str]:
    """The databases that lie in a folder, the composite among them where its list lies there."""
    found = [*recognise_databases(folder), *([COMPOSITE] if (folder / MEGC_LIST_FILE).is_file() else [])]
    if not found:
        raise BadInput(
            folder, "no database is recognised in it", f"Say which one it is, as in --data casme2={folder}."
        )
    return found


def resolve_sources(recipe: Recipe, offer: AvailableData) -> Sources:
    """Where the images of every set and preparation come from: a prepared folder where one fits, else the
    database.

    Raises:
        LearnetError: databases that the recipe names and nobody has; a database in two prepared folders.
    """
    found: Sources = {}
    lacking: dict[str, None] = {}
    for label, databases in recipe.sets.items():
        for name, preparation in recipe.preparations.items():
            ready = [
                one for one in offer.prepared if not _misfit(one, databases, preparation, recipe.imported)
            ]
            _refuse_two(ready)
            there = set().union(*(_datasets(one) for one in ready))
            rest = [database for database in databases if not _in(database) <= there]
            lacking |= {database.name: None for database in rest if database.name not in offer.roots}
            found[label, name] = (
                *ready,
                *(Root(one, offer.roots[one.name]) for one in rest if one.name in offer.roots),
            )
    if lacking:
        raise _lacking(list(lacking), recipe, offer)
    return found


def _in(database: Database) -> set[str]:
    """The databases that the clips of a database say they are of."""
    return set(PARTS) if database.name == COMPOSITE else {database.name}


def _datasets(folder: PreparedDataset) -> set[str]:
    return set(folder.clips["dataset"])


def _misfit(
    folder: PreparedDataset, databases: Sequence[Database], preparation: Preparation, imported: bool
) -> str:
    """Why a prepared folder does not hold images of these databases prepared in this way; empty where it
    does."""
    within = [database for database in databases if _in(database) <= _datasets(folder)]
    if set().union(*map(_in, within)) != _datasets(folder):
        return f"it is of {', '.join(sorted(_datasets(folder)))}"
    by_list = "list" in (folder.record.reading or {})
    if not folder.record.imported and by_list != any(database.name == COMPOSITE for database in within):
        return f"its clips are {'' if by_list else 'not '}chosen by the organisers' list of MEGC2019"
    kinds = set(folder.clips["kind"]) - {""}
    if any((kinds <= {"micro"}) != (database.expressions == "micro") for database in within):
        return f"its clips are {', '.join(sorted(kinds)) or 'micro'}"
    return "; ".join(_otherwise(folder, preparation, imported))


def _otherwise(folder: PreparedDataset, wanted: Preparation, imported: bool) -> Iterator[str]:
    """What is not as wanted, in words. A face finder is asked for only where the recipe names one."""
    made, wanted = folder.record.preparation, wanted.settled
    if made is None:
        kind = MOTION_IMAGES[wanted.motion].family
        if not imported:
            yield "its images were imported"
        if folder.record.images_kind != kind:
            yield f"its images are {folder.record.images_kind}, not {kind}"
        if folder.size != wanted.size:
            yield f"size is {folder.size}, not {wanted.size}"
        return
    made = replace(made.settled, face="auto" if wanted.face == "auto" else made.face)
    for key in Preparation.__dataclass_fields__:
        if getattr(made, key) != getattr(wanted, key):
            yield f"{key} is {getattr(made, key)}, not {getattr(wanted, key)}"


def _refuse_two(ready: Sequence[PreparedDataset]) -> None:
    known: dict[str, PreparedDataset] = {}
    for one in ready:
        for name in sorted(_datasets(one)):
            if name in known:
                raise LearnetError(
                    f"{known[name].folder} and {one.folder} both hold {name}, prepared alike.",
                    "Name one of them.",
                )
            known[name] = one


def unused_data(recipe: Recipe, offer: AvailableData, found: Sources) -> list[str]:
    """A sentence for each folder of which nothing is used, and why."""
    used = {part.folder for parts in found.values() for part in parts}
    asked = {database.name for database in recipe.databases}
    told = []
    for folder in dict.fromkeys(offer.roots.values()):
        names = [name for name, there in offer.roots.items() if there == folder]
        titles = ", ".join(DATASETS[name].title for name in names)
        why = f"{titles} is prepared already" if asked & {*names} else f"the recipe does not name {titles}"
        told += [f"{folder} is not used: {why}."] if folder not in used else []
    return told + [
        f"{one.folder} is not used: {_why(one, recipe)}." for one in offer.prepared if one.folder not in used
    ]


def _why(folder: PreparedDataset, recipe: Recipe) -> str:
    """Why a prepared folder does not fit: what is said of the set and preparation to which it comes
    nearest."""
    reasons = [
        _misfit(folder, group, one, recipe.imported)
        for group in recipe.sets.values()
        for one in recipe.preparations.values()
    ]
    return min(reasons, key=lambda reason: (reason.startswith("it is of"), reason.count(";")))


def _lacking(names: Sequence[str], recipe: Recipe, offer: AvailableData) -> LearnetError:
    """What to say of databases that nobody has, and of prepared folders of them that do not fit."""
    titles = ", ".join(f"{DATASETS[name].title} ({name})" for name in names)
    wanted = set().union(*(_in(database) for database in recipe.databases if database.name in names))
    near = [
        f"{one.folder} does not fit: {why}."
        for one in offer.prepared
        if wanted & _datasets(one) and (why := _why(one, recipe))
    ]
    rest = [database.name for database in recipe.databases if database.name not in names]
    others = (
        f"; or run the rest: --only {' '.join(dict.fromkeys(rest))}"
        if rest
        else "; or try it with --synthetic"
    )
    return LearnetError(
        f"The recipe needs {titles}, which --data does not name.",
        " ".join([*near, f"Add its folder to --data{others}."]),
    )


def study_folder(out: Path, label: str, name: str) -> Path:
    """Where the study of a set under a setting lies."""
    return out / "studies" / label / name
