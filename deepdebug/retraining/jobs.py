"""Runs independent jobs in processes of their own: here, or on a Dask cluster.

A job is plain data; what it finds it writes into files, so that nothing large passes between processes, and that a job
whose file is there is not done again. Every process computes with the same number of threads, for the last digits of
sums depend on it.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from typing import Any, TypeVar

from deepdebug.errors import UsageError
from deepdebug.retraining.engines import Engine

Job = TypeVar("Job")
THREADS = ("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "OPENBLAS_NUM_THREADS")


def run_jobs(
    engine: Engine, work: Callable[[Job], object], jobs: Sequence[Job], done: Callable[[Job], object] = lambda _: None
) -> None:
    """Do all jobs, in any order.

    Args:
        engine: Where.
        work: A function of a module; it writes what it finds.
        jobs: What it is called with.
        done: Is told of every job that is done. Defaults to nothing.

    Raises:
        UsageError: When a process ends without a word, such as for want of memory, or Dask is not there.
        Exception: Whatever a job raises; jobs that are under way are stopped.
    """
    if jobs:
        _RUNNERS[engine.kind](engine, work, jobs, done)


def _in_processes(
    engine: Engine, work: Callable[[Job], object], jobs: Sequence[Job], done: Callable[[Job], object]
) -> None:
    context, others = multiprocessing.get_context("spawn"), set(multiprocessing.active_children())
    pool = ProcessPoolExecutor(min(engine.workers, len(jobs)), context, initializer=_begin, initargs=(engine.threads,))
    try:
        futures = {pool.submit(work, job): job for job in jobs}
        for future in as_completed(futures):
            future.result()
            done(futures[future])
    except BrokenProcessPool as error:
        raise UsageError(
            "A process ended without a word; most often the memory was full. What is done is kept: repeat the command "
            "with fewer --workers."
        ) from error
    except BaseException:
        for process in set(multiprocessing.active_children()) - others:
            process.terminate()
        raise
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _begin(threads: int) -> None:
    """Prepare a process before it loads Keras."""
    os.environ.update(dict.fromkeys(THREADS, str(threads)))
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the process that waits for us
    end_with_parent()


def end_with_parent() -> None:
    """Let this process end as soon as the one that started it has ended.

    A pool whose own process is killed tells its workers nothing: they would go on, and write results in the middle of a
    later run.
    """
    threading.Thread(target=_wait_for_parent, daemon=True).start()


def _wait_for_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _on_dask(engine: Engine, work: Callable[[Job], object], jobs: Sequence[Job], done: Callable[[Job], object]) -> None:
    with _client(engine) as client:
        from distributed import KilledWorker
        from distributed import as_completed as finished

        _check_workers(engine, client.run(_about_worker))
        futures = {client.submit(work, job, pure=False, retries=0): job for job in jobs}
        try:
            for future in finished(futures):
                future.result()
                done(futures[future])
        except KilledWorker as error:
            raise UsageError(
                "A Dask worker ended without a word; most often its memory was full. What is done is kept: give the "
                "workers more memory, or start fewer of them, and repeat the command."
            ) from error
        finally:
            client.cancel(list(futures))


def _about_worker() -> tuple[str, tuple[str | None, ...]]:
    """Return Keras's backend in a worker, and with how many threads it computes."""
    import keras

    return keras.config.backend(), tuple(os.environ.get(name) for name in THREADS)


def _check_workers(engine: Engine, workers: Mapping[str, tuple[str, tuple[str | None, ...]]]) -> None:
    """Make sure that there are workers, and that numbers will be those of this machine."""
    if not workers:
        raise UsageError(
            f"The Dask scheduler at {engine.scheduler!r} has no workers. Start some with `dask worker "
            f"{engine.scheduler} --nthreads 1`."
        )
    import keras

    wanted = keras.config.backend(), (str(engine.threads),) * len(THREADS)
    for address, found in workers.items():
        if found != wanted:
            told = ", ".join(f"{name}={value}" for name, value in zip(THREADS, found[1], strict=True) if value)
            raise UsageError(
                f"The Dask worker at {address} computes on {found[0]} with {told or 'any number of threads'}, which "
                f"may give other numbers; expected {wanted[0]} with {engine.threads}. Start it with "
                f"KERAS_BACKEND={wanted[0]} {' '.join(f'{name}={engine.threads}' for name in THREADS)}."
            )


@contextmanager
def _client(engine: Engine) -> Iterator[Any]:
    try:
        import dask
        from distributed import Client, LocalCluster
    except ImportError as error:
        raise UsageError("The engine 'dask' needs Dask: `pip install 'deepdebug[distributed]'`.") from error
    if engine.scheduler is not None:
        try:
            client = Client(engine.scheduler, timeout="10s")
        except ValueError as error:
            raise UsageError(
                f"`--scheduler` got {engine.scheduler!r}, which is no address: {error}. Expected one such as "
                "tcp://HOST:8786, as `dask scheduler` tells it."
            ) from error
        except OSError as error:
            raise UsageError(
                f"No Dask scheduler answers at {engine.scheduler!r}: {error}. Start one with `dask scheduler`, and "
                "workers with `dask worker ADDRESS --nthreads 1`."
            ) from error
        with client:
            yield client
        return
    environment = dict.fromkeys(THREADS, str(engine.threads)) | {"TF_CPP_MIN_LOG_LEVEL": "3"}
    with (
        dask.config.set({"distributed.nanny.pre-spawn-environ": environment}),
        LocalCluster(n_workers=engine.workers, threads_per_worker=1, dashboard_address=None) as cluster,
        Client(cluster) as client,
    ):
        yield client


_RUNNERS: dict[str, Callable[..., None]] = {"process": _in_processes, "dask": _on_dask}
