"""Synthetic databases: the layout of CASME II, the same bytes for the same seed, no class without motion."""

import hashlib
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import av
import cv2
import numpy as np
import openpyxl
import pytest
from scipy import stats
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from learnet.core.errors import LearnetError, OutputTaken, UnknownName
from learnet.datasets import DATASETS
from learnet.datasets.synthetic import databases as synthetic
from learnet.datasets.synthetic.databases import synthesize, synthetic_video
from learnet.datasets.synthetic.layouts import LAYOUTS
from learnet.simulation.geometry import crop_view
from learnet.simulation.render import Camera, register, render
from learnet.simulation.scenes import MAIN_EMOTIONS, DatabasePlan, make_scene, plan_scenes

PEOPLE, CLIPS, SEED = 4, 5, 1  # the database of `prepared_folder`
SCENES = plan_scenes(DatabasePlan(PEOPLE, CLIPS, SEED))


@pytest.fixture(scope="module")
def database(synthetic_database: Callable[..., Path]) -> Path:
    return synthetic_database("casme2", PEOPLE, CLIPS, SEED)


@pytest.fixture(scope="module")
def rows(database: Path) -> list[tuple]:
    """The workbook as it is, cell types and all."""
    return list(
        openpyxl.load_workbook(database / "CASME2-coding-20140508.xlsx")["Sheet1"].iter_rows(values_only=True)
    )


def numbers(folder: Path, pattern: str) -> list[int]:
    found = [re.fullmatch(pattern, file.name) for file in folder.iterdir()]
    assert all(found), [file.name for file in folder.iterdir()]
    return sorted(int(match[1]) for match in found if match)


def test_workbook_has_the_nine_columns_and_the_quirks(rows: list[tuple]) -> None:
    assert rows[0] == (
        "Subject",
        "Filename",
        None,
        "OnsetFrame",
        "ApexFrame",
        "OffsetFrame",
        None,
        "Action Units",
        "Estimated Emotion",
    )
    body = rows[1:]
    assert len(body) == PEOPLE * CLIPS
    assert [row[0] for row in body] == [f"{scene.person:02d}" for scene in SCENES]  # text, not numbers
    assert [row[4] for row in body].count("/") == 1
    assert {type(row[3]) for row in body} == {type(row[5]) for row in body} == {int}
    assert {type(row[7]) for row in body} == {int, str}
    assert any(row[8].endswith(" ") for row in body)
    assert all(re.fullmatch(r"[LR]?\d+(\+[LR]?\d+)*", str(row[7])) for row in body)
    names = {row[1] for row in body}
    assert {"EP09f", "EP06_02_01", "EP01_2"} <= names and any(
        re.fullmatch(r"EP\d\d_\d\df?", name) for name in names
    )
    assert len({(row[0], row[1]) for row in body}) == len(body)


def test_trees_hold_the_clips(database: Path, rows: list[tuple]) -> None:
    for subject, name, _, onset, apex, offset, *_ in rows[1:]:
        raw = numbers(database / "CASME2_RAW" / "CASME2-RAW" / f"sub{subject}" / name, r"img([1-9]\d*)\.jpg")
        cropped = numbers(database / "Cropped" / f"sub{subject}" / name, r"reg_img([1-9]\d*)\.jpg")
        assert raw == list(range(1, len(raw) + 1))
        assert cropped == list(range(onset, offset + 1))
        assert 1 < onset < offset < len(raw)  # neutral frames before and after
        assert apex == "/" or onset < apex < offset
    folders = {(folder.parent.name[3:], folder.name) for folder in (database / "Cropped").glob("sub*/EP*")}
    assert folders - {(row[0], row[1]) for row in rows} == {("01", "EP94_02f")}  # the folder without a row
    assert (database / "Cropped" / "sub01" / "Thumbs.db").is_file()
    assert {path.name for path in database.iterdir()} == {
        "CASME2-coding-20140508.xlsx",
        "CASME2_RAW",
        "Cropped",
        "SYNTHETIC.txt",
    }


def test_pictures_are_what_casme2_has(database: Path) -> None:
    sizes = set()
    for folder in (database / "CASME2_RAW" / "CASME2-RAW").glob("sub*/*"):
        frame = cv2.imread(str(folder / "img1.jpg"), cv2.IMREAD_UNCHANGED)
        assert frame.shape == (480, 640, 3)
        assert np.ptp(frame.astype(int), axis=-1).mean() > 5  # colour
        crop = cv2.imread(
            str(next((database / "Cropped" / folder.parent.name / folder.name).glob("*.jpg"))),
            cv2.IMREAD_UNCHANGED,
        )
        sizes.add(crop.shape[:2])
    assert len(sizes) > 1
    assert all(abs(height - 340) <= 8 and abs(width - 280) <= 6 for height, width in sizes)


def test_cropped_frames_are_the_raw_frames_registered(database: Path, rows: list[tuple]) -> None:
    """A part of the crop of an upright face is found in the raw frame, at almost the same size."""
    rolls = [abs(scene.recording.conditions.view.roll_deg) for scene in SCENES]
    subject, name, _, onset, *_ = rows[1 + int(np.argmin(rolls))]
    raw = cv2.imread(
        str(database / "CASME2_RAW" / "CASME2-RAW" / f"sub{subject}" / name / f"img{onset + 3}.jpg")
    )
    crop = cv2.imread(str(database / "Cropped" / f"sub{subject}" / name / f"reg_img{onset + 3}.jpg"))
    match = cv2.matchTemplate(raw, crop[60:280, 60:220], cv2.TM_CCOEFF_NORMED)
    assert match.max() > 0.85


def test_notice_says_it_is_synthetic(database: Path) -> None:
    text = (database / "SYNTHETIC.txt").read_text(encoding="utf-8")
    assert "do not exist" in text and "CASME II" in text
    assert f"people={PEOPLE}, clips_per_person={CLIPS}, seed={SEED}" in text


def test_detectors_find_every_face(database: Path, shared: Path) -> None:
    yunet = cv2.FaceDetectorYN.create(str(shared / "models" / "yunet_n_640_640.onnx"), "", (640, 480))
    haar = cv2.CascadeClassifier(cv2.data.haarcascades + "haarcascade_frontalface_alt2.xml")
    for folder in (database / "CASME2_RAW" / "CASME2-RAW").glob("sub*/*"):
        frame = cv2.imread(str(folder / "img1.jpg"))
        _, faces = yunet.detect(frame)
        assert faces is not None and len(faces) == 1
        boxes = haar.detectMultiScale(cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY), 1.1, 3)
        assert len(boxes) >= 1 and max(box[2] for box in boxes) > 180


def test_the_real_loader_reads_it(database: Path) -> None:
    reading = DATASETS["casme2"].read(database)
    truth = {(scene.person, scene.onset, scene.offset): scene for scene in SCENES}
    assert len(reading.clips) == PEOPLE * CLIPS
    for clip in reading.clips:
        scene = truth[int(clip.subject), clip.onset, clip.offset]
        assert (clip.emotion, clip.action_units) == (scene.emotion, scene.action_units)
        assert clip.apex == scene.apex or clip.apex_source == "midpoint"
        assert clip.fps == 200
    assert sum(clip.apex_source == "midpoint" for clip in reading.clips) == 1


def digest(folder: Path) -> dict[str, str]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_same_seed_same_bytes_on_any_number_of_processes(tmp_path: Path) -> None:
    done = []
    one = synthesize(
        tmp_path / "one",
        people=1,
        clips_per_person=1,
        seed=5,
        jobs=1,
        progress=lambda *step: done.append(step),
    )
    two = synthesize(tmp_path / "two", people=1, clips_per_person=1, seed=5, jobs=2)
    assert digest(one) == digest(two)
    assert done == [(1, 2), (2, 2)]
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]


def test_a_taken_folder_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(OutputTaken):
        synthesize(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_bad_wishes_are_refused_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(UnknownName, match="Did you mean 'casme2'"):
        synthesize(tmp_path / "out", layout="casme22")
    with pytest.raises(LearnetError, match="at least one person"):
        synthesize(tmp_path / "out", people=0)
    assert not list(tmp_path.iterdir())


def test_nothing_is_left_when_it_breaks_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def break_off(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setitem(
        LAYOUTS, "casme2", replace(LAYOUTS["casme2"], write_clip=lambda *_: None, write_labels=break_off)
    )
    with pytest.raises(OSError, match="No space left"):
        synthesize(tmp_path / "out", people=1, clips_per_person=1, jobs=1)
    assert not list(tmp_path.iterdir())


def test_an_empty_folder_may_be_filled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(
        LAYOUTS,
        "casme2",
        replace(LAYOUTS["casme2"], write_clip=lambda *_: None, write_labels=lambda *_: None),
    )
    out = tmp_path / "deep" / "out"
    out.mkdir(parents=True)
    assert synthesize(out, people=1, clips_per_person=1, jobs=1) == out
    assert [path.name for path in out.iterdir()] == ["SYNTHETIC.txt"]


@pytest.mark.parametrize("name", ["clip.mp4", "clip.avi"])
def test_video_shows_a_stranger(tmp_path: Path, name: str) -> None:
    shown = synthetic_video(tmp_path / name, seed=1, emotion="surprise", duration_s=0.55)
    with av.open(str(tmp_path / name)) as container:
        frames = [frame.to_ndarray(format="rgb24", threads=1) for frame in container.decode(video=0)]
        assert container.streams.video[0].average_rate == 200
    assert len(frames) == 110 and frames[0].shape == (480, 640, 3)
    assert 0 < shown.onset < shown.apex < shown.offset < 110 and shown.fps == 200
    assert re.fullmatch(r"[LR]?\d+(\+[LR]?\d+)*", shown.action_units)
    scene = make_scene(1, synthetic.VIDEO_PERSON, 1, "surprise", Camera())
    assert scene.recording.person not in [one.recording.person for one in plan_scenes(DatabasePlan(30, 1, 1))]


def test_video_of_an_unknown_emotion_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnknownName):
        synthetic_video(tmp_path / "clip.mp4", seed=1, emotion="boredom")
    assert not list(tmp_path.iterdir())


@pytest.fixture(scope="module")
def images() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Onset frames and dynamic images of 12 people showing the five classes once each, with class and person.

    Small frames save time. The weights of Bilen et al. are computed independently: the sum over i = t..T
    of (2i - T - 1) / i.
    """
    crop = crop_view(112, 92)
    onsets, dynamics, classes, people = [], [], [], []
    for scene in plan_scenes(DatabasePlan(12, 5, 1, Camera(192, 256, 200.0, 100.0))):
        view = scene.recording.conditions.view
        clip = np.stack(
            [
                register(frame, view, crop)
                for frame in render(scene.recording, range(scene.onset - 1, scene.offset))
            ]
        )
        t = len(clip)
        weights = [sum((2 * i - t - 1) / i for i in range(k, t + 1)) for k in range(1, t + 1)]
        image = np.tensordot(weights, clip, axes=1)
        onsets.append(cv2.resize(clip[0], (56, 56), interpolation=cv2.INTER_AREA) / 255)
        dynamics.append((image - image.min()) / np.ptp(image))
        classes.append(MAIN_EMOTIONS.index(scene.emotion))
        people.append(scene.person)
    return np.array(onsets), np.array(dynamics), np.array(classes), np.array(people)


def right_answers(kernel: np.ndarray, classes: np.ndarray, people: np.ndarray) -> int:
    """Clips that a linear SVM trained on all other people names rightly."""
    right = 0
    for person in np.unique(people):
        train, test = people != person, people == person
        machine = SVC(kernel="precomputed", C=1e-3, class_weight="balanced").fit(
            kernel[np.ix_(train, train)], classes[train]
        )
        right += int((machine.predict(kernel[np.ix_(test, train)]) == classes[test]).sum())
    return right


def linear_kernel(pictures: np.ndarray) -> np.ndarray:
    scaled = StandardScaler().fit_transform(pictures.reshape(len(pictures), -1))
    return scaled @ scaled.T


def test_onset_frames_know_nothing_of_the_class(
    images: tuple[np.ndarray, ...], rng: np.random.Generator
) -> None:
    """Not better than with labels shuffled within each person: a permutation test for any classifier."""
    onsets, _, classes, people = images
    kernel = linear_kernel(onsets)
    found = right_answers(kernel, classes, people)
    shuffled = []
    for _ in range(60):
        order = np.concatenate(
            [rng.permutation(np.flatnonzero(people == person)) for person in np.unique(people)]
        )
        shuffled.append(right_answers(kernel, classes[order], people))
    assert np.mean(np.array(shuffled) >= found) > 0.02
    assert stats.binomtest(found, len(classes), 0.2, alternative="greater").pvalue > 0.02


def test_dynamic_images_know_the_class(images: tuple[np.ndarray, ...]) -> None:
    _, dynamics, classes, people = images
    found = right_answers(linear_kernel(dynamics), classes, people)
    assert stats.binomtest(found, len(classes), 0.2, alternative="greater").pvalue < 1e-5
    assert found < 0.95 * len(classes)  # and it is not a toy
