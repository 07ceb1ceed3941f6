"""The project and its neighbours in a virtual environment, installed so that an edit shows (PEP 660)."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
from pathlib import Path

from nixgen.environments.build import build_choice
from nixgen.environments.choice import Choice
from nixgen.environments.last_build import LastBuild
from nixgen.environments.request import Request
from nixgen.errors import BuildError, NixError
from nixgen.observer import SILENT, Observer
from nixgen.store import Store
from nixgen.venv.program import environment_below, rights

#: What nix/builders/editable.py leaves in a virtual environment, and the link to what it was asked for.
_STATE = Path(".nixgen", "editable.json")
_ASKED = Path(".nixgen", "editables")


def install(directory: Path, request: Request, observer: Observer = SILENT) -> None:
    """Install the packages of a lock that lie in the project's directory into a virtual environment.

    Their build backends run in their directories, with the rights of who owns them. What is installed already, of the
    same files at the same place, is left alone; what the lock does not have any more is removed.

    Args:
        directory: the virtual environment, which stands on the lock's environment without them.
        request: that environment.
        observer: is told what goes on.

    Raises:
        NixgenError: what their builds need cannot be had.
        BuildError: a package cannot be built.
    """
    request = request._replace(editable=True)
    last = LastBuild(request, directory / _ASKED)
    asked = last.find()
    if asked is None:
        choice = Choice.of(request)
        if not choice.editable and not (directory / _STATE).exists():
            return
        asked = build_choice(choice, None, observer, wrap=lambda environment: f"({environment}).nixgen.editables")
        with contextlib.suppress(NixError):  # as with roots: where Nix may not keep it, it is built again
            Store(request.settings).realise(asked, directory / _ASKED)
        last.keep(asked)
    _run(directory, Path(asked), request.base)


def heal(directory: Path) -> None:
    """Install them again where something of it is gone, or the projects were moved together with the environment.

    Raises:
        BuildError: a package cannot be built.
    """
    asked = Path(os.path.realpath(directory / _ASKED))
    store = os.environ.get("NIX_STORE_DIR") or "/nix/store"
    if (directory / _STATE).is_file() and str(asked.parent) == store and asked.is_file():
        _run(directory, asked, None)


def _run(directory: Path, asked: Path, base: Path | None) -> None:
    """Run the installer of the environment's own Python, which says itself what it does."""
    environment = environment_below(directory)
    if environment is None:
        return
    program = json.loads(asked.read_bytes())["program"]
    command = [str(environment / "bin" / "python"), "-s", "-B", program, str(directory.absolute()), str(asked)]
    command += [] if base is None else [str(base.absolute())]
    place = directory if base is None else base
    owners = {directory.stat().st_uid, place.stat().st_uid}
    mine = owners == {os.geteuid()} or os.geteuid() != 0
    if not mine and len(owners) > 1:
        raise BuildError(
            "the project and its environment belong to different users, and its code is not run as root",
            where=str(directory),
            todo="run this as the project's owner",
        )
    if mine:
        code = subprocess.run(command, check=False).returncode
    else:
        (uid,) = owners
        code = subprocess.run(
            command,
            user=uid,
            group=rights().group(uid),
            extra_groups=[],
            env=rights().variables(uid),
            cwd="/",
            umask=0o022,
            start_new_session=True,
            check=False,
        ).returncode
    if code:
        raise BuildError(
            "the project is not editable, see above",
            where=str(directory),
            todo="repair it (`uv build` shows the same), or leave it out: `nixgen lock --no-project`",
        )
