"""Scores of clips with several images: the mean of what the network says of each of them."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from learnet.core.errors import BadInput, LearnetError
from learnet.core.settings import Resources, Study, Training
from learnet.datasets.prepared.store import load_prepared, save_prepared
from learnet.motion.detrend import StoredImages
from learnet.study.evaluate import evaluate
from learnet.study.outcomes import read_outcomes
from learnet.study.run import run_study
from learnet.training.checkpoint import load_checkpoint
from learnet.training.examples import TrainingSet
from learnet.training.scorer import Scorer
from tests.builders.phases import write_coded_folder

BOTH = Training(epochs=1, batch_size=4, phases=True, phases_at_test=True)
ALONE = Resources(jobs=1, device="cpu")


def grey_level(images: np.ndarray) -> np.ndarray:
    """The grey level of each image, 0..1, and what is missing to 1."""
    level = (images[:, 0, 0, 0] + 1) / 2
    return np.stack([level, 1 - level], axis=1)


def test_a_clip_has_the_mean_of_its_images() -> None:
    """Clip 0 of 10, with phases of 30 and 80; clip 1 of 50, with none."""
    grey = np.array([10, 50, 30, 80], np.uint8)[:, None, None, None] * np.ones((28, 28, 3), np.uint8)
    data = TrainingSet(grey[:2], np.array([0, 1]), ["a", "b"], 2, (grey[2:], np.array([0, 0])))
    scorer = Scorer(grey_level, softmax=lambda scores: scores.astype(np.float64))
    both, alone = data.for_test(phases=True).scores(scorer), data.for_test(phases=False).scores(scorer)
    np.testing.assert_allclose(both[:, 0], [40 / 255, 50 / 255], rtol=1e-6)
    np.testing.assert_allclose(alone[:, 0], [10 / 255, 50 / 255], rtol=1e-6)


def test_a_study_has_one_row_per_clip_and_its_scores_are_the_mean(tmp_path: Path) -> None:
    """Of the fold's own weights, on each image by itself; the clips 4 and 7 have no fall."""
    folder = write_coded_folder(tmp_path / "prepared", without=(4, 7))
    study = Study(network="ststnet", classes="casme2-5")
    run_study(folder, tmp_path / "study", study, BOTH, ALONE)
    outcomes = read_outcomes(tmp_path / "study")
    prepared = load_prepared(folder)
    assert sorted(outcome.clip for outcome in outcomes) == sorted(prepared.clips["clip"])
    assert prepared.phases is not None
    for outcome in outcomes:
        row = prepared.clips["clip"].tolist().index(outcome.clip)
        phases, _ = prepared.phases.take([row])
        assert len(phases) == (1 if row in (4, 7) else 2)
        weights = next((tmp_path / "study" / "folds").glob(f"*{outcome.person.split('/')[1]}*.safetensors"))
        scorer = Scorer.from_checkpoint(*load_checkpoint(weights))
        of_images = [scorer.scores(StoredImages(image[None])) for image in (prepared.images[row], *phases)]
        np.testing.assert_allclose(outcome.scores, np.mean(of_images, axis=0)[0], atol=1e-5)


def test_weights_that_average_phases_need_them(tmp_path: Path) -> None:
    folder = write_coded_folder(tmp_path / "prepared")
    study = Study(network="ststnet", classes="casme2-5")
    run_study(folder, tmp_path / "study", study, BOTH, ALONE)
    weights = next((tmp_path / "study" / "folds").glob("*.safetensors"))
    evaluate(folder, weights, tmp_path / "evaluated", "casme2-5")
    assert len(read_outcomes(tmp_path / "evaluated")) == 12
    there = load_prepared(folder)
    alone = save_prepared(tmp_path / "alone", there.images, there.clips, there.record, []).folder
    with pytest.raises(BadInput, match="no images of phases, and these weights average"):
        evaluate(alone, weights, tmp_path / "refused", "casme2-5")


def test_phases_are_trained_on_where_they_are_tested() -> None:
    with pytest.raises(LearnetError, match="phases_at_test needs phases"):
        replace(BOTH, phases=False)
