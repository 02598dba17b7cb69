"""Studies on small prepared folders: nothing leaks, a kill costs nothing, the same question gives the same
bytes."""

import json
import os
import signal
import subprocess
import sys
import time
import weakref
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from learnet.core.errors import BadCheckpoint, BadInput, LearnetError, OutputTaken
from learnet.core.seeds import fold_seed, purpose_seed
from learnet.core.settings import Resources, Study, Training
from learnet.datasets.prepared.record import PrepareRecord
from learnet.datasets.prepared.store import load_prepared, save_prepared
from learnet.datasets.splits import make_folds
from learnet.report.study_checks import check
from learnet.report.study_record import read_record
from learnet.study.candidates import Selection
from learnet.study.description import (
    FoldDescription,
    ImagesDescription,
    SchemeDescription,
    StudyDescription,
    read_description,
)
from learnet.study.evaluate import evaluate
from learnet.study.folder import lock_study_folder
from learnet.study.jobs import FoldJob, run_jobs
from learnet.study.labelled import load_labelled_dataset
from learnet.study.outcomes import read_outcomes
from learnet.study.run import run_study
from learnet.study.train_on_all import train_on_all
from learnet.training.checkpoint import load_checkpoint
from tests.builders.commands import import_noise

QUICK = Training(epochs=2, batch_size=8)
SMALL_BATCHES = Training(
    epochs=2, batch_size=4
)  # smaller than any training side, so that all folds can be trained at once
WORDS = ("happiness", "disgust", "surprise", "sadness")


def write_prepared(
    out: Path, rng: np.random.Generator, people: int = 4, dataset: str = "casme2", kind: str = "image"
) -> Path:
    """People with three clips each; the class shows in the upper or lower half, weakly."""
    rows, images = [], []
    for person in range(people):
        for place in range(3):
            word = WORDS[(person + place) % 4]
            image = rng.integers(60, 190, (28, 28, 3), dtype=np.uint8)
            image[7 * WORDS.index(word) : 7 * WORDS.index(word) + 7] += 40
            subject = f"{person + 1:02d}"
            facts = {
                "clip": f"{dataset}/{subject}/EP{place}",
                "dataset": dataset,
                "subject": subject,
                "person": f"{dataset}/{subject}",
            }
            rows.append(
                {
                    **facts,
                    "image": len(rows),
                    "name": f"EP{place}",
                    "emotion": word,
                    "onset": 1,
                    "offset": 9,
                    "fps": 200,
                    "frames": 9,
                }
            )
            images.append(image)
    record = PrepareRecord(imported=True, preparation=None, images_kind=kind, synthetic=True, inputs="x")
    save_prepared(out, np.stack(images), pd.DataFrame(rows), record, [])
    return out


@pytest.fixture
def prepared(tmp_path: Path, rng: np.random.Generator) -> Path:
    return write_prepared(tmp_path / "prepared", rng)


def test_a_size_that_the_network_cannot_take_leaves_nothing(tmp_path: Path, rng: np.random.Generator) -> None:
    prepared = write_prepared(tmp_path / "prepared", rng)
    images = np.load(prepared / "images.npy")
    save_prepared(
        tmp_path / "smaller",
        images[:, :25, :25],
        load_prepared(prepared).clips,
        load_prepared(prepared).record,
        [],
    )
    for network, nearest in (("ststnet", "22 and 26"), ("dual-inception", "24 and 28")):
        with pytest.raises(
            LearnetError, match=f"{network} cannot take images of 25 pixels.*nearest: {nearest}"
        ):
            run_study(
                tmp_path / "smaller", tmp_path / "study", Study(network=network), QUICK, Resources(jobs=1)
            )
        with pytest.raises(LearnetError, match="25 pixels"):
            train_on_all(tmp_path / "smaller", Study(network=network), QUICK).save(tmp_path / "w.safetensors")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["prepared", "smaller"]


def bytes_of(study: Path) -> dict[str, bytes]:
    """All that must not differ between two runs of one study; `run.json` holds the clock."""
    return {
        str(p.relative_to(study)): p.read_bytes()
        for p in sorted(study.rglob("*"))
        if p.is_file() and p.name != "run.json"
    }


def test_every_clip_is_answered_once_by_a_network_that_has_not_seen_its_person(
    prepared: Path, tmp_path: Path
) -> None:
    summary = run_study(prepared, tmp_path / "study", Study(classes="casme2-5"), QUICK, Resources(jobs=1))
    outcomes = read_outcomes(tmp_path / "study")
    truth = {
        row.clip: row.emotion
        for row in load_prepared(prepared).clips.itertuples()
        if row.emotion != "sadness"
    }
    assert {o.clip: o.truth for o in outcomes} == truth
    assert len(outcomes) == len(truth) == 9
    assert summary.absent == ["repression", "others"]
    record = json.loads((tmp_path / "study" / "study.json").read_text())
    assert record["left_out"] == {"sadness": 3}
    for outcome in outcomes:
        assert outcome.fold == outcome.person
        _, facts = load_checkpoint(
            tmp_path / "study" / "folds" / f"{outcome.person.replace('/', '-')}-seed0.safetensors"
        )
        assert outcome.person not in facts.data["people"].splitlines()
        assert sum(outcome.scores) == pytest.approx(1, abs=1e-5)
        assert outcome.prediction == facts.classes[int(np.argmax(outcome.scores))]


def test_kept_weights_give_the_answers_again(prepared: Path, tmp_path: Path) -> None:
    from tests.builders.scores import predict_scores

    run_study(prepared, tmp_path / "study", Study(), QUICK, Resources(jobs=1))
    images = load_prepared(prepared)
    for outcome in read_outcomes(tmp_path / "study")[:4]:
        module, facts = load_checkpoint(
            tmp_path / "study" / "folds" / f"{outcome.fold.replace('/', '-')}-seed0.safetensors"
        )
        place = images.clips["clip"].tolist().index(outcome.clip)
        scores = predict_scores(module, images.images[[place]], facts.mirror)[0]
        np.testing.assert_allclose(scores, outcome.scores, atol=1e-5)


@pytest.mark.parametrize("network", ["learnet", "linear-svm"])
def test_the_person_tested_cannot_be_felt_in_training(
    tmp_path: Path, rng: np.random.Generator, network: str
) -> None:
    """Spoil the images and labels of the person left out: the weights of that fold stay the same, bit for
    bit."""
    honest = write_prepared(tmp_path / "honest", np.random.default_rng(0))
    there = load_prepared(honest)
    theirs = (there.clips["person"] == "casme2/02").to_numpy()
    images, clips = there.images.copy(), there.clips.copy()
    images[theirs] = rng.integers(0, 256, images[theirs].shape)
    clips.loc[theirs, "emotion"] = "happiness"
    save_prepared(tmp_path / "spoiled", images, clips, there.record, [])
    settings = replace(QUICK, mirror="none", detrend=False, inner_groups=2)
    weights = []
    for name in ("honest", "spoiled"):
        data = load_labelled_dataset(tmp_path / name, "casme2-7")
        fold = next(
            f for f in make_folds(Study(), data.people, data.truth, data.datasets, 0) if f.name == "casme2/02"
        )
        kept = run_jobs(
            [FoldJob("s", network, fold, settings, None, tmp_path / f"{name}.safetensors", 0)], data
        )[0].checkpoint
        (tmp_path / f"{name}.safetensors").write_bytes(kept or b"")
        weights.append(load_checkpoint(tmp_path / f"{name}.safetensors")[0].state_dict())
    assert all((weights[0][key] == weights[1][key]).all() for key in weights[0])


def test_processes_and_repeats_change_nothing(prepared: Path, tmp_path: Path) -> None:
    for place, jobs in (("a", 1), ("b", 2)):
        (tmp_path / place).mkdir()
        run_study(
            prepared,
            tmp_path / place / "study",
            Study(seeds=2, protocol="groups", groups=3),
            QUICK,
            Resources(jobs=jobs),
        )
    first = bytes_of(tmp_path / "a" / "study")
    assert first == bytes_of(tmp_path / "b" / "study")
    run_study(
        prepared,
        tmp_path / "a" / "study",
        Study(seeds=2, protocol="groups", groups=3),
        QUICK,
        Resources(jobs=1),
    )
    assert first == bytes_of(tmp_path / "a" / "study")
    assert {
        "megc.log",
        "megc-seed1.log",
        "metrics.json",
        "outcomes.csv",
        "study.json",
        "trainings.csv",
    } <= set(first)


def numbers_of(study: Path) -> list[tuple]:
    return [(o.fold, o.seed, o.clip, o.truth) for o in read_outcomes(study)]


@pytest.mark.parametrize(("jobs", "at_once"), [(1, 4), (2, 3)])
def test_trainings_side_by_side_change_nothing_but_rounding(
    prepared: Path, tmp_path: Path, jobs: int, at_once: int
) -> None:
    run_study(prepared, tmp_path / "alone", Study(seeds=2), SMALL_BATCHES, Resources(jobs=1))
    run_study(
        prepared,
        tmp_path / "together",
        Study(seeds=2),
        SMALL_BATCHES,
        Resources(jobs=jobs, parallel_folds=at_once),
    )
    assert numbers_of(tmp_path / "together") == numbers_of(tmp_path / "alone")
    alone, together = (
        np.array([o.scores for o in read_outcomes(tmp_path / name)]) for name in ("alone", "together")
    )
    np.testing.assert_allclose(together, alone, atol=2e-3)
    assert np.ptp(alone, axis=0).max() > 0.02  # or nothing would have been learned that could differ


@pytest.mark.filterwarnings("ignore:The GPU has too little memory for 2")  # said again for each half
def test_a_gpu_without_room_gets_half_as_many_networks(
    prepared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from learnet.study import jobs as module

    real, sizes, taken = module.train_together, [], []

    def tight(network: str, sets: list, trainings: list, device: str, initial_weights: bytes | None) -> list:
        assert not any(attempt() for attempt in taken), (
            "what a failed attempt took must be free before the next"
        )
        sizes.append(len(sets))
        memory = torch.empty(1)
        taken.append(weakref.ref(memory))
        if len(sets) > 1:
            raise torch.OutOfMemoryError("as CUDA says it")
        return real(network, sets, trainings, device, initial_weights=initial_weights)

    run_study(prepared, tmp_path / "alone", Study(), SMALL_BATCHES, Resources(jobs=1))
    monkeypatch.setattr(module, "train_together", tight)
    with pytest.warns(UserWarning, match="too little memory for 4 networks at once; 2 are tried"):
        run_study(prepared, tmp_path / "tight", Study(), SMALL_BATCHES, Resources(jobs=1, parallel_folds=4))
    assert sizes == [4, 2, 1, 1, 2, 1, 1]
    assert [o.scores for o in read_outcomes(tmp_path / "tight")] == [
        o.scores for o in read_outcomes(tmp_path / "alone")
    ]


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_gpu_that_is_not_there_is_said_before_anything_is_written(prepared: Path, tmp_path: Path) -> None:
    with pytest.raises(LearnetError, match="no GPU"):
        run_study(prepared, tmp_path / "study", Study(), QUICK, Resources(device="cuda"))
    assert not (tmp_path / "study").exists()
    with pytest.raises(LearnetError, match="no GPU"):
        train_on_all(prepared, Study(), QUICK, device="cuda").save(tmp_path / "all.safetensors")
    assert not (tmp_path / "all.safetensors").exists()


@pytest.mark.slow
def test_a_killed_study_goes_on_and_ends_with_the_same_bytes(prepared: Path, tmp_path: Path) -> None:
    """A real process, killed for good after two folds, its last line torn as a crash would leave it."""
    (tmp_path / "whole").mkdir(), (tmp_path / "killed").mkdir()
    study = Study(seeds=3)
    run_study(prepared, tmp_path / "whole" / "study", study, QUICK, Resources(jobs=1))
    out = tmp_path / "killed" / "study"
    code = (
        "import sys; from pathlib import Path; from learnet.study.run import run_study;"
        "from learnet.core.settings import *;"
        "settings = Study(seeds=3), Training(epochs=2, batch_size=8), Resources(jobs=1);"
        "run_study(Path(sys.argv[1]), Path(sys.argv[2]), *settings)"
    )
    process = subprocess.Popen([sys.executable, "-c", code, str(prepared), str(out)], start_new_session=True)
    while not (out / "outcomes.csv").is_file() or len((out / "outcomes.csv").read_text().splitlines()) < 7:
        assert process.poll() is None
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    done = (out / "outcomes.csv").read_text()
    assert done.count("\n") < 1 + 36  # it was killed before the end
    (out / "outcomes.csv").write_text(done + "study,casme2/03,0,casme2/03/EP")
    steps: list[int] = []
    run_study(
        prepared,
        out,
        study,
        QUICK,
        Resources(jobs=1),
        progress=lambda finished, total: steps.append(finished),
    )
    assert steps[0] > 2  # what was done was not done again
    assert bytes_of(out) == bytes_of(tmp_path / "whole" / "study")


@pytest.mark.slow
def test_two_runs_of_one_study_do_not_mix(prepared: Path, tmp_path: Path) -> None:
    """A second run is refused while the first is at work; interrupted as Ctrl-C does it, the first leaves a
    study that goes on."""
    out = tmp_path / "study"
    code = (
        "import signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler);"
        "from learnet.cli import main;"
        "sys.argv[0] = 'learnet'; main()"
    )
    command = [
        sys.executable,
        "-c",
        code,
        "study",
        str(prepared),
        str(out),
        "--epochs",
        "40",
        "--classes",
        "casme2-7",
    ]
    first = subprocess.Popen(
        command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    while not (out / "outcomes.csv").is_file() or len((out / "outcomes.csv").read_text().splitlines()) < 4:
        assert first.poll() is None
        time.sleep(0.01)
    study, training = Study(classes="casme2-7"), Training(epochs=40)
    with pytest.raises(OutputTaken, match="another run of this study is at work"):
        run_study(prepared, out, study, training, Resources(jobs=1))
    os.killpg(first.pid, signal.SIGINT)
    said = first.communicate(timeout=600)[1]
    assert (first.returncode, said.count("\n")) == (130, 1) and said.startswith("learnet: Interrupted."), said
    run_study(prepared, out, study, training, Resources(jobs=1))
    (tmp_path / "whole").mkdir()
    run_study(prepared, tmp_path / "whole" / "study", study, training, Resources(jobs=1))
    assert bytes_of(out) == bytes_of(tmp_path / "whole" / "study")


def test_another_study_is_not_overwritten(prepared: Path, tmp_path: Path) -> None:
    run_study(prepared, tmp_path / "study", Study(network="majority"), QUICK, Resources(jobs=1))
    before = bytes_of(tmp_path / "study")
    with pytest.raises(OutputTaken, match='differs in network .there "majority", requested "linear-svm"'):
        run_study(prepared, tmp_path / "study", Study(network="linear-svm"), QUICK, Resources(jobs=1))
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "thesis.doc").touch()
    with pytest.raises(OutputTaken, match="something else"):
        run_study(prepared, tmp_path / "other", Study(network="majority"), QUICK, Resources(jobs=1))
    assert bytes_of(tmp_path / "study") == before
    assert [p.name for p in (tmp_path / "other").iterdir()] == ["thesis.doc"]


def test_a_study_from_before_a_setting_goes_on(prepared: Path, tmp_path: Path) -> None:
    """The keys are taken out by hand: missing ones mean the defaults, which are the former behaviour; what
    differs from them is refused."""
    asked, out = Study(network="majority"), tmp_path / "study"
    run_study(prepared, out, asked, QUICK, Resources(jobs=1))
    whole, record = bytes_of(out), json.loads((out / "study.json").read_text(encoding="utf-8"))
    del (
        record["training"]["mixup"],
        record["training"]["init"],
        record["settings"]["keep_weights"],
        record["start"],
    )
    (out / "study.json").write_text(json.dumps(record), encoding="utf-8")
    (out / "outcomes.csv").write_text(
        "".join((out / "outcomes.csv").read_text().splitlines(keepends=True)[:5]), encoding="utf-8"
    )
    with pytest.raises(OutputTaken, match=r"differs in training.mixup \(there 0.0, requested 0.2\)"):
        run_study(prepared, out, asked, replace(QUICK, mixup=0.2), Resources(jobs=1))
    with pytest.raises(
        OutputTaken, match=r"differs in settings.keep_weights \(there true, requested false\)"
    ):
        run_study(prepared, out, replace(asked, keep_weights=False), QUICK, Resources(jobs=1))
    run_study(prepared, out, asked, QUICK, Resources(jobs=1))
    assert bytes_of(out) == whole


def test_a_selection_is_no_missing_setting(tmp_path: Path) -> None:
    """A study with a selection names the seed alone: that is not a study with the default settings.

    Its candidates may be older, though.
    """
    folder = tmp_path / "study"
    folder.mkdir()
    plain = described(Training())
    selected = replace(plain, choice=selection_of({"a": Training()}))
    older = selected.to_plain()
    assert older["training"] == {"seed": 0}
    del older["choice"]["candidates"]["a"]["label_smoothing"]
    (folder / "study.json").write_text(json.dumps(older), encoding="utf-8")
    with pytest.raises(OutputTaken, match="differs in training.epochs"), lock_study_folder(folder, plain):
        pass
    with lock_study_folder(folder, selected):
        pass
    other = replace(plain, choice=selection_of({"a": Training(label_smoothing=0.2)}))
    with pytest.raises(OutputTaken, match="differs in choice.candidates"), lock_study_folder(folder, other):
        pass
    competing = replace(plain, candidates={"a": Training()})
    older = competing.to_plain()
    del older["candidates"]["a"]["label_smoothing"]
    (folder / "study.json").write_text(json.dumps(older), encoding="utf-8")
    with lock_study_folder(folder, competing):
        pass


def described(training: Training) -> StudyDescription:
    return StudyDescription(
        protocol="loso",
        scheme=SchemeDescription("made-up", ("a", "b"), "nobody"),
        seeds=[0],
        settings=Study(),
        training=training,
        start=None,
        prepared=ImagesDescription(folder="p", fingerprint="f"),
        folds=[FoldDescription("x", ["p1"], ["p2"], 3, 2)],
    )


def selection_of(candidates: dict[str, Training]) -> Selection:
    return Selection(
        network="learnet",
        classes=["a", "b"],
        fingerprint="f",
        seeds=[0],
        candidates=candidates,
        groups={"g": ["p1", "p2"]},
        scores={"g": dict.fromkeys(candidates, 0.5)},
        selected={"g": next(iter(candidates))},
    )


def test_a_prepared_folder_may_move(prepared: Path, tmp_path: Path) -> None:
    run_study(prepared, tmp_path / "study", Study(network="majority"), QUICK, Resources(jobs=1))
    before = (tmp_path / "study" / "outcomes.csv").read_bytes()
    prepared.rename(tmp_path / "elsewhere")
    run_study(tmp_path / "elsewhere", tmp_path / "study", Study(network="majority"), QUICK, Resources(jobs=1))
    assert (tmp_path / "study" / "outcomes.csv").read_bytes() == before


def test_mistakes_leave_nothing_behind(prepared: Path, tmp_path: Path) -> None:
    for study, training in (
        (Study(network="lernet"), QUICK),
        (Study(classes="casme2"), QUICK),
        (Study(protocol="groups", groups=9), QUICK),
    ):
        with pytest.raises(LearnetError, match="Did you mean|not enough|class scheme|inner-groups 9"):
            run_study(prepared, tmp_path / "study", study, training, Resources(jobs=1))
        assert not (tmp_path / "study").exists()


def test_a_scheme_of_which_one_class_occurs_is_answered_with_those_that_fit(tmp_path: Path) -> None:
    """Of happiness, disgust and surprise, smic-3 and casme-sq-3 know surprise alone."""
    folder = import_noise(tmp_path, "casme2", people=3, seed=0, kind="flow")
    expected = r"only one class of smic-3 or none occurs \(surprise\)\. .*\(--classes\): "
    fitting = (
        "casme2-5, casme-8, casme-4, casme2-7, casme2-4, samm-8, samm-5, mmew-7, mmew-4, casme3-7, casme3-4"
    )
    with pytest.raises(BadInput, match=f"{expected}{fitting}, dfme-7, megc-3, megc-4"):
        run_study(folder, tmp_path / "study", Study(network="majority", classes="smic-3"), QUICK)


def test_evaluation_of_people_seen_in_training_is_called_leaky(
    prepared: Path, tmp_path: Path, rng: np.random.Generator
) -> None:
    train_on_all(prepared, Study(), QUICK).save(tmp_path / "w.safetensors")
    evaluate(prepared, tmp_path / "w.safetensors", tmp_path / "seen")
    assert json.loads((tmp_path / "seen" / "study.json").read_text())["protocol"] == "leaky-evaluation"
    strangers = write_prepared(tmp_path / "strangers", rng, dataset="elsewhere")
    evaluate(strangers, tmp_path / "w.safetensors", tmp_path / "unseen", classes="casme2-5")
    assert json.loads((tmp_path / "unseen" / "study.json").read_text())["protocol"] == "evaluation"
    assert len(read_outcomes(tmp_path / "unseen")) == 9


@pytest.mark.parametrize(
    ("faces", "said"),
    [(["given"], "given"), (["haar 1 2 3 4"], "found"), (["given", "haar 1 2 3 4"], "both")],
)
def test_weights_say_who_cropped_the_faces_they_learned_from(
    faces: list[str], said: str, prepared: Path, tmp_path: Path
) -> None:
    table = pd.read_csv(prepared / "clips.csv", dtype=str, keep_default_na=False)
    table["face"] = [faces[place % len(faces)] for place in range(len(table))]
    table.to_csv(prepared / "clips.csv", index=False)
    about = json.loads((prepared / "prepare.json").read_text())
    for imported, expected in ((False, said), (True, "")):
        (prepared / "prepare.json").write_text(json.dumps({**about, "imported": imported}))
        train_on_all(prepared, Study(network="majority"), QUICK).save(tmp_path / "w.safetensors")
        assert load_checkpoint(tmp_path / "w.safetensors")[1].data["faces"] == expected


def test_weights_that_do_not_fit_are_refused(
    prepared: Path, tmp_path: Path, rng: np.random.Generator
) -> None:
    train_on_all(prepared, Study(network="majority"), QUICK).save(tmp_path / "w.safetensors")
    with pytest.raises(BadCheckpoint, match="knows the classes"):
        evaluate(prepared, tmp_path / "w.safetensors", tmp_path / "out", classes="megc-3")
    with pytest.raises(BadCheckpoint, match="knows the classes"):
        evaluate(prepared, tmp_path / "w.safetensors", tmp_path / "out", classes="casme-8")
    flow = write_prepared(tmp_path / "flow", rng, kind="flow")
    with pytest.raises(BadCheckpoint, match="trained on imported images, and these are flow images"):
        evaluate(flow, tmp_path / "w.safetensors", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_the_leaky_epoch_is_the_one_that_answers_the_person_tested_best(
    prepared: Path, tmp_path: Path
) -> None:
    """By brute force: every number of epochs along the same schedule, trained anew from the same seed."""
    from learnet.networks import NETWORKS
    from learnet.training.loop import fit
    from learnet.training.train import recompute_batch_norm
    from tests.builders.scores import predict_scores

    training = Training(epochs=5, batch_size=4, mirror="none", learning_rate=3e-3, detrend=False)
    study = Study(protocol="leaky-epoch", classes="casme2-7", keep_weights=False)
    run_study(prepared, tmp_path / "leaky", study, training, Resources(jobs=1))
    lines = {
        line.split(",")[0]: line.split(",")
        for line in (tmp_path / "leaky" / "trainings.csv").read_text().splitlines()[1:]
    }
    answers = {outcome.clip: outcome for outcome in read_outcomes(tmp_path / "leaky")}
    data = load_labelled_dataset(prepared, "casme2-7")
    chosen = []
    for index, fold in enumerate(make_folds(study, data.people, data.truth, data.datasets, 0)):
        seeded = replace(training, seed=fold_seed(0, index))
        learn, tested = data.training_set(fold.train), data.training_set(fold.test)
        examples = learn.examples(learn.stored.for_training(training))
        scores = []
        for epochs in range(1, 6):
            module = NETWORKS["learnet"](learn.classes, 28, seed=purpose_seed(seeded.seed, "weights"))
            fit(module, examples, seeded, epochs)
            recompute_batch_norm(module, examples, training)
            scores.append(predict_scores(module.eval(), tested.images))
        right = [int((found.argmax(axis=1) == tested.labels).sum()) for found in scores]
        best = int(np.argmax(right))
        assert int(lines[fold.name][4]) == best + 1, (fold.name, right)
        for row, place in enumerate(fold.test):
            clip = data.prepared.clips["clip"].iloc[data.rows[place]]
            np.testing.assert_allclose(answers[clip].scores, scores[best][row], atol=1e-4)
        chosen.append(best)
    assert len(set(chosen)) > 1  # otherwise this shows nothing


def test_protocols_over_two_databases(tmp_path: Path, rng: np.random.Generator) -> None:
    folders = [write_prepared(tmp_path / name, rng, dataset=name) for name in ("casme2", "samm")]
    run_study(
        folders, tmp_path / "lodo", Study(network="linear-svm", protocol="lodo"), QUICK, Resources(jobs=1)
    )
    assert {(o.fold, o.dataset) for o in read_outcomes(tmp_path / "lodo")} == {
        ("casme2", "casme2"),
        ("samm", "samm"),
    }
    across = Study(network="majority", protocol="across", test_on=("samm",), keep_weights=False)
    run_study(folders, tmp_path / "across", across, QUICK, Resources(jobs=1))
    assert {(o.fold, o.dataset) for o in read_outcomes(tmp_path / "across")} == {("casme2-to-samm", "samm")}


def test_repeated_splits_test_everybody_with_every_seed(tmp_path: Path, rng: np.random.Generator) -> None:
    """Each seed has groups of its own. The guarantees of the report hold, and a killed study goes on."""
    prepared, out = write_prepared(tmp_path / "prepared", rng, people=8), tmp_path / "study"
    asked = Study(
        network="majority", protocol="groups", groups=2, seeds=3, train_people=3, repeated_splits=True
    )
    run_study(prepared, out, asked, QUICK, Resources(jobs=1))
    description, outcomes = read_description(out), read_outcomes(out)
    assert description.expected_outcomes == len(outcomes) == 3 * 18  # casme2-5 has no sadness
    assert description.expected_trainings == 6
    groups = set()
    for seed in range(3):
        folds = [fold for fold in description.folds if fold.seed == seed]
        assert sorted(person for fold in folds for person in fold.test_people) == [
            f"casme2/0{number}" for number in range(1, 9)
        ]
        groups.add(frozenset(tuple(fold.test_people) for fold in folds))
        for fold in folds:
            assert fold.learned_from is not None and list(fold.learned_from) == [str(seed)]
            assert {one.seed for one in outcomes if one.fold == fold.name} == {seed}
    assert len(groups) > 1
    assert all(result.passed is not False for result in check(read_record(out)))
    whole = bytes_of(out)
    lines = (out / "outcomes.csv").read_text(encoding="utf-8").splitlines(keepends=True)
    (out / "outcomes.csv").write_text("".join(lines[:30]), encoding="utf-8")
    run_study(prepared, out, asked, QUICK, Resources(jobs=1))
    assert bytes_of(out) == whole
