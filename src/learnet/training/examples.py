"""Images and labels of the training side: as stored, and as the training loop receives them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Int64, UInt8

from learnet.motion.detrend import StoredImages, TrainingImages


@dataclass(frozen=True)
class TrainingExamples:
    """Input of the training loop: images as trained on, phases among them, and their labels."""

    images: TrainingImages
    labels: Int64[np.ndarray, "N"]  # positions in the class list
    classes: int  # number of classes


@dataclass(frozen=True)
class TrainingSet:
    """Images that a network may be trained on."""

    images: UInt8[np.ndarray, "N H W 3"]  # as stored in the prepared folder, 0..255
    labels: Int64[np.ndarray, "N"]  # positions in the class list
    people: Sequence[str]  # person of each image; only used to choose the number of epochs
    classes: int  # number of classes
    phases: tuple[UInt8[np.ndarray, "M H W 3"], Int64[np.ndarray, "M"]] | None = None
    """Images of phases of the same clips, and the position of each one's clip; never used for testing."""

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

    def examples(self, images: TrainingImages) -> TrainingExamples:
        """Return the input of the training loop.

        Args:
            images: of the clips, from `stored.for_training`. Phases are added as they are stored, because
                their trend is never removed.
        """
        both = replace(self, images=images.pixels).with_phases
        pixels = TrainingImages(both.images)
        return TrainingExamples(pixels, both.labels, both.classes)
