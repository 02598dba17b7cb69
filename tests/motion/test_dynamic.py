"""Dynamic images against their definition, closed form, published numbers and another ranking solver."""

import tracemalloc
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize
from sklearn.svm import LinearSVC

from learnet.core.errors import LearnetError, TooFewFrames, UnknownName
from learnet.motion import MOTION_IMAGES, weighted_sum
from learnet.motion.dynamic import (
    Accumulator,
    dynamic_image,
    dynamic_image_released,
    rank_weights,
)
from learnet.motion.rank_svm import dynamic_image_exact

FIXED = ("dynamic", "dynamic-released", "dynamic-linear")
ZERO_SUM = ("dynamic", "dynamic-linear", "dynamic-exact")


def test_dynamic_image_follows_from_its_definition(rng: np.random.Generator) -> None:
    """Rank pooling by definition: the sum of V_q - V_t over all t < q, V_t the mean of the first t frames."""
    frames = rng.integers(0, 256, (7, 4, 5, 3), dtype=np.uint8)
    means = [frames[:t].mean(axis=0) for t in range(1, 8)]
    expected = sum(means[q] - means[t] for q in range(7) for t in range(q))
    np.testing.assert_allclose(
        dynamic_image(frames), expected, rtol=1e-6, atol=1e-3
    )  # float32, values near 1e3


def test_linear_image_follows_from_its_definition(rng: np.random.Generator) -> None:
    """The same without the means: the sum of f_q - f_t over all t < q."""
    frames = rng.integers(0, 256, (6, 4, 5, 3), dtype=np.uint8)
    expected = sum(frames[q].astype(float) - frames[t] for q in range(6) for t in range(q))
    np.testing.assert_allclose(
        MOTION_IMAGES["dynamic-linear"].compute(frames, None), expected, rtol=1e-6, atol=1e-3
    )


@pytest.mark.parametrize("frames", [2, 3, 5, 64, 333])
def test_weights_match_the_double_sum_in_fractions_and_the_closed_form(frames: int) -> None:
    t = np.arange(1, frames + 1)
    for kind, missing in (("dynamic", 1), ("dynamic-released", 0)):
        exact = [sum(Fraction(2 * i - frames - missing, i) for i in range(n, frames + 1)) for n in t.tolist()]
        np.testing.assert_allclose(
            rank_weights(frames, kind), [float(weight) for weight in exact], rtol=1e-12, atol=1e-9
        )
        assert sum(exact) == (0 if kind == "dynamic" else frames)
    harmonic = np.array([sum(1.0 / i for i in range(1, n)) for n in range(1, frames + 2)])  # H_0 .. H_T
    closed = 2 * (frames - t + 1) - (frames + 1) * (harmonic[-1] - harmonic[t - 1])
    np.testing.assert_allclose(rank_weights(frames), closed, rtol=1e-12, atol=1e-9)


def test_weights_are_the_published_ones() -> None:
    """Computed from the MATLAB of Bilen et al. and by running the LEARNet authors' Python (five frames)."""
    np.testing.assert_allclose(rank_weights(5), [-3.7, 0.3, 1.3, 1.3, 0.8], atol=1e-12)
    np.testing.assert_allclose(
        rank_weights(5, "dynamic-released"), [-1.4167, 1.5833, 2.0833, 1.75, 1.0], atol=5e-5
    )
    np.testing.assert_array_equal(rank_weights(5, "dynamic-linear"), [-4, -2, 0, 2, 4])
    assert rank_weights(10)[0] == pytest.approx(-12.2187, abs=5e-5)
    assert rank_weights(10, "dynamic-released")[3] == pytest.approx(3.0437, abs=5e-5)


@pytest.mark.parametrize("dtype", [np.uint8, np.float32, np.float64])
@pytest.mark.parametrize("kind", FIXED)
@pytest.mark.parametrize("count", [2, 7, 8, 9, 33, 200])  # around the length of a block
def test_every_kind_of_number_gives_the_plain_weighted_sum(
    rng: np.random.Generator, count: int, kind: str, dtype: type
) -> None:
    frames = rng.integers(0, 256, (count, 9, 7, 3)).astype(dtype)
    expected = sum(
        weight * frame.astype(np.float64)
        for weight, frame in zip(rank_weights(count, kind), frames, strict=True)
    )
    image = MOTION_IMAGES[kind].compute(frames, None)
    assert image.dtype == np.float32
    np.testing.assert_allclose(image, expected, rtol=1e-7, atol=1e-9)  # as exact as float32 allows


def test_floats_may_have_any_range_and_any_number_of_channels(rng: np.random.Generator) -> None:
    frames = rng.normal(
        1e6, 1e-3, (9, 3, 4, 1)
    )  # a small motion on a large level, which weighting the level would lose
    expected = np.tensordot(rank_weights(9), frames - 1e6, axes=1)
    np.testing.assert_allclose(dynamic_image(frames), expected, rtol=1e-5, atol=1e-8)


def test_views_in_any_order_of_memory(rng: np.random.Generator) -> None:
    frames = rng.integers(0, 256, (20, 12, 10, 3), dtype=np.uint8)
    for view in (frames[::-2, 1:, ::3, ::-1], frames.transpose(0, 2, 1, 3), np.asfortranarray(frames)):
        np.testing.assert_array_equal(dynamic_image(view), dynamic_image(np.ascontiguousarray(view)))


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_threads_and_tiles_join_without_a_seam(
    rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch, dtype: type
) -> None:
    frames = rng.integers(0, 256, (20, 31, 17, 3)).astype(dtype)
    whole = dynamic_image(frames)
    for tile in (1, 100, 17 * 3 * 30):
        monkeypatch.setattr(weighted_sum, "TILE_SIZE", tile)
        monkeypatch.setattr(weighted_sum, "MIN_THREADED_SIZE", frames.size + 1)
        alone = dynamic_image(frames)
        monkeypatch.setattr(weighted_sum, "MIN_THREADED_SIZE", 0)
        np.testing.assert_array_equal(dynamic_image(frames), alone)
        np.testing.assert_allclose(alone, whole, rtol=1e-7, atol=1e-9)


@settings(max_examples=40, deadline=None)
@given(
    kind=st.sampled_from(ZERO_SUM),
    count=st.integers(2, 80),
    dtype=st.sampled_from([np.uint8, np.float32, np.float64]),
    seed=st.integers(0, 99),
)
def test_what_never_changes_is_exactly_zero(kind: str, count: int, dtype: type, seed: int) -> None:
    still = (np.random.default_rng(seed).random((3, 4, 3)) * 255).astype(dtype)
    frames = np.repeat(still[None], count, axis=0)
    assert not MOTION_IMAGES[kind].compute(frames, None).any()
    frames[:, 1:] = np.random.default_rng(seed).random((count, 2, 4, 3)) * 255  # then two of three rows move
    assert not MOTION_IMAGES[kind].compute(frames, None)[0].any()
    frames[:, 1:] = still[1:]
    frames[-1, 0, 0, 0] += 1  # one pixel moves, and the others still give zero
    image = MOTION_IMAGES[kind].compute(frames, None)
    assert image[0, 0, 0] != 0
    image[0, 0, 0] = 0
    assert not image.any()


@pytest.mark.parametrize("dtype", [np.uint8, np.float32, np.float64])
def test_a_still_clip_in_the_released_kind_is_the_frame_times_its_length(
    rng: np.random.Generator, dtype: type
) -> None:
    still = (rng.random((5, 4, 3)) * 255).astype(dtype)
    for count in (2, 5, 52, 130):
        np.testing.assert_allclose(
            dynamic_image_released(np.repeat(still[None], count, axis=0)),
            count * still.astype(float),
            rtol=1e-6,
        )


@pytest.mark.parametrize("dtype", [np.uint8, np.float32, np.float64])
@pytest.mark.parametrize("kind", FIXED)
def test_accumulator_ends_where_the_function_does(rng: np.random.Generator, kind: str, dtype: type) -> None:
    frames = (rng.random((30, 6, 5, 3)) * 255).astype(dtype)
    accumulator = Accumulator(30, kind)
    buffer = np.empty_like(frames[0])
    for frame in frames:
        buffer[:] = frame  # a camera reuses one buffer
        accumulator.add(buffer)
    whole = MOTION_IMAGES[kind].compute(frames, None)
    np.testing.assert_allclose(accumulator.image(), whole, rtol=1e-6, atol=1e-6 * np.abs(whole).max())


def test_accumulator_of_a_still_clip_is_exactly_zero(rng: np.random.Generator) -> None:
    still = rng.integers(0, 256, (4, 4, 3), dtype=np.uint8)
    for kind, times in (("dynamic", 0), ("dynamic-linear", 0), ("dynamic-released", 37)):
        accumulator = Accumulator(37, kind)
        for _ in range(37):
            accumulator.add(still)
        np.testing.assert_array_equal(accumulator.image(), times * still.astype(np.float32))


def test_accumulator_counts_its_frames(rng: np.random.Generator) -> None:
    frames = rng.integers(0, 256, (3, 4, 5, 3), dtype=np.uint8)
    accumulator = Accumulator(2)
    with pytest.raises(LearnetError, match="0 of 2 frames"):
        accumulator.image()
    accumulator.add(frames[0])
    with pytest.raises(LearnetError, match="1 of 2 frames"):
        accumulator.image()
    with pytest.raises(LearnetError, match="Frame 2 is"):
        accumulator.add(frames[1, :2])
    accumulator.add(frames[1])
    with pytest.raises(LearnetError, match="all been added"):
        accumulator.add(frames[2])
    np.testing.assert_allclose(
        accumulator.image(), frames[1].astype(float) / 2 - frames[0] / 2
    )  # T = 2 by hand: -1/2 and 1/2


def test_memory_does_not_grow_with_the_clip(rng: np.random.Generator) -> None:
    def peak(count: int) -> int:
        tracemalloc.start()
        accumulator = Accumulator(count)
        for _ in range(count):
            accumulator.add(frame)
        accumulator.image()
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return most

    frame = rng.integers(0, 256, (60, 80, 3), dtype=np.uint8)
    assert peak(200) < peak(10) + 20_000  # the weights grow by 8 bytes a frame
    assert peak(10) < 5 * frame.size * 8


def test_memory_above_the_input_is_bounded(rng: np.random.Generator) -> None:
    frames = np.empty((150, 240, 320, 3), dtype=np.uint8)  # 35 MB; in floats it would be 140 or 280 MB
    frames[:] = rng.integers(0, 256, (240, 320, 3), dtype=np.uint8)
    for clip in (frames, frames[:60].astype(np.float32)):
        tracemalloc.start()
        dynamic_image(clip)
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert most < 20e6


@pytest.mark.parametrize("kind", [*FIXED, "dynamic-exact"])
@pytest.mark.parametrize("count", [0, 1])
def test_one_frame_or_none_is_refused(kind: str, count: int) -> None:
    with pytest.raises(TooFewFrames, match=f"has {count} frame.*at least 2"):
        MOTION_IMAGES[kind].compute(np.zeros((count, 4, 4, 3), dtype=np.uint8), None)
    if kind != "dynamic-exact":
        with pytest.raises(TooFewFrames):
            Accumulator(count, kind)


def test_kinds_that_have_no_weights_are_refused() -> None:
    with pytest.raises(UnknownName, match="Did you mean 'dynamic-linear'"):
        rank_weights(5, "dynamic-liner")
    with pytest.raises(LearnetError, match="depend on all frames"):
        Accumulator(5, "dynamic-exact")
    with pytest.raises(LearnetError, match="above 0"):
        dynamic_image_exact(np.zeros((3, 2, 2, 3), dtype=np.uint8), penalty=0.0)


def pairs(frames: np.ndarray) -> tuple[np.ndarray, float]:
    """Return V_q - V_t for all t < q as rows, and the mean of their squared lengths, by the definition."""
    means = [frames[: t + 1].reshape(t + 1, -1).mean(axis=0) for t in range(len(frames))]
    rows = np.array([means[q] - means[t] for q in range(len(frames)) for t in range(q)])
    return rows, float((rows**2).sum(axis=1).mean())


def moving(rng: np.random.Generator, count: int) -> np.ndarray:
    """Return a clip with drift and noise, so that some pairs are hard to order."""
    walk = np.cumsum(rng.normal(0, 4, (count, 4, 5, 1)), axis=0)
    return np.clip(128 + walk + rng.normal(0, 3, (count, 4, 5, 1)), 0, 255).astype(np.uint8)


@pytest.mark.parametrize("penalty", [0.02, 1.0, 30.0])
def test_exact_image_is_the_ranking_svm_of_liblinear(rng: np.random.Generator, penalty: float) -> None:
    frames = moving(rng, 12)
    rows, spread = pairs(frames)
    scaled = rows / np.sqrt(spread)
    both = np.concatenate([scaled, -scaled])  # liblinear needs two classes; each pair then counts twice
    sides = np.repeat([1, -1], len(scaled))
    machine = LinearSVC(loss="hinge", C=penalty / 2, fit_intercept=False, tol=1e-9, max_iter=2_000_000).fit(
        both, sides
    )
    expected = machine.coef_.ravel() / np.sqrt(spread)
    np.testing.assert_allclose(
        dynamic_image_exact(frames, penalty).ravel(), expected, rtol=0, atol=2e-3 * np.abs(expected).max()
    )


def test_exact_image_is_the_minimum_of_its_objective(rng: np.random.Generator) -> None:
    """The quadratic program in pixels and slack variables, solved by scipy."""
    frames = moving(rng, 5)[:, :2, :3]
    rows, spread = pairs(frames)
    count, pixels = rows.shape

    def objective(x: np.ndarray) -> float:
        return 0.5 * x[:pixels] @ x[:pixels] + x[pixels:].sum()

    scaled = rows / np.sqrt(spread)
    limits = [
        {"type": "ineq", "fun": lambda x: scaled @ x[:pixels] - 1 + x[pixels:]},
        {"type": "ineq", "fun": lambda x: x[pixels:]},
    ]
    solution = minimize(
        objective,
        np.ones(pixels + count),
        constraints=limits,
        method="SLSQP",
        options={"ftol": 1e-12, "maxiter": 500},
    )
    assert solution.success
    image = dynamic_image_exact(frames).ravel().astype(np.float64)
    np.testing.assert_allclose(image * np.sqrt(spread), solution.x[:pixels], atol=1e-4)
    mine = np.concatenate([image * np.sqrt(spread), np.clip(1 - rows @ image, 0, None)])
    assert objective(mine) == pytest.approx(solution.fun, rel=1e-5)


def test_exact_image_tends_to_the_approximate_one(rng: np.random.Generator) -> None:
    """With a small penalty every pair is short of its margin: d is C / v times the sum of all V_q - V_t."""
    frames = moving(rng, 8)
    spread = pairs(frames)[1]
    expected = dynamic_image(frames) * (1e-4 / spread)
    np.testing.assert_allclose(
        dynamic_image_exact(frames, 1e-4), expected, atol=1e-4 * np.abs(expected).max()
    )


def test_exact_image_orders_the_clip_and_does_not_mind_contrast(rng: np.random.Generator) -> None:
    frames = moving(rng, 60)
    image = dynamic_image_exact(frames, 100.0)
    rows, _ = pairs(frames)
    assert (rows @ image.ravel() > 0).mean() > 0.99
    halved = dynamic_image_exact(frames / 2, 100.0)  # half the levels, twice the image: the same picture
    np.testing.assert_allclose(halved, 2 * image, atol=1e-4 * np.abs(image).max())
    faint = dynamic_image_exact(frames / 2.0**40 + 1, 100.0)  # weights of 1e20, which must still cancel
    np.testing.assert_allclose(faint, 2.0**40 * image, atol=1e-3 * 2.0**40 * np.abs(image).max())
