"""Images that two people have: copies made by other libraries are found, different people are not taken for
one."""

import io
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image, ImageEnhance, ImageOps

from learnet.core.errors import LearnetError
from learnet.core.settings import Preparation, Resources, Study, Training
from learnet.datasets.prepared.duplicates import (
    MIRRORED,
    NEAR,
    SAME,
    SharedImage,
    check_shared_images,
    find_shared_images,
    image_details,
)
from learnet.datasets.prepared.importing import import_images
from learnet.datasets.prepared.record import PrepareRecord
from learnet.datasets.prepared.store import load_prepared, read_findings, save_prepared
from learnet.study.run import run_study
from tests.builders.written_study import write_prepared

FLOW = PrepareRecord(preparation=None, images_kind="flow")
SVM = Study(network="linear-svm", keep_weights=False)
ALONE = Resources(jobs=1, device="cpu")


def found(
    images: np.ndarray, people: str, record: PrepareRecord = FLOW, rows: list[int] | None = None
) -> list[SharedImage]:
    """What is found among images of people who have one letter each."""
    names = [f"d/{person}/{number}" for number, person in enumerate(people)]
    clips = pd.DataFrame({"clip": names, "dataset": "d", "person": [f"d/{person}" for person in people]})
    return find_shared_images(lambda rows: images[list(rows)], clips, record, rows)


def smooth_images(rng: np.random.Generator, count: int, size: int = 56) -> np.ndarray:
    """Blobs of random places, sizes and signs in each channel, enlarged by Pillow."""
    images = []
    for coarse in rng.integers(0, 256, (count, 14, 14, 3), dtype=np.uint8):
        images.append(np.asarray(Image.fromarray(coarse).resize((size, size), Image.Resampling.BICUBIC)))
    return np.stack(images)


def recompressed(image: Image.Image) -> Image.Image:
    file = io.BytesIO()
    image.save(file, "JPEG", quality=90)
    return Image.open(file).convert("RGB")


COPIES: dict[str, tuple[str, Callable[[Image.Image], Image.Image]]] = {
    "recompressed": (NEAR, recompressed),
    "a grey level brighter": (NEAR, lambda image: image.point(lambda level: min(level + 1, 255))),
    "less contrast": (NEAR, lambda image: ImageEnhance.Contrast(image).enhance(0.8)),
    "resized": (NEAR, lambda image: image.resize((20, 20), Image.Resampling.BILINEAR).resize((28, 28))),
    "mirrored": (MIRRORED, ImageOps.mirror),
}


@pytest.mark.parametrize("name", COPIES)
def test_every_copy_of_a_real_image_is_found(shared: Path, tmp_path: Path, name: str) -> None:
    """Each tenth of the 309 flow images is given to another person, as Pillow changes it."""
    flow = shared / "real" / "megc2019_flow"
    prepared = import_images(flow / "images", flow / "labels.csv", tmp_path / "out", kind="flow")
    kind, change = COPIES[name]
    copied = range(0, 309, 10)
    originals = prepared.images[:]
    copies = np.stack([np.asarray(change(Image.fromarray(originals[row]))) for row in copied])
    images = np.concatenate([originals, copies])
    people = [*prepared.clips["person"], *(["d/somebody"] * len(copies))]
    clips = pd.DataFrame({"clip": range(len(images)), "dataset": "d", "person": people})
    shared_images = find_shared_images(lambda rows: images[list(rows)], clips, FLOW)
    pairs = [(image.first, image.second) for image in shared_images if image.kind == kind]
    assert pairs == [(row, 309 + number) for number, row in enumerate(copied)]


def test_no_two_people_of_real_images_have_one(shared: Path, tmp_path: Path) -> None:
    """And the highest correlation of two people, by numpy's `corrcoef`, is well below the threshold."""
    flow = shared / "real" / "megc2019_flow"
    prepared = import_images(flow / "images", flow / "labels.csv", tmp_path / "out", kind="flow")
    assert find_shared_images(prepared.take, prepared.clips, prepared.record) == []
    assert not [finding for finding in read_findings(prepared.folder) or () if finding.serious]
    luma = image_details(prepared.images) @ np.array([0.299, 0.587, 0.114], np.float32)
    correlations = np.corrcoef(luma.reshape(309, -1))
    people = prepared.clips["person"].to_numpy()
    assert correlations[people[:, None] != people].max() == pytest.approx(0.844, abs=0.01)


def test_kinds_of_copies(rng: np.random.Generator) -> None:
    images = smooth_images(rng, 6)
    mirrored_flow = images[2, :, ::-1].copy()
    mirrored_flow[..., 0] = 255 - mirrored_flow[..., 0]
    copies = [images[0], images[1, :, ::-1], mirrored_flow, images[3] // 2 + 60]
    results = found(np.stack([*images, *copies]), "abcdef" + "zzzz")
    kinds = [(image.first, image.second, image.kind) for image in results]
    assert kinds == [(0, 6, SAME), (1, 7, MIRRORED), (2, 8, MIRRORED), (3, 9, NEAR)]
    assert all(image.correlation > 0.99 for image in results)


def test_copies_of_one_person_are_nobody_elses(rng: np.random.Generator) -> None:
    images = smooth_images(rng, 3)
    assert found(np.concatenate([images, images]), "abcabc") == []


def test_copies_are_found_over_many_chunks(rng: np.random.Generator) -> None:
    """And only among the rows that are asked for."""
    images = smooth_images(rng, 300, 28)
    images[299] = images[2]
    images[290, :] = images[130, :, ::-1]
    people = "".join(chr(200 + number) for number in range(300))
    pairs = [(image.first, image.second) for image in found(images, people)]
    assert pairs == [(130, 290), (2, 299)]
    assert [image.second for image in found(images, people, rows=[2, 5, 290, 299])] == [299]


def test_images_without_motion_are_many_peoples(rng: np.random.Generator) -> None:
    """All grey, and grey with a rounded level here and there."""
    images = np.full((4, 28, 28, 3), 128, np.uint8)
    images[2:, 5, 5] = 129
    assert found(images, "abcd") == []


def test_synthetic_images_and_faces_have_exact_copies_only(rng: np.random.Generator) -> None:
    images = smooth_images(rng, 2)
    copies = np.stack([*images, images[0] // 2 + 60, images[1]])
    faces = PrepareRecord(preparation=Preparation(motion="apex-face"), images_kind="image")
    for record in (replace(FLOW, synthetic=True), replace(FLOW, simulated=True), faces):
        assert [(image.second, image.kind) for image in found(copies, "abyz", record)] == [(3, SAME)]


def test_the_line_names_the_clips(rng: np.random.Generator) -> None:
    images = smooth_images(rng, 1).repeat(6, axis=0)
    clips = pd.DataFrame({"clip": list("uvwxyz"), "dataset": "d", "person": list("123456")})
    expected = (
        r"^5 images are of two people, and would be trained on and tested: u and v \(the same image\); "
        r"u and w .*; and 2 more\. Leave one .*\(--shared-images\)\.$"
    )
    with pytest.raises(LearnetError, match=expected):
        check_shared_images(lambda rows: images[list(rows)], clips, FLOW)


@pytest.fixture
def twice(tmp_path: Path) -> Path:
    """A prepared folder of four people of whom 04 has an image of 01, mirrored."""
    folder = write_prepared(tmp_path / "whole", people=4, clips=4)
    whole = load_prepared(folder)
    images = whole.images[:].copy()
    images[13] = images[2, :, ::-1]
    return save_prepared(tmp_path / "twice", images, whole.clips, whole.record, []).folder


def test_a_study_stops_and_goes_on_when_told(twice: Path, tmp_path: Path) -> None:
    (finding,) = [one for one in read_findings(twice) or () if one.serious]
    assert finding.kind == "image of two people" and finding.where == "casme2/04/EP01"
    assert "casme2/01/EP02 and casme2/04/EP01 (a mirrored image, correlation 1.000)" in finding.what
    with pytest.raises(LearnetError, match=r"^1 image is of two people.*casme2/01/EP02 and casme2/04/EP01"):
        run_study(twice, tmp_path / "study", SVM, Training(), ALONE)
    assert not (tmp_path / "study").exists()
    run_study(twice, tmp_path / "leaky", replace(SVM, protocol="leaky-clips", groups=2), Training(), ALONE)
    run_study(twice, tmp_path / "study", replace(SVM, shared_images=True), Training(), ALONE)
    assert '"shared_images": true' in (tmp_path / "study" / "study.json").read_text()
