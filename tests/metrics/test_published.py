"""The table of published scores: valid rows, values checked by hand, shown only with matching studies."""

import pytest

from learnet.core.labels import DEFAULT_SCHEMES, SCHEMES
from learnet.core.network_info import NETWORK_INFO
from learnet.metrics.published import ALL, COMPOSITE, PUBLISHED, PublishedScores, published_for
from learnet.metrics.scores import MEASURES


@pytest.mark.parametrize("row", PUBLISHED, ids=lambda row: f"{row.method}-{row.scheme}-{row.source[:9]}")
def test_rows_name_known_databases_classes_measures_and_networks(row: PublishedScores) -> None:
    assert row.scheme in SCHEMES
    assert set(row.databases) <= DEFAULT_SCHEMES.keys()
    assert row.databases == tuple(sorted(row.databases))
    assert row.source
    assert set(row.networks) <= NETWORK_INFO.keys()
    assert row.values
    assert set(row.values) <= {ALL, *row.databases}
    if len(row.databases) == 1:
        assert set(row.values) == {ALL}
    for scores in row.values.values():
        assert scores and set(scores) <= set(MEASURES)
        assert all(0.1 < value < 1 for value in scores.values())


def test_no_row_is_there_twice() -> None:
    keys = {(row.method, row.source, row.databases, row.scheme) for row in PUBLISHED}
    assert len(keys) == len(PUBLISHED) == 59


def accuracy(database: str, scheme: str, source: str) -> dict[str, float]:
    rows = published_for([database], scheme)
    return {row.method: row.values[ALL]["accuracy"] for row in rows if row.source.startswith(source)}


def test_scores_of_the_paper_by_hand() -> None:
    """From the slides and the survey, LEARNet on CASME in eight classes; its ResNet is 4.03 points lower."""
    slides = accuracy("casme", "casme-8", "the authors' slides")
    assert slides["LEARNet"] == 0.8042
    assert slides["LEARNet"] - slides["ResNet of LEARNet's authors"] == pytest.approx(0.0403)
    assert accuracy("casme", "casme-8", "Li et al.")["LEARNet"] == 0.8062
    smic = accuracy("smic", "smic-2", "the authors' slides")
    assert smic["LEARNet"] - smic["ResNet of LEARNet's authors"] == pytest.approx(0.0282)


def test_scores_on_the_composite_by_hand() -> None:
    rows = {row.method: row for row in published_for(["smic", "casme2", "samm", "smic"], "megc-3")}
    assert rows["STSTNet (MATLAB)"].values == {
        "all": {"uf1": 0.7353, "uar": 0.7605},
        "smic": {"uf1": 0.6801, "uar": 0.7013},
        "casme2": {"uf1": 0.8382, "uar": 0.8686},
        "samm": {"uf1": 0.6588, "uar": 0.6810},
    }
    assert "precision mistaken for recall" in rows["STSTNet (MATLAB)"].caveat
    assert ".7186" in rows["STSTNet (MATLAB)"].caveat
    for method in ("HTNet", "CausalNet", "CapsuleNet", "OFF-ApexNet"):
        assert "best epoch on the test subject" in rows[method].caveat
    assert rows["LBP-TOP"].networks == ("lbp-top",)
    assert rows["LBP-TOP"].values["smic"] == {"uf1": 0.2, "uar": 0.528}
    assert rows["SLSTT"].values["smic"] == {"uf1": 0.74}
    assert rows["SLSTT"].year == 2022
    assert rows["FRL-DGT"].values == {"samm": {"uf1": 0.772}}
    assert "435 of the 442" in rows["CapsuleNet"].caveat


@pytest.mark.parametrize(
    ("databases", "scheme"),
    [
        (["casme2"], "megc-3"),
        (["casme2", "samm"], "megc-3"),
        (COMPOSITE, "casme2-4"),
        (["casme2"], "as-labelled"),
        (["folder"], "megc-3"),
    ],
)
def test_other_databases_or_classes_have_no_published_scores(databases: list[str], scheme: str) -> None:
    assert published_for(databases, scheme) == []
