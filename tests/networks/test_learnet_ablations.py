"""LEARNet with one change at a time: only the parameters of the change and the stages after it differ."""

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from learnet.networks import NETWORKS, for_inference
from learnet.networks.layers import Dropout, LocalResponseNorm
from learnet.networks.learnet import LEARNet

CHANGES = ("no-accretion", "no-cross", "plain", "one-stream", "lrn", "gap")
PAIRS = ("one", "two")
SIZE = 45  # odd at every step: 23, 12, 6, 3, 2


def drawn(change: str, size: int = SIZE, classes: int = 3) -> LEARNet:
    """Draw weights by name, so that two variants have the same weights where name and shape are the same."""
    net = NETWORKS["learnet" if change == "released" else f"learnet-{change}"](classes, size, seed=1).eval()
    for name, tensor in net.state_dict().items():
        if not tensor.is_floating_point():
            continue
        generator = torch.Generator().manual_seed(sum(map(ord, name)))
        if tensor.ndim > 1:
            tensor.normal_(0, (2 / tensor[0].numel()) ** 0.5, generator=generator)
        elif "norm" in name and name.endswith(("weight", "running_var")):
            tensor.uniform_(0.5, 1.5, generator=generator)
        else:
            tensor.normal_(0, 0.1, generator=generator)
    assert isinstance(net, LEARNet)
    return net


def images(size: int = SIZE) -> Tensor:
    return torch.rand(2, 3, size, size, generator=torch.Generator().manual_seed(9)) * 2 - 1


def stages(net: LEARNet) -> dict[str, Tensor]:
    with torch.inference_mode():
        return net.stages(images())


class Composed:
    """The figure of the paper with the change, layer by layer in 64 bits."""

    def __init__(self, net: LEARNet, change: str) -> None:
        self.state = {name: tensor.double() for name, tensor in net.state_dict().items()}
        self.change = change

    def conv(self, name: str, x: Tensor) -> Tensor:
        """Stride 2 with TensorFlow's padding: half as many rows, rounded up, and the odd zero at the end."""
        weight = self.state[f"{name}.weight"]
        total = max((-(-x.shape[-1] // 2) - 1) * 2 + weight.shape[-1] - x.shape[-1], 0)
        first, last = total // 2, total - total // 2
        padded = F.pad(x, (first, last, first, last))
        return F.conv2d(padded, weight, self.state[f"{name}.bias"], stride=2).clamp(min=0)

    def norm(self, name: str, x: Tensor) -> Tensor:
        if self.change == "lrn":  # constants of AlexNet; PyTorch divides alpha by the five neighbours
            return F.local_response_norm(x, 5, alpha=5e-4, beta=0.75, k=2.0)
        mean, variance, gain, shift = (
            self.state[f"{name}.{part}"][:, None, None]
            for part in ("running_mean", "running_var", "weight", "bias")
        )
        return (x - mean) / (variance + 1e-3).sqrt() * gain + shift

    def pair(self, name: str, stem: Tensor) -> list[Tensor]:
        """Return the last maps of the columns of a pair."""
        plain, accreting = self.conv(f"{name}.plain.0", stem), None
        if self.change not in ("plain", "one-stream"):
            accreting = self.conv(f"{name}.accreting.0", stem)
        for level in (1, 2):
            if accreting is not None:
                if self.change not in ("no-accretion", "no-cross"):
                    accreting = accreting + plain
                if self.change != "no-accretion":
                    accreting = self.norm(f"{name}.norm.{level - 1}", accreting)
                accreting = self.conv(f"{name}.accreting.{level}", accreting)
            plain = self.conv(f"{name}.plain.{level}", plain)
        return [plain] if accreting is None else [plain, accreting]

    def __call__(self, x: Tensor) -> dict[str, Tensor]:
        stem = self.conv("stem", x)
        pairs = PAIRS[:1] if self.change == "one-stream" else PAIRS
        concat = torch.cat([maps for name in pairs for maps in self.pair(name, stem)], dim=1)
        conv5 = self.conv("conv5", self.norm("norm", concat))
        if self.change == "gap":
            dense = conv5.sum(dim=(2, 3)) / conv5[0, 0].numel()
        else:
            dense = F.linear(conv5.flatten(1), self.state["dense.weight"], self.state["dense.bias"])
            dense = dense.clamp(min=0)
        logits = F.linear(dense, self.state["classify.weight"], self.state["classify.bias"])
        return {"stem": stem, "concat": concat, "conv5": conv5, "dense": dense, "logits": logits}


@pytest.mark.parametrize("change", ["released", *CHANGES])
def test_stages_equal_the_definition(change: str) -> None:
    net = drawn(change)
    found = stages(net)
    for name, expected in Composed(net, change)(images().double()).items():
        torch.testing.assert_close(found[name].double(), expected, atol=1e-4, rtol=1e-4, msg=name)
        assert expected.std() > 0.01, f"{name} is constant, so the comparison shows nothing"
    with torch.inference_mode():
        assert torch.equal(net(images()), found["logits"])


NORM_PARTS = ("weight", "bias", "running_mean", "running_var")


def norms(*layers: str) -> set[str]:
    """Return the names of all values of normalisation layers."""
    return {f"{layer}.{part}" for layer in layers for part in (*NORM_PARTS, "num_batches_tracked")}


ACCRETION_NORMS = tuple(f"{pair}.norm.{level}" for pair in PAIRS for level in (0, 1))
ACCRETING = {
    f"{pair}.accreting.{step}.{part}" for pair in PAIRS for step in (0, 1, 2) for part in ("weight", "bias")
}
REMOVED = {
    "no-accretion": norms(*ACCRETION_NORMS),
    "no-cross": set(),
    "plain": norms(*ACCRETION_NORMS) | ACCRETING,
    "one-stream": norms(*ACCRETION_NORMS)
    | ACCRETING
    | {f"two.plain.{step}.{part}" for step in (0, 1, 2) for part in ("weight", "bias")},
    "lrn": norms(*ACCRETION_NORMS, "norm"),
    "gap": {"dense.weight", "dense.bias"},
}
OTHER_SHAPE = {
    "plain": {"conv5.weight": (256, 128, 3, 3), **{f"norm.{part}": (128,) for part in NORM_PARTS}},
    "one-stream": {
        "one.plain.0.weight": (64, 16, 1, 1),
        "one.plain.0.bias": (64,),
        "one.plain.1.weight": (128, 64, 3, 3),
        "one.plain.1.bias": (128,),
        "one.plain.2.weight": (256, 128, 5, 5),
        "one.plain.2.bias": (256,),
    },
}
COUNTS = {
    "no-accretion": 1_865_861,
    "no-cross": 1_866_053,
    "plain": 1_458_341,
    "one-stream": 2_535_557,
    "lrn": 1_865_349,
    "gap": 817_221,
}


@pytest.mark.parametrize("change", CHANGES)
def test_only_the_parameters_of_the_change_differ(change: str) -> None:
    whole = {name: tuple(tensor.shape) for name, tensor in LEARNet(5).state_dict().items()}
    net = NETWORKS[f"learnet-{change}"](5)
    found = {name: tuple(tensor.shape) for name, tensor in net.state_dict().items()}
    assert whole.keys() - found.keys() == REMOVED[change]
    assert not found.keys() - whole.keys()
    assert {name: shape for name, shape in found.items() if shape != whole[name]} == OTHER_SHAPE.get(
        change, {}
    )
    assert sum(parameter.numel() for parameter in net.parameters()) == COUNTS[change]
    assert [(layer.rate, layer.features) for layer in net.modules() if isinstance(layer, Dropout)] == [
        (0.5, 256)
    ]


def test_numbers_of_parameters_by_hand() -> None:
    released, column, accretion_norms = 1_866_053, 272 + 4640 + 51264, 192
    half_of_conv5 = 128 * 256 * 9
    wide_column = (16 * 64 + 64) + (64 * 128 * 9 + 128) + (128 * 256 * 25 + 256)
    assert COUNTS["plain"] == released - 2 * column - accretion_norms - 256 - half_of_conv5
    assert COUNTS["one-stream"] == released - 4 * column - accretion_norms + wide_column
    assert COUNTS["gap"] == released - 1_048_832
    assert COUNTS["lrn"] == released - 704
    assert COUNTS["no-accretion"] == released - accretion_norms


def before_the_first_sum(*last: str) -> set[str]:
    plain = {f"{pair}.plain_{level}" for pair in PAIRS for level in (1, 2, 3)}
    return {"stem", *plain, *(f"{pair}.{name}" for pair in PAIRS for name in ("accreting_1", *last))}


SAME = {
    "no-accretion": before_the_first_sum(),
    "no-cross": before_the_first_sum(),
    "plain": before_the_first_sum() - {"one.accreting_1", "two.accreting_1"},
    "one-stream": {"stem"},
    "lrn": before_the_first_sum("accretion_1"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_stages_are_equal_up_to_the_change_and_differ_after_it(change: str) -> None:
    whole, found = stages(drawn("released")), stages(drawn(change))
    same = {
        name
        for name in found
        if found[name].shape == whole[name].shape and torch.equal(found[name], whole[name])
    }
    assert same == SAME.get(change, set(whole) - {"dense", "logits"})
    assert found.keys() <= whole.keys()


def test_what_replaces_each_part() -> None:
    whole = stages(drawn("released"))
    no_cross, plain = stages(drawn("no-cross")), stages(drawn("plain"))
    no_accretion = stages(drawn("no-accretion"))
    for pair in PAIRS:
        sum_of_maps = whole[f"{pair}.plain_1"] + whole[f"{pair}.accreting_1"]
        assert torch.equal(whole[f"{pair}.accretion_1"], sum_of_maps)
        for level in (1, 2):
            accretion, norm = f"{pair}.accretion_{level}", f"{pair}.norm_{level}"
            accreting = f"{pair}.accreting_{level}"
            assert torch.equal(no_cross[accretion], no_cross[accreting])
            assert not torch.equal(no_cross[norm], no_cross[accretion])  # still normalised
            assert torch.equal(no_accretion[norm], no_accretion[accreting])  # a plain column
    assert torch.equal(plain["concat"], torch.cat([whole["one.plain_3"], whole["two.plain_3"]], dim=1))
    assert "one.accreting_1" not in plain
    gap = stages(drawn("gap"))
    torch.testing.assert_close(gap["dense"], whole["conv5"].mean(dim=(2, 3)))


def test_local_response_normalisation_is_that_of_alexnet() -> None:
    """By hand for one pixel of four maps, 3, 4, 0 and 100 (map 0 includes maps 0 to 2); then by PyTorch."""
    pixel = torch.tensor([3.0, 4.0, 0.0, 100.0]).view(1, 4, 1, 1)
    found = LocalResponseNorm()(pixel).flatten().tolist()
    assert found[0] == pytest.approx(3 / (2 + 1e-4 * 25) ** 0.75)
    assert found[1] == pytest.approx(4 / (2 + 1e-4 * 10_025) ** 0.75)
    assert found[3] == pytest.approx(100 / (2 + 1e-4 * 10_016) ** 0.75)
    maps = torch.randn(3, 9, 4, 5, generator=torch.Generator().manual_seed(0)) * 50
    torch.testing.assert_close(
        LocalResponseNorm()(maps), F.local_response_norm(maps, 5, alpha=5e-4, beta=0.75, k=2.0)
    )


@pytest.mark.parametrize("change", CHANGES)
def test_variants_have_no_fused_form(change: str) -> None:
    net = drawn(change)
    assert for_inference(net) is net
