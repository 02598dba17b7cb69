"""Checkpoints are read as they were written, and everything else is refused with a reason."""

import json
import pickle
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file

from learnet.core.errors import BadCheckpoint
from learnet.core.settings import Preparation, Training
from learnet.inference.weights import load_scorer
from learnet.motion.detrend import EvaluationImages
from learnet.networks import NETWORKS, without_values
from learnet.training.checkpoint import load_checkpoint, save_checkpoint
from learnet.training.metadata import CheckpointMetadata

METADATA = CheckpointMetadata(
    network="learnet",
    classes=("happiness", "disgust", "überraschung"),
    size=28,
    preparation=Preparation(motion="dynamic-linear", size=28, stabilise=True),
    training=Training(epochs=3, learning_rate=0.02, detrend=False),
    data={"fingerprint": "abc", "people": "casme2/01 casme2/02"},
    versions={"torch": "2.13.0"},
)


class Bomb:
    """Creates a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple:
        return (Path.touch, (self.path,))


@pytest.fixture
def written(tmp_path: Path) -> Path:
    save_checkpoint(tmp_path / "net.safetensors", NETWORKS["learnet"](3, 28, seed=4), METADATA)
    return tmp_path / "net.safetensors"


def refused(path: Path, *fragments: str, network: str | None = None) -> None:
    with pytest.raises(BadCheckpoint) as caught:
        load_checkpoint(path, network)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)
    for word in fragments:
        assert word in str(caught.value)


@pytest.mark.parametrize(
    "name", [name for name in NETWORKS if not name.startswith("vgg")]
)  # a file of 550 MB
def test_what_comes_back_is_what_went_in(tmp_path: Path, name: str) -> None:
    generator = torch.Generator().manual_seed(0)
    images, labels = torch.rand(12, 3, 28, 28, generator=generator), torch.arange(12) % 3
    module = NETWORKS[name](3, 28, seed=4)
    if hasattr(module, "fit"):
        module.fit(images, labels)
    else:
        module.train()(images)  # normalisations are no longer what they start as
    metadata = replace(METADATA, network=name, training=None, preparation=None)
    save_checkpoint(tmp_path / "new" / "net.safetensors", module, metadata)
    loaded, found = load_checkpoint(tmp_path / "new" / "net.safetensors", name)
    assert found == metadata
    assert not loaded.training
    before, after = module.state_dict(), loaded.state_dict()
    assert before.keys() == after.keys()
    assert all(
        torch.equal(before[key], after[key]) and before[key].dtype == after[key].dtype for key in before
    )
    with torch.inference_mode():
        assert torch.equal(loaded(images), module.eval()(images))


def test_half_precision_is_half_the_file_and_nearly_the_same_network(written: Path, tmp_path: Path) -> None:
    module = NETWORKS["learnet"](3, 28, seed=4)
    save_checkpoint(tmp_path / "half", module, METADATA, half=True)
    assert 0.48 < (tmp_path / "half").stat().st_size / written.stat().st_size < 0.52
    loaded, metadata = load_checkpoint(tmp_path / "half")
    images = torch.rand(5, 3, 28, 28, generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        torch.testing.assert_close(loaded(images), module.eval()(images), atol=5e-3, rtol=0)
    assert metadata == METADATA and all(
        tensor.dtype != torch.float16 for tensor in loaded.state_dict().values()
    )


def test_numbers_too_large_for_half_precision_are_refused(tmp_path: Path) -> None:
    module = NETWORKS["learnet"](3, 28, seed=4)
    torch.nn.init.constant_(module.classify.bias, 1e6)
    save_checkpoint(tmp_path / "half", module, METADATA, half=True)
    with pytest.raises(BadCheckpoint, match="classify.bias contains values that are not finite"):
        load_checkpoint(tmp_path / "half")


def test_facts_come_back_whole(written: Path) -> None:
    assert load_checkpoint(written)[1] == METADATA


def test_the_file_is_plain_safetensors(written: Path) -> None:
    """Any program that reads safetensors can read the weights by name."""
    state = NETWORKS["learnet"](3, 28, seed=4).state_dict()
    found = load_file(written)
    assert found.keys() == state.keys()
    assert all(torch.equal(found[key], state[key]) for key in state)


def test_same_content_same_bytes(written: Path, tmp_path: Path) -> None:
    save_checkpoint(
        tmp_path / "again",
        NETWORKS["learnet"](3, 28, seed=4),
        replace(METADATA, versions=dict(METADATA.versions)),
    )
    assert (tmp_path / "again").read_bytes() == written.read_bytes()


def test_a_failed_write_leaves_the_old_file_and_nothing_else(
    written: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = written.read_bytes()

    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("learnet.core.files.os.fsync", full)
    with pytest.raises(OSError, match="No space"):
        save_checkpoint(written, NETWORKS["learnet"](3, 28, seed=9), METADATA)
    assert written.read_bytes() == before
    assert [file.name for file in written.parent.iterdir()] == [written.name]


def test_no_pickle_is_ever_opened(tmp_path: Path) -> None:
    ran, path = tmp_path / "ran", tmp_path / "net.safetensors"
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        path.write_bytes(pickle.dumps({"weights": Bomb(ran)}, protocol))
        refused(path, "can run any code")
    for zipped in (True, False):
        torch.save({"weights": Bomb(ran)}, path, _use_new_zipfile_serialization=zipped)
        refused(path, "zip archive" if zipped else "this is a pickle", "can run any code")
    np.savez(path.with_suffix(".npz"), weights=np.zeros(3))
    refused(path.with_suffix(".npz"), "zip archive")
    assert not ran.exists()


def test_what_is_no_checkpoint_is_refused(tmp_path: Path) -> None:
    refused(tmp_path / "nowhere.safetensors", "no such file", "learnet train")
    refused(tmp_path, "not a file")
    other = tmp_path / "other"
    for content, fragments in (
        (b"", "empty"),
        (b"\x89HDF\r\n\x1a\n" + bytes(99), "Keras"),
        (b"image,emotion\na.png,2\n", "not a safetensors"),
    ):
        other.write_bytes(content)
        refused(other, fragments)
    save_file({"weight": torch.zeros(3)}, other)
    refused(other, "learnet did not write this")
    save_file({"weight": torch.zeros(3)}, other, metadata={"format": "pt"})
    refused(other, "learnet did not write this")


def test_another_network_than_asked_for_is_refused(written: Path) -> None:
    refused(written, "'learnet'", "'resnet18'", network="resnet18")
    assert load_checkpoint(written, "learnet")[1].network == "learnet"


@pytest.mark.parametrize(
    ("change", "fragments"),
    [
        ({"size": 112}, "dense.weight is float32 [256, 256], expected float32 [256, 4096]"),
        ({"classes": ["a", "b"]}, "classify"),
        ({"network": "learnet-paper"}, "expected nothing"),
        ({"network": "linear-svm"}, "linear-svm for 3 classes and 28 pixels"),
        ({"network": "learnet2"}, "unknown network 'learnet2'"),
        ({"network": 3}, "$.network`: got 3"),
        ({"classes": []}, "0 classes"),
        ({"classes": "abc"}, "$.classes`: got"),
        ({"classes": ["a", "b", 3]}, "$.classes[2]`: got 3"),
        ({"size": "28"}, "$.size`: got"),
        ({"size": True}, "$.size`: got true"),
        ({"size": -28}, "size -28"),
        ({"data": None}, "$.data`: got None"),
        ({"data": {"clips": 3}}, "$.data.clips`: got 3"),
        ({"training": {"epochs": 1, "momentum_schedule": "new"}}, "momentum_schedule"),
        ({"training": {"epochs": "many"}}, "$.training.epochs`: got"),
        ({"training": {"optimiser": "lion"}}, "$.training.optimiser`"),
        ({"preparation": [1]}, "$.preparation`: got [1]"),
        ({"format": "learnet-9"}, "'learnet-9'"),
    ],
)
def test_facts_that_do_not_fit_are_refused(written: Path, change: dict, fragments: str) -> None:
    rewrite(written, change)
    refused(written, fragments)


def rewrite(path: Path, change: dict) -> None:
    """Change the metadata of a checkpoint, and leave its checksum out, as earlier versions did."""
    content = path.read_bytes()
    about = json.loads(
        json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])["__metadata__"]["learnet"]
    )
    del about["sha256"]
    save_file(load_file(path), path, metadata={"learnet": json.dumps({**about, **change})})


def test_a_missing_fact_and_unreadable_facts_are_refused(written: Path) -> None:
    tensors = load_file(written)
    for text, fragments in (
        ('{"format": "learnet-1"}', "incomplete"),
        ("{", "cannot be read"),
        ("[]", "cannot be read"),
    ):
        save_file(tensors, written, metadata={"learnet": text})
        refused(written, fragments)


def test_a_setting_that_came_later_has_its_former_meaning(written: Path) -> None:
    rewrite(written, {"training": {"epochs": 7, "learning_rate": 1}})
    training = Training(epochs=7, learning_rate=1.0, detrend=False, clipping_percentile=100)
    assert load_checkpoint(written)[1].training == training


def test_weights_that_do_not_fit_are_refused(written: Path) -> None:
    module = NETWORKS["learnet"](3, 28)
    for change, fragments in (
        (lambda state: state.pop("stem.bias"), "stem.bias is missing"),
        (lambda state: state.update(extra=torch.zeros(1)), "extra is float32 [1], expected nothing"),
        (lambda state: state.update({"stem.bias": torch.zeros(17)}), "float32 [17], expected float32 [16]"),
        (
            lambda state: state.update({"stem.bias": torch.zeros(16, dtype=torch.float64)}),
            "float64 [16], expected float32 [16]",
        ),
        (lambda state: state.update({"stem.bias": torch.full((16,), torch.nan)}), "not finite"),
    ):
        state = module.state_dict()
        change(state)
        other = torch.nn.Module()
        other.state_dict = lambda state=state: state
        save_checkpoint(written, other, METADATA)
        refused(written, fragments)


def test_a_file_cut_short_is_refused_wherever_it_is_cut(tmp_path: Path) -> None:
    whole, truncated = tmp_path / "whole", tmp_path / "part"
    metadata = replace(METADATA, network="majority")
    save_checkpoint(whole, NETWORKS["majority"](3, 28), metadata)
    content = whole.read_bytes()
    for length in {*range(0, len(content), 5), *range(len(content) - 20, len(content))}:
        truncated.write_bytes(content[:length])
        refused(truncated)
    truncated.write_bytes(content + b"\0")
    refused(truncated)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_damaged_file_is_refused_or_read_but_never_a_crash(tmp_path: Path, data: st.DataObject) -> None:
    path = tmp_path / "net"
    save_checkpoint(path, NETWORKS["majority"](3, 28), replace(METADATA, network="majority"))
    content = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(content)
    try:
        load_checkpoint(path)
    except BadCheckpoint as refusal:
        assert "\n" not in str(refusal)


def test_a_flipped_bit_is_noticed_wherever_it_is(tmp_path: Path) -> None:
    """A flip that changes nothing that is read, such as of the case of a letter in an escape, may be
    accepted."""
    path = tmp_path / "net"
    metadata = replace(METADATA, network="majority")
    module = NETWORKS["majority"](3, 28)
    module.fit(torch.zeros(4, 3, 28, 28), torch.tensor([0, 0, 1, 2]))
    save_checkpoint(path, module, metadata)
    content = path.read_bytes()
    for position in range(len(content)):
        damaged = bytearray(content)
        damaged[position] ^= 1 << (position % 8)
        path.write_bytes(damaged)
        try:
            loaded, found = load_checkpoint(path)
        except BadCheckpoint:
            continue
        assert found == metadata
        assert torch.equal(loaded.logits, module.logits)


def test_a_file_without_a_checksum_is_read(written: Path) -> None:
    rewrite(written, {})
    assert b"sha256" not in written.read_bytes()
    assert load_checkpoint(written)[1] == METADATA


@pytest.mark.parametrize(
    ("network", "change", "fragments"),
    [
        ("dual-inception", {"size": 8000}, "for 3 classes and 8000 pixels"),
        ("learnet", {"size": 4096}, "for 3 classes and 4096 pixels"),
        ("learnet", {"size": 10**6}, "size 1000000"),
        ("learnet", {"size": 10**300}, "size 1000"),
        (
            "linear-svm",
            {"classes": [f"c{number}" for number in range(5000)]},
            "fit linear-svm for 5000 classes",
        ),
        ("majority", {"classes": [f"c{number}" for number in range(10**5)]}, "fewer numbers than"),
    ],
)
def test_announced_shapes_are_compared_before_anything_is_built(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, network: str, change: dict, fragments: str
) -> None:
    """What a few bytes announce takes no memory: the network is never built."""
    path = tmp_path / "net"
    save_checkpoint(path, NETWORKS[network](3, 28), replace(METADATA, network=network))
    rewrite(path, change)
    empty = torch.empty

    def limited(*shape: object, **options: object) -> torch.Tensor:
        made = empty(*shape, **options)
        assert made.device.type == "meta" or made.numel() < 10**6
        return made

    monkeypatch.setattr(torch, "empty", limited)
    refused(path, fragments)


@pytest.mark.parametrize("name", [*NETWORKS])
def test_a_network_without_values_has_the_shapes_of_the_network(name: str) -> None:
    empty = without_values(name, 3, 28).state_dict()
    whole = NETWORKS[name](3, 28).state_dict()
    assert {key: (value.dtype, value.shape) for key, value in empty.items()} == {
        key: (value.dtype, value.shape) for key, value in whole.items()
    }
    assert {value.device.type for value in empty.values()} == {"meta"}


def test_finite_weights_whose_scores_are_not_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "net"
    module = NETWORKS["mlp"](3, 28)
    for tensor in module.parameters():
        torch.nn.init.constant_(tensor, 1e30)
    save_checkpoint(path, module, replace(METADATA, network="mlp"))
    scorer, _ = load_scorer(path)
    with pytest.raises(BadCheckpoint, match="class scores are not finite"):
        scorer.scores(EvaluationImages(np.full((2, 28, 28, 3), 255, np.uint8)))
