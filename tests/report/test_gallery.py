"""Galleries: the right clips in the right order, and nobody whom a licence hides."""

import csv
import shutil
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest

from learnet.datasets.licences import may_be_shown
from learnet.report.gallery import Gallery, gallery
from learnet.report.study_record import read_record
from learnet.report.style import png_uri
from tests.builders.written_study import CLASSES, write_prepared, write_study


def shots(found: Gallery) -> list:
    return [shot for shelf in found.shelves for shot in (*shelf.right, *shelf.wrong)]


@pytest.mark.parametrize(
    ("person", "shown"),
    [
        ("casme2/12", False),
        ("casme2/sub12", False),
        ("casme2/Sub012", False),
        ("casme2/22", False),
        ("CASME II/s22", False),
        ("casme2/11", True),
        ("casme2/02", True),
        ("casme2/1", True),
        ("samm/12", True),
        ("mine/12", True),
    ],
)
def test_whom_the_licence_hides(person: str, shown: bool) -> None:
    assert may_be_shown(person) is shown


def test_the_surest_answers_of_each_class(tmp_path: Path) -> None:
    """Beside pandas sorting the same outcomes."""
    study = write_study(tmp_path / "x", write_prepared(tmp_path / "prepared"))
    found = pd.read_csv(study / "outcomes.csv").groupby("clip")
    table = found[list(CLASSES)].mean().assign(truth=found["truth"].first(), person=found["person"].first())
    table["answer"], table["score"] = table[list(CLASSES)].idxmax(axis=1), table[list(CLASSES)].max(axis=1)
    table = table.reset_index().sort_values(["score", "clip"], ascending=[False, True])
    for shelf in gallery(read_record(study), 3).shelves:
        mine = table[table["truth"] == shelf.emotion]
        assert (shelf.clips, shelf.answered_right) == (len(mine), (mine["answer"] == shelf.emotion).sum())
        mine = mine[mine["person"] != "casme2/12"]
        for side, expected in (
            (shelf.right, mine[mine["answer"] == shelf.emotion]),
            (shelf.wrong, mine[mine["answer"] != shelf.emotion]),
        ):
            assert [shot.clip for shot in side] == list(expected["clip"][:3])
            assert [shot.prediction for shot in side] == list(expected["answer"][:3])
            np.testing.assert_allclose([shot.score for shot in side], expected["score"][:3])


def test_each_clip_has_its_own_image(tmp_path: Path) -> None:
    prepared = write_prepared(tmp_path / "prepared")
    images = np.load(prepared / "images.npy")
    with (prepared / "clips.csv").open(newline="") as file:
        clips = [row["clip"] for row in csv.DictReader(file)]
    found = shots(gallery(read_record(write_study(tmp_path / "x", prepared)), 3))
    assert len(found) > 15
    for shot in found:
        assert shot.image == png_uri(images[clips.index(shot.clip)]) and shot.face is None


def faces_on_disk(tmp_path: Path, rng: np.random.Generator) -> tuple[Path, dict[str, np.ndarray]]:
    """A prepared folder whose clips are folders of three images, the first numbered like the onset; and the
    onset frames."""
    prepared = write_prepared(tmp_path / "prepared", paths=tmp_path / "clips")
    onsets = {}
    with (prepared / "clips.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            folder = Path(row["path"])
            folder.mkdir(parents=True)
            for number in range(int(row["onset"]), int(row["onset"]) + 3):
                frame = rng.integers(0, 256, (20, 16, 3), dtype=np.uint8)
                onsets.setdefault(row["clip"], frame)
                cv2.imwrite(str(folder / f"img{number}.png"), frame[:, :, ::-1])
    return prepared, onsets


def test_faces_only_when_asked_for_and_never_those_hidden(tmp_path: Path, rng: np.random.Generator) -> None:
    prepared, onsets = faces_on_disk(tmp_path, rng)
    record = read_record(write_study(tmp_path / "x", prepared))
    assert all(shot.face is None for shot in shots(gallery(record, 99)))
    with_faces = gallery(record, 99, show_faces=True)
    assert with_faces.withheld == ("casme2/12",) and not with_faces.notes
    found = shots(with_faces)
    assert len(found) == 72 - 6 and not [shot for shot in found if shot.clip.startswith("casme2/12/")]
    for shot in found:
        assert shot.face == png_uri(onsets[shot.clip])


def test_faces_that_are_gone_are_counted(tmp_path: Path, rng: np.random.Generator) -> None:
    prepared, _ = faces_on_disk(tmp_path, rng)
    shutil.rmtree(tmp_path / "clips")
    found = gallery(read_record(write_study(tmp_path / "x", prepared)), 2, show_faces=True)
    assert f"for {len(shots(found))} clips" in found.notes[0]


def test_a_hidden_person_under_another_name_stays_hidden(tmp_path: Path) -> None:
    """outcomes.csv says casme2/99 where the prepared folder says casme2/12."""
    study = write_study(tmp_path / "x", write_prepared(tmp_path / "prepared"))
    file = study / "outcomes.csv"
    file.write_text(file.read_text().replace(",casme2,casme2/12,", ",casme2,casme2/99,"))
    assert not [shot for shot in shots(gallery(read_record(study), 99)) if "/12/" in shot.clip]


@pytest.mark.parametrize(
    ("network", "skill"), [("majority", 0.4), ("learnet", 0)], ids=["majority", "one answer"]
)
def test_answers_that_do_not_look_need_no_pictures(tmp_path: Path, network: str, skill: float) -> None:
    """The majority class of the training side may differ from fold to fold; a network may answer the same to
    everything."""
    found = gallery(
        read_record(write_study(tmp_path / "x", write_prepared(tmp_path / "prepared"), network, skill=skill)),
        3,
    )
    assert found.shelves == () and "same prediction for every image" in found.notes[0]
