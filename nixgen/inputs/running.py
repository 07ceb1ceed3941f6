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
    r"error sending request|error decoding response body|Failed to fetch|Request failed|HTTP status|timed out"
    r"|Network connectivity is disabled|dns error|connection (?:closed|reset|refused|error|was)|401 Unauthorized"
    r"|403 Forbidden|Git operation failed"
)

#: An archive that arrived, or lies on disk, and cannot be used, by what uv calls it. What it could not download says
#: why (``_NETWORK``), and without that it is the archive: no ``.dist-info``, a RECORD of two columns.
_FAULTY = re.compile(
    r"Failed to (?:extract archive|read metadata|read `|download)|Invalid zip|not a valid (?:wheel|zip)"
    r"|invalid\s+package\s+format|invalid\s+metadata|metadata name `[^`]*` does not match",
    re.IGNORECASE,
)

#: The same of a source distribution.
_OF_A_SOURCE = re.compile(r"Failed to download and build|(?:\.tar\.gz|\.zip)`")

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
    (
        re.compile(r"was\s+not\s+found\s+in\s+the\s+provided\s+package\s+locations"),
        "correct the name, or add the place that has it (--find-links DIR, --index URL)",
    ),
    (
        re.compile(r"Received some unexpected (?:HTML|JSON)"),
        "use another index, or name the wheel by its URL or path: this one's pages are not as uv reads them",
    ),
    (re.compile(r"Distribution not found at"), "correct the path, or put the file there"),
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
    if _NETWORK.search(text):
        server, todo = ("a Git server", "the URL") if _GIT.search(text) else ("an index", "the index options")
        return NetworkError(
            f"uv cannot reach {server}:{indented(text)}",
            where=where,
            todo=f"check the network, {todo} and the login, then try again",
        )
    if _FAULTY.search(text):
        archive, anew = (
            ("a source distribution", "make it anew (`uv build --sdist`)")
            if _OF_A_SOURCE.search(text)
            else ("a wheel", "pack the wheel anew (`wheel unpack`, `wheel pack`)")
        )
        return InputError(
            f"uv cannot read {archive}, which is faulty where it lies:{indented(text)}",
            where=where,
            todo=f"take another version, or {anew}",
        )
    todo = next((todo for pattern, todo in _TODO if pattern.search(text)), "change the requirements")
    return InputError(f"uv cannot resolve the requirements:{indented(text)}", where=where, todo=todo)


def indented(text: str) -> str:
    """Return a text with each line behind a line end and four blanks."""
    return "".join(f"\n    {line}" for line in text.splitlines())
