"""What tests of the store share."""

from __future__ import annotations

import pytest

from nixgen.store import Store
from tests.support.nix import NixInstallation


@pytest.fixture
def store(nix_store: NixInstallation, monkeypatch: pytest.MonkeyPatch) -> Store:
    """A store of the tests' own."""
    for name, value in nix_store.env.items():
        monkeypatch.setenv(name, value)
    return Store()
