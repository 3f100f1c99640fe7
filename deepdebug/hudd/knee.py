"""Where a curve bends: kneedle, and what to do where it finds nothing.

Satopaa et al., "Finding a 'Kneedle' in a Haystack", ICDCSW 2011, as the package kneed implements it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from deepdebug.hudd.notes import Note

Curve = npt.NDArray[np.floating[Any]]
Numbers = npt.NDArray[np.integer[Any]]


@dataclass(frozen=True, slots=True)
class Knee:
    """Where a curve bends.

    Args:
        at: One of the x values.
        how: "kneedle", or what stood in for it: "silhouette" or "chord".
    """

    at: int
    how: str

    @property
    def notes(self) -> list[Note]:
        """A warning where kneedle found nothing."""
        if self.how == "kneedle":
            return []
        stand_in = {
            "silhouette": "the number with the largest mean silhouette",
            "chord": "the number whose value is farthest from the straight line between the ends of the curve",
        }[self.how]
        text = f"The curve over the numbers of clusters has no knee; {stand_in} was taken, {self.at}."
        return [Note("knee-missing", text, warning=True)]


def first_knee(x: Numbers, y: Curve, curve: str, direction: str) -> int | None:
    """Return the x value of the first knee, which is kneed's own choice, or `None`.

    Args:
        x: Growing numbers.
        y: Values, of the same shape.
        curve: "concave" or "convex".
        direction: "increasing" or "decreasing".
    """
    found = _locator(x, y, curve, direction, every=False)
    return None if found is None or found.knee is None else int(found.knee)


def deepest_knee(x: Numbers, y: Curve, curve: str, direction: str) -> int | None:
    """Return the x value of the knee that lies farthest from the straight line between the ends, or `None`.

    Where groups of one size lie equally far apart, all merges of groups have nearly one height, and the first knee is
    some small step on that plateau (`python -m benchmarks.knees`).

    Args:
        x: Growing numbers.
        y: Values, of the same shape.
        curve: "concave" or "convex".
        direction: "increasing" or "decreasing".
    """
    found = _locator(x, y, curve, direction, every=True)
    if found is None or not found.all_knees:
        return None
    depths = dict(zip(x.tolist(), found.y_difference.tolist(), strict=True))
    return int(max(found.all_knees, key=lambda knee: depths[int(knee)]))


def _locator(x: Numbers, y: Curve, curve: str, direction: str, *, every: bool) -> Any:
    """Return kneed's answer, `None` where the curve is flat, too short or undefined."""
    if len(x) < 3 or not np.isfinite(y).all() or np.ptp(y) == 0:
        return None
    from kneed import KneeLocator  # slow to import: it looks for matplotlib

    return KneeLocator(x, y, curve=curve, direction=direction, online=every)


def find_knee(
    x: Numbers,
    y: Curve,
    curve: str,
    direction: str,
    silhouettes: Callable[[], Curve] | None = None,
    *,
    kneedle: Callable[[Numbers, Curve, str, str], int | None] = first_knee,
) -> Knee:
    """Return the knee of a curve; where there is none, the largest silhouette, or else the point far from the chord.

    Args:
        x: Growing numbers of clusters; at least one.
        y: Values, of the same shape.
        curve: "concave" or "convex".
        direction: "increasing" or "decreasing".
        silhouettes: Called where kneedle finds nothing, returns the mean silhouette at every x, NaN where it is not
            defined. Defaults to `None`: there are none.
        kneedle: Which knee is taken, `first_knee` or `deepest_knee`. Defaults to `first_knee`.
    """
    at = kneedle(x, y, curve, direction)
    if at is not None:
        return Knee(at, "kneedle")
    scores = silhouettes() if silhouettes and len(x) > 1 else np.full(len(x), np.nan)
    if np.isfinite(scores).any() and np.nanmax(scores) > np.nanmin(scores):
        return Knee(int(x[np.nanargmax(scores)]), "silhouette")
    return Knee(int(x[_far_from_chord(y)]), "chord")


def _far_from_chord(y: Curve) -> int:
    if len(y) < 3 or not np.isfinite(y).all():
        return 0
    return int(np.argmax(np.abs(y - np.linspace(y[0], y[-1], len(y)))))
