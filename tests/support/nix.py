"""A Nix with a store of its own, for tests: nothing here touches the machine's store."""

from __future__ import annotations

import json
import os
import shutil
import stat
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from corpus.environments import Store

#: The Nix library of this checkout.
LIBRARY = Path(__file__).resolve().parents[2] / "nix"


def cannot_sandbox() -> bool:
    """Tell whether Nix cannot sandbox here, as in a chroot; False in CI, where no test may be left out."""
    if os.environ.get("CI") or shutil.which("unshare") is None:
        return False
    return subprocess.run(["unshare", "--user", "--map-root-user", "true"], capture_output=True).returncode != 0


class NixFailedError(Exception):
    """A Nix command failed; the text is what it said."""


class NixInstallation:
    """One Nix and a store that belongs to it.

    Args:
        bin_directory: holds ``nix-build`` and its like.
        root: directory to keep the store and its state in; made where it is missing.

    Attributes:
        path: the store's directory.
        env: environment variables for a subprocess that is to use this Nix and this store.
    """

    def __init__(self, bin_directory: Path, root: Path) -> None:
        # Nix refuses a store below a symbolic link, as /tmp is on macOS: the corpus' store resolves it.
        store = Store(root)
        self.root = root.resolve()
        self.path = store.path
        self.env = {
            **store.env,
            "PATH": os.pathsep.join([str(bin_directory), os.environ.get("PATH", os.defpath)]),
            "XDG_CACHE_HOME": str(self.root / "cache"),
        }

    @classmethod
    def of_machine(cls, root: Path) -> NixInstallation:
        """Take the Nix that is on PATH, with a store below ``root``."""
        found = shutil.which("nix-build")
        assert found is not None, "these tests need Nix: script/bootstrap installs it"
        return cls(Path(found).parent, root)

    def make_removable(self) -> None:
        """Give back the right to write that a store takes from its directories."""
        for directory, _, _ in os.walk(self.root):
            os.chmod(directory, stat.S_IRWXU)  # noqa: PTH101


def evaluate(expression: str, env: Mapping[str, str], *, write: bool = False, **values: Any) -> Any:
    """Evaluate an expression of the Nix language strictly, and return its value.

    Args:
        expression: sees ``nixgen``, the library, and each of ``values`` by name.
        env: of a ``NixInstallation``.
        write: whether evaluation may add to the store and build, as import from derivation needs.
        values: what JSON can say; nothing of it becomes Nix text.

    Raises:
        NixFailedError: with what Nix said.
    """
    mode = ["--read-write-mode"] if write else []
    flags = ["--eval", "--strict", "--json", *mode]
    return json.loads(_run(["nix-instantiate", *flags, *_expression(expression, values)], env))


def instantiate(expression: str, env: Mapping[str, str], **values: Any) -> str:
    """Instantiate an expression as ``evaluate`` reads it, and return the path of its ``.drv``."""
    return _run(["nix-instantiate", *_expression(expression, values)], env).strip()


def build(expression: str, env: Mapping[str, str], **values: Any) -> Path:
    """Build an expression as ``evaluate`` reads it, and return the store path of its output."""
    return Path(_run(["nix-build", "--no-out-link", *_expression(expression, values)], env).strip())


def derivation(path: str, env: Mapping[str, str]) -> dict[str, Any]:
    """Return what a ``.drv`` says, as ``nix show-derivation`` shows it."""
    shown: dict[str, Any] = json.loads(_run(["nix", "show-derivation", path], env))
    # From 2.32 on, the derivations are one level down.
    inner = shown.get("derivations", shown)
    found: dict[str, Any] = next(iter(inner.values()))
    return found


def attributes(said: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a derivation tells its builder (nix/run.nix), of what ``derivation`` gave."""
    stored = said["env"].get("attributesPath")
    told: dict[str, Any] = json.loads(Path(stored).read_text() if stored else said["env"]["attributes"])
    return told


def _expression(expression: str, values: Mapping[str, Any]) -> list[str]:
    names = " ".join(values)
    text = (
        "{ library, values }: let nixgen = import (/. + library);"
        f" inherit (builtins.fromJSON values) {names}; in {expression}"
    )
    return ["--expr", text, "--argstr", "library", str(LIBRARY), "--argstr", "values", json.dumps(values)]


def _run(command: Sequence[str], env: Mapping[str, str]) -> str:
    done = subprocess.run(command, env=dict(env), capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise NixFailedError(done.stderr)
    return done.stdout
