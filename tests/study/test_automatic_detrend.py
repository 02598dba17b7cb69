"""Flow images are detrended and clipped by default, in every way to train: by the bytes of the same study
with the settings written out."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from learnet.core.errors import BadInput, LearnetError, OutputTaken
from learnet.core.settings import Resources, Study, Training
from learnet.datasets.prepared.store import load_prepared
from learnet.study.candidates import read_candidates
from learnet.study.cross_validation import cross_validate
from learnet.study.run import run_study
from learnet.study.selection import select_settings
from learnet.study.shipped import CANDIDATES
from learnet.study.train_on_all import train_on_all
from learnet.training.checkpoint import load_checkpoint
from learnet.training.classifier import LEARNetClassifier
from tests.study.test_run import write_prepared

ONE = Resources(jobs=1, device="cpu")
SVM = Study(network="linear-svm", classes="casme2-7", keep_weights=True)
DETRENDED = Training(detrend=True, clipping_percentile=98)
AS_THEY_ARE = Training(detrend=False, clipping_percentile=100)


@pytest.fixture
def flow(tmp_path: Path, rng: np.random.Generator) -> Path:
    return write_prepared(tmp_path / "flow", rng, kind="flow")


def files_of(folder: Path) -> dict[str, bytes]:
    """Every file of a folder but run.json, which has the time."""
    contents = {}
    for file in folder.rglob("*"):
        if file.is_file() and file.name not in ("run.json", ".lock"):
            contents[str(file.relative_to(folder))] = file.read_bytes()
    return contents


def study_of(folder: Path, out: Path, training: Training) -> dict[str, bytes]:
    run_study(folder, out / "study", SVM, training, ONE)
    return files_of(out / "study")


def test_a_study_without_the_settings_is_the_study_with_them(flow: Path, tmp_path: Path) -> None:
    automatic = study_of(flow, tmp_path / "automatic", Training())
    assert len(automatic) > 4  # weights too
    assert automatic == study_of(flow, tmp_path / "written-out", DETRENDED)
    off = study_of(flow, tmp_path / "off", Training(detrend=False))
    assert off == study_of(flow, tmp_path / "all-off", AS_THEY_ARE)
    assert off["outcomes.csv"] != automatic["outcomes.csv"]
    described = json.loads(automatic["study.json"])["training"]
    assert (described["detrend"], described["clipping_percentile"]) == (True, 98)


def test_other_images_stay_as_they_are(tmp_path: Path, rng: np.random.Generator) -> None:
    images = write_prepared(tmp_path / "images", rng)
    automatic = study_of(images, tmp_path / "automatic", Training())
    assert automatic == study_of(images, tmp_path / "written-out", AS_THEY_ARE)


@pytest.mark.parametrize("omitted", [(), ("detrend", "clipping_percentile")])
def test_a_study_of_an_earlier_version_is_continued_only_as_it_was(
    flow: Path, tmp_path: Path, omitted: tuple[str, ...]
) -> None:
    """Its study.json says that images stay as they are, or, earlier still, says nothing of it."""
    before = study_of(flow, tmp_path, AS_THEY_ARE)
    file = tmp_path / "study" / "study.json"
    described = json.loads(file.read_text())
    for name in omitted:
        del described["training"][name]
    file.write_text(json.dumps(described))
    with pytest.raises(OutputTaken, match=r"training.detrend \(there false, requested true\)"):
        run_study(flow, tmp_path / "study", SVM, Training(), ONE)
    trained: list[int] = []
    same = Training(detrend=False)
    run_study(flow, tmp_path / "study", SVM, same, ONE, lambda done, _: trained.append(done))
    assert not trained and files_of(tmp_path / "study") == before


def test_weights_say_what_was_done(flow: Path, tmp_path: Path) -> None:
    train_on_all(flow, SVM, Training(vary_clipping=95)).save(tmp_path / "w.safetensors")
    training = load_checkpoint(tmp_path / "w.safetensors")[1].training
    assert training
    assert (training.detrend, training.clipping_percentile, training.vary_clipping) == (True, 98, 95)


@pytest.mark.parametrize("settings", [{}, {"detrend": False}, {"clipping_percentile": 80}])
def test_arrays_and_scikit_learn_follow_the_same_rule(flow: Path, settings: dict) -> None:
    """As a study of the folder, with the settings of the study written out."""
    prepared = load_prepared(flow)
    labels, people = prepared.clips["emotion"], prepared.clips["person"]
    resolved = {"detrend": True, "clipping_percentile": 98, **settings}
    if settings == {"detrend": False}:
        resolved["clipping_percentile"] = 100

    def validated(kind: str, training: Training) -> np.ndarray:
        result = cross_validate(
            prepared.images, labels, people, "linear-svm", kind=kind, training=training, resources=ONE
        )
        assert (result.training.detrend, result.training.clipping_percentile) != (None, None)
        return result.predictions[["disgust", "happiness"]].to_numpy()

    automatic = validated("flow", Training(**settings))
    np.testing.assert_array_equal(automatic, validated("flow", Training(**resolved)))
    first = LEARNetClassifier("linear-svm", kind="flow", **settings).fit(prepared.images, labels)
    written_out = LEARNetClassifier("linear-svm", kind="flow", **resolved).fit(prepared.images, labels)
    assert first.training_ == written_out.training_ and first.training_.detrend is not None
    shares = first.predict_proba(prepared.images)
    np.testing.assert_array_equal(shares, written_out.predict_proba(prepared.images))
    assert first.get_params()["detrend"] == settings.get("detrend")


def test_the_kind_of_the_images_decides_for_the_classifier(flow: Path) -> None:
    prepared = load_prepared(flow)
    labels = prepared.clips["emotion"]
    resolved = {}
    for kind in ("image", "flow", "unknown"):
        fitted = LEARNetClassifier("linear-svm", kind=kind).fit(prepared.images, labels).training_
        resolved[kind] = (fitted.detrend, fitted.clipping_percentile)
    assert resolved == {"image": (False, 100), "flow": (True, 98), "unknown": (False, 100)}


def test_a_selection_has_definite_values(flow: Path, tmp_path: Path) -> None:
    (tmp_path / "c.toml").write_text(
        "[usual]\n[off]\ndetrend = false\n[all]\nclipping_percentile = 100\n[varied]\nvary_clipping = 90\n"
    )
    compared = read_candidates(tmp_path / "c.toml", Training())
    asked = replace(SVM, protocol="groups", groups=3, keep_weights=False)
    selection = select_settings(flow, tmp_path / "selection", compared, asked, ONE)
    written = json.loads((tmp_path / "selection" / "choice.json").read_text())["candidates"]
    values = {}
    for name, candidate in written.items():
        values[name] = (candidate["detrend"], candidate["clipping_percentile"])
    assert values == {"usual": (True, 98), "off": (False, 100), "all": (True, 100), "varied": (True, 98)}
    trainings = json.loads((tmp_path / "selection" / "trainings" / "study.json").read_text())
    assert (trainings["training"]["detrend"], trainings["training"]["clipping_percentile"]) == (True, 98)
    assert trainings["candidates"] == written
    assert select_settings(flow, tmp_path / "selection", compared, asked, ONE) == selection


def test_a_candidate_with_the_default_values_written_out_is_refused(flow: Path, tmp_path: Path) -> None:
    (tmp_path / "c.toml").write_text("[usual]\n[same]\ndetrend = true\nclipping_percentile = 98\n")
    compared = read_candidates(tmp_path / "c.toml", Training())
    with pytest.raises(LearnetError, match="usual and same are the same settings for linear-svm"):
        select_settings(flow, tmp_path / "out", compared, replace(SVM, protocol="groups", groups=3), ONE)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (
            "flow-clipping",
            {"plain": 0, "detrend": 100, "clip-98": 98, "clip-95": 95, "clip-90": 90, "clip-80": 80},
        ),
        (
            "flow",
            {
                "plain": 0, "mixup": 0, "detrend": 100,
                "clip-98": 98, "clip-95": 95, "clip-90": 90, "clip-80": 80,
                "clip-90-no-mixup": 90, "clip-90-mixup-1": 90, "clip-90-decay": 90, "clip-90-pretrained": 90,
            },
        ),
    ],
)  # fmt: skip
def test_shipped_candidates_are_what_was_compared(name: str, expected: dict[str, int]) -> None:
    """Their settings are written out, so that they do not follow the default values."""
    candidates = read_candidates(CANDIDATES / f"{name}.toml", Training(detrend=False)).settings
    values = {}
    for candidate, training in candidates.items():
        values[candidate] = training.detrend_percentile
    assert values == expected
    unchanged = read_candidates(CANDIDATES / f"{name}.toml", Training()).settings
    assert all(training.detrend is not None for training in unchanged.values())


@pytest.mark.parametrize("name", ["clipping_percentile", "vary_clipping"])
def test_clipping_without_detrending_is_refused(name: str) -> None:
    says = f"^{name} is for detrended images: leave detrend = false .--no-detrend. out"
    with pytest.raises(LearnetError, match=says):
        Training(**{"detrend": False, name: 90})


def test_a_candidate_that_clips_images_of_another_kind_is_named(
    tmp_path: Path, rng: np.random.Generator
) -> None:
    images = write_prepared(tmp_path / "images", rng)
    (tmp_path / "c.toml").write_text("[plain]\n[clipped]\nclipping_percentile = 90\n")
    compared = read_candidates(tmp_path / "c.toml", Training())
    with pytest.raises(LearnetError, match="candidate clipped: clipping_percentile is for flow images"):
        select_settings(images, tmp_path / "out", compared, replace(SVM, protocol="groups", groups=3), ONE)
    (tmp_path / "c.toml").write_text("[plain]\n[clipped]\ndetrend = false\nclipping_percentile = 90\n")
    with pytest.raises(BadInput, match=r"c.toml: `\$.clipped`: clipping_percentile is for detrended images"):
        read_candidates(tmp_path / "c.toml", Training())
