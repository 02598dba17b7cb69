"""Motion images: a clip folded into one picture. Each takes frames (T,H,W,C) and returns float32 (H,W,C)."""

from collections.abc import Callable

import numpy as np

from learnet.motion.dynamic import dynamic_image, dynamic_image_exact, dynamic_image_linear, dynamic_image_released

MOTION_IMAGES: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "dynamic": dynamic_image,
    "dynamic-released": dynamic_image_released,
    "dynamic-linear": dynamic_image_linear,
    "dynamic-exact": dynamic_image_exact,
}

WEIGHTED_SUMS = frozenset({"dynamic", "dynamic-released", "dynamic-linear"})
"""Those whose weights depend on the number of frames alone, so that whatever is linear may be done to the sum as well as to each frame."""
