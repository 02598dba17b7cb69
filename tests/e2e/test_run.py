"""`learnet run` as a user types it: a small recipe on synthetic clips, its table beside scikit-learn, cut off
and run again, mistakes."""

import csv
import re
import shutil
from pathlib import Path

import pandas as pd
import pytest
from sklearn.metrics import accuracy_score, f1_score, recall_score

from tests.builders.commands import learnet

RECIPE = """
title = "Small"
claim = "An SVM is better than nothing."
source = "this test"
networks = ["linear-svm", "majority"]
against = "majority"

[[databases]]
name = "casme2"
classes = "casme2-5"

[preparation]
size = 28

[study]
protocol = ["loso", "leaky-clips"]
groups = 3
keep_weights = false
seeds = 2
"""
SMALL = ("--synthetic", "--people", 3, "--seeds", 1)
NAMES = [
    f"{network}-{protocol}" for network in ("linear-svm", "majority") for protocol in ("loso", "leaky-clips")
]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("run")
    (place / "small.toml").write_text(RECIPE)
    (place / "said.txt").write_text(learnet("run", place / "small.toml", place / "out", *SMALL).stdout)
    return place


def answers(out: Path) -> dict[str, bytes]:
    return {
        str(file.relative_to(out)): file.read_bytes() for file in sorted(out.glob("studies/*/*/outcomes.csv"))
    }


def by_scikit_learn(outcomes: Path) -> dict[str, float]:
    table = pd.read_csv(outcomes)
    macro = {"average": "macro", "labels": list(table.columns[8:]), "zero_division": 0}
    return {
        "accuracy": accuracy_score(table["truth"], table["prediction"]),
        "UF1": f1_score(table["truth"], table["prediction"], **macro),
        "UAR": recall_score(table["truth"], table["prediction"], **macro),
    }


def test_every_number_of_the_table_follows_from_the_answers(place: Path) -> None:
    rows = list(csv.DictReader((place / "out" / "results.csv").open(newline="", encoding="utf-8")))
    studies = {row["study"]: row for row in rows if row["kind"] == "study"}
    assert list(studies) == NAMES  # each leak below the honest study of its network
    found = {
        name: by_scikit_learn(place / "out" / "studies" / "casme2" / name / "outcomes.csv") for name in NAMES
    }
    for name, row in studies.items():
        assert (row["clips"], row["people"]) == (
            str(len(pd.read_csv(place / "out" / "prepared" / "casme2" / "clips.csv")) - 2),
            "3",
        )
        assert row["against"] == ("" if name == "majority-loso" else "majority-loso")
        for measure, value in found[name].items():
            assert float(row[measure]) == pytest.approx(value)
            assert float(row[f"{measure} low"]) <= float(row[f"{measure} high"])
            if row["against"]:
                assert float(row[f"{measure} difference"]) == pytest.approx(
                    value - found["majority-loso"][measure]
                )
                assert 0 < float(row[f"{measure} difference p"]) <= 1
        assert (row["synthetic"], row["set"], row["leaky"] != "no") == (
            "synthetic",
            "casme2",
            "leaky" in name,
        )
        assert float(row["minutes"]) >= 0 and int(row["cores"]) > 0 and "learnet 0.1.0" in row["versions"]
    assert {row["published by"] for row in rows if row["kind"] == "published"} == {"TSCNN", "GEME"}


def test_the_same_in_the_terminal_and_on_the_page(place: Path) -> None:
    page, said = (place / "out" / "results.md").read_text(), (place / "said.txt").read_text()
    rows = {row["study"]: row for row in csv.DictReader((place / "out" / "results.csv").open(newline=""))}
    assert page.startswith("# SYNTHETIC: Small\n") and "SYNTHETIC: Small" in said
    for name in NAMES:
        (line,) = [
            line
            for line in page.splitlines()
            if re.match(rf"\| (<span style=\"color:red\">)?{name} \(synthetic", line)
        ]
        assert f"{float(rows[name]['UF1']):.3f}<br>" in line and ("color:red" in line) == ("leaky" in name)
        assert f"{float(rows[name]['UF1']):.3f}" in said
    for words in (
        "An SVM is better than nothing.",
        "Source: this test",
        "seeds 1 (the recipe: 2)",
        "TSCNN",
        "cores of",
        "torch 2",
        "```toml",
    ):
        assert words in page
    assert "seeds 1 (the recipe: 2)" in said
    assert (place / "out" / "comparisons" / "casme2.html").stat().st_size > 10_000


def test_run_again_nothing_changes_and_what_was_cut_off_is_finished(place: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    shutil.copytree(place / "out", out)
    before = answers(out)
    assert len(before) == 4
    learnet("run", place / "small.toml", out, *SMALL)
    assert answers(out) == before
    torn = out / "studies" / "casme2" / "linear-svm-loso"
    (torn / "outcomes.csv").write_bytes(
        (torn / "outcomes.csv").read_bytes()[:-200]
    )  # killed in the middle of the last person
    shutil.rmtree(out / "studies" / "casme2" / "majority-loso")
    shutil.rmtree(out / "prepared")
    (out / "results.csv").unlink()
    learnet("run", place / "small.toml", out, *SMALL)
    assert answers(out) == before
    assert (
        "of 1 of<br>3 trainings" in (out / "results.md").read_text()
    )  # the minutes are of what was done last
    refused = learnet("run", place / "small.toml", out, *SMALL, "--epochs", 2, code=2).stderr
    assert "another study is there already; it differs in" in refused and "epochs" in refused
    assert (
        "another number than 4 people"
        in learnet("run", place / "small.toml", out, "--synthetic", "--people", 4, code=2).stderr
    )


def test_given_data_are_the_database_or_its_prepared_folder(place: Path, tmp_path: Path) -> None:
    before = answers(place / "out")
    for number, given in enumerate(("synthetic/casme2", "prepared/casme2")):
        learnet(
            "run", place / "small.toml", tmp_path / str(number), "--data", place / "out" / given, "--seeds", 1
        )
        assert answers(tmp_path / str(number)) == before
        assert (tmp_path / str(number) / "prepared").exists() == given.startswith("synthetic")
        assert "SYNTHETIC" in (tmp_path / str(number) / "results.md").read_text()


def test_several_databases_each_and_pooled(place: Path, tmp_path: Path) -> None:
    """SMIC in a second layout; pooled, every database has a row of its own and the people of both are
    tested."""
    head = (
        RECIPE.replace('["loso", "leaky-clips"]', '"lodo"')
        .replace('"linear-svm", ', "")
        .replace("casme2-5", "megc-3")
    )
    (tmp_path / "two.toml").write_text(
        "pooled = true\n" + head + '\n[[databases]]\nname = "smic"\nclasses = "megc-3"\n'
    )
    learnet("synthesize", tmp_path / "smic", "--layout", "smic", "--people", 2, "--clips", 3)
    both = (place / "out" / "synthetic" / "casme2", tmp_path / "smic")
    lacks = learnet("run", tmp_path / "two.toml", tmp_path / "out", "--data", both[0], code=2).stderr
    assert "needs SMIC (smic)" in lacks and "--only casme2" in lacks and not (tmp_path / "out").exists()
    learnet("run", tmp_path / "two.toml", tmp_path / "out", "--data", *both)
    rows = list(csv.DictReader((tmp_path / "out" / "results.csv").open(newline="")))
    assert [row["database"] for row in rows if row["kind"] in ("study", "database")] == [
        "all",
        "casme2",
        "smic",
    ]
    page = (tmp_path / "out" / "results.md").read_text()
    assert "## casme2+smic" in page and "- casme2 of majority" in page
    learnet(
        "run",
        tmp_path / "two.toml",
        tmp_path / "one",
        "--data",
        *both,
        "--only",
        "smic",
        "--protocol",
        "loso",
    )
    page = (tmp_path / "one" / "results.md").read_text()
    assert "only smic: casme2 of the recipe is left out" in page and "## smic" in page


@pytest.mark.parametrize(
    ("old", "new", "words", "says"),
    [
        ("size", "sise", SMALL, "`$.preparation.sise`: there is no such key. Did you mean 'size'?"),
        ("28", '"28"', SMALL, '`$.preparation.size`: got "28".'),
        (
            "linear-svm",
            "linear-svn",
            SMALL,
            "There is no network called 'linear-svn'. Did you mean 'linear-svm'?",
        ),
        ('"casme2"', '"casme22"', SMALL, "There is no dataset called 'casme22'. Did you mean 'casme2'?"),
        (
            "size = 28",
            'motion = "dinamic"',
            SMALL,
            "There is no motion image called 'dinamic'. Did you mean 'dynamic'?",
        ),
        ("size = 28", "size = 28", (), "real or synthetic"),
        ("size = 28", "size = 28", ("--data", "nowhere", "--synthetic"), "real or synthetic"),
        ("size = 28", "size = 28", ("--data", "nowhere"), "nowhere: there is no such folder"),
        (
            "size = 28",
            "size = 28",
            (*SMALL, "--only", "samm"),
            "There is no database in the recipe called 'samm'",
        ),
        ("size = 28", "size = 28", (*SMALL, "--networks", "majoriti"), "Did you mean 'majority'?"),
        ("size = 28", "size = 28", (*SMALL, "--epochs", 0), "epochs must be from 1 to"),
    ],
)
def test_a_mistake_is_one_line_and_nothing_is_made(
    old: str, new: str, words: tuple, says: str, tmp_path: Path
) -> None:
    (tmp_path / "r.toml").write_text(RECIPE.replace(old, new))
    refused = learnet("run", tmp_path / "r.toml", tmp_path / "out", *words, code=2).stderr
    assert refused.startswith("learnet: ") and refused.count("\n") == 1 and says in refused
    assert [path.name for path in tmp_path.iterdir()] == ["r.toml"]


def test_a_recipe_that_is_not_there_is_named_before_data_are_asked_for(tmp_path: Path) -> None:
    said = learnet("run", tmp_path / "nowhere.toml", tmp_path / "out", code=2).stderr
    assert "nowhere.toml: there is no such recipe" in said and "data" not in said.replace(str(tmp_path), "")
