"""Train networks leave-one-subject-out on real flow images, and make the table of docs/results.md.

    python benchmarks/flow_table.py train PREPARED ststnet learnet --seeds 0 1 2
    python benchmarks/flow_table.py table
    python benchmarks/flow_table.py train PREPARED learnet learnet-plain --groups 5 --seeds 0 1 2
    python benchmarks/flow_table.py select PREPARED learnet learnet-plain --groups 5
    python benchmarks/flow_table.py table --groups 5

PREPARED is a folder of real flow images (`learnet import IMAGES LABELS.csv PREPARED --size 28 --kind flow`).
Every network has the settings that `learnet study` has for flow images by default, written down in SETTINGS.
The trainings and predictions are those of `learnet study PREPARED OUT --network NAME --classes megc-3` after
the last epoch. The test images are also predicted after every epoch, which has no influence on the training,
so that the score of the protocol leaky-epoch comes from the same run. Each network and seed has a file in
benchmarks/results/flow_table. Those that are there are not trained again: the table can grow from night to
night. With --groups, people are tested in so many groups, drawn anew for each seed
(`learnet study --protocol groups --repeated-splits`), which takes an eighth of the time. `select` selects the
settings of each group of people on the other groups (`learnet select`, then `learnet study --selection`): of
the candidates flow-mixup, for simple learners flow-clipping. any-simple selects one of them too.
"""

import argparse
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from shutil import copyfile
from tempfile import TemporaryDirectory

import measure
import numpy as np
import pandas as pd
import torch
from joblib import Parallel, delayed
from tqdm import tqdm

from learnet.core.network_info import network_info
from learnet.core.records import Fold, Outcome
from learnet.core.seeds import fold_seed, purpose_seed
from learnet.core.settings import Resources, Study, Training
from learnet.datasets.splits import leave_one_subject_out, subject_groups
from learnet.metrics.published import COMPOSITE, published_for
from learnet.metrics.significance import difference, holm
from learnet.metrics.study_metrics import StudyMetrics
from learnet.metrics.summary import summarise
from learnet.networks import NETWORKS
from learnet.study.candidates import SelectedTraining, read_candidates
from learnet.study.labelled import LabelledDataset, load_labelled_dataset
from learnet.study.outcomes import parse_outcomes
from learnet.study.run import run_study
from learnet.study.selection import select_settings
from learnet.training.loop import fit
from learnet.training.scorer import Scorer
from learnet.training.train import recompute_batch_norm, resolve_training, train

FOLDER = measure.RESULTS / "flow_table"
CLASSES = ("negative", "positive", "surprise")
SETTINGS = Training(detrend=True, clipping_percentile=98)
SIZE = 28
RESOURCES = Resources(jobs=2, device="cpu")
SIMPLE = ("linear-svm", "rbf-svm", "lda", "logistic")
"""Simple learners; networks are compared with the best of them."""

ANY_SIMPLE = "any-simple"
"""That of the simple learners which was selected on other people, with its settings."""

CANDIDATES = {**dict.fromkeys(SIMPLE, "flow-clipping"), ANY_SIMPLE: "flow-simple"}
"""Candidates of `learnet select`; those of all others are flow-mixup."""

MEASURE = "uf1"
DATABASES = ("casme2", "smic")
RED = "#c62828"  # of scores that leak


@dataclass(frozen=True)
class FoldPredictions:
    """Predictions for the test images of one fold."""

    fold: Fold
    scores: np.ndarray  # (N, K), after the last epoch
    by_epoch: np.ndarray  # (E, N), classes after each epoch
    seconds: float  # of the processor


@dataclass(frozen=True)
class Files:
    """The files of one protocol."""

    groups: int  # of people; 0: each person is tested alone

    @property
    def folder(self) -> Path:
        """Where they are."""
        return FOLDER / (f"groups-{self.groups}" if self.groups else "loso")

    @property
    def selected_folder(self) -> Path:
        """Where those of selected settings are."""
        return self.folder / "selected"

    def file(self, network: str, seed: int) -> Path:
        """Return the file of the predictions of one network and seed."""
        return self.folder / f"{network}-{seed}.csv"

    def about(self, network: str, seed: int) -> Path:
        """Return the file of the machine, the seconds and the epochs, which is written last."""
        return self.file(network, seed).with_suffix(".json")

    def selected_file(self, network: str, seed: int) -> Path:
        """Return the file of the predictions with settings that were selected on other people."""
        return self.selected_folder / f"{network}-{seed}.csv"

    def networks(self) -> list[str]:
        """Return the networks that have files."""
        return sorted({file.stem.rpartition("-")[0] for file in self.folder.glob("*.csv")})

    def seeds(self, network: str) -> list[int]:
        """Return the seeds of a network that have files."""
        return sorted(int(file.stem.rpartition("-")[2]) for file in self.folder.glob(f"{network}-[0-9]*.csv"))


def run_fold(data: LabelledDataset, network: str, fold: Fold, training: Training) -> FoldPredictions:
    """Train one fold as a study does, and predict its test images after each epoch."""
    torch.set_num_threads(1)
    started = time.process_time()
    learned, tested = data.training_set(fold.train), data.training_set(fold.test).for_test(False)
    if network_info(network).non_iterative:
        module = train(network, learned, training).module
        scores = tested.scores(_scorer(module, training))
        return FoldPredictions(fold, scores, scores.argmax(axis=1)[None], time.process_time() - started)
    examples = learned.examples(learned.stored.for_training(training), training)
    module = NETWORKS[network](len(CLASSES), SIZE, seed=purpose_seed(training.seed, "weights"))
    by_epoch: list[np.ndarray] = []

    def predict(_: int) -> None:
        recompute_batch_norm(module, examples, training)
        by_epoch.append(tested.scores(_scorer(module.eval(), training)))

    fit(module, examples, training, training.epochs, predict)
    seconds = time.process_time() - started
    return FoldPredictions(fold, by_epoch[-1], np.stack(by_epoch).argmax(axis=2), seconds)


def _scorer(module: torch.nn.Module, training: Training) -> Scorer:
    return Scorer.from_module(module, training.mirror_when_tested, training.detrend_percentile)


def train_network(prepared: Path, network: str, seed: int, files: Files) -> None:
    """Write the predictions of one network and seed for all people."""
    data = load_labelled_dataset(prepared, "megc-3")
    training = replace(resolve_training(SETTINGS, data.prepared, network), seed=seed)
    folds = leave_one_subject_out(data.people)
    if files.groups:
        folds = subject_groups(data.people, data.truth, files.groups, seed)
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
    files.folder.mkdir(parents=True, exist_ok=True)
    about = measure.machine() | {"seconds": round(seconds, 1), "epochs": training.epochs}
    pd.DataFrame(rows).to_csv(files.file(network, seed), index=False, lineterminator="\n")
    files.about(network, seed).write_text(json.dumps(about, indent=2) + "\n")


def _rows(data: LabelledDataset, one: FoldPredictions) -> list[dict[str, object]]:
    rows = []
    for index, position in enumerate(one.fold.test):
        clip = data.prepared.clips.iloc[data.rows[position]]
        scores = dict(zip(CLASSES, one.scores[index].round(6), strict=True))
        # The letter keeps the digits from being read as a number.
        by_epoch = "e" + "".join(map(str, one.by_epoch[:, index]))
        identity = {"clip": clip["clip"], "dataset": clip["dataset"], "person": clip["person"]}
        rows.append({**identity, "truth": data.truth[position], **scores, "by_epoch": by_epoch})
    return rows


def select_network(prepared: Path, network: str, seed: int, files: Files) -> None:
    """Write the predictions of one network and seed with settings that were selected on other people."""
    study = Study(classes="megc-3", protocol="groups", groups=files.groups, keep_weights=False)
    if network != ANY_SIMPLE:  # whose candidates name their networks
        study = replace(study, network=network)
    candidates = read_candidates(CANDIDATES.get(network, "flow-mixup"), Training(seed=seed))
    with TemporaryDirectory() as home:
        chosen = select_settings(prepared, Path(home) / "selection", candidates, study, RESOURCES)
        run_study(prepared, Path(home) / "study", study, SelectedTraining(chosen, seed), RESOURCES)
        target = files.selected_file(network, seed)
        files.selected_folder.mkdir(parents=True, exist_ok=True)
        copyfile(Path(home) / "study" / "outcomes.csv", target)


def outcomes(files: Files, network: str, seed: int, leaky: bool = False) -> list[Outcome]:
    """Return the predictions of one network and seed.

    Args:
        files: of the protocol.
        network: name in NETWORKS.
        seed: of the training.
        leaky: the predictions of the epoch that is best on each test person, the earliest of several, as in
            `learnet.training.train.train_leaky`.
    """
    found = []
    for person, table in pd.read_csv(files.file(network, seed), dtype={"person": str}).groupby("person"):
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


def _all_outcomes(files: Files, network: str, leaky: bool = False) -> list[Outcome]:
    found: list[Outcome] = []
    for seed in files.seeds(network):
        found += outcomes(files, network, seed, leaky)
    return found


def _selected_outcomes(files: Files, network: str) -> list[Outcome]:
    """Return the predictions with settings that were selected on other people, of all seeds that have
    some."""
    found: list[Outcome] = []
    for file in sorted(files.selected_folder.glob(f"{network}-[0-9]*.csv")):
        found += parse_outcomes(file, file.read_text(encoding="utf-8"))
    return found


@dataclass(frozen=True)
class Line:
    """One network of the table."""

    network: str
    metrics: StudyMetrics
    selected: StudyMetrics | None  # None where no settings were selected
    leaky: StudyMetrics | None  # None for a learner without epochs
    minutes: float  # of the processor, for one seed
    parameters: int  # 0 for a learner that is no network


def _line(files: Files, network: str) -> Line:
    leaky = None
    if not network_info(network).non_iterative:
        leaky = summarise(_all_outcomes(files, network, leaky=True), CLASSES)
    seconds = []
    for seed in files.seeds(network):
        about = json.loads(files.about(network, seed).read_text())
        seconds.append(about["seconds"])
    module = NETWORKS[network](len(CLASSES), SIZE)
    parameters = sum(parameter.numel() for parameter in module.parameters())
    metrics = summarise(_all_outcomes(files, network), CLASSES)
    selected = _selected_outcomes(files, network)
    of_selected = summarise(selected, CLASSES) if selected else None
    return Line(network, metrics, of_selected, leaky, float(np.mean(seconds)) / 60, parameters)


def print_table(files: Files) -> None:
    """Print two tables in Markdown, the best score first: scores and differences; costs and published scores.

    p is corrected for all networks (Holm).
    """
    networks = files.networks()
    lines = [_line(files, network) for network in networks]
    lines.sort(key=lambda line: -line.metrics.mean[MEASURE].value)
    best = next(line.network for line in lines if line.network in SIMPLE)
    compared = [name for name in networks if name not in SIMPLE]
    others = [name for name in networks if name != "learnet"]
    minus_best = _corrected(files, compared, _all_outcomes(files, best))
    minus_learnet = _corrected(files, others, _all_outcomes(files, "learnet"))
    differences = [f"minus {best}", "minus learnet"]
    _print_row(["", "seeds", "UF1", "leaky epoch", "UAR", *differences, "selected"])
    _print_row(["---", "---:", *["---"] * 6])
    for line in lines:
        seeds = str(len(files.seeds(line.network)))
        against = [minus_best.get(line.network, ""), minus_learnet.get(line.network, "")]
        uar = f"{line.metrics.mean['uar'].value:.3f}"
        scores = [_score_text(line.metrics), _leaky_text(line), uar]
        selected = _score_text(line.selected, interval=False) if line.selected else ""
        _print_row([f"`{line.network}`", seeds, *scores, *against, selected])
    _print_any_simple(files, compared)
    print()
    _print_costs(lines)


def _print_costs(lines: Sequence[Line]) -> None:
    """Print the table of parameters, minutes, and scores on each database beside the published ones."""
    databases = ", ".join(DATABASES)
    _print_row(["", "parameters", "minutes", f"UF1 on {databases}", "published"])
    _print_row(["---", "---:", "---:", "---", "---"])
    for line in lines:
        parameters = f"{line.parameters:,}" if line.parameters else ""
        scores = [_of_databases(line.metrics), _published(line.network)]
        _print_row([f"`{line.network}`", parameters, f"{line.minutes:.1f}", *scores])


def _leaky_text(line: Line) -> str:
    """Return the score of the leaky epoch in red; nothing for a learner without epochs."""
    if not line.leaky:
        return ""
    return f'<span style="color: {RED}">{_score_text(line.leaky, interval=False)}</span>'


def _print_any_simple(files: Files, compared: Sequence[str]) -> None:
    """Print the row of the simple learner that was selected on other people, and what networks differ from it
    by."""
    selected = _selected_outcomes(files, ANY_SIMPLE)
    if not selected:
        return
    seeds = str(len({outcome.seed for outcome in selected}))
    score = _score_text(summarise(selected, CLASSES), interval=False)
    _print_row(["any of the simple learners", seeds, *[""] * 5, score])
    differences = []
    for network, text in _corrected(files, compared, selected).items():
        differences.append(f"`{network}` {text}")
    print(f"\nMinus any of the simple learners, selected: {', '.join(differences)}.")


def _of_databases(metrics: StudyMetrics) -> str:
    """Return UF1 on the clips of each of DATABASES."""
    of = metrics.datasets or {}
    return ", ".join(f"{of[name].mean[MEASURE].value:.3f}" for name in DATABASES if name in of)


def _published(network: str) -> str:
    """Return published UF1 on the clips of each of DATABASES, of the whole composite with SAMM."""
    texts = []
    for entry in published_for(COMPOSITE, "megc-3"):
        is_published = entry.year is not None  # others were measured for this project
        if is_published and network in entry.networks and all(name in entry.values for name in DATABASES):
            texts.append(", ".join(f"{entry.values[name][MEASURE]:.3f}" for name in DATABASES))
    return " or ".join(texts)


def _print_row(cells: Sequence[str]) -> None:
    print("| " + " | ".join(cells) + " |")


def _corrected(files: Files, networks: Sequence[str], reference: Sequence[Outcome]) -> dict[str, str]:
    """Return the difference of each network from others' predictions, with p corrected for all of them.

    Only seeds that both have are compared: the same people are in the same groups.
    """
    differences = {}
    for name in networks:
        own = _all_outcomes(files, name)
        seeds = {outcome.seed for outcome in own} & {outcome.seed for outcome in reference}
        if seeds:
            compared = [[one for one in part if one.seed in seeds] for part in (own, reference)]
            differences[name] = difference(*compared, CLASSES)
    corrected = holm([one.p[MEASURE] for one in differences.values()])
    texts = {}
    for (name, one), p in zip(differences.items(), corrected, strict=True):
        p_text = "<0.01" if p < 0.01 else f"{p:.2f}"
        texts[name] = f"{one.values[MEASURE]:+.3f} ({p_text})"
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
    selection = commands.add_parser("select", help="the same with settings selected on other people")
    for command in (training, selection):
        command.add_argument("prepared", type=Path)
        command.add_argument("networks", nargs="+")
        command.add_argument("--seeds", type=int, nargs="+", default=[0])
    table = commands.add_parser("table", help="print the table of all files")
    for command in (training, selection, table):
        command.add_argument(
            "--groups", type=int, default=0, help="groups of people; 0: leave one subject out"
        )
    chosen = parser.parse_args()
    files = Files(chosen.groups)
    if chosen.command == "select" and not chosen.groups:
        parser.error("select needs --groups")
    if chosen.command == "table":
        print_table(files)
        return
    for seed in chosen.seeds:
        for network in chosen.networks:
            if chosen.command == "train" and not files.about(network, seed).is_file():
                train_network(chosen.prepared, network, seed, files)
            if chosen.command == "select" and not files.selected_file(network, seed).is_file():
                select_network(chosen.prepared, network, seed, files)


if __name__ == "__main__":
    main()
