"""The page of events in Chromium: exact seeks, keys, requests, accessibility, corrections, exports."""

import csv
import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

from learnet.core.records import ActionUnitScore, Event
from learnet.datasets.annotations.files import read_annotations
from learnet.datasets.annotations.record import Recording
from learnet.inference.recognition import Recognition
from learnet.report.event_page import write_event_page
from learnet.video.base import VideoInfo
from tests.builders.event_pages import (
    fragmented,
    number_picture,
    numbered_video,
    read_motion,
    read_number,
    some_recognition,
    synthetic_motion,
)
from tests.builders.videos import write_images

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
axe_api = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe is not installed")

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--mute-audio"]
DESKTOP, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}
CONSTANT_MS = [40 * number for number in range(175)]
VARIABLE_MS = np.cumsum(np.random.default_rng(4).integers(15, 70, 175)).tolist()

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")


@dataclass(frozen=True)
class OpenPage:
    """A page in the browser, what it asked for, and what went wrong in it."""

    page: "sync_api.Page"
    requests: list[str]
    errors: list[str]
    recognition: Recognition

    def wait_for(self, expression: str) -> None:
        """Wait until an expression holds. The policy of the page forbids what Playwright has for it."""
        for _ in range(400):
            if self.page.evaluate(expression):
                return
            self.page.wait_for_timeout(20)
        raise AssertionError(f"never: {expression}")

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)

    @property
    def frame(self) -> int:
        """The frame that the page says it shows."""
        return int(re.findall(r"frame (\d+)", self.page.inner_text("#frame"))[0])

    def settled(self) -> int:
        """Wait until the page shows a frame and does not change; return the number that its pixels have."""
        self.wait_for("document.getElementById('stage').dataset.busy !== 'true'")
        seen = read_number(self.page.locator("#video").screenshot())
        for _ in range(5):
            if seen == self.frame:
                break
            self.page.wait_for_timeout(50)  # a screenshot can be ahead of the layout
            seen = read_number(self.page.locator("#video").screenshot())
        return seen

    def enter(self, field: str, text: str) -> None:
        """Type into a field and press Enter."""
        self.page.fill(field, text)
        self.page.press(field, "Enter")

    def shows(self, element: str) -> bool:
        """Whether all of an element is on the screen as soon as the page no longer scrolls."""
        for _ in range(100):
            box = self.page.locator(element).bounding_box()
            height = self.page.viewport_size["height"]
            # A page scrolls by whole pixels, and elements begin at fractions.
            if box["height"] > 0 and box["y"] >= -1 and box["y"] + box["height"] <= height + 1:
                return True
            self.page.wait_for_timeout(20)
        return False

    def message(self) -> str:
        return self.page.inner_text("#message")


@pytest.fixture(scope="module")
def browser() -> Iterator["sync_api.Browser"]:
    with sync_api.sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield launched
        launched.close()


@pytest.fixture(scope="module")
def recognitions(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Recognition]:
    folder = tmp_path_factory.mktemp("films")
    made: dict[str, Recognition] = {}
    stamps = {
        "constant.mp4": CONSTANT_MS,
        "variable.mp4": VARIABLE_MS,
        "late.mkv": [time_ms + 700 for time_ms in CONSTANT_MS],
        "it's <img onerror=x> #1 100%.mp4": CONSTANT_MS,
    }

    def recognition(name: str) -> Recognition:
        if name not in made:
            path = numbered_video(folder / name, stamps[name.replace("-fragments", "")])
            path = fragmented(path) if "-fragments" in name else path
            made[name] = some_recognition(path, *read_motion(path))
        return made[name]

    return recognition


@pytest.fixture
def open_page(browser: "sync_api.Browser") -> Iterator[Callable[..., OpenPage]]:
    contexts = []

    def opened(recognition: Recognition, anonymous: bool = False) -> OpenPage:
        path = Path(recognition.source).parent / f"page-{len(contexts)}.html"
        write_event_page(recognition, path, anonymous)
        context = browser.new_context(viewport=DESKTOP)
        contexts.append(context)
        page = context.new_page()
        requests: list[str] = []
        errors: list[str] = []
        page.on("request", lambda request: requests.append(request.url))
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", lambda line: errors.append(line.text) if line.type == "error" else None)
        page.goto(path.as_uri())
        page.wait_for_selector("html[data-ready]")
        page.uncheck("#overlay-on") if not anonymous else None
        return OpenPage(page, requests, errors, recognition)

    yield opened
    for context in contexts:
        context.close()


def seek_by_typing(opened: OpenPage, index: int) -> int:
    """Set the onset of an added event to a frame by typing its number, show it, and return what is seen."""
    opened.page.fill("#onset", str(index))
    opened.page.press("#onset", "Enter")
    opened.page.click("#go-onset")
    return opened.settled()


@pytest.mark.parametrize("name", ["constant.mp4", "variable.mp4", "late.mkv", "constant-fragments.mp4"])
def test_seeks_show_the_exact_frame(name: str, recognitions: Callable, open_page: Callable) -> None:
    """The pixels of the frame carry its number. Near key frames, at both ends, and in between."""
    opened = open_page(recognitions(name))
    opened.wait_for("document.getElementById('video').readyState >= 2")
    for index in (0, 174, 39, 40, 41, 120, 97):
        assert seek_by_typing(opened, index) == index == opened.frame
    assert not opened.errors


def test_a_click_on_the_timeline_shows_the_frame_at_that_time(
    recognitions: Callable, open_page: Callable
) -> None:
    opened = open_page(recognitions("variable.mp4"))
    times_s = opened.recognition.motion.frames_s
    box = opened.page.locator("#timeline").bounding_box()
    end_s = times_s[-1] + (times_s[-1] - times_s[0]) / (len(times_s) - 1)
    for share in (0.15, 0.92):
        opened.page.mouse.click(box["x"] + share * box["width"], box["y"] + 150)
        expected = int(np.searchsorted(times_s, share * end_s, side="right")) - 1
        assert abs(opened.settled() - expected) <= 1  # a pixel is 6 ms
        assert opened.settled() == opened.frame
    opened.page.click("#events-body tr:nth-child(2) button")
    assert opened.settled() == opened.recognition.events[1].onset


def test_keys(recognitions: Callable, open_page: Callable) -> None:
    opened = open_page(recognitions("constant.mp4"))
    onsets = [event.onset for event in opened.recognition.events]
    steps = [("End", 174), ("Home", 0), ("ArrowRight", 1), ("Shift+ArrowRight", 11), ("ArrowLeft", 10)]
    steps += [("Shift+ArrowLeft", 0), ("n", onsets[0]), ("n", onsets[1]), ("n", onsets[2]), ("n", onsets[2])]
    steps += [("p", onsets[1]), ("ArrowRight", onsets[1] + 1), ("p", onsets[1]), ("Home", 0), ("p", 0)]
    steps += [("n", onsets[0]), ("End", 174), ("n", 174), ("p", onsets[2])]
    for key, expected in steps:
        opened.press(key)
        assert opened.settled() == expected == opened.frame, key
    opened.press("Space")
    opened.wait_for("!document.getElementById('video').paused")
    opened.press("Space")
    opened.wait_for("document.getElementById('video').paused")
    opened.settled()
    before = opened.frame
    opened.page.focus("#label")
    opened.page.fill("#label", "")
    opened.press("n", "p", "1", "Space", "Delete", "a")
    assert opened.frame == before and opened.page.input_value("#label") == "np1 a"
    assert opened.page.locator("#events-body tr").count() == 3
    opened.press("Escape", "End", "a", "ArrowLeft", "ArrowLeft", "1", "ArrowRight", "2")
    assert opened.page.locator("#events-body tr").count() == 4
    marks = [opened.page.input_value(f"#{mark}") for mark in ("onset", "apex", "offset")]
    assert marks == ["172", "173", "174"] and opened.page.input_value("#label") == ""


def test_faces_are_those_of_onset_and_apex(recognitions: Callable, open_page: Callable) -> None:
    """Where the face is not known the whole frame is shown, so its number can be read."""
    recognition = recognitions("constant.mp4")
    motion = recognition.motion
    nobody = {name: getattr(motion, name)[:0] for name in ("samples_s", "regions_px", "eyes", "tracks")}
    opened = open_page(replace(recognition, motion=replace(motion, **nobody)))
    for place, event in enumerate(recognition.events, start=1):
        opened.page.click(f"#events-body tr:nth-child({place}) button")
        for mark in ("onset", "apex"):
            frame = getattr(event, mark)
            opened.wait_for(f"document.getElementById('face-{mark}').dataset.frame === '{frame}'")
            assert read_number(opened.page.locator(f"#face-{mark}").screenshot()) == frame
    assert not opened.errors


def test_nothing_leaves(recognitions: Callable, open_page: Callable) -> None:
    opened = open_page(recognitions("it's <img onerror=x> #1 100%.mp4"))
    assert seek_by_typing(opened, 60) == 60
    opened.press("Space", "n", "c")
    blocked = opened.page.evaluate(
        "() => fetch('http://127.0.0.1:9/').then(() => 'sent', error => String(error))"
    )
    assert "Failed to fetch" in blocked
    addresses = {url for url in opened.requests if not url.startswith("http://127.0.0.1:9")}
    assert {Path(url).suffix for url in addresses} == {".html", ".mp4"}
    assert all(url.startswith("file:///") for url in addresses)


def test_axe_finds_nothing(recognitions: Callable, open_page: Callable) -> None:
    """On a desktop and on a phone, light and dark; nothing is wider than the screen."""
    opened = open_page(recognitions("constant.mp4"))
    opened.press("c")
    opened.enter("#onset", "9999")
    for size in (DESKTOP, PHONE):
        for scheme in ("light", "dark"):
            opened.page.set_viewport_size(size)
            opened.page.emulate_media(color_scheme=scheme)
            result = axe_api.Axe().run(opened.page)
            assert result.violations_count == 0, (size, scheme, result.generate_report())
        assert opened.page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def correct(opened: OpenPage) -> None:
    """Confirm the first event, delete the blink, correct the last event, and add one."""
    opened.page.click("#confirm")
    opened.page.click("#events-body tr:nth-child(2) button")
    opened.page.click("#delete")
    opened.page.click("#events-body tr:nth-child(2) button")
    opened.page.fill("#offset", "135")
    opened.page.press("#offset", "Enter")
    opened.page.fill("#label", "disgust, or; anger")
    opened.page.press("#label", "Enter")
    opened.page.fill("#units", "4+R10")
    opened.page.press("#units", "Enter")
    opened.page.focus("#timeline")
    opened.press("Home", *["Shift+ArrowRight"] * 15)
    opened.settled()
    opened.page.click("#add")
    opened.page.fill("#label", "sadness")
    opened.page.press("#label", "Enter")
    opened.page.select_option("#blink", "expression")
    opened.page.fill("#coder", 'Ann "A" <b>')


def expected_corrections(recognition: Recognition, coder: str) -> list[Event]:
    """What the corrections amount to, by hand."""
    smile, _, long = recognition.events
    period = 0.04
    units = (ActionUnitScore(4, "both", None), ActionUnitScore(10, "right", None))
    changed = replace(
        long, offset=135, offset_s=5.4, label="disgust, or, anger", action_units=units, source=coder
    )
    added = Event(147, 150, 153, 147 * period, 150 * period, 153 * period, label="sadness", source=coder)
    return [replace(smile, source=coder), changed, added]


def download(opened: OpenPage, button: str, folder: Path) -> Path:
    with opened.page.expect_download() as waiting:
        opened.page.click(button)
    path = folder / waiting.value.suggested_filename
    waiting.value.save_as(path)
    return path


def test_corrections_are_read_back(recognitions: Callable, open_page: Callable, tmp_path: Path) -> None:
    opened = open_page(recognitions("constant.mp4"))
    correct(opened)
    table = download(opened, "#export-csv", tmp_path)
    elan = download(opened, "#export-elan", tmp_path)
    assert [table.name, elan.name] == ["constant-corrected.csv", "constant-corrected.eaf"]
    recording = Recording(frames=175)
    expected = expected_corrections(opened.recognition, 'Ann "A" <b>')
    read = read_annotations(table, recording)
    for event, wanted in zip(read.events, expected, strict=True):
        assert without_scores(replace(event, status="")) == without_scores(wanted)
        assert (event.score or 0) == pytest.approx(wanted.score if wanted.label == "positive" else 0)
        assert event.strength_px == pytest.approx(wanted.strength_px)
        assert [(unit.code, unit.score) for unit in event.action_units] == [
            (unit.code, pytest.approx(unit.score)) for unit in wanted.action_units
        ]
    rows = list(csv.DictReader(table.read_text().splitlines()))
    assert [(row["status"], row["score"]) for row in rows] == [
        ("confirmed", "0.83"),
        ("changed", ""),
        ("added", ""),
    ]
    of_elan = read_annotations(elan, recording)
    for event, wanted in zip(of_elan.events, expected, strict=True):
        assert without_scores(replace(event, reason=wanted.reason, status="")) == without_scores(wanted)
        assert {unit.code for unit in event.action_units} == {unit.code for unit in wanted.action_units}
    assert "a1 confirmed, a2 changed, a3 added" in elan.read_text()
    for events in (read.events, of_elan.events):
        assert [event.status for event in events] == ["confirmed", "changed", "added"]
    assert "; sadness; apex" in elan.read_text() and "; disgust, or, anger; chin" in elan.read_text()
    assert not opened.errors


def without_scores(event: Event) -> Event:
    rounded = {name: round(getattr(event, name), 3) for name in ("onset_s", "apex_s", "offset_s")}
    return replace(event, **rounded, score=0.0, strength_px=0.0, action_units=(), emotions={})


def test_corrections_are_undone_and_kept(recognitions: Callable, open_page: Callable) -> None:
    opened = open_page(recognitions("constant.mp4"))
    rows = opened.page.locator("#events-body tr")
    original = rows.all_inner_texts()
    correct(opened)
    assert "not exported" in opened.page.inner_text("#unsaved")
    corrected = rows.all_inner_texts()
    assert corrected != original
    prevented = "() => !window.dispatchEvent(new Event('beforeunload', {cancelable: true}))"
    assert opened.page.evaluate(prevented)
    opened.page.reload()
    opened.page.wait_for_selector("html[data-ready]")
    assert rows.all_inner_texts() == corrected and opened.page.is_visible("#draft")
    assert opened.page.input_value("#coder") == 'Ann "A" <b>'
    opened.page.click("#discard")
    assert rows.all_inner_texts() == original
    opened.page.click("#delete")
    assert len(rows.all_inner_texts()) == 2
    opened.page.click("#undo")
    assert rows.all_inner_texts() == original
    opened.page.click("#redo")
    assert len(rows.all_inner_texts()) == 2
    opened.page.click("#undo")
    opened.page.reload()
    opened.page.wait_for_selector("html[data-ready]")
    assert not opened.page.is_visible("#draft")
    assert not opened.page.evaluate(prevented)


def test_wrong_entries_are_refused(recognitions: Callable, open_page: Callable) -> None:
    opened = open_page(recognitions("constant.mp4"))
    original = opened.page.locator("#events-body tr").all_inner_texts()
    refusals = (
        ("#onset", "9999", "whole numbers from 0 to 174"),
        ("#apex", "abc", "whole numbers"),
        ("#units", "smile", "numbers of FACS"),
        ("#units", "4+47", "numbers of FACS"),
    )
    for size in (DESKTOP, PHONE):
        opened.page.set_viewport_size(size)
        opened.page.click("#events-body tr:nth-child(1) button")  # writes the event into the form again
        for field, text, said in refusals:
            opened.enter(field, text)
            assert said in opened.page.inner_text(f"{field}-refused[role=alert]")
            assert opened.shows(f"{field}-refused") and opened.shows(field)
            assert opened.page.get_attribute(field, "aria-invalid") == "true"
    opened.page.set_viewport_size(DESKTOP)
    assert opened.page.locator("#events-body tr").all_inner_texts() == original
    opened.enter("#onset", "44")
    for field in ("#onset", "#apex", "#units"):
        assert opened.page.inner_text(f"{field}-refused") == ""
        assert opened.page.get_attribute(field, "aria-invalid") is None


def test_corrections_are_not_saved_without_a_name(
    recognitions: Callable, open_page: Callable, tmp_path: Path
) -> None:
    """What learnet found is saved without one."""
    opened = open_page(recognitions("constant.mp4"))
    found = download(opened, "#export-csv", tmp_path)
    assert {event.source for event in read_annotations(found, Recording(frames=175)).events} == {"learnet"}
    opened.press("c")
    for button in ("#export-csv", "#export-elan"):
        opened.page.click(button)
        assert "write your name" in opened.page.inner_text("#coder-refused[role=alert]")
        assert opened.shows("#coder-refused") and "not exported" in opened.page.inner_text("#unsaved")
        assert opened.page.evaluate("document.activeElement.id") == "coder"
        opened.press("B")
        assert opened.page.inner_text("#coder-refused") == ""
        opened.page.fill("#coder", " ")
    opened.page.fill("#coder", "Bo")
    saved = read_annotations(download(opened, "#export-csv", tmp_path), Recording(frames=175))
    assert [event.source for event in saved.events] == ["Bo", "learnet", "learnet"]


def test_marks_stay_in_order(recognitions: Callable, open_page: Callable) -> None:
    opened = open_page(recognitions("constant.mp4"))
    opened.page.fill("#onset", "60")
    opened.page.press("#onset", "Enter")
    assert [opened.page.input_value(f"#{mark}") for mark in ("onset", "apex", "offset")] == ["60", "60", "60"]
    assert "apex and offset moved along" in opened.message()


def test_anonymous_page_shows_nobody(recognitions: Callable, open_page: Callable) -> None:
    opened = open_page(recognitions("constant.mp4"), anonymous=True)
    assert opened.page.locator("video, img").count() == 0
    opened.press("n", "ArrowRight")
    assert opened.frame == opened.recognition.events[0].onset + 1
    opened.press("Space")
    opened.wait_for(f"!document.getElementById('frame').textContent.includes('frame {opened.frame} ')")
    opened.press("Space")
    assert {Path(url).suffix for url in opened.requests} == {".html"}
    assert axe_api.Axe().run(opened.page).violations_count == 0
    assert not opened.errors


def test_a_video_that_does_not_play_is_told(recognitions: Callable, open_page: Callable) -> None:
    """The file is gone. It is chosen again by hand, and everything works."""
    recognition = recognitions("constant.mp4")
    gone = replace(recognition, source=str(Path(recognition.source).with_name("gone.mp4")))
    opened = open_page(gone)
    opened.page.wait_for_selector("#no-picture:visible")
    assert "cannot show gone.mp4" in opened.page.inner_text("#failure")
    assert "ffmpeg -i 'gone.mp4'" in opened.page.inner_text("#no-picture pre")
    opened.press("n")
    assert opened.frame == recognition.events[0].onset
    opened.page.set_input_files("#file", recognition.source)
    opened.page.wait_for_selector("#video:visible")
    assert seek_by_typing(opened, 88) == 88


def test_a_folder_of_images_is_shown(open_page: Callable, tmp_path: Path) -> None:
    folder = tmp_path / "images #1"
    names = {f"img{number:03d}.png": number_picture(number) for number in range(3, 203)}
    write_images(folder, names)
    times_s = np.arange(200) / 25
    motion = synthetic_motion(times_s, np.arange(3, 203), np.full(200, np.nan))
    info = VideoInfo(str(folder), "folder", 25.0, 288, 192, 200, False, 0)
    opened = open_page(some_recognition(folder, info, motion))
    opened.press("End", "ArrowLeft")
    opened.wait_for("document.getElementById('image').src.endsWith('img201.png')")
    opened.wait_for("document.getElementById('image').complete")
    assert read_number(opened.page.locator("#image").screenshot()) == 201 == opened.frame
    assert not opened.errors


def test_ten_minutes_are_smooth(open_page: Callable, tmp_path: Path) -> None:
    """200 frames a second: the page opens, and a move of the play head or a zoom takes a few milliseconds."""
    times_s = np.arange(120_000) / 200
    motion = synthetic_motion(times_s, np.arange(120_000), times_s, step=3)
    info = VideoInfo(str(tmp_path / "long.mp4"), "file", 200.0, 288, 192, 120_000, False, 0)
    opened = open_page(some_recognition(tmp_path / "long.mp4", info, motion))
    loaded_ms = opened.page.evaluate("performance.getEntriesByType('navigation')[0].domContentLoadedEventEnd")
    assert loaded_ms < 5000
    spent_ms = opened.page.evaluate(
        """() => {
          const start = performance.now();
          for (let i = 0; i < 10; i++) document.getElementById("zoom-in").click();
          for (let i = 0; i < 10; i++) document.getElementById("zoom-out").click();
          return (performance.now() - start) / 20;
        }"""
    )
    assert spent_ms < 150  # 15 where the machine is idle
