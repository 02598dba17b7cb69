"""Training of one network, or of many side by side, with a choice of the number of epochs."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import torch
from jaxtyping import Int64
from safetensors.torch import load
from torch import Tensor, nn
from torch.optim.swa_utils import update_bn

from learnet.core.automatic_settings import resolve_detrend
from learnet.core.errors import LearnetError, pick
from learnet.core.network_info import network_info
from learnet.core.seeds import purpose_seed
from learnet.core.settings import Training
from learnet.core.settings_checks import HISTOGRAM_SIZES
from learnet.datasets.prepared.store import ImageSource, load_prepared
from learnet.datasets.splits import subject_groups
from learnet.metrics.scores import confusion, headline
from learnet.motion.detrend import TrainingImages
from learnet.networks import NETWORKS, as_input, device_of
from learnet.networks.layers import Dropout
from learnet.training.augment import mirror
from learnet.training.checkpoint import load_tensors
from learnet.training.device import out_of_memory_error
from learnet.training.examples import ClipImages, TrainingExamples, TrainingSet
from learnet.training.loop import fit, fit_ensemble
from learnet.training.scorer import Scorer

Progress = Callable[[int, int], None]  # epochs done, number of epochs


@dataclass(frozen=True)
class TrainedNetwork:
    """A trained network and its training."""

    module: nn.Module  # in eval mode
    epochs: int  # passes over the data; 0 for a non-iterative network
    losses: tuple[float, ...]  # mean training loss of each epoch


def train(
    network: str,
    data: TrainingSet,
    training: Training,
    progress: Progress | None = None,
    initial_weights: bytes | None = None,
    device: str = "cpu",
) -> TrainedNetwork:
    """Train a network.

    With `inner_groups`, the number of epochs is that of the highest UF1, pooled over inner groups of the
    training people (the smallest of equals). The network is then trained again on all of them along the same
    schedule.

    Args:
        network: name in NETWORKS.
        data: training side only.
        training: settings without automatic values (`resolve_automatic`).
        progress: called after each epoch.
        initial_weights: see `train_together`.
        device: see `train_together`.

    Raises:
        LearnetError: fewer than two images, which batch normalisation cannot use; a GPU with too little
            memory.
    """
    try:
        return train_together(network, [data], [training], device, progress, initial_weights)[0]
    except torch.OutOfMemoryError:
        raise out_of_memory_error() from None


def train_together(
    network: str,
    sets: Sequence[TrainingSet],
    trainings: Sequence[Training],
    device: str = "cpu",
    progress: Progress | None = None,
    initial_weights: bytes | None = None,
) -> list[TrainedNetwork]:
    """Train many networks of one kind side by side, each on its own images.

    The results equal those of `train` except for rounding.

    Args:
        network: name in NETWORKS.
        sets: training side of each.
        trainings: settings of each; they may differ in the seed only.
        device: "cpu" or "cuda". The networks are returned on the CPU.
        progress: called after each epoch, if there is only one network.
        initial_weights: initial values for all of them (`InitialWeights.tensors`); None: random ones for
            each.

    Raises:
        LearnetError: see `train`.
        torch.OutOfMemoryError: the networks do not fit on the device together.
    """
    for data in sets:
        if len(data.labels) < 2:
            raise LearnetError(f"{len(data.labels)} training images are too few.", "At least 2 are needed.")
    runs = []
    for data, training in zip(sets, trainings, strict=True):
        images = data.stored.for_training(training)
        runs.append(_Run(network, data, images, training, device, initial_weights))
    examples = [run.data.examples(run.images, run.training) for run in runs]
    modules = [run.new_module() for run in runs]
    if network_info(network).non_iterative:
        fitted = []
        for module, own_examples, run in zip(modules, examples, runs, strict=True):
            fitted.append(_fit_non_iterative(module, own_examples, run))
        return fitted
    epochs = [_best_epochs(run) if run.training.inner_groups else run.training.epochs for run in runs]
    for module in modules:
        module.to(device)
    if len(modules) > 1:
        losses = fit_ensemble(modules, examples, trainings, epochs)
    else:
        after_epoch = progress and (lambda done: progress(done, epochs[0]))
        losses = [fit(modules[0], examples[0], trainings[0], epochs[0], after_epoch)]
    trained = []
    for index, run in enumerate(runs):
        module = modules[index]
        if initial_weights and run.training.interpolate_init:
            interpolate_weights(module, initial_weights, run.training.interpolate_init)
        recompute_batch_norm(module, examples[index], run.training)
        trained.append(TrainedNetwork(module.eval().cpu(), epochs[index], losses[index]))
    return trained


@dataclass(frozen=True)
class _Run:
    """One training: data, settings, and the values that the network starts from."""

    network: str
    data: TrainingSet
    images: TrainingImages  # of the clips, as trained on
    training: Training
    device: str
    initial_weights: bytes | None

    def new_module(self) -> Any:  # nn.Module, which may have `fit`
        """Return the untrained network, on the CPU."""
        make = pick(NETWORKS, self.network, "network")
        seed = purpose_seed(self.training.seed, "weights")
        module = make(self.data.classes, self.data.images.shape[1], seed=seed)
        if self.initial_weights:
            load_tensors(self.initial_weights, module)
        return module


def _fit_non_iterative(module: Any, data: TrainingExamples, run: _Run) -> TrainedNetwork:
    """Fit a network to the images and, unless mirror is none, to their mirror images too."""
    inputs = as_input(data.images.pixels)
    labels = torch.from_numpy(data.labels)
    if run.training.mirror in ("image", "flow"):
        inputs = torch.cat([inputs, mirror(inputs, run.training.mirror)])
        labels = labels.repeat(2)
    settings = {name: getattr(run.training, name) for name in network_info(run.network).fit_settings}
    module.fit(inputs, labels, **settings)
    return TrainedNetwork(module.eval(), 0, ())


def _best_epochs(run: _Run) -> int:
    """Return the number of epochs with the highest UF1 pooled over inner groups of the training people.

    The held-out images are as at test, also if training images are clipped at random percentiles.
    """
    training = run.training
    names = [str(label) for label in range(run.data.classes)]
    truth = [names[label] for label in run.data.labels]
    predictions = np.empty((training.epochs, len(truth)), dtype=int)
    seed = purpose_seed(training.seed, "inner groups")
    for fold in subject_groups(run.data.people, truth, training.inner_groups, seed):
        examples = run.data.take(fold.train).examples(run.images.take(fold.train), training)
        held_out = run.data.take(fold.test).for_test(training.phases_at_test)
        held_out = held_out.detrended(training.detrend_percentile)
        predictions[:, list(fold.test)] = _predictions_by_epoch(run, examples, held_out)
    uf1 = []
    for row in predictions:
        predicted = [names[label] for label in row]
        uf1.append(headline(confusion(truth, predicted, names))[1])
    return int(np.argmax(uf1)) + 1


def _predictions_by_epoch(
    run: _Run, examples: TrainingExamples, held_out: ClipImages
) -> Int64[np.ndarray, "E N"]:
    """Train on the examples and predict the classes of the held-out images after each epoch."""
    module = run.new_module().to(run.device)
    predictions: list[np.ndarray] = []

    def predict(epochs_done: int) -> None:
        recompute_batch_norm(module, examples, run.training)
        predictions.append(_predict(module, held_out, run.training))

    fit(module, examples, run.training, run.training.epochs, after_epoch=predict)
    return np.stack(predictions)


def _predict(module: nn.Module, images: ClipImages, training: Training) -> Int64[np.ndarray, "N"]:
    scorer = Scorer.from_module(module.eval(), training.mirror_when_tested, views=training.views_at_test)
    scores = images.scores(scorer)
    return scores.argmax(axis=1)


def train_leaky(
    network: str,
    data: TrainingSet,
    test_data: TrainingSet,
    training: Training,
    device: str = "cpu",
    initial_weights: bytes | None = None,
) -> TrainedNetwork:
    """Train and keep the epoch with the most correct predictions on the test images.

    Many published results were obtained in this way. It exists only to measure how much this inflates results
    (protocol `leaky-epoch`). The smallest of equally good epochs is kept. A non-iterative network has no
    epochs to choose from.
    """
    images = data.stored.for_training(training)
    run = _Run(network, data, images, training, device, initial_weights)
    module = run.new_module()
    if network_info(network).non_iterative:
        return train(network, data, training)
    examples = data.examples(images, training)
    test_images = test_data.for_test(training.phases_at_test).detrended(training.detrend_percentile)
    module.to(device)
    best_correct = -1
    best_epoch = 0
    best_state: dict[str, Tensor] = {}

    def keep_best(epochs_done: int) -> None:
        nonlocal best_correct, best_epoch, best_state
        recompute_batch_norm(module, examples, training)
        predictions = _predict(module, test_images, training)
        correct = int((predictions == test_data.labels).sum())
        if correct > best_correct:
            best_correct, best_epoch = correct, epochs_done
            best_state = {name: value.clone() for name, value in module.state_dict().items()}

    losses = fit(module, examples, training, training.epochs, keep_best)
    module.load_state_dict(best_state)
    return TrainedNetwork(module.eval().cpu(), best_epoch, losses)


def resolve_training(training: Training, images: ImageSource, network: str) -> Training:
    """Return the settings for these images, after a check that they fit.

    Raises:
        LearnetError: training on phases, and a folder without them; or see `resolve_automatic`.
    """
    if training.phases and not images.phases:
        lacking = ", ".join(str(folder) for folder in images.folders if not load_prepared(folder).phases)
        raise LearnetError(
            f"phases needs images of phases, and there are none in {lacking}.",
            "Prepare the clips with phases (--phases or --parts), or leave it out.",
        )
    preparation = images.record.preparation
    if preparation:
        check_histograms_read(network, preparation.motion)
    return resolve_automatic(training, images.record.images_kind, network)


def check_histograms_read(network: str, motion: str) -> None:
    """Refuse histograms that the network does not read: each reads the cells of its own motion image.

    Raises:
        LearnetError: the motion image is of other histograms.
    """
    if network_info(network).only_histograms and motion in HISTOGRAM_SIZES and motion != network:
        raise LearnetError(
            f"{network} reads the histograms of {network}, and these are of {motion}.",
            f"Choose the network {motion} or linear-svm (--network), or prepare the clips as {network} "
            f"(--motion {network}).",
        )


def resolve_automatic(training: Training, images_kind: str, network: str) -> Training:
    """Replace automatic settings by those for these images; refuse images that do not fit the network.

    They are `mirror="auto"`, and `detrend` and `clipping_percentile` where they are None.

    Args:
        training: settings.
        images_kind: "image" (the image of a mirrored face is the mirrored image: dynamic images), "flow" (its
            first channel changes sign as well), "histograms" or "unknown", which are not mirrored.
        network: name in NETWORKS. Histograms are not mirrored for any, and nothing is for one that ignores
            the image.

    Raises:
        LearnetError: detrending of images other than flow; mirroring of histograms; a network of histograms
            with other images; or a network of images with histograms.
    """
    pick(NETWORKS, network, "network")
    info = network_info(network)
    training = resolve_detrend(training, images_kind)
    if info.only_histograms and images_kind not in info.images_kinds:
        raise LearnetError(
            f"{network} accepts histograms, and these motion images are not histograms.",
            f"Prepare the clips as {network} (--motion {network}).",
        )
    if images_kind == "histograms" and images_kind not in info.images_kinds:
        raise LearnetError(
            f"These images are histograms drawn as images, and {network} expects images of a face.",
            "Choose the network that has the name of the motion image, or linear-svm (--network), or another "
            "motion image (--motion).",
        )
    if images_kind == "histograms" and training.mirror in ("image", "flow"):
        what = f"mirror {training.mirror}: these images are histograms, which have no mirror image."
        raise LearnetError(what, "Leave it out.")
    if images_kind == "histograms" or not info.uses_image:
        return replace(training, mirror="none")
    if training.mirror != "auto":
        return training
    mirrors: dict[str, Literal["image", "flow"]] = {"image": "image", "flow": "flow"}
    return replace(training, mirror=mirrors.get(images_kind, "none"))


def interpolate_weights(module: nn.Module, initial_weights: bytes, share: float) -> None:
    """Interpolate linearly between trained and initial weights (WiSE-FT, weight-space ensembling).

    Weights without an initial value, such as a new class layer, keep their trained values.

    Args:
        module: trained network, changed in place.
        initial_weights: `InitialWeights.tensors`.
        share: of the initial weights, 0..1.

    References:
        Wortsman et al., Robust fine-tuning of zero-shot models, CVPR 2022.
    """
    initial = load(initial_weights)
    with torch.no_grad():
        for name, weight in module.named_parameters():
            if name in initial:
                weight.lerp_(initial[name].to(weight.device), share)


def recompute_batch_norm(module: nn.Module, data: TrainingExamples, training: Training) -> None:
    """Recompute the running statistics of batch normalisation on the training images.

    The authors' momentum moves them by 1 % a step. After the hundred or so steps that sixty clips allow, a
    third of a running average would still be its initial value, and the network at test would not be the one
    that was trained.
    """
    for layer in module.modules():
        if isinstance(layer, Dropout):
            layer.mask = layer.mask.new_empty(0)  # the last batch had another size
    count = len(data.labels)
    batches = np.array_split(np.arange(count), -(-count // training.batch_size))
    device = device_of(module)
    with torch.random.fork_rng(
        devices=[]
    ):  # dropout draws in training mode, without an effect on the statistics
        inputs = (as_input(data.images.pixels[batch]).to(device) for batch in batches)
        update_bn(inputs, module)
