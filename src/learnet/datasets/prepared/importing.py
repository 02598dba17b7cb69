"""Motion images that somebody else has made, with their labels, as a prepared folder."""

import csv
from collections import Counter
from collections.abc import Sequence
from io import StringIO
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
from jaxtyping import UInt8

from learnet.core.errors import BadInput, pick
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
IMAGE_KINDS = (
    "image",
    "flow",
    "unknown",
)  # flipped with the face; first channel changes sign as well; never mirrored


def import_images(
    images: Path, labels: Path, out: Path, size: int | None = None, kind: str = "unknown"
) -> PreparedDataset:
    """Take finished motion images with their labels as a prepared folder.

    Args:
        images: folder of images, of any kind that OpenCV reads; grey ones become three equal channels.
        labels: CSV (comma or semicolon) with the columns image (name inside IMAGES), subject, emotion, and optionally dataset
            ("imported" where absent) and clip (the image's name without suffix where absent).
        out: prepared folder to make; returned as it is where it holds the very same import.
        size: height and width to resize to (bicubic to enlarge, by area to shrink); None keeps the images, which must then be of
            one size and square.
        kind: what mirroring a face does to its image, one of IMAGE_KINDS; training asks.

    Raises:
        BadInput: a file or column is missing, a name stands twice, sizes differ, flow has its channels in another order; what is
            wrong is listed.
        UnknownLabel, OutputTaken.
    """
    pick(dict.fromkeys(IMAGE_KINDS), kind, "kind of image")
    if size is not None:
        Preparation(size=size)  # refuses what no network takes
    table = _read_labels(images, labels)
    files = [find_existing_path(images, name) or images / name for name in table["image"]]
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
    rows = table.assign(path=[str(file) for file in files], image=range(len(table)), apex_source="none")
    with report_disk_errors(out):
        return save_prepared(out, pixels, rows, record, [])


def _read_labels(images: Path, labels: Path) -> pd.DataFrame:
    """The label file: image, subject, emotion, dataset, name, person, clip; checked against the folder."""
    table = _read_csv(labels)
    blank = [str(line) for line in table.index[(table[list(NEEDED)] == "").any(axis=1)]]
    if blank or table.empty:
        wrong = (
            f"image, subject or emotion is empty in line {shortened_list(blank)}"
            if blank
            else "it has no rows"
        )
        raise BadInput(labels, wrong, "Fill them in, or take the lines out.")
    for column in {"image", "subject", "dataset", "clip"} & {*table.columns}:
        table[column] = table[column].map(normalise_unicode)  # one person, in whatever normal form the name is written
    absent = [name for name in table["image"] if not ((file := find_existing_path(images, name)) and file.is_file())]
    if absent:
        raise BadInput(
            images,
            f"{len(absent)} of {len(table)} images are not there: {shortened_list(absent)}",
            f"{labels.name} names them.",
        )
    table["emotion"] = [
        parse_emotion(word, f"{labels}, {image}")
        for word, image in zip(table["emotion"], table["image"], strict=True)
    ]
    table["dataset"] = table["dataset"].replace("", "imported") if "dataset" in table else "imported"
    stems = table["image"].map(lambda name: Path(name).stem)
    table["name"] = table["clip"].where(table["clip"] != "", stems) if "clip" in table else stems
    table["person"] = table["dataset"] + "/" + table["subject"]
    table["clip"] = table["person"] + "/" + table["name"]
    for column in ("image", "clip"):
        if twice := [name for name, count in Counter(table[column]).items() if count > 1]:
            raise BadInput(
                labels,
                f"{len(twice)} names stand twice in {column}: {shortened_list(twice)}",
                "Every image is one clip.",
            )
    return table[["image", "subject", "emotion", "dataset", "name", "person", "clip"]]


def _read_csv(labels: Path) -> pd.DataFrame:
    """The table as text without outer blanks, columns in lower case, rows by their line; the NEEDED columns are there."""
    try:
        text = labels.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(
            labels, f"the labels cannot be read ({error})", "It must be a CSV file in UTF-8."
        ) from error
    heading = text.partition("\n")[0]
    separator = (
        ";" if heading.count(";") > heading.count(",") else ","
    )  # as spreadsheets in half of the world write it
    reader = csv.reader(StringIO(text), delimiter=separator)
    try:
        lines = [(reader.line_num, [cell.strip() for cell in row]) for row in reader]
    except csv.Error as error:
        raise BadInput(labels, f"this is not a table ({error})", "It must be a CSV file.") from error
    names = [name.lower() for name in lines[0][1]] if lines else []
    if missing := [name for name in NEEDED if names.count(name) != 1]:
        wrong = f"the columns {', '.join(missing)} are missing, or there twice; it has {', '.join(names) or 'none'}"
        raise BadInput(labels, wrong, "Name each once in the first line.")
    if long := [str(line) for line, row in lines if any(row[len(names) :])]:
        raise BadInput(
            labels,
            f"there are more values than columns in line {shortened_list(long)}",
            "Quote values with commas in them.",
        )
    rows = [(row + [""] * len(names))[: len(names)] for _, row in lines[1:] if any(row)]
    return pd.DataFrame(rows, columns=names, index=[line for line, row in lines[1:] if any(row)], dtype=str)


def _read_images(files: Sequence[Path], size: int | None) -> UInt8[np.ndarray, "N H W 3"]:
    pictures, broken = [], []
    for file in files:
        picture = read_image(file)
        if picture is None:
            broken.append(file.name)
        else:
            pictures.append(picture)
    if broken:
        wrong = f"{len(broken)} images cannot be read: {shortened_list(broken)}"
        raise BadInput(files[0].parent, wrong, "Replace them, or take them out of the labels.")
    sizes = Counter(f"{picture.shape[1]}x{picture.shape[0]}" for picture in pictures)
    if size is None and (len(sizes) > 1 or pictures[0].shape[0] != pictures[0].shape[1]):
        found = ", ".join(f"{count} of {name}" for name, count in sizes.most_common(5))
        raise BadInput(
            files[0].parent,
            f"the images are not square and of one size ({found})",
            "Resize them with --size.",
        )
    return np.stack([picture if size is None else _resized(picture, size) for picture in pictures])


def _resized(picture: UInt8[np.ndarray, "H W 3"], size: int) -> UInt8[np.ndarray, "S S 3"]:
    if picture.shape[:2] == (size, size):
        return picture
    shrinking = min(picture.shape[:2]) >= size
    return cv2.resize(picture, (size, size), interpolation=cv2.INTER_AREA if shrinking else cv2.INTER_CUBIC)
