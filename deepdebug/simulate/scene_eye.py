"""The close-up of one eye: lids, sclera, iris, pupil, brow, hair, glasses and the light on them.

It is the eye whose nose side is the left of the picture. The iris moves in the frame of the camera; head pose moves,
narrows and turns what surrounds it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from deepdebug.simulate.drawing import Grid, Tint, each, ellipse, inside, paint, rounded_box, waves
from deepdebug.simulate.parameters import Parameters

Floats = npt.NDArray[np.floating]

CENTRE = (32.0, 36.0)
WIDTH = 38.0  # of the eye, from corner to corner
UPPER, LOWER = 15.0, 9.0  # how far the lids open
REACH = 9.5  # how far the centre of the iris moves
DEPTH = 5.0  # how far the lids lie before the centre of the eyeball
SKIN: Tint = (1.22, 0.95, 0.80)
HAIR: Tint = (1.25, 0.95, 0.75)
IRIS: Tint = (0.75, 1.0, 1.3)
LIP: Tint = (1.35, 0.85, 0.8)


@dataclass(frozen=True, slots=True)
class Frame:
    """Positions as the face around the eye sees them.

    Args:
        u: From the middle of the eye towards the temple, in pixels of a face seen from the front.
        v: From the middle of the eye downwards.
    """

    u: Floats
    v: Floats


def draw(parameters: Parameters, grid: Grid, channels: int) -> Floats:
    """Return the lit scene before the camera's blur and noise, shape `(channels, N, H, W)`."""
    frame = _frame(parameters, grid)
    canvas = _skin(parameters, grid, frame, channels)
    _eyeball(canvas, parameters, grid, frame)
    _brow(canvas, parameters, frame)
    _hair(canvas, parameters, grid)
    _glasses(canvas, parameters, frame)
    canvas *= _light(parameters, grid)
    _glint(canvas, parameters, grid, frame)
    _glare(canvas, parameters, frame)
    return canvas


def iris_centre(parameters: Parameters) -> tuple[Floats, Floats]:
    """Return where the middle of the iris lies, x and y in 64ths of the picture."""
    angle = np.deg2rad(parameters.gaze_angle)
    reach = parameters.gaze_mag * REACH
    return CENTRE[0] + reach * np.cos(angle), CENTRE[1] - reach * np.sin(angle)


def reflected(parameters: Parameters) -> Floats:
    """Return how much a reflection on the glasses hides, per picture: little below a glare of about a half."""
    strength = np.minimum(np.square(each(parameters.glare)) * 1.2, 0.97)
    return np.asarray(strength * np.minimum(each(parameters.light_intensity) + 0.1, 1.0))


def _frame(parameters: Parameters, grid: Grid) -> Frame:
    yaw, pitch, roll = (np.deg2rad(each(a)) for a in (parameters.head_yaw, parameters.head_pitch, parameters.head_roll))
    x = grid.x - (CENTRE[0] + DEPTH * np.sin(yaw))
    y = grid.y - (CENTRE[1] - DEPTH * np.sin(pitch))
    narrow, low = 1 / np.cos(yaw), 1 / np.cos(pitch)
    u = np.cos(roll) * narrow * x + np.sin(roll) * narrow * y
    v = np.cos(roll) * low * y - np.sin(roll) * low * x
    return Frame(u.astype(np.float32), v.astype(np.float32))


def _skin(parameters: Parameters, grid: Grid, frame: Frame, channels: int) -> Floats:
    tone = each(parameters.skin_tone)
    canvas = np.empty((channels, *frame.u.shape), np.float32)
    for channel, share in zip(canvas, SKIN if channels == 3 else (1.0,), strict=True):
        channel[:] = tone * share
    u, v = frame.u, frame.v
    socket = inside(ellipse(u, v + 3.0, 27.0, 19.0), edge=4.0)
    socket *= 0.55
    paint(canvas, socket, tone * 0.78, SKIN)
    bend = np.square(grid.y - CENTRE[1]) * 0.006
    turn = np.sin(np.deg2rad(each(parameters.head_yaw)))
    temple = (grid.x - 72.0) + 18.0 * np.maximum(turn, 0) + bend
    bridge = (-10.0 - grid.x) + 18.0 * np.maximum(-turn, 0) + bend
    outline = np.minimum(-temple, -bridge).astype(np.float32)
    paint(canvas, inside(outline), each(parameters.background))
    return canvas


def _lids(parameters: Parameters, frame: Frame) -> tuple[Floats, Floats]:
    """Return where upper and lower lid lie above each point: `v`, shape `(N, H, W)`."""
    across = frame.u * (2 / WIDTH)
    arch = 1.0 - across * across
    tilt = frame.u * -0.05  # the corner at the temple lies higher
    opened = each(parameters.openness)
    upper = arch * ((-UPPER) * opened + 3.0 * (1 - opened))
    upper += tilt
    lower = arch * ((LOWER - 4.0) * opened + 4.0)
    lower += tilt
    return upper, lower


def _eyeball(canvas: Floats, parameters: Parameters, grid: Grid, frame: Frame) -> None:
    upper, lower = _lids(parameters, frame)
    below_upper, above_lower = frame.v - upper, lower - frame.v
    skin = each(parameters.skin_tone)
    crease = np.abs(below_upper + 4.5)
    crease += np.square(frame.u) * 0.01 - 0.9
    fold = inside(crease)
    fold *= 0.6
    paint(canvas, fold, skin * 0.55, SKIN)
    opening = inside(-np.minimum(below_upper, above_lower))
    shade = inside(below_upper - 2.0, edge=1.5)  # the lid's shadow
    shade *= -0.3
    shade += 0.88
    paint(canvas, opening, shade)
    _iris(canvas, parameters, grid, opening)
    lash = np.abs(below_upper)
    lash += np.square(frame.u * (2 / WIDTH)) * 1.6
    lash -= 1.5
    beyond = np.abs(frame.u) - (WIDTH / 2 + 1.0)
    paint(canvas, inside(np.maximum(lash, beyond)), 0.07)
    rim = np.abs(above_lower)
    rim += np.square(frame.u * (2 / WIDTH)) * 1.2
    rim -= 0.7
    line = inside(np.maximum(rim, beyond))
    line *= 0.6
    paint(canvas, line, skin * 0.5, SKIN)


def _iris(canvas: Floats, parameters: Parameters, grid: Grid, opening: Floats) -> None:
    x, y = (each(one) for one in iris_centre(parameters))
    radius = each(parameters.iris_size) * WIDTH
    tone = each(parameters.iris_tone)
    from_middle = np.sqrt(np.square(grid.x - x) + np.square(grid.y - y))
    for share, brightness in ((1.0, tone * 0.55), (0.86, tone), (0.62, tone * 1.25)):
        paint(canvas, opening * inside(from_middle - radius * share), brightness.astype(np.float32), IRIS)
    pupil = inside(from_middle - radius * each(parameters.pupil_size))
    pupil *= opening
    paint(canvas, pupil, 0.03)


def _brow(canvas: Floats, parameters: Parameters, frame: Frame) -> None:
    u, hanging = frame.u, each(parameters.hair_occlusion)
    line = np.square(u - 3.0) * -0.016
    line += frame.v
    line += 22.0 - 4.0 * hanging
    np.abs(line, out=line)
    line += np.square(u + 4.0) * 0.005
    line -= 2.6 + 1.0 * hanging
    paint(canvas, inside(line, edge=1.0), 0.12, HAIR)


def _hair(canvas: Floats, parameters: Parameters, grid: Grid) -> None:
    """Draw strands that hang down from the top; the more occlusion, the lower and the wider they are."""
    hanging = each(parameters.hair_occlusion)
    slanted = grid.x + 0.35 * grid.y
    strand = waves(slanted + 6.5, 13.0)
    strand = strand - (0.4 + 1.8 * hanging)
    reach = grid.y - hanging * (40.0 + 8.0 * np.sin(slanted * 0.31))
    distance = np.maximum(strand, reach + 3.0)
    paint(canvas, inside(distance), 0.14, HAIR)


def _glasses(canvas: Floats, parameters: Parameters, frame: Frame) -> None:
    rows = np.flatnonzero(parameters.glasses > 0)
    if not len(rows):
        return
    some, u, v = parameters.take(rows), frame.u[rows], frame.v[rows]
    lens = rounded_box(u, v - 1.0, 27.0, 19.0, 9.0)
    half = each(some.frame_width) * 0.5
    rim = np.abs(lens) - half
    bar = np.maximum(np.abs(v + 7.0) - half, 27.0 - np.abs(u))
    glass = inside(lens)
    glass *= 0.08
    part = canvas[:, rows]
    paint(part, glass, 0.75)
    paint(part, inside(np.minimum(rim, bar)), 0.06)
    canvas[:, rows] = part


def _light(parameters: Parameters, grid: Grid) -> Floats:
    """Return the brightness of the light at each point, shape `(N, 1, W)`: the face is a cylinder."""
    across = (grid.x - CENTRE[0]) * (1 / 36)
    direction = np.deg2rad(each(parameters.light_dir))
    facing = np.sin(direction) * across + np.cos(direction) * np.sqrt(1 - np.square(across))
    ambient = each(parameters.ambient)
    light = each(parameters.light_intensity) * (ambient + (1 - ambient) * np.maximum(facing, 0))
    return np.asarray(light, dtype=np.float32)


def _glint(canvas: Floats, parameters: Parameters, grid: Grid, frame: Frame) -> None:
    """Draw the reflection of the light in the eye, which sits between the middle of the iris and the light."""
    upper, lower = _lids(parameters, frame)
    x, y = (each(one) for one in iris_centre(parameters))
    aside = np.sin(np.deg2rad(each(parameters.light_dir))) * 2.5
    spot = inside(ellipse(grid.x - x - aside, grid.y - y + 2.2, 1.5, 1.5))
    spot *= inside(-np.minimum(frame.v - upper, lower - frame.v))
    spot *= np.minimum(each(parameters.light_intensity), 1.0)
    paint(canvas, spot, 1.0)


def _glare(canvas: Floats, parameters: Parameters, frame: Frame) -> None:
    rows = np.flatnonzero((parameters.glasses > 0) & (parameters.glare > 0))
    if not len(rows):
        return
    some = parameters.take(rows)
    glare = each(some.glare)
    aside = np.sin(np.deg2rad(each(some.light_dir))) * 7.0
    u, v = frame.u[rows] - aside, frame.v[rows] + 1.0
    turned, down = u * 0.9 + v * 0.44, v * 0.9 - u * 0.44
    size = 4.0 + 13.0 * glare
    spot = inside(ellipse(turned, down, size, size * 0.62), edge=1.5)
    spot *= reflected(some)
    part = canvas[:, rows]
    paint(part, spot, 1.0)
    canvas[:, rows] = part
