"""Databases of people who do not exist, laid out on disk as the real ones, with the true answer to every clip.

`layouts.LAYOUTS` names the databases whose layout can be written, COMPOSITES those that are made of several.
"""

import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2

from learnet.core.errors import LearnetError, OutputTaken, pick
from learnet.core.labels import SCHEMES
from learnet.core.output_checks import check_room_above
from learnet.core.parallel import parallel_map
from learnet.datasets.readers.reading.folder_tree import NOTICE
from learnet.datasets.synthetic.layouts import LAYOUTS
from learnet.datasets.synthetic.layouts.writing import AnyScene
from learnet.simulation.render import render
from learnet.simulation.scenes import CAMERA, centre_expression, make_scene
from learnet.video.writer import write_video

Progress = Callable[[int, int], None]  # clips done, clips in all
MAX_PEOPLE, MAX_CLIPS = 999, 99  # their names have that many digits
COMPOSITES = {"megc2019": {"CASME2": "casme2", "SMIC": "smic", "SAMM": "samm"}}
"""Several databases side by side with a list that makes them one: folder -> layout."""

MEGC_LIST_FILE = "combined_3class_gt.csv"
VIDEO_PERSON = 10**6  # person number of videos, beyond every database


def synthesize(
    out: Path,
    layout: str = "casme2",
    people: int = 12,
    clips_per_person: int = 6,
    seed: int = 0,
    *,
    jobs: int = -1,
    progress: Progress | None = None,
) -> Path:
    """Write a synthetic database; it appears whole or not at all, and the same seed gives the same bytes whatever the number of processes.

    Args:
        out: new or empty folder.
        layout: a name of LAYOUTS or COMPOSITES.
        people: persons; each shows the database's main emotions as far as `clips_per_person` goes, then rarer ones too.
        clips_per_person: expressions of each; several stand in one recording where the database has long videos.
        seed: 0 or more; another seed gives other people.
        jobs: processes; -1 is one per core.
        progress: called with (clips done, clips in all).

    Returns:
        The folder, for a loader to read.

    Raises:
        UnknownName: no such layout.
        OutputTaken: the folder holds something.
        LearnetError: no people, no clips, or a negative seed.
    """
    parts = pick({**{name: {"": name} for name in LAYOUTS}, **COMPOSITES}, layout, "layout")
    if jobs == 0 or jobs < -1:
        raise LearnetError(f"{jobs} processes cannot work.", "Give a number from 1, or -1 for one per core.")
    if people > MAX_PEOPLE or clips_per_person > MAX_CLIPS:
        raise LearnetError(
            f"At most {MAX_PEOPLE} people with {MAX_CLIPS} clips each can be made.", "Ask for fewer."
        )
    check_room_above(out)
    scenes = {folder: LAYOUTS[name].scenes(people, clips_per_person, seed) for folder, name in parts.items()}
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise OutputTaken(out, "something is there already", "Name a new or an empty folder.")
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{out.name}-", dir=out.parent) as place:
        draft = Path(place) / out.name
        draft.mkdir()
        work = [
            (LAYOUTS[name].write_clip, draft / folder, scene)
            for folder, name in parts.items()
            for scene in (*scenes[folder], *LAYOUTS[name].extra_scenes(seed))
        ]
        for done, _ in enumerate(parallel_map(_write_clip, work, jobs, ordered=False), start=1):
            if progress:
                progress(done, len(work))
        for folder, name in parts.items():
            LAYOUTS[name].write_labels(draft / folder, scenes[folder])
        if layout in COMPOSITES:
            (draft / MEGC_LIST_FILE).write_bytes(_listed(parts, scenes))
        title = " and ".join(LAYOUTS[name].title for name in parts.values())
        _write_notice(draft, title, f"people={people}, clips_per_person={clips_per_person}, seed={seed}")
        draft.replace(out)
    return out


def _listed(parts: Mapping[str, str], scenes: Mapping[str, Sequence[Any]]) -> bytes:
    """The clips of the three classes as the organisers of MEGC2019 list theirs: no header, lines that end as Windows ends them."""
    scheme = SCHEMES["megc-3"]
    lines = [
        f"{name},{listed(scene)},{scheme.classes.index(scheme.of[scene.emotion])}\r\n"
        for folder, name in parts.items()
        if (listed := LAYOUTS[name].listed)
        for scene in scenes[folder]
        if scene.emotion in scheme.of
    ]
    return "".join(lines).encode()


def _write_clip(work: tuple[Callable[[Path, AnyScene], None], Path, AnyScene]) -> None:
    write, part, scene = work
    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)  # the processes share the cores already
    try:
        write(part, scene)
    finally:
        cv2.setNumThreads(threads)


def _write_notice(part: Path, title: str, made_with: str) -> None:
    (part / NOTICE).write_text(
        f"These faces do not exist and showed nothing. This is a synthetic database in the layout of {title},\n"
        f"made by learnet ({made_with}).\n\n"
        "All faces are one public-domain NASA portrait (skimage.data.astronaut), reshaped, recoloured and relit; the movements are\n"
        "facial action units moved by a formula. Results on it say whether a program works, and nothing about real expressions.\n",
        encoding="utf-8",
    )


@dataclass(frozen=True)
class SyntheticVideo:
    """What a synthetic video shows. Frames count from 0, as positions in a video file do."""

    path: Path
    emotion: str
    onset: int
    apex: int
    offset: int
    fps: float
    action_units: str


def synthetic_video(
    path: Path, seed: int, emotion: str = "happiness", duration_s: float = 1.0, codec: str = "h264"
) -> SyntheticVideo:
    """Write a video (640 x 480, 200 frames per second) of somebody who is in no synthetic database making one micro-expression.

    Args:
        path: .mp4, .avi or .mkv.
        seed: 0 or more; another seed is another person.
        emotion: a name of simulate.emotions.EMOTIONS.
        duration_s: longer than the expression (at most 0.5 s), which stands in the middle.
        codec: see `learnet.video.reader.write_video`.

    Raises:
        UnknownName: no such emotion.
        BadInput: see `learnet.video.reader.write_video`.
    """
    scene = centre_expression(make_scene(seed, VIDEO_PERSON, 1, emotion, CAMERA), round(duration_s * CAMERA.fps))
    write_video(path, render(scene.recording), CAMERA.fps, codec)
    return SyntheticVideo(
        path, emotion, scene.onset - 1, scene.apex - 1, scene.offset - 1, CAMERA.fps, scene.action_units
    )
