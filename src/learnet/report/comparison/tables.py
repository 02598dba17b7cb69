"""A comparison as sheets of text, which the terminal, LaTeX and HTML show alike. Lines of a cell are parted by line breaks."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from learnet.core.errors import counted
from learnet.datasets.readers.megc2019 import PARTS
from learnet.metrics.published import ALL, COMPOSITE, Published
from learnet.metrics.scores import MEASURES, interval_text
from learnet.metrics.significance import Difference
from learnet.report.comparison.compare import (
    CLIPS,
    Compared,
    Comparison,
    counterpart,
    datasets,
    motion,
    network,
    scheme,
)
from learnet.report.study_record import StudyRecord
from learnet.report.tables import NAMES, floor, p_text, signed

NOTHING = "–"


@dataclass(frozen=True)
class Line:
    """A row: a cell for each column, and whether it is of a study that leaks, which every form of the sheet shows in red."""

    cells: tuple[str, ...]
    leaky: bool = False


@dataclass(frozen=True)
class Table:
    """A table of text."""

    title: str
    columns: tuple[str, ...]
    lines: tuple[Line, ...]
    wide: tuple[str, ...] = ()  # columns of sentences


def comparison_tables(comparison: Comparison) -> list[Table]:
    """All sheets of a comparison: the studies, the differences where there are two studies, the published figures where there are any."""
    parts = [studies(comparison), differences(comparison), published(comparison)]
    return [sheet for sheet in parts if sheet.lines]


def studies(comparison: Comparison) -> Table:
    """A row for each study and below it for each of its databases, and one for no learning; last, published figures of the same network."""
    lines = []
    for record in comparison.records:
        clips, people = len(record.answers), len({o.person for o in record.outcomes})
        cells = (
            _whose(record, comparison, clips, people),
            *scores(record.summary["mean"]),
            figures_of(record, ALL, comparison),
        )
        lines.append(Line(cells, record.leaky))
        for name in comparison.databases:
            part = record.summary["datasets"][name]
            whose = f"- {name} of {tagged(record)}\n  {_counts(part['clips'], part['people'])}"
            lines.append(
                Line((whose, *scores(part["mean"]), figures_of(record, name, comparison)), record.leaky)
            )
    least = floor(comparison.records[0])
    values = (f"{least.values[m]:.3f}" for m in MEASURES)
    lines.append(Line((f"no learning\nalways “{least.emotion}”", *values, NOTHING)))
    several = any(len(record.seeds) > 1 for record in comparison.records)
    title = "Pooled over all folds [95 % interval over people]" + (
        ", mean ± standard deviation over seeds" if several else ""
    )
    return Table(title, ("study", *NAMES.values(), "published"), tuple(lines), ("published",))


def differences(comparison: Comparison) -> Table:
    """A row for each study: how far it is from the one it is compared with, and how surely."""
    lines = []
    for one in comparison.compared:
        cells = (
            f"{tagged(one.record)}\n{_swaps(one.difference)}",
            *(differs(one, measure) for measure in MEASURES),
            _clips(one),
        )
        lines.append(Line(cells, one.record.leaky))
    number = len(comparison.compared)
    corrected = f"; Holm: p corrected for {number} studies" if number > 1 else ""
    title = f"Each minus {tagged(comparison.against)} [95 % interval]; p by permutation of people, for clips by McNemar{corrected}"
    return Table(title, ("study", *NAMES.values(), "clips right"), tuple(lines))


def published(comparison: Comparison) -> Table:
    """A row for each method that others have published on these databases in these classes, with what is known against it."""
    lines = []
    for number, one in enumerate(comparison.published, start=1):
        who = f"[{number}] {one.who}" + (f", {one.year}" if one.year else "")
        names = {part: f"{part}: " if len(one.databases) > 1 else "" for part in one.values}
        figures = "\n".join(names[part] + _figures(found) for part, found in one.values.items())
        lines.append(
            Line(
                (
                    f"{who}\n{one.protocol}\n{one.source}",
                    figures,
                    _here(one, comparison),
                    one.caveat or NOTHING,
                )
            )
        )
    columns = ("published by", "figures", "same network here", "what is known against it")
    title = f"Published on {', '.join(sorted(datasets(comparison.records[0])))} in the classes {scheme(comparison.records[0])}"
    return Table(title, columns, tuple(lines), (columns[0], *columns[2:]))


def notes(comparison: Comparison) -> list[str]:
    """What must be known to read the sheets, a sentence each."""
    first = comparison.records[0]
    told = []
    for record in comparison.records:
        if record.leaky:
            told.append(f"{record.name} leaks: {record.leak}; {_flattered(record, comparison)}.")
        if record.expected not in (None, len(record.outcomes)):
            told.append(
                f"{record.name} is unfinished: {len(record.outcomes)} of {record.expected} answers are there."
            )
        if not record.about:
            told.append(f"{record.name} has no study.json: nobody can say how it was tested.")
    if first.summary["absent"]:
        told.append(f"No clip has the class {', '.join(first.summary['absent'])}, which counts as zero.")
    for name in comparison.databases:
        if absent := first.summary["datasets"][name]["absent"]:
            told.append(f"No clip of {name} has the class {', '.join(absent)}, which counts as zero there.")
    return told + (_of_published(comparison) if comparison.published else [])


def made(record: StudyRecord) -> str:
    """Whether a computer made the clips: "synthetic", "partly synthetic", or nothing."""
    return "partly synthetic" if record.synthetic_databases else "synthetic" if record.synthetic else ""


def tagged(record: StudyRecord) -> str:
    """A study's name with what must never be missing beside it."""
    leak = (record.protocol if record.protocol.startswith("leaky-") else "leaky") if record.leaky else ""
    tags = ", ".join(filter(None, (made(record), leak)))
    return f"{record.name} ({tags})" if tags else record.name


def _whose(record: StudyRecord, comparison: Comparison, clips: int, people: int) -> str:
    """What a study is, and of one that leaks how far it is above the honest one."""
    seeds = f"{len(record.seeds)} seed{'s' if len(record.seeds) != 1 else ''}"
    about = (
        f"{network(record)}, {record.protocol}",
        f"{motion(record)}, {scheme(record)}",
        f"{_counts(clips, people)}, {seeds}",
    )
    return "\n".join((tagged(record), *about, *([_flattered(record, comparison)] if record.leaky else [])))


def _flattered(record: StudyRecord, comparison: Comparison) -> str:
    honest = counterpart(record, comparison.records)
    if honest is None:
        return "no honest study of the same network is here to read it beside"
    here, there = record.summary["mean"], honest.summary["mean"]
    by = ", ".join(f"{NAMES[m]} {signed(here[m]['value'] - there[m]['value'])}" for m in MEASURES)
    return f"beside {honest.name}, which is honest: {by}"


def _swaps(found: Difference) -> str:
    if not found.people:
        return "nobody's answers differ"
    ways = f"all {found.swaps:,}" if found.exact else f"{found.swaps:,} random"
    return f"{counted(found.people, 'person differs', 'people differ')}, {ways} swaps"


def differs(one: Compared, measure: str) -> str:
    """How far a study is from the one it is compared with in a measure: difference, interval, p."""
    low, high = one.difference.limits[measure]
    interval = interval_text(low, high, number=lambda end: signed(end, 2))
    return "\n".join((signed(one.difference.values[measure]), interval, *_p(one, measure)))


def _clips(one: Compared) -> str:
    return "\n".join(
        (f"only here {one.clips.only_one}", f"only there {one.clips.only_other}", *_p(one, CLIPS))
    )


def _p(one: Compared, key: str) -> Iterable[str]:
    yield f"p {p_text(one.clips.p if key == CLIPS else one.difference.p[key])}"
    if one.several:
        yield f"Holm {p_text(one.corrected[key])}"


def scores(mean: Mapping[str, dict]) -> Iterable[str]:
    """Each measure with its spread over seeds and its interval, in the order of MEASURES."""
    for measure in MEASURES:
        found = mean[measure]
        spread = f" ±{found['spread']:.3f}" if found["spread"] is not None else ""
        yield f"{found['value']:.3f}{spread}\n{interval_text(found['low'], found['high'])}"


def _counts(clips: int, people: int) -> str:
    return f"{counted(clips, 'clip')}, {counted(people, 'person', 'people')}"


def _figures(values: Mapping[str, float]) -> str:
    """Figures as the field writes them, with the digits they were published with."""
    return ", ".join(
        f"{NAMES[measure]} {value:.4g}".replace(" 0.", " .") for measure, value in values.items()
    )


def figures_of(record: StudyRecord, part: str, comparison: Comparison) -> str:
    """Published figures of the same network, each with the number of its row in the sheet of published figures."""
    found = [
        f"{_figures(one.values[part])} [{number}]"
        for number, one in enumerate(comparison.published, start=1)
        if network(record) in one.networks and part in one.values
    ]
    return "; ".join(found) or NOTHING


def _here(one: Published, comparison: Comparison) -> str:
    """What the studies of the same network score here, in the measures that were published; never without the word synthetic."""
    measures = [m for m in MEASURES if any(m in found for found in one.values.values())]
    found = [
        f"{tagged(record)}: "
        + ", ".join(f"{NAMES[m]} {record.summary['mean'][m]['value']:.3f}" for m in measures)
        for record in comparison.records
        if network(record) in one.networks
    ]
    kind = made(comparison.records[0])
    return "; ".join(found) or (f"{NOTHING} ({kind} clips here)" if kind else NOTHING)


def _of_published(comparison: Comparison) -> list[str]:
    first = comparison.records[0]
    told = [
        "Published figures are of other clips, faces and motion images than these studies; their protocols are as their authors say."
    ]
    if kind := made(first):
        told.append(f"The clips here are {kind}: nothing here can be compared with a published figure.")
    clips, people = len(first.answers), len({o.person for o in first.outcomes})
    official = tuple(sum(PARTS[name][place] for name in COMPOSITE) for place in (0, 1))
    if comparison.published[0].databases == COMPOSITE and (clips, people) != official:
        told.append(
            f"The figures are counted over {official[0]} clips of {official[1]} people, these studies over {clips} of {people}."
        )
    return told
