"""Records refuse wrong values at birth."""

import itertools
from dataclasses import FrozenInstanceError, replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from learnet.core.errors import BadAnnotation, LearnetError
from learnet.core.records import APEX_SOURCES, FACE_REGIONS, Clip, Event, Fold, Outcome

CLIP = Clip(Path("sub01/EP90_01f"), "casme2", "01", "EP90_01f", "happiness", 46, 59, 86, 200.0)


def test_keys_keep_databases_apart() -> None:
    assert (CLIP.person, CLIP.key) == ("casme2/01", "casme2/01/EP90_01f")
    assert replace(CLIP, dataset="casme").person != CLIP.person


@given(st.integers(-3, 9), st.one_of(st.none(), st.integers(-3, 9)), st.integers(-3, 9))
def test_only_marks_in_order_make_a_clip(onset: int, apex: int | None, offset: int) -> None:
    """By going through all pairs, not by sorting."""
    marks = [onset, offset] if apex is None else [onset, apex, offset]
    source = "none" if apex is None else "file"
    if all(early <= late for early, late in itertools.combinations(marks, 2)):
        assert replace(CLIP, onset=onset, apex=apex, offset=offset, apex_source=source).onset == onset
    else:
        with pytest.raises(BadAnnotation, match="out of order"):
            replace(CLIP, onset=onset, apex=apex, offset=offset, apex_source=source)


@pytest.mark.parametrize("source", [*APEX_SOURCES, "guess"])
@pytest.mark.parametrize("apex", [59, None])
def test_an_apex_says_where_it_comes_from(apex: int | None, source: str) -> None:
    if source != "guess" and (apex is None) == (source == "none"):
        assert replace(CLIP, apex=apex, apex_source=source).apex == apex
    else:
        with pytest.raises(BadAnnotation, match="cannot come from"):
            replace(CLIP, apex=apex, apex_source=source)


@pytest.mark.parametrize("fps", [0.0, -25.0, float("nan")])
def test_a_clip_has_a_frame_rate(fps: float) -> None:
    with pytest.raises(BadAnnotation, match="frame rate"):
        replace(CLIP, fps=fps)


def test_nothing_can_be_changed_afterwards() -> None:
    with pytest.raises(FrozenInstanceError):
        CLIP.onset = 1  # type: ignore[misc]


@given(st.lists(st.sampled_from("abc"), min_size=2, max_size=8), st.data())
def test_no_person_stands_on_both_sides_of_a_fold(people: list[str], data: st.DataObject) -> None:
    sides = data.draw(
        st.lists(st.sampled_from(["train", "test", "out"]), min_size=len(people), max_size=len(people))
    )
    train, test = (
        tuple(place for place, side in enumerate(sides) if side == kind) for kind in ("train", "test")
    )
    shared = any(people[i] == people[j] for i in train for j in test)
    if shared:
        with pytest.raises(LearnetError, match="on both sides"):
            Fold("f", train, test, tuple(people))
        assert Fold("f", train, test, tuple(people), protocol="leaky-images").train == train
    else:
        assert Fold("f", train, test, tuple(people)).test == test


def test_no_image_is_trained_and_tested_even_in_a_leaky_protocol() -> None:
    with pytest.raises(LearnetError, match="tests on images it trains on"):
        Fold("f", (0, 1), (1, 2), ("a", "b", "c"), protocol="leaky-images")


def test_an_outcome_names_its_clip_and_truth() -> None:
    outcome = Outcome("s", "f", 0, CLIP.key, "casme2", CLIP.person, "happiness", "disgust", (0.4, 0.6))
    assert (outcome.clip, outcome.truth) == ("casme2/01/EP90_01f", "happiness")


def test_people_of_smic_are_the_same_in_its_longer_cuts() -> None:
    """Pooled and tested leaving one person out, s01 of SMIC-E must not be trained on where s01 of SMIC is
    tested."""
    short, long = (
        Clip(Path("x"), dataset, "s01", "s1_ne_01", "negative", 1, 2, 3, 100.0)
        for dataset in ("smic", "smic-e")
    )
    assert short.person == long.person == "smic/s01"
    assert (short.key, long.key) == ("smic/s01/s1_ne_01", "smic-e/s01/s1_ne_01")


@pytest.mark.parametrize(("offset_s", "kind"), [(1.5, "micro"), (1.500001, "macro"), (5.0, "macro")])
def test_kind_of_an_event_is_its_duration_unless_it_is_a_blink(offset_s: float, kind: str) -> None:
    event = Event(10, 12, 15, 1.0, 1.2, offset_s)
    assert event.kind == kind
    assert replace(event, is_blink=True).kind == "blink"


def test_events_name_only_known_regions() -> None:
    event = Event(10, 12, 15, 1.0, 1.2, 1.5, regions=FACE_REGIONS)
    assert event.regions == FACE_REGIONS
    with pytest.raises(LearnetError, match="left ear"):
        replace(event, regions=("left ear",))
