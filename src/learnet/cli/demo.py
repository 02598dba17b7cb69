"""The command that shows on synthetic faces what learnet does."""

from collections.abc import Collection
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from learnet.cli import console, data, studies
from learnet.cli.app import VIDEO, app
from learnet.core.settings import Resources, Study, Training

if TYPE_CHECKING:
    from learnet.inference.recognition import Recognition
    from learnet.report.shown_and_found import ShownAndFound

NETWORKS = ("learnet", "linear-svm", "majority")

FILM_OUTPUTS = ("film.mp4", "film.html", "events.html", "timeline.png")
STUDY_OUTPUTS = (*NETWORKS, "casme2", "prepared", "prepared.part", "report.html", "report-csv")

FILM_SEED = 1
"""A seed whose three expressions are all found and named rightly.

docs/pretrained.md says in how many films that is so.
"""

STUDY_SEED = 0
PEOPLE = 12
EPOCHS = 40
JOBS = -1
SYNTHETIC = "This film is synthetic: its person does not exist, and the movements are computed."


@app.command(name="demo", group=VIDEO)
def demo(
    out: Path,
    /,
    *,
    study: bool = False,
    seed: int | None = None,
    people: int = PEOPLE,
    epochs: int = EPOCHS,
    jobs: int = JOBS,
) -> None:
    """Find and recognise the movements in a synthetic film, and show what was found beside what it shows.

    Parameters
    ----------
    out
        Folder for all results; new, empty, or of a demonstration that was interrupted.
    study
        Instead, run a whole study on a synthetic database: database, audit, preparation, three networks, and
        their report.
    seed
        Seed of the film (default 1), or of the database and the trainings of the study (default 0).
    people
        Number of people in the database of the study.
    epochs
        Epochs of LEARNet in each fold of the study.
    jobs
        Number of processes of the study; -1 is one per core.
    """
    from learnet.core.errors import LearnetError, OutputTaken

    if not study and (people, epochs, jobs) != (PEOPLE, EPOCHS, JOBS):
        raise LearnetError("--people, --epochs and --jobs are about the study.", "Add --study.")
    if not _is_own(out, STUDY_OUTPUTS if study else FILM_OUTPUTS):
        raise OutputTaken(out, "the folder is not empty", "Choose an empty or a new folder.")
    out.mkdir(parents=True, exist_ok=True)
    if study:
        _demonstrate_study(out, people, epochs, STUDY_SEED if seed is None else seed, jobs)
    else:
        _demonstrate_film(out, FILM_SEED if seed is None else seed)


def _is_own(out: Path, outputs: Collection[str]) -> bool:
    """Return whether a folder is new, or holds nothing but what this demonstration writes: one that was
    interrupted goes on."""
    from learnet.core.files import is_draft

    if not out.exists():
        return True
    return out.is_dir() and all(path.name in outputs or is_draft(path) for path in out.iterdir())


def _demonstrate_film(out: Path, seed: int) -> None:
    """Make a film, recognise its expressions, and compare them with the truth."""
    from learnet.datasets.synthetic.films import synthetic_film
    from learnet.inference.recogniser import Recogniser
    from learnet.inference.timeline import timeline_figure
    from learnet.report.event_page import write_event_page
    from learnet.report.recognition_page import PageContent, recognition_timeline, write_recognition_page
    from learnet.report.shown_and_found import compare_with_truth, film_truth
    from learnet.report.style import save_figure

    video, picture = out / "film.mp4", out / "timeline.png"
    page, events_page = out / "film.html", out / "events.html"
    with console.bar("Rendering frames") as progress:
        film = synthetic_film(video, seed, progress=progress)
    console.command(f"learnet predict {video} --page {events_page}")
    recogniser = replace(Recogniser.load(), records_motion=True)
    with console.bar("Searching frames") as progress:
        recognition = recogniser(video, progress=progress)
    write_event_page(recognition, events_page)
    truth = film_truth(film)
    shown = recognition_timeline(recognition, truth)
    save_figure(timeline_figure(shown), picture)
    write_recognition_page(recognition, page, PageContent(faces=True, truth=truth, note=SYNTHETIC))
    rows = compare_with_truth(truth, shown.events, shown.unjudged, recognition.metadata.classes)
    _print_comparison(rows, recognition)
    console.paths(video, picture, page, events_page)


def _print_comparison(rows: "list[ShownAndFound]", recognition: "Recognition") -> None:
    """Print what the film shows beside what was found; what is wrong is red."""
    cells = []
    for row in rows:
        shown = f"{row.shown} ({row.detail})" if row.detail else row.shown
        cells.append((shown, f"{row.start_s:.2f} to {row.end_s:.2f}", row.answer))
    wrong = {position for position, row in enumerate(rows) if not row.right}
    console.table("In the film, and found in it", ["shown", "seconds", "found"], cells, wrong)
    expressions = [row for row in rows if row.shown in recognition.metadata.classes]
    named = sum(row.right for row in expressions)
    others = sum(not row.right for row in rows if row not in expressions)
    false_alarms = "nothing else" if not others else f"{others} other movements or rest"
    console.out.print(
        f"{named} of {len(expressions)} micro-expressions were found, with their class; {false_alarms} was "
        f"taken for one. {SYNTHETIC} How often this succeeds is in docs/pretrained.md."
    )


def _demonstrate_study(out: Path, people: int, epochs: int, seed: int, jobs: int) -> None:
    """Make a database, run a study with each network on it, and write the report."""
    from learnet.core.serialisation import read_json
    from learnet.metrics.study_metrics import StudyMetrics

    prepared = _prepare(out, people, seed, jobs)
    training = Training(epochs=epochs, seed=seed)
    for network in NETWORKS:
        folder = out / network
        options = f"--network {network} --epochs {epochs} --seed {seed}"
        console.command(f"learnet study {prepared} {folder} {options}")
        studies.study(
            prepared,
            folder,
            study=Study(network=network),
            training=training,
            resources=Resources(jobs=jobs),
        )
    folders = [out / network for network in NETWORKS]
    page = out / "report.html"
    console.command(f"learnet report {' '.join(map(str, folders))} --out {page}")
    studies.report(*folders, out=page)
    console.out.print("\nAll faces here are synthetic.")
    summaries = [(network, read_json(out / network / "metrics.json", StudyMetrics)) for network in NETWORKS]
    console.scores(summaries)
    console.paths(page, out / "learnet" / "outcomes.csv")


def _prepare(out: Path, people: int, seed: int, jobs: int) -> Path:
    """Generate, audit and prepare the synthetic database. Return the prepared folder."""
    from learnet.datasets.readers.reading.folder_tree import NOTICE

    database, prepared = out / "casme2", out / "prepared"
    raw = database / "CASME2_RAW"  # whole pictures: the face is found as in a video
    console.command(f"learnet synthesize {database} --layout casme2 --people {people} --seed {seed}")
    notice = database / NOTICE  # written last: the database is complete
    made_with = (f"people={people},", f"seed={seed})")
    if not (notice.is_file() and all(part in notice.read_text(encoding="utf-8") for part in made_with)):
        data.synthesize(database, people=people, seed=seed)
    console.command(f"learnet audit casme2 {database}")
    data.audit("casme2", database, check=False)
    console.command(f"learnet prepare casme2 {raw} {prepared}")
    data.prepare("casme2", str(raw), str(prepared), jobs=jobs)
    return prepared
