"""The `learnet` command: each function reads its options, makes one library call and shows the answer.

Heavy libraries are imported inside the commands, so that `learnet --help` answers at once.
"""

import errno
import json
import sys
from pathlib import Path
from typing import Annotated

from cyclopts import App, CycloptsError, Group, Parameter

from learnet import __version__, console
from learnet.errors import LearnetError, pick
from learnet.settings import Preparation, Study, Training, Windows

app = App(
    name="learnet",
    version=__version__,
    help="Name the micro-expression in a video of a face: dynamic images, LEARNet, and studies that cannot leak.\n\n"
    "A study goes: audit a database, prepare it, study it, report. `learnet demo OUT` does all of it on synthetic faces.",
)
DATA = Group("Data", sort_key=1)
STUDIES = Group("Studies", sort_key=2)
VIDEO = Group("Your own video", sort_key=3)
PLACES = (errno.ENOTDIR, errno.EISDIR, errno.ENOENT)  # an output named where there can be none
Flat = Parameter(name="*")  # a settings record gives one option per field


@app.command(group=STUDIES)
def demo(out: Path, /, *, people: int = 12, epochs: int = 40, seed: int = 0, jobs: int = -1) -> None:
    """Run the whole line once on a synthetic database: make it, audit, prepare, study, report, train, recognise a stranger.

    Parameters
    ----------
    out
        Folder to write everything to; new or empty.
    people
        Synthetic people in the database.
    epochs
        Epochs of LEARNet in each fold.
    seed
        Seed of the database and of the training.
    jobs
        Processes; -1 is one per core.
    """
    from learnet.datasets.synthetic import synthetic_video
    from learnet.errors import OutputTaken

    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise OutputTaken(out, "something is there already", "Name an empty or a new folder.")
    out.mkdir(parents=True, exist_ok=True)
    data, prepared, weights, stranger = out / "casme2", out / "prepared", out / "learnet.safetensors", out / "stranger.mp4"
    raw = data / "CASME2_RAW"  # not the owners' crops: the stranger's face is cropped by us, so must be those the network learns from
    console.command(f"learnet synthesize {data} --layout casme2 --people {people} --seed {seed}")
    synthesize(data, people=people, seed=seed)
    console.command(f"learnet audit casme2 {data}")
    audit("casme2", data, check=False)
    console.command(f"learnet prepare casme2 {raw} {prepared}")
    prepare("casme2", raw, prepared, jobs=jobs)
    names = ("learnet", "linear-svm", "majority")
    for network in names:
        console.command(f"learnet study {prepared} {out / network} --network {network} --epochs {epochs} --seed {seed}")
        study(prepared, out / network, study=Study(network=network), training=Training(epochs=epochs, seed=seed), jobs=jobs)
    console.command(f"learnet report {' '.join(str(out / name) for name in names)} --out {out / 'report.html'}")
    report(*(out / name for name in names), out=out / "report.html")
    console.command(f"learnet train {prepared} {weights} --epochs {epochs} --seed {seed}")
    train(prepared, weights, training=Training(epochs=epochs, seed=seed))
    truth = synthetic_video(stranger, seed=seed + 1000, emotion="happiness")
    console.command(f"learnet predict {stranger} --weights {weights} --picture {out / 'stranger.png'}")
    predict(stranger, weights=weights, picture=out / "stranger.png")
    console.out.print(
        f"\nThe stranger, a synthetic person in no training fold, showed [bold]{truth.emotion}[/bold]. All faces here are synthetic."
    )
    console.scores([(name, json.loads((out / name / "metrics.json").read_text(encoding="utf-8"))) for name in names])
    console.paths(out / "report.html", weights, out / "stranger.png", out / "learnet" / "outcomes.csv")


@app.command(group=DATA)
def synthesize(out: Path, /, *, layout: str = "casme2", people: int = 12, clips: int = 6, seed: int = 0, jobs: int = -1) -> None:
    """Write a synthetic micro-expression database, laid out on disk as a real one.

    The faces are one public-domain portrait, reshaped and relit; the movements are facial action units with known answers.

    Parameters
    ----------
    out
        Folder to write; new or empty.
    layout
        Database whose layout is written: casme2.
    people
        Number of people.
    clips
        Expressions per person.
    seed
        The same seed gives the same bytes.
    jobs
        Processes; -1 is one per core.
    """
    from learnet.datasets.synthetic import synthesize as write

    with console.bar("Rendering clips") as progress:
        write(out, layout, people, clips, seed, jobs=jobs, progress=progress)
    console.paths(out)


@app.command(group=DATA)
def datasets() -> None:
    """List the databases that can be read, and where to ask for them."""
    from learnet.datasets import DATASETS

    rows = [[d.name, d.title, sum(d.published.values()) or "-", d.people or "-", d.classes, d.apply] for d in DATASETS.values()]
    console.table("Databases", ["name", "title", "clips", "people", "classes", "how to get it"], rows)


@app.command(group=DATA)
def audit(dataset: str, root: Path, /, *, csv: Path | None = None, check: bool = True) -> None:
    """Tell what a database folder holds and what is wrong with it. Exit code 1 if anything would change a result.

    Parameters
    ----------
    dataset
        Name of the database; `learnet datasets` lists them.
    root
        Folder of the database as it was unzipped.
    csv
        Also write every finding to this file.
    check
        Exit with code 1 on serious findings.
    """
    from learnet.datasets import DATASETS
    from learnet.datasets.audit import count_rows, finding_rows, write_audit_csv

    entry = pick(DATASETS, dataset, "dataset")
    reading = entry.read(root)
    console.table(f"{entry.title} in {root}", ["", "found"], reading.about.items())
    console.table("Clips per emotion", ["emotion", "clips", "people", "published"], count_rows(reading, entry))
    console.table("Findings", ["kind", "number", "serious", "first"], finding_rows(reading))
    if csv:
        write_audit_csv(reading, csv, entry)
        console.paths(csv)
    if check and any(finding.serious for finding in reading.findings):
        console.err.print("Some findings would change a result (serious: yes).")
        raise SystemExit(1)


@app.command(group=DATA)
def prepare(
    dataset: str,
    root: Path,
    out: Path,
    /,
    *,
    preparation: Annotated[Preparation, Flat] = Preparation(),  # noqa: B008
    face_model: Path | None = None,
    jobs: int = -1,
) -> None:
    """Turn every clip of a database, or of a folder of your own, into a motion image.

    Parameters
    ----------
    dataset
        Name of the database, or `folder` for clips of your own (docs/datasets/folder.md).
    root
        Folder of the database.
    out
        Prepared folder to write. A run that was killed goes on where it stopped.
    face_model
        The YuNet face model; without one the built-in Haar cascades are used.
    jobs
        Processes; -1 is one per core.
    """
    from learnet.datasets import DATASETS
    from learnet.prepare import prepare as fold

    reading = pick(DATASETS, dataset, "dataset").read(root)
    with console.bar("Folding clips") as progress:
        prepared = fold(reading, out, preparation, jobs=jobs, face_model=face_model, progress=progress)
    skipped = len(reading.clips) - len(prepared.clips)
    console.out.print(f"{len(prepared.clips)} motion images of {prepared.clips['person'].nunique()} people"
                      + (f"; {skipped} clips skipped, see {out / 'audit.csv'}" if skipped else ""))  # fmt: skip
    console.paths(out)


@app.command(name="import", group=DATA)
def import_(images: Path, labels: Path, out: Path, /, *, size: int | None = None, kind: str = "unknown") -> None:
    """Take motion images that you already have, with their labels, as a prepared folder.

    Parameters
    ----------
    images
        Folder of images.
    labels
        CSV with the columns image, subject, emotion, and optionally dataset and clip.
    out
        Prepared folder to write.
    size
        Resize to this many pixels; without it the images keep their size.
    kind
        What a mirrored face does to the images: image (they are flipped), flow (horizontal movement is the first channel
        and changes its sign), or unknown (nothing is ever mirrored).
    """
    from learnet.imported import import_images

    prepared = import_images(images, labels, out, size=size, kind=kind)
    console.out.print(
        f"{len(prepared.clips)} images of {prepared.clips['person'].nunique()} people, {prepared.images.shape[1]} pixels wide"
    )
    console.paths(out)


@app.command(group=STUDIES)
def study(
    prepared: Path,
    out: Path,
    /,
    *,
    study: Annotated[Study, Flat] = Study(),  # noqa: B008
    training: Annotated[Training, Flat] = Training(),  # noqa: B008
    jobs: int = -1,
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
    """
    from learnet.study import run_study

    with console.bar(f"Training {study.network}") as progress:
        summary = run_study(prepared, out, study, training, jobs=jobs, progress=progress)
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


@app.command(group=VIDEO)
def predict(
    video: Path,
    /,
    *,
    weights: Path,
    output: Path | None = None,
    csv: Path | None = None,
    picture: Path | None = None,
    windows: Annotated[Windows, Flat] = Windows(),  # noqa: B008
    fps: float | None = None,
    face_model: Path | None = None,
) -> None:
    """Name the micro-expression in VIDEO, one answer per window of time; JSON on stdout.

    Parameters
    ----------
    video
        Video file, or folder of images whose names end in their numbers.
    weights
        File written by `learnet train`.
    fps
        True frame rate, where the video is wrong about it; a folder of images carries none (25 is taken, and said).
    output
        Write the JSON to this file instead.
    csv
        Also write the answers as a table.
    picture
        Also draw the strongest answer: face crop, dynamic image and scores (.png, .svg or .pdf).
    face_model
        The YuNet face model; without one the built-in Haar cascades are used.
    """
    from learnet.outcomes import write_whole
    from learnet.predict import Recogniser

    if picture and picture.suffix.lower() not in (".png", ".svg", ".pdf"):  # said now, not after minutes of reading
        raise LearnetError(f"{picture}: {picture.suffix or 'no suffix'} is no format for a picture.", "Choose .png, .svg or .pdf.")
    with console.bar("Reading windows") as progress:
        recognition = Recogniser.load(weights, face_model)(video, windows, fps, progress)
    if output:
        write_whole(output, recognition.to_json() + "\n")
    else:
        sys.stdout.write(recognition.to_json() + "\n")
    if csv:
        write_whole(csv, recognition.to_csv())
    if picture:
        from learnet.picture import save_answer

        save_answer(recognition, picture)
    console.paths(*(path for path in (output, csv, picture) if path), to=console.err)


@app.command(name="face-model", group=VIDEO)
def face_model(to: Path | None = None, /) -> None:
    """Fetch the YuNet face model (Apache-2.0, 230 kB) and check its SHA-256. The only command that uses the network.

    Parameters
    ----------
    to
        File to write; without it the user's cache, where all commands look.
    """
    from learnet.face import fetch_model

    console.paths(fetch_model(to))


def main(arguments: list[str] | None = None) -> None:
    """Run the command line. A user's mistake ends in one line on stderr and exit code 2; a bug keeps its traceback, exit code 1."""
    try:
        app(sys.argv[1:] if arguments is None else arguments, exit_on_error=False, print_error=False)
    except CycloptsError as mistake:
        place = " ".join(mistake.command_chain or ())
        console.stop(console.plain_words(mistake), f"`learnet {place} --help` shows what can be asked.".replace("  ", " "))
    except LearnetError as mistake:
        console.stop(str(mistake))
    except OSError as trouble:
        if trouble.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EPERM, errno.EROFS, errno.ENAMETOOLONG, *PLACES):
            raise  # not a matter of this machine's disk or rights: a bug, with its traceback
        console.stop(
            f"{trouble.filename or 'output'}: {trouble.strerror}.", "Make room or name another folder, and run the same command again."
        )
    except KeyboardInterrupt:
        console.stop("Stopped.", "The same command goes on where it stopped.", code=130)
