"""Motion images: a clip summarised in one picture of its motion. docs/motion.md describes each kind.

`dynamic` and `active` (weighted sums of all frames), `flow` (optical flow), `single` (single frames),
`lbp_top` and `lbp_fip` (histograms of local patterns) and `bi_woof` (histograms of flow) compute the images;
`apex` detects the apex, `magnify` precedes them and `normalise` follows.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Literal

import numpy as np
from jaxtyping import Float32, UInt8

from learnet.motion.active import active_image
from learnet.motion.bi_woof import bi_woof
from learnet.motion.dynamic import (
    dynamic_image,
    dynamic_image_fall,
    dynamic_image_linear,
    dynamic_image_released,
    dynamic_image_rise,
)
from learnet.motion.flow import flow_dis, flow_image, flow_tvl1
from learnet.motion.lbp_fip import lbp_fip
from learnet.motion.lbp_top import lbp_top
from learnet.motion.rank_svm import dynamic_image_exact
from learnet.motion.single import apex_face, difference, onset_face

Crops = UInt8[np.ndarray, "T S S 3"]
Image = Float32[np.ndarray, "S S 3"]
MotionFunction = Callable[[Crops, int | None], Image]

GREY_CHANNELS = ("red, grey levels", "green, grey levels", "blue, grey levels")
FLOW_CHANNELS = ("u, pixels to the right", "v, pixels down", "strain")
ACTIVE_CHANNELS = ("grey levels", "grey levels", "grey levels")
WOOF_CHANNELS = ("feature, root", "direction, root of share", "strain, root of share")
FIP_CHANNELS = ("XY, XT and YT, root of share", "vertices, root of share", "empty")
SHARE_CHANNELS = ("XY, root of share", "XT, root of share", "YT, root of share")


@dataclass(frozen=True)
class MotionImage:
    """One kind of motion image."""

    compute: MotionFunction
    """Maps aligned faces in time order, and the position of the apex among them or None, to the image.

    The image is signed and not limited to a range.
    """
    family: Literal["image", "flow", "histograms"] = "image"
    """What the channels are.

    Of a mirrored face, an image is the mirror image, and flow the mirror image with the sign of its first
    channel reversed; histograms have no mirror image.
    """
    fixed_weights: bool = False
    """Whether it is a sum with weights that depend on the number of frames alone.

    Linear operations may then be applied to the sum instead of to each frame.
    """
    needs_apex: bool = False
    min_frames: int = 2
    """Frames without which there is no image."""
    channels: tuple[str, str, str] = GREY_CHANNELS
    """Names of the channels, with units."""


def _of_all_frames(function: Callable[[Crops], Image]) -> MotionFunction:
    """Return a motion function that ignores the apex."""
    return lambda crops, apex: function(crops)


TVL1_MOTIONS = ("flow-tvl1", "bi-woof")
"""Kinds that are computed by TV-L1, which is slow and needs scikit-image."""

MOTION_IMAGES: dict[str, MotionImage] = {
    "dynamic": MotionImage(_of_all_frames(dynamic_image), fixed_weights=True),
    "dynamic-released": MotionImage(_of_all_frames(dynamic_image_released), fixed_weights=True),
    "dynamic-linear": MotionImage(_of_all_frames(dynamic_image_linear), fixed_weights=True),
    "dynamic-exact": MotionImage(_of_all_frames(dynamic_image_exact)),
    "dynamic-rise": MotionImage(dynamic_image_rise, needs_apex=True),
    "dynamic-fall": MotionImage(dynamic_image_fall, needs_apex=True),
    "active": MotionImage(
        _of_all_frames(active_image), fixed_weights=True, min_frames=3, channels=ACTIVE_CHANNELS
    ),
    "flow-dis": MotionImage(
        partial(flow_image, estimator=flow_dis), family="flow", needs_apex=True, channels=FLOW_CHANNELS
    ),
    "flow-tvl1": MotionImage(
        partial(flow_image, estimator=flow_tvl1), family="flow", needs_apex=True, channels=FLOW_CHANNELS
    ),
    "difference": MotionImage(difference, needs_apex=True),
    "onset-face": MotionImage(onset_face),
    "apex-face": MotionImage(apex_face, needs_apex=True),
    "lbp-top": MotionImage(_of_all_frames(lbp_top), family="histograms", channels=SHARE_CHANNELS),
    "bi-woof": MotionImage(bi_woof, family="histograms", needs_apex=True, channels=WOOF_CHANNELS),
    "lbp-fip": MotionImage(_of_all_frames(lbp_fip), family="histograms", channels=FIP_CHANNELS),
}
