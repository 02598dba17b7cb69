"""Logs of predictions: the lines of the MEGC2019 challenge, and the lists that STSTNet and HTNet print."""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from learnet.core.errors import BadInput
from learnet.core.labels import ALIASES, DEFAULT_SCHEMES, EMOTIONS, SCHEMES, SYNONYMS, normalise_word
from learnet.core.records import person_key

LOG_FORMAT = (
    "A log has a line `database subject`, and below it a line `clip truth prediction` for each clip; "
    "or for each subject the lines `Subject: 01`, `Predicted: [0, 1]` and `Ground Truth: [0, 1]`."
)

_LINE_END = re.compile(r"\r\n|\r|\n")
_SUBJECT = re.compile(r"subject\s*:\s*(\S.*)", re.IGNORECASE)
_LIST = re.compile(r"(best\s+predicted|predicted|ground\s*truth)\s*:\s*(.*)", re.IGNORECASE)
_INDEX = re.compile(r"(\d+)(?:[.,]0*)?", re.ASCII)

_DATASET_OF_SUBJECT = {"casme2": r"sub\d+", "smic": r"s\d+", "samm": r"\d+"}
"""Database of MEGC2019 -> how it writes subjects."""


def _class_names() -> frozenset[str]:
    names = set(EMOTIONS)
    for scheme in SCHEMES.values():
        names |= set(scheme.classes)
    return frozenset(names)


CLASS_NAMES = _class_names()
"""Emotions, and the classes of all schemes."""


@dataclass(frozen=True)
class Entry:
    """A prediction as it is written in a file."""

    line: int
    dataset: str
    person: str  # as in `Clip.person`, or as much of it as is known
    clip: str
    truth: str
    prediction: str
    seed: int = 0
    fold: str = ""
    scores: Mapping[str, str] = field(default_factory=dict)  # class -> cell of a table

    @property
    def key(self) -> str:
        """As in `Clip.key`, or as much of it as is known."""
        prefixes = (f"{self.person}/", f"{self.dataset}/")
        if not self.person or self.clip.startswith(prefixes):
            return self.clip
        subject = self.person.partition("/")[2]
        owner = f"{self.dataset}/{subject}" if self.dataset and subject else self.person
        return f"{owner}/{self.clip}"


def class_name(label: str) -> str:
    """Return the class or emotion that a label names, in the words of learnet: `joy` is `happiness`.

    A whole number loses its decimals (`1.0` is `1`); a word that is not known stays in lower case.
    """
    name = label.strip().lower()
    if name in CLASS_NAMES:
        return name
    if number := _INDEX.fullmatch(name):
        return number[1]
    return ALIASES.get(name) or SYNONYMS.get(normalise_word(name)) or name


def is_list_log(text: str) -> bool:
    """Return whether a log has lists of predictions and truths, one of each for a subject."""
    lines = list(map(str.strip, _LINE_END.split(text)))
    has_lists = any(_LIST.match(line) for line in lines)
    return has_lists and any(_SUBJECT.fullmatch(line) for line in lines)


@dataclass
class _SubjectLists:
    """The lists of a subject."""

    subject: str
    line: int
    labels: dict[str, list[str]] = field(default_factory=dict)  # "predicted" and "truth" -> labels


def read_list_log(path: Path, text: str) -> list[Entry]:
    """Read a log with lists: `Subject: 006`, `Predicted: [0, 1]`, `Ground Truth: [0, 1]`. Other lines are not
    read. Clips have no names, so they are numbered.

    The predictions count, where there are some, and not the `Best Predicted`, whose epoch was selected on the
    test person.

    Raises:
        BadInput: a list is incomplete or missing, or the lists of a subject differ in length.
    """
    blocks: list[_SubjectLists] = []
    for number, line in enumerate(map(str.strip, _LINE_END.split(text)), start=1):
        if match := _SUBJECT.fullmatch(line):
            blocks.append(_SubjectLists(match[1], number))
        elif match := _LIST.fullmatch(line):
            if not blocks:
                problem = "these are labels, but no line before them names the subject"
                raise BadInput(f"{path} line {number}", problem, LOG_FORMAT)
            name = " ".join(match[1].lower().split())
            kind = "truth" if name.startswith("ground") else name
            if kind in blocks[-1].labels:
                problem = f"{match[1]} is there twice for subject {blocks[-1].subject!r}"
                raise BadInput(f"{path} line {number}", problem, LOG_FORMAT)
            blocks[-1].labels[kind] = _labels(f"{path} line {number}", match[2])
    dataset_of = _datasets([block.subject for block in blocks])
    entries: list[Entry] = []
    for block in blocks:
        entries += _entries(path, block, dataset_of.get(block.subject, ""))
    return entries


def _labels(where: str, text: str) -> list[str]:
    """Return the labels of a list such as `[0, 1]`."""
    if not (text.startswith("[") and text.endswith("]")):
        raise BadInput(where, "this list is not complete", "Copy the log again; a list is on one line.")
    return [label.strip("'\"") for label in re.split(r"[\s,]+", text.strip("[] ")) if label]


def _entries(path: Path, block: _SubjectLists, dataset: str) -> list[Entry]:
    predicted = block.labels.get("predicted", block.labels.get("best predicted"))
    truth = block.labels.get("truth")
    if predicted is None or truth is None or len(predicted) != len(truth):
        lengths = f"{len(predicted or [])} predictions and {len(truth or [])} true classes"
        hint = "Give the whole log."
        raise BadInput(f"{path} line {block.line}", f"subject {block.subject!r} has {lengths}", hint)
    person = f"{dataset}/{block.subject}" if dataset else block.subject
    entries = []
    for number, (true_label, label) in enumerate(zip(truth, predicted, strict=True), start=1):
        clip = f"{block.subject}_{number}"
        entries.append(Entry(block.line, dataset, person, clip, true_label, label))
    return entries


def _datasets(subjects: Collection[str]) -> dict[str, str]:
    """Return the database of each subject, if the subjects are those of the composite of MEGC2019."""
    found = {}
    for subject in subjects:
        for dataset, pattern in _DATASET_OF_SUBJECT.items():
            if re.fullmatch(pattern, subject, re.ASCII):
                found[subject] = dataset
    is_composite = set(found.values()) == set(_DATASET_OF_SUBJECT) and set(subjects) <= found.keys()
    return found if is_composite else {}


def read_log(path: Path, text: str, people: Collection[str]) -> list[Entry]:
    """Read a log with lines `database subject`, and below each of them lines `clip truth prediction`.

    Args:
        path: the file, for errors.
        text: its content.
        people: as in `Clip.person`, of the study to which the log belongs; their names may have blanks.

    Raises:
        BadInput: a line is neither, or has a label too much.
    """
    entries = list(_log_entries(path, text, people))
    if not people:  # the names of clips in the log of a study may be anything
        _check_names(path, entries)
    return entries


def _check_names(path: Path, entries: Sequence[Entry]) -> None:
    """Refuse lines such as `clip 0 1 2`, whose clip would be `clip 0`, unless such names are plain.

    They are where a person has `clip 0` and `clip 1`, and no name of the log is without a number.

    Raises:
        BadInput: with the first of the lines.
    """
    numbered = [entry for entry in entries if _has_third_label(entry)]
    if not numbered:
        return
    stems = {(entry.person, entry.clip.rpartition(" ")[0]) for entry in numbered}
    is_part_of_names = len(stems) < len({(entry.person, entry.clip) for entry in numbered})
    if is_part_of_names and len(numbered) == len(entries):
        return
    line = numbered[0]
    shown = quoted(f"{line.clip} {line.truth} {line.prediction}")
    hint = "Leave clip, truth and prediction; write a number in the name of a clip without a blank before it."
    raise BadInput(f"{path} line {line.line}", f"{shown} has three labels", hint)


def _has_third_label(entry: Entry) -> bool:
    """Return whether the name of a clip ends in a word that could be a label like those after it."""
    name, _, word = entry.clip.rpartition(" ")
    is_number = word.isdecimal()
    if not name or not _is_label(word) or is_number != entry.truth.isdecimal():
        return False
    return not (is_number and len(word) > 1)  # `01` is the number of a clip


def _log_entries(path: Path, text: str, people: Collection[str]) -> Iterator[Entry]:
    known_lines = {person.replace("/", " ", 1) for person in people}
    dataset = person = ""
    known_databases: bool | None = None  # whether learnet knows the databases of this log
    for number, line in enumerate(map(str.strip, _LINE_END.split(text)), start=1):
        words = line.split()
        is_known = bool(words) and words[0].lower() in DEFAULT_SCHEMES
        # A prediction that lacks a word has two words as well. It must not be taken for an unknown database.
        is_subject = len(words) == 2 and known_databases in (None, is_known)
        is_subject |= line in known_lines or _is_long_subject(words, dataset)
        if is_subject:
            dataset = words[0].lower()
            person = person_key(dataset, line[len(words[0]) :].strip())
            known_databases = is_known
        elif len(words) > 2 and person:
            truth, prediction = words[-2:]
            yield Entry(number, dataset, person, " ".join(words[:-2]), truth, prediction)
        elif words:
            problem = "is neither a subject nor a prediction"
            if len(words) > 2:
                problem = "is a prediction, but no line before it names the subject"
            raise BadInput(f"{path} line {number}", f"{quoted(line)} {problem}", LOG_FORMAT)


def _is_long_subject(words: Sequence[str], dataset: str) -> bool:
    """Return whether words are a database and a subject with blanks, because the last two are no labels.

    Args:
        words: of a line.
        dataset: of the subject before; empty before the first.
    """
    if len(words) < 3:
        return False
    is_dataset = not dataset or words[0].lower() == dataset or words[0].lower() in DEFAULT_SCHEMES
    return is_dataset and not all(map(_is_label, words[-2:]))


def _is_label(word: str) -> bool:
    return class_name(word) in CLASS_NAMES or _INDEX.fullmatch(word) is not None


def quoted(text: str) -> str:
    """Return the beginning of a text in quotes, for a message."""
    return repr(text.strip()[:60])
