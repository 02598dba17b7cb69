"""Logs and tables of any origin: what is read, and what is refused in one line that names the place."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from learnet.core.errors import BadInput, LearnetError
from learnet.core.labels import SCHEMES
from learnet.core.people import spellings
from learnet.core.records import Outcome
from learnet.metrics.read import PredictionFile, read_predictions
from learnet.study.outcomes import megc_log, outcome_rows, outcomes_header
from tests.builders.written_study import write_prepared, write_study

MEGC = ("negative", "positive", "surprise")


def read(folder: Path, text: str, name: str = "x.log", classes: str = "auto") -> PredictionFile:
    (folder / name).write_bytes(text.encode())
    return read_predictions(folder / name, classes)


def rows_of(file: PredictionFile) -> list[tuple[str, str, str, str, str]]:
    return [(o.dataset, o.person, o.clip, o.truth, o.prediction) for o in file.outcomes]


def test_a_log_by_hand(tmp_path: Path) -> None:
    """Blank lines, Windows line ends, tabs and a byte-order mark change nothing."""
    text = "casme2 sub01\nEP02_01f 1 0\nEP19_05f 0 0\nsmic s1\ns1_ne_01 0 2\n"
    text += "samm 006\n006_1_2 negative surprise\n"
    expected = [
        ("casme2", "casme2/sub01", "casme2/sub01/EP02_01f", "positive", "negative"),
        ("casme2", "casme2/sub01", "casme2/sub01/EP19_05f", "negative", "negative"),
        ("smic", "smic/s1", "smic/s1/s1_ne_01", "negative", "surprise"),
        ("samm", "samm/006", "samm/006/006_1_2", "negative", "surprise"),
    ]
    for form in (
        text,
        text.replace("\n", "\r\n"),
        text.replace(" ", "\t"),
        "\ufeff" + text,
        "\n" + text.replace("\n", "\n\n"),
        text.strip(),
    ):
        found = read(tmp_path, form)
        assert rows_of(found) == expected
        assert (found.kind, found.classes, found.has_people) == ("log", MEGC, True)


def test_tables_by_hand(tmp_path: Path) -> None:
    expected = [("samm", "samm/006", "samm/006/006_1_2", "negative", "surprise")]
    for text in (
        "clip,truth,prediction,dataset,subject\n006_1_2,0,2,samm,006\n",
        "Subject;Prediction;Clip;Truth;Dataset;Remark\n006;sur;006_1_2;ne;SAMM;looked away\n\n",
        "clip\ttruth\tprediction\nsamm/006/006_1_2\tnegative\tsurprise\n",
        '"clip","truth","prediction","person"\n"006_1_2","0","2","samm/006"\n',
        "clip,truth,prediction,person,dataset\n006_1_2,0,2,006,samm\n",
    ):
        assert rows_of(read(tmp_path, text, "x.txt")) == expected
    plain = read(tmp_path, "clip,truth,prediction\nb,1,1\na,0,1\n", "x.csv")
    assert rows_of(plain) == [("", "", "b", "positive", "positive"), ("", "", "a", "negative", "positive")]
    assert not plain.has_people


def test_an_unfinished_study_is_refused_with_the_way_to_continue(tmp_path: Path) -> None:
    """Cut within a line, between folds, or before the first prediction: no part of it is scored."""
    study = write_study(tmp_path / "study", write_prepared(tmp_path / "prepared", people=3, clips=4))
    file = study / "outcomes.csv"
    whole = file.read_text(encoding="utf-8")
    assert len(read_predictions(study).outcomes) == 24
    lines = whole.splitlines(keepends=True)
    for text, written in ((whole[:-20], 23), ("".join(lines[:9]), 8), (lines[0], 0), (lines[0][:30], 0)):
        file.write_text(text, encoding="utf-8")
        for path in (study, file):
            with pytest.raises(BadInput, match=rf"{written} of 24 predictions.*same `learnet study` command"):
                read_predictions(path)


def test_outcomes_of_a_study(tmp_path: Path) -> None:
    """Seeds and folds are kept; SMIC-E's people are SMIC's."""
    first = Outcome(
        study="s",
        fold="group-0",
        seed=0,
        clip="smic-e/s01/x",
        dataset="smic-e",
        person="smic/s01",
        truth="surprise",
        prediction="negative",
        scores=(0.6, 0.1, 0.3),
    )
    written = [first, replace(first, fold="group-1", seed=1)]
    (tmp_path / "outcomes.csv").write_text(outcomes_header(MEGC) + outcome_rows(written))
    for path in (tmp_path, tmp_path / "outcomes.csv"):
        found = read_predictions(path)
        assert list(found.outcomes) == [replace(o, study="outcomes") for o in written]
        assert found.classes == MEGC and found.class_source == "The classes are the columns of scores."


def test_columns_of_classes_are_probabilities_or_left_out(tmp_path: Path) -> None:
    """They may stand in any order and be rounded; logits, gaps and half a class list are not scored."""
    table = "clip,surprise,truth,prediction,negative,positive\na,0.34,0,2,0.33,0.33\n"
    found = read(tmp_path, table + "b,{},1,0,{},{}\n".format("0.1", "0.7", "0.2"), "x.csv", "megc-3")
    assert [o.scores for o in found.outcomes] == [(0.33, 0.33, 0.34), (0.7, 0.2, 0.1)]
    assert found.notes == ()
    for cells, problem in {
        ("2.1", "-1.0", "-0.1"): "line 3 has no probabilities that sum to 1",
        ("0.5", "", "0.5"): "line 3 has '' for negative",
        ("0.1", "70 %", "0.2"): "line 3 has '70 %' for negative",
        ("nan", "0.5", "0.5"): "line 3 has no probabilities that sum to 1",
        ("0.5", "0.5", "0.5"): "line 3 has no probabilities that sum to 1",
    }.items():
        found = read(tmp_path, table + "b,{},1,0,{},{}\n".format(*cells), "x.csv", "megc-3")
        assert {o.scores for o in found.outcomes} == {()}
        assert found.notes == (f"No log loss, Brier score or AUC: {problem}.",)
    two_columns = "clip,truth,prediction,negative,positive\na,0,1,0.4,0.6\n"
    absent = "No log loss, Brier score or AUC: there is no column of scores for surprise."
    assert read(tmp_path, two_columns, "x.csv", "megc-3").notes == (absent,)


def test_seven_probabilities_with_two_decimals_are_read(tmp_path: Path) -> None:
    """Seven that are rounded up sum to 1.03."""
    names = SCHEMES["casme2-7"].classes
    cells = ["0.15"] * 6 + ["0.13"]
    text = f"clip,truth,prediction,{','.join(names)}\na,fear,{names[0]},{','.join(cells)}\n"
    found = read(tmp_path, text, "x.csv", "casme2-7")
    assert found.outcomes[0].scores == tuple(map(float, cells)) and found.notes == ()


def test_exchanged_columns_are_noticed(tmp_path: Path) -> None:
    text = "clip,truth,prediction,negative,positive,surprise\n"
    text += "a,0,0,0.8,0.1,0.1\nb,1,1,0.4,0.4,0.2\nc,2,2,0.7,0.1,0.2\n"
    note = "In 1 of 3 lines (first line 4) the prediction is not the class with the highest probability."
    assert read(tmp_path, text, "x.csv", "megc-3").notes == (note,)


def test_the_class_list(tmp_path: Path) -> None:
    words = "clip,truth,prediction\na,fear,disgust\nb,Happy,disgust\n"
    assert read(tmp_path, words).classes == ("happiness", "disgust", "fear")
    assert read(tmp_path, words, classes="casme2-7").classes == (
        "happiness",
        "disgust",
        "repression",
        "surprise",
        "others",
        "sadness",
        "fear",
    )
    assert [o.truth for o in read(tmp_path, words, classes="megc-3").outcomes] == ["negative", "positive"]
    indices = read(tmp_path, "casme2 sub01\na 4 2\nb 0 1\n", classes="casme2-5")
    assert [(o.truth, o.prediction) for o in indices.outcomes] == [
        ("others", "repression"),
        ("happiness", "disgust"),
    ]
    columns = "clip,truth,prediction,positive,negative,age\na,positive,positive,1,0,31\n"
    assert read(tmp_path, columns).classes == ("positive", "negative")
    other = columns.replace("a,positive", "a,surprise")  # the columns are not all of the classes
    assert read(tmp_path, other).classes == MEGC


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "casme2 sub01\nEP02_01f 1 3\n",
            "line 2: '3' is no class; there are 0 negative, 1 positive, 2 surprise",
        ),
        (
            "casme2 sub01\nEP02_01f 1 -1\n",
            "line 2: '-1' is no class; there are 0 negative, 1 positive, 2 surprise",
        ),
        ("casme2 sub01\na negative joyfulness\n", "line 2: 'joyfulness' is no class; there are 0 negative"),
        ("casme2 sub01\na happiness 0\n", "line 2: '0' is no class; there are happiness"),
        ("casme2 sub01\na 0 joyfulness\nb 1 fear\n", "line 2: '0' is no class"),
        ("clip,truth,prediction\na,joyfulness,fear\n", "line 2: 'joyfulness' is no class; there are fear"),
        ("EP02_01f 1 0\n", "line 1: 'EP02_01f 1 0' is a prediction, but no line before it names the subject"),
        ("casme2 sub01\nEP02_01f 1\n", "line 2: 'EP02_01f 1' is neither a subject nor a prediction"),
        ("casme2 sub01\nEP02_01f\n", "line 2: 'EP02_01f' is neither a subject nor a prediction"),
        ("casme2 sub01\n", "contains no predictions"),
        ("", "contains no predictions"),
        ("clip,truth,prediction\n", "contains no predictions"),
        ("clip,truth\na,1\n", "the columns prediction are missing"),
        ("clip,truth,prediction,truth\na,1,1,1\n", "the columns truth are missing or repeated"),
        ("clip,truth,prediction\na,1,\n", "line 2: prediction is empty"),
        ("clip,truth,prediction\na,b,1,1\n", "line 2: there are more values than columns"),
        ("clip,truth,prediction,seed\na,1,1,first\n", "line 2: the seed 'first' is not a small whole number"),
        (f"clip,truth,prediction,seed\na,1,1,{'9' * 5000}\n", "is not a small whole number"),
        ("a\0b\n", "not a text file"),
    ],
)
def test_errors_name_the_line(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(BadInput) as refused:
        read(tmp_path, text)
    assert message in str(refused.value) and "\n" not in str(refused.value)


def test_paths_without_predictions(tmp_path: Path) -> None:
    for path in (tmp_path / "no.log", tmp_path):
        with pytest.raises(BadInput, match="there is no such file"):
            read_predictions(path)
    (tmp_path / "x.log").write_bytes(b"casme2 s\xe4")
    with pytest.raises(BadInput, match="not UTF-8"):
        read_predictions(tmp_path / "x.log")
    with pytest.raises(LearnetError, match="Did you mean 'megc-3'"):
        read(tmp_path, "casme2 s1\na 0 0\n", classes="megc3")


NAME = st.text(st.characters(categories=("L", "N"), include_characters="_-."), min_size=1, max_size=8)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.tuples(st.sampled_from(["casme2", "samm", "smic"]), NAME, NAME, *[st.sampled_from(MEGC)] * 2),
        min_size=1,
        max_size=9,
    )
)
def test_what_a_study_writes_is_read_back(tmp_path: Path, rows: list[tuple[str, str, str, str, str]]) -> None:
    """The log of the challenge and the table of outcomes contain the same predictions."""
    assume(not spellings([f"{dataset}/{subject}" for dataset, subject, *_ in rows]))
    written, expected = [], []
    for dataset, subject, name, truth, prediction in rows:
        person = f"{dataset}/{subject}"
        clip = f"{person}/{name}"
        expected.append((dataset, person, clip, truth, prediction))
        written.append(
            Outcome("s", person, 0, clip, dataset, person, truth, prediction, scores=(1.0, 0.0, 0.0))
        )
    log = read(tmp_path, megc_log(written, MEGC))
    table = read(tmp_path, outcomes_header(MEGC) + outcome_rows(written), "outcomes.csv")
    assert sorted(rows_of(log)) == sorted(rows_of(table)) == sorted(expected)


WORDS = ["casme2", "sub01", "EP01", "0", "1", "2", "3", "clip", "truth", "prediction", "fear", "é"]
SEPARATORS = [",", ";", "\t", " ", "\n", '"', "\r", "\0"]
PIECE = st.sampled_from(WORDS + SEPARATORS)


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.one_of(st.text(max_size=60), st.lists(PIECE, max_size=30).map("".join)),
    st.sampled_from(["x.log", "x.csv"]),
)
def test_any_text_is_read_or_refused_in_one_line(tmp_path: Path, text: str, name: str) -> None:
    try:
        found = read(tmp_path, text.encode("utf-8", "ignore").decode(), name)
    except LearnetError as refused:
        assert str(refused) and "\n" not in str(refused).replace(repr("\n"), "")
    else:
        assert found.outcomes
        for outcome in found.outcomes:
            assert outcome.truth in found.classes and outcome.prediction in found.classes


def test_the_log_of_a_study_has_its_classes(tmp_path: Path) -> None:
    """Indices of five classes, of which study.json beside the log has the names."""
    (tmp_path / "megc.log").write_text("casme2 01\nEP01 3 4\nEP02 0 0\n")
    with pytest.raises(BadInput, match="'3' is no class"):
        read_predictions(tmp_path / "megc.log")
    classes = ["happiness", "disgust", "repression", "surprise", "others"]
    (tmp_path / "study.json").write_text(json.dumps({"scheme": {"classes": classes}}))
    found = read_predictions(tmp_path / "megc.log")
    assert [(one.truth, one.prediction) for one in found.outcomes] == [
        ("surprise", "others"),
        ("happiness", "happiness"),
    ]
    assert found.classes == tuple(classes) and "study beside" in found.class_source
    (tmp_path / "theirs.log").write_text("casme2 01\nEP01 1 2\n")  # of somebody else
    assert read_predictions(tmp_path / "theirs.log").outcomes[0].truth == "positive"


LISTS = """Namespace(train=True)
Subject: 006
Predicted   : [0, 0, 1]
Ground Truth: [0, 1, 1]
UF1: 0.5185 | UAR: nan
Subject: sub01
Best Predicted    : [2]
Ground Truth : [2]
Evaluation until this subject:
Subject: s3
Predicted:\t['2', 0.0]
Best Predicted:\t[0, 0]
Ground Truth :\t[2, 0]
Final Evaluation:
"""


@pytest.mark.parametrize("name", ["log.txt", "log.csv"])
def test_the_lists_of_ststnet_and_htnet(tmp_path: Path, name: str) -> None:
    """By hand. The lists of the composite show the database by the spelling of the subject."""
    n, p, s = MEGC
    assert rows_of(read(tmp_path, LISTS, name)) == [
        ("samm", "samm/006", "samm/006/006_1", n, n),
        ("samm", "samm/006", "samm/006/006_2", p, n),
        ("samm", "samm/006", "samm/006/006_3", p, p),
        ("casme2", "casme2/sub01", "casme2/sub01/sub01_1", s, s),
        ("smic", "smic/s3", "smic/s3/s3_1", s, s),
        ("smic", "smic/s3", "smic/s3/s3_2", n, n),
    ]
    alone = read(tmp_path, "Subject: 006\nPredicted: [0]\nGround Truth: [1]\n")
    assert rows_of(alone) == [("", "006", "006/006_1", p, n)]


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ("[0, 1, 1]", "[0, 1]", "line 2: subject '006' has 3 predictions and 2 true classes"),
        ("[0, 1, 1]", "[0, 1,", "line 4: this list is not complete"),
        ("Ground Truth: [0, 1, 1]\n", "", "line 2: subject '006' has 3 predictions and 0 true classes"),
        ("Subject: 006\n", "", "line 2: these are labels, but no line before them names the subject"),
        ("Subject: sub01\n", "", "line 6: .*there is|line 7: Ground Truth is there twice for subject '006'"),
        ("[2, 0]", "[2, 7]", "'7' is no class"),
    ],
)
def test_lists_that_are_not_whole(tmp_path: Path, before: str, after: str, message: str) -> None:
    with pytest.raises(BadInput, match=message):
        read(tmp_path, LISTS.replace(before, after))


@pytest.mark.parametrize("name", ["log.csv", "log.txt", "log"])
def test_a_log_is_known_by_its_content(tmp_path: Path, name: str) -> None:
    log = "casme2 sub01\r\nEP02_01f 0.0 1.\r\n\r\nsmic 3\r\ns3 ne 01 Pos neg\r\n"
    found = read(tmp_path, log, name)
    assert found.kind == "log" and [row[2:] for row in rows_of(found)] == [
        ("casme2/sub01/EP02_01f", "negative", "positive"),
        ("smic/3/s3 ne 01", "positive", "negative"),
    ]


def test_labels_of_spreadsheets_and_everyday_words(tmp_path: Path) -> None:
    table = "clip;truth;prediction\na;0.0;1,0\nb;2.00;2\n"
    assert [row[3:] for row in rows_of(read(tmp_path, table))] == [MEGC[:2], (MEGC[2], MEGC[2])]
    words = read(tmp_path, "clip,truth,prediction\na,joy,angry\nb,Neutral,happy\n")
    assert [row[3:] for row in rows_of(words)] == [("happiness", "anger"), ("none", "happiness")]


def test_one_person_under_two_names(tmp_path: Path) -> None:
    log = "casme2 sub01\na 0 0\nsamm 1\nb 0 0\ncasme2 1\nc 1 1\n"
    found = read(tmp_path, log)
    assert [row[1] for row in rows_of(found)] == ["casme2/sub01", "samm/1", "casme2/sub01"]
    assert found.notes == ("Counted as one person: 'casme2/sub01' and 'casme2/1'.",)
    write_study_beside(tmp_path, distinct_people=True)
    table = outcomes_header(MEGC) + "s,f,0,d/1/a,d,d/1,negative,negative,1,0,0\n"
    table += "s,f,0,d/01/b,d,d/01,negative,negative,1,0,0\n"
    two = read(tmp_path, table, "outcomes.csv")
    assert [row[1] for row in rows_of(two)] == ["d/1", "d/01"] and not two.notes


def write_study_beside(folder: Path, **settings: object) -> None:
    """A study.json of two clips of the people `own/Subject 0 1` and `own/Subject 02`."""
    folds = [{"test_people": ["own/Subject 0 1", "own/Subject 02"], "test_clips": 2}]
    study = {"folds": folds, "seeds": [0], "settings": settings, "scheme": {"classes": MEGC}}
    (folder / "study.json").write_text(json.dumps(study))


def test_names_with_blanks_in_the_log_of_a_study(tmp_path: Path) -> None:
    """Beside its study any name is known; elsewhere one that does not end like a prediction."""
    people = ["own/Subject 0 1", "own/Subject 02"]
    written = [
        Outcome("s", p, 0, f"{p}/a b", "own", p, "positive", "negative", (0.0, 1.0, 0.0)) for p in people
    ]
    log = megc_log(written, MEGC)
    write_study_beside(tmp_path)
    assert [row[1:3] for row in rows_of(read(tmp_path, log, "megc.log"))] == [(p, f"{p}/a b") for p in people]
    elsewhere = read(tmp_path, log.replace("Subject 0 1", "Subject 01 x"), "moved.txt")
    assert [row[1] for row in rows_of(elsewhere)] == ["own/Subject 01 x", "own/Subject 02"]


@pytest.mark.parametrize(
    ("lines", "line"),
    [
        (["casme2 sub01", "a 0 1", "z 0 1 2", "b 0 1"], 3),
        (["casme2 sub01", "y 0 1 2", "z 0 1 2", "casme2 sub02", "y 0 0 1"], 2),
        (["casme2 sub01", "a 0 1", "z 1 0 1", "z 2 0 1"], 3),
        (["smic s1", "a negative surprise", "z positive negative surprise"], 3),
    ],
)
def test_three_labels_are_not_taken_for_the_name_of_a_clip_and_two_labels(
    tmp_path: Path, lines: list[str], line: int
) -> None:
    path = tmp_path / "log.txt"
    path.write_text("\n".join(lines))
    with pytest.raises(BadInput, match=f"line {line}: '{lines[line - 1]}' has three labels"):
        read_predictions(path)


def test_numbers_that_tell_the_clips_of_a_person_apart_are_part_of_their_names(tmp_path: Path) -> None:
    path = tmp_path / "log.txt"
    path.write_text("own anna\nfilm 1 0 1\nfilm 2 0 0\nown bert\nfilm 1 2 1\n")
    outcomes = read_predictions(path).outcomes
    assert [outcome.clip for outcome in outcomes] == ["own/anna/film 1", "own/anna/film 2", "own/bert/film 1"]
