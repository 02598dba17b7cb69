"""The spot-then-recognise score (STRS), by its definition and as the public script computes it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Int

from learnet.metrics.scores import precision_recall_f1
from learnet.metrics.spotting.conventions import IOU, Convention, find_hits, group_videos
from learnet.metrics.spotting.intervals import Interval, limits_of, overlaps

Pair = tuple[Interval, Interval]  # event and the prediction that hits it


@dataclass(frozen=True)
class SpotThenRecognise:
    """Scores of spotting, and of recognition on what was spotted."""

    hits: int
    false_alarms: int
    misses: int
    f1_spotting: float
    precision: float  # of recognition, mean over classes
    recall: float  # of recognition, mean over classes: the UAR
    f1_recognition: float  # F1 of mean precision and mean recall
    uf1: float  # mean over classes of F1
    strs: float  # f1_spotting * f1_recognition


def spot_then_recognise(
    events: Sequence[Interval], predictions: Sequence[Interval], classes: Sequence[str]
) -> SpotThenRecognise:
    """Compute the spot-then-recognise score by its definition.

    F1 of spotting (frames, an overlap of 0.5 or more, one to one, any type) times F1 of recognition on the
    hits. All false alarms and all misses count. An event whose label is no class counts for spotting only,
    and a prediction with another label than its classes for none of them.

    References:
        Liong, See and Chan, Signal Processing: Image Communication 110, 2023.
    """
    convention = Convention(typed=False, inclusive=True, strict=False)
    pairs: list[Pair] = []
    false_alarms = misses = 0
    for of_video, predicted in group_videos(events, predictions):
        hits = find_hits(of_video, predicted, convention)
        for event, prediction in zip(hits.hit_events, hits.hit_predictions, strict=True):
            pairs.append((of_video[event], predicted[prediction]))
        false_alarms += len(hits.false_alarms)
        misses += len(hits.misses)
    return _scores(pairs, false_alarms, misses, _binary_counts(pairs, classes))


def spot_then_recognise_as_script(
    events: Sequence[Interval], predictions: Sequence[Interval], classes: Sequence[str]
) -> SpotThenRecognise:
    """Compute the spot-then-recognise score as the public script does, in its order and with its faults.

    It skips the false alarms of videos without an event and the misses of people without a prediction; a
    prediction may hit several events; a class that all pairs or none have counts as zero; and what it prints
    as UAR is the mean precision, which `precision` has.

    References:
        genbing99/STRS-Metric, strs_metric.py, commit eb86468.
    """
    people = {prediction.person for prediction in predictions}
    pairs: list[Pair] = []
    false_alarms = misses = 0
    for of_video, predicted in group_videos(events, predictions):
        if not of_video or of_video[0].person not in people:
            continue
        video_pairs = _pairs_in_order(of_video, predicted)
        pairs += video_pairs
        false_alarms += len(predicted) - len({id(prediction) for _, prediction in video_pairs})
        misses += len(of_video) - len(video_pairs)
    binary = _without_constant_classes(_binary_counts(pairs, classes))
    return _scores(pairs, false_alarms, misses, binary)


def _pairs_in_order(events: Sequence[Interval], predictions: Sequence[Interval]) -> list[Pair]:
    """Return each event with the first prediction, in the order of the file, that overlaps it enough."""
    overlap = overlaps(limits_of(events), limits_of(predictions), unit=1.0)
    pairs = []
    for event, row in zip(events, overlap >= IOU, strict=True):
        if row.any():
            pairs.append((event, predictions[int(row.argmax())]))
    return pairs


def _binary_counts(pairs: Sequence[Pair], classes: Sequence[str]) -> Int[np.ndarray, "K 2 2"]:
    """Return the confusion matrix of each class against the others, on the pairs whose event has a class."""
    counts = np.zeros((len(classes), 2, 2), dtype=np.int64)
    for event, prediction in pairs:
        if event.label not in classes:
            continue
        for index, name in enumerate(classes):
            counts[index, int(event.label == name), int(prediction.label == name)] += 1
    return counts


def _without_constant_classes(counts: Int[np.ndarray, "K 2 2"]) -> Int[np.ndarray, "K 2 2"]:
    """Set the counts of a class to zero where all pairs or no pair have it, in truth and in prediction.

    scikit-learn's confusion matrix has one cell then, which the script cannot unpack and counts as zero.
    """
    totals = counts.sum(axis=(1, 2))
    constant = (counts[:, 0, 0] == totals) | (counts[:, 1, 1] == totals)
    return np.where(constant[:, None, None], 0, counts)


def _scores(
    pairs: Sequence[Pair], false_alarms: int, misses: int, binary: Int[np.ndarray, "K 2 2"]
) -> SpotThenRecognise:
    precision, recall, f1 = precision_recall_f1(binary)[..., 1].mean(axis=1).tolist()
    f1_recognition = 2 * precision * recall / (precision + recall) if precision + recall else 0.0
    f1_spotting = 2 * len(pairs) / max(2 * len(pairs) + false_alarms + misses, 1)
    return SpotThenRecognise(
        hits=len(pairs),
        false_alarms=false_alarms,
        misses=misses,
        f1_spotting=f1_spotting,
        precision=precision,
        recall=recall,
        f1_recognition=f1_recognition,
        uf1=f1,
        strs=f1_spotting * f1_recognition,
    )
