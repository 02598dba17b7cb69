"""Random changes to the bytes of a file, of any format."""

import random
from collections.abc import Callable, Sequence

Mutator = Callable[[bytes, random.Random], bytes]

EXTREMES = (0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFF, 2**63 - 1, 2**64 - 1)
HEADER = 256  # bytes at the start of a file, in which most numbers that a reader believes lie
LONGEST_BLOCK = 512


def _position(data: bytes, rng: random.Random) -> int:
    """Return a random position; one half of them in the header."""
    end = min(HEADER, len(data)) if rng.random() < 0.5 else len(data)
    return rng.randrange(end) if end else 0


def _block(data: bytes, rng: random.Random) -> tuple[int, int]:
    """Return start and end of a random block."""
    start = _position(data, rng)
    return start, min(len(data), start + rng.randint(1, LONGEST_BLOCK))


def flip_bit(data: bytes, rng: random.Random) -> bytes:
    """Flip one bit."""
    if not data:
        return data
    position = _position(data, rng)
    return data[:position] + bytes([data[position] ^ 1 << rng.randrange(8)]) + data[position + 1 :]


def extreme_integer(data: bytes, rng: random.Random) -> bytes:
    """Write the smallest or largest value of an integer of 1 to 8 bytes."""
    size = rng.choice((1, 2, 4, 8))
    value = rng.choice(EXTREMES) % 256**size
    number = value.to_bytes(size, rng.choice(("big", "little")))
    position = _position(data, rng)
    return data[:position] + number + data[position + size :]


def zero_block(data: bytes, rng: random.Random) -> bytes:
    """Fill a block with zeros, as a lost sector does."""
    start, end = _block(data, rng)
    return data[:start] + bytes(end - start) + data[end:]


def random_block(data: bytes, rng: random.Random) -> bytes:
    """Fill a block with random bytes."""
    start, end = _block(data, rng)
    return data[:start] + rng.randbytes(end - start) + data[end:]


def delete_block(data: bytes, rng: random.Random) -> bytes:
    """Remove a block."""
    start, end = _block(data, rng)
    return data[:start] + data[end:]


def repeat_block(data: bytes, rng: random.Random) -> bytes:
    """Repeat a block."""
    start, end = _block(data, rng)
    return data[:end] + data[start:end] * rng.choice((1, 1, 5)) + data[end:]


def insert_block(data: bytes, rng: random.Random) -> bytes:
    """Insert random bytes."""
    position = _position(data, rng)
    return data[:position] + rng.randbytes(rng.randint(1, 64)) + data[position:]


def truncate(data: bytes, rng: random.Random) -> bytes:
    """Cut the end off, as an interrupted copy does."""
    return data[: rng.randrange(len(data))] if data else data


def swap_blocks(data: bytes, rng: random.Random) -> bytes:
    """Exchange two blocks of the same size."""
    size = rng.randint(1, 64)
    if len(data) < 2 * size:
        return data
    first, second = sorted((rng.randrange(len(data) - size), rng.randrange(len(data) - size)))
    if second < first + size:
        return data
    middle = data[first + size : second]
    return (
        data[:first]
        + data[second : second + size]
        + middle
        + data[first : first + size]
        + data[second + size :]
    )


OF_BYTES: tuple[Mutator, ...] = (
    flip_bit,
    flip_bit,
    extreme_integer,
    zero_block,
    random_block,
    delete_block,
    repeat_block,
    insert_block,
    truncate,
    swap_blocks,
)


def mutate(data: bytes, rng: random.Random, mutators: Sequence[Mutator]) -> bytes:
    """Apply one to three mutators; at least one byte is different at the end."""
    # Those that know the format come first: they need a good file.
    mutated = rng.choice(mutators)(data, rng)
    for _ in range(rng.choice((0, 0, 0, 1, 2))):
        mutated = rng.choice(OF_BYTES)(mutated, rng)
    while mutated == data:
        mutated = rng.choice(OF_BYTES)(data or b"\0", rng)
    return mutated
