"""Whether this Python is new enough for a wheel.

Locking has compared a wheel with the target's version; the Python of a build may have an older patch level than that.
"""

import re
import sys

#: A lower bound of Requires-Python (PEP 345, PEP 440): its operator and release.
_BOUND = re.compile(r"\s*(>=|>)\s*([0-9]+(?:\.[0-9]+)*)\s*")


def check(metadata, distribution, version):
    """Do nothing where this Python is as new as a wheel asks for.

    Args:
        metadata: path of its METADATA.
        distribution: its name, for the error.
        version: likewise.

    Raises:
        SystemExit: it is older.
    """
    wanted = _requires_python(metadata)
    for clause in wanted.split(","):
        bound = _BOUND.fullmatch(clause)
        if bound is None:
            continue  # an upper bound, which says nothing of patch levels, or what no installer understands
        release = tuple(int(number) for number in (bound.group(2) + ".0.0").split(".")[:3])
        running = tuple(sys.version_info[:3])
        if running < release or (bound.group(1) == ">" and running == release):
            sys.exit(
                "nixgen: {} {} needs Python {}, and this one is {}.{}.{}: take a newer one, or lock again for this "
                "one (nixgen lock --python {}.{}.{})".format(
                    distribution, version, wanted, *sys.version_info[:3], *sys.version_info[:3]
                )
            )


def _requires_python(metadata):
    """Return what METADATA says of Python, "" where it says nothing."""
    with open(metadata, encoding="utf-8", errors="replace") as file:
        for line in file:
            if not line.strip():
                break  # the description begins
            name, colon, value = line.partition(":")
            if colon and name.lower() == "requires-python":
                return value.strip()
    return ""
