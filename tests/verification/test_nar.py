"""The serialisation that Nix hashes, beside Nix's own."""

from __future__ import annotations

import hashlib
import os
import subprocess
from pathlib import Path

import pytest

from nixgen.verification.nar import PIECE, NotRegularError, nar


@pytest.fixture
def everything(tmp_path: Path) -> Path:
    """A directory with all that a store path may hold."""
    top = tmp_path / "top"
    (top / "empty").mkdir(parents=True)
    (top / "inner" / "deeper").mkdir(parents=True)
    for size in (0, 1, 7, 8, 9, 65536, 65537, PIECE, PIECE + 1, 3 * PIECE + 5):
        (top / f"{size} bytes").write_bytes(os.urandom(size))
    (top / "inner" / "program").write_text("#!/bin/sh\n")
    (top / "inner" / "program").chmod(0o555)
    (top / "inner" / "nowhere").symlink_to("/nonexistent")
    (top / "inner" / "Ärger.py").write_text("")
    (top / "inner" / "a.b").symlink_to("deeper")
    (top / "inner" / "a").mkdir()
    (top / "inner" / "B").mkdir()
    return top


@pytest.mark.nix
def test_is_what_nix_hashes(everything: Path) -> None:
    """Hash and size are those of ``nix-store --dump``, for directories, files, programs and links."""
    for path in (everything, *everything.rglob("*")):
        dumped = subprocess.run(["nix-store", "--dump", path], capture_output=True, check=True).stdout
        found = nar(str(path))
        assert (found.sha256, found.size) == (hashlib.sha256(dumped).hexdigest(), len(dumped)), path


def test_tells_modes_and_names(everything: Path) -> None:
    """Modes that the store does not give, and store paths that links and files name, are told."""
    name = "/nix/store/" + "0" * 32 + "-x"
    (everything / "inner" / "link").symlink_to(f"{name}/bin/x")
    (everything / "inner" / "text").write_text(f"see {name}y, and /nix/store/not-one")
    found = nar(str(everything), "/nix/store")
    assert found.named == {name, name + "y"}
    assert "inner/program" not in found.modes and {"", "inner", "inner/text"} <= set(found.modes)


def test_a_pipe_is_nothing_that_is_waited_for(tmp_path: Path) -> None:
    """What no store path may hold is an error at once."""
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(NotRegularError):
        nar(str(tmp_path))
