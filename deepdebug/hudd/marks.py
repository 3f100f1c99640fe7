"""What a step was done with, so that it is done again where that has changed and only there."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from deepdebug.errors import UsageError
from deepdebug.files import write_file
from deepdebug.strict_json import strict_json


def fingerprint(**facts: Any) -> str:
    """Return a hash of everything that a step depends on.

    Args:
        facts: Numbers, texts, lists and mappings of them.
    """
    return hashlib.sha256(strict_json(facts)).hexdigest()


def write_mark(path: Path, facts: Mapping[str, Any]) -> None:
    """Write a mark, whole or not at all.

    Args:
        path: The file.
        facts: Its content.

    Raises:
        UsageError: When it cannot be written.
    """
    content = strict_json(facts, indent=1) + b"\n"
    write_file(path, lambda to: to.write_bytes(content), "mark")


def read_mark(path: Path) -> dict[str, Any]:
    """Read a mark back; an empty one where there is none.

    Args:
        path: The file.

    Raises:
        UsageError: When it cannot be read.
    """
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise UsageError(f"The file {str(path)!r} cannot be read: {error}. Remove it.") from error
    return found if isinstance(found, dict) else {}
