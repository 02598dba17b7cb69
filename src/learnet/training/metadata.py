"""Metadata of a file of weights, whatever its format. Reading them does not load torch."""

import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Literal

from learnet.core.errors import BadCheckpoint
from learnet.core.serialisation import (
    ROOT,
    InvalidValue,
    convert,
    key_named,
    optional_key,
    parse_json,
    shown,
    to_plain,
)
from learnet.core.settings import Preparation, Training

FORMAT = "learnet-1"  # the number increases when older files can no longer be read in the same way
TRAIN_AGAIN = "Use the learnet version that wrote it, or train again."
CHECKSUM_KEY = "sha256"  # of the rest of the file; files of earlier versions lack it
LARGEST_SIZE = 2**13  # pixels; damaged metadata would ask for any amount of memory

OUTPUTS_PER_UNIT = 3
"""Outputs of a network of action units for each of U units, in blocks of U: logits of the unit on any side,
on the person's left, and on the right."""


@dataclass(frozen=True)
class ActionUnitSettings:
    """The action units that a network names (`inference.action_units`)."""

    units: tuple[int, ...]  # numbers of the units, in the order of the outputs
    thresholds: tuple[float, ...]  # probability from which each unit is named
    wrong_share: float  # share of the named units that is wrong at these thresholds, on simulated images


@dataclass(frozen=True)
class CheckpointMetadata:
    """Metadata of a checkpoint: all that is needed to build the network and to make its input."""

    network: str  # name in NETWORKS
    classes: tuple[str, ...]  # in the order of the network's scores
    size: int  # height and width of the images in pixels
    preparation: Preparation | None  # how the images were made; None: they were imported
    training: Training | None  # None: the network was not trained
    data: dict[str, str]  # training data: fingerprint, images_kind, people, ...
    versions: dict[str, str]  # of Python and of the libraries used in training
    action_units: ActionUnitSettings | None = optional_key()  # None: the network scores classes

    @property
    def outputs(self) -> int:
        """Number of outputs of the network."""
        return len(self.classes) * (OUTPUTS_PER_UNIT if self.action_units else 1)

    @property
    def mirror(self) -> str:
        """Mirroring at test: "image" or "flow" averages scores with the mirror image; otherwise "none"."""
        return self.training.mirror_when_tested if self.training else "none"

    @property
    def detrend_percentile(self) -> int:
        """Clipping percentile of detrended flow images (`motion.detrend`); 0: the trend is kept."""
        return self.training.detrend_percentile if self.training else 0

    @property
    def views(self) -> Literal["one", "many"]:
        """Views of each image whose scores are averaged at test (`Training.views_at_test`)."""
        return self.training.views_at_test if self.training else "one"

    @property
    def phases_at_test(self) -> bool:
        """Whether the scores of a clip are the mean over its image and its phases."""
        return self.training is not None and self.training.phases_at_test

    @property
    def phases(self) -> list[str]:
        """Names of the phases or parts in the training data, sorted; empty where none were there or known."""
        return self.data.get("phases", "").splitlines()

    @property
    def people(self) -> set[str]:
        """People in the training data, as dataset/subject; empty for simulated images, which show nobody."""
        return set(self.data.get("people", "").splitlines())

    @property
    def folders(self) -> set[str]:
        """Fingerprints of the prepared folders of the training: of each one, and of all together."""
        names = [self.data.get("fingerprint", ""), *self.data.get("folders", "").splitlines()]
        return set(filter(None, names))

    @property
    def simulated(self) -> bool:
        """Whether the network was trained on simulated images only (`learnet simulate`); they show nobody."""
        all_synthetic = self.data.get("synthetic") == "yes"
        return all_synthetic and "people" not in self.data

    @property
    def _imported_flow(self) -> bool:
        is_flow = self.data.get("images_kind") == "flow"
        return is_flow and self.preparation is None

    def accepts(self, preparation: Preparation | None) -> bool:
        """Return whether images of this preparation are like the training images.

        Networks trained on simulated clips, in which no face was detected, accept images of every face
        detector. Networks trained on imported or simulated flow accept flow images scaled per channel.
        """
        if self._imported_flow:
            return preparation is None or preparation.normalise == "per-channel"
        if self.preparation and preparation and self.simulated:
            return replace(preparation, face=self.preparation.face) == self.preparation
        return self.preparation == preparation

    def resolve_for_video(self) -> "CheckpointMetadata":
        """Return metadata with a preparation for videos: DIS flow for networks trained on simulated flow."""
        if not self.simulated or not self._imported_flow:
            return self
        return replace(self, preparation=Preparation(motion="flow-dis", size=self.size).settled)

    def to_dict(self, weights: str) -> dict[str, object]:
        """Return a description of the network for JSON output, without names of people.

        Args:
            weights: file or name of the weights.
        """
        trained_on: dict[str, object] = dict(self.data)
        if "people" in self.data:
            trained_on["people"] = len(self.people)
        return {
            "name": self.network,
            "weights": weights,
            "classes": list(self.classes),
            "size": self.size,
            "preparation": asdict(self.preparation) if self.preparation else None,
            "trained_on": trained_on,
        }


@dataclass(frozen=True)
class InitialWeightsRecord:
    """Entry of `study.json` about initial weights."""

    weights: str  # as they were requested
    file: str
    sha256: str
    class_layer: str = key_named("class layer")  # "taken" from the weights, or "new"
    data: dict[str, str] = key_named("learned from")  # training data of the weights, without names of people


def metadata_to_json(metadata: CheckpointMetadata) -> str:
    """Return metadata as one line of JSON; equal metadata give equal text."""
    return json.dumps({"format": FORMAT, **to_plain(metadata)}, sort_keys=True)


def read_metadata(path: Path, text: str) -> CheckpointMetadata:
    """Parse the output of `metadata_to_json` and check the type of each value.

    Args:
        path: file that contains the text, for error messages.
        text: JSON.

    Raises:
        BadCheckpoint: not JSON, another format, incomplete, or with unknown values.
    """
    try:
        record = parse_json(text)
    except ValueError:
        record = None
    if not isinstance(record, dict):
        raise BadCheckpoint(path, "its metadata cannot be read", TRAIN_AGAIN)
    if record.get("format") != FORMAT:
        problem = f"its format is {record.get('format')!r}, and this version of learnet reads {FORMAT!r}"
        raise BadCheckpoint(path, problem, TRAIN_AGAIN)
    del record["format"]
    record.pop(CHECKSUM_KEY, None)  # `checkpoint` has compared it
    try:
        metadata = convert(record, CheckpointMetadata, ROOT)
    except InvalidValue as error:
        problem = (
            f"its metadata are incomplete or not known here (`{error.path}`: {error.problem.rstrip('.')})"
        )
        raise BadCheckpoint(path, problem, TRAIN_AGAIN) from None
    if not 1 <= metadata.size <= LARGEST_SIZE or not metadata.classes:
        problem = f"its metadata have the size {shown(metadata.size)} and {len(metadata.classes)} classes"
        raise BadCheckpoint(path, problem, TRAIN_AGAIN)
    return metadata
