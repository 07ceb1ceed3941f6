"""Running uv, and what its failures mean to a user."""

from __future__ import annotations

import logging
import os
import re
import signal
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

import uv

from nixgen.credentials import redacted, secrets_of
from nixgen.errors import InputError, MachineError, NetworkError, NixgenError
from nixgen.mistakes import of_a_program
from nixgen.processes import run as run_program

_log = logging.getLogger(__name__)

_NETWORK = re.compile(
    r"error sending request|Failed to fetch|Request failed|Network connectivity is disabled|HTTP status"
    r"|operation timed out|dns error|Failed to download|401 Unauthorized|403 Forbidden"
)

#: An archive that arrived and cannot be read, by what uv calls it.
_DAMAGED = re.compile(
    r"Failed to extract archive|Failed to read metadata|Invalid zip|not a valid (?:wheel|zip)", re.IGNORECASE
)

_LOST_ON_THE_WAY = re.compile(r"error sending request|error decoding response body|timed out|connection")

#: Where the error begins in what uv says, after warnings and progress.
_FAILURE = re.compile(r"^(?:error: |  \u00d7 )", re.MULTILINE)

#: A warning, with the indented lines that belong to it.
_WARNING = re.compile(r"^warning: (?P<text>.+(?:\n[ \t]+\S.*)*)", re.MULTILINE)

#: What uv warns of that is its own affair: which Python it would build with, which environment it finds.
_OWN_AFFAIR = re.compile(r"requested Python version|build dependencies|VIRTUAL_ENV|will not be persisted|experimental")

#: A failure to fetch from a repository.
_GIT = re.compile(r"\bGit operation failed\b")

#: What a user does about what uv says, the first that fits.
_TODO = (
    (re.compile(r"Couldn't parse requirement|Expected .*, found"), "correct that line"),
    (
        re.compile(r"was\s+not\s+found\s+in\s+the\s+package\s+registry"),
        "correct the name, or add the index that has it (--index URL)",
    ),
    (re.compile(r"\bfilename `[^`]+` is invalid"), "give the file the name that it was built with"),
    (re.compile(r"\bno\s+version\s+of"), "ask for a version that there is, or add the index that has it (--index URL)"),
    (re.compile(r"are\s+unsatisfiable|\bconflict"), "loosen one of the requirements that are named"),
)


class UvFailure(Exception):
    """uv ended with an error; its message is the argument, without credentials."""


def run(
    arguments: Sequence[str],
    *,
    cwd: Path,
    variables: Mapping[str, str] | None = None,
    warnings: list[str] | None = None,
    without: Collection[str] = (),
) -> str:
    """Run uv, quietly, and return what it prints.

    The environment is inherited, so that ``UV_*`` variables and netrc count; no Python is ever downloaded.

    Args:
        arguments: its arguments, which everybody on the machine can read.
        cwd: directory to run in.
        variables: further variables, which only this user can read.
        warnings: is given what uv warns of where it succeeds, without credentials.
        without: variables of the environment that it does not get.

    Raises:
        NixgenError: there is no uv.
        UvFailure: it failed.
    """
    environment = {
        **{name: value for name, value in os.environ.items() if name not in without},
        **(variables or {}),
        "UV_PYTHON_DOWNLOADS": "never",
        "UV_NO_PROGRESS": "1",
        "NO_COLOR": "1",
    }
    try:
        executable = uv.find_uv_bin()
    except FileNotFoundError as error:
        raise MachineError(
            "uv is missing", where=str(error), todo="install it beside nixgen: `pip install uv`"
        ) from error
    command = [executable, *([] if warnings is not None else ["--quiet"]), "--color", "never", *arguments]
    _log.debug("running %s", redacted(" ".join(command), secrets_of(environment)))
    done = run_program(command, cwd=cwd, env=environment)
    if done.returncode < 0:
        raise MachineError(
            f"uv was ended by {signal.Signals(-done.returncode).name}",
            where=executable,
            todo="try again; where the machine ended it, it had too little memory or room",
        )
    said = redacted(done.stderr.rstrip(), secrets_of(environment))
    if done.returncode != 0:
        if warnings is not None and (begins := _FAILURE.search(said)):
            said = said[begins.start() :]
        raise UvFailure(said.strip() or f"uv ended with status {done.returncode}")
    if warnings is not None:
        found = [" ".join(match["text"].split()) for match in _WARNING.finditer(said)]
        warnings += [text for text in dict.fromkeys(found) if not _OWN_AFFAIR.search(text)]
    return done.stdout


def explain(failure: UvFailure, where: str) -> NixgenError:
    """Return the error that a user gets of a failed run: whose fault it is, with what uv said.

    Args:
        failure: the run.
        where: the input, for the message.
    """
    text = str(failure)
    if (refused := of_a_program(text)) is not None:
        return refused
    if _DAMAGED.search(text) and not _LOST_ON_THE_WAY.search(text):
        return InputError(
            f"uv cannot read a wheel, which is faulty where it lies:{indented(text)}",
            where=where,
            todo="take another version, or pack the wheel anew (`wheel unpack`, `wheel pack`)",
        )
    if _NETWORK.search(text):
        server, todo = ("a Git server", "the URL") if _GIT.search(text) else ("an index", "the index options")
        return NetworkError(
            f"uv cannot reach {server}:{indented(text)}",
            where=where,
            todo=f"check the network, {todo} and the login, then try again",
        )
    todo = next((todo for pattern, todo in _TODO if pattern.search(text)), "change the requirements")
    return InputError(f"uv cannot resolve the requirements:{indented(text)}", where=where, todo=todo)


def indented(text: str) -> str:
    """Return a text with each line behind a line end and four blanks."""
    return "".join(f"\n    {line}" for line in text.splitlines())
