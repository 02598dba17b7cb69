"""Images and labels -> a trained network. One loop, one record of settings; the people it is given are all it ever sees."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import torch
from jaxtyping import Float, Float64, Int64, UInt8
from torch import Tensor, nn
from torch.nn import functional as F
from torch.optim.swa_utils import update_bn

from learnet import augment
from learnet.errors import LearnetError, pick
from learnet.metrics import confusion, headline
from learnet.networks import NETWORKS, as_input, to_answer
from learnet.settings import Training
from learnet.splits import subject_groups

Progress = Callable[[int, int], None]  # epochs done, epochs in all


@dataclass(frozen=True)
class Trained:
    """A trained network and how it came about."""

    module: nn.Module  # in eval mode
    epochs: int  # passes really made; 0 where the network is fitted in one go
    losses: tuple[float, ...]  # mean training loss of each epoch


@dataclass(frozen=True)
class TrainingSet:
    """What a network may learn from."""

    images: UInt8[np.ndarray, "N H W 3"]  # prepared images, 0..255
    labels: Int64[np.ndarray, "N"]  # positions in the class list
    people: Sequence[str]  # the person of each image; only for the inner choice of epochs
    classes: int

    def take(self, positions: Sequence[int]) -> "TrainingSet":
        """The part at these positions."""
        chosen = np.asarray(positions)
        return TrainingSet(self.images[chosen], self.labels[chosen], [self.people[i] for i in chosen], self.classes)


def train(network: str, data: TrainingSet, training: Training, progress: Progress | None = None) -> Trained:
    """Train a network of the table NETWORKS on DATA.

    With `inner_groups` the number of epochs is the one at which the pooled UF1 over inner groups of the training people is
    highest (the earliest of equals); the network is then trained anew on all of them along the same schedule.

    Args:
        network: name in NETWORKS.
        data: the training side only.
        training: settings; `mirror="auto"` must have been resolved (`resolve_mirror`).
        progress: called after each epoch.

    Raises:
        LearnetError: no images, or one image only, which batch normalisation cannot learn from.
    """
    if len(data.labels) < 2:
        raise LearnetError(f"{len(data.labels)} training images are too few.", "At least 2 are needed.")
    module: Any = pick(NETWORKS, network, "network")(data.classes, data.images.shape[1], seed=training.seed)
    if hasattr(module, "fit"):  # closed form: no epochs
        module.fit(as_input(data.images), torch.from_numpy(data.labels))
        return Trained(module.eval(), 0, ())
    epochs = _best_epochs(network, data, training) if training.inner_groups else training.epochs
    losses = descend(module, data, training, epochs, after_epoch=progress and (lambda done: progress(done, epochs)))
    settle_statistics(module, data, training)
    return Trained(module.eval(), epochs, losses)


def resolve_mirror(training: Training, images_kind: str, network: str) -> Training:
    """Put a definite answer in the place of `mirror="auto"`.

    Args:
        training: settings.
        images_kind: "image" (a flipped face gives the flipped image: dynamic images), "flow" (its first channel changes
            sign as well) or "unknown", for which nothing is mirrored.
        network: name in NETWORKS. One that is fitted in one go sees no mirrored images in training, so none at test.
    """
    if hasattr(pick(NETWORKS, network, "network"), "fit"):
        return replace(training, mirror="none")
    known: dict[str, Literal["image", "flow"]] = {"image": "image", "flow": "flow"}
    return replace(training, mirror=known.get(images_kind, "none")) if training.mirror == "auto" else training


def predict_scores(module: nn.Module, images: UInt8[np.ndarray, "N H W 3"], mirror: str = "none") -> Float64[np.ndarray, "N K"]:
    """Probability of each class for each image.

    Args:
        module: network in eval mode, giving logits.
        images: prepared images, 0..255.
        mirror: "image" or "flow" averages the probabilities of an image and its mirror image; "none" does not.
    """
    parts = []
    module = to_answer(module)
    with torch.inference_mode():
        for start in range(0, len(images), 64):
            batch = as_input(images[start : start + 64])
            scores = module(batch).double().softmax(dim=1)
            if mirror != "none":
                scores = (scores + module(augment.mirror(batch, mirror)).double().softmax(dim=1)) / 2
            parts.append(scores)
    return torch.cat(parts).numpy()


def descend(
    module: nn.Module, data: TrainingSet, training: Training, epochs: int, after_epoch: Callable[[int], object] | None = None
) -> tuple[float, ...]:
    """The training loop: EPOCHS passes over DATA, along a schedule laid out for `training.epochs`.

    Args:
        module: changed in place.
        data: images and labels.
        training: settings.
        epochs: where to stop; at most `training.epochs`.
        after_epoch: called with the number of epochs done.

    Returns:
        Mean loss of each epoch.
    """
    generator = torch.Generator().manual_seed(training.seed)
    pixels, targets = torch.from_numpy(np.ascontiguousarray(data.images)), torch.from_numpy(data.labels)
    weights = class_weights(data.labels, data.classes) if training.class_weights == "balanced" else None
    optimiser, steps = _optimiser(module, training), -(-len(targets) // training.batch)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: _rate(step / steps, training))
    losses = []
    for epoch in range(epochs):
        module.train()
        total = 0.0
        with torch.random.fork_rng(devices=[]):  # dropout draws from the global generator; the caller's stays as it was
            torch.manual_seed(int(torch.randint(2**62, (), generator=generator)))
            for chosen in torch.tensor_split(torch.randperm(len(targets), generator=generator), steps):  # equal parts: no batch of one
                batch, wanted = _changed(as_input(pixels[chosen]), F.one_hot(targets[chosen], data.classes).float(), training, generator)
                loss = F.cross_entropy(module(batch), wanted, weights, label_smoothing=training.label_smoothing)
                optimiser.zero_grad(set_to_none=True)
                loss.backward()
                optimiser.step()
                schedule.step()
                total += float(loss.detach()) * len(chosen)
        losses.append(total / len(targets))
        if after_epoch:
            after_epoch(epoch + 1)
    return tuple(losses)


def settle_statistics(module: nn.Module, data: TrainingSet, training: Training) -> None:
    """Give batch normalisation the means and variances of the training images, as the finished weights see them.

    The authors' momentum takes in 1 % a step: after the hundred or so steps that sixty clips allow, a third of the running
    averages would still be the numbers they started from, and the network at test another than the one that was trained.
    """
    steps = -(-len(data.labels) // training.batch)
    parts = np.array_split(np.arange(len(data.labels)), steps)
    with torch.random.fork_rng(devices=[]):  # dropout draws in training mode; nothing of it reaches the statistics
        update_bn((as_input(data.images[part]) for part in parts), module)


def class_weights(labels: Int64[np.ndarray, "N"], classes: int) -> Float[Tensor, "K"]:
    """Weights N / (present classes * clips of the class): every class that occurs counts alike; absent ones have no say."""
    counts = np.bincount(labels, minlength=classes)
    present = counts > 0
    weights = np.divide(len(labels), present.sum() * counts, out=np.zeros(classes), where=present)
    return torch.from_numpy(weights).float()


def _best_epochs(network: str, data: TrainingSet, training: Training) -> int:
    """Number of epochs with the highest UF1 pooled over inner groups of the training people."""
    names = [str(i) for i in range(data.classes)]
    truth = [names[label] for label in data.labels]
    answers = np.empty((training.epochs, len(truth)), dtype=int)
    for fold in subject_groups(data.people, truth, training.inner_groups, training.seed):
        inner, held_out = data.take(fold.train), data.images[list(fold.test)]
        module = NETWORKS[network](data.classes, data.images.shape[1], seed=training.seed)

        def note(
            done: int, module: nn.Module = module, inner: TrainingSet = inner, held_out: np.ndarray = held_out, fold_test: tuple = fold.test
        ) -> None:
            settle_statistics(module, inner, training)
            answers[done - 1, list(fold_test)] = predict_scores(module.eval(), held_out, training.mirror_when_tested).argmax(axis=1)

        descend(module, inner, training, training.epochs, after_epoch=note)
    uf1 = [headline(confusion(truth, [names[a] for a in row], names))[1] for row in answers]
    return int(np.argmax(uf1)) + 1


def _changed(
    batch: Float[Tensor, "B 3 H W"], wanted: Float[Tensor, "B K"], training: Training, generator: torch.Generator
) -> tuple[Float[Tensor, "B 3 H W"], Float[Tensor, "B K"]]:
    if training.mirror in ("image", "flow"):
        batch = augment.mirror_some(batch, training.mirror, generator)
    if training.augment == "light":
        batch = augment.light(batch, generator)
    if training.mix:
        batch, wanted = augment.mix(batch, wanted, training.mix, generator)
    return batch, wanted


def _optimiser(module: nn.Module, training: Training) -> torch.optim.Optimizer:
    if training.optimiser == "sgd":
        return torch.optim.SGD(module.parameters(), training.learning_rate, momentum=0.9, weight_decay=training.weight_decay)
    return torch.optim.AdamW(module.parameters(), training.learning_rate, weight_decay=training.weight_decay, fused=True)


def _rate(epoch: float, training: Training) -> float:
    """Share of the learning rate at a (fractional) epoch: one warm-up epoch, then half a cosine down to zero."""
    if training.schedule == "constant":
        return 1.0
    if epoch < 1:
        return max(epoch, 0.05)
    return 0.5 * (1 + float(np.cos(np.pi * (epoch - 1) / max(training.epochs - 1, 1))))
