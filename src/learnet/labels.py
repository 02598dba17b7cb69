"""Emotions, the words datasets use for them, and the class schemes in which the field reports.

A dataset's word becomes an emotion (`emotion`), an emotion becomes a class of a scheme (`Scheme.of`) or is left out of it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from learnet.errors import LearnetError, pick

EMOTIONS = (
    "happiness", "disgust", "repression", "surprise", "others", "sadness", "fear", "anger", "contempt", "tense",
    "positive", "negative", "none",
)  # fmt: skip

ALIASES = {
    "other": "others", "happy": "happiness", "sad": "sadness", "comtempt": "contempt",
    "ne": "negative", "po": "positive", "sur": "surprise",
}  # fmt: skip
"""Spellings that occur in the databases' own files (CASME writes `comtempt`, SAMM `Other`, CAS(ME)^3 `happy`, SMIC `ne`, `po`, `sur`)."""


class UnknownLabel(LearnetError):
    """A label that no dataset of the field uses; guessing would put a clip into a wrong class."""

    def __init__(self, label: str, where: str) -> None:
        super().__init__(f"{where}: nobody knows the label {label!r}.", f"Known: {', '.join(sorted({*EMOTIONS, *ALIASES}))}.")


def emotion(label: str, where: str) -> str:
    """The emotion a dataset's word stands for, whatever its case and blanks; WHERE is named when nobody knows the word."""
    word = label.strip().lower()
    word = ALIASES.get(word, word)
    if word not in EMOTIONS:
        raise UnknownLabel(label, where)
    return word


@dataclass(frozen=True)
class Scheme:
    """A set of classes and the emotions that go into each. Emotions it does not name are left out, and counted."""

    name: str
    classes: tuple[str, ...]
    of: Mapping[str, str]  # emotion -> class
    source: str


def _same(name: str, classes: str, source: str) -> Scheme:
    words = tuple(classes.split())
    return Scheme(name, words, {word: word for word in words}, source)


_NEGATIVE = ("repression", "anger", "contempt", "disgust", "fear", "sadness", "negative")
_POSITIVE = {"happiness": "positive", "positive": "positive", "surprise": "surprise"}

SCHEMES = {
    scheme.name: scheme
    for scheme in (
        _same("casme2-5", "happiness disgust repression surprise others", "Yan et al., CASME II, PLOS ONE 9(1): e86041, 2014"),
        _same(
            "casme2-7",
            "happiness disgust repression surprise others sadness fear",
            "every label of CASME II; what LEARNet kept, by the survey arXiv 2107.02823",
        ),
        Scheme(
            "casme2-4",
            ("positive", "negative", "surprise", "others"),
            {**_POSITIVE, "others": "others", **dict.fromkeys(_NEGATIVE, "negative")},
            "the four groups suggested by the note that comes with CASME II",
        ),
        Scheme(
            "megc-3",
            ("negative", "positive", "surprise"),
            {**_POSITIVE, **dict.fromkeys(_NEGATIVE, "negative")},
            "MEGC2019 rule of thumb; the official list differs by single clips",
        ),
    )
}


def scheme_for(name: str, datasets: Iterable[str], emotions: Iterable[str]) -> Scheme:
    """The scheme called NAME; `auto` is casme2-5 for CASME II alone and otherwise the emotions that occur, in alphabetical order."""
    if name != "auto":
        return pick(SCHEMES, name, "class scheme")
    if set(datasets) == {"casme2"}:
        return SCHEMES["casme2-5"]
    return _same("as-labelled", " ".join(sorted(set(emotions))), "the labels of the prepared folder as they stand")
