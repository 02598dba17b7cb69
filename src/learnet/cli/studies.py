"""Commands that train, evaluate and report."""

from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from learnet.cli import console
from learnet.cli.action_units import (
    evaluate_action_units,
    refuse_class_options,
    study_action_units,
    train_action_units,
)
from learnet.cli.app import STUDIES, Flat, app
from learnet.cli.spotting_study import refuse_spotting_options, study_spotting
from learnet.core.errors import LearnetError, OutputTaken, counted
from learnet.core.network_info import NETWORK_HELP, network_info, uses_setting
from learnet.core.output_checks import HTML, SAFETENSORS, check_outputs
from learnet.core.settings import Resources, Study, Training
from learnet.study.shipped import CANDIDATES, shipped_names
from learnet.study.spotting.settings import SpottingSettings

if TYPE_CHECKING:
    from learnet.metrics.study_metrics import StudyMetrics
    from learnet.study.candidates import Selection

NetworkName = Parameter(help=NETWORK_HELP)
CandidatesFile = Parameter(
    help="TOML file with a table of training settings for each candidate (docs/protocols.md), "
    f"or a name: {', '.join(shipped_names(CANDIDATES))}."
)


@app.command(group=STUDIES)
def study(  # noqa: PLR0913 (options)
    *folders: Path,
    study: Annotated[Study, Flat] = Study(),
    training: Annotated[Training, Flat] = Training(),
    resources: Annotated[Resources, Flat] = Resources(),
    selection: Path | None = None,
    target: Literal["emotions", "action-units"] = "emotions",
    task: Literal["recognition", "spotting"] = "recognition",
    spotting: Annotated[SpottingSettings, Flat] = SpottingSettings(),
) -> None:
    """Train and test a network on disjoint sets of people, and save every prediction.

    Parameters
    ----------
    folders
        Prepared folders, followed by the study folder to write. Several prepared folders are pooled: each
        network is trained on all of them. An interrupted study continues where it stopped.
    selection
        Folder of `learnet select`, or of a study with a selection: each fold uses the training settings that
        were selected on other people. No other training settings may be given then.
    target
        What is recognised: emotions, or action-units (docs/action-units.md), which are learned by one linear
        model per unit with fixed settings. Then --network and all settings of training but --seed do not
        apply.
    task
        What is studied: recognition in the clips of prepared folders, or spotting in the long recordings of a
        database (docs/spotting.md): then the arguments are its name, its folder and the study folder to
        write, as in `samm-lv SAMM_LV OUT`, and only --jobs, --thresholds, --part and --weights apply.
    """
    if task == "spotting":
        given = {"--selection": selection is not None, "--target": target != "emotions"}
        study_spotting(folders, given, (study, training, resources), spotting)
        return
    refuse_spotting_options(spotting)
    _check_protocol(study)
    if target == "action-units":
        if selection:
            raise LearnetError("--selection has no effect on --target action-units.", "Leave it out.")
        study_action_units(*_split_last(folders, "the study folder"), study, training, resources)
        return
    from learnet.study.candidates import selected_training
    from learnet.study.run import run_study
    from learnet.study.selection import read_selection

    prepared, out = _split_last(folders, "the study folder")
    settings = selected_training(read_selection(selection), training) if selection else training
    _note_unused_settings(study.network, training)
    with console.bar(f"Training {study.network}") as progress:
        summary = run_study(prepared, out, study, settings, resources, progress)
    _print_scores(out, summary)
    console.paths(out / "outcomes.csv", out / "metrics.json")


@app.command(group=STUDIES)
def select(  # noqa: PLR0913 (options)
    *folders: Path,
    candidates: Annotated[Path, CandidatesFile],
    network: Annotated[str, NetworkName] = "learnet",
    classes: str = "auto",
    groups: int = 5,
    seeds: int = 1,
    distinct_people: bool = False,
    shared_images: bool = False,
    training: Annotated[Training, Flat] = Training(),
    resources: Annotated[Resources, Flat] = Resources(),
) -> None:
    """Select training settings for each person by their scores on other people, for use in `learnet study`.

    Parameters
    ----------
    folders
        Prepared folders, followed by the folder to write. An interrupted selection continues where it
        stopped.
    classes
        Class scheme, as in `learnet study`.
    groups
        Number of groups of people. Each pair of groups is left out once: 5 groups take 10 trainings per
        candidate.
    seeds
        Number of runs with different random seeds; their scores are averaged.
    distinct_people
        People whose names may be two spellings of one person are different people, as in `learnet study`.
    shared_images
        Images that two people have are not refused, as in `learnet study`.
    """
    from learnet.study.candidates import identical_candidates, read_candidates
    from learnet.study.outcomes import read_outcomes
    from learnet.study.selection import TRAININGS, select_settings

    prepared, out = _split_last(folders, "the folder of the selection")
    settings = Study(
        network=network,
        protocol="groups",
        groups=groups,
        classes=classes,
        seeds=seeds,
        distinct_people=distinct_people,
        shared_images=shared_images,
        keep_weights=False,
    )
    compared = read_candidates(candidates, training)
    with console.bar(f"Comparing settings of {network}") as progress:
        selection = select_settings(prepared, out, compared, settings, resources, progress)
    _print_selection(selection)
    for earlier, later in identical_candidates(read_outcomes(out / TRAININGS)):
        note = f"learnet: {earlier} and {later} gave the same predictions: they do not differ in effect."
        console.err.print(note, markup=False)
    console.paths(out / "choice.json")


def _print_selection(selection: "Selection") -> None:
    """Print the score of each candidate for each group of people."""
    short_names = {group: group.removeprefix("group-") for group in selection.groups}
    rows = []
    for candidate in selection.candidates:
        scores = [f"{selection.scores[group][candidate]:.3f}" for group in selection.groups]
        groups = [group for group in selection.groups if selection.selected[group] == candidate]
        selected_for = [short_names[group] for group in groups]
        rows.append([candidate, *scores, ", ".join(selected_for)])
    title = (
        "UF1 of each candidate for each group of people, "
        "measured on the other groups by networks trained on neither"
    )
    console.table(title, ["candidate", *short_names.values(), "selected for"], rows)


def _check_protocol(study: Study) -> None:
    """Refuse settings that the protocol ignores. A recipe has several protocols and may contain them."""
    drawn = ("groups", "leaky-clips")
    used_by = {"groups": drawn, "repeated_splits": drawn, "train_on": ("across",), "test_on": ("across",)}
    for name, protocols in used_by.items():
        if getattr(study, name) != getattr(Study, name) and study.protocol not in protocols:
            option = f"--{name.replace('_', '-')}"
            raise LearnetError(
                f"{option} has no effect on --protocol {study.protocol}.",
                f"It applies to {' and '.join(protocols)}.",
            )


def _note_unused_settings(network: str, training: Training) -> None:
    """Say which of the settings that were given a network does not use."""
    unused = []
    for setting in fields(Training):
        is_given = getattr(training, setting.name) != setting.default
        if is_given and not uses_setting(network, setting.name):
            unused.append(f"--{setting.name.replace('_', '-')}")
    if not unused:
        return
    effect = "has no effect" if len(unused) == 1 else "have no effect"
    without_epochs = network_info(network).non_iterative
    how = "fitted in one step, without epochs" if without_epochs else "trained by gradient descent"
    console.err.print(f"learnet: {network} is {how}: {', '.join(unused)} {effect}.", markup=False)


def _print_scores(out: Path, summary: "StudyMetrics") -> None:
    """Print the scores of a study, and how many clips have no class."""
    from learnet.study.description import read_description

    description = read_description(out)
    leaks = {out.name: description.leak} if description.leak else {}
    console.scores([(out.name, summary)], leaks)
    left_out = description.left_out
    if left_out:
        number = sum(left_out.values())
        emotions = ", ".join(f"{emotion} {count}" for emotion, count in left_out.items())
        verb = "has" if number == 1 else "have"
        scheme = description.scheme.name
        console.out.print(f"{counted(number, 'clip')} {verb} no class in {scheme}: {emotions}.", markup=False)


@app.command(group=STUDIES)
def train(  # noqa: PLR0913 (options)
    *folders: Path,
    network: Annotated[str, NetworkName] = "learnet",
    classes: str = "auto",
    target: Literal["emotions", "action-units"] = "emotions",
    half: bool = False,
    tensorboard: Path | None = None,
    device: Literal["auto", "cpu", "cuda"] = "auto",
    training: Annotated[Training, Flat] = Training(),
) -> None:
    """Train one network on all people of one or several prepared folders, for use on other people.

    Parameters
    ----------
    folders
        Prepared folders, followed by the checkpoint to write (.safetensors); a new file.
    classes
        Class scheme, as in `learnet study`.
    target
        What is recognised: emotions, or action-units (docs/action-units.md), from flow images that have them.
    half
        Write the weights in half precision: half the file size, three significant digits.
    tensorboard
        Folder for the loss of each epoch, if TensorBoard is installed.
    device
        Device: cuda (a GPU), cpu, or auto (a GPU if there is one).
    """
    from learnet.study.train_on_all import train_on_all
    from learnet.training.tensorboard import write_losses, writer

    prepared, weights = _split_last(folders, "the weights")
    check_outputs([(weights, SAFETENSORS)], [])
    if weights.is_file():
        raise OutputTaken(weights, "this file is there already", "Name a new file, or remove this one.")
    if target == "action-units":
        refuse_class_options(classes, tensorboard, device)
        train_action_units(prepared, weights, network, training, half)
        return
    _note_unused_settings(network, training)
    events = writer(tensorboard) if tensorboard else None
    with console.bar(f"Training {network}") as progress:
        result = train_on_all(prepared, Study(network=network, classes=classes), training, progress, device)
    result.save(weights, half)
    if events:
        write_losses(events, result.trained.losses)
    clips, people = len(result.data.rows), len(set(result.data.people))
    console.out.print(
        f"{network}: trained on {clips} clips of {people} people ({', '.join(result.data.scheme.classes)}). "
        "Use `learnet study` to estimate its scores on other people.",
        markup=False,
    )
    console.paths(weights)


def _split_last(folders: Sequence[Path], output: str) -> tuple[Path | Sequence[Path], Path]:
    """Return the inputs, one path or several, and the output, which is the last of the paths."""
    if len(folders) < 2:
        raise LearnetError(
            f"At least two paths are needed: a prepared folder, and {output} to write.",
            "The path to write is the last one.",
        )
    *inputs, out = folders
    return inputs[0] if len(inputs) == 1 else inputs, out


@app.command(group=STUDIES)
def evaluate(
    prepared: Path,
    out: Path,
    /,
    *,
    weights: Path | None = None,
    classes: str = "auto",
    action_units: Annotated[bool, Parameter(negative=())] = False,
) -> None:
    """Evaluate trained weights on a prepared folder, without training.

    Parameters
    ----------
    prepared
        Prepared folder.
    out
        Study folder to write.
    weights
        Checkpoint of `learnet train` or of a fold, or the name of shipped weights. Default for
        flow images: mlp-cnn-flow-28 (docs/pretrained.md); with --action-units, action-units-flow-28.
    classes
        Class scheme; the weights must know all of its classes. auto is the usual one of the clips, or the
        one that fits the weights where they do not know it.
    action_units
        Score action units against the codes of annotators instead of classes (docs/action-units.md).
    """
    if action_units:
        evaluate_action_units(prepared, out, weights, classes)
        return
    from learnet.study.description import EvaluationSettings, read_description
    from learnet.study.evaluate import evaluate as evaluate_weights

    with console.bar("Scoring") as progress:
        summary = evaluate_weights(prepared, weights, out, classes, progress)
    _print_scores(out, summary)
    description = read_description(out)
    settings, scheme = description.settings, description.scheme
    assert isinstance(settings, EvaluationSettings)
    if classes == "auto":
        console.out.print(f"Classes: {scheme.name} ({', '.join(scheme.classes)}).", markup=False)
    if settings.still_clips:
        _print_still_clips(settings.still_clips, "none" in scheme.classes)
    if weights is None:
        used = Path(settings.weights).stem
        console.out.print(
            f"Weights: {used}, shipped with learnet, trained on simulated images only (docs/pretrained.md).",
            markup=False,
        )
    console.paths(out / "outcomes.csv", out / "metrics.json")


def _print_still_clips(clips: Sequence[str], has_none: bool) -> None:
    """Say in how many clips nothing moves, and what that means for the scores."""
    answer = "they are answered none" if has_none else "their answers are guesses of the network"
    console.err.print(
        f"Nothing moves above the noise in {counted(len(clips), 'clip')}, so {answer} (clips.csv, still).",
        markup=False,
    )


@app.command(group=STUDIES)
def report(
    *studies: Path,
    compare: Path | None = None,
    out: Path | None = None,
    show_faces: bool = False,
    explained: int = 4,
    anonymous: bool = False,
) -> None:
    """Write a self-contained HTML page about one study, or about several over the same clips
    (docs/report.md).

    Parameters
    ----------
    studies
        Study folders. Two studies are compared by paired tests.
    compare
        Another study over the same clips, to compare with the first.
    out
        Page to write; by default report.html in the first study folder. The data of its figures are written
        to a folder beside it.
    show_faces
        Also show onset faces, except where the licence forbids it.
    explained
        Number of clips with attribution maps, if the study kept its weights; some seconds each.
    anonymous
        Omit motion images, which can show the edges of a face; draw attribution maps on an average line face.
    """
    from learnet.report.page import Wanted, write_records
    from learnet.report.study_record import read_records

    if not studies:
        raise LearnetError("No study is named.", "Name at least one study folder.")
    if compare and len(studies) != 1:
        raise LearnetError(
            "--compare takes one study before it.",
            "Name one study before --compare, or all studies without it.",
        )
    if explained < 0:
        raise LearnetError(f"--explained cannot be {explained}.", "Use 0 or more.")
    if show_faces and anonymous:
        raise LearnetError("--show-faces and --anonymous exclude each other.", "Use one of them.")
    check_outputs([(out, HTML)], [])
    folders = [*studies, compare] if compare else list(studies)
    page = out or studies[0] / "report.html"
    records = read_records(folders)
    console.paths(write_records(records, page, Wanted(show_faces, explained, anonymous)))
    for record in records:
        if record.leaky:
            console.leak_warning(record.name, record.leak)
        if record.unfinished:
            console.out.print(f"{record.name} is unfinished: {record.progress}.", markup=False)
