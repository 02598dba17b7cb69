"""Exchange the weights of LEARNet with the authors' Keras file."""

from collections.abc import Mapping

import numpy as np
import torch

from learnet.core.errors import LearnetError
from learnet.networks.learnet import LEARNet

KERAS_LAYERS = {
    "Conv_S": "stem",
    "Conv_1_1": "one.plain.0",
    "Conv_1_2": "one.plain.1",
    "Conv_1_3": "one.plain.2",
    "Conv_2_1": "one.accreting.0",
    "Conv_2_2": "one.accreting.1",
    "Conv_x_2": "one.accreting.2",
    "Conv_3_1": "two.plain.0",
    "Conv_3_2": "two.plain.1",
    "Conv_3_3": "two.plain.2",
    "Conv_4_1": "two.accreting.0",
    "Conv_4_2": "two.accreting.1",
    "Conv_x_4": "two.accreting.2",
    "Conv_5_1": "conv5",
    "batch_normalization": "one.norm.0",
    "batch_normalization_1": "one.norm.1",
    "batch_normalization_2": "two.norm.0",
    "batch_normalization_3": "two.norm.1",
    "batch_normalization_4": "norm",
    "dense": "dense",
    "dense_1": "classify",
}
"""The layer names of the authors and of `LEARNet`.

Normalisations and dense layers have no name in the authors' file. These are the names that Keras 3 (and
tf.keras) gives to the first model of a process, in the order in which the file creates the layers: column
by column, not level by level.
"""

LAYER_WEIGHTS = {"weight": "kernel", "bias": "bias"}
NORM_WEIGHTS = {
    "weight": "gamma",
    "bias": "beta",
    "running_mean": "moving_mean",
    "running_var": "moving_variance",
}


def to_keras(net: LEARNet) -> dict[str, np.ndarray]:
    """Return the weights under the authors' Keras names, such as `Conv_1_1/kernel` or `dense/bias`.

    Convolution kernels are (height, width, in, out), dense ones (in, out), all float32. Keras flattens maps
    as (H, W, C), PyTorch as (C, H, W); the rows of `dense/kernel` are in Keras's order. The variant `paper`
    has only the last of the five normalisations, which keeps its name.

    Raises:
        LearnetError: the variant is `literal`, whose FC layer is none of the authors' layers.
    """
    if net.variant == "literal":
        raise LearnetError(
            "learnet-literal has a layer that is not in the authors' Keras file.", "Use learnet-paper."
        )
    state = net.state_dict()
    weights = {}
    for name, key in _keras_names(net).items():
        weights[name] = _to_keras_layout(name, state[key].detach().cpu().numpy())
    return weights


def from_keras(net: LEARNet, weights: Mapping[str, np.ndarray]) -> None:
    """Copy weights that are named and laid out as `to_keras` returns them into the network.

    Raises:
        LearnetError: a weight is missing, has an unknown name, or another shape. The network is then
            unchanged.
    """
    _check_names_and_shapes(weights, to_keras(net))
    state = net.state_dict()
    for name, key in _keras_names(net).items():
        array = np.asarray(weights[name], dtype=np.float32)
        state[key].copy_(torch.from_numpy(_from_keras_layout(name, array)))


def _check_names_and_shapes(weights: Mapping[str, np.ndarray], expected: Mapping[str, np.ndarray]) -> None:
    problems = {"missing": expected.keys() - weights.keys(), "unknown": weights.keys() - expected.keys()}
    for problem, names in problems.items():
        if names:
            raise LearnetError(
                f"Keras weights {problem}: {', '.join(sorted(names))}.",
                "Names are listed in learnet.networks.learnet_keras.",
            )
    for name, array in expected.items():
        shape = np.shape(weights[name])
        if shape != array.shape:
            raise LearnetError(
                f"Keras weight {name} is {shape}, not {array.shape}.", "Are size and classes the same?"
            )


def _keras_names(net: LEARNet) -> dict[str, str]:
    """Return the Keras name of each weight, and its key in the state dict."""
    state = net.state_dict()
    names = {}
    for keras_layer, layer in KERAS_LAYERS.items():
        is_norm = keras_layer.startswith("batch_normalization")
        for weight, keras_weight in (NORM_WEIGHTS if is_norm else LAYER_WEIGHTS).items():
            key = f"{layer}.{weight}"
            if key in state:
                names[f"{keras_layer}/{keras_weight}"] = key
    return names


def _to_keras_layout(name: str, array: np.ndarray) -> np.ndarray:
    if name == "dense/kernel":  # (256, C * H * W) -> (H * W * C, 256)
        side = round((array.shape[1] / 256) ** 0.5)
        array = array.reshape(256, 256, side, side).transpose(2, 3, 1, 0).reshape(-1, 256)
    elif array.ndim == 4:
        array = array.transpose(2, 3, 1, 0)
    elif array.ndim == 2:
        array = array.T
    return np.array(array)


def _from_keras_layout(name: str, array: np.ndarray) -> np.ndarray:
    if name == "dense/kernel":  # (H * W * C, 256) -> (256, C * H * W)
        side = round((array.shape[0] / 256) ** 0.5)
        array = array.reshape(side, side, 256, 256).transpose(3, 2, 0, 1).reshape(256, -1)
    elif array.ndim == 4:
        array = array.transpose(3, 2, 0, 1)
    elif array.ndim == 2:
        array = array.T
    return np.array(array, order="C")  # a copy, because the argument may be read-only
