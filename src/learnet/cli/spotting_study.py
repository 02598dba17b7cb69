"""What `learnet study --task spotting` does and prints."""

from collections.abc import Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING

from learnet.cli import console
from learnet.cli.action_units import changed_options
from learnet.cli.score_spotting import print_report
from learnet.core.errors import LearnetError
from learnet.core.output_checks import check_outside
from learnet.core.settings import Resources, Study, Training
from learnet.study.spotting.settings import SpottingSettings

if TYPE_CHECKING:
    from learnet.study.spotting.run import SpottingStudyResult

UNDEFINED = "–"


def study_spotting(
    folders: Sequence[Path],
    given: Mapping[str, bool],
    others: tuple[Study, Training, Resources],
    spotting: SpottingSettings,
) -> None:
    """Spot movements in the recordings of a database, and print the tables.

    Args:
        folders: name of the database, its folder, and the study folder.
        given: other options, and whether they were given.
        others: settings of recognition, of which only the number of processes applies.
        spotting: settings of spotting.
    """
    study, training, resources = others
    unused = [option for option, is_given in given.items() if is_given]
    for settings in (study, training):
        unused += changed_options(settings, ())
    unused += changed_options(resources, ("jobs",))
    if unused:
        verb, it = ("has", "it") if len(unused) == 1 else ("have", "them")
        raise LearnetError(f"{', '.join(unused)} {verb} no effect on --task spotting.", f"Leave {it} out.")
    if len(folders) != 3:
        raise LearnetError(
            "--task spotting takes the name of a database, its folder and the study folder to write.",
            "Example: learnet study --task spotting samm-lv SAMM_LV OUT.",
        )
    from learnet.study.spotting.run import run_spotting_study

    name, root, out = folders
    check_outside(out, [root])
    with console.bar("Spotting") as progress:
        result = run_spotting_study(str(name), root, out, spotting, resources.jobs, progress)
    _print_result(result)
    _print_paths(out)


def refuse_spotting_options(spotting: SpottingSettings) -> None:
    """Raise an error if options of spotting were given for another task."""
    for setting in fields(spotting):
        if getattr(spotting, setting.name) != setting.default:
            raise LearnetError(f"--{setting.name} applies to --task spotting only.", "Leave it out.")


def _print_result(result: "SpottingStudyResult") -> None:
    """Print the scores, those of each person, and how the thresholds were chosen."""
    print_report(result.report)
    rows = []
    for person in result.people:
        scores, thresholds = person.scores, person.thresholds
        counts = [scores.hits, scores.false_alarms, scores.misses, _f1(scores.f1)]
        chosen = [f"{thresholds.noise_factor:g}", f"{thresholds.min_px:g}"]
        times = [f"{person.duration_s:.0f}", f"{person.unjudged_s:.0f}"]
        rows.append([person.subject, *times, *counts, *chosen])
    columns = ["subject", "seconds", "unjudged", "hits", "false", "missed", "F1", "noise", "px"]
    console.table(f"People ({result.description.convention})", columns, rows)
    console.out.print(_threshold_note(result), markup=False)
    if result.description.weights:
        console.out.print(
            f"Recognised by {result.description.weights}, trained without these people, in the classes of "
            f"{result.description.classes}.",
            markup=False,
        )


def _threshold_note(result: "SpottingStudyResult") -> str:
    if result.description.thresholds == "shipped":
        return "Thresholds: as shipped; they know none of these people."
    return (
        f"Thresholds: for each person, of {len(result.description.candidates)} candidates the one with the "
        f"highest F1 on all other people. With the shipped ones F1 is {_f1(result.shipped_f1)}."
    )


def _f1(value: float | None) -> str:
    return UNDEFINED if value is None else f"{value:.4f}"


def _print_paths(out: Path) -> None:
    from learnet.study.spotting.files import LOG_FILE, PEOPLE_FILE, SCORES_TABLE

    console.paths(out / LOG_FILE, out / PEOPLE_FILE, out / SCORES_TABLE)
