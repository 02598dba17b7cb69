"""Numbers of frames from file names as cameras, databases and programs write them."""

import random

import pytest

from learnet.video.frame_numbers import AmbiguousNumbers, frame_numbers


@pytest.mark.parametrize(
    ("names", "numbers"),
    [
        (["img46", "img101"], [46, 101]),
        (["006_05562", "006_05563"], [5562, 5563]),
        (["EP01_6-12", "EP01_6-9"], [12, 9]),
        (["12_640x360", "9_640x360", "100_640x360"], [12, 9, 100]),
        (["take2_0007_0001", "take2_0008_0002"], [1, 2]),  # two that agree: the last
        (["7"], [7]),
        (["a1", "b2c3"], [1, 3]),  # names of different kinds: the last
        ([], []),
        (["1560244312.950", "1560244313.033", "1560244312.700"], [1, 2, 0]),
        (["t1.05", "t1.5", "t0.95", "t1.005"], [2, 3, 0, 1]),  # decimals, not whole numbers after a point
    ],
)
def test_numbers_by_hand(names: list[str], numbers: list[int]) -> None:
    assert frame_numbers(names) == numbers


def test_times_are_sorted_like_numbers() -> None:
    """Also where the same fraction comes back in another second."""
    times = [1560244312.5 + 0.25 * step for step in range(40)]
    random.Random(0).shuffle(times)
    numbers = frame_numbers([f"{time:.3f}" for time in times])
    assert [time for _, time in sorted(zip(numbers, times, strict=True))] == sorted(times)


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["a1_5", "a1_6", "a2_5", "a2_6"], "a1_5 and a2_5 have the same number"),  # two clips
        (["01", "1"], "the same number"),
        (["s1_12", "s2_3"], "another order"),  # two clips, or seconds and frames
        (["8.5", "9.5", "9.50"], "9.5 and 9.50 have the same number"),
    ],
)
def test_names_without_an_order_are_refused(names: list[str], message: str) -> None:
    with pytest.raises(AmbiguousNumbers, match=message):
        frame_numbers(names)
