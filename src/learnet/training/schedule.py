"""Batches of a training: which images, with which augmentation, at which learning rate."""

from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Float, Int64
from torch import Tensor
from torch.nn import functional as F

from learnet.core.seeds import purpose_seed
from learnet.core.settings import Training
from learnet.networks import as_input
from learnet.training import augment
from learnet.training.augment import AugmentationParameters
from learnet.training.examples import TrainingExamples

CPU = torch.device("cpu")
WARM_UP_START = 0.05  # smallest share of the learning rate during warm-up


class BatchSchedule:
    """The batches of one network: order of the images, augmentation, learning rate, all from one seed.

    All batches have one size. If the images do not fill the last batch of an epoch, some of them occur twice
    in it.
    """

    def __init__(
        self, data: TrainingExamples, training: Training, epochs: int, device: torch.device = CPU
    ) -> None:
        """Create a schedule.

        Args:
            data: images and labels.
            training: settings. The learning rate follows `training.epochs`, also if `epochs` is smaller.
            epochs: passes over the data.
            device: where masks of dropout are drawn.
        """
        self.data = data
        self.training = training
        self.epochs = epochs
        self.generator = torch.Generator().manual_seed(purpose_seed(training.seed, "batches"))
        self.dropout_generator = self.generator
        if device != CPU:
            seed = purpose_seed(training.seed, "dropout")
            self.dropout_generator = torch.Generator(device).manual_seed(seed)
        self.batch_size = min(training.batch_size, len(data.labels))
        self.steps_per_epoch = -(-len(data.labels) // self.batch_size)
        self.step = 0  # steps done
        self.order = torch.empty(0, dtype=torch.int64)  # positions of the images of this epoch

    @property
    def finished(self) -> bool:
        """Whether all epochs are done; further batches can be drawn, and have no meaning."""
        steps = self.epochs * self.steps_per_epoch
        return self.step >= steps

    @property
    def learning_rate(self) -> float:
        """Learning rate of the next step."""
        epoch = self.step / self.steps_per_epoch
        return self.training.learning_rate * learning_rate_factor(epoch, self.training)

    def next_batch(self) -> tuple[Int64[Tensor, "B"], AugmentationParameters]:
        """Draw the positions and the augmentation of the next batch, on the CPU: the same on every device."""
        step_in_epoch = self.step % self.steps_per_epoch
        if step_in_epoch == 0:
            self.order = self._draw_order()
        self.step += 1
        start = step_in_epoch * self.batch_size
        positions = self.order[start : start + self.batch_size]
        parameters = augment.draw_parameters(self.batch_size, self.training, self.generator)
        return positions, parameters

    def _draw_order(self) -> Int64[Tensor, "_"]:
        count = len(self.data.labels)
        once = torch.randperm(count, generator=self.generator)
        again = torch.randperm(count, generator=self.generator)  # fills the last batch
        length = self.steps_per_epoch * self.batch_size
        return torch.cat([once, again])[:length]


def learning_rate_factor(epoch: float, training: Training) -> float:
    """Return the share of the learning rate at a fractional epoch: linear warm-up, then half a cosine.

    The warm-up lasts one epoch.
    """
    if training.schedule == "constant":
        return 1.0
    if epoch < 1:
        return max(epoch, WARM_UP_START)
    progress = (epoch - 1) / max(training.epochs - 1, 1)
    return 0.5 * (1 + float(np.cos(np.pi * progress)))


class DeviceDataset:
    """The images of all networks, one after the other, with their targets; on the device of the training."""

    def __init__(self, schedules: Sequence[BatchSchedule], device: torch.device) -> None:
        """Copy the data of all schedules to the device."""
        self.device = device
        self.starts: list[int] = []  # position of the first image of each network
        pixels, targets, weights = [], [], []
        count = 0
        for schedule in schedules:
            data = schedule.data
            self.starts.append(count)
            count += len(data.labels)
            contiguous = np.ascontiguousarray(data.images.pixels)
            one_hot = F.one_hot(torch.from_numpy(data.labels), data.classes).float()
            pixels.append(torch.from_numpy(contiguous).to(device))
            targets.append(one_hot.to(device))
            weights.append(_loss_weights(data, schedule.training))
        self.pixels = _concatenate(pixels)
        self.targets = _concatenate(targets)
        self.loss_weights = torch.stack(weights).to(device)  # (R, K)

    def next_batches(
        self, schedules: Sequence[BatchSchedule]
    ) -> tuple[Float[Tensor, "R B 3 H W"], Float[Tensor, "R B K"]]:
        """Return the next batch of each network, augmented, and its targets."""
        positions, parameters = [], []
        for schedule, start in zip(schedules, self.starts, strict=True):
            own_positions, own_parameters = schedule.next_batch()
            positions.append(own_positions + start)
            parameters.append(own_parameters)
        chosen = _concatenate(positions).to(self.device, non_blocking=True)
        images, targets = augment.apply_augmentation(
            as_input(self.pixels[chosen]),
            self.targets[chosen],
            augment.concatenate_parameters(parameters).to(self.device),
            schedules[0].training,
        )
        networks = len(schedules)
        return images.unflatten(0, (networks, -1)), targets.unflatten(0, (networks, -1))


def class_weights(labels: Int64[np.ndarray, "N"], classes: int) -> Float[Tensor, "K"]:
    """Compute loss weights N / (present classes * images of the class).

    All classes that are present count alike; a class without images has weight 0.
    """
    counts = np.bincount(labels, minlength=classes)
    present = counts > 0
    weights = np.divide(len(labels), present.sum() * counts, out=np.zeros(classes), where=present)
    return torch.from_numpy(weights).float()


def _loss_weights(data: TrainingExamples, training: Training) -> Float[Tensor, "K"]:
    if training.class_weights == "balanced":
        return class_weights(data.labels, data.classes)
    return torch.ones(data.classes)


def _concatenate(parts: Sequence[Tensor]) -> Tensor:
    """Concatenate tensors; a single one is not copied, because it may be large."""
    if len(parts) == 1:
        return parts[0]
    return torch.cat(list(parts))
