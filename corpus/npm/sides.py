"""The environments of a package or a project: npm's and both of nixgen's, from one lock, seen at one place."""

from __future__ import annotations

import functools
import json
import shutil
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from corpus.environments import Store, TroubleError
from corpus.npm.entries import Entry
from corpus.processes import Processes
from nixgen.lock import Lock
from nixgen.names import LOCK_NAME
from nixgen.npm.model import NpmLock

#: nixgen's forms: links into the store, and real files as npm lays them.
FORMS = ("store", "mounted")

#: Runs a command that sees a store and cannot write to it, in a directory that stands at another place for it alone:
#: what a program makes of its own path is the same in all environments.
_AT_ONE_PLACE = (
    'mount --bind "$1" "$1" && mount -o remount,bind,ro "$1" && mount --rbind "$2" "$3" && cd "$3" && shift 3 '
    '&& exec "$@"'
)


@dataclass(frozen=True, kw_only=True)
class Side:
    """One environment.

    Attributes:
        directory: the project's; its ``node_modules`` is npm's or nixgen's.
        place: where programs find it; the directory itself where the machine has no private mounts.
        scratch: the home of those programs.
        prefix: words before each command.
    """

    directory: Path
    place: Path
    scratch: Path
    prefix: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Workshop:
    """What making environments takes.

    Attributes:
        processes: runs the programs.
        store: the corpus' own.
        cache: of npm and nixgen.
        settings: further variables, such as ``npm_config_registry``.
        timeout: seconds that one step may take.
    """

    processes: Processes
    store: Store
    cache: Path
    settings: tuple[tuple[str, str], ...] = ()
    timeout: float = 1200

    @property
    def env(self) -> dict[str, str]:
        """The variables of npm and nixgen."""
        return {
            **self.store.env,
            "XDG_CACHE_HOME": str(self.cache),
            "npm_config_cache": str(self.cache / "npm"),
            "npm_config_audit": "false",
            "npm_config_fund": "false",
            "npm_config_update_notifier": "false",
            "npm_config_loglevel": "error",
            "npm_config_omit_lockfile_registry_resolved": "false",
            **self._headers(),
            **dict(self.settings),
        }

    @functools.cached_property
    def versions(self) -> tuple[str, str]:
        """The versions of Node.js and npm."""
        done = [
            self.processes.run([name, "--version"], cwd=self.cache, env=self.env, timeout=60)
            for name in ("node", "npm")
        ]
        return done[0].out.strip().removeprefix("v"), done[1].out.strip()

    def _headers(self) -> dict[str, str]:
        """Return where node-gyp finds the headers of Node.js without a network, as it does in a build of nixgen's."""
        node = shutil.which("node", path=self.store.env.get("PATH"))
        around = Path(node).resolve().parent.parent if node else Path("/nowhere")
        return {"npm_config_nodedir": str(around)} if (around / "include" / "node").is_dir() else {}

    def resolve(self, entry: Entry, directory: Path) -> None:
        """Let npm lock a project in a directory of its own.

        Raises:
            TroubleError: with what npm says.
        """
        if entry.sources is not None:
            shutil.copytree(entry.sources, directory)
        else:
            directory.mkdir(parents=True)
            (directory / "package.json").write_text(json.dumps(entry.manifest, indent=1), encoding="utf-8")
        self._run("npm", ["npm", "install", "--package-lock-only"], directory)

    def lock(self, directory: Path) -> NpmLock:
        """Let nixgen lock what npm has locked; archives that npm has installed it takes from npm's cache.

        Raises:
            TroubleError: with what nixgen says.
        """
        self._nixgen(directory, "lock", "--quiet")
        section = Lock.from_file(directory / LOCK_NAME).npm
        assert section is not None
        return section

    def install(self, entry: Entry, project: Path, directory: Path) -> None:
        """Copy a locked project, and let npm install there what it has locked, with the install scripts allowed.

        Raises:
            TroubleError: with what npm says.
        """
        shutil.copytree(project, directory)
        self._run("npm", ["npm", "ci", "--ignore-scripts"], directory)
        if entry.scripts:
            self._run("npm", ["npm", "rebuild", *entry.scripts], directory)

    def build(self, form: str, entry: Entry, project: Path, directory: Path) -> None:
        """Copy a locked project, and let nixgen make its ``node_modules`` in a form.

        Raises:
            TroubleError: with what nixgen says.
        """
        shutil.copytree(project, directory)
        words = ["--mounted"] if form == "mounted" else []
        if entry.scripts:
            node = shutil.which("node", path=self.env["PATH"])
            assert node is not None
            words += ["--node", str(Path(node).parent.parent)]
        self._nixgen(directory, "venv", "--quiet", *words)

    def unmount(self, directory: Path) -> None:
        """Take away what ``build`` has mounted in a project, of a run that was killed too.

        Raises:
            TroubleError: with what nixgen says.
        """
        if (directory / "node_modules").is_mount():
            self._nixgen(directory, "umount", "--lazy", str(directory / "node_modules"))

    def side(self, directory: Path, place: Path) -> Side:
        """Return an environment as its programs are to see it.

        Args:
            directory: the project's.
            place: a directory that all sides of one entry share, beside them.
        """
        scratch = directory.with_name(f"{directory.name}-scratch")
        if not _mounts():
            return Side(directory=directory, place=directory, scratch=scratch)
        place.mkdir(exist_ok=True)
        prefix = (*_mounts(), str(self.store.path), str(directory), str(place))
        return Side(directory=directory, place=place, scratch=scratch, prefix=prefix)

    def _nixgen(self, project: Path, *arguments: str) -> None:
        self._run("nixgen", [sys.executable, "-m", "nixgen", *arguments], project)

    def _run(self, what: str, command: Iterable[str], cwd: Path) -> None:
        done = self.processes.run(list(command), cwd=cwd, env=self.env, timeout=self.timeout)
        if done.code is None:
            raise TroubleError(f"{what} took more than {self.timeout:.0f} s")
        if done.code != 0:
            raise TroubleError((done.err or done.out).strip() or f"{what} ended with {done.code}")


@functools.cache
def _mounts() -> tuple[str, ...]:
    """Return the words before a store, two directories and a command; none where the machine has no such mounts."""
    words = ("unshare", "--mount", "sh", "-c", _AT_ONE_PLACE, "sh")
    if shutil.which("unshare") is None:
        return ()
    here = str(Path(__file__).parent)
    probe = subprocess.run([*words, here, here, here, "true"], capture_output=True, check=False)
    return words if probe.returncode == 0 else ()
