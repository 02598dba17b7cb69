"""Which network may explain which clip, and the plates that come of it."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from learnet.cli import app, console
from learnet.core.errors import BadCheckpoint, BadInput, LearnetError
from learnet.core.settings import Resources, Study, Training
from learnet.datasets.prepared.store import load_prepared
from learnet.report.explain import figures as tell
from learnet.report.explain.activation_figures import write_figures
from learnet.report.explain.clips import open_explained_clips
from learnet.report.explain.face_regions import face_placement
from learnet.report.explain.figures import (
    attribution_figures,
    class_figures,
    clip_figures,
    explain_clip_temporal,
    measurement_figures,
    network_figures,
)
from learnet.study.outcomes import read_outcomes
from learnet.study.run import run_study
from learnet.study.train_on_all import train_on_all
from learnet.training.checkpoint import load_checkpoint, save_checkpoint
from tests.builders.written_study import read_truth, write_prepared

BRIEF = Training(epochs=1, augment="none", mirror_at_test=False)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A prepared folder of noise, two studies over it, and weights that know everybody."""
    place = tmp_path_factory.mktemp("explain")
    prepared = write_prepared(place / "prepared", people=3, clips=6)
    for network in ("learnet", "ststnet"):
        run_study(prepared, place / network, Study(network=network, classes="auto"), BRIEF, Resources(jobs=1))
    train_on_all(prepared, Study(), BRIEF).save(place / "all.safetensors")
    return place


def test_a_clip_is_explained_by_the_fold_that_tested_its_person(place: Path) -> None:
    """The scores are the study's own answers, and the person is not among those the network has learned from."""
    cases = open_explained_clips(place / "learnet")
    for outcome in read_outcomes(place / "learnet")[::5]:
        case = cases.get(outcome.clip)
        np.testing.assert_allclose(case.scores, outcome.scores, atol=2e-6)
        assert case.truth == outcome.truth and case.prediction == outcome.prediction and not case.notes
        assert case.person not in case.metadata.data["people"].splitlines()
        row = load_prepared(place / "prepared").clips.query("clip == @outcome.clip").index[0]
        np.testing.assert_array_equal(case.image, load_prepared(place / "prepared").images[row])


def test_weights_that_know_the_person_are_told_or_refused(place: Path, tmp_path: Path) -> None:
    clip = "casme2/01/EP00"
    assert (
        "has learned from casme2/01"
        in open_explained_clips(place / "prepared", place / "all.safetensors").get(clip).notes[0]
    )
    shutil.copytree(place / "learnet", tmp_path / "learnet")
    shutil.copy(place / "all.safetensors", tmp_path / "learnet" / "folds" / "casme2-01-seed0.safetensors")
    about = json.loads((tmp_path / "learnet" / "study.json").read_text())
    with pytest.raises(BadInput, match="should not know"):
        open_explained_clips(tmp_path / "learnet").get(clip)
    (tmp_path / "learnet" / "study.json").write_text(json.dumps({**about, "protocol": "leaky-clips"}))
    assert open_explained_clips(tmp_path / "learnet").get(clip).notes


@pytest.mark.parametrize(
    ("source", "weights", "seed", "said"),
    [
        ("prepared", None, None, "no network"),
        ("learnet", "all.safetensors", None, "own weights"),
        ("learnet", None, 7, "no run with seed 7. It has 0"),
        ("nowhere", None, None, "no such folder"),
    ],
)
def test_what_cannot_be_opened(
    place: Path, source: str, weights: str | None, seed: int | None, said: str
) -> None:
    with pytest.raises(LearnetError, match=said):
        open_explained_clips(place / source, place / weights if weights else None, seed)


def test_clips_and_classes_that_are_not_there(place: Path) -> None:
    cases = open_explained_clips(place / "learnet")
    with pytest.raises(LearnetError, match="Did you mean 'casme2/01/EP0"):
        cases.get("casme2/01/EP0")
    with pytest.raises(LearnetError, match=r"no clip of class 'fear'.*others \(\d+\)"):
        cases.of_class("fear")
    assert {case.truth for case in cases.of_class("others")} == {"others"}
    assert [cases.truth[clip] for clip in cases.examples()] == sorted(set(cases.truth.values()))


def test_a_clip_that_a_study_did_not_answer_says_why(tmp_path: Path) -> None:
    """It is in the prepared folder: outside the class scheme with its label, or not tested, which is another thing."""
    prepared = write_prepared(tmp_path / "prepared", people=3, clips=6)
    run_study(
        prepared, tmp_path / "three", Study(network="majority", classes="megc-3"), BRIEF, Resources(jobs=1)
    )
    emotions = {row["clip"]: row["emotion"] for row in read_truth(prepared)}
    outside = next(clip for clip, emotion in emotions.items() if emotion == "others")
    for seen in (
        lambda clip: open_explained_clips(tmp_path / "three").get(clip),
        lambda clip: explain_clip_temporal(open_explained_clips(tmp_path / "three"), clip),
    ):
        with pytest.raises(
            LearnetError, match=rf"{outside} .*labelled 'others'.* scheme megc-3 .*leaves .* out"
        ):
            seen(outside)
    answers = (tmp_path / "three" / "outcomes.csv").read_text(encoding="utf-8").splitlines(keepends=True)
    (tmp_path / "three" / "outcomes.csv").write_text("".join(answers[:-1]), encoding="utf-8")
    untested = next(clip for clip in emotions if clip in answers[-1])
    with pytest.raises(
        LearnetError, match=rf"{untested} is in .*, and {tmp_path / 'three'} has not tested it"
    ):
        open_explained_clips(tmp_path / "three").get(untested)


def test_weights_that_are_gone_or_do_not_fit(place: Path, tmp_path: Path) -> None:
    shutil.copytree(place / "learnet", tmp_path / "learnet")
    shutil.rmtree(tmp_path / "learnet" / "folds")
    with pytest.raises(BadInput, match="weights of the fold that tested casme2/01/EP00 are gone"):
        open_explained_clips(tmp_path / "learnet").get("casme2/01/EP00")
    other = write_prepared(tmp_path / "other", people=3, clips=6, size=32)
    with pytest.raises(BadCheckpoint, match="takes images of 28 pixels"):
        open_explained_clips(other, place / "all.safetensors").get("casme2/01/EP00")


def test_a_study_without_its_images(place: Path, tmp_path: Path) -> None:
    shutil.copytree(place / "learnet", tmp_path / "home" / "learnet")
    record = tmp_path / "home" / "learnet" / "study.json"
    about = json.loads(record.read_text())
    about["prepared"]["folder"] = "/nowhere/prepared"
    record.write_text(json.dumps(about))
    with pytest.raises(BadInput, match="images of the study learnet are gone"):
        open_explained_clips(record.parent)
    shutil.copytree(place / "prepared", tmp_path / "home" / "prepared")  # moved along with the study
    open_explained_clips(record.parent)
    about["prepared"]["fingerprint"] = "another"
    record.write_text(json.dumps(about))
    with pytest.raises(BadInput, match="have changed"):
        open_explained_clips(record.parent)
    record.write_text("{}")
    with pytest.raises(BadInput, match="not the record of a study"):
        open_explained_clips(record.parent)


def test_nobody_is_shown_whom_the_licence_hides(tmp_path: Path, place: Path) -> None:
    prepared = write_prepared(tmp_path / "prepared", people=12, clips=2)
    cases = open_explained_clips(prepared, place / "all.safetensors")
    with pytest.raises(LearnetError, match="licence forbids"):
        cases.get("casme2/12/EP00")
    assert "casme2/12" not in {
        case.person for name in sorted(set(cases.truth.values())) for case in cases.of_class(name)
    }


def test_the_plates_of_a_clip(place: Path, tmp_path: Path) -> None:
    """Every figure has its numbers, and these are the network's."""
    case = open_explained_clips(place / "learnet").get("casme2/01/EP00")
    plates = clip_figures(case)
    assert set(plates) == {
        "network",
        "mosaic",
        *(f"accretion-{pair}-{level}" for pair in ("one", "two") for level in (1, 2)),
    }
    files = write_figures(tmp_path / "out", plates)
    assert all(
        file.with_suffix(suffix).stat().st_size > 500 for file in files for suffix in (".png", ".svg", ".csv")
    )
    table = pd.read_csv(tmp_path / "out" / "accretion-one-1.csv")
    np.testing.assert_allclose(table["plain"] + table["accreting"], table["accretion"], rtol=1e-4, atol=1e-6)
    mosaic = plates["mosaic"].table
    assert mosaic["map"].nunique() == 16 and len(mosaic) == 16 * 7 * 7
    assert plates["network"].table["stage"].nunique() == 1 + 12 + 4 + 3


def test_the_plates_of_where_it_looked(place: Path) -> None:
    """Noise has no face, so there are no regions; with a face there are, and their shares add up for each method."""
    case = open_explained_clips(place / "ststnet").get("casme2/01/EP00")
    plates = attribution_figures(case)
    assert set(plates) == {"where", "checks"}
    assert len(plates["where"].table) == 3 * 28 * 28 and set(plates["checks"].table["way"]) == {
        "deletion",
        "insertion",
    }
    regions = attribution_figures(replace(case, where=face_placement("given", 28)))["regions"].table
    np.testing.assert_allclose(regions.groupby("method")["share"].sum(), 1)


def test_the_plate_of_a_class_is_the_mean_over_its_clips(place: Path) -> None:
    cases = open_explained_clips(place / "learnet").of_class("others")
    table = class_figures(cases, "stem")["class"].table
    each = np.mean(
        [case.module.stages(_as(case.image))["stem"][0].detach().numpy() for case in cases], axis=0
    )
    which = int(table["map"].iloc[0])
    np.testing.assert_allclose(
        table[table["map"] == str(which)]["value"].to_numpy().reshape(14, 14), each[which], atol=1e-6
    )


def _as(image: np.ndarray):
    from learnet.networks import as_input

    return as_input(image[None])


def test_networks_side_by_side(place: Path, tmp_path: Path) -> None:
    sources = [(name, open_explained_clips(place / name)) for name in ("learnet", "ststnet")]
    plate = network_figures(sources, ["casme2/01/EP00", "casme2/02/EP01"])["networks"]
    assert set(plate.table["network"]) == {"learnet", "ststnet"} and plate.table["clip"].nunique() == 2
    assert len(network_figures(sources, [])["networks"].figure.axes) == 5 * len(sources[0][1].examples())
    assert "not known" in plate.figure.get_suptitle()  # noise has no face
    other = write_prepared(tmp_path / "prepared", people=3, clips=6, seed=5)
    run_study(other, tmp_path / "other", Study(network="majority"), BRIEF, Resources(jobs=1))
    with pytest.raises(LearnetError, match="study of other images"):
        network_figures([sources[0], ("other", open_explained_clips(tmp_path / "other"))], [])


def test_weights_that_cannot_be_measured_together(place: Path, tmp_path: Path) -> None:
    module, facts = load_checkpoint(place / "all.safetensors")
    save_checkpoint(tmp_path / "imported.safetensors", module, replace(facts, preparation=None))
    with pytest.raises(BadCheckpoint, match="how its images were made is not known"):
        measurement_figures([tmp_path / "imported.safetensors"], 1)
    assert facts.preparation is not None
    save_checkpoint(
        tmp_path / "linear.safetensors",
        module,
        replace(facts, preparation=replace(facts.preparation, motion="dynamic-linear")),
    )
    with pytest.raises(BadCheckpoint, match="other images than"):
        measurement_figures([place / "all.safetensors", tmp_path / "linear.safetensors"], 1)
    with pytest.raises(LearnetError, match="Name checkpoints"):
        measurement_figures([], 1)


def test_measuring_one_stranger(
    place: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """One person has no interval: neither in the numbers, nor in the figure, nor in the terminal."""
    measured = []

    def measure_and_keep(*asked: object) -> object:
        measured.append(measurement_figures(*asked))
        return measured[-1]

    monkeypatch.setattr(tell, "measurement_figures", measure_and_keep)
    words = [
        "explain",
        "measure",
        str(place / "all.safetensors"),
        "--out",
        str(tmp_path / "out"),
        "--people",
        "1",
    ]
    monkeypatch.setattr(console.out, "width", 200)
    app(words, exit_on_error=False, result_action="return_value")
    out = capsys.readouterr().out
    assert "no interval: one person" in out and "[" not in out
    (plates,) = measured
    assert plates["measured"].table[["low", "high"]].isna().all(axis=None)
    assert plates["measured"].figure.get_supxlabel().endswith("no interval: one person")
    found, clips = plates["measured"].table, plates["measured-clips"].table
    assert len(clips) == 5 and found["share"].iloc[0] == pytest.approx(clips["share"].mean())
    assert found["look"].iloc[0] == "all, two.accretion_1"
