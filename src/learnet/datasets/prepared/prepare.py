"""Preparation of a dataset: the motion image of every clip in one folder, on all cores, resumable.

Nothing in the folder depends on the clock, the number of processes, or how often the work was interrupted.
Until all clips are finished, their results are stored in `OUT.part` beside it.
"""

import json
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from filelock import FileLock, Timeout

from learnet.core.errors import BadInput, LearnetError, OutputTaken, pick, repeated
from learnet.core.files import (
    PRIVATE_FOLDER,
    is_draft,
    report_disk_errors,
    sha256_hex,
    shortened_list,
    unwritable_error,
    write_atomically,
)
from learnet.core.parallel import parallel_map
from learnet.core.records import Clip, DatasetIndex, Finding
from learnet.core.settings import Preparation
from learnet.datasets.prepared.clip_job import ClipJob, ClipResult, read_clip_result, run_clip_job
from learnet.datasets.prepared.record import PrepareRecord
from learnet.datasets.prepared.store import PreparedDataset, already_there, save_prepared, versions
from learnet.datasets.readers.reading.folder_tree import is_synthetic
from learnet.face import ModelFaceFinder, face_finder
from learnet.motion import MOTION_IMAGES, TVL1_MOTIONS
from learnet.motion.flow import tvl1_version
from learnet.motion.parts import check_parts_allowed
from learnet.motion.phases import Phases, check_phases_allowed
from learnet.video.images import image_files

Progress = Callable[[int, int], None]  # clips done, clips in all

MARKER = "learnet-prepare.txt"  # tells a folder of finished clips from a user's own
LOCK = "lock.txt"  # beside it: held by the process at work
MARKER_TEXT = "Finished clips of an unfinished `learnet prepare`. Run it again, or remove this folder.\n"


def prepare(  # noqa: PLR0913 (public, with one keyword per option of the command)
    reading: DatasetIndex,
    out: str | Path,
    preparation: Preparation,
    *,
    phases: bool = False,
    parts: int | None = None,
    jobs: int = -1,
    face_model: str | Path | None = None,
    progress: Progress | None = None,
) -> PreparedDataset:
    """Compute the motion image of every clip of a dataset.

    A clip that cannot be used (no face, a broken image) is left out, and is a serious finding in `audit.csv`.
    Clips that their owners have cropped are used as they are. An interrupted run continues where it stopped,
    as long as the settings, the versions, and the names and sizes of the clip's files are the same (an image
    that was overwritten by another of exactly its size is not noticed).

    Args:
        reading: clips and findings, as a dataset's reader returns them.
        out: prepared folder to make; returned as it is where it holds the same preparation.
        preparation: settings; `auto` is recorded as what was used (`face` stays `auto` where no face was
            searched).
        phases: keep the images of the clips' rise and fall as well, for training (`motion.phases`); with
            `dynamic` images only.
        parts: keep the images of this many parts of each clip as well, of equal duration (`motion.parts`);
            not with `phases`. A clip with too few frames for them is left out.
        jobs: processes, each with one thread; -1 is one per core.
        face_model: YuNet's file; by default see `face.find_model`.
        progress: called after each clip.

    Raises:
        OutputTaken: `out` holds something else.
        LearnetError: phases or parts of another motion image, or both; no clips, two of one name, none of
            which an image can be computed, no such face model, a full disk.
    """
    out = Path(out)
    kind = pick(MOTION_IMAGES, preparation.motion, "motion image")
    _check_phases(preparation.motion, phases, parts)
    _check_arguments([clip.key for clip in reading.clips], jobs)
    preparation, model = _resolve(reading.clips, preparation, face_model)
    fingerprints = list(map(_fingerprint_of, reading.clips))
    record = PrepareRecord(
        preparation=preparation,
        images_kind=kind.family,
        synthetic=is_synthetic(clip.path for clip in reading.clips),
        reading=dict(reading.about),
        face_model=sha256_hex(model.read_bytes()) if model else None,
        inputs=sha256_hex("".join(fingerprints).encode()),
        versions=_versions_used(preparation),
        parts=parts,
    )
    with_phases = phases or parts is not None
    present = already_there(out, record, with_phases)
    if present and not _path_of_work(out).exists():
        if progress:
            progress(len(reading.clips), len(reading.clips))
        return present
    with _locked_work_folder(out) as work:
        prepared = already_there(out, record, with_phases)  # another process may just have finished it
        if prepared is None:
            options = [asdict(preparation), record.face_model, record.versions, parts or phases or None]
            settings = sha256_hex(json.dumps(options).encode())
            clip_jobs = []
            for clip, key in zip(reading.clips, fingerprints, strict=True):
                file = work / f"{sha256_hex((key + settings).encode())[:32]}.npz"
                clip_jobs.append(ClipJob(clip, preparation, model, phases, parts, file))
            _run(clip_jobs, out, jobs, progress)
            results = _results(clip_jobs, work)
            with report_disk_errors(out):
                prepared = _assemble(reading, out, record, results, with_phases)
        _remove(work)
    return prepared


def _check_phases(motion: str, phases: bool, parts: int | None) -> None:
    """Check that the images that are wanted of each clip go together."""
    if phases and parts is not None:
        raise LearnetError("phases (--phases) and parts (--parts) exclude each other.", "Leave one out.")
    if phases:
        check_phases_allowed(motion)
    if parts is not None:
        check_parts_allowed(motion, parts)


def _versions_used(preparation: Preparation) -> dict[str, str]:
    """Return the versions of the packages on which the pixels of this preparation depend."""
    if preparation.motion not in TVL1_MOTIONS:
        return versions()
    return {**versions(), "scikit-image": tvl1_version()}


def _check_arguments(keys: Sequence[str], jobs: int) -> None:
    if not keys:
        raise LearnetError(
            "There are no clips to prepare.", "See what `learnet audit` reports of the dataset."
        )
    twice = repeated(keys)
    if twice:
        what = f"{len(twice)} names are of more than one clip: {shortened_list(twice)}."
        raise LearnetError(what, "Every clip of a person needs its own name.")
    if jobs == 0 or jobs < -1:
        raise LearnetError(f"{jobs} processes cannot work.", "Give a number from 1, or -1 for one per core.")


def _resolve(
    clips: Sequence[Clip], preparation: Preparation, face_model: str | Path | None
) -> tuple[Preparation, Path | None]:
    """Return the preparation with the normalisation and face finder that are used, and the finder's model
    file.

    Equal records then mean equal images.
    """
    preparation = preparation.settled
    if preparation.face == "none" or all(clip.cropped for clip in clips):
        return preparation, None
    finder = face_finder(preparation.face, face_model)
    model = finder.model if isinstance(finder, ModelFaceFinder) else None
    # The table of finders and the setting have the same names, which mypy cannot know.
    return replace(preparation, face=finder.kind), model  # type: ignore[arg-type]


def _fingerprint_of(clip: Clip) -> str:
    """Return the digest of a clip's annotation and of the names and sizes of its files, not of where they
    are."""
    try:
        sizes = [(path.name, path.stat().st_size) for path in _files_of(clip)]
    except (LearnetError, OSError):
        sizes = []  # reading the clip reports what is wrong with it
    return sha256_hex(json.dumps([{**asdict(clip), "path": sizes}]).encode())


def _files_of(clip: Clip) -> list[Path]:
    if not clip.path.is_dir():
        return [clip.path]
    files = []
    for number, path in image_files(clip.path).items():
        if clip.onset <= number <= clip.offset:
            files.append(path)
    return files


def _path_of_work(out: Path) -> Path:
    """Return the path of the folder of finished clips beside `out`."""
    return out.absolute().with_name(f"{out.absolute().name}.part")


@contextmanager
def _locked_work_folder(out: Path) -> Iterator[Path]:
    """Yield the folder of finished clips beside `out`, made where it is missing, in which no other process
    works.

    Raises:
        OutputTaken: something else is there, or another process works there.
    """
    work = _path_of_work(out)
    if not _is_free_for_work(work):
        wrong = "something else is there, where finished clips are to be kept"
        raise OutputTaken(work, wrong, "Name another folder.")
    with report_disk_errors(out):
        work.mkdir(PRIVATE_FOLDER, parents=True, exist_ok=True)
        if not (work / MARKER).is_file():
            write_atomically(work / MARKER, MARKER_TEXT)
    try:
        with FileLock(work / LOCK, timeout=0):
            yield work
    except Timeout:
        wrong = "another run of this preparation is at work there"
        raise OutputTaken(out, wrong, "Wait for it, or stop it.") from None


def _is_free_for_work(work: Path) -> bool:
    """Return whether nothing is there yet, or finished clips are; never anything of a user's own."""
    if work.is_symlink() or (work / MARKER).is_symlink():
        return False
    if not work.exists():
        return True
    return work.is_dir() and ((work / MARKER).is_file() or all(map(is_draft, work.iterdir())))


def _remove(work: Path) -> None:
    """Remove the folder of finished clips, its marker after them: a run that is killed here leaves a folder
    that the next one recognises.

    What cannot be removed stays: a process of a run that was killed may still be writing there.
    """
    with suppress(FileNotFoundError):  # another run, which was waiting for this one, has removed it
        for file in work.iterdir():
            if file.name != MARKER:
                with suppress(OSError):
                    file.unlink()
    shutil.rmtree(work, ignore_errors=True)


def _run(clip_jobs: Sequence[ClipJob], out: Path, jobs: int, progress: Progress | None) -> None:
    """Run the jobs that are not finished. One that failed before is tried again: its disk may have been
    away."""
    unfinished = []
    for job in clip_jobs:
        result = read_clip_result(job.file)
        if result is None or result.image is None:
            unfinished.append(job)
    finished = len(clip_jobs) - len(unfinished)
    if progress:
        progress(finished, len(clip_jobs))
    names = [job.clip.key for job in unfinished]
    with closing(parallel_map(run_clip_job, unfinished, jobs, ordered=False, names=names)) as reasons:
        for done, reason in enumerate(reasons, start=finished + 1):
            if reason:
                raise unwritable_error(out, reason)
            if progress:
                progress(done, len(clip_jobs))


def _results(clip_jobs: Sequence[ClipJob], work: Path) -> list[ClipResult]:
    """Return the finished clips.

    Raises:
        BadInput: somebody has removed one.
        LearnetError: none of them has an image; the work folder is removed then.
    """
    results = []
    for job in clip_jobs:
        result = read_clip_result(job.file)
        if result is None:
            raise BadInput(work, "finished clips are no longer there", "Run the same command again.")
        results.append(result)
    if all(result.image is None for result in results):
        _remove(work)
        first = results[0].facts.findings[0]
        what = f"No image could be made of any of the {len(results)} clips."
        raise LearnetError(f"{what} The first, {first.where}: {first.what}")
    return results


def _assemble(
    reading: DatasetIndex, out: Path, record: PrepareRecord, results: Sequence[ClipResult], with_phases: bool
) -> PreparedDataset:
    """Write the prepared folder from the finished clips, in the order of the reading."""
    findings: list[Finding] = [*reading.findings]
    rows: list[dict[str, Any]] = []
    images, used = [], []
    for clip, result in zip(reading.clips, results, strict=True):
        findings += result.facts.findings
        if result.image is not None:
            rows.append(_row(len(rows), clip, result))
            images.append(result.image)
            used.append(result)
    table = pd.DataFrame(rows)
    people = table["person"].nunique()
    record = replace(record, clips=len(rows), skipped=len(results) - len(rows), people=people)
    phases = _phases(used) if with_phases else None
    return save_prepared(out, np.stack(images), table, record, findings, phases)


def _row(index: int, clip: Clip, result: ClipResult) -> dict[str, Any]:
    """Return the row of a clip in `clips.csv`."""
    facts = result.facts
    if facts.apex is not None:
        clip = replace(clip, apex=facts.apex, apex_source="detected")
    return asdict(clip) | {
        "apex": "" if clip.apex is None else clip.apex,
        "clip": clip.key,
        "person": clip.person,
        "image": index,
        "frames": facts.frames,
        "face": facts.face,
        "head_px": "" if facts.head_px is None else facts.head_px,
        "still": facts.still,
        "obstacle": facts.obstacle,
        "warnings": "; ".join(finding.what for finding in facts.findings),
    }


def _phases(results: Sequence[ClipResult]) -> Phases:
    """Return the images of the phases of all clips, and the row of the clip of each."""
    images, rows, names = [], [], []
    for row, result in enumerate(results):
        for name, image in result.phases.items():
            images.append(image)
            rows.append(row)
            names.append(name)
    return Phases([np.stack(images)], tuple(rows), tuple(names))
