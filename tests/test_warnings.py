"""No deprecation warnings of our making: one that is raised in a module of the project fails its test."""

import warnings
from unittest import mock

import pytest

from learnet import cli
from tests.builders.commands import learnet

CATEGORIES = [DeprecationWarning, PendingDeprecationWarning, FutureWarning]


@pytest.mark.parametrize("category", CATEGORIES)
@pytest.mark.parametrize("module", ["learnet", "learnet.metrics.scores"])
def test_a_deprecation_in_our_modules_is_an_error(category: type[Warning], module: str) -> None:
    with pytest.raises(category, match="old"):
        warnings.warn_explicit("old", category, "a.py", 1, module=module)


def test_a_deprecation_elsewhere_is_no_error() -> None:
    with pytest.warns(DeprecationWarning, match="old"):
        warnings.warn_explicit("old", DeprecationWarning, "a.py", 1, module="numpy")


@pytest.mark.parametrize("category", CATEGORIES)
def test_a_deprecation_in_a_command_is_an_error(category: type[Warning]) -> None:
    def deprecated(words: list[str]) -> None:
        warnings.warn_explicit("old", category, "a.py", 1, module="learnet.metrics.scores")

    with mock.patch.object(cli, "main", deprecated):
        done = learnet("score", code=1)
    assert f"{category.__name__}: old" in done.stderr
