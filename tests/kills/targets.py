"""The commands that are killed, on inputs as small as they can be."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from learnet.simulation.render import Camera, render
from learnet.simulation.scenes import make_long_scene
from learnet.video.writer import write_video
from tests.builders.commands import import_noise, learnet

CAMERA = Camera(240, 320, 50.0, 120.0)
NOISE = "casme2"  # prepared folder of three people with three images each


@dataclass(frozen=True)
class Target:
    """A command; it is run in an empty folder, and everything it leaves there is compared."""

    words: tuple[str, ...]  # with {inputs} where the folder of the inputs is meant


STUDY = ("--network", "ststnet", "--epochs", "1", "--jobs", "1")
SPOTTED = ("--output", "film.json", "--csv", "film.csv", "--page", "film.html")
TARGETS = {
    "prepare": Target(("prepare", "casme2", "{inputs}/database", "out", "--size", "28", "--jobs", "1")),
    "study": Target(("study", f"{{inputs}}/{NOISE}", "out", *STUDY)),
    "train": Target(("train", f"{{inputs}}/{NOISE}", "out.safetensors", *STUDY[:-2])),
    "export": Target(("export", "{inputs}/majority.safetensors", "out.onnx")),
    "report": Target(("report", "{inputs}/study", "--out", "out.html", "--explained", "0")),
    "simulate": Target(("simulate", "out", "--images", "40", "--jobs", "1")),
    "spotter, a video": Target(("predict", "{inputs}/film/1.mp4", *SPOTTED)),
    "spotter, a folder": Target(("predict", "{inputs}/film", "--output", "out", "--jobs", "1")),
    "windows of a video": Target(
        ("predict", "{inputs}/film/1.mp4", "--windows", "--output", "film.json", "--csv", "film.csv")
    ),
}


def make_inputs(folder: Path) -> None:
    """Make what the commands read."""
    learnet("synthesize", folder / "database", "--layout", "casme2", "--people", 2, "--clips", 2)
    import_noise(folder, NOISE, people=3, seed=0, kind="flow")
    learnet("study", folder / NOISE, folder / "study", *STUDY)
    learnet("train", folder / NOISE, folder / "majority.safetensors", "--network", "majority")
    (folder / "film").mkdir()
    for number in (1, 2):
        scene = make_long_scene(number, 1, 1, [("micro", "surprise")], CAMERA)
        frames = np.stack(list(render(scene.recording)))
        write_video(folder / "film" / f"{number}.mp4", frames, CAMERA.fps)
