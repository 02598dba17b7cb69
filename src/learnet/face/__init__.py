"""Face detection, alignment and head motion."""

from learnet.face.alignment import (
    EYE_COLUMNS,
    EYE_DISTANCE,
    EYE_ROW,
    HEAD_MOTION_LIMIT_PX,
    MIN_RIGID_CORRELATION,
    AlignedFaces,
    Remark,
    align,
    eye_transform,
)
from learnet.face.finder import face_finder
from learnet.face.model import fetch_model, find_model
from learnet.face.records import Face, FaceFinder, ModelFaceFinder, MultipleFaceFinder

__all__ = [
    "EYE_COLUMNS",
    "EYE_DISTANCE",
    "EYE_ROW",
    "HEAD_MOTION_LIMIT_PX",
    "MIN_RIGID_CORRELATION",
    "AlignedFaces",
    "Face",
    "FaceFinder",
    "ModelFaceFinder",
    "MultipleFaceFinder",
    "Remark",
    "align",
    "eye_transform",
    "face_finder",
    "fetch_model",
    "find_model",
]
