"""What the machine refuses to Nix, in words for a user."""

from __future__ import annotations

import os

import pytest

from nixgen.errors import NixError
from nixgen.store import Store
from nixgen.store.refusals import refusal

SAID = [
    # Nix 2.8, as a user who does not own the store
    ("error: could not set permissions on '/nix/var/nix/profiles/per-user' to 755: Operation not permitted", "right"),
    # Nix 2.34
    ('error: opening lock file "/nix/var/nix/db/big-lock": Permission denied', "right"),
    ("error: executing SQLite query: attempt to write a readonly database (in '/nix/var/nix/db/db.sqlite')", "right"),
    ("error: writing to file '/nix/store/x': No space left on device", "room"),
    ("error: committing transaction: database or disk is full (in '/nix/var/nix/db/db.sqlite')", "room"),
    ("error: creating directory '/nix/store/x': Read-only file system", "read-only"),
    ("error: remounting /nix/store writable: Invalid argument", "read-only"),
    ("error: opening file '/nix/store/x': Too many open files", "files open"),
    ("error: unable to fork: Cannot allocate memory", "memory"),
    ("error: builder for '/nix/store/x.drv' failed due to signal 9 (Killed)", "memory"),
    (
        "error: builder for '/nix/store/x.drv' failed with exit code 1;\n   last 1 log lines:\n   > MemoryError",
        "memory",
    ),
    ("       > OSError: [Errno 28] No space left on device: '/nix/store/x'", "room"),
    ("error: cannot connect to socket at '/nix/var/nix/daemon-socket/socket': Connection refused", "daemon"),
]


@pytest.mark.parametrize(("said", "word"), SAID)
def test_each_has_three_parts(said: str, word: str) -> None:
    """What is wrong, the path where there is one, and what to do."""
    found = refusal(f"these derivations will be built:\n{said}")
    assert found is not None
    assert word in found.what and found.where and found.todo
    if "MemoryError" not in said and "fork" not in said:
        assert found.where.startswith("/nix/")


@pytest.mark.parametrize(
    "said",
    [
        "error: syntax error, unexpected end of file",
        "       > chmod: Permission denied, and so the test goes on",
        "building '/nix/store/x-Permission denied.drv'...",
    ],
)
def test_other_messages_are_nixs(said: str) -> None:
    """An error of another kind, and words in a build's log, are not taken for one."""
    assert refusal(said) is None


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody who does not own the store")
def test_a_store_of_somebody_else(store: Store) -> None:
    """Who may not write the store is told so, and what to do."""
    store.invalid([])
    readable, writable = os.pipe()
    if os.fork() == 0:
        os.setgroups([])
        os.setgid(65534)
        os.setuid(65534)
        try:
            store.setting("max-jobs")
            _ = Store().directory
        except NixError as error:
            os.write(writable, str(error).encode())
        os._exit(0)
    os.close(writable)
    with os.fdopen(readable) as pipe:
        said = pipe.read()
    os.wait()
    assert "Nix has no right to write" in said
    assert "what to do: the store is another user's" in said
