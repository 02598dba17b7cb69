"""The clips that are wrong in every study, counted from the files of outcomes."""

import csv
from pathlib import Path

import pandas as pd
import pytest

from learnet.report.comparison.wrong import wrong_csv, wrong_in_every_study, wrong_table, wrong_text
from learnet.report.study_record import read_records
from tests.builders.commands import learnet
from tests.builders.written_study import CLASSES, write_prepared, write_study


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Three studies that count, one that leaks and is right more often, and one that ignores the images."""
    home = tmp_path_factory.mktemp("wrong")
    prepared = write_prepared(home / "prepared", people=9, clips=4)
    return [
        write_study(home / "learnet", prepared, skill=0.2),
        write_study(home / "lda", prepared, "lda", seeds=(0,), skill=0.3),
        write_study(home / "svm", prepared, "linear-svm", seeds=(0,), skill=0.1),
        write_study(home / "leaky", prepared, "lda", seeds=(0,), skill=0.9, protocol="leaky-clips"),
        write_study(home / "majority", prepared, "majority", seeds=(0,), skill=0),
    ]


def right_clips(study: Path) -> set[str]:
    """Return the clips whose highest mean score over seeds is that of the true class."""
    table = pd.read_csv(study / "outcomes.csv")
    means = table.groupby(["clip", "truth"])[list(CLASSES)].mean().reset_index()
    best = means[list(CLASSES)].idxmax(axis=1)
    return set(means.loc[best == means["truth"], "clip"])


def test_clips_are_those_that_no_study_predicts_correctly(folders: list[Path]) -> None:
    records = read_records(folders)
    clips = {outcome.clip for outcome in records[0].outcomes}
    expected = clips - right_clips(folders[0]) - right_clips(folders[1]) - right_clips(folders[2])
    assert 0 < len(expected) < len(clips), "or the example shows nothing"
    found = wrong_in_every_study(records)
    assert {wrong.clip for wrong in found} == expected
    for wrong in found:
        assert list(wrong.predictions) == ["learnet", "lda", "svm"]
        assert wrong.truth not in wrong.predictions.values()
    assert wrong_text(records) == f"{len(expected)} of {len(clips)} clips are wrong in all 3 studies"
    rows = list(csv.DictReader(wrong_csv(records).splitlines()))
    assert [row["clip"] for row in rows] == [wrong.clip for wrong in found]
    assert list(rows[0]) == ["clip", "person", "truth", "learnet", "lda", "svm"]
    cells = [line.cells for line in wrong_table(records).lines]
    for row, (clip, person, truth, predicted) in zip(rows, cells, strict=True):
        assert (row["clip"], row["person"], row["truth"]) == (clip, person, truth)
        assert all(row[study] in predicted for study in ("learnet", "lda", "svm"))


def test_one_study_has_nothing_in_common_with_others(folders: list[Path]) -> None:
    for few in (folders[:1], folders[2:]):  # of the latter, two do not count
        records = read_records(few)
        assert wrong_in_every_study(records) == []
        assert wrong_text(records) == ""


def test_the_command_says_how_many_and_writes_the_list(folders: list[Path], tmp_path: Path) -> None:
    records = read_records(folders)
    said = " ".join(learnet("compare", *folders).stdout.split())
    assert f"{wrong_text(records)} (--wrong FILE.csv lists them)." in said
    table, page = tmp_path / "wrong.csv", tmp_path / "page.html"
    said = " ".join(learnet("compare", *folders, "--wrong", table, "--html", page).stdout.split())
    assert f"{wrong_text(records)}. " in said
    assert table.read_text(encoding="utf-8") == wrong_csv(records)
    text = page.read_text(encoding="utf-8")
    for wrong in wrong_in_every_study(records):
        assert wrong.clip in text
    assert wrong_text(records) in text
