"""Settings records: how images are made, how a network is trained, how a study is run.

They are separate from the code that uses them, so that the command line can list every option without loading
torch. The docstring of a field is the help text of its option. Checkpoints and study folders keep the
records: a setting that is added later must have the former behaviour as its default, or name it
(`serialisation.automatic_key`).
"""

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from learnet.core.errors import LearnetError
from learnet.core.network_info import NETWORK_HELP
from learnet.core.serialisation import automatic_key, later_key
from learnet.core.settings_checks import (
    HISTOGRAM_SIZES,
    INF,
    MOST_EPOCHS,
    MOST_SEEDS,
    check_choices,
    check_clipping,
    check_histograms,
    check_rules,
)

SHORTEST_S, LONGEST_S = 0.001, 60  # seconds in one window: time stamps; its frames are in memory at once
MOST_MAGNIFIED = 100  # times; a movement of a tenth of a pixel would then cover ten
MOST_OVERLAP = 0.99  # of half a second that is a window every 5 ms, a frame of a fast camera


def window_rule(window_s: float) -> tuple[bool, str]:
    """Return whether the length of a window is allowed, and what is wrong where it is not."""
    problem = f"window_s must be from {SHORTEST_S} to {LONGEST_S}, not {window_s}"
    return SHORTEST_S <= window_s <= LONGEST_S, problem


@dataclass(frozen=True)
class DatasetSubset:
    """Which part of a database is read, where it has several. A database refuses any other."""

    tree: str | None = None
    """Which of several folder trees of the same clips, such as cropped or raw; by default the one that most
    published results use."""

    part: str | None = None
    """Camera (smic and smic-e: HS, VIS, NIR) or part (casme3: A, C); by default the first."""

    expressions: Literal["micro", "macro", "all"] = "micro"
    """Micro-expressions, macro-expressions, or all clips (for smic including those without an expression)."""

    list: Path | None = None
    """The organisers' list of clips and classes (megc2019: combined_3class_gt.csv)."""

    label_map: Path | None = None
    """TOML file with a table [labels] that says which emotion each of your own words is (folder)."""


@dataclass(frozen=True)
class Preparation:
    """How a motion image is computed from a clip. Two images are comparable only if these are equal."""

    motion: str = "dynamic"
    """Motion image (docs/motion.md): dynamic (Bilen et al.), dynamic-released (the authors' Python),
    dynamic-linear, dynamic-exact; dynamic-rise (onset to apex), dynamic-fall (apex to offset); active (for
    originet); flow-dis, flow-tvl1 (u, v, strain from onset to apex); difference (apex minus onset);
    onset-face, apex-face (controls); lbp-top, lbp-fip, bi-woof (histograms, for the networks of the same
    names)."""

    size: int = 112
    """Height and width of the image in pixels; the paper uses 112."""

    face: Literal["auto", "yunet", "haar", "none"] = "auto"
    """Face detector: auto (yunet if its model file is there, else haar), yunet, haar, or none if the frames
    are face crops."""

    stabilise: bool = False
    """Remove the head motion that remains after alignment, estimated on rigid parts of the face only."""

    normalise: Literal["auto", "joint-minmax", "signed", "per-channel", "unit"] = "auto"
    """Scaling to 0..255: joint-minmax (one range over three channels, as the authors do), signed (no motion
    is mid-grey), per-channel (each channel by its own range), unit (0 to 1, for histograms), or
    auto (per-channel for flow, unit for histograms, else joint-minmax)."""

    remove_global_motion: bool = False
    """Remove the motion of the whole head from optical flow."""

    magnify: float = 0.0
    """Magnify the movements of the clip first (Eulerian video magnification): this many times their size is
    added; 0 is off, 2 to 10 are usual."""

    def __post_init__(self) -> None:
        is_flow = self.motion.startswith("flow-")
        check_rules(
            (28 <= self.size <= 1024, f"A motion image is 28 to 1024 pixels wide, not {self.size}"),
            (
                0 <= self.magnify <= MOST_MAGNIFIED,
                f"magnify must be from 0 to {MOST_MAGNIFIED}, not {self.magnify}",
            ),
            (
                is_flow or not self.remove_global_motion,
                f"remove_global_motion is for optical flow, and {self.motion} is none. "
                "stabilise (--stabilise) removes head motion before any motion image",
            ),
            (
                not is_flow or self.normalise != "joint-minmax",
                "Pixels and strain share no range: normalise cannot be joint-minmax for optical flow. "
                "Choose per-channel or signed",
            ),
        )
        check_histograms(self.motion, self.size, self.normalise)

    @property
    def settled(self) -> "Preparation":
        """The same with a definite normalisation, so that equal records mean equal images."""
        if self.normalise != "auto":
            return self
        if self.motion in HISTOGRAM_SIZES:
            return replace(self, normalise="unit")
        return replace(self, normalise="per-channel" if self.motion.startswith("flow-") else "joint-minmax")


@dataclass(frozen=True)
class Training:
    """How a network is trained. No setting is ever selected on the person tested."""

    epochs: int = 60
    """Passes over the training images. With --inner-groups: the largest number that may be selected."""

    inner_groups: int = 0
    """Select the number of epochs on this many groups of the training people; 0 uses --epochs as it is."""

    batch_size: int = 16
    """Images per step."""

    optimiser: Literal["adamw", "sgd"] = "adamw"
    """AdamW, or SGD with momentum 0.9."""

    learning_rate: float = 1e-3
    """Largest learning rate."""

    weight_decay: float = 1e-2
    """Decoupled weight decay (for sgd: L2)."""

    schedule: Literal["cosine", "constant"] = "cosine"
    """Learning rate over the epochs: cosine to zero with one warm-up epoch, or constant."""

    class_weights: Literal["balanced", "none"] = "balanced"
    """Weight of a class in the loss: by its rarity among the training clips, or equal."""

    label_smoothing: float = 0.1
    """Share of the target that is spread over all classes."""

    augment: Literal["none", "light"] = "light"
    """Augmentation of a training batch: none, or light (small shift, rotation, scale and contrast)."""

    detrend: bool | None = automatic_key(False)
    """Remove the planar trend of u and of v from flow images, in training and at test: head motion leaves
    it. By default yes for flow images, and no for all others, which have no such trend."""

    clipping_percentile: int | None = automatic_key(100)
    """Percentile (50 to 100) of the movements in a detrended image that becomes the largest value; larger
    ones are clipped, at 100 none. By default 98."""

    vary_clipping: int = 0
    """Clip detrended training images each at a random percentile, uniformly from this one to 100, for images
    from other flow estimators; at test as --clipping-percentile says. 0 is off."""

    mirror: Literal["auto", "none", "image", "flow"] = "auto"
    """Mirrored faces in training: image (flipped), flow (flipped, horizontal movement negated), none, or auto
    (by the kind of images)."""

    mirror_at_test: bool = True
    """Average the scores of an image and its mirror image at test, unless mirror is none."""

    views_at_test: Literal["one", "many"] = later_key("one")
    """At test, score each image as it is (one), or average its scores over 17 shifts and, if it is
    detrended, two clipping percentiles (many)."""

    phases: bool = False
    """Train also on the images of each clip's phases, from `learnet prepare --phases` or `--parts` or
    `learnet import`; they are not tested, unless --phases-at-test says so."""

    phases_at_test: bool = later_key(False)
    """Score test clips by the mean probabilities of their image and their phases; needs --phases."""

    mixup: float = 0.0
    """Mix pairs of training images and their labels (mixup): alpha of the Beta distribution; 0 is off."""

    init: str = ""
    """Initial weights instead of random numbers: a file of `learnet train`, the name of weights that come
    with learnet, or `pretrained`: those of them that fit."""

    interpolate_init: float = 0.0
    """Share of the initial weights in the final weights (0 to below 1); for --init. After training, weights
    are interpolated linearly between the two (docs/pretrained.md)."""

    regularisation_c: float | None = later_key(None)
    """C of linear-svm, rbf-svm, logistic, lbp-top, lbp-fip and bi-woof: the smaller, the simpler the model;
    by default that of the network (docs/networks.md)."""

    rbf_gamma: float = later_key(1.0)
    """Gamma of the kernel of rbf-svm, as a multiple of 1 / median squared distance of the training images."""

    pca_components: int = later_key(120)
    """Principal components on which lda is fitted (at most the number of training images less one)."""

    seed: int = 0
    """First random seed of weights, order and augmentation; several seeds count up from it."""

    def __post_init__(self) -> None:
        check_choices(self)
        self._check_optimisation()
        self._check_images()
        self._check_init()

    def _check_optimisation(self) -> None:
        check_rules(
            (1 <= self.epochs <= MOST_EPOCHS, f"epochs must be from 1 to {MOST_EPOCHS}, not {self.epochs}"),
            (
                self.inner_groups == 0 or self.inner_groups >= 2,
                f"inner_groups must be 0 or at least 2, not {self.inner_groups}",
            ),
            (self.batch_size >= 2, f"batch_size must be at least 2, not {self.batch_size}"),
            (0 < self.learning_rate < INF, f"learning_rate must be positive, not {self.learning_rate}"),
            (0 <= self.weight_decay < INF, f"weight_decay cannot be {self.weight_decay}"),
            (
                0 <= self.label_smoothing < 1,
                f"label_smoothing must be from 0 to below 1, not {self.label_smoothing}",
            ),
            (0 <= self.mixup < INF, f"mixup cannot be {self.mixup}"),
            (
                self.regularisation_c is None or 0 < self.regularisation_c < INF,
                f"regularisation_c must be positive, not {self.regularisation_c}",
            ),
            (0 < self.rbf_gamma < INF, f"rbf_gamma must be positive, not {self.rbf_gamma}"),
            (self.pca_components >= 1, f"pca_components must be at least 1, not {self.pca_components}"),
            (0 <= self.seed < 2**31, f"seed must be from 0 to 2147483647, not {self.seed}"),
        )

    def _check_images(self) -> None:
        check_clipping(self.detrend, self.clipping_percentile, self.vary_clipping)
        check_rules(
            (
                self.phases or not self.phases_at_test,
                "phases_at_test needs phases: set phases (--phases) too",
            )
        )

    def _check_init(self) -> None:
        check_rules(
            (
                0 <= self.interpolate_init < 1,
                f"interpolate_init must be from 0 to below 1, not {self.interpolate_init}",
            ),
            (
                bool(self.init) or not self.interpolate_init,
                "interpolate_init is for networks with initial weights: name them with init (--init)",
            ),
            (
                not (self.inner_groups and self.interpolate_init),
                "interpolate_init does not go with inner_groups, whose networks are tested before the "
                "interpolation: leave one of them out",
            ),
        )

    @property
    def detrend_percentile(self) -> int:
        """Clipping percentile of detrended images; 0 where the images stay as they are.

        Raises:
            LearnetError: it is automatic, so it depends on the images (`automatic_settings`).
        """
        if self.detrend is False:
            return 0
        if self.detrend is None or self.clipping_percentile is None:
            what = (
                "detrend or clipping_percentile is automatic, and the kind of the images is not known here."
            )
            raise LearnetError(what, "Set both.")
        return self.clipping_percentile

    @property
    def mirror_when_tested(self) -> str:
        """Mirroring at test of a network that was trained with these settings: "image", "flow" or "none"."""
        return self.mirror if self.mirror_at_test and self.mirror != "auto" else "none"


@dataclass(frozen=True)
class Windows:
    """How a video longer than `whole_s` is cut: windows of `window_s` that share `overlap` of it."""

    window_s: float = 0.5
    """Length of a window in seconds; a micro-expression lasts at most half a second."""

    overlap: float = 0.5
    """Share of a window that the next one repeats (0 to 0.99)."""

    whole_s: float = 1.0
    """Videos up to this length, in seconds, are one window."""

    def __post_init__(self) -> None:
        check_rules(
            window_rule(self.window_s),
            (
                0 <= self.overlap <= MOST_OVERLAP,
                f"overlap must be from 0 to {MOST_OVERLAP}, not {self.overlap}",
            ),
            (0 <= self.whole_s <= LONGEST_S, f"whole_s must be from 0 to {LONGEST_S}, not {self.whole_s}"),
        )


@dataclass(frozen=True)
class Study:
    """What a study tests: which network, under which protocol, on which classes, how often."""

    network: str = field(default="learnet", metadata={"help": NETWORK_HELP})
    """Name in `learnet.networks.NETWORKS`; the help text lists all names."""

    protocol: Literal["loso", "groups", "lodo", "across", "leaky-clips", "leaky-epoch"] = "loso"
    """Who is tested: loso (each person once, trained on all others), groups (each of --groups groups of
    people once), lodo (each database once) or across (--train-on, --test-on). leaky-clips (ignores the
    person) and leaky-epoch (the epoch is selected on the person tested) only show how much they inflate
    scores."""

    groups: int = 10
    """Number of groups of people, or for leaky-clips of clips."""

    train_on: tuple[str, ...] = ()
    """Databases to train on with protocol across; by default all that are not tested on."""

    test_on: tuple[str, ...] = ()
    """Databases to test on with protocol across."""

    classes: str = "auto"
    """Class scheme (`learnet datasets` lists them), or auto: a database's usual one, megc-3 for several
    databases, else the labels as they are."""

    seeds: int = 1
    """Runs of the whole study with different random seeds; tables show their mean and standard deviation."""

    repeated_splits: bool = field(default=False, metadata={"later": True})
    """Draw the groups anew for each seed (protocols groups and leaky-clips), so that ± over seeds includes
    how people are grouped."""

    train_people: int = 0
    """Train on this many people only, drawn for each fold and seed; a larger number adds some; 0 is all."""

    distinct_people: bool = field(default=False, metadata={"later": True})
    """Names that may be two spellings of one person (01 and 1, Anna and anna) are not refused."""

    shared_images: bool = later_key(False)
    """An image that two people have, or nearly the same or its mirror image, is not refused."""

    keep_weights: bool = True
    """Keep the weights of every fold with its outcomes (7 MB per fold for LEARNet)."""

    def __post_init__(self) -> None:
        check_choices(self)
        check_rules(
            (1 <= self.seeds <= MOST_SEEDS, f"seeds must be from 1 to {MOST_SEEDS}, not {self.seeds}"),
            (
                self.train_people >= 0,
                f"train_people is a number of people, or 0 for all; it cannot be {self.train_people}",
            ),
        )


@dataclass(frozen=True)
class Resources:
    """Where networks are trained, and how many at a time. Only the rounding of numbers depends on it."""

    jobs: int = -1
    """Number of processes, each with one thread; -1 is one per core. With a GPU there is one."""

    parallel_folds: int | Literal["auto"] = "auto"
    """Networks trained side by side in one process: a number, or auto (as many as a GPU's memory holds; 1
    without a GPU, where more are no faster)."""

    cluster: str | None = None
    """Train on the workers of this Dask scheduler instead: tcp://127.0.0.1:PORT or tls://HOST:PORT
    (docs/cluster.md). --jobs is ignored."""

    device: Literal["auto", "cpu", "cuda"] = "auto"
    """Device for training: cuda (a GPU), cpu, or auto (a GPU if there is one)."""

    def __post_init__(self) -> None:
        check_rules(
            (self.jobs == -1 or self.jobs >= 1, f"jobs must be -1 or at least 1, not {self.jobs}"),
            (self.cluster is None or self.cluster.strip() != "", "cluster is empty; use tls://HOST:PORT"),
            (
                self.parallel_folds == "auto" or self.parallel_folds >= 1,
                f"parallel_folds must be auto or at least 1, not {self.parallel_folds}",
            ),
        )
