"""``nixgen verify`` as a user meets it: what it says, its exit codes, and who points to it."""

from __future__ import annotations

import json
import shutil
import subprocess

import pytest

from tests.verification.conftest import Built, alter, built, delete, environment_of, truncate

pytestmark = pytest.mark.nix

__all__ = ["built"]


def test_says_what_is_wrong_and_what_to_do(built: Built) -> None:
    """A finding has kind, store path, package and file; the error says how many and what to do; --quiet keeps both."""
    leaf = built.leaf("demo/data.txt")
    alter(leaf)
    for options in ([], ["--quiet"]):
        done = built.cli("verify", *options, code=5)
        assert done.stdout.splitlines()[:2] == [f"altered: leaf {leaf}", "  demo 1.0: demo/data.txt"]
        assert "expected sha256" in done.stdout
        assert done.stderr.startswith("nixgen: 1 store path is not") and "nixgen verify --repair" in done.stderr
    done = built.cli("verify", "--repair")
    assert f"repaired altered: leaf {leaf}" in done.stderr and "all is well: " in done.stderr
    assert done.stdout == ""


def test_json_is_stable(built: Built) -> None:
    """The keys are those of the documentation, whether anything is wrong or not."""
    for code in (0, 5):
        said = json.loads(built.cli("verify", "--json", code=code).stdout)
        assert list(said) == [
            "environment",
            "leaves",
            "paths",
            "bytes",
            "absent",
            "findings",
            "repaired",
            "problems",
        ]
        assert said["environment"] == str(built.environment) and said["absent"] == 0
        for finding in said["findings"]:
            assert list(finding) == ["kind", "what", "path", "package", "file", "detail"]
        alter(built.leaf("demo/data.txt"))


def test_what_cannot_be_repaired_stays(built: Built) -> None:
    """Without its wheel a leaf stays as it is; the rest is repaired, and the message names the server."""
    leaf, bytecode = built.leaf("demo/data.txt"), built.bytecode()
    good = bytecode.read_bytes()
    alter(leaf)
    truncate(bytecode)
    bad = leaf.read_bytes()
    built.server.wheels = {}
    done = built.cli("verify", "--repair", code=5)
    assert "warning: " in done.stderr and "127.0.0.1" in done.stderr
    assert leaf.read_bytes() == bad and bytecode.read_bytes() == good
    assert not list(built.store.glob(".nixgen-*"))


def test_a_server_with_other_bytes_changes_nothing(built: Built) -> None:
    """Content that is not the leaf's is never put in its place."""
    leaf = built.leaf("demo/data.txt")
    alter(leaf)
    bad = leaf.read_bytes()
    wheels = built.server.wheels.items()
    built.server.wheels = {name: content.replace(b"demo/data.txt", b"demo/date.txt") for name, content in wheels}
    built.cli("verify", "--repair", code=5)
    assert leaf.read_bytes() == bad


def test_nothing_built(built: Built) -> None:
    """Leaves that were never fetched, or were collected, are no damage."""
    (built.cli.directory / "result").unlink()
    subprocess.run(["nix-store", "--gc"], env=environment_of(built), check=True, capture_output=True)
    done = built.cli("verify")
    assert "are not in the store, and nothing is built" in done.stderr
    assert built.cli("verify", "--all").stderr.startswith("all is well: 0 ")


def test_all_needs_no_lock(built: Built) -> None:
    """--all names what is damaged without a lock, and what to do."""
    leaf, tree = built.leaf("demo/data.txt"), built.tree("other-2.0")
    alter(leaf)
    shutil.rmtree(built.cli.directory / "nix")
    (built.cli.directory / "nixgen.lock").unlink()
    for directory in [tree, *(path for path in tree.rglob("*") if path.is_dir() and not path.is_symlink())]:
        directory.chmod(0o755)
    shutil.rmtree(tree)
    found = json.loads(built.cli("verify", "--all", "--json", code=5).stdout)["findings"]
    assert {(one["kind"], one["what"], one["path"]) for one in found} == {
        ("altered", "leaf", str(leaf)),
        ("missing", "tree", str(tree)),
    }
    assert "in the projects" in built.cli("verify", "--all", code=5).stderr


@pytest.mark.parametrize("name", ["pyvenv.cfg", "bin/demo", "bin/python"])
def test_run_points_there(built: Built, name: str) -> None:
    """``nixgen run`` in an environment that has lost what it needs ends with code 5 and names the command to run."""
    path = built.environment / name
    if name == "bin/demo":
        truncate(path)
        path.chmod(0o644)
        path.write_bytes(b"")
        path.chmod(0o555)
    else:
        delete(path)
    assert built.cli("run", "--", "demo", code=5).stderr.count("nixgen verify") == 1
    built.cli("verify", "--repair")
    assert built.cli("run", "--", "demo").stdout == "demo\n"


def test_a_failed_build_points_there(built: Built) -> None:
    """A tree whose leaf has been deleted behind Nix's back cannot be built: the error names ``nixgen verify``."""
    (built.cli.directory / "result").unlink()
    leaf, tree = built.leaf("demo/data.txt"), built.tree()
    subprocess.run(
        ["nix-store", "--delete", built.environment, tree], env=environment_of(built), check=True, capture_output=True
    )
    leaf.unlink()
    assert "`nixgen verify`" in built.cli("run", "--", "demo", code=6).stderr
    built.cli("verify", "--repair")
    assert built.cli("run", "--", "demo").stdout == "demo\n"
