"""What `learnet evaluate --action-units` and `learnet study --target action-units` do and print."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING

from learnet.cli import console
from learnet.core.errors import LearnetError, counted
from learnet.core.settings import Resources, Study, Training

if TYPE_CHECKING:
    from learnet.metrics.action_units import ActionUnitMetrics, UnitMetrics
    from learnet.study.action_units.files import ActionUnitDescription, ActionUnitResult

USED_SETTINGS = {
    Study: {"protocol", "groups", "train_on", "test_on", "train_people", "distinct_people", "shared_images"},
    Training: {"seed"},
    Resources: {"jobs"},
}
"""The options of `learnet study` that apply to action units."""

WITHOUT_EFFECT = (
    "inner_groups",
    "optimiser",
    "class_weights",
    "label_smoothing",
    "phases",
    "phases_at_test",
    "mixup",
    "init",
    "interpolate_init",
)
"""The settings of training that do not apply to `learnet train --target action-units`."""

FEW_PEOPLE = 3  # fewer people who show a unit say little about others


def evaluate_action_units(prepared: Path, out: Path, weights: Path | None, classes: str) -> None:
    """Evaluate weights on the action units of a prepared folder, and print the tables."""
    if classes != "auto":
        raise LearnetError("--classes has no effect on --action-units.", "Leave one of them out.")
    from learnet.study.action_units.evaluate import evaluate_action_units as evaluate_weights

    with console.bar("Scoring") as progress:
        result = evaluate_weights(prepared, weights, out, progress)
    print_result(out, result)
    if weights is None:
        console.out.print(
            f"Weights: {result.description.model}, shipped with learnet, trained on simulated images only "
            "(docs/action-units.md).",
            markup=False,
        )
    _print_paths(out)


def study_action_units(
    folders: Path | Sequence[Path], out: Path, study: Study, training: Training, resources: Resources
) -> None:
    """Train and test linear models of action units, and print the tables."""
    unused: list[str] = []
    for settings in (study, training, resources):
        unused += changed_options(settings, USED_SETTINGS[type(settings)])
    _refuse(unused, ", which fits one linear model per unit with fixed settings")
    from learnet.study.action_units.run import run_action_unit_study

    with console.bar("Training linear models") as progress:
        result = run_action_unit_study(folders, out, study, training.seed, resources.jobs, progress)
    print_result(out, result)
    console.out.print(f"Model: {result.description.model} of other people.", markup=False)
    _print_paths(out)


def train_action_units(
    folders: Path | Sequence[Path], weights: Path, network: str, training: Training, half: bool
) -> None:
    """Train a network of action units on all people, and write its weights."""
    defaults = Training()
    unused = [name for name in WITHOUT_EFFECT if getattr(training, name) != getattr(defaults, name)]
    _refuse([f"--{name.replace('_', '-')}" for name in unused], "")
    from learnet.study.action_units.train import train_action_units as train

    with console.bar(f"Training {network}") as progress:
        result = train(folders, network, training, progress)
    result.save(weights, half)
    settings = result.metadata.action_units
    assert settings is not None
    console.out.print(
        f"{network}: trained on {result.images} images, for the action units "
        f"{', '.join(map(str, settings.units))}. Use `learnet evaluate --action-units` to score it.",
        markup=False,
    )
    console.paths(weights)


def refuse_class_options(classes: str, tensorboard: Path | None, device: str) -> None:
    """Raise an error if options of `learnet train` were given that do not apply to action units."""
    given = {
        "--classes": classes != "auto",
        "--tensorboard": tensorboard is not None,
        "--device": device != "auto",
    }
    _refuse([option for option, is_given in given.items() if is_given], "")


def _refuse(options: Sequence[str], because: str) -> None:
    """Raise an error if options were given that do not apply to action units."""
    if not options:
        return
    verb = "has" if len(options) == 1 else "have"
    wrong = f"{', '.join(options)} {verb} no effect on --target action-units{because}."
    raise LearnetError(wrong, f"Leave {'it' if len(options) == 1 else 'them'} out.")


def changed_options(settings: Study | Training | Resources, used: Collection[str]) -> Iterator[str]:
    """Yield the options that were given, besides those of the settings that are used."""
    defaults = type(settings)()
    for setting in fields(settings):
        value = getattr(settings, setting.name)
        if setting.name in used or value == getattr(defaults, setting.name):
            continue
        switched_off = "no-" if value is False else ""
        yield f"--{switched_off}{setting.name.replace('_', '-')}"


def _print_paths(out: Path) -> None:
    from learnet.study.action_units.files import METRICS_TABLE, SCORES_FILE

    console.paths(out / SCORES_FILE, out / METRICS_TABLE)


def print_result(out: Path, result: "ActionUnitResult") -> None:
    """Print the scores of all units, published scores, and what must be known to read them."""
    metrics = result.metrics
    clips, people = counted(metrics.clips, "clip"), counted(metrics.people, "person", "people")
    title = f"{out.name}: action units in {clips} of {people}"
    if metrics.averaged:
        _print_scores(title, metrics)
    else:
        console.out.print(f"{title}.", markup=False)
    if result.description.leak:
        console.leak_warning(out.name, result.description.leak)
    for note in _notes(metrics, result.description):
        console.out.print(note, markup=False)
    _print_published(result)


def _print_scores(title: str, metrics: "ActionUnitMetrics") -> None:
    """Print the scores of the units that have some, and their means."""
    from learnet.metrics.action_units import MEASURE_NAMES

    headings = [name.replace(" ", "\n") for name in MEASURE_NAMES.values()]
    columns = ["AU", "clips", "people", *headings, "right\nside"]
    scored = [unit for unit in metrics.units if unit.measures]
    console.table(title, columns, map(_unit_row, scored))
    console.out.print(
        "AP: average precision. F1: at the threshold of each unit. Matched F1: as many clips are named as "
        "were annotated. Right side: of the clips annotated on one side, those whose score is larger there.",
        markup=False,
    )
    means = f"Mean of {counted(len(metrics.averaged), 'unit')} [95 % interval over people]"
    console.table(means, ["measure", "mean", "interval", "chance"], _mean_rows(metrics))


def _unit_row(unit: "UnitMetrics") -> list[str]:
    from learnet.study.action_units.files import unit_name

    values = [f"{score.value:.3f}" for score in unit.measures.values()]
    side = f"{unit.right_side}/{unit.one_sided}" if unit.one_sided else "–"
    counts = [str(unit.positive), str(unit.people)]
    return [f"{unit.unit} {unit_name(unit.unit)}", *counts, *values, side]


def _mean_rows(metrics: "ActionUnitMetrics") -> Iterator[list[str]]:
    """Yield the mean of each measure, its interval, and what scores drawn at random expect."""
    from learnet.metrics.action_units import MEASURE_NAMES
    from learnet.metrics.scores import interval_text

    prevalences = [unit.prevalence for unit in metrics.units if unit.measures]
    for measure, score in metrics.mean.items():
        prevalence = f"{sum(prevalences) / len(prevalences):.3f}"
        chance = {"auc": "0.500", "f1": "–"}.get(measure, prevalence)
        interval = interval_text(score.low, score.high)
        yield [MEASURE_NAMES[measure], f"{score.value:.3f}", interval, chance]
    if metrics.one_sided:
        share = metrics.right_side / metrics.one_sided
        right = f"{metrics.right_side} of {metrics.one_sided}"
        yield ["right side", f"{share:.3f}", right, "0.500"]


def _notes(metrics: "ActionUnitMetrics", description: "ActionUnitDescription") -> Iterator[str]:
    """Yield what must be known to read the table."""
    if unscored := _unscored_units(metrics):
        beginning = "Not scored" if metrics.averaged else "No unit can be scored"
        needed = "A score needs clips that show the unit and clips that do not."
        yield f"{beginning}: {'; '.join(unscored)}. {needed}"
    rare = [f"AU {unit.unit}" for unit in metrics.units if unit.measures and unit.people < FEW_PEOPLE]
    if rare:
        yield f"Fewer than {FEW_PEOPLE} people show {', '.join(rare)}: these scores say little."
    if description.not_scored:
        parts = [f"AU {unit} ({counted(n, 'clip')})" for unit, n in description.not_scored.items()]
        yield f"Annotated units without scores: {', '.join(parts)}."
    if description.left_out:
        verb = "has" if description.left_out == 1 else "have"
        yield f"{counted(description.left_out, 'clip')} {verb} no annotated units and {verb} no part in this."
    if description.still_clips:
        number = counted(len(description.still_clips), "clip")
        yield f"Nothing moves above the noise in {number}: all scores are 0 there (action_units.csv, reason)."
    if description.untrusted_clips:
        number = counted(len(description.untrusted_clips), "clip")
        yield (
            f"The head moves too far in {number}: the action units are not to be trusted there "
            "(action_units.csv, reason)."
        )


def _unscored_units(metrics: "ActionUnitMetrics") -> list[str]:
    """Return the units without scores by the reason: `no clip shows AU 2, 5`, `every clip shows AU 4`."""
    units_of: dict[str, list[int]] = {}
    for unit in metrics.units:
        if unit.measures:
            continue
        kind = "clip" if unit.clips == metrics.clips else "clip with a score"
        quantity = "every" if unit.positive else "no"
        units_of.setdefault(f"{quantity} {kind} shows", []).append(unit.unit)
    return [f"{reason} AU {', '.join(map(str, units))}" for reason, units in units_of.items()]


def _print_published(result: "ActionUnitResult") -> None:
    """Print the mean F1 over the units of the published scores, and beside it those."""
    from learnet.metrics.published_action_units import (
        CAVEAT,
        PUBLISHED_ACTION_UNITS,
        PUBLISHED_UNITS,
        published_databases,
    )

    rows = []
    for measure, name in (("f1", "F1"), ("f1_matched", "matched F1")):
        mean = result.metrics.mean_of(measure, PUBLISHED_UNITS)
        if mean is None:
            return
        value, number = mean
        some = "" if number == len(PUBLISHED_UNITS) else f" ({number} of these units)"
        rows.append([f"{result.description.study}, {name}{some}", f"{value:.3f}"])
    people = {person for fold in result.description.folds for person in fold.test_people}
    databases = published_databases({person.partition("/")[0] for person in people})
    for row in rows:
        row += ["–"] * (len(databases) + 1)
    for entry in PUBLISHED_ACTION_UNITS:
        of_databases = [f"{entry.of_database[name]:.3f}" for name in databases]
        rows.append([f"{entry.method} ({entry.year})", "–", *of_databases, f"{entry.f1:.3f}"])
    columns = ["mean F1", "these clips", *(f"{name}, published" for name in databases), "CD6ME, published"]
    title = f"Published mean F1 of AU {', '.join(map(str, PUBLISHED_UNITS))}"
    console.table(title, columns, rows)
    console.out.print(CAVEAT, markup=False)
