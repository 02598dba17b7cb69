"""The command that sets studies side by side."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from learnet.cli import console
from learnet.cli.app import STUDIES, app
from learnet.core.errors import LearnetError
from learnet.core.output_checks import check_outputs


@app.command(group=STUDIES)
def compare(
    *studies: Path,
    against: str | None = None,
    table: Annotated[Path | None, Parameter(name="--csv")] = None,
    latex: Path | None = None,
    html: Path | None = None,
) -> None:
    """Compare studies over the same clips: scores, paired tests, and what others have published.

    Parameters
    ----------
    studies
        Study folders.
    against
        Name of the study that the others are compared with; the first that does not leak, if not given.
    table
        Also write every number to this CSV file.
    latex
        Also write the tables as LaTeX.
    html
        Also write one self-contained HTML page.
    """
    from learnet.report.comparison.compare import compare as compared
    from learnet.report.comparison.tables import comparison_tables, notes
    from learnet.report.comparison.writers import write_comparison

    if not studies:
        raise LearnetError("No study is named.", "Name at least one study folder.")
    check_outputs(
        [table, latex, html], [study / name for study in studies for name in ("outcomes.csv", "study.json")]
    )
    comparison = compared(studies, against)
    write_comparison(comparison, table, latex, html)
    for sheet in comparison_tables(comparison):
        red = {place for place, line in enumerate(sheet.lines) if line.leaky}
        shown = [
            place for place, name in enumerate(sheet.columns) if name != "published"
        ]  # too wide; the sheet of published figures has it
        console.table(
            sheet.title,
            [sheet.columns[i] for i in shown],
            [[line.cells[i] for i in shown] for line in sheet.lines],
            red,
        )
    for note in notes(comparison):
        console.out.print(note, markup=False)
    console.paths(*(path for path in (table, latex, html) if path))
