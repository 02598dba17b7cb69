"""Event files as TensorBoard reads them, and the message if it is not installed."""

import sys
from pathlib import Path

import pytest

from learnet.cli.studies import train
from learnet.core.errors import LearnetError
from learnet.core.settings import Training
from learnet.study.labelled import load_labelled_dataset
from learnet.training.tensorboard import write_losses, writer
from learnet.training.train import resolve_automatic
from learnet.training.train import train as by_hand
from tests.builders.written_study import write_prepared


def test_tensorboard_reads_the_losses(tmp_path: Path) -> None:
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    write_losses(writer(tmp_path / "events"), [1.5, 0.75, 0.5])
    events = EventAccumulator(str(tmp_path / "events")).Reload()
    name = "loss/train"
    found = events.Tensors(name) if name in events.Tags()["tensors"] else events.Scalars(name)
    values = [
        event.tensor_proto.float_val[0] if hasattr(event, "tensor_proto") else event.value for event in found
    ]
    assert [event.step for event in found] == [1, 2, 3] and values == [1.5, 0.75, 0.5]


def test_without_tensorboard_nothing_is_trained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tensorboard", None)
    monkeypatch.setitem(sys.modules, "tensorboard.summary", None)
    with pytest.raises(LearnetError, match=r"--tensorboard needs TensorBoard.*learnet\[tensorboard\]"):
        train(tmp_path / "nowhere", tmp_path / "w.safetensors", tensorboard=tmp_path / "events")
    assert not any(tmp_path.iterdir())


def test_each_epoch_of_a_training_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The losses are those of the same training without TensorBoard."""
    seen: list[tuple[str, float, int]] = []

    class Events:
        def add_scalar(self, name: str, value: float, step: int) -> None:
            seen.append((name, value, step))

        def close(self) -> None:
            seen.append(("closed", 0.0, 0))

    monkeypatch.setattr("learnet.training.tensorboard.writer", lambda folder: Events())
    prepared, training = write_prepared(tmp_path / "prepared", people=3, clips=6), Training(epochs=2)
    train(prepared, tmp_path / "w.safetensors", tensorboard=tmp_path / "events", training=training)
    data = load_labelled_dataset(prepared, "auto")
    again = by_hand(
        "learnet", data.training_set(range(len(data.rows))), resolve_automatic(training, "image", "learnet")
    )
    assert seen == [
        *(("loss/train", loss, epoch) for epoch, loss in enumerate(again.losses, start=1)),
        ("closed", 0.0, 0),
    ]
