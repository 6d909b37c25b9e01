"""A command ends at once on a signal, whatever it waits for, and does not wait for its threads at the end."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.support.paths import ROOT

HELD_BACK = """
import signal, sys, time
from pipelines.platform.process import end_at_once_on_signals
end_at_once_on_signals()
signal.signal(signal.SIGINT, lambda *_: None)  # as a library that waits for the end of its step
import duckdb
print("started", flush=True)
duckdb.sql("SELECT count(*) FROM range(100000000) a, range(100000000) b WHERE a.range * b.range % 7 = 3").fetchall()
"""
WAITED_FOR = """
import concurrent.futures, threading, time
from pipelines.platform.process import leave
pool = concurrent.futures.ThreadPoolExecutor(2)
pool.submit(time.sleep, 60)
print("done")
leave(3)
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_in_the_middle_of_a_query(number: signal.Signals) -> None:
    process = subprocess.Popen([sys.executable, "-c", HELD_BACK], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None and process.stdout.readline() == "started\n"
    time.sleep(0.5)
    at = time.monotonic()
    process.send_signal(number)
    _, said = process.communicate(timeout=20)
    assert time.monotonic() - at < 5 and process.returncode == 128 + number
    assert "what is published is as it was" in said and "Traceback" not in said


def test_no_thread_keeps_it_alive() -> None:
    at = time.monotonic()
    done = subprocess.run([sys.executable, "-c", WAITED_FOR], cwd=ROOT, capture_output=True, text=True, timeout=50, check=False)
    assert done.returncode == 3 and done.stdout == "done\n" and time.monotonic() - at < 30


DEEP_IN_A_CALL = """
import time
from pathlib import Path
from pipelines.platform.process import ended_after
with ended_after(30, "too long", 7):
    pass
with ended_after(0.3, "too long", 7):
    time.sleep(60)
"""
HUNGRY = """
import resource
from pipelines.platform.process import bounded_memory
before = resource.getrlimit(resource.RLIMIT_DATA)
with bounded_memory(1 << 28):
    bytearray(1 << 20)
    try:
        bytearray(1 << 30)
    except MemoryError:
        print("refused")
assert resource.getrlimit(resource.RLIMIT_DATA) == before
print(len(bytearray(1 << 29)))
"""


def test_work_that_hears_nothing_ends_with_its_process() -> None:
    ended = subprocess.run([sys.executable, "-c", DEEP_IN_A_CALL], cwd=ROOT, capture_output=True, text=True, timeout=20, check=False)
    assert (ended.returncode, ended.stderr) == (7, "too long\n")


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the system does not say what a process has")
def test_memory_is_bounded_and_given_free_again() -> None:
    ended = subprocess.run([sys.executable, "-c", HUNGRY], cwd=ROOT, capture_output=True, text=True, timeout=20, check=False)
    assert (ended.returncode, ended.stdout.split()) == (0, ["refused", str(1 << 29)]), ended.stderr
