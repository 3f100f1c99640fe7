"""Runs a process per model, several at a time: what crashes, hangs or runs out of memory costs its own row only."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import asdict
from functools import partial
from pathlib import Path

from benchmarks.models444.job import Request, read_result
from benchmarks.models444.manifest import Row
from benchmarks.models444.processes import CRASHED, DONE, STOPPED, Processes
from deepdebug.files import write_text
from deepdebug.retraining.engines import Engine
from deepdebug.retraining.jobs import run_jobs
from deepdebug.strict_json import strict_json

ROOT = Path(__file__).resolve().parents[2]
WORKER = (sys.executable, "-m", "benchmarks.models444.worker")
# Models this small are no faster with more threads, and sums in another order have other last digits.
ENVIRONMENT = {
    "OMP_NUM_THREADS": "1",
    "TF_NUM_INTRAOP_THREADS": "1",
    "TF_NUM_INTEROP_THREADS": "1",
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "TF_ENABLE_ONEDNN_OPTS": "1",  # nearly twice as fast where TensorFlow does not choose it
    "CUDA_VISIBLE_DEVICES": "",
}


def run_all(
    rows: Iterable[Row], request: Request, workers: int, patience: float = 1.0, command: Sequence[str] = WORKER
) -> Iterator[tuple[Row, str]]:
    """Train several models at a time and yield each row, with how it ended, as it ends.

    Args:
        rows: The rows.
        request: What is asked.
        workers: Processes at a time.
        patience: Times the time limit of a row until its process is ended. Defaults to 1.
        command: Starts a nursery, see `nursery.serve`. Defaults to that of the worker.
    """
    processes = _processes(command)
    left, running = iter(rows), dict[Future[str], Row]()
    with ThreadPoolExecutor(workers) as pool:
        try:
            while True:
                while len(running) < workers and (row := next(left, None)) is not None:
                    running[pool.submit(run_one, row, request, patience, processes)] = row
                if not running:
                    return
                ended, _ = wait(running, return_when=FIRST_COMPLETED)
                yield from ((running.pop(one), one.result()) for one in ended)
        finally:  # Ctrl-C, or a consumer that wants no more
            processes.stop()


def run_on_dask(
    rows: Sequence[Row],
    request: Request,
    engine: Engine,
    done: Callable[[Row, str], object],
    *,
    patience: float = 1.0,
    command: Sequence[str] = WORKER,
) -> None:
    """Train models on a Dask cluster, whose workers see the same files and each start a process per model.

    Args:
        rows: The rows.
        request: What is asked.
        engine: The cluster.
        done: Is told of every row that has ended, and how.
        patience: Times the time limit of a row until its process is ended. Defaults to 1.
        command: Starts a nursery, see `nursery.serve`. Defaults to that of the worker.

    Raises:
        deepdebug.UsageError: When there is no such cluster, or it has no workers.
    """
    work = partial(_run_alone, request=request, patience=patience, command=command)

    def tell(row: Row) -> None:
        result = read_result(request.result(row))
        done(row, STOPPED if result is None else str(result["status"]))

    run_jobs(engine, work, rows, tell)


def _run_alone(row: Row, request: Request, patience: float, command: Sequence[str]) -> None:
    processes = _processes(command)
    try:
        run_one(row, request, patience, processes)
    finally:
        processes.stop()  # or a worker that lives on would train by old code


def _processes(command: Sequence[str]) -> Processes:
    path = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
    return Processes(command, {**os.environ, **ENVIRONMENT, "PYTHONPATH": path})


def run_one(row: Row, request: Request, patience: float, processes: Processes) -> str:
    """Train the model of a row in a process of its own, and make sure that there is a result, unless it was stopped.

    Args:
        row: The row.
        request: What is asked.
        patience: Times the time limit of the row until the process is ended.
        processes: Run it.

    Returns:
        How it ended, see `Processes.run`.
    """
    with tempfile.TemporaryDirectory() as folder:
        job = Path(folder) / "job.json"
        job.write_bytes(strict_json({"row": asdict(row), "request": asdict(request)}))
        status, reason = processes.run(job, patience * row.time_limit)
    if status == DONE and read_result(request.result(row)) is None:
        status, reason = CRASHED, f"the process left no result. {reason}"
    if status not in (DONE, STOPPED):
        known = {"id": row.id, "size": request.size, "repeat": request.repeat, "status": status, "reason": reason}
        write_text(request.result(row), strict_json(known).decode() + "\n", "result")
    return status
