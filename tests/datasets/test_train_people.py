"""Studies that train on few people: who was drawn is on disk, and the people tested stay the same."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from learnet.core.errors import LearnetError
from learnet.core.settings import Resources, Study, Training
from learnet.datasets.prepared.store import load_prepared, save_prepared
from learnet.report.comparison.compare import compare
from learnet.report.reproduction import command
from learnet.study.outcomes import read_outcomes
from learnet.study.run import run_study
from learnet.training.checkpoint import load_checkpoint
from tests.study.test_run import QUICK, bytes_of, write_prepared

ONE = Resources(jobs=1)


@pytest.fixture
def prepared(tmp_path: Path, rng: np.random.Generator) -> Path:
    return write_prepared(tmp_path / "prepared", rng, people=5)


def test_who_was_drawn_is_in_the_weights_and_in_the_study(prepared: Path, tmp_path: Path) -> None:
    trained_on: dict[int, dict[tuple[str, int], set[str]]] = {}
    for number in (1, 2, 0):
        out = tmp_path / f"of-{number}"
        run_study(
            prepared,
            out,
            Study(classes="casme2-7", seeds=2, train_people=number),
            replace(QUICK, epochs=1),
            ONE,
        )
        record, trainings = json.loads((out / "study.json").read_text()), pd.read_csv(out / "trainings.csv")
        assert record["settings"]["train_people"] == number
        trained_on[number] = {}
        for fold in record["folds"]:
            assert len(fold["train_people"]) == 4  # on whom it may train
            for seed in (0, 1):
                _, facts = load_checkpoint(
                    out / "folds" / f"{fold['name'].replace('/', '-')}-seed{seed}.safetensors"
                )
                people = facts.data["people"].splitlines()
                assert people == (fold["learned_from"][str(seed)] if number else fold["train_people"])
                assert fold["name"] not in people and set(people) <= set(fold["train_people"])
                trained_on[number][fold["name"], seed] = set(people)
                (row,) = trainings[
                    (trainings["fold"] == fold["name"]) & (trainings["seed"] == seed)
                ].itertuples()
                assert row.train_clips == int(facts.data["clips"]) == 3 * (number or 4)
        assert "learned_from" not in record["folds"][0] or number
    for key, people in trained_on[1].items():
        assert len(people) == 1 and people < trained_on[2][key] < trained_on[0][key]
    assert len({(key[0], *people) for key, people in trained_on[1].items()}) > 5  # the second seed draws anew


@pytest.mark.parametrize("network", ["learnet", "linear-svm", "majority"])
def test_a_class_that_no_drawn_person_shows_is_never_predicted(
    network: str, tmp_path: Path, rng: np.random.Generator
) -> None:
    """Each person shows three of four classes; one shows a single class, on which some fold is trained."""
    there = load_prepared(write_prepared(tmp_path / "varied", rng, people=3))
    table, prepared = there.clips.copy(), tmp_path / "prepared"
    table.loc[table["person"] == "casme2/01", "emotion"] = "sadness"
    save_prepared(
        prepared,
        there.images,
        table,
        there.record,
        [],
    )
    study = Study(network=network, classes="casme2-7", train_people=1, keep_weights=False)
    run_study(prepared, tmp_path / "study", study, replace(QUICK, mixup=0.4, epochs=12), ONE)
    shown = table.groupby("person")["emotion"].agg(set)
    folds = json.loads((tmp_path / "study" / "study.json").read_text())["folds"]
    drawn = {fold["name"]: fold["learned_from"]["0"][0] for fold in folds}
    assert any(len(shown[person]) == 1 for person in drawn.values())
    outcomes = read_outcomes(tmp_path / "study")
    assert len(outcomes) == 9 and np.isfinite([o.scores for o in outcomes]).all()
    if network != "learnet":
        assert all(o.prediction in shown[drawn[o.fold]] for o in outcomes)


def test_a_study_that_was_cut_off_draws_the_same_people_again(prepared: Path, tmp_path: Path) -> None:
    study = Study(seeds=2, train_people=2)
    run_study(prepared, tmp_path / "whole" / "study", study, QUICK, ONE)
    run_study(prepared, tmp_path / "torn" / "study", study, QUICK, ONE)
    file = tmp_path / "torn" / "study" / "outcomes.csv"
    file.write_bytes(file.read_bytes()[: len(file.read_bytes()) // 2])
    (tmp_path / "torn" / "study" / "folds" / "casme2-05-seed1.safetensors").unlink()
    steps: list[int] = []
    run_study(
        prepared,
        tmp_path / "torn" / "study",
        study,
        QUICK,
        ONE,
        progress=lambda done, total: steps.append(done),
    )
    assert 1 < steps[0] <= 10 and steps[-1] == 10
    assert bytes_of(tmp_path / "torn" / "study") == bytes_of(tmp_path / "whole" / "study")
    with pytest.raises(LearnetError, match="settings.train_people .there 2, requested 3"):
        run_study(prepared, tmp_path / "whole" / "study", replace(study, train_people=3), QUICK, ONE)


def test_studies_of_few_and_of_all_stand_side_by_side(prepared: Path, tmp_path: Path) -> None:
    for number in (0, 2):
        run_study(
            prepared, tmp_path / f"of-{number}", Study(network="linear-svm", train_people=number), QUICK, ONE
        )
    few, whole = compare([tmp_path / "of-2", tmp_path / "of-0"]).records
    assert [o.clip for o in few.outcomes] == [o.clip for o in whole.outcomes]
    assert "--train-people 2" in command(few) and "--train-people" not in command(whole)


def test_too_many_are_told_before_anything_is_written(prepared: Path, tmp_path: Path) -> None:
    with pytest.raises(LearnetError, match="train_people 5 is more than the 4 people"):
        run_study(prepared, tmp_path / "study", Study(train_people=5), QUICK, ONE)
    with pytest.raises(
        LearnetError, match="inner_groups 3 needs as many training people, and one fold has 2"
    ):
        run_study(prepared, tmp_path / "study", Study(train_people=2), Training(inner_groups=3), ONE)
    with pytest.raises(LearnetError, match="cannot be -1"):
        Study(train_people=-1)
    assert not (tmp_path / "study").exists()
