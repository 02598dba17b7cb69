"""Every database from the command line: written in its layout, audited, prepared, studied. What a user does
before the licence comes."""

import csv
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from learnet.core.labels import SCHEMES
from learnet.datasets import DATASETS
from learnet.datasets.synthetic.databases import COMPOSITES
from learnet.datasets.synthetic.layouts import LAYOUTS
from tests.builders.commands import learnet

ALL = {
    "4dme": 3,
    "casme": 3,
    "casme2": 3,
    "casme3": 4,
    "casme-sq": 4,
    "dfme": 3,
    "mmew": 3,
    "samm": 3,
    "smic": 3,
    "smic-e": 3,
}
"""Layout -> clips of each of three people; enough that two classes of its scheme occur."""


def test_every_database_is_here() -> None:
    clips = LAYOUTS.keys() - {"samm-lv"}  # whole recordings, which `learnet recordings` reads
    assert {*ALL, *COMPOSITES} == DATASETS.keys() - {"folder"} == clips | COMPOSITES.keys()


@pytest.mark.parametrize("layout", sorted(ALL))
def test_synthesize_audit_prepare_study(
    layout: str, tmp_path: Path, synthetic_database: Callable[..., Path]
) -> None:
    root = synthetic_database(layout, people=3, clips=ALL[layout])
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
    learnet("study", tmp_path / "prepared", tmp_path / "svm", "--network", "linear-svm")
    study = json.loads((tmp_path / "svm" / "study.json").read_text())
    assert study["scheme"]["name"] == DATASETS[layout].default_scheme
    assert study["prepared"]["about"]["synthetic"] is True
    answers = list(csv.DictReader((tmp_path / "svm" / "outcomes.csv").open(newline="")))
    scheme = SCHEMES[DATASETS[layout].default_scheme]
    assert len(answers) == sum(row["emotion"] in scheme.of for row in clips) > 3


def test_the_composite_of_three_databases(tmp_path: Path, synthetic_database: Callable[..., Path]) -> None:
    root = synthetic_database("megc2019", people=2, clips=3)
    choice = ("megc2019", root, "--list", root / "combined_3class_gt.csv")
    listed = (root / "combined_3class_gt.csv").read_text().splitlines()
    assert (
        f"{len(listed)} of {len(listed)} in the list, 6 people"
        in learnet("audit", *choice, "--no-check").stdout
    )
    learnet("prepare", *choice[:2], tmp_path / "prepared", *choice[2:])
    learnet("study", tmp_path / "prepared", tmp_path / "svm", "--network", "linear-svm")
    study, metrics = (
        json.loads((tmp_path / "svm" / f"{name}.json").read_text()) for name in ("study", "metrics")
    )
    assert study["scheme"]["name"] == "megc-3" and len(study["folds"]) == 6
    assert {name: part["clips"] for name, part in metrics["datasets"].items()} == {
        name: sum(line.startswith(f"{name},") for line in listed) for name in ("casme2", "samm", "smic")
    }
    log = (tmp_path / "svm" / "megc.log").read_text().splitlines()  # in the challenge's own words
    assert {f"casme2,sub{line.split()[1]}" for line in log if line.startswith("casme2 ")} <= {
        line.rpartition(",")[0].rpartition(",")[0] for line in listed
    }
    assert {line.split()[0] for line in log if len(line.split()) == 3} == {
        line.split(",")[2] for line in listed
    }


def test_two_databases_prepared_at_once(tmp_path: Path) -> None:
    """Subject 01 of one and 001 of the other stay two people."""
    for name in ("casme2", "samm"):
        learnet("synthesize", tmp_path / name, "--layout", name, "--people", 2, "--clips", 2, "--seed", 2)
    learnet("prepare", "casme2", tmp_path / "casme2", "samm", tmp_path / "samm", tmp_path / "both")
    clips = list(csv.DictReader((tmp_path / "both" / "clips.csv").open(newline="", encoding="utf-8")))
    assert {row["person"] for row in clips} == {"casme2/01", "casme2/02", "samm/001", "samm/002"} and len(
        clips
    ) == 8
    learnet("study", tmp_path / "both", tmp_path / "lodo", "--network", "majority", "--protocol", "lodo")
    assert len(json.loads((tmp_path / "lodo" / "study.json").read_text())["folds"]) == 2
    for words in (
        ("prepare", "casme2", tmp_path / "casme2", "samm"),
        ("prepare", "casme2", tmp_path / "casme2"),
    ):
        assert "The database, its folder or the output folder is missing" in learnet(*words, code=2).stderr
