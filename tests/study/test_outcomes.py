"""Outcomes on disk: what is written is read back, what is cut off is found."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from learnet.core.errors import BadInput
from learnet.core.files import write_atomically
from learnet.core.records import Outcome
from learnet.study.outcomes import (
    megc_log,
    outcome_rows,
    outcomes_header,
    parse_outcomes,
    read_outcomes,
)

NAMES = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cs",)),
    min_size=1,
    max_size=12,
)
CLASSES = st.sampled_from(["a", "b"])
SCORES = st.lists(st.integers(0, 1_000_000).map(lambda n: n / 1_000_000), min_size=2, max_size=2).map(tuple)


def outcome(clip: str, fold: str = "f", seed: int = 0, truth: str = "a", prediction: str = "b") -> Outcome:
    return Outcome(
        "s",
        fold,
        seed,
        clip,
        clip.split("/")[0],
        "/".join(clip.split("/")[:2]),
        truth,
        prediction,
        (0.25, 0.75),
    )


@given(
    st.lists(
        st.builds(Outcome, NAMES, NAMES, st.integers(0, 9), NAMES, NAMES, NAMES, CLASSES, CLASSES, SCORES),
        max_size=5,
    )
)
def test_written_and_read_back(outcomes: list[Outcome]) -> None:
    assert parse_outcomes(Path("x"), outcomes_header(["a", "b"]) + outcome_rows(outcomes)) == outcomes


def test_columns_are_those_promised() -> None:
    assert (
        outcomes_header(["happiness", "fear"])
        == "study,fold,seed,clip,dataset,person,truth,prediction,happiness,fear\n"
    )


def test_megc_log_by_hand() -> None:
    """The form of the challenge: a line for the person, then clip, truth and prediction as numbers."""
    log = megc_log(
        [
            outcome("smic/s01/s01_ne_01"),
            outcome("casme2/sub01/EP02_01f", truth="b"),
            outcome("casme2/sub01/EP01", truth="b"),
        ],
        ["a", "b"],
    )
    assert log == "casme2 sub01\nEP01 1 1\nEP02_01f 1 1\nsmic s01\ns01_ne_01 0 1\n"


def test_unreadable_rows_are_named(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="not a study folder"):
        read_outcomes(tmp_path)
    (tmp_path / "outcomes.csv").write_text("a,b\n")
    with pytest.raises(BadInput, match="columns are a, b"):
        read_outcomes(tmp_path)
    (tmp_path / "outcomes.csv").write_text(outcomes_header(["a", "b"]) + "s,f,zero,c,d,p,a,b,0.1,0.9\n")
    with pytest.raises(BadInput, match="zero"):
        read_outcomes(tmp_path)
    for classes in ("c,b", "a,\u2028", ",b"):
        row = f"s,f,0,c,d,p,{classes},0.1,0.9\n"
        (tmp_path / "outcomes.csv").write_text(outcomes_header(["a", "b"]) + row, encoding="utf-8")
        with pytest.raises(BadInput, match="cannot read the row"):
            read_outcomes(tmp_path)
    (tmp_path / "outcomes.csv").write_bytes(b"\xff")
    with pytest.raises(BadInput, match="not UTF-8"):
        read_outcomes(tmp_path)


def test_a_write_that_fails_leaves_the_file_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "x.json"
    write_atomically(file, "old")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="No space"):
        write_atomically(file, "new")
    assert file.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["x.json"]
