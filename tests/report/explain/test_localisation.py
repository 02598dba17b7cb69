"""Shares inside the moving region against hand-worked cases, intervals against a plain bootstrap, strangers against the movement model."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from learnet.core.errors import LearnetError
from learnet.core.settings import Preparation
from learnet.report.explain.face_regions import found_face_crop
from learnet.report.explain.ground_truth import GroundTruthClip, _refine, render_emotion_clips
from learnet.report.explain.localisation import (
    bootstrap_over_people,
    measure_shares,
    share_inside,
    summarise_shares,
)
from learnet.simulation import scenes
from learnet.simulation.render import Camera, RecordingConditions, draw_conditions

SMALL = Camera(120, 160, 100.0, 62.0)


def clip(person: str, travelled: list[list[float]]) -> GroundTruthClip:
    return GroundTruthClip(
        np.zeros((2, 2, 3), np.uint8), np.array(travelled, np.float32), person, "happiness", "12"
    )


def test_the_share_inside_by_hand() -> None:
    found, inside = np.array([[3.0, -1.0], [0.0, 4.0]]), np.array([[True, True], [False, False]])
    assert share_inside(found, inside) == 0.5
    assert share_inside(np.zeros((2, 2)), inside) == 0.5  # nothing is nowhere: the area


def test_places_move_from_a_share_of_the_largest_displacement_on() -> None:
    assert clip("a", [[4, 1], [0.9, 0]]).moving(0.25).tolist() == [[True, True], [False, False]]


def test_the_interval_over_people_beside_a_plain_bootstrap() -> None:
    rng = np.random.default_rng(3)
    values, people = rng.random(30), [f"p{number % 5}" for number in range(25)] + ["p5"] * 5
    mean, low, high = bootstrap_over_people(values, people)
    names, draws = sorted(set(people)), []
    for _ in range(4000):
        drawn = rng.choice(names, len(names))
        draws.append(np.concatenate([values[np.array(people) == name] for name in drawn]).mean())
    assert mean == values.mean()
    np.testing.assert_allclose([low, high], np.percentile(draws, [2.5, 97.5]), atol=0.012)


def test_what_is_measured_by_hand() -> None:
    clips = [clip("a", [[1, 0], [0, 0]]), clip("a", [[0, 0], [0, 1]]), clip("b", [[1, 1], [0, 0]])]
    table = measure_shares(
        clips, {"even": lambda one: np.ones((2, 2), np.float32), "true": lambda one: one.travelled}
    )
    assert table["share"].tolist() == [0.25, 0.25, 0.5, 1, 1, 1]
    found = summarise_shares(table).set_index("look")
    assert found.loc["even", "share"] == pytest.approx(1 / 3) == found.loc["even", "area"]
    assert found.loc["true", "times_even"] == pytest.approx(3) and found.loc["true", "more"] == pytest.approx(
        2 / 3
    )
    assert pd.isna(found.loc["even", "more"]) and found.loc["true", "people"] == 2
    assert (found.loc["even", "low"], found.loc["even", "high"]) == (0.25, 0.5)  # only a, or only b


@pytest.mark.parametrize("owners", [False, True])
def test_strangers_move_where_it_is_said(owners: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Filmed with a still head, open eyes and a camera without noise, the image is grey but where the model says that the face moves."""

    def calm(*given: object) -> RecordingConditions:
        return replace(draw_conditions(*given), drift=0.0, blinks=(), flicker=0.0, noise=0.0)  # type: ignore[arg-type]

    monkeypatch.setattr(scenes, "draw_conditions", calm)
    clips = render_emotion_clips(
        Preparation(size=28), 2, ("surprise", "repression"), owners=owners, camera=SMALL, jobs=1
    )
    assert [one.emotion for one in clips] == ["surprise", "repression"] * 2 and len(
        {one.person for one in clips}
    ) == 2
    for one in clips:
        rows = np.average(np.arange(28), weights=one.travelled.sum(axis=1))
        assert (rows < 11) == (one.emotion == "surprise")  # brows above, mouth and chin below
        assert (
            0.05 < one.travelled.max() < 2.5 * 28 / 112
        )  # pixels: the strongest micro-expression moves 2.5 of a face of 112
        grey = np.median(one.image, axis=(0, 1))
        assert share_inside(np.abs(one.image - grey).mean(axis=-1), one.moving(0.05)) > 0.85


def test_the_same_seed_films_the_same() -> None:
    one, again, other = (
        render_emotion_clips(Preparation(size=28), 1, ("happiness",), seed=seed, camera=SMALL, jobs=1)[0]
        for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(one.image, again.image)
    assert not np.array_equal(one.image, other.image)


def test_nobody_and_a_needed_finder_are_refused() -> None:
    with pytest.raises(LearnetError, match="at least one"):
        render_emotion_clips(Preparation(), 0)
    with pytest.raises(LearnetError, match="face finder"):
        render_emotion_clips(Preparation(steady=True), 1)


def test_the_finer_crop_shows_what_the_crop_shows() -> None:
    """Averaged over its pixels again, it is the crop that found faces get."""
    fine, wanted = _refine(found_face_crop(28), SMALL), found_face_crop(28)
    again = fine.coarser(fine.width // 28)
    assert (again.height, again.width) == (28, 28) and fine.width > 56
    np.testing.assert_allclose([again.face_px, *again.origin], [wanted.face_px, *wanted.origin])
