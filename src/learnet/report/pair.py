"""Two studies over the same clips: whether their difference exceeds chance, and where their predictions
differ."""

from collections import Counter
from collections.abc import Sequence

import pandas as pd

from learnet.metrics.equivalence import undecided_text
from learnet.metrics.scores import MEASURES, interval_text
from learnet.metrics.significance import LEVEL, Difference, difference, mcnemar
from learnet.report.comparison.tables import image_note
from learnet.report.study_record import StudyRecord
from learnet.report.tables import NAMES, p_text, signed


def both(records: Sequence[StudyRecord]) -> dict:
    """Return the content of the section on two studies: the first minus the second, and where they differ."""
    one, other = records
    result = difference(one.outcomes, other.outcomes, one.classes)
    clips = mcnemar(one.answers, other.answers)
    formats = {"difference": "{:+.3g}"}
    formats |= {f"{record.name}: right": "{:.3g}" for record in records}
    return {
        "one": one,
        "other": other,
        "difference": result,
        "clips": clips,
        "p_clips": p_text(clips.p),
        "table": differences(one, other, result),
        "lead": lead(one, other, result, result.p["uf1"]),
        "image_note": image_note(records),
        "differing_people": people(one, other),
        "differing_clips": answers(one, other),
        "formats": formats,
    }


def differences(one: StudyRecord, other: StudyRecord, result: Difference) -> pd.DataFrame:
    """Return a row for each measure: both scores, their difference with its interval, p."""
    rows = []
    for measure in MEASURES:
        low, high = result.limits[measure]
        row: dict[str, object] = {"measure": NAMES[measure]}
        for record in (one, other):
            row[f"{record.name}: score"] = record.summary.mean[measure].value
        row["difference"] = signed(result.values[measure])
        row["95% interval"] = interval_text(low, high, "{} to {}", signed)
        row["p"] = p_text(result.p[measure])
        rows.append(row)
    return pd.DataFrame(rows)


def people(one: StudyRecord, other: StudyRecord) -> pd.DataFrame:
    """Return a row for each person with a different number of correct clips, the largest difference first."""
    clips = Counter(outcome.person for outcome in one.answers)
    names = sorted(clips)
    table = pd.DataFrame({"person": names, "clips": [clips[name] for name in names]})
    correct = []
    for record in (one, other):
        counts = Counter(o.person for o in record.outcomes if o.truth == o.prediction)
        column = f"{record.name}: right"
        table[column] = [counts[name] / len(record.seeds) for name in names]  # mean over seeds
        correct.append(table[column])
    table["difference"] = correct[0] - correct[1]
    order = table["difference"].abs().sort_values(ascending=False, kind="stable").index
    table = table.loc[order]
    return table[table["difference"] != 0].reset_index(drop=True)


def answers(one: StudyRecord, other: StudyRecord) -> pd.DataFrame:
    """Return a row for each clip with different predictions: truth, both predictions and scores, who is
    right."""
    predictions_of_other = {outcome.clip: outcome for outcome in other.answers}
    rows = []
    for first in sorted(one.answers, key=lambda outcome: outcome.clip):
        second = predictions_of_other[first.clip]
        if first.prediction == second.prediction:
            continue
        row: dict[str, object] = {"clip": first.clip, "truth": first.truth, "right": "neither"}
        for record, outcome in ((one, first), (other, second)):
            if outcome.prediction == outcome.truth:
                row["right"] = record.name
            row[f"{record.name}: prediction"] = outcome.prediction
            row[f"{record.name}: score"] = outcome.scores[record.classes.index(outcome.prediction)]
        rows.append(row)
    return pd.DataFrame(rows)


def lead(one: StudyRecord, other: StudyRecord, result: Difference, p: float) -> str:
    """Return the difference in UF1 in words that claim no more than its test shows.

    Args:
        one: a study.
        other: another study over the same clips.
        result: scores of `one` minus those of `other`.
        p: of the difference in UF1, corrected where several studies are tested.
    """
    if not result.people:
        return f"{_marked(one)} and {_marked(other)} make the same predictions for everybody."
    value = result.values["uf1"]
    low, high = result.limits["uf1"]
    better, worse = one, other
    if value < 0:
        better, worse = other, one
        low, high = -high, -low
    interval = interval_text(low, high, "95% interval {} to {}", signed)
    verdict = "chance alone seldom does as much" if p < LEVEL else "chance alone may do as much"
    sentence = f"UF1 of {_marked(better)} is {abs(value):.3f} above that of {_marked(worse)} ({interval})"
    shown = "" if p < LEVEL else f": {undecided_text(result, 'uf1')}"
    return f"{sentence}; {verdict} (p {p_text(p)}){shown}."


def _marked(record: StudyRecord) -> str:
    """Return the name of a study, and that it leaks."""
    return f"{record.name} (leaky)" if record.leaky else record.name
