"""Every installed command once in a process of its own, on its smallest real work.

Other tests run the commands in their own process.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pytest

from learnet.cli.app import app
from tests.builders.commands import import_noise, installed, learnet

RECIPE = """
title = "Small"
claim = "Something is better than nothing."
source = "this test"
networks = ["majority"]
against = "majority"

[[databases]]
name = "casme2"
classes = "casme2-5"
"""
CANDIDATES = "[slow]\nlearning_rate = 0.001\n\n[fast]\nlearning_rate = 0.01\n"


@dataclass
class Given:
    """What the commands are given."""

    database: Path
    prepared: Path
    study: Path
    weights: Path
    small: Path
    """A folder with a video, images with labels, a recipe, candidates and a second study."""

    @property
    def clip(self) -> str:
        """The first clip of the prepared folder."""
        return pd.read_csv(self.prepared / "clips.csv")["clip"][0]


@pytest.fixture(scope="module")
def given(
    synthetic_database: Callable[..., Path],
    prepared_folder: Path,
    study_folder: Path,
    small_weights: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Given:
    from learnet.datasets.synthetic.databases import synthetic_video

    small = tmp_path_factory.mktemp("given")
    synthetic_video(small / "video.mp4", seed=3, duration_s=0.55)
    import_noise(small, "casme2", 4, 0, "image")
    (small / "recipe.toml").write_text(RECIPE)
    (small / "candidates.toml").write_text(CANDIDATES)
    (small / "events.csv").write_text("onset,apex,offset\n10,15,20\n60,70,90\n")
    (small / "log.csv").write_text("video,onset,offset,kind\nv1,10,20,micro\n")
    (small / "truth.csv").write_text("video,onset,offset,kind\nv1,12,20,micro\n")
    learnet("synthesize", small / "samm-lv", "--layout", "samm-lv", "--people", 1, "--clips", 1)
    learnet("study", prepared_folder, small / "learnet", "--epochs", 1)
    database = synthetic_database("casme2", people=4, clips=5)
    return Given(database, prepared_folder, study_folder, small_weights, small)


CASES: dict[str, tuple[Callable[[Given, Path], tuple], str]] = {
    "agreement": (
        lambda g, out: (*2 * [g.small / "events.csv"], "--fps", 100, "--json", out / "agreement.json"),
        "agreement.json",
    ),
    "atlas": (lambda g, out: (out,), "*.png"),
    "audit": (lambda g, out: ("casme2", g.database, "--csv", out / "audit.csv"), "audit.csv"),
    "select": (
        lambda g, out: (
            g.small / "casme2", out, "--candidates", g.small / "candidates.toml",
            "--groups", 3, "--epochs", 1, "--jobs", 1,
        ),
        "choice.json",
    ),
    "compare": (lambda g, out: (g.study, g.small / "learnet", "--csv", out / "table.csv"), "table.csv"),
    "datasets": (lambda g, out: (), ""),
    "demo": (lambda g, out: (out, "--study", "--people", 3, "--epochs", 1), "report.html"),
    "evaluate": (lambda g, out: (g.prepared, out, "--weights", g.weights), "metrics.json"),
    "explain class": (lambda g, out: (g.small / "learnet", "happiness", out), "*.png"),
    "explain clip": (lambda g, out: (g.prepared, g.clip, out, "--weights", g.weights), "*.png"),
    "explain measure": (lambda g, out: (g.weights, "--out", out, "--people", 1), "*.csv"),
    "explain networks": (lambda g, out: (g.small / "learnet", "--out", out), "*.png"),
    "explain temporal": (lambda g, out: (g.small / "video.mp4", out, "--weights", g.weights), "*.png"),
    "export": (lambda g, out: (g.weights, out / "learnet.onnx"), "learnet.onnx"),
    "import": (
        lambda g, out: (g.small / "casme2-images", g.small / "casme2.csv", out, "--kind", "image"),
        "images.npy",
    ),
    "import-annotations": (
        lambda g, out: (g.small / "events.csv", "--fps", 100, "--to", out / "events.eaf"),
        "events.eaf",
    ),
    "live": (
        lambda g, out: (g.small / "video.mp4", "--weights", g.weights, "--csv", out / "answers.csv"),
        "answers.csv",
    ),
    "predict": (
        lambda g, out: (
            *(g.small / "video.mp4", "--weights", g.weights, "--picture", out / "answer.png"),
            *("--page", out / "page.html", "--anonymous"),
        ),
        "answer.png",
    ),
    "prepare": (lambda g, out: ("casme2", g.database, out, "--size", 28), "clips.csv"),
    "recordings": (
        lambda g, out: ("samm-lv", g.small / "samm-lv", "--events", out / "events.csv"),
        "events.csv",
    ),
    "report": (lambda g, out: (g.study, "--out", out / "page.html"), "page.html"),
    "run": (lambda g, out: (g.small / "recipe.toml", out, "--data", g.prepared, "--jobs", 1), "results.md"),
    "score": (lambda g, out: (g.study, "--csv", out / "scores.csv"), "scores.csv"),
    "score-spotting": (
        lambda g, out: (g.small / "log.csv", "--truth", g.small / "truth.csv", "--csv", out / "scores.csv"),
        "scores.csv",
    ),
    "show": (lambda g, out: (g.small / "video.mp4", "--out", out / "steps.png"), "steps.png"),
    "simulate": (lambda g, out: (out, "--images", 6), "images.npy"),
    "study": (lambda g, out: (g.prepared, out, "--network", "majority"), "outcomes.csv"),
    "synthesize": (lambda g, out: (out, "--people", 1, "--clips", 1), "*.xlsx"),
    "train": (lambda g, out: (g.prepared, out / "w.safetensors", "--epochs", 1), "w.safetensors"),
}  # fmt: skip
"""Command -> its arguments, and what it writes into the new folder `out`."""
SLOW = ("atlas", "demo")


def commands(within: object = app, before: str = "") -> Iterator[str]:
    """Names of all commands, those of groups behind the group's name."""
    for name in within:
        if name.startswith("-"):
            continue
        inner = [part for part in within[name] if not part.startswith("-")]
        if inner:
            yield from commands(within[name], f"{before}{name} ")
        else:
            yield before + name


def test_every_command_is_here() -> None:
    assert set(commands()) == CASES.keys() | {"face-model"}


@pytest.mark.parametrize(
    "command", [pytest.param(name, marks=[pytest.mark.slow] * (name in SLOW)) for name in CASES]
)
def test_a_process_of_its_own(command: str, given: Given, tmp_path: Path) -> None:
    arguments, written = CASES[command]
    out = tmp_path / "out"
    done = installed(*command.split(), *arguments(given, out))
    assert "Traceback" not in done.stderr
    assert done.stdout.strip()
    if written:
        assert [file for file in out.glob(written) if file.stat().st_size > 0]


def test_face_model_without_a_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The only command that uses the network says in one line that there is none, and leaves nothing."""
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")
    done = installed("face-model", tmp_path / "model.onnx", code=2)
    assert done.stderr.startswith("learnet: The face model could not be fetched from https://")
    assert len(done.stderr.splitlines()) == 1 and list(tmp_path.iterdir()) == []
