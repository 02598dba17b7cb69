"""How fast is a large database read and audited? 100,000 clips of 999 people, each a folder of one empty
image, and a workbook.

    python benchmarks/index.py            # writes benchmarks/results/<date>-<commit>-index.json

The database is laid out as CASME II. Reading and auditing run in a process of their own, whose largest memory
the system tells. The reference is what no reader can do without: listing every folder once, and opening the
workbook with the library that does it. The names are the ones the system has just seen, so this is the speed
of the program and not of the disk."""

import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import measure
import openpyxl

CLIPS, PEOPLE = 100_000, 999
RATE, MEMORY_MB = 5000.0, 1024.0  # wanted
EMOTIONS = ("happiness", "disgust", "repression", "surprise", "others")


def write_database(root: Path, clips: int) -> None:
    """Crops of CASME II in names only: `Cropped/sub001/EP01_000001/reg_img7.jpg`, empty."""
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet("Sheet1")
    sheet.append(
        [
            "Subject",
            "Filename",
            None,
            "OnsetFrame",
            "ApexFrame",
            "OffsetFrame",
            None,
            "Action Units",
            "Estimated Emotion",
        ]
    )
    for clip in range(clips):
        subject, name = f"{clip % PEOPLE + 1:03d}", f"EP{clip % 19 + 1:02d}_{clip:06d}"
        folder = root / "Cropped" / f"sub{subject}" / name
        folder.mkdir(parents=True)
        (folder / "reg_img7.jpg").touch()
        sheet.append([subject, name, None, 7, 7, 7, None, "4+7", EMOTIONS[clip % 5]])
    book.save(root / "CASME2-coding-20140508.xlsx")


def read(root: Path) -> None:
    """In a process of its own: read, audit, print seconds and largest memory."""
    from learnet.datasets import DATASETS, read_dataset
    from learnet.datasets.audit import count_rows, finding_rows

    start = time.perf_counter()
    reading = read_dataset("casme2", root)
    count_rows(reading, DATASETS["casme2"])
    finding_rows(reading)
    seconds = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (
        1024 if sys.platform != "darwin" else 1024**2
    )
    print(len(reading.clips), seconds, peak)


def list_folders(root: Path) -> None:
    for _, folders, files in os.walk(root):
        len(folders) + len(files)


def open_workbook(path: Path) -> None:
    book = openpyxl.load_workbook(path, read_only=True)
    for _ in book.active.iter_rows(values_only=True):
        pass


def timed(work: object, *words: Path) -> float:
    start = time.perf_counter()
    work(*words)
    return time.perf_counter() - start


def main() -> None:
    parser = measure.options(__doc__, rounds=3)
    parser.add_argument("--clips", type=int, default=CLIPS)
    parser.add_argument("--read", type=Path, help="only read this database (used by the benchmark itself)")
    chosen = parser.parse_args()
    if chosen.read:
        read(chosen.read)
        return
    about = measure.machine()
    root = Path(tempfile.mkdtemp(prefix="index-"))
    try:
        write_database(root, chosen.clips)
        found = []
        for _ in range(chosen.rounds):
            lists, book = (
                timed(list_folders, root),
                timed(open_workbook, root / "CASME2-coding-20140508.xlsx"),
            )
            words = [sys.executable, __file__, "--read", str(root)]
            done = subprocess.run(words, capture_output=True, text=True, check=True)
            clips, seconds, peak = map(float, done.stdout.split())
            assert clips == chosen.clips
            found.append((lists, book, seconds, peak))
    finally:
        shutil.rmtree(root)
    rate = statistics.median(chosen.clips / seconds for _, _, seconds, _ in found)
    share = statistics.median((lists + book) / seconds for lists, book, seconds, _ in found)
    peak = max(memory for *_, memory in found)
    what = f"reading and auditing {chosen.clips:,} clips"
    rows = [
        measure.Row(
            f"{what}, clips a second",
            "-",
            round(rate),
            RATE,
            "listing folders and opening the workbook",
            share,
        ),
        measure.Row(f"{what}, largest memory, MB", "-", round(peak), MEMORY_MB, smaller_is_better=True),
    ]
    names = ("listing, s", "workbook, s", "reading, s", "memory, MB")
    details = {"clips": chosen.clips, "people": PEOPLE, "rounds": chosen.rounds}
    medians = {
        name: round(statistics.median(column), 2)
        for name, column in zip(names, zip(*found, strict=True), strict=True)
    }
    measure.save("index", chosen.out, about, rows, details | medians)


if __name__ == "__main__":
    main()
