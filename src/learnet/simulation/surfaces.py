"""Surfaces of a synthetic face: skin, eyes, lips, brows, beard, hair, cloth and wall."""

import cv2
import numpy as np
from jaxtyping import Float64

from learnet.simulation.geometry import SIDES, Geometry, View
from learnet.simulation.people import Colour, Person

PORTRAIT_SKIN = np.array([222, 186, 163], np.float64)  # mean colour of the portrait's skin
REDNESS = np.array([0.3, 1.0, 0.8], np.float64)  # share by which each channel of red lips is darker
PORTRAIT_HAIR = 118  # mean grey level of the portrait's hair


def paint_skin(
    pixels: Float64[np.ndarray, "H W 3"], person: Person, view: View, rng: np.random.Generator
) -> Float64[np.ndarray, "H W 3"]:
    """Return skin of the person's tone with lips, brows and texture; eyes keep their colour."""
    u, v = view.face_grid()
    eyes = _eyes(u, v, person.geometry)
    skin_gain = np.array(person.skin, np.float64) / PORTRAIT_SKIN
    eye_gain = 0.35 + 0.65 * skin_gain.mean()
    gain = skin_gain + eyes[..., None] * (eye_gain - skin_gain)
    brightness = 1 + _skin_texture(person, view, eyes, rng)
    brightness = np.clip(brightness, 0.2, 1.6)
    image = pixels * gain
    image = image * brightness[..., None]
    redness = 0.22 * person.lips * _lips(u, v, person.geometry)
    image = image * (1 - redness[..., None] * REDNESS)
    brow_texture = 0.85 + 0.3 * _pattern(rng, view, 1.2)
    brows = _brows(u, v, person) * np.clip(brow_texture, 0, 1)
    brows = brows[..., None]
    brow_colour = np.array(person.hair, np.float64) * 0.7
    return image * (1 - brows) + brow_colour * brows


def _skin_texture(
    person: Person, view: View, eyes: Float64[np.ndarray, "H W"], rng: np.random.Generator
) -> Float64[np.ndarray, "H W"]:
    """Draw pores, stubble and freckles as relative changes of the grey level."""
    u, v = view.face_grid()
    grain = _pattern(rng, view, 0.9)
    grain = grain + 0.8 * _pattern(rng, view, 2.0)
    grain = grain + 0.5 * _pattern(rng, view, 5.0)
    texture = person.pores * grain * (1 - 0.9 * eyes)
    stubble = 0.60 + 0.16 * _pattern(rng, view, 1.0)
    texture -= person.stubble * _beard(u, v) * stubble
    for _ in range(person.freckles):
        spot_u = rng.uniform(-0.42, 0.42)
        spot_v = rng.uniform(-0.2, 0.7)
        size = rng.uniform(0.004, 0.010)
        depth = rng.uniform(0.08, 0.35)
        squared_distance = (u - spot_u) ** 2 + (v - spot_v) ** 2
        spot = np.exp(-0.5 * squared_distance / size**2)
        texture -= depth * spot * (1 - eyes)
    return texture


def _eyes(
    u: Float64[np.ndarray, "H W"], v: Float64[np.ndarray, "H W"], face: Geometry
) -> Float64[np.ndarray, "H W"]:
    """Return a mask of the eye openings that fades out at the lids, 0..1."""
    mask = np.zeros_like(u)
    for side in SIDES:
        inner_u, _ = face.at("inner eye", side)
        outer_u, _ = face.at("outer eye", side)
        _, upper_v = face.at("upper lid", side)
        _, lower_v = face.at("lower lid", side)
        half_width = 0.45 * (outer_u - inner_u)
        half_height = 0.6 * (lower_v - upper_v)
        centre_u = (inner_u + outer_u) / 2
        centre_v = (upper_v + lower_v) / 2
        across = (u - centre_u) / half_width
        along = (v - centre_v) / half_height
        eye = 1.6 - across**2 - along**2
        eye = np.clip(eye, 0, 1)
        mask = np.maximum(mask, eye)
    return mask


def _lips(
    u: Float64[np.ndarray, "H W"], v: Float64[np.ndarray, "H W"], face: Geometry
) -> Float64[np.ndarray, "H W"]:
    """Return a mask of the lips that fades out at their edges, 0..1."""
    left_u, _ = face.at("lip corner", "left")
    right_u, _ = face.at("lip corner", "right")
    _, upper_v = face.at("upper lip middle")
    _, lower_v = face.at("lower lip middle")
    half_width = (left_u - right_u) / 2
    half_height = (lower_v - upper_v) / 2
    centre_u = (left_u + right_u) / 2
    centre_v = (lower_v + upper_v) / 2
    across = (u - centre_u) / half_width
    along = (v - centre_v) / half_height
    lips = 1.3 - across**2 - along**2
    return np.clip(lips, 0, 1)


def _brows(
    u: Float64[np.ndarray, "H W"], v: Float64[np.ndarray, "H W"], person: Person
) -> Float64[np.ndarray, "H W"]:
    """Return a mask of the brows along their three landmarks, 0..1, thinning outwards."""
    mask = np.zeros_like(u)
    for side in SIDES:
        brow = _brow(u, v, person, side)
        mask = np.maximum(mask, brow)
    return person.brow_strength * mask


def _brow(
    u: Float64[np.ndarray, "H W"], v: Float64[np.ndarray, "H W"], person: Person, side: str
) -> Float64[np.ndarray, "H W"]:
    inner = person.geometry.at("inner brow", side)
    middle = person.geometry.at("middle brow", side)
    outer = person.geometry.at("outer brow", side)
    marks_u, marks_v = zip(inner, middle, outer, strict=True)
    parabola = np.polyfit(marks_u, marks_v, 2)
    a, b, c = parabola
    curve = a * u * u + b * u + c
    inner_u, _, outer_u = marks_u
    position = (u - inner_u) / (outer_u - inner_u)  # 0 at the inner end, 1 at the outer
    thinning = 0.6 * np.clip(position, 0, 1)
    width = person.brow_width * (1.15 - thinning)
    inner_end = (position + 0.10) / 0.15
    outer_end = (1.08 - position) / 0.15
    ends = np.clip(inner_end, 0, 1) * np.clip(outer_end, 0, 1)
    distance = (v - curve) / width
    profile = np.exp(-0.5 * distance**2)
    return ends * profile


def _beard(u: Float64[np.ndarray, "H W"], v: Float64[np.ndarray, "H W"]) -> Float64[np.ndarray, "H W"]:
    """Return where a beard grows, 0..1: chin, jaw and above the upper lip."""
    from_side = 0.32 - np.abs(u)
    inside = np.clip(from_side, 0, 1)
    below_jaw = v - 0.42 - 0.25 * inside
    jaw = 1 / (1 + np.exp(-below_jaw / 0.05))
    along = (v - 0.375) / 0.03
    across = u / 0.13
    squared_distance = along**2 + across**2
    lip = np.exp(-0.5 * squared_distance)
    beard = 0.9 * jaw + 0.7 * lip
    return np.clip(beard, 0, 1)


def paint_hair(pixels: Float64[np.ndarray, "H W 3"], person: Person) -> Float64[np.ndarray, "H W 3"]:
    """Return the portrait's hair in the person's tone."""
    red, green, blue = np.moveaxis(pixels, -1, 0)
    grey = 0.299 * red + 0.587 * green + 0.114 * blue  # cv2.cvtColor takes no 64 bits
    strands = np.clip(grey / PORTRAIT_HAIR, 0.05, 2.0)
    colour = np.array(person.hair, np.float64)
    return colour * strands[..., None]


def paint_surface(
    tone: Colour, view: View, rng: np.random.Generator, contrast: float, grain: float
) -> Float64[np.ndarray, "H W 3"]:
    """Draw a wall or a piece of cloth: one tone, large soft variations, a gradient, a little grain."""
    soft = _pattern(rng, view, 60.0) * (contrast / 2)
    fine = _pattern(rng, view, 1.0) * grain
    columns = np.arange(view.width, dtype=np.float64)
    position = columns / view.width - 0.5
    gradient = position * rng.normal(0, contrast)
    brightness = 1 + (soft + fine) + gradient
    brightness = np.clip(brightness, 0.3, 1.5)
    colour = np.array(tone, np.float64)
    return colour * brightness[..., None]


def _pattern(rng: np.random.Generator, view: View, size_px: float) -> Float64[np.ndarray, "H W"]:
    """Draw a smooth random pattern of unit variance with details of about this size."""
    step = max(1, int(size_px))
    shape = (view.height // step + 4, view.width // step + 4)
    noise = rng.standard_normal(shape, dtype=np.float32).astype(np.float64)
    sd = max(size_px / step, 0.6)
    soft = cv2.GaussianBlur(noise, (0, 0), sd)
    fine = cv2.resize(
        soft,
        None,
        fx=step,
        fy=step,
        interpolation=cv2.INTER_CUBIC,
    )
    pattern = fine[: view.height, : view.width]
    return (pattern - pattern.mean()) / pattern.std()
