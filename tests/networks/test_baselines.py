"""The baselines against scikit-learn, on random data and on real flow images."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from skimage.io import imread
from sklearn.metrics import f1_score, recall_score
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from learnet.networks import NETWORKS, as_input
from learnet.networks.baselines import LinearSVM, Majority


def pipeline(c: float = 1e-3) -> Pipeline:
    return make_pipeline(
        StandardScaler(), SVC(kernel="linear", C=c, class_weight="balanced", break_ties=True)
    )


def drawn(rng: np.random.Generator, labels: np.ndarray, size: int = 24) -> np.ndarray:
    """Images with overlapping classes, a constant pixel and one that is nearly constant."""
    centres = rng.normal(0, 4, (labels.max() + 1, size, size, 3))
    noise = rng.normal(0, 40, (len(labels), size, size, 3))
    images = np.clip(128 + centres[labels] + noise, 0, 255).astype(np.uint8)
    images[:, 0, 0, 0] = 77
    images[:, 1, 1, 1] = 10
    images[3, 1, 1, 1] = 11
    return images


@pytest.mark.parametrize("classes", [2, 3, 5])
def test_svm_equals_scikit_learn(rng: np.random.Generator, classes: int) -> None:
    labels = rng.choice(classes, 150, p=np.arange(1, classes + 1) / (classes * (classes + 1) / 2))
    images = drawn(rng, labels)
    train, test = slice(0, 90), slice(90, 150)
    reference = pipeline().fit(images[train].reshape(90, -1) / 255, labels[train])
    net = LinearSVM(classes, 24)
    net.fit(as_input(images[train]), torch.from_numpy(labels[train]))
    scores = net(as_input(images[test])).numpy()
    assert scores.dtype == np.float32
    flat = images[test].reshape(60, -1) / 255
    if classes > 2:  # for two classes scikit-learn returns one number, not two
        np.testing.assert_allclose(scores, reference.decision_function(flat), atol=1e-5)
    np.testing.assert_array_equal(scores.argmax(axis=1), reference.predict(flat))
    assert 0.3 < (scores.argmax(axis=1) == labels[test]).mean() < 1, "too easy or too hard to show anything"


@pytest.mark.parametrize(("network", "cells"), [("lbp-top", 20), ("lbp-fip", 40), ("bi-woof", 15)])
@pytest.mark.parametrize("c", [None, 1e-5])
def test_svm_on_histograms_equals_scikit_learn(
    rng: np.random.Generator, network: str, cells: int, c: float | None
) -> None:
    """Each cell is three pixels wide; its middle is read, of `bi-woof` in the red channel alone."""
    labels = rng.choice(3, 120)
    images = drawn(rng, labels, 3 * cells)
    features = (images[:, 1::3, 1::3] / 255) ** 2
    if network == "bi-woof":
        features = features[..., :1]
    flat = features.reshape(120, -1)
    reference = pipeline(c or 1e-3).fit(flat[:80], labels[:80])
    net = NETWORKS[network](3, 3 * cells)
    net.fit(as_input(images[:80]), torch.from_numpy(labels[:80]), regularisation_c=c)
    scores = net(as_input(images[80:])).numpy()
    np.testing.assert_allclose(scores, reference.decision_function(flat[80:]), atol=1e-4)


def test_svm_with_absent_classes_equals_the_svm_without_them(rng: np.random.Generator) -> None:
    labels = rng.choice([1, 2, 4], 80)
    images = drawn(rng, labels)
    whole, small = LinearSVM(6, 24), LinearSVM(3, 24)
    whole.fit(as_input(images), torch.from_numpy(labels))
    small.fit(as_input(images), torch.from_numpy(np.searchsorted([1, 2, 4], labels)))
    scores = whole(as_input(images))
    torch.testing.assert_close(scores[:, [1, 2, 4]], small(as_input(images)))
    assert (scores[:, [0, 3, 5]].amax(dim=1) < scores[:, [1, 2, 4]].amin(dim=1)).all()
    assert torch.isfinite(scores).all()
    assert (scores.softmax(dim=1)[:, [0, 3, 5]] < 1e-9).all()


def test_svm_can_be_fitted_again(rng: np.random.Generator) -> None:
    labels = rng.integers(0, 3, 40)
    images = drawn(rng, labels)
    again, fresh = LinearSVM(3, 24), LinearSVM(3, 24)
    again.fit(as_input(images), torch.from_numpy(labels))
    for net in (again, fresh):
        net.fit(as_input(images[::2]), torch.from_numpy(np.minimum(labels[::2], 1)))
    assert all(torch.equal(a, b) for a, b in zip(again.buffers(), fresh.buffers(), strict=True))


def test_a_single_class_is_always_predicted(rng: np.random.Generator) -> None:
    images = as_input(rng.integers(0, 256, (5, 24, 24, 3), dtype=np.uint8))
    for net in (LinearSVM(4, 24), Majority(4, 24)):
        net.fit(images, torch.full((5,), 2))
        assert (net(images).argmax(dim=1) == 2).all()
        assert torch.isfinite(net(images)).all()


def test_majority_predicts_the_relative_frequencies() -> None:
    net = Majority(4)
    net.fit(torch.zeros(8, 3, 4, 4), torch.tensor([2, 2, 2, 2, 0, 0, 0, 3]))
    scores = net(torch.rand(3, 3, 4, 4))
    torch.testing.assert_close(scores.softmax(dim=1), torch.tensor([[3 / 8, 0, 4 / 8, 1 / 8]]).expand(3, 4))
    assert torch.isfinite(scores).all()


def test_svm_reaches_the_known_score_on_real_flow_images(shared: Path) -> None:
    """Leave one of 40 people out: UF1 0.7293 and UAR 0.7407, as computed by scikit-learn on pixels/255."""
    folder = shared / "real" / "megc2019_flow"
    table = pd.read_csv(folder / "labels.csv", dtype=str)
    images = np.stack([imread(folder / "images" / name) for name in table["image"]])
    truth = pd.factorize(table["emotion"], sort=True)[0]
    people = (table["dataset"] + "/" + table["subject"]).to_numpy()
    predicted = np.empty_like(truth)
    for person in np.unique(people):
        net = LinearSVM(3, images.shape[1])
        left_out = people == person
        net.fit(as_input(images[~left_out]), torch.from_numpy(truth[~left_out]))
        predicted[left_out] = net(as_input(images[left_out])).argmax(dim=1).numpy()
    assert len(np.unique(people)) == 40
    assert f1_score(truth, predicted, average="macro") == pytest.approx(0.7293, abs=0.003)
    assert recall_score(truth, predicted, average="macro") == pytest.approx(0.7407, abs=0.003)
