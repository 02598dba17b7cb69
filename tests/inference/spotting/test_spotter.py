"""The spotter: the same events however frames arrive, constant memory, and what it cannot judge."""

from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from learnet.core.records import Event, UnjudgedStretch
from learnet.face import Face, face_finder
from learnet.inference.spotting import Spotter, Spotting, spot, spot_each, spot_video
from learnet.inference.spotting import spotter as spotter_module
from learnet.inference.spotting.disturbances import (
    CHANGES,
    COVERED,
    CUT_OFF,
    FEW_FRAMES,
    FRAMES_MISSING,
    NO_FACE,
    STOPS_EARLY,
)
from learnet.inference.spotting.follower import Sample
from learnet.inference.spotting.movements import Findings, Movement
from learnet.inference.spotting.points import face_points
from learnet.simulation.film import BLINK, EXPRESSION, MACRO
from learnet.simulation.long_film import LongFilmPlan, plan_long_film
from learnet.simulation.render import Camera, render
from learnet.video.array import ArrayVideo
from learnet.video.base import Frame
from learnet.video.libav import MISSING_FRAMES
from learnet.video.reader import open_video, read_frames
from tests.inference.spotting.test_movements import half_cosines

POINTS = face_points()
PIXELS = np.zeros((4, 4, 3), np.uint8)
BROWS = POINTS.both("inner brow")
REAL_FILM = Path(__file__).parents[4] / "shared" / "real" / "face_pexels.mp4"


class ScriptedFollower:
    """Measure what a script says, in place of pixels: a movement of the brows every `period_s`."""

    def __init__(self, period_s: float = 5.0, absent: tuple[float, float] | None = None) -> None:
        self.period_s = period_s
        self.absent = absent
        self.measured = 0

    def measure(self, pixels: np.ndarray, time_s: float) -> Sample | None:
        self.measured += 1
        if self.absent and self.absent[0] <= time_s < self.absent[1]:
            return None
        rng = np.random.default_rng(round(1000 * time_s))
        displacements = rng.normal(0, 0.02, (POINTS.patches, 2))
        phase = time_s % self.period_s
        displacements[BROWS, 1] += half_cosines(2.0, 2.15, 2.4, np.array([phase]))[0]
        return Sample(
            displacements=displacements,
            rigid=np.zeros((POINTS.rigid_points, 2)),
            residuals=np.zeros(POINTS.patches),
            rotation_deg=np.zeros(2),
            head_px=np.zeros(2),
            correlation=1.0,
            sharpness=1.0,
            brightness=100.0,
            track=1 if self.absent is None or time_s < self.absent[0] else 2,
            to_crop=np.array([[0.5, 0.0, 0.0], [0.0, 0.5, 0.0]]),
        )


def scripted(**settings: object) -> Spotter:
    spotter = Spotter(None)
    spotter.follower = ScriptedFollower(**settings)
    return spotter


def numbered(count: int, fps: float, start: int = 0) -> Iterator[Frame]:
    for number in range(start, start + count):
        yield Frame(number, number / fps, PIXELS)


def collect(spotter: Spotter, frames: Iterator[Frame]) -> Spotting:
    events: list[Event] = []
    unjudged: list[UnjudgedStretch] = []
    for part in (*(spotter.add(frame) for frame in frames), spotter.finish()):
        events += part.events
        unjudged += part.unjudged
    return Spotting(tuple(events), tuple(unjudged))


@pytest.mark.parametrize("fps", [25.0, 60.0, 200.0])
def test_movements_are_told_by_frame_and_time(fps: float) -> None:
    spotting = collect(scripted(), numbered(int(60 * fps), fps))
    assert spotting.unjudged == ()
    assert len(spotting.events) == 12
    for index, event in enumerate(spotting.events):
        assert event.kind == "micro" and set(event.regions) == {"left brow", "right brow"}
        expected_s = 5 * index + np.array([2.0, 2.15, 2.4])
        np.testing.assert_allclose(
            [event.onset_s, event.apex_s, event.offset_s], expected_s, atol=max(0.03, 1.1 / fps)
        )
        assert (event.onset, event.apex, event.offset) == tuple(
            round(time_s * fps) for time_s in (event.onset_s, event.apex_s, event.offset_s)
        )
    onset_errors_s = [event.onset_s - 5 * index - 2.0 for index, event in enumerate(spotting.events)]
    assert np.median(np.abs(onset_errors_s)) <= max(0.02, 0.5 / fps)


def test_memory_and_work_do_not_grow(monkeypatch: pytest.MonkeyPatch) -> None:
    """After 10,000 frames as much is kept as after 3,000, and every search is of as many samples."""
    searched: list[int] = []
    find = spotter_module.find_movements

    def counted(curves, points, thresholds):
        searched.append(len(curves.times_s))
        return find(curves, points, thresholds)

    monkeypatch.setattr(spotter_module, "find_movements", counted)
    spotter = scripted()
    kept = []
    for frame in numbered(10_000, 100.0):
        spotter.add(frame)
        kept.append(spotter.kept)
    assert max(kept) == max(kept[:3000])
    assert max(searched) == max(searched[:20])
    first_half, second_half = len(searched[: len(searched) // 2]), len(searched[len(searched) // 2 :])
    assert abs(first_half - second_half) <= 1
    assert len(searched) <= 100.0 / spotter_module.HOP_S + 1


def test_fast_recordings_are_sampled() -> None:
    spotter = scripted()
    for frame in numbered(2000, 200.0):
        spotter.add(frame)
    assert 10 * 50 <= spotter.follower.measured <= 10 * spotter_module.MAX_RATE


def test_events_are_returned_while_frames_arrive_each_once() -> None:
    """Live: each event comes a few seconds after its apex, and not again."""
    spotter = scripted()
    delays = []
    apexes = []
    for frame in numbered(6000, 100.0):
        for event in spotter.add(frame).events:
            delays.append(frame.time_s - event.apex_s)
            apexes.append(event.apex)
    assert len(apexes) == len(set(apexes)) >= 10
    longest = spotter_module.SETTLED_S + spotter_module.HOP_S + 0.1
    assert min(delays) >= spotter_module.SETTLED_S and max(delays) <= longest


def test_a_movement_whose_apex_wanders_between_searches_is_one_event(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every search sees the end of the settled time in the middle of the same movement."""

    def wandering(curves, points, thresholds):
        apex_s = 7.4 if curves.times_s[-1] < 14.2 else 7.6
        movement = Movement(7.0, apex_s, 8.0, 1.0, ("chin",))
        return Findings((movement,), ())

    monkeypatch.setattr(spotter_module, "find_movements", wandering)
    monkeypatch.setattr(spotter_module, "SETTLED_S", 6.5)
    spotting = collect(scripted(), numbered(1000, 50.0))
    assert len(spotting.events) == 1


def test_a_time_without_a_face_is_told_and_splits_the_recording() -> None:
    spotting = collect(scripted(absent=(20.0, 24.5)), numbered(2000, 50.0))
    (stretch,) = [stretch for stretch in spotting.unjudged if stretch.reason == NO_FACE]
    assert (stretch.start_s, stretch.end_s) == pytest.approx((20.0, 24.5), abs=0.05)
    assert [round(event.onset_s) for event in spotting.events] == [2, 7, 12, 17, 27, 32, 37]


def test_no_face_at_all_is_one_stretch() -> None:
    spotting = collect(scripted(absent=(0.0, 99.0)), numbered(500, 50.0))
    (stretch,) = spotting.unjudged
    assert (stretch.start_s, stretch.reason) == (0.0, NO_FACE)
    assert stretch.end_s == pytest.approx(10.0)  # of the last of 500 frames


@pytest.mark.parametrize("fps", [5.0, 12.0, 20.0])
def test_too_few_frames_a_second_are_told_and_yield_no_event(fps: float) -> None:
    spotting = collect(scripted(), numbered(int(20 * fps), fps))
    assert spotting.events == ()
    assert {stretch.reason for stretch in spotting.unjudged} == {FEW_FRAMES}
    (stretch,) = spotting.unjudged
    assert (stretch.start_s, stretch.end_s) == pytest.approx((0.0, 20.0), abs=0.3)


def test_missing_frames_are_told() -> None:
    before, after = numbered(500, 50.0), numbered(450, 50.0, start=650)
    spotting = collect(scripted(), iter([*before, *after]))
    (stretch,) = spotting.unjudged
    assert (stretch.start_s, stretch.end_s, stretch.reason) == (499 / 50, 13.0, FRAMES_MISSING)
    assert [round(event.onset_s, 1) for event in spotting.events] == [2.0, 7.0, 17.0]


def test_frames_that_are_missing_again_and_again_are_the_reason() -> None:
    """From 4 to 8 s, frames of 0.2 s are missing every 0.4 s: too little is left for a movement."""
    kept = [n for n in range(600) if not (200 <= n < 400 and n % 20 >= 10)]
    spotting = collect(scripted(), (Frame(n, n / 50, PIXELS) for n in kept))
    (stretch,) = spotting.unjudged
    assert stretch.reason == FRAMES_MISSING
    assert 4.1 <= stretch.start_s <= 4.4 and 7.8 <= stretch.end_s <= 8.4


def test_a_short_rest_after_missing_frames_is_theirs() -> None:
    """Half a second is left at the end of the recording."""
    kept = [n for n in range(600) if not 500 <= n < 570]
    (stretch,) = collect(scripted(), (Frame(n, n / 50, PIXELS) for n in kept)).unjudged
    assert (stretch.start_s, stretch.end_s, stretch.reason) == (499 / 50, 12.0, FRAMES_MISSING)


def test_a_recording_that_stops_in_a_movement_tells_so() -> None:
    spotting = collect(scripted(), numbered(round(17.14 * 50), 50.0))
    assert [round(event.onset_s) for event in spotting.events] == [2, 7, 12]
    (stretch,) = spotting.unjudged
    assert stretch.reason == CUT_OFF
    assert (stretch.start_s, stretch.end_s) == pytest.approx((17.0, 17.14), abs=0.06)


def test_one_frame_and_none() -> None:
    assert collect(scripted(), numbered(1, 50.0)) == Spotting()
    assert collect(scripted(), numbered(0, 50.0)) == Spotting()


CAMERA = Camera(240, 320, 30.0, 125.0)
SEED = 5001


@cache
def film() -> tuple[LongFilmPlan, np.ndarray]:
    """Return 14 s with micro- and macro-expressions, blinks and a turn of the head."""
    plan = plan_long_film(SEED, CAMERA, 14.0)
    return plan, np.stack(list(render(plan.recording)))


class KnownFace:
    """A finder that knows where the face is."""

    kind = "known"

    def __call__(self, frame: np.ndarray) -> Face:
        view = film()[0].recording.conditions.view
        left, right = view.to_pixels(np.array([(-0.25, -0.005), (0.25, -0.005)])).tolist()
        return Face((100.0, 50.0, 125.0, 125.0), (tuple(left), tuple(right)), 1.0, self.kind)


def frames() -> Iterator[Frame]:
    for number, pixels in enumerate(film()[1]):
        yield Frame(number, number / CAMERA.fps, pixels)


def test_movements_of_a_rendered_film_are_spotted() -> None:
    plan, _ = film()
    spotting = spot(frames(), KnownFace())
    shown = [part for part in plan.parts if part.kind in (EXPRESSION, MACRO, BLINK)]
    assert len(shown) >= 4
    unjudged = [(stretch.start_s, stretch.end_s) for stretch in spotting.unjudged]
    spotted = list(spotting.events)
    for part in shown:
        onset_s, offset_s = part.onset / CAMERA.fps, part.offset / CAMERA.fps
        near = [event for event in spotted if abs(event.onset - part.onset) <= 2]
        near = [event for event in near if (event.kind == "blink") == (part.kind == BLINK)]
        if not near and any(start_s < offset_s and onset_s < end_s for start_s, end_s in unjudged):
            continue
        assert len(near) == 1, part
        assert abs(near[0].offset - part.offset) <= 6
        spotted.remove(near[0])
    assert spotted == []


def test_events_are_the_same_however_the_frames_arrive() -> None:
    whole = spot(frames(), KnownFace())
    parts = list(spot_each(frames(), KnownFace()))
    events = [event for part in parts for event in part.events]
    assert whole.events == tuple(sorted(events, key=lambda event: event.onset_s))
    unjudged = [stretch for part in parts for stretch in part.unjudged]
    assert whole.unjudged == tuple(sorted(unjudged, key=lambda stretch: stretch.start_s))
    video = ArrayVideo(film()[1], CAMERA.fps)
    threads = cv2.getNumThreads()
    assert spot_video(video, KnownFace()) == whole
    assert cv2.getNumThreads() == threads


@pytest.mark.parametrize("cut", [115, 235])
def test_no_movement_extends_across_a_cut(cut: int) -> None:
    """Cut at rest, and within a macro-expression; then the face is elsewhere, and its next one is found."""
    plan, pixels = film()
    before, after = [(part.onset, part.offset) for part in plan.parts if part.kind == MACRO]
    assert before[0] < 235 < before[1] and after[0] > 290
    joined = np.concatenate([pixels[:cut], np.roll(pixels[290:], 40, axis=2)])
    pictures = (Frame(number, number / CAMERA.fps, picture) for number, picture in enumerate(joined))
    spotting = spot(pictures, face_finder("haar"))
    macros = [(event.onset, event.offset) for event in spotting.events if event.kind == "macro"]
    assert macros == [pytest.approx([frame - 290 + cut for frame in after], abs=2)]
    cut_s = cut / CAMERA.fps
    assert all(event.offset_s < cut_s for event in spotting.events if event.onset_s < cut_s)
    (stretch,) = [stretch for stretch in spotting.unjudged if stretch.reason == CHANGES]
    assert (stretch.start_s, stretch.end_s) == pytest.approx((cut_s - 1 / CAMERA.fps, cut_s))


def test_a_file_that_ends_too_early_is_told() -> None:
    """A file announces 3 s, and one of them is missing."""
    video = ArrayVideo(np.zeros((60, 48, 64, 3), np.uint8), 30.0)
    video.info = replace(video.info, frames=90)
    video.losses = {MISSING_FRAMES: 30}

    class Blind(KnownFace):
        def __call__(self, frame: np.ndarray) -> None:
            return None

    no_face, stops = spot_video(video, Blind()).unjudged
    assert (no_face.start_s, no_face.reason) == (0.0, NO_FACE)
    assert no_face.end_s == pytest.approx(2.0)
    assert (stops.start_s, stops.end_s, stops.reason) == (2.0, 3.0, STOPS_EARLY)


def test_a_woman_who_talks_and_turns() -> None:
    """She blinks at 16.1 s, which was seen by eye; most of the rest cannot be judged."""
    if not REAL_FILM.exists():
        pytest.skip("needs ../shared/real/face_pexels.mp4")
    with open_video(REAL_FILM) as video:
        spotting = spot_video(video, face_finder("haar"))
    assert len([event for event in spotting.events if event.kind != "blink"]) <= 3
    assert sum(stretch.end_s - stretch.start_s for stretch in spotting.unjudged) > 10


def compressed_still(path: Path, pixels: np.ndarray) -> Path:
    """Write seven seconds of a photograph with new noise in every frame, strongly compressed."""
    rng = np.random.default_rng(6)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=30, options={"crf": "32", "preset": "veryfast"})
        stream.height, stream.width, stream.pix_fmt = *pixels.shape[:2], "yuv420p"
        for _ in range(7 * 30):
            noisy = pixels + 25 * rng.standard_normal(pixels.shape, dtype=np.float32)
            frame = av.VideoFrame.from_ndarray(np.clip(noisy, 0, 255).astype(np.uint8), format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def test_a_still_photograph_under_noise_and_compression(tmp_path: Path) -> None:
    """What compression changes in steps is no movement: without a look at the rigid points, two are found."""
    if not REAL_FILM.exists():
        pytest.skip("needs ../shared/real/face_pexels.mp4")
    photograph = read_frames(REAL_FILM, 30, 30)[0]
    with open_video(compressed_still(tmp_path / "still.mp4", photograph)) as video:
        assert spot_video(video, face_finder("haar")).events == ()


def test_a_movement_larger_than_that_of_skin_is_no_event() -> None:
    """A hand on the chin moves by a fifth of the face; it is told as unjudged."""
    spotter = Spotter(None)
    hand = Movement(6.84, 7.0, 7.38, strength_px=21.6, regions=("chin",))
    assert spotter._event(hand) == []
    assert spotter._stretches.take(100.0) == (UnjudgedStretch(6.84, 7.38, COVERED),)
