"""Synthetic people: the portrait warped to another face's landmarks, recoloured, textured and lit."""

from dataclasses import dataclass, field

import cv2
import numpy as np
from jaxtyping import Float32, Float64, UInt8

from learnet.simulation.geometry import SIDES, Geometry, View, vary_face
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
PORTRAIT_SKIN = (222, 186, 163)  # mean colour of the portrait's skin
PORTRAIT_HAIR = 118  # mean grey level of the portrait's hair
KNEE = np.float32(200)  # grey level above which bright parts are compressed, as cameras do
GRID_STEP = 4  # smooth maps are computed on every fourth pixel


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
    first_index, second_index = rng.choice(len(tones), 2, replace=False)
    first = np.array(tones[first_index])
    second = np.array(tones[second_index])
    share = rng.uniform(0, 0.5)
    mixed = first + share * (second - first) + rng.normal(0, sd, 3)
    red, green, blue = np.clip(mixed, 16, 240).tolist()
    return red, green, blue


def render_still(person: Person, view: View) -> UInt8[np.ndarray, "H W 3"]:
    """Render a person at rest as a sharp image without noise: RGB, grey levels."""
    rng = np.random.default_rng(person.seed)
    source = portrait()
    positions = _portrait_positions(person, view)
    pixels = sample_image(source.pixels, positions, cv2.INTER_CUBIC)
    masks = np.dstack([source.skin, source.hair, source.cloth])
    masks = sample_image(masks, positions, cv2.INTER_LINEAR)
    skin, hair, cloth = np.split(masks, 3, axis=-1)
    wall = np.clip(1 - masks.sum(axis=-1, keepdims=True), 0, 1)
    image = skin * _skin(pixels, person, view, rng)
    image += hair * _hair(pixels, person)
    image += cloth * _plain_surface(person.cloth, view, rng, contrast=0.25, grain=0.03)
    image += wall * _plain_surface(person.wall, view, rng, contrast=0.12, grain=0.005)
    head = np.clip(skin + hair + cloth, 0, 1)
    shading = _shading(person, view)[..., None]
    image *= 1 + head * (shading - 1)
    image = _compress_highlights(image)
    return np.clip(np.round(image), 0, 255).astype(np.uint8)


def _compress_highlights(image: Float32[np.ndarray, "H W 3"]) -> Float32[np.ndarray, "H W 3"]:
    """Compress grey levels above KNEE, so that no skin is overexposed."""
    headroom = 255 - KNEE
    compressed = KNEE + headroom * np.tanh((image - KNEE) / headroom)
    return np.where(image > KNEE, compressed, image)


def _portrait_positions(person: Person, view: View) -> Float32[np.ndarray, "H W 2"]:
    """Return the position in the enlarged portrait for each pixel of the view.

    It is the thin-plate spline through all landmarks, continued by an affine map outside the face.
    """
    points = portrait().points
    source = []
    target = []
    for name, position in person.geometry.points.items():
        portrait_name = _mirrored_name(name) if person.mirrored else name
        if name in points:
            source.append(position)
            target.append(points[portrait_name])
    source, target = _add_corners(np.array(source), np.array(target))
    u, v = view.coarser(GRID_STEP).face_grid()
    grid = np.stack([u.ravel(), v.ravel()], axis=1)
    coarse = _thin_plate_spline(source, target, grid)
    return _upsample(coarse.reshape(*u.shape, 2), view)


def _mirrored_name(name: str) -> str:
    """Swap "left" and "right" in the name of a landmark."""
    swap = {"left": "right", "right": "left"}
    words = [swap.get(word, word) for word in name.split()]
    return " ".join(words)


def _add_corners(
    source: Float64[np.ndarray, "N 2"], target: Float64[np.ndarray, "N 2"]
) -> tuple[Float64[np.ndarray, "M 2"], Float64[np.ndarray, "M 2"]]:
    """Add four points far outside the face, mapped by the affine map that fits the landmarks best."""
    corners = np.array([(-1.6, -1.3), (-1.6, 1.5), (1.6, -1.3), (1.6, 1.5)])
    affine = np.linalg.lstsq(_with_ones(source), target, rcond=None)[0]
    corner_targets = _with_ones(corners) @ affine
    return np.vstack([source, corners]), np.vstack([target, corner_targets])


def _with_ones(points: Float64[np.ndarray, "N 2"]) -> Float64[np.ndarray, "N 3"]:
    return np.column_stack([points, np.ones(len(points))])


def _thin_plate_spline(
    source: Float64[np.ndarray, "N 2"], target: Float64[np.ndarray, "N 2"], at: Float32[np.ndarray, "M 2"]
) -> Float32[np.ndarray, "M 2"]:
    """Evaluate the map of least bending that maps each source point to its target.

    Args:
        source: points.
        target: their images.
        at: where to evaluate the map.

    References:
        Bookstein, IEEE PAMI 11(6), 1989.
    """
    count = len(source)
    plane = np.column_stack([np.ones(count), source])
    regularisation = 1e-4 * np.eye(count)  # so that two close landmarks cannot tear the skin
    system = np.zeros((count + 3, count + 3))
    system[:count, :count] = _bending(source, source) + regularisation
    system[:count, count:] = plane
    system[count:, :count] = plane.T
    weights = np.linalg.solve(system, np.vstack([target, np.zeros((3, 2))]))
    at = at.astype(np.float64)
    at_plane = np.column_stack([np.ones(len(at)), at])
    bent = _bending(at, source) @ weights[:count]
    values = bent + at_plane @ weights[count:]
    return values.astype(np.float32)


def _bending(a: Float64[np.ndarray, "A 2"], b: Float64[np.ndarray, "B 2"]) -> Float64[np.ndarray, "A B"]:
    """Return the radial basis function r^2 log r^2 of all distances between two sets of points."""
    difference = a[:, None, :] - b[None, :, :]
    squared_distance = (difference**2).sum(axis=-1)
    return squared_distance * np.log(squared_distance + 1e-12)


def _upsample(coarse: Float32[np.ndarray, "h w 2"], view: View) -> Float32[np.ndarray, "H W 2"]:
    """Interpolate a smooth map from every GRID_STEP-th pixel to all pixels."""
    height, width = coarse.shape[:2]
    size = (width * GRID_STEP, height * GRID_STEP)
    fine = cv2.resize(coarse, size, interpolation=cv2.INTER_CUBIC)
    return fine[: view.height, : view.width]


def _skin(
    pixels: Float32[np.ndarray, "H W 3"], person: Person, view: View, rng: np.random.Generator
) -> Float32[np.ndarray, "H W 3"]:
    """Return skin of the person's tone with lips, brows and texture; eyes keep their colour."""
    u, v = view.face_grid()
    eyes = _eyes(u, v, person.geometry)
    skin_gain = np.array(person.skin, np.float32) / np.array(PORTRAIT_SKIN, np.float32)
    eye_gain = np.float32(0.35 + 0.65 * skin_gain.mean())
    gain = skin_gain + eyes[..., None] * (eye_gain - skin_gain)
    image = pixels * gain
    texture = _skin_texture(person, view, eyes, rng)
    image = image * np.clip(1 + texture, 0.2, 1.6)[..., None]
    redness = 0.22 * person.lips * _lips(u, v, person.geometry)
    image = image * (1 - redness[..., None] * np.array([0.3, 1.0, 0.8], np.float32))
    brow_texture = np.clip(0.85 + 0.3 * _pattern(rng, view, 1.2), 0, 1)
    brows = (_brows(u, v, person) * brow_texture)[..., None]
    brow_colour = np.array(person.hair, np.float32) * 0.7
    return image * (1 - brows) + brow_colour * brows


def _skin_texture(
    person: Person, view: View, eyes: Float32[np.ndarray, "H W"], rng: np.random.Generator
) -> Float32[np.ndarray, "H W"]:
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
    u: Float32[np.ndarray, "H W"], v: Float32[np.ndarray, "H W"], face: Geometry
) -> Float32[np.ndarray, "H W"]:
    """Return a mask of the eye openings that fades out at the lids, 0..1."""
    mask = np.zeros_like(u)
    for side in SIDES:
        inner_u, _ = face.at("inner eye", side)
        outer_u, _ = face.at("outer eye", side)
        _, upper_v = face.at("upper lid", side)
        _, lower_v = face.at("lower lid", side)
        half_width = 0.45 * (outer_u - inner_u)
        half_height = 0.6 * (lower_v - upper_v)
        across = (u - (inner_u + outer_u) / 2) / half_width
        along = (v - (upper_v + lower_v) / 2) / half_height
        eye = np.clip(1.6 - across**2 - along**2, 0, 1)
        mask = np.maximum(mask, eye)
    return mask


def _lips(
    u: Float32[np.ndarray, "H W"], v: Float32[np.ndarray, "H W"], face: Geometry
) -> Float32[np.ndarray, "H W"]:
    """Return a mask of the lips that fades out at their edges, 0..1."""
    left_u, _ = face.at("lip corner", "left")
    right_u, _ = face.at("lip corner", "right")
    _, upper_v = face.at("upper lip middle")
    _, lower_v = face.at("lower lip middle")
    half_width = (left_u - right_u) / 2
    half_height = (lower_v - upper_v) / 2
    across = (u - (left_u + right_u) / 2) / half_width
    along = (v - (lower_v + upper_v) / 2) / half_height
    return np.clip(1.3 - across**2 - along**2, 0, 1)


def _brows(
    u: Float32[np.ndarray, "H W"], v: Float32[np.ndarray, "H W"], person: Person
) -> Float32[np.ndarray, "H W"]:
    """Return a mask of the brows along their three landmarks, 0..1, thinning outwards."""
    mask = np.zeros_like(u)
    for side in SIDES:
        inner = person.geometry.at("inner brow", side)
        middle = person.geometry.at("middle brow", side)
        outer = person.geometry.at("outer brow", side)
        marks_u, marks_v = np.array([inner, middle, outer]).T
        a, b, c = np.polyfit(marks_u, marks_v, 2).astype(np.float32)
        curve = a * u * u + b * u + c
        position = (u - inner[0]) / (outer[0] - inner[0])  # 0 at the inner end, 1 at the outer
        width = person.brow_width * (1.15 - 0.6 * np.clip(position, 0, 1))
        inner_end = np.clip((position + 0.10) / 0.15, 0, 1)
        outer_end = np.clip((1.08 - position) / 0.15, 0, 1)
        distance = (v - curve) / width
        brow = inner_end * outer_end * np.exp(-0.5 * distance**2)
        mask = np.maximum(mask, brow)
    return person.brow_strength * mask


def _beard(u: Float32[np.ndarray, "H W"], v: Float32[np.ndarray, "H W"]) -> Float32[np.ndarray, "H W"]:
    """Return where a beard grows, 0..1: chin, jaw and above the upper lip."""
    inside = np.clip(0.32 - np.abs(u), 0, 1)
    below_jaw = v - 0.42 - 0.25 * inside
    jaw = 1 / (1 + np.exp(-below_jaw / 0.05))
    along = (v - 0.375) / 0.03
    across = u / 0.13
    lip = np.exp(-0.5 * (along**2 + across**2))
    beard = 0.9 * jaw + 0.7 * lip
    return np.clip(beard, 0, 1).astype(np.float32)


def _hair(pixels: Float32[np.ndarray, "H W 3"], person: Person) -> Float32[np.ndarray, "H W 3"]:
    """Return the portrait's hair in the person's tone."""
    grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
    strands = np.clip(grey / PORTRAIT_HAIR, 0.05, 2.0)
    colour = np.array(person.hair, np.float32)
    return colour * strands[..., None]


def _plain_surface(
    tone: Colour, view: View, rng: np.random.Generator, contrast: float, grain: float
) -> Float32[np.ndarray, "H W 3"]:
    """Draw a wall or a piece of cloth: one tone, large soft variations, a gradient, a little grain."""
    soft = _pattern(rng, view, 60.0) * np.float32(contrast / 2)
    fine = _pattern(rng, view, 1.0) * np.float32(grain)
    position = np.arange(view.width, dtype=np.float32) / view.width
    gradient = (position - 0.5) * rng.normal(0, contrast)
    brightness = 1 + (soft + fine) + gradient
    colour = np.array(tone, np.float32)
    return colour * np.clip(brightness, 0.3, 1.5)[..., None]


def _pattern(rng: np.random.Generator, view: View, size_px: float) -> Float32[np.ndarray, "H W"]:
    """Draw a smooth random pattern of unit variance with details of about this size."""
    step = max(1, int(size_px))
    shape = (view.height // step + 4, view.width // step + 4)
    noise = rng.standard_normal(shape, dtype=np.float32)
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


def _shading(person: Person, view: View) -> Float32[np.ndarray, "H W"]:
    """Return Lambert shading of an ellipsoid by one lamp and ambient light; its mean over the face is 1."""
    u, v = view.face_grid()
    x = u / 0.72
    y = (v - 0.2) / 1.05
    squared_depth = 1 - x * x - y * y
    z = np.sqrt(np.clip(squared_depth, 0.05, 1))
    right, up, strength = person.light
    length = np.sqrt(right**2 + up**2 + 1)
    cosine = (x * right - y * up + z) / np.float32(length)
    lamp = np.clip(cosine, 0, None)
    face = np.exp(-0.5 * ((u / 0.35) ** 2 + ((v - 0.2) / 0.4) ** 2))
    mean = np.float32((lamp * face).sum() / face.sum())
    relative = lamp / mean - 1
    return 1 + strength * relative
