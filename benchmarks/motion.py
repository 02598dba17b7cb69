"""How near is the found apex to the true one, and what does each motion image cost? Synthetic faces, whose
apexes are in their script.

    python benchmarks/motion.py            # writes benchmarks/results/<date>-<commit>-motion.json

60 clips at each frame rate, onset to offset, seeds 4000 to 4059, on none of which a constant was chosen:
drifting heads, flickering light, a noisy sensor, a blink in some. Three ways to say where the apex is:
`find_apex`, the middle frame, and the frame that differs most from the first. Then CPU milliseconds for one
clip of 112 pixels on one thread, the median of rounds in which the ways take turns."""

import statistics
import time
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

RATES = (200.0, 100.0, 30.0)  # frames per second
FIRST = 4000
WANTED, FASTER = 0.5, 5.0  # of the middle frame's error; flow-dis against flow-tvl1


def clip(seed: int, fps: float) -> tuple[np.ndarray, int, bool]:
    """Crops from onset to offset, the position of the apex, and whether the eyes blink somewhere in the
    recording."""
    cv2.setNumThreads(1)
    scene = make_scene(seed, 1, 1, MAIN_EMOTIONS[seed % len(MAIN_EMOTIONS)], Camera(fps=fps))
    frames = np.stack(list(render(scene.recording, range(scene.onset - 1, scene.offset))))
    return (
        align(frames, face_finder("haar"), 112).crops(frames),
        scene.apex - scene.onset,
        bool(scene.recording.conditions.blinks),
    )


def missed(seed: int, fps: float) -> dict[str, float]:
    """Frames by which each way misses the apex."""
    crops, apex, blinks = clip(seed, fps)
    differs = np.abs(crops.astype(float) - crops[0]).mean(axis=(1, 2, 3))
    said = {
        "found": find_apex(crops, EYE_POSITIONS),
        "found, eyes not known": find_apex(crops),
        "middle frame": (len(crops) - 1) // 2,
        "differs most from the first": int(differs.argmax()),
    }
    return {**{way: abs(place - apex) for way, place in said.items()}, "frames": len(crops), "blink": blinks}


def errors(fps: float, clips: int) -> dict[str, object]:
    table = list(parallel_map(partial(missed, fps=fps), range(FIRST, FIRST + clips), -1))
    ways = [way for way in table[0] if way not in ("frames", "blink")]
    said: dict[str, object] = {
        "clips": clips,
        "frames in a clip": round(statistics.mean(row["frames"] for row in table), 1),
    }
    for way in ways:
        off, blinks = [row[way] for row in table], [row[way] for row in table if row["blink"]]
        said[way] = {
            "mean": round(statistics.mean(off), 2),
            "median": statistics.median(off),
            "90 %": float(np.quantile(off, 0.9)),
            "share of the clip": round(statistics.mean(row[way] / row["frames"] for row in table), 3),
            "mean where the eyes blink": round(statistics.mean(blinks), 2) if blinks else None,
        }
    return said


def costs(rounds: int) -> dict[str, float]:
    """CPU milliseconds for a clip of some 60 frames."""
    crops, apex, _ = clip(FIRST, 200.0)
    flow = flow_dis(crops[0], crops[apex])
    ways = {name: partial(kind.compute, crops, apex) for name, kind in MOTION_IMAGES.items()}
    ways |= {
        "find the apex": partial(find_apex, crops, EYE_POSITIONS),
        "magnify": partial(magnify_motion, crops, 4.0, 200.0),
    }
    ways |= {"remove head motion from flow": partial(remove_global_motion, flow)}
    spent: dict[str, list[float]] = {name: [] for name in ways}
    for turn in range(rounds + 1):
        for name, way in ways.items():
            start = time.process_time()
            way()
            if turn:
                spent[name].append(1e3 * (time.process_time() - start))
    return {"frames": len(crops), **{name: round(statistics.median(each), 2) for name, each in spent.items()}}


def main() -> None:
    parser = measure.options(__doc__, rounds=9)
    parser.add_argument("--clips", type=int, default=60, help="clips at each frame rate")
    chosen = parser.parse_args()
    about = measure.machine()
    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)
    with threadpool_limits(1):
        cost = costs(chosen.rounds)
    cv2.setNumThreads(threads)
    found = {f"{fps:g} frames per second": errors(fps, chosen.clips) for fps in RATES}
    rows = [
        measure.Row(f"error of the found apex, {rate}", "error of the middle frame",
                    said["found"]["mean"] / said["middle frame"]["mean"], WANTED, smaller_is_better=True)
        for rate, said in found.items()
    ]  # fmt: skip
    rows.append(
        measure.Row(
            "flow-dis, onset to apex, 112 pixels", "flow-tvl1", cost["flow-tvl1"] / cost["flow-dis"], FASTER
        )
    )
    measure.save(
        "motion",
        chosen.out,
        about,
        rows,
        {"rounds": chosen.rounds, "apex, frames off": found, "CPU ms a clip": cost},
    )


if __name__ == "__main__":
    main()
