"""All tables of a comparison, and that of the differences in each database with their combination."""

from learnet.metrics.combined import CombinedDifference
from learnet.metrics.scores import MEASURES
from learnet.report.comparison.compare import Compared, Comparison
from learnet.report.comparison.tables import (
    NOTHING,
    Line,
    Table,
    differences,
    published,
    studies,
    tagged,
)
from learnet.report.tables import NAMES, p_text, signed

COMBINED = "combined"


def comparison_tables(comparison: Comparison) -> list[Table]:
    """Return the tables of studies, of differences, also by database, and of published figures, without the
    empty ones."""
    tables = [studies(comparison), differences(comparison), by_database(comparison), published(comparison)]
    return [table for table in tables if table.lines]


def by_database(comparison: Comparison) -> Table:
    """Return a row for each study and database, and one for their combination; empty for one database."""
    lines = []
    for compared in comparison.compared:
        if compared.combined:
            lines += _lines(compared, compared.combined)
    title = (
        f"Difference from {tagged(comparison.against)} in each database, p by permutation of people; "
        "combined: Z of Stouffer, weighted by the square root of the number of people; "
        "effect size: mean over standard deviation of the differences of people in accuracy"
    )
    return Table(title, ("study", *NAMES.values(), "effect size"), tuple(lines))


def _lines(compared: Compared, combined: CombinedDifference) -> list[Line]:
    leaky = compared.record.leaky
    lines = []
    for database in combined.databases:
        name = f"{tagged(compared.record)}\n{database.database}, {database.people} people"
        cells = [_cell(signed(database.values[m]), database.p[m]) for m in MEASURES]
        lines.append(Line((name, *cells, effect_text(database.effect)), leaky))
    cells = [_cell(f"Z {signed(combined.z[m], 2)}", combined.p[m]) for m in MEASURES]
    name = f"{tagged(compared.record)}\n{COMBINED}"
    return [*lines, Line((name, *cells, effect_text(combined.effect)), leaky)]


def _cell(value: str, p: float) -> str:
    return f"{value}\np {p_text(p)}"


def effect_text(effect: float | None) -> str:
    """Return an effect size as text."""
    return NOTHING if effect is None else signed(effect, 2)
