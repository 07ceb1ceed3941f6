"""What a tree says of itself, written and read."""

from __future__ import annotations

import json
from pathlib import Path

import manifest
import pytest

from tests.builders.conftest import manifest_of

SAID = {
    "distribution": "demo",
    "version": "1.0",
    "index": "/nix/store/x-file.json",
    "copies": {"bin/tool": ["executable"]},
    "programs": [],
    "launchers": ["bin/tool"],
    "looking": [],
    "inspects": False,
    "scaffolds": [],
    "descend": ["lib"],
    "needed": ["libz.so.1"],
    "provides": [],
}


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    """A manifest is a file of JSON with each attribute by its name, and reading it gives the same attributes."""
    manifest.Manifest(**SAID).write(tmp_path)
    assert manifest_of(tmp_path) == SAID
    read = manifest.Manifest.read(tmp_path)
    assert {name: getattr(read, name) for name in SAID} == SAID


def test_a_tree_has_one_manifest(tmp_path: Path) -> None:
    """A manifest that is there is not overwritten, nor written through a link."""
    manifest.Manifest(**SAID).write(tmp_path)
    with pytest.raises(FileExistsError):
        manifest.Manifest(**{**SAID, "version": "2.0"}).write(tmp_path)
    assert json.loads((tmp_path / manifest.PATH).read_text())["version"] == "1.0"
