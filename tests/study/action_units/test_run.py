"""The study of linear models of action units: against scikit-learn, and that nothing leaks into a fold."""

import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from learnet.core.errors import BadInput, LearnetError, OutputTaken
from learnet.core.settings import Study
from learnet.datasets.prepared.importing import import_images
from learnet.datasets.synthetic.flow_images import simulate_flow
from learnet.metrics.action_units import annotated_sides
from learnet.motion.detrend import detrend
from learnet.study.action_units.run import run_action_unit_study
from learnet.training.linear_action_units import linear_unit_scores
from tests.builders.annotated import annotated_images, write_annotated
from tests.builders.commands import learnet

PAGE = Path(__file__).resolve().parents[3] / "docs" / "action-units.md"
CODES = ["4", "12", "4+L12", "", "R12", "4", "17", "4+12", "L12", "17", "4", "R12", "4+17"]
PEOPLE = [*"aaabbbcccdddd"]


def scores_of(out: Path) -> pd.DataFrame:
    return pd.read_csv(out / "action_units.csv", dtype={"action_units": str, "named": str})


def mirrored(images: np.ndarray) -> np.ndarray:
    """Mirror images of flow, scaled to -1..1: flipped, and u negated."""
    flipped = images[:, :, ::-1] / 127.5 - 1
    return flipped * [-1, 1, 1]


def test_scores_are_those_of_scikit_learn_in_the_same_folds(tmp_path: Path) -> None:
    """Each person by a linear SVM on the standardised pixels of all others, and of their mirror images."""
    prepared = write_annotated(tmp_path / "prepared", CODES, PEOPLE, noise=50)
    run_action_unit_study(prepared.folder, tmp_path / "out", Study(), jobs=1)
    table = scores_of(tmp_path / "out")
    assert "".join(table["person"].str[-1]) == "aaabbcccdddd"  # c03 has no code
    annotated = [position for position, code in enumerate(CODES) if code]
    images = detrend(np.asarray(prepared.images)[annotated])
    people = np.array(PEOPLE)[annotated]
    codes = [CODES[position] for position in annotated]
    both = np.stack([images / 127.5 - 1, mirrored(images)]).reshape(2, len(images), -1)
    for unit in (4, 12, 17):
        is_active = annotated_sides(codes, (unit,)).any(axis=(1, 2))
        expected = np.empty(len(images))
        for person in "abcd":
            learned = people != person
            svm = make_pipeline(StandardScaler(), SVC(kernel="linear", C=1e-3, class_weight="balanced"))
            svm.fit(both[:, learned].reshape(-1, both.shape[2]), np.tile(is_active[learned], 2))
            margins = [svm.decision_function(view[~learned]) for view in both]
            expected[~learned] = 1 / (1 + np.exp(-np.mean(margins, axis=0)))
        np.testing.assert_allclose(table[f"AU{unit}"], expected, atol=2e-3)  # libsvm stops at 1e-3


def test_units_that_show_are_learned_with_their_sides(tmp_path: Path) -> None:
    codes = ["4", "12", "L12", "R12", "4+L12", "4+R12", "17"] * 4
    people = [person for person in "abcd" for _ in range(7)]
    prepared = write_annotated(tmp_path / "prepared", codes, people)
    result = run_action_unit_study(prepared.folder, tmp_path / "out", Study(), jobs=2)
    by_unit = {unit.unit: unit for unit in result.metrics.units}
    assert min(by_unit[unit].measures["auc"].value for unit in (4, 12)) > 0.97
    assert by_unit[12].one_sided == 16 and by_unit[12].right_side >= 15
    table = scores_of(tmp_path / "out")
    assert set(table["fold"]) == {f"casme2/{person}" for person in "abcd"}
    assert (table["fold"] == table["person"]).all()


def test_sides_without_mirror_images_have_a_model_each() -> None:
    codes = ["L12", "R12", "12", "4"] * 5
    images = annotated_images(codes)
    sides = annotated_sides(codes, (12,))
    scores = linear_unit_scores(images, sides, annotated_images(["L12", "R12"], seed=1), "none").sides[:, 0]
    assert scores[0, 0] > 0.5 > scores[0, 1] and scores[1, 1] > 0.5 > scores[1, 0]


def test_the_codes_of_the_person_tested_change_no_score(tmp_path: Path) -> None:
    """A study in which person d was annotated otherwise gives the same scores of d, and others of c."""
    first = write_annotated(tmp_path / "first", CODES, PEOPLE, noise=50)
    columns = {"action_units": [*CODES[:9], "4", "17", "4", "12"]}
    second = write_annotated(tmp_path / "second", CODES, PEOPLE, columns=columns, noise=50)
    tables = []
    for folder in (first.folder, second.folder):
        run_action_unit_study(folder, tmp_path / f"out-{folder.name}", Study(), jobs=1)
        tables.append(scores_of(tmp_path / f"out-{folder.name}").set_index("clip")[["AU4", "AU12", "AU17"]])
    same = (tables[0] == tables[1]).all(axis=1)
    assert same[[clip for clip in same.index if "/d/" in clip]].all()
    assert not same[[clip for clip in same.index if "/c/" in clip]].any()


def test_the_description_says_what_was_done(tmp_path: Path) -> None:
    prepared = write_annotated(tmp_path / "prepared", [*CODES[:-1], "4+5"], PEOPLE)
    result = run_action_unit_study(
        prepared.folder, tmp_path / "out", Study(protocol="groups", groups=2), 3, 1
    )
    text = json.loads((tmp_path / "out" / "action_units_study.json").read_text())
    assert (text["protocol"], text["units"], text["not_scored"]) == ("groups", [4, 12, 17], {"5": 1})
    settings = {"groups": 2, "seed": 3, "C": 0.001, "mirror": "flow", "detrend_percentile": 100}
    assert settings.items() <= text["settings"].items()
    assert [fold["name"] for fold in text["folds"]] == ["group-0", "group-1"]
    for fold in text["folds"]:
        assert not set(fold["train_people"]) & set(fold["test_people"])
    assert (text["clips"], text["left_out"]) == (12, 1) and result.description.leak == ""
    with pytest.raises(OutputTaken):
        run_action_unit_study(prepared.folder, tmp_path / "out", Study())


def test_several_databases(tmp_path: Path) -> None:
    """Only samm shows unit 17: where it is tested, nobody was there to learn it from, so it has no score."""
    codes = ["4", "12", "4", "12"]
    casme2 = write_annotated(tmp_path / "casme2", codes, [*"abab"]).folder
    samm = write_annotated(tmp_path / "samm", ["4", "12", "17", "17"], [*"abab"], dataset="samm").folder
    across = Study(protocol="across", test_on=("samm",))
    result = run_action_unit_study([casme2, samm], tmp_path / "across", across, jobs=1)
    table = scores_of(tmp_path / "across")
    assert table["clip"].str.startswith("samm/").all() and len(table) == 4
    assert set(table["fold"]) == {"casme2-to-samm"} and table["AU17"].isna().all()
    assert (result.metrics.clips, result.metrics.people, result.metrics.averaged) == (4, 2, [4, 12])
    lodo = run_action_unit_study([casme2, samm], tmp_path / "lodo", Study(protocol="lodo"), jobs=1)
    assert scores_of(tmp_path / "lodo")["AU17"].notna().tolist() == [True] * 4 + [False] * 4
    assert lodo.metrics.clips == 8 and lodo.metrics.units[2].clips == 4
    assert sorted(path.name for path in (tmp_path / "lodo").iterdir()) == [
        "action_units.csv", "action_units_metrics.csv", "action_units_metrics.json",
        "action_units_study.json", "run.json",
    ]  # fmt: skip


def test_a_neutral_face_and_what_was_there_before_are_no_units(tmp_path: Path) -> None:
    """Code 0, and units with (k), as 4DME marks those that were there before the movement."""
    codes = ["4", "0", "4+15(k)", "0", "4+15(k)", "12"]
    prepared = write_annotated(tmp_path / "prepared", codes, [*"aabbcc"])
    result = run_action_unit_study(prepared.folder, tmp_path / "out", Study(), jobs=1)
    assert result.description.units == [4] and result.description.not_scored == {"12": 1}
    assert (result.metrics.clips, result.metrics.units[0].positive) == (6, 3)


def test_simulated_images_without_a_unit_count(tmp_path: Path) -> None:
    """Their units are known: 16 images, of which those of the class `none` show none."""
    simulated = simulate_flow(tmp_path / "simulated", 16, ("negative", "none"), jobs=1)
    is_coded = (simulated.clips["action_units"] != "").to_numpy()
    assert 0 < is_coded.sum() < 16
    groups = Study(protocol="groups", groups=2)
    result = run_action_unit_study(simulated.folder, tmp_path / "out", groups, jobs=1)
    assert (result.metrics.clips, result.description.left_out) == (16, 0)


def test_what_cannot_be_studied_is_refused(tmp_path: Path) -> None:
    out = tmp_path / "out"
    single = write_annotated(tmp_path / "single", ["4", "12", "17"], [*"abc"]).folder
    with pytest.raises(BadInput, match="no action unit is shown by two people"):
        run_action_unit_study(single, out, Study())
    prepared = write_annotated(tmp_path / "prepared", CODES, PEOPLE).folder
    with pytest.raises(LearnetError, match="no protocol leaky-clips for action units. Choose from loso"):
        run_action_unit_study(prepared, out, Study(protocol="leaky-clips"))
    assert not out.exists()


def test_the_command(tmp_path: Path) -> None:
    prepared = write_annotated(tmp_path / "prepared", CODES, PEOPLE).folder
    words = ("study", prepared, tmp_path / "out", "--target", "action-units")
    refused = {
        ("--network", "ststnet"): "--network has no effect on --target action-units",
        ("--epochs", 3, "--detrend", "--no-keep-weights"): "--no-keep-weights, --epochs, --detrend have no",
        ("--device", "cpu", "--classes", "megc-3"): "--classes, --device have no effect",
        ("--selection", tmp_path): "--selection has no effect on --target action-units",
        ("--groups", 3): "--groups has no effect on --protocol loso",
    }
    for options, expected in refused.items():
        said = learnet(*words, *options, code=2).stderr
        assert expected in said and said.count("\n") == 1
    said = learnet(*words, "--jobs", 1, "--seed", 1).stdout
    assert "out: action units in 12 clips of 4 people" in said and "Mean of 3 units" in said
    assert "Model: linear SVM for each unit, trained on annotated units of other people." in said


def test_real_clips_are_recognised_by_models_of_other_people(shared: Path, tmp_path: Path) -> None:
    """145 clips of CASME II: as the documentation shows, and frequent units are far above chance."""
    folder = shared / "real" / "megc2019_flow"
    annotations = pd.read_csv(folder / "action_units_casme2.csv", dtype=str)
    annotations.drop(columns="clip").to_csv(tmp_path / "labels.csv", index=False)
    import_images(folder / "images", tmp_path / "labels.csv", tmp_path / "flow", kind="flow")
    result = run_action_unit_study(tmp_path / "flow", tmp_path / "out", Study(), jobs=1)
    auc = {unit.unit: unit.measures["auc"].value for unit in result.metrics.units}
    assert (result.metrics.clips, result.metrics.people) == (145, 24)
    assert all(auc[unit] > 0.8 for unit in (1, 2, 4, 7, 12, 15, 17))
    assert result.metrics.right_side / result.metrics.one_sided > 0.7
    section = PAGE.read_text().partition("### On 145 clips of CASME II")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| (\d+) [a-z ]+ \| (\d+) \| (\d+) \| (0\.\d+) ", section, re.MULTILINE)
    shown = {int(unit): (int(clips), int(people), float(area)) for unit, clips, people, area in rows}
    assert shown.keys() == auc.keys() and len(shown) == 13
    for unit in result.metrics.units:
        expected = (unit.positive, unit.people, pytest.approx(auc[unit.unit], abs=5e-3))
        assert shown[unit.unit] == expected
