"""Recognise the micro-expression in one video and draw its timeline.

The video is SYNTHETIC: `learnet` renders a person who does not exist and who shows surprise once. The weights
ship with `learnet` and were trained on simulated movements alone.

    python examples/one_video.py [PICTURE.png]
"""

import sys
import tempfile
from dataclasses import replace
from pathlib import Path

from learnet import Windows, predict
from learnet.datasets.synthetic.databases import synthetic_video
from learnet.inference.recognition import timeline
from learnet.inference.timeline import Span, timeline_figure


def main(picture: Path) -> None:
    """Render a video, recognise it window by window, and draw what was shown and what was found."""
    with tempfile.TemporaryDirectory() as folder:
        truth = synthetic_video(Path(folder) / "video.mp4", seed=7, emotion="surprise", duration_s=2.0)
        recognition = predict(truth.path, windows=Windows(window_s=0.5, overlap=0.8))

    print(f"shown: {truth.emotion} from {truth.onset / truth.fps:.2f} to {truth.offset / truth.fps:.2f} s")
    for event in recognition.events:
        print(f"recognised: {event.label} with score {event.score:.2f}", end=" ")
        print(f"from {event.onset_s:.2f} to {event.offset_s:.2f} s")

    shown = Span(truth.onset / truth.fps, truth.offset / truth.fps, truth.emotion)
    title = "SYNTHETIC video of one surprise"
    figure = timeline_figure(replace(timeline(recognition), truth=[shown], title=title))
    figure.savefig(picture, dpi=100)


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "one_video.png"))
