"""What the families of `rq1` leave out: other models, rare causes, two causes at once, another rule, a divided cause.

- batch norm, residual: networks with batch normalisation, and with blocks that a shortcut leads around.
- rare: 0.5 % of the test pictures have each cause; failures without a known cause are then the most.
- two causes: half of the spoilt pictures are spoilt twice.
- binary: two classes; relevance is also made with epsilon in dense layers and z-plus in convolutions.
- pose by class: the turned pictures of each class count as a cause of their own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

from benchmarks.hudd.network import trained
from benchmarks.hudd.photographed import photographed
from benchmarks.hudd.simulated import simulated
from benchmarks.hudd.sizes import Size
from benchmarks.hudd.task import Flags, Model, Rows, Task
from benchmarks.hudd.two_causes import two_photographed, two_simulated

RARE = 0.005
ALL_OF_TEST = 10_000  # pictures that MNIST has for tests


def _with_network(name: str, kind: str, seed: int, size: Size, data: Path) -> Task:
    train = partial(trained, kind=kind)
    if name == "MNIST":
        return photographed(name, seed, size, data, train=train)
    return simulated(name, seed, size, by=train)


def _rare(name: str, seed: int, size: Size, data: Path) -> Task:
    if name == "MNIST":
        training, test, epochs = size.photographed[name]
        most = {name: (training, min(ALL_OF_TEST, 2 * test), epochs)}
        return photographed(name, seed, replace(size, photographed=most), data, prevalence=RARE)
    training, test, epochs = size.simulated
    return simulated(name, seed, replace(size, simulated=(training, 2 * test, epochs)), prevalence=RARE)


def _two(name: str, seed: int, size: Size, data: Path) -> Task:
    return two_photographed(name, seed, size, data) if name == "MNIST" else two_simulated(name, seed, size)


def _unchanged(name: str, seed: int, size: Size, _: Path) -> Task:
    return simulated(name, seed, size)


def _by_class(name: str, cause: str, seed: int, size: Size, data: Path) -> Task:
    whole = photographed(name, seed, size, data) if name == "MNIST" else simulated(name, seed, size)
    return divided(whole, cause)


def divided(task: Task, cause: str) -> Task:
    """Return a task in which a planted cause counts as one cause per right class.

    Args:
        task: A classification.
        cause: Name of the cause.
    """
    classes, column = np.unique(task.targets), task.causes.index(cause)

    def truth(model: Model, rows: Rows) -> Flags:
        whole = task.truth(model, rows)
        parts = whole[:, [column]] & (task.targets[rows][:, None] == classes)
        return np.concatenate([whole[:, :column], parts, whole[:, column + 1 :]], axis=1)

    names = (*task.causes[:column], *(f"{cause} of {one}" for one in classes), *task.causes[column + 1 :])
    return replace(task, causes=names, planted=task.planted + len(classes) - 1, truth=truth)


VARIANTS: Mapping[str, Callable[[int, Size, Path], Task]] = {
    "GD, batch norm": partial(_with_network, "GD", "norm"),
    "MNIST, batch norm": partial(_with_network, "MNIST", "norm"),
    "GD, residual": partial(_with_network, "GD", "residual"),
    "MNIST, residual": partial(_with_network, "MNIST", "residual"),
    "GD, rare": partial(_rare, "GD"),
    "MNIST, rare": partial(_rare, "MNIST"),
    "GD, two causes": partial(_two, "GD"),
    "MNIST, two causes": partial(_two, "MNIST"),
    "OC, binary": partial(_unchanged, "OC"),
    "OD, binary": partial(_unchanged, "OD"),
    "GD, pose by class": partial(_by_class, "GD", "C1"),
    "MNIST, pose by class": partial(_by_class, "MNIST", "rotation"),
}
