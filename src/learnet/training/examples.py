"""Images and labels of the training side: as stored, and as the training loop receives them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float64, Int64, UInt8

from learnet.core.settings import Training
from learnet.motion.detrend import EvaluationImages, StoredImages, TrainingImages
from learnet.training.scorer import Scorer


@dataclass(frozen=True)
class TrainingExamples:
    """Input of the training loop: images as trained on, phases among them, and their labels."""

    images: TrainingImages
    labels: Int64[np.ndarray, "N"]  # positions in the class list
    classes: int  # number of classes


@dataclass(frozen=True)
class ClipImages:
    """Images that a network is tested on, of which several may be of one clip."""

    images: StoredImages | EvaluationImages
    clips: Int64[np.ndarray, "M"]  # position of the clip of each image; every clip has at least one

    def detrended(self, percentile: int) -> "ClipImages":
        """Return the images without their trend, so that they can be scored several times.

        Args:
            percentile: as of `motion.detrend.detrend`.
        """
        if isinstance(self.images, EvaluationImages):
            return self
        return ClipImages(self.images.for_evaluation(percentile), self.clips)

    def scores(self, scorer: Scorer) -> Float64[np.ndarray, "N K"]:
        """Return the probability of each class for each clip: the mean over its images."""
        of_images = scorer.scores(self.images)
        number_of_images = np.bincount(self.clips)
        totals = np.zeros((len(number_of_images), of_images.shape[1]))
        np.add.at(totals, self.clips, of_images)
        return totals / number_of_images[:, None]


@dataclass(frozen=True)
class TrainingSet:
    """Images that a network may be trained on."""

    images: UInt8[np.ndarray, "N H W 3"]  # as stored in the prepared folder, 0..255
    labels: Int64[np.ndarray, "N"]  # positions in the class list
    people: Sequence[str]  # person of each image; only used to choose the number of epochs
    classes: int  # number of classes
    phases: tuple[UInt8[np.ndarray, "M H W 3"], Int64[np.ndarray, "M"]] | None = None
    """Images of phases of the same clips, and the position of each one's clip."""

    def take(self, positions: Sequence[int]) -> "TrainingSet":
        """Return the images at these positions, with the phases of these clips only."""
        chosen = np.asarray(positions, dtype=np.int64)
        return TrainingSet(
            images=self.images[chosen],
            labels=self.labels[chosen],
            people=[self.people[position] for position in positions],
            classes=self.classes,
            phases=self._take_phases(chosen),
        )

    def _take_phases(
        self, chosen: Int64[np.ndarray, "C"]
    ) -> tuple[UInt8[np.ndarray, "_ H W 3"], Int64[np.ndarray, "_"]] | None:
        if self.phases is None:
            return None
        images, clips = self.phases
        new_positions = np.full(len(self.labels), -1)
        new_positions[chosen] = np.arange(len(chosen))
        kept = new_positions[clips] >= 0
        return images[kept], new_positions[clips[kept]]

    @property
    def stored(self) -> StoredImages:
        """The images of the clips, without phases."""
        return StoredImages(self.images)

    @property
    def with_phases(self) -> "TrainingSet":
        """The images of the clips, followed by those of their phases with the labels of the clips."""
        if self.phases is None:
            return self
        images, clips = self.phases
        labels = np.concatenate([self.labels, self.labels[clips]])
        people = [*self.people, *(self.people[clip] for clip in clips)]
        return TrainingSet(np.concatenate([self.images, images]), labels, people, self.classes)

    def for_test(self, phases: bool) -> ClipImages:
        """Return the images to test on.

        Args:
            phases: add those of the phases, whose scores are averaged with those of their clip.
        """
        clips = np.arange(len(self.labels))
        if not phases or self.phases is None:
            return ClipImages(self.stored, clips)
        images, clips_of_phases = self.phases
        pixels = np.concatenate([self.images, images])
        return ClipImages(StoredImages(pixels), np.concatenate([clips, clips_of_phases]))

    def examples(
        self, images: TrainingImages, training: Training = Training(detrend=False)
    ) -> TrainingExamples:
        """Return the input of the training loop.

        Args:
            images: of the clips, from `stored.for_training`. Those of their phases are added.
            training: settings by which the images of phases are detrended, as those of the clips were.
        """
        phases = self.phases
        if phases is not None:
            phases = (StoredImages(phases[0]).for_training(training).pixels, phases[1])
        both = replace(self, images=images.pixels, phases=phases).with_phases
        pixels = TrainingImages(both.images)
        return TrainingExamples(pixels, both.labels, both.classes)
