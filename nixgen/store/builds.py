"""Builds: what Nix makes, and what keeps it from garbage collection."""

from __future__ import annotations

import contextlib
import logging
import os
import re
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from nixgen.errors import LostPathError, NixError
from nixgen.roots import counts
from nixgen.store import programs
from nixgen.store.configuration import said
from nixgen.store.daemon import Daemon
from nixgen.store.nix import Nix
from nixgen.store.queries import batches

_log = logging.getLogger(__name__)

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


class Builds(Nix):
    """Builds in the store, and their roots."""

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
        for batch in batches(derivations):
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

    def outlives(self, *paths: str) -> bool:
        """Tell whether valid paths are there to stay for which roots were just made.

        A collection that is under way may have read the roots before that one was made, and read which paths are in use
        after its maker ended: then it takes the path (Nix's ``collectGarbage`` has this order). Told of it while it
        runs, it does not.
        """
        with self.connect() as daemon:
            daemon.hold(paths)
        return all(map(os.path.lexists, paths))
