"""What is in the page of events: exact times, curves with their peaks, and nothing that shows anybody."""

import base64
import hashlib
import json
import re
from dataclasses import replace
from pathlib import Path
from urllib.parse import unquote

import numpy as np
import pytest

from learnet.core.errors import BadInput, LearnetError, OutputTaken
from learnet.core.records import FACE_REGIONS
from learnet.inference.event_maps import EventMaps
from learnet.inference.recognition import Recognition
from learnet.report.event_page import event_page, relative_address, write_event_page, write_video_page
from learnet.report.page_data import (
    CURVE_STEP_PX,
    MAX_SAMPLES,
    encode_frames,
    encode_maps,
    encode_motion,
    encode_times,
)
from learnet.video.base import VideoInfo
from tests.builders.event_pages import some_recognition, synthetic_motion
from tests.builders.read_page import Page

INFO = VideoInfo("a b.mp4", "file", 50.0, 288, 192, 350, False, 0)


def of_regular_frames(name: str = "a b.mp4", fps: float = 50.0, seconds: float = 7.0) -> Recognition:
    times_s = np.arange(round(seconds * fps)) / fps
    motion = synthetic_motion(times_s, np.arange(len(times_s)), times_s.copy())
    return some_recognition(Path(name), replace(INFO, source=name, fps=fps, frames=len(times_s)), motion)


@pytest.fixture(scope="module")
def recognition() -> Recognition:
    return of_regular_frames()


def decode_times(encoded: dict) -> np.ndarray:
    """Decode by the words of the docstring, not by the script of the page."""
    if encoded["steps"] is None:
        return (encoded["start_us"] + np.arange(encoded["count"]) * encoded["period_us"]) / 1e6
    steps = np.frombuffer(base64.b64decode(encoded["steps"]), f"<u{encoded['bytes']}")
    return (encoded["start_us"] + np.concatenate([[0], np.cumsum(steps, dtype=np.int64)])) / 1e6


@pytest.mark.parametrize("times_s", [
    np.arange(1000) / 29.97,
    np.array([0.0]),
    np.cumsum(np.random.default_rng(0).uniform(0.003, 0.06, 5000)),
    np.cumsum(np.random.default_rng(1).uniform(0.003, 3.0, 500)),
    np.rint(np.arange(3000) / 60 * 1000) / 1000,
])  # fmt: skip
def test_times_are_exact(times_s: np.ndarray) -> None:
    """A constant rate, one frame, irregular frames, gaps of seconds, and milliseconds as in Matroska."""
    encoded = json.loads(json.dumps(encode_times(times_s)))
    np.testing.assert_allclose(decode_times(encoded), times_s, rtol=0, atol=0.61e-6)


def test_regular_times_take_no_room() -> None:
    assert len(json.dumps(encode_times(np.arange(120_000) / 200))) < 100


def test_frames_have_the_clock_of_the_file_where_it_differs(recognition: Recognition) -> None:
    motion = recognition.motion
    assert motion is not None
    assert encode_frames(motion, 50.0)["media"] is None
    late = encode_frames(replace(motion, media_s=motion.media_s + 0.7), 50.0)
    assert late["media"]["start_us"] == pytest.approx(0.7e6) and late["numbers"] is None
    unknown = encode_frames(replace(motion, media_s=np.full_like(motion.media_s, np.nan)), 50.0)
    assert unknown["media"] is None
    out_of_order = motion.media_s.copy()
    out_of_order[[5, 6]] = out_of_order[[6, 5]]
    assert encode_frames(replace(motion, media_s=out_of_order), 50.0)["media"] is None
    gap = motion.frames + 3 * (motion.frames > 10) + 5
    assert np.frombuffer(
        base64.b64decode(encode_frames(replace(motion, frames=gap), 50.0)["numbers"]), "<u4"
    )[[0, 10, 11]].tolist() == [5, 15, 19]


def test_curves_keep_their_peaks_in_a_long_recording() -> None:
    """Ten minutes at 67 samples a second are thinned out; no peak of one sample is lost."""
    times_s = np.arange(40_000) / 67
    motion = synthetic_motion(times_s, np.arange(40_000), times_s)
    rows = np.random.default_rng(2).choice(len(motion.samples_s), 50, replace=False)
    motion.regions_px[rows, 3] = 5.0
    encoded = encode_motion(motion, 288)
    assert encoded is not None
    times = decode_times(encoded["times"])
    values = np.frombuffer(base64.b64decode(encoded["values"]), np.uint8).reshape(len(times), -1)
    curve = values[:, FACE_REGIONS.index(FACE_REGIONS[3])] * CURVE_STEP_PX
    assert len(times) <= MAX_SAMPLES + 2
    for row in rows:
        near = np.abs(times - motion.samples_s[row]) < 0.05
        assert curve[near].max() == 5.0
    eyes = np.frombuffer(base64.b64decode(encoded["eyes"]), "<i2").reshape(-1, 4) * encoded["eyes_step_px"]
    np.testing.assert_allclose(eyes, [[110, 40, 178, 40]] * len(times), atol=0.01)
    (gap,) = encoded["breaks"]
    assert times[gap - 1] < 4.0 <= times[gap]


def test_a_long_recording_makes_a_small_page(tmp_path: Path) -> None:
    """Ten minutes, 200 frames a second, irregular by milliseconds."""
    times_s = np.rint(np.arange(120_000) / 200 * 1000 + np.tile([0, 0.4], 60_000)) / 1000
    motion = synthetic_motion(times_s, np.arange(120_000), times_s, step=3)
    info = replace(INFO, fps=200.0, frames=120_000)
    path = write_event_page(some_recognition(Path("long.mp4"), info, motion), tmp_path / "page.html")
    assert path.stat().st_size < 1_000_000


def test_no_face_no_curves(recognition: Recognition) -> None:
    motion = recognition.motion
    assert motion is not None
    nobody = replace(
        motion,
        samples_s=motion.samples_s[:0],
        regions_px=motion.regions_px[:0],
        eyes=motion.eyes[:0],
        tracks=motion.tracks[:0],
    )
    assert encode_motion(nobody, 288) is None


def test_maps_are_rounded() -> None:
    rng = np.random.default_rng(3)
    maps = EventMaps(
        rng.normal(size=(14, 14, 2)).astype(np.float32), rng.uniform(-0.3, 0.5, (7, 7)).astype(np.float32)
    )
    encoded = encode_maps(maps)
    movement = np.frombuffer(base64.b64decode(encoded["movement"]), np.int8) * encoded["movement_step_px"]
    np.testing.assert_allclose(movement, maps.movement.ravel(), atol=encoded["movement_step_px"] / 1.99)
    response = np.frombuffer(base64.b64decode(encoded["response"]), np.int8) / 127 * 0.5
    np.testing.assert_allclose(response, maps.response.ravel(), atol=0.5 / 127 / 1.99)


def test_only_the_script_of_the_page_may_run(recognition: Recognition, tmp_path: Path) -> None:
    page = event_page(recognition, tmp_path / "page.html")
    (script,) = re.findall(r"<script>(.*?)</script>", page, flags=re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    (policy,) = re.findall(r'Content-Security-Policy" content="([^"]*)"', page)
    rules = dict(rule.split(" ", 1) for rule in policy.replace("&#39;", "'").split("; "))
    assert rules["default-src"] == "'none'" and rules["script-src"] == f"'sha256-{digest}'"
    assert rules["connect-src"] == "'none'" and not {"font-src", "frame-src"} & set(rules)
    assert "http:" not in policy and "https:" not in policy


def test_page_names_nothing_outside_but_the_video(recognition: Recognition, tmp_path: Path) -> None:
    page = Page(write_event_page(recognition, tmp_path / "page.html"))
    for tag, attributes in page.elements:
        assert tag not in ("link", "iframe", "object")
        for name in ("src", "href", "data"):
            assert (attributes.get(name) or "#").startswith("#"), (tag, name)
    addresses = set(re.findall(r"https?://([^\s\"'</]*)", page.raw))
    assert addresses == {"www.w3.org", "www.mpi.nl"}  # names of the schema of ELAN files


HOSTILE = (
    "<img src=x onerror=alert(1)>.mp4",
    "a#b?c%20d.mp4",
    'it\'s "quoted" & spaced.mp4',
    "</script>.mp4",
)


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_stay_text(name: str, tmp_path: Path) -> None:
    name = name.replace("/", "\N{DIVISION SLASH}")
    recognition = of_regular_frames(str(tmp_path / name))
    page = Page(write_event_page(recognition, tmp_path / "page.html"))
    assert name in page.words and not any(tag == "img" and "onerror" in of for tag, of in page.elements)
    assert sum(tag == "script" for tag, _ in page.elements) == 2
    (text,) = re.findall(r'id="page-data">(.*?)</script>', page.raw)
    video = json.loads(text)["video"]
    assert video["name"] == name
    assert video["address"].startswith("./") and not set("<>#?\"' &") & set(video["address"])
    assert unquote(video["address"]) == f"./{name}"


def test_address_is_relative(tmp_path: Path) -> None:
    video = tmp_path / "films" / "a b.mp4"
    assert relative_address(video, tmp_path / "films" / "page.html") == "./a%20b.mp4"
    assert relative_address(video, tmp_path / "pages" / "page.html") == "./../films/a%20b.mp4"
    assert relative_address(tmp_path / "x:y.mp4", tmp_path / "page.html") == "./x%3Ay.mp4"


def test_anonymous_page_has_nobody(tmp_path: Path) -> None:
    """Neither an element that shows pictures, nor the name, nor the position of the face on the screen."""
    recognition = of_regular_frames("anna-miller.mp4")
    page = Page(write_event_page(recognition, tmp_path / "page.html", anonymous=True))
    assert "anna" not in page.raw
    assert not {"video", "img"} & {tag for tag, _ in page.elements}
    assert "data:image" not in page.raw
    (policy,) = re.findall(r'Content-Security-Policy" content="([^"]*)"', page.raw)
    assert "media-src &#39;none&#39;" in policy and "img-src &#39;none&#39;" in policy
    assert "learnet predict VIDEO" in page.words
    assert page.words.count("--page VIDEO.html --anonymous") == 1
    assert "anna" not in event_page(recognition, tmp_path / "anna.html", anonymous=True)


def test_no_pixels_of_the_person_in_any_page(recognition: Recognition, tmp_path: Path) -> None:
    page = event_page(recognition, tmp_path / "page.html")
    assert "data:image" not in page and "<svg" not in page


def test_same_recognition_gives_the_same_page(recognition: Recognition, tmp_path: Path) -> None:
    first, second = (event_page(recognition, tmp_path / "page.html") for _ in range(2))
    assert first == second


def test_other_files_are_not_replaced(recognition: Recognition, tmp_path: Path) -> None:
    (tmp_path / "notes.html").write_text("mine")
    with pytest.raises(OutputTaken):
        write_event_page(recognition, tmp_path / "notes.html")
    with pytest.raises(BadInput, match=r"a page is written as HTML"):
        write_event_page(recognition, tmp_path / "page.txt")
    with pytest.raises(LearnetError, match="motion was not recorded"):
        write_event_page(replace(recognition, motion=None), tmp_path / "page.html")


def test_without_recorded_motion_the_page_is_static(recognition: Recognition, tmp_path: Path) -> None:
    """An array has no file to read pictures from."""
    frames = replace(recognition, motion=None, info=replace(recognition.info, kind="array"))
    page = write_video_page(frames, tmp_path / "page.html").read_text()
    assert page.startswith("<!doctype html>\n<!-- learnet recognition -->") and "<script" not in page
    assert "these frames came from an array" in page


def test_works_as_a_table_without_script(recognition: Recognition, tmp_path: Path) -> None:
    page = Page(write_event_page(recognition, tmp_path / "page.html"))
    rows = page.table("expression", "score")
    assert [row[0] for row in rows] == ["positive", "blink", "macro"]
    assert "Scripts are off" in page.words


def test_command_repeats_rate_and_face(recognition: Recognition, tmp_path: Path) -> None:
    out = tmp_path / "my page.html"
    page = Page(write_event_page(replace(recognition, stated_fps=50.0, face=2), out))
    command = "learnet predict 'a b.mp4' --weights mlp-cnn-flow-28 --fps 50 --face 2 --page 'my page.html'"
    assert command in page.words and f"{command} --anonymous" not in page.words
