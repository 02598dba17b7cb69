"""The sections of a page: each function returns the values of its template."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from learnet.core.csv_files import parse_csv
from learnet.core.errors import BadInput
from learnet.core.network_info import network_info, uses_setting
from learnet.core.records import Finding
from learnet.core.serialisation import to_plain
from learnet.datasets.prepared.record import PrepareRecord
from learnet.datasets.prepared.store import read_findings
from learnet.metrics.calibration import BINS, Calibration, calibration
from learnet.metrics.scores import INTERVAL_NOTE, MEASURES, interval_text
from learnet.report import tables
from learnet.report.page_figures import PageFigure, make_page_figure
from learnet.report.remarks import study_remarks
from learnet.report.reproduction import command, comparison_command
from learnet.report.study_checks import check
from learnet.report.study_record import StudyRecord, reference_of
from learnet.report.style import Interval, confusion_figure, interval_figure, reliability_figure

PROTOCOLS = {
    "loso": "leave one subject out: each person is tested once, by a network trained on all others",
    "groups": "subject groups: each group of people is tested once, by a network trained on the other groups",
    "lodo": "leave one database out: each database is tested once, by a network trained on all others",
    "across": "across databases: the networks were trained on some databases and tested on another",
    "evaluation": "existing weights, not trained on any of the test people as far as is known",
    "unknown": "unknown: the files do not tell",
}


def answer(records: Sequence[StudyRecord]) -> dict:
    """Return accuracy, UF1 and UAR of every study with intervals, and the majority baseline."""
    scores, floor = tables.measures(records), tables.floor(records[0])
    figure = scores_figure(records)
    reference = reference_of(records)
    position = list(records).index(reference)
    return {
        "reference": scores.iloc[position].to_dict(),
        "is_first": position == 0,
        "scores": scores.to_dict("records"),
        "names": list(tables.NAMES.values()),
        "unseen": check(reference)[0].passed,
        "majority": any(not network_info(network).uses_image for network in scores["network"]),
        "floor": floor,
        "floor_values": {tables.NAMES[measure]: value for measure, value in floor.values.items()},
        "figure": figure,
        "drawings": [figure],
        "interval_note": INTERVAL_NOTE,
        "remarks": [remark for one in records for remark in study_remarks(one.name, one.summary)],
    }


def scores_figure(records: Sequence[StudyRecord]) -> PageFigure:
    """Draw accuracy, UF1 and UAR of every study with intervals; the majority baseline is a dashed line."""
    panels: dict[str, list[Interval]] = {}
    descriptions = []
    for measure in MEASURES:
        name = tables.NAMES[measure]
        panels[name] = []
        for record in records:
            score = record.summary.mean[measure]
            panels[name].append(Interval(record.name, score.value, score.low, score.high))
            interval = interval_text(score.low, score.high, "{} to {}", "{:.3f}".format)
            descriptions.append(f"{record.name} {name} {score.value:.3f} ({interval})")
    floor = tables.floor(records[0])
    floors = {tables.NAMES[measure]: value for measure, value in floor.values.items()}
    baseline = ", ".join(f"{name} {value:.3f}" for name, value in floors.items())
    description = f"Scores with 95% intervals. {'; '.join(descriptions)}. Majority baseline: {baseline}."
    figure = interval_figure(panels, floors)
    return make_page_figure(figure, "intervals", description, tables.intervals(records))


def trust(records: Sequence[StudyRecord]) -> dict:
    """Return checked guarantees, protocol, selection of settings, seeds, calibration, data and audit."""
    checks = [check(record) for record in records]
    calibrations = [_calibrated(record, number) for number, record in enumerate(records, start=1)]
    choices = []
    for record in records:
        if record.selection:
            sizes = tables.group_sizes(record)
            choices.append((record, tables.choice(record), sizes, tables.candidates(record)))
    return {
        "protocol": tables.side_by_side(records, [_facts(record) for record in records]),
        "checks": [(row[0].claim, row) for row in zip(*checks, strict=True)],
        "choices": choices,
        "seeds": tables.seeds(records),
        "bins": BINS,
        "calibrations": calibrations,
        "drawings": [entry.drawing for entry in calibrations],
        "composition": tables.composition(records[0]),
        "audits": _audits(records),
        "audit": tables.audit,
    }


def _audits(records: Sequence[StudyRecord]) -> list[tuple[StudyRecord, list[Finding] | None, str]]:
    """Return the audit of each prepared folder once, with the first study that uses it."""
    audits = []
    seen = set()
    for record in records:
        fingerprint = record.description.prepared.fingerprint if record.description else ""
        if fingerprint in seen:
            continue
        seen.add(fingerprint)
        if record.prepared:
            audits.append((record, *_findings(record.prepared.folder)))
    return audits


def failures(records: Sequence[StudyRecord]) -> dict:
    """Return confusion matrices, classes, databases, people, the worst clips, and all predictions."""
    confusions = []
    formats = {}
    for number, record in enumerate(records, start=1):
        figure = _confusion(record, number)
        confusions.append((record, figure, tables.confused(record), tables.classes(record)))
        formats[f"{record.name}: right"] = "{:.1f}"
        formats[f"{record.name}: accuracy"] = "{:.0%}"
    return {
        "confusions": confusions,
        "drawings": [figure for _, figure, _, _ in confusions],
        "datasets": tables.datasets(records).to_dict("records"),
        "names": list(tables.NAMES.values()),
        "people": tables.people(records),
        "formats": formats,
        "worst": [(record, tables.worst(record)) for record in records if record.looks],
        "answers": tables.answers(records),
    }


def again(records: Sequence[StudyRecord]) -> dict:
    """Return commands, settings, versions and fingerprints."""
    groups: list[tuple[str, str, list[dict]]] = [
        ("Study", "Settings of the study", [record.settings for record in records]),
        ("Training", "Training of each network", [_training(record) for record in records]),
        ("Images", "Computation of the motion images", [_images(record) for record in records]),
        ("Versions", "Software on which the numbers depend", [record.versions for record in records]),
        ("Run", "Time and machine; they change no number", [record.run for record in records]),
    ]
    settings = []
    for title, note, values in groups:
        if any(values):
            settings.append((title, note, tables.side_by_side(records, values)))
    commands = []
    for record in records:
        commands += [command(record), comparison_command(record)]
    return {"commands": list(filter(None, commands)), "settings": settings}


def _number_of_folds(record: StudyRecord) -> str:
    """Return the number of folds, and whether they were drawn anew for each seed."""
    if not record.folds:
        return "unknown"
    if record.folds[0].seed is None:
        return str(len(record.folds))
    return f"{len(record.folds)}, drawn anew for each seed"


def _facts(record: StudyRecord) -> dict[str, str]:
    """Return the protocol of a study line by line."""
    scheme = record.description.scheme if record.description else None
    protocol = PROTOCOLS.get(record.protocol, record.protocol)
    if record.leaky:
        protocol = f"{record.protocol}: {record.leak}"
    return {
        "network": record.network_name,
        "protocol": protocol,
        "people": str(len({outcome.person for outcome in record.outcomes})),
        "folds": _number_of_folds(record),
        "clips": str(len(record.answers)),
        "classes": f"{len(record.classes)}: {', '.join(record.classes)}",
        "class scheme": f"{scheme.name} ({scheme.source})" if scheme else "unknown",
        "seeds": ", ".join(map(str, record.seeds)),
        "settings": _settings(record),
        "initial weights": _initial_weights(record),
        "epochs": _epochs(record),
        "apex frames": _apexes(record),
    }


def _training(record: StudyRecord) -> dict[str, object]:
    """Return the training settings that the network uses."""
    training = record.training_settings
    return {key: value for key, value in training.items() if uses_setting(record.network_name, key)}


def _settings(record: StudyRecord) -> str:
    """Return how the settings were chosen, as far as the files tell."""
    if record.description is None:
        return "unknown"
    if selection := record.selection:
        counts = f"{len(selection.candidates)} candidates, {len(selection.groups)} groups"
        return f"selected for each person on other people: {counts}"
    if record.evaluated:
        return "those of the weights: nothing was trained"
    return "given with the command, the same in every fold; the files do not tell how they were chosen"


def _initial_weights(record: StudyRecord) -> str:
    """Return the initial weights of the networks."""
    start = record.description.start if record.description else "unknown"
    if start == "unknown":
        return "unknown"
    if record.network.non_iterative:
        return "none: non-iterative"
    return f"weights {start.weights}, class layer {start.class_layer}" if start else "random"


def _epochs(record: StudyRecord) -> str:
    """Return the number of epochs, and how it was chosen."""
    training = _training(record)
    if record.network.non_iterative:
        return "none: non-iterative"
    if record.selection:
        return "as selected with the settings"
    if training.get("inner_groups"):
        limit = training.get("epochs", "unknown")
        text = f"selected on {training['inner_groups']} groups of the training people, at most {limit}"
        used = _used_epochs(record.folder / "trainings.csv")
        return f"{text}; used: {min(used)} to {max(used)}" if used else text
    return f"{training['epochs']}, fixed beforehand" if "epochs" in training else "unknown"


def _used_epochs(file: Path) -> list[int]:
    """Return the epochs of each training; empty if the file is missing or damaged."""
    try:
        text = file.read_text(encoding="utf-8")
        columns, *rows = parse_csv(file, text)
        position = columns.index("epochs")
        return [int(row[position]) for row in rows]
    except (BadInput, OSError, ValueError, IndexError):
        return []


def _apexes(record: StudyRecord) -> str:
    """Return how many apex frames come from which source."""
    if record.prepared is None or "apex_source" not in record.prepared.clips:
        return "unknown"
    words = {"file": "as annotated", "midpoint": "set to the middle", "none": "without one"}
    sources = Counter(map(str, record.prepared.clips["apex_source"]))
    texts = [f"{number} {words.get(source, source)}" for source, number in sorted(sources.items())]
    return ", ".join(texts)


def _confusion(record: StudyRecord, number: int) -> PageFigure:
    table = tables.confused(record)
    counts = table.to_numpy()
    description = (
        f"Confusion matrix of {record.name}: {np.trace(counts)} of {counts.sum()} predictions are correct. "
        "The table beside it has every count."
    )
    figure = confusion_figure(counts, record.classes)
    data = table.rename_axis("truth").reset_index()
    return make_page_figure(figure, f"confusion-{number}", description, data)


@dataclass(frozen=True)
class Calibrated:
    """The reliability diagram of a study, and its description."""

    record: StudyRecord
    found: Calibration
    drawing: PageFigure
    said: str


def _calibrated(record: StudyRecord, number: int) -> Calibrated:
    result = calibration(record.outcomes, record.classes)
    interval = interval_text(*result.ece_limits, "95% interval {} to {}", "{:.3f}".format)
    gap = result.mean_score - result.share_right
    direction = "too sure" if gap > 0 else "too modest"
    text = (
        f"The mean score of the predictions is {result.mean_score:.3f}, and {result.share_right:.3f} of them "
        f"are correct: {direction} by {abs(gap):.3f}. "
        f"Expected calibration error {result.ece:.3f} ({interval}); "
        f"perfectly calibrated scores would show {result.by_chance:.3f} with as many predictions."
    )
    if record.network.pairwise_votes:
        text += " The scores of this network are votes of pairwise classifiers, not probabilities."
    data = tables.reliability(result)
    description = f"Reliability of the scores of {record.name}. {text}"
    figure = make_page_figure(reliability_figure(data), f"reliability-{number}", description, data)
    return Calibrated(record, result, figure, text)


def _findings(folder: Path) -> tuple[list[Finding] | None, str]:
    """Return the findings of the audit, or None and the reason."""
    try:
        findings = read_findings(folder)
    except BadInput:  # damaged
        return None, "audit.csv of the prepared folder cannot be read"
    return findings, "audit.csv is missing in the prepared folder"


def _images(record: StudyRecord) -> dict[str, object]:
    """Return the prepared folder of a study line by line."""
    if record.description is None:
        return {}
    prepared = record.description.prepared
    lines: dict[str, object] = {"folder": prepared.folder, "fingerprint": prepared.fingerprint}
    return lines | (_preparation(prepared.about) if prepared.about else {})


def _preparation(record: PrepareRecord) -> dict[str, object]:
    """Return `prepare.json` line by line; for pooled folders, the record of each."""
    lines: dict[str, object] = {}
    if record.preparation:
        lines |= asdict(record.preparation)
    lines |= record.reading or {}
    shown_elsewhere = ("fingerprint", "preparation", "reading", "versions", "pooled")
    for key, value in to_plain(record).items():
        if key not in shown_elsewhere:
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
