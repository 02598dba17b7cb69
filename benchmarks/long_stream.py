"""Do memory and time per frame of `learnet live` depend on the length of the stream? An hour at 200 frames a
second.

    python benchmarks/long_stream.py [--minutes MINUTES] [--part-minutes MINUTES] [--out FILE]

A synthetic film of ten seconds, 640 x 480 pixels, h264, is decoded again and again, with time stamps that go
on. It shows a blink, three micro-expressions and a turn of the head. Each event is recognised from its own
frames. For each part of the stream, ten minutes by default: seconds that it took, also of the processor,
resident memory, what is kept, and events. Written to benchmarks/results/long_stream.json.
"""

import argparse
import json
import os
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import measure

from learnet.datasets.synthetic.films import synthetic_film
from learnet.inference.live import LiveEvent, LiveSpotter
from learnet.inference.read_ahead import ReadAhead, SingleThreadLibraries
from learnet.inference.recogniser import Recogniser
from learnet.simulation.render import Camera
from learnet.video.base import Frame, Video
from learnet.video.reader import open_video

FPS = 200.0
CAMERA = Camera(480, 640, FPS, 200.0)
READ_AHEAD = 16  # frames


class Repeated(Video):
    """A video that is played again and again, up to a number of frames."""

    def __init__(self, video: Video, frames: int) -> None:
        super().__init__(video.info, (None, None), [])
        self.video = video
        self.frames = frames

    def _frames(self) -> Iterator[Frame]:
        number = 0
        while True:
            for frame in self.video:
                yield replace(frame, number=number, time_s=number / FPS)
                number += 1
                if number == self.frames:
                    return


def resident_mb() -> float:
    """Return the memory of this process (Linux)."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


def spot_parts(video: Video, frames: int, part_frames: int) -> Iterator[dict[str, object]]:
    """Yield what each part of the stream took.

    Args:
        video: that is repeated.
        frames: number of them in the whole stream.
        part_frames: number of them in a part.
    """
    spotter = LiveSpotter(Recogniser.load(), FPS)
    reader = ReadAhead(
        Repeated(video, frames), capacity=READ_AHEAD, skips=False, records_arrival=False, pace=False
    )
    kinds: Counter[str] = Counter()
    start_s, start_cpu_s = time.perf_counter(), time.process_time()
    count = 0
    while (arrival := reader.take()) is not None:
        count += 1
        for result in spotter.add(arrival[0]):
            kinds[result.event.kind if isinstance(result, LiveEvent) else "unjudged"] += 1
        if count % part_frames and count != frames:
            continue
        done = (count - 1) % part_frames + 1
        seconds, cpu_s = time.perf_counter() - start_s, time.process_time() - start_cpu_s
        yield {
            "minutes": round(count / FPS / 60, 2),
            "frames a second": round(done / seconds, 1),
            "processor, ms a frame": round(1000 * cpu_s / done, 3),
            "resident MB": round(resident_mb(), 1),
            "frames kept": spotter.buffer.kept,
            "MB of them": round(spotter.buffer.bytes / 1e6, 1),
            "samples and times kept": spotter.spotter.kept,
            "found": dict(sorted(kinds.items())),
        }
        kinds.clear()
        start_s, start_cpu_s = time.perf_counter(), time.process_time()
    reader.close()


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--part-minutes", type=float, default=10.0)
    parser.add_argument("--out", type=Path, default=measure.RESULTS / "long_stream.json")
    options = parser.parse_args()
    frames = round(options.minutes * 60 * FPS)
    part_frames = round(options.part_minutes * 60 * FPS)
    report = {"synthetic": True, **measure.machine(), "frames": frames, "size": [640, 480], "parts": []}
    with tempfile.TemporaryDirectory() as folder:
        film = synthetic_film(Path(folder) / "film.mp4", 1, CAMERA)
        threads = SingleThreadLibraries()
        with open_video(film.path) as video:
            for part in spot_parts(video, frames, part_frames):
                report["parts"].append(part)
                print(part, flush=True)
                options.out.write_text(json.dumps(report, indent=1) + "\n")
        threads.restore()


if __name__ == "__main__":
    main()
