"""The training loop: one network alone, or many of one kind side by side in one pass, each as if it were alone.

Side by side the networks share the way: their images lie on the device together, their batches are changed by chance as one, and one
optimiser moves them all. On a GPU a step of all of them is moreover recorded once and then played again. Every network keeps its own
order, augmentation, dropout, batch statistics, optimiser state and learning rate, all drawn from its own seed, so that the company it
keeps changes nothing but the rounding of floats.
"""

import os
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Literal

import numpy as np
import torch
from jaxtyping import Float, Int64, UInt8
from torch import Tensor, nn
from torch.nn import functional as F

from learnet.core.errors import LearnetError
from learnet.core.settings import Training
from learnet.motion.detrend import StoredImages, TrainingImages
from learnet.networks import as_input, device_of
from learnet.networks.layers import Dropout
from learnet.training import augment

CPU = torch.device("cpu")
BRANCHES = 8  # networks under way at once on a GPU

Batches = Float[Tensor, "R B 3 H W"]
Targets = Float[Tensor, "R B K"]


@dataclass(frozen=True)
class TrainingExamples:
    """What the training loop runs over: images as trained on, phases among them, and their labels."""

    images: TrainingImages
    labels: Int64[np.ndarray, "N"]  # positions in the class list
    classes: int


@dataclass(frozen=True)
class TrainingSet:
    """What a network may learn from."""

    images: UInt8[np.ndarray, "N H W 3"]  # as stored in the prepared folder, 0..255
    labels: Int64[np.ndarray, "N"]  # positions in the class list
    people: Sequence[str]  # the person of each image; only for the inner choice of epochs
    classes: int
    more: tuple[UInt8[np.ndarray, "M H W 3"], Int64[np.ndarray, "M"]] | None = None
    """Images of phases of the same clips, and the place of each one's clip: for learning, and never to be scored on."""

    def take(self, positions: Sequence[int]) -> "TrainingSet":
        """The part at these positions, with the phases of these clips and of no others."""
        chosen = np.asarray(positions, dtype=np.int64)
        more = None
        if self.more:
            places = np.full(len(self.labels), -1)
            places[chosen] = np.arange(len(chosen))
            kept = places[self.more[1]] >= 0
            more = self.more[0][kept], places[self.more[1][kept]]
        return TrainingSet(
            self.images[chosen], self.labels[chosen], [self.people[i] for i in chosen], self.classes, more
        )

    @property
    def stored(self) -> StoredImages:
        """The images of the clips, without phases."""
        return StoredImages(self.images)

    def examples(self, images: TrainingImages) -> TrainingExamples:
        """Return what the training loop runs over.

        Args:
            images: of the clips, as `stored.for_training` makes them. Phases, images of a kind that is never level,
                are added as they are stored.
        """
        whole = replace(self, images=images.pixels).with_phases
        return TrainingExamples(TrainingImages(whole.images), whole.labels, whole.classes)

    @property
    def with_phases(self) -> "TrainingSet":
        """All that is learned from, in one row: the clips, then their phases under the clips' labels."""
        if not self.more:
            return self
        images, of = self.more
        labels, people = (
            np.concatenate([self.labels, self.labels[of]]),
            [*self.people, *(self.people[i] for i in of)],
        )
        return TrainingSet(np.concatenate([self.images, images]), labels, people, self.classes)


class BatchSchedule:
    """One network's way through its training images: which ones it sees when, what chance does to them, how fast it learns.

    All batches have one size: where the images do not fill the last batch of an epoch, some of them are seen twice in it.
    """

    def __init__(
        self, data: TrainingExamples, training: Training, epochs: int, device: torch.device = CPU
    ) -> None:
        """A course of EPOCHS passes over DATA, along a schedule laid out for `training.epochs`; dropout is drawn on DEVICE."""
        self.data, self.training, self.epochs = data, training, epochs
        self.generator = torch.Generator().manual_seed(training.seed)
        self.of_dropout = (
            self.generator if device == CPU else torch.Generator(device).manual_seed(training.seed)
        )
        self.size = min(training.batch, len(data.labels))
        self.steps = -(-len(data.labels) // self.size)  # of an epoch
        self.taken = 0  # steps
        self.order = torch.empty(0, dtype=torch.int64)

    @property
    def finished(self) -> bool:
        """Whether all epochs have been passed; it can still be asked for batches, which then mean nothing."""
        return self.taken >= self.epochs * self.steps

    @property
    def rate(self) -> float:
        """Learning rate of the next step."""
        return self.training.learning_rate * _rate(self.taken / self.steps, self.training)

    def batch(self) -> tuple[Int64[Tensor, "B"], augment.AugmentationParameters]:
        """Positions of the images of the next step, and what chance decides about them; both drawn on the CPU: the same on every device."""
        place = self.taken % self.steps
        if place == 0:
            count = len(self.data.labels)
            orders = [torch.randperm(count, generator=self.generator) for _ in range(2)]
            self.order = torch.cat(orders)[: self.steps * self.size]
        self.taken += 1
        return self.order[place * self.size : (place + 1) * self.size], augment.draw_parameters(
            self.size, self.training, self.generator
        )


class _DeviceDataset:
    """The images of all courses, one after the other, and what they teach; all on the device where it is learned."""

    def __init__(self, courses: Sequence[BatchSchedule], device: torch.device) -> None:
        sets = [course.data for course in courses]
        self.device = device
        pixels = [np.ascontiguousarray(data.images.pixels) for data in sets]
        self.pixels = _row([torch.from_numpy(part).to(device) for part in pixels])
        self.targets = _row(
            [F.one_hot(torch.from_numpy(data.labels), data.classes).float().to(device) for data in sets]
        )
        self.starts = np.cumsum([0, *(len(data.labels) for data in sets)]).tolist()
        balanced = courses[0].training.class_weights == "balanced"
        weights = [
            class_weights(data.labels, data.classes) if balanced else torch.ones(data.classes)
            for data in sets
        ]
        self.weights = torch.stack(weights).to(device)

    def batch(
        self, courses: Sequence[BatchSchedule]
    ) -> tuple[Float[Tensor, "R B 3 H W"], Float[Tensor, "R B K"]]:
        """Every course's next batch and its targets, as chance changed them."""
        positions, chances = zip(*(course.batch() for course in courses), strict=True)
        chosen = _row([place + start for place, start in zip(positions, self.starts, strict=False)]).to(
            self.device, non_blocking=True
        )
        joined = augment.join(chances).to(self.device)
        images, wanted = augment.apply_augmentation(
            as_input(self.pixels[chosen]), self.targets[chosen], joined, courses[0].training
        )
        return images.unflatten(0, (len(courses), -1)), wanted.unflatten(0, (len(courses), -1))


def _row(parts: Sequence[Tensor]) -> Tensor:
    """Parts one after the other; a single one is not copied, as it may be large."""
    return parts[0] if len(parts) == 1 else torch.cat(list(parts))


class _EnsembleStepper:
    """Networks of one kind, as the loop sees them."""

    def __init__(self, modules: Sequence[nn.Module], courses: Sequence[BatchSchedule]) -> None:
        self.modules, self.courses, self.training = modules, courses, courses[0].training
        self.dropouts = [
            [layer for layer in module.modules() if isinstance(layer, Dropout)] for module in modules
        ]
        self.in_step: dict[
            tuple[int, int], list[int]
        ] = {}  # places of networks that have one learning rate all the way
        for place, course in enumerate(courses):
            self.in_step.setdefault((course.steps, course.epochs), []).append(place)
        groups = [
            [weight for place in places for weight in modules[place].parameters()]
            for places in self.in_step.values()
        ]
        self.optimiser = _optimiser(groups, self.training)

    def draw_dropout(self) -> None:
        """A new mask for every dropout layer of every network, in the place of the last one."""
        for layers, course in zip(self.dropouts, self.courses, strict=True):
            for layer in layers:
                mask = layer.draw_mask(course.size, course.of_dropout)
                layer.mask = layer.mask.copy_(mask) if layer.mask.shape == mask.shape else mask

    def losses(self, batch: Batches, wanted: Targets, weights: Tensor) -> Float[Tensor, "R"]:
        """Each network's loss on its batch; its slopes lie with its parameters."""
        return torch.stack(
            [
                self._loss(place, batch[place], wanted[place], weights[place])
                for place in range(len(self.modules))
            ]
        )

    def _loss(self, place: int, batch: Tensor, wanted: Tensor, weights: Tensor) -> Float[Tensor, ""]:
        module = self.modules[
            place
        ].train()  # what is done after an epoch may have left it as it is when tested
        loss = F.cross_entropy(module(batch), wanted, weights, label_smoothing=self.training.label_smoothing)
        loss.backward()
        return loss.detach()

    def step(self, rates: Sequence[float], active: Sequence[bool]) -> None:
        """Follow the slopes, each network at its own rate; one that has finished stays as it is."""
        for group, (place, *_) in zip(self.optimiser.param_groups, self.in_step.values(), strict=True):
            group["lr"] = rates[place]
            if not active[place]:
                for parameter in group["params"]:
                    parameter.grad = None
        self.optimiser.step()
        self.optimiser.zero_grad(set_to_none=True)


class _CudaGraphStepper(_EnsembleStepper):
    """Many networks on a GPU, which is told once what a step of all of them is and then only to do it again.

    Told layer by layer, it waits for the next word most of the time: a small network keeps it busy for less time than the word takes. In
    the recording (a CUDA graph) the networks are branches, and several of them are under way at once.
    """

    def __init__(self, modules: Sequence[nn.Module], courses: Sequence[BatchSchedule]) -> None:
        super().__init__(modules, courses)
        self.parameters = [weight for module in modules for weight in module.parameters()]
        self.given: tuple[
            Tensor, ...
        ] = ()  # where the recording finds batches, targets and weights of classes
        self.graph: torch.cuda.CUDAGraph | None = None
        self.found: Tensor  # where it leaves the losses
        self.slopes: list[Tensor | None]  # and the slopes

    def losses(self, batch: Batches, wanted: Targets, weights: Tensor) -> Float[Tensor, "R"]:
        """As of `_EnsembleStepper`."""
        if not self.given:  # the first step is taken as it is, and lets the libraries get ready
            self.given = batch.clone(), wanted.clone(), weights
            return super().losses(batch, wanted, weights)
        if self.graph is None:
            self.graph = torch.cuda.CUDAGraph()
            with torch.cuda.graph(self.graph):
                self.found = self._branches()
            self.slopes = [parameter.grad for parameter in self.parameters]
        for place, values in zip(self.given, (batch, wanted), strict=False):
            place.copy_(values)
        self.graph.replay()
        for parameter, slope in zip(self.parameters, self.slopes, strict=True):
            parameter.grad = slope
        return self.found.clone()

    def _branches(self) -> Float[Tensor, "R"]:
        trunk, found = torch.cuda.current_stream(), []
        streams = [torch.cuda.Stream() for _ in range(min(BRANCHES, len(self.modules)))]
        for stream in streams:
            stream.wait_stream(trunk)
        for place in range(len(self.modules)):
            with torch.cuda.stream(streams[place % len(streams)]):
                found.append(self._loss(place, *(part[place] for part in self.given)))
        for stream in streams:
            trunk.wait_stream(stream)
        return torch.stack(found)


def fit(
    module: nn.Module,
    data: TrainingExamples,
    training: Training,
    epochs: int,
    after_epoch: Callable[[int], object] | None = None,
) -> tuple[float, ...]:
    """EPOCHS passes over DATA, along a schedule laid out for `training.epochs`.

    Args:
        module: changed in place, on the device where it is.
        data: images as trained on, and labels.
        training: settings.
        epochs: where to stop; at most `training.epochs`.
        after_epoch: called with the number of epochs done.

    Returns:
        Mean loss of each epoch.
    """
    courses = [BatchSchedule(data, training, epochs, device_of(module))]
    return _run(_EnsembleStepper([module], courses), courses, device_of(module), after_epoch)[0]


def fit_ensemble(
    modules: Sequence[nn.Module],
    sets: Sequence[TrainingExamples],
    trainings: Sequence[Training],
    epochs: Sequence[int],
) -> list[tuple[float, ...]]:
    """Many networks of one kind, each over its own data, in one pass; equal to `fit` for each of them but for rounding.

    The running averages of a network that ends before the others go on moving; a training settles them anew at its end.

    Args:
        modules: networks of the same shape; changed in place.
        sets: the images of each. Batches must come out at one size: the smaller of the batch setting and the number of images.
        trainings: settings of each; they may differ in the seed only.
        epochs: where each stops.

    Returns:
        Mean losses of the epochs, for each network.

    Raises:
        LearnetError: sets so small that batches differ in size.
        torch.OutOfMemoryError: too many for the device.
    """
    device = device_of(modules[0])
    courses = [BatchSchedule(*given, device) for given in zip(sets, trainings, epochs, strict=True)]
    if len({course.size for course in courses}) > 1:
        raise LearnetError(
            "Networks side by side need batches of one size.",
            "Ask for a batch no larger than the smallest training set.",
        )
    kind = _CudaGraphStepper if device.type == "cuda" else _EnsembleStepper
    return _run(kind(modules, courses), courses, device)


def _run(
    networks: _EnsembleStepper,
    courses: Sequence[BatchSchedule],
    device: torch.device,
    after_epoch: Callable[[int], object] | None = None,
) -> list[tuple[float, ...]]:
    """Step until every course is finished. Returns the mean loss of each epoch of each course."""
    album = _DeviceDataset(courses, device)
    losses: list[list[Float[Tensor, ""]]] = [[] for _ in courses]  # of each step
    while not all(course.finished for course in courses):
        active, rates = [not course.finished for course in courses], [course.rate for course in courses]
        batch, wanted = album.batch(courses)
        networks.draw_dropout()
        found = networks.losses(batch, wanted, album.weights)
        networks.step(rates, active)
        for place, (course, is_active) in enumerate(zip(courses, active, strict=True)):
            if is_active:
                losses[place].append(found[place])
                if after_epoch and course.taken % course.steps == 0:
                    after_epoch(course.taken // course.steps)
    return [
        tuple(torch.stack(steps).double().view(course.epochs, -1).mean(dim=1).tolist())
        for steps, course in zip(losses, courses, strict=True)
    ]


def resolve_device(asked: str) -> Literal["cpu", "cuda"]:
    """The device to train on, where "auto" asks for a GPU if there is one.

    Raises:
        LearnetError: a GPU is asked for, and there is none.
    """
    if asked == "cuda" and not torch.cuda.is_available():
        raise LearnetError(
            "There is no GPU that this PyTorch can use.", "Leave --device out, or ask for cpu."
        )
    return "cuda" if asked != "cpu" and torch.cuda.is_available() else "cpu"


def out_of_memory_error() -> LearnetError:
    """What to say where a GPU cannot hold even one network."""
    return LearnetError(
        "The GPU has too little memory to train one network.", "Ask for --device cpu, or a smaller --batch."
    )


def networks_that_fit(module: nn.Module, size: int, batch: int, free_bytes: int) -> int:
    """How many networks like MODULE can be trained side by side in so much memory, by what one needs; at least 1.

    Parameters count four times (with gradient and two moments), the answer of every layer three times (with its gradient and what the
    layers between keep); half of the memory is left to libraries.
    """
    answers = 0

    def count(layer: nn.Module, given: tuple, answer: Tensor) -> None:
        nonlocal answers
        answers += answer.numel()

    handles = [layer.register_forward_hook(count) for layer in module.modules() if not list(layer.children())]
    with torch.inference_mode():
        module.eval()(torch.zeros(1, 3, size, size, device=device_of(module)))
    for handle in handles:
        handle.remove()
    parameters = sum(parameter.numel() for parameter in module.parameters())
    return max(1, free_bytes // 2 // (4 * (4 * parameters + 3 * batch * answers)))


def class_weights(labels: Int64[np.ndarray, "N"], classes: int) -> Float[Tensor, "K"]:
    """Weights N / (present classes * clips of the class): every class that occurs counts alike; absent ones have no say."""
    counts = np.bincount(labels, minlength=classes)
    present = counts > 0
    weights = np.divide(len(labels), present.sum() * counts, out=np.zeros(classes), where=present)
    return torch.from_numpy(weights).float()


@cache
def _load_optimisers() -> None:
    """Let PyTorch load what it loads at the first step of any optimiser.

    Among that is sympy, which sets a warning filter, and a compiler that sets an environment variable. Neither is left
    behind in the caller's process.
    """
    parameter = nn.Parameter(torch.zeros(1))
    parameter.grad = torch.zeros(1)
    environment = dict(os.environ)
    with warnings.catch_warnings():
        torch.optim.SGD([parameter], 0.0).step()
    for name in os.environ.keys() - environment.keys():
        del os.environ[name]


def _optimiser(parameters: Sequence[Sequence[nn.Parameter]], training: Training) -> torch.optim.Optimizer:
    """One optimiser; each group of parameters can have a learning rate of its own."""
    _load_optimisers()
    groups = [{"params": list(group)} for group in parameters]
    if training.optimiser == "sgd":
        return torch.optim.SGD(
            groups, training.learning_rate, momentum=0.9, weight_decay=training.weight_decay
        )
    return torch.optim.AdamW(groups, training.learning_rate, weight_decay=training.weight_decay, fused=True)


def _rate(epoch: float, training: Training) -> float:
    """Share of the learning rate at a (fractional) epoch: one warm-up epoch, then half a cosine down to zero."""
    if training.schedule == "constant":
        return 1.0
    if epoch < 1:
        return max(epoch, 0.05)
    return 0.5 * (1 + float(np.cos(np.pi * (epoch - 1) / max(training.epochs - 1, 1))))
