"""Splits: properties that must hold for any people, and cases worked by hand."""

from dataclasses import replace

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from learnet.core.errors import LearnetError
from learnet.core.records import Fold
from learnet.core.settings import Study
from learnet.datasets.splits import PROTOCOLS, limit_training_people, make_folds_of_seeds
from learnet.datasets.splits import make_folds as folds_of

PEOPLE = st.lists(st.sampled_from([f"d/{i:02d}" for i in range(8)]), min_size=12, max_size=60).filter(
    lambda people: len(set(people)) >= 3
)


def make_folds(
    protocol: str, people: list[str], labels: list[str], groups: int, seed: int, **more: object
) -> list[Fold]:
    """The folds of people named database/subject."""
    study = Study(protocol=protocol, groups=groups, **more)
    return folds_of(study, people, labels, [person.split("/")[0] for person in people], seed)


@pytest.mark.parametrize("protocol", ["loso", "groups"])
@given(people=PEOPLE, seed=st.integers(0, 99), data=st.data())
def test_every_image_is_tested_once_and_nobody_is_on_both_sides(
    protocol: str, people: list[str], seed: int, data: st.DataObject
) -> None:
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
    assert make_folds("groups", people, ["a", "b"] * 10, 5, 0) != make_folds(
        "groups", people, ["a", "b"] * 10, 5, 1
    )


def test_a_person_on_both_sides_cannot_be_built() -> None:
    with pytest.raises(LearnetError, match="d/1 on both sides"):
        Fold("x", (0,), (1,), ("d/1", "d/1"))
    assert Fold("x", (0,), (1,), ("d/1", "d/1"), protocol="leaky-clips").test == (1,)
    with pytest.raises(LearnetError, match="tests on images it trains on"):
        Fold("x", (0,), (0,), ("d/1", "d/1"), protocol="leaky-clips")


@pytest.mark.parametrize(
    ("protocol", "people", "groups"),
    [("loso", ["a/1"] * 4, 0), ("groups", ["a/1", "a/2"], 3), ("groups", ["a/1", "a/2"], 1)],
)
def test_too_few_people_or_groups(protocol: str, people: list[str], groups: int) -> None:
    with pytest.raises(LearnetError, match="not enough|cannot be split"):
        make_folds(protocol, people, ["a"] * len(people), groups, 0)


MIXED = st.lists(
    st.sampled_from([f"{d}/{i}" for d in "abc" for i in range(4)]), min_size=12, max_size=60
).filter(lambda people: {person[0] for person in people} == set("abc"))


@given(people=MIXED)
def test_leaving_a_database_out_trains_on_all_of_the_others(people: list[str]) -> None:
    folds = make_folds("lodo", people, ["x"] * len(people), 0, 0)
    assert [fold.name for fold in folds] == ["a", "b", "c"]
    assert sorted(i for fold in folds for i in fold.test) == list(range(len(people)))
    for fold in folds:
        assert {people[i][0] for i in fold.test} == {fold.name}
        assert sorted(fold.train + fold.test) == list(range(len(people)))


@given(people=MIXED)
def test_across_databases_only_the_named_ones_are_used(people: list[str]) -> None:
    (fold,) = make_folds("across", people, ["x"] * len(people), 0, 0, train_on=("c",), test_on=("a",))
    assert fold.name == "c-to-a"
    assert fold.train == tuple(i for i, person in enumerate(people) if person[0] == "c")
    assert fold.test == tuple(i for i, person in enumerate(people) if person[0] == "a")
    (rest,) = make_folds("across", people, ["x"] * len(people), 0, 0, test_on=("a",))
    assert rest.name == "b+c-to-a" and {people[i][0] for i in rest.train} == {"b", "c"}


def test_across_databases_what_cannot_be_done() -> None:
    people = ["a/1", "b/1"]
    for more, said in (
        ({}, "The database to test on is not given. Name it as test_on .--test-on.: a, b."),
        ({"test_on": ("z",)}, "There is no database among these images called 'z'"),
        ({"test_on": ("a",), "train_on": ("a", "b")}, "a cannot be trained on and tested on"),
        ({"test_on": ("a", "b")}, "Nothing is left to train on beside a, b"),
    ):
        with pytest.raises(LearnetError, match=said):
            make_folds("across", people, ["x", "x"], 0, 0, **more)
    with pytest.raises(LearnetError, match="only one database, a"):
        make_folds("lodo", ["a/1", "a/2"], ["x", "x"], 0, 0)


def test_people_who_are_in_two_databases_cannot_be_on_both_sides() -> None:
    """SMIC-E has the people of SMIC, so that testing on one after training on the other leaks."""
    with pytest.raises(LearnetError, match="smic/s01 on both sides"):
        folds_of(Study(protocol="lodo"), ["smic/s01", "smic/s01"], ["x", "x"], ["smic", "smic-e"], 0)


@given(people=PEOPLE, seed=st.integers(0, 99), data=st.data())
def test_the_leaky_split_ignores_people_and_tests_every_clip_once(
    people: list[str], seed: int, data: st.DataObject
) -> None:
    labels = data.draw(st.lists(st.sampled_from("abc"), min_size=len(people), max_size=len(people)))
    folds = make_folds("leaky-clips", people, labels, 3, seed)
    assert sorted(i for fold in folds for i in fold.test) == list(range(len(people)))
    assert max(len(fold.test) for fold in folds) - min(len(fold.test) for fold in folds) <= 3
    assert all(fold.protocol == "leaky-clips" for fold in folds)


def test_the_leaky_split_does_leak() -> None:
    people = [f"d/{i % 4}" for i in range(40)]
    folds = make_folds("leaky-clips", people, ["a", "b"] * 20, 4, 0)
    assert all({people[i] for i in fold.train} & {people[i] for i in fold.test} for fold in folds)
    with pytest.raises(LearnetError, match="3 clips cannot be split into 4 groups"):
        make_folds("leaky-clips", ["d/1"] * 3, ["a"] * 3, 4, 0)


def test_the_leaky_epoch_has_the_honest_folds_under_its_own_name() -> None:
    people = ["d/2", "d/1", "d/2", "e/1"]
    leaky, honest = (make_folds(protocol, people, list("aabb"), 0, 0) for protocol in ("leaky-epoch", "loso"))
    assert [(fold.name, fold.train, fold.test) for fold in leaky] == [
        (fold.name, fold.train, fold.test) for fold in honest
    ]
    assert {fold.protocol for fold in leaky} == {"leaky-epoch"}


def test_every_protocol_has_its_name_in_the_settings() -> None:
    from typing import get_args, get_type_hints

    assert set(get_args(get_type_hints(Study)["protocol"])) == set(PROTOCOLS)


@pytest.mark.parametrize("protocol", ["loso", "groups", "leaky-clips", "leaky-epoch"])
@given(people=PEOPLE, seed=st.integers(0, 2**31 - 1), data=st.data())
def test_few_people_are_some_of_the_training_side_and_more_of_them_are_added(
    protocol: str, people: list[str], seed: int, data: st.DataObject
) -> None:
    folds = make_folds(protocol, people, ["a"] * len(people), 3, 0)
    most = min(len({people[i] for i in fold.train}) for fold in folds)
    assume(most >= 2)  # one person may have one image, from which nothing can be learned
    fewer, more = sorted(data.draw(st.lists(st.integers(2, most), min_size=2, max_size=2)))
    drawn = {number: limit_training_people(folds, number, seed) for number in (fewer, more)}
    assert drawn[fewer] == limit_training_people(folds, fewer, seed)
    for whole, few, many in zip(folds, drawn[fewer], drawn[more], strict=True):
        assert (
            few.test == many.test == whole.test and few.name == whole.name and few.protocol == whole.protocol
        )
        assert set(few.train) <= set(many.train) <= set(whole.train)
        for number, fold in ((fewer, few), (more, many)):
            who = {people[i] for i in fold.train}
            assert len(who) == number and fold.learned == sorted(who)
            assert list(fold.train) == [
                i for i in whole.train if people[i] in who
            ]  # all clips of each, in their order
            if protocol != "leaky-clips":
                assert not who & {people[i] for i in fold.test}


def test_a_draw_is_that_of_its_fold_and_seed() -> None:
    """Over 39 others, five drawn: two folds or two seeds that draw the same five happen once in 575,757."""
    people = [f"d/{i:02d}" for i in range(40) for _ in range(2)]
    folds = make_folds("loso", people, ["a"] * 80, 0, 0)
    drawn = [set(fold.learned) for seed in (0, 1) for fold in limit_training_people(folds, 5, seed)]
    assert len(set(map(frozenset, drawn))) == 80
    taken = [
        sum(person in draw for draw in drawn) for person in sorted(set(people))
    ]  # 78 draws may take a person, each with 5 in 39
    assert min(taken) >= 2 and max(taken) <= 22  # 10 expected, 3 the standard deviation
    assert limit_training_people(folds, 0, 7) == limit_training_people(folds, 39, 7) == folds
    assert (
        limit_training_people(folds[3:4], 5, 0) == limit_training_people(folds, 5, 0)[3:4]
    )  # the other folds have no say


def test_more_people_than_there_are_and_one_image_are_reported() -> None:
    people = ["a/1", "a/1", "a/2", "b/1", "b/2"]
    across = make_folds("lodo", people, list("xyxyx"), 0, 0)
    with pytest.raises(
        LearnetError,
        match=r"train_people 3 is more than the 2 people that fold a can train on. Use at most 2,",
    ):
        limit_training_people(across, 3, 0)
    single = make_folds("loso", ["a/1", "a/2", "a/3"], list("xyx"), 0, 0)
    with pytest.raises(
        LearnetError,
        match=r"train_people 1: the people drawn for fold a/1 have one image, and at least 2",
    ):
        limit_training_people(single, 1, 0)
    assert [len(fold.train) for fold in limit_training_people(single, 2, 0)] == [2, 2, 2]


@pytest.mark.parametrize("protocol", ["loso", "groups"])
@pytest.mark.parametrize("second", ["d/1", "d/1.0", "d/sub01", "D/01"])
def test_one_person_under_two_names_is_refused_until_they_are_said_to_be_two(
    protocol: str, second: str
) -> None:
    people, labels = ["d/01", second, "d/02", "d/03"] * 3, ["a", "b"] * 6
    with pytest.raises(LearnetError, match="may be one person.*'d/01'.*--distinct-people"):
        make_folds(protocol, people, labels, 3, seed=0)
    folds = make_folds(protocol, people, labels, 3, seed=0, distinct_people=True)
    assert {person for fold in folds for person in fold.tested} == set(people)
    assert make_folds("leaky-clips", people, labels, 3, seed=0)  # which ignores people


def test_repeated_splits_are_those_of_each_seed() -> None:
    """They are those of studies with one seed each. Without the setting all seeds share one."""
    people = [f"d/{person:02d}" for person in range(12) for _ in range(3)]
    labels = ["a", "b", "c"] * 12
    study = Study(protocol="groups", groups=3, seeds=2, repeated_splits=True)
    found = make_folds_of_seeds(study, people, labels, ["d"] * 36, [4, 5])
    for seed, folds in found.items():
        alone = make_folds("groups", people, labels, 3, seed)
        assert [(fold.train, fold.test) for fold in folds] == [(fold.train, fold.test) for fold in alone]
        assert [fold.name for fold in folds] == [f"split-{seed}-group-{number}" for number in range(3)]
        assert {fold.seed for fold in folds} == {seed}
    assert [fold.test for fold in found[4]] != [fold.test for fold in found[5]]
    shared = make_folds_of_seeds(replace(study, repeated_splits=False), people, labels, ["d"] * 36, [4, 5])
    assert shared[4] == shared[5] == make_folds("groups", people, labels, 3, 4)


def test_one_split_is_not_repeated() -> None:
    study = Study(protocol="loso", repeated_splits=True)
    with pytest.raises(LearnetError, match="loso has one split"):
        make_folds_of_seeds(study, ["d/1", "d/2"], ["a", "b"], ["d", "d"], [0])
