"""The numbers of docs/results-spotting.md: those of the last measurement, and of published logs."""

import importlib
import json
import re
from pathlib import Path
from types import ModuleType

import pytest

from learnet.metrics.spotting.score import score_spotting

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "results-spotting.md").read_text(encoding="utf-8")

LOGS = ROOT.parent / "shared" / "real" / "spotting"


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    return importlib.import_module("spotting_table")


def test_the_table_of_films_is_that_of_the_last_measurement(bench: ModuleType) -> None:
    """Paste what `python benchmarks/spotting_table.py` prints where this fails."""
    report = json.loads((ROOT / "benchmarks" / "results" / "spotting.json").read_text())
    lines = bench.table_lines(report)
    assert len(lines) == 2 + 1 + 4 + 3
    missing = [line for line in lines if line not in PAGE.splitlines()]
    assert not missing, "\n".join(missing)


@pytest.mark.skipif(not LOGS.is_dir(), reason="the published logs are not part of the project")
@pytest.mark.parametrize(
    ("log", "name", "fps"), [("of_fd_samm_lv", "SAMM-LV", 200.0), ("of_fd_casme_sq", "CAS(ME)^2", 30.0)]
)
def test_the_scores_of_published_logs(log: str, name: str, fps: float) -> None:
    report = score_spotting(LOGS / f"{log}.csv", fps=fps)
    (row,) = [line for line in PAGE.splitlines() if line.startswith(f"| {name} |")]
    printed = [float(number) for number in re.findall(r"0\.\d{4}", row)]
    any_flags, typed_flags = report.conventions[-2:]
    first = report.conventions[0]
    scores = [any_flags.kinds[0], typed_flags.kinds[0], *first.kinds]
    assert printed == [round(kind.f1 or 0.0, 4) for kind in scores]
