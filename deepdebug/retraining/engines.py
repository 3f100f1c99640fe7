"""Where jobs are done."""

from __future__ import annotations

from dataclasses import dataclass

from deepdebug.errors import UsageError

ENGINES = ("process", "dask")


@dataclass(frozen=True, slots=True)
class Engine:
    """Where jobs are done.

    Args:
        kind: "process" for processes of this machine, "dask" for a Dask cluster. Defaults to "process".
        workers: Number of processes. Defaults to 1.
        threads: Threads that each process computes with; another number may change the last digits. Defaults to 1.
        scheduler: Address of a running Dask scheduler, whose workers see the same files. Defaults to `None`: with
            "dask", a cluster on this machine, for the time of the work.

    Raises:
        UsageError: When there is no such engine, or a number cannot be used.
    """

    kind: str = "process"
    workers: int = 1
    threads: int = 1
    scheduler: str | None = None

    def __post_init__(self) -> None:
        if self.kind not in ENGINES:
            raise UsageError(f"`--engine` got {self.kind!r}; expected one of {', '.join(ENGINES)}.")
        if self.workers < 1 or self.threads < 1:
            raise UsageError(f"There are {self.workers} workers with {self.threads} threads; expected one or more.")
        if self.scheduler is not None and self.kind != "dask":
            raise UsageError("`--scheduler` is the address of a Dask scheduler; pass `--engine dask` as well.")
