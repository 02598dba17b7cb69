"""Study folders: a run goes on in what another one began, and in nothing else."""

import os
import shutil
from pathlib import Path

import pytest

from learnet.core.errors import OutputTaken
from learnet.core.settings import Resources, Study
from learnet.study import folder as module
from learnet.study.folder import is_begun, weights_file
from learnet.study.outcomes import outcomes_header, read_outcomes
from learnet.study.run import run_study
from tests.study.test_run import QUICK, bytes_of, prepared

__all__ = ["prepared"]

ONE = Resources(jobs=1)
STUDY = Study(network="linear-svm")
DRAFT = ".study.json.learnet-0123456789abcdef.part"


class Killed(BaseException):
    pass


def test_a_study_that_ends_before_any_of_its_first_files_goes_on(
    prepared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each write of `open_study_folder` fails in turn, as on a full disk or by a kill."""
    run_study(prepared, tmp_path / "whole" / "study", STUDY, QUICK, ONE)
    real = os.replace
    for number in range(5):
        left = [number]

        def replace(source: Path, target: Path, left: list[int] = left) -> None:
            if left[0] == 0:
                raise Killed
            left[0] -= 1
            real(source, target)

        out = tmp_path / str(number) / "study"
        with monkeypatch.context() as patch:
            patch.setattr(os, "replace", replace)
            with pytest.raises(Killed):
                run_study(prepared, out, STUDY, QUICK, ONE)
        run_study(prepared, out, STUDY, QUICK, ONE)
        assert bytes_of(out) == bytes_of(tmp_path / "whole" / "study")


def test_what_an_earlier_version_left_before_its_description_is_begun(prepared: Path, tmp_path: Path) -> None:
    out = tmp_path / "study"
    (out / "folds").mkdir(parents=True)
    for name in (".lock", DRAFT, "trainings.csv"):
        (out / name).touch()
    (out / "outcomes.csv").write_text(outcomes_header(["a", "b"]))
    assert is_begun(out)
    run_study(prepared, out, STUDY, QUICK, ONE)
    assert len(read_outcomes(out)) == 9


@pytest.mark.parametrize("name", ["mine.txt", "outcomes.csv", "folds/a.safetensors", "folds", "lock"])
def test_a_folder_of_somebody_else_is_refused_and_kept(prepared: Path, tmp_path: Path, name: str) -> None:
    out = tmp_path / "study"
    file = out / name
    file.parent.mkdir(parents=True)
    file.write_text(outcomes_header(["a", "b"]) + "a row\n")
    assert not is_begun(out)
    with pytest.raises(OutputTaken, match="something else is there"):
        run_study(prepared, out, STUDY, QUICK, ONE)
    assert [path.relative_to(out) for path in out.rglob("*") if path.is_file()] == [Path(name)]


def test_damaged_rows_are_trained_again(prepared: Path, tmp_path: Path) -> None:
    run_study(prepared, tmp_path / "whole" / "study", STUDY, QUICK, ONE)
    whole = bytes_of(tmp_path / "whole" / "study")
    for name, damaged in {
        "outcomes.csv": whole["outcomes.csv"].replace(b"casme2/03/EP1", b"casme2/\xff3/EP1"),
        "trainings.csv": whole["trainings.csv"][:60],
        "digests.csv": b"\xff\xfe",
    }.items():
        out = tmp_path / name / "study"
        shutil.copytree(tmp_path / "whole" / "study", out)
        (out / name).write_bytes(damaged)
        run_study(prepared, out, STUDY, QUICK, ONE)
        assert bytes_of(out) == whole


def test_no_two_folds_share_a_file_of_weights() -> None:
    folds = ["a-b/c", "a/b-c", "a/b/c", "a%2Db/c", "a/b%2Fc", "a/b\nc", "a/b\0c", "a/-c", "a-/c"]
    files = [weights_file(Path("s"), fold, 0) for fold in folds]
    assert len(set(files)) == len(folds)
    assert {file.parent for file in files} == {Path("s/folds")}
    assert not any(set("\n\0") & set(file.name) for file in files)
    assert weights_file(Path("s"), "casme2/sub-01", 3) == Path("s/folds/casme2-sub-01-seed3.safetensors")
    long = [weights_file(Path("s"), f"a/{'é' * 150}{end}", 0) for end in "xy"]
    assert long[0] != long[1] and len(os.fsencode(long[0].name)) < 255


def test_the_limit_of_names_is_below_that_of_file_systems() -> None:
    assert module.LONGEST_NAME + len("-seed1234567890.safetensors") < 255


def test_a_folder_that_is_removed_in_mid_run_is_not_made_again(prepared: Path, tmp_path: Path) -> None:
    """A part of a study would be left, which the same command could not continue."""
    for last in (False, True):  # after the first training, and after the last
        out = tmp_path / "study"

        def remove(done: int, total: int, last: bool = last, out: Path = out) -> None:
            if done == (total if last else 1):
                shutil.rmtree(out)

        with pytest.raises(FileNotFoundError, match=r"study\.json"):
            run_study(prepared, out, STUDY, QUICK, ONE, remove)
        assert not out.exists()
    run_study(prepared, out, STUDY, QUICK, ONE)


def test_a_kill_after_the_last_training_leaves_no_draft(prepared: Path, tmp_path: Path) -> None:
    """`run.json` is the last file of the trainings: its draft goes, and it is written."""
    out = tmp_path / "study"
    run_study(prepared, out, STUDY, QUICK, ONE)
    (out / "run.json").rename(out / ".run.json.learnet-0123456789abcdef.part")
    run_study(prepared, out, STUDY, QUICK, ONE)
    assert [path.name for path in out.glob("*run.json*")] == ["run.json"]
    before = (out / "run.json").read_bytes()
    (out / ".run.json.learnet-0123456789abcdef.part").touch()
    run_study(prepared, out, STUDY, QUICK, ONE)
    assert [path.name for path in out.glob("*run.json*")] == ["run.json"]
    assert (out / "run.json").read_bytes() == before
