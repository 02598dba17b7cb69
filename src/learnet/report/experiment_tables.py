"""Tables of experiments, read from their study folders: for the terminal, results.md and results.csv."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from learnet.core.csv_files import csv_text
from learnet.core.files import write_atomically
from learnet.metrics.published import ALL
from learnet.metrics.scores import MEASURES
from learnet.metrics.study_metrics import MeanScore
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
from learnet.study.experiments.recipe import Recipe
from learnet.study.experiments.recipe_files import recipe_to_toml
from learnet.study.experiments.sources import study_folder
from learnet.study.outcomes import read_outcomes

CSV_COLUMNS = (*COLUMNS, "set", "minutes", "trainings timed", "cores", "device", "versions")
"""Columns of results.csv: those of `learnet compare --csv`, then the set of clips and the cost of the
study."""

TABLE_COLUMNS = ("study", "UF1", "UAR", "accuracy", "minutes", "UF1 differs", "accuracy differs", "published")
SCORE_COLUMNS = (0, 1, 2, 3, 4)  # positions in TABLE_COLUMNS
DIFFERENCE_COLUMNS = (0, 5, 6, 7)


@dataclass(frozen=True)
class Group:
    """Studies over the same clips."""

    name: str  # the label of the set, numbered if its studies cover different clips
    comparison: Comparison


def groups(recipe: Recipe, out: Path) -> list[Group]:
    """Return the studies of experiments, grouped by their clips.

    A set gives one group, or several where a motion image cannot be computed for every clip.

    Raises:
        BadInput: a study is missing.
    """
    result = []
    for label in recipe.sets:
        folders_by_clips: dict[frozenset[tuple[str, str]], list[Path]] = {}
        for setting in recipe.settings:
            folder = study_folder(out, label, setting.name)
            clips = frozenset((outcome.clip, outcome.truth) for outcome in read_outcomes(folder))
            folders_by_clips.setdefault(clips, []).append(folder)
        for number, folders in enumerate(folders_by_clips.values(), start=1):
            names = {folder.name for folder in folders}
            reference = recipe.reference if recipe.reference in names else None
            name = f"{label}-{number}" if len(folders_by_clips) > 1 else label
            result.append(Group(name, compare(folders, reference)))
    return result


def sheet(group: Group) -> Table:
    """Return the table of a group: scores, minutes, difference from the reference, published figures."""
    comparison = group.comparison
    compared = {id(entry.record): entry for entry in comparison.compared}
    lines = []
    for record in comparison.records:
        differences = (NOTHING, NOTHING)
        if id(record) in compared:
            entry = compared[id(record)]
            uf1, accuracy = (differs(entry, measure, comparison.margin) for measure in ("uf1", "accuracy"))
            differences = (uf1, accuracy)
        figures = _published(record, ALL, comparison)
        total = _scores(record.summary.mean)
        lines.append(Line((tagged(record), *total, _minutes(record), *differences, figures), record.leaky))
        for name in comparison.databases:
            part = _scores(record.dataset_metrics(name).mean)
            figures = _published(record, name, comparison)
            lines.append(Line((f"- {name} of {tagged(record)}", *part, "", "", "", figures), record.leaky))
    spread = ", ± over seeds" if any(len(record.seeds) > 1 for record in comparison.records) else ""
    reference = tagged(comparison.against)
    title = f"{_description(group)} [95 % interval over people]{spread}; differences from {reference}"
    return Table(title, TABLE_COLUMNS, tuple(lines), ("published",))


def _description(group: Group) -> str:
    """Return clips, people, classes, and the motion image if all studies share it."""
    records = group.comparison.records
    first = records[0]
    people = len({outcome.person for outcome in first.outcomes})
    kind = f"{made(first)} " if made(first) else ""
    text = f"{group.name}: {len(first.answers)} {kind}clips of {people} people, classes {scheme(first)}"
    motions = {motion(record) for record in records}
    return f"{text}, {motions.pop()}" if len(motions) == 1 else text


def in_two(table: Table) -> list[Table]:
    """Split the result of `sheet` into two tables that fit a terminal: scores; differences and published
    figures."""
    scores_part = _columns_of(table, table.title, SCORE_COLUMNS)
    differences_part = _columns_of(table, "Differences, published", DIFFERENCE_COLUMNS)
    return [part for part in (scores_part, differences_part) if part.lines]


def _columns_of(table: Table, title: str, positions: Sequence[int]) -> Table:
    """Return some columns of a table, without the lines that are empty in all of them but the first."""
    lines = []
    for line in table.lines:
        cells = tuple(line.cells[position] for position in positions)
        if any(cell not in ("", NOTHING) for cell in cells[1:]):
            lines.append(Line(cells, line.leaky))
    return Table(title, tuple(TABLE_COLUMNS[position] for position in positions), tuple(lines))


def _scores(mean: Mapping[str, MeanScore]) -> tuple[str, str, str]:
    by_measure = dict(zip(MEASURES, scores(mean), strict=True))
    return by_measure["uf1"], by_measure["uar"], by_measure["accuracy"]


def _published(record: StudyRecord, part: str, comparison: Comparison) -> str:
    return figures_of(record, part, comparison).replace("; ", "\n")


def _minutes(record: StudyRecord) -> str:
    """Return the minutes of training; for an interrupted study those of the last part, and how many trainings
    it had."""
    if "seconds" not in record.run:
        return NOTHING
    minutes = f"{record.run['seconds'] / 60:.1f}"
    timed = record.run["trainings"]
    total = record.description.expected_trainings if record.description else 0
    return minutes if timed >= total else f"{minutes}\nof {timed} of\n{total} trainings"


def heading(recipe: Recipe, results: Sequence[Group]) -> str:
    """Return the title of the recipe, tagged SYNTHETIC if any of the data are."""
    title = " ".join(recipe.title.split())
    kinds = {made(group.comparison.records[0]) for group in results}
    if kinds == {""}:
        return title
    return f"SYNTHETIC: {title}" if kinds == {"synthetic"} else f"PARTLY SYNTHETIC: {title}"


def write_results(
    recipe: Recipe, out: Path, results: Sequence[Group], deviations: Sequence[str]
) -> list[Path]:
    """Write results.md, results.csv and a comparison page for each group.

    Args:
        recipe: the recipe as it was run.
        out: folder of the experiments.
        results: output of `groups`.
        deviations: differences from the recipe's file, a sentence each.

    Returns:
        The files that were written.

    Raises:
        OutputTaken: another file is in the place of a page.
    """
    pages = [out / "comparisons" / f"{group.name}.html" for group in results]
    for group, page in zip(results, pages, strict=True):
        page.parent.mkdir(parents=True, exist_ok=True)
        write_comparison(group.comparison, html=page)
    write_atomically(out / "results.csv", as_csv(results))
    write_atomically(out / "results.md", as_markdown(recipe, results, deviations))
    return [out / "results.md", out / "results.csv", *pages]


def as_csv(results: Sequence[Group]) -> str:
    """Return the columns of CSV_COLUMNS for every row of each comparison; only minutes are rounded."""
    table: list[Sequence[object]] = [CSV_COLUMNS]
    for group in results:
        by_name = {record.name: record for record in group.comparison.records}
        for row in rows(group.comparison):
            cost = _cost(by_name[str(row["study"])]) if row["kind"] == "study" else {}
            cells = {**row, "set": group.name, **cost}
            table.append([cells.get(column, "") for column in CSV_COLUMNS])
    return csv_text(table)


def _cost(record: StudyRecord) -> dict[str, object]:
    """Return time, machine and versions of a study, as far as they are known."""
    cost: dict[str, object] = {}
    if "seconds" in record.run:
        cost["minutes"] = round(record.run["seconds"] / 60, 3)
        cost["trainings timed"] = record.run["trainings"]
    for key in ("cores", "device"):
        if key in record.run:
            cost[key] = record.run[key]
    cost["versions"] = _versions(record)
    return cost


def _versions(record: StudyRecord) -> str:
    versions = record.versions
    return ", ".join(f"{name} {version}" for name, version in versions.items())


def as_markdown(recipe: Recipe, results: Sequence[Group], deviations: Sequence[str]) -> str:
    """Return one page: the claim, deviations from the recipe, tables, caveats, machine, versions and the
    recipe."""
    parts = [f"# {heading(recipe, results)}", recipe.claim.strip(), f"Source: {recipe.source.strip()}"]
    if recipe.unknown:
        parts += ["Unknown, and therefore not reproduced:", _bullets(recipe.unknown)]
    if deviations:
        parts += ["**Deviations from the recipe:**", _bullets(deviations)]
    for group in results:
        parts += [f"## {group.name}", _markdown_table(sheet(group)), _bullets(notes(group.comparison))]
        figures = published(group.comparison)
        if figures.lines:
            parts.append(_markdown_table(figures))
        parts.append(f"[All measures, tests and figures](comparisons/{group.name}.html)")
    records = [record for group in results for record in group.comparison.records]
    parts += ["## Computation", _bullets(_computation(records)), "The recipe as it was run:"]
    parts.append(f"```toml\n{recipe_to_toml(recipe)}```")
    return "\n\n".join(part for part in parts if part) + "\n"


def _computation(records: Sequence[StudyRecord]) -> list[str]:
    """Return the time, the machines and the versions of all studies."""
    minutes = sum(record.run.get("seconds", 0) for record in records) / 60
    machines = set()
    for record in records:
        run = record.run
        if run.keys() >= {"cores", "machine", "device"}:
            machines.add(f"{run['cores']} cores of {run['machine']}, {run['device']}")
    versions = {_versions(record) for record in records} - {""}
    sentences = [f"{len(records)} studies, {minutes:.1f} minutes of training and testing", *sorted(machines)]
    return sentences + [f"versions: {text}" for text in sorted(versions)]


def _bullets(sentences: Sequence[str]) -> str:
    return "\n".join(f"- {' '.join(sentence.split())}" for sentence in sentences)


def _markdown_table(table: Table) -> str:
    """Return a table in Markdown. Rows of leaky studies are red where colours are shown, and tagged in
    words."""
    columns = " | ".join(map(_escape, table.columns))
    lines = [f"**{_escape(table.title)}**", "", f"| {columns} |", f"|{'---|' * len(table.columns)}"]
    for line in table.lines:
        cells = [_escape(cell) for cell in line.cells]
        if line.leaky:
            cells = [f'<span style="color:red">{cell}</span>' if cell else cell for cell in cells]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _escape(text: str) -> str:
    return text.replace("|", "\\|").replace("*", "\\*").replace("\n", "<br>")
