"""The fuzzer calls every kind of fault by its name, and inputs that once were faults are none any more."""

import io
import os
import random
import shutil
import time
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from learnet.core.errors import BadInput
from tests.builders.commands import learnet
from tests.fuzz import isolation, seeds
from tests.fuzz.__main__ import choose_cases, table
from tests.fuzz.isolation import (
    ACCEPTED,
    CRASH,
    HANG,
    OUT_OF_MEMORY,
    REFUSED,
    SILENT,
    TRACEBACK,
    Runner,
    Verdict,
)
from tests.fuzz.mutations import OF_BYTES, mutate
from tests.fuzz.structures import mutate_mp4_box, mutate_png_chunk, mutate_zip_member
from tests.fuzz.targets import COMMANDS, TARGETS, Reading, Target, write_command_inputs
from tests.fuzz.texts import mutate_table

CORPUS = Path(__file__).with_name("corpus")
"""One folder for each target, by its name with hyphens; in it PAST-FAULT/FILE, which replaces the FILE of the
good input."""


def write_line(folder: Path) -> None:
    (folder / "a.bin").write_text("one two\n")


def target(read: Callable[[Path], Reading], name: str = "a") -> Target:
    return Target(name, 1, write_line, read, ("a.bin",))


@pytest.fixture
def verdict_of(tmp_path: Path) -> Iterator[Callable[[Target], Verdict]]:
    """Run one case of a target in a process of its own."""

    def run(tried: Target) -> Verdict:
        runner = Runner(0, tmp_path, tmp_path / "kept")
        runner.prepare([tried])
        (verdict,) = runner.run([(tried, 0)], jobs=1)
        return verdict

    return run


def is_mutated(folder: Path) -> bool:
    return (folder / "a.bin").read_text(errors="replace") != "one two\n"


def refuse(folder: Path) -> Reading:
    if is_mutated(folder):
        raise BadInput(folder, "it is wrong", "Mend it.")
    return Reading()


def refuse_in_two_lines(folder: Path) -> Reading:
    if is_mutated(folder):
        raise BadInput(folder, "it is wrong\nreally", "Mend it.")
    return Reading()


def fail(folder: Path) -> Reading:
    if is_mutated(folder):
        raise ValueError("unexpected")
    return Reading()


def abort(folder: Path) -> Reading:
    if is_mutated(folder):
        os.abort()
    return Reading()


def never_end(folder: Path) -> Reading:
    while is_mutated(folder):
        time.process_time()
    return Reading()


def fill_memory(folder: Path) -> Reading:
    if is_mutated(folder):
        values = np.ones(2**27)
        time.sleep(60)
        return Reading(len(values))
    return Reading()


def count_words(folder: Path) -> Reading:
    return Reading(1 if is_mutated(folder) else 2)


def count_words_and_tell(folder: Path) -> Reading:
    return Reading(1, told=True) if is_mutated(folder) else Reading(2)


def accept(folder: Path) -> Reading:
    return Reading(2, digest="equal")


def answer_otherwise(folder: Path) -> Reading:
    return Reading(digest="other" if is_mutated(folder) else "right")


@pytest.mark.parametrize(
    ("read", "kind"),
    [
        (refuse, REFUSED),
        (refuse_in_two_lines, TRACEBACK),
        (fail, TRACEBACK),
        (abort, CRASH),
        (count_words, SILENT),
        (answer_otherwise, SILENT),
        (count_words_and_tell, ACCEPTED),
        (accept, ACCEPTED),
    ],
)
def test_each_verdict(
    verdict_of: Callable[[Target], Verdict], read: Callable[[Path], Reading], kind: str
) -> None:
    assert verdict_of(target(read)).kind == kind


def test_a_hang_is_ended(verdict_of: Callable[[Target], Verdict], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(isolation, "SECONDS", 0.3)
    assert verdict_of(target(never_end)).kind == HANG


def test_a_process_that_fills_the_memory_is_ended(
    verdict_of: Callable[[Target], Verdict], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(isolation, "MEMORY", isolation._memory(os.getpid()) + 2**29)
    assert verdict_of(target(fill_memory)).kind == OUT_OF_MEMORY


def test_cases_behind_a_crash_are_still_tried(tmp_path: Path) -> None:
    crashing, fine = target(abort, "crashing"), target(accept, "fine")
    runner = Runner(0, tmp_path)
    runner.prepare([crashing, fine])
    verdicts = list(runner.run([(fine, 0), (crashing, 0), (fine, 1), (crashing, 1), (fine, 2)], jobs=1))
    found = {(verdict.target, verdict.case): verdict.kind for verdict in verdicts}
    assert found == {("fine", case): ACCEPTED for case in range(3)} | {
        ("crashing", case): CRASH for case in (0, 1)
    }


def test_the_input_of_a_fault_is_kept_as_it_was_before_it_was_read(
    verdict_of: Callable[[Target], Verdict], tmp_path: Path
) -> None:
    def spoil(folder: Path) -> Reading:
        before = (folder / "a.bin").read_bytes()
        (folder / "a.bin").write_text("spoiled")
        (tmp_path / "seen").write_bytes(before)
        if before != b"one two\n":
            raise ValueError
        return Reading()

    assert verdict_of(target(spoil)).kind == TRACEBACK
    assert (tmp_path / "kept" / "a-0" / "a.bin").read_bytes() == (tmp_path / "seen").read_bytes()


def test_a_text_without_some_of_its_lines_is_no_silent_loss(tmp_path: Path) -> None:
    def write(folder: Path) -> None:
        (folder / "a.txt").write_text("one\ntwo\n")

    def count(folder: Path) -> Reading:
        return Reading(len((folder / "a.txt").read_text().split()))

    tried = Target("a", 1, write, count, ("a.txt",))
    runner = Runner(0, tmp_path)
    runner.prepare([tried])
    folder = tmp_path / "case"
    for text, kind in (("one\n", ACCEPTED), ("one\ntwo", ACCEPTED), ("one\n\n", SILENT)):
        seeds.copy(runner.seed_folder(tried), folder)
        (folder / "a.txt").write_text(text)
        assert runner.outcome(tried, folder)[0] == kind
        shutil.rmtree(folder)


def test_cases_are_shared_by_weight() -> None:
    heavy = Target("heavy", 3, write_line, accept, ("*",))
    light = Target("light", 1, write_line, accept, ("*",))
    cases = choose_cases([heavy, light], 400)
    assert [tried.name for tried, _ in cases].count("heavy") == 300
    assert cases[-1] == (light, 99)


def test_the_table_adds_up() -> None:
    tried = [Target("video a", 1, write_line, accept, ()), Target("video b", 1, write_line, accept, ())]
    verdicts = [Verdict("video a", 0, REFUSED), Verdict("video b", 0, HANG), Verdict("video b", 1, REFUSED)]
    lines = table(verdicts, tried).splitlines()
    assert lines[2] == "| videos | 3 | 2 | 0 | 0 | 0 | 1 | 0 | 0 |"
    assert lines[3] == lines[2].replace("videos", "all")


@pytest.mark.parametrize("mutator", OF_BYTES)
def test_mutations_of_bytes_follow_from_the_seed(mutator: Callable[[bytes, random.Random], bytes]) -> None:
    data = bytes(range(256)) * 8
    changed = [mutate(data, random.Random(3), [mutator]) for _ in range(2)]
    assert changed[0] == changed[1] != data
    assert mutate(b"", random.Random(3), [mutator])


def test_a_mutated_png_has_right_checksums() -> None:
    data = cv2.imencode(".png", seeds.image(0))[1].tobytes()
    for seed in range(30):
        changed = mutate_png_chunk(data, random.Random(seed))
        position, chunks = 8, 0
        while position < len(changed):
            size = int.from_bytes(changed[position : position + 4], "big")
            content = changed[position + 4 : position + 8 + size]
            checksum = changed[position + 8 + size : position + 12 + size]
            assert zlib.crc32(content).to_bytes(4, "big") == checksum
            position += 12 + size
            chunks += 1
        assert chunks in (3, 4)


def test_a_mutated_workbook_is_still_an_archive(tmp_path: Path) -> None:
    seeds.write_casme2(tmp_path)
    (book,) = tmp_path.glob("*.xlsx")
    for seed in range(30):
        changed = mutate_zip_member(book.read_bytes(), random.Random(seed))
        assert zipfile.ZipFile(io.BytesIO(changed)).testzip() is None


def test_a_mutated_box_leaves_the_pictures_alone(tmp_path: Path) -> None:
    seeds.write_container(tmp_path, seeds.CONTAINERS[0])
    data = (tmp_path / "h264.mp4").read_bytes()
    pictures = data[data.index(b"mdat") : data.index(b"mdat") + 500]
    results = [mutate_mp4_box(data, random.Random(seed)) for seed in range(30)]
    assert len(set(results)) > 20
    assert all(pictures in changed for changed in results)


def test_a_mutated_table_keeps_its_lines() -> None:
    text = "a,b,c\n1,2,3\n4,5,6\n"
    for seed in range(200):
        changed = mutate_table(text.encode(), random.Random(seed))
        assert len(changed.splitlines()) >= 3 or b"\0" in changed


@pytest.fixture(scope="module")
def command_inputs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("commands")
    write_command_inputs(folder)
    return folder


@pytest.mark.parametrize("command", COMMANDS)
def test_the_commands_are_right_before_they_are_changed(command: str, command_inputs: Path) -> None:
    learnet(*command.replace("FOLDER", str(command_inputs)).split())


def past_faults() -> list[tuple[Target, Path]]:
    by_folder = {tried.name.replace(" ", "-"): tried for tried in TARGETS}
    return [(by_folder[case.parent.name], case) for case in sorted(CORPUS.glob("*/*"))]


@pytest.mark.parametrize(
    ("tried", "case"),
    past_faults(),
    ids=lambda value: value.name if isinstance(value, (Target, Path)) else "",
)
def test_past_faults(tried: Target, case: Path, tmp_path: Path) -> None:
    runner = Runner(0, tmp_path)
    runner.prepare([tried])
    folder = tmp_path / "case"
    seeds.copy(runner.seed_folder(tried), folder)
    for file in case.rglob("*"):
        if file.is_file():
            (folder / file.relative_to(case)).write_bytes(file.read_bytes())
    kind, detail = runner.outcome(tried, folder)
    assert kind in (REFUSED, ACCEPTED), detail
