"""Running npm, and what its failures mean to a user."""

from __future__ import annotations

import logging
import os
import re
import shutil
import signal
from collections.abc import Sequence
from pathlib import Path

from nixgen.credentials import redacted, secrets_of
from nixgen.errors import InputError, MachineError, NetworkError, NixgenError
from nixgen.processes import run

_log = logging.getLogger(__name__)

#: What says nothing of what is wrong: where npm keeps its log, and what precedes each line.
_LOG = re.compile(r"^.*(?:A complete log of this run|_logs/).*$", re.MULTILINE)
_MARK = re.compile(r"^npm (?:error|ERR!) ?", re.MULTILINE)

#: Codes of npm's and Node.js' that are about a server.
_NETWORK = re.compile(
    r"\b(?:ENOTFOUND|ECONNREFUSED|ECONNRESET|ETIMEDOUT|EAI_AGAIN|E401|E403|E5\d\d|ENEEDAUTH|ERR_SOCKET_TIMEOUT"
    r"|SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_\w+)\b"
)

#: Variables that make npm say no more than is asked for, and run no script.
_QUIET = {
    "npm_config_audit": "false",
    "npm_config_fund": "false",
    "npm_config_ignore_scripts": "true",
    "npm_config_loglevel": "error",
    "npm_config_progress": "false",
    "npm_config_update_notifier": "false",
    "NO_COLOR": "1",
}


def run_npm(arguments: Sequence[str], *, cwd: Path, finds: int = 0) -> str:
    """Run npm, quietly and without scripts, and return what it prints.

    The environment is inherited, and npm reads its own .npmrc files.

    Args:
        arguments: its arguments, which everybody on the machine can read.
        cwd: directory to run in.
        finds: an exit code by which it says that it has found something, beside 0.

    Raises:
        MachineError: there is no npm, or it was ended.
        NetworkError: a registry does not answer.
        InputError: it refuses what it is asked for.
    """
    executable = shutil.which("npm")
    if executable is None:
        raise MachineError("npm is missing", where="PATH", todo="install Node.js, which brings it")
    environment = {**os.environ, **_QUIET}
    _log.debug("running %s", redacted(" ".join([executable, *arguments]), secrets_of(environment)))
    done = run([executable, *arguments], cwd=cwd, env=environment)
    if done.returncode < 0:
        name = signal.Signals(-done.returncode).name
        raise MachineError(f"npm was ended by {name}", where=executable, todo="try again")
    if done.returncode not in (0, finds) or (done.returncode and not done.stdout.strip()):
        raise explain(arguments[0], done.stderr.strip() or f"status {done.returncode}", cwd)
    return done.stdout


def explain(verb: str, said: str, cwd: Path) -> NixgenError:
    """Return the error that a user gets of a failed run: whose fault it is, with what npm said.

    Args:
        verb: npm's.
        said: what it said.
        cwd: where it ran, for the message.
    """
    text = redacted(_MARK.sub("", _LOG.sub("", said)).strip(), secrets_of(os.environ))
    what = f"npm {verb} fails:" + "".join(f"\n    {line}" for line in text.splitlines() if line.strip())
    if _NETWORK.search(text):
        return NetworkError(what, where=str(cwd), todo="check the network, the registry and the login in .npmrc")
    return InputError(what, where=str(cwd), todo="correct what npm says, then try again")
