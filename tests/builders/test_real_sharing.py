"""Real packages that are split over wheels, in one environment."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.builders.conftest import Workbench, site

PACKAGES = ("azure-core", "azure-storage-blob", "azure-identity", "zope.interface", "zope.event")
MODULES = ("azure.core", "azure.storage.blob", "azure.identity", "zope.interface", "zope.event")
SPLIT = ("azure", "zope")


@pytest.mark.registry
def test_split_packages_of_the_registry_are_imported(
    workbench: Workbench, run: Callable[..., str], tmp_path: Path
) -> None:
    """Azure's and Zope's distributions, which share a package each, are imported from one environment."""
    wheels = tmp_path / "wheels"
    command = [sys.executable, "-m", "pip", "download", "-q", "--only-binary", ":all:", "-d", wheels, *PACKAGES]
    subprocess.run(command, check=True)
    env = workbench.env(*((path.name, path.read_bytes()) for path in sorted(wheels.glob("*.whl"))))
    said = run(env / "bin/python", "-c", f"import {', '.join(MODULES)}; print(azure.core.__file__)")
    assert said == f"{site(env)}/azure/core/__init__.py\n"
    assert not any((site(env) / name).is_symlink() for name in SPLIT)
