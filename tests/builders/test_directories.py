"""The rules by which whole directories become copies."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping

import directories
import pytest


def found(paths: Iterable[str], contents: Mapping[str, str] | None = None) -> dict[str, list[str]]:
    """Return the reasons of a wheel's files; those without a content here are empty."""
    reasons: dict[str, list[str]] = directories.reasons(paths, lambda path: (contents or {}).get(path, "").encode())
    return reasons


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
    assert copied == {path: ["subtree"] for path in NODE if path.startswith("demo/driver/package/")}


@pytest.mark.parametrize(
    "text",
    ['{"main": "src/index.js"}', '{"name": "x", "jupyterlab": {"extension": true}}', '{"exports": {".": "./out/x"}}'],
)
def test_what_is_bundled_for_a_browser_is_no_node_package(text: str) -> None:
    """A package.json that names files which are not there, or that is JupyterLab's, copies nothing for Node.js."""
    copied = found(NODE, {"demo/driver/package/package.json": text})
    assert not [path for path, reasons in copied.items() if "subtree" in reasons]


@pytest.mark.parametrize("text", ["", "[]", "{", '"x"', "[" * 5000, '{"main": 3}'], ids=lambda text: text[:5])
def test_a_description_that_says_nothing_is_a_node_package(text: str) -> None:
    """What cannot be decided is copied."""
    assert "demo/driver/package/cli.js" in found(NODE, {"demo/driver/package/package.json": text})


def test_a_node_package_without_scripts_is_data() -> None:
    """A package.json alone, as a template or a test has it, copies nothing."""
    assert found(["demo/package.json", "demo/a.txt"]) == {}


def test_a_package_of_both_kinds_is_copied_for_node() -> None:
    """Where a Python package has a package.json, what Node.js loads is copied and the rest is not."""
    paths = ["demo/__init__.py", "demo/package.json", "demo/run.mjs", "demo/a.py", "demo/data.bin"]
    assert found(paths) == {"demo/package.json": ["subtree"], "demo/run.mjs": ["subtree"]}


@pytest.mark.parametrize(
    "home", [["lib/modules", "release"], ["lib/server/libjvm.so"], ["lib/server/libjvm.dylib"]], ids=str
)
def test_a_java_runtime_is_copied_as_a_whole(home: list[str]) -> None:
    """A runtime, known by its modules or its library, is copied with its settings, but not its archives of classes."""
    inside = [f"demo/java/{path}" for path in [*home, "conf/net.properties", "bin/java"]]
    copied = found([*inside, "demo/java/jmods/java.base.jmod", "demo/a.jar", "demo/lib/other"])
    assert copied == {path: ["subtree"] for path in inside if path != "demo/java/lib/modules"}


WEB = {
    "demo/static/index.html": True,
    "demo/static/js/app.js": True,
    "demo/static/img/logo.png": True,
    "demo/page/index.html": True,
    "demo/page/fonts/a.woff2": True,
    "demo/page/js/app.js": True,
    "demo/static/a.py": False,
    "demo/static/data.parquet": False,
    "demo/templates/base.html": False,
    "demo/images/logo.png": False,
    "demo/data.json": False,
    "app/apps.py": False,
    "app/static/app/app.css": False,
    "demo/labextension/static/a.js": False,
    "demo-1.0.data/data/share/jupyter/labextensions/demo/static/a.js": True,
}


@pytest.mark.parametrize("path", WEB)
def test_what_browsers_ask_for_is_copied(path: str) -> None:
    """Web files in a directory with code for browsers are copies; sources, templates, data and Django's are not."""
    assert found(WEB).get(path, []) == (["served"] if WEB[path] else [])
