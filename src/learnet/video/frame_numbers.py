"""The number of each frame from the names of its images."""

import re
from collections.abc import Sequence
from decimal import Decimal

DIGITS = re.compile("[0-9]+")


class AmbiguousNumbers(ValueError):
    """The names of some images have no unique numbers; the message says why."""


def frame_numbers(stems: Sequence[str]) -> list[int]:
    """Return the number of each image.

    The number is the last run of digits that differs between the names. So it is 12 in `12_640x360`, where
    the size of the image is the same in all names. Images that are named by their time in seconds,
    `1560244312.742`, are numbered from 0 in the order of their times.

    Args:
        stems: names without suffix, each with a digit.

    Raises:
        AmbiguousNumbers: two images have the same number, or two runs of digits contradict each other about
            the order of the images.
    """
    if not stems:
        return []
    runs = [DIGITS.findall(stem) for stem in stems]
    if len({len(digits) for digits in runs}) != 1:
        return _unique(stems, [int(digits[-1]) for digits in runs])
    columns = [[int(digits[position]) for digits in runs] for position in range(len(runs[0]))]
    varying = [position for position, column in enumerate(columns) if len(set(column)) > 1]
    if not varying:
        return _unique(stems, columns[-1])
    last = varying[-1]
    if len(varying) > 1:
        times = _times(stems, last)
        if times:
            ranks = {time: rank for rank, time in enumerate(sorted(set(times)))}
            return _unique(stems, [ranks[time] for time in times])
    numbers = _unique(stems, columns[last])
    _check_order(stems, [columns[position] for position in varying])
    return numbers


def _times(stems: Sequence[str], position: int) -> list[Decimal]:
    """Return the decimal number of each name that ends with a run of digits; none if there is no point."""
    times = []
    for stem in stems:
        whole, fraction = list(DIGITS.finditer(stem))[position - 1 : position + 1]
        if stem[whole.end() : fraction.start()] != ".":
            return []
        times.append(Decimal(f"{whole[0]}.{fraction[0]}"))
    return times


def _unique(stems: Sequence[str], numbers: list[int]) -> list[int]:
    names: dict[int, str] = {}
    for number, stem in zip(numbers, stems, strict=True):
        if number in names:
            raise AmbiguousNumbers(f"{names[number]} and {stem} have the same number")
        names[number] = stem
    return numbers


def _check_order(stems: Sequence[str], columns: Sequence[Sequence[int]]) -> None:
    """Refuse names that have another order by their first runs of digits than by the last.

    Args:
        stems: names.
        columns: the value of each run of digits that varies, in each name.
    """
    by_all = sorted(range(len(stems)), key=lambda index: [column[index] for column in columns])
    by_last = sorted(range(len(stems)), key=lambda index: columns[-1][index])
    for first, other in zip(by_all, by_last, strict=True):
        if first != other:
            raise AmbiguousNumbers(
                f"several numbers vary in the names, and {stems[first]} and {stems[other]} "
                "have another order by the first than by the last"
            )
