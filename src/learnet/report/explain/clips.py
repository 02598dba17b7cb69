"""A clip to be explained, and the network that may explain it: in a study the one of the fold in which its person was tested."""

import difflib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float64, UInt8
from torch import nn

from learnet.core.errors import BadInput, LearnetError
from learnet.core.files import shortened_list
from learnet.core.records import Outcome
from learnet.datasets.licences import may_be_shown
from learnet.datasets.prepared.store import PreparedDataset, load_prepared
from learnet.motion.detrend import EvaluationImages, StoredImages
from learnet.report.explain.background import Background
from learnet.report.explain.face_regions import FacePlacement, face_placement
from learnet.study.description import StudyDescription, read_description
from learnet.study.outcomes import read_outcomes
from learnet.training.checkpoint import load_checkpoint
from learnet.training.compatibility import check_compatible
from learnet.training.metadata import CheckpointMetadata
from learnet.training.scorer import Scorer

MAKES_WEIGHTS = "Run the study with --keep-weights, or name a prepared folder and --weights."


@dataclass(frozen=True)
class ExplainedClip:
    """One clip, and the network that explains it."""

    module: nn.Module  # in eval mode
    metadata: CheckpointMetadata
    image: UInt8[np.ndarray, "S S 3"]  # the prepared image as the network sees it, 0..255
    clip: str  # dataset/subject/name
    person: str
    truth: str  # its class in the study, or its emotion
    placement: FacePlacement | None  # of the face in the image; None where nobody knows
    notes: tuple[str, ...]  # what a reader must be told: the network has learned from this person, ...

    @property
    def scores(self) -> Float64[np.ndarray, "K"]:
        """Probability of each class, as the study or the recogniser gives it."""
        scorer = Scorer.from_module(self.module, self.metadata.mirror)
        return scorer.scores(EvaluationImages(self.image[None]))[0]

    @property
    def prediction(self) -> str:
        """The class of the highest score."""
        return self.metadata.classes[int(self.scores.argmax())]

    def background(self, anonymous: bool = False) -> Background:
        """What maps are drawn over: the motion image, or the average face in lines where nothing of the person may be seen."""
        return Background(None if anonymous else self.image, self.placement)


@dataclass(frozen=True)
class ExplainedClips:
    """Clips that can be explained: those that a study has tested, or all of a prepared folder with weights from elsewhere."""

    prepared: PreparedDataset
    study: Path | None
    truth: dict[str, str]  # clip -> its class in the study, or its emotion
    folds: dict[str, str]  # clip -> the fold in which it was tested; empty where the weights are given
    seed: int
    weights: Path | None
    leaky: bool
    unanswered: dict[str, str]  # other clips of the prepared folder, and why the study has no answer to them

    def get(self, clip: str) -> ExplainedClip:
        """The case of one clip.

        Raises:
            LearnetError: no such clip, one that the study did not answer, or a person whose pictures the licence forbids to show.
            BadCheckpoint: no weights, or weights that do not fit the images.
        """
        if clip in self.unanswered:
            raise LearnetError(
                f"{clip} is in {self.prepared.folder}, {self.unanswered[clip]}.", "Explain another clip."
            )
        if clip not in self.truth:
            near = difflib.get_close_matches(clip, self.truth, n=1, cutoff=0.5)
            hint = f"Did you mean {near[0]!r}?" if near else f"It has {shortened_list(sorted(self.truth))}."
            raise LearnetError(f"{self.study or self.prepared.folder} has no clip called {clip!r}.", hint)
        row = self.prepared.clips[self.prepared.clips["clip"] == clip].iloc[0]
        if not may_be_shown(row["person"]):
            raise LearnetError(
                f"The licence forbids to publish pictures of {row['person']}.",
                "Explain a clip of somebody else.",
            )
        file = self.weights or self._of_fold(clip)
        module, facts = load_checkpoint(file)
        check_compatible(self.prepared, file, facts)
        known = row["person"] in facts.data.get("people", "").splitlines()
        if known and self.study and not self.leaky:
            raise BadInput(
                file,
                f"this network has learned from {row['person']}, whom it should not know",
                "Run the study again.",
            )
        notes = (f"the network has learned from {row['person']}",) if known else ()
        where = None if self.prepared.record.imported else face_placement(row["face"], self.prepared.size)
        image = self.prepared.take([int(row.name)])
        image = StoredImages(image).for_evaluation(facts.detrend_percentile).pixels[0]
        return ExplainedClip(module, facts, image, clip, row["person"], self.truth[clip], where, notes)

    def of_class(self, name: str) -> list[ExplainedClip]:
        """The cases of all clips of one class, without people whose pictures may not be shown.

        Raises:
            LearnetError: no clip of this class; the classes that occur are told.
        """
        people = dict(zip(self.prepared.clips["clip"], self.prepared.clips["person"], strict=True))
        clips = [clip for clip, truth in self.truth.items() if truth == name and may_be_shown(people[clip])]
        if not clips:
            there = ", ".join(
                f"{truth} ({count})" for truth, count in sorted(Counter(self.truth.values()).items())
            )
            raise LearnetError(
                f"There is no clip of class {name!r} that may be shown.", f"Clips there are: {there}."
            )
        return [self.get(clip) for clip in clips]

    def examples(self) -> list[str]:
        """The first clip of each class that may be shown."""
        people = dict(zip(self.prepared.clips["clip"], self.prepared.clips["person"], strict=True))
        first: dict[str, str] = {}
        for clip, truth in sorted(self.truth.items()):
            if may_be_shown(people[clip]):
                first.setdefault(truth, clip)
        return [first[truth] for truth in sorted(first)]

    def _of_fold(self, clip: str) -> Path:
        assert self.study is not None, "without a study weights are given"
        file = (
            self.study / "folds" / f"{self.folds[clip].replace('/', '-')}-seed{self.seed}.safetensors"
        )  # as studies name them
        if not file.is_file():
            raise BadInput(file, f"the weights of the fold that tested {clip} are gone", MAKES_WEIGHTS)
        return file


def open_explained_clips(
    source: Path, weights: Path | None = None, seed: int | None = None
) -> ExplainedClips:
    """The clips of a study, each explained by the fold that tested its person; or of a prepared folder, explained by given weights.

    Args:
        source: study folder or prepared folder.
        weights: checkpoint; needed with a prepared folder, refused with a study, which has its own.
        seed: of the study's runs; the first if not given.

    Raises:
        BadInput: neither; a study whose images are gone or have changed.
        LearnetError: weights missing or too many; a seed that the study does not have.
    """
    if not (source / "study.json").is_file():
        prepared = load_prepared(source)
        if weights is None:
            raise LearnetError(
                f"{source} holds images and no network.",
                "Name one with --weights, or a study folder in its place.",
            )
        truth = dict(zip(prepared.clips["clip"], prepared.clips["emotion"], strict=True))
        return ExplainedClips(prepared, None, truth, {}, 0, weights, leaky=False, unanswered={})
    if weights is not None:
        raise LearnetError(
            f"{source} is a study, which explains with its own weights.",
            "Leave --weights out, or name the prepared folder.",
        )
    description, outcomes = read_description(source), read_outcomes(source)
    prepared = _images(source, description)
    seed = _seed(source, outcomes, seed)
    mine = [outcome for outcome in outcomes if outcome.seed == seed]
    truth, folds = {o.clip: o.truth for o in mine}, {o.clip: o.fold for o in mine}
    why = _unanswered(source, description, prepared, truth)
    return ExplainedClips(
        prepared, source, truth, folds, seed, None, description.protocol.startswith("leaky-"), why
    )


def _images(study: Path, description: StudyDescription) -> PreparedDataset:
    """The study's prepared folder: where the study says, in the study, or beside it, as it may have moved along."""
    said, home = Path(description.prepared.folder), study.resolve()
    place = next(
        (place for place in (said, home / said.name, home.parent / said.name) if place.is_dir()), None
    )
    if place is None:
        raise BadInput(
            said,
            f"the images of the study {study.name} are gone",
            "Put the prepared folder beside the study, or prepare it again.",
        )
    prepared = load_prepared(place)
    if prepared.record.fingerprint != description.prepared.fingerprint:
        raise BadInput(
            place, f"these images have changed since the study {study.name}", "Run the study again."
        )
    return prepared


def _unanswered(
    study: Path, description: StudyDescription, prepared: PreparedDataset, truth: Mapping[str, str]
) -> dict[str, str]:
    """Why a study has no answer to a clip: its class scheme has no place for the label, or nobody tested it (yet)."""
    scheme, left_out = description.scheme.name, description.left_out
    why = {}
    for clip, emotion in zip(prepared.clips["clip"], prepared.clips["emotion"], strict=True):
        if clip not in truth:
            outside = f"labelled {emotion!r}, and the class scheme {scheme} of {study} leaves this label out"
            why[clip] = outside if emotion in left_out else f"and {study} has not tested it"
    return why


def _seed(study: Path, outcomes: Sequence[Outcome], seed: int | None) -> int:
    seeds = sorted({outcome.seed for outcome in outcomes})
    if not seeds:
        raise BadInput(study, "it has no answers yet", "Let the study finish first.")
    if seed is not None and seed not in seeds:
        raise LearnetError(f"{study} has no run with seed {seed}.", f"It has {', '.join(map(str, seeds))}.")
    return seeds[0] if seed is None else seed
