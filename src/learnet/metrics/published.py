"""Published scores of the LEARNet paper and of the field, with known caveats (`published_scores.csv`).

No score was checked by running code unless its caveat says so. A published score is shown only with studies
of the same databases in the same classes (`published_for`). Even then its clips, face crops and motion
images differ.
"""

import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib.resources import files

ALL = "all"
"""Key of the scores over all databases of a study together."""

COMPOSITE = ("casme2", "samm", "smic")
"""Databases of MEGC2019."""

DESCRIPTION = ("method", "year", "databases", "scheme", "protocol", "networks", "source", "caveat")
"""Columns that describe a row; the others are scores, named by database and measure: `smic uf1`."""


@dataclass(frozen=True)
class PublishedScores:
    """The scores of one method on one choice of databases and classes."""

    method: str
    year: int | None  # None where it is not known
    databases: tuple[str, ...]  # trained and tested on together; in alphabetical order
    scheme: str  # one of labels.SCHEMES
    protocol: str
    values: Mapping[str, Mapping[str, float]]  # ALL or a database -> measure of metrics.MEASURES -> 0..1
    source: str  # where the scores are printed
    caveat: str  # what a reader must know before comparing with them; "" where nothing is known
    networks: tuple[str, ...] = ()  # names in NETWORKS of the same method


def published_for(databases: Iterable[str], scheme: str) -> list[PublishedScores]:
    """Return the scores for exactly these databases and this class scheme, in the order of the table."""
    names = tuple(sorted(set(databases)))
    matching = []
    for entry in PUBLISHED:
        if entry.databases == names and entry.scheme == scheme:
            matching.append(entry)
    return matching


def read_published() -> tuple[PublishedScores, ...]:
    """Read the table that comes with learnet, in the order of its rows."""
    table = files("learnet.metrics").joinpath("published_scores.csv")
    lines = table.read_text(encoding="utf-8").splitlines()
    return tuple(map(_read_row, csv.DictReader(lines)))


def _read_row(row: Mapping[str, str]) -> PublishedScores:
    values: dict[str, dict[str, float]] = {}
    for column, cell in row.items():
        if column in DESCRIPTION or cell == "":
            continue
        database, measure = column.split(" ")
        values.setdefault(database, {})[measure] = float(cell)
    return PublishedScores(
        method=row["method"],
        year=int(row["year"]) if row["year"] else None,
        databases=tuple(row["databases"].split()),
        scheme=row["scheme"],
        protocol=row["protocol"],
        values=values,
        source=row["source"],
        caveat=row["caveat"],
        networks=tuple(row["networks"].split()),
    )


PUBLISHED = read_published()
