"""The numbers that pictures of MPEG-1 and MPEG-2 carry, which show that one of them is missing.

Source: ISO 11172-2, 2.4.3.4, and ISO 13818-2, 6.3.9: temporal_reference counts the pictures of a group in the
order of display, modulo 1024.
"""

from collections.abc import Iterable, Iterator
from typing import Any

import av

CODECS = ("mpeg1video", "mpeg2video")
GROUP, PICTURE = b"\0\0\1\xb8", b"\0\0\1\0"  # what groups and pictures begin with
MODULUS = 1024


class PictureNumbers:
    """Look at the packets of a film while others read them, and find out whether pictures are missing."""

    def __init__(self, stream: av.VideoStream) -> None:
        self.stream = stream
        self.are_missing = False  # within a group; at its end no picture says so
        self._group: set[int] = set()

    def watch(self, packets: Iterable[Any]) -> Iterator[Any]:
        """Yield all packets."""
        has_numbers = self.stream.codec_context.name in CODECS
        for packet in packets:
            if has_numbers and packet.stream_index == self.stream.index and packet.size:
                self._see(bytes(packet))
            yield packet
        self._end_group()

    def _see(self, data: bytes) -> None:
        picture = data.find(PICTURE)
        header = data[picture + 4 : picture + 6]
        if picture < 0 or len(header) < 2:
            return
        if GROUP in data[:picture]:
            self._end_group()
        self._group.add(int.from_bytes(header) >> 6)

    def _end_group(self) -> None:
        """Begin another group. Its first pictures may be missing on purpose, where a film was cut."""
        if self._group:
            span = max(self._group) - min(self._group) + 1
            self.are_missing |= len(self._group) < span < MODULUS
        self._group = set()
