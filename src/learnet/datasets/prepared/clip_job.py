"""The motion image of one clip, computed in a process of its own and stored in a file until all clips are
finished."""

import json
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
from jaxtyping import UInt8

from learnet.core.errors import LearnetError, NoFace, TooFewFrames
from learnet.core.files import atomic_file, check_still_there, disk_error_reason
from learnet.core.npy_files import read_archive
from learnet.core.records import Clip, Finding
from learnet.core.serialisation import ROOT, InvalidValue, convert, parse_json, to_plain
from learnet.core.settings import Preparation
from learnet.face import FaceFinder, face_finder
from learnet.motion.apex import find_apex
from learnet.motion.evidence import MotionEvidence, motion_evidence
from learnet.motion.normalise import NORMALISATIONS
from learnet.motion.parts import part_images
from learnet.motion.phases import PHASES
from learnet.motion.pipeline import EYE_POSITIONS, MotionResult, magnify_crops, make_image, motion_image
from learnet.video.folder import NUMBER_GAPS
from learnet.video.reader import LoadedClip, read_clip

FRAME_BUFFER_BYTES = 2**28  # for the frames of a clip; a longer clip allocates its own
NOT_ANNOTATED = ("midpoint", "none")  # apex sources of clips whose apex no annotator saw


@dataclass(frozen=True)
class ClipJob:
    """A clip, and the file that will hold its result."""

    clip: Clip
    preparation: Preparation
    face_model: Path | None
    phases: bool  # compute the images of its phases as well
    parts: int | None  # compute the images of so many parts as well
    file: Path


@dataclass(frozen=True)
class ClipFacts:
    """What is known of a clip once its image is computed."""

    frames: int = 0
    face: str = ""  # finder and box, or "given"
    head_px: float | None = None  # head motion in pixels of the crop; None: it was not measured
    still: str = ""  # why the skin is not seen to move, from `MotionEvidence.why_none`; empty if it moves
    obstacle: str = ""  # why its motion cannot be judged, from `MotionEvidence`; empty if it can
    apex: int | None = None  # frame, where it was detected; None: that of the clip holds
    findings: list[Finding] = field(default_factory=list)
    phases: list[str] = field(default_factory=list)  # names of the phases or parts that have an image


@dataclass(frozen=True)
class ClipResult:
    """A finished clip."""

    facts: ClipFacts
    image: UInt8[np.ndarray, "S S 3"] | None = None  # None: the clip could not be used
    phases: Mapping[str, UInt8[np.ndarray, "S S 3"]] = field(default_factory=dict)


def run_clip_job(job: ClipJob) -> str:
    """Compute the image of a clip and write the result to disk.

    Returns:
        Why the disk refused the file, or "". Errors with fields cannot travel between processes.
    """
    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)  # the processes share the cores already
    try:
        result = _compute(job)
    finally:
        cv2.setNumThreads(threads)
    images = np.empty(0, np.uint8)
    if result.image is not None:
        images = np.stack([result.image, *result.phases.values()])
    facts = np.array(json.dumps(to_plain(result.facts)))
    try:
        check_still_there(job.file.parent)
        with atomic_file(job.file) as draft, draft.open("wb") as handle:
            np.savez(handle, about=facts, images=images)
    except OSError as error:
        return disk_error_reason(error)
    return ""


def read_clip_result(file: Path) -> ClipResult | None:
    """Return a finished clip; None where it is not finished, or its file is damaged."""
    try:
        stored = read_archive(file)
        facts = convert(parse_json(str(stored["about"])), ClipFacts, ROOT)
        images = stored["images"]
        phases = dict(zip(facts.phases, images[1:], strict=True))
    except (OSError, ValueError, KeyError, InvalidValue):
        return None
    return ClipResult(facts, images[0] if images.size else None, phases)


@lru_cache(maxsize=1)
def _finder(kind: str, model: Path | None) -> FaceFinder:
    """Return the face finder of this process: it holds a loaded model."""
    return face_finder(kind, model)


@lru_cache(maxsize=1)
def _frame_buffer() -> UInt8[np.ndarray, "B"]:
    """Return the memory of this process for frames: new memory for each clip costs half as much as its
    decoding."""
    return np.empty(FRAME_BUFFER_BYTES, np.uint8)


def _compute(job: ClipJob) -> ClipResult:
    clip, preparation = job.clip, job.preparation
    try:
        footage = read_clip(clip.path, clip.onset, clip.offset, clip.fps, _frame_buffer())
        finder = None
        if not clip.cropped and preparation.face != "none":
            finder = _finder(preparation.face, job.face_model)
        annotated_apex = _annotated_apex(clip, footage.numbers)
        motion = make_image(footage.pixels, preparation, finder, annotated_apex, clip.fps)
        phases: dict[str, UInt8[np.ndarray, "S S 3"]] = {}
        if job.parts:
            phases = part_images(footage.pixels, motion.aligned, preparation, job.parts, clip.fps)
        elif job.phases:
            motion, phases = _with_phases(motion, footage.pixels, job)
    except LearnetError as error:
        kind = "no face" if isinstance(error, NoFace) else "clip not usable"
        finding = Finding(kind, clip.key, str(error), serious=True)
        return ClipResult(ClipFacts(findings=[finding]))
    evidence = motion_evidence(list(footage.pixels), motion.aligned, motion.apex, ends_at_rest=False)
    detected = motion.apex if motion.apex != annotated_apex else None
    facts = ClipFacts(
        frames=len(footage.pixels),
        face=_face_cell(motion),
        head_px=None if motion.aligned.drift_px is None else round(motion.aligned.drift_px, 2),
        still="" if evidence.obstacle else evidence.why_none,
        obstacle=evidence.obstacle,
        apex=None if detected is None else footage.numbers[detected],
        findings=[
            *_findings(job, footage, motion, len(phases), detected),
            *_motion_findings(clip, evidence),
        ],
        phases=list(phases),
    )
    return ClipResult(facts, motion.image, phases)


def _face_cell(motion: MotionResult) -> str:
    """Return the finder and the box of a face that was detected, or "given"."""
    face = motion.aligned.face
    if face is None:
        return "given"
    return " ".join([face.finder, *(f"{pixel:.0f}" for pixel in face.box)])


def _motion_findings(clip: Clip, evidence: MotionEvidence) -> list[Finding]:
    """Return a finding where movement cannot be judged, or is not seen in a labelled clip."""
    if evidence.obstacle:
        return [Finding("movement not judged", clip.key, evidence.obstacle)]
    if not evidence.why_none or clip.kind == "none":
        return []
    what = f"{evidence.why_none}: the skin by {evidence.skin_px:.2f} pixels of a crop 112 wide"
    return [Finding("no movement", clip.key, what)]


def _findings(
    job: ClipJob, footage: LoadedClip, motion: MotionResult, phases: int, detected: int | None
) -> list[Finding]:
    """Return what was lost, repaired or unusual in a clip."""
    key = job.clip.key
    findings = []
    for kind, count in footage.losses.items():
        findings.append(Finding("frames lost", key, f"{count} {kind}", serious=kind != NUMBER_GAPS))
    for warning in (*footage.notes, *motion.aligned.warnings_for(footage.numbers)):
        findings.append(Finding("warning", key, warning))
    if job.phases and phases < len(PHASES):
        what = "the apex is its last frame, so there is no fall to learn from"
        findings.append(Finding("phase missing", key, what))
    if detected is not None and job.clip.apex_source not in NOT_ANNOTATED:
        what = f"it was given as the onset; frame {footage.numbers[detected]} is taken"
        findings.append(Finding("apex detected", key, what))
    return findings


def _with_phases(
    motion: MotionResult, frames: UInt8[np.ndarray, "T H W 3"], job: ClipJob
) -> tuple[MotionResult, dict[str, UInt8[np.ndarray, "S S 3"]]]:
    """Compute the images of a clip's phases by the same steps as its own image.

    Returns:
        The result with the position of the apex, detected where it was not annotated, and the images by
        phase.
    """
    crops = motion.aligned.crops(frames)
    apex = motion.apex
    if apex is None:
        apex = find_apex(crops, EYE_POSITIONS if motion.aligned.face else ())
    crops = magnify_crops(crops, job.preparation, job.clip.fps)
    normalise = NORMALISATIONS[job.preparation.normalise]
    images = {}
    for name, kind in PHASES.items():
        with suppress(TooFewFrames):
            images[name] = normalise(motion_image(crops, replace(job.preparation, motion=kind), apex))
    return replace(motion, apex=apex), images


def _annotated_apex(clip: Clip, numbers: Sequence[int]) -> int | None:
    """Return the position among the frames of the apex that annotators saw.

    None where they saw none, or put it on the onset, so that it has to be detected.
    """
    if clip.apex is None or clip.apex_source in NOT_ANNOTATED:
        return None
    position = min(bisect_left(numbers, clip.apex), len(numbers) - 1)
    return position or None
