"""Phases from the command line: kept when images are made, learned from when asked for, refused in one line
where there are none."""

import json
from pathlib import Path

import numpy as np

from tests.builders.commands import learnet


def test_prepared_and_learned_from(tmp_path: Path) -> None:
    learnet("synthesize", tmp_path / "db", "--people", 2, "--clips", 3)
    made = ("prepare", "casme2", tmp_path / "db")
    small = ("--size", 28, "--face", "haar")
    learnet(*made, tmp_path / "with", *small, "--phases")
    learnet(*made, tmp_path / "rise", *small, "--motion", "dynamic-rise")
    rows = (tmp_path / "with" / "phases.csv").read_text().splitlines()
    assert rows[0] == "image,phase" and len(rows) == 1 + 2 * 6
    rises = [place for place, row in enumerate(rows[1:]) if row.endswith("rise")]
    assert (
        np.load(tmp_path / "with" / "phases.npy")[rises] == np.load(tmp_path / "rise" / "images.npy")
    ).all()
    learnet(
        "study",
        tmp_path / "with",
        tmp_path / "study",
        "--phases",
        "--network",
        "linear-svm",
        "--classes",
        "casme2-5",
    )
    assert json.loads((tmp_path / "study" / "study.json").read_text())["training"]["phases"] is True
    assert (
        len((tmp_path / "study" / "outcomes.csv").read_text().splitlines()) == 1 + 6
    )  # whole clips alone are answered
    for words, says in {
        (
            *made,
            tmp_path / "no",
            *small,
            "--phases",
            "--motion",
            "flow-dis",
        ): "phases are kept of the motion image dynamic, and this is flow-dis.",
        ("study", tmp_path / "rise", tmp_path / "no", "--phases"): f"there are none in {tmp_path / 'rise'}.",
        (
            "train",
            tmp_path / "rise",
            tmp_path / "no.safetensors",
            "--phases",
        ): "phases needs images of phases",
    }.items():
        done = learnet(*words, code=2)
        assert says in done.stderr and len(done.stderr.splitlines()) == 1, done.stderr
    assert not list(tmp_path.glob("no*"))


def test_parts_are_prepared_and_averaged_over(tmp_path: Path) -> None:
    learnet("synthesize", tmp_path / "db", "--people", 2, "--clips", 3)
    made = ("prepare", "casme2", tmp_path / "db")
    small = ("--size", 28, "--face", "haar", "--motion", "flow-dis")
    learnet(*made, tmp_path / "parts", *small, "--parts", 3)
    rows = (tmp_path / "parts" / "phases.csv").read_text().splitlines()
    assert len(rows) == 1 + 3 * 6 and rows[-1] == "5,part 3"
    network = ("--network", "linear-svm", "--classes", "casme2-5")
    learnet("study", tmp_path / "parts", tmp_path / "whole", *network)
    learnet("study", tmp_path / "parts", tmp_path / "study", *network, "--phases", "--phases-at-test")
    outcomes = [(tmp_path / name / "outcomes.csv").read_text().splitlines() for name in ("whole", "study")]
    assert len(outcomes[0]) == len(outcomes[1]) and outcomes[0] != outcomes[1]
    for words, says in {
        ("--parts", 9): "parts must be from 2 to 8, not 9.",
        ("--parts", 2, "--phases"): "phases (--phases) and parts (--parts) exclude each other.",
    }.items():
        done = learnet(*made, tmp_path / "no", *small, *words, code=2)
        assert says in done.stderr and len(done.stderr.splitlines()) == 1, done.stderr
    assert not list(tmp_path.glob("no*"))
