"""Simulated flow images: the estimator model against closed forms, the draws against their shares."""

from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy import ndimage

from learnet.core.errors import LearnetError, OutputTaken, UnknownName
from learnet.core.labels import SCHEMES, parse_action_units
from learnet.datasets.prepared.concat import open_datasets
from learnet.datasets.synthetic import flow_images as simulated
from learnet.datasets.synthetic.flow_images import CLASSES, NEGATIVE, draw_emotion, simulate_flow
from learnet.simulation import apex_movement
from learnet.simulation.apex_movement import draw_movement
from learnet.simulation.emotions import draw_expression, make_style
from learnet.simulation.geometry import View, average_face
from learnet.simulation.imitated_flow import (
    ESTIMATOR_MODEL,
    Crop,
    EstimatorModel,
    crop_and_resize,
    imitate_estimator,
    smooth_noise,
    texture_map,
)
from learnet.simulation.scenes import NO_EMOTION

SIDE = 72
VIEW = View(SIDE, SIDE, SIDE / 1.25, ((SIDE - 1) / 2, 0.36 * SIDE))
TRUTHFUL = EstimatorModel(
    smoothing=(0.3, 0.3), blend=0.0, dead_zone=0.0, median_share=0.0, noise=0.0, outliers=0.0
)


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(5)


def waves() -> np.ndarray:
    y, x = np.mgrid[:SIDE, :SIDE]
    return np.stack([np.sin(x / 9) + y / 40, np.cos(y / 7)], axis=-1).astype(np.float32)


def test_an_estimator_without_errors_returns_the_movement(rng: np.random.Generator) -> None:
    even = np.ones((SIDE, SIDE), np.float32)
    np.testing.assert_allclose(imitate_estimator(waves(), even, 1.0, 1.0, rng, TRUTHFUL), waves(), atol=0.02)


def test_without_texture_the_flow_is_that_of_the_surroundings(rng: np.random.Generator) -> None:
    field = np.zeros((SIDE, SIDE, 2), np.float32)
    field[:, 36:] = (3.0, -1.0)  # moves, but has no texture
    seen = np.where(np.arange(SIDE) < 36, 1.0, 1e-6).astype(np.float32) * np.ones((SIDE, 1), np.float32)
    found = imitate_estimator(field, seen, 3.0, 1.0, rng, replace(TRUTHFUL, blend=0.05))
    assert np.abs(found[:, 38:48]).max() < 0.3
    assert (
        np.abs(
            imitate_estimator(field, np.ones_like(seen), 3.0, 1.0, rng, TRUTHFUL)[:, 38:] - (3.0, -1.0)
        ).max()
        < 0.05
    )


def test_small_movement_against_the_surroundings_is_lost(rng: np.random.Generator) -> None:
    field = np.zeros((SIDE, SIDE, 2), np.float32)
    field[30:34, 30:34] = 0.02
    deaf = replace(TRUTHFUL, dead_zone=1e9)
    assert (
        np.ptp(imitate_estimator(field, np.ones((SIDE, SIDE), np.float32), 1.0, 1.0, rng, deaf)[..., 0])
        < 0.005
    )


def test_errors_have_the_amplitude_asked_for() -> None:
    noisy, even = replace(TRUTHFUL, noise=0.5, noise_exponent=0.0), np.ones((SIDE, SIDE), np.float32)
    still = np.zeros((SIDE, SIDE, 2), np.float32)
    found = [
        imitate_estimator(still, even, 1.0, 2.0, np.random.default_rng(seed), noisy).std()
        for seed in range(300)
    ]
    assert np.mean(found) == pytest.approx(
        0.5 * 2.0, rel=0.15
    )  # the mean of an exponential, in places of the grid


def test_noise_is_smooth_and_of_unit_spread(rng: np.random.Generator) -> None:
    noise = smooth_noise(rng, (200, 200), 4.0)
    assert noise.std() == pytest.approx(1.0, abs=1e-5)
    beside = np.corrcoef(noise[:, :-4].ravel(), noise[:, 4:].ravel())[0, 1]
    assert beside == pytest.approx(
        np.exp(-1 / 4), abs=0.06
    )  # Gauss-smoothed noise correlates as exp(-d^2 / 4 sd^2)


def test_eyes_and_mouth_are_seen_better_than_cheeks() -> None:
    face = average_face()
    seen = np.mean([texture_map(face, VIEW, np.random.default_rng(seed)) for seed in range(30)], axis=0)
    assert seen.min() > 0
    places = {
        name: VIEW.to_pixels(np.array([face.at(name, "left")]))[0]
        for name in ("upper lid", "middle brow", "cheek")
    }
    value = {name: ndimage.map_coordinates(seen, [[y], [x]], order=1)[0] for name, (x, y) in places.items()}
    assert value["upper lid"] > 4 * value["cheek"] and value["middle brow"] > 4 * value["cheek"]


@pytest.mark.parametrize("picked", [0.0, 1.0])
def test_a_crop_shows_the_places_it_says(rng: np.random.Generator, picked: float) -> None:
    u, v = VIEW.face_grid()
    crop, size = Crop(0.9, 1.1, 0.3, 0.02), 28
    small = crop_and_resize(
        np.stack([u, v, np.zeros_like(u)], axis=-1).astype(np.float32),
        VIEW,
        crop,
        size,
        rng,
        replace(ESTIMATOR_MODEL, subsampled_share=picked),
    )
    middles = (np.arange(size) + 0.5) / size
    np.testing.assert_allclose(
        small[..., 0], np.broadcast_to(0.02 + (middles - 0.5) * 0.9, (size, size)), atol=2e-3
    )
    np.testing.assert_allclose(
        small[..., 1], np.broadcast_to(((middles - 0.3) * 1.1)[:, None], (size, size)), atol=2e-3
    )


def test_specks_come_in_picked_strain_alone(rng: np.random.Generator) -> None:
    even = np.ones((SIDE, SIDE, 3), np.float32)
    speckled = replace(ESTIMATOR_MODEL, subsampled_share=1.0, speckle=(0.7, 0.7))
    small = crop_and_resize(even, VIEW, Crop(0.9, 0.9, 0.3, 0.0), 28, rng, speckled)
    assert np.log(small[..., 2]).std() == pytest.approx(0.7, rel=0.1)
    assert np.all(small[..., :2] == 1)
    assert np.all(
        crop_and_resize(
            even, VIEW, Crop(0.9, 0.9, 0.3, 0.0), 28, rng, replace(speckled, subsampled_share=0.0)
        )
        == pytest.approx(1)
    )


def test_without_expression_only_lids_and_head_move() -> None:
    moments = [draw_movement(NO_EMOTION, VIEW, np.random.default_rng(seed)) for seed in range(20)]
    assert all(moment.activations == () for moment in moments)
    lips = [
        VIEW.to_pixels(np.array([moment.geometry.at("lip corner", "left")]))[0].round().astype(int)
        for moment in moments
    ]
    strong = [draw_movement("happiness", VIEW, np.random.default_rng(seed)) for seed in range(20)]
    corner = [
        VIEW.to_pixels(np.array([moment.geometry.at("lip corner", "left")]))[0].round().astype(int)
        for moment in strong
    ]
    at_rest = np.median([np.hypot(*moment.field[y, x]) for moment, (x, y) in zip(moments, lips, strict=True)])
    smiling = np.median(
        [np.hypot(*moment.field[y, x]) for moment, (x, y) in zip(strong, corner, strict=True)]
    )
    assert smiling > 3 * at_rest


def test_raised_brows_bring_the_scalp_down(monkeypatch: pytest.MonkeyPatch) -> None:
    """Gray's anatomy: frontalis pulls on both. A smile leaves the hairline alone."""
    drawn = {
        name: [draw_movement(name, VIEW, np.random.default_rng(seed)).field for seed in range(10)]
        for name in ("surprise", "happiness")
    }
    monkeypatch.setattr(apex_movement, "MAX_SCALP_SHIFT", 0.0)
    again = [draw_movement("surprise", VIEW, np.random.default_rng(seed)).field for seed in range(10)]
    for name, fields in drawn.items():
        for seed, field in enumerate(fields):
            brought = field - draw_movement(name, VIEW, np.random.default_rng(seed)).field
            assert np.all(brought[..., 0] == 0) and np.all(brought[..., 1] > -1e-5)
            _, v = VIEW.face_grid()
            assert np.abs(brought[v > 0]).max() < 1e-3  # eyes and below
            if name == "happiness":
                assert np.all(brought == 0)
    assert (
        sum(np.any(field != without) for field, without in zip(drawn["surprise"], again, strict=True)) >= 8
    )  # most raise a brow


def test_the_same_seed_gives_the_same_bytes_on_any_number_of_processes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three blocks, the last of them not full; and in one block, which nobody sees either."""
    whole = simulate_flow(tmp_path / "whole", 20, jobs=1)
    monkeypatch.setattr(simulated, "BLOCK", 8)
    one, two = (simulate_flow(tmp_path / str(jobs), 20, jobs=jobs) for jobs in (1, 2))
    assert one.record.fingerprint == two.record.fingerprint == whole.record.fingerprint
    shorter, other = (
        simulate_flow(tmp_path / "shorter", 10, jobs=1),
        simulate_flow(tmp_path / "other", 10, seed=1, jobs=1),
    )
    assert np.array_equal(shorter.images, one.images[:10]) and not np.array_equal(
        other.images, shorter.images
    )
    assert simulate_flow(tmp_path / "1", 20, jobs=1).reused
    with pytest.raises(OutputTaken, match="inputs"):
        simulate_flow(tmp_path / "1", 21, jobs=1)


def test_classes_and_emotions_are_drawn_by_their_shares() -> None:
    """Each share of 4,000 draws within four standard deviations of the binomial."""
    drawn = Counter(draw_emotion(tuple(CLASSES), np.random.default_rng([0, i])) for i in range(4000))
    for emotions in CLASSES.values():
        count = sum(drawn[emotion] for emotion in emotions)
        assert abs(count - 4000 / 6) < 4 * np.sqrt(4000 / 6 * 5 / 6)
    negative = sum(drawn[emotion] for emotion in NEGATIVE)
    for emotion, weight in NEGATIVE.items():
        share = weight / sum(NEGATIVE.values())
        spread = 4 * np.sqrt(share * (1 - share) / negative)
        assert abs(drawn[emotion] / negative - share) < spread, emotion


def test_what_is_written(tmp_path: Path) -> None:
    made = simulate_flow(tmp_path / "out", 60, tuple(CLASSES), size=32, jobs=2)
    assert (
        made.images.shape == (60, 32, 32, 3) and made.record.synthetic and made.record.images_kind == "flow"
    )
    assert np.all(made.images.min(axis=(1, 2)) == 0) and np.all(made.images.max(axis=(1, 2)) == 255)
    drawn = [draw_emotion(tuple(CLASSES), np.random.default_rng([0, i])) for i in range(60)]
    assert made.clips["emotion"].tolist() == drawn and {*CLASSES["none"], "happiness"} <= set(drawn)
    assert (made.clips["action_units"] == "").equals(made.clips["emotion"] == "none")
    smiles = made.clips[made.clips["emotion"] == "happiness"]["action_units"]
    assert all({unit.number for unit in parse_action_units(text)} & {6, 12} for text in smiles)
    assert made.clips["person"].nunique() == 60


def test_classes_go_together_with_the_scheme_of_the_field() -> None:
    of = {emotion: name for name, emotions in CLASSES.items() for emotion in emotions}
    of = {emotion: name for emotion, name in of.items() if name not in ("none", "any", "alone")}
    assert all(SCHEMES["megc-3"].of[emotion] == name for emotion, name in of.items())


@pytest.mark.parametrize(("wishes", "message"), [
    ({"images": 0}, "Cannot make 0 images"),
    ({"images": 5, "seed": -1}, "seed -1"),
    ({"images": 5, "classes": ()}, "0 classes"),
    ({"images": 5, "size": 20}, "28 to 1024"),
])  # fmt: skip
def test_wishes_that_cannot_be_met(tmp_path: Path, wishes: dict, message: str) -> None:
    with pytest.raises(LearnetError, match=message):
        simulate_flow(tmp_path / "out", jobs=1, **wishes)
    assert not (tmp_path / "out").exists()


def test_an_unknown_class_is_named(tmp_path: Path) -> None:
    with pytest.raises(UnknownName, match="positive"):
        simulate_flow(tmp_path / "out", 5, ("positiv",), jobs=1)


def test_folders_of_different_seeds_show_different_people(tmp_path: Path) -> None:
    """They can be trained on together; two folders of one seed show the same people, and are refused."""
    folders = [tmp_path / "zero", tmp_path / "one"]
    for seed, folder in enumerate(folders):
        simulate_flow(folder, 6, ("alone",), seed=seed, jobs=1)
    both = open_datasets(folders, tmp_path / "never")
    assert both.clips["person"].nunique() == 12
    assert both.record.simulated and both.record.synthetic_extent == "yes"  # weights record no names
    simulate_flow(tmp_path / "again", 6, ("any",), seed=1, jobs=1)
    with pytest.raises(LearnetError, match="twice"):
        open_datasets([folders[1], tmp_path / "again"], tmp_path / "never")


def test_units_alone_are_equally_frequent() -> None:
    """Each of the 17 units within four standard deviations of the binomial in 3,400 draws."""
    rng = np.random.default_rng(0)
    geometry = average_face()
    counts: Counter[int] = Counter()
    for _ in range(3400):
        units = {one.unit for one in draw_expression("alone", make_style(rng), geometry, rng)}
        assert len(units) == 1
        counts.update(units)
    assert len(counts) == 17
    assert all(abs(count - 200) < 4 * np.sqrt(200 * 16 / 17) for count in counts.values())


@pytest.mark.parametrize("estimator", ["imitated", "measured"])
def test_wide_images_differ_from_narrow_ones_and_are_the_same_again(tmp_path: Path, estimator: str) -> None:
    wide, again = (
        simulate_flow(tmp_path / name, 9, estimator=estimator, variation="wide", jobs=1)  # type: ignore[arg-type]
        for name in ("wide", "again")
    )
    narrow = simulate_flow(tmp_path / "narrow", 9, estimator=estimator, jobs=1)  # type: ignore[arg-type]
    np.testing.assert_array_equal(wide.images, again.images)
    assert not any(np.array_equal(a, b) for a, b in zip(wide.images, narrow.images, strict=True))
    assert wide.record.reading["variation"] == "wide" and "variation" not in narrow.record.reading  # type: ignore[index,operator]
