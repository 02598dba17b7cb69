"""Augmentation against moves whose result is known."""

import torch

from learnet import augment


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_mirror_flips_and_negates_only_the_horizontal_flow() -> None:
    batch = torch.arange(12.0).view(1, 3, 2, 2)
    assert augment.mirror(batch, "image")[0, :, 0].tolist() == [[1, 0], [5, 4], [9, 8]]
    assert augment.mirror(batch, "flow")[0, :, 0].tolist() == [[-1, 0], [5, 4], [9, 8]]
    assert torch.equal(augment.mirror(augment.mirror(batch, "flow"), "flow"), batch)


def test_mirror_some_mirrors_about_half_whole_images() -> None:
    batch = torch.rand(400, 3, 4, 4, generator=generator())
    changed = augment.mirror_some(batch, "image", generator(1))
    flipped = [torch.equal(a, b.flip(-1)) for a, b in zip(changed, batch, strict=True)]
    kept = [torch.equal(a, b) for a, b in zip(changed, batch, strict=True)]
    assert all(a != b for a, b in zip(flipped, kept, strict=True))
    assert 150 < sum(flipped) < 250


def test_light_keeps_a_dot_within_its_limits() -> None:
    """A bright dot at the centre may move by the largest shift only: turning and scaling keep the centre where it is."""
    size = 101
    batch = torch.zeros(200, 3, size, size)
    batch[:, :, 48:53, 48:53] = 1.0
    moved = augment.light(batch, generator())[:, 0]
    mass = moved.sum(dim=(1, 2))
    places = torch.arange(size, dtype=torch.float32)
    x = (moved.sum(dim=1) * places).sum(dim=1) / mass - 50
    y = (moved.sum(dim=2) * places).sum(dim=1) / mass - 50
    limit = augment.SHIFT * size * (1 + augment.SCALE)
    for shift in (x, y):
        assert shift.abs().max() < limit * 1.2  # turned by the angle as well, so a little along the other axis
        assert shift.std() > limit * 0.4  # even over the range: a third of the width
        assert abs(float(shift.mean())) < limit * 0.2


def test_same_seed_same_changes() -> None:
    batch = torch.rand(8, 3, 28, 28, generator=generator())
    assert torch.equal(augment.light(batch, generator(3)), augment.light(batch, generator(3)))
    assert not torch.equal(augment.light(batch, generator(3)), augment.light(batch, generator(4)))


def test_mix_is_linear_in_images_and_labels() -> None:
    labels = torch.eye(4)
    batch = labels[:, :3].reshape(4, 3, 1, 1).repeat(1, 1, 2, 2)  # an image spells the first three entries of its label
    mixed, targets = augment.mix(batch, labels, 0.4, generator(5))
    assert torch.allclose(mixed[:, :, 0, 0], targets[:, :3])
    assert torch.allclose(targets.sum(dim=1), torch.ones(4))
    assert not torch.equal(targets, labels)
