"""Edges between packages: what Node.js would find from each place."""

from __future__ import annotations

import json
from typing import Any

from nixgen.npm import edges
from nixgen.npm.package_lock import PackageLock, parse


def _lock(**packages: dict[str, Any]) -> PackageLock:
    data = {"lockfileVersion": 3, "packages": {at.replace("root", ""): said for at, said in packages.items()}}
    return parse(json.dumps(data), where="package-lock.json")


def _named(lock: PackageLock) -> dict[str, dict[str, str]]:
    found = edges.edges_of(lock.entries)
    return {at: {name: edge.to for name, edge in own.items()} for at, own in found.items() if own}


def test_a_package_finds_the_nearest_above_it() -> None:
    """The version of a package that lies deeper is found by what lies there, and the other one by the rest."""
    lock = _lock(
        **{
            "root": {"dependencies": {"a": "1", "c": "1"}},
            "node_modules/a": {"dependencies": {"b": "1", "@s/d": "1"}},
            "node_modules/a/node_modules/b": {"dependencies": {"c": "1", "@s/d": "1"}},
            "node_modules/b": {},
            "node_modules/c": {"dependencies": {"b": "2"}},
            "node_modules/@s/d": {"dependencies": {"nowhere": "1"}},
        }
    )
    assert _named(lock) == {
        "": {"a": "node_modules/a", "c": "node_modules/c"},
        "node_modules/a": {"b": "node_modules/a/node_modules/b", "@s/d": "node_modules/@s/d"},
        "node_modules/a/node_modules/b": {"c": "node_modules/c", "@s/d": "node_modules/@s/d"},
        "node_modules/c": {"b": "node_modules/b"},
    }


def test_peers_that_are_there_are_found_and_optional_ones_are_known() -> None:
    """A peer is an edge as a dependency is; one that may be absent is an optional edge, and none where it is absent."""
    lock = _lock(
        **{
            "node_modules/a": {
                "peerDependencies": {"b": "*", "c": "*", "d": "*"},
                "peerDependenciesMeta": {"c": {"optional": True}, "d": {"optional": True}},
            },
            "node_modules/b": {},
            "node_modules/c": {},
        }
    )
    assert edges.edges_of(lock.entries)["node_modules/a"] == {
        "b": edges.Edge(to="node_modules/b", optional=False),
        "c": edges.Edge(to="node_modules/c", optional=True),
    }


def test_only_directories_of_the_project_have_needs_of_development() -> None:
    """``devDependencies`` count for the project and what links end at, and not for what is installed."""
    lock = _lock(
        **{
            "root": {"devDependencies": {"b": "1"}, "workspaces": ["packages/*"]},
            "packages/a": {"name": "a", "devDependencies": {"b": "1", "c": "1"}},
            "packages/a/node_modules/b": {"devDependencies": {"c": "1"}},
            "node_modules/a": {"resolved": "packages/a", "link": True},
            "node_modules/b": {},
            "node_modules/c": {},
        }
    )
    assert _named(lock) == {
        "": {"b": "node_modules/b"},
        "packages/a": {"b": "packages/a/node_modules/b", "c": "node_modules/c"},
    }
    assert lock.workspaces == ("packages/a",)


def test_what_lies_beside_the_project_finds_nothing_in_it() -> None:
    """From a directory beside the project, what is in it is not above."""
    lock = _lock(
        **{
            "../lib": {"name": "lib", "dependencies": {"b": "1", "c": "1"}},
            "../lib/node_modules/b": {},
            "node_modules/lib": {"resolved": "../lib", "link": True},
            "node_modules/c": {},
        }
    )
    assert _named(lock) == {"../lib": {"b": "../lib/node_modules/b"}}


def test_bundled_packages_count_to_the_one_that_has_them() -> None:
    """What a bundled package finds outside of the archive is an edge of the archive's; what is inside is none."""
    lock = _lock(
        **{
            "node_modules/a": {"dependencies": {"b": "1"}, "bundleDependencies": ["b"]},
            "node_modules/a/node_modules/b": {"inBundle": True, "dependencies": {"c": "1", "d": "1"}},
            "node_modules/a/node_modules/c": {"inBundle": True},
            "node_modules/d": {"dependencies": {"e": "1"}},
            "node_modules/e": {"inBundle": True},
        }
    )
    held = edges.holders(lock.entries)
    assert held == {
        "node_modules/a/node_modules/b": "node_modules/a",
        "node_modules/a/node_modules/c": "node_modules/a",
    }
    assert _folded(lock) == {
        "node_modules/a": {"d": "node_modules/d"},
        "node_modules/d": {"e": "node_modules/e"},
        "node_modules/e": {},
    }


def _folded(lock: PackageLock) -> dict[str, dict[str, str]]:
    found = edges.folded(
        {at: {name: edge.to for name, edge in own.items()} for at, own in edges.edges_of(lock.entries).items()},
        edges.holders(lock.entries),
    )
    return {at: own for at, own in found.items() if at}


def test_a_package_of_the_same_name_lies_inside() -> None:
    """An older one of the same, and one that only a bundled package finds, cannot lie beside: the key says where."""
    lock = _lock(
        **{
            "node_modules/a": {"dependencies": {"a": "0", "b": "1", "c": "2"}},
            "node_modules/a/node_modules/a": {"version": "0.9.0"},
            "node_modules/a/node_modules/b": {"inBundle": True, "dependencies": {"c": "1"}},
            "node_modules/a/node_modules/b/node_modules/c": {"version": "1.0.0"},
            "node_modules/c": {"version": "2.0.0"},
        }
    )
    assert _folded(lock)["node_modules/a"] == {
        "a/node_modules/a": "node_modules/a/node_modules/a",
        "c": "node_modules/c",
        "a/node_modules/b/node_modules/c": "node_modules/a/node_modules/b/node_modules/c",
    }


def test_an_optional_package_takes_along_whoever_cannot_do_without_it() -> None:
    """Where an optional package does not fit, what needs it goes, and what only that needed; npm's rule."""
    lock = _lock(
        **{
            "root": {"optionalDependencies": {"outer": "1"}, "dependencies": {"kept": "1"}},
            "node_modules/outer": {"optional": True, "dependencies": {"native": "1", "kept": "1", "alone": "1"}},
            "node_modules/native": {"optional": True, "os": ["win32"]},
            "node_modules/alone": {"optional": True, "dependencies": {"deeper": "1"}},
            "node_modules/deeper": {"optional": True},
            "node_modules/kept": {},
        }
    )
    found = edges.edges_of(lock.entries)
    assert edges.optional_set(["node_modules/native"], found, edges.sources_of(found)) == {
        "node_modules/native",
        "node_modules/outer",
        "node_modules/alone",
        "node_modules/deeper",
    }


def test_an_optional_package_that_is_asked_for_optionally_goes_alone() -> None:
    """Who asks for a package optionally stays where it goes."""
    lock = _lock(
        **{
            "root": {"dependencies": {"esbuild": "1"}},
            "node_modules/esbuild": {"optionalDependencies": {"native": "1"}},
            "node_modules/native": {"optional": True, "os": ["win32"]},
        }
    )
    found = edges.edges_of(lock.entries)
    assert edges.optional_set(["node_modules/native"], found, edges.sources_of(found)) == {"node_modules/native"}


def test_cycles_are_named_after_their_smallest_place() -> None:
    """Packages that need each other, over any way, have one name; who only needs them has none."""
    graph = {"x": ["b"], "b": ["c"], "c": ["a", "d"], "a": ["b"], "d": [], "e": ["f"], "f": ["e", "a"]}
    assert edges.cycles(graph) == {"a": "a", "b": "a", "c": "a", "e": "e", "f": "e"}


def test_a_long_chain_is_no_deep_call() -> None:
    """Ten thousand packages in a row that end where they begin are one cycle."""
    graph = {f"{number:05}": [f"{(number + 1) % 10_000:05}"] for number in range(10_000)}
    assert set(edges.cycles(graph).values()) == {"00000"}
