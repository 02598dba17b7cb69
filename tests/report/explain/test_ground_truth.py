"""Synthetic clips with ground truth: the image changes where the movement model moves the face."""

from dataclasses import replace

import numpy as np
import pytest

from learnet.core.errors import LearnetError
from learnet.core.settings import Preparation
from learnet.report.explain.face_regions import found_face_crop
from learnet.report.explain.ground_truth import (
    RenderSettings,
    _refine,
    render_emotion_clips,
    render_unit_clips,
)
from learnet.report.explain.localisation import share_inside
from learnet.simulation import scenes
from learnet.simulation.render import Camera, RecordingConditions, draw_conditions

SMALL = Camera(120, 160, 100.0, 62.0)
MAX_DISPLACEMENT_PX = 2.5 * 28 / 112  # the strongest micro-expression moves 2.5 pixels of a face of 112


@pytest.mark.parametrize("database_crop", [False, True])
def test_the_image_changes_where_the_face_moves(database_crop: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a still head, open eyes and a camera without noise, everything else in the image is grey."""

    def quiet(*args: object) -> RecordingConditions:
        return replace(draw_conditions(*args), drift=0.0, blinks=())  # type: ignore[arg-type]

    monkeypatch.setattr(scenes, "draw_conditions", quiet)
    settings = RenderSettings(camera=SMALL, database_crop=database_crop, noise=0.0)
    clips = render_emotion_clips(Preparation(size=28), 2, ("surprise", "repression"), settings, jobs=1)
    assert [clip.emotion for clip in clips] == ["surprise", "repression"] * 2
    assert len({clip.person for clip in clips}) == 2
    for clip in clips:
        mean_row = np.average(np.arange(28), weights=clip.displacement_px.sum(axis=1))
        brows = clip.emotion == "surprise"  # repression moves mouth and chin
        assert (mean_row < 11) == brows
        assert 0.05 < clip.displacement_px.max() < MAX_DISPLACEMENT_PX
        change = np.abs(clip.image - np.median(clip.image, axis=(0, 1))).mean(axis=-1)
        assert share_inside(change, clip.moving_region(0.05)) > 0.85


def test_single_units_move_one_side_by_turns() -> None:
    """AU 12 pulls the right lip corner of the first person, on the left of the image, then the left one."""
    settings = RenderSettings(camera=SMALL, noise=0.0)
    clips = render_unit_clips(Preparation(size=28), [(12, "happiness")], 2, settings, jobs=1)
    left_half, right_half = np.zeros((28, 28), bool), np.zeros((28, 28), bool)
    left_half[:, :14] = True
    right_half[:, 14:] = True
    for clip, half in zip(clips, (left_half, right_half), strict=True):
        change = np.abs(clip.image - np.median(clip.image, axis=(0, 1))).mean(axis=-1)
        assert share_inside(clip.displacement_px, half) > 0.9
        assert share_inside(change, half) > 0.9


def test_the_seed_determines_the_clip() -> None:
    images = []
    for seed in (1, 1, 2):
        settings = RenderSettings(seed=seed, camera=SMALL)
        (clip,) = render_emotion_clips(Preparation(size=28), 1, ("happiness",), settings, jobs=1)
        images.append(clip.image)
    np.testing.assert_array_equal(images[0], images[1])
    assert not np.array_equal(images[0], images[2])


def test_requests_that_cannot_be_rendered_are_refused() -> None:
    with pytest.raises(LearnetError, match="at least one"):
        render_emotion_clips(Preparation(), 0)
    with pytest.raises(LearnetError, match="--stabilise"):
        render_emotion_clips(Preparation(stabilise=True), 1)
    with pytest.raises(LearnetError, match="Action unit 17 has no sides"):
        render_unit_clips(Preparation(), [(17, "repression")], 1)


def test_the_refined_crop_shows_the_same_part_of_the_face() -> None:
    """Averaged over its pixels again, it equals the crop of a detected face."""
    fine, expected = _refine(found_face_crop(28), SMALL), found_face_crop(28)
    coarse = fine.coarser(fine.width // 28)
    assert fine.width > 56
    assert (coarse.height, coarse.width) == (28, 28)
    np.testing.assert_allclose([coarse.face_px, *coarse.origin], [expected.face_px, *expected.origin])
