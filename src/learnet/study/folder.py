"""The study folder on disk: one run at a time works in it, and it holds one study for ever."""

import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from learnet.core.errors import OutputTaken
from learnet.core.files import write_atomically
from learnet.core.settings import Study, Training
from learnet.metrics.scores import summarise
from learnet.study.outcomes import complete_folds, megc_log, outcome_rows, outcomes_header, read_outcomes

LOCK = ".lock"  # in a study folder
MOST_SHOWN = 60  # characters of a value in a message


def append(file: Path, text: str) -> None:
    """Add text to the end of a file, and wait until it is on the disk."""
    with file.open("a", newline="", encoding="utf-8") as handle:
        handle.write(text)
        handle.flush()
        os.fsync(handle.fileno())


@contextmanager
def lock_study_folder(out: Path, record: dict) -> Iterator[None]:
    """Hold the study folder, made where it is missing, so that no second run of the study mixes its answers in.

    The system lets go of the lock when a process ends, however it ends; the file stays.
    """
    if (out / "study.json").is_file():
        _refuse_another(out, json.loads((out / "study.json").read_text(encoding="utf-8")), record)
    elif out.exists() and (not out.is_dir() or any(path.name != LOCK for path in out.iterdir())):
        raise OutputTaken(
            out,
            "something else is there already",
            "The study folder stands last: name an empty or a new one.",
        )
    out.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(out / LOCK, timeout=0):
            yield
    except Timeout:
        raise OutputTaken(
            out, "another run of this study is at work there", "Wait for it, or stop it."
        ) from None


def open_study_folder(out: Path, record: dict, folds: Sequence[tuple[str, int, int]]) -> int:
    """Begin the study's files, or find what is done in a study that was cut off.

    Args:
        out: study folder, held.
        record: content of `study.json`.
        folds: name, seed and number of test clips of each training, in order.

    Returns:
        How many trainings are done.
    """
    (out / "folds").mkdir(exist_ok=True)
    done = complete_folds(out / "outcomes.csv", folds)
    trainings = (
        (out / "trainings.csv").read_text(encoding="utf-8").splitlines(keepends=True)[1:] if done else []
    )
    write_atomically(
        out / "outcomes.csv", outcomes_header(record["scheme"]["classes"]) + "".join(map(outcome_rows, done))
    )
    write_atomically(
        out / "trainings.csv",
        "fold,seed,train_clips,test_clips,epochs,last_loss\n" + "".join(trainings[: len(done)]),
    )
    write_atomically(out / "study.json", json.dumps(record, indent=2) + "\n")
    return len(done)


def _refuse_another(out: Path, there: dict, wanted: dict) -> None:
    """A folder holds one study for ever: the same question over the same data with the same versions. Where the data lie is no matter."""
    before, now = _flat(_placeless(_grown(there, wanted))), _flat(_placeless(wanted))
    different = [key for key in now if before.get(key, "null") != now[key]]
    if different:
        shown = ", ".join(
            f"{key} (there {_brief(before.get(key))}, asked {_brief(now[key])})" for key in different[:3]
        )
        more = f" and {len(different) - 3} more" if len(different) > 3 else ""
        raise OutputTaken(
            out, f"another study is there already; it differs in {shown}{more}", "Name a new folder."
        )


def _grown(there: dict, wanted: dict) -> dict:
    """What an earlier version wrote, with the settings that were added since at their defaults, which by rule are the former behaviour.

    A study with a choice names no settings of training but the seed; none are added to it where one without a choice is asked for.
    """
    grown = dict(there)
    kinds: list[tuple[str, dict[str, Any]]] = [("settings", asdict(Study()))]
    if ("choice" in there) == ("choice" in wanted):
        kinds.append(("training", asdict(Training())))
    for key, defaults in kinds:
        grown[key] = _filled(there.get(key), wanted.get(key), defaults)
    for outer in ("candidates", "choice"):
        if outer in there and outer in wanted:
            grown[outer] = _filled_candidates(there[outer], wanted[outer])
    return grown


def _filled_candidates(there: dict, wanted: dict) -> dict:
    """The candidates of a choice, each with the settings added since; a choice that was made has them one level deeper."""
    if "candidates" in there and "candidates" in wanted:
        return {**there, "candidates": _filled_candidates(there["candidates"], wanted["candidates"])}
    return {name: _filled(settings, wanted.get(name), asdict(Training())) for name, settings in there.items()}


def _filled(there: Any, wanted: Any, defaults: dict[str, Any]) -> Any:
    if not isinstance(there, dict) or not isinstance(wanted, dict):
        return there
    return there | {key: defaults[key] for key in wanted if key not in there and key in defaults}


def _brief(value: str | None) -> str:
    """A value that fits into a line."""
    return str(value) if len(str(value)) <= MOST_SHOWN else str(value)[:MOST_SHOWN] + "…"


def _placeless(value: Any) -> Any:
    """A record without the names of folders, however deep."""
    if isinstance(value, dict):
        return {key: _placeless(inner) for key, inner in value.items() if key not in ("folder", "folders")}
    return [_placeless(inner) for inner in value] if isinstance(value, list) else value


def _flat(record: dict) -> dict[str, str]:
    """The first two levels of `study.json` as `training.seed` -> value; deeper ones as text."""
    pairs: dict[str, str] = {}
    for key, value in record.items():
        inner = value.items() if isinstance(value, dict) else [("", value)]
        pairs.update({f"{key}.{name}".rstrip("."): json.dumps(what, sort_keys=True) for name, what in inner})
    return pairs


def close_study(out: Path, classes: Sequence[str]) -> dict:
    """Count the answers of a study folder: writes `metrics.json` and, a seed each, the challenge's log. Returns the metrics."""
    outcomes = read_outcomes(out)
    summary = summarise(outcomes, classes)
    for place, seed in enumerate(summary["seeds"]):
        answers = [outcome for outcome in outcomes if outcome.seed == int(seed)]
        write_atomically(
            out / ("megc.log" if place == 0 else f"megc-seed{seed}.log"), megc_log(answers, classes)
        )
    write_atomically(out / "metrics.json", json.dumps(summary, indent=2) + "\n")
    return summary
