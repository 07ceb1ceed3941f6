"""Install scripts of npm's packages run in the derivation of a package where they are allowed, and nowhere else."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.nix.conftest import Nix
from tests.nix.test_npm import ENV, PLACES, node, places
from tests.support.nix import NixFailedError
from tests.support.node import node_programs, npm
from tests.support.npm_locks import Json, make_tgz, write_npm_lock, write_package

#: What a script sees, written where it lies.
SEE = "require('fs').writeFileSync('seen.json', JSON.stringify({env: process.env, cwd: process.cwd()}))\n"


def node_directory() -> str:
    """Return the directory that has bin/node of the tests."""
    return str(node_programs().parent)


def scripted(directory: Path, name: str, scripts: dict[str, str], **files: Any) -> Json:
    """Return what a lock says of a package with install scripts."""
    more = files.pop("manifest", {})
    archive = make_tgz(name, files=files or None, manifest={"scripts": scripts, **more})
    return write_package(directory, archive, f"node_modules/{name}", scripts=scripts)


def build(nix: Nix, lock: Path) -> Path:
    """Return the environment of a lock."""
    return nix.build(ENV, file=str(lock), more={"node": node_directory()})


def failure(nix: Nix, lock: Path, **more: Any) -> str:
    """Return what Nix says of a build that fails, without its own marks."""
    with pytest.raises(NixFailedError) as caught:
        nix.build(ENV, file=str(lock), more={"node": node_directory(), **more})
    return re.sub(r"\x1b\[[0-9;]*m", "", str(caught.value))


def test_an_allowed_script_runs(nix: Nix, tmp_path: Path) -> None:
    """All three run in npm's order, in the package, with its neighbours' commands and modules; what they write is in
    the store, and nothing of what served them alone."""
    tool = make_tgz(
        "tool",
        files={"cli.js": "#!/usr/bin/env node\nconsole.log('tool', require('own'))\n"},
        manifest={"bin": "cli.js"},
    )
    scripts = {
        "preinstall": "printf 'pre ' > out.txt",
        "install": "tool >> out.txt",
        "postinstall": "node -e \"fs.writeFileSync('made.js', 'module.exports = ' + require('lib'))\"",
    }
    native = make_tgz("own", files={"index.js": "module.exports = 7\n"}, manifest={"scripts": scripts})
    lock = write_npm_lock(
        tmp_path,
        write_package(
            tmp_path,
            native,
            "node_modules/own",
            scripts=scripts,
            dependencies={"tool": "node_modules/tool", "lib": "node_modules/lib"},
        ),
        write_package(tmp_path, tool, "node_modules/tool", bin={"tool": "cli.js"}),
        write_package(tmp_path, make_tgz("lib", files={"index.js": "module.exports = 42\n"}), "node_modules/lib"),
        scripts=["own"],
    )
    env = build(nix, lock)
    assert node(env, "require('own/made.js')") == 42
    made = (env / "node_modules/own").resolve()
    assert (made / "out.txt").read_text() == "pre tool 7\n"
    assert not list(made.parent.rglob(".bin"))


def test_what_is_not_allowed_does_not_run(nix: Nix, tmp_path: Path) -> None:
    """A script of another package does not run; the path of a package without scripts that run is the same whatever
    Node.js is given."""
    one = scripted(tmp_path, "one", {"postinstall": "echo one > ran"})
    two = scripted(tmp_path, "two", {"postinstall": "echo two > ran"})
    before = places(nix, write_npm_lock(tmp_path, one, two))
    lock = write_npm_lock(tmp_path, one, two, scripts=["one"])
    env = build(nix, lock)
    assert (env / "node_modules/one/ran").read_text() == "one\n"
    assert not (env / "node_modules/two/ran").exists()
    after = places(nix, lock, node=node_directory())
    assert after["node_modules/two"] == before["node_modules/two"]
    assert after["node_modules/one"] != before["node_modules/one"]


def test_what_a_script_is_told(nix: Nix, tmp_path: Path) -> None:
    """A script has the variables that npm's own run gives it, with the same values but for places and settings; and a
    home and a date of the build."""
    scripts = {"install": "node see.js"}
    more = {"config": {"port": 80, "list": ["a"]}, "engines": {"node": ">1"}, "bin": {"x": "./see.js"}}
    archive = make_tgz("@s/told", files={"see.js": SEE}, manifest={"scripts": scripts, **more})
    said = write_package(tmp_path, archive, "node_modules/@s/told", scripts=scripts, bin={"x": "see.js"})
    env = build(nix, write_npm_lock(tmp_path, said, scripts=["@s/told"]))
    seen = json.loads((env / "node_modules/@s/told/seen.json").read_text())
    ours: dict[str, str] = seen["env"]
    assert ours["npm_package_name"] == "@s/told" and ours["npm_lifecycle_event"] == "install"
    assert ours["SOURCE_DATE_EPOCH"] == "315532800"
    assert Path(ours["HOME"]).name == "home" and not Path(ours["HOME"]).exists()
    assert Path(seen["cwd"]) == (env / "node_modules/@s/told").resolve()

    project = tmp_path / "project"
    project.mkdir()
    file = Path(said["url"].removeprefix("file://"))
    (project / "package.json").write_text(json.dumps({"dependencies": {"@s/told": f"file:{file}"}}))
    npm("install", directory=project, home=tmp_path / "home", npm_config_ignore_scripts="false")
    theirs: dict[str, str] = json.loads((project / "node_modules/@s/told/seen.json").read_text())["env"]
    given = {key for key in theirs if key.startswith(("npm_", "NODE", "INIT")) and not key.startswith("npm_config_")}
    assert given - ours.keys() == _OF_A_PLACE
    same = given - _OF_A_PLACE - {"NODE_PATH", "INIT_CWD", "npm_command", "npm_package_json"}
    for key in {*same, *_SETTINGS}:
        assert Path(ours[key]).resolve() == Path(theirs[key]).resolve(), key


#: What npm says of a place in a project's tree.
_OF_A_PLACE = {f"npm_package_{key}" for key in ("dev", "dev_optional", "integrity", "optional", "peer", "resolved")}

#: What it says of itself.
_SETTINGS = {"npm_config_node_gyp", "npm_config_npm_version", "npm_config_user_agent"}


def test_a_script_that_fails_ends_the_build(nix: Nix, tmp_path: Path) -> None:
    """The message has the package, the script, its exit code, and the end of what it said."""
    lock = write_npm_lock(
        tmp_path, scripted(tmp_path, "bad", {"install": "echo no such compiler; exit 3"}), scripts=["bad"]
    )
    said = failure(nix, lock)
    assert "no such compiler" in said
    assert "the script install of bad 1.0.0 failed with exit code 3: echo no such compiler; exit 3" in said


def test_no_node(nix: Nix, tmp_path: Path) -> None:
    """Where no Node.js is given, all packages that need one are named, with the line that gives it; one that does not
    run is named too."""
    lock = write_npm_lock(
        tmp_path,
        *(scripted(tmp_path, name, {"install": "true"}) for name in ("one", "two", "three")),
        scripts=["one", "two"],
    )
    said = nix.refusal(PLACES, file=str(lock), system="x86_64-linux", more={})
    assert "no Node.js is given to run the install scripts that are allowed, of one two" in said
    assert 'write `node ? "/usr",`' in said
    assert "their Node.js does not" in failure(nix, lock, node=str(tmp_path))


def test_a_cycle_with_scripts(nix: Nix, tmp_path: Path) -> None:
    """Of packages that need each other, those run that are allowed, and see each other."""
    more: Json = {"cycle": "node_modules/a", "dependencies": {"a": "node_modules/a", "b": "node_modules/b"}}
    scripts = {"install": "node -p \"require('b')\" > ran"}
    a = make_tgz("a", manifest={"scripts": scripts})
    b = make_tgz("b", files={"index.js": "module.exports = 'b'\n"}, manifest={"scripts": scripts})
    lock = write_npm_lock(
        tmp_path,
        write_package(tmp_path, a, "node_modules/a", scripts=scripts, **more),
        write_package(tmp_path, b, "node_modules/b", scripts=scripts, **more),
        scripts=["a"],
    )
    env = build(nix, lock)
    assert (env / "node_modules/a/ran").read_text() == "b\n"
    assert not (env / "node_modules/b/ran").exists()


def test_a_binding_gyp_needs_node_gyp(nix: Nix, tmp_path: Path) -> None:
    """`node-gyp` is the one of the npm beside Node.js; where it has none, that is said before anything runs."""
    native = scripted(tmp_path, "native", {"install": "node-gyp rebuild"})
    lock = write_npm_lock(tmp_path, native, scripts=["native"])
    assert "binding.gyp not found" in failure(nix, lock)
    program = shutil.which("node-gyp", path="/usr/local/bin:/usr/bin:/bin")
    if program is None:
        bare = tmp_path / "bare/bin"
        bare.mkdir(parents=True)
        (bare / "node").symlink_to(node_programs() / "node")
        said = failure(nix, lock, node=str(bare.parent))
        assert "the script install of native 1.0.0 needs node-gyp, which is not there" in said
