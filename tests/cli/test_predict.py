"""`learnet predict` on several videos, on several faces, and on what has no frame rate."""

import json
import os
import re
import threading
from pathlib import Path
from urllib.parse import unquote

import cv2
import numpy as np
import pytest
from praatio import textgrid
from pympi import Elan

from learnet.core.errors import LearnetError
from learnet.core.records import Event
from learnet.datasets.annotations.files import read_annotations, write_annotations
from learnet.datasets.annotations.record import Recording
from learnet.datasets.synthetic.databases import synthetic_video
from learnet.face import Face, align
from learnet.inference.recogniser import Recogniser
from learnet.inference.selected_face import SelectedFace
from learnet.video.reader import read_frames
from learnet.video.writer import write_video
from tests.builders.action_units import stand_in
from tests.builders.commands import learnet
from tests.builders.films import film_of_events
from tests.builders.once import SharedFolders


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("films")
    for emotion in ("happiness", "surprise"):
        synthetic_video(folder / f"{emotion}.mp4", seed=6, emotion=emotion, duration_s=0.6)
    return folder


def test_several_videos_are_written_to_a_folder_and_not_computed_twice(films: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(b"no video")
    out = tmp_path / "out"
    words = ["predict", films / "happiness.mp4", broken, films / "surprise.mp4", "--output", out]
    first = learnet(*words, code=2)
    assert "broken.mp4" in first.stderr and "1 of 3 videos could not be recognised" in first.stderr
    names = sorted(path.name for path in out.iterdir())
    assert names == ["happiness.csv", "happiness.json", "surprise.csv", "surprise.json"]
    record = json.loads((out / "surprise.json").read_text())
    assert [event["label"] for event in record["events"]] == ["surprise"]
    assert "micro" in first.stderr and "surprise 0." in first.stderr

    broken.unlink()
    write_video(broken, read_frames(films / "happiness.mp4"), 200.0)
    assert learnet(*words).stderr.count("is there already; skipped") == 2
    other = learnet(*words, "--windows", code=2)
    assert "no result of the same video and settings" in other.stderr


def test_a_folder_of_videos_stands_for_its_videos(films: Path, tmp_path: Path) -> None:
    folder = tmp_path / "films"
    folder.mkdir()
    (folder / "one.mp4").write_bytes((films / "surprise.mp4").read_bytes())
    (folder / "notes.txt").write_text("no video")
    assert "--output" in learnet("predict", folder, code=2).stderr  # also where it is a single one
    words = ["predict", folder, films / "happiness.mp4", "--output", tmp_path / "out"]
    learnet(*words)
    names = sorted(path.name for path in (tmp_path / "out").glob("*.json"))
    assert names == ["happiness.json", "one.json"]
    with pytest.raises(LearnetError, match="this is a folder of videos"):
        Recogniser.load()(folder)


def test_two_processes_write_the_bytes_of_one(films: Path, long_film: Path, tmp_path: Path) -> None:
    """A film of events, one that is judged as a whole, and one that cannot be read."""
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(b"no video")
    words = ["predict", long_film, broken, films / "surprise.mp4", "--output"]
    one = learnet(*words, tmp_path / "one", code=2).stderr
    two = learnet(*words, tmp_path / "two", "--jobs", 2, code=2).stderr
    assert two == one.replace(str(tmp_path / "one"), str(tmp_path / "two")) and "1 of 3 videos" in two
    names = sorted(path.name for path in (tmp_path / "one").iterdir())
    assert names == sorted(path.name for path in (tmp_path / "two").iterdir()) and len(names) == 4
    for name in names:
        assert (tmp_path / "two" / name).read_bytes() == (tmp_path / "one" / name).read_bytes()
    record = json.loads((tmp_path / "two" / f"{long_film.stem}.json").read_text())
    assert [event["label"] for event in record["events"]] == [None, "positive", "surprise", "negative"]
    again = learnet(*words, tmp_path / "two", "--jobs", 2, code=2).stderr
    assert again.count("is there already; skipped") == 2


def test_several_videos_need_a_folder_and_different_names(films: Path, tmp_path: Path) -> None:
    film = films / "happiness.mp4"
    twice = learnet("predict", film, film, "--output", tmp_path / "out", code=2)
    assert "Several videos are named happiness" in twice.stderr
    assert "--output" in learnet("predict", film, films / "surprise.mp4", code=2).stderr
    file = learnet("predict", film, films / "surprise.mp4", "--output", tmp_path / "a.json", code=2)
    assert "several videos are written to a folder" in file.stderr
    assert "VIDEO is missing" in learnet("predict", code=2).stderr


def test_images_without_a_rate_are_refused(films: Path, tmp_path: Path) -> None:
    for number, frame in enumerate(read_frames(films / "happiness.mp4")[:4]):
        cv2.imwrite(str(tmp_path / f"{number}.png"), frame)
    for command in ("predict", "live"):
        refused = learnet(command, tmp_path, code=2)
        assert "a folder of images has no frame rate" in refused.stderr and "--fps" in refused.stderr


def test_units_are_in_the_line_of_an_event_and_what_they_speak_for_below(
    films: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("learnet.inference.recogniser.shipped_action_units", stand_in)
    _, _, first, second, *_ = learnet("predict", films / "surprise.mp4").stderr.strip().splitlines()
    assert re.match(r"0:00\.\d\d micro, 0\.\d\d s, AU 1 both sides 0\.90, AU 12 \w+ side 0\.80, ", first)
    assert re.search(r", AU 2 both sides 0\.75, surprise 0\.\d\d$", first)
    expected = r"AU 1\+2 speak for surprise, AU [LR]12 speaks for happiness \(criteria of CASME II\)"
    assert re.fullmatch(expected, second.strip())

    monkeypatch.setattr("learnet.inference.window_units.HEAD_MOTION_LIMIT_PX", -1.0)
    _, _, first, second, *_ = learnet("predict", films / "surprise.mp4").stderr.strip().splitlines()
    assert "uncertain 0." in first and "AU" not in first
    assert second.strip().endswith("so emotion and action units are not to be trusted")


def test_results_of_other_units_are_not_skipped(
    films: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ["predict", films / "happiness.mp4", films / "surprise.mp4", "--output", tmp_path]
    monkeypatch.setattr("learnet.inference.recogniser.shipped_action_units", stand_in)
    learnet(*words)
    assert learnet(*words).stderr.count("is there already; skipped") == 2
    monkeypatch.setattr("learnet.inference.recogniser.shipped_action_units", lambda: None)
    assert "no result of the same video and settings" in learnet(*words, code=2).stderr


def test_of_two_faces_the_largest_is_judged_and_the_other_by_its_number(films: Path) -> None:
    """The face on the left is a still, the smaller one on the right smiles."""
    smile = read_frames(films / "happiness.mp4")
    small = np.stack(
        [cv2.resize(frame, None, fx=0.75, fy=0.75, interpolation=cv2.INTER_AREA) for frame in smile]
    )
    padded = np.zeros((len(smile), *smile.shape[1:]), np.uint8)
    padded[:, : small.shape[1], : small.shape[2]] = small
    still = np.repeat(smile[:1], len(smile), axis=0)
    both = np.concatenate([still, padded], axis=2)
    largest = Recogniser.load()(both, fps=200.0)
    second = Recogniser.load(face=2)(both, fps=200.0)
    assert largest.label == "none" and largest.strongest.reason == "nothing moves"
    assert [event.label for event in second.events] == ["positive"]
    assert second.strongest.face is not None and second.strongest.face.box[0] > 640
    for recognition, which in ((largest, "the largest"), (second, "number 2")):
        assert any(f"2 faces; {which}" in warning for warning in recognition.warnings)
    alone = Recogniser.load()(smile, fps=200.0)
    assert not any("faces" in warning for warning in alone.warnings if "shows" in warning)


def test_a_face_by_number_is_followed_when_another_becomes_larger() -> None:
    """The followed face, on the right, is the second largest at first and the largest at last."""

    class Told:
        kind = "told"
        widths = ((100.0, 80.0), (100.0, 60.0), (60.0, 100.0))

        def __init__(self) -> None:
            self.calls = 0

        def faces(self, frame: np.ndarray) -> list[Face]:
            left, right = self.widths[self.calls]
            self.calls += 1
            boxes = [(0.0, 0.0, left, left), (300.0, 0.0, right, right)]
            boxes.sort(key=lambda box: -box[2])
            return [Face(box, ((0.0, 0.0), (1.0, 0.0)), 0.9, self.kind) for box in boxes]

        def __call__(self, frame: np.ndarray) -> Face | None:
            return self.faces(frame)[0]

    frame = np.zeros((8, 8, 3), np.uint8)
    second = SelectedFace(Told(), 2)
    assert [second(frame).box[0] for _ in range(3)] == [300.0, 300.0, 300.0]  # type: ignore[union-attr]
    first = SelectedFace(Told(), 1)
    assert [first(frame).box[0] for _ in range(3)] == [0.0, 0.0, 300.0]  # type: ignore[union-attr]


def test_a_face_crop_needs_no_face_finder(films: Path) -> None:
    """The crop of a smile is judged as the smile itself."""
    smile = read_frames(films / "happiness.mp4")
    recogniser = Recogniser.load()
    asked = recogniser(smile, fps=200.0)
    assert recogniser.finder is not None
    crops = align(smile, recogniser.finder, 224).crops(smile)
    of_crops = Recogniser.load(face="none")(crops, fps=200.0)
    assert of_crops.strongest.face is None
    assert of_crops.label == asked.label == "positive"


def test_page_of_events_is_beside_its_video(films: Path, tmp_path: Path) -> None:
    """A short video, judged as one window, has curves too; an anonymous page does not name it."""
    pages = [tmp_path / "page.html", tmp_path / "anonymous.html"]
    for page, options in zip(pages, ([], ["--anonymous"]), strict=True):
        learnet("predict", films / "happiness.mp4", "--page", page, "--output", tmp_path / "a.json", *options)
    whole, anonymous = (page.read_text() for page in pages)
    assert "happiness.mp4" in whole and "happiness" not in anonymous.replace("speak for happiness", "")
    (text,) = re.findall(r'id="page-data">(.*?)</script>', whole)
    data = json.loads(text)
    assert (tmp_path / unquote(data["video"]["address"])).samefile(films / "happiness.mp4")
    assert data["frames"]["times"]["count"] == 120 and len(data["motion"]["regions"]) == 13
    assert data["events"][0]["maps"]["response"]


def test_anonymous_needs_the_page_of_events(films: Path, tmp_path: Path) -> None:
    for options in ([], ["--page", tmp_path / "p.html", "--windows"]):
        refused = learnet("predict", films / "happiness.mp4", "--anonymous", *options, code=2)
        assert "--anonymous is about the page of events. Add --page, without --windows." in refused.stderr


def test_a_table_into_a_pipe_is_written_through(films: Path, tmp_path: Path) -> None:
    pipe, received = tmp_path / "table", []
    os.mkfifo(pipe)
    reader = threading.Thread(target=lambda: received.append(pipe.read_text()))
    reader.start()
    learnet("predict", films / "happiness.mp4", "--csv", pipe, "--windows")
    reader.join(timeout=60)
    assert received[0].startswith("window,start_s") and "positive" in received[0]
    assert pipe.is_fifo() and list(tmp_path.iterdir()) == [pipe]


@pytest.fixture(scope="module")
def long_film(shared_folders: SharedFolders) -> Path:
    return film_of_events(shared_folders).path


def test_movements_are_told_in_lines_and_written_to_all_files(long_film: Path, tmp_path: Path) -> None:
    out, table, picture, page = (tmp_path / name for name in ("a.json", "a.csv", "a.png", "a.html"))
    words = ["predict", long_film, "--output", out, "--csv", table, "--picture", picture, "--page", page]
    said = learnet(*words).stderr
    lines = [line for line in said.splitlines() if re.match(r"\d:\d\d\.\d\d ", line)]
    assert [line.split(",")[0] for line in lines] == [
        "0:01.10 blink",
        "0:02.80 micro",
        "0:04.48 micro",
        "0:06.18 micro",
    ]
    assert re.fullmatch(r"0:04\.48 micro, 0\.\d\d s, brows, lids, AU 1 .*, surprise 0\.9\d", lines[2])
    assert re.search(r"^\d\.\d of 10\.5 s could not be judged: the head turns or moves ", said, re.M)
    record = json.loads(out.read_text())
    assert [event["label"] for event in record["events"]] == [None, "positive", "surprise", "negative"]
    assert table.read_text().startswith("onset,apex,offset,onset_s,apex_s,offset_s,kind,regions,label,score,")
    assert len(table.read_text().splitlines()) == 5
    assert picture.read_bytes()[:4] == b"\x89PNG" and "4 movements: blink, positive" in page.read_text()
    learnet(*words)  # files of an earlier run may be replaced

    people = tmp_path / "people.csv"
    people.write_text("name,age\nA,31\n")
    refused = learnet("predict", long_film, "--csv", people, code=2).stderr
    assert "something else than windows or events" in refused and people.read_text() == "name,age\nA,31\n"


def test_events_are_written_for_annotation_programs(long_film: Path, tmp_path: Path) -> None:
    """Read by the libraries of the formats, and WebVTT by its lines."""
    files = {
        "elan": tmp_path / "a.eaf",
        "boris": tmp_path / "a.boris",
        "vtt": tmp_path / "a.vtt",
        "textgrid": tmp_path / "a.TextGrid",
    }
    options = [word for name, path in files.items() for word in (f"--{name}", path)]
    learnet("predict", long_film, "--output", tmp_path / "a.json", *options)
    events = json.loads((tmp_path / "a.json").read_text())["events"]
    expected_ms = [(round(1000 * event["onset_s"]), round(1000 * event["offset_s"])) for event in events]
    assert len(expected_ms) == 4

    eaf = Elan.Eaf(str(files["elan"]))
    annotations = eaf.get_annotation_data_for_tier("learnet")
    assert sorted((start_ms, end_ms) for start_ms, end_ms, *_ in annotations) == expected_ms
    assert "the head turns" in eaf.get_annotation_data_for_tier("unjudged")[0][2]
    assert eaf.get_linked_files()[0]["RELATIVE_MEDIA_URL"] == f"./{long_film.name}"

    grid = textgrid.openTextgrid(str(files["textgrid"]), includeEmptyIntervals=False)
    intervals = grid.getTier("learnet").entries
    assert grid.tierNames == ("learnet", "unjudged")
    starts_ms = sorted(round(1000 * interval.start) for interval in intervals)
    assert starts_ms == [start_ms for start_ms, _ in expected_ms]

    observations = json.loads(files["boris"].read_text())["observations"]
    times = [float(row[0]) for observation in observations.values() for row in observation["events"]]
    assert {round(1000 * time_s) for time_s in times} >= {start_ms for start_ms, _ in expected_ms}

    cues = re.findall(r"^00:00:(\d\d\.\d{3}) --> ", files["vtt"].read_text(), re.M)
    assert set(starts_ms) < {round(1000 * float(cue)) for cue in cues}

    for path in files.values():
        assert len(read_annotations(path, Recording(fps=100.0)).events) == 4


def test_a_file_for_another_annotation_program_is_refused(films: Path, tmp_path: Path) -> None:
    film = films / "happiness.mp4"
    refused = learnet("predict", film, "--elan", tmp_path / "a.vtt", code=2).stderr
    assert "--elan writes a .eaf file. Name it a.eaf." in refused
    several = ["predict", film, films / "surprise.mp4", "--output", tmp_path / "out"]
    assert "import-annotations converts NAME.json" in learnet(*several, "--vtt", "a.vtt", code=2).stderr


def test_what_people_annotated_is_not_overwritten(films: Path, tmp_path: Path) -> None:
    film = films / "happiness.mp4"
    event = Event(10, 12, 20, 0.1, 0.12, 0.2, source="Ann")
    for option, name in (("--elan", "a.eaf"), ("--boris", "a.boris"), ("--vtt", "a.vtt"), ("--csv", "a.csv")):
        path = tmp_path / name
        write_annotations(path, [event], Recording(fps=100.0))
        before = path.read_bytes()
        refused = learnet("predict", film, option, path, code=2).stderr
        assert "Ann" in refused or "something else than" in refused
        assert path.read_bytes() == before
    for option, name in (("--output", "notes.json"), ("--page", "notes.html"), ("--textgrid", "a.TextGrid")):
        (tmp_path / name).write_text('{"my": "notes"}')
        assert "this file exists" in learnet("predict", film, option, tmp_path / name, code=2).stderr
        assert (tmp_path / name).read_text() == '{"my": "notes"}'
    again = ["predict", film, "--elan", tmp_path / "own.eaf", "--output", tmp_path / "own.json"]
    learnet(*again)
    learnet(*again)  # its own files are replaced


def test_file_names_that_look_like_syntax(
    films: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("[red]x.mp4").write_bytes((films / "happiness.mp4").read_bytes())
    learnet("predict", "[red]x.mp4", "--output", "[a].json")
    assert json.loads(Path("[a].json").read_text())["video"] == "[red]x.mp4"
    Path("empty").mkdir()
    assert "no image with a number" in learnet("predict", "empty", code=2).stderr


def test_a_batch_of_events_is_continued(long_film: Path, films: Path, tmp_path: Path) -> None:
    """The second video is short, and so has been judged as one window."""
    words = ["predict", long_film, films / "surprise.mp4", "--output", tmp_path]
    learnet(*words)
    assert learnet(*words).stderr.count("is there already; skipped") == 2
    (tmp_path / "surprise.json").unlink()
    assert learnet(*words).stderr.count("is there already; skipped") == 1
    for name in ("film", "surprise"):
        assert (tmp_path / f"{name}.csv").read_text().startswith("onset,apex,offset,onset_s")
    assert "no result of the same video and settings" in learnet(*words, "--windows", code=2).stderr


def test_options_of_windows_need_windows(films: Path) -> None:
    refused = learnet("predict", films / "surprise.mp4", "--window-s", 0.3, code=2)
    assert "--window-s, --overlap and --whole-s are about windows. Add --windows." in refused.stderr


def test_a_still_gets_its_timeline_as_a_picture(films: Path, tmp_path: Path) -> None:
    still = np.repeat(read_frames(films / "surprise.mp4")[:1], 90, axis=0)
    write_video(tmp_path / "still.mp4", still, 50.0)
    said = learnet("predict", tmp_path / "still.mp4", "--picture", tmp_path / "still.png").stderr
    assert "No expression in the 1.8 s that can be judged." in said
    assert "could not be judged" not in said
    assert (tmp_path / "still.png").read_bytes()[:4] == b"\x89PNG"
