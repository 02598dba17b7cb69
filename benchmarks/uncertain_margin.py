"""How much codecs change the answer: the margin below which two classes are called uncertain.

Each simulated film of one micro-expression (100 frames per second, 640 x 480) is stored in several ways. For
each pair of ways, the difference of the two classes that lead in the first way is compared. Also printed:
how many labels change between two ways, and how many still do if closer answers are `uncertain`.

    python benchmarks/uncertain_margin.py [FILMS]
"""

import io
import json
import sys
from itertools import combinations
from pathlib import Path

import av
import cv2
import numpy as np
from measure import RESULTS

from learnet.inference.decision import UNCERTAIN_MARGIN, judge_motion
from learnet.inference.recogniser import Recogniser
from learnet.motion.detrend import StoredImages
from learnet.motion.evidence import motion_evidence
from learnet.motion.pipeline import make_image
from learnet.simulation.render import Camera, render
from learnet.simulation.scenes import MAIN_EMOTIONS, centre_expression, make_scene

FILMS = 60
SEED = 7000  # of films that were used for nothing else
NETWORKS = ("ststnet-flow-28", "learnet-flow-28")
CAMERA = Camera(fps=100.0)
FRAMES = 56
MARGINS = (0.0, 0.05, 0.1, 0.15, 0.2)


def film(number: int) -> np.ndarray:
    emotion = MAIN_EMOTIONS[number % len(MAIN_EMOTIONS)]
    scene = centre_expression(make_scene(SEED + number, number + 1, 1, emotion, CAMERA), FRAMES)
    return np.stack(list(render(scene.recording)))


def as_h264(frames: np.ndarray, crf: int) -> np.ndarray:
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=100)
        stream.height, stream.width = frames.shape[1:3]
        stream.pix_fmt = "yuv420p"
        stream.options = {"crf": str(crf)}
        for frame in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        container.mux(stream.encode())
    buffer.seek(0)
    with av.open(buffer) as container:
        return np.stack([frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)])


def as_jpeg(frames: np.ndarray, quality: int) -> np.ndarray:
    decoded = []
    for frame in frames:
        _, content = cv2.imencode(".jpg", frame, [cv2.IMWRITE_JPEG_QUALITY, quality])
        decoded.append(cv2.imdecode(content, cv2.IMREAD_COLOR))
    return np.stack(decoded)


STORAGE = {
    "as rendered": lambda frames: frames,
    "JPEG 95": lambda frames: as_jpeg(frames, 95),
    "JPEG 75": lambda frames: as_jpeg(frames, 75),
    "H.264 crf 18": lambda frames: as_h264(frames, 18),
    "H.264 crf 23": lambda frames: as_h264(frames, 23),
    "H.264 crf 28": lambda frames: as_h264(frames, 28),
}


def scores(recogniser: Recogniser, frames: np.ndarray) -> np.ndarray | None:
    """Return the probabilities of the classes; None where nothing moves or nothing can be judged."""
    result = make_image(frames, recogniser.metadata.preparation, recogniser.finder)
    if judge_motion(motion_evidence(frames, result.aligned, result.apex)):
        return None
    return recogniser.scorer.scores(StoredImages(result.image[None]))[0]


def compare(answers: list[dict[str, np.ndarray]]) -> dict[str, object]:
    """Compare all pairs of ways to store a film."""
    changes, flips = [], dict.fromkeys(MARGINS, 0)
    pairs = 0
    for by_storage in answers:
        for first, second in combinations(by_storage.values(), 2):
            pairs += 1
            best, runner_up = np.argsort(first)[::-1][:2]
            changes.append(abs((first[best] - first[runner_up]) - (second[best] - second[runner_up])))
            gaps = [np.diff(np.sort(row)[-2:])[0] for row in (first, second)]
            for margin in MARGINS:
                flips[margin] += first.argmax() != second.argmax() and min(gaps) >= margin
    quantiles = {str(q): round(float(np.quantile(changes, q)), 3) for q in (0.5, 0.75, 0.9, 0.95)}
    shares = {str(margin): round(count / pairs, 4) for margin, count in flips.items()}
    return {"pairs": pairs, "change of the difference": quantiles, "labels that differ, by margin": shares}


def main() -> None:
    films = int(sys.argv[1]) if len(sys.argv) > 1 else FILMS
    recognisers = {name: Recogniser.load(Path(name)) for name in NETWORKS}
    answers: dict[str, list[dict[str, np.ndarray]]] = {name: [] for name in NETWORKS}
    for number in range(films):
        frames = film(number)
        stored = {storage: convert(frames) for storage, convert in STORAGE.items()}
        for name, recogniser in recognisers.items():
            rows = {storage: scores(recogniser, pixels) for storage, pixels in stored.items()}
            answers[name].append({storage: row for storage, row in rows.items() if row is not None})
    results = {name: compare(rows) for name, rows in answers.items()}
    report = {"films": films, "margin": UNCERTAIN_MARGIN, "synthetic": True, **results}
    print(json.dumps(report, indent=1))
    (RESULTS / "uncertain_margin.json").write_text(json.dumps(report, indent=1) + "\n")


if __name__ == "__main__":
    main()
