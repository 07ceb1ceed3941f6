"""What a project is locked for: targets asked for, those of the lock, or its own Python; Pythons that are fetched."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from nixgen.lock import Lock
from nixgen.locking.pythons import find_pin, project_python
from nixgen.locking.standalone import with_archives
from nixgen.locking.targets import choose_targets
from nixgen.model import PythonArchive
from nixgen.observer import Observer
from nixgen.settings import Settings
from nixgen.targets import Target
from nixgen.uv_settings import UvSettings

if TYPE_CHECKING:
    from nixgen.locking.project import Request


def locked_for(
    request: Request, previous: Lock | None, settings: Settings, observer: Observer
) -> tuple[list[Target], Mapping[str, PythonArchive]]:
    """Return what to lock for, and the Pythons that are fetched by the key of their target.

    Says where a file that names a Python is not what decides.
    """
    exact = {_minor(python) for python in request.targets.pythons if _names_patch(python)}

    def asked() -> str:
        found = project_python(request.base, request.inputs)
        if found.note:
            observer.note(found.note)
        if found.exact:
            exact.add(_minor(found.version))
        return found.version

    targets = choose_targets(request.targets, previous, asked)
    archives: Mapping[str, PythonArchive] = {}
    standalone = request.targets.standalone if request.targets.standalone is not None else settings.standalone
    if standalone is None:
        standalone = previous is not None and any(locked.archive for locked in previous.targets)
    if standalone:
        targets, archives = with_archives(
            targets,
            previous,
            exact=exact,
            upgrade=request.resolver.upgrade,
            mirror=UvSettings.read(request.base).python_mirror,
        )
    if previous is not None and not request.targets.pythons:
        pin = find_pin(request.base)
        if pin is not None and pin.version is not None and not any(_is(pin.version, target) for target in targets):
            observer.note(
                f"{pin.path.name} asks for Python {pin.version}, and the lock is for Python "
                f"{', '.join(dict.fromkeys(target.full_version for target in targets))}: "
                f"`nixgen lock --python {pin.version}` changes that"
            )
    return targets, archives


def _names_patch(python: str) -> bool:
    return "/" not in python and python.count(".") > 1


def _minor(version: str) -> str:
    """Return the minor version of a Python, with the ``t`` of a free-threaded one."""
    return ".".join(version.rstrip("t").split(".")[:2]) + ("t" if version.endswith("t") else "")


def _is(version: str, target: Target) -> bool:
    """Tell whether a version, with a patch level or without, is a target's."""
    full = target.full_version + ("t" if target.free_threaded else "")
    return version in (target.python, full)
