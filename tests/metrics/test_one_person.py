"""One person has no interval: all resamples are the same, and a width of zero would suggest certainty."""

import csv
import json
import re
from pathlib import Path

import numpy as np
import pytest

from learnet.cli import app, console
from learnet.core.serialisation import to_plain
from learnet.metrics.calibration import calibration
from learnet.metrics.score import score, scores_to_csv
from learnet.metrics.scores import ONE_PERSON, interval_text
from learnet.metrics.significance import difference
from learnet.metrics.summary import summarise
from learnet.report.comparison.compare import compare
from learnet.report.comparison.databases import comparison_tables
from learnet.report.comparison.writers import as_csv
from learnet.report.explain.localisation import bootstrap_over_people
from learnet.report.page import write_report
from learnet.study.outcomes import read_outcomes
from tests.builders.read_page import Page
from tests.builders.written_study import CLASSES, write_prepared, write_study


@pytest.fixture(autouse=True)
def wide(monkeypatch: pytest.MonkeyPatch) -> None:
    """A terminal in which the text fits into one line."""
    monkeypatch.setattr(console.out, "width", 200)


@pytest.fixture
def studies(tmp_path: Path) -> list[Path]:
    """Two studies of ten clips of one person."""
    prepared = write_prepared(tmp_path / "prepared", people=1, clips=10)
    return [
        write_study(tmp_path / "learnet", prepared),
        write_study(tmp_path / "svm", prepared, "linear-svm", skill=0.4),
    ]


def test_numbers_have_none_as_ends(studies: list[Path]) -> None:
    outcomes, others = (read_outcomes(study) for study in studies)
    summary = summarise(outcomes, CLASSES)
    assert summary.calibration
    measures = [*summary.mean.values(), *summary.seeds["0"].measures.values(), summary.calibration.ece]
    for measure in measures:
        assert measure.low is None and measure.high is None and 0 < measure.value < 1
    json.dumps(to_plain(summary), allow_nan=False)
    assert np.isnan(list(difference(outcomes, others, CLASSES).limits.values())).all()
    assert np.isnan(calibration(outcomes, CLASSES).limits).all()
    assert bootstrap_over_people(np.array([0.2, 0.4]), ["a", "a"])[0] == pytest.approx(0.3)
    assert np.isnan(bootstrap_over_people(np.array([0.2, 0.4]), ["a", "a"])[1:]).all()
    assert not np.isnan(bootstrap_over_people(np.array([0.2, 0.4]), ["a", "b"])).any()


def test_a_bin_of_one_person_has_none(tmp_path: Path) -> None:
    """Counted bin by bin: two or more people give an interval, one or none gives none."""
    outcomes = read_outcomes(
        write_study(tmp_path / "learnet", write_prepared(tmp_path / "prepared", people=3), seeds=(0,))
    )
    found = calibration(outcomes, CLASSES)
    people: list[set[str]] = [set() for _ in range(10)]
    for outcome in outcomes:
        people[int(np.ceil(10 * max(outcome.scores))) - 1].add(outcome.person)
    assert 1 in map(len, people)
    assert np.isnan(found.limits).all(axis=1).tolist() == [len(those) < 2 for those in people]
    assert not np.isnan(found.ece_limits).any()


def test_a_database_of_one_person_has_none(tmp_path: Path) -> None:
    prepared = write_prepared(
        tmp_path / "prepared", people=4, dataset=lambda person: "samm" if person == 4 else "casme2"
    )
    parts = summarise(read_outcomes(write_study(tmp_path / "learnet", prepared)), CLASSES).datasets
    assert parts and parts["samm"].mean["uf1"].low is None and parts["casme2"].mean["uf1"].low is not None


def test_the_text() -> None:
    assert interval_text(0.661, 0.789) == "[0.66, 0.79]" and interval_text(0.5, 0.5) == "[0.50, 0.50]"
    assert (
        interval_text(None, None)
        == interval_text(float("nan"), float("nan"), "{} to {}")
        == ONE_PERSON
        == "no interval: one person"
    )


def test_the_report_shows_it(studies: list[Path], tmp_path: Path) -> None:
    page = Page(write_report(studies, tmp_path / "two.html"))
    assert (
        page.raw.count(ONE_PERSON) >= 2 * 3 + 1 + 3 + 1 + 2
    )  # scores, lead, differences, lead of the pair, calibrations
    assert not re.search(r"\bnan\b", page.raw, re.IGNORECASE)
    scores = (tmp_path / "two-csv" / "intervals.csv").read_text(encoding="utf-8").splitlines()
    assert scores[1].split(",")[3:5] == ["", ""]


def test_the_comparison_shows_it(studies: list[Path], capsys: pytest.CaptureFixture[str]) -> None:
    found = compare(studies)
    for sheet in comparison_tables(found)[:2]:
        assert all(ONE_PERSON in cell for cell in sheet.lines[0].cells[1:4])
    assert "nan" not in as_csv(found).lower()
    app(["compare", *map(str, studies)], exit_on_error=False, result_action="return_value")
    assert ONE_PERSON in capsys.readouterr().out


def test_learnet_score_shows_it(studies: list[Path], capsys: pytest.CaptureFixture[str]) -> None:
    app(["score", str(studies[0])], exit_on_error=False, result_action="return_value")
    assert ONE_PERSON in capsys.readouterr().out
    rows = csv.DictReader(scores_to_csv(score(studies[0])).splitlines())
    assert all(row["value"] and row["low"] == row["high"] == "" for row in rows)


def test_the_table_of_a_study_shows_it(studies: list[Path], capsys: pytest.CaptureFixture[str]) -> None:
    console.scores([("learnet", summarise(read_outcomes(studies[0]), CLASSES))])
    assert capsys.readouterr().out.count(ONE_PERSON) == 3
