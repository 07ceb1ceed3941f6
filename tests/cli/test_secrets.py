"""Logins and tokens: they work, and no other process, message or log has them."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.support.cli import Cli
from tests.support.server import Behaviour, WheelServer
from tests.support.wheels import make_wheel

PASSWORDS = ["top-secret", "p%ss:w@rd", "größe'\"x", "a b+c,d", "back\\slash[x"]


def _arguments_of_others(own: int) -> str:
    """Return the arguments of every process but one."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if int(path.parent.name) != own:
                found.append(path.read_bytes().decode(errors="replace"))
        except OSError:
            continue
    return "\n".join(found)


@pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="needs /proc")
@pytest.mark.parametrize("password", PASSWORDS)
def test_a_password_works_and_is_nobody_elses(
    nixgen: Cli, project: Path, serve: Callable[..., WheelServer], password: str
) -> None:
    """The login gets in; it is in no other process's arguments, in no message, with --debug neither, nor in a file."""
    server = serve(make_wheel(), user=f"me:{password}", delay=0.4)
    url = server.index.replace("http://", f"http://me:{quote(password, safe='')}@")
    (project / "requirements.in").write_text("demo\n")
    process = nixgen.start("lock", "--debug", "--default-index", url)
    seen = []
    while process.poll() is None:
        seen.append(_arguments_of_others(process.pid))
        time.sleep(0.03)
    said = "".join(process.communicate())
    assert process.returncode == 0, said
    assert any("compile" in text for text in seen), "uv was never seen"
    written = "".join(path.read_text() for path in project.rglob("*") if path.is_file())
    for form in {password, quote(password), quote(password, safe="")}:
        for place in (said, written, *seen):
            assert form not in place


@pytest.mark.parametrize("password", PASSWORDS)
def test_a_refused_login_is_not_told(
    nixgen: Cli, project: Path, serve: Callable[..., WheelServer], password: str
) -> None:
    """Where it is wrong, neither uv's message nor a traceback has it, nor a query that may be a token."""
    server = serve(make_wheel(), user="me:another")
    url = server.index.replace("http://", f"http://me:{quote(password, safe='')}@") + "?token=tokensecret"
    (project / "requirements.in").write_text("demo\n")
    for variables in ({}, {"UV_DEFAULT_INDEX": url}):
        options = [] if variables else ["--default-index", url]
        server.behaviour = Behaviour(user="me:another")
        done = nixgen("lock", "--debug", *options, code=4, environment=variables)
        for form in {password, quote(password), quote(password, safe=""), "tokensecret"}:
            assert form not in done.stderr + done.stdout
