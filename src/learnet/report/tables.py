"""Tables of studies as DataFrames, one function per table.

Scores are fractions from 0 to 1, averaged over seeds where a study has several. Nothing is rounded here.
"""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

import numpy as np
import pandas as pd

from learnet.core.records import Finding, Outcome
from learnet.metrics.calibration import Calibration
from learnet.metrics.scores import MEASURE_NAMES, MEASURES, confusion, headline, precision_recall_f1
from learnet.metrics.study_metrics import MeanScore
from learnet.report.study_record import StudyRecord

NAMES = MEASURE_NAMES


@dataclass(frozen=True)
class Floor:
    """The scores of the majority baseline, which predicts the most frequent class for every clip."""

    emotion: str
    values: dict[str, float]  # by the names in MEASURES


def floor(record: StudyRecord) -> Floor:
    """Return the majority baseline of a study; of several most frequent classes the first in the class
    list."""
    truth = [outcome.truth for outcome in record.answers]
    counts = Counter(truth)
    emotion = max(record.classes, key=lambda name: counts[name])
    values = headline(confusion(truth, [emotion] * len(truth), record.classes))
    return Floor(emotion, dict(zip(MEASURES, map(float, values), strict=True)))


def measures(records: Sequence[StudyRecord]) -> pd.DataFrame:
    """Return a row for each study: each measure with its interval and its standard deviation over seeds."""
    rows = []
    for record in records:
        row: dict[str, object] = {"study": record.name, "network": record.network_name}
        row |= _score_cells(record.summary.mean)
        row["clips"] = len(record.answers)
        row["people"] = len({outcome.person for outcome in record.outcomes})
        row["seeds"] = len(record.seeds)
        rows.append(row)
    return pd.DataFrame(rows)


def intervals(records: Sequence[StudyRecord]) -> pd.DataFrame:
    """Return the data of the score figure: a row for each study and measure, last those of the baseline."""
    rows = []
    for record in records:
        for measure in MEASURES:
            score = asdict(record.summary.mean[measure])
            rows.append({"study": record.name, "measure": NAMES[measure], **score})
    baseline = floor(records[0])
    for measure, value in baseline.values.items():
        rows.append({"study": f"always {baseline.emotion}", "measure": NAMES[measure], "value": value})
    return pd.DataFrame(rows)


def reliability(result: Calibration) -> pd.DataFrame:
    """Return a row for each bin: its edges, predictions, mean score, share that is correct, and its
    interval."""
    edges = np.arange(len(result.counts) + 1) / len(result.counts)
    low, high = result.limits.T
    columns = {
        "from": edges[:-1],
        "to": edges[1:],
        "answers": result.counts,
        "score": result.score,
        "right": result.right,
        "low": low,
        "high": high,
    }
    return pd.DataFrame(columns)


def worst(record: StudyRecord, most: int = 12) -> pd.DataFrame:
    """Return the wrong predictions with the highest scores: clip, both classes, and the scores of both.

    Where clips have annotated action units, these are a column: they say what the clip shows.
    """
    index = {name: position for position, name in enumerate(record.classes)}

    def score(outcome: Outcome) -> float:
        return outcome.scores[index[outcome.prediction]]

    wrong = [outcome for outcome in record.answers if outcome.truth != outcome.prediction]
    wrong.sort(key=lambda outcome: (-score(outcome), outcome.clip))
    rows = []
    for outcome in wrong[:most]:
        row: dict[str, object] = {
            "clip": outcome.clip,
            "truth": outcome.truth,
            "prediction": outcome.prediction,
        }
        row["score of the prediction"] = score(outcome)
        row["score of the truth"] = outcome.scores[index[outcome.truth]]
        rows.append(row)
    table = pd.DataFrame(rows)
    codes = _annotated_units(record)
    if rows and any(codes.values()):
        table["annotated action units"] = [codes.get(clip, "") for clip in table["clip"]]
    return table


def _annotated_units(record: StudyRecord) -> dict[str, str]:
    """Return the action units of each clip as its annotators wrote them, if the prepared folder has any."""
    if record.prepared is None:
        return {}
    clips = record.prepared.clips
    return dict(zip(clips["clip"], clips["action_units"], strict=True))


def choice(record: StudyRecord) -> pd.DataFrame:
    """Return a row for each candidate of a selection: its UF1 for each group, and the groups it was selected
    for.

    The score for a group is measured on all other groups. Empty if no settings were selected.
    """
    selection = record.selection
    if selection is None:
        return pd.DataFrame()
    rows = []
    for candidate in selection.candidates:
        row: dict[str, object] = {"candidate": candidate}
        selected_for = []
        for group in selection.groups:
            row[group.replace("-", " ")] = selection.scores[group][candidate]
            if selection.selected[group] == candidate:
                selected_for.append(group.removeprefix("group-"))
        row["selected for"] = ", ".join(selected_for)
        rows.append(row)
    return pd.DataFrame(rows)


def group_sizes(record: StudyRecord) -> str:
    """Return the number of people in each group of a selection."""
    groups = record.selection.groups if record.selection else {}
    return ", ".join(f"{group.removeprefix('group-')}: {len(people)}" for group, people in groups.items())


def candidates(record: StudyRecord) -> pd.DataFrame:
    """Return a row for each candidate of a selection, with the settings in which the candidates differ."""
    trainings = record.selection.candidates if record.selection else {}
    texts: dict[str, dict[str, str]] = {}
    for candidate, training in trainings.items():
        texts[candidate] = {name: _text(value) for name, value in asdict(training).items()}
    all_settings = next(iter(texts.values()), {})
    differing = [name for name in all_settings if len({text[name] for text in texts.values()}) > 1]
    rows = []
    for candidate, text in texts.items():
        row = {"candidate": candidate}
        row |= {name.replace("_", " ").strip(): text[name] for name in differing}
        rows.append(row)
    return pd.DataFrame(rows)


def seeds(records: Sequence[StudyRecord]) -> pd.DataFrame:
    """Return a row for each study and seed, and one for the scores averaged over seeds.

    Empty if no study has several seeds.
    """
    rows = []
    for record in records:
        if len(record.seeds) == 1:
            continue
        blocks = dict(record.summary.seeds)
        if record.summary.averaged:
            blocks["scores averaged"] = record.summary.averaged
        for seed, block in blocks.items():
            row: dict[str, object] = {"study": record.name, "seed": seed}
            row |= {NAMES[measure]: block.measures[measure].value for measure in MEASURES}
            rows.append(row)
    return pd.DataFrame(rows)


def classes(record: StudyRecord) -> pd.DataFrame:
    """Return a row for each class: clips, precision, recall, F1 (mean over seeds).

    The last row is the mean of the classes: UAR in the column recall, UF1 in the column F1.
    """
    counts = np.stack([block.confusion for block in record.summary.seeds.values()])  # (S, K, K)
    precision, recall, f1 = precision_recall_f1(counts).mean(axis=1)
    rates = {"precision": precision, "recall": recall, "F1": f1}
    table = pd.DataFrame({"class": record.classes, "clips": counts[0].sum(axis=1), **rates})
    mean = {"class": "mean of classes", "clips": int(counts[0].sum())}
    mean |= {name: rate.mean() for name, rate in rates.items()}
    return pd.concat([table, pd.DataFrame([mean])], ignore_index=True)


def confused(record: StudyRecord) -> pd.DataFrame:
    """Return the confusion matrix, summed over seeds; rows are true classes."""
    counts = sum(np.asarray(block.confusion) for block in record.summary.seeds.values())
    return pd.DataFrame(counts, index=list(record.classes), columns=list(record.classes))


def datasets(records: Sequence[StudyRecord]) -> pd.DataFrame:
    """Return a row for each dataset and study, scored over the whole class list.

    `absent` lists the classes without clips in the dataset. Empty if there is only one dataset.
    """
    rows = []
    for dataset in records[0].summary.datasets or {}:
        for record in records:
            part = record.dataset_metrics(dataset)
            row = {"dataset": dataset, "study": record.name, "clips": part.clips, "people": part.people}
            row |= _score_cells(part.mean)
            row["absent"] = ", ".join(part.absent)
            rows.append(row)
    return pd.DataFrame(rows)


def _score_cells(mean: Mapping[str, MeanScore]) -> dict[str, object]:
    """Return each measure with its interval and its standard deviation over seeds."""
    cells: dict[str, object] = {}
    for measure in MEASURES:
        score, name = mean[measure], NAMES[measure]
        cells[name] = score.value
        cells[f"{name} low"] = score.low
        cells[f"{name} high"] = score.high
        cells[f"{name} spread"] = score.spread
    return cells


def people(records: Sequence[StudyRecord]) -> pd.DataFrame:
    """Return a row for each person: clips, then for each study the number (mean over seeds) and share
    correct."""
    clips = Counter(outcome.person for outcome in records[0].answers)
    table = pd.DataFrame({"clips": pd.Series(clips).sort_index()})
    table.index.name = "person"
    for record in records:
        correct = Counter(o.person for o in record.outcomes if o.truth == o.prediction)
        number = pd.Series({person: correct[person] / len(record.seeds) for person in table.index})
        table[f"{record.name}: right"] = number if len(record.seeds) > 1 else number.astype(int)
        table[f"{record.name}: accuracy"] = number / table["clips"]
    return table.reset_index()


def answers(records: Sequence[StudyRecord]) -> pd.DataFrame:
    """Return a row for each clip: the true class, then the prediction of each study and its score."""
    first = records[0].answers
    clips = [outcome.clip for outcome in first]
    table = pd.DataFrame({"clip": clips, "truth": [outcome.truth for outcome in first]})
    for record in records:
        by_clip = {outcome.clip: outcome for outcome in record.answers}
        table[f"{record.name}: prediction"] = [by_clip[clip].prediction for clip in clips]
        table[f"{record.name}: score"] = [max(by_clip[clip].scores) for clip in clips]
    return table.sort_values("clip", ignore_index=True)


def composition(record: StudyRecord) -> pd.DataFrame:
    """Return clips and people of each class, and the clips of each emotion without a class.

    With several datasets, the clips of each dataset are counted as well.
    """
    names = list(record.summary.datasets or {})
    rows: list[dict[str, object]] = []
    for name in record.classes:
        outcomes = [outcome for outcome in record.answers if outcome.truth == name]
        people = {outcome.person for outcome in outcomes}
        row: dict[str, object] = {"class": name, "clips": len(outcomes), "people": len(people)}
        counts = Counter(outcome.dataset for outcome in outcomes)
        row |= {f"in {dataset}": counts[dataset] for dataset in names}
        rows.append(row)
    for emotion, clips in record.left_out.items():
        rows.append({"class": f"{emotion} (left out)", "clips": clips})
    nullable = ["people", *(f"in {dataset}" for dataset in names)]
    return pd.DataFrame(rows).astype(dict.fromkeys(nullable, "Int64"))


def audit(findings: Sequence[Finding]) -> pd.DataFrame:
    """Return a row for each kind of finding, serious ones first: how many, and the first of them."""
    kinds: dict[tuple[bool, str], list[Finding]] = {}
    for finding in findings:
        kinds.setdefault((not finding.serious, finding.kind), []).append(finding)
    rows = []
    for (harmless, kind), group in sorted(kinds.items()):
        row = {"finding": kind, "number": len(group), "changes results": "no" if harmless else "yes"}
        row["first"] = f"{group[0].where}: {group[0].what}"
        rows.append(row)
    return pd.DataFrame(rows)


def side_by_side(records: Sequence[StudyRecord], values: Sequence[Mapping[str, object]]) -> pd.DataFrame:
    """Return a row for each name in any of `values`, and a column for each study."""
    names = list(dict.fromkeys(name for mapping in values for name in mapping))
    table = {"": [name.replace("_", " ") for name in names]}
    for record, mapping in zip(records, values, strict=True):
        table[record.name] = [_text(mapping.get(name)) for name in names]
    return pd.DataFrame(table)


def signed(value: float, decimals: int = 3) -> str:
    """Return a difference with its sign; a difference that rounds to zero is +0."""
    return f"{round(value, decimals) + 0.0:+.{decimals}f}"


def p_text(p: float) -> str:
    """Return a p-value with three decimals, or <0.001."""
    return f"{p:.3f}" if p >= 0.001 else "<0.001"


def _text(value: object) -> str:
    """Return a value of a settings file as text."""
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        return "; ".join(f"{key.replace('_', ' ')}: {_text(item)}" for key, item in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(map(_text, value))
    return re.sub(r"\s+", " ", str(value))
