"""Words become emotions, emotions become classes; nothing is guessed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from learnet.errors import UnknownName
from learnet.labels import ALIASES, EMOTIONS, SCHEMES, UnknownLabel, emotion, scheme_for


@pytest.mark.parametrize(
    "word, meant",
    [
        ("comtempt", "contempt"), ("Other", "others"), ("Others", "others"), ("others", "others"), ("sad", "sadness"),
        ("happy", "happiness"), ("ne", "negative"), ("po", "positive"), ("sur", "surprise"), ("disgust ", "disgust"),
        ("Happiness", "happiness"), ("tense", "tense"),
    ],
)  # fmt: skip
def test_words_that_occur_in_the_databases(word: str, meant: str) -> None:
    assert emotion(word, "here") == meant


@given(st.sampled_from([*EMOTIONS, *ALIASES]), st.sampled_from([str, str.upper, str.title]), st.text(" \t\u00a0", max_size=3))
def test_case_and_blanks_do_not_matter(word: str, case, blanks: str) -> None:
    assert emotion(blanks + case(word) + blanks, "here") == emotion(word, "here") in EMOTIONS


@given(st.text(max_size=12))
def test_any_other_word_stops_with_its_place_and_the_known_ones(word: str) -> None:
    if word.strip().lower() in {*EMOTIONS, *ALIASES}:
        return
    with pytest.raises(UnknownLabel) as refusal:
        emotion(word, "book.xlsx row 7")
    said = str(refusal.value)
    assert said.startswith("book.xlsx row 7") and repr(word) in said
    assert all(known in said for known in (*EMOTIONS, *ALIASES))


@pytest.mark.parametrize("scheme", SCHEMES.values(), ids=SCHEMES)
def test_schemes_are_whole(scheme) -> None:
    assert set(scheme.of.values()) == set(scheme.classes)
    assert len(set(scheme.classes)) == len(scheme.classes)
    assert set(scheme.of) <= set(EMOTIONS)
    assert scheme.source and SCHEMES[scheme.name] is scheme


def test_class_sizes_of_casme2() -> None:
    """From the published counts: 246 clips in five classes, 255 in seven, and the four groups of the owners' note."""
    counts = {"others": 99, "disgust": 63, "happiness": 32, "repression": 27, "surprise": 25, "sadness": 7, "fear": 2}

    def sizes(name: str) -> dict[str, int]:
        of = SCHEMES[name].of
        return {kind: sum(number for word, number in counts.items() if of.get(word) == kind) for kind in SCHEMES[name].classes}

    assert sum(sizes("casme2-5").values()) == 246
    assert sum(sizes("casme2-7").values()) == 255
    assert sizes("casme2-4") == {"positive": 32, "negative": 99, "surprise": 25, "others": 99}
    assert sizes("megc-3") == {"negative": 99, "positive": 32, "surprise": 25}


def test_the_scheme_of_a_study() -> None:
    assert scheme_for("megc-3", ["casme2"], ["fear"]).name == "megc-3"
    assert scheme_for("auto", ["casme2", "casme2"], ["fear"]).name == "casme2-5"
    own = scheme_for("auto", ["casme2", "folder"], ["sadness", "fear", "sadness"])
    assert own.classes == ("fear", "sadness") and own.of == {"fear": "fear", "sadness": "sadness"}
    with pytest.raises(UnknownName, match="Did you mean 'casme2-5'"):
        scheme_for("casme2_5", ["casme2"], [])
