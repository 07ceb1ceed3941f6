"""What install scripts of npm's packages find."""

from __future__ import annotations

import subprocess
from pathlib import Path

import npm_scripts
import pytest


def test_a_command_without_env(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where there is no /usr/bin/env, as in a sandbox, a command starts by what its first line names; none leads out of
    its package."""
    monkeypatch.setattr(npm_scripts, "_ENV", str(tmp_path / "env"))
    program = tmp_path / "node_modules/a b/cli.sh"
    program.parent.mkdir(parents=True)
    program.write_text(f"#!{tmp_path}/env sh\necho ran $1\n")
    (program.parent / "package.json").write_text('{"name": "a b", "bin": {"cli": "../../cli.sh"}}')
    made = npm_scripts._link_commands(str(tmp_path / "node_modules"))
    assert subprocess.check_output([*made, "x"], text=True) == "ran x\n"


def test_what_a_package_says_of_itself() -> None:
    """Tables, lists and words of package.json become variables as npm makes them."""
    said = {"name": "n", "config": {"a": {"b": [1, True]}, "off": False, "none": None}, "bin": "./x.js", "main": "no"}
    assert npm_scripts._of_package(said) == {
        "npm_package_name": "n",
        "npm_package_config_a_b_0": "1",
        "npm_package_config_a_b_1": "true",
        "npm_package_config_off": "",
        "npm_package_config_none": "",
        "npm_package_bin_n": "x.js",
    }
