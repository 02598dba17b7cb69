"""CASME II: 640 x 480 at 200 fps, with the irregularities of the real database that its readers handle.

Source: Yan et al., PLOS ONE 9(1): e86041, 2014.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from learnet.datasets.synthetic.layouts.writing import Cell, Layout, unit_cell, write_image, write_workbook
from learnet.simulation.geometry import View, crop_view
from learnet.simulation.render import register, render
from learnet.simulation.scenes import CAMERA, CASME2_EMOTIONS, Scene, make_scene, plan_scenes

WORKBOOK = "CASME2-coding-20140508.xlsx"
HEADER = (
    "Subject",
    "Filename",
    None,
    "OnsetFrame",
    "ApexFrame",
    "OffsetFrame",
    None,
    "Action Units",
    "Estimated Emotion",
)
RAW = Path("CASME2_RAW", "CASME2-RAW")
CROPPED = Path("Cropped")
IRREGULAR_NAMES = {2: "EP09f", 3: "EP06_02_01", 4: "EP01_2"}
"""Names of some persons' first clips: without a second part, with three parts, with one digit."""


def clip_name(scene: Scene) -> str:
    """Return the folder name of a clip: EPdd_dd, with a trailing f for some, and a few irregular ones."""
    if scene.number == 0:
        return "EP94_02f"
    group = scene.person % 5
    irregular = scene.number == 1 and group in IRREGULAR_NAMES
    if irregular:
        return IRREGULAR_NAMES[group]
    first = (7 * scene.person + 3 * scene.number) % 19 + 1
    second = scene.number + 10
    suffix = "f" if (scene.person + scene.number) % 3 else ""
    return f"EP{first:02d}_{second:02d}{suffix}"


def crop(scene: Scene) -> View:
    """Return the registered crop of a clip: about 280 x 340, a little different in every clip."""
    rng = np.random.default_rng(scene.recording.conditions.seed)
    height = 340 + int(rng.integers(-8, 9))
    width = 280 + int(rng.integers(-6, 7))
    return crop_view(height, width)


def write_clip(root: Path, scene: Scene) -> None:
    """Write the whole clip as img1.jpg, img2.jpg, ... and reg_img<N>.jpg, its crops from onset to offset."""
    subject = f"sub{scene.person:02d}"
    raw = root / RAW / subject / clip_name(scene)
    cropped = root / CROPPED / subject / clip_name(scene)
    raw.mkdir(parents=True)
    cropped.mkdir(parents=True)
    view = scene.recording.conditions.view
    crop_of_clip = crop(scene)
    for number, frame in enumerate(render(scene.recording), start=1):
        write_image(raw / f"img{number}.jpg", frame)
        if scene.onset <= number <= scene.offset:
            face = register(frame, view, crop_of_clip)
            write_image(cropped / f"reg_img{number}.jpg", face)


def unlabelled(seed: int) -> list[Scene]:
    """Return the scene of a clip folder without a row, as CASME II has several; its number is 0."""
    emotions = CASME2_EMOTIONS.main
    emotion = emotions[seed % len(emotions)]
    scene = make_scene(seed, 1, 0, emotion, CAMERA)
    return [scene]


def write_labels(root: Path, scenes: Sequence[Scene]) -> None:
    """Write the workbook, with one missing apex and one blank after a label."""
    rows = [_row(row_index, scene) for row_index, scene in enumerate(scenes)]
    write_workbook(root / WORKBOOK, {"Sheet1": [HEADER, *rows]})
    thumbnails = root / CROPPED / "sub01" / "Thumbs.db"
    thumbnails.write_bytes(b"left by a file manager")


def _row(row_index: int, scene: Scene) -> tuple[Cell, ...]:
    apex = "/" if row_index == 1 else scene.apex
    emotion = f"{scene.emotion} " if row_index == 2 else scene.emotion
    return (
        f"{scene.person:02d}",
        clip_name(scene),
        None,
        scene.onset,
        apex,
        scene.offset,
        None,
        unit_cell(scene.action_units),
        emotion,
    )


def megc_entry(scene: Scene) -> str:
    """Return the clip as the list of MEGC2019 writes it."""
    return f"sub{scene.person:02d},{clip_name(scene)}"


LAYOUT = Layout(
    "CASME II",
    0,
    CAMERA,
    CASME2_EMOTIONS,
    plan_scenes,
    write_clip,
    write_labels,
    unlabelled=unlabelled,
    megc_entry=megc_entry,
)
