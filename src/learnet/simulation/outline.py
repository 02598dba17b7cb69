"""A face as a line drawing through its landmarks: brows, eyes, nose, mouth, jaw and hairline."""

import numpy as np
from jaxtyping import Float

from learnet.simulation.geometry import SIDES, Geometry

Line = Float[np.ndarray, "_ 2"]  # points (u, v) in face widths
Point = tuple[float, float]

_PAIRED_LINES = (
    ("inner brow", "middle brow", "outer brow"),
    ("inner eye", "upper lid", "outer eye"),
    ("inner eye", "lower lid", "outer eye"),
)
_JAW = ("chin side", "low jaw", "jaw", "side", "temple")


def face_lines(face: Geometry) -> list[Line]:
    """Return smooth lines through the landmarks of a face: points (u, v) in face widths."""
    lines = []
    for side in SIDES:
        for landmarks in _PAIRED_LINES:
            points = [face.at(landmark, side) for landmark in landmarks]
            lines.append(_smooth(points))
        lines.append(_nose_bridge(face, side))
        lines.append(_nose_wing(face, side))
    lines.append(_lip(face, "upper lip", "upper lip middle"))
    lines.append(_lip(face, "lower lip", "lower lip middle"))
    right_corner = face.at("lip corner", "right")
    left_corner = face.at("lip corner", "left")
    lines.append(_smooth([right_corner, face.at("mouth"), left_corner]))
    lines.append(_nose_tip(face))
    lines.append(_face_outline(face))
    return lines


def _outward(side: str) -> int:
    return 1 if side == "left" else -1


def _nose_bridge(face: Geometry, side: str) -> Line:
    outward = _outward(side)
    root_u, root_v = face.at("nose root")
    wing_u, wing_v = face.at("nostril", side)
    points = [
        (root_u + outward * 0.055, root_v + 0.03),
        (root_u + outward * 0.05, (root_v + wing_v) / 2),
        (wing_u - outward * 0.055, wing_v - 0.07),
    ]
    return _smooth(points)


def _nose_wing(face: Geometry, side: str) -> Line:
    outward = _outward(side)
    u, v = face.at("nostril", side)
    points = [
        (u - outward * 0.035, v - 0.06),
        (u, v),
        (u - outward * 0.06, v + 0.015),
    ]
    return _smooth(points)


def _nose_tip(face: Geometry) -> Line:
    u, v = face.at("nose tip")
    points = [
        (u - 0.06, v + 0.04),
        (u, v + 0.06),
        (u + 0.06, v + 0.04),
    ]
    return _smooth(points)


def _lip(face: Geometry, lip: str, middle: str) -> Line:
    """Return the outer edge of a lip from the right to the left corner of the mouth."""
    points = [
        face.at("lip corner", "right"),
        face.at(lip, "right"),
        face.at(middle),
        face.at(lip, "left"),
        face.at("lip corner", "left"),
    ]
    return _smooth(points)


def _face_outline(face: Geometry) -> Line:
    """Return the closed outline: chin, left side, hairline, right side."""
    left = _half_outline(face, "left")
    right = _half_outline(face, "right")
    points = [
        face.at("chin"),
        *left,
        face.at("hairline"),
        *reversed(right),
        face.at("chin"),
    ]
    return _smooth(points, closed=True)


def _half_outline(face: Geometry, side: str) -> list[Point]:
    """Return the outline from beside the chin to the hair.

    No landmark marks the corner of the forehead; it is placed between temple and fringe.
    """
    points = [face.at(landmark, side) for landmark in _JAW]
    temple_u, temple_v = face.at("temple", side)
    fringe = face.at("fringe", side)
    corner_u = 0.93 * temple_u
    _, fringe_v = fringe
    corner_v = 0.35 * temple_v + 0.65 * fringe_v
    corner = (corner_u, corner_v)
    return [*points, corner, fringe]


def _smooth(points: list[Point], closed: bool = False) -> Line:
    """Return a Catmull-Rom curve through points, with eleven positions on each segment.

    Args:
        points: to go through.
        closed: the last point is the first again.
    """
    p = np.array(points)
    first, last = (p[-2], p[1]) if closed else (p[0], p[-1])
    before = np.vstack([first, p[:-2]])
    after = np.vstack([p[2:], last])
    start = p[:-1]
    end = p[1:]
    start_gradient = (end - before) / 2
    end_gradient = (after - start) / 2
    t = np.linspace(0, 1, 11)[:, None, None]
    t2 = t**2
    t3 = t**3
    start_weight = 2 * t3 - 3 * t2 + 1
    start_gradient_weight = t3 - 2 * t2 + t
    end_weight = 3 * t2 - 2 * t3
    end_gradient_weight = t3 - t2
    curve = start_weight * start + start_gradient_weight * start_gradient
    curve = curve + end_weight * end
    curve = curve + end_gradient_weight * end_gradient
    return curve.transpose(1, 0, 2).reshape(-1, 2)
