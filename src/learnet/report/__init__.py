"""One or several study folders to one self-contained HTML page.

The page reads in the order a reviewer asks: the answer, whether it can be trusted, where it fails, how to run it again. Each part is a
function from the records to what its template shows; PARTS is the table of contents, and a new part is one more line in it.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
from jinja2 import Environment, PackageLoader, StrictUndefined, Template
from markupsafe import Markup

from learnet.errors import OutputTaken
from learnet.figures import Interval, confusion_figure, inline_svg, interval_figure
from learnet.metrics import MEASURES
from learnet.outcomes import write_whole
from learnet.prepared import read_findings
from learnet.report import tables
from learnet.report.gallery import gallery
from learnet.report.record import Record, check, read_records

START = "<!doctype html>\n<!-- learnet report -->"
MOST_PICTURES = 96  # on the whole page, so that it stays under 10 MB: one of 112 pixels square takes at most 50 kB
FITTED = ("linear-svm", "lbp-top", "majority")  # networks that are not trained in epochs
PROTOCOLS = {
    "loso": "leave one subject out: each person is tested once, by a network trained on all the others",
    "groups": "subject groups: each group of people is tested once, by a network trained on the other groups",
    "lodo": "leave one database out: each database is tested once, by a network trained on all the others",
    "across": "across databases: the networks were trained on some databases and tested on another",
    "evaluation": "given weights: nothing was trained here, and nobody tested is known to have been trained on",
    "unknown": "unknown: the files do not say how it was tested",
}


def write_report(studies: list[Path], out: Path, show_faces: bool = False) -> Path:
    """Write one HTML page about one study, or about several over the same clips side by side.

    Nothing in the page comes from elsewhere: no network, no fonts, no scripts but its own. The same files give the same bytes.

    Args:
        studies: study folders.
        out: the page; an earlier report there is replaced, anything else is not.
        show_faces: show onset faces beside the motion images, except those a licence forbids to publish.

    Returns:
        OUT.

    Raises:
        LearnetError: no readable study, studies over different clips, or OUT is something else than a report.
    """
    return write_page(render(read_records(studies), show_faces), out)


def write_page(page: str, out: Path) -> Path:
    """Write what `render` made to OUT, and return OUT.

    Raises:
        OutputTaken: OUT is there and holds something else than such a page.
    """
    if out.exists() and not (out.is_file() and out.read_bytes()[: len(START)] == START.encode()):
        raise OutputTaken(out, "this is there already, and is not a report", "Name another file.")
    out.parent.mkdir(parents=True, exist_ok=True)
    write_whole(out, page)
    return out


def render(records: Sequence[Record], show_faces: bool = False, parts: Mapping[str, "Part"] | None = None) -> str:
    """The page as text.

    Args:
        records: of studies over the same clips, as `record.read_records` gives them.
        show_faces: as in `write_report`.
        parts: what the page shows, in this order, each under the name of its template; those of a report (PARTS) if not given.
    """
    known = {"records": records, "show_faces": show_faces}
    shown = [
        {"key": key, "title": part.title, "body": Markup(_template(key).render(known | part.values(records, show_faces)))}
        for key, part in (PARTS if parts is None else parts).items()
    ]
    return _template("page").render(
        known,
        start=Markup(START),
        parts=shown,
        clips=len(records[0].answers),
        people=len({o.person for o in records[0].outcomes}),
        datasets=sorted({o.dataset for o in records[0].outcomes}),
        unfinished=[record for record in records if record.expected not in (None, len(record.outcomes))],
    )


def cell(value: object, number: str = "{:.3f}") -> str:
    """A table cell as text: fractions by the format NUMBER, whole numbers and words as they are, a dash for nothing."""
    if pd.isna(value):
        return "–"
    return number.format(value) if isinstance(value, (float, np.floating)) else str(value)


def answer(records: Sequence[Record], show_faces: bool = False) -> dict:
    """Accuracy, UF1 and UAR of every study with intervals, beside what no learning would give."""
    scores, floor = tables.measures(records), tables.floor(records[0])
    return {
        "scores": scores.to_dict("records"),
        "names": list(tables.NAMES.values()),
        "unseen": check(records[0])[0].passed,
        "majority": "majority" in set(scores["network"]),
        "floor": floor,
        "floor_values": {tables.NAMES[m]: value for m, value in floor.values.items()},
        "figure": scores_figure(records),
    }


def scores_figure(records: Sequence[Record]) -> Markup:
    """Accuracy, UF1 and UAR of every study with intervals, as an `<svg>` element; a dashed line where no learning stands."""
    floor = tables.floor(records[0])
    panels = {
        tables.NAMES[m]: [Interval(r.name, *(float(r.summary["mean"][m][key]) for key in ("value", "low", "high"))) for r in records]
        for m in MEASURES
    }
    said = "; ".join(
        f"{line.label} {name} {line.value:.3f} ({line.low:.3f} to {line.high:.3f})" for name, part in panels.items() for line in part
    )
    figure = interval_figure(panels, {tables.NAMES[m]: floor.values[m] for m in MEASURES})
    return Markup(inline_svg(figure, "intervals", f"Scores with 95% intervals. {said}. Without learning: {_said(floor)}."))


def trust(records: Sequence[Record], show_faces: bool = False) -> dict:
    """Protocol, promises checked against the files, seeds, and what the data are and their audit found."""
    checks = [check(record) for record in records]
    of_data = {str(record.about.get("prepared", {}).get("fingerprint")): record for record in reversed(records)}
    return {
        "protocol": tables.side_by_side(records, [_facts(record) for record in records]),
        "checks": [(row[0].claim, row) for row in zip(*checks, strict=True)],
        "seeds": tables.seeds(records),
        "composition": tables.composition(records[0]),
        "audits": [(record, read_findings(record.prepared.folder)) for record in reversed(of_data.values()) if record.prepared],
        "audit": tables.audit,
    }


def failures(records: Sequence[Record], show_faces: bool = False) -> dict:
    """Confusion, classes, databases, people, pictures, and every single answer."""
    room = MOST_PICTURES // (2 * len(records[0].classes) * (2 if show_faces else 1))  # pictures for each class and side, on all shelves
    shown = records[: max(room, 1)]  # the first studies only, where there are very many
    return {
        "confusions": [(r, _confusion(r, place), tables.confused(r), tables.classes(r)) for place, r in enumerate(records)],
        "datasets": tables.datasets(records).to_dict("records"),
        "names": list(tables.NAMES.values()),
        "people": tables.people(records),
        "formats": {f"{r.name}: right": "{:.1f}" for r in records} | {f"{r.name}: accuracy": "{:.0%}" for r in records},
        "galleries": [(record, gallery(record, max(1, min(3, room // len(shown))), show_faces)) for record in shown],
        "without_pictures": [record.name for record in records[len(shown) :]],
        "answers": tables.answers(records),
    }


def again(records: Sequence[Record], show_faces: bool = False) -> dict:
    """Commands, settings, versions, fingerprints."""
    groups = {
        "Study": ("What was asked", [record.about.get("settings") or {} for record in records]),
        "Training": ("How each network was trained", [_training(record) for record in records]),
        "Images": ("How the motion images were made", [_images(record) for record in records]),
        "Versions": ("Programs the numbers depend on", [record.about.get("versions") or {} for record in records]),
        "Run": ("The run itself; it changes no number", [record.run for record in records]),
    }
    return {
        "commands": [command for record in records if (command := tables.command(record))],
        "settings": [(title, note, tables.side_by_side(records, values)) for title, (note, values) in groups.items() if any(values)],
    }


@dataclass(frozen=True)
class Part:
    """A part of the page: its heading, and what its template (called like its key in PARTS) is given."""

    title: str
    values: Callable[[Sequence[Record], bool], dict]


PARTS = {
    "answer": Part("The answer", answer),
    "trust": Part("Can it be trusted?", trust),
    "failures": Part("Where it fails", failures),
    "again": Part("To run it again", again),
}


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("learnet"), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {"cell": cell, "score": "{:.3f}".format, "percent": "{:.1%}".format}
    return environment


def _template(name: str) -> Template:
    return _environment().get_template(f"{name}.html.j2")


def _said(floor: tables.Floor) -> str:
    return ", ".join(f"{tables.NAMES[m]} {value:.3f}" for m, value in floor.values.items())


def _facts(record: Record) -> dict[str, str]:
    about, scheme, folds = record.about, record.about.get("scheme", {}), record.about.get("folds", [])
    return {
        "network": about.get("network", "unknown"),
        "protocol": f"{record.protocol}: {record.leak}" if record.leaky else PROTOCOLS.get(record.protocol, record.protocol),
        "people": str(len({o.person for o in record.outcomes})),
        "folds": str(len(folds)) if folds else "unknown",
        "clips": str(len(record.answers)),
        "classes": f"{len(record.classes)}: {', '.join(record.classes)}",
        "class scheme": f"{scheme['name']} ({scheme['source']})" if scheme else "unknown",
        "seeds": ", ".join(map(str, record.seeds)),
        "epochs": _epochs(record),
        "apex frames": _apexes(record),
    }


def _training(record: Record) -> dict[str, object]:
    """The settings that had a say: a network that is fitted in one go takes none but the seed, which draws its groups."""
    training = record.about.get("training") or {}
    return {"seed": training.get("seed")} if record.about.get("network") in FITTED else training


def _epochs(record: Record) -> str:
    training = _training(record)
    if record.about.get("network") in FITTED:
        return "none: fitted in one go"
    if training.get("inner_groups"):
        chosen = f"chosen on {training['inner_groups']} groups of the training people, at most {training['epochs']}"
        file = record.folder / "trainings.csv"
        used = pd.read_csv(file)["epochs"] if file.is_file() else []
        return f"{chosen}; used: {min(used)} to {max(used)}" if len(used) else chosen
    return f"{training['epochs']}, fixed beforehand" if training else "unknown"


def _apexes(record: Record) -> str:
    if record.prepared is None or "apex_source" not in record.prepared.clips:
        return "unknown"
    words = {"file": "as annotated", "midpoint": "set to the middle", "none": "without one"}
    sources = Counter(map(str, record.prepared.clips["apex_source"]))
    return ", ".join(f"{number} {words.get(source, source)}" for source, number in sorted(sources.items()))


def _confusion(record: Record, place: int) -> Markup:
    counts = tables.confused(record).to_numpy()
    said = (
        f"Confusion matrix of {record.name}: {np.trace(counts)} of {counts.sum()} answers are right. The table beside it has every count."
    )
    return Markup(inline_svg(confusion_figure(counts, record.classes), f"confusion-{place}", said))


def _images(record: Record) -> dict[str, object]:
    prepared = record.about.get("prepared")
    if not prepared:
        return {}
    places = {key: prepared[key] for key in ("folder", "fingerprint")}
    return places | _made(prepared["about"])


def _made(about: dict) -> dict[str, object]:
    """`prepare.json` line by line; of pooled folders, what each says by itself."""
    about = {key: value for key, value in about.items() if key != "fingerprint"}
    made, read, versions, pooled = (about.pop(key, None) or {} for key in ("preparation", "reading", "versions", "pooled"))
    parts = {
        f"pooled, {place}": {"folder": leaf["folder"], "databases": leaf["datasets"], "fingerprint": leaf["fingerprint"][:12]}
        | {key: leaf["about"][key] for key in ("clips", "skipped", "people", "synthetic") if key in leaf["about"]}
        | (leaf["about"].get("reading") or {})
        for place, leaf in enumerate(pooled, start=1)
    }
    return {**made, **read, **about, **parts, "prepared with": versions}
