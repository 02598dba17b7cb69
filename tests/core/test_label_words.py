"""Labels in people's own words: everyday words, and tables of words that only their author knows."""

from pathlib import Path

import pytest

from learnet.core.errors import BadInput
from learnet.core.label_words import OwnLabel, is_emotion_word, parse_own_labels, read_label_map
from learnet.core.labels import ALIASES, EMOTIONS, SYNONYMS, UnknownLabel


def emotions(*words: str, label_map: dict[str, str] | None = None) -> list[str]:
    labels = [OwnLabel(word, f"row {number}") for number, word in enumerate(words, start=2)]
    return list(parse_own_labels(labels, "labels.csv", label_map or {}).emotions)


@pytest.mark.parametrize(
    "word, meant",
    [
        ("Joy", "happiness"),
        (" HAPPY ", "happiness"),
        ("angry", "anger"),
        ("Anger", "anger"),
        ("surprised", "surprise"),
        ("neutral", "none"),
        ("no_expression", "none"),
        ("No-Expression", "none"),
        ("scared", "fear"),
        ("disgusted", "disgust"),
        ("contemptuous", "contempt"),
        ("sad", "sadness"),
        ("other", "others"),
    ],
)
def test_words_that_people_use(word: str, meant: str) -> None:
    assert emotions(word) == [meant]


def test_every_synonym_is_written_as_it_is_looked_up_and_means_one_emotion() -> None:
    for word, emotion in SYNONYMS.items():
        assert emotions(word) == [emotion] and emotion in EMOTIONS
    assert not SYNONYMS.keys() & {*EMOTIONS, *ALIASES}


@pytest.mark.parametrize("word", ["unhappy", "smile", "AU12", "12", "amused", "", "stressed"])
def test_what_may_mean_several_emotions_or_none_is_refused(word: str) -> None:
    assert not is_emotion_word(word)
    with pytest.raises(UnknownLabel):
        emotions(word)


def test_all_unknown_words_are_told_at_once() -> None:
    with pytest.raises(UnknownLabel) as refusal:
        emotions("glee", "joy", "meh", "glee", "sadnes")
    said = str(refusal.value)
    assert "labels.csv: 3 labels are not known" in said
    assert "'glee' (2: row 2, row 5), 'meh' (1: row 4), 'sadnes' (1: row 6)" in said
    assert "Did you mean 'sadness' for 'sadnes'?" in said
    assert all(spelling not in said for spelling in ("comtempt", "'ne'", " po,", " sur,"))


def test_a_map_comes_first(tmp_path: Path) -> None:
    file = tmp_path / "words.toml"
    file.write_text('[labels]\nGlee = "happiness"\nneutral = "others"\n"mixed  feelings" = "Others"\n')
    label_map = dict(read_label_map(file))
    words = ("glee", "NEUTRAL", "mixed feelings", "joy")
    assert emotions(*words, label_map=label_map) == ["happiness", "others", "others", "happiness"]


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ('glee = "happiness"', "not a table"),
        ('[labels]\nglee = "bliss"', "glee = 'bliss' is not an emotion"),
        ("[labels]\nglee = 3", "glee = 3 is not an emotion"),
        ('[labels]\nglee = "happiness"\nGLEE = "sadness"', "GLEE has two meanings"),
        ('[labels]\nglee = "happiness"\n[more]\na = 1', "not a table"),
        ("[labels", "not TOML"),
    ],
)
def test_a_map_that_is_wrong(tmp_path: Path, text: str, wrong: str) -> None:
    (tmp_path / "words.toml").write_text(text)
    with pytest.raises(BadInput, match=wrong):
        read_label_map(tmp_path / "words.toml")
    with pytest.raises(BadInput, match="nowhere.toml: there is no such file"):
        read_label_map(tmp_path / "nowhere.toml")


def test_translations_are_told() -> None:
    labels = [OwnLabel(word, "x") for word in ("joy", "joy", "happy", "fear", "neutral")]
    assert parse_own_labels(labels, "x").translated == "joy as happiness (2), neutral as none (1)"
