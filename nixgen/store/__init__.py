"""The store: the only package that runs Nix."""

from __future__ import annotations

import contextlib
import functools
import grp
import itertools
import json
import logging
import os
import re
import subprocess
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nixgen.emit.nix import LIST_OF_LEAVES, TEXTS, nix_string
from nixgen.errors import LostPathError, NixError
from nixgen.roots import counts
from nixgen.store import programs
from nixgen.store.configuration import said
from nixgen.store.daemon import Daemon
from nixgen.temporary import temporary_directory

_log = logging.getLogger(__name__)

#: Linux takes 2 MiB of arguments and environment; a store path is 60 characters.
_PATHS_A_CALL = 8000


#: How the files of a repository are fetched; nix/build.nix does the same.
_OF_GIT = "allRefs = true; submodules = true;"

#: Settings of Nix for which a build has another default: its own, as a bare installation leaves it, and ours.
#:
#: max-jobs: several trees are built at once.
#: build-poll-interval: seconds after which a build that waits for another one's tree looks again. Ten at once, of a
#: dozen small wheels, took 8.8 s with 5 and 4.7 s with 1; one after another 3.5 s.
_DEFAULTS = {"max-jobs": (1, "auto"), "build-poll-interval": (5, "1")}

_BUILDING = re.compile(r"building '[^']*/[0-9a-z]{32}-(.+)\.drv'")

#: What Nix says where the builder of a killed build goes on writing what is to be removed, and how long to wait for it.
_STILL_WRITTEN = re.compile(r"cannot (?:unlink|delete|remove)[^\n]*Directory not empty", re.IGNORECASE)
_SURVIVOR = 120.0

#: How often to build what a collection took before its root counted: each time takes one at just that moment.
_COLLECTED = 5


@dataclass(frozen=True, kw_only=True)
class Registration:
    """What Nix's database says of a store path.

    Attributes:
        path: the store path.
        nar_hash: SHA-256 of its serialisation, hexadecimal.
        nar_size: size of that, in bytes.
        deriver: the derivation that made it, "" where none is known.
        references: store paths that it needs, itself among them where it names itself.
    """

    path: str
    nar_hash: str
    nar_size: int
    deriver: str
    references: tuple[str, ...]

    def lines(self) -> list[str]:
        """Return it as ``nix-store --dump-db`` prints it."""
        return [self.path, self.nar_hash, str(self.nar_size), self.deriver, str(len(self.references)), *self.references]


@dataclass(frozen=True, kw_only=True)
class Text:
    """A text for the store.

    Attributes:
        name: of its store path.
        content: what it says.
        keeps: the valid store paths that are its references, named in it or not.
    """

    name: str
    content: str
    keeps: Collection[str]


class Store:
    """The Nix store of this machine, as the environment (``NIX_REMOTE``, ``NIX_STORE_DIR``, …) names it.

    Args:
        options: further Nix settings by name, as ``--option`` takes them.
    """

    def __init__(self, options: Mapping[str, str] | None = None) -> None:
        self._options = {**_single_user_options(), **(options or {})}

    @functools.cached_property
    def directory(self) -> str:
        """The directory that store paths begin with, usually ``/nix/store``."""
        # Where a variable says it, and nothing names another store, Nix need not be started: 25 ms.
        given, theirs = os.environ.get("NIX_STORE_DIR"), said()
        elsewhere = os.environ.get("NIX_REMOTE") or theirs is None or "store" in {*theirs, *self._options}
        if given and os.path.normpath(given) == given and not elsewhere:
            return given
        found: str = json.loads(self._run("nix-instantiate", "--eval", "--json", "--expr", "builtins.storeDir"))
        return found

    def invalid(self, paths: Iterable[str]) -> set[str]:
        """Return those of some store paths that the store does not hold."""
        found: set[str] = set()
        for batch in _batches(paths):
            found.update(self._run("nix-store", "--check-validity", "--print-invalid", *batch).split())
        return found

    def registrations(self, paths: Iterable[str] | None = None) -> dict[str, Registration]:
        """Return what Nix's database says of some valid store paths, by path.

        Args:
            paths: the paths; None for every one that is valid.

        Raises:
            NixError: one of them is not valid.
        """
        found: dict[str, Registration] = {}
        for batch in [[]] if paths is None else _batches(paths):
            lines = iter(self._run("nix-store", "--dump-db", *batch).splitlines())
            for path in lines:
                nar_hash, nar_size, deriver, count = (next(lines) for _ in range(4))
                references = tuple(next(lines) for _ in range(int(count)))
                found[path] = Registration(
                    path=path, nar_hash=nar_hash, nar_size=int(nar_size), deriver=deriver, references=references
                )
        return found

    def register(self, registrations: Iterable[Registration]) -> None:
        """Tell Nix's database of store paths that are there, in place of what it says of them.

        Raises:
            NixError: the database cannot be written directly, as with a daemon, or a reference is not valid.
        """
        text = "".join(f"{line}\n" for registration in registrations for line in registration.lines())
        self._run("nix-store", "--load-db", given=text)

    def instantiate(self, file: Path, arguments: Sequence[str]) -> str:
        """Evaluate a Nix file and return the path of its derivation.

        Args:
            file: a file or directory that ``nix-instantiate`` takes.
            arguments: further arguments, ``--arg`` and the like.

        Raises:
            NixError: with what Nix said.
        """
        with self._scratch() as temporary:
            return self._run("nix-instantiate", str(file), *arguments, temporary=temporary).strip()

    def evaluate(self, expression: str) -> Any:
        """Evaluate an expression of the Nix language, and return its value; nothing is built or written.

        Raises:
            NixError: with what Nix said.
        """
        return json.loads(self._run("nix-instantiate", "--eval", "--strict", "--json", "--expr", expression))

    def repair(self, path: str) -> None:
        """Let Nix fetch or build a valid store path again whose content is another.

        Raises:
            NixError: it cannot, or may not.
        """
        with self._scratch() as temporary:
            self._run("nix-store", "--repair-path", path, temporary=temporary)

    def connect(self) -> Daemon:
        """Open a connection that adds files to the store.

        Raises:
            NixError: Nix is not there, or too old.
        """
        daemon = self.start_connecting()
        try:
            daemon.wait()
        except BaseException:
            daemon.abort()
            raise
        return daemon

    def start_connecting(self) -> Daemon:
        """Open a connection as ``connect`` does without waiting for it, where the store is not a new one.

        Raises:
            NixError: Nix is not there. That it is too old, the first wait says.
        """
        return Daemon(programs.command("nix-daemon", ["--stdio"], self._options))

    def keep(self, paths: Iterable[str], add: Iterable[tuple[str, str, Path]], link: Path) -> None:
        """Keep some leaves from garbage collection as long as a link is there, some of which are added first.

        The link leads to a text in the store that lists them: what such a text names belongs to its closure
        (``builtins.toFile``). Adding and listing are one evaluation, so that no collection comes between them.

        Args:
            paths: store paths that are valid.
            add: name, SHA-256 (base64) and file of each leaf to add.
            link: the link to make, replaced at once.

        Raises:
            NixError: a path is not valid, a file has another hash, or the store cannot be written.
        """
        wanted = [{"path": path} for path in sorted(paths)]
        wanted += [{"name": name, "sha256": sha256, "file": str(file)} for name, sha256, file in add]
        with temporary_directory() as directory:
            listed = directory / "leaves.json"
            listed.write_text(json.dumps(wanted), encoding="utf-8")
            arguments = ("--expr", LIST_OF_LEAVES, "--argstr", "listed", str(listed))
            text = self._run("nix-instantiate", "--eval", "--json", "--read-write-mode", *arguments)
        self.realise(json.loads(text), link)

    def write_texts(self, texts: Sequence[Text]) -> list[str]:
        """Write texts that keep store paths as long as they are kept themselves, and return their store paths.

        All of it is one evaluation; of each text, the same content and paths give the same store path.

        Args:
            texts: what to write; one may not name another.

        Raises:
            NixError: a path is not valid, or the store cannot be written.
        """
        if not texts:
            return []
        with temporary_directory() as directory:
            listed = directory / "texts.json"
            said = [{"name": one.name, "content": one.content, "paths": list(one.keeps)} for one in texts]
            listed.write_text(json.dumps(said), encoding="utf-8")
            arguments = ("--expr", TEXTS, "--argstr", "listed", str(listed))
            found: list[str] = json.loads(
                self._run("nix-instantiate", "--eval", "--strict", "--json", "--read-write-mode", *arguments)
            )
        return found

    def realise(self, path: str, link: Path | None) -> None:
        """Make sure that the store holds a path.

        Args:
            path: the store path.
            link: a link to make to it, replaced at once, which keeps it from garbage collection; None makes none.

        Raises:
            NixError: it does not, and nobody has it.
        """
        if link is None:
            self._run("nix-store", "--realise", path)
            return
        kept = os.path.lexists(link) and os.path.realpath(link) == path
        self._run("nix-store", "--realise", path, "--add-root", str(link), "--indirect")
        if not kept and not self._keeps(link, path):
            raise LostPathError(
                f"a garbage collection took {path} while a root was made for it", where=str(link), todo="try again"
            )

    def _keeps(self, link: Path, *paths: str) -> bool:
        """Tell whether valid paths are there to stay for which a link was just made.

        To ask Nix takes 25 ms. It is asked where the lock does not tell.
        """
        told = len(paths) == 1 and counts(link, paths[0])
        return all(map(os.path.lexists, paths)) if told else self.outlives(*paths)

    def take(self, paths: Iterable[str]) -> None:
        """Let Nix take some store paths from its caches, as far as these have them and it believes what they give."""
        for batch in _batches(paths):
            with contextlib.suppress(NixError):  # of what none has
                self._run("nix-store", "--realise", "--keep-going", *batch)

    def outlives(self, *paths: str) -> bool:
        """Tell whether valid paths are there to stay for which roots were just made.

        A collection that is under way may have read the roots before that one was made, and read which paths are in use
        after its maker ended: then it takes the path (Nix's ``collectGarbage`` has this order). Told of it while it
        runs, it does not.
        """
        with self.connect() as daemon:
            daemon.hold(paths)
        return all(map(os.path.lexists, paths))

    def build(
        self,
        expression: Path | str,
        arguments: Sequence[str],
        out_link: Path | None,
        watch: Callable[[str], None] | None = None,
    ) -> str:
        """Build a Nix expression and return the store path of its output.

        Args:
            expression: a file or directory that ``nix-build`` takes, or the text of an expression.
            arguments: further arguments, ``--argstr`` and the like.
            out_link: a link to make to the output, which keeps it from garbage collection; replaced at once and only by
                a finished build. None makes none.
            watch: called with the name of each derivation whose build begins.

        Raises:
            NixError: with what Nix said.
        """
        link = ["--no-out-link"] if out_link is None else ["--out-link", str(out_link)]
        meant = ["--expr", expression] if isinstance(expression, str) else [str(expression)]
        for _ in range(_COLLECTED):
            built = self._building(("nix-build", *meant, *link, *arguments), watch).strip()
            if out_link is None or self._keeps(out_link, *built.split()):
                return built
        raise LostPathError(
            f"garbage collections took {built} each time before its root counted",
            where=str(out_link),
            todo="end what collects garbage all the time, and try again",
        )

    @contextlib.contextmanager
    def building(self, expression: str) -> Iterator[subprocess.Popen[bytes]]:
        """Start to build the text of an expression that nobody waits for yet; what Nix says is not heard."""
        with self._scratch() as temporary:
            words = ["--expr", expression, "--no-out-link", *self._defaults()]
            yield subprocess.Popen(
                programs.command("nix-build", words, self._options),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env=None if temporary is None else {**os.environ, "TMPDIR": str(temporary)},
            )

    def build_all(self, derivations: Sequence[str], watch: Callable[[str], None] | None = None) -> list[str]:
        """Build some derivations, several at once, and return their outputs.

        Args:
            derivations: paths of their ``.drv``.
            watch: as for ``build``.

        Raises:
            NixError: with what Nix said; what was built by then is in the store.
        """
        found: list[str] = []
        for batch in _batches(derivations):
            found += self._building(("nix-store", "--realise", *batch), watch).split()
        return found

    def _building(self, command: tuple[str, ...], watch: Callable[[str], None] | None) -> str:
        """Run a command that builds, with our defaults, and return what it prints."""

        def read(line: str) -> None:
            if watch is not None and (match := _BUILDING.match(line)):
                watch(match[1])

        words = (*command, *self._defaults())
        until = time.monotonic() + _SURVIVOR
        while True:
            try:
                with self._scratch() as temporary:
                    return self._run(*words, read=read, temporary=temporary)
            except NixError as error:
                if not _STILL_WRITTEN.search(error.what) or time.monotonic() > until:
                    raise
                _log.warning("a builder of a killed build still writes; trying again in a second")
            time.sleep(1)

    def fetch_git(self, url: str, commit: str) -> str:
        """Fetch the files of a Git commit, with those of its submodules; return their store path.

        Raises:
            NixError: the repository cannot be reached, or does not have the commit.
        """
        files = f"builtins.fetchGit {{ url = {nix_string(url)}; rev = {nix_string(commit)}; {_OF_GIT} }}"
        arguments = ("--eval", "--json", "--read-write-mode", "--expr", f"({files}).outPath")
        found: str = json.loads(self._run("nix-instantiate", *arguments))
        return found

    def sign(self, cache: Path, key: Path, paths: Sequence[str]) -> None:
        """Let Nix sign what a binary cache says of some store paths.

        Args:
            cache: the directory of its narinfos.
            key: the file of a secret key.
            paths: those that are signed.

        Raises:
            NixError: it cannot.
        """
        flags = ("--extra-experimental-features", "nix-command")
        for batch in _batches(paths):
            words = ("--store", f"file://{cache}", "--key-file", str(key))
            self._run("nix", *flags, "store", "sign", *words, *batch)

    def copy(self, paths: Sequence[str], store: str, keys: Sequence[Path] = ()) -> None:
        """Copy store paths to another store, with all that they need.

        Args:
            paths: the store paths.
            store: as Nix names it, as ``ssh-ng://host``.
            keys: files of secret keys; what is copied is signed with them in this store first.

        Raises:
            NixError: one of them cannot be written or reached.
        """
        flags = ("--extra-experimental-features", "nix-command")
        for key in keys:
            self._run("nix", *flags, "store", "sign", "--recursive", "--key-file", str(key), *paths)
        self._run("nix", *flags, "copy", "--to", store, *paths)

    def requisites(self, path: Path) -> list[str]:
        """Return the store paths that a valid one needs, itself among them, sorted."""
        return sorted(self._run("nix-store", "--query", "--requisites", str(path)).split())

    def referrers(self, path: Path) -> list[str]:
        """Return the valid store paths that name one themselves, but for itself, sorted."""
        found = self._run("nix-store", "--query", "--referrers", str(path)).split()
        return sorted(set(found) - {str(path)})

    def dead(self) -> list[str]:
        """Return the store paths that nothing keeps from garbage collection, sorted; what is no valid path too."""
        return sorted(self._run("nix-store", "--gc", "--print-dead").split())

    def collect(self) -> None:
        """Let Nix remove the store paths that nothing keeps.

        Raises:
            NixError: it cannot.
        """
        self._run("nix-store", "--gc")

    def setting(self, name: str) -> object:
        """Return the value of one of Nix's settings, None where this Nix has none of that name."""
        return self._settings().get(name, {}).get("value")

    def _settings(self) -> dict[str, dict[str, object]]:
        flags = ("--extra-experimental-features", "nix-command")
        try:
            text = self._run("nix", *flags, "show-config", "--json")
        except NixError:
            text = self._run("nix", *flags, "config", "show", "--json")  # its name from 2.20 on
        settings: dict[str, dict[str, object]] = json.loads(text)
        return settings

    @contextlib.contextmanager
    def _scratch(self) -> Iterator[Path | None]:
        """Give a TMPDIR for a command that may build, so that what a killed Nix leaves there is ours to remove.

        None where the user wants to look at what a failed build leaves.
        """
        if self._options.get("keep-failed", "false") != "false":
            yield None
            return
        with temporary_directory() as directory:
            directory.chmod(0o711)  # builders may be other users
            yield directory

    def _defaults(self) -> list[str]:
        """Return the words that give a build our defaults in place of Nix's, unless somebody has said otherwise.

        A user who wants one of Nix's says so, as by ``--option max-jobs 1``.
        """
        open_to_us = {name: values for name, values in _DEFAULTS.items() if name not in self._options}
        theirs = said()
        if open_to_us and (theirs is None or theirs & open_to_us.keys()):
            # What starts Nix, 25 ms, is for those who have set one, or may have.
            try:
                settings = self._settings()
            except NixError:
                return []
            open_to_us = {
                name: values for name, values in open_to_us.items() if settings.get(name, {}).get("value") == values[0]
            }
        return [word for name, (_, ours) in open_to_us.items() for word in ("--option", name, ours)]

    def _run(
        self,
        program: str,
        *arguments: str,
        read: Callable[[str], None] | None = None,
        given: str | None = None,
        temporary: Path | None = None,
    ) -> str:
        return programs.run(program, arguments, self._options, read=read, given=given, temporary=temporary)


def _single_user_options() -> dict[str, str]:
    """Return what Nix needs to build as root on a machine without build users, as a bare nix-bin leaves it."""
    if os.geteuid() != 0 or os.environ.get("NIX_REMOTE"):
        return {}
    try:
        grp.getgrnam("nixbld")
    except KeyError:
        return {"build-users-group": ""}
    return {}


def _batches(items: Iterable[str]) -> Iterator[list[str]]:
    iterator = iter(items)
    while batch := list(itertools.islice(iterator, _PATHS_A_CALL)):
        yield batch
