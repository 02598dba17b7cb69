"""Recordings that are measured once and searched with several thresholds."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from learnet.core.errors import BadInput
from learnet.inference.spotting import measured as measured_module
from learnet.inference.spotting import spot
from learnet.inference.spotting.measured import (
    MeasuredRecording,
    load_measured,
    measure_recording,
    save_measured,
    spot_measured,
)
from learnet.inference.spotting.movements import SHIPPED, Thresholds
from learnet.video.base import Frame
from tests.inference.spotting.test_spotter import PIXELS, ScriptedFollower


def frames(duration_s: float, fps: float = 200.0) -> list[Frame]:
    return [Frame(8 + number, number / fps, PIXELS) for number in range(round(duration_s * fps))]


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch) -> Callable[[], ScriptedFollower]:
    """Movements of the brows at 2, 7 and 12 s; no face from 15.5 to 16.5 s."""
    follower = ScriptedFollower(absent=(15.5, 16.5))
    monkeypatch.setattr(measured_module, "FaceFollower", lambda finder, points: follower)
    monkeypatch.setattr("learnet.inference.spotting.spotter.FaceFollower", lambda finder, points: follower)
    return lambda: follower


def test_the_same_events_as_of_the_frames(script: Callable[[], ScriptedFollower], tmp_path: Path) -> None:
    """Measured, written, read and searched; at 200 frames a second a third of them is measured."""
    recording = frames(20.0)
    spotting = spot(recording, None)
    assert len(spotting.events) == 4 and spotting.unjudged
    measured = measure_recording(recording, None)
    assert len(measured.samples) < 0.4 * len(recording)
    assert spot_measured(measured) == spotting
    save_measured(tmp_path / "a.npz", measured)
    read = load_measured(tmp_path / "a.npz")
    assert spot_measured(read) == spotting
    calls = script().measured
    spot_measured(read, Thresholds(noise_factor=5.0))
    assert script().measured == calls


def test_thresholds_decide_what_is_an_event(script: Callable[[], ScriptedFollower]) -> None:
    """The brows move by 1 pixel, in noise of 0.02 pixels."""
    measured = measure_recording(frames(12.0), None)
    assert len(spot_measured(measured, SHIPPED).events) == 2
    assert spot_measured(measured, Thresholds(min_px=1.5)).events == ()
    assert spot_measured(measured, Thresholds(noise_factor=200.0)).events == ()
    assert len(spot_measured(measured, Thresholds(noise_factor=20.0, min_px=0.5)).events) == 2


def test_a_recording_without_a_face_and_a_damaged_file(tmp_path: Path) -> None:
    measured = MeasuredRecording(np.arange(5) / 25, np.arange(5), (None,) * 5)
    save_measured(tmp_path / "a.npz", measured)
    assert spot_measured(load_measured(tmp_path / "a.npz")) == spot_measured(measured)
    assert [stretch.reason for stretch in spot_measured(measured).unjudged] == ["no face"]
    content = (tmp_path / "a.npz").read_bytes()
    (tmp_path / "a.npz").write_bytes(content[: len(content) // 2])
    with pytest.raises(BadInput, match=r"a.npz: it is damaged .*Delete it"):
        load_measured(tmp_path / "a.npz")
