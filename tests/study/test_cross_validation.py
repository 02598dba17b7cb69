"""Cross-validation in memory: the numbers of a study, of people that no network had seen."""

import json
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.metrics import accuracy_score, balanced_accuracy_score, f1_score
from torch import nn

from learnet.core.errors import LearnetError
from learnet.core.serialisation import to_plain
from learnet.core.settings import Resources, Training
from learnet.networks import NETWORKS
from learnet.study.cross_validation import CrossValidation, cross_validate
from learnet.study.outcomes import read_outcomes
from tests.builders.commands import learnet
from tests.builders.shape_checks import REFUSED_EARLIER

ALONE = Resources(jobs=1)
QUICK = Training(epochs=2, batch_size=4)
WORDS = ("disgust", "happiness", "surprise")
PEOPLE = 4


@pytest.fixture
def images() -> np.ndarray:
    """Two images of each class for each person, whose upper rows show the class, weakly."""
    rng = np.random.default_rng(0)
    pixels = rng.integers(60, 190, (PEOPLE * 6, 28, 28, 3), dtype=np.uint8)
    for index, image in enumerate(pixels):
        image[7 * (index % 3) : 7 * (index % 3) + 7] += 25
    return pixels


LABELS = np.array(WORDS * 2 * PEOPLE)
PERSON = np.repeat(["04", "01", "02", "03"], 6)


def plain_metrics(value: object) -> object:
    """Return metrics as dictionaries, with people as `cross_validate` calls them, to 12 digits."""
    if isinstance(value, dict):
        return {key.removeprefix("imported/"): plain_metrics(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return list(map(plain_metrics, value))
    return round(value, 12) if isinstance(value, float) else value


@pytest.mark.parametrize(
    ("network", "protocol"), [("ststnet", "loso"), ("ststnet", "groups"), ("linear-svm", "loso")]
)
def test_the_numbers_are_those_of_import_and_study(
    images: np.ndarray, network: str, protocol: str, tmp_path: Path
) -> None:
    (tmp_path / "images").mkdir()
    lines = ["image,subject,emotion"]
    for index, image in enumerate(images):
        cv2.imwrite(str(tmp_path / "images" / f"{index:02d}.png"), image[..., ::-1])
        lines.append(f"{index:02d}.png,{PERSON[index]},{LABELS[index]}")
    (tmp_path / "labels.csv").write_text("\n".join(lines))
    learnet("import", tmp_path / "images", tmp_path / "labels.csv", tmp_path / "prepared", "--kind", "image")
    settings = ("--epochs", 2, "--batch-size", 4, "--seeds", 2, "--jobs", 1)
    groups = ("--groups", 3) if protocol == "groups" else ()
    command = ("study", tmp_path / "prepared", tmp_path / "study", "--network", network)
    learnet(*command, "--protocol", protocol, *groups, *settings)

    result = cross_validate(
        images, LABELS, PERSON, network,
        kind="image", protocol=protocol, groups=3, seeds=2, training=QUICK, resources=ALONE,
    )  # fmt: skip

    outcomes = sorted(
        read_outcomes(tmp_path / "study"), key=lambda outcome: (outcome.seed, outcome.clip[-2:])
    )
    table = result.predictions
    assert table["image"].tolist() == [int(outcome.clip[-2:]) for outcome in outcomes]
    assert table["fold"].tolist() == [outcome.fold.removeprefix("imported/") for outcome in outcomes]
    assert table["prediction"].tolist() == [outcome.prediction for outcome in outcomes]
    assert table[list(WORDS)].to_numpy().tolist() == [list(outcome.scores) for outcome in outcomes]
    written = json.loads((tmp_path / "study" / "metrics.json").read_text())
    assert plain_metrics(to_plain(result.metrics)) == plain_metrics(written)


@pytest.fixture
def memory() -> Iterator[list[int]]:
    """Sizes of the test sides of a network that refuses to be tested on an image of its training."""
    sizes: list[int] = []

    class Memory(nn.Module):
        def __init__(self, classes: int, size: int = 112, seed: int = 0) -> None:
            super().__init__()
            self.register_buffer("scores", torch.zeros(classes))

        def fit(self, images: torch.Tensor, labels: torch.Tensor) -> None:
            self.seen = {image.numpy().tobytes() for image in images}

        def forward(self, images: torch.Tensor) -> torch.Tensor:
            assert self.seen.isdisjoint(image.contiguous().numpy().tobytes() for image in images)
            sizes.append(len(images))
            return self.scores.expand(len(images), -1)

    NETWORKS["memory"] = Memory
    yield sizes
    del NETWORKS["memory"]


@pytest.mark.parametrize(("protocol", "sides"), [("loso", [6, 6, 6, 6]), ("groups", [12, 12])])
def test_no_network_is_tested_on_a_person_of_its_training(
    memory: list[int], protocol: str, sides: list[int]
) -> None:
    """All images of a person are equal, so the memory would notice."""
    rng = np.random.default_rng(1)
    of_person = {name: rng.integers(0, 256, (28, 28, 3), dtype=np.uint8) for name in sorted(set(PERSON))}
    images = [of_person[name] for name in PERSON]
    result = cross_validate(images, LABELS, PERSON, "memory", protocol=protocol, groups=2, resources=ALONE)
    assert memory == sides
    assert result.predictions.groupby("person")["fold"].nunique().tolist() == [1] * PEOPLE


def test_scores_are_those_of_scikit_learn_and_labels_may_be_numbers(images: np.ndarray) -> None:
    labels = torch.from_numpy(np.tile([7, 10, 2], 2 * PEOPLE))
    result = cross_validate(
        torch.from_numpy(images), labels, pd.Series(PERSON), "linear-svm", resources=ALONE
    )
    table = result.predictions
    assert result.classes == (2, 7, 10) and table["truth"].tolist() == labels.tolist()
    assert set(table["prediction"]) <= {2, 7, 10}
    truth, prediction = table["truth"], table["prediction"]
    assert result.accuracy == pytest.approx(accuracy_score(truth, prediction))
    assert result.uf1 == pytest.approx(f1_score(truth, prediction, average="macro"))
    assert result.uar == pytest.approx(balanced_accuracy_score(truth, prediction))
    assert result.scores.loc["uf1", "low"] <= result.uf1 <= result.scores.loc["uf1", "high"]
    np.testing.assert_array_equal(
        table[[2, 7, 10]].to_numpy().argmax(axis=1), prediction.map({2: 0, 7: 1, 10: 2})
    )


def test_the_majority_by_hand() -> None:
    """Persons a, b and c show 1, 1 and 2 twice: who is left out decides, and c is the only one for whom 2 has
    no image in the training."""
    images = np.zeros((6, 8, 8, 3), dtype=np.uint8)
    done: list[tuple[int, int]] = []
    result = cross_validate(
        images, [1, 1, 1, 1, 2, 2], list("aabbcc"), "majority", seeds=2, resources=ALONE,
        progress=lambda trained, number: done.append((trained, number)),
    )  # fmt: skip
    table = result.predictions
    assert table["seed"].tolist() == [0] * 6 + [1] * 6
    # Of a: one image pair of each class, so the first of equals; of c: only class 1.
    assert table["prediction"].tolist() == [1] * 12
    assert table.loc[4, 1] == pytest.approx(1) and table.loc[0, 1] == pytest.approx(0.5)
    assert done == [(number, 6) for number in range(1, 7)]
    assert (result.accuracy, result.uar) == (pytest.approx(4 / 6), 0.5)
    assert repr(result).startswith(
        "<CrossValidation of majority, loso: 6 images of 3 people, 2 classes, 2 seeds\n UF1 0.400 ["
    )
    assert isinstance(result, CrossValidation) and np.isnan(result.scores["spread"]).sum() == 0


def test_shipped_weights_can_be_the_start(images: np.ndarray) -> None:
    training = Training(epochs=1, init="pretrained", mirror="none")
    result = cross_validate(
        images, LABELS, PERSON, "ststnet", kind="flow", training=training, resources=ALONE
    )
    assert len(result.predictions) == len(images)


FLAT = np.zeros((4, 28, 28, 3), dtype=np.uint8)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ((FLAT[..., 0], [0, 1] * 2, [1, 2] * 2), r"images must have the shape \(N, H, W, 3\)"),
        ((FLAT[:, :14], [0, 1] * 2, [1, 2] * 2), r"must be square, .*\(4, 14, 28, 3\)"),
        ((FLAT + 0.5, [0, 1] * 2, [1, 2] * 2), "images must be whole numbers .* Multiply by 255"),
        ((FLAT, [0, 1, 0], [1, 2] * 2), r"labels must have one value for each of the 4 images.*\(3,\)"),
        ((FLAT, [0, 1] * 2, [[1], [2], [3], [4]]), r"people must have one value.*\(4, 1\)"),
        ((FLAT, [0, 1, np.nan, 1], [1, 2] * 2), r"labels are missing for 1 images \(positions 2\)"),
        ((FLAT, [0, 1] * 2, ["a", None, "b", None]), r"people are missing for 2 images \(positions 1, 3\)"),
        ((FLAT, [0] * 4, [1, 2] * 2), "All images are of one class"),
        ((FLAT, [0, 1] * 2, [1] * 4), "person"),
        ((FLAT, [0, 1] * 2, [1, 2] * 2, "lernet"), "no network called 'lernet'. Did you mean 'learnet'"),
        ((FLAT[:, :25, :25], [0, 1] * 2, [1, 2] * 2, "ststnet"), "cannot take images of 25 pixels"),
    ],
)
def test_what_cannot_be_validated_is_refused(arguments: tuple, says: str) -> None:
    with pytest.raises(LearnetError, match=says):
        cross_validate(*arguments, resources=ALONE)


@REFUSED_EARLIER
def test_protocols_that_leak_and_kinds_that_are_none_are_refused() -> None:
    for choice, says in (
        ({"protocol": "leaky-clips"}, "no protocol that keeps people apart called 'leaky-clips'"),
        ({"kind": "movie"}, "no kind of image called 'movie'"),
        ({"resources": Resources(cluster="tcp://a:1")}, "trained on this machine"),
        ({"training": Training(detrend=True)}, "detrend is for flow images"),
    ):
        with pytest.raises(LearnetError, match=says):
            cross_validate(FLAT, [0, 1] * 2, [1, 2] * 2, "linear-svm", **choice)
