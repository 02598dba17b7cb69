"""Files that learnet 0.1.0 wrote (tests/fixtures/README.md): every one is read, continued and reported by
today's code."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from learnet.core.errors import OutputTaken
from learnet.core.records import Outcome
from learnet.core.serialisation import read_json, to_json
from learnet.core.settings import Preparation, Resources, Study, Training
from learnet.datasets.prepared.store import load_prepared
from learnet.inference.onnx_inference import load_onnx
from learnet.metrics.study_metrics import StudyMetrics
from learnet.metrics.summary import summarise
from learnet.motion.detrend import StoredImages
from learnet.report.comparison.compare import compare
from learnet.report.page import write_report
from learnet.report.study_checks import check
from learnet.report.study_record import read_record
from learnet.study.candidates import SelectedTraining, read_candidates
from learnet.study.describe import versions
from learnet.study.description import read_description
from learnet.study.evaluate import evaluate
from learnet.study.outcomes import read_outcomes
from learnet.study.run import run_study
from learnet.study.selection import read_selection, select_settings
from learnet.training.checkpoint import load_checkpoint
from learnet.training.scorer import Scorer

FILES = Path(__file__).parents[1] / "fixtures" / "written_by_0_1_0"
STUDIES = ("study-svm", "study-ststnet", "study-choice")
ONE = Resources(jobs=1, device="cpu")
SVM = Study(network="linear-svm", keep_weights=False)
STSTNET = Study(network="ststnet", seeds=2)
NO_MIRROR = Training(mirror="none")  # 0.1.0 trained the support vector machine without mirrored images


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """A copy of the files, whose studies say that they were run with the packages that are installed here."""
    shutil.copytree(FILES, tmp_path / "files")
    for description in (tmp_path / "files").rglob("study.json"):
        content = json.loads(description.read_text())
        content["versions"] = versions()
        description.write_text(json.dumps(content, indent=2) + "\n")
    return tmp_path / "files"


def bytes_of(folder: Path) -> dict[str, bytes]:
    """Every file of a folder but its lock, study.json, whose keys have other names today, and metrics.json,
    which is computed again with wider intervals and more measures."""
    contents = {}
    for file in folder.rglob("*"):
        if file.is_file() and file.name not in (".lock", "study.json", "choice.json", "metrics.json"):
            contents[str(file.relative_to(folder))] = file.read_bytes()
    return contents


def test_the_prepared_folder() -> None:
    prepared = load_prepared(FILES / "prepared")
    assert prepared.images.shape == (24, 28, 28, 3) and len(prepared.clips) == 24
    assert prepared.record.preparation == Preparation(size=28, normalise="joint-minmax")
    assert prepared.record.synthetic_extent == "yes" and prepared.record.people == 4
    assert prepared.phases and len(prepared.phases.clips) == prepared.record.phases.images == 48
    text = (FILES / "prepared" / "prepare.json").read_text()
    renamed = text.replace('"steady"', '"stabilise"').replace('"still_flow"', '"remove_global_motion"')
    assert to_json(prepared.record, ensure_ascii=False) == renamed


@pytest.mark.parametrize("name", STUDIES)
def test_studies_are_described_as_they_were(name: str) -> None:
    """study.json with the names of today has the same values in the same order."""
    text = (FILES / name / "study.json").read_text()
    for earlier, today in (
        ("batch", "batch_size"), ("level", "detrend"), ("stretch", "clipping_percentile"), ("mix", "mixup"),
        ("vary_stretch", "vary_clipping"), ("from_", "init"), ("keep_start", "interpolate_init"),
        ("learn_from", "train_people"), ("steady", "stabilise"), ("still_flow", "remove_global_motion"),
    ):  # fmt: skip
        text = text.replace(f'"{earlier}":', f'"{today}":')
    assert to_json(read_description(FILES / name).to_plain()) == text


@pytest.mark.parametrize("name", STUDIES)
def test_scores_follow_from_the_outcomes(name: str) -> None:
    stored = read_json(FILES / name / "metrics.json", StudyMetrics)
    assert to_json(stored) == (FILES / name / "metrics.json").read_text()
    computed = summarise(read_outcomes(FILES / name), stored.classes)
    assert computed.seeds.keys() == stored.seeds.keys()
    for measure, score in computed.mean.items():
        assert score.value == pytest.approx(stored.mean[measure].value, abs=1e-12)
    assert all(guarantee.passed for guarantee in check(read_record(FILES / name)))


@pytest.mark.parametrize(
    ("name", "study", "training"),
    [("study-svm", SVM, NO_MIRROR), ("study-ststnet", STSTNET, Training(epochs=4))],
)
def test_a_study_with_one_seed_for_all_folds_is_not_continued(
    files: Path, name: str, study: Study, training: Training
) -> None:
    before = bytes_of(files / name)
    with pytest.raises(OutputTaken, match="it differs in seeding .*An earlier version made it"):
        run_study(files / "prepared", files / name, study, training, ONE)
    with pytest.raises(OutputTaken, match="training.epochs"):
        run_study(files / "prepared", files / name, study, replace(training, epochs=5), ONE)
    assert bytes_of(files / name) == before


def test_a_study_that_says_nothing_of_detrending_is_recognised(files: Path) -> None:
    """Versions before 0.1.0 had neither setting, and their images stayed as they were."""
    file = files / "study-ststnet" / "study.json"
    content = json.loads(file.read_text())
    for name in ("level", "stretch"):
        del content["training"][name]
    file.write_text(json.dumps(content))
    training = read_description(files / "study-ststnet").training
    assert training and (training.detrend, training.clipping_percentile) == (False, 100)
    with pytest.raises(OutputTaken, match="it differs in seeding") as refusal:
        run_study(files / "prepared", files / "study-ststnet", STSTNET, Training(epochs=4), ONE)
    assert "detrend" not in str(refusal.value) and "clipping" not in str(refusal.value)


def test_the_mirrored_images_of_the_support_vector_machine_make_another_study(files: Path) -> None:
    with pytest.raises(OutputTaken, match='training.mirror \\(there "none"'):
        run_study(files / "prepared", files / "study-svm", SVM, Training(), ONE)


def test_the_same_studies_again(files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From the prepared folder: the support vector machine to the byte, the network within rounding, if the
    seed of the study is that of every fold and purpose, as it was."""
    monkeypatch.setattr("learnet.study.jobs.fold_seed", lambda seed, fold: seed)
    for module in ("train", "schedule"):
        monkeypatch.setattr(f"learnet.training.{module}.purpose_seed", lambda seed, purpose: seed)
    run_study(files / "prepared", files / "new" / "study-svm", SVM, NO_MIRROR, ONE)
    again = (files / "new" / "study-svm" / "outcomes.csv").read_bytes()
    assert again == (FILES / "study-svm" / "outcomes.csv").read_bytes()
    run_study(files / "prepared", files / "new" / "study-ststnet", STSTNET, Training(epochs=4), ONE)
    again = pd.read_csv(files / "new" / "study-ststnet" / "outcomes.csv")
    before = pd.read_csv(FILES / "study-ststnet" / "outcomes.csv")
    pd.testing.assert_frame_equal(again, before, rtol=0, atol=2e-4)


def test_the_selection_and_the_study_with_it(files: Path) -> None:
    selection = read_selection(files / "choice")
    assert selection.candidates["mixed"].mixup == 0.4
    assert selection.selected == {"group-0": "plain", "group-1": "plain", "group-2": "plain"}
    study = Study(network="ststnet", keep_weights=False)
    settings = SelectedTraining(selection)
    with pytest.raises(OutputTaken, match="it differs in seeding .*An earlier version made it"):
        run_study(files / "prepared", files / "study-choice", study, settings, ONE)
    run_study(files / "prepared", files / "new", study, settings, ONE)
    assert read_description(files / "new").choice == selection
    compared = read_candidates(files / "candidates.toml", Training(epochs=2))
    groups = Study(network="ststnet", protocol="groups", groups=3, keep_weights=False)
    with pytest.raises(OutputTaken, match="it differs in seeding .*An earlier version made it"):
        select_settings(files / "prepared", files / "choice", compared, groups, ONE)


def test_weights_predict_what_the_exported_network_predicts(files: Path) -> None:
    images = StoredImages(load_prepared(files / "prepared").images)
    module, metadata = load_checkpoint(files / "ststnet.safetensors")
    assert metadata.training and metadata.training.epochs == 4 and metadata.network == "ststnet"
    assert metadata.people == {f"casme2/0{number}" for number in range(1, 5)}
    scorer = Scorer.from_module(module, metadata.mirror, metadata.detrend_percentile)
    pytest.importorskip("onnxruntime")
    exported, same = load_onnx(files / "ststnet.onnx")
    assert same == metadata
    np.testing.assert_allclose(exported.scores(images), scorer.scores(images), atol=1e-5)


def test_weights_are_evaluated(files: Path) -> None:
    metrics = evaluate(files / "prepared", files / "ststnet.safetensors", files / "evaluated")
    outcomes = read_outcomes(files / "evaluated")
    right = np.mean([outcome.truth == outcome.prediction for outcome in outcomes])
    assert metrics.mean["accuracy"].value == pytest.approx(right)
    assert read_description(files / "evaluated").protocol == "leaky-evaluation"


def test_weights_of_a_fold_give_its_outcomes(files: Path) -> None:
    """The checkpoint that the study kept for the first fold, on the clips that the fold tests."""
    module, metadata = load_checkpoint(files / "study-ststnet" / "folds" / "casme2-01-seed0.safetensors")
    expected: dict[str, Outcome] = {}
    for outcome in read_outcomes(files / "study-ststnet"):
        if outcome.fold == "casme2/01" and outcome.seed == 0:
            expected[outcome.clip] = outcome
    prepared = load_prepared(files / "prepared")
    rows = [row for row, clip in enumerate(prepared.clips["clip"]) if clip in expected]
    scorer = Scorer.from_module(module, metadata.mirror, metadata.detrend_percentile)
    scores = scorer.scores(StoredImages(prepared.take(rows)))
    wanted = [expected[clip].scores for clip in prepared.clips["clip"].iloc[rows]]
    assert len(wanted) == 5
    np.testing.assert_allclose(scores, wanted, atol=2e-6)


def test_reports_and_comparison(files: Path) -> None:
    studies = [files / name for name in STUDIES]
    page = write_report(studies[:2], files / "report.html", explained=1).read_text(encoding="utf-8")
    assert (
        "study-svm" in page
        and "study-ststnet" in page
        and "reproduced" in page.lower()
        or "recomputed" in page
    )
    alone = write_report([studies[2]], files / "selection.html", explained=0).read_text(encoding="utf-8")
    assert "2 candidates, 3 groups" in alone
    comparison = compare([studies[0], studies[1]])
    assert [record.network_name for record in comparison.records] == ["linear-svm", "ststnet"]
