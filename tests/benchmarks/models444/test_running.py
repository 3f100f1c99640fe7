"""One process per model: whatever becomes of it is written down, and the others go on."""

import dataclasses
import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import psutil
import pytest

from benchmarks.models444.job import Request, read_result, shard, waiting
from benchmarks.models444.judging import judge_again
from benchmarks.models444.manifest import architectures, read_manifest
from benchmarks.models444.processes import Processes
from benchmarks.models444.running import run_all, run_on_dask, run_one
from benchmarks.models444.subsets import quick
from deepdebug.retraining.engines import Engine

SCRIPT = """
import json, os, pathlib, signal, time
from benchmarks.models444.nursery import serve
def work(job):
    asked = json.loads(pathlib.Path(job).read_text())
    kind, request = asked["row"]["architecture"], asked["request"]
    if kind == "crash":
        raise SystemExit("something went wrong")
    if kind == "hang":
        path = pathlib.Path(request["out"]) / "hangs"
        path.write_text(str(os.getpid()))
        time.sleep(600)
    if kind == "killed":
        os.kill(os.getpid(), signal.SIGKILL)
    if kind == "prints":
        print("1", flush=True)
    if kind == "no nursery":
        os.killpg(0, signal.SIGKILL)
    if kind == "memory":
        raise MemoryError
    if kind != "nothing":
        path = pathlib.Path(request["out"]) / "results" / (asked["row"]["id"].replace("/", "_") + "-small-0.json")
        path.parent.mkdir(exist_ok=True)
        policy = os.sched_getscheduler(0) if hasattr(os, "sched_getscheduler") else None
        path.write_text(json.dumps({"id": asked["row"]["id"], "status": "done", "policy": policy}))
serve(work)
"""
OPTIONS = """
import tensorflow as tf
from benchmarks.models444 import worker
worker.train = lambda *_: {"options": tf.config.optimizer.get_experimental_options()}
worker.serve(worker.work)
"""
ROWS = read_manifest()
LONG = 600.0  # seconds, far more than anything here takes
COMMAND = (sys.executable, "-c", SCRIPT)
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])}


@pytest.fixture
def request_(tmp_path):
    return Request("small", 0, tmp_path, tmp_path)


def rows(*kinds, patience=LONG):
    first = read_manifest()[0]
    limits = {"hang": patience}
    return [
        dataclasses.replace(first, id=f"Blob/{kind}", architecture=kind, time_limit=limits.get(kind, LONG))
        for kind in kinds
    ]


def test_whatever_becomes_of_a_model_is_written_down_and_the_others_go_on(request_):
    kinds = ("fine", "crash", "hang", "killed", "memory", "no nursery", "nothing", "prints", "well")
    known = rows(*kinds, patience=1.0)
    ended = {row.architecture: status for row, status in run_all(known, request_, 3, 1.0, COMMAND)}
    assert ended == {
        "fine": "done", "crash": "crashed", "hang": "timed out", "killed": "out of memory", "memory": "out of memory",
        "no nursery": "out of memory", "nothing": "crashed", "prints": "done", "well": "done",
    }  # fmt: skip
    found = {row.architecture: read_result(request_.result(row)) for row in rows(*kinds)}
    assert {kind: one["status"] for kind, one in found.items()} == ended
    assert "something went wrong" in found["crash"]["reason"]
    assert "left no result" in found["nothing"]["reason"]
    assert list(waiting(rows(*kinds, "new"), request_)) == rows("new")


@pytest.mark.skipif(not hasattr(os, "SCHED_BATCH"), reason="Linux only")
def test_jobs_run_as_batch_work_and_who_starts_them_does_not(request_):
    own = os.sched_getscheduler(0)
    list(run_all(rows("fine"), request_, workers=1, command=COMMAND))
    assert read_result(request_.result(*rows("fine")))["policy"] == os.SCHED_BATCH
    assert os.sched_getscheduler(0) == own


def test_graphs_are_optimized_only_where_the_time_is_measured(request_):
    pytest.importorskip("tensorflow")
    (row,) = rows("fine")
    for is_timed in (True, False):
        asked = dataclasses.replace(request_, out=request_.out / str(is_timed), is_timed=is_timed)
        list(run_all([row], asked, workers=1, command=(sys.executable, "-c", OPTIONS)))
        options = read_result(asked.result(row))["options"]
        assert options.get("disable_meta_optimizer", False) is not is_timed


def test_consumer_that_stops_ends_all_processes_and_leaves_no_result(request_):
    running = run_all(rows("fine", "hang", "well"), request_, 2, 1.0, COMMAND)
    assert next(running)[1] == "done"
    running.close()  # or it would be told that it took too long
    assert read_result(request_.result(rows("hang")[0])) is None


def test_processes_that_were_stopped_begin_no_other(request_):
    processes = Processes(COMMAND, ENVIRONMENT)
    waiter = threading.Thread(target=run_one, args=(rows("hang")[0], request_, 1.0, processes))
    waiter.start()
    wait_for(request_.out / "hangs")
    processes.stop()
    waiter.join(LONG)
    assert not waiter.is_alive()
    assert processes.run(request_.out / "job.json", 1.0) == ("stopped", "")


def test_jobs_end_with_the_process_that_waits_for_them(request_):
    script = f"""
from benchmarks.models444.processes import Processes
from pathlib import Path
Processes({COMMAND!r}, {ENVIRONMENT!r}).run(Path({str(request_.out / "job.json")!r}), 600)
"""
    job = {"row": dataclasses.asdict(rows("hang")[0]), "request": {"out": str(request_.out)}}
    (request_.out / "job.json").write_text(json.dumps(job))
    parent = subprocess.Popen((sys.executable, "-c", script), env=ENVIRONMENT)
    try:
        child = int(wait_for(request_.out / "hangs"))
    finally:
        parent.kill()
        parent.wait()
    for _ in range(200):
        if has_ended(child):
            return
        time.sleep(0.05)
    pytest.fail("the job goes on")


def has_ended(process):
    """Tell whether a process has ended; nobody may have asked for how yet."""
    try:
        return psutil.Process(process).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def wait_for(path):
    """Return what a file holds as soon as it is there."""
    for _ in range(1200):
        if path.is_file() and (text := path.read_text()):
            return text
        time.sleep(0.05)
    raise TimeoutError(path)


@pytest.mark.slow
def test_dask_tells_the_same(request_):
    pytest.importorskip("distributed")
    ended = {}
    engine = Engine("dask", workers=1)
    known = rows("fine", "crash", "well")
    run_on_dask(known, request_, engine, lambda row, status: ended.update({row.architecture: status}), command=COMMAND)
    assert ended == {"fine": "done", "crash": "crashed", "well": "done"}
    assert list(waiting(known, request_)) == []


def test_half_a_result_does_not_count(request_):
    (row,) = rows("fine")
    request_.result(row).parent.mkdir()
    request_.result(row).write_text('{"id": ')
    assert list(waiting([row], request_)) == [row]


def test_parts_join_to_the_whole():
    known = read_manifest()
    parts = [shard(known, part, 4) for part in range(1, 5)]
    assert sorted(row.id for part in parts for row in part) == sorted(row.id for row in known)
    assert all({row.dataset for row in part} == {row.dataset for row in known} for part in parts)
    with pytest.raises(ValueError, match="no part 5 of 4; expected 1 to 4"):
        shard(known, 5, 4)


def test_results_of_different_models_sizes_and_repetitions_have_different_files(tmp_path):
    names = [row.id for row in read_manifest()]
    requests = [Request(size, repeat, tmp_path, tmp_path) for size in ("small", "full") for repeat in (0, 1)]
    files = {str(request.result(row)).casefold() for request in requests for row in read_manifest()}
    assert len(files) == 4 * len(names)


def test_unknown_size_is_named():
    with pytest.raises(ValueError, match=r"no size 'tiny'; known: small, full"):
        Request("tiny", 0, None, None)


def test_quick_part_has_every_data_set_and_label_and_goes_by_no_name():
    known = read_manifest()
    found = quick(known)
    assert len(found) == 38
    assert {(one.source, one.dataset, one.group) for one in found} == {
        (one.source, one.dataset, one.group) for one in known
    }
    renamed = [dataclasses.replace(row, id=str(place)) for place, row in enumerate(known)]
    assert [row.seed for row in quick(renamed)] == [row.seed for row in found]


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A healthy model, and the same with a learning rate at which it overflows, both trained briefly."""
    pytest.importorskip("tensorflow")
    folder = tmp_path_factory.mktemp("trained")
    request = Request("small", 0, folder, folder)
    normal = [row for row in read_manifest() if row.dataset == "Blob" and not row.is_buggy]
    shallow = min(normal, key=lambda row: len(architectures()[row.architecture]["layers"]))
    fine = dataclasses.replace(shallow, epochs=20, batch_size=32, learning_rate=0.01)  # or it takes 300 to learn
    wild = dataclasses.replace(fine, id=ROWS[1].id, optimizer="SGD", optimizer_options={}, learning_rate=1e30)
    for row, status in run_all([fine, wild], request, 2):
        assert status == "done", read_result(request.result(row))
    return request, fine, wild


@pytest.mark.slow
def test_model_is_trained_judged_and_recorded(trained):
    request, fine, _ = trained
    line = read_result(request.result(fine))
    assert {len(line["history"][name]) for name in ("loss", "accuracy", "val_loss", "val_accuracy")} == {20}
    assert line["seconds"]["plain"] > 0
    assert 0 < line["seconds"]["watching"] < line["seconds"]["deepdebug"] < line["seconds"]["whole"]
    ends = line["seconds"]["ends"]
    assert len(ends) == 21
    assert 0 < ends[0] < ends[-1] <= line["seconds"]["whole"] + 0.001
    assert set(line["verdicts"]) == {"default", "deepdiagnosis"}
    assert line["verdicts"]["default"]["failed"] == []
    assert line["verdicts"]["default"]["alarm"] is None
    assert {file.name for file in request.recordings(fine).iterdir()} == {
        "default.jsonl.gz",
        "deepdiagnosis.jsonl.gz",
    }
    assert json.loads(json.dumps(line)) == line


@pytest.mark.slow
def test_first_alarm_is_told_with_the_epoch_in_which_it_was_one(trained):
    request, _, wild = trained
    said = read_result(request.result(wild))["verdicts"]["default"]
    alarms = [one["epoch"] for one in said["findings"] if one["severity"] in ("error", "fatal")]
    assert min(alarms) <= said["alarm"] <= max(alarms)
    assert said["diagnoses"][0]["cause"]


@pytest.mark.slow
def test_kept_recording_judged_again_says_the_same(trained):
    request, _, wild = trained
    before = read_result(request.result(wild))
    assert judge_again(wild.id, 0, request)
    after = read_result(request.result(wild))
    assert after["verdicts"] == before["verdicts"]
    assert after.keys() - before.keys() == {"judged_by"}
    assert not judge_again(ROWS[2].id, 0, request)
