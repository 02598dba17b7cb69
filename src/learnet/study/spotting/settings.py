"""Settings of a study of spotting, as options of the command line."""

from dataclasses import dataclass
from typing import Literal

from learnet.core.settings_checks import check_choices


@dataclass(frozen=True)
class SpottingSettings:
    """How movements are spotted in the recordings of a database, and what is recognised in them."""

    thresholds: Literal["shipped", "other-people"] = "shipped"
    """Thresholds of spotting (--task spotting): those that learnet ships, which know none of these people, or
    for each person those with the highest F1 on all other people."""

    part: str | None = None
    """Camera of the recordings (--task spotting; smic-e: HS, VIS, NIR); by default the first."""

    weights: str | None = None
    """Weights that recognise what is spotted (--task spotting): a file, a name of shipped weights, or none;
    by default the shipped ones, which were trained on none of these people."""

    def __post_init__(self) -> None:
        check_choices(self)
