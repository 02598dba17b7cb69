"""Scores of people who were trained on are red on the terminal, with the reason, wherever they appear."""

from collections.abc import Callable
from pathlib import Path

import pytest

from learnet.cli import console
from learnet.cli.console import Console
from tests.builders.commands import learnet
from tests.builders.written_study import write_prepared, write_study

CONSEQUENCE = "The scores are too high and say nothing about people the network was not trained on."
RED = "\x1b[1;31m"
EVERYBODY = f"test people were also trained on (12 of 12). {CONSEQUENCE}"


@pytest.fixture(scope="module")
def studies(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """An honest study of 12 people, one that trains on those it tests, and one that stopped early."""
    home = tmp_path_factory.mktemp("studies")
    prepared = write_prepared(home / "prepared", people=12)
    return {
        "honest": write_study(home / "honest", prepared, seeds=(0,)),
        "leaky": write_study(home / "leaky", prepared, protocol="leaky-clips", skill=0.9, seeds=(0,)),
        "unfinished": write_unfinished(home / "unfinished", prepared),
    }


def write_unfinished(out: Path, prepared: Path) -> Path:
    """A study with the predictions of all people but the last."""
    write_study(out, prepared, seeds=(0,))
    lines = (out / "outcomes.csv").read_text(encoding="utf-8").splitlines(keepends=True)
    kept = [line for line in lines if ",casme2/12," not in line]
    (out / "outcomes.csv").write_text("".join(kept), encoding="utf-8")
    return out


def test_evaluation_on_people_of_the_training(
    tmp_path: Path, prepared_folder: Path, small_weights: Path
) -> None:
    said = learnet("evaluate", prepared_folder, tmp_path / "out", "--weights", small_weights).stdout
    assert f"out leaks: test people were also trained on (4 of 4). {CONSEQUENCE}" in said
    table = said[: said.index("out leaks")]
    assert " leaky " in table, table


def test_an_honest_study_is_not_called_leaky(tmp_path: Path, prepared_folder: Path) -> None:
    assert "leak" not in learnet("study", prepared_folder, tmp_path / "x", "--network", "majority").stdout


@pytest.mark.parametrize(
    "words",
    [
        lambda all_: ("score", all_["leaky"], "--no-check"),
        lambda all_: ("compare", all_["honest"], all_["leaky"]),
        lambda all_: ("report", all_["leaky"], "--explained", 0),
    ],
    ids=["score", "compare", "report"],
)
def test_commands_say_it(studies: dict[str, Path], words: Callable[[dict[str, Path]], tuple]) -> None:
    said = learnet(*words(studies)).stdout
    assert "leaky leaks: test people were also trained on (12 of 12)" in said
    assert CONSEQUENCE in said


def test_a_report_of_an_unfinished_study_says_so(studies: dict[str, Path]) -> None:
    said = learnet("report", studies["unfinished"], "--explained", 0).stdout
    assert "unfinished is unfinished: 66 of 72 predictions." in said  # 12 people of 6 clips, one is missing


def test_the_sentence_is_red(monkeypatch: pytest.MonkeyPatch) -> None:
    colourful = Console(force_terminal=True, color_system="standard", highlight=False, soft_wrap=True)
    monkeypatch.setattr(console, "out", colourful)
    with colourful.capture() as capture:
        console.leak_warning("mine", "test people were also trained on (12 of 12)")
    assert capture.get() == f"{RED}mine leaks: {EVERYBODY}\x1b[0m\n"
