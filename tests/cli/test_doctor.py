"""``nixgen doctor``: each thing that may be wrong, with what to do."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.cli import Cli
from tests.support.server import WheelServer
from tests.support.wheels import make_wheel

DEMO = make_wheel("pip", "1.0", {"demo.py": "x = 1\n"})


def examined(cli: Cli, *arguments: str, code: int = 0, **environment: str) -> dict[str, tuple[str, str, str]]:
    """Return state, sentence and way out of each check, by its name."""
    report = json.loads(cli("doctor", "--json", *arguments, code=code, environment=environment).stdout)
    return {one["name"]: (one["state"], one["said"], one["todo"]) for one in report["checks"]}


@pytest.mark.nix
def test_what_is_well_and_what_is_not(empty_store: Cli, serve: Callable[..., WheelServer]) -> None:
    """A project that was locked is well; a file that git does not know, changed inputs and the sandbox are named."""
    index = serve(DEMO).index
    file = empty_store.directory / "requirements.in"
    file.write_text("pip\n")
    empty_store("lock", "--default-index", index)
    found = examined(empty_store, UV_DEFAULT_INDEX=index)
    for name in ("nix", "store", "uv", "index", "python", "lock"):
        assert found[name][0] == "ok", found[name]
    assert "git" not in found
    file.write_text("pip<9\n")
    subprocess.run(["git", "init", "--quiet"], cwd=empty_store.directory, check=True)
    (empty_store.directory / "flake.nix").write_text("{ outputs = _: { }; }\n")
    found = examined(empty_store, code=7, UV_DEFAULT_INDEX=index)
    assert found["git"][0] == "fail" and found["git"][2] == "git add flake.nix nixgen.lock nix"
    assert found["lock"] == ("warn", "older than requirements.in", "run `nixgen lock`")
    (empty_store.directory / "flake.nix").unlink()
    found = examined(empty_store, "--option", "sandbox", "true", UV_DEFAULT_INDEX=index)
    assert found["sandbox"][0] == "warn" and "--option sandbox false" in found["sandbox"][2]


def test_nothing_is_there(nixgen: Cli, tmp_path: Path) -> None:
    """Without Nix, without an index and without a lock, each is said with what to do, and the rest is looked at."""
    (tmp_path / "bin").mkdir()
    nowhere = {"PATH": str(tmp_path / "bin"), "UV_DEFAULT_INDEX": "http://127.0.0.1:9/simple"}
    found = examined(nixgen, code=7, **nowhere)
    assert found["nix"][0] == "fail" and "apt-get install nix-bin" in found["nix"][2]
    assert found["index"][:2] == ("fail", "the package index does not answer")
    assert found["lock"] == ("warn", "there is none here", "run `nixgen lock` in a directory with requirements")
    assert found["uv"][0] == "ok"
    said = nixgen("doctor", "--quiet", code=7, environment=nowhere).stdout
    assert "what to do: install it" in said and "ok  " not in said
