"""Running Nix's programs, and what their failures mean."""

from __future__ import annotations

import contextlib
import logging
import os
import re
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from nixgen.errors import LostPathError, NixError
from nixgen.processes import ending
from nixgen.store.refusals import refusal

_log = logging.getLogger(__name__)

#: What Nix says where two processes make a new store at once: one finds a link that the other has just made, or reads
#: the number of the database's schema from a file that the other has opened and not yet written.
_NEW_STORE = re.compile(
    r"error: (?:creating symlink from '[^']*/gcroots/profiles' to '[^']*': File exists|'[^']*/db/schema' is corrupt)"
)

#: How often, and after how many seconds each, a command is tried again that met another one making the store.
_NEW_STORE_TRIES = 10
_NEW_STORE_WAIT = 0.1

#: A message that a ``throw`` of the Nix library made: three lines, as ``nixgen.errors`` has them.
_OWN_MESSAGE = re.compile(r"error: nixgen: (.+\n\s+where: .+\n\s+what to do: .+)")

#: What Nix, or a builder, says where the store does not hold what its database says.
_DAMAGE = re.compile(
    r"path '[^']+' (?:is not valid|is not in the Nix store|does not exist|disappeared|is missing|was modified)"
    r"|hash mismatch importing path|No such file or directory: '[^']*/[0-9a-z]{32}-"
)


def command(program: str, arguments: Sequence[str], options: Mapping[str, str]) -> list[str]:
    """Return the words that run a program of Nix.

    Args:
        program: its name.
        arguments: its arguments.
        options: settings by name, as ``--option`` takes them.

    Raises:
        NixError: it is not on this machine.
    """
    executable = shutil.which(program)
    if executable is None:
        raise NixError(
            f"{program} is not on this machine",
            where="PATH",
            todo="install Nix: `apt-get install nix-bin` on Debian and Ubuntu, or see nixos.org/download",
        )
    words = [executable, *arguments, *(word for name, value in options.items() for word in ("--option", name, value))]
    _log.debug("running %s", " ".join(words[:12]) + (" …" if len(words) > 12 else ""))
    return words


def run(
    program: str,
    arguments: Sequence[str],
    options: Mapping[str, str],
    *,
    read: Callable[[str], None] | None = None,
    given: str | None = None,
    temporary: Path | None = None,
) -> str:
    """Run a program of Nix and return what it prints.

    Args:
        program, arguments, options: as ``command`` takes them.
        read: gets each line of its messages as it comes.
        given: what it is to read.
        temporary: its TMPDIR, where that is to be another.

    Raises:
        NixError: it is not on this machine, or fails.
    """
    words = command(program, arguments, options)
    for _ in range(_NEW_STORE_TRIES):
        code, printed, said = _call(words, read, given, temporary)
        if said:
            _log.debug("%s said:\n%s", program, said.rstrip())
        if code == 0:
            return printed
        if not _NEW_STORE.search(said):
            break
        time.sleep(_NEW_STORE_WAIT)
    raise _failure(program, code, arguments, said)


def _call(
    command: Sequence[str], read: Callable[[str], None] | None, given: str | None, temporary: Path | None
) -> tuple[int, str, str]:
    """Run a command, and return its exit code, what it printed and what it said.

    Args:
        command: the program and its arguments.
        read: gets each line of its messages as it comes.
        given: what it is to read.
        temporary: its TMPDIR, where that is to be another.
    """
    said: list[str] = []
    with tempfile.TemporaryFile("w+") if given is not None else contextlib.nullcontext() as standard_input:
        if standard_input is not None:
            standard_input.write(given or "")
            standard_input.seek(0)
        # In our own process group: an interrupt of the terminal reaches Nix too, which then cleans up after itself.
        process = subprocess.Popen(
            command,
            stdin=standard_input,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            env=None if temporary is None else {**os.environ, "TMPDIR": str(temporary)},
        )
    with process, ending(process):
        assert process.stdout is not None and process.stderr is not None
        # Nobody may wait: what is printed is read beside the messages.
        printed: list[str] = []
        reader = threading.Thread(target=lambda: printed.append(process.stdout.read()), daemon=True)  # type: ignore[union-attr]
        reader.start()
        for line in process.stderr:
            said.append(line)
            if read is not None:
                read(line)
        reader.join()
    return process.returncode, printed[0], "".join(said)


def _failure(program: str, code: int, arguments: Sequence[str], said: str) -> NixError:
    """Return the error of a failed command: the Nix library's own message if it gave one, else all that Nix said."""
    if match := _OWN_MESSAGE.search(said):
        what, *more = (line.strip() for line in match[1].splitlines())
        parts = dict(line.split(": ", 1) for line in more if ": " in line)
        return NixError(what, where=parts.get("where"), todo=parts.get("what to do"))
    if (refused := refusal(said)) is not None:
        return refused
    how = f"failed with exit code {code}" if code >= 0 else f"was ended by {signal.Signals(-code).name}"
    what = f"{program} {how}" + (f":\n{_indented(said)}" if said.strip() else "")
    where = " ".join([program, *arguments[:1]])
    if _DAMAGE.search(said):
        todo = "see what the store has lost: `nixgen verify`, and restore it with --repair"
        return LostPathError(what, where=where, todo=todo)
    if code < 0:
        todo = "try again; where the machine ended it, it had too little memory or room"
    else:
        todo = "see Nix's message above; --debug shows the whole command"
    return NixError(what, where=where, todo=todo)


def _indented(text: str) -> str:
    return "\n".join(f"    {line}" for line in text.rstrip().splitlines())
