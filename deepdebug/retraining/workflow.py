"""From grouped failures to the unsafe set, and what was asked on the way."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from deepdebug.errors import UsageError
from deepdebug.files import write_file
from deepdebug.hudd.opening import Request, Stage, silent
from deepdebug.retraining.asked import Choice
from deepdebug.retraining.choosing import Unsafe, choose
from deepdebug.retraining.engines import Engine
from deepdebug.retraining.grouped import Grouped
from deepdebug.retraining.seeing import Looked, compare, look

REQUEST = "request.json"


def unsafe_set(grouped: Grouped, choice: Choice, engine: Engine, stage: Stage = silent) -> tuple[Looked, Unsafe]:
    """Look at the improvement set and choose images of it; what earlier runs have done is read back.

    Args:
        grouped: The case.
        choice: How images are chosen.
        engine: Where the improvement set is looked at.
        stage: Is told of every stage that is begun. Defaults to `silent`.

    Raises:
        UsageError: When there is no improvement set, or no cluster of two failures or more.
    """
    write_request(grouped.request)
    looked = look(grouped, engine, stage)
    return looked, choose(grouped, looked, compare(grouped, looked, engine, stage), choice)


def write_request(request: Request) -> Path:
    """Keep what was asked, so that later steps need not be told again.

    Args:
        request: What was asked.
    """
    content = _requests().dump_json(request, indent=1) + b"\n"
    return write_file(request.out / REQUEST, lambda to: to.write_bytes(content), "request")


def read_request(case: Path, out: Path) -> Request:
    """Return what was asked of earlier steps; the defaults where nothing was.

    Args:
        case: Folder of the case, which may have moved.
        out: Folder of the results.

    Raises:
        UsageError: When it cannot be read.
    """
    try:
        known = _requests().validate_json((out / REQUEST).read_bytes())
    except FileNotFoundError:
        return Request(case, out)
    except (OSError, ValidationError) as error:
        raise UsageError(f"What was asked cannot be read from {str(out / REQUEST)!r}: {error}. Remove it.") from error
    return replace(known, case=case, out=out)


def _requests() -> TypeAdapter[Request]:
    return TypeAdapter(Request)
