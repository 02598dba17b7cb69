"""Parts of videos that are analysed over time, with the onset, apex and offset that are known."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from learnet.core.errors import BadInput
from learnet.core.printable import stored_path

if TYPE_CHECKING:
    from learnet.report.explain.clips import ExplainedClips

MARGIN_S = 0.15  # seconds shown before the onset and after the offset, where a clip has them
MARKS = ("onset", "apex", "offset")


@dataclass(frozen=True)
class KeyFrame:
    """The frame of the onset, the apex or the offset."""

    frame: int  # number, as in the names of the files
    source: str  # "given", `apex_source` of the database, or "detected"


@dataclass(frozen=True)
class VideoSegment:
    """Part of a video, and what is known of the movement in it. Frames have the numbers of the files."""

    source: Path
    name: str  # for titles
    first: int | None = None  # first frame; None: the first of the video
    last: int | None = None
    key_frames: dict[str, KeyFrame] = field(default_factory=dict)  # the known ones of onset, apex and offset
    fps: float | None = None  # None: as the video says
    cropped: bool = False  # the frames are face crops already


def segment_of_video(
    video: Path, onset: int | None, apex: int | None, offset: int | None, fps: float | None
) -> VideoSegment:
    """Return a video, or its part from a given onset to a given offset."""
    key_frames = {}
    for name, frame in zip(MARKS, (onset, apex, offset), strict=True):
        if frame is not None:
            key_frames[name] = KeyFrame(frame, "given")
    return VideoSegment(video, video.name, onset, offset, key_frames, fps)


def segment_of_clip(clips: "ExplainedClips", clip_name: str) -> VideoSegment:
    """Return the frames of a clip of a database, with a margin on both sides and its annotated key frames.

    Raises:
        BadInput: the frames are not on disk any more, or never were (imported images).
    """
    table = clips.prepared.clips
    row = table[table["clip"] == clip_name].iloc[0]
    path = stored_path(str(row["path"]))
    imported = clips.prepared.record.imported
    if imported or not str(row["path"]) or not path.exists():
        problem = f"the frames of {clip_name} are missing"
        if imported:
            problem = "these images were imported without their frames"
        raise BadInput(path, problem, "An analysis over time needs the frames of the clip.")
    onset, offset = int(row["onset"]), int(row["offset"])
    key_frames = {"onset": KeyFrame(onset, "file"), "offset": KeyFrame(offset, "file")}
    if not np.isnan(row["apex"]):
        key_frames["apex"] = KeyFrame(int(row["apex"]), str(row["apex_source"]))
    margin = round(MARGIN_S * row["fps"])
    return VideoSegment(
        source=path,
        name=f"{clip_name}, labelled {clips.truth[clip_name]}",
        first=max(0, onset - margin),
        last=offset + margin,
        key_frames=key_frames,
        fps=float(row["fps"]),
        cropped=row["face"] == "given",
    )
