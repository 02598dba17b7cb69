"""The prepared folder on disk: `images.npy` (N,H,W,3, uint8), `clips.csv` (a row per image), `prepare.json` (settings, versions, what
the clips were), `audit.csv` (what was repaired, skipped, missing), and, where they were asked for, the images of `phases.py`.
`prepare.py` makes it, studies and reports read it.
"""

import hashlib
import json
import os
import shutil
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field, replace
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pandas as pd
from jaxtyping import UInt8

from learnet.core.errors import BadInput, OutputTaken
from learnet.core.records import Finding
from learnet.core.serialisation import read_json, to_json
from learnet.datasets.prepared.record import PrepareRecord
from learnet.motion.phases import PHASE_FILES, Phases, read_phases

COLUMNS = (
    "image", "clip", "dataset", "subject", "person", "name", "kind", "emotion", "also", "action_units", "onset", "apex", "apex_source",
    "offset", "fps", "frames", "face", "warnings", "path",
)  # fmt: skip
LATER_COLUMNS = ("kind", "also")  # columns that folders of the first version lack: not known
PREPARE_FILE = "prepare.json"
FILES = (PREPARE_FILE, "clips.csv", "images.npy")  # in every prepared folder
PREPARE_AGAIN = "Prepare it again into a new folder."
CHANNELS_SEEN_IN = 200  # images that the order of the channels is read from
STRAIN_BELOW, CENTRED_ABOVE = (
    40,
    60,
)  # grey levels: medians of real strain lie below 10, those of real u and v between 60 and 210
NUMBERS = ("image", "onset", "apex", "offset", "fps", "frames")

Blocks = Sequence[UInt8[np.ndarray, "_ H W 3"]]
Images = UInt8[np.ndarray, "N H W 3"] | Blocks
FileStamp = tuple[
    tuple[int, int, int], ...
]  # of each of `files_of`: inode, bytes, time of its last change in ns


@dataclass(frozen=True)
class ImageSource(ABC):
    """Images and whose they are, wherever the images lie: a prepared folder, or several seen as one (`concat.ConcatDataset`)."""

    folder: Path
    clips: pd.DataFrame  # COLUMNS; numbers are numeric, NaN where there is none; everything else is text
    record: PrepareRecord  # prepare.json
    phases: Phases | None = field(default=None, kw_only=True)  # None where the folder keeps none

    @property
    @abstractmethod
    def folders(self) -> tuple[Path, ...]:
        """Where the images are read."""

    @property
    @abstractmethod
    def size(self) -> int:
        """Height and width of the images in pixels."""

    @abstractmethod
    def take(self, rows: Sequence[int]) -> UInt8[np.ndarray, "M H W 3"]:
        """The images of these rows of `clips`, in memory."""


@dataclass(frozen=True)
class PreparedDataset(ImageSource):
    """A prepared folder, opened."""

    images: UInt8[np.ndarray, "N H W 3"]  # mapped from disk, read-only
    reused: bool = False  # it lay there already, and nothing was done

    @property
    def folders(self) -> tuple[Path, ...]:
        """The folder itself."""
        return (self.folder,)

    @property
    def size(self) -> int:
        """Height and width of the images in pixels."""
        return int(self.images.shape[1])

    def take(self, rows: Sequence[int]) -> UInt8[np.ndarray, "M H W 3"]:
        """The images of these rows of `clips`, in memory."""
        return np.ascontiguousarray(self.images[list(rows)])


def save_prepared(
    out: Path,
    images: Images,
    clips: pd.DataFrame,
    record: PrepareRecord,
    findings: Iterable[Finding],
    phases: Phases | None = None,
) -> PreparedDataset:
    """Write a prepared folder, which appears whole or not at all.

    Args:
        out: new or empty folder.
        images: network input, RGB, 0..255; where they lie in several arrays, these follow each other in the folder.
        clips: a row per image, with the COLUMNS; "" where a value is not known.
        record: for `prepare.json`; the fingerprints of the content are added.
        findings: for `audit.csv`.
        phases: of the clips, where they are kept.
    """
    out.absolute().parent.mkdir(parents=True, exist_ok=True)
    draft = out.absolute().with_name(f".{out.absolute().name}.{os.getpid()}")
    clips = clips.reindex(columns=list(COLUMNS), fill_value="")
    blocks = [images] if isinstance(images, np.ndarray) else list(images)
    content = fingerprint(blocks, clips)
    record = replace(record, fingerprint=content, phases=phases.record if phases else None)
    audit = [{**asdict(finding), "serious": "yes" if finding.serious else "no"} for finding in findings]
    try:
        draft.mkdir()
        _save_blocks(draft / "images.npy", blocks)
        if phases:
            _save_blocks(draft / "phases.npy", phases.blocks)
            (draft / "phases.csv").write_text(phases.as_csv(), encoding="utf-8")
        clips.to_csv(draft / "clips.csv", index=False, lineterminator="\n", encoding="utf-8")
        pd.DataFrame(audit, columns=["kind", "where", "what", "serious"]).to_csv(
            draft / "audit.csv", index=False, lineterminator="\n"
        )
        (draft / PREPARE_FILE).write_text(to_json(record, ensure_ascii=False), encoding="utf-8")
        if out.exists():
            out.rmdir()  # empty, or this fails
        draft.replace(out)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return load_prepared(out)


def fingerprint(blocks: Blocks, clips: pd.DataFrame) -> str:
    """Digest of what a study sees: the images, which may lie in several arrays, and whose and what they are."""
    shape = [sum(map(len, blocks)), *blocks[0].shape[1:]]
    found = hashlib.sha256(
        json.dumps([*shape, *clips[["clip", "dataset", "person", "emotion"]].to_numpy().tolist()]).encode()
    )
    for block in blocks:
        found.update(np.ascontiguousarray(block).data)
    return found.hexdigest()


def _save_blocks(file: Path, blocks: Blocks) -> None:
    """What `np.save` writes of the arrays put together, without having them together in memory."""
    header = np.lib.format.header_data_from_array_1_0(blocks[0])
    with file.open("wb") as handle:
        np.lib.format.write_array_header_1_0(
            handle, {**header, "shape": (sum(map(len, blocks)), *blocks[0].shape[1:])}
        )
        for block in blocks:
            np.ascontiguousarray(block).tofile(handle)


def load_prepared(folder: Path) -> PreparedDataset:
    """Open a prepared folder.

    Raises:
        BadInput: there is none, a file is missing or damaged, or the files do not belong together.
    """
    if not folder.exists():
        raise BadInput(folder, "there is no such folder", "`learnet prepare` makes prepared folders.")
    file = folder / PREPARE_FILE
    if not file.is_file():
        wrong = f"this is not a prepared folder: there is no {PREPARE_FILE} in it"
        raise BadInput(folder, wrong, "`learnet prepare` makes one.")
    try:
        record = read_json(file, PrepareRecord, PREPARE_AGAIN)
        clips = _read_clips(folder / "clips.csv")
        images = np.load(folder / "images.npy", mmap_mode="r")
        whole = record.fingerprint == fingerprint([images], clips)
        phases = read_phases(folder, record.phases) if record.phases else None
    except PermissionError as error:
        raise BadInput(error.filename or folder, "this may not be read", "Change its permissions.") from error
    except (OSError, ValueError, KeyError, EOFError) as error:
        raise BadInput(folder, f"this prepared folder is damaged ({error})", PREPARE_AGAIN) from error
    if not whole or len(images) != len(clips):
        wrong = f"its images, clips.csv and {PREPARE_FILE} do not belong together"
        raise BadInput(folder, wrong, PREPARE_AGAIN)
    return PreparedDataset(folder, clips, record, images, phases=phases)


def _read_clips(file: Path) -> pd.DataFrame:
    """Read `clips.csv`: numbers as numbers, everything else as text; columns that an earlier version lacks are empty."""
    clips = pd.read_csv(file, dtype=str, keep_default_na=False, encoding="utf-8")
    for column in LATER_COLUMNS:
        if column not in clips:
            clips[column] = ""
    for column in NUMBERS:
        clips[column] = pd.to_numeric(clips[column])
    return clips


def read_findings(folder: Path) -> list[Finding] | None:
    """What the audit of a prepared folder found (`audit.csv`); None where the file is gone."""
    if not (folder / "audit.csv").is_file():
        return None
    table = pd.read_csv(folder / "audit.csv", dtype=str, keep_default_na=False)
    return [
        Finding(row.kind, row.where, row.what, row.serious.lower() in ("yes", "true", "1"))
        for row in table.itertuples()
    ]


def files_of(folder: Path) -> tuple[str, ...]:
    """What `load_prepared` reads in a folder."""
    return (*FILES, *PHASE_FILES) if any((folder / file).exists() for file in PHASE_FILES) else FILES


def file_stamp(folder: Path) -> FileStamp:
    """What changes when the files of a prepared folder do: a key for what was learned by reading them.

    Raises:
        OSError: a file is missing.
    """
    states = [(folder / file).stat() for file in files_of(folder)]
    return tuple((state.st_ino, state.st_size, state.st_mtime_ns) for state in states)


def check_flow_channels(where: Path, images: UInt8[np.ndarray, "N H W 3"]) -> None:
    """Refuse flow images whose strain lies in another channel than the last.

    Strain is never negative and mostly next to nothing, so stretched to 0..255 its median is near 0; u and v are centred.

    Raises:
        BadInput: it is plainly so.
    """
    medians = np.median(np.median(images.reshape(len(images), -1, 3), axis=1), axis=0)
    lowest = int(medians.argmin())
    if lowest != 2 and medians[lowest] < STRAIN_BELOW < CENTRED_ABOVE < medians[2]:
        channel = ("first (red)", "second (green)")[lowest]
        wrong = f"strain, which is never negative, seems to lie in the {channel} channel"
        raise BadInput(
            where,
            wrong,
            "Flow images hold u, v and strain in red, green and blue. Put the channels in this order.",
        )


def already_there(out: Path, record: PrepareRecord, phases: bool = False) -> PreparedDataset | None:
    """Return the prepared folder `out` where it holds this very preparation; None where there is nothing yet.

    Args:
        out: prepared folder that is to be made.
        record: what its `prepare.json` will say.
        phases: whether it will hold images of phases.

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
    }
    different = [name for name, (before, now) in compared.items() if before != now]
    if different:
        wrong = f"another preparation is there already; it differs in {', '.join(different)}"
        raise OutputTaken(out, wrong, "Name a new folder.")
    return replace(present, reused=True)


def versions() -> dict[str, str]:
    """Versions of what pixels depend on."""
    return {
        "learnet": version("learnet"),
        "numpy": np.__version__,
        **{name: version(name) for name in ("av", "opencv-python-headless")},
    }
