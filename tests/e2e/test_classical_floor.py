"""The classical floor from the command line: LBP-TOP with a linear SVM over the composite, beside the
organisers' figures."""

import csv
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import f1_score

from tests.builders.commands import learnet


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, synthetic_database: Callable[..., Path]) -> Path:
    """Three synthetic people of three databases, their images of LBP-TOP, and a study over them."""
    place = tmp_path_factory.mktemp("lbp-top")
    root = synthetic_database("megc2019", people=1, clips=3)
    listed = ("--list", root / "combined_3class_gt.csv")
    learnet("prepare", "megc2019", root, place / "prepared", *listed, "--motion", "lbp-top", "--face", "haar")
    learnet("study", place / "prepared", place / "lbp-top", "--network", "lbp-top")
    return place


def test_prepared(place: Path) -> None:
    about = json.loads((place / "prepared" / "prepare.json").read_text())
    assert about["images_kind"] == "histograms" and about["preparation"]["normalise"] == "unit"
    middle = [int(5.6 * cell + 2.8) for cell in range(20)]  # of a cell, at 112 pixels
    shares = (np.load(place / "prepared" / "images.npy")[:, middle][:, :, middle] / 255) ** 2
    sums = shares.reshape(-1, 5, 4, 5, 4, 3).sum(axis=(2, 4))
    np.testing.assert_allclose(
        sums, 1, atol=4 / 255
    )  # 16 codes in each block: sqrt(p) adds up to 4 at most, and rounds by 1/255 at most
    assert len(shares) > 3 and shares.std() > 0.02


def test_studied_and_compared(place: Path) -> None:
    study = json.loads((place / "lbp-top" / "study.json").read_text())
    assert study["training"]["mirror"] == "none" and len(study["folds"]) == 3
    learnet("study", place / "prepared", place / "svm", "--network", "linear-svm", "--no-keep-weights")
    learnet("compare", place / "lbp-top", place / "svm", "--csv", place / "c.csv", "--html", place / "c.html")
    rows = list(csv.DictReader((place / "c.csv").open(newline="")))
    answers = list(csv.DictReader((place / "lbp-top" / "outcomes.csv").open(newline="")))
    truth, found = ([row[column] for row in answers] for column in ("truth", "prediction"))
    assert float(rows[0]["UF1"]) == pytest.approx(
        f1_score(truth, found, average="macro", labels=["negative", "positive", "surprise"])
    )
    page = (place / "c.html").read_text(encoding="utf-8")
    for figures in (".5882, UAR .5785", ".2, UAR .528", ".7026, UAR .7429", ".3954, UAR .4102"):
        assert f">UF1 {figures} [1]</td>" in page, "beside the study, or its database"
    assert f">lbp-top (synthetic): UF1 {float(rows[0]['UF1']):.3f}" in page, "beside the published figures"


def test_weights_answer_as_they_did_in_the_study(place: Path) -> None:
    """A fold's weights over the prepared images of the person it has not seen give the answers of the study
    again."""
    weights = next((place / "lbp-top" / "folds").glob("*.safetensors"))
    learnet("evaluate", place / "prepared", place / "again", "--weights", weights)
    before, again = (
        {row["clip"]: row for row in csv.DictReader((place / name / "outcomes.csv").open(newline=""))}
        for name in ("lbp-top", "again")
    )
    tested = [clip for clip, row in before.items() if row["person"].replace("/", "-") in weights.name]
    assert tested and all(before[clip]["prediction"] == again[clip]["prediction"] for clip in tested)


def test_what_does_not_go_together_is_refused_in_one_line(
    place: Path, synthetic_database: Callable[..., Path]
) -> None:
    image = ("--face", "none", "--motion", "lbp-top")
    clip = next(path.parent for path in synthetic_database("megc2019", people=1, clips=3).rglob("*.jpg"))
    learnet("show", clip, *image, "--size", 60, "--out", place / "steps.png")
    for words, says in {
        (
            "study",
            place / "prepared",
            place / "no",
            "--network",
            "learnet",
        ): "learnet expects images of a face",
        (
            "train",
            place / "prepared",
            place / "no.safetensors",
            "--network",
            "resnet18",
        ): "resnet18 expects images of a face",
        ("show", clip, *image, "--size", 39, "--out", place / "no.png"): "at least 40 pixels wide, not 39",
        (
            "show",
            clip,
            *image,
            "--normalise",
            "signed",
            "--out",
            place / "no.png",
        ): "normalise must be unit for lbp-top",
    }.items():
        done = learnet(*words, code=2)
        assert says in done.stderr and len(done.stderr.splitlines()) == 1, done.stderr
    assert not list(place.glob("no*"))
