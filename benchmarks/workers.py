"""Runs small trainings side by side, each worker process with one thread, and shows how far they are."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from typing import TypeVar

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from benchmarks.scheduling import compute_undisturbed
from deepdebug.retraining.jobs import end_with_parent

Outcome = TypeVar("Outcome")
FRESH = 100  # jobs of a worker until a new one takes its place: TensorFlow keeps some of every model that it trained
ONE_THREAD = ("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS")


def run_all(
    judge: Callable[[str, int], Outcome],
    jobs: Iterable[tuple[str, int]],
    workers: int = 2,
    environment: Mapping[str, str] | None = None,
) -> list[Outcome]:
    """Return what `judge` says of every job, in the order of the jobs.

    Args:
        judge: A function of a module; it loads Keras itself, so that only the workers do.
        jobs: Pairs of name and seed.
        workers: Number of processes. Defaults to `2`.
        environment: Further variables of the workers. Defaults to none.
    """
    jobs, found = list(jobs), list[Outcome]()
    with _progress() as progress:
        task = progress.add_task("training", total=len(jobs))
        for start in range(0, len(jobs), FRESH * workers):
            with _pool(workers, environment or {}) as pool:
                futures = {pool.submit(judge, *job): job for job in jobs[start : start + FRESH * workers]}
                for future in as_completed(futures):
                    progress.update(task, advance=1, description=futures[future][0])
            found += [future.result() for future in futures]
    return found


def _pool(workers: int, environment: Mapping[str, str]) -> ProcessPoolExecutor:
    return ProcessPoolExecutor(workers, get_context("spawn"), initializer=_prepare, initargs=(environment,))


def _prepare(environment: Mapping[str, str]) -> None:
    """Give each worker one thread: these models are too small for more."""
    os.environ.update({**dict.fromkeys(ONE_THREAD, "1"), **environment})
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    compute_undisturbed()
    end_with_parent()


def _progress() -> Progress:
    columns = (TextColumn("{task.description:26}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    return Progress(*columns, console=Console(stderr=True))
