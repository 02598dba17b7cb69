"""Evaluation of action units: a network whose answers are known, on images made for it."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from learnet.core.errors import BadCheckpoint, BadInput, OutputTaken
from learnet.core.settings import Preparation
from learnet.datasets.synthetic.flow_images import simulate_flow
from learnet.inference.action_units import ActionUnitRecogniser
from learnet.study.action_units.evaluate import evaluate_action_units
from learnet.study.action_units.files import read_action_unit_metrics
from learnet.study.outcomes import read_outcomes
from tests.builders.annotated import reading_recogniser, write_annotated
from tests.builders.commands import learnet

CODES = ["4", "L12", "4+R12+26", "12", "", "4", "17", "L4+12"]
PEOPLE = ["a", "a", "b", "b", "c", "c", "d", "d"]
LOST = "the head turns, which looks like an expression"
COLUMNS = {
    "still": ["", "", "", "", "", "nothing moves", "", ""],
    "obstacle": ["", LOST, "", "", "", "", "", ""],
    "warnings": ["", f"2 frames are missing; {LOST}", "", "", "", "", "", ""],
}


@pytest.fixture
def prepared(tmp_path: Path) -> Path:
    return write_annotated(tmp_path / "prepared", CODES, PEOPLE, columns=COLUMNS).folder


@pytest.fixture(autouse=True)
def network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the weights are called, their network is the one that reads units off."""
    monkeypatch.setattr(ActionUnitRecogniser, "load", lambda weights=None: reading_recogniser())


def scores_of(out: Path) -> pd.DataFrame:
    return pd.read_csv(out / "action_units.csv", dtype={"action_units": str, "named": str})


def test_a_row_for_each_annotated_clip(prepared: Path, tmp_path: Path) -> None:
    """Clip c04 has no code, in c05 nothing moves, in c01 the head turns."""
    evaluate_action_units(prepared, "w", tmp_path / "out")
    table = scores_of(tmp_path / "out").fillna("")
    described = ["clip", "person", "fold", "action_units", "named", "AU4", "AU12", "reason", "warnings"]
    assert table.columns.tolist() == described
    assert table["clip"].tolist()[:2] == ["casme2/a/c00", "casme2/a/c01"] and len(table) == 7
    assert table["action_units"].tolist() == ["4", "L12", "4+R12+26", "12", "4", "17", "L4+12"]
    assert table["named"].tolist() == ["4", "L12", "4+R12", "12", "", "", "L4+12"]
    high, low = 1 / (1 + np.exp(-4)), 1 / (1 + np.exp(4))
    np.testing.assert_allclose(table["AU4"][:4], [high, low, high, low], atol=0.02)
    assert table["AU4"][4] == table["AU12"][4] == 0
    reasons = ["", f"{LOST}, so action units are not to be trusted", "", "", "nothing moves", "", ""]
    assert table["reason"].tolist() == reasons
    assert table["warnings"][1] == COLUMNS["warnings"][1]


@pytest.mark.parametrize("stabilise", [False, True])
def test_a_head_that_moves_as_far_as_skin_does(tmp_path: Path, stabilise: bool) -> None:
    """The limit is that of predictions: 1 pixel of a crop 112 wide, 0.25 of one 28 wide."""
    head_px = [0.1, 0.25, 0.3, "", 1.5, "", "", 0.3]
    preparation = Preparation("flow-dis", 28, stabilise=stabilise).settled
    folder = write_annotated(
        tmp_path / "prepared", CODES, PEOPLE, columns={"head_px": head_px}, preparation=preparation
    )
    result = evaluate_action_units(folder.folder, "w", tmp_path / "out")
    reasons = scores_of(tmp_path / "out")["reason"].astype(object).fillna("").tolist()
    moved = "the head moves by 1.2 pixels of a face 112 pixels wide, so action units are not to be trusted"
    assert reasons == ([""] * 7 if stabilise else ["", "", moved, "", "", "", moved])
    assert len(result.description.untrusted_clips) == sum(map(bool, reasons))


def test_metrics_are_those_of_the_scores_on_disk(prepared: Path, tmp_path: Path) -> None:
    """One of four clips with unit 4 has the score 0, below all of those without: 9 of 12 pairs are right."""
    result = evaluate_action_units(prepared, "w", tmp_path / "out")
    table = scores_of(tmp_path / "out")
    is_active = np.array([True, False, True, False, True, False, True])
    auc = result.metrics.units[0].measures["auc"].value
    assert auc == pytest.approx(roc_auc_score(is_active, table["AU4"])) == pytest.approx(9 / 12)
    assert result.metrics.units[0].measures["f1"].value == pytest.approx(2 * 3 / (3 + 4))
    assert result.metrics.units[1].measures["auc"].value == 1
    assert (result.metrics.clips, result.metrics.people) == (7, 4)
    assert [unit.people for unit in result.metrics.units] == [4, 3]
    assert (result.metrics.one_sided, result.metrics.right_side) == (3, 3)
    assert read_action_unit_metrics(tmp_path / "out") == result.metrics
    written = pd.read_csv(tmp_path / "out" / "action_units_metrics.csv")
    assert written["unit"].tolist() == ["4", "12", "mean"]
    assert written["name"].tolist() == ["brow lowerer", "lip corner puller", "mean of 2 units"]
    assert written["auc"].tolist() == pytest.approx([0.75, 1, 0.875])
    assert written["threshold"].tolist()[:2] == [0.5, 0.6] and written["positive"].tolist()[:2] == [4, 4]


def test_the_description_says_what_was_done(prepared: Path, tmp_path: Path) -> None:
    result = evaluate_action_units(prepared, "w", tmp_path / "out")
    text = json.loads((tmp_path / "out" / "action_units_study.json").read_text())
    assert (text["target"], text["protocol"], text["model"]) == ("action-units", "evaluation", "w")
    assert (text["units"], text["thresholds"]) == ([4, 12], [0.5, 0.6])
    assert (text["clips"], text["left_out"], text["not_scored"]) == (7, 1, {"17": 1, "26": 1})
    assert text["still_clips"] == ["casme2/c/c05"] and text["untrusted_clips"] == ["casme2/a/c01"]
    assert text["settings"]["network"] == "read-off" and result.description.leak == ""
    changed = write_annotated(tmp_path / "changed", [*CODES[:-1], "4"], PEOPLE, columns=COLUMNS)
    other = evaluate_action_units(changed.folder, "w", tmp_path / "other")
    assert other.description.annotations != text["annotations"]


def test_weights_that_know_the_people_leak(
    prepared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recogniser = reading_recogniser(people="casme2/a\nsamm/007")
    monkeypatch.setattr(ActionUnitRecogniser, "load", lambda weights=None: recogniser)
    result = evaluate_action_units(prepared, "w", tmp_path / "out")
    assert result.description.protocol == "leaky-evaluation"
    assert result.description.leak == "test people were also trained on (1 of 4)"
    said = learnet("evaluate", prepared, tmp_path / "again", "--action-units", "--weights", "w").stdout
    assert "again leaks: test people were also trained on (1 of 4)" in said


def test_what_does_not_fit_is_refused_and_nothing_is_written(
    prepared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    bare = write_annotated(tmp_path / "bare", ["", "soft focus", ""], ["a", "b", "c"])
    with pytest.raises(BadInput, match="no clip has action units: the column action_units of clips.csv is"):
        evaluate_action_units(bare.folder, "w", out)
    monkeypatch.setattr(ActionUnitRecogniser, "load", lambda weights=None: reading_recogniser(size=56))
    with pytest.raises(BadCheckpoint, match="accepts images of 56 pixels, and these have 28"):
        evaluate_action_units(prepared, "w", out)
    image = reading_recogniser(images_kind="image")
    monkeypatch.setattr(ActionUnitRecogniser, "load", lambda weights=None: image)
    with pytest.raises(BadCheckpoint, match="w: was trained on imported images, and these are flow images"):
        evaluate_action_units(prepared, "w", out)
    assert not out.exists()
    with pytest.raises(OutputTaken):
        monkeypatch.setattr(ActionUnitRecogniser, "load", lambda weights=None: reading_recogniser())
        evaluate_action_units(prepared, "w", prepared)


def test_the_command_prints_the_table_and_what_must_be_known(prepared: Path, tmp_path: Path) -> None:
    said = learnet("evaluate", prepared, tmp_path / "out", "--action-units", "--weights", "w").stdout
    assert "out: action units in 7 clips of 4 people" in said
    (row,) = [line.split() for line in said.splitlines() if line.startswith(" 12 ")]
    assert row == ["12", "lip", "corner", "puller", "4", "3", *["1.000"] * 4, "2/2"]
    assert "Annotated units without scores: AU 17 (1 clip), AU 26 (1 clip)." in said
    assert "1 clip has no annotated units and has no part in this." in said
    assert (
        "Nothing moves above the noise in 1 clip: all scores are 0 there (action_units.csv, reason)." in said
    )
    assert "The head moves too far in 1 clip: the action units are not to be trusted there" in said
    assert "SSSNet (2022)" in said and "casme2, published" in said and "Only a scale" in said
    assert "out, F1 (2 of" in said  # these units
    assert f"-> {tmp_path / 'out' / 'action_units.csv'}" in said and "Weights: " not in said


def test_units_that_cannot_be_scored_are_named_with_the_reason(tmp_path: Path) -> None:
    """All four clips show AU 4 or none does; no clip shows AU 12, or some do."""
    cases = {
        "17 17 17 17": "No unit can be scored: no clip shows AU 4, 12. ",
        "4 4 4 4": "No unit can be scored: every clip shows AU 4; no clip shows AU 12. ",
        "12 17 12 17": "Not scored: no clip shows AU 4. ",
    }
    for number, (codes, line) in enumerate(cases.items()):
        folder = write_annotated(tmp_path / f"prepared-{number}", codes.split(), [*"aabb"]).folder
        out = tmp_path / f"out-{number}"
        said = learnet("evaluate", folder, out, "--action-units", "--weights", "w").stdout
        assert f"{line}A score needs clips that show the unit and clips that do not.\n" in said
        rows = [text.split()[0] for text in said.splitlines() if text.startswith((" 4 ", " 12 "))]
        assert rows == (["12"] if line.startswith("Not") else []) and ("Mean of" in said) == bool(rows)
        assert len(scores_of(out)) == 4 and scores_of(out)["AU4"].notna().all()


def test_options_that_do_not_go_together(prepared: Path, tmp_path: Path) -> None:
    words = ("evaluate", prepared, tmp_path / "out", "--action-units")
    said = learnet(*words, "--classes", "megc-3", code=2).stderr
    assert said == "learnet: --classes has no effect on --action-units. Leave one of them out.\n"


def test_a_report_says_that_these_are_no_classes(prepared: Path, tmp_path: Path) -> None:
    evaluate_action_units(prepared, "w", tmp_path / "out")
    with pytest.raises(BadInput, match="it holds scores of action units, not of classes"):
        read_outcomes(tmp_path / "out")


def test_without_emotions_a_study_of_classes_says_what_is_missing(tmp_path: Path) -> None:
    folder = write_annotated(
        tmp_path / "units", ["4", "12"], ["a", "b"], columns={"emotion": ["", ""]}
    ).folder
    said = learnet("evaluate", folder, tmp_path / "out", code=2).stderr
    assert "its clips have no emotions, only action units. Use --action-units" in said
    assert said.count("\n") == 1


def test_simulated_images_of_no_emotion_have_no_classes(tmp_path: Path) -> None:
    """They are labelled any and alone, which is not a matter of other weights."""
    simulate_flow(tmp_path / "simulated", 8, ("any", "alone"), jobs=1)
    for command in ("evaluate", "study"):
        said = learnet(command, tmp_path / "simulated", tmp_path / "out", code=2).stderr
        assert "simulated: its clips have no emotions, only action units. Use --action-units or --tar" in said
        assert said.count("\n") == 1 and not (tmp_path / "out").exists()
