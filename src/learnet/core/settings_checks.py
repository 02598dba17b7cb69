"""Checks of settings records. An error names the field, and so the option of the command line."""

from dataclasses import fields
from typing import Literal, get_args, get_origin, get_type_hints

from learnet.core.errors import LearnetError
from learnet.core.suggestions import suggestion

INF = float("inf")
# Slips of the keyboard beyond these would never end.
MOST_EPOCHS = 1_000_000
MOST_SEEDS = 10_000

# Smallest width in pixels of motion images that are histograms. A block of lbp-top holds too few codes in
# smaller ones, lbp-fip has 40 cells in a row, and flow is measured on faces of 112 pixels or more.
HISTOGRAM_SIZES = {"lbp-top": 40, "lbp-fip": 40, "bi-woof": 112}


def check_rules(*rules: tuple[bool, str]) -> None:
    """Refuse settings that break a rule; a rule is whether it is kept, and the rule in words."""
    for kept, rule in rules:
        if not kept:
            raise LearnetError(f"{rule}.")


def check_histograms(motion: str, size: int, normalise: str) -> None:
    """Refuse histograms that are too small, and the normalisation of histograms for other motion images."""
    names = ", ".join(HISTOGRAM_SIZES)
    smallest = HISTOGRAM_SIZES.get(motion, 0)
    check_rules(
        (
            normalise == "auto" or (motion in HISTOGRAM_SIZES) == (normalise == "unit"),
            f"normalise must be unit for {names}, and for no other motion image; this is {motion}",
        ),
        (size >= smallest, f"An image of {motion} is at least {smallest} pixels wide, not {size}"),
    )


def check_clipping(detrend: bool | None, clipping_percentile: int | None, vary_clipping: int) -> None:
    """Refuse percentiles outside their range, and clipping of images whose trend is kept."""
    for_detrended = "is for detrended images: leave detrend = false (--no-detrend) out"
    detrended = detrend is not False
    check_rules(
        (
            clipping_percentile is None or 50 <= clipping_percentile <= 100,
            f"clipping_percentile is a percentile from 50 to 100, not {clipping_percentile}",
        ),
        (detrended or clipping_percentile in (None, 100), f"clipping_percentile {for_detrended}"),
        (
            vary_clipping == 0 or 50 <= vary_clipping <= 100,
            f"vary_clipping is a percentile from 50 to 100, not {vary_clipping}",
        ),
        (detrended or not vary_clipping, f"vary_clipping {for_detrended}"),
    )


def check_choices(settings: object) -> None:
    """Refuse a value that is not among the choices of its field, for fields with a fixed list of words."""
    hints = get_type_hints(type(settings))
    for setting in fields(settings):  # type: ignore[arg-type]
        hint, value = hints[setting.name], getattr(settings, setting.name)
        if get_origin(hint) is Literal and value not in get_args(hint):
            choices = list(map(str, get_args(hint)))
            meant = suggestion(str(value), choices)
            advice = f"Did you mean {meant!r}?" if meant else f"Choose from {', '.join(choices)}."
            raise LearnetError(f"{setting.name} cannot be {value!r}.", advice)
