"""``nixgen.store.daemon``: files that are sent to the store, and what stops one."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from nixgen.errors import NixError
from nixgen.leaf import leaf_path
from nixgen.store import Store
from nixgen.store.daemon import Daemon
from tests.support.wheels import nix_sha256

pytestmark = pytest.mark.nix


def leaf(store: Store, name: str, content: bytes) -> str:
    return leaf_path(name, nix_sha256(content), store.directory)


def test_files_of_all_sizes_arrive(store: Store, tmp_path: Path) -> None:
    """Files lie where ``leaf_path`` says with what was sent: small ones, large ones, in one piece and in many."""
    salt = str(tmp_path).encode()
    piece = salt + bytes(range(256)) * 4000
    files = {
        "file": (salt, salt),
        "file.py": (b"x" * 7 + salt, b"x" * 7 + salt),
        "file.so": (piece * 3, piece * 3),
        "file.dat": (iter([piece] * 40), piece * 40),  # more than Nix keeps in memory
    }
    with store.connect() as daemon:
        for name, (sent, content) in files.items():
            daemon.add(name, sent, leaf(store, name, content))
    for name, (_, content) in files.items():
        assert Path(leaf(store, name, content)).read_bytes() == content
    assert store.invalid(leaf(store, name, content) for name, (_, content) in files.items()) == set()


def test_what_is_missing_is_told_on_the_way(store: Store, tmp_path: Path) -> None:
    """A connection tells what the store lacks, after what was sent before; 20,000 paths are more than a pipe holds."""
    content = str(tmp_path).encode()
    wanted = [leaf(store, "x.py", f"{tmp_path} {number}".encode()) for number in range(20_000)]
    with store.connect() as daemon:
        daemon.add("file", content, there := leaf(store, "file", content))
        assert daemon.invalid([*wanted, there]) == set(wanted)
        assert daemon.invalid([]) == set()


def test_several_threads_share_a_connection(store: Store, tmp_path: Path) -> None:
    """Files of several threads do not mix."""
    contents = [f"{number} {tmp_path}".encode() * 9000 for number in range(40)]

    def send(mine: list[bytes]) -> None:
        for content in mine:
            daemon.add("file.txt", iter([content[:1000], content[1000:]]), leaf(store, "file.txt", content))

    with store.connect() as daemon:
        threads = [threading.Thread(target=send, args=(contents[first::4],)) for first in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert store.invalid(leaf(store, "file.txt", content) for content in contents) == set()


def test_content_that_fails_on_the_way_is_not_taken(store: Store, tmp_path: Path) -> None:
    """Pieces that end in an error leave nothing in the store, not even what was sent of them."""
    content = str(tmp_path).encode() * 9000

    def pieces() -> Iterator[bytes]:
        yield content
        raise ValueError("not what was promised")

    path = leaf(store, "file.txt", content)
    with pytest.raises(ValueError, match="promised"), store.connect() as daemon:
        daemon.add("file.txt", pieces(), path)
    assert store.invalid([path]) == {path} and not Path(path).exists()


def test_another_path_than_expected(store: Store, tmp_path: Path) -> None:
    """A store that computes another path is found out, at the latest when the connection is closed."""
    content = str(tmp_path).encode()
    with pytest.raises(NixError, match="another path"), store.connect() as daemon:
        daemon.add("file.txt", content, leaf(store, "file.py", content))


def test_what_nix_refuses(store: Store, tmp_path: Path) -> None:
    """Nix's own refusal is in the error."""
    with pytest.raises(NixError, match="not allowed here"), store.connect() as daemon:
        daemon.add("not allowed here", str(tmp_path).encode(), leaf(store, "file", b""))


@pytest.mark.parametrize("size", [10, 10 << 20])
def test_a_daemon_that_dies(store: Store, tmp_path: Path, size: int) -> None:
    """A daemon that ends in the middle is an error for who sends, whether it is noticed at once or at the end."""
    with pytest.raises(NixError, match="ended before"), store.connect() as daemon:
        os.kill(daemon._process.pid, signal.SIGKILL)
        for number in range(100):
            daemon.add("file", f"{number} {tmp_path}".encode() + bytes(size), leaf(store, "file", b""))


@pytest.mark.parametrize(
    ("program", "said"),
    [
        ("import sys; sys.exit('no store here')", "no store here"),
        ("import os; os.write(1, b'Welcome to this machine'.ljust(64))", "another protocol"),
        ("pass", "ended before"),
    ],
)
def test_something_that_is_no_daemon(program: str, said: str) -> None:
    """What does not speak the protocol is named, with what it said."""
    with pytest.raises(NixError, match=said), Daemon([sys.executable, "-c", program]):
        pass
