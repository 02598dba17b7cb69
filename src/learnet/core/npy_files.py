"""Arrays in files of NumPy (.npy, .npz) that may be damaged or may not be what they are called."""

import io
import struct
import tokenize
import zlib
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
from jaxtyping import UInt8

# NumPy reads the header of an array as an expression of Python, which can fail in all these ways.
HEADER_ERRORS = (
    AttributeError,
    KeyError,
    MemoryError,
    OverflowError,
    RecursionError,
    SyntaxError,
    TypeError,
    ValueError,
    tokenize.TokenError,
)
ARCHIVE_ERRORS = (
    *HEADER_ERRORS,
    BadZipFile,
    EOFError,
    NotImplementedError,
    OSError,
    RuntimeError,
    struct.error,
    zlib.error,
)


def open_images(file: Path) -> UInt8[np.ndarray, "N S S 3"]:
    """Map the square RGB images of a file (.npy) into memory, read-only.

    Raises:
        OSError: the file cannot be read.
        ValueError: it is damaged, or holds something else.
    """
    try:
        with np.errstate(over="ignore"):  # of a shape that no memory can hold
            images = np.lib.format.open_memmap(file, mode="r")
    except HEADER_ERRORS as error:
        raise ValueError(f"{file.name} is damaged ({type(error).__name__})") from error
    if images.dtype != np.uint8 or images.ndim != 4 or images.shape[1:] != (*images.shape[1:2] * 2, 3):
        raise ValueError(f"{file.name} holds {images.dtype} {images.shape}, and no square RGB images")
    return images


def read_archive(file: Path) -> dict[str, np.ndarray]:
    """Return the arrays of a file (.npz) by their names.

    Raises:
        OSError: the file cannot be read.
        ValueError: it is damaged.
    """
    content = io.BytesIO(file.read_bytes())  # errors of reading are then those of the disk
    try:
        with np.load(content, allow_pickle=False) as stored:
            return dict(stored)
    except ARCHIVE_ERRORS as error:
        raise ValueError(f"{file.name} is damaged ({type(error).__name__})") from error
