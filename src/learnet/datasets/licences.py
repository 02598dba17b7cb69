"""Whose pictures may be published, as far as the table of datasets knows the licences."""

import re

from learnet.datasets import DATASETS


def may_be_shown(person: str) -> bool:
    """Whether images of PERSON (dataset/subject) may be published. A motion image counts too: it can show the edges of a face."""
    dataset, _, subject = person.partition("/")
    return not any(
        entry.hides(subject) for name, entry in DATASETS.items() if _plain(name) == _plain(dataset)
    )


def _plain(dataset: str) -> str:
    """`CASME II`, `casme-2` and `casme2` are one dataset."""
    return re.sub(r"ii$", "2", re.sub(r"[^a-z0-9]", "", dataset.lower()))
