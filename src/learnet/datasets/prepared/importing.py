"""Import of finished motion images with their labels as a prepared folder."""

from collections import Counter
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
from jaxtyping import UInt8

from learnet.core.csv_files import decode_text, read_csv_rows
from learnet.core.errors import BadInput, pick, repeated
from learnet.core.files import report_disk_errors, sha256_hex, shortened_list
from learnet.core.labels import parse_emotion
from learnet.core.settings import Preparation
from learnet.datasets.prepared.record import PrepareRecord
from learnet.datasets.prepared.store import (
    PreparedDataset,
    already_there,
    check_flow_channels,
    save_prepared,
    versions,
)
from learnet.datasets.readers.reading.folder_names import find_existing_path, normalise_unicode
from learnet.video.images import read_image

NEEDED = ("image", "subject", "emotion")
COLUMNS = ("image", "subject", "emotion", "dataset", "name", "person", "clip")

IMAGE_KINDS = ("image", "flow", "unknown")
"""What mirroring does to an image: it is flipped with the face; its first channel changes sign as well; it is
never mirrored."""


def import_images(
    images: str | Path,
    labels: str | Path,
    out: str | Path,
    size: int | None = None,
    kind: str = "unknown",
) -> PreparedDataset:
    """Import finished motion images with their labels as a prepared folder.

    Args:
        images: folder of images, of any kind that OpenCV reads; grey ones become three equal channels.
        labels: CSV (comma or semicolon) with the columns image (name in the folder `images`), subject,
            emotion, and optionally dataset ("imported" by default) and clip (by default the name of the
            image without suffix).
        out: prepared folder to make; returned as it is where it holds the same import.
        size: height and width to resize to (bicubic to enlarge, by area to shrink); None keeps the images,
            which must then be square and of one size.
        kind: what mirroring a face does to its image, one of IMAGE_KINDS; used in training.

    Raises:
        BadInput: a file or column is missing, a name is there twice, sizes differ, or flow has its channels
            in another order.
        UnknownLabel: an emotion that is not known.
        OutputTaken: `out` holds something else.
    """
    images, labels, out = Path(images), Path(labels), Path(out)
    pick(dict.fromkeys(IMAGE_KINDS), kind, "kind of image")
    if size is not None:
        Preparation(size=size)  # refuses a size that no network accepts
    table = _read_labels(images, labels)
    files = []
    for name in table["image"]:
        files.append(find_existing_path(images, name) or images / name)
    pixels = _read_images(files, size)
    if kind == "flow":
        check_flow_channels(images, pixels)
    content = pixels.tobytes() + table.to_csv().encode()
    record = PrepareRecord(
        imported=True,
        preparation=None,
        images_kind=kind,
        reading={"images": images.name, "labels": labels.name, "resized to": size or "kept"},
        inputs=sha256_hex(content),
        versions=versions(),
        clips=len(table),
        people=table["person"].nunique(),
    )
    if present := already_there(out, record):
        return present
    rows = table.assign(path=list(map(str, files)), image=range(len(table)), apex_source="none")
    with report_disk_errors(out):
        return save_prepared(out, pixels, rows, record, [])


def _read_labels(images: Path, labels: Path) -> pd.DataFrame:
    """Read the label file, with the COLUMNS, and check it against the folder of images."""
    table = _read_table(labels)
    _check_filled_in(labels, table)
    for column in ("image", "subject", "dataset", "clip"):
        if column in table:  # one person, in whatever Unicode normal form the name is written
            table[column] = table[column].map(normalise_unicode)
    _check_images_exist(images, labels, table)
    emotions = []
    for word, image in zip(table["emotion"], table["image"], strict=True):
        emotions.append(parse_emotion(word, f"{labels}, {image}"))
    table["emotion"] = emotions
    table["dataset"] = table["dataset"].replace("", "imported") if "dataset" in table else "imported"
    stems = table["image"].map(lambda name: Path(name).stem)
    table["name"] = table["clip"].where(table["clip"] != "", stems) if "clip" in table else stems
    table["person"] = table["dataset"] + "/" + table["subject"]
    table["clip"] = table["person"] + "/" + table["name"]
    _check_unique(labels, table)
    return table[list(COLUMNS)]


def _check_filled_in(labels: Path, table: pd.DataFrame) -> None:
    is_empty = (table[list(NEEDED)] == "").any(axis=1)
    lines = list(map(str, table.index[is_empty]))
    if lines:
        wrong = f"image, subject or emotion is empty in line {shortened_list(lines)}"
        raise BadInput(labels, wrong, "Fill them in, or take the lines out.")
    if table.empty:
        raise BadInput(labels, "it has no rows", "Add a row for each image.")


def _check_images_exist(images: Path, labels: Path, table: pd.DataFrame) -> None:
    missing = []
    for name in table["image"]:
        file = find_existing_path(images, name)
        if file is None or not file.is_file():
            missing.append(name)
    if missing:
        wrong = f"{len(missing)} of {len(table)} images are not there: {shortened_list(missing)}"
        raise BadInput(images, wrong, f"{labels.name} names them.")


def _check_unique(labels: Path, table: pd.DataFrame) -> None:
    for column in ("image", "clip"):
        twice = repeated(table[column])
        if twice:
            wrong = f"{len(twice)} names are there twice in {column}: {shortened_list(twice)}"
            raise BadInput(labels, wrong, "Every image is one clip.")


def _read_table(labels: Path) -> pd.DataFrame:
    """Read the table as text, columns in lower case, indexed by line; check that the NEEDED columns are
    there."""
    try:
        data = labels.read_bytes()
    except OSError as error:
        raise BadInput(
            labels, f"the labels cannot be read ({error.strerror})", "It must be a CSV file."
        ) from error
    lines = read_csv_rows(labels, decode_text(labels, data))
    columns = list(map(str.lower, lines[0][1])) if lines else []
    missing = [name for name in NEEDED if columns.count(name) != 1]
    if missing:
        present = ", ".join(columns) or "none"
        wrong = f"the columns {', '.join(missing)} are missing, or there twice; it has {present}"
        raise BadInput(labels, wrong, "Name each once in the first line.")
    rows: dict[int, list[str]] = {}
    too_long = []
    for line, cells in lines[1:]:
        if any(cells[len(columns) :]):
            too_long.append(str(line))
        if any(cells):
            padded = cells + [""] * len(columns)
            rows[line] = padded[: len(columns)]
    if too_long:
        wrong = f"there are more values than columns in line {shortened_list(too_long)}"
        raise BadInput(labels, wrong, "Quote values that contain commas.")
    return pd.DataFrame(list(rows.values()), columns=columns, index=list(rows), dtype=str)


def _read_images(files: Sequence[Path], size: int | None) -> UInt8[np.ndarray, "N H W 3"]:
    images, broken = [], []
    for file in files:
        image = read_image(file)
        if image is None:
            broken.append(file.name)
        else:
            images.append(image)
    folder = files[0].parent
    if broken:
        wrong = f"{len(broken)} images cannot be read: {shortened_list(broken)}"
        raise BadInput(folder, wrong, "Replace them, or take them out of the labels.")
    if size is not None:
        return np.stack(list(map(partial(_resize, size=size), images)))
    sizes = Counter(f"{image.shape[1]}x{image.shape[0]}" for image in images)
    if len(sizes) > 1 or images[0].shape[0] != images[0].shape[1]:
        listed = ", ".join(f"{count} of {name}" for name, count in sizes.most_common(5))
        wrong = f"the images are not square and of one size ({listed})"
        raise BadInput(folder, wrong, "Give a size to resize them to (--size).")
    return np.stack(images)


def _resize(image: UInt8[np.ndarray, "H W 3"], size: int) -> UInt8[np.ndarray, "S S 3"]:
    if image.shape[:2] == (size, size):
        return image
    shrinks = min(image.shape[:2]) >= size
    return cv2.resize(image, (size, size), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC)
