"""Scores of spotting logs: every convention by brute force, published logs, average precision, intervals."""

import csv
import io
import json
from collections import Counter
from collections.abc import Sequence
from itertools import permutations
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score

from learnet.core.errors import LearnetError
from learnet.metrics.spotting.conventions import (
    Convention,
    all_conventions,
    average_precision,
    count,
    f1_intervals,
    score_counts,
)
from learnet.metrics.spotting.intervals import Interval
from learnet.metrics.spotting.score import score_spotting, spotting_to_csv, spotting_to_json
from tests.builders.commands import learnet

LOG = (
    "006_1,0,9,0,9,TP\n006_1,20,29,,,FN\n006_1,,,100,109,FP\n"
    "006_2,0,199,0,99,TP\n007_1,50,59,,,FN\n"
)  # fmt: skip


def write(folder: Path, text: str, name: str = "log.csv") -> Path:
    (folder / name).write_text(text, encoding="utf-8")
    return folder / name


def interval(video: str, onset: int, offset: int, **fields: Any) -> Interval:
    return Interval(video, float(onset), float(offset), **fields)


def frames(interval: Interval) -> set[int]:
    return set(range(int(interval.onset), int(interval.offset) + 1))


def is_hit(event: Interval, prediction: Interval, convention: Convention) -> bool:
    """The definition, by sets of frames and by lengths."""
    shared = len(frames(event) & frames(prediction))
    united = len(frames(event) | frames(prediction))
    if not convention.inclusive:
        shared = max(min(event.offset, prediction.offset) - max(event.onset, prediction.onset), 0)
        united = event.offset - event.onset + prediction.offset - prediction.onset - shared
    enough = 2 * shared > united if convention.strict else 2 * shared >= united and shared > 0
    return (
        enough and event.video == prediction.video and (not convention.typed or event.kind == prediction.kind)
    )


def brute_force(
    events: Sequence[Interval], predictions: Sequence[Interval], convention: Convention
) -> list[int]:
    """Hits, false alarms and misses; one to one by trying every assignment."""
    if convention.matching == "one to one":
        slots = [*predictions, *([None] * len(events))]
        hits = 0
        for chosen in permutations(slots, len(events)):
            pairs = [(event, other) for event, other in zip(events, chosen, strict=True) if other is not None]
            hits = max(hits, sum(is_hit(event, other, convention) for event, other in pairs))
        return [hits, len(predictions) - hits, len(events) - hits]
    hit_events = [any(is_hit(event, other, convention) for other in predictions) for event in events]
    hit_predictions = [any(is_hit(event, other, convention) for event in events) for other in predictions]
    hits = sum(hit_events) if convention.matching == "events" else sum(hit_predictions)
    return [hits, len(predictions) - sum(hit_predictions), len(events) - sum(hit_events)]


INTERVAL = st.builds(
    lambda video, onset, length, kind: interval(video, onset, onset + length, kind=kind, person=video[0]),
    st.sampled_from(["a1", "a2", "b1"]),
    st.integers(0, 12),
    st.integers(1, 8),
    st.sampled_from(["micro", "macro"]),
)


@settings(max_examples=60)
@given(st.lists(INTERVAL, max_size=3), st.lists(INTERVAL, max_size=3))
def test_every_convention_by_brute_force(events: list[Interval], predictions: list[Interval]) -> None:
    for convention in all_conventions(typed=True):
        counts = count(events, predictions, convention, ["a", "b"])
        expected = brute_force(events, predictions, convention)
        assert counts[:, 0].sum(axis=0).tolist() == expected, convention.name
        # Every event and prediction is of one of the two kinds.
        assert (counts[:, 1:].sum(axis=1) == counts[:, 0]).all()


def test_rates_of_counts_by_hand() -> None:
    counts = np.array([[[3, 1, 2], [2, 1, 0], [1, 0, 2]], [[0, 0, 4], [0, 0, 4], [0, 0, 0]]])
    whole, macro, micro = score_counts(counts, with_kinds=True)
    assert (whole.hits, whole.false_alarms, whole.misses) == (3, 1, 6)
    assert (whole.precision, whole.recall, whole.f1) == pytest.approx((3 / 4, 3 / 9, 6 / 13))
    assert (macro.f1, micro.f1) == pytest.approx((4 / 9, 2 / 4))
    assert len(score_counts(counts, with_kinds=False)) == 1
    assert score_counts(counts[:1], with_kinds=True)[0].low is None


def test_intervals_of_people_who_agree_have_no_width_and_others_reach_both() -> None:
    same = np.tile([[[2, 1, 1]] * 3], (5, 1, 1))
    assert f1_intervals(same) == pytest.approx(np.full((3, 2), 2 / 3))
    opposite = np.array([[[4, 0, 0]] * 3, [[0, 4, 4]] * 3])
    assert f1_intervals(opposite) == pytest.approx(np.tile([0.0, 1.0], (3, 1)))


SCORED = st.lists(st.tuples(st.booleans(), st.sampled_from([0.1, 0.3, 0.5, 0.9])), min_size=1, max_size=12)


@given(SCORED, st.integers(0, 4))
def test_average_precision_equals_that_of_scikit_learn(scored: list[tuple[bool, float]], missed: int) -> None:
    """Predictions that hit one event each, or none. Recall counts events that nothing finds, too."""
    events, predictions = [], []
    for position, (hits, score) in enumerate(scored):
        found_interval = interval("v", 100 * position, 100 * position + 10, score=score)
        predictions.append(found_interval)
        if hits:
            events.append(found_interval)
    hits = len(events)
    events += [interval("w", 100 * position, 100 * position + 10) for position in range(missed)]
    found = average_precision(events, predictions)
    if not events:
        assert found is None
        return
    truth = [hit for hit, _ in scored]
    reference = average_precision_score(truth, [score for _, score in scored]) if hits else 0.0
    assert found == pytest.approx(reference * hits / len(events))


def test_of_two_predictions_on_one_event_the_second_is_a_false_alarm() -> None:
    event = interval("v", 0, 10)
    pair = [interval("v", 0, 9, score=0.9), interval("v", 0, 10, score=0.5)]
    other = interval("v", 50, 60)
    late = interval("v", 50, 60, score=0.1)
    # Precision is 1 at the first hit and 2/3 at the second.
    assert average_precision([event, other], [*pair, late]) == pytest.approx((1 + 2 / 3) / 2)
    assert average_precision([event], [interval("v", 0, 9)]) is None


def f1_of(report: object, **choice: object) -> list[float]:
    """F1 of all, macro and micro under the one convention with these fields."""
    chosen = [
        scores
        for scores in report.conventions  # type: ignore[attr-defined]
        if all(getattr(scores.convention, name) == value for name, value in choice.items())
    ]
    assert len(chosen) == 1
    return [kind.f1 for kind in chosen[0].kinds]


@pytest.mark.parametrize(
    ("name", "fps", "flagged", "typed"),
    [
        ("of_fd_samm_lv.csv", 200.0, [0.3638], [0.302, 0.373, 0.100]),
        ("of_fd_casme_sq.csv", 30.0, [0.3727], [0.346, 0.402, 0.068]),
    ],
)
def test_published_logs(
    shared: Path, name: str, fps: float, flagged: list[float], typed: list[float]
) -> None:
    """The scores that the authors' own flags give, and those where the type must agree."""
    log = shared / "real" / "spotting" / name
    if not log.is_file():
        pytest.skip(f"{log} is missing")
    report = score_spotting(log, fps=fps)
    assert f1_of(report, flagged=True, typed=False)[:1] == pytest.approx(flagged, abs=5e-5)
    assert f1_of(report, flagged=True, typed=True) == pytest.approx(typed, abs=5e-4)
    as_authors = {"flagged": False, "inclusive": True, "strict": False, "matching": "events"}
    assert f1_of(report, typed=False, **as_authors)[0] == pytest.approx(flagged[0], abs=0.006)
    kinds = Counter(event.kind for event in report.log.events)
    assert kinds == ({"macro": 343, "micro": 159} if fps == 200 else {"macro": 300, "micro": 57})
    assert not [finding for finding in report.findings if finding.serious]


def test_flags_are_scored_beside_the_intervals(tmp_path: Path) -> None:
    """At 200 fps the second hit is of another type: a prediction of 100 frames for an event of 200."""
    report = score_spotting(write(tmp_path, LOG), fps=200.0)
    assert f1_of(report, flagged=True, typed=False)[0] == pytest.approx(4 / 7)
    assert f1_of(report, flagged=True, typed=True)[0] == pytest.approx(2 / 7)
    assert f1_of(report, flagged=False, typed=True, inclusive=True, strict=False, matching="one to one")[
        0
    ] == pytest.approx(2 / 7)
    # Half of the longer one: a hit at 0.5 or above, and none strictly above.
    assert f1_of(report, flagged=False, typed=False, inclusive=True, strict=True, matching="one to one")[
        0
    ] == pytest.approx(2 / 7)
    assert report.people == ("006", "007")


def test_without_a_frame_rate_no_types_are_scored(tmp_path: Path) -> None:
    report = score_spotting(write(tmp_path, LOG))
    assert len(report.conventions) == 12 + 1
    assert not any(scores.convention.typed for scores in report.conventions)


@pytest.mark.parametrize("fps", [0.0, -1.0, 1e-300, 1e300, 1e999, float("nan")])
def test_rates_that_no_video_has_are_refused(tmp_path: Path, fps: float) -> None:
    with pytest.raises(LearnetError, match="--fps.* is no frame rate"):
        score_spotting(write(tmp_path, LOG), fps=fps)


def test_csv_and_json_have_every_number(tmp_path: Path) -> None:
    report = score_spotting(write(tmp_path, LOG), fps=200.0)
    rows = list(csv.DictReader(io.StringIO(spotting_to_csv(report))))
    assert len(rows) == (24 + 2) * 3
    content = json.loads(spotting_to_json(report))
    for row in rows:
        named = [item for item in content["conventions"] if item["name"] == row["convention"]]
        assert len(named) == 1
        f1 = float(row["f1"]) if row["f1"] else None
        assert named[0]["kinds"][row["kind"]]["f1"] == f1
    assert (content["videos"], content["people"], content["events"], content["predictions"]) == (3, 2, 4, 3)


def test_command(tmp_path: Path) -> None:
    log = write(tmp_path, LOG)
    table, scores = tmp_path / "s.csv", tmp_path / "s.json"
    said = learnet("score-spotting", log, "--fps", 200, "--csv", table, "--json", scores).stdout
    assert "as the log itself counts them" in said and f"-> {table}" in said and f"-> {scores}" in said
    assert "person without a prediction, 1 times: 007" in said
    wrong = write(tmp_path, LOG + "006_1,,,90,80,FP\n", "wrong.csv")
    said = learnet("score-spotting", wrong, code=1).stdout
    assert "onset after offset" in said and "line 6: 006_1" in said
    learnet("score-spotting", wrong, "--no-check")
    error = learnet("score-spotting", tmp_path / "none.csv", code=2).stderr
    assert error.count("\n") == 1 and "there is no such file" in error


def test_what_is_undefined_is_told_as_such(tmp_path: Path) -> None:
    """Without any macro-expression its F1 is 0 divided by 0; without kinds there is no column for them."""
    said = learnet("score-spotting", write(tmp_path, "a_1,0,9,0,9,TP\n"), "--fps", 200).stdout
    assert "–: neither the truth nor the log has a macro-expression." in said
    assert "0.0000" not in said and "begin with, up to the first / or _. 1 person." in said
    report = score_spotting(tmp_path / "log.csv", fps=200.0)
    assert [kind.f1 for kind in report.conventions[0].kinds] == [1.0, None, 1.0]
    said = learnet("score-spotting", tmp_path / "log.csv").stdout
    assert (
        "Conventions: precision and recall" in said and "kinds" not in said.split("Average")[0].split("–")[0]
    )
