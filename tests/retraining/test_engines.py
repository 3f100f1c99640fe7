import os
import signal
import subprocess
import sys
import time

import pytest

LIMIT = 180  # seconds, far more than it takes
PARENT = """
from deepdebug.retraining.engines import Engine, run_jobs
from tests.retraining.test_engines import wait_long
run_jobs(Engine(), wait_long, [None])
"""


def wait_long(_job):
    """Stand for a job that takes longer than anyone waits."""
    print(os.getpid(), flush=True)
    time.sleep(10 * LIMIT)


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="there is no SIGKILL")
def test_worker_ends_when_its_parent_is_killed():
    with subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE, text=True) as parent:
        worker = int(parent.stdout.readline())
        try:
            parent.send_signal(signal.SIGKILL)
            parent.communicate(timeout=LIMIT)  # the worker holds the other end until it is gone
        except subprocess.TimeoutExpired:
            os.kill(worker, signal.SIGKILL)
            pytest.fail("the worker outlives its parent")
