"""Bi-WOOF: the linear support vector machine on the histograms of `motion.bi_woof`.

References:
    Liong, See, Wong, Phan, Less is more: Micro-expression recognition from video using apex frame, Signal
    Processing: Image Communication 62:82-92, 2018. The second classical baseline of MEGC2019.
"""

from jaxtyping import Float, Int64
from torch import Tensor, nn

from learnet.networks.baselines import LinearSVM
from learnet.networks.layers import cell_values

CELLS = 15  # per row of an image, as drawn by `motion.bi_woof`


class BiWOOFSVM(nn.Module):
    """Apply `LinearSVM` to the 200 features of Bi-WOOF, read from the red channel of the image.

    A cell is the square root of a feature f, rounded to 1/255, so f is read to within sqrt(f) / 255.

    Args:
        classes: number of classes K.
        size: height and width S of the images in pixels.
        seed: unused, since nothing is random; every network is constructed with a seed.
    """

    def __init__(self, classes: int, size: int = 112, seed: int = 0) -> None:
        super().__init__()
        self.svm = LinearSVM(classes, CELLS, seed)

    def fit(self, images: Float[Tensor, "N 3 S S"], labels: Int64[Tensor, "N"]) -> None:
        """Fit the classifier to images in -1..1 and their classes 0..K-1, as `LinearSVM.fit`."""
        self.svm.fit(self.features(images), labels)

    def forward(self, images: Float[Tensor, "B 3 S S"]) -> Float[Tensor, "B K"]:
        """Return the scores of `LinearSVM`."""
        return self.svm(self.features(images))

    def features(self, images: Float[Tensor, "B 3 S S"]) -> Float[Tensor, "B 3 15 15"]:
        """Return the feature in the middle of each cell, 0..1, in the first channel; the others are 0.

        Channels and middles of blocks that are 0 in every image have no effect on the classifier.
        """
        cells = cell_values(images, CELLS).square()
        only_red = cells.new_tensor([1, 0, 0])[:, None, None]
        return cells * only_red
