"""What a reading found, as tables: clips and people per emotion beside the published numbers, and the findings by kind."""

import csv
import os
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path

import pandas as pd

from learnet.core.errors import BadInput, counted
from learnet.core.labels import SCHEMES, resolve_class_scheme
from learnet.core.records import Clip, DatasetIndex, Finding
from learnet.datasets.readers.reading.dataset import Dataset

COUNT_COLUMNS = ("emotion", "clips", "people", "published")
FINDING_COLUMNS = ("kind", "number", "serious", "first")
PEOPLE_COLUMNS = ("person", "clips")


def audit_table(reading: DatasetIndex, dataset: Dataset) -> dict[str, pd.DataFrame]:
    """The tables "emotions" (`count_rows`), "people" (a row per person, a column per emotion) and "findings" (`finding_rows`)."""
    words = _emotions(reading, dataset)
    people = Counter((clip.person, clip.emotion) for clip in reading.clips)
    rows = [
        [person, sum(people[person, word] for word in words), *(people[person, word] for word in words)]
        for person in sorted({clip.person for clip in reading.clips})
    ]
    return {
        "emotions": pd.DataFrame(count_rows(reading, dataset), columns=list(COUNT_COLUMNS)),
        "people": pd.DataFrame(rows, columns=[*PEOPLE_COLUMNS, *words]),
        "findings": pd.DataFrame(finding_rows(reading), columns=list(FINDING_COLUMNS)),
    }


def count_rows(reading: DatasetIndex, dataset: Dataset) -> list[list[str | int]]:
    """Emotion, clips, people, clips as published ("-": by nobody); then the same of all, and of those in the dataset's usual classes."""
    words, published = _emotions(reading, dataset), _published(reading, dataset)
    rows = [
        [word, *_count(reading.clips, [word]), published.get(word, 0 if published else "-")] for word in words
    ]
    rows.append(["all", *_count(reading.clips, words), sum(published.values()) or "-"])
    if dataset.classes in SCHEMES:
        scheme = resolve_class_scheme("auto", [dataset.name], words)
        kept = sum(number for word, number in published.items() if word in scheme.of)
        rows.append([f"in {scheme.name}", *_count(reading.clips, scheme.of), kept or "-"])
    return rows


def _published(reading: DatasetIndex, dataset: Dataset) -> Mapping[str, int]:
    return dataset.published if reading.published is None else reading.published


def _emotions(reading: DatasetIndex, dataset: Dataset) -> list[str]:
    """Published emotions in their order, then those that occur beyond them, the most frequent first."""
    found = Counter(clip.emotion for clip in reading.clips)
    published = _published(reading, dataset)
    return [*published, *sorted(found.keys() - published.keys(), key=lambda word: (-found[word], word))]


def _count(clips: list[Clip], words: Iterable[str]) -> tuple[int, int]:
    wanted = set(words)
    kept = [clip.person for clip in clips if clip.emotion in wanted]
    return len(kept), len(set(kept))


def finding_rows(reading: DatasetIndex) -> list[list[str | int]]:
    """Kind, how many, "yes" where they would change a result, and the first of them; the serious ones stand first."""
    groups: dict[tuple[bool, str], list[Finding]] = {}
    for finding in reading.findings:
        groups.setdefault((not finding.serious, finding.kind), []).append(finding)
    return [
        [kind, len(group), "no" if harmless else "yes", f"{group[0].where}: {group[0].what}"]
        for (harmless, kind), group in sorted(groups.items())
    ]


def serious_line(findings: Iterable[Finding]) -> str:
    """The serious ones counted by kind, `3 serious findings: 2 of "row without folder", 1 of "row twice"`; "" if there are none."""
    kinds = Counter(finding.kind for finding in findings if finding.serious)
    if not kinds:
        return ""
    return f"{counted(kinds.total(), 'serious finding')}: " + ", ".join(
        f'{number} of "{kind}"' for kind, number in sorted(kinds.items())
    )


def write_audit_csv(reading: DatasetIndex, path: Path, dataset: Dataset | None = None) -> None:
    """Write everything as a table with the columns kind, where, what, serious: what was recognised, the counts, every finding.

    The file appears whole or not at all; missing folders above it are made.

    Raises:
        BadInput: it cannot be written there.
    """
    rows: list[tuple[str, str, str, bool]] = [
        ("about", subject, what, False) for subject, what in reading.about.items()
    ]
    if dataset:
        rows += [("count", str(word), f"{counted(int(clips), 'clip')}, {counted(int(people), 'person', 'people')}, published {published}",
                  False) for word, clips, people, published in count_rows(reading, dataset)]  # fmt: skip
    rows += [(finding.kind, finding.where, finding.what, finding.serious) for finding in reading.findings]
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with part.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(["kind", "where", "what", "serious"])
            writer.writerows(rows)
        part.replace(path)
    except OSError as trouble:
        raise BadInput(path, f"the audit cannot be written ({trouble.strerror})") from trouble
    finally:
        if path.parent.is_dir():
            part.unlink(missing_ok=True)
