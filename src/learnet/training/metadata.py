"""What a file of weights says of itself, whatever the format: the part that can be read without loading torch."""

import json
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any, TypeVar, get_args, get_type_hints

from learnet.core.errors import BadCheckpoint
from learnet.core.settings import Preparation, Training

FORMAT = "learnet-1"  # counts up when a file that was written before can no longer be read in the same way
TRAIN_AGAIN = "Use the learnet that wrote it, or train again."

Settings = TypeVar("Settings", Preparation, Training)


@dataclass(frozen=True)
class CheckpointMetadata:
    """What a checkpoint says of itself: all that is needed to make the network again and to feed it."""

    network: str  # name in NETWORKS
    classes: tuple[str, ...]  # in the order of the network's scores
    size: int  # height and width of the images in pixels
    preparation: Preparation | None  # how the images were made; None where they were imported
    training: Training | None  # None where nothing was trained
    data: dict[str, str]  # what it was trained on: fingerprint, people, ...
    versions: dict[str, str]  # of what it was trained with

    @property
    def mirror(self) -> str:
        """How scores are made: "image" or "flow" averages those of an image and its mirror image, "none" does not."""
        return self.training.mirror_when_tested if self.training else "none"

    @property
    def simulated(self) -> bool:
        """Whether the network has learned from simulated images alone (`learnet simulate`), of which nobody's name is kept."""
        return self.data.get("synthetic") == "yes" and "people" not in self.data

    @property
    def _flow_of_unknown_making(self) -> bool:
        return self.preparation is None and self.data.get("images_kind") == "flow"

    def takes(self, preparation: Preparation | None) -> bool:
        """Whether images made by PREPARATION are as those it learned from.

        Networks that learned from simulated clips, in which nobody searched a face, take those of every face finder. Flow images of unknown
        making, as the simulated ones, go with all whose channels are stretched each by its own range.
        """
        if self._flow_of_unknown_making:
            return preparation is None or preparation.normalise == "per-channel"
        if self.preparation and preparation and self.simulated:
            return replace(preparation, face=self.preparation.face) == self.preparation
        return self.preparation == preparation

    def for_videos(self) -> "CheckpointMetadata":
        """The same, and how motion images of a video are made for it: networks that learned from simulated flow take that of DIS."""
        if not self.simulated or not self._flow_of_unknown_making:
            return self
        return replace(self, preparation=Preparation(motion="flow-dis", size=self.size).settled)

    def told(self, weights: str) -> dict[str, object]:
        """A network as JSON, beside its answers. Of the people that it learned from only the number is told."""
        learned: dict[str, object] = dict(self.data)
        if "people" in self.data:
            learned["people"] = len(self.data["people"].splitlines())
        preparation = asdict(self.preparation) if self.preparation else None
        about = {"name": self.network, "weights": weights, "classes": list(self.classes), "size": self.size}
        return {**about, "preparation": preparation, "trained_on": learned}

    @property
    def level(self) -> int:
        """Percentile to which flow images are stretched once the even part is taken out of them (`motion.level`); 0 where it is not."""
        return self.training.detrend_percentile if self.training else 0


def metadata_to_json(facts: CheckpointMetadata) -> str:
    """Facts as one line of JSON; the same facts give the same text."""
    return json.dumps({"format": FORMAT, **asdict(facts)}, sort_keys=True)


def read_metadata(path: Path, text: str) -> CheckpointMetadata:
    """Facts from what `metadata_to_json` wrote, each value of its kind.

    Args:
        path: the file that the text stands in, for the error.
        text: JSON.

    Raises:
        BadCheckpoint: not JSON, of another format, incomplete, or with values that are not known here.
    """
    try:
        about = json.loads(text)
    except ValueError:
        about = None
    if not isinstance(about, dict):
        raise BadCheckpoint(path, "what it says of itself cannot be read", TRAIN_AGAIN)
    if about.get("format") != FORMAT:
        raise BadCheckpoint(
            path, f"its format is {about.get('format')!r}, and this learnet reads {FORMAT!r}", TRAIN_AGAIN
        )
    try:
        for key, kind in (
            ("network", str),
            ("classes", list),
            ("size", int),
            ("data", dict),
            ("versions", dict),
        ):
            if type(about[key]) is not kind:
                raise ValueError(f"{key} is {about[key]!r}")
        words = (*about["classes"], *about["data"].values(), *about["versions"].values())
        if about["size"] < 1 or not about["classes"] or not all(isinstance(word, str) for word in words):
            raise ValueError(f"size is {about['size']}, classes are {about['classes']}")
        return CheckpointMetadata(
            network=about["network"],
            classes=tuple(about["classes"]),
            size=about["size"],
            preparation=_settings(Preparation, about["preparation"]),
            training=_settings(Training, about["training"]),
            data=about["data"],
            versions=about["versions"],
        )
    except (KeyError, ValueError) as error:
        raise BadCheckpoint(
            path, f"what it says of itself is incomplete or not known here ({error})", TRAIN_AGAIN
        ) from None


def _settings(kind: type[Settings], values: object) -> Settings | None:
    """A settings record, or a ValueError or KeyError that names what does not fit.

    A setting that the file does not know has its default: by rule, what was done before there was that setting. A setting that nobody
    here knows is an error: the file is newer than this program.
    """
    if values is None:
        return None
    defaults, hints = {field.name: field.default for field in fields(kind)}, get_type_hints(kind)
    if not isinstance(values, dict):
        raise ValueError(f"{kind.__name__} is {values!r}")
    given: dict[str, Any] = {
        name: float(value) if type(defaults[name]) is float and type(value) is int else value
        for name, value in values.items()
    }
    for name, value in given.items():
        choices = get_args(hints[name])  # of a Literal
        if type(value) is not type(defaults[name]) or (choices and value not in choices):
            raise ValueError(f"{name} is {value!r}")
    return kind(**given)
