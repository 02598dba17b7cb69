"""The command that compares studies."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from learnet.cli import console
from learnet.cli.app import STUDIES, app
from learnet.core.errors import LearnetError
from learnet.core.output_checks import CSV, HTML, LATEX, check_outputs


@app.command(group=STUDIES)
def compare(
    *studies: Path,
    against: str | None = None,
    margin: float = 0.05,
    table: Annotated[Path | None, Parameter(name="--csv")] = None,
    latex: Path | None = None,
    html: Path | None = None,
    wrong: Path | None = None,
) -> None:
    """Compare studies over the same clips: scores, paired tests and published figures.

    Parameters
    ----------
    studies
        Study folders.
    against
        Name of the reference study; by default the first one that does not leak.
    margin
        Largest difference of two studies that count as equivalent.
    table
        Also write all numbers to this CSV file.
    latex
        Also write the tables as LaTeX.
    html
        Also write a self-contained HTML page.
    wrong
        Also write the clips that are wrong in every study to this CSV file, with each study's prediction.
    """
    from learnet.report.comparison.compare import compare as compare_studies
    from learnet.report.comparison.databases import comparison_tables
    from learnet.report.comparison.writers import write_comparison
    from learnet.report.comparison.wrong import wrong_text

    if not studies:
        raise LearnetError("No study is named.", "Name at least one study folder.")
    inputs = [study / name for study in studies for name in ("outcomes.csv", "study.json")]
    check_outputs([(table, CSV), (latex, LATEX), (html, HTML), (wrong, CSV)], inputs)
    comparison = compare_studies(studies, against, margin)
    write_comparison(comparison, table, latex, html, wrong)
    for shown in comparison_tables(comparison):
        # Published figures have a table of their own, and a terminal has no room for them in the others.
        console.text_table(shown, without=("published",))
    console.comparison_notes(comparison)
    if sentence := wrong_text(comparison.records):
        lists = "" if wrong or html else " (--wrong FILE.csv lists them)"
        console.out.print(f"{sentence}{lists}.", markup=False)
    console.paths(*(path for path in (table, latex, html, wrong) if path))
