"""Commands that train, score and report."""

from pathlib import Path
from typing import Annotated

from learnet import console
from learnet.cli.app import STUDIES, Flat, app
from learnet.errors import LearnetError
from learnet.settings import Study, Training


@app.command(group=STUDIES)
def study(
    prepared: Path,
    out: Path,
    /,
    *,
    study: Annotated[Study, Flat] = Study(),  # noqa: B008
    training: Annotated[Training, Flat] = Training(),  # noqa: B008
    jobs: int = -1,
    cluster: str | None = None,
) -> None:
    """Train and test a network on people it has not seen, and keep every answer.

    Parameters
    ----------
    prepared
        Prepared folder.
    out
        Study folder to write. A study that was killed goes on where it stopped.
    jobs
        Processes; -1 is one per core.
    cluster
        Train on the workers of this Dask scheduler instead: tcp://HOST:PORT. See docs/cluster.md.
    """
    from learnet.study import run_study

    with console.bar(f"Training {study.network}") as progress:
        summary = run_study(prepared, out, study, training, jobs=jobs, cluster=cluster, progress=progress)
    console.scores([(out.name, summary)])
    console.paths(out / "outcomes.csv", out / "metrics.json")


@app.command(group=STUDIES)
def train(
    prepared: Path,
    weights: Path,
    /,
    *,
    network: str = "learnet",
    classes: str = "auto",
    training: Annotated[Training, Flat] = Training(),  # noqa: B008
) -> None:
    """Train one network on everybody in a prepared folder, to use on other people.

    Parameters
    ----------
    prepared
        Prepared folder.
    weights
        Checkpoint to write (.safetensors).
    network
        Network: learnet, learnet-paper, resnet18, linear-svm or majority.
    classes
        Class scheme, as in `learnet study`.
    """
    from learnet.study import train_on_all

    with console.bar(f"Training {network}") as progress:
        about = train_on_all(prepared, weights, Study(network=network, classes=classes), training, progress)
    console.out.print(f"{network} learned {about['classes']} from {about['clips']} clips of {about['people']} people. "
                      "What it scores on people it has not seen, `learnet study` tells.")  # fmt: skip
    console.paths(weights)


@app.command(group=STUDIES)
def evaluate(prepared: Path, out: Path, /, *, weights: Path, classes: str = "auto") -> None:
    """Score given weights on a prepared folder; nothing is trained.

    Parameters
    ----------
    prepared
        Prepared folder.
    out
        Study folder to write.
    weights
        Checkpoint of `learnet train`, or of a fold.
    classes
        Class scheme; its classes must be those of the weights.
    """
    from learnet.evaluate import evaluate as score

    with console.bar("Scoring") as progress:
        summary = score(prepared, weights, out, classes, progress)
    console.scores([(out.name, summary)])
    console.paths(out / "outcomes.csv", out / "metrics.json")


@app.command(group=STUDIES)
def report(*studies: Path, out: Path | None = None, show_faces: bool = False) -> None:
    """Write one self-contained HTML page about one study, or about several over the same clips.

    Parameters
    ----------
    studies
        Study folders.
    out
        Page to write; report.html in the first study folder if not named.
    show_faces
        Show onset faces too, except those whose licence forbids it.
    """
    from learnet.report import write_report

    if not studies:
        raise LearnetError("No study is named.", "Name at least one study folder.")
    console.paths(write_report(list(studies), out or studies[0] / "report.html", show_faces=show_faces))
