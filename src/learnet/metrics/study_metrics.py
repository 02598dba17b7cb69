"""The records of `metrics.json`: all scores of a study."""

from dataclasses import dataclass

from learnet.core.serialisation import optional_key
from learnet.metrics.chance import ChanceTest
from learnet.metrics.probabilities import OtherMeasures


@dataclass(frozen=True)
class Score:
    """A measure with its 95 % interval over people."""

    value: float
    low: float | None  # None: one person gives no interval
    high: float | None


@dataclass(frozen=True)
class MeanScore:
    """The mean of a measure over seeds, with its 95 % interval over people."""

    value: float
    low: float | None
    high: float | None
    spread: float | None  # standard deviation over seeds (n - 1); None with one seed


@dataclass(frozen=True)
class ClassMetrics:
    """The scores of one class."""

    precision: float
    recall: float
    f1: float
    support: int  # clips of this class


@dataclass(frozen=True)
class PersonMetrics:
    """The scores of one person."""

    clips: int
    right: int
    accuracy: float


@dataclass(frozen=True)
class SeedMetrics:
    """The scores of one seed, or of the scores averaged over seeds."""

    clips: int
    people: int
    accuracy: Score
    uf1: Score
    uar: Score
    confusion: list[list[int]]  # rows are true classes
    per_class: dict[str, ClassMetrics]
    per_person: dict[str, PersonMetrics]

    @property
    def measures(self) -> dict[str, Score]:
        """The three measures by their names in `scores.MEASURES`."""
        return {"accuracy": self.accuracy, "uf1": self.uf1, "uar": self.uar}


@dataclass(frozen=True)
class DatasetMetrics:
    """The scores of the clips of one dataset."""

    clips: int
    people: int
    absent: list[str]  # classes without clips
    mean: dict[str, MeanScore]  # by measure


@dataclass(frozen=True)
class CalibrationError:
    """The expected calibration error with its 95 % interval over people."""

    value: float
    low: float | None
    high: float | None
    by_chance: float  # error to expect if every score were the true probability


@dataclass(frozen=True)
class CalibrationMetrics:
    """How far scores can be read as probabilities."""

    bins: int
    ece: CalibrationError
    mean_score: float
    share_right: float


@dataclass(frozen=True)
class StudyMetrics:
    """All scores of a study: the content of `metrics.json`."""

    classes: list[str]
    absent: list[str]  # classes without clips
    seeds: dict[str, SeedMetrics]
    mean: dict[str, MeanScore]  # by measure
    averaged: SeedMetrics | None = optional_key()  # of scores averaged over seeds, where there are several
    calibration: CalibrationMetrics | None = optional_key()  # where the predictions have scores
    datasets: dict[str, DatasetMetrics] | None = optional_key()  # where the clips are of several datasets
    chance: ChanceTest | None = optional_key()  # earlier studies lack this and the next
    other: OtherMeasures | None = optional_key()
