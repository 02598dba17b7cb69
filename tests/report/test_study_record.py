"""Study folders read back: what is promised is tried against the files, and what is broken is seen."""

import json
import shutil
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from learnet.core.errors import BadInput, LearnetError
from learnet.core.serialisation import to_json, to_plain
from learnet.metrics.summary import summarise
from learnet.report.study_checks import check
from learnet.report.study_record import StudyRecord, read_record, read_records
from learnet.study.description import FoldDescription, shared_people
from tests.builders.written_study import write_prepared, write_study

PEOPLE, ANSWERS, COMPLETE, NUMBERS, IMAGES = range(5)
"""Places of the checks."""

SIDES = st.lists(st.sampled_from("abcdef"), max_size=5)


@pytest.fixture
def study(tmp_path: Path) -> Path:
    return write_study(tmp_path / "learnet", write_prepared(tmp_path / "prepared"))


def change(file: Path, **values: object) -> None:
    file.write_text(json.dumps(json.loads(file.read_text()) | values))


def passed(study: Path) -> list[bool | None]:
    return [found.passed for found in check(read_record(study))]


def test_a_good_study_keeps_every_promise(study: Path) -> None:
    record = read_record(study)
    (study / "metrics.json").write_text(to_json(summarise(record.outcomes, record.classes)))
    assert passed(study) == [True] * 5
    assert (record.protocol, record.leaky, record.synthetic, record.missing, record.seeds) == (
        "loso",
        False,
        False,
        (),
        (0, 1),
    )
    assert len(record.answers) == 72 and record.expected == len(record.outcomes) == 144


@given(st.lists(st.tuples(SIDES, SIDES), max_size=5))
def test_people_on_both_sides_are_found(sides: list[tuple[list[str], list[str]]]) -> None:
    """Beside a double loop over the two lists."""
    folds = [FoldDescription(str(i), train, test, 0, 0) for i, (train, test) in enumerate(sides)]
    expected = {
        str(i): sorted({a for a in train for b in test if a == b}) for i, (train, test) in enumerate(sides)
    }
    assert shared_people(folds) == {name: people for name, people in expected.items() if people}


def test_a_leak_is_seen_whatever_the_protocol_is_called(study: Path) -> None:
    folds = json.loads((study / "study.json").read_text())["folds"]
    folds[3]["train_people"].append(folds[3]["test_people"][0])
    change(study / "study.json", folds=folds)
    record = read_record(study)
    assert record.leaky and passed(study)[PEOPLE] is False
    assert folds[3]["name"] in check(record)[PEOPLE].evidence


def test_leaky_by_name(tmp_path: Path) -> None:
    study = write_study(tmp_path / "x", write_prepared(tmp_path / "prepared"), protocol="leaky-random")
    assert read_record(study).leaky


def test_an_answer_outside_its_fold_is_seen(study: Path) -> None:
    lines = (study / "outcomes.csv").read_text().splitlines()
    lines[1] = lines[1].replace(
        "learnet,casme2/01,", "learnet,casme2/02,", 1
    )  # another fold than the person's
    (study / "outcomes.csv").write_text("\n".join(lines) + "\n")
    assert passed(study)[ANSWERS] is False


def test_an_unfinished_study_is_seen(tmp_path: Path) -> None:
    study = write_study(tmp_path / "x", write_prepared(tmp_path / "prepared"), seeds=(0,))
    lines = (study / "outcomes.csv").read_text().splitlines()
    (study / "outcomes.csv").write_text("\n".join(lines[:31]) + "\n")
    assert passed(study)[COMPLETE] is False
    assert check(read_record(study))[COMPLETE].evidence == "30 of 72 predictions"


def test_numbers_that_do_not_follow_are_seen(study: Path) -> None:
    record = read_record(study)
    summary = to_plain(summarise(record.outcomes, record.classes))
    summary["mean"]["uf1"]["value"] += 0.001
    (study / "metrics.json").write_text(json.dumps(summary))
    assert passed(study)[NUMBERS] is False
    assert "uf1" in check(read_record(study))[NUMBERS].evidence


def test_a_prepared_folder_that_moved_along_is_found(study: Path, tmp_path: Path) -> None:
    home = tmp_path / "elsewhere"
    home.mkdir()
    shutil.move(study, home / "learnet")
    shutil.move(tmp_path / "prepared", home / "prepared")
    assert read_record(home / "learnet").prepared is not None


def test_what_is_gone_is_named(study: Path, tmp_path: Path) -> None:
    shutil.move(tmp_path / "prepared", tmp_path / "renamed")
    record = read_record(study)
    assert record.prepared is None and "is gone" in record.missing[0] and passed(study)[IMAGES] is None
    (study / "study.json").unlink()
    record = read_record(study)
    assert record.protocol == "unknown" and "study.json" in record.missing[0]
    assert passed(study)[:3] == [None, None, None]


def test_other_images_in_the_place_of_the_old_ones(study: Path, tmp_path: Path) -> None:
    shutil.rmtree(tmp_path / "prepared")
    write_prepared(tmp_path / "prepared", seed=1)
    record = read_record(study)
    assert record.prepared is None and "has changed" in record.missing[0]


@pytest.mark.parametrize("text", ["{", "[]", '{"protocol": "loso"}'])
def test_a_broken_study_json_is_refused(study: Path, text: str) -> None:
    (study / "study.json").write_text(text)
    with pytest.raises(BadInput, match="study.json"):
        read_record(study)


def test_classes_of_another_study_are_refused(study: Path) -> None:
    change(study / "study.json", scheme={"name": "x", "classes": ["a", "b"], "source": ""})
    with pytest.raises(BadInput, match="different classes"):
        read_record(study)


@pytest.mark.parametrize("what", ["nothing", "twice", "no folder", "no study"])
def test_folders_that_are_no_studies(study: Path, tmp_path: Path, what: str) -> None:
    folders = {
        "nothing": [],
        "twice": [study, study],
        "no folder": [tmp_path / "no"],
        "no study": [tmp_path],
    }[what]
    with pytest.raises(LearnetError):
        read_records(folders)


def compared(one: Path, other: Path) -> str:
    with pytest.raises(LearnetError) as refused:
        read_records([one, other])
    return str(refused.value)


def test_different_clips_are_refused_and_named(study: Path, tmp_path: Path) -> None:
    other = write_study(tmp_path / "svm", write_prepared(tmp_path / "more", people=13), "linear-svm")
    said = compared(study, other)
    assert "0 only in learnet" in said and "6 only in svm (casme2/13/" in said


def test_different_truth_is_refused_and_named(study: Path, tmp_path: Path) -> None:
    other = write_study(tmp_path / "svm", tmp_path / "prepared")
    lines = (other / "outcomes.csv").read_text().splitlines()
    clip, truth = lines[1].split(",")[3], lines[1].split(",")[6]
    wrong = "surprise" if truth != "surprise" else "disgust"
    changed = [
        ",".join([*(cells := line.split(","))[:6], wrong, *cells[7:]]) if f",{clip}," in line else line
        for line in lines
    ]
    (other / "outcomes.csv").write_text("\n".join(changed) + "\n")
    assert (
        f"1 clip has another true class in learnet than in svm: {clip} is {truth!r} and {wrong!r}"
        in compared(study, other)
    )


@pytest.mark.parametrize(("position", "name"), [(4, "database"), (5, "person")])
def test_a_clip_of_another_database_or_person_is_refused(
    study: Path, tmp_path: Path, position: int, name: str
) -> None:
    """Scores by database would be of different clips."""
    other = write_study(tmp_path / "svm", tmp_path / "prepared")
    lines = [line.split(",") for line in (other / "outcomes.csv").read_text().splitlines()]
    clip = lines[1][3]
    for cells in lines:
        if cells[3] == clip:
            cells[position] = "odd"
    (other / "outcomes.csv").write_text("\n".join(map(",".join, lines)) + "\n")
    assert f"1 clip has another {name} in learnet than in svm: {clip} is " in compared(study, other)


def test_studies_of_one_name_are_told_apart(study: Path, tmp_path: Path) -> None:
    other = write_study(tmp_path / "again" / "learnet", tmp_path / "prepared")
    names = [record.name for record in read_records([study, other])]
    assert names == [f"{tmp_path.name}/learnet", "again/learnet"]


def test_a_record_of_given_weights(study: Path) -> None:
    """`learnet evaluate` lists no training people where none of them is tested."""
    folds = json.loads((study / "study.json").read_text())["folds"]
    people = [fold["name"] for fold in folds]
    one = [
        {
            "name": "given-weights",
            "train_people": [],
            "test_people": people,
            "train_clips": 500,
            "test_clips": 72,
        }
    ]
    change(
        study / "study.json",
        protocol="evaluation",
        folds=one,
        training=None,
        settings={"weights": "w.safetensors"},
    )
    record: StudyRecord = read_record(study)
    assert not record.leaky and check(record)[PEOPLE].passed


@pytest.mark.parametrize(
    "mean", ['{"uf1": {"value": null}, "uar": 3}', "7", '{"accuracy": {"value": "0.5"}, "uf1": {}}']
)
def test_metrics_that_hold_anything_are_told_and_not_believed(tmp_path: Path, mean: str) -> None:
    study = write_study(tmp_path / "learnet", write_prepared(tmp_path / "prepared", people=2, clips=3))
    (study / "metrics.json").write_text(f'{{"mean": {mean}}}', encoding="utf-8")
    (found,) = [
        one for one in check(read_record(study)) if one.claim == "The scores follow from the predictions"
    ]
    assert found.passed is False and "outcomes.csv" in found.evidence


@pytest.mark.parametrize(
    ("column", "value", "said"),
    [
        ("person", "casme2/77", "same clips, people and true classes"),
        ("truth", "disgust", "same clips, people and true classes"),
        ("disgust", "nan", "cannot read the row"),
        ("disgust", "1.5", "cannot read the row"),
        ("disgust", "-0.1", "cannot read the row"),
    ],
)
def test_answers_that_contradict_themselves_are_refused(
    tmp_path: Path, column: str, value: str, said: str
) -> None:
    """One cell of one seed is another."""
    study = write_study(tmp_path / "learnet", write_prepared(tmp_path / "prepared", people=2, clips=3))
    table = pd.read_csv(study / "outcomes.csv", dtype=str)
    assert table.loc[0, column] != value
    table.loc[0, column] = value
    table.to_csv(study / "outcomes.csv", index=False)
    with pytest.raises(LearnetError, match=said):
        read_record(study)
