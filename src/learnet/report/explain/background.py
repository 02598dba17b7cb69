"""What maps are drawn over: the motion image, or in its place the average face in lines, which is nobody's."""

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Float, UInt8
from matplotlib.axes import Axes

from learnet.report.explain.face_regions import FacePlacement
from learnet.report.style import MUTED
from learnet.simulation.geometry import average_face
from learnet.simulation.outline import face_lines

SIGNED = "PuOr"
STRONG = "Purples"
CELLS = 14
"""Maps over the average face have at most so many cells a side, as finer ones can draw the edges of the person's face. A cell is then 14 mm
of a face: two and a half of them span an eye."""


@dataclass(frozen=True)
class Background:
    """Where a map lies."""

    image: UInt8[np.ndarray, "S S 3"] | None  # the motion image; None where nothing of the person may be seen
    placement: FacePlacement | None  # of the face; None where nobody knows

    @property
    def anonymous(self) -> bool:
        """Whether the person is hidden."""
        return self.image is None

    @property
    def title(self) -> str:
        """What is seen where nothing lies over it."""
        if self.image is not None:
            return "motion image"
        return "average face" if self.placement else "where the face lies\nis not known"

    def shown(self, maps: Float[np.ndarray, "*N h w"]) -> Float[np.ndarray, "*N a b"]:
        """The maps that are drawn and told: as they are, or where the person is hidden as coarse as CELLS."""
        return coarsen(maps) if self.anonymous else maps

    def draw(self, axes: Axes, grey: bool = False) -> None:
        """The image, in colour or grey, or the lines of the average face."""
        axes.set_axis_off()
        if self.image is None:
            draw_average_face(axes, self.placement)
        elif grey:
            axes.imshow(self.image.mean(axis=-1), cmap="gray", vmin=0, vmax=255, interpolation="nearest")
        else:
            axes.imshow(self.image, interpolation="nearest")

    def over(self, axes: Axes, found: Float[np.ndarray, "h w"], limit: float, signed: bool = True) -> None:
        """A map over what `draw` has drawn, the stronger the denser; LIMIT has the fullest colour."""
        found = self.shown(found)
        dense = np.sqrt(
            np.clip(np.abs(found) / limit, 0, 1)
        )  # the root, so that half of the strength can still be seen
        side = self.image.shape[0] if self.image is not None else self.placement.size if self.placement else 1
        low = -limit if signed else 0.0
        axes.imshow(found, cmap=SIGNED if signed else STRONG, vmin=low, vmax=limit, alpha=0.9 * dense, interpolation="nearest",
                    extent=(-0.5, side - 0.5, side - 0.5, -0.5))  # fmt: skip


def draw_average_face(axes: Axes, where: FacePlacement | None) -> None:
    """The average face where an image has it, in the image's pixels; an empty square where nobody knows."""
    side = where.size if where else 1
    for line in face_lines(average_face()) if where else []:
        x, y = where.to_pixels(line).T  # type: ignore[union-attr]
        axes.plot(x, y, color=MUTED, linewidth=0.8, solid_capstyle="round")
    axes.set(xlim=(-0.5, side - 0.5), ylim=(side - 0.5, -0.5), aspect="equal")


def coarsen(maps: Float[np.ndarray, "*N h w"], most: int = CELLS) -> Float[np.ndarray, "*N a b"]:
    """Means over at most MOST x MOST even parts of each map; smaller maps stay as they are."""
    if maps.shape[-1] <= most:
        return maps
    flat = maps.reshape(-1, *maps.shape[-2:])
    small = [
        cv2.resize(np.ascontiguousarray(one), (most, most), interpolation=cv2.INTER_AREA) for one in flat
    ]
    return np.stack(small).reshape(*maps.shape[:-2], most, most)
