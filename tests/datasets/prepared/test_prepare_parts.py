"""Parts of clips in prepared and concatenated folders: stored as phases are, resumed, refused."""

import json
from pathlib import Path

import numpy as np
import pytest

from learnet.core.errors import BadInput, LearnetError, OutputTaken
from learnet.core.records import DatasetIndex
from learnet.core.settings import Preparation, Resources, Study, Training
from learnet.datasets.prepared.concat import concatenate, save_concatenated
from learnet.datasets.prepared.prepare import prepare
from learnet.datasets.prepared.store import load_prepared
from learnet.motion.detrend import StoredImages
from learnet.motion.normalise import NORMALISATIONS
from learnet.motion.phases import gather_images
from learnet.study.evaluate import evaluate
from learnet.study.outcomes import read_outcomes
from learnet.study.run import run_study
from learnet.study.train_on_all import train_on_all
from learnet.training.checkpoint import load_checkpoint
from learnet.training.scorer import Scorer
from tests.datasets.prepared.test_prepare import clip_of, contents, database, movement, write_clip

SMALL = Preparation(size=28)
DIFFERENCE = Preparation("difference", size=28)


def square_clips(root: Path, frames: dict[str, int]) -> DatasetIndex:
    """Return clips of 28x28 pixels, which are not resized, with so many frames."""
    clips = []
    for seed, (name, count) in enumerate(frames.items()):
        path = write_clip(root / name, movement(seed, count, 28, 28))
        clips.append(clip_of(path, f"{seed:02}", name, count, apex=min(2, count)))
    return DatasetIndex(clips, [])


def test_parts_are_stored_as_phases_beside_the_whole_clip(tmp_path: Path) -> None:
    reading = square_clips(tmp_path / "data", {"long": 11, "short": 4})
    made = prepare(reading, tmp_path / "parts", DIFFERENCE, parts=3, jobs=1)
    plain = prepare(reading, tmp_path / "plain", DIFFERENCE, jobs=1)
    for file in ("images.npy", "clips.csv", "audit.csv"):
        assert (tmp_path / "parts" / file).read_bytes() == (tmp_path / "plain" / file).read_bytes()
    assert made.phases is not None and made.record.parts == 3 and plain.record.parts is None
    assert made.phases.clips == (0, 0, 0, 1, 1, 1)
    assert made.phases.names == ("part 1", "part 2", "part 3") * 2
    rows = (tmp_path / "parts" / "phases.csv").read_text().splitlines()
    assert rows == ["image,phase"] + [f"{clip},part {part}" for clip in (0, 1) for part in (1, 2, 3)]
    images = gather_images(made.phases.blocks, range(6))
    spans = [(0, 0, 3), (0, 3, 7), (0, 7, 10), (1, 0, 1), (1, 1, 2), (1, 2, 3)]
    for image, (seed, first, last) in zip(images, spans, strict=True):
        frames = movement(seed, 11 if seed == 0 else 4, 28, 28).astype(np.float32)
        assert (image == NORMALISATIONS["joint-minmax"](frames[last] - frames[first])).all()
    record = json.loads((tmp_path / "parts" / "prepare.json").read_text())
    assert record["parts"] == 3 and record["phases"]["images"] == 6
    assert "parts" not in json.loads((tmp_path / "plain" / "prepare.json").read_text())
    assert load_prepared(tmp_path / "parts").record == made.record


def test_a_clip_without_the_frames_for_its_parts_is_left_out(tmp_path: Path) -> None:
    reading = square_clips(tmp_path / "data", {"long": 11, "three": 3, "four": 4})
    made = prepare(reading, tmp_path / "out", SMALL, parts=3, jobs=1)
    assert made.clips["name"].tolist() == ["long", "four"] and made.record.skipped == 1
    assert made.phases is not None and made.phases.clips == (0, 0, 0, 1, 1, 1)
    says = "The clip has 3 frames; at least 4 are needed to see motion in each of 3 parts."
    audit = (tmp_path / "out" / "audit.csv").read_text()
    assert f"clip not usable,casme2/01/three,{says},yes" in audit
    with pytest.raises(LearnetError, match="any of the 3 clips. The first, casme2/00/long: The clip has 11"):
        prepare(reading, tmp_path / "none", Preparation("active", size=28), parts=8, jobs=1)
    assert not (tmp_path / "none").exists() and not (tmp_path / "none.part").exists()


def test_an_interrupted_preparation_is_continued_with_the_same_bytes(tmp_path: Path) -> None:
    reading = database(tmp_path / "data")
    prepare(reading, tmp_path / "whole", SMALL, parts=3, jobs=2)

    def stop(done: int, total: int) -> None:
        if done == 4:
            raise KeyboardInterrupt

    for out in ("cut", "other"):
        with pytest.raises(KeyboardInterrupt):
            prepare(reading, tmp_path / out, SMALL, parts=3, jobs=1, progress=stop)
    seen: list[int] = []
    prepare(reading, tmp_path / "cut", SMALL, parts=3, jobs=1, progress=lambda done, _: seen.append(done))
    assert seen == [4, 5, 6] and contents(tmp_path / "cut") == contents(tmp_path / "whole")
    assert prepare(reading, tmp_path / "cut", SMALL, parts=3, jobs=1).reused
    # With another number of parts nothing of the unfinished folder is of use.
    seen.clear()
    prepare(reading, tmp_path / "other", SMALL, parts=2, jobs=1, progress=lambda done, _: seen.append(done))
    assert seen == [0, 1, 2, 3, 4, 5, 6]
    prepare(reading, tmp_path / "two", SMALL, parts=2, jobs=1)
    assert contents(tmp_path / "other") == contents(tmp_path / "two")


def test_a_finished_folder_is_not_that_of_another_request(tmp_path: Path) -> None:
    reading = database(tmp_path / "data")
    prepare(reading, tmp_path / "parts", SMALL, parts=3, jobs=1)
    prepare(reading, tmp_path / "phases", SMALL, phases=True, jobs=1)
    prepare(reading, tmp_path / "plain", SMALL, jobs=1)
    with pytest.raises(OutputTaken, match="it differs in parts"):
        prepare(reading, tmp_path / "parts", SMALL, parts=2, jobs=1)
    with pytest.raises(OutputTaken, match="it differs in phases, parts"):
        prepare(reading, tmp_path / "parts", SMALL, jobs=1)
    with pytest.raises(OutputTaken, match="it differs in parts"):
        prepare(reading, tmp_path / "phases", SMALL, parts=3, jobs=1)
    with pytest.raises(OutputTaken, match="it differs in phases, parts"):
        prepare(reading, tmp_path / "plain", SMALL, parts=3, jobs=1)


def test_bad_requests(tmp_path: Path) -> None:
    nothing = DatasetIndex([], [])
    with pytest.raises(LearnetError, match=r"phases \(--phases\) and parts \(--parts\) exclude each other"):
        prepare(nothing, tmp_path / "out", SMALL, phases=True, parts=2)
    with pytest.raises(LearnetError, match="parts must be from 2 to 8, not 1"):
        prepare(nothing, tmp_path / "out", SMALL, parts=1)
    with pytest.raises(LearnetError, match="no motion image dynamic-rise"):
        prepare(nothing, tmp_path / "out", Preparation("dynamic-rise"), parts=2)
    assert list(tmp_path.iterdir()) == []


def test_folders_are_pooled_that_have_the_same_parts(tmp_path: Path) -> None:
    reading = database(tmp_path / "data")
    half, other = DatasetIndex(reading.clips[:2], []), DatasetIndex(reading.clips[2:], [])
    whole = prepare(reading, tmp_path / "whole", SMALL, parts=3, jobs=1)
    prepare(half, tmp_path / "half", SMALL, parts=3, jobs=1)
    for name, options in (("three", {"parts": 3}), ("two", {"parts": 2}), ("phases", {"phases": True})):
        prepare(other, tmp_path / name, SMALL, jobs=1, **options)
    prepare(other, tmp_path / "plain", SMALL, jobs=1)
    both = save_concatenated(concatenate([tmp_path / "half", tmp_path / "three"], tmp_path / "both"))
    assert both.record.parts == 3 and both.phases is not None and whole.phases is not None
    assert both.phases.record == whole.phases.record
    assert save_concatenated(concatenate([tmp_path / "half", tmp_path / "three"], tmp_path / "both")).reused
    for name, number in (("two", "2"), ("phases", "none")):
        with pytest.raises(BadInput, match=rf"made otherwise \(parts {number} here, 3 there\)"):
            concatenate([tmp_path / "half", tmp_path / name], tmp_path / "no")
    pool = concatenate([tmp_path / "half", tmp_path / "plain"], tmp_path / "no")
    assert pool.phases is None and pool.record.parts is None


def test_a_study_trains_on_parts_and_averages_over_them(tmp_path: Path) -> None:
    """The scores of a clip are the mean of those of its image and of its two parts, by the fold's weights."""
    reading = database(tmp_path / "data")
    made = prepare(reading, tmp_path / "parts", SMALL, parts=2, jobs=1)
    assert made.phases is not None
    study, alone = Study(network="linear-svm", classes="casme2-5"), Resources(jobs=1, device="cpu")
    run_study(made.folder, tmp_path / "whole", study, Training(), alone)
    run_study(made.folder, tmp_path / "study", study, Training(phases=True, phases_at_test=True), alone)
    outcomes = read_outcomes(tmp_path / "study")
    assert sorted(outcome.clip for outcome in outcomes) == sorted(clip.key for clip in reading.clips)
    for outcome in outcomes:
        row = made.clips["clip"].tolist().index(outcome.clip)
        parts, _ = made.phases.take([row])
        weights = tmp_path / "study" / "folds" / f"{outcome.person.replace('/', '-')}-seed0.safetensors"
        scorer = Scorer.from_checkpoint(*load_checkpoint(weights))
        of_images = [scorer.scores(StoredImages(image[None])) for image in (made.images[row], *parts)]
        assert len(of_images) == 3
        np.testing.assert_allclose(outcome.scores, np.mean(of_images, axis=0)[0], atol=1e-5)
    of_whole_clips = {outcome.clip: outcome.scores for outcome in read_outcomes(tmp_path / "whole")}
    assert any(outcome.scores != of_whole_clips[outcome.clip] for outcome in outcomes)


def test_weights_are_not_evaluated_on_other_parts(tmp_path: Path) -> None:
    reading = database(tmp_path / "data")
    two = prepare(reading, tmp_path / "two", SMALL, parts=2, jobs=1)
    three = prepare(reading, tmp_path / "three", SMALL, parts=3, jobs=1)
    study = Study(network="linear-svm", classes="casme2-5")
    trained = train_on_all(two.folder, study, Training(phases=True, phases_at_test=True))
    trained.save(tmp_path / "w.safetensors")
    evaluate(two.folder, tmp_path / "w.safetensors", tmp_path / "fits", classes="casme2-5")
    says = "its phases are part 1, part 2, part 3, and those of the weights part 1, part 2"
    with pytest.raises(BadInput, match=says):
        evaluate(three.folder, tmp_path / "w.safetensors", tmp_path / "out", classes="casme2-5")
    assert not (tmp_path / "out").exists()
