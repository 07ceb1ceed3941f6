"""What a leaf is called and where it lies."""

from __future__ import annotations

import hashlib
import subprocess
from pathlib import Path

import pytest

from nixgen.leaf import leaf_name, leaf_path
from tests.support.names import LEAF_NAMES
from tests.support.nix import NixInstallation
from tests.support.wheels import nix_sha256


@pytest.mark.parametrize(("file", "expected"), LEAF_NAMES.items())
def test_the_name_keeps_the_last_suffix(file: str, expected: str) -> None:
    """A leaf is called ``file`` and the file's last suffix, where that is short and plain."""
    assert leaf_name(file) == expected


def test_the_name_fits_an_inode() -> None:
    """With the store's directory and the hash, a link to a leaf has 59 characters at most."""
    longest = max(LEAF_NAMES, key=lambda file: len(leaf_name(file)))
    path = leaf_path(longest, nix_sha256("x"))
    assert len(leaf_name(longest)) == 15
    assert len(path) == 59


def test_a_known_path() -> None:
    """The path of a content is what ``nix-store --print-fixed-path`` prints."""
    assert leaf_path("a.py", nix_sha256("x = 1\n")) == "/nix/store/4lygnw90snkzgdwyjiqvb683ysp8apq5-file.py"


@pytest.mark.parametrize("content", [b"x", b"x = 1\n", bytes(range(256)) * 40])
def test_paths_are_what_nix_adds(nix_store: NixInstallation, tmp_path: Path, content: bytes) -> None:
    """``nix-store --add-fixed`` puts a file where ``leaf_path`` says, in any store directory."""
    file = tmp_path / leaf_name("module.py")
    file.write_bytes(content)
    command = ["nix-store", "--add-fixed", "sha256", file]
    done = subprocess.run(command, env=nix_store.env, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == leaf_path("module.py", nix_sha256(content), str(nix_store.path))


def test_the_path_depends_on_content_suffix_and_store() -> None:
    """Another content, suffix or store gives another path; another name with the same suffix does not."""
    paths = {
        leaf_path("a.py", nix_sha256("1")),
        leaf_path("b.py", nix_sha256("1")),
        leaf_path("a.txt", nix_sha256("1")),
        leaf_path("a.py", nix_sha256("2")),
        leaf_path("a.py", nix_sha256("1"), "/other/store"),
    }
    assert len(paths) == 4
    hashes = {Path(path).name.partition("-")[0] for path in paths}
    assert len(hashes) == 4
    assert all(len(found) == 32 and not set(found) & set("eotu") for found in hashes)


def test_many_hashes_are_distinct() -> None:
    """No two of a thousand contents meet."""
    digests = [nix_sha256(hashlib.sha256(bytes([number % 256, number // 256])).digest()) for number in range(1000)]
    assert len({leaf_path("a.py", digest) for digest in digests}) == 1000
