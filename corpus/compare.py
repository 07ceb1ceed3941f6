"""Two outcomes of one probe: are they the same, and if not, whose fault is it?"""

from __future__ import annotations

import re
from collections.abc import Mapping

from corpus.result import DEFECT, DIFFERS, EQUAL, NOTE, UPSTREAM, Compared, Outcome

#: What two runs of one program print differently: terminal codes, addresses, moments, durations, ports, processes.
_CHANGING = (
    (re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b\][^\x07]*\x07"), ""),
    (re.compile(r"\b0x[0-9a-fA-F]{6,}\b"), "ADDRESS"),
    (re.compile(r"\b\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d)?(?:[.,]\d+)?(?:Z|[+-]\d\d:?\d\d)?)?"), "MOMENT"),
    (re.compile(r"\b\d\d:\d\d:\d\d(?:[.,]\d+)?\b"), "MOMENT"),
    (re.compile(r"\b\d+(?:\.\d+)? ?(?:ms|µs|us|s|secs?|seconds?)\b"), "DURATION"),
    (re.compile(r"(127\.0\.0\.1|localhost|\[::1\]):\d+"), r"\1:PORT"),
    (re.compile(r"\b(pid|PID|process)([ =:]+)\d+"), r"\1\2NUMBER"),
    (re.compile(r"/tmp/[A-Za-z0-9._-]+"), "TEMPORARY"),
)

_SPACE = re.compile(r"\s+")


def normalise(text: str, places: Mapping[str, str], store: str = "") -> str:
    """Return output as it is compared: without what changes from run to run and from place to place.

    Args:
        text: what was printed.
        places: what to write for a path; a longer path goes first.
        store: the directory of the store: what lies in a store path is what lies in the environment.
    """
    if store:
        text = re.sub(re.escape(store) + r"/[0-9a-z]{32}-[^/\s'\"]*", "SIDE/env", text)
    for path in sorted(places, key=len, reverse=True):
        text = text.replace(path, places[path])
    for pattern, replacement in _CHANGING:
        text = pattern.sub(replacement, text)
    return _SPACE.sub(" ", text).strip()


def compare(probe: str, peer: Outcome, nixgen: Outcome, *, exact: bool) -> Compared:
    """Judge one probe.

    Args:
        probe: its name.
        peer, nixgen: how it ended.
        exact: whether two that pass must have the same output.
    """
    return Compared(probe=probe, verdict=_verdict(peer, nixgen, exact), peer=peer, nixgen=nixgen)


def _verdict(peer: Outcome, nixgen: Outcome, exact: bool) -> str:
    match peer.status == "pass", nixgen.status == "pass":
        case True, False:
            return DEFECT
        case False, True:
            return NOTE
        case False, False:
            return UPSTREAM
    if peer.output == nixgen.output:
        return EQUAL
    return DEFECT if exact else DIFFERS
