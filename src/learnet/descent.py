"""The training loop: one network alone, or many of one kind side by side in one pass, each as if it were alone.

Side by side the parameters of all networks lie in one table, a row for each, and `torch.func.vmap` turns each layer into one operation
over all of them. Every network keeps its own images, order, augmentation, dropout, batch statistics, optimiser state and learning rate,
all drawn from its own seed, so that the company it keeps changes nothing but the rounding of floats.
"""

import ctypes
import platform
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int64, UInt8
from torch import Tensor, nn
from torch.func import functional_call, stack_module_state, vmap
from torch.nn import functional as F

from learnet import augment
from learnet.errors import LearnetError
from learnet.networks import as_input
from learnet.networks.layers import ConvolutionsAsProducts, Dropout
from learnet.settings import Training

EVEN = 64  # numbers; parts of a table of parameters begin at multiples of it


@dataclass(frozen=True)
class TrainingSet:
    """What a network may learn from."""

    images: UInt8[np.ndarray, "N H W 3"]  # prepared images, 0..255
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
        return TrainingSet(self.images[chosen], self.labels[chosen], [self.people[i] for i in chosen], self.classes, more)

    @property
    def with_phases(self) -> "TrainingSet":
        """All that is learned from, in one row: the clips, then their phases under the clips' labels."""
        if not self.more:
            return self
        images, of = self.more
        labels, people = np.concatenate([self.labels, self.labels[of]]), [*self.people, *(self.people[i] for i in of)]
        return TrainingSet(np.concatenate([self.images, images]), labels, people, self.classes)


class Course:
    """One network's way through its training images: which ones it sees when, what chance does to them, how fast it learns.

    All batches have one size: where the images do not fill the last batch of an epoch, some of them are seen twice in it.
    """

    def __init__(self, data: TrainingSet, training: Training, epochs: int) -> None:
        """A course of EPOCHS passes over DATA, along a schedule laid out for `training.epochs`."""
        self.data, self.training, self.epochs = data, training, epochs
        self.generator = torch.Generator().manual_seed(training.seed)
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

    def batch(self) -> tuple[Int64[Tensor, "B"], augment.Chances]:
        """Positions of the images of the next step, and what chance decides about them; both drawn on the CPU."""
        place = self.taken % self.steps
        if place == 0:
            count = len(self.data.labels)
            orders = [torch.randperm(count, generator=self.generator) for _ in range(2)]
            self.order = torch.cat(orders)[: self.steps * self.size]
        self.taken += 1
        return self.order[place * self.size : (place + 1) * self.size], augment.draw(self.size, self.training, self.generator)


class _Album:
    """The images of all courses, one after the other, and what they teach; all on the device where it is learned."""

    def __init__(self, courses: Sequence[Course], device: torch.device) -> None:
        sets = [course.data for course in courses]
        self.device = device
        self.pixels = _row([torch.from_numpy(np.ascontiguousarray(data.images)).to(device) for data in sets])
        self.targets = _row([F.one_hot(torch.from_numpy(data.labels), data.classes).float().to(device) for data in sets])
        self.starts = np.cumsum([0, *(len(data.labels) for data in sets)]).tolist()
        balanced = courses[0].training.class_weights == "balanced"
        weights = [class_weights(data.labels, data.classes) if balanced else torch.ones(data.classes) for data in sets]
        self.weights = torch.stack(weights).to(device)

    def batch(self, courses: Sequence[Course]) -> tuple[Float[Tensor, "R B 3 H W"], Float[Tensor, "R B K"]]:
        """Every course's next batch and its targets, as chance changed them."""
        positions, chances = zip(*(course.batch() for course in courses), strict=True)
        chosen = _row([place + start for place, start in zip(positions, self.starts, strict=False)]).to(self.device)
        joined = augment.join(chances).to(self.device)
        images, wanted = augment.changed(as_input(self.pixels[chosen]), self.targets[chosen], joined, courses[0].training)
        return images.unflatten(0, (len(courses), -1)), wanted.unflatten(0, (len(courses), -1))


def _row(parts: Sequence[Tensor]) -> Tensor:
    """Parts one after the other; a single one is not copied, as it may be large."""
    return parts[0] if len(parts) == 1 else torch.cat(list(parts))


def keep_freed_memory() -> None:
    """Let this process keep what it frees, for the next step to use, instead of giving it back to the system.

    A step frees all its maps at once. glibc then returns their pages, and the system clears new ones for the next step: a seventh of the
    time of a training on one thread. Other C libraries are left as they are.
    """
    if platform.libc_ver()[0] == "glibc":
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(-1, 2**31 - 1)  # M_TRIM_THRESHOLD: free memory at the end that is kept, in bytes; the largest there is
        mallopt(-3, 32 * 2**20)  # M_MMAP_THRESHOLD: what is larger is a mapping of its own; the largest that glibc takes


class _Networks(ABC):
    """One network or many, as the loop sees them."""

    @abstractmethod
    def draw_dropout(self, courses: Sequence[Course], device: torch.device) -> None: ...

    @abstractmethod
    def losses(self, batch: Tensor, wanted: Tensor, weights: Tensor) -> Float[Tensor, "R"]: ...

    @abstractmethod
    def step(self, courses: Sequence[Course], rates: Sequence[float], active: Sequence[bool]) -> None: ...


def descend(
    module: nn.Module, data: TrainingSet, training: Training, epochs: int, after_epoch: Callable[[int], object] | None = None
) -> tuple[float, ...]:
    """EPOCHS passes over DATA, along a schedule laid out for `training.epochs`.

    Args:
        module: changed in place, on the device where it is.
        data: images and labels.
        training: settings.
        epochs: where to stop; at most `training.epochs`.
        after_epoch: called with the number of epochs done.

    Returns:
        Mean loss of each epoch.
    """
    return _run(_Alone(module, training), [Course(data, training, epochs)], _device(module), after_epoch)[0]


def descend_together(
    modules: Sequence[nn.Module], sets: Sequence[TrainingSet], trainings: Sequence[Training], epochs: Sequence[int]
) -> list[tuple[float, ...]]:
    """Many networks of one kind, each over its own data, in one pass; equal to `descend` for each of them but for rounding.

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
    courses = [Course(*given) for given in zip(sets, trainings, epochs, strict=True)]
    if len({course.size for course in courses}) > 1:
        raise LearnetError("Networks side by side need batches of one size.", "Ask for a batch no larger than the smallest training set.")
    together = _Together(modules, trainings[0])
    losses = _run(together, courses, _device(modules[0]))
    together.write_back()
    return losses


def _run(
    networks: _Networks, courses: Sequence[Course], device: torch.device, after_epoch: Callable[[int], object] | None = None
) -> list[tuple[float, ...]]:
    """Step until every course is finished. Returns the mean loss of each epoch of each course."""
    keep_freed_memory()
    album = _Album(courses, device)
    losses: list[list[Float[Tensor, ""]]] = [[] for _ in courses]  # of each step
    while not all(course.finished for course in courses):
        active, rates = [not course.finished for course in courses], [course.rate for course in courses]
        batch, wanted = album.batch(courses)
        networks.draw_dropout(courses, device)
        found = networks.losses(batch, wanted, album.weights)
        found.sum().backward()
        networks.step(courses, rates, active)
        for place, (course, is_active) in enumerate(zip(courses, active, strict=True)):
            if is_active:
                losses[place].append(found[place].detach())
                if after_epoch and course.taken % course.steps == 0:
                    after_epoch(course.taken // course.steps)
    return [
        tuple(torch.stack(steps).double().view(course.epochs, -1).mean(dim=1).tolist())
        for steps, course in zip(losses, courses, strict=True)
    ]


class _Alone(_Networks):
    """One network, called as it is."""

    def __init__(self, module: nn.Module, training: Training) -> None:
        self.module, self.training = module, training
        self.optimiser = _optimiser([list(module.parameters())], training)

    def draw_dropout(self, courses: Sequence[Course], device: torch.device) -> None:
        for layer in self.module.modules():
            if isinstance(layer, Dropout):
                layer.mask = layer.drawn(courses[0].size, courses[0].generator).to(device)

    def losses(self, batch: Tensor, wanted: Tensor, weights: Tensor) -> Float[Tensor, "1"]:
        self.module.train()
        smoothing = self.training.label_smoothing
        return F.cross_entropy(self.module(batch[0]), wanted[0], weights[0], label_smoothing=smoothing)[None]

    def step(self, courses: Sequence[Course], rates: Sequence[float], active: Sequence[bool]) -> None:
        self.optimiser.param_groups[0]["lr"] = rates[0]
        self.optimiser.step()
        self.optimiser.zero_grad(set_to_none=True)


class _Together(_Networks):
    """Many networks. The parameters of each are a row of one table, which its optimiser takes for a single parameter."""

    def __init__(self, modules: Sequence[nn.Module], training: Training) -> None:
        self.modules, self.training = [module.train() for module in modules], training
        stacked, self.buffers = stack_module_state(list(modules))
        table, start = _table([values.detach() for values in stacked.values()]), 0
        self.parameters: dict[str, Tensor] = {}
        for name, values in stacked.items():
            count = values[0].numel()
            self.parameters[name] = nn.Parameter(table[:, start : start + count].view(values.shape))  # lies in the table
            start += count + -count % EVEN
        self.rows = [nn.Parameter(row) for row in table]
        self.optimiser = _optimiser([[row] for row in self.rows], training)

    def draw_dropout(self, courses: Sequence[Course], device: torch.device) -> None:
        for name, layer in self.modules[0].named_modules():
            if isinstance(layer, Dropout):
                masks = [layer.drawn(course.size, course.generator) for course in courses]
                self.buffers[f"{name}.mask"] = torch.stack(masks).to(device)

    def losses(self, batch: Tensor, wanted: Tensor, weights: Tensor) -> Float[Tensor, "R"]:
        return vmap(self._loss)(self.parameters, self.buffers, batch, wanted, weights)

    def _loss(
        self, parameters: dict[str, Tensor], buffers: dict[str, Tensor], batch: Tensor, wanted: Tensor, weights: Tensor
    ) -> Float[Tensor, ""]:
        with ConvolutionsAsProducts() if batch.is_cuda else nullcontext():
            scores = functional_call(self.modules[0], (parameters, buffers), (batch,))
        return F.cross_entropy(scores, wanted, weights, label_smoothing=self.training.label_smoothing)

    def step(self, courses: Sequence[Course], rates: Sequence[float], active: Sequence[bool]) -> None:
        slopes = _table([torch.zeros_like(values) if values.grad is None else values.grad for values in self.parameters.values()])
        for place, (row, group) in enumerate(zip(self.rows, self.optimiser.param_groups, strict=True)):
            group["lr"] = rates[place]
            row.grad = slopes[place] if active[place] else None  # a finished network stays as it is
        self.optimiser.step()
        for values in self.parameters.values():
            values.grad = None

    def write_back(self) -> None:
        """Give each network its own weights and statistics."""
        stacked = {**self.parameters, **{name: buffer for name, buffer in self.buffers.items() if not name.endswith(".mask")}}
        with torch.no_grad():
            for place, module in enumerate(self.modules):
                own = {**dict(module.named_parameters()), **dict(module.named_buffers())}
                for name, values in stacked.items():
                    own[name].copy_(values[place])


def _table(stacked: Sequence[Float[Tensor, "R ..."]]) -> Float[Tensor, "R P"]:
    """One row for each network; zeros between the parts let each begin where a GPU's matrix units like to read."""
    parts = []
    for values in stacked:
        flat = values.flatten(1)
        parts += [flat, flat.new_zeros(len(flat), -flat.shape[1] % EVEN)]
    return torch.cat(parts, dim=1)


def networks_that_fit(module: nn.Module, size: int, batch: int, free_bytes: int) -> int:
    """How many networks like MODULE can be trained side by side in so much memory, by what one needs; at least 1.

    Parameters count four times (with gradient and two moments), the answer of every layer three times (with its gradient and what the
    layers between keep); half of the memory is left to libraries.
    """
    answers = 0

    def count(layer: nn.Module, given: tuple, answer: Tensor) -> None:
        nonlocal answers
        answers += answer.numel()
        if isinstance(layer, nn.Conv2d):
            answers += layer.weight[0].numel() * answer[0, 0].numel()  # what each pixel is made from, side by side

    handles = [layer.register_forward_hook(count) for layer in module.modules() if not list(layer.children())]
    with torch.inference_mode():
        module.eval()(torch.zeros(1, 3, size, size, device=_device(module)))
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


def _device(module: nn.Module) -> torch.device:
    return next(module.parameters()).device


def _optimiser(networks: Sequence[Sequence[nn.Parameter]], training: Training) -> torch.optim.Optimizer:
    """One optimiser, with a group of parameters for each network."""
    groups = [{"params": list(parameters)} for parameters in networks]
    if training.optimiser == "sgd":
        return torch.optim.SGD(groups, training.learning_rate, momentum=0.9, weight_decay=training.weight_decay)
    return torch.optim.AdamW(groups, training.learning_rate, weight_decay=training.weight_decay, fused=True)


def _rate(epoch: float, training: Training) -> float:
    """Share of the learning rate at a (fractional) epoch: one warm-up epoch, then half a cosine down to zero."""
    if training.schedule == "constant":
        return 1.0
    if epoch < 1:
        return max(epoch, 0.05)
    return 0.5 * (1 + float(np.cos(np.pi * (epoch - 1) / max(training.epochs - 1, 1))))
