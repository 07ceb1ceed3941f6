"""``nixgen build``, ``fetch`` and ``run``, with a real Nix and wheels from loopback."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from nixgen.targets import default_version
from tests.support.cli import Cli, listing
from tests.support.elf import make_elf
from tests.support.locks import locked_wheels
from tests.support.nix import NixInstallation, cannot_sandbox
from tests.support.server import Behaviour, WheelServer
from tests.support.wheels import make_wheel

pytestmark = pytest.mark.nix

Serve = Callable[..., WheelServer]


@pytest.fixture
def in_store(nixgen: Cli, nix_store: NixInstallation) -> Cli:
    """The command line with a store of the tests' own."""
    kept = {name: value for name, value in nix_store.env.items() if os.environ.get(name) != value}
    return replace(nixgen, environment={**nixgen.environment, **kept})


@pytest.fixture
def demo(request: pytest.FixtureRequest) -> tuple[str, bytes]:
    """A wheel with a command, whose files no other test has."""
    source = f"def main():\n    print({request.node.name!r})\n"
    return make_wheel(
        "demo",
        "1.0",
        {"demo/__init__.py": source, "demo/data.txt": f"data of {request.node.name}\n", "demo/empty.txt": ""},
        entry_points={"console_scripts": {"demo": "demo:main"}},
    )


def lock(nixgen: Cli, server: WheelServer, *names: str) -> str:
    """Lock some packages of a server, and return what is said."""
    (nixgen.directory / "requirements.in").write_text("\n".join(names) + "\n")
    return nixgen("lock", "--default-index", server.index).stderr


def nix_build(cli: Cli, *arguments: str) -> str:
    return subprocess.run(
        ["nix-build", "nix", "--no-out-link", *arguments],
        cwd=cli.directory,
        env={**os.environ, **cli.environment},
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()


def test_builds_what_nix_build_builds(in_store: Cli, serve: Serve, demo: tuple[str, bytes]) -> None:
    """The result is a link to the environment that stock nix-build gives too, and its command runs."""
    lock(in_store, serve(demo), "demo")
    done = in_store("build")
    assert "added" in done.stderr
    result = in_store.directory / "result"
    assert str(result.readlink()) == done.stdout.strip() == nix_build(in_store)
    said = subprocess.run([result / "bin" / "demo"], capture_output=True, text=True, check=True).stdout
    assert said == "test_builds_what_nix_build_builds\n"


def test_a_second_build_fetches_nothing(in_store: Cli, serve: Serve, demo: tuple[str, bytes]) -> None:
    """What the store has is not fetched again, even where the server is gone."""
    server = serve(demo)
    lock(in_store, server, "demo")
    first = in_store("build")
    seen = len(server.wheel_requests)
    second = in_store("build")
    assert (second.stdout, second.stderr) == (first.stdout, "")
    assert len(server.wheel_requests) == seen


def test_only_missing_files_are_added(in_store: Cli, serve: Serve, demo: tuple[str, bytes]) -> None:
    """A second wheel that shares a file with one in the store adds the rest only."""
    shared = f"shared by {demo[0]} {time.time()}\n"
    one = make_wheel("shares-one", "1.0", {"one.txt": shared})
    two = make_wheel("shares-two", "1.0", {"two.txt": shared, "more.txt": f"more {shared}"})
    server = serve(one, two)
    lock(in_store, server, "shares-one")
    in_store("build")
    lock(in_store, server, "shares-two")
    # more.txt, METADATA and RECORD; WHEEL is the same in every wheel made here
    assert "added 3 files of 5 to the store, from 1 wheel" in in_store("build").stderr


def test_the_machines_patch_level_is_locked_for(in_store: Cli, serve: Serve) -> None:
    """What asks for the patch level of the machine's Python is taken; what asks for a newer one is not built."""
    version = default_version()
    more = [f"Requires-Python: >={version}"]
    name = f"patched-{time.time_ns()}"
    server = serve(make_wheel(name, "1.0", {}), make_wheel(name, "2.0", {}, metadata=more))
    assert f"Python {version} on" in lock(in_store, server, name)
    assert "-2.0-py3-none-any.whl" in (in_store.directory / "nixgen.lock").read_text()
    in_store("build")
    minor, _, patch = version.rpartition(".")
    later = f"{minor}.{int(patch) + 1}"
    server.wheels |= dict([make_wheel(name, "3.0", {}, metadata=[f"Requires-Python: >={later}"])])
    in_store("lock", "--default-index", server.index, "--upgrade", "--python", later)
    said = in_store("build", code=6).stderr
    assert f"{name} 3.0 needs Python >={later}" in said and f"--python {version}" in said


def test_wheels_that_overlap(in_store: Cli, serve: Serve) -> None:
    """Of two wheels, the one that asks for the other wins as a whole, else the later name; alone, each has its own."""

    def wheel(name: str, *requires: str) -> tuple[str, bytes]:
        files = {f"shared_{number}.py": f"def main():\n    print({name!r})\n" for number in range(2)}
        return make_wheel(
            name,
            "1.0",
            {**files, f"own_{name}.py": ""},
            entry_points={"console_scripts": {"tool": "shared_0:main" if name != "b" else "shared_1:main"}},
            metadata=[f"Requires-Dist: {one}" for one in requires],
        )

    server = serve(wheel("a", "b; extra == 'more'"), wheel("b"), wheel("c"))
    said = lock(in_store, server, "a", "b")
    assert "a wins over b, since it asks for b, where both bring other files: bin/tool and 2 more" in said
    for run in (in_store("build").stdout.strip(), nix_build(in_store)):
        program = subprocess.run([f"{run}/bin/tool"], capture_output=True, text=True, check=True)
        assert program.stdout == "a\n"
        code = "import own_a, own_b, shared_0, shared_1; shared_0.main(); shared_1.main()"
        assert subprocess.run([f"{run}/bin/python", "-c", code], capture_output=True, text=True).stdout == "a\na\n"
    assert "c wins over b, since it has the later name than b" in lock(in_store, server, "b", "c")
    assert in_store("run", "tool").stdout == "c\n"
    project = '[project]\nname = "p"\nversion = "1"\ndependencies = ["b"]\n[dependency-groups]\nmore = ["c"]\n'
    (in_store.directory / "pyproject.toml").write_text(project)
    in_store("lock", "pyproject.toml", "--default-index", server.index)
    assert in_store("run", "tool").stdout == "b\n"
    assert in_store("run", "--group", "more", "tool").stdout == "c\n"
    (in_store.directory / "pyproject.toml").write_text(project + '[tool.nixgen.prefer]\n"*" = "b"\n')
    assert "wins over" not in in_store("lock", "pyproject.toml", "--default-index", server.index).stderr
    assert in_store("run", "--group", "more", "tool").stdout == "b\n"
    (in_store.directory / "pyproject.toml").write_text(project + '[tool.nixgen]\noverlaps = "refuse"\n')
    assert "different files" in in_store("lock", "pyproject.toml", "--default-index", server.index, code=3).stderr
    server.wheels |= dict([make_wheel("d", "1.0", {"own_b.py/file.py": ""})])
    lock_text = (in_store.directory / "nixgen.lock").read_text()
    (in_store.directory / "pyproject.toml").write_text(project.replace('"c"', '"d"'))
    assert "own_b.py" in in_store("lock", "pyproject.toml", "--default-index", server.index, code=3).stderr
    assert (in_store.directory / "nixgen.lock").read_text() == lock_text


def test_a_changed_wheel_is_refused(in_store: Cli, serve: Serve, demo: tuple[str, bytes]) -> None:
    """A wheel that is no longer what the lock says stops the build, and the previous result stays."""
    server = serve(demo, make_wheel("other", "1.0", {"other.py": ""}))
    lock(in_store, server, "other")
    in_store("build")
    before = listing(in_store.directory)
    (in_store.directory / "requirements.in").write_text("demo\n")
    in_store("lock", "--default-index", server.index)
    server.wheels = {demo[0]: make_wheel("demo", "1.0", {"demo/__init__.py": "changed = True\n"})[1]}
    said = in_store("build", code=5).stderr
    assert demo[0] in said and "what to do:" in said
    assert listing(in_store.directory)["result"] == before["result"]
    assert not list(Path(in_store.environment["TMPDIR"]).glob("nixgen-*"))


def test_an_interrupted_build_leaves_the_previous_result(in_store: Cli, serve: Serve, demo: tuple[str, bytes]) -> None:
    """An interrupt during the download leaves the result of before and nothing temporary."""
    server = serve(demo, make_wheel("other", "1.0", {"other.py": ""}))
    lock(in_store, server, "other")
    in_store("build")
    lock(in_store, server, "demo")
    before, seen = listing(in_store.directory), len(server.requests)
    server.behaviour = Behaviour(delay=30)
    process = in_store.start("build")
    deadline = time.monotonic() + 20
    while len(server.requests) == seen:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=20)
    assert process.returncode == 130
    assert listing(in_store.directory) == before
    assert not list(Path(in_store.environment["TMPDIR"]).glob("nixgen-*"))


#: An interpreter that answers, and never builds.
SLOW = """#!/bin/sh
case $* in *-c*) exec {python} "$@" ;; esac
echo $$ >{running}
exec {python} -c 'import time; time.sleep(300)'
"""


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGKILL])
def test_a_signal_to_nixgen_alone(
    in_store: Cli, serve: Serve, demo: tuple[str, bytes], tmp_path: Path, number: signal.Signals
) -> None:
    """It ends Nix and its builders, and the exit status says so; what SIGKILL leaves is removed by the next run."""
    server = serve(demo, make_wheel("other", "1.0", {"other.py": ""}))
    lock(in_store, server, "other")
    in_store("build")
    lock(in_store, server, "demo")
    before, running = listing(in_store.directory), tmp_path / "running"
    slow = tmp_path / "python"
    slow.write_text(SLOW.format(python=sys.executable, running=running))
    slow.chmod(0o755)
    process = in_store.start("build", "--python", slow)
    deadline = time.monotonic() + 30
    while not (running.exists() and (builder := running.read_text().strip())):
        assert time.monotonic() < deadline and process.poll() is None, process.communicate()
        time.sleep(0.05)
    time.sleep(0.3)  # what goes wrong at once is no build that goes on
    assert process.poll() is None
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    process.send_signal(number)
    if number == signal.SIGKILL:
        for child in children:
            os.kill(int(child), number)
    process.communicate(timeout=30)
    assert process.returncode == (-number if number == signal.SIGKILL else 128 + number)
    left = list(Path(in_store.environment["TMPDIR"]).iterdir())
    if number == signal.SIGKILL:
        assert left
        in_store("build", "--python", sys.executable)
        left = list(Path(in_store.environment["TMPDIR"]).iterdir())
    else:
        assert listing(in_store.directory) == before
    assert not any(name.name.startswith(("nixgen", "nix-")) for name in left)
    while (
        alive := {pid for pid in (builder, *children) if Path(f"/proc/{pid}").exists()}
    ) and number == signal.SIGKILL:
        assert time.monotonic() < deadline, alive
        time.sleep(0.05)
    assert not alive


def test_run_builds_and_runs(in_store: Cli, serve: Serve, demo: tuple[str, bytes]) -> None:
    """``run`` builds what is not there, runs the environment's own programs, and hands on exit codes."""
    lock(in_store, serve(demo), "demo")
    code = "import sys, os, demo; print(sys.prefix == os.environ['VIRTUAL_ENV']); sys.exit(7)"
    assert in_store("run", "--", "python", "-c", code, code=7).stdout == "True\n"
    assert in_store("run", "demo").stdout == "test_run_builds_and_runs\n"
    assert "no command named nonsense" in in_store("run", "--", "nonsense", code=2).stderr


def test_fetch_makes_the_store_mode_complete(in_store: Cli, serve: Serve, demo: tuple[str, bytes]) -> None:
    """After ``fetch``, ``nix-build --argstr ingest store`` needs no server; before, its error says to run it."""
    server = serve(demo)
    lock(in_store, server, "demo")
    with pytest.raises(subprocess.CalledProcessError) as failed:
        nix_build(in_store, "--argstr", "ingest", "store")
    assert "run-nixgen-fetch" in failed.value.stderr
    in_store("fetch")
    server.behaviour = Behaviour(failures=1000)
    assert nix_build(in_store, "--argstr", "ingest", "store").endswith("-env")


PYPROJECT = """\
[project]
name = "app"
version = "1"
requires-python = ">=3.11"
dependencies = ["base"]
[project.optional-dependencies]
one = ["one"]
two = ["two"]
[dependency-groups]
dev = ["three"]
"""


def test_any_combination_of_extras_and_groups(in_store: Cli, serve: Serve) -> None:
    """One lock holds every extra and group; each combination builds, and nix-build gives the same."""
    wheels = [make_wheel(name, "1.0", {f"{name}_.py": ""}) for name in ("base", "one", "two", "three")]
    (in_store.directory / "pyproject.toml").write_text(PYPROJECT)
    in_store("lock", "--default-index", serve(*wheels).index)
    code = "import importlib.metadata as m; print(*sorted(d.name for d in m.distributions()))"
    for options, arguments, expected in (
        ([], [], "base three"),
        (["--extra", "one", "--no-default-groups"], ["--arg", "extras", '["one"]', "--arg", "groups", "[ ]"],
         "base one"),
        (["--extra", "two", "--group", "dev"], ["--arg", "extras", '["two"]', "--arg", "groups", '["dev"]'],
         "base three two"),
        (["--all-extras", "--all-groups"], ["--arg", "extras", '["one" "two"]', "--arg", "groups", '["dev"]'],
         "base one three two"),
    ):  # fmt: skip
        path = in_store("build", "--no-out-link", *options).stdout.strip()
        assert path == nix_build(in_store, *arguments)
        said = subprocess.run([Path(path, "bin", "python"), "-c", code], capture_output=True, text=True, check=True)
        assert said.stdout.split() == expected.split()
    assert "holds: one, two" in in_store("build", "--extra", "three", code=3).stderr


def test_local_wheels(in_store: Cli, demo: tuple[str, bytes]) -> None:
    """A wheel on disk builds, from nixgen as from nix-build, and the lock holds a relative path."""
    (in_store.directory / "wheels").mkdir()
    (in_store.directory / "wheels" / demo[0]).write_bytes(demo[1])
    (in_store.directory / "requirements.txt").write_text(f"./wheels/{demo[0]}\n")
    in_store("lock", "--no-index")
    assert locked_wheels(in_store.directory / "nixgen.lock")[demo[0]]["path"] == f"wheels/{demo[0]}"
    assert in_store("build").stdout.strip() == nix_build(in_store)


def test_private_wheels_are_fetched_with_their_login(in_store: Cli, serve: Serve, demo: tuple[str, bytes]) -> None:
    """A build finds the login of a private index in the environment, as uv has it, or in netrc."""
    server = serve(demo, user="me:s3cret")
    (in_store.directory / "requirements.in").write_text("demo\n")
    netrc = in_store.directory.parent / "netrc"
    netrc.write_text("machine 127.0.0.1 login me password s3cret\n")
    netrc.chmod(0o600)
    in_store("lock", "--default-index", server.index, environment={"NETRC": str(netrc)})
    assert "netrc" in in_store("build", code=4, environment={"NETRC": "/nonexistent"}).stderr
    in_store("build", environment={"NETRC": str(netrc)})


def test_a_named_index_of_the_project(in_store: Cli, serve: Serve, demo: tuple[str, bytes]) -> None:
    """An index named in pyproject.toml gets its login from the variables that uv reads, for locking and building."""
    server = serve(demo, user="me:s3cret")
    (in_store.directory / "pyproject.toml").write_text(
        '[project]\nname = "app"\nversion = "1"\nrequires-python = ">=3.11"\ndependencies = ["demo"]\n'
        f'[[tool.uv.index]]\nname = "our-own"\nurl = "{server.index}"\ndefault = true\n'
    )
    login = {"UV_INDEX_OUR_OWN_USERNAME": "me", "UV_INDEX_OUR_OWN_PASSWORD": "s3cret", "NETRC": "/nonexistent"}
    in_store("lock", environment=login)
    in_store("build", code=4, environment={"NETRC": "/nonexistent"})
    in_store("build", environment=login)


def test_libraries_are_given_and_ignored(in_store: Cli, serve: Serve, tmp_path: Path) -> None:
    """``--library`` names a directory to load libraries from, ``--ignore-library`` takes some out."""
    (tmp_path / "given").mkdir()
    (tmp_path / "given/libodd.so.1").write_bytes(make_elf(soname="libodd.so.1"))
    library = make_elf(needed=["libodd.so.1"])
    lock(in_store, serve(make_wheel("native", files={"native/a.so": library, "native/__init__.py": ""})), "native")
    written = "lib/python*/site-packages/_nixgen_libraries/__init__.py"
    assert not [*Path(in_store("build").stdout.strip()).glob(written)]
    given = ["--library", os.path.relpath(tmp_path / "given", in_store.directory)]
    (made,) = Path(in_store("build", *given).stdout.strip()).glob(written)
    assert f"['{tmp_path}/given/libodd.so.1']" in made.read_text()
    ignored = in_store("build", *given, "--ignore-library", "libother.so", "--ignore-library", "libodd.*")
    assert not [*Path(ignored.stdout.strip()).glob(written)]


@pytest.mark.skipif(cannot_sandbox(), reason="no user namespaces here: Nix cannot sandbox")
def test_the_sandbox_and_the_machines_python(
    in_store: Cli, serve: Serve, demo: tuple[str, bytes], tmp_path: Path
) -> None:
    """With the sandbox on, the machine's own Python is out of sight, and the message says so and what to do."""
    # A store that has built nothing yet: what was once built without the sandbox is not built again.
    in_store.environment |= {"NIX_STORE_DIR": str(tmp_path / "nix/store"), "NIX_STATE_DIR": str(tmp_path / "nix/var")}
    lock(in_store, serve(demo), "demo")
    sandbox = ["--option", "sandbox", "true", "--option", "sandbox-paths", ""]
    said = in_store("build", *sandbox[:3], code=6).stderr
    assert "sandbox" in said and "--option sandbox false" in said
    with pytest.raises(subprocess.CalledProcessError) as failed:
        nix_build(in_store, *sandbox)
    assert "if-a-sandbox-hides-it-use-nixpkgs-or--option-sandbox-false" in failed.value.stderr


@pytest.mark.parametrize("damage", [None, "{", '{"nixgen": 99}', '{"nixgen": 1}'])
def test_no_lock_to_build(in_store: Cli, damage: str | None) -> None:
    """A missing, broken or newer lock is an input error that says to lock."""
    if damage is not None:
        (in_store.directory / "nixgen.lock").write_text(damage)
    said = in_store("build", code=3).stderr
    assert "nixgen lock" in said and "nixgen.lock" in said


def test_without_nix(in_store: Cli, serve: Serve, demo: tuple[str, bytes]) -> None:
    """Where there is no Nix, the message says how to get it."""
    lock(in_store, serve(demo), "demo")
    assert "nix-bin" in in_store("build", code=6, environment={"PATH": "/nonexistent"}).stderr
