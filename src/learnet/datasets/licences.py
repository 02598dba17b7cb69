"""Which people's images may be published, as far as the licences of the databases are known."""

import re

from learnet.datasets import DATASETS
from learnet.datasets.prepared.record import PrepareRecord


def may_be_shown(person: str) -> bool:
    """Return whether images of a person may be published.

    Motion images count too, because they can show the edges of a face.

    Args:
        person: as in Clip.person, dataset/subject.
    """
    name, _, subject = person.partition("/")
    for dataset in DATASETS.values():
        if _normalise(dataset.name) == _normalise(name) and dataset.is_hidden(subject):
            return False
    return True


def may_be_published(person: str, record: PrepareRecord | None) -> bool:
    """Return whether the images of a person in a prepared folder may be published.

    Synthetic people have the numbers of real ones, and no licence covers them. Where only a part of the
    folder is synthetic, the licences hold for all of it.

    Args:
        person: as in Clip.person, dataset/subject.
        record: of the prepared folder; None if it is unknown.
    """
    is_synthetic = record is not None and record.synthetic_extent == "yes"
    return is_synthetic or may_be_shown(person)


def _normalise(dataset: str) -> str:
    """Return one spelling for `CASME II`, `casme-2` and `casme2`."""
    plain = re.sub(r"[^a-z0-9]", "", dataset.lower())
    return re.sub(r"ii$", "2", plain)
