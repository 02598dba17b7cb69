"""Emotions that action units speak for, worked by hand from the criteria as the literature states them."""

import pytest

from learnet.core.records import ActionUnitScore
from learnet.inference.emotion_criteria import (
    CASME2_CRITERIA,
    NO_CRITERIA,
    criteria_sentence,
    emotions_from_units,
)
from learnet.simulation.emotions import EMOTIONS
from learnet.simulation.units import UNITS


def named(code: str) -> list[ActionUnitScore]:
    """Return units such as `4+L10`, as a network names them."""
    units = []
    for part in code.split("+") if code else []:
        number = int(part.lstrip("LR"))
        side = {"L": "left", "R": "right"}.get(part[0], "both" if UNITS[number].paired else "")
        units.append(ActionUnitScore(number, side, 0.9))  # type: ignore[arg-type]
    return units


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("", ""),
        ("4", ""),  # of CASME II's "others"
        ("7", ""),
        ("12", "happiness 12 CASME II complete"),
        ("6+12", "happiness 6+12 CASME II complete"),
        ("4+7", "disgust 4+7 CASME II complete, anger 4+7 EMFACS complete"),
        ("1+2", "surprise 1+2 CASME II complete"),  # 1 alone would be sadness
        ("1", "sadness 1 CASME II complete"),
        ("1+2+4", "fear 1+2+4 CASME II complete"),  # neither surprise nor sadness
        ("4+23", "anger 4+23 EMFACS complete"),
        ("17+24", "repression 17+24 CASME II complete"),  # meets 17 alone, which is of CASME II
        ("5+25", "fear 5+25 EMFACS complete"),
        ("12+15", "happiness 12 CASME II, repression 15 CASME II"),
        ("4+7+12", "disgust 4+7 CASME II, anger 4+7 EMFACS, happiness 12 CASME II"),
        ("9+10", "disgust 9 CASME II, disgust 10 CASME II"),
        ("14", ""),  # on both sides it is not contempt
        ("R14", "contempt R14 EMFACS complete"),
        ("R12+R14", "contempt R12+R14 EMFACS complete"),
        ("L12+R14", "happiness L12 CASME II, contempt R14 EMFACS"),
        ("L10", "disgust L10 CASME II complete, contempt L10 EMFACS complete"),
    ],
)
def test_units_speak_for_the_emotions_of_the_criteria(code: str, expected: str) -> None:
    matches = []
    for match in emotions_from_units(named(code)):
        words = [match.emotion, match.code, match.source, "complete" if match.complete else ""]
        matches.append(" ".join(word for word in words if word))
    assert ", ".join(matches) == expected


def test_order_and_scores_of_the_units_do_not_matter() -> None:
    assert emotions_from_units(reversed(named("1+2+4"))) == emotions_from_units(named("1+2+4"))


def test_every_published_combination_alone_speaks_for_its_emotion() -> None:
    for emotion, combinations in EMOTIONS.items():
        for combination in combinations:
            side = "R" if emotion == "contempt" else ""
            units = named("+".join(f"{side}{unit}" for unit in combination.units))
            emotions = [match.emotion for match in emotions_from_units(units) if match.complete]
            assert (emotion in emotions) == (emotion not in NO_CRITERIA), (emotion, combination)


def test_the_criteria_of_casme2_are_those_of_the_paper() -> None:
    """Yan et al. 2014: disgust is 9, 10 or 4+7; fear 1+2+4 or 20, and so on."""
    written = {
        emotion: " or ".join("+".join(map(str, sorted(units))) for units in criteria)
        for emotion, criteria in CASME2_CRITERIA.items()
    }
    assert written == {
        "happiness": "6 or 12",
        "disgust": "9 or 10 or 4+7",
        "repression": "15 or 17",
        "surprise": "1+2 or 2 or 25",
        "sadness": "1",
        "fear": "1+2+4 or 20",
    }


@pytest.mark.parametrize(
    ("code", "sentence"),
    [
        ("4", ""),
        ("12", "AU 12 speaks for happiness (criteria of CASME II)"),
        ("4+7", "AU 4+7 speak for disgust or anger (criteria of CASME II, EMFACS)"),
        (
            "4+7+12",
            "AU 4+7 speak for disgust or anger, AU 12 speaks for happiness (criteria of CASME II, EMFACS)",
        ),
        ("R14", "AU R14 speaks for contempt (criteria of EMFACS)"),
    ],
)
def test_the_sentence_names_units_emotions_and_criteria(code: str, sentence: str) -> None:
    assert criteria_sentence(emotions_from_units(named(code))) == sentence


def test_a_match_in_json_can_be_looked_up() -> None:
    (match,) = emotions_from_units(named("R12+R14"))
    assert match.to_dict() == {
        "emotion": "contempt",
        "action_units": "R12+R14",
        "source": "EMFACS",
        "complete": True,
    }
