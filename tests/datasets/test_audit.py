"""The tables of an audit, counted here by hand."""

import csv
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from learnet.core.errors import BadInput
from learnet.core.records import Clip, DatasetIndex, Finding
from learnet.datasets.audit import audit_table, count_rows, finding_rows, write_audit_csv
from learnet.datasets.readers.casme2 import CASME2
from learnet.datasets.readers.casme3 import CASME3
from learnet.datasets.readers.folder import FOLDER
from learnet.datasets.readers.reading.dataset import Dataset
from tests.builders.written_by_hand import database


def reading(*clips: tuple[str, str]) -> DatasetIndex:
    made = [
        Clip(Path("x"), "d", subject, str(place), emotion, 1, 2, 3, 25.0)
        for place, (subject, emotion) in enumerate(clips)
    ]
    findings = [
        Finding("small", "a", "first small"), Finding("grave", "b", "one grave", serious=True),
        Finding("small", "c", "second small"), Finding("small", "e", "a grave small", serious=True),
    ]  # fmt: skip
    return DatasetIndex(made, findings, {"workbook": "book, 7 columns"})


def test_counts_stand_beside_the_published_ones() -> None:
    rows = count_rows(
        reading(("1", "disgust"), ("1", "disgust"), ("2", "disgust"), ("2", "fear"), ("2", "anger")), CASME2
    )
    assert rows == [
        ["others", 0, 0, 99], ["disgust", 3, 2, 63], ["happiness", 0, 0, 32], ["repression", 0, 0, 27],
        ["surprise", 0, 0, 25],
        ["sadness", 0, 0, 7], ["fear", 1, 1, 2], ["anger", 1, 1, 0], ["all", 5, 2, 255],
        ["in casme2-5", 3, 2, 246],
    ]  # fmt: skip


def test_counts_without_published_ones() -> None:
    rows = count_rows(reading(("1", "disgust"), ("2", "fear"), ("2", "fear")), FOLDER)
    assert rows == [["fear", 2, 1, "-"], ["disgust", 1, 1, "-"], ["all", 3, 2, "-"]]


def test_counts_of_a_part_stand_beside_those_published_of_it() -> None:
    """Part C of CAS(ME)^3 has other labels and another usual scheme; macro-expressions have no counts."""
    part = reading(("1", "negative"), ("2", "others"))
    assert count_rows(replace(part, published={"negative": 99, "surprise": 30}), CASME3) == [
        ["negative", 1, 1, 99], ["surprise", 0, 0, 30], ["others", 1, 1, 0], ["all", 2, 2, 129],
        ["in casme3-4", 2, 2, 129],
    ]  # fmt: skip
    assert count_rows(replace(part, published={}), CASME3)[:3] == [
        ["negative", 1, 1, "-"],
        ["others", 1, 1, "-"],
        ["all", 2, 2, "-"],
    ]
    assert [row[0] for row in count_rows(reading(("1", "fear")), CASME3)][-1] == "in casme3-7"


def test_findings_are_grouped_with_the_serious_ones_first() -> None:
    assert finding_rows(reading()) == [
        ["grave", 1, "yes", "b: one grave"],
        ["small", 1, "yes", "e: a grave small"],
        ["small", 2, "no", "a: first small"],
    ]


def test_the_tables_of_a_database(tmp_path: Path) -> None:
    tables = audit_table(CASME2.read(database(tmp_path)), CASME2)
    assert list(tables["emotions"].columns) == ["emotion", "clips", "people", "published"]
    people = tables["people"].set_index("person")
    assert people["clips"].to_dict() == {"casme2/01": 2, "casme2/02": 1, "casme2/17": 1, "casme2/24": 1}
    assert people.loc["casme2/01", "happiness"] == people.loc["casme2/01", "disgust"] == 1
    assert people.drop(columns="clips").to_numpy().sum() == 5
    assert list(tables["findings"]["kind"]) == ["apex not given", "apex on the border", "folder without row"]


def test_nothing_found_still_gives_tables() -> None:
    tables = audit_table(DatasetIndex([], []), CASME2)
    assert len(tables["people"]) == len(tables["findings"]) == 0
    assert tables["emotions"]["clips"].sum() == 0


def test_the_file_holds_all_of_it_and_appears_whole(tmp_path: Path) -> None:
    path = tmp_path / "audit.csv"
    write_audit_csv(reading(("1", "fear")), path, CASME2)
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.reader(file))
    assert rows[0] == ["kind", "where", "what", "serious"]
    assert rows[1] == ["about", "workbook", "book, 7 columns", "False"]
    assert ["count", "fear", "1 clip, 1 person, published 2", "False"] in rows
    assert rows[-4:-2] == [["small", "a", "first small", "False"], ["grave", "b", "one grave", "True"]]
    assert rows[-2:] == [["small", "c", "second small", "False"], ["small", "e", "a grave small", "True"]]
    assert pd.read_csv(path)["serious"].sum() == 2
    assert [entry.name for entry in tmp_path.iterdir()] == ["audit.csv"]


def test_a_file_that_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "audit.csv").mkdir()
    (tmp_path / "file").touch()
    for place in (tmp_path / "audit.csv", tmp_path / "file" / "audit.csv"):
        with pytest.raises(BadInput, match="cannot be written"):
            write_audit_csv(reading(), place)
    assert sorted(entry.name for entry in tmp_path.rglob("*")) == ["audit.csv", "file"]
    write_audit_csv(reading(), tmp_path / "new" / "folders" / "audit.csv")
    assert [entry.name for entry in (tmp_path / "new" / "folders").iterdir()] == ["audit.csv"]


def test_a_dataset_hides_nobody_by_default() -> None:
    assert not Dataset("x", "X", CASME2.read, 25.0).is_hidden("12")
