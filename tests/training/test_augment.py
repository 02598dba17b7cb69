"""Augmentation against changes whose result is known."""

import torch

from learnet.core.settings import Training
from learnet.training import augment

LIGHT = Training(mirror="none")


def draws(count: int, seed: int = 0, training: Training = LIGHT) -> augment.AugmentationParameters:
    return augment.draw_parameters(count, training, generator(seed))


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_mirror_flips_and_negates_only_the_horizontal_flow() -> None:
    batch = torch.arange(12.0).view(1, 3, 2, 2)
    assert augment.mirror(batch, "image")[0, :, 0].tolist() == [[1, 0], [5, 4], [9, 8]]
    assert augment.mirror(batch, "flow")[0, :, 0].tolist() == [[-1, 0], [5, 4], [9, 8]]
    assert torch.equal(augment.mirror(augment.mirror(batch, "flow"), "flow"), batch)


def test_mirror_some_mirrors_about_half_whole_images() -> None:
    batch = torch.rand(400, 3, 4, 4, generator=generator())
    labels = torch.eye(4).repeat(100, 1)
    changed, _ = augment.apply_augmentation(
        batch, labels, draws(400, 1), Training(mirror="image", augment="none")
    )
    flipped = [torch.equal(a, b.flip(-1)) for a, b in zip(changed, batch, strict=True)]
    kept = [torch.equal(a, b) for a, b in zip(changed, batch, strict=True)]
    assert all(a != b for a, b in zip(flipped, kept, strict=True))
    assert 150 < sum(flipped) < 250


def test_light_keeps_a_dot_within_its_limits() -> None:
    """A bright dot at the centre moves by the shift only: rotation and scaling keep the centre in place."""
    size = 101
    batch = torch.zeros(200, 3, size, size)
    batch[:, :, 48:53, 48:53] = 1.0
    moved = augment.light(batch, draws(200).magnitudes)[:, 0]
    mass = moved.sum(dim=(1, 2))
    places = torch.arange(size, dtype=torch.float32)
    x = (moved.sum(dim=1) * places).sum(dim=1) / mass - 50
    y = (moved.sum(dim=2) * places).sum(dim=1) / mass - 50
    limit = augment.SHIFT * size * (1 + augment.SCALE)
    for shift in (x, y):
        assert (
            shift.abs().max() < limit * 1.2
        )  # turned by the angle as well, so a little along the other axis
        assert shift.std() > limit * 0.4  # even over the range: a third of the width
        assert abs(float(shift.mean())) < limit * 0.2


def test_same_seed_same_changes() -> None:
    batch = torch.rand(8, 3, 28, 28, generator=generator())
    assert torch.equal(
        augment.light(batch, draws(8, 3).magnitudes), augment.light(batch, draws(8, 3).magnitudes)
    )
    assert not torch.equal(
        augment.light(batch, draws(8, 3).magnitudes), augment.light(batch, draws(8, 4).magnitudes)
    )


def test_mix_is_linear_in_images_and_labels() -> None:
    labels = torch.eye(4)
    batch = (
        labels[:, :3].reshape(4, 3, 1, 1).repeat(1, 1, 2, 2)
    )  # an image spells the first three entries of its label
    mixed, targets = augment.mixup(batch, labels, draws(4, 5, Training(mixup=0.4)))
    assert torch.allclose(mixed[:, :, 0, 0], targets[:, :3])
    assert torch.allclose(targets.sum(dim=1), torch.ones(4))
    assert not torch.equal(targets, labels)


def test_concatenated_parameters_change_each_batch_as_its_own_do() -> None:
    """Three concatenated batches, augmented together, against each of them augmented alone."""
    settings = Training(mirror="flow", mixup=0.4)
    batches = [torch.rand(5, 3, 28, 28, generator=generator(seed)) for seed in range(3)]
    labels = [torch.eye(5) for _ in range(3)]
    chances = [draws(5, seed, settings) for seed in range(3)]
    alone = [
        augment.apply_augmentation(*given, settings) for given in zip(batches, labels, chances, strict=True)
    ]
    images, targets = augment.apply_augmentation(
        torch.cat(batches), torch.cat(labels), augment.concatenate_parameters(chances), settings
    )
    assert torch.allclose(images, torch.cat([image for image, _ in alone]), atol=1e-6)
    assert torch.allclose(targets, torch.cat([target for _, target in alone]))
