"""A store of the tests' own, and a wheel with a file for each way to stay."""

from __future__ import annotations

import re

import pytest

from nixgen.store import Store
from tests.support.nix import NixInstallation
from tests.support.wheels import make_wheel


@pytest.fixture
def store(nix_store: NixInstallation, monkeypatch: pytest.MonkeyPatch) -> Store:
    """A store of the tests' own, and a Python that writes bytecode whatever the user's environment says."""
    for name, value in nix_store.env.items():
        monkeypatch.setenv(name, value)
    for name in ("PYTHONDONTWRITEBYTECODE", "PYTHONPYCACHEPREFIX"):
        monkeypatch.delenv(name, raising=False)
    return Store()


@pytest.fixture
def wheel(request: pytest.FixtureRequest) -> tuple[str, bytes]:
    """A wheel whose files no other test has."""
    return demo(request.node.name)


def demo(mark: str, version: str = "1.0") -> tuple[str, bytes]:
    """Make a wheel; the mark makes each of its files differ from those of others."""
    mark = re.sub(r"\W+", "_", mark)
    return make_wheel(
        "demo",
        version,
        {
            "demo/__init__.py": f"mark = {mark!r}\n",
            "demo/plain.py": f"def main():\n    print({mark + version!r})\n",
            "demo/finds.py": f"# {mark}\nfrom pathlib import Path\nHERE = Path(__file__).resolve().parent\n",
            "demo/data.txt": f"data of {mark} {version}\n",
            "demo/empty.txt": "",
            "demo/tool.sh": f"#!/bin/sh\necho {mark}\n",
            "demo/library.so": f"no library: {mark}\n",
        },
        data={"data/share/demo/shared.txt": f"shared {mark}\n", "scripts/demo-script": f"#!/bin/sh\necho {mark}\n"},
        metadata=[f"Summary: {mark}"],
        dist_info={"WHEEL": f"Wheel-Version: 1.0\nGenerator: {mark}\nRoot-Is-Purelib: true\nTag: py3-none-any\n"},
        entry_points={"console_scripts": {"demo": "demo.plain:main"}, "demo": {mark: "demo"}},
        executable=["demo/tool.sh", "demo/library.so"],
    )
