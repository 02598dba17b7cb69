"""Live spotting against the recognition of the whole file, however the frames arrive."""

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from learnet.core.records import Event, UnjudgedStretch
from learnet.datasets.synthetic.films import SyntheticFilm
from learnet.inference.live import (
    EventStream,
    LiveEvent,
    LiveSpotter,
    LiveStretch,
    spotted_columns,
)
from learnet.inference.recogniser import Recogniser
from learnet.inference.recognition import Recognition
from learnet.inference.spotting import spot
from learnet.inference.spotting.disturbances import NO_FACE, STOPS_EARLY
from learnet.video.array import ArrayVideo
from learnet.video.base import Frame, Video
from learnet.video.libav import MISSING_FRAMES
from learnet.video.reader import open_video, read_frames
from tests.builders.films import FPS, film_of_events
from tests.builders.once import SharedFolders
from tests.inference.spotting.test_spotter import ScriptedFollower


@pytest.fixture(scope="module")
def recogniser() -> Recogniser:
    return Recogniser.load()


@pytest.fixture(scope="module")
def film(shared_folders: SharedFolders) -> SyntheticFilm:
    return film_of_events(shared_folders)


@pytest.fixture(scope="module")
def recognition(film: SyntheticFilm, recogniser: Recogniser) -> Recognition:
    return recogniser(film.path)


@pytest.fixture(scope="module")
def frames(film: SyntheticFilm) -> list[Frame]:
    pixels = read_frames(film.path)
    return [Frame(number, number / FPS, picture) for number, picture in enumerate(pixels)]


def played(stream: EventStream) -> list[LiveEvent | LiveStretch]:
    with stream:
        return list(stream)


def collected(spotter: LiveSpotter, frames: list[Frame]) -> list[LiveEvent | LiveStretch]:
    results = []
    for frame in frames:
        results += spotter.add(frame)
    return [*results, *spotter.finish()]


def events_of(results: list[LiveEvent | LiveStretch]) -> tuple[Event, ...]:
    events = [result.event for result in results if isinstance(result, LiveEvent)]
    return tuple(sorted(events, key=lambda event: event.onset_s))


def unjudged_of(results: list[LiveEvent | LiveStretch]) -> tuple[UnjudgedStretch, ...]:
    return tuple(result.stretch for result in results if isinstance(result, LiveStretch))


def marks(events: tuple[Event, ...]) -> list[tuple[object, ...]]:
    return [(event.onset, event.apex, event.offset, event.regions, event.is_blink) for event in events]


def test_a_file_has_the_events_of_predict(
    film: SyntheticFilm, recogniser: Recogniser, recognition: Recognition
) -> None:
    """Also labels, scores and action units are equal: around the face, the frames are."""
    with open_video(film.path) as video:
        stream = EventStream(recogniser, video)
        results = played(stream)
    assert events_of(results) == recognition.events and len(recognition.events) == 4
    assert unjudged_of(results) == recognition.unjudged and len(recognition.unjudged) == 1
    summary = stream.summary()
    assert (summary.frames, summary.predictions, summary.skipped) == (film.frames, 4, 0)
    assert str(summary).startswith(f"{film.frames} frames, 4 events, 0 frames skipped; median latency ")


def test_frames_one_by_one_have_the_same_events(
    film: SyntheticFilm, recogniser: Recogniser, recognition: Recognition, frames: list[Frame]
) -> None:
    results = collected(LiveSpotter(recogniser, FPS), frames)
    assert events_of(results) == recognition.events and unjudged_of(results) == recognition.unjudged
    spotted = spot(iter(frames), recogniser.finder)
    assert marks(spotted.events) == marks(recognition.events) and spotted.unjudged == recognition.unjudged


def test_at_its_own_pace_a_file_has_the_same_events(recogniser: Recogniser, frames: list[Frame]) -> None:
    pixels = np.stack([frame.pixels for frame in frames[200:300]])
    fast = played(EventStream(recogniser, ArrayVideo(pixels, FPS)))
    paced = played(EventStream(recogniser, ArrayVideo(pixels, FPS), pace=True))
    assert events_of(paced) == events_of(fast) and unjudged_of(paced) == unjudged_of(fast)
    (surprise,) = events_of(paced)
    assert surprise.label == "surprise"


def test_events_come_while_frames_arrive(recogniser: Recogniser, frames: list[Frame]) -> None:
    """Two events of 10 s are final before the end; the latency is the time since their offsets."""
    spotter = LiveSpotter(recogniser, FPS)
    for frame in frames:
        for result in spotter.add(frame, skipped=3):
            assert isinstance(result, LiveEvent) and result.skipped == 3
            waited_s = frame.time_s - result.event.offset_s
            assert waited_s <= result.latency_s < waited_s + 5
            assert 6 <= waited_s <= 8.5
    assert spotter.finish()


def test_missing_frames_of_an_event_are_told(recogniser: Recogniser, frames: list[Frame]) -> None:
    """Every fifth frame was skipped: the surprise is found, and what is missing in it is said."""
    arrived = [frame for frame in frames[200:300] if frame.number % 5]
    results = collected(LiveSpotter(recogniser, FPS), arrived)
    (surprise,) = [result for result in results if isinstance(result, LiveEvent)]
    event = surprise.event
    assert event.label == "surprise"
    missing = sum(number % 5 == 0 for number in range(event.onset, event.offset + 1))
    assert missing and surprise.warnings == (f"{missing} frames of this event are missing",)


class Endless(Video):
    """A stream without a face that is stopped after 40 frames."""

    def __init__(self, stop_after: int) -> None:
        video = ArrayVideo(np.zeros((1, 60, 80, 3), np.uint8), FPS)
        super().__init__(video.info, (None, None), [])
        self.stop_after = stop_after
        self.stream: EventStream | None = None

    def _frames(self) -> Iterator[Frame]:
        number = 0
        while True:
            if number == self.stop_after and self.stream is not None:
                self.stream.stop()
            yield Frame(number, number / FPS, np.zeros((60, 80, 3), np.uint8))
            number += 1


def test_a_stopped_stream_says_what_remains(recogniser: Recogniser) -> None:
    video = Endless(40)
    stream = EventStream(recogniser, video)
    video.stream = stream
    (result,) = played(stream)
    assert isinstance(result, LiveStretch) and result.stretch.reason == NO_FACE
    assert 0 < result.stretch.end_s <= 40 / FPS + 1e-6


def test_a_file_that_stops_early_is_told(recogniser: Recogniser, frames: list[Frame]) -> None:
    video = ArrayVideo(np.stack([frame.pixels for frame in frames[:80]]), FPS)
    video.info = replace(video.info, frames=100)
    video.losses = {MISSING_FRAMES: 20}
    stretch = unjudged_of(played(EventStream(recogniser, video)))[-1]
    assert stretch == UnjudgedStretch(80 / FPS, 2.0, STOPS_EARLY)


def test_a_line_has_what_predict_writes(recogniser: Recogniser, recognition: Recognition) -> None:
    written = json.loads(recognition.to_json())
    table = list(csv.DictReader(io.StringIO(recognition.to_csv())))
    columns = spotted_columns(recogniser.metadata.classes, recogniser.units)
    for event, record, cells in zip(recognition.events, written["events"], table, strict=True):
        result = LiveEvent(event, 7.12345, 2, ("first", "second"))
        line = json.loads(result.to_json())
        assert [line.pop(key) for key in ("latency_s", "skipped", "warnings")] == [
            7.123,
            2,
            ["first", "second"],
        ]
        assert line == record
        row = dict(zip(columns, result.row(recogniser.metadata.classes, recogniser.units), strict=True))
        assert [row.pop(key) for key in ("latency_s", "skipped", "warnings")] == [7.123, 2, "first; second"]
        assert {name: "" if value is None else str(value) for name, value in row.items()} == cells
    unjudged = json.loads(LiveStretch(recognition.unjudged[0], 8.0, 0).to_json())
    assert unjudged == {"kind": "unjudged", **written["unjudged"][0], "latency_s": 8.0, "skipped": 0}


def test_memory_does_not_depend_on_the_length() -> None:
    """A movement every 5 s for two minutes: as much is kept in the second one as in the first."""
    rate = 50.0
    spotter = LiveSpotter(Recogniser.load(face="none"), rate)
    spotter.spotter.follower = ScriptedFollower()  # type: ignore[assignment]
    kept, apexes = [], []
    for number in range(round(120 * rate)):
        frame = Frame(number, number / rate, np.zeros((8, 8, 3), np.uint8))
        apexes += [result.event.apex for result in spotter.add(frame)]
        kept.append((spotter.spotter.kept, spotter.buffer.kept, spotter.buffer.bytes))
    half = len(kept) // 2
    assert np.max(kept[half:], axis=0).tolist() == np.max(kept[:half], axis=0).tolist()
    assert kept[-1][1] <= rate * 15 and kept[-1][2] == kept[-1][1] * 8 * 8 * 3
    assert len(apexes) == len(set(apexes)) and apexes[-1] >= 105 * rate
