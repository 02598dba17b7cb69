"""Tables beside scikit-learn and pandas, which count for themselves from outcomes.csv."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.dummy import DummyClassifier
from sklearn.metrics import (
    accuracy_score,
    confusion_matrix,
    f1_score,
    precision_recall_fscore_support,
    recall_score,
)

from learnet.core.records import Finding
from learnet.report import tables
from learnet.report.study_record import StudyRecord, read_records
from tests.builders.written_study import CLASSES, write_prepared, write_study


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    home = tmp_path_factory.mktemp("tables")
    prepared = write_prepared(home / "prepared")
    return [
        write_study(home / "learnet", prepared),
        write_study(home / "svm", prepared, "linear-svm", seeds=(0,), skill=0.4),
    ]


@pytest.fixture(scope="module")
def records(folders: list[Path]) -> list[StudyRecord]:
    return read_records(folders)


@pytest.fixture(scope="module")
def answers(folders: list[Path]) -> list[pd.DataFrame]:
    return [pd.read_csv(folder / "outcomes.csv") for folder in folders]


def test_measures_beside_scikit_learn(records: list[StudyRecord], answers: list[pd.DataFrame]) -> None:
    table = tables.measures(records)
    for row, found in zip(table.itertuples(), answers, strict=True):
        seeds = [part for _, part in found.groupby("seed")]
        average = {"average": "macro", "labels": list(CLASSES), "zero_division": 0}
        accuracy = [accuracy_score(part["truth"], part["prediction"]) for part in seeds]
        assert row.accuracy == pytest.approx(np.mean(accuracy))
        f1 = [f1_score(part["truth"], part["prediction"], **average) for part in seeds]
        recall = [recall_score(part["truth"], part["prediction"], **average) for part in seeds]
        np.testing.assert_allclose([row.UF1, row.UAR], [np.mean(f1), np.mean(recall)])
        assert row.clips == 72 and row.people == 12 and row.seeds == len(seeds)
    right = answers[0]["truth"] == answers[0]["prediction"]
    assert table["accuracy spread"][0] == pytest.approx(right.groupby(answers[0]["seed"]).mean().std())
    assert pd.isna(table["accuracy spread"][1])
    assert (table["UF1 low"] < table["UF1"]).all() and (table["UF1"] < table["UF1 high"]).all()


def test_floor_beside_scikit_learns_dummy(records: list[StudyRecord], answers: list[pd.DataFrame]) -> None:
    truth = answers[1]["truth"]
    said = DummyClassifier(strategy="most_frequent").fit(truth, truth).predict(truth)
    floor = tables.floor(records[0])
    assert floor.emotion == said[0]
    expected = [
        accuracy_score(truth, said),
        *(f(truth, said, average="macro", zero_division=0) for f in (f1_score, recall_score)),
    ]
    assert list(floor.values.values()) == pytest.approx(expected)


def test_classes_beside_scikit_learn(records: list[StudyRecord], answers: list[pd.DataFrame]) -> None:
    for record, found in zip(records, answers, strict=True):
        parts = [
            precision_recall_fscore_support(
                part["truth"], part["prediction"], labels=CLASSES, zero_division=0
            )
            for _, part in found.groupby("seed")
        ]
        table = tables.classes(record)
        np.testing.assert_allclose(
            table[["precision", "recall", "F1"]].iloc[:-1].T, np.mean([part[:3] for part in parts], axis=0)
        )
        np.testing.assert_array_equal(table["clips"].iloc[:-1], parts[0][3])
        mean = table.iloc[-1]
        assert (mean["recall"], mean["F1"]) == pytest.approx(
            tuple(tables.measures([record])[["UAR", "UF1"]].iloc[0])
        )


def test_confusion_beside_scikit_learn(records: list[StudyRecord], answers: list[pd.DataFrame]) -> None:
    for record, found in zip(records, answers, strict=True):
        np.testing.assert_array_equal(
            tables.confused(record), confusion_matrix(found["truth"], found["prediction"], labels=CLASSES)
        )


def test_people_beside_pandas(records: list[StudyRecord], answers: list[pd.DataFrame]) -> None:
    table = tables.people(records).set_index("person")
    for record, found in zip(records, answers, strict=True):
        right = found.assign(right=found["truth"] == found["prediction"]).groupby("person")["right"]
        pd.testing.assert_series_equal(table[f"{record.name}: accuracy"], right.mean(), check_names=False)
        pd.testing.assert_series_equal(
            table[f"{record.name}: right"],
            right.sum() / found["seed"].nunique(),
            check_names=False,
            check_dtype=False,
        )
    assert (table["clips"] == 6).all()


def test_answers_average_the_seeds(records: list[StudyRecord], answers: list[pd.DataFrame]) -> None:
    table = tables.answers(records).set_index("clip")
    mean = answers[0].groupby("clip")[list(CLASSES)].mean()
    assert list(table.index) == sorted(mean.index)
    assert (table["learnet: prediction"] == mean.idxmax(axis=1)[table.index]).all()
    np.testing.assert_allclose(table["learnet: score"], mean.max(axis=1)[table.index])
    one = answers[1].set_index("clip").loc[table.index]
    assert (table["svm: prediction"] == one["prediction"]).all() and (table["truth"] == one["truth"]).all()


def test_seeds_one_by_one(records: list[StudyRecord], answers: list[pd.DataFrame]) -> None:
    table = tables.seeds(records)
    assert list(table["study"]) == ["learnet"] * 3 and list(table["seed"]) == ["0", "1", "scores averaged"]
    right = answers[0]["truth"] == answers[0]["prediction"]
    np.testing.assert_allclose(table["accuracy"][:2], right.groupby(answers[0]["seed"]).mean())
    assert tables.seeds(records[1:]).empty


def test_composition_counts_clips_people_and_who_is_left_out(
    records: list[StudyRecord], answers: list[pd.DataFrame]
) -> None:
    table = tables.composition(records[0]).set_index("class")
    by_class = answers[1].groupby("truth")
    assert table["clips"][list(CLASSES)].to_dict() == by_class.size().to_dict()
    assert table["people"][list(CLASSES)].to_dict() == by_class["person"].nunique().to_dict()
    assert table["clips"]["fear (left out)"] == 2 and pd.isna(table["people"]["fear (left out)"])


@pytest.fixture(scope="module")
def of_two(tmp_path_factory: pytest.TempPathFactory) -> StudyRecord:
    """A study over six people each of casme2 and samm; SAMM has no repression."""
    home = tmp_path_factory.mktemp("two")
    prepared = write_prepared(home / "prepared", dataset=lambda person: "samm" if person % 2 else "casme2")
    study = write_study(home / "x", prepared)
    lines = (study / "outcomes.csv").read_text().splitlines(keepends=True)
    (study / "outcomes.csv").write_text(
        "".join(line for line in lines if not (",samm," in line and line.split(",")[6] == "repression"))
    )
    return read_records([study])[0]


def test_databases_are_scored_apart(of_two: StudyRecord) -> None:
    table = tables.datasets([of_two]).set_index("dataset")
    found = pd.read_csv(of_two.folder / "outcomes.csv")
    for name, part in found.groupby("dataset"):
        average = {"average": "macro", "labels": list(CLASSES), "zero_division": 0}
        seeds = [seed for _, seed in part.groupby("seed")]
        expected = [f1_score(seed["truth"], seed["prediction"], **average) for seed in seeds]
        assert (
            table["UF1"][name] == pytest.approx(np.mean(expected))
            and table["clips"][name] == part["clip"].nunique()
        )
        assert table["UF1 spread"][name] == pytest.approx(np.std(expected, ddof=1))
        for measure in ("accuracy", "UF1", "UAR"):
            assert table[f"{measure} low"][name] < table[measure][name] < table[f"{measure} high"][name]
    assert table["absent"].to_dict() == {"casme2": "", "samm": "repression"}


def test_composition_tells_the_databases_apart(of_two: StudyRecord) -> None:
    table = tables.composition(of_two).set_index("class")
    found = pd.read_csv(of_two.folder / "outcomes.csv").query("seed == 0")
    for name in ("casme2", "samm"):
        counts = found[found["dataset"] == name]["truth"].value_counts()
        assert table[f"in {name}"][list(CLASSES)].to_dict() == {word: counts.get(word, 0) for word in CLASSES}
    assert table["in samm"]["repression"] == 0 and pd.isna(table["in samm"]["fear (left out)"])


def test_one_database_needs_no_rows(records: list[StudyRecord]) -> None:
    assert tables.datasets(records).empty


def test_audit_counts_kinds_and_puts_serious_first() -> None:
    found = [
        Finding("apex repaired", "a", "one"),
        Finding("clip skipped", "b", "two", True),
        Finding("apex repaired", "c", "three"),
    ]
    assert tables.audit(found).to_numpy().tolist() == [
        ["clip skipped", 1, "yes", "b: two"],
        ["apex repaired", 2, "no", "a: one"],
    ]
    assert tables.audit([]).empty


def test_side_by_side_leaves_gaps(records: list[StudyRecord]) -> None:
    table = tables.side_by_side(
        records, [{"batch_size": 32, "mirror": True}, {"other": {"a_b": 1, "c": [1, None]}}]
    )
    assert table.to_numpy().tolist() == [
        ["batch size", "32", "–"],
        ["mirror", "yes", "–"],
        ["other", "–", "a b: 1; c: 1, –"],
    ]


def test_worst_predictions_have_the_annotated_action_units(records: list[StudyRecord]) -> None:
    record = records[0]
    assert record.prepared is not None
    clips = record.prepared.clips
    numbered = clips.assign(action_units=[f"{number}" for number in range(len(clips))])
    annotated = replace(record, prepared=replace(record.prepared, clips=numbered))
    table = tables.worst(annotated)
    expected = numbered.set_index("clip")["action_units"][table["clip"]].tolist()
    assert table["annotated action units"].tolist() == expected and len(set(expected)) > 1
    unannotated = replace(record, prepared=replace(record.prepared, clips=clips.assign(action_units="")))
    for without in (unannotated, replace(record, prepared=None)):
        assert list(tables.worst(without)) == list(table)[:-1]
