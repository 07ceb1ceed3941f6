"""Fixtures for tests of the Nix library."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support.nix import NixFailedError, NixInstallation, build, evaluate, instantiate

#: The interpreter under the one that runs the tests, and its version as a lock has it.
INTERPRETER = os.path.realpath(sys.executable)
PYTHON = "{}.{}".format(*sys.version_info)


class Nix:
    """The functions of ``tests.support.nix`` on one store."""

    def __init__(self, installation: NixInstallation) -> None:
        self.env = installation.env
        self.path = installation.path

    def evaluate(self, expression: str, *, write: bool = False, **values: Any) -> Any:
        """Evaluate an expression that sees ``nixgen`` and ``values``."""
        return evaluate(expression, self.env, write=write, **values)

    def instantiate(self, expression: str, **values: Any) -> str:
        """Return the ``.drv`` of an expression."""
        return instantiate(expression, self.env, **values)

    def build(self, expression: str, **values: Any) -> Path:
        """Return the output of an expression."""
        return build(expression, self.env, **values)

    def refusal(self, expression: str, **values: Any) -> str:
        """Return what Nix says when it cannot evaluate an expression, without colours."""
        with pytest.raises(NixFailedError) as caught:
            evaluate(expression, self.env, write=True, **values)
        return re.sub(r"\x1b\[[0-9;]*m", "", str(caught.value))


@pytest.fixture
def nix(nix_store: NixInstallation) -> Nix:
    """Give Nix with a store of its own."""
    return Nix(nix_store)
