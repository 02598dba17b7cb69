"""What an interrupted study had finished: cut or damaged rows are trained again, everything else is kept."""

import random
import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest

from learnet.core.records import Outcome
from learnet.study.finished import (
    DIGESTS_FILE,
    OUTCOMES_FILE,
    TRAININGS_FILE,
    FinishedFold,
    PlannedFold,
    append_finished,
    finished_folds,
    write_finished,
)
from learnet.study.outcomes import outcomes_header

HEADER = outcomes_header(["a", "b"])
HOSTILE = ("1\r2", "1\n2", "1\v2", "1\u20282", '1"2', "1,2", "1\0002", " 1", "é", "=1", "-x")


def fold(person: str, scores: Sequence[float] = (0.25, 0.75)) -> FinishedFold:
    name = f"d/{person}"
    outcomes = [Outcome("s", name, 0, f"{name}/{clip}", "d", name, "a", "b", tuple(scores)) for clip in "xy"]
    return FinishedFold((name, 0, 4, 2, 7, "0.123456"), outcomes)


def planned(*folds: FinishedFold) -> list[PlannedFold]:
    plans = []
    for one in folds:
        identities = [(o.study, o.fold, o.seed, o.clip, o.dataset, o.person, o.truth) for o in one.outcomes]
        plans.append(PlannedFold(one.outcomes[0].fold, 0, 4, lambda known=identities: known))
    return plans


def write(out: Path, *folds: FinishedFold) -> None:
    out.mkdir(exist_ok=True)
    write_finished(out, HEADER, [])
    for one in folds:
        append_finished(out, one)


def contents(out: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in out.iterdir()}


@pytest.mark.parametrize("subject", HOSTILE)
def test_hostile_names_come_back_and_are_written_to_the_same_bytes(tmp_path: Path, subject: str) -> None:
    folds = [fold(subject), fold("2")]
    write(tmp_path, *folds)
    before = contents(tmp_path)
    finished = finished_folds(tmp_path, planned(*folds))
    assert [one.outcomes for one in finished] == [one.outcomes for one in folds]
    write_finished(tmp_path, HEADER, finished)
    assert contents(tmp_path) == before


@pytest.mark.parametrize("name", [OUTCOMES_FILE, TRAININGS_FILE, DIGESTS_FILE])
def test_a_cut_at_any_byte_costs_the_last_fold_at_most(tmp_path: Path, name: str) -> None:
    folds = [fold("1\n2"), fold("3")]
    write(tmp_path / "whole", *folds[:1])
    length = (tmp_path / "whole" / name).stat().st_size
    write(tmp_path / "whole", *folds)
    content = (tmp_path / "whole" / name).read_bytes()
    for cut in range(length, len(content)):
        (tmp_path / "whole" / name).write_bytes(content[:cut])
        assert len(finished_folds(tmp_path / "whole", planned(*folds))) == 1
    (tmp_path / "whole" / name).write_bytes(content)
    assert len(finished_folds(tmp_path / "whole", planned(*folds))) == 2


@pytest.mark.parametrize("name", [OUTCOMES_FILE, TRAININGS_FILE, DIGESTS_FILE])
def test_no_changed_byte_is_kept(tmp_path: Path, name: str) -> None:
    """Each byte of the second fold, one at a time: the fold is trained again, and the first is not."""
    folds = [fold("1"), fold("2")]
    write(tmp_path, *folds[:1])
    start = (tmp_path / name).stat().st_size
    write(tmp_path, *folds)
    content = (tmp_path / name).read_bytes()
    generator = random.Random(0)
    for position in range(start, len(content)):
        damaged = bytearray(content)
        damaged[position] ^= generator.randrange(1, 256)
        (tmp_path / name).write_bytes(bytes(damaged))
        finished = finished_folds(tmp_path, planned(*folds))
        assert [one.outcomes for one in finished[:1]] == [folds[0].outcomes]
        if len(finished) == 2:  # such as quotation marks around a cell: read as the same row
            write_finished(tmp_path, HEADER, finished)
            assert (tmp_path / name).read_bytes() == content


def test_a_study_without_digests_is_checked_for_sense(tmp_path: Path) -> None:
    """Earlier versions wrote none: the plan, the sum of the scores and the highest of them still tell."""
    wrong = {
        "another clip": ("d/2/x", "d/2/z"),
        "another class": (",a,b,", ",b,b,"),
        "a sum that is not 1": ("0.750000", "0.750009"),
        "a prediction with a lower score": ("0.250000,0.750000", "0.750000,0.250000"),
        "not a number": ("0.250000", "nan"),
        "no class": (",a,b,", ",a,c,"),
    }
    folds = [fold("1"), fold("2")]
    write(tmp_path / "s", *folds)
    (tmp_path / "s" / DIGESTS_FILE).unlink()
    assert len(finished_folds(tmp_path / "s", planned(*folds))) == 2
    first, second = (tmp_path / "s" / OUTCOMES_FILE).read_text().split("s,d/2,", 1)
    for name, (before, after) in wrong.items():
        shutil.copytree(tmp_path / "s", tmp_path / name)
        damaged = f"{first}s,d/2,{second.replace(before, after, 1)}"
        assert damaged != first + "s,d/2," + second, name
        (tmp_path / name / OUTCOMES_FILE).write_text(damaged)
        assert len(finished_folds(tmp_path / name, planned(*folds))) == 1, name


def test_a_missing_or_foreign_file_is_nothing_finished(tmp_path: Path) -> None:
    assert finished_folds(tmp_path, planned(fold("1"))) == []
    write(tmp_path, fold("1"))
    (tmp_path / TRAININGS_FILE).unlink()
    assert finished_folds(tmp_path, planned(fold("1"))) == []
    (tmp_path / OUTCOMES_FILE).write_bytes(b"\xff\xfe")
    assert finished_folds(tmp_path, planned(fold("1"))) == []
