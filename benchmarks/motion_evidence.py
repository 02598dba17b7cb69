"""How often films are judged to show a movement of the skin: films that show none, and micro-expressions.

All films are simulated (640 x 480, 100 frames per second, 56 frames). The limits in `learnet.motion.evidence`
were set on films made in the same way with other seeds.

    python benchmarks/motion_evidence.py [PEOPLE]
"""

import json
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import replace

import cv2
import numpy as np
from measure import RESULTS
from uncertain_margin import CAMERA, FRAMES, as_h264, as_jpeg

from learnet.face import align, face_finder
from learnet.motion.evidence import motion_evidence
from learnet.simulation.movement import Timing
from learnet.simulation.render import render
from learnet.simulation.scenes import MAIN_EMOTIONS, NO_EMOTION, Scene, centre_expression, make_scene

PEOPLE = 10
SEED = 9000
FINDER = face_finder("auto")
BLINK = Timing(0.12, 0.19, 0.36)
Make = Callable[[np.ndarray, np.random.Generator], np.ndarray]


def scene(person: int, emotion: str, *blinks: Timing) -> Scene:
    planned = centre_expression(make_scene(SEED + person, person, 1, emotion, CAMERA), FRAMES)
    conditions = replace(planned.recording.conditions, blinks=blinks)
    return replace(planned, recording=replace(planned.recording, conditions=conditions))


def film(person: int, emotion: str, *blinks: Timing) -> np.ndarray:
    return np.stack(list(render(scene(person, emotion, *blinks).recording)))


def still(photograph: np.ndarray) -> np.ndarray:
    return np.repeat(photograph[None], FRAMES, axis=0)


def noisy(photograph: np.ndarray, rng: np.random.Generator, sd: float) -> np.ndarray:
    noise = rng.normal(0, sd, (FRAMES, *photograph.shape))
    return np.clip(np.rint(photograph + noise), 0, 255).astype(np.uint8)


def warped(photograph: np.ndarray, matrices: list[np.ndarray]) -> np.ndarray:
    size = photograph.shape[1::-1]
    frames = []
    for matrix in matrices:
        frames.append(
            cv2.warpAffine(photograph, matrix, size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
        )
    return np.stack(frames)


def pan(photograph: np.ndarray, px: float) -> np.ndarray:
    return warped(photograph, [np.float32([[1, 0, px * t], [0, 1, px * t / 3]]) for t in range(FRAMES)])


def zoom(photograph: np.ndarray, rate: float) -> np.ndarray:
    centre = (photograph.shape[1] / 2, photograph.shape[0] / 2)
    return warped(photograph, [cv2.getRotationMatrix2D(centre, 0, (1 + rate) ** t) for t in range(FRAMES)])


def flicker(photograph: np.ndarray, amplitude: float) -> np.ndarray:
    gains = 1 + amplitude * np.sin(2 * np.pi * 7 * np.arange(FRAMES) / CAMERA.fps)
    return np.clip(np.rint(photograph * gains[:, None, None, None]), 0, 255).astype(np.uint8)


FROM_PHOTOGRAPH: dict[str, Make] = {
    "photograph": lambda photo, rng: still(photo),
    "sensor noise, 2 grey levels": lambda photo, rng: noisy(photo, rng, 2),
    "sensor noise, 8 grey levels": lambda photo, rng: noisy(photo, rng, 8),
    "noise 3, JPEG 75": lambda photo, rng: as_jpeg(noisy(photo, rng, 3), 75),
    "noise 3, H.264 crf 18": lambda photo, rng: as_h264(noisy(photo, rng, 3), 18),
    "noise 3, H.264 crf 28": lambda photo, rng: as_h264(noisy(photo, rng, 3), 28),
    "noise 3, H.264 crf 38": lambda photo, rng: as_h264(noisy(photo, rng, 3), 38),
    "pan, 0.1 pixels a frame": lambda photo, rng: pan(photo, 0.1),
    "pan, 1 pixel a frame": lambda photo, rng: pan(photo, 1.0),
    "zoom, 0.2 % a frame": lambda photo, rng: zoom(photo, 0.002),
    "flicker, 2 %": lambda photo, rng: flicker(photo, 0.02),
    "flicker, 10 %": lambda photo, rng: flicker(photo, 0.1),
}


def judged(frames: np.ndarray) -> str:
    evidence = motion_evidence(list(frames), align(frames, FINDER), None)
    return evidence.obstacle or evidence.why_none or "the skin moves"


def main() -> None:
    people = int(sys.argv[1]) if len(sys.argv) > 1 else PEOPLE
    rng = np.random.default_rng(0)
    answers: dict[str, Counter[str]] = {}
    for person in range(1, people + 1):
        photograph = film(person, NO_EMOTION)[0]
        films = {name: make(photograph, rng) for name, make in FROM_PHOTOGRAPH.items()}
        films["resting face, head drifts"] = film(person, NO_EMOTION)
        films["resting face, blink"] = film(person, NO_EMOTION, BLINK)
        for emotion in MAIN_EMOTIONS:
            films[f"micro-expression: {emotion}"] = film(person, emotion)
        for name, frames in films.items():
            answers.setdefault(name, Counter())[judged(frames)] += 1
        print(f"{person} of {people} people", file=sys.stderr)
    report = {"people": people, "synthetic": True, "answers": answers}
    print(json.dumps(report, indent=1))
    (RESULTS / "motion_evidence.json").write_text(json.dumps(report, indent=1) + "\n")


if __name__ == "__main__":
    main()
