"""The classifier under scikit-learn's own checks, and beside the study on the same folds."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.random import RandomState
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, LeaveOneGroupOut, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.svm import SVC
from sklearn.utils.estimator_checks import check_estimator, parametrize_with_checks

from learnet.core.arrays import BadArray
from learnet.core.errors import LearnetError
from learnet.core.seeds import fold_seed
from learnet.core.settings import Resources, Training
from learnet.study.cross_validation import cross_validate
from learnet.training.classifier import LEARNetClassifier
from tests.builders.shape_checks import REFUSED_EARLIER

SIZE = 8  # pixels; STSTNet accepts it
PEOPLE = np.repeat(["a", "b", "c", "d"], 6)
LABELS = np.array(["disgust", "happiness", "surprise"] * 8)


class TableClassifier(LEARNetClassifier):
    """The classifier for the checks: their tables of any width are drawn as images, all else is as it is."""

    def _images(self, rows: np.ndarray) -> np.ndarray:
        features = np.resize(np.arange(rows.shape[1]), (SIZE, SIZE))
        levels = np.rint(np.clip(24 * rows[:, features], 0, 255)).astype(np.uint8)
        return np.repeat(levels[..., None], 3, axis=3)


@REFUSED_EARLIER
@parametrize_with_checks(
    [
        TableClassifier("linear-svm"),
        TableClassifier("ststnet", epochs=5, learning_rate=0.03, augment="none"),
    ]
)
def test_conventions_of_scikit_learn(estimator: LEARNetClassifier, check: Any) -> None:
    check(estimator)


@REFUSED_EARLIER
def test_the_classifier_itself_fails_a_check_only_by_refusing_tables(capsys: pytest.CaptureFixture) -> None:
    """The checks of scikit-learn fit tables such as 20 rows of 2 measurements, which are no images."""
    results = check_estimator(LEARNetClassifier("linear-svm"), on_fail=None, on_skip=None)
    passed = [result for result in results if result["status"] == "passed"]
    refused = [result for result in results if result["status"] == "failed"]
    with capsys.disabled():
        print(f"\ncheck_estimator: {len(passed)} passed, {len(refused)} refuse tables, of {len(results)}")
    assert len(passed) >= 25
    for result in refused:
        assert refuses_a_table(result["exception"]), (result["check_name"], result["exception"])


def refuses_a_table(error: BaseException | None) -> bool:
    """Return whether an error, or one that it was raised from, says that a table is no image."""
    while error is not None:
        if isinstance(error, BadArray) or "which are no image" in str(error):
            return True
        error = error.__cause__ or error.__context__
    return False


@pytest.fixture
def images() -> np.ndarray:
    """Noise with a brighter stripe for each class."""
    pixels = np.random.default_rng(0).integers(60, 190, (24, 28, 28, 3), dtype=np.uint8)
    for index, image in enumerate(pixels):
        image[7 * (index % 3) : 7 * (index % 3) + 7] += 30
    return pixels


@pytest.mark.parametrize("network", ["ststnet", "linear-svm"])
def test_predictions_are_those_of_the_study_in_the_same_folds(images: np.ndarray, network: str) -> None:
    """A study derives the seed of each fold from its own."""
    shares = np.empty((24, 3))
    for index, (train, test) in enumerate(LeaveOneGroupOut().split(images, groups=PEOPLE)):
        seed = fold_seed(3, index)
        classifier = LEARNetClassifier(network, kind="image", epochs=2, batch_size=4, random_state=seed)
        shares[test] = classifier.fit(images[train], np.array(LABELS)[train]).predict_proba(images[test])
    study = cross_validate(
        images, LABELS, PEOPLE, network,
        kind="image", training=Training(epochs=2, batch_size=4, seed=3), resources=Resources(jobs=1),
    )  # fmt: skip
    classes = ["disgust", "happiness", "surprise"]
    np.testing.assert_allclose(study.predictions[classes], shares, atol=1e-6)  # a study keeps six digits


def test_the_linear_svm_is_that_of_scikit_learn(images: np.ndarray) -> None:
    from sklearn.preprocessing import StandardScaler

    rows = images.reshape(len(images), -1)
    same = make_pipeline(StandardScaler(), SVC(kernel="linear", C=1e-3, class_weight="balanced"))
    expected = cross_val_predict(same, rows, LABELS, groups=PEOPLE, cv=LeaveOneGroupOut())
    own = LEARNetClassifier("linear-svm")
    np.testing.assert_array_equal(
        cross_val_predict(own, rows, LABELS, groups=PEOPLE, cv=LeaveOneGroupOut()), expected
    )


def test_images_may_be_flattened_or_in_a_table(images: np.ndarray) -> None:
    classifier = LEARNetClassifier("linear-svm").fit(images, LABELS)
    rows = images.reshape(len(images), -1)
    assert classifier.n_features_in_ == 28 * 28 * 3 and classifier.loss_curve_ == ()
    shares = classifier.predict_proba(images)
    for same in (rows, rows.astype(float), list(images), pd.DataFrame(rows)):
        np.testing.assert_array_equal(classifier.predict_proba(same), shares)
    assert classifier.classes_.tolist() == ["disgust", "happiness", "surprise"]
    assert classifier.score(images, LABELS) == 1  # its own training images


def test_a_pipeline_and_a_search_take_it(images: np.ndarray) -> None:
    steps = make_pipeline(FunctionTransformer(lambda x: x[:, ::2, ::2]), LEARNetClassifier("ststnet"))
    grid = {"learnetclassifier__epochs": [1, 2]}
    search = GridSearchCV(steps, grid, cv=LeaveOneGroupOut()).fit(images, LABELS, groups=PEOPLE)
    classifier = search.best_estimator_[-1]
    assert classifier.n_features_in_ == 14 * 14 * 3
    assert len(classifier.loss_curve_) == classifier.epochs == classifier.training_.epochs


def test_the_random_state_is_a_seed_or_a_generator_of_one(images: np.ndarray) -> None:
    def shares(random_state: int | RandomState) -> np.ndarray:
        classifier = LEARNetClassifier("ststnet", epochs=1, random_state=random_state)
        return classifier.fit(images, LABELS).predict_proba(images)

    np.testing.assert_array_equal(shares(5), shares(5))
    np.testing.assert_array_equal(shares(RandomState(5)), shares(RandomState(5)))
    assert not np.array_equal(shares(5), shares(6))


FLAT = np.zeros((4, 28, 28, 3), dtype=np.uint8)


@pytest.mark.parametrize(
    ("values", "says"),
    [
        (FLAT / 2 + 0.5, "X must be whole numbers 0..255, .* Multiply by 255"),
        (FLAT[..., :1], r"X must have the shape \(N, H, W, 3\)"),
        (FLAT[:, :14], r"must be square"),
        (FLAT.reshape(4, -1)[:, :10], r"X has 10 features, which are no image: S \* S \* 3"),
        (FLAT.astype(int).reshape(4, -1) - 1, "Negative values in data passed to LEARNetClassifier"),
        (FLAT.astype(int) + 256, "X must be grey levels 0..255"),
    ],
)
def test_what_is_no_image_is_a_value_error(values: np.ndarray, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        LEARNetClassifier("linear-svm").fit(values, [0, 1, 0, 1])


@REFUSED_EARLIER
def test_settings_that_do_not_work_are_learnet_errors(images: np.ndarray) -> None:
    for settings, says in (
        ({"network": "lernet"}, "no network called 'lernet'"),
        ({"kind": "movie"}, "no kind of image called 'movie'"),
        ({"epochs": 0}, "epochs must be from 1 to"),
        ({"network": "linear-svm", "detrend": True}, "detrend is for flow images"),
        ({"network": "lbp-top"}, "lbp-top accepts histograms"),
    ):
        with pytest.raises(LearnetError, match=says):
            LEARNetClassifier(**settings).fit(images, LABELS)
    with pytest.raises(BadArray, match="one class"):
        LEARNetClassifier("linear-svm").fit(images, [1] * len(images))
    with pytest.raises(NotFittedError):
        LEARNetClassifier().predict(images)
