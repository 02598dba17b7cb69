"""Optimisation steps of several networks side by side: one after the other, or on a GPU as one CUDA graph."""

import os
import warnings
from collections.abc import Sequence
from functools import cache

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from learnet.core.settings import Training
from learnet.networks.layers import Dropout
from learnet.training.schedule import BatchSchedule

STREAMS = 8  # networks that run at the same time on a GPU
MOMENTUM = 0.9  # of SGD

Batches = Float[Tensor, "R B 3 H W"]
Targets = Float[Tensor, "R B K"]


class EnsembleStepper:
    """Networks of one kind, each with its own batches, and one optimiser for all of them."""

    def __init__(self, modules: Sequence[nn.Module], schedules: Sequence[BatchSchedule]) -> None:
        """Create the optimiser; networks that share a learning rate at every step share a parameter group."""
        self.modules = modules
        self.schedules = schedules
        self.training = schedules[0].training
        self.dropouts: list[list[Dropout]] = []  # of each network
        self.groups: dict[tuple[int, int], list[int]] = {}  # (steps an epoch, epochs) -> indices of networks
        for index, (module, schedule) in enumerate(zip(modules, schedules, strict=True)):
            layers = [layer for layer in module.modules() if isinstance(layer, Dropout)]
            self.dropouts.append(layers)
            self.groups.setdefault((schedule.steps_per_epoch, schedule.epochs), []).append(index)
        self.optimiser = _make_optimiser(self._parameter_groups(), self.training)

    def _parameter_groups(self) -> list[list[nn.Parameter]]:
        groups = []
        for indices in self.groups.values():
            parameters: list[nn.Parameter] = []
            for index in indices:
                parameters.extend(self.modules[index].parameters())
            groups.append(parameters)
        return groups

    def draw_dropout(self) -> None:
        """Draw a new mask for every dropout layer of every network, in place if the shape allows."""
        for layers, schedule in zip(self.dropouts, self.schedules, strict=True):
            for layer in layers:
                mask = layer.draw_mask(schedule.batch_size, schedule.dropout_generator)
                if layer.mask.shape == mask.shape:
                    layer.mask.copy_(mask)
                else:
                    layer.mask = mask

    def losses(self, batches: Batches, targets: Targets, weights: Float[Tensor, "R K"]) -> Float[Tensor, "R"]:
        """Compute the loss of each network on its batch, and the gradients of its parameters.

        Args:
            batches: network input.
            targets: share of each class.
            weights: of the classes, for each network.
        """
        losses = []
        for index in range(len(self.modules)):
            losses.append(self._loss(index, batches[index], targets[index], weights[index]))
        return torch.stack(losses)

    def _loss(self, index: int, batch: Tensor, targets: Tensor, weights: Tensor) -> Float[Tensor, ""]:
        module = self.modules[index].train()  # a callback after an epoch may have left it in eval mode
        smoothing = self.training.label_smoothing
        loss = F.cross_entropy(module(batch), targets, weights, label_smoothing=smoothing)
        loss.backward()
        return loss.detach()

    def step(self, learning_rates: Sequence[float], active: Sequence[bool]) -> None:
        """Update the active networks, each with its learning rate, and clear all gradients."""
        for group, indices in zip(self.optimiser.param_groups, self.groups.values(), strict=True):
            first = indices[0]  # all of a group have one learning rate, and finish together
            group["lr"] = learning_rates[first]
            if not active[first]:
                for parameter in group["params"]:
                    parameter.grad = None
        self.optimiser.step()
        self.optimiser.zero_grad(set_to_none=True)


class CudaGraphStepper(EnsembleStepper):
    """Many networks on a GPU: a step of all of them is recorded once as a CUDA graph, then replayed.

    Without a graph, a small network keeps the GPU busy for less time than its launches take. In the graph,
    the networks are branches that run at the same time.
    """

    def __init__(self, modules: Sequence[nn.Module], schedules: Sequence[BatchSchedule]) -> None:
        """Create the optimiser; the graph is recorded at the second step."""
        super().__init__(modules, schedules)
        self.parameters: list[nn.Parameter] = []
        for module in modules:
            self.parameters.extend(module.parameters())
        self.graph: torch.cuda.CUDAGraph | None = None
        self.graph_inputs: tuple[Tensor, ...] = ()  # batches, targets, weights: memory that the graph reads
        self.graph_losses: Tensor  # memory that the graph writes
        self.graph_gradients: list[Tensor | None]  # memory that the graph writes

    def losses(self, batches: Batches, targets: Targets, weights: Float[Tensor, "R K"]) -> Float[Tensor, "R"]:
        """Compute losses and gradients as `EnsembleStepper.losses` does."""
        if not self.graph_inputs:  # the first step is not recorded, so that libraries can initialise
            self.graph_inputs = (batches.clone(), targets.clone(), weights)
            return super().losses(batches, targets, weights)
        if self.graph is None:
            self.graph = self._record()
        self.graph_inputs[0].copy_(batches)
        self.graph_inputs[1].copy_(targets)
        self.graph.replay()
        for parameter, gradient in zip(self.parameters, self.graph_gradients, strict=True):
            parameter.grad = gradient
        return self.graph_losses.clone()

    def _record(self) -> torch.cuda.CUDAGraph:
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            self.graph_losses = self._losses_on_streams()
        self.graph_gradients = [parameter.grad for parameter in self.parameters]
        return graph

    def _losses_on_streams(self) -> Float[Tensor, "R"]:
        main_stream = torch.cuda.current_stream()
        streams = [torch.cuda.Stream() for _ in range(min(STREAMS, len(self.modules)))]
        for stream in streams:
            stream.wait_stream(main_stream)
        batches, targets, weights = self.graph_inputs
        losses = []
        for index in range(len(self.modules)):
            with torch.cuda.stream(streams[index % len(streams)]):
                losses.append(self._loss(index, batches[index], targets[index], weights[index]))
        for stream in streams:
            main_stream.wait_stream(stream)
        return torch.stack(losses)


@cache
def _load_optimisers() -> None:
    """Let PyTorch load what it loads at the first step of any optimiser.

    Among that is sympy, which sets a warning filter, and a compiler that sets an environment variable.
    Neither is left behind in the caller's process.
    """
    parameter = nn.Parameter(torch.zeros(1))
    parameter.grad = torch.zeros(1)
    environment = dict(os.environ)
    with warnings.catch_warnings():
        torch.optim.SGD([parameter], 0.0).step()
    for name in os.environ.keys() - environment.keys():
        del os.environ[name]


def _make_optimiser(groups: Sequence[Sequence[nn.Parameter]], training: Training) -> torch.optim.Optimizer:
    """Return one optimiser; each group of parameters can have its own learning rate."""
    _load_optimisers()
    parameters = [{"params": list(group)} for group in groups]
    rate = training.learning_rate
    decay = training.weight_decay
    if training.optimiser == "sgd":
        return torch.optim.SGD(parameters, rate, momentum=MOMENTUM, weight_decay=decay)
    return torch.optim.AdamW(parameters, rate, weight_decay=decay, fused=True)
