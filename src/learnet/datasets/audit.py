"""Tables of what was read: clips and people per emotion beside published numbers, findings by kind."""

from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path

import pandas as pd

from learnet.core.csv_files import csv_text
from learnet.core.errors import BadInput, counted
from learnet.core.files import write_atomically
from learnet.core.labels import SCHEMES, resolve_class_scheme
from learnet.core.records import Clip, DatasetIndex, Finding
from learnet.datasets.readers.reading.dataset import Dataset

COUNT_COLUMNS = ("emotion", "clips", "people", "published")
FINDING_COLUMNS = ("kind", "number", "serious", "first")
PEOPLE_COLUMNS = ("person", "clips")
CSV_COLUMNS = ("kind", "where", "what", "serious")

NOT_PUBLISHED = "-"

_CsvRow = tuple[str, str, str, bool]


def audit_table(reading: DatasetIndex, dataset: Dataset) -> dict[str, pd.DataFrame]:
    """Return the tables of an audit.

    Returns:
        "emotions" (`count_rows`), "people" (a row per person, a column per emotion) and "findings"
        (`finding_rows`).
    """
    emotions = _emotions(reading, dataset)
    counts_of_person: dict[str, Counter[str]] = {}
    for clip in reading.clips:
        counts = counts_of_person.setdefault(clip.person, Counter())
        counts[clip.emotion] += 1
    people = []
    for person, counts in sorted(counts_of_person.items()):
        people.append([person, counts.total(), *(counts[emotion] for emotion in emotions)])
    return {
        "emotions": pd.DataFrame(count_rows(reading, dataset), columns=list(COUNT_COLUMNS)),
        "people": pd.DataFrame(people, columns=[*PEOPLE_COLUMNS, *emotions]),
        "findings": pd.DataFrame(finding_rows(reading), columns=list(FINDING_COLUMNS)),
    }


def count_rows(reading: DatasetIndex, dataset: Dataset) -> list[list[str | int]]:
    """Return the number of clips and people of each emotion beside the published number of clips.

    Returns:
        Rows of emotion, clips, people, published clips ("-" where nobody published them); then a row of all,
        and a row of those in the dataset's usual classes.
    """
    emotions = _emotions(reading, dataset)
    published = _published(reading, dataset)
    rows: list[list[str | int]] = []
    for emotion in emotions:
        published_clips = published.get(emotion, 0 if published else NOT_PUBLISHED)
        clips, people = _count(reading.clips, [emotion])
        rows.append([emotion, clips, people, published_clips])
    clips, people = _count(reading.clips, emotions)
    published_clips = sum(published.values()) or NOT_PUBLISHED
    rows.append(["all", clips, people, published_clips])
    if dataset.default_scheme in SCHEMES:
        scheme = resolve_class_scheme("auto", [dataset.name], emotions)
        clips, people = _count(reading.clips, scheme.of)
        published_clips = sum(number for emotion, number in published.items() if emotion in scheme.of)
        rows.append([f"in {scheme.name}", clips, people, published_clips or NOT_PUBLISHED])
    return rows


def _published(reading: DatasetIndex, dataset: Dataset) -> Mapping[str, int]:
    if reading.published is None:
        return dataset.published
    return reading.published


def _emotions(reading: DatasetIndex, dataset: Dataset) -> list[str]:
    """Return the published emotions in their order, then the others, the most frequent first."""
    counts = Counter(clip.emotion for clip in reading.clips)
    published = _published(reading, dataset)
    others = counts.keys() - published.keys()
    by_frequency = sorted(others, key=lambda emotion: (-counts[emotion], emotion))
    return [*published, *by_frequency]


def _count(clips: list[Clip], emotions: Iterable[str]) -> tuple[int, int]:
    """Return the number of clips with one of the emotions, and of the people in them."""
    wanted = set(emotions)
    number = 0
    people = set()
    for clip in clips:
        if clip.emotion in wanted:
            number += 1
            people.add(clip.person)
    return number, len(people)


def finding_rows(reading: DatasetIndex) -> list[list[str | int]]:
    """Return the findings by kind, the serious ones first.

    Returns:
        Rows of kind, number, "yes" where they would change a result or "no", and the first of them.
    """
    groups: dict[tuple[bool, str], list[Finding]] = {}
    for finding in reading.findings:
        group = (not finding.serious, finding.kind)
        groups.setdefault(group, []).append(finding)
    rows: list[list[str | int]] = []
    for (is_harmless, kind), findings in sorted(groups.items()):
        first = findings[0]
        serious = "no" if is_harmless else "yes"
        rows.append([kind, len(findings), serious, f"{first.where}: {first.what}"])
    return rows


def serious_line(findings: Iterable[Finding]) -> str:
    """Return the number of serious findings of each kind, "" if there are none.

    The format is `3 serious findings: 2 of "row without folder", 1 of "row twice"`.
    """
    kinds = Counter(finding.kind for finding in findings if finding.serious)
    if not kinds:
        return ""
    counts = [f'{number} of "{kind}"' for kind, number in sorted(kinds.items())]
    return f"{counted(kinds.total(), 'serious finding')}: {', '.join(counts)}"


def write_audit_csv(reading: DatasetIndex, path: Path, dataset: Dataset | None = None) -> None:
    """Write what was read and found as a table with the columns kind, where, what, serious.

    The file is written completely or not at all. Missing folders above it are made.

    Args:
        reading: from a reader.
        path: of the .csv file.
        dataset: adds the counts per emotion beside the published ones.

    Raises:
        BadInput: it cannot be written there.
    """
    rows = _csv_rows(reading, dataset)
    try:
        write_atomically(path, csv_text([CSV_COLUMNS, *rows]))
    except OSError as error:
        raise BadInput(path, f"the audit cannot be written ({error.strerror})") from error


def _csv_rows(reading: DatasetIndex, dataset: Dataset | None) -> list[_CsvRow]:
    rows: list[_CsvRow] = []
    for subject, text in reading.about.items():
        rows.append(("about", subject, text, False))
    if dataset:
        for emotion, clips, people, published in count_rows(reading, dataset):
            clip_count = counted(int(clips), "clip")
            people_count = counted(int(people), "person", "people")
            rows.append(
                ("count", str(emotion), f"{clip_count}, {people_count}, published {published}", False)
            )
    for finding in reading.findings:
        rows.append((finding.kind, finding.where, finding.what, finding.serious))
    return rows
