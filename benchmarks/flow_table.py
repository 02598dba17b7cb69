"""Train networks leave-one-subject-out on real flow images, and make the table of docs/results.md.

    python benchmarks/flow_table.py train PREPARED ststnet learnet --seeds 0 1 2
    python benchmarks/flow_table.py table

PREPARED is a folder of real flow images (`learnet import IMAGES LABELS.csv PREPARED --size 28 --kind flow`).
Every network has the settings that `learnet study` has for flow images by default, written down in SETTINGS.
The trainings and predictions are those of `learnet study PREPARED OUT --network NAME --classes megc-3`
after the last epoch. Beside them, the test images are predicted after every epoch, which has no influence on
the training: a second score, that of the protocol leaky-epoch, comes from the same run. One file for each network and
seed in benchmarks/results/flow_table; those that are there are not trained again, so the table can grow from
night to night.
"""

import argparse
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import measure
import numpy as np
import pandas as pd
import torch
from joblib import Parallel, delayed
from tqdm import tqdm

from learnet.core.network_info import network_info
from learnet.core.records import Fold, Outcome
from learnet.core.seeds import fold_seed, purpose_seed
from learnet.core.settings import Training
from learnet.datasets.splits import leave_one_subject_out
from learnet.metrics.significance import difference, holm
from learnet.metrics.study_metrics import StudyMetrics
from learnet.metrics.summary import summarise
from learnet.networks import NETWORKS
from learnet.study.labelled import LabelledDataset, load_labelled_dataset
from learnet.training.loop import fit
from learnet.training.scorer import Scorer
from learnet.training.train import recompute_batch_norm, resolve_training, train

FOLDER = measure.RESULTS / "flow_table"
CLASSES = ("negative", "positive", "surprise")
SETTINGS = Training(detrend=True, clipping_percentile=98)
SIZE = 28
SIMPLE = ("linear-svm", "rbf-svm", "lda", "logistic")
"""Simple learners; networks are compared with the best of them."""

MEASURE = "uf1"


@dataclass(frozen=True)
class FoldPredictions:
    """Predictions for the test images of one fold."""

    fold: Fold
    scores: np.ndarray  # (N, K), after the last epoch
    by_epoch: np.ndarray  # (E, N), classes after each epoch
    seconds: float


def run_fold(data: LabelledDataset, network: str, fold: Fold, training: Training) -> FoldPredictions:
    """Train one fold as a study does, and predict its test images after each epoch."""
    torch.set_num_threads(1)
    started = time.perf_counter()
    learned, tested = data.training_set(fold.train), data.training_set(fold.test).for_test(False)
    if network_info(network).non_iterative:
        module = train(network, learned, training).module
        scores = tested.scores(_scorer(module, training))
        return FoldPredictions(fold, scores, scores.argmax(axis=1)[None], time.perf_counter() - started)
    examples = learned.examples(learned.stored.for_training(training), training)
    module = NETWORKS[network](len(CLASSES), SIZE, seed=purpose_seed(training.seed, "weights"))
    by_epoch: list[np.ndarray] = []

    def predict(_: int) -> None:
        recompute_batch_norm(module, examples, training)
        by_epoch.append(tested.scores(_scorer(module.eval(), training)))

    fit(module, examples, training, training.epochs, predict)
    seconds = time.perf_counter() - started
    return FoldPredictions(fold, by_epoch[-1], np.stack(by_epoch).argmax(axis=2), seconds)


def _scorer(module: torch.nn.Module, training: Training) -> Scorer:
    return Scorer.from_module(module, training.mirror_when_tested, training.detrend_percentile)


def train_network(prepared: Path, network: str, seed: int) -> None:
    """Write the predictions of one network and seed for all people."""
    data = load_labelled_dataset(prepared, "megc-3")
    training = replace(resolve_training(SETTINGS, data.prepared, network), seed=seed)
    folds = leave_one_subject_out(data.people)
    tasks = []
    for index, fold in enumerate(folds):
        settings = replace(training, seed=fold_seed(seed, index))
        tasks.append(delayed(run_fold)(data, network, fold, settings))
    trained = Parallel(n_jobs=2, return_as="generator")(tasks)
    rows: list[dict[str, object]] = []
    seconds = 0.0
    for one in tqdm(trained, total=len(folds), desc=f"{network}, seed {seed}", mininterval=10):
        rows += _rows(data, one)
        seconds += one.seconds
    FOLDER.mkdir(exist_ok=True)
    about = measure.machine() | {"seconds": round(seconds, 1), "epochs": training.epochs}
    pd.DataFrame(rows).to_csv(_file(network, seed), index=False, lineterminator="\n")
    _file(network, seed).with_suffix(".json").write_text(json.dumps(about, indent=2) + "\n")


def _rows(data: LabelledDataset, one: FoldPredictions) -> list[dict[str, object]]:
    rows = []
    for index, position in enumerate(one.fold.test):
        clip = data.prepared.clips.iloc[data.rows[position]]
        scores = {
            name: round(float(score), 6) for name, score in zip(CLASSES, one.scores[index], strict=True)
        }
        # The letter keeps the digits from being read as a number.
        by_epoch = "e" + "".join(map(str, one.by_epoch[:, index]))
        identity = {"clip": clip["clip"], "dataset": clip["dataset"], "person": clip["person"]}
        rows.append({**identity, "truth": data.truth[position], **scores, "by_epoch": by_epoch})
    return rows


def _file(network: str, seed: int) -> Path:
    return FOLDER / f"{network}-{seed}.csv"


def outcomes(network: str, seed: int, leaky: bool = False) -> list[Outcome]:
    """Return the predictions of one network and seed.

    Args:
        network: name in NETWORKS.
        seed: of the training.
        leaky: the predictions of the epoch that is best on each test person, the earliest of several, as in
            `learnet.training.train.train_leaky`.
    """
    found = []
    for person, table in pd.read_csv(_file(network, seed), dtype={"person": str}).groupby("person"):
        by_epoch = np.array([list(text[1:]) for text in table["by_epoch"]]).astype(int)  # (N, E)
        truth = np.array([CLASSES.index(name) for name in table["truth"]])
        correct = (by_epoch == truth[:, None]).sum(axis=0)
        epoch = int(correct.argmax()) if leaky else by_epoch.shape[1] - 1
        for predicted, row in zip(by_epoch[:, epoch], table.to_dict("records"), strict=True):
            scores = tuple(row[name] for name in CLASSES)
            if leaky:  # of the chosen epoch only the class is kept
                scores = tuple(float(index == predicted) for index in range(len(CLASSES)))
            identity = (network, str(person), seed, row["clip"], row["dataset"], str(person), row["truth"])
            found.append(Outcome(*identity, CLASSES[predicted], scores))
    return found


def _seeds(network: str) -> list[int]:
    return sorted(int(file.stem.rpartition("-")[2]) for file in FOLDER.glob(f"{network}-[0-9]*.csv"))


def _all_outcomes(network: str, leaky: bool = False) -> list[Outcome]:
    found: list[Outcome] = []
    for seed in _seeds(network):
        found += outcomes(network, seed, leaky)
    return found


@dataclass(frozen=True)
class Line:
    """One network of the table."""

    network: str
    metrics: StudyMetrics
    leaky: StudyMetrics | None  # None for a learner without epochs
    minutes: float  # of one core, for one seed
    parameters: int


def _line(network: str) -> Line:
    leaky = None
    if not network_info(network).non_iterative:
        leaky = summarise(_all_outcomes(network, leaky=True), CLASSES)
    seconds = [
        json.loads(_file(network, seed).with_suffix(".json").read_text())["seconds"]
        for seed in _seeds(network)
    ]
    module = NETWORKS[network](len(CLASSES), SIZE)
    parameters = sum(parameter.numel() for parameter in module.parameters())
    metrics = summarise(_all_outcomes(network), CLASSES)
    return Line(network, metrics, leaky, float(np.mean(seconds)) / 60, parameters)


def print_table() -> None:
    """Print the table in Markdown, the best score first, with p corrected for all networks (Holm)."""
    networks = sorted({file.stem.rpartition("-")[0] for file in FOLDER.glob("*.csv")})
    lines = sorted(map(_line, networks), key=lambda line: -line.metrics.mean[MEASURE].value)
    best = next(line.network for line in lines if line.network in SIMPLE)
    compared = [name for name in networks if name not in SIMPLE]
    columns = [
        _corrected(compared, best),
        _corrected([name for name in networks if name != "learnet"], "learnet"),
    ]
    print(
        f"| | parameters | seeds | UF1 | UAR | minus {best}, UF1 (p) | minus learnet, UF1 (p) | minutes | leaky epoch |"
    )
    print("|---|---:|---:|---|---|---|---|---:|---|")
    for line in lines:
        against = " | ".join(column.get(line.network, "") for column in columns)
        leaky = _score_text(line.leaky, interval=False) if line.leaky else ""
        if leaky:
            leaky = f'<span class="leaky">{leaky}</span>'
        print(
            f"| `{line.network}` | {line.parameters:,} | {len(_seeds(line.network))} | {_score_text(line.metrics)} | "
            f"{line.metrics.mean['uar'].value:.3f} | {against} | {line.minutes:.1f} | {leaky} |"
        )


def _corrected(networks: Sequence[str], against: str) -> dict[str, str]:
    """Return the difference of each network from another, with p corrected for all of them."""
    reference = _all_outcomes(against)
    differences = [difference(_all_outcomes(name), reference, CLASSES) for name in networks]
    corrected = holm([one.p[MEASURE] for one in differences])
    texts = {}
    for name, one, p in zip(networks, differences, corrected, strict=True):
        low, high = one.limits[MEASURE]
        texts[name] = f"{one.values[MEASURE]:+.3f} [{low:.2f}, {high:.2f}] ({p:.2f})"
    return texts


def _score_text(metrics: StudyMetrics, interval: bool = True) -> str:
    score = metrics.mean[MEASURE]
    spread = f" ±{score.spread:.3f}" if score.spread is not None else ""
    limits = f" [{score.low:.2f}, {score.high:.2f}]" if interval else ""
    return f"{score.value:.3f}{spread}{limits}"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(dest="command", required=True)
    training = commands.add_parser("train", help="train networks that have no file yet")
    training.add_argument("prepared", type=Path)
    training.add_argument("networks", nargs="+")
    training.add_argument("--seeds", type=int, nargs="+", default=[0])
    commands.add_parser("table", help="print the table of all files")
    chosen = parser.parse_args()
    if chosen.command == "table":
        print_table()
        return
    for seed in chosen.seeds:
        for network in chosen.networks:
            if not _file(network, seed).with_suffix(".json").is_file():
                train_network(chosen.prepared, network, seed)


if __name__ == "__main__":
    main()
