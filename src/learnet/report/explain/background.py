"""Backgrounds of maps: the motion image, or a line drawing of the average face, which shows nobody."""

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Float, UInt8
from matplotlib.axes import Axes

from learnet.core.figure_style import MUTED
from learnet.report.explain.face_regions import FacePlacement
from learnet.simulation.geometry import average_face
from learnet.simulation.outline import face_lines

SIGNED = "PuOr"  # colour map of signed values
UNSIGNED = "Purples"
CELLS = 14
"""Largest number of cells a side of a map over the average face.

Finer maps can show the edges of the face of the person. A cell is 14 mm of a face; an eye is two and a half
cells wide.
"""


@dataclass(frozen=True)
class Background:
    """Background of a map, and the position of the face in it."""

    image: (
        UInt8[np.ndarray, "S S 3"] | None
    )  # the motion image; None where nothing of the person may be shown
    placement: FacePlacement | None  # of the face; None where it is unknown

    @property
    def anonymous(self) -> bool:
        """Return whether nothing of the person is shown."""
        return self.image is None

    @property
    def title(self) -> str:
        """Return the title of the background drawn alone."""
        if self.image is not None:
            return "motion image"
        return "average face" if self.placement else "position of the face\nis unknown"

    @property
    def side(self) -> int:
        """Return height and width in pixels; 1 where nothing is known."""
        if self.image is not None:
            return self.image.shape[0]
        return self.placement.size if self.placement else 1

    def prepare_maps(self, maps: Float[np.ndarray, "*N h w"]) -> Float[np.ndarray, "*N a b"]:
        """Return the maps as they are drawn and tabulated: unchanged, or coarse (CELLS) if anonymous."""
        if self.anonymous:
            return coarsen(maps)
        return maps

    def draw(self, axes: Axes, grey: bool = False) -> None:
        """Draw the image, in colour or grey, or the average face."""
        axes.set_axis_off()
        if self.image is None:
            draw_average_face(axes, self.placement)
        elif grey:
            axes.imshow(self.image.mean(axis=-1), cmap="gray", vmin=0, vmax=255, interpolation="nearest")
        else:
            axes.imshow(self.image, interpolation="nearest")

    def draw_map(
        self, axes: Axes, values: Float[np.ndarray, "h w"], limit: float, signed: bool = True
    ) -> None:
        """Draw a map over the background: the stronger, the more opaque; `limit` has the fullest colour."""
        values = self.prepare_maps(values)
        strength = np.clip(np.abs(values) / limit, 0, 1)
        axes.imshow(
            values,
            cmap=SIGNED if signed else UNSIGNED,
            vmin=-limit if signed else 0.0,
            vmax=limit,
            alpha=0.9 * np.sqrt(strength),  # the root keeps half of the strength visible
            interpolation="nearest",
            extent=(-0.5, self.side - 0.5, self.side - 0.5, -0.5),
        )


def draw_average_face(axes: Axes, placement: FacePlacement | None) -> None:
    """Draw the average face at its position in an image, in pixels; nothing where the position is unknown."""
    side = 1
    if placement is not None:
        side = placement.size
        for line in face_lines(average_face()):
            x, y = placement.to_pixels(line).T
            axes.plot(x, y, color=MUTED, linewidth=0.8, solid_capstyle="round")

    axes.set(xlim=(-0.5, side - 0.5), ylim=(side - 0.5, -0.5), aspect="equal")


def coarsen(maps: Float[np.ndarray, "*N h w"], cells: int = CELLS) -> Float[np.ndarray, "*N a b"]:
    """Return means over `cells` x `cells` equal parts of each map; smaller maps are returned unchanged."""
    if maps.shape[-1] <= cells:
        return maps
    coarse_maps = []
    for single_map in maps.reshape(-1, *maps.shape[-2:]):
        contiguous = np.ascontiguousarray(single_map)
        coarse_maps.append(cv2.resize(contiguous, (cells, cells), interpolation=cv2.INTER_AREA))
    return np.stack(coarse_maps).reshape(*maps.shape[:-2], cells, cells)
