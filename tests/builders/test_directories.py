"""The rules by which whole directories become copies."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping

import directories
import pytest


def found(paths: Iterable[str], contents: Mapping[str, str] | None = None) -> set[str]:
    """Return the files that a loader resolves; those without a content here are empty."""
    programs = directories.programs(paths, lambda path: (contents or {}).get(path, "").encode())
    return {path for path, resolved in programs.items() if resolved}


NODE = [
    "demo/__init__.py",
    "demo/driver/node",
    "demo/driver/package/package.json",
    "demo/driver/package/cli.js",
    "demo/driver/package/lib/x.js",
    "demo/driver/package/lib/template.txt",
]


@pytest.mark.parametrize(
    "description",
    [
        {"type": "commonjs"},
        {"main": "cli.js"},
        {"main": "./cli"},
        {"bin": {"demo": "./cli.js"}},
        {"main": "gone.js", "exports": {".": {"require": "./lib/x.js"}}},
    ],
    ids=str,
)
def test_a_node_package_is_copied_as_a_whole(description: dict[str, object]) -> None:
    """Everything below a package.json with scripts is a copy, and nothing beside it."""
    copied = found(NODE, {"demo/driver/package/package.json": json.dumps(description)})
    assert copied == {path for path in NODE if path.startswith("demo/driver/package/")}


@pytest.mark.parametrize(
    "text",
    ['{"main": "src/index.js"}', '{"name": "x", "jupyterlab": {"extension": true}}', '{"exports": {".": "./out/x"}}'],
)
def test_what_is_bundled_for_a_browser_is_no_node_package(text: str) -> None:
    """A package.json that names files which are not there, or that is JupyterLab's, copies nothing for Node.js."""
    assert found(NODE, {"demo/driver/package/package.json": text}) == set()


@pytest.mark.parametrize("text", ["", "[]", "{", '"x"', "[" * 5000, '{"main": 3}'], ids=lambda text: text[:5])
def test_a_description_that_says_nothing_is_a_node_package(text: str) -> None:
    """What cannot be decided is copied."""
    assert "demo/driver/package/cli.js" in found(NODE, {"demo/driver/package/package.json": text})


def test_a_node_package_without_scripts_is_data() -> None:
    """A package.json alone, as a template or a test has it, copies nothing."""
    assert found(["demo/package.json", "demo/a.txt"]) == set()


def test_a_package_of_both_kinds_is_copied_for_node() -> None:
    """Where a Python package has a package.json, what Node.js loads is copied and the rest is not."""
    paths = ["demo/__init__.py", "demo/package.json", "demo/run.mjs", "demo/a.py", "demo/data.bin"]
    assert found(paths) == {"demo/package.json", "demo/run.mjs"}


def test_pages_of_a_package_of_both_kinds_are_no_programs() -> None:
    """What lies below a page in such a package is a browser's: Gradio's front end, half of its bytes."""
    paths = ["demo/__init__.py", "demo/package.json", "demo/web/index.html", "demo/web/a/x.js", "demo/node/server.js"]
    assert found(paths) == {"demo/package.json", "demo/node/server.js"}
    assert found([*paths, "demo/index.html"]) == {"demo/package.json", "demo/node/server.js"}


def test_what_a_node_program_reads_itself_is_a_link() -> None:
    """Maps and stubs are opened by their paths as written: they belong to the program, and are not resolved."""
    data = ["demo/driver/package/cli.js.map", "demo/driver/package/stubs/os.pyi", "demo/driver/package/x.d.ts"]
    programs = directories.programs([*NODE, *data], lambda _: b"{}")
    assert programs["demo/driver/package/cli.js"] is True
    assert [programs[path] for path in data] == [False, False, False]


@pytest.mark.parametrize(
    ("described", "more", "known"),
    [
        ({"bin": {"demo": "run.js"}}, [], True),
        ({"bin": "./run.js"}, [], True),
        ({"main": "run.js"}, [], False),
        ({"bin": "gone.js", "main": "run.js"}, [], False),
        ({"bin": "run.js"}, ["demo/help/index.html"], False),
        ({"bin": "run.js", "jupyterlab": {}}, [], False),
    ],
    ids=str,
)
def test_data_of_a_command_in_a_package_of_both_kinds_is_the_programs(
    described: dict[str, object], more: list[str], known: bool
) -> None:
    """Where a Python package has a command of Node.js' and no pages, its maps and stubs are no browser's."""
    data = ["demo/dist/run.js.map", "demo/dist/stubs/os.pyi"]
    paths = ["demo/__init__.py", "demo/package.json", "demo/run.js", "demo/dist/image.png", *data, *more]
    programs = directories.programs(paths, lambda _: json.dumps(described).encode())
    assert {path for path, resolved in programs.items() if not resolved} == (set(data) if known else set())


def test_a_node_program_with_pages_is_copied_as_a_whole() -> None:
    """Such a program may serve them, and refuse links as Playwright's does."""
    paths = [
        *NODE,
        "demo/driver/package/cli.js.map",
        "demo/driver/package/ui/index.html",
        "demo/driver/package/ui/a.ttf",
    ]
    assert found(paths) == {path for path in paths if path.startswith("demo/driver/package/")}


@pytest.mark.parametrize(
    "home", [["lib/modules", "release"], ["lib/server/libjvm.so"], ["lib/server/libjvm.dylib"]], ids=str
)
def test_a_java_runtime_is_copied_as_a_whole(home: list[str]) -> None:
    """A runtime, known by its modules or its library, is copied with its settings, but not its archives of classes."""
    inside = [f"demo/java/{path}" for path in [*home, "conf/net.properties", "bin/java"]]
    copied = found([*inside, "demo/java/jmods/java.base.jmod", "demo/a.jar", "demo/lib/other"])
    assert copied == {path for path in inside if path != "demo/java/lib/modules"}
