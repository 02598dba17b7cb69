"""The table of databases."""

import pytest

from learnet.datasets import DATASETS
from learnet.errors import UnknownName, pick
from learnet.labels import EMOTIONS, SCHEMES


def test_every_dataset_is_called_by_its_name_and_uses_known_words() -> None:
    assert set(DATASETS) >= {"casme2", "folder"}
    for name, dataset in DATASETS.items():
        assert dataset.name == name
        assert dataset.classes in {*SCHEMES, "auto"}
        assert set(dataset.published) <= set(EMOTIONS)
        assert dataset.apply and dataset.title


def test_a_misspelt_dataset_gets_a_suggestion() -> None:
    with pytest.raises(UnknownName, match="Did you mean 'casme2'"):
        pick(DATASETS, "casme", "dataset")
