"""Phases of clips in training: the very images that are prepared alone, on the training side only, of the people trained on only."""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from learnet.core.errors import BadInput, LearnetError, OutputTaken
from learnet.core.records import DatasetIndex
from learnet.core.settings import Preparation, Resources, Study, Training
from learnet.datasets.prepared.concat import concatenate, save_concatenated
from learnet.datasets.prepared.prepare import prepare
from learnet.datasets.prepared.record import PrepareRecord
from learnet.datasets.prepared.store import PreparedDataset, file_stamp, load_prepared, save_prepared
from learnet.datasets.splits import make_folds
from learnet.motion import MOTION_IMAGES
from learnet.motion.detrend import EvaluationImages, StoredImages
from learnet.motion.phases import PHASES, WHOLE_CLIP_MOTION, Phases, concatenate_phases, gather_images
from learnet.study.cluster import name_of
from learnet.study.jobs import FoldJob, run_jobs
from learnet.study.labelled import load_labelled_dataset
from learnet.study.run import run_study
from learnet.study.train_on_all import train_on_all
from learnet.training import train as training_module
from learnet.training.examples import TrainingExamples, TrainingSet
from learnet.training.scorer import Scorer
from tests.datasets.prepared.test_prepare import clip_of, contents, database, movement, write_clip

SMALL = Preparation(size=28)
QUICK = Training(epochs=2, batch_size=4, phases=True)
ALONE = Resources(jobs=1, device="cpu")


# ---------------------------------------------------------------- in the prepared folder


def clips(root: Path) -> DatasetIndex:
    """Six clips with an apex inside; one whose apex is its last frame, one whose apex nobody gave, one where it is the onset."""
    reading = database(root)
    odd = {
        "last": {"apex": 9, "offset": 9},
        "none": {"apex": None, "apex_source": "none"},
        "first": {"apex": 1},
    }
    more = [
        clip_of(write_clip(root / "odd" / name, movement(50 + place, 9)), "07", name, 9, **facts)
        for place, (name, facts) in enumerate(odd.items())
    ]
    return DatasetIndex([*reading.clips, *more], [])


@pytest.mark.parametrize(
    "preparation", [SMALL, Preparation(size=28, normalise="signed", magnify=4.0)], ids=["plain", "magnified"]
)
def test_they_are_the_images_that_are_prepared_alone(tmp_path: Path, preparation: Preparation) -> None:
    reading = clips(tmp_path / "data")
    made = prepare(reading, tmp_path / "phases", preparation, phases=True, jobs=1)
    plain = prepare(reading, tmp_path / "plain", preparation, jobs=1)
    assert (tmp_path / "phases" / "images.npy").read_bytes() == (
        tmp_path / "plain" / "images.npy"
    ).read_bytes()
    assert made.phases and plain.phases is None
    for phase, motion in PHASES.items():
        alone = prepare(reading, tmp_path / phase, replace(preparation, motion=motion), jobs=1)
        there = {made.clips["clip"][row]: i for i, (row, name) in enumerate(zip(made.phases.clips, made.phases.names, strict=True))
                 if name == phase}  # fmt: skip
        assert list(there) == alone.clips["clip"].tolist() and len(there) == (9 if phase == "rise" else 8)
        for i, (clip, place) in enumerate(there.items()):
            assert (gather_images(made.phases.blocks, [place])[0] == alone.images[i]).all(), clip
            assert made.clips["apex"][made.clips["clip"] == clip].tolist() == [alone.clips["apex"][i]]
    assert made.clips["apex_source"].tolist() == ["file"] * 7 + ["detected"] * 2
    assert len({image.tobytes() for image in np.concatenate([*made.phases.blocks, made.images])}) >= 25
    audit = (tmp_path / "phases" / "audit.csv").read_text()
    assert (
        'phase missing,casme2/07/last,"the apex is its last frame, so there is no fall to learn from",no'
        in audit
    )


def test_they_are_those_of_the_table_of_motion_images() -> None:
    assert {WHOLE_CLIP_MOTION, *PHASES.values()} <= MOTION_IMAGES.keys()


def test_cut_off_and_gone_on_with_the_bytes_are_the_same(tmp_path: Path) -> None:
    reading = clips(tmp_path / "data")
    prepare(reading, tmp_path / "whole", SMALL, phases=True, jobs=2)

    def stop(done: int, of: int) -> None:
        if done == 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        prepare(reading, tmp_path / "cut", SMALL, phases=True, jobs=1, progress=stop)
    prepare(reading, tmp_path / "cut", SMALL, phases=True, jobs=1)
    assert contents(tmp_path / "cut") == contents(tmp_path / "whole")
    assert sorted(contents(tmp_path / "cut")) == [
        "audit.csv",
        "clips.csv",
        "images.npy",
        "phases.csv",
        "phases.npy",
        "prepare.json",
    ]
    assert prepare(reading, tmp_path / "cut", SMALL, phases=True, jobs=1).reused
    with pytest.raises(OutputTaken, match="it differs in phases"):
        prepare(reading, tmp_path / "cut", SMALL, jobs=1)
    prepare(reading, tmp_path / "plain", SMALL, jobs=1)
    with pytest.raises(OutputTaken, match="it differs in phases"):
        prepare(reading, tmp_path / "plain", SMALL, phases=True, jobs=1)


@pytest.mark.parametrize("motion", sorted(MOTION_IMAGES.keys() - {WHOLE_CLIP_MOTION}))
def test_only_the_dynamic_image_has_them(tmp_path: Path, motion: str) -> None:
    with pytest.raises(LearnetError, match=f"--phases is for --motion dynamic, and this is {motion}"):
        prepare(DatasetIndex([], []), tmp_path / "out", Preparation(motion), phases=True)


# ---------------------------------------------------------------- a folder whose images say what they are

WORDS = ("happiness", "disgust", "surprise")


def coded(
    out: Path, people: int = 4, dataset: str = "casme2", without: Sequence[int] = (), shift: int = 0
) -> Path:
    """People with three clips each. Every image is noise around a grey level of its class, and its corner says which clip and phase it is:
    0 the whole clip, 1 its rise, 2 its fall. The clips in WITHOUT have no fall.
    """
    rng, rows, images, phases, own, names = np.random.default_rng(5), [], [], [], [], []
    for row in range(3 * people):
        word, subject = WORDS[row % 3], f"{row // 3 + 1:02d}"
        facts = {
            "clip": f"{dataset}/{subject}/{row}",
            "dataset": dataset,
            "subject": subject,
            "person": f"{dataset}/{subject}",
        }
        rows.append(
            {
                **facts,
                "image": row,
                "name": str(row),
                "emotion": word,
                "onset": 1,
                "offset": 9,
                "fps": 200,
                "frames": 9,
            }
        )
        for phase in range(3):
            image = rng.integers(0, 100, (28, 28, 3), dtype=np.uint8) + np.uint8(50 * (row % 3))
            image[0, 0] = (shift + row, phase, 0)
            if phase == 0:
                images.append(image)
            elif phase == 1 or row not in without:
                phases.append(image)
                own.append(row)
                names.append(("", "rise", "fall")[phase])
    record = PrepareRecord(preparation=None, images_kind="image", synthetic=True, reading={}, inputs=dataset)
    save_prepared(
        out,
        np.stack(images),
        pd.DataFrame(rows),
        record,
        [],
        Phases([np.stack(phases)], tuple(own), tuple(names)),
    )
    return out


def codes(images: np.ndarray) -> list[tuple[int, int]]:
    return [(int(image[0, 0, 0]), int(image[0, 0, 1])) for image in images]


def test_a_training_side_holds_the_phases_of_its_clips_and_no_others(tmp_path: Path) -> None:
    there = load_prepared(coded(tmp_path / "p", without=(4, 9)))
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
        assert codes(learned.images) == wanted
        assert [data.scheme.classes[k] for k in learned.labels] == [WORDS[i % 3] for i, _ in wanted]
        assert learned.people == [f"casme2/{i // 3 + 1:02d}" for i, _ in wanted]
        for plain in (data.training_set(fold.train), data.training_set(fold.test)):
            assert plain.phases is None and {p for _, p in codes(plain.with_phases.images)} == {0}


class Watch:
    """What goes into networks: all that is learned from, and all that is scored by whom."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.learned: set[tuple[int, int]] = set()  # by any network, those of inner groups among them
        self.now: list[tuple[int, int]] = []  # by the network that learned last
        self.scored: list[
            tuple[list[tuple[int, int]], list[tuple[int, int]]]
        ] = []  # what, and what the network had learned from
        real = {name: getattr(training_module, name) for name in ("fit", "recompute_batch_norm", "as_input")}
        real_scores = Scorer.scores

        def fit(module: object, data: TrainingExamples, *rest: object, **named: object) -> object:
            self.note(codes(data.images.pixels))
            return real["fit"](module, data, *rest, **named)

        def recompute_batch_norm(module: object, data: TrainingExamples, training: Training) -> None:
            assert codes(data.images.pixels) == self.now
            real["recompute_batch_norm"](module, data, training)

        def scores(scorer: Scorer, images: StoredImages | EvaluationImages) -> np.ndarray:
            self.scored.append((codes(images.pixels), self.now))
            return real_scores(scorer, images)

        def as_input(images: np.ndarray) -> object:
            if not self.now:
                self.note(codes(images))  # of a network that is fitted in one go
            return real["as_input"](images)

        monkeypatch.setattr(Scorer, "scores", scores)
        for name, watched in (
            ("fit", fit),
            ("recompute_batch_norm", recompute_batch_norm),
            ("as_input", as_input),
        ):
            monkeypatch.setattr(training_module, name, watched)

    def note(self, images: list[tuple[int, int]]) -> None:
        self.now = images
        self.learned |= set(images)


@pytest.mark.parametrize("network", ["learnet", "linear-svm"])
@pytest.mark.parametrize(("protocol", "inner"), [("loso", 0), ("groups", 2), ("leaky-epoch", 0)])
def test_whoever_is_scored_was_learned_from_in_no_phase_and_is_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, network: str, protocol: str, inner: int
) -> None:
    data = load_labelled_dataset(coded(tmp_path / "p"), "casme2-5")
    study = Study(network=network, protocol=protocol, groups=2)  # type: ignore[arg-type]
    settings = replace(QUICK, mirror="none", inner_groups=inner)
    for fold in make_folds(study, data.people, data.truth, data.datasets, 0):
        watch = Watch(monkeypatch)
        run_jobs([FoldJob("s", network, fold, settings, None, None)], data)
        assert watch.learned == {(clip, phase) for clip in fold.train for phase in range(3)}
        assert len(watch.now) == 3 * len(fold.train)
        assert [clip for clip, _ in watch.scored[-1][0]] == list(fold.test)
        for scored, learned in watch.scored:
            assert {phase for _, phase in scored} == {0}
            assert not {data.people[clip] for clip, _ in scored} & {data.people[clip] for clip, _ in learned}
        assert len(watch.scored) == 1 + 2 * (
            inner * (network == "learnet") + (protocol == "leaky-epoch" and network == "learnet")
        )


@pytest.mark.parametrize("network", ["learnet", "linear-svm"])
def test_the_phases_of_the_person_tested_cannot_be_felt(tmp_path: Path, network: str) -> None:
    """Spoil them: every weight of that fold stays as it was. Spoil those of somebody else: the weights change."""
    honest, weights = load_prepared(coded(tmp_path / "honest")), []
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
        weights.append(
            run_jobs(
                [FoldJob("s", network, fold, replace(QUICK, mirror="none", inner_groups=2), None, file)], data
            )[0]
        )
    assert weights[0].outcomes == weights[1].outcomes
    assert weights[0].training_row == weights[1].training_row
    assert tensors_of(weights[0].checkpoint) == tensors_of(weights[1].checkpoint)
    assert tensors_of(weights[1].checkpoint) != tensors_of(weights[2].checkpoint)


def tensors_of(content: bytes | None) -> bytes:
    """A checkpoint without its header, which holds the fingerprint of the folder."""
    assert content
    return content[8 + int.from_bytes(content[:8], "little") :]


def test_without_being_asked_for_they_change_nothing(tmp_path: Path) -> None:
    there = load_prepared(coded(tmp_path / "p"))
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


def test_a_folder_without_them_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    there = load_prepared(coded(tmp_path / "p"))
    save_prepared(tmp_path / "plain", there.images, there.clips, there.record, [])
    with pytest.raises(
        LearnetError,
        match=f"--phases needs images of phases, and there are none in {tmp_path / 'plain'}. Prepare with",
    ):
        run_study(tmp_path / "plain", tmp_path / "study", Study(), QUICK, ALONE)
    with pytest.raises(LearnetError, match="--phases needs images"):
        train_on_all(tmp_path / "plain", Study(), QUICK).save(tmp_path / "w.safetensors")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["p", "plain"]


def test_one_network_for_everybody_learns_from_all_phases(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    watch = Watch(monkeypatch)
    train_on_all(coded(tmp_path / "p"), Study(), QUICK).save(tmp_path / "w.safetensors")
    assert watch.learned == {(clip, phase) for clip in range(12) for phase in range(3)}


# ---------------------------------------------------------------- several folders


def test_pooled_they_stay_with_their_clips(tmp_path: Path) -> None:
    parts = [
        coded(tmp_path / "a", 2, without=(1,)),
        coded(tmp_path / "b", 3, "samm", without=(0, 8), shift=6),
    ]
    found = concatenate(parts, tmp_path / "pooled")
    saved = save_concatenated(found)
    assert found.phases and saved.phases and saved.phases.record == found.phases.record == saved.record.phases
    for source in (found, saved):
        assert source.phases
        rows = [0, 7, 5, 14]  # 1, 6 and 14 have no fall
        images, of = source.phases.take(rows)
        assert [(rows[place], code) for place, code in zip(of, codes(images), strict=True)] == [
            (0, (0, 1)), (0, (0, 2)), (5, (5, 1)), (5, (5, 2)), (7, (7, 1)), (7, (7, 2)), (14, (14, 1)),
        ]  # fmt: skip
    assert save_concatenated(concatenate(parts, tmp_path / "pooled")).reused


def test_pooled_with_a_folder_that_has_none_there_are_none_and_it_is_named(tmp_path: Path) -> None:
    there = load_prepared(coded(tmp_path / "b", 3, "samm", shift=6))
    save_prepared(tmp_path / "plain", there.images, there.clips, there.record, [])
    folders = [coded(tmp_path / "a", 2), tmp_path / "plain"]
    assert concatenate(folders, tmp_path / "pooled").phases is None
    with pytest.raises(LearnetError, match=f"there are none in {tmp_path / 'plain'}\\."):
        run_study(folders, tmp_path / "study", Study(), QUICK, ALONE)
    assert not (tmp_path / "study").exists()
    run_study(folders, tmp_path / "study", Study(network="majority"), replace(QUICK, phases=False), ALONE)


# ---------------------------------------------------------------- the record


@st.composite
def some_phases(draw: st.DrawFn) -> tuple[int, Phases]:
    count = draw(st.integers(1, 6))
    own = [(row, name) for row in range(count) for name in PHASES if draw(st.booleans())]
    images = np.arange(len(own), dtype=np.uint8).reshape(-1, 1, 1, 1) * np.ones((1, 2, 2, 3), np.uint8)
    cut = draw(st.integers(0, len(own)))
    return count, Phases(
        [images[:cut], images[cut:]], tuple(row for row, _ in own), tuple(name for _, name in own)
    )


@given(some_phases(), st.data())
def test_what_is_taken_by_brute_force(some: tuple[int, Phases], data: st.DataObject) -> None:
    count, phases = some
    rows = data.draw(st.lists(st.integers(0, count - 1), unique=True))
    images, of = phases.take(rows)
    assert [(int(image[0, 0, 0]), rows[place]) for image, place in zip(images, of, strict=True)] == [
        (i, clip) for i, clip in enumerate(phases.clips) if clip in rows
    ]
    both = concatenate_phases([phases, phases], [count, count])
    assert (
        both
        and both.clips == (*phases.clips, *(count + clip for clip in phases.clips))
        and sum(map(len, both.blocks)) == len(both.clips)
    )
    assert concatenate_phases([phases, None], [count, count]) is None


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


def changed(folder: Path, file: str, old: bytes, new: bytes) -> None:
    content = (folder / file).read_bytes()
    assert old in content
    (folder / file).write_bytes(content.replace(old, new, 1))


DAMAGE = {
    "another clip's": lambda folder: changed(folder, "phases.csv", b"3,rise", b"4,rise"),
    "another phase": lambda folder: changed(folder, "phases.csv", b"3,rise", b"3,fall"),
    "a row lost": lambda folder: changed(folder, "phases.csv", b"3,rise\n", b""),
    "no number": lambda folder: changed(folder, "phases.csv", b"3,rise", b"x,rise"),
    "no column": lambda folder: changed(folder, "phases.csv", b"image", b"clip"),
    "no table": lambda folder: (folder / "phases.csv").unlink(),
    "no images": lambda folder: (folder / "phases.npy").unlink(),
    "cut off": lambda folder: (folder / "phases.npy").write_bytes((folder / "phases.npy").read_bytes()[:-9]),
    "one pixel": lambda folder: (folder / "phases.npy").write_bytes(
        (folder / "phases.npy").read_bytes()[:-1] + b"\x07"
    ),
}


@pytest.mark.parametrize("what", DAMAGE)
def test_damaged_files_are_refused(tmp_path: Path, what: str) -> None:
    folder = coded(tmp_path / "p")
    before = file_stamp(folder)
    DAMAGE[what](folder)
    with pytest.raises(BadInput, match="this prepared folder is damaged"):
        load_prepared(folder)
    if (folder / "phases.csv").exists() and (folder / "phases.npy").exists():
        assert file_stamp(folder) != before  # so nobody goes on with what was read before


def test_a_worker_knows_a_folder_with_them_from_one_without(tmp_path: Path) -> None:
    one: PreparedDataset = load_prepared(coded(tmp_path / "a"))
    assert one.phases
    spoiled = replace(one.phases, blocks=[255 - np.array(one.phases.blocks[0])])
    save_prepared(tmp_path / "b", one.images, one.clips, one.record, [], spoiled)
    save_prepared(tmp_path / "c", one.images, one.clips, one.record, [])
    assert len({name_of(tmp_path / name) for name in "abc"}) == 3
    assert len(file_stamp(tmp_path / "a")) == 5 and len(file_stamp(tmp_path / "c")) == 3
