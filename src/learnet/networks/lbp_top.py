"""LBP-TOP: the linear support vector machine on the histograms of `motion.lbp_top`.

References:
    The baseline of MEGC2019 is a linear SVM on LBP-TOP. Its C and its scaling of the frequencies are not
    known.
"""

from learnet.networks.baselines import HistogramSVM


class TOPHistogramSVM(HistogramSVM):
    """Apply `LinearSVM` to the 1200 relative frequencies of LBP-TOP.

    The channels of the image, and so of the features, are XY, XT and YT.
    """

    cells = 20
