"""Files of the network, by Nix's own fetcher."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

import pytest

from tests.nix.conftest import Nix
from tests.support.nix import LIBRARY, NixFailedError, derivation
from tests.support.server import WheelServer
from tests.support.wheels import make_wheel

FETCH = '(import (/. + library + "/fetch.nix")).fetch { inherit name url sha256; }'


def test_a_file_is_what_its_hash_says(nix: Nix, serve: Callable[..., WheelServer]) -> None:
    """A file is fetched as it is, its store path does not depend on where, and another one is refused."""
    name, content = make_wheel("fetched")
    server, sha256 = serve((name, content)), hashlib.sha256(content).hexdigest()
    asked = {"library": str(LIBRARY), "name": "a-file", "url": server.url(name), "sha256": sha256}
    path = nix.build(FETCH, **asked)
    assert path.read_bytes() == content
    elsewhere = derivation(nix.instantiate(FETCH, **{**asked, "url": "http://localhost:9/elsewhere"}), nix.env)
    assert elsewhere["outputs"]["out"]["path"] == str(path)
    with pytest.raises(NixFailedError):
        nix.build(FETCH, **{**asked, "name": "another", "sha256": "0" * 64})
