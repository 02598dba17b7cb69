"""People who do not exist: the portrait reshaped to another face's landmarks, recoloured, textured and lit."""

from dataclasses import dataclass, field

import cv2
import numpy as np
from jaxtyping import Float32, Float64, UInt8

from learnet.simulation.geometry import Geometry, View, vary_face
from learnet.simulation.movement import sample_image
from learnet.simulation.portrait import portrait

Colour = tuple[float, float, float]  # red, green, blue, grey levels 0..255

SKIN_TONES: tuple[tuple[int, int, int], ...] = (
    (232, 196, 176),
    (219, 178, 150),
    (203, 158, 126),
    (176, 128, 96),
    (140, 96, 70),
    (104, 70, 52),
)
HAIR_TONES: tuple[tuple[int, int, int], ...] = (
    (28, 25, 24),
    (42, 34, 30),
    (70, 50, 36),
    (104, 76, 50),
    (150, 116, 76),
    (122, 114, 106),
    (112, 62, 36),
)
WALL_TONES: tuple[tuple[int, int, int], ...] = (
    (196, 196, 192),
    (150, 160, 172),
    (214, 206, 190),
    (120, 126, 130),
    (168, 178, 162),
    (92, 98, 110),
)
KNEE = np.float32(200)  # grey level from which bright parts are compressed, as cameras do
GRID_STEP = 4  # smooth maps are computed on every fourth pixel


@dataclass(frozen=True)
class Person:
    """Everything that makes one face look like itself. Nothing here knows which expressions the person will make."""

    geometry: Geometry = field(hash=False)
    mirrored: bool  # the portrait was mirrored first
    skin: Colour
    hair: Colour
    cloth: Colour
    wall: Colour
    lips: float  # how much redder than the skin the lips are, 0..1
    brow_width: float  # face widths
    brow_strength: float  # 0..1
    stubble: float  # 0..1
    pores: float  # strength of the fine skin texture, share of the grey level
    freckles: int  # dark spots
    light: tuple[float, float, float]  # direction to the lamp: right, up, strength of its shading (0..1)
    seed: int  # of texture, wall and cloth patterns


def make_person(rng: np.random.Generator) -> Person:
    """Somebody new."""

    def tone(table: tuple[tuple[int, int, int], ...], jitter: float) -> Colour:
        first, second = (np.array(table[i]) for i in rng.choice(len(table), 2, replace=False))
        mixed = first + rng.uniform(0, 0.5) * (second - first) + rng.normal(0, jitter, 3)
        red, green, blue = np.clip(mixed, 16, 240).tolist()
        return red, green, blue

    angle = rng.uniform(0, 2 * np.pi)
    return Person(
        geometry=vary_face(rng),
        mirrored=bool(rng.integers(2)),
        skin=tone(SKIN_TONES, 3.0),
        hair=tone(HAIR_TONES, 4.0),
        cloth=tone(WALL_TONES, 25.0),
        wall=tone(WALL_TONES, 8.0),
        lips=float(rng.uniform(0.0, 1.0)),
        brow_width=float(rng.uniform(0.010, 0.024)),
        brow_strength=float(rng.uniform(0.25, 0.85)),
        stubble=float(max(0.0, rng.uniform(-0.8, 0.5))),
        pores=float(rng.uniform(0.015, 0.04)),
        freckles=int(rng.integers(0, 25)),
        light=(float(np.cos(angle)), float(0.4 + 0.4 * np.sin(angle)), float(rng.uniform(0.15, 0.45))),
        seed=int(rng.integers(2**31)),
    )


def render_still(person: Person, view: View) -> UInt8[np.ndarray, "H W 3"]:
    """The person at rest, as a sharp, noiseless photograph: RGB, grey levels."""
    rng = np.random.default_rng(person.seed)
    source = portrait()
    back = _to_portrait(person, view)
    pixels = sample_image(source.pixels, back, cv2.INTER_CUBIC)
    masks = sample_image(np.dstack([source.skin, source.hair, source.cloth]), back, cv2.INTER_LINEAR)
    skin, hair, cloth = (masks[..., i : i + 1] for i in range(3))
    wall = np.clip(1 - masks.sum(axis=-1, keepdims=True), 0, 1)
    image = skin * _skin(pixels, person, view, rng)
    image += hair * _hair(pixels, person)
    image += cloth * _plain(person.cloth, view, rng, contrast=0.25, grain=0.03)
    image += wall * _plain(person.wall, view, rng, contrast=0.12, grain=0.005)
    head = np.clip(skin + hair + cloth, 0, 1)
    image *= 1 + head * (_shading(person, view)[..., None] - 1)
    image = np.where(
        image > KNEE, KNEE + (255 - KNEE) * np.tanh((image - KNEE) / (255 - KNEE)), image
    )  # no burnt-out skin
    return np.clip(np.round(image), 0, 255).astype(np.uint8)


def _to_portrait(person: Person, view: View) -> Float32[np.ndarray, "H W 2"]:
    """Where in the enlarged portrait each pixel of the view looks: the thin-plate spline through all landmarks."""
    points = portrait().points
    swap = {"left": "right", "right": "left"} if person.mirrored else {}
    names = [name for name in person.geometry.points if name in points]
    here = np.array([person.geometry.points[name] for name in names])
    there = np.array([points[" ".join(swap.get(word, word) for word in name.split())] for name in names])
    corners = np.array([(u, v) for u in (-1.6, 1.6) for v in (-1.3, 1.5)])
    affine = np.linalg.lstsq(np.column_stack([here, np.ones(len(here))]), there, rcond=None)[0]
    here, there = (
        np.vstack([here, corners]),
        np.vstack([there, np.column_stack([corners, np.ones(4)]) @ affine]),
    )
    grid = view.coarser(GRID_STEP)
    u, v = grid.face_grid()
    coarse = _thin_plate(here, there, np.stack([u.ravel(), v.ravel()], axis=1)).reshape(*u.shape, 2)
    return _finer(coarse, view)


def _thin_plate(
    here: Float64[np.ndarray, "N 2"], there: Float64[np.ndarray, "N 2"], at: Float32[np.ndarray, "M 2"]
) -> Float32[np.ndarray, "M 2"]:
    """The smoothest map (least bending) that takes each HERE to its THERE, at the places AT. Bookstein, PAMI 11(6), 1989."""

    def bend(a: Float64[np.ndarray, "A 2"], b: Float64[np.ndarray, "B 2"]) -> Float64[np.ndarray, "A B"]:
        square = ((a[:, None, :] - b[None, :, :]) ** 2).sum(axis=-1)
        return square * np.log(square + 1e-12)

    n = len(here)
    plane = np.column_stack([np.ones(n), here])
    system = np.zeros((n + 3, n + 3))
    system[:n, :n] = bend(here, here) + 1e-4 * np.eye(
        n
    )  # a little slack, so that two close landmarks cannot tear the skin
    system[:n, n:], system[n:, :n] = plane, plane.T
    weights = np.linalg.solve(system, np.vstack([there, np.zeros((3, 2))]))
    at = at.astype(np.float64)
    return (bend(at, here) @ weights[:n] + np.column_stack([np.ones(len(at)), at]) @ weights[n:]).astype(
        np.float32
    )


def _finer(coarse: Float32[np.ndarray, "h w 2"], view: View) -> Float32[np.ndarray, "H W 2"]:
    """A smooth map from every STEP-th pixel to all pixels."""
    height, width = coarse.shape[:2]
    return cv2.resize(coarse, (width * GRID_STEP, height * GRID_STEP), interpolation=cv2.INTER_CUBIC)[
        : view.height, : view.width
    ]


def _skin(
    pixels: Float32[np.ndarray, "H W 3"], person: Person, view: View, rng: np.random.Generator
) -> Float32[np.ndarray, "H W 3"]:
    """Skin of the person's tone with lips, brows, stubble, freckles and pores; eyes keep their own grey."""
    u, v = view.face_grid()
    usual = np.array([222, 186, 163], np.float32)  # mean of the portrait's skin
    eyes = _eyes(u, v, person.geometry)
    gain = np.array(person.skin, np.float32) / usual
    image = pixels * (gain + eyes[..., None] * (np.float32(0.35 + 0.65 * gain.mean()) - gain))
    grain = _pattern(rng, view, 0.9) + 0.8 * _pattern(rng, view, 2.0) + 0.5 * _pattern(rng, view, 5.0)
    dark = np.float32(person.pores) * grain * (1 - 0.9 * eyes)
    dark -= np.float32(person.stubble) * _beard(u, v) * (0.60 + 0.16 * _pattern(rng, view, 1.0))
    for _ in range(person.freckles):
        spot_u, spot_v = rng.uniform(-0.42, 0.42), rng.uniform(-0.2, 0.7)
        size, depth = rng.uniform(0.004, 0.010), rng.uniform(0.08, 0.35)
        dark -= (
            np.float32(depth)
            * np.exp(-0.5 * ((u - spot_u) ** 2 + (v - spot_v) ** 2) / np.float32(size**2))
            * (1 - eyes)
        )
    image = image * np.clip(1 + dark, 0.2, 1.6)[..., None]
    mouth = np.float32(0.22 * person.lips) * _lips(u, v, person.geometry)
    image = image * (1 - mouth[..., None] * np.array([0.3, 1.0, 0.8], np.float32))
    brow = (_brows(u, v, person) * np.clip(0.85 + 0.3 * _pattern(rng, view, 1.2), 0, 1))[..., None]
    return image * (1 - brow) + np.array(person.hair, np.float32) * 0.7 * brow


def _eyes(
    u: Float32[np.ndarray, "H W"], v: Float32[np.ndarray, "H W"], face: Geometry
) -> Float32[np.ndarray, "H W"]:
    """1 in the eye openings, fading out at the lids."""
    mask = np.zeros_like(u)
    for side in ("left", "right"):
        (inner, _), (outer, _) = face.at("inner eye", side), face.at("outer eye", side)
        (_, high), (_, low) = face.at("upper lid", side), face.at("lower lid", side)
        across = (u - np.float32((inner + outer) / 2)) / np.float32(0.45 * (outer - inner))
        along = (v - np.float32((high + low) / 2)) / np.float32(0.6 * (low - high))
        mask = np.maximum(mask, np.clip(1.6 - across**2 - along**2, 0, 1))
    return mask


def _lips(
    u: Float32[np.ndarray, "H W"], v: Float32[np.ndarray, "H W"], face: Geometry
) -> Float32[np.ndarray, "H W"]:
    """1 on the lips, fading out at their outlines."""
    (left, _), (right, _) = face.at("lip corner", "left"), face.at("lip corner", "right")
    (_, high), (_, low) = face.at("upper lip middle"), face.at("lower lip middle")
    across = (u - np.float32((left + right) / 2)) / np.float32((left - right) / 2)
    along = (v - np.float32((low + high) / 2)) / np.float32((low - high) / 2)
    return np.clip(1.3 - across**2 - along**2, 0, 1)


def _brows(
    u: Float32[np.ndarray, "H W"], v: Float32[np.ndarray, "H W"], person: Person
) -> Float32[np.ndarray, "H W"]:
    """Hair of the brows along their three landmarks, 0..1, thinning outwards."""
    mask = np.zeros_like(u)
    for side in ("left", "right"):
        marks = np.array(
            [person.geometry.at(name, side) for name in ("inner brow", "middle brow", "outer brow")]
        )
        curve = np.polyfit(marks[:, 0], marks[:, 1], 2).astype(np.float32)
        middle = curve[0] * u * u + curve[1] * u + curve[2]
        share = (u - np.float32(marks[0, 0])) / np.float32(
            marks[2, 0] - marks[0, 0]
        )  # 0 at the inner end, 1 at the outer
        width = np.float32(person.brow_width) * (1.15 - 0.6 * np.clip(share, 0, 1))
        ends = np.clip((share + 0.10) / 0.15, 0, 1) * np.clip((1.08 - share) / 0.15, 0, 1)
        mask = np.maximum(mask, ends * np.exp(-0.5 * ((v - middle) / width) ** 2))
    return np.float32(person.brow_strength) * mask


def _beard(u: Float32[np.ndarray, "H W"], v: Float32[np.ndarray, "H W"]) -> Float32[np.ndarray, "H W"]:
    """Where a beard grows: chin, jaw and above the upper lip, 0..1."""
    jaw = 1 / (1 + np.exp(-(v - 0.42 - 0.25 * np.clip(0.32 - np.abs(u), 0, 1)) / np.float32(0.05)))
    lip = np.exp(-0.5 * (((v - 0.375) / np.float32(0.03)) ** 2 + (u / np.float32(0.13)) ** 2))
    return np.clip(0.9 * jaw + 0.7 * lip, 0, 1).astype(np.float32)


def _hair(pixels: Float32[np.ndarray, "H W 3"], person: Person) -> Float32[np.ndarray, "H W 3"]:
    """The portrait's strands in the person's tone; 118 is the mean grey of its hair."""
    strands = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)[..., None] / np.float32(118)
    return np.array(person.hair, np.float32) * np.clip(strands, 0.05, 2.0)


def _plain(
    tone: Colour, view: View, rng: np.random.Generator, contrast: float, grain: float
) -> Float32[np.ndarray, "H W 3"]:
    """A wall or a piece of cloth: one tone, large soft differences, a little grain."""
    soft = _pattern(rng, view, 60.0) * np.float32(contrast / 2) + _pattern(rng, view, 1.0) * np.float32(grain)
    slope = (np.arange(view.width, dtype=np.float32) / view.width - 0.5) * np.float32(rng.normal(0, contrast))
    return np.array(tone, np.float32) * np.clip(1 + soft + slope, 0.3, 1.5)[..., None]


def _pattern(rng: np.random.Generator, view: View, size_px: float) -> Float32[np.ndarray, "H W"]:
    """Smooth random pattern of unit variance whose details are about SIZE_PX pixels wide."""
    step = max(1, int(size_px))
    noise = rng.standard_normal((view.height // step + 4, view.width // step + 4), dtype=np.float32)
    soft = cv2.GaussianBlur(noise, (0, 0), max(size_px / step, 0.6))
    pattern = cv2.resize(soft, None, fx=step, fy=step, interpolation=cv2.INTER_CUBIC)[
        : view.height, : view.width
    ]
    return (pattern - pattern.mean()) / pattern.std()


def _shading(person: Person, view: View) -> Float32[np.ndarray, "H W"]:
    """Lambert shading of an ellipsoid head by one soft lamp over even light; 1 on average over the face."""
    u, v = view.face_grid()
    x, y = u / np.float32(0.72), (v - np.float32(0.2)) / np.float32(1.05)
    z = np.sqrt(np.clip(1 - x * x - y * y, 0.05, 1))
    right, up, strength = person.light
    length = np.sqrt(right**2 + up**2 + 1)
    lamp = np.clip((x * np.float32(right) - y * np.float32(up) + z) / np.float32(length), 0, None)
    face = np.exp(-0.5 * ((u / 0.35) ** 2 + ((v - 0.2) / 0.4) ** 2))
    return 1 + np.float32(strength) * (lamp / np.float32((lamp * face).sum() / face.sum()) - 1)
