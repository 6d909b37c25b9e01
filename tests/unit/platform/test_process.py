"""A command ends at once on a signal, whatever it waits for, and does not wait for its threads at the end."""

from __future__ import annotations

import signal
import subprocess
import sys
import time

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
