"""The prepared folder on disk, which `prepare`, `import_images` and `simulate` make and studies and reports
read.

Its files are `images.npy` (N, H, W, 3; uint8), `clips.csv` (a row per image), `prepare.json` (settings,
versions, what the clips were), `audit.csv` (what was repaired, skipped, missing), and on request the images
of phases (`motion.phases`).
"""

import hashlib
import json
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pandas as pd
from jaxtyping import UInt8

from learnet.core.csv_files import csv_text, decode_text, escape_formula, parse_csv, unescape_formula
from learnet.core.errors import BadInput, OutputTaken
from learnet.core.files import atomic_folder
from learnet.core.npy_files import open_images
from learnet.core.printable import encode_text, storable
from learnet.core.records import Finding
from learnet.core.serialisation import read_json, to_json
from learnet.datasets.prepared.duplicates import shared_image_findings
from learnet.datasets.prepared.record import PrepareRecord
from learnet.motion.phases import PHASE_FILES, Phases, gather_images, read_phases

COLUMNS = (
    "image", "clip", "dataset", "subject", "person", "name", "kind", "emotion", "also", "action_units",
    "onset", "apex", "apex_source", "offset", "fps", "frames", "face", "head_px", "still", "obstacle",
    "warnings", "path",
)  # fmt: skip
LATER_COLUMNS = ("kind", "also", "head_px", "still", "obstacle")  # not known in earlier folders
PREPARE_FILE = "prepare.json"
FILES = (PREPARE_FILE, "clips.csv", "images.npy")  # in every prepared folder
AUDIT_FILE = "audit.csv"
AUDIT_COLUMNS = ("kind", "where", "what", "serious")
PREPARE_AGAIN = "Prepare it again into a new folder."
CHANNELS_SEEN_IN = 200  # images from which the order of the channels is inferred
# Grey levels: medians of real strain are below 10, those of real u and v between 60 and 210.
STRAIN_BELOW = 40
CENTRED_ABOVE = 60
NUMBERS = ("image", "onset", "apex", "offset", "fps", "frames", "head_px")

Blocks = Sequence[UInt8[np.ndarray, "_ H W 3"]]
Images = UInt8[np.ndarray, "N H W 3"] | Blocks
FileStamp = tuple[tuple[int, int, int], ...]
"""Of each of `files_of`: inode, size in bytes, time of its last change in ns."""


@dataclass(frozen=True)
class ImageSource(ABC):
    """Images and their clips: a prepared folder, or several as one (`concat.ConcatDataset`)."""

    folder: Path
    clips: pd.DataFrame  # COLUMNS; numbers are numeric, NaN where there is none; everything else is text
    record: PrepareRecord  # prepare.json
    phases: Phases | None = field(default=None, kw_only=True)  # None where the folder keeps none

    @property
    @abstractmethod
    def folders(self) -> tuple[Path, ...]:
        """The folders from which the images are read."""

    @property
    @abstractmethod
    def size(self) -> int:
        """Height and width of the images in pixels."""

    @abstractmethod
    def take(self, rows: Sequence[int]) -> UInt8[np.ndarray, "M H W 3"]:
        """Return the images of these rows of `clips`, in memory."""


@dataclass(frozen=True)
class PreparedDataset(ImageSource):
    """A prepared folder, opened."""

    images: UInt8[np.ndarray, "N H W 3"]  # mapped from disk, read-only
    reused: bool = False  # it was there already, and nothing was done

    @property
    def folders(self) -> tuple[Path, ...]:
        """The folder itself."""
        return (self.folder,)

    @property
    def size(self) -> int:
        """Height and width of the images in pixels."""
        return int(self.images.shape[1])

    def take(self, rows: Sequence[int]) -> UInt8[np.ndarray, "M H W 3"]:
        """Return the images of these rows of `clips`, in memory."""
        return np.ascontiguousarray(self.images[list(rows)])


def save_prepared(
    out: Path,
    images: Images,
    clips: pd.DataFrame,
    record: PrepareRecord,
    findings: Iterable[Finding],
    phases: Phases | None = None,
) -> PreparedDataset:
    """Write a prepared folder, completely or not at all.

    Args:
        out: new or empty folder.
        images: network input, RGB, 0..255; several arrays follow each other in the folder.
        clips: a row per image, with the COLUMNS; "" where a value is not known.
        record: for `prepare.json`; the fingerprints of the content are added.
        findings: for `audit.csv`; images of two people are added.
        phases: of the clips, where they are kept.
    """
    clips = clips.reindex(columns=list(COLUMNS), fill_value="")
    clips["path"] = clips["path"].map(lambda path: storable(str(path)))
    blocks = [images] if isinstance(images, np.ndarray) else list(images)
    shared = shared_image_findings(partial(gather_images, blocks), clips, record)
    content = fingerprint(blocks, clips)
    record = replace(record, fingerprint=content, phases=phases.record if phases else None)
    with atomic_folder(out, private=True) as draft:
        _save_blocks(draft / "images.npy", blocks)
        if phases:
            _save_blocks(draft / "phases.npy", phases.blocks)
            (draft / "phases.csv").write_text(phases.as_csv(), encoding="utf-8")
        rows = clips.map(escape_formula)
        rows.to_csv(draft / "clips.csv", index=False, lineterminator="\n", encoding="utf-8")
        (draft / AUDIT_FILE).write_bytes(encode_text(_audit_text([*findings, *shared])))
        (draft / PREPARE_FILE).write_bytes(encode_text(to_json(record, ensure_ascii=False)))
    return load_prepared(out)


def _audit_text(findings: Iterable[Finding]) -> str:
    rows: list[Sequence[str]] = [AUDIT_COLUMNS]
    for finding in findings:
        rows.append((finding.kind, finding.where, finding.what, "yes" if finding.serious else "no"))
    return csv_text(rows)


def fingerprint(blocks: Blocks, clips: pd.DataFrame) -> str:
    """Return the digest of all that a study reads: the images, which may be in several arrays, and their
    clips."""
    shape = [sum(map(len, blocks)), *blocks[0].shape[1:]]
    rows = clips[["clip", "dataset", "person", "emotion"]].to_numpy().tolist()
    digest = hashlib.sha256(json.dumps([*shape, *rows]).encode())
    for block in blocks:
        digest.update(np.ascontiguousarray(block).data)
    return digest.hexdigest()


def _save_blocks(file: Path, blocks: Blocks) -> None:
    """Write what `np.save` writes of the arrays together, without having them together in memory."""
    shape = (sum(map(len, blocks)), *blocks[0].shape[1:])
    header = np.lib.format.header_data_from_array_1_0(blocks[0]) | {"shape": shape}
    with file.open("wb") as handle:
        np.lib.format.write_array_header_1_0(handle, header)
        for block in blocks:
            np.ascontiguousarray(block).tofile(handle)


def load_prepared(folder: str | Path) -> PreparedDataset:
    """Open a prepared folder.

    Raises:
        BadInput: there is none, a file is missing or damaged, or the files do not belong together.
    """
    folder = Path(folder)
    if not folder.exists():
        raise BadInput(folder, "there is no such folder", "`learnet prepare` makes prepared folders.")
    file = folder / PREPARE_FILE
    if not file.is_file():
        wrong = f"this is not a prepared folder: there is no {PREPARE_FILE} in it"
        raise BadInput(folder, wrong, "`learnet prepare` makes one.")
    with _reading(file):
        record = read_json(file, PrepareRecord, PREPARE_AGAIN)
    with _reading(folder / "clips.csv"):
        clips = _read_clips(folder / "clips.csv")
    with _reading(folder / "images.npy"):
        images = open_images(folder / "images.npy")
        whole = record.fingerprint == fingerprint([images], clips)
    phases = None
    if record.phases:
        with _reading(
            folder, "phases.npy and phases.csv of this prepared folder do not belong to its images"
        ):
            phases = read_phases(folder, record.phases)
    if not whole or len(images) != len(clips):
        wrong = f"its images, clips.csv and {PREPARE_FILE} do not belong together"
        raise BadInput(folder, wrong, PREPARE_AGAIN)
    return PreparedDataset(folder, clips, record, images, phases=phases)


@contextmanager
def _reading(
    file: Path, damaged: str = "this file of a prepared folder is damaged or cut off"
) -> Iterator[None]:
    """Turn what libraries say of a damaged file into an error that names the file.

    Args:
        file: that is read in the block.
        damaged: what is wrong where the file is there and is not what learnet wrote.

    Raises:
        BadInput: the file is missing, may not be read, or is not what learnet wrote.
    """
    try:
        yield
    except PermissionError as error:
        raise BadInput(error.filename or file, "this may not be read", "Change its permissions.") from error
    except FileNotFoundError as error:
        wrong = "this file of a prepared folder is missing"
        raise BadInput(error.filename or file, wrong, PREPARE_AGAIN) from error
    except (OSError, ValueError, KeyError, EOFError) as error:
        raise BadInput(file, damaged, PREPARE_AGAIN) from error


def _read_clips(file: Path) -> pd.DataFrame:
    """Read `clips.csv`: numbers as numbers, everything else as text; columns that an earlier version lacks
    are empty."""
    clips = read_text_table(file)
    for column in LATER_COLUMNS:
        if column not in clips:
            clips[column] = ""
    missing = [column for column in COLUMNS if column not in clips]
    if missing:
        raise ValueError(f"columns are missing: {', '.join(missing)}")
    for column in NUMBERS:
        clips[column] = pd.to_numeric(clips[column])
    return clips


def read_text_table(file: Path) -> pd.DataFrame:
    """Read `clips.csv` with every cell as text."""
    table = pd.read_csv(file, dtype=str, keep_default_na=False, encoding="utf-8")
    return table.map(unescape_formula)


def read_findings(folder: Path) -> list[Finding] | None:
    """Return what the audit of a prepared folder found (`audit.csv`); None where the file is missing.

    Raises:
        BadInput: the file is damaged.
    """
    file = folder / AUDIT_FILE
    if not file.is_file():
        return None
    findings = []
    with _reading(file):
        columns, *rows = parse_csv(file, decode_text(file, file.read_bytes()))
        if tuple(columns) != AUDIT_COLUMNS:
            raise ValueError(f"its columns are {columns}")
        for kind, where, what, serious in rows:
            findings.append(Finding(kind, where, what, serious.lower() in ("yes", "true", "1")))
    return findings


def files_of(folder: Path) -> tuple[str, ...]:
    """Return the names of the files that `load_prepared` reads in a folder."""
    has_phases = any((folder / file).exists() for file in PHASE_FILES)
    return (*FILES, *PHASE_FILES) if has_phases else FILES


def file_stamp(folder: Path) -> FileStamp:
    """Return what changes when the files of a prepared folder do: a key for what was read from them.

    Raises:
        OSError: a file is missing.
    """
    stamps = []
    for file in files_of(folder):
        state = (folder / file).stat()
        stamps.append((state.st_ino, state.st_size, state.st_mtime_ns))
    return tuple(stamps)


def check_flow_channels(source: Path, images: UInt8[np.ndarray, "N H W 3"]) -> None:
    """Refuse flow images whose strain is not in the last channel.

    Strain is never negative and mostly close to 0, so its median after scaling to 0..255 is near 0; u and v
    are centred.

    Raises:
        BadInput: strain is plainly in another channel; `source` is named.
    """
    medians = np.median(np.median(images.reshape(len(images), -1, 3), axis=1), axis=0)
    lowest = int(medians.argmin())
    if lowest != 2 and medians[lowest] < STRAIN_BELOW < CENTRED_ABOVE < medians[2]:
        channel = ("first (red)", "second (green)")[lowest]
        wrong = f"strain, which is never negative, seems to be in the {channel} channel"
        hint = "Flow images hold u, v and strain in red, green and blue. Put the channels in this order."
        raise BadInput(source, wrong, hint)


def already_there(out: Path, record: PrepareRecord, phases: bool = False) -> PreparedDataset | None:
    """Return the prepared folder `out` where it holds this very preparation; None where there is nothing yet.

    Args:
        out: prepared folder that is to be made.
        record: what its `prepare.json` will say.
        phases: whether it will hold images of phases or parts.

    Raises:
        OutputTaken: something else is there.
    """
    if not out.exists() or (out.is_dir() and not any(out.iterdir())):
        return None
    if not (out / PREPARE_FILE).is_file():
        raise OutputTaken(out, "something else is there already", "Name a new or an empty folder.")
    present = load_prepared(out)
    compared = {
        "imported": (present.record.imported, record.imported),
        "preparation": (present.record.preparation, record.preparation),
        "face_model": (present.record.face_model, record.face_model),
        "inputs": (present.record.inputs, record.inputs),
        "versions": (present.record.versions, record.versions),
        "phases": (present.record.phases is not None, phases),
        "parts": (present.record.parts, record.parts),
    }
    different = []
    for name, (before, now) in compared.items():
        if before != now:
            different.append(name)
    if different:
        wrong = f"another preparation is there already; it differs in {', '.join(different)}"
        raise OutputTaken(out, wrong, "Name a new folder.")
    return replace(present, reused=True)


def versions() -> dict[str, str]:
    """Return the versions of the packages on which pixels depend."""
    names = ("learnet", "numpy", "av", "opencv-python-headless")
    return {name: version(name) for name in names}
