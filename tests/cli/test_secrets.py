"""Logins and tokens: they work, and no other process, message or log has them."""

from __future__ import annotations

import contextlib
import hashlib
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
    """Return the arguments of every process but one, and but its children that have yet to become what they will be."""
    found = {}
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            found[int(path.parent.name)] = path.read_bytes()
    own_arguments = found.pop(own, b"")  # between fork and exec a child shows its parent's
    return "\n".join(line.decode(errors="replace") for line in found.values() if line != own_arguments)


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


def _direct(server: WheelServer, wheel: tuple[str, bytes], login: str, query: str, form: str) -> dict[str, str]:
    """Return the files of a project that asks for a wheel by its URL, in one of the forms that are read."""
    url = server.url(wheel[0]).replace("http://", f"http://{login}@") + query
    sha256 = hashlib.sha256(wheel[1]).hexdigest()
    if form == "requirements.in":
        return {form: f"demo @ {url}\n"}
    if form == "pyproject.toml":
        return {form: f'[project]\nname = "x"\nversion = "1"\ndependencies = ["demo @ {url}"]\n'}
    return {
        form: 'lock-version = "1.0"\ncreated-by = "test"\n[[packages]]\nname = "demo"\nversion = "1.0"\n'
        f'[[packages.wheels]]\nname = "{wheel[0]}"\nurl = "{url}"\nhashes = {{ sha256 = "{sha256}" }}\n'
    }


def _everything(*directories: Path) -> str:
    """Return what all files below some directories say."""
    files = (path for directory in directories for path in directory.rglob("*") if path.is_file())
    return "\n".join(path.read_bytes().decode(errors="replace") for path in files)


@pytest.mark.nix
@pytest.mark.parametrize("form", ["requirements.in", "pyproject.toml", "pylock.toml"])
def test_a_login_in_the_url_of_a_wheel(empty_store: Cli, serve: Callable[..., WheelServer], form: str) -> None:
    """It gets in, is neither in the lock nor in the store, and a note says where a build takes it from."""
    wheel = make_wheel()
    server = serve(wheel, user="me:p@ss%w")
    project = empty_store.directory
    for name, text in _direct(server, wheel, "me:p%40ss%25w", "?token=t0psecret", form).items():
        (project / name).write_text(text)
    said = empty_store("lock", "--debug").stderr
    assert said.count("the login for 127.0.0.1") == 1 and "netrc" in said
    assert said.count(f"the query of the URL of {wheel[0]} says") == 1
    (project / form).unlink()
    netrc = project.parent / "netrc"
    if form == "requirements.in":
        refused = empty_store("build", "--debug", code=4).stderr
        assert "HTTP 401" in refused and "netrc" in refused
        netrc.write_text("machine 127.0.0.1 login me password p@ss%w\n")
        netrc.chmod(0o600)
        said += refused + empty_store("build", "--frozen", "--debug", environment={"NETRC": str(netrc)}).stderr
    store = Path(empty_store.environment["NIX_STORE_DIR"])
    for secret in ("t0psecret", "p%40ss", "p@ss"):
        assert secret not in said + _everything(project, store)


def test_a_token_that_the_server_insists_on(nixgen: Cli, project: Path, serve: Callable[..., WheelServer]) -> None:
    """What could not be built from the lock is not locked, and the way out is told."""
    wheel = make_wheel()
    server = serve(wheel, token="token=t0psecret")
    (project / "requirements.in").write_text(
        _direct(server, wheel, "a:b", "?token=t0psecret", "requirements.in")["requirements.in"]
    )
    said = nixgen("lock", "--debug", code=4).stderr
    assert "use a login (netrc) in place of a token, or download the wheel" in said
    assert "t0psecret" not in said and not (project / "nixgen.lock").exists()
    server.behaviour = Behaviour()
    nixgen("lock")
    assert "t0psecret" not in (project / "nixgen.lock").read_text()


@pytest.mark.parametrize("login", ["me:1/x2345", "me:a?x2345", "me:a#x2345", "me:a/x2345", "me:[x2345"])
def test_a_login_that_should_have_been_escaped(
    nixgen: Cli, project: Path, serve: Callable[..., WheelServer], login: str
) -> None:
    """It is refused or works, and is never shown or locked."""
    wheel = make_wheel()
    server = serve(wheel, user=login)
    for name, text in _direct(server, wheel, login, "", "pylock.toml").items():
        (project / name).write_text(text)
    done = nixgen("lock", "--debug", code=0 if "[" in login else 3)
    (project / "pylock.toml").unlink()
    assert "x2345" not in done.stderr + _everything(project)
