"""The study folder on disk: one process at a time works in it, and it holds one study for ever."""

import json
import os
import platform
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any

from filelock import FileLock, Timeout

from learnet.core.errors import OutputTaken
from learnet.core.files import is_draft, remove_stale_drafts, sha256_hex, write_atomically
from learnet.core.serialisation import to_json
from learnet.metrics.study_metrics import StudyMetrics
from learnet.metrics.summary import summarise
from learnet.study.description import DESCRIPTION_FILE, StudyDescription, read_description, write_description
from learnet.study.finished import (
    OUTCOMES_FILE,
    TRAININGS_FILE,
    PlannedFold,
    finished_folds,
    has_no_rows,
    write_finished,
)
from learnet.study.outcomes import megc_log, outcomes_header, read_outcomes

LOCK = ".lock"  # in a study folder
POOLED = "pooled"  # in the folder of a study over several prepared folders: all of them concatenated
LONGEST_SHOWN = 60  # characters of a value in a message
MOST_LISTED = 3  # differences in a message
RUN_FILE = "run.json"
FOLDS = "folds"  # in a study folder: the weights of each fold
LONGEST_NAME = 200  # bytes: file systems limit the length of names


@contextmanager
def lock_study_folder(out: Path, description: StudyDescription) -> Iterator[None]:
    """Lock the study folder for as long as the block lasts, so that no second process writes outcomes into
    it.

    The folder is made where it is missing. The system releases the lock when a process ends, however it ends;
    the file remains.

    Raises:
        OutputTaken: another study or something else is in the folder, or another process works in it.
    """
    if (out / DESCRIPTION_FILE).is_file():
        _check_same_study(out, read_description(out, "Restore the file, or name a new folder."), description)
    elif not is_begun(out):
        hint = "The last argument is the study folder: name an empty or a new one."
        raise OutputTaken(out, "something else is there already", hint)
    out.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(out / LOCK, timeout=0):
            yield
    except Timeout:
        hint = "Wait for it, or stop it."
        raise OutputTaken(out, "another run of this study is at work there", hint) from None


def is_begun(out: Path) -> bool:
    """Return whether a study folder is missing, or holds only what a study writes before `study.json`.

    Earlier versions wrote the headers of the tables before it.
    """
    if not out.exists():
        return True
    if not out.is_dir():
        return False
    for path in out.iterdir():
        is_empty_folder = path.name == FOLDS and path.is_dir() and all(map(is_draft, path.iterdir()))
        is_header = path.name in (OUTCOMES_FILE, TRAININGS_FILE) and has_no_rows(path)
        if not (path.name == LOCK or is_draft(path) or is_empty_folder or is_header):
            return False
    return True


def open_study_folder(out: Path, description: StudyDescription, planned: Sequence[PlannedFold]) -> int:
    """Create the files of a study, or find what is finished of a study that was interrupted.

    Args:
        out: study folder, locked.
        description: content of `study.json`, which is written first: it tells whose folder this is.
        planned: the trainings, in order.

    Returns:
        The number of finished trainings.
    """
    write_description(out, description)
    remove_stale_drafts(out / RUN_FILE)  # which is not written again where the study is complete
    (out / FOLDS).mkdir(exist_ok=True)
    finished = finished_folds(out, planned)
    write_finished(out, outcomes_header(description.scheme.classes), finished)
    return len(finished)


def weights_file(study: Path, fold: str, seed: int) -> Path:
    """Return the file of the weights of a fold. No two folds of a study share one.

    A dash separates dataset and subject, so a dash in a dataset is escaped, as is what no name of a file can
    hold.
    """
    dataset, slash, subject = fold.partition("/")
    name = _escaped(dataset)
    if slash:
        name = f"{name.replace('-', '%2D')}-{_escaped(subject)}"
    if len(os.fsencode(name)) > LONGEST_NAME:
        name = sha256_hex(os.fsencode(name))
    return study / FOLDS / f"{name}-seed{seed}.safetensors"


def _escaped(name: str) -> str:
    """Return a name with slashes, control characters and percent signs as %2F and the like."""
    return re.sub(r"[%/\x00-\x1f\x7f]", lambda character: f"%{ord(character[0]):02X}", name)


def _check_same_study(out: Path, present: StudyDescription, requested: StudyDescription) -> None:
    """Raise OutputTaken where the folder holds another study: other settings, data or versions.

    Where the data are stored does not matter.
    """
    before = _flat(_without_places(present.to_plain()))
    now = _flat(_without_places(requested.to_plain()))
    details = []
    for key, value in now.items():
        if before.get(key, "null") != value:
            details.append(f"{key} (there {_shortened(before.get(key))}, requested {_shortened(value)})")
    if not details:
        return
    more = f" and {len(details) - MOST_LISTED} more" if len(details) > MOST_LISTED else ""
    wrong = f"another study is there already; it differs in {', '.join(details[:MOST_LISTED])}{more}"
    hint = "Name a new folder."
    if present.seeding != requested.seeding:
        hint = f"An earlier version made it: it can be reported and compared, but not continued. {hint}"
    raise OutputTaken(out, wrong, hint)


def _shortened(value: str | None) -> str:
    text = str(value)
    return text if len(text) <= LONGEST_SHOWN else text[:LONGEST_SHOWN] + "…"


def _without_places(value: Any) -> Any:
    """Return a description without the names of folders, at any depth."""
    if isinstance(value, list):
        return list(map(_without_places, value))
    if not isinstance(value, dict):
        return value
    kept = {}
    for key, inner in value.items():
        if key not in ("folder", "folders"):
            kept[key] = _without_places(inner)
    return kept


def _flat(description: dict[str, Any]) -> dict[str, str]:
    """Return the first two levels of a description as `training.seed` -> value; deeper ones as JSON."""
    pairs: dict[str, str] = {}
    for key, value in description.items():
        if not isinstance(value, dict):
            pairs[key] = json.dumps(value, sort_keys=True)
            continue
        for name, inner in value.items():
            pairs[f"{key}.{name}"] = json.dumps(inner, sort_keys=True)
    return pairs


def check_new_folder(out: Path) -> None:
    """Refuse a study folder that holds something already.

    Raises:
        OutputTaken: it is not empty.
    """
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise OutputTaken(out, "something is there already", "Name an empty or a new folder.")


def write_run(out: Path, cost: Mapping[str, object] = MappingProxyType({})) -> None:
    """Write `run.json`: when and on which machine a study was finished, and what it cost, where known."""
    record = {
        **cost,
        "finished": datetime.now(UTC).isoformat(timespec="seconds"),
        "cores": os.cpu_count(),
        "machine": platform.machine(),
        "system": platform.system(),
    }
    write_atomically(out / RUN_FILE, json.dumps(record, indent=2) + "\n")


def close_study(out: Path, classes: Sequence[str]) -> StudyMetrics:
    """Count the predictions of a study folder: write `metrics.json` and the challenge's log of each seed.

    Returns:
        The content of `metrics.json`.
    """
    outcomes = read_outcomes(out)
    summary = summarise(outcomes, classes)
    for index, seed in enumerate(summary.seeds):
        of_seed = [outcome for outcome in outcomes if outcome.seed == int(seed)]
        name = "megc.log" if index == 0 else f"megc-seed{seed}.log"
        write_atomically(out / name, megc_log(of_seed, classes))
    write_atomically(out / "metrics.json", to_json(summary))
    return summary
