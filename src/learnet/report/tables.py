"""Study records to tables: one function, one DataFrame, one line for each thing a reader may ask about.

Scores are shares from 0 to 1 and the mean over seeds where a study has several; nothing is rounded here.
"""

import re
import shlex
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields

import numpy as np
import pandas as pd

from learnet.core.records import Finding
from learnet.core.settings import Study, Training
from learnet.metrics.calibration import Calibration
from learnet.metrics.scores import MEASURES, confusion, headline, precision_recall_f1
from learnet.metrics.study_metrics import MeanScore
from learnet.report.study_record import StudyRecord
from learnet.study.description import EvaluationSettings

NAMES = {"accuracy": "accuracy", "uf1": "UF1", "uar": "UAR"}


@dataclass(frozen=True)
class Floor:
    """What answering the most frequent class to every clip would score: no learning at all."""

    emotion: str
    values: dict[str, float]  # by the names in metrics.MEASURES


def floor(record: StudyRecord) -> Floor:
    """The score of the most frequent class (the first in the class list where several are)."""
    truth = [o.truth for o in record.answers]
    counts = Counter(truth)
    emotion = max(record.classes, key=lambda name: counts[name])
    values = headline(confusion(truth, [emotion] * len(truth), record.classes))
    return Floor(emotion, dict(zip(MEASURES, map(float, values), strict=True)))


def measures(records: Sequence[StudyRecord]) -> pd.DataFrame:
    """A row for each study: each measure with the ends of its 95 % interval and its standard deviation over seeds."""
    rows = []
    for record in records:
        row = {"study": record.name, "network": record.network_name} | _measured(record.summary.mean)
        people = len({o.person for o in record.outcomes})
        rows.append({**row, "clips": len(record.answers), "people": people, "seeds": len(record.seeds)})
    return pd.DataFrame(rows)


def intervals(records: Sequence[StudyRecord]) -> pd.DataFrame:
    """A row for each study and measure, and last those of no learning: what the figure of the scores is drawn from."""
    rows = [
        {
            "study": record.name,
            "measure": NAMES[m],
            **asdict(record.summary.mean[m]),
        }
        for record in records
        for m in MEASURES
    ]
    least = floor(records[0])
    rows += [
        {"study": f"always {least.emotion}", "measure": NAMES[m], "value": value}
        for m, value in least.values.items()
    ]
    return pd.DataFrame(rows)


def reliability(found: Calibration) -> pd.DataFrame:
    """A row for each bin of scores: its ends, answers, their mean score, the share that is right and its 95 % interval."""
    ends = np.arange(len(found.counts) + 1) / len(found.counts)
    low, high = found.limits.T
    columns = {
        "from": ends[:-1],
        "to": ends[1:],
        "answers": found.counts,
        "score": found.score,
        "right": found.right,
    }
    return pd.DataFrame({**columns, "low": low, "high": high})


def worst(record: StudyRecord, most: int = 12) -> pd.DataFrame:
    """The wrong answers given with the highest score, the surest first: clip, truth, answer, and the scores of both."""
    place = {name: i for i, name in enumerate(record.classes)}
    wrong = sorted(
        (o for o in record.answers if o.truth != o.prediction),
        key=lambda o: (-o.scores[place[o.prediction]], o.clip),
    )
    rows = [
        {
            "clip": o.clip, "truth": o.truth, "answer": o.prediction,
            "score of the answer": o.scores[place[o.prediction]], "score of the truth": o.scores[place[o.truth]],
        }
        for o in wrong[:most]
    ]  # fmt: skip
    return pd.DataFrame(rows)


def choice(record: StudyRecord) -> pd.DataFrame:
    """How settings were chosen on other people: a row for each candidate, its UF1 for each group on all other groups, and the groups that
    it was taken for; empty where settings were given. Candidates may be many, groups are few.
    """
    selection = record.selection
    if selection is None:
        return pd.DataFrame()
    groups = {group: group.replace("-", " ") for group in selection.groups}
    rows = []
    for name in selection.candidates:
        taken = [group.removeprefix("group-") for group in groups if selection.selected[group] == name]
        rows.append(
            {
                "candidate": name,
                **{said: selection.scores[group][name] for group, said in groups.items()},
                "taken for": ", ".join(taken),
            }
        )
    return pd.DataFrame(rows)


def group_sizes(record: StudyRecord) -> str:
    """How many people are in each group of a choice."""
    groups = record.selection.groups if record.selection else {}
    return ", ".join(f"{group.removeprefix('group-')}: {len(people)}" for group, people in groups.items())


def candidates(record: StudyRecord) -> pd.DataFrame:
    """A row for each candidate of a choice: the settings in which they differ; without columns for them where they do not."""
    candidates = record.selection.candidates if record.selection else {}
    made = {name: asdict(training) for name, training in candidates.items()}
    names = list(dict.fromkeys(name for settings in made.values() for name in settings))
    differing = [
        name for name in names if len({_written(settings.get(name)) for settings in made.values()}) > 1
    ]
    told = {name: name.replace("_", " ").strip() for name in differing}
    return pd.DataFrame(
        [
            {"candidate": key} | {said: _written(settings.get(name)) for name, said in told.items()}
            for key, settings in made.items()
        ]
    )


def seeds(records: Sequence[StudyRecord]) -> pd.DataFrame:
    """A row for each study and seed, and one for the answers averaged over seeds; empty where every study has one seed."""
    rows = []
    for record in records:
        blocks = {**record.summary.seeds, "scores averaged": record.summary.averaged}
        if len(record.seeds) > 1:
            for seed, block in blocks.items():
                rows.append(
                    {"study": record.name, "seed": seed} | {NAMES[m]: block.measures[m].value for m in MEASURES}
                )
    return pd.DataFrame(rows)


def classes(record: StudyRecord) -> pd.DataFrame:
    """A row for each class: clips, precision, recall, F1; the last row is their mean, which is UAR under recall and UF1 under F1."""
    counts = np.stack([block.confusion for block in record.summary.seeds.values()])  # (S, K, K)
    rates = dict(
        zip(("precision", "recall", "F1"), precision_recall_f1(counts).mean(axis=1), strict=True)
    )  # mean over seeds
    table = pd.DataFrame({"class": record.classes, "clips": counts[0].sum(axis=1), **rates})
    mean = {
        "class": "mean of classes",
        "clips": int(counts[0].sum()),
        **{name: rate.mean() for name, rate in rates.items()},
    }
    return pd.concat([table, pd.DataFrame([mean])], ignore_index=True)


def confused(record: StudyRecord) -> pd.DataFrame:
    """Confusion matrix, rows are truths; the answers of all seeds are added up."""
    counts = sum(np.asarray(block.confusion) for block in record.summary.seeds.values())
    return pd.DataFrame(counts, index=list(record.classes), columns=list(record.classes))


def datasets(records: Sequence[StudyRecord]) -> pd.DataFrame:
    """A row for each dataset and study, scored over the whole class list, with `absent`, its classes that no clip of the dataset has;
    empty where there is one dataset only.
    """
    rows = []
    for dataset in records[0].summary.datasets or {}:
        for record in records:
            found = record.dataset_metrics(dataset)
            row = {
                "dataset": dataset,
                "study": record.name,
                "clips": found.clips,
                "people": found.people,
            }
            rows.append(row | _measured(found.mean) | {"absent": ", ".join(found.absent)})
    return pd.DataFrame(rows)


def _measured(mean: Mapping[str, MeanScore]) -> dict[str, object]:
    """Each measure with the ends of its 95 % interval and its standard deviation over seeds, as cells of a row."""
    row: dict[str, object] = {}
    for measure in MEASURES:
        found = mean[measure]
        name = NAMES[measure]
        row |= {name: found.value, f"{name} low": found.low}
        row |= {f"{name} high": found.high, f"{name} spread": found.spread}
    return row


def people(records: Sequence[StudyRecord]) -> pd.DataFrame:
    """A row for each person: clips, then for each study how many were right (mean over seeds) and their share."""
    table = (
        pd.Series([o.person for o in records[0].answers])
        .value_counts()
        .sort_index()
        .rename_axis("person")
        .rename("clips")
        .to_frame()
    )
    for record in records:
        right = Counter(o.person for o in record.outcomes if o.truth == o.prediction)
        mean = pd.Series({person: right[person] / len(record.seeds) for person in table.index})
        table[f"{record.name}: right"] = mean if len(record.seeds) > 1 else mean.astype(int)
        table[f"{record.name}: accuracy"] = mean / table["clips"]
    return table.reset_index()


def answers(records: Sequence[StudyRecord]) -> pd.DataFrame:
    """A row for each clip: truth, then the answer of each study and its score, averaged over seeds."""
    first = records[0].answers
    table = pd.DataFrame({"clip": [o.clip for o in first], "truth": [o.truth for o in first]})
    for record in records:
        found = {o.clip: o for o in record.answers}
        table[f"{record.name}: answer"] = [found[clip].prediction for clip in table["clip"]]
        table[f"{record.name}: score"] = [max(found[clip].scores) for clip in table["clip"]]
    return table.sort_values("clip", ignore_index=True)


def composition(record: StudyRecord) -> pd.DataFrame:
    """A row for each class, and for each emotion that has no class and was left out: clips and people; with several datasets, the
    clips of each.
    """
    answers, datasets, rows = record.answers, record.summary.datasets or {}, []
    for name in record.classes:
        having = [o for o in answers if o.truth == name]
        counts = {f"in {dataset}": sum(o.dataset == dataset for o in having) for dataset in datasets}
        rows.append(
            {"class": name, "clips": len(having), "people": len({o.person for o in having}), **counts}
        )
    left_out = record.left_out
    rows += [{"class": f"{emotion} (left out)", "clips": clips} for emotion, clips in left_out.items()]
    return pd.DataFrame(rows).astype(
        dict.fromkeys(["people", *(f"in {name}" for name in datasets)], "Int64")
    )  # whole numbers although some are missing


def audit(findings: Sequence[Finding]) -> pd.DataFrame:
    """A row for each kind of finding, serious ones first: how many, and the first of them."""
    kinds: dict[tuple[bool, str], list[Finding]] = {}
    for finding in findings:
        kinds.setdefault((not finding.serious, finding.kind), []).append(finding)
    rows = []
    for (harmless, kind), found in sorted(kinds.items()):
        first = f"{found[0].where}: {found[0].what}"
        rows.append(
            {
                "finding": kind,
                "number": len(found),
                "changes results": "no" if harmless else "yes",
                "first": first,
            }
        )
    return pd.DataFrame(rows)


def side_by_side(records: Sequence[StudyRecord], values: Sequence[Mapping[str, object]]) -> pd.DataFrame:
    """A row for each name that any of VALUES has, a column for each study; empty cells where a study has no such value."""
    names = list(dict.fromkeys(name for found in values for name in found))
    table = {"": [name.replace("_", " ") for name in names]}
    return pd.DataFrame(
        table
        | {
            r.name: [_written(found.get(name)) for name in names]
            for r, found in zip(records, values, strict=True)
        }
    )


def command(record: StudyRecord) -> str:
    """Return the command line that runs a study again, with every option that differs from its default.

    SELECTION stands for the folder of the selection, where settings were selected. Empty where study.json is gone.
    """
    if record.description is None:
        return ""
    images, settings = record.description.prepared, record.description.settings
    if isinstance(settings, EvaluationSettings):
        options = ["--weights", settings.weights, "--classes", record.scheme_name]
        return shlex.join(["learnet", "evaluate", images.folder, record.folder.name, *options])
    options = _options(record.settings, Study()) + _options(record.training_settings, Training())
    if record.selection:  # study.json has what was selected, not where it is stored
        options += ["--selection", "SELECTION"]
    return shlex.join(["learnet", "study", *(images.folders or [images.folder]), record.folder.name, *options])


def signed(value: float, decimals: int = 3) -> str:
    """A difference with its sign; one that rounds to nothing has none of its own."""
    return f"{round(value, decimals) + 0.0:+.{decimals}f}"


def p_text(p: float) -> str:
    """A p-value with three decimals, or that it is smaller."""
    return f"{p:.3f}" if p >= 0.001 else "<0.001"


def _options(values: Mapping[str, object], defaults: Study | Training) -> list[str]:
    options = []
    for setting in fields(defaults):
        value, name = values.get(setting.name), setting.name.rstrip("_").replace("_", "-")
        if value is None or value == getattr(defaults, setting.name):
            continue
        if isinstance(value, list | tuple):
            options += [word for each in value for word in (f"--{name}", str(each))]
            continue
        options += (
            [f"--{name}" if value else f"--no-{name}"]
            if isinstance(value, bool)
            else [f"--{name}", str(value)]
        )
    return options


def _written(value: object) -> str:
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        return "; ".join(f"{key.replace('_', ' ')}: {_written(item)}" for key, item in value.items())
    if isinstance(value, (list, tuple)):
        return ", ".join(map(_written, value))
    return re.sub(r"\s+", " ", str(value))
