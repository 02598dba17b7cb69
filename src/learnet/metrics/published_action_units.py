"""Published F1 of action units, with known caveats (`published_action_units.csv`).

They are no more than a scale: the clips, the people and the share of clips that show a unit differ from those
of anybody's own evaluation, and F1 depends on that share.
"""

import csv
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from importlib.resources import files

PUBLISHED_UNITS = (1, 2, 4, 5, 6, 7, 9, 10, 12, 14, 15, 17)
"""Units of the CD6ME benchmark."""

DATABASES = ("casme", "casme2", "samm", "4dme", "mmew", "casme3")
"""Databases of the CD6ME benchmark: each is tested on, after training on the other five."""

CAVEAT = (
    "Only a scale: the published networks were trained on real clips of five databases and tested on the "
    "sixth (CD6ME, 2,031 clips; Varanka et al., arXiv 2211.11425), with F1 at a score of 0.5. "
    "Their clips are others than these, and F1 depends on how many clips show a unit."
)


@dataclass(frozen=True)
class PublishedUnitScores:
    """The F1 of one method, means over PUBLISHED_UNITS except where a unit is named."""

    method: str
    year: int
    networks: tuple[str, ...]  # names in NETWORKS of the same method
    f1: float  # of the pooled clips of all databases
    of_database: Mapping[str, float]  # F1 on each of DATABASES
    of_unit: Mapping[int, float]  # F1 of each of PUBLISHED_UNITS on the pooled clips
    source: str
    caveat: str


def published_databases(databases: Collection[str]) -> list[str]:
    """Return those of these databases that the published scores are of, in the order of DATABASES."""
    return [name for name in DATABASES if name in databases]


def read_published_action_units() -> tuple[PublishedUnitScores, ...]:
    """Read the table that comes with learnet, in the order of its rows: the highest F1 first."""
    table = files("learnet.metrics").joinpath("published_action_units.csv")
    lines = table.read_text(encoding="utf-8").splitlines()
    return tuple(map(_read_row, csv.DictReader(lines)))


def _read_row(row: Mapping[str, str]) -> PublishedUnitScores:
    return PublishedUnitScores(
        method=row["method"],
        year=int(row["year"]),
        networks=tuple(row["networks"].split()),
        f1=float(row["all"]),
        of_database={name: float(row[name]) for name in DATABASES},
        of_unit={unit: float(row[f"AU{unit}"]) for unit in PUBLISHED_UNITS},
        source=row["source"],
        caveat=row["caveat"],
    )


PUBLISHED_ACTION_UNITS = read_published_action_units()
