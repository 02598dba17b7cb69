"""The page, with every number beside one counted elsewhere."""

import io
import json
import pickle
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from sklearn.metrics import accuracy_score, confusion_matrix, f1_score, recall_score

from learnet.core.errors import LearnetError, OutputTaken
from learnet.report import sections, why
from learnet.report.comparison.compare import compare
from learnet.report.page import compose, write_report
from learnet.report.study_record import read_records
from learnet.report.tables import p_text
from tests.builders.read_page import CSV, Page
from tests.builders.written_study import CLASSES, write_prepared, write_study


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    home = tmp_path_factory.mktemp("studies")
    prepared = write_prepared(home / "prepared")
    studies = [
        write_study(home / "learnet", prepared),
        write_study(home / "svm", prepared, "linear-svm", seeds=(0,), skill=0.4),
        write_study(home / "majority", prepared, "majority", seeds=(0,), skill=0),
    ]
    (studies[2] / "run.json").write_text(json.dumps({"trainings": 12, "seconds": 0.5}))  # an earlier version
    return studies


@pytest.fixture(scope="module")
def page(folders: list[Path]) -> Page:
    return Page(write_report(folders, folders[0].parent / "three.html"))


@pytest.fixture(scope="module")
def drawn() -> dict[tuple[object, ...], object]:
    """The figures of this module by what each was made from."""
    return {}


@pytest.fixture
def figures_drawn_once(drawn: dict[tuple[object, ...], object], monkeypatch: pytest.MonkeyPatch) -> None:
    """Make a figure only if none was made from the same numbers before.

    Figures take most of the time of a page. For tests that write the same answers again and read the words.
    """

    def once(make: Callable[..., object]) -> Callable[..., object]:
        def recall(*given: object) -> object:
            key = (make.__name__, *map(exactly, given))
            if key not in drawn:
                drawn[key] = make(*given)
            return drawn[key]

        return recall

    for name in ("interval_figure", "confusion_figure", "reliability_figure", "make_page_figure"):
        monkeypatch.setattr(sections, name, once(getattr(sections, name)))


def exactly(value: object) -> object:
    """What tells an argument of a figure from another: a figure by itself, all else by its content."""
    return value if isinstance(value, Figure) else pickle.dumps(value)


def one(tmp_path: Path, **how: object) -> Path:
    return write_study(tmp_path / "learnet", write_prepared(tmp_path / "prepared"), **how)


def test_nothing_comes_from_elsewhere(page: Page) -> None:
    for tag, attributes in page.elements:
        assert tag not in ("link", "iframe", "object", "base") and "srcset" not in attributes
        for name in ("src", "href", "xlink:href", "action", "data", "poster"):
            address = attributes.get(name) or "#"
            here = address.startswith(("#", "data:image/png;base64,")) or (
                address.startswith(CSV) and "download" in attributes
            )
            assert here, address[:80]
    assert not re.search(r"https?:|//www|@import|@font-face|url\((?!#)", page.raw)
    policy = [
        attributes["content"]
        for tag, attributes in page.elements
        if attributes.get("http-equiv") == "Content-Security-Policy"
    ]
    assert policy and policy[0].startswith("default-src 'none'")


def test_the_page_is_well_made(page: Page) -> None:
    """Ids are unique and what points to them finds them; pictures have words; every table has a name and
    headings."""
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    for _, attributes in page.elements:
        for name in ("href", "aria-labelledby"):
            if name in attributes:
                assert str(attributes[name]).removeprefix("#") in ids or "download" in attributes
    images = [attributes for tag, attributes in page.elements if tag == "img"]
    assert len(images) > 20 and all(image["alt"] for image in images)
    assert all(attributes["aria-label"] for tag, attributes in page.elements if tag == "svg")
    scrolling = [attributes for _, attributes in page.elements if attributes.get("class") == "scroll"]
    assert scrolling and all(box["aria-label"] and box["tabindex"] == "0" for box in scrolling)
    levels = [int(tag[1]) for tag, _ in page.elements if re.fullmatch(r"h[1-6]", tag)]
    assert (
        levels[0] == 1
        and levels.count(1) == 1
        and all(later - level <= 1 for level, later in zip(levels, levels[1:], strict=False))
    )
    assert (
        page.elements[0] == ("html", {"lang": "en"})
        and "prefers-color-scheme: dark" in page.raw
        and "@media print" in page.raw
    )


def test_the_order_is_a_reviewers(page: Page) -> None:
    places = [
        page.raw.index(f'<section id="{key}"')
        for key in ("answer", "several", "trust", "failures", "why", "again")
    ]
    assert places == sorted(places)


def test_the_answer_beside_scikit_learn(page: Page, folders: list[Path]) -> None:
    rows = page.table("study", "accuracy", "UF1", "UAR")
    macro = {"average": "macro", "labels": list(CLASSES), "zero_division": 0}
    scores = (accuracy_score, lambda t, p: f1_score(t, p, **macro), lambda t, p: recall_score(t, p, **macro))
    for row, folder in zip(rows, folders, strict=True):
        assert row[0].split()[0] == folder.name
        seeds = [part for _, part in pd.read_csv(folder / "outcomes.csv").groupby("seed")]
        for shown, score in zip(row[1:4], scores, strict=True):
            values = [score(part["truth"], part["prediction"]) for part in seeds]
            words = shown.split()
            assert words[0] == f"{np.mean(values):.3f}"
            low, high = map(float, words[-1].split("–"))
            assert low <= float(words[0]) <= high or folder.name == "majority"
            assert (
                words[1:3] == ["±", f"{np.std(values, ddof=1):.3f}"] if len(seeds) > 1 else "±" not in words
            )


def test_confusion_beside_scikit_learn(page: Page, folders: list[Path]) -> None:
    matrices = [table for table in page.tables if table[0][0] == "truth \\ prediction"]
    for table, folder in zip(matrices, folders, strict=True):
        found = pd.read_csv(folder / "outcomes.csv")
        counts = [list(map(int, row[1:])) for row in table[1:]]
        np.testing.assert_array_equal(
            counts, confusion_matrix(found["truth"], found["prediction"], labels=CLASSES)
        )


def test_people_beside_pandas(page: Page, folders: list[Path]) -> None:
    found = pd.read_csv(folders[1] / "outcomes.csv")
    right = (found["truth"] == found["prediction"]).groupby(found["person"])
    rows = page.table("person", "clips", "learnet: right", "learnet: accuracy", "svm: right", "svm: accuracy")
    assert [(row[0], row[4], row[5]) for row in rows] == [
        (person, str(number), f"{share:.0%}")
        for (person, number), share in zip(right.sum().items(), right.mean(), strict=True)
    ]


@pytest.mark.usefixtures("figures_drawn_once")
def test_no_learning_is_in_the_table_unless_a_majority_study_is(page: Page, tmp_path: Path) -> None:
    study = one(tmp_path)
    rows = Page(write_report([study], tmp_path / "one.html")).table("study", "accuracy", "UF1", "UAR")
    truth = pd.read_csv(study / "outcomes.csv").query("seed == 0")["truth"]
    assert rows[-1][0].startswith("majority baseline")
    assert (rows[-1][1], rows[-1][3]) == (f"{truth.value_counts(normalize=True).max():.3f}", "0.200")
    assert not [
        row for row in page.table("study", "accuracy", "UF1", "UAR") if row[0].startswith("majority baseline")
    ]


def test_trust_is_stated(page: Page) -> None:
    checks = page.table("guarantee", "learnet", "svm", "majority")
    assert len(checks) == 5 and all(cell.startswith("✓ holds") for row in checks for cell in row[1:])
    assert "leave one subject out" in page.words and "fear (left out)" in page.words
    assert 'class="banner' not in page.raw and "Synthetic" not in page.words


@pytest.mark.usefixtures("figures_drawn_once")
def test_a_leaky_protocol_is_red_everywhere_it_shows_numbers(folders: list[Path], tmp_path: Path) -> None:
    leaky = write_study(
        tmp_path / "flattering", folders[0].parent / "prepared", protocol="leaky-random", skill=0.9
    )
    shown = Page(write_report([folders[0], leaky], tmp_path / "page.html"))
    marks = [
        attributes["class"]
        for _, attributes in shown.elements
        if "leaky" in (attributes.get("class") or "").split()
    ]
    assert len(marks) == 3 and all(
        "red" in str(mark).split() for mark in marks
    )  # banner, row of the answer, confusion matrix
    assert "Leaky: flattering" in shown.words and "Leaky: learnet" not in shown.words
    rows = shown.table("guarantee")
    assert rows[0][1].startswith("✓ holds") and rows[0][2].startswith("✗ violated")
    alone = Page(write_report([leaky], tmp_path / "alone.html"))
    assert "it was not trained on" not in alone.words


@pytest.mark.usefixtures("figures_drawn_once")
def test_synthetic_data_are_flagged(tmp_path: Path) -> None:
    study = write_study(tmp_path / "learnet", write_prepared(tmp_path / "prepared", synthetic=True))
    assert "Synthetic data." in Page(write_report([study], tmp_path / "page.html")).words
    shutil.rmtree(tmp_path / "prepared")  # study.json remembers
    assert "Synthetic data." in Page(write_report([study], tmp_path / "page.html")).words


def test_no_licence_covers_synthetic_faces(tmp_path: Path) -> None:
    """Synthetic people have the numbers of real ones, among them casme2/12, whose licence forbids it."""
    study = write_study(tmp_path / "learnet", write_prepared(tmp_path / "prepared", synthetic=True))
    shown = Page(write_report([study], tmp_path / "page.html", show_faces=True))
    assert "licence forbids" not in shown.words and "your licence" not in shown.words
    pictures = [str(attributes["alt"]) for tag, attributes in shown.elements if tag == "img"]
    clips = {picture.split()[-1] for picture in pictures}
    assert [clip for clip in clips if clip.startswith("casme2/12/")]


def test_the_head_says_which_data_when_and_by_which_version(page: Page, folders: list[Path]) -> None:
    head = page.words[: page.words.index("Skip to the results") + 600]
    assert "Data casme2 (72 clips of 12 people)" in head
    assert f"Classes 5: {', '.join(CLASSES)}" in head
    assert "Images dynamic, 28 pixels" in head
    assert "Finished 2026-11-29, date not recorded" in head  # of two studies, and of one without a date
    assert "Version learnet 0.1.0" in head


def test_the_first_study_is_the_reference_whatever_the_scores(page: Page, folders: list[Path]) -> None:
    assert page.words.count("learnet is the reference") == 1 and "nothing is ranked" in page.words
    turned = Page(write_report(folders[::-1], folders[0].parent / "turned.html", explained=0))
    assert "majority is the reference" in turned.words
    assert "UF1 of learnet is" in turned.words and "above that of majority" in turned.words


def test_a_leaky_study_is_no_reference(folders: list[Path], tmp_path: Path) -> None:
    prepared = folders[0].parent / "prepared"
    leaky = write_study(tmp_path / "flattering", prepared, protocol="leaky-random", skill=0.9)
    shown = Page(write_report([leaky, *folders[:2]], tmp_path / "page.html", explained=0))
    assert "learnet is the reference" in shown.words
    assert "the first that was named and does not leak" in shown.words
    assert "UF1 of flattering (leaky) is" in shown.words


def test_three_studies_are_tested_against_the_reference(page: Page, folders: list[Path]) -> None:
    """The numbers are those of `learnet compare`, which has tests of its own."""
    expected = {entry.record.name: entry for entry in compare(folders).compared}
    rows = {row[0].split()[0]: row for row in page.table("study", "accuracy", "UF1", "UAR", "clips right")}
    assert list(rows) == ["svm", "majority"]
    for name, row in rows.items():
        assert f"Holm {p_text(expected[name].corrected['uf1'])}" in row[2]
        assert row[2].startswith(f"{expected[name].difference.values['uf1']:+.3f}")


def test_settings_are_folded(page: Page) -> None:
    summaries = re.findall(r"<summary>(.*?)</summary>", page.raw)
    assert {"Study", "Training", "Images", "Versions", "Run"} <= set(summaries)
    assert "<details open" not in page.raw


def test_sentences_are_apart(page: Page) -> None:
    paragraphs = re.findall(r"<p\b[^>]*>(.*?)</p>", page.raw, re.DOTALL)
    text = "\n".join(re.sub(r"<[^>]+>", "", paragraph) for paragraph in paragraphs)
    assert "A motion image summarises" in text
    assert not re.findall(r"[a-z)”][.;:?][A-Z]\w*", text)


def test_hidden_people_have_no_image(page: Page) -> None:
    shown = {str(attributes["alt"]).split()[-1] for tag, attributes in page.elements if tag == "img"}
    assert shown and not [clip for clip in shown if clip.startswith("casme2/12/")]
    assert "forbids publication of these faces: casme2/12" in page.words


@pytest.mark.usefixtures("figures_drawn_once")
def test_what_is_gone_is_named_and_the_rest_is_shown(tmp_path: Path) -> None:
    study = one(tmp_path)
    shutil.rmtree(tmp_path / "prepared")
    shown = Page(write_report([study], tmp_path / "page.html", show_faces=True))
    assert (
        "is gone" in shown.words
        and "prepared" in shown.words
        and not [tag for tag, _ in shown.elements if tag == "img"]
    )
    assert "it was not trained on" in shown.words
    (study / "study.json").unlink()
    (study / "run.json").unlink()
    shown = Page(write_report([study], tmp_path / "page.html"))
    assert "it was not trained on" not in shown.words
    assert "study.json is missing" in shown.words and shown.table("study", "accuracy")[0][0].startswith(
        "learnet"
    )


@pytest.mark.usefixtures("figures_drawn_once")
def test_how_the_epochs_were_chosen(tmp_path: Path) -> None:
    study = one(tmp_path, seeds=(0,))
    assert "40, fixed beforehand" in Page(write_report([study], tmp_path / "page.html")).words
    record = json.loads((study / "study.json").read_text())
    record["training"]["inner_groups"] = 4
    (study / "study.json").write_text(json.dumps(record))
    (study / "trainings.csv").write_text(
        "fold,seed,train_clips,test_clips,epochs,last_loss\na,0,60,6,17,0.5\nb,0,60,6,31,0.4\n"
    )
    said = "selected on 4 groups of the training people, at most 40; used: 17 to 31"
    assert said in Page(write_report([study], tmp_path / "page.html")).words


@pytest.mark.usefixtures("figures_drawn_once")
def test_a_lost_audit_is_not_an_audit_without_findings(tmp_path: Path) -> None:
    study = one(tmp_path, seeds=(0,))
    assert "it lay before the onset" in Page(write_report([study], tmp_path / "page.html")).words
    (tmp_path / "prepared" / "audit.csv").unlink()
    assert "audit.csv is missing" in Page(write_report([study], tmp_path / "page.html")).words


def test_an_unfinished_study_says_so(tmp_path: Path) -> None:
    study = one(tmp_path, seeds=(0,))
    file = study / "outcomes.csv"
    file.write_text("\n".join(file.read_text().splitlines()[:31]) + "\n")
    assert (
        "Unfinished: learnet. 30 of 72 predictions"
        in Page(write_report([study], tmp_path / "page.html")).words
    )


def test_a_study_at_work_shows_what_is_whole(tmp_path: Path) -> None:
    """In the middle of the second seed, and of a line."""
    study = one(tmp_path)
    file = study / "outcomes.csv"
    lines = file.read_text().splitlines()
    file.write_text("\n".join(lines[:101])[:-9])
    shown = Page(write_report([study], tmp_path / "page.html"))
    assert (
        "Unfinished: learnet. 72 of 144 predictions" in shown.words
        and "The last prediction in outcomes.csv is cut off" in shown.words
    )
    assert "Seeds that do not cover every clip are left out: 1 (27 of 72 clips)" in shown.words
    first = pd.read_csv(io.StringIO("\n".join(lines[:73])))
    assert shown.table("study", "accuracy")[0][1].startswith(
        f"{accuracy_score(first['truth'], first['prediction']):.3f}"
    )


def test_a_study_without_answers_yet_is_refused_in_one_line(tmp_path: Path) -> None:
    study = one(tmp_path)
    file = study / "outcomes.csv"
    file.write_text(file.read_text().splitlines()[0] + "\n")
    with pytest.raises(LearnetError, match="no predictions yet"):
        write_report([study], tmp_path / "page.html")
    assert not (tmp_path / "page.html").exists() and not (tmp_path / "page-csv").exists()


def test_a_class_without_any_clip_is_named(tmp_path: Path) -> None:
    study = one(tmp_path, seeds=(0,))
    file = study / "outcomes.csv"
    table = pd.read_csv(file, dtype=str)
    table[table["truth"] != "disgust"].to_csv(file, index=False)
    shown = Page(write_report([study], tmp_path / "page.html"))
    assert "No clip has the class disgust: it counts as zero." in shown.words
    assert shown.table("class", "clips", "people")[1] == ["disgust", "0", "0"]
    assert all(row[2] == "0.000" for row in shown.table("class", "clips", "precision") if row[0] == "disgust")


@pytest.mark.usefixtures("figures_drawn_once")
def test_whatever_study_json_lacks_there_is_a_page_or_a_word(tmp_path: Path) -> None:
    """Each key taken out or made null, two levels deep: never a traceback, and never half a page."""
    study = write_study(tmp_path / "learnet", write_prepared(tmp_path / "prepared", people=4), seeds=(0,))
    file = study / "study.json"
    whole = json.loads(file.read_text())
    paths = [(key,) for key in whole] + [
        (key, inner) for key, value in whole.items() if isinstance(value, dict) for inner in value
    ]
    tried, wrong = 0, []
    for path in paths:
        for value in ("gone", None):
            broken = json.loads(json.dumps(whole))
            holder = broken[path[0]] if len(path) == 2 else broken
            if value is None:
                holder[path[-1]] = None
            else:
                del holder[path[-1]]
            file.write_text(json.dumps(broken))
            tried += 1
            if not is_page_or_word(study):
                wrong.append((path, value))
    assert not wrong and tried > 60


def is_page_or_word(study: Path) -> bool:
    """Return whether a report is a whole page, or is refused with the name of the study."""
    try:
        page = compose(read_records([study]))
    except LearnetError as error:
        return str(study) in str(error)
    return page.text.rstrip().endswith("</html>")


@pytest.mark.usefixtures("figures_drawn_once")
@pytest.mark.parametrize(
    "content", [b"", b"\xff\xfe", b"kind\n", b"a,b\n1,2,3,4\n"], ids=["empty", "bytes", "columns", "ragged"]
)
def test_a_broken_audit_or_list_of_trainings_is_no_end(tmp_path: Path, content: bytes) -> None:
    study = one(tmp_path, seeds=(0,))
    record = json.loads((study / "study.json").read_text())
    record["training"]["inner_groups"] = 4
    (study / "study.json").write_text(json.dumps(record))
    (study / "trainings.csv").write_bytes(content)
    (tmp_path / "prepared" / "audit.csv").write_bytes(content)
    shown = Page(write_report([study], tmp_path / "page.html"))
    assert "selected on 4 groups of the training people, at most 40" in shown.words
    assert (
        "audit.csv of the prepared folder cannot be read" in shown.words or "has no findings" in shown.words
    )


@pytest.mark.usefixtures("figures_drawn_once")
def test_how_settings_were_chosen(tmp_path: Path) -> None:
    study = one(tmp_path, seeds=(0,))
    record = json.loads((study / "study.json").read_text())
    assert (
        "the files do not tell how they were chosen"
        in Page(write_report([study], tmp_path / "page.html")).words
    )
    settings = record["training"]
    record["choice"] = {
        "network": record["network"],
        "classes": record["scheme"]["classes"],
        "fingerprint": record["prepared"]["fingerprint"],
        "seeds": [0],
        "candidates": {"plain": settings, "mixed": settings | {"mixup": 0.4}},
        "groups": {"a": ["casme2/01", "casme2/02"], "b": ["casme2/03"]},
        "scores": {"a": {"plain": 0.5, "mixed": 0.625}, "b": {"plain": 0.75, "mixed": 0.25}},
        "taken": {"a": "mixed", "b": "plain"},
    }
    (study / "study.json").write_text(json.dumps(record))
    shown = Page(write_report([study], tmp_path / "page.html"))
    assert "selected for each person on other people: 2 candidates, 2 groups" in shown.words
    assert shown.table("candidate", "a", "b", "selected for") == [
        ["plain", "0.500", "0.750", "b"],
        ["mixed", "0.625", "0.250", "a"],
    ]
    assert "people in each group: a: 2, b: 1" in shown.words
    assert shown.table("candidate", "mixup") == [["plain", "0.0"], ["mixed", "0.4"]]
    assert f"--selection {study}" in shown.words


def test_the_worst_answers_beside_pandas(page: Page, folders: list[Path]) -> None:
    found = pd.read_csv(folders[1] / "outcomes.csv")
    found["score"] = found[list(CLASSES)].max(axis=1)
    wrong = (
        found[found["truth"] != found["prediction"]]
        .sort_values(["score", "clip"], ascending=[False, True])
        .head(12)
    )
    expected = [[row.clip, row.truth, row.prediction, f"{row.score:.3f}"] for row in wrong.itertuples()]
    tables = [
        table[1:]
        for table in page.tables
        if table[0][:4] == ["clip", "truth", "prediction", "score of the prediction"]
    ]
    assert [row[:4] for row in tables[1]] == expected and len(
        tables
    ) == 2  # the majority's answers look at nothing
    place = {name: i for i, name in enumerate(CLASSES)}
    first = found[found["clip"] == tables[1][0][0]].iloc[0]
    assert tables[1][0][4] == f"{first[list(CLASSES)].iloc[place[first['truth']]]:.3f}"


def test_calibration_is_told_for_each_study(page: Page, folders: list[Path]) -> None:
    for folder in folders:
        found = pd.read_csv(folder / "outcomes.csv")
        score, right = found[list(CLASSES)].max(axis=1), found["truth"] == found["prediction"]
        bins = np.ceil(score * 10)
        ece = sum(abs(right[bins == m].sum() - score[bins == m].sum()) for m in range(1, 11)) / len(found)
        share = f"{right.mean():.3f} of them are correct"
        said = f"The mean score of the predictions is {score.mean():.3f}, and {share}"
        assert said in page.words and f"Expected calibration error {ece:.3f} (95% interval" in page.words


def test_different_clips_are_refused_and_nothing_is_written(folders: list[Path], tmp_path: Path) -> None:
    other = write_study(tmp_path / "more", write_prepared(tmp_path / "prepared", people=13))
    with pytest.raises(LearnetError, match="6 only in more"):
        write_report([folders[0], other], tmp_path / "page.html")
    assert not (tmp_path / "page.html").exists()


def test_names_cannot_run_as_code(tmp_path: Path) -> None:
    study = write_study(tmp_path / "<script>alert(1)<&$x^{", write_prepared(tmp_path / "prepared"))
    shown = Page(write_report([study], tmp_path / "page.html"))
    assert [tag for tag, _ in shown.elements].count("script") == 1 and "<script>alert(1)<&$x^{" in shown.words


def test_the_page_is_replaced_whole_and_nothing_else_is(folders: list[Path], tmp_path: Path) -> None:
    out = tmp_path / "new" / "page.html"
    write_report(folders[:1], out)
    first = out.read_bytes()
    write_report(folders[:1], out)
    assert out.read_bytes() == first and sorted(file.name for file in out.parent.iterdir()) == [
        "page-csv",
        "page.html",
    ]
    for taken in (folders[0] / "outcomes.csv", folders[0]):
        with pytest.raises(OutputTaken, match="not a report"):
            write_report(folders[:1], taken)


def test_five_hundred_clips_stay_under_ten_megabytes(tmp_path: Path) -> None:
    """Noise is the worst that PNG can meet, and three studies more than was asked for."""
    prepared = write_prepared(tmp_path / "prepared", people=50, clips=10, size=112)
    studies = [
        write_study(tmp_path / name, prepared, skill=skill)
        for name, skill in (("a", 0.3), ("b", 0.4), ("c", 0.5))
    ]
    out = write_report(studies, tmp_path / "page.html")
    assert out.stat().st_size < 10e6
    assert len(Page(out).table("clip", "truth", "a: prediction")) == 500


def test_pictures_are_few_however_many_studies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    prepared = write_prepared(tmp_path / "prepared", people=40)
    studies = [write_study(tmp_path / f"s{i}", prepared, seeds=(0,)) for i in range(3)]
    alone = Page(write_report(studies[:1], tmp_path / "page.html"))
    assert [tag for tag, _ in alone.elements].count("img") == 5 * 2 * 3
    monkeypatch.setattr(why, "MAX_PICTURES", 20)
    several = Page(write_report(studies, tmp_path / "page.html"))
    assert [tag for tag, _ in several.elements].count("img") == 20
    assert "no pictures for s2." in several.words


def test_settings_versions_and_fingerprint_are_there(page: Page, folders: list[Path]) -> None:
    record = json.loads((folders[0] / "study.json").read_text())
    for word in (
        record["prepared"]["fingerprint"],
        "learning rate",
        "label smoothing",
        "0.1.0",
        "a paper",
        "x86_64",
    ):
        assert word in page.words, word
    assert f"learnet study {record['prepared']['folder']} learnet" in page.words


@pytest.fixture
def of_two(tmp_path: Path) -> Path:
    """A study over two prepared folders: five real people of SAMM, five synthetic ones called SMIC who never
    repress anything."""
    from learnet.core.settings import Resources, Study, Training
    from learnet.datasets.prepared.store import load_prepared, save_prepared
    from learnet.study.run import run_study

    real = write_prepared(tmp_path / "a", people=5, dataset=lambda _: "samm")
    there = load_prepared(
        write_prepared(tmp_path / "all", people=5, dataset=lambda _: "smic", seed=1, synthetic=True)
    )
    rows = there.clips["emotion"] != "repression"
    save_prepared(tmp_path / "b", there.images[rows.to_numpy()], there.clips[rows], there.record, [])
    study = Study(network="linear-svm", classes="casme2-5", keep_weights=False)
    run_study([real, tmp_path / "b"], tmp_path / "study", study, Training(), Resources(jobs=1, device="cpu"))
    return tmp_path / "study"


def test_each_database_has_its_row_with_intervals(of_two: Path, tmp_path: Path) -> None:
    shown = Page(write_report([of_two], tmp_path / "page.html"))
    rows = shown.table("database", "study", "clips", "people", "accuracy", "UF1", "UAR")
    macro = {"average": "macro", "labels": list(CLASSES), "zero_division": 0}
    scores = (accuracy_score, lambda t, p: f1_score(t, p, **macro), lambda t, p: recall_score(t, p, **macro))
    numbers = json.loads((of_two / "metrics.json").read_text())["datasets"]
    for row, (name, part) in zip(rows, pd.read_csv(of_two / "outcomes.csv").groupby("dataset"), strict=True):
        assert (row[0].split()[0], row[2:4]) == (name, [str(len(part)), "5"])
        for cell, score, measure in zip(row[4:], scores, ("accuracy", "uf1", "uar"), strict=True):
            value, interval = cell.split()
            low, high = interval.split("–")
            assert value == f"{score(part['truth'], part['prediction']):.3f}" and float(low) <= float(
                value
            ) <= float(high)
            assert (low, high) == tuple(
                f"{numbers[name]['mean'][measure][end]:.3f}" for end in ("low", "high")
            )
    assert [row[0] for row in rows] == ["samm", "smic no repression: counts as 0"]
    assert shown.table("class", "clips", "people", "in samm", "in smic")[2][-1] == "0"


def test_a_pooled_study_names_its_parts_and_who_is_synthetic(of_two: Path, tmp_path: Path) -> None:
    shown = Page(write_report([of_two], tmp_path / "page.html"))
    assert f"learnet study {tmp_path / 'a'} {tmp_path / 'b'} study-again --network linear-svm" in shown.words
    assert "Partly synthetic data. The clips of smic are computer-generated" in shown.words
    facts = dict(row[:2] for table in shown.tables for row in table if row[0].startswith("pooled"))
    assert (
        facts["pooled, 1"].startswith(f"folder: {tmp_path / 'a'}; databases: samm;")
        and "synthetic: no" in facts["pooled, 1"]
    )
    assert (
        facts["pooled, 2"].startswith(f"folder: {tmp_path / 'b'}; databases: smic;")
        and "synthetic: yes" in facts["pooled, 2"]
    )
    assert [row[1] for row in shown.table("finding", "number")] == [
        "1"
    ]  # of folder a; b was written without any


def test_a_pooled_study_takes_its_images_along(of_two: Path, tmp_path: Path) -> None:
    (tmp_path / "far").mkdir()
    shutil.move(of_two, tmp_path / "far" / "study")
    shutil.rmtree(tmp_path / "a"), shutil.rmtree(tmp_path / "b")
    shown = Page(write_report([tmp_path / "far" / "study"], tmp_path / "page.html"))
    assert [tag for tag, _ in shown.elements if tag == "img"] and "is gone" not in shown.words
