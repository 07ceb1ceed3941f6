"""An environment of packages of npm, built by Nix and run by Node.js."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

from tests.nix.conftest import Nix
from tests.support.node import with_node
from tests.support.npm_locks import make_tgz, write_npm_lock, write_package

ENV = "nixgen.npmEnv ({ lock = nixgen.readLock (/. + file); system = builtins.currentSystem; } // more)"
PLACES = "nixgen.npmInstances ({ lock = nixgen.readLock (/. + file); inherit system; } // more)"


def says(text: str) -> str:
    """Return a module that gives a text."""
    return f"module.exports = {json.dumps(text)}\n"


def node(env: Path, code: str) -> Any:
    """Return what a program gives in a project that has a link to an environment's packages."""
    command = ["node", "-p", f"JSON.stringify({code})"]
    done = subprocess.run(command, cwd=env, env=with_node(), capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def places(nix: Nix, file: Path, system: str = "x86_64-linux", **more: Any) -> dict[str, str]:
    """Return where the packages of a lock lie."""
    found: dict[str, str] = nix.evaluate(PLACES, write=True, file=str(file), system=system, more=more)
    return found


def test_links_are_short(nix: Nix, tmp_path: Path) -> None:
    """A link to a package has at most as many characters as ext4 keeps in an inode, counted for /nix/store."""
    long = make_tgz("@some-scope/a-very-long-name-of-a-package")
    lock = write_npm_lock(
        tmp_path, write_package(tmp_path, long, "node_modules/@some-scope/a-very-long-name-of-a-package")
    )
    (found,) = places(nix, lock).values()
    assert len(found) - len(str(nix.path)) + len("/nix/store") == 59
    assert found.endswith("-some-scope-a-/p")


def test_programs(nix: Nix, tmp_path: Path) -> None:
    """A command runs from .bin and from bin, also where its archive does not mark it or ends its first line as Windows
    does; the programs of the Node.js that is given come into bin; of two commands with one name the first package's is
    there."""
    script = "#!/usr/bin/env node\r\nconsole.log('ran', process.argv[2])\n"
    tool = make_tgz("tool", files={"cli.js": script}, manifest={"bin": {"tool": "cli.js", "gone": "gone.js"}})
    other = make_tgz(
        "zz", files={"cli.js": "#!/bin/sh\necho other\n"}, manifest={"bin": {"tool": "cli.js", "zz": "./cli.js"}}
    )
    (tmp_path / "nodejs/bin").mkdir(parents=True)
    (tmp_path / "nodejs/bin/node").write_text("#!/bin/sh\n")
    lock = write_npm_lock(
        tmp_path,
        write_package(tmp_path, tool, "node_modules/tool", bin={"tool": "cli.js", "gone": "gone.js"}),
        write_package(tmp_path, other, "node_modules/zz", bin={"tool": "cli.js", "zz": "cli.js"}),
    )
    env = nix.build(ENV, file=str(lock), more={"node": str(tmp_path / "nodejs")})
    for place in ("node_modules/.bin/tool", "bin/tool"):
        assert subprocess.check_output([env / place, "x"], env=with_node(), text=True) == "ran x\n"
    assert (env / "node_modules/.bin/zz").readlink() == Path("../zz/cli.js")
    assert {path.name for path in (env / "node_modules/.bin").iterdir()} == {"tool", "zz"}
    assert {path.name for path in (env / "bin").iterdir()} == {"tool", "zz", "node"}


def test_workspaces(nix: Nix, tmp_path: Path) -> None:
    """Each workspace has packages of its own, and is a link where others import it, as npm makes it."""
    inner, outer = (make_tgz("dep", version, {"index.js": says(version)}) for version in ("2.0.0", "1.0.0"))
    lock = write_npm_lock(
        tmp_path,
        {"at": "node_modules/@me/a", "name": "@me/a", "version": "1.0.0", "link": "packages/a"},
        write_package(tmp_path, outer, "node_modules/dep"),
        write_package(tmp_path, inner, "packages/a/node_modules/dep", version="2.0.0"),
        workspaces=["packages/a"],
    )
    env = nix.build(ENV, file=str(lock), more={})
    assert (env / "node_modules/@me/a").readlink() == Path("../../packages/a")
    assert node(env, "[require('dep'), require('./packages/a/node_modules/dep')]") == ["1.0.0", "2.0.0"]
