"""The training loop: one network, or many networks of one kind side by side.

Networks side by side share the device memory of the images, the augmentation of the joined batch, and one
optimiser. On a GPU one step of all networks is recorded as a CUDA graph and replayed. Each network has its
own order of images, augmentation, dropout, batch statistics, optimiser state and learning rate, all drawn
from its own seed. The result of each is that of a training alone, except for the rounding of floats.
"""

import math
from collections.abc import Callable, Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn

from learnet.core.errors import LearnetError
from learnet.core.settings import Training
from learnet.networks import device_of
from learnet.training.examples import TrainingExamples
from learnet.training.schedule import BatchSchedule, DeviceDataset
from learnet.training.steppers import CudaGraphStepper, EnsembleStepper


def fit(
    module: nn.Module,
    data: TrainingExamples,
    training: Training,
    epochs: int,
    after_epoch: Callable[[int], object] | None = None,
) -> tuple[float, ...]:
    """Train one network.

    Args:
        module: changed in place, on the device that holds it.
        data: images as trained on, and labels.
        training: settings. The learning rate follows `training.epochs`.
        epochs: passes over the data; at most `training.epochs`.
        after_epoch: called with the number of epochs done.

    Returns:
        Mean loss of each epoch.

    Raises:
        LearnetError: the training diverged.
    """
    device = device_of(module)
    schedules = [BatchSchedule(data, training, epochs, device)]
    stepper = EnsembleStepper([module], schedules)
    return _run(stepper, schedules, device, after_epoch)[0]


def fit_ensemble(
    modules: Sequence[nn.Module],
    sets: Sequence[TrainingExamples],
    trainings: Sequence[Training],
    epochs: Sequence[int],
) -> list[tuple[float, ...]]:
    """Train many networks of one kind side by side, each on its own data; equal to `fit` except for rounding.

    Running averages of a network that ends before the others continue to move; `recompute_batch_norm`
    replaces them.

    Args:
        modules: networks of the same shape; changed in place.
        sets: images of each. The batch size, the smaller of the setting and the number of images, must be the
            same.
        trainings: settings of each; they may differ in the seed only.
        epochs: passes of each.

    Returns:
        Mean losses of the epochs, for each network.

    Raises:
        LearnetError: sets so small that batch sizes differ, or a training diverged.
        torch.OutOfMemoryError: too many networks for the device.
    """
    device = device_of(modules[0])
    schedules = []
    for data, training, passes in zip(sets, trainings, epochs, strict=True):
        schedules.append(BatchSchedule(data, training, passes, device))
    if len({schedule.batch_size for schedule in schedules}) > 1:
        raise LearnetError(
            "Networks trained side by side need batches of one size.",
            "Choose a batch size no larger than the smallest training set.",
        )
    make_stepper = CudaGraphStepper if device.type == "cuda" else EnsembleStepper
    return _run(make_stepper(modules, schedules), schedules, device)


def _run(
    stepper: EnsembleStepper,
    schedules: Sequence[BatchSchedule],
    device: torch.device,
    after_epoch: Callable[[int], object] | None = None,
) -> list[tuple[float, ...]]:
    """Step until all schedules are finished. Return the mean loss of each epoch, for each network."""
    dataset = DeviceDataset(schedules, device)
    step_losses: list[list[Float[Tensor, ""]]] = [[] for _ in schedules]
    while not all(schedule.finished for schedule in schedules):
        active = [not schedule.finished for schedule in schedules]
        learning_rates = [schedule.learning_rate for schedule in schedules]
        batches, targets = dataset.next_batches(schedules)
        stepper.draw_dropout()
        losses = stepper.losses(batches, targets, dataset.loss_weights)
        stepper.step(learning_rates, active)
        for index, schedule in enumerate(schedules):
            if not active[index]:
                continue
            step_losses[index].append(losses[index])
            if after_epoch and schedule.step % schedule.steps_per_epoch == 0:
                after_epoch(schedule.step // schedule.steps_per_epoch)
    epoch_losses = []
    for values, schedule in zip(step_losses, schedules, strict=True):
        by_epoch = torch.stack(values).double().view(schedule.epochs, -1)
        epoch_losses.append(tuple(by_epoch.mean(dim=1).tolist()))
    _check_finite(epoch_losses)
    return epoch_losses


def _check_finite(epoch_losses: Sequence[Sequence[float]]) -> None:
    """Refuse a training that diverged: its weights are no numbers.

    Raises:
        LearnetError: with the epoch.
    """
    for losses in epoch_losses:
        for epoch, loss in enumerate(losses, start=1):
            if not math.isfinite(loss):
                problem = f"The training diverged: the loss of epoch {epoch} is {loss}."
                raise LearnetError(problem, "Lower the learning rate.")
