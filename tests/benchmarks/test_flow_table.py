"""The table of networks on real flow: its predictions are those of two studies, loso and leaky-epoch."""

import importlib
import json
from pathlib import Path
from types import ModuleType

import pytest

from learnet.core.records import Outcome
from learnet.core.settings import Resources, Study, Training
from learnet.study.outcomes import read_outcomes
from learnet.study.run import run_study
from tests.builders.commands import import_noise, learnet

SETTINGS = Training(detrend=True, clipping_percentile=98, epochs=4, batch_size=8, learning_rate=3e-3)
ONE = Resources(jobs=1, device="cpu")


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> ModuleType:
    monkeypatch.syspath_prepend(str(Path(__file__).resolve().parents[2] / "benchmarks"))
    module = importlib.import_module("flow_table")
    monkeypatch.setattr(module, "SETTINGS", SETTINGS)
    monkeypatch.setattr(module, "FOLDER", tmp_path / "table")
    return module


@pytest.fixture
def flow(tmp_path: Path) -> Path:
    """Eight people with an image of noise for each class."""
    return import_noise(tmp_path, "casme2", people=8, seed=0, kind="flow")


def read(bench: ModuleType, network: str, leaky: bool) -> dict[str, Outcome]:
    """Return the outcomes of the table by clip."""
    found = bench.outcomes(bench.Files(groups=0), network, 0, leaky)
    return {outcome.clip: outcome for outcome in found}


@pytest.mark.parametrize("network", ["ststnet", "linear-svm"])
def test_the_last_epoch_is_that_of_a_study(
    bench: ModuleType, flow: Path, tmp_path: Path, network: str
) -> None:
    bench.train_network(flow, network, 0, bench.Files(groups=0))
    run_study(flow, tmp_path / "study", Study(network=network, classes="megc-3"), SETTINGS, ONE)
    expected = read_outcomes(tmp_path / "study")
    found = read(bench, network, leaky=False)
    assert len(found) == len(expected) == 24
    for outcome in expected:
        assert found[outcome.clip].scores == pytest.approx(outcome.scores, abs=2e-5)
        assert found[outcome.clip].prediction == outcome.prediction


def test_the_best_epoch_is_that_of_a_leaky_study(bench: ModuleType, flow: Path, tmp_path: Path) -> None:
    bench.train_network(flow, "ststnet", 0, bench.Files(groups=0))
    study = Study(network="ststnet", classes="megc-3", protocol="leaky-epoch")
    run_study(flow, tmp_path / "study", study, SETTINGS, ONE)
    found = read(bench, "ststnet", leaky=True)
    honest = read(bench, "ststnet", leaky=False)
    expected = read_outcomes(tmp_path / "study")
    assert {outcome.clip: outcome.prediction for outcome in expected} == {
        clip: outcome.prediction for clip, outcome in found.items()
    }
    right = [sum(one.prediction == one.truth for one in of.values()) for of in (found, honest)]
    assert right[0] > right[1]  # otherwise the choice of the epoch was not seen


def test_groups_are_those_of_repeated_splits(bench: ModuleType, flow: Path, tmp_path: Path) -> None:
    files = bench.Files(groups=3)
    for seed in (0, 1):
        bench.train_network(flow, "ststnet", seed, files)
    study = Study(
        network="ststnet", classes="megc-3", protocol="groups", groups=3, seeds=2, repeated_splits=True
    )
    run_study(flow, tmp_path / "study", study, SETTINGS, ONE)
    expected = {(outcome.seed, outcome.clip): outcome for outcome in read_outcomes(tmp_path / "study")}
    assert len(expected) == 48
    for seed in (0, 1):
        for outcome in bench.outcomes(files, "ststnet", seed):
            assert outcome.scores == pytest.approx(expected[seed, outcome.clip].scores, abs=2e-5)


def test_selected_settings_are_those_of_the_commands(
    bench: ModuleType, flow: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = bench.Files(groups=3)
    bench.train_network(flow, "linear-svm", 0, files)
    bench.select_network(flow, "linear-svm", 0, files)
    selection, study = tmp_path / "selection", tmp_path / "study"
    network = ("--network", "linear-svm", "--classes", "megc-3", "--groups", "3", "--jobs", "1")
    learnet("select", flow, selection, "--candidates", "flow-clipping", *network)
    learnet("study", flow, study, "--protocol", "groups", "--selection", selection, *network)
    assert files.selected_file("linear-svm", 0).read_text() == (study / "outcomes.csv").read_text()
    capsys.readouterr()
    bench.print_table(files)
    row = capsys.readouterr().out.splitlines()[2].removesuffix(" |").split(" | ")
    uf1 = json.loads((study / "metrics.json").read_text())["mean"]["uf1"]["value"]
    assert row[7] == f"{uf1:.3f}"


def test_a_simple_learner_is_selected_with_its_settings(
    bench: ModuleType, flow: Path, tmp_path: Path
) -> None:
    files = bench.Files(groups=3)
    bench.select_network(flow, bench.ANY_SIMPLE, 0, files)
    selection, study = tmp_path / "selection", tmp_path / "study"
    groups = ("--classes", "megc-3", "--groups", "3", "--jobs", "1")
    learnet("select", flow, selection, "--candidates", "flow-simple", *groups)
    learnet("study", flow, study, "--protocol", "groups", "--selection", selection, *groups)
    assert files.selected_file(bench.ANY_SIMPLE, 0).read_text() == (study / "outcomes.csv").read_text()


def test_the_table_has_a_row_for_each_network(
    bench: ModuleType, flow: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = bench.Files(groups=0)
    for network in ("majority", "linear-svm", "ststnet", "learnet"):
        bench.train_network(flow, network, 0, files)
    bench.print_table(files)
    for table, columns in zip(capsys.readouterr().out.split("\n\n"), (8, 5), strict=True):
        rows = [line.split(" | ") for line in table.splitlines()]
        assert sorted(row[0] for row in rows[2:]) == [
            "| `learnet`",
            "| `linear-svm`",
            "| `majority`",
            "| `ststnet`",
        ]
        assert {len(row) for row in rows} == {columns}
        if columns == 8:
            scores = [float(row[2].split(" ")[0]) for row in rows[2:]]
            assert scores == sorted(scores, reverse=True)


@pytest.mark.slow
@pytest.mark.parametrize(("groups", "command"), [(5, "table --groups 5"), (0, "table")])
def test_the_page_of_results_shows_the_table(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], groups: int, command: str
) -> None:
    root = Path(__file__).resolve().parents[2]
    monkeypatch.syspath_prepend(str(root / "benchmarks"))
    bench = importlib.import_module("flow_table")
    bench.print_table(bench.Files(groups))
    page = (root / "docs" / "results.md").read_text(encoding="utf-8")
    start = f"<!-- python benchmarks/flow_table.py {command} -->\n"
    shown = page.partition(start)[2].partition("<!-- end of the table -->")[0]
    assert shown.strip() == capsys.readouterr().out.strip()
