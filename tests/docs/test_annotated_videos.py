"""The worked example of docs/annotations.md: annotated videos are prepared, studied and learned from."""

import csv
import re
import shlex
from pathlib import Path

import numpy as np
import pytest

from learnet.datasets.annotations.files import read_annotations, write_annotations
from learnet.datasets.annotations.record import Recording
from learnet.video.writer import write_video
from tests.builders.commands import learnet

PAGE = Path(__file__).parents[2] / "docs" / "annotations.md"
SECTION = PAGE.read_text(encoding="utf-8").split("## Annotated videos as training data")[1]
FPS = 50.0


def block(language: str) -> str:
    match = re.search(rf"```{language}\n(.*?)```", SECTION, re.DOTALL)
    assert match
    return match[1]


def test_the_worked_example(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Three people; the films show noise, so the clips are prepared without a face."""
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    table = tmp_path / "table.csv"
    table.write_text(block("csv"))
    recording = Recording(fps=FPS, frames=110)
    events = read_annotations(table, recording).events
    for video, annotations in re.findall(r"(\S+\.mp4)\s+(\S+)", block("text")):
        Path(video).parent.mkdir(parents=True)
        write_video(Path(video), rng.integers(0, 256, (110, 64, 64, 3), np.uint8), FPS)
        if annotations.endswith(".csv"):
            Path(annotations).write_text(block("csv"))
        else:
            write_annotations(Path(annotations), events, recording)
    said = []
    for command in block("sh").splitlines():
        options = ["--face", "none", "--size", "28", "--jobs", "1"] if " prepare " in command else []
        said.append(learnet(*shlex.split(command)[1:], *options).stdout)
    assert "9, 3 people" in said[0]
    assert "9 motion images of 3 people" in said[1]
    with Path("study/outcomes.csv").open(newline="") as handle:
        outcomes = list(csv.DictReader(handle))
    assert len(outcomes) == 9
    assert {row["person"] for row in outcomes} == {"folder/ann", "folder/ben", "folder/eva"}
    assert {row["truth"] for row in outcomes} == {"happiness", "disgust", "surprise"}
    assert Path("own.safetensors").is_file()
