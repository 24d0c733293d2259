"""Processes that one command starts: they end in order, and with whoever started them."""

import os
import signal
import subprocess
import sys
import time

import psutil
import pytest

from pedsite import processes

# Stands for manage.py: ends on SIGTERM, or not, and follows its parent as worker and web do.
SERVANT = """
import signal, sys, time
from pedsite import leash
deaf = sys.argv[1] == "deaf"
if deaf:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.signal(signal.SIGQUIT, signal.SIG_IGN)
leash.follow_parent(int(sys.argv[sys.argv.index("--parent") + 1]))
print("up", flush=True)
time.sleep(60)
"""
MASTER = """
import sys
from pathlib import Path
from pedsite import processes
processes.MANAGE = Path(sys.argv[1])
servant = processes.Process(["kind"], Path(sys.argv[2]))
print(servant._process.pid, flush=True)
input()
"""


@pytest.fixture
def servant(tmp_path, monkeypatch):
    script = tmp_path / "manage.py"
    script.write_text(SERVANT)
    monkeypatch.setattr(processes, "MANAGE", script)
    monkeypatch.setenv("PYTHONPATH", os.getcwd())
    return script


def started(name: str, folder) -> processes.Process:
    process = processes.Process([name], folder / f"{name}.log")
    wait_for(lambda: "up" in process.log.read_text())
    return process


def wait_for(done, seconds: float = 20) -> None:
    until = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < until
        time.sleep(0.05)


def test_processes_that_listen_end_at_once_and_those_that_do_not_are_killed(servant, tmp_path):
    both = [started("kind", tmp_path), started("deaf", tmp_path)]
    processes.stop(both[:1], 10)
    assert not both[0].is_alive
    assert both[1].is_alive
    began = time.monotonic()
    processes.stop(both[1:], 0.2)
    assert not both[1].is_alive
    assert time.monotonic() - began < 8


def test_ctrl_c_in_the_terminal_does_not_reach_them(servant, tmp_path):
    process = started("kind", tmp_path)
    assert os.getpgid(process._process.pid) != os.getpgid(0)
    processes.stop([process], 10)


def test_a_process_ends_when_its_parent_is_killed(servant, tmp_path):
    log = tmp_path / "kind.log"
    master = subprocess.Popen(
        [sys.executable, "-c", MASTER, str(servant), str(log)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    child = psutil.Process(int(master.stdout.readline()))
    wait_for(lambda: "up" in log.read_text())
    master.send_signal(signal.SIGKILL)
    master.communicate()
    gone = (psutil.STATUS_ZOMBIE, psutil.STATUS_DEAD)
    wait_for(lambda: not child.is_running() or child.status() in gone)
