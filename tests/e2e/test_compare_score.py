"""`learnet compare` and `learnet score` as a user types them, on studies that were really run over random
images."""

import csv
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import f1_score, precision_score, recall_score

from tests.builders.commands import import_noise, learnet

CLASSES = ["negative", "positive", "surprise"]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Random images of five people each of CASME II, SAMM and SMIC, and studies over them all."""
    place = tmp_path_factory.mktemp("compare")
    prepared = [
        import_noise(place, dataset, 5, seed, "flow")
        for seed, dataset in enumerate(("casme2", "samm", "smic"))
    ]
    for name, network, protocol in (
        ("svm", "linear-svm", "loso"),
        ("leaky", "linear-svm", "leaky-clips"),
        ("majority", "majority", "loso"),
    ):
        learnet(
            "study",
            *prepared,
            place / name,
            "--network",
            network,
            "--protocol",
            protocol,
            "--no-keep-weights",
        )
    learnet(
        "study",
        prepared[0],
        place / "casme2-only",
        "--network",
        "majority",
        "--classes",
        "megc-3",
        "--no-keep-weights",
    )
    return place


def test_compare(place: Path) -> None:
    files = [place / "out" / f"c.{suffix}" for suffix in ("csv", "tex", "html")]
    options = ("--csv", files[0], "--latex", files[1], "--html", files[2])
    said = learnet("compare", place / "leaky", place / "svm", place / "majority", *options).stdout
    assert all(f"-> {file}" in said for file in files)
    flat = " ".join(said.split())
    for words in (
        "Difference from svm",
        "leaky (leaky-clips)",
        "compared with svm, which is honest",
        "Holm: p corrected for 2 studies",
        "STSTNet",
    ):
        assert words in flat, words
    rows = list(csv.DictReader(files[0].open(newline="")))
    assert [row["study"] for row in rows if row["kind"] == "study"] == ["svm", "leaky", "majority"]
    answers = pd.read_csv(place / "svm" / "outcomes.csv")
    assert float(rows[0]["UF1"]) == pytest.approx(
        f1_score(answers["truth"], answers["prediction"], average="macro", labels=CLASSES)
    )
    assert [row["database"] for row in rows[:4]] == ["all", "casme2", "samm", "smic"]
    assert any("precision mistaken for recall" in row["caveat"] for row in rows if row["kind"] == "published")
    assert (
        r"\textcolor{red}" in files[1].read_text() and "precision mistaken for recall" in files[2].read_text()
    )
    before = [file.read_bytes() for file in files]
    again = learnet("compare", place / "leaky", place / "svm", place / "majority", *options).stdout
    assert again == said and [file.read_bytes() for file in files] == before


def test_compare_with_another(place: Path) -> None:
    said = learnet("compare", place / "svm", place / "majority", "--against", "majority").stdout
    assert "Difference from majority" in said


def test_report_of_two(place: Path) -> None:
    learnet("report", place / "svm", "--compare", place / "majority", "--out", place / "two" / "page.html")
    page = (place / "two" / "page.html").read_text()
    assert "svm minus majority" in page and "Clips with different predictions" in page and 'id="why"' in page
    beside = {file.name for file in (place / "two" / "page-csv").iterdir()}
    assert {
        "index.csv",
        "intervals.csv",
        "confusion-1.csv",
        "confusion-2.csv",
        "reliability-1.csv",
        "reliability-2.csv",
    } == beside


def test_compare_refuses_in_one_line(place: Path, tmp_path: Path) -> None:
    page_of_others = tmp_path / "index.html"
    page_of_others.write_text("<p>Not of learnet</p>")
    cases = {
        ("compare",): "No study is named",
        ("compare", place / "svm", place / "casme2-only"): "30 only in svm (samm/01/01-disgust, ",
        ("compare", place / "svm", place / "majority", "--against", "svn"): "Did you mean 'svm'",
        ("compare", place / "svm", "--csv", place / "svm" / "outcomes.csv"): "would be overwritten",
        ("compare", place / "svm", "--html", page_of_others): "is not a report",
        (
            "compare",
            place / "svm",
            "--html",
            tmp_path / "c.pdf",
        ): "a page is written as HTML",
        ("report", place / "svm", "--compare", place / "casme2-only"): "30 only in svm (samm/01/01-disgust, ",
        (
            "report",
            place / "svm",
            place / "leaky",
            "--compare",
            place / "majority",
        ): "takes one study before it",
        ("report", place / "svm", "--compare", place / "svm"): "was given twice",
        ("report", place / "svm", "--explained", "-1"): "--explained cannot be -1",
        ("score", place / "no.log"): "there is no such file",
        ("score", place / "svm", "--csv", place / "svm" / "outcomes.csv"): "would be overwritten",
        ("score", place / "svm", "--classes", "casme2-5"): "is no class; there are 0 happiness",
    }
    for words, says in cases.items():
        error = learnet(*words, code=2).stderr
        assert says in error and error.count("\n") == 1, error
    (place / "bad.log").write_text("casme2 sub01\nEP01 0 7\n")
    error = learnet("score", place / "bad.log", code=2).stderr
    assert (
        "line 2: '7' is no class; there are 0 negative, 1 positive, 2 surprise" in error
        and error.count("\n") == 1
    )


def test_score_a_study_its_log_and_its_table_alike(place: Path) -> None:
    tables = {}
    for name in ("svm", "svm/outcomes.csv", "svm/megc.log"):
        said = learnet("score", place / name, "--csv", place / "s.csv").stdout
        assert "not 442" in " ".join(said.split()) and "not comparable" in said
        tables[name] = (place / "s.csv").read_text()
    assert tables["svm"] == tables["svm/outcomes.csv"]
    # The log has no probabilities.
    without = [line for line in tables["svm"].splitlines() if not re.search(r",(log_loss|brier|auc),", line)]
    assert without == tables["svm/megc.log"].splitlines() != tables["svm"].splitlines()
    rows = {
        (row["database"], row["average"], row["measure"]): row
        for row in csv.DictReader(tables["svm"].splitlines())
    }
    answers = pd.read_csv(place / "svm" / "outcomes.csv")
    how = {"average": "macro", "labels": CLASSES, "zero_division": 0}
    truth, said = answers["truth"], answers["prediction"]
    assert float(rows["all", "pooled, mean over classes", "uar"]["value"]) == pytest.approx(
        recall_score(truth, said, **how)
    )
    mistaken = float(rows["all", "pooled, precision mistaken for recall", "recall"]["value"])
    assert (
        mistaken
        == pytest.approx(precision_score(truth, said, **how))
        == pytest.approx(recall_score(said, truth, **how))
    )
    people = [f1_score(part["truth"], part["prediction"], **how) for _, part in answers.groupby("person")]
    assert float(rows["all", "mean over people, all classes", "F1"]["value"]) == pytest.approx(
        np.mean(people)
    )


def test_score_against_a_list(place: Path) -> None:
    """One listed clip is missing, one stands twice: both are named, and the exit code says so."""
    (place / "list.csv").write_text("casme2,sub01,EP01,0\ncasme2,sub01,EP02,1\nsamm,6,006_1_1,2\n")
    (place / "whole.log").write_text("casme2 sub01\nEP01 0 0\nEP02 1 0\nsamm 006\n006_1_1 2 2\n")
    (place / "less.log").write_text("casme2 sub01\nEP01 0 0\nEP01 0 0\nsamm 006\n006_1_1 2 2\n")
    assert (
        "3 of the 3 clips of the list have a prediction"
        in learnet("score", place / "whole.log", "--list", place / "list.csv").stdout
    )
    said = learnet("score", place / "less.log", "--list", place / "list.csv", code=1).stdout
    assert (
        "1 in the list and without a prediction: casme2/sub01/EP02" in said
        and "1 predicted more than once" in said
    )
    assert learnet("score", place / "less.log", "--list", place / "list.csv", "--no-check").stdout == said
