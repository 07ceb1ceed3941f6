"""Packages that are hard on links work as they do under pip: what the list calls nasty, one test each."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

from corpus.entries import Entry, choose, read
from corpus.environments import Store, Workshop
from corpus.probing import Limits
from corpus.processes import Processes
from corpus.result import DIFFERS, Result
from corpus.runner import Runner, said

#: Submodules are imported by the command, one after another: for Django alone that takes a minute.
LIMITS = Limits(module=60, submodules=0, command=20, probe=240)

LIST = Path(__file__).resolve().parents[2] / "corpus" / "packages.toml"

pytestmark = [pytest.mark.nix, pytest.mark.registry]


@pytest.fixture(scope="module")
def running(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Mapping[str, Future[Result]]]:
    """Run the packages whose tests were chosen, as many at once as there are cores, with a store of their own."""
    root = tmp_path_factory.mktemp("nasty")
    processes = Processes()
    store = Store(root / "nix")
    runner = Runner(
        workshop=Workshop(processes=processes, store=store),
        work=root / "work",
        out=root / "out",
        limits=LIMITS,
    )
    tests = [getattr(item, "callspec", None) for item in request.session.items if item.parent is request.node]
    entries = [test.params["entry"] for test in tests if test is not None]
    with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        yield {entry.name: pool.submit(runner.run, entry) for entry in entries}
        processes.stop()
        pool.shutdown(cancel_futures=True)
    store.remove()


@pytest.mark.parametrize("entry", choose(read(LIST), [], nasty=True), ids=lambda entry: entry.name)
def test_it_works_as_it_does_under_pip(running: Mapping[str, Future[Result]], entry: Entry) -> None:
    """Every probe that passes in pip's environment passes in nixgen's, from the same wheels."""
    result = running[entry.name].result()
    assert result.sound, said(result)
    own = [one for one in result.compared if one.probe in entry.probes]
    assert [one.probe for one in own if one.peer.status != "pass"] == [], own


def test_what_is_built_of_its_source_works_as_the_wheel(tmp_path: Path) -> None:
    """A package in C that nixgen builds passes what its wheel passes; it was built, and not the wheel again."""
    store = Store(tmp_path / "nix")
    runner = Runner(
        workshop=Workshop(processes=Processes(), store=store),
        work=tmp_path / "work",
        out=tmp_path / "out",
        from_source=True,
        limits=LIMITS,
    )
    (entry,) = choose(read(LIST.with_name("sources.toml")), [], nasty=True)
    result = runner.run(entry)
    assert result.sound, said(result)
    (resources,) = [one for one in result.compared if one.probe.startswith("resources")]
    assert resources.verdict == DIFFERS  # gcc has built it, and here
    store.remove()
