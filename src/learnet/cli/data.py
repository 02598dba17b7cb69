"""Commands that read, write and prepare databases."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

from learnet.cli import console
from learnet.cli.app import DATA, Flat, app
from learnet.core.errors import LearnetError, counted, pick
from learnet.core.output_checks import check_outputs, check_outside, check_room_above
from learnet.core.settings import DatasetSubset, Preparation


@app.command(group=DATA)
def synthesize(
    out: Path, /, *, layout: str = "casme2", people: int = 12, clips: int = 6, seed: int = 0, jobs: int = -1
) -> None:
    """Write a synthetic micro-expression database, laid out on disk as a real one.

    The faces are one public-domain portrait, reshaped and relit; the movements are facial action units with known answers.

    Parameters
    ----------
    out
        Folder to write; new or empty.
    layout
        Database whose layout is written, by its name in `learnet datasets`.
    people
        Number of people.
    clips
        Expressions per person.
    seed
        The same seed gives the same bytes.
    jobs
        Processes; -1 is one per core.
    """
    from learnet.datasets.synthetic.databases import synthesize as write

    with console.bar("Rendering clips") as progress:
        write(out, layout, people, clips, seed, jobs=jobs, progress=progress)
    console.paths(out)


@app.command(group=DATA)
def simulate(
    out: Path,
    /,
    *,
    images: int = 10_000,
    motion: Literal["flow", "dynamic"] = "flow",
    classes: tuple[str, ...] = ("negative", "positive", "surprise"),
    size: int | None = None,
    seed: int = 0,
    estimator: Literal["imitated", "measured", "both"] = "imitated",
    jobs: int = -1,
) -> None:
    """Make motion images from the movement model alone, to learn from without anybody's face: a prepared folder.

    Parameters
    ----------
    out
        Prepared folder to write; new or empty.
    images
        How many.
    motion
        Optical flow (flow), or dynamic images of rendered clips (dynamic), as `learnet prepare` makes them where nothing is said.
    classes
        What they show, equally often: negative, positive, surprise, and none (head, lids and noise only).
    size
        Height and width in pixels; without it 28 for flow, as the flow images that go around for the MEGC2019 clips, and 112 for dynamic.
    seed
        The same seed gives the same bytes.
    estimator
        Optical flow as an estimator would find it (imitated), as one does find it between two rendered frames (measured, several times
        as slow), or both in turn.
    jobs
        Processes; -1 is one per core.
    """
    if motion == "dynamic" and estimator != "imitated":
        raise LearnetError(
            "--estimator is for optical flow, and --motion dynamic measures none.", "Leave one of them out."
        )
    from learnet.datasets.synthetic.dynamic_images import simulate_dynamic
    from learnet.datasets.synthetic.flow_images import simulate_flow

    with console.bar("Simulating") as progress:
        if motion == "dynamic":
            made = simulate_dynamic(out, images, classes, 112 if size is None else size, seed, jobs, progress)
        else:
            made = simulate_flow(
                out, images, classes, 28 if size is None else size, seed, estimator, jobs, progress
            )
    counts = ", ".join(
        f"{count} {emotion}" for emotion, count in made.clips["emotion"].value_counts().items()
    )
    console.out.print(f"{len(made.clips)} simulated {motion} images: {counts}")
    console.paths(out)


@app.command(group=DATA)
def atlas(out: Path, /) -> None:
    """Draw the movement model behind `simulate` and `synthesize`: a figure per action unit and per emotion, as PNG and SVG.

    Parameters
    ----------
    out
        Folder for the figures; new or empty.
    """
    from learnet.report.movement_atlas import write_atlas

    check_room_above(out / "x")
    with console.bar("Drawing") as progress:
        files = write_atlas(out, progress)
    console.out.print(f"{len(files)} files; units.png has every action unit on one sheet")
    console.paths(out)


@app.command(group=DATA)
def datasets() -> None:
    """List the databases that can be read and where to ask for them, and the class schemes."""
    from learnet.core.labels import SCHEMES
    from learnet.datasets import DATASETS

    entries = DATASETS.values()
    rows = [
        [d.name, d.title, sum(d.published.values()) or "-", d.people or "-", d.classes, ", ".join(d.takes)]
        for d in entries
    ]
    console.table("Databases", ["name", "title", "clips", "people", "classes", "can be chosen"], rows)
    console.table("How to get them", ["name", "where to ask"], [[d.name, d.apply] for d in entries])
    schemes = [[scheme.name, ", ".join(scheme.classes), scheme.source] for scheme in SCHEMES.values()]
    console.table("Class schemes (--classes)", ["name", "classes", "source"], schemes)


@app.command(group=DATA)
def audit(
    dataset: str,
    root: Path,
    /,
    *,
    selection: Annotated[DatasetSubset, Flat] = DatasetSubset(),
    csv: Path | None = None,
    deep: bool = False,
    check: bool = True,
) -> None:
    """Tell what a database folder holds and what is wrong with it. Exit code 1 if anything would change a result.

    Parameters
    ----------
    dataset
        Name of the database; `learnet datasets` lists them.
    root
        Folder of the database as it was unzipped.
    csv
        Also write every finding to this file.
    deep
        Read the header of every image too: damaged files, sizes that change inside a clip.
    check
        Exit with code 1 on serious findings.
    """
    from learnet.datasets import DATASETS, read_dataset
    from learnet.datasets.audit import count_rows, finding_rows, write_audit_csv
    from learnet.datasets.audit_headers import with_headers

    entry = pick(DATASETS, dataset, "dataset")
    check_outputs([csv], [])
    reading = read_dataset(dataset, root, selection)
    if deep:
        with console.bar("Reading image headers") as progress:
            reading = with_headers(reading, progress=progress)
    about = reading.about | (
        {"published counts": f"{entry.counted}; {entry.people or 'unknown'} people"} if entry.counted else {}
    )
    console.table(f"{entry.title} in {root}", ["", "found"], about.items())
    console.table(
        "Clips per emotion", ["emotion", "clips", "people", "published"], count_rows(reading, entry)
    )
    console.table("Findings", ["kind", "number", "serious", "first"], finding_rows(reading))
    if csv:
        write_audit_csv(reading, csv, entry)
        console.paths(csv)
    if check and any(finding.serious for finding in reading.findings):
        console.err.print("Some findings would change a result (serious: yes).")
        raise SystemExit(1)


@app.command(group=DATA)
def prepare(
    *databases_and_out: str,
    selection: Annotated[DatasetSubset, Flat] = DatasetSubset(),
    preparation: Annotated[Preparation, Flat] = Preparation(),
    phases: bool = False,
    face_model: Path | None = None,
    jobs: int = -1,
) -> None:
    """Turn every clip of a database, or of a folder of your own, into a motion image.

    Parameters
    ----------
    databases_and_out
        Name and folder of a database, or `folder` and a folder for clips of your own (docs/datasets/folder.md), of several databases one
        pair after the other; then the prepared folder to write. A run that was killed goes on where it stopped.
    phases
        Keep, beside each dynamic image, those of the clip's rise and fall, for `learnet study --phases` and `learnet train --phases`.
    face_model
        The YuNet face model; without one the built-in Haar cascades are used.
    jobs
        Processes; -1 is one per core.
    """
    from learnet.core.records import merge_indexes
    from learnet.datasets import DATASETS, read_dataset
    from learnet.datasets.audit import serious_line
    from learnet.datasets.prepared.prepare import prepare as fold
    from learnet.datasets.prepared.store import read_findings

    *pairs, last = databases_and_out or ("",)
    if len(pairs) < 2 or len(pairs) % 2 or last in DATASETS:
        raise LearnetError(
            "Say which database, where it lies, and where the images go.",
            "As in: learnet prepare casme2 CASME2 OUT.",
        )
    out, asked = Path(last), list(zip(pairs[::2], map(Path, pairs[1::2]), strict=True))
    _check_pairs(asked)
    check_outside(out, [root for _, root in asked])
    reading = merge_indexes({(name, str(root)): read_dataset(name, root, selection) for name, root in asked})
    with console.bar("Folding clips") as progress:
        prepared = fold(
            reading, out, preparation, phases=phases, jobs=jobs, face_model=face_model, progress=progress
        )
    skipped = len(reading.clips) - len(prepared.clips)
    images, people = (
        counted(len(prepared.clips), "motion image"),
        counted(prepared.clips["person"].nunique(), "person", "people"),
    )
    console.out.print(f"{images} of {people}" + (f"; {counted(skipped, 'clip')} skipped" if skipped else ""))
    if serious := serious_line(read_findings(out) or []):
        console.out.print(f"{serious}. See {out / 'audit.csv'}; `learnet audit` tells more.", markup=False)
    console.paths(out)


def _check_pairs(pairs: Sequence[tuple[str, Path]]) -> None:
    """Refuse a database that is given twice. Folders of one's own may be several, but no one of them twice."""
    first: dict[tuple[str, Path | None], Path] = {}
    for name, root in pairs:
        there = first.setdefault(
            (name, root.expanduser().absolute().resolve() if name == "folder" else None), root
        )
        if there is not root:
            hint = "Give a folder that holds both parts, or prepare them apart and study the prepared folders together."
            raise LearnetError(f"{name} is given twice, {there} and {root}.", hint)


@app.command(name="import", group=DATA)
def import_(
    images: Path, labels: Path, out: Path, /, *, size: int | None = None, kind: str = "unknown"
) -> None:
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
    from learnet.datasets.prepared.importing import import_images

    prepared = import_images(images, labels, out, size=size, kind=kind)
    console.out.print(
        f"{counted(len(prepared.clips), 'image')} of {counted(prepared.clips['person'].nunique(), 'person', 'people')}, "
        f"{prepared.images.shape[1]} pixels wide"
    )
    console.paths(out)
