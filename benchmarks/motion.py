"""Measure the error of the detected apex and the cost of each motion image, on synthetic faces.

    python benchmarks/motion.py

It writes `benchmarks/results/<date>-<commit>-motion.json`. There are 60 clips at each frame rate, onset to
offset, with seeds 4000 to 4059, on which no constant was chosen: drifting heads, flickering light, a noisy
sensor, blinks in some. The apex is predicted by `find_apex`, by the middle frame, and by the frame that
differs most from the first. The costs are CPU milliseconds for one clip of 112 pixels on one thread, the
median of rounds in which the functions take turns.
"""

import statistics
import time
from collections.abc import Callable
from functools import partial

import cv2
import measure
import numpy as np
from threadpoolctl import threadpool_limits

from learnet.core.parallel import parallel_map
from learnet.face import align, face_finder
from learnet.motion import MOTION_IMAGES
from learnet.motion.apex import find_apex
from learnet.motion.flow import flow_dis, remove_global_motion
from learnet.motion.magnify import magnify_motion
from learnet.motion.pipeline import EYE_POSITIONS
from learnet.simulation.render import Camera, render
from learnet.simulation.scenes import MAIN_EMOTIONS, make_scene

FRAME_RATES = (200.0, 100.0, 30.0)  # frames per second
FIRST_SEED = 4000

# Targets: error relative to that of the middle frame; speed of flow-dis relative to flow-tvl1.
MAX_RELATIVE_ERROR = 0.5
MIN_SPEEDUP = 5.0


def clip(seed: int, fps: float) -> tuple[np.ndarray, int, bool]:
    """Return crops from onset to offset, the position of the apex, and whether the recording has a blink."""
    cv2.setNumThreads(1)
    emotion = MAIN_EMOTIONS[seed % len(MAIN_EMOTIONS)]
    scene = make_scene(seed, 1, 1, emotion, Camera(fps=fps))
    numbers = range(scene.onset - 1, scene.offset)
    frames = np.stack(list(render(scene.recording, numbers)))
    crops = align(frames, face_finder("haar"), 112).crops(frames)
    return crops, scene.apex - scene.onset, bool(scene.recording.conditions.blinks)


def apex_errors(seed: int, fps: float) -> dict[str, float]:
    """Return the error of each prediction of the apex in frames."""
    crops, apex, has_blink = clip(seed, fps)
    differences = np.abs(crops.astype(float) - crops[0]).mean(axis=(1, 2, 3))
    predictions = {
        "found": find_apex(crops, EYE_POSITIONS),
        "found, eyes not known": find_apex(crops),
        "middle frame": (len(crops) - 1) // 2,
        "differs most from the first": int(differences.argmax()),
    }
    errors: dict[str, float] = {name: abs(position - apex) for name, position in predictions.items()}
    return errors | {"frames": len(crops), "blink": has_blink}


def summarise_errors(fps: float, clips: int) -> dict[str, object]:
    """Return statistics of the errors over all clips at a frame rate."""
    seeds = range(FIRST_SEED, FIRST_SEED + clips)
    table = list(parallel_map(partial(apex_errors, fps=fps), seeds, -1))
    mean_frames = statistics.mean(row["frames"] for row in table)
    summary: dict[str, object] = {"clips": clips, "frames in a clip": round(mean_frames, 1)}
    for name in table[0]:
        if name in ("frames", "blink"):
            continue
        errors = [row[name] for row in table]
        errors_with_blink = [row[name] for row in table if row["blink"]]
        shares = [row[name] / row["frames"] for row in table]
        summary[name] = {
            "mean": round(statistics.mean(errors), 2),
            "median": statistics.median(errors),
            "90 %": float(np.quantile(errors, 0.9)),
            "share of the clip": round(statistics.mean(shares), 3),
            "mean where the eyes blink": (
                round(statistics.mean(errors_with_blink), 2) if errors_with_blink else None
            ),
        }
    return summary


def costs(rounds: int) -> dict[str, float]:
    """Return CPU milliseconds of each function for a clip of about 60 frames."""
    crops, apex, _ = clip(FIRST_SEED, 200.0)
    flow = flow_dis(crops[0], crops[apex])
    functions: dict[str, Callable[[], object]] = {}
    for name, kind in MOTION_IMAGES.items():
        functions[name] = partial(kind.compute, crops, apex)
    functions["find the apex"] = partial(find_apex, crops, EYE_POSITIONS)
    functions["magnify"] = partial(magnify_motion, crops, 4.0, 200.0)
    functions["remove head motion from flow"] = partial(remove_global_motion, flow)
    times_ms: dict[str, list[float]] = {name: [] for name in functions}
    for turn in range(rounds + 1):
        for name, function in functions.items():
            start = time.process_time()
            function()
            if turn:  # the first round does not count
                times_ms[name].append(1e3 * (time.process_time() - start))
    medians = {name: round(statistics.median(times), 2) for name, times in times_ms.items()}
    return {"frames": len(crops), **medians}


def rows(errors: dict[str, dict], cost: dict[str, float]) -> list[measure.Row]:
    """Return the table."""
    table = []
    for rate, summary in errors.items():
        relative_error = summary["found"]["mean"] / summary["middle frame"]["mean"]
        table.append(
            measure.Row(
                f"error of the found apex, {rate}",
                "error of the middle frame",
                relative_error,
                MAX_RELATIVE_ERROR,
                smaller_is_better=True,
            )
        )
    speedup = cost["flow-tvl1"] / cost["flow-dis"]
    table.append(measure.Row("flow-dis, onset to apex, 112 pixels", "flow-tvl1", speedup, MIN_SPEEDUP))
    return table


def main() -> None:
    parser = measure.options(__doc__, rounds=9)
    parser.add_argument("--clips", type=int, default=60, help="clips at each frame rate")
    options = parser.parse_args()
    machine = measure.machine()
    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)
    with threadpool_limits(1):
        cost = costs(options.rounds)
    cv2.setNumThreads(threads)
    errors = {}
    for fps in FRAME_RATES:
        errors[f"{fps:g} frames per second"] = summarise_errors(fps, options.clips)
    details = {"rounds": options.rounds, "apex, frames off": errors, "CPU ms a clip": cost}
    measure.save("motion", options.out, machine, rows(errors, cost), details)


if __name__ == "__main__":
    main()
