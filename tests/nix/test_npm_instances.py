"""Instances of packages of npm as store paths, evaluated and built by Nix and run by Node.js."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

from tests.nix.conftest import Nix
from tests.nix.test_npm import ENV, node, places, says
from tests.support.npm_locks import Json, make_tgz, npm_lock, write_npm_lock, write_package


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
