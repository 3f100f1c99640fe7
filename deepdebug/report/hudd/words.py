"""How shares, ranges and chances are written on the page of clusters."""

from __future__ import annotations

from collections.abc import Iterable

from deepdebug.report.wording import number, one_line

LEAST_CHANCE = 1e-4  # smaller ones say nothing more
SPACE = "\N{NO-BREAK SPACE}"


def percent(share: float) -> str:
    """Write a share; only nothing is 0 % and only all is 100 %.

    >>> [percent(share).replace(SPACE, " ") for share in (0.0, 0.001, 0.974, 0.999, 1.0)]
    ['0 %', 'under 1 %', '97 %', 'over 99 %', '100 %']
    """
    if 0 < share < 0.005:
        return f"under 1{SPACE}%"
    if 0.995 <= share < 1:
        return f"over 99{SPACE}%"
    return f"{share * 100:.0f}{SPACE}%"


def span(low: float, high: float, is_angle: bool = False) -> str:
    """Write a range; one of angles may lead through 0.

    >>> span(0.2, 0.34), span(1.0, 1.0), span(350.0, 10.0, is_angle=True)
    ('0.2 to 0.34', '1', '350 through 0 to 10')
    """
    first, last = number(low), number(high)
    if first == last:
        return first
    return f"{first} through 0 to {last}" if is_angle and low > high else f"{first} to {last}"


def chance(value: float | None) -> str:
    """Write a p-value or q-value.

    >>> chance(0.0123), chance(1e-9), chance(None)
    ('0.0123', 'below 0.0001', '-')
    """
    return "below 0.0001" if value is not None and value < LEAST_CHANCE else number(value)


def count(amount: int, one: str, many: str = "") -> str:
    """Write a number of things.

    >>> count(1, "image"), count(1200, "image"), count(0, "class", "classes")
    ('1 image', '1,200 images', '0 classes')
    """
    return f"{amount:,} {one if amount == 1 else many or one + 's'}"


def joined(items: Iterable[int | str]) -> str:
    """Write numbers of clusters, or names.

    >>> joined([2]), joined([2, 12]), joined(["a", "b", "c"])
    ('2', '2 and 12', 'a, b and c')
    """
    *first, last = map(str, items)
    return f"{', '.join(first)} and {last}" if first else last


def tail(name: str, most: int = 16) -> str:
    """Return the end of a long name, which differs between files where the beginning does not.

    >>> tail("TestSet/closed/000123.png")
    '…osed/000123.png'
    """
    name = one_line(name)
    return name if len(name) <= most else f"\N{HORIZONTAL ELLIPSIS}{name[1 - most :]}"
