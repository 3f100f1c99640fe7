"""Processes with a time limit, which none outlives."""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import subprocess
import tempfile
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, cast

from benchmarks.models444.nursery import said_in

TOLD = 2_000  # characters of what a process said last
DONE, CRASHED, MEMORY, TIME, STOPPED = "done", "crashed", "out of memory", "timed out", "stopped"


class Processes:
    """Does jobs, each in a process of its own that a nursery forks; may be used from several threads.

    Args:
        command: Starts a nursery, see `nursery.serve`.
        environment: Of the processes.
    """

    def __init__(self, command: Sequence[str], environment: Mapping[str, str]) -> None:
        self._command, self._environment = tuple(command), dict(environment)
        self._idle: list[_Nursery] = []
        self._busy: set[_Nursery] = set()
        self._lock = threading.Lock()
        self._is_stopped = False

    def run(self, job: Path, limit: float) -> tuple[str, str]:
        """Do a job and return how it ended and what it said last.

        Args:
            job: Its file.
            limit: Seconds after which it is ended.

        Returns:
            "done", "crashed", "out of memory", "timed out", or "stopped" after `stop`; and a text.
        """
        nursery = self._take()
        if nursery is None:
            return STOPPED, ""
        try:
            code = nursery.ask(job, limit)
            said = nursery.said(job)[-TOLD:]
        except TimeoutError:
            return TIME, f"ended after {limit:g} seconds"
        finally:
            self._give_back(nursery)
        return self._ended(code, said)

    def stop(self) -> None:
        """End all processes and begin no other."""
        with self._lock:
            self._is_stopped = True
            for nursery in self._busy:
                nursery.kill()  # and who waits for it, lets it go
            while self._idle:
                self._idle.pop().close()

    def _take(self) -> _Nursery | None:
        with self._lock:
            if self._is_stopped:
                return None
            nursery = self._idle.pop() if self._idle else _Nursery(self._command, self._environment)
            self._busy.add(nursery)
            return nursery

    def _give_back(self, nursery: _Nursery) -> None:
        with self._lock:
            self._busy.discard(nursery)
            if nursery.is_alive and not self._is_stopped:
                self._idle.append(nursery)
            else:
                nursery.close()

    def _ended(self, code: int, said: str) -> tuple[str, str]:
        if code == 0:
            return DONE, said
        if self._is_stopped:
            return STOPPED, said
        # Nobody but the system kills them, when memory is short.
        if code == -signal.SIGKILL or "MemoryError" in said or "ResourceExhausted" in said:
            return MEMORY, said
        return CRASHED, f"exit code {code}. {said}"


class _Nursery:
    """A process that forks others, in a session of its own, so that all can be ended at once."""

    def __init__(self, command: Sequence[str], environment: Mapping[str, str]) -> None:
        self._said = tempfile.TemporaryFile("w+", errors="replace")  # noqa: SIM115 - open as long as the process
        self._process = subprocess.Popen(  # noqa: S603 - our own commands
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._said,
            text=True,
            env=dict(environment),
            start_new_session=True,
        )
        # They are pipes, as was asked for.
        self._asked, self._told = cast("IO[str]", self._process.stdin), cast("IO[str]", self._process.stdout)
        self.is_alive, self._is_killed = True, False

    def ask(self, job: Path, limit: float) -> int:
        """Do a job and return its exit code, or that of the nursery, where it has ended itself.

        Raises:
            TimeoutError: When it takes longer than the limit; then all is ended.
        """
        try:
            self._asked.write(json.dumps(str(job)) + "\n")
            self._asked.flush()
        except BrokenPipeError:
            return self._own_code()
        if not select.select([self._told], [], [], limit)[0]:
            self.kill()
            raise TimeoutError
        code = self._told.readline()
        return int(code) if code else self._own_code()

    def _own_code(self) -> int:
        self.is_alive = False
        return self._process.wait() or 1  # without an error it would have answered

    def said(self, job: Path) -> str:
        """Return what a job said and, where the nursery has ended, what it said itself."""
        told = Path(said_in(str(job)))
        found = told.read_text(encoding="utf-8", errors="replace") if told.is_file() else ""
        if self.is_alive:
            return found
        self._said.seek(0)
        return found + self._said.read()

    def kill(self) -> None:
        """End the process, with all that it has begun."""
        if self._is_killed:  # the number may be that of another process by now
            return
        self.is_alive, self._is_killed = False, True
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def close(self) -> None:
        """End it, and let go of its files."""
        self.kill()
        for stream in (self._asked, self._told, self._said):
            with contextlib.suppress(BrokenPipeError):  # of a word that nobody took
                stream.close()
