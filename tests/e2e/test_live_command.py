"""`learnet live` as a user runs it: lines while frames come, an end when asked, and what is left when a
camera is unplugged."""

import csv
import json
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from learnet import cli
from learnet.core.settings import Preparation
from learnet.networks import NETWORKS
from learnet.training.checkpoint import save_checkpoint
from learnet.training.metadata import CheckpointMetadata
from learnet.video.base import Frame, Video, VideoInfo
from learnet.video.writer import write_video
from tests.builders.commands import HANG_S, LEARNET
from tests.builders.films import film_of_events
from tests.builders.once import SharedFolders

CLASSES = ("happiness", "disgust")


def pictures(count: int) -> np.ndarray:
    """Frames (T, 48, 64, 3) of stripes that move."""
    phase = np.arange(64)[None, None, :, None] / 5 + np.arange(count)[:, None, None, None] / 9
    return np.broadcast_to(128 + 100 * np.sin(phase), (count, 48, 64, 3)).astype(np.uint8)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Weights that take face crops, weights that look for a face, and a second of film."""
    place = tmp_path_factory.mktemp("live")
    for face in ("none", "haar"):
        preparation = Preparation(face=face, size=28)  # type: ignore[arg-type]
        metadata = CheckpointMetadata("learnet", CLASSES, 28, preparation, None, {"synthetic": "yes"}, {})
        save_checkpoint(place / f"{face}.safetensors", NETWORKS["learnet"](2, 28), metadata)
    write_video(place / "film.mp4", pictures(100), 100.0)
    return place


def start(*words: object) -> subprocess.Popen:
    """The command as a terminal starts it; a job in the background would have its Ctrl-C ignored, and so
    would its children."""
    command = [LEARNET, "live", *map(str, words)]
    heed = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, preexec_fn=heed
    )


def test_a_line_for_each_answer_and_a_row(place: Path, tmp_path: Path) -> None:
    done = start(
        place / "film.mp4",
        "--weights",
        place / "none.safetensors",
        "--windows",
        "--every",
        20,
        "--csv",
        tmp_path / "table.csv",
    )
    out, err = done.communicate(timeout=HANG_S)
    assert done.returncode == 0, err
    lines = [json.loads(line) for line in out.splitlines()]
    assert [line["last"] for line in lines] == [49, 69, 89, 99]
    for line in lines:
        assert line["latency_ms"] > 0
        if line["scores"]:  # of an untrained network, which is uncertain
            assert set(line["scores"]) == set(CLASSES) and line["label"] in (*CLASSES, "uncertain")
        else:
            assert line["label"] in ("none", None) and line["reason"]
    rows = list(csv.DictReader((tmp_path / "table.csv").open(newline="")))
    assert [(row["label"], row["happiness"]) for row in rows] == [
        (line["label"] or "", str(line["scores"].get("happiness", ""))) for line in lines
    ]
    assert "the network was trained only on synthetic faces" in err
    assert "100 frames, 4 predictions, 0 frames skipped; median latency" in err


def test_a_face_is_named_in_a_stranger_s_video(place: Path, tmp_path: Path) -> None:
    from learnet.datasets.synthetic.databases import synthetic_video

    synthetic_video(tmp_path / "stranger.mp4", seed=3, duration_s=0.55)
    done = start(tmp_path / "stranger.mp4", "--weights", place / "haar.safetensors", "--windows")
    out, err = done.communicate(timeout=HANG_S)
    assert done.returncode == 0, err
    answers = [json.loads(line) for line in out.splitlines()]
    assert len(answers) == 2
    assert all(answer["label"] is not None for answer in answers)
    assert any(answer["scores"] for answer in answers)


def test_a_film_without_a_face_gets_lines_that_say_so(place: Path, capfd: pytest.CaptureFixture) -> None:
    with pytest.raises(SystemExit) as end:
        cli.main(
            [
                "live",
                str(place / "film.mp4"),
                "--weights",
                str(place / "haar.safetensors"),
                "--windows",
                "--window-s",
                "0.3",
            ]
        )
    assert not end.value.code
    lines = [json.loads(line) for line in capfd.readouterr().out.splitlines()]
    assert len(lines) == 8 and {(line["label"], line["reason"]) for line in lines} == {
        (None, "no face has been found yet")
    }


def test_every_line_is_out_when_it_is_written(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[str] = []
    out = SimpleNamespace(write=lambda text: done.append(text[-1]), flush=lambda: done.append("out"))
    monkeypatch.setattr(sys, "stdout", out)
    with pytest.raises(SystemExit):
        cli.main(
            [
                *("live", str(place / "film.mp4"), "--weights", str(place / "none.safetensors")),
                *("--windows", "--every", "20"),
            ]
        )
    assert done[:-1] == ["\n", "out"] * 4  # then once more at the end of every command


def test_ctrl_c_ends_it_with_a_summary(place: Path) -> None:
    write_video(
        place / "long.avi", (picture for _ in range(60) for picture in pictures(100)), 100.0, "mjpeg"
    )  # a minute
    done = start(place / "long.avi", "--weights", place / "none.safetensors", "--pace", "--windows")
    first = done.stdout.readline()  # type: ignore[union-attr]
    done.send_signal(signal.SIGINT)
    rest, err = done.communicate(timeout=HANG_S)
    assert done.returncode == 0, err
    assert [json.loads(line)["number"] for line in [first, *rest.splitlines()]] == list(
        range(1 + len(rest.splitlines()))
    )
    assert "0 frames skipped" in err and "Traceback" not in err and len(rest.splitlines()) < 400


def test_whoever_reads_may_stop_reading(place: Path) -> None:
    done = start(
        place / "film.mp4", "--weights", place / "none.safetensors", "--pace", "--windows", "--every", 2
    )
    done.stdout.readline()  # type: ignore[union-attr]
    done.stdout.close()  # type: ignore[union-attr]
    assert done.wait(HANG_S) == 0
    assert "Traceback" not in (err := done.stderr.read()) and "BrokenPipe" not in err  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["977"], "camera 977: there is no such camera"),
        (["none.mp4"], "none.mp4: there is no such file"),
        (["film.mp4"], "missing.safetensors: there is no such file"),
        (["none.mp4", "--every", "5"], "--every and --window-s are about windows. Add --windows."),
        (["none.mp4", "--every", "0"], "every must be at least 1"),
    ],
)
def test_mistakes_are_one_line(
    place: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture, words: list[str], says: str
) -> None:
    monkeypatch.chdir(place)
    with pytest.raises(SystemExit) as end:
        cli.main(["live", *words, "--weights", "missing.safetensors", "--csv", "out.csv"])
    out, err = capfd.readouterr()
    assert end.value.code == 2 and out == "" and says in err and err.count("\n") == 1
    assert not Path("out.csv").exists()


class Unplugged(Video):
    """A camera that gives 70 frames and then no more."""

    def __init__(self) -> None:
        super().__init__(VideoInfo("camera 0", "camera", 100.0, 64, 48, None, True, 0), (None, None), [])

    def _frames(self) -> Iterator[Frame]:
        for number, picture in enumerate(pictures(70)):
            yield Frame(number, number / 100.0, picture)


def test_nothing_is_lost_when_a_camera_is_unplugged(
    place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture
) -> None:
    from learnet.inference.live import stream

    monkeypatch.setattr(stream, "CAMERA_QUEUE", 100)  # so that none is skipped, however busy the machine is
    monkeypatch.setattr("learnet.video.reader.open_video", lambda source, fps: Unplugged())
    with pytest.raises(SystemExit) as end:
        cli.main(
            [
                "live",
                "0",
                "--weights",
                str(place / "none.safetensors"),
                "--csv",
                str(tmp_path / "t.csv"),
                "--windows",
                "--every",
                "5",
            ]
        )
    out, err = capfd.readouterr()
    assert end.value.code == 2
    assert [json.loads(line)["last"] for line in out.splitlines()] == [49, 54, 59, 64, 69]
    assert len((tmp_path / "t.csv").read_text().splitlines()) == 6
    lines = err.splitlines()
    assert lines[-2].startswith("70 frames, 5 predictions, 0 frames skipped")
    assert lines[-1] == (
        "learnet: camera 0: it delivers no more frames, after 70 frames in 0.7 s. "
        "Check that it is plugged in. The predictions so far are valid."
    )


def test_events_are_printed_when_they_are_final(
    shared_folders: SharedFolders, tmp_path: Path, capfd: pytest.CaptureFixture
) -> None:
    film = film_of_events(shared_folders).path
    with pytest.raises(SystemExit) as end:
        cli.main(["live", str(film), "--csv", str(tmp_path / "events.csv")])
    assert not end.value.code
    out, err = capfd.readouterr()
    lines = [json.loads(line) for line in out.splitlines()]
    events = [line for line in lines if line["kind"] != "unjudged"]
    assert [(event["kind"], event["label"]) for event in events] == [
        ("blink", None),
        ("micro", "positive"),
        ("micro", "surprise"),
        ("micro", "negative"),
    ]
    (unjudged,) = [line for line in lines if line["kind"] == "unjudged"]
    assert unjudged["reason"] == "the head turns or moves too far"
    rows = list(csv.DictReader((tmp_path / "events.csv").open(newline="")))
    assert [(row["onset"], row["label"]) for row in rows] == [
        (str(event["onset"]), event["label"] or "") for event in events
    ]
    assert re.search(r"^5\d\d frames, 4 events, 0 frames skipped; median latency \d\.\d s, ", err, re.M)


def test_ctrl_c_prints_what_remains(place: Path) -> None:
    """The film shows no face: a stretch that ends with it is printed when it is stopped."""
    write_video(
        place / "minute.avi", (picture for _ in range(60) for picture in pictures(100)), 100.0, "mjpeg"
    )
    done = start(
        place / "minute.avi", "--weights", place / "haar.safetensors", "--pace", "--csv", place / "e.csv"
    )
    while not (place / "e.csv").exists():  # it has begun
        time.sleep(0.05)
    time.sleep(1)
    done.send_signal(signal.SIGINT)
    out, err = done.communicate(timeout=HANG_S)
    assert done.returncode == 0, err
    (line,) = map(json.loads, out.splitlines())
    assert (line["kind"], line["start_s"], line["reason"]) == ("unjudged", 0.0, "no face")
    assert 0 < line["end_s"] < 60 and "0 events, 0 frames skipped" in err
