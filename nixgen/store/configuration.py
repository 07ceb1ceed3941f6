"""Which settings of Nix somebody has set, as far as that is seen without starting Nix (nix.conf(5), "Files")."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

_NAME = re.compile(r"^[ \t]*(!?[\w-]+)", re.MULTILINE)


def said() -> set[str] | None:
    """Return the names of the settings that the environment and Nix's files have; None where only Nix can tell.

    That is where a file includes another one, cannot be read, or may lie elsewhere: which directory a Nix was built
    for is not known where the usual one has no file.
    """
    found: set[str] = set()
    try:
        for text in _texts():
            found.update(_NAME.findall(text))
    except (OSError, ValueError):
        return None
    return None if found & {"include", "!include"} else found


def _texts() -> Iterator[str]:
    yield os.environ.get("NIX_CONFIG", "")
    own = os.environ.get("NIX_CONF_DIR")
    system = Path(own or "/etc/nix", "nix.conf")
    if not own or system.exists():
        yield system.read_text(encoding="utf-8")
    for file in _of_user():
        if file.exists():
            yield file.read_text(encoding="utf-8")


def _of_user() -> Iterator[Path]:
    given = os.environ.get("NIX_USER_CONF_FILES")
    if given is not None:
        yield from (Path(file) for file in given.split(":") if file)
        return
    homes = [os.environ.get("XDG_CONFIG_HOME") or os.path.expanduser("~/.config")]  # noqa: PTH111
    homes += (os.environ.get("XDG_CONFIG_DIRS") or "/etc/xdg").split(":")
    yield from (Path(home, "nix", "nix.conf") for home in homes)
