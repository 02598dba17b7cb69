"""Interpret the text of cells: headers, missing values, whole numbers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from learnet.datasets.readers.reading.cells import is_missing, normalise_header, whole_number


@given(st.integers(-1, 10**9), st.sampled_from(["{}", " {} ", "{}.0", "{}.", "\u00a0{}", "{}.000"]))
def test_whole_numbers_in_every_writing(number: int, form: str) -> None:
    assert whole_number(form.format(number)) == number


@pytest.mark.parametrize("text", ["", "/", "\\", "-", "nan", "NaN", " / ", "／", "None"])
def test_missing_values(text: str) -> None:
    assert whole_number(text) is None
    assert is_missing(text) or text == "None"


@pytest.mark.parametrize("text", ["46.5", "4+7", "x", "1e5", "46 47", "0x2e", "1,234"])
def test_other_text_is_no_number(text: str) -> None:
    with pytest.raises(ValueError, match="whole number"):
        whole_number(text)


@given(st.text(max_size=30))
def test_no_text_breaks_the_cell_parsers(text: str) -> None:
    assert set(normalise_header(text)) <= set("abcdefghijklmnopqrstuvwxyz0123456789")
    try:
        number = whole_number(text)
    except ValueError:
        return
    assert number is None or isinstance(number, int)


@pytest.mark.parametrize("text", ["1000000001", "-1000000001", "1" + "0" * 30, "9" * 5000, f"-{10**30}.0"])
def test_numbers_that_no_frame_has(text: str) -> None:
    with pytest.raises(ValueError, match="is beyond 1,000,000,000"):
        whole_number(text)
