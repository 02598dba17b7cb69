"""Which network may explain which clip."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from learnet.core.errors import BadCheckpoint, BadInput, LearnetError
from learnet.core.settings import Resources, Study, Training
from learnet.datasets.prepared.store import load_prepared
from learnet.report.explain.clips import open_explained_clips
from learnet.report.explain.temporal import explain_clip_temporal
from learnet.study.outcomes import read_outcomes
from learnet.study.run import run_study
from tests.builders.explained import checkpoint_for
from tests.builders.written_study import read_truth, write_prepared

ONE_EPOCH = Training(epochs=1, augment="none", mirror_at_test=False)
ONE_JOB = Resources(jobs=1)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with prepared noise, a study of it, and weights that list its people."""
    home = tmp_path_factory.mktemp("explain")
    prepared = write_prepared(home / "prepared", people=3, clips=6)
    run_study(prepared, home / "learnet", Study(network="learnet", classes="auto"), ONE_EPOCH, ONE_JOB)
    checkpoint_for(home / "all.safetensors", prepared)
    return home


def test_a_clip_is_explained_by_the_fold_that_tested_its_person(home: Path) -> None:
    """The scores are those of the study, and the person is not in the training set of the network."""
    clips = open_explained_clips(home / "learnet")
    prepared = load_prepared(home / "prepared")
    for outcome in read_outcomes(home / "learnet")[::5]:
        clip = clips.get(outcome.clip)
        np.testing.assert_allclose(clip.scores, outcome.scores, atol=2e-6)
        assert clip.truth == outcome.truth
        assert clip.prediction == outcome.prediction
        assert not clip.notes
        assert clip.person not in clip.metadata.people
        row = prepared.clips.query("clip == @outcome.clip").index[0]
        np.testing.assert_array_equal(clip.image, prepared.images[row])


def test_weights_trained_on_the_person_are_noted_or_refused(home: Path, tmp_path: Path) -> None:
    """They are noted where the user names them or the protocol leaks, and refused in any other study."""
    name = "casme2/01/EP00"
    clip = open_explained_clips(home / "prepared", home / "all.safetensors").get(name)
    assert "casme2/01" in clip.notes[0]
    study = tmp_path / "learnet"
    shutil.copytree(home / "learnet", study)
    shutil.copy(home / "all.safetensors", study / "folds" / "casme2-01-seed0.safetensors")
    with pytest.raises(BadInput, match="trained on casme2/01"):
        open_explained_clips(study).get(name)
    description = json.loads((study / "study.json").read_text())
    (study / "study.json").write_text(json.dumps({**description, "protocol": "leaky-clips"}))
    assert open_explained_clips(study).get(name).notes


@pytest.mark.parametrize(
    ("source", "weights", "seed", "message"),
    [
        ("prepared", None, None, "no network"),
        ("learnet", "all.safetensors", None, "own weights"),
        ("learnet", None, 7, "no run with seed 7. It has 0"),
        ("nowhere", None, None, "no such folder"),
    ],
)
def test_sources_that_cannot_be_opened(
    home: Path, source: str, weights: str | None, seed: int | None, message: str
) -> None:
    checkpoint = home / weights if weights else None
    with pytest.raises(LearnetError, match=message):
        open_explained_clips(home / source, checkpoint, seed)


def test_unknown_clips_and_classes_are_refused(home: Path) -> None:
    clips = open_explained_clips(home / "learnet")
    with pytest.raises(LearnetError, match="Did you mean 'casme2/01/EP0"):
        clips.get("casme2/01/EP0")
    with pytest.raises(LearnetError, match=r"no clip of class 'fear'.*others \(\d+\)"):
        clips.of_class("fear")


def test_clips_by_class(home: Path) -> None:
    clips = open_explained_clips(home / "learnet")
    names = {clip.clip for clip in clips.of_class("others")}
    assert names == {name for name, truth in clips.truth.items() if truth == "others"}
    examples = clips.examples()
    assert [clips.truth[name] for name in examples] == sorted(set(clips.truth.values()))


def test_an_untested_clip_is_refused_with_the_reason(tmp_path: Path) -> None:
    """The class scheme leaves its label out, or the study has not tested it."""
    prepared = write_prepared(tmp_path / "prepared", people=3, clips=6)
    study = tmp_path / "three"
    run_study(prepared, study, Study(network="majority", classes="megc-3"), ONE_EPOCH, ONE_JOB)
    rows = read_truth(prepared)
    outside = next(row["clip"] for row in rows if row["emotion"] == "others")
    message = rf"{outside} .*labelled 'others'.* scheme megc-3 .*leaves out"
    with pytest.raises(LearnetError, match=message):
        open_explained_clips(study).get(outside)
    with pytest.raises(LearnetError, match=message):
        explain_clip_temporal(open_explained_clips(study), outside)

    lines = (study / "outcomes.csv").read_text(encoding="utf-8").splitlines(keepends=True)
    (study / "outcomes.csv").write_text("".join(lines[:-1]), encoding="utf-8")
    untested = next(row["clip"] for row in rows if row["clip"] in lines[-1])
    with pytest.raises(LearnetError, match=rf"{untested} is in .*, and {study} has not tested it"):
        open_explained_clips(study).get(untested)


def test_missing_and_unfit_weights_are_refused(home: Path, tmp_path: Path) -> None:
    shutil.copytree(home / "learnet", tmp_path / "learnet")
    shutil.rmtree(tmp_path / "learnet" / "folds")
    with pytest.raises(BadInput, match="the fold that tested casme2/01/EP00"):
        open_explained_clips(tmp_path / "learnet").get("casme2/01/EP00")
    other = write_prepared(tmp_path / "other", people=3, clips=6, size=32)
    with pytest.raises(BadCheckpoint, match="28 pixels"):
        open_explained_clips(other, home / "all.safetensors").get("casme2/01/EP00")


def test_a_study_without_its_images_is_refused(home: Path, tmp_path: Path) -> None:
    study = tmp_path / "home" / "learnet"
    shutil.copytree(home / "learnet", study)
    record = study / "study.json"
    description = json.loads(record.read_text())
    description["prepared"]["folder"] = "/nowhere/prepared"
    record.write_text(json.dumps(description))
    with pytest.raises(BadInput, match="images of the study learnet"):
        open_explained_clips(study)
    shutil.copytree(home / "prepared", tmp_path / "home" / "prepared")  # moved along with the study
    open_explained_clips(study)
    description["prepared"]["fingerprint"] = "another"
    record.write_text(json.dumps(description))
    with pytest.raises(BadInput, match="have changed"):
        open_explained_clips(study)
    record.write_text("{}")
    with pytest.raises(BadInput, match="study.json"):
        open_explained_clips(study)


def test_people_whom_the_licence_hides_are_not_shown(tmp_path: Path, home: Path) -> None:
    prepared = write_prepared(tmp_path / "prepared", people=12, clips=2)
    clips = open_explained_clips(prepared, home / "all.safetensors")
    with pytest.raises(LearnetError, match="licence forbids"):
        clips.get("casme2/12/EP00")
    shown = set()
    for name in set(clips.truth.values()):
        shown |= {clip.person for clip in clips.of_class(name)}
    assert len(shown) > 1
    assert "casme2/12" not in shown
