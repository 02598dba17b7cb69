"""Study folders as `learnet study` leaves them, written by hand so that the tests know every answer in
them."""

import csv
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pandas as pd

from learnet.core.records import Finding, Outcome
from learnet.core.settings import Preparation, Study, Training
from learnet.datasets.prepared.record import PrepareRecord
from learnet.datasets.prepared.store import save_prepared
from learnet.study.outcomes import outcome_rows, outcomes_header

CLASSES = ("happiness", "disgust", "repression", "surprise", "others")


def write_prepared(
    folder: Path,
    people: int = 12,
    clips: int = 6,
    *,
    size: int = 28,
    seed: int = 0,
    synthetic: bool = False,
    dataset: Callable[[int], str] = lambda person: "casme2",
    paths: Path = Path("/nowhere"),
) -> Path:
    """A prepared folder of noise images. Emotions are drawn at random, `others` most often; every class
    occurs."""
    rng = np.random.default_rng(seed)
    rows = []
    for person in range(1, people + 1):
        for number in range(clips):
            key = f"{dataset(person)}/{person:02d}"
            emotion = CLASSES[int(rng.choice(5, p=[0.15, 0.2, 0.15, 0.15, 0.35]))]
            rows.append(
                {
                    "image": len(rows),
                    "clip": f"{key}/EP{number:02d}",
                    "dataset": dataset(person),
                    "subject": f"{person:02d}",
                    "person": key,
                    "name": f"EP{number:02d}",
                    "emotion": emotion,
                    "action_units": "4",
                    "onset": 7 + number,
                    "apex": 8 + number,
                    "apex_source": "file",
                    "offset": 9 + number,
                    "fps": 200.0,
                    "frames": 3,
                    "face": "",
                    "warnings": "",
                    "path": str(paths / f"{person:02d}" / f"EP{number:02d}"),
                }
            )
    images = rng.integers(0, 256, (len(rows), size, size, 3), dtype=np.uint8)
    record = PrepareRecord(
        preparation=Preparation(size=size),
        images_kind="image",
        synthetic=synthetic,
        reading={"workbook": "CASME2-coding-20140508.xlsx"},
        versions={"numpy": "2.4.6"},
    )
    save_prepared(
        folder,
        images,
        pd.DataFrame(rows),
        record,
        [Finding("apex repaired", "casme2/04/EP01", "it lay before the onset")],
    )
    return folder


def read_truth(prepared: Path) -> list[dict[str, str]]:
    """The rows of clips.csv."""
    with (prepared / "clips.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def write_study(
    out: Path,
    prepared: Path,
    network: str = "learnet",
    *,
    seeds: Sequence[int] = (0, 1),
    skill: float = 0.5,
    protocol: str = "loso",
) -> Path:
    """A finished study; SKILL is the share of clips whose truth gets half of the score for nothing. `leaky-…`
    trains on the tested."""
    out.mkdir(parents=True)
    rng = np.random.default_rng(len(network) + round(100 * skill))
    rows = read_truth(prepared)
    about = json.loads((prepared / "prepare.json").read_text(encoding="utf-8"))
    people = sorted({row["person"] for row in rows})
    outcomes = [
        _answer(out.name, seed, row, rng, skill)
        for seed in seeds
        for person in people
        for row in rows
        if row["person"] == person
    ]
    (out / "outcomes.csv").write_text(outcomes_header(CLASSES) + outcome_rows(outcomes), encoding="utf-8")
    record = {
        "study": out.name,
        "network": network,
        "protocol": protocol,
        "scheme": {"name": "casme2-5", "classes": CLASSES, "source": "a paper"},
        "seeds": list(seeds),
        "settings": asdict(Study(network=network, seeds=len(seeds))),
        "training": asdict(
            Training(epochs=40, detrend=False, clipping_percentile=100, mirror="none", mirror_at_test=False)
        ),
        "prepared": {"folder": str(prepared), "fingerprint": about["fingerprint"], "about": about},
        "folds": [_fold(person, people, rows, protocol.startswith("leaky-")) for person in people],
        "left_out": {"fear": 2},
        "versions": {"python": "3.11.7", "learnet": "0.1.0"},
    }
    (out / "study.json").write_text(json.dumps(record), encoding="utf-8")
    run = {
        "trainings": 24,
        "seconds": 312.4,
        "finished": "2026-11-29T16:09:35+00:00",
        "machine": "x86_64",
        "cores": 2,
    }
    (out / "run.json").write_text(json.dumps(run), encoding="utf-8")
    return out


def _answer(study: str, seed: int, row: dict[str, str], rng: np.random.Generator, skill: float) -> Outcome:
    scores = rng.dirichlet(np.ones(len(CLASSES)))
    if rng.random() < skill:
        scores = 0.5 * scores + 0.5 * (np.array(CLASSES) == row["emotion"])
    if skill == 0:
        scores = np.array([0.1, 0.1, 0.1, 0.1, 0.6])  # the majority class
    scores = np.round(scores, 6)
    prediction, person = CLASSES[int(scores.argmax())], row["person"]
    return Outcome(
        study,
        person,
        seed,
        row["clip"],
        row["dataset"],
        person,
        row["emotion"],
        prediction,
        tuple(map(float, scores)),
    )


def _fold(person: str, people: Sequence[str], rows: Sequence[dict[str, str]], leaky: bool) -> dict:
    tested = sum(row["person"] == person for row in rows)
    train = [other for other in people if leaky or other != person]
    return {
        "name": person,
        "train_people": train,
        "test_people": [person],
        "train_clips": len(rows) - tested,
        "test_clips": tested,
    }
