"""Motion images of single frames: the onset, the apex, and their difference."""

import numpy as np
from jaxtyping import Float32, UInt8

from learnet.core.errors import LearnetError

Crops = UInt8[np.ndarray, "T S S 3"]
Image = Float32[np.ndarray, "S S 3"]


def difference(crops: Crops, apex: int | None) -> Image:
    """Return the apex frame minus the onset frame in grey levels, signed; 0 where nothing changed.

    Args:
        crops: aligned faces in time order, RGB, 0..255; the first is the onset.
        apex: position of the apex among them, from 1.

    Raises:
        LearnetError: no apex, or one that is not after the onset.
    """
    return apex_face(crops, apex) - onset_face(crops, apex)


def onset_face(crops: Crops, apex: int | None) -> Image:
    """Return the onset frame alone: a face at rest, without any motion.

    This is a control. A network that recognises emotions in it has learned who shows which emotion, or how a
    session
    was lit: the split leaks.
    """
    return crops[0].astype(np.float32)


def apex_face(crops: Crops, apex: int | None) -> Image:
    """Return the apex frame alone: the expression as a photograph, without the face at rest for comparison.

    Arguments and errors are those of `difference`.
    """
    if apex is None or not 0 < apex < len(crops):
        raise LearnetError(
            f"This image needs an apex after the onset, and {apex} of {len(crops)} frames is none."
        )
    return crops[apex].astype(np.float32)
