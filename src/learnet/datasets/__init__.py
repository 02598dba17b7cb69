"""Databases that can be read, by the name they have on the command line: `read_dataset("casme2", root)`."""

from dataclasses import fields
from pathlib import Path

from learnet.core.errors import BadInput, LearnetError, pick
from learnet.core.records import DatasetIndex
from learnet.core.settings import DatasetSubset
from learnet.datasets.readers.casme import CASME
from learnet.datasets.readers.casme2 import CASME2
from learnet.datasets.readers.casme3 import CASME3
from learnet.datasets.readers.casme_sq import CASME_SQ
from learnet.datasets.readers.folder import FOLDER
from learnet.datasets.readers.fourdme import FOURDME
from learnet.datasets.readers.megc2019 import PARTS, megc2019
from learnet.datasets.readers.mmew import MMEW
from learnet.datasets.readers.reading.dataset import Dataset
from learnet.datasets.readers.reading.folder_tree import survey
from learnet.datasets.readers.samm import SAMM
from learnet.datasets.readers.smic import SMIC
from learnet.datasets.readers.smic_e import SMIC_E

DATASETS: dict[str, Dataset] = {
    dataset.name: dataset
    for dataset in (CASME, CASME2, CASME_SQ, CASME3, SMIC, SMIC_E, SAMM, MMEW, FOURDME, FOLDER)
}
DATASETS["megc2019"] = megc2019({part: DATASETS[part] for part in PARTS})

__all__ = ["DATASETS", "Dataset", "check_selection", "read_dataset", "recognised"]


def read_dataset(name: str, root: Path, selection: DatasetSubset = DatasetSubset()) -> DatasetIndex:
    """What a folder holds, read as the database called NAME.

    Raises:
        UnknownName: no such database.
        BadInput: the folder cannot be read as this database; where it looks like another one, that is said.
        LearnetError: a selection that this database does not have; an emotion nobody knows.
    """
    dataset = pick(DATASETS, name, "dataset")
    check_selection(dataset, selection)
    try:
        return dataset.read(root, selection)
    except LearnetError as refusal:
        if found := _looks_like(root.expanduser(), dataset):
            other, sign = found
            wrong = f"this looks like {other.title}, not {dataset.title}: {sign}"
            raise BadInput(
                root, wrong, f"Read it as `{other.name}`, or give the folder of {dataset.title}."
            ) from refusal
        raise


def check_selection(dataset: Dataset, selection: DatasetSubset) -> None:
    """Refuse to select what the database does not have.

    Raises:
        LearnetError: with what it has.
    """
    for field in fields(DatasetSubset):
        value = getattr(selection, field.name)
        if value == field.default:
            continue
        known = dataset.takes.get(field.name)
        if known is None:
            takes = ", ".join(
                f"--{name} {'|'.join(values)}".strip() for name, values in dataset.takes.items()
            )
            raise LearnetError(
                f"{dataset.title} has no --{field.name}.",
                f"It takes {takes}." if takes else "It takes no selection.",
            )
        if known and value not in known:
            raise LearnetError(
                f"{dataset.title} has no {field.name} {value!r}.", f"Choose from {', '.join(known)}."
            )


def recognised(root: Path) -> dict[str, str]:
    """The databases that a folder shows signs of, those with most signs first: name -> the first of its signs.

    Those that have no signs of their own, as the composite of others and folders of one's own clips, are never among them.
    """
    names = survey(root).names
    signs = {dataset.name: dataset.signs_among(names) for dataset in DATASETS.values()}
    return {name: there[0] for name, there in sorted(signs.items(), key=lambda pair: -len(pair[1])) if there}


def _looks_like(root: Path, wanted: Dataset) -> tuple[Dataset, str] | None:
    """The database whose signs are most frequent under ROOT, and the first of them; None where WANTED has any, or nobody.

    Whoever has no signs of its own, as the composite of others has not, is not told that it is another.
    """
    if not root.is_dir() or not wanted.signs:
        return None
    found = recognised(root)
    if not found or wanted.name in found:
        return None
    name, sign = next(iter(found.items()))
    return DATASETS[name], sign
