"""True and predicted classes to scores: accuracy, UF1, UAR, confusion matrices, intervals over people.

The predictions of all folds are pooled and then counted, as defined by MEGC2019. An average over folds is
another number. The class list is always passed: a class without clips stays in it and counts as zero.
"""

from collections.abc import Callable, Sequence

import numpy as np
from jaxtyping import Bool, Float, Int, Int64

from learnet.core.errors import LearnetError
from learnet.core.records import Outcome
from learnet.metrics.expanded import TAIL, expanded_tail
from learnet.metrics.groups import by_person, by_seed, predictions, truths

MEASURE_NAMES = {"accuracy": "accuracy", "uf1": "UF1", "uar": "UAR"}
"""Measure, as in files, and its heading in tables; in the order of the values of `headline`."""

MEASURES = tuple(MEASURE_NAMES)
DRAWS = 2000
SEED = 20200  # of the resamples: a report that is redone has the same numbers

ONE_PERSON = "no interval: one person"
"""Shown in place of an interval, because a width of zero would suggest certainty."""


INTERVAL_NOTE = (
    "The intervals say what other people to test would change, not what other people to learn from would."
)
"""What must be known to read an interval of a study."""


def confusion(
    truth: Sequence[str], prediction: Sequence[str], classes: Sequence[str]
) -> Int[np.ndarray, "K K"]:
    """Count how often each true class (row) was predicted as each class (column).

    Raises:
        LearnetError: a true or predicted class is not in the class list.
    """
    index = {name: i for i, name in enumerate(classes)}
    unknown = sorted({*truth, *prediction} - set(index))
    if unknown:
        raise LearnetError(
            f"Not in the class list: {', '.join(unknown)}.", f"The classes are {', '.join(classes)}."
        )
    counts = np.zeros((len(classes), len(classes)), dtype=np.int64)
    for true_class, predicted_class in zip(truth, prediction, strict=True):
        counts[index[true_class], index[predicted_class]] += 1
    return counts


def per_person_counts(
    outcomes: Sequence[Outcome], people: Sequence[str], classes: Sequence[str]
) -> Int[np.ndarray, "P K K"]:
    """Return the confusion matrix of each person, in the order of `people`."""
    of_person = by_person(outcomes)
    assert of_person.keys() <= set(people), "the outcomes are of these people"
    counts = []
    for person in people:
        own = of_person.get(person, [])
        counts.append(confusion(truths(own), predictions(own), classes))
    return np.stack(counts)


def per_seed_counts(
    outcomes: Sequence[Outcome], people: Sequence[str], classes: Sequence[str]
) -> Int[np.ndarray, "S P K K"]:
    """Return the confusion matrix of each seed, in rising order, and each person, as in `people`."""
    counts = [per_person_counts(part, people, classes) for part in by_seed(outcomes).values()]
    return np.stack(counts)


def precision_recall_f1(
    counts: Float[np.ndarray, "... K K"] | Int[np.ndarray, "... K K"],
) -> Float[np.ndarray, "3 ... K"]:
    """Return precision, recall and F1 of each class; 0 where they are not defined.

    Args:
        counts: confusion matrices in the last two axes; rows are true classes.
    """
    correct = np.diagonal(counts, axis1=-2, axis2=-1).astype(float)
    predicted = counts.sum(axis=-2)
    actual = counts.sum(axis=-1)
    precision = _ratio(correct, predicted)
    recall = _ratio(correct, actual)
    f1 = _ratio(2 * correct, predicted + actual)
    return np.stack([precision, recall, f1])


def headline(
    counts: Float[np.ndarray, "... K K"] | Int[np.ndarray, "... K K"],
    included: Bool[np.ndarray, "... K"] | None = None,
) -> Float[np.ndarray, "3 ..."]:
    """Return accuracy, UF1 and UAR, in the order of `MEASURES`.

    UF1 is the unweighted mean of the F1 of each class, UAR the unweighted mean of the recall of each class.

    Args:
        counts: confusion matrices in the last two axes; rows are true classes.
        included: classes to average over. By default all of the list, as a whole data set is scored.

    References:
        See et al., MEGC 2019, FG 2019, section on evaluation.
    """
    _, recall, f1 = precision_recall_f1(counts)
    if included is None:
        included = np.ones(recall.shape, dtype=bool)
    correct = np.trace(counts, axis1=-2, axis2=-1).astype(float)
    accuracy = _ratio(correct, counts.sum(axis=(-2, -1)))
    number = np.maximum(included.sum(axis=-1), 1)
    uf1 = (f1 * included).sum(axis=-1) / number
    uar = (recall * included).sum(axis=-1) / number
    return np.stack([accuracy, uf1, uar])


def intervals(
    counts: Float[np.ndarray, "S P K K"] | Int[np.ndarray, "S P K K"], draws: int = DRAWS
) -> Float[np.ndarray, "3 2"]:
    """Return 95 % intervals of accuracy, UF1 and UAR, averaged over seeds.

    They are expanded percentiles (`ends`) of a bootstrap over people. What would vary with other people to
    learn from is not in them: predictions are resampled, and nothing is trained again.

    Args:
        counts: confusion matrix of each seed and person.
        draws: number of resamples.

    Returns:
        Lower and upper ends; NaN where there is one person.
    """
    people = counts.shape[1]
    return ends(resampled(counts, draws), people)


def ends(drawn: Float[np.ndarray, "*M D"], people: int, tail: float = TAIL) -> Float[np.ndarray, "*M 2"]:
    """Return the interval of values from D resamples of people by expanded percentiles (`expanded_tail`).

    Args:
        drawn: the value in each resample.
        people: number of people that were resampled.
        tail: probability outside each end; by default that of a 95 % interval.

    Returns:
        Lower and upper ends; NaN for one person.
    """
    if people < 2:
        return np.full((*drawn.shape[:-1], 2), np.nan)
    outside = expanded_tail(people, tail)
    limits = np.quantile(drawn, [outside, 1 - outside], axis=-1)  # (2, *M)
    return np.moveaxis(limits, 0, -1)


def interval_text(
    low: float | None,
    high: float | None,
    form: str = "[{}, {}]",
    number: Callable[[float], str] = "{:.2f}".format,
) -> str:
    """Return an interval as text, or `ONE_PERSON` where its ends are None or NaN.

    Args:
        low: lower end, as returned by `intervals` or `summarise`.
        high: upper end.
        form: format of the interval, with two placeholders.
        number: format of a number.
    """
    if low is None or high is None or np.isnan(low):
        return ONE_PERSON
    return form.format(number(low), number(high))


def resampled(
    counts: Float[np.ndarray, "S P K K"] | Int[np.ndarray, "S P K K"], draws: int = DRAWS
) -> Float[np.ndarray, "3 draws"]:
    """Return accuracy, UF1 and UAR, averaged over seeds, for resamples of the people.

    People are drawn with replacement, each with all clips, because the clips of one person are not
    independent. The draws start from a fixed seed: two studies over the same people have the same draws.
    """
    times = times_drawn(counts.shape[1], draws)
    drawn = np.einsum("dp,spij->sdij", times, counts, optimize=True)
    absent = counts.sum(axis=(0, 1, 3)) == 0  # counts as zero in the score, and so in every resample
    included = (drawn.sum(axis=-1) > 0) | absent  # another class may be missing by chance
    return headline(drawn, included).mean(axis=1)  # (3, draws)


def times_drawn(people: int, draws: int) -> Int64[np.ndarray, "D P"]:
    """Return how often each person is drawn in each resample, with replacement, from a fixed seed."""
    rng = np.random.default_rng(SEED)
    probabilities = np.full(people, 1 / people)
    return rng.multinomial(people, probabilities, size=draws)


def _ratio(part: np.ndarray | np.floating, whole: np.ndarray | np.integer | np.floating) -> np.ndarray:
    """Return the quotient; 0 where the denominator is 0."""
    zeros = np.zeros(np.shape(part))
    return np.divide(part, whole, out=zeros, where=whole > 0)
