"""Two models on the same test set: which errors vanished, which are new."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from deepdebug.errors import UsageError
from deepdebug.hudd.tested import Tested
from deepdebug.retraining.statistics import mcnemar

Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Change:
    """How often two models are right about some images.

    Args:
        name: What the images have in common.
        images: Their number.
        before: Share that the first model gets right.
        after: The same of the second.
        fixed: Images that only the second one gets right.
        broken: Images that only the first one gets right.
        p_value: Of McNemar's exact test that both are right equally often.
    """

    name: str
    images: int
    before: float
    after: float
    fixed: int
    broken: int
    p_value: float


def changes(before: Flags, after: Flags, groups: Mapping[str, Flags]) -> tuple[Change, ...]:
    """Compare two models on groups of images.

    Args:
        before: Which images the first model gets wrong, shape (images,).
        after: The same of the second.
        groups: Which images belong to each group, shape (images,), by its name. Empty ones are left out.
    """
    return tuple(_change(name, before[inside], after[inside]) for name, inside in groups.items() if inside.any())


def aligned(one: Tested, other: Tested) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return the positions, in both tables, of the images that are in both.

    Args:
        one: Answers of a model.
        other: Answers of another one.

    Raises:
        UsageError: When no image is in both.
    """
    places = {name: place for place, name in enumerate(other.images)}
    pairs = [(place, places[name]) for place, name in enumerate(one.images) if name in places]
    if not pairs:
        raise UsageError("The two models were tested on different images; expected the same test set.")
    left, right = zip(*pairs, strict=True)
    return np.array(left), np.array(right)


def groups_of(
    tested: Tested, clusters: Mapping[str, Sequence[str]], planted: Mapping[str, Sequence[str]]
) -> dict[str, dict[str, Flags]]:
    """Return the groups by which models are compared, by their kind.

    Args:
        tested: Answers of the original model.
        clusters: Names of the images of every cluster, by its name.
        planted: Names of the images of every planted cause, by its name.
    """
    everything = np.ones(len(tested.images), np.bool_)
    found = {"all": {"all images": everything}}
    if tested.expected is not None:
        found["class"] = {name: tested.expected == number for number, name in enumerate(tested.columns)}
    names = np.array(tested.images, dtype=np.str_)
    for kind, listed in (("cluster", clusters), ("planted cause", planted)):
        if listed:
            found[kind] = {name: np.isin(names, list(images)) for name, images in listed.items()}
    return found


def _change(name: str, before: Flags, after: Flags) -> Change:
    fixed, broken = int((before & ~after).sum()), int((~before & after).sum())
    return Change(
        name=name,
        images=len(before),
        before=1 - float(before.mean()),
        after=1 - float(after.mean()),
        fixed=fixed,
        broken=broken,
        p_value=mcnemar(fixed, broken),
    )
