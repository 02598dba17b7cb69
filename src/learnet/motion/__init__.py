"""Motion images: a clip folded into one picture. docs/motion.md says what each shows and when to use it.

The members: `dynamic` (weighted sums of all frames), `flow` (how far the skin moves), `single` (single frames), `lbp_top` (histograms of
small patterns), which make the images; `apex` (found from motion), `magnify` (before) and `normalise` (after). They do not know each
other and meet here.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Literal

import numpy as np
from jaxtyping import Float32, UInt8

from learnet.motion.dynamic import (
    dynamic_image,
    dynamic_image_exact,
    dynamic_image_fall,
    dynamic_image_linear,
    dynamic_image_released,
    dynamic_image_rise,
)
from learnet.motion.flow import flow_dis, flow_image, flow_tvl1
from learnet.motion.lbp_top import lbp_top
from learnet.motion.single import apex_face, difference, onset_face

MotionFunction = Callable[[UInt8[np.ndarray, "T S S 3"], int | None], Float32[np.ndarray, "S S 3"]]


@dataclass(frozen=True)
class MotionImage:
    """One kind of motion image."""

    compute: MotionFunction  # aligned faces in time order, and the position of the apex among them or None -> the image, signed, without limits
    family: Literal["image", "flow", "histograms"] = "image"
    """Of a mirrored face an image is the mirror image, and flow that with the sign of its first channel turned; histograms, drawn as a
    picture, have no mirror image."""
    fixed_weights: bool = False  # its weights depend on the number of frames alone: what is linear may be done to the sum as well as to each frame
    needs_apex: bool = False
    channels: tuple[str, str, str] = (
        "red, grey levels",
        "green, grey levels",
        "blue, grey levels",
    )  # what they are, with units


FLOW_CHANNELS = ("u, pixels to the right", "v, pixels down", "strain")
SHARE_CHANNELS = ("XY, root of share", "XT, root of share", "YT, root of share")


def _of_all(fold: Callable[[UInt8[np.ndarray, "T S S 3"]], Float32[np.ndarray, "S S 3"]]) -> MotionFunction:
    """A kind that takes the whole clip, wherever its apex is."""
    return lambda crops, apex: fold(crops)


MOTION_IMAGES: dict[str, MotionImage] = {
    "dynamic": MotionImage(_of_all(dynamic_image), fixed_weights=True),
    "dynamic-released": MotionImage(_of_all(dynamic_image_released), fixed_weights=True),
    "dynamic-linear": MotionImage(_of_all(dynamic_image_linear), fixed_weights=True),
    "dynamic-exact": MotionImage(_of_all(dynamic_image_exact)),
    "dynamic-rise": MotionImage(dynamic_image_rise, needs_apex=True),
    "dynamic-fall": MotionImage(dynamic_image_fall, needs_apex=True),
    "flow-dis": MotionImage(
        partial(flow_image, measure=flow_dis), family="flow", needs_apex=True, channels=FLOW_CHANNELS
    ),
    "flow-tvl1": MotionImage(
        partial(flow_image, measure=flow_tvl1), family="flow", needs_apex=True, channels=FLOW_CHANNELS
    ),
    "difference": MotionImage(difference, needs_apex=True),
    "onset-face": MotionImage(onset_face),
    "apex-face": MotionImage(apex_face, needs_apex=True),
    "lbp-top": MotionImage(_of_all(lbp_top), family="histograms", channels=SHARE_CHANNELS),
}
