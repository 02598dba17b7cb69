"""Several prepared folders as one: refused where their images or their people cannot stand side by side, then written as a prepared
folder like any other.
"""

import itertools
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from jaxtyping import UInt8

from learnet.core.errors import BadInput, LearnetError
from learnet.core.files import report_disk_errors, sha256_hex, shortened_list
from learnet.core.records import Finding
from learnet.datasets.prepared.record import ConcatenatedFolder, PrepareRecord
from learnet.datasets.prepared.store import (
    ImageSource,
    PreparedDataset,
    already_there,
    fingerprint,
    load_prepared,
    read_findings,
    save_prepared,
)
from learnet.motion.phases import concatenate_phases, gather_images


@dataclass(frozen=True)
class ConcatDataset(ImageSource):
    """Prepared folders that fit together, seen as one. Nothing is written yet: `folder` is where `save_concatenated` puts them."""

    parts: tuple[PreparedDataset, ...]

    @property
    def folders(self) -> tuple[Path, ...]:
        """The folders of the parts."""
        return tuple(part.folder for part in self.parts)

    @property
    def size(self) -> int:
        """Height and width of the images in pixels."""
        return self.parts[0].size

    def take(self, rows: Sequence[int]) -> UInt8[np.ndarray, "M H W 3"]:
        """The images of these rows of `clips`, in memory."""
        return gather_images([part.images for part in self.parts], rows)


def open_datasets(folder: Path | Sequence[Path], out: Path) -> ImageSource:
    """A prepared folder; or several as one that is to lie in OUT.

    Raises:
        LearnetError: as `load_prepared` and `concatenate` say.
    """
    folders = [folder] if isinstance(folder, Path) else list(folder)
    return load_prepared(folders[0]) if len(folders) == 1 else concatenate(folders, out)


def concatenate(folders: Sequence[Path], out: Path) -> ConcatDataset:
    """See several prepared folders as one, in the order in which they are named.

    Args:
        folders: prepared folders; a database may come in any of them, also in several.
        out: where the pooled folder is to lie.

    Raises:
        BadInput: no prepared folder, or one that was not prepared as the others.
        LearnetError: a clip stands in two folders, or in two under different names of its person; a database is real in one folder and
            synthetic in another, so that their people would be taken for one another.
    """
    if not folders:
        raise LearnetError("There is nothing to pool.", "Name the prepared folders.")
    parts = tuple(load_prepared(folder) for folder in folders)
    for one, other in itertools.combinations(parts, 2):
        _refuse_unlike(one, other)
    clips = pd.concat([part.clips for part in parts], ignore_index=True).assign(
        image=range(sum(len(part.clips) for part in parts))
    )
    leaves = list(itertools.chain.from_iterable(map(_concatenated_folders, parts)))
    _refuse_clips_twice(parts, clips)
    _refuse_two_worlds(leaves)
    _refuse_two_names(parts)
    # Of the parts in which a face was searched, the first: its record names the face finder.
    searched = next((part for part in parts if _face(part) != "auto"), parts[0]).record
    phases = concatenate_phases([part.phases for part in parts], [len(part.clips) for part in parts])
    record = PrepareRecord(
        imported=searched.imported,
        preparation=searched.preparation,
        images_kind=searched.images_kind,
        synthetic=any(part.record.synthetic for part in parts),
        face_model=searched.face_model,
        inputs=sha256_hex("\n".join(part.record.fingerprint for part in parts).encode()),
        versions=searched.versions,
        pooled=leaves,
        phases=phases.record if phases else None,
        clips=len(clips),
        skipped=sum(part.record.skipped for part in parts),
        people=clips["person"].nunique(),
        fingerprint=fingerprint([part.images for part in parts], clips),
    )
    return ConcatDataset(out, clips, record, parts, phases=phases)


def save_concatenated(found: ConcatDataset) -> PreparedDataset:
    """Write the pooled folder, or return it as it is where it lies there already.

    Images go from file to file; they are never in memory together.

    Raises:
        OutputTaken: something else is there.
        BadInput: a disk that takes no more.
    """
    if present := already_there(found.folder, found.record, phases=found.phases is not None):
        return present
    tables = [
        pd.read_csv(part.folder / "clips.csv", dtype=str, keep_default_na=False, encoding="utf-8")
        for part in found.parts
    ]
    clips = pd.concat(tables, ignore_index=True).assign(
        image=range(len(found.clips))
    )  # every other cell as it stands there
    findings = [finding for part in found.parts for finding in _findings(part)]
    with report_disk_errors(found.folder):
        return save_prepared(
            found.folder, [part.images for part in found.parts], clips, found.record, findings, found.phases
        )


def _findings(part: PreparedDataset) -> list[Finding]:
    found = read_findings(part.folder)
    lost = Finding(
        "audit lost",
        str(part.folder),
        "its audit.csv is gone: what was repaired or missing there is not known",
        serious=True,
    )
    return [lost] if found is None else found


def _refuse_unlike(one: PreparedDataset, other: PreparedDataset) -> None:
    """Two folders go together only if every image would be the same, had it been made with the other folder."""
    made, made_other = _making(one), _making(other)
    if "auto" in (
        made.get("face"),
        made_other.get("face"),
    ):  # no face was searched there, so no finder had a say
        made, made_other = (
            {key: value for key, value in each.items() if key not in ("face", "face model")}
            for each in (made, made_other)
        )
    differ = [key for key in made | made_other if made.get(key, "none") != made_other.get(key, "none")]
    if differ:
        shown = "; ".join(
            f"{key} {made_other.get(key, 'none')} here, {made.get(key, 'none')} there" for key in differ[:4]
        )
        wrong = f"this cannot be pooled with {one.folder}, since they were not made alike ({shown}{'; …' if len(differ) > 4 else ''})"
        raise BadInput(other.folder, wrong, "Prepare them anew with the same settings and the same versions.")


def _making(part: PreparedDataset) -> dict[str, str]:
    """What the images of a folder were made by, in words."""
    record = part.record
    made: dict[str, object] = {
        "origin": "imported" if record.imported else "prepared",
        "kind of image": record.images_kind,
        "size": part.size,
        "face model": (record.face_model or "none")[:12],
    }
    if record.preparation:
        made |= asdict(record.preparation)
    for name, number in record.versions.items():
        made[f"{name}'s version"] = number
    return {key: str(value) for key, value in made.items()}


def _face(part: PreparedDataset) -> str:
    return part.record.preparation.face if part.record.preparation else "none"


def _refuse_clips_twice(parts: Sequence[PreparedDataset], clips: pd.DataFrame) -> None:
    twice = list(dict.fromkeys(clips["clip"][clips["clip"].duplicated()]))
    if twice:
        where = " and ".join(str(part.folder) for part in parts if twice[0] in set(part.clips["clip"]))
        what = (
            f"{len(twice)} clips stand twice in these folders: {shortened_list(twice)}; the first in {where}."
        )
        raise LearnetError(what, "Every clip may stand in one folder, once.")


def _refuse_two_worlds(folders: Sequence[ConcatenatedFolder]) -> None:
    """Refuse a database that is synthetic in one folder and not in another: its synthetic person 01 is nobody real."""
    databases: dict[bool, set[str]] = {False: set(), True: set()}
    for folder in folders:
        databases[folder.about.synthetic].update(folder.datasets)
    if both := sorted(databases[False] & databases[True]):
        what = f"{', '.join(both)} is synthetic in one folder and not in another, and their people have the same names."
        raise LearnetError(what, "Study them apart.")


def _refuse_two_names(parts: Sequence[PreparedDataset]) -> None:
    """One clip under two persons' names would be trained on and tested in one fold. It is known by its image."""
    known: dict[str, tuple[str, str]] = {}
    for part in parts:
        here = {}
        for image, person, clip in zip(part.images, part.clips["person"], part.clips["clip"], strict=True):
            key = sha256_hex(image.tobytes())
            other, name = known.get(key, (person, clip))
            if other != person and np.ptp(image):  # an image without any motion says nothing of whose it is
                what = f"{name} and {clip} have the very same image: one clip of one person under two names."
                raise LearnetError(what, "Leave one of them out, or name the person alike in both folders.")
            here[key] = (person, clip)
        known |= here


def _concatenated_folders(part: PreparedDataset) -> list[ConcatenatedFolder]:
    """Return what `prepare.json` says of a part; of one that was concatenated itself, what it says of its own parts."""
    if part.record.pooled:
        return part.record.pooled
    datasets = sorted(set(part.clips["dataset"]))
    return [ConcatenatedFolder(str(part.folder), datasets, part.record.fingerprint, part.record)]
