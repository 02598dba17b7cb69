"""A comparison as files: CSV with every number unrounded, LaTeX tables, one HTML page."""

import csv
import io
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from learnet.core.files import write_atomically
from learnet.metrics.scores import MEASURES
from learnet.report.comparison.compare import CLIPS, Compared, Comparison, motion, network, scheme
from learnet.report.comparison.tables import Line, Table, comparison_tables, made, notes
from learnet.report.page import Part, render, scores_figure, write_page
from learnet.report.study_record import StudyRecord
from learnet.report.tables import NAMES, floor

_ABOUT = (
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
_SCORES = tuple(f"{name}{what}" for name in NAMES.values() for what in ("", " low", " high", " spread"))
_AGAINST = (
    "against",
    *(f"{name} difference{what}" for name in NAMES.values() for what in ("", " low", " high", " p", " p Holm")),
    "right only here", "right only there", "McNemar p", "McNemar p Holm",
)  # fmt: skip
_PUBLISHED = ("published by", "year", *(f"published {name}" for name in NAMES.values()), "source", "caveat")
COLUMNS = (*_ABOUT, *_SCORES, *_AGAINST, *_PUBLISHED)
"""Columns of the CSV. `kind` says what a row is: study, database (of the study), no learning, or published."""

ROWS = 12  # of a table in LaTeX

_SPECIAL = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_", "{": r"\{", "}": r"\}",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": "$<$", ">": "$>$", "[": "{[}", "]": "{]}",
    "–": "--", "−": "$-$", "±": r"$\pm$", "“": "``", "”": "''",
}  # fmt: skip


def write_comparison(
    comparison: Comparison, table: Path | None = None, latex: Path | None = None, html: Path | None = None
) -> None:
    """Write those of the three files that are named.

    Raises:
        OutputTaken: HTML is there and is no such page; then nothing is written.
    """
    if html:  # may be refused, so it comes first
        write_page(as_html(comparison), html)
    if table:
        write_atomically(table, as_csv(comparison))
    if latex:
        write_atomically(latex, as_latex(comparison))


def as_csv(comparison: Comparison) -> str:
    """The COLUMNS, a row for each study, each of its databases, no learning, and each published figure; nothing rounded."""
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows(comparison))
    return text.getvalue()


def as_latex(comparison: Comparison) -> str:
    """A `table*` for each sheet, to be cut to what a paper needs; rows of studies that leak are red."""
    head = "% Needs the packages booktabs, graphicx and xcolor.\n"
    told = "".join(f"% {note}\n" for note in notes(comparison))
    return head + told + "".join(table for sheet in comparison_tables(comparison) for table in _tables(sheet))


def as_html(comparison: Comparison) -> str:
    """One self-contained page, as reports are."""
    shown = {
        "sheets": comparison_tables(comparison),
        "notes": notes(comparison),
        "figure": scores_figure(comparison.records),
    }
    return render(
        comparison.records, parts={"comparison": Part("The comparison", lambda records, show_faces: shown)}
    )


def rows(comparison: Comparison) -> Iterator[dict[str, object]]:
    """The rows of `as_csv`, column -> value."""
    compared = {id(one.record): one for one in comparison.compared}
    for record in comparison.records:
        about = _about(record)
        counts = {
            "database": "all",
            "clips": len(record.answers),
            "people": len({o.person for o in record.outcomes}),
        }
        beside = _against(compared[id(record)], comparison.against) if id(record) in compared else {}
        yield {"kind": "study", **about, **counts, **_numbers(record.summary["mean"]), **beside}
        for name in comparison.databases:
            part = record.summary["datasets"][name]
            counts = {"database": name, "clips": part["clips"], "people": part["people"]}
            yield {"kind": "database", **about, **counts, **_numbers(part["mean"])}
    least = floor(comparison.records[0])
    yield {
        "kind": "no learning",
        "network": f"always {least.emotion}",
        **{NAMES[m]: value for m, value in least.values.items()},
    }
    for one in comparison.published:
        for part, found in one.values.items():
            about = {
                "protocol": one.protocol,
                "classes": one.scheme,
                "database": part,
                "published by": one.who,
                "year": one.year or "",
            }
            figures = {f"published {NAMES[m]}": value for m, value in found.items()}
            beside = (
                {"synthetic": f"the clips here are {kind}"} if (kind := made(comparison.records[0])) else {}
            )
            yield {
                "kind": "published",
                **about,
                **beside,
                **figures,
                "source": one.source,
                "caveat": one.caveat,
            }


def _about(record: StudyRecord) -> dict[str, object]:
    names = {"study": record.name, "network": network(record), "protocol": record.protocol}
    kinds = {"leaky": record.leak if record.leaky else "no", "synthetic": made(record) or "no"}
    return {
        **names,
        **kinds,
        "motion image": motion(record),
        "classes": scheme(record),
        "seeds": len(record.seeds),
    }


def _numbers(mean: dict) -> dict[str, object]:
    keys = {"": "value", " low": "low", " high": "high", " spread": "spread"}
    return {
        f"{NAMES[m]}{what}": "" if mean[m][key] is None else mean[m][key]
        for m in MEASURES
        for what, key in keys.items()
    }


def _against(one: Compared, against: StudyRecord) -> dict[str, object]:
    row: dict[str, object] = {"against": against.name}
    for measure in MEASURES:
        low, high = (
            "" if np.isnan(end) else end for end in one.difference.limits[measure]
        )  # one person gives none
        cells = (one.difference.values[measure], low, high, one.difference.p[measure], one.corrected[measure])
        whats = ("", " low", " high", " p", " p Holm")
        row |= {f"{NAMES[measure]} difference{what}": cell for what, cell in zip(whats, cells, strict=True)}
    clips = {"right only here": one.clips.only_one, "right only there": one.clips.only_other}
    return {**row, **clips, "McNemar p": one.clips.p, "McNemar p Holm": one.corrected[CLIPS]}


def _tables(sheet: Table) -> Iterator[str]:
    """A sheet as tables that each fit a page: rows that are several lines high, ROWS of them at most."""
    wide = [name in sheet.wide for name in sheet.columns]
    kinds = "".join("p{5cm}" if broad else "l" for broad in wide)
    head = " & ".join(map(escaped, sheet.columns))
    for start in range(0, len(sheet.lines), ROWS):
        body = "".join(f"{_latex_row(line, wide)} \\\\\n" for line in sheet.lines[start : start + ROWS])
        title = escaped(sheet.title) + (" (continued)" if start else "")
        yield (
            f"\n\\begin{{table*}}\n\\caption{{{title}}}\n\\resizebox{{\\linewidth}}{{!}}{{%\n"
            f"\\begin{{tabular}}{{{kinds}}}\n\\toprule\n{head} \\\\\n\\midrule\n{body}\\bottomrule\n\\end{{tabular}}}}\n\\end{{table*}}\n"
        )


def _latex_row(line: Line, wide: Sequence[bool]) -> str:
    cells = (_latex_cell(text, broad) for text, broad in zip(line.cells, wide, strict=True))
    return " & ".join(f"\\textcolor{{red}}{{{cell}}}" if line.leaky and cell else cell for cell in cells)


def _latex_cell(text: str, broad: bool) -> str:
    lines = [escaped(part.strip()) for part in text.split("\n")]
    if broad or len(lines) == 1:
        return r" \newline ".join(lines)
    return r"\begin{tabular}[t]{@{}l@{}}" + r" \\ ".join(lines) + r"\end{tabular}"


def escaped(text: str) -> str:
    """TEXT as LaTeX shows it letter by letter; straight quotes become curly ones, and the hyphen before a number a minus."""
    text = re.sub(r"(?<![\w-])-(?=\d)", "−", re.sub(r'"([^"]*)"', r"“\1”", text))
    return "".join(_SPECIAL.get(sign, sign) for sign in text)
