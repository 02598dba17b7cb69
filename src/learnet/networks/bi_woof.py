"""Bi-WOOF: the linear support vector machine on the histograms of `motion.bi_woof`.

References:
    Liong, See, Wong, Phan, Less is more: Micro-expression recognition from video using apex frame, Signal
    Processing: Image Communication 62:82-92, 2018. The second classical baseline of MEGC2019.
"""

from jaxtyping import Float
from torch import Tensor

from learnet.networks.baselines import HistogramSVM


class BiWOOFSVM(HistogramSVM):
    """Apply `LinearSVM` to the 200 features of Bi-WOOF, read from the red channel of the image."""

    cells = 15

    def features(self, images: Float[Tensor, "B 3 S S"]) -> Float[Tensor, "B 3 15 15"]:
        """Return the feature in the middle of each cell, 0..1, in the first channel; the others are 0.

        Channels and middles of blocks that are 0 in every image have no effect on the classifier.
        """
        values = super().features(images)
        only_red = values.new_tensor([1, 0, 0])[:, None, None]
        return values * only_red
