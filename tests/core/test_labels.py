"""Words become emotions, emotions become classes; nothing is guessed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from learnet.core.errors import UnknownName
from learnet.core.labels import (
    ALIASES,
    DEFAULT_SCHEMES,
    EMOTIONS,
    SCHEMES,
    ActionUnit,
    UnknownLabel,
    parse_action_units,
    parse_emotion,
    problem_of_action_unit_code,
    resolve_class_scheme,
    schemes_for,
)


@pytest.mark.parametrize(
    "word, meant",
    [
        ("comtempt", "contempt"),
        ("Other", "others"),
        ("Others", "others"),
        ("others", "others"),
        ("sad", "sadness"),
        ("happy", "happiness"),
        ("ne", "negative"),
        ("po", "positive"),
        ("sur", "surprise"),
        ("disgust ", "disgust"),
        ("Happiness", "happiness"),
        ("tense", "tense"),
    ],
)
def test_words_that_occur_in_the_databases(word: str, meant: str) -> None:
    assert parse_emotion(word, "here") == meant


@given(
    st.sampled_from([*EMOTIONS, *ALIASES]),
    st.sampled_from([str, str.upper, str.title]),
    st.text(" \t\u00a0", max_size=3),
)
def test_case_and_blanks_do_not_matter(word: str, case, blanks: str) -> None:
    assert parse_emotion(blanks + case(word) + blanks, "here") == parse_emotion(word, "here") in EMOTIONS


@given(st.text(max_size=12))
def test_any_other_word_stops_with_its_place_and_the_known_ones(word: str) -> None:
    if word.strip().lower() in {*EMOTIONS, *ALIASES}:
        return
    with pytest.raises(UnknownLabel) as refusal:
        parse_emotion(word, "book.xlsx row 7")
    said = str(refusal.value)
    assert said.startswith("book.xlsx row 7") and repr(word) in said
    assert all(known in said for known in EMOTIONS)
    assert "Known: " in said and "comtempt" not in said.split("Known: ")[1]


@pytest.mark.parametrize(
    "word, meant",
    [
        ("hapiness", "happiness"),
        ("Suprise ", "surprise"),
        ("comtemp", "contempt"),  # not the spelling of the workbooks of CASME
        ("joy", "happiness"),
        ("puzzled", None),
    ],
)
def test_a_word_that_is_nearly_right_gets_a_suggestion(word: str, meant: str | None) -> None:
    with pytest.raises(UnknownLabel) as refusal:
        parse_emotion(word, "labels.csv row 7")
    assert refusal.value.hint.startswith(f"Did you mean {meant!r}? Known: " if meant else "Known: ")


def test_the_words_of_the_database_are_the_known_ones_where_it_is_known() -> None:
    """`sadness` is near, and no word of this database."""
    assert UnknownLabel("sadnes", "x", ("happiness", "others")).hint == "Known: happiness, others."


@pytest.mark.parametrize("scheme", SCHEMES.values(), ids=SCHEMES)
def test_schemes_are_whole(scheme) -> None:
    assert set(scheme.of.values()) == set(scheme.classes)
    assert len(set(scheme.classes)) == len(scheme.classes)
    assert set(scheme.of) <= set(EMOTIONS)
    assert scheme.source and SCHEMES[scheme.name] is scheme


def test_class_sizes_of_casme2() -> None:
    """From the published counts: 246 clips in five classes, 255 in seven, and the four groups of the owners'
    note."""
    counts = {
        "others": 99,
        "disgust": 63,
        "happiness": 32,
        "repression": 27,
        "surprise": 25,
        "sadness": 7,
        "fear": 2,
    }

    def sizes(name: str) -> dict[str, int]:
        of = SCHEMES[name].of
        return {
            kind: sum(number for word, number in counts.items() if of.get(word) == kind)
            for kind in SCHEMES[name].classes
        }

    assert sum(sizes("casme2-5").values()) == 246
    assert sum(sizes("casme2-7").values()) == 255
    assert sizes("casme2-4") == {"positive": 32, "negative": 99, "surprise": 25, "others": 99}
    assert sizes("megc-3") == {"negative": 99, "positive": 32, "surprise": 25}


def test_class_sizes_of_the_other_databases() -> None:
    """From the counts that are published and certain: SAMM 159, CAS(ME)^3 part A 860 in its second
    version."""

    def sizes(name: str, counts: dict[str, int]) -> dict[str, int]:
        of = SCHEMES[name].of
        return {
            kind: sum(number for word, number in counts.items() if of.get(word) == kind)
            for kind in SCHEMES[name].classes
        }

    samm = {
        "anger": 57,
        "others": 26,
        "happiness": 26,
        "surprise": 15,
        "contempt": 12,
        "disgust": 9,
        "fear": 8,
        "sadness": 6,
    }
    assert sum(sizes("samm-5", samm).values()) == 136 and sum(sizes("samm-8", samm).values()) == 159
    assert sizes("megc-3", samm) == {"negative": 92, "positive": 26, "surprise": 15}
    casme3 = {
        "disgust": 250,
        "surprise": 187,
        "others": 161,
        "fear": 86,
        "anger": 64,
        "sadness": 57,
        "happiness": 55,
    }
    assert sizes("casme3-4", casme3) == {"negative": 457, "positive": 55, "surprise": 187, "others": 161}
    assert sum(sizes("casme3-7", casme3).values()) == 860
    smic = {"negative": 70, "positive": 51, "surprise": 43, "none": 164}
    assert (
        sizes("smic-2", smic) == {"micro": 164, "non-micro": 164}
        and sum(sizes("smic-3", smic).values()) == 164
    )
    assert sizes("mmew-7", {"others": 60, "repression": 6, "fear": 16})["others"] == 66
    assert "tense" not in SCHEMES["megc-3"].of and len(SCHEMES["casme-8"].classes) == 8


def test_the_scheme_of_a_study() -> None:
    assert resolve_class_scheme("megc-3", ["casme2"], ["fear"]).name == "megc-3"
    assert resolve_class_scheme("auto", ["casme2", "casme2"], ["fear"]).name == "casme2-5"
    assert resolve_class_scheme("auto", ["samm", "casme2"], ["fear"]).name == "megc-3"
    assert resolve_class_scheme("auto", ["smic"], ["negative", "none"]).name == "smic-3"
    assert (
        resolve_class_scheme("auto", ["casme3"], ["negative", "surprise", "others", "positive"]).name
        == "casme3-4"
    )  # part C
    assert (
        resolve_class_scheme("auto", ["casme3"], ["disgust", "surprise", "others", "happiness"]).name
        == "casme3-7"
    )  # part A
    assert (
        resolve_class_scheme("auto", ["casme2"], ["negative", "surprise"]).name == "megc-3"
    )  # CASME II's part of the composite alone
    assert resolve_class_scheme("auto", ["casme2"], ["disgust", "surprise", "fear"]).name == "casme2-5"
    own = resolve_class_scheme("auto", ["casme2", "folder"], ["sadness", "fear", "sadness"])
    assert own.classes == ("fear", "sadness") and own.of == {"fear": "fear", "sadness": "sadness"}
    with pytest.raises(UnknownName, match="Did you mean 'casme2-5'"):
        resolve_class_scheme("casme2_5", ["casme2"], [])


def test_every_usual_scheme_is_there() -> None:
    assert {name for names in DEFAULT_SCHEMES.values() for name in names} <= SCHEMES.keys()


@pytest.mark.parametrize(
    "text, units",
    [
        ("4", "4"),
        ("4+7+L10", "4 7 L10"),
        ("R2", "R2"),
        ("R2A", "R2"),
        ("12B", "12"),
        ("A9E", "9"),
        ("4A/B", "4"),
        ("A/L12", "L12"),
        ("10A/B", "10"),
        ("AU4(k)+L7", "4k L7"),
        ("T18", "T18"),
        ("B18", "B18"),
        ("ref(7B)+43", "7 43"),
        ("13?", "13"),
        ("R6 or R12", "R6"),
        ("(R6 or R12)+R15", "R6 R15"),
        ("R14A or 17A or 24A", "R14"),
        ("R14+17+soft focus", "R14 17"),
        ("R4,5", "R4 5"),
        ("14,L24,", "14 L24"),
        ("R4\uff0c5", "R4 5"),
        ("A1B", "1"),
        (" 5A ", "5"),
        ("", ""),
        ("soft focus", ""),
        ("T18+39", "T18 39"),
        ("AU12", "12"),
        ("l10", "L10"),
        ("M59+4", "59 4"),
        ("Q12", ""),
    ],
)
def test_action_units_in_every_form_that_occurs(text: str, units: str) -> None:
    assert " ".join(f"{u.side}{u.lip}{u.number}{'k' * u.static}" for u in parse_action_units(text)) == units


@given(
    st.lists(
        st.tuples(st.sampled_from(["", "L", "R"]), st.integers(1, 46), st.sampled_from(["", *"ABCDE"])),
        max_size=6,
    ),
    st.sampled_from(["+", ",", " + ", "\uff0c"]),
)
def test_action_units_written_out_are_read_back(codes: list[tuple[str, int, str]], join: str) -> None:
    text = join.join(f"{side}{number}{intensity}" for side, number, intensity in codes)
    assert parse_action_units(text) == tuple(ActionUnit(number, side) for side, number, _ in codes)


@pytest.mark.parametrize(
    ("code", "problem"),
    [
        ("4+99", "FACS has no unit 99"),
        ("3", "FACS has no unit 3"),
        ("47", "FACS has no unit 47"),
        ("AU100", "FACS has no unit 100"),
        ("R6 or R99", "FACS has no unit 99"),
        ("4+0", "FACS has no unit 0"),
        ("L0", "FACS has no unit 0"),
        ("B4", "unit 4 is not of one lip, so B does not apply"),
        ("12+t4", "unit 4 is not of one lip, so t does not apply"),
        ("4+", "a unit is missing beside the +"),
        ("+4", "a unit is missing beside the +"),
        ("4++7", "a unit is missing beside the +"),
        ("4+Q12", "'Q12' begins with an unknown letter"),
        ("4 7", "'4 7' has several numbers"),
        ("4+12L", "'12L' has its side after the number"),
        ("smile", "it names no unit"),
        ("4+smile", "'smile' names no unit"),
    ],
)
def test_a_code_that_would_be_misread_says_why(code: str, problem: str) -> None:
    assert problem_of_action_unit_code(code) == problem


@pytest.mark.parametrize(
    "code",
    ["0", "AU4", "16+38", "B18+T24", "M59", "L46,R4", "14,L24,", "12B+R7", "R6 or R12", "14+soft focus"],
)
def test_units_of_facs_are_accepted_whether_or_not_a_network_names_them(code: str) -> None:
    assert problem_of_action_unit_code(code) == ""


MEGC = ("negative", "positive", "surprise", "none")  # classes of the shipped weights


@pytest.mark.parametrize(
    ("known", "emotions", "fitting"),
    [
        (MEGC, ["happiness", "disgust", "surprise", "others"], ["megc-3"]),
        (MEGC, ["happiness", "none", "surprise"], ["megc-4"]),
        (MEGC, ["others", "tense"], []),
        (("happiness", "disgust"), ["happiness", "fear"], []),
        (("happiness", "surprise", "disgust", "others"), ["happiness", "fear", "others"], ["mmew-4"]),
        (EMOTIONS, ["happiness", "fear", "tense"], ["casme-8"]),
    ],
)
def test_the_scheme_that_weights_know(
    known: tuple[str, ...], emotions: list[str], fitting: list[str]
) -> None:
    assert [scheme.name for scheme in schemes_for(known, emotions)] == fitting


def test_schemes_that_differ_are_all_named() -> None:
    """Repression is a class of its own to one and among the others to the other."""
    known = ("happiness", "disgust", "repression", "surprise", "others")
    names = [scheme.name for scheme in schemes_for(known, ["happiness", "repression", "others"])]
    assert names == ["casme2-5", "mmew-4"]
