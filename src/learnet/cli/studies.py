"""Commands that train, score and report."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from learnet.cli import console
from learnet.cli.app import STUDIES, Flat, app
from learnet.core.errors import LearnetError, counted
from learnet.core.network_info import NETWORK_HELP
from learnet.core.output_checks import check_outputs
from learnet.core.settings import Resources, Study, Training

NetworkName = Parameter(help=NETWORK_HELP)


@app.command(group=STUDIES)
def study(
    *folders: Path,
    study: Annotated[Study, Flat] = Study(),
    training: Annotated[Training, Flat] = Training(),
    resources: Annotated[Resources, Flat] = Resources(),
    choice: Path | None = None,
) -> None:
    """Train and test a network on people it has not seen, and keep every answer.

    Parameters
    ----------
    folders
        Prepared folders, and last the study folder to write. Several prepared folders are pooled: every network learns from
        all of them. A study that was killed goes on where it stopped.
    choice
        Folder of `learnet choose`: each person's network is trained with the settings chosen on other people. Other settings of training
        are then those that the choice was made with.
    """
    _check_protocol(study)
    from learnet.study.candidates import read_selection
    from learnet.study.run import run_study

    prepared, out = _last_written(folders, "the study folder")
    chosen = read_selection(choice) if choice else None
    with console.bar(f"Training {study.network}") as progress:
        summary = run_study(prepared, out, study, training, resources, progress, chosen)
    _show_scores(out, summary)
    console.paths(out / "outcomes.csv", out / "metrics.json")


@app.command(group=STUDIES)
def select_settings(
    *folders: Path,
    candidates: Path,
    network: Annotated[str, NetworkName] = "learnet",
    classes: str = "auto",
    groups: int = 5,
    seeds: int = 1,
    training: Annotated[Training, Flat] = Training(),
    resources: Annotated[Resources, Flat] = Resources(),
) -> None:
    """Choose training settings for each person by what they are worth on other people; `learnet study --choice` then uses them.

    Parameters
    ----------
    folders
        Prepared folders, and last the folder to write. A choice that was killed goes on where it stopped.
    candidates
        TOML file with a table of training settings for each candidate (docs/protocols.md).
    classes
        Class scheme, as in `learnet study`.
    groups
        Groups of people. Each two of them are left out once, so 5 groups are 10 trainings a candidate.
    seeds
        Runs with different random numbers, whose scores are averaged.
    """
    from learnet.study.selection import select_settings as compare

    prepared, out = _last_written(folders, "the folder of the choice")
    asked = Study(
        network=network, classes=classes, protocol="groups", groups=groups, seeds=seeds, keep_weights=False
    )
    with console.bar(f"Comparing settings of {network}") as progress:
        choice = compare(prepared, out, candidates, asked, training, resources, progress)
    short = {group: group.removeprefix("group-") for group in choice.groups}
    rows = []
    for name in choice.candidates:
        taken = [short[group] for group in choice.groups if choice.taken(group) == name]
        rows.append(
            [name, *(f"{choice.scores[group][name]:.3f}" for group in choice.groups), ", ".join(taken)]
        )
    title = "UF1 of each candidate for the people of each group: on the other groups only, by networks that know neither"
    console.table(title, ["candidate", *short.values(), "taken for"], rows)
    console.paths(out / "choice.json")


def _check_protocol(study: Study) -> None:
    """Refuse settings in which the protocol has no say; a recipe, which has several protocols, may carry them."""
    for name, protocols in (
        ("groups", ("groups", "leaky-clips")),
        ("train_on", ("across",)),
        ("test_on", ("across",)),
    ):
        if getattr(study, name) != getattr(Study, name) and study.protocol not in protocols:
            asked = f"--{name.replace('_', '-')}"
            raise LearnetError(
                f"{asked} means nothing to --protocol {study.protocol}.",
                f"It is for {' and '.join(protocols)}.",
            )


def _show_scores(out: Path, summary: dict) -> None:
    """The table of a study that was written to OUT, and how many clips it does not count."""
    console.scores([(out.name, summary)])
    record = json.loads((out / "study.json").read_text(encoding="utf-8"))
    if left := record["left_out"]:
        number = sum(left.values())
        words = ", ".join(f"{emotion} {count}" for emotion, count in left.items())
        scheme = record["scheme"]["name"]
        console.out.print(
            f"{counted(number, 'clip')} {'has' if number == 1 else 'have'} no class in {scheme}: {words}.",
            markup=False,
        )


@app.command(group=STUDIES)
def train(
    *folders: Path,
    network: Annotated[str, NetworkName] = "learnet",
    classes: str = "auto",
    half: bool = False,
    tensorboard: Path | None = None,
    device: Literal["auto", "cpu", "cuda"] = "auto",
    training: Annotated[Training, Flat] = Training(),
) -> None:
    """Train one network on everybody in one prepared folder or several, to use on other people.

    Parameters
    ----------
    folders
        Prepared folders, and last the checkpoint to write (.safetensors).
    classes
        Class scheme, as in `learnet study`.
    half
        Write the numbers in half precision: half the file, three digits.
    tensorboard
        Folder to write the loss of each epoch to, where TensorBoard is installed.
    device
        Where to train: cuda (a GPU), cpu, or auto (a GPU if there is one).
    """
    from learnet.study.run import train_on_all
    from learnet.training.tensorboard import write_losses, writer

    prepared, weights = _last_written(folders, "the weights")
    if weights.suffix.lower() != ".safetensors":
        raise LearnetError(
            f"{weights}: weights are written as safetensors.", "Name a file that ends in .safetensors."
        )
    check_outputs([weights], [])
    events = writer(tensorboard) if tensorboard else None
    with console.bar(f"Training {network}") as progress:
        about = train_on_all(
            prepared, weights, Study(network=network, classes=classes), training, progress, half, device
        )
    if events:
        write_losses(events, [float(loss) for loss in about["losses"].split()])
    console.out.print(f"{network} learned {about['classes']} from {about['clips']} clips of {about['people']} people. "
                      "What it scores on people it has not seen, `learnet study` tells.")  # fmt: skip
    console.paths(weights)


def _last_written(folders: Sequence[Path], written: str) -> tuple[Path | Sequence[Path], Path]:
    """What is read, one folder or several, and the place that is written, which stands last."""
    if len(folders) < 2:
        raise LearnetError(
            f"Two places are needed at least: a prepared folder, and {written} to write.",
            "The one to write stands last.",
        )
    *read, out = folders
    return read[0] if len(read) == 1 else read, out


@app.command(group=STUDIES)
def evaluate(prepared: Path, out: Path, /, *, weights: Path | None = None, classes: str = "auto") -> None:
    """Score given weights on a prepared folder; nothing is trained.

    Parameters
    ----------
    prepared
        Prepared folder.
    out
        Study folder to write.
    weights
        Checkpoint of `learnet train`, or of a fold, or the name of weights that come with learnet. Where none are named those that fit the
        images answer: ststnet-flow-28 flow, learnet-image-112 dynamic images of the usual preparation (docs/pretrained.md).
    classes
        Class scheme; the weights must know all its classes.
    """
    from learnet.study.evaluate import evaluate as score

    with console.bar("Scoring") as progress:
        summary = score(prepared, weights, out, classes, progress)
    _show_scores(out, summary)
    if weights is None:
        answered = json.loads((out / "study.json").read_text(encoding="utf-8"))["settings"]["weights"]
        told = "which come with learnet and have learned from simulated images alone (docs/pretrained.md)"
        console.out.print(f"Answered by {Path(answered).stem}, {told}.", markup=False)
    console.paths(out / "outcomes.csv", out / "metrics.json")


@app.command(group=STUDIES)
def export(
    weights: Path,
    out: Path,
    /,
    *,
    precision: Literal["float32", "float16", "int8"] = "float32",
    images: Path | None = None,
    opset: int = 18,
) -> None:
    """Write weights as an ONNX file, which runs without torch. It is compared with torch before it is kept.

    Parameters
    ----------
    weights
        Checkpoint of `learnet train`, or of a fold.
    out
        File to write (.onnx).
    precision
        Numbers of the network: float32, float16 (half the size) or int8 (a quarter; needs --images). What the last two
        lose in agreement is measured, told, and kept in the file.
    images
        Prepared folder to compare on. Without one, only random images are compared.
    opset
        Version of ONNX's operators; 18 is read everywhere, later ones need a later onnxruntime.
    """
    from learnet.inference.onnx_export import export_onnx

    check_outputs([out], [weights])
    done = export_onnx(weights, out, precision, images, opset)
    rows = [
        [f"{a.images} {a.kind} images", f"{a.logits:.2g}", f"{a.probabilities:.2g}", f"{a.labels:.3f}"]
        for a in done.agreements
    ]
    title = f"{precision}, opset {done.opset}, {done.size_bytes / 1e6:.3g} MB: against torch"
    console.table(title, ["compared on", "logits differ by", "probabilities differ by", "same label"], rows)
    if images is None:
        console.out.print("Only random images were compared; --images PREPARED names others.")
    console.paths(out)


@app.command(group=STUDIES)
def report(
    *studies: Path,
    compare: Path | None = None,
    out: Path | None = None,
    show_faces: bool = False,
    explained: int = 4,
    anonymous: bool = False,
) -> None:
    """Write one self-contained HTML page about one study, or about several over the same clips (docs/report.md).

    Parameters
    ----------
    studies
        Study folders. Two are compared by paired tests.
    compare
        Another study over the same clips, to stand beside the one that is named.
    out
        Page to write; report.html in the first study folder if not named. The numbers of its figures go into a folder beside it.
    show_faces
        Show onset faces too, except those whose licence forbids it.
    explained
        Clips of which it is drawn where the network looked, if the study kept its weights; some seconds each.
    anonymous
        Leave out motion images, which can show the edges of a face; where the network looked is drawn on an average face in lines.
    """
    from learnet.report.page import write_report

    if not studies:
        raise LearnetError("No study is named.", "Name at least one study folder.")
    if compare and len(studies) != 1:
        raise LearnetError(
            "--compare sets one study beside one other.",
            "Name one before it, or all of them without --compare.",
        )
    if explained < 0:
        raise LearnetError(f"{explained} clips cannot be explained.", "Name 0 or more.")
    if show_faces and anonymous:
        raise LearnetError("A face cannot be shown and hidden.", "Give --show-faces or --anonymous.")
    check_outputs([out], [])
    together = [*studies, *([compare] if compare else [])]
    console.paths(write_report(together, out or studies[0] / "report.html", show_faces, explained, anonymous))
