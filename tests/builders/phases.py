"""A prepared folder whose images encode their clip and phase."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from hypothesis import strategies as st

from learnet.datasets.prepared.record import PrepareRecord
from learnet.datasets.prepared.store import save_prepared
from learnet.motion.phases import PHASES, Phases

WORDS = ("happiness", "disgust", "surprise")


def write_coded_folder(
    out: Path, people: int = 4, dataset: str = "casme2", without: Sequence[int] = (), shift: int = 0
) -> Path:
    """Write a prepared folder of people with three clips each.

    Every image is noise around a grey level of its class; its corner pixel encodes its clip and its phase:
    0 the whole clip, 1 its rise, 2 its fall. The clips in `without` have no fall.
    """
    rng, rows, images, phases, clips_of_phases, names = np.random.default_rng(5), [], [], [], [], []
    for row in range(3 * people):
        word, subject = WORDS[row % 3], f"{row // 3 + 1:02d}"
        facts = {
            "clip": f"{dataset}/{subject}/{row}",
            "dataset": dataset,
            "subject": subject,
            "person": f"{dataset}/{subject}",
        }
        rows.append(
            {
                **facts,
                "image": row,
                "name": str(row),
                "emotion": word,
                "onset": 1,
                "offset": 9,
                "fps": 200,
                "frames": 9,
            }
        )
        for phase in range(3):
            image = rng.integers(0, 100, (28, 28, 3), dtype=np.uint8) + np.uint8(50 * (row % 3))
            image[0, 0] = (shift + row, phase, 0)
            if phase == 0:
                images.append(image)
            elif phase == 1 or row not in without:
                phases.append(image)
                clips_of_phases.append(row)
                names.append(("", "rise", "fall")[phase])
    record = PrepareRecord(preparation=None, images_kind="image", synthetic=True, reading={}, inputs=dataset)
    save_prepared(
        out,
        np.stack(images),
        pd.DataFrame(rows),
        record,
        [],
        Phases([np.stack(phases)], tuple(clips_of_phases), tuple(names)),
    )
    return out


def image_codes(images: np.ndarray) -> list[tuple[int, int]]:
    """Return the clip and the phase that each image encodes."""
    return [(int(image[0, 0, 0]), int(image[0, 0, 1])) for image in images]


@st.composite
def some_phases(draw: st.DrawFn) -> tuple[int, Phases]:
    """Draw a number of clips and images of some of their phases."""
    count = draw(st.integers(1, 6))
    clips_of_phases = [(row, name) for row in range(count) for name in PHASES if draw(st.booleans())]
    images = np.arange(len(clips_of_phases), dtype=np.uint8).reshape(-1, 1, 1, 1) * np.ones(
        (1, 2, 2, 3), np.uint8
    )
    cut = draw(st.integers(0, len(clips_of_phases)))
    return count, Phases(
        [images[:cut], images[cut:]],
        tuple(row for row, _ in clips_of_phases),
        tuple(name for _, name in clips_of_phases),
    )
