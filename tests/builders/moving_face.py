"""A film with a known answer: the public-domain portrait of scikit-image, moved as a whole and in one place,
by known amounts."""

from dataclasses import dataclass

import cv2
import numpy as np
import skimage.data

PUPILS = np.array(
    [[203.0, 101.3], [246.3, 103.0]]
)  # in skimage.data.astronaut(), read off an enlargement by eye, to half a pixel
MOUTH_CORNER = np.array([245.2, 140.5])
RIGID = np.array(
    [[225, 103], [213, 103.2], [236.5, 104.2], [205, 75], [245, 75], [224, 115]], dtype=float
)  # nose, eye corners, forehead
ZOOM = 2.0
CORNER = np.array([130.0, 2.0])  # of the part of the portrait that the film shows
SIZE = (480, 400)  # width and height of a frame: the size of a face in the databases

Matrix = np.ndarray  # 2x3, places in the resting frame to places in a frame


def placed(points: np.ndarray) -> np.ndarray:
    """Places in the portrait to places in the resting frame."""
    return (points + 0.5 - CORNER) * ZOOM - 0.5


def turned(degrees: float, scale: float, shift: tuple[float, float]) -> Matrix:
    """A turn and growth around the middle of the frame, then a shift, by the textbook."""
    cosine, sine = scale * np.cos(np.radians(degrees)), scale * np.sin(np.radians(degrees))
    linear = np.array([[cosine, -sine], [sine, cosine]])
    middle = np.array(SIZE) / 2
    return np.column_stack([linear, middle - linear @ middle + shift])


@dataclass(frozen=True)
class Bump:
    """A local movement: a Gaussian of this radius around a place of the resting frame, moved by (dx, dy) at
    its centre. Pixels."""

    centre: np.ndarray
    radius: float
    shift: np.ndarray

    def __call__(self, points: np.ndarray) -> np.ndarray:
        """How far each place of the resting frame moves."""
        distance = ((points - self.centre) ** 2).sum(axis=-1)
        return self.shift * np.exp(-distance / (2 * self.radius**2))[..., None]


def moved(matrix: Matrix, bump: Bump | None, points: np.ndarray) -> np.ndarray:
    """Where places of the resting face are once the face has moved in one place and the head has moved as a
    whole."""
    local = points if bump is None else points + bump(points)
    return local @ matrix[:, :2].T + matrix[:, 2]


def frame(matrix: Matrix, bump: Bump | None = None, noise: float = 0.0, seed: int = 0) -> np.ndarray:
    """One frame, RGB: each pixel looks up where its piece of skin lies in the portrait, in one cubic
    interpolation."""
    linear = np.linalg.inv(matrix[:, :2])
    columns, rows = np.meshgrid(np.arange(SIZE[0]), np.arange(SIZE[1]))
    still = (np.stack([columns, rows], axis=-1) - matrix[:, 2]) @ linear.T
    rest = still
    for _ in range(
        8 if bump is not None else 0
    ):  # x + bump(x) = still, by fixed-point steps; the bumps here are gentle
        rest = still - bump(rest)
    source = ((rest + 0.5) / ZOOM + CORNER - 0.5).astype(np.float32)
    picture = cv2.remap(
        skimage.data.astronaut(),
        source[..., 0],
        source[..., 1],
        cv2.INTER_CUBIC,
        borderMode=cv2.BORDER_REFLECT,
    )
    if noise:
        picture = picture + np.random.default_rng(seed).normal(0, noise, picture.shape)
    return np.clip(np.round(picture), 0, 255).astype(np.uint8)
