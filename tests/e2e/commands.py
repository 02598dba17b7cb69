"""The installed command, in a subprocess, and what it is often given."""

import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np

LEARNET = Path(sys.executable).with_name("learnet")


def learnet(*words: object, code: int = 0) -> subprocess.CompletedProcess:
    done = subprocess.run(
        [LEARNET, *map(str, words)], capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == code, f"{' '.join(map(str, words))}\n{done.stdout}\n{done.stderr}"
    return done


def import_noise(place: Path, dataset: str, people: int, seed: int, kind: str) -> Path:
    """The prepared folder PLACE/DATASET, of random images as from another program: one per person (01, 02, …) and emotion, of three."""
    rng = np.random.default_rng(seed)
    images = place / f"{dataset}-images"
    images.mkdir()
    lines = ["image,subject,emotion,dataset"]
    for subject in range(1, people + 1):
        for word in ("happiness", "disgust", "surprise"):
            name = f"{subject:02d}-{word}.png"
            cv2.imwrite(str(images / name), rng.integers(0, 256, (28, 28, 3), dtype=np.uint8))
            lines.append(f"{name},{subject:02d},{word},{dataset}")
    (place / f"{dataset}.csv").write_text("\n".join(lines))
    learnet("import", images, place / f"{dataset}.csv", place / dataset, "--kind", kind)
    return place / dataset
