"""LBP-FIP: the linear support vector machine on the histograms of `motion.lbp_fip`.

References:
    Wei, Zheng et al., Micro-expression recognition using local binary pattern from five intersecting planes,
    Multimedia Tools and Applications 2022 (doi 10.1007/s11042-022-12360-x). Their classifier is a support
    vector machine whose kernel and C are not known.
"""

from learnet.networks.baselines import HistogramSVM


class FIPHistogramSVM(HistogramSVM):
    """Apply `LinearSVM` to the 2675 relative frequencies of LBP-FIP.

    The channels of the image are those of LBP-TOP, of the vertices, and an empty one. Cells without a
    frequency are 0 and have no effect.
    """

    cells = 40
