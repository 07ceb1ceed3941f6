"""The store of another machine: it takes the whole closure, leaves and all."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.caches import Machine

pytestmark = pytest.mark.nix

#: What Nix runs there; to "localhost" it goes without ssh, and everything else is as with it.
DAEMON = """\
#!/bin/sh
export NIX_STATE_DIR={state} NIX_CONFIG='trusted-public-keys = {keys}
build-users-group ='
exec nix-daemon "$@"
"""


@pytest.mark.parametrize("known", [False, True])
def test_a_store_elsewhere(machine: Machine, away: None, tmp_path: Path, known: bool) -> None:
    """It takes what is signed by a key that it knows, and nothing else."""
    machine.build("--from", machine.cache)
    daemon = tmp_path / "daemon"
    daemon.write_text(DAEMON.format(state=tmp_path / "var", keys=machine.public if known else ""))
    daemon.chmod(0o755)
    url = f"ssh-ng://localhost?remote-program={daemon}&remote-store={tmp_path}/elsewhere"
    done = machine.cli("push", url, *(["--sign-key", machine.secret] if known else []), code=0 if known else 6)
    assert any((tmp_path / "elsewhere").rglob("*-env")) == known
    if not known:
        assert "trusted-public-keys" in done.stderr and "copying path" not in done.stderr
