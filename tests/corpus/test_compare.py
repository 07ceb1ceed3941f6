"""Two outcomes are judged: whose fault a difference is, and what is no difference."""

from __future__ import annotations

import pytest

from corpus.compare import compare, normalise
from corpus.result import DEFECT, DIFFERS, EQUAL, NOTE, UPSTREAM, Outcome

PASS, OTHER = Outcome(status="pass", output="a"), Outcome(status="pass", output="b")
FAIL, TIMEOUT = Outcome(status="fail"), Outcome(status="timeout")


@pytest.mark.parametrize(
    ("pip", "nixgen", "verdict"),
    [
        (PASS, PASS, EQUAL),
        (PASS, OTHER, DIFFERS),
        (PASS, FAIL, DEFECT),
        (PASS, TIMEOUT, DEFECT),
        (FAIL, PASS, NOTE),
        (FAIL, FAIL, UPSTREAM),
        (FAIL, TIMEOUT, UPSTREAM),
    ],
)
def test_verdicts(pip: Outcome, nixgen: Outcome, verdict: str) -> None:
    """Only what passes under pip and fails under nixgen is a defect."""
    assert compare("x", pip, nixgen, exact=False).verdict == verdict


def test_an_exact_probe() -> None:
    """Where output has to be the same, other output is a defect."""
    assert compare("x", PASS, OTHER, exact=True).verdict == DEFECT
    assert compare("x", PASS, PASS, exact=True).verdict == EQUAL


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("at /w/pip/env/lib/x.py", "at /w/nix/env/lib/x.py"),
        ("at /w/pip/env/lib/x.py", f"at /s/store/{'a' * 32}-flask-3.1/lib/x.py"),
        ("<f at 0x7f0011223344>", "<f at 0x55aa99887766>"),
        ("took 0.12s", "took 3 s"),
        ("2026-01-02 03:04:05,678 INFO up", "2026-01-02 03:05:00,001 INFO up"),
        ("http://127.0.0.1:4000/x", "http://127.0.0.1:35111/x"),
        ("\x1b[1mbold\x1b[0m", "bold"),
        ("a\n   b  ", "a b"),
    ],
)
def test_no_difference(one: str, other: str) -> None:
    """Places, addresses, moments, durations, ports, colours and space are not compared."""
    places = {"/w/pip": "SIDE", "/w/nix": "SIDE"}
    assert normalise(one, places, "/s/store") == normalise(other, places, "/s/store")


def test_a_difference() -> None:
    """A leaf's path is not that of the file in the environment: what resolves itself shows."""
    places = {"/w/pip": "SIDE", "/w/nix": "SIDE"}
    mine = normalise(f"/s/store/{'a' * 32}-file.py", places, "/s/store")
    assert mine != normalise("/w/pip/env/lib/x.py", places, "/s/store")
    assert normalise("version 1.2", places) != normalise("version 1.3", places)
