"""Studies side by side: who is compared with whom, beside which published figures, in which order, and what
every row must say."""

import csv
import io
import json
import re
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import combine_pvalues
from sklearn.metrics import accuracy_score, f1_score, matthews_corrcoef, recall_score

from learnet.core.errors import LearnetError, OutputTaken, UnknownName
from learnet.datasets.prepared.record import ConcatenatedFolder, PrepareRecord
from learnet.metrics.scores import MEASURES
from learnet.metrics.significance import difference, holm, mcnemar
from learnet.report.comparison.compare import Comparison, compare
from learnet.report.comparison.databases import by_database, comparison_tables
from learnet.report.comparison.tables import Line, differences, notes, published, studies
from learnet.report.comparison.writers import COLUMNS, as_csv, as_latex, escape_latex, write_comparison
from learnet.report.study_record import read_record
from tests.builders.written_study import CLASSES, write_prepared, write_study
from tests.report.test_page import Page

PEOPLE = 9


def change(study: Path, **values: object) -> Path:
    file = study / "study.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | values))
    return study


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Five studies over the same clips; `guess` leaks, and is named before the honest one it flatters."""
    home = tmp_path_factory.mktemp("compare")
    prepared = write_prepared(home / "prepared", people=PEOPLE, clips=4)
    return {
        "guess": write_study(
            home / "guess", prepared, "linear-svm", seeds=(0,), skill=0.9, protocol="leaky-clips"
        ),
        "learnet": write_study(home / "learnet", prepared),
        "svm": write_study(home / "svm", prepared, "linear-svm", seeds=(0,), skill=0.3),
        "majority": write_study(home / "majority", prepared, "majority", seeds=(0,), skill=0),
        "alone": write_study(home / "alone", prepared, "resnet18", seeds=(0,), protocol="leaky-epoch"),
    }


@pytest.fixture(scope="module")
def found(folders: dict[str, Path]) -> Comparison:
    return compare(list(folders.values()))


@pytest.fixture(scope="module")
def composite(tmp_path_factory: pytest.TempPathFactory) -> Comparison:
    """A study over three databases in the classes of MEGC2019, as far as its study.json says, of synthetic
    clips."""
    home = tmp_path_factory.mktemp("composite")
    prepared = write_prepared(
        home / "prepared",
        people=6,
        synthetic=True,
        dataset=lambda person: ("casme2", "samm", "smic")[person % 3],
    )
    scheme = {"name": "megc-3", "classes": CLASSES, "source": "x"}
    made = [
        change(write_study(home / name, prepared, name, seeds=(0,)), scheme=scheme)
        for name in ("ststnet", "learnet")
    ]
    return compare(made)


def test_a_leak_stands_below_the_honest_study_it_flatters_and_nothing_is_measured_against_it(
    found: Comparison,
) -> None:
    assert [record.name for record in found.records] == ["learnet", "svm", "guess", "majority", "alone"]
    assert found.against.name == "learnet"
    assert [one.record.name for one in found.compared] == ["svm", "guess", "majority", "alone"]


def test_against_another(folders: dict[str, Path]) -> None:
    two = [folders["guess"], folders["svm"]]
    assert compare(two).against.name == "svm"
    asked = compare(two, "guess")  # to measure the leak itself
    assert asked.against.name == "guess" and [one.record.name for one in asked.compared] == ["svm"]
    assert "guess (leaky-clips)" in differences(asked).title
    assert compare([folders["guess"]]).against.name == "guess"  # nothing honest is there
    with pytest.raises(UnknownName, match="Did you mean 'svm'"):
        compare(two, "svn")


def test_the_tests_are_those_of_the_two_studies(folders: dict[str, Path], found: Comparison) -> None:
    others = [read_record(folders[name]) for name in ("svm", "guess", "majority", "alone")]
    first = read_record(folders["learnet"])
    expected = [difference(record.outcomes, first.outcomes, CLASSES) for record in others]
    assert [one.difference for one in found.compared] == expected
    for measure in MEASURES:
        assert [one.corrected[measure] for one in found.compared] == holm(
            [one.p[measure] for one in expected]
        )
    clips = [mcnemar(record.outcomes, first.answers) for record in others]
    assert [one.clips for one in found.compared] == clips  # learnet's two seeds answer together
    assert [one.corrected["clips"] for one in found.compared] == holm([one.p for one in clips])


def test_studies_over_other_clips_are_refused_and_the_difference_is_listed(
    folders: dict[str, Path], tmp_path: Path
) -> None:
    other = write_study(
        tmp_path / "other",
        write_prepared(tmp_path / "prepared", people=PEOPLE + 1, clips=4),
        "majority",
        skill=0,
    )
    clips = ", ".join(f"casme2/10/EP0{number}" for number in range(4))
    with pytest.raises(LearnetError, match=rf"0 only in learnet, 4 only in other \({clips}\)"):
        compare([folders["learnet"], other])


def rows(comparison: Comparison) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(as_csv(comparison))))


def test_csv_beside_scikit_learn(found: Comparison, folders: dict[str, Path]) -> None:
    table = [row for row in rows(found) if row["kind"] == "study"]
    assert [row["study"] for row in table] == ["learnet", "svm", "guess", "majority", "alone"]
    macro = {"average": "macro", "labels": list(CLASSES), "zero_division": 0}
    scores = {
        "accuracy": accuracy_score,
        "UF1": lambda t, p: f1_score(t, p, **macro),
        "UAR": lambda t, p: recall_score(t, p, **macro),
    }
    means = {}
    for row in table:
        seeds = [part for _, part in pd.read_csv(folders[row["study"]] / "outcomes.csv").groupby("seed")]
        for name, score in scores.items():
            values = pd.Series([score(part["truth"], part["prediction"]) for part in seeds])
            means[row["study"], name] = values.mean()
            assert float(row[name]) == pytest.approx(values.mean())
            assert row[f"{name} spread"] == "" or float(row[f"{name} spread"]) == pytest.approx(values.std())
            if row["against"]:
                assert float(row[f"{name} difference"]) == pytest.approx(
                    means[row["study"], name] - means["learnet", name]
                )
                assert 0 < float(row[f"{name} difference p"]) <= float(row[f"{name} difference p Holm"]) <= 1
        assert (row["clips"], row["people"], row["database"]) == ("36", "9", "all")
    assert [row["against"] for row in table] == ["", *["learnet"] * 4]
    assert (
        table[0]["network"],
        table[0]["protocol"],
        table[0]["motion image"],
        table[0]["classes"],
        table[0]["seeds"],
    ) == (
        "learnet",
        "loso",
        "dynamic",
        "casme2-5",
        "2",
    )
    assert [row["leaky"] != "no" for row in table] == [False, False, True, False, True]
    (floor,) = [row for row in rows(found) if row["kind"] == "majority baseline"]
    said = float(floor["accuracy"])
    truth = pd.read_csv(folders["svm"] / "outcomes.csv")["truth"]
    assert said == pytest.approx(truth.value_counts(normalize=True).max())


def test_a_row_of_each_database(composite: Comparison) -> None:
    table = [row for row in rows(composite) if row["kind"] == "database" and row["study"] == "learnet"]
    answers = pd.read_csv(composite.records[1].folder / "outcomes.csv")
    for row in table:
        part = answers[answers["dataset"] == row["database"]]
        assert float(row["accuracy"]) == pytest.approx((part["truth"] == part["prediction"]).mean())
        assert int(row["clips"]) == len(part) and int(row["people"]) == 2
    assert [row["database"] for row in table] == ["casme2", "samm", "smic"]
    assert [line.cells[0].split("\n")[0] for line in studies(composite).lines[:4]] == [
        "ststnet (synthetic)",
        "- casme2 of ststnet (synthetic)",
        "- samm of ststnet (synthetic)",
        "- smic of ststnet (synthetic)",
    ]


def test_published_figures_stand_beside_the_same_databases_and_classes_only(
    found: Comparison, folders: dict[str, Path]
) -> None:
    assert [line.cells[0].split("\n")[0] for line in published(found).lines] == [
        "[1] TSCNN",
        "[2] GEME, 2021",
    ]
    text = as_latex(found) + as_csv(found)
    assert "STSTNet" not in text and "80.62" not in text and "HTNet" not in text
    named = change(folders["majority"], scheme={"name": "as-labelled", "classes": CLASSES, "source": "x"})
    try:
        assert compare([named]).published == () and len(comparison_tables(compare([named]))) == 1
    finally:
        change(named, scheme={"name": "casme2-5", "classes": CLASSES, "source": "a paper"})


def test_figures_of_the_same_network_stand_in_its_row(composite: Comparison) -> None:
    whole, casme2, samm, smic, learnet = [line.cells[-1] for line in studies(composite).lines[:5]]
    assert whole == "UF1 .7353, UAR .7605 [8]; UF1 .7209, UAR .725 [9]"
    assert (
        casme2.startswith("UF1 .8382, UAR .8686 [8]")
        and samm.startswith("UF1 .6588")
        and smic.startswith("UF1 .6801")
    )
    assert learnet == "–"
    eighth = published(composite).lines[7]
    assert eighth.cells[0] == "[8] STSTNet (MATLAB), 2019\nloso\nSTSTNet's paper, table III"
    assert "precision mistaken for recall" in eighth.cells[3] and ".7186" in eighth.cells[3]
    assert re.fullmatch(r"ststnet \(synthetic\): UF1 0\.\d{3}, UAR 0\.\d{3}", eighth.cells[2])


def test_nothing_synthetic_stands_beside_a_published_figure_without_the_word(composite: Comparison) -> None:
    shown: list[Line] = [line for line in studies(composite).lines if line.cells[-1] != "–"] + list(
        published(composite).lines
    )
    assert len(shown) > 20
    for line in shown:
        assert "synthetic" in " ".join(line.cells)
    with_figures = [row for row in rows(composite) if row["kind"] != "majority baseline"]
    assert all("synthetic" in row["synthetic"] for row in with_figures)
    for line in as_latex(composite).splitlines():
        if re.search(r"UF1 \.\d", line):
            assert "synthetic" in line
    assert any("cannot be compared with any published figure" in note for note in notes(composite))


def test_partly_synthetic_is_said(composite: Comparison) -> None:
    parts = []
    for name in ("casme2", "samm", "smic"):
        record = PrepareRecord(preparation=None, images_kind="image", synthetic=name == "samm")
        parts.append(ConcatenatedFolder(name, [name], "", record))
    pooled = PrepareRecord(preparation=None, images_kind="image", synthetic=True, pooled=parts)
    description = composite.against.description
    images = replace(description.prepared, about=pooled)
    records = []
    for record in composite.records:
        described = replace(description, prepared=images, network=record.name)
        records.append(replace(record, prepared=None, description=described))
    records = tuple(records)
    mixed = replace(composite, records=records, against=records[0], compared=())
    assert [line.cells[0].split("\n")[0] for line in studies(mixed).lines[::4][:2]] == [
        "ststnet (partly synthetic)",
        "learnet (partly synthetic)",
    ]
    assert published(mixed).lines[0].cells[2] == "– (partly synthetic clips here)"
    assert "The clips here are partly synthetic: they cannot be compared with any published figure." in notes(
        mixed
    )
    assert {row["synthetic"] for row in rows(mixed)} == {
        "partly synthetic",
        "",
        "the clips here are partly synthetic",
    }


def test_other_counts_than_the_composites_are_told(composite: Comparison) -> None:
    assert "The published figures cover 442 clips of 68 people, these studies 36 of 6." in notes(composite)


def test_a_leak_is_named_red_and_beside_the_honest_number(found: Comparison) -> None:
    lines = {line.cells[0].split("\n")[0]: line for line in studies(found).lines}
    assert {name for name, line in lines.items() if line.leaky} == {
        "guess (leaky-clips)",
        "alone (leaky-epoch)",
    }
    guess, svm = (next(r for r in found.records if r.name == name).summary.mean for name in ("guess", "svm"))
    above = {measure: f"{guess[measure].value - svm[measure].value:+.3f}" for measure in MEASURES}
    inflation = f"accuracy {above['accuracy']}, UF1 {above['uf1']}, UAR {above['uar']}"
    said = f"compared with svm, which is honest: {inflation}"
    assert said in lines["guess (leaky-clips)"].cells[0] and above["uf1"].startswith("+0.")
    assert "no honest study of the same network is given" in lines["alone (leaky-epoch)"].cells[0]
    assert any(note.startswith("guess leaks: test people were also trained on") for note in notes(found))
    rows = [line for line in as_latex(found).splitlines() if "guess" in line and " & " in line]
    assert len(rows) == 2
    for row in rows:
        assert all(cell.startswith(r"\textcolor{red}{") for cell in re.split(r" & ", row))


def test_each_row_of_latex_has_its_cells_and_its_braces(found: Comparison, composite: Comparison) -> None:
    for comparison in (found, composite):
        text = as_latex(comparison)
        for table in re.findall(r"\\begin\{table\*\}.*?\\end\{table\*\}", text, re.DOTALL):
            plain = re.sub(r"\\[{}&%$#_]", "", table)
            assert plain.count("{") == plain.count("}")
            kinds = re.search(r"\\begin\{tabular\}\{((?:l|p\{5cm\})+)\}", table)
            assert kinds
            width = len(re.findall(r"l|p\{5cm\}", kinds[1]))
            body = table.split("\\midrule\n")[1].split("\\bottomrule")[0]
            assert all(re.sub(r"\\&", "", row).count("&") == width - 1 for row in body.splitlines())
        assert text.count(r"\begin{table*}") == sum(
            -(-len(sheet.lines) // 12) for sheet in comparison_tables(comparison)
        )


SHOWN = {
    r"\textbackslash{}": "\\",
    r"\textasciitilde{}": "~",
    r"\textasciicircum{}": "^",
    "{[}": "[",
    "{]}": "]",
    "$<$": "<",
    "$>$": ">",
    "$-$": "-",
    r"\&": "&",
    r"\%": "%",
    r"\$": "$",
    r"\#": "#",
    r"\_": "_",
    r"\{": "{",
    r"\}": "}",
}
"""What LaTeX shows for what we write."""


@given(st.text(st.characters(exclude_characters='"“”–−±')))
def test_latex_shows_any_text_letter_by_letter(text: str) -> None:
    written = escape_latex(text)
    assert re.sub("|".join(map(re.escape, SHOWN)), lambda found: SHOWN[found[0]], written) == text
    assert not re.search(r"[\\&%$#_{}~^<>\[\]]", re.sub("|".join(map(re.escape, SHOWN)), "", written))


def test_the_page(found: Comparison, tmp_path: Path) -> None:
    write_comparison(found, html=tmp_path / "c.html")
    page = Page(tmp_path / "c.html")
    assert page.raw.startswith("<!doctype html>\n<!-- learnet report -->")
    names = [
        row[0].split()[0]
        for row in page.table("study", "accuracy", "UF1", "UAR", "published")
        if not row[0].startswith("majority baseline")
    ]
    assert names == ["learnet", "svm", "guess", "majority", "alone"]
    red = [
        attributes
        for tag, attributes in page.elements
        if tag == "tr" and "leaky" in (attributes.get("class") or "")
    ]
    assert len(red) == 4 and all("red" in str(attributes["class"]) for attributes in red)
    assert "Leaky: guess." in page.words and "GEME" in page.words
    assert not re.search(r"https?:|//www", page.raw)


def test_nothing_is_written_where_the_page_cannot_be(found: Comparison, tmp_path: Path) -> None:
    (tmp_path / "thesis.html").write_text("years of work")
    with pytest.raises(OutputTaken):
        write_comparison(found, tmp_path / "c.csv", tmp_path / "c.tex", tmp_path / "thesis.html")
    assert [file.name for file in tmp_path.iterdir()] == ["thesis.html"]
    write_comparison(found, tmp_path / "new" / "c.csv", tmp_path / "new" / "c.tex")
    assert (tmp_path / "new" / "c.csv").read_text().splitlines()[0] == ",".join(COLUMNS)


def test_unfinished_and_unknown_are_told(folders: dict[str, Path], tmp_path: Path) -> None:
    for name in ("learnet", "svm"):
        lines = (folders[name] / "outcomes.csv").read_text().splitlines(keepends=True)
        (tmp_path / name).mkdir()
        (tmp_path / name / "outcomes.csv").write_text(
            "".join(line for line in lines if ",casme2/09," not in line)
        )
    (tmp_path / "svm" / "study.json").write_text((folders["svm"] / "study.json").read_text())
    told = notes(compare([tmp_path / "svm", tmp_path / "learnet"]))
    assert "svm is unfinished: 32 of 36 predictions." in told
    assert "learnet has no study.json: its protocol is unknown." in told


def test_different_images_are_named(tmp_path: Path) -> None:
    small = write_study(tmp_path / "a", write_prepared(tmp_path / "small", size=28), seeds=(0,))
    large = write_study(tmp_path / "b", write_prepared(tmp_path / "large", size=32), seeds=(0,))
    said = notes(compare([small, large]))
    assert any("different images" in note for note in said)
    assert any("dynamic, 28 pixels (a); dynamic, 32 pixels (b)" in note for note in said)
    same = write_study(tmp_path / "c", tmp_path / "small", seeds=(0,))
    assert not any("different images" in note for note in notes(compare([small, same])))


def test_settings_that_differ_between_studies_of_one_network_are_named(tmp_path: Path) -> None:
    """Epochs have no effect on a support vector machine, and are not named."""
    prepared = write_prepared(tmp_path / "prepared")
    one = write_study(tmp_path / "one", prepared, "linear-svm", seeds=(0,))
    training = json.loads((one / "study.json").read_text())["training"]
    other = change(
        write_study(tmp_path / "other", prepared, "linear-svm", seeds=(0,)),
        training=training | {"mirror": "image", "epochs": 3},
    )
    network = write_study(tmp_path / "network", prepared, seeds=(0,))
    names = [line.cells[0].splitlines() for line in studies(compare([one, other, network])).lines]
    named = {lines[0]: lines[4:] for lines in names}
    assert (named["one"], named["other"], named["network"]) == (["mirror none"], ["mirror image"], [])


def test_the_last_line_of_a_difference_is_what_it_shows(folders: dict[str, Path]) -> None:
    """In the table, and in the CSV file with the numbers that it follows from."""
    two = [folders["learnet"], folders["svm"]]
    for margin, words in ((0.9, ("equivalent within 0.9", "different, by less than 0.9")), (0.001, None)):
        comparison = compare(two, margin=margin)
        (line,) = differences(comparison).lines
        (row,) = [row for row in rows(comparison) if row["against"]]
        for position, name in enumerate(("accuracy", "UF1", "UAR"), start=1):
            shown = line.cells[position].splitlines()[-1]
            assert shown == row[f"{name} difference shows"]
            low, high = float(row[f"{name} difference 90 % low"]), float(row[f"{name} difference 90 % high"])
            assert (
                float(row[f"{name} difference low"]) <= low <= high <= float(row[f"{name} difference high"])
            )
            assert low > -0.9 and high < 0.9
            if words:
                assert shown in words
            else:
                smallest = float(row[f"{name} difference smallest shown"])
                assert shown in ("different", f"cannot tell below {smallest:.2f}")
        assert any(f"Equivalent within {margin:g}" in note for note in notes(comparison))
    with pytest.raises(LearnetError, match="margin 2 is not between"):
        compare(two, margin=2.0)


def test_databases_are_tested_apart_and_combined(composite: Comparison) -> None:
    """The combination by SciPy, from the p-values of the rows of the databases."""
    (one,) = composite.compared
    lines = [line.cells for line in by_database(composite).lines]
    assert [cells[0].split("\n")[1] for cells in lines] == [
        "casme2, 2 people",
        "samm, 2 people",
        "smic, 2 people",
        "combined",
    ]
    of_study = [row for row in rows(composite) if row["study"] == one.record.name]
    total, *parts = of_study
    one_sided = []
    for row in parts:
        p, value = float(row["UF1 difference p"]), float(row["UF1 difference"])
        one_sided.append(p / 2 if value > 0 else 1 - p / 2)
    expected = combine_pvalues(one_sided, method="stouffer")  # as many people in each
    assert float(total["UF1 difference combined Z"]) == pytest.approx(expected.statistic, abs=1e-9)
    assert f"Z {expected.statistic:+.2f}" in lines[-1][2] or abs(expected.statistic) < 0.005


def test_chance_and_further_measures_are_beside_the_scores(found: Comparison) -> None:
    for record, row in zip(found.records, rows(found), strict=False):
        truth = [outcome.truth for outcome in record.outcomes if outcome.seed == 0]
        predicted = [outcome.prediction for outcome in record.outcomes if outcome.seed == 0]
        if len(record.seeds) == 1:
            assert float(row["MCC"]) == pytest.approx(matthews_corrcoef(truth, predicted))
        assert 0 < float(row["UF1 against chance p"]) <= 1
        assert float(row["UF1 by chance"]) <= float(row["UF1 by chance 95 %"]) + 1e-9
    said = [note for note in notes(found) if "against chance" in note]
    assert len(said) == len(found.records) and "guess (leaky-clips) against chance" in said[2]
