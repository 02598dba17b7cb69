"""Movements between frames that are not the onset and the apex: parts of the units, on both sides alike."""

import numpy as np
import pytest

from learnet.simulation import apex_movement
from learnet.simulation.apex_movement import _at_other_frames, draw_movement
from learnet.simulation.geometry import View
from learnet.simulation.units import both_sides

VIEW = View(60, 60, 40.0, (29.5, 24.0))


def test_units_have_parts_of_their_own_and_sides_have_not() -> None:
    """The part is 0.35 to 1, and of it each unit shows 0.5 to 1."""
    units = (*both_sides(4, 1.0, balance=0.2), *both_sides(7, 1.0, balance=0.2))
    parts = np.empty((400, 2))
    for seed in range(400):
        left4, right4, left7, right7 = _at_other_frames(units, np.random.default_rng(seed))
        assert (left4.unit, left4.side, right7.unit, right7.side) == (4, "left", 7, "right")
        assert left4.peak_px / right4.peak_px == pytest.approx(1.5)
        assert left7.peak_px / right7.peak_px == pytest.approx(1.5)
        parts[seed] = right4.peak_px / 0.8, right7.peak_px / 0.8
    assert 0.175 <= parts.min() < 0.22 and 0.9 < parts.max() <= 1
    ratios = parts[:, 0] / parts[:, 1]
    assert 0.5 <= ratios.min() < 0.56 and 1.8 < ratios.max() <= 2


def test_other_frames_show_less_of_an_expression(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the same seeds, so the same people, expressions and muscles."""
    monkeypatch.setattr(apex_movement, "OTHER_FRAMES_SHARE", 0.0)
    whole = [draw_movement("surprise", VIEW, np.random.default_rng(seed), varied=True) for seed in range(60)]
    monkeypatch.setattr(apex_movement, "OTHER_FRAMES_SHARE", 1.0)
    other = [draw_movement("surprise", VIEW, np.random.default_rng(seed), varied=True) for seed in range(60)]
    narrow = [draw_movement("surprise", VIEW, np.random.default_rng(seed)) for seed in range(60)]
    ratios = []
    for movement, part, untouched in zip(whole, other, narrow, strict=True):
        assert movement.activations == untouched.activations
        peaks = {(activation.unit, activation.side): activation.peak_px for activation in part.activations}
        for activation in movement.activations:
            ratios.append(peaks[activation.unit, activation.side] / activation.peak_px)
    assert 0.175 <= min(ratios) < 0.3 and 0.85 < max(ratios) <= 1
