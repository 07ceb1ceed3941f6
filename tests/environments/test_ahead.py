"""``nixgen.environments.ahead``: trees that are built while other wheels arrive."""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from nixgen.environments.ahead import Ahead
from nixgen.store import Store
from tests.cli.test_build import nix_build
from tests.store.conftest import store as store  # a fixture
from tests.support.cli import Cli
from tests.support.server import WheelServer
from tests.support.wheels import make_wheel

pytestmark = pytest.mark.nix


def text(place: Path, script: str) -> Callable[[Sequence[str]], str]:
    """Return what gives an expression of derivations that run a script, each with its name as ``$name``."""
    words = f'builder = "/bin/sh"; args = [ "-c" "{script}" ]; place = "{place}";'
    one = f"derivation {{ inherit name; system = builtins.currentSystem; {words} }}"
    return lambda names: f"map (name: {one}) [ {' '.join(map(repr, names))} ]".replace("'", '"')


def test_what_is_told_is_built(store: Store, tmp_path: Path) -> None:
    """What arrives is built, and the end waits for it; a wheel of no package, and what cannot be built, are nothing."""
    script = "echo > $place/$name; test $name != bad && echo > $out"
    with Ahead(store, text(tmp_path, script), {"a.whl": "one", "b.whl": "bad"}) as ahead:
        ahead.arrived("c.whl")
        ahead.arrived("b.whl")
        deadline = time.monotonic() + 60
        while not (tmp_path / "bad").exists():
            assert time.monotonic() < deadline
            time.sleep(0.01)
        ahead.arrived("a.whl")
        while not (tmp_path / "one").exists():
            assert time.monotonic() < deadline
            time.sleep(0.01)
    assert any(path.name.endswith("-one") for path in Path(store.directory).iterdir())


def test_an_error_ends_what_is_built(store: Store, tmp_path: Path) -> None:
    """Where the rest is given up, as by an interrupt, so is the build."""
    began = time.monotonic()
    script = "echo > $place/$name; exec sleep 60"
    with (
        pytest.raises(KeyboardInterrupt),
        Ahead(store, text(tmp_path, f"PATH=/usr/bin:/bin; {script}"), {"a.whl": "long"}) as ahead,
    ):
        ahead.arrived("a.whl")
        while not (tmp_path / "long").exists():
            assert time.monotonic() < began + 60
            time.sleep(0.01)
        raise KeyboardInterrupt
    assert time.monotonic() < began + 50
    assert not any(path.name.endswith("-long") for path in Path(store.directory).iterdir())


def test_the_environment_is_the_same(empty_store: Cli, serve: Callable[..., WheelServer], tmp_path: Path) -> None:
    """Of trees that were built ahead the same environment is made as by Nix alone."""
    wheels = [make_wheel(name, "1.0", {f"{name}.py": name}) for name in ("one", "two", "three")]
    (empty_store.directory / "requirements.in").write_text("one\ntwo\nthree\n")
    empty_store("lock", "--default-index", serve(*wheels).index)
    code = (
        "from nixgen.environments import build\nbuild._WORTH_BUILDING_AHEAD = 0\n"
        "from nixgen.cli import main\nraise SystemExit(main())"
    )
    done = replace(empty_store, program=(sys.executable, "-c", code))("build", "--debug")
    assert re.search(r"running \S*nix-build --expr map ", done.stderr)
    assert nix_build(empty_store) == done.stdout.strip()
