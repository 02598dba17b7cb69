"""Databases that can be read, by their names on the command line: `read_dataset("casme2", root)`."""

from dataclasses import fields
from pathlib import Path

from learnet.core.errors import BadInput, LearnetError, UnknownName, pick
from learnet.core.records import DatasetIndex
from learnet.core.settings import DatasetSubset
from learnet.datasets.readers.casme import CASME
from learnet.datasets.readers.casme2 import CASME2
from learnet.datasets.readers.casme3 import CASME3
from learnet.datasets.readers.casme_sq import CASME_SQ
from learnet.datasets.readers.dfme import DFME
from learnet.datasets.readers.folder import FOLDER
from learnet.datasets.readers.fourdme import FOURDME
from learnet.datasets.readers.megc2019 import PARTS, megc2019
from learnet.datasets.readers.mmew import MMEW
from learnet.datasets.readers.reading.dataset import Dataset
from learnet.datasets.readers.reading.folder_tree import scan_folders
from learnet.datasets.readers.samm import SAMM
from learnet.datasets.readers.smic import SMIC
from learnet.datasets.readers.smic_e import SMIC_E


class Datasets(dict[str, Dataset]):
    """Table of databases. A name that is not in it is an `UnknownName`."""

    def __missing__(self, name: str) -> Dataset:
        """Raise UnknownName with the nearest name."""
        raise UnknownName("dataset", name, self)


DATASETS = Datasets(
    {
        "casme": CASME,
        "casme2": CASME2,
        "casme-sq": CASME_SQ,
        "casme3": CASME3,
        "smic": SMIC,
        "smic-e": SMIC_E,
        "samm": SAMM,
        "mmew": MMEW,
        "4dme": FOURDME,
        "dfme": DFME,
        "folder": FOLDER,
    }
)
"""Name -> database."""

DATASETS["megc2019"] = megc2019({name: DATASETS[name] for name in PARTS})

__all__ = ["DATASETS", "Dataset", "check_selection", "read_dataset", "recognise_databases"]


def read_dataset(name: str, root: str | Path, selection: DatasetSubset = DatasetSubset()) -> DatasetIndex:
    """Read the labelled clips of a database.

    Args:
        name: of the database, a key of `DATASETS`.
        root: folder as the owners of the database distribute it.
        selection: which part of the database to read.

    Returns:
        The clips, and what was found wrong or repaired on the way.

    Raises:
        UnknownName: there is no such database.
        BadInput: the folder cannot be read as this database. Where it looks like another one, the message
            says so.
        LearnetError: the database does not have the selection, or an emotion is unknown.
    """
    root = Path(root)
    dataset = pick(DATASETS, name, "dataset")
    check_selection(dataset, selection)
    try:
        return dataset.read(root, selection)
    except LearnetError as refusal:
        confusion = _other_database(root, dataset)
        if confusion:
            raise confusion from refusal
        raise


def check_selection(dataset: Dataset, selection: DatasetSubset) -> None:
    """Refuse a selection that a database does not have.

    Raises:
        LearnetError: the message says what it has.
    """
    for field in fields(DatasetSubset):
        value = getattr(selection, field.name)
        if value == field.default:
            continue
        if field.name not in dataset.options:
            raise LearnetError(f"{dataset.title} has no {_words(field.name)}.", _describe_options(dataset))
        allowed = dataset.options[field.name]
        if allowed and value not in allowed:
            problem = f"{dataset.title} has no {field.name} {value!r}."
            raise LearnetError(problem, f"Choose from {', '.join(allowed)}.")


def _describe_options(dataset: Dataset) -> str:
    options = []
    for name, values in dataset.options.items():
        options.append(f"{_words(name)} {'|'.join(values)}".strip())
    if not options:
        return "It accepts no selection."
    return f"It accepts {', '.join(options)}."


def _words(option: str) -> str:
    return option.replace("_", " ")


def recognise_databases(root: Path) -> dict[str, str]:
    """Recognise databases by names of files and folders that only they have.

    The composite of others and folders of one's own clips have no such names and are never recognised.

    Returns:
        Name of the database -> the first such name, for the database with most of them first.
    """
    names = scan_folders(root).names
    matches = {}
    for dataset in DATASETS.values():
        matching = dataset.matching_signatures(names)
        if matching:
            matches[dataset.name] = matching
    ordered = sorted(matches, key=lambda name: -len(matches[name]))
    return {name: matches[name][0] for name in ordered}


def _other_database(root: Path, dataset: Dataset) -> BadInput | None:
    """Return the error about a folder that looks like another database, or None where it does not.

    A database without signatures, such as the composite of others, is never taken for another.
    """
    folder = root.expanduser()
    if not folder.is_dir() or not dataset.signatures:
        return None
    recognised = recognise_databases(folder)
    if not recognised or dataset.name in recognised:
        return None
    name, signature = next(iter(recognised.items()))
    other = DATASETS[name]
    problem = f"this looks like {other.title}, not {dataset.title}: {signature}"
    hint = f"Read it as `{other.name}`, or give the folder of {dataset.title}."
    return BadInput(root, problem, hint)
