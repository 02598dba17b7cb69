"""Names in tables and recipes of others lead to no file outside, and nothing is written outside."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from learnet.core.errors import BadInput
from learnet.core.settings import Resources, Study, Training
from learnet.datasets.prepared.importing import import_images
from learnet.datasets.readers.reading.folder_names import find_existing_path
from learnet.study.candidates import read_candidates
from learnet.study.run import run_study
from learnet.study.selection import select_settings

CLIMBING = ("../x", "../../x", "a/../../x", "/x", "..")
EMOTIONS = ("happiness", "disgust")


@pytest.fixture
def images(tmp_path: Path) -> Path:
    """A folder of six images, and an image beside it."""
    rng = np.random.default_rng(0)
    folder = tmp_path / "images"
    folder.mkdir()
    for path in [tmp_path / "outside.png", *(folder / f"{number}.png" for number in range(6))]:
        cv2.imwrite(str(path), rng.integers(0, 256, (28, 28, 3), dtype=np.uint8))
    return folder


def labels(images: Path, first: str = "0.png", subject: str = "", dataset: str = "d", clip: str = "") -> Path:
    lines = ["image,subject,emotion,dataset,clip"]
    for number in range(6):
        image = first if number == 0 else f"{number}.png"
        lines.append(f"{image},{subject}{number // 2},{EMOTIONS[number % 2]},{dataset},{clip}{number}")
    path = images.parent / "labels.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


def contents(folder: Path) -> set[Path]:
    return set(folder.iterdir())


def test_images_outside_the_folder_are_not_read(images: Path, tmp_path: Path) -> None:
    for name in ("../outside.png", str(tmp_path / "outside.png"), f"../{images.name}/0.png"):
        with pytest.raises(BadInput, match="1 of 6 images not found"):
            import_images(images, labels(images, name), tmp_path / "out")


def test_paths_of_tables_stay_in_the_folder(tmp_path: Path) -> None:
    """Also where the file is there. A link that the user put into his folder is followed."""
    folder = tmp_path / "a" / "folder"
    (folder / "a").mkdir(parents=True)
    for place in (tmp_path / "x", tmp_path / "a" / "x", folder / "x"):
        place.touch()
    for name in CLIMBING:
        assert find_existing_path(folder, name) is None
    assert find_existing_path(folder, "./x") == folder / "x"
    (folder / "link").symlink_to(tmp_path / "x")
    assert find_existing_path(folder, "link") == folder / "link"


@pytest.mark.parametrize("part", ["subject", "dataset", "clip"])
def test_names_that_climb_write_nothing_outside(images: Path, tmp_path: Path, part: str) -> None:
    """Folds are called after people, and so are files of weights."""
    table = labels(images, **{part: "../../../up"})
    prepared, study = tmp_path / "in" / "prepared", tmp_path / "in" / "deep" / "study"
    import_images(images, table, prepared)
    before = [contents(place) for place in (tmp_path, tmp_path / "in", tmp_path.parent)]
    run_study(prepared, study, Study(network="linear-svm", keep_weights=True), Training(), Resources(jobs=1))
    after = [contents(place) for place in (tmp_path, tmp_path / "in", tmp_path.parent)]
    after[1].discard(tmp_path / "in" / "deep")
    assert before == after
    assert contents(study.parent) == {study}
    weights = list((study / "folds").iterdir())
    assert len(weights) == 3 and all(path.is_file() for path in weights)


def test_names_of_candidates_write_nothing_outside(images: Path, tmp_path: Path) -> None:
    prepared, selection = tmp_path / "in" / "prepared", tmp_path / "in" / "deep" / "selection"
    import_images(images, labels(images), prepared, kind="flow")
    file = tmp_path / "candidates.toml"
    file.write_text('["../../../up"]\n["/up"]\ndetrend = false\n')
    before = [contents(place) for place in (tmp_path, tmp_path.parent)]
    candidates = read_candidates(file, Training())
    select_settings(prepared, selection, candidates, Study(network="linear-svm", groups=3), Resources(jobs=1))
    assert before == [contents(place) for place in (tmp_path, tmp_path.parent)]
    assert contents(selection.parent) == {selection}
    assert not Path("/up").exists()
