"""Interpret the text of spreadsheet cells: headers, missing values, whole numbers."""

import re
import unicodedata

MISSING = frozenset({"", "/", "\\", "-", "nan"})
"""What annotators write where there is no value. CASME II has `/` for an apex that was not found."""


MAX_NUMBER = 10**9
"""A frame of eleven days at 1000 frames per second. Greater numbers are slips, and do not fit into arrays."""


def normalise_header(header: str) -> str:
    """Return a header without case, blanks, line breaks and punctuation.

    `Onset Frame`, `OnsetFrame` and `onset_frame` become the same header.
    """
    return re.sub(r"[^a-z0-9]", "", unicodedata.normalize("NFKC", header).lower())


def is_missing(text: str) -> bool:
    """Return whether a cell holds no value: empty, `/`, `\\`, `-` or `nan`."""
    return unicodedata.normalize("NFKC", text).strip().lower() in MISSING


def whole_number(text: str) -> int | None:
    """Return the whole number in a cell.

    Returns:
        46 for `46`, `46.0` and ` 46 `; None for a missing value.

    Raises:
        ValueError: the cell holds something else, or a number beyond MAX_NUMBER.
    """
    plain = unicodedata.normalize("NFKC", text).strip()
    if is_missing(plain) or plain.lower() == "none":
        return None
    if not re.fullmatch(r"[+-]?\d+(\.0*)?", plain, re.ASCII):
        raise ValueError(f"{text!r} is not a whole number")
    digits = plain.partition(".")[0]
    if len(digits.lstrip("+-0")) > len(str(MAX_NUMBER)) or abs(int(digits)) > MAX_NUMBER:
        shown = text if len(text) <= 40 else f"{text[:40]}..."
        raise ValueError(f"{shown!r} is beyond {MAX_NUMBER:,}")
    return int(digits)


def number_or_none(text: str) -> int | None:
    """Return `whole_number`, or None where the cell holds something else."""
    try:
        return whole_number(text)
    except ValueError:
        return None
