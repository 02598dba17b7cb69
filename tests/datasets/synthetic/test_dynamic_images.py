"""Simulated dynamic images: against their definition, and against `learnet prepare` on the same frames."""

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from learnet.core.errors import LearnetError, UnknownName
from learnet.core.labels import SCHEMES
from learnet.core.records import DatasetIndex
from learnet.core.settings import Preparation
from learnet.datasets.prepared.prepare import prepare
from learnet.datasets.synthetic import dynamic_images as rendered
from learnet.datasets.synthetic.dynamic_images import (
    FIRST_PERSON,
    FRAME_RATES,
    RenderedClip,
    render_clip,
    simulate_dynamic,
)
from learnet.face import eye_transform, face_finder
from learnet.motion.pipeline import make_image
from learnet.simulation.measured_flow import FACE_PX, IMAGES_PER_PERSON
from learnet.simulation.render import render
from tests.datasets.prepared.test_prepare import clip_of, write_clip

ALL = ("negative", "positive", "surprise", "none")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory):
    return simulate_dynamic(tmp_path_factory.mktemp("made") / "out", 24, ALL, jobs=1)


@pytest.fixture
def still_head(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing moves but the expression, and perhaps a blink."""
    monkeypatch.setattr(rendered, "HEAD_PX", 0.0)
    monkeypatch.setattr(rendered, "draw_blink", lambda _: ())


def by_definition(crops: np.ndarray) -> np.ndarray:
    """Rank pooling by its definition, as in test_dynamic, scaled to 0..255 over all channels together."""
    means = [crops[:t].astype(np.float64).mean(axis=0) for t in range(1, len(crops) + 1)]
    image = sum(means[q] - means[t] for q in range(len(means)) for t in range(q))
    return 255 * (image - image.min()) / (image.max() - image.min())


def test_an_image_is_the_dynamic_image_of_its_frames(made) -> None:
    """The crops are computed independently, each pixel as the mean of 4 x 4 positions inside it.

    Whole frames are aligned by the known eyes, crops are resized. The images are correlated rather than
    equal, because the two ways average the noise differently.
    """
    seen = set()
    fine = 4
    for number, (emotion, face) in enumerate(
        zip(made.clips["emotion"][:8], made.clips["face"][:8], strict=True)
    ):
        rendered_clip = render_clip(emotion, 0, number)
        height, width = rendered_clip.frames.shape[1:3]
        assert face == ("known" if rendered_clip.finder else "given") and made.clips["frames"][number] == len(
            rendered_clip.frames
        )
        there = np.array([[112 / width, 0, 56 / width - 0.5], [0, 112 / height, 56 / height - 0.5]])
        if rendered_clip.finder:
            known = rendered_clip.finder(rendered_clip.frames[0])
            assert known is not None
            there = eye_transform(known, 112)
        finer = np.array([[fine, 0, (fine - 1) / 2], [0, fine, (fine - 1) / 2]]) @ np.vstack(
            [there, [0, 0, 1]]
        )
        large = [
            cv2.warpAffine(frame, finer, (112 * fine, 112 * fine), borderMode=cv2.BORDER_REPLICATE)
            for frame in rendered_clip.frames
        ]
        crops = np.stack(large).reshape(-1, 112, fine, 112, fine, 3).mean(axis=(2, 4))
        wanted, found = by_definition(crops), made.images[number].astype(float)
        assert np.corrcoef(wanted.ravel(), found.ravel())[0, 1] > 0.97, number
        seen.add(face)
    assert seen == {"known", "given"}


def test_a_clip_goes_from_its_last_frame_at_rest_to_its_offset() -> None:
    number = next(number for number in range(8) if render_clip("surprise", 0, number).finder)
    rendered_clip = render_clip("surprise", 0, number)
    scene = rendered_clip.scene
    everything = np.stack(list(render(scene.recording)))
    np.testing.assert_array_equal(rendered_clip.frames, everything[scene.onset - 1 : scene.offset])
    level = scene.recording.episodes[0].timing.intensity(scene.recording.times)[
        scene.onset - 1 : scene.offset
    ]
    assert level[0] == 0 and level[1] > 0 and level.max() == pytest.approx(1) and level[-2] > level[-1]


def test_prepare_makes_the_same_image_of_the_same_frames(made, tmp_path: Path) -> None:
    number = int(np.flatnonzero(made.clips["face"] == "given")[0])
    rendered_clip = render_clip(made.clips["emotion"][number], 0, number)
    path = write_clip(tmp_path / "clip", rendered_clip.frames)
    clip = clip_of(path, "01", "clip", len(rendered_clip.frames), apex=None, apex_source="none")
    prepared = prepare(DatasetIndex([clip], []), tmp_path / "out", Preparation(), jobs=1)
    np.testing.assert_array_equal(prepared.images[0], made.images[number])
    assert prepared.record.preparation == made.record.preparation  # no finder was asked in either


def test_whole_frames_show_a_face_at_the_known_position() -> None:
    haar, off = face_finder("haar"), []
    for number in range(12):
        rendered_clip = render_clip("surprise", 5, number)
        if rendered_clip.finder and (found := haar(rendered_clip.frames[0])):
            known = np.array(rendered_clip.finder(rendered_clip.frames[0]).eyes)  # type: ignore[union-attr]
            off.append(
                np.linalg.norm(np.array(found.eyes) - known, axis=1) / np.linalg.norm(known[1] - known[0])
            )
    assert len(off) >= 3 and np.max(off) < 0.12 and np.mean(off) > 0.01


def test_what_is_written(made) -> None:
    record, clips = made.record, made.clips
    assert made.images.shape == (24, 112, 112, 3) and made.images.dtype == np.uint8
    assert all(image.min() == 0 and image.max() == 255 for image in made.images)
    assert record.images_kind == "image" and record.synthetic and record.simulated and record.people == 3
    assert record.reading["motion"] == "dynamic" and record.preparation.normalise == "joint-minmax"
    assert list(clips["person"].value_counts()) == [IMAGES_PER_PERSON] * 3 and clips["clip"].is_unique
    assert (clips["action_units"] == "").equals(clips["emotion"] == "none")
    assert {SCHEMES["megc-4"].of[emotion] for emotion in clips["emotion"]} == set(ALL)
    assert set(clips["fps"]) <= set(FRAME_RATES) and all(clips.groupby("person")["fps"].nunique() == 1)


def test_the_same_seed_gives_the_same_bytes_on_any_number_of_processes(
    made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rendered, "BLOCK", 5)  # processes share people
    two = simulate_dynamic(tmp_path / "two", 11, ALL, jobs=2)
    np.testing.assert_array_equal(two.images, made.images[:11])
    assert two.clips.equals(made.clips[:11])
    other = simulate_dynamic(tmp_path / "other", 2, ALL, seed=1, jobs=1)
    assert not np.array_equal(other.images, made.images[:2])
    assert simulate_dynamic(tmp_path / "two", 11, ALL, jobs=1).reused


@pytest.mark.usefixtures("still_head")
def test_an_expression_moves_more_than_none_and_where_it_should() -> None:
    """The same person, light and noise with and without it: the difference is the expression alone."""

    def motion(rendered_clip: RenderedClip) -> np.ndarray:
        return make_image(rendered_clip.frames, Preparation(), rendered_clip.finder).motion

    for emotion, upper in (("surprise", True), ("happiness", False)):
        stronger, shares = 0, []
        for number in range(6):
            expressed, neutral = render_clip(emotion, 2, number), render_clip("none", 2, number)
            assert len(expressed.frames) == len(neutral.frames) and (expressed.finder is None) == (
                neutral.finder is None
            )
            with_it, without = motion(expressed), motion(neutral)
            stronger += np.abs(with_it).mean() > np.abs(without).mean()
            rows = np.abs(with_it - without).mean(axis=(1, 2))
            shares.append(rows[:50].sum() / rows.sum())  # above the tip of the nose
        assert stronger >= 5
        assert (np.median(shares) > 0.6) == upper and (np.median(shares) < 0.4) != upper, (emotion, shares)


def test_a_person_keeps_camera_and_face_and_is_in_no_synthetic_database() -> None:
    scenes = [
        render_clip("disgust", 0, number).scene for number in (0, IMAGES_PER_PERSON - 1, IMAGES_PER_PERSON)
    ]
    assert scenes[0].recording.person == scenes[1].recording.person != scenes[2].recording.person
    assert scenes[0].recording.camera == scenes[1].recording.camera != scenes[2].recording.camera
    assert [scene.person for scene in scenes] == [FIRST_PERSON, FIRST_PERSON, FIRST_PERSON + 1]
    assert all(FACE_PX[0] <= scene.recording.camera.face_px <= FACE_PX[1] for scene in scenes)
    assert scenes[0].recording.conditions != scenes[1].recording.conditions


def test_eye_positions_have_the_error_of_a_detector() -> None:
    scene = render_clip("none", 0, 0).scene
    geometry, view = scene.recording.person.geometry, replace(scene.recording.conditions.view, roll_deg=3.0)
    eyes = np.array(
        [rendered.draw_detected_face(geometry, view, np.random.default_rng(seed)).eyes for seed in range(400)]
    )
    marks = [
        (np.array(geometry.at("upper lid", side)) + geometry.at("lower lid", side)) / 2
        for side in ("right", "left")
    ]
    apart = view.face_px * np.linalg.norm(np.subtract(*marks))
    np.testing.assert_allclose(eyes.mean(axis=0), view.to_pixels(np.array(marks)), atol=0.04 * apart)
    np.testing.assert_allclose(eyes.std(axis=0) / apart, 0.025, rtol=0.15)


@pytest.mark.parametrize(("options", "message"), [
    ({"images": 0}, "Cannot make 0 images"),
    ({"images": 5, "seed": -1}, "seed -1"),
    ({"images": 5, "size": 20}, "28 to 1024"),
])  # fmt: skip
def test_impossible_options_are_refused(tmp_path: Path, options: dict, message: str) -> None:
    with pytest.raises(LearnetError, match=message):
        simulate_dynamic(tmp_path / "out", jobs=1, **options)
    with pytest.raises(UnknownName, match="surprise"):
        simulate_dynamic(tmp_path / "out", 5, ("suprise",), jobs=1)
    assert not (tmp_path / "out").exists()
