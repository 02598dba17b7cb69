"""What bad input gets: one line on stderr with what is wrong and what to do, exit code 2, and nothing
half-written."""

import os
import shutil
import subprocess
from pathlib import Path

import cv2
import numpy as np
import openpyxl
import pytest
import torch

from learnet.video.writer import write_video
from tests.builders.commands import HANG_S, LEARNET, learnet


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from learnet.core.settings import Preparation, Training
    from learnet.networks import NETWORKS
    from learnet.training.checkpoint import save_checkpoint
    from learnet.training.metadata import CheckpointMetadata

    path = tmp_path_factory.mktemp("weights") / "w.safetensors"
    facts = CheckpointMetadata(
        "learnet",
        ("happiness", "disgust"),
        112,
        Preparation(),
        Training(detrend=False),
        {"images_kind": "image", "synthetic": "yes"},
        {},
    )
    save_checkpoint(path, NETWORKS["learnet"](2), facts)
    return path


@pytest.fixture
def folder(tmp_path: Path, rng: np.random.Generator) -> Path:
    """One person's clip of ten noisy frames, as `learnet prepare folder` takes it."""
    clip = tmp_path / "clips" / "p1" / "happiness" / "a"
    clip.mkdir(parents=True)
    for number in range(1, 11):
        cv2.imwrite(str(clip / f"img{number}.jpg"), rng.integers(0, 256, (90, 80, 3), dtype=np.uint8))
    return tmp_path / "clips"


def refused(*words: object, says: str) -> str:
    """Run the command; it must end with code 2 and one line that holds SAYS."""
    done = learnet(*words, code=2)
    lines = [line for line in done.stderr.splitlines() if line.startswith("learnet:")]
    assert len(lines) == 1 and "Traceback" not in done.stderr, done.stderr
    assert says in lines[0], lines[0]
    return lines[0]


def left_in(place: Path) -> list[str]:
    return sorted(str(p.relative_to(place)) for p in place.rglob("*") if p.is_file())


def workbook(path: Path, *rows: tuple) -> None:
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    book.save(path)


HEAD = (
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


def casme2(root: Path, frames: int = 20, emotion: str = "happiness", head: tuple = HEAD) -> Path:
    clip = root / "Cropped" / "sub01" / "EP01_01f"
    clip.mkdir(parents=True)
    for number in range(1, frames + 1):
        cv2.imwrite(str(clip / f"reg_img{number}.jpg"), np.full((34, 28, 3), number, np.uint8))
    workbook(
        root / "CASME2-coding-20140508.xlsx", head, ("01", "EP01_01f", None, 1, 8, 15, None, "12", emotion)
    )
    return root


def test_wrong_path_and_empty_folder(tmp_path: Path, weights: Path) -> None:
    (tmp_path / "empty").mkdir()
    refused("prepare", "casme2", tmp_path / "nowhere", tmp_path / "out", says="nowhere")
    refused("prepare", "casme2", tmp_path / "empty", tmp_path / "out", says="empty")
    refused("prepare", "folder", tmp_path / "empty", tmp_path / "out", says="empty")
    refused("study", tmp_path / "empty", tmp_path / "out", says="not a prepared folder")
    refused("predict", tmp_path / "no.mp4", "--weights", weights, says="no.mp4")
    refused("predict", tmp_path / "empty", "--weights", weights, says="empty")
    refused("report", tmp_path / "empty", says="outcomes.csv")
    assert left_in(tmp_path) == []


def test_workbook_with_a_missing_column(tmp_path: Path) -> None:
    root = casme2(tmp_path / "root", head=HEAD[:3] + ("Onset",) + HEAD[4:5] + ("Nonsense",) + HEAD[6:])
    refused("prepare", "casme2", root, tmp_path / "out", says="olumn")
    assert not (tmp_path / "out").exists()


def test_clip_folder_without_frames(tmp_path: Path) -> None:
    root = casme2(tmp_path / "root", frames=0)
    refused("prepare", "casme2", root, tmp_path / "out", says="holds no images")
    assert not (tmp_path / "out").exists()


def test_label_nobody_knows(tmp_path: Path, folder: Path) -> None:
    assert "happiness" in refused(
        "prepare",
        "casme2",
        casme2(tmp_path / "root", emotion="joyfulness"),
        tmp_path / "out",
        says="joyfulness",
    )
    (folder / "p1" / "happiness").rename(folder / "p1" / "glee")
    refused("prepare", "folder", folder, tmp_path / "out", says="glee")
    assert not (tmp_path / "out").exists()


def test_video_without_a_face(tmp_path: Path, weights: Path, folder: Path, rng: np.random.Generator) -> None:
    video = tmp_path / "noise.mp4"
    write_video(video, (rng.integers(0, 256, (120, 160, 3), dtype=np.uint8) for _ in range(20)), fps=50.0)
    refused("predict", video, "--weights", weights, "--picture", tmp_path / "p.png", says="no face")
    refused("prepare", "folder", folder, tmp_path / "out", says="face")
    assert not (tmp_path / "p.png").exists() and not (tmp_path / "out").exists()


@pytest.mark.slow
def test_real_video_without_a_face(weights: Path, shared: Path) -> None:
    refused("predict", shared / "real" / "no_face.mp4", "--weights", weights, says="no face")


def test_files_that_are_no_checkpoint(tmp_path: Path, weights: Path) -> None:
    torch.save({"w": torch.zeros(2)}, tmp_path / "weights.pth")
    refused("predict", tmp_path / "v.mp4", "--weights", tmp_path / "weights.pth", says="pickle")
    (tmp_path / "half.safetensors").write_bytes(weights.read_bytes()[:5000])
    refused(
        "predict", tmp_path / "v.mp4", "--weights", tmp_path / "half.safetensors", says="half.safetensors"
    )
    refused(
        "predict", tmp_path / "v.mp4", "--weights", tmp_path / "none.safetensors", says="none.safetensors"
    )


def test_output_that_holds_something_else(tmp_path: Path, folder: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "thesis.doc").write_text("years of work")
    refused("prepare", "folder", folder, tmp_path / "out", "--face", "none", says="Name a")
    refused("demo", tmp_path / "out", says="not empty")
    refused("demo", tmp_path / "new", "--epochs", 2, says="Add --study")
    refused("synthesize", tmp_path / "out", says="there")
    assert left_in(tmp_path / "out") == ["thesis.doc"]


def test_names_and_values_that_do_not_exist(tmp_path: Path, folder: Path) -> None:
    refused("audit", "casme22", tmp_path, says="Did you mean 'casme2'")
    refused("synthesize", tmp_path / "x", "--layout", "casme22", says="casme2")
    refused(
        "prepare", "folder", folder, tmp_path / "out", "--motion", "dynamik", says="Did you mean 'dynamic'"
    )
    refused("study", folder, tmp_path / "out", "--epochs", "0", says="epochs must be from 1 to")
    refused("study", folder, tmp_path / "out", "--epoch", "3", says="--epoch")
    refused(
        "simulate",
        tmp_path / "out",
        "--motion",
        "dynamic",
        "--estimator",
        "both",
        says="--estimator applies to optical flow",
    )
    refused("simulate", tmp_path / "out", "--motion", "dynamic", "--size", "20", says="28 to 1024")
    refused("predict", says="VIDEO")
    assert not (tmp_path / "out").exists()


@pytest.mark.skipif(not shutil.which("bash"), reason="needs a shell that limits file sizes")
def test_full_disk(tmp_path: Path, folder: Path) -> None:
    """A limit on file sizes stands for a disk that fills up: writing fails in the middle of a file."""
    command = f"{LEARNET} prepare folder {folder} {tmp_path}/out --face none --jobs 1"
    limited = f"ulimit -f 8; trap '' XFSZ; exec {command}"
    done = subprocess.run(
        ["bash", "-c", limited],
        capture_output=True,
        text=True,
        timeout=HANG_S,
        check=False,
        env={**os.environ, "TMPDIR": "/tmp"},
    )
    assert done.returncode == 2, done.stderr
    assert len([line for line in done.stderr.splitlines() if line.startswith("learnet:")]) == 1
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "out").exists()
    learnet("prepare", "folder", folder, tmp_path / "out", "--face", "none", "--jobs", 1)


def test_results_never_overwrite_what_is_read_nor_land_below_a_file(
    folder: Path, tmp_path: Path, weights: Path
) -> None:
    clip, afile = folder / "p1" / "happiness" / "a", tmp_path / "afile"
    afile.touch()
    before = weights.read_bytes()
    refused("predict", clip, "--weights", weights, "--output", weights, says="would be overwritten")
    refused("live", clip, "--weights", weights, "--csv", weights, says="would be overwritten")
    assert weights.read_bytes() == before
    refused(
        "predict",
        clip,
        "--weights",
        weights,
        "--output",
        tmp_path / "o.json",
        "--csv",
        tmp_path / "o.json",
        says="two results",
    )
    refused("synthesize", afile / "x", "--people", 1, says="afile is a file")
    refused("train", tmp_path / "nowhere", afile / "w.safetensors", says="afile is a file")
    refused("report", tmp_path, "--out", afile / "x.html", says="afile is a file")
    assert left_in(tmp_path) == [
        "afile",
        *sorted(str(p.relative_to(tmp_path)) for p in folder.rglob("*.jpg")),
    ]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (
            ("predict", "v.mp4", "--weights", "w", "--window-s", "inf"),
            "window_s must be from 0.001 to 60",
        ),
        (
            ("predict", "v.mp4", "--windows", "--window-s", "1e-300", "--whole-s", "0.01"),
            "window_s must be from 0.001 to 60",
        ),
        (("predict", "v.mp4", "--weights", "w", "--overlap", "0.9999"), "overlap must be from 0 to 0.99"),
        (
            ("live", "v.mp4", "--weights", "w", "--window-s", "1e9"),
            "window_s must be from 0.001 to 60",
        ),
        (("study", "p", "o", "--seed", "9" * 23), "seed must be from 0 to"),
        (("study", "p", "o", "--cluster", ""), "cluster is empty"),
        (
            ("study", "p", "o", "--no-detrend", "--clipping-percentile", "90"),
            "clipping_percentile is for detrended images: leave detrend = false (--no-detrend) out.",
        ),
        (
            ("train", "p", "w.safetensors", "--no-detrend", "--vary-clipping", "90"),
            "vary_clipping is for detrended images: leave detrend = false (--no-detrend) out.",
        ),
        (("synthesize", "o", "--jobs", "0"), "processes cannot be 0"),
        (("synthesize", "o", "--people", "100000"), "At most 999 people"),
        (("train", "p", "w.txt"), "ends in .safetensors"),
        (("predict", "v.mp4", "--page", "p.pdf"), "p.pdf: a page is written as HTML. Use a file name that"),
        (("predict", "v.mp4", "--output", "p.csv"), "p.csv: predictions are written as JSON. Use a file"),
        (("predict", "v.mp4", "--picture", "p.jpg"), "p.jpg: a figure is written as PNG, SVG or PDF. Use"),
        (("live", "v.mp4", "--csv", "t.xlsx"), "t.xlsx: a table is written as CSV. Use a file name that"),
        (("audit", "casme2", "d", "--csv", "t.txt"), "t.txt: a table is written as CSV. Use a file name"),
        (("score", "log", "--csv", "t"), "t: a table is written as CSV. Use a file name that ends in .csv."),
        (("report", "s", "--out", "r.pdf"), "r.pdf: a page is written as HTML. Use a file name that ends"),
        (("compare", "s", "--latex", "c.pdf"), "c.pdf: tables are written as LaTeX. Use a file name that"),
        (("export", "w", "w.pt"), "w.pt: weights are exported as ONNX. Use a file name that ends in .onnx."),
        (("study", "nowhere", "o"), "there is no such folder"),
        (
            ("prepare", "folder", "p", "o", "--size", "28.5"),
            "--size cannot be '28.5': it should be a whole number.",
        ),
        (("prepare", "folder", "nowhere", "o", "--size", "28.0"), "there is no such folder"),
        (("study", "p", "o", "--parallel-folds", "2.5"), "it should be a whole number or auto."),
        (("show", "v.mp4", "--onset", "1.2.3"), "--onset cannot be '1.2.3': it should be a whole number."),
        (
            ("study", "p", "o", "--groups", "3"),
            "--groups has no effect on --protocol loso",
        ),
        (
            ("study", "p", "o", "--test-on", "samm"),
            "--test-on has no effect on --protocol loso",
        ),
    ],
)
def test_numbers_without_sense_are_refused_at_once(
    words: tuple[str, ...], says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    refused(*words, says=says)
    assert left_in(tmp_path) == []


@pytest.mark.parametrize(
    "words",
    [
        ("score", "PIPE"),
        ("score-spotting", "PIPE"),
        ("import", "FOLDER", "PIPE", "FOLDER/out"),
        ("import-annotations", "PIPE", "--to", "FOLDER/to.csv", "--fps", "25"),
        ("agreement", "PIPE", "PIPE", "--fps", "25"),
        ("run", "PIPE", "FOLDER/out"),
        ("select", "FOLDER", "FOLDER/out", "--candidates", "PIPE"),
    ],
)
def test_a_pipe_is_refused_before_it_is_waited_for(tmp_path: Path, words: tuple[str, ...]) -> None:
    """A pipe can be read once, and the commands look at a file more than once."""
    pipe = tmp_path / "events.csv"
    os.mkfifo(pipe)
    refused(
        *(word.replace("PIPE", str(pipe)).replace("FOLDER", str(tmp_path)) for word in words),
        says="this is a pipe or a device",
    )
