"""Images and labels -> a trained network. One record of settings; the people it is given are all it ever sees."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import torch
from safetensors.torch import load
from torch import nn
from torch.optim.swa_utils import update_bn

from learnet.core.errors import LearnetError, pick
from learnet.core.network_info import network_info
from learnet.core.settings import Training
from learnet.datasets.prepared.store import ImageSource, load_prepared
from learnet.datasets.splits import subject_groups
from learnet.metrics.scores import confusion, headline
from learnet.motion.detrend import EvaluationImages, TrainingImages
from learnet.networks import NETWORKS, as_input, device_of
from learnet.networks.layers import Dropout
from learnet.training.checkpoint import put
from learnet.training.loop import TrainingExamples, TrainingSet, fit, fit_ensemble, out_of_memory_error
from learnet.training.torch_scores import evaluation_scores

Progress = Callable[[int, int], None]  # epochs done, epochs in all


@dataclass(frozen=True)
class TrainedNetwork:
    """A trained network and how it came about."""

    module: nn.Module  # in eval mode
    epochs: int  # passes really made; 0 where the network is fitted in one go
    losses: tuple[float, ...]  # mean training loss of each epoch


def train(
    network: str,
    data: TrainingSet,
    training: Training,
    progress: Progress | None = None,
    start: bytes | None = None,
    device: str = "cpu",
) -> TrainedNetwork:
    """Train a network of the table NETWORKS on DATA.

    With `inner_groups` the number of epochs is the one at which the pooled UF1 over inner groups of the training people is
    highest (the earliest of equals); the network is then trained anew on all of them along the same schedule.

    Args:
        network: name in NETWORKS.
        data: the training side only.
        training: settings; `mirror="auto"` must have been resolved (`resolve_mirror`).
        progress: called after each epoch.
        start: as of `train_together`.
        device: as of `train_together`.

    Raises:
        LearnetError: no images, or one image only, which batch normalisation cannot learn from; a GPU with too little memory.
    """
    try:
        return train_together(network, [data], [training], device, progress, start)[0]
    except torch.OutOfMemoryError:
        raise out_of_memory_error() from None


def train_together(
    network: str,
    sets: Sequence[TrainingSet],
    trainings: Sequence[Training],
    device: str = "cpu",
    progress: Progress | None = None,
    start: bytes | None = None,
) -> list[TrainedNetwork]:
    """Train many networks of one kind side by side in one pass, each over its own images; each is as `train` makes it, but for rounding.

    Args:
        network: name in NETWORKS.
        sets: the training side of each.
        trainings: settings of each; they may differ in the seed only.
        device: "cpu", or "cuda" for a GPU; the networks come back on the CPU.
        progress: called after each epoch, where there is only one.
        start: numbers to start all of them from (`start.Start.tensors`); None starts each from random ones.

    Raises:
        LearnetError: as `train`.
        torch.OutOfMemoryError: they do not fit on the device together.
    """
    if few := [len(data.labels) for data in sets if len(data.labels) < 2]:
        raise LearnetError(f"{few[0]} training images are too few.", "At least 2 are needed.")
    given = list(zip(sets, trainings, strict=True))
    images = [data.stored.for_training(own) for data, own in given]
    learned = [data.examples(part) for data, part in zip(sets, images, strict=True)]
    modules = [_new(network, data, own, start) for data, own in given]
    if network_info(network).non_iterative:
        for module, data in zip(modules, learned, strict=True):
            module.fit(as_input(data.images.pixels), torch.from_numpy(data.labels))
        return [TrainedNetwork(module.eval(), 0, ()) for module in modules]
    epochs = [own.epochs for own in trainings]
    for place, (clips, own) in enumerate(given):
        if own.inner_groups:
            epochs[place] = _best_epochs(network, clips, images[place], own, device, start)
    for module in modules:
        module.to(device)
    if len(modules) > 1:
        losses = fit_ensemble(modules, learned, trainings, epochs)
    else:
        losses = [
            fit(
                modules[0],
                learned[0],
                trainings[0],
                epochs[0],
                progress and (lambda done: progress(done, epochs[0])),
            )
        ]
    for module, data, own in zip(modules, learned, trainings, strict=True):
        if start and own.keep_start:
            interpolate_weights(module, start, own.keep_start)
        recompute_batch_norm(module, data, own)
    return [
        TrainedNetwork(module.eval().cpu(), *made)
        for module, made in zip(modules, zip(epochs, losses, strict=True), strict=True)
    ]


def _new(
    network: str, data: TrainingSet, training: Training, start: bytes | None
) -> Any:  # nn.Module, or one that has `fit`
    """A network before it has learned from DATA."""
    module = pick(NETWORKS, network, "network")(data.classes, data.images.shape[1], seed=training.seed)
    if start:
        put(start, module)
    return module


def train_leaky(
    network: str,
    data: TrainingSet,
    tested: TrainingSet,
    training: Training,
    device: str = "cpu",
    start: bytes | None = None,
) -> TrainedNetwork:
    """Train as many published tables were made: of all epochs, keep the one with the most right answers to the TESTED images.

    It is here only to measure how much this flatters (protocol `leaky-epoch`). The earliest of equally good epochs is kept. A network
    that is fitted in one go has no epochs to choose from.
    """
    module = _new(network, data, training, start)
    if network_info(network).non_iterative:
        return train(network, data, training)
    learned = data.examples(data.stored.for_training(training))
    images = tested.stored.for_evaluation(training.detrend_percentile)
    module.to(device)
    best: tuple[int, int, dict[str, torch.Tensor]] = (-1, 0, {})

    def note(done: int) -> None:
        nonlocal best
        recompute_batch_norm(module, learned, training)
        answers = evaluation_scores(module.eval(), images, training.mirror_when_tested).argmax(axis=1)
        if (right := int((answers == tested.labels).sum())) > best[0]:
            best = right, done, {name: value.clone() for name, value in module.state_dict().items()}

    losses = fit(module, learned, training, training.epochs, note)
    module.load_state_dict(best[2])
    return TrainedNetwork(module.eval().cpu(), best[1], losses)


def resolve_training(training: Training, images: ImageSource, network: str) -> Training:
    """The settings as they are for these images, once it is known that they go together.

    Raises:
        LearnetError: phases are to be learned from, and a folder keeps none; or as `resolve_mirror`.
    """
    if training.phases and not images.phases:
        lacking = ", ".join(str(folder) for folder in images.folders if not load_prepared(folder).phases)
        raise LearnetError(
            f"--phases needs images of phases, and there are none in {lacking}.",
            "Prepare with --phases, or leave it out.",
        )
    return resolve_mirror(training, images.about["images_kind"], network)


def resolve_mirror(training: Training, images_kind: str, network: str) -> Training:
    """Put a definite answer in the place of `mirror="auto"`, and refuse images that the network cannot read.

    Args:
        training: settings.
        images_kind: "image" (a flipped face gives the flipped image: dynamic images), "flow" (its first channel changes
            sign as well), "histograms" or "unknown", for which nothing is mirrored.
        network: name in NETWORKS. One that is fitted in one go sees no mirrored images in training, so none at test.

    Raises:
        LearnetError: `level` where the images are no flow; a network of histograms on other images; or one that is trained, so that
            looks for what lies side by side, on histograms.
    """
    pick(NETWORKS, network, "network")
    info = network_info(network)
    if training.level and images_kind != "flow":
        raise LearnetError("--level is for flow images, and these are none.", "Leave it out.")
    if info.only_histograms and images_kind not in info.images_kinds:
        raise LearnetError(
            f"{network} reads histograms, and these motion images are not histograms.",
            f"Prepare the clips with --motion {network}.",
        )
    if images_kind == "histograms" and images_kind not in info.images_kinds:
        what = f"These images are histograms drawn as pictures, in which {network} would look for a face."
        raise LearnetError(
            what, "Choose --network lbp-top or linear-svm, or prepare the clips with another --motion."
        )
    if info.non_iterative:
        return replace(training, mirror="none")
    known: dict[str, Literal["image", "flow"]] = {"image": "image", "flow": "flow"}
    return replace(training, mirror=known.get(images_kind, "none")) if training.mirror == "auto" else training


def interpolate_weights(module: nn.Module, start: bytes, share: float) -> None:
    """Move every weight this share of its way back to where it started. A class layer that started from random numbers stays.

    Source: Wortsman et al., Robust fine-tuning of zero-shot models, CVPR 2022 (weight-space ensembles).
    """
    begun = load(start)
    with torch.no_grad():
        for name, weight in module.named_parameters():
            if name in begun:
                weight.lerp_(begun[name].to(weight.device), share)


def recompute_batch_norm(module: nn.Module, data: TrainingExamples, training: Training) -> None:
    """Give batch normalisation the means and variances of the training images, as the finished weights see them.

    The authors' momentum takes in 1 % a step: after the hundred or so steps that sixty clips allow, a third of the running
    averages would still be the numbers they started from, and the network at test another than the one that was trained.
    """
    for layer in module.modules():
        if isinstance(layer, Dropout):
            layer.mask = layer.mask.new_empty(0)  # of the last batch, which had another size
    steps = -(-len(data.labels) // training.batch)
    parts = np.array_split(np.arange(len(data.labels)), steps)
    device = device_of(module)
    with torch.random.fork_rng(
        devices=[]
    ):  # dropout draws in training mode; nothing of it reaches the statistics
        update_bn((as_input(data.images.pixels[part]).to(device) for part in parts), module)


def _best_epochs(
    network: str,
    data: TrainingSet,
    images: TrainingImages,
    training: Training,
    device: str,
    start: bytes | None,
) -> int:
    """Return the number of epochs with the highest UF1 pooled over inner groups of the training people.

    The held-out images are as at test, also where training images are stretched at random.

    Args:
        network: name in NETWORKS.
        data: the training side.
        images: all of its clips as trained on.
        training: settings.
        device: "cpu" or "cuda".
        start: as of `train_together`.
    """
    names = [str(i) for i in range(data.classes)]
    truth = [names[label] for label in data.labels]
    answers = np.empty((training.epochs, len(truth)), dtype=int)
    for fold in subject_groups(data.people, truth, training.inner_groups, training.seed):
        inner = data.take(fold.train).examples(images.take(fold.train))
        held_out = data.stored.take(fold.test).for_evaluation(training.detrend_percentile)
        module = _new(network, data, training, start).to(device)

        def note(
            done: int,
            module: nn.Module = module,
            inner: TrainingExamples = inner,
            held_out: EvaluationImages = held_out,
            fold_test: tuple = fold.test,
        ) -> None:
            recompute_batch_norm(module, inner, training)
            scores = evaluation_scores(module.eval(), held_out, training.mirror_when_tested)
            answers[done - 1, list(fold_test)] = scores.argmax(axis=1)

        fit(module, inner, training, training.epochs, after_epoch=note)
    uf1 = [headline(confusion(truth, [names[a] for a in row], names))[1] for row in answers]
    return int(np.argmax(uf1)) + 1
