"""The table of published figures: in order, and beside nothing that it does not belong to."""

import pytest

from learnet.core.labels import DEFAULT_SCHEMES, SCHEMES
from learnet.metrics.published import ALL, COMPOSITE, PUBLISHED, Published, beside
from learnet.metrics.scores import MEASURES
from learnet.networks import NETWORKS


@pytest.mark.parametrize("one", PUBLISHED, ids=lambda one: f"{one.who}-{one.scheme}-{one.source[:9]}")
def test_each_is_of_what_learnet_knows(one: Published) -> None:
    assert (
        one.scheme in SCHEMES
        and set(one.databases) <= DEFAULT_SCHEMES.keys()
        and one.databases == tuple(sorted(one.databases))
    )
    assert (
        one.values
        and set(one.values) <= {ALL, *one.databases}
        and (len(one.databases) > 1 or set(one.values) == {ALL})
    )
    for found in one.values.values():
        assert found and set(found) <= set(MEASURES) and all(0.1 < value < 1 for value in found.values())
    assert one.source and all(name in NETWORKS for name in one.networks)


def test_none_stands_twice() -> None:
    assert len({(one.who, one.source, one.databases, one.scheme) for one in PUBLISHED}) == len(PUBLISHED)


def test_the_paper_by_hand() -> None:
    """From the slides and the survey: per cent of clips, LEARNet on CASME in eight classes; the ResNet beside it is 4.03 points lower."""
    found = {(one.who, one.source[:3]): one.values[ALL]["accuracy"] for one in beside(["casme"], "casme-8")}
    assert found[("LEARNet", "the")] == 0.8042 and found[("LEARNet", "Li ")] == 0.8062
    assert found[("LEARNet", "the")] - found[("ResNet of LEARNet's authors", "the")] == pytest.approx(0.0403)
    two = {one.who: one.values[ALL]["accuracy"] for one in beside(["smic"], "smic-2")}
    assert two["LEARNet"] - two["ResNet of LEARNet's authors"] == pytest.approx(0.0282)


def test_the_composite_by_hand() -> None:
    found = {one.who: one for one in beside(["smic", "casme2", "samm", "smic"], "megc-3")}
    assert found["STSTNet (MATLAB)"].values == {
        "all": {"uf1": 0.7353, "uar": 0.7605}, "smic": {"uf1": 0.6801, "uar": 0.7013},
        "casme2": {"uf1": 0.8382, "uar": 0.8686}, "samm": {"uf1": 0.6588, "uar": 0.6810},
    }  # fmt: skip
    assert (
        "precision mistaken for recall" in found["STSTNet (MATLAB)"].caveat
        and ".7186" in found["STSTNet (MATLAB)"].caveat
    )
    assert all(
        "best epoch on the test subject" in found[who].caveat
        for who in ("HTNet", "CausalNet", "CapsuleNet", "OFF-ApexNet")
    )
    assert found["LBP-TOP"].networks == ("lbp-top",) and found["LBP-TOP"].values["smic"] == {
        "uf1": 0.2,
        "uar": 0.528,
    }
    assert found["SLSTT"].values["smic"] == {"uf1": 0.74} and found["FRL-DGT"].values == {
        "samm": {"uf1": 0.772}
    }
    assert "435 of the 442" in found["CapsuleNet"].caveat


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
def test_nothing_stands_beside_a_study_of_something_else(databases: list[str], scheme: str) -> None:
    assert beside(databases, scheme) == []
