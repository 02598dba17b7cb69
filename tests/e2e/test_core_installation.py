"""What works without the extras: answers, databases, images, scores, reports. The rest says what it needs."""

from pathlib import Path

import pytest

from learnet.datasets.synthetic.databases import synthetic_video
from tests.builders.annotated import write_annotated
from tests.builders.core_only import run_commands, run_python


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("film") / "film.mp4"
    synthetic_video(file, seed=3, duration_s=0.55)
    return file


def test_everything_but_training_works_without_pytorch(film: Path, tmp_path: Path) -> None:
    """From a database to a report, and from a film to an answer."""
    out = tmp_path
    commands = (
        ("datasets",),
        ("synthesize", out / "casme2", "--people", 2, "--clips", 2, "--jobs", 1),
        ("audit", "casme2", out / "casme2", "--no-check"),
        ("prepare", "casme2", out / "casme2", out / "prepared", "--size", 28, "--jobs", 1),
        ("simulate", out / "flow", "--images", 8, "--jobs", 1),
        ("simulate", out / "dynamic", "--motion", "dynamic", "--images", 8, "--jobs", 1),
        ("evaluate", out / "flow", out / "study", "--classes", "megc-4"),
        ("evaluate", out / "dynamic", out / "other", "--weights", "learnet-image-112", "--classes", "megc-4"),
        ("score", out / "study", "--no-check"),
        ("compare", out / "study"),
        ("report", out / "study"),
        ("predict", film, "--picture", out / "answer.png"),
        ("live", film, "--weights", "learnet-image-112"),
        ("explain", "temporal", film, out / "when"),
        ("show", film, "--out", out / "steps.png"),
        ("run", "--help"),
    )  # fmt: skip
    for command, (code, said) in zip(commands, run_commands(*commands), strict=True):
        assert code == 0, f"{command}: {said}"
    for file in ("study/metrics.json", "study/report.html", "answer.png", "when/when.png", "steps.png"):
        assert (out / file).stat().st_size > 1000


def test_what_needs_an_extra_names_it_in_one_line(film: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    units = write_annotated(tmp_path / "units", ["4", "12", "4"], ["a", "b", "b"]).folder
    asked = {
        "learnet study needs PyTorch": ("study", tmp_path, out),
        "learnet study needs scikit-learn": ("study", units, out, "--target", "action-units"),
        "learnet train needs PyTorch": ("train", tmp_path, tmp_path / "w.safetensors"),
        "learnet select needs PyTorch": ("select", tmp_path, tmp_path / "out", "--candidates", film),
        "learnet explain clip needs PyTorch": ("explain", "clip", tmp_path, "name", out),
        "learnet explain measure needs PyTorch": ("explain", "measure", film, "--out", out),
        "learnet export needs PyTorch": ("export", film, tmp_path / "out.onnx"),
        "TV-L1 optical flow needs scikit-image": ("show", film, "--motion", "flow-tvl1"),
    }  # fmt: skip
    for begins, (code, said) in zip(asked, run_commands(*asked.values()), strict=True):
        expected = f"learnet: {begins}, which is not installed. Install it: pip install 'learnet[train]'\n"
        assert (code, said) == (2, expected)


def test_a_checkpoint_of_pytorch_says_what_it_needs(film: Path, tmp_path: Path) -> None:
    weights = tmp_path / "mine.safetensors"
    weights.write_bytes(bytes(8) + b"{}")
    code, said = run_commands(("explain", "temporal", film, tmp_path / "out", "--weights", weights))[0]
    assert (code, said.count("\n")) == (2, 1)
    assert f"{weights}, a checkpoint of PyTorch, needs PyTorch" in said and "'learnet[train]'" in said


def test_names_of_the_library_say_what_they_need() -> None:
    done = run_python("import learnet; print(learnet.Recogniser); learnet.run_study")
    assert "learnet.inference.recogniser.Recogniser" in done.stdout
    assert done.stderr.endswith(
        "MissingLibrary: learnet.run_study needs PyTorch, which is not installed. "
        "Install it: pip install 'learnet[train]'\n"
    )
    caught = "try:\n    from learnet import run_study\nexcept ImportError as error:\n    print(error)"
    assert "needs PyTorch" in run_python(caught).stdout
