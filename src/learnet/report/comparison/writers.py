"""Write a comparison to files: CSV with all numbers unrounded, LaTeX tables, one HTML page."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pandas as pd

from learnet.core.csv_files import csv_text
from learnet.core.files import write_atomically
from learnet.core.printable import printable
from learnet.metrics.equivalence import verdict
from learnet.metrics.published import PublishedScores
from learnet.metrics.scores import MEASURES
from learnet.metrics.study_metrics import MeanScore, StudyMetrics
from learnet.report.comparison.compare import CLIPS, Compared, Comparison, motion, network, scheme
from learnet.report.comparison.databases import comparison_tables
from learnet.report.comparison.tables import Line, Table, made, notes
from learnet.report.comparison.wrong import wrong_csv, wrong_table
from learnet.report.page import Part, render, scores_figure, write_page
from learnet.report.study_record import StudyRecord
from learnet.report.tables import NAMES, floor

STUDY_COLUMNS = (
    "kind",
    "study",
    "network",
    "protocol",
    "leaky",
    "synthetic",
    "motion image",
    "classes",
    "seeds",
    "database",
    "clips",
    "people",
)
SCORE_SUFFIXES = {"": "value", " low": "low", " high": "high", " spread": "spread"}
DIFFERENCE_SUFFIXES = ("", " low", " high", " p", " p Holm")
EQUIVALENCE_SUFFIXES = (" 90 % low", " 90 % high", " smallest shown", " shows")
COMBINED_SUFFIXES = (" combined Z", " combined p")
FURTHER = {"mcc": "MCC", "log_loss": "log loss", "brier": "Brier score", "auc": "macro AUC"}
CHANCE_SUFFIXES = {" by chance": "mean", " by chance 95 %": "high", " against chance p": "p"}


def _columns() -> tuple[str, ...]:
    """Return the columns of the CSV file."""
    columns = list(STUDY_COLUMNS)
    for name in NAMES.values():
        columns += [f"{name}{suffix}" for suffix in SCORE_SUFFIXES]
    columns.append("against")
    for name in NAMES.values():
        columns += [f"{name} difference{suffix}" for suffix in DIFFERENCE_SUFFIXES]
    columns += ["right only here", "right only there", "McNemar p", "McNemar p Holm", "published by", "year"]
    columns += [f"published {name}" for name in NAMES.values()]
    columns += ["source", "caveat", *FURTHER.values()]
    for name in NAMES.values():
        columns += [f"{name}{suffix}" for suffix in CHANCE_SUFFIXES]
    for name in NAMES.values():
        columns += [f"{name} difference{suffix}" for suffix in (*EQUIVALENCE_SUFFIXES, *COMBINED_SUFFIXES)]
    return (*columns, "margin", "effect size")


COLUMNS = _columns()
"""Columns of the CSV. `kind` is study, database (of the study), majority baseline, or published."""

LATEX_ROWS = 12  # per table

LATEX_ESCAPES = {
    "\\": r"\textbackslash{}",
    "&": r"\&",
    "%": r"\%",
    "$": r"\$",
    "#": r"\#",
    "_": r"\_",
    "{": r"\{",
    "}": r"\}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": "$<$",
    ">": "$>$",
    "[": "{[}",
    "]": "{]}",
    "–": "--",
    "−": "$-$",
    "±": r"$\pm$",
    "“": "``",
    "”": "''",
}


def write_comparison(
    comparison: Comparison,
    table: Path | None = None,
    latex: Path | None = None,
    html: Path | None = None,
    wrong: Path | None = None,
) -> None:
    """Write a comparison to each of the given files; `wrong` lists the clips that are wrong in every study.

    Raises:
        OutputTaken: `html` exists and is not a comparison page; then nothing is written.
    """
    if html:  # may be refused, so it comes first
        write_page(as_html(comparison), html)
    if table:
        write_atomically(table, as_csv(comparison))
    if latex:
        write_atomically(latex, as_latex(comparison))
    if wrong:
        write_atomically(wrong, wrong_csv(comparison.records))


def as_csv(comparison: Comparison) -> str:
    """Return COLUMNS as CSV: a row for each study, database, published figure, and the majority baseline."""
    table = [[row.get(column, "") for column in COLUMNS] for row in rows(comparison)]
    return csv_text([COLUMNS, *table])


def as_latex(comparison: Comparison) -> str:
    """Return a `table*` environment for each table; rows of leaky studies are red."""
    parts = ["% Needs the packages booktabs, graphicx and xcolor.\n"]
    parts += [f"% {printable(note)}\n" for note in notes(comparison)]
    for table in comparison_tables(comparison):
        parts += _latex_tables(table)
    return "".join(parts)


def as_html(comparison: Comparison) -> str:
    """Return one self-contained HTML page."""
    content = {
        "sheets": comparison_tables(comparison),
        "notes": notes(comparison),
        "wrong": wrong_table(comparison.records),
        "figure": scores_figure(comparison.records),
    }
    part = Part("The comparison", lambda records, show_faces: content)
    return render(comparison.records, parts={"comparison": part})


def rows(comparison: Comparison) -> Iterator[dict[str, object]]:
    """Yield the rows of `as_csv` as dictionaries, column -> value."""
    compared = {id(entry.record): entry for entry in comparison.compared}
    for record in comparison.records:
        row = {"kind": "study", **_study_cells(record), "database": "all"}
        row |= {"clips": len(record.answers), "people": len({o.person for o in record.outcomes})}
        row |= _score_cells(record.summary.mean) | _further_cells(record.summary)
        entry = compared.get(id(record))
        if entry:
            row |= _difference_cells(entry, comparison.against) | _verdict_cells(entry, comparison.margin)
        yield row
        for name in comparison.databases:
            part = record.dataset_metrics(name)
            row = {"kind": "database", **_study_cells(record), "database": name}
            row |= {"clips": part.clips, "people": part.people}
            row |= _score_cells(part.mean)
            yield row | _database_difference_cells(entry, name, comparison.against)
    baseline = floor(comparison.records[0])
    baseline_scores = {NAMES[measure]: value for measure, value in baseline.values.items()}
    yield {"kind": "majority baseline", "network": f"always {baseline.emotion}", **baseline_scores}
    kind = made(comparison.records[0])
    for figures in comparison.published:
        for database, values in figures.values.items():
            row = _published_cells(figures, database, values)
            yield row | {"synthetic": f"the clips here are {kind}"} if kind else row


def _study_cells(record: StudyRecord) -> dict[str, object]:
    return {
        "study": record.name,
        "network": network(record),
        "protocol": record.protocol,
        "leaky": record.leak if record.leaky else "no",
        "synthetic": made(record) or "no",
        "motion image": motion(record),
        "classes": scheme(record),
        "seeds": len(record.seeds),
    }


def _score_cells(mean: Mapping[str, MeanScore]) -> dict[str, object]:
    """Return each measure with its interval and its spread over seeds."""
    cells: dict[str, object] = {}
    for measure in MEASURES:
        values = asdict(mean[measure])
        for suffix, key in SCORE_SUFFIXES.items():
            value = values[key]
            cells[f"{NAMES[measure]}{suffix}"] = "" if value is None else value
    return cells


def _difference_cells(compared: Compared, against: StudyRecord) -> dict[str, object]:
    """Return the differences from the reference, and McNemar's test of the clips."""
    cells: dict[str, object] = {"against": against.name}
    result = compared.difference
    for measure in MEASURES:
        limits = ["" if np.isnan(limit) else limit for limit in result.limits[measure]]  # NaN: one person
        values = (result.values[measure], *limits, result.p[measure], compared.corrected[measure])
        for suffix, value in zip(DIFFERENCE_SUFFIXES, values, strict=True):
            cells[f"{NAMES[measure]} difference{suffix}"] = value
    cells["right only here"] = compared.clips.only_first
    cells["right only there"] = compared.clips.only_second
    cells["McNemar p"] = compared.clips.p
    cells["McNemar p Holm"] = compared.corrected[CLIPS]
    return cells


def _further_cells(summary: StudyMetrics) -> dict[str, object]:
    """Return the further measures of a study, and its measures by chance."""
    cells: dict[str, object] = {}
    if summary.other:
        values = asdict(summary.other)
        cells |= {column: values[key] for key, column in FURTHER.items() if values[key] is not None}
    for measure, by_chance in summary.chance.measures.items() if summary.chance else ():
        for suffix, key in CHANCE_SUFFIXES.items():
            cells[f"{NAMES[measure]}{suffix}"] = getattr(by_chance, key)
    return cells


def _verdict_cells(compared: Compared, margin: float) -> dict[str, object]:
    """Return what the people show about the differences from the reference, and their combination over
    databases."""
    cells: dict[str, object] = {"margin": margin}
    result, combined = compared.difference, compared.combined
    for measure in MEASURES:
        shown = verdict(result, measure, compared.corrected[measure], margin)
        numbers = (*result.equivalence[measure], result.smallest[measure])
        values = ["" if np.isnan(number) else number for number in numbers]  # NaN: one person
        column = f"{NAMES[measure]} difference"
        for suffix, value in zip(EQUIVALENCE_SUFFIXES, (*values, shown), strict=True):
            cells[column + suffix] = value
        if combined:
            cells |= {
                f"{column} combined Z": combined.z[measure],
                f"{column} combined p": combined.p[measure],
            }
    if combined and combined.effect is not None:
        cells["effect size"] = combined.effect
    return cells


def _database_difference_cells(
    compared: Compared | None, database: str, against: StudyRecord
) -> dict[str, object]:
    """Return the differences from the reference in a database; nothing for the reference itself."""
    if not compared or not compared.combined:
        return {}
    part = next(one for one in compared.combined.databases if one.database == database)
    cells: dict[str, object] = {"against": against.name}
    for measure in MEASURES:
        cells[f"{NAMES[measure]} difference"] = part.values[measure]
        cells[f"{NAMES[measure]} difference p"] = part.p[measure]
    return cells if part.effect is None else cells | {"effect size": part.effect}


def _published_cells(entry: PublishedScores, database: str, values: Mapping[str, float]) -> dict[str, object]:
    cells: dict[str, object] = {
        "kind": "published",
        "protocol": entry.protocol,
        "classes": entry.scheme,
        "database": database,
        "published by": entry.method,
        "year": entry.year or "",
    }
    cells |= {f"published {NAMES[measure]}": value for measure, value in values.items()}
    return cells | {"source": entry.source, "caveat": entry.caveat}


def _latex_tables(table: Table) -> Iterator[str]:
    """Yield a table in parts that fit on a page."""
    is_wide = [name in table.wide for name in table.columns]
    alignment = "".join("p{5cm}" if wide else "l" for wide in is_wide)
    heading = list(map(escape_latex, table.columns))
    for start in range(0, len(table.lines), LATEX_ROWS):
        cells = [_latex_cells(line, is_wide) for line in table.lines[start : start + LATEX_ROWS]]
        frame = pd.DataFrame(cells, columns=heading)
        tabular = frame.to_latex(index=False, escape=False, column_format=alignment)
        title = escape_latex(table.title) + (" (continued)" if start else "")
        yield (
            f"\n\\begin{{table*}}\n\\caption{{{title}}}\n"
            f"\\resizebox{{\\linewidth}}{{!}}{{%\n{tabular}}}\n\\end{{table*}}\n"
        )


def _latex_cells(line: Line, is_wide: Sequence[bool]) -> list[str]:
    """Return the cells of a row, red if it belongs to a leaky study."""
    cells = [_latex_cell(text, wide) for text, wide in zip(line.cells, is_wide, strict=True)]
    if line.leaky:
        cells = [f"\\textcolor{{red}}{{{cell}}}" if cell else cell for cell in cells]
    return cells


def _latex_cell(text: str, wide: bool) -> str:
    """Return a cell, which may have several lines."""
    lines = [escape_latex(line.strip()) for line in text.split("\n")]
    if wide or len(lines) == 1:
        return r" \newline ".join(lines)
    return r"\begin{tabular}[t]{@{}l@{}}" + r" \\ ".join(lines) + r"\end{tabular}"


def escape_latex(text: str) -> str:
    """Escape a text for LaTeX, with typographic quotes and a minus sign before numbers."""
    text = re.sub(r'"([^"]*)"', r"“\1”", text)
    text = re.sub(r"(?<![\w-])-(?=\d)", "−", text)
    return "".join(LATEX_ESCAPES.get(character, character) for character in text)
