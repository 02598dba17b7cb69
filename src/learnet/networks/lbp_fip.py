"""LBP-FIP: the linear support vector machine on the histograms of `motion.lbp_fip`.

References:
    Wei, Zheng et al., Micro-expression recognition using local binary pattern from five intersecting planes,
    Multimedia Tools and Applications 2022 (doi 10.1007/s11042-022-12360-x). Their classifier is a support
    vector machine whose kernel and C are not known.
"""

from jaxtyping import Float, Int64
from torch import Tensor, nn

from learnet.networks.baselines import LinearSVM
from learnet.networks.layers import cell_values

CELLS = 40  # per row of an image, as drawn by `motion.lbp_fip`


class FIPHistogramSVM(nn.Module):
    """Apply `LinearSVM` to the 2675 relative frequencies of LBP-FIP, read from the image.

    A cell of the image is the square root of a frequency p, rounded to 1/255, so p is read to within
    sqrt(p) / 255. Cells without a frequency are 0 and have no effect.

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
        self.svm.fit(self.frequencies(images), labels)

    def forward(self, images: Float[Tensor, "B 3 S S"]) -> Float[Tensor, "B K"]:
        """Return the scores of `LinearSVM`."""
        return self.svm(self.frequencies(images))

    def frequencies(self, images: Float[Tensor, "B 3 S S"]) -> Float[Tensor, "B 3 40 40"]:
        """Return the frequency in the middle of each cell, 0..1: red LBP-TOP, green the vertices, blue 0."""
        return cell_values(images, CELLS).square()
