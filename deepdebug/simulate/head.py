"""The head as an ellipsoid: how it is turned, where its points appear, and which of its points each pixel shows.

Axes of the picture: x to the right, y down, z towards the camera. Axes of the head: the same while it looks straight
ahead. Lengths are in 64ths of the width of the picture.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from deepdebug.simulate.drawing import Grid, each
from deepdebug.simulate.parameters import Parameters

Floats = npt.NDArray[np.floating]
Doubles = npt.NDArray[np.float64]

CENTRE = (32.0, 31.0)
RADII = (17.0, 22.0, 19.0)


@dataclass(frozen=True, slots=True)
class Surface:
    """What each pixel shows of the heads, arrays of shape `(N, H, W)`.

    Args:
        distance: Signed distance to the outline.
        right: Position on the head to the right, seen from its front.
        down: Position on the head downwards.
        front: Position on the head towards its front.
        facing: How much the surface faces the camera, 0 at the outline to 1 in the middle.
    """

    distance: Floats
    right: Floats
    down: Floats
    front: Floats
    facing: Floats


def rotations(parameters: Parameters) -> Doubles:
    """Return per picture the matrix that turns positions on the head into positions in the picture: `(N, 3, 3)`."""
    yaw, pitch, roll = (
        np.deg2rad(angle.astype(np.float64))
        for angle in (parameters.head_yaw, parameters.head_pitch, parameters.head_roll)
    )
    turned_z = _turned(roll, 0, 1)
    return np.asarray(turned_z @ _turned(pitch, 1, 2) @ _turned(yaw, 2, 0))


def _turned(angle: Doubles, first: int, second: int) -> Doubles:
    """Return the matrices that turn one axis towards another, shape `(N, 3, 3)`."""
    matrix = np.zeros((len(angle), 3, 3))
    matrix[:, range(3), range(3)] = 1.0
    matrix[:, first, first] = matrix[:, second, second] = np.cos(angle)
    matrix[:, second, first] = np.sin(angle)
    matrix[:, first, second] = -np.sin(angle)
    return matrix


def on_surface(right: npt.ArrayLike, down: npt.ArrayLike) -> Doubles:
    """Return the points of the head's front at some positions, with their third coordinate: `(..., 3)`."""
    right, down = np.broadcast_arrays(np.asarray(right, dtype=np.float64), np.asarray(down, dtype=np.float64))
    rest = 1 - np.square(right / RADII[0]) - np.square(down / RADII[1])
    return np.stack([right, down, RADII[2] * np.sqrt(np.maximum(rest, 0))], axis=-1)


def project(rotation: Doubles, points: Doubles) -> Doubles:
    """Return where points of the heads appear: x, y and, towards the camera, z.

    Args:
        rotation: Shape `(N, 3, 3)`.
        points: Shape `(K, 3)` or, other ones per picture, `(N, K, 3)`.

    Returns:
        Shape `(N, K, 3)`.
    """
    return np.asarray(points @ rotation.transpose(0, 2, 1) + np.array([*CENTRE, 0.0]))


def surface(rotation: Doubles, grid: Grid) -> Surface:
    """Return what each pixel shows of the heads, which is known in closed form for an ellipsoid.

    Args:
        rotation: Shape `(N, 3, 3)`.
        grid: The pixels.
    """
    spread = rotation @ np.diag(np.square(RADII)) @ rotation.transpose(0, 2, 1)
    outline = np.linalg.inv(spread[:, :2, :2])
    slope = np.einsum("ni,nij->nj", spread[:, 2, :2], outline)
    depth = np.sqrt(spread[:, 2, 2] - np.einsum("ni,ni->n", slope, spread[:, 2, :2]))
    x, y = grid.x - CENTRE[0], grid.y - CENTRE[1]
    reach = (each(2 * outline[:, 0, 1]) * x) * y
    reach += each(outline[:, 0, 0]) * x * x
    reach += each(outline[:, 1, 1]) * y * y
    facing = 1.0 - reach
    np.maximum(facing, 0.0, out=facing)
    np.sqrt(facing, out=facing)
    radius = np.linalg.det(outline) ** -0.25
    distance = np.sqrt(np.maximum(reach, 0.0, out=reach), out=reach)
    distance -= 1.0
    distance *= each(radius)
    right, down, front = (_coordinate(rotation[:, :, axis], slope, depth, facing, (x, y)) for axis in range(3))
    return Surface(distance, right, down, front, facing)


def _coordinate(axis: Doubles, slope: Doubles, depth: Doubles, facing: Floats, place: tuple[Floats, Floats]) -> Floats:
    """Return how far along an axis of the head the point lies that each pixel shows.

    The depth of that point is `slope` times its place in the picture plus `depth` times `facing`.
    """
    along = facing * each(axis[:, 2] * depth)
    along += each(axis[:, 0] + axis[:, 2] * slope[:, 0]) * place[0]
    along += each(axis[:, 1] + axis[:, 2] * slope[:, 1]) * place[1]
    return np.asarray(along)
