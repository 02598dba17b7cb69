"""`learnet show`: a picture of every step, and what bad input gets."""

from pathlib import Path

import cv2
import matplotlib.image
import numpy as np
import pytest

from learnet.datasets.synthetic.databases import SyntheticVideo, synthetic_video
from tests.builders.commands import learnet


@pytest.fixture(scope="module")
def stranger(tmp_path_factory: pytest.TempPathFactory) -> SyntheticVideo:
    """A synthetic video of one second whose onset, apex and offset are known."""
    return synthetic_video(tmp_path_factory.mktemp("film") / "stranger.mp4", seed=5, emotion="happiness")


def test_a_clip_of_a_video_is_drawn(stranger: SyntheticVideo, tmp_path: Path) -> None:
    marks = ("--onset", stranger.onset, "--offset", stranger.offset)
    out = tmp_path / "new" / "steps.png"
    done = learnet(
        "show",
        stranger.path,
        *marks,
        "--motion",
        "flow-dis",
        "--remove-global-motion",
        "--face",
        "haar",
        "--out",
        out,
    )
    apex = int(done.stdout.split("apex ")[1].split()[0])
    assert done.stdout.startswith(
        f"flow-dis: onset {stranger.onset}, apex {apex} (detected), offset {stranger.offset}\n-> "
    )
    assert abs(apex - stranger.apex) <= 2
    height, width, _ = matplotlib.image.imread(out).shape
    assert width == 1800 and height > 900
    given = learnet(
        "show",
        stranger.path,
        *marks,
        "--apex",
        90,
        "--magnify",
        4,
        "--face",
        "haar",
        "--out",
        tmp_path / "given.svg",
    )
    assert "dynamic: " in given.stdout and "apex 90 (given)" in given.stdout
    assert "Magnified crops (1 + 4 times)" in (tmp_path / "given.svg").read_text()


def test_a_folder_of_face_crops_is_drawn(tmp_path: Path, rng: np.random.Generator) -> None:
    folder = tmp_path / "clip"
    folder.mkdir()
    for number in range(7, 12):
        cv2.imwrite(str(folder / f"reg_img{number}.png"), rng.integers(0, 256, (60, 50, 3), dtype=np.uint8))
    done = learnet(
        "show", folder, "--face", "none", "--size", 28, "--motion", "flow-tvl1", "--out", tmp_path / "a.pdf"
    )
    assert "onset 7, apex " in done.stdout and "offset 11" in done.stdout
    assert (tmp_path / "a.pdf").read_bytes().startswith(b"%PDF")


def test_bad_input_ends_in_one_line_and_leaves_nothing(stranger: SyntheticVideo, tmp_path: Path) -> None:
    out = tmp_path / "out.png"
    for words, says in [
        (
            (stranger.path, "--apex", 5, "--onset", 20, "--offset", 60),
            "there is no frame 5 after the onset; the frames are 20 to 60",
        ),
        (
            (stranger.path, "--apex", 20, "--onset", 20, "--offset", 60),
            "there is no frame 20 after the onset",
        ),
        ((stranger.path, "--onset", 60, "--offset", 20), "nothing from frame 60 to frame 20"),
        ((tmp_path / "none.mp4",), "there is no such file or folder"),
        ((stranger.path, "--motion", "flow-tlv1", "--offset", 3), "Did you mean 'flow-tvl1'?"),
        ((stranger.path, "--motion", "flow-dis", "--normalise", "joint-minmax"), "share no range"),
        ((stranger.path, "--remove-global-motion"), "remove_global_motion is for optical flow"),
        ((stranger.path, "--offset", 0), "1 frame"),
    ]:
        done = learnet("show", *words, "--face", "none", "--out", out, code=2)
        lines = [line for line in done.stderr.splitlines() if line.startswith("learnet:")]
        assert len(lines) == 1 and says in lines[0] and "Traceback" not in done.stderr, done.stderr
    assert (
        "a figure is written as PNG, SVG or PDF"
        in learnet("show", stranger.path, "--out", tmp_path / "out.jpg", code=2).stderr
    )
    assert list(tmp_path.iterdir()) == []


def test_a_long_film_needs_marks(tmp_path: Path) -> None:
    from learnet.video.writer import write_video

    film = tmp_path / "long.mp4"
    write_video(film, (np.full((32, 32, 3), t % 256, np.uint8) for t in range(275)), 25.0)
    done = learnet("show", film, "--face", "none", "--out", tmp_path / "out.png", code=2)
    assert "lasts 11 s" in done.stderr
    learnet("show", film, "--face", "none", "--onset", 100, "--offset", 110, "--out", tmp_path / "out.png")
