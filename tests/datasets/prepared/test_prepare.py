"""Prepared folders: the image against its definition, the bytes against another run, and what happens when
things go wrong for real."""

import hashlib
import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import cv2
import jaxtyping
import numpy as np
import pandas as pd
import pytest
from skimage.data import astronaut

from learnet.core import serialisation
from learnet.core.errors import BadInput, LearnetError, NoFace, OutputTaken, TooFewFrames
from learnet.core.records import Clip, DatasetIndex, Finding, merge_indexes
from learnet.core.settings import Preparation
from learnet.datasets.prepared.concat import concatenate, save_concatenated
from learnet.datasets.prepared.prepare import prepare
from learnet.datasets.prepared.record import PrepareRecord
from learnet.datasets.prepared.store import COLUMNS, load_prepared, save_prepared
from learnet.face import Face, face_finder
from learnet.face import finder as finder_module
from learnet.motion import MOTION_IMAGES, TVL1_MOTIONS
from learnet.motion.flow import append_strain
from learnet.motion.magnify import magnify_motion
from learnet.motion.normalise import NORMALISATIONS
from learnet.motion.pipeline import make_image
from learnet.motion.trace import ClipMarks, trace_pipeline
from learnet.training.compatibility import check_compatible
from learnet.training.metadata import CheckpointMetadata, metadata_to_json, read_metadata
from learnet.video.reader import read_frames
from learnet.video.writer import write_video

SMALL = Preparation(size=28)


def movement(seed: int, frames: int, height: int = 40, width: int = 34) -> np.ndarray:
    """A soft random picture that moves by a random amount."""
    rng = np.random.default_rng(seed)
    picture = cv2.resize(
        rng.integers(0, 256, (6, 5, 3), dtype=np.uint8), (width, height), interpolation=cv2.INTER_CUBIC
    )
    speed = rng.uniform(0.2, 0.6, 2)
    moved = [
        cv2.warpAffine(picture, np.float64([[1, 0, speed[0] * t], [0, 1, speed[1] * t]]), (width, height))
        for t in range(frames)
    ]
    return np.stack(moved)


def write_clip(folder: Path, frames: np.ndarray, first: int = 1) -> Path:
    folder.mkdir(parents=True)
    for number, frame in enumerate(frames, start=first):
        cv2.imwrite(str(folder / f"img{number}.png"), frame[..., ::-1])
    return folder


def clip_of(path: Path, subject: str, name: str, frames: int = 8, **changes: object) -> Clip:
    facts = {
        "onset": 1,
        "apex": 3,
        "offset": frames,
        "fps": 200.0,
        "cropped": True,
        "emotion": "happiness",
    } | changes
    return Clip(path, "casme2", subject, name, **facts)  # type: ignore[arg-type]


def database(root: Path, people: int = 3, clips: int = 2, frames: int = 8) -> DatasetIndex:
    """Cropped clips of moving pictures, laid out like CASME II."""
    made = []
    for person in range(people):
        for number in range(clips):
            path = root / f"sub{person:02}" / f"EP0{number}_1"
            if not path.exists():
                write_clip(path, movement(10 * person + number, frames))
            made.append(
                clip_of(path, f"{person:02}", path.name, frames, emotion=("happiness", "disgust")[number % 2])
            )
    return DatasetIndex(
        made, [Finding("apex repaired", made[0].key, "it was after the offset")], {"workbook": "a.xlsx"}
    )


def contents(folder: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(folder.iterdir())}


# ---------------------------------------------------------------- one image


@pytest.mark.parametrize("normalise", ["joint-minmax", "signed"])
def test_image_follows_from_its_definition(normalise: str) -> None:
    """Area-averaged crops, rank pooling as Bilen et al. define it, stretched by hand."""
    frames = movement(1, 9, 84, 56)
    made = make_image(frames, Preparation(size=28, normalise=normalise), None)
    crops = np.stack([frame.reshape(28, 3, 28, 2, 3).mean(axis=(1, 3)).round() for frame in frames])
    means = [crops[:t].mean(axis=0) for t in range(1, 10)]
    motion = sum(means[q] - means[t] for q in range(9) for t in range(q))
    stretched = (
        255 * (motion - motion.min()) / (motion.max() - motion.min())
        if normalise == "joint-minmax"
        else 128 + 127 * motion / np.abs(motion).max()
    )
    assert np.abs(made.image - stretched).max() < 2 and made.image.shape == (28, 28, 3)


def test_one_frame_is_too_few() -> None:
    with pytest.raises(TooFewFrames):
        make_image(movement(1, 1), SMALL, None)


# ---------------------------------------------------------------- the folder


def test_a_clip_in_which_the_head_is_lost_cannot_be_judged(tmp_path: Path) -> None:
    """The face is at rest, then noise covers it. Whether it moves there is not known."""
    picture = np.ascontiguousarray(astronaut()[0:300, 100:400])
    covered = picture.copy()
    covered[60:220, 60:220] = np.random.default_rng(0).integers(0, 256, (160, 160, 3))
    path = write_clip(tmp_path / "clip", np.stack([picture] * 4 + [covered] * 4))
    clip = replace(clip_of(path, "01", "clip", 8), cropped=False)
    at_rest = replace(clip, name="rest", path=write_clip(tmp_path / "rest", np.stack([picture] * 8)))
    reading = DatasetIndex([clip, at_rest], [])
    prepared = prepare(reading, tmp_path / "out", replace(SMALL, face="haar"), jobs=1)
    lost, rest = prepared.clips.to_dict("records")
    assert lost["still"] == "" and "the head moves too far to be followed" in lost["obstacle"]
    assert lost["obstacle"] in lost["warnings"]
    assert "movement not judged,casme2/01/clip" in (tmp_path / "out" / "audit.csv").read_text()
    assert (rest["still"], rest["obstacle"], rest["head_px"]) == ("nothing moves", "", 0)
    assert np.isnan(lost["head_px"])


def test_prepared_folder_holds_every_clip(tmp_path: Path) -> None:
    reading, seen = database(tmp_path / "data"), []
    prepared = prepare(
        reading, tmp_path / "out", SMALL, jobs=1, progress=lambda done, total: seen.append((done, total))
    )
    assert [path.name for path in sorted((tmp_path / "out").iterdir())] == [
        "audit.csv",
        "clips.csv",
        "images.npy",
        "prepare.json",
    ]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data", "out"]
    assert seen == [(done, 6) for done in range(7)]
    for place, clip in enumerate(reading.clips):
        expected = make_image(read_frames(clip.path), SMALL, None).image
        assert (prepared.images[place] == expected).all()
    table = pd.read_csv(tmp_path / "out" / "clips.csv", dtype=str, keep_default_na=False)
    assert tuple(table) == COLUMNS
    assert table.iloc[3].to_dict() == {
        "image": "3",
        "clip": "casme2/01/EP01_1",
        "dataset": "casme2",
        "subject": "01",
        "person": "casme2/01",
        "name": "EP01_1",
        "kind": "micro",
        "emotion": "disgust",
        "also": "",
        "action_units": "",
        "onset": "1",
        "apex": "3",
        "apex_source": "file",
        "offset": "8",
        "fps": "200.0",
        "frames": "8",
        "face": "given",
        "head_px": "",
        "still": "",
        "obstacle": "",
        "warnings": "",
        "path": str(reading.clips[3].path),
    }
    assert prepared.clips["onset"].tolist() == [1] * 6 and prepared.clips["subject"].tolist() == [
        "00",
        "00",
        "01",
        "01",
        "02",
        "02",
    ]
    audit = (tmp_path / "out" / "audit.csv").read_text().splitlines()
    assert audit == ["kind,where,what,serious", "apex repaired,casme2/00/EP00_1,it was after the offset,no"]
    about = json.loads((tmp_path / "out" / "prepare.json").read_text())
    assert (about["clips"], about["skipped"], about["people"], about["synthetic"]) == (6, 0, 3, False)
    assert (
        about["reading"] == {"workbook": "a.xlsx"}
        and about["images_kind"] == "image"
        and not about["imported"]
    )
    assert prepared.record.preparation == replace(
        SMALL, normalise="joint-minmax"
    )  # no face was searched, so its `auto` stays


def test_same_bytes_whatever_the_number_of_processes(tmp_path: Path) -> None:
    reading = database(tmp_path / "data")
    prepare(reading, tmp_path / "one", SMALL, jobs=1)
    prepare(reading, tmp_path / "two", SMALL, jobs=2)
    assert contents(tmp_path / "one") == contents(tmp_path / "two")


def test_clip_without_apex_and_clip_in_a_video_file(tmp_path: Path) -> None:
    """Frames 4 to 11 of a lossless video are the images 4 to 11 of a folder."""
    frames = movement(5, 16)
    folder = write_clip(tmp_path / "a", frames, first=0)
    write_video(tmp_path / "b.mkv", iter(frames), 200.0, "ffv1")
    clips = [
        clip_of(path, "1", path.stem, onset=4, offset=11, apex=None, apex_source="none")
        for path in (folder, tmp_path / "b.mkv")
    ]
    prepared = prepare(DatasetIndex(clips, []), tmp_path / "out", SMALL, jobs=1)
    assert (prepared.images[0] == prepared.images[1]).all()
    assert (prepared.images[0] == make_image(frames[4:12], SMALL, None).image).all()
    assert prepared.clips["apex"].isna().all() and prepared.clips["frames"].tolist() == [8, 8]


KILLED = """
import sys, time
from pathlib import Path
sys.path.insert(0, {tests!r})
import learnet.datasets.prepared.clip_job as module
from learnet.datasets.prepared.prepare import prepare
from tests.datasets.prepared.test_prepare import SMALL, database
slow = module.make_image
if __name__ == "__main__":
    def slowly(*arguments):
        time.sleep(0.15)
        return slow(*arguments)
    module.make_image = slowly
    prepare(database(Path({data!r}), 4, 3), Path({out!r}), SMALL, jobs=1)
"""


def test_killed_run_goes_on_and_ends_with_the_same_bytes(tmp_path: Path) -> None:
    reading = database(tmp_path / "data", 4, 3)
    prepare(reading, tmp_path / "whole", SMALL, jobs=1)
    out, work = tmp_path / "out", tmp_path / "out.part"
    code = textwrap.dedent(KILLED).format(
        tests=str(Path(__file__).parents[3]), data=str(tmp_path / "data"), out=str(out)
    )
    child = subprocess.Popen([sys.executable, "-c", code], start_new_session=True)
    for _ in range(600):
        time.sleep(0.05)
        if len(list(work.glob("*.npz"))) >= 3 or child.poll() is not None:
            break
    assert child.poll() is None, "it was done before it could be killed"
    os.killpg(child.pid, signal.SIGKILL)
    child.wait()
    finished = len(list(work.glob("*.npz")))
    assert 3 <= finished < 12 and not out.exists()
    seen = []
    prepare(reading, out, SMALL, jobs=2, progress=lambda done, total: seen.append((done, total)))
    assert seen[0] == (finished, 12) and seen[-1] == (12, 12) and not work.exists()
    assert contents(out) == contents(tmp_path / "whole")


def test_finished_clips_are_of_their_settings_and_inputs(tmp_path: Path) -> None:
    """Clips that were finished under other settings, or whose images have changed since, are made again."""
    reading = database(tmp_path / "data")
    refused = DatasetIndex([*reading.clips, clip_of(tmp_path / "gone", "09", "x")], [])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("learnet.datasets.prepared.prepare.save_prepared", broken_disk)
        with pytest.raises(BadInput):
            prepare(refused, tmp_path / "out", replace(SMALL, motion="dynamic-linear"), jobs=1)
        with pytest.raises(BadInput):
            prepare(reading, tmp_path / "out", SMALL, jobs=1)
    assert len(list((tmp_path / "out.part").glob("*.npz"))) == 13
    for number, frame in enumerate(movement(99, 8), start=1):
        cv2.imwrite(str(reading.clips[0].path / f"img{number}.png"), frame[..., ::-1])
    seen = []
    prepare(reading, tmp_path / "out", SMALL, jobs=1, progress=lambda done, total: seen.append((done, total)))
    assert seen[0] == (5, 6)
    prepare(reading, tmp_path / "again", SMALL, jobs=1)
    assert contents(tmp_path / "out") == contents(tmp_path / "again")


def test_clip_that_failed_is_tried_again(tmp_path: Path) -> None:
    """Its disk may have been away: the image comes back with the same size."""
    reading = database(tmp_path / "data")
    image = reading.clips[2].path / "img5.png"
    sound = image.read_bytes()
    image.write_bytes(bytes(len(sound)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("learnet.datasets.prepared.prepare.save_prepared", broken_disk)
        with pytest.raises(BadInput):
            prepare(reading, tmp_path / "out", SMALL, jobs=1)
    image.write_bytes(sound)
    seen = []
    prepared = prepare(
        reading, tmp_path / "out", SMALL, jobs=1, progress=lambda done, total: seen.append((done, total))
    )
    assert seen[0] == (5, 6) and len(prepared.clips) == 6


def broken_disk(*_: object) -> None:
    raise OSError(28, "No space left on device")


def test_same_preparation_is_returned_and_another_is_refused(tmp_path: Path) -> None:
    reading, out = database(tmp_path / "data"), tmp_path / "out"
    assert not prepare(reading, out, SMALL, jobs=1).reused
    before = {path.name: path.stat().st_mtime_ns for path in out.iterdir()}
    seen = []
    again = prepare(reading, out, SMALL, jobs=1, progress=lambda done, total: seen.append((done, total)))
    assert (
        again.reused
        and seen == [(6, 6)]
        and {path.name: path.stat().st_mtime_ns for path in out.iterdir()} == before
    )
    with pytest.raises(OutputTaken, match="differs in preparation"):
        prepare(reading, out, replace(SMALL, normalise="signed"), jobs=1)
    with pytest.raises(OutputTaken, match="differs in inputs"):
        prepare(DatasetIndex(reading.clips[1:], []), out, SMALL, jobs=1)
    relabelled = [replace(reading.clips[0], emotion="surprise"), *reading.clips[1:]]
    with pytest.raises(OutputTaken, match="differs in inputs"):
        prepare(DatasetIndex(relabelled, []), out, SMALL, jobs=1)
    (tmp_path / "data").rename(tmp_path / "moved")
    assert prepare(
        database(tmp_path / "moved"), out, SMALL, jobs=1
    ).reused  # where the clips lie is no part of them
    assert not (tmp_path / "out.part").exists()


def test_other_peoples_folders_are_left_alone(tmp_path: Path) -> None:
    reading = database(tmp_path / "data")
    for place in ("out", "other.part"):
        (tmp_path / place).mkdir()
        (tmp_path / place / "thesis.txt").write_text("mine")
    (tmp_path / "file").write_text("mine")
    for place in ("out", "other", "file"):
        with pytest.raises(OutputTaken, match="something else"):
            prepare(reading, tmp_path / place, SMALL, jobs=1)
    assert (
        (tmp_path / "out" / "thesis.txt").read_text()
        == (tmp_path / "other.part" / "thesis.txt").read_text()
        == "mine"
    )
    assert not (tmp_path / "other").exists()
    (tmp_path / "empty").mkdir()
    assert len(prepare(reading, tmp_path / "empty", SMALL, jobs=1).clips) == 6


def test_clips_that_cannot_be_used_are_said_and_counted(tmp_path: Path) -> None:
    reading = database(tmp_path / "data")
    (reading.clips[1].path / "img4.png").write_bytes(b"not an image")
    blank = write_clip(tmp_path / "blank", np.full((5, 120, 120, 3), 128, np.uint8))
    clips = [
        *reading.clips,
        clip_of(tmp_path / "gone", "07", "gone"),
        clip_of(reading.clips[0].path, "08", "short", onset=3, apex=3, offset=3),
        clip_of(blank, "09", "blank", frames=5, cropped=False),
        clip_of(write_clip(tmp_path / "gaps", movement(3, 20)[::2]), "10", "gap", frames=20),
    ]
    prepared = prepare(replace(reading, clips=clips), tmp_path / "out", replace(SMALL, face="haar"), jobs=1)
    assert prepared.clips["name"].tolist() == [
        *(clip.name for clip in reading.clips if clip != reading.clips[1]),
        "gap",
    ]
    assert (prepared.record.clips, prepared.record.skipped) == (6, 4)
    audit = pd.read_csv(tmp_path / "out" / "audit.csv").set_index("where")
    assert audit.loc["casme2/00/EP01_1", ["kind", "serious"]].tolist() == ["clip not usable", "yes"]
    assert "img4.png" in audit.loc["casme2/00/EP01_1", "what"]
    assert (
        "no such file" in audit.loc["casme2/07/gone", "what"]
        and "1 frame" in audit.loc["casme2/08/short", "what"]
    )
    assert audit.loc["casme2/09/blank", ["kind", "serious"]].tolist() == ["no face", "yes"]
    assert audit.loc["casme2/10/gap", ["kind", "what", "serious"]].tolist() == [
        "frames lost",
        "10 frame numbers without an image",
        "no",
    ]
    assert prepared.clips["warnings"].tolist() == [""] * 5 + ["10 frame numbers without an image"]


def test_no_usable_clip_at_all_is_an_error(tmp_path: Path) -> None:
    clips = [clip_of(tmp_path / "gone", "01", name) for name in ("a", "b")]
    with pytest.raises(LearnetError, match="any of the 2 clips. The first, casme2/.*: .*no such file"):
        prepare(DatasetIndex(clips, []), tmp_path / "out", SMALL, jobs=1)
    assert list(tmp_path.iterdir()) == []


def test_bad_requests_are_refused_before_anything_is_written(tmp_path: Path) -> None:
    reading = database(tmp_path / "data")
    for wrong, message in [
        (lambda: prepare(DatasetIndex([], []), tmp_path / "out", SMALL), "no clips"),
        (
            lambda: prepare(DatasetIndex(reading.clips * 2, []), tmp_path / "out", SMALL),
            "6 names are of more than one clip: casme2/00/EP00_1",
        ),
        (lambda: prepare(reading, tmp_path / "out", SMALL, jobs=0), "0 processes"),
    ]:
        with pytest.raises(LearnetError, match=message):
            wrong()
    assert [path.name for path in tmp_path.iterdir()] == ["data"]


# ---------------------------------------------------------------- faces


def portrait(frames: int = 6) -> np.ndarray:
    """A real face (public domain) that sinks by a quarter of a pixel a frame."""
    picture = np.ascontiguousarray(astronaut()[0:300, 100:400])
    return np.stack(
        [
            cv2.warpAffine(picture, np.float64([[1, 0, 0], [0, 1, 0.25 * t]]), (300, 300))
            for t in range(frames)
        ]
    )


def test_face_is_searched_where_nobody_has_cropped(tmp_path: Path) -> None:
    """`auto` is written down as the finder that was used; the face is the astronaut's."""
    raw = clip_of(write_clip(tmp_path / "raw", portrait()), "1", "raw", frames=6, cropped=False)
    given = clip_of(write_clip(tmp_path / "given", movement(1, 6)), "1", "given", frames=6)
    prepared = prepare(DatasetIndex([raw, given], []), tmp_path / "out", SMALL, jobs=1)
    finder = face_finder("auto")
    assert prepared.record.preparation == replace(SMALL, face=finder.kind, normalise="joint-minmax")
    assert (prepared.images[0] == make_image(portrait(), SMALL, finder).image).all()
    word, x, y, width, height = prepared.clips["face"][0].split()
    assert word == finder.kind and prepared.clips["face"][1] == "given"
    assert int(x) < 124 < int(x) + int(width) and int(y) < 110 < int(y) + int(height)  # the nose
    as_it_is = prepare(DatasetIndex([raw], []), tmp_path / "plain", replace(SMALL, face="none"), jobs=1)
    assert (as_it_is.images[0] == make_image(portrait(), SMALL, None).image).all()


class FixedFinder:
    """A third face finder: it sees a face at the same place in every frame, and reads a model file."""

    kind = "fixed"

    def __init__(self, model: Path) -> None:
        self.model = model

    def __call__(self, frame: np.ndarray) -> Face:
        return Face((70.0, 30.0, 130.0, 130.0), ((105.0, 95.0), (160.0, 95.0)), 1.0, self.kind)


@pytest.fixture
def fixed_finder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FixedFinder]:
    """`auto` stands for a third finder, as it would if one were added to the table."""
    model = tmp_path / "fixed.model"
    model.write_bytes(b"weights")
    finder = FixedFinder(model)
    monkeypatch.setitem(finder_module._FINDERS, "auto", lambda given: finder)
    monkeypatch.setitem(finder_module._FINDERS, "fixed", lambda given: FixedFinder(given))
    # A new finder also extends the values of `Preparation.face`; here its annotation is not checked instead.
    monkeypatch.setitem(Preparation.__annotations__, "face", str)
    serialisation._all_fields.cache_clear()
    checked = jaxtyping.config.jaxtyping_disable
    jaxtyping.config.update("jaxtyping_disable", True)
    yield finder
    jaxtyping.config.update("jaxtyping_disable", checked)
    serialisation._all_fields.cache_clear()


def test_a_third_face_finder_is_recorded_under_its_own_name(
    tmp_path: Path, fixed_finder: FixedFinder
) -> None:
    raw = clip_of(write_clip(tmp_path / "raw", portrait()), "1", "raw", frames=6, cropped=False)
    prepared = prepare(DatasetIndex([raw], []), tmp_path / "out", SMALL, jobs=1)
    assert prepared.record.preparation.face == "fixed"
    assert prepared.record.face_model == hashlib.sha256(b"weights").hexdigest()
    assert prepared.clips["face"][0] == "fixed 70 30 130 130"
    assert (prepared.images[0] == make_image(portrait(), SMALL, fixed_finder).image).all()
    assert trace_pipeline(raw.path, SMALL, ClipMarks(), fps=200.0).preparation.face == "fixed"


def test_yunet_model_is_part_of_the_preparation(tmp_path: Path, shared: Path) -> None:
    model = shared / "models" / "yunet_n_640_640.onnx"
    raw = clip_of(write_clip(tmp_path / "raw", portrait()), "1", "raw", frames=6, cropped=False)
    prepared = prepare(DatasetIndex([raw], []), tmp_path / "out", SMALL, jobs=1, face_model=model)
    assert prepared.record.preparation.face == "yunet"
    assert prepared.record.face_model == hashlib.sha256(model.read_bytes()).hexdigest()
    assert prepared.clips["face"][0].startswith("yunet ")
    with pytest.raises(LearnetError):
        prepare(
            DatasetIndex([raw], []),
            tmp_path / "new",
            replace(SMALL, face="yunet"),
            jobs=1,
            face_model=tmp_path / "no.onnx",
        )
    assert not (tmp_path / "new").exists() and not (tmp_path / "new.part").exists()


def test_no_face_anywhere(shared: Path) -> None:
    frames = read_frames(shared / "real" / "no_face.mp4", 0, 2)
    with pytest.raises(NoFace):
        make_image(frames, SMALL, face_finder("haar"))


def test_synthetic_databases_are_marked(tmp_path: Path) -> None:
    reading = database(tmp_path / "data")
    (tmp_path / "data" / "SYNTHETIC.txt").touch()
    assert prepare(reading, tmp_path / "out", SMALL, jobs=1).record.synthetic is True


# ---------------------------------------------------------------- full disk, damage

FULL = """
import resource, signal, sys
from pathlib import Path
sys.path.insert(0, {tests!r})
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
from learnet.core.errors import LearnetError
from learnet.datasets.prepared.prepare import prepare
from tests.datasets.prepared.test_prepare import SMALL, database
reading = database(Path({data!r}))
resource.setrlimit(resource.RLIMIT_FSIZE, ({limit}, {limit}))
try:
    prepare(reading, Path({out!r}), SMALL, jobs=1)
except LearnetError as error:
    print(error)
"""


@pytest.mark.parametrize("limit", [1500, 6000])
def test_full_disk_leaves_nothing_half_written(tmp_path: Path, limit: int) -> None:
    """No file may grow beyond 1500 bytes, which no finished clip fits in, or 6000, which the images of all
    clips do not fit in."""
    reading = database(tmp_path / "data")
    code = FULL.format(
        tests=str(Path(__file__).parents[3]),
        data=str(tmp_path / "data"),
        out=str(tmp_path / "out"),
        limit=limit,
    )
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    why = "File too large" if limit == 1500 else "no room is left"
    assert (
        answer.stdout.startswith(f"{tmp_path / 'out'}: this cannot be written ({why})")
        and answer.stdout.count("\n") == 1
    )
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data", "out.part"]
    parts = {path.suffix for path in (tmp_path / "out.part").iterdir()}
    assert parts == ({".txt"} if limit == 1500 else {".txt", ".npz"})
    assert len(prepare(reading, tmp_path / "out", SMALL, jobs=1).clips) == 6  # once there is room


def test_torn_part_is_made_again(tmp_path: Path) -> None:
    reading = database(tmp_path / "data")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("learnet.datasets.prepared.prepare.save_prepared", broken_disk)
        with pytest.raises(BadInput, match="No space left on device"):
            prepare(reading, tmp_path / "out", SMALL, jobs=1)
    for place, part in enumerate(sorted((tmp_path / "out.part").glob("*.npz"))[:3]):
        part.write_bytes((part.read_bytes()[:900], b"", b"junk")[place])
    prepare(reading, tmp_path / "out", SMALL, jobs=1)
    prepare(reading, tmp_path / "again", SMALL, jobs=1)
    assert contents(tmp_path / "out") == contents(tmp_path / "again")


def replaced(file: Path, old: bytes, new: bytes) -> None:
    data = file.read_bytes()
    assert old in data
    file.write_bytes(data.replace(old, new, 1))


DAMAGE = {
    "one pixel": lambda folder: (folder / "images.npy").write_bytes(
        (folder / "images.npy").read_bytes()[:-1] + b"\x00"
    ),
    "images cut off": lambda folder: (folder / "images.npy").write_bytes(
        (folder / "images.npy").read_bytes()[:-100]
    ),
    "images of another program": lambda folder: (folder / "images.npy").write_bytes(b"x"),
    "images missing": lambda folder: (folder / "images.npy").unlink(),
    "a quote in clips": lambda folder: replaced(folder / "clips.csv", b"\n", b'\n"'),
    "clips in another encoding": lambda folder: (folder / "clips.csv").write_bytes(b"\xff\xfe\x00"),
    "clips empty": lambda folder: (folder / "clips.csv").write_bytes(b""),
    "images empty": lambda folder: (folder / "images.npy").write_bytes(b""),
    "an emotion": lambda folder: replaced(folder / "clips.csv", b"disgust", b"happiness"),
    "a row lost": lambda folder: (folder / "clips.csv").write_text(
        "\n".join((folder / "clips.csv").read_text().splitlines()[:-1])
    ),
    "a column lost": lambda folder: replaced(folder / "clips.csv", b"emotion", b"feeling"),
    "no clips": lambda folder: (folder / "clips.csv").unlink(),
    "no json": lambda folder: (folder / "prepare.json").unlink(),
    "broken json": lambda folder: (folder / "prepare.json").write_text("{"),
    "other json": lambda folder: (folder / "prepare.json").write_text("[]"),
    "a word for a number": lambda folder: replaced(folder / "clips.csv", b"200.0", b"fast"),
}


@pytest.mark.parametrize("what", DAMAGE)
def test_damaged_folder_is_refused(tmp_path: Path, what: str) -> None:
    prepare(database(tmp_path / "data", 2), tmp_path / "out", SMALL, jobs=1)
    load_prepared(tmp_path / "out")
    DAMAGE[what](tmp_path / "out")
    with pytest.raises(BadInput, match="prepared folder|do not belong together|prepare.json") as refusal:
        load_prepared(tmp_path / "out")
    leaks = ("codec", "mmap", "pickle", "tokenizing", "Errno", "parse", "'emotion'", "numpy", "pandas")
    assert not [word for word in leaks if word in str(refusal.value)]


def test_settings_come_back(tmp_path: Path) -> None:
    settings = Preparation("dynamic-linear", 28, "none", True, "signed")
    images = np.zeros((1, 28, 28, 3), np.uint8)
    table = pd.DataFrame([{"image": 0, "clip": "a/b/c", "dataset": "a", "person": "a/b", "emotion": "fear"}])
    saved = save_prepared(
        tmp_path / "new" / "out", images, table, PrepareRecord(preparation=settings, images_kind="image"), []
    )
    assert (
        saved.record.preparation == settings
        and np.isnan(saved.clips["onset"][0])
        and saved.clips["path"][0] == ""
    )
    assert not saved.images.flags.writeable


def test_several_databases_in_one_reading_keep_their_people_apart(tmp_path: Path) -> None:
    """Subject 01 of one and subject 01 of the other, a clip of the same name each."""

    def reading(name: str) -> DatasetIndex:
        clip = Clip(tmp_path / name, name, "01", "a", "fear", 1, 2, 3, 25.0)
        return DatasetIndex(
            [clip],
            [Finding("odd", f"{name}/01/a", "it is"), Finding("odd", "book.xls", "it is")],
            {"tree": "raw"},
        )

    both = merge_indexes({("casme", "A"): reading("casme"), ("casme2", "B"): reading("casme2")})
    assert [clip.person for clip in both.clips] == ["casme/01", "casme2/01"]
    assert len({clip.key for clip in both.clips}) == 2
    assert both.about == {"casme: tree": "raw", "casme2: tree": "raw"}
    assert [finding.where for finding in both.findings] == [
        "casme/01/a",
        "casme: book.xls",
        "casme2/01/a",
        "casme2: book.xls",
    ]
    assert merge_indexes({("casme", "A"): reading("casme")}) == reading("casme")  # one alone is as it was


# ---------------------------------------------------------------- other kinds of motion image


def pulsed(count: int, apex: int, size: int = 120) -> np.ndarray:
    """A fixed pattern of blobs in which one patch slides down by 2 pixels until the apex, and back."""
    picture = cv2.GaussianBlur(
        np.random.default_rng(8).integers(0, 256, (size, size, 3)).astype(np.float32), (0, 0), 2.0
    )
    picture = cv2.normalize(picture, None, 0, 255, cv2.NORM_MINMAX)
    y, x = np.mgrid[:size, :size].astype(np.float32)
    patch = np.exp(-((x - 70) ** 2 + (y - 50) ** 2) / (2 * 12**2)).astype(np.float32)
    levels = [t / apex if t <= apex else (count - 1 - t) / (count - 1 - apex) for t in range(count)]
    made = [
        cv2.remap(
            picture, x, y - np.float32(2 * level) * patch, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT
        )
        for level in levels
    ]
    return np.clip(np.rint(made), 0, 255).astype(np.uint8)


@pytest.mark.parametrize("motion", MOTION_IMAGES)
def test_every_kind_can_be_prepared(tmp_path: Path, motion: str) -> None:
    """The image is the fold of the crops, normalised as goes with the kind; what the kind is of is written
    down for training."""
    kind = MOTION_IMAGES[motion]
    usual = {"image": "joint-minmax", "flow": "per-channel", "histograms": "unit"}[kind.family]
    clip = clip_of(write_clip(tmp_path / "a", pulsed(12, 5)), "1", "a", frames=12, apex=6)
    prepared = prepare(
        DatasetIndex([clip], []), tmp_path / "out", Preparation(motion=motion, size=120), jobs=1
    )
    expected = NORMALISATIONS[usual](kind.compute(pulsed(12, 5), 5))
    assert np.abs(prepared.images[0].astype(int) - expected).max() <= 1
    assert prepared.record.images_kind == kind.family and prepared.clips["apex_source"].tolist() == ["file"]
    assert prepared.record.preparation.normalise == usual
    assert ("scikit-image" in prepared.record.versions) == (motion in TVL1_MOTIONS)


@pytest.mark.parametrize("source", ["midpoint", "none"])
def test_apex_that_nobody_saw_is_found_where_it_is_needed(tmp_path: Path, source: str) -> None:
    """It is the fifth of sixteen frames whose numbers are 11, 13, ... 41."""
    folder = tmp_path / "a"
    for number, frame in zip(range(11, 43, 2), pulsed(16, 4), strict=True):
        folder.mkdir(exist_ok=True)
        cv2.imwrite(str(folder / f"img{number}.png"), frame[..., ::-1])
    clip = clip_of(
        folder, "1", "a", onset=11, offset=41, apex=27 if source == "midpoint" else None, apex_source=source
    )
    for motion in ("difference", "dynamic"):
        prepared = prepare(DatasetIndex([clip], []), tmp_path / motion, Preparation(motion=motion), jobs=1)
        row = prepared.clips.iloc[0]
        if motion == "difference":
            assert (row["apex"], row["apex_source"]) == (19, "detected")
            expected = make_image(pulsed(16, 4), Preparation(motion=motion), None, 4).image
            assert (prepared.images[0] == expected).all()
        else:
            assert row["apex_source"] == source and (row["apex"] == 27 or np.isnan(row["apex"]))
        assert "apex" not in (tmp_path / motion / "audit.csv").read_text()  # nothing was wrong with it


def test_apex_given_on_the_onset_is_found_too_and_said(tmp_path: Path) -> None:
    clip = clip_of(write_clip(tmp_path / "a", pulsed(16, 9)), "1", "a", frames=16, apex=1)
    prepared = prepare(DatasetIndex([clip], []), tmp_path / "out", Preparation(motion="flow-dis"), jobs=1)
    assert prepared.clips[["apex", "apex_source"]].iloc[0].tolist() == [10, "detected"]
    audit = (tmp_path / "out" / "audit.csv").read_text().splitlines()[1]
    assert audit == "apex detected,casme2/1/a,it was given as the onset; frame 10 is taken,no"
    assert prepared.clips["warnings"].tolist() == ["it was given as the onset; frame 10 is taken"]


def test_apex_on_the_last_frame_leaves_no_fall(tmp_path: Path) -> None:
    frames = write_clip(tmp_path / "a", pulsed(8, 4))
    clips = [clip_of(frames, "1", "whole", apex=5), clip_of(frames, "1", "rise", offset=5, apex=5)]
    prepared = prepare(DatasetIndex(clips, []), tmp_path / "out", Preparation(motion="dynamic-fall"), jobs=1)
    assert prepared.clips["name"].tolist() == ["whole"]
    assert "from the apex to the offset has 1 frame;" in (tmp_path / "out" / "audit.csv").read_text()


def test_small_flow_images_are_measured_on_larger_crops() -> None:
    """On 28 pixels the patch slides by half a pixel: as on 112, made four times smaller, and not as on 28."""
    frames = pulsed(2, 1)
    small, large = (
        make_image(frames, Preparation(motion="flow-dis", size=size), None, 1).motion for size in (28, 112)
    )
    expected = large.reshape(28, 4, 28, 4, 3).mean(axis=(1, 3)) / [4, 4, 1]
    np.testing.assert_allclose(small, expected, atol=1e-5)
    assert small[..., 1].max() == pytest.approx(2 * 28 / 120, rel=0.25) and np.abs(small[..., 0]).max() < 0.15


def test_head_motion_is_taken_out_of_flow() -> None:
    """The whole picture slides by 1.5 pixels to the right as well; strain is that of what is left."""
    frames = pulsed(2, 1)
    frames[1] = cv2.warpAffine(
        frames[1], np.float64([[1, 0, 1.5], [0, 1, 0]]), (120, 120), borderMode=cv2.BORDER_REFLECT
    )
    there, left = (
        make_image(frames, Preparation("flow-dis", 120, remove_global_motion=still), None, 1).motion
        for still in (False, True)
    )
    assert np.median(there[..., 0]) == pytest.approx(1.5, abs=0.1) and np.median(
        left[..., 0]
    ) == pytest.approx(0, abs=0.05)
    assert left[..., 1].max() > 1.4
    np.testing.assert_allclose(left, append_strain(left[..., :2]), atol=1e-6)


def test_magnification_comes_before_the_fold_and_asks_for_the_rate() -> None:
    frames, settings = pulsed(12, 5, 112), Preparation(motion="difference", magnify=3.0, normalise="signed")
    made = make_image(frames, settings, None, 5, 200.0)
    crops = magnify_motion(frames, 3.0, 200.0).astype(int)
    np.testing.assert_array_equal(made.motion, crops[5] - crops[0])
    assert np.abs(made.motion).sum() > 1.5 * np.abs(frames[5].astype(int) - frames[0]).sum()
    for motion in ("dynamic", "dynamic-exact"):
        expected = MOTION_IMAGES[motion].compute(magnify_motion(frames, 3.0, 100.0), None)
        found = make_image(frames, Preparation(motion=motion, magnify=3.0), None, fps=100.0).motion
        np.testing.assert_allclose(found, expected, rtol=1e-6)
    with pytest.raises(LearnetError, match="frame rate"):
        make_image(frames, settings, None, 5)


def test_settings_that_make_no_sense_are_refused() -> None:
    for wrong, message in [
        ({"motion": "dynamic", "remove_global_motion": True}, "remove_global_motion is for optical flow"),
        ({"motion": "flow-dis", "normalise": "joint-minmax"}, "share no range"),
        ({"motion": "lbp-top", "normalise": "signed"}, "normalise must be unit for lbp-top"),
        ({"motion": "dynamic", "normalise": "unit"}, "normalise must be unit for lbp-top"),
        ({"motion": "lbp-top", "size": 39}, "at least 40 pixels wide, not 39"),
        ({"magnify": -1.0}, "magnify"),
        ({"magnify": float("nan")}, "magnify"),
        ({"magnify": float("inf")}, "magnify"),
    ]:
        with pytest.raises(LearnetError, match=message):
            Preparation(**wrong)
    with pytest.raises(LearnetError, match="Did you mean 'flow-tvl1'"):
        make_image(movement(1, 3), Preparation(motion="flow-tlv1"), None)


# ---------------------------------------------------------------- what the first version wrote

FIRST = {
    "motion": "dynamic",
    "size": 28,
    "face": "none",
    "steady": False,
    "normalise": "joint-minmax",
}  # all settings there were


def first_version(folder: Path) -> None:
    """Make of a prepared folder what the first version would have written of the same clips."""
    table = pd.read_csv(folder / "clips.csv", dtype=str, keep_default_na=False).drop(columns=["kind", "also"])
    table.to_csv(folder / "clips.csv", index=False, lineterminator="\n")
    about = json.loads((folder / "prepare.json").read_text())
    (folder / "prepare.json").write_text(json.dumps({**about, "preparation": FIRST}, indent=2))


def test_folders_of_the_first_version_load_and_are_known_again(tmp_path: Path) -> None:
    reading, settings = database(tmp_path / "data"), replace(SMALL, face="none")
    prepare(reading, tmp_path / "out", settings, jobs=1)
    first_version(tmp_path / "out")
    old = load_prepared(tmp_path / "out")
    assert old.record.preparation == settings.settled and tuple(old.clips.columns)[-2:] == ("kind", "also")
    assert (
        old.clips["kind"].tolist() == [""] * 6
        and old.clips["emotion"].tolist() == ["happiness", "disgust"] * 3
    )
    assert prepare(reading, tmp_path / "out", settings, jobs=1).reused


def test_old_and_new_folders_are_pooled(tmp_path: Path) -> None:
    reading, settings = database(tmp_path / "data"), replace(SMALL, face="none")
    for name, clips in (("old", reading.clips[:3]), ("new", reading.clips[3:])):
        prepare(DatasetIndex(clips, []), tmp_path / name, settings, jobs=1)
    first_version(tmp_path / "old")
    both = save_concatenated(concatenate([tmp_path / "old", tmp_path / "new"], tmp_path / "both"))
    assert both.clips["kind"].tolist() == [""] * 3 + ["micro"] * 3 and len(both.images) == 6


def test_weights_of_the_first_version_are_read(tmp_path: Path) -> None:
    """Their settings are those of images prepared today, and what they do not say has its former value."""
    facts = CheckpointMetadata(
        "learnet",
        ("a", "b"),
        28,
        Preparation(face="none", size=28).settled,
        None,
        {"images_kind": "image"},
        {},
    )
    text = json.loads(metadata_to_json(facts))
    old = read_metadata(tmp_path / "w", json.dumps({**text, "preparation": FIRST}))
    assert old == facts and not old.preparation.remove_global_motion and old.preparation.magnify == 0
    prepared = prepare(
        database(tmp_path / "data"), tmp_path / "out", Preparation(face="none", size=28), jobs=1
    )
    check_compatible(prepared, tmp_path / "w", old)
    newer = json.dumps({**text, "preparation": {**FIRST, "magnify": 2, "still_flow": False}})
    assert read_metadata(tmp_path / "w", newer).preparation.magnify == 2.0


def test_kind_and_further_emotions_of_a_clip_are_kept(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "a", movement(1, 8))
    clips = [clip_of(path, "1", "a", kind="macro", also="fear+sadness"), clip_of(path, "1", "b")]
    table = prepare(DatasetIndex(clips, []), tmp_path / "out", SMALL, jobs=1).clips
    assert table["kind"].tolist() == ["macro", "micro"] and table["also"].tolist() == ["fear+sadness", ""]
