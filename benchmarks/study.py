"""How fast is a leave-one-subject-out study? CASME II's size, against the usual way of writing one, on the
same cores.

    python benchmarks/study.py              # writes benchmarks/results/<date>-<commit>-study.json

247 images of 112 x 112, 26 people, five classes, LEARNet. The usual way, as published code does it: for each
fold a fresh Dataset that reads and augments image by image, a DataLoader with a worker per core, and a loop
on all threads. It gets the order, the augmentation and the dropout that the study draws, so that both train
the same networks, and its predictions are compared with the study's. The images are noise with a faint
pattern per class. Eight epochs are timed, which takes ten minutes; a study's 60 (`--epochs 60`) take over an
hour."""

import statistics
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import measure
import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, Dataset

from learnet.core.seeds import fold_seed, purpose_seed
from learnet.core.settings import Resources, Study, Training
from learnet.datasets.prepared.record import PrepareRecord
from learnet.datasets.prepared.store import save_prepared
from learnet.datasets.splits import make_folds
from learnet.networks import NETWORKS, as_input
from learnet.networks.layers import Dropout
from learnet.study.labelled import load_labelled_dataset
from learnet.study.outcomes import read_outcomes
from learnet.study.run import run_study
from learnet.training import augment
from learnet.training.schedule import BatchSchedule, class_weights
from learnet.training.train import recompute_batch_norm

PEOPLE, CLIPS, SIZE = 26, 247, 112
WORDS = ("happiness", "disgust", "repression", "surprise", "others")


def write_prepared(out: Path) -> None:
    numbers = np.random.default_rng(0)
    images = numbers.integers(90, 166, (CLIPS, SIZE, SIZE, 3), dtype=np.uint8)
    rows = []
    for place in range(CLIPS):
        person, word = f"{place % PEOPLE + 1:02d}", int(numbers.integers(len(WORDS)))
        images[place, 20 * word : 20 * word + 20] += 20
        facts = {"dataset": "casme2", "subject": person, "person": f"casme2/{person}", "name": f"EP{place}"}
        rows.append({**facts, "image": place, "clip": f"casme2/{person}/EP{place}", "emotion": WORDS[word]})
    record = PrepareRecord(imported=True, preparation=None, images_kind="image", synthetic=True)
    save_prepared(out, images, pd.DataFrame(rows), record, [])


class OneByOne(Dataset):
    """Reads and changes one image at a time, as published loaders do."""

    def __init__(
        self,
        images: np.ndarray,
        targets: Tensor,
        steps: list[tuple[list[int], augment.AugmentationParameters]],
        training: Training,
    ) -> None:
        self.images, self.targets, self.training = images, targets, training
        self.wanted = [
            (position, place, chances) for chosen, chances in steps for place, position in enumerate(chosen)
        ]

    def __len__(self) -> int:
        return len(self.wanted)

    def __getitem__(self, number: int) -> tuple[Tensor, Tensor]:
        position, place, chances = self.wanted[number]
        here = slice(place, place + 1)
        one = augment.AugmentationParameters(
            chances.mirrored[here],
            chances.magnitudes[:, here],
            chances.share[here],
            torch.zeros(1, dtype=torch.int64),
        )
        image, target = augment.apply_augmentation(
            as_input(self.images[position][None]), self.targets[position][None], one, self.training
        )
        return image[0], target[0]


def epochs_of(
    course: BatchSchedule, epochs: int
) -> list[list[tuple[list[int], augment.AugmentationParameters, Tensor]]]:
    """What the study's loop would draw: order, chances and dropout of every step, in its order."""
    dropout = Dropout(0.5, 256)
    drawn = []
    for _ in range(epochs):
        steps = []
        for _ in range(course.steps_per_epoch):
            positions, chances = course.next_batch()
            steps.append(
                (positions.tolist(), chances, dropout.draw_mask(course.batch_size, course.generator))
            )
        drawn.append(steps)
    return drawn


def usual_way(folder: Path, training: Training, epochs: int, workers: int) -> list[str]:
    """The predictions of a study written as a fresh loop per fold, with a DataLoader, on all threads."""
    data = load_labelled_dataset(folder, "casme2-5")
    answers = [""] * len(data.rows)
    for index, fold in enumerate(make_folds(Study(), data.people, data.truth, data.datasets, 0)):
        seeded = replace(training, seed=fold_seed(training.seed, index))
        part = data.training_set(fold.train)
        targets = F.one_hot(torch.from_numpy(part.labels), part.classes).float()
        net = NETWORKS["learnet"](part.classes, SIZE, seed=purpose_seed(seeded.seed, "weights"))
        net.to(memory_format=torch.contiguous_format)
        optimiser = torch.optim.AdamW(
            net.parameters(), training.learning_rate, weight_decay=training.weight_decay
        )
        examples = part.examples(part.stored.for_training(training))
        course = BatchSchedule(examples, seeded, epochs)
        rates = BatchSchedule(examples, seeded, epochs)
        weights = class_weights(part.labels, part.classes)
        for steps in epochs_of(course, epochs):
            loader = DataLoader(
                OneByOne(part.images, targets, [step[:2] for step in steps], training),
                course.batch_size,
                num_workers=workers,
            )
            net.train()
            for (images, wanted), (_, _, mask) in zip(loader, steps, strict=True):
                optimiser.param_groups[0]["lr"] = rates.learning_rate
                rates.step += 1
                _set_mask(net, mask)
                loss = F.cross_entropy(net(images), wanted, weights, label_smoothing=training.label_smoothing)
                optimiser.zero_grad()
                loss.backward()
                optimiser.step()
        recompute_batch_norm(net, examples, training)
        _answer(net.eval(), data.training_set(fold.test).images, fold.test, data.scheme.classes, answers)
    return answers


def _set_mask(net: nn.Module, mask: Tensor) -> None:
    for layer in net.modules():
        if isinstance(layer, Dropout):
            layer.mask = mask


def _answer(
    net: nn.Module,
    images: np.ndarray,
    positions: tuple[int, ...],
    classes: tuple[str, ...],
    answers: list[str],
) -> None:
    with torch.no_grad():
        for position, image in zip(positions, images, strict=True):
            batch = as_input(image[None])
            scores = net(batch).softmax(1) + net(batch.flip(-1)).softmax(1)
            answers[position] = classes[int(scores.argmax())]


def main() -> None:
    parser = measure.options(__doc__, rounds=1)
    parser.add_argument("--epochs", type=int, default=8)
    chosen = parser.parse_args()
    about, cores = measure.machine(), torch.get_num_threads()
    training = Training(epochs=chosen.epochs, mirror="image", detrend=False)
    seconds: dict[str, list[float]] = {"the usual way": [], "learnet study": [], "one process": []}
    same = 0.0
    with tempfile.TemporaryDirectory() as place:
        root = Path(place)
        write_prepared(root / "prepared")
        for turn in range(chosen.rounds):
            start = time.perf_counter()
            expected = usual_way(root / "prepared", training, chosen.epochs, cores)
            seconds["the usual way"].append(time.perf_counter() - start)
            for name, jobs in (("learnet study", -1), ("one process", 1)):
                out = root / f"{name}{turn}"
                start = time.perf_counter()
                run_study(
                    root / "prepared",
                    out,
                    Study(keep_weights=False),
                    training,
                    Resources(jobs=jobs, device="cpu"),
                )
                seconds[name].append(time.perf_counter() - start)
                torch.set_num_threads(cores)  # a study in this process takes one
            found = {
                outcome.clip: outcome.prediction for outcome in read_outcomes(root / f"learnet study{turn}")
            }
            clips = load_labelled_dataset(root / "prepared", "casme2-5").prepared.clips["clip"]
            same = float(
                np.mean([found[clip] == answer for clip, answer in zip(clips, expected, strict=True)])
            )
    rows = [
        measure.Row(
            "leave-one-subject-out study of LEARNet, 247 x 112 px",
            "a DataLoader, a fresh loop per fold",
            round(measure.ratio(seconds, "the usual way", "learnet study"), 2),
            1.5,
        ),
        measure.Row(
            f"the same on {cores} cores",
            "one process",
            round(measure.ratio(seconds, "one process", "learnet study"), 2),
            1.8,
        ),
        measure.Row("predictions equal to those of the usual way", "all of them", round(same, 3), 1.0),
    ]
    details = {
        "epochs": chosen.epochs,
        "cores": cores,
        "seconds": {name: round(statistics.median(s), 1) for name, s in seconds.items()},
    }
    measure.save("study", chosen.out, about, rows, details)


if __name__ == "__main__":
    main()
