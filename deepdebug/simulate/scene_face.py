"""The portrait: head and shoulders, with the features painted on an ellipsoid that turns."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from deepdebug.simulate import anatomy
from deepdebug.simulate.drawing import (
    Grid,
    Tint,
    Window,
    each,
    ellipse,
    inside,
    paint,
    rounded_box,
    segment,
    waves,
    window,
)
from deepdebug.simulate.head import CENTRE, RADII, Surface, on_surface, project, rotations, surface
from deepdebug.simulate.parameters import Parameters
from deepdebug.simulate.scene_eye import HAIR, IRIS, LIP, SKIN, reflected

Floats = npt.NDArray[np.floating]
Doubles = npt.NDArray[np.float64]

CLOTH: Tint = (0.8, 0.95, 1.3)
GAZE_REACH = 1.9
HAIR_TONE = 0.13
IRIS_SCALE = 9.6  # radius of an iris whose size is 1
LENS = 5.9  # half the width of a lens
EVEN = 0.8  # light on what is not the head


@dataclass(frozen=True, slots=True)
class Portrait:
    """A number of pictures while they are drawn.

    Args:
        canvas: The pictures, shape `(channels, N, H, W)`; changed by drawing.
        parameters: Of the pictures.
        grid: Their pixels.
        rotation: How the heads are turned.
        head: What each pixel shows of them.
        solid: How much of each pixel is head.
        shown: How much of each pixel is the front of the head.
    """

    canvas: Floats
    parameters: Parameters
    grid: Grid
    rotation: Doubles
    head: Surface
    solid: Floats
    shown: Floats

    @property
    def skin(self) -> Floats:
        """Brightness of the skin, per picture."""
        return each(self.parameters.skin_tone)

    def around(self, point: Doubles, side: float) -> Window:
        """Return the part of the pictures around a point of the head."""
        place = project(self.rotation, point.reshape(1, 3))[:, 0].astype(np.float32)
        return window(self.grid, place[:, 0], place[:, 1], side)


def draw(parameters: Parameters, grid: Grid, channels: int) -> Floats:
    """Return the lit scene before the camera's blur and noise, shape `(channels, N, H, W)`."""
    portrait = _begun(parameters, grid, channels)
    for layer in (_behind, _scalp, _eyes, _mouth, _ears, _glasses, _nose):
        layer(portrait)
    canvas = portrait.canvas
    canvas *= _light(portrait)
    _glare(portrait)
    return canvas


def _begun(parameters: Parameters, grid: Grid, channels: int) -> Portrait:
    rotation = rotations(parameters)
    head = surface(rotation, grid)
    solid = inside(head.distance.copy())
    shown = inside(-head.front)
    shown *= solid
    edge_on = head.facing * 4.0  # fades
    shown *= np.minimum(edge_on, 1.0, out=edge_on)
    canvas = np.empty((channels, *solid.shape), np.float32)
    canvas[:] = each(parameters.background)
    return Portrait(canvas, parameters, grid, rotation, head, solid, shown)


def _behind(portrait: Portrait) -> None:
    """Draw shoulders, neck, the hair behind the head, and the bare head."""
    canvas, grid, head = portrait.canvas, portrait.grid, portrait.head
    x = grid.x - CENTRE[0]
    paint(canvas, inside(ellipse(x, grid.y - 72.0, 32.0, 17.0)), 0.3, CLOTH)
    neck = np.maximum(np.abs(x) - 8.0, np.abs(grid.y - 48.0) - 12.0)
    paint(canvas, inside(neck), portrait.skin * 0.75, SKIN)
    volume = inside(np.maximum(head.distance - 2.2, head.down - 2.0))
    paint(canvas, volume, HAIR_TONE, HAIR)
    paint(canvas, portrait.solid, portrait.skin, SKIN)


def _scalp(portrait: Portrait) -> None:
    """Draw the hair on the head: above a line on the forehead, which hangs lower with occlusion, and at the back."""
    head = portrait.head
    line = head.down + 15.5
    line -= np.square(head.right) * 0.012
    line -= each(portrait.parameters.hair_occlusion) * (15.0 - 3.5 * waves(head.right + 3.0, 6.0))
    behind = np.maximum(head.front + 4.0, head.down - 8.0)
    hair = inside(np.minimum(line, behind))
    hair *= portrait.solid
    paint(portrait.canvas, hair, HAIR_TONE, HAIR)


def _eyes(portrait: Portrait) -> None:
    """Draw both eyes at once: the head is folded along its middle, and the gaze with it."""
    parameters, head = portrait.parameters, portrait.head
    part = portrait.around(on_surface(0.0, anatomy.EYE_DOWN - 2.5), 33.0)
    right, clear, local = part.cut(head.right), part.cut(portrait.shown), part.cut(portrait.canvas)
    u, v = np.abs(right) - anatomy.EYE_RIGHT, part.cut(head.down) - anatomy.EYE_DOWN
    _brows(local, u, v, clear)
    upper, lower = _lids(parameters, u)
    opening = inside(-np.minimum(v - upper, lower - v))
    opening *= clear
    paint(local, opening, 0.9)
    angle = np.deg2rad(each(parameters.gaze_angle))
    reach = each(parameters.gaze_mag) * GAZE_REACH
    aside = np.sign(right) * (reach * np.cos(angle))
    from_middle = np.sqrt(np.square(u - aside) + np.square(v + reach * np.sin(angle)))
    radius = each(parameters.iris_size) * IRIS_SCALE
    paint(local, opening * inside(from_middle - radius), each(parameters.iris_tone), IRIS)
    paint(local, opening * inside(from_middle - radius * each(parameters.pupil_size)), 0.03)
    lash = np.maximum(np.abs(v - upper) - 0.55, np.abs(u) - (anatomy.EYE_HALF + 0.4))
    paint(local, inside(lash) * clear, 0.08)
    part.paste(portrait.canvas, local)


def _brows(local: Floats, u: Floats, v: Floats, clear: Floats) -> None:
    line = np.abs(v + (anatomy.EYE_DOWN - anatomy.BROW_DOWN) - np.square(u) * anatomy.BROW_BEND)
    brow = np.maximum(line - 1.1, np.abs(u) - 5.4)
    paint(local, inside(brow) * clear, 0.12, HAIR)


def _lids(parameters: Parameters, u: Floats) -> tuple[Floats, Floats]:
    arch = 1.0 - np.square(u * (1 / anatomy.EYE_HALF))
    opened = each(parameters.openness)
    upper = arch * ((-anatomy.EYE_UPPER) * opened + 0.7 * (1 - opened))
    lower = arch * (anatomy.EYE_LOWER * opened + 1.0 * (1 - opened))
    return upper, lower


def _mouth(portrait: Portrait) -> None:
    part = portrait.around(on_surface(0.0, anatomy.MOUTH_DOWN), 18.0)
    right, clear = part.cut(portrait.head.right), part.cut(portrait.shown)
    v, local = part.cut(portrait.head.down) - anatomy.MOUTH_DOWN, part.cut(portrait.canvas)
    paint(local, inside(ellipse(right, v, anatomy.MOUTH_HALF, anatomy.LIP)) * clear, portrait.skin * 0.6, LIP)
    line = np.maximum(np.abs(v) - 0.35, np.abs(right) - (anatomy.MOUTH_HALF - 0.4))
    paint(local, inside(line) * clear, portrait.skin * 0.25, LIP)
    part.paste(portrait.canvas, local)


def _ears(portrait: Portrait) -> None:
    """Draw the ears that the head does not hide."""
    for side in (-1.0, 1.0):
        point = np.array([[side * (RADII[0] + 0.8), -0.5, -1.0]])
        x, y, z = (each(one) for one in project(portrait.rotation, point)[:, 0].T)
        part, near = portrait.around(point, 14.0), 1 / (1 + np.exp(-(z + 3.0)))
        local, outer = part.cut(portrait.canvas), ellipse(part.grid.x - x, part.grid.y - y, 2.6, 4.2)
        paint(local, inside(outer.copy()) * near, portrait.skin * 0.95, SKIN)
        outer += 1.6
        paint(local, inside(outer) * near, portrait.skin * 0.55, SKIN)
        part.paste(portrait.canvas, local)


def _nose(portrait: Portrait) -> None:
    ridge, skin = anatomy.nose_ridge(), portrait.skin
    part = portrait.around(ridge.mean(axis=0), 24.0)
    local, x, y = part.cut(portrait.canvas), part.grid.x, part.grid.y
    places = project(portrait.rotation, np.concatenate([ridge, _nostrils()]))
    top, tip, left, right = ((each(place[:, 0]), each(place[:, 1])) for place in places.transpose(1, 0, 2))
    shadow = inside(segment(x, y, left, right) - 2.1)
    shadow *= 0.8
    paint(local, shadow, skin * 0.72, SKIN)
    paint(local, inside(segment(x, y, top, tip) - 1.5), skin * 1.12, SKIN)
    holes = np.minimum(ellipse(x - left[0], y - left[1], 0.9, 0.7), ellipse(x - right[0], y - right[1], 0.9, 0.7))
    paint(local, inside(holes), skin * 0.3, SKIN)
    part.paste(portrait.canvas, local)


def _nostrils() -> Doubles:
    sides = np.array([-1.0, 1.0]) * (anatomy.NOSTRIL - 1.2)
    points: Doubles = on_surface(sides, anatomy.NOSE_DOWN + 2.0) + np.array([0.0, 0.0, 2.0])
    return points


def _glasses(portrait: Portrait) -> None:
    parameters, head = portrait.parameters, portrait.head
    rows = np.flatnonzero(parameters.glasses > 0)
    if not len(rows):
        return
    right, front = np.abs(head.right[rows]), head.front[rows]
    v = head.down[rows] - (anatomy.EYE_DOWN + 0.6)
    half = each(parameters.frame_width[rows]) * 0.45
    rims = np.abs(rounded_box(right - anatomy.EYE_RIGHT, v, LENS, 4.9, 2.6)) - half
    bar = np.abs(v + 1.5) - half
    bridge, temple = (
        np.maximum(bar, right - (anatomy.EYE_RIGHT - LENS)),
        np.maximum(bar, anatomy.EYE_RIGHT + LENS - right),
    )
    frame = np.minimum(np.maximum(np.minimum(rims, bridge), -front), np.maximum(temple, -front - 3.0))
    part = portrait.canvas[:, rows]
    paint(part, inside(frame) * portrait.solid[rows], 0.05)
    portrait.canvas[:, rows] = part


def _light(portrait: Portrait) -> Floats:
    """Return the brightness of the light at each point: on the head by its curvature, elsewhere even."""
    parameters = portrait.parameters
    direction = np.deg2rad(each(parameters.light_dir))
    across = np.clip((portrait.grid.x - CENTRE[0]) / RADII[0], -1.1, 1.1)
    light = portrait.head.facing * np.cos(direction)
    light += across * np.sin(direction)
    np.maximum(light, 0.0, out=light)
    light *= 0.85
    light += 0.15 * np.maximum(np.cos(direction), 0)
    ambient = each(parameters.ambient)
    light *= 1 - ambient
    light += ambient - EVEN
    light *= portrait.solid
    light += EVEN
    light *= each(parameters.light_intensity)
    return light


def _glare(portrait: Portrait) -> None:
    rows = np.flatnonzero((portrait.parameters.glasses > 0) & (portrait.parameters.glare > 0))
    if not len(rows):
        return
    parameters, right = portrait.parameters.take(rows), portrait.head.right[rows]
    glare = each(parameters.glare)
    aside = np.sin(np.deg2rad(each(parameters.light_dir))) * 1.5
    u = np.abs(right) - anatomy.EYE_RIGHT - np.sign(right) * aside
    size = 1.5 + 4.5 * glare
    spot = inside(ellipse(u, portrait.head.down[rows] - anatomy.EYE_DOWN, size, size * 0.75))
    spot *= portrait.shown[rows]
    spot *= reflected(parameters)
    part = portrait.canvas[:, rows]
    paint(part, spot, 1.0)
    portrait.canvas[:, rows] = part
