"""The list of networks: what each accepts and how it is fitted. It can be read without loading torch.

A new network is one entry here and its constructor in `learnet.networks.NETWORKS`.
"""

from dataclasses import dataclass, replace

TIMM_PREFIX = "timm:"  # `timm:NAME` is the network NAME of the library timm

IMAGES = ("image", "flow", "unknown")
"""Kinds of motion images that show a face: dynamic and similar images, optical flow, unknown imports."""

HISTOGRAMS = ("histograms",)
"""Kind of the motion images of `lbp-top`, `lbp-fip` and `bi-woof`: histograms drawn as an image."""

ANY_KIND = (*IMAGES, *HISTOGRAMS)


@dataclass(frozen=True)
class SizeRule:
    """Which image sizes a network can process without ignoring rows or columns at the border."""

    modulus: int = 1
    remainders: tuple[int, ...] = (0,)  # a valid size leaves one of these when divided by `modulus`
    description: str = "are 1 or more"  # completes the sentence "It accepts sizes that ..."
    smallest: int = 1
    largest: int | None = None  # None: there is no limit

    def accepts(self, size: int) -> bool:
        """Return whether images of `size` pixels a side can be processed."""
        if size < self.smallest or (self.largest is not None and size > self.largest):
            return False
        return size % self.modulus in self.remainders


MULTIPLES_OF_4 = SizeRule(4, (0,), "are multiples of 4")


@dataclass(frozen=True)
class NetworkInfo:
    """Describe what a network accepts and how it is fitted.

    The defaults hold for networks trained by gradient descent: those of timm, and those that a user adds to
    `NETWORKS` without an entry in `NETWORK_INFO`.
    """

    group: str = ""  # heading in the help of `--network`
    non_iterative: bool = False  # fitted by one call of `fit(images, labels)`: no epochs, no initial weights
    pairwise_votes: bool = False  # scores are votes of pairwise classifiers, not logarithms of probabilities
    fit_settings: tuple[str, ...] = ()  # settings of `Training` that its `fit` takes as keyword arguments
    uses_image: bool = True  # False where every image receives the same scores
    images_kinds: tuple[str, ...] = IMAGES  # kinds of motion images that it accepts
    sizes: SizeRule = SizeRule()

    @property
    def only_histograms(self) -> bool:
        """Whether the network reads nothing but histograms: the motion images that have its name."""
        return self.images_kinds == HISTOGRAMS


_LEARNET = NetworkInfo("LEARNet")
_ABLATION = NetworkInfo("LEARNet with one change")
_GENERAL = NetworkInfo("general")
_FLOW = NetworkInfo("for flow images", sizes=MULTIPLES_OF_4)
_C = ("regularisation_c",)
_SIMPLE = NetworkInfo("baselines", non_iterative=True)
_HISTOGRAM_SVM = NetworkInfo(
    non_iterative=True, pairwise_votes=True, fit_settings=_C, images_kinds=HISTOGRAMS
)

NETWORK_INFO: dict[str, NetworkInfo] = {
    "learnet": _LEARNET,
    "learnet-paper": _LEARNET,
    "learnet-literal": NetworkInfo("LEARNet", sizes=SizeRule(description="are 128 or less", largest=128)),
    "learnet-no-accretion": _ABLATION,
    "learnet-no-cross": _ABLATION,
    "learnet-plain": _ABLATION,
    "learnet-one-stream": _ABLATION,
    "learnet-lrn": _ABLATION,
    "learnet-gap": _ABLATION,
    "resnet18": _GENERAL,
    "resnet34": _GENERAL,
    "resnet50": _GENERAL,
    "vgg16": _GENERAL,
    "vgg19": _GENERAL,
    "mlp": _GENERAL,
    "mlp-cnn": NetworkInfo("general", sizes=MULTIPLES_OF_4),
    "ststnet": NetworkInfo(
        "for flow images", sizes=SizeRule(6, (2, 3, 4), "leave 2, 3 or 4 when divided by 6")
    ),
    "off-apexnet": _FLOW,
    "dual-inception": _FLOW,
    "bdcnn": NetworkInfo("for flow images"),
    "rcn-a": NetworkInfo("for flow images", sizes=SizeRule(4, (0,), "are multiples of 4 from 8", smallest=8)),
    "originet": NetworkInfo("for active images"),
    "linear-svm": NetworkInfo(
        "baselines", non_iterative=True, pairwise_votes=True, fit_settings=_C, images_kinds=ANY_KIND
    ),
    "rbf-svm": replace(_SIMPLE, pairwise_votes=True, fit_settings=(*_C, "rbf_gamma")),
    "lda": replace(_SIMPLE, fit_settings=("pca_components",)),
    "logistic": replace(_SIMPLE, fit_settings=_C),
    "lbp-top": replace(_HISTOGRAM_SVM, group="for images of lbp-top"),
    "lbp-fip": replace(_HISTOGRAM_SVM, group="for images of lbp-fip"),
    "bi-woof": replace(_HISTOGRAM_SVM, group="for images of bi-woof"),
    "majority": NetworkInfo("baselines", non_iterative=True, uses_image=False, images_kinds=ANY_KIND),
}
"""Properties of each network, by its name in `NETWORKS`."""


_SETTINGS_WITHOUT_EPOCHS = (
    "seed",
    "detrend",
    "clipping_percentile",
    "vary_clipping",
    "phases",
    "phases_at_test",
    "mirror",
    "mirror_at_test",
    "views_at_test",
)
"""Training settings that every non-iterative network uses; the seed draws people and clipping percentiles."""

_SETTINGS_OF_FIT = ("regularisation_c", "rbf_gamma", "pca_components")
"""Training settings that only non-iterative networks use, each some of them (`NetworkInfo.fit_settings`)."""


def network_info(network: str) -> NetworkInfo:
    """Return the properties of a network; the defaults where the name is not in `NETWORK_INFO`."""
    return NETWORK_INFO.get(network, NetworkInfo())


def uses_setting(network: str, setting: str) -> bool:
    """Return whether a network is affected by a setting of `Training`."""
    info = network_info(network)
    if setting in _SETTINGS_OF_FIT:
        return setting in info.fit_settings
    return not info.non_iterative or setting in _SETTINGS_WITHOUT_EPOCHS


def _network_help() -> str:
    """Return the help text of `--network`: all names in the order of the table, by group."""
    groups: dict[str, list[str]] = {}
    for name, info in NETWORK_INFO.items():
        groups.setdefault(info.group, []).append(name)
    listed = "; ".join(f"{', '.join(names)} ({group})" for group, names in groups.items())
    return f"Network (docs/networks.md): {listed}; or {TIMM_PREFIX}NAME, where timm is installed."


NETWORK_HELP = _network_help()
