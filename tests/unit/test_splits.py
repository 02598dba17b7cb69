"""Splits: properties that must hold for any people, and cases worked by hand."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from learnet.clip import Fold
from learnet.errors import LearnetError
from learnet.splits import PROTOCOLS, make_folds

PEOPLE = st.lists(st.sampled_from([f"d/{i:02d}" for i in range(8)]), min_size=12, max_size=60).filter(lambda people: len(set(people)) >= 3)


@pytest.mark.parametrize("protocol", sorted(PROTOCOLS))
@given(people=PEOPLE, seed=st.integers(0, 99), data=st.data())
def test_every_image_is_tested_once_and_nobody_is_on_both_sides(protocol: str, people: list[str], seed: int, data: st.DataObject) -> None:
    labels = data.draw(st.lists(st.sampled_from("abc"), min_size=len(people), max_size=len(people)))
    folds = make_folds(protocol, people, labels, 3, seed)
    assert sorted(i for fold in folds for i in fold.test) == list(range(len(people)))
    for fold in folds:
        assert sorted(fold.train + fold.test) == list(range(len(people)))
        assert not {people[i] for i in fold.train} & {people[i] for i in fold.test}
    assert folds == make_folds(protocol, people, labels, 3, seed)


def test_leave_one_subject_out_by_hand() -> None:
    folds = make_folds("loso", ["d/2", "d/1", "d/2", "e/1"], list("aabb"), 0, 0)
    assert [(fold.name, fold.train, fold.test) for fold in folds] == [
        ("d/1", (0, 2, 3), (1,)),
        ("d/2", (1, 3), (0, 2)),
        ("e/1", (0, 1, 2), (3,)),
    ]


def test_same_subject_number_of_two_datasets_is_two_people() -> None:
    assert len(make_folds("loso", ["casme/01", "casme2/01"], ["a", "b"], 0, 0)) == 2


def test_groups_depend_on_the_seed_and_are_few() -> None:
    people = [f"d/{i:02d}" for i in range(20)]
    assert len(make_folds("groups", people, ["a", "b"] * 10, 5, 0)) == 5
    assert make_folds("groups", people, ["a", "b"] * 10, 5, 0) != make_folds("groups", people, ["a", "b"] * 10, 5, 1)


def test_a_person_on_both_sides_cannot_be_built() -> None:
    with pytest.raises(LearnetError, match="d/1 on both sides"):
        Fold("x", (0,), (1,), ("d/1", "d/1"))
    assert Fold("x", (0,), (1,), ("d/1", "d/1"), protocol="leaky-clips").test == (1,)
    with pytest.raises(LearnetError, match="tests on images it trains on"):
        Fold("x", (0,), (0,), ("d/1", "d/1"), protocol="leaky-clips")


@pytest.mark.parametrize(
    ("protocol", "people", "groups"), [("loso", ["a/1"] * 4, 0), ("groups", ["a/1", "a/2"], 3), ("groups", ["a/1", "a/2"], 1)]
)
def test_too_few_people_or_groups(protocol: str, people: list[str], groups: int) -> None:
    with pytest.raises(LearnetError, match="not enough|cannot be split"):
        make_folds(protocol, people, ["a"] * len(people), groups, 0)


def test_unknown_protocol_is_hinted() -> None:
    with pytest.raises(LearnetError, match="Did you mean 'loso'"):
        make_folds("losso", ["a/1", "a/2"], ["a", "b"], 0, 0)
