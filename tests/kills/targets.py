"""The commands that are killed, on inputs as small as they can be."""

from dataclasses import dataclass, replace
from pathlib import Path
from unittest import mock

import numpy as np

from learnet.datasets.synthetic import layouts
from learnet.datasets.synthetic.databases import synthesize
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

    timed: tuple[str, ...] = ()
    """Files that state how long something took; what is in them is not compared."""

    kills: int = 20  # in the slow tests; fewer of a command that takes seconds


STUDY = ("--network", "ststnet", "--epochs", "1", "--jobs", "1")
SPOTTED = ("--output", "film.json", "--csv", "film.csv", "--page", "film.html")
CANDIDATES = """
[slow]
learning_rate = 0.0001

[fast]
learning_rate = 0.001
"""
RECIPE = """
title = "Small"
claim = "A small network is better than nothing."
source = "this test"
networks = ["linear-svm", "majority"]
against = "majority"
imported = true

[[databases]]
name = "casme2"
classes = "megc-3"

[preparation]
motion = "flow-tvl1"
size = 28

[study]
seeds = 1
"""
TARGETS = {
    "prepare": Target(
        ("prepare", "casme2", "{inputs}/database", "out", "--size", "28", "--parts", "3", "--jobs", "1")
    ),
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
    "select": Target(
        (
            "select",
            f"{{inputs}}/{NOISE}",
            "out",
            "--candidates",
            "{inputs}/candidates.toml",
            "--groups",
            "3",
            *STUDY,
        ),
        kills=10,
    ),
    "evaluate": Target(
        ("evaluate", f"{{inputs}}/{NOISE}", "out", "--weights", "{inputs}/ststnet.safetensors")
    ),
    "run": Target(
        ("run", "{inputs}/small.toml", "out", "--data", f"{{inputs}}/{NOISE}", "--jobs", "1"),
        timed=("out/results.md", "out/results.csv"),
        kills=10,
    ),
    "study of spotting": Target(
        ("study", "--task", "spotting", "casme-sq", "{inputs}/recordings", "out", "--jobs", "1"), kills=10
    ),
    "compare": Target(
        (
            "compare",
            "{inputs}/study",
            "{inputs}/majority",
            "--csv",
            "out.csv",
            "--latex",
            "out.tex",
            "--html",
            "out.html",
        )
    ),
    "import": Target(
        ("import", f"{{inputs}}/{NOISE}-images", f"{{inputs}}/{NOISE}.csv", "out", "--kind", "flow")
    ),
}


def make_inputs(folder: Path) -> None:
    """Make what the commands read."""
    learnet("synthesize", folder / "database", "--layout", "casme2", "--people", 2, "--clips", 2)
    import_noise(folder, NOISE, people=3, seed=0, kind="flow")
    learnet("study", folder / NOISE, folder / "study", *STUDY)
    learnet("train", folder / NOISE, folder / "majority.safetensors", "--network", "majority")
    learnet("train", folder / NOISE, folder / "ststnet.safetensors", *STUDY[:-2])
    learnet("study", folder / NOISE, folder / "majority", "--network", "majority", "--jobs", 1)
    (folder / "candidates.toml").write_text(CANDIDATES)
    (folder / "small.toml").write_text(RECIPE)
    small = replace(layouts.LAYOUTS["casme-sq"], camera=Camera(240, 320, 30.0, 125.0))
    with mock.patch.dict(layouts.LAYOUTS, {"casme-sq": small}):
        synthesize(folder / "recordings", "casme-sq", 2, 1, 9, recording_s=10.0, jobs=1)
    (folder / "film").mkdir()
    for number in (1, 2):
        scene = make_long_scene(number, 1, 1, [("micro", "surprise")], CAMERA)
        frames = np.stack(list(render(scene.recording)))
        write_video(folder / "film" / f"{number}.mp4", frames, CAMERA.fps)
