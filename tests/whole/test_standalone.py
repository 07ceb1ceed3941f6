"""A lock that names its Python: with it and stock Nix everything is built, without nixpkgs or the machine's Python."""

from __future__ import annotations

import io
import json
import os
import subprocess
import tarfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from nixgen.environments.archive import c_library
from tests.support.cli import Cli, listing
from tests.support.nix import NixInstallation, cannot_sandbox
from tests.support.server import WheelServer
from tests.support.standalone import Archive, make_archive, write_list
from tests.support.wheels import make_wheel
from tests.whole.conftest import nix_of

pytestmark = pytest.mark.nix

Serve = Callable[..., WheelServer]

DEMO = make_wheel(
    "demo",
    "1.0",
    {"demo.py": "import json, sys\ndef main():\n    print(sys.base_prefix, json.__cached__, json.__file__)\n"},
    entry_points={"console_scripts": {"demo": "demo:main"}},
)

#: A sandbox that shows the C library, and nothing else of the machine: no Python, no shell.
SANDBOX = ["--option", "sandbox", "true", "--option", "sandbox-fallback", "false", "--option", "sandbox-paths"]


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Archive:
    """The Python that runs the tests, as an archive."""
    return make_archive(tmp_path_factory.mktemp("archive"))


@pytest.fixture(scope="module")
def nix(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[NixInstallation]:
    """A version of Nix, with a store of its own."""
    made = nix_of(request.param, tmp_path_factory.mktemp(f"standalone-{request.param}"))
    yield made
    made.make_removable()


@pytest.fixture
def project(tmp_path: Path, nix: NixInstallation, serve: Serve, archive: Archive) -> Cli:
    """A project, and a server that has its wheel and the archive."""
    server = serve(DEMO, (archive.path, archive.content))
    directory = tmp_path / "project"
    directory.mkdir()
    (directory / "requirements.in").write_text("demo\n")
    environment = {
        **nix.env,
        "UV_CACHE_DIR": str(tmp_path / "uv"),
        "UV_DEFAULT_INDEX": server.index,
        "UV_PYTHON_INSTALL_MIRROR": f"{server.base}/wheels",
        "PYTHONPATH": str(write_list(tmp_path / "list", archive)),
    }
    return Cli(directory=directory, environment=environment)


def _run(cli: Cli, *command: str | Path, code: int = 0) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, **cli.environment}
    done = subprocess.run(
        command, cwd=cli.directory, env=environment, capture_output=True, text=True, errors="replace", check=False
    )
    assert done.returncode == code or (code and done.returncode), done.stderr
    return done


def _lock(cli: Cli, *arguments: str) -> str:
    return cli("lock", "--standalone", "--python", ".".join(_python(cli).split(".")[:2]), *arguments).stderr


def _python(cli: Cli) -> str:
    """Return the version of the only Python of the list."""
    listed = json.loads(Path(cli.environment["PYTHONPATH"], "pbs_installer/versions.json").read_text())
    return "{major}.{minor}.{micro}".format(**listed[0]["python_version"])


@pytest.mark.parametrize("nix", ["sid", "distribution"], indirect=True)
@pytest.mark.skipif(cannot_sandbox(), reason="no user namespaces here: Nix cannot sandbox")
def test_a_lock_and_stock_nix_and_nothing_else(project: Cli, nix: NixInstallation, archive: Archive) -> None:
    """In a sandbox without any Python of the machine, Nix builds with the lock's own what nixgen builds with it."""
    _lock(project)
    hidden, shown = [*SANDBOX, ""], [*SANDBOX, " ".join(c_library())]
    # Without the C library it cannot start: nixgen says what to show, and so does a name in what Nix says.
    refused = project("build", *hidden, code=6).stderr
    assert f'--option extra-sandbox-paths "{" ".join(c_library())}"' in refused
    assert "-see-the-C-library-of-this-machine--" in _run(project, "nix-build", "nix", *hidden, code=1).stderr
    stock = _run(project, "nix-build", "nix", *shown).stdout.strip()
    assert project("build", *shown).stdout.strip() == stock
    prefix, cached, file = _run(project, Path(stock, "bin", "demo")).stdout.split()
    assert prefix.startswith(str(nix.path)) and prefix.endswith(f"-python-{archive.version}")
    assert file.startswith(prefix) and cached.startswith(prefix) and Path(cached).is_file()
    assert prefix in _run(project, "nix-store", "--query", "--requisites", stock).stdout.split()
    # From the mirror or from its own host, it is the same.
    lock = project.directory / "nixgen.lock"
    lock.write_text(lock.read_text().replace(project.environment["UV_PYTHON_INSTALL_MIRROR"], "https://host.invalid"))
    del project.environment["UV_PYTHON_INSTALL_MIRROR"]
    assert _run(project, "nix-build", "nix", "--no-out-link", *shown).stdout.strip() == stock


@pytest.mark.parametrize("nix", ["distribution"], indirect=True)
def test_the_verbs(project: Cli, archive: Archive) -> None:
    """Every way to an environment takes the lock's Python: run, venv, show, and a flake without inputs."""
    said = _lock(project)
    assert f"Python {archive.version} on" in said and "has no Python" not in said
    built = project("build").stdout.strip()
    prefix = project("run", "--", "demo").stdout.split()[0]
    project("venv")
    assert f"home = {prefix}/bin" in (project.directory / ".venv/pyvenv.cfg").read_text()
    assert archive.path in project("show").stdout.splitlines()[0]
    assert archive.path in json.loads(project("show", "--json").stdout)["interpreter"]
    assert "C library, which the lock's standalone Python needs" in project("image", code=6).stderr
    project("verify")
    project("init")
    assert "nixpkgs" not in (project.directory / "flake.nix").read_text().partition("outputs")[2]
    _run(project, "git", "init", "-q")
    _run(project, "git", "add", "flake.nix", "nixgen.lock", "nix")
    flags = ["--extra-experimental-features", "nix-command flakes", "--no-write-lock-file"]
    out = _run(project, "nix", "eval", "--raw", *flags, ".#default.outPath").stdout
    assert out == built


@pytest.mark.parametrize("nix", ["distribution"], indirect=True)
def test_locking_again(project: Cli, archive: Archive) -> None:
    """Nothing changes until an upgrade takes the newest build; pyproject.toml says where the Python is from."""
    _lock(project)
    before = listing(project.directory)
    newer = replace(archive, release="20260202", content=b"newer")
    write_list(Path(project.environment["PYTHONPATH"]), newer)
    assert "nothing changed" in project("lock").stderr and listing(project.directory) == before
    project("lock", "--upgrade")
    (target,) = json.loads((project.directory / "nixgen.lock").read_text())["targets"]
    assert newer.path in target["interpreter"]["url"] and target["interpreter"]["sha256"] == newer.sha256
    (project.directory / "pyproject.toml").write_text('[tool.nixgen]\npython = "machine"\n')
    project("lock")
    assert "interpreter" not in (project.directory / "nixgen.lock").read_text()
    (project.directory / "pyproject.toml").write_text('[tool.nixgen]\npython = "standalone"\n')
    project("lock")
    assert newer.path in (project.directory / "nixgen.lock").read_text()


@pytest.mark.parametrize("nix", ["distribution"], indirect=True)
def test_what_a_server_may_do(project: Cli, archive: Archive, serve: Serve) -> None:
    """A missing archive, another one and half of one: each is said with what to do, and the previous result stays."""
    _lock(project)
    lock = project.directory / "nixgen.lock"
    # Of this test alone, so that the store has it not yet.
    lock.write_text(lock.read_text().replace(archive.sha256, "0" * 64))
    (project.directory / "result").symlink_to("elsewhere")
    half = archive.content[: len(archive.content) // 2]
    for served, code, words in (
        ({}, 4, "cannot download the archive of the Python: HTTP error 404"),
        ({archive.path: b"another"}, 5, "not the one that was locked, or not all of it"),
        ({archive.path: half}, 5, "not the one that was locked, or not all of it"),
    ):
        mirror = {"UV_PYTHON_INSTALL_MIRROR": f"{serve(*served.items()).base}/wheels"}
        said = project("build", code=code, environment=mirror).stderr
        assert words in said and archive.path in said and "UV_PYTHON_INSTALL_MIRROR" in said
    assert (project.directory / "result").readlink() == Path("elsewhere")


BACKEND = """\
import sys, zipfile
def build_wheel(directory, config_settings=None, metadata_directory=None):
    name = "plain-1.0-py3-none-any.whl"
    with zipfile.ZipFile(directory + "/" + name, "w") as wheel:
        wheel.writestr("plain.py", f"built_by = {sys.base_prefix!r}\\n")
        wheel.writestr("plain-1.0.dist-info/METADATA", "Metadata-Version: 2.2\\nName: plain\\nVersion: 1.0\\n")
        wheel.writestr("plain-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\\nTag: py3-none-any\\nRoot-Is-Purelib: true\\n")
        wheel.writestr("plain-1.0.dist-info/RECORD", "plain.py,,\\nplain-1.0.dist-info/METADATA,,\\n"
            "plain-1.0.dist-info/WHEEL,,\\nplain-1.0.dist-info/RECORD,,\\n")
    return name
"""


@pytest.mark.parametrize("nix", ["distribution"], indirect=True)
@pytest.mark.skipif(cannot_sandbox(), reason="no user namespaces here: Nix cannot sandbox")
def test_a_source_is_built_with_it(project: Cli, archive: Archive, serve: Serve) -> None:
    """What has no wheel is built by the lock's Python when locking; a sandbox that hides the C library is explained."""
    files = {
        "pyproject.toml": '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n',
        "PKG-INFO": "Metadata-Version: 2.2\nName: plain\nVersion: 1.0\n",
        "backend.py": BACKEND,
    }
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as source:
        for name, text in files.items():
            member = tarfile.TarInfo(f"plain-1.0/{name}")
            member.size = len(text)
            source.addfile(member, io.BytesIO(text.encode()))
    server = serve(("plain-1.0.tar.gz", buffer.getvalue()), (archive.path, archive.content))
    project.environment["UV_DEFAULT_INDEX"] = server.index
    (project.directory / "requirements.in").write_text("plain\n")
    sandboxed = f"{os.environ.get('NIX_CONFIG', '')}\nsandbox = true\nsandbox-fallback = false\nsandbox-paths ="
    hidden = project("lock", "--standalone", code=6, environment={"NIX_CONFIG": sandboxed}).stderr
    assert "extra-sandbox-paths" in hidden
    shown = f"{sandboxed} {' '.join(c_library())}"
    project("lock", "--standalone", environment={"NIX_CONFIG": shown})
    code = "import plain, sys; print(plain.built_by == sys.base_prefix, plain.built_by)"
    same, prefix = project("run", "--", "python", "-c", code).stdout.split()
    assert same == "True" and prefix.endswith(f"-python-{archive.version}")
