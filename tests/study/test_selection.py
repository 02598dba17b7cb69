"""Settings chosen on other people: the person tested is in no training and in no score that speaks for the
choice."""

import itertools
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import f1_score

from learnet.core.errors import BadInput, LearnetError, OutputTaken
from learnet.core.records import Fold, Outcome
from learnet.core.serialisation import to_json
from learnet.core.settings import Resources, Study, Training
from learnet.report.page import write_report
from learnet.study.candidates import (
    SelectedTraining,
    Selection,
    best_candidates,
    candidate_scores,
    identical_candidates,
    leave_two_groups_out,
    read_candidates,
    selected_training,
)
from learnet.study.outcomes import read_outcomes
from learnet.study.run import run_study
from learnet.study.selection import read_selection, select_settings
from learnet.study.shipped import CANDIDATES
from learnet.training.checkpoint import load_checkpoint
from learnet.training.schedule import learning_rate_factor
from tests.study.test_run import QUICK, bytes_of, write_prepared

CLASSES = ["a", "b", "c"]
GROUPS = {"g0": ("p0", "p1"), "g1": ("p2",), "g2": ("p3", "p4"), "g3": ("p5",)}
HOME = {person: group for group, people in GROUPS.items() for person in people}
ALIKE = "[slow]\nlearning_rate = 1e-4\n\n[mixed]\nmixup = 0.4\n"
TWO = '[slow]\nlearning_rate = 1e-4\n\n[mixed]\nmixup = 0.4\nmirror = "none"\n'


def answers(rng: np.random.Generator, seeds: int = 2) -> list[Outcome]:
    """Two candidates' answers to three clips of everybody in a pair."""
    made = []
    for seed, name, (one, other) in itertools.product(
        range(seeds), ("x", "y: z"), itertools.combinations(GROUPS, 2)
    ):
        for person, clip in itertools.product([*GROUPS[one], *GROUPS[other]], range(3)):
            truth, told = CLASSES[(int(person[1]) + clip) % 3], CLASSES[int(rng.integers(3))]
            made.append(
                Outcome(
                    "choice",
                    f"{name}: {one}+{other}",
                    seed,
                    f"d/{person}/{clip}",
                    "d",
                    person,
                    truth,
                    told,
                    (0.0, 0.0, 1.0),
                )
            )
    return made


def test_scores_are_those_of_networks_that_saw_neither_the_group_nor_the_clip(
    rng: np.random.Generator,
) -> None:
    outcomes = answers(rng)
    found = candidate_scores(outcomes, GROUPS, ["x", "y: z"], CLASSES)
    for group, name in itertools.product(GROUPS, ("x", "y: z")):
        wanted = []
        for seed in (0, 1):
            folds = [
                f"{name}: {one}+{other}"
                for one, other in itertools.combinations(GROUPS, 2)
                if group in (one, other)
            ]
            told = [
                o for o in outcomes if o.seed == seed and o.fold in folds and o.person not in GROUPS[group]
            ]
            assert len(told) == 3 * sum(
                len(people) for other, people in GROUPS.items() if other != group
            )  # each clip once
            wanted.append(
                f1_score(
                    [o.truth for o in told],
                    [o.prediction for o in told],
                    labels=CLASSES,
                    average="macro",
                    zero_division=0,
                )
            )
        assert found[group][name] == pytest.approx(np.mean(wanted))


@given(st.integers(0, 2**31), st.sampled_from(sorted(GROUPS)))
def test_answers_to_a_groups_own_people_have_no_say_in_its_choice(seed: int, group: str) -> None:
    outcomes = answers(np.random.default_rng(seed))
    before = candidate_scores(outcomes, GROUPS, ["x", "y: z"], CLASSES)
    perfect = [
        Outcome(
            *[
                *(getattr(o, f) for f in ("study", "fold", "seed", "clip", "dataset", "person", "truth")),
                o.truth,
                o.scores,
            ]
        )
        if HOME[o.person] == group and o.fold.startswith("x")
        else o
        for o in outcomes
    ]
    after = candidate_scores(perfect, GROUPS, ["x", "y: z"], CLASSES)
    assert after[group] == before[group]
    assert all(after[other]["x"] >= before[other]["x"] for other in GROUPS)
    assert any(after[other]["x"] > before[other]["x"] for other in GROUPS if other != group)


@given(st.integers(3, 6), st.integers(0, 1000), st.data())
def test_every_pair_of_groups_is_left_out_once_whole(groups: int, seed: int, data: st.DataObject) -> None:
    people = data.draw(st.lists(st.sampled_from([f"p{i}" for i in range(12)]), min_size=40, max_size=60))
    if len(set(people)) < groups:
        return
    labels = data.draw(st.lists(st.sampled_from(CLASSES), min_size=len(people), max_size=len(people)))
    named, folds = leave_two_groups_out(people, labels, groups, seed)
    assert sorted(itertools.chain(*named.values())) == sorted(set(people))
    assert [fold.name for fold in folds] == [
        f"{one}+{other}" for one, other in itertools.combinations(named, 2)
    ]
    for fold in folds:
        one, other = fold.name.split("+")
        assert {people[i] for i in fold.test} == {*named[one], *named[other]}
        assert sorted([*fold.train, *fold.test]) == list(range(len(people)))


def test_each_fold_takes_the_settings_of_its_persons_group() -> None:
    candidates = {"x": Training(epochs=1), "y": Training(epochs=2)}
    scores = {
        "g0": {"x": 0.4, "y": 0.5},
        "g1": {"x": 0.5, "y": 0.5},
        "g2": {"x": 0.1, "y": 0.0},
        "g3": {"x": 0.2, "y": 0.3},
    }
    choice = Selection(
        network="learnet",
        classes=CLASSES,
        fingerprint="",
        seeds=[0],
        candidates=candidates,
        groups={group: list(members) for group, members in GROUPS.items()},
        scores=scores,
        selected=best_candidates(scores, list(candidates)),
    )
    people = tuple(HOME)

    def fold(*test: int) -> Fold:
        return Fold("f", tuple(i for i in range(6) if i not in test), test, people, "loso")

    assert [choice.training_for(fold(i)).epochs for i in range(6)] == [
        2,
        2,
        1,
        1,
        1,
        2,
    ]  # of equals the first
    assert choice.training_for(fold(0, 1)).epochs == 2
    with pytest.raises(LearnetError, match="several groups"):
        choice.training_for(fold(0, 2))


def test_a_choice_and_the_study_that_uses_it(tmp_path: Path, rng: np.random.Generator) -> None:
    prepared = write_prepared(tmp_path / "prepared", rng, people=6)
    (tmp_path / "two.toml").write_text(TWO)
    asked = Study(protocol="groups", groups=3, seeds=2, keep_weights=False)
    choice = select_settings(
        prepared, tmp_path / "choice", read_candidates(tmp_path / "two.toml", QUICK), asked, Resources(jobs=1)
    )
    assert choice == read_selection(tmp_path / "choice")
    mixed = replace(QUICK, mixup=0.4, mirror="none", detrend=False, clipping_percentile=100)
    assert choice.candidates["mixed"] == mixed
    assert (
        len(read_outcomes(tmp_path / "choice" / "trainings")) == 2 * 2 * 2 * 14
    )  # seeds, candidates, pairs that a clip is in, clips with a class
    run_study(prepared, tmp_path / "study", Study(), SelectedTraining(choice), Resources(jobs=1))
    record = json.loads((tmp_path / "study" / "study.json").read_text())
    assert record["choice"] == json.loads((tmp_path / "choice" / "choice.json").read_text())
    for group, people in choice.groups.items():
        for person in people:
            _, facts = load_checkpoint(
                tmp_path / "study" / "folds" / f"{person.replace('/', '-')}-seed0.safetensors"
            )
            assert facts.training == choice.candidates[choice.selected[group]]
    assert record["training"] == {"seed": 0}
    with pytest.raises(LearnetError, match="epochs, mixup with a selection.*Leave epochs, mixup out"):
        selected_training(choice, Training(epochs=5, mixup=0.9))
    assert selected_training(choice, Training(seed=7)) == SelectedTraining(choice, 7)
    with pytest.raises(LearnetError, match="train_people 2 with a selection"):
        run_study(
            prepared, tmp_path / "else", Study(train_people=2), SelectedTraining(choice), Resources(jobs=1)
        )
    other = write_prepared(tmp_path / "other", rng, people=6)
    with pytest.raises(LearnetError, match="made for other images"):
        run_study(other, tmp_path / "else", Study(), SelectedTraining(choice), Resources(jobs=1))
    with pytest.raises(LearnetError, match="several groups"):
        run_study(
            prepared,
            tmp_path / "else",
            Study(protocol="groups", groups=2),
            SelectedTraining(choice),
            Resources(jobs=1),
        )
    assert not (tmp_path / "else").exists()


def test_candidates_that_a_network_cannot_tell_apart_do_not_compete(
    tmp_path: Path, rng: np.random.Generator
) -> None:
    prepared = write_prepared(tmp_path / "prepared", rng)
    (tmp_path / "two.toml").write_text(ALIKE)
    asked = Study(network="linear-svm", protocol="groups", groups=3, keep_weights=False)
    with pytest.raises(LearnetError, match="slow and mixed are the same settings for linear-svm"):
        select_settings(
            prepared,
            tmp_path / "choice",
            read_candidates(tmp_path / "two.toml", QUICK),
            asked,
            Resources(jobs=1),
        )
    assert not (tmp_path / "choice").exists()


FAMILIES = """
[svm]
network = "linear-svm"

[svm-stiff]
network = "linear-svm"
regularisation_c = 1e-6

[lda]
network = "lda"
pca_components = 3
"""


def test_networks_are_selected_with_their_settings(tmp_path: Path, rng: np.random.Generator) -> None:
    prepared = write_prepared(tmp_path / "prepared", rng, people=6)
    (tmp_path / "families.toml").write_text(FAMILIES)
    candidates = read_candidates(tmp_path / "families.toml", Training())
    assert candidates.networks == {"svm": "linear-svm", "svm-stiff": "linear-svm", "lda": "lda"}
    asked = Study(protocol="groups", groups=3, keep_weights=False)
    choice = select_settings(prepared, tmp_path / "choice", candidates, asked, Resources(jobs=1))
    assert read_selection(tmp_path / "choice") == choice
    # One group takes each candidate, so that all of them are trained.
    taken = dict(zip(choice.groups, ("svm", "svm-stiff", "lda"), strict=True))
    choice = replace(choice, selected=taken)
    run_study(prepared, tmp_path / "study", Study(), SelectedTraining(choice), Resources(jobs=1))
    record = json.loads((tmp_path / "study" / "study.json").read_text())
    assert record["network"] == "selected"
    assert record["choice"]["networks"] == candidates.networks
    for group, people in choice.groups.items():
        for person in people:
            file = tmp_path / "study" / "folds" / f"{person.replace('/', '-')}-seed0.safetensors"
            _, facts = load_checkpoint(file)
            assert facts.network == candidates.networks[taken[group]]
            assert facts.training == choice.candidates[taken[group]]
    assert read_selection(tmp_path / "study") == choice
    assert "selected for each person on other people: 3 candidates" in write_text_report(tmp_path / "study")


def write_text_report(study: Path) -> str:
    """Write the report of a study, and return its page as text."""
    page = study.parent / "page.html"
    write_report([study], page, explained=0)
    return page.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ('[a]\nnetwork = "lad"\n[b]\n', "candidate a: There is no network called 'lad'"),
        ('[a]\nnetwork = "lbp-top"\n[b]\n', "candidate a: lbp-top accepts histograms"),
        (
            '[a]\nnetwork = "lda"\n[b]\nnetwork = "lda"\nmixup = 0.4\n',
            "a and b are the same settings for lda",
        ),
    ],
)
def test_a_network_that_cannot_compete_names_its_candidate(
    tmp_path: Path, rng: np.random.Generator, text: str, wrong: str
) -> None:
    prepared = write_prepared(tmp_path / "prepared", rng, people=6)
    (tmp_path / "c.toml").write_text(text)
    candidates = read_candidates(tmp_path / "c.toml", QUICK)
    asked = Study(protocol="groups", groups=3, keep_weights=False)
    with pytest.raises(LearnetError, match=wrong):
        select_settings(prepared, tmp_path / "choice", candidates, asked, Resources(jobs=1))
    assert not (tmp_path / "choice").exists()


def test_candidates_that_predict_the_same_are_named(rng: np.random.Generator) -> None:
    outcomes = answers(rng)
    assert identical_candidates(outcomes) == []
    copied = [replace(o, fold=o.fold.replace("x:", "copy:", 1)) for o in outcomes if o.fold.startswith("x:")]
    assert identical_candidates([*outcomes, *copied]) == [("x", "copy")]
    other = next(name for name in CLASSES if name != copied[-1].prediction)
    copied[-1] = replace(copied[-1], prediction=other)
    assert identical_candidates([*outcomes, *copied]) == []


def test_the_candidate_with_more_weight_decay_differs_in_effect() -> None:
    """By the decoupled decay alone, a weight shrinks by 1 - rate * decay at each step, with the schedule."""
    candidates = read_candidates(CANDIDATES / "flow.toml", Training()).settings
    kept = {}
    for name in ("clip-90", "clip-90-decay"):
        training = candidates[name]
        steps = 309 // training.batch_size + 1
        factor = 1.0
        for step in range(training.epochs * steps):
            rate = training.learning_rate * learning_rate_factor(step / steps, training)
            factor *= 1 - rate * training.weight_decay
        kept[name] = factor
    assert kept["clip-90"] > 0.99
    assert kept["clip-90-decay"] < 0.6


def test_from_is_written_as_the_command_has_it(tmp_path: Path) -> None:
    (tmp_path / "c.toml").write_text('[a]\nfrom = "pretrained"\n[b]\n')
    assert read_candidates(tmp_path / "c.toml", Training()).settings == {
        "a": Training(init="pretrained"),
        "b": Training(),
    }


def test_a_choice_that_was_cut_off_goes_on_and_another_is_refused(
    tmp_path: Path, rng: np.random.Generator
) -> None:
    prepared = write_prepared(tmp_path / "prepared", rng)
    (tmp_path / "two.toml").write_text(TWO)
    asked = Study(protocol="groups", groups=3, keep_weights=False)

    def stop(done: int, total: int) -> None:
        if done == 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        select_settings(
            prepared,
            tmp_path / "a" / "choice",
            read_candidates(tmp_path / "two.toml", QUICK),
            asked,
            Resources(jobs=1),
            stop,
        )
    with pytest.raises(BadInput, match="continues where it stopped"):
        read_selection(tmp_path / "a" / "choice")
    steps: list[int] = []
    select_settings(
        prepared,
        tmp_path / "a" / "choice",
        read_candidates(tmp_path / "two.toml", QUICK),
        asked,
        Resources(jobs=1),
        lambda done, _: steps.append(done),
    )
    select_settings(
        prepared,
        tmp_path / "b" / "choice",
        read_candidates(tmp_path / "two.toml", QUICK),
        asked,
        Resources(jobs=1),
    )
    assert steps == [5, 6]
    assert bytes_of(tmp_path / "a" / "choice") | {"trainings/run.json": b""} == bytes_of(
        tmp_path / "b" / "choice"
    ) | {"trainings/run.json": b""}
    (tmp_path / "two.toml").write_text(TWO.replace("0.4", "0.2"))
    with pytest.raises(OutputTaken, match="candidates"):
        select_settings(
            prepared,
            tmp_path / "a" / "choice",
            read_candidates(tmp_path / "two.toml", QUICK),
            asked,
            Resources(jobs=1),
        )


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("[one]\nmixup = 0.4\n", "at least two candidates"),
        ("[one]\nlr = 0.1\n", r"`\$.one.lr`: there is no such key. Did you mean 'learning_rate'"),
        ("[one]\nmixupp = 0.4\n[two]\n", r"`\$.one.mixupp`: there is no such key. Did you mean 'mixup'"),
        ("[one]\nmixup = true\n[two]\n", r"`\$.one.mixup`: got true. It should be a number"),
        ("[one]\nmixup = -1\n[two]\n", r"`\$.one`: mixup cannot be -1"),
        ("[one]\nnetwork = 3\n[two]\n", r"`\$.one.network`: got 3"),
        ('[one]\nnetwork = "lda"\n[two]\nnetwork = "lda"\n', "two and one have the same settings"),
        ("[one]\nseed = 1\n[two]\n", r"`\$.one.seed`: there is no such key"),
        ("[one]\n[two]\n", "two and one have the same settings"),
        ("one = 3\n[two]\n", "one = 3 is above the first candidate"),
        ("[one\n", "this is not TOML"),
    ],
)
def test_what_is_wrong_with_candidates_is_told(tmp_path: Path, text: str, wrong: str) -> None:
    (tmp_path / "c.toml").write_text(text)
    with pytest.raises(BadInput, match=wrong) as told:
        read_candidates(tmp_path / "c.toml", Training())
    assert "c.toml" in str(told.value)


def test_a_file_of_candidates_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(
        BadInput, match="c.toml: there is no such file of candidates. .*: flow, flow-clipping"
    ):
        read_candidates(tmp_path / "c.toml", Training())


def test_candidates_that_come_with_the_project_can_be_read() -> None:
    files = sorted(CANDIDATES.glob("*.toml"))
    assert files
    for file in files:
        assert len(read_candidates(file, Training()).settings) >= 2


def test_a_setting_that_does_not_fit_the_images_names_its_candidate(
    tmp_path: Path, rng: np.random.Generator
) -> None:
    prepared = write_prepared(tmp_path / "prepared", rng, people=6)
    (tmp_path / "c.toml").write_text("[plain]\n[flat]\ndetrend = true\n")
    candidates = read_candidates(tmp_path / "c.toml", QUICK)
    with pytest.raises(LearnetError, match=r"c.toml: candidate flat: detrend is for flow images"):
        select_settings(prepared, tmp_path / "out", candidates, Study(groups=3), Resources(jobs=1))


def damaged_choices() -> list[tuple[str, object, str]]:
    """Key, value and what is said of it, for a choice between `one` and `two` for `a` and `b`."""
    scores = {"one": 0.5, "two": 0.25}
    return [
        ("groups", {"a": ["x"]}, "not of the same groups"),
        ("scores", {"a": scores}, "not of the same groups"),
        ("scores", {"a": scores, "b": {"one": 0.5}}, "not of these candidates"),
        ("scores", {"a": scores, "b": {"one": "0.5", "two": 0}}, "scores.b.one"),
        ("taken", {"a": "one", "b": "three"}, "not of these candidates"),
        ("taken", {"a": "one"}, "not of the same groups"),
        ("taken", ["one", "two"], "taken"),
        ("candidates", {"one": {"epochs": "many"}, "two": {}}, "candidates.one.epochs"),
        ("candidates", {"one": {"epochs": -1}, "two": {}}, "epochs"),
        ("candidates", None, "candidates"),
    ]


@pytest.mark.parametrize(("key", "value", "says"), damaged_choices())
def test_a_damaged_choice_is_refused_in_one_line(tmp_path: Path, key: str, value: object, says: str) -> None:
    training = Training()
    choice = Selection(
        network="learnet",
        classes=["p", "q"],
        fingerprint="f",
        seeds=[0],
        candidates={"one": training, "two": replace(training, epochs=3)},
        groups={"a": ["x"], "b": ["y"]},
        scores={"a": {"one": 0.5, "two": 0.25}, "b": {"one": 0.5, "two": 0.25}},
        selected={"a": "one", "b": "two"},
    )
    file = tmp_path / "choice.json"
    file.write_text(to_json(choice))
    assert read_selection(tmp_path) == choice
    file.write_text(json.dumps({**json.loads(file.read_text()), key: value}))
    with pytest.raises(BadInput, match=says) as error:
        read_selection(tmp_path)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("content", [b"", b"{", b"\xff", b"null", b"[" * 100_000, b"9" * 5000, b"{}"])
def test_a_choice_that_is_none_is_refused_in_one_line(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "choice.json").write_bytes(content)
    with pytest.raises(BadInput, match=r"choice\.json"):
        read_selection(tmp_path)
