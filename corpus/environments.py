"""The environments of a package: pip's, and nixgen's of either form, from the wheels of one lock."""

from __future__ import annotations

import functools
import json
import os
import shutil
import stat
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from corpus.entries import Entry
from corpus.processes import Processes
from corpus.result import Tree
from nixgen.lock import Lock
from nixgen.names import LOCK_NAME

_SETTINGS = """\
build-users-group =
substituters =
sandbox = false
fsync-metadata = false
experimental-features = nix-command flakes
"""

#: Runs a command that sees a directory as it is, and cannot write to it.
_READ_ONLY = 'mount --bind "$1" "$1" && mount -o remount,bind,ro "$1" && shift && exec "$@"'


class TroubleError(Exception):
    """An environment could not be made; the text says why."""


class Store:
    """A Nix store of the corpus' own, shared by all of its packages.

    Args:
        root: holds the store and its state; made where it is missing.

    Attributes:
        path: the store's directory.
        env: environment variables for what is to use it.
    """

    def __init__(self, root: Path) -> None:
        root.mkdir(parents=True, exist_ok=True)
        self._root = root.resolve()
        self.path = self._root / "store"
        (self._root / "etc").mkdir(exist_ok=True)
        kept = {name: value for name, value in os.environ.items() if not name.startswith("NIX_")}
        if certificates := os.environ.get("NIX_SSL_CERT_FILE"):
            kept["NIX_SSL_CERT_FILE"] = certificates
        self.env = {
            **kept,
            "NIX_STORE_DIR": str(self.path),
            "NIX_STATE_DIR": str(self._root / "var"),
            "NIX_LOG_DIR": str(self._root / "log"),
            "NIX_CONF_DIR": str(self._root / "etc"),
            "NIX_USER_CONF_FILES": os.devnull,
            "NIX_CONFIG": _SETTINGS,
            "NIXGEN_STATE_DIR": str(self._root / "mounts"),
            "NIXGEN_RUN_DIR": str(self._root / "run"),
        }

    def remove(self) -> None:
        """Remove the store with everything in it."""
        for directory, _, _ in os.walk(self._root):
            os.chmod(directory, stat.S_IRWXU)  # noqa: PTH101
        shutil.rmtree(self._root)

    def read_only(self) -> tuple[str, ...]:
        """Return the words before a command that keep it from writing to the store, where the machine has such mounts.

        Whoever is not root cannot write to it anyway.
        """
        return (*_mounts(), str(self.path)) if os.geteuid() == 0 and _mounts() else ()


@functools.cache
def _mounts() -> tuple[str, ...]:
    words = ("unshare", "--mount", "sh", "-c", _READ_ONLY, "sh")
    if shutil.which("unshare") is None:
        return ()
    probe = subprocess.run([*words, str(Path(__file__).parent), "true"], capture_output=True, check=False)
    return words if probe.returncode == 0 else ()


@dataclass(frozen=True, kw_only=True)
class Workshop:
    """What making environments takes.

    Attributes:
        processes: runs the programs.
        store: the corpus' own.
        find_links: directories of wheels that no index has.
        index: what pip and nixgen are told of indexes, such as ``--no-index``.
        python: path of the interpreter of both environments; None takes the one that nixgen takes by itself.
        timeout: seconds that one step may take.
    """

    processes: Processes
    store: Store
    find_links: tuple[Path, ...] = ()
    index: tuple[str, ...] = ()
    python: str | None = None
    timeout: float = 900

    def lock(self, entry: Entry, project: Path) -> Lock:
        """Lock a package in a directory of its own.

        Raises:
            TroubleError: with what nixgen says.
        """
        project.mkdir(parents=True)
        (project / "requirements.in").write_text("".join(f"{line}\n" for line in entry.requirements))
        self._lock(project)
        return Lock.from_file(project / LOCK_NAME)

    def _lock(self, project: Path, *options: str) -> None:
        python = () if self.python is None else ("--python", self.python)
        links = [word for directory in self.find_links for word in ("--find-links", str(directory))]
        self._nixgen(project, "lock", "--quiet", *options, *python, *links, *self.index)

    def lock_from_source(self, entry: Entry, project: Path) -> None:
        """Lock a locked package again, in the same versions, with what is probed built of its source distribution.

        Raises:
            TroubleError: with what nixgen says; or there is no source distribution.
        """
        asked = [word for name in entry.roots for word in ("--build-from-source", name)]
        self._lock(project, *asked)
        wheels = Lock.from_file(project / LOCK_NAME).wheels.values()
        if missing := set(entry.roots) - {wheel.name for wheel in wheels if wheel.build is not None}:
            raise TroubleError(f"nothing was built of {', '.join(sorted(missing))}: there is no source distribution")

    def build(self, project: Path, link: Path) -> None:
        """Build the environment of a lock.

        Raises:
            TroubleError: with what nixgen says.
        """
        python = () if self.python is None else ("--python", self.python)
        self._nixgen(project, "build", "--quiet", "--out-link", str(link), *python)

    def venv(self, project: Path, directory: Path, form: str) -> None:
        """Make a virtual environment on top of the lock's environment.

        Args:
            project: the lock's.
            directory: where it is to be.
            form: ``overlay``, ``farm`` or ``mounted``.

        Raises:
            TroubleError: with what nixgen says.
        """
        python = () if self.python is None else ("--python", self.python)
        self._nixgen(project, "venv", "--quiet", f"--{form}", *python, str(directory))

    def unmount(self, directory: Path) -> None:
        """Take away what ``venv`` has mounted, of a run that was killed too; nothing where there is nothing.

        Raises:
            TroubleError: with what nixgen says.
        """
        if directory.is_mount():
            self._nixgen(directory.parent, "umount", "--lazy", str(directory))

    def pip(self, lock: Lock, base: str, environment: Path) -> None:
        """Make a virtual environment in which pip installs the wheels of a lock, and nothing else.

        Args:
            lock: each wheel is asked for by version and hash, so no other one is taken.
            base: the interpreter that nixgen's environment was made with.
            environment: directory to make.

        Raises:
            TroubleError: with what pip says.
        """
        target = lock.targets[0]
        pins = environment.parent / "requirements.txt"
        pins.parent.mkdir(parents=True)
        pins.write_text(
            "".join(
                f"{package.name}=={package.version} --hash=sha256:{package.wheel.sha256}\n"
                for package in target.packages
            )
        )
        self._run("venv", [base, "-m", "venv", "--without-pip", environment], pins.parent)
        local = {Path(package.wheel.path).parent for package in target.packages if package.wheel.path}
        links = [word for directory in sorted(local) for word in ("--find-links", str(directory))]
        pip = [sys.executable, "-m", "pip", "--python", str(environment), "--disable-pip-version-check"]
        install = ["install", "--quiet", "--no-cache-dir", "--no-deps", "--only-binary", ":all:", *links]
        self._run("pip", [*pip, *install, *self.index, "--require-hashes", "-r", str(pins)], pins.parent)

    def base(self, environment: Path) -> str:
        """Return the interpreter that an environment was made with."""
        config = dict(
            line.split(" = ", 1) for line in (environment / "pyvenv.cfg").read_text().splitlines() if " = " in line
        )
        return config.get("executable") or str((environment / "bin" / "python").resolve())

    def trees(self, environment: Path) -> list[Path]:
        """Return the trees that an environment is made of."""
        state = environment / ".nixgen" / "state"
        said = state.read_text(encoding="utf-8").splitlines() if state.exists() else []
        standing = next((line[4:] for line in said if line.startswith("env ")), str(environment.resolve()))
        done = self.processes.run(
            ["nix-store", "--query", "--requisites", standing],
            cwd=environment.parent,
            env=self.store.env,
            timeout=self.timeout,
            whole=True,  # an environment of 12,000 files has a megabyte of paths
        )
        return [path for path in map(Path, done.out.split()) if (path / "nix-support" / "nixgen.json").is_file()]

    def _nixgen(self, project: Path, *arguments: str) -> None:
        self._run("nixgen", [sys.executable, "-m", "nixgen", *arguments], project)

    def _run(self, what: str, command: Iterable[str | Path], cwd: Path) -> None:
        done = self.processes.run(list(command), cwd=cwd, env=self.store.env, timeout=self.timeout)
        if done.code is None:
            raise TroubleError(f"{what} took more than {self.timeout:.0f} s")
        if done.code != 0:
            raise TroubleError((done.err or done.out).strip() or f"{what} ended with {done.code}")


def measure(tree: Path) -> Tree:
    """Say what a tree holds, and what of it are copies."""
    manifest = json.loads((tree / "nix-support" / "nixgen.json").read_text(encoding="utf-8"))
    copies: Mapping[str, list[str]] = manifest["copies"]
    made = {*manifest["launchers"], "nix-support/nixgen.json"} - copies.keys()
    sizes = {path: size for path, size in _sizes(tree) if path not in made and not path.endswith(".pyc")}
    by_reason: dict[str, tuple[int, int]] = {}
    for path, reasons in sorted(copies.items()):
        key = " + ".join(sorted(reasons))
        count, size = by_reason.get(key, (0, 0))
        by_reason[key] = (count + 1, size + sizes.get(path, 0))
    return Tree(
        path=tree.name,
        name=manifest["distribution"],
        version=manifest["version"],
        files=len(sizes),
        size=sum(sizes.values()),
        copies=by_reason,
        copied={path: sizes.get(path, 0) for path in sorted(copies)},
        programs={path: sizes[path] for path in manifest["programs"]},
    )


def _sizes(tree: Path) -> Iterator[tuple[str, int]]:
    for directory, _, names in os.walk(tree):
        for name in names:
            path = Path(directory, name)
            yield str(path.relative_to(tree)), path.stat().st_size
