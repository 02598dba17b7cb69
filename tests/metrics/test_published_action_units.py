"""The published F1 of action units: valid rows, each mean that of its units, values checked by hand."""

import pytest

from learnet.core.labels import DEFAULT_SCHEMES
from learnet.core.network_info import NETWORK_INFO
from learnet.metrics.published_action_units import (
    DATABASES,
    PUBLISHED_ACTION_UNITS,
    PublishedUnitScores,
    published_databases,
)


@pytest.mark.parametrize("row", PUBLISHED_ACTION_UNITS, ids=lambda row: row.method)
def test_the_mean_over_units_is_what_its_authors_print(row: PublishedUnitScores) -> None:
    """Both are printed with one decimal of a percent, so they agree to within that."""
    assert sum(row.of_unit.values()) / 12 == pytest.approx(row.f1, abs=0.0006)
    assert set(row.networks) <= NETWORK_INFO.keys() and row.source and row.caveat


def test_scores_by_hand() -> None:
    rows = {row.method: row for row in PUBLISHED_ACTION_UNITS}
    assert [row.f1 for row in PUBLISHED_ACTION_UNITS] == [0.405, 0.395, 0.372, 0.371, 0.332, 0.318, 0.287]
    assert rows["SSSNet"].of_database["casme2"] == 0.463 and rows["SSSNet"].of_unit[4] == 0.875
    assert rows["STSTNet"].of_database["samm"] == 0.349 and rows["STSTNet"].of_unit[5] == 0.036


def test_databases_are_those_that_learnet_reads() -> None:
    assert set(DATABASES) <= DEFAULT_SCHEMES.keys()
    assert published_databases({"samm", "mine", "casme2"}) == ["casme2", "samm"]
