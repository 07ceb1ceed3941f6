"""What is warmed for: targets, and the Python of this machine that trees are built with for each, if it has one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from nixgen.locking.standalone import with_archives
from nixgen.locking.targets import Wish, choose_targets
from nixgen.model import PythonArchive
from nixgen.pythons import find_python
from nixgen.targets import Target, default_system


@dataclass(frozen=True, kw_only=True)
class Place:
    """A target, and what builds there.

    Attributes:
        target: the target.
        python: what trees are built with, as ``nixgen build --python`` takes it: a version or a path. None where no
            Python of the target runs here: then there are leaves alone.
        archive: the Python that is fetched for it.
        interpreter: which Python that is, so that another one at the next run is seen; "" for none.
    """

    target: Target
    python: str | None = None
    archive: PythonArchive | None = None
    interpreter: str = ""

    @property
    def key(self) -> str:
        """What it is known by from one run to the next."""
        return f"{self.target.key} {self.interpreter}".strip()


def choose_places(wish: Wish) -> list[Place]:
    """Return what to warm for, as a user says it; the machine's own system and Python where he says nothing.

    Args:
        wish: as ``nixgen lock`` takes it.

    Raises:
        UsageError: an option is not understood.
        InputError: an interpreter cannot be asked, or there is no standalone build for a target.
    """
    found: dict[str, Place] = {}
    for python in wish.pythons or (None,):
        one = replace(wish, pythons=() if python is None else (python,), standalone=None)
        targets = choose_targets(one, None)
        archives: dict[str, PythonArchive] = {}
        if wish.standalone and not (python and "/" in python):
            targets, archives = with_archives(targets, None, exact=[] if python is None else _exact(python, targets))
        for target in targets:
            place = _placed(target, python, archives.get(target.key))
            found.setdefault(place.key, place)
    return [*found.values()]


def leaves_alone(places: Iterable[Place]) -> list[str]:
    """Return a line for each place that gets no trees, and why."""
    lines = []
    for place in places:
        if place.python is None:
            foreign = place.target.system != default_system()
            why = "trees are built on a machine of that system" if foreign else "this machine has no such Python"
            lines.append(f"{place.target}: leaves alone, for {why}")
    return lines


def _placed(target: Target, asked: str | None, archive: PythonArchive | None) -> Place:
    """Return the place of a target, for which a user may have named a Python, by version or path."""
    if target.system != default_system():
        return Place(target=target)
    if asked is not None and "/" in asked:
        return Place(target=target, python=asked, interpreter=str(Path(asked).absolute()))
    if archive is not None:
        return Place(target=target, python=target.python, archive=archive, interpreter=archive.sha256)
    found = find_python(target.python)
    return Place(target=target) if found is None else Place(target=target, python=target.python, interpreter=str(found))


def _exact(python: str, targets: Sequence[Target]) -> list[str]:
    """Return the minor version of a Python whose patch level is asked for."""
    return [targets[0].python] if python.count(".") > 1 else []
