"""Colours and settings of all matplotlib figures. This module does not load matplotlib.

The colours suit any colour vision: one blue whose strength shows amounts, and a palette for classes.
"""

from typing import Any

INK, MUTED, RULE, CELL = "#15191e", "#5c6670", "#d5dae0", "#5b9bd5"
DASHED = (0, (3, 2))

CLASS_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#000000", "#E69F00", "#56B4E9")
"""Colours of classes, distinct for all kinds of colour vision (Okabe and Ito, Color Universal Design)."""

STYLE: dict[Any, Any] = {
    "font.size": 9,
    "font.family": "sans-serif",
    "text.color": INK,
    "text.parse_math": False,  # a study may be called "$5"
    "axes.edgecolor": RULE,
    "axes.labelcolor": MUTED,
    "axes.titlesize": 9,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "svg.fonttype": "none",  # text can be read aloud and searched
    "svg.hashsalt": "learnet",  # the same figure gives the same bytes
}
"""For `matplotlib.rc_context`."""
