"""What is to be simulated, and how the case file says it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from deepdebug.simulate.anatomy import NAMES
from deepdebug.simulate.cases import TOLERANCE, Case
from deepdebug.simulate.causes import CAUSES
from deepdebug.simulate.parameters import RANGES
from deepdebug.simulate.rendering import SIZE
from deepdebug.simulate.sampling import IMPROVEMENT, TEST, TRAINING


@dataclass(frozen=True, slots=True)
class Size:
    """How much of a case is made.

    Args:
        name: "fast" or "full".
        pictures: Number of pictures by set.
        epochs: Of the training.
        as_files: Whether each picture is a PNG file; else all of a set are one array file.
    """

    name: str
    pictures: Mapping[str, int]
    epochs: int
    as_files: bool


# 120,000 small files cost more time and room on disk than what they hold, hence one array per set in the full case.
SIZES: Mapping[str, Size] = {
    "fast": Size("fast", {TRAINING: 4_000, TEST: 2_000, IMPROVEMENT: 4_000}, epochs=10, as_files=True),
    "full": Size("full", {TRAINING: 40_000, TEST: 20_000, IMPROVEMENT: 60_000}, epochs=6, as_files=False),
}


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be simulated; two equal orders give equal files.

    Args:
        case: The case.
        size: How much of it.
        seed: The seed. Defaults to `0`.
        colour: "gray" or "rgb". Defaults to `"gray"`.
        prevalence: Share of each planted cause in test and improvement set. Defaults to `None`: that of the cause.
    """

    case: Case
    size: Size
    seed: int = 0
    colour: str = "gray"
    prevalence: float | None = None


def case_file(order: Order) -> str:
    """Return the text of `case.toml`."""
    return "\n".join(_lines(order)) + "\n"


def _lines(order: Order) -> Iterator[str]:
    case = order.case
    yield "# Made by `deepdebug simulate`. The causes of failures are known: GroundTruth/ names them for every picture."
    yield from _table("case", _facts(order))
    yield from _table("preprocessing", {"size": [SIZE, SIZE], "colour": order.colour, "scale": 1 / 255, "offset": 0.0})
    yield from _table("parameters", {"angles": ["gaze_angle"]})
    yield from _table("pictures", order.size.pictures)
    yield from _table("nominal", {name: limits.nominal for name, limits in RANGES.items()})
    for code in case.causes:
        cause = CAUSES[code]
        test = cause.test if cause.plant is None or order.prevalence is None else order.prevalence
        shares = {"train": cause.train, "test": test}
        known = {name: share for name, share in shares.items() if share is not None}
        yield from _table(f"causes.{code}", {"summary": cause.summary, **known, "remedy": cause.remedy})


def _facts(order: Order) -> Mapping[str, object]:
    case = order.case
    facts: dict[str, object] = {
        "name": case.name,
        "kind": case.kind,
        "task": case.task,
        "scene": case.scene,
        "seed": order.seed,
        "size": order.size.name,
        "model": f"DNNModels/{case.name}.keras",
    }
    if case.classes:
        return {**facts, "classes": list(case.classes)}
    return {**facts, "outputs": list(NAMES), "failures": f"loss>{TOLERANCE:g}"}


def _table(name: str, values: Mapping[str, object]) -> Iterator[str]:
    """Return a table of TOML, whose strings, numbers and lists are written as those of JSON."""
    yield ""
    yield f"[{name}]"
    yield from (f"{key} = {json.dumps(value)}" for key, value in values.items())
