"""A network that was trained on level flow is explained on level flow."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from learnet.core.settings import Training
from learnet.datasets.prepared.store import load_prepared
from learnet.report.explain.clips import open_explained_clips
from learnet.training.checkpoint import load_checkpoint
from tests.builders.scores import predict_scores
from tests.study.test_run import write_prepared
from tests.training.test_initial_weights import FACTS, given


def test_the_scores_are_those_of_the_recogniser(tmp_path: Path, rng: np.random.Generator) -> None:
    prepared = load_prepared(write_prepared(tmp_path / "prepared", rng, dataset="own", kind="flow"))
    facts = replace(
        FACTS, data={**FACTS.data, "images_kind": "flow"}, training=Training(mirror="flow", detrend=True)
    )
    weights = given(tmp_path, facts)
    module, _ = load_checkpoint(weights)
    case = open_explained_clips(tmp_path / "prepared", weights, None).get(prepared.clips["clip"].iloc[0])
    wanted = predict_scores(module, prepared.images[:1], "flow", detrend_percentile=100)[0]
    np.testing.assert_allclose(case.scores, wanted, rtol=1e-6)
    assert np.abs(wanted - predict_scores(module, prepared.images[:1], "flow")[0]).max() > 1e-4
