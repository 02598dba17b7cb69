"""Read predictions of any origin: a log of MEGC2019, a table, or the outcomes.csv of a study."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from learnet.core.csv_files import csv_separator, decode_text, read_csv_rows
from learnet.core.errors import BadInput, pick
from learnet.core.files import check_input
from learnet.core.labels import EMOTIONS, SCHEMES
from learnet.core.people import describe_spellings, first_spellings
from learnet.core.records import Outcome, person_key
from learnet.core.serialisation import parse_json
from learnet.datasets.readers.megc2019 import CLASSES
from learnet.metrics.groups import persons
from learnet.metrics.logs import (
    CLASS_NAMES,
    LOG_FORMAT,
    Entry,
    class_name,
    is_list_log,
    quoted,
    read_list_log,
    read_log,
)

NEEDED = ("clip", "truth", "prediction")
KNOWN = frozenset({*NEEDED, "study", "fold", "seed", "dataset", "subject", "person"})

STUDY_LOG = "megc*.log"  # of a study folder

ROUNDING = 0.006  # of a probability with two decimals

_NUMBER = re.compile(r"\d+", re.ASCII)


@dataclass(frozen=True)
class PredictionFile:
    """The predictions in a file."""

    path: Path
    kind: str  # "log" or "table"
    outcomes: tuple[Outcome, ...]  # in the order of the file; "" for what is not known
    classes: tuple[str, ...]
    class_source: str  # a sentence: where the class list comes from
    notes: tuple[str, ...] = ()  # sentences about people under several names and about scores

    @property
    def has_people(self) -> bool:
        """Whether every prediction names the person of its clip."""
        return "" not in persons(self.outcomes)


@dataclass(frozen=True)
class ClassList:
    """The classes of a file, and how its labels name them."""

    names: tuple[str, ...]
    source: str  # a sentence: where the list comes from
    scheme: str = "auto"  # one of SCHEMES whose emotions are labels too, or "auto"
    numbered: bool = True  # whether labels may be indices of the list


def read_predictions(path: Path, classes: str = "auto") -> PredictionFile:
    """Read a log, a table, or the outcomes.csv of a study folder. The content decides, not the suffix.

    People whose names may be two spellings of one person count as one person, unless the study that made the
    file says that they are different people. Columns of a table that are named by the classes are
    probabilities; unless every line has one of each class and they sum to 1, they are left out, and a note
    says why.

    Args:
        path: the file, or a study folder.
        classes: a class scheme, in which numbers are indices. `auto` reads 0, 1 and 2 as negative, positive
            and surprise, as in MEGC2019, and in the log of a study as its classes. The classes are then the
            score columns of a table, if it has them, or else those that occur.

    Raises:
        BadInput: the file is missing, not text, has no predictions or a line that cannot be read; a label
            is no class; or a study is not finished.
        UnknownName: there is no such scheme.
    """
    path = path / "outcomes.csv" if path.is_dir() else path
    text = _read_text(path)
    if path.name == "outcomes.csv":
        _check_finished(path, text)
    columns = _header(path, text)
    study = _study_beside(path)
    entries = list(_read_table(path, text) if columns else _read_any_log(path, text, study))
    if not entries:
        hint = f"A table needs the columns {', '.join(NEEDED)}." if columns else LOG_FORMAT
        raise BadInput(path, "it contains no predictions", hint)
    entries, notes = _with_one_spelling(entries, study)
    of_study = None if columns or classes != "auto" else _classes_of_study(study)
    class_list = of_study or _class_list(entries, classes, _score_columns(columns))
    probabilities: list[tuple[float, ...]] = []
    if _score_columns(columns):
        try:
            probabilities = [_probabilities(entry, class_list.names) for entry in entries]
            notes = (*notes, *_disagreements(entries, probabilities, class_list))
        except ValueError as error:
            notes = (*notes, f"No log loss, Brier score or AUC: {error}.")
    outcomes = []
    for entry, scores in zip(entries, probabilities or [()] * len(entries), strict=True):
        outcomes.append(_outcome(path, entry, class_list, scores))
    kind = "table" if columns else "log"
    return PredictionFile(path, kind, tuple(outcomes), class_list.names, class_list.source, notes)


def _header(path: Path, text: str) -> list[str]:
    """Return the columns of a table in lower case; none where the file is a log."""
    first_line = next((line for line in text.splitlines() if line.strip()), "")
    separator = csv_separator(text)
    columns = [name.strip().strip('"').lower() for name in first_line.split(separator)]
    is_called_table = path.suffix.lower() in (".csv", ".tsv")
    is_table = not KNOWN.isdisjoint(columns) or (is_called_table and separator in first_line)
    return columns if is_table else []


def _read_any_log(path: Path, text: str, study: Mapping[str, Any]) -> Iterable[Entry]:
    if is_list_log(text):
        return read_list_log(path, text)
    people: set[str] = set()
    with suppress(TypeError, KeyError):
        for fold in study.get("folds", ()):
            people.update(map(str, fold["test_people"]))
    return read_log(path, text, people)


def _study_beside(path: Path) -> Mapping[str, Any]:
    """Return the content of the study.json beside a file; empty where there is none."""
    try:
        study = parse_json((path.parent / "study.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    is_of_study = path.match(STUDY_LOG) or path.name == "outcomes.csv"
    return study if isinstance(study, dict) and is_of_study else {}


def _with_one_spelling(
    entries: Sequence[Entry], study: Mapping[str, Any]
) -> tuple[list[Entry], tuple[str, ...]]:
    """Return the entries with one name for each person, and a note about each other name."""
    settings = study.get("settings")
    if isinstance(settings, dict) and settings.get("distinct_people"):
        return list(entries), ()
    first = first_spellings([entry.person for entry in entries if entry.person])
    renamed = [replace(entry, person=first.get(entry.person, entry.person)) for entry in entries]
    names: dict[str, list[str]] = {}
    for other, kept in first.items():
        names.setdefault(kept, [kept]).append(other)
    notes = tuple(f"Counted as one person: {describe_spellings(group)}." for group in names.values())
    return renamed, notes


def _read_text(path: Path) -> str:
    check_input(path, "Name a log, a table of predictions, or a study folder.")
    return decode_text(path, path.read_bytes())


def _check_finished(path: Path, text: str) -> None:
    """Refuse the outcomes.csv of an unfinished study, as far as the study.json beside it can tell."""
    try:
        record = parse_json((path.parent / "study.json").read_text(encoding="utf-8"))
        clips = sum(fold["test_clips"] for fold in record["folds"])
        expected = clips * len(record["seeds"])
    except (OSError, ValueError, KeyError, TypeError):
        return
    written = max(text.count("\n") - 1, 0)  # complete lines below the header
    if written < expected or not text.endswith("\n"):
        raise BadInput(
            path.parent,
            f"the study is not finished: it has {written} of {expected} predictions",
            "Run the same `learnet study` command again to continue it.",
        )


def _classes_of_study(study: Mapping[str, Any]) -> ClassList | None:
    """Return the classes of the study in whose folder a log lies; None where there is none."""
    try:
        names = tuple(map(str, study["scheme"]["classes"]))
    except (KeyError, TypeError):
        return None
    if not CLASS_NAMES.issuperset(names):
        return None
    return ClassList(names, "The classes are those of the study beside the log.")


def _read_table(path: Path, text: str) -> Iterator[Entry]:
    lines = [(number, cells) for number, cells in read_csv_rows(path, text) if any(cells)]
    columns = list(map(str.lower, lines[0][1])) if lines else []
    _check_columns(path, columns)
    for number, row in lines[1:]:
        if any(row[len(columns) :]):
            raise BadInput(
                f"{path} line {number}",
                "there are more values than columns",
                "Quote values that contain commas.",
            )
        padded = row + [""] * len(columns)
        # Reversed, so that of two columns with one name the first counts.
        cells = dict(reversed(list(zip(columns, padded, strict=False))))
        empty = [name for name in NEEDED if not cells[name]]
        if empty:
            raise BadInput(f"{path} line {number}", f"{empty[0]} is empty", "Fill it in, or remove the line.")
        yield _table_entry(path, number, cells)


def _check_columns(path: Path, columns: Sequence[str]) -> None:
    wrong = [name for name in NEEDED if columns.count(name) != 1]
    if not wrong:
        return
    present = ", ".join(filter(None, columns))
    shown = " ".join(present.split())[:200] or "none"
    raise BadInput(
        path,
        f"the columns {', '.join(wrong)} are missing or repeated; it has {shown}",
        f"Name {', '.join(NEEDED)} once each in the first line. Optional: dataset, subject, seed, fold.",
    )


def _table_entry(path: Path, number: int, cells: dict[str, str]) -> Entry:
    clip = cells["clip"]
    dataset, person = _dataset_and_person(cells)
    seed = cells.get("seed") or "0"
    if not _NUMBER.fullmatch(seed) or len(seed) > 9:
        raise BadInput(
            f"{path} line {number}",
            f"the seed {quoted(seed)} is not a small whole number",
            "Seeds are 0, 1, 2, and so on.",
        )
    fold = cells.get("fold", "")
    scores = {name: cells[name] for name in _score_columns(list(cells))}
    return Entry(number, dataset, person, clip, cells["truth"], cells["prediction"], int(seed), fold, scores)


def _dataset_and_person(cells: dict[str, str]) -> tuple[str, str]:
    """Return dataset and person of a line; "" where they are not known."""
    dataset = cells.get("dataset", "").lower()
    subject = cells.get("person", "") or cells.get("subject", "")
    if not subject and cells["clip"].count("/") >= 2:
        dataset, subject, _ = cells["clip"].split("/", 2)
    if "/" in subject:  # a person as learnet writes them; those of SMIC-E are people of SMIC
        return dataset or subject.partition("/")[0], subject
    if subject and dataset:
        return dataset, person_key(dataset, subject)
    return dataset, subject


def _score_columns(columns: Sequence[str]) -> tuple[str, ...]:
    """Return the columns that are named by a class."""
    scored = []
    for name in columns:
        if name in CLASS_NAMES and name not in KNOWN:
            scored.append(name)
    return tuple(scored)


def _class_list(entries: Sequence[Entry], scheme: str, scored: tuple[str, ...]) -> ClassList:
    if scheme != "auto":
        names = pick(SCHEMES, scheme, "class scheme").classes
        return ClassList(names, f"The classes are those of {scheme}.", scheme)
    labels = set()
    for entry in entries:
        labels |= {class_name(entry.truth), class_name(entry.prediction)}
    occurring = labels & CLASS_NAMES  # unknown labels are refused later, where the line is known
    if scored and occurring <= set(scored):
        return ClassList(scored, "The classes are the columns of scores.")
    if occurring <= set(CLASSES):
        return ClassList(CLASSES, "The classes are those of MEGC2019: 0 negative, 1 positive, 2 surprise.")
    order = (*EMOTIONS, *sorted(CLASS_NAMES - set(EMOTIONS)))
    names = tuple(name for name in order if name in occurring)
    source = "The classes are those that occur; a class scheme (--classes) may have others too."
    return ClassList(names, source, numbered=False)


def _probabilities(entry: Entry, classes: Sequence[str]) -> tuple[float, ...]:
    """Return the probabilities of the classes in an entry.

    Raises:
        ValueError: what it has instead.
    """
    absent = [name for name in classes if name not in entry.scores]
    if absent:
        raise ValueError(f"there is no column of scores for {', '.join(absent)}")
    row = []
    for name in classes:
        try:
            row.append(float(entry.scores[name]))
        except ValueError:
            raise ValueError(f"line {entry.line} has {quoted(entry.scores[name])} for {name}") from None
    # Written so that NaN is no probability.
    if not (all(value >= 0 for value in row) and abs(sum(row) - 1) <= ROUNDING * len(classes)):
        raise ValueError(f"line {entry.line} has no probabilities that sum to 1")
    return tuple(row)


def _disagreements(
    entries: Sequence[Entry], probabilities: Sequence[tuple[float, ...]], classes: ClassList
) -> list[str]:
    """Return a sentence about predictions that are not the class with the highest probability."""
    differing = []
    for entry, row in zip(entries, probabilities, strict=True):
        prediction = _class_of(entry.prediction, classes, f"line {entry.line}")
        if row[classes.names.index(prediction)] < max(row):
            differing.append(entry.line)
    if not differing:
        return []
    lines = f"{len(differing)} of {len(entries)} lines (first line {differing[0]})"
    return [f"In {lines} the prediction is not the class with the highest probability."]


def _outcome(path: Path, entry: Entry, classes: ClassList, scores: tuple[float, ...]) -> Outcome:
    where = f"{path} line {entry.line}"
    return Outcome(
        study=path.stem,
        fold=entry.fold or entry.person,
        seed=entry.seed,
        clip=entry.key,
        dataset=entry.dataset,
        person=entry.person,
        truth=_class_of(entry.truth, classes, where),
        prediction=_class_of(entry.prediction, classes, where),
        scores=scores,
    )


def _class_of(label: str, classes: ClassList, where: str) -> str:
    """Return the class of a label, which is its name, an emotion of the scheme, or an index of the list."""
    name = class_name(label)
    if name in classes.names:
        return name
    if classes.scheme != "auto" and name in SCHEMES[classes.scheme].of:
        return SCHEMES[classes.scheme].of[name]
    is_index = classes.numbered and _NUMBER.fullmatch(name) and len(name) < 4
    if is_index and int(name) < len(classes.names):
        return classes.names[int(name)]
    known = []
    for index, known_name in enumerate(classes.names):
        known.append(f"{index} {known_name}" if classes.numbered else known_name)
    raise BadInput(
        where,
        f"{quoted(label)} is no class; there are {', '.join(known)}",
        "Correct it, or name the class scheme (--classes).",
    )
