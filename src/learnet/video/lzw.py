"""Whether the compressed data of an image of GIF are whole, by its codes (Lempel, Ziv and Welch).

GIF has neither checksums nor an announced number of images, and its data are chains of short blocks. A chain
that is damaged can swallow the images behind it. Its codes tell: the last one stands where the chain ends.

Source: CompuServe, Graphics Interchange Format, Version 89a, 1990, appendix F.
"""

import numpy as np
from jaxtyping import Int64

CODE_SIZES = range(2, 9)  # bits of a colour
MOST_CODES, MOST_BITS = 4096, 12  # of the table of codes, and of a code
MOST_UNUSED_BITS = 8  # behind the last code: those of its byte, or a byte where a writer adds one more bit
CHUNK = 4096  # codes that are looked at together
POWERS = 2 ** np.arange(MOST_BITS + 1)


def are_codes_whole(data: bytes, code_size: int) -> bool:
    """Return whether all codes are valid, and whether the code of the end is there, and nothing behind it.

    Args:
        data: of one image, the blocks joined.
        code_size: bits of a colour, as the image states them.
    """
    if code_size not in CODE_SIZES:
        return False
    clear, end = 1 << code_size, (1 << code_size) + 1
    padded = np.frombuffer(data + bytes(3), np.uint8).astype(np.int64)
    position = since_clear = 0  # bits, and codes since the table was cleared
    while True:
        largest, bits = _table(since_clear, code_size)
        ends = position + np.cumsum(bits)
        inside = int(np.searchsorted(ends, 8 * len(data), side="right"))
        codes = _codes(padded, ends[:inside] - bits[:inside], bits[:inside])
        special = np.flatnonzero((codes == clear) | (codes == end))
        count = int(special[0]) if special.size else inside
        if (codes[:count] > largest[:count]).any():
            return False
        if special.size and codes[count] == end:
            unused_bits = 8 * len(data) - int(ends[count])
            return unused_bits <= MOST_UNUSED_BITS
        if not special.size and inside < CHUNK:  # no code is left, and none was that of the end
            return False
        position = int(ends[count] if special.size else ends[-1])
        since_clear = 0 if special.size else since_clear + CHUNK


def _table(first: int, code_size: int) -> tuple[Int64[np.ndarray, "N"], Int64[np.ndarray, "N"]]:
    """Return the largest valid code and the number of bits of each of the next CHUNK codes.

    The first code after a clear code is a colour. Each one behind it adds an entry to the table, which it may
    name itself, and codes have as many bits as this entry needs.

    Args:
        first: number of codes since the last clear code.
        code_size: bits of a colour.
    """
    numbers = np.arange(first, first + CHUNK)
    entry = np.minimum((1 << code_size) + 2 + np.maximum(0, numbers - 1), MOST_CODES)
    bits = np.clip(np.searchsorted(POWERS, entry, side="right"), code_size + 1, MOST_BITS)
    largest = np.where(numbers == 0, (1 << code_size) - 1, np.minimum(entry, MOST_CODES - 1))
    return largest, bits


def _codes(
    padded: Int64[np.ndarray, "B"], starts: Int64[np.ndarray, "N"], bits: Int64[np.ndarray, "N"]
) -> Int64[np.ndarray, "N"]:
    """Return the codes at some positions; the lowest bit comes first.

    Args:
        padded: bytes of an image, and three more.
        starts: position of the first bit of each code.
        bits: length of each code.
    """
    first = starts // 8
    three = padded[first] | padded[first + 1] << 8 | padded[first + 2] << 16
    return three >> starts % 8 & (1 << bits) - 1
