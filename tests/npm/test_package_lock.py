"""What package-lock.json says."""

from __future__ import annotations

import json
from typing import Any

import pytest

from nixgen.errors import InputError
from nixgen.npm.names import commands
from nixgen.npm.package_lock import is_workspace, parse


def _text(packages: dict[str, Any], version: int = 3) -> str:
    return json.dumps({"name": "app", "lockfileVersion": version, "packages": packages})


@pytest.mark.parametrize("version", [2, 3])
def test_an_entry_says_what_it_is_and_why_it_is_there(version: int) -> None:
    """Formats 2 and 3 say the same; an alias has the name of its archive, a scope is a part of the name."""
    lock = parse(
        _text(
            {
                "": {"name": "app"},
                "node_modules/old": {
                    "name": "@s/new",
                    "version": "1.0.0",
                    "bin": "./x.js",
                    "os": "linux",
                    "devOptional": True,
                },
                "node_modules/gone": {"version": "1.0.0", "extraneous": True},
            },
            version,
        ),
        where="package-lock.json",
    )
    assert list(lock.entries) == ["", "node_modules/old"]
    entry = lock.entries["node_modules/old"]
    assert (entry.name, entry.version, entry.bin, entry.os) == ("@s/new", "1.0.0", {"new": "x.js"}, ("linux",))
    assert (entry.dev, entry.optional, entry.dev_optional) == (False, False, True)
    assert lock.name == "app"


def test_a_lock_of_npm_6_says_how_it_becomes_a_newer_one() -> None:
    """Format 1 has no places: the error says what writes another format, with the same versions."""
    with pytest.raises(InputError) as caught:
        parse(json.dumps({"lockfileVersion": 1, "dependencies": {}}), where="package-lock.json")
    assert "format 1" in caught.value.what
    assert "npm install --package-lock-only" in (caught.value.todo or "")


def test_all_places_that_cannot_be_are_named_at_once() -> None:
    """A place that leaves the project, a name that is none, a link that ends nowhere: each is a line of one error."""
    places = {
        "node_modules/../../../etc": {},
        "/node_modules/a": {},
        "node_modules/a/../b": {},
        "node_modules/.hidden": {},
        "node_modules/a b": {},
        "node_modules/a/node_modules/node_modules": {},
        "node_modules/b": {"name": "../b"},
        "node_modules/link": {"resolved": "packages/none", "link": True},
        "a/../../b": {},
    }
    with pytest.raises(InputError) as caught:
        parse(_text({**places, "node_modules/good": {}, "../beside": {}}), where="package-lock.json")
    lines = caught.value.what.splitlines()[1:]
    assert len(lines) == len(places)
    assert all(repr(place) in line for place, line in zip(places, lines, strict=True))


@pytest.mark.parametrize(
    "text", ["", "[]", "{", "null", '{"lockfileVersion": 3}', '{"lockfileVersion": 3, "packages": 1}']
)
def test_what_is_no_lock_is_an_error(text: str) -> None:
    """Whatever else stands in the file, the error names it and says what to run."""
    with pytest.raises(InputError) as caught:
        parse(text, where="here/package-lock.json")
    assert "npm install --package-lock-only" in (caught.value.todo or "")


def test_a_conflict_is_said_with_its_line() -> None:
    """A lock with the marks of a merge says so, and where."""
    with pytest.raises(InputError) as caught:
        parse('{\n<<<<<<< HEAD\n "a": 1\n=======\n>>>>>>> b\n}', where="package-lock.json")
    assert "conflict" in caught.value.what
    assert caught.value.where == "package-lock.json:2"


@pytest.mark.parametrize(
    ("directory", "patterns", "is_one"),
    [
        ("packages/a", ["packages/*"], True),
        ("packages/a/b", ["packages/*"], False),
        ("packages/a/b", ["packages/**"], True),
        ("packages/a", ["./packages/a"], True),
        ("packages/a/", {"packages": ["packages/*"]}, False),
        ("packages/a", {"packages": ["packages/*"]}, True),
        ("packages/a", ["packages/*", "!packages/a"], False),
        ("apps/a", ["{apps,libs}/*"], True),
        ("deep/er/a", ["**/a"], True),
        ("a", None, False),
    ],
)
def test_workspaces_are_directories_that_a_pattern_fits(directory: str, patterns: Any, is_one: bool) -> None:
    """Patterns are those of npm: ``*`` in a part, ``**`` over parts, ``!`` takes away."""
    assert is_workspace(directory, patterns) is is_one


@pytest.mark.parametrize(
    ("bin", "found"),
    [
        ("./cli.js", {"pkg": "cli.js"}),
        ({"x": "../../../etc/passwd"}, {"x": "etc/passwd"}),
        ({"../../x": "x.js"}, {"x": "x.js"}),
        ({"C:\\x": "a\\b.js"}, {"x": "a/b.js"}),
        ({"..": "x.js", "": "x.js", "a": 1}, {}),
        (["bin/one", "bin/two"], {"one": "bin/one", "two": "bin/two"}),
        (None, {}),
    ],
)
def test_commands_stay_in_their_directory_and_package(bin: Any, found: dict[str, str]) -> None:
    """A command's name has no directory and its path does not leave the package, whatever is said."""
    assert commands(bin, "pkg") == found
