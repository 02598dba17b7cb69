"""Scores of anyone's answers beside scikit-learn and cases worked by hand; the official list and counts beside the organisers' own file."""

import csv
import io
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sklearn import metrics as reference

from learnet.core.errors import LearnetError
from learnet.core.records import Outcome
from learnet.datasets.readers.megc2019 import CLASSES, PARTS, PUBLISHED
from learnet.metrics.conventions import conventions
from learnet.metrics.megc2019 import OFFICIAL
from learnet.metrics.score import as_csv, score

LIST = "casme2,sub01,EP90_01f,1\r\ncasme2,sub17,EP92_3,0\r\nsmic,s01,s01_ne_91,0\r\nsamm,6,006_1_91,0\r\nsamm,37,037_7_94,2\r\n"
LOG = "casme2 sub01\nEP90_01f 1 1\ncasme2 sub17\nEP92_3 0 1\nsmic s01\ns01_ne_91 0 0\nsamm 006\n006_1_91 0 0\nsamm 037\n037_7_94 2 0\n"


def answer(person: str, truth: str, said: str, fold: str = "", clip: int = 0, seed: int = 0) -> Outcome:
    return Outcome(
        "s", fold or person, seed, f"{person}/{clip}", person.split("/")[0], person, truth, said, ()
    )


def by_name(outcomes: list[Outcome]) -> dict[str, dict[str, float]]:
    return {one.name: one.values for one in conventions(outcomes, CLASSES)}


def test_every_average_by_hand() -> None:
    """Person 1: n n p p called n p p p. Person 2: s called n. Worked on paper.

    Pooled: precision n 1/2, p 2/3, s 0; recall 1/2, 1, 0; F1 1/2, 4/5, 0.
    Person 1: precision 1, 2/3, 0; recall 1/2, 1, 0; F1 2/3, 4/5, 0. Person 2: all zero, over the classes n and s.
    """
    pairs = [("n", "n"), ("n", "p"), ("p", "p"), ("p", "p")]
    words = {"n": "negative", "p": "positive", "s": "surprise"}
    outcomes = [answer("d/1", words[t], words[s], clip=i) for i, (t, s) in enumerate(pairs)] + [
        answer("d/2", "surprise", "negative")
    ]
    found = by_name(outcomes)
    third = 1 / 3
    assert found["pooled, mean over classes"] == pytest.approx(
        {
            "accuracy": 3 / 5,
            "F1": (1 / 2 + 4 / 5) * third,
            "recall": (1 / 2 + 1) * third,
            "precision": (1 / 2 + 2 / 3) * third,
        }
    )
    swapped = found["pooled, precision mistaken for recall"]
    assert swapped["recall"] == pytest.approx((1 / 2 + 2 / 3) * third) and swapped["F1"] == pytest.approx(
        1.3 * third
    )
    assert found["pooled, weighted by clips"] == pytest.approx(
        {
            "accuracy": 3 / 5,
            "F1": (2 / 2 + 2 * 4 / 5) / 5,
            "recall": 3 / 5,
            "precision": (2 / 2 + 2 * 2 / 3) / 5,
        }
    )
    recall, precision = 1 / 2, (1 / 2 + 2 / 3) * third
    assert found["pooled, F1 of the means"] == pytest.approx(
        {"F1": 2 * recall * precision / (recall + precision)}
    )
    assert found["mean over people, all classes"] == pytest.approx(
        {
            "accuracy": 3 / 8,
            "F1": (2 / 3 + 4 / 5) * third / 2,
            "recall": 3 / 2 * third / 2,
            "precision": 5 / 3 * third / 2,
        }
    )
    assert found["mean over people, own classes"] == pytest.approx(
        {
            "accuracy": 3 / 8,
            "F1": (2 / 3 + 4 / 5) / 2 / 2,
            "recall": 3 / 2 / 2 / 2,
            "precision": 5 / 3 / 2 / 2,
        }
    )
    assert "mean over folds, all classes" not in found and "mean over databases, all classes" not in found


PAIRS = st.lists(
    st.tuples(st.sampled_from(["a/1", "a/2", "b/1"]), st.sampled_from(CLASSES), st.sampled_from(CLASSES)),
    min_size=1,
    max_size=30,
)


@settings(max_examples=40)
@given(PAIRS)
def test_every_average_beside_scikit_learn(rows: list[tuple[str, str, str]]) -> None:
    found = by_name([answer(person, truth, said, clip=i) for i, (person, truth, said) in enumerate(rows)])

    def scored(
        part: list[tuple[str, str, str]], average: str, labels: tuple[str, ...] | None = CLASSES
    ) -> dict[str, float]:
        truth, said = [row[1] for row in part], [row[2] for row in part]
        how = {"labels": labels, "average": average, "zero_division": 0}
        precision, recall, f1, _ = reference.precision_recall_fscore_support(truth, said, **how)
        accuracy = reference.accuracy_score(truth, said)
        return {"accuracy": accuracy, "F1": f1, "recall": recall, "precision": precision}

    pooled = scored(rows, "macro")
    assert found["pooled, mean over classes"] == pytest.approx(pooled)
    assert found["pooled, weighted by clips"] == pytest.approx(scored(rows, "weighted"))
    swapped = found["pooled, precision mistaken for recall"]
    assert swapped == pytest.approx(pooled | {"recall": pooled["precision"], "precision": pooled["recall"]})
    for what, key in (("people", lambda row: row[0]), ("databases", lambda row: row[0][0])):
        groups = [[row for row in rows if key(row) == name] for name in sorted({key(row) for row in rows})]
        for own, labels in (("all", CLASSES), ("own", None)):
            parts = [scored(group, "macro", labels) for group in groups]
            mean = {name: float(np.mean([part[name] for part in parts])) for name in pooled}
            assert found.get(f"mean over {what}, {own} classes", mean) == pytest.approx(mean)
        assert (f"mean over {what}, all classes" in found) == (len(groups) > 1)


def test_folds_have_a_row_where_they_are_not_the_people() -> None:
    outcomes = [
        answer(f"d/{i}", "negative", "negative" if i < 3 else "positive", fold=f"group-{i > 1}")
        for i in range(5)
    ]
    found = by_name(outcomes)
    assert found["mean over folds, all classes"]["accuracy"] == pytest.approx((2 / 2 + 1 / 3) / 2)
    assert found["mean over people, all classes"]["accuracy"] == pytest.approx(3 / 5)


def test_seeds_are_averaged() -> None:
    outcomes = [
        answer("d/1", "negative", "negative"),
        answer("d/1", "negative", "positive", seed=1),
        answer("d/1", "negative", "surprise", seed=2),
    ]
    assert by_name(outcomes)["pooled, mean over classes"]["accuracy"] == pytest.approx(1 / 3)


def write(place: Path, name: str, text: str) -> Path:
    (place / name).write_text(text, newline="")
    return place / name


def test_a_log_against_its_list(tmp_path: Path) -> None:
    """SAMM's subjects are padded in the log and not in the list; SMIC's in neither way alike."""
    listed = write(tmp_path, "list.csv", LIST)
    found = score(write(tmp_path, "x.log", LOG.replace("s01\ns01_ne", "s1\ns1_ne")), listed)
    assert (
        found.check
        and found.check.agrees
        and found.check.answered == found.check.listed == 5
        and found.repeated == ()
    )


def test_missing_unknown_repeated_and_differing_clips_are_named(tmp_path: Path) -> None:
    listed = write(tmp_path, "list.csv", LIST)
    log = LOG.replace("EP92_3 0 1", "EP92_4 0 1").replace("2 0\n", "1 0\n") + "samm 6\n006_1_91 0 2\n"
    found = score(write(tmp_path, "x.log", log), listed)
    assert found.check and not found.check.agrees and found.check.answered == 4
    assert found.check.missing == ("casme2/sub17/EP92_3",) and found.check.unknown == ("casme2/sub17/EP92_4",)
    assert found.check.differ == ("samm/037/037_7_94 is positive here and surprise in the list",)
    assert found.repeated == ("samm/006/006_1_91", "samm/6/006_1_91") and found.whole.clips == 6


def test_what_no_list_can_be_held_against(tmp_path: Path) -> None:
    listed = write(tmp_path, "list.csv", LIST)
    with pytest.raises(LearnetError, match="does not say whose clips"):
        score(write(tmp_path, "x.csv", "clip,truth,prediction\nEP90_01f,1,1\n"), listed)
    with pytest.raises(LearnetError, match="has the classes happiness, disgust"):
        score(write(tmp_path, "x.log", "casme2 sub01\nEP90_01f happiness disgust\n"), listed)


def test_the_official_counts_add_up() -> None:
    for name, (clips, _) in PARTS.items():
        assert sum(OFFICIAL[name].values()) == clips
    assert {label: sum(part[label] for part in OFFICIAL.values()) for label in CLASSES} == PUBLISHED


def test_counts_stand_beside_the_composites_without_a_list(tmp_path: Path) -> None:
    found = score(write(tmp_path, "x.log", LOG)).counts
    assert [(one.name, one.here, one.official) for one in found][-1] == (
        "all",
        {"negative": 3, "positive": 1, "surprise": 1, "clips": 5, "people": 5},
        {"negative": 250, "positive": 109, "surprise": 83, "clips": 442, "people": 68},
    )
    assert [one.name for one in score(write(tmp_path, "x.log", "smic s1\ns1_ne_01 0 0\n")).counts] == ["smic"]
    assert score(write(tmp_path, "x.log", "mmew S01\na 0 0\n")).counts == ()
    assert score(write(tmp_path, "x.log", "smic s1\na fear fear\n")).counts == ()


def test_databases_classes_and_intervals(tmp_path: Path) -> None:
    found = score(write(tmp_path, "x.log", LOG))
    assert [(part.name, part.clips, part.people, part.absent) for part in found.databases] == [
        ("casme2", 2, 2, ("surprise",)), ("samm", 2, 2, ("positive",)), ("smic", 1, 1, ("positive", "surprise")),
    ]  # fmt: skip
    assert found.databases[0].values == pytest.approx({"accuracy": 1 / 2, "uf1": (2 / 3) / 3, "uar": 1 / 3})
    assert found.classes[0] == (
        "negative",
        3,
        pytest.approx(2 / 3),
        pytest.approx(2 / 3),
        pytest.approx(2 / 3),
    )
    low, high = found.whole.limits["accuracy"]
    assert low <= found.whole.values["accuracy"] == 3 / 5 <= high
    nobody = score(write(tmp_path, "x.csv", "clip,truth,prediction\na,1,1\nb,0,1\n"))
    assert nobody.whole.people is None and nobody.whole.limits == {} and nobody.databases == ()


def test_csv_has_every_number(tmp_path: Path) -> None:
    found = score(write(tmp_path, "x.log", LOG))
    rows = list(csv.DictReader(io.StringIO(as_csv(found))))
    values = {(row["database"], row["average"], row["measure"]): float(row["value"]) for row in rows}
    assert len(values) == len(rows) == 3 * 4 + 1 + sum(len(one.values) for one in found.conventions[1:])
    assert (
        values["all", "pooled, mean over classes", "uf1"]
        == found.conventions[0].values["F1"]
        == found.whole.values["uf1"]
    )
    assert (
        values["all", "pooled, mean over classes", "precision"]
        == values["all", "pooled, precision mistaken for recall", "recall"]
    )
    assert values["samm", "pooled, mean over classes", "accuracy"] == 1 / 2


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sets(st.integers(0, 4)), st.sets(st.integers(0, 4)))
def test_any_set_of_missing_and_repeated_clips_is_named(
    tmp_path: Path, missing: set[int], twice: set[int]
) -> None:
    lines = [(head, line) for head, line in zip(LOG.split("\n")[:-1:2], LOG.split("\n")[1::2], strict=True)]
    kept = [pair for place, pair in enumerate(lines) if place not in missing] + [
        lines[place] for place in twice - missing
    ]
    if kept:
        found = score(
            write(tmp_path, "x.log", "".join(f"{head}\n{line}\n" for head, line in kept)),
            write(tmp_path, "l.csv", LIST),
        )
        assert found.check and [clip.split("/")[2] for clip in found.check.missing] == [
            lines[place][1].split()[0] for place in sorted(missing)
        ]
        assert {clip.split("/")[2] for clip in found.repeated} == {
            lines[place][1].split()[0] for place in twice - missing
        }


@pytest.fixture
def official(shared: Path) -> tuple[Path, list[list[str]]]:
    file = shared / "real" / "combined_3class_gt.csv"
    if not file.is_file():
        pytest.skip("the organisers' list is not here")
    return file, [row for row in csv.reader(file.read_text().splitlines()) if any(row)]


def log_of(rows: list[list[str]], say: str | None = None) -> str:
    return "".join(
        f"{base} {subject}\n{clip} {label} {say or label}\n" for base, subject, clip, label in rows
    )


def test_the_organisers_own_list(official: tuple[Path, list[list[str]]], tmp_path: Path) -> None:
    """All negative on all 442 clips: accuracy 250/442, UF1 and UAR by hand; the published counts are those of the list."""
    listed, rows = official
    found = score(write(tmp_path, "x.log", log_of(rows, "0")), listed)
    assert found.check and found.check.agrees and found.check.answered == 442
    assert found.whole.values == pytest.approx(
        {"accuracy": 250 / 442, "uf1": 500 / (442 + 250) / 3, "uar": 1 / 3}
    )
    assert all(one.here == one.official for one in found.counts) and len(found.counts) == 4


def test_a_log_of_435_clips_is_caught(official: tuple[Path, list[list[str]]], tmp_path: Path) -> None:
    listed, rows = official
    found = score(write(tmp_path, "x.log", log_of(rows[:200] + rows[207:])), listed)
    assert found.check and found.check.answered == 435
    assert [clip.split("/")[2] for clip in found.check.missing] == [row[2] for row in rows[200:207]]
    assert found.counts[-1].here["clips"] == 435
