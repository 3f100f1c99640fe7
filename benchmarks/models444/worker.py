"""A nursery of processes that train one model each: `python -m benchmarks.models444.worker`, started by `running`."""

from __future__ import annotations

import json
from pathlib import Path

from pydantic import TypeAdapter

from benchmarks.models444.job import Request
from benchmarks.models444.manifest import Row
from benchmarks.models444.nursery import serve
from benchmarks.models444.training import train
from benchmarks.scheduling import leave_graphs_alone
from deepdebug.files import write_text
from deepdebug.retraining.records import versions
from deepdebug.strict_json import strict_json


def work(job: str) -> None:
    """Train the model that a job names, and write the result.

    Args:
        job: Path of the job.
    """
    asked = json.loads(Path(job).read_text(encoding="utf-8"))
    row, request = (
        TypeAdapter(Row).validate_python(asked["row"]),
        TypeAdapter(Request).validate_python(asked["request"]),
    )
    if not request.is_timed:
        leave_graphs_alone()
    known = {"id": row.id, "size": request.size, "repeat": request.repeat, "status": "done", "reason": ""}
    line = strict_json({**known, "versions": dict(versions()), **train(row, request)}).decode()
    write_text(request.result(row), line.strip() + "\n", "result")


if __name__ == "__main__":
    serve(work)
