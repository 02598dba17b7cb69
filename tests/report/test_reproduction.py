"""The commands of a page do what they say: read by the command line, and run."""

import json
import shlex
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from learnet.core.automatic_settings import resolve_detrend
from learnet.core.settings import Study, Training
from learnet.report.reproduction import command, comparison_command
from learnet.report.study_record import StudyRecord, read_record, read_records
from tests.builders.commands import learnet
from tests.builders.written_study import write_prepared, write_study


@pytest.fixture(scope="module")
def records(tmp_path_factory: pytest.TempPathFactory) -> list[StudyRecord]:
    home = tmp_path_factory.mktemp("commands")
    prepared = write_prepared(home / "prepared")
    return read_records(
        [
            write_study(home / "learnet", prepared),
            write_study(home / "svm", prepared, "linear-svm", seeds=(0,), skill=0.4),
        ]
    )


def run(line: str) -> str:
    """Run a command as a user pastes it."""
    program, *words = shlex.split(line)
    assert program == "learnet"
    return learnet(*words).stdout


def test_a_study_is_repeated(study_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    record = read_record(study_folder)
    run(command(record))
    first, repeated = (
        (folder / "outcomes.csv").read_text() for folder in (study_folder, tmp_path / "svm-again")
    )
    assert repeated.replace("svm-again,", "svm,") == first
    said = run(comparison_command(record))
    assert "only here 0" in said and "only there 0" in said


def test_an_evaluation_of_shipped_weights_is_repeated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The weights are named as `--weights` takes them, and not by their file inside the package."""
    monkeypatch.chdir(tmp_path)
    learnet("simulate", "flow", "--images", 30, "--jobs", 1)
    said = learnet("evaluate", "flow", "out").stdout
    assert "Classes: megc-3 (negative, positive, surprise)." in said
    assert "--weights mlp-cnn-flow-28 " in command(read_record(Path("out")))
    run(command(read_record(Path("out"))))
    first, repeated = ((tmp_path / name / "outcomes.csv").read_text() for name in ("out", "out-again"))
    assert repeated.replace("out-again,", "out,") == first


def test_a_selection_is_taken_from_the_study(records: list[StudyRecord], tmp_path: Path) -> None:
    """study.json holds the selection, so the folder of `learnet select` is not needed."""
    study = shutil.copytree(records[0].folder, tmp_path / "learnet")
    described = json.loads((study / "study.json").read_text())
    described["choice"] = {
        "network": described["network"],
        "classes": described["scheme"]["classes"],
        "fingerprint": described["prepared"]["fingerprint"],
        "seeds": [0],
        "candidates": {"plain": described["training"], "mixed": described["training"] | {"mixup": 0.4}},
        "groups": {"a": ["casme2/01"], "b": ["casme2/02"]},
        "scores": {"a": {"plain": 0.5, "mixed": 0.6}, "b": {"plain": 0.7, "mixed": 0.2}},
        "taken": {"a": "mixed", "b": "plain"},
    }
    (study / "study.json").write_text(json.dumps(described))
    record = read_record(study)
    assert shlex.split(command(record))[-2:] == ["--selection", str(study)]
    from learnet.study.selection import read_selection

    assert read_selection(study) == record.selection


def test_the_command_names_each_database_of_a_study_across_them(records: list[StudyRecord]) -> None:
    description = records[0].description
    asked = replace(description.settings, protocol="across", train_on=("casme2", "smic"), test_on=("samm",))
    words = command(replace(records[0], description=replace(description, settings=asked)))
    assert "--protocol across --train-on casme2 --train-on smic --test-on samm" in words


def test_the_command_asks_for_the_same_study(records: list[StudyRecord]) -> None:
    """Read by the command line itself: what it would run is what study.json says was run."""
    from learnet.cli import app

    for record in records:
        _, bound, _ = app.parse_args(shlex.split(command(record))[1:], print_error=False, exit_on_error=False)
        given = bound.arguments
        assert given.get("study", Study()) == record.description.settings
        asked = resolve_detrend(given.get("training", Training()), "image")
        assert asked == record.description.training
        folder, out = given["folders"]
        assert str(folder) == record.description.prepared.folder and out.name == f"{record.folder.name}-again"


@pytest.mark.parametrize(
    ("detrend", "percentile", "options"),
    [
        (True, 98, ""),
        (True, 90, "--clipping-percentile 90"),
        (False, 100, "--no-detrend --clipping-percentile 100"),
    ],
)
def test_the_command_names_what_is_not_the_default_for_flow_images(
    records: list[StudyRecord], detrend: bool, percentile: int, options: str
) -> None:
    from learnet.cli import app

    description = records[0].description
    training = replace(description.training, detrend=detrend, clipping_percentile=percentile)
    about = replace(description.prepared.about, images_kind="flow")
    of_flow = replace(description, training=training, prepared=replace(description.prepared, about=about))
    words = command(replace(records[0], description=of_flow))
    assert options in words and ("detrend" in words, "clipping" in words) == (not detrend, percentile != 98)
    _, bound, _ = app.parse_args(shlex.split(words)[1:], print_error=False, exit_on_error=False)
    assert resolve_detrend(bound.arguments["training"], "flow") == training


def test_the_command_writes_from_as_the_command_line_reads_it(records: list[StudyRecord]) -> None:
    from learnet.cli import app

    description = records[0].description
    training = replace(description.training, init="pretrained")
    words = command(replace(records[0], description=replace(description, training=training)))
    _, bound, _ = app.parse_args(shlex.split(words)[1:], print_error=False, exit_on_error=False)
    assert bound.arguments["training"].init == "pretrained"
