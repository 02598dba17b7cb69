"""What `learnet prepare` says of a database that is not whole: nothing that changes a result is passed over
in silence."""

import csv
import shutil
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from learnet.video.reader import open_video
from tests.builders.commands import learnet
from tests.builders.once import writable_copy
from tests.builders.videos import colours, mux


@pytest.fixture
def root(synthetic_database: Callable[..., Path], tmp_path: Path) -> Path:
    """A copy to spoil of a synthetic CASME II of 3 people with 4 clips each, as cropped by its owners."""
    copy = writable_copy(synthetic_database("casme2", people=3, clips=4, seed=0), tmp_path / "casme2")
    shutil.rmtree(copy / "CASME2_RAW")
    return copy


def prepared(root: Path, name: str = "casme2") -> list[str]:
    """The lines `prepare` writes into ROOT's neighbour `out`."""
    return learnet("prepare", name, root, root.parent / "out").stdout.splitlines()


def test_nothing_serious_needs_no_word(root: Path) -> None:
    assert prepared(root) == ["12 motion images of 3 people", f"-> {root.parent / 'out'}"]


def test_one_image_of_another_size_costs_its_clip_only(root: Path) -> None:
    clip = root / "Cropped" / "sub02" / "EP09f"
    images = sorted(clip.iterdir())
    height, width, _ = cv2.imread(str(images[0])).shape
    cv2.imwrite(str(images[4]), np.zeros((height // 2, width, 3), np.uint8))
    first, second, last = prepared(root)
    assert first == "11 motion images of 3 people; 1 clip skipped"
    audit = root.parent / "out" / "audit.csv"
    assert second == f'1 serious finding: 1 of "clip not usable". See {audit}.'
    with (root.parent / "out" / "audit.csv").open(newline="") as file:
        (told,) = [row for row in csv.DictReader(file) if row["serious"] == "yes"]
    assert told["where"] == "casme2/02/EP09f"
    assert f"{images[4].name} is {width}x{height // 2}, the first one {width}x{height}" in told["what"]


def test_one_image_of_another_size_in_the_only_clip_is_one_line(root: Path, tmp_path: Path) -> None:
    clip = tmp_path / "clips" / "ann" / "happiness" / "one"
    shutil.copytree(root / "Cropped" / "sub02" / "EP09f", clip)
    image = sorted(clip.iterdir())[4]
    cv2.imwrite(str(image), np.zeros((20, 30, 3), np.uint8))
    for words in (
        ("prepare", "folder", tmp_path / "clips", tmp_path / "out"),
        ("show", clip, "--out", tmp_path / "p.png"),
    ):
        (line,) = learnet(*words, code=2).stderr.splitlines()
        assert f"{image.name} is 30x20, the first one " in line
    assert not (tmp_path / "out").exists() and not (tmp_path / "p.png").exists()


def test_clips_that_the_reader_left_out_are_counted(root: Path) -> None:
    """A person's folder gone, another's clip empty, and all but one clip of the third."""
    shutil.rmtree(root / "Cropped" / "sub01")
    for image in (root / "Cropped" / "sub02" / "EP09f").iterdir():
        image.unlink()
    lines = prepared(root)
    assert lines[0] == "7 motion images of 2 people"
    assert lines[1].startswith('5 serious findings: 1 of "clip left out", 4 of "row without folder". See ')
    again = prepared(root)
    assert again == lines, "a folder that is there already is told of the same"
    shutil.rmtree(root / "Cropped" / "sub02")
    for clip in sorted((root / "Cropped" / "sub03").iterdir())[1:]:
        shutil.rmtree(clip)
    shutil.rmtree(root.parent / "out")
    assert prepared(root)[0] == "1 motion image of 1 person"
    told = " ".join(learnet("audit", "casme2", root, code=1).stdout.split())
    assert "1 from 12 rows, 1 person" in told


def test_a_database_twice_and_a_place_inside_it_are_refused(root: Path, tmp_path: Path) -> None:
    other = shutil.copytree(root, tmp_path / "other")
    for second in (root, other):
        (line,) = learnet(
            "prepare", "casme2", root, "casme2", second, tmp_path / "out", code=2
        ).stderr.splitlines()
        assert line.startswith(f"learnet: casme2 is given twice, {root} and {second}. ")
    (line,) = learnet("prepare", "casme2", root, root / "prepared", code=2).stderr.splitlines()
    assert line.startswith(f"learnet: {root / 'prepared'}: ")
    assert str(root) in line.removeprefix(f"learnet: {root / 'prepared'}")
    (line,) = learnet(
        "prepare", "folder", root, "folder", f"{root}/../casme2", tmp_path / "out", code=2
    ).stderr.splitlines()
    assert "folder is given twice" in line
    assert not (root / "prepared").exists() and not (tmp_path / "out").exists()


def test_a_hole_in_a_video_is_told_by_number(tmp_path: Path) -> None:
    """Zeros in the middle of a Matroska file: its header promises a constant rate, and 40 frames in all."""
    clips = tmp_path / "clips"
    pictures = [np.roll(colours(), number, axis=0) for number in range(40)]
    for person in ("ann", "bob"):
        (clips / person / "sad").mkdir(parents=True)
        path = mux(clips / person / "sad" / "one.mkv", pictures, codec="mjpeg")
    data = bytearray(path.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 20_000] = bytes(20_000)
    path.write_bytes(data)
    learnet("prepare", "folder", clips, tmp_path / "out", "--face", "none")
    with (tmp_path / "out" / "audit.csv").open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["serious"] == "yes"]
    with open_video(path) as video:
        delivered = len(list(video))
    told = [row["what"] for row in rows if row["kind"] == "frames lost"]
    assert delivered < 35 and {row["where"] for row in rows} == {"folder/bob/sad-one", str(path)}
    assert sum(int(what.split()[0]) for what in told if "patched" not in what) == 40 - delivered
