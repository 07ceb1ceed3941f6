"""``nixgen clean`` of packages of npm."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support.cli import Cli
from tests.support.npm import NpmRegistry, npm_package
from tests.support.npm_locks import of_registry, write_npm_project

pytestmark = pytest.mark.nix


def test_what_node_modules_leads_to_stays(empty_store: Cli) -> None:
    """node_modules keeps its packages and those of before alone; archives of the cache are said, and come again."""
    cli = empty_store
    gone, before, kept = (npm_package(name) for name in ("gone", "before", "kept"))
    with NpmRegistry([gone, before, kept]) as registry:
        for package in (gone, before, kept):
            write_npm_project(cli.directory, of_registry(registry, package))
            cli("size")  # brings the archive into the cache
            cli("venv")
        said = json.loads(cli("clean", "--dry-run", "--json").stdout)
        assert said["cache"] > said["npm"] > len(kept.archive) + len(gone.archive)
        assert "of it archives of npm's packages" in cli("clean", "--yes").stderr
        store = Path(cli.environment["NIX_STORE_DIR"])
        assert [path for path in store.iterdir() if "gone" in path.name] == []
        assert (cli.directory / "node_modules/kept/index.js").is_file()
        assert json.loads(cli("clean", "--dry-run", "--json").stdout)["npm"] == 0
        asked = len(registry.archives)
        cli("venv")
        assert len(registry.archives) == asked
        cli("size")
        assert registry.archives[asked:] == ["kept-1.0.0.tgz"]
