"""The failing test pictures of a trained model, and what is known of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from benchmarks.hudd.task import Flags, Model, Pictures, Rows, Task, Values


@dataclass(frozen=True, slots=True)
class Failures:
    """Failing pictures, or a sample of them.

    Args:
        rows: Their numbers in the test set, growing.
        number: How many fail in all.
        accuracy: Share of the test pictures about which the model is right.
        pictures: As stored, shape (N, height, width, channels).
        targets: What is right, shape (N,) or (N, outputs).
        outputs: What the model says, shape (N, outputs).
        usual: What is right about all test pictures, in the shape of `targets`.
        causes: Which causes make each fail, shape (N, causes).
        columns: Known parameters, each of shape (N,), by name.
    """

    rows: Rows
    number: int
    accuracy: float
    pictures: Pictures
    targets: Values
    outputs: Values
    usual: Values
    causes: Flags
    columns: Mapping[str, Values]


def find_failures(task: Task, model: Model, most: int, seed: int) -> Failures:
    """Ask the model about the test pictures, and find out why it fails.

    Args:
        task: The task.
        model: Maps pictures as they are stored to outputs.
        most: Largest number of failing pictures that are kept; of more a sample is drawn.
        seed: Of the sample.
    """
    outputs = model(task.pictures)
    failed = task.failures(outputs, task.targets)
    rows = np.flatnonzero(failed)
    if len(rows) > most:
        rows = np.sort(np.random.default_rng(seed).choice(rows, most, replace=False))
    return Failures(
        rows,
        int(failed.sum()),
        float(1.0 - failed.mean()),
        task.pictures[rows],
        task.targets[rows],
        outputs[rows],
        task.targets,
        task.truth(model, rows),
        {name: values[rows] for name, values in task.columns.items()},
    )
