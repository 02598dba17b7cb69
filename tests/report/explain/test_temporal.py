"""A clip over time: weights by their closed form, the movement of a clip whose script is known, answers beside the recogniser's."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from learnet.core.errors import BadInput, LearnetError
from learnet.core.settings import Preparation, Windows
from learnet.inference.recogniser import Recogniser
from learnet.motion import MOTION_IMAGES
from learnet.networks import NETWORKS
from learnet.report.explain.activation_figures import write_figures
from learnet.report.explain.clips import open_explained_clips
from learnet.report.explain.figures import explain_clip_temporal, explain_video_temporal
from learnet.report.explain.temporal import (
    DETECTED,
    KeyFrame,
    TemporalExplanation,
    VideoSegment,
    detect_onset_and_offset,
    explain_temporal,
    growing_windows,
    segment_of_video,
    sliding_windows,
    temporal_weights,
)
from learnet.report.explain.temporal_figure import PICTURES, temporal_figure
from learnet.simulation.render import Camera, render
from learnet.simulation.scenes import make_scene
from tests.builders.moving_face import frame, turned
from tests.builders.written_study import write_prepared
from tests.datasets.prepared.test_prepare import pulsed, write_clip
from tests.face.test_face import Known
from tests.training.test_initial_weights import FACTS, given

SMALL = Camera(120, 160, 200.0, 62.0)
PLAIN = replace(
    FACTS, preparation=Preparation(size=28, face="none"), data={**FACTS.data, "images_kind": "image"}
)


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    return given(tmp_path, PLAIN)


def test_weights_of_a_dynamic_image_by_the_closed_form() -> None:
    """Bilen et al.: frame t weighs the sum over i = t..T of (2i - T - 1) / i; three frames by hand."""
    found = temporal_weights("dynamic", 9, 4)
    assert found is not None
    np.testing.assert_allclose(
        found, [sum((2 * i - 10) / i for i in range(t, 10)) for t in range(1, 10)], atol=1e-12
    )
    np.testing.assert_allclose(temporal_weights("dynamic", 3, 1), [-2 + 0 + 2 / 3, 0 + 2 / 3, 2 / 3])


@pytest.mark.parametrize(
    "motion",
    [name for name, kind in MOTION_IMAGES.items() if kind.family == "image" and name != "dynamic-exact"],
)
def test_the_weights_are_those_that_fold_a_clip(motion: str, rng: np.random.Generator) -> None:
    frames, apex = rng.integers(0, 256, (7, 6, 6, 3), dtype=np.uint8), 4
    weights = temporal_weights(motion, 7, apex)
    assert weights is not None
    np.testing.assert_allclose(
        np.tensordot(weights, frames, axes=1),
        MOTION_IMAGES[motion].compute(frames, apex),
        rtol=1e-5,
        atol=2e-3,
    )


def test_flow_and_histograms_weigh_no_frames() -> None:
    assert all(
        temporal_weights(name, 7, 3) is None for name in ("flow-dis", "flow-tvl1", "lbp-top", "dynamic-exact")
    )


def test_the_ends_of_a_movement_by_hand() -> None:
    """Height 10 over a rest of 2: from 3 downwards it is at rest."""
    movement = np.array([2.0, 2.5, 2.9, 5, 12, 9, 4, 3.1, 2.8, 2])
    assert detect_onset_and_offset(movement, 4) == (2, 8)
    assert detect_onset_and_offset(np.array([5.0, 7, 9]), 2) == (
        0,
        2,
    )  # it rises from the first frame to the last


def test_windows_that_grow_and_windows_that_slide() -> None:
    assert growing_windows(2, 6, 4) == [(2, 3), (2, 4), (2, 5)]
    assert growing_windows(0, 101, 50, most=3) == [(0, 1), (0, 50), (0, 100)] and (0, 37) in growing_windows(
        0, 101, 37, most=3
    )
    assert (
        sliding_windows(6, 4) == [(0, 3), (1, 4), (2, 5)]
        and sliding_windows(3, 90) == [(0, 2)]
        and sliding_windows(4, 1) == [(0, 1), (1, 2), (2, 3)]
    )


@pytest.mark.parametrize("number", [1, 3])
def test_a_synthetic_clip_moves_when_its_script_says(number: int, weights: Path, tmp_path: Path) -> None:
    """Filmed with a still head: the movement is highest at the apex, and onset and offset are found where it begins and ends."""
    scene = make_scene(5, 77, number, "surprise", SMALL)
    still = replace(scene.recording.conditions, drift=0.0, blinks=(), noise=0.5, flicker=0.0)
    episode = replace(
        scene.recording.episodes[0], timing=replace(scene.recording.episodes[0].timing, residual=0.0)
    )
    frames = np.stack(list(render(replace(scene.recording, conditions=still, episodes=(episode,)))))
    folder = write_clip(tmp_path / "clip", frames, first=1)
    seen = explain_video_temporal(segment_of_video(folder, None, None, None, 200.0), weights)
    assert all(mark.source == DETECTED for mark in seen.marks.values())
    found = {name: mark.frame for name, mark in seen.marks.items()}
    long = scene.offset - scene.onset
    assert abs(found["apex"] - scene.apex) <= 0.1 * long
    assert (
        abs(found["onset"] - scene.onset) <= 0.25 * long
        and abs(found["offset"] - scene.offset) <= 0.25 * long
    )
    table = temporal_figure(seen).table
    assert table["movement"].idxmax() == found["apex"] - 1
    assert table.loc[table["mark"] == "apex", "marked_by"].tolist() == [DETECTED]
    assert table["time_s"].iloc[-1] == pytest.approx((len(frames) - 1) / 200)


@pytest.mark.parametrize("window_s", [None, 0.05])
def test_every_answer_is_that_of_the_recogniser(
    window_s: float | None, weights: Path, tmp_path: Path
) -> None:
    """A video of the window's frames alone, given to `learnet predict`."""
    frames = pulsed(16, 6)
    folder = write_clip(tmp_path / "clip", frames, first=11)
    windows = Windows(window_s=window_s) if window_s else None
    seen = explain_video_temporal(segment_of_video(folder, None, None, None, 200.0), weights, windows)
    assert len(seen.ends) == (15 if window_s is None else 7) and seen.grows is (window_s is None)
    recogniser = Recogniser.load(weights)
    for number in range(0, len(seen.ends), 3):
        start, end = seen.starts[number], seen.ends[number]
        part = write_clip(tmp_path / f"part-{number}", frames[start : end + 1], first=1)
        answer = recogniser(part, fps=200.0).strongest
        np.testing.assert_allclose(seen.scores[number], list(answer.scores.values()), atol=1e-6)
        assert seen.labels[number] == answer.label
    ended = temporal_figure(seen).table.set_index("frame")
    assert (
        ended.loc[11 + seen.ends[-1], "window_from"] == 11 + seen.starts[-1] and ended.loc[11, "label"] == ""
    )
    np.testing.assert_allclose(
        ended.loc[11 + seen.ends[-1], list(seen.classes)].astype(float), seen.scores[-1]
    )


@pytest.fixture
def cropped(tmp_path: Path) -> Path:
    """Weights that fit the prepared folder of `database`."""
    return given(tmp_path, replace(PLAIN, preparation=Preparation(size=28)))


def database(tmp_path: Path) -> Path:
    """A prepared folder of one person's clips whose frames are on disk: onset 12, apex 17, offset 24 of 11 to 26."""
    frames = write_clip(tmp_path / "films" / "clip", pulsed(16, 6), first=11)
    prepared = write_prepared(tmp_path / "prepared", people=1, clips=2)
    table = pd.read_csv(prepared / "clips.csv", dtype=str, keep_default_na=False)
    table[["onset", "apex", "offset", "face", "path"]] = ["12", "17", "24", "given", str(frames)]
    table.to_csv(prepared / "clips.csv", index=False)
    return prepared


def test_a_clip_of_a_database_brings_its_marks(cropped: Path, tmp_path: Path) -> None:
    """Frames around it are shown too; the window begins at the onset, and at the offset the answer is that of the prepared clip."""
    seen = explain_clip_temporal(open_explained_clips(database(tmp_path), cropped), "casme2/01/EP00")
    assert seen.marks == {
        "onset": KeyFrame(12, "file"),
        "apex": KeyFrame(17, "file"),
        "offset": KeyFrame(24, "file"),
    }
    assert (seen.numbers[0], seen.numbers[-1], seen.owners) == (11, 26, True)
    assert [seen.numbers[place] for place in seen.window] == [12, 24] and set(seen.starts) == {1}
    assert seen.weights is not None
    np.testing.assert_allclose(
        seen.weights[1:14], [sum((2 * i - 14) / i for i in range(t, 14)) for t in range(1, 14)], atol=1e-9
    )
    assert not seen.weights[[0, 14, 15]].any()


def test_what_is_not_there_is_told(cropped: Path, tmp_path: Path) -> None:
    prepared = database(tmp_path)
    (tmp_path / "plain").mkdir()
    plain = given(tmp_path / "plain", PLAIN)
    folder = tmp_path / "films" / "clip"
    with pytest.raises(BadInput, match="the apex, frame 40, is not there; the frames are 11 to 26"):
        explain_video_temporal(segment_of_video(folder, None, 40, None, 200.0), plain)
    with pytest.raises(BadInput, match="out of order"):
        explain_video_temporal(
            VideoSegment(
                folder,
                "clip",
                marks={"apex": KeyFrame(20, "given"), "offset": KeyFrame(15, "given")},
                fps=200.0,
            ),
            plain,
        )
    with pytest.raises(LearnetError, match="at most 10 s"):
        explain_video_temporal(segment_of_video(folder, None, None, None, 1.0), plain)
    folder.rename(tmp_path / "elsewhere")
    with pytest.raises(BadInput, match="frames of casme2/01/EP00 are gone"):
        explain_clip_temporal(open_explained_clips(prepared, cropped), "casme2/01/EP00")


def seen_over_time(crops: np.ndarray) -> TemporalExplanation:
    """Two clips that move alike and are answered alike may differ in their faces only."""
    count = len(crops)
    marks = {
        "onset": KeyFrame(0, "file"),
        "apex": KeyFrame(3, "midpoint"),
        "offset": KeyFrame(count - 1, "file"),
    }
    pairs = growing_windows(0, count, count - 1)
    starts, ends = (np.array(each) for each in zip(*pairs, strict=True))
    scores = np.tile([0.25, 0.75], (len(pairs), 1))
    movement = np.linspace(0, 4, count)
    return TemporalExplanation("c", "learnet", "dynamic", ("a", "b"), 100.0, tuple(range(count)), crops, movement, marks, len(pairs) - 1, 3,
                temporal_weights("dynamic", count, 3), starts, ends, scores, True, ())  # fmt: skip


def test_notes_name_frames_as_the_files_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Frames 11 to 30, read from 14 on, of which the first three show no face: the note speaks of frame 17."""
    film = np.stack([frame(turned(0, 1, (0.1 * t, 0.0))) for t in range(20)])
    folder = write_clip(tmp_path / "clip", film, first=11)
    monkeypatch.setattr("learnet.report.explain.temporal.face_finder", lambda kind, model: Known(blind=3))
    facts = replace(PLAIN, preparation=Preparation(size=28))
    seen = explain_temporal(
        NETWORKS["learnet"](len(facts.classes), 28).eval(),
        facts,
        segment_of_video(folder, 14, None, None, 200.0),
    )
    assert [note for note in seen.notes if "found in frame 17" in note] and "counted from" not in "".join(
        seen.notes
    )


def test_no_face_is_in_the_picture_unless_asked_for(rng: np.random.Generator, tmp_path: Path) -> None:
    """Two faces that change alike: the pictures are the same but where faces are shown, which then are those of the clip."""
    change = rng.integers(0, 40, (9, 112, 112, 1))
    one, other = (
        np.broadcast_to(rng.integers(0, 200, (112, 112, 3)) + change, (9, 112, 112, 3)).astype(np.uint8)
        for _ in range(2)
    )
    written = {}
    for strip in ("change", "lines", "faces"):
        for number, crops in enumerate((one, other)):
            write_figures(tmp_path / f"{number}", {strip: temporal_figure(seen_over_time(crops), strip)})
        written[strip] = [
            [(tmp_path / f"{number}" / f"{strip}.{kind}").read_bytes() for number in (0, 1)]
            for kind in ("png", "csv")
        ]
        assert written[strip][1][0] == written[strip][1][1]
    assert all(written[strip][0][0] == written[strip][0][1] for strip in ("change", "lines"))
    assert written["faces"][0][0] != written["faces"][0][1]
    figure = temporal_figure(seen_over_time(one), "faces").figure
    boxes = figure.axes[0].child_axes
    shown = [box.images[0].get_array() for box in boxes if box.images]
    assert len(shown) == PICTURES and all(
        any(np.array_equal(picture, crop) for crop in one) for picture in shown
    )


def test_coarse_squares_are_all_that_lines_tell(rng: np.random.Generator) -> None:
    crops = rng.integers(0, 256, (9, 112, 112, 3), dtype=np.uint8)
    boxes = temporal_figure(seen_over_time(crops), "lines").figure.axes[0].child_axes
    assert all(box.images[0].get_array().shape == (14, 14) for box in boxes if box.images)


def test_a_window_without_an_answer_stays_empty(tmp_path: Path, rng: np.random.Generator) -> None:
    """dynamic-fall has nothing to fold where the apex is the last frame."""
    facts = replace(PLAIN, preparation=Preparation(size=28, face="none", motion="dynamic-fall"))
    folder = write_clip(tmp_path / "clip", pulsed(16, 6), first=1)
    stretch = VideoSegment(
        folder,
        "clip",
        marks={"onset": KeyFrame(1, "given"), "apex": KeyFrame(7, "given"), "offset": KeyFrame(16, "given")},
        fps=200.0,
    )
    seen = explain_temporal(NETWORKS["learnet"](len(facts.classes), 28).eval(), facts, stretch)
    assert np.isnan(seen.scores[seen.ends == 6]).all() and not np.isnan(seen.scores[-1]).any()
    assert seen.table().set_index("frame").loc[7, "label"] == ""


def test_the_advice_for_a_video_without_a_face_can_be_taken(
    shared: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The line says `--face none`; the same command with it draws the frames as they are."""
    from learnet.cli import app

    words = ["explain", "temporal", str(shared / "real" / "no_face.mp4"), str(tmp_path / "out"), "--offset", "12"]
    with pytest.raises(LearnetError, match="`--face none` takes the frames as face crops"):
        app(words, exit_on_error=False)
    app([*words, "--face", "none"], exit_on_error=False, result_action="return_value")
    assert (tmp_path / "out" / "when.png").is_file()
    table = pd.read_csv(tmp_path / "out" / "when.csv")
    assert len(table) >= 13
