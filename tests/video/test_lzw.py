"""Codes of GIF images against a decoder written from the specification, one code after the other."""

import io

import numpy as np
import pytest
from PIL import Image

from learnet.video.lzw import are_codes_whole


def gif_image(pixels: np.ndarray, colours: int) -> tuple[bytes, int]:
    """Return the codes of an image as Pillow writes them, and the bits of a colour."""
    buffer = io.BytesIO()
    Image.fromarray(pixels, "P").save(buffer, "GIF", optimize=False)
    data = buffer.getvalue()
    start = data.index(b",\0\0\0\0")
    flags = data[start + 9]
    position = start + 10 + (3 << (flags & 7) + 1 if flags & 0x80 else 0)
    code_size = data[position]
    position += 1
    blocks = []
    while data[position]:
        blocks.append(data[position + 1 : position + 1 + data[position]])
        position += 1 + data[position]
    return b"".join(blocks), code_size


def pixels_of(data: bytes, code_size: int) -> int | None:
    """Return the number of pixels, or None where a code is not valid, the end is missing or bytes follow."""
    number = int.from_bytes(data, "little")
    clear, end = 1 << code_size, (1 << code_size) + 1
    table: list[int] = []
    width, position, pixels, previous = code_size + 1, 0, 0, None
    while position + width <= 8 * len(data):
        code = number >> position & (1 << width) - 1
        position += width
        if code == clear:
            table, width, previous = [1] * clear + [0, 0], code_size + 1, None
            continue
        if code == end:
            return pixels if 8 * len(data) - position <= 8 else None
        if code > len(table) or (previous is None and code >= clear):
            return None
        if previous is not None and len(table) < 4096:
            table.append(previous + 1)
        if code >= len(table):
            return None
        previous = table[code]
        pixels += previous
        if len(table) == 1 << width and width < 12:
            width += 1
    return None


@pytest.mark.parametrize("colours", [4, 16, 256])
@pytest.mark.parametrize("kind", ["noise", "flat", "stripes"])
def test_codes_are_whole_where_all_pixels_can_be_decoded(colours: int, kind: str) -> None:
    rng = np.random.default_rng(colours)
    pixels = {
        "noise": rng.integers(0, colours, (90, 120), dtype=np.uint8),
        "flat": np.zeros((90, 120), np.uint8),
        "stripes": np.tile((np.arange(120) % colours).astype(np.uint8), (90, 1)),
    }[kind]
    data, code_size = gif_image(pixels, colours)
    assert pixels_of(data, code_size) == pixels.size
    assert are_codes_whole(data, code_size)
    for damaged in (data[:-2], data + b"ab", data[: len(data) // 2], b""):
        assert not are_codes_whole(damaged, code_size)


def test_damage_is_found_where_the_decoder_by_hand_finds_it() -> None:
    rng = np.random.default_rng(7)
    data, code_size = gif_image(rng.integers(0, 64, (60, 80), dtype=np.uint8), 64)
    results = []
    for number in range(200):
        damaged = bytearray(data)
        first = int(rng.integers(len(data)))
        if number % 2:
            damaged[first] ^= 1 << int(rng.integers(8))  # often another code that is valid, too
        else:
            damaged[first : first + int(rng.integers(1, 40))] = rng.bytes(int(rng.integers(0, 40)))
        expected = pixels_of(bytes(damaged), code_size) is not None
        assert are_codes_whole(bytes(damaged), code_size) == expected
        results.append(expected)
    assert True in results and False in results
