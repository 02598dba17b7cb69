"""Every documented function that takes a path takes it as text too, relative to the working directory."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from learnet import Resources, Study, Training
from learnet.datasets.prepared.importing import import_images
from learnet.datasets.prepared.store import load_prepared
from learnet.metrics.score import score
from learnet.report.comparison.compare import compare
from learnet.study.candidates import Candidates, read_candidates
from learnet.study.evaluate import evaluate
from learnet.study.outcomes import read_outcomes
from learnet.study.run import run_study
from learnet.study.selection import read_selection, select_settings
from learnet.study.train_on_all import train_on_all
from learnet.training.checkpoint import load_checkpoint, save_checkpoint
from learnet.video.reader import read_clip, read_frames
from learnet.video.writer import write_video

SVM = Study(network="linear-svm", groups=3)
ONE = Resources(jobs=1)
PEOPLE = 4


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with a folder of noise to import: two images for each of PEOPLE people."""
    rng = np.random.default_rng(0)
    (tmp_path / "images").mkdir()
    lines = ["image,subject,emotion"]
    for person in range(PEOPLE):
        for emotion in ("happiness", "disgust"):
            name = f"{person}-{emotion}.png"
            cv2.imwrite(str(tmp_path / "images" / name), rng.integers(0, 256, (28, 28, 3), dtype=np.uint8))
            lines.append(f"{name},{person},{emotion}")
    (tmp_path / "labels.csv").write_text("\n".join(lines))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_prepared_folders_studies_and_weights(here: Path) -> None:
    import_images("images", "labels.csv", "prepared")
    assert load_prepared("prepared").folder == Path("prepared")
    run_study("prepared", "svm", SVM, Training(), ONE)
    run_study(["prepared"], "majority", Study(network="majority"), Training(), ONE)
    assert len(read_outcomes("svm")) == 2 * PEOPLE
    assert [record.name for record in compare(["svm", "majority"]).records] == ["svm", "majority"]
    assert score("svm").whole.clips == 2 * PEOPLE
    trained = train_on_all("prepared", SVM, Training())
    trained.save("all.safetensors")
    module, metadata = load_checkpoint("all.safetensors")
    save_checkpoint("copy.safetensors", module, metadata)
    assert (here / "copy.safetensors").read_bytes() == (here / "all.safetensors").read_bytes()
    metrics = evaluate("prepared", "all.safetensors", "evaluation")
    assert metrics.mean["uf1"].value == 1  # noise in 2352 dimensions is separable, and was trained on


def test_candidates_and_selections(here: Path) -> None:
    import_images("images", "labels.csv", "prepared", kind="flow")
    (here / "candidates.toml").write_text("[plain]\n[with-trend]\ndetrend = false\n")
    candidates = read_candidates("candidates.toml", Training())
    assert isinstance(candidates, Candidates)
    selection = select_settings("prepared", "selection", candidates, SVM, ONE)
    assert read_selection("selection") == selection


def test_videos(here: Path) -> None:
    frames = np.full((3, 16, 16, 3), 90, dtype=np.uint8)
    write_video("clip.avi", frames, 50.0, "mjpeg")
    assert read_clip("clip.avi").info.fps == 50
    assert read_frames("clip.avi", 1).shape == (2, 16, 16, 3)
