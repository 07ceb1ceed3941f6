"""A place of a case's own: a project, a store, a home and a temporary directory, and nixgen run there."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from corpus.environments import Store
from corpus.processes import Done, Processes

#: How long a command may take, in seconds.
LIMIT = 60.0

_TRACEBACK = "Traceback (most recent call last)"


class Place:
    """Directories for one case after another, and the commands that run in them.

    Args:
        directory: made where it is missing.
        processes: runs the commands.

    Attributes:
        project, home, temporary, nix: directories.
        store: the store's directory, below ``nix``.
        env: the variables of the commands.
        said: what the commands printed since it was last emptied.
    """

    def __init__(self, directory: Path, processes: Processes) -> None:
        self.directory = directory.resolve()
        self.project = self.directory / "project"
        self.home = self.directory / "home"
        self.temporary = self.directory / "tmp"
        self.nix = self.directory / "nix"
        self.said = ""
        self._processes = processes
        for path in (self.project, self.home, self.temporary):
            path.mkdir(parents=True, exist_ok=True)
        self.fresh_store()

    def fresh_store(self) -> None:
        """Begin with an empty store, which has the same path each time."""
        remove(self.nix)
        self.open_store()

    def open_store(self) -> None:
        """Take what is in ``nix`` as the store."""
        store = Store(self.nix)
        self.store = store.path
        env = {name: value for name, value in store.env.items() if not name.startswith(("PIP_", "UV_"))}
        self.env = env | {
            "HOME": str(self.home),
            "TMPDIR": str(self.temporary),
            "XDG_CACHE_HOME": str(self.home / "cache"),
            "UV_CACHE_DIR": str(self.home / "uv"),
        }

    def run(
        self,
        *command: str | Path,
        cwd: Path | None = None,
        env: Mapping[str, str] | None = None,
        limit: float = LIMIT,
    ) -> Done:
        """Run a command in the project and keep what it says."""
        words = [str(word) for word in command]
        done = self._processes.run(words, cwd=cwd or self.project, env=self.env if env is None else env, timeout=limit)
        self.said += f"$ {' '.join(words[:12])}\n{done.out[-4000:]}{done.err[-8000:]}exit code {done.code}\n"
        return done

    def nixgen(
        self, *arguments: str | Path, before: Sequence[str] = (), cwd: Path | None = None, limit: float = LIMIT
    ) -> Done:
        """Run a verb, below another command where one is given."""
        return self.run(*before, sys.executable, "-m", "nixgen", *arguments, cwd=cwd, limit=limit)

    def collect_garbage(self) -> None:
        """Take everything out of the store that no root holds."""
        self.run("nix-store", "--gc")

    def remove(self) -> None:
        """Remove all of it."""
        remove(self.directory)


def broken(what: str, done: Done, limit: float = LIMIT) -> Iterator[str]:
    """Say what must never be of a command, whatever it was given."""
    if done.code is None:
        yield f"{what} took more than {limit:.0f} s"
    if _TRACEBACK in done.out + done.err:
        yield f"{what} prints a traceback"
    elif done.code == 1 and what.startswith("nixgen"):
        yield f"{what} ends with 1, which is unexpected"


def refusal(what: str, done: Done, codes: Sequence[int]) -> Iterator[str]:
    """Say what is wrong with how a verb gave up: another exit code than these, or a message without its three parts."""
    yield from broken(what, done)
    if done.code in (None, 0, 1):
        return
    if done.code not in codes:
        yield f"{what} ends with {done.code}"
    # nixgen-venv is the program that makes virtual environments, and says itself what is wrong.
    last = max(done.err.rfind(name) for name in ("nixgen: ", "nixgen-venv: "))
    said = done.err[last:] if last >= 0 else ""
    missing = [part for part in ("where: ", "what to do: ") if part not in said]
    if missing:
        yield f"{what} ends with {done.code} and does not say {', '.join(map(repr, missing))}"


def listing(directory: Path) -> dict[str, bytes | str]:
    """Return everything below a directory: content of files, targets of links."""
    found: dict[str, bytes | str] = {}
    for root, directories, names in os.walk(directory):
        for name in (*names, *directories):
            path = Path(root, name)
            if path.is_symlink():
                found[str(path.relative_to(directory))] = str(path.readlink())
            elif path.is_file():
                found[str(path.relative_to(directory))] = path.read_bytes()
    return found


def remove(path: Path) -> None:
    """Remove a directory, whatever is in it."""
    # Not by Python, which gives up on a thousand directories in each other; and a store's are read-only.
    if path.is_symlink() or path.exists():
        subprocess.run(["chmod", "-R", "u+rwX", path], check=False)
        subprocess.run(["rm", "-rf", path], check=True)
