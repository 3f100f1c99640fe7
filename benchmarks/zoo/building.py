"""Builds a model of the zoo with its data; loads Keras."""

from __future__ import annotations

from collections.abc import Sequence

import keras
import numpy as np

from benchmarks.healthy import images, regimes, sequences, tabular  # noqa: F401  (each registers its families)
from benchmarks.healthy.family import FAMILIES, Training
from benchmarks.zoo.changing import NotApplicable
from benchmarks.zoo.operators import OPERATORS
from benchmarks.zoo.zoo import Entry


def build(entry: Entry, seed: int) -> Training:
    """Return a compiled model and its data; seeds Keras.

    Args:
        entry: Which one.
        seed: Of weights, data and fault.

    Raises:
        NotApplicable: When the operator finds nothing to change.
    """
    keras.backend.clear_session()
    keras.utils.set_random_seed(seed)
    healthy = FAMILIES[entry.family].build(seed)
    if not entry.operator:
        return healthy
    return OPERATORS[entry.operator].change(healthy, np.random.default_rng(seed))


# Their weights come from an earlier training, which most operators would undo: another fault than they name.
TRAINED_BEFORE = ("fine_tuning", "transfer")


def applicable_families() -> tuple[Sequence[str], dict[str, Sequence[str]]]:
    """Return the names of all families, and of those that each operator can be put into."""
    found: dict[str, list[str]] = {name: [] for name in OPERATORS}
    for family in (name for name in FAMILIES if name not in TRAINED_BEFORE):
        for operator, known in found.items():
            try:
                build(Entry(family, operator, "tuning"), 0)
            except NotApplicable:
                continue
            known.append(family)
    return list(FAMILIES), dict(found)
