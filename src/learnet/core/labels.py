"""Emotions, the words datasets use for them, the class schemes in which the field reports, and action units
as annotators write them.

A dataset's word becomes an emotion (`parse_emotion`), an emotion becomes a class of a scheme
(`ClassScheme.of`) or is left out of it.
"""

import difflib
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from learnet.core.errors import LearnetError, pick

EMOTIONS = (
    "happiness", "disgust", "repression", "surprise", "others", "sadness", "fear", "anger", "contempt", "tense",
    "positive", "negative", "none",
)  # fmt: skip

ALIASES = {
    "other": "others", "happy": "happiness", "sad": "sadness", "comtempt": "contempt",
    "ne": "negative", "po": "positive", "sur": "surprise",
}  # fmt: skip
"""Spellings that occur in the databases' own files (CASME writes `comtempt`, SAMM `Other`, CAS(ME)^3 `happy`,
SMIC `ne`, `po`, `sur`)."""


class UnknownLabel(LearnetError):
    """A label that no dataset of the field uses, and which the database of KNOWN emotions may have meant;
    guessing would put a clip into a wrong class."""

    def __init__(self, label: str, where: str, known: Collection[str] = EMOTIONS) -> None:
        words = sorted({*known, *(word for word, meant in ALIASES.items() if meant in known)})
        near = difflib.get_close_matches(label.strip().lower(), words, n=1)
        hint = f"Did you mean {near[0]!r}? " if near else ""
        super().__init__(f"{where}: nobody knows the label {label!r}.", f"{hint}Known: {', '.join(words)}.")
        self.label = label


def parse_emotion(label: str, where: str) -> str:
    """The emotion a dataset's word stands for, whatever its case and blanks; WHERE is named when nobody knows
    the word."""
    word = label.strip().lower()
    word = ALIASES.get(word, word)
    if word not in EMOTIONS:
        raise UnknownLabel(label, where)
    return word


@dataclass(frozen=True)
class ClassScheme:
    """A set of classes and the emotions that go into each. Emotions it does not name are left out, and
    counted."""

    name: str
    classes: tuple[str, ...]
    of: Mapping[str, str]  # emotion -> class
    source: str


def _same(name: str, classes: str, source: str) -> ClassScheme:
    words = tuple(classes.split())
    return ClassScheme(name, words, {word: word for word in words}, source)


_NEGATIVE = dict.fromkeys(
    ("repression", "anger", "contempt", "disgust", "fear", "sadness", "negative"), "negative"
)
_VALENCE = {"happiness": "positive", "positive": "positive", "surprise": "surprise", **_NEGATIVE}
_MICRO = dict.fromkeys(("negative", "positive", "surprise"), "micro")
_SURVEY = "what LEARNet kept, by the survey arXiv 2107.02823"

SCHEMES = {
    scheme.name: scheme
    for scheme in (
        _same("casme-8", "tense disgust repression surprise happiness sadness fear contempt", f"every label of CASME; {_SURVEY}"),
        _same("casme-4", "tense disgust repression surprise", "the four frequent labels of CASME, a common protocol"),
        _same("casme2-5", "happiness disgust repression surprise others", "Yan et al., CASME II, PLOS ONE 9(1): e86041, 2014"),
        _same("casme2-7", "happiness disgust repression surprise others sadness fear", f"every label of CASME II; {_SURVEY}"),
        ClassScheme(
            "casme2-4",
            ("positive", "negative", "surprise", "others"),
            {**_VALENCE, "others": "others"},
            "the four groups suggested by the note that comes with CASME II",
        ),
        _same("casme-sq-4", "positive negative surprise others", "every label of CAS(ME)^2; which of them LEARNet kept is not known"),
        _same("casme-sq-3", "positive negative surprise", "CAS(ME)^2 without others, a common protocol"),
        _same("smic-3", "negative positive surprise", f"every label of SMIC; {_SURVEY}"),
        ClassScheme("smic-2", ("micro", "non-micro"), {**_MICRO, "none": "non-micro"}, "SMIC's detection task: is there a micro-expression"),
        _same("samm-8", "anger others happiness surprise contempt disgust fear sadness", "every label of SAMM"),
        _same("samm-5", "anger happiness others surprise contempt", "SAMM's five frequent labels, the common protocol"),
        ClassScheme(
            "mmew-7",
            ("happiness", "surprise", "disgust", "others", "fear", "sadness", "anger"),
            {word: "others" if word == "repression" else word
             for word in ("happiness", "surprise", "disgust", "others", "repression", "fear", "sadness", "anger")},
            "every label of MMEW; some copies write repression for others",
        ),
        ClassScheme(
            "mmew-4",
            ("happiness", "surprise", "disgust", "others"),
            {"happiness": "happiness", "surprise": "surprise", "disgust": "disgust", "others": "others", "repression": "others"},
            "the four frequent labels of MMEW, a common protocol",
        ),
        _same("casme3-7", "disgust surprise others fear anger sadness happiness", "every label of CAS(ME)^3, part A"),
        ClassScheme(
            "casme3-4",
            ("negative", "positive", "surprise", "others"),
            {**_VALENCE, "others": "others"},
            "CAS(ME)^3 in four classes; part C has these labels",
        ),
        _same("4dme-5", "positive negative surprise repression others", "every label of 4DME, a clip counted under one of its labels"),
        ClassScheme(
            "megc-3",
            ("negative", "positive", "surprise"),
            _VALENCE,
            "MEGC2019; applied to other lists than the organisers' it is a rule of thumb that differs from theirs by single clips",
        ),
        ClassScheme(
            "megc-4",
            ("negative", "positive", "surprise", "none"),
            {**_VALENCE, "none": "none"},
            "the three of MEGC2019, and none of them: for weights that may answer that nothing is expressed",
        ),
    )
}  # fmt: skip

DEFAULT_SCHEMES = {
    "casme": ("casme-8",), "casme2": ("casme2-5", "megc-3"), "casme-sq": ("casme-sq-4",), "smic": ("smic-3",), "smic-e": ("smic-3",),
    "samm": ("samm-5", "megc-3"), "mmew": ("mmew-7",), "casme3": ("casme3-7", "casme3-4"), "4dme": ("4dme-5",), "megc2019": ("megc-3",),
}  # fmt: skip
"""Database -> the scheme it is taken in where none is asked for; the second where its clips are labelled
positive or negative, as in part C of CAS(ME)^3 and in the list of MEGC2019."""


def resolve_class_scheme(name: str, datasets: Iterable[str], emotions: Iterable[str]) -> ClassScheme:
    """The scheme called NAME.

    `auto` is the usual one of a database alone, megc-3 for several known databases together (they share no
    finer labels), and otherwise the emotions that occur, in alphabetical order.
    """
    if name != "auto":
        return pick(SCHEMES, name, "class scheme")
    there, words = set(datasets), set(emotions)
    if len(there) > 1 and there <= DEFAULT_SCHEMES.keys():
        return SCHEMES["megc-3"]
    if len(there) == 1 and there <= DEFAULT_SCHEMES.keys():
        usual = [SCHEMES[scheme] for scheme in DEFAULT_SCHEMES[there.pop()]]
        return next(
            (scheme for scheme in usual if words & {"positive", "negative"} <= scheme.of.keys()), usual[0]
        )
    return _same("as-labelled", " ".join(sorted(words)), "the labels of the prepared folder as they stand")


@dataclass(frozen=True)
class ActionUnit:
    """One unit of a FACS code as annotators write it."""

    number: int
    side: str = ""  # "L" or "R", the person's own; "" for both sides
    lip: str = ""  # "T" top or "B" bottom lip (CAS(ME)^3); "" where not said
    static: bool = False  # marked (k) in 4DME: there before the movement


_UNIT = re.compile(r"(?<![A-Z])(?:AU)?(?:[A-Z]/)?([LRTBA]?)(\d+)", re.IGNORECASE)


def parse_action_units(text: str) -> tuple[ActionUnit, ...]:
    """The units in a string such as `4+7+L10`, `R2A,5`, `A9E+ref(10)` or `(R6 or R12)+R15`, in the order in
    which they stand.

    Of a part that says more than one number (`R6 or R12`, `14A or 17A`) the first counts. A letter before the
    number is a side (L, R), a lip (T, B) or asymmetry (A, not kept); one after it an intensity, which is not
    kept. A part without a number (`soft focus`) says nothing of units.
    """
    units = []
    for part in re.split(r"[+,\uff0c]", text):
        if found := _UNIT.search(part):
            letter = found[1].upper()
            static = part[found.end() :].strip().lower().startswith("(k)")
            units.append(
                ActionUnit(
                    int(found[2]), letter if letter in "LR" else "", letter if letter in "TB" else "", static
                )
            )
    return tuple(units)
