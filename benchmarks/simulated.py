"""How far are simulated flow images from real ones? Compared without a single label.

    python benchmarks/simulated.py PREPARED     # writes benchmarks/results/<date>-<commit>-simulated.json and
    the figure beside it

PREPARED holds real flow images: `learnet import IMAGES LABELS.csv PREPARED --size 28 --kind flow`, or
`learnet prepare --motion flow-dis`. Of every image some thirty numbers are taken. For each of them: the 10 %,
50 % and 90 % quantile of real and of simulated images, and the Wasserstein distance between the two in units
of the real interquartile range. Then classifiers are told which image is real and which simulated, and tested
on people they have not seen; 0.5 is chance, 1 is perfect. The reference, measured in the same run, is two
real databases told apart in the same way (the two largest in PREPARED; two random halves of the people where
there is one).

The real images that go around for MEGC2019 were all made smaller by picking single pixels; of the simulated
ones half are, the others are means, as `learnet prepare` makes them. How far apart the two are where all are
picked is measured too, and where the estimator is not imitated but run (`--estimator measured`).

Labels are read neither of the real nor of the simulated images. No image is in the results, real ones being
licensed: only numbers."""

from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import matplotlib as mpl
import measure
import numpy as np
from matplotlib.figure import Figure
from scipy.stats import wasserstein_distance
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedGroupKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from learnet.datasets.prepared.store import load_prepared
from learnet.datasets.synthetic.flow_images import draw_imitated_image, simulate_flow
from learnet.motion.normalise import per_channel
from learnet.report.style import CELL, INK, MUTED, RULE, STYLE, save_figure
from learnet.simulation.imitated_flow import ESTIMATOR_MODEL, EstimatorModel

CHANNELS = ("u", "v", "strain")
CLASSES = ("negative", "positive", "surprise")
LOW, HIGH = (
    0.08,
    0.25,
)  # cycles per pixel: at 28 pixels about two waves across the image, and four pixels a wave
QUANTILES = (10, 50, 90)
FOLDS, RESAMPLES = 5, 200
WANTED = 1.0  # as near to real databases as these are to one another


@dataclass(frozen=True)
class Group:
    """Images and who is in each; nothing else is known of them."""

    name: str
    images: np.ndarray  # uint8 (N, S, S, 3)
    people: np.ndarray  # str (N,)


def numbers(images: np.ndarray) -> dict[str, np.ndarray]:
    """Statistics of images (N, S, S, 3), uint8: name -> a value for each image. Grey levels are shares of
    255."""
    x = images.astype(np.float64) / 255
    found = {
        f"{name} {what}": each
        for place, name in enumerate(CHANNELS)
        for what, each in of_channel(x[..., place]).items()
    }
    u, v, strain = (x[..., place] for place in range(3))
    found |= {"u with v": alike(u, v), "u with strain": alike(u, strain), "v with strain": alike(v, strain)}
    slopes = sum(np.abs(slope) for channel in (u, v) for slope in np.gradient(channel, axis=(1, 2)))
    found["slopes of u, v with strain"] = alike(slopes, strain)
    moves = sum(
        np.abs(rest(channel)) / (rest(channel).std(axis=(1, 2), keepdims=True) + 1e-9) for channel in (u, v)
    )
    for name, weight in (("strain", strain), ("motion", moves)):
        across, down, apart = position(weight)
        found |= {f"{name}, place across": across, f"{name}, place down": down, f"{name}, spread": apart}
    return found


def of_channel(x: np.ndarray) -> dict[str, np.ndarray]:
    """Numbers of one channel (N, S, S)."""
    median = np.median(x, axis=(1, 2))
    power = np.abs(np.fft.fft2(x - x.mean(axis=(1, 2), keepdims=True))) ** 2
    waves = np.fft.fftfreq(x.shape[1])
    cycles, total = np.hypot(waves[:, None], waves[None]), power.sum(axis=(1, 2)) + 1e-9
    return {
        "median": median,
        "spread": np.median(np.abs(x - median[:, None, None]), axis=(1, 2)),
        "gradient": sum(np.abs(np.diff(x, axis=axis)).mean(axis=(1, 2)) for axis in (1, 2)),
        "slow waves": power[:, cycles < LOW].sum(axis=1) / total,
        "fast waves": power[:, cycles > HIGH].sum(axis=1) / total,
        "even share": 1 - rest(x).var(axis=(1, 2)) / (x.var(axis=(1, 2)) + 1e-9),
        "with its mirror image": alike(x, x[:, :, ::-1]),
    }


def rest(x: np.ndarray) -> np.ndarray:
    """What an even motion leaves of a channel (N, S, S): its distance from the plane that fits best."""
    height, width = x.shape[1:]
    y, across = np.mgrid[:height, :width]
    terms = np.stack([np.ones(height * width), across.ravel(), y.ravel()], axis=1)
    flat = x.reshape(len(x), -1).T
    return (flat - terms @ np.linalg.lstsq(terms, flat, rcond=None)[0]).T.reshape(x.shape)


def alike(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Pearson's correlation of each pair of pictures; 0 where one of them is flat."""
    a, b = (x - x.mean(axis=(1, 2), keepdims=True) for x in (a, b))
    return (a * b).sum(axis=(1, 2)) / (np.sqrt((a**2).sum(axis=(1, 2)) * (b**2).sum(axis=(1, 2))) + 1e-9)


def position(weight: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Where a weight (N, S, S) lies: its middle across and down, and its distance from there, in shares of
    the image."""
    height, width = weight.shape[1:]
    y, x = np.mgrid[:height, :width] / np.array([height - 1, width - 1])[:, None, None]
    share = weight / (weight.sum(axis=(1, 2), keepdims=True) + 1e-9)
    across, down = (share * x).sum(axis=(1, 2)), (share * y).sum(axis=(1, 2))
    apart = (x - across[:, None, None]) ** 2 + (y - down[:, None, None]) ** 2
    return across, down, np.sqrt((share * apart).sum(axis=(1, 2)))


def compared(real: dict[str, np.ndarray], other: dict[str, np.ndarray]) -> dict[str, dict[str, object]]:
    """Quantiles of each number in both, and how far apart they are in interquartile ranges of the first."""
    table: dict[str, dict[str, object]] = {}
    for name, values in real.items():
        low, high = np.percentile(values, (25, 75))
        table[name] = {
            "real": np.percentile(values, QUANTILES).round(4).tolist(),
            "other": np.percentile(other[name], QUANTILES).round(4).tolist(),
            "distance": round(float(wasserstein_distance(values, other[name]) / (high - low + 1e-9)), 3),
        }
    return table


def classifiers() -> dict[str, tuple[object, str]]:
    """Name -> the classifier and what it sees."""
    linear = make_pipeline(StandardScaler(), LogisticRegression(C=0.1, max_iter=500))
    trees = HistGradientBoostingClassifier(max_iter=60, max_depth=3, random_state=0)
    return {
        "linear, pixels": (LogisticRegression(C=0.001, max_iter=200), "pixels"),
        "linear, numbers": (linear, "numbers"),
        "trees, numbers": (trees, "numbers"),
    }


def told_apart(first: Group, second: Group) -> dict[str, dict[str, object]]:
    """Area under the curve of each classifier on people it has not seen, with an interval over people."""
    seen = {
        "pixels": np.concatenate([group.images for group in (first, second)]).reshape(
            len(first.people) + len(second.people), -1
        )
        / 127.5
        - 1,
        "numbers": np.concatenate(
            [np.stack(list(numbers(group.images).values()), axis=1) for group in (first, second)]
        ),
    }
    truth = np.repeat([0, 1], [len(first.people), len(second.people)])
    people = np.concatenate(
        [[f"{group.name}/{person}" for person in group.people] for group in (first, second)]
    )
    said: dict[str, dict[str, object]] = {}
    for name, (model, what) in classifiers().items():
        score = scores(model, seen[what], truth, people)
        low, high = interval(truth, score, people)
        said[name] = {
            "auc": round(float(roc_auc_score(truth, score)), 3),
            "95 %": [round(low, 3), round(high, 3)],
        }
    return said


def folds(truth: np.ndarray, people: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
    """Train and test, no person in both."""
    splitter = StratifiedGroupKFold(FOLDS, shuffle=True, random_state=0)
    return list(splitter.split(np.zeros(len(truth)), truth, people))


def scores(model, seen: np.ndarray, truth: np.ndarray, people: np.ndarray) -> np.ndarray:
    """Each image's score by a classifier that knows none of its person."""
    found = np.empty(len(truth))
    for train, test in folds(truth, people):
        model.fit(seen[train], truth[train])
        found[test] = model.decision_function(seen[test])
    return found


def interval(truth: np.ndarray, score: np.ndarray, people: np.ndarray) -> tuple[float, float]:
    """95 % of the areas when people are drawn anew."""
    rng, of = (
        np.random.default_rng(0),
        {person: np.flatnonzero(people == person) for person in np.unique(people)},
    )
    sides = [[of[person] for person in np.unique(people[truth == side])] for side in (0, 1)]
    areas = []
    for _ in range(RESAMPLES):
        drawn = np.concatenate(
            [side[place] for side in sides for place in rng.integers(len(side), size=len(side))]
        )
        areas.append(roc_auc_score(truth[drawn], score[drawn]))
    low, high = np.percentile(areas, (2.5, 97.5))
    return float(low), float(high)


def real_groups(prepared: Path) -> tuple[Group, Group, Group]:
    """All real images, and two parts of them: the two largest databases, or halves of the people."""
    loaded = load_prepared(prepared)
    images, people, of = (
        np.asarray(loaded.images),
        loaded.clips["person"].to_numpy(str),
        loaded.clips["dataset"],
    )
    largest = list(of.value_counts().index[:2])
    if len(largest) == 2:
        parts = {name: (of == name).to_numpy() for name in largest}
    else:
        half = np.random.default_rng(0).permutation(np.unique(people))[::2]
        parts = {"half of the people": np.isin(people, half), "the others": ~np.isin(people, half)}
    first, second = (Group(name, images[chosen], people[chosen]) for name, chosen in parts.items())
    return Group("real", images, people), first, second


def simulated_group(
    name: str, images: int, size: int, seed: int, estimate: EstimatorModel = ESTIMATOR_MODEL
) -> Group:
    """The images of `learnet simulate --images IMAGES --size SIZE --seed SEED`, or of an estimator with other
    habits."""
    made = [
        per_channel(draw_imitated_image(CLASSES, size, np.random.default_rng([seed, number]), estimate)[0])
        for number in range(images)
    ]
    return Group(name, np.stack(made), np.arange(images).astype(str))


def measured_group(name: str, images: int, size: int, seed: int) -> Group:
    """The images of `learnet simulate --estimator measured`, eight a person."""
    with TemporaryDirectory() as folder:
        made = simulate_flow(Path(folder) / "measured", images, CLASSES, size, seed, "measured")
        return Group(name, np.array(made.images), made.clips["person"].to_numpy(str))


def quantile_figure(table: dict[str, dict[str, object]]) -> Figure:
    """Each number's 10, 50 and 90 % in real images (wide, pale) and in simulated ones (narrow, dark), real
    median 0, real spread 1."""
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(7.5, 0.24 * len(table) + 1.0), layout="constrained")
        axes = figure.add_subplot()
        for place, row in enumerate(table.values()):
            low, middle, high = row["real"]
            scaled = [(np.array(row[who]) - middle) / max(high - low, 1e-9) for who in ("real", "other")]
            for (start, centre, end), colour, wide in zip(scaled, (CELL, INK), (8, 1.5), strict=True):
                axes.plot([start, end], [place, place], color=colour, linewidth=wide, solid_capstyle="butt")
                axes.plot(
                    [centre],
                    [place],
                    color=INK if wide < 8 else "white",
                    marker="o" if wide < 8 else "|",
                    markersize=4.5,
                    markeredgewidth=1.5,
                )
            axes.text(
                1.01,
                place,
                f"{row['distance']:.2f}",
                transform=axes.get_yaxis_transform(),
                va="center",
                size=8,
                color=MUTED,
            )
        axes.text(
            1.01, -1, "distance", transform=axes.get_yaxis_transform(), va="center", size=8, color=MUTED
        )
        axes.set(ylim=(len(table) - 0.5, -1.5), yticks=range(len(table)), yticklabels=list(table))
        axes.set_xlabel("distance from the real median; the real images' 10 to 90 % is 1 wide")
        axes.set_title("10 to 90 % of real (pale) and simulated (dark) flow images")
        axes.tick_params(length=0)
        axes.grid(axis="x", color=RULE, linewidth=0.6)
        axes.set_axisbelow(True)
        axes.spines[:].set_visible(False)
    return figure


def show(table: dict[str, dict[str, object]]) -> None:
    print(f"{'':<28} {'real 10 %, 50 %, 90 %':<26} {'simulated':<26} distance")
    for name, row in table.items():
        real, other = ("".join(f"{value:8.3f}" for value in row[who]) for who in ("real", "other"))
        print(f"{name:<28}{real:<27}{other:<27}{row['distance']:>8.2f}")


def mean_distance(table: dict[str, dict[str, object]]) -> float:
    return float(np.mean([row["distance"] for row in table.values()]))


def main(arguments: list[str] | None = None) -> None:
    parser = measure.options(__doc__, rounds=1)
    parser.add_argument("prepared", type=Path, help="prepared folder of real flow images")
    parser.add_argument("--simulated", type=int, default=400, help="simulated images")
    parser.add_argument(
        "--seed", type=int, default=1, help="of the simulated images; the weights that come along have seen 0"
    )
    chosen = parser.parse_args(arguments)
    about = measure.machine()
    real, first, second = real_groups(chosen.prepared)
    size = real.images.shape[1]
    made = simulated_group("simulated", chosen.simulated, size, chosen.seed)
    picked = simulated_group(
        "simulated, all picked",
        chosen.simulated,
        size,
        chosen.seed,
        replace(ESTIMATOR_MODEL, subsampled_share=1.0),
    )
    run = measured_group("simulated, measured", chosen.simulated, size, chosen.seed)
    pairs = {
        "real from simulated": (real, made),
        "real from simulated, all picked": (real, picked),
        "real from simulated, measured": (real, run),
        "reference": (first, second),
    }
    tables = {
        name: compared(numbers(one.images), numbers(other.images)) for name, (one, other) in pairs.items()
    }
    show(tables["real from simulated"])
    distance = {name: mean_distance(table) for name, table in tables.items()}
    with threadpool_limits(1):
        apart = {name: told_apart(*pair) for name, pair in pairs.items()}
    names = f"{first.name} from {second.name}"
    rows = [
        measure.Row(
            f"mean distance of {name}",
            names,
            distance[name] / distance["reference"],
            WANTED,
            smaller_is_better=True,
        )
        for name in pairs
        if name != "reference"
    ]
    details = {
        "reference": names,
        "images and people": {
            group.name: [len(group.people), len(np.unique(group.people))]
            for group in (real, first, second, made, picked, run)
        },
        "seed": chosen.seed,
        "numbers": tables["real from simulated"],
        "mean distance": {name: round(value, 3) for name, value in distance.items()},
        "area under the curve": apart,
    }
    path = measure.save("simulated", chosen.out, about, rows, details)
    save_figure(quantile_figure(details["numbers"]), path.with_suffix(".png"))


if __name__ == "__main__":
    main()
