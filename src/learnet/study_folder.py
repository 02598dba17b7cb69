"""The study folder on disk: one run at a time works in it, and it holds one study for ever."""

import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from learnet.errors import OutputTaken
from learnet.metrics import summarise
from learnet.outcomes import as_text, header, megc_log, read_outcomes, whole_folds, write_whole

LOCK = ".lock"  # in a study folder
MOST_SHOWN = 60  # characters of a value in a message


def append(file: Path, text: str) -> None:
    """Add text to the end of a file, and wait until it is on the disk."""
    with file.open("a", newline="", encoding="utf-8") as handle:
        handle.write(text)
        handle.flush()
        os.fsync(handle.fileno())


@contextmanager
def held(out: Path, record: dict) -> Iterator[None]:
    """Hold the study folder, made where it is missing, so that no second run of the study mixes its answers in.

    The system lets go of the lock when a process ends, however it ends; the file stays.
    """
    if (out / "study.json").is_file():
        _refuse_another(out, json.loads((out / "study.json").read_text(encoding="utf-8")), record)
    elif out.exists() and (not out.is_dir() or any(path.name != LOCK for path in out.iterdir())):
        raise OutputTaken(out, "something else is there already", "The study folder stands last: name an empty or a new one.")
    out.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(out / LOCK, timeout=0):
            yield
    except Timeout:
        raise OutputTaken(out, "another run of this study is at work there", "Wait for it, or stop it.") from None


def begin(out: Path, record: dict, folds: Sequence[tuple[str, int, int]]) -> int:
    """Begin the study's files, or find what is done in a study that was cut off.

    Args:
        out: study folder, held.
        record: content of `study.json`.
        folds: name, seed and number of test clips of each training, in order.

    Returns:
        How many trainings are done.
    """
    (out / "folds").mkdir(exist_ok=True)
    done = whole_folds(out / "outcomes.csv", folds)
    trainings = (out / "trainings.csv").read_text(encoding="utf-8").splitlines(keepends=True)[1:] if done else []
    write_whole(out / "outcomes.csv", header(record["scheme"]["classes"]) + "".join(map(as_text, done)))
    write_whole(out / "trainings.csv", "fold,seed,train_clips,test_clips,epochs,last_loss\n" + "".join(trainings[: len(done)]))
    write_whole(out / "study.json", json.dumps(record, indent=2) + "\n")
    return len(done)


def _refuse_another(out: Path, there: dict, wanted: dict) -> None:
    """A folder holds one study for ever: the same question over the same data with the same versions. Where the data lie is no matter."""
    before, now = _flat(_placeless(there)), _flat(_placeless(wanted))
    different = [key for key in now if before.get(key) != now[key]]
    if different:
        shown = ", ".join(f"{key} (there {_brief(before.get(key))}, asked {_brief(now[key])})" for key in different[:3])
        more = f" and {len(different) - 3} more" if len(different) > 3 else ""
        raise OutputTaken(out, f"another study is there already; it differs in {shown}{more}", "Name a new folder.")


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
        write_whole(out / ("megc.log" if place == 0 else f"megc-seed{seed}.log"), megc_log(answers, classes))
    write_whole(out / "metrics.json", json.dumps(summary, indent=2) + "\n")
    return summary
