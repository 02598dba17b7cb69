"""What `prepare.json` says of a prepared folder."""

from dataclasses import dataclass, field
from typing import Any

from learnet.core.errors import pick
from learnet.core.serialisation import optional_key
from learnet.core.settings import Preparation
from learnet.motion.phases import PhasesRecord

IMAGE_KINDS = ("image", "flow", "unknown")
"""What mirroring does to an image: it is flipped with the face; its first channel changes sign as well; it is
never mirrored."""


@dataclass(frozen=True, kw_only=True)
class PrepareRecord:
    """The content of `prepare.json`. Folders of earlier versions may lack the keys that have a default."""

    imported: bool = False  # finished motion images of somebody else
    preparation: Preparation | None  # how the images were made; None where they were imported
    images_kind: str  # what mirroring does to an image: one of IMAGE_KINDS, or "histograms"
    synthetic: bool = False  # whether a computer made the clips, or some of them
    simulated: bool | None = optional_key()  # every image shows somebody else, and nobody who exists
    reading: dict[str, Any] | None = optional_key()  # what was read, in words; concatenated folders have none
    face_model: str | None = None  # SHA-256 of the face finder's model file
    inputs: str = ""  # SHA-256 of the annotations and of the names and sizes of the files
    versions: dict[str, str] = field(default_factory=dict)  # of the packages on which pixels depend
    pooled: list["ConcatenatedFolder"] | None = optional_key()  # the folders that were concatenated
    phases: PhasesRecord | None = optional_key()  # where images of the clips' phases or parts are kept
    parts: int | None = optional_key()  # into which each clip was divided, where the phases are parts
    clips: int = 0  # images in the folder
    skipped: int = 0  # clips that could not be used
    people: int = 0
    fingerprint: str = ""  # digest of all that a study reads (`store.fingerprint`)

    def __post_init__(self) -> None:
        pick(dict.fromkeys((*IMAGE_KINDS, "histograms")), self.images_kind, "kind of image")

    @property
    def synthetic_extent(self) -> str:
        """Whether a computer made the clips: "yes", "no", or "partly" where only some concatenated folders
        are synthetic."""
        if not self.synthetic:
            return "no"
        return "yes" if all(part.about.synthetic for part in self.pooled or ()) else "partly"


@dataclass(frozen=True)
class ConcatenatedFolder:
    """One of the folders of a concatenated folder, as it was then."""

    folder: str
    datasets: list[str]
    fingerprint: str
    about: PrepareRecord
