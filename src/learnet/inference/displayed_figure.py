"""A matplotlib figure without pyplot that a notebook shows."""

import io

from matplotlib.figure import Figure


class DisplayedFigure(Figure):
    """A figure that a notebook shows as a picture where it is the value of a cell.

    Notebooks do so by themselves only with figures of pyplot.
    """

    def _repr_png_(self) -> bytes:
        picture = io.BytesIO()
        self.savefig(picture, format="png")
        return picture.getvalue()
