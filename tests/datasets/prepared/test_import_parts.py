"""Several images of one clip: which of them is the clip, and what is wrong with the parts of others."""

from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest

from learnet.core.errors import BadInput
from learnet.datasets.prepared.importing import import_images
from learnet.datasets.prepared.store import PreparedDataset, load_prepared

GOOD = [
    "a,01,A,onset,Happy",
    "b,01,A,=apex,Happy",
    "c,02,B,=apex,sad",
    "d,02,B,onset,sad",
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Six images of one grey level each: 10, 20, 30, ..."""
    (tmp_path / "images").mkdir()
    for number, name in enumerate("abcdef", start=1):
        cv2.imwrite(str(tmp_path / "images" / f"{name}.png"), np.full((28, 28, 3), 10 * number, np.uint8))
    return tmp_path


def imported(
    folder: Path, lines: list[str], header: str = "image,subject,clip,part,emotion"
) -> PreparedDataset:
    rows = [line.replace(",", ".png,", 1) for line in lines]
    (folder / "labels.csv").write_text("\n".join([header, *rows]))
    return import_images(folder / "images", folder / "labels.csv", folder / "out")


def test_the_first_part_is_the_clip_and_the_others_are_its_phases(folder: Path) -> None:
    prepared = imported(folder, GOOD)
    assert prepared.clips["clip"].tolist() == ["imported/01/A", "imported/02/B"]
    assert prepared.clips["emotion"].tolist() == ["happiness", "sadness"]
    assert prepared.images[:, 0, 0, 0].tolist() == [10, 40]
    assert prepared.phases is not None and prepared.phases.names == ("part =apex", "part =apex")
    images, positions = prepared.phases.take([1, 0])
    assert images[:, 0, 0, 0].tolist() == [20, 30] and positions.tolist() == [1, 0]
    assert imported(folder, GOOD).reused
    assert load_prepared(folder / "out").record.clips == 2


def test_a_column_part_of_single_images_says_nothing(folder: Path) -> None:
    assert imported(folder, ["a,01,A,1,sad", "b,02,B,2,sad"]).phases is None


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        ([*GOOD, "e,03,C,onset,sad"], "imported/03/C has no part =apex, which other clips have"),
        ([*GOOD, "e,02,B,onset,sad"], "imported/02/B has part onset twice"),
        ([*GOOD[:3], "d,02,B,,sad"], "part is empty in line 5"),
        ([*GOOD[:3], "d,02,B,onset,fear"], "the parts of imported/02/B differ in emotion: sadness, fear"),
    ],
)
def test_what_is_wrong_names_the_clip(folder: Path, lines: list[str], says: str) -> None:
    with pytest.raises(BadInput, match=says):
        imported(folder, lines)
    assert not (folder / "out").exists()


def test_parts_of_unnamed_clips_are_refused(folder: Path) -> None:
    header = "image,subject,part,emotion"
    with pytest.raises(BadInput, match="it has a column part and no column clip"):
        imported(folder, ["a,01,onset,sad", "b,01,apex,sad"], header)
    assert imported(folder, ["a,01,onset,sad", "b,02,onset,sad"], header).phases is None


def test_a_clip_twice_without_parts_is_told_of_the_column(folder: Path) -> None:
    with pytest.raises(BadInput, match="imported/01/A. Every image is one clip, or a column part"):
        imported(folder, ["a,01,A,sad", "b,01,A,sad"], "image,subject,clip,emotion")


def test_real_images_of_phases(shared: Path, tmp_path: Path) -> None:
    """927 images are 309 clips; every third row of the table is a clip."""
    real = shared / "real" / "megc2019_flow_phases"
    prepared = import_images(real / "images", real / "labels.csv", tmp_path / "out", kind="flow")
    expected = pd.read_csv(real / "labels.csv", dtype=str)
    keys = expected["dataset"] + "/" + expected["subject"] + "/" + expected["clip"]
    assert prepared.clips["clip"].tolist() == keys[::3].tolist()
    assert prepared.phases is not None
    images, positions = prepared.phases.take([200])
    for image, row in zip(images, (601, 602), strict=True):
        pixels = cv2.imread(str(real / "images" / expected["image"][row]))
        assert (image == pixels[..., ::-1]).all()
    assert positions.tolist() == [0, 0]
