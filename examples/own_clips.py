"""Turn a folder of your own clips into motion images.

The clips are SYNTHETIC: `learnet` renders two people who do not exist, each with three emotions, into a
folder laid out as PERSON/EMOTION/CLIP. Replace that folder by your own.

    python examples/own_clips.py [PICTURE.png]
"""

import sys
import tempfile
from pathlib import Path

from matplotlib.figure import Figure

from learnet import Preparation, prepare, read_dataset
from learnet.datasets.synthetic.databases import synthetic_video

PEOPLE = ("ann", "bob")
EMOTIONS = ("happiness", "disgust", "surprise")


def make_clips(root: Path) -> None:
    """Write root/PERSON/EMOTION/clip.mp4 for every person and emotion."""
    for seed, person in enumerate(PEOPLE):
        for emotion in EMOTIONS:
            file = root / person / emotion / "clip.mp4"
            file.parent.mkdir(parents=True)
            synthetic_video(file, seed=seed, emotion=emotion, duration_s=0.6)


def main(picture: Path) -> None:
    """Read the folder, prepare it, and draw one motion image per clip."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "clips"
        make_clips(root)
        reading = read_dataset("folder", root)
        print(f"{len(reading.clips)} clips, {len(reading.findings)} findings of the audit")
        prepared = prepare(reading, Path(folder) / "prepared", Preparation(motion="dynamic"))
        images, table = prepared.take(range(len(prepared.clips))), prepared.clips

    figure = Figure(figsize=(5.4, 4.2), layout="constrained")
    grid = figure.subplots(len(PEOPLE), len(EMOTIONS))
    for image, row in zip(images, table.itertuples(), strict=True):
        axes = grid[PEOPLE.index(row.subject), EMOTIONS.index(row.emotion)]
        axes.imshow(image)
        axes.set(xticks=[], yticks=[])
        axes.set_title(f"{row.subject}: {row.emotion}", size=9)
    figure.suptitle("SYNTHETIC clips: one dynamic image per clip", size=11)
    figure.savefig(picture, dpi=66)


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "own_clips.png"))
