"""Packages that are hard on links work as they do under pip: what the list calls nasty, one test each."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from corpus.entries import Entry, choose, read
from corpus.environments import Store, Workshop
from corpus.probing import Limits
from corpus.processes import Processes
from corpus.runner import Runner, said

LIST = Path(__file__).resolve().parents[2] / "corpus" / "packages.toml"

pytestmark = [pytest.mark.nix, pytest.mark.registry]


@pytest.fixture(scope="module")
def runner(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Runner]:
    """A runner with a store of its own, for all of them."""
    root = tmp_path_factory.mktemp("nasty")
    processes = Processes()
    store = Store(root / "nix")
    yield Runner(
        workshop=Workshop(processes=processes, store=store),
        work=root / "work",
        out=root / "out",
        limits=Limits(module=60, submodules=20, command=20, probe=240),
    )
    processes.stop()
    store.remove()


@pytest.mark.parametrize("entry", choose(read(LIST), [], nasty=True), ids=lambda entry: entry.name)
def test_it_works_as_it_does_under_pip(runner: Runner, entry: Entry) -> None:
    """Every probe that passes in pip's environment passes in nixgen's, from the same wheels."""
    result = runner.run(entry)
    assert result.sound, said(result)
    own = [one for one in result.compared if one.probe in entry.probes]
    assert [one.probe for one in own if one.pip.status != "pass"] == [], own
