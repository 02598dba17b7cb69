"""Databases of people who do not exist, laid out on disk as the real ones, with the true answer to every clip.

`LAYOUTS` names the databases whose layout can be written. The real loaders read the result; nothing there is special to synthetic data.
"""

import re
import tempfile
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import openpyxl
from jaxtyping import UInt8

from learnet.errors import LearnetError, OutputTaken, pick
from learnet.places import check_room_above
from learnet.simulate.geometry import View, crop_view
from learnet.simulate.render import Camera, register, render
from learnet.simulate.script import CAMERA, MAIN_EMOTIONS, Scene, centred, make_scene, write_script
from learnet.spread import spread
from learnet.video import write_video

Progress = Callable[[int, int], None]  # clips done, clips in all
MOST_PEOPLE, MOST_CLIPS = 999, 99  # their names have that many digits
STRANGER = 10**6  # person number of videos, beyond every database
QUALITY = 88  # of the JPEG files, percent


@dataclass(frozen=True)
class Layout:
    """How one database lies on disk."""

    title: str
    camera: Camera
    extra: Callable[[int], list[Scene]]  # seed -> scenes that are rendered but have no row in the label file
    write_clip: Callable[[Path, Scene], None]  # root folder
    write_labels: Callable[[Path, Sequence[Scene]], None]


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
        layout: a name of LAYOUTS.
        people: persons; each shows the five classes of CASME II as far as `clips_per_person` goes, then rarer emotions too.
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
    chosen = pick(LAYOUTS, layout, "layout")
    if jobs == 0 or jobs < -1:
        raise LearnetError(f"{jobs} processes cannot work.", "Give a number from 1, or -1 for one per core.")
    if people > MOST_PEOPLE or clips_per_person > MOST_CLIPS:
        raise LearnetError(f"At most {MOST_PEOPLE} people with {MOST_CLIPS} clips each can be made.", "Ask for fewer.")
    check_room_above(out)
    scenes = write_script(people, clips_per_person, seed, chosen.camera)
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise OutputTaken(out, "something is there already", "Name a new or an empty folder.")
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{out.name}-", dir=out.parent) as place:
        part = Path(place) / out.name
        part.mkdir()
        _render_all(part, chosen, [*scenes, *chosen.extra(seed)], jobs, progress)
        chosen.write_labels(part, scenes)
        _write_notice(part, chosen.title, f"people={people}, clips_per_person={clips_per_person}, seed={seed}")
        part.replace(out)
    return out


def _render_all(part: Path, layout: Layout, scenes: Sequence[Scene], jobs: int, progress: Progress | None) -> None:
    for done, _ in enumerate(spread(partial(_write_clip, layout.write_clip, part), scenes, jobs, ordered=False), start=1):
        if progress:
            progress(done, len(scenes))


def _write_clip(write: Callable[[Path, Scene], None], part: Path, scene: Scene) -> None:
    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)  # the processes share the cores already
    try:
        write(part, scene)
    finally:
        cv2.setNumThreads(threads)


def _write_notice(part: Path, title: str, made_with: str) -> None:
    (part / "SYNTHETIC.txt").write_text(
        f"These faces do not exist and showed nothing. This is a synthetic database in the layout of {title},\n"
        f"made by learnet ({made_with}).\n\n"
        "All faces are one public-domain NASA portrait (skimage.data.astronaut), reshaped, recoloured and relit; the movements are\n"
        "facial action units moved by a formula. Results on it say whether a program works, and nothing about real expressions.\n",
        encoding="utf-8",
    )


def write_jpeg(path: Path, frame: UInt8[np.ndarray, "H W 3"]) -> None:
    """One RGB frame as a colour JPEG."""
    _, data = cv2.imencode(".jpg", cv2.cvtColor(frame, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
    path.write_bytes(data.tobytes())


# CASME II: 640 x 480 at 200 fps; facts and quirks as in Yan et al. 2014 and as loaders of the real database meet them.

CASME2_WORKBOOK = "CASME2-coding-20140508.xlsx"
CASME2_HEADER = ("Subject", "Filename", None, "OnsetFrame", "ApexFrame", "OffsetFrame", None, "Action Units", "Estimated Emotion")
CASME2_RAW, CASME2_CROPPED = Path("CASME2_RAW", "CASME2-RAW"), Path("Cropped")
IRREGULAR = {2: "EP09f", 3: "EP06_02_01", 4: "EP01_2"}
"""Names of some persons' first clips: without second part, with three parts, with one digit, as they occur in CASME II."""


def casme2_name(scene: Scene) -> str:
    """The clip's folder: EPdd_dd, with a trailing f for some, and a few irregular ones."""
    if scene.number == 0:
        return "EP94_02f"
    if scene.number == 1 and scene.person % 5 in IRREGULAR:
        return IRREGULAR[scene.person % 5]
    return (
        f"EP{(7 * scene.person + 3 * scene.number) % 19 + 1:02d}_{scene.number + 10:02d}{'f' if (scene.person + scene.number) % 3 else ''}"
    )


def casme2_crop(scene: Scene) -> View:
    """The registered crop of a clip: about 280 x 340, a little different in every clip."""
    noise = np.random.default_rng(scene.take.circumstances.seed)
    return crop_view(340 + int(noise.integers(-8, 9)), 280 + int(noise.integers(-6, 7)))


def _casme2_clip(root: Path, scene: Scene) -> None:
    """Raw: the whole clip as img1.jpg, img2.jpg, ...; cropped: onset to offset as reg_img<N>.jpg under the same numbers."""
    name = casme2_name(scene)
    raw, cropped = (root / tree / f"sub{scene.person:02d}" / name for tree in (CASME2_RAW, CASME2_CROPPED))
    raw.mkdir(parents=True)
    cropped.mkdir(parents=True)
    crop = casme2_crop(scene)
    for number, frame in enumerate(render(scene.take), start=1):
        write_jpeg(raw / f"img{number}.jpg", frame)
        if scene.onset <= number <= scene.offset:
            write_jpeg(cropped / f"reg_img{number}.jpg", register(frame, scene.take.circumstances.view, crop))


def _casme2_extra(seed: int) -> list[Scene]:
    """A clip folder without a row, as CASME II has several."""
    return [make_scene(seed, 1, 0, MAIN_EMOTIONS[seed % len(MAIN_EMOTIONS)], CAMERA)]


def _casme2_labels(root: Path, scenes: Sequence[Scene]) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "Sheet1"
    sheet.append(CASME2_HEADER)
    for row, scene in enumerate(scenes):
        units = scene.action_units
        apex = "/" if row == 1 else scene.apex
        emotion = f"{scene.emotion} " if row == 2 else scene.emotion
        cells = (f"{scene.person:02d}", casme2_name(scene), None, scene.onset, apex, scene.offset, None)
        sheet.append((*cells, int(units) if units.isdigit() else units, emotion))
    _save_workbook(book, root / CASME2_WORKBOOK)
    (root / CASME2_CROPPED / "sub01" / "Thumbs.db").write_bytes(b"left by a file manager")


def _save_workbook(book: openpyxl.Workbook, path: Path) -> None:
    """Save without the time of day, which openpyxl writes into the document and into every entry of the archive."""
    draft = path.with_suffix(".draft")
    book.save(draft)
    with zipfile.ZipFile(draft) as old, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as new:
        for entry in old.infolist():
            content = old.read(entry)
            if entry.filename == "docProps/core.xml":
                content = re.sub(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", b"2014-05-08T00:00:00Z", content)
            new.writestr(zipfile.ZipInfo(entry.filename), content, zipfile.ZIP_DEFLATED)
    draft.unlink()


LAYOUTS: dict[str, Layout] = {
    "casme2": Layout("CASME II", CAMERA, _casme2_extra, _casme2_clip, _casme2_labels),
}
"""Databases whose layout can be written."""


@dataclass(frozen=True)
class Shown:
    """What a synthetic video shows. Frames count from 0, as positions in a video file do."""

    path: Path
    emotion: str
    onset: int
    apex: int
    offset: int
    fps: float
    action_units: str


def synthetic_video(path: Path, seed: int, emotion: str = "happiness", duration_s: float = 1.0, codec: str = "h264") -> Shown:
    """Write a video (640 x 480, 200 frames per second) of somebody who is in no synthetic database making one micro-expression.

    Args:
        path: .mp4, .avi or .mkv.
        seed: 0 or more; another seed is another person.
        emotion: a name of simulate.emotions.EMOTIONS.
        duration_s: longer than the expression (at most 0.5 s), which stands in the middle.
        codec: see `learnet.video.write_video`.

    Raises:
        UnknownName: no such emotion.
        BadInput: see `learnet.video.write_video`.
    """
    scene = centred(make_scene(seed, STRANGER, 1, emotion, CAMERA), round(duration_s * CAMERA.fps))
    write_video(path, render(scene.take), CAMERA.fps, codec)
    return Shown(path, emotion, scene.onset - 1, scene.apex - 1, scene.offset - 1, CAMERA.fps, scene.action_units)
