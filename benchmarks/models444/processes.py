"""Processes with a time limit, which none outlives."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
from collections.abc import Mapping, Sequence

TOLD = 2_000  # characters of what a process said last
DONE, CRASHED, MEMORY, TIME, STOPPED = "done", "crashed", "out of memory", "timed out", "stopped"


class Processes:
    """Runs commands, each in a session of its own; may be used from several threads.

    Args:
        environment: Of the processes.
    """

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = dict(environment)
        self._running: set[subprocess.Popen[str]] = set()
        self._lock = threading.Lock()
        self._is_stopped = False

    def run(self, command: Sequence[str], limit: float) -> tuple[str, str]:
        """Run a command and return how it ended and what it said last.

        Args:
            command: The command.
            limit: Seconds after which it is ended, with all processes that it began.

        Returns:
            "done", "crashed", "out of memory", "timed out", or "stopped" after `stop`; and a text.
        """
        with self._lock:
            if self._is_stopped:
                return STOPPED, ""
            process = subprocess.Popen(  # noqa: S603 - our own commands
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                text=True,
                errors="replace",
                env=self._environment,
                start_new_session=True,
            )
            self._running.add(process)
        try:
            _, said = process.communicate(timeout=limit)
        except subprocess.TimeoutExpired:
            _kill(process)
            process.communicate()
            return TIME, f"ended after {limit:g} seconds"
        finally:
            self._running.discard(process)
        return self._ended(process.returncode, said[-TOLD:])

    def stop(self) -> None:
        """End all processes and begin no other."""
        with self._lock:
            self._is_stopped = True
            for process in list(self._running):
                _kill(process)

    def _ended(self, code: int, said: str) -> tuple[str, str]:
        if code == 0:
            return DONE, said
        if self._is_stopped:
            return STOPPED, said
        # Nobody but the system kills them, when memory is short.
        if code == -signal.SIGKILL or "MemoryError" in said or "ResourceExhausted" in said:
            return MEMORY, said
        return CRASHED, f"exit code {code}. {said}"


def _kill(process: subprocess.Popen[str]) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
