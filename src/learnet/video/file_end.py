"""Whether a video file ends as its format requires: a copy or a recording that was interrupted does not.

Most formats of live recordings announce neither a number of pictures nor a duration, so that nothing else
shows that the end is missing.
"""

import os
import struct
from collections.abc import Callable, Iterator
from enum import Enum
from pathlib import Path
from typing import BinaryIO

from learnet.video.asf import are_packets_whole, read_asf_header
from learnet.video.lzw import are_codes_whole
from learnet.video.mjpeg import END as END_OF_JPEG
from learnet.video.mjpeg import are_pictures_whole

TRANSPORT_PACKETS = {0: 188, 4: 192}  # position of the first sync byte -> bytes of a packet
SYNC_BYTE = b"G"
TAIL_BYTES = 4096
MP4_HEAD_BYTES, MP4_DATA = 8, b"mdat"

# Elements of Matroska by ID: those that contain the others, and of unknown size in live recordings.
SEGMENT, CLUSTER = 0x18538067, 0x1F43B675
CONTAINERS = (SEGMENT, CLUSTER)
IN_CLUSTER = (0xE7, 0xA3, 0xA0, 0xAB, 0xA7, 0x5854, 0xEC, 0xBF, 0xAF)
IN_SEGMENT = (0x114D9B74, 0x1549A966, 0x1654AE6B, 0x1C53BB6B, 0x1941A469, 0x1043A770, 0x1254C367, 0xEC, 0xBF)
DOCUMENT = 0x1A45DFA3
KNOWN = {DOCUMENT, *CONTAINERS, *IN_CLUSTER, *IN_SEGMENT}
GIF_IMAGE, GIF_EXTENSION, GIF_TRAILER = b",", b"!", b";"
ENDS_STREAM = 4  # flag of a page of Ogg
MXF_PARTITION = bytes.fromhex("060e2b34020501010d010201")  # first bytes of the key of every partition
MXF_RUN_IN = 1 << 16  # bytes that may precede the first partition
MPEG_PREFIX, MPEG_PACK, MPEG_END = b"\0\0\1", b"\0\0\1\xba", b"\xba"  # codes above it begin packets
MPEG_PACK_BYTES = 1 << 16
MXF_FOOTER_AT = 24  # position of the offset of the last partition, behind the length


class FileEnd(Enum):
    """What the structure of a file shows."""

    COMPLETE = "complete"  # or its format does not show it
    CUT_OFF = "cut off"
    DAMAGED = "damaged inside"


def file_end(path: Path, format_name: str) -> FileEnd:
    """Return whether a file ends as its format requires.

    Args:
        path: of the file.
        format_name: as libav calls the format.
    """
    check = CHECKS.get(format_name)
    if check is None:
        return FileEnd.COMPLETE
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(0)
        return check(file, size)


def _must_end_with(ending: bytes) -> Callable[[BinaryIO, int], FileEnd]:
    """Return a check that a file ends with some bytes, apart from padding."""

    def check(file: BinaryIO, size: int) -> FileEnd:
        file.seek(max(0, size - TAIL_BYTES))
        is_there = file.read().rstrip(b"\0").endswith(ending)
        return FileEnd.COMPLETE if is_there else FileEnd.CUT_OFF

    return check


def _transport_stream_end(file: BinaryIO, size: int) -> FileEnd:
    """Check that the last packet is whole."""
    start = file.read(8)
    for offset, length in TRANSPORT_PACKETS.items():
        if start[offset : offset + 1] == SYNC_BYTE and size % length:
            return FileEnd.CUT_OFF
    return FileEnd.COMPLETE


def _mp4_end(file: BinaryIO, size: int) -> FileEnd:
    """Check that no box reaches beyond the end, and that none is the head of data that are missing."""
    position = 0
    kind = b""
    for kind, position, length in _mp4_boxes(file, size):
        if length == 0 and kind == MP4_DATA:  # up to the end of the file
            return FileEnd.COMPLETE
        if length < MP4_HEAD_BYTES:
            return FileEnd.DAMAGED
        position += length
    return FileEnd.COMPLETE if position == size and kind != b"moof" else FileEnd.CUT_OFF


def mp4_data_bytes(path: Path) -> int:
    """Return the size of all boxes of an mp4 file that hold pictures and sound."""
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        lengths = [length for kind, _, length in _mp4_boxes(file, size) if kind == MP4_DATA]
    return sum(max(0, length - MP4_HEAD_BYTES) for length in lengths)


def count_mp4_films(path: Path) -> int:
    """Return how many films an mp4 file holds one behind the other, each with its own list of pictures."""
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        kinds = [kind for kind, _, _ in _mp4_boxes(file, size)]
    return kinds.count(b"moov")


def _mp4_boxes(file: BinaryIO, size: int) -> Iterator[tuple[bytes, int, int]]:
    """Yield kind, position and length of the boxes of an mp4 file, up to one whose length is not valid."""
    position = 0
    length = MP4_HEAD_BYTES
    while position + MP4_HEAD_BYTES <= size and length >= MP4_HEAD_BYTES:
        file.seek(position)
        header = file.read(2 * MP4_HEAD_BYTES)
        length, kind = struct.unpack(">I4s", header[:MP4_HEAD_BYTES])
        if length == 1 and len(header) == 2 * MP4_HEAD_BYTES:
            (length,) = struct.unpack(">Q", header[MP4_HEAD_BYTES:])
        yield kind, position, length
        position += length


def _matroska_end(file: BinaryIO, size: int) -> FileEnd:
    """Check that no element reaches beyond the end, and that nothing else lies where one should begin."""
    position = 0
    while position < size:
        file.seek(position)
        header = file.read(12)
        identifier, id_length = _number(header, keep_marker=True)
        length, size_length = _number(header[id_length:], keep_marker=False)
        if not id_length or not size_length or identifier not in KNOWN:
            return FileEnd.DAMAGED
        position += id_length + size_length
        if identifier not in CONTAINERS:
            position += length
        elif length != (1 << 7 * size_length) - 1:  # which means that it is unknown
            if position + length > size:
                return FileEnd.CUT_OFF
            if identifier == SEGMENT:
                file.seek(position + length)
                if file.read(4) == CLUSTER.to_bytes(4):
                    return FileEnd.DAMAGED
                size = position + length  # whatever else follows is no part of the film
    return FileEnd.CUT_OFF if position > size else FileEnd.COMPLETE


def _number(data: bytes, keep_marker: bool) -> tuple[int, int]:
    """Return a number of variable length and its length in bytes; 0 bytes where there is none.

    The number of leading zero bits tells the length (RFC 8794, 4).
    """
    if not data or not data[0]:
        return 0, 0
    length = 9 - data[0].bit_length()
    if len(data) < length:
        return 0, 0
    value = int.from_bytes(data[:length])
    return (value if keep_marker else value & (1 << 7 * length) - 1), length


def _ogg_end(file: BinaryIO, size: int) -> FileEnd:
    """Check that no page is missing, and that the last one of each stream ends it (RFC 3533, 6)."""
    following: dict[int, int] = {}  # stream -> number of its next page
    open_streams: set[int] = set()
    position = 0
    while position < size:
        file.seek(position)
        header = file.read(27)
        if len(header) < 27 or header[:4] != b"OggS":
            return FileEnd.DAMAGED
        serial, page = struct.unpack("<II", header[14:22])
        if page != following.get(serial, page):
            return FileEnd.DAMAGED
        following[serial] = page + 1
        open_streams.add(serial)
        if header[5] & ENDS_STREAM:
            open_streams.discard(serial)
        position += 27 + header[26] + sum(file.read(header[26]))
    return FileEnd.CUT_OFF if position != size or open_streams else FileEnd.COMPLETE


def _asf_end(file: BinaryIO, size: int) -> FileEnd:
    """Check the size of the file that its header states, and its packets; both are 0 in live recordings."""
    header = read_asf_header(file)
    if header is None:
        return FileEnd.COMPLETE
    if header.size > size:
        return FileEnd.CUT_OFF
    return FileEnd.COMPLETE if are_packets_whole(file, header) else FileEnd.DAMAGED


def _mjpeg_end(file: BinaryIO, size: int) -> FileEnd:
    """Check that the last picture has its end, and that whole pictures follow each other."""
    end = _must_end_with(END_OF_JPEG)(file, size)
    if end is FileEnd.COMPLETE and not are_pictures_whole(file):
        return FileEnd.DAMAGED
    return end


def _flv_end(file: BinaryIO, size: int) -> FileEnd:
    """Check that the last tag is whole."""
    position = int.from_bytes(file.read(9)[5:]) + 4
    while position + 11 <= size:
        file.seek(position + 1)
        position += 11 + int.from_bytes(file.read(3)) + 4  # its size is repeated behind it
    return FileEnd.COMPLETE if position == size else FileEnd.CUT_OFF


def _gif_end(file: BinaryIO, size: int) -> FileEnd:
    """Check that blocks follow each other up to the trailer, and that all codes of each image are there."""
    screen = file.read(13)
    file.seek(_gif_colours(screen[10:11]), os.SEEK_CUR)
    while (kind := file.read(1)) not in (GIF_TRAILER, b""):
        if kind not in (GIF_IMAGE, GIF_EXTENSION):
            return FileEnd.DAMAGED
        if kind == GIF_IMAGE:
            file.seek(_gif_colours(file.read(9)[-1:]), os.SEEK_CUR)
        code_size = file.read(1)  # or the kind of extension
        data = _gif_blocks(file)
        if data is None:
            return FileEnd.CUT_OFF
        if kind == GIF_IMAGE and not are_codes_whole(data, code_size[0]):
            return FileEnd.DAMAGED
    return FileEnd.COMPLETE if kind else FileEnd.CUT_OFF


def _gif_blocks(file: BinaryIO) -> bytes | None:
    """Return the data of a chain of blocks; None where the file ends within it."""
    parts: list[bytes] = []
    while length := file.read(1):
        if length == b"\0":
            return b"".join(parts)
        parts.append(file.read(length[0]))
    return None


def _gif_colours(flags: bytes) -> int:
    """Return the bytes of the table of colours that some flags announce; 0 without flags, at the end."""
    value = flags[0] if flags else 0
    return 3 << (value & 7) + 1 if value & 0x80 else 0


def _mxf_end(file: BinaryIO, size: int) -> FileEnd:
    """Check that the last partition, whose position the first one states, is there (SMPTE 377, 7.1).

    It is 0 in live recordings.
    """
    start = file.read(2 * MXF_RUN_IN)
    first = start.find(MXF_PARTITION)
    length = start[first + 16 : first + 17]
    if first < 0 or not length:
        return FileEnd.COMPLETE
    length_bytes = 1 + (length[0] & 0x7F if length[0] & 0x80 else 0)
    position = first + 16 + length_bytes + MXF_FOOTER_AT
    footer = first + int.from_bytes(start[position : position + 8])
    if footer == first:
        return FileEnd.COMPLETE
    file.seek(footer)
    is_there = file.read(len(MXF_PARTITION)) == MXF_PARTITION
    return FileEnd.COMPLETE if is_there else FileEnd.CUT_OFF


def _program_stream_end(file: BinaryIO, size: int) -> FileEnd:
    """Check that no packet of the last pack reaches beyond the end (ISO 13818-1, 2.5.3; 11172-1, 2.4.3)."""
    file.seek(max(0, size - 2 * MPEG_PACK_BYTES))
    tail = file.read()
    position = tail.rfind(MPEG_PACK)
    if position < 0 or position + 14 > len(tail):
        return FileEnd.COMPLETE
    is_mpeg_2 = tail[position + 4] >> 6 == 1
    position += 14 + (tail[position + 13] & 7) if is_mpeg_2 else 12
    while tail[position : position + 3] == MPEG_PREFIX and tail[position + 3 : position + 4] > MPEG_END:
        position += 6 + int.from_bytes(tail[position + 4 : position + 6])
    return FileEnd.CUT_OFF if position > len(tail) else FileEnd.COMPLETE


CHECKS: dict[str, Callable[[BinaryIO, int], FileEnd]] = {
    "asf": _asf_end,
    "flv": _flv_end,
    "gif": _gif_end,
    "apng": _must_end_with(b"IEND\xaeB`\x82"),
    "mjpeg": _mjpeg_end,
    "mxf": _mxf_end,
    "mpeg": _program_stream_end,
    "mpegts": _transport_stream_end,
    "mov,mp4,m4a,3gp,3g2,mj2": _mp4_end,
    "matroska,webm": _matroska_end,
    "ogg": _ogg_end,
}
"""Format, as libav calls it -> check of its end."""
