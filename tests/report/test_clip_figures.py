"""The picture of an answer: what stands in it is what was answered, and it reaches the disk whole."""

from dataclasses import replace
from pathlib import Path

import matplotlib.image
import numpy as np
import pytest
from matplotlib.axes import Axes

from learnet.core.errors import BadInput
from learnet.core.records import ActionUnitScore
from learnet.core.settings import Preparation, Windows
from learnet.inference.prediction import Prediction, WindowImages
from learnet.inference.recognition import Recognition
from learnet.inference.spotting import Spotting
from learnet.report.clip_figures import answer_figure, save_answer
from learnet.training.metadata import CheckpointMetadata
from learnet.video.base import VideoInfo


def answer(window: int, scores: dict[str, float], warnings: tuple[str, ...] = ()) -> Prediction:
    label = max(scores, key=scores.__getitem__)
    return Prediction(
        window,
        window / 4,
        window / 4 + 0.5,
        6 * window,
        6 * window + 11,
        12,
        label,
        scores,
        "",
        None,
        0.4,
        warnings,
    )


@pytest.fixture
def recognition(rng: np.random.Generator) -> Recognition:
    crop, image = rng.integers(0, 256, (2, 28, 28, 3), dtype=np.uint8)
    classes = ("happiness", "disgust", "others")
    return Recognition(
        source="film.mp4",
        info=VideoInfo("film.mp4", "file", 24.0, 640, 360, 30, variable_rate=False, rotation=0),
        frames=30,
        duration_s=1.25,
        weights="weights.safetensors",
        metadata=CheckpointMetadata("learnet", classes, 28, Preparation(size=28), None, {}, {}),
        windows=Windows(),
        predictions=(
            answer(0, dict(zip(classes, (0.2, 0.5, 0.3), strict=True))),
            answer(
                1, dict(zip(classes, (0.25, 0.125, 0.625), strict=True)), ("the head moves by 3.1 pixels",)
            ),
        ),
        warnings=("24 frames per second is slow",),
        strongest_images=WindowImages(crop, image),
    )


def texts(axes: Axes) -> list[str]:
    return [text.get_text() for text in axes.texts]


def test_the_figure_shows_the_strongest_answer(recognition: Recognition) -> None:
    figure = answer_figure(recognition)
    face, motion, scores = figure.axes
    np.testing.assert_array_equal(face.images[0].get_array(), recognition.strongest_images.crop)
    np.testing.assert_array_equal(motion.images[0].get_array(), recognition.strongest_images.image)
    assert motion.get_xlabel() == "dynamic, joint-minmax"
    assert [bar.get_width() for bar in scores.patches] == [0.25, 0.125, 0.625]
    assert [tick.get_text() for tick in scores.get_yticklabels()] == ["happiness", "disgust", "others"]
    assert texts(scores) == ["0.25", "0.12", "0.62"]
    shades = [bar.get_facecolor() for bar in scores.patches]
    assert shades[0] == shades[1] != shades[2]  # only the label stands out
    brightness = [np.dot(shade[:3], [0.2126, 0.7152, 0.0722]) for shade in shades]
    assert brightness[0] - brightness[2] > 0.4  # by lightness, whatever colours a reader can see
    assert (
        figure.get_suptitle()
        == "others (0.62): the strongest of 2 windows, 0.25 to 0.75 s, 12 frames at 24 per second"
    )
    foot = " ".join(text.get_text() for text in figure.texts)
    assert "the head moves by 3.1 pixels" in foot and "24 frames per second is slow" in foot


def test_units_of_the_strongest_answer_come_first_below(recognition: Recognition) -> None:
    units = (ActionUnitScore(4, "both", 0.94), ActionUnitScore(7, "left", 0.71))
    strongest = replace(recognition.predictions[1], action_units=units)
    figure = answer_figure(replace(recognition, predictions=(recognition.predictions[0], strongest)))
    foot = " ".join(text.get_text() for text in figure.texts)
    told = "AU 4 both sides, 0.94; AU 7 left side, 0.71  ·  AU 4+L7 speak for disgust or anger (criteria of"
    assert told in foot.replace("\n", " ")


def test_of_events_the_strongest_is_shown_and_without_any_the_timeline(recognition: Recognition) -> None:
    events = replace(recognition, windows=None, spotting=Spotting())
    title = "others (0.62): the strongest of 2 movements, 0.25 to 0.75 s, 12 frames at 24 per second"
    assert answer_figure(events).get_suptitle() == title
    nothing = answer_figure(replace(events, predictions=(), strongest_images=None))
    assert nothing.get_suptitle() == "film.mp4" and nothing.axes[-1].get_ylabel() == "probability"


def test_one_window_is_not_called_the_strongest(recognition: Recognition) -> None:
    figure = answer_figure(replace(recognition, predictions=recognition.predictions[:1], warnings=()))
    assert figure.get_suptitle() == "disgust (0.50): 0.00 to 0.50 s, 12 frames at 24 per second"


def test_nothing_lies_over_anything_else(recognition: Recognition) -> None:
    """Many classes with long names, and long warnings: every text inside the picture, no panel over
    another."""
    scores = {f"a rather long class {number}": (number + 1) / 45 for number in range(9)}
    said = tuple(f"warning {number} of a certain length, as they are in practice" for number in range(8))
    figure = answer_figure(replace(recognition, predictions=(answer(0, scores, said),)))
    figure.draw_without_rendering()
    boxes = [axes.get_tightbbox() for axes in figure.axes] + [
        text.get_window_extent() for text in figure.texts
    ]
    for place, box in enumerate(boxes):
        assert box.x0 >= figure.bbox.x0 - 1 and box.x1 <= figure.bbox.x1 + 1
        assert box.y0 >= figure.bbox.y0 - 1 and box.y1 <= figure.bbox.y1 + 1
        for other in boxes[:place]:
            assert (
                min(box.x1, other.x1) - max(box.x0, other.x0) < 1
                or min(box.y1, other.y1) - max(box.y0, other.y0) < 1
            )


@pytest.mark.parametrize("suffix", [".png", ".svg", ".PDF"])
def test_the_file_is_whole_and_always_the_same(recognition: Recognition, tmp_path: Path, suffix: str) -> None:
    file = tmp_path / "new folder" / f"answer{suffix}"
    save_answer(recognition, file)
    first = file.read_bytes()
    save_answer(recognition, file)
    assert file.read_bytes() == first or suffix == ".svg"
    assert [path.name for path in file.parent.iterdir()] == [file.name]
    if suffix == ".png":
        height, width, _ = matplotlib.image.imread(file).shape
        assert width > 1000 and height > 300
    else:
        assert first.startswith(b"<?xml" if suffix == ".svg" else b"%PDF")


def test_another_suffix_is_refused_and_nothing_is_left(recognition: Recognition, tmp_path: Path) -> None:
    for name in ("answer.jpg", "answer"):
        with pytest.raises(BadInput, match=r"\.png, \.svg or \.pdf"):
            save_answer(recognition, tmp_path / name)
    (tmp_path / "taken.png").mkdir()
    with pytest.raises(OSError):
        save_answer(recognition, tmp_path / "taken.png")
    assert [path.name for path in tmp_path.iterdir()] == ["taken.png"]
