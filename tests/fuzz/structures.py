"""Changes that know the structure of a format, so that they reach what is behind its first check."""

import io
import json
import random
import struct
import zipfile
import zlib
from collections.abc import Iterator

from tests.fuzz.mutations import EXTREMES, OF_BYTES, Mutator
from tests.fuzz.texts import mutate_json, mutate_xml

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
BOXES_WITH_BOXES = (b"moov", b"trak", b"mdia", b"minf", b"stbl", b"edts", b"moof", b"traf", b"mvex", b"udta")
MATROSKA_MASTERS = (
    0x18538067,
    0x1549A966,
    0x1654AE6B,
    0xAE,
    0xE0,
    0x1F43B675,
    0xA0,
    0x1254C367,
    0x7373,
    0x67C8,
)


def _mutate_inside(data: bytes, start: int, end: int, rng: random.Random) -> bytes:
    """Mutate a part of some bytes; its size stays the same."""
    part = data[start:end]
    changed = rng.choice(OF_BYTES)(part, rng)[: len(part)]
    return data[:start] + changed.ljust(len(part), b"\0") + data[end:]


def _boxes(data: bytes, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Yield start and end of the content of every box of an MP4 file, nested ones too."""
    while start + 8 <= end:
        size, name = struct.unpack_from(">I4s", data, start)
        if size < 8 or start + size > end:
            return
        yield start + 8, start + size
        if name in BOXES_WITH_BOXES:
            yield from _boxes(data, start + 8, start + size)
        start += size


def mutate_mp4_box(data: bytes, rng: random.Random) -> bytes:
    """Change the content of one box but `mdat`, or its announced size or name."""
    boxes = []
    for start, end in _boxes(data, 0, len(data)):
        if data[start - 4 : start] != b"mdat":
            boxes.append((start, end))
    if not boxes:
        return data
    start, end = rng.choice(boxes)
    if rng.random() < 0.2:
        return _mutate_inside(data, start - 8, start, rng)
    return _mutate_inside(data, start, end, rng)


def _variable_integer(data: bytes, position: int, keep_marker: bool) -> tuple[int, int]:
    """Return an EBML integer and the position behind it."""
    first = data[position]
    length = 8 - first.bit_length() + 1
    value = first if keep_marker else first & (0xFF >> length)
    for byte in data[position + 1 : position + length]:
        value = value << 8 | byte
    return value, position + length


def _elements(data: bytes, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Yield start and end of the content of every element of a Matroska file, nested ones too."""
    while start + 2 <= end and data[start]:
        identifier, position = _variable_integer(data, start, keep_marker=True)
        if position >= end or not data[position]:
            return
        size, content = _variable_integer(data, position, keep_marker=False)
        stop = min(end, content + size)  # elements of unknown size announce the largest number
        yield content, stop
        if identifier in MATROSKA_MASTERS:
            yield from _elements(data, content, stop)
        start = stop


def mutate_matroska_element(data: bytes, rng: random.Random) -> bytes:
    """Change the content of one element of at most 64 bytes: numbers, names and times."""
    elements = []
    for start, end in _elements(data, 0, len(data)):
        if end - start <= 64:
            elements.append((start, end))
    if not elements:
        return data
    return _mutate_inside(data, *rng.choice(elements), rng)


def mutate_png_chunk(data: bytes, rng: random.Random) -> bytes:
    """Change one chunk of a PNG file and make its checksum right again."""
    chunks, position = [], len(PNG_SIGNATURE)
    while position + 12 <= len(data):
        (size,) = struct.unpack_from(">I", data, position)
        chunks.append((data[position + 4 : position + 8], data[position + 8 : position + 8 + size]))
        position += 12 + size
    if not chunks:
        return data
    index = rng.randrange(len(chunks))
    name, content = chunks[index]
    chunks[index] = (name, rng.choice(OF_BYTES)(content, rng))
    if rng.random() < 0.1:
        chunks.insert(index, rng.choice(chunks))
    written = [PNG_SIGNATURE]
    for name, content in chunks:
        checksum = zlib.crc32(name + content)
        written.append(struct.pack(">I", len(content)) + name + content + struct.pack(">I", checksum))
    return b"".join(written)


def mutate_zip_member(data: bytes, rng: random.Random) -> bytes:
    """Change one member of a zip archive, such as a sheet of a workbook, and make the archive right again."""
    members = {}
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        for name in archive.namelist():
            members[name] = archive.read(name)
    name = rng.choice(sorted(members))
    if rng.random() < 0.1:
        del members[name]
    elif rng.random() < 0.8:
        members[name] = mutate_xml(members[name], rng)
    else:
        members[name] = rng.choice(OF_BYTES)(members[name], rng)
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return written.getvalue()


def mutate_npy_header(data: bytes, rng: random.Random) -> bytes:
    """Change the dictionary of dtype and shape of a NumPy file."""
    size = struct.unpack_from("<H", data, 8)[0]
    header = data[10 : 10 + size].decode("latin-1")
    old, new = rng.choice(
        (
            ("|u1", rng.choice(("|i1", "<f8", "|O", "|b1", "<U4", "|V1"))),
            ("False", "True"),
            ("(", rng.choice(("(0, ", "(-1, ", f"({rng.choice(EXTREMES)}, ", "((", "(1, "))),
            ("'shape'", "'shapes'"),
            (", 3", ""),
            ("}", ""),
        )
    )
    changed = header.replace(old, new, 1).rstrip().ljust(size - 1) + "\n"
    encoded = changed.encode("latin-1")
    return data[:8] + struct.pack("<H", len(encoded)) + encoded + data[10 + size :]


def mutate_safetensors_header(data: bytes, rng: random.Random) -> bytes:
    """Change a value of the header of a checkpoint, or of the metadata in it."""
    (size,) = struct.unpack_from("<Q", data)
    header = json.loads(data[8 : 8 + size])
    metadata = header.get("__metadata__", {})
    if metadata and rng.random() < 0.7:
        name = rng.choice(sorted(metadata))
        text = metadata[name].encode()
        metadata[name] = mutate_json(text, rng).decode("utf-8", "replace")
        changed = json.dumps(header).encode()
    else:
        changed = mutate_json(json.dumps(header).encode(), rng)
    return struct.pack("<Q", len(changed)) + changed + data[8 + size :]


def mutate_safetensors_values(data: bytes, rng: random.Random) -> bytes:
    """Write numbers that are not finite, or very large ones, into the tensors of a checkpoint."""
    (size,) = struct.unpack_from("<Q", data)
    start = 8 + size
    if len(data) < start + 4:
        return data
    position = start + 4 * rng.randrange((len(data) - start) // 4)
    value = rng.choice((float("nan"), float("inf"), float("-inf"), 3e38, -3e38))
    return data[:position] + struct.pack("<f", value) + data[position + 4 :]


VIDEO_STRUCTURES: dict[str, Mutator] = {
    ".mp4": mutate_mp4_box,
    ".mov": mutate_mp4_box,
    ".3gp": mutate_mp4_box,
    ".mkv": mutate_matroska_element,
    ".webm": mutate_matroska_element,
}
