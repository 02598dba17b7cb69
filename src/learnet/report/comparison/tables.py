"""Tables of a comparison as text, for the terminal, LaTeX, HTML and Markdown. Cells may have several
lines."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from learnet.core.errors import counted
from learnet.core.network_info import uses_setting
from learnet.datasets.readers.megc2019 import PARTS
from learnet.metrics.equivalence import verdict
from learnet.metrics.published import ALL, COMPOSITE, PublishedScores
from learnet.metrics.scores import INTERVAL_NOTE, MEASURES, interval_text
from learnet.metrics.significance import Difference
from learnet.metrics.study_metrics import MeanScore
from learnet.report.comparison.compare import (
    CLIPS,
    Compared,
    Comparison,
    counterpart,
    datasets,
    images_of,
    motion,
    network,
    scheme,
)
from learnet.report.remarks import study_remarks
from learnet.report.study_record import StudyRecord
from learnet.report.tables import NAMES, floor, p_text, signed
from learnet.study.description import LEAK_CONSEQUENCE

NOTHING = "–"


@dataclass(frozen=True)
class Line:
    """A row of a table: a cell for each column, and whether it belongs to a leaky study (shown in red)."""

    cells: tuple[str, ...]
    leaky: bool = False


@dataclass(frozen=True)
class Table:
    """A table of text."""

    title: str
    columns: tuple[str, ...]
    lines: tuple[Line, ...]
    wide: tuple[str, ...] = ()  # columns that contain sentences


def studies(comparison: Comparison) -> Table:
    """Return a row for each study, each of its databases, and the majority baseline, with published
    figures."""
    lines = []
    for record in comparison.records:
        lines.append(_study_line(record, comparison))
        lines += [_database_line(record, name, comparison) for name in comparison.databases]
    baseline = floor(comparison.records[0])
    values = [f"{baseline.values[measure]:.3f}" for measure in MEASURES]
    lines.append(Line((f"majority baseline\nalways “{baseline.emotion}”", *values, NOTHING)))
    title = "Pooled over all folds [95 % interval over people]"
    if any(len(record.seeds) > 1 for record in comparison.records):
        title += ", mean ± standard deviation over seeds"
    return Table(title, ("study", *NAMES.values(), "published"), tuple(lines), ("published",))


def _study_line(record: StudyRecord, comparison: Comparison) -> Line:
    clips = len(record.answers)
    people = len({outcome.person for outcome in record.outcomes})
    name = _description(record, comparison, clips, people)
    return Line((name, *scores(record.summary.mean), figures_of(record, ALL, comparison)), record.leaky)


def _database_line(record: StudyRecord, name: str, comparison: Comparison) -> Line:
    part = record.dataset_metrics(name)
    heading = f"- {name} of {tagged(record)}\n  {_counts(part.clips, part.people)}"
    return Line((heading, *scores(part.mean), figures_of(record, name, comparison)), record.leaky)


def differences(comparison: Comparison) -> Table:
    """Return a row for each study: its differences from the reference, with intervals and p-values."""
    lines = []
    for compared in comparison.compared:
        name = f"{tagged(compared.record)}\n{_permutations(compared.difference)}"
        values = [differs(compared, measure, comparison.margin) for measure in MEASURES]
        cells = (name, *values, _clips(compared))
        lines.append(Line(cells, compared.record.leaky))
    title = (
        f"Difference from {tagged(comparison.against)} [95 % interval]; "
        "p by permutation of people, for clips by McNemar"
    )
    number = len(comparison.compared)
    if number > 1:
        title += f"; Holm: p corrected for {number} studies"
    return Table(title, ("study", *NAMES.values(), "clips right"), tuple(lines))


def published(comparison: Comparison) -> Table:
    """Return a row for each method published for these databases and classes, with its known caveats."""
    lines = []
    for number, entry in enumerate(comparison.published, start=1):
        year = f", {entry.year}" if entry.year else ""
        source = f"[{number}] {entry.method}{year}\n{entry.protocol}\n{entry.source}"
        figures = []
        for part, values in entry.values.items():
            prefix = f"{part}: " if len(entry.databases) > 1 else ""
            figures.append(prefix + _figures(values))
        own = _own_scores(entry, comparison)
        lines.append(Line((source, "\n".join(figures), own, entry.caveat or NOTHING)))
    columns = ("published by", "figures", "same network here", "caveats")
    names = ", ".join(sorted(datasets(comparison.records[0])))
    title = f"Published on {names} in the classes {scheme(comparison.records[0])}"
    return Table(title, columns, tuple(lines), (columns[0], *columns[2:]))


def notes(comparison: Comparison) -> list[str]:
    """Return what must be known to read the tables, a sentence each."""
    first = comparison.records[0]
    sentences = []
    for record in comparison.records:
        sentences += _study_notes(record, comparison)
    if note := image_note(comparison.records):
        sentences.append(note)
    if first.summary.absent:
        sentences.append(f"No clip has the class {', '.join(first.summary.absent)}, which counts as zero.")
    for name in comparison.databases:
        absent = ", ".join(first.dataset_metrics(name).absent)
        if absent:
            sentences.append(f"No clip of {name} has the class {absent}, which counts as zero there.")
    for record in comparison.records:
        sentences += study_remarks(tagged(record), record.summary)
    if first.summary.mean["uf1"].low is not None:
        sentences.append(INTERVAL_NOTE)
    if comparison.compared:
        sentences.append(_verdict_note(comparison))
    if comparison.published:
        sentences += _published_notes(comparison)
    return sentences


def _verdict_note(comparison: Comparison) -> str:
    """Return what the last line of a difference means."""
    return (
        "Different: p below 0.05 (corrected, where there are several studies). "
        f"Equivalent within {comparison.margin:g}: the 90 % interval lies within ±{comparison.margin:g} "
        "(two one-sided tests). Cannot tell below a number: with as many people as these, smaller true "
        "differences are missed too often (power below 80 %)."
    )


def image_note(records: Sequence[StudyRecord]) -> str:
    """Return that studies are of different images, as a sentence; empty where they are of the same."""
    names: dict[str, list[str]] = {}
    for record in records:
        names.setdefault(images_of(record), []).append(record.name)
    if len(names) < 2:
        return ""
    parts = [f"{images} ({', '.join(studies)})" for images, studies in names.items()]
    return f"The studies are of different images, which differences include: {'; '.join(parts)}."


def leak_notes(comparison: Comparison) -> list[str]:
    """Return those of `notes` that say that a study leaks."""
    return [_leak_note(record, comparison) for record in comparison.records if record.leaky]


def _leak_note(record: StudyRecord, comparison: Comparison) -> str:
    return f"{record.name} leaks: {record.leak}; {_inflation(record, comparison)}. {LEAK_CONSEQUENCE}"


def _study_notes(record: StudyRecord, comparison: Comparison) -> list[str]:
    sentences = []
    if record.leaky:
        sentences.append(_leak_note(record, comparison))
    if record.unfinished:
        sentences.append(f"{record.name} is unfinished: {record.progress}.")
    if record.description is None:
        sentences.append(f"{record.name} has no study.json: its protocol is unknown.")
    return sentences


def made(record: StudyRecord) -> str:
    """Return "synthetic", "partly synthetic", or an empty string for recorded clips."""
    if record.synthetic_databases:
        return "partly synthetic"
    return "synthetic" if record.synthetic else ""


def tagged(record: StudyRecord) -> str:
    """Return the name of a study with the tags that must always accompany it: synthetic, leaky."""
    tags = [made(record)] if made(record) else []
    if record.leaky:
        tags.append(record.protocol if record.protocol.startswith("leaky-") else "leaky")
    return f"{record.name} ({', '.join(tags)})" if tags else record.name


def _description(record: StudyRecord, comparison: Comparison, clips: int, people: int) -> str:
    """Return name, network, protocol, motion image, classes and counts; for a leaky study also its
    inflation."""
    lines = [
        tagged(record),
        f"{network(record)}, {record.protocol}",
        f"{motion(record)}, {scheme(record)}",
        f"{_counts(clips, people)}, {counted(len(record.seeds), 'seed')}",
    ]
    lines += _differing_settings(record, comparison.records)
    if record.leaky:
        lines.append(_inflation(record, comparison))
    return "\n".join(lines)


def _differing_settings(record: StudyRecord, records: Iterable[StudyRecord]) -> list[str]:
    """Return the settings of training in which a study differs from another one of the same network."""
    own = record.training_settings
    different = set()
    for other in records:
        if network(other) != network(record):
            continue
        for name, value in other.training_settings.items():
            if own.get(name, value) != value and uses_setting(network(record), name):
                different.add(name)
    return [f"{name} {_setting_text(own[name])}" for name in own if name in different - {"seed"}]


def _setting_text(value: object) -> str:
    """Return the value of a setting as it is written in a recipe."""
    if value is None or value == "":
        return "none"
    return str(value).lower() if isinstance(value, bool) else str(value)


def _inflation(record: StudyRecord, comparison: Comparison) -> str:
    """Return how far the scores of a leaky study exceed those of its honest counterpart."""
    honest = counterpart(record, comparison.records)
    if honest is None:
        return "no honest study of the same network is given for comparison"
    differences = []
    for measure in MEASURES:
        values = [study.summary.mean[measure].value for study in (record, honest)]
        differences.append(f"{NAMES[measure]} {signed(values[0] - values[1])}")
    return f"compared with {honest.name}, which is honest: {', '.join(differences)}"


def _permutations(result: Difference) -> str:
    """Return how many people differ and how many permutations were tested."""
    if not result.people:
        return "all predictions agree"
    number = f"all {result.swaps:,}" if result.exact else f"{result.swaps:,} random"
    return f"{counted(result.people, 'person differs', 'people differ')}, {number} swaps"


def differs(compared: Compared, measure: str, margin: float) -> str:
    """Return the difference from the reference in a measure: value, interval, p, what these people show."""
    low, high = compared.difference.limits[measure]
    interval = interval_text(low, high, number=lambda end: signed(end, 2))
    value = signed(compared.difference.values[measure])
    shown = verdict(compared.difference, measure, compared.corrected[measure], margin)
    return "\n".join((value, interval, *_p_lines(compared, measure), shown))


def _clips(compared: Compared) -> str:
    test = compared.clips
    lines = (f"only here {test.only_first}", f"only there {test.only_second}", *_p_lines(compared, CLIPS))
    return "\n".join(lines)


def _p_lines(compared: Compared, key: str) -> Iterable[str]:
    yield f"p {p_text(compared.clips.p if key == CLIPS else compared.difference.p[key])}"
    if compared.is_corrected:
        yield f"Holm {p_text(compared.corrected[key])}"


def scores(mean: Mapping[str, MeanScore]) -> Iterable[str]:
    """Yield each measure with its spread over seeds and its interval, in the order of MEASURES."""
    for measure in MEASURES:
        score = mean[measure]
        spread = f" ±{score.spread:.3f}" if score.spread is not None else ""
        yield f"{score.value:.3f}{spread}\n{interval_text(score.low, score.high)}"


def _counts(clips: int, people: int) -> str:
    return f"{counted(clips, 'clip')}, {counted(people, 'person', 'people')}"


def _figures(values: Mapping[str, float]) -> str:
    """Return figures as papers print them (.886), with their published digits."""
    texts = [f"{NAMES[measure]} {value:.4g}".replace(" 0.", " .") for measure, value in values.items()]
    return ", ".join(texts)


def figures_of(record: StudyRecord, part: str, comparison: Comparison) -> str:
    """Return the published figures of the same network, each with its number in the table of published
    figures."""
    figures = []
    for number, entry in enumerate(comparison.published, start=1):
        if network(record) in entry.networks and part in entry.values:
            figures.append(f"{_figures(entry.values[part])} [{number}]")
    return "; ".join(figures) or NOTHING


def _own_scores(entry: PublishedScores, comparison: Comparison) -> str:
    """Return the scores of the same network here, in the published measures, tagged where clips are
    synthetic."""
    published_measures = {measure for values in entry.values.values() for measure in values}
    texts = []
    for record in comparison.records:
        if network(record) not in entry.networks:
            continue
        mean = record.summary.mean
        values = [f"{NAMES[m]} {mean[m].value:.3f}" for m in MEASURES if m in published_measures]
        texts.append(f"{tagged(record)}: {', '.join(values)}")
    if texts:
        return "; ".join(texts)
    kind = made(comparison.records[0])
    return f"{NOTHING} ({kind} clips here)" if kind else NOTHING


def _published_notes(comparison: Comparison) -> list[str]:
    """Return why published figures and these studies cannot be compared directly."""
    first = comparison.records[0]
    sentences = [
        "Published figures refer to other clips, face crops and motion images than these studies; "
        "their protocols are as stated by their authors."
    ]
    if kind := made(first):
        sentences.append(f"The clips here are {kind}: they cannot be compared with any published figure.")
    clips = len(first.answers)
    people = len({outcome.person for outcome in first.outcomes})
    official_clips, official_people = (sum(PARTS[name][i] for name in COMPOSITE) for i in (0, 1))
    is_composite = comparison.published[0].databases == COMPOSITE
    if is_composite and (clips, people) != (official_clips, official_people):
        sentences.append(
            f"The published figures cover {official_clips} clips of {official_people} people, "
            f"these studies {clips} of {people}."
        )
    return sentences
