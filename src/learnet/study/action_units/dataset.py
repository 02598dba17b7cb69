"""Prepared clips with the action units that annotators saw in them."""

from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np

from learnet.core.errors import BadInput
from learnet.core.labels import parse_action_units
from learnet.datasets.prepared.store import ImageSource
from learnet.motion.detrend import StoredImages


@dataclass(frozen=True)
class AnnotatedDataset:
    """The images of a prepared folder whose action units were annotated."""

    prepared: ImageSource
    rows: tuple[int, ...]  # positions in the prepared folder, of images with annotated units

    @property
    def left_out(self) -> int:
        """Number of images without annotated units."""
        return len(self.prepared.clips) - len(self.rows)

    @property
    def codes(self) -> tuple[str, ...]:
        """Action units of each clip as the annotators wrote them."""
        return self.column("action_units")

    @property
    def people(self) -> tuple[str, ...]:
        """Person of each clip."""
        return self.column("person")

    @property
    def images(self) -> StoredImages:
        """Images of all clips, in memory."""
        return self.images_at(range(len(self.rows)))

    def images_at(self, positions: range) -> StoredImages:
        """Return the images at these positions among the annotated ones."""
        return StoredImages(self.prepared.take([self.rows[position] for position in positions]))

    def column(self, name: str) -> tuple[Any, ...]:
        """Return a column of `clips.csv` for each clip: text, or numbers that are NaN where not known."""
        return tuple(self.prepared.clips[name].iloc[list(self.rows)])

    def people_with_unit(self) -> dict[int, int]:
        """Return the number of people who show each unit, by the number of the unit."""
        shown = set()
        for person, code in zip(self.people, self.codes, strict=True):
            shown |= {(unit, person) for unit in _units_shown(code)}
        return dict(sorted(Counter(unit for unit, _ in shown).items()))

    def clips_with_unit(self) -> dict[int, int]:
        """Return the number of clips that show each unit, by the number of the unit."""
        counts: Counter[int] = Counter()
        for code in self.codes:
            counts.update(_units_shown(code))
        return dict(sorted(counts.items()))


def _units_shown(code: str) -> set[int]:
    """Return the numbers of the units of a code. 0 stands for a neutral face, which shows none."""
    return {unit.number for unit in parse_action_units(code) if unit.number and not unit.static}


def annotated_dataset(source: ImageSource) -> AnnotatedDataset:
    """Return the images whose code names at least one unit, and simulated images without any.

    An empty code means that nobody annotated the clip, except in simulated images, whose units are known.

    Raises:
        BadInput: no code names a unit.
    """
    has_units = [bool(parse_action_units(code)) for code in source.clips["action_units"]]
    is_known = [True] * len(has_units) if source.record.simulated else has_units
    if not any(has_units):
        folders = ", ".join(map(str, source.folders))
        wrong = "no clip has action units: the column action_units of clips.csv is empty"
        hint = "Prepare a database that has them, or import with a column action_units such as 4+7+L10."
        raise BadInput(folders, wrong, hint)
    return AnnotatedDataset(source, tuple(np.flatnonzero(is_known).tolist()))
