"""Leaves in the store."""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path

import pytest

from nixgen.leaf import leaf_name, leaf_path
from tests.nix.conftest import Nix
from tests.support.names import NAMES
from tests.support.nix import NixFailedError
from tests.support.wheels import nix_sha256

LEAF = "nixgen.leaf { inherit file sha256; source = /. + source; }"


def test_names_are_those_of_python(nix: Nix) -> None:
    """``leafName`` and ``nixgen.leaf.leaf_name`` give the same name for any file, 15 characters at most."""
    found = nix.evaluate("map nixgen.leafName names", names=NAMES)
    assert dict(zip(NAMES, found, strict=True)) == {name: leaf_name(name) for name in NAMES}
    assert max(map(len, found)) == 15


@pytest.mark.parametrize("file", ["a.py", "LICENSE", "größe.tar.gz", "x.cpython-311-x86_64-linux-gnu.so"])
def test_paths_are_those_of_python(nix: Nix, tmp_path: Path, file: str) -> None:
    """A leaf's path, in a store of any directory, is what ``nixgen.leaf.leaf_path`` computes without Nix."""
    source = tmp_path / "source"
    source.write_bytes(b"content of " + file.encode())
    digest = nix_sha256(source.read_bytes())
    path = nix.evaluate(LEAF, write=True, file=file, sha256=digest, source=str(source))
    assert path == leaf_path(file, digest, str(nix.path))
    assert Path(path).read_bytes() == source.read_bytes()


def test_any_spelling_of_the_hash_gives_the_same_leaf(nix: Nix, tmp_path: Path) -> None:
    """Base 64, base 16 and the SRI form are one hash."""
    (tmp_path / "source").write_bytes(b"content")
    digest = hashlib.sha256(b"content")
    spellings = [digest.hexdigest(), nix_sha256(b"content"), "sha256-" + base64.b64encode(digest.digest()).decode()]
    expression = 'map (sha256: nixgen.leaf { file = "a.py"; inherit sha256; source = /. + source; }) hashes'
    found = nix.evaluate(expression, hashes=spellings, source=str(tmp_path / "source"))
    assert len(set(found)) == 1


def test_equal_content_is_one_leaf(nix: Nix, tmp_path: Path) -> None:
    """Files of any name with one suffix and equal content meet in one store path, which is not executable."""
    for name in ("one.py", "two.py"):
        (tmp_path / name).write_bytes(b"same")
        (tmp_path / name).chmod(0o755)
    paths = {
        nix.evaluate(LEAF, write=True, file=name, sha256=nix_sha256(b"same"), source=str(tmp_path / name))
        for name in ("one.py", "two.py")
    }
    assert len(paths) == 1
    assert Path(paths.pop()).stat().st_mode & 0o777 == 0o444


def test_a_valid_leaf_needs_no_source(nix: Nix, tmp_path: Path) -> None:
    """A leaf that the store holds is found without its source, and one that it lacks is not."""
    source = tmp_path / "source"
    source.write_bytes(b"here for a moment")
    values = {"file": "a.py", "sha256": nix_sha256(source.read_bytes()), "source": str(source)}
    path = nix.evaluate(LEAF, write=True, **values)
    source.unlink()
    assert nix.evaluate(LEAF, write=True, **values) == path
    with pytest.raises(NixFailedError, match="source"):
        nix.evaluate(LEAF, write=True, **{**values, "sha256": nix_sha256(b"never seen")})


def test_other_content_is_refused(nix: Nix, tmp_path: Path) -> None:
    """A source that does not have the hash is refused and named."""
    (tmp_path / "source").write_bytes(b"something else")
    said = nix.refusal(LEAF, file="a.py", sha256=nix_sha256(b"promised"), source=str(tmp_path / "source"))
    assert "mismatch" in said
    assert "source" in said
