"""Events of a film whose movements are known, and of videos that show none."""

import csv
import io
import json
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest

from learnet.core.errors import LearnetError, NoFace
from learnet.core.settings import Windows
from learnet.datasets.synthetic.films import SyntheticFilm
from learnet.inference.recogniser import Recogniser
from learnet.inference.recognition import Recognition
from learnet.motion.detrend import StoredImages
from learnet.motion.pipeline import make_image
from learnet.report.shown_and_found import film_truth
from learnet.video.reader import open_video, read_frames
from learnet.video.writer import write_video
from tests.builders.films import FPS, film_of_events
from tests.builders.once import SharedFolders


@pytest.fixture(scope="module")
def recogniser() -> Recogniser:
    return Recogniser.load()


@pytest.fixture(scope="module")
def film(shared_folders: SharedFolders) -> SyntheticFilm:
    return film_of_events(shared_folders)


@pytest.fixture(scope="module")
def recognition(film: SyntheticFilm, recogniser: Recogniser) -> Recognition:
    return recogniser(film.path)


def test_each_movement_is_an_event_and_is_named(film: SyntheticFilm, recognition: Recognition) -> None:
    *shown, turn = film_truth(film)
    assert turn.text == "head turn"
    assert [event.label or event.kind for event in recognition.events] == [span.text for span in shown]
    for event, span in zip(recognition.events, shown, strict=True):
        assert abs(event.onset_s - span.start_s) <= 2 / FPS
        assert abs(event.offset_s - span.end_s) <= 2 / FPS
        assert event.onset < event.apex < event.offset and event.source == "learnet"
    (stretch,) = recognition.unjudged
    assert turn.start_s < stretch.start_s < stretch.end_s < turn.end_s
    assert recognition.duration_s == pytest.approx(film.frames / FPS) and recognition.frames == film.frames


def test_action_units_and_regions_are_those_of_the_film(recognition: Recognition) -> None:
    """Units 6+12, 1+2 and 4+7+9."""
    blink, smile, surprise, disgust = recognition.events
    assert blink.kind == "blink" and blink.regions == ("left lids", "right lids")
    assert (blink.label, blink.score, blink.emotions, blink.action_units) == ("", 0.0, {}, ())
    assert {unit.unit for unit in smile.action_units} == {6, 12} and "lips" in smile.regions
    assert {unit.unit for unit in surprise.action_units} == {1, 2}
    assert {4, 7} <= {unit.unit for unit in disgust.action_units} <= {4, 7, 9}
    assert set(surprise.regions[:2]) <= {"left brow", "middle brow", "right brow"}
    for event in (smile, surprise, disgust):
        assert event.kind == "micro" and 0.15 < event.strength_px < 3 and event.reason == ""
        assert sum(event.emotions.values()) == pytest.approx(1, abs=1e-5)
        assert event.score == max(event.emotions.values()) == event.emotions[event.label]


def test_an_event_is_scored_on_the_flow_from_its_onset_to_its_apex(
    film: SyntheticFilm, recognition: Recognition, recogniser: Recogniser
) -> None:
    _, _, surprise, _ = recognition.events
    frames = read_frames(film.path, surprise.onset, surprise.offset)
    assert recogniser.metadata.preparation is not None
    apex = surprise.apex - surprise.onset
    result = make_image(frames, recogniser.metadata.preparation, recogniser.finder, apex)
    ends = make_image(frames[[0, apex]], recogniser.metadata.preparation, recogniser.finder, 1)
    np.testing.assert_array_equal(result.image, ends.image)  # no other frame matters
    scores = recogniser.scorer.scores(StoredImages(result.image[None]))[0]
    np.testing.assert_allclose(list(surprise.emotions.values()), scores, rtol=1e-12)


def test_json_csv_and_table_say_the_same(recognition: Recognition) -> None:
    content = json.loads(recognition.to_json())
    rows = list(csv.DictReader(io.StringIO(recognition.to_csv())))
    table = recognition.to_dataframe()
    assert len(content["events"]) == len(rows) == len(table) == 4
    for record, row in zip(content["events"], rows, strict=True):
        assert [str(record[key]) for key in ("onset", "apex", "offset", "onset_s", "kind")] == [
            row[key] for key in ("onset", "apex", "offset", "onset_s", "kind")
        ]
        assert row["regions"] == "; ".join(record["regions"])
        assert row["label"] == (record["label"] or "")
        assert {name: float(row[name]) for name in record["emotions"]} == record["emotions"]
    assert content["cut"] is None and "answers" not in content
    strongest = max(content["events"], key=lambda record: record["score"] or 0)
    assert (content["label"], content["score"]) == (strongest["label"], strongest["score"])
    assert pd.isna(table["label"][0]) and table["kind"][0] == "blink"
    with pytest.raises(LearnetError, match="windows=Windows"):
        recognition.to_dataframe(windows=True)


def test_frames_of_an_array_give_the_events_of_the_file(
    film: SyntheticFilm, recognition: Recognition, recogniser: Recogniser
) -> None:
    seen = []
    frames = read_frames(film.path)
    of_frames = recogniser(frames, fps=FPS, progress=lambda done, total: seen.append((done, total)))
    assert of_frames.events == recognition.events and of_frames.unjudged == recognition.unjudged
    assert seen == [(number + 1, film.frames) for number in range(film.frames)]


def test_nothing_is_named_where_the_head_moves(
    film: SyntheticFilm, recogniser: Recogniser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("learnet.inference.window_units.HEAD_MOTION_LIMIT_PX", -1.0)
    frames = read_frames(film.path, 200, 300)
    (surprise,) = recogniser(frames, fps=FPS).events
    assert surprise.label == "uncertain" and surprise.action_units == () and surprise.action_unit_scores == {}
    assert surprise.reason.endswith("so emotion and action units are not to be trusted")


def test_what_the_network_does_not_decide_is_uncertain(film: SyntheticFilm, recogniser: Recogniser) -> None:
    frames = read_frames(film.path, 200, 300)
    (surprise,) = replace(recogniser, margin=1.0)(frames, fps=FPS).events
    assert surprise.label == "uncertain" and "differ by less than 1" in surprise.reason
    assert surprise.score == max(surprise.emotions.values())


def test_a_still_shows_nothing(film: SyntheticFilm, recogniser: Recogniser) -> None:
    still = np.repeat(read_frames(film.path, 0, 0), 120, axis=0)
    recognition = recogniser(still, fps=FPS)
    assert recognition.events == recognition.unjudged == recognition.predictions == ()
    assert (recognition.label, recognition.score) == ("none", None)
    assert recognition.reason == "no expression in the 2.4 s that can be judged"
    with pytest.raises(LearnetError, match="no movement was spotted"):
        _ = recognition.strongest
    content = json.loads(recognition.to_json())
    assert content["label"] == "none" and content["events"] == []
    assert len(recognition.to_csv().splitlines()) == 1 and len(recognition.to_dataframe()) == 0
    assert "No movement of the face was found." in recognition._repr_html_()


@pytest.mark.parametrize(("frames", "is_short"), [(75, True), (76, False)])
def test_a_short_video_is_judged_as_one_window(
    frames: int, is_short: bool, film: SyntheticFilm, recogniser: Recogniser
) -> None:
    """1.5 s are 75 frames; both show the surprise."""
    recognition = recogniser(read_frames(film.path, 195, 194 + frames), fps=FPS)
    assert [event.label for event in recognition.events] == ["surprise"]
    assert (recognition.windows is not None) == is_short
    warning = "the video is not longer than 1.5 s, so it is judged as a whole"
    assert (warning in recognition.warnings) == is_short


def test_a_short_file_whose_header_has_no_length_is_judged_as_a_whole(
    film: SyntheticFilm, recogniser: Recogniser, tmp_path: Path
) -> None:
    frames = read_frames(film.path, 195, 254)
    write_video(tmp_path / "short.mkv", frames, FPS)
    with open_video(tmp_path / "short.mkv") as video:
        assert video.info.frames == 60  # counted by its packets
    recognition = recogniser(tmp_path / "short.mkv")
    assert recognition.windows == Windows(whole_s=1.5) and len(recognition.predictions) == 1
    assert [event.label for event in recognition.events] == ["surprise"]


def test_a_video_without_the_face_is_refused(film: SyntheticFilm, recogniser: Recogniser) -> None:
    grey = np.full((100, 120, 160, 3), 128, np.uint8)
    with pytest.raises(NoFace, match="array: no face found in the 10 frames searched"):
        recogniser(grey, fps=FPS)
    one_face = read_frames(film.path, 0, 99)
    with pytest.raises(LearnetError, match="there is no face number 2; at most 1 face"):
        Recogniser.load(face=2)(one_face, fps=FPS)


def test_of_two_faces_the_other_is_judged_by_its_number(film: SyntheticFilm) -> None:
    """The larger face is a still, the smaller one beside it is surprised."""
    frames = read_frames(film.path, 200, 300)
    small = np.stack([cv2.resize(frame, (256, 192), interpolation=cv2.INTER_AREA) for frame in frames])
    padded = np.zeros((len(frames), 240, 256, 3), np.uint8)
    padded[:, :192] = small
    still = np.repeat(frames[:1], len(frames), axis=0)
    both = np.concatenate([still, padded], axis=2)
    assert Recogniser.load()(both, fps=FPS).events == ()
    (surprise,) = Recogniser.load(face=2)(both, fps=FPS).events
    assert surprise.label == "surprise"
