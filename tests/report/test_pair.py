"""Two studies beside each other, against pandas, which counts for itself from outcomes.csv, and the tests of
`difference`."""

from pathlib import Path

import pandas as pd
import pytest

from learnet.core.errors import LearnetError
from learnet.metrics.significance import difference, mcnemar
from learnet.report.page import write_report
from learnet.report.pair import both
from learnet.report.study_record import read_records
from tests.builders.read_page import Page
from tests.builders.written_study import CLASSES, write_prepared, write_study


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    home = tmp_path_factory.mktemp("pair")
    prepared = write_prepared(home / "prepared")
    return [
        write_study(home / "one", prepared, skill=0.5),
        write_study(home / "two", prepared, "linear-svm", seeds=(0,), skill=0.6),
    ]


@pytest.fixture(scope="module")
def page(folders: list[Path]) -> Page:
    return Page(write_report(folders, folders[0].parent / "page.html", explained=0))


def averaged(folder: Path) -> pd.DataFrame:
    """One answer a clip: the class of the highest mean score."""
    found = pd.read_csv(folder / "outcomes.csv").groupby("clip")
    table = found[list(CLASSES)].mean()
    return pd.DataFrame(
        {"truth": found["truth"].first(), "answer": table.idxmax(axis=1), "score": table.max(axis=1)}
    )


def test_the_difference_with_its_tests(page: Page, folders: list[Path]) -> None:
    one, two = read_records(folders)
    found, clips = difference(one.outcomes, two.outcomes, CLASSES), mcnemar(one.answers, two.answers)
    rows = {row[0]: row[1:] for row in page.table("measure", "one: score", "two: score")}
    for name, measure in (("accuracy", "accuracy"), ("UF1", "uf1"), ("UAR", "uar")):
        low, high = found.limits[measure]
        values = [record.summary.mean[measure].value for record in (one, two)]
        p = f"{found.p[measure]:.3f}" if found.p[measure] >= 0.001 else "<0.001"
        assert rows[name] == [
            *(f"{value:.3f}" for value in values),
            f"{values[0] - values[1]:+.3f}",
            f"{low:+.3f} to {high:+.3f}",
            p,
        ]
    assert (
        f"one alone is correct for {clips.only_first} clips, two alone for {clips.only_second}" in page.words
    )
    low, high = found.limits["uf1"]
    assert (
        f"UF1 of two is {-found.values['uf1']:.3f} above that of one "
        f"(95% interval {-high:+.3f} to {-low:+.3f})" in page.words
    )


def test_the_order_of_the_two_turns_the_signs(folders: list[Path]) -> None:
    forth, back = both(read_records(folders)), both(read_records(folders[::-1]))
    assert forth["lead"] == back["lead"]
    assert [text[1:] for text in forth["table"]["difference"]] == [
        text[1:] for text in back["table"]["difference"]
    ]
    assert (forth["clips"].only_first, forth["clips"].only_second) == (
        back["clips"].only_second,
        back["clips"].only_first,
    )


def test_people_where_they_differ(page: Page, folders: list[Path]) -> None:
    tables = [pd.read_csv(folder / "outcomes.csv") for folder in folders]
    right = [(t["truth"] == t["prediction"]).groupby(t["person"]).sum() / t["seed"].nunique() for t in tables]
    apart = (right[0] - right[1])[lambda gap: gap != 0]
    expected = sorted(apart.items(), key=lambda pair: (-abs(pair[1]), pair[0]))
    rows = page.table("person", "clips", "one: right", "two: right", "difference")
    assert [(row[0], float(row[4])) for row in rows] == [
        (person, pytest.approx(gap)) for person, gap in expected
    ]
    assert 0 < len(rows) < 12 and [float(row[2]) for row in rows] == [right[0][row[0]] for row in rows]


def test_clips_that_they_answer_differently(page: Page, folders: list[Path]) -> None:
    one, two = map(averaged, folders)
    rows = page.table(
        "clip", "truth", "right", "one: prediction", "one: score", "two: prediction", "two: score"
    )
    assert [row[0] for row in rows] == list(one.index[one["answer"] != two["answer"]])
    for clip, truth, right, first, score, second, _ in rows:
        assert (truth, first, second) == (one["truth"][clip], one["answer"][clip], two["answer"][clip])
        assert score == f"{one['score'][clip]:.3f}"
        assert right == ("one" if first == truth else "two" if second == truth else "neither")


def test_only_two_studies_are_a_pair(folders: list[Path], tmp_path: Path) -> None:
    third = write_study(tmp_path / "three", folders[0].parent / "prepared", seeds=(0,))
    assert 'id="pair"' in (write_report(folders, tmp_path / "two.html", explained=0)).read_text()
    assert (
        'id="pair"' not in (write_report([*folders, third], tmp_path / "three.html", explained=0)).read_text()
    )
    assert 'id="pair"' not in (write_report(folders[:1], tmp_path / "one.html", explained=0)).read_text()


def test_two_that_agree(folders: list[Path], tmp_path: Path) -> None:
    again = write_study(
        tmp_path / "again", folders[0].parent / "prepared", "linear-svm", seeds=(0,), skill=0.6
    )
    shown = Page(write_report([folders[1], again], tmp_path / "page.html", explained=0))
    for words in (
        "make the same predictions for everybody",
        "correct for the same number of clips of every person",
        "make the same prediction for every clip",
    ):
        assert words in shown.words


def test_an_unfinished_study_is_refused_beside_a_whole_one(folders: list[Path], tmp_path: Path) -> None:
    late = write_study(tmp_path / "late", folders[0].parent / "prepared", seeds=(0,))
    file = late / "outcomes.csv"
    file.write_text("\n".join(file.read_text().splitlines()[:31]) + "\n")
    with pytest.raises(LearnetError, match="42 only in one .*late is not finished"):
        write_report([folders[0], late], tmp_path / "page.html")
    assert not (tmp_path / "page.html").exists()
