"""Several prepared folders as one dataset, which is written as a prepared folder like any other.

Folders are refused whose images were not made alike, or whose people could be mixed up.
"""

import itertools
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from jaxtyping import UInt8

from learnet.core.errors import BadInput, LearnetError, repeated
from learnet.core.files import as_paths, report_disk_errors, sha256_hex, shortened_list
from learnet.core.people import FINDING as SPELLED_TWICE
from learnet.core.people import spelling_findings
from learnet.core.records import Finding
from learnet.datasets.prepared.duplicates import FINDING as IMAGE_OF_TWO
from learnet.datasets.prepared.record import ConcatenatedFolder, PrepareRecord
from learnet.datasets.prepared.store import (
    ImageSource,
    PreparedDataset,
    already_there,
    fingerprint,
    load_prepared,
    read_findings,
    read_text_table,
    save_prepared,
)
from learnet.motion.phases import concatenate_phases, gather_images

MOST_DIFFERENCES = 4  # in an error message


@dataclass(frozen=True)
class ConcatDataset(ImageSource):
    """Prepared folders that fit together, as one. Nothing is written: `folder` is where `save_concatenated`
    puts it."""

    parts: tuple[PreparedDataset, ...]

    @property
    def blocks(self) -> list[UInt8[np.ndarray, "_ H W 3"]]:
        """The images of the parts, mapped from disk."""
        return [part.images for part in self.parts]

    @property
    def folders(self) -> tuple[Path, ...]:
        """The folders of the parts."""
        return tuple(part.folder for part in self.parts)

    @property
    def size(self) -> int:
        """Height and width of the images in pixels."""
        return self.parts[0].size

    def take(self, rows: Sequence[int]) -> UInt8[np.ndarray, "M H W 3"]:
        """Return the images of these rows of `clips`, in memory."""
        return gather_images(self.blocks, rows)


def open_datasets(folder: str | Path | Sequence[str | Path], out: Path) -> ImageSource:
    """Open a prepared folder; or several as one that will be written to `out`.

    Raises:
        LearnetError: as `load_prepared` and `concatenate`.
    """
    folders = as_paths(folder)
    return load_prepared(folders[0]) if len(folders) == 1 else concatenate(folders, out)


def concatenate(folders: Sequence[Path], out: Path) -> ConcatDataset:
    """Concatenate several prepared folders, in the order in which they are named.

    Args:
        folders: prepared folders; a database may be in any of them, also in several.
        out: where the concatenated folder will be written.

    Raises:
        BadInput: no prepared folder, or one that was not prepared as the others.
        LearnetError: a clip is in two folders; a database is real in one folder and synthetic in another, so
            that their people would be mixed up.
    """
    if not folders:
        raise LearnetError("There is nothing to concatenate.", "Name the prepared folders.")
    parts = tuple(map(load_prepared, folders))
    for first, second in itertools.combinations(parts, 2):
        _check_made_alike(first, second)
    clips = pd.concat([part.clips for part in parts], ignore_index=True)
    clips = clips.assign(image=range(len(clips)))
    pooled = list(itertools.chain.from_iterable(map(_concatenated_folders, parts)))
    _check_clips_are_unique(parts, clips)
    _check_synthetic_databases(pooled)
    # Of the parts in which a face was searched, the first: its record names the face finder.
    searched = next((part for part in parts if _face(part) != "auto"), parts[0]).record
    records, phases_of_parts, sizes = [], [], []
    for part in parts:
        records.append(part.record)
        phases_of_parts.append(part.phases)
        sizes.append(len(part.clips))
    phases = concatenate_phases(phases_of_parts, sizes)
    fingerprints = "\n".join(record.fingerprint for record in records)
    record = PrepareRecord(
        imported=searched.imported,
        preparation=searched.preparation,
        images_kind=searched.images_kind,
        synthetic=any(record.synthetic for record in records),
        simulated=True if all(record.simulated for record in records) else None,
        face_model=searched.face_model,
        inputs=sha256_hex(fingerprints.encode()),
        versions=searched.versions,
        pooled=pooled,
        phases=phases.record if phases else None,
        parts=searched.parts if phases else None,
        clips=len(clips),
        skipped=sum(record.skipped for record in records),
        people=clips["person"].nunique(),
        fingerprint=fingerprint([part.images for part in parts], clips),
    )
    return ConcatDataset(out, clips, record, parts, phases=phases)


def save_concatenated(dataset: ConcatDataset) -> PreparedDataset:
    """Write the concatenated folder, or return it as it is where it is there already.

    Images are copied from file to file; they are never in memory together.

    Raises:
        OutputTaken: something else is there.
        BadInput: the disk is full or cannot be written.
    """
    if present := already_there(dataset.folder, dataset.record, phases=dataset.phases is not None):
        return present
    # Every cell as it is written in the parts, but for the numbers of the images.
    tables = [read_text_table(folder / "clips.csv") for folder in dataset.folders]
    clips = pd.concat(tables, ignore_index=True).assign(image=range(len(dataset.clips)))
    of_parts = itertools.chain.from_iterable(map(_findings, dataset.parts))
    # Of one folder only: these are searched again in all of them.
    findings = [finding for finding in of_parts if finding.kind not in (SPELLED_TWICE, IMAGE_OF_TWO)]
    findings += spelling_findings(dataset.clips["person"], ", ".join(map(str, dataset.folders)))
    with report_disk_errors(dataset.folder):
        return save_prepared(dataset.folder, dataset.blocks, clips, dataset.record, findings, dataset.phases)


def _findings(part: PreparedDataset) -> list[Finding]:
    findings = read_findings(part.folder)
    if findings is not None:
        return findings
    what = "its audit.csv is gone: what was repaired or missing there is not known"
    return [Finding("audit lost", str(part.folder), what, serious=True)]


def _check_made_alike(first: PreparedDataset, second: PreparedDataset) -> None:
    """Refuse two folders unless every image would be the same if it had been made with the other folder."""
    before, now = _making(first), _making(second)
    if "auto" in (before.get("face"), now.get("face")):
        # No face was searched in one of them, so no finder made a difference there.
        for making in (before, now):
            making.pop("face", None)
            making.pop("face model", None)
    if first.phases is None or second.phases is None:
        # The pool has none either.
        before.pop("parts", None)
        now.pop("parts", None)
    details = []
    for key in before | now:
        here, there = now.get(key, "none"), before.get(key, "none")
        if here != there:
            details.append(f"{key} {here} here, {there} there")
    if not details:
        return
    if len(details) > MOST_DIFFERENCES:
        details[MOST_DIFFERENCES:] = ["…"]
    wrong = f"this cannot be pooled with {first.folder}, which was made otherwise ({'; '.join(details)})"
    raise BadInput(second.folder, wrong, "Prepare them again with the same settings and the same versions.")


def _making(part: PreparedDataset) -> dict[str, str]:
    """Return in words how the images of a folder were made."""
    record = part.record
    making = {
        "origin": "imported" if record.imported else "prepared",
        "kind of image": record.images_kind,
        "size": str(part.size),
        "face model": (record.face_model or "none")[:12],
    }
    if record.parts:
        making["parts"] = str(record.parts)
    if record.preparation:
        for name, value in asdict(record.preparation).items():
            making[name] = str(value)
    for name, number in record.versions.items():
        making[f"{name}'s version"] = number
    return making


def _face(part: PreparedDataset) -> str:
    return part.record.preparation.face if part.record.preparation else "none"


def _check_clips_are_unique(parts: Sequence[PreparedDataset], clips: pd.DataFrame) -> None:
    twice = repeated(clips["clip"])
    if twice:
        folders = []
        for part in parts:
            if twice[0] in set(part.clips["clip"]):
                folders.append(str(part.folder))
        what = f"{len(twice)} clips are there twice: {shortened_list(twice)}; the first in "
        raise LearnetError(what + f"{' and '.join(folders)}.", "Every clip may be in one folder, once.")


def _check_synthetic_databases(folders: Sequence[ConcatenatedFolder]) -> None:
    """Refuse a database that is synthetic in one folder and real in another: synthetic person 01 is nobody
    real."""
    databases: dict[bool, set[str]] = {False: set(), True: set()}
    for folder in folders:
        databases[folder.about.synthetic].update(folder.datasets)
    both = sorted(databases[False] & databases[True])
    if both:
        what = f"{', '.join(both)} is synthetic in one folder and real in another; "
        raise LearnetError(what + "their people have the same names.", "Study them separately.")


def _concatenated_folders(part: PreparedDataset) -> list[ConcatenatedFolder]:
    """Return what `prepare.json` says of a part, or of the parts of a part that was concatenated itself."""
    if part.record.pooled:
        return part.record.pooled
    datasets = sorted(set(part.clips["dataset"]))
    return [ConcatenatedFolder(str(part.folder), datasets, part.record.fingerprint, part.record)]
