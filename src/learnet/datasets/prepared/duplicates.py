"""Images that several people have: one clip under two names, which a fold would train on and test.

An exact copy has the same pixels. A near copy was compressed, resized, brightened or mirrored: the details of
the two images, at a low resolution, are more alike than those of any two people.
"""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import pandas as pd
from jaxtyping import Bool, Float32, Int64, UInt8

from learnet.core.errors import LearnetError, counted
from learnet.core.records import Finding
from learnet.datasets.prepared.record import PrepareRecord

FINDING = "image of two people"
SIDE_PX = 16  # height and width at which images are compared
COARSE_PX = 4  # at this resolution, which is subtracted, the movements of two people have much in common
LEAST_CORRELATION = 0.95  # 309 flow images of MEGC2019 and 927 of their phases: 0.87 between two people
LEAST_DETAIL = 0.5  # grey levels, root mean square: below it is an image without motion, which many may have
LUMA = (0.299, 0.587, 0.114)  # ITU-R BT.601, which JPEG keeps finer than the colours
CHUNK = 64  # images in memory at a time
MOST_NAMED = 3  # pairs in an error message
EXACT_ONLY = ("onset-face", "apex-face", "lbp-top")
"""Motion images of which no near copies are searched: two faces, or two histograms, are alike anyway."""

SAME, NEAR, MIRRORED = "the same image", "nearly the same image", "a mirrored image"

Take = Callable[[Sequence[int]], UInt8[np.ndarray, "_ H W 3"]]
"""Rows of clips.csv -> their images."""


@dataclass(frozen=True)
class SharedImage:
    """An image, and an earlier one of another person of which it is a copy."""

    first: int  # row of clips.csv
    second: int  # row of clips.csv, after `first`
    correlation: float  # of their details, at most 1, which is also that of an exact copy
    kind: str  # SAME, NEAR or MIRRORED

    def describe(self, clips: pd.DataFrame) -> str:
        """Return `casme2/01/a and smic/s3/b (nearly the same image, correlation 0.987)`."""
        names = f"{clips['clip'].iloc[self.first]} and {clips['clip'].iloc[self.second]}"
        if self.kind == SAME:
            return f"{names} ({self.kind})"
        return f"{names} ({self.kind}, correlation {self.correlation:.3f})"


def find_shared_images(
    take: Take, clips: pd.DataFrame, record: PrepareRecord, rows: Sequence[int] | None = None
) -> list[SharedImage]:
    """Return the images that are of two people.

    Each image of which an earlier one of another person is a copy is returned once, with the earlier one
    that is most like it. Images without motion are left out: many people may have them. Near copies are not
    searched among synthetic images, whose faces are reshapes of one portrait, nor in EXACT_ONLY.

    Args:
        take: returns the images of rows of `clips`.
        clips: with the columns clip, dataset and person.
        record: `prepare.json` of the images.
        rows: rows to compare; by default all.
    """
    chosen = np.arange(len(clips)) if rows is None else np.asarray(rows, dtype=np.int64)
    people = pd.factorize(clips["person"])[0]
    shared = {}
    for image in _near_copies(take, people, chosen[_is_compared(record, clips, chosen)]):
        shared[image.second] = image
    for image in _exact_copies(take, people, chosen):
        shared[image.second] = image
    return [shared[second] for second in sorted(shared)]


def check_shared_images(
    take: Take, clips: pd.DataFrame, record: PrepareRecord, rows: Sequence[int] | None = None
) -> None:
    """Refuse images that are of two people, and so would be trained on and tested.

    Args:
        take: see `find_shared_images`.
        clips: see `find_shared_images`.
        record: see `find_shared_images`.
        rows: see `find_shared_images`.

    Raises:
        LearnetError: there are such images.
    """
    shared = find_shared_images(take, clips, record, rows)
    if not shared:
        return
    described = "; ".join(image.describe(clips) for image in shared[:MOST_NAMED])
    more = f"; and {len(shared) - MOST_NAMED} more" if len(shared) > MOST_NAMED else ""
    number = counted(len(shared), "image is", "images are")
    what = f"{number} of two people, and would be trained on and tested: {described}{more}."
    hint = (
        "Leave one clip of each pair out, use one name for each person, "
        "or say that they are different clips (--shared-images)."
    )
    raise LearnetError(what, hint)


def shared_image_findings(take: Take, clips: pd.DataFrame, record: PrepareRecord) -> list[Finding]:
    """Return a serious finding for each image that is of two people.

    Args:
        take: see `find_shared_images`.
        clips: see `find_shared_images`.
        record: see `find_shared_images`.
    """
    findings = []
    for image in find_shared_images(take, clips, record):
        where = clips["clip"].iloc[image.second]
        hint = "leave one of them out, or say in a study that they are different clips (--shared-images)"
        findings.append(Finding(FINDING, where, f"{image.describe(clips)}: {hint}", serious=True))
    return findings


def image_details(images: UInt8[np.ndarray, "N H W 3"]) -> Float32[np.ndarray, "N 16 16 3"]:
    """Return the details of images, in grey levels: each channel at SIDE_PX less the same at COARSE_PX, of
    mean 0.
    """
    details = np.empty((len(images), SIDE_PX, SIDE_PX, 3), np.float32)
    for index, image in enumerate(images):
        small = cv2.resize(image.astype(np.float32), (SIDE_PX, SIDE_PX), interpolation=cv2.INTER_AREA)
        coarse = cv2.resize(small, (COARSE_PX, COARSE_PX), interpolation=cv2.INTER_AREA)
        details[index] = small - cv2.resize(coarse, (SIDE_PX, SIDE_PX), interpolation=cv2.INTER_LINEAR)
    return details - details.mean(axis=(1, 2), keepdims=True)


def _is_compared(
    record: PrepareRecord, clips: pd.DataFrame, rows: Int64[np.ndarray, "M"]
) -> Bool[np.ndarray, "M"]:
    """Return for each row whether near copies of its image are searched."""
    is_exact_only = record.preparation is not None and record.preparation.motion in EXACT_ONLY
    if is_exact_only or record.images_kind == "histograms":
        return np.zeros(len(rows), bool)
    synthetic: set[str] = set()
    if record.pooled:
        for part in record.pooled:
            if part.about.synthetic or part.about.simulated:
                synthetic.update(part.datasets)
    elif record.synthetic or record.simulated:
        return np.zeros(len(rows), bool)
    return ~clips["dataset"].iloc[rows].isin(synthetic).to_numpy()


def _exact_copies(
    take: Take, people: Int64[np.ndarray, "N"], rows: Int64[np.ndarray, "M"]
) -> list[SharedImage]:
    """Return the images that have the pixels of an earlier one of another person."""
    first_row: dict[bytes, int] = {}
    copies = []
    for chunk in _chunks(rows):
        for row, image in zip(chunk.tolist(), take(chunk.tolist()), strict=True):
            digest = hashlib.sha256(np.ascontiguousarray(image).data).digest()
            first = first_row.setdefault(digest, row)
            if people[first] != people[row] and _has_motion(image_details(image[None]))[0]:
                copies.append(SharedImage(first, row, 1.0, SAME))
    return copies


def _near_copies(
    take: Take, people: Int64[np.ndarray, "N"], rows: Int64[np.ndarray, "M"]
) -> list[SharedImage]:
    """Return the images whose details are those of an earlier one of another person, as it is or mirrored."""
    vectors = np.empty((len(rows), SIDE_PX * SIDE_PX), np.float32)
    has_motion = np.empty(len(rows), bool)
    copies: list[SharedImage] = []
    for start in range(0, len(rows), CHUNK):
        stop = min(start + CHUNK, len(rows))
        seconds, firsts = rows[start:stop], rows[:stop]
        details = image_details(take(seconds.tolist()))
        views = _views(details)
        vectors[start:stop] = views[0][1]
        has_motion[start:stop] = _has_motion(details)
        is_excluded = people[seconds][:, None] == people[firsts]
        is_excluded |= firsts >= seconds[:, None]
        is_excluded |= ~has_motion[:stop] | ~has_motion[start:stop, None]
        copies += _most_alike(views, vectors[:stop], is_excluded, seconds, firsts)
    return copies


def _most_alike(
    views: Sequence[tuple[str, Float32[np.ndarray, "N D"]]],
    vectors: Float32[np.ndarray, "L D"],
    is_excluded: Bool[np.ndarray, "N L"],
    seconds: Int64[np.ndarray, "N"],
    firsts: Int64[np.ndarray, "L"],
) -> list[SharedImage]:
    """Return for each image the earlier one that correlates most with one of its views, if it is a copy."""
    copies: dict[int, SharedImage] = {}
    highest = np.full(len(seconds), LEAST_CORRELATION, np.float32)
    for kind, view in views:
        correlations = view @ vectors.T
        correlations[is_excluded] = -1.0
        most_alike = correlations.argmax(axis=1)
        correlation = correlations[np.arange(len(seconds)), most_alike]
        for index in np.flatnonzero(correlation > highest).tolist():
            highest[index] = correlation[index]
            first, second = int(firsts[most_alike[index]]), int(seconds[index])
            copies[index] = SharedImage(first, second, min(float(correlation[index]), 1.0), kind)
    return list(copies.values())


def _has_motion(details: Float32[np.ndarray, "N 16 16 3"]) -> Bool[np.ndarray, "N"]:
    luma = details @ np.array(LUMA, np.float32)
    return np.sqrt((luma**2).mean(axis=(1, 2))) >= LEAST_DETAIL


def _views(details: Float32[np.ndarray, "N 16 16 3"]) -> list[tuple[str, Float32[np.ndarray, "N D"]]]:
    """Return the luma of images, of the mirrored images, and of the mirrored images of optical flow.

    The horizontal movement, in the first channel, changes its sign in the mirror. Each row has norm 1.
    """
    red, green, blue = LUMA
    luma = details @ np.array([red, green, blue], np.float32)
    luma_of_flow = details @ np.array([-red, green, blue], np.float32)
    views = []
    for kind, view in ((NEAR, luma), (MIRRORED, luma[:, :, ::-1]), (MIRRORED, luma_of_flow[:, :, ::-1])):
        flat = view.reshape(len(view), -1)
        norms = np.linalg.norm(flat, axis=1, keepdims=True)
        views.append((kind, flat / np.maximum(norms, 1e-6)))
    return views


def _chunks(rows: Int64[np.ndarray, "M"]) -> Iterator[Int64[np.ndarray, "_"]]:
    for start in range(0, len(rows), CHUNK):
        yield rows[start : start + CHUNK]
