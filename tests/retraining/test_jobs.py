import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

LIMIT = 180  # seconds, far more than it takes
PARENTS = {
    "run_jobs": """
from deepdebug.retraining.engines import Engine
from deepdebug.retraining.jobs import run_jobs
from tests.retraining.test_jobs import wait_long
run_jobs(Engine(), wait_long, [None])
""",
    "benchmarks": """
from benchmarks.workers import run_all
from tests.retraining.test_jobs import wait_long
run_all(wait_long, [("job", 0)])
""",
}
SCRIPT = """
import sys
from deepdebug.errors import UsageError
from deepdebug.retraining.engines import Engine
from deepdebug.retraining.jobs import run_jobs

try:
    run_jobs(Engine("dask", scheduler=sys.argv[1]), print, ["job"])
except UsageError as error:
    print(error)
"""


REMOTE = """
import sys
import dask
from distributed import LocalCluster
from deepdebug.errors import UsageError
from deepdebug.retraining.engines import Engine
from deepdebug.retraining.jobs import THREADS, run_jobs
from tests.retraining.test_jobs import write_name

if __name__ == "__main__":
    dask.config.set({"distributed.nanny.pre-spawn-environ": dict.fromkeys(THREADS, "1")})
    for workers, threads in ((0, 1), (1, 2), (1, 1)):
        with LocalCluster(n_workers=workers, threads_per_worker=1, dashboard_address=None) as cluster:
            try:
                engine = Engine("dask", threads=threads, scheduler=cluster.scheduler_address)
                run_jobs(engine, write_name, [sys.argv[1]], lambda job: print("done", job))
            except UsageError as error:
                print(error)
"""


def write_name(job):
    """Stand for a job that leaves a file."""
    Path(job).write_text("written")


def wait_long(*_job):
    """Stand for a job that takes longer than anyone waits."""
    print(os.getpid(), flush=True)
    time.sleep(10 * LIMIT)


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="there is no SIGKILL")
@pytest.mark.parametrize("pool", PARENTS)
def test_worker_ends_when_its_parent_is_killed(pool):
    with subprocess.Popen([sys.executable, "-c", PARENTS[pool]], stdout=subprocess.PIPE, text=True) as parent:
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


@pytest.mark.slow
def test_workers_of_a_running_scheduler_do_the_jobs_unless_they_would_give_other_numbers(tmp_path):
    pytest.importorskip("distributed")
    script, written = tmp_path / "script.py", tmp_path / "written"
    script.write_text(REMOTE)
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    done = subprocess.run(
        [sys.executable, str(script), str(written)], capture_output=True, text=True, check=True, env=environment
    )
    none, other, *rest = done.stdout.splitlines()
    assert "has no workers. Start some with `dask worker tcp://" in none
    assert "TF_NUM_INTRAOP_THREADS=1" in other
    assert "with 2. Start it with KERAS_BACKEND=" in other
    assert rest == [f"done {written}"]
    assert written.read_text() == "written"
