"""Every database from the command line: written in its layout, audited, prepared, studied. What a user does before the licence comes."""

import csv
import json
from pathlib import Path

import pytest
from commands import learnet

from learnet.datasets import DATASETS
from learnet.datasets.layouts import LAYOUTS
from learnet.labels import SCHEMES

ALL = {"4dme": 3, "casme": 3, "casme2": 3, "casme3": 4, "casme-sq": 4, "mmew": 3, "samm": 3, "smic": 3, "smic-e": 3}
"""Layout -> clips of each of three people; enough that two classes of its scheme occur."""


def test_every_database_is_here() -> None:
    assert {*ALL, "megc2019"} == DATASETS.keys() - {"folder"} == LAYOUTS.keys() | {"megc2019"}


@pytest.mark.parametrize("layout", sorted(ALL))
def test_synthesize_audit_prepare_study(layout: str, tmp_path: Path) -> None:
    root = tmp_path / "database"
    learnet("synthesize", root, "--layout", layout, "--people", 3, "--clips", ALL[layout], "--seed", 1)
    audit = learnet("audit", layout, root, "--csv", tmp_path / "audit.csv", "--deep", "--no-check")
    assert DATASETS[layout].title in audit.stdout and "clips" in audit.stdout
    rows = list(csv.DictReader((tmp_path / "audit.csv").open(newline="", encoding="utf-8")))
    assert not [row for row in rows if row["kind"] in ("images damaged", "image sizes differ")]
    serious = {row["kind"] for row in rows if row["serious"] == "True"}
    learnet("audit", layout, root, code=1 if serious else 0)
    learnet("prepare", layout, root, tmp_path / "prepared")
    clips = list(csv.DictReader((tmp_path / "prepared" / "clips.csv").open(newline="", encoding="utf-8")))
    assert {row["dataset"] for row in clips} == {layout}
    assert len({row["person"] for row in clips}) == 3
    assert {row["emotion"] for row in clips} <= {emotion for emotion in SCHEMES[DATASETS[layout].classes].of} | {
        "fear",
        "sadness",
        "disgust",
    }
    learnet("study", tmp_path / "prepared", tmp_path / "svm", "--network", "linear-svm")
    study = json.loads((tmp_path / "svm" / "study.json").read_text())
    assert study["scheme"]["name"] == DATASETS[layout].classes
    assert study["prepared"]["about"]["synthetic"] is True
    answers = list(csv.DictReader((tmp_path / "svm" / "outcomes.csv").open(newline="")))
    assert len(answers) == sum(row["emotion"] in SCHEMES[DATASETS[layout].classes].of for row in clips) > 3
