"""Import of finished motion images with their labels as a prepared folder."""

from collections import Counter
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
from jaxtyping import UInt8

from learnet.core.csv_files import decode_text, read_csv_rows
from learnet.core.errors import BadInput, counted, pick, repeated
from learnet.core.files import check_input, report_disk_errors, sha256_hex, shortened_list
from learnet.core.label_words import LABELS_READ, OwnLabel, parse_own_labels, read_label_map
from learnet.core.labels import HOW_TO_WRITE_UNITS, problem_of_action_unit_code
from learnet.core.people import spelling_findings
from learnet.core.printable import encode_text
from learnet.core.records import person_key
from learnet.core.settings import Preparation
from learnet.datasets.prepared.import_parts import PART, check_no_parts, check_parts, has_parts, split_parts
from learnet.datasets.prepared.record import IMAGE_KINDS, PrepareRecord
from learnet.datasets.prepared.store import (
    PreparedDataset,
    already_there,
    check_flow_channels,
    save_prepared,
    versions,
)
from learnet.datasets.readers.reading.folder_names import find_existing_path, normalise_unicode
from learnet.video.images import read_image

NEEDED = ("image", "subject")
LABELS = ("emotion", "action_units")
"""Columns of which at least one is needed."""

COLUMNS = ("image", "subject", "emotion", "dataset", "name", "person", "clip")


def import_images(
    images: str | Path,
    labels: str | Path,
    out: str | Path,
    size: int | None = None,
    kind: str = "unknown",
    label_map: str | Path | None = None,
) -> PreparedDataset:
    """Import finished motion images with their labels as a prepared folder.

    Args:
        images: folder of images, of any kind that OpenCV reads; grey ones become three equal channels.
        labels: CSV (comma or semicolon) with the columns image (name in the folder `images`, or in a folder
            in it), subject, emotion or action_units (such as `4+7+L10`) or both, and optionally dataset
            ("imported" by default) and clip (by default the name of the image without suffix). A column part
            tells several images of a clip apart: the part that is named first is the image of the clip, the
            others are its phases.
        out: prepared folder to make; returned as it is where it holds the same import.
        size: height and width to resize to (bicubic to enlarge, by area to shrink); None keeps the images,
            which must then be square and of one size.
        kind: what mirroring a face does to its image, one of IMAGE_KINDS; used in training.
        label_map: TOML file with a table [labels] of one's own words and their emotions.

    Raises:
        BadInput: a file or column is missing, a name is there twice, a clip has other parts than the others,
            sizes differ, or flow has its channels in another order.
        UnknownLabel: labels that are not known.
        OutputTaken: `out` holds something else.
    """
    images, labels, out = Path(images), Path(labels), Path(out)
    _check_request(images, size, kind)
    meanings = read_label_map(Path(label_map) if label_map else None)
    table = _read_labels(labels)
    files = _find_images(images, labels, table)
    with_parts = has_parts(table)
    names = [str(file.relative_to(images)) for file in files]
    _check_unique(labels, names, [] if with_parts else list(table["clip"]))
    translated = _translate_emotions(table, labels, meanings)
    if with_parts:
        check_parts(labels, table)
    part = [PART] if with_parts else []
    table = table[[name for name in (*COLUMNS, "action_units", *part) if name in table]]
    pixels = _read_images(files, size)
    if kind == "flow":
        check_flow_channels(images, pixels)
    content = pixels.tobytes() + encode_text(table.to_csv())
    table = table.assign(path=list(map(str, files)))
    phases = None
    if with_parts:
        table, pixels, phases = split_parts(table, pixels)
    reading = {"images": images.name, "labels": labels.name, "resized to": size or "kept"}
    if translated:
        reading[LABELS_READ] = translated
    record = PrepareRecord(
        imported=True,
        preparation=None,
        images_kind=kind,
        reading=reading,
        inputs=sha256_hex(content),
        versions=versions(),
        clips=len(table),
        people=table["person"].nunique(),
    )
    if present := already_there(out, record, phases is not None):
        return present
    rows = table.assign(image=range(len(table)), apex_source="none")
    with report_disk_errors(out):
        findings = spelling_findings(rows["person"], str(labels))
        return save_prepared(out, pixels, rows, record, findings, phases)


def _check_request(images: Path, size: int | None, kind: str) -> None:
    """Check everything that can be checked before a file is read."""
    pick(dict.fromkeys(IMAGE_KINDS), kind, "kind of image")
    if size is not None:
        Preparation(size=size)  # refuses a size that no network accepts
    if not images.is_dir():
        raise BadInput(images, "there is no such folder", "Name the folder of the images.")


def _read_labels(labels: Path) -> pd.DataFrame:
    """Read the label file, with the COLUMNS, and with emotions as they are written."""
    table = _read_table(labels)
    _check_filled_in(labels, table)
    if "clip" not in table:
        check_no_parts(labels, table)
    if "action_units" in table:
        _check_action_units(labels, table)
    for column in ("image", "subject", "dataset", "clip"):
        if column in table:  # one person, in whatever Unicode normal form the name is written
            table[column] = table[column].map(normalise_unicode)
    table["dataset"] = table["dataset"].replace("", "imported") if "dataset" in table else "imported"
    stems = table["image"].map(lambda name: Path(name).stem)
    table["name"] = table["clip"].where(table["clip"] != "", stems) if "clip" in table else stems
    table["person"] = list(map(person_key, table["dataset"], table["subject"]))
    table["clip"] = table["dataset"] + "/" + table["subject"] + "/" + table["name"]
    return table


def _translate_emotions(table: pd.DataFrame, labels: Path, meanings: Mapping[str, str]) -> str:
    """Replace one's own words in the column emotion, if there is one, and say in words which were."""
    if "emotion" not in table:
        return ""
    lines = (f"line {line}" for line in table.index)
    own_labels = parse_own_labels(map(OwnLabel, table["emotion"], lines), labels, meanings)
    table["emotion"] = own_labels.emotions
    return own_labels.translated


def _check_filled_in(labels: Path, table: pd.DataFrame) -> None:
    needed = [*NEEDED, "emotion"] if "emotion" in table else list(NEEDED)
    is_empty = (table[needed] == "").any(axis=1)
    lines = list(map(str, table.index[is_empty]))
    if lines:
        wrong = f"{', '.join(needed[:-1])} or {needed[-1]} is empty in line {shortened_list(lines)}"
        raise BadInput(labels, wrong, "Fill them in, or take the lines out.")
    if table.empty:
        raise BadInput(labels, "it has no rows", "Add a row for each image.")


def _check_action_units(labels: Path, table: pd.DataFrame) -> None:
    """Refuse codes that would be misread or have units that FACS has not, and a file without any label.

    An empty code means that nobody annotated the clip.
    """
    if "emotion" not in table and not table["action_units"].any():
        wrong = "there is no column emotion, and action_units is empty in all lines"
        raise BadInput(labels, wrong, "Fill in one of them.")
    wrong_lines = []
    for line, code in table["action_units"].items():
        problem = problem_of_action_unit_code(code) if code else ""
        if problem:
            wrong_lines.append(f"{line} ({code!r}: {problem})")
    if wrong_lines:
        wrong = f"the action units cannot be read in line {shortened_list(wrong_lines)}"
        raise BadInput(labels, wrong, HOW_TO_WRITE_UNITS)


def _find_images(images: Path, labels: Path, table: pd.DataFrame) -> list[Path]:
    """Return the file of each row: in the folder of images, in that of its subject, or in any other in it.

    Raises:
        BadInput: images that are missing, or are in several folders.
    """
    folders = [images, *sorted(path for path in images.iterdir() if path.is_dir())]
    files: list[Path] = []
    missing, ambiguous = [], []
    for name, subject in zip(table["image"], table["subject"], strict=True):
        expected = _find_file(images, name) or _find_file(images, str(Path(subject) / name))
        found = [expected] if expected else list(filter(None, (_find_file(one, name) for one in folders)))
        if not found:
            missing.append(name)
        elif len(found) > 1:
            ambiguous.append(name)
        files += found[:1]
    if missing:
        wrong = f"{len(missing)} of {counted(len(table), 'image')} not found: {shortened_list(missing)}"
        raise BadInput(images, wrong, f"{labels.name} names them, from this folder on.")
    if ambiguous:
        number = counted(len(ambiguous), "image is", "images are")
        wrong = f"{number} in several folders: {shortened_list(ambiguous)}"
        raise BadInput(
            images, wrong, f"Name the folder with the image in {labels.name}, as in 01/{ambiguous[0]}."
        )
    return files


def _find_file(folder: Path, name: str) -> Path | None:
    path = find_existing_path(folder, name)
    return path if path and path.is_file() else None


def _check_unique(labels: Path, images: Sequence[str], clips: Sequence[str]) -> None:
    """Refuse a file in two rows, and two clips of one name, where there are no parts."""
    for column, names in (("image", images), ("clip", clips)):
        twice = repeated(names)
        if twice:
            number = counted(len(twice), "name is", "names are")
            wrong = f"{number} there twice in {column}: {shortened_list(twice)}"
            hint = "Every image is one clip, or a column part tells the images of a clip apart."
            raise BadInput(labels, wrong, hint)


def _read_table(labels: Path) -> pd.DataFrame:
    """Read the table as text, columns in lower case, indexed by line; check that the NEEDED columns are
    there."""
    check_input(labels, "Give a CSV file.")
    try:
        data = labels.read_bytes()
    except OSError as error:
        raise BadInput(
            labels, f"the labels cannot be read ({error.strerror})", "It must be a CSV file."
        ) from error
    lines = read_csv_rows(labels, decode_text(labels, data))
    columns = [name.lower().replace(" ", "_") for name in lines[0][1]] if lines else []
    missing = [name for name in NEEDED if columns.count(name) != 1]
    known = dict.fromkeys((*COLUMNS, *LABELS))
    missing += [name for name in known if name not in missing and columns.count(name) > 1]
    if not set(LABELS) & set(columns):
        missing.append("emotion")
    if missing:
        present = ", ".join(columns) or "none"
        wrong = f"the columns {', '.join(missing)} are missing, or there twice; it has {present}"
        hint = "Name each once in the first line. A column action_units can stand in place of emotion."
        raise BadInput(labels, wrong, hint)
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
        wrong = f"{counted(len(broken), 'image')} cannot be read: {shortened_list(broken)}"
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
