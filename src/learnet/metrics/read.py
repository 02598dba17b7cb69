"""Anyone's predictions as outcomes: the log of MEGC2019, a table with clip, truth and prediction, or a study's outcomes.csv."""

import csv
import io
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from learnet.core.errors import BadInput, pick
from learnet.core.labels import ALIASES, DEFAULT_SCHEMES, EMOTIONS, SCHEMES
from learnet.core.records import Outcome
from learnet.datasets.readers.megc2019 import CLASSES

NEEDED = ("clip", "truth", "prediction")
KNOWN = (*NEEDED, "study", "fold", "seed", "dataset", "subject", "person")
WORDS = frozenset({*EMOTIONS, *(name for scheme in SCHEMES.values() for name in scheme.classes)})
"""What a class may be called."""

OCCUR = "The classes are those that occur; --classes names a scheme that has others too."

_NUMBER = re.compile(r"\d+", re.ASCII)
_LOG = "A log has a line `database subject`, and below it a line `clip truth prediction` for each clip."


@dataclass(frozen=True)
class Answers:
    """What a file of predictions holds."""

    path: Path
    kind: str  # "log" or "table"
    outcomes: tuple[
        Outcome, ...
    ]  # in the file's order; dataset and person are "" where it does not say them, and there are no scores
    classes: tuple[str, ...]
    chosen: str  # a sentence: where the class list comes from

    @property
    def has_people(self) -> bool:
        """Whether every answer says whose clip it is."""
        return all(outcome.person for outcome in self.outcomes)


@dataclass(frozen=True)
class Entry:
    """An answer as it is written."""

    line: int
    dataset: str
    person: str  # as in `Clip.person`, as far as the file says it
    clip: str
    truth: str
    prediction: str
    seed: int = 0
    fold: str = ""

    @property
    def key(self) -> str:
        """As in `Clip.key`, as far as the file says it."""
        whole = self.person and self.clip.startswith((f"{self.person}/", f"{self.dataset}/"))
        return self.clip if whole else "/".join(filter(None, (self.person, self.clip)))


def read_answers(path: Path, classes: str = "auto") -> Answers:
    """Read a log, a table, or the outcomes.csv of a study folder.

    Args:
        path: the file, or a study folder.
        classes: a class scheme, in which numbers are places; `auto` takes 0, 1 and 2 for MEGC2019's negative, positive and surprise, a
            table's columns of scores for the class list, and otherwise the classes that occur.

    Raises:
        BadInput: no such file, not text, no answers, a study that is not finished, a line that is not understood, or a label that is no
            class.
        UnknownName: no such scheme.
    """
    path = path / "outcomes.csv" if path.is_dir() else path
    text = _text(path)
    if path.name == "outcomes.csv":
        _refuse_unfinished(path, text)
    first = next((line for line in text.splitlines() if line.strip()), "")
    separator = max(",;\t", key=first.count)
    heads = [name.strip().strip('"').lower() for name in first.split(separator)]
    is_table = "clip" in heads or path.suffix.lower() == ".csv"
    entries = list(_table(path, text, separator) if is_table else _log(path, text))
    if not entries:
        raise BadInput(
            path,
            "it holds no answers",
            f"A table needs the columns {', '.join(NEEDED)}." if is_table else _LOG,
        )
    scored = tuple(name for name in heads if name in WORDS and name not in KNOWN) if is_table else ()
    known, chosen = _classes(entries, classes, scored)
    outcomes = tuple(_outcome(path, entry, known, classes, chosen is not OCCUR) for entry in entries)
    return Answers(path, "table" if is_table else "log", outcomes, known, chosen)


def _text(path: Path) -> str:
    if not path.is_file():
        raise BadInput(
            path, "there is no such file", "Name a log, a table of predictions, or a study folder."
        )
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError:
        raise BadInput(path, "this is not UTF-8 text", "Save it as UTF-8.") from None
    if "\0" in text:
        raise BadInput(path, "this is not a text file", _LOG)
    return text


def _refuse_unfinished(path: Path, text: str) -> None:
    """Refuse the outcomes.csv of a study that is at work or was stopped, as far as the study.json beside it can tell."""
    try:
        about = json.loads((path.parent / "study.json").read_text(encoding="utf-8"))
        expected = sum(fold["test_clips"] for fold in about["folds"]) * len(about["seeds"])
    except (OSError, ValueError, KeyError, TypeError):
        return
    found = max(text.count("\n") - 1, 0)  # a last line without an end is cut off
    if found < expected or not text.endswith("\n"):
        wrong = f"the study is not finished: {found} of {expected} answers are there"
        raise BadInput(
            path.parent,
            wrong,
            "Run the same `learnet study` command again: it goes on where the study stopped.",
        )


def _log(path: Path, text: str) -> Iterator[Entry]:
    dataset = person = ""
    known = (
        None  # whether the databases are ones that learnet knows; an answer that lost a word is no new one
    )
    for number, line in enumerate(re.split(r"\r\n|\r|\n", text), start=1):
        words = line.split()
        if len(words) == 2 and known in (None, words[0].lower() in DEFAULT_SCHEMES):
            dataset = words[0].lower()
            person, known = f"{dataset}/{words[1]}", dataset in DEFAULT_SCHEMES
        elif len(words) > 2 and person:
            yield Entry(number, dataset, person, " ".join(words[:-2]), *words[-2:])
        elif len(words) > 2:
            raise BadInput(
                f"{path} line {number}",
                f"{_short(line)} is an answer, and no line before it says whose",
                _LOG,
            )
        elif words:
            raise BadInput(
                f"{path} line {number}", f"{_short(line)} is neither a subject nor an answer", _LOG
            )


def _table(path: Path, text: str, separator: str) -> Iterator[Entry]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    try:
        lines = [(reader.line_num, [cell.strip() for cell in row]) for row in reader]
    except csv.Error as error:
        raise BadInput(path, f"this is not a table ({error})", "It must be a CSV file.") from None
    lines = [(number, row) for number, row in lines if any(row)]
    names = [name.lower() for name in lines[0][1]] if lines else []
    if missing := [name for name in NEEDED if names.count(name) != 1]:
        there = " ".join(", ".join(filter(None, names)).split())[:200]
        wrong = f"the columns {', '.join(missing)} are missing, or there twice; it has {there or 'none'}"
        raise BadInput(
            path,
            wrong,
            f"Name {', '.join(NEEDED)} once each in the first line; dataset, subject, seed and fold are read too.",
        )
    for number, row in lines[1:]:
        if any(row[len(names) :]):
            raise BadInput(
                f"{path} line {number}",
                "there are more values than columns",
                "Quote values with commas in them.",
            )
        cells = dict(
            zip(reversed(names), reversed((row + [""] * len(names))[: len(names)]), strict=True)
        )  # of two alike the first
        if blank := [name for name in NEEDED if not cells[name]]:
            raise BadInput(
                f"{path} line {number}", f"{blank[0]} is empty", "Fill it in, or take the line out."
            )
        yield _entry(path, number, cells)


def _entry(path: Path, number: int, cells: dict[str, str]) -> Entry:
    dataset, subject, person, clip = (
        cells.get(name, "") for name in ("dataset", "subject", "person", "clip")
    )
    dataset, subject = dataset.lower(), person or subject
    if not subject and clip.count("/") >= 2:
        dataset, subject, _ = clip.split("/", 2)
    if "/" in subject:  # a person as learnet writes them; SMIC-E's are people of SMIC
        person, dataset = subject, dataset or subject.partition("/")[0]
    else:
        person = "/".join(filter(None, (dataset, subject))) if subject else ""
    seed = cells.get("seed") or "0"
    if not _NUMBER.fullmatch(seed) or len(seed) > 9:
        raise BadInput(
            f"{path} line {number}",
            f"the seed {_short(seed)} is not a small whole number",
            "Seeds are 0, 1, 2, and so on.",
        )
    return Entry(
        number, dataset, person, clip, cells["truth"], cells["prediction"], int(seed), cells.get("fold", "")
    )


def _classes(entries: Sequence[Entry], scheme: str, scored: tuple[str, ...]) -> tuple[tuple[str, ...], str]:
    """The class list and where it comes from."""
    if scheme != "auto":
        return pick(SCHEMES, scheme, "class scheme").classes, f"The classes are those of {scheme}."
    labels = {_word(label) for entry in entries for label in (entry.truth, entry.prediction)}
    words = labels & WORDS  # what nobody knows is refused later, in the line where it stands
    if scored and words <= set(scored):
        return scored, "The classes are the columns of scores."
    if words <= set(CLASSES):
        return CLASSES, "The classes are those of MEGC2019: 0 negative, 1 positive, 2 surprise."
    order = (*EMOTIONS, *sorted(WORDS - set(EMOTIONS)))
    return tuple(word for word in order if word in words), OCCUR


def _outcome(path: Path, entry: Entry, classes: tuple[str, ...], scheme: str, numbered: bool) -> Outcome:
    truth, prediction = (
        _class(path, entry, label, classes, scheme, numbered) for label in (entry.truth, entry.prediction)
    )
    return Outcome(
        path.stem,
        entry.fold or entry.person,
        entry.seed,
        entry.key,
        entry.dataset,
        entry.person,
        truth,
        prediction,
        (),
    )


def _class(
    path: Path, entry: Entry, label: str, classes: tuple[str, ...], scheme: str, numbered: bool
) -> str:
    """The class of a label: its own word, its emotion's class in the scheme, or where the list has an order, its place there."""
    word = _word(label)
    if word in classes:
        return word
    if scheme != "auto" and word in SCHEMES[scheme].of:
        return SCHEMES[scheme].of[word]
    if numbered and _NUMBER.fullmatch(word) and len(word) < 4 and int(word) < len(classes):
        return classes[int(word)]
    places = ", ".join(f"{place} {name}" if numbered else name for place, name in enumerate(classes))
    wrong = f"{_short(label)} is no class; there are {places}"
    raise BadInput(f"{path} line {entry.line}", wrong, "Correct it, or name the scheme with --classes.")


def _word(label: str) -> str:
    word = label.strip().lower()
    return ALIASES.get(word, word)


def _short(text: str) -> str:
    return repr(text.strip()[:60])
