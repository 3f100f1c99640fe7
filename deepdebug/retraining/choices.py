"""How images were chosen, kept beside the results, so that later steps choose the same ones."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path

from deepdebug.errors import UsageError
from deepdebug.hudd.marks import read_mark, write_mark
from deepdebug.retraining.asked import Choice

CHOICE = "choice.json"


def write_choice(out: Path, choice: Choice) -> None:
    """Keep how images were chosen.

    Args:
        out: Folder of the results.
        choice: How.

    Raises:
        UsageError: When it cannot be written.
    """
    write_mark(out / CHOICE, asdict(choice))


def read_choice(out: Path, mode: str | None = None, quota: str | None = None, factor: float | None = None) -> Choice:
    """Return how images were chosen before, but for what is said now; the defaults where nothing was.

    Args:
        out: Folder of the results.
        mode: What is said of it now. Defaults to `None`: nothing.
        quota: Likewise.
        factor: Likewise.

    Raises:
        UsageError: When it cannot be read, or something that is said cannot be used.
    """
    try:
        earlier = Choice(**read_mark(out / CHOICE))
    except (TypeError, UsageError) as error:
        raise UsageError(
            f"How images were chosen cannot be read from {str(out / CHOICE)!r}: {str(error).rstrip('.')}. Remove it."
        ) from error
    return replace(
        earlier,
        mode=earlier.mode if mode is None else mode,
        quota=earlier.quota if quota is None else quota,
        factor=earlier.factor if factor is None else factor,
    )
