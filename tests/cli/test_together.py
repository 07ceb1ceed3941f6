"""Several ``nixgen build`` at once in one store, and what a build leaves there."""

from __future__ import annotations

import subprocess
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.cli import Cli
from tests.support.server import WheelServer
from tests.support.wheels import make_wheel

pytestmark = pytest.mark.nix

Serve = Callable[..., WheelServer]

#: What ten people want of five packages.
_WANTED = ("a", "b", "ab", "abc", "abcd", "abcde", "cde", "de", "ace", "bde")


def test_ten_builds_at_once(empty_store: Cli, serve: Serve, tmp_path: Path) -> None:
    """Ten builds of overlapping locks that start together all succeed, each with its packages; wheels are shared."""
    wheels = {
        name: make_wheel(f"p{name}", "1.0", {f"p{name}_{n}.py": f"name = '{name}{n} {tmp_path}'\n" for n in range(50)})
        for name in "abcde"
    }
    server = serve(*wheels.values())
    people = []
    for number, wanted in enumerate(_WANTED):
        person = replace(empty_store, directory=tmp_path / f"person{number}")
        person.directory.mkdir()
        (person.directory / "requirements.in").write_text("".join(f"p{name}\n" for name in wanted))
        person("lock", "--default-index", server.index)
        people.append(person)
    server.requests.clear()
    started = [person.start("build") for person in people]
    for person, process, wanted in zip(people, started, _WANTED, strict=True):
        said, errors = process.communicate(timeout=300)
        assert process.returncode == 0, errors
        assert str((person.directory / "result").readlink()) == said.strip()
        code = "import importlib.metadata as m; print(*sorted(d.name for d in m.distributions()))"
        python = person.directory / "result" / "bin" / "python"
        found = subprocess.run([python, "-c", code], capture_output=True, text=True, check=True).stdout.split()
        assert found == [f"p{name}" for name in wanted]
        last = f"import p{wanted[-1]}_49 as m; print(m.name)"
        assert subprocess.run([python, "-c", last], capture_output=True, text=True, check=True).stdout.startswith(
            f"{wanted[-1]}49"
        )
    assert Counter(request.path for request in server.wheel_requests) == Counter(
        {f"/wheels/{filename}": 1 for filename, _ in wheels.values()}
    )


def test_no_second_copy_stays(empty_store: Cli, serve: Serve, tmp_path: Path) -> None:
    """After a build the store has neither the wheel nor what was in it a second time."""
    content = f"the only one of {tmp_path}\n"
    lock_of(empty_store, serve(make_wheel("demo", "1.0", {"demo/data.txt": content})), "demo")
    empty_store("build")
    store = Path(empty_store.environment["NIX_STORE_DIR"])
    held = [path for path in store.rglob("*") if path.is_file() and not path.is_symlink()]
    assert [path.name[33:] for path in held if path.read_bytes() == content.encode()] == ["file.txt"]
    assert not [path for path in store.iterdir() if "whl" in path.name or "unpacked" in path.name]


def test_leaves_that_were_collected_come_again(empty_store: Cli, serve: Serve, tmp_path: Path) -> None:
    """A build whose leaves were collected behind its back fetches them anew, and gives the same environment."""
    server = serve(make_wheel("demo", "1.0", {"demo/data.txt": f"data of {tmp_path}\n"}))
    lock_of(empty_store, server, "demo")
    first = empty_store("build").stdout
    (empty_store.directory / "result").unlink()
    subprocess.run(["nix-store", "--gc"], env=empty_store.environment, check=True, capture_output=True)
    again = empty_store("build")
    assert again.stdout == first and "added" in again.stderr


def lock_of(cli: Cli, server: WheelServer, name: str) -> None:
    (cli.directory / "requirements.in").write_text(f"{name}\n")
    cli("lock", "--default-index", server.index)
