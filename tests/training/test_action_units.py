"""Training of action units: targets, mirrored sides, thresholds, and a network that learns a marked unit."""

import numpy as np
import pytest
import torch

from learnet.core.errors import LearnetError
from learnet.core.settings import Training
from learnet.training import augment
from learnet.training.action_units import (
    HIGHEST_THRESHOLD,
    LOWEST_THRESHOLD,
    UnitExamples,
    _augmented,
    choose_thresholds,
    fit_action_units,
    units_in,
)

SETTINGS = Training(
    mirror="flow", detrend=False, augment="none", epochs=30, batch_size=16, learning_rate=3e-3
)


def marked_examples(count: int = 120) -> UnitExamples:
    """Unit 12 is a bright square in v, left or right in the image; unit 4 one at the top."""
    rng = np.random.default_rng(0)
    images = rng.integers(100, 156, (count, 28, 28, 3), dtype=np.uint8)
    sides = np.zeros((count, 2, 2), dtype=bool)
    for row in range(count):
        if row % 2:
            images[row, 2:6, 10:18, 1] = 255
            sides[row, 0] = True
        if row % 3 == 0:
            images[row, 18:23, 18:23, 1] = 255  # the person's left is on the right of the image
            sides[row, 1, 0] = True
        if row % 3 == 1:
            images[row, 18:23, 5:10, 1] = 255
            sides[row, 1, 1] = True
    return UnitExamples(images, sides)


def test_units_of_codes() -> None:
    codes = ["4+L10", "", "R12A+12", "1+2+38"]  # learnet does not know AU 38
    assert units_in(codes) == (1, 2, 4, 10, 12)


def test_a_mirrored_face_has_its_sides_swapped() -> None:
    batch = torch.rand(2, 3, 28, 28) * 2 - 1
    sides = torch.tensor([[[True, False]], [[True, False]]])
    parameters = augment.AugmentationParameters(
        torch.tensor([True, False]), torch.zeros(5, 2), torch.ones(2), torch.arange(2)
    )
    images, targets = _augmented(batch, sides, parameters, SETTINGS)
    assert targets.tolist() == [[1, 0, 1], [1, 1, 0]]  # on any side, left, right
    torch.testing.assert_close(images[0], augment.mirror(batch, "flow")[0])
    torch.testing.assert_close(images[1], batch[1])


def test_a_network_learns_units_and_their_sides() -> None:
    examples = marked_examples()
    module = fit_action_units("mlp", examples, SETTINGS)
    pixels = torch.from_numpy(examples.images).permute(0, 3, 1, 2).float() / 127.5 - 1
    with torch.inference_mode():
        logits = module(pixels)
    present, left, right = (logits[:, start : start + 2] > 0 for start in (0, 2, 4))
    sides = torch.from_numpy(examples.sides)
    assert (present == sides.any(-1)).float().mean() > 0.95
    assert (left[:, 1] == sides[:, 1, 0]).float().mean() > 0.95
    assert (right[:, 1] == sides[:, 1, 1]).float().mean() > 0.95


def test_the_same_seed_gives_the_same_network_and_leaves_the_global_generator() -> None:
    few = Training(mirror="flow", detrend=False, epochs=2, batch_size=16)
    torch.manual_seed(1)
    expected = torch.rand(2)
    torch.manual_seed(1)
    first = fit_action_units("mlp", marked_examples(), few).state_dict()
    assert torch.equal(torch.rand(2), expected)
    again = fit_action_units("mlp", marked_examples(), few).state_dict()
    assert all(torch.equal(first[name], again[name]) for name in first)


def test_thresholds_by_hand() -> None:
    """At 0.5 one of the named four is wrong (a quarter), at 0.61 none of three."""
    scores = np.array([[0.9], [0.8], [0.7], [0.6], [0.2]])
    active = np.array([[True], [True], [True], [False], [False]])
    assert choose_thresholds(scores, active, 0.25) == (LOWEST_THRESHOLD,)
    assert choose_thresholds(scores, active, 0.2) == (0.61,)
    assert choose_thresholds(scores, ~active, 0.2) == (HIGHEST_THRESHOLD,)


def test_what_cannot_be_trained() -> None:
    with pytest.raises(LearnetError, match="too few"):
        fit_action_units("mlp", marked_examples(1), SETTINGS)
    with pytest.raises(LearnetError, match="linear-svm cannot be trained"):
        fit_action_units("linear-svm", marked_examples(), SETTINGS)
