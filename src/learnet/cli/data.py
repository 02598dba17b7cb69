"""Commands that read, write and prepare databases."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from learnet.cli import console
from learnet.cli.app import DATA, Flat, app
from learnet.core.errors import LearnetError, counted, pick
from learnet.core.files import absolute_path
from learnet.core.output_checks import CSV, check_outputs, check_outside, check_room_above
from learnet.core.settings import DatasetSubset, Preparation

if TYPE_CHECKING:
    from learnet.datasets.prepared.record import PrepareRecord


@app.command(group=DATA)
def synthesize(  # noqa: PLR0913 (options)
    out: Path,
    /,
    *,
    layout: str = "casme2",
    people: int = 12,
    clips: int = 6,
    seconds: float | None = None,
    seed: int = 0,
    jobs: int = -1,
) -> None:
    """Generate a synthetic micro-expression database in the folder layout of a real one.

    The faces are one public-domain portrait, reshaped and relit; the movements are known facial action units.

    Parameters
    ----------
    out
        Output folder; new or empty.
    layout
        Name of the database whose layout is imitated; `learnet datasets` lists them.
    people
        Number of people.
    clips
        Number of expressions per person.
    seconds
        Length of each recording (samm-lv, casme-sq, casme3, smic-e), with blinks, speech, head turns and
        flickering light between the expressions, whose number is random then; by default as long as these
        take.
    seed
        Random seed; the same seed gives the same bytes.
    jobs
        Number of processes; -1 is one per core.
    """
    from learnet.datasets.synthetic.databases import synthesize as synthesize_database

    with console.bar("Rendering clips") as progress:
        synthesize_database(
            out, layout, people, clips, seed, recording_s=seconds, jobs=jobs, progress=progress
        )
    console.paths(out)


@app.command(group=DATA)
def simulate(  # noqa: PLR0913 (options)
    out: Path,
    /,
    *,
    images: int = 10_000,
    motion: Literal["flow", "dynamic"] = "flow",
    classes: tuple[str, ...] = ("negative", "positive", "surprise"),
    size: int | None = None,
    seed: int = 0,
    estimator: Literal["imitated", "measured", "both"] = "imitated",
    variation: Literal["narrow", "wide"] = "narrow",
    jobs: int = -1,
) -> None:
    """Generate a prepared folder of simulated motion images, to train networks without images of real people.

    Parameters
    ----------
    out
        Prepared folder to write; new or empty.
    images
        Number of images.
    motion
        Optical flow (flow), or dynamic images of rendered clips (dynamic) with the defaults of `learnet
        prepare`.
    classes
        Classes in equal numbers: negative, positive, surprise, none (head motion, blinks and noise only), any
        (combinations of action units that need not belong to an emotion), and alone (single units).
    size
        Height and width in pixels. Default: 28 for flow, as in the published flow images of MEGC2019, and 112
        for dynamic.
    seed
        Random seed; the same seed gives the same bytes.
    estimator
        Source of the optical flow: a model of the estimation errors (imitated), an estimator applied to two
        rendered frames (measured, several times slower), or both in turn (both).
    variation
        Way to make the images of the flow: like the published ones of MEGC2019 (narrow), or crops, estimators
        and scaling of all kinds, and muscles that differ between people (wide).
    jobs
        Number of processes; -1 is one per core.
    """
    if motion == "dynamic" and (estimator, variation) != ("imitated", "narrow"):
        option = "--variation" if estimator == "imitated" else "--estimator"
        raise LearnetError(f"{option} applies to optical flow, not to --motion dynamic.", "Omit one of them.")
    from learnet.datasets.synthetic.dynamic_images import simulate_dynamic
    from learnet.datasets.synthetic.flow_images import simulate_flow

    size = size or {"flow": 28, "dynamic": 112}[motion]
    with console.bar("Simulating") as progress:
        if motion == "dynamic":
            prepared = simulate_dynamic(out, images, classes, size, seed, jobs, progress)
        else:
            prepared = simulate_flow(out, images, classes, size, seed, estimator, variation, jobs, progress)
    counts = prepared.clips["emotion"].value_counts()
    per_emotion = ", ".join(f"{count} {emotion}" for emotion, count in counts.items())
    console.out.print(f"{len(prepared.clips)} simulated {motion} images: {per_emotion}")
    console.paths(out)


@app.command(group=DATA)
def atlas(out: Path, /) -> None:
    """Draw the movement model of `simulate` and `synthesize`: a figure per action unit and per emotion (PNG,
    SVG).

    Parameters
    ----------
    out
        Output folder for the figures; new or empty.
    """
    from learnet.report.movement_atlas import write_atlas

    check_room_above(out)
    with console.bar("Drawing") as progress:
        files = write_atlas(out, progress)
    console.out.print(f"{len(files)} files; units.png shows all action units")
    console.paths(out)


@app.command(group=DATA)
def datasets() -> None:
    """List the supported databases, where to request them, and the class schemes."""
    from learnet.core.labels import SCHEMES
    from learnet.datasets import DATASETS

    entries = DATASETS.values()
    rows = []
    for entry in entries:
        counts = [sum(entry.published.values()) or "-", entry.people or "-"]
        rows.append([entry.name, entry.title, *counts, entry.default_scheme, ", ".join(entry.options)])
    console.table("Databases", ["name", "title", "clips", "people", "classes", "options"], rows)
    console.table("How to obtain them", ["name", "where to request"], [[d.name, d.access] for d in entries])
    schemes = [[scheme.name, ", ".join(scheme.classes), scheme.source] for scheme in SCHEMES.values()]
    console.table("Class schemes (--classes)", ["name", "classes", "source"], schemes)


@app.command(group=DATA)
def recordings(
    dataset: str,
    root: Path,
    /,
    *,
    part: str | None = None,
    events: Path | None = None,
    videos: Path | None = None,
) -> None:
    """List the long recordings of a database and the movements labelled in them, as material for spotting.

    Parameters
    ----------
    dataset
        samm-lv, casme-sq, casme3, smic-e or 4dme.
    root
        Root folder of the database, as unpacked.
    part
        Camera (smic-e: HS, VIS, NIR).
    events
        Write all movements to this CSV file, as `learnet score-spotting --truth` reads them.
    videos
        Write all recordings to this CSV file, as `learnet score-spotting --videos` reads them.
    """
    from learnet.core.files import write_atomically
    from learnet.datasets.recordings import events_to_csv, read_recordings, videos_to_csv

    check_outputs([(events, CSV), (videos, CSV)], [])
    index = read_recordings(dataset, root, part)
    if events:
        write_atomically(events, events_to_csv(index))
    if videos:
        write_atomically(videos, videos_to_csv(index))
    rows = []
    for recording in index.recordings:
        counts = [sum(clip.kind == kind for clip in recording.clips) for kind in ("micro", "macro")]
        times = [f"{recording.duration_s:.1f}", f"{recording.fps:g}"]
        rows.append([recording.subject, recording.name, *times, *counts])
    columns = ["subject", "recording", "seconds", "fps", "micro", "macro"]
    console.table("Long recordings", columns, rows)
    serious = [finding for finding in index.findings if finding.serious]
    for finding in serious:
        console.red_note(f"{finding.kind}: {finding.where}: {finding.what}")
    console.out.print(f"{counted(len(index.findings), 'finding')}, {len(serious)} serious", markup=False)
    console.paths(*(file for file in (events, videos) if file))


@app.command(group=DATA)
def audit(  # noqa: PLR0913 (options)
    dataset: str,
    root: Path,
    /,
    *,
    selection: Annotated[DatasetSubset, Flat] = DatasetSubset(),
    csv: Path | None = None,
    deep: bool = False,
    check: bool = True,
) -> None:
    """List the contents of a database folder and its defects. Exit code 1 if a defect would change results.

    Parameters
    ----------
    dataset
        Name of the database; `learnet datasets` lists them.
    root
        Root folder of the database, as unpacked.
    csv
        Also write all findings to this file.
    deep
        Also read the header of every image and the middle image of every clip, to find damaged files, changes
        of size within a clip, and recordings that are of two people.
    check
        Exit with code 1 if there are serious findings.
    """
    from learnet.datasets import DATASETS, read_dataset
    from learnet.datasets.audit import count_rows, finding_rows, write_audit_csv
    from learnet.datasets.audit_headers import with_headers

    entry = pick(DATASETS, dataset, "dataset")
    check_outputs([(csv, CSV)], [])
    index = read_dataset(dataset, root, selection)
    if deep:
        with console.bar("Reading images") as progress:
            index = with_headers(index, progress=progress)
    about = dict(index.about)
    if entry.published_source:
        about["published counts"] = f"{entry.published_source}; {entry.people or 'unknown'} people"
    console.table(f"{entry.title} in {root}", ["", "found"], about.items())
    console.table("Clips per emotion", ["emotion", "clips", "people", "published"], count_rows(index, entry))
    console.table("Findings", ["kind", "number", "serious", "first"], finding_rows(index))
    if csv:
        write_audit_csv(index, csv, entry)
        console.paths(csv)
    if check and any(finding.serious for finding in index.findings):
        console.err.print("Some findings would change results (serious: yes).")
        raise SystemExit(1)


@app.command(group=DATA)
def prepare(  # noqa: PLR0913 (options)
    *databases_and_out: str,
    selection: Annotated[DatasetSubset, Flat] = DatasetSubset(),
    preparation: Annotated[Preparation, Flat] = Preparation(),
    phases: bool = False,
    parts: int | None = None,
    face_model: Path | None = None,
    jobs: int = -1,
) -> None:
    """Compute the motion image of every clip of a database, or of your own clips.

    Parameters
    ----------
    databases_and_out
        Name and root folder of a database (`folder` for your own clips, docs/datasets/folder.md), repeated
        for several databases, followed by the prepared folder to write. An interrupted run continues where it
        stopped.
    phases
        Also compute the dynamic images from onset to apex and from apex to offset, for `learnet study
        --phases` and `learnet train --phases`.
    parts
        Also divide each clip into this many parts of equal duration (2 to 8) and compute the motion image of
        each, for the same options as those of --phases. A clip with too few frames is left out.
    face_model
        YuNet face model; without one, OpenCV's Haar cascades are used.
    jobs
        Number of processes; -1 is one per core.
    """
    from learnet.core.records import merge_indexes
    from learnet.datasets import DATASETS, read_dataset
    from learnet.datasets.prepared.prepare import prepare as compute_images

    *pairs, last = databases_and_out or ("",)
    if len(pairs) < 2 or len(pairs) % 2 or last in DATASETS:
        raise LearnetError(
            "The database, its folder or the output folder is missing.",
            "Example: learnet prepare casme2 CASME2 OUT.",
        )
    out = Path(last)
    databases = list(zip(pairs[::2], map(Path, pairs[1::2]), strict=True))
    _refuse_repeated(databases)
    check_outside(out, [root for _, root in databases])
    indexes = {(name, str(root)): read_dataset(name, root, selection) for name, root in databases}
    index = merge_indexes(indexes)
    with console.bar("Computing motion images") as progress:
        prepared = compute_images(
            index,
            out,
            preparation,
            phases=phases,
            parts=parts,
            jobs=jobs,
            face_model=face_model,
            progress=progress,
        )
    skipped = len(index.clips) - len(prepared.clips)
    images = counted(len(prepared.clips), "motion image")
    people = counted(prepared.clips["person"].nunique(), "person", "people")
    console.out.print(f"{images} of {people}" + (f"; {counted(skipped, 'clip')} skipped" if skipped else ""))
    _print_labels_read(prepared.record)
    _print_serious(out)
    console.paths(out)


def _refuse_repeated(databases: Sequence[tuple[str, Path]]) -> None:
    """Refuse a database that is given twice. Several folders of your own clips are accepted, each once."""
    first_roots: dict[tuple[str, Path | None], Path] = {}
    for name, root in databases:
        key = (name, absolute_path(root.expanduser()) if name == "folder" else None)
        first_root = first_roots.setdefault(key, root)
        if first_root is not root:
            hint = "Use a folder that contains both, or prepare them separately and pool the results."
            raise LearnetError(f"{name} is given twice, {first_root} and {root}.", hint)


@app.command(name="import", group=DATA)
def import_(
    images: Path,
    labels: Path,
    out: Path,
    /,
    *,
    size: int | None = None,
    kind: str = "unknown",
    label_map: Path | None = None,
) -> None:
    """Convert existing motion images and their labels into a prepared folder.

    Parameters
    ----------
    images
        Folder of images.
    labels
        CSV file with the columns image, subject, emotion or action_units (such as 4+7+L10) or both, and
        optionally dataset, clip and part (of several images of one clip).
    out
        Prepared folder to write.
    size
        Resize to this height and width in pixels; by default the images keep their size.
    kind
        How mirroring the face changes the images: image (flipped), flow (flipped, and the first channel,
        horizontal motion, changes its sign), or unknown (never mirrored).
    label_map
        TOML file with a table [labels] that says which emotion each of your own words is.
    """
    from learnet.datasets.prepared.importing import import_images

    prepared = import_images(images, labels, out, size, kind, label_map)
    count = counted(len(prepared.clips), "image")
    people = counted(prepared.clips["person"].nunique(), "person", "people")
    console.out.print(f"{count} of {people}, {prepared.images.shape[1]} pixels wide")
    _print_labels_read(prepared.record)
    _print_serious(out)
    console.paths(out)


def _print_serious(out: Path) -> None:
    """Print how many serious findings a prepared folder has."""
    from learnet.datasets.audit import serious_line
    from learnet.datasets.prepared.store import read_findings

    if serious := serious_line(read_findings(out) or []):
        console.out.print(f"{serious}. See {out / 'audit.csv'}.", markup=False)


def _print_labels_read(record: "PrepareRecord") -> None:
    """Print which of somebody's own words were read as which emotion."""
    from learnet.core.label_words import LABELS_READ

    for what, text in (record.reading or {}).items():
        if what.endswith(LABELS_READ):  # after the name of the database, where there are several
            console.out.print(f"{what.capitalize()}: {text}.", markup=False)
