"""The files of an evaluation of action units: scores of each clip, metrics, and what was done."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from jaxtyping import Float64

from learnet.core.csv_files import csv_text
from learnet.core.files import atomic_folder, sha256_hex, write_atomically
from learnet.core.serialisation import read_json, to_json
from learnet.inference.window_units import NOT_TRUSTED, head_obstacle
from learnet.metrics.action_units import MEASURE_NAMES, ActionUnitMetrics, UnitMetrics
from learnet.metrics.study_metrics import Score
from learnet.simulation.units import UNITS
from learnet.study.action_units.dataset import AnnotatedDataset
from learnet.study.description import FoldDescription, ImagesDescription, shared_people
from learnet.study.folder import write_run

SCORES_FILE = "action_units.csv"
METRICS_TABLE = "action_units_metrics.csv"
METRICS_FILE = "action_units_metrics.json"
DESCRIPTION_FILE = "action_units_study.json"


@dataclass(frozen=True)
class ClipScores:
    """Scores of the clips of an `AnnotatedDataset`, in their order."""

    units: tuple[int, ...]
    scores: Float64[np.ndarray, "N U"]  # NaN: this clip has no score of this unit
    named: tuple[str, ...]  # units that reach their threshold, as FACS coders write them
    folds: tuple[str, ...]
    reasons: tuple[str, ...]  # why the scores are 0 or not to be trusted; empty otherwise


@dataclass(frozen=True, kw_only=True)
class ActionUnitDescription:
    """The content of `action_units_study.json`: what was scored, by what, and on whom."""

    study: str  # name of the folder
    target: str = "action-units"
    protocol: str
    model: str
    settings: dict[str, object]
    units: list[int]
    thresholds: list[float]
    prepared: ImagesDescription
    annotations: str  # SHA-256 of the codes of the annotators
    folds: list[FoldDescription]
    clips: int
    left_out: int  # clips without annotated units
    not_scored: dict[str, int] = field(default_factory=dict)  # annotated unit without scores -> its clips
    still_clips: list[str] = field(default_factory=list)  # clips in which nothing moves above the noise
    untrusted_clips: list[str] = field(default_factory=list)  # clips whose head moves too far
    versions: dict[str, str] = field(default_factory=dict)

    @property
    def leak(self) -> str:
        """The reason why the scores are too high; empty where nobody is tested by a model that knows them."""
        shared = shared_people(self.folds)
        known = {person for people in shared.values() for person in people}
        tested = {person for fold in self.folds for person in fold.test_people}
        return f"test people were also trained on ({len(known)} of {len(tested)})" if known else ""


@dataclass(frozen=True)
class ActionUnitResult:
    """The scores of action units, and how they were obtained."""

    metrics: ActionUnitMetrics
    description: ActionUnitDescription


def save_result(out: Path, data: AnnotatedDataset, scores: ClipScores, result: ActionUnitResult) -> None:
    """Write the study folder, completely or not at all."""
    with atomic_folder(out) as draft:
        write_atomically(draft / SCORES_FILE, scores_to_csv(data, scores))
        write_atomically(draft / METRICS_TABLE, metrics_to_csv(result.metrics))
        write_atomically(draft / METRICS_FILE, to_json(result.metrics))
        write_atomically(draft / DESCRIPTION_FILE, to_json(result.description))
        write_run(draft)


def read_action_unit_metrics(study: str | Path) -> ActionUnitMetrics:
    """Read the metrics of a study folder.

    Raises:
        BadInput: the file is not what learnet wrote.
        OSError: it cannot be read.
    """
    return read_json(Path(study) / METRICS_FILE, ActionUnitMetrics, "Run the study again.")


def codes_digest(data: AnnotatedDataset) -> str:
    """Return the SHA-256 of the clips and the codes of their annotators."""
    lines = [f"{clip},{code}" for clip, code in zip(data.column("clip"), data.codes, strict=True)]
    return sha256_hex("\n".join(lines).encode())


def untrusted(data: AnnotatedDataset) -> tuple[str, ...]:
    """Return why the units of each clip are not to be trusted; empty where they are.

    The head turns or is lost, or moves as far as in a window of a video that is given no units.
    """
    preparation = data.prepared.record.preparation
    reasons = []
    for obstacle, head_px in zip(data.column("obstacle"), data.column("head_px"), strict=True):
        reason = f"{obstacle}, so {NOT_TRUSTED}" if obstacle else ""
        if preparation and not reason and not np.isnan(head_px):
            reason = head_obstacle(head_px, preparation)
        reasons.append(reason)
    return tuple(reasons)


def scores_to_csv(data: AnnotatedDataset, scores: ClipScores) -> str:
    """Return a row for each clip, with a column for the score of each unit."""
    columns = [f"AU{unit}" for unit in scores.units]
    rows: list[Sequence[str]] = [
        ["clip", "person", "fold", "action_units", "named", *columns, "reason", "warnings"]
    ]
    table = zip(
        data.column("clip"), data.people, scores.folds, data.codes, scores.named, scores.scores,
        scores.reasons, data.column("warnings"), strict=True,
    )  # fmt: skip
    for *described, unit_scores, reason, warnings in table:
        cells = ["" if np.isnan(score) else f"{score:.6f}" for score in unit_scores]
        rows.append([*described, *cells, reason, warnings])
    return csv_text(rows)


def metrics_to_csv(metrics: ActionUnitMetrics) -> str:
    """Return a row for each unit, and one for the mean."""
    header = ["unit", "name", "clips", "positive", "people", "prevalence", "threshold", "named"]
    for measure in MEASURE_NAMES:
        header += [measure, f"{measure}_low", f"{measure}_high"]
    rows: list[Sequence[object]] = [[*header, "one_sided", "right_side"]]
    for unit in metrics.units:
        rows.append(_unit_row(unit))
    name = f"mean of {len(metrics.averaged)} units"
    counts = ["mean", name, metrics.clips, "", metrics.people, "", "", ""]
    rows.append([*counts, *_cells(metrics.mean), metrics.one_sided, metrics.right_side])
    return csv_text(rows)


def unit_name(unit: int) -> str:
    """Return the name of a unit in FACS; empty where the movement model does not have it."""
    return UNITS[unit].name if unit in UNITS else ""


def _unit_row(unit: UnitMetrics) -> list[object]:
    counts = [unit.unit, unit_name(unit.unit), unit.clips, unit.positive, unit.people]
    named = [f"{unit.prevalence:.6f}", unit.threshold, unit.named]
    return [*counts, *named, *_cells(unit.measures), unit.one_sided, unit.right_side]


def _cells(scores: dict[str, Score]) -> list[str]:
    """Return value, lower and upper end of each measure; empty where it is not defined."""
    cells = []
    for measure in MEASURE_NAMES:
        score = scores.get(measure, Score(np.nan, None, None))
        for value in (score.value, score.low, score.high):
            cells.append("" if value is None or np.isnan(value) else f"{value:.6f}")
    return cells
