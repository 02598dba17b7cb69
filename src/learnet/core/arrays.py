"""Arrays of pixels as people have them in notebooks: numpy arrays, lists of arrays, tensors."""

import numpy as np
from jaxtyping import UInt8
from numpy.typing import ArrayLike

from learnet.core.errors import LearnetError

CHANNELS = (1, 3)  # grey and RGB
LARGEST = 255


class BadArray(LearnetError, ValueError):
    """An array whose shape, type or range is not what a function needs."""


def as_array(values: ArrayLike, name: str) -> np.ndarray:
    """Return an array of numbers: of an array, a list of arrays of one shape, or a tensor in main memory.

    Args:
        values: anything that `np.asarray` accepts.
        name: of the argument, for error messages.

    Raises:
        BadArray: parts of different shape, no numbers, or a tensor that must first be detached or copied from
            a GPU.
    """
    try:
        array = np.asarray(values)
    except (TypeError, ValueError, RuntimeError) as error:
        reason = str(error).split("\n")[0].rstrip(".")
        hint = "All parts need one shape; a tensor must be detached and on the CPU."
        raise BadArray(f"{name} cannot be made one array: {reason}.", hint) from None
    if array.dtype.kind not in "iuf":  # integers and floats
        raise BadArray(f"{name} must be numbers, and these are of type {array.dtype}.")
    return array


def as_frames(values: ArrayLike, name: str = "frames") -> np.ndarray:
    """Return the frames of a clip as an array (T, H, W, C).

    Raises:
        BadArray: no numbers, or another shape.
    """
    frames = as_array(values, name)
    if frames.ndim == 4:
        _check_channels_last(frames, name)
        return frames
    hint = f"Several frames are needed, each (H, W, C); grey ones become it by {name}[..., None]."
    raise BadArray(f"{name} must have the shape (T, H, W, C), and this is {frames.shape}.", hint)


def as_rgb_images(values: ArrayLike, name: str = "images", count: str = "N") -> UInt8[np.ndarray, "N H W 3"]:
    """Return RGB images, or frames, as one array of grey levels 0..255.

    Whole numbers of any type are accepted, if they are in this range.

    Args:
        values: images (N, H, W, 3), anything that `np.asarray` accepts.
        name: of the argument, for error messages.
        count: letter of the number of images there.

    Raises:
        BadArray: another shape, fractions, or values outside of 0..255.
    """
    images = as_array(values, name)
    if images.ndim == 4:
        _check_channels_last(images, name)
    if images.ndim != 4 or images.shape[-1] != 3:
        raise BadArray(f"{name} must have the shape ({count}, H, W, 3), and this is {images.shape}.")
    return as_grey_levels(images, name)


def as_square_images(values: ArrayLike, name: str = "images") -> UInt8[np.ndarray, "N S S 3"]:
    """Return square RGB images as one array of grey levels 0..255.

    Raises:
        BadArray: another shape or other values.
    """
    images = as_rgb_images(values, name)
    if images.shape[1] != images.shape[2]:
        what = f"{name} must be square, (N, S, S, 3), and this is {images.shape}."
        raise BadArray(what, "Resize or crop them.")
    return images


def as_grey_levels(values: np.ndarray, name: str) -> UInt8[np.ndarray, "..."]:
    """Return whole numbers from 0 to 255 as uint8.

    Raises:
        BadArray: fractions, or values outside of 0..255.
    """
    if values.dtype == np.uint8:
        return values
    low, high = (values.min(), values.max()) if values.size else (0, 0)
    if not (low >= 0 and high <= LARGEST):  # NaN is not in the range either
        raise BadArray(f"{name} must be grey levels 0..{LARGEST}, and these go from {low:g} to {high:g}.")
    levels = values.astype(np.uint8)
    if (levels == values).all():
        return levels
    hint = "Round them and convert to uint8."
    if high <= 1:
        hint = f"Multiply by {LARGEST}, round, and convert to uint8."
    raise BadArray(f"{name} must be whole numbers 0..{LARGEST}, and these go from {low:g} to {high:g}.", hint)


def _check_channels_last(images: np.ndarray, name: str) -> None:
    """Refuse channels before height and width, as PyTorch orders them."""
    channels_first = images.shape[1] in CHANNELS and images.shape[-1] not in CHANNELS
    if channels_first:
        what = f"{name} must have its channels last, and this is {images.shape}."
        raise BadArray(what, f"Reorder a tensor by {name}.permute(0, 2, 3, 1), an array by transpose.")
