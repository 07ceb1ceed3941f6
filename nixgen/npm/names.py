"""Which names npm takes for packages and commands."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping

#: A name that the registry takes, or took once (validate-npm-package-name: what encodeURIComponent leaves as it is).
_PART = r"[A-Za-z0-9\-_.!~*'()]+"
_NAME = re.compile(rf"(?:@{_PART}/)?(?![._]){_PART}")
_RESERVED = ("node_modules", "favicon.ico")


def is_package_name(name: str) -> bool:
    """Tell whether a package may be called that."""
    return _NAME.fullmatch(name) is not None and name.lower() not in _RESERVED


def commands(bin: object, name: str) -> dict[str, str]:
    """Return the commands of a package, as npm-normalize-package-bin does: names without a directory, paths inside.

    Args:
        bin: the field of package.json, of any form.
        name: the package's name, which is that of a command where only a path is said.
    """
    said: dict[object, object] = {}
    if isinstance(bin, str) and name:
        said = {name: bin}
    elif isinstance(bin, list):
        said = {posixpath.basename(path): path for path in bin if isinstance(path, str)}
    elif isinstance(bin, Mapping):
        said = dict(bin)
    found = {}
    for key, path in said.items():
        command = posixpath.basename(re.sub(r"[\\:]", "/", str(key)))
        if not isinstance(path, str) or command in ("", ".", ".."):
            continue
        # Joined to the root, a path cannot leave it.
        inside = posixpath.normpath("/" + path.replace("\\", "/")).lstrip("/")
        if inside:
            found[command] = inside
    return found
