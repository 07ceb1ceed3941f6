"""Indexing many wheels, from servers of every kind and from disk."""

from __future__ import annotations

import asyncio
import hashlib
import json
import random
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from nixgen.errors import InputError, NetworkError, NixgenError, VerificationError, WheelError
from nixgen.model import Traffic, WheelSource
from nixgen.observer import Progress
from nixgen.wheels.index import TAIL_LEAST, TAIL_MOST, index_all, index_wheels, tail_length
from nixgen.wheels.retry import Retry
from nixgen.wheels.text import index_bytes
from tests.support.server import Behaviour, WheelServer, logged_in
from tests.support.wheels import make_wheel, nix_sha256, patch_directory, record_row, write_wheel

Serve = Callable[..., WheelServer]

QUICK = Retry(base=0.0)


def noisy(name: str = "demo", size: int = 400_000, **options: Any) -> tuple[str, bytes]:
    """Make a wheel whose content does not compress, so that its size says what was read."""
    noise = random.Random(name)
    files = {f"{name}/{number}.bin": noise.randbytes(size // 8) for number in range(8)}
    return make_wheel(name=name, files={f"{name}/__init__.py": f"# {name}\n", **files}, **options)


def remote(server: WheelServer, wheel: tuple[str, bytes], **changes: Any) -> WheelSource:
    """Give the source of a served wheel, with hash and size."""
    filename, content = wheel
    source = WheelSource(
        filename=filename,
        url=server.url(filename),
        sha256=hashlib.sha256(content).hexdigest(),
        size=len(content),
    )
    return replace(source, **changes)


def indexed(*sources: WheelSource, base: Path = Path(), **options: Any) -> tuple[list[Any], Traffic]:
    """Index wheels without waiting between tries."""
    return index_all(list(sources), base=base, retry=QUICK, **options)


@pytest.fixture(autouse=True)
def scratch(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    """Keep temporary files in a directory that must be empty at the end."""
    directory = tmp_path / "scratch"
    directory.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(directory))
    yield directory
    assert list(directory.iterdir()) == []


@pytest.mark.parametrize("size_known", [True, False])
def test_ranges_save_bytes(size_known: bool, serve: Serve) -> None:
    """Where the server has ranges, a fraction of the wheel is read, and its size becomes known."""
    wheel = noisy()
    server = serve(wheel)
    (index,), traffic = indexed(remote(server, wheel, **({} if size_known else {"size": None})))
    assert index.source == remote(server, wheel)
    assert traffic.total == len(wheel[1])
    assert traffic.read == server.sent < traffic.total * 0.05
    assert {request.status for request in server.requests} == {206}


def test_all_ways_give_the_same_index(serve: Serve, tmp_path: Path) -> None:
    """Ranges, a download, a full check and a wheel on disk give the same index but for the source."""
    wheel = noisy(
        entry_points={"console_scripts": {"run": "demo:main"}},
        data={"scripts/x": "#!python\n"},
        executable=["demo/0.bin"],
    )
    server = serve(wheel)
    (by_ranges,), _ = indexed(remote(server, wheel))
    (by_check,), _ = indexed(remote(server, wheel), verify=True)
    (by_download,), _ = indexed(remote(serve(wheel, ranges="no"), wheel))
    path = write_wheel(tmp_path, wheel)
    (from_disk,), _ = indexed(WheelSource(filename=wheel[0], path=path.name), base=tmp_path)
    assert by_check == by_ranges
    assert replace(by_download, source=by_ranges.source) == by_ranges
    assert replace(from_disk, source=by_ranges.source) == by_ranges
    assert from_disk.source.sha256 == by_ranges.source.sha256
    assert from_disk.source.size == len(wheel[1])


def test_an_index_knows_what_may_stand_alone(tmp_path: Path) -> None:
    """A large executable file with nothing around it is marked, told by the archive's directory."""
    wheel = make_wheel(
        files={"demo/bin/tool": bytes(1 << 20), "demo/bin/small": "", "demo/bin/large.so": bytes(1 << 20)},
        data={"scripts/tool": bytes(1 << 20)},
        executable=["demo/bin/tool", "demo/bin/small", "demo-1.0.data/scripts/tool"],
    )
    (index,), _ = indexed(WheelSource(filename=wheel[0], path=write_wheel(tmp_path, wheel).name), base=tmp_path)
    files = json.loads(index_bytes(index))["files"]
    assert files["demo-1.0.data"]["scripts"]["tool"][2:] == ["x", "alone"]
    assert files["demo"]["bin"]["large.so"][2:] == [] and files["demo"]["bin"]["tool"][2:] == ["x"]


@pytest.mark.parametrize(
    "behaviour",
    [
        {"ranges": "no"},
        {"ranges": "416"},
        {"ranges": "403"},
        {"ranges": "501"},
        {"lie": "content-range-missing"},
        {"lie": "content-range-garbage"},
        {"lie": "content-range-shifted"},
        {"lie": "total"},
        {"lie": "whole-as-206"},
        {"lie": "long"},
        {"lie": "garbage"},
    ],
    ids=lambda behaviour: next(iter(behaviour.values())),
)
def test_bad_ranges_end_in_one_download(behaviour: dict[str, Any], serve: Serve) -> None:
    """A server that ignores, refuses or falsifies ranges costs one download, and the index is right."""
    wheel = noisy()
    server = serve(wheel, **behaviour)
    (index,), traffic = indexed(remote(server, wheel))
    assert index.files["demo/__init__.py"].sha256 == nix_sha256("# demo\n")
    assert len(wheel[1]) <= traffic.read
    assert [request.status for request in server.requests].count(200) == 1
    assert len(server.requests) <= 3


@pytest.mark.parametrize("behaviour", [{"suffix_ranges": False}, {"etag": False}])
def test_servers_with_less_are_enough(behaviour: dict[str, Any], serve: Serve) -> None:
    """Where the size is known, suffix ranges are not needed; entity tags never are."""
    wheel = noisy()
    server = serve(wheel, **behaviour)
    _, traffic = indexed(remote(server, wheel))
    assert traffic.read < traffic.total * 0.05


@pytest.mark.parametrize("lie", ["changed", "changed-silently", "total-changes"])
def test_a_wheel_that_changes_while_being_read_is_noticed(lie: str, serve: Serve) -> None:
    """A wheel replaced between two requests is downloaded whole, where its hash tells."""
    wheel = make_wheel(files={f"demo/{number}.py": f"n = {number}\n" for number in range(900)})
    server = serve(wheel, lie=lie)
    if lie == "total-changes":
        (index,), _ = indexed(remote(server, wheel))
        assert len(index.files) == 903
    else:
        with pytest.raises(VerificationError, match="SHA-256"):
            indexed(remote(server, wheel))


@pytest.mark.parametrize("failure", ["503", "reset", "cut"])
def test_failures_are_survived(failure: str, serve: Serve) -> None:
    """Requests that fail are tried again until the wheel is read."""
    wheel = noisy()
    (index,), traffic = indexed(remote(serve(wheel, failures=3, failure=failure), wheel))
    assert index.name == "demo"
    assert traffic.read < traffic.total * 0.2


def test_a_server_that_never_answers_is_an_error(serve: Serve) -> None:
    """A wheel that cannot be had is a network error that names its URL."""
    wheel = noisy()
    server = serve(wheel, failures=99)
    with pytest.raises(NetworkError) as caught:
        indexed(remote(server, wheel))
    assert caught.value.where == server.url(wheel[0])


def test_verify_downloads_everything(serve: Serve) -> None:
    """With ``verify`` every wheel is downloaded once, in one request."""
    wheels = [noisy(name) for name in ("one", "two")]
    server = serve(*wheels)
    _, traffic = indexed(*(remote(server, wheel) for wheel in wheels), verify=True)
    assert traffic.read == traffic.total == sum(len(content) for _, content in wheels)
    assert len(server.requests) == 2


def test_finished_wheels_free_their_space(serve: Serve, scratch: Path) -> None:
    """A downloaded wheel is removed as soon as it is indexed, not when all are."""
    wheels = [noisy(name) for name in ("one", "two", "three")]
    server = serve(*wheels)
    stored: list[int] = []

    def watch(event: Progress) -> None:
        if event.finished:
            stored.append(len(list(scratch.rglob("*.whl"))))

    indexed(*(remote(server, wheel) for wheel in wheels), verify=True, concurrency=1, progress=watch)
    assert stored == [0, 0, 0]


def test_metadata_that_is_not_records_is_found_by_ranges(serve: Serve) -> None:
    """METADATA that contradicts RECORD is checked against the whole wheel, and is a failed verification."""
    path = "demo-1.0.dist-info/METADATA"
    wheel = noisy(record=lambda rows: [record_row(path, b"x") if row[0] == path else row for row in rows])
    with pytest.raises(VerificationError, match="METADATA"):
        indexed(remote(serve(wheel), wheel))


def test_verify_finds_a_wrong_file(serve: Serve) -> None:
    """With ``verify`` a file that is not what RECORD promises is found; without, only the ranges are seen."""
    path = "demo/3.bin"
    wheel = noisy(record=lambda rows: [record_row(path, b"x") if row[0] == path else row for row in rows])
    server = serve(wheel)
    assert indexed(remote(server, wheel))[1].read < len(wheel[1])
    with pytest.raises(VerificationError, match=path):
        indexed(remote(server, wheel), verify=True)


@pytest.mark.parametrize("options", [{"verify": True}, {"ranges": "no"}])
def test_another_wheel_is_refused(options: dict[str, Any], serve: Serve) -> None:
    """A downloaded wheel with another hash than locked is refused, naming wheel, place and both hashes."""
    wheel = noisy()
    server = serve(wheel, **{key: value for key, value in options.items() if key == "ranges"})
    with pytest.raises(VerificationError, match=f"{wheel[0]}.*expected {'0' * 64}") as caught:
        indexed(remote(server, wheel, sha256="0" * 64), verify=options.get("verify", False))
    assert caught.value.where == server.url(wheel[0])


@pytest.mark.parametrize("ranges", ["yes", "no"])
def test_another_size_is_refused(ranges: str, serve: Serve) -> None:
    """A remote wheel of another size than locked is refused."""
    wheel = noisy()
    with pytest.raises(VerificationError, match="expected 390000"):
        indexed(remote(serve(wheel, ranges=ranges), wheel, size=390_000))


def test_a_wheel_without_a_hash_is_downloaded(serve: Serve) -> None:
    """A remote wheel whose hash the input does not give is downloaded to compute it."""
    wheel = noisy()
    server = serve(wheel)
    (index,), traffic = indexed(remote(server, wheel, sha256=None, size=None))
    assert index.source == remote(server, wheel)
    assert traffic.read == traffic.total


@pytest.mark.parametrize("algorithm", ["md5", "sha512"])
def test_weak_records_cost_a_download(algorithm: str, serve: Serve) -> None:
    """Where RECORD has no SHA-256, the wheel is downloaded, checked, and its files hashed, with a warning."""
    path = "demo/__init__.py"
    row = record_row(path, b"# demo\n", algorithm)
    wheel = noisy(record=lambda rows: [row if given[0] == path else given for given in rows])
    (index,), traffic = indexed(remote(serve(wheel), wheel))
    assert index.files[path].sha256 == nix_sha256("# demo\n")
    assert path in index.warnings[0]
    assert traffic.read > traffic.total
    with pytest.raises(VerificationError):
        indexed(remote(serve(wheel), wheel, sha256="0" * 64))


def test_damage_is_told_from_a_bad_transport(serve: Serve) -> None:
    """A wheel that is itself damaged is an error of the wheel, once its own hash has been checked."""
    name, content = noisy()
    wheel = (name, patch_directory(content, "demo-1.0.dist-info/RECORD", crc=1))
    with pytest.raises(WheelError, match="RECORD"):
        indexed(remote(serve(wheel), wheel))


def test_another_wheel_is_the_servers_fault(serve: Serve) -> None:
    """Where a server gives a wheel of another name, whole and sound, the hash of the whole tells whose it is."""
    wheel, other = noisy(), noisy("other")
    server = serve(wheel, lie="another")
    server.others = {wheel[0]: other[1]}
    (index,), _ = indexed(remote(server, wheel))
    assert index.files["demo/__init__.py"].sha256 == nix_sha256("# demo\n")
    server = serve((wheel[0], other[1]))
    with pytest.raises(VerificationError):
        indexed(remote(server, wheel))
    with pytest.raises(WheelError, match="does not fit"):
        indexed(remote(server, (wheel[0], other[1])))


def test_a_hostile_wheel_is_refused_from_its_end(serve: Serve) -> None:
    """A wheel that breaks rules is refused without being downloaded."""
    wheel = noisy(entry_points={"console_scripts": {"../x": "a:b"}})
    server = serve(wheel)
    with pytest.raises(WheelError, match=r"\.\./x"):
        indexed(remote(server, wheel))
    assert server.sent < len(wheel[1]) * 0.05


def test_many_wheels_keep_their_order(serve: Serve) -> None:
    """Wheels come back in the order they were given, however fast each one was."""
    wheels = [noisy(f"w{number}", size=1000 * (20 - number)) for number in range(20)]
    server = serve(*wheels, delay=0.002)
    indexes, _ = indexed(*(remote(server, wheel) for wheel in wheels), concurrency=5)
    assert [index.name for index in indexes] == [f"w{number}" for number in range(20)]


def test_the_first_failure_ends_the_run(serve: Serve) -> None:
    """An error of one wheel gives up the others and leaves nothing behind."""
    good = [noisy(f"w{number}") for number in range(5)]
    bad = make_wheel(files={"../x": ""})
    server = serve(*good, bad, delay=0.05, chunk=1024)
    with pytest.raises(WheelError, match="cannot use the wheel demo"):
        indexed(remote(serve(bad), bad), *(remote(server, wheel) for wheel in good), verify=True)
    assert server.sent < sum(len(content) for _, content in good)


def test_progress_is_told(serve: Serve) -> None:
    """Progress starts at nothing, names every finished wheel once, and ends with all of them and all bytes."""
    wheels = [noisy(name) for name in ("one", "two", "three")]
    server = serve(*wheels)
    events: list[Progress] = []
    _, traffic = indexed(*(remote(server, wheel) for wheel in wheels), progress=events.append)
    assert events[0] == Progress(total=3, done=0, read=0)
    assert sorted(event.finished for event in events if event.finished) == sorted(name for name, _ in wheels)
    assert (events[-1].done, events[-1].read) == (3, traffic.read)


def test_credentials_are_used(serve: Serve) -> None:
    """Servers that want credentials get those of the caller, for every request."""
    wheel = noisy()
    server = serve(wheel, user="me:secret")
    (index,), _ = indexed(remote(server, wheel), access=logged_in(server, "me", "secret"))
    assert index.name == "demo"
    with pytest.raises(NetworkError, match="401"):
        indexed(remote(server, wheel))


@pytest.mark.parametrize("path", ["absent.whl", "wheels", ""])
def test_a_wheel_that_is_not_there_is_an_error(path: str, tmp_path: Path) -> None:
    """A path that is no readable file is an input error that names the place."""
    (tmp_path / "wheels").mkdir()
    with pytest.raises(InputError, match="cannot read the wheel") as caught:
        indexed(WheelSource(filename="demo-1.0-py3-none-any.whl", path=path), base=tmp_path)
    assert str(tmp_path) in (caught.value.where or "")


def test_absolute_paths_do_not_need_the_base(tmp_path: Path) -> None:
    """A wheel given by an absolute path is found wherever the base is."""
    path = write_wheel(tmp_path, make_wheel())
    indexes, traffic = indexed(WheelSource(filename=path.name, path=str(path)), base=Path("/nonexistent"))
    assert indexes[0].source.path == str(path)
    assert traffic == Traffic()


def test_no_wheels_are_no_work() -> None:
    """An empty list gives an empty list."""
    assert indexed() == ([], Traffic())


def test_it_runs_inside_a_loop(serve: Serve) -> None:
    """Asynchronous callers await the same work."""
    wheel = noisy()
    source = remote(serve(wheel), wheel)
    indexes, _ = asyncio.run(index_wheels([source], base=Path()))
    assert indexes == indexed(source)[0]


@pytest.mark.parametrize("seed", range(30))
def test_random_damage_never_escapes(seed: int, tmp_path: Path) -> None:
    """A wheel with random bytes changed is indexed or refused with an error of ours, from disk and by ranges."""
    chance = random.Random(seed)
    name, content = make_wheel(files={"demo/a.py": "a = 1\n" * 50}, entry_points="[console_scripts]\nx = a:b\n")
    broken = bytearray(content)
    for _ in range(chance.randint(1, 8)):
        broken[chance.randrange(len(broken))] = chance.randrange(256)
    path = write_wheel(tmp_path, (name, bytes(broken)))
    server = WheelServer({name: bytes(broken)}, Behaviour())
    with server:
        for source in (
            WheelSource(filename=name, path=path.name),
            remote(server, (name, bytes(broken))),
            remote(server, (name, bytes(broken)), sha256=None),
        ):
            try:
                indexes, _ = indexed(source, base=tmp_path, verify=True)
                assert indexes[0].name == "demo"
            except NixgenError as error:
                assert str(error)


@pytest.mark.parametrize(
    ("size", "tail"),
    [(100, 100), (50_000, TAIL_LEAST), (4_000_000, 60_000), (1_000_000_000, TAIL_MOST)],
)
def test_the_tail_follows_the_size(size: int, tail: int) -> None:
    """The first request grows with the wheel, between its bounds."""
    assert tail_length(size) == tail
