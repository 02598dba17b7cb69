"""The records that travel between all other files: a clip, a fold, an outcome, and what an audit found."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from learnet.core.errors import BadAnnotation, LearnetError

SAME_PEOPLE = {"smic-e": "smic"}
"""Databases of people who are in another one too, under the same subjects: SMIC-E is SMIC in longer cuts.
Pooled, each is one person."""

KINDS = ("micro", "macro", "none")
APEX_SOURCES = ("file", "repaired", "midpoint", "detected", "none")


@dataclass(frozen=True)
class Clip:
    """One labelled expression. Frames are the numbers in the file names; onset and offset are inside the
    movement."""

    path: Path  # video file, or folder of images in frame order
    dataset: str  # "casme2"
    subject: str  # as the dataset writes it, so unique only inside the dataset
    name: str  # as the dataset writes it, so unique only inside the subject
    emotion: str  # the dataset's own word, lower case; labels.SCHEMES turns it into a class
    onset: int  # frame
    apex: int | None  # frame; None where nobody gave or found one
    offset: int  # frame, inclusive
    fps: float  # frames per second of the recording
    apex_source: str = "file"  # one of APEX_SOURCES
    action_units: str = ""  # as the annotators wrote them: "4+L10"
    cropped: bool = False  # the frames are face crops already: no face search
    kind: str = (
        "micro"  # one of KINDS: how its owners call the movement; "none" is a clip without an expression
    )
    also: str = ""  # further emotions of a clip that its owners gave several, joined by "+"

    def __post_init__(self) -> None:
        marks = [mark for mark in (self.onset, self.apex, self.offset) if mark is not None]
        if marks != sorted(marks):
            raise BadAnnotation(
                self.path, f"onset, apex, offset are out of order: {marks}", "Correct the annotation."
            )
        if self.apex_source not in APEX_SOURCES or (self.apex is None) != (self.apex_source == "none"):
            raise BadAnnotation(self.path, f"apex {self.apex} cannot come from {self.apex_source!r}")
        if self.kind not in KINDS:
            raise BadAnnotation(self.path, f"{self.kind!r} is none of {', '.join(KINDS)}")
        if not self.fps > 0:
            raise BadAnnotation(self.path, f"{self.fps} frames per second is not a frame rate")

    @property
    def person(self) -> str:
        """Key for leave-one-subject-out; keeps 01 of one dataset apart from 01 of another, but for
        SAME_PEOPLE."""
        return f"{SAME_PEOPLE.get(self.dataset, self.dataset)}/{self.subject}"

    @property
    def key(self) -> str:
        """The clip's one name everywhere: dataset/subject/name."""
        return f"{self.dataset}/{self.subject}/{self.name}"


@dataclass(frozen=True)
class Finding:
    """One thing an audit found. `serious` ones would change a result; the others were repaired or are for
    information."""

    kind: str  # "folder without row", "apex repaired", ...
    where: str  # clip key, file or folder
    what: str  # a sentence
    serious: bool = False


@dataclass(frozen=True)
class DatasetIndex:
    """What a dataset folder holds: its clips, what was found on the way, and which version it is."""

    clips: list[Clip]
    findings: list[Finding]
    about: dict[str, str] = field(
        default_factory=dict
    )  # "workbook": "CASME2-coding-20140508.xlsx (9 columns, 255 rows)", ...
    published: Mapping[str, int] | None = (
        None  # clips per emotion of the part that was read; None where the database's numbers are its
    )


def merge_indexes(readings: Mapping[tuple[str, str], DatasetIndex]) -> DatasetIndex:
    """Several databases as one reading; (name, folder) -> what it holds. One alone stays as it is.

    Person keys hold the database's name, so subject 01 of one and 01 of another stay two people.
    """
    if len(readings) == 1:
        return next(iter(readings.values()))
    about = {
        f"{name}: {subject}": what
        for (name, _), reading in readings.items()
        for subject, what in reading.about.items()
    }
    clips = [clip for reading in readings.values() for clip in reading.clips]
    findings = [
        finding
        if finding.where.startswith(f"{name}/")
        else replace(finding, where=f"{name}: {finding.where}")
        for (name, _), reading in readings.items()
        for finding in reading.findings
    ]
    return DatasetIndex(clips, findings, about)


@dataclass(frozen=True)
class Fold:
    """One split: positions in the prepared folder to train on and to test on. No person stands on both
    sides."""

    name: str  # the left-out person, or "group-3"
    train: tuple[int, ...]
    test: tuple[int, ...]
    people: tuple[str, ...]  # the person of every image, so that the promise can be checked at birth
    protocol: str = "loso"

    def __post_init__(self) -> None:
        if set(self.train) & set(self.test):
            raise LearnetError(f"Fold {self.name!r} tests on images it trains on.")
        shared = {self.people[i] for i in self.train} & {self.people[i] for i in self.test}
        if shared and not self.protocol.startswith("leaky-"):
            raise LearnetError(
                f"Fold {self.name!r} has {', '.join(sorted(shared))} on both sides.",
                "Split by person, or call it leaky-….",
            )

    @property
    def learned(self) -> list[str]:
        """The people on the training side, in alphabetical order."""
        return sorted({self.people[i] for i in self.train})


@dataclass(frozen=True)
class Outcome:
    """One answer to one clip. It names its clip and its truth, so no order can be confused."""

    study: str
    fold: str
    seed: int
    clip: str  # Clip.key
    dataset: str
    person: str
    truth: str  # class name
    prediction: str  # class name
    scores: tuple[float, ...]  # one per class, in the order of the study's class list; they add up to 1
