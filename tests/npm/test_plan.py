"""From package-lock.json and archives to the section of the lock, and its text."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from nixgen.errors import InputError
from nixgen.lock import Lock
from nixgen.npm.model import NpmArchive, NpmLock, NpmPackage
from nixgen.npm.package_lock import parse
from nixgen.npm.plan import Seen, installed, plan

SRI = "sha512-" + "A" * 86 + "=="


def _seen(at: str, **more: Any) -> Seen:
    return Seen(archive=NpmArchive(url=f"https://host.invalid/{at}.tgz", integrity=SRI, size=1), **more)


def _planned(packages: dict[str, Any], **seen: Seen) -> dict[str, NpmPackage]:
    lock = parse(json.dumps({"lockfileVersion": 3, "packages": packages}), where="package-lock.json")
    found = plan(lock, {at: seen.get(at, _seen(at)) for at in installed(lock)})
    return {package.at: package for package in found.packages}


def test_a_link_is_a_line_with_what_it_ends_at() -> None:
    """A workspace is a link with the name, version and commands of its directory; what lies there is a place."""
    found = _planned(
        {
            "": {"workspaces": ["packages/*"]},
            "packages/a": {"name": "a", "version": "2.0.0", "bin": {"a": "a.js"}, "dev": True},
            "packages/a/node_modules/b": {"version": "1.0.0"},
            "node_modules/a": {"resolved": "packages/a", "link": True},
        }
    )
    assert found["node_modules/a"] == NpmPackage(
        at="node_modules/a", name="a", version="2.0.0", link="packages/a", bin={"a": "a.js"}, dev=True
    )
    assert found.keys() == {"node_modules/a", "packages/a/node_modules/b"}


def test_what_sources_import_becomes_an_edge_where_npm_has_it() -> None:
    """An import that nobody declares is an edge if the package lies where Node.js looks; else there is none."""
    found = _planned(
        {
            "node_modules/a": {"dependencies": {"b": "1"}},
            "node_modules/b": {},
            "node_modules/c": {},
            "node_modules/d": {"dependencies": {"a": "1"}},
        },
        **{"node_modules/a": _seen("a", imports={"": ["a", "b", "d", "nowhere"]})},
    )
    package = found["node_modules/a"]
    assert package.dependencies == {"b": "node_modules/b", "d": "node_modules/d"}
    assert package.undeclared == ("d",)
    assert [found[at].cycle for at in found] == ["node_modules/a", None, None, "node_modules/a"]


def test_what_is_loaded_by_a_name_that_is_given_becomes_an_edge() -> None:
    """Express requires the template engine that it is told of: those that are there are edges, whatever they are of; as
    is the command line that webpack's program looks for."""
    found = _planned(
        {
            "node_modules/express": {},
            "node_modules/ejs": {},
            "node_modules/webpack": {},
            "node_modules/webpack-cli": {},
            "node_modules/web": {"dependencies": {"express": "1"}},
            "node_modules/web/node_modules/express": {},
            "node_modules/web/node_modules/pug": {"dependencies": {"ejs": "1"}},
        }
    )
    assert found["node_modules/express"].dependencies == {"ejs": "node_modules/ejs"}
    assert found["node_modules/express"].undeclared == ("ejs",)
    assert found["node_modules/webpack"].dependencies == {"webpack-cli": "node_modules/webpack-cli"}
    inner = found["node_modules/web/node_modules/express"].dependencies
    assert inner == {"ejs": "node_modules/ejs", "pug": "node_modules/web/node_modules/pug"}


def test_what_several_packages_for_other_systems_need_goes_with_all_of_them() -> None:
    """As sharp's for WebAssembly, which two need, each for one system: it stays with either; so does what more need."""
    found = _planned(
        {
            "node_modules/sharp": {"optionalDependencies": {"bsd": "1", "web": "1", "more": "1"}},
            "node_modules/bsd": {"optional": True, "os": ["freebsd"], "dependencies": {"wasm": "1"}},
            "node_modules/web": {"optional": True, "cpu": ["wasm32"], "dependencies": {"wasm": "1", "own": "1"}},
            "node_modules/wasm": {"optional": True, "dependencies": {"runtime": "1", "more": "1"}},
            "node_modules/runtime": {"optional": True},
            "node_modules/more": {"optional": True},
            "node_modules/own": {"optional": True},
        }
    )
    both = ("node_modules/bsd", "node_modules/web")
    assert {at: one.serves for at, one in found.items() if one.serves} == {
        "node_modules/wasm": both,
        "node_modules/runtime": both,
    }
    assert {at: one.drops for at, one in found.items() if one.drops} == {"node_modules/web": ("node_modules/own",)}


def test_a_bundled_package_has_no_line_and_its_imports_count_to_the_archive() -> None:
    """What a bundled package imports is looked for from where it lies: first in the archive, then above it."""
    found = _planned(
        {
            "node_modules/a": {"bundleDependencies": ["b"], "dependencies": {"b": "1"}},
            "node_modules/a/node_modules/b": {"inBundle": True},
            "node_modules/a/node_modules/c": {"inBundle": True},
            "node_modules/c": {},
            "node_modules/d": {},
        },
        **{"node_modules/a": _seen("a", imports={"node_modules/b": ["c", "d"]})},
    )
    assert found.keys() == {"node_modules/a", "node_modules/c", "node_modules/d"}
    assert found["node_modules/a"].dependencies == {"d": "node_modules/d"}


def test_the_section_survives_its_text(tmp_path: Path) -> None:
    """A section that is read from the text of a lock writes the same bytes, and says all that it said."""
    section = NpmLock(
        name="app",
        workspaces=("packages/a",),
        scripts=("native",),
        packages=(
            NpmPackage(at="node_modules/a", name="a", version="", link="../a"),
            NpmPackage(
                at="node_modules/old",
                name="@s/new",
                version="1.0.0",
                archive=NpmArchive(path="new.tgz", integrity=SRI, size=3),
                dependencies={"z": "node_modules/z", "b": "node_modules/a"},
                undeclared=("b",),
                bin={"x": "x.js"},
                os=("linux", "!win32"),
                cpu=("x64",),
                libc=("glibc",),
                optional=True,
                scripts={"preinstall": "b", "install": "a"},
                drops=("node_modules/z",),
                serves=("node_modules/a", "node_modules/z"),
                cycle="node_modules/old",
            ),
            NpmPackage(
                at="node_modules/z",
                name="z",
                version="1.0.0",
                archive=NpmArchive(url="https://host.invalid/z.tgz", integrity=SRI, size=3),
                dev=True,
                dev_optional=True,
                peer=True,
            ),
        ),
    )
    lock = Lock(targets=(), wheels={}, npm=section)
    path = tmp_path / "nixgen.lock"
    path.write_text(lock.to_text())
    read = Lock.from_file(path)
    assert read.npm == section
    assert read.to_text() == lock.to_text()
    assert "npm" not in json.loads(Lock(targets=(), wheels={}).to_text())


@pytest.mark.parametrize(
    "damage",
    [
        ('"integrity": "sha512-', '"integrity": "sha1-'),
        ('"url": ', '"urls": '),
        ('"at": ', '"place": '),
        ('"size": 3', '"link": "x", "size": 3'),
    ],
)
def test_a_damaged_section_is_a_damaged_lock(tmp_path: Path, damage: tuple[str, str]) -> None:
    """A package without place, hash or URL is said to be damage, and no traceback."""
    archive = NpmArchive(url="https://host.invalid/z.tgz", integrity=SRI, size=3)
    package = NpmPackage(at="node_modules/z", name="z", version="1.0.0", archive=archive)
    path = tmp_path / "nixgen.lock"
    path.write_text(Lock(targets=(), wheels={}, npm=NpmLock(packages=(package,))).to_text().replace(*damage))
    with pytest.raises(InputError, match="the lock is damaged"):
        Lock.from_file(path)
