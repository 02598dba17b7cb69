"""The page of a recognition is complete, loads nothing, and shows faces only on request."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from learnet.core.errors import BadVideo, OutputTaken
from learnet.core.records import Event
from learnet.core.settings import Windows
from learnet.datasets.synthetic.databases import SyntheticVideo, synthetic_video
from learnet.inference.recogniser import Recogniser
from learnet.inference.recognition import Recognition
from learnet.inference.spotting import Spotting
from learnet.inference.timeline import Span
from learnet.report.event_pictures import event_pictures
from learnet.report.recognition_page import PageContent, recognition_page, write_recognition_page
from tests.builders.action_units import stand_in
from tests.builders.films import film_of_events
from tests.builders.once import SharedFolders
from tests.builders.read_page import Page

FACE_PICTURES = 2  # of each event
NO_FACES = PageContent()


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> SyntheticVideo:
    """A surprise on one face: the brows rise."""
    return synthetic_video(
        tmp_path_factory.mktemp("film") / "a & b.mp4", seed=7, emotion="surprise", duration_s=0.6
    )


@pytest.fixture(scope="module")
def recognition(video: SyntheticVideo) -> Recognition:
    return replace(Recogniser.load(), action_units=None)(video.path)


@pytest.fixture(scope="module")
def event(recognition: Recognition) -> Event:
    (event,) = recognition.events
    assert event.label == "surprise"
    return event


@pytest.fixture(scope="module")
def page(recognition: Recognition, tmp_path_factory: pytest.TempPathFactory) -> Page:
    return read(recognition, tmp_path_factory.mktemp("plain"))


@pytest.fixture(scope="module")
def page_with_faces(recognition: Recognition, tmp_path_factory: pytest.TempPathFactory) -> Page:
    return read(recognition, tmp_path_factory.mktemp("faces"), PageContent(faces=True))


def read(recognition: Recognition, folder: Path, content: PageContent = NO_FACES) -> Page:
    return Page(write_recognition_page(recognition, folder / "page.html", content))


def test_page_says_what_was_found(page: Page, event: Event) -> None:
    assert page.table("expression", "score") == [
        [
            "surprise",
            f"{event.score:.2f}",
            f"{event.onset_s:.2f}",
            f"{event.apex_s:.2f}",
            f"{event.offset_s:.2f}",
            f"{event.strength_px:.2f}",
        ]
    ]
    text = "".join(page.text)
    assert "1 expression: surprise" in text
    assert "a & b.mp4: 0.6 s, 120 frames at 200 per second" in text
    assert "63921 simulated images; no recording of a person" in text
    assert "learnet predict 'a & b.mp4' --weights mlp-cnn-flow-28" in text
    assert "Everything could be judged." in text


def test_page_loads_nothing(page_with_faces: Page) -> None:
    for tag, attributes in page_with_faces.elements:
        assert tag not in ("script", "link", "iframe")
        for name in ("src", "href", "data", "xlink:href"):
            address = attributes.get(name) or "#"
            assert address.startswith(("#", "data:")), (tag, address)
    assert not re.search(r"url\((?!#)|@import|https?://(?!www\.w3\.org)", page_with_faces.raw)


def test_faces_are_shown_on_request_only(page: Page, page_with_faces: Page) -> None:
    pictures = [sum(tag == "img" for tag, _ in of_page.elements) for of_page in (page, page_with_faces)]
    assert pictures == [0, FACE_PICTURES]


def test_truth_is_compared(recognition: Recognition, tmp_path: Path) -> None:
    truth = (Span(0.0, 0.02, "blink"), Span(0.2, 0.4, "positive", detail="happiness"))
    page = read(recognition, tmp_path, PageContent(truth=truth, note="Not a real person."))
    found = f"surprise {recognition.events[0].score:.2f}"
    assert page.table("shown", "seconds", "found") == [
        ["blink", "0.00 to 0.02", "none", "✓"],
        ["positive (happiness)", "0.20 to 0.40", found, "✗"],
    ]
    assert "Not a real person." in "".join(page.text)


def test_video_without_events(recognition: Recognition, tmp_path: Path) -> None:
    still = [replace(p, label="none", scores={}, movement=None) for p in recognition.predictions]
    page = read(replace(recognition, predictions=tuple(still)), tmp_path)
    text = "".join(page.text)
    assert "No expression" in text and "No expression was found." in text


def test_what_cannot_be_judged_is_listed(recognition: Recognition, tmp_path: Path) -> None:
    lost = [replace(p, label=None, scores={}, reason="no <face>") for p in recognition.predictions]
    page = read(replace(recognition, predictions=tuple(lost)), tmp_path)
    assert page.table("seconds", "reason") == [["0.00 to 0.60", "no <face>"]]


def test_command_repeats_the_settings(recognition: Recognition) -> None:
    own = replace(recognition, weights="my weights.onnx", windows=Windows(window_s=0.4, whole_s=0.5))
    page = recognition_page(own)
    assert "predict &#39;a &amp; b.mp4&#39; --weights &#39;my weights.onnx&#39;" in page
    assert "--windows --window-s 0.4 --whole-s 0.5" in page and "--overlap" not in page


def test_page_has_units_with_names_and_muscles(video: SyntheticVideo, tmp_path: Path) -> None:
    recogniser = replace(Recogniser.load(), action_units=stand_in())
    page = read(recogniser(video.path), tmp_path)
    (event,) = page.table("expression", "score")
    assert event[6].startswith("1 0.90, ") and event[6].endswith("12 0.80, 2 0.75")
    rows = page.table("expression", "AU", "name", "muscle")
    assert [row[:5] for row in rows if row[1] != "12"] == [
        ["1. surprise", "1", "inner brow raiser", "frontalis, pars medialis", "both sides"],
        ["1. surprise", "2", "outer brow raiser", "frontalis, pars lateralis", "both sides"],
    ]
    assert [row[5:] for row in rows] == [["0.90"], ["0.80"], ["0.75"]]
    text = "".join(page.text)
    assert "AU 1 both sides, 0.90; AU 12 " in text
    assert "AU 1+2 speak for surprise" in text and "(criteria of CASME II)" in text
    assert "10% of the named units are wrong on simulated images" in text
    assert "1, 2, 4, 12, 17; units.onnx" in text
    assert "with action units 1+2+" in page.raw  # the description of the timeline


def test_page_says_why_there_are_no_units(
    video: SyntheticVideo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("learnet.inference.window_units.HEAD_MOTION_LIMIT_PX", -1.0)
    recogniser = replace(Recogniser.load(), action_units=stand_in())
    page = read(recogniser(video.path), tmp_path)
    (event,) = page.table("expression", "score")
    assert event[-1].endswith(
        "pixels of a face 112 pixels wide, so emotion and action units are not to be trusted"
    )


def test_same_recognition_gives_the_same_page(recognition: Recognition, page: Page) -> None:
    assert recognition_page(recognition) == page.raw


def test_other_files_are_not_replaced(recognition: Recognition, tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text("<!doctype html>\n<!-- learnet recognition -->\nan earlier page")
    write_recognition_page(recognition, tmp_path / "page.html")
    (tmp_path / "notes.html").write_text("<!doctype html>\n<!-- learnet report -->\nmine")
    with pytest.raises(OutputTaken):
        write_recognition_page(recognition, tmp_path / "notes.html")


def test_video_that_is_gone_is_an_error(recognition: Recognition, tmp_path: Path) -> None:
    with pytest.raises(BadVideo, match="there is no such file"):
        write_recognition_page(replace(recognition, source="gone.mp4"), tmp_path / "page.html")


def test_arrows_show_the_brows_rise(recognition: Recognition, event: Event, video: SyntheticVideo) -> None:
    """The upper face moves up; the chin, which a surprise of units 1 and 2 leaves alone, does not."""
    assert video.action_units == "1+2"
    (pictures,) = event_pictures(video.path, video.fps, [event], recognition.predictions)
    size = len(pictures.movement)
    brows = pictures.movement[: size // 6, size // 4 : 3 * size // 4]
    chin = pictures.movement[5 * size // 6 :, size // 4 : 3 * size // 4]
    up = -np.median(brows[..., 1])
    assert up > 0.2 > 5 * abs(np.median(chin[..., 1]))
    assert abs(np.median(brows[..., 0])) < 0.3 * up
    change = np.abs(pictures.apex.astype(int) - pictures.onset).mean(axis=-1)
    assert change[: size // 4].mean() > 1.3 * change[3 * size // 4 :].mean()


@pytest.fixture(scope="module")
def spotted(shared_folders: SharedFolders) -> Recognition:
    """A blink, three expressions, and a turn of the head."""
    return Recogniser.load()(film_of_events(shared_folders).path)


def test_page_of_spotted_movements(spotted: Recognition, tmp_path: Path) -> None:
    """Blinks are in the table, and have no pictures."""
    page = read(spotted, tmp_path, PageContent(faces=True))
    rows = page.table("expression", "score", "kind", "regions")
    assert [row[0] for row in rows] == ["blink", "positive", "surprise", "negative"]
    assert rows[0][1:4] == ["–", "blink", "lids"] and rows[2][2:4] == ["micro", "brows, lids"]
    text = "".join(page.text)
    assert "4 movements: blink, positive, surprise, negative" in text
    assert "2. positive" in text and "1. blink" not in text
    assert sum(tag == "img" for tag, _ in page.elements) == 3 * FACE_PICTURES
    assert page.table("seconds", "reason")[0][1] == "the head turns or moves too far"
    assert "spotted in the motion of the regions of the face" in text and "--windows" not in text
    assert "Each dot is a movement" in text


def test_page_of_a_still(spotted: Recognition, tmp_path: Path) -> None:
    nothing = replace(spotted, predictions=(), strongest_images=None, spotting=Spotting())
    text = "".join(read(nothing, tmp_path).text)
    assert "No movement was found." in text and "Everything could be judged." in text


def test_only_blinks_need_no_pictures(spotted: Recognition, tmp_path: Path) -> None:
    assert spotted.spotting is not None
    blinks = replace(spotted.spotting, events=spotted.events[:1])
    page = read(replace(spotted, predictions=(), strongest_images=None, spotting=blinks), tmp_path)
    assert [row[0] for row in page.table("expression", "score")] == ["blink"]
    assert "1 movement: blink" in "".join(page.text)
