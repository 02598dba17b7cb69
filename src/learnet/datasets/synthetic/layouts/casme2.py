"""CASME II: 640 x 480 at 200 fps; facts and quirks as in Yan et al. 2014 and as loaders of the real database meet them."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from learnet.datasets.synthetic.layouts.writing import Layout, write_image, write_workbook
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
RAW, CROPPED = Path("CASME2_RAW", "CASME2-RAW"), Path("Cropped")
IRREGULAR = {2: "EP09f", 3: "EP06_02_01", 4: "EP01_2"}
"""Names of some persons' first clips: without second part, with three parts, with one digit, as they occur in CASME II."""


def clip_name(scene: Scene) -> str:
    """The clip's folder: EPdd_dd, with a trailing f for some, and a few irregular ones."""
    if scene.number == 0:
        return "EP94_02f"
    if scene.number == 1 and scene.person % 5 in IRREGULAR:
        return IRREGULAR[scene.person % 5]
    return f"EP{(7 * scene.person + 3 * scene.number) % 19 + 1:02d}_{scene.number + 10:02d}{'f' if (scene.person + scene.number) % 3 else ''}"


def crop(scene: Scene) -> View:
    """The registered crop of a clip: about 280 x 340, a little different in every clip."""
    noise = np.random.default_rng(scene.recording.conditions.seed)
    return crop_view(340 + int(noise.integers(-8, 9)), 280 + int(noise.integers(-6, 7)))


def write_clip(root: Path, scene: Scene) -> None:
    """Raw: the whole clip as img1.jpg, img2.jpg, ...; cropped: onset to offset as reg_img<N>.jpg under the same numbers."""
    raw, cropped = (root / tree / f"sub{scene.person:02d}" / clip_name(scene) for tree in (RAW, CROPPED))
    raw.mkdir(parents=True)
    cropped.mkdir(parents=True)
    face = crop(scene)
    for number, frame in enumerate(render(scene.recording), start=1):
        write_image(raw / f"img{number}.jpg", frame)
        if scene.onset <= number <= scene.offset:
            write_image(
                cropped / f"reg_img{number}.jpg", register(frame, scene.recording.conditions.view, face)
            )


def extra(seed: int) -> list[Scene]:
    """A clip folder without a row, as CASME II has several."""
    return [make_scene(seed, 1, 0, CASME2_EMOTIONS.main[seed % len(CASME2_EMOTIONS.main)], CAMERA)]


def write_labels(root: Path, scenes: Sequence[Scene]) -> None:
    """The workbook, with one missing apex, one blank behind a label, and action units as numbers where they are one."""
    rows: list[tuple] = [HEADER]
    for row, scene in enumerate(scenes):
        units = scene.action_units
        apex = "/" if row == 1 else scene.apex
        emotion = f"{scene.emotion} " if row == 2 else scene.emotion
        cells = (f"{scene.person:02d}", clip_name(scene), None, scene.onset, apex, scene.offset, None)
        rows.append((*cells, int(units) if units.isdigit() else units, emotion))
    write_workbook(root / WORKBOOK, {"Sheet1": rows})
    (root / CROPPED / "sub01" / "Thumbs.db").write_bytes(b"left by a file manager")


def listed(scene: Scene) -> str:
    """As the list of MEGC2019 writes it."""
    return f"sub{scene.person:02d},{clip_name(scene)}"


LAYOUT = Layout("CASME II", 0, CAMERA, CASME2_EMOTIONS, plan_scenes, write_clip, write_labels, extra, listed=listed)
