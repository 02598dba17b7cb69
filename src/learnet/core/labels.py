"""Emotions, class schemes and action units.

A dataset's word becomes an emotion (`parse_emotion`), and an emotion becomes a class of a scheme
(`ClassScheme.of`) or is left out of it.
"""

import difflib
import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from learnet.core.errors import LearnetError, pick

EMOTIONS = (
    "happiness", "disgust", "repression", "surprise", "others", "sadness", "fear", "anger", "contempt",
    "tense", "positive", "negative", "none",
)  # fmt: skip

ALIASES = {
    "other": "others", "happy": "happiness", "sad": "sadness", "comtempt": "contempt",
    "ne": "negative", "po": "positive", "sur": "surprise",
}  # fmt: skip
"""Spellings in the databases' own files: CASME has `comtempt`, SAMM `Other`, CAS(ME)^3 `happy`, SMIC `ne`,
`po`, `sur`."""


SYNONYMS = {
    "joy": "happiness", "joyful": "happiness", "enjoyment": "happiness",
    "angry": "anger",
    "surprised": "surprise", "astonishment": "surprise", "astonished": "surprise",
    "sorrow": "sadness",
    "fearful": "fear", "scared": "fear", "afraid": "fear", "frightened": "fear",
    "disgusted": "disgust",
    "contemptuous": "contempt",
    "repressed": "repression",
    "tension": "tense",
    "pos": "positive", "neg": "negative",
    "neutral": "none", "no emotion": "none", "no expression": "none",
}  # fmt: skip
"""Everyday words for the emotions, accepted in people's own labels (`label_words`).

`neutral` is a face that expresses nothing, as in other databases of expressions, and so `none`; `others` is
an expression that has no name among these. Words that may mean either of two emotions are not here."""


class UnknownLabel(LearnetError):
    """A label that no dataset of the field uses. It is refused, because guessing would put a clip into a
    wrong class.

    Args:
        label: as it is written.
        where: file and line, or folder.
        known: emotions that the database may have meant.
    """

    def __init__(self, label: str, where: str, known: Collection[str] = EMOTIONS) -> None:
        nearest = nearest_emotion(label, known)
        suggestion = f"Did you mean {nearest!r}? " if nearest else ""
        hint = f"{suggestion}Known: {', '.join(sorted(known))}."
        super().__init__(f"{where}: the label {label!r} is not known.", hint)
        self.label = label


def normalise_word(word: str) -> str:
    """Return one spelling for a word in whatever case, with blanks, underscores or hyphens."""
    return " ".join(re.split(r"[\s_-]+", word.casefold())).strip()


def nearest_emotion(word: str, known: Collection[str]) -> str:
    """Return the emotion among `known` that a word means or resembles; empty where there is none."""
    spellings = {**SYNONYMS, **ALIASES, **{emotion: emotion for emotion in EMOTIONS}}
    candidates = {spelling: emotion for spelling, emotion in spellings.items() if emotion in known}
    nearest = difflib.get_close_matches(normalise_word(word), candidates, n=1)
    return candidates[nearest[0]] if nearest else ""


def parse_emotion(label: str, where: str) -> str:
    """Return the emotion that a dataset's word stands for, whatever its case and blanks.

    Raises:
        UnknownLabel: the word is not known; `where` is named.
    """
    word = label.strip().lower()
    word = ALIASES.get(word, word)
    if word not in EMOTIONS:
        raise UnknownLabel(label, where)
    return word


@dataclass(frozen=True)
class ClassScheme:
    """A set of classes and the emotions of each. Emotions that it does not name are left out, and counted."""

    name: str
    classes: tuple[str, ...]
    of: Mapping[str, str]  # emotion -> class
    source: str

    def occurring(self, emotions: Iterable[str]) -> set[str]:
        """Return the classes of some emotions; emotions without a class are left out."""
        return {self.of[emotion] for emotion in emotions if emotion in self.of}


def _same(name: str, classes: str, source: str) -> ClassScheme:
    """Return a scheme whose classes are emotions."""
    words = tuple(classes.split())
    return ClassScheme(name, words, {word: word for word in words}, source)


def _grouped(name: str, classes: str, of: Mapping[str, str], source: str) -> ClassScheme:
    """Return a scheme whose classes are groups of emotions."""
    return ClassScheme(name, tuple(classes.split()), of, source)


_NEGATIVE = ("repression", "anger", "contempt", "disgust", "fear", "sadness", "negative")
_VALENCE = {
    "happiness": "positive",
    "positive": "positive",
    "surprise": "surprise",
    **dict.fromkeys(_NEGATIVE, "negative"),
}
_VALENCE_AND_OTHERS = {**_VALENCE, "others": "others"}
_VALENCE_AND_NONE = {**_VALENCE, "none": "none"}
_DETECTION = {"negative": "micro", "positive": "micro", "surprise": "micro", "none": "non-micro"}
_MMEW_4 = {
    "happiness": "happiness",
    "disgust": "disgust",
    "surprise": "surprise",
    "others": "others",
    "repression": "others",
}
_MMEW_7 = {**_MMEW_4, "fear": "fear", "sadness": "sadness", "anger": "anger"}
_SURVEY = "what LEARNet kept, by the survey arXiv 2107.02823"

_SCHEMES = (
    _same(
        "casme-8",
        "tense disgust repression surprise happiness sadness fear contempt",
        f"every label of CASME; {_SURVEY}",
    ),
    _same(
        "casme-4",
        "tense disgust repression surprise",
        "the four frequent labels of CASME, a common protocol",
    ),
    _same(
        "casme2-5",
        "happiness disgust repression surprise others",
        "Yan et al., CASME II, PLOS ONE 9(1): e86041, 2014",
    ),
    _same(
        "casme2-7",
        "happiness disgust repression surprise others sadness fear",
        f"every label of CASME II; {_SURVEY}",
    ),
    _grouped(
        "casme2-4",
        "positive negative surprise others",
        _VALENCE_AND_OTHERS,
        "the four groups suggested by the note that comes with CASME II",
    ),
    _same(
        "casme-sq-4",
        "positive negative surprise others",
        "every label of CAS(ME)^2; which of them LEARNet kept is not known",
    ),
    _same("casme-sq-3", "positive negative surprise", "CAS(ME)^2 without others, a common protocol"),
    _same("smic-3", "negative positive surprise", f"every label of SMIC; {_SURVEY}"),
    _grouped("smic-2", "micro non-micro", _DETECTION, "SMIC's detection task: is there a micro-expression"),
    _same("samm-8", "anger others happiness surprise contempt disgust fear sadness", "every label of SAMM"),
    _same(
        "samm-5",
        "anger happiness others surprise contempt",
        "SAMM's five frequent labels, the common protocol",
    ),
    _grouped(
        "mmew-7",
        "happiness surprise disgust others fear sadness anger",
        _MMEW_7,
        "every label of MMEW; some copies write repression for others",
    ),
    _grouped(
        "mmew-4",
        "happiness surprise disgust others",
        _MMEW_4,
        "the four frequent labels of MMEW, a common protocol",
    ),
    _same(
        "casme3-7",
        "disgust surprise others fear anger sadness happiness",
        "every label of CAS(ME)^3, part A",
    ),
    _grouped(
        "casme3-4",
        "negative positive surprise others",
        _VALENCE_AND_OTHERS,
        "CAS(ME)^3 in four classes; part C has these labels",
    ),
    _same(
        "4dme-5",
        "positive negative surprise repression others",
        "every label of 4DME, a clip counted under one of its labels",
    ),
    _same(
        "dfme-7",
        "happiness anger contempt disgust fear sadness surprise",
        "the seven emotions of DFME",
    ),
    _grouped(
        "megc-3",
        "negative positive surprise",
        _VALENCE,
        "MEGC2019; applied to other lists than the organisers' it is a rule of thumb that differs from "
        "theirs by single clips",
    ),
    _grouped(
        "megc-4",
        "negative positive surprise none",
        _VALENCE_AND_NONE,
        "the three of MEGC2019, and none of them: for weights that may answer that nothing is expressed",
    ),
)
SCHEMES = {scheme.name: scheme for scheme in _SCHEMES}

DEFAULT_SCHEMES = {
    "casme": ("casme-8",),
    "casme2": ("casme2-5", "megc-3"),
    "casme-sq": ("casme-sq-4",),
    "smic": ("smic-3",),
    "smic-e": ("smic-3",),
    "samm": ("samm-5", "megc-3"),
    "mmew": ("mmew-7",),
    "casme3": ("casme3-7", "casme3-4"),
    "4dme": ("4dme-5",),
    "dfme": ("dfme-7",),
    "megc2019": ("megc-3",),
}
"""Database -> the scheme that is used by default; the second where its clips are labelled positive or
negative, as in part C of CAS(ME)^3 and in the list of MEGC2019."""


def resolve_class_scheme(name: str, datasets: Iterable[str], emotions: Iterable[str]) -> ClassScheme:
    """Return the scheme called `name`.

    `auto` is the default of a database alone, megc-3 for several known databases together (they share no
    finer labels), and otherwise the emotions that occur, in alphabetical order.

    Raises:
        UnknownName: there is no such scheme.
    """
    if name != "auto":
        return pick(SCHEMES, name, "class scheme")
    databases, words = set(datasets), set(emotions)
    all_known = databases <= DEFAULT_SCHEMES.keys()
    if len(databases) > 1 and all_known:
        return SCHEMES["megc-3"]
    if len(databases) == 1 and all_known:
        defaults = [SCHEMES[scheme] for scheme in DEFAULT_SCHEMES[databases.pop()]]
        valences = words & {"positive", "negative"}
        fitting = (scheme for scheme in defaults if valences <= scheme.of.keys())
        return next(fitting, defaults[0])
    return _same("as-labelled", " ".join(sorted(words)), "the labels of the prepared folder as they stand")


def schemes_for(known: Collection[str], emotions: Sequence[str]) -> list[ClassScheme]:
    """Return the schemes that fit weights with the classes `known` best, for clips with these emotions.

    Of the schemes without any other class, these give a class to most of the clips, and have the fewest
    classes without a clip. Schemes that say the same of these emotions are named once.
    """
    counts = Counter(emotions)
    best: dict[tuple[tuple[str, str], ...], ClassScheme] = {}
    highest = (1, -len(set(known)))  # at least one clip
    for scheme in SCHEMES.values():
        if not set(scheme.classes) <= set(known):
            continue
        used = {emotion: scheme.of[emotion] for emotion in sorted(counts) if emotion in scheme.of}
        absent = len(set(scheme.classes) - set(used.values()))
        fit = (sum(counts[emotion] for emotion in used), -absent)
        if fit > highest:
            best, highest = {}, fit
        if fit == highest:
            best.setdefault(tuple(used.items()), scheme)
    return list(best.values())


@dataclass(frozen=True)
class ActionUnit:
    """One unit of a FACS code as annotators write it."""

    number: int
    side: str = ""  # "L" or "R", the person's own; "" for both sides
    lip: str = ""  # "T" top or "B" bottom lip (CAS(ME)^3); "" where not said
    static: bool = False  # marked (k) in 4DME: there before the movement


_UNIT = re.compile(r"(?<![A-Z\d])(?:AU)?(?:[A-Z]/)?([LRTBAM]?)(\d+)", re.IGNORECASE)
_SEPARATORS = re.compile(r"[+,\uff0c]")

FACS_RANGES = ((1, 2), (4, 46), (50, 66), (68, 74), (80, 85), (91, 92), (97, 98))
"""First and last number of each range of codes in FACS: muscles of the face (1 to 46), speech (50), positions
of head and eyes (51 to 69), visibility (70 to 74) and behaviour such as swallowing (80 to 98)."""

LIP_UNITS = (8, 18, 22, 23, 24, 25, 28, 32)
"""Units that FACS scores on the top or the bottom lip alone."""


REMARKS = ("", "soft focus")
"""What stands in the published databases in the place of a unit: nothing, after a last comma (`14,L24,`), and
a remark about the picture."""


def parse_action_units(text: str) -> tuple[ActionUnit, ...]:
    """Return the units in a string such as `4+7+L10`, `R2A,5`, `A9E+ref(10)` or `(R6 or R12)+R15`, in their
    order.

    Of a part with more than one number (`R6 or R12`, `14A or 17A`) the first counts. A letter before the
    number is a side (L, R), a lip (T, B), asymmetry (A, not kept) or movement (M, not kept); one after it is
    an intensity, which is not kept. A part without a number (`soft focus`) is ignored.
    """
    units = []
    for part in _SEPARATORS.split(text):
        match = _UNIT.search(part)
        if match is None:
            continue
        letter, number = match[1].upper(), int(match[2])
        side = letter if letter in "LR" else ""
        lip = letter if letter in "TB" else ""
        static = part[match.end() :].strip().lower().startswith("(k)")
        units.append(ActionUnit(number, side, lip, static))
    return tuple(units)


_RANGES_IN_WORDS = ", ".join(
    f"{first} to {last}" if last > first + 1 else f"{first}, {last}" for first, last in FACS_RANGES
)

HOW_TO_WRITE_UNITS = (
    f"Write them as 4+7+L10: numbers of FACS ({_RANGES_IN_WORDS}), and L or R before a unit of one side; "
    "0 alone is a neutral face."
)


def problem_of_action_unit_code(text: str) -> str:
    """Return why a code that people wrote into their own labels would be misread; empty where it is not.

    `parse_action_units` overlooks the second unit of `4 7` and the side of `12L`, and accepts every number.
    In `R6 or R12` the first unit counts, as in the published databases, but both must exist. The code 0 of a
    neutral face stands alone.
    """
    units = parse_action_units(text)
    if not units:
        return "it names no unit"
    if units == (ActionUnit(0),):
        return ""
    if not all(part.strip() for part in text.split("+")):
        return "a unit is missing beside the +"
    problems = (_problem_of_part(part.strip()) for part in _SEPARATORS.split(text))
    return next(filter(None, problems), "")


def _problem_of_part(part: str) -> str:
    """Return why one unit of a code would be misread; empty where it is not."""
    numbers = list(map(int, re.findall(r"\d+", part)))
    if not numbers:
        return "" if part.lower() in REMARKS else f"{part!r} names no unit"
    is_choice = re.search(r"\bor\b", part, re.IGNORECASE)
    if len(numbers) > 1 and not is_choice:
        return f"{part!r} has several numbers"
    if re.search(r"\d[LR]\b", part, re.IGNORECASE):
        return f"{part!r} has its side after the number"
    unknown = [number for number in numbers if not _is_in_facs(number)]
    if unknown:
        return f"FACS has no unit {unknown[0]}"
    match = _UNIT.search(part)
    if numbers and match is None:
        return f"{part!r} begins with an unknown letter"
    if match and match[1].upper() in ("T", "B") and int(match[2]) not in LIP_UNITS:
        return f"unit {match[2]} is not of one lip, so {match[1]} does not apply"
    return ""


def _is_in_facs(number: int) -> bool:
    return any(first <= number <= last for first, last in FACS_RANGES)
