"""Two studies over the same clips beside each other: whether they differ by more than chance, and whose answers differ."""

from collections import Counter
from collections.abc import Sequence

import pandas as pd

from learnet.metrics.scores import MEASURES, interval_text
from learnet.metrics.significance import Difference, difference, mcnemar
from learnet.report.study_record import StudyRecord
from learnet.report.tables import NAMES, p_text, signed


def both(records: Sequence[StudyRecord]) -> dict:
    """What the part about two studies shows: the first less the second, the people and clips where they differ."""
    one, other = records
    found, clips = difference(one.outcomes, other.outcomes, one.classes), mcnemar(one.answers, other.answers)
    return {
        "one": one,
        "other": other,
        "difference": found,
        "clips": clips,
        "p_clips": p_text(clips.p),
        "table": differences(one, other, found),
        "lead": _lead(one, other, found),
        "differing_people": people(one, other),
        "differing_clips": answers(one, other),
        "formats": {"difference": "{:+.3g}"} | {f"{record.name}: right": "{:.3g}" for record in records},
    }


def differences(one: StudyRecord, other: StudyRecord, found: Difference) -> pd.DataFrame:
    """A row for each measure: both studies, their difference with its interval, p."""
    rows = []
    for measure in MEASURES:
        values = [record.summary["mean"][measure]["value"] for record in (one, other)]
        low, high = found.limits[measure]
        cells = {
            "difference": signed(found.values[measure]),
            "95% interval": interval_text(low, high, "{} to {}", signed),
            "p": p_text(found.p[measure]),
        }
        rows.append(
            {
                "measure": NAMES[measure],
                f"{one.name}: score": values[0],
                f"{other.name}: score": values[1],
                **cells,
            }
        )
    return pd.DataFrame(rows)


def people(one: StudyRecord, other: StudyRecord) -> pd.DataFrame:
    """A row for each person of whom the studies have another number right (mean over seeds), the largest difference first."""
    clips = Counter(o.person for o in one.answers)
    table = pd.DataFrame({"person": sorted(clips), "clips": [clips[person] for person in sorted(clips)]})
    for record in (one, other):
        right = Counter(o.person for o in record.outcomes if o.truth == o.prediction)
        table[f"{record.name}: right"] = [right[person] / len(record.seeds) for person in table["person"]]
    table["difference"] = table.iloc[:, 2] - table.iloc[:, 3]
    order = table["difference"].abs().sort_values(ascending=False, kind="stable").index
    return table.loc[order][lambda found: found["difference"] != 0].reset_index(drop=True)


def answers(one: StudyRecord, other: StudyRecord) -> pd.DataFrame:
    """A row for each clip that the studies answer differently: truth, both answers with their scores, and who is right."""
    there = {o.clip: o for o in other.answers}
    rows = []
    for first in sorted(one.answers, key=lambda o: o.clip):
        second = there[first.clip]
        if first.prediction == second.prediction:
            continue
        who = (
            one.name
            if first.prediction == first.truth
            else other.name
            if second.prediction == first.truth
            else "neither"
        )
        row: dict[str, object] = {"clip": first.clip, "truth": first.truth, "right": who}
        for record, answer in ((one, first), (other, second)):
            score = answer.scores[record.classes.index(answer.prediction)]
            row |= {f"{record.name}: answer": answer.prediction, f"{record.name}: score": score}
        rows.append(row)
    return pd.DataFrame(rows)


def _lead(one: StudyRecord, other: StudyRecord, found: Difference) -> str:
    """The difference in UF1 in words, which claim no more than its test gives."""
    value, (low, high) = found.values["uf1"], found.limits["uf1"]
    if not found.people:
        return f"{one.name} and {other.name} give the same answers to everybody."
    more, less, (low, high) = (one, other, (low, high)) if value >= 0 else (other, one, (-high, -low))
    interval = interval_text(low, high, "95% interval {} to {}", signed)
    told = f"UF1 of {more.name} is {abs(value):.3f} above that of {less.name} ({interval})"
    by_chance = "chance alone seldom does as much" if found.p["uf1"] < 0.05 else "chance alone may do as much"
    return f"{told}; {by_chance} (p {p_text(found.p['uf1'])})."
