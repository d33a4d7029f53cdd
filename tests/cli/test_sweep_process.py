"""A job's own process, its places and locks. The process is a shell script here: what counts is how it ends."""

import os
import signal
import socket
import subprocess
import sys
import time

import pytest

from robustlit.cli.devices import gpus, jobs_at_once, threads_of_a_job
from robustlit.cli.locks import hold, is_held, take_place
from robustlit.cli.sweep_process import JobError, Stopped, environment, last_line, train_apart
from robustlit.reports.sweep_jobs import is_alive


@pytest.fixture
def process(tmp_path, monkeypatch):
    """Run a job whose process does what a line of shell says."""

    def start(line: str, stop=lambda: False) -> None:
        script = tmp_path / "python"
        script.write_text(f"#!/bin/sh\n{line}\n")
        script.chmod(0o755)
        monkeypatch.setattr(sys, "executable", str(script))
        train_apart(tmp_path, {"PATH": os.environ["PATH"], "ANSWER": "42"}, [], stop)

    return start


def test_its_output_and_environment_are_its_own(process, tmp_path, capfd):
    process('echo "$ANSWER $4"; echo more >&2')
    assert (tmp_path / "log.txt").read_text() == f"42 resume={tmp_path}\nmore\n"
    assert capfd.readouterr() == ("", "")


def test_what_it_says_is_wrong_is_its_error(process):
    with pytest.raises(JobError, match=r"^data: expected a file; try another$"):
        process('echo Traceback >&2; echo "robustlit: data: expected a file; try another" >&2; exit 2')


def test_an_error_of_an_earlier_attempt_is_not_told_again(process, tmp_path):
    (tmp_path / "log.txt").write_text("robustlit: old\n")
    with pytest.raises(JobError, match="ended without a word"):
        process("exit 1")


def test_a_kill_is_told(process):
    with pytest.raises(JobError, match=r"was killed \(SIGKILL\), perhaps for lack of memory"):
        process("kill -9 $$")


def test_an_interrupt_is_no_failure(process):
    with pytest.raises(Stopped):
        process("exit 130")


def test_it_ends_when_the_sweep_is_gone(process, tmp_path):
    with pytest.raises(Stopped):
        process(f"echo $$ > {tmp_path / 'pid'}; exec sleep 60", stop=(tmp_path / "pid").exists)
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), 0)


def test_it_ends_with_the_process_that_started_it():
    child = "import time; from robustlit.cli.sweep_process import *; end_with_parent(); print(1); time.sleep(60)"
    code = (
        "import os, subprocess, sys; os.environ['ROBUSTLIT_PARENT'] = str(os.getpid())\n"
        f"pipe = {{'stdout': subprocess.PIPE, 'stderr': subprocess.DEVNULL}}; child = {child!r}\n"
        "job = subprocess.Popen([sys.executable, '-uc', child], **pipe); job.stdout.readline(); print(job.pid)"
    )
    started = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    pid = int(started.stdout)
    for _ in range(300):
        if not is_alive({"host": socket.gethostname(), "pid": pid}):
            break
        time.sleep(0.1)
    assert not is_alive({"host": socket.gethostname(), "pid": pid})


def test_the_last_line_with_our_name_counts(tmp_path):
    (tmp_path / "log").write_text("robustlit: one\nrobustlit: two\nother\nrobustlit: warning: three\n")
    assert last_line(tmp_path / "log") == "two"


def test_threads_are_shared_out_unless_the_user_says_otherwise(monkeypatch):
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.setenv("MKL_NUM_THREADS", "7")
    given = environment(3, "1")
    assert (given["OMP_NUM_THREADS"], given["MKL_NUM_THREADS"], given["CUDA_VISIBLE_DEVICES"]) == ("3", "7", "1")
    assert environment(3, None).get("CUDA_VISIBLE_DEVICES") == os.environ.get("CUDA_VISIBLE_DEVICES")


def test_cores_and_gpus_are_counted(tmp_path, monkeypatch):
    monkeypatch.setattr("robustlit.cli.devices.cores", lambda: 8)
    assert threads_of_a_job(3, {}) == 2
    assert threads_of_a_job(100, {}) == 1
    for name in ("nvidia0", "nvidia10", "nvidia2", "nvidiactl", "nvidia-uvm"):
        (tmp_path / name).touch()
    assert gpus({}, tmp_path) == ["0", "2", "10"]
    assert gpus({"CUDA_VISIBLE_DEVICES": ""}, tmp_path) == []
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert jobs_at_once() == 8
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,1")
    assert jobs_at_once() == 2


def test_a_lock_ends_with_its_process(tmp_path):
    file = tmp_path / "lock"
    code = (
        f"import fcntl, time; file = open({str(file)!r}, 'a'); fcntl.flock(file, fcntl.LOCK_EX)\n"
        "print(1, flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as other:
        other.stdout.readline()
        assert is_held(file)
        with pytest.raises(BlockingIOError), hold(file, wait=False):
            pass
        other.send_signal(signal.SIGKILL)
    assert not is_held(file)


def test_places_are_handed_out_and_waited_for(tmp_path):
    never = lambda: False  # noqa: E731
    with take_place(tmp_path, 2, never) as (one, _), take_place(tmp_path, 2, never) as (two, _):
        assert {one, two} == {0, 1}
        start = time.monotonic()
        with pytest.raises(TimeoutError), take_place(tmp_path, 2, lambda: True):
            pass
        assert time.monotonic() - start < 1
    with take_place(tmp_path, 2, never) as (again, _):
        assert again == 0
