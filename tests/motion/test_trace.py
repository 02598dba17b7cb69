"""The traced steps of a clip are those of `make_image`, and the figure shows them."""

from pathlib import Path

import numpy as np
import pytest

from learnet.core.errors import BadInput
from learnet.core.settings import Preparation
from learnet.motion.magnify import magnify_motion
from learnet.motion.pipeline import make_image
from learnet.motion.trace import ClipMarks, trace_pipeline
from learnet.report.clip_figures import trace_figure
from tests.datasets.prepared.test_prepare import pulsed, write_clip


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    """Images 11 to 26; a patch slides down until 17."""
    return write_clip(tmp_path / "clip", pulsed(16, 6), first=11)


@pytest.mark.parametrize("motion", ["dynamic", "flow-dis", "difference", "onset-face", "lbp-top"])
def test_every_step_is_that_of_preparing(clip: Path, motion: str) -> None:
    preparation = Preparation(motion=motion, face="none", size=120, magnify=2.0)
    steps = trace_pipeline(clip, preparation, ClipMarks(onset=12, offset=24), fps=200.0)
    frames = pulsed(16, 6)[1:14]
    np.testing.assert_array_equal(steps.frames, frames)
    np.testing.assert_array_equal(steps.crops, frames)
    np.testing.assert_array_equal(steps.magnified_crops, magnify_motion(frames, 2.0, 200.0))
    np.testing.assert_array_equal(steps.result.image, make_image(frames, preparation, None, fps=200.0).image)
    assert steps.numbers == tuple(range(12, 25)) and steps.numbers[steps.apex] == 17 and steps.apex_detected
    assert steps.motion_curve.argmax() == steps.apex and steps.preparation == preparation.settled
    given = trace_pipeline(clip, preparation, ClipMarks(12, 15, 24), fps=200.0)
    assert (given.apex, given.apex_detected) == (3, False)
    np.testing.assert_array_equal(given.result.image, make_image(frames, preparation, None, 3, 200.0).image)


def test_an_apex_must_be_among_the_frames(clip: Path) -> None:
    for apex in (11, 10, 27):
        with pytest.raises(BadInput, match=f"no frame {apex} after the onset; the frames are 11 to 26"):
            trace_pipeline(clip, Preparation(face="none"), ClipMarks(apex=apex))


def test_the_figure_shows_the_steps(clip: Path) -> None:
    steps = trace_pipeline(clip, Preparation(motion="flow-dis", face="none", size=56), ClipMarks())
    figure = trace_figure(steps)
    strips, crops, motion = (part.axes for part in figure.subfigs)
    captions = [axes.get_xlabel() for axes in strips]
    assert captions[0] == "11\nonset" and captions[-1] == "26\noffset" and "17\napex" in captions
    for axes, caption in zip(strips, captions, strict=True):
        np.testing.assert_array_equal(axes.images[0].get_array(), steps.frames[int(caption.split()[0]) - 11])
    assert len(crops) == len(strips)
    titles = ["u, pixels to the right", "v, pixels down", "strain", "Network input", "Movement"]
    assert [axes.get_title(loc="left") for axes in motion[:5]] == titles
    for channel in range(3):
        np.testing.assert_array_equal(
            motion[channel].images[0].get_array(), steps.result.motion[..., channel]
        )
    u, v, strain = (axes.images[0].get_clim() for axes in motion[:3])
    assert u == v == (-u[1], u[1]) and strain[0] == 0 and u[1] == np.abs(steps.result.motion[..., :2]).max()
    np.testing.assert_array_equal(motion[3].images[0].get_array(), steps.result.image)
    assert "detected" in figure.get_suptitle() and any("frame rate" in note for note in steps.notes)


def test_the_figure_of_histograms(clip: Path) -> None:
    """Three planes of one unit share a range from 0."""
    steps = trace_pipeline(clip, Preparation(motion="lbp-top", face="none", size=60), ClipMarks())
    planes = trace_figure(steps).subfigs[-1].axes[:3]
    assert [axes.get_title(loc="left") for axes in planes] == [
        f"{plane}, root of share" for plane in ("XY", "XT", "YT")
    ]
    assert {axes.images[0].get_clim() for axes in planes} == {(0.0, float(steps.result.motion.max()))}


def test_a_clip_without_any_motion_is_drawn(tmp_path: Path) -> None:
    still = write_clip(tmp_path / "still", np.repeat(pulsed(2, 1)[:1], 3, axis=0))
    for motion in ("dynamic", "flow-tvl1"):
        figure = trace_figure(trace_pipeline(still, Preparation(motion=motion, face="none"), ClipMarks()))
        figure.draw_without_rendering()
        assert any(axes.images for part in figure.subfigs for axes in part.axes), motion
