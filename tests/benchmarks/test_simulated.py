"""The comparison of simulated with real flow images: its numbers against pictures whose numbers are known,
its classifiers against luck."""

import csv
import importlib
import json
from functools import cache
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from scipy.special import ndtr

from learnet.datasets.prepared.importing import import_images
from learnet.datasets.synthetic.flow_images import simulate_flow


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(Path(__file__).resolve().parents[2] / "benchmarks"))
    return importlib.import_module("simulated")


def stacked(*channels: np.ndarray) -> np.ndarray:
    return np.stack(channels, axis=-1).astype(np.uint8)[None]


def test_numbers_of_pictures_made_by_hand(bench: ModuleType) -> None:
    """A ramp to the right, a ramp downwards and a chessboard."""
    y, x = np.mgrid[:28, :28]
    found = {
        name: float(value[0])
        for name, value in bench.image_statistics(stacked(9 * x, 9 * y, 255 * ((x + y) % 2))).items()
    }
    expected = {
        "u median": 9 * 13.5 / 255,
        "u spread": 9 * 7 / 255,
        "u gradient": 9 / 255,
        "u even share": 1,
        "u with its mirror image": -1,
        "v even share": 1,
        "v with its mirror image": 1,
        "u with v": 0,
        "strain gradient": 2,
        "strain fast waves": 1,
        "strain slow waves": 0,
        "strain even share": 0,
        "strain with its mirror image": -1,
        "strain, place across": 0.5,
        "strain, place down": 0.5,
    }
    for name, value in expected.items():
        assert found[name] == pytest.approx(value, abs=2e-3), name
    assert len(found) == 3 * 7 + 4 + 2 * 3


def test_waves_are_sorted_by_their_length(bench: ModuleType) -> None:
    """Two waves across 28 pixels are slow, ten are fast, four are neither."""
    x = np.arange(28) / 28
    for waves, slow, fast in ((2, 1, 0), (4, 0, 0), (10, 0, 1)):
        found = bench.channel_statistics(np.broadcast_to(np.cos(2 * np.pi * waves * x), (1, 28, 28)))
        assert found["slow waves"][0] == pytest.approx(slow, abs=1e-6) and found["fast waves"][
            0
        ] == pytest.approx(fast, abs=1e-6)


def test_the_place_of_a_spot(bench: ModuleType) -> None:
    """A spot of standard deviation 2 pixels in both directions, its middle at column 7 and row 20 of 29."""
    y, x = np.mgrid[:29, :29]
    across, down, apart = bench.weighted_position(np.exp(-((x - 7) ** 2 + (y - 20) ** 2) / 8)[None])
    assert across[0] == pytest.approx(7 / 28, abs=1e-3) and down[0] == pytest.approx(20 / 28, abs=1e-3)
    assert apart[0] == pytest.approx(np.sqrt(2) * 2 / 28, rel=1e-2)


def test_flat_pictures_have_numbers_too(bench: ModuleType) -> None:
    assert all(
        np.isfinite(value).all()
        for value in bench.image_statistics(np.full((2, 28, 28, 3), 128, np.uint8)).values()
    )


def test_distance_is_in_interquartile_ranges_of_the_real(bench: ModuleType, rng: np.random.Generator) -> None:
    """Shifted by three quarters of the range from quartile to quartile; the order does not matter."""
    real = np.linspace(0, 2, 201)
    table = bench.compare({"a": real}, {"a": rng.permutation(real) + 0.75})
    assert table["a"]["distance"] == pytest.approx(0.75)
    assert table["a"]["real"] == pytest.approx([0.2, 1.0, 1.8]) and table["a"]["other"] == pytest.approx(
        [0.95, 1.75, 2.55]
    )
    assert bench.compare({"a": real}, {"a": real})["a"]["distance"] == 0


def test_no_person_is_in_training_and_test(bench: ModuleType) -> None:
    people, truth = np.repeat(np.arange(30), 4).astype(str), np.repeat([0, 1], 60)
    parts = bench.person_folds(truth, people)
    assert sorted(np.concatenate([test for _, test in parts])) == list(range(120))
    for train, test in parts:
        assert not set(people[train]) & set(people[test]) and set(truth[test]) == {0, 1}


def test_what_cannot_be_told_apart_is_not_and_what_can_is(
    bench: ModuleType, rng: np.random.Generator
) -> None:
    """A person's images share a mark, so whoever sees people twice is right and whoever does not is at
    chance."""
    marks = rng.integers(0, 256, (40, 1, 28, 28, 3))
    noise = (
        np.clip(marks + rng.normal(0, 4, (40, 4, 28, 28, 3)), 0, 255).astype(np.uint8).reshape(-1, 28, 28, 3)
    )
    people = np.repeat(np.arange(40), 4).astype(str)
    one, other = (
        bench.Group(name, noise[part], people[part])
        for name, part in (("a", slice(0, 80)), ("b", slice(80, 160)))
    )
    luck = bench.separability(one, other)
    assert all(0.2 < found["auc"] < 0.8 for found in luck.values()), luck
    darker = bench.Group("b", noise[80:] // 2, people[80:])
    assert all(found["auc"] > 0.99 for found in bench.separability(one, darker).values())


def test_the_interval_is_that_of_drawing_people_anew(bench: ModuleType, rng: np.random.Generator) -> None:
    """One image per person, normal scores a deviation apart: the area is Phi(1 / sqrt 2), its standard error
    by Hanley and McNeil, 1982."""
    truth, people = np.repeat([0, 1], 150), np.arange(300).astype(str)
    low, high = bench.bootstrap_interval(truth, rng.normal(size=300) + truth, people)
    area = ndtr(1 / np.sqrt(2))
    q1, q2 = area / (2 - area), 2 * area**2 / (1 + area)
    error = np.sqrt((area * (1 - area) + 149 * (q1 - area**2 + q2 - area**2)) / 150**2)
    assert high - low == pytest.approx(2 * 1.96 * error, rel=0.25)


def test_simulated_images_are_those_of_the_command(bench: ModuleType, tmp_path: Path) -> None:
    made = bench.simulated_group("simulated", 5, 28, 3)
    np.testing.assert_array_equal(made.images, simulate_flow(tmp_path / "sim", 5, seed=3, jobs=1).images)


def test_it_runs_on_real_images_and_reads_no_label(
    bench: ModuleType,
    shared: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Sixty real images of both databases; turning the labels round changes nothing but the time.

    The simulated images, which are made without any folder, are made once for both.
    """
    monkeypatch.setattr(bench, "simulated_group", cache(bench.simulated_group))
    monkeypatch.setattr(bench, "measured_group", cache(bench.measured_group))
    monkeypatch.setattr(bench, "RESAMPLES", 50)
    flow, results = shared / "real" / "megc2019_flow", []
    with (flow / "labels.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))[::5]
    emotions = [row["emotion"] for row in rows]
    for turned in (0, 1):
        labels, out = tmp_path / f"labels{turned}.csv", tmp_path / f"out{turned}"
        with labels.open("w", newline="") as file:
            table = csv.DictWriter(file, list(rows[0]))
            table.writeheader()
            table.writerows({**row, "emotion": emotions[place - turned]} for place, row in enumerate(rows))
        import_images(flow / "images", labels, tmp_path / f"prepared{turned}", size=28, kind="flow")
        bench.main([str(tmp_path / f"prepared{turned}"), "--simulated", "24", "--out", str(out)])
        (file,) = out.glob("*-simulated.json")
        results.append(json.loads(file.read_text())["details"])
        assert file.with_suffix(".png").read_bytes().startswith(b"\x89PNG")
    assert results[0] == results[1]
    assert results[0]["images and people"]["real"][0] == len(rows) and results[0]["reference"] in (
        "casme2 from smic",
        "smic from casme2",
    )
    assert set(results[0]["area under the curve"]) == set(results[0]["mean distance"])
    assert "strain, place down" in capsys.readouterr().out
