"""The parts of a page: each a function from the records to what its template shows."""

import csv
import io
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from learnet.core.network_info import network_info
from learnet.core.records import Finding
from learnet.core.serialisation import to_plain
from learnet.datasets.prepared.record import PrepareRecord
from learnet.datasets.prepared.store import read_findings
from learnet.metrics.calibration import BINS, Calibration, calibration
from learnet.metrics.scores import MEASURES, interval_text
from learnet.report import tables
from learnet.report.page_figures import PageFigure, make_page_figure
from learnet.report.study_checks import check
from learnet.report.study_record import StudyRecord
from learnet.report.style import Interval, confusion_figure, interval_figure, reliability_figure

PROTOCOLS = {
    "loso": "leave one subject out: each person is tested once, by a network trained on all the others",
    "groups": "subject groups: each group of people is tested once, by a network trained on the other groups",
    "lodo": "leave one database out: each database is tested once, by a network trained on all the others",
    "across": "across databases: the networks were trained on some databases and tested on another",
    "evaluation": "given weights: nothing was trained here, and nobody tested is known to have been trained on",
    "unknown": "unknown: the files do not say how it was tested",
}


def answer(records: Sequence[StudyRecord]) -> dict:
    """Accuracy, UF1 and UAR of every study with intervals, beside what no learning would give."""
    scores, floor = tables.measures(records), tables.floor(records[0])
    figure = scores_figure(records)
    return {
        "scores": scores.to_dict("records"),
        "names": list(tables.NAMES.values()),
        "unseen": check(records[0])[0].passed,
        "majority": any(not network_info(network).uses_image for network in scores["network"]),
        "floor": floor,
        "floor_values": {tables.NAMES[m]: value for m, value in floor.values.items()},
        "figure": figure,
        "drawings": [figure],
    }


def scores_figure(records: Sequence[StudyRecord]) -> PageFigure:
    """Accuracy, UF1 and UAR of every study with intervals; a dashed line where no learning stands."""
    floor = tables.floor(records[0])
    panels = {
        tables.NAMES[m]: [
            Interval(r.name, r.summary.mean[m].value, r.summary.mean[m].low, r.summary.mean[m].high)
            for r in records
        ]
        for m in MEASURES
    }
    said = "; ".join(
        f"{line.label} {name} {line.value:.3f} ({interval_text(line.low, line.high, '{} to {}', '{:.3f}'.format)})"
        for name, part in panels.items()
        for line in part
    )
    figure = interval_figure(panels, {tables.NAMES[m]: floor.values[m] for m in MEASURES})
    said = f"Scores with 95% intervals. {said}. Without learning: {_said(floor)}."
    return make_page_figure(figure, "intervals", said, tables.intervals(records))


def trust(records: Sequence[StudyRecord]) -> dict:
    """Promises checked against the files, protocol, how settings were chosen, seeds, what scores are worth, the data and their audit."""
    checks = [check(record) for record in records]
    calibrations = [_calibrated(record, place) for place, record in enumerate(records, start=1)]
    of_data = {
        record.description.prepared.fingerprint if record.description else "": record
        for record in reversed(records)
    }
    return {
        "protocol": tables.side_by_side(records, [_facts(record) for record in records]),
        "checks": [(row[0].claim, row) for row in zip(*checks, strict=True)],
        "choices": [
            (r, tables.choice(r), tables.group_sizes(r), tables.candidates(r))
            for r in records
            if r.selection
        ],
        "seeds": tables.seeds(records),
        "bins": BINS,
        "calibrations": calibrations,
        "drawings": [found.drawing for found in calibrations],
        "composition": tables.composition(records[0]),
        "audits": [
            (record, *_findings(record.prepared.folder))
            for record in reversed(of_data.values())
            if record.prepared
        ],
        "audit": tables.audit,
    }


def failures(records: Sequence[StudyRecord]) -> dict:
    """Confusion, classes, databases, people, the worst clips, and every single answer."""
    confusions = [
        (r, _confusion(r, place), tables.confused(r), tables.classes(r))
        for place, r in enumerate(records, start=1)
    ]
    return {
        "confusions": confusions,
        "drawings": [found for _, found, _, _ in confusions],
        "datasets": tables.datasets(records).to_dict("records"),
        "names": list(tables.NAMES.values()),
        "people": tables.people(records),
        "formats": {f"{r.name}: right": "{:.1f}" for r in records}
        | {f"{r.name}: accuracy": "{:.0%}" for r in records},
        "worst": [(record, tables.worst(record)) for record in records if record.looks],
        "answers": tables.answers(records),
    }


def again(records: Sequence[StudyRecord]) -> dict:
    """Commands, settings, versions, fingerprints."""
    groups = {
        "Study": ("What was asked", [record.settings for record in records]),
        "Training": ("How each network was trained", [_training(record) for record in records]),
        "Images": ("How the motion images were made", [_images(record) for record in records]),
        "Versions": (
            "Programs the numbers depend on",
            [record.versions for record in records],
        ),
        "Run": ("The run itself; it changes no number", [record.run for record in records]),
    }
    return {
        "commands": [command for record in records if (command := tables.command(record))],
        "settings": [
            (title, note, tables.side_by_side(records, values))
            for title, (note, values) in groups.items()
            if any(values)
        ],
    }


def _said(floor: tables.Floor) -> str:
    return ", ".join(f"{tables.NAMES[m]} {value:.3f}" for m, value in floor.values.items())


def _facts(record: StudyRecord) -> dict[str, str]:
    scheme = record.description.scheme if record.description else None
    return {
        "network": record.network_name,
        "protocol": f"{record.protocol}: {record.leak}"
        if record.leaky
        else PROTOCOLS.get(record.protocol, record.protocol),
        "people": str(len({o.person for o in record.outcomes})),
        "folds": str(len(record.folds)) if record.folds else "unknown",
        "clips": str(len(record.answers)),
        "classes": f"{len(record.classes)}: {', '.join(record.classes)}",
        "class scheme": f"{scheme.name} ({scheme.source})" if scheme else "unknown",
        "seeds": ", ".join(map(str, record.seeds)),
        "settings": _settings(record),
        "start": _start(record),
        "epochs": _epochs(record),
        "apex frames": _apexes(record),
    }


def _training(record: StudyRecord) -> dict[str, object]:
    """The settings that had a say: a network that is fitted in one go takes few, and the seed only draws its groups."""
    training = record.training_settings
    fitted = ("seed", "detrend", "clipping_percentile", "mirror", "mirror_at_test")
    if not record.network.non_iterative:
        return training
    return {key: training[key] for key in fitted if key in training}


def _settings(record: StudyRecord) -> str:
    """How the settings were come by, as far as the files say."""
    if record.description is None:
        return "unknown"
    if selection := record.selection:
        counts = f"{len(selection.candidates)} candidates, {len(selection.groups)} groups"
        return f"selected for each person on other people: {counts}"
    if record.evaluated:
        return "those of the weights: nothing was trained here"
    return "given with the command, the same in every fold; the files do not say how they were found"


def _start(record: StudyRecord) -> str:
    """What the networks knew before they were trained."""
    start = record.description.start if record.description else "unknown"
    if start == "unknown":
        return "unknown"
    if record.network.non_iterative:
        return "nothing: fitted in one go"
    return f"weights {start.weights}, class layer {start.class_layer}" if start else "random numbers"


def _epochs(record: StudyRecord) -> str:
    training = _training(record)
    if record.network.non_iterative:
        return "none: fitted in one go"
    if record.selection:
        return "as chosen, among the settings"
    if training.get("inner_groups"):
        chosen = f"chosen on {training['inner_groups']} groups of the training people, at most {training.get('epochs', 'unknown')}"
        used = _used_epochs(record.folder / "trainings.csv")
        return f"{chosen}; used: {min(used)} to {max(used)}" if used else chosen
    return f"{training['epochs']}, fixed beforehand" if "epochs" in training else "unknown"


def _used_epochs(file: Path) -> list[int]:
    """Epochs of each training; none where the file is gone or damaged."""
    try:
        return [
            int(row["epochs"])
            for row in csv.DictReader(io.StringIO(file.read_text(encoding="utf-8"), newline=""))
        ]
    except (OSError, ValueError, KeyError, TypeError):
        return []


def _apexes(record: StudyRecord) -> str:
    if record.prepared is None or "apex_source" not in record.prepared.clips:
        return "unknown"
    words = {"file": "as annotated", "midpoint": "set to the middle", "none": "without one"}
    sources = Counter(map(str, record.prepared.clips["apex_source"]))
    return ", ".join(f"{number} {words.get(source, source)}" for source, number in sorted(sources.items()))


def _confusion(record: StudyRecord, place: int) -> PageFigure:
    table = tables.confused(record)
    counts = table.to_numpy()
    said = f"Confusion matrix of {record.name}: {np.trace(counts)} of {counts.sum()} answers are right. The table beside it has every count."
    return make_page_figure(
        confusion_figure(counts, record.classes),
        f"confusion-{place}",
        said,
        table.rename_axis("truth").reset_index(),
    )


@dataclass(frozen=True)
class Calibrated:
    """The reliability curve of a study, and what is to be said of it."""

    record: StudyRecord
    found: Calibration
    drawing: PageFigure
    said: str


def _calibrated(record: StudyRecord, place: int) -> Calibrated:
    found = calibration(record.outcomes, record.classes)
    interval = interval_text(*found.ece_limits, "95% interval {} to {}", "{:.3f}".format)
    apart = found.mean_score - found.share_right
    how = "too sure" if apart > 0 else "too modest"
    said = (
        f"The mean score of the answers is {found.mean_score:.3f}, and {found.share_right:.3f} of them are right: {how} by "
        f"{abs(apart):.3f}. Expected calibration error {found.ece:.3f} ({interval}); scores that are exact "
        f"probabilities would show {found.by_chance:.3f} with so many answers."
    )
    if record.network.pairwise_votes:
        said += " The scores of this network are votes, never meant as probabilities."
    name = f"Reliability of the scores of {record.name}. {said}"
    figure = make_page_figure(
        reliability_figure(tables.reliability(found)), f"reliability-{place}", name, tables.reliability(found)
    )
    return Calibrated(record, found, figure, said)


def _findings(folder: Path) -> tuple[list[Finding] | None, str]:
    """What the audit found, or None and why that is not known."""
    try:
        found = read_findings(folder)
    except (ValueError, AttributeError):  # no table, or one without these columns
        return None, "audit.csv of the prepared folder cannot be read"
    return found, "audit.csv is gone from the prepared folder"


def _images(record: StudyRecord) -> dict[str, object]:
    if record.description is None:
        return {}
    prepared = record.description.prepared
    lines: dict[str, object] = {"folder": prepared.folder, "fingerprint": prepared.fingerprint}
    return lines | (_preparation(prepared.about) if prepared.about else {})


def _preparation(record: PrepareRecord) -> dict[str, object]:
    """Return `prepare.json` line by line; of concatenated folders, what each says by itself."""
    lines: dict[str, object] = {}
    if record.preparation:
        lines |= asdict(record.preparation)
    lines |= record.reading or {}
    elsewhere = ("fingerprint", "preparation", "reading", "versions", "pooled")
    for key, value in to_plain(record).items():
        if key not in elsewhere:
            lines[key] = value
    for number, folder in enumerate(record.pooled or (), start=1):
        lines[f"pooled, {number}"] = {
            "folder": folder.folder,
            "databases": folder.datasets,
            "fingerprint": folder.fingerprint[:12],
            "clips": folder.about.clips,
            "skipped": folder.about.skipped,
            "people": folder.about.people,
            "synthetic": folder.about.synthetic,
            **(folder.about.reading or {}),
        }
    return lines | {"prepared with": record.versions}
