"""How well movements are spotted in long synthetic films, and what is spotted where there is nothing to find.

    python benchmarks/spotting.py [FILMS] [--first SEED] [--jobs JOBS]

Each film lasts one minute and shows one synthetic person with micro- and macro-expressions, blinks, speech,
head turns, small movements of the head and flickering light (`learnet.simulation.long_film`), 320 x 240
pixels, with each of four frame rates and three levels of noise in turn. The thresholds in
`learnet.inference.spotting` were set on films of seeds 5000 to 5016, which are not among these.

An event is right if it has the type of an expression and overlaps with it by IoU >= 0.5, frames counted
inclusively, one to one. The controls are a still photograph in front of a camera that pans, a face that only
blinks, and, where it is there, a real film of a woman who talks and turns (../shared/real). Written to
benchmarks/results/spotting.json.
"""

import argparse
import json
import statistics
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
from measure import RESULTS

from learnet.core.parallel import parallel_map
from learnet.core.records import MICRO_MAX_S, Event
from learnet.face import face_finder
from learnet.inference.spotting import Spotting, spot, spot_video
from learnet.simulation.film import BLINK, EXPRESSION, MACRO, FilmPart
from learnet.simulation.long_film import plan_long_film
from learnet.simulation.render import Camera, render
from learnet.video.base import Frame
from learnet.video.reader import open_video

FILMS = 32
RATES = (30.0, 60.0, 100.0, 200.0)  # frames a second
NOISES = (0.8, 2.0, 4.0)  # standard deviation, grey levels
SIZE = (240, 320)
FACE_PX = 125.0
DURATION_S = 60.0
MIN_IOU = 0.5
CONTROL_FRAMES = 600
REAL_FILM = Path(__file__).parents[2] / "shared" / "real" / "face_pexels.mp4"

FINDER = "auto"


@dataclass(frozen=True)
class Interval:
    kind: str  # "micro", "macro" or "blink"
    onset: int
    offset: int


@dataclass(frozen=True)
class Outcome:
    """What was spotted in one film."""

    seed: int
    fps: float
    noise: float
    counts: dict[str, list[int]]  # kind -> right, false, missed
    onset_errors_ms: list[float]
    unjudged_s: float


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("films", type=int, nargs="?", default=FILMS)
    parser.add_argument("--first", type=int, default=0, help="seed of the first film")
    parser.add_argument("--jobs", type=int, default=-1)
    parser.add_argument("--out", type=Path, default=RESULTS / "spotting.json")
    options = parser.parse_args()
    seeds = range(options.first, options.first + options.films)
    outcomes = []
    for outcome in parallel_map(film_outcome, seeds, options.jobs):
        outcomes.append(outcome)
        print(outcome, flush=True)
    report = {
        "synthetic": True,
        "films": len(outcomes),
        "all": summary(outcomes),
        **{f"{fps:g} frames a second": summary([o for o in outcomes if o.fps == fps]) for fps in RATES},
        **{f"noise {noise:g}": summary([o for o in outcomes if o.noise == noise]) for noise in NOISES},
        "nothing to find": dict(controls()),
    }
    options.out.write_text(json.dumps(report, indent=1) + "\n")
    print(json.dumps(report, indent=1))


def film_outcome(seed: int) -> Outcome:
    """Spot the movements of one film and compare them with the truth."""
    fps = RATES[seed % len(RATES)]
    noise = NOISES[seed % len(NOISES)]
    plan = plan_long_film(seed, Camera(*SIZE, fps, FACE_PX), DURATION_S, noise)
    spotting = spot(numbered(render(plan.recording), fps), face_finder(FINDER))
    truth = [interval for part in plan.parts if (interval := true_interval(part, fps))]
    spotted = [Interval(event.kind, event.onset, event.offset) for event in spotting.events]
    counts = {}
    errors_ms = []
    for kind in ("micro", "macro", "blink"):
        true = [interval for interval in truth if interval.kind == kind]
        found = [interval for interval in spotted if interval.kind == kind]
        pairs = match(true, found)
        counts[kind] = [len(pairs), len(found) - len(pairs), len(true) - len(pairs)]
        if kind != "blink":
            errors_ms += [1000 * (right.onset - shown.onset) / fps for shown, right in pairs]
    unjudged_s = sum(stretch.end_s - stretch.start_s for stretch in spotting.unjudged)
    return Outcome(seed, fps, noise, counts, errors_ms, unjudged_s)


def numbered(frames: Iterator[np.ndarray], fps: float) -> Iterator[Frame]:
    for number, pixels in enumerate(frames):
        yield Frame(number, number / fps, pixels)


def true_interval(part: FilmPart, fps: float) -> Interval | None:
    if part.kind == BLINK:
        return Interval("blink", part.onset, part.offset)
    if part.kind not in (EXPRESSION, MACRO):
        return None
    is_micro = (part.offset - part.onset) / fps <= MICRO_MAX_S
    return Interval("micro" if is_micro else "macro", part.onset, part.offset)


def match(true: list[Interval], found: list[Interval]) -> list[tuple[Interval, Interval]]:
    """Pair intervals one to one, those that overlap most first."""
    overlaps = [(iou(shown, right), shown, right) for shown in true for right in found]
    overlaps.sort(key=lambda overlap: -overlap[0])
    pairs: list[tuple[Interval, Interval]] = []
    for overlap, shown, right in overlaps:
        is_free = all(shown is not pair[0] and right is not pair[1] for pair in pairs)
        if overlap >= MIN_IOU and is_free:
            pairs.append((shown, right))
    return pairs


def iou(a: Interval, b: Interval) -> float:
    common = min(a.offset, b.offset) - max(a.onset, b.onset) + 1
    together = max(a.offset, b.offset) - min(a.onset, b.onset) + 1
    return max(common, 0) / together


def summary(outcomes: list[Outcome]) -> dict[str, object]:
    """Pool the counts of films, then score."""
    counts: dict[str, Counter[int]] = {}
    for outcome in outcomes:
        for kind, values in outcome.counts.items():
            counts.setdefault(kind, Counter()).update(dict(enumerate(values)))
    totals = {kind: [counter[index] for index in range(3)] for kind, counter in counts.items()}
    overall = [totals["micro"][index] + totals["macro"][index] for index in range(3)]
    errors_ms = [error for outcome in outcomes for error in outcome.onset_errors_ms]
    minutes = len(outcomes) * DURATION_S / 60
    return {
        "F1 overall": f1(overall),
        **{f"F1 {kind}": f1(values) for kind, values in totals.items()},
        "right, false, missed": totals,
        "false events a minute": round(overall[1] / minutes, 2),
        "median onset error, ms": round(statistics.median(map(abs, errors_ms)), 1),
        "unjudged, share": round(sum(o.unjudged_s for o in outcomes) / (60 * minutes), 3),
    }


def f1(counts: list[int]) -> float:
    right, false, missed = counts
    return round(2 * right / max(2 * right + false + missed, 1), 3)


def controls() -> Iterator[tuple[str, object]]:
    """Yield what is spotted where nothing is to be found, or only blinks."""
    plan = plan_long_film(9000, Camera(*SIZE, 60.0, FACE_PX), CONTROL_FRAMES / 60)
    still = next(render(plan.recording, [0]))
    finder = face_finder(FINDER)
    for speed in (0.1, 1.0):
        frames = numbered(panned(still, speed), 60.0)
        yield f"still face, camera pans {speed:g} pixels a frame", listed(spot(frames, finder))
    conditions = replace(plan.recording.conditions, light_flickers=())
    blinking = replace(plan.recording, episodes=(), conditions=conditions)
    yield "only blinks and small head movements", listed(spot(numbered(render(blinking), 60.0), finder))
    if REAL_FILM.exists():
        with open_video(REAL_FILM) as video:
            yield "real film of a woman who talks and turns", listed(spot_video(video, finder))


def panned(still: np.ndarray, speed: float) -> Iterator[np.ndarray]:
    """Yield the photograph as a camera sees it that pans there and back, with sensor noise."""
    rng = np.random.default_rng(0)
    furthest = 40.0
    for number in range(CONTROL_FRAMES):
        phase = (speed * number) % (2 * furthest)
        shift = min(phase, 2 * furthest - phase)
        matrix = np.array([[1, 0, shift], [0, 1, shift / 3]])
        moved = cv2.warpAffine(
            still, matrix, still.shape[1::-1], flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
        )
        noisy = moved + rng.normal(0, NOISES[1], still.shape)
        yield np.clip(np.rint(noisy), 0, 255).astype(np.uint8)


def listed(spotting: Spotting) -> dict[str, object]:
    events = [described(event) for event in spotting.events]
    unjudged = [
        f"{stretch.start_s:.2f} to {stretch.end_s:.2f} s: {stretch.reason}" for stretch in spotting.unjudged
    ]
    return {"events": events, "unjudged": unjudged}


def described(event: Event) -> str:
    return f"{event.kind} {event.onset_s:.2f} to {event.offset_s:.2f} s: {', '.join(event.regions)}"


if __name__ == "__main__":
    main()
