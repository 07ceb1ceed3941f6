"""``nixgen.ingest``: what gets into the store, and what never does."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from nixgen.errors import InputError, NetworkError, VerificationError
from nixgen.ingest import IngestReport, ingest
from nixgen.leaf import leaf_path
from nixgen.model import WheelSource
from nixgen.observer import Progress
from nixgen.store import Store
from nixgen.wheels.index import index_all
from tests.ingest.conftest import leaves, nothing_left, served
from tests.support.server import WheelServer
from tests.support.wheels import make_wheel, nix_sha256, write_wheel

pytestmark = pytest.mark.nix

Serve = Callable[..., WheelServer]


def test_every_leaf_arrives_once(store: Store, serve: Serve, unique: str, tmp_path: Path) -> None:
    """All leaves are valid afterwards, empty files make none, equal files one, and nothing temporary stays."""
    one = make_wheel("one", "1.0", {"a.py": unique, "b.py": unique, "c": unique, "empty.py": ""})
    two = make_wheel("two", "1.0", {"d.py": unique, "e.so": f"e {unique}"})
    indexes = served(serve(one, two))
    report = ingest(indexes, store, base=tmp_path)
    wanted = leaves(store, indexes)
    assert store.invalid(wanted) == set()
    assert report.leaves == len(wanted) == 8  # a.py is b.py and d.py, and both have one WHEEL
    assert report.wheels == 2 and report.downloaded >= len(one[1]) + len(two[1])
    assert ingest(indexes, store, base=tmp_path) == IngestReport(leaves=8, added=0, wheels=0, tied=0, downloaded=0)
    assert nothing_left(tmp_path)


def test_a_wheel_has_arrived_when_the_store_has_all_of_it(
    store: Store, serve: Serve, unique: str, tmp_path: Path
) -> None:
    """Each wheel is told once the store has its leaves, those of other wheels too; at once, if it had."""
    wheels = [make_wheel(name, "1.0", {f"{name}.py": f"{name} {unique}", "shared.py": unique}) for name in "abc"]
    indexes = {index.source.filename: index for index in served(serve(*wheels))}
    told: list[str] = []

    def arrived(name: str) -> None:
        assert store.invalid(leaves(store, [indexes[name]])) == set()
        told.append(name)

    ingest([*indexes.values()][:1], store, base=tmp_path)
    for _ in range(2):
        told.clear()
        ingest(indexes.values(), store, base=tmp_path, arrived=arrived)
        assert sorted(told) == sorted(indexes)
    assert told[0] == next(iter(indexes))


def test_credentials_are_asked_for_only_with_work(store: Store, serve: Serve, unique: str, tmp_path: Path) -> None:
    """Where every leaf is there, nobody looks for a login."""
    indexes = served(serve(make_wheel("one", "1.0", {"a.py": unique})))
    asked = []
    for _ in range(2):
        ingest(indexes, store, base=tmp_path, access=lambda: asked.append(1))
    assert asked == [1]


def test_a_wheel_with_another_hash_is_refused(store: Store, serve: Serve, unique: str, tmp_path: Path) -> None:
    """A wheel that is not the one in the lock adds nothing, and the error names it with both hashes."""
    wheel = make_wheel("one", "1.0", {"a.py": unique}, compression=zipfile.ZIP_STORED)
    server = serve(wheel)
    indexes = served(server)
    other = make_wheel("one", "1.0", {"a.py": unique.upper()}, compression=zipfile.ZIP_STORED)[1]
    assert len(other) == len(wheel[1])
    server.wheels = {wheel[0]: other}
    with pytest.raises(VerificationError, match=wheel[0]):
        ingest(indexes, store, base=tmp_path)
    missing = store.invalid(leaves(store, indexes))
    assert leaf_path("a.py", indexes[0].files["a.py"].sha256, store.directory) in missing
    assert nothing_left(tmp_path)


def test_a_file_that_belies_its_record_is_refused(store: Store, serve: Serve, unique: str, tmp_path: Path) -> None:
    """A file whose content is not what RECORD promises stops the ingest, although the wheel's own hash is right."""

    def lie(rows: list[tuple[str, str, str]]) -> list[tuple[str, str, str]]:
        return [(path, "sha256=" + "A" * 43 if path == "a.py" else digest, size) for path, digest, size in rows]

    indexes = served(serve(make_wheel("one", "1.0", {"a.py": unique}, record=lie)))
    with pytest.raises(VerificationError, match="RECORD") as raised:
        ingest(indexes, store, base=tmp_path)
    assert "a.py" in str(raised.value)
    content = leaf_path("a.py", nix_sha256(unique), store.directory)
    assert leaves(store, indexes) | {content} >= store.invalid([content]) == {content}
    assert nothing_left(tmp_path)


def test_one_bad_wheel_stops_the_others(store: Store, serve: Serve, unique: str, tmp_path: Path) -> None:
    """A wheel that cannot be had ends the whole ingest with its own error, not with a group of them."""
    good, bad = make_wheel("good", "1.0", {"a.py": unique}), make_wheel("bad", "1.0", {"b.py": unique})
    server = serve(good, bad)
    indexes = served(server)
    server.wheels = {good[0]: good[1]}
    with pytest.raises(NetworkError, match="404"):
        ingest(indexes, store, base=tmp_path)
    assert nothing_left(tmp_path)


def test_wheels_on_disk(store: Store, unique: str, tmp_path: Path) -> None:
    """A wheel on disk is read where it lies, relative to the lock; a missing one is an input error."""
    path = write_wheel(tmp_path / "wheels", make_wheel("one", "1.0", {"a.py": unique}))
    source = WheelSource(filename=path.name, path=f"wheels/{path.name}")
    indexes = index_all([source], base=tmp_path)[0]
    content = path.read_bytes()
    path.unlink()
    with pytest.raises(InputError, match=path.name):
        ingest(indexes, store, base=tmp_path)
    path.write_bytes(content)
    assert ingest(indexes, store, base=tmp_path).downloaded == 0
    assert store.invalid(leaves(store, indexes)) == set()
    assert path.read_bytes() == content


def test_progress_ends_at_the_total(store: Store, serve: Serve, unique: str, tmp_path: Path) -> None:
    """Progress counts wheels up to their number, and bytes as they arrive."""
    wheels = [make_wheel(f"w{number}", "1.0", {f"w{number}.py": f"{number} {unique}"}) for number in range(5)]
    seen: list[Progress] = []
    report = ingest(served(serve(*wheels)), store, base=tmp_path, progress=seen.append)
    assert (seen[-1].done, seen[-1].total, seen[-1].read) == (5, 5, report.downloaded)
    assert [state.done for state in seen] == sorted(state.done for state in seen)
