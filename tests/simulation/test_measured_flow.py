"""Measured flow of rendered frames, against the movement that was rendered."""

from pathlib import Path

import numpy as np
import pytest

from learnet.datasets.synthetic.flow_images import simulate_flow
from learnet.simulation import measured_flow as module
from learnet.simulation.measured_flow import IMAGES_PER_PERSON, make_filmed_person, measure_flow
from learnet.simulation.movement import displacement
from learnet.simulation.scenes import NO_EMOTION


@pytest.fixture
def still_head(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing moves but the expression, before a quiet camera."""
    monkeypatch.setattr(module, "HEAD_PX", 0.0)
    monkeypatch.setattr(module, "NOISE_SD", (0.0, 0.01))
    monkeypatch.setattr(module, "LIGHT_SD", 0.0)
    monkeypatch.setattr(module, "draw_blink", lambda _: ())


@pytest.mark.usefixtures("still_head")
def test_the_measured_flow_is_the_movement() -> None:
    found = []
    for seed in range(8):
        rng = np.random.default_rng(seed)
        person = make_filmed_person(rng)
        flow, view, activations = measure_flow("surprise" if seed % 2 else "happiness", person, rng)
        true = displacement(person.person.geometry, activations, view)
        far = np.hypot(true[..., 0], true[..., 1])
        there = far > 0.5 * far.max()
        along = (flow[there] * true[there]).sum() / (true[there] ** 2).sum()  # 1: all of it, the same way
        found.append(along)
        assert np.hypot(flow[..., 0], flow[..., 1])[far < 0.02].max() < 0.5 * far.max()
    assert 0.6 < np.median(found) < 1.1 and min(found) > 0.3


@pytest.mark.usefixtures("still_head")
def test_no_flow_is_measured_without_movement() -> None:
    rng = np.random.default_rng(1)
    flow, _, activations = measure_flow(NO_EMOTION, make_filmed_person(rng), rng)
    assert activations == () and np.abs(flow).max() < 0.1


def test_eight_images_show_one_person_and_every_other_eight_are_imitated(tmp_path: Path) -> None:
    imitated, both, only = (
        simulate_flow(
            tmp_path / estimator, 4 * IMAGES_PER_PERSON, ("surprise", "none"), estimator=estimator, jobs=1
        )
        for estimator in ("imitated", "both", "measured")
    )
    first_block, second_block = (
        slice(place * IMAGES_PER_PERSON, (place + 1) * IMAGES_PER_PERSON) for place in (0, 1)
    )
    np.testing.assert_array_equal(both.images[first_block], imitated.images[first_block])
    np.testing.assert_array_equal(both.images[second_block], only.images[second_block])
    assert not np.array_equal(both.images[second_block], imitated.images[second_block])
    assert (
        list(both.clips["person"].value_counts()[:2]) == [IMAGES_PER_PERSON] * 2
        and both.record.people == 2 * IMAGES_PER_PERSON + 2
    )
    assert only.clips["person"].nunique() == only.record.people == 4
    assert both.clips["clip"].is_unique and only.clips["clip"].is_unique
    assert set(both.clips["emotion"]) == {"surprise", "none"}


def test_the_same_seed_measures_the_same_bytes_on_any_number_of_processes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("learnet.datasets.synthetic.flow_images.BLOCK", IMAGES_PER_PERSON)
    one, two = (simulate_flow(tmp_path / str(jobs), 20, estimator="measured", jobs=jobs) for jobs in (1, 2))
    assert one.record.fingerprint == two.record.fingerprint
    shorter = simulate_flow(tmp_path / "shorter", 11, estimator="measured", jobs=1)  # ends within a person
    np.testing.assert_array_equal(shorter.images, one.images[:11])
