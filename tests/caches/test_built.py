"""What was built of sources, and images that are mounted, come from a cache too."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.caches.conftest import machine_at
from tests.support.nix import NixInstallation
from tests.support.server import Behaviour, WheelServer
from tests.support.sources import make_source
from tests.support.wheels import make_wheel

pytestmark = pytest.mark.nix


def test_a_wheel_of_a_source_and_an_image(tmp_path: Path) -> None:
    """Neither is built where the cache has them, though the index has neither the source nor what it is built with."""
    tool = make_wheel("tool", "1.0", {"tool.py": "x = 1\n"})
    nix = NixInstallation.of_machine(tmp_path / "nix")
    machine = machine_at(tmp_path, nix)
    with WheelServer(dict([tool, make_source("grown", requires=["tool"])])) as index:
        (machine.cli.directory / "requirements.in").write_text("grown\n")
        machine.cli("lock", "--default-index", index.index)
        image = machine.cli("push", machine.cache, "--mounted", "--sign-key", machine.secret).stdout
        assert {"built-grown-1.0", "grown-1.0.tar.gz", "tool-1.0-py3-none-any.whl"} <= machine.stored()
        machine.forget()
        index.behaviour = Behaviour(failures=1_000_000, failure="404")
        done = machine.build("--mounted", "--from", machine.cache, "--debug")
        assert done.stdout == image
        assert not re.search("building '", done.stderr)
    nix.make_removable()
