"""Synthetic databases in the layouts of the real ones, with the true annotation of every clip.

`layouts.LAYOUTS` lists the layouts, COMPOSITES the databases that are made of several.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2

from learnet.core.errors import LearnetError, OutputTaken, pick
from learnet.core.files import atomic_folder
from learnet.core.labels import SCHEMES
from learnet.core.output_checks import check_room_above
from learnet.core.parallel import parallel_map
from learnet.datasets.readers.reading.folder_tree import NOTICE
from learnet.datasets.synthetic.layouts import LAYOUTS
from learnet.datasets.synthetic.layouts.writing import AnyScene, check_xls_available
from learnet.simulation.render import render
from learnet.simulation.scenes import CAMERA, centre_expression, make_scene
from learnet.video.writer import write_video

Progress = Callable[[int, int], None]  # clips done, clips in all
ClipJob = tuple[Callable[[Path, AnyScene], None], Path, AnyScene]  # write_clip, root folder, scene

MAX_PEOPLE, MAX_CLIPS = 999, 99  # their names have that many digits
COMPOSITES = {"megc2019": {"CASME2": "casme2", "SMIC": "smic", "SAMM": "samm"}}
"""Name -> folder -> layout of the databases that are stored side by side and joined by a list."""

MEGC_LIST_FILE = "combined_3class_gt.csv"
VIDEO_PERSON = 10**6  # person number of videos, not used by any database


def synthesize(  # noqa: PLR0913  # each is an option of the command
    out: str | Path,
    layout: str = "casme2",
    people: int = 12,
    clips_per_person: int = 6,
    seed: int = 0,
    *,
    recording_s: float | None = None,
    jobs: int = -1,
    progress: Progress | None = None,
) -> Path:
    """Write a synthetic database.

    It appears completely or not at all. The same seed gives the same bytes, whatever the number of
    processes.

    Args:
        out: new or empty folder.
        layout: a name of LAYOUTS or COMPOSITES.
        people: number of people. Each shows the main emotions of the database as far as `clips_per_person`
            allows, then rarer ones.
        clips_per_person: expressions of each person; databases with long videos have several in a video.
        seed: 0 or more; another seed gives other people.
        recording_s: seconds of each recording (samm-lv, casme-sq, casme3, smic-e), with blinks, speech, turns
            of the head and flickering light between the expressions, whose number is random then; None: as
            long as its expressions take.
        jobs: processes; -1 is one per core.
        progress: called with (clips done, clips in all).

    Returns:
        The folder, which the reader of the database reads.

    Raises:
        UnknownName: there is no such layout.
        OutputTaken: the folder is not empty.
        LearnetError: no people, no clips, a negative seed, or a package that the layout needs is missing.
    """
    out = Path(out)
    parts = pick(_layouts_by_folder(), layout, "layout")
    _check_size(people, clips_per_person, jobs)
    if any(LAYOUTS[name].has_xls for name in parts.values()):
        check_xls_available()
    check_room_above(out)
    scenes = {}
    for folder, name in parts.items():
        scenes[folder] = LAYOUTS[name].scenes(people, clips_per_person, seed, recording_s)
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise OutputTaken(out, "something is there already", "Name a new or an empty folder.")
    with atomic_folder(out) as draft:
        clip_jobs = _clip_jobs(draft, parts, scenes, seed)
        _write_clips(clip_jobs, jobs, progress)
        for folder, name in parts.items():
            LAYOUTS[name].write_labels(draft / folder, scenes[folder])
        if layout in COMPOSITES:
            megc_list = _megc_list(parts, scenes)
            (draft / MEGC_LIST_FILE).write_bytes(megc_list)
        made_with = f"people={people}, clips_per_person={clips_per_person}, seed={seed}"
        if recording_s is not None:
            made_with += f", recording_s={recording_s:g}"
        _write_notice(draft, parts, made_with)
    return out


def _layouts_by_folder() -> dict[str, dict[str, str]]:
    """Return the folders and their layouts for every name that `synthesize` accepts."""
    table = {name: {"": name} for name in LAYOUTS}
    return table | COMPOSITES


def _check_size(people: int, clips_per_person: int, jobs: int) -> None:
    if jobs == 0 or jobs < -1:
        raise LearnetError(
            f"The number of processes cannot be {jobs}.",
            "Give a number from 1, or -1 for one per core.",
        )
    if people > MAX_PEOPLE or clips_per_person > MAX_CLIPS:
        raise LearnetError(
            f"At most {MAX_PEOPLE} people with {MAX_CLIPS} clips each can be made.",
            "Choose smaller numbers.",
        )


def _clip_jobs(
    root: Path, parts: Mapping[str, str], scenes: Mapping[str, Sequence[Any]], seed: int
) -> list[ClipJob[Any]]:
    """Return the clips to write, labelled and unlabelled ones."""
    jobs: list[ClipJob[Any]] = []
    for folder, name in parts.items():
        layout = LAYOUTS[name]
        unlabelled = layout.unlabelled_scenes(seed)
        for scene in (*scenes[folder], *unlabelled):
            jobs.append((layout.write_clip, root / folder, scene))
    return jobs


def _write_clips(clip_jobs: Sequence[ClipJob[Any]], jobs: int, progress: Progress | None) -> None:
    """Write all clips, in any order and in several processes."""
    results = parallel_map(_write_clip, clip_jobs, jobs, ordered=False)
    for done, _ in enumerate(results, start=1):
        if progress:
            progress(done, len(clip_jobs))


def _write_clip(job: ClipJob[AnyScene]) -> None:
    write_clip, root, scene = job
    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)  # the processes share the cores already
    try:
        write_clip(root, scene)
    finally:
        cv2.setNumThreads(threads)


def _megc_list(parts: Mapping[str, str], scenes: Mapping[str, Sequence[Any]]) -> bytes:
    """Return the list of the clips of the three classes in the format of MEGC2019.

    It has no header, and lines end with carriage return and line feed.
    """
    scheme = SCHEMES["megc-3"]
    lines = []
    for folder, name in parts.items():
        megc_entry = LAYOUTS[name].megc_entry
        if megc_entry is None:
            continue
        for scene in scenes[folder]:
            if scene.emotion in scheme.of:
                label = scheme.classes.index(scheme.of[scene.emotion])
                lines.append(f"{name},{megc_entry(scene)},{label}\r\n")
    return "".join(lines).encode()


def _write_notice(root: Path, parts: Mapping[str, str], made_with: str) -> None:
    title = " and ".join(LAYOUTS[name].title for name in parts.values())
    text = (
        "These faces do not exist and showed nothing. "
        f"This is a synthetic database in the layout of {title},\n"
        f"made by learnet ({made_with}).\n\n"
        "All faces are one public-domain NASA portrait (skimage.data.astronaut), "
        "reshaped, recoloured and relit; the movements are\n"
        "facial action units moved by a formula. Results on it say whether a program works, "
        "and nothing about real expressions.\n"
    )
    (root / NOTICE).write_text(text, encoding="utf-8")


@dataclass(frozen=True)
class SyntheticVideo:
    """The true annotation of a synthetic video. Frames count from 0, as positions in a video file do."""

    path: Path
    emotion: str
    onset: int
    apex: int
    offset: int
    fps: float
    action_units: str


def synthetic_video(
    path: str | Path, seed: int, emotion: str = "happiness", duration_s: float = 1.0, codec: str = "h264"
) -> SyntheticVideo:
    """Write a video (640 x 480, 200 frames per second) of one micro-expression.

    The person is in no synthetic database.

    Args:
        path: .mp4, .avi or .mkv.
        seed: 0 or more; another seed is another person.
        emotion: a key of `simulation.emotions.EMOTIONS`.
        duration_s: of the video; longer than the expression (at most 0.5 s), which is in the middle.
        codec: see `learnet.video.writer.write_video`.

    Raises:
        UnknownName: there is no such emotion.
        BadInput: see `learnet.video.writer.write_video`.
    """
    scene = make_scene(seed, VIDEO_PERSON, 1, emotion, CAMERA)
    scene = centre_expression(scene, round(duration_s * CAMERA.fps))
    path = Path(path)
    write_video(path, render(scene.recording), CAMERA.fps, codec)
    return SyntheticVideo(
        path,
        emotion,
        onset=scene.onset - 1,
        apex=scene.apex - 1,
        offset=scene.offset - 1,
        fps=CAMERA.fps,
        action_units=scene.action_units,
    )
