"""The frozen records of choices: how images are made, how a network is trained, how a long video is cut.

They stand apart from the code that uses them so that the command line can show every choice without loading torch. Checkpoints
keep them: a setting added later must have the former behaviour as its default.
"""

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from learnet.core.errors import LearnetError
from learnet.core.network_info import NETWORK_HELP

LONGEST_S = 60  # seconds in one window: its frames are in memory at once
LEAST_LBP_PX = 40  # of an image of lbp-top: a smaller block holds too few codes for a histogram of 16
MOST_MAGNIFIED = 100  # times; a movement of a tenth of a pixel would then cover ten
MOST_OVERLAP = 0.99  # of half a second that is a window every 5 ms, a frame of a fast camera


def _check(*rules: tuple[bool, str]) -> None:
    for kept, rule in rules:
        if not kept:
            raise LearnetError(f"{rule}.")


@dataclass(frozen=True)
class DatasetSubset:
    """Which part of a database is read, where it has several. A database refuses what it does not have."""

    tree: str | None = None
    """Which of several trees of the same clips, such as cropped or raw; without it the one most results rest on."""

    part: str | None = None
    """Camera (smic and smic-e: HS, VIS, NIR) or part (casme3: A, C); without it the first."""

    expressions: Literal["micro", "macro", "all"] = "micro"
    """Micro-expressions, macro-expressions, or all clips; for smic with those without an expression."""

    list: Path | None = None
    """The organisers' list of clips and classes (megc2019: combined_3class_gt.csv)."""


@dataclass(frozen=True)
class Preparation:
    """How a clip becomes a motion image. Two images are comparable only when these are equal."""

    motion: str = "dynamic"
    """Motion image (docs/motion.md): dynamic (Bilen et al.), dynamic-released (the authors' Python), dynamic-linear, dynamic-exact;
    dynamic-rise (onset to apex), dynamic-fall (apex to offset); flow-dis, flow-tvl1 (u, v, strain from onset to apex); difference (apex
    less onset); onset-face, apex-face (controls); lbp-top (histograms, for the network lbp-top)."""

    size: int = 112
    """Height and width of the image in pixels; the paper uses 112."""

    face: Literal["auto", "yunet", "haar", "none"] = "auto"
    """Face finder: auto (yunet where its model is there, else haar), yunet, haar, or none where frames are face crops."""

    steady: bool = False
    """Remove the head motion that is left after alignment (estimated on rigid parts of the face only)."""

    normalise: Literal["auto", "joint-minmax", "signed", "per-channel", "unit"] = "auto"
    """To 0..255: joint-minmax (the authors': one range over three channels), signed (no motion is mid-grey), per-channel (each by its
    own range), unit (0 to 1, for lbp-top), or auto (per-channel for flow, unit for lbp-top, else joint-minmax)."""

    still_flow: bool = False
    """Remove the motion of the head as a whole from optical flow."""

    magnify: float = 0.0
    """Make the clip's movements larger before it is folded (Eulerian): this many times their size is added; 0 is off, 2 to 10 usual."""

    def __post_init__(self) -> None:
        flow, histograms = self.motion.startswith("flow-"), self.motion == "lbp-top"
        joint = "Pixels and strain share no range: --normalise joint-minmax is not for optical flow. Choose per-channel or signed"
        still = f"--still-flow is for optical flow, and {self.motion} is none. --steady removes head motion before any motion image"
        fixed = f"--normalise unit is for lbp-top, whose shares go from 0 to 1, and lbp-top takes no other; this is {self.motion}"
        _check(
            (28 <= self.size <= 1024, f"A motion image is 28 to 1024 pixels wide, not {self.size}"),
            (
                0 <= self.magnify <= MOST_MAGNIFIED,
                f"--magnify must be from 0 to {MOST_MAGNIFIED}, not {self.magnify}",
            ),
            (flow or not self.still_flow, still),
            (not flow or self.normalise != "joint-minmax", joint),
            (self.normalise == "auto" or histograms == (self.normalise == "unit"), fixed),
            (
                not histograms or self.size >= LEAST_LBP_PX,
                f"An image of lbp-top is at least {LEAST_LBP_PX} pixels wide, not {self.size}",
            ),
        )

    @property
    def settled(self) -> "Preparation":
        """The same with a definite normalisation, so that equal records mean equal images."""
        usual: Literal["joint-minmax", "per-channel", "unit"] = (
            "per-channel" if self.motion.startswith("flow-") else "joint-minmax"
        )
        if self.motion == "lbp-top":
            usual = "unit"
        return replace(self, normalise=usual) if self.normalise == "auto" else self


@dataclass(frozen=True)
class Training:
    """How a network is trained. Nothing here is ever chosen by looking at the person tested."""

    epochs: int = 60
    """Passes over the training images. With --inner-groups: the largest number that may be chosen."""

    inner_groups: int = 0
    """Choose the number of epochs on this many groups of the training people; 0 takes --epochs as it is."""

    batch: int = 16
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
    """Share of the target spread over all classes."""

    augment: Literal["none", "light"] = "light"
    """Changes of a training batch: none, or light (small shift, turn, scale and contrast)."""

    level: bool = False
    """Take the even part out of flow images first, in training and at test: the plane of u, and of v, that a moving head leaves."""

    stretch: int = 100
    """Percentile of the movements in a level image that is drawn as the largest; what lies beyond is cut off (50 to 100: nothing)."""

    vary_stretch: int = 0
    """Stretch level images each to a percentile of its own in training, evenly from this one to 100, and at test as --stretch says;
    for networks that are to answer on images of another making. 0 is off."""

    mirror: Literal["auto", "none", "image", "flow"] = "auto"
    """Mirrored faces in training: image (flipped), flow (flipped, horizontal movement negated), none, or auto (by the images)."""

    mirror_at_test: bool = True
    """Average the scores of an image and its mirror image at test, where mirror is not none."""

    phases: bool = False
    """Learn also from the dynamic images of each clip's rise and fall, which `learnet prepare --phases` keeps; nobody is tested on them."""

    mix: float = 0.0
    """Mix pairs of training images and their labels (mixup): alpha of the Beta distribution; 0 is off."""

    from_: str = ""
    """Start from these weights instead of random ones: a file of `learnet train`, the name of weights that come with learnet, or
    `pretrained`: those of them that fit."""

    keep_start: float = 0.0
    """Share of the start that is kept: when all is learned, every weight goes so much of its way back (0 to below 1); for --from.
    With few people the weights that one starts from know what these people cannot teach (docs/pretrained.md)."""

    seed: int = 0
    """First seed of weights, order and augmentation; several seeds count up from it."""

    def __post_init__(self) -> None:
        _check(
            (self.epochs >= 1, f"--epochs must be at least 1, not {self.epochs}"),
            (
                self.inner_groups == 0 or self.inner_groups >= 2,
                f"--inner-groups must be 0 or at least 2, not {self.inner_groups}",
            ),
            (self.batch >= 2, f"--batch must be at least 2, not {self.batch}"),
            (self.learning_rate > 0, f"--learning-rate must be positive, not {self.learning_rate}"),
            (self.weight_decay >= 0, f"--weight-decay cannot be {self.weight_decay}"),
            (
                0 <= self.label_smoothing < 1,
                f"--label-smoothing must be from 0 up to 1, not {self.label_smoothing}",
            ),
            (self.mix >= 0, f"--mix cannot be {self.mix}"),
            (50 <= self.stretch <= 100, f"--stretch is a percentile from 50 to 100, not {self.stretch}"),
            (self.level or self.stretch == 100, "--stretch is for level images: add --level"),
            (
                self.vary_stretch == 0 or 50 <= self.vary_stretch <= 100,
                f"--vary-stretch is a percentile from 50 to 100, not {self.vary_stretch}",
            ),
            (self.level or self.vary_stretch == 0, "--vary-stretch is for level images: add --level"),
            (0 <= self.keep_start < 1, f"--keep-start must be from 0 up to 1, not {self.keep_start}"),
            (
                bool(self.from_) or not self.keep_start,
                "--keep-start is for networks that start from weights: add --from",
            ),
            (
                not (self.inner_groups and self.keep_start),
                "--keep-start is not for --inner-groups, whose networks are tested before they go back: leave one of them out",
            ),
            (0 <= self.seed < 2**31, f"--seed must be from 0 up to 2147483647, not {self.seed}"),
        )

    @property
    def detrend_percentile(self) -> int:
        """Percentile to which level images are stretched; 0 where the images stay as they are."""
        return self.stretch if self.level else 0

    @property
    def mirror_when_tested(self) -> str:
        """The mirror that goes with a network trained under these settings: "image", "flow" or "none"."""
        return self.mirror if self.mirror_at_test and self.mirror != "auto" else "none"


@dataclass(frozen=True)
class Windows:
    """How a video longer than `whole_s` is cut: windows of `window_s`, a new one every `window_s * (1 - overlap)`."""

    window_s: float = 0.5
    """Length of a window in seconds; a micro-expression lasts at most half a second."""

    overlap: float = 0.5
    """Share of a window that the next one repeats (0 to 0.99)."""

    whole_s: float = 1.0
    """Videos up to this long, in seconds, are one window."""

    def __post_init__(self) -> None:
        _check(
            (
                0 < self.window_s <= LONGEST_S,
                f"--window-s must be above 0 and at most {LONGEST_S}, not {self.window_s}",
            ),
            (
                0 <= self.overlap <= MOST_OVERLAP,
                f"--overlap must be from 0 to {MOST_OVERLAP}, not {self.overlap}",
            ),
            (0 <= self.whole_s <= LONGEST_S, f"--whole-s must be from 0 to {LONGEST_S}, not {self.whole_s}"),
        )


@dataclass(frozen=True)
class LiveSettings:
    """When a stream of frames is answered: about the last `window_s`, after every EVERY frames."""

    every: int = 10
    """Frames from one answer to the next."""

    window_s: float = 0.5
    """Length of a window in seconds; a micro-expression lasts at most half a second."""

    def __post_init__(self) -> None:
        _check(
            (self.every >= 1, f"--every must be at least 1, not {self.every}"),
            (
                0 < self.window_s <= LONGEST_S,
                f"--window-s must be above 0 and at most {LONGEST_S}, not {self.window_s}",
            ),
        )


@dataclass(frozen=True)
class Study:
    """What a study asks: which network, tested how, on which classes, how often."""

    network: str = field(default="learnet", metadata={"help": NETWORK_HELP})
    """Name in `learnet.networks.NETWORKS`; the help text lists all names."""

    protocol: Literal["loso", "groups", "lodo", "across", "leaky-clips", "leaky-epoch"] = "loso"
    """Who is tested: loso (each person once, trained on all others), groups (each of --groups groups of people once), lodo (each
    database once) or across (--train-on, --test-on). leaky-clips (ignores the person) and leaky-epoch (the epoch chosen on the person
    tested) show only how much they flatter."""

    groups: int = 10
    """Number of groups of people, or for leaky-clips of clips."""

    train_on: tuple[str, ...] = ()
    """Databases to train on where protocol is across; all others than those tested on if none is named."""

    test_on: tuple[str, ...] = ()
    """Databases to test on where protocol is across."""

    classes: str = "auto"
    """Class scheme (`learnet datasets` lists them), or auto: a database's usual one, megc-3 for several, else the labels as they stand."""

    seeds: int = 1
    """Runs of the whole study with different random numbers; the tables give their mean and spread."""

    learn_from: int = 0
    """Learn from so many people only: each fold and seed draws its own from those it would learn from, and a larger number adds to a
    smaller one; 0 is all."""

    keep_weights: bool = True
    """Keep the weights of every fold beside its outcomes (7 MB a fold for LEARNet)."""

    def __post_init__(self) -> None:
        _check(
            (self.seeds >= 1, f"--seeds must be at least 1, not {self.seeds}"),
            (
                self.learn_from >= 0,
                f"--learn-from is a number of people, or 0 for all; it cannot be {self.learn_from}",
            ),
        )


@dataclass(frozen=True)
class Resources:
    """Where the trainings of a study run, and how many side by side. This changes no number but by the rounding of floats."""

    jobs: int = -1
    """Processes, each with one thread; -1 is one per core. With a GPU there is one."""

    at_once: int | Literal["auto"] = "auto"
    """Networks trained side by side in one pass: a number, or auto (what a GPU's memory holds; without a GPU 1, as more gain nothing)."""

    cluster: str | None = None
    """Train on the workers of this Dask scheduler instead: tcp://HOST:PORT (docs/cluster.md). Then --jobs has no say."""

    device: Literal["auto", "cpu", "cuda"] = "auto"
    """Where networks are trained: cuda (a GPU), cpu, or auto (a GPU if there is one)."""

    def __post_init__(self) -> None:
        _check(
            (self.jobs == -1 or self.jobs >= 1, f"--jobs must be -1 or at least 1, not {self.jobs}"),
            (
                self.cluster is None or self.cluster.strip() != "",
                "--cluster is empty; it takes tcp://HOST:PORT",
            ),
            (
                self.at_once == "auto" or self.at_once >= 1,
                f"--at-once must be auto or at least 1, not {self.at_once}",
            ),
        )


@dataclass(frozen=True)
class RecipeOverrides:
    """What is asked for instead of what a recipe says, to try it smaller. The results name each."""

    only: tuple[str, ...] = ()
    """Databases of the recipe to run; all, if none is named."""

    networks: tuple[str, ...] = ()
    """Networks instead of the recipe's."""

    protocol: str | None = None
    """Protocol instead of the recipe's, such as groups."""

    groups: int | None = None
    """Number of groups instead of the recipe's."""

    seeds: int | None = None
    """Number of seeds instead of the recipe's."""

    epochs: int | None = None
    """Number of epochs instead of the recipe's."""
