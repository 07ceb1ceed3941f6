"""The whole path as root, as an ordinary user with a daemon and as one without, with the oldest and the newest Nix."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

import nixgen
from tests.support.cli import Cli
from tests.support.locks import write_pylock
from tests.support.nix import NixInstallation
from tests.support.owner import UID, as_root, give, open_directory, python
from tests.support.server import WheelServer
from tests.support.wheels import make_wheel
from tests.verification.conftest import alter
from tests.whole.conftest import nix_of

pytestmark = [pytest.mark.nix, as_root]

#: Runs a command as the ordinary user.
AS_USER = ("setpriv", f"--reuid={UID}", f"--regid={UID}", "--clear-groups")


@pytest.fixture(params=["distribution", "sid"])
def installation(request: pytest.FixtureRequest) -> Iterator[NixInstallation]:
    """A Nix with a store of its own, in a directory that everybody can enter."""
    with open_directory() as place:
        yield (nix := nix_of(request.param, place / "nix"))
        nix.make_removable()


@contextlib.contextmanager
def daemon(nix: NixInstallation) -> Iterator[dict[str, str]]:
    """Run root's daemon on a store, and give the variables of who uses it."""
    # Only a path of up to 107 bytes is a socket's.
    socket = nix.root.parent / "socket"
    environment = {**nix.env, "NIX_DAEMON_SOCKET_PATH": str(socket)}
    # Else, where no store is there yet, each of its processes takes the socket for that of another daemon, and asks it.
    own = {**environment, "NIX_REMOTE": "local"}
    process = subprocess.Popen(["nix-daemon"], env=own, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 20
        while not socket.exists():
            assert process.poll() is None and time.monotonic() < deadline
            time.sleep(0.02)
        yield {**environment, "NIX_REMOTE": "daemon"}
    finally:
        process.terminate()
        process.wait()


def modules(place: Path) -> str:
    """Return a PYTHONPATH with nixgen and what it needs, which the user can read."""
    found = [Path(nixgen.__file__).parents[1], *(Path(path) for path in sys.path if path.endswith("-packages"))]
    if subprocess.run([*AS_USER, "ls", *found], capture_output=True).returncode != 0:
        for number, path in enumerate(found):
            kept = [path / "nixgen", path / "nix"] if number == 0 else [path]
            for each in kept:
                subprocess.run(["cp", "-r", each, place / f"modules{number}"], check=True)
            found[number] = place / f"modules{number}"
    return os.pathsep.join(map(str, found))


@pytest.mark.parametrize("who", ["root", "user with a daemon", "user without a daemon"])
def test_the_whole_path(installation: NixInstallation, who: str) -> None:
    """All verbs work, an altered leaf is found, and whoever may write to the store restores it."""
    place = installation.root.parent
    home = place / "home"
    (project := home / "project").mkdir(parents=True)
    (home / "tmp").mkdir()
    wheels = [
        make_wheel(name, "1.0", {f"{name}/__init__.py": f"name = '{name}'\n", f"{name}/data.py": f"of = '{place}'\n"})
        for name in ("first", "second")
    ]
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(WheelServer(dict(wheels)))
        write_pylock(project, {name: server.url(name) for name, _ in wheels}, wheels)
        give(home)
        environment = dict(installation.env)
        if who == "user with a daemon":
            environment = stack.enter_context(daemon(installation))
        elif who == "user without a daemon":
            give(installation.root)
        as_root = Cli(
            directory=project,
            environment={
                **installation.env,
                "HOME": str(place / "root"),
                "PYTHONPATH": modules(place),
                "NIXGEN_STATE_DIR": str(place / "state"),
                "NIXGEN_RUN_DIR": str(place / "run"),
            },
            program=(python(), "-m", "nixgen"),
        )
        # As a login sets it: there is no entry of this user in the machine's own list.
        environment |= {
            "USER": "somebody",
            "HOME": str(home),
            "TMPDIR": str(home / "tmp"),
            "XDG_CACHE_HOME": str(home / "cache"),
        }
        prefix = () if who == "root" else AS_USER
        cli = replace(as_root, environment={**as_root.environment, **environment}, program=(*prefix, *as_root.program))
        cli("lock", "--python", python())
        cli("build")
        code = "import first, second; print(first.name, second.name)"
        assert cli("run", "--", "python", "-c", code).stdout == "first second\n"
        shown = "import os, first; print(os.path.islink(first.__file__), first.name, first.__file__)"
        real = cli("run", "--mounted", "--", "python", "-c", shown).stdout.split()
        assert real[:2] == ["False", "first"] and Path(real[2]).is_symlink() | Path(real[2]).parent.is_symlink()
        cli("venv")
        said = cli("venv", "--mounted", "real").stderr
        assert ("mounting takes root: real is an overlay instead" in said) is (who != "root")
        if who == "root":
            assert not (next((project / "real").glob("lib/python*/site-packages")) / "first").is_symlink()
            cli("umount", "real")
        venv = [*prefix, project / ".venv/bin/python", "-c", code]
        assert subprocess.run(venv, capture_output=True, text=True, check=True).stdout == "first second\n"
        assert "all is well" in cli("verify").stderr
        assert cli("fsck", "--check").stdout == ""
        (leaf,) = (project / "result").glob("lib/python*/site-packages/first/data.py")
        alter(leaf := leaf.resolve())
        assert str(leaf) in cli("verify", code=5).stdout
        if who == "user with a daemon":
            assert "as root" in cli("verify", "--repair", code=5).stderr
            restoring = as_root
        else:
            restoring = cli
        restoring("verify", "--repair")
        assert "all is well" in cli("verify").stderr
        assert not [path.name for path in (home / "tmp").iterdir()]
