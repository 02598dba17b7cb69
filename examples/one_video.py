"""Recognise the micro-expression in one video and plot the class scores over time.

The video is SYNTHETIC: `learnet` renders a person who does not exist and who shows surprise once. The weights
ship with `learnet` and were trained on simulated movements alone.

    python examples/one_video.py [PICTURE.png]
"""

import sys
import tempfile
from pathlib import Path

from matplotlib.figure import Figure

from learnet import Recogniser, Windows
from learnet.datasets.synthetic.databases import synthetic_video
from learnet.training.pretrained import pretrained_weights


def main(picture: Path) -> None:
    """Render a video, recognise it window by window, and plot the scores."""
    with tempfile.TemporaryDirectory() as folder:
        truth = synthetic_video(Path(folder) / "video.mp4", seed=7, emotion="surprise", duration_s=2.0)
        recogniser = Recogniser.load(pretrained_weights("ststnet", "flow", 28))
        recognition = recogniser(truth.path, Windows(window_s=0.5, overlap=0.8))

    strongest = recognition.strongest
    print(f"shown: {truth.emotion}; recognised: {strongest.label} with score {strongest.score:.2f}")
    print(f"at {strongest.start_s:.2f} to {strongest.end_s:.2f} s of {recognition.duration_s:.2f} s")

    answers = [answer for answer in recognition.predictions if answer.label is not None]
    centres_s = [(answer.start_s + answer.end_s) / 2 for answer in answers]
    figure = Figure(figsize=(7.5, 3.2), layout="constrained")
    axes = figure.subplots()
    axes.axvspan(
        truth.onset / truth.fps, truth.offset / truth.fps, color="0.88", label="onset to offset (truth)"
    )
    for name, style in zip(recognition.metadata.classes, ("-", "--", "-.", ":"), strict=True):
        axes.plot(centres_s, [answer.scores[name] for answer in answers], style, marker="o", label=name)
    axes.set(xlabel="centre of the window (s)", ylabel="score", ylim=(0, 1))
    axes.set_title("SYNTHETIC video of one surprise", size=11)
    axes.legend(loc="center left", bbox_to_anchor=(1, 0.5), frameon=False)
    figure.savefig(picture, dpi=100)


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "one_video.png"))
