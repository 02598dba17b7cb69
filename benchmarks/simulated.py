"""Compare simulated with real flow images without reading any label.

    python benchmarks/simulated.py PREPARED

This writes benchmarks/results/<date>-<commit>-simulated.json and a figure beside it. PREPARED holds real flow
images: `learnet import IMAGES LABELS.csv PREPARED --size 28 --kind flow`, or `learnet prepare --motion
flow-dis`.

About thirty statistics are computed for every image. For each of them, the result has the 10 %, 50 % and 90 %
quantiles of real and of simulated images, and the Wasserstein distance between the two in units of the real
interquartile range. Then classifiers are trained to distinguish real from simulated images and tested on
people not in training; 0.5 is chance, 1 is perfect. The reference, measured in the same run, is the same for
two real databases (the two largest in PREPARED, or two random halves of the people of a single one).

The real images of MEGC2019 were all resized by picking single pixels; half of the simulated ones are, and the
others are area means, as `learnet prepare` makes them. The comparison is repeated with all simulated images
subsampled, then also with the classes as frequent as in the composite instead of equally frequent, and with a
measured instead of an imitated flow. The results contain numbers, but no real image.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import matplotlib as mpl
import measure
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy.stats import wasserstein_distance
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedGroupKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from learnet.core.figure_style import CELL, INK, MUTED, RULE, STYLE
from learnet.datasets.prepared.store import load_prepared
from learnet.datasets.synthetic.flow_images import draw_imitated_image, simulate_flow
from learnet.motion.normalise import per_channel
from learnet.report.style import save_figure
from learnet.simulation.imitated_flow import ESTIMATOR_MODEL, EstimatorModel

CHANNELS = ("u", "v", "strain")
CLASSES = ("negative", "positive", "surprise")
PUBLISHED_SHARES = (0.51, 0.27, 0.22)  # of these in CASME II and SMIC in the composite of MEGC2019
LOW, HIGH = 0.08, 0.25  # cycles per pixel: at 28 pixels about two waves across, and four pixels per wave
QUANTILES = (10, 50, 90)
FOLDS, RESAMPLES = 5, 200
TARGET = 1.0  # as close to real databases as these are to one another

Statistics = dict[str, np.ndarray]  # name -> a value for each image
Table = dict[str, dict[str, object]]  # name of a statistic or classifier -> its results


@dataclass(frozen=True)
class Group:
    """Images and the person in each."""

    name: str
    images: np.ndarray  # uint8 (N, S, S, 3)
    people: np.ndarray  # str (N,)


def image_statistics(images: np.ndarray) -> Statistics:
    """Compute the statistics of images (N, S, S, 3), uint8. Grey levels are shares of 255."""
    u, v, strain = np.moveaxis(images.astype(np.float64) / 255, -1, 0)
    statistics = {}
    for channel_name, channel in zip(CHANNELS, (u, v, strain), strict=True):
        for name, values in channel_statistics(channel).items():
            statistics[f"{channel_name} {name}"] = values
    statistics["u with v"] = correlation(u, v)
    statistics["u with strain"] = correlation(u, strain)
    statistics["v with strain"] = correlation(v, strain)
    statistics["slopes of u, v with strain"] = correlation(total_gradient(u, v), strain)
    for name, weight in (("strain", strain), ("motion", local_motion(u) + local_motion(v))):
        across, down, spread = weighted_position(weight)
        statistics[f"{name}, place across"] = across
        statistics[f"{name}, place down"] = down
        statistics[f"{name}, spread"] = spread
    return statistics


def total_gradient(u: np.ndarray, v: np.ndarray) -> np.ndarray:
    """Return the sum of the absolute gradients of two channels (N, S, S) along both axes."""
    total = np.zeros_like(u)
    for channel in (u, v):
        for gradient in np.gradient(channel, axis=(1, 2)):
            total = total + np.abs(gradient)
    return total


def local_motion(x: np.ndarray) -> np.ndarray:
    """Return the absolute deviation of a channel (N, S, S) from its planar trend, in standard deviations."""
    residual = detrend(x)
    sd = residual.std(axis=(1, 2), keepdims=True)
    return np.abs(residual) / (sd + 1e-9)


def channel_statistics(x: np.ndarray) -> Statistics:
    """Compute the statistics of one channel (N, S, S)."""
    median = np.median(x, axis=(1, 2))
    deviation = np.abs(x - median[:, None, None])
    horizontal = np.abs(np.diff(x, axis=2)).mean(axis=(1, 2))
    vertical = np.abs(np.diff(x, axis=1)).mean(axis=(1, 2))
    centred = x - x.mean(axis=(1, 2), keepdims=True)
    power = np.abs(np.fft.fft2(centred)) ** 2
    total = power.sum(axis=(1, 2)) + 1e-9
    frequencies = np.fft.fftfreq(x.shape[1])
    cycles = np.hypot(frequencies[:, None], frequencies[None])
    residual_variance = detrend(x).var(axis=(1, 2))
    return {
        "median": median,
        "spread": np.median(deviation, axis=(1, 2)),
        "gradient": vertical + horizontal,
        "slow waves": power[:, cycles < LOW].sum(axis=1) / total,
        "fast waves": power[:, cycles > HIGH].sum(axis=1) / total,
        "even share": 1 - residual_variance / (x.var(axis=(1, 2)) + 1e-9),
        "with its mirror image": correlation(x, x[:, :, ::-1]),
    }


def detrend(x: np.ndarray) -> np.ndarray:
    """Return the deviation of a channel (N, S, S) from the plane that fits it best."""
    height, width = x.shape[1:]
    rows, columns = np.mgrid[:height, :width]
    ones = np.ones(height * width)
    terms = np.stack([ones, columns.ravel(), rows.ravel()], axis=1)
    pixels = x.reshape(len(x), -1).T
    coefficients, *_ = np.linalg.lstsq(terms, pixels, rcond=None)
    residual = pixels - terms @ coefficients
    return residual.T.reshape(x.shape)


def correlation(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return Pearson's correlation of each pair of images; 0 where one of them is constant."""
    a = a - a.mean(axis=(1, 2), keepdims=True)
    b = b - b.mean(axis=(1, 2), keepdims=True)
    a_power = (a**2).sum(axis=(1, 2))
    b_power = (b**2).sum(axis=(1, 2))
    product = (a * b).sum(axis=(1, 2))
    return product / (np.sqrt(a_power * b_power) + 1e-9)


def weighted_position(weight: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the centre (across, down) of weights (N, S, S) and their spread, as shares of the image."""
    height, width = weight.shape[1:]
    size = np.array([height - 1, width - 1])
    y, x = np.mgrid[:height, :width] / size[:, None, None]
    total = weight.sum(axis=(1, 2), keepdims=True)
    share = weight / (total + 1e-9)
    across = (share * x).sum(axis=(1, 2))
    down = (share * y).sum(axis=(1, 2))
    squared_distance = (x - across[:, None, None]) ** 2 + (y - down[:, None, None]) ** 2
    variance = (share * squared_distance).sum(axis=(1, 2))
    return across, down, np.sqrt(variance)


def compare(real: Statistics, other: Statistics) -> Table:
    """Return the quantiles of each statistic in both groups, and their distance in interquartile ranges."""
    table: Table = {}
    for name, values in real.items():
        low, high = np.percentile(values, (25, 75))
        distance = wasserstein_distance(values, other[name]) / (high - low + 1e-9)
        table[name] = {
            "real": np.percentile(values, QUANTILES).round(4).tolist(),
            "other": np.percentile(other[name], QUANTILES).round(4).tolist(),
            "distance": round(float(distance), 3),
        }
    return table


def classifiers() -> dict[str, tuple[object, str]]:
    """Return name -> the classifier and its input, "pixels" or "numbers"."""
    linear = make_pipeline(StandardScaler(), LogisticRegression(C=0.1, max_iter=500))
    trees = HistGradientBoostingClassifier(max_iter=60, max_depth=3, random_state=0)
    return {
        "linear, pixels": (LogisticRegression(C=0.001, max_iter=200), "pixels"),
        "linear, numbers": (linear, "numbers"),
        "trees, numbers": (trees, "numbers"),
    }


def separability(first: Group, second: Group) -> Table:
    """Return the area under the ROC curve of each classifier on people not in training, with an interval."""
    groups = (first, second)
    images = np.concatenate([group.images for group in groups])
    statistics = []
    people = []
    for group in groups:
        columns = image_statistics(group.images).values()
        statistics.append(np.stack(list(columns), axis=1))
        people += [f"{group.name}/{person}" for person in group.people]
    inputs = {
        "pixels": images.reshape(len(images), -1) / 127.5 - 1,
        "numbers": np.concatenate(statistics),
    }
    truth = np.repeat([0, 1], [len(first.people), len(second.people)])
    table: Table = {}
    for name, (model, input_name) in classifiers().items():
        scores = cross_validated_scores(model, inputs[input_name], truth, np.array(people))
        low, high = bootstrap_interval(truth, scores, np.array(people))
        table[name] = {
            "auc": round(float(roc_auc_score(truth, scores)), 3),
            "95 %": [round(low, 3), round(high, 3)],
        }
    return table


def person_folds(truth: np.ndarray, people: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return training and test rows of each fold, no person in both."""
    splitter = StratifiedGroupKFold(FOLDS, shuffle=True, random_state=0)
    return list(splitter.split(np.zeros(len(truth)), truth, people))


def cross_validated_scores(model, inputs: np.ndarray, truth: np.ndarray, people: np.ndarray) -> np.ndarray:
    """Return the score of each image by a classifier trained without its person."""
    scores = np.empty(len(truth))
    for train, test in person_folds(truth, people):
        model.fit(inputs[train], truth[train])
        scores[test] = model.decision_function(inputs[test])
    return scores


def bootstrap_interval(truth: np.ndarray, scores: np.ndarray, people: np.ndarray) -> tuple[float, float]:
    """Return the 95 % interval of the area under the curve by resampling people within each group."""
    rng = np.random.default_rng(0)
    rows_of_groups = []
    for group in (0, 1):
        group_people = np.unique(people[truth == group])
        rows_of_groups.append([np.flatnonzero(people == person) for person in group_people])
    areas = []
    for _ in range(RESAMPLES):
        drawn = []
        for rows_of_people in rows_of_groups:
            choice = rng.integers(len(rows_of_people), size=len(rows_of_people))
            drawn += [rows_of_people[index] for index in choice]
        rows = np.concatenate(drawn)
        areas.append(roc_auc_score(truth[rows], scores[rows]))
    low, high = np.percentile(areas, (2.5, 97.5))
    return float(low), float(high)


def real_groups(prepared: Path) -> tuple[Group, Group, Group]:
    """Return all real images, and two parts: the two largest databases, or halves of the people."""
    loaded = load_prepared(prepared)
    images = np.asarray(loaded.images)
    people = loaded.clips["person"].to_numpy(str)
    datasets = loaded.clips["dataset"]
    largest = list(datasets.value_counts().index[:2])
    if len(largest) == 2:
        parts = {name: (datasets == name).to_numpy() for name in largest}
    else:
        half = np.random.default_rng(0).permutation(np.unique(people))[::2]
        in_half = np.isin(people, half)
        parts = {"half of the people": in_half, "the others": ~in_half}
    first, second = (Group(name, images[rows], people[rows]) for name, rows in parts.items())
    return Group("real", images, people), first, second


def simulated_group(  # noqa: PLR0913
    name: str,
    images: int,
    size: int,
    seed: int,
    model: EstimatorModel = ESTIMATOR_MODEL,
    shares: Sequence[float] | None = None,
) -> Group:
    """Make the images of `learnet simulate --images IMAGES --size SIZE --seed SEED`, or of another model.

    With `shares` the classes are drawn with these frequencies.
    """
    pixels = []
    for number in range(images):
        rng = np.random.default_rng([seed, number])
        classes = CLASSES if shares is None else (str(rng.choice(CLASSES, p=shares)),)
        image, _, _ = draw_imitated_image(classes, size, rng, model)
        pixels.append(per_channel(image))
    people = np.arange(images).astype(str)
    return Group(name, np.stack(pixels), people)


def measured_group(name: str, images: int, size: int, seed: int) -> Group:
    """Make the images of `learnet simulate --estimator measured`, eight per person."""
    with TemporaryDirectory() as folder:
        made = simulate_flow(Path(folder) / "measured", images, CLASSES, size, seed, "measured")
        return Group(name, np.array(made.images), made.clips["person"].to_numpy(str))


def quantile_figure(table: Table) -> Figure:
    """Draw the 10, 50 and 90 % quantiles of each statistic, in real (pale) and simulated (dark) images.

    The real median is at 0, and the real range from 10 to 90 % is 1 wide.
    """
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(7.5, 0.24 * len(table) + 1.0), layout="constrained")
        axes = figure.add_subplot()
        for position, row in enumerate(table.values()):
            draw_quantiles(axes, position, row)
            draw_note(axes, position, f"{row['distance']:.2f}")
        draw_note(axes, -1, "distance")
        axes.set(ylim=(len(table) - 0.5, -1.5), yticks=range(len(table)), yticklabels=list(table))
        axes.set_xlabel("distance from the real median; the real images' 10 to 90 % is 1 wide")
        axes.set_title("10 to 90 % of real (pale) and simulated (dark) flow images")
        axes.tick_params(length=0)
        axes.grid(axis="x", color=RULE, linewidth=0.6)
        axes.set_axisbelow(True)
        axes.spines[:].set_visible(False)
    return figure


def draw_quantiles(axes: Axes, position: int, row: dict) -> None:
    """Draw a wide pale bar for real images and a narrow dark one for simulated images."""
    low, median, high = row["real"]
    scale = max(high - low, 1e-9)
    real = (np.array(row["real"]) - median) / scale
    other = (np.array(row["other"]) - median) / scale
    height = [position, position]
    axes.plot([real[0], real[2]], height, color=CELL, linewidth=8, solid_capstyle="butt")
    axes.plot(real[1], position, color="white", marker="|", markersize=4.5, markeredgewidth=1.5)
    axes.plot([other[0], other[2]], height, color=INK, linewidth=1.5, solid_capstyle="butt")
    axes.plot(other[1], position, color=INK, marker="o", markersize=4.5, markeredgewidth=1.5)


def draw_note(axes: Axes, position: float, text: str) -> None:
    """Write a text at the right of a row."""
    axes.text(
        1.01,
        position,
        text,
        transform=axes.get_yaxis_transform(),
        va="center",
        size=8,
        color=MUTED,
    )


def print_table(table: Table) -> None:
    print(f"{'':<28} {'real 10 %, 50 %, 90 %':<26} {'simulated':<26} distance")
    for name, row in table.items():
        real = "".join(f"{value:8.3f}" for value in row["real"])
        other = "".join(f"{value:8.3f}" for value in row["other"])
        print(f"{name:<28}{real:<27}{other:<27}{row['distance']:>8.2f}")


def mean_distance(table: Table) -> float:
    return float(np.mean([row["distance"] for row in table.values()]))


def result_rows(distances: dict[str, float], reference: str) -> list[measure.Row]:
    """Return the rows of the table of `make bench`."""
    rows = []
    for name, distance in distances.items():
        if name != "reference":
            row = measure.Row(
                f"mean distance of {name}",
                reference,
                distance / distances["reference"],
                TARGET,
                smaller_is_better=True,
            )
            rows.append(row)
    return rows


def main(arguments: list[str] | None = None) -> None:
    parser = measure.options(__doc__, rounds=1)
    parser.add_argument("prepared", type=Path, help="prepared folder of real flow images")
    parser.add_argument("--simulated", type=int, default=400, help="simulated images")
    parser.add_argument("--seed", type=int, default=1, help="of these; shipped weights were trained on 0")
    chosen = parser.parse_args(arguments)
    about = measure.machine()
    real, first, second = real_groups(chosen.prepared)
    sample = (chosen.simulated, real.images.shape[1], chosen.seed)
    imitated = simulated_group("simulated", *sample)
    subsampled_model = replace(ESTIMATOR_MODEL, subsampled_share=1.0)
    subsampled = simulated_group("simulated, all picked", *sample, subsampled_model)
    as_published = simulated_group(
        "simulated, all picked, classes as published", *sample, subsampled_model, PUBLISHED_SHARES
    )
    measured = measured_group("simulated, measured", *sample)
    pairs = {
        "real from simulated": (real, imitated),
        "real from simulated, all picked": (real, subsampled),
        "real from simulated, all picked, classes as published": (real, as_published),
        "real from simulated, measured": (real, measured),
        "reference": (first, second),
    }
    tables = {}
    for name, (group, other) in pairs.items():
        tables[name] = compare(image_statistics(group.images), image_statistics(other.images))
    print_table(tables["real from simulated"])
    distances = {name: mean_distance(table) for name, table in tables.items()}
    with threadpool_limits(1):
        areas = {name: separability(*pair) for name, pair in pairs.items()}
    reference = f"{first.name} from {second.name}"
    sizes = {}
    for group in (real, first, second, imitated, subsampled, as_published, measured):
        sizes[group.name] = [len(group.people), len(np.unique(group.people))]
    details = {
        "reference": reference,
        "images and people": sizes,
        "seed": chosen.seed,
        "numbers": tables["real from simulated"],
        "mean distance": {name: round(value, 3) for name, value in distances.items()},
        "area under the curve": areas,
    }
    path = measure.save("simulated", chosen.out, about, result_rows(distances, reference), details)
    save_figure(quantile_figure(tables["real from simulated"]), path.with_suffix(".png"))


if __name__ == "__main__":
    main()
