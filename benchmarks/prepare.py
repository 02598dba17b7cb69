"""How much slower is preparing clips than merely decoding their frames? CASME II-like clips, same processes,
same run.

    python benchmarks/prepare.py            # writes benchmarks/results/<date>-<commit>-prepare.json

Clips are folders of JPEGs as CASME II has them: 65 frames of 640 x 480 with a face of some 280 pixels, and
owner-cropped ones of 280 x 340. The face is the public-domain portrait in scikit-image, moved by fractions of
a pixel from frame to frame, with the noise of a camera. The reference reads every frame with `cv2.imread`, a
clip at a time, on the same number of processes. The two take turns, so that a busy moment falls on both; each
pair gives a ratio, and the median of them counts."""

import itertools
import os
import shutil
import statistics
import tempfile
from pathlib import Path

import cv2
import joblib
import measure
import numpy as np
from skimage.data import astronaut

from learnet.core.records import Clip, DatasetIndex
from learnet.core.settings import Preparation
from learnet.datasets.prepared.prepare import prepare

FRAMES = 65
DISTINCT = 12  # clips that are drawn; the others are copies, which cost as much to read
SIZES = {"raw": (640, 480), "cropped": (280, 340)}  # width, height
QUALITY = 95  # percent: what OpenCV writes where nobody asks
NEEDED = 0.7  # of the rate of decoding


def picture(kind: str) -> np.ndarray:
    """The portrait as large as CASME II shows its people, eyes some 100 pixels apart: BGR."""
    part = astronaut()[10:213, 90:361] if kind == "raw" else astronaut()[50:194, 164:283]
    return cv2.cvtColor(cv2.resize(part, SIZES[kind], interpolation=cv2.INTER_CUBIC), cv2.COLOR_RGB2BGR)


def write_clip(folder: Path, kind: str, seed: int) -> None:
    """A folder of FRAMES images that drift by up to a third of a pixel a frame."""
    folder.mkdir(parents=True)
    numbers, still = np.random.default_rng(seed), picture(kind)
    across, down = numbers.uniform(-0.03, 0.03, 2)
    for t in range(FRAMES):
        moved = cv2.warpAffine(
            still,
            np.float64([[1, 0, across * t], [0, 1, down * t]]),
            SIZES[kind],
            borderMode=cv2.BORDER_REPLICATE,
        )
        noisy = np.clip(moved + numbers.normal(0, 2.5, moved.shape), 0, 255).astype(np.uint8)
        cv2.imwrite(str(folder / f"img{t + 1}.jpg"), noisy, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])


def clips(root: Path, kind: str, count: int) -> list[Clip]:
    folders = [root / kind / f"sub{i:03}" / "EP01_1" for i in range(count)]
    joblib.Parallel(n_jobs=-1)(
        joblib.delayed(write_clip)(folder, kind, seed) for seed, folder in enumerate(folders[:DISTINCT])
    )
    for place, folder in enumerate(folders[DISTINCT:]):
        shutil.copytree(folders[place % DISTINCT], folder)
    return [
        Clip(
            folder,
            "casme2",
            folder.parent.name,
            folder.name,
            "others",
            1,
            30,
            FRAMES,
            200.0,
            cropped=kind == "cropped",
        )
        for folder in folders
    ]


def decode(folder: Path) -> int:
    cv2.setNumThreads(1)
    return sum(cv2.imread(str(file)) is not None for file in folder.iterdir())


def decode_all(found: list[Clip], jobs: int) -> None:
    frames = sum(joblib.Parallel(n_jobs=jobs)(joblib.delayed(decode)(clip.path) for clip in found))
    assert frames == FRAMES * len(found)


def compare(root: Path, kind: str, face: str, found: list[Clip], jobs: int, rounds: int) -> dict[str, object]:
    model = Path(os.environ["LEARNET_FACE_MODEL"]) if face == "yunet" else None
    preparation = Preparation(face=face)  # type: ignore[arg-type]

    def make(turn: int) -> None:
        prepared = prepare(
            DatasetIndex(found, []),
            root / f"{kind}-{face}-{jobs}-{turn}",
            preparation,
            jobs=jobs,
            face_model=model,
        )
        assert len(prepared.clips) == len(found)

    turns = itertools.count()
    spent = measure.take_turns(
        {"decode": lambda: decode_all(found, jobs), "prepare": lambda: make(next(turns))}, rounds
    )
    frames = FRAMES * len(found)
    ratios = [
        decoding / preparing for decoding, preparing in zip(spent["decode"], spent["prepare"], strict=True)
    ]
    return {
        "frames": f"{kind} frames, {SIZES[kind][0]}x{SIZES[kind][1]}",
        "face": face if kind == "raw" else "given",
        "clips": f"{len(found)} of {FRAMES} JPEGs",
        "processes": jobs,
        "decoded_per_s": round(frames / statistics.median(spent["decode"])),
        "prepared_per_s": round(frames / statistics.median(spent["prepare"])),
        "share of the rate of decoding": round(statistics.median(ratios), 3),
        "share in each round": [round(ratio, 3) for ratio in ratios],
    }


def main() -> None:
    parser = measure.options(__doc__, rounds=3)
    parser.add_argument("--clips", type=int, default=120, help="clips of each kind (CASME II has 255)")
    chosen = parser.parse_args()
    about = measure.machine()
    with tempfile.TemporaryDirectory() as place:
        root = Path(place)
        found = {kind: clips(root / "data", kind, chosen.clips) for kind in SIZES}
        faces = [("raw", "haar"), ("cropped", "auto")] + (
            [("raw", "yunet")] if "LEARNET_FACE_MODEL" in os.environ else []
        )
        cases = [
            compare(root, kind, face, found[kind], joblib.cpu_count(), chosen.rounds) for kind, face in faces
        ]
    rows = [
        measure.Row(
            f"preparing {case['frames']}, face {case['face']}",
            "merely decoding them",
            case["share of the rate of decoding"],
            NEEDED,
            "the decoding rate",
            case["share of the rate of decoding"],
        )
        for case in cases
    ]
    measure.save("prepare", chosen.out, about, rows, {"rounds": chosen.rounds, "cases": cases})


if __name__ == "__main__":
    main()
