"""Write learnet_keras.npz: the outputs of Keras for the LEARNet of the authors' file.

Needs Keras 3 and a backend: `pip install keras jax`, then `KERAS_BACKEND=jax python learnet_keras.py`. The
graph follows the layer table, because reference values must not come from learnet. Weights and images are
from seeded numpy.
"""

from pathlib import Path

import keras
import numpy as np
from keras import layers


def conv(filters: int, kernel: int, name: str) -> layers.Conv2D:
    return layers.Conv2D(filters, kernel, strides=2, padding="same", activation="relu", name=name)


def plain_and_accreting(stem: object, plain: str, accreting: str, last: tuple[str, str]) -> list:
    p1 = conv(16, 1, f"Conv_{plain}_1")(stem)
    p2 = conv(32, 3, f"Conv_{plain}_2")(p1)
    p3 = conv(64, 5, last[0])(p2)
    a1 = conv(16, 1, f"Conv_{accreting}_1")(stem)
    a2 = conv(32, 3, f"Conv_{accreting}_2")(layers.BatchNormalization()(layers.add([p1, a1])))
    a3 = conv(64, 5, last[1])(layers.BatchNormalization()(layers.add([p2, a2])))
    return [p3, a3]


def build(size: int, classes: int) -> keras.Model:
    keras.backend.clear_session()  # restarts the automatic names
    image = keras.Input((size, size, 3))
    stem = conv(16, 3, "Conv_S")(image)
    first = plain_and_accreting(stem, "1", "2", ("Conv_1_3", "Conv_x_2"))
    second = plain_and_accreting(stem, "3", "4", ("Conv_3_3", "Conv_x_4"))
    maps = conv(256, 3, "Conv_5_1")(layers.BatchNormalization()(layers.concatenate(first + second)))
    dense = layers.Dense(256, activation="relu")(layers.Flatten()(maps))
    return keras.Model(image, [layers.Dense(classes, activation="softmax")(layers.Dropout(0.5)(dense)), maps])


def drawn(name: str, shape: tuple[int, ...], generator: np.random.Generator) -> np.ndarray:
    """Draw a weight: kernels that keep the scale of the signal, non-trivial biases and normalisations."""
    values = generator.standard_normal(shape)
    if name.endswith("kernel"):
        values = values * (2 / np.prod(shape[:-1])) ** 0.5
    elif name.endswith(("gamma", "moving_variance")):
        values = 1 + 0.2 * np.tanh(values)
    else:
        values = 0.1 * values
    return values.astype(np.float32)


def outputs(size: int) -> tuple[np.ndarray, np.ndarray, list[str]]:
    model, generator = build(size, 5), np.random.default_rng(size)
    variables = {variable.path: variable for variable in model.weights}
    for name in sorted(variables):
        variables[name].assign(drawn(name, tuple(variables[name].shape), generator))
    images = generator.uniform(-1, 1, (3, size, size, 3)).astype(np.float32)
    probabilities, maps = model.predict(images, verbose=0)
    return probabilities, maps[0], sorted(variables)


if __name__ == "__main__":
    found = {}
    for size in (112, 45):
        found[f"probabilities_{size}"], found[f"conv5_{size}"], names = outputs(size)
    counts = build(112, 5).count_params(), build(112, 8).count_params()
    here = Path(__file__).with_suffix(".npz")
    np.savez_compressed(
        here,
        **found,
        names=names,
        parameters=counts,
        versions=f"keras {keras.__version__}, {keras.backend.backend()}",
    )
