"""Private indexes: what lets uv through lets nixgen's own downloads through, and no login stays anywhere."""

from __future__ import annotations

import contextlib
import os
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from uv import find_uv_bin

from tests.support.cli import Cli
from tests.support.nix import NixInstallation
from tests.support.private_index import (
    PASSWORD,
    PROXY_PASSWORD,
    PROXY_USER,
    USER,
    PrivateIndex,
    private_index,
    proxy,
)
from tests.support.server import WheelServer
from tests.support.tools import tool
from tests.support.wheels import make_wheel

pytestmark = pytest.mark.registry

#: How each password may be written.
SECRETS = (PASSWORD, PASSWORD.replace("+", "%2B"), PROXY_PASSWORD)
LOGIN = f"{USER}:{PASSWORD.replace('+', '%2B')}"


@pytest.fixture(scope="module")
def python() -> Path:
    """The Python that has the index server, the proxy and the keyring."""
    return tool("pypiserver").with_name("python")


@pytest.fixture(scope="module")
def index(python: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrivateIndex]:
    """An index with a login, plain and with TLS."""
    scratch = tmp_path_factory.mktemp("index")
    wheels = scratch / "wheels"
    wheels.mkdir()
    for name, requires in (("corp-lib", ["corp-base"]), ("corp-base", [])):
        filename, content = make_wheel(
            name,
            "1.0",
            {f"{name.replace('-', '_')}.py": "x = 1\n"},
            metadata=[f"Requires-Dist: {one}" for one in requires],
        )
        (wheels / filename).write_bytes(content)
    with private_index(python, wheels, scratch) as served:
        yield served


@pytest.fixture
def cli(nixgen: Cli, tmp_path: Path) -> Iterator[Cli]:
    """The command line with a home of its own, watched: no argument of a process and no file may hold a password."""
    home = tmp_path / "home"
    home.mkdir()
    seen: set[str] = set()
    looks: Counter[str] = Counter(path.name for path in Path("/proc").iterdir() for _ in range(10))
    stop = threading.Event()

    def watch() -> None:
        while not stop.is_set():
            for process in (path.name for path in Path("/proc").glob("[0-9]*")):
                if looks[process] < 10:  # a new one, which may not be yet what it will be
                    looks[process] += 1
                    with contextlib.suppress(OSError):
                        seen.add(Path("/proc", process, "cmdline").read_bytes().decode("utf-8", "replace"))
            time.sleep(0.02)

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    said: list[str] = []

    class Watched(Cli):
        def __call__(self, *arguments: str | Path, **more: object) -> subprocess.CompletedProcess[str]:
            done = super().__call__(*arguments, **more)  # type: ignore[arg-type]
            said.append(done.stdout + done.stderr)
            return done

    environment = {**nixgen.environment, "HOME": str(home), "XDG_CONFIG_HOME": str(home / ".config")}
    yield Watched(directory=nixgen.directory, environment=environment)
    stop.set()
    thread.join()
    # The proxy of these tests is told its password so; its path has our name where the checkout has.
    ours = {line for line in seen if "nixgen" in line or "/uv\0" in line or "keyring\0get" in line}
    ours = {line for line in ours if "\0-m\0proxy\0" not in line}
    files = [
        path
        for directory in (nixgen.directory, tmp_path / "cache", tmp_path / "tmp")
        for path in directory.rglob("*")
        if path.is_file() and not path.is_symlink() and path.name != "pyproject.toml"
    ]
    kept = {str(path): path.read_bytes() for path in files}
    for secret in SECRETS:
        assert not [line for line in ours if secret in line]
        assert not [text for text in said if secret in text]
        assert not [path for path, content in kept.items() if secret.encode() in content]
    assert ours


def want(project: Path, text: str = "corp-lib\n") -> None:
    """Ask for the private package."""
    (project / "requirements.in").write_text(text)


def locked(cli: Cli) -> str:
    """Return the lock, which has both packages."""
    text = (cli.directory / "nixgen.lock").read_text()
    assert "corp_lib-1.0" in text and "corp_base-1.0" in text
    return text


@pytest.mark.parametrize("way", ["url", "variables", "netrc", "stored", "settings"])
def test_a_login(way: str, index: PrivateIndex, cli: Cli, tmp_path: Path) -> None:
    """A login of a URL, of variables, of netrc, of uv's own file and of its settings reaches index and files."""
    want(cli.directory)
    home, arguments, environment = tmp_path / "home", ["--default-index", index.url()], {}
    if way == "url":
        environment, arguments = {"UV_DEFAULT_INDEX": index.url(LOGIN)}, []
    elif way == "variables":
        arguments = ["--default-index", f"my-corp={index.url()}"]
        environment = {"UV_INDEX_MY_CORP_USERNAME": USER, "UV_INDEX_MY_CORP_PASSWORD": PASSWORD}
    elif way == "netrc":
        (home / ".netrc").write_text(f"machine localhost login {USER} password {PASSWORD}\n")
        (home / ".netrc").chmod(0o600)
    elif way == "stored":
        subprocess.run(
            [find_uv_bin(), "auth", "login", index.url(), "--username", USER, "--password", "-"],
            input=PASSWORD,
            text=True,
            check=True,
            capture_output=True,
            env={**os.environ, **cli.environment},
        )
    else:
        (home / ".config/uv").mkdir(parents=True)
        (home / ".config/uv/uv.toml").write_text(f'[[index]]\nurl = "{index.url(LOGIN)}"\ndefault = true\n')
        arguments = []
    cli("lock", *arguments, environment=environment)
    assert index.url() not in locked(cli)  # but of the files
    assert f"http://localhost:{index.plain}/packages/" in locked(cli)


def test_without_a_login(index: PrivateIndex, cli: Cli) -> None:
    """Without a login, or with a wrong one, the error says what is missing, and nothing is written."""
    want(cli.directory)
    for url in (index.url(), index.url("me:wrong-word")):
        done = cli("lock", code=4, environment={"UV_DEFAULT_INDEX": url})
        assert "login" in done.stderr and "wrong-word" not in done.stderr
    assert not (cli.directory / "nixgen.lock").exists()


def test_a_keyring(index: PrivateIndex, cli: Cli, python: Path, tmp_path: Path) -> None:
    """A keyring gives the password to uv and to nixgen, by option and by variable."""
    keyring = {
        "PATH": f"{python.parent}:{os.environ['PATH']}",
        "PYTHON_KEYRING_BACKEND": "keyrings.alt.file.PlaintextKeyring",
        "XDG_DATA_HOME": str(tmp_path / "data"),
    }
    subprocess.run(
        [python.with_name("keyring"), "set", index.url(), USER],
        input=PASSWORD,
        text=True,
        check=True,
        env={**os.environ, **cli.environment, **keyring},
    )
    want(cli.directory)
    url = f"corp={index.url(USER)}"
    cli("lock", "--default-index", url, "--keyring-provider", "subprocess", environment=keyring)
    first = locked(cli)
    (cli.directory / "nixgen.lock").unlink()
    cli("lock", "--default-index", url, environment={**keyring, "UV_KEYRING_PROVIDER": "subprocess"})
    assert locked(cli) == first


def test_certificates_of_both_sides(index: PrivateIndex, cli: Cli, tmp_path: Path) -> None:
    """A private authority by file and by directory, with a client's certificate; a host that is not checked."""
    want(cli.directory)
    certificates = index.certificates
    login = {"UV_DEFAULT_INDEX": index.url(LOGIN, tls=True)}
    client = {"SSL_CLIENT_CERT": str(certificates / "client.pem")}
    authority = {"SSL_CERT_FILE": str(certificates / "ca.pem")}
    for environment in ({**client, "SSL_CERT_FILE": str(certificates / "other.pem")}, authority):
        cli("lock", code=4, environment={**login, **environment})
    directory = tmp_path / "authorities"
    directory.mkdir()
    (directory / "corp.pem").write_bytes((certificates / "ca.pem").read_bytes())
    ways = [
        authority,
        {"SSL_CERT_DIR": f"{certificates / 'none'}:{directory}"},
        {"UV_INSECURE_HOST": f"localhost:{index.tls}"},
    ]
    first = None
    for environment in ways:
        cli("lock", "--verify", environment={**login, **client, **environment})
        first = first or locked(cli)
        assert locked(cli) == first
        (cli.directory / "nixgen.lock").unlink()


def test_a_proxy(index: PrivateIndex, cli: Cli, python: Path, tmp_path: Path) -> None:
    """Requests go through the proxy of the environment, with its login; not those to hosts that need none."""
    want(cli.directory)
    with proxy(python, tmp_path) as (place, log):
        address = f"http://{PROXY_USER}:{PROXY_PASSWORD}@{place}"
        login = {"UV_DEFAULT_INDEX": index.url(LOGIN), "NO_PROXY": "", "no_proxy": ""}
        cli("lock", environment={**login, "HTTP_PROXY": address})
        first = locked(cli)
        lines = log.read_text()
        assert "/simple/corp-lib" in lines and "/packages/corp_lib" in lines
        tls = {
            "UV_DEFAULT_INDEX": index.url(LOGIN, tls=True),
            "SSL_CERT_FILE": str(index.certificates / "ca.pem"),
            "SSL_CLIENT_CERT": str(index.certificates / "client.pem"),
        }
        cli("lock", environment={**login, **tls, "ALL_PROXY": address})
        assert f"localhost:{index.tls}" in log.read_text()
        (cli.directory / "nixgen.lock").unlink()
        before = log.read_text()
        cli("lock", environment={**login, "HTTP_PROXY": address, "NO_PROXY": "localhost"})
        assert locked(cli) == first and log.read_text() == before
        (cli.directory / "nixgen.lock").unlink()
        done = cli("lock", code=4, environment={**login, "HTTP_PROXY": f"http://{PROXY_USER}:nobody-word@{place}"})
        assert "nobody-word" not in done.stderr


def test_an_explicit_index(index: PrivateIndex, cli: Cli, serve: Callable[..., WheelServer], tmp_path: Path) -> None:
    """A package pinned to an explicit index comes from there, all others do not; a build needs the login again."""
    public = serve(
        make_wheel("corp-lib", "2.0", {"corp_lib.py": "x = 2\n"}), make_wheel("corp-base", "1.0", {"corp_base.py": ""})
    )
    (cli.directory / "pyproject.toml").write_text(
        f"""
[project]
name = "app"
version = "1"
requires-python = ">=3.11"
dependencies = ["corp-lib"]
[tool.uv.sources]
corp-lib = {{ index = "corp" }}
[[tool.uv.index]]
name = "corp"
url = "{index.url()}"
explicit = true
[[tool.uv.index]]
name = "public"
url = "{public.index}"
default = true
"""
    )
    login = {"UV_INDEX_CORP_USERNAME": USER, "UV_INDEX_CORP_PASSWORD": PASSWORD}
    cli("lock", environment=login)
    text = locked(cli)
    assert f"http://localhost:{index.plain}/packages/corp_lib" in text and f"{public.base}/wheels/corp_base" in text
    installation = NixInstallation.of_machine(tmp_path / "nix")
    try:
        cache = {"XDG_CACHE_HOME": str(tmp_path / "cache" / "other"), **installation.env}
        assert "HTTP 401" in cli("fetch", code=4, environment=cache).stderr
        cli("fetch", environment={**login, **cache})
    finally:
        installation.make_removable()
