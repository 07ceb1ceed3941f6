"""Packages without a wheel, through the command line: built by Nix, locked, built again elsewhere, refused."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.cli import Cli, listing
from tests.support.nix import NixInstallation
from tests.support.server import WheelServer
from tests.support.sources import make_source, source_files
from tests.support.wheels import make_wheel

pytestmark = pytest.mark.nix

Serve = Callable[..., WheelServer]


@pytest.fixture
def in_store(nixgen: Cli, nix_store: NixInstallation) -> Cli:
    """The command line with a store of the tests' own."""
    return with_store(nixgen, nix_store)


def with_store(nixgen: Cli, store: NixInstallation) -> Cli:
    kept = {name: value for name, value in store.env.items() if os.environ.get(name) != value}
    return replace(nixgen, environment={**nixgen.environment, **kept})


def lock(nixgen: Cli, server: WheelServer, *lines: str, options: tuple[str, ...] = (), code: int = 0) -> str:
    """Lock some requirements of a server, and return what is said."""
    (nixgen.directory / "requirements.in").write_text("\n".join(lines) + "\n")
    return nixgen("lock", "--default-index", server.index, *options, code=code).stderr


def package(nixgen: Cli, name: str) -> dict[str, object]:
    """Return what the lock says of a package."""
    (found,) = (
        one for one in json.loads((nixgen.directory / "nixgen.lock").read_bytes())["packages"] if one["name"] == name
    )
    return dict(found)


def version_of(environment: str, name: str) -> str:
    """Return what a package of an environment says of itself."""
    command = [str(Path(environment) / "bin" / "python"), "-c", f"import {name}; print({name}.version)"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def write_files(directory: Path, files: Mapping[str, str]) -> None:
    """Write the files of a source."""
    for path, text in files.items():
        (directory / path).parent.mkdir(parents=True, exist_ok=True)
        (directory / path).write_text(text)


def nix_build(cli: Cli) -> str:
    return subprocess.run(
        ["nix-build", "nix", "--no-out-link"],
        cwd=cli.directory,
        env={**os.environ, **cli.environment},
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()


def test_a_source_distribution_is_built_once(in_store: Cli, serve: Serve) -> None:
    """It is built while locking, which says so; its files are locked and beside the lock; stock Nix builds the same."""
    server = serve(make_source("only"))
    said = lock(in_store, server, "only")
    assert "built only 1.0 from its source distribution: no wheel" in said
    assert "uv was allowed to run builds, outside of Nix, to learn what packages without a wheel need: only" in said
    locked = package(in_store, "only")
    assert locked["wheel"] == "only-1.0-py3-none-any.whl" and len(str(locked["index"])) == 64
    index = json.loads((in_store.directory / "nix" / "index" / "only-1.0-py3-none-any.whl.json").read_bytes())
    assert index["distInfo"] == "only-1.0.dist-info"
    path = in_store("build", "--no-out-link").stdout.strip()
    assert version_of(path, "only") == "1.0" and nix_build(in_store) == path
    again = lock(in_store, server, "only", options=("--debug",))
    assert again.count("pip compile") == 1
    assert "built only" not in again and "nothing changed" in again


def test_elsewhere_it_is_built_again_and_compared(in_store: Cli, serve: Serve, tmp_path: Path, nixgen: Cli) -> None:
    """Another store gets the same files by building; where a build gives others, they are named."""
    more = "files['drawn/drawn.py'] = f'drawn = {os.urandom(8)!r}\\n'"
    server = serve(make_source("same"), make_source("drawn", more=more))
    lock(in_store, server, "same")
    elsewhere = with_store(nixgen, NixInstallation.of_machine(tmp_path / "elsewhere"))
    assert version_of(elsewhere("build", "--no-out-link").stdout.strip(), "same") == "1.0"
    lock(in_store, server, "same", "drawn")
    said = elsewhere("build", "--no-out-link", code=5).stderr
    assert "drawn-1.0-py3-none-any.whl was built with other files than the lock has" in said
    assert "drawn/drawn.py:" in said and "accept = true" in said and "drawn/__init__.py" not in said
    (in_store.directory / "pyproject.toml").write_text("[tool.nixgen.build.drawn]\naccept = true\n")
    lock(in_store, server, "same", "drawn")
    assert "index" not in package(in_store, "drawn")
    assert version_of(elsewhere("build", "--no-out-link").stdout.strip(), "drawn") == "1.0"
    NixInstallation.of_machine(tmp_path / "elsewhere").make_removable()


def test_a_build_gets_what_it_asks_for(in_store: Cli, serve: Serve) -> None:
    """What [build-system] names, what the backend asks for beyond, and what of these has to be built, is locked."""
    helper = make_wheel("helper", "2.0", {"helper.py": "said = 'helped'\n"})
    tool = make_source("tool", requires=["helper"])
    asks = make_source(
        "asks", requires=["helper"], needs=["tool>=1"], more="import helper, tool; VERSION and helper.said"
    )
    said = lock(in_store, serve(helper, tool, asks), "asks")
    assert "built tool 1.0" in said and "built asks 1.0" in said
    build = package(in_store, "asks")["build"]
    assert isinstance(build, dict)
    assert build["needs"] == ["helper", "tool>=1"]
    assert build["requires"] == ["helper-2.0-py3-none-any.whl", "tool-1.0-py3-none-any.whl"]
    path = in_store("build", "--no-out-link").stdout.strip()
    assert version_of(path, "asks") == "1.0"
    assert not list(Path(path).glob("lib/python*/site-packages/helper.py"))


def test_builds_that_need_each_other(in_store: Cli, serve: Serve) -> None:
    """Two packages that each need the other to be built are an error that names both."""
    one, two = make_source("one", requires=["two"]), make_source("two", requires=["one"])
    before = listing(in_store.directory)
    said = lock(in_store, serve(one, two), "one", code=3)
    assert "these builds need each other: one needs two needs one" in said
    assert listing(in_store.directory).keys() - before.keys() == {"requirements.in"}


def test_a_build_that_fails_says_what_to_add(in_store: Cli, serve: Serve) -> None:
    """The end of its messages, what it lacks, and the line that brings it; nothing is written."""
    more = "raise SystemExit(\"error: command 'gcc-99' failed: No such file or directory\")"
    said = lock(in_store, serve(make_source("broken", more=more)), "broken", code=6)
    assert "broken 1.0 cannot be built: its build backend failed" in said
    assert "gcc-99 is missing" in said and 'under [tool.nixgen.build.broken]: packages = ["gcc-99"]' in said
    assert not (in_store.directory / "nixgen.lock").exists()


def test_a_directory_that_fails_is_named(in_store: Cli, serve: Serve) -> None:
    """The error of a directory's build names that directory, whatever copy of it in the store was built."""
    write_files(in_store.directory / "near", source_files("near", more="raise ValueError('not today')"))
    said = lock(in_store, serve(make_wheel("unused")), "./near", code=6)
    assert f"where: {in_store.directory / 'near'} (built of its copy /" in said and "not today" in said
    backend = in_store.directory / "near" / "b.py"
    backend.write_text(backend.read_text().replace("    raise ValueError('not today')\n", ""))
    lock(in_store, serve(make_wheel("unused")), "./near")
    write_files(in_store.directory / "near", source_files("near", more="raise ValueError('not today')"))
    said = in_store("build", "--no-out-link", code=6).stderr
    assert f"where: {in_store.directory / 'near'} (built of its copy /" in said and "not today" in said


def test_what_a_user_says_of_a_build(in_store: Cli, serve: Serve) -> None:
    """Variables and settings reach the build, and another one is another build."""
    more = "files['told/said.py'] = f\"said = {(os.environ['SAID'], config_settings)!r}\\n\""
    server = serve(make_source("told", more=more))
    for word in ("one", "two"):
        (in_store.directory / "pyproject.toml").write_text(
            f'[tool.nixgen.build.told]\nenv = {{ SAID = "{word}" }}\nconfig-settings = {{ key = "{word}" }}\n'
        )
        assert "built told" in lock(in_store, server, "told")
        path = in_store("build", "--no-out-link").stdout.strip()
        assert f"{{'key': '{word}'}}" in next(Path(path).glob("lib/python*/site-packages/told/said.py")).read_text()
    (in_store.directory / "pyproject.toml").write_text('[tool.nixgen.build.told]\nprograms = ["no-such-program"]\n')
    assert "the program no-such-program, which" in lock(in_store, server, "told", code=6)


def test_refused(in_store: Cli, serve: Serve) -> None:
    """Where nothing may be built, all that would have to be is one error; a variable of uv's says so too."""
    server = serve(make_source("one"), make_source("two"))
    said = lock(in_store, server, "one", "two", options=("--no-build",), code=3)
    assert "one 1.0" in said and "two 1.0" in said
    in_variable = replace(in_store, environment={**in_store.environment, "UV_NO_BUILD": "1"})
    said = lock(in_variable, server, "one", "two", code=3)
    assert "two 1.0" in said and "UV_NO_BUILD" in said


def test_a_wheel_gives_way_where_it_is_asked_for(in_store: Cli, serve: Serve) -> None:
    """With --build-from-source, what has a wheel is built all the same, and says so."""
    wheel = make_wheel("both", "1.0", {"both/__init__.py": "version = 'of the wheel'\n"})
    server = serve(wheel, make_source("both"))
    lock(in_store, server, "both")
    assert version_of(in_store("build", "--no-out-link").stdout.strip(), "both") == "of the wheel"
    said = lock(in_store, server, "both", options=("--build-from-source", "Both"))
    assert "built both 1.0 from its source distribution, as asked" in said
    assert version_of(in_store("build", "--no-out-link").stdout.strip(), "both") == "1.0"


def test_a_repository_and_an_archive_and_a_directory(in_store: Cli, serve: Serve, tmp_path: Path) -> None:
    """Each is built; of a repository the commit is locked, with the hash of its files; a directory as it is."""
    repository = tmp_path / "repository"
    write_files(repository / "inner", source_files("ofgit", "1.5"))
    git = ["git", "-c", "user.name=nobody", "-c", "user.email=nobody@example.org"]
    for arguments in (["init", "-q"], ["add", "."], ["commit", "-qm", "one"], ["tag", "v1.5"]):
        subprocess.run([*git, *arguments], cwd=repository, check=True, capture_output=True)
    archive = tmp_path / make_source("packed")[0]
    archive.write_bytes(make_source("packed")[1])
    write_files(in_store.directory / "near", source_files("near"))
    lines = (
        f"ofgit @ git+{repository.as_uri()}@v1.5#subdirectory=inner",
        f"packed @ {archive.as_uri()}",
        "./near",
    )
    server = serve(make_wheel("unused"))
    said = lock(in_store, server, *lines)
    assert "built ofgit 1.5 from commit" in said and "built near 1.0 from the directory near" in said
    source = package(in_store, "ofgit")["source"]
    assert isinstance(source, dict)
    commit = subprocess.run([*git, "rev-parse", "HEAD"], cwd=repository, capture_output=True, text=True, check=True)
    assert (
        source["commit"] == commit.stdout.strip() and source["subdirectory"] == "inner" and len(source["sha256"]) == 64
    )
    assert source["revision"] == "v1.5"
    subprocess.run([*git, "branch", "next"], cwd=repository, check=True)
    said = lock(in_store, server, lines[0].replace("@v1.5", "@next"), *lines[1:])
    assert "built ofgit" not in said
    source = package(in_store, "ofgit")["source"]
    assert isinstance(source, dict) and source["revision"] == "next"
    assert package(in_store, "near")["source"] == {"directory": "near"}
    path = in_store("build", "--no-out-link").stdout.strip()
    assert [version_of(path, name) for name in ("ofgit", "packed", "near")] == ["1.5", "1.0", "1.0"]
    (in_store.directory / "near" / "src" / "near" / "__init__.py").write_text("version = 'edited'\n")
    assert version_of(in_store("build", "--no-out-link", "--locked").stdout.strip(), "near") == "edited"
    # Somebody puts another archive there.
    archive.write_bytes(make_source("packed", more="pass")[1])
    elsewhere = with_store(in_store, NixInstallation.of_machine(tmp_path / "elsewhere"))
    assert "has SHA-256" in elsewhere("build", "--no-out-link", code=5).stderr
    NixInstallation.of_machine(tmp_path / "elsewhere").make_removable()


def test_verify_builds_again(in_store: Cli, serve: Serve) -> None:
    """With --verify, what was built is built twice and compared; files that differ are named, nothing is written."""
    server = serve(make_source("same"))
    lock(in_store, server, "same")
    lock(in_store, server, "same", options=("--verify",))
    more = "files['drawn/chance.py'] = f'drawn = {os.urandom(8)!r}\\n'"
    server = serve(make_source("drawn", more=more))
    lock(in_store, server, "drawn")
    before = listing(in_store.directory)
    said = lock(in_store, server, "drawn", options=("--verify",), code=5)
    assert "does not repeat itself" in said and "drawn/chance.py:" in said and "accept = true" in said
    assert listing(in_store.directory) == before
