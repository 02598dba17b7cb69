"""Clips to be explained, each with the network that may explain it.

A clip of a study is explained by the network of the fold in which its person was tested, which was not
trained on this person.
"""

import difflib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd
from jaxtyping import Float64, UInt8
from torch import nn

from learnet.core.errors import BadInput, LearnetError
from learnet.core.files import absolute_path, shortened_list
from learnet.core.records import Outcome
from learnet.datasets.licences import may_be_published
from learnet.datasets.prepared.store import PreparedDataset, load_prepared
from learnet.motion.detrend import StoredImages
from learnet.report.explain.background import Background
from learnet.report.explain.face_regions import FacePlacement, face_placement
from learnet.study.description import StudyDescription, read_description
from learnet.study.folder import weights_file
from learnet.study.outcomes import read_outcomes
from learnet.training.checkpoint import load_class_network
from learnet.training.compatibility import check_compatible
from learnet.training.metadata import CheckpointMetadata
from learnet.training.scorer import Scorer

WEIGHTS_ADVICE = "Run the study with --keep-weights, or name a prepared folder and --weights."


@dataclass(frozen=True)
class ExplainedClip:
    """One clip, and the network that explains it."""

    module: nn.Module  # in evaluation mode
    metadata: CheckpointMetadata
    stored: UInt8[np.ndarray, "S S 3"]  # the image as the prepared folder stores it, 0 to 255
    clip: str  # dataset/subject/name
    person: str
    truth: str  # its class in the study, or its emotion
    placement: FacePlacement | None  # of the face in the image; None where it is unknown
    notes: tuple[
        str, ...
    ]  # remarks that belong to every figure, such as that the person is in the training set

    @cached_property
    def image(self) -> UInt8[np.ndarray, "S S 3"]:
        """Return the image as the network receives it, without its planar trend if the network wants that."""
        return StoredImages(self.stored[None]).for_evaluation(self.metadata.detrend_percentile).pixels[0]

    @cached_property
    def scores(self) -> Float64[np.ndarray, "K"]:
        """Return the probability of each class, as studies and evaluations compute it from all views."""
        scorer = Scorer.from_checkpoint(self.module, self.metadata)
        return scorer.scores(StoredImages(self.stored[None]))[0]

    @property
    def prediction(self) -> str:
        """Return the class with the highest score."""
        return self.metadata.classes[int(self.scores.argmax())]

    def background(self, anonymous: bool = False) -> Background:
        """Return the background of maps: the motion image, or the average face if `anonymous`."""
        return Background(None if anonymous else self.image, self.placement)


@dataclass(frozen=True)
class ExplainedClips:
    """Clips that can be explained: tested in a study, or of a prepared folder with separate weights."""

    prepared: PreparedDataset
    study: Path | None
    truth: dict[str, str]  # clip -> its class in the study, or its emotion
    folds: dict[str, str]  # clip -> the fold in which it was tested; empty with separate weights
    seed: int
    weights: Path | None
    leaky: bool  # the protocol of the study tests on people in the training set
    untested: dict[str, str]  # the other clips of the prepared folder -> why the study has no prediction

    def get(self, clip: str) -> ExplainedClip:
        """Return one clip with its network.

        Args:
            clip: dataset/subject/name.

        Raises:
            LearnetError: there is no such clip, the study has not tested it, or the licence forbids to show
                the person.
            BadInput: the weights are missing, or were trained on the person although the protocol excludes
                it.
            BadCheckpoint: the weights do not fit the images.
        """
        self._check_clip(clip)
        row = self._row(clip)
        person = row["person"]
        file = self.weights or self._weights_of_fold(clip)
        module, metadata = load_class_network(file)
        check_compatible(self.prepared, file, metadata)
        notes: tuple[str, ...] = ()
        if person in metadata.people:
            if self.study and not self.leaky:
                raise BadInput(
                    file,
                    f"this network was trained on {person}, who must not be in its training set",
                    "Run the study again.",
                )
            notes = (f"the network was trained on {person}",)
        if metadata.phases_at_test:
            notes += ("one image; a study averages over the phases of the clip",)
        placement = None
        if not self.prepared.record.imported:
            placement = face_placement(row["face"], self.prepared.size)
        (stored,) = self.prepared.take([int(row.name)])
        return ExplainedClip(module, metadata, stored, clip, person, self.truth[clip], placement, notes)

    def of_class(self, name: str) -> list[ExplainedClip]:
        """Return all clips of one class, without people whose pictures may not be shown.

        Raises:
            LearnetError: there is no clip of this class; the message lists the classes.
        """
        clips = [clip for clip in self._shown_clips() if self.truth[clip] == name]
        if not clips:
            counts = sorted(Counter(self.truth.values()).items())
            listed = ", ".join(f"{truth} ({count})" for truth, count in counts)
            raise LearnetError(
                f"There is no clip of class {name!r} that may be shown.",
                f"The clips are: {listed}.",
            )
        return [self.get(clip) for clip in clips]

    def examples(self) -> list[str]:
        """Return the first clip of each class that may be shown, in the order of the classes."""
        first: dict[str, str] = {}
        for clip in sorted(self._shown_clips()):
            first.setdefault(self.truth[clip], clip)
        return [first[truth] for truth in sorted(first)]

    def _row(self, clip: str) -> pd.Series:
        """Return the row of clips.csv; its name is the index of the image."""
        clips = self.prepared.clips
        return clips[clips["clip"] == clip].iloc[0]

    def _shown_clips(self) -> list[str]:
        """Return the clips of people whose pictures may be shown."""
        clips = self.prepared.clips
        may_be_shown = clips["person"].map(lambda person: may_be_published(person, self.prepared.record))
        shown = set(clips[may_be_shown]["clip"])
        return [clip for clip in self.truth if clip in shown]

    def _check_clip(self, clip: str) -> None:
        if clip in self.untested:
            raise LearnetError(
                f"{clip} is in {self.prepared.folder}, {self.untested[clip]}.", "Explain another clip."
            )
        if clip not in self.truth:
            hint = f"It has {shortened_list(sorted(self.truth))}."
            similar = difflib.get_close_matches(clip, self.truth, n=1, cutoff=0.5)
            if similar:
                hint = f"Did you mean {similar[0]!r}?"
            raise LearnetError(f"{self.study or self.prepared.folder} has no clip called {clip!r}.", hint)
        person = self._row(clip)["person"]
        if not may_be_published(person, self.prepared.record):
            raise LearnetError(
                f"The licence forbids to publish pictures of {person}.", "Explain a clip of another person."
            )

    def _weights_of_fold(self, clip: str) -> Path:
        """Return the checkpoint of the fold that tested a clip, under the name that studies give it."""
        assert self.study is not None, "only a study has folds"
        file = weights_file(self.study, self.folds[clip], self.seed)
        if not file.is_file():
            problem = f"the weights of the fold that tested {clip} are missing"
            raise BadInput(file, problem, WEIGHTS_ADVICE)
        return file


def open_explained_clips(
    source: Path, weights: Path | None = None, seed: int | None = None
) -> ExplainedClips:
    """Open the clips of a study with the networks of its folds, or of a prepared folder with given weights.

    Args:
        source: study folder or prepared folder.
        weights: checkpoint; required with a prepared folder, refused with a study, which has its own weights.
        seed: of a run of the study; None means the first.

    Raises:
        BadInput: `source` is neither, or the images of the study are missing or have changed.
        LearnetError: weights are missing or superfluous, or the study has no such seed.
    """
    if (source / "study.json").is_file():
        if weights is not None:
            raise LearnetError(
                f"{source} is a study, whose clips are explained with its own weights.",
                "Leave --weights out, or name the prepared folder.",
            )
        return _open_study(source, seed)
    prepared = load_prepared(source)
    if weights is None:
        raise LearnetError(
            f"{source} holds images and no network.", "Name one with --weights, or name a study folder."
        )
    truth = dict(zip(prepared.clips["clip"], prepared.clips["emotion"], strict=True))
    return ExplainedClips(prepared, None, truth, {}, 0, weights, leaky=False, untested={})


def _open_study(study: Path, seed: int | None) -> ExplainedClips:
    description, outcomes = read_description(study), read_outcomes(study)
    prepared = _prepared_folder(study, description)
    seed = _select_seed(study, outcomes, seed)
    truth, folds = {}, {}
    for outcome in outcomes:
        if outcome.seed == seed:
            truth[outcome.clip] = outcome.truth
            folds[outcome.clip] = outcome.fold
    return ExplainedClips(
        prepared=prepared,
        study=study,
        truth=truth,
        folds=folds,
        seed=seed,
        weights=None,
        leaky=description.protocol.startswith("leaky-"),
        untested=_untested_clips(study, description, prepared, set(truth)),
    )


def _prepared_folder(study: Path, description: StudyDescription) -> PreparedDataset:
    """Load the prepared folder of a study, from its recorded path, or from inside or beside the study."""
    recorded, home = Path(description.prepared.folder), absolute_path(study)
    candidates = (recorded, home / recorded.name, home.parent / recorded.name)
    existing = [folder for folder in candidates if folder.is_dir()]
    if not existing:
        raise BadInput(
            recorded,
            f"the images of the study {study.name} are missing",
            "Put the prepared folder beside the study, or prepare it again.",
        )
    prepared = load_prepared(existing[0])
    if prepared.record.fingerprint != description.prepared.fingerprint:
        raise BadInput(
            existing[0], f"these images have changed since the study {study.name}", "Run the study again."
        )
    return prepared


def _untested_clips(
    study: Path, description: StudyDescription, prepared: PreparedDataset, tested: set[str]
) -> dict[str, str]:
    """Return the clips without prediction and the reason: left out by the class scheme, or not tested yet."""
    scheme = description.scheme.name
    reasons = {}
    for clip, emotion in zip(prepared.clips["clip"], prepared.clips["emotion"], strict=True):
        if clip in tested:
            continue
        reasons[clip] = f"and {study} has not tested it"
        if emotion in description.left_out:
            reasons[clip] = f"labelled {emotion!r}, which the class scheme {scheme} of {study} leaves out"
    return reasons


def _select_seed(study: Path, outcomes: Sequence[Outcome], seed: int | None) -> int:
    seeds = sorted({outcome.seed for outcome in outcomes})
    if not seeds:
        raise BadInput(study, "it has no predictions yet", "Let the study finish first.")
    if seed is None:
        return seeds[0]
    if seed not in seeds:
        raise LearnetError(f"{study} has no run with seed {seed}.", f"It has {', '.join(map(str, seeds))}.")
    return seed
