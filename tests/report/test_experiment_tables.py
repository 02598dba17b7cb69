"""The tables of a series: which studies stand together, what is compared with what, what the page must
say."""

import csv
import io
import json
import re
from pathlib import Path

import pytest

from learnet.report.experiment_tables import (
    CSV_COLUMNS,
    TABLE_COLUMNS,
    as_csv,
    as_markdown,
    groups,
    heading,
    in_two,
    sheet,
)
from learnet.study.experiments.recipe import Recipe
from learnet.study.experiments.recipe_files import parse_recipe
from learnet.study.experiments.sources import study_folder
from tests.builders.written_study import write_prepared, write_study

TEXT = """
title = "A | title"
claim = "Some *claim*."
source = "somebody"
unknown = ["the   optimiser"]
networks = ["learnet", "majority"]
against = "majority"
[[databases]]
name = "casme2"
[preparation]
motion = ["dynamic", "difference"]
size = 28
"""


def recipe(text: str = TEXT) -> Recipe:
    return parse_recipe(text, "r.toml")


def change(study: Path, file: str, **values: object) -> None:
    path = study / file
    path.write_text(json.dumps(json.loads(path.read_text()) | values))


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """A series whose second motion image has left clips out: studies over 24 and over 20 clips."""
    for motion, clips in (("dynamic", 6), ("difference", 5)):
        prepared = write_prepared(
            tmp_path / "prepared" / f"casme2-{motion}", people=4, clips=clips, synthetic=True
        )
        for network in ("learnet", "majority"):
            folder = study_folder(tmp_path, "casme2", f"{network}-{motion}")
            write_study(folder, prepared, network, seeds=(0, 1), skill=0 if network == "majority" else 0.6)
            run = {"trainings": 8, "seconds": 90.0, "machine": "x86_64", "cores": 2, "device": "cpu"}
            (folder / "run.json").write_text(json.dumps(run))
    return tmp_path


def test_studies_over_the_same_clips_stand_together(out: Path) -> None:
    one, other = groups(recipe(), out)
    assert (one.name, other.name) == ("casme2-1", "casme2-2")
    assert [record.name for record in one.comparison.records] == ["learnet-dynamic", "majority-dynamic"]
    assert one.comparison.against.name == "majority-dynamic"  # the recipe's reference, though it stands last
    assert (
        other.comparison.against.name == "learnet-difference"
    )  # the reference answered other clips: the first that does not leak
    assert [len(group.comparison.records[0].answers) for group in (one, other)] == [24, 20]
    alone = recipe(TEXT.replace('["dynamic", "difference"]', '"dynamic"'))
    for network in alone.networks:
        study_folder(out, "casme2", f"{network}-dynamic").rename(study_folder(out, "casme2", network))
    assert [group.name for group in groups(alone, out)] == ["casme2"]


def test_a_row_says_what_the_comparison_says(out: Path) -> None:
    group = groups(recipe(), out)[0]
    (compared,) = group.comparison.compared
    shown = sheet(group)
    cells = dict(zip(TABLE_COLUMNS, shown.lines[0].cells, strict=True))
    uf1 = compared.record.summary.mean["uf1"]
    assert cells["study"] == "learnet-dynamic (synthetic)"
    assert cells["UF1"] == f"{uf1.value:.3f} ±{uf1.spread:.3f}\n[{uf1.low:.2f}, {uf1.high:.2f}]"
    low, high = compared.difference.limits["accuracy"]
    assert cells["accuracy differs"].split("\n")[:2] == [
        f"{compared.difference.values['accuracy']:+.3f}",
        f"[{low:+.2f}, {high:+.2f}]",
    ]
    assert cells["minutes"] == "1.5"  # 90 seconds
    assert dict(zip(TABLE_COLUMNS, shown.lines[1].cells, strict=True))["UF1 differs"] == "–"
    assert (
        "casme2-1: 24 synthetic clips of 4 people, classes casme2-5, dynamic [95 %" in shown.title
        and "differences from majority-dynamic (synthetic)" in shown.title
    )
    first, second = in_two(shown)
    assert {*first.columns, *second.columns} == set(TABLE_COLUMNS) and len(first.lines) == 2
    assert [line.cells[0] for line in second.lines] == [
        "learnet-dynamic (synthetic)"
    ]  # the reference has nothing to say there


def test_minutes_of_a_part_say_of_which(out: Path) -> None:
    folder = study_folder(out, "casme2", "learnet-dynamic")
    change(folder, "run.json", trainings=3)
    assert (
        sheet(groups(recipe(), out)[0]).lines[0].cells[TABLE_COLUMNS.index("minutes")]
        == "1.5\nof 3 of\n8 trainings"
    )
    (folder / "run.json").unlink()
    assert sheet(groups(recipe(), out)[0]).lines[0].cells[TABLE_COLUMNS.index("minutes")] == "–"


def test_csv(out: Path) -> None:
    rows = list(csv.DictReader(io.StringIO(as_csv(groups(recipe(), out)))))
    assert list(rows[0]) == list(CSV_COLUMNS)
    studies = [row for row in rows if row["kind"] == "study"]
    assert [(row["set"], row["study"], row["minutes"], row["cores"]) for row in studies] == [
        (name, f"{network}-{motion}", "1.5", "2")
        for name, motion in (("casme2-1", "dynamic"), ("casme2-2", "difference"))
        for network in ("learnet", "majority")
    ]
    assert {row["versions"] for row in studies} == {"python 3.11.7, learnet 0.1.0"}
    assert {row["minutes"] for row in rows if row["kind"] != "study"} == {""}


def test_the_page(out: Path) -> None:
    asked = recipe()
    page = as_markdown(asked, groups(asked, out), ["seeds 2 (the recipe: 5)"])
    assert page.startswith("# SYNTHETIC: A | title\n\nSome *claim*.\n\nSource: somebody\n")
    assert "- the optimiser" in page and "- seeds 2 (the recipe: 5)" in page
    assert "## casme2-1" in page and "## casme2-2" in page
    assert (
        "- 4 studies, 6.0 minutes of training and testing\n"
        "- 2 cores of x86_64, cpu\n"
        "- versions: python 3.11.7, learnet 0.1.0" in page
    )
    assert parse_recipe(re.search(r"```toml\n(.*)```", page, re.DOTALL)[1], "page") == asked
    for table in re.findall(r"(?:^\|.*\n)+", page, re.MULTILINE):  # every row has as many cells as its head
        rows = [line.replace("\\|", "").count("|") for line in table.splitlines()]
        assert len(set(rows)) == 1


def test_partly_synthetic_is_said_so_and_real_is_not_called_synthetic(tmp_path: Path) -> None:
    made = {}
    for name, kind in (("casme2", False), ("samm", True)):
        prepared = write_prepared(
            tmp_path / name, people=4, synthetic=kind, dataset=lambda person, name=name: name
        )
        made[name] = prepared
        write_study(study_folder(tmp_path, name, "majority"), prepared, "majority", seeds=(0,), skill=0)
    for databases, expected in (
        (("casme2", "samm"), "PARTLY SYNTHETIC: T"),
        (("samm",), "SYNTHETIC: T"),
        (("casme2",), "T"),
    ):
        entries = "".join(f'[[databases]]\nname = "{name}"\n' for name in databases)
        asked = recipe(f'title = "T"\nclaim = "c"\nsource = "s"\nnetworks = ["majority"]\n{entries}')
        assert heading(asked, groups(asked, tmp_path)) == expected
