"""Read CAS(ME)^3 as its owners distribute it: part A and part C, a mock crime.

`docs/datasets/casme3.md` says what is assumed, and how certain it is.
"""

from pathlib import Path

from learnet.core.errors import BadInput, LearnetError
from learnet.core.records import DatasetIndex
from learnet.core.settings import DatasetSubset
from learnet.datasets.readers.casme3.common import FPS, OTHER_MEDIA, TREES
from learnet.datasets.readers.casme3.part_a import PUBLISHED, layout_a
from learnet.datasets.readers.casme3.part_c import layout_c
from learnet.datasets.readers.reading.dataset import Dataset
from learnet.datasets.readers.reading.folder_names import normalise_name
from learnet.datasets.readers.reading.folder_tree import scan_folders, validate_root
from learnet.datasets.readers.reading.reader import read_scanned_clips


def read(root: Path, selection: DatasetSubset = DatasetSubset()) -> DatasetIndex:
    """Read every labelled clip of a CAS(ME)^3 folder; see `read_clips`.

    `selection.tree` is one of TREES, `selection.part` A (the default) or C.

    Raises:
        LearnetError: macro-expressions of part C, which has none.
    """
    root = validate_root(root)
    if normalise_name(root.name) in OTHER_MEDIA:
        problem = "this holds depth maps or films, not the colour images"
        raise BadInput(root, problem, "Give the folder above it.")
    scan = scan_folders(root)
    if selection.part == "C":
        if selection.expressions != "micro":
            raise LearnetError("Part C of CAS(ME)^3 has micro-expressions only.", "Leave expressions out.")
        return read_scanned_clips(scan, selection, layout_c())
    return read_scanned_clips(scan, selection, layout_a(selection.expressions, scan.spreadsheets))


CASME3 = Dataset(
    name="casme3",
    title="CAS(ME)^3",
    read=read,
    fps=FPS,
    published=PUBLISHED,
    people=94,
    published_source="part A, micro-expressions, version 2; certain",
    access="http://casme.psych.ac.cn/casme/e4",
    options={"tree": TREES, "part": ("A", "C"), "expressions": ("micro", "macro", "all")},
    signatures=(
        r"cas\(me\)\^?3[ _-]*part_[ac].*",
        r"(.*/)?spno\.?\d+_[a-z]_\d+",
        r"(.*/)?spno\.?\d+/[a-z](/color)?",
    ),
)
