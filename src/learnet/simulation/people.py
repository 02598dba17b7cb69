"""Appearance of synthetic people: facial geometry, colours and details, drawn at random."""

from dataclasses import dataclass, field

import numpy as np

from learnet.simulation.geometry import Geometry, vary_face

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


@dataclass(frozen=True)
class Person:
    """The appearance of one face. It does not depend on the expressions that the person will show."""

    geometry: Geometry = field(hash=False)
    mirrored: bool  # the portrait is mirrored first
    skin: Colour
    hair: Colour
    cloth: Colour
    wall: Colour
    lips: float  # how much redder than the skin the lips are, 0..1
    brow_width: float  # face widths
    brow_strength: float  # 0..1
    stubble: float  # 0..1
    pores: float  # strength of the fine skin texture, share of the grey level
    freckles: int  # number of dark spots
    light: tuple[float, float, float]  # direction to the lamp: right, up; strength of its shading, 0..1
    seed: int  # of texture, wall and cloth patterns


def make_person(rng: np.random.Generator) -> Person:
    """Draw a person."""
    angle = rng.uniform(0, 2 * np.pi)
    return Person(
        geometry=vary_face(rng),
        mirrored=bool(rng.integers(2)),
        skin=_draw_colour(rng, SKIN_TONES, 3.0),
        hair=_draw_colour(rng, HAIR_TONES, 4.0),
        cloth=_draw_colour(rng, WALL_TONES, 25.0),
        wall=_draw_colour(rng, WALL_TONES, 8.0),
        lips=float(rng.uniform(0.0, 1.0)),
        brow_width=float(rng.uniform(0.010, 0.024)),
        brow_strength=float(rng.uniform(0.25, 0.85)),
        stubble=float(max(0.0, rng.uniform(-0.8, 0.5))),
        pores=float(rng.uniform(0.015, 0.04)),
        freckles=int(rng.integers(0, 25)),
        light=(
            float(np.cos(angle)),
            float(0.4 + 0.4 * np.sin(angle)),
            float(rng.uniform(0.15, 0.45)),
        ),
        seed=int(rng.integers(2**31)),
    )


def _draw_colour(rng: np.random.Generator, tones: tuple[tuple[int, int, int], ...], sd: float) -> Colour:
    """Mix two of the tones, and vary the result by a standard deviation in grey levels."""
    indices = rng.choice(len(tones), 2, replace=False)
    first, second = np.array(tones)[indices]
    share = rng.uniform(0, 0.5)
    mixed = first + share * (second - first)
    mixed = mixed + rng.normal(0, sd, 3)
    mixed = np.clip(mixed, 16, 240)
    red, green, blue = mixed.tolist()
    return red, green, blue
