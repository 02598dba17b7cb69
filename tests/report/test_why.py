"""The pictures that say why: drawn by the weights that a study kept, of nobody whom a licence hides, and
named where they cannot be."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from learnet.core.settings import Resources, Study, Training
from learnet.datasets.prepared.store import load_prepared, save_prepared
from learnet.report.explain.attribution import occlusion
from learnet.report.explain.clips import open_explained_clips
from learnet.report.gallery import gallery
from learnet.report.page import write_report
from learnet.report.study_record import read_record
from learnet.report.style import png_uri
from learnet.report.why import explain
from learnet.study.run import run_study
from tests.builders.read_page import Page
from tests.builders.written_study import CLASSES, write_prepared

FEW = Training(epochs=6, batch_size=8)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("why")
    there = load_prepared(write_prepared(home / "noise", people=12, clips=3))
    images = there.images.copy()
    for place, emotion in enumerate(
        there.clips["emotion"]
    ):  # a bright stripe for each class: there is something to learn
        row = 5 * CLASSES.index(emotion)
        images[place, row : row + 5] = images[place, row : row + 5] // 4 + 190
    prepared = save_prepared(home / "prepared", images, there.clips, there.record, []).folder
    # With mirrored images the support vector machine has nothing wrong.
    for network, training in (("learnet", FEW), ("linear-svm", replace(FEW, mirror="none"))):
        study = Study(network=network, protocol="groups", groups=2, classes="casme2-5")
        run_study(prepared, home / network, study, training, Resources(jobs=1, device="cpu"))
    return home


@pytest.fixture
def studies(home: Path, tmp_path: Path) -> Path:
    """A copy that may be damaged."""
    copy = tmp_path / "copy"
    shutil.copytree(home, copy)
    for file in copy.glob("*/study.json"):
        file.write_text(file.read_text().replace(str(home), str(copy)))
    return copy


def test_four_clips_are_explained_and_one_in_all_layers(studies: Path) -> None:
    record = read_record(studies / "learnet")
    found = explain(record, gallery(record, 3), 4, 1)
    assert [one.name for one in found.drawings] == [
        "attribution-1-1",
        "layers-1",
        "attribution-1-2",
        "attribution-1-3",
        "attribution-1-4",
    ]
    assert found.notes == () and not [one for one in found.drawings if "/12/" in one.said]
    page = Page(write_report([studies / "learnet"], studies / "page.html"))
    assert {f"{one.name}.csv" for one in found.drawings} <= set(page.links)
    assert page.raw.index('id="why"') < page.raw.index("Attribution maps") < page.raw.index('id="again"')


def test_the_numbers_are_those_of_the_network_that_tested_the_person(studies: Path) -> None:
    """Of the SVM only occlusion can be drawn; done again by the functions of learnet.report.explain."""
    record = read_record(studies / "linear-svm")
    (one,) = explain(record, gallery(record, 3), 1, 1).drawings
    clip = one.said.split(" for ")[1].split(":")[0]
    case = open_explained_clips(studies / "linear-svm").get(clip)
    expected = occlusion(case.module, case.image, case.metadata.classes.index(case.prediction))
    assert set(one.table["method"]) == {"occlusion"}
    np.testing.assert_allclose(one.table.drop(columns=["method", "row"]).to_numpy(), expected)
    assert png_uri(case.image)  # as the motion image beside it


def test_right_and_wrong_by_turns(studies: Path) -> None:
    record = read_record(studies / "linear-svm")
    truth = {o.clip: o.truth == o.prediction for o in record.answers}
    said = [
        one.said.split(" for ")[1].split(":")[0] for one in explain(record, gallery(record, 3), 4, 1).drawings
    ]
    assert len(set(said)) == 4 and {truth[clip] for clip in said[:2]} == {True, False}


def test_none_is_asked_for(studies: Path) -> None:
    shown = Page(write_report([studies / "learnet"], studies / "page.html", explained=0))
    assert "Attribution maps" not in shown.words and [tag for tag, _ in shown.elements if tag == "img"]


def test_weights_that_are_gone_or_broken_are_named_and_the_rest_is_shown(studies: Path) -> None:
    files = sorted((studies / "learnet" / "folds").iterdir())
    assert len(files) == 2
    files[0].write_bytes(b"not weights")
    files[1].unlink()
    shown = Page(write_report([studies / "learnet"], studies / "page.html"))
    assert "No attribution map" in shown.words and "the weights of the fold that tested" in shown.words
    assert (
        not [name for name in shown.links if name.startswith("attribution")]
        and "intervals.csv" in shown.links
    )
    files[0].unlink()
    about = json.loads((studies / "learnet" / "study.json").read_text(encoding="utf-8"))
    for kept, said in (
        ({"keep_weights": True}, "learnet kept the weights of its folds, but they are gone"),
        ({"keep_weights": False}, "learnet kept no weights"),
        ({}, "learnet kept the weights of its folds, but they are gone"),
    ):
        about["settings"] = {
            key: value for key, value in about["settings"].items() if key != "keep_weights"
        } | kept
        (studies / "learnet" / "study.json").write_text(json.dumps(about), encoding="utf-8")
        words = Page(write_report([studies / "learnet"], studies / "page.html")).words
        assert said in words and words.count("weights, so") + words.count("folder, so") == 1


def test_images_that_are_gone(studies: Path) -> None:
    shutil.rmtree(studies / "prepared")
    shown = Page(write_report([studies / "learnet"], studies / "page.html"))
    assert (
        "No motion images" in shown.words
        and "is gone" in shown.words
        and not [tag for tag, _ in shown.elements if tag == "img"]
    )


def test_two_studies_share_the_clips(studies: Path) -> None:
    links = Page(
        write_report([studies / "learnet", studies / "linear-svm"], studies / "page.html", explained=2)
    ).links
    assert {name for name in links if name.startswith(("attribution", "layers"))} == {
        "attribution-1-1.csv",
        "layers-1.csv",
        "attribution-2-1.csv",
    }


def test_an_anonymous_page_has_no_motion_image(studies: Path) -> None:
    plain = write_report([studies / "learnet"], studies / "plain.html").read_text()
    hidden = write_report([studies / "learnet"], studies / "hidden.html", anonymous=True).read_text()
    images = [png_uri(image) for image in load_prepared(studies / "prepared").images]
    assert any(image in plain for image in images) and not any(image in hidden for image in images)
    assert "the motion image, then" in plain and "the motion image, then" not in hidden
    assert hidden.count("the average face, then") == plain.count("the motion image, then") > 0
    assert "Motion images are not shown" in hidden and 'alt="Motion image of' not in hidden
