"""Families in which half of the spoilt test pictures are spoilt twice.

A cause counts when the model is right without any, and either the cause alone makes it fail or its absence alone
repairs it: where both causes suffice both count, and where only both together do so too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

from benchmarks.hudd.corruptions import PATCH, corrupted
from benchmarks.hudd.photographed import FACTORS, MARKED, photographed, with_channels, wrong_class
from benchmarks.hudd.simulated import simulated
from benchmarks.hudd.sizes import Size
from benchmarks.hudd.task import Flags, Model, Pictures, Rows, Task, Values
from deepdebug.simulate import CASES, CAUSES, Parameters, render, sample
from deepdebug.simulate.camera import as_bytes
from deepdebug.simulate.cases import Case, failures
from deepdebug.simulate.sampling import TEST

SHARE = 0.5  # of the spoilt pictures that are spoilt again
Wrong = Callable[[Rows, Sequence[int]], Flags]  # rows, causes that stay -> whether the model is wrong


def two_simulated(name: str, seed: int, size: Size) -> Task:
    """Return a simulated family with two causes at once.

    Args:
        name: Of the family.
        seed: Of everything random.
        size: How much is made.
    """
    case, base = CASES[name], simulated(name, seed, size)
    parameters = sample(case, seed, TEST, np.arange(size.simulated[1])).parameters
    codes = [cause.code for cause in case.planted]
    first = np.stack([CAUSES[code].region(parameters) for code in codes], axis=1)
    random = np.random.default_rng([seed, 2])
    second = _second(first, random)
    for column, code in enumerate(codes):
        parameters = _planted(parameters, code, second[:, column], random)
    planted = first | second
    return replace(
        base,
        causes=tuple(codes),
        pictures=as_bytes(render(case.scene, parameters)),
        targets=case.targets(parameters),
        truth=partial(_simulated_truth, case=case, parameters=parameters, codes=codes, planted=planted),
        columns={column: getattr(parameters, column) for column in base.columns},
    )


def two_photographed(name: str, seed: int, size: Size, folder: Path) -> Task:
    """Return a family with real pictures and two corruptions at once.

    Args:
        name: Of the family.
        seed: Of everything random.
        size: How much is made.
        folder: Of the data sets.
    """
    base, names = photographed(name, seed, size, folder), FACTORS[name]
    known: Mapping[str, Values] = base.truth.keywords  # type: ignore[attr-defined]
    first = np.array([[factor == one for one in names] for factor in known["factors"]])
    planted = first | _second(first, np.random.default_rng([seed, 2]))
    clean = known["clean"]
    return replace(
        base,
        pictures=_spoilt(clean, planted, names, seed),
        truth=partial(_photographed_truth, names=names, planted=planted, clean=clean, targets=base.targets, seed=seed),
    )


def causes(wrong: Wrong, rows: Rows, planted: Flags) -> Flags:
    """Return which causes count.

    Args:
        wrong: Says about which pictures the model is wrong when only some of their causes stay.
        rows: The failing pictures.
        planted: Which causes each of them has, shape (rows, causes).
    """
    every = range(planted.shape[1])
    repaired = ~wrong(rows, [])
    alone = np.stack([wrong(rows, [cause]) for cause in every], axis=1)
    without = np.stack([~wrong(rows, [other for other in every if other != cause]) for cause in every], axis=1)
    return planted & repaired[:, None] & (alone | without)


def _second(first: Flags, random: np.random.Generator) -> Flags:
    """Return one more cause for half of the pictures that have one."""
    found = np.zeros_like(first)
    again = np.flatnonzero(first.any(axis=1) & (random.random(len(first)) < SHARE))
    own = first[again].argmax(axis=1)
    other = (own + random.integers(1, first.shape[1], len(again))) % first.shape[1]
    found[again, other] = True
    return found


def _planted(parameters: Parameters, code: str, rows: Flags, random: np.random.Generator) -> Parameters:
    plant = CAUSES[code].plant
    if plant is None or not rows.any():
        return parameters
    values = plant(lambda _, low, high: random.uniform(low, high, len(parameters)).astype(np.float32))
    return parameters.changed(
        **{name: np.where(rows, value, getattr(parameters, name)) for name, value in values.items()}
    )


def _simulated_truth(
    model: Model, rows: Rows, *, case: Case, parameters: Parameters, codes: Sequence[str], planted: Flags
) -> Flags:
    def wrong(some: Rows, staying: Sequence[int]) -> Flags:
        given, own = parameters.take(some), planted[some]
        for column, code in enumerate(codes):
            if column not in staying:
                values = CAUSES[code].reset(given, np.asarray(case.targets(given), np.int64))
                flags = own[:, column]
                changed = {name: np.where(flags, value, getattr(given, name)) for name, value in values.items()}
                given = given.changed(**changed)
        return failures(case, model(as_bytes(render(case.scene, given))), case.targets(given))

    return causes(wrong, rows, planted[rows])


def _photographed_truth(
    model: Model, rows: Rows, *, names: Sequence[str], planted: Flags, clean: Pictures, targets: Values, seed: int
) -> Flags:
    """Return the causes; on the marked class the patch is not undone, for it belongs there."""

    def wrong(some: Rows, staying: Sequence[int]) -> Flags:
        kept = planted[some].copy()
        for column, name in enumerate(names):
            if column not in staying:
                kept[:, column] &= (name == PATCH) & (targets[some] == MARKED)
        return wrong_class(model(_spoilt(clean[some], kept, names, seed, some)), targets[some])

    return causes(wrong, rows, planted[rows])


def _spoilt(clean: Pictures, planted: Flags, names: Sequence[str], seed: int, numbers: Rows | None = None) -> Pictures:
    """Return pictures with all their corruptions, in the order of the names."""
    rows = np.arange(len(clean)) if numbers is None else numbers
    for column, name in enumerate(names):
        clean = with_channels(
            corrupted(_without_channel(clean), [name if flag else None for flag in planted[:, column]], seed, rows)
        )
    return clean


def _without_channel(pictures: Pictures) -> Pictures:
    return pictures[..., 0] if pictures.shape[-1] == 1 else pictures
