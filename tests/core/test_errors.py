"""What a user reads when something was wrong: one line, with what to do next."""

import pickle
from pathlib import Path

import pytest

from learnet.core.errors import (
    BadCheckpoint,
    BadInput,
    LearnetError,
    NoFace,
    TooFewFrames,
    UnknownName,
    pick,
)
from learnet.training.pretrained import default_weights

TABLE = {"learnet": 1, "linear-svm": 2, "majority": 3}


def test_pick_gives_the_entry() -> None:
    assert pick(TABLE, "majority", "network") == 3


@pytest.mark.parametrize(
    "name, hint",
    [
        ("learnett", "Did you mean 'learnet'?"),
        ("vgg", "Choose from learnet, linear-svm, majority."),
        ("", "Choose from"),
    ],
)
def test_pick_helps_with_a_wrong_name(name: str, hint: str) -> None:
    with pytest.raises(UnknownName) as refusal:
        pick(TABLE, name, "network")
    assert str(refusal.value).startswith(f"There is no network called {name!r}. {hint}")


def test_what_was_wrong_and_what_to_do_make_one_line() -> None:
    error = BadInput(Path("data/x"), "is empty", "Copy it again.")
    assert str(error) == "data/x: is empty. Copy it again."
    assert (error.what, error.hint, error.path) == ("data/x: is empty.", "Copy it again.", Path("data/x"))
    assert str(LearnetError("No.")) == "No."


def test_shipped_weights_are_called_by_name_and_others_by_path() -> None:
    """The hint and everything after the colon are those of other errors."""
    shipped = default_weights()
    assert shipped.is_file()
    error = BadCheckpoint(shipped, "does not fit", "Choose others.")
    assert str(error) == "mlp-cnn-flow-28: does not fit. Choose others." and error.path == shipped
    assert str(pickle.loads(pickle.dumps(error))) == str(error)
    own = Path("weights") / "mlp-cnn-flow-28.onnx"
    assert str(BadCheckpoint(own, "does not fit")) == "weights/mlp-cnn-flow-28.onnx: does not fit."


@pytest.mark.parametrize("count, noun", [(1, "1 frame "), (2, "2 frames ")])
def test_counts_agree_with_their_nouns(count: int, noun: str) -> None:
    assert noun in str(NoFace("clip", count))
    assert f"has {noun.strip()};" in str(TooFewFrames(count, 3))


def test_every_kind_is_a_users_mistake() -> None:
    for error in (
        UnknownName("network", "x", []),
        BadInput("x", "is wrong"),
        NoFace("x", 1),
        TooFewFrames(1, 2),
    ):
        assert isinstance(error, LearnetError)
        assert "\n" not in str(error)


@pytest.mark.parametrize(
    "error",
    [
        LearnetError("what", "hint"),
        UnknownName("network", "lernet", ["learnet"]),
        BadInput(Path("a"), "wrong", "hint"),
        NoFace("a", 3),
        TooFewFrames(1, 2),
    ],
    ids=lambda error: type(error).__name__,
)
def test_errors_travel_between_processes(error: LearnetError) -> None:
    """joblib pickles what a worker raises; an error that cannot be read back hangs or hides the reason."""
    again = pickle.loads(pickle.dumps(error))
    assert (type(again), str(again), again.what, again.hint) == (
        type(error),
        str(error),
        error.what,
        error.hint,
    )
