"""A network that was trained on images without planar trend is explained on such images."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from learnet.core.settings import Training
from learnet.datasets.prepared.store import load_prepared
from learnet.motion.detrend import EvaluationImages, StoredImages
from learnet.report.explain.clips import open_explained_clips
from learnet.study.evaluate import evaluate
from learnet.study.outcomes import read_outcomes
from learnet.training.checkpoint import load_checkpoint
from learnet.training.scorer import Scorer
from tests.builders.explained import METADATA, write_checkpoint
from tests.study.test_run import WORDS, write_prepared


def test_the_scores_are_those_of_the_recogniser(tmp_path: Path, rng: np.random.Generator) -> None:
    prepared = load_prepared(write_prepared(tmp_path / "prepared", rng, dataset="own", kind="flow"))
    metadata = replace(
        METADATA,
        data={**METADATA.data, "images_kind": "flow"},
        training=Training(mirror="flow", detrend=True, clipping_percentile=100),
    )
    weights = write_checkpoint(tmp_path, metadata)
    module, _ = load_checkpoint(weights)
    clip = open_explained_clips(tmp_path / "prepared", weights).get(prepared.clips["clip"].iloc[0])
    images = StoredImages(prepared.images[:1])
    expected = Scorer.from_module(module, "flow", detrend_percentile=100).scores(images)[0]
    with_trend = Scorer.from_module(module, "flow").scores(images)[0]
    np.testing.assert_allclose(clip.scores, expected, rtol=1e-6)
    assert np.abs(expected - with_trend).max() > 1e-4


def test_the_scores_are_those_of_evaluate_with_many_views(tmp_path: Path, rng: np.random.Generator) -> None:
    """The views are shifts at two clipping percentiles, of which the explained image shows one."""
    folder = write_prepared(tmp_path / "prepared", rng, dataset="own", kind="flow")
    metadata = replace(
        METADATA,
        classes=tuple(sorted(WORDS)),
        data={**METADATA.data, "images_kind": "flow"},
        training=Training(mirror="flow", detrend=True, clipping_percentile=100, views_at_test="many"),
    )
    weights = write_checkpoint(tmp_path, metadata)
    evaluate(folder, weights, tmp_path / "evaluated")
    clips = open_explained_clips(folder, weights)
    outcomes = read_outcomes(tmp_path / "evaluated")
    assert len(outcomes) == 12
    for outcome in outcomes:
        clip = clips.get(outcome.clip)
        np.testing.assert_allclose(clip.scores, outcome.scores, atol=2e-6)
        one_percentile = Scorer.from_checkpoint(clip.module, metadata).scores(
            EvaluationImages(clip.image[None])
        )
        assert np.abs(one_percentile[0] - outcome.scores).max() > 1e-4
