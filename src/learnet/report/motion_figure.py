"""A motion image as a picture in a notebook."""

import matplotlib.pyplot as plt  # the only figures that a notebook has to find by itself
import numpy as np
from jaxtyping import UInt8
from matplotlib.axes import Axes
from numpy.typing import ArrayLike

from learnet.core.arrays import BadArray, as_array
from learnet.motion.normalise import signed

WIDTH_IN = 3.0  # of a new figure
CHANNELS = (1, 3)


def show_motion(image: ArrayLike, ax: Axes | None = None, title: str = "") -> Axes:
    """Draw a motion image with matplotlib.

    Signed values, as `dynamic_image` returns them, are centred on grey: no motion is mid-grey, what became
    brighter is bright, what became darker is dark, and the largest change of all channels is black or white.
    Grey levels (uint8), as a prepared folder stores them, are drawn as they are.

    Args:
        image: motion image (H, W, 3), (H, W, 1) or (H, W): array or tensor; signed numbers, or uint8 grey
            levels 0..255.
        ax: where to draw; by default a new figure.
        title: above the picture.

    Returns:
        The axes, as of seaborn; `ax.figure.savefig("motion.png")` writes the picture.

    Raises:
        BadArray: another shape or type.
        LearnetError: values that are not finite.
    """
    levels = _grey_levels(image)
    if ax is None:
        _, ax = plt.subplots(figsize=(WIDTH_IN, WIDTH_IN), layout="constrained")
    ax.imshow(levels[..., 0] if levels.shape[-1] == 1 else levels, cmap="gray", vmin=0, vmax=255)
    ax.set_axis_off()
    ax.set_title(title)
    return ax


def _grey_levels(image: ArrayLike) -> UInt8[np.ndarray, "H W C"]:
    """Return the grey levels of a motion image; 128 is no motion where the image is signed."""
    array = as_array(image, "image")
    if array.ndim == 2:
        array = array[..., None]
    if array.ndim != 3 or array.shape[-1] not in CHANNELS:
        raise BadArray(
            f"A motion image has the shape (H, W, 3) or (H, W), and this is {np.shape(image)}.",
            "Draw one image at a time, with its channels last.",
        )
    return array if array.dtype == np.uint8 else signed(array.astype(np.float32))
