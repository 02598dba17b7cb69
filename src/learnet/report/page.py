"""One or several study folders to one self-contained HTML page.

The page reads in the order a reviewer asks: the answer, whether it can be trusted, where it fails, how to run it again. Each part is a
function from the records to what its template shows; PARTS is the table of contents, and a new part is one more line in it.
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
from learnet.metrics.scores import interval_text
from learnet.report.page_figures import PageFigure, check_tables, folder_of, write_tables
from learnet.report.pair import both
from learnet.report.sections import again, answer, failures, scores_figure, trust
from learnet.report.study_record import StudyRecord, read_records
from learnet.report.why import reasons

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
    """What a page shows beyond what every page shows."""

    faces: bool = False  # onset faces beside the motion images, except those that a licence hides
    explained: int = (
        4  # clips of which it is drawn where the network looked, on the whole page; some seconds each
    )
    anonymous: bool = False  # no motion images; where the network looked is drawn on the average face


@dataclass(frozen=True)
class Page:
    """A page, and the figures in it."""

    text: str
    drawings: tuple[PageFigure, ...]


def write_report(
    studies: list[Path],
    out: Path,
    show_faces: bool = False,
    explained: int = Wanted.explained,
    anonymous: bool = False,
) -> Path:
    """Write one HTML page about one study, or about several over the same clips side by side; two are compared by paired tests.

    Nothing in the page comes from elsewhere: no network, no fonts, no scripts but its own. The same files give the same bytes. Beside
    it, in a folder called like the page with `-csv` behind, are the numbers of each figure, which the page has as well.

    Args:
        studies: study folders.
        out: the page; an earlier report there is replaced, anything else is not.
        show_faces: show onset faces beside the motion images, except those a licence forbids to publish.
        explained: clips of which it is drawn where the network looked, if the study kept its weights; some seconds each.
        anonymous: leave out motion images, which can show the edges of a face, and draw where the network looked on an average face.

    Returns:
        OUT.

    Raises:
        LearnetError: no readable study, studies over different clips, or OUT is something else than a report.
    """
    page = compose(read_records(studies), Wanted(show_faces, explained, anonymous))
    check_tables(folder_of(out))
    write_page(page.text, out)
    write_tables(folder_of(out), page.drawings)
    return out


def write_page(page: str, out: Path) -> Path:
    """Write what `render` made to OUT, and return OUT.

    Raises:
        OutputTaken: OUT is there and holds something else than such a page.
    """
    if out.exists() and not (out.is_file() and out.read_bytes()[: len(START)] == START.encode()):
        raise OutputTaken(out, "this is there already, and is not a report", "Name another file.")
    out.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(out, page)
    return out


def render(records: Sequence[StudyRecord], parts: Mapping[str, "Part"] | None = None) -> str:
    """The page as text; see `compose`."""
    return compose(records, parts=parts).text


def compose(
    records: Sequence[StudyRecord], wanted: Wanted = Wanted(), parts: Mapping[str, "Part"] | None = None
) -> Page:
    """The page and its figures.

    Args:
        records: of studies over the same clips, as `record.read_records` gives them.
        wanted: what it shows beyond what every page shows.
        parts: what the page shows, in this order, each under the name of its template; those of a report (PARTS) if not given.
    """
    known = {"records": records, "show_faces": wanted.faces, "anonymous": wanted.anonymous}
    shown, drawings = [], []
    for key, part in (PARTS if parts is None else parts).items():
        if part.studies in (None, len(records)):
            values = part.values(records, wanted)
            shown.append(
                {"key": key, "title": part.title, "body": Markup(_template(key).render(known | values))}
            )
            drawings += values.get("drawings", [])
    text = _template("page").render(
        known,
        start=Markup(START),
        parts=shown,
        clips=len(records[0].answers),
        people=len({o.person for o in records[0].outcomes}),
        datasets=sorted({o.dataset for o in records[0].outcomes}),
        unfinished=[record for record in records if record.expected not in (None, len(record.outcomes))],
    )
    return Page(text, tuple(drawings))


def cell(value: object, number: str = "{:.3f}") -> str:
    """A table cell as text: fractions by the format NUMBER, whole numbers and words as they are, a dash for nothing."""
    if pd.isna(value):
        return "–"
    return number.format(value) if isinstance(value, (float, np.floating)) else str(value)


@dataclass(frozen=True)
class Part:
    """A part of the page: its heading, and what its template (called like its key in PARTS) is given."""

    title: str
    values: Callable[
        [Sequence[StudyRecord], Wanted], dict
    ]  # under "drawings" the figures, each of which the template shows
    studies: int | None = None  # only where there are so many


PARTS = {
    "answer": Part("The answer", lambda records, wanted: answer(records)),
    "pair": Part("Do the two differ?", lambda records, wanted: both(records), studies=2),
    "trust": Part("Can it be trusted?", lambda records, wanted: trust(records)),
    "failures": Part("Where it fails", lambda records, wanted: failures(records)),
    "why": Part(
        "Why", lambda records, wanted: reasons(records, wanted.faces, wanted.explained, wanted.anonymous)
    ),
    "again": Part("To run it again", lambda records, wanted: again(records)),
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
    environment.filters |= {
        "cell": cell,
        "interval": interval_text,
        "score": "{:.3f}".format,
        "percent": "{:.1%}".format,
    }
    return environment


def _template(name: str) -> Template:
    return _environment().get_template(f"{name}.html.j2")
