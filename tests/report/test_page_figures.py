"""The numbers of a page's figures: what the page holds and what lies beside it are the same, and nobody
else's files are touched."""

import csv
import os
from pathlib import Path

import pandas as pd
import pytest
from sklearn.metrics import confusion_matrix

from learnet.core.errors import OutputTaken
from learnet.metrics.calibration import calibration
from learnet.report.page import write_report
from learnet.report.study_record import read_record
from tests.builders.read_page import Page
from tests.builders.written_study import CLASSES, write_prepared, write_study


class Killed(BaseException):
    pass


@pytest.fixture
def study(tmp_path: Path) -> Path:
    return write_study(tmp_path / "learnet", write_prepared(tmp_path / "prepared"), seeds=(0,))


def test_the_page_alone_has_every_number(study: Path, tmp_path: Path) -> None:
    page = Page(write_report([study], tmp_path / "page.html"))
    beside = tmp_path / "page-csv"
    assert set(page.links) | {"index.csv"} == {file.name for file in beside.iterdir()}
    for name, rows in page.links.items():
        assert rows == list(csv.reader((beside / name).read_text().splitlines()))
    index = list(csv.reader((beside / "index.csv").read_text().splitlines()))
    assert [row[0] for row in index] == ["file", *page.links] and all(len(row[1]) > 20 for row in index[1:])
    assert len(page.links) == sum(tag == "svg" for tag, _ in page.elements)  # every figure has its own


def test_the_numbers_are_those_drawn(study: Path, tmp_path: Path) -> None:
    links = Page(write_report([study], tmp_path / "page.html")).links
    answers, record = pd.read_csv(study / "outcomes.csv"), read_record(study)
    counts = [list(map(int, row[1:])) for row in links["confusion-1.csv"][1:]]
    assert counts == confusion_matrix(answers["truth"], answers["prediction"], labels=CLASSES).tolist()
    scores = {(row[0], row[1]): row[2:5] for row in links["intervals.csv"][1:]}
    for name, measure in (("accuracy", "accuracy"), ("UF1", "uf1"), ("UAR", "uar")):
        told = record.summary.mean[measure]
        assert list(map(float, scores["learnet", name])) == pytest.approx(
            [told.value, told.low, told.high], abs=1e-5
        )
    found = calibration(record.outcomes, record.classes)
    assert [int(row[2]) for row in links["reliability-1.csv"][1:]] == found.counts.tolist()
    for row, right in zip(links["reliability-1.csv"][1:], found.right, strict=True):
        assert row[4] == ("" if right != right else f"{right:.6g}")


def test_tables_of_an_earlier_page_go_and_other_files_stay(study: Path, tmp_path: Path) -> None:
    other = write_study(tmp_path / "svm", tmp_path / "prepared", "linear-svm", seeds=(0,))
    out, beside = tmp_path / "page.html", tmp_path / "page-csv"
    write_report([study, other], out)
    assert (beside / "confusion-2.csv").is_file()
    (beside / "mine.csv").write_text("kept")
    write_report([study], out)
    assert not (beside / "confusion-2.csv").exists() and (beside / "mine.csv").read_text() == "kept"


def test_an_index_cannot_reach_outside(study: Path, tmp_path: Path) -> None:
    write_report([study], tmp_path / "page.html")
    victim = tmp_path / "victim.csv"
    victim.write_text("kept")
    with (tmp_path / "page-csv" / "index.csv").open("a") as file:
        file.write("../victim.csv,x\n")
    write_report([study], tmp_path / "page.html")
    assert victim.read_text() == "kept"


@pytest.mark.parametrize("kind", ["file", "folder"])
def test_a_folder_of_something_else_is_refused_before_anything_is_written(
    study: Path, tmp_path: Path, kind: str
) -> None:
    taken = tmp_path / "page-csv"
    if kind == "file":
        taken.write_text("mine")
    else:
        taken.mkdir()
        (taken / "confusion-1.csv").write_text("mine")
    with pytest.raises(OutputTaken, match="page-csv"):
        write_report([study], tmp_path / "page.html")
    assert not (tmp_path / "page.html").exists()
    assert (taken if kind == "file" else taken / "confusion-1.csv").read_text() == "mine"


def test_a_page_that_ends_before_any_of_its_files_is_written_again(
    study: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each write fails in turn, as on a full disk or by a kill; so it does over an earlier page."""
    write_report([study], tmp_path / "whole.html")
    whole = {file.name: file.read_bytes() for file in (tmp_path / "whole-csv").iterdir()}
    real = os.replace
    other = write_study(tmp_path / "svm", tmp_path / "prepared", "linear-svm", seeds=(0,))
    write_report([study, other], tmp_path / "page.html")
    for number in range(len(whole) + 1):
        left = [number]

        def replace(source: Path, target: Path, left: list[int] = left) -> None:
            if left[0] == 0:
                raise Killed
            left[0] -= 1
            real(source, target)

        for name in ("page", f"new-{number}"):
            left[0] = number
            with monkeypatch.context() as patch:
                patch.setattr(os, "replace", replace)
                with pytest.raises(Killed):
                    write_report([study], tmp_path / f"{name}.html")
            write_report([study], tmp_path / f"{name}.html")
            files = {file.name: file.read_bytes() for file in (tmp_path / f"{name}-csv").iterdir()}
            assert files == whole
