"""Fit the simulator to one database, train on its images, and score another database that nothing has seen.

    python benchmarks/simulator_transfer.py PREPARED [--networks ststnet learnet] [--seeds 3]

PREPARED is a folder of real flow images of two databases (`learnet import IMAGES LABELS.csv PREPARED --size
28 --kind flow`). The shipped parameters of the simulator were fitted to the images of all its people, without
labels. Here they are fitted again, to one database alone: a random search within wide ranges, by the mean
distance of the statistics of benchmarks/simulated.py, without labels. Networks are then trained on simulated
images (imitated flow, variation "narrow") and scored on each database. Of interest is the database to which
nothing was fitted; the shipped parameters, and parameters drawn without any fit, are scored beside it.
Written to benchmarks/results/<date>-<commit>-simulator_transfer.json.
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import measure
import numpy as np
from joblib import Parallel, delayed
from simulated import Group, compare, image_statistics, mean_distance, real_groups
from sklearn.metrics import f1_score, recall_score

from learnet.core.labels import SCHEMES
from learnet.core.settings import Training
from learnet.datasets.prepared.store import load_prepared
from learnet.datasets.synthetic.flow_images import draw_imitated_image
from learnet.motion.detrend import StoredImages
from learnet.motion.normalise import per_channel
from learnet.simulation.apex_movement import BLINK_AND_HEAD, BlinkAndHead
from learnet.simulation.imitated_flow import ESTIMATOR_MODEL, EstimatorModel
from learnet.training.examples import TrainingSet
from learnet.training.scorer import Scorer
from learnet.training.train import train

CLASSES = ("negative", "positive", "surprise", "none")
TRAINING = Training(
    epochs=10, batch_size=64, detrend=True, clipping_percentile=100, vary_clipping=90, mirror="flow"
)
SIZE = 28

LOGARITHMIC = {
    "max_skin_texture": (0.01, 1.0),
    "blend": (0.02, 0.5),
    "noise": (0.01, 0.2),
    "lid_px": (0.2, 2.0),
    "head_px": (0.05, 1.0),
}
LINEAR = {
    "texture_exponent": (0.5, 1.5),
    "least_smoothing": (0.3, 1.0),
    "most_smoothing": (1.0, 4.0),
    "dead_zone": (0.0, 0.15),
    "median_share": (0.0, 1.0),
    "sharp_noise_share": (0.0, 1.0),
    "noise_exponent": (0.0, 1.0),
    "outliers": (0.0, 5.0),
    "outlier_size": (0.0, 1.5),
    "least_speckle": (0.0, 0.5),
    "most_speckle": (0.5, 1.5),
    "blink_share": (0.0, 1.0),
}
"""Ranges of the seventeen parameters: drawn from uniformly, those of LOGARITHMIC in their logarithm."""

RANGES = {**LOGARITHMIC, **LINEAR}
FIRST_DRAWS = 60  # of the search, anywhere in the ranges; the later ones are near the best
IMAGES_A_DRAW = 160
LARGEST_STEP, SMALLEST_STEP = 0.25, 0.05  # standard deviation of a step, share of the range


@dataclass(frozen=True)
class Simulator:
    """The parameters of the simulated images."""

    estimator: EstimatorModel = ESTIMATOR_MODEL
    blink_and_head: BlinkAndHead = BLINK_AND_HEAD

    def images(
        self, count: int, seed: int, shares: tuple[float, ...] | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return images (count, S, S, 3), uint8, and their classes.

        Args:
            count: number of images.
            seed: of the images.
            shares: relative frequency of each of CLASSES; None: all equally frequent.
        """
        pixels = []
        labels = []
        for number in range(count):
            rng = np.random.default_rng([seed, number])
            label = int(rng.choice(len(CLASSES), p=shares))
            image, _, _ = draw_imitated_image(
                (CLASSES[label],), SIZE, rng, self.estimator, self.blink_and_head
            )
            pixels.append(per_channel(image))
            labels.append(label)
        return np.stack(pixels), np.array(labels, dtype=np.int64)


def simulator(position: np.ndarray) -> Simulator:
    """Return the simulator at a position (17,) in the ranges, 0..1 along each."""
    value = {}
    for share, (name, (low, high)) in zip(position, RANGES.items(), strict=True):
        value[name] = low * (high / low) ** share if name in LOGARITHMIC else low + share * (high - low)
    estimator = EstimatorModel(
        max_skin_texture=value["max_skin_texture"],
        texture_exponent=value["texture_exponent"],
        smoothing=(value["least_smoothing"], value["most_smoothing"]),
        blend=value["blend"],
        dead_zone=value["dead_zone"],
        median_share=value["median_share"],
        noise=value["noise"],
        sharp_noise_share=value["sharp_noise_share"],
        noise_exponent=value["noise_exponent"],
        outliers=value["outliers"],
        outlier_size=value["outlier_size"],
        speckle=(value["least_speckle"], value["most_speckle"]),
        subsampled_share=1.0,  # as all images of MEGC2019 were resized
    )
    return Simulator(estimator, BlinkAndHead(value["blink_share"], value["lid_px"], value["head_px"]))


def fit_simulator(real: Group, draws: int, seed: int) -> tuple[Simulator, list[float]]:
    """Return the simulator whose images are nearest to real ones, and the least distance after each draw.

    No label is read: negative, positive and surprise are simulated about as frequently as MEGC2019 publishes.
    """
    statistics = image_statistics(real.images)
    rng = np.random.default_rng(seed)
    best_position = np.zeros(0)
    best: list[float] = []
    for draw in range(draws):
        position = rng.random(len(RANGES))
        if draw >= FIRST_DRAWS:
            progress = (draw - FIRST_DRAWS) / (draws - FIRST_DRAWS)
            step = LARGEST_STEP * (SMALLEST_STEP / LARGEST_STEP) ** progress
            changed = rng.random(len(RANGES)) < 0.4
            position = np.clip(best_position + changed * rng.normal(0, step, len(RANGES)), 0, 1)
        images, _ = simulator(position).images(IMAGES_A_DRAW, seed=2, shares=(0.55, 0.25, 0.20, 0.0))
        distance = mean_distance(compare(statistics, image_statistics(images)))
        if not best or distance < best[-1]:
            best_position = position
        best.append(min([distance, *best[-1:]]))
    return simulator(best_position), best


def trained_scorer(network: str, images: np.ndarray, labels: np.ndarray, seed: int) -> Scorer:
    """Train a network as the shipped weights were trained."""
    settings = Training(**{**asdict(TRAINING), "seed": seed})
    data = TrainingSet(images, labels, [""] * len(labels), len(CLASSES))
    trained = train(network, data, settings)
    return Scorer.from_module(
        trained.module, settings.mirror_when_tested, settings.detrend_percentile, settings.views_at_test
    )


def scores(scorer: Scorer, images: np.ndarray, truth: np.ndarray) -> dict[str, float]:
    """Return UF1 and UAR on real images, whose class is never "none"."""
    predicted = scorer.scores(StoredImages(images))[:, :3].argmax(axis=1)
    return {
        "UF1": round(float(f1_score(truth, predicted, average="macro", labels=[0, 1, 2])), 3),
        "UAR": round(float(recall_score(truth, predicted, average="macro", labels=[0, 1, 2])), 3),
    }


def real_truth(prepared: Path) -> dict[str, np.ndarray]:
    """Return the classes of the images of each database, and of all."""
    clips = load_prepared(prepared).clips
    classes = np.array([CLASSES.index(SCHEMES["megc-3"].of[emotion]) for emotion in clips["emotion"]])
    truth = {str(name): classes[(clips["dataset"] == name).to_numpy()] for name in clips["dataset"].unique()}
    return {**truth, "all": classes}


def rows(
    simulators: dict[str, Simulator], networks: list[str], seeds: int, images: int, prepared: Path
) -> Iterator[dict[str, object]]:
    """Yield the scores of each simulator, network and seed on each database."""
    everyone, first, second = real_groups(prepared)
    real = {"all": everyone, first.name: first, second.name: second}
    truth = real_truth(prepared)
    for name, made_by in simulators.items():
        simulated, labels = made_by.images(images, seed=0)
        for network in networks:
            run = partial(trained_scorer, network, simulated, labels)
            for seed, scorer in enumerate(Parallel(n_jobs=2)(delayed(run)(seed) for seed in range(seeds))):
                of_databases = {
                    database: scores(scorer, group.images, truth[database])
                    for database, group in real.items()
                }
                row = {"parameters": name, "network": network, "seed": seed, **of_databases}
                print(row, flush=True)
                yield row


def main(arguments: list[str] | None = None) -> None:
    parser = measure.options(__doc__, rounds=1)
    parser.add_argument("prepared", type=Path, help="prepared folder of real flow images")
    parser.add_argument("--networks", nargs="+", default=["ststnet"])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--images", type=int, default=16_000, help="simulated images in training")
    parser.add_argument("--draws", type=int, default=300, help="of the search")
    chosen = parser.parse_args(arguments)
    about = measure.machine()
    _, first, second = real_groups(chosen.prepared)
    searches = Parallel(n_jobs=2)(
        delayed(fit_simulator)(group, chosen.draws, seed=0) for group in (first, second)
    )
    simulators = {"shipped, fitted to all": Simulator()}
    distances = {}
    for group, (fitted, best) in zip((first, second), searches, strict=True):
        simulators[f"fitted to {group.name}"] = fitted
        distances[group.name] = {"first draw": best[0], "fitted": best[-1]}
        print(f"fitted to {group.name}: distance {best[0]:.3f}, then {best[-1]:.3f}", flush=True)
    simulators["middle of the ranges, fitted to nothing"] = simulator(np.full(len(RANGES), 0.5))
    results = {
        "parameters": {name: asdict(made_by) for name, made_by in simulators.items()},
        "distances": distances,
        "scores": list(rows(simulators, chosen.networks, chosen.seeds, chosen.images, chosen.prepared)),
    }
    measure.save("simulator_transfer", chosen.out, about, [], results)


if __name__ == "__main__":
    main()
