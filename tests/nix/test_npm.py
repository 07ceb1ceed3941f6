"""Packages of npm as store paths, evaluated and built by Nix and run by Node.js."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

from tests.nix.conftest import Nix
from tests.support.nix import NixFailedError
from tests.support.node import with_node
from tests.support.npm_locks import Json, make_tgz, npm_lock, write_npm_lock, write_package

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


def test_a_chain_of_packages(nix: Nix, tmp_path: Path) -> None:
    """Each package finds what it needs, in its own version, a scoped name and an alias too; the names resolve to real
    files below node_modules."""
    one = make_tgz("one", files={"index.js": "module.exports = [require('two'), require('@s/three')]\n"})
    two = make_tgz("two", files={"index.js": "module.exports = ['two 1', require('old')]\n"})
    newer = make_tgz("two", "2.0.0", files={"index.js": says("two 2")})
    three = make_tgz("@s/three", files={"lib/x.js": "module.exports = __filename\n"}, manifest={"main": "lib/x.js"})
    lock = write_npm_lock(
        tmp_path,
        write_package(
            tmp_path,
            one,
            "node_modules/one",
            dependencies={"two": "node_modules/one/node_modules/two", "@s/three": "node_modules/@s/three"},
        ),
        write_package(tmp_path, two, "node_modules/one/node_modules/two", dependencies={"old": "node_modules/old"}),
        write_package(tmp_path, newer, "node_modules/two", version="2.0.0"),
        write_package(tmp_path, newer, "node_modules/old", "two", version="2.0.0"),
        write_package(tmp_path, three, "node_modules/@s/three"),
    )
    env = nix.build(ENV, file=str(lock), more={})
    (first, old), scoped = node(env, "require('one')")[0], node(env, "require('one')")[1]
    assert (first, old) == ("two 1", "two 2")
    assert scoped.endswith("/node_modules/@s/three/lib/x.js") and scoped.startswith(str(nix.path))
    assert node(env, "[require('two'), require('old')]") == ["two 2", "two 2"]
    found = places(nix, lock)
    assert found["node_modules/old"] == found["node_modules/two"]
    assert found["node_modules/one/node_modules/two"] != found["node_modules/two"]


def test_links_are_short(nix: Nix, tmp_path: Path) -> None:
    """A link to a package has at most as many characters as ext4 keeps in an inode, counted for /nix/store."""
    long = make_tgz("@some-scope/a-very-long-name-of-a-package")
    lock = write_npm_lock(
        tmp_path, write_package(tmp_path, long, "node_modules/@some-scope/a-very-long-name-of-a-package")
    )
    (found,) = places(nix, lock).values()
    assert len(found) - len(str(nix.path)) + len("/nix/store") == 59
    assert found.endswith("-some-scope-a-/p")


def test_a_cycle_is_one_path(nix: Nix, tmp_path: Path) -> None:
    """Packages that need each other are one store path, which is the same wherever in a tree they stand."""

    def cycle(around: str) -> list[Json]:
        a, b = (f"{around}node_modules/{name}" for name in ("a", "@s/b"))
        first = make_tgz("a", files={"index.js": "exports.name = 'a'; exports.b = require('@s/b').name\n"})
        second = make_tgz("@s/b", files={"index.js": "exports.name = 'b'; exports.a = require('a').name\n"})
        more = {"cycle": b, "dependencies": {"a": a, "@s/b": b}}
        return [write_package(tmp_path, first, a, **more), write_package(tmp_path, second, b, **more)]

    host = make_tgz("host", files={"index.js": "module.exports = require('a')\n"})
    nested = write_package(tmp_path, host, "node_modules/host", dependencies={"a": "node_modules/host/node_modules/a"})
    lock = write_npm_lock(tmp_path, nested, *cycle(""), *cycle("node_modules/host/"))
    found = places(nix, lock)
    assert found["node_modules/a"] == found["node_modules/host/node_modules/a"]
    assert Path(found["node_modules/a"]).parent == Path(found["node_modules/@s/b"]).parent
    env = nix.build(ENV, file=str(lock), more={})
    assert node(env, "[require('a'), require('@s/b'), require('host')]") == [
        {"name": "a", "b": "b"},
        {"name": "b", "a": "a"},
        {"name": "a", "b": "b"},
    ]


def test_a_peer_is_part_of_an_instance(nix: Nix, tmp_path: Path) -> None:
    """Two places of one archive with the same neighbours are one path, those with other ones are two; a peer is the one
    that the project has, the same module."""
    plugin = make_tgz("plugin", files={"index.js": "module.exports = require('host')\n"})
    host, older = make_tgz("host", "2.0.0", {"index.js": "exports.x = {}\n"}), make_tgz("host")
    user = make_tgz("user", files={"index.js": "module.exports = require('plugin')\n"})
    user2 = make_tgz("user2", files={"index.js": "module.exports = require('plugin')\n"})
    lock = write_npm_lock(
        tmp_path,
        write_package(tmp_path, host, "node_modules/host", version="2.0.0"),
        write_package(tmp_path, plugin, "node_modules/plugin", dependencies={"host": "node_modules/host"}),
        write_package(
            tmp_path, user, "node_modules/user", dependencies={"plugin": "node_modules/user/node_modules/plugin"}
        ),
        write_package(
            tmp_path, plugin, "node_modules/user/node_modules/plugin", dependencies={"host": "node_modules/host"}
        ),
        write_package(
            tmp_path, user2, "node_modules/user2", dependencies={"plugin": "node_modules/user2/node_modules/plugin"}
        ),
        write_package(
            tmp_path,
            plugin,
            "node_modules/user2/node_modules/plugin",
            dependencies={"host": "node_modules/user2/node_modules/host"},
        ),
        write_package(tmp_path, older, "node_modules/user2/node_modules/host"),
    )
    found = places(nix, lock)
    assert found["node_modules/plugin"] == found["node_modules/user/node_modules/plugin"]
    assert found["node_modules/plugin"] != found["node_modules/user2/node_modules/plugin"]
    env = nix.build(ENV, file=str(lock), more={})
    assert node(
        env, "[require('plugin') === require('host'), require('user') === require('host'), require('user2')]"
    ) == [
        True,
        True,
        1,
    ]


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


def test_one_path_for_an_archive(nix: Nix, tmp_path: Path) -> None:
    """An archive is fetched once, by its integrity, from wherever; another content is refused, naming both hashes."""
    archive = make_tgz()
    said = write_package(tmp_path, archive, "node_modules/demo")
    fetch = "nixgen.fetchArchive { lock = nixgen.readLock (/. + file); inherit package; }"
    values: dict[str, Any] = {"file": str(write_npm_lock(tmp_path, said))}
    built = nix.build(fetch, package=said, **values)
    assert built.read_bytes() == archive and built.name.endswith("-demo-1.0.0.tgz")
    (tmp_path / "demo.tgz").write_bytes(archive)
    del said["url"]
    assert nix.build(fetch, package={**said, "path": "demo.tgz"}, **values) == built
    (tmp_path / "demo.tgz").write_bytes(archive + b"x")
    other = {**said, "path": "demo.tgz", "integrity": said["integrity"].replace(said["integrity"][7:9], "AA")}
    try:
        nix.build(fetch, package=other, **values)
    except NixFailedError as error:
        assert "hash mismatch" in str(error)
    else:
        raise AssertionError("another content was taken")


def test_what_a_package_depends_on(nix: Nix, tmp_path: Path) -> None:
    """A package's path depends neither on Node.js nor on the project, and refers to its neighbours alone."""
    package = write_package(tmp_path, make_tgz(), "node_modules/demo")
    lock = write_npm_lock(tmp_path, package)
    (before,) = places(nix, lock).values()
    lock.write_text(json.dumps(npm_lock(package, name="other")))
    assert list(places(nix, lock).values()) == [before]
    more = {"node": str(tmp_path)}
    assert nix.instantiate(ENV, file=str(lock), more=more) != nix.instantiate(ENV, file=str(lock), more={})
    env = nix.build(ENV, file=str(lock), more={})
    command = ["nix-store", "-q", "--references", Path(before).parent]
    assert env.exists() and subprocess.check_output(command, env=nix.env, text=True) == ""


def test_a_thousand_packages_are_evaluated_in_a_second(nix: Nix, tmp_path: Path) -> None:
    """A thousand packages with five dependencies each take Nix about a second of processor time, not minutes."""
    archive = write_package(tmp_path, make_tgz(), "node_modules/p")
    packages = [
        {
            **archive,
            "at": f"node_modules/p{number}",
            "name": f"p{number}",
            "dependencies": {
                f"p{other}": f"node_modules/p{other}" for other in range(number + 1, min(number + 6, 1000))
            },
        }
        for number in range(1000)
    ]
    lock = write_npm_lock(tmp_path, *packages)
    before = os.times()
    assert nix.evaluate(f"({ENV}).drvPath", file=str(lock), more={})
    after = os.times()
    assert after.children_user - before.children_user < 3


def test_a_dependency_of_its_own_name(nix: Nix, tmp_path: Path) -> None:
    """What has the package's own name lies inside of it, where the lock says so, and in an alias of another name."""
    outer = make_tgz("a", "2.0.0", {"index.js": "module.exports = ['a 2', require('a/other')]\n"})
    alias = make_tgz("a", "3.0.0", {"index.js": "module.exports = ['a 3', require('a/other')]\n"})
    inner = make_tgz("a", "1.0.0", {"other.js": says("a 1")})

    lock = write_npm_lock(
        tmp_path,
        write_package(
            tmp_path,
            outer,
            "node_modules/a",
            version="2.0.0",
            dependencies={"a/node_modules/a": "node_modules/a/node_modules/a"},
        ),
        write_package(tmp_path, inner, "node_modules/a/node_modules/a"),
        write_package(
            tmp_path,
            alias,
            "node_modules/b",
            "a",
            version="3.0.0",
            dependencies={"a": "node_modules/a/node_modules/a"},
        ),
    )
    env = nix.build(ENV, file=str(lock), more={})
    assert node(env, "[require('a'), require('b')]") == [["a 2", "a 1"], ["a 3", "a 1"]]
