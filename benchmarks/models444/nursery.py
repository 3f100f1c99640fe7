"""Forks a process per job from one that has loaded Keras already: loading takes as long as many a short training.

Nothing may have been computed before the fork, for the threads of TensorFlow do not live on in the child.
"""

from __future__ import annotations

import gc
import json
import os
import select
import signal
import sys
import traceback
from collections.abc import Callable
from pathlib import Path

from benchmarks.scheduling import compute_undisturbed

CHECKED = 0.05  # seconds between two looks at a job


def serve(work: Callable[[str], object]) -> None:
    """Do the jobs that standard input names, one per line, and tell the exit code of each; end with the input.

    What a job prints goes into a file beside it, see `said_in`. Who asks waits for the answer; where the input ends
    meanwhile, so does the job. The process must stand in a session of its own.

    Args:
        work: Does a job; where it raises, the exit code is 1.

    Raises:
        RuntimeError: When this process has threads, which a fork would lose.
    """
    _check_threads()
    compute_undisturbed()
    gc.freeze()  # what was loaded stays: a look through all of it for garbage takes longer than many an epoch
    for line in sys.stdin:
        job = json.loads(line)
        child = os.fork()
        if child == 0:
            _do(work, job)
        sys.stdout.write(f"{_exit_code(child)}\n")
        sys.stdout.flush()


def said_in(job: str) -> str:
    """Return the path of the file with what a job said.

    Args:
        job: Path of the job.
    """
    return f"{job}.said"


def _check_threads() -> None:
    threads = Path("/proc/self/task")
    if threads.is_dir() and len(list(threads.iterdir())) > 1:
        raise RuntimeError("there are threads before the fork: what is imported here must compute nothing")


def _do(work: Callable[[str], object], job: str) -> None:
    code = 1
    try:
        told = os.open(said_in(job), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        nothing = os.open(os.devnull, os.O_RDONLY)
        for own, stream in ((nothing, sys.stdin), (told, sys.stdout), (told, sys.stderr)):
            os.dup2(own, stream.fileno())  # ours are for the one that asks
        work(job)
        code = 0
    except BaseException:  # whatever it is, it is told, and ends this process alone
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)  # nothing of what the parent would do at its end


def _exit_code(child: int) -> int:
    while True:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status)
        if select.select([sys.stdin], [], [], CHECKED)[0]:  # nobody waits any more
            os.killpg(0, signal.SIGKILL)
