"""Flow images of action units alone move where, how far and on which side they should."""

import numpy as np
import pytest

from learnet.core.errors import LearnetError
from learnet.datasets.synthetic import unit_images
from learnet.datasets.synthetic.unit_images import draw_unit_image
from learnet.simulation.units import Activation, both_sides

SIZE = 28
FACE_CELLS = 72 / 1.25  # a grid of 2.57 cells per pixel is 72 wide, and 1.25 faces


@pytest.mark.parametrize("peak_px", [0.5, 1.0, 2.0])
def test_the_largest_displacement_is_as_asked(peak_px: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the face and the strengths: in pixels of a face 112 wide."""
    fields = []
    imitate = unit_images.imitate_estimator

    def record(field: np.ndarray, *others: object) -> np.ndarray:
        fields.append(field.copy())
        return imitate(field, *others)  # type: ignore[arg-type]

    monkeypatch.setattr(unit_images, "imitate_estimator", record)
    for seed, activations in enumerate((both_sides(12, 0.3), (Activation(4, "left", 2.0),))):
        draw_unit_image(activations, peak_px, SIZE, np.random.default_rng(seed))
    for field in fields:
        longest_px = np.hypot(field[..., 0], field[..., 1]).max() * 112 / FACE_CELLS
        assert longest_px == pytest.approx(peak_px, rel=1e-4)


def test_the_side_is_the_persons_own() -> None:
    """The person's left is on the right of the image. Medians, because each image has errors of the flow."""
    for side, columns in (("left", slice(14, 28)), ("right", slice(0, 14))):
        images = []
        for seed in range(9):
            rng = np.random.default_rng(seed)
            images.append(draw_unit_image((Activation(12, side, 1.0),), 1.0, SIZE, rng))
        strain = np.median([image[..., 2] for image in images], axis=0)[14:]  # the lower face
        assert strain[:, columns].sum() > 2 * (strain.sum() - strain[:, columns].sum())


def test_the_same_state_gives_the_same_image_and_others_another_person() -> None:
    images = []
    for seed in (1, 1, 2):
        images.append(draw_unit_image(both_sides(4, 1.0), 1.0, SIZE, np.random.default_rng(seed)))
    np.testing.assert_array_equal(images[0], images[1])
    assert (images[0] != images[2]).any()
    assert images[0].shape == (SIZE, SIZE, 3) and images[0].dtype == np.uint8


def test_units_without_strength_are_refused() -> None:
    with pytest.raises(LearnetError, match="move nothing"):
        draw_unit_image(both_sides(4, 0.0), 1.0, SIZE, np.random.default_rng(0))
