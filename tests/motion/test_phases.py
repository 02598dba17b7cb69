"""Images of phases in prepared and concatenated folders, against images prepared without them."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from learnet.core.errors import BadInput, LearnetError, OutputTaken
from learnet.core.records import DatasetIndex
from learnet.core.settings import Preparation, Resources, Study, Training
from learnet.datasets.prepared.concat import concatenate, save_concatenated
from learnet.datasets.prepared.prepare import prepare
from learnet.datasets.prepared.store import PreparedDataset, file_stamp, load_prepared, save_prepared
from learnet.motion import MOTION_IMAGES
from learnet.motion.phases import PHASES, WHOLE_CLIP_MOTION, Phases, concatenate_phases, gather_images
from learnet.study.cluster_worker import name_of
from learnet.study.run import run_study
from tests.builders.phases import image_codes, some_phases, write_coded_folder
from tests.datasets.prepared.test_prepare import clip_of, contents, database, movement, write_clip

SMALL = Preparation(size=28)


QUICK = Training(epochs=2, batch_size=4, phases=True)


ALONE = Resources(jobs=1, device="cpu")


def clips(root: Path) -> DatasetIndex:
    """Return six clips with an apex inside, and three with it at the end, missing, and at the onset."""
    reading = database(root)
    odd = {
        "last": {"apex": 9, "offset": 9},
        "none": {"apex": None, "apex_source": "none"},
        "first": {"apex": 1},
    }
    more = [
        clip_of(write_clip(root / "odd" / name, movement(50 + index, 9)), "07", name, 9, **facts)
        for index, (name, facts) in enumerate(odd.items())
    ]
    return DatasetIndex([*reading.clips, *more], [])


@pytest.mark.parametrize(
    "preparation", [SMALL, Preparation(size=28, normalise="signed", magnify=4.0)], ids=["plain", "magnified"]
)
def test_phases_are_the_images_of_their_own_motion_kind(tmp_path: Path, preparation: Preparation) -> None:
    reading = clips(tmp_path / "data")
    made = prepare(reading, tmp_path / "phases", preparation, phases=True, jobs=1)
    plain = prepare(reading, tmp_path / "plain", preparation, jobs=1)
    assert (tmp_path / "phases" / "images.npy").read_bytes() == (
        tmp_path / "plain" / "images.npy"
    ).read_bytes()
    assert made.phases and plain.phases is None
    for phase, motion in PHASES.items():
        alone = prepare(reading, tmp_path / phase, replace(preparation, motion=motion), jobs=1)
        phase_index = {}
        for i, (row, name) in enumerate(zip(made.phases.clips, made.phases.names, strict=True)):
            if name == phase:
                phase_index[made.clips["clip"][row]] = i
        assert list(phase_index) == alone.clips["clip"].tolist() and len(phase_index) == (
            9 if phase == "rise" else 8
        )
        for i, (clip, index) in enumerate(phase_index.items()):
            assert (gather_images(made.phases.blocks, [index])[0] == alone.images[i]).all(), clip
            assert made.clips["apex"][made.clips["clip"] == clip].tolist() == [alone.clips["apex"][i]]
    assert made.clips["apex_source"].tolist() == ["file"] * 7 + ["detected"] * 2
    assert len({image.tobytes() for image in np.concatenate([*made.phases.blocks, made.images])}) >= 25
    audit = (tmp_path / "phases" / "audit.csv").read_text()
    assert (
        'phase missing,casme2/07/last,"the apex is its last frame, so there is no fall to learn from",no'
        in audit
    )


def test_phases_are_kinds_of_motion_images() -> None:
    assert {WHOLE_CLIP_MOTION, *PHASES.values()} <= MOTION_IMAGES.keys()


def test_an_interrupted_preparation_is_continued_with_the_same_bytes(tmp_path: Path) -> None:
    reading = clips(tmp_path / "data")
    prepare(reading, tmp_path / "whole", SMALL, phases=True, jobs=2)

    def stop(done: int, total: int) -> None:
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
def test_only_the_dynamic_image_has_phases(tmp_path: Path, motion: str) -> None:
    with pytest.raises(
        LearnetError, match=f"phases are kept of the motion image dynamic, and this is {motion}"
    ):
        prepare(DatasetIndex([], []), tmp_path / "out", Preparation(motion), phases=True)


def test_concatenated_phases_keep_their_clips(tmp_path: Path) -> None:
    parts = [
        write_coded_folder(tmp_path / "a", 2, without=(1,)),
        write_coded_folder(tmp_path / "b", 3, "samm", without=(0, 8), shift=6),
    ]
    concatenated = concatenate(parts, tmp_path / "pooled")
    saved = save_concatenated(concatenated)
    assert (
        concatenated.phases
        and saved.phases
        and saved.phases.record == concatenated.phases.record == saved.record.phases
    )
    for source in (concatenated, saved):
        assert source.phases
        rows = [0, 7, 5, 14]  # 1, 6 and 14 have no fall
        images, positions = source.phases.take(rows)
        assert [(rows[index], code) for index, code in zip(positions, image_codes(images), strict=True)] == [
            (0, (0, 1)), (0, (0, 2)), (5, (5, 1)), (5, (5, 2)), (7, (7, 1)), (7, (7, 2)), (14, (14, 1)),
        ]  # fmt: skip
    assert save_concatenated(concatenate(parts, tmp_path / "pooled")).reused


def test_concatenated_with_a_folder_without_phases_there_are_none(tmp_path: Path) -> None:
    prepared = load_prepared(write_coded_folder(tmp_path / "b", 3, "samm", shift=6))
    save_prepared(tmp_path / "plain", prepared.images, prepared.clips, prepared.record, [])
    folders = [write_coded_folder(tmp_path / "a", 2), tmp_path / "plain"]
    assert concatenate(folders, tmp_path / "pooled").phases is None
    with pytest.raises(LearnetError, match=f"there are none in {tmp_path / 'plain'}\\."):
        run_study(folders, tmp_path / "study", Study(), QUICK, ALONE)
    assert not (tmp_path / "study").exists()
    run_study(folders, tmp_path / "study", Study(network="majority"), replace(QUICK, phases=False), ALONE)


@given(some_phases(), st.data())
def test_take_and_concatenate_by_brute_force(some: tuple[int, Phases], data: st.DataObject) -> None:
    count, phases = some
    rows = data.draw(st.lists(st.integers(0, count - 1), unique=True))
    images, positions = phases.take(rows)
    assert [(int(image[0, 0, 0]), rows[index]) for image, index in zip(images, positions, strict=True)] == [
        (i, clip) for i, clip in enumerate(phases.clips) if clip in rows
    ]
    both = concatenate_phases([phases, phases], [count, count])
    assert (
        both
        and both.clips == (*phases.clips, *(count + clip for clip in phases.clips))
        and sum(map(len, both.blocks)) == len(both.clips)
    )
    assert concatenate_phases([phases, None], [count, count]) is None


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


@pytest.mark.parametrize("case", DAMAGE)
def test_damaged_files_are_refused(tmp_path: Path, case: str) -> None:
    folder = write_coded_folder(tmp_path / "p")
    before = file_stamp(folder)
    DAMAGE[case](folder)
    with pytest.raises(BadInput, match="of (this|a) prepared folder (do not belong|is missing)"):
        load_prepared(folder)
    if (folder / "phases.csv").exists() and (folder / "phases.npy").exists():
        assert file_stamp(folder) != before  # so cached data are not used


def test_a_worker_tells_folders_with_other_phases_apart(tmp_path: Path) -> None:
    one: PreparedDataset = load_prepared(write_coded_folder(tmp_path / "a"))
    assert one.phases
    spoiled = replace(one.phases, blocks=[255 - np.array(one.phases.blocks[0])])
    save_prepared(tmp_path / "b", one.images, one.clips, one.record, [], spoiled)
    save_prepared(tmp_path / "c", one.images, one.clips, one.record, [])
    assert len({name_of(tmp_path / name) for name in "abc"}) == 3
    assert len(file_stamp(tmp_path / "a")) == 5 and len(file_stamp(tmp_path / "c")) == 3
