"""Settings that cannot work are refused before anything is written."""

from collections.abc import Callable

import pytest

from learnet.core.errors import LearnetError
from learnet.core.settings import Preparation, Study, Training, Windows
from tests.builders.shape_checks import REFUSED_EARLIER


@pytest.mark.parametrize(
    ("record", "values", "named"),
    [
        (Training, {"epochs": 0}, "epochs"),
        (Training, {"inner_groups": 1}, "inner_groups"),
        (Training, {"batch_size": 1}, "batch_size"),
        (Training, {"learning_rate": 0.0}, "learning_rate"),
        (Training, {"label_smoothing": 1.0}, "label_smoothing"),
        (Training, {"mixup": -0.1}, "mixup"),
        (Windows, {"overlap": 1.0}, "overlap"),
        (Windows, {"window_s": 0.0}, "window_s"),
        (Preparation, {"size": 5}, "5"),
        (Study, {"seeds": 0}, "seeds"),
    ],
)
def test_impossible_values_are_named(record: type, values: dict, named: str) -> None:
    record()
    with pytest.raises(LearnetError, match=f"(^|not ){named}"):
        record(**values)


@REFUSED_EARLIER
@pytest.mark.parametrize(
    ("make", "setting"),
    [
        (lambda: Training(optimiser="rmsprop"), "optimiser"),
        (lambda: Training(class_weights="rare"), "class_weights"),
        (lambda: Study(protocol="holdout"), "protocol"),
    ],
)
def test_a_word_that_is_no_choice_is_refused(make: Callable[[], object], setting: str) -> None:
    """In Python too, where no command line has checked it: it would be trained with, and recorded."""
    with pytest.raises(LearnetError, match=f"^{setting} cannot be .* Choose from"):
        make()
