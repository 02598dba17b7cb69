"""Scores of predictions of any origin against scikit-learn, hand-worked cases and the official list."""

import csv
import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sklearn import metrics as reference

from learnet.core.errors import LearnetError
from learnet.core.records import Outcome
from learnet.datasets.readers.megc2019 import CLASSES, PARTS, PUBLISHED
from learnet.metrics.conventions import conventions
from learnet.metrics.megc2019 import OFFICIAL
from learnet.metrics.score import score, scores_to_csv

LIST = (
    "casme2,sub01,EP90_01f,1\r\ncasme2,sub17,EP92_3,0\r\n"
    "smic,s01,s01_ne_91,0\r\nsamm,6,006_1_91,0\r\nsamm,37,037_7_94,2\r\n"
)
SUBJECTS = ("casme2 sub01", "casme2 sub17", "smic s01", "samm 006", "samm 037")
PREDICTIONS = ("EP90_01f 1 1", "EP92_3 0 1", "s01_ne_91 0 0", "006_1_91 0 0", "037_7_94 2 0")
CLIPS = tuple(line.split()[0] for line in PREDICTIONS)

Row = tuple[str, str, str]  # person, true class, predicted class


def log_of(indices: list[int]) -> str:
    return "".join(f"{SUBJECTS[index]}\n{PREDICTIONS[index]}\n" for index in indices)


LOG = log_of([0, 1, 2, 3, 4])


def outcome(person: str, truth: str, prediction: str, clip: int = 0, seed: int = 0) -> Outcome:
    dataset = person.split("/")[0]
    return Outcome("s", person, seed, f"{person}/{clip}", dataset, person, truth, prediction, ())


def by_name(outcomes: list[Outcome]) -> dict[str, dict[str, float]]:
    return {convention.name: convention.values for convention in conventions(outcomes, CLASSES)}


def values(accuracy: float, f1: float, recall: float, precision: float) -> object:
    return pytest.approx({"accuracy": accuracy, "F1": f1, "recall": recall, "precision": precision})


def test_every_average_by_hand() -> None:
    """Person 1: n n p p predicted as n p p p. Person 2: s predicted as n. Worked on paper.

    Pooled: precision n 1/2, p 2/3, s 0; recall 1/2, 1, 0; F1 1/2, 4/5, 0.
    Person 1: precision 1, 2/3, 0; recall 1/2, 1, 0; F1 2/3, 4/5, 0. Person 2: zero, over classes n and s.
    """
    n, p, s = CLASSES
    pairs = [(n, n), (n, p), (p, p), (p, p)]
    outcomes = [outcome("d/1", truth, predicted, clip) for clip, (truth, predicted) in enumerate(pairs)]
    outcomes.append(outcome("d/2", s, n))
    found = by_name(outcomes)
    f1, recall, precision = (1 / 2 + 4 / 5) / 3, (1 / 2 + 1) / 3, (1 / 2 + 2 / 3) / 3
    assert found["pooled, mean over classes"] == values(3 / 5, f1, recall, precision)
    assert found["pooled, precision mistaken for recall"] == values(3 / 5, f1, precision, recall)
    weighted_f1, weighted_precision = (2 / 2 + 2 * 4 / 5) / 5, (2 / 2 + 2 * 2 / 3) / 5
    assert found["pooled, weighted by clips"] == values(3 / 5, weighted_f1, 3 / 5, weighted_precision)
    f1_of_means = 2 * recall * precision / (recall + precision)
    assert found["pooled, F1 of the means"] == pytest.approx({"F1": f1_of_means})
    # Person 2 has zero everywhere, so the mean over people is half of person 1.
    sums = np.array([2 / 3 + 4 / 5, 1 / 2 + 1, 1 + 2 / 3])  # F1, recall, precision of person 1
    assert found["mean over people, all classes"] == values(3 / 8, *(sums / 3 / 2))
    assert found["mean over people, own classes"] == values(3 / 8, *(sums / 2 / 2))
    assert "mean over folds, all classes" not in found
    assert "mean over databases, all classes" not in found


def by_scikit_learn(rows: list[Row], average: str, labels: tuple[str, ...] | None) -> dict[str, float]:
    truth = [row[1] for row in rows]
    predicted = [row[2] for row in rows]
    precision, recall, f1, _ = reference.precision_recall_fscore_support(
        truth, predicted, labels=labels, average=average, zero_division=0
    )
    accuracy = reference.accuracy_score(truth, predicted)
    return {"accuracy": accuracy, "F1": f1, "recall": recall, "precision": precision}


def mean_over_groups(
    rows: list[Row], key: Callable[[Row], str], labels: tuple[str, ...] | None
) -> dict[str, float]:
    scores = []
    for name in sorted({key(row) for row in rows}):
        group = [row for row in rows if key(row) == name]
        scores.append(by_scikit_learn(group, "macro", labels))
    return {value: float(np.mean([score[value] for score in scores])) for value in scores[0]}


ROW = st.tuples(st.sampled_from(["a/1", "a/2", "b/1"]), st.sampled_from(CLASSES), st.sampled_from(CLASSES))


@settings(max_examples=40)
@given(st.lists(ROW, min_size=1, max_size=30))
def test_every_average_equals_scikit_learn(rows: list[Row]) -> None:
    found = by_name([outcome(*row, clip=clip) for clip, row in enumerate(rows)])
    pooled = by_scikit_learn(rows, "macro", CLASSES)
    assert found["pooled, mean over classes"] == pytest.approx(pooled)
    assert found["pooled, weighted by clips"] == pytest.approx(by_scikit_learn(rows, "weighted", CLASSES))
    swapped = found["pooled, precision mistaken for recall"]
    assert swapped == pytest.approx(pooled | {"recall": pooled["precision"], "precision": pooled["recall"]})
    keys: dict[str, Callable[[Row], str]] = {"people": lambda row: row[0], "databases": lambda row: row[0][0]}
    for grouping, key in keys.items():
        several = len({key(row) for row in rows}) > 1
        assert (f"mean over {grouping}, all classes" in found) is several
        if several:
            expected = mean_over_groups(rows, key, CLASSES)
            assert found[f"mean over {grouping}, all classes"] == pytest.approx(expected)
            expected = mean_over_groups(rows, key, None)
            assert found[f"mean over {grouping}, own classes"] == pytest.approx(expected)


def test_folds_have_rows_where_they_are_not_the_people() -> None:
    outcomes = []
    for person in range(5):
        predicted = "negative" if person < 3 else "positive"
        fold = "group-0" if person < 2 else "group-1"
        clip = f"d/{person}/0"
        outcomes.append(Outcome("s", fold, 0, clip, "d", f"d/{person}", "negative", predicted, ()))
    found = by_name(outcomes)
    assert found["mean over folds, all classes"]["accuracy"] == pytest.approx((2 / 2 + 1 / 3) / 2)
    assert found["mean over people, all classes"]["accuracy"] == pytest.approx(3 / 5)


def test_seeds_are_averaged() -> None:
    outcomes = [outcome("d/1", "negative", predicted, seed=seed) for seed, predicted in enumerate(CLASSES)]
    assert by_name(outcomes)["pooled, mean over classes"]["accuracy"] == pytest.approx(1 / 3)


def write(folder: Path, name: str, text: str) -> Path:
    (folder / name).write_text(text, newline="")
    return folder / name


def test_a_log_agrees_with_its_list(tmp_path: Path) -> None:
    """Subjects of SAMM are padded in the log and not in the list, those of SMIC the other way round."""
    listed = write(tmp_path, "list.csv", LIST)
    report = score(write(tmp_path, "x.log", LOG.replace("s01\ns01_ne", "s1\ns1_ne")), listed)
    assert report.check and report.check.agrees
    assert report.check.answered == report.check.listed == 5
    assert report.repeated == ()


def test_missing_unknown_repeated_and_differing_clips_are_named(tmp_path: Path) -> None:
    listed = write(tmp_path, "list.csv", LIST)
    log = LOG.replace("EP92_3 0 1", "EP92_4 0 1").replace("2 0\n", "1 0\n") + "samm 6\n006_1_91 0 2\n"
    report = score(write(tmp_path, "x.log", log), listed)
    assert report.check and not report.check.agrees
    assert report.check.answered == 4
    assert report.check.missing == ("casme2/sub17/EP92_3",)
    assert report.check.unknown == ("casme2/sub17/EP92_4",)
    assert report.check.differ == ("samm/037/037_7_94 is positive here and surprise in the list",)
    assert report.repeated == ("samm/006/006_1_91",)
    assert report.whole.clips == 6


def test_predictions_that_cannot_be_compared_with_the_list(tmp_path: Path) -> None:
    listed = write(tmp_path, "list.csv", LIST)
    with pytest.raises(LearnetError, match="columns dataset and subject"):
        score(write(tmp_path, "x.csv", "clip,truth,prediction\nEP90_01f,1,1\n"), listed)
    with pytest.raises(LearnetError, match="has the classes happiness, disgust"):
        score(write(tmp_path, "x.log", "casme2 sub01\nEP90_01f happiness disgust\n"), listed)


def test_the_official_counts_add_up() -> None:
    for name, (clips, _) in PARTS.items():
        assert sum(OFFICIAL[name].values()) == clips
    for label in CLASSES:
        assert sum(part[label] for part in OFFICIAL.values()) == PUBLISHED[label]


def test_counts_are_compared_with_the_composite_without_a_list(tmp_path: Path) -> None:
    whole = score(write(tmp_path, "x.log", LOG)).counts[-1]
    assert whole.name == "all"
    assert whole.here == {"negative": 3, "positive": 1, "surprise": 1, "clips": 5, "people": 5}
    assert whole.official == {"negative": 250, "positive": 109, "surprise": 83, "clips": 442, "people": 68}
    smic = score(write(tmp_path, "x.log", "smic s1\ns1_ne_01 0 0\n"))
    assert [counts.name for counts in smic.counts] == ["smic"]
    assert score(write(tmp_path, "x.log", "mmew S01\na 0 0\n")).counts == ()
    assert score(write(tmp_path, "x.log", "smic s1\na fear fear\n")).counts == ()


def test_databases_classes_and_intervals(tmp_path: Path) -> None:
    report = score(write(tmp_path, "x.log", LOG))
    casme2, samm, smic = report.databases
    assert (casme2.name, casme2.clips, casme2.people, casme2.absent) == ("casme2", 2, 2, ("surprise",))
    assert (samm.name, samm.clips, samm.people, samm.absent) == ("samm", 2, 2, ("positive",))
    assert (smic.name, smic.clips, smic.people, smic.absent) == ("smic", 1, 1, ("positive", "surprise"))
    assert casme2.values == pytest.approx({"accuracy": 1 / 2, "uf1": (2 / 3) / 3, "uar": 1 / 3})
    negative = report.classes[0]
    assert (negative.name, negative.clips) == ("negative", 3)
    assert [negative.precision, negative.recall, negative.f1] == pytest.approx([2 / 3, 2 / 3, 2 / 3])
    low, high = report.whole.limits["accuracy"]
    assert low <= report.whole.values["accuracy"] == 3 / 5 <= high


def test_without_people_there_are_no_intervals(tmp_path: Path) -> None:
    report = score(write(tmp_path, "x.csv", "clip,truth,prediction\na,1,1\nb,0,1\n"))
    assert report.whole.people is None
    assert report.whole.limits == {}
    assert report.databases == ()


def test_csv_has_every_number(tmp_path: Path) -> None:
    report = score(write(tmp_path, "x.log", LOG))
    rows = list(csv.DictReader(io.StringIO(scores_to_csv(report))))
    found = {(row["database"], row["average"], row["measure"]): float(row["value"]) for row in rows}
    others = sum(len(convention.values) for convention in report.conventions[1:])
    further = 1 + 3 * 3  # MCC; mean, quantile and p by chance of three measures
    assert len(found) == len(rows) == 3 * 4 + 1 + others + further
    expected_mcc = reference.matthews_corrcoef([1, 0, 0, 0, 2], [1, 1, 0, 0, 0])
    assert found["all", "pooled, mean over classes", "mcc"] == pytest.approx(expected_mcc)
    pooled = "pooled, mean over classes"
    assert found["all", pooled, "uf1"] == report.conventions[0].values["F1"] == report.whole.values["uf1"]
    swapped = found["all", "pooled, precision mistaken for recall", "recall"]
    assert found["all", pooled, "precision"] == swapped
    assert found["samm", pooled, "accuracy"] == 1 / 2


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sets(st.integers(0, 4), max_size=4), st.sets(st.integers(0, 4)))
def test_any_set_of_missing_and_repeated_clips_is_named(
    tmp_path: Path, missing: set[int], repeated: set[int]
) -> None:
    present = [index for index in range(5) if index not in missing]
    twice = [index for index in present if index in repeated]
    log = write(tmp_path, "x.log", log_of(present + twice))
    report = score(log, write(tmp_path, "l.csv", LIST))
    assert report.check
    assert [clip.split("/")[2] for clip in report.check.missing] == [
        CLIPS[index] for index in sorted(missing)
    ]
    assert {clip.split("/")[2] for clip in report.repeated} == {CLIPS[index] for index in twice}


@pytest.fixture
def official(shared: Path) -> tuple[Path, list[list[str]]]:
    file = shared / "real" / "combined_3class_gt.csv"
    if not file.is_file():
        pytest.skip("the organisers' list is missing")
    return file, [row for row in csv.reader(file.read_text().splitlines()) if any(row)]


def official_log(rows: list[list[str]], prediction: str | None = None) -> str:
    """Return a log of listed clips with one predicted class, or with the true ones."""
    lines = []
    for dataset, subject, clip, label in rows:
        lines.append(f"{dataset} {subject}\n{clip} {label} {prediction or label}\n")
    return "".join(lines)


def test_the_organisers_own_list(official: tuple[Path, list[list[str]]], tmp_path: Path) -> None:
    """All of 442 clips predicted negative: accuracy 250/442, UF1 and UAR by hand; published counts."""
    listed, rows = official
    report = score(write(tmp_path, "x.log", official_log(rows, "0")), listed)
    assert report.check and report.check.agrees and report.check.answered == 442
    uf1 = 500 / (442 + 250) / 3
    assert report.whole.values == pytest.approx({"accuracy": 250 / 442, "uf1": uf1, "uar": 1 / 3})
    assert len(report.counts) == 4
    assert all(counts.here == counts.official for counts in report.counts)


def test_a_log_of_435_clips_is_caught(official: tuple[Path, list[list[str]]], tmp_path: Path) -> None:
    listed, rows = official
    report = score(write(tmp_path, "x.log", official_log(rows[:200] + rows[207:])), listed)
    assert report.check and report.check.answered == 435
    assert [clip.split("/")[2] for clip in report.check.missing] == [row[2] for row in rows[200:207]]
    assert report.counts[-1].here["clips"] == 435


def test_probabilities_of_a_table_against_scikit_learn(tmp_path: Path) -> None:
    scores = np.random.default_rng(0).dirichlet((1, 1, 1), 12).round(4)
    scores[:, 2] = (1 - scores[:, 0] - scores[:, 1]).round(4)
    truth = np.arange(12) % 3
    lines = ["clip,person,truth,prediction,negative,positive,surprise"]
    for index, row in enumerate(scores):
        lines.append(f"{index},p{index % 4},{truth[index]},{row.argmax()},{row[0]},{row[1]},{row[2]}")
    (tmp_path / "x.csv").write_text("\n".join(lines))
    other = score(tmp_path / "x.csv").other
    assert other.log_loss == pytest.approx(reference.log_loss(truth, scores))
    areas = reference.roc_auc_score(truth == 0, scores[:, 0]) + reference.roc_auc_score(
        truth == 1, scores[:, 1]
    )
    areas += reference.roc_auc_score(truth == 2, scores[:, 2])
    assert other.auc == pytest.approx(areas / 3)
