"""Phases of clips in training: only of people trained on, never in a test."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from learnet.core.errors import LearnetError
from learnet.core.settings import Resources, Study, Training
from learnet.datasets.prepared.store import load_prepared, save_prepared
from learnet.datasets.splits import make_folds
from learnet.motion.detrend import EvaluationImages, StoredImages
from learnet.motion.phases import Phases
from learnet.study.jobs import FoldJob, run_jobs
from learnet.study.labelled import load_labelled_dataset
from learnet.study.run import run_study
from learnet.study.train_on_all import train_on_all
from learnet.training import train as training_module
from learnet.training.examples import TrainingExamples, TrainingSet
from learnet.training.scorer import Scorer
from tests.builders.phases import WORDS, image_codes, some_phases, write_coded_folder

QUICK = Training(epochs=2, batch_size=4, phases=True)


ALONE = Resources(jobs=1, device="cpu")


def test_a_training_set_contains_the_phases_of_its_clips_only(tmp_path: Path) -> None:
    there = load_prepared(write_coded_folder(tmp_path / "p", without=(4, 9)))
    emotions = [
        "fear" if row in (0, 7) else word for row, word in enumerate(there.clips["emotion"])
    ]  # no class in this scheme
    save_prepared(
        tmp_path / "fear", there.images, there.clips.assign(emotion=emotions), there.record, [], there.phases
    )
    data = load_labelled_dataset(tmp_path / "fear", "casme2-5")
    for fold in make_folds(Study(), data.people, data.truth, data.datasets, 0):
        learned = data.training_set(fold.train, phases=True).with_phases
        rows = [data.rows[i] for i in fold.train]
        wanted = [(row, 0) for row in rows] + [
            (row, p) for row in rows for p in (1, 2) if (row, p) not in {(4, 2), (9, 2)}
        ]
        assert image_codes(learned.images) == wanted
        assert [data.scheme.classes[k] for k in learned.labels] == [WORDS[i % 3] for i, _ in wanted]
        assert learned.people == [f"casme2/{i // 3 + 1:02d}" for i, _ in wanted]
        for plain in (data.training_set(fold.train), data.training_set(fold.test)):
            assert plain.phases is None and {p for _, p in image_codes(plain.with_phases.images)} == {0}


class NetworkInputs:
    """Records the images that networks are trained on, and those that they score."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.trained_on: set[tuple[int, int]] = set()  # by any network, including those of inner groups
        self.current: list[tuple[int, int]] = []  # by the network trained last
        self.scored: list[
            tuple[list[tuple[int, int]], list[tuple[int, int]]]
        ] = []  # images, and what the network was trained on
        real = {name: getattr(training_module, name) for name in ("fit", "recompute_batch_norm", "as_input")}
        real_scores = Scorer.scores

        def fit(module: object, data: TrainingExamples, *rest: object, **named: object) -> object:
            self.note(image_codes(data.images.pixels))
            return real["fit"](module, data, *rest, **named)

        def recompute_batch_norm(module: object, data: TrainingExamples, training: Training) -> None:
            assert image_codes(data.images.pixels) == self.current
            real["recompute_batch_norm"](module, data, training)

        def scores(scorer: Scorer, images: StoredImages | EvaluationImages) -> np.ndarray:
            self.scored.append((image_codes(images.pixels), self.current))
            return real_scores(scorer, images)

        def as_input(images: np.ndarray) -> object:
            if not self.current:
                self.note(image_codes(images))  # of a closed-form estimator
            return real["as_input"](images)

        monkeypatch.setattr(Scorer, "scores", scores)
        for name, watched in (
            ("fit", fit),
            ("recompute_batch_norm", recompute_batch_norm),
            ("as_input", as_input),
        ):
            monkeypatch.setattr(training_module, name, watched)

    def note(self, images: list[tuple[int, int]]) -> None:
        self.current = images
        self.trained_on |= set(images)


@pytest.mark.parametrize("network", ["learnet", "linear-svm"])
@pytest.mark.parametrize(("protocol", "inner"), [("loso", 0), ("groups", 2), ("leaky-epoch", 0)])
def test_no_phase_of_a_tested_person_is_trained_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, network: str, protocol: str, inner: int
) -> None:
    data = load_labelled_dataset(write_coded_folder(tmp_path / "p"), "casme2-5")
    study = Study(network=network, protocol=protocol, groups=2)  # type: ignore[arg-type]
    settings = replace(QUICK, mirror="none", detrend=False, inner_groups=inner)
    for fold in make_folds(study, data.people, data.truth, data.datasets, 0):
        inputs = NetworkInputs(monkeypatch)
        run_jobs([FoldJob("s", network, fold, settings, None, None, 0)], data)
        assert inputs.trained_on == {(clip, phase) for clip in fold.train for phase in range(3)}
        assert len(inputs.current) == 3 * len(fold.train)
        assert [clip for clip, _ in inputs.scored[-1][0]] == list(fold.test)
        for scored, learned in inputs.scored:
            assert {phase for _, phase in scored} == {0}
            assert not {data.people[clip] for clip, _ in scored} & {data.people[clip] for clip, _ in learned}
        assert len(inputs.scored) == 1 + 2 * (
            inner * (network == "learnet") + (protocol == "leaky-epoch" and network == "learnet")
        )


@pytest.mark.parametrize("network", ["learnet", "linear-svm"])
def test_the_phases_of_the_tested_person_have_no_effect(tmp_path: Path, network: str) -> None:
    """Inverting them changes no weight of that fold; inverting those of another person does."""
    honest, weights = load_prepared(write_coded_folder(tmp_path / "honest")), []
    assert honest.phases
    for name, spoiled in (("honest", ""), ("tested", "casme2/02"), ("other", "casme2/03")):
        images = np.array(honest.phases.blocks[0])
        theirs = (honest.clips["person"] == spoiled).to_numpy()[list(honest.phases.clips)]
        images[theirs] = 255 - images[theirs]
        save_prepared(
            tmp_path / f"{name}-p",
            honest.images,
            honest.clips,
            honest.record,
            [],
            replace(honest.phases, blocks=[images]),
        )
        data = load_labelled_dataset(tmp_path / f"{name}-p", "casme2-5")
        fold = next(
            f for f in make_folds(Study(), data.people, data.truth, data.datasets, 0) if f.name == "casme2/02"
        )
        file = tmp_path / f"{name}.safetensors"
        settings = replace(QUICK, mirror="none", detrend=False, inner_groups=2)
        weights.append(run_jobs([FoldJob("s", network, fold, settings, None, file, 0)], data)[0])
    assert weights[0].outcomes == weights[1].outcomes
    assert weights[0].training_row == weights[1].training_row
    assert tensors_of(weights[0].checkpoint) == tensors_of(weights[1].checkpoint)
    assert tensors_of(weights[1].checkpoint) != tensors_of(weights[2].checkpoint)


def tensors_of(content: bytes | None) -> bytes:
    """Return a checkpoint without its header, which contains the fingerprint of the folder."""
    assert content
    return content[8 + int.from_bytes(content[:8], "little") :]


def test_unused_phases_change_nothing(tmp_path: Path) -> None:
    there = load_prepared(write_coded_folder(tmp_path / "p"))
    plain = save_prepared(tmp_path / "plain", there.images, there.clips, there.record, [])
    assert plain.phases is None and plain.record.phases is None and not Training().phases
    for folder in ("p", "plain"):
        run_study(
            tmp_path / folder,
            tmp_path / f"{folder}-study" / "s",
            Study(),
            replace(QUICK, phases=False),
            ALONE,
        )
    first, second = (
        sorted((tmp_path / f"{name}-study" / "s" / "folds").iterdir()) for name in ("p", "plain")
    )
    assert [tensors_of(file.read_bytes()) for file in first] == [
        tensors_of(file.read_bytes()) for file in second
    ]
    run_study(tmp_path / "p", tmp_path / "with" / "s", Study(), QUICK, ALONE)
    outcomes = [
        (tmp_path / name / "s" / "outcomes.csv").read_bytes() for name in ("p-study", "plain-study", "with")
    ]
    assert outcomes[0] == outcomes[1] != outcomes[2]
    assert json.loads((tmp_path / "with" / "s" / "study.json").read_text())["training"]["phases"] is True


def test_a_folder_without_phases_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    there = load_prepared(write_coded_folder(tmp_path / "p"))
    save_prepared(tmp_path / "plain", there.images, there.clips, there.record, [])
    with pytest.raises(
        LearnetError,
        match=f"phases needs images of phases, and there are none in {tmp_path / 'plain'}. Prepare the",
    ):
        run_study(tmp_path / "plain", tmp_path / "study", Study(), QUICK, ALONE)
    with pytest.raises(LearnetError, match="phases needs images"):
        train_on_all(tmp_path / "plain", Study(), QUICK).save(tmp_path / "w.safetensors")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["p", "plain"]


def test_one_network_for_all_people_is_trained_on_all_phases(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inputs = NetworkInputs(monkeypatch)
    train_on_all(write_coded_folder(tmp_path / "p"), Study(), QUICK).save(tmp_path / "w.safetensors")
    assert inputs.trained_on == {(clip, phase) for clip in range(12) for phase in range(3)}


@given(some_phases(), st.data())
def test_a_part_of_a_training_set_by_brute_force(some: tuple[int, Phases], data: st.DataObject) -> None:
    count, phases = some
    labels = np.array(data.draw(st.lists(st.integers(0, 3), min_size=count, max_size=count)), dtype=np.int64)
    images = np.full((count, 2, 2, 3), 200, np.uint8)
    whole = TrainingSet(images, labels, [f"p{i}" for i in range(count)], 4, phases.take(range(count)))
    chosen = data.draw(st.lists(st.integers(0, count - 1), unique=True))
    part = whole.take(chosen).with_phases
    wanted = [(200, i) for i in chosen] + [(k, clip) for k, clip in enumerate(phases.clips) if clip in chosen]
    assert [
        (int(image[0, 0, 0]), label, person)
        for image, label, person in zip(part.images, part.labels, part.people, strict=True)
    ] == [(grey, labels[i], f"p{i}") for grey, i in wanted]
