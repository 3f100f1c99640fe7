"""What a simulated case holds, in a few lines."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from deepdebug.simulate.causes import CAUSES
from deepdebug.simulate.order import Order
from deepdebug.simulate.results import Result
from deepdebug.simulate.sampling import TEST

NAMES = {"TrainingSet": "training", "TestSet": "test", "ImprovementSet": "improvement"}


@dataclass(frozen=True, slots=True)
class Region:
    """What became of a planted cause in a set.

    Args:
        count: Pictures in its region.
        share: The same as a share of the set.
        accuracy: Share of them about which the model is right; `None` without any.
        failures: Pictures that fail because of it.
    """

    count: int
    share: float
    accuracy: float | None
    failures: int


def accuracy(results: Sequence[Result]) -> float | None:
    """Return the share of pictures about which the model is right, or `None` without pictures."""
    return sum(not one.failed for one in results) / len(results) if results else None


def harmless(results: Sequence[Result]) -> list[Result]:
    """Return the pictures in which no cause is planted."""
    return [one for one in results if not one.planted]


def region(results: Sequence[Result], code: str) -> Region:
    """Return what became of a cause."""
    members = [one for one in results if code in one.planted]
    failing = sum(code in one.causes for one in results)
    return Region(len(members), len(members) / max(1, len(results)), accuracy(members), failing)


def summary(order: Order, results: Mapping[str, Sequence[Result]]) -> str:
    """Return the summary as text.

    Args:
        order: What was simulated.
        results: By set.
    """
    return "\n".join(_lines(order, results))


def _lines(order: Order, results: Mapping[str, Sequence[Result]]) -> Iterator[str]:
    case, test = order.case, results[TEST]
    yield f"{case.name}: {case.task}; {order.size.name}, seed {order.seed}, {order.colour}"
    yield "images    " + _joined((f"{len(some):,} {NAMES[part]}" for part, some in results.items()))
    right = "accuracy" if case.classes else "right   "
    yield f"{right}  " + _joined(f"{_percent(accuracy(some))} {NAMES[part]}" for part, some in results.items())
    failing = [one for one in test if one.failed]
    several = sum(len(one.causes) > 1 for one in failing)
    single = sum(len(one.causes) == 1 for one in failing)
    yield (
        f"failing   {len(failing):,} test images: {single:,} by one cause, {several:,} by several, "
        f"{len(failing) - single - several:,} by none (natural errors)"
    )
    yield f"\n{'test images':<18}{'number':>8}{'share':>9}{'right':>9}{'failing by it':>15}"
    plain = harmless(test)
    yield f"{'nothing planted':<18}{len(plain):>8,}{_percent(len(plain) / len(test)):>9}{_percent(accuracy(plain)):>9}"
    for code in case.causes:
        found = region(test, code)
        numbers = f"{found.count:>8,}{_percent(found.share):>9}{_percent(found.accuracy):>9}{found.failures:>15,}"
        yield f"{code:<18}{numbers}  {CAUSES[code].summary}"


def _joined(parts: Iterator[str]) -> str:
    return ", ".join(parts)


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{share:.1%}"
