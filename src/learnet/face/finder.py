"""The choice of a face finder.

The LEARNet authors name Viola-Jones and do not state how they cropped, so the finder is an option that every
prepared folder records.
"""

from collections.abc import Callable
from pathlib import Path

from learnet.core.errors import LearnetError, pick
from learnet.face.haar import Haar
from learnet.face.model import MODEL_NAME, MODEL_VARIABLE, find_model
from learnet.face.records import FaceFinder
from learnet.face.yunet import YuNet


def face_finder(kind: str, model: str | Path | None = None) -> FaceFinder:
    """Return a face finder.

    Args:
        kind: "yunet", "haar", or "auto": yunet where its model is found, else haar.
        model: YuNet's model file; by default see `find_model`.

    Raises:
        UnknownName: no such kind.
        LearnetError: yunet is requested and there is no model, or the model cannot be read.
    """
    return pick(_FINDERS, kind, "face finder")(Path(model) if model else None)


def _auto(model: Path | None) -> FaceFinder:
    path = find_model(model)
    return YuNet(path) if path else Haar()


def _yunet(model: Path | None) -> FaceFinder:
    path = find_model(model)
    if path is None:
        raise LearnetError(
            f"The face finder yunet needs its model {MODEL_NAME}, which was not found.",
            f"`learnet face-model` downloads it, and face_model (--face-model) or {MODEL_VARIABLE} names it; "
            "the face finder haar (--face haar) needs none.",
        )
    return YuNet(path)


def _haar(model: Path | None) -> FaceFinder:
    return Haar()  # a model for yunet is no mistake: the same options are used with every finder


_FINDERS: dict[str, Callable[[Path | None], FaceFinder]] = {"auto": _auto, "yunet": _yunet, "haar": _haar}
