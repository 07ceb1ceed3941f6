"""npm's record of what stands in a node_modules, beside what npm itself writes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from nixgen.library import builder_module

lockfile = builder_module("npm_lockfile")


@pytest.mark.parametrize(
    ("said", "recorded"),
    [
        ({"bin": {"a": "./bin/a.js", "b": "/b.js", "c": 1}}, {"bin": {"a": "bin/a.js", "b": "b.js"}}),
        ({"name": "@s/one", "bin": "./one.js"}, {"bin": {"one": "one.js"}}),
        ({"bin": ["tools/x.js"]}, {"bin": {"x.js": "tools/x.js"}}),
        ({"bin": {"../../x": "../../x.js", "": "y"}}, {"bin": {"x": "x.js"}}),
        ({"bin": {}}, {}),
        ({"funding": "https://a.example"}, {"funding": {"url": "https://a.example"}}),
        ({"funding": ["https://a.example"]}, {"funding": ["https://a.example"]}),
        ({"license": {"type": "MIT", "url": "u"}}, {"license": "MIT"}),
        ({"workspaces": ["packages/*"]}, {"workspaces": ["packages/*"]}),
        ({"dependencies": {"a": "1"}, "bundledDependencies": True}, {"bundleDependencies": ["a"]}),
        ({"dependencies": {"a": "1", "b": "2"}, "optionalDependencies": {"b": "2"}}, {"dependencies": {"a": "1"}}),
    ],
)
def test_a_package_as_npm_has_it(said: dict[str, Any], recorded: dict[str, Any], tmp_path: Path) -> None:
    """What a package.json says in one of several ways stands in the record in the one that npm has."""
    (tmp_path / "package.json").write_text(json.dumps({"name": "one", "version": "1.0.0", **said}))
    at = f"node_modules/{said.get('name', 'one')}"
    archive = {"url": "https://r.example/one.tgz", "integrity": "sha512-x"}
    package = {"at": at, "path": str(tmp_path), "flags": [], **archive}
    found = json.loads(lockfile.text("app", [package]))["packages"][at]
    assert found.items() >= recorded.items()
    assert found.keys() - said.keys() <= {"version", "resolved", "integrity"} | recorded.keys()
    assert "bin" in recorded or "bin" not in found
