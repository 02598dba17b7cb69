"""Whether the pictures of a raw MJPEG stream are whole: JPEG files, one after the other, without any index.

Where a part of the stream is missing, the beginning of one picture is joined to the end of another. Decoders
take both for one picture, and its markers tell.

Source: ITU-T T.81 (JPEG), 1992, annex B.
"""

import mmap
import re
from typing import BinaryIO

START, END, SCAN = b"\xff\xd8", b"\xff\xd9", 0xDA
SIZES = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}  # markers that state the size of a picture, once in each
MARKER = re.compile(rb"\xff+[^\x00\xff]")
BEHIND_SCAN = re.compile(rb"\xff+[^\x00\xff\xd0-\xd7]")  # no marker of a restart, and no byte 255 of the data
# Between pictures: padding, or the lines of text that cameras in a network send.
BETWEEN = re.compile(rb"[\x00\xff\t\n\r\x20-\x7e]*")


def are_pictures_whole(file: BinaryIO) -> bool:
    """Return whether nothing but whole pictures, and padding or text between them, are in a stream.

    Args:
        file: that is not empty.
    """
    with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        position = 0
        while (start := data.find(START, position)) >= 0:
            if not BETWEEN.fullmatch(data, position, start):
                return False
            end = _picture_end(data, start + len(START))
            if end is None:
                return False
            position = end
        return bool(BETWEEN.fullmatch(data, position))


def _picture_end(data: mmap.mmap, position: int) -> int | None:
    """Return the position behind a picture; None where its segments do not follow each other.

    Args:
        data: the stream.
        position: behind the marker of its start.
    """
    sizes = 0
    while marker := MARKER.match(data, position):
        code = marker[0][-1]
        if code == END[1]:
            return marker.end() if sizes == 1 else None
        sizes += code in SIZES
        if code == START[1] or sizes > 1:
            return None
        position = marker.end() + int.from_bytes(data[marker.end() : marker.end() + 2])
        if code == SCAN:
            behind = BEHIND_SCAN.search(data, position)
            if behind is None:
                return None
            position = behind.start()
    return None
