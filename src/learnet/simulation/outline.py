"""A face as a line drawing through its landmarks: brows, eyes, nose, mouth, jaw and hair line."""

import numpy as np
from jaxtyping import Float

from learnet.simulation.geometry import SIDES, Geometry

Line = Float[np.ndarray, "_ 2"]  # places (u, v) in face widths; as many as it takes


def face_lines(face: Geometry) -> list[Line]:
    """A face as smooth lines through its landmarks: points (u, v) in face widths."""
    lines = []
    for side, out in zip(SIDES, (1, -1), strict=True):
        brow, upper, lower = (
            [face.at(name, side) for name in names]
            for names in (
                ("inner brow", "middle brow", "outer brow"),
                ("inner eye", "upper lid", "outer eye"),
                ("inner eye", "lower lid", "outer eye"),
            )
        )
        root, (wing_u, wing_v) = face.at("nose root"), face.at("nostril", side)
        bridge = [(root[0] + out * 0.055, root[1] + 0.03), (root[0] + out * 0.05, (root[1] + wing_v) / 2)]
        wing = [
            (wing_u - out * 0.035, wing_v - 0.06),
            (wing_u, wing_v),
            (wing_u - out * 0.06, wing_v + 0.015),
        ]
        lines += [
            _smooth(points)
            for points in (brow, upper, lower, [*bridge, (wing_u - out * 0.055, wing_v - 0.07)], wing)
        ]
    right, left = face.at("lip corner", "right"), face.at("lip corner", "left")
    lips = {"upper lip": "upper lip middle", "lower lip": "lower lip middle"}
    lines += [
        _smooth([right, face.at(lip, "right"), face.at(middle), face.at(lip, "left"), left])
        for lip, middle in lips.items()
    ]
    lines += [_smooth([right, face.at("mouth"), left])]
    tip = face.at("nose tip")
    lines += [
        _smooth([(tip[0] - 0.06, tip[1] + 0.04), (tip[0], tip[1] + 0.06), (tip[0] + 0.06, tip[1] + 0.04)])
    ]
    chin, up, down = face.at("chin"), _half_outline(face, "left"), _half_outline(face, "right")[::-1]
    return [*lines, _smooth([chin, *up, face.at("hairline"), *down, chin], closed=True)]


def _half_outline(face: Geometry, side: str) -> list[tuple[float, float]]:
    """From beside the chin to the hair; no landmark marks the corner of the forehead, so it is put between temple and fringe."""
    (temple_u, temple_v), (_, fringe_v) = face.at("temple", side), face.at("fringe", side)
    corner = (0.93 * temple_u, 0.35 * temple_v + 0.65 * fringe_v)
    below = [face.at(name, side) for name in ("chin side", "low jaw", "jaw", "side", "temple")]
    return [*below, corner, face.at("fringe", side)]


def _smooth(points: list[tuple[float, float]], closed: bool = False) -> Line:
    """A Catmull-Rom curve through points, ten places between two of them; CLOSED where the last point is the first again."""
    p = np.array(points)
    ends = (p[-2], p[1]) if closed else (p[0], p[-1])
    before, after = np.vstack([ends[0], p[:-2]]), np.vstack([p[2:], ends[1]])
    t = np.linspace(0, 1, 11)[:, None, None]
    slopes = (p[1:] - before) / 2, (after - p[:-1]) / 2
    blend = (2 * t**3 - 3 * t**2 + 1, t**3 - 2 * t**2 + t, 3 * t**2 - 2 * t**3, t**3 - t**2)
    curve = blend[0] * p[:-1] + blend[1] * slopes[0] + blend[2] * p[1:] + blend[3] * slopes[1]
    return curve.transpose(1, 0, 2).reshape(-1, 2)
