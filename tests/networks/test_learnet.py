"""LEARNet against an implementation in numpy, Keras, and the counts and sizes printed by the authors."""

from pathlib import Path
from typing import get_args

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from learnet.core.errors import LearnetError
from learnet.networks import for_inference
from learnet.networks.learnet import LEARNet, Variant
from learnet.networks.learnet_fused import FusedLEARNet
from learnet.networks.learnet_keras import from_keras, to_keras

REFERENCE = Path(__file__).parent / "reference" / "learnet_keras.npz"


def drawn(name: str, shape: tuple[int, ...], generator: np.random.Generator) -> np.ndarray:
    """As in reference/learnet_keras.py: weights that keep the scale of the signal, non-trivial norms."""
    values = generator.standard_normal(shape)
    if name.endswith("kernel"):
        values = values * (2 / np.prod(shape[:-1])) ** 0.5
    elif name.endswith(("gamma", "moving_variance")):
        values = 1 + 0.2 * np.tanh(values)
    else:
        values = 0.1 * values
    return values.astype(np.float32)


def with_drawn_weights(
    size: int, variant: str = "released", seed: int = 0
) -> tuple[LEARNet, dict[str, np.ndarray], np.random.Generator]:
    net, generator = LEARNet(5, size, variant).eval(), np.random.default_rng(seed)
    shapes = {name: array.shape for name, array in to_keras(net).items()}
    weights = {name: drawn(name, shapes[name], generator) for name in sorted(shapes)}
    from_keras(net, weights)
    return net, weights, generator


class NumpyLEARNet:
    """The authors' Keras file in numpy: maps are (rows, columns, channels), 64 bits, padded by hand."""

    def __init__(self, weights: dict[str, np.ndarray]) -> None:
        self.weights = {name: array.astype(np.float64) for name, array in weights.items()}

    def conv(self, name: str, image: np.ndarray) -> np.ndarray:
        kernel, bias = self.weights[f"{name}/kernel"], self.weights[f"{name}/bias"]
        rows, columns, side = (image.shape[0] + 1) // 2, (image.shape[1] + 1) // 2, kernel.shape[0]
        padded = np.zeros((2 * rows + side, 2 * columns + side, image.shape[2]))
        # TensorFlow: total = (out - 1) * 2 + kernel - in zeros, the smaller half before
        top, left = (
            max((out - 1) * 2 + side - length, 0) // 2
            for out, length in zip((rows, columns), image.shape[:2], strict=True)
        )
        padded[top : top + image.shape[0], left : left + image.shape[1]] = image
        maps = np.empty((rows, columns, kernel.shape[3]))
        for y in range(rows):
            for x in range(columns):
                patch = padded[2 * y : 2 * y + side, 2 * x : 2 * x + side]
                maps[y, x] = np.einsum("hwc,hwcf->f", patch, kernel) + bias
        return np.maximum(maps, 0)

    def norm(self, number: int, maps: np.ndarray) -> np.ndarray:
        name = "batch_normalization" + (f"_{number}" if number else "")
        if f"{name}/gamma" not in self.weights:  # the variant `paper` has only number 4
            return maps
        gamma, beta, mean, variance = (
            self.weights[f"{name}/{part}"] for part in ("gamma", "beta", "moving_mean", "moving_variance")
        )
        return gamma * (maps - mean) / np.sqrt(variance + 1e-3) + beta

    def __call__(self, image: np.ndarray) -> dict[str, np.ndarray]:
        s = self.conv("Conv_S", image)
        c11, c21, c31, c41 = (self.conv(f"Conv_{k}_1", s) for k in (1, 2, 3, 4))
        c12, c32 = self.conv("Conv_1_2", c11), self.conv("Conv_3_2", c31)
        c22 = self.conv("Conv_2_2", self.norm(0, c11 + c21))
        c42 = self.conv("Conv_4_2", self.norm(2, c31 + c41))
        last = [
            self.conv("Conv_1_3", c12),
            self.conv("Conv_x_2", self.norm(1, c12 + c22)),
            self.conv("Conv_3_3", c32),
            self.conv("Conv_x_4", self.norm(3, c32 + c42)),
        ]
        concat = np.concatenate(last, axis=2)
        maps = self.conv("Conv_5_1", self.norm(4, concat))
        dense = np.maximum(maps.reshape(-1) @ self.weights["dense/kernel"] + self.weights["dense/bias"], 0)
        logits = dense @ self.weights["dense_1/kernel"] + self.weights["dense_1/bias"]
        return {
            "stem": s,
            "one.plain_2": c12,
            "one.accreting_2": c22,
            "two.accretion_2": c32 + c42,
            "two.norm_1": self.norm(2, c31 + c41),
            "concat": concat,
            "conv5": maps,
            "dense": dense,
            "logits": logits,
        }


@pytest.mark.parametrize("variant", ["released", "paper"])
@pytest.mark.parametrize("size", [112, 45, 28])
def test_every_stage_equals_the_numpy_implementation(size: int, variant: str) -> None:
    net, weights, generator = with_drawn_weights(size, variant)
    images = generator.uniform(-1, 1, (2, size, size, 3)).astype(np.float32)
    with torch.inference_mode():
        stages = net.stages(torch.from_numpy(images).permute(0, 3, 1, 2))
    for index, image in enumerate(images):
        for name, expected in NumpyLEARNet(weights)(image).items():
            found = stages[name][index].numpy()
            found = found.transpose(1, 2, 0) if found.ndim == 3 else found
            np.testing.assert_allclose(found, expected, atol=1e-4, err_msg=name)
            assert expected.std() > 0.01, f"{name} is constant, so the comparison shows nothing"


@pytest.mark.parametrize("variant", get_args(Variant))
@pytest.mark.parametrize("size", [112, 47, 46, 45, 28])
def test_leaving_out_the_unread_pixels_of_the_stem_changes_nothing(size: int, variant: Variant) -> None:
    """Outputs, batch statistics and gradients are those of the network that computes every stage."""
    generator = torch.Generator().manual_seed(size)
    images = torch.rand((3, 3, size, size), generator=generator, dtype=torch.float64) * 2 - 1

    def all_stages(net: LEARNet, images: torch.Tensor) -> torch.Tensor:
        return net.stages(images)["logits"]

    results = []
    for logits in (LEARNet.__call__, all_stages):
        net = LEARNet(3, size, variant, seed=1).double().train()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)  # dropout
            F.cross_entropy(logits(net, images), torch.tensor([0, 1, 2])).backward()
        result = {name: values.grad for name, values in net.named_parameters()}
        result |= dict(net.named_buffers())
        result["logits"] = logits(net.eval(), images)
        results.append(result)
    for name, values in results[0].items():
        torch.testing.assert_close(values, results[1][name], rtol=1e-9, atol=1e-12, msg=name)
    assert results[0]["stem.weight"].abs().max() > 1e-4
    assert results[0]["logits"].std() > 1e-3


@pytest.mark.parametrize("variant", ["released", "paper"])
@pytest.mark.parametrize("size", [112, 45, 28])
def test_the_fused_form_equals_the_plain_one(size: int, variant: str) -> None:
    """With non-trivial normalisations. It keeps its weights when those of the plain form change."""
    net, _, generator = with_drawn_weights(size, variant)
    images = torch.from_numpy(generator.uniform(-1, 1, (3, 3, size, size)).astype(np.float32))
    with torch.inference_mode():
        expected = net.stages(images)["logits"]
        fused = for_inference(net)
        assert type(fused) is FusedLEARNet
        np.testing.assert_allclose(fused(images), expected, atol=1e-5)
        np.testing.assert_allclose(fused(images[:1]), expected[:1], atol=1e-5)
        for weight in net.parameters():
            weight.zero_()
        np.testing.assert_allclose(fused(images), expected, atol=1e-5)
        assert float(expected.std()) > 0.1
    assert for_inference(fused) is fused


@pytest.mark.parametrize("size", [112, 45])
def test_released_equals_keras(size: int) -> None:
    reference = np.load(REFERENCE)
    net, weights, generator = with_drawn_weights(size, seed=size)
    assert sorted(weights) == list(reference["names"])
    images = generator.uniform(-1, 1, (3, size, size, 3)).astype(np.float32)
    with torch.inference_mode():
        stages = net.stages(torch.from_numpy(images).permute(0, 3, 1, 2))
    np.testing.assert_allclose(
        stages["logits"].softmax(1).numpy(), reference[f"probabilities_{size}"], atol=1e-5
    )
    np.testing.assert_allclose(
        stages["conv5"][0].permute(1, 2, 0).numpy(), reference[f"conv5_{size}"], atol=1e-4
    )


def test_numbers_of_parameters_are_those_of_the_authors() -> None:
    def trainable(net: LEARNet) -> int:
        return sum(parameter.numel() for parameter in net.parameters())

    numbers = [trainable(LEARNet(classes)) for classes in (2, 3, 5, 8)]
    assert numbers == [1_865_282, 1_865_539, 1_866_053, 1_866_824]
    statistics = [buffer.numel() for name, buffer in LEARNet(5).named_buffers() if "running" in name]
    assert sum(statistics) == 704
    totals = [sum(array.size for array in to_keras(LEARNet(classes)).values()) for classes in (5, 8)]
    assert totals == np.load(REFERENCE)["parameters"].tolist()


def test_paper_has_the_parameters_of_its_table_except_for_the_dense_layer() -> None:
    printed = {
        "stem": 432 + 16,
        "level 1": 4 * (256 + 16),
        "level 2": 4 * (4608 + 32),
        "level 3": 4 * (51200 + 64),
        "norm": 256 + 256,
        "conv5": 589824 + 256,
        "dense": 4 * 4 * 256 * 256 + 256,
    }
    net = LEARNet(7, variant="paper")
    found = dict.fromkeys(printed, 0)
    for name, parameter in net.named_parameters():
        part = name.split(".")[0]
        part = f"level {int(name.split('.')[2]) + 1}" if part in ("one", "two") else part
        if part != "classify":
            found[part] += parameter.numel()
    assert found == printed
    assert sum(printed.values()) == 1_864_576


def test_sizes_halve_from_stage_to_stage() -> None:
    net = LEARNet(5).eval()
    stages = net.stages(torch.zeros(1, 3, 112, 112))
    expected = {
        "stem": (16, 56, 56),
        "one.plain_1": (16, 28, 28),
        "two.accretion_1": (16, 28, 28),
        "one.norm_1": (16, 28, 28),
        "two.plain_2": (32, 14, 14),
        "one.accreting_2": (32, 14, 14),
        "one.accretion_2": (32, 14, 14),
        "one.plain_3": (64, 7, 7),
        "two.accreting_3": (64, 7, 7),
        "concat": (256, 7, 7),
        "norm": (256, 7, 7),
        "conv5": (256, 4, 4),
        "dense": (256,),
        "logits": (5,),
    }
    assert {name: tuple(stages[name].shape[1:]) for name in expected} == expected
    assert LEARNet(5, 28).dense.in_features == 256  # 28 -> 14, 7, 4, 2, 1
    assert LEARNet(5, 45).dense.in_features == 4 * 256


def test_initial_weights_are_glorot_uniform_and_bias_zero() -> None:
    state = LEARNet(5, seed=1).state_dict()
    limits = {
        "stem": (3 * 9, 16 * 9),
        "one.accreting.2": (32 * 25, 64 * 25),
        "dense": (4096, 256),
        "classify": (256, 5),
    }  # fan in, out
    for name, (fan_in, fan_out) in limits.items():
        weight, limit = state[f"{name}.weight"], (6 / (fan_in + fan_out)) ** 0.5
        assert 0.97 * limit < weight.abs().max() <= limit
        assert weight.std() == pytest.approx(limit / 3**0.5, rel=0.1)
        assert not state[f"{name}.bias"].any()


def test_normalisation_has_the_constants_of_keras() -> None:
    norms = [layer for layer in LEARNet(5).modules() if isinstance(layer, torch.nn.BatchNorm2d)]
    assert [layer.num_features for layer in norms] == [16, 32, 16, 32, 256]
    assert all((layer.eps, layer.momentum) == (1e-3, 0.01) for layer in norms)
    paper = LEARNet(5, variant="paper")
    assert sum(isinstance(layer, torch.nn.BatchNorm2d) for layer in paper.modules()) == 1


def test_dropout_of_half_the_dense_layer_in_training_only() -> None:
    images = torch.rand(4, 3, 28, 28)
    for variant, differs in (("released", True), ("paper", False)):
        net = LEARNet(5, 28, variant)
        assert torch.equal(net.train()(images), net(images)) is not differs
        assert torch.equal(net.eval()(images), net(images))
    assert LEARNet(5).dropout.rate == 0.5


def test_training_reduces_the_loss() -> None:
    """Every weight receives a gradient, and the loss of one batch falls."""
    net = LEARNet(3, 28).train()
    images = torch.rand(9, 3, 28, 28, generator=torch.Generator().manual_seed(0))
    labels = torch.arange(9) % 3
    optimiser = torch.optim.AdamW(net.parameters(), 1e-3)
    losses = []
    with torch.random.fork_rng():
        torch.manual_seed(0)
        for _ in range(15):
            optimiser.zero_grad()
            loss = F.cross_entropy(net(images), labels)
            loss.backward()
            assert all(bool(parameter.grad.abs().sum() > 0) for parameter in net.parameters())
            optimiser.step()
            losses.append(loss.item())
    assert losses[-1] < losses[0] / 2


@pytest.mark.parametrize("variant", ["released", "paper"])
@pytest.mark.parametrize("size", [112, 45])
def test_weights_are_unchanged_by_keras_and_back(size: int, variant: str) -> None:
    net, weights, _ = with_drawn_weights(size, variant)
    again = to_keras(net)
    assert again.keys() == weights.keys()
    for name, array in weights.items():
        np.testing.assert_array_equal(again[name], array)
        assert again[name].dtype == np.float32
    assert again["Conv_S/kernel"].shape == (3, 3, 3, 16)
    again["Conv_S/kernel"][:] = 0  # a copy: the network does not change with it
    np.testing.assert_array_equal(to_keras(net)["Conv_S/kernel"], weights["Conv_S/kernel"])


def test_keras_weights_that_do_not_fit_are_refused_and_change_nothing() -> None:
    net = LEARNet(5)
    before = to_keras(net)
    good = {name: array + 1 for name, array in before.items()}
    incomplete = {name: array for name, array in good.items() if name != "Conv_x_2/bias"}
    for wrong, message in (
        (incomplete, "missing: Conv_x_2/bias"),
        ({**good, "Conv_2_3/bias": good["Conv_x_2/bias"]}, "unknown: Conv_2_3/bias"),
        ({**good, "dense_1/kernel": np.zeros((256, 8))}, r"dense_1/kernel is \(256, 8\), not \(256, 5\)"),
    ):
        with pytest.raises(LearnetError, match=message):
            from_keras(net, wrong)
        assert all(np.array_equal(array, before[name]) for name, array in to_keras(net).items())
