"""Programs that are started end with the work that they were started for."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from nixgen.processes import end, run

#: Says that it has begun, and then cleans up after itself when it is asked to end; says a lot before that.
PATIENT = """
import signal, sys, time
from pathlib import Path
def clean_up(*_):
    sys.stderr.write("x" * 1_000_000)
    time.sleep(0.2)
    Path(sys.argv[1], "cleaned").touch()
    sys.exit(1)
signal.signal(signal.SIGTERM, clean_up)
Path(sys.argv[1], "begun").touch()
time.sleep(60)
"""


def test_one_that_is_given_up_cleans_up(tmp_path: Path) -> None:
    """It is asked to end, what it says is no hindrance, and it is waited for."""
    process = subprocess.Popen([sys.executable, "-c", PATIENT, tmp_path], stderr=subprocess.PIPE)
    while not (tmp_path / "begun").exists():
        time.sleep(0.01)
    end(process)
    assert process.returncode == 1 and (tmp_path / "cleaned").exists()


def test_an_interrupt_ends_it(tmp_path: Path) -> None:
    """Whatever gives the work up, it does not go on."""

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, interrupt)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.5)
        with pytest.raises(KeyboardInterrupt):
            run([sys.executable, "-c", PATIENT, tmp_path])
    finally:
        signal.signal(signal.SIGALRM, before)
    assert (tmp_path / "begun").exists() == (tmp_path / "cleaned").exists()


def test_one_that_takes_too_long_is_killed(tmp_path: Path) -> None:
    """It has had its time, and does not get more of it."""
    began = time.monotonic()
    with pytest.raises(subprocess.TimeoutExpired):
        run([sys.executable, "-c", PATIENT, tmp_path], timeout=0.5)
    assert time.monotonic() - began < 5 and not (tmp_path / "cleaned").exists()


def test_what_it_reads_and_prints() -> None:
    """It reads what it is given, else nothing, and what it prints is returned."""
    assert run(["cat"], given="größe").stdout == "größe"
    assert run(["cat"]).stdout == ""
    assert run(["sh", "-c", "echo said >&2; exit 3"]).stderr == "said\n"
