"""Write one or several study folders as one self-contained HTML page.

The page follows the questions of a reviewer: the result, whether it can be trusted, where it fails, how to
reproduce it. Each section is a function from the studies to the values of its template; PARTS lists them.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
from jinja2 import Environment, PackageLoader, StrictUndefined, Template
from markupsafe import Markup

from learnet.core.errors import OutputTaken
from learnet.core.files import write_atomically
from learnet.core.printable import printable_lines
from learnet.metrics.scores import interval_text
from learnet.report.content_policy import content_policy, script_text
from learnet.report.differences import several
from learnet.report.head import head
from learnet.report.page_figures import PageFigure, check_tables, folder_of, write_tables
from learnet.report.pair import both
from learnet.report.sections import again, answer, failures, scores_figure, trust
from learnet.report.study_record import StudyRecord, read_records
from learnet.report.why import reasons
from learnet.study.description import LEAK_CONSEQUENCE

__all__ = [
    "PARTS",
    "Page",
    "Part",
    "Wanted",
    "compose",
    "render",
    "scores_figure",
    "write_page",
    "write_report",
]

START = "<!doctype html>\n<!-- learnet report -->"


@dataclass(frozen=True)
class Wanted:
    """Optional content of a page."""

    faces: bool = False  # onset faces beside the motion images, except where a licence forbids it
    explained: int = 4  # clips with attribution maps on the whole page; some seconds each
    anonymous: bool = False  # no motion images; attribution maps on the average face


@dataclass(frozen=True)
class Page:
    """A page, and the figures in it."""

    text: str
    drawings: tuple[PageFigure, ...]


def write_report(
    studies: str | Path | Sequence[str | Path],
    out: str | Path,
    show_faces: bool = False,
    explained: int = Wanted.explained,
    anonymous: bool = False,
) -> Path:
    """Write one HTML page about one study, or about several studies over the same clips.

    Two studies are compared by paired tests. The page is self-contained: no network, no fonts, no scripts but
    its own. The same files give the same bytes. The data of its figures are in the page and in a folder
    beside it, named like the page with `-csv` appended.

    Args:
        studies: one study folder, or several.
        out: the page; an earlier report is replaced, any other file is not.
        show_faces: show onset faces beside the motion images, except where a licence forbids it.
        explained: number of clips with attribution maps, if the study kept its weights; some seconds each.
        anonymous: omit motion images, which can show the edges of a face, and draw attribution maps on an
            average face.

    Returns:
        `out`.

    Raises:
        LearnetError: no readable study, studies over different clips, or `out` is not a report.
    """
    return write_records(read_records(studies), Path(out), Wanted(show_faces, explained, anonymous))


def write_records(records: Sequence[StudyRecord], out: Path, wanted: Wanted) -> Path:
    """Write the page of studies that `read_records` has read, as `write_report`."""
    page = compose(records, wanted)
    check_tables(folder_of(out))
    write_page(page.text, out)
    write_tables(folder_of(out), page.drawings)
    return out


def write_page(page: str, out: Path) -> Path:
    """Write a page to `out`, and return `out`. The first two lines of a page say what kind of page it is.

    Control characters of names are escaped, also those that reverse the direction of writing.

    Raises:
        OutputTaken: `out` exists and is not such a page.
    """
    start = "\n".join(page.splitlines()[:2])
    refuse_other_page(out, start)
    out.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(out, printable_lines(page), private=True)  # motion images and faces
    return out


def refuse_other_page(out: Path, start: str) -> None:
    """Refuse a file that is no page of some kind. A pipe or a device loses nothing.

    Args:
        out: the page to write.
        start: with which pages of this kind start.

    Raises:
        OutputTaken: `out` exists and starts in another way.
    """
    keeps_content = out.is_file() or out.is_dir()
    if keeps_content and not _starts_with(out, start):
        raise OutputTaken(out, "this file exists and is not a report", "Choose another file.")


def _starts_with(path: Path, start: str) -> bool:
    return path.is_file() and path.read_bytes()[: len(start.encode())] == start.encode()


def render(records: Sequence[StudyRecord], parts: Mapping[str, "Part"] | None = None) -> str:
    """Return the page as text; see `compose`."""
    return compose(records, parts=parts).text


def compose(
    records: Sequence[StudyRecord], wanted: Wanted = Wanted(), parts: Mapping[str, "Part"] | None = None
) -> Page:
    """Compose the page and its figures.

    Args:
        records: studies over the same clips, as returned by `read_records`.
        wanted: optional content.
        parts: sections in order, each under the name of its template; by default PARTS.
    """
    context = {"records": records, "show_faces": wanted.faces, "anonymous": wanted.anonymous}
    sections: list[dict[str, object]] = []
    figures: list[PageFigure] = []
    for key, part in (PARTS if parts is None else parts).items():
        if not part.applies(len(records)):
            continue
        values = part.values(records, wanted)
        body = Markup(page_template(key).render(context | values))
        sections.append({"key": key, "title": part.title, "body": body})
        figures += values.get("drawings", [])
    script = f"\n{script_text('report')}\n"
    text = page_template("page").render(
        context,
        start=Markup(START),
        policy=content_policy(script),
        script=Markup(script),
        parts=sections,
        head=head(records),
        leak_consequence=LEAK_CONSEQUENCE,
    )
    return Page(text, tuple(figures))


def cell(value: object, number: str = "{:.3f}") -> str:
    """Return a table cell as text: fractions in the given format, a dash for a missing value."""
    if pd.isna(value):
        return "–"
    return number.format(value) if isinstance(value, (float, np.floating)) else str(value)


@dataclass(frozen=True)
class Part:
    """A section of the page: its heading, and the values of its template (named like its key in PARTS)."""

    title: str
    values: Callable[[Sequence[StudyRecord], Wanted], dict]  # "drawings": the figures of the section
    applies: Callable[[int], bool] = lambda studies: True  # whether it is shown for a number of studies


def _reasons(records: Sequence[StudyRecord], wanted: Wanted) -> dict:
    return reasons(records, wanted.faces, wanted.explained, wanted.anonymous)


PARTS = {
    "answer": Part("Results", lambda records, wanted: answer(records)),
    "pair": Part("Do the two differ?", lambda records, wanted: both(records), lambda studies: studies == 2),
    "several": Part("Do they differ?", lambda records, wanted: several(records), lambda studies: studies > 2),
    "trust": Part("Can it be trusted?", lambda records, wanted: trust(records)),
    "failures": Part("Where it fails", lambda records, wanted: failures(records)),
    "why": Part("Why", _reasons),
    "again": Part("How to reproduce", lambda records, wanted: again(records)),
}


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("learnet.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["cell"] = cell
    environment.filters["interval"] = interval_text
    environment.filters["score"] = "{:.3f}".format
    environment.filters["percent"] = "{:.1%}".format
    return environment


def page_template(name: str) -> Template:
    """Return a template of this package by its name without suffixes."""
    return _environment().get_template(f"{name}.html.j2")
