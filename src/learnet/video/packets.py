"""The time stamps and the extent of a video file, by its packets: they are read without being decoded.

Headers may be wrong. A browser states the tick of its clock as the frame rate, an edit list hides pictures
that the header counts, and a damaged file has fewer than it announces. So the packets decide, as far as they
can.
"""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import av
import av.container
import numpy as np
from jaxtyping import Float64, Int64

from learnet.video.file_end import FileEnd, file_end, mp4_data_bytes
from learnet.video.picture_numbers import PictureNumbers

# Formats whose header states a measured duration, and by how much writers exceed it.
DURATION_TOLERANCE_S = {"matroska,webm": 0.0, "asf": 0.15, "flv": 0.15}

AVI, MXF = "avi", "mxf"  # as libav calls the formats

ENDS_WITH_PICTURE = ("yuv4mpegpipe",)  # formats in which nothing follows the last picture

# Of PyAV too, where a damaged file announces a further stream midway.
DEMUX_ERRORS = (av.FFmpegError, IndexError)

# Shares of the bytes that are packets in whole files: of the data in fragments of mp4, and of a file of ASF.
LEAST_IN_FRAGMENTS, LEAST_IN_ASF = 0.99, 0.3

TOLERANCE = 0.1  # of a period: an interval that deviates further is irregular
# Gaps up to which a rate counts as constant: their number, or their share of the intervals. Damage leaves
# few; where there are many, the rate varies on purpose.
MOST_GAPS, GAP_SHARE = 3, 0.05
REGULAR_SHARE = 1 - GAP_SHARE  # of the intervals that are alike where a rate is interrupted only
SAME_RATE = 1e-3  # relative difference of two frame rates that count as one
HIDDEN_VP8 = 0x10  # bit of the first byte of a picture of VP8 that is set if it is shown


@dataclass(frozen=True)
class Packets:
    """What the packets of a file say."""

    times_s: Float64[np.ndarray, "T"]  # time stamps of the pictures in order; fewer where some have none
    parts: tuple[int, ...]  # positions at which the time stamps begin again, as in joined files
    pictures: int  # in the file, that are to be shown
    discarded: int  # pictures hidden by an edit list
    damaged: int  # packets that the container itself calls damaged
    announced: int | None  # pictures by the header; in AVI slots, of which some may be empty
    end_s: float  # end of the last packet of all streams; in AVI of the pictures
    announced_end_s: float | None  # by the header
    tick_s: float  # unit of the time stamps
    announced_fps: float | None  # by the header
    end: FileEnd  # as the structure of the file shows it

    @property
    def skipped(self) -> int:
        """Slots of an AVI file that its recorder left empty, where few are: else the rate varies."""
        if self.announced is None or self.announced_end_s is None or self.fps is None:
            return 0
        periods = np.rint(np.nan_to_num(self.intervals_s, nan=1 / self.fps) * self.fps)
        are_few = (periods > 1).sum() <= max(MOST_GAPS, GAP_SHARE * len(periods))
        return int(np.maximum(0, periods - 1).sum()) if are_few else 0

    @cached_property
    def intervals_s(self) -> Float64[np.ndarray, "T"]:
        """From each picture to the next; NaN after the last, and between two parts."""
        intervals_s = np.append(np.diff(self.times_s), np.nan)
        intervals_s[[position - 1 for position in self.parts]] = np.nan
        return intervals_s[: len(self.times_s)]

    @cached_property
    def fps(self) -> float | None:
        """Frames per second: the announced rate where the time stamps agree with it, otherwise their mean,
        without rare pauses."""
        known_s = self.intervals_s[np.isfinite(self.intervals_s)]
        if self.keeps_announced_rate or not known_s.size:
            return self.announced_fps
        typical_s = float(np.median(known_s))
        alike_s = known_s[np.abs(known_s - typical_s) <= self._tolerance_s(typical_s)]
        is_interrupted = typical_s > 0 and len(alike_s) >= REGULAR_SHARE * len(known_s)
        mean_s = float(alike_s.mean() if is_interrupted else known_s.mean())
        return 1 / mean_s if mean_s > 0 else self.announced_fps

    @cached_property
    def keeps_announced_rate(self) -> bool:
        """Whether the pictures follow each other at the announced rate, except where some are missing."""
        if self.announced_fps is None or not self.intervals_s.size:
            return False
        period_s = 1 / self.announced_fps
        is_gap = self._missing(period_s) > 0
        others_s = self.intervals_s[~is_gap & np.isfinite(self.intervals_s)]
        most_gaps = max(MOST_GAPS, GAP_SHARE * len(others_s))
        if not others_s.size or is_gap.sum() > most_gaps:
            return False
        difference = abs(float(others_s.mean()) / period_s - 1)
        rounding = 2 * self.tick_s / (len(others_s) * period_s)
        return self._are_regular(others_s, period_s) and difference <= SAME_RATE + rounding

    @cached_property
    def gaps(self) -> Int64[np.ndarray, "T"]:
        """Pictures that are missing after each picture, where the file keeps its announced rate otherwise."""
        if not self.keeps_announced_rate or self.announced_fps is None:
            return np.zeros(len(self.intervals_s), np.int64)
        return self._missing(1 / self.announced_fps)

    @property
    def is_regular(self) -> bool:
        """Whether the pictures follow each other at one rate, except where some are missing."""
        if self.keeps_announced_rate or self.fps is None:
            return True
        return self._are_regular(self.intervals_s[np.isfinite(self.intervals_s)], 1 / self.fps)

    def _missing(self, period_s: float) -> Int64[np.ndarray, "T"]:
        """Return how many pictures are missing after each, if they follow each other at a period.

        There are none in a file that announces the number of its pictures: what it lacks is known, and its
        pauses are intended.
        """
        missing = np.zeros(len(self.intervals_s), np.int64)
        if self.announced is not None:
            return missing
        periods = np.rint(np.nan_to_num(self.intervals_s, nan=period_s) / period_s)
        is_whole = np.abs(self.intervals_s - periods * period_s) <= self._tolerance_s(period_s)
        is_gap = is_whole & (periods >= 2)
        missing[is_gap] = periods[is_gap].astype(np.int64) - 1
        return missing

    def _are_regular(self, intervals_s: Float64[np.ndarray, "N"], period_s: float) -> bool:
        return bool((np.abs(intervals_s - period_s) <= self._tolerance_s(period_s)).all())

    def _tolerance_s(self, period_s: float) -> float:
        """Return how far an interval may deviate from a period: time stamps are rounded to ticks, which are
        milliseconds in Matroska."""
        return TOLERANCE * period_s + 1.5 * self.tick_s

    @property
    def missing_at_end(self) -> int:
        """Pictures that the header announces, by number or by duration, and that are not there."""
        if self.announced is not None and self.announced_end_s is None:
            return max(0, self.announced - self.discarded - self.pictures)
        if self.announced_end_s is None or self.fps is None:
            return 0
        last_shown_s = float(self.times_s.max(initial=0.0)) + 1 / self.fps
        missing = (self.announced_end_s - max(self.end_s, last_shown_s)) * self.fps
        return round(missing) if missing > 0.5 else 0

    @property
    def frames(self) -> int:
        """Pictures that the file should have."""
        return self.pictures + int(self.gaps.sum()) + self.missing_at_end


def read_packets(
    path: Path, container: av.container.InputContainer, stream: av.VideoStream, fps: float | None
) -> Packets:
    """Read all packets of a file.

    Args:
        path: of the file.
        container: opened for this purpose; it is at its end afterwards.
        stream: its pictures.
        fps: announced frame rate, None where there is none.
    """
    stamps: list[tuple[int, int]] = []  # decoding and presentation time of each picture
    decoding = -(2**62)  # before all others, where the first pictures have none
    pictures = discarded = damaged = last_byte = packet_bytes = 0
    end_s = 0.0
    tick_s = float(stream.time_base or 0)
    name = container.format.name
    is_avi = name == AVI
    numbers = PictureNumbers(stream)
    for packet in numbers.watch(_packets(container)):
        end_s = max(end_s, _slot_end_s(packet, stream) if is_avi else _end_s(packet))
        last_byte = max(last_byte, (packet.pos or 0) + packet.size)
        packet_bytes += packet.size
        if packet.stream_index != stream.index or not packet.size or not _is_shown(packet, stream):
            continue
        damaged += packet.is_corrupt
        discarded += packet.is_discard
        if packet.is_discard:
            continue
        pictures += 1
        stamp = packet.dts if packet.pts is None or is_avi else packet.pts
        if stamp is not None:
            decoding = decoding if packet.dts is None else packet.dts
            stamps.append((decoding, stamp))
    ticks, parts = _in_order(stamps)
    end = _file_end(path, name, last_byte, packet_bytes, numbers.are_missing)
    announced = _announced(stream, name, end, pictures + discarded)
    is_indexed_mp4 = announced is not None and name.startswith("mov")  # what it lacks is known by number
    return Packets(
        times_s=tick_s * ticks,
        parts=parts,
        pictures=pictures,
        discarded=discarded,
        damaged=damaged,
        announced=announced,
        end_s=end_s,
        announced_end_s=tick_s * stream.frames if is_avi else _announced_end_s(container),
        tick_s=tick_s,
        announced_fps=fps,
        end=FileEnd.COMPLETE if is_indexed_mp4 else end,
    )


def _announced_end_s(container: av.container.InputContainer) -> float | None:
    """Return when the file ends at the earliest by its header; None where that says nothing."""
    name = container.format.name
    if name not in DURATION_TOLERANCE_S or not container.duration:
        return None
    return container.duration / av.time_base - DURATION_TOLERANCE_S[name]


def _file_end(path: Path, format_name: str, last_byte: int, packet_bytes: int, are_missing: bool) -> FileEnd:
    """Return how a file ends.

    Args:
        path: of the file.
        format_name: as libav calls the format.
        last_byte: end of the last packet.
        packet_bytes: of all packets.
        are_missing: whether the numbers of the pictures show that some are.
    """
    if format_name in ENDS_WITH_PICTURE:
        return FileEnd.COMPLETE if last_byte == path.stat().st_size else FileEnd.CUT_OFF
    end = file_end(path, format_name)
    expected_bytes = 0.0
    if format_name.startswith("mov"):
        expected_bytes = LEAST_IN_FRAGMENTS * mp4_data_bytes(path)
    elif format_name == "asf":
        expected_bytes = LEAST_IN_ASF * path.stat().st_size
    is_damaged = are_missing or packet_bytes < expected_bytes
    return FileEnd.DAMAGED if is_damaged and end is FileEnd.COMPLETE else end


def _packets(container: av.container.InputContainer) -> Iterator[Any]:
    """Yield the packets of all streams, up to the first that cannot be read."""
    with suppress(*DEMUX_ERRORS):
        yield from container.demux()


def _end_s(packet: av.Packet) -> float:
    """Return the end of a packet, 0 where its time is unknown."""
    if packet.pts is None or packet.time_base is None:
        return 0.0
    return float((packet.pts + (packet.duration or 0)) * packet.time_base)


def _slot_end_s(packet: av.Packet, stream: av.VideoStream) -> float:
    """Return the end of the slot of AVI that a packet fills, 0 for packets of other streams.

    AVI numbers slots of equal length. A slot is empty where the recorder skipped a picture.
    """
    if packet.stream_index != stream.index or packet.dts is None or packet.time_base is None:
        return 0.0
    return float((packet.dts + 1) * packet.time_base)


def _announced(stream: av.VideoStream, format_name: str, end: FileEnd, present: int) -> int | None:
    """Return how many pictures the header announces; None where that says nothing.

    Args:
        stream: the pictures.
        format_name: as libav calls the format.
        end: of the file.
        present: pictures that are there.
    """
    announced = stream.frames
    if format_name == AVI:
        return announced
    # The duration of MXF is that of the whole file only where the header was written at the end, as then
    # it states where that end is.
    is_cut_mxf = format_name == MXF and end is FileEnd.CUT_OFF
    if is_cut_mxf and stream.duration and stream.time_base and stream.average_rate:
        announced = round(stream.duration * stream.time_base * stream.average_rate)
    return announced if announced >= present else None  # a file in fragments announces the first of them only


def _is_shown(packet: av.Packet, stream: av.VideoStream) -> bool:
    """Return whether a picture is to be shown: those that VP8 only predicts others from are not."""
    return stream.codec_context.name != "vp8" or bool(bytes(packet)[0] & HIDDEN_VP8)


def _in_order(stamps: list[tuple[int, int]]) -> tuple[Int64[np.ndarray, "T"], tuple[int, ...]]:
    """Return presentation times in order, and the positions at which they begin again.

    Args:
        stamps: decoding and presentation time of each picture, in the order of the file.
    """
    if not stamps:
        return np.zeros(0, np.int64), ()
    decoding, presentation = np.array(stamps, np.int64).T
    parts = np.flatnonzero(np.diff(decoding) < 0) + 1
    ordered = [np.sort(part) for part in np.split(presentation, parts)]
    return np.concatenate(ordered), tuple(parts.tolist())
