"""Where packages come from that no index gave."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.nix.conftest import Nix
from tests.support.locks import lock_wheels
from tests.support.wheels import make_wheel

SHA256 = "ab" * 32
ARCHIVE = {"archive_info": {"hash": f"sha256={SHA256}", "hashes": {"sha256": SHA256}}}
URL = "https://example.org/files/demo-1.0.whl"
COMMIT = "cd" * 20
GIT = {"repository": "https://example.org/demo.git", "commit": COMMIT, "sha256": SHA256}


@pytest.mark.parametrize(
    ("package", "origin"),
    [
        ({"url": URL, "sha256": SHA256}, None),
        ({"url": URL, "sha256": SHA256, "direct": True}, {"url": URL, **ARCHIVE}),
        ({"path": "/x/demo.whl", "sha256": SHA256, "direct": True}, {"url": "file:///x/demo.whl", **ARCHIVE}),
        ({"source": {"url": URL, "sha256": SHA256}}, None),
        (
            {"source": {"url": URL, "sha256": SHA256, "subdirectory": "a/b"}, "direct": True},
            {"url": URL, "subdirectory": "a/b", **ARCHIVE},
        ),
        ({"source": GIT}, {"url": GIT["repository"], "vcs_info": {"vcs": "git", "commit_id": COMMIT}}),
        (
            {"source": {**GIT, "revision": "v1"}},
            {
                "url": GIT["repository"],
                "vcs_info": {"vcs": "git", "commit_id": COMMIT, "requested_revision": "v1"},
            },
        ),
    ],
)
def test_what_is_written_down(nix: Nix, package: dict[str, Any], origin: dict[str, Any] | None) -> None:
    """A URL, an absolute path and a commit are named as pip names them; of what an index has, nothing is said."""
    expression = 'nixgen.originOf { lock = { }; package = { name = "demo"; } // package; }'
    assert nix.evaluate(expression, package=package) == origin


def test_what_lies_beside_the_lock_is_named_by_the_store(nix: Nix, tmp_path: Path) -> None:
    """A wheel and a directory below the lock's have the URLs of their store paths, the same in every checkout."""
    wheel = make_wheel("demo")
    urls = []
    for name in ("one", "other"):
        (tmp_path / name / "lib").mkdir(parents=True)
        (tmp_path / name / "lib/x.py").write_text("x = 1\n")
        file = lock_wheels(tmp_path / name, wheel, python="3.11")
        of_file = "nixgen.originOf { inherit lock; package = builtins.head lock.packages // { direct = true; }; }"
        of_directory = 'nixgen.originOf { inherit lock; package = { name = "lib"; source.directory = "lib"; }; }'
        expression = f"let lock = nixgen.readLock (/. + file); in map (o: o.url) [ ({of_file}) ({of_directory}) ]"
        urls.append(nix.evaluate(expression, write=True, file=str(file)))
    assert urls[0] == urls[1]
    assert [url.rpartition("-")[2] for url in urls[0]] == ["any.whl", "source"]
    assert all(url.startswith(f"file://{nix.path}/") for url in urls[0])


def test_a_mirror_is_not_named(nix: Nix) -> None:
    """What is fetched from a mirror comes from where the lock says."""
    lock = {"wheels": {"demo.whl": {"name": "demo", "url": URL, "sha256": SHA256, "direct": True}}}
    mirrored = 'nixgen.withMirrors "https://b.example.net" (nixgen.withMirrors "https://example.net" lock)'
    of_package = "[ package.url (nixgen.originOf { inherit lock package; }) ]"
    said = nix.evaluate(f'let package = ({mirrored}).wheels."demo.whl"; in {of_package}', lock=lock)
    said[1] = said[1]["url"]
    assert said == ["https://b.example.net/files/demo-1.0.whl", URL]
