"""What was asked of the steps, kept beside their results, so that later steps need not be told again."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from deepdebug.errors import UsageError
from deepdebug.files import write_file
from deepdebug.hudd.opening import Request
from deepdebug.strict_json import strict_json

REQUEST = "request.json"


def write_request(request: Request) -> Path:
    """Keep what was asked, but for the folders, which may move.

    Args:
        request: What was asked.

    Raises:
        UsageError: When it cannot be written.
    """
    facts = {name: value for name, value in asdict(request).items() if name not in ("case", "out")}
    facts["embedding"] = None if request.embedding is None else str(request.embedding.absolute())
    content = strict_json(facts, indent=1) + b"\n"
    return write_file(request.out / REQUEST, lambda to: to.write_bytes(content), "request")


def read_request(case: Path, out: Path) -> Request:
    """Return what was asked of earlier steps; the defaults where nothing was.

    Args:
        case: Folder of the case.
        out: Folder of the results.

    Raises:
        UsageError: When it cannot be read.
    """
    try:
        facts = json.loads((out / REQUEST).read_bytes())
        return TypeAdapter(Request).validate_python({**facts, "case": case, "out": out})
    except FileNotFoundError:
        return Request(case, out)
    except (OSError, ValueError, TypeError, ValidationError) as error:
        raise UsageError(f"What was asked cannot be read from {str(out / REQUEST)!r}: {error}. Remove it.") from error
