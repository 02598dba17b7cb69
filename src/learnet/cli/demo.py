"""The command that runs all others once."""

from pathlib import Path

from learnet.cli import console
from learnet.cli.app import STUDIES, app
from learnet.cli.data import audit, prepare, synthesize
from learnet.cli.studies import report, study, train
from learnet.cli.video import predict
from learnet.core.settings import Resources, Study, Training

NETWORKS = ("learnet", "linear-svm", "majority")


@app.command(group=STUDIES)
def demo(out: Path, /, *, people: int = 12, epochs: int = 40, seed: int = 0, jobs: int = -1) -> None:
    """Run the whole pipeline once on a synthetic database, from the database to the recognition of a new
    person.

    Parameters
    ----------
    out
        Folder for all results; new or empty.
    people
        Number of synthetic people in the database.
    epochs
        Epochs of LEARNet in each fold.
    seed
        Seed of the database and of the training.
    jobs
        Number of processes; -1 is one per core.
    """
    from learnet.core.errors import OutputTaken

    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise OutputTaken(out, "the folder is not empty", "Choose an empty or a new folder.")
    out.mkdir(parents=True, exist_ok=True)
    prepared = _prepare(out, people, seed, jobs)
    _study(out, prepared, epochs, seed, jobs)
    _recognise(out, prepared, epochs, seed)


def _prepare(out: Path, people: int, seed: int, jobs: int) -> Path:
    """Generate, audit and prepare the synthetic database. Return the prepared folder."""
    data, prepared = out / "casme2", out / "prepared"
    # The face in the video will be cropped by learnet, so the training images must be too: not the owners'
    # crops.
    raw = data / "CASME2_RAW"
    console.command(f"learnet synthesize {data} --layout casme2 --people {people} --seed {seed}")
    synthesize(data, people=people, seed=seed)
    console.command(f"learnet audit casme2 {data}")
    audit("casme2", data, check=False)
    console.command(f"learnet prepare casme2 {raw} {prepared}")
    prepare("casme2", str(raw), str(prepared), jobs=jobs)
    return prepared


def _study(out: Path, prepared: Path, epochs: int, seed: int, jobs: int) -> None:
    """Run a study with each network and write the report."""
    training = Training(epochs=epochs, seed=seed)
    for network in NETWORKS:
        folder = out / network
        options = f"--network {network} --epochs {epochs} --seed {seed}"
        console.command(f"learnet study {prepared} {folder} {options}")
        study(
            prepared,
            folder,
            study=Study(network=network),
            training=training,
            resources=Resources(jobs=jobs),
        )
    studies = [out / network for network in NETWORKS]
    page = out / "report.html"
    console.command(f"learnet report {' '.join(map(str, studies))} --out {page}")
    report(*studies, out=page)


def _recognise(out: Path, prepared: Path, epochs: int, seed: int) -> None:
    """Train on everybody, recognise the expression of a new synthetic person, and print all scores."""
    from learnet.core.serialisation import read_json
    from learnet.datasets.synthetic.databases import synthetic_video
    from learnet.metrics.study_metrics import StudyMetrics

    weights, video, picture = out / "learnet.safetensors", out / "stranger.mp4", out / "stranger.png"
    console.command(f"learnet train {prepared} {weights} --epochs {epochs} --seed {seed}")
    train(prepared, weights, training=Training(epochs=epochs, seed=seed))
    shown = synthetic_video(video, seed=seed + 1000, emotion="happiness")
    console.command(f"learnet predict {video} --weights {weights} --picture {picture}")
    predict(video, weights=weights, picture=picture)
    console.out.print(
        f"\nThe video shows [bold]{shown.emotion}[/bold] of a synthetic person who is in no training fold. "
        "All faces here are synthetic."
    )
    summaries = []
    for network in NETWORKS:
        summaries.append((network, read_json(out / network / "metrics.json", StudyMetrics)))
    console.scores(summaries)
    console.paths(out / "report.html", weights, picture, out / "learnet" / "outcomes.csv")
