"""Where commands and shells run: in the environment itself, or on top of it where the project is editable."""

from __future__ import annotations

import hashlib
from pathlib import Path

from nixgen.cache import cache_directory
from nixgen.environments.build import build
from nixgen.environments.kinds import Kinds
from nixgen.environments.npm import build_npm
from nixgen.environments.request import Request
from nixgen.errors import MachineError
from nixgen.names import LOCK_NAME
from nixgen.observer import SILENT, Observer

#: What a lock has where a package of it lies in a directory (nixgen/lock.py).
_DIRECTORY = b'"source": {"directory": "'


def live_environment(request: Request, link: Path, observer: Observer = SILENT) -> Path:
    """Build the environment that is asked for, and return where its programs are.

    Where the lock has the project itself, that is an overlay in the user's cache directory, in which it is editable:
    what is run is the code as it is now.

    Args:
        request: the environment.
        link: what keeps it from garbage collection where nothing is editable, and leads to it.
        observer: is told what goes on.

    Raises:
        NixgenError: with what stands in the way of building it.
    """
    if not is_live(request):
        build(request, link, observer)
        return link.absolute()
    observer.working()
    from nixgen.venv.editable import install
    from nixgen.venv.standing import stand

    wanted = request._replace(editable=True)
    name = hashlib.sha256(str(request.base.absolute()).encode()).hexdigest()[:32]
    directory = cache_directory() / "environments" / name
    directory.parent.mkdir(parents=True, exist_ok=True)
    code, _ = stand(directory, ["--overlay", "--quiet"], wanted, observer)
    if code:
        raise MachineError("the environment cannot be made", where=str(directory), todo="see the message above")
    install(directory, wanted, observer)
    return directory.absolute()


def npm_programs(request: Request, kinds: Kinds, observer: Observer = SILENT) -> list[Path]:
    """Build the environment of npm's packages, and return where its programs are: in the project, and in itself.

    Args:
        request: the environment.
        kinds: what the lock has.
        observer: is told what goes on.

    Raises:
        NixgenError: with what stands in the way of building it.
    """
    link = request.base.absolute() / ("result-npm" if kinds.python else "result")
    build_npm(request, link, observer)
    modules = request.base.absolute() / "node_modules"
    if not modules.is_dir():
        observer.note("there is no node_modules, where programs look for packages: `nixgen venv` makes it")
    return [modules / ".bin", link / "bin"]


def is_live(request: Request) -> bool:
    """Tell whether something of an environment is editable, so that it runs on top of the environment."""
    try:
        return _DIRECTORY in (request.base / LOCK_NAME).read_bytes()
    except OSError:
        return False
