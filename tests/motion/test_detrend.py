"""Planar detrending of scaled flow images, against known planes and bumps."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from beartype import beartype
from beartype.roar import BeartypeCallHintParamViolation
from hypothesis import given, settings
from hypothesis import strategies as st
from jaxtyping import TypeCheckError
from torch import nn

from learnet.core.errors import LearnetError
from learnet.core.settings import Training
from learnet.motion.detrend import StoredImages, detrend
from learnet.motion.normalise import per_channel
from learnet.networks import NETWORKS
from learnet.training import train as training_module
from learnet.training.examples import TrainingSet
from learnet.training.loop import fit
from learnet.training.scorer import Scorer
from learnet.training.train import resolve_automatic, train, train_leaky
from tests.builders.scores import predict_scores

SIDE = 28
REFUSED = (BeartypeCallHintParamViolation, TypeCheckError)  # the second where every call is checked
Y, X = np.mgrid[:SIDE, :SIDE]


def stretched(u: np.ndarray, v: np.ndarray) -> np.ndarray:
    bump = np.exp(-((X - 20) ** 2 + (Y - 9) ** 2) / 8)
    return per_channel(np.stack([u, v, bump], axis=-1).astype(np.float32))[None]


def bump(x: float, y: float, height: float) -> np.ndarray:
    return height * np.exp(-((X - x) ** 2 + (Y - y) ** 2) / (2 * 2.0**2))


@settings(deadline=None, max_examples=40)
@given(st.floats(-3, 3), st.floats(-0.2, 0.2), st.floats(-0.2, 0.2), st.sampled_from([-1.0, 1.0]))
def test_a_bump_is_all_that_is_left_of_a_moving_head(
    offset: float, across: float, down: float, sign: float
) -> None:
    moved = detrend(stretched(bump(9, 12, sign) + offset + across * X + down * Y, bump(18, 20, 1.0)))[
        0
    ].astype(float)
    slope = 1 + SIDE * (
        abs(across) + abs(down)
    )  # a steep plane leaves few grey levels for the bump, so rounding is larger
    np.testing.assert_allclose(moved[..., 0], 127.5 + 127.5 * bump(9, 12, sign), atol=3 + 3 * slope)
    np.testing.assert_allclose(moved[..., 1], 127.5 + 127.5 * bump(18, 20, 1.0), atol=4)


def test_strain_stays_and_the_images_given_too() -> None:
    image = stretched(bump(9, 12, 1.0) + 0.05 * X, bump(18, 20, 1.0))
    before = image.copy()
    assert np.array_equal(detrend(image)[..., 2], image[..., 2]) and np.array_equal(image, before)


def test_a_plane_alone_leaves_no_large_movement_where_there_was_none() -> None:
    flat = np.full((1, SIDE, SIDE, 3), 128, np.uint8)
    assert set(detrend(flat)[..., :2].ravel()) == {128}


def test_images_do_not_know_of_each_other(rng: np.random.Generator) -> None:
    many = rng.integers(0, 256, (1003, 8, 8, 3), dtype=np.uint8)
    together = detrend(many)
    assert all(np.array_equal(together[i : i + 1], detrend(many[i : i + 1])) for i in (0, 499, 500, 1002))


def test_a_mirrored_face_stays_a_mirrored_face() -> None:
    u, v = bump(9, 12, 1.0) + 0.03 * X, bump(18, 20, -1.0) + 0.05 * Y
    first, other = detrend(stretched(u, v))[0], detrend(stretched(-u[:, ::-1], v[:, ::-1]))[0]
    np.testing.assert_allclose(255 - first[:, ::-1, 0].astype(int), other[..., 0].astype(int), atol=1)
    np.testing.assert_allclose(first[:, ::-1, 1].astype(int), other[..., 1].astype(int), atol=1)
    assert first[12, 9, 0] == pytest.approx(255, abs=1)


@pytest.mark.parametrize("network", ["learnet", "linear-svm"])
def test_training_and_test_both_see_level_images(network: str, rng: np.random.Generator) -> None:
    """The trend is removed once, not twice: with the setting as without it on detrended images."""
    images, labels = rng.integers(0, 256, (12, SIDE, SIDE, 3), dtype=np.uint8), np.arange(12) % 3
    people = [str(i % 4) for i in range(12)]
    raw, flat = TrainingSet(images, labels, people, 3), TrainingSet(detrend(images), labels, people, 3)
    plain = Training(epochs=2, batch_size=6, mirror="none", detrend=False, inner_groups=2)
    detrended = replace(plain, detrend=True, clipping_percentile=100)
    first, other = train(network, raw, detrended), train(network, flat, plain)
    assert first.epochs == other.epochs
    np.testing.assert_array_equal(
        predict_scores(first.module, images, detrend_percentile=100),
        predict_scores(other.module, detrend(images)),
    )
    assert (
        np.abs(
            predict_scores(first.module, images, detrend_percentile=100)
            - predict_scores(first.module, images)
        ).max()
        > 1e-3
    )
    leaky, plainly = train_leaky(network, raw, raw, detrended), train_leaky(network, flat, flat, plain)
    np.testing.assert_array_equal(
        predict_scores(leaky.module, flat.images), predict_scores(plainly.module, flat.images)
    )


def test_only_flow_can_be_made_level() -> None:
    with pytest.raises(LearnetError, match="detrend is for flow images, and these are none"):
        resolve_automatic(Training(detrend=True), "image", "learnet")
    assert resolve_automatic(Training(detrend=True), "flow", "learnet").mirror == "flow"


def test_what_is_beyond_the_percentile_is_cut_off_and_the_rest_grows() -> None:
    """Pixel by pixel, without a planar trend: each channel over its own percentile."""
    spiked = stretched(bump(9, 12, 1.0), bump(18, 20, -1.0))
    spiked[0, 2, 3] = 255, 0, 255  # one pixel brighter than the face
    whole, cut = detrend(spiked)[0].astype(float), detrend(spiked, 95)[0].astype(float)
    for channel in (0, 1):
        apart = (whole[..., channel] - 127.5) / 127.5
        largest = sorted(np.abs(apart).ravel())
        at = 0.95 * (len(largest) - 1)
        limit = largest[int(at)] + (at - int(at)) * (largest[int(at) + 1] - largest[int(at)])
        expected = [127.5 + 127.5 * max(-1.0, min(1.0, value / limit)) for value in apart.ravel()]
        np.testing.assert_allclose(
            cut[..., channel].ravel(), expected, atol=0.6 + 0.6 / limit
        )  # both were rounded to whole numbers
    strain = spiked[0, ..., 2].astype(float)
    np.testing.assert_array_equal(
        cut[..., 2], np.rint(np.minimum(255 * strain / np.percentile(strain, 95), 255))
    )
    assert (cut[..., :2] == 255).sum() + (cut[..., :2] == 0).sum() >= 2 * SIDE * SIDE * 0.05


def test_an_image_without_strain_stays_without() -> None:
    flat = np.zeros((2, SIDE, SIDE, 3), np.uint8)
    flat[..., :2] = 128
    assert not detrend(flat, 90)[..., 2].any()


def test_stretching_is_for_level_images() -> None:
    with pytest.raises(LearnetError, match="clipping_percentile is for detrended images"):
        Training(detrend=False, clipping_percentile=90)
    with pytest.raises(LearnetError, match="clipping_percentile is a percentile from 50 to 100, not 40"):
        Training(detrend=True, clipping_percentile=40)
    assert [
        Training(detrend=False).detrend_percentile,
        Training(detrend=True, clipping_percentile=100).detrend_percentile,
        Training(detrend=True, clipping_percentile=90).detrend_percentile,
    ] == [0, 100, 90]


def test_a_network_answers_on_images_stretched_as_in_training(rng: np.random.Generator) -> None:
    images, labels = rng.integers(0, 256, (12, SIDE, SIDE, 3), dtype=np.uint8), np.arange(12) % 3
    people = [str(i % 4) for i in range(12)]
    detrended, plain = (
        Training(epochs=2, batch_size=6, mirror="none", **more)
        for more in ({"detrend": True, "clipping_percentile": 80}, {"detrend": False})
    )
    first = train("learnet", TrainingSet(images, labels, people, 3), detrended)
    other = train("learnet", TrainingSet(detrend(images, 80), labels, people, 3), plain)
    np.testing.assert_array_equal(
        predict_scores(first.module, images, detrend_percentile=detrended.detrend_percentile),
        predict_scores(other.module, detrend(images, 80)),
    )


def as_learned(images: np.ndarray, training: Training) -> np.ndarray:
    return StoredImages(images).for_training(training).pixels


class RightOnceTrained(nn.Module):
    """Predicts correctly after exactly three passes over its training images, and only for those images."""

    known: dict[bytes, int] = {}
    seen: list[tuple[bool, bytes]] = []  # of every image: whether it was seen in training

    def __init__(self, classes: int, size: int, *, seed: int = 0) -> None:
        super().__init__()
        self.classes, self.passes = classes, 0
        self.weight = nn.Parameter(torch.zeros(1))

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        pixels = ((images + 1) * 127.5).round().to(torch.uint8).permute(0, 2, 3, 1).numpy()
        given = [image.tobytes() for image in pixels]
        self.seen.extend((self.training, image) for image in given)
        self.passes += self.training  # one batch an epoch
        answers = [self.known.get(image, -1) if self.passes == 3 else -1 for image in given]
        return nn.functional.one_hot(torch.tensor(answers) % self.classes, self.classes) + 0 * self.weight


def test_epochs_are_chosen_on_images_as_at_test(
    rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Images are clipped at --clipping-percentile, not at random as in training: else the network fails."""
    images, labels = rng.integers(0, 256, (24, 8, 8, 3), dtype=np.uint8), np.arange(24) % 3
    as_tested = [image.tobytes() for image in detrend(images, 90)]
    monkeypatch.setattr(RightOnceTrained, "known", dict(zip(as_tested, labels.tolist(), strict=True)))
    monkeypatch.setattr(RightOnceTrained, "seen", [])
    monkeypatch.setattr(training_module, "NETWORKS", {"right-once-trained": RightOnceTrained})
    settings = Training(
        epochs=5,
        batch_size=64,
        mirror="none",
        augment="none",
        detrend=True,
        clipping_percentile=90,
        vary_clipping=50,
        inner_groups=3,
    )
    people = [str(i % 6) for i in range(24)]
    learned = train("right-once-trained", TrainingSet(images, labels, people, 3), settings)
    assert learned.epochs == 3
    assert {image for training, image in RightOnceTrained.seen if not training} == set(as_tested)
    varied = {image.tobytes() for image in as_learned(images, settings)}
    assert {image for training, image in RightOnceTrained.seen if training} == varied != set(as_tested)


def test_images_of_the_three_kinds_cannot_be_mixed(rng: np.random.Generator) -> None:
    """The signatures refuse training images for a test, and any others for training."""
    stored = StoredImages(rng.integers(0, 256, (6, 28, 28, 3), dtype=np.uint8))
    training = Training(detrend=True, clipping_percentile=100, vary_clipping=50, epochs=1, mirror="none")
    for_training, for_evaluation = stored.for_training(training), stored.for_evaluation(100)
    data = TrainingSet(stored.pixels, np.arange(6) % 2, [str(i) for i in range(6)], 2)
    scorer = Scorer.from_module(NETWORKS["learnet"](2, 28).eval(), detrend_percentile=100)
    test, examples = beartype(Scorer.scores), beartype(TrainingSet.examples)
    checked_fit = beartype(fit)
    np.testing.assert_array_equal(
        test(scorer, stored), test(scorer, for_evaluation)
    )  # the trend is removed once
    assert len(checked_fit(NETWORKS["learnet"](2, 28), examples(data, for_training), training, 1)) == 1
    for wrong in (stored.pixels, for_training):
        with pytest.raises(REFUSED):
            test(scorer, wrong)
    for wrong in (stored, stored.pixels, for_evaluation):
        with pytest.raises(REFUSED):
            examples(data, wrong)
    with pytest.raises(REFUSED):
        checked_fit(NETWORKS["learnet"](2, 28), data, training, 1)


def test_varied_stretching_gives_each_image_a_percentile_of_its_own(rng: np.random.Generator) -> None:
    images = rng.integers(0, 256, (60, 8, 8, 3), dtype=np.uint8)
    varied = Training(detrend=True, clipping_percentile=100, vary_clipping=70, seed=3)
    learned = as_learned(images, varied)
    ways = {percentile: detrend(images, percentile) for percentile in range(70, 101)}
    fitting = [
        {percentile for percentile, candidate in ways.items() if np.array_equal(candidate[i], learned[i])}
        for i in range(60)
    ]
    assert all(fitting) and not set.intersection(*fitting)
    assert min(map(min, fitting)) <= 75 and max(map(max, fitting)) >= 95
    assert np.array_equal(learned, as_learned(images, varied))
    assert not np.array_equal(learned, as_learned(images, replace(varied, seed=4)))


def test_varied_stretching_is_for_level_images() -> None:
    with pytest.raises(LearnetError, match="vary_clipping is for detrended images"):
        Training(detrend=False, vary_clipping=90)
    with pytest.raises(LearnetError, match="vary_clipping is a percentile from 50 to 100, not 101"):
        Training(detrend=True, vary_clipping=101)
    varied = Training(detrend=True, clipping_percentile=100, vary_clipping=90)
    assert varied.detrend_percentile == 100  # nothing is clipped in tests


def test_a_network_learns_from_varied_images_and_answers_on_even_ones(rng: np.random.Generator) -> None:
    images, labels = rng.integers(0, 256, (12, 28, 28, 3), dtype=np.uint8), np.arange(12) % 2
    data = TrainingSet(images, labels, [str(i) for i in range(12)], 2)
    by_hand_training = Training(epochs=2, batch_size=6, mirror="none", detrend=False)
    varied = replace(by_hand_training, detrend=True, clipping_percentile=100, vary_clipping=60)
    by_hand = replace(data, images=as_learned(images, varied))
    detrended, by_hand_too = (
        train("learnet", data, varied),
        train("learnet", by_hand, by_hand_training),
    )
    assert all(
        torch.equal(first, other)
        for first, other in zip(
            detrended.module.state_dict().values(), by_hand_too.module.state_dict().values(), strict=True
        )
    )
