"""Does one model: `python -m benchmarks.models444.worker JOB.json`, started by `running`."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from pydantic import TypeAdapter

from benchmarks.models444.job import Request
from benchmarks.models444.manifest import Row
from deepdebug.files import write_text
from deepdebug.strict_json import strict_json


def main(job: str) -> None:
    """Train the model that a job names, and write the result."""
    from benchmarks.models444.training import train
    from deepdebug.retraining.records import versions

    asked = json.loads(Path(job).read_text(encoding="utf-8"))
    row, request = (
        TypeAdapter(Row).validate_python(asked["row"]),
        TypeAdapter(Request).validate_python(asked["request"]),
    )
    known = {"id": row.id, "size": request.size, "repeat": request.repeat, "status": "done", "reason": ""}
    line = strict_json({**known, "versions": dict(versions()), **train(row, request)}).decode()
    write_text(request.result(row), line.strip() + "\n", "result")


if __name__ == "__main__":
    main(sys.argv[1])
