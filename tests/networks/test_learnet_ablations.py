"""LEARNet with one change at a time: parameters differ just where the change is, stages just behind it, and all is as defined."""

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
    """Weights from a generator for each name, so that two variants have the same weights wherever name and shape are the same."""
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


# ---- the definition, written out in functions


class Composed:
    """The figure of the paper with the changes, layer by layer in 64 bits."""

    def __init__(self, net: LEARNet, change: str) -> None:
        self.state = {name: tensor.double() for name, tensor in net.state_dict().items()}
        self.change = change

    def conv(self, name: str, x: Tensor) -> Tensor:
        """Stride 2 with TensorFlow's zeros: as many rows as half of them, rounded up, and the odd zero behind."""
        weight = self.state[f"{name}.weight"]
        total = max((-(-x.shape[-1] // 2) - 1) * 2 + weight.shape[-1] - x.shape[-1], 0)
        first, last = total // 2, total - total // 2
        return F.conv2d(
            F.pad(x, (first, last, first, last)), weight, self.state[f"{name}.bias"], stride=2
        ).clamp(min=0)

    def norm(self, name: str, x: Tensor) -> Tensor:
        if (
            self.change == "lrn"
        ):  # five neighbours, constants of AlexNet; PyTorch's own layer divides alpha by the five
            return F.local_response_norm(x, 5, alpha=5e-4, beta=0.75, k=2.0)
        mean, variance, gain, shift = (
            self.state[f"{name}.{part}"][:, None, None]
            for part in ("running_mean", "running_var", "weight", "bias")
        )
        return (x - mean) / (variance + 1e-3).sqrt() * gain + shift

    def pair(self, name: str, stem: Tensor) -> list[Tensor]:
        """The last maps of a pair's columns."""
        plain, own = self.conv(f"{name}.plain.0", stem), None
        if self.change not in ("plain", "one-stream"):
            own = self.conv(f"{name}.accreting.0", stem)
        for level in (1, 2):
            if own is not None:
                if self.change not in ("no-accretion", "no-cross"):
                    own = own + plain
                if self.change != "no-accretion":
                    own = self.norm(f"{name}.norm.{level - 1}", own)
                own = self.conv(f"{name}.accreting.{level}", own)
            plain = self.conv(f"{name}.plain.{level}", plain)
        return [plain] if own is None else [plain, own]

    def __call__(self, x: Tensor) -> dict[str, Tensor]:
        stem = self.conv("stem", x)
        pairs = PAIRS[:1] if self.change == "one-stream" else PAIRS
        concat = torch.cat([maps for name in pairs for maps in self.pair(name, stem)], dim=1)
        conv5 = self.conv("conv5", self.norm("norm", concat))
        if self.change == "gap":
            dense = conv5.sum(dim=(2, 3)) / conv5[0, 0].numel()
        else:
            dense = F.linear(conv5.flatten(1), self.state["dense.weight"], self.state["dense.bias"]).clamp(
                min=0
            )
        logits = F.linear(dense, self.state["classify.weight"], self.state["classify.bias"])
        return {"stem": stem, "concat": concat, "conv5": conv5, "dense": dense, "logits": logits}


@pytest.mark.parametrize("change", ["released", *CHANGES])
def test_it_computes_what_its_definition_says(change: str) -> None:
    net = drawn(change)
    found = stages(net)
    for name, expected in Composed(net, change)(images().double()).items():
        torch.testing.assert_close(found[name].double(), expected, atol=1e-4, rtol=1e-4, msg=name)
        assert expected.std() > 0.01, f"{name} says nothing: the comparison would be empty"
    with torch.inference_mode():
        assert torch.equal(net(images()), found["logits"])


# ---- exactly one change


def norms(*places: str) -> set[str]:
    return {
        f"{place}.{part}"
        for place in places
        for part in ("weight", "bias", "running_mean", "running_var", "num_batches_tracked")
    }


BETWEEN = tuple(f"{pair}.norm.{level}" for pair in PAIRS for level in (0, 1))
ACCRETING = {
    f"{pair}.accreting.{step}.{part}" for pair in PAIRS for step in (0, 1, 2) for part in ("weight", "bias")
}
GONE = {
    "no-accretion": norms(*BETWEEN),
    "no-cross": set(),
    "plain": norms(*BETWEEN) | ACCRETING,
    "one-stream": norms(*BETWEEN)
    | ACCRETING
    | {f"two.plain.{step}.{part}" for step in (0, 1, 2) for part in ("weight", "bias")},
    "lrn": norms(*BETWEEN, "norm"),
    "gap": {"dense.weight", "dense.bias"},
}
OTHER_SHAPE = {
    "plain": {"conv5.weight": (256, 128, 3, 3), **{f"norm.{part}": (128,) for part in ("weight", "bias", "running_mean", "running_var")}},
    "one-stream": {
        "one.plain.0.weight": (64, 16, 1, 1), "one.plain.0.bias": (64,), "one.plain.1.weight": (128, 64, 3, 3), "one.plain.1.bias": (128,),
        "one.plain.2.weight": (256, 128, 5, 5), "one.plain.2.bias": (256,),
    },
}  # fmt: skip
COUNTS = {
    "no-accretion": 1_865_861, "no-cross": 1_866_053, "plain": 1_458_341, "one-stream": 2_535_557, "lrn": 1_865_349, "gap": 817_221,
}  # fmt: skip


@pytest.mark.parametrize("change", CHANGES)
def test_parameters_differ_only_where_the_change_is(change: str) -> None:
    whole = {name: tuple(tensor.shape) for name, tensor in LEARNet(5).state_dict().items()}
    net = NETWORKS[f"learnet-{change}"](5)
    found = {name: tuple(tensor.shape) for name, tensor in net.state_dict().items()}
    assert whole.keys() - found.keys() == GONE[change]
    assert not found.keys() - whole.keys()
    assert {name: shape for name, shape in found.items() if shape != whole[name]} == OTHER_SHAPE.get(
        change, {}
    )
    assert sum(parameter.numel() for parameter in net.parameters()) == COUNTS[change]
    assert [(layer.rate, layer.features) for layer in net.modules() if isinstance(layer, Dropout)] == [
        (0.5, 256)
    ]
    # the two columns' weights, the norms between them, and half of what goes into conv5; by hand
    assert COUNTS["plain"] == 1_866_053 - 2 * (272 + 4640 + 51264) - 192 - 256 - 128 * 256 * 9
    assert COUNTS["one-stream"] == 1_866_053 - 4 * (272 + 4640 + 51264) - 192 + (16 * 64 + 64) + (
        64 * 128 * 9 + 128
    ) + (128 * 256 * 25 + 256)
    assert (COUNTS["gap"], COUNTS["lrn"], COUNTS["no-accretion"]) == (
        1_866_053 - 1_048_832,
        1_866_053 - 704,
        1_866_053 - 192,
    )


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
def test_stages_are_the_same_up_to_the_change_and_differ_from_there_on(change: str) -> None:
    whole, found = stages(drawn("released")), stages(drawn(change))
    same = {
        name
        for name in found
        if found[name].shape == whole[name].shape and torch.equal(found[name], whole[name])
    }
    assert same == SAME.get(change, set(whole) - {"dense", "logits"})
    assert found.keys() <= whole.keys()


def test_what_stands_in_the_place_of_each_part() -> None:
    whole = stages(drawn("released"))
    cut, bare, plain = stages(drawn("no-cross")), stages(drawn("no-accretion")), stages(drawn("plain"))
    for pair in PAIRS:
        assert torch.equal(
            whole[f"{pair}.accretion_1"], whole[f"{pair}.plain_1"] + whole[f"{pair}.accreting_1"]
        )
        for level in (1, 2):
            assert torch.equal(cut[f"{pair}.accretion_{level}"], cut[f"{pair}.accreting_{level}"])
            assert not torch.equal(
                cut[f"{pair}.norm_{level}"], cut[f"{pair}.accretion_{level}"]
            )  # still normalised
            assert torch.equal(
                bare[f"{pair}.norm_{level}"], bare[f"{pair}.accreting_{level}"]
            )  # a plain column
    assert torch.equal(plain["concat"], torch.cat([whole["one.plain_3"], whole["two.plain_3"]], dim=1))
    assert "one.accreting_1" not in plain
    gap = stages(drawn("gap"))
    torch.testing.assert_close(gap["dense"], whole["conv5"].mean(dim=(2, 3)))


def test_local_response_normalisation_is_alexnet_s() -> None:
    """By hand, one pixel of four maps: 3, 4, 0 and 100; map 0 sees maps 0 to 2, map 3 sees maps 1 to 3. Then against PyTorch."""
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
def test_they_answer_in_the_form_in_which_they_train(change: str) -> None:
    """The fused form is that of the whole network only."""
    net = drawn(change)
    assert for_inference(net) is net
