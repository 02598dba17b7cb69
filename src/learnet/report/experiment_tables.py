"""The tables of a series, from the study folders it left: in the terminal, results.md and results.csv."""

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from learnet.core.files import write_atomically
from learnet.metrics.published import ALL
from learnet.metrics.scores import MEASURES
from learnet.report.comparison.compare import Comparison, compare, motion, scheme
from learnet.report.comparison.tables import (
    NOTHING,
    Line,
    Table,
    differs,
    figures_of,
    made,
    notes,
    published,
    scores,
    tagged,
)
from learnet.report.comparison.writers import COLUMNS, rows, write_comparison
from learnet.report.study_record import StudyRecord
from learnet.study.experiments.recipe import Recipe, recipe_to_toml
from learnet.study.experiments.sources import study_folder
from learnet.study.outcomes import read_outcomes

TABLE = (*COLUMNS, "set", "minutes", "trainings timed", "cores", "device", "versions")
"""Columns of results.csv: those of `learnet compare --csv`, then whose rows they are, and what a study took."""

HEAD = ("study", "UF1", "UAR", "accuracy", "minutes", "UF1 differs", "accuracy differs", "published")


@dataclass(frozen=True)
class Group:
    """Studies over the same clips."""

    name: str  # the set's label; with a number where some of its studies answered other clips
    comparison: Comparison


def groups(recipe: Recipe, out: Path) -> list[Group]:
    """The studies of a series, those over the same clips together: of each set one group, or more where a motion image leaves clips out.

    Raises:
        BadInput: a study is not there.
    """
    found = []
    for label in recipe.sets:
        together: dict[frozenset[tuple[str, str]], list[Path]] = {}
        for setting in recipe.settings:
            folder = study_folder(out, label, setting.name)
            together.setdefault(frozenset((o.clip, o.truth) for o in read_outcomes(folder)), []).append(
                folder
            )
        for number, folders in enumerate(together.values(), start=1):
            there = recipe.reference if any(folder.name == recipe.reference for folder in folders) else None
            found.append(Group(f"{label}-{number}" if len(together) > 1 else label, compare(folders, there)))
    return found


def sheet(group: Group) -> Table:
    """The one table of a group: scores, the difference to the reference, published figures, minutes; below a study, its databases."""
    comparison = group.comparison
    beside = {id(one.record): one for one in comparison.compared}
    lines = []
    for record in comparison.records:
        apart = beside.get(id(record))
        differ = [differs(apart, measure) if apart else NOTHING for measure in ("uf1", "accuracy")]
        cells = (
            tagged(record),
            *_scores(record.summary["mean"]),
            _minutes(record),
            *differ,
            _published(record, ALL, comparison),
        )
        lines.append(Line(cells, record.leaky))
        for name in comparison.databases:
            score = _scores(record.summary["datasets"][name]["mean"])
            cells = (
                f"- {name} of {tagged(record)}",
                *score,
                "",
                "",
                "",
                _published(record, name, comparison),
            )
            lines.append(Line(cells, record.leaky))
    several = ", ± over seeds" if any(len(record.seeds) > 1 for record in comparison.records) else ""
    title = f"{_whose(group)} [95 % interval over people]{several}; differences are to {tagged(comparison.against)}"
    return Table(title, HEAD, tuple(lines), ("published",))


def _whose(group: Group) -> str:
    """Clips, people, classes, and the motion image where it is one: else the names of the studies tell it."""
    records = group.comparison.records
    first, motions = records[0], {motion(record) for record in records}
    people = len({o.person for o in first.outcomes})
    words = [
        f"{group.name}:",
        str(len(first.answers)),
        made(first),
        f"clips of {people} people,",
        f"classes {scheme(first)}",
    ]
    return " ".join(filter(None, words)) + (f", {motions.pop()}" if len(motions) == 1 else "")


def in_two(given: Table) -> list[Table]:
    """A `sheet` as two that fit a terminal: the scores; then differences and published figures, without the lines that have none."""
    whole, second = range(len(HEAD)), (0, 5, 6, 7)
    parts = []
    for title, places in (
        (given.title, [place for place in whole if place not in second[1:]]),
        ("Differences, published", second),
    ):
        lines = [Line(tuple(line.cells[i] for i in places), line.leaky) for line in given.lines]
        lines = [line for line in lines if any(cell not in ("", NOTHING) for cell in line.cells[1:])]
        parts.append(Table(title, tuple(HEAD[i] for i in places), tuple(lines)))
    return [part for part in parts if part.lines]


def _scores(mean: Mapping[str, dict]) -> tuple[str, str, str]:
    found = dict(zip(MEASURES, scores(mean), strict=True))
    return found["uf1"], found["uar"], found["accuracy"]


def _published(record: StudyRecord, part: str, comparison: Comparison) -> str:
    return figures_of(record, part, comparison).replace("; ", "\n")


def _minutes(record: StudyRecord) -> str:
    """Minutes of the trainings; of a study that was cut off, those of its last part, which is said."""
    if "seconds" not in record.run:
        return NOTHING
    timed, whole = record.run["trainings"], len(record.about["folds"]) * len(record.seeds)
    return f"{record.run['seconds'] / 60:.1f}" + (
        f"\nof {timed} of\n{whole} trainings" if timed < whole else ""
    )


def heading(recipe: Recipe, found: Sequence[Group]) -> str:
    """The recipe's title, with SYNTHETIC where any of the data are."""
    kinds = {made(group.comparison.records[0]) for group in found}
    tag = "" if kinds == {""} else "SYNTHETIC: " if kinds == {"synthetic"} else "PARTLY SYNTHETIC: "
    return tag + " ".join(recipe.title.split())


def write_results(recipe: Recipe, out: Path, found: Sequence[Group], told: Sequence[str]) -> list[Path]:
    """Write results.md, results.csv and a page for each group.

    Args:
        recipe: as it was run.
        out: folder of the series.
        found: what `groups` gave.
        told: what is not as the recipe's file says, a sentence each.

    Returns:
        The files.

    Raises:
        OutputTaken: a page is there that is none of these.
    """
    pages = [out / "comparisons" / f"{group.name}.html" for group in found]
    for group, page in zip(found, pages, strict=True):
        page.parent.mkdir(parents=True, exist_ok=True)
        write_comparison(group.comparison, html=page)
    write_atomically(out / "results.csv", as_csv(found))
    write_atomically(out / "results.md", as_markdown(recipe, found, told))
    return [out / "results.md", out / "results.csv", *pages]


def as_csv(found: Sequence[Group]) -> str:
    """The columns of TABLE, a row for whatever a comparison has rows for; nothing rounded but the minutes."""
    text = io.StringIO()
    writer = csv.DictWriter(text, TABLE, restval="", lineterminator="\n")
    writer.writeheader()
    for group in found:
        named = {record.name: record for record in group.comparison.records}
        for row in rows(group.comparison):
            record = named.get(str(row.get("study", "")))
            writer.writerow(
                {**row, "set": group.name, **(_run(record) if record and row["kind"] == "study" else {})}
            )
    return text.getvalue()


def _run(record: StudyRecord) -> dict[str, object]:
    run = record.run
    took = (
        {"minutes": round(run["seconds"] / 60, 3), "trainings timed": run["trainings"]}
        if "seconds" in run
        else {}
    )
    machine = {key: run[key] for key in ("cores", "device") if key in run}
    return {**took, **machine, "versions": _versions(record)}


def _versions(record: StudyRecord) -> str:
    return ", ".join(f"{name} {number}" for name, number in record.about.get("versions", {}).items())


def as_markdown(recipe: Recipe, found: Sequence[Group], told: Sequence[str]) -> str:
    """Everything on one page: what was asked and what not, the tables, what is known against them, machine and versions, the recipe."""
    parts = [f"# {heading(recipe, found)}", recipe.claim.strip(), f"Source: {recipe.source.strip()}"]
    if recipe.unknown:
        parts += ["Not known, so not repeated:", _listed(recipe.unknown)]
    if told:
        parts += ["**Not as the recipe says:**", _listed(told)]
    for group in found:
        figures = published(group.comparison)
        parts += [f"## {group.name}", _table(sheet(group)), _listed(notes(group.comparison))]
        parts += [_table(figures)] if figures.lines else []
        parts.append(f"[All measures, tests and figures](comparisons/{group.name}.html)")
    records = [record for group in found for record in group.comparison.records]
    parts += [
        "## How",
        _listed(_how(records)),
        "The recipe as it was run:",
        f"```toml\n{recipe_to_toml(recipe)}```",
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _how(records: Sequence[StudyRecord]) -> list[str]:
    """Minutes, machines and versions of all studies."""
    minutes = sum(record.run.get("seconds", 0) for record in records) / 60
    runs = [record.run for record in records if record.run.keys() >= {"cores", "machine", "device"}]
    machines = sorted({f"{run['cores']} cores of {run['machine']}, {run['device']}" for run in runs})
    told = [f"{len(records)} studies, {minutes:.1f} minutes of training and testing", *machines]
    return told + sorted({f"versions: {text}" for record in records if (text := _versions(record))})


def _listed(sentences: Sequence[str]) -> str:
    return "\n".join(f"- {' '.join(sentence.split())}" for sentence in sentences)


def _table(given: Table) -> str:
    """A sheet as a table of Markdown; rows of studies that leak are red where colours are shown, and say so in words everywhere."""
    head = f"| {' | '.join(map(_escaped, given.columns))} |\n|{'---|' * len(given.columns)}"
    body = "\n".join(
        f"| {' | '.join(_coloured(_escaped(cell), line.leaky) for cell in line.cells)} |"
        for line in given.lines
    )
    return f"**{_escaped(given.title)}**\n\n{head}\n{body}"


def _coloured(cell: str, red: bool) -> str:
    return f'<span style="color:red">{cell}</span>' if red and cell else cell


def _escaped(text: str) -> str:
    return text.replace("|", "\\|").replace("*", "\\*").replace("\n", "<br>")
