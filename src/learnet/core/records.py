"""Records that packages exchange: a clip, a fold, an outcome, and what an audit found."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from learnet.core.errors import BadAnnotation, LearnetError
from learnet.core.printable import storable

SAME_PEOPLE = {"smic-e": "smic"}
"""Database -> another one with the same people under the same names: SMIC-E is SMIC in longer cuts."""

KINDS = ("micro", "macro", "none")
APEX_SOURCES = ("file", "repaired", "midpoint", "detected", "none")


def person_key(dataset: str, subject: str) -> str:
    """Return the key of a person: dataset/subject, with one dataset for those of SAME_PEOPLE."""
    return f"{SAME_PEOPLE.get(dataset, dataset)}/{subject}"


@dataclass(frozen=True)
class Clip:
    """A short labelled video. Frames are the numbers in the file names; onset and offset are part of the
    movement."""

    path: Path  # video file, or folder of images in frame order
    dataset: str  # "casme2"
    subject: str  # as the dataset writes it, so unique only inside the dataset
    name: str  # as the dataset writes it, so unique only inside the subject
    emotion: str  # the dataset's own word, lower case; labels.SCHEMES turns it into a class
    onset: int  # frame
    apex: int | None  # frame; None where it was neither annotated nor detected
    offset: int  # frame, inclusive
    fps: float  # frames per second of the recording
    apex_source: str = "file"  # one of APEX_SOURCES
    action_units: str = ""  # as the annotators wrote them: "4+L10"
    cropped: bool = False  # the frames are face crops already: no face is searched
    kind: str = "micro"  # one of KINDS, as the owners call the movement; "none": without an expression
    also: str = ""  # further emotions of a clip to which its owners gave several, joined by "+"

    def __post_init__(self) -> None:
        for key in ("subject", "name"):  # may be from names of files, which need not be UTF-8
            object.__setattr__(self, key, storable(getattr(self, key)))
        marks = [mark for mark in (self.onset, self.apex, self.offset) if mark is not None]
        if marks != sorted(marks):
            wrong = f"onset, apex, offset are out of order: {marks}"
            raise BadAnnotation(self.path, wrong, "Correct the annotation.")
        if self.apex_source not in APEX_SOURCES or (self.apex is None) != (self.apex_source == "none"):
            raise BadAnnotation(self.path, f"apex {self.apex} cannot come from {self.apex_source!r}")
        if self.kind not in KINDS:
            raise BadAnnotation(self.path, f"{self.kind!r} is none of {', '.join(KINDS)}")
        if not self.fps > 0:
            raise BadAnnotation(self.path, f"{self.fps} frames per second is not a frame rate")

    @property
    def person(self) -> str:
        """Key of the person (`person_key`). Splits use no other."""
        return person_key(self.dataset, self.subject)

    @property
    def key(self) -> str:
        """Name of the clip in all files: dataset/subject/name."""
        return f"{self.dataset}/{self.subject}/{self.name}"


MICRO_MAX_S = 0.5
"""Longest micro-expression, onset to offset (Yan et al., J. Nonverbal Behavior 37, 2013)."""

EventKind = Literal["micro", "macro", "blink"]

FACE_REGIONS = (
    *("left brow", "middle brow", "right brow", "left lids", "right lids"),
    *("left nose wing", "right nose wing", "left cheek", "right cheek"),
    *("left mouth corner", "right mouth corner", "lips", "chin"),
)
"""Regions of the face that events name. Left and right are the person's own."""


@dataclass(frozen=True)
class ActionUnitScore:
    """An action unit of FACS that a network finds active, or that a person coded, and its side."""

    unit: int  # number of the unit
    side: Literal["left", "right", "both", ""]  # the person's own; "" for a unit that has no sides
    score: float | None  # probability that the unit is active, 0..1; None where a person coded it

    @property
    def code(self) -> str:
        """The unit as FACS coders write it: "4", or "L10" where only one side is active."""
        letter = {"left": "L", "right": "R"}.get(self.side, "")
        return f"{letter}{self.unit}"


EVENT_STATUSES = ("found", "confirmed", "changed", "added")
"""What a person can have done with an event on the event page; `found` is what nobody has touched."""


@dataclass(frozen=True)
class Event:
    """One facial movement in a recording. Frames have the numbers of the file or of the images' names."""

    onset: int  # frame
    apex: int  # frame
    offset: int  # frame
    onset_s: float  # seconds since the first frame of the recording
    apex_s: float
    offset_s: float
    label: str = ""  # a class, or "uncertain"; empty: spotted, and not recognised
    score: float = 0.0  # of the class with the highest score, 0..1
    emotions: Mapping[str, float] = field(default_factory=dict)  # probability of each class
    strength_px: float = 0.0  # largest motion of a patch of skin, in pixels of a face crop 112 pixels wide
    source: str = "learnet"  # or the person who annotated it
    action_units: tuple[ActionUnitScore, ...] = ()  # that are named, the surest first
    action_unit_scores: Mapping[int, float] = field(default_factory=dict)  # probability of each unit
    # Why the label is not simply the class with the highest score, or why no action units are given.
    reason: str = ""
    regions: tuple[str, ...] = ()  # of FACE_REGIONS that move, the furthest first; empty: unknown
    is_blink: bool = False
    status: str = ""  # of EVENT_STATUSES: what a person did with it on the event page; empty: unknown

    def __post_init__(self) -> None:
        if not self.onset <= self.apex <= self.offset:
            marks = [self.onset, self.apex, self.offset]
            raise LearnetError(f"Onset, apex and offset of an event are out of order: {marks}.")
        unknown = set(self.regions) - set(FACE_REGIONS)
        if unknown:
            raise LearnetError(f"An event names regions that are not in FACE_REGIONS: {sorted(unknown)}.")

    @property
    def kind(self) -> EventKind:
        """A blink, or whether it is a micro-expression by its duration."""
        if self.is_blink:
            return "blink"
        return "micro" if self.offset_s - self.onset_s <= MICRO_MAX_S else "macro"


@dataclass(frozen=True)
class UnjudgedStretch:
    """A stretch of a recording in which movement cannot be judged."""

    start_s: float
    end_s: float  # exclusive
    reason: str


@dataclass(frozen=True)
class Finding:
    """A finding of an audit. Serious ones would change a result; the others were repaired or are
    information."""

    kind: str  # "folder without row", "apex repaired", ...
    where: str  # clip key, file or folder
    what: str  # a sentence
    serious: bool = False


@dataclass(frozen=True)
class DatasetIndex:
    """The content of a dataset folder: its clips, findings, and which version it is."""

    clips: list[Clip]
    findings: list[Finding]
    # What was read, such as "workbook": "CASME2-coding-20140508.xlsx (9 columns, 255 rows)".
    about: dict[str, str] = field(default_factory=dict)
    # Clips per emotion of the part that was read; None where the numbers of the whole database are its own.
    published: Mapping[str, int] | None = None


def merge_indexes(readings: Mapping[tuple[str, str], DatasetIndex]) -> DatasetIndex:
    """Merge several databases; a single one stays as it is.

    Person keys hold the database's name, so subject 01 of one and 01 of another stay two people.

    Args:
        readings: name and folder of a database -> its content.
    """
    if len(readings) == 1:
        return next(iter(readings.values()))
    clips: list[Clip] = []
    findings: list[Finding] = []
    about = {}
    for (name, _), reading in readings.items():
        clips += reading.clips
        for subject, text in reading.about.items():
            about[f"{name}: {subject}"] = text
        for finding in reading.findings:
            named = finding.where.startswith(f"{name}/")
            findings.append(finding if named else replace(finding, where=f"{name}: {finding.where}"))
    return DatasetIndex(clips, findings, about)


@dataclass(frozen=True)
class Fold:
    """A split: positions of images to train on and to test on. No person is on both sides."""

    name: str  # the left-out person, or "group-3"
    train: tuple[int, ...]
    test: tuple[int, ...]
    people: tuple[str, ...]  # the person of every image, so that this is checked
    protocol: str = "loso"
    seed: int | None = None  # of its trainings, where each seed has other folds

    def __post_init__(self) -> None:
        if set(self.train) & set(self.test):
            raise LearnetError(f"Fold {self.name!r} tests on images it trains on.")
        shared = {self.people[i] for i in self.train} & {self.people[i] for i in self.test}
        if shared and not self.protocol.startswith("leaky-"):
            what = f"Fold {self.name!r} has {', '.join(sorted(shared))} on both sides."
            raise LearnetError(what, "Split by person, or call it leaky-….")

    @property
    def tested(self) -> list[str]:
        """The people on the test side, in alphabetical order."""
        return sorted({self.people[i] for i in self.test})

    @property
    def learned(self) -> list[str]:
        """The people on the training side, in alphabetical order."""
        return sorted({self.people[i] for i in self.train})


@dataclass(frozen=True)
class Outcome:
    """The prediction of one clip. It names its clip and its true class, so that no order can be confused."""

    study: str
    fold: str
    seed: int
    clip: str  # Clip.key
    dataset: str
    person: str
    truth: str  # true class
    prediction: str  # class with the highest score
    scores: tuple[float, ...]  # one per class, in the order of the study's class list; they add up to 1
