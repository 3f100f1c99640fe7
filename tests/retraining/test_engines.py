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
SCRIPT = """
import sys
from deepdebug.errors import UsageError
from deepdebug.retraining.engines import Engine, run_jobs

try:
    run_jobs(Engine("dask", scheduler=sys.argv[1]), print, ["job"])
except UsageError as error:
    print(error)
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


@pytest.mark.parametrize("address", ["localhost", "foo://x:1"])
def test_scheduler_that_is_no_address_is_told(address):
    pytest.importorskip("distributed")
    # In a process of its own, because Dask leaves a thread behind.
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, address], capture_output=True, text=True, check=True, timeout=60
    )
    assert f"`--scheduler` got '{address}', which is no address: " in done.stdout
    assert "tcp://HOST:8786" in done.stdout
