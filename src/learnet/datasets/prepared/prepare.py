"""Clips -> prepared folder: every clip folded into one image, on all cores, resumable, the same bytes every time.

Nothing in the folder (`prepared.py`) depends on the clock, the number of processes, or how often the work was cut off. Until it is
whole, finished clips lie in `OUT.part` beside it.
"""

import json
import os
import shutil
import zipfile
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import asdict, dataclass, field, replace
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
from jaxtyping import UInt8

from learnet.core.errors import LearnetError, NoFace, OutputTaken, TooFewFrames, pick
from learnet.core.files import (
    disk_error_reason,
    report_disk_errors,
    sha256_hex,
    shortened_list,
    unwritable_error,
)
from learnet.core.parallel import parallel_map
from learnet.core.records import Clip, DatasetIndex, Finding
from learnet.core.settings import Preparation
from learnet.datasets.prepared.record import PrepareRecord
from learnet.datasets.prepared.store import PreparedDataset, already_there, save_prepared, versions
from learnet.datasets.readers.reading.folder_tree import is_synthetic
from learnet.face import FaceFinder, ModelFaceFinder, face_finder
from learnet.motion import MOTION_IMAGES
from learnet.motion.apex import find_apex
from learnet.motion.normalise import NORMALISATIONS
from learnet.motion.phases import PHASES, Phases, check_phases_allowed
from learnet.motion.pipeline import EYE_POSITIONS, MotionResult, magnify_crops, make_image, motion_image
from learnet.video.folder import NUMBER_GAPS
from learnet.video.images import image_files
from learnet.video.reader import read_clip

Progress = Callable[[int, int], None]  # clips done, clips in all

ROOM = 2**28  # bytes for the frames of a clip, used as far as it needs them; a longer one gets its own
UNSEEN = ("midpoint", "none")  # where an apex comes from that nobody saw
MARKER = "learnet-prepare.txt"  # tells a folder of finished clips from a user's own


def prepare(
    reading: DatasetIndex,
    out: Path,
    preparation: Preparation,
    *,
    phases: bool = False,
    jobs: int = -1,
    face_model: Path | None = None,
    progress: Progress | None = None,
) -> PreparedDataset:
    """Fold every clip of a dataset into one image.

    A clip that cannot be used (no face, a broken image) is left out, and stands as serious in `audit.csv`. Clips that their owners
    have cropped are taken as they are. A run that was cut off goes on where it stopped, as long as the settings, the versions, and
    the names and sizes of the clip's files are the same (an image overwritten by another of exactly its size goes unnoticed).

    Args:
        reading: clips and findings, as a dataset's reader returns them.
        out: prepared folder to make; returned as it is where it holds the very same preparation.
        preparation: choices; `auto` is written down as what was used (`face` stays `auto` where no face had to be searched).
        phases: keep the images of the clips' rise and fall as well, for training (`phases.py`); of `dynamic` images only.
        jobs: processes, each with one thread; -1 is one per core.
        face_model: YuNet's file; without one see `face.find_model`.
        progress: called after each clip.

    Raises:
        OutputTaken: OUT holds something else.
        LearnetError: phases of another motion image, no clips, two of one name, none of which an image could be made, no such face
            model, a full disk.
    """
    kind = pick(MOTION_IMAGES, preparation.motion, "motion image")
    if phases:
        check_phases_allowed(preparation.motion)
    _check([clip.key for clip in reading.clips], jobs)
    preparation, model = _resolve(reading.clips, preparation, face_model)
    inputs = [_fingerprint_of(clip) for clip in reading.clips]
    record = PrepareRecord(
        preparation=preparation,
        images_kind=kind.family,
        synthetic=is_synthetic(clip.path for clip in reading.clips),
        reading=dict(reading.about),
        face_model=sha256_hex(model.read_bytes()) if model else None,
        inputs=sha256_hex("".join(inputs).encode()),
        versions=_versions_used(preparation),
    )
    if present := already_there(out, record, phases):
        if progress:
            progress(len(reading.clips), len(reading.clips))
        return present
    work = _work_folder(out)
    making = [asdict(preparation), record.face_model, record.versions, phases or None]
    settings = sha256_hex(json.dumps(making).encode())
    files = [work / f"{sha256_hex((key + settings).encode())[:32]}.npz" for key in inputs]
    tasks = [
        _Task(clip, preparation, model, phases, file) for clip, file in zip(reading.clips, files, strict=True)
    ]
    _run(tasks, out, jobs, progress)
    parts = [part for file in files if (part := _read_part(file))]
    if all(part.image is None for part in parts):
        shutil.rmtree(work, ignore_errors=True)
        raise LearnetError(
            f"No image could be made of any of the {len(parts)} clips. The first: {parts[0].findings[0].what}"
        )
    with report_disk_errors(out):
        prepared = _assemble(reading, out, record, parts, phases)
    shutil.rmtree(work, ignore_errors=True)  # a process of a run that was killed may still be writing there
    return prepared


def _versions_used(preparation: Preparation) -> dict[str, str]:
    """Return the versions of the packages on which the pixels of this preparation depend."""
    if preparation.motion != "flow-tvl1":
        return versions()
    return {**versions(), "scikit-image": version("scikit-image")}


def _check(keys: Sequence[str], jobs: int) -> None:
    if not keys:
        raise LearnetError(
            "There are no clips to prepare.", "Look at what `learnet audit` says of the dataset."
        )
    if twice := [key for key, count in Counter(keys).items() if count > 1]:
        raise LearnetError(
            f"{len(twice)} names stand for more than one clip: {shortened_list(twice)}.",
            "Every clip of a person needs its own name.",
        )
    if jobs == 0 or jobs < -1:
        raise LearnetError(f"{jobs} processes cannot work.", "Give a number from 1, or -1 for one per core.")


def _resolve(
    clips: Sequence[Clip], preparation: Preparation, face_model: Path | None
) -> tuple[Preparation, Path | None]:
    """The normalisation and face finder really used, so that equal records mean equal images; and its model file, if it has one."""
    preparation = preparation.settled
    if preparation.face == "none" or all(clip.cropped for clip in clips):
        return preparation, None
    finder = face_finder(preparation.face, face_model)
    model = finder.model if isinstance(finder, ModelFaceFinder) else None
    # The table of finders and the setting have the same names, which mypy cannot know.
    return replace(preparation, face=finder.kind), model  # type: ignore[arg-type]


def _fingerprint_of(clip: Clip) -> str:
    """Digest of a clip's annotation and of the names and sizes of its files, not of where they lie."""
    try:
        sizes = [(path.name, path.stat().st_size) for path in _files_of(clip)]
    except (LearnetError, OSError):
        sizes = []  # reading the clip says what is wrong with it
    return sha256_hex(json.dumps([{**asdict(clip), "path": sizes}]).encode())


def _files_of(clip: Clip) -> list[Path]:
    if not clip.path.is_dir():
        return [clip.path]
    return [path for number, path in image_files(clip.path).items() if clip.onset <= number <= clip.offset]


# ---- one clip, in a process of its own


@dataclass(frozen=True)
class _Task:
    """One clip to fold, and the file that will hold the result."""

    clip: Clip
    preparation: Preparation
    model: Path | None
    phases: bool
    file: Path


@dataclass(frozen=True)
class _Part:
    """A finished clip as it waits for the others."""

    image: UInt8[np.ndarray, "S S 3"] | None  # None: the clip could not be used
    frames: int
    face: str
    findings: list[Finding]
    apex: int | None = None  # frame, where it was found; None: the clip's own holds
    phases: Mapping[str, UInt8[np.ndarray, "S S 3"]] = field(
        default_factory=dict
    )  # of PHASES those that it has


@lru_cache(maxsize=1)
def _finder(kind: str, model: Path | None) -> FaceFinder:
    return face_finder(kind, model)  # once per process: a finder holds a loaded model


@lru_cache(maxsize=1)
def _room() -> UInt8[np.ndarray, "B"]:
    return np.empty(
        ROOM, np.uint8
    )  # once per process: fresh memory for every clip costs as much as half of its decoding


def _fold(task: _Task) -> str:
    """Fold one clip and keep the result on disk. Returns what the disk complained of, as text: errors with fields do not travel."""
    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)  # the processes share the cores already
    try:
        part = _make_part(task)
    finally:
        cv2.setNumThreads(threads)
    findings = [asdict(finding) for finding in part.findings]
    about = json.dumps(
        {
            "frames": part.frames,
            "face": part.face,
            "apex": part.apex,
            "findings": findings,
            "phases": [*part.phases],
        }
    )
    images = np.empty(0, np.uint8) if part.image is None else np.stack([part.image, *part.phases.values()])
    draft = task.file.with_suffix(f".{os.getpid()}")
    try:
        with draft.open("wb") as file:
            np.savez(file, about=np.array(about), images=images)
        draft.replace(task.file)
    except OSError as error:
        return disk_error_reason(error)
    finally:
        draft.unlink(missing_ok=True)
    return ""


def _make_part(task: _Task) -> _Part:
    clip, preparation = task.clip, task.preparation
    try:
        footage = read_clip(clip.path, clip.onset, clip.offset, clip.fps, _room())
        finder = None if clip.cropped or preparation.face == "none" else _finder(preparation.face, task.model)
        apex = _place_of_apex(clip, footage.numbers)
        made = make_image(footage.pixels, preparation, finder, apex, clip.fps)
        made, phases = _with_phases(made, footage.pixels, task) if task.phases else (made, {})
    except LearnetError as error:
        kind = "no face" if isinstance(error, NoFace) else "clip not usable"
        return _Part(None, 0, "", [Finding(kind, clip.key, str(error), serious=True)])
    findings = [
        Finding("frames lost", clip.key, f"{count} {what}", serious=what != NUMBER_GAPS)
        for what, count in footage.losses.items()
    ]
    findings += [
        Finding("warning", clip.key, warning) for warning in made.aligned.warnings_for(footage.numbers)
    ]
    face = made.aligned.face
    found = " ".join([face.finder, *(f"{pixel:.0f}" for pixel in face.box)]) if face else "given"
    if task.phases and len(phases) < len(PHASES):
        findings.append(
            Finding(
                "phase missing", clip.key, "the apex is its last frame, so there is no fall to learn from"
            )
        )
    if made.apex == apex:
        return _Part(made.image, len(footage.pixels), found, findings, None, phases)
    assert made.apex is not None
    if clip.apex_source not in UNSEEN:
        findings.append(
            Finding(
                "apex detected",
                clip.key,
                f"it was given as the onset; frame {footage.numbers[made.apex]} is taken",
            )
        )
    return _Part(made.image, len(footage.pixels), found, findings, footage.numbers[made.apex], phases)


def _with_phases(
    made: MotionResult, frames: UInt8[np.ndarray, "T H W 3"], task: _Task
) -> tuple[MotionResult, dict[str, UInt8[np.ndarray, "S S 3"]]]:
    """The images of a clip's phases, by the same steps as its own, and where its apex is: as given, or found."""
    crops = made.aligned.crops(frames)
    apex = find_apex(crops, EYE_POSITIONS if made.aligned.face else ()) if made.apex is None else made.apex
    crops, phases = magnify_crops(crops, task.preparation, task.clip.fps), {}
    for name, motion in PHASES.items():
        with suppress(TooFewFrames):
            phases[name] = NORMALISATIONS[task.preparation.normalise](
                motion_image(crops, replace(task.preparation, motion=motion), apex)
            )
    return replace(made, apex=apex), phases


def _place_of_apex(clip: Clip, numbers: Sequence[int]) -> int | None:
    """Position of the apex that annotators saw among the frames; None where they saw none, or put it on the onset, so it must be found."""
    if clip.apex is None or clip.apex_source in UNSEEN:
        return None
    return min(bisect_left(numbers, clip.apex), len(numbers) - 1) or None


def _read_part(file: Path) -> _Part | None:
    """A finished clip; None where it is not finished, or its file was torn by a failing machine."""
    try:
        with np.load(file) as stored:
            about, images = json.loads(str(stored["about"])), stored["images"]
            phases = dict(zip(about["phases"], images[1:], strict=True))
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return None
    findings = [Finding(**finding) for finding in about["findings"]]
    return _Part(
        images[0] if images.size else None, about["frames"], about["face"], findings, about["apex"], phases
    )


def _run(tasks: Sequence[_Task], out: Path, jobs: int, progress: Progress | None) -> None:
    """Fold the clips that are not finished. One that failed before is tried again: its disk may have been away."""
    todo = [task for task in tasks if (part := _read_part(task.file)) is None or part.image is None]
    finished = len(tasks) - len(todo)
    if progress:
        progress(finished, len(tasks))
    with closing(parallel_map(_fold, todo, jobs, ordered=False)) as answers:
        for done, why in enumerate(answers, start=finished + 1):
            if why:
                raise unwritable_error(out, why)
            if progress:
                progress(done, len(tasks))


# ---- all clips


def _work_folder(out: Path) -> Path:
    """The folder of finished clips beside OUT; never one that somebody else made."""
    work = out.absolute().with_name(f"{out.absolute().name}.part")
    if work.exists() and not (work / MARKER).is_file() and (not work.is_dir() or any(work.iterdir())):
        raise OutputTaken(
            work, "something else is there, where finished clips are to be kept", "Name another folder."
        )
    with report_disk_errors(out):
        work.mkdir(parents=True, exist_ok=True)
        (work / MARKER).write_text(
            "Finished clips of an unfinished `learnet prepare`. Run it again, or remove this folder.\n"
        )
    return work


def _assemble(
    reading: DatasetIndex, out: Path, record: PrepareRecord, parts: Sequence[_Part], with_phases: bool
) -> PreparedDataset:
    """Put the finished clips together, in the order of the reading."""
    found = [finding for part in parts for finding in part.findings]
    kept = [(clip, part) for clip, part in zip(reading.clips, parts, strict=True) if part.image is not None]
    rows = []
    for place, (clip, part) in enumerate(kept):
        warnings = "; ".join(finding.what for finding in part.findings)
        if part.apex is not None:
            clip = replace(clip, apex=part.apex, apex_source="detected")
        facts = {
            **asdict(clip),
            "apex": "" if clip.apex is None else clip.apex,
            "clip": clip.key,
            "person": clip.person,
        }
        rows.append({**facts, "image": place, "frames": part.frames, "face": part.face, "warnings": warnings})
    people = len({clip.person for clip, _ in kept})
    record = replace(record, clips=len(kept), skipped=len(parts) - len(kept), people=people)
    images, phases = np.stack([part.image for _, part in kept]), None
    if with_phases:
        places, names = zip(
            *((row, name) for row, (_, part) in enumerate(kept) for name in part.phases), strict=True
        )
        phases = Phases(
            [np.stack([image for _, part in kept for image in part.phases.values()])], places, names
        )
    return save_prepared(out, images, pd.DataFrame(rows), record, [*reading.findings, *found], phases)
