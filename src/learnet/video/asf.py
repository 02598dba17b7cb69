"""Whether the packets of an ASF file (WMV) are whole: their payloads count the pictures and say how long
each is.

Source: Microsoft, Advanced Systems Format Specification, revision 01.20.03, sections 3.2 and 5.2.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import BinaryIO

FILE_PROPERTIES = bytes.fromhex("a1dcab8c47a9cf118ee400c00c205365")
DATA = bytes.fromhex("3626b2758e66cf11a6d900aa0062ce6c")
HEADER_BYTES, DATA_HEADER_BYTES = 30, 50
MOST_HEADER_BYTES = 1 << 20
LENGTHS = (0, 1, 2, 4)  # bytes of a number, by the two bits that announce it
ERROR_CORRECTION, SEVERAL_PAYLOADS = 0x80, 0x01
COMPRESSED = 1  # length of the replicated data of payloads that hold several objects


class DamagedPacket(Exception):
    """A packet that is not as the format requires."""


@dataclass(frozen=True)
class AsfFile:
    """What the header of a file states."""

    size: int  # bytes of the file; 0 in live recordings
    packets: int  # number; 0 in live recordings
    packet_bytes: int
    data_at: int  # position of the first packet


@dataclass(frozen=True)
class _Payload:
    stream: int
    number: int  # of the media object, a picture or some sound, modulo 256
    offset: int  # in the object
    size: int
    object_size: int


@dataclass
class _Reader:
    """The numbers of a packet, one after the other; the lowest byte comes first."""

    data: bytes
    position: int = field(default=0)

    def number(self, size: int) -> int:
        end = self.position + size
        if end > len(self.data):
            raise DamagedPacket
        value = int.from_bytes(self.data[self.position : end], "little")
        self.position = end
        return value

    def skip(self, size: int) -> None:
        self.position += size
        if self.position > len(self.data):
            raise DamagedPacket


def read_asf_header(file: BinaryIO) -> AsfFile | None:
    """Return what the header of a file states; None where it has no properties or no data.

    Args:
        file: at its beginning.
    """
    head = file.read(HEADER_BYTES)
    header_bytes = int.from_bytes(head[16:24], "little")
    if not HEADER_BYTES <= header_bytes <= MOST_HEADER_BYTES:
        return None
    head += file.read(header_bytes - HEADER_BYTES + DATA_HEADER_BYTES)
    position = head.find(FILE_PROPERTIES)
    properties = head[position : position + 104]
    if position < 0 or len(properties) < 104 or head[header_bytes : header_bytes + 16] != DATA:
        return None
    (size,) = struct.unpack("<Q", properties[40:48])
    (packets,) = struct.unpack("<Q", properties[56:64])
    (packet_bytes,) = struct.unpack("<I", properties[92:96])
    return AsfFile(size, packets, packet_bytes, header_bytes + DATA_HEADER_BYTES)


def are_packets_whole(file: BinaryIO, header: AsfFile) -> bool:
    """Return whether all announced packets are there, and all media objects in them, each of them whole.

    Args:
        file: of which the header has been read.
        header: of the file.
    """
    file.seek(header.data_at)
    last: dict[int, _Payload] = {}  # of each stream
    for _ in range(header.packets):
        try:
            for payload in _payloads(file.read(header.packet_bytes)):
                if not _follows(payload, last.get(payload.stream)):
                    return False
                last[payload.stream] = payload
        except DamagedPacket:
            return False
    return all(payload.offset + payload.size == payload.object_size for payload in last.values())


def _follows(payload: _Payload, last: _Payload | None) -> bool:
    """Return whether nothing is missing between the last payload of a stream and this one."""
    if last is None:
        return payload.offset == 0
    end = last.offset + last.size
    if payload.number == last.number:
        return payload.offset == end
    is_next = payload.number == (last.number + 1) % 256
    return is_next and payload.offset == 0 and end == last.object_size


def _payloads(packet: bytes) -> Iterator[_Payload]:
    """Yield the payloads of a packet.

    Raises:
        DamagedPacket: it is not as the format requires.
    """
    reader = _Reader(packet)
    flags = reader.number(1)
    if flags & ERROR_CORRECTION:
        reader.skip(flags & 0x0F)
        flags = reader.number(1)
    properties = reader.number(1)
    stated = reader.number(LENGTHS[flags >> 5 & 3])
    reader.number(LENGTHS[flags >> 1 & 3])  # sequence
    padding = reader.number(LENGTHS[flags >> 3 & 3])
    reader.skip(6)  # send time and duration
    end = (stated or len(packet)) - padding
    if flags & SEVERAL_PAYLOADS:
        count = reader.number(1)
        for _ in range(count & 0x3F):
            yield from _payload(reader, properties, end, LENGTHS[count >> 6])
    else:
        yield from _payload(reader, properties, end, 0)
    if reader.position > end:
        raise DamagedPacket


def _payload(reader: _Reader, properties: int, end: int, length_bytes: int) -> Iterator[_Payload]:
    """Yield the next payload of a packet; nothing of one that is compressed.

    Args:
        reader: at its beginning.
        properties: lengths of its numbers.
        end: of the packet, without padding.
        length_bytes: bytes of its length; 0 where it extends to the end.
    """
    stream = reader.number(1) & 0x7F
    number = reader.number(LENGTHS[properties >> 4 & 3])
    offset = reader.number(LENGTHS[properties >> 2 & 3])
    replicated = reader.number(LENGTHS[properties & 3])
    object_size = reader.number(4) if replicated >= 8 else 0
    reader.skip(replicated - 4 if replicated >= 8 else replicated)
    size = reader.number(length_bytes) if length_bytes else end - reader.position
    if size < 0:
        raise DamagedPacket
    reader.skip(size)
    if replicated != COMPRESSED:
        yield _Payload(stream, number, offset, size, object_size)
