"""JSON that every parser accepts, from records."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def strict_json(value: Any, indent: int | None = None) -> bytes:
    """Return records, mappings and sequences as strict JSON; NaN and the infinities become strings.

    Raises:
        ValueError: When something is neither a record, a collection, a number nor a string.

    >>> strict_json({"loss": float("nan")})
    b'{"loss":"NaN"}'
    """
    from pydantic_core import to_json

    return to_json(value, indent=indent, inf_nan_mode="strings", fallback=_plain)


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return dict(value)
    if hasattr(value, "item"):  # a scalar of numpy or of a backend, as in the logs of Keras
        return value.item()
    raise TypeError(f"{type(value).__name__} cannot be written as JSON; expected a number or a string")
