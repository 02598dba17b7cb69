"""Which people's images may be published, as far as the licences of the databases are known."""

import re

from learnet.datasets import DATASETS


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


def _normalise(dataset: str) -> str:
    """Return one spelling for `CASME II`, `casme-2` and `casme2`."""
    plain = re.sub(r"[^a-z0-9]", "", dataset.lower())
    return re.sub(r"ii$", "2", plain)
