"""The command that runs all others once."""

import json
from pathlib import Path

from learnet.cli import console
from learnet.cli.app import STUDIES, app
from learnet.cli.data import audit, prepare, synthesize
from learnet.cli.studies import report, study, train
from learnet.cli.video import predict
from learnet.core.settings import Resources, Study, Training


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
    from learnet.core.errors import OutputTaken
    from learnet.datasets.synthetic.databases import synthetic_video

    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise OutputTaken(out, "something is there already", "Name an empty or a new folder.")
    out.mkdir(parents=True, exist_ok=True)
    data, prepared, weights, stranger = (
        out / "casme2",
        out / "prepared",
        out / "learnet.safetensors",
        out / "stranger.mp4",
    )
    raw = (
        data / "CASME2_RAW"
    )  # not the owners' crops: the stranger's face is cropped by us, so must be those the network learns from
    console.command(f"learnet synthesize {data} --layout casme2 --people {people} --seed {seed}")
    synthesize(data, people=people, seed=seed)
    console.command(f"learnet audit casme2 {data}")
    audit("casme2", data, check=False)
    console.command(f"learnet prepare casme2 {raw} {prepared}")
    prepare("casme2", str(raw), str(prepared), jobs=jobs)
    names = ("learnet", "linear-svm", "majority")
    for network in names:
        console.command(
            f"learnet study {prepared} {out / network} --network {network} --epochs {epochs} --seed {seed}"
        )
        study(
            prepared,
            out / network,
            study=Study(network=network),
            training=Training(epochs=epochs, seed=seed),
            resources=Resources(jobs=jobs),
        )
    console.command(
        f"learnet report {' '.join(str(out / name) for name in names)} --out {out / 'report.html'}"
    )
    report(*(out / name for name in names), out=out / "report.html")
    console.command(f"learnet train {prepared} {weights} --epochs {epochs} --seed {seed}")
    train(prepared, weights, training=Training(epochs=epochs, seed=seed))
    truth = synthetic_video(stranger, seed=seed + 1000, emotion="happiness")
    console.command(f"learnet predict {stranger} --weights {weights} --picture {out / 'stranger.png'}")
    predict(stranger, weights=weights, picture=out / "stranger.png")
    console.out.print(
        f"\nThe stranger, a synthetic person in no training fold, showed [bold]{truth.emotion}[/bold]. All faces here are synthetic."
    )
    console.scores(
        [(name, json.loads((out / name / "metrics.json").read_text(encoding="utf-8"))) for name in names]
    )
    console.paths(out / "report.html", weights, out / "stranger.png", out / "learnet" / "outcomes.csv")
