"""Sets of tiny made wheels, and a cache that has them."""

from __future__ import annotations

from pathlib import Path

from benchmarks.sets import WheelSet
from tests.support.wheels import make_wheel, write_wheel

TINY = WheelSet(
    name="tiny", roots=("one", "two"), pins=("needed==1.0", "one==1.0", "two==1.0"), imports=("one_", "two_")
)

#: Two releases; a third of the files differs.
PAIR = WheelSet(name="pair", roots=(), pins=("thing==1.0", "thing==1.1"))


def fill(cache: Path) -> None:
    """Put the wheels of both sets where they would have been fetched to."""
    directory = cache / "wheels" / "tiny"
    for name, needs in (("needed", []), ("one", ["Requires-Dist: needed"]), ("two", [])):
        write_wheel(directory, make_wheel(name, "1.0", {f"{name}_.py": f"name = {name!r}\n"}, metadata=needs))
    for version in ("1.0", "1.1"):
        files = {"thing/__init__.py": "", "thing/same.py": "same = 1\n", "thing/other.py": f"version = {version!r}\n"}
        write_wheel(cache / "wheels" / "pair", make_wheel("thing", version, files))
    for wheels in (TINY, PAIR):
        (cache / "wheels" / wheels.name / "pins.txt").write_text("".join(f"{pin}\n" for pin in wheels.pins))
